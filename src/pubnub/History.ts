/**
 * Stored messages: {@link list} a page, {@link stream} a range, {@link count} new messages, {@link remove} old ones. The
 * keyset needs Message Persistence.
 *
 * Each request fails with a `PubNubError`: `FeatureDisabled` without Message Persistence, and `BadRequest` without a
 * `status` when the input is wrong and nothing was sent.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Eager from "../internal/eager.ts"
import * as Input from "../internal/input.ts"
import type { Page } from "../Page.ts"
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
import type * as Timetoken from "./Timetoken.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * The fields of every entry of history.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  /** The channel of the entry. */
  readonly channel: string
  /** When the entry was published. It identifies the message. */
  readonly timetoken: Timetoken.Timetoken
  /** The user that published the entry. Absent where the service does not say. */
  readonly publisher?: string
  /** The label that the publisher gave the message. Absent without one. */
  readonly customMessageType?: string
  /** Whether it was encrypted. Absent without `Encryption`. */
  readonly encrypted?: boolean
}

/**
 * The parts of an entry that come only when `include` names them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  /** The object that was published beside the message. Absent without one. */
  readonly meta?: Schema.Json
  /** The actions on the message. */
  readonly actions: ReadonlyArray<MessageAction>
}

/**
 * A stored message. `P` are the parts that were asked for.
 *
 * @category models
 * @since 0.1.0
 */
export type StoredMessage<A = Schema.Json, P extends keyof Parts = "meta"> = Entry & Pick<Parts, P> & {
  readonly _tag: "StoredMessage"
  /** The message, decoded by the schema. Without a schema, JSON. */
  readonly payload: A
}

/**
 * A stored file. `P` are the parts that were asked for.
 *
 * @category models
 * @since 0.1.0
 */
export type StoredFile<P extends keyof Parts = "meta"> = Entry & Pick<Parts, P> & {
  readonly _tag: "StoredFile"
  /** The id and the name of the file. */
  readonly file: {
    /** The id that the service gave it. */
    readonly id: string
    /** The name. */
    readonly name: string
  }
  /** The message that was shared with the file. Absent without one. */
  readonly payload?: Schema.Json
}

/**
 * An entry that cannot be decoded: its payload does not match the schema, it cannot be decrypted, or the service wrote something
 * unexpected. It does not affect the other entries of its page.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredUndecodable extends Partial<Pick<Entry, "timetoken" | "publisher">> {
  readonly _tag: "StoredUndecodable"
  /** The channel of the entry. */
  readonly channel: string
  /** What the service gave. */
  readonly raw: Schema.Json
  /** What is wrong with it. */
  readonly issue: string
  /**
   * Why `Encryption` did not read it: no key decrypts it, or it is not encrypted and `plain: "reject"` refuses it. Absent where
   * something else is wrong.
   */
  readonly reason?: "Undecryptable" | "NotEncrypted"
}

/**
 * An entry of history. `P` are the parts that were asked for.
 *
 * @category models
 * @since 0.1.0
 */
export type Stored<A = Schema.Json, P extends keyof Parts = "meta"> =
  | StoredMessage<A, P>
  | StoredFile<P>
  | StoredUndecodable

/**
 * A range of history. Default: everything that history keeps.
 *
 * @category models
 * @since 0.1.0
 */
export interface Range {
  /** The oldest position in the range. Default: no bound. */
  readonly since?: Timetoken.Input | undefined
  /** The first position behind the range. Default: no bound. */
  readonly before?: Timetoken.Input | undefined
}

/**
 * The options of {@link list}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions<P extends keyof Parts = "meta"> extends Range {
  /** One channel, not a wildcard. */
  readonly channel: string
  /** `next` of the page before this one. Default: the newest page of the range. */
  readonly next?: Timetoken.Timetoken | undefined
  /** The most entries of the page: 1 to 100, and 1 to 25 with actions. Default: the most. */
  readonly limit?: number | undefined
  /** The parts of each entry. Default: `["meta"]`. */
  readonly include?: ReadonlyArray<P> | undefined
}

/**
 * The options of {@link listByChannel}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListByChannelOptions<P extends "meta" = "meta"> extends Range {
  /** 1 to 500 channels, not wildcards. */
  readonly channels: ReadonlyArray<string>
  /** The most entries of each channel: 1 to 25. Default: 25. */
  readonly limit?: number | undefined
  /** The parts of each entry. Default: `["meta"]`. */
  readonly include?: ReadonlyArray<P> | undefined
}

/**
 * The options of {@link stream}.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions<P extends keyof Parts = "meta"> extends Range {
  /** One channel, not a wildcard. */
  readonly channel: string
  /** Default: `"newestFirst"`, which reads no more pages than it needs. */
  readonly order?: "newestFirst" | "oldestFirst" | undefined
  /** The entries of each request: 1 to 100, and 1 to 25 with actions. Default: the most. */
  readonly pageSize?: number | undefined
  /** The parts of each entry. Default: `["meta"]`. */
  readonly include?: ReadonlyArray<P> | undefined
}

/**
 * The schema of payloads. A payload that it refuses, or throws at, becomes an undecodable entry or event in its place. Without a
 * schema, payloads are JSON.
 *
 * @category models
 * @since 0.1.0
 */
export type WithSchema<A, RD = never> =
  | {
    /** The schema of a payload. */
    readonly schema: Schema.ConstraintDecoder<A, RD>
  }
  | (Schema.Json extends A ? {
      /** No schema: payloads are JSON. */
      readonly schema?: undefined
    }
    : never)

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

/**
 * Lists one page of a channel: the newest entries of the range, oldest first. `next` of a page leads to the older page.
 *
 * **Details**
 *
 * `GET /v3/history/sub-key/{subscribeKey}/channel/{channel}`, and `/v3/history-with-actions/…` with actions.
 *
 * **Example** (All orders, page by page)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as History from "effect-herald/pubnub/History"
 *
 * const Order = Schema.Struct({ id: Schema.Int })
 *
 * const orders = Effect.gen(function*() {
 *   let next, page
 *   do {
 *     page = yield* History.list({ channel: "orders", limit: 10, next, schema: Order })
 *     yield* Effect.log(page.items)
 *     next = page.next
 *   } while (next !== undefined)
 * })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list = <A = Schema.Json, RD = never, const P extends keyof Parts = "meta">(
  options: ListOptions<P> & WithSchema<A, RD>
): Effect.Effect<
  Page<Stored<A, P>, Timetoken.Timetoken>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig | RD
> =>
  Endpoint.reading(
    "History.list",
    () => Effect.flatMap(Entries.page("History.list", () => options), decodePage<A, RD, P>(options.schema))
  )

/**
 * Lists the newest entries of several channels, oldest first, by channel. A channel without entries has an empty page.
 * `next` of a page goes to {@link list}.
 *
 * **Details**
 *
 * `GET /v3/history/sub-key/{subscribeKey}/channel/{channels}`
 *
 * **Example** (The newest entry of each of three channels)
 *
 * ```ts
 * import * as History from "effect-herald/pubnub/History"
 *
 * const newest = History.listByChannel({ channels: ["a", "b", "c"], limit: 1 })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const listByChannel = <A = Schema.Json, RD = never, const P extends "meta" = "meta">(
  options: ListByChannelOptions<P> & WithSchema<A, RD>
): Effect.Effect<
  ReadonlyMap<string, Page<Stored<A, P>, Timetoken.Timetoken>>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig | RD
> =>
  Endpoint.reading("History.listByChannel", () => {
    const decode = decodePage<A, RD, P>(options.schema)
    return Effect.flatMap(Entries.pages("History.listByChannel", () => options), (pages) =>
      Effect.map(
        Effect.forEach(pages, ([channel, page]) => Effect.map(decode(page), (page) => [channel, page] as const)),
        (pages) => new Map(pages)
      ))
  })

/**
 * Streams a range of a channel, page after page, in either order. It requests no page before its reader needs one.
 *
 * **Details**
 *
 * The service gives pages from the new end. `newestFirst` emits them as they come. `oldestFirst` first pages back to the
 * old end. It keeps the last ten pages and requests the others again, so its memory does not grow with the range.
 *
 * **Example** (Everything of the last hour, in order)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as History from "effect-herald/pubnub/History"
 *
 * const lastHour = Stream.unwrap(Effect.map(DateTime.now, (now) =>
 *   History.stream({ channel: "orders", order: "oldestFirst", since: DateTime.subtract(now, { hours: 1 }) })))
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const stream = <A = Schema.Json, RD = never, const P extends keyof Parts = "meta">(
  options: StreamOptions<P> & WithSchema<A, RD>
): Stream.Stream<Stored<A, P>, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig | RD> =>
  Endpoint.readingStream(
    "History.stream",
    () => Stream.mapEffect(Entries.stream("History.stream", options), decodeEntry<A, RD, P>(options.schema))
  )

/**
 * The options of {@link count}.
 *
 * @category models
 * @since 0.1.0
 */
export interface CountOptions {
  /** 1 to 100 channels, not wildcards. */
  readonly channels: ReadonlyArray<string>
  /** Counts messages after this position: one position for all channels, or one for each. */
  readonly after: Timetoken.Input | { readonly [channel: string]: Timetoken.Input }
}

/**
 * Counts the messages of each channel after a position. A count of 10,000 means 10,000 or more.
 *
 * **Details**
 *
 * `GET /v3/history/sub-key/{subscribeKey}/message-counts/{channels}`
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
): Effect.Effect<ReadonlyMap<string, number>, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run("History.count", () => {
    const { after } = options
    const channels = Names.unique(options.channels)
    const one = isOne(after)
    const positions = channels.map((channel) => one ? after : after[channel])
    const timetokens = positions.map((position) => String(Pages.timetokenOf(position)))
    return {
      ...Storage.counts(channels, one ? timetokens[0] ?? "" : timetokens),
      issues: [
        ...Names.issuesOf("channels", options.channels, 100),
        ...one
          ? Input.issues({ after: Pages.bound(after) })
          : channels.flatMap((channel, index) => Input.issues({ [`after.${channel}`]: Pages.bound(positions[index]) }))
      ]
    }
  })

const isOne = (after: CountOptions["after"]): after is Timetoken.Input =>
  typeof after === "string" || DateTime.isDateTime(after) || after instanceof Date

/**
 * The options of {@link remove}: a {@link Range} with at least one bound, or `all: true`.
 *
 * @category models
 * @since 0.1.0
 */
export type RemoveOptions =
  & {
    /** One channel, not a wildcard. */
    readonly channel: string
  }
  & (
    | Range & {
      /** Only the messages of the range. Default: `false`. */
      readonly all?: false | undefined
    }
    | {
      /** Removes everything that history keeps of the channel. */
      readonly all: true
      /** Not with `all: true`. */
      readonly since?: undefined
      /** Not with `all: true`. */
      readonly before?: undefined
    }
  )

/**
 * Removes the messages of a range, or all messages of the channel. They cannot be restored. The keyset must allow it, and
 * the request needs the secret key or a token with the permission. Without a bound and without `all: true` it fails with
 * `BadRequest`, so a bound that is `undefined` by mistake removes nothing.
 *
 * **Details**
 *
 * `DELETE /v3/history/sub-key/{subscribeKey}/channel/{channel}`
 *
 * **Example** (One message, and a whole channel)
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
export const remove = (
  options: RemoveOptions
): Effect.Effect<void, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run("History.remove", () => {
    const { all = false, channel, ...range } = options
    const { before, issues, since } = Pages.boundsOf(range, { mayBeEmpty: false })
    const isBounded = range.since !== undefined || range.before !== undefined
    return {
      method: "DELETE",
      path: path`/v3/history/sub-key/${subscribeKey}/channel/${channel}`,
      // With both, the service's `start` is the old end and does not belong to the range, and its `end` does. Alone they
      // mean what they mean when reading.
      query: since !== undefined && before !== undefined
        ? { start: previous(since), end: previous(before) }
        : { start: before, end: since },
      issues: [
        ...Names.issuesOf("channel", [channel], 1),
        ...issues,
        ...Input.issues({
          all: Input.flag(all) ?? (all !== isBounded ? undefined : all
            ? "is true beside a bound: pass the one or the other"
            : "is not true, and neither since nor before is given: pass a bound, or all: true for the whole channel")
        })
      ],
      decode: () => Result.succeed(undefined)
    }
  })

const previous = (timetoken: Timetoken.Timetoken): string => String(BigInt(timetoken) - 1n)

// --------------------------------------------------------------------------------------------------------------------
// payloads through the caller's schema
// --------------------------------------------------------------------------------------------------------------------

/** Decodes the payload of an entry. The entry has the parts `P`, because the request asked for them. */
function decodeEntry<A, RD, P extends keyof Parts>(
  schema: Schema.ConstraintDecoder<A, RD> | undefined
): (entry: Entries.Entry) => Effect.Effect<Stored<A, P>, never, RD>
function decodeEntry<A, RD>(schema: Schema.ConstraintDecoder<A, RD> | undefined) {
  const decode = schema && Payload.decodeWith(schema)
  return (entry: Entries.Entry): Effect.Effect<Stored<A | Schema.Json, never>, never, RD> =>
    decode === undefined || entry._tag !== "StoredMessage" ?
      Effect.succeed(entry) :
      Effect.match(decode(entry.payload), {
        onSuccess: (payload) => ({ ...entry, payload }),
        onFailure: (issue) => {
          const { channel, payload: raw, publisher, timetoken } = entry
          return {
            _tag: "StoredUndecodable",
            channel,
            timetoken,
            ...publisher === undefined ? {} : { publisher },
            raw,
            issue
          }
        }
      })
}

const decodePage = <A, RD, P extends keyof Parts>(schema: Schema.ConstraintDecoder<A, RD> | undefined) => {
  const decode = decodeEntry<A, RD, P>(schema)
  return (page: Page<Entries.Entry, Timetoken.Timetoken>) =>
    Effect.mapEager(Eager.forEach(page.items, decode), (items) => ({ ...page, items }))
}
