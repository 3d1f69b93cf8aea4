/**
 * The commands of App Context: `herald users` and `herald channels`, whose objects have the same commands, and
 * `herald members` and `herald memberships`, which are two sides of one relation.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import type * as Param from "effect/cli/Param"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as String_ from "effect/String"
import * as AppContext from "../../pubnub/AppContext.ts"
import type { PubNubConfig } from "../../pubnub/PubNubConfig.ts"
import type { PubNubError } from "../../pubnub/PubNubError.ts"
import { BadInput } from "../exit/failure.ts"
import * as Inputs from "../input/flags.ts"
import { parseJson } from "../input/json.ts"
import * as Progress from "../output/progress.ts"
import { writeValue, writeValues } from "../output/write.ts"
import { withKeyset } from "./keyset.ts"

/** The parts that `get` and `set` print. */
export const parts = ["custom", "status", "type"] as const

const keys = ["id", "name", "updated", "status", "type"] as const

type Failure =
  | PubNubError
  | AppContext.ObjectNotFound
  | AppContext.ObjectChanged
  | AppContext.UpdateOutcomeUnknown

type Request<A> = Effect.Effect<A, Failure, HttpClient.HttpClient | PubNubConfig>

// --------------------------------------------------------------------------------------------------------------------
// lists
// --------------------------------------------------------------------------------------------------------------------

/** The options of a list, from its flags. */
interface Selection<Part, Key extends string> {
  readonly filter: string | undefined
  readonly sort: ReadonlyArray<Key | `${Key}:asc` | `${Key}:desc`>
  readonly include: ReadonlyArray<Part> | undefined
  readonly pageSize: number
}

type Objects = Stream.Stream<object, PubNubError, HttpClient.HttpClient | PubNubConfig>

const selection = <const Part extends string, const Key extends string>(
  parts: ReadonlyArray<Part>,
  keys: ReadonlyArray<Key>,
  fallback: string
) => ({
  filter: Inputs.text("filter", "Only those that match, for example: name LIKE 'A*'", "expression"),
  sort: Inputs.choices(
    "sort",
    keys.flatMap((key) => [key, `${key}:asc`, `${key}:desc`] as const),
    "Sort by these keys."
  ),
  include: Inputs.choices("include", parts, `Print these parts too (default: ${fallback}).`),
  limit: Inputs.limit(Number.POSITIVE_INFINITY)
})

const write = <E, R>(objects: Stream.Stream<object, E, R>) =>
  writeValues(objects, { toText, toJson: (object) => Effect.sync(() => JSON.stringify(object)), piped: "json" })

const writeList = <Part, Key extends string>(
  { include, limit, ...selected }: Omit<Selection<Part, Key>, "include" | "pageSize"> & {
    readonly include: ReadonlyArray<Part>
    readonly limit: number
  },
  stream: (selection: Selection<Part, Key>) => Objects
) => {
  const page = { include: include.length === 0 ? undefined : include, pageSize: Math.min(limit, 100) }
  return write(Progress.counting(Stream.take(stream({ ...selected, ...page }), limit)))
}

const toText = (object: object): string => {
  const fields = Object.entries(object)
  const isId = ([field]: readonly [string, unknown]) => ["id", "userId", "channelId"].includes(field)
  return [
    ...fields.filter(isId).map(([, id]) => String(id)),
    ...fields.filter((field) => !isId(field)).map(([field, value]) => `${field}=${JSON.stringify(value)}`)
  ].join("  ")
}

// --------------------------------------------------------------------------------------------------------------------
// fields
// --------------------------------------------------------------------------------------------------------------------

type Texts<A> = { readonly [field: string]: A }

/** The fields to write: each is set, cleared, or left as it is. */
interface Fields {
  /** The fields that only some objects have. */
  readonly texts: Texts<AppContext.Settable<string> | undefined>
  readonly status: AppContext.Settable<string> | undefined
  readonly type: AppContext.Settable<string> | undefined
  readonly custom: AppContext.Settable<AppContext.Custom> | undefined
}

const flagOf = (field: string) => String_.snakeToKebab(String_.camelToSnake(field))

const fieldFlags = (texts: Texts<string>) => ({
  texts: Record.map(texts, (description, field) => Inputs.text(flagOf(field), description)),
  status: Inputs.text("status", "Status, at most 50 characters"),
  type: Inputs.text("type", "Type, at most 50 characters"),
  custom: Inputs.text(
    "custom",
    "Custom data: a JSON object without objects and lists in it. It replaces all of it",
    "json"
  ),
  clear: Inputs.choices("clear", [...Object.keys(texts).map(flagOf), ...parts], "Clear these fields.")
})

const fieldsOf = Effect.fnUntraced(function*({ clear, custom, status, texts, type }: {
  readonly texts: Texts<string | undefined>
  readonly status: string | undefined
  readonly type: string | undefined
  readonly custom: string | undefined
  readonly clear: ReadonlyArray<string>
}) {
  const settable = <A>(field: string, value: A | undefined) => {
    const flag = flagOf(field)
    if (!clear.includes(flag)) return Effect.succeed(value)
    return value === undefined
      ? Effect.succeed(Option.none<A>())
      : Effect.fail(new BadInput({ description: `Pass either --${flag} or --clear ${flag}` }))
  }
  const fields: Fields = {
    texts: yield* Effect.all(Record.map(texts, (value, field) => settable(field, value))),
    status: yield* settable("status", status),
    type: yield* settable("type", type),
    custom: yield* settable("custom", custom === undefined ? undefined : yield* customOf(custom))
  }
  return fields
})

const decodeCustom = Schema.decodeUnknownEffect(AppContext.Custom)

const customOf = (json: string): Effect.Effect<AppContext.Custom, BadInput> =>
  Effect.flatMap(parseJson(json), (value) =>
    Effect.mapError(
      decodeCustom(value),
      () =>
        new BadInput({ description: `--custom is not a JSON object of strings, numbers, booleans and null: ${json}` })
    ))

// --------------------------------------------------------------------------------------------------------------------
// commands
// --------------------------------------------------------------------------------------------------------------------

/** The commands of objects that have an id: `list`, `get`, `set` and `remove`. */
export const objects = <const Name extends string>(options: {
  readonly name: Name
  /** The singular of their name. */
  readonly one: string
  /** The fields that only these objects have, and what they hold. */
  readonly texts: Texts<string>
  readonly stream: (selection: Selection<typeof parts[number], typeof keys[number]>) => Objects
  readonly get: (id: string) => Request<object>
  readonly set: (id: string, fields: Fields, ifMatchesEtag: AppContext.Etag | undefined) => Request<object>
  readonly merge: (id: string, fields: Fields) => Request<object>
  readonly remove: (id: string) => Request<void>
  readonly examples: ReadonlyArray<Command.Command.Example>
}) => {
  const { name, one } = options
  const id = Argument.String(one).pipe(Argument.withDescription(`The ${one}`))
  const writeOne = (request: Request<object>) => write(Stream.fromEffect(request))

  const list = Command.make(
    "list",
    selection(parts, keys, "status,type"),
    (selected) => writeList(selected, options.stream)
  ).pipe(Command.withDescription(`Print the ${name} that have metadata`))

  const get = Command.make("get", { id }, ({ id }) => writeOne(options.get(id))).pipe(
    Command.withDescription(`Print the metadata of a ${one}`)
  )

  const set = Command.make(
    "set",
    {
      id,
      ...fieldFlags(options.texts),
      merge: Inputs.boolean("merge", "Keep the custom fields that --custom does not name, whoever else writes"),
      ifMatchesEtag: Flag.String("if-matches-etag").pipe(
        Flag.withSchema(AppContext.Etag),
        Flag.withDefault(undefined),
        Flag.withMetavar("etag"),
        Flag.withDescription("Write only if this is still its etag")
      )
    },
    Effect.fnUntraced(function*({ id, ifMatchesEtag, merge, ...given }) {
      const fields = yield* fieldsOf(given)
      if (!merge) return yield* writeOne(options.set(id, fields, ifMatchesEtag))
      if (given.custom === undefined) return yield* new BadInput({ description: "--merge needs --custom" })
      if (ifMatchesEtag === undefined) return yield* writeOne(options.merge(id, fields))
      return yield* new BadInput({ description: "--merge reads the etag itself: remove --if-matches-etag" })
    })
  ).pipe(
    Command.withDescription(`Create a ${one}, or change the given fields, and print the result`),
    Command.withExamples(options.examples)
  )

  const remove = Command.make(
    "remove",
    { id },
    ({ id }) => Effect.andThen(options.remove(id), writeValue({ removed: id }, ({ removed }) => `removed: ${removed}`))
  ).pipe(
    Command.withDescription(`Remove the metadata of a ${one}; memberships stay`)
  )

  return Command.make(name).pipe(
    Command.withSubcommands([list, get, set, remove]),
    withKeyset,
    Command.withDescription(`Metadata of ${name} in App Context`)
  )
}

/** The commands of one side of the memberships: `list`, `set` and `remove`. */
export const relations = <const Name extends string, const Other extends "channel" | "user", Owner>(options: {
  readonly name: Name
  readonly description: string
  /** The argument or flag that says whose relations these are. */
  readonly owner: Param.Param<Param.ParamKind, Owner>
  /** What is on the other side. */
  readonly other: Other
  readonly stream: (
    owner: Owner,
    selection: Selection<
      typeof parts[number] | Other | `${Other}.${typeof parts[number]}`,
      Exclude<typeof keys[number], "id" | "name"> | `${Other}.${typeof keys[number]}`
    >
  ) => Objects
  readonly set: (
    owner: Owner,
    others: ReadonlyArray<Omit<Fields, "texts"> & { readonly id: string }>
  ) => Request<object>
  readonly remove: (owner: Owner, others: ReadonlyArray<string>) => Request<object>
  readonly examples: ReadonlyArray<Command.Command.Example>
}) => {
  const { description, name, other, owner } = options
  const others = Argument.String(`${other}s`).pipe(
    Argument.variadic({ min: 1 }),
    Argument.withDescription(`The ${other}s`)
  )
  const itsParts = [...parts, other, ...parts.map((part): `${Other}.${typeof part}` => `${other}.${part}`)]
  const itsKeys = [
    "updated",
    "status",
    "type",
    ...keys.map((key): `${Other}.${typeof key}` => `${other}.${key}`)
  ] as const

  const list = Command.make(
    "list",
    { owner, selected: selection(itsParts, itsKeys, "none") },
    ({ owner, selected }) => writeList(selected, (selection) => options.stream(owner, selection))
  ).pipe(Command.withDescription(`Print the ${description}`), Command.withExamples(options.examples))

  const set = Command.make(
    "set",
    { owner, others, fields: fieldFlags({}) },
    Effect.fnUntraced(function*({ fields: given, others, owner }) {
      const { texts: _, ...fields } = yield* fieldsOf(given)
      yield* options.set(owner, others.map((id) => ({ id, ...fields })))
      yield* writeValue({ set: others }, ({ set }) => `set: ${set.join(", ")}`)
    })
  ).pipe(Command.withDescription(`Add to the ${description}, or change the given fields of those that are there`))

  const remove = Command.make(
    "remove",
    { owner, others },
    ({ others, owner }) =>
      Effect.andThen(
        options.remove(owner, others),
        writeValue({ removed: others }, ({ removed }) => `removed: ${removed.join(", ")}`)
      )
  )
    .pipe(Command.withDescription(`Remove from the ${description}`))

  return Command.make(name).pipe(
    Command.withSubcommands([list, set, remove]),
    withKeyset,
    Command.withDescription(`The ${description}`)
  )
}
