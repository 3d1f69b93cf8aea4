/**
 * What can go wrong with a request: one error, {@link PubNubError}, whose `reason` says which of eleven things it was. Six of them are
 * those of `effect-herald/Reason`, which Symphony shares.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Failure from "../internal/failure.ts"
import * as Text from "../internal/text.ts"
import { AccessExplanation } from "./AccessExplanation.ts"
import { BadRequest, Malformed, RateLimited, ServerFailure, Timeout, Transport } from "../Reason.ts"

export { BadRequest, Detail, Malformed, RateLimited, ServerFailure, Timeout, Transport } from "../Reason.ts"

/**
 * The keys or the token do not allow it (401, 403). Names the channels and groups that the service named.
 *
 * @category errors
 * @since 0.1.0
 */
export class AccessDenied extends Failure.TaggedError<AccessDenied>("pubnub")("AccessDenied", {
  /** The HTTP status. */
  status: Schema.Int,
  /** What the service said. */
  description: Schema.String,
  /** The channels that the service named. */
  channels: Schema.Array(Schema.String),
  /** The channel groups that the service named. */
  groups: Schema.Array(Schema.String),
  /** What the token says about this call. Absent without a token, and without `Access.layerExplanations`. */
  explanation: Schema.optionalKey(AccessExplanation)
}, {
  message: ({ channels, description, explanation, groups }) => {
    const named = [...channels, ...groups.map((group) => `group ${group}`)]
    return `Access denied${named.length === 0 ? "" : ` to ${Text.bounded(named.join(", "))}`}: ` +
      `${Text.sentence(description)} ` +
      (explanation?.message ?? "Grant access to this user, or provide another token.")
  }
}) {}

/**
 * There is no valid access token, and nothing was sent: the last one has ended, and its source gives no other. `description` says
 * what the source did. A retry can help.
 *
 * @category errors
 * @since 0.1.0
 */
export class TokenUnavailable extends Failure.TaggedError<TokenUnavailable>("pubnub")("TokenUnavailable", {
  /** What the source of tokens did, without the text of its error, which may hold secrets. */
  description: Schema.String
}, {
  message: ({ description }) =>
    `There is no valid access token: ${
      Text.sentence(description)
    } Nothing was sent. Check the server that grants the tokens.`,
  isRetryable: true
}) {}

/**
 * A key is missing from the configuration, or the service does not know it. Without a `status` nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidKey extends Failure.TaggedError<InvalidKey>("pubnub")("InvalidKey", {
  /** The HTTP status. Absent if nothing was sent. */
  status: Schema.optionalKey(Schema.Int),
  /** Which key it is. */
  key: Schema.Literals(["subscribe", "publish", "secret"]),
  /** What is wrong with the key. */
  description: Schema.String
}, {
  message: ({ description, key }) =>
    `The ${key} key cannot be used: ${Text.sentence(description)} Check ${key}Key in PubNubConfig.`
}) {}

/**
 * The add-ons of a keyset that can be switched off.
 *
 * @category schemas
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
 * @category errors
 * @since 0.1.0
 */
export class FeatureDisabled extends Failure.TaggedError<FeatureDisabled>("pubnub")("FeatureDisabled", {
  /** The HTTP status. */
  status: Schema.Int,
  /** The add-on; `"Unnamed"` if the service does not name it. */
  addOn: AddOn,
  /** What the service said. */
  description: Schema.String
}, {
  message: ({ addOn, description }) =>
    `${Text.sentence(description)} Enable ${addOn === "Unnamed" ? "the add-on" : addOn} for the keyset.`
}) {}

/**
 * The groups of a subscription hold no channels, and it has no channels of its own (400). The same subscription succeeds
 * once a channel is added to one of its groups; until then a reader asks again. Only a subscribe can fail with it.
 *
 * @category errors
 * @since 0.1.0
 */
export class EmptySubscription extends Failure.TaggedError<EmptySubscription>("pubnub")("EmptySubscription", {
  /** The HTTP status. */
  status: Schema.Int,
  /** What the service said. */
  description: Schema.String
}, {
  message: ({ description }) =>
    `There is nothing to subscribe to: ${Text.sentence(description)} Add a channel to one of the groups.`,
  isRetryable: true
}) {}

/**
 * Everything that a request can fail with. Each has a `message` that says what to do, `isRetryable` (whether the same
 * request can succeed later) and `retryAfter` (the server's own wait).
 *
 * @category errors
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  Transport,
  Timeout,
  RateLimited,
  AccessDenied,
  TokenUnavailable,
  InvalidKey,
  FeatureDisabled,
  BadRequest,
  EmptySubscription,
  ServerFailure,
  Malformed
])

/**
 * @category errors
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
  /** The HTTP method, in upper case. */
  readonly method: string
  /** The path of the URL, with `{…}` for what is left out. */
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
export class PubNubError extends Failure.TaggedError<PubNubError>("pubnub")("PubNubError", {
  /** The function that failed: `"Publish.publish"`. */
  operation: Schema.String,
  /** Why it failed. */
  reason: Reason,
  /** The request, without payload, query or secrets. */
  request: Schema.Struct({
    /** The HTTP method, in upper case. */
    method: Schema.String,
    /** The path of the URL, with `{…}` for what is left out. */
    path: Schema.String
  })
}, {
  message: ({ operation, reason }) => `${operation}: ${reason.message}`,
  isRetryable: ({ reason }) => reason.isRetryable,
  retryAfter: ({ reason }) => reason.retryAfter
}) {}

/**
 * A {@link PubNubError} that can only have some of the reasons. Endpoints name theirs with it; catching a reason that
 * is not among them does not compile.
 *
 * @category errors
 * @since 0.1.0
 */
export type PubNubErrorOf<R extends Reason> = PubNubError & {
  /** Why the request failed. */
  readonly reason: R
}

/** @internal */
export const make = <R extends Reason>(
  fields: { readonly operation: string; readonly reason: R; readonly request: RequestFacts }
): PubNubErrorOf<R> => {
  const error: PubNubError = new PubNubError(fields)
  // The class knows the reason as the whole union; here it is known which member went in.
  return error as PubNubErrorOf<R>
}
