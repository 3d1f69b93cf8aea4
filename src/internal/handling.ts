/** Runs handlers of messages and events, for both services. */
import * as Effect from "effect/Effect"
import * as Retry from "../Retry.ts"
import * as Input from "./input.ts"

/** The problems of a handler and its options. */
export const issuesOf = (
  handler: unknown,
  { concurrency, deadLetter, onStatus, retry }: {
    readonly concurrency?: unknown
    readonly deadLetter?: unknown
    readonly onStatus?: unknown
    readonly retry?: Retry.Policy<never> | undefined
  },
  atOnce: Input.Check = Input.whole(1)
): ReadonlyArray<Input.Detail> => [
  ...Input.issues({
    handler: Input.callback(handler),
    concurrency: Input.optional(atOnce)(concurrency),
    deadLetter: Input.optional(Input.callback)(deadLetter),
    onStatus: Input.optional(Input.callback)(onStatus)
  }),
  ...Input.retry("retry", retry)
]

interface Options<A, E, E3, R3> {
  readonly retry?: Retry.Policy<E> | undefined
  readonly deadLetter?: ((work: A, error: E) => Effect.Effect<unknown, E3, R3>) | undefined
}

/** Runs the effect of a handler for its work. */
type Around<A> = <E, R>(effect: Effect.Effect<unknown, E, R>, work: A) => Effect.Effect<unknown, E, R>

/**
 * Adds retries to a handler. After the last one, `deadLetter` gets the work, and its failure is the result's. Without
 * `deadLetter` the result fails as the handler does: the caller then has `E` for `E3`. Each attempt and `deadLetter` run `around`.
 */
export function withRetryAndDeadLetter<A, E, R, E3, R3>(
  handler: (work: A) => Effect.Effect<unknown, E, R>,
  options: Options<A, E, E3, R3>,
  around?: Around<A>
): (work: A) => Effect.Effect<unknown, E3, R | R3>
export function withRetryAndDeadLetter<A, E, R, E3, R3>(
  handler: (work: A) => Effect.Effect<unknown, E, R>,
  { deadLetter, retry }: Options<A, E, E3, R3>,
  around: Around<A> = (effect) => effect
) {
  return (work: A): Effect.Effect<unknown, E | E3, R | R3> => {
    const handled = around(Effect.suspend(() => handler(work)), work)
    const tried = retry === undefined ? handled : Effect.retry(handled, Retry.toSchedule(retry))
    return deadLetter === undefined
      ? tried
      : Effect.catch(tried, (error) => around(Effect.suspend(() => deadLetter(work, error)), work))
  }
}
