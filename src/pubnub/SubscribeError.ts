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
 * The retry schedule for this kind of failure ended. Of the default schedules only the one for `AccessDenied` ends.
 *
 * @category errors
 * @since 0.1.0
 */
export class Exhausted extends Failure.TaggedError<Exhausted>("pubnub")("Exhausted", {
  /** How many failures there were in a row. */
  attempts: Schema.Int,
  /** The last failure. */
  last: PubNubError.Reason
}, {
  message: ({ attempts, last }) => `Gave up after ${attempts} attempts: ${last.message}`,
  isRetryable: ({ last }) => last.isRetryable,
  retryAfter: ({ last }) => last.retryAfter
}) {}

/**
 * A function threw an exception: one of the application (a schedule, an `HttpClient`), or one of this library. It ends every
 * reader of the connection.
 *
 * **Example** (Logging a defect, and going on)
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
  /** The exception, in at most 1,024 characters, without addresses, the secret key and the token. */
  description: Schema.String
}, {
  message: ({ description }) =>
    `A function threw: ${description}. If it is yours (a schedule, an HttpClient), fix it; else report it as a bug of ` +
    "effect-herald. Nothing was skipped: go on from the cursor."
}) {}

/**
 * More than `capacity` events waited for a reader of a shared connection with the strategy `fail`. The reader delivers the events that
 * wait, and then fails.
 *
 * @category errors
 * @since 0.1.0
 */
export class InboxOverflow extends Failure.TaggedError<InboxOverflow>("pubnub")("InboxOverflow", {
  /** How many events may wait for the reader. */
  capacity: Schema.Int
}, {
  message: ({ capacity }) =>
    `More than ${capacity} events wait for this reader. ` +
    "Go on from the cursor. To avoid it, handle events faster, or use more capacity or another strategy.",
  isRetryable: true
}) {}

/**
 * A subscription ended. To go on, pass `cursor` as `from` to a new one. A new token needs no new stream: see `AuthToken` of
 * `PubNubConfig`. This example is for a token that the user must ask for, such as by a new login.
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
  /** A failure that no retry can fix, {@link Exhausted}, {@link InboxOverflow} (with the strategy `fail` only), or {@link Defect}. */
  reason: Schema.Union([
    PubNubError.AccessDenied,
    PubNubError.InvalidKey,
    PubNubError.FeatureDisabled,
    PubNubError.BadRequest,
    Exhausted,
    InboxOverflow,
    Defect
  ]),
  /** Where the reader that failed was. Absent when a reader without a cursor was never connected. */
  cursor: Schema.optionalKey(Cursor)
}, {
  message: ({ reason }) => `The subscription ended: ${reason.message}`,
  isRetryable: ({ reason }) => reason.isRetryable,
  retryAfter: ({ reason }) => reason.retryAfter
}) {}
