/**
 * A sliding window: at most `limit` turns in any period of its length, wherever the period begins. Effect's `RateLimiter` cannot
 * guarantee that: its fixed window and its token bucket allow nearly twice as many around a border.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export interface Pace {
  readonly limit: number
  /** In nanoseconds. */
  readonly window: bigint
}

/** The times of the latest turns, oldest first; at most `limit`. */
export type Turns = ReadonlyArray<bigint>

export const none: Turns = []

/** How long the next turn has to wait. */
export const wait = ({ limit, window }: Pace, turns: Turns, now: bigint): bigint => {
  const [oldest] = turns
  const free = oldest === undefined || turns.length < limit ? now : oldest + window
  return free > now ? free - now : 0n
}

/** Takes a turn, which must not have to wait. */
export const take = ({ limit }: Pace, turns: Turns, now: bigint): Turns => [...turns, now].slice(-limit)

/** The turns of one line. A caller that waited takes its turn before any other caller can. */
export interface Line {
  readonly wait: Effect.Effect<void>
  readonly take: Effect.Effect<void>
}

export const turnsOf = (pace: Pace): Line => {
  let taken = none
  const waitOne: Effect.Effect<void> = Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
    const left = wait(pace, taken, now)
    // Checks again after the wait: a timer may fire a little early.
    return left === 0n ? Effect.void : Effect.andThen(Effect.sleep(Duration.nanos(left)), waitOne)
  })
  return {
    wait: waitOne,
    take: Effect.map(Clock.monotonicTimeNanos, (now) => {
      taken = take(pace, taken, now)
    })
  }
}
