/**
 * Virtual time for tests: `advance` moves time and lets all work finish, `jump` moves the wall clock alone.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import * as TestClock from "effect/testing/TestClock"

/**
 * A wall clock that can be moved, and that knows the next sleeper.
 *
 * @category services
 * @since 0.1.0
 */
export class VirtualTime extends Context.Service<VirtualTime, {
  /** Moves the wall clock, in either direction. No timer fires and monotonic time stands still. */
  readonly jump: (duration: Duration.Input) => Effect.Effect<void>
  /** Milliseconds until the next sleeper is due, if there is one. */
  readonly untilDue: Effect.Effect<Option.Option<number>>
  /** Runs fibers until all of them wait. */
  readonly rest: Effect.Effect<void>
}>()("effect-herald/testing/VirtualTime/VirtualTime") {}

// A promise that settles outside of fibers may take a turn or two in which none of them does anything.
const quietTurns = 4

// A fiber that never comes to rest must not keep a test from going on.
const mostTurns = 1_000

/**
 * Wraps the current clock, which in `it.effect` is the `TestClock`. Everything that has this layer sees the moved wall
 * clock, and `advance` needs fewer steps.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<VirtualTime> = Layer.effectContext(Effect.gen(function*() {
  const inner = yield* Clock.Clock
  const sleepers = new Set<{ readonly due: bigint }>()
  let offset = 0
  const millis = () => inner.currentTimeMillisUnsafe() + offset
  const nanos = () => inner.currentTimeNanosUnsafe() + BigInt(offset) * 1_000_000n
  // A TestClock has members of its own, which TestClock.adjust looks for on the current clock.
  const clock: Clock.Clock = Object.assign({}, inner, {
    currentTimeMillisUnsafe: millis,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: () => inner.monotonicTimeNanosUnsafe(),
    monotonicTimeNanos: inner.monotonicTimeNanos,
    sleep: (duration: Duration.Duration) =>
      Duration.isFinite(duration)
        ? Effect.acquireUseRelease(
          Effect.sync(() => {
            const sleeper = { due: inner.monotonicTimeNanosUnsafe() + Duration.toNanosUnsafe(duration) }
            sleepers.add(sleeper)
            return sleeper
          }),
          () => inner.sleep(duration),
          (sleeper) => Effect.sync(() => sleepers.delete(sleeper))
        )
        : inner.sleep(duration)
  })
  // Counts what fibers do between two turns of the event loop, so that a test need not guess how many they take.
  const scheduler = yield* Scheduler.Scheduler
  let tasks = 0
  const counting: Scheduler.Scheduler = {
    executionMode: scheduler.executionMode,
    shouldYield: (fiber) => scheduler.shouldYield(fiber),
    makeDispatcher: () => {
      const dispatcher = scheduler.makeDispatcher()
      return {
        scheduleTask: (task, priority) => {
          tasks++
          dispatcher.scheduleTask(task, priority)
        },
        flush: () => dispatcher.flush()
      }
    }
  }
  const rest = Effect.gen(function*() {
    for (let turn = 0, quiet = 0; quiet < quietTurns && turn < mostTurns; turn++) {
      const before = tasks
      yield* Effect.yieldNow
      // One of the tasks is the turn that was just taken.
      quiet = tasks - before > 1 ? 0 : quiet + 1
    }
  })
  const wallClock = VirtualTime.of({
    rest,
    jump: (duration) =>
      Effect.sync(() => {
        offset += Math.round(Duration.toMillis(Duration.fromInputUnsafe(duration)))
      }),
    untilDue: Effect.sync(() => {
      let first: bigint | undefined
      for (const { due } of sleepers) if (first === undefined || due < first) first = due
      return first === undefined
        ? Option.none()
        : Option.some(Math.max(0, Number(first - inner.monotonicTimeNanosUnsafe()) / 1_000_000))
    })
  })
  return Context.make(VirtualTime, wallClock).pipe(
    Context.add(Clock.Clock, clock),
    Context.add(Scheduler.Scheduler, counting)
  )
}))

/**
 * Moves the wall clock and nothing else, as when a laptop sleeps: no timer fires, and monotonic time stands still.
 *
 * **Example** (Eight hours in a bag)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as VirtualTime from "effect-herald/testing/VirtualTime"
 *
 * const program = VirtualTime.jump("8 hours").pipe(Effect.provide(VirtualTime.layer))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export const jump = (duration: Duration.Input): Effect.Effect<void, never, VirtualTime> =>
  VirtualTime.use((clock) => clock.jump(duration))

// Turns of the event loop: enough for a chain of fibers to come to where it sleeps, few enough to cost little.
const someTurns = Effect.repeat(Effect.yieldNow, { times: 31 })

const needTestClock = Clock.clockWith((clock) =>
  "adjust" in clock ? Effect.void : Effect.die(
    new Error(
      "VirtualTime.advance needs a test clock: use it.effect, or provide TestClock.layer() below VirtualTime.layer."
    )
  )
)

/**
 * Moves virtual time by a duration, and runs fibers until they wait before each step. `TestClock.adjust` alone skips
 * fibers that are just about to sleep.
 *
 * With `VirtualTime.layer`, time moves from sleeper to sleeper. Without it, time moves in steps of `step` (default: one
 * second), and a fiber that sleeps between two steps is late by at most one. It does not wait for the outside world, such
 * as a socket, a worker thread or the signature of a login. Without a `TestClock` it dies.
 *
 * **Example** (An hour in a moment)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Fiber from "effect/Fiber"
 * import * as VirtualTime from "effect-herald/testing/VirtualTime"
 *
 * const program = Effect.gen(function*() {
 *   const fiber = yield* Effect.forkChild(Effect.sleep("59 minutes"))
 *   yield* VirtualTime.advance("1 hour")
 *   yield* Fiber.join(fiber)
 * })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export const advance = Effect.fnUntraced(function*(duration: Duration.Input, options?: {
  readonly step?: Duration.Input
}) {
  yield* needTestClock
  const wallClock = yield* Effect.serviceOption(VirtualTime)
  const rest = Option.isSome(wallClock) ? wallClock.value.rest : someTurns
  const step = Duration.toMillis(Duration.fromInputUnsafe(options?.step ?? "1 second"))
  let left = Duration.toMillis(Duration.fromInputUnsafe(duration))
  yield* rest
  while (left > 0) {
    const due = Option.isSome(wallClock)
      ? Option.getOrElse(yield* wallClock.value.untilDue, () => left)
      : step
    const now = Math.min(left, Math.max(due, 1))
    yield* TestClock.adjust(now)
    left -= now
    yield* rest
  }
})
