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
 * A request failed and will be made again after `retryIn`, from the same cursor. Each failed attempt emits one. The request
 * may be one for history: then live messages wait, and the connection goes on listening.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Interrupted {
  readonly _tag: "Interrupted"
  readonly reason: PubNubError.Reason
  /** Absent before the first connection of a reader that was given no cursor. */
  readonly cursor?: Cursor
  /** 1 for the first failure in a row. A row ends when a poll was answered, or was held for 30 seconds. */
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
 * The service answers again; reading goes on from `cursor`, the one from before. It comes once for an interruption, with the
 * handshake that proves the connection, and not only with the next message.
 *
 * @category statuses
 * @since 0.1.0
 */
export interface Reconnected {
  readonly _tag: "Reconnected"
  readonly cursor: Cursor
  /** Since somebody last surely listened, by the clock of this machine that saw more time pass. */
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
 * - `NoStorage`: the keyset stores nothing. It comes for the first gap only, for each subscribed name; what may be missing
 *   later is a {@link GapSuspected}.
 * - `NotStored`: more was waiting than the service keeps for a reader, and `kinds` were among it or came before on this channel.
 *   History never holds them.
 * - `NotInHistory`: messages came that history does not show, and others like them may be missing. They were not stored, or
 *   history is later than it was waited for (seven seconds).
 * - `RetentionExceeded`: the gap begins before what the keyset still holds, by the service's time.
 * - `InboxOverflow`: a reader of a shared connection had no room, and its strategy (`slide`, `drop`) is to leave something out.
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
 * Something may have been missed between two positions, and nobody can tell: history is out of reach (no permission, a
 * filter, `catchUp: "none"`, or failures for longer than `catchUp: { within }`), or something may be of kinds and channels
 * that history was not asked for (kinds that are not stored, channels of a wildcard that were never seen, a group that cannot be
 * listed).
 *
 * The service keeps a number of messages for a reader and drops older ones without a word. `FullPage`: the page that follows
 * has as many as that. `LongBreak`: nothing was asked for longer than the service keeps them.
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
