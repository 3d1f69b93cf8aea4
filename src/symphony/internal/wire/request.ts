/**
 * A request of the session: with its tokens, with other tokens when these were refused, and again by the configured
 * schedule where that is safe.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { Session } from "../../Session.ts"
import { SymphonyConfig } from "../../SymphonyConfig.ts"
import * as SymphonyError from "../../SymphonyError.ts"
import type * as Body from "./body.ts"
import * as Endpoint from "./endpoint.ts"

export type Needs = HttpClient.HttpClient | SymphonyConfig | Session

/** The reason, where the service may have acted on a request that failed so. */
export const doubtful = (
  reason: SymphonyError.Reason
):
  | SymphonyError.Transport
  | SymphonyError.Timeout
  | SymphonyError.ServerFailure
  | SymphonyError.Malformed
  | undefined =>
{
  switch (reason._tag) {
    case "Transport":
      return reason.sent ? reason : undefined
    case "Timeout":
    case "ServerFailure":
      return reason
    case "Malformed":
      return reason.status < 300 ? reason : undefined
    default:
      return undefined
  }
}

export interface Request<A, E = never, R = never> extends Endpoint.Endpoint<A, E, R> {
  /** Whether doing it twice does no harm, so that it is sent again although the first may have been acted upon. */
  readonly isRepeatable: boolean
}

/** What came of all attempts of a request. */
export interface Failed<E> {
  /** The failure of the last one. */
  readonly error: SymphonyError.SymphonyError | E
  /** The failure of the newest that the service may have acted upon: that a later one failed otherwise does not undo it. */
  readonly doubt: SymphonyError.SymphonyError | undefined
}

/** Whether other tokens may help. A gateway may have put its own words in place of the service's. */
export const isSessionRefused = ({ reason }: SymphonyError.SymphonyError): boolean =>
  reason._tag === "Unauthorized" || reason._tag === "ServerFailure" && reason.status === 401

/** Runs the request that a caller's input makes. It reads, or may be repeated. */
export const run = <A>(
  operation: string,
  describe: () => Omit<Endpoint.Endpoint<A>, "operation">
): Effect.Effect<A, SymphonyError.SymphonyError, Needs> =>
  Endpoint.reading(
    operation,
    () => Effect.mapError(attempts({ ...describe(), operation, isRepeatable: true }), ({ error }) => error)
  )

/** The same for an answer that is read as it comes. What fails after its beginning is not tried again. */
export const open = (
  operation: string,
  describe: () => Omit<Endpoint.Endpoint<never>, "operation" | "decode">
): Stream.Stream<Uint8Array, SymphonyError.SymphonyError, Needs> =>
  Stream.unwrap(Endpoint.reading(operation, () => {
    const request = { ...describe(), operation, isRepeatable: true, decode: () => Result.fail("it is empty") }
    return Effect.mapError(retrying(request, (tokens) => Endpoint.open(request, tokens)), ({ error }) => error)
  }))

/** Sends a request until it is answered, it may not be sent again, or the configured schedule ends. */
export const attempts = <A, E = never, R = never>(
  request: Request<A, E, R>
): Effect.Effect<A, Failed<E>, Needs | R> => retrying(request, (tokens) => Endpoint.send(request, tokens))

/** The first time that its session is refused, a request is sent with another one in the same attempt. */
const retrying = <A, B, E, R>(
  request: Request<A, E, R>,
  send: (tokens: Endpoint.Tokens) => Effect.Effect<B, Body.Failed<E>, HttpClient.HttpClient | SymphonyConfig | R>
): Effect.Effect<B, Failed<E>, Needs | R> =>
  Effect.gen(function*() {
    const wrong = Endpoint.wrongInput(request)
    if (wrong !== undefined) return yield* Effect.fail({ error: Endpoint.errorOf(request)(wrong), doubt: undefined })
    const { retry } = yield* SymphonyConfig
    const session = yield* Session
    let doubt: SymphonyError.SymphonyError | undefined
    let renewals = 0

    const noted = (failed: Body.Failed<E>) => {
      const { error } = failed
      if (isOurs(error) && doubtful(error.reason) !== undefined) doubt = error
      return Effect.fail(failed)
    }
    const refusedOr = (
      tokens: Endpoint.Tokens,
      failed: Body.Failed<E>
    ): Effect.Effect<B, Body.Failed<E>, Needs | R> =>
      isOurs(failed.error) && isSessionRefused(failed.error) ? renewed(tokens, failed) : noted(failed)
    const renewed = Effect.fnUntraced(function*(tokens: Endpoint.Tokens, failed: Body.Failed<E>) {
      // Not only where the request is sent again: the next one needs a session too.
      const others = yield* Effect.mapError(session.renew(tokens), (error): Body.Failed<E> => ({ error }))
      if (failed.another !== undefined) return yield* Effect.fail({ error: failed.another })
      // Whatever refuses one session after the other uses up attempts.
      return renewals++ === 0
        ? yield* Effect.catch(send(others), (failed) => refusedOr(others, failed))
        : yield* noted(failed)
    })
    const attempt = session.tokens.pipe(
      Effect.mapError((error): Body.Failed<E> => ({ error })),
      Effect.flatMap((tokens) => Effect.catch(send(tokens), (failed) => refusedOr(tokens, failed)))
    )
    /** The failure, where another attempt may end otherwise. */
    const passing = ({ error }: Body.Failed<E>): SymphonyError.SymphonyError | undefined =>
      // What a body failed with is for its maker to try again, and a login has been tried again by the session.
      isOurs(error) && error.operation === request.operation &&
        (error.reason._tag === "Unauthorized" ||
          error.isRetryable && (request.isRepeatable || doubtful(error.reason) === undefined))
        ? error
        : undefined
    const settled = Effect.matchEffect(attempt, {
      onSuccess: (value) => Effect.succeed(Result.succeed(value)),
      onFailure: (failed) => {
        const error = passing(failed)
        return error !== undefined && failed.another === undefined
          ? Effect.fail(error)
          : Effect.succeed(Result.fail(error === undefined ? failed.error : failed.another ?? failed.error))
      }
    })
    return yield* Effect.retry(settled, retry).pipe(
      Effect.flatMap(Effect.fromResult),
      Effect.mapError((error): Failed<E> => ({ error, doubt }))
    )
  })

const isOurs = (error: unknown): error is SymphonyError.SymphonyError => error instanceof SymphonyError.SymphonyError
