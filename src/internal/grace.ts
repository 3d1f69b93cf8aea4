/** Lets work finish when its caller is interrupted, for a limited time. */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"

/** Waits for a fiber. After the time it interrupts the fiber, and does not wait for its end: it may be uninterruptible. */
export const awaitAtMost = <A, E>(
  fiber: Fiber.Fiber<A, E>,
  duration: Duration.Input
): Effect.Effect<Option.Option<Exit.Exit<A, E>>> =>
  Fiber.await(fiber).pipe(
    Effect.timeoutOption(duration),
    // A fiber that has ended takes no notice.
    Effect.ensuring(Effect.sync(() => fiber.interruptUnsafe()))
  )

/** Runs an effect to its end. After an interruption of its caller it may run this much longer. */
export const lasting = <A, E, R>(effect: Effect.Effect<A, E, R>, duration: Duration.Input): Effect.Effect<A, E, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(
      Effect.forkDetach(Effect.interruptible(effect), { startImmediately: true }),
      (fiber) => Effect.onInterrupt(restore(Fiber.join(fiber)), () => awaitAtMost(fiber, duration))
    )
  )
