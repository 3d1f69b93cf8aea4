/**
 * Timeouts of requests. All timeouts of one length share one sleeping fiber, since the first to begin is the first to end. A timer
 * for each request costs too much.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

interface Deadline {
  /** In nanoseconds of monotonic time. */
  readonly end: bigint
  readonly expire: () => void
}

interface Line {
  /** Sorted by their ends. */
  readonly waiting: Set<Deadline>
  /** How long each of them waits. */
  readonly nanos: bigint
  isWatched: boolean
}

export interface Deadlines {
  /** Calls `expire` after a time on the given clock. The result cancels it. */
  readonly set: (clock: Clock.Clock, duration: Duration.Duration, expire: () => void) => () => void
}

/** After the scope closes, no `expire` is called. */
export const make = (scope: Scope.Scope): Deadlines => {
  const clocks = new WeakMap<Clock.Clock, Map<number, Line>>()
  const lineOf = (clock: Clock.Clock, millis: number): Line => {
    let lines = clocks.get(clock)
    if (lines === undefined) clocks.set(clock, lines = new Map())
    let line = lines.get(millis)
    if (line === undefined) {
      lines.set(millis, line = { waiting: new Set(), nanos: BigInt(Math.round(millis * 1e6)), isWatched: false })
    }
    return line
  }
  return {
    set: (clock, duration, expire) => {
      const line = lineOf(clock, Duration.toMillis(duration))
      const deadline = { end: clock.monotonicTimeNanosUnsafe() + line.nanos, expire }
      line.waiting.add(deadline)
      if (!line.isWatched) {
        line.isWatched = true
        Effect.runFork(Effect.forkIn(watch(line, clock), scope))
      }
      return () => line.waiting.delete(deadline)
    }
  }
}

const watch = (line: Line, clock: Clock.Clock): Effect.Effect<void> =>
  Effect.whileLoop({
    while: () => line.isWatched = line.waiting.size > 0,
    body: () => clock.sleep(Duration.nanos(untilFirst(line, clock))),
    step: () => {
      for (const deadline of line.waiting) {
        if (deadline.end > clock.monotonicTimeNanosUnsafe()) return
        line.waiting.delete(deadline)
        deadline.expire()
      }
    }
  })

const untilFirst = ({ waiting }: Line, clock: Clock.Clock): bigint => {
  const [first] = waiting
  const left = first === undefined ? 0n : first.end - clock.monotonicTimeNanosUnsafe()
  return left > 0n ? left : 0n
}
