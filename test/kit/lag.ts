/** How late a reader is after a burst of messages, in virtual time. */
import * as EffectClock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Subscribe } from "effect-herald/pubnub"
import { PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as assert from "node:assert"
import { emulated } from "./emulated.ts"

export interface Load {
  /** So many messages come within one second, beside the usual ones. */
  readonly burst: number
  /** So many messages come each second, before the burst and after it. */
  readonly rate: number
  /** How many milliseconds a request takes. */
  readonly latency: number
  readonly channels?: number
  /** For so many seconds the usual ones go on after the burst. */
  readonly seconds: number
}

/** After how many seconds a reader is less than a second late, and stays so. Dies unless it had all, once, in order. */
export const secondsUntilLive = ({ burst, channels = 1, latency, rate, seconds: after }: Load) =>
  Effect.gen(function*() {
    const service = yield* PubNubEmulator.PubNubEmulator
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
    yield* seconds(after, rate)
    yield* VirtualTime.advance("10 seconds")
    assert.deepStrictEqual(payloads, Array.from({ length: sent }, (_, n) => n))
    const last = late.findLast(({ by }) => by >= 1_000)?.at ?? begin
    return (last - begin) / 1_000
  }).pipe(
    Effect.scoped,
    Effect.provide(emulated({ emulator: { latency: Effect.succeed(latency) }, config: { sendLeave: false } }))
  )
