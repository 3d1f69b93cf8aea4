/**
 * Schemas for answers. The service writes `null` for missing values, writes some numbers as text, and may add unknown values. A
 * detail must not turn a message that was sent into a failure, so values that do not fit are left out.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Codec from "../../../internal/codec.ts"
import * as Json from "../../../internal/json.ts"
import * as Usual from "../../../internal/usual.ts"
import * as Ids from "../../Ids.ts"
import { isUndecodable, UndecodableItem } from "../../../UndecodableItem.ts"

/** Makes a decoder of JSON answers. It fails with a sentence. */
export const json = <A>(schema: Schema.ConstraintDecoder<A>): (text: string) => Result.Result<A, string> => {
  const decode = Codec.decodeResult(schema)
  return (text) => Result.flatMap(Json.parse(text), (json) => decode(json))
}

const isList = (json: Schema.Json): json is ReadonlyArray<Schema.Json> => Array.isArray(json)

/** Takes the place of a list entry that does not fit. */
const undecodable = (raw: Schema.Json, issue: string): UndecodableItem => ({ _tag: "UndecodableItem", issue, raw })

/** An entry of a list within an answer. One that does not fit becomes an `UndecodableItem`. */
const entry = <A>(item: Schema.Codec<A, unknown>): Schema.Codec<A | UndecodableItem, unknown> => {
  const decode = Codec.decodeResult(item)
  const misfit = Schema.Json.pipe(
    Schema.decodeTo(
      Schema.toType(UndecodableItem),
      SchemaTransformation.transform({
        decode: (raw: Schema.Json) =>
          undecodable(raw, Result.match(decode(raw), { onFailure: (issue) => issue, onSuccess: () => "" })),
        encode: ({ raw }: UndecodableItem) => raw
      })
    )
  )
  // An `UndecodableItem` is encoded as its raw value.
  return Schema.Union([UndecodableItem, item, misfit])
}

/**
 * Makes a decoder of JSON lists, which decodes entry by entry, and fails with a sentence if there is no list. It adds the given
 * fields to each entry.
 */
export const entries = <A>(
  item: Schema.ConstraintDecoder<A>,
  ofRequest: object = {}
): (text: string) => Result.Result<ReadonlyArray<A | UndecodableItem>, string> => {
  const decode = Codec.decodeResult(item)
  const read = (raw: Schema.Json) =>
    Result.getOrElse(
      decode(typeof raw === "object" && raw !== null && !isList(raw) ? { ...raw, ...ofRequest } : raw),
      (issue) => undecodable(raw, issue)
    )
  return (text) =>
    Result.flatMap(
      Json.parse(text),
      (json) => isList(json) ? Result.succeed(json.map(read)) : Result.fail("it is not a list")
    )
}

/** A key that is absent unless its value fits. */
export const optional = <S extends Schema.Constraint>(schema: S) =>
  Usual.define(
    Schema.optionalKey(schema).pipe(Schema.catchDecoding(() => Effect.succeedNone)),
    Usual.nullish(Usual.of(schema))
  )

/** A list within an answer, decoded entry by entry. Empty if there is no list. */
export const list = <A>(item: Schema.Codec<A, unknown>) => {
  const entries = Usual.list(Usual.of(item))
  return Usual.define(
    optional(Schema.Array(entry(item))).pipe(
      Schema.decodeTo(Schema.Array(Schema.toType(Schema.Union([UndecodableItem, item]))), {
        decode: SchemaGetter.transformOptional((entries: Option.Option<ReadonlyArray<A | UndecodableItem>>) =>
          Option.orElseSome(entries, () => [])
        ),
        encode: SchemaGetter.passthrough()
      })
    ),
    entries && ((json) =>
      json === undefined || json === null
        ? []
        : Array.isArray(json) && json.some(isUndecodable)
        ? Usual.unusual
        : entries(json))
  )
}

/**
 * The same with keys that have other names on the wire, or are deeper: `a.b`. They are also read under the names of the model, and
 * encoded so: decoded values can be stored as JSON.
 */
export const renamed = <A>(
  codec: Schema.Codec<A, unknown>,
  names: { readonly [wire: string]: string }
): Schema.Codec<A, unknown> => {
  const rename = (fields: object): unknown => {
    const renamed: { [key: string]: unknown } = { ...fields }
    for (const [wire, model] of Object.entries(names)) {
      const value = renamed[model] ?? lookUp(fields, wire)
      if (value !== undefined) renamed[model] = value
    }
    return renamed
  }
  const check = Usual.of(codec)
  return Usual.define(
    Schema.Record(Schema.String, Schema.Unknown).pipe(
      Schema.decodeTo(
        codec,
        SchemaTransformation.transform({
          decode: rename,
          encode: (fields) => Predicate.isObject(fields) ? { ...fields } : {}
        })
      )
    ),
    check && ((json) => Predicate.isObject(json) ? check(rename(json)) : Usual.unusual)
  )
}

const lookUp = (fields: unknown, path: string): unknown =>
  path.split(".").reduce((value, key) => Predicate.hasProperty(value, key) ? value[key] : undefined, fields)

const integerText = /^-?\d{1,16}$/

/** A whole number, as a number or as text. */
export const Integer = Schema.Union([
  Schema.Int,
  Usual.define(
    Schema.String.pipe(
      Schema.check(Schema.isPattern(integerText)),
      Schema.decodeTo(Schema.Int, SchemaTransformation.transform({ decode: Number, encode: String }))
    ),
    (json) =>
      typeof json === "string" && integerText.test(json) && Number.isSafeInteger(Number(json))
        ? Number(json)
        : Usual.unusual
  )
])

/** Milliseconds since 1970, as a number or as text. */
export const Instant = Usual.define(
  Integer.pipe(Schema.decodeTo(Schema.DateTimeUtcFromMillis)),
  (json) =>
    Number.isSafeInteger(json) ? Option.getOrElse(DateTime.make(Number(json)), () => Usual.unusual) : Usual.unusual
)

/** `true` and `false`, also as text. */
export const Flag = Usual.define(
  Schema.Union([
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
  ]),
  Usual.of(Schema.Boolean)
)

/** Text, or a number as text. */
export const TextOrNumber = Usual.define(
  Schema.Union([
    Schema.String,
    Schema.Finite.pipe(
      Schema.decodeTo(Schema.String, SchemaTransformation.transform({ decode: String, encode: Number }))
    )
  ]),
  Usual.of(Schema.String)
)

/** The id of a message or a stream, converted to the URL-safe alphabet. */
export const Id = Usual.define(
  Schema.String.pipe(
    Schema.decodeTo(
      Schema.NonEmptyString,
      SchemaTransformation.transform({ decode: Ids.toUrlSafe, encode: (id) => id })
    )
  ),
  (json) => Ids.toUrlSafe(typeof json === "string" ? json : "") || Usual.unusual
)

/** Keys that are absent unless their values fit. */
export const keys = {
  text: optional(Schema.String),
  integer: optional(Integer),
  instant: optional(Instant),
  flag: optional(Flag),
  id: optional(Id)
}
