/**
 * What can go wrong with a request to Symphony: one error, {@link SymphonyError}, whose `reason` says which of ten things it was.
 * Six of them are those of `effect-herald/Reason`, which PubNub shares.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Failure from "../internal/failure.ts"
import * as Text from "../internal/text.ts"
import { BadRequest, Malformed, RateLimited, ServerFailure, Timeout, Transport } from "../Reason.ts"

export { BadRequest, Detail, Malformed, RateLimited, ServerFailure, Timeout, Transport } from "../Reason.ts"

/** The error as the service wrote it. */
const said = {
  /** Its own number, which may contradict the status. */
  code: Schema.optionalKey(Schema.Int),
  /** Its sentence. */
  description: Schema.String
}

/**
 * The session or the login was refused (401). For a login: the user is unknown, its public key is not imported, or the
 * clock is off by more than five minutes. For other requests: also the new session was refused.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unauthorized extends Failure.TaggedError<Unauthorized>("symphony")("Unauthorized", said, {
  message: ({ description }) =>
    `Not authorized: ${
      Text.sentence(description)
    } Check the user name, its public key in the pod, and the clock of this machine.`
}) {}

/**
 * The user lacks an entitlement or a role, or is not in the stream (403).
 *
 * @category errors
 * @since 0.1.0
 */
export class AccessDenied extends Failure.TaggedError<AccessDenied>("symphony")("AccessDenied", said, {
  message: ({ description }) =>
    `Access denied: ${Text.sentence(description)} Give this user the entitlement, and add it to the stream.`
}) {}

/**
 * There is no such message, or nothing is known of it (404).
 *
 * @category errors
 * @since 0.1.0
 */
export class NotFound extends Failure.TaggedError<NotFound>("symphony")("NotFound", said, {
  message: ({ description }) => `Not found: ${Text.sentence(description)} Check the id, and that this user may see it.`
}) {}

/**
 * Compliance rules blocked the message or a file of it (451). Nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class Blocked extends Failure.TaggedError<Blocked>("symphony")("Blocked", said, {
  message: ({ description }) =>
    `Compliance rules blocked the message: ${Text.sentence(description)} Change the content.`
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
  Unauthorized,
  AccessDenied,
  NotFound,
  Blocked,
  BadRequest,
  ServerFailure,
  Malformed
])

/**
 * @category errors
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
  /** The HTTP method, in upper case. */
  readonly method: string
  /** The path of the URL, with `{…}` for what is left out. */
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
export class SymphonyError extends Failure.TaggedError<SymphonyError>("symphony")("SymphonyError", {
  /** The function that failed: `"Messages.send"`. */
  operation: Schema.String,
  /** Why it failed. */
  reason: Reason,
  /** The request, without payload, query or secrets. */
  request: Schema.Struct({
    /** The HTTP method, in upper case. */
    method: Schema.String,
    /** The path of the URL, with `{…}` for what is left out. */
    path: Schema.String,
    /** The stream that the request is about, where it is about one. */
    streamId: Schema.optionalKey(Schema.String),
    /** By which the vendor's support can find it. */
    traceId: Schema.optionalKey(Schema.String)
  })
}, {
  message: ({ operation, reason, request: { streamId } }) =>
    `${operation}${streamId === undefined ? "" : ` (stream ${streamId})`}: ${reason.message}`,
  isRetryable: ({ reason }) => reason.isRetryable,
  retryAfter: ({ reason }) => reason.retryAfter
}) {}

/**
 * A {@link SymphonyError} that can only have some of the reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export type SymphonyErrorOf<R extends Reason> = SymphonyError & {
  /** Why the request failed. */
  readonly reason: R
}
