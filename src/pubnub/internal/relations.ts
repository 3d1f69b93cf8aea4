/**
 * The memberships of a user and the members of a channel: the same relations from either end, and one and the same set
 * of requests.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as AppContext from "../AppContext.ts"
import * as Filter from "../Filter.ts"
import { PubNubConfig } from "../PubNubConfig.ts"
import type * as PubNubError from "../PubNubError.ts"
import type { CustomCodec } from "./custom.ts"
import * as Objects from "./objects.ts"

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
  readonly path: (owner: string) => ReadonlyArray<string>
  readonly schema: Schema.ConstraintDecoder<W>
  readonly idOf: (wire: W) => string
  readonly build: <C>(wire: W, custom: Option.Option<C>) => B & AppContext.Included<C>
}

/** What can be set of a relation. */
interface Fields<C> {
  readonly status?: AppContext.Settable<string> | undefined
  readonly type?: AppContext.Settable<string> | undefined
  readonly custom?: AppContext.Settable<C> | undefined
}

type Item<C> = string | Fields<C> & { readonly id: string }

type Selection = AppContext.PageOptions & Objects.Selection

/** What is set and what is removed in one request. */
interface Changes<C> {
  readonly set?: ReadonlyArray<Item<C>> | undefined
  readonly remove?: ReadonlyArray<string | { readonly id: string }> | undefined
}

interface Body {
  readonly [key: string]: Schema.Json
}

/** One relation to set as it goes on the wire, and what is wrong with it. */
interface Encoded {
  readonly entry: Body
  readonly issues: ReadonlyArray<PubNubError.Detail>
}

/** The parts of a relation itself. */
const own = ["custom", "status", "type"] as const

/** What `channel`, or `user`, stands for at the other end when that has no metadata, or when nobody asked for it. */
export const bare = <S extends Schema.Constraint>(id: S) =>
  Schema.Struct({ id, eTag: Schema.optionalKey(Schema.Never) })

const idOf = (item: string | { readonly id: string }): string => typeof item === "string" ? item : item.id

export const make = <W extends Wire, B extends AppContext.Versioned, C, E, RD, RE>(
  kind: Kind<W, B>,
  codec: CustomCodec<C, E, RD, RE>
) => {
  const { other } = kind
  const known = {
    parts: [...own, other, ...own.map((part) => `${other}.${part}`)],
    keys: ["updated", "status", "type", ...["id", "name", "updated", "status", "type"].map((key) => `${other}.${key}`)]
  }
  const Many = Objects.PageOf(kind.schema)
  const toWire = (field: string) => field.startsWith(other) ? `${kind.wire}${field.slice(other.length)}` : field
  const typed = (operation: string, wire: W) =>
    Effect.map(
      codec.decode(wire.custom, { operation, kind: "membership", id: kind.idOf(wire) }),
      (custom) => kind.build(wire, custom)
    )

  /** One page as the service gives it, of the list as it is, or as the changes in the body leave it. */
  const request = (
    operation: string,
    owner: string,
    { include = [], ...rest }: Selection,
    issues: ReadonlyArray<PubNubError.Detail> = [],
    body?: Body
  ) => {
    // Without it nobody knows whether a part of the other end brings that end.
    const whole = include.some((part) => part.startsWith(`${other}.`)) ? [other, ...include] : include
    return Objects.call({
      operation,
      method: body === undefined ? "GET" : "PATCH",
      path: kind.path(owner),
      query: Objects.pageQuery({ ...rest, include: whole }, toWire),
      body,
      issues: [
        ...Objects.idIssues(kind.owner, owner),
        ...Objects.pageIssues({ ...rest, include }, known),
        ...issues
      ],
      answer: Many
    }).pipe(Effect.map((answer) => Objects.toPage(answer.data, answer, rest.limit)))
  }

  const typedPage =
    (operation: string) => (page: AppContext.Page<W>): Effect.Effect<AppContext.Page<B & AppContext.Included<C>>, E, RD> =>
      Effect.map(Effect.forEach(page.items, (wire) => typed(operation, wire)), (items) => ({ ...page, items }))

  const list = (owner: string, options: Selection) => {
    const operation = `list${kind.name}s`
    return Effect.flatMap(request(operation, owner, options), typedPage(operation))
  }

  const stream = (owner: string, options: Objects.Selection & { readonly pageSize?: number | undefined }) => {
    const operation = `list${kind.name}s`
    const { pageSize, ...selection } = options
    return Objects.streamOf(
      (next) => request(operation, owner, { ...selection, limit: pageSize, next }),
      kind.idOf
    ).pipe(Stream.mapEffect((wire) => typed(operation, wire)))
  }

  const encode = (item: Item<C>, location: string): Effect.Effect<Encoded, never, RE> => {
    const { custom, id, status, type }: Exclude<Item<C>, string> = typeof item === "string" ? { id: item } : item
    const texts = Objects.texts({ status, type }, Objects.longest)
    const entry = { [kind.wire]: { id }, ...texts.body }
    const issues = texts.issues.map((issue) => ({ ...issue, location: `${location}.${issue.location}` }))
    const given = Objects.settable(custom)
    if (given === undefined) return Effect.succeed({ entry, issues })
    if (Option.isNone(given)) return Effect.succeed({ entry: { ...entry, custom: null }, issues })
    return Effect.match(codec.encode(given.value), {
      onSuccess: (custom) => ({ entry: { ...entry, custom: { ...custom } }, issues }),
      onFailure: (message) => ({ entry, issues: [...issues, { location: `${location}.custom`, message }] })
    })
  }

  const write = (
    verb: "set" | "remove" | "manage",
    owner: string,
    encoded: ReadonlyArray<Encoded>,
    { remove = [], set = [], ...options }: Changes<C> & Selection
  ) => {
    const operation = `${verb}${kind.name}s`
    // The two lists of `manage` are named after what it does, the one of the others after what is in it.
    const at = (list: "set" | "remove") => verb === "manage" ? list : `${other}s`
    const [put, removed] = [set.map(idOf), remove.map(idOf)]
    const issues = [
      ...put.length + removed.length > 0 ? [] : [{ location: at("set"), message: "is empty: there is nothing to do" }],
      ...put.flatMap((id, index) => Objects.idIssues(`${at("set")}[${index}]`, id)),
      ...removed.flatMap((id, index) => Objects.idIssues(`${at("remove")}[${index}]`, id)),
      ...repeated([...put, ...removed]).map((id) => ({
        location: at(removed.includes(id) ? "remove" : "set"),
        message: `has ${JSON.stringify(id.slice(0, 100))}, which is in this request already`
      })),
      ...encoded.flatMap((item) => item.issues)
    ]
    const body = {
      ...put.length === 0 ? {} : { set: encoded.map(({ entry }) => entry) },
      ...removed.length === 0 ? {} : { delete: removed.map((id) => ({ [kind.wire]: { id } })) }
    }
    return Effect.flatMap(request(operation, owner, options, issues, body), typedPage(operation))
  }

  const set = (owner: string, options: Changes<C> & Selection, verb: "set" | "manage" = "set") => {
    const at = verb === "manage" ? "set" : `${other}s`
    return Effect.forEach(options.set ?? [], (item, index) => encode(item, `${at}[${index}]`)).pipe(
      Effect.flatMap((encoded) => write(verb, owner, encoded, options))
    )
  }

  const manage = (owner: string, options: Changes<C> & Selection) => set(owner, options, "manage")

  const remove = (owner: string, options: Pick<Changes<C>, "remove"> & Selection) => write("remove", owner, [], options)

  return { list, stream, set, remove, manage }
}

const repeated = (ids: ReadonlyArray<string>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > 1).map(([id]) => id)
}
