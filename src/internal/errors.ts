/**
 * What errors say of another attempt.
 */
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** What an error has that no other attempt can help. */
export interface Final {
  /** Always `false`: another attempt would fail again, or do again what was done. */
  readonly isRetryable: false
  /** Always `None`. */
  readonly retryAfter: Option.Option<Duration.Duration>
}

/** Gives the errors of a class what {@link Final} says. */
export const final = <C extends abstract new(...args: never) => Final>(errors: C): C => {
  Object.defineProperties(errors.prototype, {
    isRetryable: { get: () => false },
    retryAfter: { get: () => Option.none() }
  })
  return errors
}
