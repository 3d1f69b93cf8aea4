/**
 * What the commands of App Context share: what a list is asked, what is set and cleared, and objects as lines.
 */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Text from "../../internal/text.ts"
import * as AppContext from "../../pubnub/AppContext.ts"
import * as ExactJson from "../input/exactJson.ts"
import { BadInput } from "../exit/failure.ts"
import { writeValues } from "../output/lines.ts"
import { limit } from "../input/range.ts"

/** The parts of every object itself. */
export const parts = ["custom", "status", "type"] as const

/** What users and channels can be sorted by. */
export const sortKeys = ["id", "name", "updated", "status", "type"] as const

/** What members and memberships can be sorted by, beside the other end. */
export const relationSortKeys = ["updated", "status", "type"] as const

// --------------------------------------------------------------------------------------------------------------------
// lists
// --------------------------------------------------------------------------------------------------------------------

/** The flags of a list. */
export const selection = <const Part extends string, const Key extends string>(options: {
  readonly parts: ReadonlyArray<Part>
  /** What comes if nothing is asked for. */
  readonly usual: string
  readonly keys: ReadonlyArray<Key>
}) => ({
  filter: Flag.String("filter").pipe(
    Flag.withDefault(undefined),
    Flag.withMetavar("expression"),
    Flag.withDescription("Only those that match, as in name LIKE 'A*'")
  ),
  sort: Flag.Literals("sort", options.keys.flatMap((key) => [key, `${key}:asc`, `${key}:desc`] as const)).pipe(
    Flag.withMetavar("key"),
    Flag.atLeast(0),
    Flag.withDescription("What comes first, ascending if nothing is said; again for more")
  ),
  include: Flag.Literals("include", options.parts).pipe(
    Flag.atLeast(0),
    Flag.withDescription(`A part that comes; again for more (default: ${options.usual})`)
  ),
  limit: limit.pipe(
    Flag.withDefault(Number.POSITIVE_INFINITY),
    Flag.withDescription("So many at the most (default: all)")
  )
})

interface Selected<Part, Key> {
  readonly filter: string | undefined
  readonly sort: ReadonlyArray<Key>
  readonly include: ReadonlyArray<Part>
  readonly limit: number
}

/** Writes the objects of a list, page by page, until there are enough of them. */
export const writeList = <Part, Key, A extends object, E, R>(
  { include, limit, ...selected }: Selected<Part, Key>,
  read: (options: {
    readonly filter: string | undefined
    readonly sort: ReadonlyArray<Key>
    readonly include: ReadonlyArray<Part> | undefined
    readonly pageSize: number
  }) => Stream.Stream<A, E, R>
) =>
  read({ ...selected, include: include.length === 0 ? undefined : include, pageSize: Math.min(limit, 100) }).pipe(
    Stream.take(limit),
    write
  )

/** Writes one object. */
export const writeOne = (object: object) => write(Stream.succeed(object))

const write = <E, R>(objects: Stream.Stream<object, E, R>) => writeValues(objects, { toJson, toText })

// What is not set, or was not asked for, is left out. A replacer is given what `toJSON` made, and finds here what that was.
const toJson = (value: unknown): string =>
  JSON.stringify(value, function(this: { readonly [field: string]: unknown }, field, value: unknown) {
    const original = this[field]
    return Option.isOption(original) ? Option.getOrUndefined(original) : value
  })

/** Its id, which comes first, and then the fields that are set. */
const toText = (object: object): string => {
  const fields = Object.entries(object).map(([field, value]): readonly [string, unknown] => [
    field,
    Option.isOption(value) ? Option.getOrUndefined(value) : value
  ])
  const isId = ([field]: readonly [string, unknown]) => ["id", "userId", "channelId"].includes(field)
  return Text.harmless([
    ...fields.filter(isId).map(([, id]) => String(id)),
    ...fields.filter((field) => !isId(field) && field[1] !== undefined).map(([field, value]) =>
      `${field}=${toJson(value)}`
    )
  ].join("  "))
}

// --------------------------------------------------------------------------------------------------------------------
// fields
// --------------------------------------------------------------------------------------------------------------------

/** A flag that sets a text. */
export const text = (name: string, what: string) =>
  Flag.String(name).pipe(Flag.withDefault(undefined), Flag.withMetavar("text"), Flag.withDescription(what))

/** The flags of what can be set of every object. */
export const common = {
  status: text("status", "Its status, at most 50 characters"),
  type: text("type", "Its type, at most 50 characters"),
  custom: Flag.String("custom").pipe(
    Flag.withDefault(undefined),
    Flag.withMetavar("json"),
    Flag.withDescription("A JSON object of text, numbers, booleans and null, which takes the place of what is there")
  )
}

/** The flag that clears fields. */
export const clear = <const Field extends string>(fields: ReadonlyArray<Field>) =>
  Flag.Literals("clear", fields).pipe(Flag.atLeast(0), Flag.withDescription("A field to clear; again for more"))

/** What becomes of a field: it is set to the value of its flag, cleared, or left as it is. */
type Settable<Field> = <A>(
  field: Field,
  value: A | undefined
) => Effect.Effect<AppContext.Settable<A> | undefined, BadInput>

/** Tells it by the fields that are cleared. */
export const settable = <Field extends string>(cleared: ReadonlyArray<Field>): Settable<Field> => (field, value) =>
  !cleared.includes(field)
    ? Effect.succeed(value)
    : value === undefined
    ? Effect.succeedNone
    : Effect.fail(new BadInput({ description: `Set ${field}, or clear it, and not both` }))

const decodeCustom = Schema.decodeUnknownEffect(AppContext.Custom)

const customOf = (json: string): Effect.Effect<AppContext.Custom, BadInput> =>
  Effect.fromResult(ExactJson.parse(json)).pipe(
    Effect.mapError(() => new BadInput({ description: `--custom is not JSON: ${json}` })),
    Effect.flatMap(ExactJson.exact),
    Effect.flatMap((value) =>
      Effect.mapError(
        decodeCustom(value),
        () => new BadInput({ description: `--custom is not an object of text, numbers, booleans and null: ${json}` })
      )
    )
  )

/** The fields of every object, as their flags have them. */
export const commonFields = Effect.fnUntraced(function*(field: Settable<typeof parts[number]>, given: {
  readonly status: string | undefined
  readonly type: string | undefined
  readonly custom: string | undefined
}) {
  return {
    status: yield* field("status", given.status),
    type: yield* field("type", given.type),
    custom: yield* field("custom", given.custom === undefined ? undefined : yield* customOf(given.custom))
  }
})

/** The flags of how a user or a channel is written. */
export const conditions = {
  merge: Flag.Boolean("merge").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Keep the custom fields that --custom does not name; nobody's change is lost")
  ),
  ifMatches: Flag.String("if-matches").pipe(
    Flag.withSchema(AppContext.Etag),
    Flag.withDefault(undefined),
    Flag.withMetavar("etag"),
    Flag.withDescription("Only if it is still what had this etag")
  )
}

/** Whether custom data is merged, if it can be. */
export const merges = ({ custom, ifMatches, merge }: {
  readonly custom: string | undefined
  readonly ifMatches: AppContext.Etag | undefined
  readonly merge: boolean
}): Effect.Effect<boolean, BadInput> =>
  !merge || custom !== undefined && ifMatches === undefined
    ? Effect.succeed(merge)
    : Effect.fail(
      new BadInput({
        description: custom === undefined
          ? "--merge is for --custom"
          : "--merge reads the etag itself: leave out --if-matches"
      })
    )
