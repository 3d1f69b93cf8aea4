/**
 * What a datafeed says of itself. Statuses travel in the stream with the events, in the position where they hold.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import * as SymphonyError from "./SymphonyError.ts"

/**
 * The feed is there: what happens from now on will be told. With `created` the bot had none, and is not told of what
 * happened before; otherwise the feed kept it.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface FeedConnected {
  readonly _tag: "FeedConnected"
  /** The feed that is read. */
  readonly feedId: string
  /** Whether the feed is new: what happened before is not in it. */
  readonly created: boolean
}

/**
 * The schema of {@link FeedConnected}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const FeedConnected = Schema.TaggedStruct("FeedConnected", { feedId: Schema.String, created: Schema.Boolean })

/**
 * A request failed and will be made again after `retryIn`. One is told for each failed attempt. Nothing is lost by it: the
 * service keeps a feed that nobody reads for 30 minutes, and after that `FeedRecreated` is told.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface FeedInterrupted {
  readonly _tag: "FeedInterrupted"
  /** Why the request failed. */
  readonly reason: SymphonyError.Reason
  /** Absent before the first connection. */
  readonly feedId?: string
  /** 1 for the first failure in a row. */
  readonly attempt: number
  /** How long the reader waits before the next attempt. */
  readonly retryIn: Duration.Duration
}

/**
 * The schema of {@link FeedInterrupted}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const FeedInterrupted = Schema.TaggedStruct("FeedInterrupted", {
  reason: SymphonyError.Reason,
  feedId: Schema.optionalKey(Schema.String),
  attempt: Schema.Int,
  retryIn: Schema.Duration
})

/**
 * The service answers reads again. Told once for a row of interruptions, with the first read that is answered: up to half a
 * minute after the service is there again, when nothing happens.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface FeedReconnected {
  readonly _tag: "FeedReconnected"
  /** The feed that is read. */
  readonly feedId: string
  /** Since the last good answer, by the wall clock. */
  readonly downFor: Duration.Duration
}

/**
 * The schema of {@link FeedReconnected}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const FeedReconnected = Schema.TaggedStruct("FeedReconnected", {
  feedId: Schema.String,
  downFor: Schema.Duration
})

/**
 * Somebody else reads this feed too: it acknowledged what came behind, so that the service did not take an acknowledgement of
 * this reader. **Nothing is lost by it**: the two share the events, each goes to one of them. An event that one had not
 * acknowledged for half a minute may come to the other as well. A deploy that overlaps for a while looks so; two readers that both
 * want all events need two tags. Told at most once in half an hour.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface FeedShared {
  readonly _tag: "FeedShared"
  /** The feed that two readers read. */
  readonly feedId: string
}

/**
 * The schema of {@link FeedShared}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const FeedShared = Schema.TaggedStruct("FeedShared", { feedId: Schema.String })

/**
 * The service had forgotten the feed, and it goes on with another one. **Events may be lost**: what the old one had not told
 * of, and what happened until the new one was there. What was told is not: its pages can still be handled. Messages since
 * `heardAt` can be found by listing those of their streams.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface FeedRecreated {
  readonly _tag: "FeedRecreated"
  /** The feed that is read now. */
  readonly feedId: string
  /** The feed that the service forgot. */
  readonly previous: string
  /** What the service said of the old one. */
  readonly reason: SymphonyError.Reason
  /** When the old one answered last. Absent where it never answered this reader. */
  readonly heardAt?: DateTime.Utc
}

/**
 * The schema of {@link FeedRecreated}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const FeedRecreated = Schema.TaggedStruct("FeedRecreated", {
  feedId: Schema.String,
  previous: Schema.String,
  reason: SymphonyError.Reason,
  heardAt: Schema.optionalKey(Schema.DateTimeUtc)
})

/**
 * The closed list of statuses.
 *
 * @category statuses
 * @since 0.1.0
 */
export type DatafeedStatus = FeedConnected | FeedInterrupted | FeedReconnected | FeedShared | FeedRecreated

/**
 * The schema of a {@link DatafeedStatus}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const DatafeedStatus = Schema.Union([
  FeedConnected,
  FeedInterrupted,
  FeedReconnected,
  FeedShared,
  FeedRecreated
])
