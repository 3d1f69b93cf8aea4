/**
 * Runs a request: build and sign, execute, time out, read, classify, decode. It knows HTTP and no service: each service says
 * what an answer means, and what a missing answer means.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import * as Body from "./body.ts"
import * as ConnectFailure from "./connectFailure.ts"
import * as Text from "./text.ts"
import * as Url from "./url.ts"
import * as WholeAnswer from "./wholeAnswer.ts"

/** An answer, read to its end. */
export interface Answer extends Body.Body {
  readonly status: number
  readonly headers: Headers.Headers
  /** Removes the secrets of the request from text of the answer. All text of an answer goes through it into an error. */
  readonly told: (text: string) => string
  /** The body of a success, unread, where it was asked for; `text` is empty then. */
  readonly bytes?: Stream.Stream<Uint8Array, Unanswered>
}

/**
 * Why there is no answer. `NotSent` says that the request cannot have reached the service. After `Lost` and `TimedOut` the
 * service may have acted on it.
 */
export interface Unanswered {
  readonly _tag: "NotSent" | "Lost" | "TimedOut"
  readonly description: string
  readonly code: string | undefined
}

export interface Operation<A, E, R, E2, R2> {
  /** The function that the user called, `Publish.publish`: the name of the span and of the log. */
  readonly name: string
  /** What a log may show of the request's address: no payload, no query, no secret. */
  readonly address: () => string
  /** The attributes of the span. */
  readonly attributes: () => Record<string, unknown>
  /** Called for each run. */
  readonly request: () => Effect.Effect<HttpClientRequest.HttpClientRequest, E, R>
  /** A long poll has none: its reader watches the clock. */
  readonly timeout: Duration.Duration | undefined
  /** Whether the caller reads the body of a success as a stream. The timeout then ends with the headers. */
  readonly streamed?: boolean | undefined
  /**
   * Whether the transport follows redirects, to any host, with all headers. Only for an address without tokens in its headers, in a
   * browser, which hides where a redirect leads.
   */
  readonly follows?: boolean | undefined
  /** How many bytes of an answer are read, as they are after decompression. */
  readonly maxSize: number
  /** Called when a part of a body has arrived. */
  readonly onPart?: (() => void) | undefined
  /** The parts of the configuration that no error may show. Those in the request itself need not be listed. */
  readonly secrets?: (() => ReadonlyArray<string>) | undefined
  readonly unanswered: (failure: Unanswered) => E2
  readonly answered: (answer: Answer) => Effect.Effect<A, E2, R2>
}

export const run = <A, E, R, E2, R2>(
  operation: Operation<A, E, R, E2, R2>
): Effect.Effect<A, E | E2, HttpClient.HttpClient | R | R2> =>
  Effect.withFiber((fiber: Fiber.Fiber<unknown, unknown>) => {
    const isHeard = isEnabled(fiber, "Debug")
    const client = Context.getUnsafe(fiber.context, HttpClient.HttpClient)
    // A request that is there already is sent at once.
    const answered = Effect.flatMapEager(operation.request(), (request) => {
      const answer = exchange(client, request, operation)
      return Effect.matchEffect(isHeard ? heard(answer, request, operation) : answer, {
        onFailure: (error) => Effect.fail(operation.unanswered(unanswered(error))),
        onSuccess: (answer) => operation.answered(new ToldAnswer(answer, tellerOf(request, operation.secrets)))
      })
    })
    return isTraced(fiber.context)
      ? Effect.withSpan(answered, operation.name, {
        kind: "client",
        attributes: operation.attributes(),
        captureStackTrace: false
      })
      : answered
  })

type Exchanged = Omit<
  Operation<never, never, never, never, never>,
  "request" | "attributes" | "unanswered" | "answered"
>

/** An answer whose text may hold secrets. */
type Untold = Omit<Answer, "told">

type Lost = HttpClientError.HttpClientError | "TimedOut"

/** Its headers are parsed when they are read. */
class ToldAnswer implements Answer {
  readonly status: number
  readonly text: string
  readonly limit?: number
  readonly bytes?: Stream.Stream<Uint8Array, Unanswered>
  readonly told: (text: string) => string
  readonly #untold: Untold

  constructor(untold: Untold, told: (text: string) => string) {
    this.status = untold.status
    this.text = untold.text
    if (untold.limit !== undefined) this.limit = untold.limit
    if (untold.bytes !== undefined) this.bytes = untold.bytes
    this.told = told
    this.#untold = untold
  }

  get headers(): Headers.Headers {
    return this.#untold.headers
  }
}

const exchange = (
  client: HttpClient.HttpClient,
  request: HttpClientRequest.HttpClientRequest,
  operation: Exchanged
): Effect.Effect<Untold, Lost> => {
  const { maxSize, onPart, streamed = false, timeout } = operation
  const whole = streamed ? undefined : WholeAnswer.of(client)?.(request, { maxSize, timeout, onPart })
  return whole ?? executed(client, request, operation)
}

/** Sends with a client that answers with a stream. */
const executed = (
  client: HttpClient.HttpClient,
  request: HttpClientRequest.HttpClientRequest,
  { follows = false, maxSize, onPart, streamed = false, timeout }: Exchanged
): Effect.Effect<Untold, Lost> =>
  client.execute(request).pipe(
    Effect.flatMap((response): Effect.Effect<Untold, HttpClientError.HttpClientError> => {
      const { headers, status } = response
      // Any other success has no content, or content that a proxy has changed.
      return streamed && (status === 200 || status === 206)
        ? Effect.succeed({ status, headers, text: "", bytes: Stream.mapError(response.stream, unanswered) })
        : Effect.map(Body.text(response, maxSize, onPart), (body) => ({ status, headers, ...body }))
    }),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true),
    redirecting(follows ? "follow" : "manual"),
    inTime(timeout)
  )

const heard = (
  answer: Effect.Effect<Untold, Lost>,
  { method }: HttpClientRequest.HttpClientRequest,
  { address, name }: Exchanged
): Effect.Effect<Untold, Lost> =>
  answer.pipe(
    Effect.tap(({ status }) => Effect.logDebug(`${name} ${method} ${address()} answered ${status}`)),
    Effect.tapError((error) => {
      const { _tag, description } = unanswered(error)
      return Effect.logDebug(`${name} ${method} ${address()} ${_tag}: ${description}`)
    })
  )

/**
 * `fetch` follows redirects by itself, to any host, with the tokens of the request. Only the options of the caller's context are
 * kept: those that the layer was built with are not visible from here.
 */
const redirecting =
  (redirect: "manual" | "follow") => <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.contextWith((context: Context.Context<never>) =>
      Effect.provideService(effect, FetchHttpClient.RequestInit, {
        ...Option.getOrUndefined(Context.getOption(context, FetchHttpClient.RequestInit)),
        redirect
      })
    )

/** Made when the first text is cleaned: most answers are no failures. */
const tellerOf = (request: HttpClientRequest.HttpClientRequest, secrets: () => ReadonlyArray<string> = () => []) => {
  let teller: ((text: string) => string) | undefined
  return (text: string) => (teller ??= Text.teller([...secretsOf(request), ...secrets()]))(text)
}

/** Headers without secrets. */
const publicHeaders = new Set(["accept", "content-length", "content-type", "if-match", "user-agent", "x-trace-id"])

/** The secrets of a request: the parameters that give access, its headers, and its path, which may hold a message. */
const secretsOf = ({ headers, url }: HttpClientRequest.HttpClientRequest): ReadonlyArray<string> => {
  const path = /^\w+:\/\/[^/]*(\/[^?]*)/.exec(url)?.[1] ?? ""
  return [
    ...[...url.matchAll(/[?&](?:auth|signature|\w*token)=([^&]*)/gi)].map(([, value = ""]) => Url.decode(value)),
    ...Object.entries(headers).filter(([name]) => !publicHeaders.has(name)).flatMap(([, value]) => [
      value,
      value.slice(value.indexOf(" ") + 1)
    ]),
    path
  ]
}

const timedOut: Unanswered = { _tag: "TimedOut", description: "no answer in time", code: undefined }

const inTime = (timeout: Duration.Duration | undefined) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  timeout === undefined
    ? effect
    : Effect.timeoutOrElse(effect, { duration: timeout, orElse: () => Effect.fail("TimedOut" as const) })

// Looked up in the map itself: the reference would always give its default tracer.
const isTraced = ({ mapUnsafe }: Context.Context<never>): boolean =>
  mapUnsafe.has(Tracer.Tracer.key) || mapUnsafe.has(Tracer.ParentSpan.key)

const isEnabled = (fiber: Fiber.Fiber<unknown, unknown>, level: LogLevel.LogLevel): boolean =>
  !LogLevel.isGreaterThan(fiber.getRef(References.MinimumLogLevel), level)

/** Logs at Debug. Makes the text only when the log level asks for it. */
export const debug = (message: () => ReadonlyArray<unknown>): Effect.Effect<void> =>
  Effect.withFiber((fiber: Fiber.Fiber<unknown, unknown>) =>
    isEnabled(fiber, "Debug") ? Effect.logDebug(...message()) : Effect.void
  )

// Keeps only the code and the kind of the error: its text may hold the URL, and so a token.
const unanswered = (error: Lost): Unanswered => {
  if (error === "TimedOut") return timedOut
  const { reason } = error
  if (reason._tag === "InvalidUrlError" || reason._tag === "EncodeError") {
    return { _tag: "NotSent", description: "the request could not be built", code: reason._tag }
  }
  const causes = ConnectFailure.causesOf("cause" in reason ? reason.cause : undefined)
  const code = causes.find(({ code }) => code !== undefined)?.code
  return {
    _tag: causes.every(({ isOfConnectPhase }) => isOfConnectPhase) ? "NotSent" : "Lost",
    description: code === undefined ? `the connection failed (${reason._tag})` : `the connection failed with ${code}`,
    code
  }
}
