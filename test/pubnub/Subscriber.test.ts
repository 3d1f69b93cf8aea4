import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { History, PubNubConfig, Subscribe, type SubscribeEvent, Subscriber, Subscription } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"
import { collect } from "../kit/collect.ts"
import { payloads, tags } from "../kit/events.ts"
import { numbers } from "../kit/numbers.ts"

const emulator = PubNubEmulator.PubNubEmulator
const faults = Faults.Fault

const world = (options: Parameters<typeof emulated>[0] = {}) => Layer.merge(Subscriber.layer(), emulated(options))

/** The layer in a scope that can be closed. */
const sharing = Effect.gen(function*() {
  const scope = yield* Scope.make()
  const context = yield* Layer.buildWithScope(Subscriber.layer(), scope)
  return {
    scope,
    stream: (options: Subscribe.StreamOptions) => Stream.provideContext(Subscribe.stream(options), context),
    statuses: Stream.provideContext(Subscriber.statuses, context)
  }
})

const gaps = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  events.flatMap((event) => event._tag === "Gap" || event._tag === "GapSuspected" ? [event] : [])

const burst = (length: number, options: { readonly channel?: string; readonly first?: number } = {}) =>
  emulator.use((service) =>
    service.publishAll(numbers(length, options.first).map((message) => ({ channel: options.channel ?? "a", message })))
  )

const publish = (channel: string, message: unknown) =>
  Effect.map(emulator.use((service) => service.publish({ channel, message })), ({ timetoken }) => timetoken)

const polls = requestsTo("/v2/subscribe")

const channelsOf = (request: PubNubEmulator.HandledRequest) =>
  decodeURIComponent(new URL(request.target, "http://emulator").pathname.split("/")[4]!)

describe("groups without channels", () => {
  it.effect("end no reader, and each gets the messages of a channel that is added later", () =>
    Effect.gen(function*() {
      const readers = yield* Effect.forEach(
        [["g"], ["h"], ["g", "h"]],
        (groups) => collect(Subscribe.stream({ groups }))
      )
      yield* VirtualTime.advance("1 minute")
      yield* emulator.use((service) => service.addToGroup({ group: "g", channels: ["a"] }))
      yield* VirtualTime.advance("10 seconds")
      yield* publish("a", 1)
      yield* VirtualTime.advance("1 second")
      yield* emulator.use((service) => service.removeFromGroup({ group: "g", channels: ["a"] }))
      yield* VirtualTime.advance("1 minute")
      yield* emulator.use((service) => service.addToGroup({ group: "h", channels: ["b"] }))
      yield* publish("b", 2)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(readers.map(({ seen }) => payloads(seen)), [[1], [2], [1, 2]])
      assert.isTrue(readers.every(({ fiber }) => fiber.pollUnsafe() === undefined))
    }).pipe(Effect.provide(world())))
})

describe("a shared connection", () => {
  it.effect("polls once for all streams, and gives each its own messages", () =>
    Effect.gen(function*() {
      const a = yield* collect(Subscribe.stream({ channels: ["a"] }))
      const b = yield* collect(Subscribe.stream({ channels: ["b", "x.*"] }))
      yield* VirtualTime.advance("1 second")
      yield* publish("a", 1)
      yield* publish("b", 2)
      yield* publish("x.y", 3)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(a.seen), [1])
      assert.deepStrictEqual(payloads(b.seen), [2, 3])
      assert.deepStrictEqual(tags(a.seen), ["Connected", "Message"])
      assert.deepInclude({ ...a.seen[0] }, { channels: ["a"], groups: [] } as object)
      // The first is asked for at once, the others with the next change.
      const asked = (yield* polls).map(channelsOf)
      assert.strictEqual(asked.at(-1), "a,b,x.*")
      assert.isAtMost(asked.filter((names) => names === "a").length, 2)
      assert.strictEqual(yield* emulator.use((service) => service.readers), 1)
    }).pipe(Effect.provide(world())))

  it.effect("makes few requests when a thousand streams start one by one", () =>
    Effect.gen(function*() {
      const readers = yield* Effect.forEach(numbers(1_000), (n) =>
        Effect.tap(
          collect(Subscribe.stream({ channels: [`channel-${n}`] })),
          () => n % 100 === 99 ? VirtualTime.advance("10 millis") : Effect.void
        ))
      yield* VirtualTime.advance("1 second")
      assert.isAtMost((yield* polls).length, 20)
      yield* emulator.use((service) =>
        service.publishAll(numbers(1_000).map((n) => ({ channel: `channel-${n}`, message: n })))
      )
      yield* VirtualTime.advance("10 seconds")
      for (const [n, { seen }] of readers.entries()) assert.deepStrictEqual(payloads(seen), [n])
    }).pipe(Effect.provide(world())))

  it.effect("makes two polls for 1,000 channels of 60 characters, and loses nothing", () =>
    Effect.gen(function*() {
      const channels = numbers(1_000).map((n) => `${n}-`.padEnd(60, "x"))
      const { seen } = yield* collect(Subscribe.stream({ channels }))
      yield* VirtualTime.advance("1 second")
      for (const { target } of yield* polls) assert.isAtMost(target.length, 32_768)
      assert.strictEqual(yield* emulator.use((service) => service.readers), 2)
      assert.deepStrictEqual(tags(seen), ["Connected"])
      yield* emulator.use((service) => service.publishAll(channels.map((channel, message) => ({ channel, message }))))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(seen).toSorted((a, b) => Number(a) - Number(b)), numbers(1_000))
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(world())))

  it.effect("loses nothing for a stream while others start and end", () =>
    Effect.gen(function*() {
      const a = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      for (const n of numbers(50)) {
        const other = yield* collect(Subscribe.stream({ channels: [`other-${n}`] }))
        yield* publish("a", n)
        yield* VirtualTime.advance("40 millis")
        yield* Fiber.interrupt(other.fiber)
        yield* VirtualTime.advance("40 millis")
      }
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(a.seen), numbers(50))
      assert.deepStrictEqual(tags(a.seen).filter((tag) => tag !== "Message"), ["Connected"])
      const leaves = yield* requestsTo("/v2/presence")
      assert.strictEqual(leaves.length, 50)
      assert.isTrue(leaves.every(({ target }) => /\/channel\/other-\d+\/leave/.test(target)))
    }).pipe(Effect.provide(world())))

  it.effect("gives a later stream no message from before its start", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      yield* publish("b", "before")
      yield* VirtualTime.advance("10 seconds")
      const late = yield* collect(Subscribe.stream({ channels: ["b"] }))
      yield* VirtualTime.advance("1 second")
      yield* publish("b", "after")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(late.seen), ["after"])
    }).pipe(Effect.provide(world())))

  it.effect("reads history first for a cursor of the past, for this stream alone", () =>
    Effect.gen(function*() {
      const from = yield* publish("a", "before")
      yield* burst(230)
      yield* VirtualTime.advance("1 hour")
      const now = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      const past = yield* collect(Subscribe.stream({ channels: ["a"], from }))
      yield* VirtualTime.advance("5 seconds")
      yield* publish("a", "live")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(past.seen), [...numbers(230), "live"])
      assert.deepStrictEqual(payloads(now.seen), ["live"])
    }).pipe(Effect.provide(world())))

  it.effect("has cursors that name the messages which history gave to one stream alone", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["b"] }))
      yield* VirtualTime.advance("1 second")
      const from = yield* publish("a", 0)
      for (const n of [1, 2]) yield* publish("a", n)
      // The poll is past them, and has not had them.
      yield* publish("b", "past")
      yield* VirtualTime.advance("1 second")
      const first = yield* collect(Subscribe.stream({ channels: ["a"], from }))
      yield* VirtualTime.advance("3 seconds")
      yield* publish("a", 3)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(first.seen), [1, 2, 3])
      yield* Fiber.interrupt(first.fiber)
      const last = first.seen.at(-1)
      if (last?._tag !== "Message") return assert.fail("the last is a message")
      const second = yield* collect(Subscribe.stream({ channels: ["a"], from: last.cursor }))
      yield* VirtualTime.advance("3 seconds")
      yield* publish("a", 4)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(second.seen), [4])
    }).pipe(Effect.provide(world())))

  it.effect("loses nothing for any stream in an outage with bursts", () =>
    Effect.gen(function*() {
      const readers = yield* Effect.forEach(["a", "b", "c"], (channel) =>
        collect(Subscribe.stream({ channels: [channel] })))
      yield* VirtualTime.advance("1 second")
      const faulty = yield* Faults.Faults
      yield* faulty.add({ fault: faults.ConnectionRefused(), lasting: "10 minutes" })
      yield* emulator.use((service) =>
        service.restart
      )
      yield* VirtualTime.advance("1 second")
      yield* burst(400, { channel: "a" })
      yield* burst(300, { channel: "b" })
      yield* VirtualTime.advance("11 minutes")
      assert.deepStrictEqual(readers.map(({ seen }) => payloads(seen).length), [400, 300, 0])
      for (const { seen } of readers) {
        assert.deepStrictEqual(gaps(seen), [])
        assert.include(tags(seen), "Interrupted")
        assert.include(tags(seen), "Reconnected")
      }
    }).pipe(Effect.provide(world())))

  it.effect("refuses bad input before it sends a request", () =>
    Effect.gen(function*() {
      for (
        const options of [
          {},
          { channels: ["a,b"] },
          { channels: [""] },
          { groups: ["a.*"] },
          { channels: ["a"], capacity: 0 },
          { channels: ["a"], capacity: NaN },
          { subscriptions: [Subscription.channel("a,b")] }
        ]
      ) {
        const error = yield* Effect.flip(Stream.runDrain(Subscribe.stream(options)))
        assert.strictEqual(error._tag === "SubscribeError" ? error.reason._tag : error._tag, "BadRequest")
      }
      const error = yield* Effect.flip(Effect.scoped(Subscribe.subscriptionSet({ channels: ["a,b"] })))
      assert.strictEqual(error.reason._tag, "BadRequest")
      assert.deepStrictEqual(yield* emulator.use((service) => service.requests), [])
    }).pipe(Effect.provide(world())))

  it.effect("refuses wrong schedules of the layer before it sends a request", () => {
    const options: Subscriber.Options = JSON.parse("{\"reconnect\":{\"Transport\":\"soon\"}}")
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Stream.runDrain(Subscribe.stream({ channels: ["a"] })))
      assert.strictEqual(error.reason._tag, "BadRequest")
      assert.include(error.message, "reconnect")
      const ofSet = yield* Effect.flip(Effect.scoped(Subscribe.subscriptionSet({ channels: ["a"] })))
      assert.strictEqual(ofSet.reason._tag, "BadRequest")
      assert.deepStrictEqual(yield* emulator.use((service) => service.requests), [])
    }).pipe(Effect.provide(Layer.merge(Subscriber.layer(options), emulated())))
  })
})

describe("a name that is added while a gap is read", () => {
  it.effect("starts where it was first added, also for a stream that starts later", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
      yield* collect(set.stream)
      yield* VirtualTime.advance("1 second")
      yield* publish("b", "before")
      yield* Faults.Faults.use(({ add }) =>
        add({ on: "history", fault: faults.ServerError({ status: 503, handled: false }), lasting: "1 minute" })
      )
      yield* burst(150)
      yield* VirtualTime.advance("1 second")
      yield* set.add("b")
      yield* VirtualTime.advance("5 seconds")
      const { seen } = yield* collect(Subscribe.stream({ channels: ["b"] }))
      yield* VirtualTime.advance("5 seconds")
      const after = yield* publish("b", "after")
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(payloads(seen), ["after"])
      const connected = seen.find(({ _tag }) => _tag === "Connected")
      if (connected?._tag !== "Connected") return assert.fail("it was not told")
      assert.isTrue(connected.cursor.position < after)
      // Who goes on from that cursor must not be given what was not its own.
      const again = yield* collect(Subscribe.stream({ channels: ["b"], from: connected.cursor }))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(again.seen), ["after"])
    }).pipe(Effect.provide(world())))
})

describe("slow readers", () => {
  /** A reader that takes one event and then waits for the hour to pass. */
  const slow = (options: Subscribe.StreamOptions) =>
    Effect.gen(function*() {
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      const fiber = yield* Subscribe.stream({ channels: ["a"], capacity: 10, ...options }).pipe(
        Stream.runForEach((event) =>
          Effect.andThen(
            Effect.sync(() => seen.push(event)),
            event._tag === "Message" && event.payload === 0 ? Effect.sleep("1 hour") : Effect.void
          )
        ),
        Effect.forkChild
      )
      const quick = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      return { seen, quick, fiber }
    })

  it.effect("with catchUp, read what they missed from history, and others are not affected", () =>
    Effect.gen(function*() {
      const { quick, seen } = yield* slow({})
      for (const round of numbers(30)) {
        yield* burst(20, { first: round * 20 })
        yield* VirtualTime.advance("10 seconds")
      }
      assert.deepStrictEqual(payloads(quick.seen), numbers(600))
      assert.isAtMost(payloads(seen).length, 20)
      yield* VirtualTime.advance("1 hour")
      yield* publish("a", 600)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(601))
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(world())))

  it.effect("with catchUp, get a Gap for signals, which history does not store", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* slow({})
      yield* burst(20)
      yield* VirtualTime.advance("1 second")
      for (const n of numbers(30)) yield* service.signal({ channel: "a", message: n })
      yield* VirtualTime.advance("2 hours")
      assert.deepStrictEqual(payloads(seen), numbers(20))
      assert.deepStrictEqual(
        gaps(seen).map((gap) => gap._tag === "Gap" ? [gap.channel, gap.reason, gap.kinds] : gap),
        [["a", "NotStored", ["Signal"]]]
      )
    }).pipe(Effect.provide(world())))

  it.effect.each(["sliding", "dropping"] as const)(
    "with %s, get one Gap of exactly the messages that were dropped",
    (strategy) =>
      Effect.gen(function*() {
        const { quick, seen } = yield* slow({ strategy })
        yield* publish("a", 0)
        yield* VirtualTime.advance("1 second")
        const sent = yield* burst(50, { first: 1 })
        yield* VirtualTime.advance("2 hours")
        yield* publish("a", 51)
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(payloads(quick.seen), numbers(52))
        const kept = strategy === "sliding" ? numbers(10, 41) : numbers(10, 1)
        assert.deepStrictEqual(payloads(seen), [0, ...kept, 51])
        const [gap, ...more] = gaps(seen)
        assert.deepStrictEqual(more, [])
        const missed = strategy === "sliding" ? [sent[0]!, sent[39]!] : [sent[10]!, sent[49]!]
        assert.deepInclude({ ...gap }, {
          channel: "a",
          reason: "InboxOverflow",
          since: missed[0],
          before: String(BigInt(missed[1]!) + 1n)
        } as object)
        // History reads with the bounds of the gap what is missing, and no more.
        if (gap?._tag !== "Gap") return assert.fail("no gap")
        const stored = yield* Stream.runCollect(History.stream({ ...gap, channel: "a" }))
        assert.deepStrictEqual(
          stored.map((entry) => entry._tag === "StoredMessage" ? entry.payload : entry._tag),
          strategy === "sliding" ? numbers(40, 1).toReversed() : numbers(40, 11).toReversed()
        )
        // In position: before what came after it.
        const at = seen.findIndex(({ _tag }) => _tag === "Gap")
        assert.strictEqual(payloads(seen.slice(0, at)).length, strategy === "sliding" ? 1 : 11)
      }).pipe(Effect.provide(world()))
  )

  it.effect("with fail, end after the queued messages, with a cursor from which nothing is lost", () =>
    Effect.gen(function*() {
      const { fiber, quick, seen } = yield* slow({ strategy: "fail" })
      yield* publish("a", 0)
      yield* VirtualTime.advance("1 second")
      yield* burst(50, { first: 1 })
      yield* VirtualTime.advance("2 hours")
      const error = yield* Effect.flip(Fiber.join(fiber))
      if (error.reason._tag !== "InboxOverflow") return assert.fail(error.message)
      assert.deepStrictEqual(payloads(seen), numbers(11))
      const again = yield* collect(Subscribe.stream({ channels: ["a"], from: error.cursor }))
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(again.seen), numbers(40, 11))
      assert.deepStrictEqual(payloads(quick.seen), numbers(51))
    }).pipe(Effect.provide(world())))

  it.effect("with suspend, hold up the poll for all readers, and nothing is lost", () =>
    Effect.gen(function*() {
      const { quick, seen } = yield* slow({ strategy: "suspend" })
      yield* publish("a", 0)
      yield* VirtualTime.advance("1 second")
      yield* burst(50, { first: 1 })
      yield* VirtualTime.advance("1 second")
      const before = (yield* polls).length
      yield* VirtualTime.advance("30 minutes")
      assert.strictEqual((yield* polls).length, before)
      yield* VirtualTime.advance("1 hour")
      yield* publish("a", 51)
      yield* VirtualTime.advance("1 hour")
      assert.deepStrictEqual(payloads(seen), numbers(52))
      assert.deepStrictEqual(payloads(quick.seen), numbers(52))
    }).pipe(Effect.provide(world())))

  it.effect("a handler that fails ends its own stream, and no other", () =>
    Effect.gen(function*() {
      const failing = yield* Subscribe.stream({ channels: ["a"] }).pipe(
        Stream.runForEach((event) => event._tag === "Message" ? Effect.fail("broken") : Effect.void),
        Effect.forkChild
      )
      const other = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      yield* burst(10)
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* Effect.flip(Fiber.join(failing)), "broken")
      assert.deepStrictEqual(payloads(other.seen), numbers(10))
    }).pipe(Effect.provide(world())))

  it.effect("with dropping, get the Gap before later messages, also when the inbox is never empty", () =>
    Effect.gen(function*() {
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      yield* Subscribe.stream({ channels: ["a"], capacity: 200, strategy: "dropping" }).pipe(
        // One page of a hundred a second.
        Stream.runForEachArray((events) =>
          Effect.andThen(Effect.sync(() => seen.push(...events)), Effect.sleep("1 second"))
        ),
        Effect.forkChild
      )
      yield* VirtualTime.advance("2 seconds")
      yield* burst(310)
      // What history has begins with a small page.
      yield* VirtualTime.advance("2500 millis")
      yield* burst(50, { first: 310 })
      yield* VirtualTime.advance("1 minute")
      const at = seen.findIndex(({ _tag }) => _tag === "Gap")
      assert.isAbove(at, 0)
      assert.isTrue(payloads(seen.slice(0, at)).every((n) => Number(n) < 310))
      assert.deepStrictEqual(payloads(seen.slice(at)).slice(-50), numbers(50, 310))
    }).pipe(Effect.provide(world())))

  it.effect("with suspend, keep the held messages when the connection is renewed", () =>
    Effect.gen(function*() {
      const { quick, seen } = yield* slow({ strategy: "suspend" })
      yield* publish("a", 0)
      yield* VirtualTime.advance("1 second")
      yield* burst(50, { first: 1 })
      yield* VirtualTime.advance("1 second")
      yield* Subscriber.reconnect
      yield* VirtualTime.advance("2 hours")
      assert.deepStrictEqual(payloads(seen), numbers(51))
      assert.deepStrictEqual(payloads(quick.seen), numbers(51))
    }).pipe(Effect.provide(world())))

  it.effect("of a wildcard get no Gap when the channels of the missed messages are known", () =>
    Effect.gen(function*() {
      const { seen } = yield* slow({ channels: ["x.*"] })
      yield* publish("x.y", 0)
      yield* VirtualTime.advance("1 second")
      yield* burst(50, { channel: "x.y", first: 1 })
      yield* VirtualTime.advance("2 hours")
      assert.deepStrictEqual(payloads(seen), numbers(51))
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(world())))
})

describe("subscription sets", () => {
  const changes = Effect.gen(function*() {
    const service = yield* emulator
    const object = (channel: string, type: string, data: unknown) =>
      service.emit({
        channel,
        kind: "AppContext",
        payload: { source: "objects", version: "2.0", event: "set", type, data }
      })
    yield* object("room", "channel", { id: "room", name: "Room" })
    yield* object("ada", "uuid", { id: "ada", name: "Ada" })
    // Told on every channel that the user is a member of.
    yield* object("room", "uuid", { id: "ada", name: "Ada" })
    yield* object("room", "membership", { channel: { id: "room" }, uuid: { id: "ada" } })
    yield* publish("room", "hello")
    yield* VirtualTime.advance("1 second")
  })

  it.effect("give each subscription only the events of its entity", () =>
    Effect.gen(function*() {
      const members = [
        Subscription.channel("room"),
        Subscription.channelMetadata("room"),
        Subscription.userMetadata("ada")
      ]
      const readers = yield* Effect.forEach(members, (member) => collect(Subscribe.stream({ subscriptions: [member] })))
      yield* VirtualTime.advance("1 second")
      yield* changes
      assert.deepStrictEqual(readers.map(({ seen }) => tags(seen)), [
        ["Connected", "ChannelSet", "UserSet", "MembershipSet", "Message"],
        ["Connected", "ChannelSet", "MembershipSet"],
        ["Connected", "UserSet"]
      ])
    }).pipe(Effect.provide(world())))

  it.effect("give an event once when several members match", () =>
    Effect.gen(function*() {
      yield* emulator.use((service) => service.addToGroup({ group: "crew", channels: ["x.room"] }))
      const set = yield* Subscribe.subscriptionSet({ channels: ["x.room", "x.*"], groups: ["crew"] })
      const { seen } = yield* collect(set.stream)
      const group = yield* collect(Subscribe.stream({ groups: ["crew"] }))
      const wildcard = yield* collect(Subscribe.stream({ channels: ["x.*"] }))
      yield* VirtualTime.advance("1 second")
      for (const n of numbers(20)) yield* publish("x.room", n)
      yield* VirtualTime.advance("5 seconds")
      yield* burst(250, { channel: "x.room", first: 20 })
      yield* VirtualTime.advance("5 seconds")
      for (const reader of [{ seen }, group, wildcard]) {
        assert.deepStrictEqual(payloads(reader.seen), numbers(270))
      }
      assert.isTrue(group.seen.every((event) => event._tag !== "Message" || event.subscription === "crew"))
      assert.isTrue(wildcard.seen.every((event) => event._tag !== "Message" || event.subscription === "x.*"))
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.effect("leave a name only when no other set has it", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const one = yield* Scope.provide(Subscribe.subscriptionSet({ channels: ["a", "b"] }), scope)
      const two = yield* Subscribe.subscriptionSet({ channels: ["b", "c"] })
      const first = yield* collect(one.stream)
      const second = yield* collect(two.stream)
      yield* VirtualTime.advance("1 second")
      yield* Scope.close(scope, Exit.void)
      yield* VirtualTime.advance("1 second")
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(first.fiber)), "its streams have ended")
      const [leave, ...more] = yield* requestsTo("/v2/presence")
      assert.include(leave!.target, "/channel/a/leave")
      assert.deepStrictEqual(more, [])
      yield* publish("b", 1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(second.seen), [1])
      assert.deepStrictEqual(yield* Subscriber.subscribed, { channels: ["b", "c"], groups: [] })
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.effect("add and remove members while they run", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
      const { seen } = yield* collect(set.stream)
      yield* VirtualTime.advance("1 second")
      yield* set.add("b", Subscription.group("crew", { presence: true }))
      yield* VirtualTime.advance("1 second")
      yield* publish("b", 1)
      yield* VirtualTime.advance("1 second")
      yield* set.remove("b")
      yield* VirtualTime.advance("1 second")
      yield* publish("b", 2)
      yield* publish("a", 3)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1, 3])
      const statuses = seen.filter((event) => event._tag !== "Message")
      assert.deepStrictEqual(tags(statuses), ["Connected", "ChannelsChanged", "ChannelsChanged"])
      assert.deepInclude({ ...statuses[2] }, { channels: ["a"], groups: ["crew", "crew-pnpres"] } as object)
      assert.deepStrictEqual(yield* Subscriber.subscribed, { channels: ["a"], groups: ["crew", "crew-pnpres"] })
      assert.deepStrictEqual((yield* set.subscriptions).map(({ name }) => name), ["a", "crew"])
      const error = yield* Effect.flip(set.add("a,b"))
      assert.strictEqual(error.reason._tag, "BadRequest")
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.effect("hold a member once, however often it is given", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a", "a"] })
      yield* set.add("a", "b", "b")
      yield* set.add(Subscription.group("b"), Subscription.channel("b", { presence: true }))
      assert.deepStrictEqual(yield* set.subscriptions, [
        Subscription.channel("a"),
        Subscription.channel("b"),
        Subscription.group("b"),
        Subscription.channel("b", { presence: true })
      ])
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.effect("read no more history for names that were removed", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"], catchUp: { within: "1 day" } })
      const { seen } = yield* collect(set.stream)
      const other = yield* collect(Subscribe.stream({ channels: ["b"], catchUp: "none" }))
      yield* VirtualTime.advance("1 second")
      yield* Faults.Faults.use((faulty) =>
        faulty.add({
          on: (request) => request.url.includes("/v3/history"),
          fault: faults.ServerError({ status: 503, handled: true }),
          lasting: "1 hour"
        })
      )
      yield* burst(150)
      yield* VirtualTime.advance("10 seconds")
      assert.include(tags(seen), "Interrupted")
      yield* set.remove("a")
      const before = (yield* requestsTo("/v3/history")).length
      yield* VirtualTime.advance("10 minutes")
      assert.strictEqual((yield* requestsTo("/v3/history")).length, before)
      yield* publish("b", 1)
      yield* set.add("c")
      yield* VirtualTime.advance("1 second")
      yield* publish("c", 2)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(other.seen), [1])
      assert.deepStrictEqual(payloads(seen), [2])
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.effect("give presence events to each of several streams", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"], presence: true })
      const one = yield* collect(set.stream)
      const two = yield* collect(set.stream)
      yield* VirtualTime.advance("1 second")
      const guest = yield* collect(
        Subscribe.stream({ channels: ["a"] }).pipe(
          Stream.provideService(
            PubNubConfig.PubNubConfig,
            PubNubConfig.make({ subscribeKey: "demo-sub", userId: "bob", origin: "emulator" })
          )
        )
      )
      yield* VirtualTime.advance("3 seconds")
      yield* Fiber.interrupt(guest.fiber)
      yield* VirtualTime.advance("3 seconds")
      for (const { seen } of [one, two]) {
        const bob = seen.filter((event) => "userId" in event && event.userId === "bob")
        assert.deepStrictEqual(tags(bob), ["Joined", "Left"])
      }
    }).pipe(Effect.scoped, Effect.provide(world())))

  it.effect("remove the presence of a name with the name, and add a name only once", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({
        channels: ["b"],
        subscriptions: [Subscription.channel("a", { presence: true })]
      })
      const { seen } = yield* collect(set.stream)
      yield* VirtualTime.advance("1 second")
      yield* set.remove("a")
      yield* set.add("b", "b")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(yield* Subscriber.subscribed, { channels: ["b"], groups: [] })
      assert.deepStrictEqual((yield* set.subscriptions).map(({ name }) => name), ["b"])
      assert.strictEqual(seen.at(-1)?._tag, "ChannelsChanged")
    }).pipe(Effect.scoped, Effect.provide(world())))
})

describe("the connection", () => {
  it.effect("stops and leaves on disconnect, and resumes from its place on reconnect", () =>
    Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      yield* publish("a", 1)
      yield* VirtualTime.advance("1 second")
      yield* Subscriber.disconnect
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* emulator.use((service) => service.readers), 0)
      assert.strictEqual((yield* requestsTo("/v2/presence")).length, 1)
      yield* burst(300, { first: 2 })
      yield* VirtualTime.advance("1 hour")
      assert.deepStrictEqual(payloads(seen), [1])
      yield* Subscriber.reconnect
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(301, 1))
      assert.deepStrictEqual(tags(seen).filter((tag) => tag !== "Message"), [
        "Connected",
        "Disconnected",
        "Reconnected"
      ])
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(world())))

  it.effect("does not wait for the end of a pause on reconnect", () =>
    Effect.gen(function*() {
      const faulty = yield* Faults.Faults
      yield* faulty.add({ fault: faults.RateLimited({ retryAfter: "100 seconds" }), times: 1 })
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(tags(seen), ["Interrupted"])
      yield* Subscriber.reconnect
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(seen), ["Interrupted", "Connected"])
    }).pipe(Effect.provide(world())))

  it.effect("ends all streams with one leave on unsubscribeAll, and starts anew for the next", () =>
    Effect.gen(function*() {
      const readers = yield* Effect.forEach(
        ["a", "b"],
        (channel) => collect(Subscribe.stream({ channels: [channel] }))
      )
      yield* VirtualTime.advance("1 second")
      yield* Subscriber.unsubscribeAll
      yield* VirtualTime.advance("1 second")
      for (const { fiber } of readers) assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))
      const [leave, ...more] = yield* requestsTo("/v2/presence")
      assert.include(leave!.target, "/channel/a,b/leave")
      assert.deepStrictEqual(more, [])
      yield* publish("a", "meanwhile")
      yield* VirtualTime.advance("1 second")
      const next = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      yield* publish("a", "after")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(next.seen), ["after"])
    }).pipe(Effect.provide(world())))

  it.effect("keeps its position when a name is added before the old one is left", () =>
    Effect.gen(function*() {
      const old = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      const position = queryOf((yield* polls).at(-1)!).get("tt")
      yield* collect(Subscribe.stream({ channels: ["b"] }))
      yield* Fiber.interrupt(old.fiber)
      yield* VirtualTime.advance("1 second")
      const last = (yield* polls).at(-1)!
      assert.strictEqual(channelsOf(last), "b")
      assert.strictEqual(queryOf(last).get("tt"), position)
    }).pipe(Effect.provide(world())))

  it.effect("reports the statuses of the whole process", () =>
    Effect.gen(function*() {
      const { seen } = yield* collect(Subscriber.statuses)
      yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      yield* collect(Subscribe.stream({ channels: ["b"] }))
      yield* VirtualTime.advance("1 second")
      yield* emulator.use((service) => service.restart)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(tags(seen), ["Connected", "ChannelsChanged", "Interrupted", "Reconnected"])
    }).pipe(Effect.provide(world())))

  it.effect("ends only the streams that asked for a denied channel", () =>
    Effect.gen(function*() {
      yield* emulator.use((service) => service.deny({ channels: ["secret"] }))
      const secret = yield* collect(Subscribe.stream({ channels: ["secret"] }))
      const open = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("2 minutes")
      const error = yield* Effect.flip(Fiber.join(secret.fiber))
      assert.strictEqual(error._tag === "SubscribeError" ? error.reason._tag : error._tag, "AccessDenied")
      yield* publish("a", 1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(open.seen), [1])
    }).pipe(Effect.provide(world())))

  it.effect("ends its streams, aborts the poll and leaves once when its scope closes, on a dead network too", () =>
    Effect.gen(function*() {
      const { scope, ...subscriber } = yield* sharing
      const { fiber } = yield* collect(subscriber.stream({ channels: ["a", "b"] }))
      yield* VirtualTime.advance("1 second")
      yield* Faults.Faults.use((faulty) => faulty.add({ fault: faults.HalfOpen(), lasting: "1 hour" }))
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* VirtualTime.advance("1 second")
      assert.isDefined(closing.pollUnsafe(), "it took longer than a second")
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(fiber)))
      assert.strictEqual(yield* emulator.use((service) => service.readers), 0)
      const { injected } = yield* Faults.Faults
      assert.deepStrictEqual((yield* injected).map(({ kind }) => kind), ["leave"])
    }).pipe(Effect.provide(world())))

  it.effect("leaves a name at the service that was left during its handshake", () =>
    Effect.gen(function*() {
      const { scope, ...subscriber } = yield* sharing
      yield* collect(subscriber.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      const brief = yield* collect(subscriber.stream({ channels: ["brief"] }))
      yield* VirtualTime.advance("50 millis")
      yield* Fiber.interrupt(brief.fiber)
      yield* VirtualTime.advance("1 second")
      const leaves = yield* requestsTo("/v2/presence")
      assert.deepStrictEqual(leaves.map(({ target }) => target.includes("/channel/brief/leave")), [true])
      yield* Effect.forkChild(Scope.close(scope, Exit.void))
      yield* VirtualTime.advance("1 second")
    }).pipe(Effect.provide(emulated({ emulator: { latency: Effect.succeed(100) } }))))

  it.effect("starts a name that comes back from now, not from its old place", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["other"] }))
      const first = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      yield* Fiber.interrupt(first.fiber)
      yield* VirtualTime.advance("1 second")
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* publish("a", "before")
      assert.deepStrictEqual(tags(seen), [])
      yield* VirtualTime.advance("1 second")
      yield* publish("a", "after")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), ["after"])
    }).pipe(Effect.provide(world())))

  it.effect("ends no stream for a denied channel that was left before", () =>
    Effect.gen(function*() {
      yield* emulator.use((service) => service.deny({ channels: ["secret"] }))
      const open = yield* collect(Subscribe.stream({ channels: ["a"] }))
      const secret = yield* collect(Subscribe.stream({ channels: ["secret"] }))
      yield* VirtualTime.advance("30 millis")
      yield* Fiber.interrupt(secret.fiber)
      yield* VirtualTime.advance("2 minutes")
      yield* publish("a", 1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(open.seen), [1])
    }).pipe(Effect.provide(world())))

  it.effect("starts a stream at reconnect that was added while it was disconnected", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      yield* Subscriber.disconnect
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* publish("a", "meanwhile")
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(tags(seen), [])
      yield* Subscriber.reconnect
      yield* VirtualTime.advance("1 second")
      yield* publish("a", "after")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(seen)[0], "Connected")
      assert.deepStrictEqual(payloads(seen), ["after"])
    }).pipe(Effect.provide(world())))

  it.effect("leaves the names of two polls with two requests, each within the limit of an address", () =>
    Effect.gen(function*() {
      const channels = numbers(1_000).map((n) => `${n}-`.padEnd(60, "x"))
      yield* collect(Subscribe.stream({ channels }))
      yield* VirtualTime.advance("1 second")
      yield* Subscriber.unsubscribeAll
      yield* VirtualTime.advance("1 second")
      const leaves = yield* requestsTo("/v2/presence")
      assert.strictEqual(leaves.length, 2)
      for (const { target } of leaves) assert.isAtMost(target.length, 32_768)
    }).pipe(Effect.provide(world())))

  it.effect("delivers messages while many streams start on a slow network", () =>
    Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      for (const n of numbers(60)) {
        yield* collect(Subscribe.stream({ channels: [`other-${n}`] }))
        yield* publish("a", n)
        yield* VirtualTime.advance("50 millis")
      }
      assert.isAbove(payloads(seen).length, 40)
    }).pipe(
      Effect.provide(world({ emulator: { latency: Effect.succeed(100) }, config: { sendLeave: false } }))
    ))

  it.effect("ends streams and statuses at once after its scope has closed", () =>
    Effect.gen(function*() {
      const { scope, ...subscriber } = yield* sharing
      const statuses = yield* collect(subscriber.statuses)
      yield* Scope.close(scope, Exit.void)
      const late = yield* collect(subscriber.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      assert.isDefined(late.fiber.pollUnsafe())
      assert.isDefined(statuses.fiber.pollUnsafe())
      assert.deepStrictEqual(late.seen, [])
    }).pipe(Effect.provide(world())))

  it.effect("gives two keysets, one nested in the other, their own messages", () => {
    const keyset = (name: string) => ({ subscribeKey: `${name}-sub`, userId: "ada", origin: "emulator" })
    const listen: Effect.Effect<
      { readonly seen: Array<SubscribeEvent.SubscribeEvent> },
      never,
      PubNubConfig.PubNubConfig | HttpClient.HttpClient | Scope.Scope
    > = Effect.gen(function*() {
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      yield* Subscribe.stream({ channels: ["a"] }).pipe(
        Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
        Effect.ignore,
        Effect.forkScoped
      )
      yield* Effect.yieldNow
      return { seen }
    })
    return Effect.gen(function*() {
      const service = yield* emulator
      const outer = yield* listen
      const inner = yield* Effect.provide(
        Effect.gen(function*() {
          const inner = yield* listen
          yield* VirtualTime.advance("1 second")
          yield* service.keyset("one-sub").publish({ channel: "a", message: "one" })
          yield* service.keyset("two-sub").publish({ channel: "a", message: "two" })
          yield* VirtualTime.advance("1 second")
          return inner
        }),
        PubNubConfig.layer(keyset("two"))
      )
      assert.deepStrictEqual(payloads(outer.seen), ["one"])
      assert.deepStrictEqual(payloads(inner.seen), ["two"])
    }).pipe(
      Effect.scoped,
      Effect.provide(Layer.provideMerge(
        Layer.merge(Subscriber.layer(), PubNubConfig.layer(keyset("one"))),
        emulated({
          emulator: {
            keysets: [
              { subscribeKey: "one-sub", publishKey: "one-pub" },
              { subscribeKey: "two-sub", publishKey: "two-pub" }
            ]
          }
        })
      ))
    )
  })
})
