/** The requests about memberships, from the side of a user or of a channel. */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Input from "../../../internal/input.ts"
import * as Json from "../../../internal/json.ts"
import * as Text from "../../../internal/text.ts"
import * as AppContext from "../../AppContext.ts"
import * as ObjectFilter from "../../ObjectFilter.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import * as PubNubError from "../../PubNubError.ts"
import type * as Relations from "../../Relations.ts"
import { isDecoded, isUndecodable, type UndecodableItem } from "../../../UndecodableItem.ts"
import * as Endpoint from "../wire/endpoint.ts"
import type { Path } from "../wire/path.ts"
import * as Custom from "./custom.ts"
import * as Fields from "./fields.ts"
import { withLock } from "./keyedLock.ts"
import { type Given, reading } from "./options.ts"
import * as Pages from "./pages.ts"
import * as Update from "./update.ts"

/** The fields of every membership on the wire, apart from its other end. */
export type Wire = AppContext.Versioned & AppContext.Included

/** What distinguishes members from memberships. `W` is a membership on the wire. */
export interface Kind<W extends Wire, K extends Relations.Kind> {
  readonly module: "Members" | "Memberships"
  /** The owner of a list, and the other end of each membership. */
  readonly owner: "user" | "channel"
  readonly other: "user" | "channel"
  /** The service's name of the other end. */
  readonly wire: "uuid" | "channel"
  /** The public names of three options: the owner, the id to update, and the list of ids. */
  readonly names: { readonly owner: string; readonly id: string; readonly items: string }
  readonly ownerOf: (options: K["owner"], config: PubNubConfig["Service"]) => string
  /** The id of the membership to update. */
  readonly updatedId: (which: K["which"]) => string
  readonly itemsOf: <I>(options: Items<K, I>) => ReadonlyArray<I>
  readonly path: (owner: string) => Path
  readonly schema: Schema.ConstraintDecoder<W>
  readonly idOf: (wire: W) => string
  /** The id of a membership to write or to remove. */
  readonly inputId: (input: K["id"]) => string
  readonly build: <C>(wire: W, custom: { readonly custom?: C }) => Relations.Relation<K, K["include"], C>
}

/** The option that lists what to set, or to remove. */
type Items<K extends Relations.Kind, I> = { readonly [Name in keyof K["items"]]: ReadonlyArray<I> }

type Verb = "set" | "remove" | "manage"

/** The memberships to set and to remove in one request. */
interface Changes<C, I> {
  readonly set?: ReadonlyArray<string | I & Fields.Settings<C>> | undefined
  readonly remove?: ReadonlyArray<string | I> | undefined
}

/** The same, after the lists were read. */
interface Checked<C> extends Owned {
  readonly set?: ReadonlyArray<{ readonly id: string; readonly fields: Fields.Settings<C> }> | undefined
  readonly remove?: ReadonlyArray<string> | undefined
}

/** The options of a list of one owner. */
interface Owned extends Pages.Asked {
  readonly owner: string
}

interface Updated extends AppContext.MergeOptions {
  readonly owner: string
  readonly id: string
}

/** A membership to send, and its problems. */
interface Entry {
  readonly entry: { readonly [field: string]: Schema.Json }
  readonly issues: ReadonlyArray<PubNubError.Detail>
}

export const make = <
  W extends Wire,
  K extends Relations.Kind,
  C,
  E extends AppContext.CustomMismatch,
  RD,
  RE
>(
  kind: Kind<W, K>,
  codec: Custom.CustomCodec<C, E, RD, RE>
) => {
  const { names, other } = kind
  const known = {
    parts: [...Fields.parts, other, ...Fields.parts.map((part) => `${other}.${part}`)],
    keys: ["updated", "status", "type", ...Pages.sortKeys.map((key) => `${other}.${key}`)]
  }
  const decodePage = Pages.pageOf(kind.schema)
  const toWire = (field: string) => field.startsWith(other) ? `${kind.wire}${field.slice(other.length)}` : field
  const typed = (operation: string, wire: W) =>
    Effect.mapEager(
      Custom.decodePart(codec, wire.custom, { operation, kind: "membership", id: kind.idOf(wire) }),
      (custom) => kind.build(wire, custom)
    )

  /** Requests one page of the list. With a body it changes the list first. */
  const request = (
    operation: string,
    { owner, ...options }: Owned,
    issues: ReadonlyArray<PubNubError.Detail> = [],
    body?: { readonly [list: string]: Schema.Json }
  ) =>
    Endpoint.run(operation, () => {
      const { include = [] } = options
      // The service returns the other end with its custom data. Whether it does so with status and type is unknown.
      const isEndAsked = include.includes(`${other}.custom`) || !include.some((part) => part.startsWith(`${other}.`))
      return {
        method: body === undefined ? "GET" : "PATCH",
        path: kind.path(owner),
        query: Pages.pageQuery({ ...options, include: isEndAsked ? include : [...include, other] }, toWire),
        body: body && JSON.stringify(body),
        issues: [...Fields.idIssues(names.owner, owner), ...Pages.pageIssues(options, known), ...issues],
        longInput: Pages.longInput,
        parse: Json.parse,
        decode: (json) => decodePage(json, options)
      }
    })

  /** Adds the owner to the options of a call. */
  const withOwner = <O extends K["owner"]>(options: O): Given<O & { readonly owner: string }> => (config) => ({
    ...options,
    owner: kind.ownerOf(options, config)
  })

  const items = (operation: string, page: Pages.Page<Pages.Item<W>>) =>
    Pages.mapItems(page, Pages.typed((wire: W) => typed(operation, wire)))

  const list = (options: K["owner"] & Pages.Asked) => {
    const operation = `${kind.module}.list`
    return reading(
      operation,
      withOwner(options),
      (options) => Effect.flatMap(request(operation, options), (page) => items(operation, page))
    )
  }

  const stream = (options: K["owner"] & Pages.Asked) => {
    const operation = `${kind.module}.stream`
    return Stream.unwrap(reading(operation, withOwner(options), (options) =>
      Effect.succeed(
        Pages.streamOf((at) => request(operation, { ...options, ...at }), kind.idOf).pipe(
          Stream.mapEffect(Pages.typed((wire: W) => typed(operation, wire)))
        )
      )))
  }

  const entryOf = (id: string, body: Fields.Body) => ({ [kind.wire]: { id }, ...body })

  const encode = (id: string, fields: Fields.Settings<C>, prefix: string): Effect.Effect<Entry, never, RE> =>
    Effect.map(Fields.encode(codec, fields, Fields.longest), ({ body, issues }) => ({
      entry: entryOf(id, body),
      issues: issues.map((issue) => ({ ...issue, location: `${prefix}${issue.location}` }))
    }))

  // `manage` has the options `set` and `remove`; `set` and `remove` have one list, which is named after its items.
  const listName = (verb: Verb, list: "set" | "remove") => verb === "manage" ? list : names.items

  // Any other value is refused later, as a wrong id.
  const idOf = (input: string | K["id"]): string =>
    typeof input === "object" && input !== null ? kind.inputId(input) : input

  const write = (
    verb: Verb,
    entries: ReadonlyArray<Entry>,
    { remove: removed = [], set = [], ...options }: Checked<C>
  ) => {
    const operation = `${kind.module}.${verb}`
    const at = (list: "set" | "remove") => listName(verb, list)
    const put = set.map(({ id }) => id)
    const issues = [
      ...put.length + removed.length > 0 ? [] : [{ location: at("set"), message: "is empty: there is nothing to do" }],
      ...put.flatMap((id, index) => Fields.idIssues(`${at("set")}[${index}]`, id)),
      ...removed.flatMap((id, index) => Fields.idIssues(`${at("remove")}[${index}]`, id)),
      ...repeated([...put, ...removed]).map((id) => ({
        location: at(removed.includes(id) ? "remove" : "set"),
        message: `has ${Input.shown(id)}, which is in this request already`
      })),
      ...entries.flatMap((item) => item.issues)
    ]
    const body = {
      ...put.length === 0 ? {} : { set: entries.map(({ entry }) => entry) },
      ...removed.length === 0 ? {} : { delete: removed.map((id) => entryOf(id, {})) }
    }
    return Effect.flatMap(request(operation, options, issues, body), (page) => items(operation, page))
  }

  const change = (verb: "set" | "manage", given: Given<Changes<C, K["id"]> & Owned>) =>
    readingChanges(verb, given, (options) =>
      Effect.flatMap(
        Effect.forEach(options.set ?? [], ({ fields, id }, index) =>
          Endpoint.reading(`${kind.module}.${verb}`, () =>
            encode(id, fields, `${listName(verb, "set")}[${index}].`))),
        (entries) =>
          write(verb, entries, options)
      ))

  /** Reads the options of a change, and the lists in them, once. */
  const readingChanges = <A, E2, R>(
    verb: Verb,
    given: Given<Changes<C, K["id"]> & Owned>,
    then: (options: Checked<C>) => Effect.Effect<A, E2, R>
  ) =>
    reading(
      `${kind.module}.${verb}`,
      given,
      ({ remove, set, ...options }) =>
        then({
          ...options,
          set: set?.map((input) => ({ id: idOf(input), fields: typeof input === "string" ? {} : { ...input } })),
          remove: remove?.map(idOf)
        }),
      ({ remove, set }) =>
        Input.issues({
          [listName(verb, "set")]: Input.optional(Input.list(0))(verb === "remove" ? remove : set),
          [listName(verb, "remove")]: Input.optional(Input.list(0))(verb === "set" ? set : remove)
        })
    )

  /** Finds the current membership. Reads the whole list if no filter can hold the id. */
  const find = Effect.fnUntraced(function*(operation: string, owner: string, id: string) {
    let odd: UndecodableItem | undefined
    const pages = Pages.streamOf(
      (at) => request(operation, { owner, ...selecting(id), ...at }, Fields.idIssues(names.id, id)),
      kind.idOf
    )
    const found = yield* pages.pipe(
      Stream.map(({ wire }) => wire),
      Stream.filter((wire): wire is W => {
        if (isDecoded<W>(wire)) return kind.idOf(wire) === id
        if (isUndecodable(wire)) odd = wire
        return false
      }),
      Stream.runHead
    )
    if (Option.isSome(found)) return found.value
    // The undecodable item may be this membership.
    return yield* odd === undefined
      ? new AppContext.ObjectNotFound({ operation, kind: "membership", id })
      : Endpoint.errorOf({ operation, path: kind.path(owner) })(
        new PubNubError.Malformed({ status: 200, description: odd.issue, excerpt: Text.bounded(Json.text(odd.raw)) })
      )
  })

  const selecting = (id: string): Pages.Asked => {
    const filter = ObjectFilter.equals(`${other}.id`, id)
    return { include: Fields.parts, ...Result.isSuccess(ObjectFilter.print(filter)) ? { filter } : {} }
  }

  const update = (
    options: K["which"] & K["owner"] & AppContext.MergeOptions,
    f: (relation: Relations.Relation<K, K["include"], C>) => Fields.Settings<C>
  ) => {
    const operation = `${kind.module}.update`
    const given = (config: PubNubConfig["Service"]) => ({
      ...withOwner(options)(config),
      id: kind.updatedId(options)
    })
    return reading(operation, given, (options) => updateOne(operation, options, f), (options) => [
      ...Fields.idIssues(names.owner, options.owner),
      ...Fields.idIssues(names.id, options.id),
      ...Update.issuesOf(options, f)
    ])
  }

  const updateOne = (
    operation: string,
    { custom: how, id, owner }: Updated,
    f: (relation: Relations.Relation<K, K["include"], C>) => Fields.Settings<C>
  ) => {
    const change = Effect.gen(function*() {
      const before = yield* find(operation, owner, id)
      const current = yield* typed(operation, before)
      const fields = f(current)
      if (Update.isNothing(fields)) return current
      const { body, issues } = yield* Endpoint.reading(
        operation,
        () => Fields.encode(codec, fields, Fields.longest)
      )
      // It is not documented whether a membership keeps fields that a request leaves out, so all fields are sent.
      const sent = { ...bodyOf(before), ...Update.merge(body, before, how) }
      const found = find(operation, owner, id)
      const settle = Update.settle(
        { operation, kind: "membership", id },
        before,
        found,
        (now) => Fields.parts.every((part) => Equal.equals(now[part], sent[part] ?? undefined))
      )
      const written = yield* request(operation, { owner, ...selecting(id) }, issues, { set: [entryOf(id, sent)] }).pipe(
        Effect.map(({ items }) =>
          items.map(({ wire }) => wire).filter((wire) => isDecoded<W>(wire)).find((wire) => kind.idOf(wire) === id)
        ),
        Effect.catch(settle)
      )
      const after = written ?? (yield* found)
      return yield* typed(operation, after)
    })
    return Effect.gen(function*() {
      const { origin, subscribeKey } = yield* PubNubConfig
      const [user, channel] = kind.owner === "user" ? [owner, id] : [id, owner]
      return yield* withLock(JSON.stringify([origin, subscribeKey, user, channel]))(change)
    })
  }

  return {
    list,
    stream,
    set: (options: K["owner"] & Pages.Asked & Items<K, string | K["id"] & Fields.Settings<C>>) =>
      change("set", (config) => ({ ...withOwner(options)(config), set: kind.itemsOf(options) })),
    manage: (options: K["owner"] & Pages.Asked & Changes<C, K["id"]>) => change("manage", withOwner(options)),
    remove: (options: K["owner"] & Pages.Asked & Items<K, string | K["id"]>) =>
      readingChanges(
        "remove",
        (config) => ({ ...withOwner(options)(config), remove: kind.itemsOf(options) }),
        (options) => write("remove", [], options)
      ),
    update
  }
}

/** The fields of a membership that are set. */
const bodyOf = ({ custom, status, type }: Wire): Fields.Body => ({
  ...status === undefined ? {} : { status },
  ...type === undefined ? {} : { type },
  ...custom === undefined ? {} : { custom }
})

const repeated = (ids: ReadonlyArray<string>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > 1).map(([id]) => id)
}
