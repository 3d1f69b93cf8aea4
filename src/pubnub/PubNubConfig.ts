/**
 * The keys, the user and the limits of calls of PubNub.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Guarded from "../internal/guarded.ts"
import * as Input from "../internal/input.ts"
import * as Secret from "../internal/secret.ts"
import { seconds } from "../internal/whatHappened.ts"
import * as Token from "./internal/wire/renewing.ts"
import type { Detail } from "./PubNubError.ts"

/**
 * An access token, or a source of tokens. There are three forms:
 *
 * - a `Redacted`, for a program that ends before its token does;
 * - a `RenewingToken`: an Effect that asks your server for a token. The library runs it before the token ends, and when the service
 *   refuses the token since it has expired or was revoked. This is the usual form;
 * - a `SubscriptionRef`, for an application that gets new tokens by itself, such as from a push. It is read before each request.
 *
 * A running stream uses a new token from its next request on; a poll that is held goes on. After a refusal (401 or 403) a request
 * and a stream are repeated once and at once if there is another token by then. A new value of a `SubscriptionRef` also ends the
 * pause of a stream after a refusal. If the service refuses the new token too, a request fails, and the schedule of the stream for
 * `AccessDenied` decides.
 *
 * While the token is unknown, the length of an address counts 2,048 characters for it.
 *
 * **Example** (Tokens that a session of the application brings)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import type * as Redacted from "effect/Redacted"
 * import * as Stream from "effect/Stream"
 * import * as SubscriptionRef from "effect/SubscriptionRef"
 * import * as PubNubConfig from "effect-herald/pubnub/PubNubConfig"
 *
 * declare const firstToken: Redacted.Redacted
 * declare const laterTokens: Stream.Stream<Redacted.Redacted>
 *
 * const Live = Layer.unwrap(Effect.gen(function*() {
 *   const authToken = yield* SubscriptionRef.make(firstToken)
 *   yield* Effect.forkScoped(Stream.runForEach(laterTokens, (token) => SubscriptionRef.set(authToken, token)))
 *   return PubNubConfig.layer({ subscribeKey: "sub-c-1", userId: "ada", authToken })
 * }))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export type AuthToken<R = never> =
  | Redacted.Redacted
  | Token.Renewing<R>
  | SubscriptionRef.SubscriptionRef<Redacted.Redacted>

/**
 * Options of {@link make}. `subscribeKey` and `userId` are required.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<R = never> {
  /** The keyset's subscribe key, `sub-c-…`. */
  readonly subscribeKey: string
  /** The keyset's publish key, `pub-c-…`. Needed to publish, to signal and to sign. */
  readonly publishKey?: string | undefined
  /** The keyset's secret key, on servers only. Every request is then signed, and needs no other permission. */
  readonly secretKey?: Redacted.Redacted | undefined
  /** An access token that the application's server granted to this user, or a source of it. */
  readonly authToken?: AuthToken<R> | undefined
  /** The id of this user. It should be the same each time the user connects. */
  readonly userId: string
  /** The host of the service, with an optional port and without a scheme. Default: `ps.pndsn.com`. */
  readonly origin?: string | undefined
  /** Whether to use HTTPS. Default: `true`. */
  readonly tls?: boolean | undefined
  /** How long a request other than a long poll may take, connection and body included. Default: 15 seconds. */
  readonly requestTimeout?: Duration.Input | undefined
  /**
   * How long a long poll may be silent, by the clock of this machine that sees more time pass. Then the reader cuts it, checks the
   * connection with a handshake, and polls again from the same cursor. The service would hold a poll for 280 seconds; a shorter time
   * notices half-open connections and a laptop that slept. Where a proxy cuts idle polls sooner, the reader renews polls just before
   * that, after two such cuts. An answer that arrives in parts may take longer, up to ten times this, with no longer pause between
   * two parts. Default: 55 seconds.
   */
  readonly pollTimeout?: Duration.Input | undefined
  /**
   * The keyset's limit for a message with its channel and metadata, percent-encoded, in bytes. Default: 32,768. More, up to
   * 2,097,152, is for keysets that the vendor allows large messages: a larger message is then sent by the second version of
   * publish, which counts the bytes of its JSON alone.
   */
  readonly maxMessageSize?: number | undefined
  /** The keyset's limit for a signal's payload, in bytes. Default: 64. */
  readonly maxSignalSize?: number | undefined
  /** The longest address of a GET, in bytes. A longer publish becomes a POST. Default: 30,720. */
  readonly maxUrlSize?: number | undefined
  /**
   * The largest answer, in bytes after decompression. A larger one fails with `Malformed`; a reader reads history in smaller pages
   * instead. Default: 32 MiB, or room for 100 messages of `maxMessageSize` where that is more.
   */
  readonly maxAnswerSize?: number | undefined
  /**
   * How many messages the service keeps for a reader, over all its channels. After a page of so many, the reader asks history for
   * missing messages. Default: 100.
   */
  readonly queueLength?: number | undefined
  /**
   * How long the service is sure to keep these messages. After a longer break, by either clock of this machine or by the service's
   * time, the reader asks history for missing messages. The vendor's documents say 2 to 20 minutes. Default: 2 minutes.
   */
  readonly queueRetention?: Duration.Input | undefined
  /**
   * How long the keyset's history is sure to keep messages, by the service's time. A reader that comes back later emits a `Gap` for
   * older messages. `Infinity` for a keyset that keeps messages for ever. Default: one day, the shortest that the service offers.
   */
  readonly historyRetention?: Duration.Input | undefined
  /**
   * How many requests a second readers may send to history to fill gaps: a positive number. The limit is for each stream with a
   * connection of its own, and for all streams with one filter that share connections. Above 25 the service begins to throttle
   * small accounts. Default: 25.
   */
  readonly historyRate?: number | undefined
  /**
   * The time without a request of this user after which the service emits `TimedOut`, in whole seconds. Setting it turns heartbeats
   * on. Default: 300 seconds, without heartbeats.
   */
  readonly presenceTimeout?: Duration.Input | undefined
  /**
   * The time between two heartbeats, which keep a user present while its reader is busy and does not poll. Positive, and less than
   * the presence timeout. Setting it turns heartbeats on. Default: half the `presenceTimeout` less a second, at least one second;
   * without `presenceTimeout`, no heartbeats: each long poll keeps the user present, too.
   */
  readonly heartbeatInterval?: Duration.Input | undefined
  /** Whether a subscription that ends sends a leave, so that others see it at once. Default: `true`. */
  readonly sendLeave?: boolean | undefined
  /** Whether every request has a random `requestid`, by which the vendor's support can find it. Default: `false`. */
  readonly requestIds?: boolean | undefined
  /** An id of this process, sent as `instanceid` with every request. Default: none is sent. */
  readonly instanceId?: string | undefined
  /** A partner id of the vendor, sent as part of `pnsdk`. Default: none. */
  readonly partnerId?: string | undefined
}

/**
 * The configuration that every call reads from its context: the {@link Options} with their defaults.
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
  /** The keyset's subscribe key. */
  readonly subscribeKey: string
  /** The keyset's publish key. */
  readonly publishKey: string | undefined
  /** The keyset's secret key. With one, every request is signed. */
  readonly secretKey: Redacted.Redacted | undefined
  /** The access token of this user, or a source of it. */
  readonly authToken: AuthToken | undefined
  /** The id of this user. */
  readonly userId: string
  /** The host of the service, with an optional port. */
  readonly origin: string
  /** Whether requests use HTTPS. */
  readonly tls: boolean
  /** How long a request other than a long poll may take. */
  readonly requestTimeout: Duration.Duration
  /** How long a long poll may be silent. */
  readonly pollTimeout: Duration.Duration
  /** The largest message with its channel and metadata, percent-encoded, in bytes. */
  readonly maxMessageSize: number
  /** The largest payload of a signal, in bytes. */
  readonly maxSignalSize: number
  /** The longest address of a GET, in bytes. */
  readonly maxUrlSize: number
  /** The largest answer, in bytes after decompression. */
  readonly maxAnswerSize: number
  /** How many messages the service keeps for a reader. */
  readonly queueLength: number
  /** How long the service is sure to keep these messages. */
  readonly queueRetention: Duration.Duration
  /** How long history is sure to keep messages. */
  readonly historyRetention: Duration.Duration
  /** How many requests a second readers may send to history. */
  readonly historyRate: number
  /** The presence timeout that is sent. Absent: the service's own 300 seconds. */
  readonly presenceTimeout: Duration.Duration | undefined
  /** The time between two heartbeats. Without it, no heartbeats are sent. */
  readonly heartbeatInterval: Duration.Duration | undefined
  /** Whether a subscription that ends sends a leave. */
  readonly sendLeave: boolean
  /** Whether every request has a random `requestid`. */
  readonly requestIds: boolean
  /** The id of this process, sent as `instanceid`. */
  readonly instanceId: string | undefined
  /** The partner id, sent as part of `pnsdk`. */
  readonly partnerId: string | undefined
  /**
   * What is wrong with the options. Making a configuration never fails; each request made with a wrong one fails with
   * `BadRequest` and these details before anything is sent.
   */
  readonly issues: ReadonlyArray<Detail>
}>()("effect-herald/pubnub/PubNubConfig") {}

/** The presence timeout of the service. */
const usualPresenceTimeout = Duration.seconds(300)

// An input that is not a duration becomes zero, and an issue says so.
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
 * Makes a configuration from options, as a value. It never fails: see `issues` of {@link PubNubConfig}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): PubNubConfig["Service"] => made(options)

/** A configuration whose token may need something. */
type Needing<R> = Omit<PubNubConfig["Service"], "authToken"> & { readonly authToken: AuthToken<R> | undefined }

const made = <R>(options: Options<R>): Needing<R> =>
  Result.getOrElse(
    Guarded.attempt(() => makeUnsafe({ ...options }), "options"),
    (issues) => ({ ...makeUnsafe<R>({ subscribeKey: "", userId: "nobody" }), issues })
  )

const makeUnsafe = <R>(options: Options<R>): Needing<R> => {
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
 * Provides the configuration that {@link make} makes. It needs what the Effect of a `RenewingToken` needs.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <R = never>(options: Options<R>): Layer.Layer<PubNubConfig, never, R> => {
  const { authToken, ...config } = made(options)
  return Token.isRenewing(authToken)
    ? Token.layer(authToken, PubNubConfig, (authToken) => ({ ...config, authToken }))
    : Layer.succeed(PubNubConfig, { ...config, authToken })
}

// A function: as a constant it would keep Config in bundles that do not use it.
const environment = () => ({
  subscribeKey: Config.String("PUBNUB_SUBSCRIBE_KEY"),
  publishKey: Config.withDefault(Config.String("PUBNUB_PUBLISH_KEY"), undefined),
  secretKey: Config.withDefault(Config.Redacted("PUBNUB_SECRET_KEY"), undefined),
  authToken: Config.withDefault(Config.Redacted("PUBNUB_AUTH_TOKEN"), undefined),
  userId: Config.String("PUBNUB_USER_ID"),
  origin: Config.withDefault(Config.String("PUBNUB_ORIGIN"), undefined),
  tls: Config.withDefault(Config.Boolean("PUBNUB_TLS"), undefined)
})

/**
 * Provides a configuration from `Config`, by default from the environment: `PUBNUB_SUBSCRIBE_KEY` and `PUBNUB_USER_ID`
 * (required), `PUBNUB_PUBLISH_KEY`, `PUBNUB_SECRET_KEY`, `PUBNUB_AUTH_TOKEN`, `PUBNUB_ORIGIN`, `PUBNUB_TLS`. Each option can have
 * a `Config` of its own. Fails with `ConfigError` when a value is missing or cannot be read.
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
  Layer.effect(PubNubConfig, Config.map(Config.all({ ...environment(), ...options }), make))

const host =
  /^([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/
const key = /^[A-Za-z0-9_.-]+$/

const issuesOf = <R>(config: Omit<Needing<R>, "issues">): ReadonlyArray<Detail> => {
  const { authToken, heartbeatInterval, presenceTimeout, secretKey } = config
  const positive = (value: Duration.Duration) => Duration.toMillis(value) > 0 ? undefined : "is not positive"
  const isKey = Input.matching(key, "is not a key")
  const issues = Input.issues({
    userId: Input.notBlank(config.userId),
    subscribeKey: config.subscribeKey === "" ? undefined : isKey(config.subscribeKey),
    publishKey: config.publishKey === "" ? undefined : Input.optional(isKey)(config.publishKey),
    secretKey: Input.optional(Secret.check)(secretKey),
    authToken: authToken === undefined || Token.isRenewing(authToken) || SubscriptionRef.isSubscriptionRef(authToken) ||
        Secret.check(authToken) === undefined
      ? undefined
      : "is neither redacted text, nor a RenewingToken, nor a SubscriptionRef",
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
    maxMessageSize: Input.whole(1, 2_097_152)(config.maxMessageSize),
    maxSignalSize: Input.whole(1)(config.maxSignalSize),
    maxUrlSize: Input.whole(1)(config.maxUrlSize),
    maxAnswerSize: Input.whole(1)(config.maxAnswerSize),
    queueLength: Input.whole(1)(config.queueLength),
    sendLeave: Input.flag(config.sendLeave),
    requestIds: Input.flag(config.requestIds),
    instanceId: Input.optional(Input.text)(config.instanceId),
    partnerId: Input.optional(Input.text)(config.partnerId)
  })
  return Token.isRenewing(authToken) ? [...issues, ...Token.issuesOf(authToken)] : issues
}

// The message leaves out the value: it was converted, and is not what the caller wrote.
const finite = (value: Duration.Duration): Input.Problem =>
  Input.duration(value) === undefined ? undefined : "is not a positive, finite duration"

const tooSlow = (
  interval: Duration.Duration,
  timeout: Duration.Duration = usualPresenceTimeout
): Input.Problem =>
  Input.duration(timeout) === undefined && Duration.isGreaterThanOrEqualTo(interval, timeout)
    ? `is ${seconds(interval)}, not less than the presence timeout of ${seconds(timeout)}`
    : undefined
