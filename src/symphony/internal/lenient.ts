/**
 * How answers are read. The service writes `null` for most of what there is not, numbers as text here and there, and may
 * write what nobody knows yet. A message that was sent must not look like a failure because of one of its details, so
 * what does not fit is left out.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Codec from "../../internal/codec.ts"
import * as Json from "../../internal/json.ts"
import type { UnreadableEntry } from "../UnreadableEntry.ts"

/** So many levels of an answer mean something here. What lies deeper is whatever somebody else sent, and left as it is. */
const mostLevels = 200

/** The same without anything that is `null`, in lists too. */
export const withoutNulls = (json: Schema.Json, levels = mostLevels): Schema.Json => {
  if (levels === 0) return json
  if (isList(json)) return json.filter(Predicate.isNotNull).map((item) => withoutNulls(item, levels - 1))
  if (!isFields(json)) return json
  return Object.fromEntries(
    Object.entries(json).flatMap(([key, value]) => value === null ? [] : [[key, withoutNulls(value, levels - 1)]])
  )
}

const isList = (json: Schema.Json): json is ReadonlyArray<Schema.Json> => Array.isArray(json)
const isFields = (json: Schema.Json): json is { readonly [key: string]: Schema.Json } => Predicate.isObject(json)

/** A decoder of JSON answers: the result, or a sentence. */
export const json = <A>(schema: Schema.ConstraintDecoder<A>): (text: string) => Result.Result<A, string> => {
  const decode = Codec.decodeResult(schema)
  return (text) => Result.flatMap(Json.parse(text), (json) => decode(withoutNulls(json)))
}

/** What an entry of a list is, or what it is told as where it cannot be read. */
const entryOf = <A>(decode: (json: unknown) => Result.Result<A, string>) => (raw: Schema.Json): A | UnreadableEntry =>
  Result.getOrElse(decode(withoutNulls(raw)), (issue) => ({ _tag: "UnreadableEntry", issue, raw }))

/** A decoder of JSON answers that are lists: each entry by itself and in its place, or a sentence where there is no list. */
export const entries = <A>(
  item: Schema.ConstraintDecoder<A>
): (text: string) => Result.Result<ReadonlyArray<A | UnreadableEntry>, string> => {
  const read = entryOf(Codec.decodeResult(item))
  return (text) =>
    Result.flatMap(
      Json.parse(text),
      (json) => isList(json) ? Result.succeed(json.map(read)) : Result.fail("it is not a list")
    )
}

/** The entries of a list within an answer, nulls too; none where there is no list. */
export const entriesOf = <A>(
  item: Schema.ConstraintDecoder<A>,
  field: string
): (text: string) => ReadonlyArray<A | UnreadableEntry> => {
  const read = entryOf(Codec.decodeResult(item))
  return (text) => {
    const json = Result.getOrElse(Json.parse(text), () => null)
    const list = isFields(json) ? json[field] ?? [] : []
    return isList(list) ? list.map(read) : []
  }
}

/** A key that is absent unless its value fits. */
export const optional = <S extends Schema.Constraint>(schema: S) =>
  Schema.optionalKey(schema).pipe(Schema.catchDecoding(() => Effect.succeedNone))

/** A list without the entries that do not fit; without any where there is no list. */
export const list = <S extends Schema.Constraint>(item: S) =>
  optional(Schema.Array(Schema.UndefinedOr(item).pipe(Schema.catchDecoding(() => Effect.succeedSome(undefined))))).pipe(
    Schema.decodeTo(Schema.Array(Schema.toType(item)), {
      decode: SchemaGetter.transformOptional((entries: Option.Option<ReadonlyArray<S["Type"] | undefined>>) =>
        Option.some(Option.getOrElse(entries, () => []).filter(Predicate.isNotUndefined))
      ),
      encode: SchemaGetter.transform((entries: ReadonlyArray<S["Type"]>) => entries)
    })
  )

/**
 * The same with keys that have other names on the wire; what is there under the name of the model is read too. Unlike
 * `Schema.encodeKeys`, it does not check the wire before the lenient keys have looked at it.
 */
export const renamed = <A>(
  codec: Schema.Codec<A, unknown>,
  names: { readonly [model: string]: string }
): Schema.Codec<A, unknown> => {
  const rename = (fields: object, name: (key: string) => string) =>
    Object.fromEntries(Object.entries(fields).map(([key, value]) => [name(key), value]))
  const wires = new Map(Object.entries(names))
  const models = new Map(Object.entries(names).map(([model, wire]) => [wire, model]))
  return Schema.Record(Schema.String, Schema.Unknown).pipe(
    Schema.decodeTo(
      codec,
      SchemaTransformation.transform({
        decode: (fields: object): unknown => rename(fields, (key) => models.get(key) ?? key),
        encode: (fields: unknown) => Predicate.isObject(fields) ? rename(fields, (key) => wires.get(key) ?? key) : {}
      })
    )
  )
}

/** A whole number, as a number or as text. */
export const Integer = Schema.Union([
  Schema.Int,
  Schema.String.pipe(
    Schema.check(Schema.isPattern(/^-?\d{1,16}$/)),
    Schema.decodeTo(Schema.Int, SchemaTransformation.transform({ decode: Number, encode: String }))
  )
])

/** Milliseconds since 1970, as a number or as text. */
export const Instant = Integer.pipe(Schema.decodeTo(Schema.DateTimeUtcFromMillis))

/** `true` and `false`, also as text. */
export const Flag = Schema.Union([
  Schema.Boolean,
  Schema.Literals(["true", "false"]).pipe(
    Schema.decodeTo(
      Schema.Boolean,
      SchemaTransformation.transform({
        decode: (text): boolean => text === "true",
        encode: (flag) => flag ? "true" as const : "false" as const
      })
    )
  )
])

/** Text, also where it was written as a number. */
export const TextOrNumber = Schema.Union([
  Schema.String,
  Schema.Finite.pipe(Schema.decodeTo(Schema.String, SchemaTransformation.transform({ decode: String, encode: Number })))
])
