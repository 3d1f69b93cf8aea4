/**
 * A decoded value as a line of JSON, whatever its depth.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Codec from "../../internal/codec.ts"
import * as Json from "../../internal/json.ts"
import * as Lengths from "./lengths.ts"

/** Encodes with a schema. A value that does not fit is written as it is, so that it does not end the command. */
export const of = <A, I>(schema: Schema.Codec<A, I>): (value: A) => Effect.Effect<string> => {
  const encode = Codec.encode(Schema.toCodecJson(schema))
  return (value) =>
    Effect.match(encode(value), {
      onFailure: () => Json.text(value),
      onSuccess: (json) => Json.text(Lengths.inMillis(json))
    })
}
