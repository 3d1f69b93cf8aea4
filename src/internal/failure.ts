/** Makes error classes: each error has a message, and says whether and when another attempt can succeed. */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"

/** Whether and when another attempt can succeed. */
export interface Failure {
  /** Whether another attempt can succeed. */
  readonly isRetryable: boolean
  /** The wait that the service asked for, if it did. */
  readonly retryAfter?: Duration.Duration | undefined
}

/** The text and retry information of an error, computed from its fields. */
export interface Says<Fields> {
  /** What happened, and what to try first. */
  readonly message: (error: Fields) => string
  /** Default: never. */
  readonly isRetryable?: boolean | ((error: Fields) => boolean)
  /** Default: the field `retryAfter`, if there is one. */
  readonly retryAfter?: (error: Fields) => Duration.Duration | undefined
}

/** Makes an error class. */
export const TaggedError = <Self>(module: string) =>
<Tag extends string, const Fields extends Schema.Struct.Fields>(
  tag: Tag,
  fields: Fields,
  { isRetryable = false, message, retryAfter }: Says<{ readonly _tag: Tag } & Schema.Struct.Type<Fields>>
) => {
  const errors = Schema.TaggedError<Error, Failure>(`effect-herald/${module}/${tag}`)(tag, fields)
  const getter = <E>(get: (error: E) => unknown) => ({
    get(this: E) {
      return get(this)
    }
  })
  Object.defineProperties(errors.prototype, {
    message: getter(message),
    isRetryable: getter(typeof isRetryable === "boolean" ? () => isRetryable : isRetryable),
    ...retryAfter === undefined ? {} : { retryAfter: getter(retryAfter) }
  })
  // The class knows its instances only once it is extended.
  return errors as unknown as Schema.Class<Self, Schema.TaggedStruct<Tag, Fields>, Cause.YieldableError & Failure>
}
