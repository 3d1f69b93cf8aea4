/**
 * The clock of the service.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Wire from "./internal/wire/time.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import * as PubNubError from "./PubNubError.ts"
import type { Timetoken } from "./Timetoken.ts"

/**
 * The errors of {@link now}. The request needs neither keys nor a permission.
 *
 * @category errors
 * @since 0.1.0
 */
export type TimeError = PubNubError.PubNubErrorOf<
  | PubNubError.Transport
  | PubNubError.Timeout
  | PubNubError.RateLimited
  | PubNubError.BadRequest
  | PubNubError.ServerFailure
  | PubNubError.Malformed
>

/**
 * Asks the service for its time, as a timetoken. The request has neither a token nor a signature.
 *
 * **Details**
 *
 * `GET /time/0`
 *
 * **Example** (How wrong the clock of this machine is)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Time from "effect-herald/pubnub/Time"
 * import * as Timetoken from "effect-herald/pubnub/Timetoken"
 *
 * const drift = Effect.gen(function*() {
 *   const here = yield* DateTime.now
 *   const there = Timetoken.toDateTime(yield* Time.now)
 *   return DateTime.distance(here, there)
 * })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const now: Effect.Effect<Timetoken, TimeError, HttpClient.HttpClient | PubNubConfig> = Effect.mapError(
  Endpoint.run("Time.now", Wire.endpoint),
  ({ reason, request }): TimeError => {
    const error = (reason: TimeError["reason"]): TimeError =>
      PubNubError.make({ operation: "Time.now", reason, request })
    switch (reason._tag) {
      // There is nothing to be denied here: a proxy or a wrong origin said so.
      case "AccessDenied":
      case "EmptySubscription":
      case "FeatureDisabled":
      case "InvalidKey":
      case "TokenUnavailable":
        return error(
          new PubNubError.BadRequest({
            description: reason.message,
            details: [],
            ...(reason._tag === "AccessDenied" ? { status: reason.status } : {})
          })
        )
      default:
        return error(reason)
    }
  }
)
