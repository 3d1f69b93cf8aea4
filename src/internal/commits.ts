/**
 * Commits that never run ahead: what was read may be finished in any order, and counts when it and all before it are.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

/** A log of places. Each commit that moves the front saves it; a later one saves for all before it. */
export const make = <C, E, R>(save: (place: C) => Effect.Effect<void, E, R>) => {
  const open: Array<{ readonly place: C; done: boolean }> = []
  const one = Semaphore.makeUnsafe(1)
  let front: { readonly place: C; saved: boolean } | undefined

  const saveFront = Effect.suspend(() => {
    const current = front
    if (current === undefined || current.saved) return Effect.void
    return Effect.tap(save(current.place), () =>
      Effect.sync(() => {
        current.saved = true
      }))
  })

  return {
    next: (place: C): Effect.Effect<void, E, R> => {
      const entry = { place, done: false }
      open.push(entry)
      return Effect.uninterruptible(Effect.suspend(() => {
        entry.done = true
        while (open[0]?.done === true) {
          front = { place: open[0].place, saved: false }
          open.shift()
        }
        return one.withPermits(1)(saveFront)
      }))
    }
  }
}
