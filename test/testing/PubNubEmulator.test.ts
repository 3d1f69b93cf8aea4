import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { Timetoken } from "effect-herald/pubnub"
import * as VirtualTime from "effect-herald/testing/VirtualTime"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as V8 from "node:v8"
import * as Vm from "node:vm"
import { isLong } from "../simulation/seeds.ts"
import {
  deleteMessages,
  enc,
  get,
  group,
  handshake,
  history,
  poll,
  post,
  presence,
  publish,
  signal,
  subscribe
} from "./http.ts"

const emulated = (options?: PubNubEmulator.Options) => Effect.provide(PubNubEmulator.layer(options))

const emulator = PubNubEmulator.PubNubEmulator

const forked = Effect.forkChild({ startImmediately: true })

const until = "2023-11-14T22:13:20Z"

describe("publishing", () => {
  it.effect("answers with a timetoken of 17 digits that grows with each publish", () =>
    Effect.gen(function*() {
      const first = yield* publish("a", "one")
      const second = yield* publish("a", "two")
      assert.deepStrictEqual([first.status, first.body], [200, [1, "Sent", "17000000000000000"]])
      assert.deepStrictEqual(second.body, [1, "Sent", "17000000000000001"])
      assert.match(first.headers["content-type"] ?? "", /^text\/javascript/)
      yield* TestClock.setTime(Date.parse(until) + 5)
      assert.deepStrictEqual((yield* publish("a", "three")).body, [1, "Sent", "17000000000050000"])
    }).pipe(emulated()))

  it.effect("stores and delivers the same for GET and POST, byte for byte as sent", () =>
    Effect.gen(function*() {
      const text = "{\"id\":12345678901234567890,\"é\":\"ü/☃\"}"
      const cursor = yield* handshake("a/b ☃")
      const query = `uuid=you&meta=${enc("{\"vip\":true}")}&custom_message_type=order&ttl=5`
      yield* get(`/publish/demo-pub/demo-sub/0/${enc("a/b ☃")}/0/${enc(text)}?${query}`)
      yield* post(`/publish/demo-pub/demo-sub/0/${enc("a/b ☃")}/0?${query}`, text)
      const { text: page } = yield* subscribe("a/b ☃", { tt: cursor })
      const envelope = (timetoken: string) =>
        `{"a":"3","f":514,"i":"you","p":{"t":"${timetoken}","r":1},"k":"demo-sub","c":"a/b ☃","u":{"vip":true},` +
        `"d":${text},"cmt":"order"}`
      assert.strictEqual(
        page,
        `{"t":{"t":"17000000000000003","r":1},"m":[${envelope("17000000000000002")},${envelope("17000000000000003")}]}`
      )
      const stored = yield* emulator.use(({ messages }) => messages({ channel: "a/b ☃" }))
      assert.deepStrictEqual(stored[0], {
        channel: "a/b ☃",
        timetoken: Timetoken.Timetoken.make("17000000000000002"),
        payload: JSON.parse(text),
        meta: { vip: true },
        publisher: "you",
        customMessageType: "order",
        ttl: Duration.hours(5)
      })
      assert.strictEqual(stored.length, 2)
    }).pipe(emulated()))

  it.effect("accepts every JSON value as a message", () =>
    Effect.gen(function*() {
      const values = [null, 0, false, "", [], {}, -1.5e300]
      const cursor = yield* handshake("a")
      for (const value of values) assert.strictEqual((yield* publish("a", value)).status, 200)
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads, values)
    }).pipe(emulated()))

  it.effect("delivers and does not store a message with store=0, and does neither with a fired one", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      yield* publish("a", "unstored", { store: 0 })
      for (const norep of ["true", "1"]) {
        assert.strictEqual((yield* publish("a", "fired", { store: 0, norep })).status, 200)
      }
      yield* publish("a", "plain")
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads, ["unstored", "plain"])
      const stored = yield* emulator.use(({ messages }) => messages({ channel: "a" }))
      assert.deepStrictEqual(stored.map(({ payload }) => payload), ["plain"])
    }).pipe(emulated()))

  it.effect("stores nothing when persistence is off", () =>
    Effect.gen(function*() {
      yield* publish("a", 1)
      assert.deepStrictEqual(yield* emulator.use(({ messages }) => messages({ channel: "a" })), [])
    }).pipe(emulated({ addOns: { persistence: false } })))

  it.effect("delivers a signal with type 1 and does not store it", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      assert.strictEqual((yield* signal("a", "typing")).status, 200)
      const { envelopes } = yield* poll("a", cursor)
      assert.deepStrictEqual(envelopes.map(({ d, e }) => [d, e]), [["typing", 1]])
      assert.deepStrictEqual(yield* emulator.use(({ messages }) => messages({ channel: "a" })), [])
    }).pipe(emulated()))

  it.effect("refuses a wrong key, size, body or user id in the words of the service", () =>
    Effect.gen(function*() {
      const wrongKey = yield* get("/publish/other/demo-sub/0/a/0/1?uuid=me")
      assert.deepStrictEqual([wrongKey.status, wrongKey.body], [400, [0, "Invalid Key", "17000000000000000"]])
      const noKeyset = yield* get("/publish/demo-pub/other/0/a/0/1?uuid=me")
      assert.deepStrictEqual([noKeyset.status, noKeyset.body], [400, {
        message: "Invalid Subscribe Key",
        error: true,
        service: "Access Manager",
        status: 400
      }])
      const tooLarge = yield* post("/publish/demo-pub/demo-sub/0/a/0?uuid=me", JSON.stringify("x".repeat(32_761)))
      assert.strictEqual(tooLarge.status, 200) // with its two quotes, three bytes each, and the channel: 32,768
      const oneMore = yield* post("/publish/demo-pub/demo-sub/0/a/0?uuid=me", JSON.stringify("x".repeat(32_762)))
      assert.deepStrictEqual([oneMore.status, oneMore.body], [400, [0, "Message Too Large", "17000000000000001"]])
      const signalled = yield* signal("a", "x".repeat(63))
      assert.deepStrictEqual([signalled.status, signalled.body], [400, [
        0,
        "Signal size too large",
        "17000000000000001"
      ]])
      assert.strictEqual((yield* signal("a", "x".repeat(62))).status, 200)
      const tooLong = yield* publish("a", "x".repeat(33_000))
      assert.deepStrictEqual([tooLong.status, tooLong.body], [414, {
        status: 414,
        service: "Balancer",
        error: true,
        message: "Request URI Too Long"
      }])
      const malformed = yield* get("/publish/demo-pub/demo-sub/0/a/0/%7Bno?uuid=me")
      assert.deepStrictEqual([malformed.status, malformed.body], [400, [0, "Invalid JSON", "17000000000000002"]])
      assert.strictEqual((yield* publish("a", 1, { meta: "{no" })).status, 400)
      assert.strictEqual((yield* get("/publish/demo-pub/demo-sub/0/a/0/1")).status, 400)
      assert.strictEqual((yield* get("/publish/demo-pub/demo-sub/0/a/0/1?uuid=%20")).status, 400)
      assert.strictEqual((yield* get("/publish/demo-pub/demo-sub/0/a/0/%ff?uuid=me")).status, 400)
    }).pipe(emulated()))

  it.effect("answers 404 to unknown routes", () =>
    Effect.gen(function*() {
      for (
        const target of [
          "/",
          "/nothing",
          "/v2/subscribe/demo-sub/a?uuid=me",
          "/publish/demo-pub/demo-sub/0/a?uuid=me",
          "/v2/presence/sub-key/demo-sub/channel/a/dance?uuid=me",
          "/v1/channel-registration/sub-key/demo-sub/other?uuid=me"
        ]
      ) {
        assert.strictEqual((yield* get(target)).status, 404, target)
      }
      assert.strictEqual((yield* post("/signal/demo-pub/demo-sub/0/a/0/1?uuid=me", "1")).status, 404)
    }).pipe(emulated()))

  it.effect("answers the time as a number of 17 digits", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* get("/time/0")).text, "[17000000000000000]")
    }).pipe(emulated()))
})

describe("subscribing", () => {
  it.effect("answers a handshake at once, with a cursor before everything that comes later", () =>
    Effect.gen(function*() {
      yield* publish("a", "before")
      for (const parameters of [{}, { tt: "0" }]) {
        const { text } = yield* subscribe("a", parameters)
        assert.strictEqual(text, "{\"t\":{\"t\":\"17000000000000000\",\"r\":1},\"m\":[]}")
      }
      yield* publish("a", "after")
      assert.deepStrictEqual((yield* poll("a", "17000000000000000")).payloads, ["after"])
    }).pipe(emulated({ addOns: { presence: false } })))

  it.effect("holds a poll until a message comes, and answers with nothing after 280 seconds", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      const first = yield* forked(poll("a", cursor))
      yield* TestClock.adjust("100 seconds")
      assert.strictEqual(yield* emulator.use(({ readers }) => readers), 1)
      yield* publish("b", "elsewhere")
      yield* TestClock.adjust("1 second")
      assert.isUndefined(first.pollUnsafe())
      yield* publish("a", "hello")
      assert.deepStrictEqual((yield* Fiber.join(first)).payloads, ["hello"])

      const second = yield* forked(poll("a", (yield* Fiber.join(first)).cursor))
      yield* TestClock.adjust("279 seconds")
      assert.isUndefined(second.pollUnsafe())
      yield* TestClock.adjust("1 second")
      const empty = yield* Fiber.join(second)
      assert.deepStrictEqual(empty.payloads, [])
      assert.strictEqual(empty.cursor, String(17_000_000_000_000_000n + 381n * 10_000_000n))
      assert.strictEqual(yield* emulator.use(({ readers }) => readers), 0)
    }).pipe(emulated()))

  it.effect("forgets a poll that is interrupted, and keeps its messages", () =>
    Effect.gen(function*() {
      const { readers } = yield* emulator
      const cursor = yield* handshake("a")
      const fiber = yield* forked(poll("a", cursor))
      assert.strictEqual(yield* readers, 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* readers, 0)
      yield* publish("a", "later")
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads, ["later"])
    }).pipe(emulated()))

  it.effect("names the matching subscription in b, and leaves it out for a single plain channel", () =>
    Effect.gen(function*() {
      yield* group("/g", { add: "x.1,y" })
      const cursor = yield* handshake("x.1", { uuid: "me" })
      yield* publish("x.1", 1)
      const matches = (channels: string, parameters: Readonly<Record<string, string>> = {}) =>
        Effect.map(poll(channels, cursor, parameters), ({ envelopes }) => envelopes.map(({ b, c, d }) => [b, c, d]))
      assert.deepStrictEqual(yield* matches("x.1"), [[undefined, "x.1", 1]])
      assert.deepStrictEqual(yield* matches("x.1,z"), [["x.1", "x.1", 1]])
      assert.deepStrictEqual(yield* matches("x.*"), [["x.*", "x.1", 1]])
      assert.deepStrictEqual(yield* matches(",", { "channel-group": "g" }), [["g", "x.1", 1]])
      // One publish, once for each name that it matches.
      assert.deepStrictEqual(yield* matches("x.1,x.*", { "channel-group": "g" }), [
        ["x.1", "x.1", 1],
        ["x.*", "x.1", 1],
        ["g", "x.1", 1]
      ])
      assert.deepStrictEqual(yield* matches("z", { "channel-group": "g,other" }), [["g", "x.1", 1]])
    }).pipe(emulated()))

  it.effect("matches the channels below a wildcard, and not the wildcard's own name", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a.b.*")
      for (const channel of ["a.b", "a.c", "a.bc", "a.b.c", "a.b.c.d", "a.b.*x"]) yield* publish(channel, channel)
      assert.deepStrictEqual((yield* poll("a.b.*", cursor)).payloads, ["a.b.c", "a.b.c.d", "a.b.*x"])
    }).pipe(emulated()))

  it.effect("keeps the newest 100 messages of all channels of a reader, and drops older ones without notice", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a,b")
      for (let index = 0; index < 130; index++) yield* publish(index % 2 === 0 ? "a" : "b", index)
      const page = yield* poll("a,b", cursor)
      assert.deepStrictEqual(page.payloads, Array.from({ length: 100 }, (_, index) => index + 30))
      assert.strictEqual(page.cursor, String(BigInt(cursor) + 130n))
      // The other reader has a queue of its own.
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads.length, 65)
    }).pipe(emulated({ addOns: { presence: false } })))

  it.effect("drops messages that are older than queueRetention", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a")
      yield* publish("a", "old")
      yield* TestClock.adjust("15 minutes")
      yield* publish("a", "young")
      yield* TestClock.adjust("6 minutes")
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads, ["young"])
    }).pipe(emulated({ limits: { queueRetention: "20 minutes" } })))

  it.effect("keeps the events of one timetoken together when pollPageSize splits a page", () =>
    Effect.gen(function*() {
      yield* group("/g", { add: "a" })
      const cursor = yield* handshake("a", { "channel-group": "g" })
      for (let index = 0; index < 4; index++) yield* publish("a", index)
      const first = yield* poll("a", cursor, { "channel-group": "g" })
      assert.deepStrictEqual(first.payloads, [0, 0, 1, 1])
      const second = yield* poll("a", first.cursor, { "channel-group": "g" })
      assert.deepStrictEqual(second.payloads, [2, 2, 3, 3])
    }).pipe(emulated({ pollPageSize: 3, addOns: { presence: false } })))

  it.effect("delivers a delayed message of another region after younger ones", () =>
    Effect.gen(function*() {
      const { publish: elsewhere } = yield* emulator
      const cursor = yield* handshake("a")
      const reader = yield* forked(poll("a", cursor))
      const { timetoken: late } = yield* elsewhere({ channel: "a", message: "late", region: 7, delay: "3 seconds" })
      yield* TestClock.adjust("1 second")
      assert.isUndefined(reader.pollUnsafe())
      yield* publish("a", "young")
      const first = yield* Fiber.join(reader)
      assert.deepStrictEqual(first.payloads, ["young"])
      assert.isAbove(Number(first.cursor), Number(late))

      const waiting = yield* forked(poll("a", first.cursor))
      yield* TestClock.adjust("2 seconds")
      const second = yield* Fiber.join(waiting)
      assert.deepStrictEqual(second.envelopes.map(({ d, p }) => [d, p]), [["late", { t: late, r: 7 }]])
      assert.isAbove(Number(second.cursor), Number(first.cursor))
      assert.strictEqual(second.region, 1)
    }).pipe(emulated({ addOns: { presence: false } })))

  it.effect("answers with the region of the reader, not of the message", () =>
    Effect.gen(function*() {
      const { publish: elsewhere, setRegion } = yield* emulator
      const cursor = yield* handshake("a")
      yield* elsewhere({ channel: "a", message: 1, region: 4 })
      yield* setRegion({ region: 2, userId: "me" })
      assert.strictEqual((yield* poll("a", cursor)).region, 2)
      assert.strictEqual((yield* poll("a", cursor, { uuid: "other" })).region, 9)
      yield* setRegion({ region: 3 })
      assert.strictEqual((yield* poll("a", cursor)).region, 2)
      assert.strictEqual((yield* poll("a", cursor, { uuid: "other" })).region, 3)
    }).pipe(emulated({ region: 9 })))

  it.effect("delivers emitted events of any kind and raw envelopes", () =>
    Effect.gen(function*() {
      const { emit, emitRaw, signal } = yield* emulator
      const cursor = yield* handshake("a")
      const { timetoken } = yield* emit({
        channel: "a",
        kind: "MessageAction",
        payload: { event: "added" },
        publisher: "you"
      })
      yield* emit({ channel: "a", kind: "File", payload: 1, customMessageType: "pic" })
      yield* signal({ channel: "a", message: 2 })
      yield* emitRaw({ channel: "a", envelope: { c: 5 } })
      yield* emitRaw({ channel: "a", envelope: null })
      const { envelopes, text } = yield* Effect.map(
        subscribe("a", { tt: cursor }),
        ({ text }) => ({ text, envelopes: text })
      )
      assert.include(envelopes, `"e":3,"i":"you","p":{"t":"${timetoken}","r":1}`)
      assert.match(text, /"e":4.*"d":1,"cmt":"pic".*"e":1.*"d":2.*,\{"c":5\},null\]\}$/)
    }).pipe(emulated()))

  it.effect("refuses empty names, an invalid timetoken, filter or state, and a missing user id", () =>
    Effect.gen(function*() {
      const statuses = yield* Effect.all([
        subscribe(","),
        subscribe("a", { tt: "soon" }),
        subscribe("a", { "filter-expr": "meta.x ==" }),
        subscribe("a", { state: "[1]" }),
        get("/v2/subscribe/demo-sub/a/0")
      ]).pipe(Effect.map((all) => all.map(({ status }) => status)))
      assert.deepStrictEqual(statuses, [400, 400, 400, 400, 400])
    }).pipe(emulated()))

  it.effect("refuses wildcards, groups and filters when the Stream Controller is off", () =>
    Effect.gen(function*() {
      const refused = yield* group("/g", { add: "a" })
      assert.strictEqual(refused.status, 403)
      assert.match(refused.text, /requires the Stream Controller add-on.*"service":"channel-registry","error":true/)
      assert.strictEqual((yield* subscribe("a.*")).status, 403)
      assert.strictEqual((yield* subscribe("a", { "channel-group": "g" })).status, 403)
      assert.strictEqual((yield* subscribe("a", { "filter-expr": "meta.x == 1" })).status, 403)
      yield* emulator.use(({ setAddOns }) => setAddOns({ streamController: true }))
      assert.strictEqual((yield* subscribe("a.*")).status, 200)
    }).pipe(emulated({ addOns: { streamController: false } })))
})

describe("subscribe filter", () => {
  const subject = {
    message: { score: 81, tags: ["x", "y"], text: "hello world", nested: { deep: 1 } },
    meta: { priority: "high", level: 3, user: { role: "admin" }, name: "O*a" }
  }
  layer(PubNubEmulator.layer({ hold: "0 millis", addOns: { presence: false } }))((it) => {
    it.effect.each<readonly [expression: string, passes: boolean]>([
      ["(meta.priority == \"high\") && (data.score > 80)", true],
      ["meta.priority == 'low' || data.score >= 81", true],
      ["priority == 'high'", true],
      ["meta.user[\"role\"] == 'admin'", true],
      ["meta.user['role'] != 'admin'", false],
      ["user.role == 'admin'", true],
      ["uuid != 'you'", false],
      ["uuid == 'you'", true],
      ["data.score < 81", false],
      ["data.score <= 81", true],
      ["data.score % 2 == 1 && level * 2 - 1 == 5", true],
      ["2 + 3 * 4 == 14 && (2 + 3) * 4 == 20 && 7 / 2 == 3.5", true],
      ["-level == 0 - 3", true],
      ["data.text LIKE 'hello*'", true],
      ["data.text LIKE '*lo w*'", true],
      ["data.text LIKE 'hello'", false],
      ["data.text LIKE 'h.*'", false],
      ["data.text CONTAINS 'lo wo'", true],
      ["data.tags CONTAINS 'y'", true],
      ["data.tags CONTAINS 'z'", false],
      ["!(level == 4)", true],
      ["!(level == 3)", false],
      // "or" binds less tightly than "and"
      ["level == 3 || level == 4 && level == 5", true],
      // numbers only
      ["priority > 'a'", false],
      ["priority + 1 > 0", false],
      // what is not there is equal to nothing, not even to what else is not there
      ["meta.nothing == data.nothing", false],
      ["meta.nothing != 'x'", true],
      ["meta.nothing.below == 1", false],
      ["data.nested.deep == 1", true],
      ["meta.constructor != 1 && true", true]
    ])("evaluates %s", ([expression, passes]) =>
      Effect.gen(function*() {
        const cursor = yield* handshake("f", { "filter-expr": expression })
        yield* publish("f", subject.message, { meta: JSON.stringify(subject.meta) })
        const { payloads } = yield* poll("f", cursor, { "filter-expr": expression })
        assert.deepStrictEqual(payloads, passes ? [subject.message] : [])
      }))

    it.effect.each([
      "meta.x ==",
      "== 1",
      "meta",
      "data.* == 1",
      "(meta.x == 1",
      "meta.x == 1)",
      "meta.x = 1",
      "meta.x == 'open",
      "meta.x[0] == 1",
      "meta.x[\"y\" == 1",
      "meta.x == 1 meta.y == 2",
      "#"
    ])("refuses the invalid expression %s", (expression) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* subscribe("f", { "filter-expr": expression })).status, 400)
      }))
  })

  it.effect("filters presence events too, and counts only matching messages in the queue", () =>
    Effect.gen(function*() {
      const expression = "pn_action == 'leave' || keep == 1"
      const cursor = yield* handshake("a,a-pnpres")
      for (let index = 0; index < 99; index++) yield* publish("a", index, { meta: "{\"keep\":1}" })
      for (let index = 0; index < 99; index++) yield* publish("a", "noise")
      yield* presence("/channel/a/leave")
      const { payloads } = yield* poll("a,a-pnpres", cursor, { "filter-expr": expression, uuid: "other" })
      assert.strictEqual(payloads.length, 100)
      assert.strictEqual(payloads[0], 0)
      assert.propertyVal(payloads[99], "action", "leave")
    }).pipe(emulated()))
})

describe("presence", () => {
  it.effect("sends one join when a user subscribes, also to that user", () =>
    Effect.gen(function*() {
      const names = "a,a-pnpres,b.*"
      const cursor = yield* handshake(names)
      const page = yield* poll(names, cursor)
      yield* handshake(names)
      yield* poll("a", cursor, { uuid: "second" }).pipe(forked)
      assert.deepStrictEqual(page.envelopes, [{
        a: "3",
        f: 514,
        p: { t: String(BigInt(cursor) + 1n), r: 1 },
        k: "demo-sub",
        c: "a-pnpres",
        u: {
          pn_action: "join",
          pn_channel: "a",
          pn_ispresence: 1,
          pn_occupancy: 1,
          pn_precise_timestamp: 1_700_000_000_000,
          pn_timestamp: 1_700_000_000,
          pn_uuid: "me"
        },
        d: {
          action: "join",
          uuid: "me",
          timestamp: 1_700_000_000,
          precise_timestamp: 1_700_000_000_000,
          occupancy: 1
        },
        b: "a-pnpres"
      }])
      const next = yield* poll(names, page.cursor)
      assert.deepStrictEqual(next.envelopes.map(({ d }) => d), [{
        action: "join",
        uuid: "second",
        timestamp: 1_700_000_000,
        precise_timestamp: 1_700_000_000_000,
        occupancy: 2
      }])
      const { occupants } = yield* emulator
      assert.deepStrictEqual(yield* occupants({ channel: "a" }), ["me", "second"])
      assert.deepStrictEqual(yield* occupants({ channel: "b.*" }), [])
      assert.deepStrictEqual(yield* occupants({ channel: "a-pnpres" }), [])
    }).pipe(emulated()))

  it.effect("delivers a join to watchers of the channel, of its group and of its wildcard", () =>
    Effect.gen(function*() {
      yield* group("/g", { add: "x.1" })
      const cursor = yield* handshake("other")
      yield* presence("/channel/x.1/heartbeat", { uuid: "ada" })
      const seen = (channels: string, groups: string) =>
        Effect.map(
          poll(channels, cursor, { "channel-group": groups, uuid: "spy" }),
          ({ envelopes }) => envelopes.map(({ b, c }) => [b, c])
        )
      assert.deepStrictEqual(yield* seen("x.1-pnpres", ""), [["x.1-pnpres", "x.1-pnpres"]])
      assert.deepStrictEqual(yield* seen("x.*-pnpres", ""), [["x.*-pnpres", "x.1-pnpres"]])
      assert.deepStrictEqual(yield* seen(",", "g-pnpres"), [["g-pnpres", "x.1-pnpres"]])
    }).pipe(emulated({ addOns: { presence: true } })))

  it.effect("joins and leaves the channels of a group", () =>
    Effect.gen(function*() {
      const { occupants } = yield* emulator
      yield* group("/g", { add: "x,y" })
      yield* handshake(",", { "channel-group": "g" })
      assert.deepStrictEqual([yield* occupants({ channel: "x" }), yield* occupants({ channel: "y" })], [["me"], ["me"]])
      const left = yield* presence("/channel/,/leave", { "channel-group": "g" })
      assert.deepStrictEqual(left.body, { status: 200, message: "OK", service: "Presence", action: "leave" })
      assert.deepStrictEqual([yield* occupants({ channel: "x" }), yield* occupants({ channel: "y" })], [[], []])
    }).pipe(emulated()))

  it.effect("applies a state that is keyed by a group to its channels, unless a channel has its own", () =>
    Effect.gen(function*() {
      yield* group("/g", { add: "a,b" })
      yield* group("/h", { add: "b,c,c-pnpres" })
      const states = (channels: string) =>
        Effect.map(
          Effect.forEach(channels.split(","), (channel) => presence(`/channel/${channel}/uuid/me`)),
          (answers) => answers.map(({ body }) => Predicate.hasProperty(body, "payload") ? body.payload : undefined)
        )
      const state = JSON.stringify({ b: { own: 1 }, g: { of: "g" }, h: { of: "h" }, elsewhere: {} })
      const cursor = yield* handshake("x-pnpres")
      yield* subscribe("d", { "channel-group": "g,h", state })
      const all = [{ of: "g" }, { own: 1 }, { of: "h" }, {}]
      assert.deepStrictEqual(yield* states("a,b,c,d"), all)
      // Said again, it is no change.
      yield* presence("/channel/d/heartbeat", { "channel-group": "g,h", state })
      const changes = yield* poll(",", cursor, { "channel-group": "g-pnpres,h-pnpres" })
      const told = changes.payloads.filter((event) => JSON.stringify(event).includes("state-change"))
      // Of a, of b by each of its two groups, and of c.
      assert.strictEqual(told.length, 4)
      yield* presence("/channel/,/heartbeat", { "channel-group": "g", state: JSON.stringify({ g: { of: "beat" } }) })
      assert.deepStrictEqual(yield* states("a,b,c"), [{ of: "beat" }, { of: "beat" }, { of: "h" }])
      // A name that is only a channel's here is no group.
      yield* presence("/channel/g/heartbeat", { state: JSON.stringify({ g: { alone: true } }) })
      assert.deepStrictEqual(yield* states("a,g"), [{ of: "beat" }, { alone: true }])
    }).pipe(emulated()))

  it.effect("sets a state by heartbeat or alone, sends a change once, and deletes it at leave", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("a-pnpres")
      yield* presence("/channel/a/heartbeat", { state: JSON.stringify({ a: { mood: "ok" }, elsewhere: { x: 1 } }) })
      yield* presence("/channel/a/heartbeat", { state: JSON.stringify({ a: { mood: "ok" } }) })
      yield* presence("/channel/a/heartbeat", { state: "{}" })
      const set = yield* presence("/channel/a/uuid/me/data", { state: JSON.stringify({ mood: "bad" }) })
      assert.deepStrictEqual(set.body, { status: 200, message: "OK", service: "Presence", payload: { mood: "bad" } })
      const read = yield* presence("/channel/a/uuid/me")
      assert.deepStrictEqual(read.body, {
        status: 200,
        message: "OK",
        service: "Presence",
        uuid: "me",
        payload: { mood: "bad" },
        channel: "a"
      })
      yield* presence("/channel/a/leave")
      const several = yield* presence("/channel/a,b/uuid/me")
      assert.deepStrictEqual(several.body, {
        status: 200,
        message: "OK",
        service: "Presence",
        uuid: "me",
        payload: { channels: { a: {}, b: {} } }
      })
      const page = yield* poll("a-pnpres", cursor)
      assert.deepStrictEqual(
        page.payloads.map((d) => Predicate.isObject(d) ? [d["action"], d["data"]] : d),
        [["join", undefined], ["state-change", { mood: "ok" }], ["state-change", { mood: "bad" }], ["leave", undefined]]
      )
      assert.propertyVal(page.envelopes[1]?.["u"], "pn_state_mood", "ok")
    }).pipe(emulated()))

  it.effect("answers here-now and where-now for one channel, several, groups, pages and states", () =>
    Effect.gen(function*() {
      for (const uuid of ["u1", "u2", "u3"]) yield* presence("/channel/a/heartbeat", { uuid })
      yield* presence("/channel/b/heartbeat", { uuid: "u1", state: "{\"b\":{\"x\":1}}" })
      const ok = { status: 200, message: "OK", service: "Presence" }
      const body = (path: string, parameters: Readonly<Record<string, string | number>> = {}) =>
        Effect.map(presence(path, parameters), ({ body }) => body)
      assert.deepStrictEqual(yield* body("/channel/a"), { ...ok, uuids: ["u1", "u2", "u3"], occupancy: 3 })
      assert.deepStrictEqual(yield* body("/channel/a", { limit: 1, offset: 1 }), { ...ok, uuids: ["u2"], occupancy: 3 })
      assert.deepStrictEqual(yield* body("/channel/a", { disable_uuids: 1 }), { ...ok, occupancy: 3 })
      assert.deepStrictEqual(yield* body("/channel/b", { state: 1 }), {
        ...ok,
        uuids: [{ uuid: "u1", state: { x: 1 } }],
        occupancy: 1
      })
      const both = {
        ...ok,
        payload: {
          channels: { a: { uuids: ["u1", "u2", "u3"], occupancy: 3 }, b: { uuids: ["u1"], occupancy: 1 } },
          total_channels: 2,
          total_occupancy: 4
        }
      }
      assert.deepStrictEqual(yield* body("/channel/a,b,c"), both)
      assert.deepStrictEqual(yield* body(""), both)
      yield* group("/g", { add: "b" })
      assert.deepStrictEqual(yield* body("/channel/,", { "channel-group": "g" }), {
        ...ok,
        payload: { channels: { b: { uuids: ["u1"], occupancy: 1 } }, total_channels: 1, total_occupancy: 1 }
      })
      assert.deepStrictEqual(yield* body("/channel/c,d"), {
        ...ok,
        payload: { channels: {}, total_channels: 0, total_occupancy: 0 }
      })
      assert.deepStrictEqual(yield* body("/uuid/u1"), { ...ok, payload: { channels: ["a", "b"] } })
      assert.deepStrictEqual(yield* body("/uuid/nobody"), { ...ok, payload: { channels: [] } })
    }).pipe(emulated()))

  it.effect("refuses an invalid state, and answers 402 when presence is off", () =>
    Effect.gen(function*() {
      const noState = yield* presence("/channel/a/uuid/me/data")
      assert.deepStrictEqual([noState.status, noState.body], [400, {
        status: 400,
        error: 1,
        message: "No state specified.",
        service: "Presence"
      }])
      assert.strictEqual((yield* presence("/channel/a/uuid/me/data", { state: "1" })).status, 400)
      assert.strictEqual((yield* presence("/channel/a/heartbeat", { state: "1" })).status, 400)
      yield* emulator.use(({ setAddOns }) => setAddOns({ presence: false }))
      assert.strictEqual((yield* presence("/channel/a")).status, 402)
      assert.strictEqual((yield* presence("/channel/a/heartbeat")).status, 402)
      // Saying goodbye is never wrong.
      assert.strictEqual((yield* presence("/channel/a/leave")).status, 200)
      yield* handshake("a")
      assert.deepStrictEqual(yield* emulator.use(({ occupants }) => occupants({ channel: "a" })), [])
    }).pipe(emulated()))
})

describe("channel groups", () => {
  it.effect("adds, lists and removes channels, deletes a group, and refuses a name with a colon", () =>
    Effect.gen(function*() {
      const ok = { status: 200, message: "OK", service: "channel-registry", error: false }
      const members = Effect.map(group("/g"), ({ body }) => body)
      const holds = (channels: ReadonlyArray<string>) => ({
        status: 200,
        payload: { channels, group: "g" },
        service: "channel-registry",
        error: false
      })
      assert.deepStrictEqual((yield* group("/g", { add: "a,b,a" })).body, ok)
      assert.deepStrictEqual(yield* members, holds(["a", "b"]))
      assert.deepStrictEqual((yield* group("/g", { remove: "a" })).body, ok)
      assert.deepStrictEqual(yield* members, holds(["b"]))
      assert.deepStrictEqual((yield* group("")).body, {
        status: 200,
        payload: { namespace: "", groups: ["g"] },
        service: "channel-registry",
        error: false
      })
      assert.deepStrictEqual((yield* group("/g/remove")).body, ok)
      assert.deepStrictEqual(yield* members, holds([]))
      assert.strictEqual((yield* group("/a:b", { add: "a" })).status, 400)
    }).pipe(emulated()))

  it.effect("delivers messages of a channel that is added to the group while a poll waits", () =>
    Effect.gen(function*() {
      const { addToGroup, groupChannels, removeFromGroup } = yield* emulator
      yield* addToGroup({ group: "g", channels: ["a"] })
      const cursor = yield* handshake(",", { "channel-group": "g" })
      const reader = yield* forked(poll(",", cursor, { "channel-group": "g" }))
      yield* addToGroup({ group: "g", channels: ["b"] })
      yield* publish("b", 1)
      assert.deepStrictEqual((yield* Fiber.join(reader)).payloads, [1])
      yield* removeFromGroup({ group: "g", channels: ["a", "b"] })
      assert.deepStrictEqual(yield* groupChannels({ group: "g" }), [])
    }).pipe(emulated()))

  it.effect("refuses groups without channels, unless another name of the request has a channel", () =>
    Effect.gen(function*() {
      yield* group("/full", { add: "a" })
      const cursor = yield* handshake("a")
      yield* publish("a", 1)
      const refused = {
        status: 400,
        error: true,
        message: "Channel group or groups result in empty subscription set",
        service: "Subscribe"
      }
      for (const tt of ["0", cursor]) {
        for (const groups of ["g", "g,h", "g-pnpres", "g,g-pnpres"]) {
          const empty = yield* subscribe(",", { tt, "channel-group": groups })
          assert.deepStrictEqual([empty.status, empty.body], [400, refused], `${groups} at ${tt}`)
        }
        for (
          const [channels, groups] of [["b", "g"], [",", "g,full"], [",", "full-pnpres"], ["b-pnpres", "g"]] as const
        ) {
          const cursor = yield* handshake(channels, { "channel-group": groups })
          assert.match(cursor, /^\d{17}$/, `${channels} and ${groups}`)
        }
      }
      // Nobody is present on what was refused, and what is added later is heard.
      yield* group("/g", { add: "a" })
      assert.deepStrictEqual((yield* poll(",", cursor, { "channel-group": "g" })).payloads, [1])
      yield* group("/g", { remove: "a" })
      assert.strictEqual((yield* subscribe(",", { "channel-group": "g" })).status, 400)
      // Presence says who is there: nobody is no failure.
      assert.strictEqual((yield* presence("/channel/,", { "channel-group": "g" })).status, 200)
      assert.strictEqual((yield* presence("/channel/,/heartbeat", { "channel-group": "g" })).status, 200)
      assert.strictEqual((yield* presence("/channel/,/leave", { "channel-group": "g" })).status, 200)
    }).pipe(emulated()))

  const shrinking: ReadonlyArray<readonly [string, string, string, ReturnType<typeof group>]> = [
    ["the only group is deleted", ",", "g", group("/g/remove")],
    ["one of two groups is deleted", ",", "g,h", group("/g/remove")],
    ["one channel of a group is removed", ",", "g", group("/g", { remove: "b" })],
    ["the group stands beside a channel", "c", "g", group("/g/remove")],
    ["only the presence of the group is heard", ",", "g-pnpres", group("/g/remove")]
  ]
  it.effect.each(shrinking)(
    "answers a poll at once, empty and with its own cursor, when %s",
    (shrink) =>
      Effect.gen(function*() {
        const [, channels, groups, change] = shrink
        yield* group("/g", { add: "a,b" })
        yield* group("/h", { add: "d" })
        yield* group("/other", { add: "a,e" })
        yield* subscribe(channels, { "channel-group": groups })
        const cursor = yield* handshake(channels, { "channel-group": groups })
        yield* TestClock.adjust("1 minute")
        const waiting = yield* forked(poll(channels, cursor, { "channel-group": groups }))
        yield* group("/g", { remove: "never there" })
        yield* group("/other/remove")
        yield* publish("elsewhere", 1)
        assert.isUndefined(waiting.pollUnsafe())
        yield* change
        assert.deepStrictEqual(yield* Fiber.join(waiting), { cursor, region: 1, envelopes: [], payloads: [] })
      }).pipe(emulated())
  )

  it.effect("holds a poll that begins after a channel was removed from its group", () =>
    Effect.gen(function*() {
      yield* group("/g", { add: "a,b" })
      const cursor = yield* handshake(",", { "channel-group": "g" })
      yield* group("/g", { remove: "b" })
      const waiting = yield* forked(poll(",", cursor, { "channel-group": "g" }))
      assert.isUndefined(waiting.pollUnsafe())
      yield* publish("a", 1)
      assert.deepStrictEqual((yield* Fiber.join(waiting)).payloads, [1])
    }).pipe(emulated()))
})

describe("access control", () => {
  it.effect("names denied channels in its 403, and groups with a colon before the name", () =>
    Effect.gen(function*() {
      const { allow, deny } = yield* emulator
      yield* deny({ channels: ["a"], groups: ["g"] })
      const refused = (payload: object) => ({
        message: "Forbidden",
        payload,
        error: true,
        service: "Access Manager",
        status: 403
      })
      const sent = yield* publish("a", 1)
      assert.deepStrictEqual([sent.status, sent.body], [403, refused({ channels: ["a"] })])
      const read = yield* subscribe("a,a-pnpres,b", { "channel-group": "g,h" })
      assert.deepStrictEqual([read.status, read.body], [
        403,
        refused({ channels: ["a", "a-pnpres"], "channel-groups": [":g"] })
      ])
      const left = yield* presence("/channel/a/leave")
      assert.deepStrictEqual([left.status, left.body], [403, refused({ channels: ["a"] })])
      assert.deepStrictEqual((yield* group("/g", { add: "x" })).body, refused({ "channel-groups": [":g"] }))
      assert.strictEqual((yield* subscribe("b", { "channel-group": "h" })).status, 200)
      yield* allow
      assert.strictEqual((yield* publish("a", 1)).status, 200)
    }).pipe(emulated()))

  it.effect("denies everything to a denied user", () =>
    Effect.gen(function*() {
      yield* emulator.use(({ deny }) => deny({ userIds: ["you"] }))
      assert.strictEqual((yield* publish("a", 1)).status, 403)
      assert.strictEqual((yield* publish("a", 1, { uuid: "me" })).status, 200)
    }).pipe(emulated()))

  it.effect("refuses a revoked token, also after allow", () =>
    Effect.gen(function*() {
      const { allow, revokeToken } = yield* emulator
      yield* revokeToken("t/1+")
      yield* allow
      const { body, status } = yield* subscribe("a", { auth: "t/1+" })
      assert.deepStrictEqual([status, body], [403, {
        error: true,
        status: 403,
        service: "Access Manager",
        message: "Token is revoked"
      }])
      assert.strictEqual((yield* subscribe("a", { auth: "t2" })).status, 200)
    }).pipe(emulated()))

  it.effect("refuses an expired token with other words than a revoked one", () =>
    Effect.gen(function*() {
      yield* emulator.use(({ expireToken }) => expireToken("t1"))
      const { body, status } = yield* publish("a", 1, { auth: "t1" })
      assert.deepStrictEqual([status, body], [403, {
        error: true,
        status: 403,
        service: "Access Manager",
        message: "Token is expired"
      }])
      assert.strictEqual((yield* publish("a", 1, { auth: "t2" })).status, 200)
    }).pipe(emulated()))

  it.effect("with Access Manager, refuses requests without a token or signature, and names what they asked for", () =>
    Effect.gen(function*() {
      const refused = (payload: object) => ({
        message: "Forbidden",
        payload,
        error: true,
        service: "Access Manager",
        status: 403
      })
      const read = yield* subscribe("a,b", { "channel-group": "g" })
      assert.deepStrictEqual([read.status, read.body], [
        403,
        refused({ channels: ["a", "b"], "channel-groups": [":g"] })
      ])
      for (
        const answer of [
          yield* publish("a", 1),
          yield* signal("a", 1),
          yield* presence("/channel/a/heartbeat"),
          yield* presence("/channel/a/uuid/me"),
          yield* history("a"),
          yield* group("/g"),
          yield* get("/v2/objects/demo-sub/uuids/me?uuid=me"),
          yield* get("/v1/message-actions/demo-sub/channel/a?uuid=me")
        ]
      ) {
        assert.strictEqual(answer.status, 403, answer.text)
      }
      // Without a secret key nobody can sign, whatever they write.
      assert.strictEqual((yield* publish("a", 1, { signature: "v2.x" })).status, 403)
      assert.strictEqual((yield* publish("a", 1, { auth: "" })).status, 403)
      assert.strictEqual((yield* publish("a", 1, { auth: "token" })).status, 200)
      assert.strictEqual((yield* get("/time/0")).status, 200)
    }).pipe(emulated({ addOns: { accessManager: true } })))

  it.effect("keeps the state of keysets apart", () =>
    Effect.gen(function*() {
      const { keyset, messages } = yield* emulator
      yield* keyset("s2").publish({ channel: "a", message: 1 })
      assert.strictEqual((yield* get("/publish/p2/s2/0/a/0/2?uuid=me")).status, 200)
      assert.strictEqual((yield* get("/publish/p1/s2/0/a/0/2?uuid=me")).status, 400)
      assert.deepStrictEqual((yield* keyset("s2").messages({ channel: "a" })).map(({ payload }) => payload), [1, 2])
      assert.deepStrictEqual(yield* messages({ channel: "a" }), [])
      assert.throws(() => keyset("s3"), /no keyset "s3"/)
    }).pipe(emulated({
      keysets: [{ subscribeKey: "s1", publishKey: "p1" }, { subscribeKey: "s2", publishKey: "p2" }]
    })))

  it.effect("accepts the reference's signature, and refuses a wrong or late one", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_700_000_000_000)
      const target = "/publish/pub/sub/0/ch/0/%7B%22text%22%3A%22hi%2C%20it%27s%20%28me%29%21%22%7D" +
        "?pnsdk=X%2F1.0&store=1&timestamp=1700000000&uuid=u%201&signature="
      const right = "v2.VAkpc0eSmKxcbZyWH0DAturY-fsuZiFifOqn5LpvdV8"
      const handle = (target: string) =>
        emulator.use(({ handle }) => handle({ method: "GET", target, headers: {}, body: "" }))
      assert.strictEqual((yield* handle(target + right)).status, 200)
      const wrong = yield* handle(`${target}v2.wrong`)
      assert.deepStrictEqual([wrong.status, JSON.parse(wrong.body)], [403, {
        message: "Signature Does Not Match",
        error: true,
        service: "Access Manager",
        status: 403
      }])
      yield* TestClock.adjust("61 seconds")
      const late = yield* handle(target + right)
      assert.deepStrictEqual([late.status, JSON.parse(late.body)], [400, {
        message: "Invalid Timestamp",
        error: true,
        service: "Access Manager",
        status: 400
      }])
      // Who does not sign is let in: a client without the secret key does not.
      assert.strictEqual((yield* handle("/publish/pub/sub/0/ch/0/1?uuid=u")).status, 200)
    }).pipe(emulated({ keysets: [{ subscribeKey: "sub", publishKey: "pub", secretKey: "sec" }] })))
})

describe("memory", () => {
  /** What is held when all that can be is thrown away. */
  const heapUsed = () => {
    V8.setFlagsFromString("--expose-gc")
    const collect: () => void = Vm.runInNewContext("gc")
    collect()
    return process.memoryUsage().heapUsed
  }

  const numbers = (channel: string, from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => ({
      channel,
      message: from + index,
      publisher: from + index < 2 ? "first" : "others"
    }))

  it.effect("keeps the messages of a quiet channel when another channel gets many", () =>
    Effect.gen(function*() {
      const many = isLong ? 100_000 : 12_000
      const { publishAll } = yield* emulator
      const cursor = yield* handshake("busy,quiet")
      yield* publishAll(numbers("quiet", 0, 150))
      let live = cursor
      let heard = 0
      for (let from = 0; from < many; from += 100) {
        yield* publishAll(numbers("busy", from, from + 100))
        const page = yield* poll("busy", live)
        assert.strictEqual(page.payloads[0], from)
        heard += page.payloads.length
        live = page.cursor
      }
      assert.strictEqual(heard, many)
      const last = (from: number, to: number) => numbers("", from, to).map(({ message }) => message)
      assert.deepStrictEqual((yield* poll("quiet", cursor)).payloads, last(50, 150))
      assert.deepStrictEqual((yield* poll("busy", cursor)).payloads, last(many - 100, many))
      assert.deepStrictEqual((yield* poll("busy,quiet", cursor)).payloads, last(many - 100, many))
    }).pipe(emulated({ addOns: { presence: false, persistence: false } })))

  it.effect("searches the newest ten thousand events for a filter, and no more", () =>
    Effect.gen(function*() {
      const { publishAll } = yield* emulator
      const cursor = yield* handshake("a")
      yield* publishAll(numbers("a", 0, 10_000))
      assert.deepStrictEqual((yield* poll("a", cursor, { "filter-expr": "uuid == 'first'" })).payloads, [0, 1])
      yield* publishAll(numbers("a", 10_000, 10_001))
      assert.strictEqual((yield* poll("a", cursor)).payloads.length, 100)
      const answer = yield* Effect.timeoutOption(poll("a", cursor, { "filter-expr": "uuid == 'first'" }), "1 second")
        .pipe(
          forked
        )
      yield* TestClock.adjust("1 second")
      assert.isTrue(Option.isNone(yield* Fiber.join(answer)))
    }).pipe(emulated({ addOns: { presence: false, persistence: false } })))

  it.effect("deletes the oldest messages of all channels when storedBytes is reached", () =>
    Effect.gen(function*() {
      const { messages, publish } = yield* emulator
      for (let index = 0; index < 100; index++) {
        yield* publish({ channel: index % 10 === 0 ? "quiet" : "busy", message: "x".repeat(1_000) })
      }
      const left = [...yield* messages({ channel: "quiet" }), ...yield* messages({ channel: "busy" })]
      // Each with its quotes and 1 KiB.
      assert.strictEqual(left.length, Math.floor(50_000 / 2_026))
      assert.strictEqual((yield* messages({ channel: "quiet" })).length, 2)
      const { body } = yield* history("busy,quiet", { max: 25 })
      assert.nestedPropertyVal(body, "channels.quiet.length", 2)
      assert.nestedPropertyVal(body, "channels.busy.length", 22)
    }).pipe(emulated({ limits: { storedBytes: 50_000 } })))

  it.effect("frees the room of deleted and expired messages", () =>
    Effect.gen(function*() {
      const { messages, publish } = yield* emulator
      const fill = (channel: string, ttl?: Duration.Input) =>
        Effect.forEach(
          Array.from({ length: 20 }),
          () => publish({ channel, message: "x".repeat(1_000), ttl }),
          { discard: true }
        )
      for (let round = 0; round < 5; round++) {
        yield* fill("a")
        assert.strictEqual((yield* messages({ channel: "a" })).length, 20)
        yield* deleteMessages("a")
        assert.deepStrictEqual(yield* messages({ channel: "a" }), [])
        yield* fill("b", "1 hour")
        assert.strictEqual((yield* messages({ channel: "b" })).length, 20)
        yield* TestClock.adjust("2 hours")
        assert.deepStrictEqual(yield* messages({ channel: "b" }), [])
      }
      yield* fill("c")
      assert.strictEqual((yield* messages({ channel: "c" })).length, 20)
    }).pipe(emulated({ limits: { storedBytes: 41_000 } })))

  it.effect(
    "keeps memory below the limit when 100,000 channels are used once each",
    () =>
      Effect.gen(function*() {
        const { messages, publishAll } = yield* emulator
        const all = (round: number) =>
          Array.from({ length: 20_000 }, (_, index) => ({ channel: `c-${round}-${index}`, message: index }))
        for (let round = 0; round < 2; round++) yield* publishAll(all(round))
        const before = heapUsed()
        for (let round = 2; round < 5; round++) yield* publishAll(all(round))
        assert.isBelow(heapUsed() - before, 10_000_000)
        assert.strictEqual((yield* messages({ channel: "c-0-0" })).length, 0)
        assert.strictEqual((yield* messages({ channel: "c-4-19999" })).length, 1)
      }).pipe(emulated({ limits: { storedBytes: 5_000_000 }, addOns: { presence: false } })),
    60_000
  )

  it.effect("limits the bytes of the readers' queues, and keeps the newest messages", () =>
    Effect.gen(function*() {
      const start = yield* handshake("a")
      const { publish } = yield* emulator
      for (let index = 0; index < 300; index++) {
        yield* publish({ channel: "a", message: `${index} ${"x".repeat(100_000)}`, store: false })
      }
      const { payloads } = yield* poll("a", start)
      assert.isAbove(payloads.length, 10)
      assert.isBelow(payloads.length, 30)
      assert.match(String(payloads.at(-1)), /^299 /)
    }).pipe(emulated({ limits: { storedBytes: 1_000_000 } })))

  it.effect("deletes the oldest message actions when storedBytes is reached", () =>
    Effect.gen(function*() {
      const { actions, addAction } = yield* emulator
      for (let index = 0; index < 100; index++) {
        yield* addAction({
          channel: index % 2 === 0 ? "a" : "b",
          type: "reaction",
          value: String(index),
          userId: "me",
          messageTimetoken: String(17_000_000_000_000_000n + BigInt(index))
        })
      }
      const left = [...yield* actions({ channel: "a" }), ...yield* actions({ channel: "b" })].map(({ value }) =>
        Number(value)
      )
      assert.strictEqual(left.length, 48)
      assert.strictEqual(Math.min(...left), 52)
    }).pipe(emulated({ limits: { storedBytes: 50_000 } })))

  it.effect("remembers fewer requests when their addresses are long, and cuts the addresses", () =>
    Effect.gen(function*() {
      const { handle, requests } = yield* emulator
      for (let index = 0; index < 2_000; index++) {
        yield* handle({ method: "GET", target: `/time/0?n=${index}&x=${"x".repeat(30_000)}`, headers: {}, body: "" })
      }
      yield* handle({ method: "GET", target: `/time/0?${"x".repeat(10_000_000)}`, headers: {}, body: "" })
      const kept = yield* requests
      assert.isBelow(kept.length, 600)
      assert.isAbove(kept.length, 400)
      assert.strictEqual(kept.at(-1)?.target.length, 32_768)
      assert.match(kept.at(-2)?.target ?? "", /n=1999&/)
    }).pipe(emulated()))

  it.effect("remembers the newest ten thousand requests", () =>
    Effect.gen(function*() {
      const { handle, requests } = yield* emulator
      for (let index = 0; index < 25_000; index++) {
        yield* handle({ method: "GET", target: `/time/0?n=${index}`, headers: {}, body: "" })
      }
      const targets = (yield* requests).map(({ target }) => target)
      assert.deepStrictEqual([targets.length, targets[0], targets.at(-1)], [
        10_000,
        "/time/0?n=15000",
        "/time/0?n=24999"
      ])
    }).pipe(emulated()))
})

describe("requests and layers", () => {
  it.effect("stores a publish whose caller is interrupted while it waits for the answer", () =>
    Effect.gen(function*() {
      const { messages, requests } = yield* emulator
      const cursor = yield* handshake("a").pipe(Effect.timeoutOption("2 seconds"), forked)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(cursor)
      const fiber = yield* forked(publish("a", "stored"))
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual((yield* messages({ channel: "a" })).map(({ payload }) => payload), ["stored"])
      assert.strictEqual((yield* requests).length, 2)
    }).pipe(emulated({ latency: Effect.succeed("1 second") })))

  it.effect("stores a publish whole or not at all when it is interrupted at any moment", () =>
    Effect.gen(function*() {
      const { messages } = yield* emulator
      let stored = 0
      for (let turns = 0; turns < 12; turns++) {
        const cursor = yield* handshake("a")
        const fiber = yield* Effect.forkChild(Effect.andThen(Effect.yieldNow, publish("a", turns)))
        for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        const kept = (yield* messages({ channel: "a" })).length - stored
        stored += kept
        // What is kept is what a reader gets: one, or none.
        assert.isAtMost(kept, 1)
        const { payloads } = yield* poll("a", cursor)
        assert.strictEqual(payloads.length, kept)
      }
      assert.isAbove(stored, 0)
      assert.isBelow(stored, 12)
    }).pipe(emulated({ hold: "0 millis", addOns: { presence: false } })))

  it.effect("wakes a reader only after the whole request was handled", () =>
    Effect.gen(function*() {
      const cursor = yield* handshake("spy")
      const reader = yield* forked(poll("a-pnpres,b-pnpres", cursor))
      yield* presence("/channel/a,b/heartbeat", { uuid: "ada" })
      assert.deepStrictEqual((yield* Fiber.join(reader)).envelopes.map(({ c }) => c), ["a-pnpres", "b-pnpres"])
    }).pipe(emulated()))

  it.effect("runs handlers with the caller's clock and random, and with no other service of the caller", () => {
    const Setting = Context.Reference<string>("test/Setting", { defaultValue: () => "default" })
    class Secret extends Context.Service<Secret, string>()("test/Secret") {}
    const seen: Array<unknown> = []
    const latency = Effect.gen(function*() {
      seen.push(yield* Setting, (yield* Effect.serviceOption(Secret))._tag, yield* Random.next)
      return "1 second" as const
    })
    return Effect.gen(function*() {
      const request = get("/time/0").pipe(
        Effect.provideService(Setting, "the caller's"),
        Effect.provideService(Secret, "the caller's"),
        Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0.25, nextIntUnsafe: () => 1 })
      )
      const fiber = yield* forked(request)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(seen, ["the emulator's", "None", 0.25])
    }).pipe(
      emulated({ latency }),
      Effect.provideService(Setting, "the emulator's")
    )
  })

  it.effect("resets the waiting polls at restart, and keeps the state", () =>
    Effect.gen(function*() {
      const { readers, restart } = yield* emulator
      const cursor = yield* handshake("a")
      const fibers = yield* Effect.all([forked(Effect.flip(poll("a", cursor))), forked(Effect.flip(poll("b", cursor)))])
      assert.strictEqual(yield* readers, 2)
      yield* restart
      for (const fiber of fibers) {
        const error = yield* Fiber.join(fiber)
        if (error._tag !== "HttpClientError" || error.reason._tag !== "TransportError") {
          return assert.fail("expected a TransportError")
        }
        assert.nestedPropertyVal(error.reason.cause, "cause.code", "ECONNRESET")
      }
      assert.strictEqual(yield* readers, 0)
      yield* publish("a", "after")
      assert.deepStrictEqual((yield* poll("a", cursor)).payloads, ["after"])
    }).pipe(emulated()))

  it.effect("records each request with its target, user and time", () =>
    Effect.gen(function*() {
      yield* VirtualTime.advance("1 minute")
      yield* publish("a/b", "x y")
      assert.deepStrictEqual(yield* emulator.use(({ requests }) => requests), [{
        method: "GET",
        target: "/publish/demo-pub/demo-sub/0/a%2Fb/0/%22x%20y%22?uuid=you",
        userId: "you",
        time: DateTime.makeUnsafe(60_000)
      }])
    }).pipe(emulated()))

  it.effect("makes one emulator per layer", () =>
    Effect.gen(function*() {
      yield* publish("a", "outer")
      const inner = Effect.gen(function*() {
        yield* publish("a", "inner")
        return (yield* emulator.use(({ messages }) => messages({ channel: "a" }))).map(({ payload }) => payload)
      })
      assert.deepStrictEqual(yield* Effect.provide(inner, PubNubEmulator.layer()), ["inner"])
      assert.deepStrictEqual(yield* inner, ["outer", "inner"])
    }).pipe(emulated()))

  it.effect("answers on any host", () =>
    Effect.gen(function*() {
      for (const origin of ["http://localhost:1", "https://ps.pndsn.com"]) {
        assert.strictEqual((yield* HttpClient.get(`${origin}/time/0`)).status, 200)
      }
    }).pipe(emulated()))

  it.effect("shows the newest events of one channel or of all, and the names of channels, groups and refused tokens", () =>
    Effect.gen(function*() {
      const {
        addToGroup,
        channelNames,
        emit,
        events,
        expireToken,
        groups,
        publish,
        refusedTokens,
        revokeToken,
        setUser
      } = yield* emulator
      const { signal } = yield* emulator
      yield* publish({ channel: "b", message: 1, meta: { a: 1 }, publisher: "ada", customMessageType: "text" })
      const { timetoken } = yield* signal({ channel: "a", message: "typing" })
      yield* emit({ channel: "c", kind: 9, payload: null })
      yield* setUser({ id: "ada", name: "Ada" })
      yield* handshake("p")
      const all = yield* events()
      assert.deepStrictEqual(
        all.map(({ channel, kind }) => [channel, kind]),
        [["b", "Message"], ["a", "Signal"], ["c", 9], ["ada", "AppContext"], ["p-pnpres", "Message"]]
      )
      assert.deepInclude(all[0], { payload: 1, meta: { a: 1 }, publisher: "ada", customMessageType: "text" })
      assert.deepStrictEqual((yield* events({ limit: 2 })).map(({ channel }) => channel), ["ada", "p-pnpres"])
      assert.deepStrictEqual((yield* events({ channel: "a" })).map((event) => event.timetoken), [timetoken])
      assert.deepStrictEqual(yield* channelNames, ["a", "ada", "b", "c", "p"])
      yield* addToGroup({ group: "g", channels: ["a"] })
      assert.deepStrictEqual(yield* groups, ["g"])
      yield* revokeToken("one")
      yield* expireToken("two")
      assert.deepStrictEqual(yield* refusedTokens, [
        { token: "one", reason: "revoked" },
        { token: "two", reason: "expired" }
      ])
    }).pipe(emulated()))

  it.effect("shows no event that is too old for readers", () =>
    Effect.gen(function*() {
      const { channelNames, events, publish } = yield* emulator
      yield* publish({ channel: "a", message: 1 })
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* events(), [])
      assert.deepStrictEqual(yield* channelNames, ["a"])
    }).pipe(emulated({ limits: { queueRetention: "1 minute" } })))
})
