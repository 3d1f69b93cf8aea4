/** Bodies of requests. Each attempt has its own body, which knows how reading its content failed. */
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import type * as SymphonyError from "../../SymphonyError.ts"

/** How an attempt failed. */
export interface Failed<out E> {
  readonly error: SymphonyError.SymphonyError | E
  /** The failure of every further attempt, if the body cannot be sent again. */
  readonly another?: E | undefined
}

/** The body of one attempt. `E` is the failure of its content. */
export interface Body<out E> {
  readonly content: HttpBody.Uint8Array | HttpBody.Stream
  /** The failure of the attempt: if the content failed, the transport only reports a closed connection. */
  readonly failed: (error: SymphonyError.SymphonyError) => Effect.Effect<never, Failed<E>>
}

/** A content that is there already. */
export const of = (content: Body<never>["content"]): Body<never> => ({
  content,
  failed: (error) => Effect.fail({ error })
})

/** A value as JSON. */
export const json = (value: unknown): Effect.Effect<Body<never>> => Effect.sync(() => of(HttpBody.jsonUnsafe(value)))
