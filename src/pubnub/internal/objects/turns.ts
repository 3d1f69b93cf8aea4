/**
 * One after another: what this process does with things that the service cannot protect from two writers. Turns are kept by
 * the name of the thing, for as long as anybody waits for one.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

interface Turns {
  readonly semaphore: Semaphore.Semaphore
  waiting: number
}

const all = new Map<string, Turns>()

export const inTurn = (name: string) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const turns = all.get(name) ?? { semaphore: Semaphore.makeUnsafe(1), waiting: 0 }
      turns.waiting += 1
      all.set(name, turns)
      return turns
    }),
    ({ semaphore }) => semaphore.withPermit(effect),
    (turns) =>
      Effect.sync(() => {
        turns.waiting -= 1
        if (turns.waiting === 0) all.delete(name)
      })
  )
