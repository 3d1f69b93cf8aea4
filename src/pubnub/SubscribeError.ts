/**
 * The failures that end a subscription.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Errors from "../internal/errors.ts"
import { Cursor } from "../Cursor.ts"
import * as PubNubError from "./PubNubError.ts"

/**
 * The retry schedule for this kind of failure ended. `last` is the failure that the reader gave up on, and `attempts` says how
 * many failures there were in a row. Of the default schedules only the one for `AccessDenied` ends.
 *
 * @category errors
 * @since 0.1.0
 */
export class Exhausted extends Schema.TaggedError<Exhausted>("effect-herald/pubnub/Exhausted")("Exhausted", {
  attempts: Schema.Int,
  last: PubNubError.Reason
}) {
  override get message(): string {
    return `Gave up after ${this.attempts} attempts: ${this.last.message}`
  }
}

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
export class Defect extends Errors.final(
  Schema.TaggedError<Defect, Errors.Final>("effect-herald/pubnub/Defect")("Defect", {
    description: Schema.String
  })
) {
  override get message(): string {
    return `A function threw that must not: ${this.description}. If it is yours (a schedule, an HttpClient), mend it; else ` +
      "report it as a bug of effect-herald. Nothing was skipped: go on from the cursor."
  }
}

/**
 * A reader of a shared connection with the strategy `fail` had no room: `capacity` events waited for it. It fails after those
 * were taken.
 *
 * @category errors
 * @since 0.1.0
 */
export class InboxOverflow extends Schema.TaggedError<InboxOverflow>("effect-herald/pubnub/InboxOverflow")(
  "InboxOverflow",
  { capacity: Schema.Int }
) {
  override get message(): string {
    return `${this.capacity} events wait for this reader and there is no room for more. ` +
      "Take them faster, give it more capacity or another strategy, or go on from the cursor."
  }
  /** Always `true`: a stream from the cursor on gets what is missing. */
  get isRetryable(): true {
    return true
  }
  /** Always `None`: a stream from the cursor on can start at once. */
  get retryAfter(): Option.Option<Duration.Duration> {
    return Option.none()
  }
}

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
export class SubscribeError extends Schema.TaggedError<SubscribeError>("effect-herald/pubnub/SubscribeError")(
  "SubscribeError",
  {
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
  }
) {
  override get message(): string {
    return `The subscription ended: ${this.reason.message}`
  }
}
