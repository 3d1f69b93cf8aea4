/**
 * A request as one record, and its runner: checks it, adds headers and tokens, sends it, and makes the `SymphonyError` of a failure.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as HttpBody from "effect/http/HttpBody"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as UrlParams from "effect/http/UrlParams"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Guarded from "../../../internal/guarded.ts"
import * as Operation from "../../../internal/operation.ts"
import * as Template from "../../../internal/path.ts"
import * as Secret from "../../../internal/secret.ts"
import * as Text from "../../../internal/text.ts"
import * as Url from "../../../internal/url.ts"
import { version } from "../../../internal/version.ts"
import { type Service, SymphonyConfig } from "../../SymphonyConfig.ts"
import * as SymphonyError from "../../SymphonyError.ts"
import * as Answer from "./answer.ts"
import type * as Body from "./body.ts"
import type * as Path from "./path.ts"

/** The address and the tokens of each service. Only the Agent needs the token of the key manager. */
const services = {
  agent: { at: "agent", credential: "session and key manager" },
  pod: { at: "pod", credential: "session" },
  login: { at: "pod", credential: "none" },
  relay: { at: "keyManager", credential: "none" }
} as const

export interface Endpoint<A, E = never, R = never> extends Answer.Readable<A> {
  /** The function that the user called, `Messages.send`; also the name of the span. */
  readonly operation: string
  /** Default: `"GET"`. */
  readonly method?: "GET" | "POST" | "DELETE" | undefined
  readonly path: Path.Path
  readonly query?: Url.Parameters | undefined
  /** Called for each attempt. */
  readonly body?: Effect.Effect<Body.Body<E>, SymphonyError.SymphonyError | E, R> | undefined
  /** The media type to accept. Default: `"application/json"`. */
  readonly accept?: string | undefined
  /** The tokens to send. Default: those that the service needs. */
  readonly credential?: "none" | "session" | "session and key manager" | undefined
  /** The stream that the request is about, if any. */
  readonly streamId?: string | undefined
  /** The problems of the input. Nothing is sent if there are any. */
  readonly issues?: ReadonlyArray<SymphonyError.Detail> | undefined
}

/** Makes the `SymphonyError` of a reason. Its type has only the reasons that the operation can have. */
export const errorOf = (
  { method = "GET", operation, path, streamId }: Pick<Endpoint<never>, "operation" | "method" | "path" | "streamId">,
  traceId?: string
) =>
(reason: SymphonyError.Reason): SymphonyError.SymphonyError =>
  new SymphonyError.SymphonyError({
    operation,
    reason,
    request: {
      method,
      path: Template.show(path),
      ...typeof streamId === "string" ? { streamId: Text.bounded(streamId) } : {},
      ...traceId === undefined ? {} : { traceId }
    }
  })

/** Input that was refused before a request was made. */
export const refused = (details: ReadonlyArray<SymphonyError.Detail>): SymphonyError.BadRequest =>
  new SymphonyError.BadRequest({ description: "The input is not valid", details })

/** The error of input that was refused before the request is known. */
export const refusal = (
  operation: string,
  details: ReadonlyArray<SymphonyError.Detail>
): SymphonyError.SymphonyError =>
  new SymphonyError.SymphonyError({ operation, reason: refused(details), request: { method: "{…}", path: "{…}" } })

export const reading = Guarded.effect(refusal)

export const readingStream = Guarded.stream(refusal)

/** The tokens of a session. */
export interface Tokens {
  readonly sessionToken: Redacted.Redacted
  readonly keyManagerToken: Redacted.Redacted | undefined
}

type Needs = HttpClient.HttpClient | SymphonyConfig

/** Makes one attempt. A login has no tokens. */
export const attempt = <A, E = never, R = never>(
  endpoint: Endpoint<A, E, R>,
  tokens: Tokens | undefined
): Effect.Effect<A, SymphonyError.SymphonyError | E, Needs | R> => {
  const wrong = wrongInput(endpoint)
  return wrong === undefined
    ? Effect.mapError(send(endpoint, tokens), ({ error }) => error)
    : Effect.fail(errorOf(endpoint)(wrong))
}

/** The same for input that was checked, with the failure that a further attempt would have. */
export const send = <A, E = never, R = never>(
  endpoint: Endpoint<A, E, R>,
  tokens: Tokens | undefined
): Effect.Effect<A, Body.Failed<E>, Needs | R> =>
  exchange(endpoint, tokens, { read: (answer) => Answer.read(endpoint, tokens !== undefined, answer) })

/** The same for an answer that is read as a stream. */
export const open = <E = never, R = never>(
  endpoint: Endpoint<never, E, R>,
  tokens: Tokens | undefined
): Effect.Effect<Stream.Stream<Uint8Array, SymphonyError.SymphonyError>, Body.Failed<E>, Needs | R> =>
  exchange(endpoint, tokens, {
    streamed: true,
    read: (answer, broken, timeout) =>
      answer.bytes === undefined || answer.status === 204
        ? Answer.read(endpoint, tokens !== undefined, answer)
        : Effect.succeed(
          Stream.transformPull(answer.bytes, (pull) =>
            Effect.succeed(Effect.timeoutOrElse(pull, {
              duration: timeout,
              orElse: () =>
                Effect.fail({ _tag: "TimedOut", description: "no answer in time", code: undefined } as const)
            }))).pipe(Stream.mapError(broken))
        )
  })

/** The refusal of wrong input, before a session is opened. */
export const wrongInput = (
  { issues = [], path }: Pick<Endpoint<never>, "issues" | "path">
): SymphonyError.BadRequest | undefined => {
  const details = issues.length > 0 ? issues : Template.issuesOf(path)
  return details.length > 0 ? refused(details) : undefined
}

/** The problems of the configuration for one service. */
const wrongConfig = (
  config: SymphonyConfig["Service"],
  service: Path.Service
): SymphonyError.BadRequest | undefined => {
  if (config.issues.length > 0) {
    return new SymphonyError.BadRequest({ description: "The configuration is not valid", details: config.issues })
  }
  const { at } = services[service]
  return config[at].url !== "" ? undefined : new SymphonyError.BadRequest({
    description: "The configuration is not complete",
    details: [{ location: `${at}.host`, message: "is not set, and neither is host" }]
  })
}

const exchange = <A, B, E, R>(endpoint: Endpoint<A, E, R>, tokens: Tokens | undefined, options: {
  readonly streamed?: boolean
  readonly read: (
    answer: Operation.Answer,
    broken: (failure: Operation.Unanswered) => SymphonyError.SymphonyError,
    timeout: Duration.Duration
  ) => Effect.Effect<B, SymphonyError.Reason>
}): Effect.Effect<B, Body.Failed<E>, Needs | R> =>
  Effect.contextWith((context: Context.Context<SymphonyConfig>): Effect.Effect<B, Body.Failed<E>, Needs | R> => {
    const config = Context.get(context, SymphonyConfig)
    const { at, credential: needed } = services[endpoint.path.service]
    const { credential = needed, method = "GET" } = endpoint
    const wrong = wrongConfig(config, endpoint.path.service)
    if (wrong !== undefined) return Effect.fail({ error: errorOf(endpoint)(wrong) })
    const { url } = config[at]
    const headers = revealed(config[at].headers)
    const traceId = headers["x-trace-id"] ?? newTraceId(Context.get(context, Random.Random))
    const fail = (reason: SymphonyError.Reason) => errorOf(endpoint, traceId)(reason)
    const query = Url.encodeQuery(endpoint.query)
    const address = `${url}${Template.encode(endpoint.path, {})}${query === "" ? "" : `?${query}`}`
    const timeout = config.requestTimeout
    const unanswered = (failure: Operation.Unanswered) =>
      fail(
        failure._tag === "TimedOut"
          ? new SymphonyError.Timeout({ after: timeout })
          : new SymphonyError.Transport({
            description: failure.description,
            sent: failure._tag === "Lost",
            ...failure.code === undefined ? {} : { code: failure.code }
          })
      )
    const sent = (body: Body.Body<E> | undefined) => {
      const answered = Operation.run({
        name: endpoint.operation,
        address: () => Template.show(endpoint.path),
        attributes: () => ({
          "messaging.system": "symphony",
          "messaging.operation.name": endpoint.operation,
          ...endpoint.streamId === undefined ? {} : { "messaging.destination.name": endpoint.streamId }
        }),
        request: () => {
          const sent = Headers.fromInput({
            "user-agent": `effect-herald/${version}`,
            "x-trace-id": traceId,
            accept: endpoint.accept ?? "application/json",
            ...headers,
            sessiontoken: tokens === undefined || credential === "none"
              ? undefined
              : Redacted.value(tokens.sessionToken),
            keymanagertoken: tokens?.keyManagerToken === undefined || credential !== "session and key manager"
              ? undefined
              : Redacted.value(tokens.keyManagerToken),
            ...body === undefined ? {} : {
              "content-type": body.content.contentType,
              "content-length": body.content.contentLength?.toString()
            }
          })
          return Effect.succeed(
            HttpClientRequest.makeWith(
              method,
              address,
              UrlParams.empty,
              Option.none(),
              sent,
              body?.content ?? HttpBody.empty
            )
          )
        },
        timeout,
        streamed: options.streamed,
        maxSize: config.maxAnswerSize,
        secrets: () => secretsOf(config),
        unanswered,
        answered: (answer) => Effect.mapErrorEager(options.read(answer, unanswered, timeout), fail)
      })
      return Effect.catch(
        answered,
        (error): Effect.Effect<never, Body.Failed<E>> => body?.failed(error) ?? Effect.fail({ error })
      )
    }
    return endpoint.body === undefined
      ? sent(undefined)
      : Effect.flatMapEager(Effect.mapErrorEager(endpoint.body, (error): Body.Failed<E> => ({ error })), sent)
  })

const revealed = (headers: Service["headers"]): { readonly [name: string]: string } =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === "string" ? value : Secret.textOf(value) ?? ""
    ])
  )

/** The secrets of a configuration, which no error may show. Those in the request need not be listed. */
const secretsOf = ({ app, bot }: SymphonyConfig["Service"]): ReadonlyArray<string> =>
  Secret.textsOf([bot?.privateKey, app?.privateKey])

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const newTraceId = (random: Context.Service.Shape<typeof Random.Random>): string => {
  let id = ""
  for (let count = 0; count < 6; count++) id += letters[Math.floor(random.nextDoubleUnsafe() * letters.length)] ?? ""
  return id
}
