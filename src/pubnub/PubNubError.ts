/**
 * What can go wrong with a request: one error, {@link PubNubError}, whose `reason` says which of ten things it was.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Errors from "../internal/errors.ts"
import * as ConnectFailure from "../internal/connectFailure.ts"
import * as Text from "../internal/text.ts"
import { seconds, whatHappened } from "../internal/whatHappened.ts"

/**
 * One complaint about one input, by the service or by this library before anything was sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Detail {
  /** What is wrong. */
  readonly message: string
  /** The parameter or field it is about. */
  readonly location?: string
}

/**
 * The codec of a {@link Detail}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Detail: Schema.Codec<Detail> = Schema.Struct({
  message: Schema.String,
  location: Schema.optionalKey(Schema.String)
})

const wait = (retryAfter: Option.Option<Duration.Duration>): string =>
  Option.match(retryAfter, { onNone: () => "a while", onSome: seconds })

const firstTry = (code: string | undefined): string => {
  switch (ConnectFailure.kindOf(code)) {
    case "PlainPort":
      return "If the origin speaks plain HTTP, set tls: false in PubNubConfig."
    case "Certificate":
      return "Have this machine trust the certificate of the origin. If the origin also speaks plain HTTP, set tls: false."
    case undefined:
      return "Check the network and the origin."
  }
}

/**
 * No answer came because the connection failed. Worth a retry where the operation may be repeated.
 *
 * `sent` is `false` only when the failure was in the connect phase (refused, unknown host, no route, TLS), so that
 * the service cannot have seen the request.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Transport extends Schema.TaggedError<Transport>("effect-herald/pubnub/Transport")("Transport", {
  description: Schema.String,
  code: Schema.optionalKey(Schema.String),
  sent: Schema.Boolean
}) {
  override get message(): string {
    return `${Text.clause(this.description)}${this.sent ? "" : "; the request was not sent"}. ${firstTry(this.code)}`
  }
  get isRetryable(): true {
    return true
  }
  get retryAfter(): Option.Option<Duration.Duration> {
    return Option.none()
  }
}

/**
 * No answer came within the configured time.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Timeout extends Schema.TaggedError<Timeout>("effect-herald/pubnub/Timeout")("Timeout", {
  after: Schema.Duration
}) {
  override get message(): string {
    return `${whatHappened(this)} Try again, or raise requestTimeout.`
  }
  get isRetryable(): true {
    return true
  }
  get retryAfter(): Option.Option<Duration.Duration> {
    return Option.none()
  }
}

/**
 * Too many requests (429). `retryAfter` is the wait that the service asked for, if it did.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RateLimited extends Schema.TaggedError<RateLimited>("effect-herald/pubnub/RateLimited")("RateLimited", {
  description: Schema.String,
  retryAfter: Schema.Option(Schema.Duration)
}) {
  override get message(): string {
    const said = Text.sentence(this.description)
    return `Too many requests: ${said} Wait ${wait(this.retryAfter)} before the next one.`
  }
  get isRetryable(): true {
    return true
  }
}

/**
 * The keys or the token do not allow it (401, 403). Names the channels and groups that the service named.
 *
 * @category reasons
 * @since 0.1.0
 */
export class AccessDenied extends Errors.final(
  Schema.TaggedError<AccessDenied, Errors.Final>("effect-herald/pubnub/AccessDenied")(
    "AccessDenied",
    {
      status: Schema.Int,
      description: Schema.String,
      channels: Schema.Array(Schema.String),
      groups: Schema.Array(Schema.String)
    }
  )
) {
  override get message(): string {
    const said = Text.sentence(this.description)
    const named = [...this.channels, ...this.groups.map((group) => `group ${group}`)]
    return `Access denied${named.length === 0 ? "" : ` to ${Text.bounded(named.join(", "))}`}: ${said} ` +
      "Grant it to this user, or provide another token."
  }
}

/**
 * A key is missing from the configuration, or the service does not know it. Without a `status` nothing was sent.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidKey extends Errors.final(
  Schema.TaggedError<InvalidKey, Errors.Final>("effect-herald/pubnub/InvalidKey")("InvalidKey", {
    status: Schema.optionalKey(Schema.Int),
    key: Schema.Literals(["subscribe", "publish", "secret"]),
    description: Schema.String
  })
) {
  override get message(): string {
    const said = Text.sentence(this.description)
    return `The ${this.key} key cannot be used: ${said} Check ${this.key}Key in PubNubConfig.`
  }
}

/**
 * The add-ons of a keyset that can be switched off.
 *
 * @category models
 * @since 0.1.0
 */
export const AddOn = Schema.Literals([
  "AppContext",
  "Files",
  "Functions",
  "MessagePersistence",
  "MobilePush",
  "Presence",
  "StreamController",
  "Unnamed"
])

/**
 * @category models
 * @since 0.1.0
 */
export type AddOn = typeof AddOn.Type

/**
 * The keyset does not have the add-on that this needs (402, or a 403 that says so).
 *
 * @category reasons
 * @since 0.1.0
 */
export class FeatureDisabled extends Errors.final(
  Schema.TaggedError<FeatureDisabled, Errors.Final>("effect-herald/pubnub/FeatureDisabled")(
    "FeatureDisabled",
    { status: Schema.Int, addOn: AddOn, description: Schema.String }
  )
) {
  override get message(): string {
    const said = Text.sentence(this.description)
    return `${said} Enable ${this.addOn === "Unnamed" ? "the add-on" : this.addOn} for the keyset.`
  }
}

/**
 * The request is wrong. Without a `status` nothing was sent: this library refused the input. `details` say what is
 * wrong with which parameter.
 *
 * @category reasons
 * @since 0.1.0
 */
export class BadRequest extends Errors.final(
  Schema.TaggedError<BadRequest, Errors.Final>("effect-herald/pubnub/BadRequest")("BadRequest", {
    status: Schema.optionalKey(Schema.Int),
    description: Schema.String,
    details: Schema.Array(Detail)
  })
) {
  override get message(): string {
    return `${Text.complaint(this.description, this.details)} ` +
      (this.status === undefined ? "Nothing was sent." : `The service answered ${this.status}; a retry cannot help.`)
  }
}

/**
 * The groups of a subscription hold no channels, and it has no channels of its own (400). The same subscription succeeds
 * once a channel is added to one of its groups; until then a reader asks again. Only a subscribe can fail with it.
 *
 * @category reasons
 * @since 0.1.0
 */
export class EmptySubscription
  extends Schema.TaggedError<EmptySubscription>("effect-herald/pubnub/EmptySubscription")("EmptySubscription", {
    status: Schema.Int,
    description: Schema.String
  })
{
  override get message(): string {
    const said = Text.sentence(this.description)
    return `There is nothing to subscribe to: ${said} Add a channel to one of the groups.`
  }
  get isRetryable(): true {
    return true
  }
  get retryAfter(): Option.Option<Duration.Duration> {
    return Option.none()
  }
}

/**
 * The service failed (500 and above), or something else answered in its place: a proxy's page, a redirect (which is never
 * followed) or an empty body, with any status above 299 (`answeredBy: "intermediary"`). Only the service's own body is a refusal.
 * A proxy does not know what the service did, so a publish that fails so is a `PublishOutcomeUnknown`. The status is 0 where a
 * browser hides that of a redirect.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ServerFailure extends Schema.TaggedError<ServerFailure>("effect-herald/pubnub/ServerFailure")(
  "ServerFailure",
  {
    status: Schema.Int,
    description: Schema.String,
    answeredBy: Schema.Literals(["service", "intermediary"]),
    retryAfter: Schema.Option(Schema.Duration)
  }
) {
  override get message(): string {
    const said = Text.sentence(this.description)
    return this.answeredBy === "service"
      ? `The service failed with ${this.status}: ${said} Try again after ${wait(this.retryAfter)}.`
      : `Something between here and the service answered ${this.status}: ${said} Check the origin and the ` +
        `network, and try again after ${wait(this.retryAfter)}.`
  }
  get isRetryable(): true {
    return true
  }
}

/**
 * An answer came that is not the service's: not JSON, cut short, or of another shape. `excerpt` is its beginning, at
 * most 1,024 characters.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Malformed extends Schema.TaggedError<Malformed>("effect-herald/pubnub/Malformed")("Malformed", {
  status: Schema.Int,
  description: Schema.String,
  excerpt: Schema.String
}) {
  override get message(): string {
    return `${whatHappened(this)} Something between here and the service may have written it.`
  }
  get isRetryable(): true {
    return true
  }
  get retryAfter(): Option.Option<Duration.Duration> {
    return Option.none()
  }
}

/**
 * Everything that a request can fail with. Each has a `message` that says what to do, `isRetryable` (whether the same
 * request can succeed later) and `retryAfter` (the server's own wait).
 *
 * @category reasons
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  Transport,
  Timeout,
  RateLimited,
  AccessDenied,
  InvalidKey,
  FeatureDisabled,
  BadRequest,
  EmptySubscription,
  ServerFailure,
  Malformed
])

/**
 * @category reasons
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * Which request it was, without payload, query or secrets: `{…}` stands for what is left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestFacts {
  readonly method: string
  readonly path: string
}

/**
 * A request that failed: the operation, the reason, and which request it was.
 *
 * **Example** (One reason handled, the others passed on)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Publish from "effect-herald/pubnub/Publish"
 *
 * const program = Publish.publish({ channel: "orders", message: { id: 1 } }).pipe(
 *   Effect.catchReason("PubNubError", "RateLimited", (reason) => Effect.logWarning(reason.message))
 * )
 * ```
 *
 * `catchReason` leaves the parent in the type. To have it gone, unwrap first:
 *
 * **Example** (Reasons as errors of their own)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Time from "effect-herald/pubnub/Time"
 *
 * const program = Time.now.pipe(
 *   Effect.unwrapReason("PubNubError"),
 *   Effect.catchTags({
 *     Timeout: () => Effect.logWarning("slow today"),
 *     Transport: (reason) => Effect.logWarning(reason.message)
 *   })
 * )
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export class PubNubError extends Schema.TaggedError<PubNubError>("effect-herald/pubnub/PubNubError")("PubNubError", {
  operation: Schema.String,
  reason: Reason,
  request: Schema.Struct({ method: Schema.String, path: Schema.String })
}) {
  override get message(): string {
    return `${this.operation}: ${this.reason.message}`
  }
  /** Whether the same request can succeed later. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }
  /** The wait that the service asked for. */
  get retryAfter(): Option.Option<Duration.Duration> {
    return this.reason.retryAfter
  }
}

/**
 * A {@link PubNubError} that can only have some of the reasons. Endpoints name theirs with it; catching a reason that
 * is not among them does not compile.
 *
 * @category errors
 * @since 0.1.0
 */
export type PubNubErrorOf<R extends Reason> = PubNubError & { readonly reason: R }

/** @internal */
export const make = <R extends Reason>(
  fields: { readonly operation: string; readonly reason: R; readonly request: RequestFacts }
): PubNubErrorOf<R> => {
  const error: PubNubError = new PubNubError(fields)
  // The class knows the reason as the whole union; here it is known which member went in.
  return error as PubNubErrorOf<R>
}
