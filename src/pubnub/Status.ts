/**
 * What a subscription says of itself. Statuses travel in the stream with the events, in the position where they hold.
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
  readonly cursor: Cursor
  readonly channels: ReadonlyArray<string>
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
 * The set of names is another from here on; the cursor goes on.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface ChannelsChanged {
  readonly _tag: "ChannelsChanged"
  readonly cursor: Cursor
  readonly channels: ReadonlyArray<string>
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
 * A request failed and will be made again after `retryIn`, from the same cursor. One is told for each failed attempt.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Interrupted {
  readonly _tag: "Interrupted"
  readonly reason: PubNubError.Reason
  /** Absent before the first connection of a reader that was given no cursor. */
  readonly cursor?: Cursor
  /** 1 for the first failure in a row. */
  readonly attempt: number
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
 * The service answers again; reading goes on from `cursor`, the one from before.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Reconnected {
  readonly _tag: "Reconnected"
  readonly cursor: Cursor
  /** Since the last good answer, by the wall clock. */
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
 * Nothing more will come. With a `reason` the stream fails next.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Disconnected {
  readonly _tag: "Disconnected"
  readonly reason?: PubNubError.Reason | InboxOverflow | Defect
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
 * Something of a channel between two positions was missed and cannot be had.
 *
 * **Details**
 *
 * - `NoStorage`: the keyset stores nothing. Told for the first hole only, for each subscribed name; what may be missing
 *   later is a {@link GapSuspected}.
 * - `NotStored`: `kinds` of events that are not stored came while more was waiting than the service keeps for a reader.
 * - `RetentionExceeded`: the hole begins before what the keyset still holds.
 * - `InboxOverflow`: a reader of a `Subscriber` had no room, and its strategy is to leave something out.
 * - `UnknownChannels`: `channel` is a wildcard, or a group that cannot be looked up. History is asked by channel: the
 *   channels that were seen so far are complete, others may not be.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Gap {
  readonly _tag: "Gap"
  readonly channel: string
  readonly from: string
  readonly to: string
  readonly reason: "InboxOverflow" | "NoStorage" | "NotInHistory" | "NotStored" | "RetentionExceeded"
  /** Given with `NotStored`. */
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
 * Something may have been missed between two positions, and history cannot tell: it is out of reach (no permission, a
 * filter, `catchUp: "none"`), or it is of kinds and channels that history does not know. The service keeps a number of
 * messages for a reader and drops older ones without a word. `FullPage`: the page that follows has as many as that.
 * `LongBreak`: nothing was asked for longer than the service keeps them.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface GapSuspected {
  readonly _tag: "GapSuspected"
  readonly from: string
  readonly to: string
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
 * The service answered with a position that cannot be right (zero, far ahead, or far back). The old one is kept, and the
 * next answer decides.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface CursorDoubted {
  readonly _tag: "CursorDoubted"
  readonly kept: Cursor
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
