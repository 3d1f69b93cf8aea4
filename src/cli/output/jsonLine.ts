/**
 * What was decoded, as a line of JSON, however deep it is.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Codec from "../../internal/codec.ts"
import * as Json from "../../internal/json.ts"

/** The JSON form of a schema. What it does not know is written as it is: one value must not end what prints them all. */
export const of = <A, I>(schema: Schema.Codec<A, I>): (value: A) => Effect.Effect<string> => {
  const encode = Codec.encode(Schema.toCodecJson(schema))
  return (value) =>
    Effect.match(encode(value), {
      onFailure: () => Json.text(value),
      onSuccess: Json.text
    })
}
