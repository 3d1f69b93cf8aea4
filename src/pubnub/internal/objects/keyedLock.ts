/** Runs effects with the same key one after another, for things that the service cannot protect from two writers. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

interface Lock {
  readonly semaphore: Semaphore.Semaphore
  waiting: number
}

/** The locks that are in use. By default all programs of the process share them: `update` is safe only if all its callers do. */
const Locks = Context.Reference<Map<string, Lock>>("effect-herald/pubnub/internal/Locks", {
  defaultValue: () => new Map()
})

/** Runs an effect while no other with this key runs. */
export const withLock = (key: string) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Locks, (locks) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        const lock = locks.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), waiting: 0 }
        lock.waiting += 1
        locks.set(key, lock)
        return lock
      }),
      ({ semaphore }) => semaphore.withPermit(effect),
      (lock) =>
        Effect.sync(() => {
          lock.waiting -= 1
          if (lock.waiting === 0) locks.delete(key)
        })
    ))
