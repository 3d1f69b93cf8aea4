/** Commits in the background, for many small pieces of work: places are saved at intervals, and at the end. */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Front from "./front.ts"
import * as Grace from "./grace.ts"

/** When places are saved. */
export interface Pace {
  /** The least time between two saves, unless `atOnce` entries wait. */
  readonly every: Duration.Input
  /** When so many entries wait, they are saved without a pause. */
  readonly atOnce: number
  /** How long the last save may take after the work has ended. */
  readonly grace: Duration.Input
}

export interface PacedCommits<C, E> {
  /** Adds a piece of work, in order, and gives the effect that marks it as done. */
  readonly open: (place: C | undefined) => Effect.Effect<void>
  /** Waits while `atOnce` entries or more are unsaved, so that work stops while the store is down. */
  readonly room: Effect.Effect<void>
  /** Fails when a save fails. */
  readonly failed: Effect.Effect<never, E>
  /** Saves what is done, within the grace, and gives whether all of it is saved. Call it last. */
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

  // After a save it waits, and entries that are done meanwhile are saved together.
  const saving: Effect.Effect<void, E> = Effect.suspend(() => {
    const place = front.place()
    const passed = front.passed()
    if (place === undefined || place === saved.place) {
      saver = undefined
      return Effect.void
    }
    const isNowSaved = Effect.sync(() => {
      saved = { place, passed }
      look()
    })
    return save(place).pipe(
      Effect.andThen(isNowSaved),
      Effect.andThen(Effect.timeoutOption(hurry.await, pace.every)),
      Effect.andThen(saving)
    )
  })

  // Not a child of the fiber that finished an entry: the saver outlives it, and a save that hangs does not hold it.
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
