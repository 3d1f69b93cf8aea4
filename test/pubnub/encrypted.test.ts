/** What is published with an encryption, and what readers make of encrypted, plain and unreadable messages. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  Encryption,
  History,
  Publish,
  Publisher,
  Push,
  PushDevice,
  PushPayload,
  Subscribe,
  type SubscribeEvent,
  Subscriber
} from "effect-herald/pubnub"
import { PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { emulated, requestsTo } from "../kit/emulated.ts"
import { payloads, tags } from "../kit/events.ts"
import { numbers } from "../kit/numbers.ts"
import { watched } from "../kit/watched.ts"

const emulator = PubNubEmulator.PubNubEmulator

const world = Layer.mergeAll(Subscriber.layer(), Publisher.layer()).pipe(Layer.provideMerge(emulated()))

const key = Redacted.make("myCipherKey")
const other = Redacted.make("testKey")

/** `"hi"` with the key, and with the other one. */
const hi = "UE5FRAFBQ1JIEAABAgMEBQYHCAkKCwwNDg+6at8MF2XxYwbMg2Wu5D9P"
const ofOther = "UE5FRAFBQ1JIEAABAgMEBQYHCAkKCwwNDg/8YlOjngezdayNmtNLJIUY"

const apns = PushDevice.apns({ token: "ab", topic: "com.example.app", environment: "production" })

const emit = (...messages: ReadonlyArray<unknown>) =>
  emulator.use((service) => service.publishAll(messages.map((message) => ({ channel: "a", message }))))

const brief = (event: SubscribeEvent.SubscribeEvent | History.Stored) => {
  switch (event._tag) {
    case "Message":
    case "StoredMessage":
      return [event.payload, event.encrypted]
    case "Undecodable":
    case "StoredUndecodable":
      return [event.raw, event.reason]
    default:
      return event._tag
  }
}

const mixed = [hi, "plain", { n: 1 }, ofOther, null]
const accepted = [["hi", true], ["plain", false], [{ n: 1 }, false], [ofOther, "Undecryptable"], [null, false]]
const rejected = [
  ["hi", true],
  ["plain", "NotEncrypted"],
  [{ n: 1 }, "NotEncrypted"],
  [ofOther, "Undecryptable"],
  [null, "NotEncrypted"]
]

const stored = Effect.map(History.list({ channel: "a" }), ({ items }) => items)

describe("publish with encryption", () => {
  it.effect("sends ciphertext by GET, by POST, as fire and through Publisher, and readers with the key get the message", () =>
    Effect.gen(function*() {
      const encryption = Encryption.layer({ key })
      const message = { text: "hello" }
      yield* Effect.gen(function*() {
        yield* Publish.publish({ channel: "a", message })
        yield* Publish.publish({ channel: "a", message, method: "POST", meta: { level: 1 } })
        yield* Publish.publish({ channel: "a", message: 7, schema: Schema.FiniteFromString })
        yield* Publisher.publish({ channel: "a", message })
        yield* Publish.fire({ channel: "a", message })
      }).pipe(Effect.provide(encryption), Effect.timeout("1 minute"))
      const sent = yield* stored
      assert.lengthOf(sent, 4)
      for (const entry of sent) assert.match(JSON.stringify(entry), /"payload":"UE5FRAFBQ1JIE/)
      for (const { target } of yield* requestsTo("/publish")) assert.notInclude(target, "hello")
      const read = yield* Effect.provide(stored, encryption)
      assert.deepStrictEqual(read.map(brief), [[message, true], [message, true], ["7", true], [message, true]])
    }).pipe(Effect.provide(world)))

  it.effect("leaves the parts for push services readable, and readers get the message", () =>
    Effect.gen(function*() {
      const push = yield* PushPayload.make({ title: "Ada wrote", fcm: {}, apns: { topics: [apns] } })
      for (const device of [apns, PushDevice.fcm("f1")]) yield* Push.addChannels({ device, channels: ["a"] })
      yield* Publish.publish({ channel: "a", message: "hello", push })
      assert.deepStrictEqual((yield* emulator.use(({ pushes }) => pushes)).map(({ payload }) => payload), [
        { aps: { alert: { title: "Ada wrote" } } },
        { notification: { title: "Ada wrote" } }
      ])
      const [sent] = yield* Effect.provideService(stored, Encryption.Encryption, undefined)
      const payload = Object(sent?._tag === "StoredMessage" && sent.payload)
      assert.deepStrictEqual<unknown>(payload["pn_apns"], push.pn_apns)
      assert.match(payload["pn_other"], /^"UE5FRAFBQ1JIE.*"$/)
      assert.deepStrictEqual((yield* stored).map(brief), [["hello", true]])
    }).pipe(Effect.provide(Layer.merge(world, Encryption.layer({ key })))))

  it.effect("checks the size of the ciphertext, which size gives", () =>
    Effect.gen(function*() {
      const message = "x".repeat(30)
      const size = yield* Publish.size({ channel: "a", message })
      // The channel, two quotes, and the ciphertext.
      assert.strictEqual(size, 1 + "%22".length * 2 + 100 + 2 * (yield* escapes(message)))
      const { limit, size: tooLarge } = yield* Effect.flip(Publish.publish({ channel: "a", message })).pipe(
        Effect.filterOrElse((error) => error._tag === "MessageTooLarge", Effect.die)
      )
      assert.isAbove(tooLarge, limit)
    }).pipe(
      Effect.provideService(Encryption.Encryption, fake),
      Effect.provide(emulated({ config: { maxMessageSize: 100 } }))
    ))

  it.effect("refuses signals where plain is reject, and sends them in clear otherwise", () =>
    Effect.gen(function*() {
      const signal = Publish.signal({ channel: "a", message: "typing" })
      const refused = yield* Effect.flip(Effect.provide(signal, Encryption.layer({ key, plain: "reject" })))
      assert.include(refused.message, "message cannot be sent as a signal")
      assert.deepStrictEqual(yield* requestsTo("/signal"), [])
      yield* Effect.provide(signal, Encryption.layer({ key }))
      const [request] = yield* requestsTo("/signal")
      assert.include(request?.target, "%22typing%22")
    }).pipe(Effect.provide(world)))
})

/** An encryption that is finished at once. */
const fake: Encryption.Encryption = {
  plain: "accept",
  seal: (text) => Effect.succeed(`"${btoa(text).padEnd(100, "A")}"`),
  openAll: (payloads) => Effect.succeed(payloads.map(() => ({ _tag: "Plain" }))),
  encryptBytes: (bytes) => bytes,
  decryptBytes: (bytes) => bytes,
  encryptedSize: (bytes) => bytes
}

/** How many letters of a ciphertext take three characters in an address. */
const escapes = (message: string) =>
  Effect.map(fake.seal(JSON.stringify(message)), (sealed) => sealed.replaceAll(/[^+/=]/g, "").length)

describe("history with encryption", () => {
  it.effect("says of each entry what it was, in its place, in every call", () =>
    Effect.gen(function*() {
      yield* emit(...mixed)
      const all = Effect.gen(function*() {
        const list = yield* stored
        const pages = yield* History.listByChannel({ channels: ["a", "b"] })
        const newest = yield* Stream.runCollect(History.stream({ channel: "a", pageSize: 2 }))
        const oldest = yield* Stream.runCollect(History.stream({ channel: "a", pageSize: 2, order: "oldestFirst" }))
        return [list, pages.get("a")?.items ?? [], newest.toReversed(), oldest].map((items) => items.map(brief))
      })
      for (const [plain, expected] of [["accept", accepted], ["reject", rejected]] as const) {
        for (const read of yield* Effect.provide(all, Encryption.layer({ key, plain }))) {
          assert.deepStrictEqual(read, expected)
        }
      }
      const [first] = yield* stored
      assert.notProperty(first, "encrypted")
    }).pipe(Effect.provide(world)))

  it.effect("decodes what was decrypted with the schema of the reader", () =>
    Effect.gen(function*() {
      yield* emit(hi, "x", ofOther)
      const { items } = yield* History.list({ channel: "a", schema: Schema.Literal("hi") })
      assert.deepStrictEqual(tags(items), ["StoredMessage", "StoredUndecodable", "StoredUndecodable"])
      assert.notProperty(items[1], "reason")
      assert.propertyVal(items[2], "reason", "Undecryptable")
    }).pipe(Effect.provide(Layer.merge(world, Encryption.layer({ key })))))
})

describe("subscribe with encryption", () => {
  const collected = <E, R>(stream: Stream.Stream<SubscribeEvent.SubscribeEvent, E, R>) =>
    Effect.gen(function*() {
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      const fiber = yield* Effect.forkChild(Stream.runForEach(stream, (event) => Effect.sync(() => seen.push(event))))
      return { seen, fiber }
    })

  const events = (seen: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
    seen.map(brief).filter((one) => typeof one !== "string")

  it.effect("says of each message what it was, in its place, and two encryptions over one Subscriber do not mix", () =>
    Effect.gen(function*() {
      const { advance, service } = yield* watched({ key })
      const strict = yield* watched({ keys: [other, key], plain: "reject" })
      const read = Subscribe.stream({ channels: ["a"] })
      const own = yield* Effect.provideService(collected(Stream.orDie(read)), Encryption.Encryption, service)
      const second = yield* Effect.provideService(collected(Stream.orDie(read)), Encryption.Encryption, strict.service)
      const none = yield* collected(Stream.orDie(read))
      yield* advance(1)
      yield* emit(...mixed)
      yield* advance(1)
      yield* strict.advance(1)
      assert.deepStrictEqual(events(own.seen), accepted)
      assert.deepStrictEqual(events(second.seen), [
        ["hi", true],
        ["plain", "NotEncrypted"],
        [{ n: 1 }, "NotEncrypted"],
        ["hi", true],
        [null, "NotEncrypted"]
      ])
      assert.deepStrictEqual(payloads(none.seen), mixed)
    }).pipe(Effect.provide(world)))

  it.effect("decrypts what a gap and a restart read from history", () =>
    Effect.gen(function*() {
      const { advance, service } = yield* watched({ key })
      yield* Effect.gen(function*() {
        const { seen } = yield* collected(Stream.orDie(Subscribe.stream({ channels: ["a", "b"] })))
        yield* advance(1)
        // More than the service keeps for a reader.
        yield* emit(...numbers(150).flatMap((n) => n % 50 === 7 ? [ofOther] : [hi]))
        yield* advance(20)
        const found = events(seen)
        assert.lengthOf(found, 150)
        assert.lengthOf(found.filter(([, reason]) => reason === "Undecryptable"), 3)
        assert.deepStrictEqual(found[0], ["hi", true])
        const first = seen.find(({ _tag }) => _tag === "Message")
        if (first?._tag !== "Message") return assert.fail("there is a message")
        const again = yield* collected(Stream.orDie(Subscribe.stream({ channels: ["a"], from: first.cursor })))
        yield* advance(20)
        assert.deepStrictEqual(events(again.seen), found.slice(1))
      }).pipe(Effect.provideService(Encryption.Encryption, service))
    }).pipe(Effect.provide(emulated())))

  it.effect("gives a full reader the unreadable messages that it missed", () =>
    Effect.gen(function*() {
      const { advance, service } = yield* watched({ key })
      yield* Effect.gen(function*() {
        const { fiber, seen } = yield* collected(
          Subscribe.stream({ channels: ["a"], capacity: 3 }).pipe(
            Stream.mapEffect((event) => Effect.as(Effect.sleep(event._tag === "Message" ? "1 second" : 0), event)),
            Stream.orDie
          )
        )
        yield* advance(1)
        yield* emit(...numbers(30).map((n) => n % 3 === 0 ? hi : ofOther))
        yield* advance(90)
        assert.deepStrictEqual(tags(seen).filter((tag) => tag.startsWith("Gap")), [])
        assert.lengthOf(events(seen), 30)
        yield* Fiber.interrupt(fiber)
      }).pipe(Effect.provideService(Encryption.Encryption, service))
    }).pipe(Effect.provide(world)))

  it.effect("decrypts what was shared with a file, and leaves signals and the rest as they are", () =>
    Effect.gen(function*() {
      const { advance, service } = yield* watched({ key })
      yield* Effect.gen(function*() {
        const { seen } = yield* collected(Stream.orDie(Subscribe.stream({ channels: ["a"] })))
        yield* advance(1)
        const { emit } = yield* emulator
        const payload = JSON.parse(yield* service.seal(JSON.stringify({ message: 1, file: { id: "f", name: "cat" } })))
        yield* emit({ channel: "a", kind: "File", payload, store: true })
        yield* emit({ channel: "a", kind: "Signal", payload: hi })
        yield* emit({ channel: "a", kind: "File", payload: { file: { id: "g", name: "dog" } }, store: true })
        yield* advance(2)
        const [, file, signal, plain] = seen
        assert.deepInclude(file, { _tag: "FileShared", file: { id: "f", name: "cat" }, payload: 1, encrypted: true })
        assert.deepInclude(signal, { _tag: "Signal", payload: hi })
        assert.notProperty(signal, "encrypted")
        assert.deepInclude(plain, { _tag: "FileShared", file: { id: "g", name: "dog" }, encrypted: false })
        const [first] = yield* stored
        assert.deepInclude(first, { _tag: "StoredFile", file: { id: "f", name: "cat" }, payload: 1, encrypted: true })
      }).pipe(Effect.provideService(Encryption.Encryption, service))
    }).pipe(Effect.provide(world)))

  it.effect("loses nothing when a poll is cut while its messages are decrypted", () =>
    Effect.gen(function*() {
      let calls = 0
      const slow: Encryption.Encryption = {
        ...fake,
        openAll: (payloads) => calls++ === 0 ? Effect.never : fake.openAll(payloads)
      }
      yield* Effect.gen(function*() {
        const first = yield* collected(Stream.orDie(Subscribe.stream({ channels: ["a"] })))
        yield* VirtualTime.advance("1 second")
        yield* emit(1, 2)
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(payloads(first.seen), [])
        assert.strictEqual(calls, 1)
        // Other names cut the poll.
        yield* collected(Stream.orDie(Subscribe.stream({ channels: ["b"] })))
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(first.seen), [1, 2])
      }).pipe(Effect.provideService(Encryption.Encryption, slow))
    }).pipe(Effect.provide(world)))
})
