import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import {
  counts,
  deleteMessages,
  enc,
  get,
  handshake,
  history,
  historyWithActions,
  legacyHistory,
  poll,
  post,
  publish,
  signal
} from "./http.ts"

const emulated = (options?: PubNubEmulator.Options) => Effect.provide(PubNubEmulator.layer(options))

const emulator = PubNubEmulator.PubNubEmulator

const Answer = Schema.fromJsonString(Schema.Struct({
  channels: Schema.Record(
    Schema.String,
    Schema.Array(Schema.Struct({ message: Schema.Unknown, timetoken: Schema.String }))
  )
}))

/** The messages of one channel. */
const fetch = (channel: string, parameters: Readonly<Record<string, string | number>> = {}) =>
  history(channel, { encode_channels: "false", ...parameters }).pipe(
    Effect.flatMap(({ text }) => Schema.decodeEffect(Answer)(text)),
    Effect.map(({ channels }) => channels[channel] ?? [])
  )

const payloads = (channel: string, parameters: Readonly<Record<string, string | number>> = {}) =>
  Effect.map(fetch(channel, parameters), (messages) => messages.map(({ message }) => message))

/** Numbers from 0 on, one message each: their timetokens are 17000000000000000 and so on. */
const fill = (channel: string, count: number) =>
  emulator.use(({ publishAll }) =>
    publishAll(Array.from({ length: count }, (_, index) => ({ channel, message: index })))
  )

const at = (index: number) => String(17_000_000_000_000_000n + BigInt(index))

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

describe("fetching history", () => {
  it.effect("answers in the form of the service, with payloads as they were sent", () =>
    Effect.gen(function*() {
      const text = "{\"id\":12345678901234567890}"
      yield* post(
        `/publish/demo-pub/demo-sub/0/a/0?uuid=you&meta=${enc("{\"vip\":true}")}&custom_message_type=order`,
        text
      )
      yield* publish("a", "plain")
      assert.strictEqual(
        (yield* history("a")).text,
        "{\"status\":200,\"error\":false,\"error_message\":\"\",\"channels\":{\"a\":[" +
          `{"message":${text},"timetoken":"${at(0)}"},{"message":"plain","timetoken":"${at(1)}"}]}}`
      )
      const flags = ["include_meta", "include_uuid", "include_message_type", "include_custom_message_type"]
      for (const [yes, no] of [["true", "false"], ["1", "0"]] as const) {
        assert.strictEqual(
          (yield* history("a", Object.fromEntries(flags.map((flag) => [flag, yes])))).text,
          "{\"status\":200,\"error\":false,\"error_message\":\"\",\"channels\":{\"a\":[" +
            `{"message":${text},"timetoken":"${at(0)}","meta":{"vip":true},"message_type":null,"uuid":"you",` +
            "\"custom_message_type\":\"order\"}," +
            `{"message":"plain","timetoken":"${at(1)}","meta":"","message_type":null,"uuid":"you"}]}}`
        )
        const without = yield* history("a", Object.fromEntries(flags.map((flag) => [flag, no])))
        assert.strictEqual(without.text, (yield* history("a")).text)
      }
    }).pipe(emulated()))

  it.effect("returns stored messages and files, but no signals and no messages with store=0", () =>
    Effect.gen(function*() {
      yield* publish("a", "unstored", { store: 0 })
      yield* signal("a", "typing")
      yield* publish("a", "stored", { store: 1 })
      yield* publish("a", "silent", { norep: "true" })
      yield* emulator.use(({ emit }) => emit({ channel: "a", kind: "File", payload: { file: 1 }, store: true }))
      yield* emulator.use(({ emit }) => emit({ channel: "a", kind: "AppContext", payload: "an object" }))
      assert.deepStrictEqual(yield* payloads("a"), ["stored", "silent", { file: 1 }])
      assert.include((yield* history("a", { include_message_type: 1 })).text, "\"message_type\":4")
    }).pipe(emulated()))

  it.effect("percent-encodes channel names in the answer, unless encode_channels is false", () =>
    Effect.gen(function*() {
      yield* publish("channel|encoded::1", 1)
      assert.include((yield* history("channel|encoded::1")).text, "{\"channel%7Cencoded%3A%3A1\":[")
      const plain = yield* history("channel|encoded::1", { encode_channels: "false" })
      assert.include(plain.text, "{\"channel|encoded::1\":[")
    }).pipe(emulated()))

  it.effect("leaves out channels without messages", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* history("a")).body, {
        status: 200,
        error: false,
        error_message: "",
        channels: {}
      })
      yield* publish("b", 1)
      assert.deepStrictEqual(yield* payloads("a,b"), [])
      assert.deepStrictEqual((yield* history("a,b")).body, {
        status: 200,
        error: false,
        error_message: "",
        channels: { b: [{ message: 1, timetoken: at(0) }] }
      })
    }).pipe(emulated()))

  it.effect("excludes the younger bound start, and includes the older bound end", () =>
    Effect.gen(function*() {
      yield* fill("a", 10)
      assert.deepStrictEqual(yield* payloads("a"), range(0, 10))
      assert.deepStrictEqual(yield* payloads("a", { start: at(4) }), range(0, 4))
      assert.deepStrictEqual(yield* payloads("a", { end: at(4) }), range(4, 10))
      assert.deepStrictEqual(yield* payloads("a", { start: at(7), end: at(3) }), range(3, 7))
      assert.deepStrictEqual(yield* payloads("a", { start: at(4), end: at(3) }), [3])
      assert.deepStrictEqual(yield* payloads("a", { start: at(4), end: at(4) }), [])
      assert.deepStrictEqual(yield* payloads("a", { start: at(3), end: at(7) }), [])
      assert.deepStrictEqual(yield* payloads("a", { start: at(99), end: 0 }), range(0, 10))
      assert.deepStrictEqual(yield* payloads("a", { start: at(0) }), [])
      assert.deepStrictEqual(yield* payloads("a", { end: at(10) }), [])
    }).pipe(emulated()))

  it.effect("returns the newest messages of a range, oldest first", () =>
    Effect.gen(function*() {
      yield* fill("a", 10)
      assert.deepStrictEqual(yield* payloads("a", { max: 3 }), [7, 8, 9])
      assert.deepStrictEqual(yield* payloads("a", { max: 3, start: at(5) }), [2, 3, 4])
      assert.deepStrictEqual(yield* payloads("a", { max: 3, end: at(5) }), [7, 8, 9])
      assert.deepStrictEqual(yield* payloads("a", { max: 3, start: at(9), end: at(7) }), [7, 8])
    }).pipe(emulated()))

  it.effect("returns at most 100 messages of one channel and 25 of several, also without max", () =>
    Effect.gen(function*() {
      yield* fill("a", 150)
      yield* fill("b", 30)
      for (const parameters of [{}, { max: 100 }, { max: 1000 }]) {
        assert.deepStrictEqual(yield* payloads("a", parameters), range(50, 150))
        const { text } = yield* history("a,b", parameters)
        const { channels } = yield* Schema.decodeEffect(Answer)(text)
        const found = Object.values(channels).map((page) => page.map(({ message }) => message))
        assert.deepStrictEqual(found, [range(125, 150), range(5, 30)])
        const actions = yield* Schema.decodeEffect(Answer)((yield* historyWithActions("a", parameters)).text)
        assert.deepStrictEqual(actions.channels["a"]?.map(({ message }) => message), range(125, 150))
      }
    }).pipe(emulated()))

  it.effect("returns each message once when a client pages to the end", () =>
    Effect.gen(function*() {
      yield* fill("a", 1003)
      const sizes: Array<number> = []
      let all: ReadonlyArray<unknown> = []
      let start: string | undefined = undefined
      while (true) {
        const page: ReadonlyArray<{ readonly message: unknown; readonly timetoken: string }> = yield* fetch(
          "a",
          start === undefined ? {} : { start }
        )
        sizes.push(page.length)
        all = [...page.map(({ message }) => message), ...all]
        start = page[0]?.timetoken
        if (page.length < 100) break
      }
      assert.deepStrictEqual(sizes, [...range(0, 10).map(() => 100), 3])
      assert.deepStrictEqual(all, range(0, 1003))
    }).pipe(emulated()))

  it.effect("with actions refuses several channels, and adds no field to a message without actions", () =>
    Effect.gen(function*() {
      yield* publish("a", 1)
      assert.strictEqual(
        (yield* historyWithActions("a")).text,
        `{"status":200,"channels":{"a":[{"message":1,"timetoken":"${at(0)}"}]},"error_message":"","error":false}`
      )
      assert.strictEqual((yield* historyWithActions("a,b")).status, 400)
    }).pipe(emulated()))

  it.effect("refuses invalid bounds, an invalid max, too many channels and unknown paths", () =>
    Effect.gen(function*() {
      for (const parameters of [{ max: 0 }, { max: -1 }, { max: "ten" }, { start: "now" }, { end: "-1" }]) {
        const { body, status } = yield* history("a", parameters)
        assert.deepStrictEqual([status, Predicate.hasProperty(body, "error_message")], [400, true])
      }
      assert.strictEqual((yield* history("")).status, 400)
      assert.strictEqual((yield* history(range(0, 500).join(","))).status, 200)
      assert.strictEqual((yield* history(range(0, 501).join(","))).status, 400)
      assert.strictEqual((yield* get("/v3/history/sub-key/demo-sub/other/a?uuid=me")).status, 404)
      assert.strictEqual((yield* get("/v3/history/sub-key/demo-sub/channel/a/b?uuid=me")).status, 404)
      assert.strictEqual((yield* get("/v3/history/sub-key/other/channel/a?uuid=me")).status, 400)
      assert.strictEqual((yield* get("/v3/history/sub-key/demo-sub/channel/a")).status, 400)
    }).pipe(emulated()))

  it.effect("answers 200 reads within 5 seconds when a channel has 100,000 messages", () =>
    Effect.gen(function*() {
      const begin = performance.now()
      const timetokens = yield* fill("a", 100_000)
      const filled = performance.now()
      assert.strictEqual(timetokens.at(-1), at(99_999))
      for (const index of range(0, 200)) {
        const start = index * 500
        assert.deepStrictEqual(yield* payloads("a", { start: at(start), max: 1 }), start === 0 ? [] : [start - 1])
      }
      const read = performance.now()
      // Far more than either takes, so that a busy machine does not matter; a scan of all would take longer.
      assert.isBelow(filled - begin, 5_000)
      assert.isBelow(read - filled, 5_000)
    }).pipe(emulated()))
})

describe("storing messages", () => {
  it.effect("deletes a message after its ttl, or after the keyset's retention when it has no ttl", () =>
    Effect.gen(function*() {
      yield* publish("a", "default")
      yield* publish("a", "an hour", { ttl: 1 })
      yield* publish("a", "three days", { ttl: 72 })
      yield* publish("a", "for ever", { ttl: 0 })
      yield* publish("a", "nonsense", { ttl: "x" })
      const left = Effect.all([payloads("a"), counts("a", { timetoken: 0 })]).pipe(
        Effect.map(([messages, { body }]) => {
          assert.deepStrictEqual(body, {
            status: 200,
            error: false,
            error_message: "",
            channels: { a: messages.length }
          })
          return messages
        })
      )
      yield* TestClock.adjust("59 minutes")
      assert.deepStrictEqual(yield* left, ["default", "an hour", "three days", "for ever", "nonsense"])
      yield* TestClock.adjust("61 seconds")
      assert.deepStrictEqual(yield* left, ["default", "three days", "for ever", "nonsense"])
      yield* TestClock.adjust("23 hours")
      assert.deepStrictEqual(yield* left, ["three days", "for ever"])
      yield* TestClock.adjust("10000 days")
      assert.deepStrictEqual(yield* left, ["for ever"])
      const stored = yield* emulator.use(({ messages }) => messages({ channel: "a" }))
      assert.deepStrictEqual(stored.map(({ payload }) => payload), ["for ever"])
    }).pipe(emulated({ limits: { historyRetention: "1 day" } })))

  it.effect("keeps messages for ever without a retention, and applies a ttl of the emulator's publish", () =>
    Effect.gen(function*() {
      const { publish } = yield* emulator
      yield* publish({ channel: "a", message: 1 })
      yield* publish({ channel: "a", message: 2, ttl: "1 hour" })
      assert.deepStrictEqual(yield* payloads("a"), [1, 2])
      yield* TestClock.adjust("10000 days")
      assert.deepStrictEqual(yield* payloads("a"), [1])
    }).pipe(emulated()))

  it.effect("stores and delivers a delayed message late, at the place of its timetoken", () =>
    Effect.gen(function*() {
      const emulated = yield* emulator
      const cursor = yield* handshake("a")
      const { timetoken: late } = yield* emulated.publish({
        channel: "a",
        message: "late",
        region: 7,
        delay: "3 seconds"
      })
      yield* TestClock.adjust("1 second")
      const { timetoken: near } = yield* emulated.publish({ channel: "a", message: "near" })
      assert.deepStrictEqual(yield* payloads("a"), ["near"])
      assert.deepStrictEqual(yield* emulated.messages({ channel: "a" }).pipe(Effect.map(({ length }) => length)), 1)
      yield* TestClock.adjust("1999 millis")
      assert.deepStrictEqual(yield* payloads("a"), ["near"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* fetch("a"), [
        { message: "late", timetoken: late },
        { message: "near", timetoken: near }
      ])
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads, ["near", "late"])
    }).pipe(emulated()))

  it.effect("delivers a delayed message to a waiting poll when it arrives", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      const waiting = yield* Effect.forkChild(poll("a", cursor), { startImmediately: true })
      yield* emulator.use(({ publish }) => publish({ channel: "a", message: "late", delay: "3 seconds" }))
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(waiting.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isDefined(waiting.pollUnsafe())
      assert.deepStrictEqual((yield* Fiber.join(waiting)).payloads, ["late"])
    }).pipe(emulated()))

  it.effect("stores nothing and answers 403 when persistence is off", () =>
    Effect.gen(function*() {
      yield* publish("a", 1)
      const refusal = {
        status: 403,
        error: true,
        error_message:
          "Use of the history API requires the Storage & Playback add-on which is not enabled for this subscribe key.",
        channels: {}
      }
      for (
        const answer of [
          yield* history("a"),
          yield* historyWithActions("a"),
          yield* legacyHistory("a"),
          yield* counts("a", { timetoken: 0 }),
          yield* deleteMessages("a")
        ]
      ) {
        assert.deepStrictEqual([answer.status, answer.body], [403, refusal])
      }
      yield* emulator.use(({ setAddOns }) => setAddOns({ persistence: true }))
      assert.deepStrictEqual(yield* payloads("a"), [])
    }).pipe(emulated({ addOns: { persistence: false } })))

  it.effect("names the denied channels when it answers 403", () =>
    Effect.gen(function*() {
      yield* emulator.use(({ deny }) => deny({ channels: ["b"], userIds: ["me"] }))
      for (
        const answer of [
          yield* history("a,b"),
          yield* historyWithActions("b"),
          yield* legacyHistory("b"),
          yield* counts("a,b", { timetoken: 0 }),
          yield* deleteMessages("b")
        ]
      ) {
        assert.deepStrictEqual([answer.status, answer.body], [403, {
          message: "Forbidden",
          payload: { channels: ["b"] },
          error: true,
          service: "Access Manager",
          status: 403
        }])
      }
      assert.strictEqual((yield* history("a")).status, 200)
    }).pipe(emulated()))
})

describe("history behind live", () => {
  it.effect("shows a message in history and counts only after historyDelay", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      yield* publish("a", "one")
      yield* emulator.use(({ publish }) => publish({ channel: "a", message: "from afar", delay: "1 second" }))
      const counted = Effect.map(counts("a", { timetoken: cursor }), ({ body }) => body)
      const expectation = (count: number) => ({ status: 200, error: false, error_message: "", channels: { a: count } })
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads, ["one"])
      yield* TestClock.adjust("1999 millis")
      assert.deepStrictEqual(yield* payloads("a"), [])
      assert.deepStrictEqual(yield* counted, expectation(0))
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* payloads("a"), ["one"])
      assert.deepStrictEqual(yield* counted, expectation(1))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* payloads("a"), ["one", "from afar"])
      assert.deepStrictEqual(yield* counted, expectation(2))
    }).pipe(emulated({ historyDelay: "2 seconds" })))

  it.effect("delivers a message that the emulator publishes with store: false, and does not store it", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      yield* emulator.use(({ publishAll }) =>
        publishAll([{ channel: "a", message: 1, store: false }, { channel: "a", message: 2, store: true }])
      )
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads, [1, 2])
      assert.deepStrictEqual(yield* payloads("a"), [2])
    }).pipe(emulated()))

  it.effect("drops the expired messages of a channel whose history is read late", () =>
    Effect.gen(function*() {
      for (let minute = 0; minute < 5; minute++) {
        yield* fill("a", 9_000)
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual((yield* payloads("a")).length, 0)
      yield* fill("a", 50)
      assert.deepStrictEqual(yield* payloads("a"), range(0, 50))
    }).pipe(emulated({ limits: { historyRetention: "30 seconds" } })))
})

describe("counting messages", () => {
  const channels = (values: object) => ({ status: 200, error: false, error_message: "", channels: values })

  it.effect("counts the messages that are younger than a timetoken", () =>
    Effect.gen(function*() {
      yield* fill("a", 5)
      assert.deepStrictEqual((yield* counts("a", { timetoken: at(2) })).body, channels({ a: 2 }))
      assert.deepStrictEqual((yield* counts("a", { timetoken: at(4) })).body, channels({ a: 0 }))
      assert.deepStrictEqual((yield* counts("a,b", { timetoken: "12123" })).body, channels({ a: 5, b: 0 }))
      assert.deepStrictEqual(
        (yield* counts("b,a", { channelsTimetoken: `0,${at(1)}` })).body,
        channels({ a: 3, b: 0 })
      )
      assert.deepStrictEqual((yield* counts("a", { channelsTimetoken: at(0) })).body, channels({ a: 4 }))
    }).pipe(emulated()))

  it.effect("counts at most 10,000 messages", () =>
    Effect.gen(function*() {
      yield* fill("a", 10_001)
      assert.deepStrictEqual((yield* counts("a", { timetoken: at(1) })).body, channels({ a: 9_999 }))
      assert.deepStrictEqual((yield* counts("a", { timetoken: at(0) })).body, channels({ a: 10_000 }))
      assert.deepStrictEqual((yield* counts("a", { timetoken: 0 })).body, channels({ a: 10_000 }))
    }).pipe(emulated()))

  it.effect("requires one timetoken, or one for each channel, and at most 100 channels", () =>
    Effect.gen(function*() {
      const status = (list: string, parameters: Readonly<Record<string, string | number>>) =>
        Effect.map(counts(list, parameters), ({ status }) => status)
      assert.strictEqual(yield* status("a", {}), 400)
      assert.strictEqual(yield* status("a", { timetoken: 1, channelsTimetoken: 1 }), 400)
      assert.strictEqual(yield* status("a,b", { channelsTimetoken: "1" }), 400)
      assert.strictEqual(yield* status("a", { channelsTimetoken: "1,2" }), 400)
      assert.strictEqual(yield* status("a", { timetoken: "x" }), 400)
      assert.strictEqual(yield* status("a,b", { channelsTimetoken: "1," }), 400)
      assert.strictEqual(yield* status(range(0, 100).join(","), { timetoken: 0 }), 200)
      assert.strictEqual(yield* status(range(0, 101).join(","), { timetoken: 0 }), 400)
    }).pipe(emulated()))
})

describe("deleting messages", () => {
  const leaves = (parameters: Readonly<Record<string, string | number>>, left: ReadonlyArray<number>) =>
    Effect.gen(function*() {
      yield* fill("a", 10)
      yield* fill("b", 1)
      const { body, status } = yield* deleteMessages("a", parameters)
      assert.deepStrictEqual([status, body], [200, { status: 200, error: false, error_message: "" }])
      assert.deepStrictEqual(yield* payloads("a"), [...left])
      assert.deepStrictEqual(yield* payloads("b"), [0])
    }).pipe(emulated())

  it.effect("deletes everything when there are no bounds", () => leaves({}, []))
  it.effect("deletes the older messages when there is only start", () => leaves({ start: at(5) }, range(5, 10)))
  it.effect("deletes the message at end and the younger ones when there is only end", () =>
    leaves({ end: at(5) }, range(0, 5)))
  it.effect("deletes from after start up to end", () => leaves({ start: at(2), end: at(5) }, [0, 1, 2, 6, 7, 8, 9]))
  it.effect("deletes from end up to before start", () => leaves({ start: at(5), end: at(2) }, [0, 1, 5, 6, 7, 8, 9]))
  it.effect("deletes a single message", () => leaves({ start: at(4), end: at(5) }, [0, 1, 2, 3, 4, 6, 7, 8, 9]))

  it.effect("succeeds when there is nothing to delete, and refuses a bound that is no timetoken", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* deleteMessages("a")).status, 200)
      assert.strictEqual((yield* deleteMessages("a", { start: "x" })).status, 400)
    }).pipe(emulated()))
})

describe("legacy history (v2)", () => {
  it.effect("answers with raw messages and timetokens as numbers", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* legacyHistory("a")).text, "[[],0,0]")
      yield* publish("a", "one", { meta: "{\"x\":1}" })
      yield* publish("a", "two")
      assert.strictEqual((yield* legacyHistory("a")).text, `[["one","two"],${at(0)},${at(1)}]`)
      assert.strictEqual(
        (yield* legacyHistory("a", { include_token: "true", include_meta: 1, string_message_token: "true" })).text,
        `[[{"message":"one","timetoken":"${at(0)}","meta":{"x":1}},{"message":"two","timetoken":"${at(1)}",` +
          `"meta":""}],"${at(0)}","${at(1)}"]`
      )
      assert.strictEqual(
        (yield* legacyHistory("a", { include_token: "true", count: 1 })).text,
        `[[{"message":"two","timetoken":${at(1)}}],${at(1)},${at(1)}]`
      )
      assert.strictEqual((yield* legacyHistory("a", { count: 0 })).status, 400)
      assert.strictEqual((yield* legacyHistory("a", { start: "x" })).status, 400)
    }).pipe(emulated()))

  it.effect("takes a page from the side of start, and from the oldest side with reverse", () =>
    Effect.gen(function*() {
      yield* fill("a", 10)
      const page = (parameters: Readonly<Record<string, string | number>>) =>
        Effect.map(legacyHistory("a", { count: 3, ...parameters }), ({ body }) => Array.isArray(body) ? body[0] : body)
      assert.deepStrictEqual(yield* page({}), [7, 8, 9])
      assert.deepStrictEqual(yield* page({ reverse: "true" }), [0, 1, 2])
      assert.deepStrictEqual(yield* page({ reverse: 1, start: at(4) }), [5, 6, 7])
      assert.deepStrictEqual(yield* page({ start: at(4) }), [1, 2, 3])
      assert.deepStrictEqual(yield* page({ start: at(1), end: at(8) }), [2, 3, 4])
      assert.deepStrictEqual(yield* page({ start: at(8), end: at(1) }), [5, 6, 7])
    }).pipe(emulated()))
})
