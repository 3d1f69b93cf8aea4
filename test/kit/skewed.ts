import * as EffectClock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"

/**
 * A machine whose wall clock is off by so much, and may be set again: what is provided with its context sees that clock, and
 * the service behind its transport sees the right one. Timers and monotonic time are the same for both.
 */
export const machine = (off: Duration.Input = 0) =>
  Effect.gen(function*() {
    const right = yield* EffectClock.Clock
    const transport = yield* HttpClient.HttpClient
    let offset = Duration.toMillis(Duration.fromInputUnsafe(off))
    const millis = () => right.currentTimeMillisUnsafe() + offset
    const nanos = () => right.currentTimeNanosUnsafe() + BigInt(offset) * 1_000_000n
    const wrong: EffectClock.Clock = Object.assign({}, right, {
      currentTimeMillisUnsafe: millis,
      currentTimeMillis: Effect.sync(millis),
      currentTimeNanosUnsafe: nanos,
      currentTimeNanos: Effect.sync(nanos)
    })
    const client = HttpClient.transform(transport, Effect.provideService(EffectClock.Clock, right))
    return {
      context: Context.make(HttpClient.HttpClient, client).pipe(Context.add(EffectClock.Clock, wrong)),
      /** Sets the wall clock forward, or back. */
      set: (by: Duration.Input) =>
        Effect.sync(() => {
          offset += Duration.toMillis(Duration.fromInputUnsafe(by))
        })
    }
  })
