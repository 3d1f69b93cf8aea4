import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Clock_ from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Publish, PubNubConfig, Subscribe, type SubscribeError, type SubscribeEvent } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as Marks from "../../src/pubnub/internal/reading/marks.ts"
import { emulated, queryOf, requestsTo, start } from "../kit/emulated.ts"
import { collectConnected } from "../kit/collect.ts"
import { payloads, tags } from "../kit/events.ts"

const envelope = (n: number) =>
  JSON.stringify({ c: "a", d: n, i: "bob", p: { t: `1790000000000000${n}`, r: 1 }, k: "demo-sub" })

const emulator = PubNubEmulator.PubNubEmulator

describe("requests", () => {
  it.effect("send each name once, sorted, with its presence name and the filter", () =>
    Effect.gen(function*() {
      const { fiber } = yield* collectConnected(Subscribe.stream({
        channels: ["b", "a", "b", "x.*", "room #1"],
        groups: ["g", "g"],
        presence: true,
        filter: "meta.priority == \"high\""
      }))
      const [handshake, poll] = yield* requestsTo("/v2/subscribe")
      assert.include(
        handshake!.target,
        "/v2/subscribe/demo-sub/a,a-pnpres,b,b-pnpres,room%20%231,room%20%231-pnpres,x.%2A,x.%2A-pnpres/0?"
      )
      assert.strictEqual(queryOf(handshake!).get("channel-group"), "g,g-pnpres")
      assert.strictEqual(queryOf(handshake!).get("filter-expr"), "meta.priority == \"high\"")
      assert.strictEqual(queryOf(handshake!).get("heartbeat"), "30")
      assert.isFalse(queryOf(handshake!).has("tt"))
      assert.match(queryOf(poll!).get("tt")!, /^\d{17}$/)
      assert.strictEqual(queryOf(poll!).get("tr"), "1")
      yield* Fiber.interrupt(fiber)
      const [leave] = yield* requestsTo("/v2/presence")
      assert.include(leave!.target, "/channel/a,b,room%20%231,x.%2A/leave?channel-group=g&")
      yield* collectConnected(Subscribe.stream({ channels: ["quiet"] }))
      assert.include((yield* requestsTo("/v2/subscribe")).at(-1)!.target, "/demo-sub/quiet/0?")
    }).pipe(Effect.provide(emulated({ config: { presenceTimeout: "30 seconds" } }))))

  it.effect("have a comma in place of channels when there are only groups", () =>
    Effect.gen(function*() {
      const { fiber } = yield* collectConnected(Subscribe.stream({ groups: ["g"] }))
      yield* Fiber.interrupt(fiber)
      const requests = yield* Effect.map(emulator.use((_) => _.requests), (all) => all.map(({ target }) => target))
      assert.isTrue(requests.every((target) => target.includes("/,/")), requests.join("\n"))
    }).pipe(Effect.provide(emulated())))

  const wrong: ReadonlyArray<readonly [string, Subscribe.StreamOptions]> = [
    ["nothing", {}],
    ["empty lists", { channels: [], groups: [] }],
    ["an empty name", { channels: [""] }],
    ["a comma", { channels: ["a,b"] }],
    ["an asterisk in the middle", { channels: ["a.*.b"] }],
    ["four segments", { channels: ["a.b.c.*"] }],
    ["a wildcard group", { groups: ["a.*"] }],
    ["a short position", { channels: ["a"], from: { position: "1595634632", delivered: [] } }],
    ["too many names", { channels: Array.from({ length: 1_000 }, (_, i) => `${"x".repeat(60)}${i}`) }]
  ]
  it.effect.each(wrong)("%s is refused before a request is made", ([, target]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Stream.runDrain(Subscribe.stream(target)))
      assert.strictEqual(error.reason._tag, "BadRequest")
      assert.include(error.message, "Nothing was sent")
      assert.deepStrictEqual(yield* emulator.use((_) => _.requests), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("a wrong configuration is refused before a request is made", () =>
    Effect.gen(function*() {
      for (
        const [change, tag] of [[{ userId: "" }, "BadRequest"], [{ subscribeKey: "" }, "InvalidKey"]] as const
      ) {
        const error = yield* Stream.runDrain(Subscribe.stream({ channels: ["a"] })).pipe(
          Effect.flip,
          Effect.provide(PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", ...change }))
        )
        assert.strictEqual(error.reason._tag, tag)
      }
      assert.deepStrictEqual(yield* emulator.use((_) => _.requests), [])
    }).pipe(Effect.provide(emulated())))
})

describe("events", () => {
  it.effect("come from channels, wildcards and groups, with all their fields", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      yield* service.addToGroup({ group: "crew", channels: ["team"] })
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a", "x.*"], groups: ["crew"] }))
      const { timetoken } = yield* Publish.publish({
        channel: "a",
        message: { n: 1 },
        meta: { m: true },
        customMessageType: "note"
      })
      yield* service.publish({ channel: "x.y", message: 2, publisher: "bob", region: 7 })
      yield* service.publish({ channel: "team", message: 3 })
      yield* service.publish({ channel: "elsewhere", message: 4 })
      yield* Publish.fire({ channel: "a", message: 5 })
      yield* VirtualTime.advance("1 second")
      const [connected, first, second, third, ...rest] = seen
      assert.deepInclude(connected, { _tag: "Connected", channels: ["a", "x.*"], groups: ["crew"] })
      assert.deepInclude(first ?? {}, {
        _tag: "Message",
        channel: "a",
        subscription: "a",
        timetoken,
        region: 1,
        publisher: "ada",
        payload: { n: 1 },
        meta: { m: true },
        customMessageType: "note"
      })
      assert.deepInclude(second ?? {}, { channel: "x.y", subscription: "x.*", publisher: "bob", region: 7, payload: 2 })
      assert.deepInclude(third ?? {}, { channel: "team", subscription: "crew", payload: 3 })
      assert.isFalse("publisher" in third!)
      assert.deepStrictEqual(rest, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("are only those that the filter matches", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], filter: "meta.level > 3" }))
      for (const level of [1, 5, 3, 4]) yield* Publish.publish({ channel: "a", message: level, meta: { level } })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [5, 4])
    }).pipe(Effect.provide(emulated())))

  it.effect("of a channel that is also in a group are delivered once", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      yield* service.addToGroup({ group: "crew", channels: ["a"] })
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], groups: ["crew"] }))
      yield* service.publish({ channel: "a", message: 1 })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
      const polls = (yield* requestsTo("/v2/subscribe")).length
      assert.strictEqual(polls, 3, "handshake, the poll that got it twice, the next")
    }).pipe(Effect.provide(emulated())))

  it.effect("that differ and share channel, timetoken and publisher are all delivered", () =>
    Effect.gen(function*() {
      const membership = (user: string) => ({
        c: "a",
        e: 2,
        p: { t: "17900000000000005", r: 1 },
        k: "demo-sub",
        b: "a",
        d: {
          source: "objects",
          version: "2.0",
          event: "set",
          type: "membership",
          data: { channel: { id: "a" }, uuid: { id: user } }
        }
      })
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.memberships({ channels: ["a"] }))
      yield* service.emitRaw({ channel: "a", envelope: membership("bob") })
      yield* service.emitRaw({ channel: "a", envelope: membership("eve") })
      yield* service.emitRaw({ channel: "a", envelope: membership("bob") })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(seen.map(({ userId: user }) => String(user)), ["bob", "eve"])
    }).pipe(Effect.provide(emulated())))

  it.effect("that cannot be decoded are Undecodable one by one, and the others of the page are delivered", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* Effect.all([
        service.publish({ channel: "a", message: 1 }),
        service.emitRaw({ channel: "a", envelope: { c: "a", d: 2, p: { t: "soon" } } }),
        service.emitRaw({ channel: "a", envelope: null }),
        service.publish({ channel: "a", message: 3 })
      ])
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(seen), ["Connected", "Message", "Undecodable", "Undecodable", "Message"])
      assert.deepInclude(seen[2], { raw: { c: "a", d: 2, p: { t: "soon" } } })
      assert.deepInclude(seen[3] ?? {}, { raw: null })
    }).pipe(Effect.provide(emulated())))

  it.effect("of Subscribe.presence are joins, leaves, timeouts, states and intervals", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.presence({ channels: ["a"] }))
      const other = yield* Effect.forkChild(
        Stream.runDrain(Subscribe.stream({ channels: ["a"] })).pipe(
          Effect.provide(PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "bob", origin: "emulator" }))
        )
      )
      yield* VirtualTime.advance("1 second")
      yield* Fiber.interrupt(other)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(
        seen.map((event) => [event._tag, "userId" in event ? event.userId : "", event.occupancy]),
        [["Joined", "ada", 1], ["Joined", "bob", 2], ["Left", "bob", 1]]
      )
      const service = yield* emulator
      const timestamp = 1_790_000_000
      for (
        const payload of [
          { action: "timeout", uuid: "eve" },
          { action: "state-change", uuid: "ada", data: { x: 1 } },
          { action: "interval", occupancy: 1 }
        ]
      ) yield* service.emit({ channel: "a-pnpres", kind: "Message", payload: { timestamp, ...payload } })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(seen.slice(3).map((event) => event._tag), ["TimedOut", "StateChanged", "Interval"])
    }).pipe(Effect.provide(emulated())))
})

describe("payloads with a schema", () => {
  const Order = Schema.Struct({ id: Schema.Int, placed: Schema.DateTimeUtc })
  const placed = "2026-01-02T03:04:05.000Z"

  it.effect("are decoded; one that does not match is Undecodable in its place", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], schema: Order }))
      for (const message of [{ id: 1, placed }, { id: "two" }, { id: 3, placed }]) {
        yield* service.publish({ channel: "a", message, publisher: "bob" })
      }
      yield* service.signal({ channel: "a", message: "free text" })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(seen), ["Connected", "Message", "Undecodable", "Message", "Signal"])
      const first = seen[1]
      if (first?._tag !== "Message") return assert.fail("no message")
      assert.strictEqual(first.payload.id, 1)
      assert.strictEqual(first.payload.placed.toString(), "DateTime.Utc(2026-01-02T03:04:05.000Z)")
      assert.deepInclude({ ...seen[2] }, { channel: "a", publisher: "bob", raw: { id: "two" } } as object)
    }).pipe(Effect.provide(emulated())))

  it.effect("keep their order when the schema takes time for some of them", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const schema = Schema.Int.pipe(Schema.decode({
        decode: SchemaGetter.transformEffect((value: number) =>
          value === 2 ? Effect.delay(Effect.succeed(20), "1 second") : Effect.succeed(value * 10)
        ),
        encode: SchemaGetter.transform((value: number) => value / 10)
      }))
      const { seen } = yield* collectConnected(Subscribe.messages({ channels: ["a"], schema }))
      for (const message of [1, 2, 3]) yield* service.publish({ channel: "a", message })
      yield* VirtualTime.advance("3 seconds")
      assert.deepStrictEqual(seen.map(({ payload }) => payload), [10, 20, 30])
    }).pipe(Effect.provide(emulated())))

  it.effect("of signals are decoded; one that does not match is a notice", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const notices: Array<SubscribeEvent.Notice> = []
      const { seen } = yield* collectConnected(Subscribe.signals({
        channels: ["a"],
        schema: Schema.Literals(["on", "off"]),
        onStatus: (notice) => Effect.sync(() => notices.push(notice))
      }))
      for (const message of ["on", "sideways", "off"]) yield* service.signal({ channel: "a", message })
      yield* service.publish({ channel: "a", message: { any: "thing" } })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(seen.map(({ payload }) => payload), ["on", "off"])
      assert.deepStrictEqual(tags(notices), ["Connected", "Undecodable"])
    }).pipe(Effect.provide(emulated())))
})

describe("streams of one kind", () => {
  it.effect("give the events of their kind only", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const target = { channels: ["a"] }
      const families = {
        messages: yield* collectConnected(Subscribe.messages(target)),
        signals: yield* collectConnected(Subscribe.signals(target)),
        actions: yield* collectConnected(Subscribe.messageActions(target)),
        users: yield* collectConnected(Subscribe.users(target)),
        channels: yield* collectConnected(Subscribe.channels(target)),
        memberships: yield* collectConnected(Subscribe.memberships(target)),
        files: yield* collectConnected(Subscribe.files(target)),
        statuses: yield* collectConnected(Subscribe.statuses(target))
      }
      const object = (event: string, type: string, data: unknown) =>
        service.emit({
          channel: "a",
          kind: "AppContext",
          payload: { source: "objects", version: "2.0", event, type, data }
        })
      yield* service.publish({ channel: "a", message: 1 })
      yield* service.signal({ channel: "a", message: 2 })
      const data = { type: "r", value: "v", actionTimetoken: "17900000000000001", messageTimetoken: "1595634632" }
      yield* service.emit({ channel: "a", kind: "MessageAction", publisher: "bob", payload: { event: "added", data } })
      yield* service.emit({
        channel: "a",
        kind: "MessageAction",
        publisher: "bob",
        payload: { event: "removed", data }
      })
      yield* object("set", "uuid", { id: "bob", name: null, custom: {}, updated: "2026-09-28T05:42:06.651180671Z" })
      yield* object("delete", "uuid", { id: "bob" })
      yield* object("set", "channel", { id: "a", description: "d", eTag: "e" })
      yield* object("delete", "channel", { id: "a" })
      yield* object("set", "membership", { uuid: { id: "bob" }, channel: { id: "a" }, status: "x" })
      yield* object("delete", "membership", { uuid: { id: "bob" }, channel: { id: "a" } })
      yield* service.emit({ channel: "a", kind: "File", payload: { file: { id: "f", name: "n" } } })
      yield* service.emit({ channel: "a", kind: 99, payload: { new: "kind" } })
      yield* VirtualTime.advance("1 second")
      const seen = Object.fromEntries(Object.entries(families).map(([name, { seen }]) => [name, tags(seen)]))
      assert.deepStrictEqual(seen, {
        messages: ["Message"],
        signals: ["Signal"],
        actions: ["MessageActionAdded", "MessageActionRemoved"],
        users: ["UserSet", "UserRemoved"],
        channels: ["ChannelSet", "ChannelRemoved"],
        memberships: ["MembershipSet", "MembershipRemoved"],
        files: ["FileShared"],
        statuses: ["Connected"]
      })
      const [userSet] = families.users.seen
      if (userSet?._tag !== "UserSet") return assert.fail("no UserSet")
      assert.deepStrictEqual(
        [userSet.change.name?._tag, "email" in userSet.change, userSet.change.custom?._tag, String(userSet.userId)],
        ["None", false, "None", "bob"]
      )
    }).pipe(Effect.provide(emulated())))

  it.effect("give notices to onStatus in order; its failure ends the stream after the data before it", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen: statuses } = yield* collectConnected(Subscribe.statuses({ channels: ["a"] }))
      const order: Array<unknown> = []
      const ended = yield* Subscribe.messages({
        channels: ["a"],
        onStatus: (notice) =>
          Effect.sync(() => order.push(notice._tag)).pipe(
            Effect.andThen(notice._tag === "Undecodable" ? Effect.fail("enough") : Effect.void)
          )
      }).pipe(
        Stream.runForEach((message) => Effect.sync(() => order.push(message.payload))),
        Effect.flip,
        Effect.forkChild
      )
      yield* VirtualTime.advance("1 second")
      yield* Effect.all([
        service.publish({ channel: "a", message: 1 }),
        service.emit({ channel: "a", kind: 99, payload: null }),
        service.publish({ channel: "a", message: 2 }),
        service.emitRaw({ channel: "a", envelope: 7 }),
        service.publish({ channel: "a", message: 3 })
      ])
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* Fiber.join(ended), "enough")
      assert.deepStrictEqual(order, ["Connected", 1, "Unknown", 2, "Undecodable"])
      assert.deepStrictEqual(statuses.map((status) => status._tag), ["Connected"])
    }).pipe(Effect.provide(emulated())))
})

it.effect("without onStatus, a possible loss is logged as a warning, and nothing else is", () =>
  Effect.gen(function*() {
    const service = yield* emulator
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => lines.push(`${logLevel}: ${String([message].flat()[0])}`))
    const { seen } = yield* collectConnected(Subscribe.messages({ channels: ["a"] })).pipe(
      Effect.provide(Logger.layer([logger]))
    )
    yield* service.emitRaw({ channel: "a", envelope: { c: "a" } })
    yield* VirtualTime.advance("1 second")
    yield* service.restart
    yield* VirtualTime.advance("3 seconds")
    yield* service.publish({ channel: "a", message: 1 })
    yield* VirtualTime.advance("1 second")
    assert.deepStrictEqual(seen.map(({ payload }) => payload), [1])
    assert.strictEqual(lines.length, 2)
    assert.match(lines[0]!, /^Warn: an event on an unknown channel at an unknown time cannot be read: /)
    assert.match(lines[1]!, /^Warn: interrupted: /)
  }).pipe(Effect.provide(emulated())))

it.effect("without onStatus, the warning of a payload that does not match names its channel and timetoken", () =>
  Effect.gen(function*() {
    const service = yield* emulator
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => lines.push(`${logLevel}: ${String([message].flat()[0])}`))
    yield* collectConnected(Subscribe.messages({ channels: ["a"], schema: Schema.Int })).pipe(
      Effect.provide(Logger.layer([logger]))
    )
    const { timetoken } = yield* service.publish({ channel: "a", message: "x" })
    yield* VirtualTime.advance("1 second")
    assert.deepStrictEqual(lines, [`Warn: an event on a at ${timetoken} cannot be read: Expected number`])
  }).pipe(Effect.provide(emulated())))

describe("cursors", () => {
  const from = (from: Subscribe.From) => Subscribe.stream({ channels: ["a", "b"], from })

  it.effect("of any event resume without repeating or skipping one", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a", "b"] }))
      yield* service.restart
      // Three pages: alone, together, and together with another region's late one.
      for (let n = 0; n < 12; n++) {
        yield* service.publish({ channel: n % 2 ? "a" : "b", message: n, publisher: "p" })
        if (n === 3 || n === 8) yield* VirtualTime.advance("2 seconds")
      }
      yield* VirtualTime.advance("2 seconds")
      yield* Fiber.interrupt(fiber)
      const messages = seen.filter((event) => event._tag === "Message")
      assert.deepStrictEqual(payloads(messages), Array.from({ length: 12 }, (_, n) => n))
      for (const [n, message] of messages.entries()) {
        const resumed = yield* collectConnected(from(message.cursor))
        yield* Fiber.interrupt(resumed.fiber)
        assert.deepStrictEqual(
          payloads(resumed.seen),
          Array.from({ length: 11 - n }, (_, i) => n + 1 + i),
          `after ${n}`
        )
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("resume without repeating an event when the service divides its pages differently", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({
        channels: ["a"],
        from: {
          position: "17900000000000000",
          region: 1,
          delivered: ["17900000000000001/a/bob", "17900000000000002/a/bob"].map(Marks.of)
        }
      }))
      assert.deepStrictEqual(payloads(seen), [3, 4])
    }).pipe(Effect.provide([
      Transport.layerScripted([
        { body: "{\"t\":{\"t\":\"17900000000000000\",\"r\":1},\"m\":[]}" },
        { body: `{"t":{"t":"17900000000000001","r":1},"m":[${envelope(1)}]}` },
        { body: `{"t":{"t":"17900000000000003","r":1},"m":[${envelope(2)},${envelope(3)}]}` },
        { body: `{"t":{"t":"17900000000000004","r":1},"m":[${envelope(4)}]}` },
        { never: true }
      ]),
      PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host" }),
      Layer.effectDiscard(TestClock.setTime(start))
    ])))

  it.effect("may be a timetoken, with or without a region", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const first = (yield* service.publish({ channel: "a", message: 1 })).timetoken
      yield* service.publish({ channel: "a", message: 2 })
      for (const start of [first, { timetoken: first }, { timetoken: first, region: 9 }]) {
        const { fiber, seen } = yield* collectConnected(from(start))
        assert.deepStrictEqual(payloads(seen), [2])
        yield* Fiber.interrupt(fiber)
      }
      const regions = (yield* requestsTo("/v2/subscribe")).map((request) => queryOf(request).get("tr"))
      assert.deepStrictEqual(regions.filter((region) => region === "9").length, 1)
    }).pipe(Effect.provide(emulated())))

  it.effect("take position and region of each page, also of an empty one", () =>
    Effect.gen(function*() {
      yield* Stream.runDrain(Subscribe.stream({ channels: ["a"] })).pipe(
        Effect.timeoutOption("1 second"),
        Effect.forkChild
      )
      yield* VirtualTime.advance("2 seconds")
      const polls = (yield* Transport.Exchanges.use(({ all }) => all)).map(({ url }) => new URL(url).searchParams)
      assert.deepStrictEqual(
        polls.slice(0, 4).map((query) => [query.get("tt"), query.get("tr")]),
        [[null, null], ["17900000000000001", "4"], ["17900000000000002", "5"], ["17900000000000001", "0"]]
      )
    }).pipe(Effect.provide([
      Transport.layerScripted([
        { body: "{\"t\":{\"t\":\"17900000000000001\",\"r\":4},\"m\":[]}" },
        { body: "{\"t\":{\"t\":\"17900000000000002\",\"r\":5},\"m\":[]}" },
        { body: "{\"t\":{\"t\":\"17900000000000001\",\"r\":0},\"m\":[]}" },
        { never: true }
      ]),
      PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host" }),
      Layer.effectDiscard(TestClock.setTime(start))
    ])))

  it.effect("do not follow a position far ahead: it is doubted, and no message is skipped", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* service.publish({ channel: "a", message: 1 })
      yield* VirtualTime.advance("1 second")
      yield* service.publish({ channel: "a", message: 2 })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(seen), ["Connected", "CursorDoubted", "Message", "Message"])
      assert.deepStrictEqual(payloads(seen), [1, 2])
    }).pipe(Effect.provide(emulated({ script: [{ on: "poll", fault: Faults.Fault.FutureCursor() }] }))))
})

describe("reconnecting", () => {
  const faults = Faults.Fault

  it.effect("emits Interrupted at once with reason, cursor, attempt and delay, and Reconnected at its end", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* service.publish({ channel: "a", message: "before" })
      yield* VirtualTime.advance("1 second")
      yield* service.restart
      yield* VirtualTime.advance("10 millis")
      const interrupted = seen.at(-1)
      if (interrupted?._tag !== "Interrupted") return assert.fail(JSON.stringify(seen))
      assert.strictEqual(interrupted.reason._tag, "Transport")
      assert.strictEqual(interrupted.attempt, 1)
      assert.isTrue(
        Duration.between(interrupted.retryIn, { minimum: Duration.millis(500), maximum: Duration.seconds(1) })
      )
      yield* service.publish({ channel: "a", message: "meanwhile" })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(seen), ["Connected", "Message", "Interrupted", "Reconnected", "Message"])
      const resumed = yield* collectConnected(Subscribe.stream({ channels: ["a"], from: interrupted.cursor }))
      assert.deepStrictEqual(payloads(resumed.seen), ["meanwhile"])
    }).pipe(Effect.provide(emulated())))

  it.effect("retries every 0.5 to 30 seconds in an outage of an hour, and loses nothing", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { injected } = yield* Faults.Faults
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      const faulty = yield* Faults.Faults
      yield* faulty.add({ fault: faults.ConnectionRefused(), lasting: "1 hour" })
      yield* service.restart
      yield* VirtualTime.advance("59 minutes")
      yield* service.publish({ channel: "a", message: "meanwhile" })
      yield* VirtualTime.advance("2 minutes")
      const times = (yield* injected).map(({ time }) => time.epochMilliseconds)
      const apart = times.slice(1).map((time, index) => time - times[index]!)
      assert.isAtLeast(Math.min(...apart), 500)
      assert.isAtMost(Math.max(...apart), 30_000)
      assert.isAbove(times.length, 100)
      assert.deepStrictEqual(payloads(seen), ["meanwhile"])
      assert.deepStrictEqual(tags(seen).filter((tag) => tag !== "Interrupted"), ["Connected", "Reconnected", "Message"])
    }).pipe(Effect.provide(emulated())))

  it.effect("waits at least as long as Retry-After says", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      const interrupted = seen[0]
      if (interrupted?._tag !== "Interrupted") return assert.fail("not interrupted")
      assert.strictEqual(interrupted.reason._tag, "RateLimited")
      assert.strictEqual(Duration.toSeconds(interrupted.retryIn), 20)
      yield* VirtualTime.advance("18 seconds")
      assert.deepStrictEqual(yield* requestsTo("/v2/subscribe"), [])
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(tags(seen), ["Interrupted", "Connected"])
    }).pipe(
      Effect.provide(
        emulated({ script: [{ on: "handshake", fault: faults.RateLimited({ retryAfter: "20 seconds" }) }] })
      )
    ))

  it.effect("cuts a silent poll after pollTimeout, and polls again from the same cursor without an event", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("30 seconds")
      yield* service.publish({ channel: "a", message: 1 })
      yield* VirtualTime.advance("23 seconds")
      assert.deepStrictEqual(payloads(seen), [], "the connection is half-open")
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(tags(seen), ["Connected", "Message"])
    }).pipe(Effect.provide(emulated({ script: [{ on: "poll", fault: faults.HalfOpen() }] }))))

  it.effect("emits Interrupted with Timeout when the connection does not answer at all any more", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* Faults.Faults.use((faulty) => faulty.add({ fault: faults.HalfOpen(), lasting: "10 minutes" }))
      yield* VirtualTime.advance("60 seconds")
      assert.deepStrictEqual(tags(seen), ["Connected"])
      yield* VirtualTime.advance("10 seconds")
      const last = seen.at(-1)
      // A leave waits a second for its answer, and nobody moves the clock any more.
      yield* Faults.Faults.use((faulty) => faulty.heal)
      assert.strictEqual(last?._tag === "Interrupted" && last.reason._tag, "Timeout")
    }).pipe(Effect.provide(emulated())))

  it.effect("notices within five seconds of waking that the machine slept for eight hours", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* service.restart
      yield* VirtualTime.advance("2 seconds")
      const before = (yield* requestsTo("/v2/subscribe")).length
      yield* VirtualTime.jump("8 hours")
      yield* VirtualTime.advance("5 seconds")
      assert.isAbove((yield* requestsTo("/v2/subscribe")).length, before)
      yield* service.publish({ channel: "a", message: 1 })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(seen).slice(-2), ["Reconnected", "Message"])
    }).pipe(Effect.provide(emulated())))

  it.effect("emits GapSuspected before the next message after a long break that history cannot fill", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const away = (yield* service.publish({ channel: "a", message: "before" })).timetoken
      const asleep = yield* collectConnected(Subscribe.stream({ channels: ["a"], catchUp: "none" }))
      yield* VirtualTime.jump("8 hours")
      const back = yield* collectConnected(Subscribe.stream({ channels: ["a"], from: away, catchUp: "none" }))
      yield* VirtualTime.advance("10 minutes")
      for (const message of [1, 2]) {
        yield* service.publish({ channel: "a", message })
        yield* VirtualTime.advance("1 minute")
      }
      for (const { seen } of [asleep, back]) {
        assert.deepStrictEqual(tags(seen), ["Connected", "GapSuspected", "Message", "Message"])
        assert.deepInclude({ ...seen[1] }, { reason: "LongBreak" } as object)
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("does not take an answer from before a sleep as proof for the time since", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], catchUp: "none" }))
      yield* VirtualTime.jump("8 hours")
      // Wakes the poll that was open all the time.
      yield* service.publish({ channel: "a", message: "first" })
      yield* VirtualTime.advance("1 second")
      yield* service.publish({ channel: "a", message: "second" })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(seen), ["Connected", "Message", "GapSuspected", "Message"])
    }).pipe(Effect.provide(emulated())))

  it.effect.each([[130, ["GapSuspected"], 100], [100, ["GapSuspected"], 100], [99, [], 99]] as const)(
    "without catchUp, precedes a page of %i unread messages with %j",
    ([unread, suspicion, delivered]) =>
      Effect.gen(function*() {
        const service = yield* emulator
        const from = (yield* service.publish({ channel: "a", message: "first" })).timetoken
        const numbers = Array.from({ length: unread }, (_, n) => n)
        yield* Effect.forEach(numbers, (n) => service.publish({ channel: "a", message: n }))
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], from, catchUp: "none" }))
        assert.deepStrictEqual(tags(seen).slice(0, 1 + suspicion.length + 1), ["Connected", ...suspicion, "Message"])
        assert.deepStrictEqual(payloads(seen), numbers.slice(-delivered))
      }).pipe(Effect.provide(emulated()))
  )

  it.effect("follows the schedule of each kind of failure, and fails with Exhausted when it ends", () =>
    Effect.gen(function*() {
      const collected = yield* collectConnected(Subscribe.stream({
        channels: ["a"],
        reconnect: { ServerFailure: Schedule.max([Schedule.spaced("7 seconds"), Schedule.recurs(2)]) }
      }))
      yield* VirtualTime.advance("20 seconds")
      const exit = collected.fiber.pollUnsafe()
      if (exit === undefined || Exit.isSuccess(exit)) return assert.fail("still running")
      const error = Cause.findErrorOption(exit.cause)
      if (error._tag === "None") return assert.fail("no error")
      assert.deepInclude(error.value.reason, { _tag: "Exhausted", attempts: 3 })
      assert.deepStrictEqual(tags(collected.seen), ["Interrupted", "Interrupted", "Disconnected"])
      assert.strictEqual(
        collected.seen.flatMap((event) => event._tag === "Interrupted" ? [Duration.toSeconds(event.retryIn)] : [])
          .join(),
        "7,7"
      )
    }).pipe(
      Effect.provide(
        emulated({
          script: [{ on: "handshake", fault: faults.ServerError({ status: 500, handled: false }), times: 9 }]
        })
      )
    ))

  it.effect("follows the default schedule for a kind that is not given, or undefined", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(
        Subscribe.stream({ channels: ["a"], reconnect: { ServerFailure: undefined } })
      )
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(tags(seen), ["Interrupted", "Connected"])
    }).pipe(
      Effect.provide(
        emulated({ script: [{ on: "handshake", fault: faults.ServerError({ status: 500, handled: false }) }] })
      )
    ))

  it.effect("survives one 403, and fails with AccessDenied, the names and the cursor when it lasts", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const faulty = yield* Faults.Faults
      const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a", "b"], groups: ["g"] }))
      yield* faulty.add({ on: "poll", fault: faults.AccessDenied() })
      yield* service.restart
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(tags(seen).at(-1), "Reconnected")
      yield* service.publish({ channel: "a", message: "after" })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), ["after"])

      yield* service.deny({ channels: ["b"], groups: ["g"] })
      yield* service.restart
      yield* VirtualTime.advance("2 minutes")
      const error: SubscribeError.SubscribeError = yield* Effect.flip(Fiber.join(fiber))
      if (error.reason._tag !== "AccessDenied") return assert.fail(error.reason._tag)
      assert.deepStrictEqual([error.reason.channels, error.reason.groups], [["b"], ["g"]])
      yield* service.allow
      yield* service.publish({ channel: "a", message: "later" })
      const resumed = yield* collectConnected(Subscribe.stream({ channels: ["a", "b"], from: error.cursor }))
      assert.deepStrictEqual(payloads(resumed.seen), ["later"])
    }).pipe(Effect.provide(emulated())))

  it.effect("ends the stream at once when no retry can help", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const end = (target: Subscribe.StreamOptions) => Effect.flip(Stream.runDrain(Subscribe.stream(target)))
      assert.strictEqual((yield* end({ channels: ["a"], filter: "((" })).reason._tag, "BadRequest")
      yield* service.setAddOns({ streamController: false })
      assert.strictEqual((yield* end({ groups: ["g"] })).reason._tag, "FeatureDisabled")
      const unknown = yield* end({ channels: ["a"] }).pipe(
        Effect.provide(PubNubConfig.layer({ subscribeKey: "nobody", userId: "ada", origin: "emulator" }))
      )
      assert.strictEqual(unknown.reason._tag, "InvalidKey")
    }).pipe(Effect.provide(emulated())))
})

describe("groups without channels", () => {
  it.effect("are polled until they have a channel again, and no message is lost", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ groups: ["g"] }))
      yield* VirtualTime.advance("1 minute")
      // At least a second lies between two attempts, and not much more than five.
      const attempts = (yield* requestsTo("/v2/subscribe")).length
      assert.isTrue(attempts > 12 && attempts < 62, String(attempts))
      yield* service.addToGroup({ group: "g", channels: ["a"] })
      yield* VirtualTime.advance("6 seconds")
      yield* service.publish({ channel: "a", message: 1 })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
      yield* service.removeFromGroup({ group: "g", channels: ["a"] })
      yield* VirtualTime.advance("1 minute")
      yield* service.addToGroup({ group: "g", channels: ["b"] })
      yield* service.publish({ channel: "b", message: 2 })
      yield* VirtualTime.advance("6 seconds")
      assert.deepStrictEqual(payloads(seen), [1, 2])
      const reasons = seen.flatMap((event) => event._tag === "Interrupted" ? [event.reason._tag] : [])
      assert.deepStrictEqual(new Set(reasons), new Set(["EmptySubscription"]))
    }).pipe(Effect.provide(emulated())))

  it.effect("end the stream with Exhausted when their own schedule ends", () =>
    Effect.gen(function*() {
      const reconnect = { EmptySubscription: Schedule.recurs(1) }
      const error = yield* Effect.flip(Stream.runDrain(Subscribe.stream({ groups: ["g"], reconnect })))
      if (error.reason._tag !== "Exhausted") return assert.fail(error.reason._tag)
      assert.deepInclude({ ...error.reason.last }, { _tag: "EmptySubscription", status: 400 } as object)
      assert.include(error.message, "Add a channel to one of the groups")
      assert.isTrue(error.reason.last.isRetryable)
    }).pipe(Effect.provide(emulated())))

  it.effect("do not cause polls without a pause when a channel is removed", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      yield* service.addToGroup({ group: "g", channels: ["a", "b"] })
      const { seen } = yield* collectConnected(Subscribe.stream({ groups: ["g"] }))
      const before = (yield* requestsTo("/v2/subscribe")).length
      yield* service.removeFromGroup({ group: "g", channels: ["a"] })
      yield* service.publish({ channel: "b", message: 1 })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
      assert.isAtMost((yield* requestsTo("/v2/subscribe")).length - before, 3)
      assert.deepStrictEqual(tags(seen), ["Connected", "Message"])
    }).pipe(Effect.provide(emulated())))
})

describe("polls and leaves", () => {
  it.effect("a reader that does not pull makes no poll", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      yield* Subscribe.stream({ channels: ["a"] }).pipe(
        Stream.runForEach((event) => event._tag === "Message" ? Effect.never : Effect.void),
        Effect.forkChild
      )
      yield* VirtualTime.advance("1 second")
      yield* service.publish({ channel: "a", message: 1 })
      yield* VirtualTime.advance("1 hour")
      assert.strictEqual((yield* requestsTo("/v2/subscribe")).length, 2)
      assert.strictEqual(yield* service.readers, 0)
    }).pipe(Effect.provide(emulated())))

  it.effect("take(n) ends the poll, and leaves once", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const fiber = yield* Effect.forkChild(
        Subscribe.messages({ channels: ["a"] }).pipe(Stream.take(1), Stream.runCollect)
      )
      yield* VirtualTime.advance("1 second")
      yield* service.publish({ channel: "a", message: 1 })
      yield* VirtualTime.advance("1 second")
      assert.strictEqual((yield* Fiber.join(fiber)).length, 1)
      assert.strictEqual((yield* requestsTo("/v2/presence")).length, 1)
      assert.strictEqual(yield* service.readers, 0)
      assert.deepStrictEqual(yield* service.occupants({ channel: "a" }), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("interruption aborts the poll and leaves within a second, also on a dead network", () =>
    Effect.gen(function*() {
      const { fiber } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* Faults.Faults.use((faulty) => faulty.add({ fault: Faults.Fault.HalfOpen(), lasting: "1 hour" }))
      const before = yield* Clock_.currentTimeMillis
      const ending = yield* Effect.forkChild(Effect.andThen(Fiber.interrupt(fiber), Clock_.currentTimeMillis))
      yield* VirtualTime.advance("5 seconds")
      assert.strictEqual((yield* Fiber.join(ending)) - before, 1_000)
      assert.strictEqual(yield* emulator.use((_) => _.readers), 0)
      const injected = yield* Faults.Faults.use((faulty) => faulty.injected)
      assert.deepStrictEqual(injected.map(({ kind }) => kind), ["leave"])
    }).pipe(Effect.provide(emulated())))

  it.effect("no leave is sent when no channel was joined, or when sendLeave is false", () =>
    Effect.gen(function*() {
      const presence = yield* collectConnected(Subscribe.stream({ channels: ["a-pnpres"] }))
      yield* Fiber.interrupt(presence.fiber)
      const quiet = yield* PubNubConfig.PubNubConfig.use((config) =>
        collectConnected(
          Stream.provideService(Subscribe.stream({ channels: ["a"] }), PubNubConfig.PubNubConfig, {
            ...config,
            sendLeave: false
          })
        )
      )
      yield* Fiber.interrupt(quiet.fiber)
      yield* Faults.Faults.use((faulty) => faulty.add({ fault: Faults.Fault.ConnectionRefused(), lasting: "1 hour" }))
      const never = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* Fiber.interrupt(never.fiber)
      assert.deepStrictEqual(yield* requestsTo("/v2/presence"), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("two keysets, one nested in the other, each get their own messages", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const outer = yield* collectConnected(Subscribe.messages({ channels: ["a"] }))
      const inner = yield* collectConnected(Stream.provideService(
        Subscribe.messages({ channels: ["a"] }),
        PubNubConfig.PubNubConfig,
        PubNubConfig.make({ subscribeKey: "other-sub", userId: "bob", origin: "emulator" })
      ))
      yield* service.publish({ channel: "a", message: "outer" })
      yield* service.keyset("other-sub").publish({ channel: "a", message: "inner" })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(outer.seen.map(({ payload }) => payload), ["outer"])
      assert.deepStrictEqual(inner.seen.map(({ payload }) => payload), ["inner"])
    }).pipe(Effect.provide(emulated({
      emulator: {
        keysets: [
          { subscribeKey: "demo-sub", publishKey: "demo-pub" },
          { subscribeKey: "other-sub", publishKey: "other-pub" }
        ]
      }
    }))))

  it.effect("the token goes with every request, and a revoked one is AccessDenied", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { fiber } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      assert.isTrue((yield* service.requests).every((request) => queryOf(request).get("auth") === "tok/en+="))
      yield* service.revokeToken("tok/en+=")
      yield* service.restart
      yield* VirtualTime.advance("1 minute")
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.strictEqual(error.reason._tag, "AccessDenied")
      assert.isDefined(error.cursor)
    }).pipe(Effect.provide(emulated({ config: { authToken: Redacted.make("tok/en+=") } }))))
})
