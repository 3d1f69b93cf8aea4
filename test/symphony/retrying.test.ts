/** What is sent again, when, with which bytes and by whose login: what a mock without state cannot show. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import {
  Attachment,
  Attachments,
  Messages,
  MessageSearch,
  type PostedMessage,
  SymphonyError
} from "effect-herald/symphony"
import { Faults, VirtualTime } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import { failNext } from "../kit/failNext.ts"
import { decoded } from "../kit/decoded.ts"
import { emulated, emulator, loginsOf, sentTo } from "./emulated.ts"

const { Fault } = Faults

const room = emulator.use(({ createStream }) => createStream({ type: "ROOM", name: "Orders", members: ["bot", "ada"] }))

const stored = (streamId: string) => emulator.use(({ messages }) => messages({ streamId }))

const texts = (streamId: string) => Effect.map(stored(streamId), (messages) => messages.map(({ text }) => text))

/** Moves time until it is at its end. */
const ended = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) yield* VirtualTime.advance("1 minute")
    return yield* Fiber.await(fiber)
  })

const run = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => Effect.flatten(ended(effect))

const timesOf = (path: RegExp) => Effect.map(sentTo(path), (sent) => sent.map(({ time }) => time))

const bytesOf = (text: string) => new TextEncoder().encode(text)

const create = /\/message\/create$/
const search = /\/message\/search$/

const busy = (retryAfter: number) =>
  failNext({ on: "send", status: 429, headers: { "retry-after": String(retryAfter) } })

const expire = emulator.use(({ expireSessions }) => expireSessions())

/** Refused as long as it lasts. */
const refused = (on: Faults.Kind) => ({
  on,
  fault: Fault.ConnectionRefused(),
  times: Number.POSITIVE_INFINITY
})

describe("a session that expired", () => {
  it.effect("is renewed by one login for 200 concurrent sends, each of which is posted once", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* run(Messages.send({ streamId, message: "first" }))
      yield* expire
      const messages = Array.from({ length: 200 }, (_, index) => `message ${index}`)
      yield* run(
        Effect.forEach(messages, (message) => Messages.send({ streamId, message }), { concurrency: "unbounded" })
      )
      assert.sameMembers(yield* texts(streamId), ["first", ...messages])
      assert.deepStrictEqual(yield* loginsOf("bot"), { session: 2, keyManager: 2 })
      // With the tokens that were refused, and once more with the others.
      const tokens = (yield* sentTo(create)).slice(1).map(({ sessionToken }) => sessionToken)
      assert.lengthOf(tokens, 400)
      assert.lengthOf(new Set(tokens.slice(0, 200)), 1)
      assert.lengthOf(new Set(tokens.slice(200)), 1)
      assert.notStrictEqual(tokens[0], tokens[399])
    }).pipe(Effect.provide(emulated())))

  it.effect("is renewed by one login for 200 sends that are answered at different times", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* run(Messages.send({ streamId, message: "first" }))
      yield* expire
      yield* run(
        Effect.forEach(
          Array.from({ length: 200 }, (_, index) => index),
          (index) => Effect.delay(Messages.send({ streamId, message: `message ${index}` }), Duration.millis(index * 7)),
          { concurrency: "unbounded" }
        )
      )
      assert.lengthOf(new Set(yield* texts(streamId)), 201)
      assert.lengthOf(yield* texts(streamId), 201)
      assert.deepStrictEqual(yield* loginsOf("bot"), { session: 2, keyManager: 2 })
    }).pipe(Effect.provide(emulated({ emulator: { latency: Effect.succeed("300 millis") } }))))

  it.effect("is renewed during a paged search without losing a message", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      for (let number = 1; number <= 7; number++) {
        yield* emulator.use(({ send }) => send({ streamId, username: "ada", message: `message ${number}` }))
      }
      let given = 0
      const found = yield* run(
        MessageSearch.streamSearch({ query: { streamId }, order: "oldestFirst", pageSize: 2 }).pipe(
          // In the second page and in the last one.
          Stream.tap(() => ++given === 3 || given === 6 ? expire : Effect.void),
          Stream.runCollect
        )
      )
      assert.deepStrictEqual(
        decoded(found).map(({ messageId }) => messageId),
        (yield* stored(streamId)).map(({ messageId }) => messageId)
      )
      assert.deepStrictEqual(
        (yield* sentTo(search)).map(({ query }) => new URLSearchParams(query).get("skip")),
        ["0", "2", "4", "4", "6", "6"]
      )
      assert.deepStrictEqual(yield* loginsOf("bot"), { session: 3, keyManager: 3 })
    }).pipe(Effect.provide(emulated())))

  it.effect.each([1, 2])(
    "is renewed within an attempt: maxAttempts of %i are enough",
    (maxAttempts) =>
      Effect.gen(function*() {
        const streamId = yield* room
        yield* run(Messages.send({ streamId, message: "first" }))
        yield* expire
        yield* run(Messages.send({ streamId, message: "second" }))
        yield* expire
        yield* run(Messages.list({ streamId }))
        assert.deepStrictEqual(yield* texts(streamId), ["first", "second"])
        assert.deepStrictEqual(yield* loginsOf("bot"), { session: 3, keyManager: 3 })
      }).pipe(Effect.provide(emulated({ config: { retry: { maxAttempts } } })))
  )

  it.effect("uses up the attempts when the renewed sessions are refused too", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* run(Messages.send({ streamId, message: "first" }))
      yield* failNext({ on: "send", status: 401, times: 100 })
      const error = yield* Effect.flip(run(Messages.send({ streamId, message: "second" })))
      assert.instanceOf(error, SymphonyError.SymphonyError)
      assert.strictEqual(error.reason._tag, "Unauthorized")
      assert.lengthOf(yield* sentTo(create), 1 + 4)
    }).pipe(Effect.provide(emulated({ config: { retry: { maxAttempts: 3 } } }))))

  it.effect("is renewed twice when the renewed session is refused too", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* run(Messages.send({ streamId, message: "first" }))
      yield* failNext({ on: "send", status: 401, times: 2 })
      yield* run(Messages.send({ streamId, message: "second" }))
      assert.deepStrictEqual(yield* texts(streamId), ["first", "second"])
    }).pipe(Effect.provide(emulated())))

  it.effect("is renewed for the next request when a stream of Attachment.once was read", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* run(Messages.send({ streamId, message: "first" }))
      yield* expire
      const content = Attachment.once(Stream.succeed(bytesOf("a")))
      const error = yield* Effect.flip(
        run(Messages.send({ streamId, message: "second", attachments: [{ name: "a", content }] }))
      )
      assert.instanceOf(error, Attachment.AttachmentFailed)
      yield* run(Messages.send({ streamId, message: "third" }))
      assert.lengthOf(yield* sentTo(create), 3)
    }).pipe(Effect.provide(emulated({ config: { retry: { maxAttempts: 1 } } }))))
})

describe("a message that is sent again", () => {
  const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 255])
  const files = (): ReadonlyArray<Attachment.Attachment> => [
    { name: "übersicht \"1\".csv", content: "a;b\r\n1;2", preview: { content: png, name: "klein.png" } },
    { name: "photo.png", content: png, preview: { content: "small", contentType: "image/png" } },
    { name: "no ending", content: new Blob([png], { type: "image/x-own" }), preview: { content: new Blob(["b"]) } },
    {
      name: "streamed.bin",
      content: Stream.fromIterable([png.slice(0, 3), png.slice(3)]),
      preview: { content: Stream.empty }
    }
  ]

  it.effect.each([false, true])(
    "has the same bytes each time; with a stream: %s",
    (isStreamed) =>
      Effect.gen(function*() {
        const streamId = yield* room
        const attachments = files().filter(({ name }) => name !== "streamed.bin" || isStreamed)
        yield* run(Messages.send({ streamId, message: "first" }))
        yield* expire
        yield* busy(1)
        yield* run(Messages.send({ streamId, message: "Hello", data: { a: 1 }, version: "2.0", attachments }))
        const attempts = (yield* sentTo(create)).slice(1)
        // 429, 401, and taken.
        assert.lengthOf(attempts, 3)
        for (const attempt of attempts) {
          assert.strictEqual(attempt.isStreamed, isStreamed)
          assert.deepStrictEqual(attempt.bytes, attempts[0]!.bytes)
          assert.strictEqual(attempt.contentType, attempts[0]!.contentType)
        }
        assert.isAbove(attempts[0]!.bytes.length, 500)
        assert.lengthOf(new Set(attempts.map(({ sessionToken }) => sessionToken)), 2)
        const [, message] = yield* stored(streamId)
        assert.deepStrictEqual(
          message!.attachments.map(({ content, name, preview }) => [name, content, preview]),
          [
            ["übersicht \"1\".csv", bytesOf("a;b\r\n1;2"), png],
            ["photo.png", png, bytesOf("small")],
            ["no ending", png, bytesOf("b")],
            ["streamed.bin", png, new Uint8Array()]
          ].slice(0, attachments.length)
        )
      }).pipe(Effect.provide(emulated()))
  )

  it.effect("has its text parts first, and each file before its preview", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* busy(1)
      const { messageId } = yield* run(
        Messages.send({ streamId, message: "Hello", data: { a: 1 }, version: "2.0", attachments: files() })
      )
      const parts = Effect.map(
        emulator.use(({ parts }) => parts),
        (parts) => parts.map(({ contentType, filename, name }) => [name, filename, contentType])
      )
      assert.deepStrictEqual(yield* parts, [
        ["message", undefined, "text/plain"],
        ["data", undefined, "text/plain"],
        ["version", undefined, "text/plain"],
        ["attachment", "übersicht \"1\".csv", "text/csv"],
        ["preview", "klein.png", "image/png"],
        ["attachment", "photo.png", "image/png"],
        ["preview", "preview-photo.png", "image/png"],
        ["attachment", "no ending", "image/x-own"],
        ["preview", "preview-no ending", "application/octet-stream"],
        ["attachment", "streamed.bin", "application/octet-stream"],
        ["preview", "preview-streamed.bin", "application/octet-stream"]
      ])
      yield* run(Messages.update({ streamId, messageId, message: { content: "New", version: "2.0" } }))
      assert.deepStrictEqual(Array.from(yield* parts, ([name]) => name), ["message", "version", "silent"])
      yield* run(Messages.blast({ streamIds: [streamId], message: "All", attachments: files().slice(0, 1) }))
      assert.deepStrictEqual(
        Array.from(yield* parts, ([name]) => name),
        ["message", "sids", "attachment", "preview"]
      )
    }).pipe(Effect.provide(emulated())))

  it.effect("has file ids that are percent-encoded once more when they are requested", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const posted: PostedMessage.PostedMessage = yield* run(Messages.send({
        streamId,
        message: "Files",
        attachments: [{ name: "a.bin", content: png }, { name: "b.txt", content: "text" }]
      }))
      const [first, second] = posted.attachments.filter(UndecodableItem.isDecoded).map(({ attachmentId }) => ({
        streamId,
        messageId: posted.messageId,
        attachmentId
      }))
      assert.match(first!.attachmentId, /^internal_\d+%2F.*%3D$/)
      yield* expire
      assert.strictEqual(yield* run(Attachments.getAttachment(first!)), Buffer.from(png).toString("base64"))
      const pieces = yield* run(Stream.runCollect(Attachments.streamAttachment(second!)))
      assert.strictEqual(Buffer.concat([...pieces]).toString(), "text")
      const [request] = yield* sentTo(/\/attachment$/)
      assert.include(request!.query, "%252F")
      assert.strictEqual(new URLSearchParams(request!.query).get("fileId"), first!.attachmentId)
      const listed = yield* run(Attachments.listAttachments({ streamId }))
      assert.sameMembers(listed.filter(UndecodableItem.isDecoded).map(({ attachmentId }) => attachmentId), [
        first!.attachmentId,
        second!.attachmentId
      ])
    }).pipe(Effect.provide(emulated())))

  const once = () => {
    let reads = 0
    const content = Attachment.once(Stream.suspend(() => {
      reads++
      return Stream.succeed(bytesOf("only once"))
    }))
    return { reads: () => reads, attachments: [{ name: "upload.bin", content }] }
  }

  it.effect("fails when its stream of Attachment.once was read", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { attachments, reads } = once()
      yield* busy(1)
      const error = yield* Effect.flip(run(Messages.send({ streamId, message: "Hello", attachments })))
      assert.instanceOf(error, Attachment.AttachmentFailed)
      assert.instanceOf(error.cause, Attachment.AttachmentSpent)
      assert.strictEqual(error.cause.error.reason._tag, "RateLimited")
      assert.strictEqual(reads(), 1)
      assert.deepStrictEqual(yield* texts(streamId), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("is posted when its stream of Attachment.once was not read", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { attachments, reads } = once()
      yield* run(Messages.send({ streamId, message: "Hello", attachments }))
      assert.strictEqual(reads(), 1)
      assert.lengthOf(yield* sentTo(create), 3)
      const [message] = yield* stored(streamId)
      assert.deepStrictEqual(message?.attachments[0]?.content, bytesOf("only once"))
    }).pipe(
      Effect.provide(emulated({ script: [{ on: "send", fault: Fault.ConnectionRefused(), times: 2 }] }))
    ))

  it.effect("has an unknown outcome when the first attempt may have been posted, with Attachment.once", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { attachments } = once()
      const error = yield* Effect.flip(
        run(Messages.send({ streamId, message: "Hello", attachments, resendUnknown: true }))
      )
      assert.instanceOf(error, Messages.MessageOutcomeUnknown)
      assert.deepStrictEqual(yield* texts(streamId), ["Hello"])
    }).pipe(Effect.provide(emulated({ script: [{ on: "send", fault: Fault.ResetBeforeAnswer() }] }))))
})

describe("a message that may have been posted", () => {
  const lost = { on: "send", fault: Fault.ResetBeforeAnswer() } as const

  it.effect("has an unknown outcome, and is not sent again", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const error = yield* Effect.flip(run(Messages.send({ streamId, message: "Hello" })))
      assert.instanceOf(error, Messages.MessageOutcomeUnknown)
      assert.deepStrictEqual(yield* texts(streamId), ["Hello"])
      assert.lengthOf(yield* sentTo(create), 1)
    }).pipe(Effect.provide(emulated({ script: [lost] }))))

  it.effect("is sent again with resendUnknown, and may be posted twice", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* run(Messages.send({ streamId, message: "Hello", resendUnknown: true }))
      assert.deepStrictEqual(yield* texts(streamId), ["Hello", "Hello"])
    }).pipe(Effect.provide(emulated({ script: [lost] }))))

  it.effect("has an unknown outcome when later attempts were certainly not sent", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const error = yield* Effect.flip(run(Messages.send({ streamId, message: "Hello", resendUnknown: true })))
      assert.instanceOf(error, Messages.MessageOutcomeUnknown)
      assert.deepInclude(error.reason, { _tag: "Transport", sent: true })
      assert.deepStrictEqual(yield* texts(streamId), ["Hello"])
    }).pipe(Effect.provide(emulated({ script: [lost, refused("send")] }))))

  it.effect("has an unknown outcome when a repeated update is refused", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { messageId } = yield* run(Messages.send({ streamId, message: "old" }))
      const error = yield* Effect.flip(
        run(Messages.update({ streamId, messageId, message: "new", resendUnknown: true }))
      )
      assert.instanceOf(error, Messages.MessageOutcomeUnknown)
      assert.deepStrictEqual(yield* texts(streamId), ["old", "new"])
    }).pipe(Effect.provide(emulated({ script: [{ on: "update", fault: Fault.ResetBeforeAnswer() }] }))))

  it.effect("has an unknown outcome when the login fails afterwards", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* run(Messages.send({ streamId, message: "first" }))
      yield* Faults.Faults.use(({ add }) => Effect.all([add(lost), add(refused("login"))]))
      const fiber = yield* Effect.forkChild(
        Effect.flip(Messages.send({ streamId, message: "second", resendUnknown: true }))
      )
      yield* VirtualTime.advance("100 millis")
      yield* expire
      const error = yield* run(Fiber.join(fiber))
      assert.instanceOf(error, Messages.MessageOutcomeUnknown)
      assert.deepStrictEqual(yield* texts(streamId), ["first", "second"])
    }).pipe(Effect.provide(emulated())))
})

describe("attempts of a request", () => {
  const failing = <A, E, R>(effect: Effect.Effect<A, E, R>) => run(Effect.flip(effect))

  /** The waits between the times, each not longer than its bound, and none shorter than half a second. */
  const areWithin = (times: ReadonlyArray<number>, bounds: ReadonlyArray<number>) => {
    const waits = times.slice(1).map((time, index) => time - times[index]!)
    assert.lengthOf(waits, bounds.length)
    for (const [index, wait] of waits.entries()) {
      assert.isAtLeast(wait, 500)
      assert.isAtMost(wait, bounds[index]!)
    }
  }

  it.effect("are ten by default, with exponential backoff from half a second", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const error = yield* failing(Messages.send({ streamId, message: "Hello" }))
      assert.instanceOf(error, SymphonyError.SymphonyError)
      assert.deepInclude(error.reason, { _tag: "Transport", sent: false })
      areWithin(yield* timesOf(create), [1, 2, 4, 8, 16, 32, 64, 128, 256].map((seconds) => seconds * 1_000))
      assert.deepStrictEqual(yield* texts(streamId), [])
    }).pipe(Effect.provide(emulated({ script: [refused("send")] }))))

  it.effect("follow the retry settings of the configuration", () =>
    Effect.gen(function*() {
      yield* failing(Messages.send({ streamId: yield* room, message: "Hello" }))
      assert.deepStrictEqual(yield* timesOf(create), [0, 3_000, 6_000, 9_000, 12_000])
    }).pipe(Effect.provide(emulated({
      script: [refused("send")],
      config: { retry: { maxAttempts: 5, base: "3 seconds", factor: 2, cap: "3 seconds" } }
    }))))

  it.effect("follow a retry schedule of the configuration", () =>
    Effect.gen(function*() {
      yield* failing(Messages.send({ streamId: yield* room, message: "Hello" }))
      assert.deepStrictEqual(yield* timesOf(create), [0, 3_000, 6_000, 9_000])
    }).pipe(Effect.provide(emulated({
      script: [refused("send")],
      config: { retry: Schedule.spaced("3 seconds").pipe(Schedule.upTo({ times: 3 })) }
    }))))

  it.effect("wait as long as Retry-After asks, and at least as long as the schedule", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* busy(40)
      yield* busy(0)
      yield* busy(7)
      yield* run(Messages.send({ streamId, message: "Hello" }))
      const times = yield* timesOf(create)
      assert.deepStrictEqual([times[1], times[3]! - times[2]!], [40_000, 7_000])
      assert.isAtLeast(times[2]!, 40_500)
      assert.deepStrictEqual(yield* texts(streamId), ["Hello"])
    }).pipe(Effect.provide(emulated())))

  it.effect("wait until the date in Retry-After", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* failNext({ on: "send", status: 429, headers: { "retry-after": "Mon, 21 Sep 2026 14:13:42 GMT" } })
      yield* run(Messages.send({ streamId, message: "Hello" }))
      assert.deepStrictEqual(yield* timesOf(create), [0, 22_000])
    }).pipe(Effect.provide(emulated())))

  it.effect("wait five minutes at most, whatever Retry-After asks", () =>
    Effect.gen(function*() {
      yield* busy(86_400)
      yield* run(Messages.send({ streamId: yield* room, message: "Hello" }))
      assert.deepStrictEqual(yield* timesOf(create), [0, 300_000])
    }).pipe(Effect.provide(emulated())))

  it.effect("to read wait for the Retry-After of a gateway too", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* failNext({ on: "search", status: 503, body: "<html>", headers: { "retry-after": "9" }, times: 2 })
      yield* run(MessageSearch.search({ query: { streamId } }))
      assert.deepStrictEqual(yield* timesOf(search), [0, 9_000, 18_000])
    }).pipe(Effect.provide(emulated())))

  it.effect("end after requestTimeout, and the next begins", () =>
    Effect.gen(function*() {
      yield* run(MessageSearch.search({ query: { streamId: yield* room } }))
      areWithin(yield* timesOf(search), [11_000, 12_000])
    }).pipe(Effect.provide(emulated({
      script: [{ on: "search", fault: Fault.HalfOpen() }, { on: "search", fault: Fault.Slow({ by: "1 minute" }) }],
      config: { requestTimeout: "10 seconds" }
    }))))
})

describe("a list that grows while it is read", () => {
  it.effect.each([1, 2, 500])(
    "returns each message once, %i a page",
    (pageSize) =>
      Effect.gen(function*() {
        const streamId = yield* room
        const say = (message: string) => emulator.use(({ send }) => send({ streamId, username: "ada", message }))
        const first = yield* say("first")
        let given = 0
        const found = yield* run(
          Messages.stream({ streamId, pageSize }).pipe(
            // More than there are on a page, in front of the first.
            Stream.tap(() =>
              given++ === 0 ? Effect.replicateEffect(Effect.delay(say("later"), "1 second"), 3) : Effect.void
            ),
            Stream.runCollect
          )
        )
        const ids = decoded(found).map(({ messageId }) => messageId)
        assert.strictEqual(ids[0], first)
        assert.lengthOf(new Set(ids), ids.length)
      }).pipe(Effect.provide(emulated()))
  )
})
