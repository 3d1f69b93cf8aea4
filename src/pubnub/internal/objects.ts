/**
 * The requests of App Context, whatever the objects are: their addresses, what every list can be asked, what a page says,
 * and how they fail.
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as Url from "../../internal/url.ts"
import * as AppContext from "../AppContext.ts"
import * as Filter from "../Filter.ts"
import { PubNubConfig } from "../PubNubConfig.ts"
import * as PubNubError from "../PubNubError.ts"
import { UserId } from "../UserId.ts"
import * as Endpoint from "./endpoint.ts"

export type Needs = HttpClient.HttpClient | PubNubConfig

export interface Call<A> {
  readonly operation: string
  readonly method: "GET" | "PATCH" | "DELETE"
  /** Behind the subscribe key, not encoded. */
  readonly path: ReadonlyArray<string>
  readonly query?: Url.Query | undefined
  readonly body?: { readonly [key: string]: Schema.Json } | undefined
  readonly ifMatch?: AppContext.Etag | undefined
  /** What is wrong with the input. */
  readonly issues: ReadonlyArray<PubNubError.Detail>
  readonly answer: Schema.ConstraintDecoder<A>
}

const address = ({ method, operation, path }: Pick<Call<never>, "operation" | "method" | "path">) => ({
  operation,
  method,
  shownPath: ["/v2/objects/{subscribeKey}", ...path].join("/")
})

/** Sends a request, unless something is wrong with the input. */
export const call = <A>(request: Call<A>): Effect.Effect<A, PubNubError.PubNubError, Needs> =>
  Effect.gen(function*() {
    const config = yield* PubNubConfig
    const { answer, body, ifMatch, issues, path, query = [] } = request
    const where = address(request)
    const fail = Endpoint.errorOf(where)
    if (config.subscribeKey === "") {
      return yield* fail(new PubNubError.InvalidKey({ key: "subscribe", description: "it is not set" }))
    }
    if (issues.length > 0) return yield* fail(Endpoint.refused(issues))
    const decode = Schema.decodeUnknownResult(answer)
    const endpoint = {
      ...where,
      path: ["/v2/objects", config.subscribeKey, ...path.map(Url.encode)].join("/"),
      query,
      body: body === undefined ? undefined : JSON.stringify(body),
      ifMatch,
      // Custom numbers stay numbers.
      parse: Json.parse,
      decode: (json: Schema.Json) => Result.mapError(decode(json), (issue) => issue.message)
    }
    const size = Endpoint.addressSize(config, endpoint)
    if (size > config.maxUrlSize) {
      const message = `makes an address of ${size} bytes, and maxUrlSize is ${config.maxUrlSize}`
      return yield* fail(Endpoint.refused([{ message: `the input ${message}` }]))
    }
    return yield* Endpoint.call(config, endpoint, fail)
  })

/** Whether a request failed because the service answered with this status. */
export const isStatus = (error: PubNubError.PubNubError, status: number): boolean =>
  error.reason._tag === "BadRequest" && error.reason.status === status

/** The answer to what gives nothing back. */
export const Nothing = Schema.Struct({ status: Schema.Literal(200) })

// --------------------------------------------------------------------------------------------------------------------
// lists
// --------------------------------------------------------------------------------------------------------------------

/** What a list can be asked beside its page. */
export interface Selection {
  readonly include?: ReadonlyArray<string> | undefined
  readonly filter?: string | Filter.Filter<string> | undefined
  readonly sort?: ReadonlyArray<string> | undefined
}

const filterText = (
  filter: string | Filter.Filter<string>
): Result.Result<string, ReadonlyArray<PubNubError.Detail>> => {
  if (typeof filter !== "string") return Result.mapError(Filter.print(filter), ({ details }) => details)
  const wrong = filter.trim() === "" ? "is blank" : filter.isWellFormed() ? undefined : "holds half of a surrogate pair"
  return wrong === undefined ? Result.succeed(filter) : Result.fail([{ location: "filter", message: wrong }])
}

const filterQuery = (filter: string | Filter.Filter<string> | undefined): Url.Query =>
  filter === undefined
    ? []
    : Result.match(filterText(filter), { onFailure: () => [], onSuccess: (text) => [["filter", text]] })

const filterIssues = (filter: string | Filter.Filter<string> | undefined): ReadonlyArray<PubNubError.Detail> =>
  filter === undefined ? [] : Result.match(filterText(filter), { onFailure: (details) => details, onSuccess: () => [] })

/** A page of a list, or of a stream, which says it with `pageSize`. */
export interface Asked extends AppContext.PageOptions, Selection {
  readonly pageSize?: number | undefined
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
  ...filterQuery(filter),
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
  ...filterIssues(filter),
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
        const fresh = page.items.filter((item) =>
          !given.has(idOf(item))
        )
        for (const item of fresh) given.add(idOf(item))
        return [fresh, Option.map(Option.fromUndefinedOr(page.next), Option.some)]
      }))
  })

// --------------------------------------------------------------------------------------------------------------------
// parts of objects
// --------------------------------------------------------------------------------------------------------------------

/** The parts of every object that come when they are asked for. */
export const parts = ["custom", "status", "type"] as const

/** What lists of users and channels can be sorted by. */
export const sortKeys = ["id", "name", "updated", "status", "type"] as const

/** A field that the service leaves out, or writes as null, when it is not set or was not asked for. */
const Text = Schema.OptionFromOptionalNullOr(Schema.String)

/** What every object has on the wire. */
export const Common = {
  status: Text,
  type: Text,
  custom: Schema.OptionFromOptionalNullOr(AppContext.Custom),
  updated: Schema.DateTimeUtcFromString,
  etag: AppContext.Etag
}

/** A user on the wire. */
export const User = Schema.Struct({
  id: UserId,
  name: Text,
  externalId: Text,
  profileUrl: Text,
  email: Text,
  ...Common
}).pipe(Schema.encodeKeys({ etag: "eTag" }))

/** A channel on the wire. */
export const Channel = Schema.Struct({
  id: Schema.String,
  name: Text,
  description: Text,
  ...Common
}).pipe(Schema.encodeKeys({ etag: "eTag" }))

const utf8 = new TextEncoder()
const longestId = 92

/** What is wrong with the id of a user or a channel. */
export const idIssues = (location: string, id: string): ReadonlyArray<PubNubError.Detail> => {
  const bytes = utf8.encode(id).length
  const wrong = id.trim() === ""
    ? "is blank"
    : bytes > longestId
    ? `has ${bytes} bytes, and ${longestId} are the most`
    : Url.segmentIssue(id)
  return wrong === undefined ? [] : [{ location, message: `${JSON.stringify(id.slice(0, 100))} ${wrong}` }]
}

/** What is wrong with a tag as the value of a header. */
export const etagIssues = (etag: AppContext.Etag | undefined): ReadonlyArray<PubNubError.Detail> =>
  etag === undefined || /^[\x21-\x7e]+$/.test(etag)
    ? []
    : [{ location: "ifMatchesEtag", message: "holds what no header can carry" }]
