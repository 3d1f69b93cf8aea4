/** A handler of work that was read, as both services run it. */
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"

/** A handler that tries again, and then sets aside what it cannot handle. */
export const persistent = <A, E, R, E3, R3>(
  handler: (work: A) => Effect.Effect<unknown, E, R>,
  { deadLetter, retry }: {
    readonly retry?: Schedule.Schedule<unknown, E> | undefined
    readonly deadLetter?: ((work: A, error: E) => Effect.Effect<unknown, E3, R3>) | undefined
  }
) =>
(work: A): Effect.Effect<unknown, E | E3, R | R3> => {
  const handled = Effect.suspend(() => handler(work))
  const tried = retry === undefined ? handled : Effect.retry(handled, retry)
  return deadLetter === undefined ? tried : Effect.catch(tried, (error) => deadLetter(work, error))
}
