/**
 * A Symphony endpoint as data, and the one place where its request gets its headers and tokens, where its failure becomes
 * a `SymphonyError`, and where it is tried again.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpBody from "effect/http/HttpBody"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Codec from "../../internal/codec.ts"
import * as Json from "../../internal/json.ts"
import * as Operation from "../../internal/operation.ts"
import * as Url from "../../internal/url.ts"
import { version } from "../../internal/version.ts"
import { type Service, SymphonyConfig } from "../SymphonyConfig.ts"
import * as SymphonyError from "../SymphonyError.ts"
import * as Answer from "./answer.ts"

/** The parts of a pod, each with a place of its own. */
const services = {
  agent: { at: "agent", context: "agent" },
  pod: { at: "pod", context: "pod" },
  login: { at: "pod", context: "login" },
  relay: { at: "keyManager", context: "relay" }
} as const

export interface Endpoint<A, E = never, R = never> extends Answer.Readable<A> {
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
  exchange(endpoint, tokens, { read: (answer) => Answer.read(endpoint, tokens !== undefined, answer) })

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
        ? Answer.read(endpoint, tokens !== undefined, answer)
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
    const traceId = revealed(headers)["x-trace-id"] ?? (yield* newTraceId)
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
            ...revealed(headers),
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
      maxSize: config.maxAnswerSize,
      secrets: () => secretsOf(config),
      unanswered,
      answered: (answer) => Effect.mapError(options.read(answer, unanswered, timeout), fail)
    })
  })

const revealed = (headers: Service["headers"]): { readonly [name: string]: string } =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, typeof value === "string" ? value : Redacted.value(value)])
  )

/** What no error may show of a configuration, beside what the request itself carries. */
const secretsOf = ({ app, bot }: SymphonyConfig["Service"]): ReadonlyArray<string> =>
  [bot, app].flatMap((identity) => identity === undefined ? [] : [Redacted.value(identity.privateKey)])

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const newTraceId = Effect.map(
  Effect.replicateEffect(Random.nextIntBetween(0, letters.length - 1), 6),
  (places) => places.map((place) => letters[place] ?? "").join("")
)

/** A decoder of JSON answers: the result, or a sentence. */
export const json = <A>(schema: Schema.ConstraintDecoder<A>): (text: string) => Result.Result<A, string> => {
  const decode = Codec.decodeResult(schema)
  return (text) => Result.flatMap(Json.parse(text), decode)
}
