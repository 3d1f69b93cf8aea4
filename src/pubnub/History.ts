/**
 * What was published: {@link fetch} a page, {@link stream} a range, {@link count} what is new, {@link remove} what
 * should not stay. The keyset needs Message Persistence.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Url from "../internal/url.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Entries from "./internal/wire/entries.ts"
import * as Payload from "./internal/wire/payload.ts"
import * as Storage from "./internal/wire/storage.ts"
import { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import { Timetoken } from "./Timetoken.ts"
import type { UserId } from "./UserId.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * One action on a stored message.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredAction {
  readonly type: string
  readonly value: string
  readonly user: UserId
  readonly actionTimetoken: Timetoken
}

/**
 * What every entry of history has.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly channel: string
  readonly timetoken: Timetoken
  readonly publisher?: UserId
}

/**
 * A stored message.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredMessage<A = Schema.Json> extends Entry {
  readonly _tag: "StoredMessage"
  readonly payload: A
  readonly meta?: Schema.Json
  readonly customMessageType?: string
  /** Only when asked for with `include.actions`. */
  readonly actions: ReadonlyArray<StoredAction>
}

/**
 * A stored file, perhaps with a message.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredFile extends Entry {
  readonly _tag: "StoredFile"
  readonly file: { readonly id: string; readonly name: string }
  readonly payload?: Schema.Json
  readonly meta?: Schema.Json
  readonly customMessageType?: string
  readonly actions: ReadonlyArray<StoredAction>
}

/**
 * An entry that cannot be read: its payload does not match the schema, or the service wrote something else. The others
 * of its page are not touched.
 *
 * @category models
 * @since 0.1.0
 */
export interface UndecodableEntry {
  readonly _tag: "UndecodableEntry"
  readonly channel: string
  readonly timetoken?: Timetoken
  readonly publisher?: UserId
  readonly raw: Schema.Json
  readonly issue: string
}

/**
 * Everything that history holds.
 *
 * @category models
 * @since 0.1.0
 */
export type Stored<A = Schema.Json> = StoredMessage<A> | StoredFile | UndecodableEntry

/**
 * A page of one channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page<A = Schema.Json> {
  /** Oldest first. */
  readonly entries: ReadonlyArray<Stored<A>>
  /** Where the next older page ends: pass it as `before`. Absent when there is none. */
  readonly next?: Timetoken
}

/**
 * A range of history: from `since` on, and older than `before`. Default: all that is kept.
 *
 * @category models
 * @since 0.1.0
 */
export interface Range {
  /** The oldest timetoken that belongs to the range. */
  readonly since?: Timetoken | undefined
  /** The first timetoken that does not belong to it any more. */
  readonly before?: Timetoken | undefined
}

/**
 * What comes with each entry. Publishers and types always do.
 *
 * @category models
 * @since 0.1.0
 */
export interface Include {
  /** The object that was published beside it. Default: `true`. */
  readonly meta?: boolean | undefined
  /** Its message actions; of one channel only, at most 25 entries a page. Default: `false`. */
  readonly actions?: boolean | undefined
}

/**
 * What {@link fetch} takes for one channel, beside a {@link Range}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FetchOptions extends Range {
  readonly channel: string
  /** The most entries of a page: 1 to 100, and 1 to 25 with actions. Default: as many as possible. */
  readonly limit?: number | undefined
  readonly include?: Include | undefined
}

/**
 * What {@link fetch} takes for several channels, beside a {@link Range}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FetchManyOptions extends Range {
  /** Up to 500. */
  readonly channels: ReadonlyArray<string>
  /** The most entries of each channel: 1 to 25. Default: 25. */
  readonly limit?: number | undefined
  readonly include?: Pick<Include, "meta"> | undefined
}

/**
 * What {@link stream} takes beside a {@link Range}.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions extends Range {
  readonly channel: string
  /** Default: `"newestFirst"`, which reads no more than it gives. */
  readonly order?: "newestFirst" | "oldestFirst" | undefined
  readonly include?: Include | undefined
}

/**
 * Types the payloads. One that does not match, or that the schema throws at, is an {@link UndecodableEntry} in its place.
 *
 * @category models
 * @since 0.1.0
 */
export interface Typed<A, RD = never> {
  readonly schema: Payload.Reader<A, RD>
}

/**
 * What these requests can fail with: any reason. Without Message Persistence it is `FeatureDisabled`.
 *
 * @category errors
 * @since 0.1.0
 */
export type HistoryError = PubNubError.PubNubError

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

type Needs = HttpClient.HttpClient | PubNubConfig

/**
 * One page of one channel, or the newest entries of several.
 *
 * **Details**
 *
 * `GET /v3/history/sub-key/{subscribeKey}/channel/{channels}`, and `/v3/history-with-actions/…` with actions. A page holds the
 * newest entries of the range, oldest first. Wrong input is a `BadRequest` before anything is sent.
 *
 * **Example** (The last ten orders, and one page further back)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as History from "effect-herald/pubnub/History"
 *
 * const Order = Schema.Struct({ id: Schema.Int })
 *
 * const orders = Effect.gen(function*() {
 *   const newest = yield* History.fetch({ channel: "orders", limit: 10, schema: Order })
 *   if (newest.next === undefined) return newest.entries
 *   const older = yield* History.fetch({ channel: "orders", limit: 10, before: newest.next, schema: Order })
 *   return [...older.entries, ...newest.entries]
 * })
 * ```
 *
 * **Example** (The newest of each of three channels)
 *
 * ```ts
 * import * as History from "effect-herald/pubnub/History"
 *
 * const newest = History.fetch({ channels: ["a", "b", "c"], limit: 1 })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export function fetch(
  options: FetchOptions & { readonly schema?: undefined }
): Effect.Effect<Page, HistoryError, Needs>
export function fetch<A, RD = never>(
  options: FetchOptions & Typed<A, RD>
): Effect.Effect<Page<A>, HistoryError, Needs | RD>
export function fetch(
  options: FetchManyOptions & { readonly schema?: undefined }
): Effect.Effect<ReadonlyMap<string, Page>, HistoryError, Needs>
export function fetch<A, RD = never>(
  options: FetchManyOptions & Typed<A, RD>
): Effect.Effect<ReadonlyMap<string, Page<A>>, HistoryError, Needs | RD>
export function fetch<A, RD>(
  options: (FetchOptions | FetchManyOptions) & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Effect.Effect<Page<A | Schema.Json> | ReadonlyMap<string, Page<A | Schema.Json>>, HistoryError, Needs | RD> {
  const one = "channel" in options
  const channels = one ? [options.channel] : options.channels
  return Effect.flatMap(
    Entries.pages({ ...options, channels, include: options.include, one }),
    Effect.fnUntraced(function*(pages) {
      const typed = new Map<string, Page<A | Schema.Json>>()
      for (const [channel, page] of pages) {
        typed.set(channel, options.schema === undefined ? page : yield* typedPage(page, options.schema))
      }
      return one ? typed.get(options.channel) ?? { entries: [] } : typed
    })
  )
}

/**
 * A range of one channel, page after page. It stops asking when its reader stops.
 *
 * **Details**
 *
 * The service gives pages from the new end. `newestFirst` hands them on as they come. `oldestFirst` goes back to the old
 * end first; it keeps the last ten pages of that way, and asks again for what it had to let go, so that its memory does not
 * grow with the range.
 *
 * **Example** (Everything of the last hour, in order)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Stream from "effect/Stream"
 * import * as History from "effect-herald/pubnub/History"
 * import * as Timetoken from "effect-herald/pubnub/Timetoken"
 *
 * const lastHour = Stream.unwrap(Effect.map(DateTime.now, (now) =>
 *   History.stream({
 *     channel: "orders",
 *     order: "oldestFirst",
 *     since: Option.getOrUndefined(Timetoken.fromDateTime(DateTime.subtract(now, { hours: 1 })))
 *   })))
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export function stream(
  options: StreamOptions & { readonly schema?: undefined }
): Stream.Stream<Stored, HistoryError, Needs>
export function stream<A, RD = never>(
  options: StreamOptions & Typed<A, RD>
): Stream.Stream<Stored<A>, HistoryError, Needs | RD>
export function stream<A, RD>(
  options: StreamOptions & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Stream.Stream<Stored<A | Schema.Json>, HistoryError, Needs | RD> {
  const { schema } = options
  const entries = Entries.stream(options)
  return schema === undefined
    ? entries
    : Stream.mapEffect(entries, (entry) => typedEntry(entry, Payload.decodeWith(schema)))
}

/**
 * What {@link count} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface CountOptions {
  /** Up to 100. */
  readonly channels: ReadonlyArray<string>
  /** What is younger than this is counted: one timetoken for all, or one for each channel. */
  readonly after: Timetoken | { readonly [channel: string]: Timetoken }
}

/**
 * How many messages came after a timetoken, for each channel. 10,000 means that or more.
 *
 * **Details**
 *
 * `GET /v3/history/sub-key/{subscribeKey}/message-counts/{channels}`.
 *
 * **Example** (Unread messages)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as History from "effect-herald/pubnub/History"
 * import type { Timetoken } from "effect-herald/pubnub/Timetoken"
 *
 * const unread = (lastRead: Timetoken) =>
 *   History.count({ channels: ["chat"], after: lastRead }).pipe(Effect.map((counts) => counts.get("chat") ?? 0))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const count = (options: CountOptions): Effect.Effect<ReadonlyMap<string, number>, HistoryError, Needs> =>
  Effect.flatMap(PubNubConfig, (config) => {
    const channels = [...new Set(options.channels)]
    const { after } = options
    const timetokens = channels.map((channel) => typeof after === "string" ? after : after[channel])
    const details = [
      ...Entries.issuesOf(channels, 100),
      ...channels.flatMap((channel, index) =>
        isTimetoken(timetokens[index])
          ? []
          : [{ location: "after", message: `has no timetoken of 17 digits for "${channel}"` }]
      )
    ]
    const endpoint = Storage.counts(config, channels, typeof after === "string" ? after : timetokens.map(String))
    const fail = Endpoint.errorOf(endpoint)
    if (details.length > 0) return Effect.fail(fail(Endpoint.refused(details)))
    if (config.subscribeKey === "") return Effect.fail(fail(Entries.noKey))
    return Endpoint.call(config, endpoint, fail)
  })

/**
 * Removes the messages of a range, or of the whole channel. It cannot be undone. The keyset needs to allow it, and
 * requests need the secret key or a token with the permission.
 *
 * **Details**
 *
 * `DELETE /v3/history/sub-key/{subscribeKey}/channel/{channel}`.
 *
 * **Example** (One message)
 *
 * ```ts
 * import * as Option from "effect/Option"
 * import * as History from "effect-herald/pubnub/History"
 * import * as Timetoken from "effect-herald/pubnub/Timetoken"
 *
 * const forget = (channel: string, message: Timetoken.Timetoken) =>
 *   History.remove({
 *     channel,
 *     since: message,
 *     before: Option.getOrUndefined(Timetoken.fromBigInt(Timetoken.toBigInt(message) + 1n))
 *   })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const remove = (
  options: Range & { readonly channel: string }
): Effect.Effect<void, HistoryError, Needs> =>
  Effect.flatMap(PubNubConfig, (config) => {
    const { before, channel, since } = options
    const where = {
      operation: "remove",
      method: "DELETE",
      shownPath: `/v3/history/sub-key/{subscribeKey}/channel/${channel}`
    } as const
    const fail = Endpoint.errorOf(where)
    const details = [...Entries.issuesOf([channel], 1), ...Entries.rangeIssues(options)]
    if (details.length > 0) return Effect.fail(fail(Endpoint.refused(details)))
    if (config.subscribeKey === "") return Effect.fail(fail(Entries.noKey))
    // Here the service's `start` is the old end and does not belong to the range, and its `end` does. Alone they mean what
    // they mean when reading.
    const query: Url.Query = since !== undefined && before !== undefined
      ? [["start", previous(since)], ["end", previous(before)]]
      : [...bound("start", before), ...bound("end", since)]
    return Endpoint.call(config, {
      ...where,
      path: `/v3/history/sub-key/${config.subscribeKey}/channel/${Url.encode(channel)}`,
      query,
      decode: () => Result.succeed(undefined)
    }, fail)
  })

const isTimetoken = Schema.is(Timetoken)

const bound = (name: string, timetoken: Timetoken | undefined): Url.Query =>
  timetoken === undefined ? [] : [[name, timetoken]]

const previous = (timetoken: Timetoken): string => String(BigInt(timetoken) - 1n)

// --------------------------------------------------------------------------------------------------------------------
// payloads through the caller's schema
// --------------------------------------------------------------------------------------------------------------------

const typedEntry = <A, RD>(
  entry: Stored,
  decode: (payload: Schema.Json) => Effect.Effect<A, string, RD>
): Effect.Effect<Stored<A>, never, RD> => {
  if (entry._tag !== "StoredMessage") return Effect.succeed(entry)
  const { channel, payload, publisher, timetoken } = entry
  return Effect.match(decode(payload), {
    onSuccess: (payload): Stored<A> => ({ ...entry, payload }),
    onFailure: (issue) => ({
      _tag: "UndecodableEntry",
      channel,
      timetoken,
      ...(publisher === undefined ? {} : { publisher }),
      raw: payload,
      issue
    })
  })
}

const typedPage = <A, RD>(page: Page, schema: Payload.Reader<A, RD>): Effect.Effect<Page<A>, never, RD> => {
  const decode = Payload.decodeWith(schema)
  return Effect.map(
    Effect.forEach(page.entries, (entry) => typedEntry(entry, decode)),
    (entries) => ({ ...page, entries })
  )
}
