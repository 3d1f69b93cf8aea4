/** Commits of pages that finish in any order: a page is committed when it and all pages before it are finished. */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import * as Front from "./front.ts"
import * as Grace from "./grace.ts"

/** How long a commit goes on after its fiber is interrupted. */
export const grace = "5 seconds"

/** Each commit that moves the front saves it. A later commit saves for all before it. */
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
    /** Adds a page, in order, and gives its commit. A page without a place only holds back the pages behind it. */
    next: (place: C | undefined): Effect.Effect<void, E, R> => {
      const entry = front.open(place)
      return Effect.suspend(() => {
        front.done(entry)
        return Grace.lasting(one.withPermits(1)(saveFront), grace)
      })
    }
  }
}
