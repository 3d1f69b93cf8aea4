/** What the client can ask, by the operation of the vendor's description that it is for. */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Stream from "effect/Stream"
import {
  Attachments,
  type Message,
  Messages,
  MessageSearch,
  MessageStatus,
  Session,
  type SymphonyConfig,
  type SymphonyError
} from "effect-herald/symphony"
import * as Feeds from "../../../src/symphony/internal/feed/feedRequests.ts"
import type { Name } from "./vendor.ts"

export type Failure = SymphonyError.SymphonyError | Messages.MessageOutcomeUnknown

export type Ask<A = unknown> = Effect.Effect<
  A,
  Failure,
  HttpClient.HttpClient | SymphonyConfig.SymphonyConfig | Session.Session
>

export interface Call {
  readonly name: Name
  /** Where there are two ways to one operation that do not share their code. */
  readonly way?: string
  /** As short as it can be. */
  readonly ask: Ask
  /** With all that it can have, and other ways to the same operation. */
  readonly others?: { readonly [name: string]: Ask }
}

const streamId = "FH6C+spkoCH0rxgMKsvqqP///susIzthuw=="
const messageId = "x6zBx4Ee1gYXv+aurh8i4v///rHqWd/UxQ=="
const query: MessageSearch.SearchQuery = { hashtag: "orders" }

const attachments = [
  { name: "orders.csv", content: "id;price\n1;\"10 €\"", preview: { content: new Uint8Array([0, 255, 13, 10]) } },
  { name: "Übersicht 100%.png", content: new Blob(["PNG"]), preview: { name: "small.png", content: "PNG" } },
  { name: "stream.bin", content: Stream.make(new Uint8Array(70_000)), preview: { content: "BIN" } }
]

const full = {
  message:
    "<messageML>Grüße an ${'alle'} &amp; 100% <div class=\"entity\" data-entity-id=\"order\">1</div></messageML>",
  data: { order: { type: "com.example.order", version: "1.0", id: 1 } },
  version: "2.0"
}

const imported: Message.ImportedMessage = {
  streamId,
  message: "Old",
  intendedMessageTimestamp: 1_600_000_000_000,
  intendedMessageFromUserId: 7_000_000_000_001,
  originatingSystemId: "legacy-chat"
}

export const messages: ReadonlyArray<Call> = [
  {
    name: "POST /agent/v4/stream/{sid}/message/create",
    ask: Messages.send({ streamId, message: "Hello" }),
    others: {
      "with data and a version": Messages.send({ streamId, ...full }),
      "with files and previews": Messages.send({ streamId, ...full, attachments }),
      "as one value": Messages.send({ streamId, message: { content: "Hello", silent: false } })
    }
  },
  {
    name: "POST /agent/v4/stream/{sid}/message/{mid}/update",
    ask: Messages.update({ streamId, messageId, message: "Hello" }),
    others: {
      "with data and a version, loud": Messages.update({ streamId, messageId, ...full, silent: false }),
      "with files and previews": Messages.update({
        streamId,
        messageId,
        message: { content: full.message, data: full.data, attachments, silent: true }
      })
    }
  },
  {
    name: "POST /agent/v4/message/blast",
    ask: Messages.blast({ streamIds: [streamId], message: "Hello" }),
    others: {
      "to a hundred streams, with files": Messages.blast({
        streamIds: Array.from({ length: 100 }, (_, index) => `stream${index}`),
        ...full,
        attachments
      })
    }
  },
  {
    name: "POST /agent/v4/message/import",
    ask: Messages.importMessages({ messages: [imported] }),
    others: {
      "with files and data": Messages.importMessages({
        messages: [imported, {
          ...imported,
          data: full.data,
          originalMessageId: "1",
          attachments: [{ name: "a.txt", content: "a" }],
          previews: [{ name: "p.png", content: new Uint8Array([1]) }]
        }]
      })
    }
  },
  {
    name: "GET /agent/v1/message/{id}",
    ask: Messages.get({ messageId })
  },
  {
    name: "GET /agent/v4/stream/{sid}/message",
    ask: Messages.list({ streamId }),
    others: {
      "at the limits": Messages.list({ streamId, since: 1, until: 1_700_000_000_000, skip: 3, limit: 500 }),
      "all": Stream.runCollect(Stream.take(Messages.stream({ streamId }), 1))
    }
  },
  {
    name: "POST /agent/v1/message/search",
    ask: MessageSearch.search({ query }),
    others: {
      "for everything": MessageSearch.search({
        query: {
          text: "order",
          streamId,
          streamType: "CHAT",
          author: 7_000_000_000_001,
          hashtag: "orders",
          cashtag: "ACME",
          mention: 7_000_000_000_002,
          fromDate: 1_600_000_000_000,
          toDate: 1_700_000_000_000
        },
        order: "oldestFirst",
        skip: 2,
        limit: 1000,
        scope: "symphony",
        tier: "warm"
      }),
      "for a signal": MessageSearch.search({ query: { signal: "5a8da7edb9d82100011d508a" } }),
      "all": Stream.runCollect(Stream.take(MessageSearch.streamSearch({ query, pageSize: 1 }), 1))
    }
  },
  {
    name: "GET /agent/v1/stream/{sid}/attachment",
    ask: Attachments.getAttachment({ streamId, messageId, attachmentId: "internal_7000000000001%2FAbCdEf%3D%3D" })
  },
  {
    name: "GET /agent/v1/stream/{sid}/attachment",
    way: "as bytes",
    ask: Stream.runCollect(Attachments.streamAttachment({ streamId, messageId, attachmentId: "internal_1%2FA" }))
  },
  {
    name: "GET /pod/v1/streams/{sid}/attachments",
    ask: Attachments.listAttachments({ streamId }),
    others: {
      "at the limits": Attachments.listAttachments({
        streamId,
        since: 0,
        until: 1_700_000_000_000,
        limit: 100,
        order: "newestFirst"
      }),
      "none": Attachments.listAttachments({ streamId, limit: 0 }),
      "all": Stream.runCollect(Attachments.streamAttachments({ streamId }))
    }
  },
  {
    name: "GET /pod/v1/files/allowedTypes",
    ask: Attachments.attachmentTypes
  },
  {
    name: "POST /pod/v1/admin/messagesuppression/{id}/suppress",
    ask: MessageStatus.suppress({ messageId })
  },
  {
    name: "GET /pod/v1/message/{mid}/status",
    ask: MessageStatus.status({ messageId })
  },
  {
    name: "GET /pod/v1/admin/messages/{messageId}/receipts",
    ask: MessageStatus.receipts({ messageId }),
    others: {
      "a later page": MessageStatus.receipts({ messageId, next: "cursor+/=" }),
      "an earlier page": MessageStatus.receipts({ messageId, previous: "1" }),
      "all": Stream.runCollect(MessageStatus.streamReceipts({ messageId }))
    }
  },
  {
    name: "GET /pod/v1/admin/messages/{messageId}/metadata/relationships",
    ask: MessageStatus.relationships({ messageId })
  }
]

/** Each logs in anew. */
export const login: Ask<Session.Tokens> = Effect.suspend(() =>
  Effect.provide(Session.Session.use(({ tokens }) => tokens), Session.layer())
)
const onBehalfOf = (user: Session.User): Ask<Session.Tokens> =>
  Effect.suspend(() => Effect.provide(Session.Session.use(({ tokens }) => tokens), Session.layerOnBehalfOf(user)))

export const logins: ReadonlyArray<Call> = [
  { name: "POST /login/pubkey/authenticate", ask: login },
  { name: "POST /relay/pubkey/authenticate", ask: login },
  { name: "POST /login/pubkey/app/authenticate", ask: onBehalfOf({ userId: 7_000_000_000_002 }) },
  { name: "POST /login/pubkey/app/user/{userId}/authenticate", ask: onBehalfOf({ userId: 7_000_000_000_002 }) },
  {
    name: "POST /login/pubkey/app/username/{username}/authenticate",
    ask: onBehalfOf({ username: "jane doe/100%@example.com" })
  }
]

const feedId = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb_f"

export const readFeed: Call = {
  name: "POST /agent/v5/datafeeds/{datafeedId}/read",
  ask: Feeds.read(feedId, ""),
  others: { "with an acknowledgement": Feeds.read(feedId, "ack-1") }
}

/** What a datafeed asks. Each is one attempt: the datafeed makes others, for as long as it is read. */
export const feeds: ReadonlyArray<Call> = [
  { name: "GET /pod/v2/sessioninfo", ask: Feeds.sessionUser },
  { name: "GET /agent/v5/datafeeds", ask: Feeds.list(undefined), others: { "with a tag": Feeds.list("orders bot/1") } },
  {
    name: "POST /agent/v5/datafeeds",
    ask: Feeds.create({ tag: undefined, includeInvisible: false }),
    others: { "with all": Feeds.create({ tag: "x".repeat(100), includeInvisible: true }) }
  },
  readFeed,
  { name: "DELETE /agent/v5/datafeeds/{datafeedId}", ask: Feeds.remove(feedId) }
]
