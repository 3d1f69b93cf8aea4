/**
 * Sends messages: {@link publish} to subscribers and history, {@link fire} to Functions only, {@link signal} for small and
 * frequent messages. To send, a program does not need a subscription.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Failure from "../internal/failure.ts"
import * as Input from "../internal/input.ts"
import * as Json from "../internal/json.ts"
import * as Url from "../internal/url.ts"
import { whatHappened } from "../internal/whatHappened.ts"
import { Current } from "./internal/wire/encryption.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as MessageIds from "./internal/reading/messageIds.ts"
import * as Outcome from "./internal/wire/outcome.ts"
import { path, publishKey, subscribeKey } from "./internal/wire/path.ts"
import * as Payload from "./internal/wire/payload.ts"
import * as Publication from "./internal/wire/publication.ts"
import type { Encryption } from "./Encryption.ts"
import { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { PushPayload } from "./PushPayload.ts"
import type { Timetoken } from "./Timetoken.ts"

/**
 * The answer to a message that the service accepted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Published {
  /** The position of the message. It identifies the message in history and in message actions. */
  readonly timetoken: Timetoken
}

/**
 * The options of {@link signal}.
 *
 * @category models
 * @since 0.1.0
 */
export interface SignalOptions<A = unknown, RE = never> {
  /** One channel, neither a wildcard nor a presence name. */
  readonly channel: string
  /** Any value that JSON can hold, also `0`, `false`, `""` and `null`. Pass the value itself, not JSON text. */
  readonly message: NoInfer<A>
  /** The schema that checks and encodes the message. With it, dates and big integers keep their values. */
  readonly schema?: Schema.ConstraintCodec<A, unknown, unknown, RE> | undefined
  /** A label of the message: 3 to 50 letters, digits, `_` and `-`, first a letter or a digit. Default: none. */
  readonly customMessageType?: string | undefined
}

/**
 * The options of {@link fire}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FireOptions<A = unknown, RE = never> extends Omit<SignalOptions<A, RE>, "customMessageType"> {
  /** An object beside the message, for filters of subscriptions. Default: none. */
  readonly meta?: { readonly [key: string]: unknown } | undefined
  /** `"auto"` sends a GET, or a POST if the address would be longer than `maxUrlSize`. Default: `"auto"`. */
  readonly method?: "auto" | "GET" | "POST" | undefined
}

/**
 * The options of {@link publish}.
 *
 * @category models
 * @since 0.1.0
 */
export interface PublishOptions<A = unknown, RE = never>
  extends FireOptions<A, RE>, Pick<SignalOptions, "customMessageType">
{
  /** Whether history keeps the message. Default: the setting of the keyset. */
  readonly store?: boolean | undefined
  /** How long history keeps the message, in whole hours. `"Infinity"`: for ever. Default: the setting of the keyset. */
  readonly ttl?: Duration.Input | undefined
  /** Whether other regions get the message. Default: `true`. */
  readonly replicate?: boolean | undefined
  /**
   * What devices show for the message, made by `PushPayload.make`. Subscribers get its parts as fields of the message, beside
   * the message's own; a message that is no object becomes `{ pn_other: message, … }`. Default: nothing is pushed.
   */
  readonly push?: PushPayload | undefined
}

/**
 * The message is larger than the keyset allows. The service counts the escaped bytes of payload, channel and metadata
 * together; of a signal, and of a message above 32,768 bytes where the keyset allows such messages, the bytes of its payload.
 *
 * @category errors
 * @since 0.1.0
 */
export class MessageTooLarge extends Failure.TaggedError<MessageTooLarge>("pubnub")("MessageTooLarge", {
  /** The function that was called: `"Publish.publish"`. */
  operation: Schema.String,
  /** The channel of the message. */
  channel: Schema.String,
  /** The size of the message in bytes. */
  size: Schema.Int,
  /** `maxMessageSize` or `maxSignalSize` of the configuration. If the service refused the message, its limit is smaller. */
  limit: Schema.Int,
  /** `"client"`: nothing was sent. */
  refusedBy: Schema.Literals(["client", "service"])
}, {
  message: ({ channel, limit, operation, refusedBy, size }) => {
    const option = operation === "Publish.signal" ? "maxSignalSize" : "maxMessageSize"
    const [why, more] = refusedBy === "client"
      ? [`the limit is ${limit}`, ` If the keyset allows more, set ${option} of PubNubConfig.`]
      : ["the service refused it", size > usualLimit ? " Does the keyset allow large messages?" : ""]
    return `${operation}: the message for ${channel} has ${size} bytes; ${why}. Send less, or a link to ` +
      `the data.${more}`
  }
}) {}

/**
 * The service did not answer a request that was sent, so the message may have been stored and delivered, or not. If a
 * program sends it again, subscribers may get it twice. History or a subscription can tell, by `messageId` if there is one.
 *
 * @category errors
 * @since 0.1.0
 */
export class PublishOutcomeUnknown
  extends Failure.TaggedError<PublishOutcomeUnknown>("pubnub")("PublishOutcomeUnknown", {
    /** The function that was called: `"Publish.publish"`. */
    operation: Schema.String,
    /** The channel of the message. */
    channel: Schema.String,
    /** The id of the message: `Publisher.messageIdKey` of its metadata. Absent without one. */
    messageId: Schema.optionalKey(Schema.String),
    /** Why the outcome is not known. */
    reason: Schema.Union(Outcome.Unknown),
    /** The request that was sent. */
    request: Schema.Struct({
      /** The HTTP method, in upper case. */
      method: Schema.String,
      /** The path of the URL, with `{…}` for what is left out. */
      path: Schema.String
    })
  }, {
    message: ({ channel, messageId, operation, reason }) => {
      const id = messageId === undefined ? "" : ` ${messageId}`
      return `${operation}: the service may or may not have accepted the message${id} for ${channel}. ` +
        `${whatHappened(reason)} Look for it in history before you send it again.`
    }
  })
{}

/**
 * The errors of {@link publish}, {@link fire} and {@link signal}. The reason `Transport` means that nothing was sent.
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
    | PubNubError.TokenUnavailable
    | PubNubError.InvalidKey
    | PubNubError.FeatureDisabled
    | PubNubError.BadRequest
    | PubNubError.ServerFailure
    | PubNubError.Malformed
  >

/**
 * The errors of {@link prepare}, before anything is sent.
 *
 * @category errors
 * @since 0.1.0
 */
export type PrepareError = MessageTooLarge | PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>

/**
 * Publishes one message to one channel: to all its subscribers, and to history if the keyset stores messages.
 *
 * **Details**
 *
 * `GET` or `POST /publish/{publishKey}/{subscribeKey}/0/{channel}/0/{message}`; above 32,768 bytes, where `maxMessageSize` of
 * the configuration allows it, `POST /v2/publish/{publishKey}/{subscribeKey}/0/{channel}/0`. It never repeats a request: only the caller
 * knows whether a message may be sent twice. Wrong input fails with `BadRequest`, `InvalidKey` or {@link MessageTooLarge}
 * before anything is sent.
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
 * Checks and encodes one message, and gives an effect that publishes it. That effect may run any number of times, and
 * later changes of the passed objects do not affect it.
 *
 * **Details**
 *
 * The outer effect fails if the input is wrong, a key is missing or the message is too large. The inner effect has all
 * other errors. It uses the configuration of the outer effect.
 *
 * **Example** (Encode once, try three times)
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
  encodeFor("Publish.publish", () => ({ ...options }), ({ customMessageType, replicate, store, ttl }) => ({
    custom_message_type: customMessageType,
    store: store === undefined ? undefined : store ? "1" : "0",
    ttl: ttl === undefined ? undefined : Publication.hoursOf(ttl),
    norep: replicate === false ? "true" : undefined
  }))

/**
 * Sends one message to the Functions of one channel in this region. Subscribers do not get it, and history does not keep it.
 *
 * **Details**
 *
 * The request is that of {@link publish}, with `store=0` and `norep=true`.
 *
 * **Example** (Start a Function)
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
  Effect.flatten(encodeFor("Publish.fire", () => ({ ...options }), () => ({ store: "0", norep: "true" })))

/**
 * Sends a small message to the subscribers of one channel: 64 bytes of JSON, unless the keyset allows more
 * (`maxSignalSize`). Signals cost less than messages, and history does not keep them.
 *
 * **Details**
 *
 * `GET /signal/{publishKey}/{subscribeKey}/0/{channel}/0/{message}`
 *
 * **Example** (A typing indicator)
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
      "Publish.signal",
      () => ({ ...options }),
      ({ customMessageType }) => ({ custom_message_type: customMessageType })
    )
  )

/**
 * Measures a message as the service does for its limit: the bytes of the escaped payload, channel and metadata together. A
 * message of less than 1,800 bytes fits one datagram. Above 32,768, where the keyset allows it, the limit counts the bytes of the
 * JSON alone, which are fewer.
 *
 * **Example** (The bytes that are left)
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
  options: Pick<PublishOptions<A, RE>, "channel" | "message" | "meta" | "push" | "schema">
): Effect.Effect<number, PubNubError.PubNubErrorOf<PubNubError.BadRequest>, RE> =>
  Effect.flatMap(Current, (encryption) =>
    Endpoint.reading(
      "Publish.size",
      () =>
        Effect.flatMap(encode({ ...options }, encryption), (encoded) =>
          Result.isSuccess(encoded)
            ? Effect.succeed(encoded.success.escaped().length + encoded.success.otherSize)
            : Effect.fail(Endpoint.refusal("Publish.size", encoded.failure)))
    ))

/** An encoded message. */
interface Encoded {
  readonly text: string
  /** The text in an address. Made when it is asked for: it takes a third of the work of a long message. */
  readonly escaped: () => string
  readonly meta: string | undefined
  /** How long the metadata is in an address. */
  readonly metaSize: number
  /** The size of everything but the text. */
  readonly otherSize: number
}

/** Encodes a message, and encrypts it. Without a schema and encryption, the effect has its result already. */
const encode = <A, RE>(
  given: PublishOptions<A, RE>,
  encryption: Encryption | undefined
): Effect.Effect<Result.Result<Encoded, ReadonlyArray<PubNubError.Detail>>, never, RE> => {
  const { channel, message, push, schema } = given
  const meta = given.meta === undefined ? Result.succeed(undefined) : Payload.encode(given.meta)
  const details = issuesOf(given, meta)
  const finish = (
    encoded: Result.Result<string, string>
  ): Result.Result<Encoded, ReadonlyArray<PubNubError.Detail>> => {
    if (Result.isFailure(encoded)) return Result.fail([...details, { location: "message", message: encoded.failure }])
    if (Result.isFailure(meta) || details.length > 0) return Result.fail(details)
    const text = encoded.success
    let known: string | undefined
    const escaped = () => known ??= Url.encode(text)
    const metaSize = meta.success === undefined ? 0 : Url.encode(meta.success).length
    const otherSize = Url.encode(channel).length + metaSize
    return Result.succeed({ text, escaped, meta: meta.success, metaSize, otherSize })
  }
  const encoded = schema === undefined
    ? Effect.succeed(Payload.encode(message))
    : Effect.result(Payload.encodeWith(schema, message))
  const pushed = push === undefined || details.length > 0
    ? encoded
    : Effect.mapEager(encoded, Result.flatMap((text) => Payload.withPush(text, push)))
  return encryption === undefined
    ? Effect.mapEager(pushed, finish)
    : Effect.flatMap(pushed, (text) =>
      Result.isSuccess(text)
        ? Effect.map(encryption.seal(text.success), (sealed) => finish(Result.succeed(sealed)))
        : Effect.succeed(finish(text)))
}

const method = Input.optional(Input.oneOf(["auto", "GET", "POST"]))
const flag = Input.optional(Input.flag)
const record = Input.optional(Input.record)

const pushParts: Input.Check = (push) =>
  push === undefined || Json.isRecord(push) && Object.keys(push).length > 0 &&
      Object.keys(push).every((key) => key === "pn_apns" || key === "pn_fcm")
    ? undefined
    : "was not made by PushPayload.make"

const issuesOf = <A, RE>(
  given: PublishOptions<A, RE>,
  meta: Result.Result<string | undefined, string>
): ReadonlyArray<PubNubError.Detail> =>
  Input.issues({
    channel: Publication.channel(given.channel),
    method: method(given.method),
    store: flag(given.store),
    ttl: Publication.ttl(given.ttl),
    replicate: flag(given.replicate),
    customMessageType: Publication.customType(given.customMessageType),
    push: pushParts(given.push),
    meta: Result.isFailure(meta)
      ? meta.failure
      : record(given.meta) ?? (meta.success?.startsWith("{") === false ? "is not a JSON object" : undefined)
  })

type Send = Effect.Effect<Published, PublishError, HttpClient.HttpClient>

/** The most bytes of a message that the first version of publish takes, percent-encoded, with channel and metadata. */
const usualLimit = 32_768

const utf8 = new TextEncoder()

/** Checks and encodes a message, and gives the effect that sends it. */
const encodeFor = <A, RE>(
  operation: "Publish.publish" | "Publish.fire" | "Publish.signal",
  read: () => PublishOptions<A, RE>,
  parameters: (given: PublishOptions<A, RE>) => Url.Parameters
): Effect.Effect<Send, PrepareError, PubNubConfig | RE> =>
  Effect.contextWith((context: Context.Context<PubNubConfig>) => {
    const config = Context.get(context, PubNubConfig)
    const encryption = Context.get(context, Current)
    return Endpoint.reading(operation, () => {
      const given = read()
      const { channel, method = "auto" } = given
      const query = parameters(given)
      const messageId = MessageIds.idOf(given.meta)
      const isSignal = operation === "Publish.signal"
      // What a caller without the compiler passes may throw when an error shows it later.
      const name = typeof channel === "string" ? channel : Input.shown(channel)
      const base = isSignal
        ? path`/signal/${publishKey}/${subscribeKey}/0/${name}/0`
        : path`/publish/${publishKey}/${subscribeKey}/0/${name}/0`
      const large = path`/v2/publish/${publishKey}/${subscribeKey}/0/${name}/0`
      return Effect.flatMapEager(
        isSignal && encryption?.plain === "reject"
          ? Effect.succeed(Result.fail([noSignal]))
          : encode(given, isSignal ? undefined : encryption),
        (encoded): Effect.Effect<Send, PrepareError> => {
          if (Result.isFailure(encoded)) {
            const details = encoded.failure
            const refuse = Endpoint.errorOf({ operation, method: method === "POST" ? "POST" : "GET", path: base })
            return Effect.fail(
              refuse(Endpoint.refusalOf(config, { path: base, issues: details }) ?? Endpoint.refused(details))
            )
          }
          const { escaped, meta, metaSize, otherSize, text } = encoded.success
          const limit = isSignal ? config.maxSignalSize : config.maxMessageSize
          const bytes = () => utf8.encode(text).length
          // The second version of publish counts the body as it is. Escaped text is not shorter than text.
          const isLarge = limit > usualLimit && !isSignal && method !== "GET" &&
            (text.length > usualLimit || escaped().length + otherSize > usualLimit)
          const measured = () => isSignal || isLarge ? bytes() : escaped().length + otherSize
          const tooLarge = (refusedBy: "client" | "service") =>
            new MessageTooLarge({ operation, channel, size: measured(), limit, refusedBy })
          const common = {
            operation,
            query: { ...query, meta },
            signedAsGet: true,
            longInput: isSignal
              ? { location: "message", advice: "send less" }
              : metaSize > 0 && metaSize > escaped().length
              ? { location: "meta", advice: "send less of it" }
              : { location: "message", advice: "send it with method: \"POST\" or \"auto\"" },
            attributes: { "messaging.destination.name": channel },
            decode: Publication.decodeSent
          }
          const sending = (endpoint: Endpoint.Endpoint<Published>) => ({
            endpoint,
            address: Endpoint.addressOf(config, endpoint)
          })
          const post: Endpoint.Endpoint<Published> = { ...common, method: "POST", path: base, body: text }
          const chosen = () => {
            if (isLarge) return sending({ ...post, path: large, signedAsGet: false })
            const mayPost = !isSignal && method !== "GET"
            // Escaped text is not shorter.
            if (mayPost && (method === "POST" || text.length > config.maxUrlSize)) return sending(post)
            const get = sending({
              ...common,
              method: "GET",
              path: path`${base}/${{ shown: "{message}", encoded: escaped() }}`
            })
            return mayPost && Endpoint.sizeOf(config, get.endpoint, get.address) > config.maxUrlSize
              ? sending(post)
              : get
          }
          const { address, endpoint } = chosen()
          // A byte has at most three characters when it is escaped.
          const isSmall = endpoint === post && bytes() * 3 + otherSize <= limit
          const error = <R extends PubNubError.Reason>(reason: R) => Endpoint.errorOf(endpoint)(reason)
          const unusable = Endpoint.refusalOf(config, endpoint)
          if (unusable !== undefined) return Effect.fail(error(unusable))
          if (!isSmall && measured() > limit) return Effect.fail(tooLarge("client"))
          const tooLong = Endpoint.tooLongOf(config, endpoint, address)
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
            Effect.mapError(
              Endpoint.sendTo(config, endpoint, address),
              (reason): PublishError =>
                Result.match(Outcome.judge(reason), {
                  onFailure: outcomeUnknown,
                  onSuccess: (refusal) =>
                    refusal._tag === "BadRequest" &&
                      (refusal.status === 413 || refusal.status === 414 ||
                        /too (large|long)/i.test(refusal.description))
                      ? tooLarge("service")
                      : error(refusal)
                })
            )
          )
        }
      )
    })
  })

const noSignal: PubNubError.Detail = {
  location: "message",
  message:
    "cannot be sent as a signal, since no signal is encrypted, and the encryption has plain: \"reject\": publish it"
}
