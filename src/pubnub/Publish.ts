/**
 * Sending: {@link publish} to subscribers and history, {@link fire} to Functions alone, {@link signal} for small and
 * frequent news. Nobody needs to be subscribed in order to send.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Failure from "../internal/failure.ts"
import * as Codec from "../internal/codec.ts"
import * as Input from "../internal/input.ts"
import * as Url from "../internal/url.ts"
import { whatHappened } from "../internal/whatHappened.ts"
import * as ChannelName from "./ChannelName.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as MessageIds from "./internal/reading/messageIds.ts"
import * as Outcome from "./internal/wire/outcome.ts"
import { path, publishKey, subscribeKey } from "./internal/wire/path.ts"
import * as Payload from "./internal/wire/payload.ts"
import { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import { Timetoken } from "./Timetoken.ts"

/**
 * What the service says of a message that it took: its timetoken, by which history and message actions know it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Published {
  /** When the service took it. It names the message. */
  readonly timetoken: Timetoken
}

/**
 * What {@link signal} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SignalOptions<A = unknown, RE = never> {
  /** One channel; there is no publishing to several at once. */
  readonly channel: string
  /** Any value that JSON can carry, `0`, `false`, `""` and `null` too. Pass the value itself, not JSON text. */
  readonly message: NoInfer<A>
  /** Encodes the message, so that it is checked before it is sent and its dates and big integers survive. */
  readonly schema?: Payload.Writer<A, RE> | undefined
  /** A label that travels with it: 3 to 50 of letters, digits, `_` and `-`, the first a letter or a digit. */
  readonly customMessageType?: string | undefined
}

/**
 * What {@link fire} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface FireOptions<A = unknown, RE = never> extends Omit<SignalOptions<A, RE>, "customMessageType"> {
  /** An object beside the message, which filters of subscribers can look at. Default: none. */
  readonly meta?: { readonly [key: string]: unknown } | undefined
  /** `"auto"` sends a GET, or a POST where the address would be too long (`maxUrlSize`). Default: `"auto"`. */
  readonly method?: "auto" | "GET" | "POST" | undefined
}

/**
 * What {@link publish} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface PublishOptions<A = unknown, RE = never> extends FireOptions<A, RE> {
  /** Whether history keeps it. Default: as the keyset is set. */
  readonly store?: boolean | undefined
  /** How long history keeps it, in whole hours; `0` is for ever. Default: as the keyset is set. */
  readonly ttl?: number | undefined
  /** Whether other regions get it. Default: `true`. */
  readonly replicate?: boolean | undefined
  /** A label that travels with it: 3 to 50 of letters, digits, `_` and `-`, the first a letter or a digit. */
  readonly customMessageType?: string | undefined
}

/**
 * The message is larger than the keyset allows, in escaped bytes with its channel and metadata (a signal: in bytes of
 * its payload). Found before anything is sent; or the service said so, and then its limit is smaller than `limit`.
 *
 * @category errors
 * @since 0.1.0
 */
export class MessageTooLarge extends Failure.TaggedError<MessageTooLarge>("pubnub")("MessageTooLarge", {
  operation: Schema.String,
  channel: Schema.String,
  size: Schema.Int,
  limit: Schema.Int,
  refusedBy: Schema.Literals(["client", "service"])
}, {
  message: ({ channel, limit, operation, refusedBy, size }) => {
    const option = operation === "signal" ? "maxSignalSize" : "maxMessageSize"
    const [why, more] = refusedBy === "client"
      ? [`the limit is ${limit}`, ` If the keyset allows more, set ${option} of PubNubConfig.`]
      : ["the service refused it", ""]
    return `${operation}: the message for ${channel} has ${size} bytes; ${why}. Send less, or a link to ` +
      `the data.${more}`
  }
}) {}

/**
 * The request went out and no answer of the service came back: the message may have been stored and delivered, or not.
 * Sending it again may deliver it twice; history or an own subscription can tell, by `messageId` where it has one.
 *
 * @category errors
 * @since 0.1.0
 */
export class PublishOutcomeUnknown
  extends Failure.TaggedError<PublishOutcomeUnknown>("pubnub")("PublishOutcomeUnknown", {
    operation: Schema.String,
    channel: Schema.String,
    /** What its metadata holds under `messageIdKey` of `Publisher`. */
    messageId: Schema.optionalKey(Schema.String),
    reason: Schema.Union(Outcome.Unknown),
    request: Schema.Struct({ method: Schema.String, path: Schema.String })
  }, {
    message: ({ channel, messageId, operation, reason }) => {
      const id = messageId === undefined ? "" : ` ${messageId}`
      return `${operation}: whether the message${id} for ${channel} was taken is not known. ` +
        `${whatHappened(reason)} Look for it in history before sending it again.`
    }
  })
{}

/**
 * What sending can fail with. A `Transport` among the reasons means that nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export type PublishError =
  | MessageTooLarge
  | PublishOutcomeUnknown
  | PubNubError.PubNubErrorOf<
    | PubNubError.Transport
    | PubNubError.RateLimited
    | PubNubError.AccessDenied
    | PubNubError.InvalidKey
    | PubNubError.FeatureDisabled
    | PubNubError.BadRequest
    | PubNubError.ServerFailure
    | PubNubError.Malformed
  >

/**
 * What is refused before anything is sent.
 *
 * @category errors
 * @since 0.1.0
 */
export type PrepareError = MessageTooLarge | PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>

/**
 * Publishes one message to one channel: to all its subscribers, and to history where that is on.
 *
 * **Details**
 *
 * `GET` or `POST /publish/{publishKey}/{subscribeKey}/0/{channel}/0/{message}`. Never
 * retried here: only the caller knows whether a message may be sent twice. Wrong input fails with `BadRequest`, `InvalidKey` or
 * {@link MessageTooLarge} before anything is sent; an answer `[0, …]` is a failure whatever its status.
 *
 * **Example** (A typed message)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Publish from "effect-herald/pubnub/Publish"
 *
 * const Order = Schema.Struct({ id: Schema.Int, placed: Schema.DateTimeUtc })
 *
 * const place = (order: typeof Order.Type) =>
 *   Publish.publish({ channel: "orders", message: order, schema: Order, meta: { priority: "high" } }).pipe(
 *     Effect.map((sent) => sent.timetoken),
 *     Effect.catchTag("PublishOutcomeUnknown", (unknown) => Effect.logWarning(unknown.message))
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const publish = <A, RE = never>(
  options: PublishOptions<A, RE>
): Effect.Effect<Published, PublishError, HttpClient.HttpClient | PubNubConfig | RE> => Effect.flatten(prepare(options))

/**
 * Checks and encodes one message now, and gives the effect that publishes it as it is now: any number of times, whatever
 * becomes of the objects that were passed.
 *
 * **Details**
 *
 * The outer effect fails with wrong input, a missing key and {@link MessageTooLarge}; the inner one with all the rest. The
 * keys of the configuration are those of the outer effect.
 *
 * **Example** (Encoded once, tried three times)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Publish from "effect-herald/pubnub/Publish"
 *
 * const program = Publish.prepare({ channel: "orders", message: { id: 1 } }).pipe(
 *   Effect.flatMap((send) => Effect.retry(send, { times: 2, while: ({ isRetryable }) => isRetryable }))
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const prepare = <A, RE = never>(
  options: PublishOptions<A, RE>
): Effect.Effect<Effect.Effect<Published, PublishError, HttpClient.HttpClient>, PrepareError, PubNubConfig | RE> =>
  encodeFor("publish", () => ({ ...options }), ({ customMessageType, replicate, store, ttl }) => ({
    custom_message_type: customMessageType,
    store: store === undefined ? undefined : store ? "1" : "0",
    ttl: ttl === undefined ? undefined : String(ttl),
    norep: replicate === false ? "true" : undefined
  }))

/**
 * Sends one message to the Functions of one channel in this region. No subscriber gets it and no history keeps it.
 *
 * **Details**
 *
 * As {@link publish}, with `store=0` and `norep=true`.
 *
 * **Example** (Waking a Function)
 *
 * ```ts
 * import * as Publish from "effect-herald/pubnub/Publish"
 *
 * const wake = Publish.fire({ channel: "resize", message: { image: "cat.png" } })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const fire = <A, RE = never>(
  options: FireOptions<A, RE>
): Effect.Effect<Published, PublishError, HttpClient.HttpClient | PubNubConfig | RE> =>
  Effect.flatten(encodeFor("fire", () => ({ ...options }), () => ({ store: "0", norep: "true" })))

/**
 * Sends a small message (64 bytes of JSON, unless the keyset allows more) to the subscribers of one channel. Signals
 * are cheaper than messages and are never stored.
 *
 * **Details**
 *
 * `GET /signal/{publishKey}/{subscribeKey}/0/{channel}/0/{message}`.
 *
 * **Example** (Somebody is typing)
 *
 * ```ts
 * import * as Publish from "effect-herald/pubnub/Publish"
 *
 * const typing = Publish.signal({ channel: "chat", message: "typing", customMessageType: "typing" })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const signal = <A, RE = never>(
  options: SignalOptions<A, RE>
): Effect.Effect<Published, PublishError, HttpClient.HttpClient | PubNubConfig | RE> =>
  Effect.flatten(
    encodeFor(
      "signal",
      () => ({ ...options }),
      ({ customMessageType }) => ({ custom_message_type: customMessageType })
    )
  )

/**
 * The size of a message as the service counts it against its limit: the bytes of the escaped payload, channel and
 * metadata together. Below 1,800 a message fits one datagram.
 *
 * **Example** (Room that is left)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Publish from "effect-herald/pubnub/Publish"
 *
 * const room = Publish.size({ channel: "orders", message: { note: "ünïcode" } }).pipe(
 *   Effect.map((size) => 32_768 - size)
 * )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const size = <A, RE = never>(
  options: Pick<PublishOptions<A, RE>, "channel" | "message" | "meta" | "schema">
): Effect.Effect<number, PubNubError.PubNubErrorOf<PubNubError.BadRequest>, RE> =>
  Endpoint.reading("publish", () =>
    Effect.mapBoth(encode({ ...options }), {
      onFailure: (details) => Endpoint.refusal("publish", details),
      onSuccess: ({ size }) => size
    }))

/** A message as it is sent. */
interface Encoded {
  readonly text: string
  readonly escaped: string
  readonly meta: string | undefined
  readonly size: number
}

/** What a caller gave, read once. */
type Given<A, RE> = PublishOptions<A, RE>

const encode = <A, RE>(given: Given<A, RE>): Effect.Effect<Encoded, ReadonlyArray<PubNubError.Detail>, RE> => {
  const { channel, message, schema } = given
  const meta = given.meta === undefined ? Result.succeed(undefined) : Payload.encode(given.meta)
  const details = [
    ...issuesOf(given),
    ...Input.issues({ meta: Result.isFailure(meta) ? meta.failure : Input.optional(Input.record)(given.meta) })
  ]
  const encoded = schema === undefined
    ? Effect.fromResult(Payload.encode(message))
    : Payload.encodeWith(schema, message)
  return Effect.matchEffect(encoded, {
    onFailure: (message) => Effect.fail([...details, { location: "message", message }]),
    onSuccess: (text) => {
      if (details.length > 0) return Effect.fail(details)
      const escaped = Url.encode(text)
      const metaText = Result.getOrElse(meta, () => undefined)
      const size = escaped.length + Url.encode(channel).length + Url.encode(metaText ?? "").length
      return Effect.succeed({ text, escaped, meta: metaText, size })
    }
  })
}

const label: Input.Check = (value) =>
  typeof value === "string" && /^[A-Za-z0-9][A-Za-z0-9_-]{2,49}$/.test(value)
    ? undefined
    : "must be 3 to 50 of letters, digits, _ and -, the first a letter or a digit"

const issuesOf = <A, RE>(
  { channel, customMessageType, method, replicate, store, ttl }: Given<A, RE>
): ReadonlyArray<PubNubError.Detail> =>
  Input.issues({
    channel: ChannelName.isPresence(channel)
      ? "ends in -pnpres, to which only the service publishes"
      : ChannelName.issue(channel),
    method: Input.optional(Input.oneOf(["auto", "GET", "POST"]))(method),
    store: Input.optional(Input.flag)(store),
    ttl: ttl === undefined || Input.whole(0)(ttl) === undefined ? undefined : "is not a whole number of hours",
    replicate: Input.optional(Input.flag)(replicate),
    customMessageType: Input.optional(label)(customMessageType)
  })

type Kind = "publish" | "fire" | "signal"

type Send = Effect.Effect<Published, PublishError, HttpClient.HttpClient>

const utf8 = new TextEncoder()

/** Everything that can be done before anything is sent, and the effect that sends. */
const encodeFor = <A, RE>(
  operation: Kind,
  read: () => Given<A, RE>,
  parameters: (given: Given<A, RE>) => Url.Parameters
): Effect.Effect<Send, PrepareError, PubNubConfig | RE> =>
  Effect.flatMap(PubNubConfig, (config) =>
    Endpoint.reading(operation, () => {
      const given = read()
      const { channel, method = "auto" } = given
      const query = parameters(given)
      const messageId = MessageIds.idOf(given.meta)
      const base = operation === "signal"
        ? path`/signal/${publishKey}/${subscribeKey}/0/${channel}/0`
        : path`/publish/${publishKey}/${subscribeKey}/0/${channel}/0`
      const refuse = Endpoint.errorOf({ operation, method: method === "POST" ? "POST" : "GET", path: base })
      return Effect.matchEffect(encode(given), {
        onFailure: (details): Effect.Effect<Send, PrepareError> =>
          Effect.fail(
            refuse(Endpoint.refusalOf(config, { path: base, issues: details }) ?? Endpoint.refused(details))
          ),
        onSuccess: ({ escaped, meta, size, text }): Effect.Effect<Send, PrepareError> => {
          const measured = operation === "signal" ? utf8.encode(text).length : size
          const limit = operation === "signal" ? config.maxSignalSize : config.maxMessageSize
          const tooLarge = (refusedBy: "client" | "service") =>
            new MessageTooLarge({ operation, channel, size: measured, limit, refusedBy })
          const common = {
            operation,
            query: { ...query, meta },
            signedAsGet: true,
            longInput: operation === "signal"
              ? { location: "message", advice: "send less" }
              : meta !== undefined && Url.encode(meta).length > escaped.length
              ? { location: "meta", advice: "send less of it" }
              : { location: "message", advice: "send it with method: \"POST\" or \"auto\"" },
            attributes: { "messaging.destination.name": channel },
            decode: decodeAnswer
          }
          const get = {
            ...common,
            method: "GET",
            path: path`${base}/${{ shown: "{message}", encoded: escaped }}`
          } as const
          const isPost = operation !== "signal" &&
            (method === "POST" || method === "auto" && Endpoint.addressSize(config, get) > config.maxUrlSize)
          const endpoint: Endpoint.Endpoint<Published> = isPost
            ? { ...common, method: "POST", path: base, body: text }
            : get
          const error = Endpoint.errorOf(endpoint)
          const unusable = Endpoint.refusalOf(config, { ...endpoint, longestAddress: Infinity })
          if (unusable !== undefined) return Effect.fail(error(unusable))
          if (measured > limit) return Effect.fail(tooLarge("client"))
          const tooLong = Endpoint.refusalOf(config, endpoint)
          if (tooLong !== undefined) return Effect.fail(error(tooLong))
          const outcomeUnknown = (reason: PublishOutcomeUnknown["reason"]) =>
            new PublishOutcomeUnknown({
              operation,
              channel,
              ...messageId === undefined ? {} : { messageId },
              reason,
              request: Endpoint.facts(endpoint)
            })
          return Effect.succeed(
            Effect.mapError(Endpoint.send(config, endpoint), (reason): PublishError =>
              Result.match(Outcome.judge(reason), {
                onFailure: outcomeUnknown,
                onSuccess: (refusal) =>
                  refusal._tag === "BadRequest" &&
                    (refusal.status === 413 || refusal.status === 414 || /too (large|long)/i.test(refusal.description))
                    ? tooLarge("service")
                    : error(refusal)
              }))
          )
        }
      })
    }))

const Sent = Schema.Tuple([Schema.Literal(1), Schema.String, Timetoken])
const decodeSent = Codec.decodeResult(Sent)

const decodeAnswer = (json: Schema.Json): Result.Result<Published, string> =>
  Result.map(decodeSent(json), ([, , timetoken]) => ({ timetoken }))
