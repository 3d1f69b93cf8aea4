/** Ends a reader in order: handlers that run may finish, and no further one begins. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import type * as Semaphore from "effect/Semaphore"

export interface HandOver {
  /** Runs a handler, unless the reader ends: then it waits for its interruption. */
  readonly guard: <A, E, R>(handler: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /**
   * Runs a reader until it fails, or `stop` succeeds, or its own fiber is interrupted. In the last two cases handlers that run may
   * finish first, within the bound. Then the reader is interrupted, and commits what was handled. If it does not end, since a
   * handler cannot be interrupted, it is left behind; after `stop` that is a defect: the lane must be claimed anew.
   */
  readonly run: <E, R, R2>(
    reader: Effect.Effect<unknown, E, R>,
    stop: Effect.Effect<void, never, R2>
  ) => Effect.Effect<void, E, R | R2>
}

/** How long a reader may take to commit and to leave after its interruption. One attempt of a last commit has 5 seconds. */
const patience = "7 seconds"

const leftBehind = "a handler does not end and cannot be interrupted: its reader is left behind"

/** Calls `onRunning` with the number of handlers that run, when the first one begins and when one ends. */
export const make = (
  bound: Duration.Input,
  permits: Semaphore.Semaphore | undefined,
  onRunning: (running: number) => void
): HandOver => {
  const idle = Latch.makeUnsafe(true)
  let isOpen = true
  let running = 0
  const counted = <A, E, R>(handler: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      if (!isOpen) return Effect.succeedNone
      if (++running === 1) onRunning(running)
      idle.closeUnsafe()
      return Effect.asSome(Effect.ensuring(
        handler,
        Effect.sync(() => {
          running--
          if (isOpen) onRunning(running)
          if (running === 0) idle.openUnsafe()
        })
      ))
    })
  const close = Effect.suspend(() => {
    isOpen = false
    // A handler that has ended is marked as handled before its fiber yields.
    return Effect.andThen(Effect.timeoutOption(idle.await, bound), Effect.yieldNow)
  })
  return {
    guard: (handler) => {
      const one = counted(handler)
      return Effect.flatMap(
        permits === undefined ? one : permits.withPermits(1)(one),
        Option.match({ onNone: () => Effect.never, onSome: Effect.succeed })
      )
    },
    run: (reader, stop) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.forkDetach(Effect.interruptible(reader), { startImmediately: true })
          const exit = yield* Effect.exit(restore(Effect.raceFirst(Effect.asVoid(Fiber.join(fiber)), stop)))
          yield* close
          const ended = yield* Effect.timeoutOption(Fiber.interrupt(fiber), patience)
          if (Option.isNone(ended)) {
            yield* Effect.logWarning(leftBehind)
            if (Exit.isSuccess(exit)) return yield* Effect.die(leftBehind)
          }
          return yield* exit
        })
      )
  }
}
