/**
 * An endpoint as data, turned into an Effect: build and sign, execute, time out, read, classify, decode. Knows HTTP and
 * no service; what an answer or a missing answer means is for the service to say.
 */
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"

/** What came back, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: Headers.Headers
  readonly text: string
  /** The body of a success, unread, where it was asked for; `text` is empty then. */
  readonly bytes?: Stream.Stream<Uint8Array, Unanswered>
}

/**
 * Why nothing came back. `NotSent` is claimed only where the request cannot have reached the service; `Lost` may have
 * been acted upon, and so may `TimedOut`.
 */
export interface Unanswered {
  readonly _tag: "NotSent" | "Lost" | "TimedOut"
  readonly description: string
  readonly code: string | undefined
}

export interface Operation<A, E, R, E2, R2> {
  /** The span's and the log's name, `service.operation`. */
  readonly name: string
  /** What a log may show of the request's address: no payload, no query, no secret. */
  readonly address: string
  readonly attributes: Record<string, unknown>
  readonly request: Effect.Effect<HttpClientRequest.HttpClientRequest, E, R>
  /** A long poll has none of its own: whoever polls watches the clock. */
  readonly timeout: Duration.Duration | undefined
  /** Whether the body of a success is handed on unread. The timeout ends with the headers then. */
  readonly streamed?: boolean | undefined
  readonly unanswered: (failure: Unanswered) => E2
  readonly answered: (answer: Answer) => Effect.Effect<A, E2, R2>
}

export const run = <A, E, R, E2, R2>(
  operation: Operation<A, E, R, E2, R2>
): Effect.Effect<A, E | E2, HttpClient.HttpClient | R | R2> =>
  operation.request.pipe(
    Effect.flatMap((request) => exchange(request, operation)),
    Effect.flatMap(operation.answered),
    traced(operation)
  )

const exchange = <E>(
  request: HttpClientRequest.HttpClientRequest,
  operation: Pick<Operation<never, never, never, E, never>, "name" | "address" | "timeout" | "streamed" | "unanswered">
): Effect.Effect<Answer, E, HttpClient.HttpClient> =>
  HttpClient.HttpClient.pipe(
    Effect.flatMap((client) => client.execute(request)),
    Effect.flatMap((response): Effect.Effect<Answer, HttpClientError.HttpClientError> => {
      const { headers, status } = response
      return operation.streamed === true && status >= 200 && status < 300
        ? Effect.succeed({ status, headers, text: "", bytes: Stream.mapError(response.stream, unanswered) })
        : Effect.map(response.text, (text) => ({ status, headers, text }))
    }),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    Effect.matchEffect({
      onFailure: (error) => Effect.fail(unanswered(error)),
      onSuccess: Effect.succeed
    }),
    inTime(operation.timeout),
    Effect.tap((answer) =>
      debug(() => [`${operation.name} ${request.method} ${operation.address} answered ${answer.status}`])
    ),
    Effect.tapError((failure) =>
      debug(() => [`${operation.name} ${request.method} ${operation.address} ${failure._tag}: ${failure.description}`])
    ),
    Effect.mapError(operation.unanswered)
  )

const inTime = (timeout: Duration.Duration | undefined) => <A, R>(effect: Effect.Effect<A, Unanswered, R>) =>
  timeout === undefined ? effect : Effect.timeoutOrElse(effect, {
    duration: timeout,
    orElse: () => Effect.fail<Unanswered>({ _tag: "TimedOut", description: "no answer in time", code: undefined })
  })

// Looked up in the map itself: asking for the reference would always be answered with its default tracer.
const traced =
  (operation: { readonly name: string; readonly attributes: Record<string, unknown> }) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.contextWith((context: Context.Context<never>) =>
      context.mapUnsafe.has(Tracer.Tracer.key) || context.mapUnsafe.has(Tracer.ParentSpan.key)
        ? Effect.withSpan(effect, operation.name, {
          kind: "client",
          attributes: operation.attributes,
          captureStackTrace: false
        })
        : effect
    )

/** A line at Debug whose text is made only when somebody listens. */
export const debug = (message: () => ReadonlyArray<unknown>): Effect.Effect<void> =>
  Effect.flatMap(LogLevel.isEnabled("Debug"), (enabled) => enabled ? Effect.logDebug(...message()) : Effect.void)

// The failures in which no connection existed yet, as Node, undici and the system name them.
const connectCodes = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ENETDOWN",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "ERR_TLS_CERT_ALTNAME_INVALID"
])

// Nothing of the error but its code and the names of its kinds is kept: its text may hold the URL and so a token.
const unanswered = (error: HttpClientError.HttpClientError): Unanswered => {
  const { reason } = error
  if (reason._tag === "InvalidUrlError" || reason._tag === "EncodeError") {
    return { _tag: "NotSent", description: "the request could not be built", code: reason._tag }
  }
  const codes = codesOf("cause" in reason ? reason.cause : undefined)
  const code = codes.find((code) => code !== undefined)
  return {
    _tag: codes.length > 0 && codes.every(isOfConnectPhase) ? "NotSent" : "Lost",
    description: code === undefined ? `the connection failed (${reason._tag})` : `the connection failed with ${code}`,
    code
  }
}

const isOfConnectPhase = (code: string | undefined): boolean => code !== undefined && connectCodes.has(code)

/**
 * The codes of all errors that caused a failure, `undefined` for an error without one. Happy eyeballs report one error for
 * each address: the request may have been sent if only one of them is not of the connect phase, or has no code.
 */
const codesOf = (failure: unknown): ReadonlyArray<string | undefined> => {
  const codes: Array<string | undefined> = []
  // A loop over a set also visits what is added meanwhile, and each error once: errors may be many, deep and cyclic.
  const errors = new Set([failure])
  for (const error of errors) {
    const [code, below] = partsOf(error)
    if (below.length === 0) codes.push(code)
    for (const each of below) errors.add(each)
  }
  return codes
}

/** The code of one error, and the errors that say more than it. */
const partsOf = (error: unknown): readonly [code: string | undefined, below: ReadonlyArray<unknown>] => {
  if (typeof error !== "object" || error === null) return [undefined, []]
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined
  if ("errors" in error && Array.isArray(error.errors) && error.errors.length > 0) return [code, error.errors]
  return [code, code === undefined && "cause" in error ? [error.cause] : []]
}
