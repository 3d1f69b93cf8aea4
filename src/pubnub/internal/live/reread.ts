/**
 * When a live value is read again, and how. A read is retried until it succeeds: soon after a failure that is retryable, and
 * slowly after a refusal. Someone may give the token its permission or switch on the add-on at any time.
 */
import * as Effect from "effect/Effect"
import * as Retry from "../../../Retry.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as EventStreams from "../reading/eventStreams.ts"

/** Whether events may have been lost before this one, so that the value must be read again. */
export const needsReread = (event: SubscribeEvent.SubscribeEvent): boolean => {
  switch (event._tag) {
    case "Connected":
    case "Reconnected":
    case "Gap":
    case "GapSuspected":
    case "CursorDoubted":
    case "Undecodable":
      return true
    default:
      return false
  }
}

/** Warns of events that keep a value from being current. Other losses are read again without a warning. */
export const warn = (event: SubscribeEvent.SubscribeEvent): Effect.Effect<void> =>
  event._tag === "Interrupted" || event._tag === "Undecodable" ? EventStreams.logged(event) : Effect.void

/** How often a refused read is tried again. */
const slowly = Retry.backoff({ base: "10 seconds", cap: "2 minutes" })

/**
 * Reads until it succeeds, and reports every failure to `onFailure`. A first read that is refused is not tried again: the
 * caller of `live` gets the error.
 */
export const untilRead = <A, E extends { readonly _tag: string }, R, R2>(
  read: Effect.Effect<A, E | PubNubError.PubNubError, R>,
  { isFirst, onFailure }: {
    readonly isFirst: boolean
    readonly onFailure: (error: E | PubNubError.PubNubError) => Effect.Effect<void, never, R2>
  }
): Effect.Effect<A, E | PubNubError.PubNubError, R | R2> => {
  const soon = read.pipe(
    Effect.tapError(onFailure),
    Effect.retry({ schedule: Retry.reconnect, while: (error) => isOurs(error) && error.isRetryable })
  )
  return isFirst ? soon : Effect.retry(soon, { schedule: slowly, while: isOurs })
}

const isOurs = (error: { readonly _tag: string }): error is PubNubError.PubNubError => error._tag === "PubNubError"
