/**
 * Commits that never run ahead: what was read may be finished in any order, and counts when it and all before it are.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Front from "./front.ts"
import * as Grace from "./grace.ts"

/** How long a commit goes on whose caller is interrupted. */
export const grace = "5 seconds"

/** A log of places. Each commit that moves the front saves it; a later one saves for all before it. */
export const make = <C, E, R>(save: (place: C) => Effect.Effect<void, E, R>) => {
  const front = Front.make<C>()
  const one = Semaphore.makeUnsafe(1)
  let saved: C | undefined

  const saveFront = Effect.suspend(() => {
    const place = front.place()
    if (place === undefined || place === saved) return Effect.void
    return Effect.tap(save(place), () =>
      Effect.sync(() => {
        saved = place
      }))
  })

  return {
    /** Adds a page, in order. The effect says that it is finished; a page without a place holds back those behind it. */
    next: (place: C | undefined): Effect.Effect<void, E, R> => {
      const entry = front.open(place)
      return Effect.suspend(() => {
        front.done(entry)
        return Grace.lasting(one.withPermits(1)(saveFront), grace)
      })
    }
  }
}
