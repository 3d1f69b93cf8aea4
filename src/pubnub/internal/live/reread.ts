/**
 * How a live value is read again: for as long as it takes. What passes by itself is tried soon; a refusal (a token that
 * lost a permission, an add-on that is off) may be mended at any time, and so it is tried at a slow pace.
 */
import * as Effect from "effect/Effect"
import type * as PubNubError from "../../PubNubError.ts"
import * as Retry from "../../../Retry.ts"

/** How often a refused reading is tried again. */
const slowly = Retry.backoff({ floor: "10 seconds", cap: "2 minutes" })

/**
 * Reads until it succeeds, and tells every failure. The first reading of all is not tried again when it is refused: whoever
 * asked for the value is told at once.
 */
export const untilRead = <A, E extends Retry.Failure & { readonly _tag: string }, R, R2>(
  read: Effect.Effect<A, E | PubNubError.PubNubError, R>,
  { isFirst, tell }: {
    readonly isFirst: boolean
    readonly tell: (error: E | PubNubError.PubNubError) => Effect.Effect<void, never, R2>
  }
): Effect.Effect<A, E | PubNubError.PubNubError, R | R2> => {
  const soon = read.pipe(
    Effect.tapError(tell),
    Effect.retry({ schedule: Retry.reconnect, while: (error) => isOurs(error) && error.isRetryable })
  )
  return isFirst ? soon : Effect.retry(soon, { schedule: slowly, while: isOurs })
}

const isOurs = (error: Retry.Failure & { readonly _tag: string }): error is PubNubError.PubNubError =>
  error._tag === "PubNubError"
