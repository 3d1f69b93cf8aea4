/**
 * Limits the rate of requests to history, since the service throttles them.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

export interface Pace {
  /** Waits for the next turn. */
  readonly turn: Effect.Effect<void>
  /** Waits for a turn that no request waits for. */
  readonly spare: Effect.Effect<void>
}

/** A further limit, which readers of several processes share: each request waits for its turn there, too. Default: none. */
export const Shared = /* @__PURE__ */ Context.Reference<Effect.Effect<void>>("effect-herald/pubnub/internal/Pace", {
  defaultValue: () => Effect.void
})

/** Waits for a turn of both. */
export const within = ({ spare, turn }: Pace, shared: Effect.Effect<void>): Pace =>
  shared === Effect.void
    ? { spare, turn }
    : { spare: Effect.andThen(spare, shared), turn: Effect.andThen(turn, shared) }

/** Gives at most `perSecond` turns a second. */
export const make = (perSecond: number): Pace => {
  const distance = Math.ceil(1_000 / perSecond)
  let next = -Infinity
  const wait = (isSpare: boolean): Effect.Effect<void> =>
    Clock.clockWith((clock) => {
      const now = Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
      if (isSpare && next > now) return Effect.andThen(Effect.sleep(next - now), wait(true))
      const turn = Math.max(now, next)
      next = turn + distance
      return turn > now ? Effect.sleep(turn - now) : Effect.void
    })
  return { turn: Effect.suspend(() => wait(false)), spare: Effect.suspend(() => wait(true)) }
}
