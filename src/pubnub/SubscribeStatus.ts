/**
 * The statuses of a subscription. They travel in the stream with the events, each in the position from which it holds.
 *
 * Timetokens in statuses are strings of at most 17 digits, in units of 100 nanoseconds.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { Cursor } from "../Cursor.ts"
import * as PubNubError from "./PubNubError.ts"
import { Defect, InboxOverflow } from "./SubscribeError.ts"

/**
 * The service answered the handshake: what is published from `cursor` on will be delivered.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Connected {
  readonly _tag: "Connected"
  /** Where the reader begins. */
  readonly cursor: Cursor
  /** Subscribed channels, wildcards and presence names, sorted. */
  readonly channels: ReadonlyArray<string>
  /** Subscribed groups and their presence names, sorted. */
  readonly groups: ReadonlyArray<string>
}

const Names = { channels: Schema.Array(Schema.String), groups: Schema.Array(Schema.String) }

/**
 * The schema of {@link Connected}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const Connected = Schema.TaggedStruct("Connected", { cursor: Cursor, ...Names })

/**
 * The reader listens to other names from here on. Its cursor goes on.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface ChannelsChanged {
  readonly _tag: "ChannelsChanged"
  /** Where the reader is now. */
  readonly cursor: Cursor
  /** All channels, wildcards and presence names that are subscribed now, sorted. */
  readonly channels: ReadonlyArray<string>
  /** All groups and their presence names that are subscribed now, sorted. */
  readonly groups: ReadonlyArray<string>
}

/**
 * The schema of {@link ChannelsChanged}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const ChannelsChanged = Schema.TaggedStruct("ChannelsChanged", { cursor: Cursor, ...Names })

/**
 * A request failed and will be made again after `retryIn`, from the same cursor. Each failed attempt emits one. The request
 * may be one for history: then live messages wait, and the connection goes on listening.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Interrupted {
  readonly _tag: "Interrupted"
  /** Why the request failed. */
  readonly reason: PubNubError.Reason
  /** Absent before the first connection of a reader that was given no cursor. */
  readonly cursor?: Cursor
  /** 1 for the first failure in a row. A row ends when a poll was answered, or was held for 30 seconds. */
  readonly attempt: number
  /** How long the reader waits before the next attempt. */
  readonly retryIn: Duration.Duration
}

/**
 * The schema of {@link Interrupted}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const Interrupted = Schema.TaggedStruct("Interrupted", {
  reason: PubNubError.Reason,
  cursor: Schema.optionalKey(Cursor),
  attempt: Schema.Int,
  retryIn: Schema.Duration
})

/**
 * The service answers again, and the reader goes on where it was. It is emitted once for an interruption: at the handshake
 * that proves the connection, before the next message.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Reconnected {
  readonly _tag: "Reconnected"
  /** Where the reader goes on: where it was before the interruption. */
  readonly cursor: Cursor
  /** The time since the reader last surely listened, by the clock of this machine that saw more time pass. */
  readonly downFor: Duration.Duration
}

/**
 * The schema of {@link Reconnected}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const Reconnected = Schema.TaggedStruct("Reconnected", { cursor: Cursor, downFor: Schema.Duration })

/**
 * Polling has stopped. With a `reason`, the stream fails next. Without one, `Subscriber.disconnect` or
 * `Subscriber.unsubscribeAll` stopped it: the stream goes on with {@link Reconnected} after `Subscriber.reconnect`, or ends.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Disconnected {
  readonly _tag: "Disconnected"
  /** Why the stream fails: the failure that it gave up on. Absent when polling was stopped on request. */
  readonly reason?: PubNubError.Reason | InboxOverflow | Defect
  /** Where to go on from. Absent when the reader never was connected and was given no cursor. */
  readonly cursor?: Cursor
}

/**
 * The schema of {@link Disconnected}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const Disconnected = Schema.TaggedStruct("Disconnected", {
  reason: Schema.optionalKey(Schema.Union([...PubNubError.Reason.members, InboxOverflow, Defect])),
  cursor: Schema.optionalKey(Cursor)
})

/**
 * Kinds of events that a gap may be of.
 *
 * @category models
 * @since 0.1.0
 */
export type Kind = "Message" | "Signal" | "Presence" | "MessageAction" | "AppContext" | "File"

const Kind = Schema.Literals(["Message", "Signal", "Presence", "MessageAction", "AppContext", "File"])

/**
 * Events of a channel between two positions were missed, and cannot be recovered.
 *
 * **Details**
 *
 * - `NoStorage`: the keyset stores nothing. It comes for the first gap only, for each subscribed name; what may be missing
 *   later is a {@link GapSuspected}.
 * - `NotStored`: more was waiting than the service keeps for a reader, and `kinds` were among it or came before on this channel.
 *   History never holds them.
 * - `NotInHistory`: messages came that history does not show, and others like them may be missing. They were not stored, or
 *   history showed them later than the reader waited for (seven seconds).
 * - `RetentionExceeded`: the gap begins before what the keyset still holds, by the service's time.
 * - `InboxOverflow`: a reader of a shared connection had no room, and its strategy (`slide`, `drop`) is to leave something out.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Gap {
  readonly _tag: "Gap"
  /** The channel; with `NoStorage`, the channel or group as it was subscribed. */
  readonly channel: string
  /** The timetoken after which events are missing. */
  readonly from: string
  /** The last timetoken of which events may be missing. */
  readonly to: string
  /** Why the events cannot be recovered. */
  readonly reason: "InboxOverflow" | "NoStorage" | "NotInHistory" | "NotStored" | "RetentionExceeded"
  /** The kinds that are missing, sorted. Given with `NotStored` only. */
  readonly kinds?: ReadonlyArray<Kind>
}

/**
 * The schema of {@link Gap}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const Gap = Schema.TaggedStruct("Gap", {
  channel: Schema.String,
  from: Schema.String,
  to: Schema.String,
  reason: Schema.Literals(["InboxOverflow", "NoStorage", "NotInHistory", "NotStored", "RetentionExceeded"]),
  kinds: Schema.optionalKey(Schema.Array(Kind))
})

/**
 * Events may have been missed between two positions, and the reader cannot find out whether they were.
 *
 * **Details**
 *
 * Either the reader did not read history: no permission, a filter, `catchUp: "none"`, or failures for longer than
 * `catchUp: { within }`. Or history cannot show the events: kinds that are not stored, channels of a wildcard that were never
 * seen, a group that cannot be listed.
 *
 * The service keeps a limited number of messages for a reader, and drops older ones without notice. `FullPage`: the next page
 * has as many messages as that limit. `LongBreak`: the reader did not poll for longer than the service keeps messages, or a reader
 * without room lost something on more channels than can be told one by one (1,000), or something that cannot be read.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface GapSuspected {
  readonly _tag: "GapSuspected"
  /** The timetoken after which events may be missing. */
  readonly from: string
  /** The last timetoken of which events may be missing. */
  readonly to: string
  /** Why events may be missing. */
  readonly reason: "FullPage" | "LongBreak"
}

/**
 * The schema of {@link GapSuspected}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const GapSuspected = Schema.TaggedStruct("GapSuspected", {
  from: Schema.String,
  to: Schema.String,
  reason: Schema.Literals(["FullPage", "LongBreak"])
})

/**
 * The service answered with a position that cannot be right (zero, far ahead, or far back), or the reader was given such a
 * cursor to start from. In the first case the reader keeps its position, and the next answers decide.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface CursorDoubted {
  readonly _tag: "CursorDoubted"
  /** Where the reader goes on. */
  readonly kept: Cursor
  /** The position that cannot be right: a timetoken. */
  readonly doubted: string
}

/**
 * The schema of {@link CursorDoubted}.
 *
 * @category statuses
 * @since 0.1.0
 */
export const CursorDoubted = Schema.TaggedStruct("CursorDoubted", { kept: Cursor, doubted: Schema.String })

/**
 * The closed list of statuses.
 *
 * @category statuses
 * @since 0.1.0
 */
export type Status =
  | Connected
  | ChannelsChanged
  | Interrupted
  | Reconnected
  | Disconnected
  | Gap
  | GapSuspected
  | CursorDoubted

/**
 * The schema of a {@link Status}.
 *
 * @category statuses
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
