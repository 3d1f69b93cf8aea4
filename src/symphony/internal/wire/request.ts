/**
 * Sends a request with the tokens of the session. Renews tokens that the service refuses, and retries by the configured schedule
 * where that is safe.
 */
import * as Context from "effect/Context"
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

/** The reason, if the service may have acted on the failed request. */
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
  /** Whether the request is safe to repeat. Then it is retried even if the service may have acted on it. */
  readonly isRepeatable: boolean
}

/** How all attempts of a request failed. */
export interface Failed<E> {
  /** The failure of the last one. */
  readonly error: SymphonyError.SymphonyError | E
  /** The failure of the newest attempt that the service may have acted on. A later failure does not undo it. */
  readonly doubt: SymphonyError.SymphonyError | undefined
}

/** Whether new tokens may help. A gateway may have replaced the text of the service. */
export const isSessionRefused = ({ reason }: SymphonyError.SymphonyError): boolean =>
  reason._tag === "Unauthorized" || reason._tag === "ServerFailure" && reason.status === 401

/** Runs a request that is safe to repeat. `describe` reads the input of the caller. */
export const run = <A>(
  operation: string,
  describe: () => Omit<Endpoint.Endpoint<A>, "operation">
): Effect.Effect<A, SymphonyError.SymphonyError, Needs> =>
  Endpoint.reading(
    operation,
    () => Effect.mapError(attempts({ ...describe(), operation, isRepeatable: true }), ({ error }) => error)
  )

/** The same for an answer that is read as a stream. A failure after its beginning is not retried. */
export const open = (
  operation: string,
  describe: () => Omit<Endpoint.Endpoint<never>, "operation" | "decode">
): Stream.Stream<Uint8Array, SymphonyError.SymphonyError, Needs> =>
  Stream.unwrap(Endpoint.reading(operation, () => {
    const request = { ...describe(), operation, isRepeatable: true, decode: () => Result.fail("it is empty") }
    return Effect.mapError(retrying(request, (tokens) => Endpoint.open(request, tokens)), ({ error }) => error)
  }))

/** Sends a request until there is an answer, a retry is not safe, or the configured schedule ends. */
export const attempts = <A, E = never, R = never>(
  request: Request<A, E, R>
): Effect.Effect<A, Failed<E>, Needs | R> => retrying(request, (tokens) => Endpoint.send(request, tokens))

type Send<B, E, R> = (
  tokens: Endpoint.Tokens
) => Effect.Effect<B, Body.Failed<E>, HttpClient.HttpClient | SymphonyConfig | R>

/** How the first attempt failed, and with which tokens it was sent, if it was. */
interface First<E> {
  readonly failed: Body.Failed<E>
  readonly tokens: Endpoint.Tokens | undefined
}

/** Sends, and retries. Most requests succeed at once: what a retry needs is made after the first failure. */
const retrying = <A, B, E, R>(
  request: Request<A, E, R>,
  send: Send<B, E, R>
): Effect.Effect<B, Failed<E>, Needs | R> =>
  Effect.contextWith((context: Context.Context<SymphonyConfig | Session>) => {
    const wrong = Endpoint.wrongInput(request)
    if (wrong !== undefined) return Effect.fail({ error: Endpoint.errorOf(request)(wrong), doubt: undefined })
    return Context.get(context, Session).tokens.pipe(
      Effect.mapErrorEager((error): First<E> => ({ failed: { error }, tokens: undefined })),
      Effect.flatMapEager((tokens) => Effect.mapError(send(tokens), (failed): First<E> => ({ failed, tokens }))),
      Effect.catch((first) => again(context, request, send, first))
    )
  })

/** Retries. The first refusal of the session does not count as an attempt: the request is repeated with a new session. */
const again = <A, B, E, R>(
  context: Context.Context<SymphonyConfig | Session>,
  request: Request<A, E, R>,
  send: Send<B, E, R>,
  first: First<E>
): Effect.Effect<B, Failed<E>, Needs | R> => {
  const { retry } = Context.get(context, SymphonyConfig)
  const session = Context.get(context, Session)
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
  const renewed = (tokens: Endpoint.Tokens, failed: Body.Failed<E>) =>
    Effect.gen(function*() {
      // Renews even if this request cannot be repeated: the next request needs a session too.
      const others = yield* Effect.mapError(session.renew(tokens), (error): Body.Failed<E> => ({ error }))
      if (failed.another !== undefined) return yield* Effect.fail({ error: failed.another })
      // Further refusals count as attempts.
      return renewals++ === 0
        ? yield* Effect.catch(send(others), (failed) => refusedOr(others, failed))
        : yield* noted(failed)
    })
  const attempt = session.tokens.pipe(
    Effect.mapError((error): Body.Failed<E> => ({ error })),
    Effect.flatMap((tokens) => Effect.catch(send(tokens), (failed) => refusedOr(tokens, failed)))
  )
  /** The failure, if another attempt may succeed. */
  const passing = ({ error }: Body.Failed<E>): SymphonyError.SymphonyError | undefined =>
    // The caller retries failures of the body, and the session retries logins.
    isOurs(error) && error.operation === request.operation &&
      (error.reason._tag === "Unauthorized" ||
        error.isRetryable && (request.isRepeatable || doubtful(error.reason) === undefined))
      ? error
      : undefined
  const settled = (attempted: typeof attempt) =>
    Effect.matchEffect(attempted, {
      onSuccess: (value) => Effect.succeed(Result.succeed(value)),
      onFailure: (failed) => {
        const error = passing(failed)
        return error !== undefined && failed.another === undefined
          ? Effect.fail(error)
          : Effect.succeed(Result.fail(error === undefined ? failed.error : failed.another ?? failed.error))
      }
    })
  let next: typeof attempt = first.tokens === undefined
    ? Effect.fail(first.failed)
    : refusedOr(first.tokens, first.failed)
  const attempts = Effect.suspend(() => {
    const attempted = next
    next = attempt
    return settled(attempted)
  })
  return Effect.retry(attempts, retry).pipe(
    Effect.flatMap(Effect.fromResult),
    Effect.mapError((error): Failed<E> => ({ error, doubt }))
  )
}

const isOurs = (error: unknown): error is SymphonyError.SymphonyError => error instanceof SymphonyError.SymphonyError
