/**
 * Sending: {@link publish} to subscribers and history, {@link fire} to Functions alone, {@link signal} for small and
 * frequent news. Nobody needs to be subscribed in order to send.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../internal/codec.ts"
import * as Url from "../internal/url.ts"
import * as Channel from "./Channel.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as MessageIds from "./internal/reading/messageIds.ts"
import * as Outcome from "./internal/wire/outcome.ts"
import * as Payload from "./internal/wire/payload.ts"
import { PubNubConfig } from "./PubNubConfig.ts"
import * as PubNubError from "./PubNubError.ts"
import { Timetoken } from "./Timetoken.ts"

/**
 * What the service says of a message that it took: its timetoken, by which history and message actions know it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Published {
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
export class MessageTooLarge extends Schema.TaggedError<MessageTooLarge>("effect-herald/pubnub/MessageTooLarge")(
  "MessageTooLarge",
  {
    operation: Schema.String,
    channel: Schema.String,
    size: Schema.Int,
    limit: Schema.Int,
    refusedBy: Schema.Literals(["client", "service"])
  }
) {
  override get message(): string {
    const of = this.refusedBy === "client" ? `the limit is ${this.limit}` : "the service refused it"
    return `${this.operation}: the message for ${this.channel} has ${this.size} bytes; ${of}. Send less, or send where ` +
      "the rest can be found. A keyset with a larger limit is told by maxMessageSize and maxSignalSize of PubNubConfig."
  }
  get isRetryable(): false {
    return false
  }
  get retryAfter(): Option.Option<Duration.Duration> {
    return Option.none()
  }
}

/**
 * The request went out and no answer of the service came back: the message may have been stored and delivered, or not.
 * Sending it again may deliver it twice; history or an own subscription can tell, by `messageId` where it has one.
 *
 * @category errors
 * @since 0.1.0
 */
export class PublishOutcomeUnknown
  extends Schema.TaggedError<PublishOutcomeUnknown>("effect-herald/pubnub/PublishOutcomeUnknown")(
    "PublishOutcomeUnknown",
    {
      operation: Schema.String,
      channel: Schema.String,
      /** What its metadata holds under `messageIdKey` of `Publisher`. */
      messageId: Schema.optionalKey(Schema.String),
      reason: Schema.Union(Outcome.Unknown),
      request: Schema.Struct({ method: Schema.String, path: Schema.String })
    }
  )
{
  override get message(): string {
    const id = this.messageId === undefined ? "" : ` ${this.messageId}`
    return `${this.operation}: whether the message${id} for ${this.channel} was taken is not known. ` +
      `${this.reason.message} Look for it in history before sending it again.`
  }
  /** Always `false`: a blind retry may send twice. */
  get isRetryable(): false {
    return false
  }
  get retryAfter(): Option.Option<Duration.Duration> {
    return Option.none()
  }
}

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
): Effect.Effect<Published, PublishError, HttpClient.HttpClient | PubNubConfig | RE> =>
  send("publish", options, [
    ...options.customMessageType === undefined ? [] : [["custom_message_type", options.customMessageType] as const],
    ...options.store === undefined ? [] : [["store", options.store ? "1" : "0"] as const],
    ...options.ttl === undefined ? [] : [["ttl", String(options.ttl)] as const],
    ...options.replicate === false ? [["norep", "true"] as const] : []
  ])

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
  send("fire", options, [["store", "0"], ["norep", "true"]])

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
  send(
    "signal",
    options,
    options.customMessageType === undefined ? [] : [["custom_message_type", options.customMessageType]]
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
  Effect.mapBoth(prepare(options), {
    onFailure: (details) => Endpoint.errorOf(address("publish", options.channel, "GET"))(Endpoint.refused(details)),
    onSuccess: (prepared) => prepared.size
  })

interface Prepared {
  readonly text: string
  readonly escaped: string
  readonly channel: string
  readonly meta: string | undefined
  readonly size: number
}

type Sendable<A, RE> = Pick<
  PublishOptions<A, RE>,
  "channel" | "message" | "meta" | "schema" | "ttl" | "customMessageType"
>

const prepare = <A, RE>(
  options: Sendable<A, RE>
): Effect.Effect<Prepared, ReadonlyArray<PubNubError.Detail>, RE> =>
  Effect.suspend(() => {
    const meta = options.meta === undefined ? Result.succeed(undefined) : Payload.encode(options.meta)
    const details = issuesOf(options)
    if (Result.isFailure(meta)) details.push({ location: "meta", message: meta.failure })
    const metaText = Result.getOrElse(meta, () => undefined)
    const encoded = options.schema === undefined
      ? Effect.fromResult(Payload.encode(options.message))
      : Payload.encodeWith(options.schema, options.message)
    return Effect.matchEffect(encoded, {
      onFailure: (message) => Effect.fail([...details, { location: "message", message }]),
      onSuccess: (text) => {
        if (details.length > 0) return Effect.fail(details)
        const escaped = Url.encode(text)
        const channel = Url.encode(options.channel)
        const size = escaped.length + channel.length + (metaText === undefined ? 0 : Url.encode(metaText).length)
        return Effect.succeed({ text, escaped, channel, meta: metaText, size })
      }
    })
  })

const issuesOf = <A, RE>(options: Sendable<A, RE>): Array<PubNubError.Detail> => {
  const details: Array<PubNubError.Detail> = []
  const issue = Channel.issue(options.channel)
  if (issue !== undefined) details.push({ location: "channel", message: issue })
  if (Channel.isPresence(options.channel)) {
    details.push({ location: "channel", message: "ends in -pnpres, to which only the service publishes" })
  }
  if (options.meta !== undefined && Array.isArray(options.meta)) {
    details.push({ location: "meta", message: "is a list; it must be an object" })
  }
  if (options.ttl !== undefined && (!Number.isInteger(options.ttl) || options.ttl < 0)) {
    details.push({ location: "ttl", message: "is not a whole number of hours" })
  }
  const type = options.customMessageType
  if (type !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_-]{2,49}$/.test(type)) {
    details.push({
      location: "customMessageType",
      message: "must be 3 to 50 of letters, digits, _ and -, the first a letter or a digit"
    })
  }
  return details
}

type Kind = "publish" | "fire" | "signal"

const address = (operation: Kind, channel: string, method: "GET" | "POST") => ({
  operation,
  method,
  shownPath: `/${operation === "signal" ? "signal" : "publish"}/{publishKey}/{subscribeKey}/0/${channel}/0` +
    (method === "GET" ? "/{message}" : "")
})

const utf8 = new TextEncoder()

const send = <A, RE>(
  operation: Kind,
  options: Sendable<A, RE> & Pick<PublishOptions, "method">,
  parameters: Url.Query
): Effect.Effect<Published, PublishError, HttpClient.HttpClient | PubNubConfig | RE> =>
  Effect.gen(function*() {
    const config = yield* PubNubConfig
    const refuse = Endpoint.errorOf(address(operation, options.channel, options.method === "POST" ? "POST" : "GET"))
    const { publishKey, subscribeKey } = config
    if (publishKey === undefined || publishKey === "") {
      return yield* refuse(new PubNubError.InvalidKey({ key: "publish", description: "it is not set" }))
    }
    if (subscribeKey === "") {
      return yield* refuse(new PubNubError.InvalidKey({ key: "subscribe", description: "it is not set" }))
    }
    const prepared = yield* Effect.mapError(prepare(options), (details) => refuse(Endpoint.refused(details)))
    const measured = operation === "signal" ? utf8.encode(prepared.text).length : prepared.size
    const limit = operation === "signal" ? config.maxSignalSize : config.maxMessageSize
    const tooLarge = (refusedBy: "client" | "service") =>
      new MessageTooLarge({ operation, channel: options.channel, size: measured, limit, refusedBy })
    if (measured > limit) return yield* tooLarge("client")

    const query: Url.Query = prepared.meta === undefined ? parameters : [...parameters, ["meta", prepared.meta]]
    const base = `/${
      operation === "signal" ? "signal" : "publish"
    }/${publishKey}/${subscribeKey}/0/${prepared.channel}/0`
    const get = `${base}/${prepared.escaped}`
    const method = operation === "signal"
      ? "GET"
      : options.method === undefined || options.method === "auto"
      ? Endpoint.addressSize(config, { path: get, query }) > config.maxUrlSize ? "POST" : "GET"
      : options.method
    const where = address(operation, options.channel, method)
    const error = Endpoint.errorOf(where)
    const endpoint: Endpoint.Endpoint<Published> = {
      ...where,
      path: method === "GET" ? get : base,
      query,
      body: method === "GET" ? undefined : prepared.text,
      signedAsGet: true,
      attributes: { "messaging.destination.name": options.channel },
      decode: decodeAnswer
    }
    const messageId = MessageIds.idOf(options.meta)
    const outcomeUnknown = (reason: PublishOutcomeUnknown["reason"]) =>
      new PublishOutcomeUnknown({
        operation,
        channel: options.channel,
        ...messageId === undefined ? {} : { messageId },
        reason,
        request: Endpoint.facts(where)
      })
    return yield* Endpoint.call(config, endpoint, (reason): PublishError =>
      Result.match(Outcome.judge(reason), {
        onFailure: outcomeUnknown,
        onSuccess: (refusal) =>
          refusal._tag === "BadRequest" &&
            (refusal.status === 413 || refusal.status === 414 || /too (large|long)/i.test(refusal.description))
            ? tooLarge("service")
            : error(refusal)
      }))
  })

const Sent = Schema.Tuple([Schema.Literal(1), Schema.String, Timetoken])
const decodeSent = Codec.decodeResult(Sent)

const decodeAnswer = (json: Schema.Json): Result.Result<Published, string> =>
  Result.map(decodeSent(json), ([, , timetoken]) => ({ timetoken }))
