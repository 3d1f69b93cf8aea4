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
import type * as Result from "effect/Result"
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
import { Explainer } from "./explainer.ts"
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
   * token, or else a signature. `"signature"`: a signature, and never the token. Default: `"all"`.
   */
  readonly credential?: "all" | "one" | "signature" | "none" | undefined
  /** Secrets in the input, which no error may show. */
  readonly secrets?: ReadonlyArray<string> | undefined
  /** The service checks a publish as if it were a GET without a body, even when it is a POST. */
  readonly signedAsGet?: boolean | undefined
  /** Default: `requestTimeout` of the configuration. The reader watches a long poll instead. */
  readonly timeout?: Duration.Duration | "none" | undefined
  /** Called when a part of the answer has arrived. */
  readonly onPart?: (() => void) | undefined
  /** The most bytes of the answer, if fewer than `maxAnswerSize` of the configuration. */
  readonly maxSize?: number | undefined
  readonly attributes?: Record<string, unknown> | undefined
  /** Payloads of users keep their numbers; everywhere else long integers stay exact as text. */
  readonly parse?: ((text: string) => Result.Result<Schema.Json, string>) | undefined
  /**
   * Decodes the answer, or says what is wrong with it. Text of the service that goes into an error passes through `told`,
   * which removes secrets.
   */
  readonly decode: (json: Schema.Json, told: (text: string) => string) => Result.Result<A, string>
  /** Reads an answer that is no JSON, such as a redirect that is asked for. Undefined for every other answer. */
  readonly readOther?: ((answer: Operation.Answer) => Effect.Effect<A, PubNubError.Reason> | undefined) | undefined
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
  const unusable = refusalOf(config, endpoint)
  if (unusable !== undefined) return Effect.fail(unusable)
  const address = addressOf(config, endpoint)
  const tooLong = tooLongOf(config, endpoint, address)
  return tooLong === undefined ? sendTo(config, endpoint, address) : Effect.fail(tooLong)
}

/** Runs a request that {@link refusalOf} and {@link tooLongOf} do not refuse. A refusal of an old token is not the last word. */
export const sendTo = <A>(
  config: PubNubConfig["Service"],
  endpoint: Endpoint<A>,
  address: Address
): Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient> =>
  endpoint.credential === "none"
    ? exchange(config, endpoint, address)
    : Token.send(config, (config) => exchange(config, endpoint, address))

const exchange = <A>(
  config: PubNubConfig["Service"],
  endpoint: Endpoint<A>,
  address: Address
): Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient> => {
  const timeout = endpoint.timeout ?? config.requestTimeout
  const path = () => Template.show(endpoint.path)
  return Operation.run({
    name: endpoint.operation,
    address: path,
    attributes: () => ({
      "messaging.system": "pubnub",
      "messaging.operation.name": endpoint.operation,
      ...endpoint.attributes
    }),
    request: () => request(config, endpoint, address),
    timeout: timeout === "none" ? undefined : timeout,
    maxSize: Math.min(config.maxAnswerSize, endpoint.maxSize ?? Infinity),
    onPart: endpoint.onPart,
    secrets: () => [...Token.secrets(config), ...endpoint.secrets ?? []],
    unanswered: unanswered(timeout === "none" ? config.pollTimeout : timeout),
    answered: (answer): Effect.Effect<A, PubNubError.Reason> =>
      endpoint.readOther?.(answer) ?? Effect.catchEager(
        Answer.read(answer, { path, parse: endpoint.parse ?? Json.parseExact, decode: endpoint.decode }),
        (reason): Effect.Effect<never, PubNubError.Reason> =>
          reason._tag === "AccessDenied" ? explained(config, endpoint, address, reason) : Effect.fail(reason)
      )
  })
}

/** The refusal, with an explanation if there is one. */
const explained = (
  config: PubNubConfig["Service"],
  { method = "GET", operation }: Pick<Endpoint<unknown>, "operation" | "method">,
  address: Address,
  denied: PubNubError.AccessDenied
): Effect.Effect<never, PubNubError.AccessDenied> =>
  Effect.flatMap(Explainer, (explain) => {
    const [token] = Token.used(config)
    return explain === undefined || token === undefined ? Effect.fail(denied) : Effect.flatMap(
      explain({ ...denied, token, user: config.userId, request: { operation, method, ...address } }),
      (explanation) =>
        Effect.fail(explanation === undefined ? denied : new PubNubError.AccessDenied({ ...denied, explanation }))
    )
  })

/** Why there is no answer. */
export const unanswered = (timeout: Duration.Duration) => (failure: Operation.Unanswered): PubNubError.Reason =>
  failure._tag === "TimedOut"
    ? new PubNubError.Timeout({ after: timeout })
    : new PubNubError.Transport({
      description: failure.description,
      sent: failure._tag === "Lost",
      ...(failure.code === undefined ? {} : { code: failure.code })
    })

/** The whole address of a request, with the token and a signature, without sending it. */
export const urlOf = (
  config: PubNubConfig["Service"],
  endpoint: Endpoint<unknown>
): Effect.Effect<string, PubNubError.BadRequest | PubNubError.InvalidKey | PubNubError.TokenUnavailable> => {
  const unusable = refusalOf(config, endpoint)
  return unusable === undefined
    ? Effect.map(request(config, endpoint, addressOf(config, endpoint)), ({ url }) => url)
    : Effect.fail(unusable)
}

/** Why a request cannot be sent, whatever the length of its address. */
export const refusalOf = (
  config: PubNubConfig["Service"],
  endpoint: Pick<Endpoint<unknown>, "path" | "query" | "body" | "issues">
): PubNubError.BadRequest | PubNubError.InvalidKey | undefined => {
  if (config.issues.length > 0) {
    return new PubNubError.BadRequest({ description: "The configuration is not valid", details: config.issues })
  }
  const unset = Template.unsetOf(endpoint.path, config)
  if (unset !== undefined) return noKey(unset === "publishKey" ? "publish" : "subscribe")
  const given = endpoint.issues ?? []
  if (given.length > 0) return refused(given)
  const forgotten = unreadable(endpoint)
  return forgotten.length > 0 ? refused(forgotten) : undefined
}

/** For what an endpoint forgets to check. */
const unreadable = (
  { body, path, query = {} }: Pick<Endpoint<unknown>, "path" | "query" | "body">
): ReadonlyArray<PubNubError.Detail> => {
  const issues = [...Template.issuesOf(path)]
  const check = (location: string, value: string | undefined) => {
    const message = value === undefined ? undefined : Input.text(value)
    if (message !== undefined) issues.push({ location, message })
  }
  for (const name of Object.keys(query)) check(name, query[name])
  check("body", body)
  return issues
}

/** The refusal of a request whose address is longer than it may be. */
export const tooLongOf = (
  config: PubNubConfig["Service"],
  endpoint: Pick<Endpoint<unknown>, "longInput" | "longestAddress" | "credential">,
  address: Address
): PubNubError.BadRequest | undefined => {
  const { longInput = usualLongInput, longestAddress = config.maxUrlSize } = endpoint
  if (longestAddress === Infinity) return undefined
  const size = sizeOf(config, endpoint, address)
  if (size <= longestAddress) return undefined
  const { advice, location } = longInput
  return refused([{
    location,
    message: `makes a URL of ${size} bytes, and maxUrlSize is ${longestAddress}: ${advice}`
  }])
}

const usualLongInput = { location: "path", advice: "pass less" }

const noKey = (key: "publish" | "secret" | "subscribe", description = "it is not set") =>
  new PubNubError.InvalidKey({ key, description })

/** What all addresses of a configuration have in common. */
interface Common {
  readonly origin: string
  /** The first parameters behind those of the endpoint. */
  readonly first: string
  /** The last ones, with an ampersand before them. */
  readonly last: string
}

/** Encoded once for each configuration. */
const commons = new WeakMap<PubNubConfig["Service"], Common>()

const commonOf = (config: PubNubConfig["Service"]): Common => {
  const known = commons.get(config)
  if (known !== undefined) return known
  // No request is made with a wrong configuration, which may hold what cannot be encoded.
  if (config.issues.length > 0) return { origin: "", first: "", last: "" }
  const common = {
    origin: `${config.tls ? "https" : "http"}://${config.origin}`,
    first: Url.encodeQuery({
      uuid: config.userId,
      pnsdk: `effect-herald${config.partnerId === undefined ? "" : `-${config.partnerId}`}/${version}`
    }),
    last: config.instanceId === undefined ? "" : `&${Url.encodeQuery({ instanceid: config.instanceId })}`
  }
  commons.set(config, common)
  return common
}

/** The parts of an address that are its endpoint's own. All attempts share them. */
export interface Address {
  readonly path: string
  readonly query: string
}

export const addressOf = (
  config: PubNubConfig["Service"],
  { path, query }: Pick<Endpoint<unknown>, "path" | "query">
): Address => ({ path: Template.encode(path, config), query: Url.encodeQuery(query) })

/** The whole query without a signature. */
const queryOf = (config: PubNubConfig["Service"], { query }: Address, token?: string): string => {
  const { first, last } = commonOf(config)
  return (query === "" ? first : `${query}&${first}`) + (token === undefined ? "" : `&auth=${Url.encode(token)}`) +
    (config.requestIds ? `&requestid=${globalThis.crypto.randomUUID()}` : "") + last
}

/** The length of a request's address, with room for a signature and for a token that is not known yet. */
export const sizeOf = (
  config: PubNubConfig["Service"],
  { credential }: Pick<Endpoint<unknown>, "credential">,
  address: Address
): number =>
  commonOf(config).origin.length + address.path.length +
  queryOf(config, address, credential === "none" || credential === "signature" ? undefined : Token.sized(config))
    .length +
  (config.secretKey === undefined ? 1 : 100)

/** The same for an address that is not encoded yet. */
export const addressSize = (
  config: PubNubConfig["Service"],
  endpoint: Pick<Endpoint<unknown>, "path" | "query" | "credential">
): number => sizeOf(config, endpoint, addressOf(config, endpoint))

const request = (
  config: PubNubConfig["Service"],
  endpoint: Endpoint<unknown>,
  address: Address
): Effect.Effect<
  HttpClientRequest.HttpClientRequest,
  PubNubError.InvalidKey | PubNubError.TokenUnavailable | PubNubError.BadRequest
> => {
  const { credential = "all" } = endpoint
  const { secretKey } = config
  const build = (query: string) => requestOf(endpoint, `${commonOf(config).origin}${address.path}?${query}`)
  if (credential === "none") return Effect.succeed(build(queryOf(config, address)))
  const sign = (secretKey: Redacted.Redacted, query: string) =>
    Effect.map(signed(config, secretKey, { ...endpoint, path: address.path }, query), build)
  if (credential === "signature") {
    return secretKey === undefined ? Effect.fail(noKey("secret")) : sign(secretKey, queryOf(config, address))
  }
  return Effect.flatMapEager(Token.current(config), (redacted) => {
    const token = Secret.textOf(redacted)
    const query = queryOf(config, address, token)
    return secretKey === undefined || credential === "one" && token !== undefined
      ? Effect.succeed(build(query))
      : sign(secretKey, query)
  })
}

const requestOf = (
  { body, ifMatch, mediaType = "application/json", method = "GET" }: Endpoint<unknown>,
  url: string
): HttpClientRequest.HttpClientRequest => {
  const bare = HttpClientRequest.make(method)(url)
  const filled = method === "GET" || method === "DELETE"
    ? bare
    : HttpClientRequest.bodyText(bare, body ?? "", mediaType)
  return ifMatch === undefined ? filled : HttpClientRequest.setHeader(filled, "if-match", ifMatch)
}

const utf8 = new TextEncoder()

const signed = Effect.fnUntraced(
  function*(
    config: PubNubConfig["Service"],
    secretKey: Redacted.Redacted,
    request: Signable,
    query: string
  ): Effect.fn.Return<string, PubNubError.InvalidKey> {
    const { publishKey } = config
    if (publishKey === undefined || publishKey === "") {
      return yield* noKey("publish", "it is not set, and signatures need it")
    }
    const now = yield* Clock.currentTimeMillis
    const stamped = `${query}&timestamp=${Math.floor(now / 1000)}`
    const signature = yield* signatureOf(secretKey, signedText(publishKey, request, stamped))
    return `${stamped}&signature=${signature}`
  }
)

/** Imported once for each secret. The key of the map is not its text, and the keys cannot be exported. */
const signingKeys = new WeakMap<Redacted.Redacted, Promise<CryptoKey>>()

/** The key to sign with. A secret that was wiped has none any more. */
const signingKeyOf = (secretKey: Redacted.Redacted): Promise<CryptoKey> => {
  const text = Secret.textOf(secretKey)
  if (text === undefined) return Promise.reject(new Error("the secret was wiped"))
  const known = signingKeys.get(secretKey)
  if (known !== undefined) return known
  const key = globalThis.crypto.subtle.importKey("raw", utf8.encode(text), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign"
  ])
  signingKeys.set(secretKey, key)
  return key
}

/** The second version of the service's signature: HMAC-SHA256, URL-safe base64 without padding. */
export const signatureOf = (
  secretKey: Redacted.Redacted,
  text: string
): Effect.Effect<string, PubNubError.InvalidKey> =>
  Effect.tryPromise({
    try: async () => {
      // Not with effect/crypto: its services would be in every bundle, of clients that never sign, too.
      const { subtle } = globalThis.crypto
      const key = await signingKeyOf(secretKey)
      return `v2.${Base64Url.encode(new Uint8Array(await subtle.sign("HMAC", key, utf8.encode(text))))}`
    },
    catch: () => new PubNubError.InvalidKey({ key: "secret", description: "no signature can be made with it" })
  })

/** The parts of a request that are signed beside its query. */
interface Signable extends Pick<Endpoint<unknown>, "method" | "body" | "signedAsGet"> {
  /** As it is sent. */
  readonly path: string
}

/** The text that a signature is computed over. */
export const signedText = (
  publishKey: string,
  { body = "", method = "GET", path, signedAsGet = false }: Signable,
  query: string
): string => {
  const hasBody = !signedAsGet && method !== "GET" && method !== "DELETE"
  return [signedAsGet ? "GET" : method, publishKey, path, Url.canonicalQuery(query), hasBody ? body : ""].join("\n")
}
