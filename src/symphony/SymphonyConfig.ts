/**
 * The configuration of Symphony: the addresses of the services, the bot and its key, retries and timeouts.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import type * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Failure from "../internal/failure.ts"
import * as Input from "../internal/input.ts"
import * as Secret from "../internal/secret.ts"
import * as Text from "../internal/text.ts"
import * as Guarded from "../internal/guarded.ts"
import * as Retry from "../Retry.ts"
import * as ConfigFile from "./internal/config/configFile.ts"
import * as Identities from "./internal/feed/identities.ts"
import { Detail, type SymphonyError } from "./SymphonyError.ts"

// --------------------------------------------------------------------------------------------------------------------
// options
// --------------------------------------------------------------------------------------------------------------------

/**
 * The address of one service. A missing field takes its value from the whole configuration.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceOptions {
  /** The scheme of the URL. Default: `https`. */
  readonly scheme?: "http" | "https" | undefined
  /** A host name or an IP address, without scheme, port and path. */
  readonly host?: string | undefined
  /** The port. Default: 443 for `https`, else the default of the scheme. */
  readonly port?: number | undefined
  /** A path before the path of the service. Default: none. */
  readonly context?: string | undefined
  /**
   * Headers of each request: text, or `Redacted` text for secrets. The headers of a service replace all headers of the whole
   * configuration. No error shows a value, except that of `x-trace-id`. Default: none.
   */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted } | undefined
}

/**
 * The bot: a service account and its private key. The pod must know the public key.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bot {
  /** The user name of the service account. */
  readonly username: string
  /** The RSA key in PEM: PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`). */
  readonly privateKey: Redacted.Redacted
}

/**
 * An extension application, which can act on behalf of users.
 *
 * @category models
 * @since 0.1.0
 */
export interface App {
  /** The id of the extension application. */
  readonly appId: string
  /** The RSA key in PEM, as of a {@link Bot}. */
  readonly privateKey: Redacted.Redacted
}

/**
 * The options of {@link make} and {@link layer}. The whole configuration needs a host, or each service that is used does.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends ServiceOptions {
  /** The address of the pod, where it differs. */
  readonly pod?: ServiceOptions | undefined
  /** The address of the Agent, where it differs. */
  readonly agent?: ServiceOptions | undefined
  /** The address of the key manager, where it differs. */
  readonly keyManager?: ServiceOptions | undefined
  /** The bot that `Session.layer` logs in. Default: none. */
  readonly bot?: Bot | undefined
  /** The application that `Session.layerOnBehalfOf` logs in. Default: none. */
  readonly app?: App | undefined
  /**
   * When a request is tried again: settings of `Retry.backoff`, or a schedule. Default: 10 attempts, half a second to 5 minutes
   * apart, and up to 5 minutes where the service asks for a wait; settings replace these one by one.
   */
  readonly retry?: Retry.Policy<SymphonyError> | undefined
  /**
   * When a reader of the datafeed tries again: settings of `Retry.backoff`, or a schedule. Default: for ever, half a second to 30
   * seconds apart (`Retry.reconnect`).
   */
  readonly reconnect?: Retry.Policy<SymphonyError> | undefined
  /** How long a request may take, connection and body included. Default: 60 seconds. */
  readonly requestTimeout?: Duration.Input | undefined
  /**
   * The largest answer in bytes, after decompression. A larger answer fails with `Malformed` as soon as it passes the limit. An
   * answer that is read as a stream has no limit. Default: 48 MiB, room for the largest file of a message in base64.
   */
  readonly maxAnswerSize?: number | undefined
}

/**
 * The address of one service, complete.
 *
 * @category models
 * @since 0.1.0
 */
export interface Service {
  /** The URL without a slash at its end. Empty when there is no host. */
  readonly url: string
  /** The headers of each request, by their names in lower case. */
  readonly headers: { readonly [name: string]: string | Redacted.Redacted }
}

/**
 * The configuration. Every request reads it from its context.
 *
 * **Example** (A second pod for one part of a program)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { make, SymphonyConfig } from "effect-herald/symphony/SymphonyConfig"
 *
 * const onOtherPod = Effect.provideService(SymphonyConfig, make({ host: "other.symphony.com" }))
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class SymphonyConfig extends Context.Service<SymphonyConfig, {
  /** The address of the pod. */
  readonly pod: Service
  /** The address of the Agent. */
  readonly agent: Service
  /** The address of the key manager. */
  readonly keyManager: Service
  /** The bot that logs in. */
  readonly bot: Bot | undefined
  /** The application that acts on behalf of users. */
  readonly app: App | undefined
  /** When a request is retried. */
  readonly retry: Schedule.Schedule<unknown, SymphonyError>
  /** When a reader of the datafeed retries. */
  readonly reconnect: Schedule.Schedule<unknown, SymphonyError>
  /** How long a request may take. */
  readonly requestTimeout: Duration.Duration
  /** The largest answer in bytes. */
  readonly maxAnswerSize: number
  /**
   * What is wrong with the options. Making a configuration never fails. A request with a wrong one fails with `BadRequest` and
   * these details before anything is sent.
   */
  readonly issues: ReadonlyArray<Detail>
}>()("effect-herald/symphony/SymphonyConfig") {}

// --------------------------------------------------------------------------------------------------------------------
// constructors
// --------------------------------------------------------------------------------------------------------------------

/**
 * Makes a configuration. It never fails: see `issues` of {@link SymphonyConfig}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): SymphonyConfig["Service"] =>
  Result.getOrElse(
    Guarded.attempt(() => {
      const issues = issuesOf(options)
      return { ...of(issues.length === 0 ? options : {}), issues }
    }, "options"),
    (issues) => ({ ...of({}), issues })
  )

const of = (options: Options): Omit<SymphonyConfig["Service"], "issues"> => ({
  pod: serviceOf(options, options.pod),
  agent: serviceOf(options, options.agent),
  keyManager: serviceOf(options, options.keyManager),
  bot: options.bot,
  app: options.app,
  retry: Retry.toSchedule(options.retry ?? {}, retryDefaults),
  reconnect: Retry.toSchedule(options.reconnect ?? Retry.reconnect),
  requestTimeout: Duration.fromInputUnsafe(options.requestTimeout ?? "60 seconds"),
  maxAnswerSize: options.maxAnswerSize ?? 48 * 1024 * 1024
})

/**
 * Gives the configuration of {@link make} as a layer.
 *
 * **Example** (A bot with a key from a secret store)
 *
 * ```ts
 * import * as Redacted from "effect/Redacted"
 * import * as SymphonyConfig from "effect-herald/symphony/SymphonyConfig"
 *
 * const layer = (privateKey: Redacted.Redacted) =>
 *   SymphonyConfig.layer({ host: "acme.symphony.com", bot: { username: "orders-bot", privateKey } })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SymphonyConfig> => Layer.succeed(SymphonyConfig, make(options))

// --- from the environment

const text = (name: string) => Config.withDefault(Config.String(name), undefined)

const place = (prefix: string) => ({
  scheme: Config.withDefault(Config.Literals(["http", "https"], `${prefix}_SCHEME`), undefined),
  host: text(`${prefix}_HOST`),
  port: Config.withDefault(Config.Port(`${prefix}_PORT`), undefined),
  context: text(`${prefix}_CONTEXT`)
})

// Both are missing, or both are set: one without the other is a mistake.
const identity = (nameVariable: string, keyVariable: string) =>
  Config.all({ name: text(nameVariable), key: Config.withDefault(Config.Redacted(keyVariable), undefined) }).pipe(
    Config.flatMap(({ key, name }) =>
      key === undefined && name === undefined
        ? Config.succeed(undefined)
        : Config.all({ name: Config.String(nameVariable), privateKey: Config.Redacted(keyVariable) })
    )
  )

// A function: as a constant it would keep Config in bundles that do not use it.
const environment = () => ({
  ...place("SYMPHONY"),
  host: Config.String("SYMPHONY_HOST"),
  agent: Config.all(place("SYMPHONY_AGENT")),
  keyManager: Config.all(place("SYMPHONY_KEY_MANAGER")),
  bot: Config.map(
    identity("SYMPHONY_BOT_USERNAME", "SYMPHONY_BOT_PRIVATE_KEY"),
    (bot) => bot === undefined ? undefined : { username: bot.name, privateKey: bot.privateKey }
  ),
  app: Config.map(
    identity("SYMPHONY_APP_ID", "SYMPHONY_APP_PRIVATE_KEY"),
    (app) => app === undefined ? undefined : { appId: app.name, privateKey: app.privateKey }
  )
})

/**
 * Reads the configuration from `Config`, by default the environment. Fails with `ConfigError` when a value is missing or wrong.
 *
 * **Details**
 *
 * `SYMPHONY_HOST` is required. Optional are `SYMPHONY_SCHEME`, `SYMPHONY_PORT` and `SYMPHONY_CONTEXT`, and the same four names with
 * `SYMPHONY_AGENT_` and `SYMPHONY_KEY_MANAGER_` for services at other addresses. The bot is `SYMPHONY_BOT_USERNAME` with
 * `SYMPHONY_BOT_PRIVATE_KEY`, the application `SYMPHONY_APP_ID` with `SYMPHONY_APP_PRIVATE_KEY`. A key is PEM; on one line, its line
 * breaks are `\n`. A `Config` in the options replaces that of its option.
 *
 * **Example** (A host that the program knows, the bot from the environment)
 *
 * ```ts
 * import * as Config from "effect/Config"
 * import * as SymphonyConfig from "effect-herald/symphony/SymphonyConfig"
 *
 * const Live = SymphonyConfig.layerConfig({ host: Config.succeed("acme.symphony.com") })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: { readonly [K in keyof Options]?: Config.Config<Options[K]> } = {}
): Layer.Layer<SymphonyConfig, Config.ConfigError> =>
  Layer.effect(SymphonyConfig, Config.map(Config.all({ ...environment(), ...options }), make))

// --- from a file

/**
 * A configuration file that cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export class SymphonyConfigError extends Failure.TaggedError<SymphonyConfigError>("symphony")("SymphonyConfigError", {
  /** The path of the file. */
  file: Schema.String,
  /** What is wrong, each with its key. */
  details: Schema.Array(Detail)
}, {
  message: ({ details, file }) =>
    `${Text.complaint(`The configuration file ${file} is not valid`, details)} Correct these settings.`
}) {}

/**
 * Reads the configuration from a JSON or YAML file of the vendor's kits: `host`, `bot.username`, `bot.privateKey.path`, and so
 * on. Fails with {@link SymphonyConfigError}, which names each wrong key, or with `PlatformError` when the file cannot be read.
 *
 * **Details**
 *
 * - The environment (the `ConfigProvider` of the context) fills `${NAME}` and `${NAME:-default}` in every value. `$${` is a literal
 *   `${`.
 * - The path of a private key is relative to the folder of the file.
 * - `readTimeout` sets `requestTimeout`, and `defaultHeaders` sets `headers`.
 * - Names are text as written, even if they look like numbers (`1e3`, `1.10`).
 * - One warning names all keys without effect: unknown keys, settings of the kits that mean nothing here (`datafeed.version`,
 *   `connectionTimeout`), and `proxy` and `ssl`, which belong to the transport.
 *
 * Wrong are: values of a wrong type, settings that are all one level too deep or too high, a private key with both `path` and
 * `content`, a certificate without a key (logins with certificates are not supported), a variable that is not set, and a key file
 * that cannot be read.
 *
 * **Example** (The file of a bot)
 *
 * ```ts
 * import * as NodeServices from "@effect/platform-node/NodeServices"
 * import * as Layer from "effect/Layer"
 * import * as SymphonyConfig from "effect-herald/symphony/SymphonyConfig"
 *
 * const Live = SymphonyConfig.layerFile("config.yaml").pipe(Layer.provide(NodeServices.layer))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFile = (
  file: string
): Layer.Layer<
  SymphonyConfig,
  SymphonyConfigError | PlatformError.PlatformError,
  FileSystem.FileSystem | Path.Path
> =>
  Layer.effect(
    SymphonyConfig,
    Effect.gen(function*() {
      const { left, options, unused } = yield* Effect.mapError(
        ConfigFile.read(file),
        (error) => "_tag" in error ? error : new SymphonyConfigError({ file, details: error })
      )
      const config = make(options)
      if (config.issues.length > 0) {
        return yield* new SymphonyConfigError({ file, details: config.issues.map(inFile) })
      }
      const told = [
        ...left.length > 0 ? [`${left.join(", ")} is for the transport to heed, and not heeded here`] : [],
        ...unused.length > 0 ? [`${unused.join(", ")} is not known, or has no effect here`] : []
      ]
      if (told.length > 0) yield* Effect.logWarning(`${file}: ${told.join("; ")}`)
      return config
    })
  )

/** Some settings have other names in files. */
const inFile = ({ location = "", message }: Detail): Detail => ({
  location: location.replace("requestTimeout", "readTimeout").replace("headers", "defaultHeaders")
    .replace("reconnect", "datafeed.retry").replace(/\bbase$/, "initialIntervalMillis").replace(
      /\bfactor$/,
      "multiplier"
    )
    .replace(/\bcap$/, "maxIntervalMillis"),
  message
})

// --------------------------------------------------------------------------------------------------------------------
// defaults
// --------------------------------------------------------------------------------------------------------------------

const serviceOf = (all: ServiceOptions, own: ServiceOptions = {}): Service => {
  const scheme = own.scheme ?? all.scheme ?? "https"
  const host = own.host ?? all.host ?? ""
  const port = own.port ?? all.port ?? (scheme === "https" ? 443 : undefined)
  // The kit's own examples write it with and without slashes.
  const context = withoutSlashes(own.context ?? all.context ?? "")
  return {
    url: host === ""
      ? ""
      : `${scheme}://${host}${port === undefined ? "" : `:${port}`}${context === "" ? "" : `/${context}`}`,
    headers: Object.fromEntries(
      Object.entries(own.headers ?? all.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])
    )
  }
}

/** A path without slashes at its ends. A pattern would begin anew at each slash. */
const withoutSlashes = (path: string): string => {
  let [start, end] = [0, path.length]
  while (path[start] === "/") start++
  while (end > start && path[end - 1] === "/") end--
  return path.slice(start, end)
}

const retryDefaults = { cap: "5 minutes", maxAttempts: 10, maxRetryAfter: "5 minutes" } as const

const host = Input.matching(
  /^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])$/,
  "is not a host name: scheme, port and context are settings of their own"
)
const port: Input.Check = (value) => Input.whole(1, 65_535)(value) === undefined ? undefined : "is not a port"
const context: Input.Check = (value) =>
  typeof value === "string" && /^[A-Za-z0-9._~/-]*$/.test(value) && !value.split("/").some(isDots)
    ? undefined
    : "is not a path"
const isDots = (segment: string) => segment === "." || segment === ".."

const headerName = Input.all(
  Input.matching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "is not a valid header"),
  (name) => /^(session|keymanager)token$/i.test(String(name)) ? "is for the session to set" : undefined
)
// Servers take some 8 KB of headers in all.
const headerText = Input.all(
  Input.matching(/^[\t\x20-\x7e\x80-\xff]*$/, "is not a valid header"),
  Input.characters(4_096)
)
const headerValue: Input.Check = (value) => headerText(Redacted.isRedacted(value) ? Secret.textOf(value) : value)
const answerSize: Input.Check = (value) => Input.whole(1)(value) === undefined ? undefined : "is not a positive integer"

const issuesOf = (options: Options): ReadonlyArray<Detail> => {
  const misfit = Input.record(options)
  if (misfit !== undefined) return [{ location: "options", message: misfit }]
  const { agent, app, bot, keyManager, pod, reconnect, requestTimeout = 1, retry } = options
  return [
    ...placeIssues("", options),
    ...placeIssues("pod.", pod),
    ...placeIssues("agent.", agent),
    ...placeIssues("keyManager.", keyManager),
    ...bot === undefined ? [] : Identities.issuesOf("bot", "username", bot),
    ...app === undefined ? [] : Identities.issuesOf("app", "appId", app),
    ...Input.issues({
      requestTimeout: Input.duration(requestTimeout),
      maxAnswerSize: Input.optional(answerSize)(options.maxAnswerSize)
    }),
    ...Input.retry("retry", retry, retryDefaults.maxAttempts),
    ...Input.retry("reconnect", reconnect)
  ]
}

const placeIssues = (at: string, place: ServiceOptions = {}): ReadonlyArray<Detail> => {
  const misfit = Input.record(place)
  if (misfit !== undefined) return Input.issues({ [at.slice(0, -1)]: misfit })
  const { headers = {} } = place
  const noHeaders = Input.record(headers)
  return [
    ...Input.issues({
      [`${at}scheme`]: Input.optional(Input.oneOf(["http", "https"]))(place.scheme),
      [`${at}host`]: Input.optional(host)(place.host),
      [`${at}port`]: Input.optional(port)(place.port),
      [`${at}context`]: Input.optional(context)(place.context),
      [`${at}headers`]: noHeaders
    }),
    ...noHeaders !== undefined
      ? []
      : Object.entries(headers).flatMap(([name, value]) =>
        Input.issues({ [`${at}headers.${name}`]: headerName(name) ?? headerValue(value) })
      )
  ]
}
