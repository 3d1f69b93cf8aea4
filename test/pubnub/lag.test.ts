/**
 * How late messages are handed to a reader of a busy channel: seconds of virtual time, at the default rate of history.
 * `npm run simulate` reads for longer, and with more loads.
 */
import { assert, describe, it } from "@effect/vitest"
import * as EffectClock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import type { Cursor } from "effect-herald/Cursor"
import { Subscribe } from "effect-herald/pubnub"
import { PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { emulated, requestsTo } from "../kit/emulated.ts"
import { secondsUntilLive } from "../kit/lag.ts"
import { isLong } from "../simulation/seeds.ts"

const emulator = PubNubEmulator.PubNubEmulator

describe("a reader is live again", () => {
  it.effect.each(
    [
      ...isLong
        ? [
          [{ burst: 5_000, rate: 1_000, latency: 50 }, 10],
          [{ burst: 5_000, rate: 1_000, latency: 50, channels: 3 }, 15]
        ] as const
        : [],
      [{ burst: 500, rate: 500, latency: 100 }, 10]
    ] as const
  )(
    "after %j within %i seconds",
    ([load, most]) =>
      Effect.map(secondsUntilLive({ ...load, seconds: isLong ? 24 : 11 }), (seconds) => assert.isAtMost(seconds, most)),
    120_000
  )
})

interface Overflow {
  /** So many messages come each second: more than the service keeps for a reader within a request. */
  readonly rate: number
  readonly latency: number
  readonly seconds: number
  readonly historyRate?: number
  /** So many messages a second come from another region, each so many milliseconds late. */
  readonly others?: { readonly perSecond: number; readonly lateBy: number }
  /** After so many seconds the reader stops, and goes on from its last cursor after one more. */
  readonly stopsAfter?: number
}

/** What a reader has of a channel that overflows all the time. */
const overflowing = ({ historyRate = 25, latency, others, rate, seconds, stopsAfter }: Overflow) =>
  Effect.gen(function*() {
    const service = yield* emulator
    const regions = new Map<unknown, number>()
    const seen: Array<{ readonly payload: unknown; readonly timetoken: string }> = []
    const late: Array<{ readonly at: number; readonly by: number }> = []
    const told: Array<unknown> = []
    let last: Cursor | undefined
    const read = (from?: Cursor) =>
      Subscribe.stream({ channels: ["c"], ...from === undefined ? {} : { from } }).pipe(
        Stream.runForEachArray((events) =>
          Effect.map(EffectClock.currentTimeMillis, (at) => {
            for (const event of events) {
              if (event._tag === "Gap" || event._tag === "GapSuspected") told.push(event)
              if (event._tag !== "Message") continue
              seen.push(event)
              last = event.cursor
              // The others are late anyway.
              if (regions.get(event.payload) === 1) {
                late.push({ at, by: at - Number(BigInt(event.timetoken) / 10_000n) })
              }
            }
          })
        ),
        Effect.forkScoped
      )
    let reader = yield* read()
    yield* VirtualTime.advance("2 seconds")
    const begin = yield* EffectClock.currentTimeMillis
    const publish = (count: number, region: number, delay: number) =>
      service.publishAll(Array.from({ length: count }, () => {
        const message = regions.size
        regions.set(message, region)
        return { channel: "c", message, region, delay }
      }))
    for (let tick = 0; tick < 50 * seconds; tick++) {
      yield* publish(rate / 50, 1, 0)
      if (others !== undefined && tick % (50 / others.perSecond) === 0) yield* publish(1, 2, others.lateBy)
      yield* VirtualTime.advance("20 millis")
      if (stopsAfter !== undefined && tick === 50 * stopsAfter) yield* Fiber.interrupt(reader)
      if (stopsAfter !== undefined && tick === 50 * stopsAfter + 50) reader = yield* read(last)
    }
    const requests = yield* requestsTo("/v3/history")
    yield* VirtualTime.advance("60 seconds")
    const payloads = new Set(seen.map(({ payload }) => payload))
    const isDisordered = (region: number) => {
      const firsts = seen.filter(({ payload }) => regions.get(payload) === region && payloads.delete(payload))
      return firsts.some(({ timetoken }, index) => timetoken < (firsts[index - 1]?.timetoken ?? ""))
    }
    return {
      lost: regions.size - payloads.size,
      twice: seen.length - payloads.size,
      told,
      disordered: [1, 2].filter(isDisordered),
      lag: late.reduce((most, { at, by }) => at > begin + 3_000 && by > most ? by : most, 0),
      requestsASecond: requests.length / seconds,
      hole: last?.hole,
      cursorSize: JSON.stringify(last).length
    }
  }).pipe(
    Effect.scoped,
    Effect.provide(emulated({
      emulator: { latency: Effect.succeed(latency) },
      config: { sendLeave: false, historyRate }
    }))
  )

const nothingMissing = { lost: 0, twice: 0, told: [], disordered: [] }

describe("a reader keeps up with 1,000 messages a second at 100 ms a request", () => {
  const load = { rate: 1_000, latency: 100 }

  it.effect("at the default rate of history, at most 1.5 seconds late", () =>
    Effect.gen(function*() {
      const seconds = isLong ? 60 : 6
      const { cursorSize, hole, lag, requestsASecond, ...rest } = yield* overflowing({ ...load, seconds })
      assert.deepStrictEqual(rest, nothingMissing)
      assert.isAtMost(lag, 1_500)
      assert.isAtMost(requestsASecond, 25)
      assert.isAtMost(cursorSize, 4_096)
      assert.isDefined(hole)
    }), 180_000)

  it.effect("less than a second late when history may be read more often", () =>
    Effect.gen(function*() {
      const outcome = yield* overflowing({ ...load, seconds: isLong ? 10 : 4, historyRate: 50 })
      assert.isBelow(outcome.lag, 1_000)
      assert.isAtMost(outcome.requestsASecond, 25)
    }), 180_000)

  it.effect("and gets messages of another region that are 150 ms late, in order", () =>
    Effect.gen(function*() {
      const others = { perSecond: 10, lateBy: 150 }
      const { lag, lost, twice, told, disordered } = yield* overflowing({ ...load, seconds: isLong ? 12 : 4, others })
      assert.deepStrictEqual({ lost, twice, told, disordered }, nothingMissing)
      assert.isAtMost(lag, 2_500)
    }), 180_000)

  it.effect.each(isLong ? [3_000, 9_500] : [3_000])(
    "and gets messages of another region that are %i ms late, in order",
    (lateBy) =>
      Effect.gen(function*() {
        const others = { perSecond: 5, lateBy }
        const { lost, twice, told, disordered } = yield* overflowing({ ...load, seconds: isLong ? 14 : 4, others })
        assert.deepStrictEqual({ lost, twice, told, disordered }, nothingMissing)
      }),
    180_000
  )

  it.effect.each([...isLong ? [undefined] : [], { perSecond: 1, lateBy: 5_000 }])(
    "and loses nothing when it stops and resumes from its cursor, with %j from another region",
    (others) =>
      Effect.gen(function*() {
        const { lost, told, twice } = yield* overflowing({
          ...load,
          seconds: isLong ? 14 : 5,
          stopsAfter: isLong ? 8 : 2,
          ...others === undefined ? {} : { others }
        })
        assert.strictEqual(lost, 0)
        assert.deepStrictEqual(told, [])
        assert.strictEqual(twice, 0)
      }),
    180_000
  )
})
