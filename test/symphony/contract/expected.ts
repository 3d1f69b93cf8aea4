/** What the client must make of the named answers of the mock, as plain values. */
import type { Name } from "./vendor.ts"

const claims = "eyJzdWIiOiI3MDAwMDAwMDAwMDAzIiwiZXhwIjo0MTAyNDQ0ODAwfQ"
const token = `eyJhbGciOiJSUzUxMiJ9.${claims}.sig`
const simpleClaims = "eyJzdWIiOiI3MDAwMDAwMDAwMDAzIiwiY2FuVXNlU2ltcGxpZmllZEtleURlbGl2ZXJ5Ijp0cnVlfQ"

const bot = { sessionToken: token, keyManagerToken: token }
const user = { sessionToken: token, keyManagerToken: undefined }

const ada = {
  userId: 7_000_000_000_001,
  firstName: "Ada",
  lastName: "Byron",
  displayName: "Ada Byron",
  email: "ada@example.com",
  username: "ada"
}

const streamId = "FH6C-spkoCH0rxgMKsvqqP___susIzthuw"

const markup = (content: string) => `<div data-format="PresentationML" data-version="2.0">${content}</div>`

const full = {
  messageId: "x6zBx4Ee1gYXv-aurh8i4v___rHqWd_UxQ",
  timestamp: 1_700_000_000_123,
  message: markup("Hi <b>there</b>"),
  data: JSON.stringify({
    0: { type: "com.symphony.user.mention", id: [{ type: "com.symphony.user.userId", value: "7000000000002" }] }
  }),
  attachments: [{
    attachmentId: "internal_7000000000001%2FAbCdEf%3D%3D",
    name: "plan.png",
    size: 1234,
    previews: [{ attachmentId: "internal_7000000000001%2FThUmB%3D%3D", width: 600, dimension: "600" }]
  }],
  user: ada,
  stream: { streamId, streamType: "ROOM", members: [], recipientTenantIds: [] },
  userAgent: "Agent-24.12.1-Linux",
  originalFormat: "com.symphony.messageml.v2",
  sid: "00000000-0000-4000-8000-000000000001"
}

const updated = {
  ...full,
  messageId: "UPD_wQFBgcICQoLDA0ODw___w",
  replacing: full.messageId,
  initialMessageId: full.messageId,
  initialTimestamp: full.timestamp,
  silent: false
}

const nulls = {
  messageId: "AAECAwQFBgcICQoLDA0ODw___x",
  timestamp: 1_700_000_000_456,
  message: markup("nulls"),
  attachments: [],
  user: { userId: 7_000_000_000_003, displayName: "bot", username: "bot" },
  stream: { streamId, streamType: "IM", members: [], recipientTenantIds: [] },
  originalFormat: "com.symphony.messageml.v2"
}

const minimal = {
  messageId: "AAECAwQFBgcICQoLDA0ODw___y",
  timestamp: 1_700_000_000_789,
  message: markup("minimal"),
  attachments: []
}

const statusOf = (userId: number) => ({ ...ada, userId, timestamp: 1_700_000_000_123 })

const inPod = {
  messageId: "x6zBx4Ee1gYXv-aurh8i4v___rHqWd_UxQ",
  streamId: "FH6C-spkoCH0rxgMKsvqqP___susIzthuw"
}

const bob = { userId: 7_000_000_000_002, username: "bob", email: "bob@example.com" }

const form = {
  stream: { streamId, streamType: "ROOM" },
  formMessageId: full.messageId,
  formId: "form-1",
  formValues: { action: "submit", choice: "a" }
}

const fullAsWritten = {
  ...full,
  stream: form.stream,
  attachments: [{
    id: "internal_7000000000001%2FAbCdEf%3D%3D",
    name: "plan.png",
    size: 1234,
    images: [{ id: "internal_7000000000001%2FThUmB%3D%3D", dimension: "600" }]
  }]
}

/** As the service writes them. */
const events = [
  {
    id: "evt-1",
    messageId: full.messageId,
    timestamp: 1_700_000_000_123,
    type: "MESSAGESENT",
    initiator: { user: ada },
    payload: { messageSent: { message: fullAsWritten } }
  },
  {
    id: "evt-2",
    timestamp: 1_700_000_000_200,
    type: "SYMPHONYELEMENTSACTION",
    initiator: { user: ada },
    payload: { symphonyElementsAction: form }
  },
  { id: "evt-3", timestamp: 1_700_000_000_300, type: "SOMETHINGNEW", initiator: { user: ada }, payload: {} }
]

const feedId = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb_f"

/** What the datafeed makes of its feed, and of these events. */
export const told = [
  { _tag: "FeedConnected", feedId, created: false },
  {
    _tag: "MessageSent",
    id: "evt-1",
    messageId: full.messageId,
    timestamp: 1_700_000_000_123,
    initiator: ada,
    message: full
  },
  {
    _tag: "ElementsAction",
    id: "evt-2",
    timestamp: 1_700_000_000_200,
    initiator: ada,
    ...form,
    stream: full.stream
  },
  {
    _tag: "UnknownEvent",
    id: "evt-3",
    timestamp: 1_700_000_000_300,
    initiator: ada,
    kind: "SOMETHINGNEW",
    raw: events[2]
  }
]

const messages = { "example=empty": [], "code=204": [] }

export const expected: { readonly [name: Name]: { readonly [preference: string]: unknown } } = {
  "POST /login/pubkey/authenticate": {
    "example=full": bot,
    "example=bearer": bot,
    "example=skd": { sessionToken: `eyJhbGciOiJSUzUxMiJ9.${simpleClaims}.sig`, keyManagerToken: undefined }
  },
  "POST /relay/pubkey/authenticate": { "example=full": bot },
  "POST /login/pubkey/app/authenticate": { "example=full": user },
  "POST /login/pubkey/app/user/{userId}/authenticate": { "example=full": user },
  "POST /login/pubkey/app/username/{username}/authenticate": { "example=full": user },
  "GET /pod/v2/sessioninfo": { "example=full": 7_000_000_000_003 },
  "GET /agent/v5/datafeeds": {
    "example=full": [
      { id: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_p_0001", type: "datahose" },
      { id: feedId, type: "fanout" }
    ],
    "example=none": []
  },
  "POST /agent/v5/datafeeds": { "example=full": feedId },
  "POST /agent/v5/datafeeds/{datafeedId}/read": {
    "example=full": { ackId: "ack-1", events },
    "example=empty": { ackId: "ack-2", events: [] }
  },
  "DELETE /agent/v5/datafeeds/{datafeedId}": { "code=204": undefined },
  "POST /agent/v4/stream/{sid}/message/create": {
    "example=full": full,
    "example=nulls": nulls,
    "example=minimal": minimal
  },
  "POST /agent/v4/stream/{sid}/message/{mid}/update": { "example=full": updated, "example=nulls": nulls },
  "POST /agent/v4/message/blast": {
    "example=full": { messages: [full, { ...minimal, messageId: "BBBBwQFBgcICQoLDA0ODw___w" }], errors: {} },
    "example=partial": {
      messages: [full],
      errors: { unknown_stream_id: { code: 403, message: "Not a member of the stream" } }
    }
  },
  "POST /agent/v4/message/import": {
    "example=full": [{
      messageId: "IMPAwQFBgcICQoLDA0ODw___w",
      originatingSystemId: "legacy-chat",
      originalMessageId: "M1"
    }],
    "example=failed": [{
      originatingSystemId: "legacy-chat",
      diagnostic: "Importer is not a member of the stream"
    }]
  },
  "GET /agent/v1/message/{id}": {
    "example=full": full,
    "example=nulls": nulls,
    "code=204": "NotFound: There is no such message"
  },
  "GET /agent/v4/stream/{sid}/message": { ...messages, "example=full": [full, nulls, minimal] },
  "POST /agent/v1/message/search": { ...messages, "example=full": [full, nulls] },
  "GET /agent/v1/stream/{sid}/attachment": { "example=full": "aGVsbG8gYXR0YWNobWVudA==" },
  "GET /agent/v1/stream/{sid}/attachment as bytes": { "example=full": ["hello attachment"] },
  "GET /pod/v1/streams/{sid}/attachments": {
    "example=empty": [],
    "example=full": [{
      streamId,
      messageId: inPod.messageId,
      userId: ada.userId,
      ingestionDate: 1_700_000_000_123,
      attachmentId: "internal_7000000000001%2FAbCdEf%3D%3D",
      name: "plan.png",
      size: 1234,
      contentType: "image/png",
      previews: [{ attachmentId: "internal_7000000000001%2FThUmB%3D%3D", width: 600 }]
    }]
  },
  "GET /pod/v1/files/allowedTypes": { "example=full": [".csv", ".png"] },
  "POST /pod/v1/admin/messagesuppression/{id}/suppress": {
    "example=full": { messageId: full.messageId, suppressed: true, suppressionDate: 1_700_000_009_999 }
  },
  "GET /pod/v1/message/{mid}/status": {
    "example=full": {
      author: statusOf(7_000_000_000_001),
      read: [statusOf(7_000_000_000_002)],
      delivered: [statusOf(7_000_000_000_003), statusOf(7_000_000_000_004)],
      sent: []
    },
    "example=nulls": {
      author: {
        userId: ada.userId,
        displayName: "Ada Byron",
        email: "ada@example.com",
        username: "ada",
        timestamp: 1_700_000_000_123
      },
      read: [],
      delivered: [],
      sent: []
    }
  },
  "GET /pod/v1/admin/messages/{messageId}/receipts": {
    "example=full": {
      creator: { userId: ada.userId, displayName: "Ada Byron" },
      stream: { streamId: inPod.streamId, name: "Room", streamType: "ROOM" },
      creationDate: 1_700_000_000_123,
      deliveredCount: 1,
      readCount: 1,
      emailedCount: 0,
      downloadCounts: [{ fileName: "plan.png", count: 2 }],
      items: [{
        user: { ...bob, firstName: "Bob", lastName: "B" },
        deliveredAt: 1_700_000_000_200,
        readAt: 1_700_000_000_300,
        emailedAt: 1_700_000_000_400,
        downloads: [{ fileName: "plan.png", timestamp: 1_700_000_000_500 }]
      }]
    },
    "example=nulls": {
      creator: { userId: ada.userId, displayName: "bot" },
      stream: { streamId: inPod.streamId, name: "bot, Bob", streamType: "IM" },
      creationDate: 1_700_000_000_123,
      deliveredCount: 1,
      readCount: 0,
      emailedCount: 0,
      downloadCounts: [],
      items: [{ user: bob, deliveredAt: 1_700_000_000_200, downloads: [] }]
    }
  },
  "GET /pod/v1/admin/messages/{messageId}/metadata/relationships": {
    "example=full": {
      messageId: inPod.messageId,
      parent: { messageId: "8xC-W7yGJgR84LTMRKi_3____sunChi1dg", relationshipType: "REPLY" },
      replies: ["CCCC"],
      forwards: [],
      formReplies: []
    },
    "example=orphan": { messageId: "AAEC", replies: [], forwards: [], formReplies: [] }
  }
}
