/**
 * The statuses of a subscription. They travel in the stream with the events, each in the position from which it holds.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Cursor } from "../Cursor.ts"
import { taggedStruct } from "../internal/taggedStruct.ts"
import * as PubNubError from "./PubNubError.ts"
import { Defect, InboxOverflow } from "./SubscribeError.ts"
import { Timetoken } from "./Timetoken.ts"

const Names = {
  /** All channels, wildcards and presence names that are subscribed now, sorted. */
  channels: Schema.Array(Schema.String),
  /** All groups, and their presence names, that are subscribed now, sorted. */
  groups: Schema.Array(Schema.String)
}

/**
 * The service answered the handshake. Everything that is published after `cursor` will be delivered.
 *
 * @category events
 * @since 0.1.0
 */
export class Connected extends Schema.Opaque<Connected>()(taggedStruct("Connected", {
  /** Where the reader begins. */
  cursor: Cursor,
  ...Names
})) {}

/**
 * The reader listens to other names from here on. Its cursor goes on.
 *
 * @category events
 * @since 0.1.0
 */
export class ChannelsChanged extends Schema.Opaque<ChannelsChanged>()(taggedStruct("ChannelsChanged", {
  /** Where the reader is now. */
  cursor: Cursor,
  ...Names
})) {}

/**
 * A request failed, and the reader makes it again after `retryIn`, from the same cursor. Each failed attempt emits one. The
 * request may be one for history: then live messages wait, and the connection goes on polling.
 *
 * @category events
 * @since 0.1.0
 */
export class Interrupted extends Schema.Opaque<Interrupted>()(taggedStruct("Interrupted", {
  /** Why the request failed. */
  reason: PubNubError.Reason,
  /** Where the reader goes on. Absent before the first connection of a reader without a cursor. */
  cursor: Schema.optionalKey(Cursor),
  /** 1 for the first failure in a row. A row ends when a poll was answered, or was held for 30 seconds. */
  attempt: Schema.Int,
  /** How long the reader waits before the next attempt. */
  retryIn: Schema.Duration
})) {}

/**
 * The service answers again, and the reader goes on where it was. There is one for each interruption: at the handshake that
 * proves the connection, before the next message.
 *
 * @category events
 * @since 0.1.0
 */
export class Reconnected extends Schema.Opaque<Reconnected>()(taggedStruct("Reconnected", {
  /** Where the reader goes on: where it was before the interruption. */
  cursor: Cursor,
  /** The time since the reader last surely listened, by the clock of this machine that saw more time pass. */
  downFor: Schema.Duration
})) {}

/**
 * Polling has stopped. With a `reason`, the stream fails next. Without one, `Subscriber.disconnect` or
 * `Subscriber.unsubscribeAll` stopped it: the stream goes on with {@link Reconnected} after `Subscriber.reconnect`, or ends.
 *
 * @category events
 * @since 0.1.0
 */
export class Disconnected extends Schema.Opaque<Disconnected>()(taggedStruct("Disconnected", {
  /** The failure with which the stream fails. Absent when the program stopped polling. */
  reason: Schema.optionalKey(Schema.Union([...PubNubError.Reason.members, InboxOverflow, Defect])),
  /** Where to go on. Absent when a reader without a cursor was never connected. */
  cursor: Schema.optionalKey(Cursor)
})) {}

const Kind = Schema.Literals(["Message", "Signal", "Presence", "MessageAction", "AppContext", "File"])

/**
 * Kinds of events that can be missing.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = typeof Kind.Type

const Range = {
  /** The first timetoken of the gap. */
  since: Timetoken,
  /** The first timetoken after the gap. */
  before: Timetoken
}

/**
 * Events of a channel are missing, and the reader cannot recover them. `History.stream({ channel, ...gap })` reads the
 * range of the gap again, for messages that were stored late.
 *
 * **Details**
 *
 * - `NoStorage`: the keyset stores nothing. Each subscribed name emits it for its first gap only. Later gaps are
 *   {@link GapSuspected}.
 * - `NotStored`: more events were waiting than the service keeps for a reader. Events of these `kinds` were among them, or
 *   came earlier on this channel. History never holds them.
 * - `NotInHistory`: the reader received messages that history does not show, and others like them may be missing. They were
 *   not stored, or history showed them later than the reader waited (seven seconds).
 * - `RetentionExceeded`: the gap begins before the oldest message that the keyset still holds, by the service's time.
 * - `InboxOverflow`: a reader of a shared connection had no room, and its strategy (`sliding`, `dropping`) drops events.
 *
 * @category events
 * @since 0.1.0
 */
export class Gap extends Schema.Opaque<Gap>()(taggedStruct("Gap", {
  /** The channel; with `NoStorage`, the channel or group as it was subscribed. */
  channel: Schema.String,
  ...Range,
  /** Why the events cannot be recovered. */
  reason: Schema.Literals(["InboxOverflow", "NoStorage", "NotInHistory", "NotStored", "RetentionExceeded"]),
  /** The kinds that are missing, sorted. Given with `NotStored` only. */
  kinds: Schema.optionalKey(Schema.Array(Kind))
})) {}

/**
 * Events may be missing, and the reader cannot find out whether they are.
 *
 * **Details**
 *
 * Either the reader did not read history: no permission, a filter, `catchUp: "none"`, or failures for longer than
 * `catchUp: { within }`. Or history cannot show the events: kinds that are not stored, channels of a wildcard that the reader
 * never saw, a group that cannot be listed. Or history may be late, since it shows no message of the page.
 *
 * The service keeps a limited number of messages for a reader, and drops older ones without notice.
 *
 * - `FullPage`: the next page has as many messages as that limit.
 * - `LongBreak`: the reader did not poll for longer than the service keeps messages. Or a reader without room lost events of
 *   more channels than it counts one by one (1,000), or events that cannot be read.
 *
 * @category events
 * @since 0.1.0
 */
export class GapSuspected extends Schema.Opaque<GapSuspected>()(taggedStruct("GapSuspected", {
  ...Range,
  /** Why events may be missing. */
  reason: Schema.Literals(["FullPage", "LongBreak"])
})) {}

/**
 * The service sent a position that cannot be right (zero, far ahead, or far back), and the reader keeps its own. Or the reader
 * was told to start at such a position.
 *
 * @category events
 * @since 0.1.0
 */
export class CursorDoubted extends Schema.Opaque<CursorDoubted>()(taggedStruct("CursorDoubted", {
  /** Where the reader goes on. */
  kept: Cursor,
  /** The position that cannot be right: a timetoken of at most 17 digits. */
  doubted: Schema.String
})) {}

/**
 * The schema of a {@link Status}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Status = Schema.Union([
  Connected,
  ChannelsChanged,
  Interrupted,
  Reconnected,
  Disconnected,
  Gap,
  GapSuspected,
  CursorDoubted
])

/**
 * Every status of a subscription.
 *
 * @category events
 * @since 0.1.0
 */
export type Status = typeof Status.Type
