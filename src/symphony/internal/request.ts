/**
 * A request of the session: with its tokens, with other tokens when these were refused, and again by the configured
 * schedule where that is safe.
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import { Session } from "../Session.ts"
import { SymphonyConfig } from "../SymphonyConfig.ts"
import * as SymphonyError from "../SymphonyError.ts"
import * as Endpoint from "./endpoint.ts"

export type Needs = HttpClient.HttpClient | SymphonyConfig | Session

/** The reason, where the service may have acted on a request that failed so. */
export const doubtful = (
  reason: SymphonyError.Reason
):
  | SymphonyError.Unreachable
  | SymphonyError.NoAnswer
  | SymphonyError.ServiceFailure
  | SymphonyError.Unreadable
  | undefined =>
{
  switch (reason._tag) {
    case "Unreachable":
      return reason.sent ? reason : undefined
    case "NoAnswer":
    case "ServiceFailure":
      return reason
    case "Unreadable":
      return reason.status < 300 ? reason : undefined
    default:
      return undefined
  }
}

export interface Request<A, E = never, R = never> extends Endpoint.Endpoint<A, E, R> {
  /** Whether doing it twice does no harm, so that it is sent again although the first may have been acted upon. */
  readonly repeatable: boolean
  /** What an attempt failed with, where that was the body and not the connection that sent it. */
  readonly bodyFailure?: (() => Cause.Cause<E> | undefined) | undefined
  /** Called for each attempt that the service may have acted upon: that another one failed otherwise does not undo it. */
  readonly onDoubt?: ((error: SymphonyError.SymphonyError) => void) | undefined
  /** What stands in the way of another attempt after such an error. */
  readonly spent?: ((error: SymphonyError.SymphonyError) => E | undefined) | undefined
}

/** What the body of a request can fail with: it is for its own maker to say whether another attempt can help. */
interface Failure {
  readonly isRetryable: boolean
  readonly retryAfter: Option.Option<Duration.Duration>
}

/** Whether other tokens may help. A gateway may have put its own words in place of the service's. */
export const isSessionRefused = ({ reason }: SymphonyError.SymphonyError): boolean =>
  reason._tag === "Unauthorized" || reason._tag === "ServiceFailure" && reason.status === 401

/** Runs a request. The first time that its session is refused, it is sent with another in the same attempt. */
export const run = <A, E extends Failure = never, R = never>(
  request: Request<A, E, R>
): Effect.Effect<A, SymphonyError.SymphonyError | E, Needs | R> =>
  retrying(request, (tokens) => Endpoint.attempt(request, tokens))

/** The same for an answer that is read as it comes. What fails after its beginning is not tried again. */
export const open = (
  request: Request<never>
): Effect.Effect<Stream.Stream<Uint8Array, SymphonyError.SymphonyError>, SymphonyError.SymphonyError, Needs> =>
  retrying(request, (tokens) => Endpoint.open(request, tokens))

const retrying = <A, B, E extends Failure, R>(
  request: Request<A, E, R>,
  send: (
    tokens: Endpoint.Tokens
  ) => Effect.Effect<B, SymphonyError.SymphonyError | E, HttpClient.HttpClient | SymphonyConfig | R>
): Effect.Effect<B, SymphonyError.SymphonyError | E, Needs | R> =>
  Effect.gen(function*() {
    const { retry } = yield* SymphonyConfig
    const session = yield* Session
    type Failed = SymphonyError.SymphonyError | E
    /** What came of an attempt that failed; a failure of its body takes the place of that of the connection. */
    const failed = (error: Failed): Effect.Effect<never, Failed> => {
      const cause = request.bodyFailure?.()
      if (cause !== undefined) return Effect.failCause(cause)
      if (isOurs(error) && doubtful(error.reason) !== undefined) request.onDoubt?.(error)
      return Effect.fail(error)
    }
    let renewals = 0
    const renewed = Effect.fnUntraced(function*(tokens: Endpoint.Tokens, error: SymphonyError.SymphonyError) {
      // Not only where the request is sent again: the next one needs a session too.
      const others = yield* session.renew(tokens)
      const spent = request.spent?.(error)
      if (spent !== undefined) return yield* Effect.fail(spent)
      // Whatever refuses one session after the other uses up attempts.
      return renewals++ === 0
        ? yield* Effect.catch(send(others), (error) => refusedOr(others, error))
        : yield* failed(error)
    })
    const refusedOr = (
      tokens: Endpoint.Tokens,
      error: Failed
    ): Effect.Effect<B, Failed, HttpClient.HttpClient | SymphonyConfig | R> =>
      isOurs(error) && isSessionRefused(error) && request.bodyFailure?.() === undefined
        ? renewed(tokens, error)
        : failed(error)
    const attempt = Effect.flatMap(
      session.tokens,
      (tokens) => Effect.catch(send(tokens), (error) => refusedOr(tokens, error))
    )
    const again = (error: Failed): Effect.Effect<boolean, Failed> => {
      if (!isOurs(error)) {
        return Effect.succeed(error.isRetryable)
      }
      // A login has been tried again by the session.
      if (error.operation !== request.operation) {
        return Effect.succeed(false)
      }
      const isSafe = request.repeatable || doubtful(error.reason) === undefined
      if (error.reason._tag !== "Unauthorized" && !(error.isRetryable && isSafe)) {
        return Effect.succeed(false)
      }
      const spent = request.spent?.(error)
      return spent === undefined ? Effect.succeed(true) : Effect.fail(spent)
    }
    return yield* Effect.retry(attempt, { schedule: retry, while: again })
  })

const isOurs = (error: unknown): error is SymphonyError.SymphonyError => error instanceof SymphonyError.SymphonyError
