/**
 * What can go wrong with a request to Symphony: one error, {@link SymphonyError}, whose `reason` says which of ten things
 * it was. No tag of this module is one of PubNub's: a program that talks to both handles all of them in one `catchTags`.
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
 * One complaint about one input, by this library before anything was sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Detail {
  /** What is wrong. */
  readonly message: string
  /** The parameter, field or setting it is about. */
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
      return "If the port speaks plain HTTP, set scheme: \"http\" in SymphonyConfig."
    case "Certificate":
      return "Have this machine trust the certificate of the host."
    case undefined:
      return "Check the network, host and port."
  }
}

/** What the service wrote: its own code, which may contradict the status, and its sentence. */
const Said = { code: Schema.optionalKey(Schema.Int), description: Schema.String }

/**
 * No answer came because the connection failed. `sent` is `false` only when the failure was in the connect phase, so that
 * the service cannot have seen the request.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unreachable extends Schema.TaggedError<Unreachable>("effect-herald/symphony/Unreachable")("Unreachable", {
  description: Schema.String,
  code: Schema.optionalKey(Schema.String),
  sent: Schema.Boolean
}) {
  override get message(): string {
    return `${Text.clause(this.description)}${this.sent ? "" : "; the request was not sent"}. ${firstTry(this.code)}`
  }
  get isRetryable(): boolean {
    return ConnectFailure.kindOf(this.code) === undefined
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
export class NoAnswer extends Schema.TaggedError<NoAnswer>("effect-herald/symphony/NoAnswer")("NoAnswer", {
  after: Schema.Duration
}) {
  override get message(): string {
    return `${whatHappened(this)} Try again, or raise requestTimeout (of a datafeed: readTimeout).`
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
export class Throttled extends Schema.TaggedError<Throttled>("effect-herald/symphony/Throttled")("Throttled", {
  ...Said,
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
 * The session or the login was refused (401). For a login: the user is unknown, its public key is not imported, or the
 * clock is off by more than five minutes. For other requests: also the new session was refused.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unauthorized extends Errors.final(
  Schema.TaggedError<Unauthorized, Errors.Final>("effect-herald/symphony/Unauthorized")(
    "Unauthorized",
    Said
  )
) {
  override get message(): string {
    const said = Text.sentence(this.description)
    return `Not authorized: ${said} Check the user name, that its public key is imported, and the clock.`
  }
}

/**
 * The user lacks an entitlement or a role, or is not in the stream (403).
 *
 * @category reasons
 * @since 0.1.0
 */
export class Forbidden extends Errors.final(
  Schema.TaggedError<Forbidden, Errors.Final>("effect-herald/symphony/Forbidden")("Forbidden", Said)
) {
  override get message(): string {
    const said = Text.sentence(this.description)
    return `Forbidden: ${said} The user needs the entitlement, and to be in the stream.`
  }
}

/**
 * There is no such message, or nothing is known of it (404).
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotFound
  extends Errors.final(Schema.TaggedError<NotFound, Errors.Final>("effect-herald/symphony/NotFound")("NotFound", Said))
{
  override get message(): string {
    const said = Text.sentence(this.description)
    return `Not found: ${said} Check the id, and that this user may see it.`
  }
}

/**
 * Compliance rules blocked the message or a file of it (451). Nothing was sent.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Blocked
  extends Errors.final(Schema.TaggedError<Blocked, Errors.Final>("effect-herald/symphony/Blocked")("Blocked", Said))
{
  override get message(): string {
    const said = Text.sentence(this.description)
    return `Blocked by compliance rules: ${said} Change the content.`
  }
}

/**
 * The request is wrong. Without a `status` nothing was sent: this library refused the input, and `details` say why.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidRequest extends Errors.final(
  Schema.TaggedError<InvalidRequest, Errors.Final>("effect-herald/symphony/InvalidRequest")(
    "InvalidRequest",
    { ...Said, status: Schema.optionalKey(Schema.Int), details: Schema.Array(Detail) }
  )
) {
  override get message(): string {
    return `${Text.complaint(this.description, this.details)} ` +
      (this.status === undefined ? "Nothing was sent." : `The service answered ${this.status}; a retry cannot help.`)
  }
}

/**
 * The service failed (500 and above), or something else answered in its place: a gateway's page, a redirect or an empty body
 * with any status above 299 (`answeredBy: "intermediary"`). Only the service's own body is a refusal. A gateway does not know
 * what the service did, so a post that fails so is a `MessageOutcomeUnknown`.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ServiceFailure extends Schema.TaggedError<ServiceFailure>("effect-herald/symphony/ServiceFailure")(
  "ServiceFailure",
  {
    ...Said,
    status: Schema.Int,
    answeredBy: Schema.Literals(["service", "intermediary"]),
    retryAfter: Schema.Option(Schema.Duration)
  }
) {
  override get message(): string {
    const said = Text.sentence(this.description)
    return this.answeredBy === "service"
      ? `The service failed with ${this.status}: ${said} Try again after ${wait(this.retryAfter)}.`
      : `Something between here and the service answered ${this.status}: ${said} Check the host and the ` +
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
export class Unreadable extends Errors.final(
  Schema.TaggedError<Unreadable, Errors.Final>("effect-herald/symphony/Unreadable")("Unreadable", {
    status: Schema.Int,
    description: Schema.String,
    excerpt: Schema.String
  })
) {
  override get message(): string {
    return `${whatHappened(this)} Something between here and the service may have written it.`
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
  Unreachable,
  NoAnswer,
  Throttled,
  Unauthorized,
  Forbidden,
  NotFound,
  Blocked,
  InvalidRequest,
  ServiceFailure,
  Unreadable
])

/**
 * @category reasons
 * @since 0.1.0
 */
export type Reason = typeof Reason.Type

/**
 * Which request it was, without payload, query or secrets.
 *
 * @category models
 * @since 0.1.0
 */
export interface RequestFacts {
  readonly method: string
  readonly path: string
  /** The stream that the request is about, where it is about one. */
  readonly streamId?: string
  /** By which the vendor's support can find it. */
  readonly traceId?: string
}

/**
 * A request that failed: the operation, the reason, and which request it was.
 *
 * @category errors
 * @since 0.1.0
 */
export class SymphonyError
  extends Schema.TaggedError<SymphonyError>("effect-herald/symphony/SymphonyError")("SymphonyError", {
    operation: Schema.String,
    reason: Reason,
    request: Schema.Struct({
      method: Schema.String,
      path: Schema.String,
      streamId: Schema.optionalKey(Schema.String),
      traceId: Schema.optionalKey(Schema.String)
    })
  })
{
  override get message(): string {
    const { streamId } = this.request
    return `${this.operation}${streamId === undefined ? "" : ` (stream ${streamId})`}: ${this.reason.message}`
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
