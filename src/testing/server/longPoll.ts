/** Requests that wait for an answer. */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { ConnectionReset } from "./connection.ts"

/** A request that waits. */
export interface Waiter {
  /** Lets it look again. */
  readonly wake: () => void
  /** Cuts its connection. */
  readonly reset: () => void
}

/** What a look finds: an answer, or for how long to wait at most, and what to do when the wait is over. */
export type Look<A> = { readonly answer: A } | { readonly millis: number; readonly leave: Effect.Effect<void> }

/**
 * Looks for an answer, and again after each wait, until there is one. Looking and adding the waiter must be one step: what
 * happens between them would wake nobody.
 */
export const poll = <A>(look: (waiter: Waiter) => Effect.Effect<Look<A>>): Effect.Effect<A, ConnectionReset> =>
  Effect.suspend(() => {
    const woken = Deferred.makeUnsafe<void, ConnectionReset>()
    const waiter: Waiter = {
      wake: () => {
        Deferred.doneUnsafe(woken, Effect.void)
      },
      reset: () => {
        Deferred.doneUnsafe(woken, Effect.fail(new ConnectionReset({})))
      }
    }
    return Effect.acquireUseRelease(
      look(waiter),
      (found) =>
        "answer" in found
          ? Effect.succeed(found)
          : Effect.as(Effect.timeoutOption(Deferred.await(woken), found.millis), undefined),
      (found) => "answer" in found ? Effect.void : found.leave
    )
  }).pipe(Effect.flatMap((found) => found === undefined ? poll(look) : Effect.succeed(found.answer)))
