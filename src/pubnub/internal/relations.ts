/**
 * The memberships of a user and the members of a channel: the same relations from either end, and one and the same set
 * of requests.
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as AppContext from "../AppContext.ts"
import * as Filter from "../Filter.ts"
import type { Fields, Settings } from "../Memberships.ts"
import { PubNubConfig } from "../PubNubConfig.ts"
import type * as PubNubError from "../PubNubError.ts"
import type { CustomCodec } from "./custom.ts"
import * as Objects from "./objects.ts"
import * as Outcome from "./outcome.ts"
import { inTurn } from "./turns.ts"

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

type Verb = "set" | "remove" | "manage"

type Selection = AppContext.PageOptions & Objects.Selection

/** What is set and what is removed in one request. */
interface Changes<C> {
  readonly set?: ReadonlyArray<string | Settings<C>> | undefined
  readonly remove?: ReadonlyArray<string | { readonly id: string }> | undefined
}

interface Body {
  readonly [key: string]: Schema.Json
}

/** What is sent of one relation, and what is wrong with it. */
interface Encoded {
  readonly fields: {
    readonly id: string
    readonly status?: string | null
    readonly type?: string | null
    readonly custom?: AppContext.Custom | null
  }
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
    // Custom data of the other end is known to bring that end. Of its status and type nobody knows.
    const isEndAsked = include.includes(`${other}.custom`) || !include.some((part) => part.startsWith(`${other}.`))
    const whole = isEndAsked ? include : [...include, other]
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
    }).pipe(Effect.map((answer) => Objects.toPage(answer.data, answer, Objects.fullPage(rest))))
  }

  const typedPage =
    (operation: string) =>
    (page: AppContext.Page<W>): Effect.Effect<AppContext.Page<B & AppContext.Included<C>>, E, RD> =>
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

  const encode = ({ custom, id, status, type }: Settings<C>, prefix: string): Effect.Effect<Encoded, never, RE> => {
    const texts = Objects.texts({ status, type }, Objects.longest)
    const fields = { id, ...texts.body }
    const issues = texts.issues.map((issue) => ({ ...issue, location: `${prefix}${issue.location}` }))
    const given = Objects.settable(custom)
    if (given === undefined) return Effect.succeed({ fields, issues })
    if (Option.isNone(given)) return Effect.succeed({ fields: { ...fields, custom: null }, issues })
    return Effect.match(codec.encode(given.value), {
      onSuccess: (custom) => ({ fields: { ...fields, custom }, issues }),
      onFailure: (message) => ({ fields, issues: [...issues, { location: `${prefix}custom`, message }] })
    })
  }

  const toBody = ({ custom, id, ...texts }: Encoded["fields"]): Body => ({
    [kind.wire]: { id },
    ...texts,
    ...custom === undefined ? {} : { custom: custom === null ? null : { ...custom } }
  })

  // The two lists of `manage` are named after what it does, the one of the others after what is in it.
  const listName = (verb: Verb, list: "set" | "remove") => verb === "manage" ? list : `${other}s`

  const write = (
    verb: Verb,
    owner: string,
    encoded: ReadonlyArray<Encoded>,
    { remove = [], set = [], ...options }: Changes<C> & Selection
  ) => {
    const operation = `${verb}${kind.name}s`
    const at = (list: "set" | "remove") => listName(verb, list)
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
      ...put.length === 0 ? {} : { set: encoded.map(({ fields }) => toBody(fields)) },
      ...removed.length === 0 ? {} : { delete: removed.map((id) => ({ [kind.wire]: { id } })) }
    }
    return Effect.flatMap(request(operation, owner, options, issues, body), typedPage(operation))
  }

  const encodeAll = (verb: Verb, items: ReadonlyArray<string | Settings<C>> = []) =>
    Effect.forEach(
      items,
      (item, index) => encode(typeof item === "string" ? { id: item } : item, `${listName(verb, "set")}[${index}].`)
    )

  const set = (owner: string, options: Pick<Changes<C>, "set"> & Selection) =>
    Effect.flatMap(encodeAll("set", options.set), (encoded) => write("set", owner, encoded, options))

  const manage = (owner: string, options: Changes<C> & Selection) =>
    Effect.flatMap(encodeAll("manage", options.set), (encoded) => write("manage", owner, encoded, options))

  const remove = (owner: string, options: Pick<Changes<C>, "remove"> & Selection) => write("remove", owner, [], options)

  /** A relation as it is now. An id that no filter can hold is looked for in the whole list. */
  const find = (operation: string, owner: string, id: string) =>
    Objects.streamOf(
      (next) => request(operation, owner, { ...selecting(id), next }, Objects.idIssues(other, id)),
      kind.idOf
    ).pipe(
      Stream.filter((wire) => kind.idOf(wire) === id),
      Stream.runHead,
      Effect.flatMap(Option.match({
        onNone: () => Effect.fail(new AppContext.ObjectNotFound({ operation, kind: "membership", id })),
        onSome: Effect.succeed
      }))
    )

  const selecting = (id: string): Selection => {
    const filter = Filter.equals(`${other}.id`, id)
    return { include: own, ...Result.isSuccess(Filter.print(filter)) ? { filter } : {} }
  }

  const update = (
    owner: string,
    id: string,
    { custom: how = "replace" }: Pick<AppContext.UpdateOptions, "custom">,
    f: (relation: B & AppContext.Included<C>) => Fields<C>
  ) => {
    const operation = `update${kind.name}`
    const change = Effect.gen(function*() {
      const before = yield* find(operation, owner, id)
      const current = yield* typed(operation, before)
      const fields = f(current)
      if (Object.values(fields).every((value) => value === undefined)) return current
      const { fields: given, issues } = yield* encode({ ...fields, id }, "")
      // Whether a relation keeps what a request leaves out is not written down: what is to stay is sent along.
      const sent = {
        ...Option.isSome(before.status) ? { status: before.status.value } : {},
        ...Option.isSome(before.type) ? { type: before.type.value } : {},
        ...Option.isSome(before.custom) ? { custom: before.custom.value } : {},
        ...given,
        ...how === "merge" && Option.isSome(before.custom) && Predicate.isObject(given.custom)
          ? { custom: { ...before.custom.value, ...given.custom } }
          : {}
      }
      const page = yield* request(operation, owner, selecting(id), issues, { set: [toBody(sent)] }).pipe(
        Effect.catch((error) => settle(operation, owner, before, sent, error))
      )
      const after = page.items.find((wire) => kind.idOf(wire) === id) ?? (yield* find(operation, owner, id))
      return yield* typed(operation, after)
    })
    return Effect.gen(function*() {
      const { origin, subscribeKey } = yield* PubNubConfig
      const [user, channel] = kind.owner === "user" ? [owner, id] : [id, owner]
      return yield* inTurn(JSON.stringify([origin, subscribeKey, user, channel]))(change)
    })
  }

  /** What became of a write that failed: an answer that was lost is looked for in the relation. */
  const settle = (
    operation: string,
    owner: string,
    before: W,
    sent: Encoded["fields"],
    error: PubNubError.PubNubError
  ) =>
    Result.match(Outcome.judge(error.reason), {
      onSuccess: () => Effect.fail(error),
      onFailure: (reason) => {
        const unknown = new AppContext.UpdateOutcomeUnknown({ operation, kind: "membership", id: sent.id, reason })
        return Effect.matchEffect(find(operation, owner, sent.id), {
          onFailure: () => Effect.fail(unknown),
          onSuccess: (now) =>
            own.every((part) => Equal.equals(now[part], Option.fromNullishOr(sent[part])))
              ? Effect.succeed({ items: [now] })
              : Effect.fail(now.etag === before.etag ? error : unknown)
        })
      }
    })

  return { list, stream, set, manage, remove, update }
}

const repeated = (ids: ReadonlyArray<string>): ReadonlyArray<string> => {
  const counts = new Map<string, number>()
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1)
  return [...counts].filter(([, count]) => count > 1).map(([id]) => id)
}
