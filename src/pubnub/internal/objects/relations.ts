/**
 * The memberships of a user and the members of a channel: the same relations from either end, and one and the same set
 * of requests.
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Input from "../../../internal/input.ts"
import * as Json from "../../../internal/json.ts"
import * as Text from "../../../internal/text.ts"
import * as AppContext from "../../AppContext.ts"
import * as ObjectFilter from "../../ObjectFilter.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import * as PubNubError from "../../PubNubError.ts"
import { isDecoded, isUndecodable, type UndecodableItem } from "../../../UndecodableItem.ts"
import * as Endpoint from "../wire/endpoint.ts"
import type { Path } from "../wire/path.ts"
import type { CustomCodec } from "./custom.ts"
import * as Lists from "./lists.ts"
import * as Objects from "./objects.ts"
import * as Setting from "./setting.ts"
import { inTurn } from "./turns.ts"
import * as Update from "./update.ts"

/** What all relations have on the wire. The other end comes beside it. */
export type Wire = AppContext.Versioned & AppContext.Included

/** What makes memberships other than members. `W` is what the service sends, `B` what a reader gets beside the parts. */
export interface Kind<W extends Wire, B> {
  /** How its operations end: `listMembers`. */
  readonly name: "Membership" | "Member"
  /** Whose relations they are, and what is at their other end; `wire` is the service's name for that. */
  readonly owner: "user" | "channel"
  readonly other: "user" | "channel"
  readonly wire: "uuid" | "channel"
  readonly path: (owner: string) => Path
  readonly schema: Schema.ConstraintDecoder<W>
  readonly idOf: (wire: W) => string
  readonly build: <C>(wire: W, custom: Option.Option<C>) => B & AppContext.Included<C>
}

type Verb = "set" | "remove" | "manage"

/** What is set of a relation, beside the id of its other end. */
interface Settings<C> extends Setting.Fields<C> {
  readonly id: string
}

/** What is set and what is removed in one request. */
interface Changes<C> {
  readonly set?: ReadonlyArray<string | Settings<C>> | undefined
  readonly remove?: ReadonlyArray<string | { readonly id: string }> | undefined
}

/** The same, read once. */
interface Checked<C> extends Owned {
  readonly set?: ReadonlyArray<string | Settings<C>> | undefined
  readonly remove?: ReadonlyArray<string> | undefined
}

/** What a list of one owner can be asked. */
interface Owned extends Lists.Asked {
  readonly owner: string
}

type Given<A> = Objects.Given<A>

/** What is sent of one relation, and what is wrong with it. */
interface Entry {
  readonly entry: { readonly [field: string]: Schema.Json }
  readonly issues: ReadonlyArray<PubNubError.Detail>
}

/** What `channel`, or `user`, stands for at the other end when that has no metadata, or when nobody asked for it. */
export const bare = <S extends Schema.Constraint>(id: S) =>
  Schema.Struct({ id, eTag: Schema.optionalKey(Schema.Never) })

const snapshot = <A>(item: string | A): string | A => typeof item === "string" ? item : { ...item }

const idOf = (item: string | { readonly id: string }): string =>
  typeof item === "object" && item !== null ? item.id : item

export const make = <W extends Wire, B extends AppContext.Versioned, C, E extends AppContext.CustomMismatch, RD, RE>(
  kind: Kind<W, B>,
  codec: CustomCodec<C, E, RD, RE>
) => {
  const { other } = kind
  const known = {
    parts: [...Objects.parts, other, ...Objects.parts.map((part) => `${other}.${part}`)],
    keys: ["updated", "status", "type", ...Lists.sortKeys.map((key) => `${other}.${key}`)]
  }
  const decodePage = Lists.pageOf(kind.schema)
  const toWire = (field: string) => field.startsWith(other) ? `${kind.wire}${field.slice(other.length)}` : field
  const typed = (operation: string, wire: W) =>
    Effect.map(
      codec.decode(wire.custom, { operation, kind: "membership", id: kind.idOf(wire) }),
      (custom) => kind.build(wire, custom)
    )

  /** One page as the service gives it, of the list as it is, or as the changes in the body leave it. */
  const request = (
    operation: string,
    { owner, ...options }: Owned,
    issues: ReadonlyArray<PubNubError.Detail> = [],
    body?: { readonly [list: string]: Schema.Json }
  ) =>
    Endpoint.run(operation, () => {
      const { include = [] } = options
      // Custom data of the other end is known to bring that end. Of its status and type nobody knows.
      const isEndAsked = include.includes(`${other}.custom`) || !include.some((part) => part.startsWith(`${other}.`))
      return {
        method: body === undefined ? "GET" : "PATCH",
        path: kind.path(owner),
        query: Lists.pageQuery({ ...options, include: isEndAsked ? include : [...include, other] }, toWire),
        body: body && JSON.stringify(body),
        issues: [...Objects.idIssues(kind.owner, owner), ...Lists.pageIssues(options, known), ...issues],
        longInput: Lists.longInput,
        parse: Json.parse,
        decode: (json) => decodePage(json, options)
      }
    })

  const listing = `list${kind.name}s`

  const items = (operation: string, page: Lists.Page<Lists.Item<W>>) =>
    Lists.mapItems(page, Lists.typed((wire: W) => typed(operation, wire)))

  const list = (given: Given<Owned>) =>
    Objects.reading(
      listing,
      given,
      (options) => Effect.flatMap(request(listing, options), (page) => items(listing, page))
    )

  const stream = (given: Given<Owned>) =>
    Stream.unwrap(Objects.reading(listing, given, (options) =>
      Effect.succeed(
        Lists.streamOf((at) => request(listing, { ...options, ...at }), kind.idOf).pipe(
          Stream.mapEffect(Lists.typed((wire: W) => typed(listing, wire)))
        )
      )))

  const entryOf = (id: string, body: Setting.Body) => ({ [kind.wire]: { id }, ...body })

  const encode = (item: string | Settings<C>, prefix: string): Effect.Effect<Entry, never, RE> =>
    Effect.map(
      Setting.encode(codec, typeof item === "string" ? {} : item, Setting.longest),
      ({ body, issues }) => ({
        entry: entryOf(idOf(item), body),
        issues: issues.map((issue) => ({ ...issue, location: `${prefix}${issue.location}` }))
      })
    )

  // The two lists of `manage` are named after what it does, the one of the others after what is in it.
  const listName = (verb: Verb, list: "set" | "remove") => verb === "manage" ? list : `${other}s`

  const write = (
    verb: Verb,
    entries: ReadonlyArray<Entry>,
    { remove: removed = [], set = [], ...options }: Checked<C>
  ) => {
    const operation = `${verb}${kind.name}s`
    const at = (list: "set" | "remove") => listName(verb, list)
    const put = set.map(idOf)
    const issues = [
      ...put.length + removed.length > 0 ? [] : [{ location: at("set"), message: "is empty: there is nothing to do" }],
      ...put.flatMap((id, index) => Objects.idIssues(`${at("set")}[${index}]`, id)),
      ...removed.flatMap((id, index) => Objects.idIssues(`${at("remove")}[${index}]`, id)),
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

  const change = (verb: "set" | "manage") => (given: Given<Changes<C> & Owned>) =>
    reading(verb, given, (options) =>
      Effect.flatMap(
        Effect.forEach(options.set ?? [], (item, index) =>
          Endpoint.reading(`${verb}${kind.name}s`, () =>
            encode(item, `${listName(verb, "set")}[${index}].`))),
        (entries) =>
          write(verb, entries, options)
      ))

  /** Reads the lists of a change once, too. */
  const reading = <A, E2, R>(
    verb: Verb,
    given: Given<Changes<C> & Owned>,
    then: (options: Checked<C>) => Effect.Effect<A, E2, R>
  ) =>
    Objects.reading(
      `${verb}${kind.name}s`,
      given,
      ({ remove, set, ...options }) => then({ ...options, set: set?.map(snapshot), remove: remove?.map(idOf) }),
      ({ remove, set }) =>
        Input.issues({
          [listName(verb, "set")]: Input.optional(Input.list(0))(verb === "remove" ? remove : set),
          [listName(verb, "remove")]: Input.optional(Input.list(0))(verb === "set" ? set : remove)
        })
    )

  /** A relation as it is now. An id that no filter can hold is looked for in the whole list. */
  const find = (operation: string, owner: string, id: string) =>
    Effect.gen(function*() {
      let odd: UndecodableItem | undefined
      const pages = Lists.streamOf(
        (at) => request(operation, { owner, ...selecting(id), ...at }, Objects.idIssues(other, id)),
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
      // It may be the one that cannot be read.
      return yield* odd === undefined
        ? new AppContext.ObjectNotFound({ operation, kind: "membership", id })
        : Endpoint.errorOf({ operation, path: kind.path(owner) })(
          new PubNubError.Malformed({ status: 200, description: odd.issue, excerpt: Text.bounded(Json.text(odd.raw)) })
        )
    })

  const selecting = (id: string): Lists.Asked => {
    const filter = ObjectFilter.equals(`${other}.id`, id)
    return { include: Objects.parts, ...Result.isSuccess(ObjectFilter.print(filter)) ? { filter } : {} }
  }

  const update = (
    given: Given<{ readonly owner: string; readonly id: string } & Pick<AppContext.UpdateOptions, "custom">>,
    f: (relation: B & AppContext.Included<C>) => Setting.Fields<C>
  ) => {
    const operation = `update${kind.name}`
    return Objects.reading(operation, given, (options) => updateOne(operation, options, f), (options) => [
      ...Objects.idIssues(kind.owner, options.owner),
      ...Objects.idIssues(other, options.id),
      ...Update.issuesOf(options, f)
    ])
  }

  const updateOne = (
    operation: string,
    { custom: how, id, owner }:
      & { readonly owner: string; readonly id: string }
      & Pick<AppContext.UpdateOptions, "custom">,
    f: (relation: B & AppContext.Included<C>) => Setting.Fields<C>
  ) => {
    const change = Effect.gen(function*() {
      const before = yield* find(operation, owner, id)
      const current = yield* typed(operation, before)
      const fields = f(current)
      if (Update.isNothing(fields)) return current
      const { body, issues } = yield* Endpoint.reading(
        operation,
        () => Setting.encode(codec, fields, Setting.longest)
      )
      // Whether a relation keeps what a request leaves out is not written down: what is to stay is sent along.
      const sent = { ...bodyOf(before), ...Update.merge(body, before, how) }
      const found = find(operation, owner, id)
      const settle = Update.settle(
        { operation, kind: "membership", id },
        before,
        found,
        (now) => Objects.parts.every((part) => Equal.equals(now[part], Option.fromNullishOr(sent[part])))
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
      return yield* inTurn(JSON.stringify([origin, subscribeKey, user, channel]))(change)
    })
  }

  return {
    list,
    stream,
    set: change("set"),
    manage: change("manage"),
    remove: (given: Given<Pick<Changes<C>, "remove"> & Owned>) =>
      reading("remove", given, (options) => write("remove", [], options)),
    update
  }
}

/** The fields that are set. */
const bodyOf = ({ custom, status, type }: Wire): Setting.Body =>
  Record.getSomes<string, AppContext.Custom | string>({ status, type, custom })

const repeated = (ids: ReadonlyArray<string>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > 1).map(([id]) => id)
}
