/**
 * The reasons that requests to both services fail for. `PubNubError` and `SymphonyError` say which service it was; a program that
 * talks to both unwraps them and handles each reason once. Each reason has a `message` that says what happened and what to try
 * first, `isRetryable` and `retryAfter`.
 *
 * **Example** (One handler for both services)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Publish from "effect-herald/pubnub/Publish"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const program = Effect.all([
 *   Publish.publish({ channel: "orders", message: "shipped" }),
 *   Messages.send({ streamId: "J1gD6bQzVtnVsdx", message: "shipped" })
 * ]).pipe(
 *   Effect.unwrapReason("PubNubError"),
 *   Effect.unwrapReason("SymphonyError"),
 *   Effect.catchTag("RateLimited", (slowDown) => Effect.logWarning(slowDown.message))
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as ConnectFailure from "./internal/connectFailure.ts"
import * as Failure from "./internal/failure.ts"
import * as Text from "./internal/text.ts"
import { seconds, whatHappened } from "./internal/whatHappened.ts"

/**
 * One complaint about one input, by the service or by this library before it sent anything.
 *
 * @category models
 * @since 0.1.0
 */
export interface Detail {
  /** What is wrong. */
  readonly message: string
  /** The parameter, field or setting that it is about. */
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

/** The error as the service wrote it. */
const said = {
  /** Its own number, which may contradict the status. */
  code: Schema.optionalKey(Schema.Int),
  /** Its sentence. */
  description: Schema.String
}

const wait = (retryAfter: Duration.Duration | undefined): string =>
  retryAfter === undefined ? "a while" : seconds(retryAfter)

const firstTry = (code: string | undefined): string => {
  switch (ConnectFailure.kindOf(code)) {
    case "PlainPort":
      return "If the service speaks plain HTTP there, configure it: tls: false for PubNub, scheme: \"http\" for Symphony."
    case "Certificate":
      return "Make this machine trust the certificate of the service."
    case undefined:
      return "Check the network and the configured host."
  }
}

/**
 * The connection failed before an answer came. A retry can help, except where the service's certificate is not trusted or its
 * port speaks no TLS.
 *
 * `sent` is `false` only when the failure was in the connect phase (refused, unknown host, no route, TLS): then the service cannot
 * have seen the request. `code` is the code of the system or of OpenSSL.
 *
 * @category errors
 * @since 0.1.0
 */
export class Transport extends Failure.TaggedError<Transport>("Reason")("Transport", {
  /** The failure, in a sentence. */
  description: Schema.String,
  /** The code of the system or of OpenSSL, such as `"ECONNRESET"`. Absent without one. */
  code: Schema.optionalKey(Schema.String),
  /** `false` only if the service cannot have seen the request. */
  sent: Schema.Boolean
}, {
  message: ({ code, description, sent }) =>
    `${Text.clause(description)}${sent ? "" : "; the request was not sent"}. ${firstTry(code)}`,
  isRetryable: ({ code }) => ConnectFailure.kindOf(code) === undefined
}) {}

/**
 * No answer came within the configured time. A retry can help.
 *
 * @category errors
 * @since 0.1.0
 */
export class Timeout extends Failure.TaggedError<Timeout>("Reason")("Timeout", {
  /** How long the request waited. */
  after: Schema.Duration
}, {
  message: (timeout) => `${whatHappened(timeout)} Try again, or raise requestTimeout.`,
  isRetryable: true
}) {}

/**
 * Too many requests (429). `retryAfter` is the wait that the service asked for, if it did. A retry after it can help.
 *
 * @category errors
 * @since 0.1.0
 */
export class RateLimited extends Failure.TaggedError<RateLimited>("Reason")("RateLimited", {
  ...said,
  /** The wait that the service asked for, if it did. */
  retryAfter: Schema.optional(Schema.Duration)
}, {
  message: ({ description, retryAfter }) =>
    `Too many requests: ${Text.sentence(description)} Wait ${wait(retryAfter)} before the next one.`,
  isRetryable: true
}) {}

/**
 * The request is wrong. Without a `status` nothing was sent: this library refused the input. `details` say what is wrong with
 * which parameter. No retry can help.
 *
 * @category errors
 * @since 0.1.0
 */
export class BadRequest extends Failure.TaggedError<BadRequest>("Reason")("BadRequest", {
  ...said,
  /** The HTTP status. Absent if nothing was sent. */
  status: Schema.optionalKey(Schema.Int),
  /** The parameters that are wrong, and why. */
  details: Schema.Array(Detail)
}, {
  message: ({ description, details, status }) =>
    `${Text.complaint(description, details)} ` +
    (status === undefined
      ? "Nothing was sent."
      : `The service refused the request with ${status}. Correct it: a retry cannot help.`)
}) {}

/**
 * The service failed (500 and above), or something else answered in its place: a proxy's page, a redirect (which is never
 * followed) or an empty body, with any status above 299 (`answeredBy: "intermediary"`). Only the service's own body is a refusal.
 * A proxy does not know what the service did, so a message that is sent has an unknown outcome then. In a browser, which hides
 * redirects, the status of a redirect is 0. A retry can help.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServerFailure extends Failure.TaggedError<ServerFailure>("Reason")("ServerFailure", {
  ...said,
  /** The HTTP status; 0 for a redirect in a browser. */
  status: Schema.Int,
  /** Whether the service answered, or something in its place, such as a proxy. */
  answeredBy: Schema.Literals(["service", "intermediary"]),
  /** The wait that the answer asked for, if it did. */
  retryAfter: Schema.optional(Schema.Duration)
}, {
  message: ({ answeredBy, description, retryAfter, status }) =>
    answeredBy === "service"
      ? `The service failed with ${status}: ${Text.sentence(description)} Try again after ${wait(retryAfter)}.`
      : `A proxy or gateway answered ${status} in place of the service: ${Text.sentence(description)} ` +
        `Check the network and the configured host, and try again after ${wait(retryAfter)}.`,
  isRetryable: true
}) {}

/**
 * An answer came that cannot be read: not JSON, cut short, or of another shape. `excerpt` is its beginning, at most 1,024
 * characters. A retry can help, except where the answer has more bytes than `maxAnswerSize` of the configuration: then `limit`
 * is that size, and absent otherwise.
 *
 * @category errors
 * @since 0.1.0
 */
export class Malformed extends Failure.TaggedError<Malformed>("Reason")("Malformed", {
  /** The HTTP status. */
  status: Schema.Int,
  /** Why it cannot be read. */
  description: Schema.String,
  /** The beginning of the answer, at most 1,024 characters. */
  excerpt: Schema.String,
  /** `maxAnswerSize` in bytes, if the answer has more. Absent otherwise. */
  limit: Schema.optionalKey(Schema.Int)
}, {
  message: (answer) =>
    `${whatHappened(answer)} ` + (answer.limit === undefined
      ? "A proxy or gateway may have written it: check the network and the configured host."
      : `Ask for less, or raise maxAnswerSize, which is ${answer.limit} bytes.`),
  isRetryable: ({ limit }) => limit === undefined
}) {}
