/**
 * A Symphony endpoint as data, and the one place where its request gets its headers and tokens, where its failure becomes
 * a `SymphonyError`, and where it is tried again.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpBody from "effect/http/HttpBody"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Codec from "../../internal/codec.ts"
import * as Json from "../../internal/json.ts"
import * as Operation from "../../internal/operation.ts"
import * as RetryAfter from "../../internal/retryAfter.ts"
import * as Text from "../../internal/text.ts"
import * as Url from "../../internal/url.ts"
import { version } from "../../internal/version.ts"
import { SymphonyConfig } from "../SymphonyConfig.ts"
import * as SymphonyError from "../SymphonyError.ts"

/** The parts of a pod, each with a place of its own. */
const services = {
  agent: { at: "agent", context: "agent" },
  pod: { at: "pod", context: "pod" },
  login: { at: "pod", context: "login" },
  relay: { at: "keyManager", context: "relay" }
} as const

export interface Endpoint<A, E = never, R = never> {
  /** What the user called: `send`. The span is named `symphony.send`. */
  readonly operation: string
  readonly service: keyof typeof services
  readonly method: "GET" | "POST" | "DELETE"
  /** Behind the service's context, not encoded. */
  readonly path: ReadonlyArray<string>
  readonly query?: Url.Query | undefined
  /** Made anew for each attempt. */
  readonly body?: Effect.Effect<HttpBody.HttpBody, E, R> | undefined
  readonly accept?: string | undefined
  /** The stream that it is about, where it is about one. */
  readonly streamId?: string | undefined
  /** What the service says with 204; without it, 204 is unreadable. */
  readonly empty?: { readonly value: A } | undefined
  /** The answer is a token: where it cannot be read, nothing of it is told. */
  readonly isSecret?: boolean | undefined
  /** The result, or a sentence on what is wrong with the answer. */
  readonly decode: (text: string) => Result.Result<A, string>
}

// Errors name the path, also where they refuse an id in it that no address can carry.
const pathOf = ({ path, service }: Pick<Endpoint<never>, "path" | "service">): string =>
  `/${[services[service].context, ...path].map((segment) => Url.encode(segment.toWellFormed())).join("/")}`

/** Fails an operation with a reason that is one of those it has. */
export const errorOf = (
  endpoint: Pick<Endpoint<never>, "operation" | "method" | "path" | "service" | "streamId">,
  traceId?: string
) =>
(reason: SymphonyError.Reason): SymphonyError.SymphonyError =>
  new SymphonyError.SymphonyError({
    operation: endpoint.operation,
    reason,
    request: {
      method: endpoint.method,
      path: pathOf(endpoint),
      ...endpoint.streamId === undefined ? {} : { streamId: endpoint.streamId },
      ...traceId === undefined ? {} : { traceId }
    }
  })

/** Input that was refused before a request was made. */
export const refused = (details: ReadonlyArray<SymphonyError.Detail>): SymphonyError.InvalidRequest =>
  new SymphonyError.InvalidRequest({ description: "The input is not valid", details })

/** What a request shows of the session that it is made with. */
export interface Tokens {
  readonly sessionToken: Redacted.Redacted
  readonly keyManagerToken: Redacted.Redacted | undefined
}

/** One attempt. Without tokens it is a login. */
export const attempt = <A, E = never, R = never>(
  endpoint: Endpoint<A, E, R>,
  tokens: Tokens | undefined
): Effect.Effect<A, SymphonyError.SymphonyError | E, HttpClient.HttpClient | SymphonyConfig | R> =>
  exchange(endpoint, tokens, { read: (answer) => read(endpoint, tokens, answer) })

/** The same for a body that is read as it comes: what the attempt gives is the rest of the answer. */
export const open = <E = never, R = never>(
  endpoint: Endpoint<never, E, R>,
  tokens: Tokens | undefined
): Effect.Effect<
  Stream.Stream<Uint8Array, SymphonyError.SymphonyError>,
  SymphonyError.SymphonyError | E,
  HttpClient.HttpClient | SymphonyConfig | R
> =>
  exchange(endpoint, tokens, {
    streamed: true,
    read: (answer, broken, timeout) =>
      answer.bytes === undefined || answer.status === 204
        ? read(endpoint, tokens, answer)
        : Effect.succeed(
          Stream.timeoutOrElse(answer.bytes, {
            duration: timeout,
            orElse: () => Stream.fail({ _tag: "TimedOut", description: "no answer in time", code: undefined } as const)
          }).pipe(Stream.mapError(broken))
        )
  })

const exchange = <A, B, E, R>(
  endpoint: Endpoint<A, E, R>,
  tokens: Tokens | undefined,
  options: {
    readonly streamed?: boolean
    readonly read: (
      answer: Operation.Answer,
      broken: (failure: Operation.Unanswered) => SymphonyError.SymphonyError,
      timeout: Duration.Duration
    ) => Effect.Effect<B, SymphonyError.Reason>
  }
): Effect.Effect<B, SymphonyError.SymphonyError | E, HttpClient.HttpClient | SymphonyConfig | R> =>
  Effect.gen(function*() {
    const config = yield* SymphonyConfig
    const { headers, url } = config[services[endpoint.service].at]
    if (config.issues.length > 0) {
      return yield* errorOf(endpoint)(
        new SymphonyError.InvalidRequest({ description: "The configuration is not valid", details: config.issues })
      )
    }
    if (url === "") {
      const location = `${services[endpoint.service].at}.host`
      return yield* errorOf(endpoint)(
        new SymphonyError.InvalidRequest({
          description: "The configuration is not complete",
          details: [{ location, message: "is not set, and neither is host" }]
        })
      )
    }
    const traceId = headers["x-trace-id"] ?? (yield* newTraceId)
    const fail = errorOf(endpoint, traceId)
    const query = endpoint.query ?? []
    const path = pathOf(endpoint)
    const address = `${url}${path}${query.length === 0 ? "" : `?${Url.encodeQuery(query)}`}`
    const timeout = config.requestTimeout
    const unanswered = (failure: Operation.Unanswered) =>
      fail(
        failure._tag === "TimedOut"
          ? new SymphonyError.NoAnswer({ after: timeout })
          : new SymphonyError.Unreachable({
            description: failure.description,
            sent: failure._tag === "Lost",
            ...failure.code === undefined ? {} : { code: failure.code }
          })
      )
    return yield* Operation.run({
      name: `symphony.${endpoint.operation}`,
      address: path,
      attributes: {
        "messaging.system": "symphony",
        "messaging.operation.name": endpoint.operation,
        ...endpoint.streamId === undefined ? {} : { "messaging.destination.name": endpoint.streamId }
      },
      request: Effect.map(endpoint.body ?? Effect.undefined, (body) => {
        const request = HttpClientRequest.make(endpoint.method)(address, {
          headers: {
            "user-agent": `effect-herald/${version}`,
            "x-trace-id": traceId,
            accept: endpoint.accept ?? "application/json",
            ...headers,
            ...tokens === undefined ? {} : { sessiontoken: Redacted.value(tokens.sessionToken) },
            ...tokens?.keyManagerToken === undefined
              ? {}
              : { keymanagertoken: Redacted.value(tokens.keyManagerToken) }
          }
        })
        return body === undefined ? request : HttpClientRequest.setBody(request, body)
      }),
      timeout,
      streamed: options.streamed,
      unanswered,
      answered: (answer) => Effect.mapError(options.read(answer, unanswered, timeout), fail)
    })
  })

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const newTraceId = Effect.map(
  Effect.replicateEffect(Random.nextIntBetween(0, letters.length - 1), 6),
  (places) => places.map((place) => letters[place] ?? "").join("")
)

// --------------------------------------------------------------------------------------------------------------------
// answers
// --------------------------------------------------------------------------------------------------------------------

const read = <A, E, R>(
  endpoint: Endpoint<A, E, R>,
  tokens: Tokens | undefined,
  answer: Operation.Answer
): Effect.Effect<A, SymphonyError.Reason> => {
  const { status, text } = answer
  if (status === 204) {
    return endpoint.empty === undefined
      ? Effect.fail(new SymphonyError.Unreadable({ status, description: "there is nothing in it", excerpt: "" }))
      : Effect.succeed(endpoint.empty.value)
  }
  if (status >= 200 && status < 300) {
    return Result.match(endpoint.decode(text), {
      onSuccess: Effect.succeed,
      onFailure: (description) =>
        Effect.fail(
          new SymphonyError.Unreadable({
            status,
            description,
            excerpt: endpoint.isSecret === true ? "" : text.slice(0, 1024)
          })
        )
    })
  }
  // Who refuses a session need not say a word. A login that is refused is told why.
  if (status === 401 && tokens !== undefined && text.trim() === "") {
    return Effect.fail(new SymphonyError.Unauthorized({ description: unexplained }))
  }
  return Effect.flatMap(RetryAfter.of(answer), (wait) => Effect.fail(reasonOf(answer, wait)))
}

/** What the service says of a failure. Gateways that write JSON have no code in it, or one that is text. */
const decodeSaid = Schema.decodeUnknownOption(
  Schema.Struct({
    code: Schema.Int,
    message: Schema.optionalKey(Schema.NullOr(Schema.String))
  })
)

const unexplained = "no explanation"

/** What any hop may answer on its own, in whatever words: it never is the last word on a request. */
const passing = [408, 425, 499]

/** What is too large is so whoever says it. */
const sizes = [413, 414, 431]

// The status decides: the code in a body may contradict it. But only a body that is the service's own makes a refusal of it:
// an empty one, or some gateway's page, says nothing of what the service would do.
const reasonOf = ({ status, text }: Operation.Answer, wait: Option.Option<Duration.Duration>): SymphonyError.Reason => {
  const json = Result.getOrElse(Json.parse(text), () => undefined)
  const body = Predicate.isObject(json) ? Option.getOrUndefined(decodeSaid(json)) : undefined
  const said = {
    ...body === undefined ? {} : { code: body.code },
    description: Text.bounded(body?.message ?? (text.trim() === "" ? unexplained : text))
  }
  if (status === 429) return new SymphonyError.Throttled({ ...said, retryAfter: wait })
  if (sizes.includes(status)) return new SymphonyError.InvalidRequest({ ...said, status, details: [] })
  if (body === undefined || status < 400 || status >= 500 || passing.includes(status)) {
    return new SymphonyError.ServiceFailure({
      ...said,
      status,
      answeredBy: body === undefined ? "intermediary" : "service",
      retryAfter: wait
    })
  }
  switch (status) {
    case 401:
      return new SymphonyError.Unauthorized(said)
    case 403:
      return new SymphonyError.Forbidden(said)
    case 404:
      return new SymphonyError.NotFound(said)
    case 451:
      return new SymphonyError.Blocked(said)
    default:
      return new SymphonyError.InvalidRequest({ ...said, status, details: [] })
  }
}

/** A decoder of JSON answers: the result, or a sentence. */
export const json = <A>(schema: Schema.ConstraintDecoder<A>): (text: string) => Result.Result<A, string> => {
  const decode = Codec.decodeResult(schema)
  return (text) => Result.flatMap(Json.parse(text), decode)
}
