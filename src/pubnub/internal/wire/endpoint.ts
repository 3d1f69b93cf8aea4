/**
 * A request as one record, and the runner of all requests: it reads and checks the input, adds the common parameters, the
 * token and the signature, sends, decodes the answer, and makes the error.
 */
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import type * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Guarded from "../../../internal/guarded.ts"
import * as Input from "../../../internal/input.ts"
import * as Json from "../../../internal/json.ts"
import * as Operation from "../../../internal/operation.ts"
import * as Template from "../../../internal/path.ts"
import * as Secret from "../../../internal/secret.ts"
import * as Url from "../../../internal/url.ts"
import { version } from "../../../internal/version.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import * as PubNubError from "../../PubNubError.ts"
import * as Answer from "./answer.ts"
import type { Path } from "./path.ts"
import * as Token from "./token.ts"

export interface Endpoint<A> {
  /** The function that the user called, `Publish.publish`; also the name of the span. */
  readonly operation: string
  /** Default: `"GET"`. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | undefined
  readonly path: Path
  readonly query?: Url.Parameters | undefined
  readonly body?: string | undefined
  /** The media type of the body. Default: `"application/json"`. */
  readonly mediaType?: string | undefined
  /** Changes the object only while it has this entity tag. */
  readonly ifMatch?: string | undefined
  /** What is wrong with the input. Nothing is sent if there is anything. */
  readonly issues?: ReadonlyArray<PubNubError.Detail> | undefined
  /** The input that can make the address too long, and how to shorten it. */
  readonly longInput?: { readonly location: string; readonly advice: string } | undefined
  /** The longest address in bytes. Default: `maxUrlSize` of the configuration. */
  readonly longestAddress?: number | undefined
  /**
   * What authenticates the request. `"all"`: the token and a signature, as far as the configuration has them. `"one"`: the
   * token, or else a signature. Default: `"all"`.
   */
  readonly credential?: "all" | "one" | "none" | undefined
  /** The service checks a publish as if it were a GET without a body, even when it is a POST. */
  readonly signedAsGet?: boolean | undefined
  /** Default: `requestTimeout` of the configuration. The reader watches a long poll instead. */
  readonly timeout?: Duration.Duration | "none" | undefined
  readonly attributes?: Record<string, unknown> | undefined
  /** Payloads of users keep their numbers; everywhere else long integers stay exact as text. */
  readonly parse?: ((text: string) => Result.Result<Schema.Json, string>) | undefined
  /**
   * Decodes the answer, or says what is wrong with it. Text of the service that goes into an error passes through `told`,
   * which removes secrets.
   */
  readonly decode: (json: Schema.Json, told: (text: string) => string) => Result.Result<A, string>
}

/** What a user may see of a request. */
export const facts = (
  { method = "GET", path }: Pick<Endpoint<never>, "method" | "path">
): PubNubError.RequestFacts => ({
  method,
  path: Template.show(path)
})

/** Makes the `PubNubError` of a reason. Its type has only the reasons that the operation can have. */
export const errorOf = (endpoint: Pick<Endpoint<never>, "operation" | "method" | "path">) => {
  const request = facts(endpoint)
  return <R extends PubNubError.Reason>(reason: R): PubNubError.PubNubErrorOf<R> =>
    PubNubError.make({ operation: endpoint.operation, reason, request })
}

/** Input that was refused before a request was made. */
export const refused = (details: ReadonlyArray<PubNubError.Detail>): PubNubError.BadRequest =>
  new PubNubError.BadRequest({ description: "The input is not valid", details })

/** The error of input that was refused before the request is known. */
export const refusal = (
  operation: string,
  details: ReadonlyArray<PubNubError.Detail>
): PubNubError.PubNubErrorOf<PubNubError.BadRequest> =>
  PubNubError.make({ operation, reason: refused(details), request: { method: "{…}", path: "{…}" } })

export const reading = Guarded.effect(refusal)

export const readingStream = Guarded.stream(refusal)

/** Runs the request that `describe` makes of the caller's input. */
export const run = <A>(
  operation: string,
  describe: (config: PubNubConfig["Service"]) => Omit<Endpoint<A>, "operation">
): Effect.Effect<A, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Effect.flatMap(PubNubConfig, (config) =>
    reading(operation, () => {
      const endpoint = { ...describe(config), operation }
      const error = errorOf(endpoint)
      return Effect.mapError(send(config, endpoint), (reason) => error(reason))
    }))

/** Runs a request. It can fail with every reason; each operation narrows them. */
export const send = <A>(
  config: PubNubConfig["Service"],
  endpoint: Endpoint<A>
): Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient> => {
  const wrong = refusalOf(config, endpoint)
  if (wrong !== undefined) return Effect.fail(wrong)
  const timeout = endpoint.timeout ?? config.requestTimeout
  const path = Template.show(endpoint.path)
  return Operation.run({
    name: endpoint.operation,
    address: path,
    attributes: {
      "messaging.system": "pubnub",
      "messaging.operation.name": endpoint.operation,
      ...endpoint.attributes
    },
    request: request(config, endpoint),
    timeout: timeout === "none" ? undefined : timeout,
    maxSize: config.maxAnswerSize,
    secrets: () => Token.secrets(config),
    unanswered: (failure): PubNubError.Reason =>
      failure._tag === "TimedOut"
        ? new PubNubError.Timeout({ after: timeout === "none" ? config.pollTimeout : timeout })
        : new PubNubError.Transport({
          description: failure.description,
          sent: failure._tag === "Lost",
          ...(failure.code === undefined ? {} : { code: failure.code })
        }),
    answered: (answer) =>
      Effect.flatMap(
        Answer.read(answer, { path, parse: endpoint.parse ?? Json.parseExact }),
        (json) => {
          const decoded = endpoint.decode(json, answer.told)
          return Result.isSuccess(decoded)
            ? Effect.succeed(decoded.success)
            : Effect.fail(Answer.malformed(answer, decoded.failure))
        }
      )
  })
}

/** Why a request cannot be sent. */
export const refusalOf = (
  config: PubNubConfig["Service"],
  endpoint: Pick<
    Endpoint<unknown>,
    "path" | "query" | "body" | "issues" | "longInput" | "longestAddress" | "credential"
  >
): PubNubError.BadRequest | PubNubError.InvalidKey | undefined => {
  const { body = "", longInput = usualLongInput, longestAddress = config.maxUrlSize, path, query } = endpoint
  if (config.issues.length > 0) {
    return new PubNubError.BadRequest({ description: "The configuration is not valid", details: config.issues })
  }
  const unset = Template.settingsOf(path).find((key) => config[key] === undefined || config[key] === "")
  if (unset !== undefined) return noKey(unset === "publishKey" ? "publish" : "subscribe")
  const given = endpoint.issues ?? []
  if (given.length > 0) return refused(given)
  // For what an endpoint forgets to check.
  const issues = [
    ...Template.issuesOf(path),
    ...[...Url.queryOf(query), ["body", body] as const].flatMap(([name, value]) =>
      Input.issues({ [name]: Input.text(value) })
    )
  ]
  if (issues.length > 0) return refused(issues)
  if (longestAddress === Infinity) return undefined
  const size = addressSize(config, endpoint)
  if (size <= longestAddress) return undefined
  const { advice, location } = longInput
  return refused([{
    location,
    message: `makes a URL of ${size} bytes, and maxUrlSize is ${longestAddress}: ${advice}`
  }])
}

const usualLongInput = { location: "path", advice: "pass less" }

const noKey = (key: "publish" | "subscribe", description = "it is not set") =>
  new PubNubError.InvalidKey({ key, description })

const request = (
  config: PubNubConfig["Service"],
  endpoint: Endpoint<unknown>
): Effect.Effect<
  HttpClientRequest.HttpClientRequest,
  PubNubError.InvalidKey | PubNubError.Transport | PubNubError.BadRequest
> => {
  const { credential = "all" } = endpoint
  const unsigned = (token?: string) => Url.encodeQuery([...Url.queryOf(endpoint.query), ...common(config, token)])
  if (credential === "none") return Effect.succeed(build(config, endpoint, unsigned()))
  return Effect.flatMap(Token.current(config), (redacted) => {
    const token = Secret.textOf(redacted)
    const { secretKey } = config
    return secretKey === undefined || credential === "one" && token !== undefined
      ? Effect.succeed(build(config, endpoint, unsigned(token)))
      : Effect.map(
        signed(config, secretKey, endpoint, [...Url.queryOf(endpoint.query), ...common(config, token)]),
        (query) => build(config, endpoint, query)
      )
  })
}

const build = (
  config: PubNubConfig["Service"],
  endpoint: Endpoint<unknown>,
  query: string
): HttpClientRequest.HttpClientRequest => {
  const { body, ifMatch, mediaType = "application/json", method = "GET", path } = endpoint
  const bare = HttpClientRequest.make(method)(`${origin(config)}${Template.encode(path, config)}?${query}`)
  const filled = method === "GET" || method === "DELETE"
    ? bare
    : HttpClientRequest.bodyText(bare, body ?? "", mediaType)
  return ifMatch === undefined ? filled : HttpClientRequest.setHeader(filled, "if-match", ifMatch)
}

/** The length of the address of a request, with room for a signature and for a token that is not known yet. */
export const addressSize = (
  config: PubNubConfig["Service"],
  endpoint: Pick<Endpoint<unknown>, "path" | "query" | "credential">
): number =>
  origin(config).length + Template.encode(endpoint.path, config).length +
  Url.encodeQuery([
    ...Url.queryOf(endpoint.query),
    ...common(config, endpoint.credential === "none" ? undefined : Token.sized(config))
  ]).length +
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

const signed = (
  config: PubNubConfig["Service"],
  secretKey: Redacted.Redacted,
  endpoint: Endpoint<unknown>,
  query: Url.Query
): Effect.Effect<string, PubNubError.InvalidKey> =>
  Effect.gen(function*() {
    const { publishKey } = config
    if (publishKey === undefined || publishKey === "") {
      return yield* noKey("publish", "it is not set, and signatures need it")
    }
    const now = yield* Clock.currentTimeMillis
    const stamped: Url.Query = [...query, ["timestamp", String(Math.floor(now / 1000))]]
    const signature = yield* signatureOf(
      secretKey,
      signedText(publishKey, { ...endpoint, path: Template.encode(endpoint.path, config) }, stamped)
    )
    return `${Url.encodeQuery(stamped)}&signature=${signature}`
  })

/** The second version of the service's signature: HMAC-SHA256, URL-safe base64 without padding. */
export const signatureOf = (
  secretKey: Redacted.Redacted,
  text: string
): Effect.Effect<string, PubNubError.InvalidKey> =>
  Effect.tryPromise({
    try: async () => {
      // Not with effect/crypto: its services would be in every bundle, of clients that never sign, too.
      const { subtle } = globalThis.crypto
      const raw = utf8.encode(Secret.textOf(secretKey))
      const key = await subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"])
      return `v2.${Base64Url.encode(new Uint8Array(await subtle.sign("HMAC", key, utf8.encode(text))))}`
    },
    catch: () => new PubNubError.InvalidKey({ key: "secret", description: "no signature can be made with it" })
  })

/** The text that a signature is computed over. */
export const signedText = (
  publishKey: string,
  { body = "", method = "GET", path, signedAsGet = false }:
    & Pick<Endpoint<unknown>, "method" | "body" | "signedAsGet">
    & { readonly path: string },
  query: Url.Query
): string => {
  const hasBody = !signedAsGet && method !== "GET" && method !== "DELETE"
  return [signedAsGet ? "GET" : method, publishKey, path, Url.canonicalQuery(query), hasBody ? body : ""].join("\n")
}
