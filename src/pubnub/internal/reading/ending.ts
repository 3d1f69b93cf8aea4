/**
 * The error of a reader that gave up.
 */
import type { Cursor } from "../../../Cursor.ts"
import type * as PubNubError from "../../PubNubError.ts"
import { Exhausted, SubscribeError } from "../../SubscribeError.ts"

/** Gives the error after the schedule of a failure has ended. A failure that no retry can fix is its own reason. */
export const toError = (
  failure: PubNubError.Reason,
  attempts: number,
  cursor: Cursor | undefined
): SubscribeError => {
  const at = cursor === undefined ? {} : { cursor }
  switch (failure._tag) {
    case "AccessDenied":
    case "BadRequest":
    case "FeatureDisabled":
    case "InvalidKey":
      return new SubscribeError({ reason: failure, ...at })
    default:
      return new SubscribeError({ reason: new Exhausted({ attempts, last: failure }), ...at })
  }
}
