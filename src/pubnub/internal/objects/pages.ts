/** Lists of App Context: the query of a page, its answer, and a stream of all pages. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Codec from "../../../internal/codec.ts"
import * as Eager from "../../../internal/eager.ts"
import * as Input from "../../../internal/input.ts"
import * as Json from "../../../internal/json.ts"
import type * as Url from "../../../internal/url.ts"
import * as AppContext from "../../AppContext.ts"
import * as ObjectFilter from "../../ObjectFilter.ts"
import type * as PubNubError from "../../PubNubError.ts"
import { isDecoded, type UndecodableItem } from "../../../UndecodableItem.ts"
import * as Items from "../wire/items.ts"
import * as Names from "../wire/names.ts"
import * as Paging from "../../../internal/paging.ts"

/** The sort keys of users and channels. */
export const sortKeys = ["id", "name", "updated", "status", "type"] as const

/** The options of a list. A stream has `pageSize` in place of `limit`. */
export interface Asked extends AppContext.PageOptions {
  readonly include?: ReadonlyArray<string> | undefined
  readonly filter?: string | ObjectFilter.Filter<string> | undefined
  readonly sort?: ReadonlyArray<string> | undefined
  readonly pageSize?: number | undefined
  /** The cursors of earlier pages. A list that returns one of them again has no end. */
  readonly passed?: ReadonlySet<AppContext.PageCursor> | undefined
}

const filterOf = (filter: Asked["filter"]): Result.Result<string | undefined, ReadonlyArray<PubNubError.Detail>> => {
  if (filter === undefined) return Result.succeed(undefined)
  if (typeof filter !== "string") return Result.mapError(ObjectFilter.print(filter), ({ details }) => details)
  const message = Input.notBlank(filter)
  return message === undefined ? Result.succeed(filter) : Result.fail([{ location: "filter", message }])
}

/** Only a filter can make an address too long. */
export const longInput = { location: "filter", advice: "write a shorter one" }

/** The most objects on a page. */
const most = 100

const sizeOf = ({ limit, pageSize }: Asked): number => limit ?? pageSize ?? most

/** The query of a page. `toWire` gives the wire's name of a field. */
export const pageQuery = (asked: Asked, toWire: (field: string) => string = (field) => field): Url.Parameters => ({
  limit: String(sizeOf(asked)),
  include: includeQuery(asked.include, toWire),
  count: asked.totalCount === true ? "true" : undefined,
  start: asked.next,
  end: asked.previous,
  filter: Result.getOrUndefined(filterOf(asked.filter)),
  sort: asked.sort?.map(toWire).join(",") || undefined
})

/** The value of the parameter `include`, if parts are requested. */
export const includeQuery = (
  include: ReadonlyArray<string> = [],
  toWire: (field: string) => string = (field) => field
): string | undefined => Names.unique(include).map(toWire).join(",") || undefined

/** The problems of the options of a page. */
export const pageIssues = (
  { filter, include = [], limit, next, pageSize, previous, sort = [], totalCount }: Asked,
  known: { readonly parts: ReadonlyArray<string>; readonly keys: ReadonlyArray<string> }
): ReadonlyArray<PubNubError.Detail> => [
  ...Input.issues({
    limit: Input.optional(Input.whole(1, most))(limit),
    pageSize: Input.optional(Input.whole(1, most))(pageSize),
    totalCount: Input.optional(Input.flag)(totalCount),
    next: Input.optional(Input.filled)(next),
    previous: next !== undefined && previous !== undefined
      ? "is given beside next: pass only one of them"
      : Input.optional(Input.filled)(previous)
  }),
  ...Result.match(filterOf(filter), { onFailure: (details) => details, onSuccess: () => [] }),
  ...includeIssues(include, known.parts),
  ...Input.each("sort", sort, Input.oneOf(known.keys.flatMap((key) => [key, `${key}:asc`, `${key}:desc`])))
]

export const includeIssues = (
  include: ReadonlyArray<string>,
  parts: ReadonlyArray<string>
): ReadonlyArray<PubNubError.Detail> => Input.each("include", include, Input.oneOf(parts))

/** An item of a list: as it came, and decoded if it can be. */
export interface Item<W> {
  readonly raw: Schema.Json
  readonly wire: W | UndecodableItem
}

/** A page whose items are not in their public form yet. */
export interface Page<A> extends Omit<AppContext.Page<A>, "items"> {
  readonly items: ReadonlyArray<A>
}

const decodeAnswer = Codec.decodeResult(
  Schema.Struct({
    data: Items.Unread,
    totalCount: Schema.optionalKey(Schema.NullOr(Schema.Int)),
    next: Schema.optionalKey(Schema.NullOr(Schema.String)),
    prev: Schema.optionalKey(Schema.NullOr(Schema.String))
  })
)

/** Makes a decoder of pages, which decodes item by item. */
export const pageOf = <W>(
  item: Schema.ConstraintDecoder<W>
): (json: Schema.Json, asked: Asked) => Result.Result<Page<Item<W>>, string> => {
  const read = Items.reader(item)
  return (json, asked) =>
    Result.flatMap(decodeAnswer(json), ({ data, ...answer }) => {
      const page = toPage({ ...answer, data: data.map((raw) => ({ raw, wire: read(raw) })) }, asked)
      return page.next !== undefined && (page.next === asked.next || asked.passed?.has(page.next) === true)
        ? Result.fail(`the cursor of the next page came before: ${page.next}`)
        : Result.succeed(page)
    })
}

/** Converts an item that was decoded. If that fails, the item becomes an `UndecodableItem`. */
export const typed = <W, B, R>(f: (wire: W) => Effect.Effect<B, AppContext.CustomMismatch, R>) =>
(
  { raw, wire }: Item<W>
): Effect.Effect<B | UndecodableItem, never, R> =>
  isDecoded<W>(wire)
    ? Effect.catchEager(f(wire), ({ issue }) => Effect.succeed(Items.undecodable(raw, issue)))
    : Effect.succeed(wire)

const cursor = (text: string | null | undefined) => Option.getOrUndefined(AppContext.PageCursor.makeOption(text ?? ""))

/**
 * Makes a page from the service's answer. The service sends a cursor for a next page even with the last page, so `next` is kept
 * only if the page is full. A page that was requested with `previous` always has a next one, unless it is empty.
 */
const toPage = <A>(
  { data, next, prev, totalCount }: {
    readonly data: ReadonlyArray<A>
    readonly totalCount?: number | null
    readonly next?: string | null
    readonly prev?: string | null
  },
  asked: Asked
): Page<A> => {
  const full = asked.previous === undefined ? sizeOf(asked) : 1
  const behind = data.length < full ? undefined : cursor(next)
  const before = cursor(prev)
  return {
    items: data,
    ...totalCount === undefined || totalCount === null ? {} : { totalCount },
    ...behind === undefined ? {} : { next: behind },
    ...before === undefined ? {} : { previous: before }
  }
}

/** Maps the items of a page. */
export const mapItems = <A, B, E, R>(
  page: Page<A>,
  f: (item: A) => Effect.Effect<B | UndecodableItem, E, R>
): Effect.Effect<AppContext.Page<B>, E, R> =>
  Effect.mapEager(Eager.forEach(page.items, f), (items) => ({ ...page, items }))

/**
 * Streams the items of all pages. A cursor counts places, so an insertion moves items to the next page, where they come again.
 * The stream emits each item once.
 */
export const streamOf = <W, E, R>(
  page: (at: Pick<Asked, "next" | "passed">) => Effect.Effect<Page<Item<W>>, E, R>,
  idOf: (wire: W) => string
): Stream.Stream<Item<W>, E, R> =>
  Stream.suspend(() => {
    const given = new Set<string>()
    const passed = new Set<AppContext.PageCursor>()
    const keyOf = ({ raw, wire }: Item<W>) => isDecoded<W>(wire) ? idOf(wire) : Json.text(raw)
    return Paging.paginate(Option.none<AppContext.PageCursor>(), (next) =>
      Effect.map(page({ next: Option.getOrUndefined(next), passed }), (page) => {
        const fresh = page.items.filter((item) =>
          !given.has(keyOf(item))
        )
        for (const item of fresh) given.add(keyOf(item))
        if (page.next !== undefined) passed.add(page.next)
        return [fresh, Option.map(Option.fromUndefinedOr(page.next), Option.some)]
      }))
  })
