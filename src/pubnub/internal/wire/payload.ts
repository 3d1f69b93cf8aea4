/**
 * Encodes and decodes payloads, for publish, files, subscribe and history. `encryption.ts` encrypts and decrypts them.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import * as Json from "../../../internal/json.ts"

/** Encodes a message as JSON text, or says what is wrong with it. */
export const encode = (message: unknown): Result.Result<string, string> =>
  Result.mapError(Json.stringify(message, { wellFormed: true }), (lost) => `cannot be carried by JSON: ${lost}`)

/**
 * The message with the payload of mobile push. The service looks for that at the top of an object; a message that is no object
 * becomes its field `pn_other`.
 */
export const withPush = (message: string, push: object): Result.Result<string, string> =>
  Result.flatMap(encode(push), (text) => {
    if (!message.startsWith("{")) return Result.succeed(`${text.slice(0, -1)},"pn_other":${message}}`)
    const fields = Result.getOrElse(Json.parse(message), () => null)
    const twice = Object.keys(push).find((key) => Json.isRecord(fields) && Object.hasOwn(fields, key))
    return twice === undefined
      ? Result.succeed(message === "{}" ? text : `${text.slice(0, -1)},${message.slice(1)}`)
      : Result.fail(`has ${twice} of its own, and push is given`)
  })

/** Encodes a typed message in the JSON form of its schema, so dates and big integers keep their values. */
export const encodeWith = <A, RE>(
  schema: Schema.ConstraintCodec<A, unknown, unknown, RE>,
  message: A
): Effect.Effect<string, string, RE> =>
  Codec.encode(Schema.toCodecJson(schema))(message).pipe(
    Effect.mapError((issue) => `does not match its schema: ${issue}`),
    Effect.flatMap((json) => Effect.fromResult(encode(json)))
  )

/** Makes a decoder of payloads, which fails with what is wrong. A subscription makes it once. */
export const decodeWith = <A, RD>(
  schema: Schema.ConstraintDecoder<A, RD>
): (payload: Schema.Json) => Effect.Effect<A, string, RD> => Codec.decode(Schema.toCodecJson(schema))
