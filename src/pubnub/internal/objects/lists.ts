/**
 * The lists of App Context, whatever is in them: what they can be asked, what a page says, and all pages as a stream.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as Url from "../../../internal/url.ts"
import * as AppContext from "../../AppContext.ts"
import * as Filter from "../../Filter.ts"
import type * as PubNubError from "../../PubNubError.ts"

/** What lists of users and channels can be sorted by. */
export const sortKeys = ["id", "name", "updated", "status", "type"] as const

/** What a list can be asked. A stream says with `pageSize` what is the `limit` of a page. */
export interface Asked extends AppContext.PageOptions {
  readonly include?: ReadonlyArray<string> | undefined
  readonly filter?: string | Filter.Filter<string> | undefined
  readonly sort?: ReadonlyArray<string> | undefined
  readonly pageSize?: number | undefined
}

const filterQuery = (filter: Asked["filter"]): Result.Result<Url.Query, ReadonlyArray<PubNubError.Detail>> => {
  if (filter === undefined) return Result.succeed([])
  if (typeof filter !== "string") {
    return Result.mapBoth(Filter.print(filter), {
      onFailure: ({ details }) => details,
      onSuccess: (text) => [["filter", text]]
    })
  }
  const wrong = filter.trim() === "" ? "is blank" : filter.isWellFormed() ? undefined : "holds half of a surrogate pair"
  return wrong === undefined
    ? Result.succeed([["filter", filter]])
    : Result.fail([{ location: "filter", message: wrong }])
}

const largestPage = 100

const sizeOf = ({ limit, pageSize }: Asked): number => limit ?? pageSize ?? largestPage

const sizeIssues = (asked: Asked): ReadonlyArray<PubNubError.Detail> => {
  const size = sizeOf(asked)
  if (Number.isInteger(size) && size >= 1 && size <= largestPage) return []
  const location = asked.limit === undefined ? "pageSize" : "limit"
  return [{ location, message: `is ${size}, not a whole number from 1 to ${largestPage}` }]
}

/** The parameters of a page. `toWire` gives a field the name that it has there. */
export const pageQuery = (
  { count, filter, include, next, previous, sort, ...size }: Asked,
  toWire: (field: string) => string = (field) => field
): Url.Query => [
  ["limit", String(sizeOf(size))],
  ...includeQuery(include, toWire),
  ...count === true ? [["count", "true"] as const] : [],
  ...next === undefined ? [] : [["start", next] as const],
  ...previous === undefined ? [] : [["end", previous] as const],
  ...Result.getOrElse(filterQuery(filter), () => []),
  ...sort === undefined || sort.length === 0 ? [] : [["sort", sort.map(toWire).join(",")] as const]
]

/** The parameter that asks for parts, if any are asked for. */
export const includeQuery = (
  include: ReadonlyArray<string> | undefined,
  toWire: (field: string) => string = (field) => field
): Url.Query =>
  include === undefined || include.length === 0 ? [] : [["include", [...new Set(include)].map(toWire).join(",")]]

/** What is wrong with the page that is asked for. */
export const pageIssues = (
  { filter, include = [], next, previous, sort = [], ...size }: Asked,
  known: { readonly parts: ReadonlyArray<string>; readonly keys: ReadonlyArray<string> }
): ReadonlyArray<PubNubError.Detail> => [
  ...sizeIssues(size),
  ...Object.entries({ next, previous }).flatMap(([location, cursor]) =>
    cursor === undefined || cursor.isWellFormed() ? [] : [{ location, message: "holds half of a surrogate pair" }]
  ),
  ...next === undefined || previous === undefined
    ? []
    : [{ location: "previous", message: "is given beside next: a page is behind another or before it" }],
  ...Result.match(filterQuery(filter), { onFailure: (details) => details, onSuccess: () => [] }),
  ...includeIssues(include, known.parts),
  ...sort.filter((key) => !known.keys.includes(key.replace(/:(asc|desc)$/, ""))).map((key) => ({
    location: "sort",
    message: `has ${JSON.stringify(key)}: ${known.keys.join(", ")} can be sorted by, each also with :asc or :desc`
  }))
]

export const includeIssues = (
  include: ReadonlyArray<string>,
  parts: ReadonlyArray<string>
): ReadonlyArray<PubNubError.Detail> =>
  include.filter((part) => !parts.includes(part)).map((part) => ({
    location: "include",
    message: `has ${JSON.stringify(part)}, which is none of ${parts.join(", ")}`
  }))

/** The answer to a request for a page. */
export const PageOf = <S extends Schema.Constraint>(item: S) =>
  Schema.Struct({
    data: Schema.Array(item),
    totalCount: Schema.optionalKey(Schema.NullOr(Schema.Int)),
    next: Schema.optionalKey(Schema.NullOr(Schema.String)),
    prev: Schema.optionalKey(Schema.NullOr(Schema.String))
  })

const cursor = (text: string | null | undefined) => Option.getOrUndefined(AppContext.PageCursor.makeOption(text ?? ""))

/**
 * A page, from the service's answer. It gives a cursor for a next page behind the last one too, and only a full page may have
 * one behind it; before another, a page that is not full is the first, and not the last.
 */
export const toPage = <A>(
  { data, next, prev, totalCount }: {
    readonly data: ReadonlyArray<A>
    readonly totalCount?: number | null
    readonly next?: string | null
    readonly prev?: string | null
  },
  asked: Asked
): AppContext.Page<A> => {
  const full = asked.previous === undefined ? sizeOf(asked) : 1
  const behind = data.length < full ? undefined : cursor(next)
  const before = cursor(prev)
  return {
    items: data,
    ...totalCount === undefined || totalCount === null ? {} : { total: totalCount },
    ...behind === undefined ? {} : { next: behind },
    ...before === undefined ? {} : { previous: before }
  }
}

/** The page with each item made into another. */
export const mapItems = <A, B, E, R>(
  page: AppContext.Page<A>,
  f: (item: A) => Effect.Effect<B, E, R>
): Effect.Effect<AppContext.Page<B>, E, R> => Effect.map(Effect.forEach(page.items, f), (items) => ({ ...page, items }))

/**
 * The items of all pages. A cursor counts places: what is inserted meanwhile moves items to a later page, where they come
 * again, so each is given once.
 */
export const streamOf = <A, E, R>(
  page: (next: AppContext.PageCursor | undefined) => Effect.Effect<AppContext.Page<A>, E, R>,
  idOf: (item: A) => string
): Stream.Stream<A, E, R> =>
  Stream.suspend(() => {
    const given = new Set<string>()
    return Stream.paginate(Option.none<AppContext.PageCursor>(), (next) =>
      Effect.map(page(Option.getOrUndefined(next)), (page) => {
        const isNew = (item: A) =>
          !given.has(idOf(item))
        const fresh = page.items.filter(isNew)
        for (const item of fresh) given.add(idOf(item))
        return [fresh, Option.map(Option.fromUndefinedOr(page.next), Option.some)]
      }))
  })
