/**
 * What a subscription delivers: one tagged union. Each member is a type and its schema in one.
 *
 * @since 0.1.0
 */
import type * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Cursor } from "../Cursor.ts"
import { taggedStruct } from "../internal/taggedStruct.ts"
import { Etag } from "./AppContext.ts"
import { MessageAction } from "./MessageAction.ts"
import * as SubscribeStatus from "./SubscribeStatus.ts"
import { Timetoken } from "./Timetoken.ts"

const delivery = {
  /** The channel of the event, without a presence suffix. */
  channel: Schema.String,
  /** The subscribed name by which the event came: the channel itself, a group, or a wildcard. */
  subscription: Schema.String,
  /** When the event was published. */
  timetoken: Timetoken,
  /** The region in which the event was published. */
  region: Schema.optionalKey(Schema.Int),
  /** The user that published the event. Absent on presence and App Context events. */
  publisher: Schema.optionalKey(Schema.String),
  /** Where a reader goes on after this event. */
  cursor: Cursor
}

/**
 * The fields of every event.
 *
 * @category events
 * @since 0.1.0
 */
export class Delivery extends Schema.Opaque<Delivery>()(Schema.Struct(delivery)) {}

/** Whether a payload was encrypted. */
const secrecy = {
  /** Whether it was encrypted. Absent without `Encryption`. */
  encrypted: Schema.optionalKey(Schema.Boolean)
}

/** What a publisher may add to a payload. */
const extras = {
  /** The object that was published with the payload. */
  meta: Schema.optionalKey(Schema.Json),
  /** The type that the publisher gave to the payload. */
  customMessageType: Schema.optionalKey(Schema.String)
}

// --------------------------------------------------------------------------------------------------------------------
// messages, signals, files
// --------------------------------------------------------------------------------------------------------------------

/**
 * A published message.
 *
 * @category events
 * @since 0.1.0
 */
export interface Message<A = Schema.Json> extends Delivery {
  readonly _tag: "Message"
  /** The message, decoded by the schema of the reader. Without a schema, JSON. */
  readonly payload: A
  /** The object that was published with the payload. */
  readonly meta?: Schema.Json
  /** The type that the publisher gave to the payload. */
  readonly customMessageType?: string
  /** Whether it was encrypted. Absent without `Encryption`. */
  readonly encrypted?: boolean
}

/**
 * The schema of a {@link Message} with the given payload.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Message = <S extends Schema.Constraint>(payload: S) =>
  taggedStruct("Message", { ...delivery, payload, ...extras, ...secrecy })

/**
 * A signal: a small message that is not stored.
 *
 * @category events
 * @since 0.1.0
 */
export interface Signal<A = Schema.Json> extends Delivery {
  readonly _tag: "Signal"
  /** The signal, decoded by the schema of the reader. Without a schema, JSON. */
  readonly payload: A
  /** The type that the publisher gave to the payload. */
  readonly customMessageType?: string
}

/**
 * The schema of a {@link Signal} with the given payload.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Signal = <S extends Schema.Constraint>(payload: S) =>
  taggedStruct("Signal", { ...delivery, payload, customMessageType: extras.customMessageType })

/**
 * A file was shared, perhaps with a message.
 *
 * @category events
 * @since 0.1.0
 */
export class FileShared extends Schema.Opaque<FileShared>()(taggedStruct("FileShared", {
  ...delivery,
  /** The id and the name of the file. */
  file: Schema.Struct({
    /** The id that the service gave it. */
    id: Schema.String,
    /** The name. */
    name: Schema.String
  }),
  /** The message that was shared with the file. */
  payload: Schema.optionalKey(Schema.Json),
  ...extras,
  ...secrecy
})) {}

// --------------------------------------------------------------------------------------------------------------------
// presence
// --------------------------------------------------------------------------------------------------------------------

const presence = {
  ...delivery,
  /** How many users are on the channel now. Absent where the service does not send it. */
  occupancy: Schema.optionalKey(Schema.Int),
  /** When it happened: to the millisecond where the service sends that, else to the second. */
  timestamp: Schema.DateTimeUtc
}

/**
 * The fields of every presence event.
 *
 * @category events
 * @since 0.1.0
 */
export class PresenceEvent extends Schema.Opaque<PresenceEvent>()(Schema.Struct(presence)) {}

const movement = {
  ...presence,
  /** The user of the event. */
  userId: Schema.String,
  /** The presence state of this user on this channel: with `Left` and `TimedOut` the last one. Absent when there is none. */
  state: Schema.optionalKey(Schema.Json)
}

/**
 * A user joined a channel.
 *
 * @category events
 * @since 0.1.0
 */
export class Joined extends Schema.Opaque<Joined>()(taggedStruct("Joined", movement)) {}

/**
 * A user left a channel.
 *
 * @category events
 * @since 0.1.0
 */
export class Left extends Schema.Opaque<Left>()(taggedStruct("Left", movement)) {}

/**
 * The service received no sign of life from a user for the length of the presence timeout.
 *
 * @category events
 * @since 0.1.0
 */
export class TimedOut extends Schema.Opaque<TimedOut>()(taggedStruct("TimedOut", movement)) {}

/**
 * The presence state of a user on a channel changed.
 *
 * @category events
 * @since 0.1.0
 */
export class StateChanged extends Schema.Opaque<StateChanged>()(taggedStruct("StateChanged", {
  ...movement,
  /** The new state. */
  state: Schema.Json
})) {}

/**
 * A summary that the service sends for a busy channel at intervals, in place of single events. With presence deltas it
 * lists the users that joined and left. Without them, and where the service leaves out a list, the lists are empty.
 *
 * @category events
 * @since 0.1.0
 */
export class Interval extends Schema.Opaque<Interval>()(taggedStruct("Interval", {
  ...presence,
  /** Users that joined since the last interval. */
  joined: Schema.Array(Schema.String),
  /** Users that left since the last interval. */
  left: Schema.Array(Schema.String),
  /** Users that timed out since the last interval. */
  timedOut: Schema.Array(Schema.String),
  /** Whether the lists were too long to send: `Presence.hereNow` knows who is there. */
  hereNowRefresh: Schema.Boolean
})) {}

/**
 * Joins, leaves, timeouts, changes of state, and intervals.
 *
 * @category events
 * @since 0.1.0
 */
export type Presence = Joined | Left | TimedOut | StateChanged | Interval

// --------------------------------------------------------------------------------------------------------------------
// message actions
// --------------------------------------------------------------------------------------------------------------------

/**
 * A message action (a reaction, a receipt) was added.
 *
 * @category events
 * @since 0.1.0
 */
export class MessageActionAdded extends Schema.Opaque<MessageActionAdded>()(taggedStruct("MessageActionAdded", {
  ...delivery,
  /** The action that was added. */
  action: MessageAction
})) {}

/**
 * A message action was removed.
 *
 * @category events
 * @since 0.1.0
 */
export class MessageActionRemoved extends Schema.Opaque<MessageActionRemoved>()(taggedStruct("MessageActionRemoved", {
  ...delivery,
  /** The action that was removed. */
  action: MessageAction
})) {}

/**
 * Message actions that were added or removed.
 *
 * @category events
 * @since 0.1.0
 */
export type MessageActionEvent = MessageActionAdded | MessageActionRemoved

// --------------------------------------------------------------------------------------------------------------------
// App Context
// --------------------------------------------------------------------------------------------------------------------

/**
 * A field in a change: an absent key is unchanged, `None` is cleared, `Some` is the new value.
 *
 * @category models
 * @since 0.1.0
 */
export type Changed<A> = Option.Option<A>

/**
 * Custom data in an event.
 *
 * @category models
 * @since 0.1.0
 */
export interface CustomChange {
  readonly [key: string]: Schema.Json
}

/**
 * The fields that changes of users, channels and memberships share. `withCustom` of `Users` and others gives their custom
 * data a type.
 *
 * @category models
 * @since 0.1.0
 */
export interface Change<C = CustomChange> {
  /** The status. */
  readonly status?: Changed<string>
  /** The type. */
  readonly type?: Changed<string>
  /** The custom data, as a whole. */
  readonly custom?: Changed<C>
}

const text = Schema.optionalKey(Schema.Option(Schema.String))

const change = {
  status: text,
  type: text,
  custom: Schema.optionalKey(Schema.Option(Schema.Record(Schema.String, Schema.Json)))
}

const versioned = {
  ...delivery,
  /** When the object was changed. Absent where the service does not send it. */
  updated: Schema.optionalKey(Schema.DateTimeUtc),
  /** The version after the change. Absent where the service does not send it. */
  etag: Schema.optionalKey(Etag)
}

/**
 * The fields of every event that reports a change of an object.
 *
 * @category events
 * @since 0.1.0
 */
export class Versioned extends Schema.Opaque<Versioned>()(Schema.Struct(versioned)) {}

/**
 * What changed of a user.
 *
 * @category models
 * @since 0.1.0
 */
export interface UserChange<C = CustomChange> extends Change<C> {
  /** The name. */
  readonly name?: Changed<string>
  /** The id in another system. */
  readonly externalId?: Changed<string>
  /** The address of a picture. */
  readonly profileUrl?: Changed<string>
  /** The email address. */
  readonly email?: Changed<string>
}

/**
 * The metadata of a user was created or changed. The event arrives on the channel with the name of the user, and on each
 * channel of which the user is a member.
 *
 * @category events
 * @since 0.1.0
 */
export interface UserSet<C = CustomChange> extends Versioned {
  readonly _tag: "UserSet"
  /** The user. */
  readonly userId: string
  /** The fields that changed. */
  readonly change: UserChange<C>
}

/**
 * The schema of {@link UserSet}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UserSet = taggedStruct("UserSet", {
  ...versioned,
  userId: Schema.String,
  change: Schema.Struct({ ...change, name: text, externalId: text, profileUrl: text, email: text })
})

/**
 * The metadata of a user was removed.
 *
 * @category events
 * @since 0.1.0
 */
export class UserRemoved extends Schema.Opaque<UserRemoved>()(taggedStruct("UserRemoved", {
  ...delivery,
  /** The user. */
  userId: Schema.String
})) {}

/**
 * What changed of a channel.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelChange<C = CustomChange> extends Change<C> {
  /** The name. */
  readonly name?: Changed<string>
  /** The description. */
  readonly description?: Changed<string>
}

/**
 * The metadata of a channel was created or changed.
 *
 * @category events
 * @since 0.1.0
 */
export interface ChannelSet<C = CustomChange> extends Versioned {
  readonly _tag: "ChannelSet"
  /** The channel that was changed; `channel` is where the event arrived. */
  readonly channelId: string
  /** The fields that changed. */
  readonly change: ChannelChange<C>
}

/**
 * The schema of {@link ChannelSet}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ChannelSet = taggedStruct("ChannelSet", {
  ...versioned,
  channelId: Schema.String,
  change: Schema.Struct({ ...change, name: text, description: text })
})

/**
 * The metadata of a channel was removed.
 *
 * @category events
 * @since 0.1.0
 */
export class ChannelRemoved extends Schema.Opaque<ChannelRemoved>()(taggedStruct("ChannelRemoved", {
  ...delivery,
  /** The channel whose metadata was removed; `channel` is where the event arrived. */
  channelId: Schema.String
})) {}

/**
 * A user became a member of a channel, or the membership changed. The event arrives on the channel, and on the channel with
 * the name of the user.
 *
 * @category events
 * @since 0.1.0
 */
export interface MembershipSet<C = CustomChange> extends Versioned {
  readonly _tag: "MembershipSet"
  /** The member. */
  readonly userId: string
  /** The channel of the membership; `channel` is where the event arrived. */
  readonly channelId: string
  /** The fields of the membership that changed. */
  readonly change: Change<C>
}

/**
 * The schema of {@link MembershipSet}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MembershipSet = taggedStruct("MembershipSet", {
  ...versioned,
  userId: Schema.String,
  channelId: Schema.String,
  change: Schema.Struct(change)
})

/**
 * A user is no longer a member of a channel.
 *
 * @category events
 * @since 0.1.0
 */
export class MembershipRemoved extends Schema.Opaque<MembershipRemoved>()(taggedStruct("MembershipRemoved", {
  ...delivery,
  /** The user that was a member. */
  userId: Schema.String,
  /** The channel of the membership; `channel` is where the event arrived. */
  channelId: Schema.String
})) {}

/**
 * Changes of users.
 *
 * @category events
 * @since 0.1.0
 */
export type UserEvent<C = CustomChange> = UserSet<C> | UserRemoved

/**
 * Changes of channels.
 *
 * @category events
 * @since 0.1.0
 */
export type ChannelEvent<C = CustomChange> = ChannelSet<C> | ChannelRemoved

/**
 * Changes of memberships.
 *
 * @category events
 * @since 0.1.0
 */
export type MembershipEvent<C = CustomChange> = MembershipSet<C> | MembershipRemoved

// --------------------------------------------------------------------------------------------------------------------
// events that cannot be read
// --------------------------------------------------------------------------------------------------------------------

/**
 * An event that cannot be read: its envelope is malformed, its payload does not match the schema, or it cannot be decrypted. The
 * stream goes on.
 *
 * @category events
 * @since 0.1.0
 */
export class Undecodable extends Schema.Opaque<Undecodable>()(taggedStruct("Undecodable", {
  /** The payload where the envelope could be read, else the whole envelope. */
  raw: Schema.Json,
  /** What is wrong, in at most about a thousand characters. It may quote text of other users. */
  issue: Schema.String,
  /**
   * Why `Encryption` did not read a message or a file: no key decrypts it, or it is not encrypted and `plain: "reject"` refuses
   * it. Absent where something else is wrong.
   */
  reason: Schema.optionalKey(Schema.Literals(["Undecryptable", "NotEncrypted"])),
  /** The channel of the event, where that can be read. */
  channel: Schema.optionalKey(Schema.String),
  /** The subscribed name by which the event came. Only with a `reason`. */
  subscription: Schema.optionalKey(Schema.String),
  /** When the event was published, where that can be read. */
  timetoken: Schema.optionalKey(Timetoken),
  /** The user that published the event, where that can be read. */
  publisher: Schema.optionalKey(Schema.String),
  /** Where a reader goes on after this event. */
  cursor: Cursor
})) {}

/**
 * An event of a kind that this version does not know.
 *
 * @category events
 * @since 0.1.0
 */
export class Unknown extends Schema.Opaque<Unknown>()(taggedStruct("Unknown", {
  ...delivery,
  /** The number of this kind in the service's protocol. */
  kind: Schema.Int,
  /** The payload as the service sent it. */
  payload: Schema.Json,
  ...extras
})) {}

// --------------------------------------------------------------------------------------------------------------------
// unions
// --------------------------------------------------------------------------------------------------------------------

/**
 * The data of a subscription.
 *
 * @category events
 * @since 0.1.0
 */
export type Event<A = Schema.Json> =
  | Message<A>
  | Signal
  | FileShared
  | Presence
  | MessageActionEvent
  | UserEvent
  | ChannelEvent
  | MembershipEvent

/**
 * Everything that the service sends: data, and events that cannot be read or are of an unknown kind.
 *
 * @category events
 * @since 0.1.0
 */
export type Received<A = Schema.Json> = Event<A> | Undecodable | Unknown

/**
 * Everything in a subscription that is not data: statuses, and events that cannot be read or are of an unknown kind. The
 * streams of one kind of event pass these to `onStatus`.
 *
 * @category events
 * @since 0.1.0
 */
export type Notice = SubscribeStatus.Status | Undecodable | Unknown

/**
 * Everything in a subscription, in one order: data, and notices in the position where they hold.
 *
 * @category events
 * @since 0.1.0
 */
export type SubscribeEvent<A = Schema.Json> = Event<A> | Notice

/**
 * The schema of a {@link SubscribeEvent} whose messages have the given payload. `Schema.toCodecJson` of it writes events as
 * JSON.
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
 * @category schemas
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
    UserRemoved,
    ChannelSet,
    ChannelRemoved,
    MembershipSet,
    MembershipRemoved,
    Undecodable,
    Unknown,
    ...SubscribeStatus.Status.members
  ])
