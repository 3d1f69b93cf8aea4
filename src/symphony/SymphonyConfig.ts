/**
 * Where the services of a pod are, who the bot is, and how failures are tried again.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Retry from "../Retry.ts"
import type { Detail } from "./SymphonyError.ts"

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
  readonly host?: string | undefined
  /** Default: 443 with `https`, and the scheme's own otherwise. */
  readonly port?: number | undefined
  /** A path in front of the service's own. Default: none. */
  readonly context?: string | undefined
  /** Sent with each request. Those of a service take the place of all those of the configuration. */
  readonly headers?: { readonly [name: string]: string } | undefined
}

/**
 * The bot: a service account, and the private key whose public key the pod knows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bot {
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
  readonly appId: string
  /** As the bot's. */
  readonly privateKey: Redacted.Redacted
}

/**
 * How often and how far apart a request is tried again.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryOptions {
  /** All attempts, the first one too; a negative number is for ever. Default: 10. */
  readonly maxAttempts?: number | undefined
  /** The wait before the second attempt. Default: 500 milliseconds. */
  readonly initialInterval?: Duration.Input | undefined
  /** By what each wait is longer than the one before. Default: 2. */
  readonly multiplier?: number | undefined
  /** The longest wait. Default: 5 minutes. */
  readonly maxInterval?: Duration.Input | undefined
}

/**
 * What {@link make} takes. A host is required, here or for each service that is used.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends ServiceOptions {
  readonly pod?: ServiceOptions | undefined
  readonly agent?: ServiceOptions | undefined
  readonly keyManager?: ServiceOptions | undefined
  readonly sessionAuth?: ServiceOptions | undefined
  readonly bot?: Bot | undefined
  readonly app?: App | undefined
  /** A schedule, or the settings of the usual one. A server's `Retry-After` is a lower bound of each wait. */
  readonly retry?: RetryOptions | Schedule.Schedule<unknown, Retry.Failure> | undefined
  /** How a reader of the datafeed comes back. Default: as `retry`, for ever. */
  readonly datafeedRetry?: RetryOptions | Schedule.Schedule<unknown, Retry.Failure> | undefined
  /** How long a request may take, connection and body included. Default: 60 seconds. */
  readonly requestTimeout?: Duration.Input | undefined
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
  readonly headers: { readonly [name: string]: string }
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
  readonly sessionAuth: Service
  readonly bot: Bot | undefined
  readonly app: App | undefined
  readonly retry: Schedule.Schedule<unknown, Retry.Failure>
  readonly datafeedRetry: Schedule.Schedule<unknown, Retry.Failure>
  readonly requestTimeout: Duration.Duration
  /**
   * What is wrong with the options. Making a configuration never fails; a request made with a wrong one fails with
   * `InvalidRequest` and these details before anything is sent.
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
export const make = (options: Options): SymphonyConfig["Service"] => ({
  pod: serviceOf(options, options.pod),
  agent: serviceOf(options, options.agent),
  keyManager: serviceOf(options, options.keyManager),
  sessionAuth: serviceOf(options, options.sessionAuth),
  bot: options.bot,
  app: options.app,
  retry: scheduleOf(options.retry, 10),
  datafeedRetry: scheduleOf(options.datafeedRetry, -1),
  requestTimeout: duration(options.requestTimeout ?? "60 seconds"),
  issues: issuesOf(options)
})

/**
 * {@link make} as a layer.
 *
 * **Example** (A bot with a key from a secret store)
 *
 * ```ts
 * import type * as Redacted from "effect/Redacted"
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

// --------------------------------------------------------------------------------------------------------------------
// defaults
// --------------------------------------------------------------------------------------------------------------------

const serviceOf = (all: ServiceOptions, own: ServiceOptions = {}): Service => {
  const scheme = own.scheme ?? all.scheme ?? "https"
  const host = own.host ?? all.host ?? ""
  const port = own.port ?? all.port ?? (scheme === "https" ? 443 : undefined)
  // The kit's own examples write it with and without slashes.
  const context = (own.context ?? all.context ?? "").replace(/^\/+|\/+$/g, "")
  return {
    url: host === ""
      ? ""
      : `${scheme}://${host}${port === undefined ? "" : `:${port}`}${context === "" ? "" : `/${context}`}`,
    headers: own.headers ?? all.headers ?? {}
  }
}

// What is no duration is none at all, which is among the issues wherever there is a rule.
const duration = (input: Duration.Input): Duration.Duration =>
  Option.getOrElse(Duration.fromInput(input), () => Duration.zero)

const longestHint = Duration.minutes(5)

const scheduleOf = (
  retry: Options["retry"],
  attempts: number
): Schedule.Schedule<unknown, Retry.Failure> => {
  if (Schedule.isSchedule(retry)) return retry
  const { initialInterval = "500 millis", maxAttempts = attempts, maxInterval = "5 minutes", multiplier = 2 } = retry ??
    {}
  const longest = duration(maxInterval)
  const waits = Schedule.exponential(duration(initialInterval), multiplier).pipe(
    Schedule.setInputType<Retry.Failure>(),
    Schedule.modifyDelay(({ duration, input }) =>
      Effect.succeed(
        Duration.max(
          Duration.min(duration, longest),
          Duration.min(Option.getOrElse(input.retryAfter, () => Duration.zero), longestHint)
        )
      )
    )
  )
  return maxAttempts < 0 ? waits : Schedule.upTo(waits, { times: Math.max(0, maxAttempts - 1) })
}

const host = /^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])$/

const issuesOf = (options: Options): ReadonlyArray<Detail> => {
  const issues: Array<Detail> = []
  const check = (location: string, wrong: boolean, message: string) => {
    if (wrong) issues.push({ location, message })
  }
  const { agent, bot, keyManager, pod, sessionAuth } = options
  for (const [name, service] of Object.entries({ "": options, pod, agent, keyManager, sessionAuth })) {
    const at = (field: string) => name === "" ? field : `${name}.${field}`
    const { host: given, port } = service ?? {}
    check(at("host"), given !== undefined && !host.test(given), "is not a host name (without scheme, port and path)")
    check(at("port"), port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536), "is not a port")
  }
  check("bot.username", bot !== undefined && bot.username.trim() === "", "is blank")
  check("app.appId", options.app !== undefined && options.app.appId.trim() === "", "is blank")
  check(
    "requestTimeout",
    !(Duration.toMillis(duration(options.requestTimeout ?? 1)) > 0),
    "is not a positive duration"
  )
  for (const name of ["retry", "datafeedRetry"] as const) {
    const retry = options[name]
    if (retry === undefined || Schedule.isSchedule(retry)) continue
    check(
      `${name}.maxAttempts`,
      !Number.isInteger(retry.maxAttempts ?? 1) || retry.maxAttempts === 0,
      "is not a whole number other than 0"
    )
    check(`${name}.multiplier`, !((retry.multiplier ?? 1) >= 1), "is less than 1")
  }
  return issues
}
