/** Commits in the background, for work that comes in small pieces: places are saved now and then, and at the end. */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Front from "./front.ts"
import * as Grace from "./grace.ts"

/** How often places are saved. */
export interface Pace {
  /** The time between two saves. */
  readonly every: Duration.Input
  /** So many entries are saved at once. */
  readonly atOnce: number
  /** How long the last save may take when the work has ended. */
  readonly grace: Duration.Input
}

export interface PacedCommits<C, E> {
  /** Adds a piece of work, in the order in which it came. The effect says that it is done. */
  readonly open: (place: C | undefined) => Effect.Effect<void>
  /** Waits while as many are unsaved as are saved at once: a store that is down holds up the work. */
  readonly room: Effect.Effect<void>
  /** Fails when a save did. */
  readonly failed: Effect.Effect<never, E>
  /** Saves what is done, for no longer than the grace. Succeeds with whether all of it is saved. To be called last. */
  readonly close: Effect.Effect<boolean, E>
}

export const make = <C, E>(save: (place: C) => Effect.Effect<void, E>, pace: Pace): PacedCommits<C, E> => {
  const front = Front.make<C>()
  const failure = Deferred.makeUnsafe<never, E>()
  const room = Latch.makeUnsafe(true)
  const hurry = Latch.makeUnsafe(false)
  let saved: { readonly place: C | undefined; readonly passed: number } = { place: undefined, passed: 0 }
  let saver: Fiber.Fiber<void, E> | undefined
  let closing = false

  const isSaved = () => front.place() === saved.place
  const look = () => {
    const isFull = !isSaved() && front.passed() - saved.passed >= pace.atOnce
    if (isFull) room.closeUnsafe()
    else room.openUnsafe()
    if (isFull || closing) hurry.openUnsafe()
    else hurry.closeUnsafe()
  }

  const saveFront = Effect.suspend(() => {
    const place = front.place()
    const passed = front.passed()
    if (place === undefined || place === saved.place) return Effect.void
    return Effect.tap(save(place), () =>
      Effect.sync(() => {
        saved = { place, passed }
        look()
      }))
  })

  // After a save it stays a while, and what is done meanwhile gathers.
  const saving: Effect.Effect<void, E> = Effect.suspend(() => {
    if (!isSaved()) {
      return saveFront.pipe(
        Effect.andThen(Effect.timeoutOption(hurry.await, pace.every)),
        Effect.andThen(saving)
      )
    }
    saver = undefined
    return Effect.void
  })

  // Not a child of whoever was done just then: it outlives them, and a save that hangs keeps none of them.
  const wake = Effect.uninterruptible(Effect.suspend(() => {
    look()
    return saver !== undefined || isSaved()
      ? Effect.void
      : Effect.map(
        Effect.forkDetach(Effect.interruptible(Effect.onError(saving, (cause) => Deferred.failCause(failure, cause)))),
        (fiber) => {
          saver = fiber
        }
      )
  }))

  return {
    open: (place) => {
      const entry = front.open(place)
      return Effect.suspend(() => {
        front.done(entry)
        return wake
      })
    },
    room: room.await,
    failed: Deferred.await(failure),
    close: Effect.suspend(() => {
      closing = true
      look()
      return saver === undefined
        ? Effect.succeed(isSaved())
        : Effect.flatMap(
          Grace.awaitAtMost(saver, pace.grace),
          Option.match({
            onNone: () => Effect.succeed(false),
            onSome: Exit.match({ onFailure: Effect.failCause, onSuccess: () => Effect.succeed(true) })
          })
        )
    })
  }
}
