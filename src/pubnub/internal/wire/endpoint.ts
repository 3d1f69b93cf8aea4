/**
 * A PubNub endpoint as data, and the one place where its request gets the common parameters, the token and the
 * signature, and where its failure becomes a `PubNubError`.
 */
import * as Clock from "effect/Clock"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Json from "../../../internal/json.ts"
import * as Operation from "../../../internal/operation.ts"
import * as Url from "../../../internal/url.ts"
import { version } from "../../../internal/version.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import * as PubNubError from "../../PubNubError.ts"
import * as Answer from "./answer.ts"
import * as Token from "./token.ts"

export interface Endpoint<A> {
  /** What the user called, `publish`; the span is named `pubnub.publish`. */
  readonly operation: string
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  /** Encoded, from the first slash on. */
  readonly path: string
  /** The same for eyes: names in clear, `{…}` for keys and payloads. */
  readonly shownPath: string
  readonly query: Url.Query
  readonly body?: string | undefined
  /** Changes only what has this entity tag. */
  readonly ifMatch?: string | undefined
  /** Default: `requestTimeout` of the configuration. A long poll is watched by its reader instead. */
  readonly timeout?: Duration.Duration | "none" | undefined
  readonly attributes?: Record<string, unknown> | undefined
  /** `/time` takes neither token nor signature. */
  readonly open?: boolean | undefined
  /** The service checks a publish as if it were a GET without a body, even when it is a POST. */
  readonly signedAsGet?: boolean | undefined
  /** Payloads of users keep their numbers; everywhere else long integers stay exact as text. */
  readonly parse?: ((text: string) => Result.Result<Schema.Json, string>) | undefined
  /**
   * The result, or a sentence on what is wrong with the answer. Text of the service that goes into an error is `told`: without
   * secrets.
   */
  readonly decode: (json: Schema.Json, told: (text: string) => string) => Result.Result<A, string>
}

export const facts = (endpoint: Pick<Endpoint<never>, "method" | "shownPath">): PubNubError.RequestFacts => ({
  method: endpoint.method,
  path: endpoint.shownPath
})

/** Runs an endpoint; every reason is possible here, and each operation says what it makes of them. */
export const call = <A, E>(
  config: PubNubConfig["Service"],
  endpoint: Endpoint<A>,
  fail: (reason: PubNubError.Reason) => E
): Effect.Effect<A, E, HttpClient.HttpClient> => {
  const timeout = endpoint.timeout ?? config.requestTimeout
  return Operation.run({
    name: `pubnub.${endpoint.operation}`,
    address: endpoint.shownPath,
    attributes: {
      "messaging.system": "pubnub",
      "messaging.operation.name": endpoint.operation,
      ...endpoint.attributes
    },
    request: Effect.mapError(request(config, endpoint), fail),
    timeout: timeout === "none" ? undefined : timeout,
    maxSize: config.maxAnswerSize,
    secrets: () => Token.secrets(config),
    unanswered: (failure) =>
      fail(
        failure._tag === "TimedOut"
          ? new PubNubError.Timeout({ after: timeout === "none" ? config.pollTimeout : timeout })
          : new PubNubError.Transport({
            description: failure.description,
            sent: failure._tag === "Lost",
            ...(failure.code === undefined ? {} : { code: failure.code })
          })
      ),
    answered: (answer) =>
      Answer.read(answer, { path: endpoint.path, parse: endpoint.parse ?? Json.parseExact }).pipe(
        Effect.flatMap((json) => {
          const decoded = endpoint.decode(json, answer.told)
          return Result.isSuccess(decoded)
            ? Effect.succeed(decoded.success)
            : Effect.fail(Answer.malformed(answer, decoded.failure))
        }),
        Effect.mapError(fail)
      )
  })
}

/** The `PubNubError` of a reason that is one of those an operation has. */
export const errorOf =
  (endpoint: Pick<Endpoint<never>, "operation" | "method" | "shownPath">) =>
  <R extends PubNubError.Reason>(reason: R): PubNubError.PubNubErrorOf<R> =>
    PubNubError.make({ operation: endpoint.operation, reason, request: facts(endpoint) })

/** Input that was refused before a request was made. */
export const refused = (details: ReadonlyArray<PubNubError.Detail>): PubNubError.BadRequest =>
  new PubNubError.BadRequest({ description: "The input is not valid", details })

/** An endpoint of one keyset whose address is made of a caller's input. */
export interface Question<A> {
  /** What is wrong with the input. */
  readonly issues: ReadonlyArray<PubNubError.Detail>
  /** Only asked for when nothing is: what is not well-formed cannot be encoded. */
  readonly endpoint: () => Endpoint<A>
  /** Which input made the address too long. */
  readonly tooLong: (problem: string) => PubNubError.Detail
}

/** Runs an endpoint, unless there is no key or something is wrong with the input: nothing is sent then. */
export const ask = <A, E>(
  config: PubNubConfig["Service"],
  { endpoint, issues, tooLong }: Question<A>,
  refuse: (reason: PubNubError.Reason) => E,
  fail: (reason: PubNubError.Reason) => E = refuse
): Effect.Effect<A, E, HttpClient.HttpClient> => {
  if (config.subscribeKey === "") {
    return Effect.fail(refuse(new PubNubError.InvalidKey({ key: "subscribe", description: "it is not set" })))
  }
  if (issues.length > 0) return Effect.fail(refuse(refused(issues)))
  const asked = endpoint()
  const size = addressSize(config, asked)
  return size > config.maxUrlSize
    ? Effect.fail(
      refuse(refused([tooLong(`makes an address of ${size} bytes, and maxUrlSize is ${config.maxUrlSize}`)]))
    )
    : call(config, asked, fail)
}

const request = (
  config: PubNubConfig["Service"],
  endpoint: Endpoint<unknown>
): Effect.Effect<
  HttpClientRequest.HttpClientRequest,
  PubNubError.BadRequest | PubNubError.InvalidKey | PubNubError.Transport
> => {
  if (config.issues.length > 0) {
    return Effect.fail(
      new PubNubError.BadRequest({ description: "The configuration is not valid", details: config.issues })
    )
  }
  if (endpoint.open === true) {
    return Effect.succeed(build(config, endpoint, Url.encodeQuery([...endpoint.query, ...common(config, undefined)])))
  }
  const { secretKey } = config
  return Effect.flatMap(Token.current(config), (token) => {
    const query = [...endpoint.query, ...common(config, token && Redacted.value(token))]
    return secretKey === undefined
      ? Effect.succeed(build(config, endpoint, Url.encodeQuery(query)))
      : Effect.map(signed(config, secretKey, endpoint, query), (query) => build(config, endpoint, query))
  })
}

const build = (config: PubNubConfig["Service"], endpoint: Endpoint<unknown>, query: string) => {
  const url = `${origin(config)}${endpoint.path}?${query}`
  switch (endpoint.method) {
    case "GET":
      return HttpClientRequest.get(url)
    case "DELETE":
      return HttpClientRequest.delete(url)
    case "POST":
      return HttpClientRequest.bodyText(HttpClientRequest.post(url), endpoint.body ?? "", "application/json")
    case "PATCH": {
      const request = HttpClientRequest.bodyText(HttpClientRequest.patch(url), endpoint.body ?? "", "application/json")
      return endpoint.ifMatch === undefined
        ? request
        : HttpClientRequest.setHeader(request, "if-match", endpoint.ifMatch)
    }
  }
}

/** How long the address of a request would be, a signature and a token that is not known yet allowed for. */
export const addressSize = (
  config: PubNubConfig["Service"],
  endpoint: Pick<Endpoint<unknown>, "path" | "query" | "open">
): number =>
  origin(config).length + endpoint.path.length +
  Url.encodeQuery([...endpoint.query, ...common(config, endpoint.open === true ? undefined : Token.sized(config))])
    .length +
  (config.secretKey === undefined ? 1 : 100)

/** Scheme, host and port. */
const origin = (config: PubNubConfig["Service"]): string => `${config.tls ? "https" : "http"}://${config.origin}`

const common = (config: PubNubConfig["Service"], token: string | undefined): Url.Query => [
  ["uuid", config.userId],
  ["pnsdk", `effect-herald${config.partnerId === undefined ? "" : `-${config.partnerId}`}/${version}`],
  ...token === undefined ? [] : [["auth", token] as const],
  ...config.requestIds ? [["requestid", globalThis.crypto.randomUUID()] as const] : [],
  ...config.instanceId === undefined ? [] : [["instanceid", config.instanceId] as const]
]

const utf8 = new TextEncoder()
const Hmac = Mac.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto))

const signed = (
  config: PubNubConfig["Service"],
  secretKey: Redacted.Redacted,
  endpoint: Endpoint<unknown>,
  query: Url.Query
): Effect.Effect<string, PubNubError.InvalidKey> =>
  Effect.gen(function*() {
    const { publishKey } = config
    if (publishKey === undefined || publishKey === "") {
      return yield* new PubNubError.InvalidKey({ key: "publish", description: "it is not set, and signatures need it" })
    }
    const now = yield* Clock.currentTimeMillis
    const stamped: Url.Query = [...query, ["timestamp", String(Math.floor(now / 1000))]]
    const signature = yield* signatureOf(secretKey, signedText(publishKey, endpoint, stamped))
    return `${Url.encodeQuery(stamped)}&signature=${signature}`
  })

/** The second version of the service's signature: HMAC-SHA256, URL-safe base64 without padding. */
export const signatureOf = (
  secretKey: Redacted.Redacted,
  text: string
): Effect.Effect<string, PubNubError.InvalidKey> =>
  Effect.gen(function*() {
    const mac = yield* Mac.Mac
    const key = yield* Mac.key(Mac.hmacSha256, utf8.encode(Redacted.value(secretKey)))
    const tag = yield* mac.sign(key, utf8.encode(text))
    return `v2.${Base64Url.encode(tag)}`
  }).pipe(
    Effect.catchTag("CryptoError", () =>
      Effect.fail(new PubNubError.InvalidKey({ key: "secret", description: "no signature can be made with it" }))),
    Effect.provide(Hmac)
  )

/** The text that a signature is computed over. */
export const signedText = (
  publishKey: string,
  endpoint: Pick<Endpoint<unknown>, "method" | "path" | "body" | "signedAsGet">,
  query: Url.Query
): string => {
  const method = endpoint.signedAsGet === true ? "GET" : endpoint.method
  return [
    method,
    publishKey,
    endpoint.path,
    Url.canonicalQuery(query),
    method === "POST" || method === "PATCH" ? endpoint.body ?? "" : ""
  ].join("\n")
}
