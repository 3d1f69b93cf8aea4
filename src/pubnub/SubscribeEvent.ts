/**
 * What a subscription delivers: one tagged union. Each member is an interface with its schema beside it.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Cursor } from "../Cursor.ts"
import { MessageAction } from "./MessageAction.ts"
import * as SubscribeStatus from "./SubscribeStatus.ts"
import { Timetoken } from "./Timetoken.ts"
import { UserId } from "./UserId.ts"

/**
 * What every event carries.
 *
 * @category models
 * @since 0.1.0
 */
export interface Delivery {
  /** The channel it happened on, without a presence suffix. */
  readonly channel: string
  /** The subscribed name that brought it: the channel itself, a group, or a wildcard. */
  readonly subscription: string
  /** When it was published. */
  readonly timetoken: Timetoken
  /** The region it was published in. */
  readonly region?: number
  /** Who published it; absent on presence and App Context events. */
  readonly publisher?: UserId
  /** Where a reader stands once this event is handled. */
  readonly cursor: Cursor
}

const Delivery = {
  channel: Schema.String,
  subscription: Schema.String,
  timetoken: Timetoken,
  region: Schema.optionalKey(Schema.Int),
  publisher: Schema.optionalKey(UserId),
  cursor: Cursor
}

// --------------------------------------------------------------------------------------------------------------------
// messages, signals, files
// --------------------------------------------------------------------------------------------------------------------

/**
 * A published message.
 *
 * @category messages
 * @since 0.1.0
 */
export interface Message<A = Schema.Json> extends Delivery {
  readonly _tag: "Message"
  /** The message, as its schema reads it; without a schema, JSON. */
  readonly payload: A
  /** The object that was published beside it. */
  readonly meta?: Schema.Json
  /** The label that its publisher gave it. */
  readonly customMessageType?: string
}

/**
 * The schema of a {@link Message} with the given payload.
 *
 * @category messages
 * @since 0.1.0
 */
export const Message = <S extends Schema.Constraint>(payload: S) =>
  Schema.TaggedStruct("Message", {
    ...Delivery,
    payload,
    meta: Schema.optionalKey(Schema.Json),
    customMessageType: Schema.optionalKey(Schema.String)
  })

/**
 * A signal.
 *
 * @category messages
 * @since 0.1.0
 */
export interface Signal<A = Schema.Json> extends Delivery {
  readonly _tag: "Signal"
  /** The signal, as its schema reads it; without a schema, JSON. */
  readonly payload: A
  /** The label that its publisher gave it. */
  readonly customMessageType?: string
}

/**
 * The schema of a {@link Signal} with the given payload.
 *
 * @category messages
 * @since 0.1.0
 */
export const Signal = <S extends Schema.Constraint>(payload: S) =>
  Schema.TaggedStruct("Signal", { ...Delivery, payload, customMessageType: Schema.optionalKey(Schema.String) })

/**
 * A file was shared, perhaps with a message.
 *
 * @category messages
 * @since 0.1.0
 */
export interface FileShared extends Delivery {
  readonly _tag: "FileShared"
  /** The id and the name of the file. */
  readonly file: { readonly id: string; readonly name: string }
  /** The message that was shared with the file. */
  readonly payload?: Schema.Json
  /** The object that was published beside it. */
  readonly meta?: Schema.Json
  /** The label that its publisher gave it. */
  readonly customMessageType?: string
}

/**
 * The schema of {@link FileShared}.
 *
 * @category messages
 * @since 0.1.0
 */
export const FileShared = Schema.TaggedStruct("FileShared", {
  ...Delivery,
  file: Schema.Struct({ id: Schema.String, name: Schema.String }),
  payload: Schema.optionalKey(Schema.Json),
  meta: Schema.optionalKey(Schema.Json),
  customMessageType: Schema.optionalKey(Schema.String)
})

// --------------------------------------------------------------------------------------------------------------------
// presence
// --------------------------------------------------------------------------------------------------------------------

/**
 * What every presence event carries beside {@link Delivery}.
 *
 * @category presence
 * @since 0.1.0
 */
export interface Occupancy extends Delivery {
  /** How many users are on the channel now; absent where the service does not say. */
  readonly occupancy?: number
  /** When it happened, to the millisecond where the service says so, else to the second. */
  readonly at: DateTime.Utc
}

const Occupancy = { ...Delivery, occupancy: Schema.optionalKey(Schema.Int), at: Schema.DateTimeUtc }

/**
 * A user came, with the presence state it has, if any.
 *
 * @category presence
 * @since 0.1.0
 */
export interface Joined extends Occupancy {
  readonly _tag: "Joined"
  /** Who joined. */
  readonly user: UserId
  /** The presence state of this user on this channel. Absent when there is none. */
  readonly state?: Schema.Json
}

const Movement = { ...Occupancy, user: UserId, state: Schema.optionalKey(Schema.Json) }

/**
 * The schema of {@link Joined}.
 *
 * @category presence
 * @since 0.1.0
 */
export const Joined = Schema.TaggedStruct("Joined", Movement)

/**
 * A user left and said so.
 *
 * @category presence
 * @since 0.1.0
 */
export interface Left extends Occupancy {
  readonly _tag: "Left"
  /** Who left. */
  readonly user: UserId
  /** The last presence state of this user on this channel. Absent when there was none. */
  readonly state?: Schema.Json
}

/**
 * The schema of {@link Left}.
 *
 * @category presence
 * @since 0.1.0
 */
export const Left = Schema.TaggedStruct("Left", Movement)

/**
 * A user has not been heard of for as long as its presence timeout.
 *
 * @category presence
 * @since 0.1.0
 */
export interface TimedOut extends Occupancy {
  readonly _tag: "TimedOut"
  /** Who timed out. */
  readonly user: UserId
  /** The last presence state of this user on this channel. Absent when there was none. */
  readonly state?: Schema.Json
}

/**
 * The schema of {@link TimedOut}.
 *
 * @category presence
 * @since 0.1.0
 */
export const TimedOut = Schema.TaggedStruct("TimedOut", Movement)

/**
 * A user's presence state on this channel is another now.
 *
 * @category presence
 * @since 0.1.0
 */
export interface StateChanged extends Occupancy {
  readonly _tag: "StateChanged"
  /** Whose state changed. */
  readonly user: UserId
  /** The state now. */
  readonly state: Schema.Json
}

/**
 * The schema of {@link StateChanged}.
 *
 * @category presence
 * @since 0.1.0
 */
export const StateChanged = Schema.TaggedStruct("StateChanged", { ...Movement, state: Schema.Json })

/**
 * On a busy channel the service tells from time to time how many are there, instead of each coming and going. With
 * presence deltas on it lists who came and went; when that list would be too long, `hereNowRefresh` says to ask.
 *
 * The service leaves out a list without users, and all lists where presence deltas are off: here each is empty then.
 *
 * @category presence
 * @since 0.1.0
 */
export interface Interval extends Occupancy {
  readonly _tag: "Interval"
  readonly joined: ReadonlyArray<UserId>
  readonly left: ReadonlyArray<UserId>
  readonly timedOut: ReadonlyArray<UserId>
  readonly hereNowRefresh: boolean
}

/**
 * The schema of {@link Interval}.
 *
 * @category presence
 * @since 0.1.0
 */
export const Interval = Schema.TaggedStruct("Interval", {
  ...Occupancy,
  joined: Schema.Array(UserId),
  left: Schema.Array(UserId),
  timedOut: Schema.Array(UserId),
  hereNowRefresh: Schema.Boolean
})

/**
 * Who comes and goes.
 *
 * @category unions
 * @since 0.1.0
 */
export type Presence = Joined | Left | TimedOut | StateChanged | Interval

// --------------------------------------------------------------------------------------------------------------------
// message actions
// --------------------------------------------------------------------------------------------------------------------

/**
 * A message action (a reaction, a receipt) was added.
 *
 * @category actions
 * @since 0.1.0
 */
export interface MessageActionAdded extends Delivery {
  readonly _tag: "MessageActionAdded"
  /** The action that was added. */
  readonly action: MessageAction
}

/**
 * The schema of {@link MessageActionAdded}.
 *
 * @category actions
 * @since 0.1.0
 */
export const MessageActionAdded = Schema.TaggedStruct("MessageActionAdded", { ...Delivery, action: MessageAction })

/**
 * A message action was removed.
 *
 * @category actions
 * @since 0.1.0
 */
export interface MessageActionRemoved extends Delivery {
  readonly _tag: "MessageActionRemoved"
  /** The action that was removed. */
  readonly action: MessageAction
}

/**
 * The schema of {@link MessageActionRemoved}.
 *
 * @category actions
 * @since 0.1.0
 */
export const MessageActionRemoved = Schema.TaggedStruct("MessageActionRemoved", { ...Delivery, action: MessageAction })

/**
 * Actions that come and go.
 *
 * @category unions
 * @since 0.1.0
 */
export type ActionEvent = MessageActionAdded | MessageActionRemoved

// --------------------------------------------------------------------------------------------------------------------
// App Context
// --------------------------------------------------------------------------------------------------------------------

/**
 * A field in a change: an absent key is unchanged, `None` is cleared, `Some` is the new value.
 *
 * @category app context
 * @since 0.1.0
 */
export type Changed<A> = Option.Option<A>

/**
 * Custom data in an event.
 *
 * @category app context
 * @since 0.1.0
 */
export interface CustomChange {
  readonly [key: string]: Schema.Json
}

/**
 * What the set event of a user, a channel or a membership has in common. `withCustom` of `Users` and others gives their
 * custom data a type.
 *
 * @category app context
 * @since 0.1.0
 */
export interface Change<C = CustomChange> {
  readonly status?: Changed<string>
  readonly type?: Changed<string>
  readonly custom?: Changed<C>
}

const Text = Schema.optionalKey(Schema.Option(Schema.String))

const Change = {
  status: Text,
  type: Text,
  custom: Schema.optionalKey(Schema.Option(Schema.Record(Schema.String, Schema.Json)))
}

const Version = { updated: Schema.optionalKey(Schema.DateTimeUtc), etag: Schema.optionalKey(Schema.String) }

/**
 * When an object changed, and the tag of its new state.
 *
 * @category app context
 * @since 0.1.0
 */
export interface Versioned extends Delivery {
  /** When it was changed. Absent where the service does not say. */
  readonly updated?: DateTime.Utc
  /** Names the version after the change. Absent where the service does not say. */
  readonly etag?: string
}

/**
 * What changed of a user.
 *
 * @category app context
 * @since 0.1.0
 */
export interface UserChange<C = CustomChange> extends Change<C> {
  readonly name?: Changed<string>
  readonly externalId?: Changed<string>
  readonly profileUrl?: Changed<string>
  readonly email?: Changed<string>
}

/**
 * A user's metadata was created or changed. It arrives on the channel named after the user, and on every channel that
 * the user is a member of.
 *
 * @category app context
 * @since 0.1.0
 */
export interface UserSet<C = CustomChange> extends Versioned {
  readonly _tag: "UserSet"
  /** Whose metadata it is. */
  readonly user: UserId
  /** The fields that changed. */
  readonly change: UserChange<C>
}

/**
 * The schema of {@link UserSet}.
 *
 * @category app context
 * @since 0.1.0
 */
export const UserSet = Schema.TaggedStruct("UserSet", {
  ...Delivery,
  ...Version,
  user: UserId,
  change: Schema.Struct({ ...Change, name: Text, externalId: Text, profileUrl: Text, email: Text })
})

/**
 * A user's metadata was removed.
 *
 * @category app context
 * @since 0.1.0
 */
export interface UserDeleted extends Delivery {
  readonly _tag: "UserDeleted"
  /** Whose metadata was removed. */
  readonly user: UserId
}

/**
 * The schema of {@link UserDeleted}.
 *
 * @category app context
 * @since 0.1.0
 */
export const UserDeleted = Schema.TaggedStruct("UserDeleted", { ...Delivery, user: UserId })

/**
 * What changed of a channel.
 *
 * @category app context
 * @since 0.1.0
 */
export interface ChannelChange<C = CustomChange> extends Change<C> {
  readonly name?: Changed<string>
  readonly description?: Changed<string>
}

/**
 * A channel's metadata was created or changed.
 *
 * @category app context
 * @since 0.1.0
 */
export interface ChannelSet<C = CustomChange> extends Versioned {
  readonly _tag: "ChannelSet"
  /** Which channel it is about. */
  readonly channelId: string
  /** The fields that changed. */
  readonly change: ChannelChange<C>
}

/**
 * The schema of {@link ChannelSet}.
 *
 * @category app context
 * @since 0.1.0
 */
export const ChannelSet = Schema.TaggedStruct("ChannelSet", {
  ...Delivery,
  ...Version,
  channelId: Schema.String,
  change: Schema.Struct({ ...Change, name: Text, description: Text })
})

/**
 * A channel's metadata was removed.
 *
 * @category app context
 * @since 0.1.0
 */
export interface ChannelDeleted extends Delivery {
  readonly _tag: "ChannelDeleted"
  /** Which channel it was about. */
  readonly channelId: string
}

/**
 * The schema of {@link ChannelDeleted}.
 *
 * @category app context
 * @since 0.1.0
 */
export const ChannelDeleted = Schema.TaggedStruct("ChannelDeleted", { ...Delivery, channelId: Schema.String })

/**
 * A user became a member of a channel, or its membership changed. It arrives on the channel and on the channel named
 * after the user.
 *
 * @category app context
 * @since 0.1.0
 */
export interface MembershipSet<C = CustomChange> extends Versioned {
  readonly _tag: "MembershipSet"
  /** Who is a member. */
  readonly user: UserId
  /** Of which channel. */
  readonly channelId: string
  /** The fields of the membership that changed. */
  readonly change: Change<C>
}

/**
 * The schema of {@link MembershipSet}.
 *
 * @category app context
 * @since 0.1.0
 */
export const MembershipSet = Schema.TaggedStruct("MembershipSet", {
  ...Delivery,
  ...Version,
  user: UserId,
  channelId: Schema.String,
  change: Schema.Struct(Change)
})

/**
 * A user is no longer a member of a channel.
 *
 * @category app context
 * @since 0.1.0
 */
export interface MembershipDeleted extends Delivery {
  readonly _tag: "MembershipDeleted"
  /** Who is no longer a member. */
  readonly user: UserId
  /** Of which channel. */
  readonly channelId: string
}

/**
 * The schema of {@link MembershipDeleted}.
 *
 * @category app context
 * @since 0.1.0
 */
export const MembershipDeleted = Schema.TaggedStruct("MembershipDeleted", {
  ...Delivery,
  user: UserId,
  channelId: Schema.String
})

/**
 * Changes of users.
 *
 * @category unions
 * @since 0.1.0
 */
export type UserEvent<C = CustomChange> = UserSet<C> | UserDeleted

/**
 * Changes of channels.
 *
 * @category unions
 * @since 0.1.0
 */
export type ChannelEvent<C = CustomChange> = ChannelSet<C> | ChannelDeleted

/**
 * Changes of memberships.
 *
 * @category unions
 * @since 0.1.0
 */
export type MembershipEvent<C = CustomChange> = MembershipSet<C> | MembershipDeleted

// --------------------------------------------------------------------------------------------------------------------
// what is none of these
// --------------------------------------------------------------------------------------------------------------------

/**
 * Something arrived that cannot be read: an envelope of the wrong form, or a payload that does not match the schema.
 * The raw data and the reason are kept; the reader goes on.
 *
 * @category others
 * @since 0.1.0
 */
export interface Undecodable {
  readonly _tag: "Undecodable"
  /** The payload where the envelope could be read, else the whole envelope. */
  readonly raw: Schema.Json
  /** What is wrong with it, in about a thousand characters at most. It may quote what others wrote. */
  readonly issue: string
  /** The channel it happened on, where that can be read. */
  readonly channel?: string
  /** When it was published, where that can be read. */
  readonly timetoken?: Timetoken
  /** Who published it, where that can be read. */
  readonly publisher?: UserId
  /** Where a reader stands once this event is handled. */
  readonly cursor: Cursor
}

/**
 * The schema of {@link Undecodable}.
 *
 * @category others
 * @since 0.1.0
 */
export const Undecodable = Schema.TaggedStruct("Undecodable", {
  raw: Schema.Json,
  issue: Schema.String,
  channel: Schema.optionalKey(Schema.String),
  timetoken: Schema.optionalKey(Timetoken),
  publisher: Schema.optionalKey(UserId),
  cursor: Cursor
})

/**
 * An event of a kind that this version does not know. `kind` is the number on the wire.
 *
 * @category others
 * @since 0.1.0
 */
export interface Unknown extends Delivery {
  readonly _tag: "Unknown"
  /** The number by which the service calls this kind of event. */
  readonly kind: number
  /** As the service sent it. */
  readonly payload: Schema.Json
  /** The object that was published beside it. */
  readonly meta?: Schema.Json
  /** The label that its publisher gave it. */
  readonly customMessageType?: string
}

/**
 * The schema of {@link Unknown}.
 *
 * @category others
 * @since 0.1.0
 */
export const Unknown = Schema.TaggedStruct("Unknown", {
  ...Delivery,
  kind: Schema.Int,
  payload: Schema.Json,
  meta: Schema.optionalKey(Schema.Json),
  customMessageType: Schema.optionalKey(Schema.String)
})

/**
 * Everything that travels in a subscription except statuses.
 *
 * @category unions
 * @since 0.1.0
 */
export type Event<A = Schema.Json> =
  | Message<A>
  | Signal
  | FileShared
  | Presence
  | ActionEvent
  | UserEvent
  | ChannelEvent
  | MembershipEvent
  | Undecodable
  | Unknown

/**
 * Everything that travels in a subscription: events, and statuses in the position where they hold.
 *
 * @category unions
 * @since 0.1.0
 */
export type SubscribeEvent<A = Schema.Json> = Event<A> | SubscribeStatus.Status

/**
 * The schema of a {@link SubscribeEvent} whose messages have the given payload. `Schema.toCodecJson` of it writes
 * events as JSON.
 *
 * **Example** (One JSON object a line)
 *
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as SubscribeEvent from "effect-herald/pubnub/SubscribeEvent"
 *
 * const Line = Schema.fromJsonString(Schema.toCodecJson(SubscribeEvent.SubscribeEvent(Schema.Json)))
 * const toLine = Schema.encodeEffect(Line)
 * ```
 *
 * @category unions
 * @since 0.1.0
 */
export const SubscribeEvent = <S extends Schema.Constraint>(payload: S) =>
  Schema.Union([
    Message(payload),
    Signal(Schema.Json),
    FileShared,
    Joined,
    Left,
    TimedOut,
    StateChanged,
    Interval,
    MessageActionAdded,
    MessageActionRemoved,
    UserSet,
    UserDeleted,
    ChannelSet,
    ChannelDeleted,
    MembershipSet,
    MembershipDeleted,
    Undecodable,
    Unknown,
    ...SubscribeStatus.Status.members
  ])
