/**
 * What was published: {@link fetch} a page, {@link stream} a range, {@link count} what is new, {@link remove} what
 * should not stay. The keyset needs Message Persistence.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Input from "../internal/input.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Entries from "./internal/wire/entries.ts"
import * as Names from "./internal/wire/names.ts"
import * as Pages from "./internal/wire/pages.ts"
import { path, subscribeKey } from "./internal/wire/path.ts"
import * as Payload from "./internal/wire/payload.ts"
import * as Storage from "./internal/wire/storage.ts"
import type { MessageAction } from "./MessageAction.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { Timetoken } from "./Timetoken.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * What every entry of history has.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  /** The channel it was published on. */
  readonly channel: string
  /** When it was published. It names the message. */
  readonly timetoken: Timetoken
  /** Who published it. Absent where the service does not say. */
  readonly publisher?: string
}

/**
 * A stored message.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredMessage<A = Schema.Json> extends Entry {
  readonly _tag: "StoredMessage"
  /** The message, as its schema reads it; without a schema, JSON. */
  readonly payload: A
  /** The object that was published beside it. Absent when there is none, and with `include: { meta: false }`. */
  readonly meta?: Schema.Json
  /** The label that its publisher gave it. */
  readonly customMessageType?: string
  /** Only when asked for with `include.actions`. */
  readonly actions: ReadonlyArray<MessageAction>
}

/**
 * A stored file, perhaps with a message.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredFile extends Entry {
  readonly _tag: "StoredFile"
  /** The id and the name of the file. */
  readonly file: { readonly id: string; readonly name: string }
  /** The message that was shared with the file. */
  readonly payload?: Schema.Json
  /** The object that was published beside it. Absent when there is none, and with `include: { meta: false }`. */
  readonly meta?: Schema.Json
  /** The label that its publisher gave it. */
  readonly customMessageType?: string
  /** Only when asked for with `include.actions`; else empty. */
  readonly actions: ReadonlyArray<MessageAction>
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
  /** The channel it was published on. */
  readonly channel: string
  /** When it was published, where that can be read. */
  readonly timetoken?: Timetoken
  /** Who published it, where that can be read. */
  readonly publisher?: string
  /** As the service gave it. */
  readonly raw: Schema.Json
  /** What is wrong with it. */
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
  /** One channel; not a wildcard. */
  readonly channel: string
  /** The most entries of a page: 1 to 100, and 1 to 25 with actions. Default: as many as possible. */
  readonly limit?: number | undefined
  /** What comes with each entry. */
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
  /** What comes with each entry. */
  readonly include?: Pick<Include, "meta"> | undefined
}

/**
 * What {@link stream} takes beside a {@link Range}.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions extends Range {
  /** One channel; not a wildcard. */
  readonly channel: string
  /** Default: `"newestFirst"`, which reads no more than it gives. */
  readonly order?: "newestFirst" | "oldestFirst" | undefined
  /** What comes with each entry. */
  readonly include?: Include | undefined
}

/**
 * Types the payloads. One that does not match, or that the schema throws at, is an {@link UndecodableEntry} in its place.
 *
 * @category models
 * @since 0.1.0
 */
export interface Typed<A, RD = never> {
  /** What a payload must be. */
  readonly schema: Payload.Reader<A, RD>
}

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
): Effect.Effect<Page, PubNubError.PubNubError, Needs>
export function fetch<A, RD = never>(
  options: FetchOptions & Typed<A, RD>
): Effect.Effect<Page<A>, PubNubError.PubNubError, Needs | RD>
export function fetch(
  options: FetchManyOptions & { readonly schema?: undefined }
): Effect.Effect<ReadonlyMap<string, Page>, PubNubError.PubNubError, Needs>
export function fetch<A, RD = never>(
  options: FetchManyOptions & Typed<A, RD>
): Effect.Effect<ReadonlyMap<string, Page<A>>, PubNubError.PubNubError, Needs | RD>
export function fetch<A, RD>(
  options: (FetchOptions | FetchManyOptions) & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Effect.Effect<
  Page<A | Schema.Json> | ReadonlyMap<string, Page<A | Schema.Json>>,
  PubNubError.PubNubError,
  Needs | RD
> {
  const read = () => {
    const one = "channel" in options
    return { ...options, channels: one ? [options.channel] : options.channels, include: options.include, one }
  }
  return Endpoint.reading("history", () => {
    const { schema } = options
    const [channel] = "channel" in options ? [options.channel] : []
    const decode = schema === undefined ? undefined : Payload.decodeWith(schema)
    return Effect.flatMap(
      Entries.pages(read),
      Effect.fnUntraced(function*(pages) {
        const typed = new Map<string, Page<A | Schema.Json>>()
        for (const [channel, page] of pages) {
          typed.set(channel, decode === undefined ? page : yield* typedPage(page, decode))
        }
        return channel === undefined ? typed : typed.get(channel) ?? { entries: [] }
      })
    )
  })
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
): Stream.Stream<Stored, PubNubError.PubNubError, Needs>
export function stream<A, RD = never>(
  options: StreamOptions & Typed<A, RD>
): Stream.Stream<Stored<A>, PubNubError.PubNubError, Needs | RD>
export function stream<A, RD>(
  options: StreamOptions & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Stream.Stream<Stored<A | Schema.Json>, PubNubError.PubNubError, Needs | RD> {
  return Endpoint.readingStream(
    "history",
    (): Stream.Stream<Stored<A | Schema.Json>, PubNubError.PubNubError, Needs | RD> => {
      const { schema, ...range } = options
      const entries = Entries.stream(range)
      if (schema === undefined) return entries
      const decode = Payload.decodeWith(schema)
      return Stream.mapEffect(entries, (entry) => typedEntry(entry, decode))
    }
  )
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
export const count = (
  options: CountOptions
): Effect.Effect<ReadonlyMap<string, number>, PubNubError.PubNubError, Needs> =>
  Endpoint.run("count", () => {
    const { after } = options
    const channels = Names.unique(options.channels)
    const timetokens = channels.map((channel) => typeof after === "string" ? after : after[channel])
    return {
      ...Storage.counts(channels, typeof after === "string" ? after : timetokens.map(String)),
      issues: [
        ...Names.issuesOf("channels", options.channels, 100),
        ...channels.flatMap((channel, index) =>
          Pages.timetoken(timetokens[index]) === undefined
            ? []
            : [{ location: "after", message: `has no timetoken of 17 digits for ${Input.shown(channel)}` }]
        )
      ]
    }
  })

/**
 * What {@link remove} takes: a {@link Range} with at least one bound, or `all: true`.
 *
 * @category models
 * @since 0.1.0
 */
export type RemoveOptions =
  & { readonly channel: string }
  & (
    | Range & { readonly all?: false | undefined }
    | {
      /** Removes everything that the channel has in history. */
      readonly all: true
      readonly since?: undefined
      readonly before?: undefined
    }
  )

/**
 * Removes the messages of a range, or with `all: true` of the whole channel. It cannot be undone. The keyset needs to allow
 * it, and requests need the secret key or a token with the permission. Without a bound and without `all`, it fails with
 * `BadRequest`: a bound that is `undefined` by mistake removes nothing.
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
 *
 * const forgetAll = (channel: string) => History.remove({ channel, all: true })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const remove = (options: RemoveOptions): Effect.Effect<void, PubNubError.PubNubError, Needs> =>
  Endpoint.run("remove", () => {
    const { all = false, before, channel, since } = options
    const isBounded = since !== undefined || before !== undefined
    const isBetween = since !== undefined && before !== undefined
    const issues = [
      ...Names.issuesOf("channel", [channel], 1),
      ...Pages.issuesOf({ before, since }, { mayBeEmpty: false }),
      ...Input.issues({
        all: Input.flag(all) ??
          (all === isBounded
            ? all
              ? "is true beside a bound: pass the one or the other"
              : "is not true, and neither since nor before is given: pass a bound, or all: true for the whole channel"
            : undefined)
      })
    ]
    return {
      method: "DELETE",
      path: path`/v3/history/sub-key/${subscribeKey}/channel/${channel}`,
      // With both, the service's `start` is the old end and does not belong to the range, and its `end` does. Alone they
      // mean what they mean when reading.
      query: issues.length > 0
        ? {}
        : isBetween
        ? { start: previous(since), end: previous(before) }
        : { start: before, end: since },
      issues,
      decode: () => Result.succeed(undefined)
    }
  })

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

const typedPage = <A, RD>(
  page: Page,
  decode: (payload: Schema.Json) => Effect.Effect<A, string, RD>
): Effect.Effect<Page<A>, never, RD> =>
  Effect.map(
    Effect.forEach(page.entries, (entry) => typedEntry(entry, decode)),
    (entries) => ({ ...page, entries })
  )
