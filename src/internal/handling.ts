/** Handlers of messages and events, as both services run them. */
import * as Effect from "effect/Effect"
import type * as Schedule from "effect/Schedule"
import * as Input from "./input.ts"

/** What is wrong with a handler and its options. */
export const issuesOf = (
  handler: unknown,
  { concurrency, deadLetter, onStatus, retry }: {
    readonly concurrency?: unknown
    readonly deadLetter?: unknown
    readonly onStatus?: unknown
    readonly retry?: unknown
  },
  atOnce: Input.Check = Input.whole(1)
): ReadonlyArray<Input.Detail> =>
  Input.issues({
    handler: Input.callback(handler),
    concurrency: Input.optional(atOnce)(concurrency),
    retry: Input.optional(Input.schedule)(retry),
    deadLetter: Input.optional(Input.callback)(deadLetter),
    onStatus: Input.optional(Input.callback)(onStatus)
  })

/** A handler that retries, and then passes work that it cannot handle to `deadLetter`. */
export const withRetryAndDeadLetter = <A, E, R, E3, R3>(
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
