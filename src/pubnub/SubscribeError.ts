/**
 * What ends a subscription.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Cursor } from "../Cursor.ts"
import * as PubNubError from "./PubNubError.ts"

/**
 * The schedule that was given for this kind of failure came to its end; `last` is the failure it gave up on, `attempts` how many
 * there were in that row. The default schedules never end, except the one for access that is denied.
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
export class Defect extends Schema.TaggedError<Defect>("effect-herald/pubnub/Defect")("Defect", {
  description: Schema.String
}) {
  override get message(): string {
    return `A function threw that must not: ${this.description}. If it is yours (a schedule, an HttpClient), mend it; else ` +
      "report it as a bug of effect-herald. Nothing was skipped: go on from the cursor."
  }
  /** Always `false`: what threw may throw again. */
  get isRetryable(): false {
    return false
  }
  get retryAfter(): Option.Option<Duration.Duration> {
    return Option.none()
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
  get retryAfter(): Option.Option<Duration.Duration> {
    return Option.none()
  }
}

/**
 * All that a subscription can fail with: what no retry mends, a schedule that ended, an {@link InboxOverflow} where the reader
 * asked for it, and a {@link Defect}. The cursor is where to go on from. It is absent only when the reader never was anywhere.
 * On a shared connection it is that of the reader that failed.
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
