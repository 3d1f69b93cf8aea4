/**
 * How a reader ends that gave up.
 */
import type { Cursor } from "../../../Cursor.ts"
import type * as PubNubError from "../../PubNubError.ts"
import { Exhausted, SubscribeError } from "../../SubscribeError.ts"

/** The error of a failure whose schedule has ended. What no retry mends stands for itself. */
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
