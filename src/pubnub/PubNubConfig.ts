/**
 * The keys, the user and the limits with which the service is called.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Guarded from "../internal/guarded.ts"
import * as Input from "../internal/input.ts"
import * as Secret from "../internal/secret.ts"
import type { Detail } from "./PubNubError.ts"

/**
 * An access token, or where to get the token of now:
 *
 * - a `Redacted` is sent with every request;
 * - an `Effect` runs before each request, so it should cache its token. A request whose token is not there within
 *   `requestTimeout` is not sent, and fails with `Transport`;
 * - a `SubscriptionRef` is read before each request.
 *
 * A stream that runs takes a new token at its next request; a poll that is held goes on. After a refusal (401 or 403) it
 * asks for the token again, and retries at once if that is another one. A new value of a reference also ends the pause
 * after a refusal. If the new token is refused too, the schedule for `AccessDenied` decides.
 *
 * While the token is not known, an address leaves 2,048 characters for it.
 *
 * **Example** (A token that is renewed each hour)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Redacted from "effect/Redacted"
 * import * as Schedule from "effect/Schedule"
 * import * as SubscriptionRef from "effect/SubscriptionRef"
 * import * as PubNubConfig from "effect-herald/pubnub/PubNubConfig"
 *
 * declare const freshToken: Effect.Effect<Redacted.Redacted>
 *
 * const Live = Layer.unwrap(Effect.gen(function*() {
 *   const authToken = yield* SubscriptionRef.make(yield* freshToken)
 *   const renew = Effect.flatMap(freshToken, (token) => SubscriptionRef.set(authToken, token))
 *   yield* Effect.forkScoped(Effect.repeat(Effect.delay(renew, "55 minutes"), Schedule.forever))
 *   return PubNubConfig.layer({ subscribeKey: "sub-c-1", userId: "ada", authToken })
 * }))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type AuthToken =
  | Redacted.Redacted
  | Effect.Effect<Redacted.Redacted>
  | SubscriptionRef.SubscriptionRef<Redacted.Redacted>

/**
 * What {@link make} takes. Two are required; the others have defaults.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The keyset's subscribe key, `sub-c-…`. */
  readonly subscribeKey: string
  /** The keyset's publish key, `pub-c-…`. Needed to publish, to signal and to sign. */
  readonly publishKey?: string | undefined
  /** The keyset's secret key, on servers only. Every request is then signed, and needs no other permission. */
  readonly secretKey?: Redacted.Redacted | undefined
  /** An access token that the application's server granted to this user, or where to get the token of now. */
  readonly authToken?: AuthToken | undefined
  /** Who this is. The same user should have the same id every time. */
  readonly userId: string
  /** Host, or host and port, without a scheme. Default: `ps.pndsn.com`. */
  readonly origin?: string | undefined
  /** Whether to use HTTPS. Default: `true`. */
  readonly tls?: boolean | undefined
  /** How long a request other than a long poll may take, connection and body included. Default: 15 seconds. */
  readonly requestTimeout?: Duration.Input | undefined
  /**
   * How long a long poll may be silent, by the clock of this machine that sees more time pass, before it is cut, the
   * connection is proved alive, and the poll is sent again from the same cursor. The service would hold it for 280 seconds; a
   * shorter time notices half-open connections and a laptop that slept. Where a proxy cuts idle polls sooner, polls are
   * renewed just before it, after two such cuts. Default: 55 seconds.
   */
  readonly pollTimeout?: Duration.Input | undefined
  /** The keyset's limit for a message with channel and metadata, escaped, in bytes. Default: 32,768. */
  readonly maxMessageSize?: number | undefined
  /** The keyset's limit for a signal's payload, in bytes. Default: 64. */
  readonly maxSignalSize?: number | undefined
  /** The longest address that is sent as a GET; a longer publish becomes a POST. In bytes. Default: 30,720. */
  readonly maxUrlSize?: number | undefined
  /**
   * The largest answer that is read, in bytes after decompression. A larger one fails with `Malformed` as soon as it is known to
   * be. Default: 32 MiB, or room for 100 messages of `maxMessageSize` where that is more.
   */
  readonly maxAnswerSize?: number | undefined
  /**
   * How many messages the service keeps for a reader, over all its channels. After a page of so many the reader looks in history
   * for what is missing. Default: 100.
   */
  readonly queueLength?: number | undefined
  /**
   * How long the service surely keeps these messages. After a longer break, by either clock of this machine or by the service's
   * time, the reader looks in history for what is missing. The vendor's documents say 2 to 20 minutes. Default: 2 minutes.
   */
  readonly queueRetention?: Duration.Input | undefined
  /**
   * How long the keyset's history surely keeps messages, by the service's time. A reader that comes back later emits a `Gap` for
   * what it cannot find. `Infinity` for a keyset that keeps them for ever. Default: one day, the shortest that the service offers.
   */
  readonly historyRetention?: Duration.Input | undefined
  /**
   * How many requests a second readers may send to history to fill gaps: a positive number. It holds for each stream with a
   * connection of its own, and for all streams with one filter that share connections. At 25 the service begins to throttle small
   * accounts. Default: 25.
   */
  readonly historyRate?: number | undefined
  /**
   * After how long without a sign of life the service lets this user time out of its channels, in whole seconds. Default:
   * the service's own 300 seconds. Given, it turns heartbeats on.
   */
  readonly presenceTimeout?: Duration.Input | undefined
  /**
   * How often a reader says that its user is still there, so that others do not see it time out while it is busy with what
   * it was given; positive, and less than the presence timeout. Given, it turns heartbeats on. Default: half the
   * `presenceTimeout` less a second (but not less than one), and no heartbeats if that is not given either: each long poll
   * is a sign of life too.
   */
  readonly heartbeatInterval?: Duration.Input | undefined
  /** Whether to tell the service when a subscription ends, so that others see a leave at once. Default: `true`. */
  readonly sendLeave?: boolean | undefined
  /** Whether every request carries a random `requestid`, by which the vendor's support can find it. Default: `false`. */
  readonly requestIds?: boolean | undefined
  /** An id of this process, sent as `instanceid` with every request. Default: none is sent. */
  readonly instanceId?: string | undefined
  /** A vendor's partner id, made part of `pnsdk`. Default: none. */
  readonly partnerId?: string | undefined
}

/**
 * The configuration that every endpoint reads from its context: the {@link Options} with their defaults filled in.
 *
 * **Example** (Two keysets in one program)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Publish from "effect-herald/pubnub/Publish"
 * import { make, PubNubConfig } from "effect-herald/pubnub/PubNubConfig"
 *
 * const audit = Publish.publish({ channel: "audit", message: "started" }).pipe(
 *   Effect.provideService(PubNubConfig, make({ subscribeKey: "sub-c-2", publishKey: "pub-c-2", userId: "worker-1" }))
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class PubNubConfig extends Context.Service<PubNubConfig, {
  readonly subscribeKey: string
  readonly publishKey: string | undefined
  readonly secretKey: Redacted.Redacted | undefined
  readonly authToken: AuthToken | undefined
  readonly userId: string
  readonly origin: string
  readonly tls: boolean
  readonly requestTimeout: Duration.Duration
  readonly pollTimeout: Duration.Duration
  readonly maxMessageSize: number
  readonly maxSignalSize: number
  readonly maxUrlSize: number
  readonly maxAnswerSize: number
  readonly queueLength: number
  readonly queueRetention: Duration.Duration
  readonly historyRetention: Duration.Duration
  readonly historyRate: number
  readonly presenceTimeout: Duration.Duration | undefined
  /** Without one no heartbeats are sent. */
  readonly heartbeatInterval: Duration.Duration | undefined
  readonly sendLeave: boolean
  readonly requestIds: boolean
  readonly instanceId: string | undefined
  readonly partnerId: string | undefined
  /**
   * What is wrong with the options. Making a configuration never fails; a request made with a wrong one fails with
   * `BadRequest` and these details before anything is sent.
   */
  readonly issues: ReadonlyArray<Detail>
}>()("effect-herald/pubnub/PubNubConfig") {}

/** How long the service lets a user be silent that does not say otherwise. */
const usualPresenceTimeout = Duration.seconds(300)

// What is no duration is none at all, which is among the issues wherever there is a rule.
const duration = (input: Duration.Input): Duration.Duration =>
  Option.getOrElse(Duration.fromInput(input), () => Duration.zero)

const optionalDuration = (input: Duration.Input | undefined): Duration.Duration | undefined =>
  input === undefined ? undefined : duration(input)

/** Room for a hundred messages. */
const answerSizeOf = (maxMessageSize: number): number => Math.max(100 * maxMessageSize || 0, 32 * 1024 * 1024)

const heartbeatIntervalOf = (timeout: Duration.Duration | undefined): Duration.Duration | undefined =>
  timeout === undefined || !Duration.isFinite(timeout)
    ? undefined
    : Duration.seconds(Math.max(1, Duration.toSeconds(timeout) / 2 - 1))

/**
 * The configuration of the given options, as a value. It never fails: see `issues` of {@link PubNubConfig}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): PubNubConfig["Service"] =>
  Result.getOrElse(
    Guarded.attempt(() => makeUnsafe({ ...options }), "options"),
    (issues) => ({ ...makeUnsafe({ subscribeKey: "", userId: "nobody" }), issues })
  )

const makeUnsafe = (options: Options): PubNubConfig["Service"] => {
  const givenInterval = optionalDuration(options.heartbeatInterval)
  // A heartbeat has to say for how long it holds.
  const presenceTimeout = optionalDuration(options.presenceTimeout) ??
    (givenInterval === undefined ? undefined : usualPresenceTimeout)
  const config = {
    subscribeKey: options.subscribeKey,
    publishKey: options.publishKey,
    secretKey: options.secretKey,
    authToken: options.authToken,
    userId: options.userId,
    origin: options.origin ?? "ps.pndsn.com",
    tls: options.tls ?? true,
    requestTimeout: duration(options.requestTimeout ?? "15 seconds"),
    pollTimeout: duration(options.pollTimeout ?? "55 seconds"),
    maxMessageSize: options.maxMessageSize ?? 32_768,
    maxSignalSize: options.maxSignalSize ?? 64,
    maxUrlSize: options.maxUrlSize ?? 30_720,
    maxAnswerSize: options.maxAnswerSize ?? answerSizeOf(options.maxMessageSize ?? 0),
    queueLength: options.queueLength ?? 100,
    queueRetention: duration(options.queueRetention ?? "2 minutes"),
    historyRetention: duration(options.historyRetention ?? "1 day"),
    historyRate: options.historyRate ?? 25,
    presenceTimeout,
    heartbeatInterval: givenInterval ?? heartbeatIntervalOf(presenceTimeout),
    sendLeave: options.sendLeave ?? true,
    requestIds: options.requestIds ?? false,
    instanceId: options.instanceId,
    partnerId: options.partnerId
  }
  return { ...config, issues: issuesOf(config) }
}

/**
 * {@link make} as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<PubNubConfig> => Layer.succeed(PubNubConfig, make(options))

const environment = {
  subscribeKey: Config.String("PUBNUB_SUBSCRIBE_KEY"),
  publishKey: Config.withDefault(Config.String("PUBNUB_PUBLISH_KEY"), undefined),
  secretKey: Config.withDefault(Config.Redacted("PUBNUB_SECRET_KEY"), undefined),
  authToken: Config.withDefault(Config.Redacted("PUBNUB_AUTH_TOKEN"), undefined),
  userId: Config.String("PUBNUB_USER_ID"),
  origin: Config.withDefault(Config.String("PUBNUB_ORIGIN"), undefined),
  tls: Config.withDefault(Config.Boolean("PUBNUB_TLS"), undefined)
}

/**
 * The configuration from `Config`, by default the environment: `PUBNUB_SUBSCRIBE_KEY`, `PUBNUB_USER_ID` (required),
 * `PUBNUB_PUBLISH_KEY`, `PUBNUB_SECRET_KEY`, `PUBNUB_AUTH_TOKEN`, `PUBNUB_ORIGIN`, `PUBNUB_TLS`. Each option may be
 * given a `Config` of its own. A missing or unreadable value is a `ConfigError` of the layer.
 *
 * **Example** (Another name for one key, and a longer timeout)
 *
 * ```ts
 * import * as Config from "effect/Config"
 * import * as PubNubConfig from "effect-herald/pubnub/PubNubConfig"
 *
 * const Live = PubNubConfig.layerConfig({
 *   subscribeKey: Config.String("ORDERS_SUBSCRIBE_KEY"),
 *   requestTimeout: Config.Duration("ORDERS_TIMEOUT").pipe(Config.withDefault("5 seconds"))
 * })
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: { readonly [K in keyof Options]?: Config.Config<Options[K]> } = {}
): Layer.Layer<PubNubConfig, Config.ConfigError> =>
  Layer.effect(PubNubConfig, Config.map(Config.all({ ...environment, ...options }), make))

const host =
  /^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/
const key = /^[A-Za-z0-9_.-]+$/

const issuesOf = (config: Omit<PubNubConfig["Service"], "issues">): ReadonlyArray<Detail> => {
  const { authToken, heartbeatInterval, presenceTimeout, secretKey } = config
  const positive = (value: Duration.Duration) => Duration.toMillis(value) > 0 ? undefined : "is not positive"
  const isKey = Input.matching(key, "is not a key")
  return Input.issues({
    userId: Input.notBlank(config.userId),
    subscribeKey: config.subscribeKey === "" ? undefined : isKey(config.subscribeKey),
    publishKey: config.publishKey === "" ? undefined : Input.optional(isKey)(config.publishKey),
    secretKey: Input.optional(Secret.check)(secretKey),
    authToken: authToken === undefined || Effect.isEffect(authToken) || SubscriptionRef.isSubscriptionRef(authToken) ||
        Secret.check(authToken) === undefined
      ? undefined
      : "is neither redacted text, nor an Effect, nor a SubscriptionRef",
    origin: Input.matching(
      host,
      "is not a host name with an optional port: leave out the path, and the scheme, which tls chooses"
    )(config.origin),
    tls: Input.flag(config.tls),
    requestTimeout: positive(config.requestTimeout),
    pollTimeout: positive(config.pollTimeout),
    queueRetention: positive(config.queueRetention),
    historyRate: config.historyRate > 0 && Number.isFinite(config.historyRate) ? undefined : "is not a positive number",
    historyRetention: positive(config.historyRetention),
    presenceTimeout: presenceTimeout && finite(presenceTimeout),
    heartbeatInterval: heartbeatInterval &&
      (finite(heartbeatInterval) ?? tooSlow(heartbeatInterval, presenceTimeout)),
    maxMessageSize: Input.whole(1)(config.maxMessageSize),
    maxSignalSize: Input.whole(1)(config.maxSignalSize),
    maxUrlSize: Input.whole(1)(config.maxUrlSize),
    maxAnswerSize: Input.whole(1)(config.maxAnswerSize),
    queueLength: Input.whole(1)(config.queueLength),
    sendLeave: Input.flag(config.sendLeave),
    requestIds: Input.flag(config.requestIds),
    instanceId: Input.optional(Input.text)(config.instanceId),
    partnerId: Input.optional(Input.text)(config.partnerId)
  })
}

// The value was made of what was given, and may say nothing of it.
const finite = (value: Duration.Duration): Input.Problem =>
  Input.duration(value) === undefined ? undefined : "is not a positive, finite duration"

const tooSlow = (
  interval: Duration.Duration,
  timeout: Duration.Duration = usualPresenceTimeout
): Input.Problem =>
  Input.duration(timeout) === undefined && Duration.isGreaterThanOrEqualTo(interval, timeout)
    ? `is ${Duration.format(interval)}, not less than the presence timeout of ${Duration.format(timeout)}`
    : undefined
