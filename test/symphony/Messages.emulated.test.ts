/** The service as a whole, against the emulated pod. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  Attachments,
  Ids,
  MessageML,
  Messages,
  MessageSearch,
  MessageStatus,
  type PostedMessage,
  Session
} from "effect-herald/symphony"
import { VirtualTime } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import { decoded } from "../kit/decoded.ts"
import { emulated, emulator, room, tagOf } from "./kit.ts"

const stored = (streamId: string) => emulator.use(({ messages }) => messages({ streamId }))
const requests = (kind: string) =>
  emulator.use(({ requests }) => Effect.map(requests, (all) => all.filter((request) => request.kind === kind)))
const tick = VirtualTime.advance(Duration.seconds(1))

describe("messages at the emulator", () => {
  it.effect("are sent, read, updated and suppressed", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada")
      const Order = MessageML.entity({
        type: "com.acme.order",
        version: "1.0",
        schema: Schema.Struct({ id: Schema.Int })
      })
      const typed = "${x} <b> & \"it's\" 😀"
      const message = MessageML.messageML`<p>${typed} ${
        MessageML.mention({ email: "ada@example.com" })
      }</p>${yield* Order
        .make("order", { id: 7 }, "order 7")}`
      const posted = yield* Messages.send({ streamId: Ids.toStandard(streamId), message })
      const found = yield* Messages.get({ messageId: Ids.toStandard(posted.messageId) })
      assert.deepStrictEqual(found, posted)
      const reading = yield* MessageML.read(found)
      assert.include(reading.text, typed)
      assert.deepStrictEqual(yield* Order.read(found), [{ id: 7 }])
      yield* tick
      const second = yield* Messages.update({ streamId, messageId: posted.messageId, message: "new", silent: false })
      assert.strictEqual(second.replacing, posted.messageId)
      assert.strictEqual(second.initialMessageId, posted.messageId)
      assert.deepStrictEqual(second.initialTimestamp, posted.timestamp)
      assert.deepInclude((yield* stored(streamId))[1], { silent: false, text: "new" })
      yield* tick
      const { suppressed, suppressionDate } = yield* MessageStatus.suppress({
        messageId: Ids.toStandard(second.messageId)
      })
      assert.isTrue(suppressed)
      assert.deepStrictEqual(suppressionDate, yield* DateTime.now)
      const gone = yield* Effect.flip(Messages.get({ messageId: second.messageId }))
      assert.strictEqual(gone.reason._tag, "NotFound")
    }).pipe(Effect.provide(emulated())))

  it.effect("of a stream and of a search are paged through, each once", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada")
      for (let index = 0; index < 11; index++) {
        yield* emulator.use(({ send }) => send({ streamId, username: "ada", message: `m${index} <hash tag="x"/>` }))
        if (index % 4 === 0) yield* tick
      }
      const textOf = (messages: ReadonlyArray<PostedMessage.PostedMessage | UndecodableItem.UndecodableItem>) =>
        Effect.forEach(decoded(messages), ({ message = "" }) =>
          Effect.map(MessageML.read({ message }), ({ text }) => text.split(" ")[0]))
      const newest = Array.from({ length: 11 }, (_, index) =>
        `m${10 - index}`)
      for (const pageSize of [1, 2, 3, 500]) {
        const all = yield* Stream.runCollect(Messages.stream({ streamId, pageSize }))
        assert.deepStrictEqual(yield* textOf(all), newest)
      }
      assert.deepStrictEqual(yield* textOf(yield* Messages.list({ streamId, limit: 2, skip: 1 })), ["m9", "m8"])
      const query = { hashtag: "x", streamId }
      const found = yield* Stream.runCollect(Stream.take(MessageSearch.streamSearch({ query, pageSize: 4 }), 9))
      assert.deepStrictEqual(yield* textOf(found), newest.slice(0, 9))
      assert.deepStrictEqual(yield* textOf(yield* MessageSearch.search({ query, order: "oldestFirst", limit: 1 })), [
        "m0"
      ])
      assert.deepStrictEqual(yield* MessageSearch.search({ query: { hashtag: "y" } }), [])
      assert.deepStrictEqual(yield* Messages.list({ streamId: yield* room() }), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("of a blast reach members' streams, and errors name the others", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* room(), yield* room()]
      const foreign = yield* emulator.use(({ createStream }) => createStream({ type: "ROOM", members: ["ada"] }))
      const { errors, messages } = yield* Messages.blast({
        streamIds: [one, Ids.toStandard(two), foreign],
        message: "a"
      })
      assert.deepStrictEqual(messages.map(({ stream }) => stream?.streamId), [one, two])
      assert.deepStrictEqual([...errors.keys()], [foreign])
      assert.isString(errors.get(foreign)?.message)
    }).pipe(Effect.provide(emulated())))

  it.effect("that are imported have their own time and author, or a diagnostic", () =>
    Effect.gen(function*() {
      yield* tick
      const streamId = yield* room("ada")
      const message = {
        streamId,
        message: "old",
        intendedMessageTimestamp: 5,
        intendedMessageFromUserId: 7000000000002,
        originatingSystemId: "other",
        attachments: [{ name: "a.txt", content: "hello" }]
      }
      const [imported, refused] = yield* Messages.importMessages({
        messages: [message, { ...message, intendedMessageTimestamp: Date.UTC(3000, 0) }]
      })
      assert.isString(imported?.messageId)
      assert.strictEqual(refused?.diagnostic, "the timestamp is not in the past")
      const [only] = yield* stored(streamId)
      assert.deepInclude(only, { username: "ada", timestamp: DateTime.makeUnsafe(5), text: "old" })
      assert.strictEqual(Buffer.from(only?.attachments[0]?.content ?? []).toString(), "hello")
    }).pipe(Effect.provide(emulated())))
})

describe("files at the emulator", () => {
  it.effect("are uploaded from bytes, streams and blobs, and downloaded unchanged", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada")
      const content = Uint8Array.from({ length: 100_001 }, (_, index) => index * 7 & 255)
      const posted = yield* Messages.send({
        streamId,
        message: "files",
        attachments: [
          { name: "größe \"1\".png", content, preview: { content: "p" } },
          {
            name: "b.txt",
            content: Stream.make(content.slice(0, 5), content.slice(5)),
            preview: { content: new Blob() }
          }
        ]
      })
      assert.deepStrictEqual(
        posted.attachments.filter(UndecodableItem.isDecoded).map(({ name, size }) => [name, size]),
        [
          ["größe \"1\".png", 100_001],
          ["b.txt", 100_001]
        ]
      )
      const [first, second] = (yield* Attachments.listAttachments({ streamId })).filter(UndecodableItem.isDecoded)
      assert.deepInclude(first, { name: "größe \"1\".png", contentType: "image/png", userId: 7000000000001 })
      for (const file of [first!, second!]) {
        const chunks = yield* Stream.runCollect(Attachments.streamAttachment({ ...file }))
        assert.deepStrictEqual(new Uint8Array(Buffer.concat(chunks)), content)
      }
      const { attachmentId } = posted.attachments.find(UndecodableItem.isDecoded)!
      assert.include(attachmentId, "%")
      assert.strictEqual(
        yield* Attachments.getAttachment({ streamId, messageId: posted.messageId, attachmentId }),
        Buffer.from(content).toString("base64")
      )
      assert.include(yield* Attachments.attachmentTypes, ".png")
    }).pipe(Effect.provide(emulated())))

  it.effect("of a stream are listed once each", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada")
      for (let message = 0; message < 30; message++) {
        yield* emulator.use(({ send }) =>
          send({
            streamId,
            username: "ada",
            message: "f",
            attachments: Array.from(
              { length: 7 },
              (_, file) => ({ name: `${message}.${file}`, content: new Uint8Array() })
            )
          })
        )
        if (message % 3 === 2) yield* tick
      }
      const all = yield* Stream.runCollect(Attachments.streamAttachments({ streamId }))
      assert.strictEqual(new Set(all.filter(UndecodableItem.isDecoded).map(({ name }) => name)).size, 210)
      assert.strictEqual(all.length, 210)
      assert.strictEqual((yield* requests("attachments")).length, 3)
    }).pipe(Effect.provide(emulated())))
})

describe("MessageStatus at the emulator", () => {
  it.effect("reads status, receipts and relationships of a message", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada", "bob")
      const { messageId } = yield* Messages.send({ streamId, message: "a" })
      yield* tick
      yield* emulator.use(({ receive }) => receive({ messageId, username: "ada", kind: "read" }))
      const answer = yield* emulator.use(({ send }) =>
        send({ streamId, username: "ada", message: "yes", parent: { messageId, type: "REPLY" } })
      )
      const { author, read, sent } = yield* MessageStatus.status({ messageId: Ids.toStandard(messageId) })
      assert.strictEqual(author?.username, "bot")
      assert.deepStrictEqual(
        read.filter(UndecodableItem.isDecoded).map(({ userId, timestamp }) => [userId, timestamp]),
        [
          [7000000000002, yield* DateTime.now]
        ]
      )
      assert.deepStrictEqual(sent.filter(UndecodableItem.isDecoded).map(({ username }) => username), ["bob"])
      const page = yield* MessageStatus.receipts({ messageId })
      assert.deepInclude(page, { readCount: 1 })
      assert.notProperty(page, "onBehalfOfUser")
      const receipts = yield* Stream.runCollect(MessageStatus.streamReceipts({ messageId }))
      assert.deepStrictEqual(receipts.filter(UndecodableItem.isDecoded).map(({ user }) => user?.username), [
        "ada",
        "bob"
      ])
      const { replies } = yield* MessageStatus.relationships({ messageId })
      assert.deepStrictEqual(replies, [answer])
    }).pipe(Effect.provide(emulated({ receiptsPageSize: 1 }))))
})

describe("sessions at the emulator", () => {
  it.effect("on behalf of a user send as that user, without a key manager token", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada")
      const ada = Session.layerOnBehalfOf({ username: "ada" })
      const posted = yield* Messages.send({ streamId, message: "a" }).pipe(Effect.provide(ada))
      assert.strictEqual(posted.user?.username, "ada")
      const [request] = yield* requests("send")
      assert.notProperty(request?.headers, "keymanagertoken")
      yield* Messages.get({ messageId: posted.messageId })
    }).pipe(Effect.provide(emulated())))

  it.effect("that expired are renewed, and a message with files is posted once", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada")
      yield* Messages.send({ streamId, message: "a" })
      yield* emulator.use(({ expireSessions }) => expireSessions())
      yield* Messages.send({ streamId, message: "b", attachments: [{ name: "f", content: "c" }] })
      assert.deepStrictEqual((yield* stored(streamId)).map(({ attachments, text }) => [text, attachments.length]), [
        ["a", 0],
        ["b", 1]
      ])
    }).pipe(Effect.provide(emulated())))

  it.effect("fail with Blocked when a compliance rule blocks the message", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada")
      yield* emulator.use(({ block }) => block(["secret"]))
      const error = yield* Effect.flip(Messages.send({ streamId, message: "a secret" }))
      assert.strictEqual(tagOf(error), "Blocked")
      assert.deepStrictEqual(yield* stored(streamId), [])
    }).pipe(Effect.provide(emulated())))
})
