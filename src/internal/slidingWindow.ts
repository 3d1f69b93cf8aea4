/**
 * A sliding window: it lets through at most `limit` turns in any window of time, wherever that window begins. Effect's
 * `RateLimiter` cannot promise that. Its fixed window and its token bucket let through nearly twice as many around a border.
 */

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
