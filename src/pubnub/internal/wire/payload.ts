/**
 * The one seam at which a payload becomes wire text and wire JSON becomes a payload, for publish, subscribe and
 * history alike. Typed payloads stand here; encryption will.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import * as Json from "../../../internal/json.ts"

/** A schema whose values can be written. */
export type Writer<A, RE> = Schema.ConstraintCodec<A, unknown, unknown, RE>

/** A schema whose values can be read. */
export type Reader<A, RD> = Schema.ConstraintCodec<A, unknown, RD, unknown>

/** The JSON text of a message, or a sentence on what is wrong with it. */
export const encode = (message: unknown): Result.Result<string, string> =>
  Result.mapError(Json.stringify(message, { wellFormed: true }), (lost) => `cannot be carried by JSON: ${lost}`)

/** The same for a typed message: its schema's JSON form, so that dates and big integers come back as what they were. */
export const encodeWith = <A, RE>(schema: Writer<A, RE>, message: A): Effect.Effect<string, string, RE> =>
  Codec.encode(Schema.toCodecJson(schema))(message).pipe(
    Effect.mapError((issue) => `does not match its schema: ${issue}`),
    Effect.flatMap((json) => Effect.fromResult(encode(json)))
  )

/** Reads payloads with a schema; fails with a sentence. Made once for a subscription. */
export const decodeWith = <A, RD>(schema: Reader<A, RD>): (payload: Schema.Json) => Effect.Effect<A, string, RD> =>
  Codec.decode(Schema.toCodecJson(schema))
