import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Attachments, Ids, Messages, MessageStatus, PostedMessage } from "effect-herald/symphony"
import type { Transport } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import { mid, scripted, sid } from "./kit.ts"

const answer = (body: unknown): Transport.Answer => ({ body: JSON.stringify(body) })
const at = DateTime.makeUnsafe

const read = (body: unknown) => Messages.get({ messageId: mid }).pipe(Effect.provide(scripted(answer(body))))

const nothing = {
  parentMessageId: null,
  timestamp: null,
  message: null,
  sharedMessage: null,
  data: null,
  attachments: null,
  user: null,
  stream: null,
  externalRecipients: null,
  diagnostic: null,
  userAgent: null,
  originalFormat: null,
  disclaimer: null,
  sid: null,
  replacing: null,
  replacedBy: null,
  initialTimestamp: null,
  initialMessageId: null,
  silent: null
}

const full = {
  messageId: "m",
  parentMessageId: "p",
  timestamp: 1_790_000_000_000,
  message: "<div data-format=\"PresentationML\" data-version=\"2.0\">a</div>",
  sharedMessage: { messageId: "s", sharedMessage: { messageId: "t" } },
  data: "{\"0\":null}",
  attachments: [{ id: "internal_1%2FAb", name: "a.png", size: 3, images: [{ id: "i", dimension: "600" }] }],
  user: { userId: 7_215_545_057_281, firstName: "A", lastName: "B", displayName: "AB", email: "e", username: "ab" },
  stream: {
    streamId: sid,
    streamType: "ROOM",
    roomName: "r",
    members: [{ userId: 1 }],
    external: false,
    crossPod: true,
    recipientTenantIds: [14_901]
  },
  externalRecipients: false,
  diagnostic: "d",
  userAgent: "u",
  originalFormat: "com.symphony.messageml.v2",
  disclaimer: "di",
  sid: "session",
  replacing: "r",
  replacedBy: "b",
  initialTimestamp: 1,
  initialMessageId: "i",
  silent: true
}

const decoded: PostedMessage.PostedMessage = {
  ...full,
  attachments: [{
    attachmentId: "internal_1%2FAb",
    name: "a.png",
    size: 3,
    previews: [{ attachmentId: "i", width: 600, dimension: "600" }]
  }],
  timestamp: at(1_790_000_000_000),
  sharedMessage: { messageId: "s", attachments: [], sharedMessage: { messageId: "t", attachments: [] } },
  initialTimestamp: at(1)
}

describe("PostedMessage", () => {
  it.effect("decodes every field that the service gives", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read({ ...full, brandNew: { a: 1 } }), decoded)
    }))

  it.effect("omits fields that are null or missing, and has an empty list of files", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* read({ messageId: mid, ...nothing }), {
        messageId: Ids.toUrlSafe(mid),
        attachments: []
      })
      assert.deepStrictEqual(yield* read({ messageId: mid }), { messageId: Ids.toUrlSafe(mid), attachments: [] })
    }))

  /** Entries that were read, and what was given for those that cannot be. */
  const shown = <A>(entries: ReadonlyArray<A | UndecodableItem.UndecodableItem>) =>
    entries.map((entry) => UndecodableItem.isDecoded(entry) ? entry : { raw: entry.raw })

  it.effect("keeps undecodable entries in their places of each list", () =>
    Effect.gen(function*() {
      const message = yield* read({
        messageId: mid,
        stream: { streamId: sid, members: ["ada", { userId: 1 }], recipientTenantIds: [1, "x"] },
        attachments: [{ name: "without an id" }, "?", { id: "a", images: [{}, { id: "i" }] }]
      })
      const { attachments, stream } = message
      assert.deepStrictEqual(shown(stream?.members ?? []), [{ raw: "ada" }, { userId: 1 }])
      assert.deepStrictEqual(shown(stream?.recipientTenantIds ?? []), [1, { raw: "x" }])
      assert.deepStrictEqual(shown(attachments).slice(0, 2), [{ raw: { name: "without an id" } }, { raw: "?" }])
      const previews = attachments.filter(UndecodableItem.isDecoded).flatMap(({ previews }) => previews)
      assert.deepStrictEqual(shown(previews), [{ raw: {} }, { attachmentId: "i" }])
      const again = yield* Schema.encodeEffect(PostedMessage.PostedMessage)(message)
      assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(PostedMessage.PostedMessage)(again), message)
    }))

  it.effect("omits null fields within its parts", () =>
    Effect.gen(function*() {
      const message = yield* read({
        messageId: mid,
        user: { userId: 1, firstName: null },
        stream: { streamId: sid, members: null, recipientTenantIds: null, crossPod: null },
        attachments: [{ id: "a", name: null, size: null, images: null }]
      })
      assert.deepStrictEqual(message, {
        messageId: Ids.toUrlSafe(mid),
        user: { userId: 1 },
        stream: { streamId: sid, members: [], recipientTenantIds: [] },
        attachments: [{ attachmentId: "a", previews: [] }]
      })
    }))

  it.effect("omits a field that does not decode", () =>
    Effect.gen(function*() {
      const message = yield* read({
        messageId: mid,
        timestamp: "yesterday",
        message: 7,
        sharedMessage: { message: "without an id" },
        attachments: [{ id: "a", size: "4", name: {}, images: "?" }],
        user: { userId: {}, username: "ada" },
        stream: "?",
        silent: "false",
        initialTimestamp: "12"
      })
      assert.deepStrictEqual(message, {
        messageId: Ids.toUrlSafe(mid),
        attachments: [{ attachmentId: "a", size: 4, previews: [] }],
        user: { username: "ada" },
        silent: false,
        initialTimestamp: at(12)
      })
    }))

  it.effect("fails to decode without an id", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Messages.get({ messageId: mid }).pipe(
          Effect.provide(scripted(...Array.from({ length: 3 }, () => answer({ ...full, messageId: null }))))
        )
      )
      assert.strictEqual(error.reason._tag, "Malformed")
      assert.include(error.message, "messageId")
    }))

  it.effect("round-trips through JSON", () =>
    Effect.gen(function*() {
      const encoded = yield* Schema.encodeEffect(PostedMessage.PostedMessage)(decoded)
      assert.deepStrictEqual(encoded, {
        ...full,
        attachments: decoded.attachments,
        sharedMessage: { messageId: "s", attachments: [], sharedMessage: { messageId: "t", attachments: [] } }
      })
      assert.deepStrictEqual(
        yield* Schema.decodeUnknownEffect(PostedMessage.PostedMessage)(JSON.parse(JSON.stringify(encoded))),
        decoded
      )
    }))
})

describe("StreamAttachment", () => {
  it.effect("reads the content type under either name", () =>
    Effect.gen(function*() {
      const found = (yield* Attachments.listAttachments({ streamId: sid })).filter(UndecodableItem.isDecoded)
      assert.deepStrictEqual(found, [
        {
          streamId: sid,
          messageId: "a-b_c",
          attachmentId: "internal_1%2FA",
          ingestionDate: at(5),
          userId: 9,
          name: "a.png",
          size: 2,
          contentType: "image/png",
          previews: [{ attachmentId: "p", width: 600 }]
        },
        { streamId: sid, messageId: "m", attachmentId: "f", contentType: "text/plain", previews: [] },
        { streamId: sid, messageId: "m", attachmentId: "f", previews: [] }
      ])
      const encoded = yield* Schema.encodeEffect(PostedMessage.StreamAttachment)(found[0]!)
      assert.deepInclude(encoded, { contentType: "image/png" })
      assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(PostedMessage.StreamAttachment)(encoded), found[0])
    }).pipe(Effect.provide(scripted(answer([
      {
        messageId: "a+b/c=",
        ingestionDate: 5,
        userId: 9,
        fileId: "internal_1%2FA",
        name: "a.png",
        size: 2,
        "content-type": "image/png",
        previews: [{ fileId: "p", width: 600 }]
      },
      { messageId: "m", fileId: "f", contentType: "text/plain", previews: null },
      { messageId: "m", fileId: "f", ingestionDate: null, userId: null, name: null, size: null, "content-type": null }
    ])))))
})

describe("answers of MessageStatus", () => {
  it.effect("status decodes ids and times from text and from numbers", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* MessageStatus.status({ messageId: mid }), {
        author: { userId: 7_078_106_103_900, displayName: "A", username: "a", timestamp: at(1_433_045_622_000) },
        read: [{ userId: 1, timestamp: at(2) }],
        delivered: [],
        sent: []
      })
      assert.deepStrictEqual(yield* MessageStatus.status({ messageId: mid }), { read: [], delivered: [], sent: [] })
    }).pipe(Effect.provide(scripted(
      answer({
        author: {
          userId: "7078106103900",
          firstName: null,
          displayName: "A",
          userName: "a",
          timestamp: "1433045622000"
        },
        read: [{ userId: 1, timestamp: 2 }],
        delivered: null
      }),
      answer({ author: null, read: null, delivered: null, sent: null })
    ))))

  it.effect("receipts decodes counts, cursors and times, and omits nulls", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* MessageStatus.receipts({ messageId: mid }), {
        creator: { userId: 7_215_545_058_329, displayName: "U" },
        stream: { streamId: "lFpyw0ATFmji-Cc_cSzbk3___pZkWpe1dA", name: "Room", streamType: "ROOM" },
        creationDate: at(1_552_999_333_141),
        deliveredCount: 1,
        readCount: 0,
        emailedCount: 0,
        downloadCounts: [{ fileName: "a", count: 2 }],
        items: [{
          user: { userId: 1, username: "ada", email: "e" },
          deliveredAt: at(7),
          downloads: [{ fileName: "a", timestamp: at(8) }]
        }],
        previous: "1",
        next: "x"
      })
      assert.deepStrictEqual(yield* MessageStatus.receipts({ messageId: mid }), { downloadCounts: [], items: [] })
    }).pipe(Effect.provide(scripted(
      answer({
        creator: { id: 7_215_545_058_329, name: "U" },
        onBehalfOfUser: { id: null, name: null },
        stream: { id: "lFpyw0ATFmji+Cc/cSzbk3///pZkWpe1dA==", name: "Room", streamType: "ROOM" },
        creationDate: 1_552_999_333_141,
        deliveryReceiptCount: 1,
        readReceiptCount: 0,
        emailNotificationCount: 0,
        downloadReceiptCounts: [{ fileName: "a", count: 2 }],
        MessageReceiptDetail: [{
          user: { id: 1, username: "ada", firstName: null, lastName: null, emailAddress: "e" },
          deliveryReceiptTimestamp: 7,
          readReceiptTimestamp: null,
          emailNotificationTimestamp: null,
          downloadReceiptCounts: [{ fileName: "a", timestamp: 8 }]
        }],
        pagination: { cursors: { before: 1, after: "x" }, previous: null, next: "/n" }
      }),
      answer({ MessageReceiptDetail: null, pagination: null })
    ))))

  it.effect("relationships decodes lists, and omits a parent of nulls", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* MessageStatus.relationships({ messageId: mid }), {
        messageId: "a-b",
        parent: { messageId: "p", relationshipType: "REPLY" },
        replies: ["r"],
        forwards: [],
        formReplies: ["f"]
      })
      assert.deepStrictEqual(yield* MessageStatus.relationships({ messageId: mid }), {
        replies: [],
        forwards: [],
        formReplies: []
      })
    }).pipe(Effect.provide(scripted(
      answer({
        messageId: "a+b=",
        parent: { messageId: "p=", relationshipType: "REPLY" },
        replies: ["r="],
        forwards: null,
        formReplies: ["f="]
      }),
      answer({ parent: { messageId: null, relationshipType: null } })
    ))))

  it.effect("suppress decodes its time", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* MessageStatus.suppress({ messageId: mid }), {
        messageId: Ids.toUrlSafe(mid),
        suppressed: true,
        suppressionDate: at(1_461_565_603_191)
      })
      assert.deepStrictEqual(yield* MessageStatus.suppress({ messageId: mid }), {})
    }).pipe(Effect.provide(scripted(
      answer({ messageId: mid, suppressed: true, suppressionDate: 1_461_565_603_191 }),
      answer({ messageId: null, suppressed: null, suppressionDate: null })
    ))))
})
