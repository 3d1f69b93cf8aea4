/**
 * Long runs: a hole of a hundred thousand messages (of ten thousand in `npm test`), and a soak. The soak is a few minutes of
 * virtual time; `SOAK=1 npm run simulate -- test/simulation/long.test.ts` makes it an hour, and a million messages.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as Cursor from "effect-herald/Cursor"
import { PubNubConfig, Subscribe, type SubscribeEvent } from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as V8 from "node:v8"
import * as Vm from "node:vm"
import { start } from "../kit/emulated.ts"
import { isLong } from "./seeds.ts"
import { dice } from "./world.ts"

V8.setFlagsFromString("--expose-gc")
const collect: () => void = Vm.runInNewContext("gc")

/** The heap that is in use, in MB, without what can be collected. */
const heap = Effect.sync(() => {
  collect()
  return process.memoryUsage().heapUsed / 2 ** 20
})

const world = (options: { readonly historyRetention?: Duration.Duration } = {}) =>
  Faults.layer().pipe(
    Layer.provideMerge(PubNubEmulator.layer({ limits: options })),
    Layer.provideMerge(PubNubConfig.layer({
      subscribeKey: "demo-sub",
      publishKey: "demo-pub",
      userId: "reader",
      origin: "emulator",
      historyRetention: options.historyRetention ?? Duration.infinity
    })),
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))),
    Layer.provideMerge(VirtualTime.layer)
  )

/** What a reader is given, held against what was published: numbers from 0 on, spread over the channels in turn. */
const ledger = (channels: ReadonlyArray<string>) => {
  const next = new Map(channels.map((channel, index) => [channel, index]))
  const wrong: Array<string> = []
  let published = 0
  let delivered = 0
  let cursor: Cursor.Cursor | undefined
  return {
    wrong,
    published: () => published,
    delivered: () => delivered,
    cursor: () => cursor,
    publish: (count: number) =>
      PubNubEmulator.PubNubEmulator.use(({ publishAll }) =>
        publishAll(Array.from({ length: count }, () => {
          const message = published++
          return { channel: channels[message % channels.length]!, message, publisher: "ada" }
        }))
      ),
    handle: (event: SubscribeEvent.SubscribeEvent) => {
      if ("cursor" in event && event.cursor !== undefined) cursor = event.cursor
      if (event._tag === "Gap" || event._tag === "GapSuspected") wrong.push(JSON.stringify(event))
      if (event._tag !== "Message") return
      const expected = next.get(event.channel)
      if (event.payload !== expected && wrong.length < 10) {
        wrong.push(`${JSON.stringify(event.payload)} of ${event.channel}, and not ${expected}`)
      }
      delivered++
      if (typeof event.payload === "number") next.set(event.channel, event.payload + channels.length)
    }
  }
}

describe("a gap of many thousand messages", () => {
  const hole = isLong ? 100_000 : 5_000
  const names = { channels: ["orders", "news"], groups: ["crew"] }

  /** A reader that goes on from where the one before ended, which is not there while the hole is made. */
  const prepared = Effect.fnUntraced(function*(pause: Duration.Input) {
    const emulator = yield* PubNubEmulator.PubNubEmulator
    yield* emulator.addToGroup({ group: "crew", channels: ["team"] })
    const book = ledger(["orders", "news", "team"])
    const read = (stop: number) =>
      Stream.suspend(() => Subscribe.stream({ ...names, from: book.cursor() })).pipe(
        Stream.tap((event) => Effect.sync(() => book.handle(event))),
        Stream.takeUntil(() => book.delivered() >= stop),
        Stream.runDrain
      )
    const first = yield* Effect.forkChild(read(3))
    yield* VirtualTime.advance("1 second")
    yield* book.publish(3)
    yield* VirtualTime.advance("1 second")
    yield* Fiber.join(first)
    // Nobody reads.
    for (let sent = 0; sent < hole; sent += 500) {
      yield* book.publish(500)
      yield* TestClock.adjust(pause)
    }
    yield* TestClock.adjust("1 minute")
    return { book, read }
  })

  it.effect(
    "is read in order, once each, with little memory, and live messages follow",
    () =>
      Effect.gen(function*() {
        const { book, read } = yield* prepared("100 millis")
        const before = yield* heap
        let most = before
        const reader = yield* Effect.forkChild(read(Infinity))
        for (let minutes = 0; minutes < 60 && book.delivered() < book.published(); minutes++) {
          for (let part = 0; part < 6; part++) {
            yield* VirtualTime.advance("10 seconds")
            if (isLong || part === 0) most = Math.max(most, yield* heap)
          }
        }
        assert.deepStrictEqual(book.wrong, [])
        assert.strictEqual(book.delivered(), hole + 3)
        yield* book.publish(50)
        yield* VirtualTime.advance("1 second")
        assert.strictEqual(book.delivered(), hole + 53)
        assert.deepStrictEqual(book.wrong, [])
        assert.isBelow(most - before, 64, "MB of growth")
        assert.isUndefined(reader.pollUnsafe())
      }).pipe(Effect.provide(world())),
    120_000
  )

  // So many fit within the names of a cursor, which are a thousand at most for the last ten seconds.
  it.effect("is read in order, once each, by a reader that is killed repeatedly", () =>
    Effect.gen(function*() {
      const { book, read } = yield* prepared("6 seconds")
      for (const stop of [1_000, hole * 0.2469, hole * 0.6, hole + 3].map(Math.floor)) {
        const reader = yield* Effect.forkChild(read(stop))
        for (let minutes = 0; minutes < 60 && reader.pollUnsafe() === undefined; minutes++) {
          yield* VirtualTime.advance("1 minute")
        }
        yield* Fiber.join(reader)
        assert.deepStrictEqual(book.wrong, [])
        assert.strictEqual(book.delivered(), stop)
      }
    }).pipe(Effect.provide(world())), 120_000)
})

describe("a long run with faults", () => {
  const long = process.env.SOAK !== undefined
  const [minutes, messages] = long ? [60, 1_000_000] : isLong ? [3, 30_000] : [1, 3_000]

  it.effect(
    "delivers every message, and neither heap nor fibers grow",
    () =>
      Effect.gen(function*() {
        const emulator = yield* PubNubEmulator.PubNubEmulator
        const faults = yield* Faults.Faults
        const { between, one } = dice(1)
        const channels = ["orders", "news"]
        const book = ledger(channels)
        let fibers = 0
        const counting: Metric.FiberRuntimeMetricsService = {
          recordFiberStart: () => fibers++,
          recordFiberEnd: () => fibers--
        }
        const fiber = yield* Subscribe.stream({ channels, reconnect: { AccessDenied: Retry.reconnect } }).pipe(
          Stream.runForEach((event) => Effect.sync(() => book.handle(event))),
          Effect.forkChild,
          Effect.provideService(Metric.FiberRuntimeMetrics, counting)
        )
        yield* VirtualTime.advance("1 second")
        yield* book.publish(1)
        yield* VirtualTime.advance("1 second")
        const resting = fibers
        const heaps: Array<number> = []
        const total = minutes * 60_000
        const kinds = [
          Faults.Fault.ConnectionRefused(),
          Faults.Fault.HalfOpen(),
          Faults.Fault.ServerError({ status: 503, handled: false }),
          Faults.Fault.MalformedJson()
        ]
        let sampled = 0
        for (let passed = 0; book.published() < messages;) {
          // Pages of one message, of some, and now and then more than the service keeps for a reader.
          yield* book.publish(one(20) ? between(100, 400) : between(1, 70))
          const pause = between(1, 2 * Math.round((total * 43) / messages))
          yield* VirtualTime.advance(pause)
          passed += pause
          if (one(Math.round(messages / 43 / (minutes / 2)))) {
            const fault = kinds[between(0, kinds.length - 1)]!
            yield* faults.add({ fault, lasting: Duration.seconds(between(1, 20)) })
          }
          if (passed >= sampled) {
            sampled += total / (isLong ? 40 : 10)
            for (const channel of channels) yield* emulator.messages({ channel })
            heaps.push(yield* heap)
          }
        }
        yield* faults.heal
        yield* VirtualTime.advance("5 minutes")
        assert.deepStrictEqual(book.wrong, [])
        assert.strictEqual(book.delivered(), book.published())
        assert.isUndefined(fiber.pollUnsafe())
        yield* book.publish(1)
        yield* VirtualTime.advance("1 second")
        assert.strictEqual(fibers, resting, "fibers")
        // The first half warms up: what the emulator stores is bounded by its retention.
        const mean = (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length
        const half = heaps.slice(heaps.length / 2)
        const grown = mean(half.slice(half.length / 2)) - mean(half.slice(0, half.length / 2))
        if (long) assert.isBelow(grown, 4, `MB grown from ${heaps.map(Math.round).join(" ")}`)
        else assert.isBelow(Math.max(...heaps) - heaps[0]!, 64, "MB of growth")
      }).pipe(Effect.provide(world({ historyRetention: Duration.minutes(2) }))),
    600_000
  )
})
