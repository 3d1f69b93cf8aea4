/**
 * Encryption of messages and files between clients, with keys that the service does not know: {@link layer} turns it on for
 * `Publish`, `Publisher`, `History` and `Subscribe`, whose functions stay the same.
 *
 * The format is the vendor's: AES-256 in CBC mode with a random initialization vector. It hides the content of messages from the
 * service. It does not show whether somebody changed them: TLS and access control do that.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as Failure from "../internal/failure.ts"
import * as Input from "../internal/input.ts"
import * as Secret from "../internal/secret.ts"
import { block } from "./internal/encryption/aes.ts"
import * as Base64 from "./internal/encryption/base64.ts"
import * as Blocks from "./internal/encryption/blocks.ts"
import * as Cipher from "./internal/encryption/cipher.ts"
import * as Format from "./internal/encryption/format.ts"
import { derive, type Keys } from "./internal/encryption/keys.ts"
import * as Push from "./internal/encryption/push.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import type * as PubNubError from "./PubNubError.ts"

/**
 * The options of {@link make} and {@link layer}: one `key`, or several `keys`.
 *
 * @category models
 * @since 0.1.0
 */
export type Options =
  & {
    /**
     * Which messages of the older formats are read, which have no header. `"random"`: those with a random initialization vector,
     * as clients wrote since 2021. `"static"`: also those whose vector is always the same. `"none"`: a text that could be such
     * a message is plain. Default: `"random"`.
     */
    readonly legacy?: "random" | "static" | "none" | undefined
    /**
     * Writes the older format that `legacy` names, for readers that cannot read the new one. Only 128 bits of its keys vary, and
     * with `"static"` equal messages have equal ciphertexts. It logs a warning. Default: `false`.
     */
    readonly writeLegacy?: boolean | undefined
    /**
     * What becomes of a message that is not encrypted. `"accept"`: it is read, with `encrypted: false`. `"reject"`: it is an
     * `Undecodable` or `StoredUndecodable` with the reason `NotEncrypted`, and `Publish.signal` fails, since signals cannot be
     * encrypted. With `"accept"`, all who may publish can send plain messages. Default: `"accept"`.
     */
    readonly plain?: "accept" | "reject" | undefined
  }
  & (
    | {
      /** The cipher key: text of any length but none. 32 random characters or more are good. */
      readonly key: Redacted.Redacted
      /** Not with `key`. */
      readonly keys?: undefined
    }
    | {
      /** Not with `keys`. */
      readonly key?: undefined
      /** The newest key first, which encrypts. All of them decrypt. */
      readonly keys: Arr.NonEmptyReadonlyArray<Redacted.Redacted>
    }
  )

/**
 * What a received payload was.
 *
 * @category models
 * @since 0.1.0
 */
export type Opened =
  | {
    readonly _tag: "Decrypted"
    /** The message. */
    readonly payload: Schema.Json
  }
  | {
    /** It was not encrypted. */
    readonly _tag: "Plain"
  }
  | {
    readonly _tag: "Unreadable"
    /** `"NotEncrypted"`: `plain: "reject"` refuses it. */
    readonly reason: "Undecryptable" | "NotEncrypted"
    /** What is wrong with it. It quotes nothing of it. */
    readonly issue: string
  }

/**
 * A stream of bytes that cannot be decrypted: another key encrypted it, it was changed or cut, or it was not encrypted. Which of
 * these, nobody can tell.
 *
 * @category errors
 * @since 0.1.0
 */
export class Undecryptable extends Failure.TaggedError<Undecryptable>("pubnub")("Undecryptable", {
  /** What is wrong. It quotes nothing of the bytes. */
  description: Schema.String
}, {
  message: ({ description }) =>
    `The bytes cannot be decrypted: ${description}. Check the key, and whether they are encrypted.`
}) {}

/**
 * What encrypts and decrypts. Calls of `Publish`, `History` and `Subscribe` use the one in their context.
 *
 * @category models
 * @since 0.1.0
 */
export interface Encryption {
  /** What becomes of messages that are not encrypted. */
  readonly plain: "accept" | "reject"
  /**
   * Encrypts the JSON text of a message. Gives the JSON text to publish: the ciphertext as a string, or an object where the
   * message has parts for push services (`pn_apns`, `pn_fcm`, `pn_gcm`), which stay readable. Texts are finished in the order of
   * the calls.
   */
  readonly seal: (text: string) => Effect.Effect<string>
  /**
   * Says of each payload what it was, in their order. It fails for none. Without an encrypted one it is finished at once.
   */
  readonly openAll: (payloads: ReadonlyArray<Schema.Json>) => Effect.Effect<ReadonlyArray<Opened>>
  /** Encrypts a stream of bytes, as files are encrypted. It holds about a chunk at a time. */
  readonly encryptBytes: <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) => Stream.Stream<Uint8Array, E, R>
  /**
   * Decrypts a stream of bytes. It holds about a chunk at a time, and emits bytes before it has seen the end: only a stream that
   * ends without a failure was complete. With several keys it runs the stream twice, since the end shows which key is the right
   * one. It fails where two of them may be, once in a few hundred streams.
   */
  readonly decryptBytes: <E, R>(
    bytes: Stream.Stream<Uint8Array, E, R>
  ) => Stream.Stream<Uint8Array, E | Undecryptable, R>
  /** How many bytes {@link encryptBytes} makes of so many. */
  readonly encryptedSize: (bytes: number) => number
}

/**
 * The encryption in the context. Default: none. `Effect.provideService` with `undefined` turns it off for a part of a program.
 *
 * **Example** (One channel without encryption)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { Encryption } from "effect-herald/pubnub/Encryption"
 * import * as Publish from "effect-herald/pubnub/Publish"
 *
 * const announce = Publish.publish({ channel: "public", message: "open" }).pipe(
 *   Effect.provideService(Encryption, undefined)
 * )
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export const Encryption: Context.Reference<Encryption | undefined> = Context.Reference<Encryption | undefined>(
  // `internal/wire/encryption.ts` has the same key.
  "effect-herald/pubnub/Encryption",
  { defaultValue: () => undefined }
)

/**
 * Makes an encryption, as a value. Fails with `BadRequest` if a key is empty or not redacted text, or where the runtime has no Web
 * Crypto: pages have it over HTTPS only.
 *
 * **Example** (A key for each of two channels)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import * as Encryption from "effect-herald/pubnub/Encryption"
 * import * as Publish from "effect-herald/pubnub/Publish"
 *
 * declare const keys: { readonly orders: Redacted.Redacted; readonly audit: Redacted.Redacted }
 *
 * const program = Effect.gen(function*() {
 *   const orders = yield* Encryption.make({ key: keys.orders })
 *   const audit = yield* Encryption.make({ key: keys.audit, plain: "reject" })
 *   yield* Publish.publish({ channel: "orders", message: { id: 1 } }).pipe(
 *     Effect.provideService(Encryption.Encryption, orders)
 *   )
 *   yield* Publish.publish({ channel: "audit", message: "ordered" }).pipe(
 *     Effect.provideService(Encryption.Encryption, audit)
 *   )
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  options: Options
): Effect.Effect<Encryption, PubNubError.PubNubErrorOf<PubNubError.BadRequest>> =>
  Endpoint.reading(operation, () => {
    const { key, keys: several, legacy = "random", plain = "accept", writeLegacy = false } = options
    const issues = Input.issues({
      ...key === undefined
        ? keysProblem(several)
        : { key: secret(key), keys: several === undefined ? undefined : "is given beside key: pass one of them" },
      legacy: Input.oneOf(["random", "static", "none"])(legacy),
      plain: Input.oneOf(["accept", "reject"])(plain),
      writeLegacy: Input.flag(writeLegacy) ??
        (writeLegacy && legacy === "none" ? "is true, and legacy is \"none\", which names no format" : undefined)
    })
    if (issues.length > 0) return Effect.fail(Endpoint.refusal(operation, issues))
    const texts = Secret.textsOf(key === undefined ? several ?? [] : [key])
    const derived = Effect.tryPromise({
      try: () => Promise.all(texts.map(derive)),
      catch: () => Endpoint.refusal(operation, [{ location: "key", message: "cannot be used: there is no Web Crypto" }])
    })
    const written = writeLegacy && legacy !== "none" ? legacy : "headed"
    return Effect.flatMap(derived, (keys) =>
      Arr.isReadonlyArrayNonEmpty(keys)
        ? Effect.as(written === "headed" ? Effect.void : Effect.logWarning(weak), of(keys, { legacy, plain, written }))
        : Effect.fail(Endpoint.refusal(operation, [{ location: "key", message: "is missing" }])))
  })

const operation = "Encryption.make"

const weak =
  "Messages are encrypted in a legacy format, whose keys have 128 bits. Write the new one once all readers can read it."

// It shows no part of what it refuses: that may be a key in clear text.
const secret: Input.Check = (value) => Secret.check(value) ?? (Secret.textOf(value) === "" ? "is empty" : undefined)

const keysProblem = (keys: unknown): { readonly [location: string]: string | undefined } =>
  keys === undefined
    ? { key: "is missing" }
    : Array.isArray(keys) && keys.length > 0
    ? Object.fromEntries(keys.map((key, index) => [`keys[${index}]`, secret(key)]))
    : { keys: "is not a list of keys" }

/**
 * Encrypts what is published, and decrypts what is read, wherever the layer is provided. Keys are derived once. Fails as
 * {@link make} does.
 *
 * **Details**
 *
 * - `Publish.publish`, `Publish.fire` and `Publisher` encrypt the message. Its `meta`, its type and its channel stay readable, and
 *   limits of size count the ciphertext. Signals, message actions and App Context are not encrypted.
 * - `History` and `Subscribe` decrypt messages, and what is shared with a file, and say of each whether it was `encrypted`. One
 *   that cannot be decrypted is a `StoredUndecodable` or an `Undecodable` with the reason `Undecryptable`, in its place.
 * - Streams share a connection only with streams of the same encryption.
 * - Where the runtime has the `crypto` of Node, that encrypts and decrypts, and elsewhere Web Crypto, which takes longer.
 *
 * **Example** (An encrypted channel)
 *
 * ```ts
 * import * as Config from "effect/Config"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as NodePubNub from "effect-herald/node/NodePubNub"
 * import * as Encryption from "effect-herald/pubnub/Encryption"
 * import * as Publish from "effect-herald/pubnub/Publish"
 *
 * const Encrypted = Layer.unwrap(Effect.map(Config.Redacted("CIPHER_KEY"), (key) => Encryption.layer({ key })))
 *
 * const program = Publish.publish({ channel: "orders", message: { id: 1 } }).pipe(
 *   Effect.provide([Encrypted, NodePubNub.layer({ subscribeKey: "demo", publishKey: "demo", userId: "ada" })])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never, PubNubError.PubNubErrorOf<PubNubError.BadRequest>> =>
  Layer.effect(Encryption, make(options))

const of = (
  keys: Arr.NonEmptyReadonlyArray<Keys>,
  { legacy, plain, written }: {
    readonly legacy: Cipher.Legacy
    readonly plain: "accept" | "reject"
    readonly written: "headed" | "random" | "static"
  }
): Encryption => {
  const [newest] = keys
  const isHeaded = written === "headed"
  const encrypted = async (text: string) => Base64.encode(await Cipher.seal(newest, text, written))
  // Publications have the order of their calls, although a short text is encrypted sooner than a long one.
  let last: Promise<unknown> | undefined
  const inTurn = <A>(work: Promise<A>): Promise<A> => {
    const turn = last === undefined ? work : Promise.all([work, last]).then(([result]) => result)
    const end = () => {
      if (last === ended) last = undefined
    }
    const ended = turn.then(end, end)
    last = ended
    return turn
  }
  const notEncrypted: Opened = plain === "accept" ? { _tag: "Plain" } : {
    _tag: "Unreadable",
    reason: "NotEncrypted",
    issue: "it is not encrypted"
  }
  const sealedOf = (payload: Schema.Json): Cipher.Sealed | undefined => {
    const bytes = Base64.decode(Push.ciphertextOf(payload) ?? "")
    return bytes === undefined ? undefined : Cipher.read(bytes, legacy)
  }
  const open = async (sealed: Cipher.Sealed | undefined): Promise<Opened> => {
    if (sealed === undefined) return notEncrypted
    const payload = await Cipher.open(keys, sealed)
    return payload === undefined
      ? { _tag: "Unreadable", reason: "Undecryptable", issue: sealed.issue }
      : { _tag: "Decrypted", payload }
  }
  return {
    plain,
    seal: (text) => {
      const message = Push.split(text)
      return Effect.promise(() =>
        inTurn(
          message === undefined
            ? encrypted(text).then((ciphertext) => `"${ciphertext}"`)
            : encrypted(message.proper).then((ciphertext) => Push.joined(message.parts, ciphertext))
        )
      )
    },
    openAll: (payloads) => {
      const sealed = payloads.map(sealedOf)
      return sealed.every((one) => one === undefined)
        ? Effect.succeed(payloads.map(() => notEncrypted))
        : Effect.promise(() => Promise.all(sealed.map(open)))
    },
    encryptBytes: (bytes) => Blocks.encryptAll(bytes, { key: isHeaded ? newest.headed : newest.legacy, isHeaded }),
    decryptBytes: (bytes) =>
      Blocks.decryptAll(bytes, keys, legacy, (description) => new Undecryptable({ description })),
    encryptedSize: (bytes) => (isHeaded ? Format.headerSize : block) + bytes - bytes % block + block
  }
}
