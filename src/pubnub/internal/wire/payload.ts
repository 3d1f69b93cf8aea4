/**
 * Encodes and decodes payloads, for publish, subscribe and history. Encryption will have its place here.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import * as Json from "../../../internal/json.ts"

/** Encodes a message as JSON text, or says what is wrong with it. */
export const encode = (message: unknown): Result.Result<string, string> =>
  Result.mapError(Json.stringify(message, { wellFormed: true }), (lost) => `cannot be carried by JSON: ${lost}`)

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
