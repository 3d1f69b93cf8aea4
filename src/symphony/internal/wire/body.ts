/** Bodies of requests. One is made for each attempt, and knows afterwards what became of it. */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import type * as SymphonyError from "../../SymphonyError.ts"

/** How an attempt failed. */
export interface Failed<out E> {
  readonly error: SymphonyError.SymphonyError | E
  /** What another attempt would fail with: the body cannot be sent once more. */
  readonly another?: E | undefined
}

/** The body of one attempt. `E` is what its own content can fail with. */
export interface Body<out E> {
  readonly content: HttpBody.HttpBody
  /** The failure of an attempt in which the transport failed so: where the body broke, the transport only tells of a cut line. */
  readonly failed: (error: SymphonyError.SymphonyError) => Effect.Effect<never, Failed<E>>
}

/** A value as JSON. */
export const json = (value: unknown): Effect.Effect<Body<never>> =>
  Effect.sync(() => ({
    content: HttpBody.jsonUnsafe(value),
    failed: (error) => Effect.fail({ error })
  }))
