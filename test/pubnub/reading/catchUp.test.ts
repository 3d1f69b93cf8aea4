/** A reader of a shared connection that reads history alone: what it finds, waits for and tells, however late history is. */
import { assert, describe, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Subscribe, type SubscribeEvent, Subscriber, Timetoken } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import type { Cursor } from "effect-herald/Cursor"
import { cursorOf } from "../../../src/pubnub/internal/reading/place.ts"
import { emulated, requestsTo } from "../../kit/emulated.ts"
import { numbers } from "./arrivals.ts"
import { payloads } from "../../kit/events.ts"

const emulator = PubNubEmulator.PubNubEmulator

const world = (historyDelay: Duration.Input = 0) =>
  Layer.provideMerge(Subscriber.layer(), emulated({ emulator: { historyDelay } }))

const gaps = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  events.filter((event) => event._tag === "Gap" || event._tag === "GapSuspected")

const reasons = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  gaps(events).map((gap) => gap._tag === "Gap" ? gap.reason : gap._tag)

const burst = (length: number, first = 0, channel = "a") =>
  emulator.use((service) => service.publishAll(numbers(length, first).map((message) => ({ channel, message }))))

/** Reads, and stops for a while at the message 0. */
const collect = (options: Subscribe.StreamOptions, stop: Duration.Input = 0) =>
  Effect.gen(function*() {
    const seen: Array<SubscribeEvent.SubscribeEvent> = []
    yield* Effect.forkChild(
      Stream.runForEach(Subscribe.stream({ channels: ["a"], ...options }), (event) =>
        Effect.suspend(() => {
          seen.push(event)
          return event._tag === "Message" && event.payload === 0 ? Effect.sleep(stop) : Effect.void
        }))
    )
    yield* VirtualTime.advance("1 second")
    return seen
  })

describe("a reader that fell behind", () => {
  it.effect.each(["0 seconds", "1500 millis", "3 seconds", "6 seconds"] as const)(
    "gets all messages from history that is late by %s, and no Gap",
    (delay) =>
      Effect.gen(function*() {
        const seen = yield* collect({ capacity: 5 }, "2 seconds")
        yield* burst(60)
        yield* VirtualTime.advance("20 seconds")
        yield* burst(1, 60)
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(payloads(seen), numbers(61))
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(Effect.provide(world(delay)))
  )

  it.effect("gets a Gap of exactly the messages that history does not show within seven seconds", () =>
    Effect.gen(function*() {
      const seen = yield* collect({ capacity: 5 })
      const service = yield* emulator
      yield* burst(3)
      const lost = yield* service.publishAll(
        numbers(3, 3).map((message) => ({ channel: "a", message, store: message !== 4 }))
      )
      yield* burst(10, 6)
      yield* VirtualTime.advance("20 seconds")
      // They came in one page, of which five had room.
      assert.deepStrictEqual(reasons(seen), [])
      const slow = yield* collect({ capacity: 5, channels: ["b"] }, "2 seconds")
      const tokens = yield* service.publishAll(
        numbers(20).map((message) => ({ channel: "b", message, store: message < 10 || message > 12 }))
      )
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(payloads(slow), [...numbers(10), ...numbers(7, 13)])
      assert.deepStrictEqual(gaps(slow), [{
        _tag: "Gap",
        channel: "b",
        since: Timetoken.Timetoken.make(tokens[10]!),
        before: Timetoken.Timetoken.make(String(BigInt(tokens[12]!) + 1n)),
        reason: "NotInHistory"
      }])
      assert.strictEqual(lost.length, 3)
    }).pipe(Effect.provide(world())))

  it.effect("waits once only for a channel of which messages were not stored before", () =>
    Effect.gen(function*() {
      const seen = yield* collect({ capacity: 5 }, "1 second")
      const service = yield* emulator
      const round = (first: number) =>
        service.publishAll(numbers(20, first).map((message) => ({ channel: "a", message, store: message % 20 < 10 })))
      yield* round(0)
      yield* VirtualTime.advance("1 minute")
      const before = (yield* requestsTo("/v3/history")).length
      yield* round(20)
      yield* VirtualTime.advance("1 minute")
      assert.isAtMost((yield* requestsTo("/v3/history")).length - before, 2)
      assert.deepStrictEqual(reasons(seen), ["NotInHistory", "NotInHistory"])
    }).pipe(Effect.provide(world())))

  it.effect("gets a Gap of exactly the missing messages when history is late by a minute", () =>
    Effect.gen(function*() {
      const seen = yield* collect({ capacity: 5 }, "2 seconds")
      const tokens = yield* burst(60)
      yield* VirtualTime.advance("30 seconds")
      yield* burst(1, 60)
      yield* VirtualTime.advance("5 minutes")
      const had = payloads(seen)
      assert.deepStrictEqual(reasons(seen), ["NotInHistory"])
      const [gap] = gaps(seen)
      for (const n of numbers(60)) {
        const isTold = gap !== undefined && tokens[n]! >= gap.since && tokens[n]! < gap.before
        assert.strictEqual(isTold, !had.includes(n), `${n}`)
      }
      assert.strictEqual(had.at(-1), 60)
    }).pipe(Effect.provide(world("1 minute"))))

  it.effect("gets no Gap after a handshake that was an hour back", () =>
    Effect.gen(function*() {
      yield* Faults.Faults.use(({ add }) => add({ on: "handshake", fault: Faults.Fault.BackwardCursor() }))
      const seen = yield* collect({ capacity: 5 }, "2 seconds")
      yield* burst(60)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(60))
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(world())))
})

describe("a reader that begins in the past", () => {
  it.effect("has cursors that reach back to its position, and no further", () =>
    Effect.gen(function*() {
      const [, position = ""] = yield* burst(3)
      const seen = yield* collect({ from: { position, delivered: [] } })
      yield* VirtualTime.advance("5 seconds")
      yield* burst(1, 3)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [2, 3])
      const first = String(BigInt(position) + 1n)
      assert.deepStrictEqual(seen.map((event) => cursorOf(event)?.recent?.since), [first, first, first])
    }).pipe(Effect.provide(world())))

  it.effect("waits as its schedule says before it reads failing history again", () =>
    Effect.gen(function*() {
      const [position = ""] = yield* burst(3)
      yield* VirtualTime.advance("1 minute")
      const fault = Faults.Fault.RateLimited({ retryAfter: "20 seconds" })
      yield* Faults.Faults.use((faulty) => faulty.add({ on: "history", fault, times: 1 }))
      const seen = yield* collect({ from: { position, delivered: [] } })
      yield* VirtualTime.advance("15 seconds")
      assert.deepStrictEqual(payloads(seen), [])
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(seen), [1, 2])
    }).pipe(Effect.provide(world())))

  /** The poll of the connection is past what was published before. */
  const joined = (past: Subscribe.StreamOptions) =>
    Effect.gen(function*() {
      yield* burst(1, 0, "b")
      yield* VirtualTime.advance("20 millis")
      return yield* collect(past)
    })

  const from = Effect.map(burst(1, -1), ([token = ""]) => ({ from: Timetoken.Timetoken.make(token) }))

  it.effect("goes on when the service's queue is larger than maxAnswerSize", () =>
    Effect.gen(function*() {
      const options = yield* from
      yield* burst(60)
      yield* VirtualTime.advance("1 second")
      const seen = yield* collect(options)
      yield* VirtualTime.advance("20 seconds")
      yield* burst(1, 60)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), numbers(61))
      assert.notInclude(seen.map(({ _tag }) => _tag), "Interrupted")
      // History may be late with the newest of them.
      assert.deepStrictEqual(reasons(seen), ["GapSuspected"])
    }).pipe(
      Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated({ config: { maxAnswerSize: 4_000 } })))
    ))

  it.effect.each(["0 seconds", "900 millis", "9 seconds", "12 seconds", "1 minute", "10 minutes"] as const)(
    "gets all messages that history does not show yet when it is late by %s",
    (delay) =>
      Effect.gen(function*() {
        yield* collect({ channels: ["b"] })
        const past = yield* from
        for (const n of numbers(60)) {
          yield* burst(1, n)
          yield* VirtualTime.advance("1 second")
        }
        const seen = yield* joined(past)
        yield* burst(1, 60)
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(61))
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(Effect.provide(world(delay)))
  )

  it.effect("gets NotInHistory when more messages are late than the service keeps for a reader", () =>
    Effect.gen(function*() {
      yield* collect({ channels: ["b"] })
      const past = yield* from
      yield* burst(300)
      const seen = yield* joined(past)
      yield* VirtualTime.advance("30 seconds")
      yield* burst(1, 300)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(101, 200))
      assert.deepStrictEqual(reasons(seen), ["NotInHistory"])
    }).pipe(Effect.provide(world("1 minute"))))

  it.effect("waits for history that is six seconds late when more was published than the service keeps", () =>
    Effect.gen(function*() {
      yield* collect({ channels: ["b"] })
      const past = yield* from
      yield* burst(300)
      const seen = yield* joined(past)
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(300))
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(world("6 seconds"))))

  it.effect("waits for history where more than the service keeps is published while it begins", () =>
    Effect.gen(function*() {
      const past = yield* from
      yield* burst(10)
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      yield* Effect.forkChild(
        Stream.runForEach(
          Subscribe.stream({ channels: ["a"], ...past }),
          (event) => Effect.sync(() => seen.push(event))
        )
      )
      // It is connected, and reads history.
      yield* VirtualTime.advance("30 millis")
      yield* burst(300, 10)
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(310))
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(world("3 seconds"))))

  it.effect.each([[90, 1], [150, 2]] as const)(
    "by %i messages reads history once when it is not late: %i pages",
    ([count, pages]) =>
      Effect.gen(function*() {
        yield* collect({ channels: ["b"] })
        const past = yield* from
        yield* burst(count)
        yield* VirtualTime.advance("1 hour")
        const before = (yield* requestsTo("/v3/history")).length
        const seen = yield* joined(past)
        assert.deepStrictEqual(payloads(seen), numbers(count))
        assert.strictEqual((yield* requestsTo("/v3/history")).length - before, pages)
      }).pipe(Effect.provide(world()))
  )

  it.effect("loses nothing when it overflows while it reads late history, and resumes from its cursor", () =>
    Effect.gen(function*() {
      yield* collect({ channels: ["b"] })
      const past = yield* from
      yield* burst(10)
      yield* burst(1, 0, "b")
      yield* VirtualTime.advance("20 millis")
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      const fiber = yield* Effect.forkChild(
        Stream.runForEach(
          Subscribe.stream({ channels: ["a"], ...past, strategy: "fail", capacity: 3 }),
          (event) => Effect.sync(() => seen.push(event))
        )
      )
      // It is connected, and reads history.
      yield* VirtualTime.advance("30 millis")
      yield* burst(10, 10)
      yield* VirtualTime.advance("10 seconds")
      const { cursor } = yield* Effect.flip(Fiber.join(fiber))
      const rest = yield* collect({ from: cursor })
      assert.deepStrictEqual(payloads([...seen, ...rest]), numbers(20))
    }).pipe(Effect.provide(world("1 minute"))))

  it.effect("makes no subscribe request while the connections are switched off", () =>
    Effect.gen(function*() {
      yield* collect({ channels: ["b"] })
      const past = yield* from
      yield* burst(60)
      yield* burst(1, 0, "b")
      yield* VirtualTime.advance("20 millis")
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      yield* Effect.forkChild(
        Stream.runForEach(
          Subscribe.stream({ channels: ["a"], ...past }),
          (event) => Effect.sync(() => seen.push(event))
        )
      )
      // It is connected, and reads history.
      yield* VirtualTime.advance("30 millis")
      yield* Subscriber.disconnect
      const before = (yield* requestsTo("/v2/subscribe")).length
      yield* VirtualTime.advance("10 seconds")
      assert.strictEqual((yield* requestsTo("/v2/subscribe")).length, before)
      yield* Subscriber.reconnect
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(60))
    }).pipe(Effect.provide(world("1 minute"))))

  it.effect("suspects also the gap that an earlier run was filling when history fails for too long", () =>
    Effect.gen(function*() {
      yield* collect({ channels: ["b"] })
      const { from: position } = yield* from
      const hole = String(BigInt(position) - 36_000_000_000n)
      yield* Faults.Faults.use((faulty) =>
        faulty.add({
          on: "history",
          fault: Faults.Fault.ServerError({ status: 503, handled: false }),
          lasting: "1 hour"
        })
      )
      yield* VirtualTime.advance("1 second")
      const seen = yield* collect({ from: { position, delivered: [], hole }, catchUp: { within: "5 seconds" } })
      yield* VirtualTime.advance("1 minute")
      const [gap] = gaps(seen)
      assert.deepInclude({ ...gap }, { _tag: "GapSuspected", since: String(BigInt(hole) + 1n) } as object)
    }).pipe(Effect.provide(world())))
})

describe("a reader that resumes while messages of another region are on their way", () => {
  const reading = (from?: Cursor) =>
    Effect.gen(function*() {
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      const events = Subscribe.stream({ channels: ["a"], ...from === undefined ? {} : { from } })
      const fiber = yield* Effect.forkChild(Stream.runForEach(events, (event) => Effect.sync(() => seen.push(event))))
      yield* VirtualTime.advance("10 millis")
      return { seen, fiber }
    })

  /** Publishes some messages of this region after so many of another one, which are late. */
  const publish = (late: number, delay: Duration.Input) =>
    emulator.use((service) =>
      service.publishAll(
        numbers(late + 3).map((message) => ({ channel: "a", message, ...message < late ? { region: 2, delay } : {} }))
      )
    )

  it.effect.each(["900 millis", "3 seconds"] as const)(
    "gets all of them in order when they are more than the service keeps, and come %s later",
    (delay) =>
      Effect.gen(function*() {
        const first = yield* reading()
        yield* publish(130, delay)
        yield* VirtualTime.advance("400 millis")
        assert.deepStrictEqual(payloads(first.seen), numbers(3, 130))
        yield* Fiber.interrupt(first.fiber)
        const { seen } = yield* reading(cursorOf(first.seen.at(-1)))
        const other = yield* reading()
        yield* VirtualTime.advance("20 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(130))
        assert.deepStrictEqual(payloads(other.seen), [])
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(Effect.provide(world("300 millis")))
  )

  it.effect("gets the rest of them when it resumes once more in their midst", () =>
    Effect.gen(function*() {
      const first = yield* reading()
      yield* publish(20, "3 seconds")
      yield* VirtualTime.advance("100 millis")
      yield* Fiber.interrupt(first.fiber)
      const second = yield* reading(cursorOf(first.seen.at(-1)))
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(second.seen), numbers(20))
      yield* Fiber.interrupt(second.fiber)
      const { seen } = yield* reading(cursorOf(second.seen.find((event) => payloads([event])[0] === 11)))
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(8, 12))
    }).pipe(Effect.provide(world())))
})
