/**
 * Runs effects with the same key one after another, for things that the service cannot protect from two writers. The locks
 * are those of the process, because every part of a program must use the same ones.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

interface Lock {
  readonly semaphore: Semaphore.Semaphore
  waiting: number
}

const locks = new Map<string, Lock>()

/** Runs an effect while no other with this key runs. A lock is kept for as long as anybody waits for it. */
export const withLock = (key: string) => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
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
  )
