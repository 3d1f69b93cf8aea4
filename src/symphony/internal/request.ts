/**
 * A request of the session: with its tokens, with other tokens when these were refused, and again by the configured
 * schedule where that is safe.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Option from "effect/Option"
import { Session, type Tokens } from "../Session.ts"
import { SymphonyConfig } from "../SymphonyConfig.ts"
import * as SymphonyError from "../SymphonyError.ts"
import * as Endpoint from "./endpoint.ts"

export type Needs = HttpClient.HttpClient | SymphonyConfig | Session

/** Whether the service may have acted on a request that failed so. */
export const isOutcomeUnknown = (reason: SymphonyError.Reason): boolean => {
  switch (reason._tag) {
    case "Unreachable":
      return reason.sent
    case "NoAnswer":
    case "ServiceFailure":
      return true
    case "Unreadable":
      return reason.status < 300
    default:
      return false
  }
}

export interface Request<A, E = never, R = never> extends Endpoint.Endpoint<A, E, R> {
  /** Whether doing it twice does no harm, so that it is sent again although the first may have been acted upon. */
  readonly repeatable: boolean
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
  Effect.gen(function*() {
    const { retry } = yield* SymphonyConfig
    const session = yield* Session
    let tokens: Tokens | undefined
    const attempt = Effect.gen(function*() {
      tokens = tokens === undefined ? yield* session.tokens : tokens
      return yield* Endpoint.attempt(request, tokens)
    })
    const again = (error: SymphonyError.SymphonyError | E) => {
      if (!isOurs(error)) return Effect.succeed(error.isRetryable)
      if (error.reason._tag === "Unauthorized" && error.operation === request.operation && tokens !== undefined) {
        return Effect.map(session.renew(tokens), (renewed) => {
          tokens = renewed
          return true
        })
      }
      return Effect.succeed(error.isRetryable && (request.repeatable || !isOutcomeUnknown(error.reason)))
    }
    return yield* Effect.retry(attempt, { schedule: retry, while: again })
  })

const isOurs = (error: unknown): error is SymphonyError.SymphonyError => error instanceof SymphonyError.SymphonyError
