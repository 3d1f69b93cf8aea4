/**
 * Finds messages in the streams of the session's user: {@link search} gives one page, {@link streamSearch} everything.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import * as Input from "../internal/input.ts"
import * as Ids from "./Ids.ts"
import * as Body from "./internal/wire/body.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Lenient from "./internal/wire/lenient.ts"
import { agent } from "./internal/wire/path.ts"
import * as Paging from "./internal/wire/paging.ts"
import * as Request from "./internal/wire/request.ts"
import * as Times from "./internal/wire/times.ts"
import { PostedMessage } from "./PostedMessage.ts"
import type { Session } from "./Session.ts"
import type { SymphonyConfig } from "./SymphonyConfig.ts"
import type { SymphonyError } from "./SymphonyError.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"

/**
 * What to search for. A message is found when it matches all of the fields. The fields have the names of the vendor's query,
 * and so `fromDate` and `toDate` stand here where lists have `since` and `until`.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchQuery {
  /** Words of the message. Needs `streamId`. */
  readonly text?: string | undefined
  /** Searches only this stream. */
  readonly streamId?: string | undefined
  /** Searches only streams of this type. `CHAT` means `IM` and `MIM`. */
  readonly streamType?: "CHAT" | "IM" | "MIM" | "ROOM" | "POST" | undefined
  /** The id of the user who sent the message. */
  readonly author?: number | undefined
  /** A hashtag of the message, without `#`. */
  readonly hashtag?: string | undefined
  /** A cashtag of the message, without `$`. */
  readonly cashtag?: string | undefined
  /** The id of a user whom the message mentions. */
  readonly mention?: number | undefined
  /** The id of a signal. Combines with `fromDate` and `toDate` only. */
  readonly signal?: string | undefined
  /** The earliest time of a message (inclusive). A number is milliseconds since 1970. Default: no limit. */
  readonly fromDate?: DateTime.DateTime.Input | undefined
  /** The time before which a message was sent (exclusive). Default: no limit. */
  readonly toDate?: DateTime.DateTime.Input | undefined
}

/**
 * What {@link search} and {@link streamSearch} have in common.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchBase {
  /** What to search for. */
  readonly query: SearchQuery
  /** Order by time. Default: `"newestFirst"`. */
  readonly order?: "newestFirst" | "oldestFirst" | undefined
  /** Searches the content of one connector, or of Symphony alone. Default: the service's own. */
  readonly scope?: string | undefined
  /** How old the searched content is. Default: the service's own. */
  readonly tier?: "hot" | "warm" | "all" | undefined
}

/**
 * The options of {@link search}.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchOptions extends SearchBase {
  /** How many messages to skip. Default: 0. */
  readonly skip?: number | undefined
  /** The size of the page, 1 to 1,000. Default: 50. */
  readonly limit?: number | undefined
}

/**
 * The options of {@link streamSearch}.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamSearchOptions extends SearchBase {
  /** How many messages one request asks for, 1 to 1,000. Default: 50. */
  readonly pageSize?: number | undefined
}

/**
 * Searches the streams of the session's user, and gives one page of messages.
 *
 * **Details**
 *
 * `POST {agent}/agent/v1/message/search`
 *
 * **Example** (Today's messages about a share)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as MessageSearch from "effect-herald/symphony/MessageSearch"
 *
 * const today = Effect.flatMap(DateTime.now, (now) =>
 *   MessageSearch.search({ query: { cashtag: "ACME", fromDate: DateTime.startOf(now, "day") } }))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const search = (
  options: SearchOptions
): Effect.Effect<
  ReadonlyArray<PostedMessage | UndecodableItem>,
  SymphonyError,
  HttpClient.HttpClient | SymphonyConfig | Session
> => request("MessageSearch.search", options)

/**
 * Searches the streams of the session's user, and gives all messages, page after page. It asks for the next page when the
 * reader pulls, and ends after a page that is not full. `Stream.take` limits the number of messages.
 *
 * **Details**
 *
 * As {@link search}. The service counts pages from the front. With `order: "newestFirst"`, a message that arrives between two
 * requests moves the others, and one may come twice. A `toDate` prevents it.
 *
 * **Example** (The first 1,000 messages of an author)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as MessageSearch from "effect-herald/symphony/MessageSearch"
 *
 * const firstOf = (author: number) =>
 *   MessageSearch.streamSearch({ query: { author }, order: "oldestFirst", pageSize: 200 }).pipe(Stream.take(1_000))
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const streamSearch = (
  options: StreamSearchOptions
): Stream.Stream<
  PostedMessage | UndecodableItem,
  SymphonyError,
  HttpClient.HttpClient | SymphonyConfig | Session
> =>
  Endpoint.readingStream("MessageSearch.streamSearch", () => {
    const { pageSize = 50, ...search } = options
    return Paging.paginate(
      { operation: "MessageSearch.streamSearch", method: "POST", path },
      0,
      (skip) =>
        Effect.map(request("MessageSearch.streamSearch", { ...search, skip, limit: pageSize }), (messages) => ({
          entries: messages,
          next: messages.length < pageSize ? Option.none() : Option.some(skip + messages.length)
        }))
    )
  })

const path = agent`/v1/message/search`

const request = (operation: "MessageSearch.search" | "MessageSearch.streamSearch", options: SearchOptions) =>
  Request.run(operation, () => {
    const { limit = 50, order = "newestFirst", query, scope, skip = 0, tier } = options
    const misfit = Input.record(query)
    if (misfit !== undefined) return { path, issues: Input.issues({ query: misfit }), decode: decodeMessages }
    const { author, cashtag, fromDate, hashtag, mention, signal, streamId, streamType, text, toDate } = query
    const others = { text, streamId, streamType, author, hashtag, cashtag, mention }
    return {
      method: "POST",
      path,
      query: {
        skip: String(skip),
        limit: String(limit),
        sortDir: order === "newestFirst" ? "desc" : "asc",
        scope,
        tier
      },
      body: Body.json({ ...others, signal, fromDate: Times.millisOf(fromDate), toDate: Times.millisOf(toDate) }),
      streamId,
      issues: Input.issues({
        "query.streamId": streamId === undefined ? undefined : Ids.issue(streamId),
        "query.streamType": Input.optional(streamTypes)(streamType),
        "query.text": text !== undefined && streamId === undefined
          ? "is searched within a stream only: streamId is needed"
          : Input.optional(Input.text)(text),
        "query.signal": signal !== undefined && Object.values(others).some((value) => value !== undefined)
          ? "can be combined with fromDate and toDate only"
          : Input.optional(Input.text)(signal),
        "query.author": Input.optional(Input.whole(0))(author),
        "query.mention": Input.optional(Input.whole(0))(mention),
        "query.fromDate": Times.check(fromDate),
        "query.toDate": Times.check(toDate),
        "query.hashtag": Input.optional(Input.text)(hashtag),
        "query.cashtag": Input.optional(Input.text)(cashtag),
        scope: Input.optional(Input.text)(scope),
        order: Times.order(order),
        tier: Input.optional(tiers)(tier),
        skip: Input.whole(0)(skip),
        [operation === "MessageSearch.search" ? "limit" : "pageSize"]: Input.whole(1, 1000)(limit)
      }),
      decode: decodeMessages,
      empty: Effect.succeed([])
    }
  })

const streamTypes = Input.oneOf(["CHAT", "IM", "MIM", "ROOM", "POST"])
const tiers = Input.oneOf(["hot", "warm", "all"])

const decodeMessages = Lenient.entries(PostedMessage)
