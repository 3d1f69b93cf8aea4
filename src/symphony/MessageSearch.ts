/**
 * Finding messages in the streams of the session's user: {@link search} gives a page, and {@link searchAll} all of them.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
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
import type * as SymphonyError from "./SymphonyError.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"

type Needs = HttpClient.HttpClient | SymphonyConfig | Session

/**
 * What to search for: messages that are all of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchQuery {
  /** Words of the message. Needs `streamId`. */
  readonly text?: string | undefined
  /** In this stream only. */
  readonly streamId?: string | undefined
  /** `CHAT` is `IM` and `MIM`. */
  readonly streamType?: "CHAT" | "IM" | "MIM" | "ROOM" | "POST" | undefined
  /** The id of who sent it. */
  readonly author?: number | undefined
  /** Without `#`. */
  readonly hashtag?: string | undefined
  /** Without `$`. */
  readonly cashtag?: string | undefined
  /** The id of a user who is mentioned. */
  readonly mention?: number | undefined
  /** The id of a signal. Dates are all that may stand beside it. */
  readonly signal?: string | undefined
  /** The first time that is searched. A number is milliseconds since 1970. */
  readonly fromDate?: DateTime.DateTime.Input | undefined
  /** The first time that is not searched any more. */
  readonly toDate?: DateTime.DateTime.Input | undefined
}

/**
 * How to search.
 *
 * @category models
 * @since 0.1.0
 */
export interface Searching {
  /** What to search for. */
  readonly query: SearchQuery
  /** By time. Default: `"desc"`, newest first. */
  readonly sortDir?: "asc" | "desc" | undefined
  /** The content of one connector, or of Symphony alone. Default: as the service does. */
  readonly scope?: string | undefined
  /** How old content is searched. Default: as the service does. */
  readonly tier?: "hot" | "warm" | "all" | undefined
}

/**
 * What {@link search} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchOptions extends Searching {
  /** How many messages to leave out in front. Default: 0. */
  readonly skip?: number | undefined
  /** 1 to 1,000. Default: 50. */
  readonly limit?: number | undefined
}

/**
 * What {@link searchAll} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchAllOptions extends Searching {
  /** How many messages one request asks for: 1 to 1,000. Default: 50. */
  readonly chunkSize?: number | undefined
  /** How many messages are given at most; 0 or less is none, without a request. Default: all. */
  readonly maxNumber?: number | undefined
}

/**
 * A page of what is found in the streams of the session's user.
 *
 * **Details**
 *
 * `POST {agent}/agent/v1/message/search`
 *
 * **Example** (Who spoke of a share today)
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
): Effect.Effect<ReadonlyArray<PostedMessage | UndecodableItem>, SymphonyError.SymphonyError, Needs> =>
  searchAs("search", options, [])

/**
 * All that is found, page after page. It stops asking when its reader stops, after a page that is not full, or when
 * `maxNumber` messages were given.
 *
 * **Details**
 *
 * As {@link search}. Pages are counted from the front: with `sortDir: "desc"`, a message that comes meanwhile moves the
 * others, so that one may be seen twice. A `toDate` prevents it.
 *
 * **Example** (All of an author, oldest first)
 *
 * ```ts
 * import * as MessageSearch from "effect-herald/symphony/MessageSearch"
 *
 * const of = (author: number) => MessageSearch.searchAll({ query: { author }, sortDir: "asc", chunkSize: 200 })
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const searchAll = (
  options: SearchAllOptions
): Stream.Stream<PostedMessage | UndecodableItem, SymphonyError.SymphonyError, Needs> =>
  Endpoint.readingStream("searchAll", () => {
    const { chunkSize = 50, maxNumber = Number.POSITIVE_INFINITY, ...searching } = options
    if (maxNumber <= 0) return Stream.empty
    const issues = Input.issues({
      maxNumber: maxNumber === Number.POSITIVE_INFINITY ? undefined : Input.whole(0)(maxNumber)
    })
    return Paging.paginate(
      { operation: "searchAll", method: "POST", path: searchPath },
      0,
      (skip) =>
        Effect.map(searchAs("searchAll", { ...searching, skip, limit: chunkSize }, issues), (messages) => {
          const next = skip + messages.length
          return {
            entries: messages,
            fresh: messages.slice(0, maxNumber - skip),
            next: messages.length < chunkSize || next >= maxNumber ? Option.none() : Option.some(next)
          }
        })
    )
  })

const searchPath = agent`/v1/message/search`

const searchAs = (
  operation: "search" | "searchAll",
  options: SearchOptions,
  issues: ReadonlyArray<SymphonyError.Detail>
): Effect.Effect<ReadonlyArray<PostedMessage | UndecodableItem>, SymphonyError.SymphonyError, Needs> =>
  Request.run(operation, () => {
    const { limit = 50, query, scope, skip = 0, sortDir = "desc", tier } = options
    const path = searchPath
    const misfit = Input.record(query)
    if (misfit !== undefined) return { path, issues: Input.issues({ query: misfit }), decode: decodeMessages }
    const { author, cashtag, fromDate, hashtag, mention, signal, streamId, streamType, text, toDate } = query
    const others = [text, streamId, streamType, author, hashtag, cashtag, mention]
    return {
      method: "POST",
      path,
      query: { skip: String(skip), limit: String(limit), sortDir, scope, tier },
      body: Body.json({
        text,
        streamId,
        streamType,
        author,
        hashtag,
        cashtag,
        mention,
        signal,
        fromDate: Times.millisOf(fromDate),
        toDate: Times.millisOf(toDate)
      }),
      streamId,
      issues: [
        ...issues,
        ...Input.issues({
          "query.streamId": streamId === undefined ? undefined : Ids.issue(streamId),
          "query.streamType": Input.optional(streamTypes)(streamType),
          "query.text": text !== undefined && streamId === undefined
            ? "is searched within a stream only: streamId is needed"
            : Input.optional(Input.text)(text),
          "query.signal": signal !== undefined && others.some((value) => value !== undefined)
            ? "can be combined with fromDate and toDate only"
            : Input.optional(Input.text)(signal),
          "query.author": Input.optional(Input.whole(0))(author),
          "query.mention": Input.optional(Input.whole(0))(mention),
          "query.fromDate": Times.check(fromDate),
          "query.toDate": Times.check(toDate),
          "query.hashtag": Input.optional(Input.text)(hashtag),
          "query.cashtag": Input.optional(Input.text)(cashtag),
          scope: Input.optional(Input.text)(scope),
          sortDir: Input.oneOf(["asc", "desc"])(sortDir),
          tier: Input.optional(tiers)(tier),
          skip: Input.whole(0)(skip),
          [operation === "search" ? "limit" : "chunkSize"]: Input.whole(1, 1000)(limit)
        })
      ],
      decode: decodeMessages,
      empty: { value: [] }
    }
  })

const streamTypes = Input.oneOf(["CHAT", "IM", "MIM", "ROOM", "POST"])
const tiers = Input.oneOf(["hot", "warm", "all"])

const decodeMessages = Lenient.entries(PostedMessage)
