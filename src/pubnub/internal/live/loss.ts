/**
 * What values that are kept current by events have in common: when they have to be read again.
 */
import * as Effect from "effect/Effect"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as EventStreams from "../reading/eventStreams.ts"

/** Whether events may have been lost before it. */
export const isLoss = (event: SubscribeEvent.SubscribeEvent): boolean => {
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

/** Warns of what keeps a value from being current. What is read again for the rest needs no warning. */
export const warn = (event: SubscribeEvent.SubscribeEvent): Effect.Effect<void> =>
  event._tag === "Interrupted" || event._tag === "Undecodable" ? EventStreams.logged(event) : Effect.void
