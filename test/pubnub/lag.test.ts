/** How late messages are handed to a reader of a busy channel: seconds of virtual time, at the default rate of history. */
import { assert, describe, it } from "@effect/vitest"
import * as EffectClock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Subscribe } from "effect-herald/pubnub"
import { PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { emulated } from "../kit/emulated.ts"

const emulator = PubNubEmulator.PubNubEmulator

interface Load {
  /** So many messages come within one second, beside the usual ones. */
  readonly burst: number
  /** So many messages come each second, before the burst and after it. */
  readonly rate: number
  /** How many milliseconds a request takes. */
  readonly latency: number
  readonly channels?: number
}

/** After how many seconds a reader is less than a second late, and stays so; and whether it had all, once, in order. */
const underLoad = ({ burst, channels = 1, latency, rate }: Load) =>
  Effect.gen(function*() {
    const service = yield* emulator
    const names = Array.from({ length: channels }, (_, index) => `c${index}`)
    const payloads: Array<unknown> = []
    /** When messages came, and how late. */
    const late: Array<{ readonly at: number; readonly by: number }> = []
    yield* Subscribe.stream({ channels: names }).pipe(
      Stream.runForEachArray((events) =>
        Effect.map(EffectClock.currentTimeMillis, (at) => {
          for (const event of events) {
            if (event._tag === "Gap" || event._tag === "GapSuspected") payloads.push(event)
            if (event._tag !== "Message") continue
            payloads.push(event.payload)
            late.push({ at, by: at - Number(BigInt(event.timetoken) / 10_000n) })
          }
        })
      ),
      Effect.forkScoped
    )
    yield* VirtualTime.advance("2 seconds")
    let sent = 0
    const seconds = (count: number, perSecond: number) =>
      Effect.forEach(Array.from({ length: 50 * count }), () => {
        const messages = Array.from(
          { length: perSecond / 50 },
          () => ({ channel: names[sent % channels]!, message: sent++ })
        )
        return Effect.andThen(service.publishAll(messages), VirtualTime.advance("20 millis"))
      }, { discard: true })
    yield* seconds(5, rate)
    const begin = yield* EffectClock.currentTimeMillis
    yield* seconds(1, rate + burst)
    yield* seconds(24, rate)
    yield* VirtualTime.advance("10 seconds")
    assert.deepStrictEqual(payloads, Array.from({ length: sent }, (_, n) => n))
    const last = late.findLast(({ by }) => by >= 1_000)?.at ?? begin
    return (last - begin) / 1_000
  }).pipe(
    Effect.scoped,
    Effect.provide(emulated({ emulator: { latency: Effect.succeed(latency) }, config: { sendLeave: false } }))
  )

describe("a reader is live again", () => {
  it.effect.each(
    [
      [{ burst: 5_000, rate: 1_000, latency: 50 }, 10],
      [{ burst: 5_000, rate: 1_000, latency: 50, channels: 3 }, 15],
      [{ burst: 500, rate: 500, latency: 100 }, 10]
    ] as const
  )(
    "after %j within %i seconds",
    ([load, most]) => Effect.map(underLoad(load), (seconds) => assert.isAtMost(seconds, most)),
    120_000
  )
})
