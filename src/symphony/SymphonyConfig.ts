/**
 * Where the services of a pod are, who the bot is, and how failures are tried again.
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
import * as Guarded from "../internal/guarded.ts"
import * as Retry from "../Retry.ts"
import * as ConfigFile from "./internal/config/configFile.ts"
import * as Identities from "./internal/feed/identities.ts"
import { Detail, type SymphonyError } from "./SymphonyError.ts"

// --------------------------------------------------------------------------------------------------------------------
// options
// --------------------------------------------------------------------------------------------------------------------

/**
 * Where one service is. Each field that is left out is that of the whole configuration.
 *
 * @category models
 * @since 0.1.0
 */
export interface ServiceOptions {
  /** Default: `https`. */
  readonly scheme?: "http" | "https" | undefined
  /** A name or an address, without scheme, port and path. */
  readonly host?: string | undefined
  /** Default: 443 with `https`, and the scheme's own otherwise. */
  readonly port?: number | undefined
  /** A path in front of the service's own. Default: none. */
  readonly context?: string | undefined
  /**
   * Sent with each request: text, or `Redacted` text for what admits to a gateway. Those of a service take the place of all those
   * of the configuration. No error shows any value but that of `x-trace-id`.
   */
  readonly headers?: { readonly [name: string]: string | Redacted.Redacted } | undefined
}

/**
 * The bot: a service account, and the private key whose public key the pod knows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bot {
  /** The user name of the service account. */
  readonly username: string
  /** PEM: PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`). */
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
  /** As the bot's. */
  readonly privateKey: Redacted.Redacted
}

/**
 * What {@link make} takes. A host is required, here or for each service that is used.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends ServiceOptions {
  /** The pod. A field that is not given here is as above. */
  readonly pod?: ServiceOptions | undefined
  /** The Agent. A field that is not given here is as above. */
  readonly agent?: ServiceOptions | undefined
  /** The key manager. A field that is not given here is as above. */
  readonly keyManager?: ServiceOptions | undefined
  /** Who logs in with `Session.layer`. Default: nobody. */
  readonly bot?: Bot | undefined
  /** Who acts with `Session.layerOnBehalfOf`. Default: nobody. */
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
   * The largest answer that is read, in bytes after decompression. A larger one fails with `Malformed` as soon as it is known to
   * be. What is read as a stream has no limit. Default: 48 MiB, room for the largest file of a message in base64.
   */
  readonly maxAnswerSize?: number | undefined
}

/**
 * Where one service is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Service {
  /** Without a slash at its end; empty when no host is known. */
  readonly url: string
  readonly headers: { readonly [name: string]: string | Redacted.Redacted }
}

/**
 * The configuration that every request reads from its context.
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
  readonly pod: Service
  readonly agent: Service
  readonly keyManager: Service
  readonly bot: Bot | undefined
  readonly app: App | undefined
  readonly retry: Schedule.Schedule<unknown, SymphonyError>
  readonly reconnect: Schedule.Schedule<unknown, SymphonyError>
  readonly requestTimeout: Duration.Duration
  readonly maxAnswerSize: number
  /**
   * What is wrong with the options. Making a configuration never fails; a request made with a wrong one fails with
   * `BadRequest` and these details before anything is sent.
   */
  readonly issues: ReadonlyArray<Detail>
}>()("effect-herald/symphony/SymphonyConfig") {}

// --------------------------------------------------------------------------------------------------------------------
// constructors
// --------------------------------------------------------------------------------------------------------------------

/**
 * The configuration of the given options, as a value. It never fails: see `issues` of {@link SymphonyConfig}.
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
 * {@link make} as a layer.
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

// None of them is nobody; one without the other is a mistake.
const identity = (nameVariable: string, keyVariable: string) =>
  Config.all({ name: text(nameVariable), key: Config.withDefault(Config.Redacted(keyVariable), undefined) }).pipe(
    Config.flatMap(({ key, name }) =>
      key === undefined && name === undefined
        ? Config.succeed(undefined)
        : Config.all({ name: Config.String(nameVariable), privateKey: Config.Redacted(keyVariable) })
    )
  )

const environment = {
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
}

/**
 * The configuration from `Config`, by default the environment: `SYMPHONY_HOST` (required), `SYMPHONY_SCHEME`,
 * `SYMPHONY_PORT`, `SYMPHONY_CONTEXT`, and the same four with `SYMPHONY_AGENT_` and `SYMPHONY_KEY_MANAGER_` where these are
 * elsewhere; `SYMPHONY_BOT_USERNAME` with `SYMPHONY_BOT_PRIVATE_KEY`, and `SYMPHONY_APP_ID` with `SYMPHONY_APP_PRIVATE_KEY`. A
 * key is PEM, on one line with its line breaks written as `\n` if need be. Each option may be given a `Config` of its own.
 * A missing or unreadable value is a `ConfigError` of the layer.
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
  Layer.effect(SymphonyConfig, Config.map(Config.all({ ...environment, ...options }), make))

// --- from a file

/**
 * A configuration file that cannot be used. `details` has each complaint with its key.
 *
 * @category errors
 * @since 0.1.0
 */
export class SymphonyConfigError extends Failure.TaggedError<SymphonyConfigError>("symphony")("SymphonyConfigError", {
  file: Schema.String,
  details: Schema.Array(Detail)
}, {
  message: ({ details, file }) =>
    `${file}: ${
      details.map(({ location, message }) => location === undefined ? message : `${location} ${message}`).join(
        "; "
      )
    }.`
}) {}

/**
 * The configuration of a file of the vendor's kits, JSON or YAML: `host`, `bot.username`, `bot.privateKey.path`, and so on.
 *
 * **Details**
 *
 * - In every value `${NAME}` and `${NAME:-default}` are replaced from the environment (the `ConfigProvider` of the context);
 *   `$${` is a literal `${`.
 * - The path of a private key is relative to the folder of the file.
 * - `readTimeout` is the `requestTimeout`, `defaultHeaders` are `headers`.
 * - Names are text as they are written, also where they look like numbers (`1e3`, `1.10`).
 * - One warning names everything that has no effect: keys that are not known, settings of the kits that mean nothing here
 *   (`datafeed.version`, `connectionTimeout`), and `proxy` and `ssl`, which are the transport's matter.
 *
 * What is wrong is a `SymphonyConfigError` that names each key: what this file cannot mean, settings that are all one level off, a private key with both `path` and
 * `content`, an identity with a certificate only (logins with certificates are not offered), a variable that is not set, a
 * key file that cannot be read. A `PlatformError` means that the file itself cannot be read.
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
  Input.matching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "is no header"),
  (name) => /^(session|keymanager)token$/i.test(String(name)) ? "is for the session to set" : undefined
)
// Servers take some 8 KB of headers in all.
const headerText = Input.all(
  Input.matching(/^[\t\x20-\x7e\x80-\xff]*$/, "is no header"),
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
