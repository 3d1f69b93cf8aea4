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
import { Session, type Tokens } from "../Session.ts"
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
  /** What stands in the way of another attempt after such an error. */
  readonly spent?: ((error: SymphonyError.SymphonyError) => E | undefined) | undefined
}

/** What the body of a request can fail with: it is for its own maker to say whether another attempt can help. */
interface Failure {
  readonly isRetryable: boolean
  readonly retryAfter: Option.Option<Duration.Duration>
}

/** Runs a request. A session that is refused is renewed, and that attempt counts. */
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
    tokens: Tokens
  ) => Effect.Effect<B, SymphonyError.SymphonyError | E, HttpClient.HttpClient | SymphonyConfig | R>
): Effect.Effect<B, SymphonyError.SymphonyError | E, Needs | R> =>
  Effect.gen(function*() {
    const { retry } = yield* SymphonyConfig
    const session = yield* Session
    let tokens: Tokens | undefined
    const attempt = Effect.gen(function*() {
      tokens = tokens === undefined ? yield* session.tokens : tokens
      return yield* send(tokens)
    }).pipe(
      Effect.catch((error) => {
        const cause = request.bodyFailure?.()
        return cause === undefined ? Effect.fail(error) : Effect.failCause(cause)
      })
    )
    const again = (error: SymphonyError.SymphonyError | E): Effect.Effect<boolean, SymphonyError.SymphonyError | E> => {
      if (!isOurs(error)) return Effect.succeed(error.isRetryable)
      // A login has been tried again by the session.
      if (error.operation !== request.operation) return Effect.succeed(false)
      const isRefused = error.reason._tag === "Unauthorized"
      const isSafe = request.repeatable || doubtful(error.reason) === undefined
      if (!isRefused && !(error.isRetryable && isSafe)) return Effect.succeed(false)
      const spent = request.spent?.(error)
      if (spent !== undefined) return Effect.fail(spent)
      if (!isRefused || tokens === undefined) return Effect.succeed(true)
      return Effect.map(session.renew(tokens), (renewed) => {
        tokens = renewed
        return true
      })
    }
    return yield* Effect.retry(attempt, { schedule: retry, while: again })
  })

const isOurs = (error: unknown): error is SymphonyError.SymphonyError => error instanceof SymphonyError.SymphonyError
