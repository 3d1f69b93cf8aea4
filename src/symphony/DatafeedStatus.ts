/**
 * The statuses of a datafeed. They travel in the stream with the events, at the position where they hold.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SymphonyError from "./SymphonyError.ts"

/**
 * The reader has a feed: it gives what happens from now on. With `created`, the feed is new, and what happened before is not in
 * it. Otherwise the service kept the events for this reader.
 *
 * @category events
 * @since 0.1.0
 */
export class FeedConnected extends Schema.Opaque<FeedConnected>()(Schema.TaggedStruct("FeedConnected", {
  /** The feed. */
  feedId: Schema.String,
  /** Whether the feed is new: what happened before is not in it. */
  created: Schema.Boolean
})) {}

/**
 * A request failed, and is retried after `retryIn`. One status for each failed attempt. Nothing is lost yet: the service keeps a
 * feed that nobody reads for 30 minutes. After that the reader emits `FeedRecreated`.
 *
 * @category events
 * @since 0.1.0
 */
export class FeedInterrupted extends Schema.Opaque<FeedInterrupted>()(Schema.TaggedStruct("FeedInterrupted", {
  /** Why the request failed. */
  reason: SymphonyError.Reason,
  /** The feed. Absent before the first connection. */
  feedId: Schema.optionalKey(Schema.String),
  /** The number of failures in a row, from 1. */
  attempt: Schema.Int,
  /** How long the reader waits before the next attempt. */
  retryIn: Schema.Duration
})) {}

/**
 * The service answers reads again. One status for a row of interruptions, with the first read that is answered. When nothing
 * happens, that is up to half a minute after the service is back.
 *
 * @category events
 * @since 0.1.0
 */
export class FeedReconnected extends Schema.Opaque<FeedReconnected>()(Schema.TaggedStruct("FeedReconnected", {
  /** The feed. */
  feedId: Schema.String,
  /** The time since the last good answer, by the wall clock. */
  downFor: Schema.Duration
})) {}

/**
 * Another reader reads this feed too. It acknowledged later events, and so the service refused an acknowledgement of this
 * reader. **Nothing is lost**: the two readers share the events, and each event goes to one of them. An event that one reader did
 * not acknowledge within half a minute may go to the other as well. This happens while two versions of a program overlap. Two
 * readers that both want all events need two tags. Emitted at most once in half an hour.
 *
 * @category events
 * @since 0.1.0
 */
export class FeedShared extends Schema.Opaque<FeedShared>()(Schema.TaggedStruct("FeedShared", {
  /** The feed. */
  feedId: Schema.String
})) {}

/**
 * The service forgot the feed, and the reader goes on with another one. **Events may be lost**: those that the old feed had not
 * given, and those before the new one existed. Pages that were given can still be handled. To find lost messages, list the
 * messages of their streams since `lastReadAt`.
 *
 * @category events
 * @since 0.1.0
 */
export class FeedRecreated extends Schema.Opaque<FeedRecreated>()(Schema.TaggedStruct("FeedRecreated", {
  /** The new feed. */
  feedId: Schema.String,
  /** The feed that the service forgot. */
  previousFeedId: Schema.String,
  /** What the service said about the old feed. */
  reason: SymphonyError.Reason,
  /** When the old feed last answered. Absent where it never answered this reader. */
  lastReadAt: Schema.optionalKey(Schema.DateTimeUtc)
})) {}

/**
 * The schema of a status.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DatafeedStatus = Schema.Union([
  FeedConnected,
  FeedInterrupted,
  FeedReconnected,
  FeedShared,
  FeedRecreated
])

/**
 * A status of a datafeed: one of five.
 *
 * @category events
 * @since 0.1.0
 */
export type DatafeedStatus = typeof DatafeedStatus.Type
