/**
 * A sliding window: it lets through at most `limit` turns in any window of time, wherever that window begins. Effect's
 * `RateLimiter` cannot promise that. Its fixed window and its token bucket let through nearly twice as many around a border.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

export interface Pace {
  readonly limit: number
  /** In nanoseconds. */
  readonly window: bigint
}

/** When the latest turns were taken, oldest first; never more than `limit`. */
export type Turns = ReadonlyArray<bigint>

export const none: Turns = []

/** How long the next turn has to wait. */
export const wait = ({ limit, window }: Pace, turns: Turns, now: bigint): bigint => {
  const [oldest] = turns
  const free = oldest === undefined || turns.length < limit ? now : oldest + window
  return free > now ? free - now : 0n
}

/** Takes a turn that need not wait. */
export const take = ({ limit }: Pace, turns: Turns, now: bigint): Turns => [...turns, now].slice(-limit)

/** The turns of one line. Who waited takes a turn at once, before anybody else can. */
export interface Line {
  readonly wait: Effect.Effect<void>
  readonly take: Effect.Effect<void>
}

export const turnsOf = (pace: Pace): Line => {
  let taken = none
  const waitOne: Effect.Effect<void> = Effect.flatMap(Clock.monotonicTimeNanos, (now) => {
    const left = wait(pace, taken, now)
    // It looks again when it wakes: a timer may fire a little early.
    return left === 0n ? Effect.void : Effect.andThen(Effect.sleep(Duration.nanos(left)), waitOne)
  })
  return {
    wait: waitOne,
    take: Effect.map(Clock.monotonicTimeNanos, (now) => {
      taken = take(pace, taken, now)
    })
  }
}
