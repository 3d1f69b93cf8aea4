/**
 * Decodes a list item by item: an item that cannot be decoded stays in its place and does not affect the others.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import { isDecoded, isUndecodable, type UndecodableItem } from "../../../UndecodableItem.ts"
import * as Envelope from "./envelope.ts"

/** A list whose items are decoded later, one by one. */
export const Unread = Schema.Array(Envelope.Parsed)

export const undecodable = (raw: Schema.Json, issue: string): UndecodableItem => ({
  _tag: "UndecodableItem",
  issue,
  raw
})

/** Reads one item with a schema. */
export const reader = <A>(schema: Schema.ConstraintDecoder<A>): (raw: Schema.Json) => A | UndecodableItem => {
  const decode = Codec.decodeResult(schema)
  return (raw) => Result.getOrElse(decode(raw), (issue) => undecodable(raw, issue))
}

/** Reads the name of a channel or group. Any other value becomes an `UndecodableItem`. */
export const readName = reader(Schema.String)

/** The items that were decoded. Logs a warning for each of the others. */
export const decoded = <A>(items: ReadonlyArray<A | UndecodableItem>, of: string): Effect.Effect<ReadonlyArray<A>> => {
  const odd = items.filter(isUndecodable)
  return Effect.as(
    Effect.forEach(odd, ({ issue }) => Effect.logWarning(`an entry of ${of} cannot be read: ${issue}`)),
    items.filter((item) => isDecoded<A>(item))
  )
}
