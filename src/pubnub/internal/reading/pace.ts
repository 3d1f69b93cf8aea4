/**
 * Requests that keep their distance, however many ask: the service throttles history by the second.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Waits for its turn. */
export type Pace = Effect.Effect<void>

/** At most so many turns a second. */
export const make = (perSecond: number): Pace => {
  const distance = Math.ceil(1_000 / perSecond)
  let next = -Infinity
  return Effect.suspend(() =>
    Clock.clockWith((clock) => {
      const now = Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
      const turn = Math.max(now, next)
      next = turn + distance
      return turn > now ? Effect.sleep(turn - now) : Effect.void
    })
  )
}
