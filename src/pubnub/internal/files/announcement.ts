/** The event that tells a channel of a file. */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as Duration from "effect/Duration"
import * as Input from "../../../internal/input.ts"
import * as Url from "../../../internal/url.ts"
import type { Detail } from "../../PubNubError.ts"
import type { Timetoken } from "../../Timetoken.ts"
import type { Encryption } from "../wire/encryption.ts"
import type * as Endpoint from "../wire/endpoint.ts"
import { path, publishKey, subscribeKey } from "../wire/path.ts"
import * as Payload from "../wire/payload.ts"
import * as Publication from "../wire/publication.ts"

/** What goes with a file. */
export interface Options<A, RE> {
  readonly channel: string
  readonly message?: A | undefined
  readonly schema?: Schema.ConstraintCodec<A, unknown, unknown, RE> | undefined
  readonly meta?: { readonly [key: string]: unknown } | undefined
  readonly store?: boolean | undefined
  readonly ttl?: Duration.Input | undefined
  readonly customMessageType?: string | undefined
}

/** Options that were checked and encoded. */
export interface Announcement {
  readonly channel: string
  /** The JSON of the message, if there is one. */
  readonly message: string | undefined
  readonly query: Url.Parameters
}

/** Checks and encodes, or says what is wrong. */
export const encode = <A, RE>(
  given: Options<A, RE>
): Effect.Effect<Result.Result<Announcement, ReadonlyArray<Detail>>, never, RE> => {
  const { channel, customMessageType, message, schema, store, ttl } = given
  const meta = given.meta === undefined ? Result.succeed(undefined) : Payload.encode(given.meta)
  const issues = Input.issues({
    channel: Publication.channel(channel),
    store: Input.optional(Input.flag)(store),
    ttl: Publication.ttl(ttl),
    customMessageType: Publication.customType(customMessageType),
    meta: Result.isFailure(meta)
      ? meta.failure
      : Input.optional(Input.record)(given.meta) ??
        (meta.success?.startsWith("{") === false ? "is not a JSON object" : undefined)
  })
  const finish = (
    encoded: Result.Result<string | undefined, string>
  ): Result.Result<Announcement, ReadonlyArray<Detail>> =>
    Result.isFailure(encoded)
      ? Result.fail([...issues, { location: "message", message: encoded.failure }])
      : Result.isFailure(meta) || issues.length > 0
      ? Result.fail(issues)
      : Result.succeed({
        channel,
        message: encoded.success,
        query: {
          meta: meta.success,
          custom_message_type: customMessageType,
          store: store === undefined ? undefined : store ? "1" : "0",
          ttl: ttl === undefined ? undefined : Publication.hoursOf(ttl)
        }
      })
  return message === undefined
    ? Effect.succeed(finish(Result.succeed(undefined)))
    : schema === undefined
    ? Effect.succeed(finish(Payload.encode(message)))
    : Effect.map(Effect.result(Payload.encodeWith(schema, message)), finish)
}

/** The JSON of the event. */
const textOf = (message: string | undefined, file: { readonly id: string; readonly name: string }): string =>
  `{${message === undefined ? "" : `"message":${message},`}"file":${JSON.stringify({ id: file.id, name: file.name })}}`

/** The request that announces a file. With an encryption, all of the event is one ciphertext. */
export const endpoint = (
  operation: string,
  { channel, message, query }: Announcement,
  file: { readonly id: string; readonly name: string },
  encryption: Encryption | undefined
): Effect.Effect<Endpoint.Endpoint<{ readonly timetoken: Timetoken }>> => {
  const text = textOf(message, file)
  return Effect.map(encryption === undefined ? Effect.succeed(text) : encryption.seal(text), (event) => ({
    operation,
    path: path`/v1/files/publish-file/${publishKey}/${subscribeKey}/0/${channel}/0/${{
      shown: "{message}",
      encoded: Url.encode(event)
    }}`,
    query,
    longInput: query["meta"] === undefined || (message ?? "").length > query["meta"].length
      ? { location: "message", advice: "send less of it, or as a second file" }
      : { location: "meta", advice: "send less of it" },
    attributes: { "messaging.destination.name": channel },
    decode: Publication.decodeSent
  }))
}
