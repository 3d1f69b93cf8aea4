/**
 * The failures that end a subscription.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Failure from "../internal/failure.ts"
import { Cursor } from "../Cursor.ts"
import * as PubNubError from "./PubNubError.ts"

/**
 * The retry schedule for this kind of failure ended. `last` is the failure that the reader gave up on, and `attempts` says how
 * many failures there were in a row. Of the default schedules only the one for `AccessDenied` ends.
 *
 * @category errors
 * @since 0.1.0
 */
export class Exhausted extends Failure.TaggedError<Exhausted>("pubnub")("Exhausted", {
  attempts: Schema.Int,
  last: PubNubError.Reason
}, {
  message: ({ attempts, last }) => `Gave up after ${attempts} attempts: ${last.message}`,
  isRetryable: ({ last }) => last.isRetryable,
  retryAfter: ({ last }) => last.retryAfter
}) {}

/**
 * Something threw that must not: a function that was given to this library (a schedule, an `HttpClient`), or the library
 * itself. Every reader of that connection ends with it. `description` says what was thrown, in at most 1,024 characters and
 * without addresses, the secret key and the token.
 *
 * **Example** (Going on, and telling somebody)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * const orders = Subscribe.stream({ channels: ["orders"] }).pipe(
 *   Stream.catchTag("SubscribeError", (error) =>
 *     error.reason._tag === "Defect"
 *       ? Stream.unwrap(Effect.as(
 *         Effect.logError(error.reason.message),
 *         Subscribe.stream({ channels: ["orders"], from: error.cursor })
 *       ))
 *       : Stream.fail(error))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class Defect extends Failure.TaggedError<Defect>("pubnub")("Defect", {
  description: Schema.String
}, {
  message: ({ description }) =>
    `A function threw that must not: ${description}. If it is yours (a schedule, an HttpClient), mend it; else ` +
    "report it as a bug of effect-herald. Nothing was skipped: go on from the cursor."
}) {}

/**
 * A reader of a shared connection with the strategy `fail` had no room: `capacity` events waited for it. It fails after those
 * were taken.
 *
 * @category errors
 * @since 0.1.0
 */
export class InboxOverflow
  extends Failure.TaggedError<InboxOverflow>("pubnub")("InboxOverflow", { capacity: Schema.Int }, {
    message: ({ capacity }) =>
      `${capacity} events wait for this reader and there is no room for more. ` +
      "Take them faster, give it more capacity or another strategy, or go on from the cursor.",
    isRetryable: true
  })
{}

/**
 * The error of a subscription. Its `reason` is a failure that no retry mends, {@link Exhausted}, {@link InboxOverflow} (with the
 * strategy `fail` only), or a {@link Defect}.
 *
 * `cursor` is where to go on from: pass it as `from`. On a shared connection it is that of the reader that failed. It is absent
 * only when the reader never was connected and was given no cursor.
 *
 * A token that is replaced while the stream runs needs no new stream: see `AuthToken` of `PubNubConfig`.
 *
 * **Example** (Going on with a new token)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import * as Stream from "effect/Stream"
 * import { PubNubConfig } from "effect-herald/pubnub/PubNubConfig"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * declare const freshToken: Effect.Effect<Redacted.Redacted>
 *
 * const orders = Subscribe.stream({ channels: ["orders"] }).pipe(
 *   Stream.catchTag("SubscribeError", (error) =>
 *     error.reason._tag === "AccessDenied"
 *       ? Stream.unwrap(Effect.gen(function*() {
 *         const config = yield* PubNubConfig
 *         const authToken = yield* freshToken
 *         return Subscribe.stream({ channels: ["orders"], from: error.cursor }).pipe(
 *           Stream.provideService(PubNubConfig, { ...config, authToken })
 *         )
 *       }))
 *       : Stream.fail(error))
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class SubscribeError extends Failure.TaggedError<SubscribeError>("pubnub")("SubscribeError", {
  reason: Schema.Union([
    PubNubError.AccessDenied,
    PubNubError.InvalidKey,
    PubNubError.FeatureDisabled,
    PubNubError.BadRequest,
    Exhausted,
    InboxOverflow,
    Defect
  ]),
  cursor: Schema.optionalKey(Cursor)
}, {
  message: ({ reason }) => `The subscription ended: ${reason.message}`,
  isRetryable: ({ reason }) => reason.isRetryable,
  retryAfter: ({ reason }) => reason.retryAfter
}) {}
