/**
 * The events of the datafeed, as one tagged union: seventeen kinds of events, events that this library does not know or cannot
 * read, and the statuses of the feed itself.
 *
 * Only `_tag` is always there, and `message` of events about one. What the service leaves out or gives as `null` is an absent
 * key.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as DatafeedStatus from "./DatafeedStatus.ts"
import { taggedStruct } from "../internal/taggedStruct.ts"
import * as Usual from "../internal/usual.ts"
import * as Lenient from "./internal/wire/lenient.ts"
import { MessageStream, PostedMessage, User } from "./PostedMessage.ts"

const { flag, id, instant, text } = Lenient.keys
const user = Lenient.optional(User)
const stream = Lenient.optional(MessageStream)
const Fields = Schema.Record(Schema.String, Schema.Json)
const isFields = Schema.is(Fields)
const record = Usual.define(
  Fields.pipe(
    Schema.catchDecoding(() => Effect.succeedSome({})),
    Schema.withDecodingDefaultKey(Effect.succeed({}))
  ),
  (json) => json === undefined ? {} : isFields(json) ? json : Usual.unusual
)

const base = {
  /** The id. The same event has the same id when it comes again. */
  id: text,
  /** When it happened. Absent where the service does not say. */
  timestamp: instant,
  /** The message that it is about, URL-safe. */
  messageId: id,
  /** The user who did it. Absent where nobody did. */
  initiator: user,
  /** What the service could not parse in it. */
  diagnostic: text
}

/**
 * What every event has.
 *
 * @category models
 * @since 0.1.0
 */
export class EventBase extends Schema.Opaque<EventBase>()(Schema.Struct(base)) {}

const inStream = {
  ...base,
  /** Where it happened. */
  stream
}

// --------------------------------------------------------------------------------------------------------------------
// messages
// --------------------------------------------------------------------------------------------------------------------

/**
 * A message was sent, or a new version of one. `message.replacing` is the version before.
 *
 * @category events
 * @since 0.1.0
 */
export class MessageSent extends Schema.Opaque<MessageSent>()(taggedStruct("MessageSent", {
  ...base,
  /** The message. `MessageML.read` gives its text. */
  message: PostedMessage
})) {}

/**
 * A message was shared with another stream.
 *
 * @category events
 * @since 0.1.0
 */
export class SharedPost extends Schema.Opaque<SharedPost>()(taggedStruct("SharedPost", {
  ...base,
  /** The message that shares it. */
  message: PostedMessage,
  /** The message that was shared. */
  sharedMessage: Lenient.optional(PostedMessage)
})) {}

/**
 * A message was suppressed: nobody can read it any more. `messageId` is its id.
 *
 * @category events
 * @since 0.1.0
 */
export class MessageSuppressed
  extends Schema.Opaque<MessageSuppressed>()(taggedStruct("MessageSuppressed", inStream))
{}

// --------------------------------------------------------------------------------------------------------------------
// rooms and conversations
// --------------------------------------------------------------------------------------------------------------------

/**
 * The properties of a room.
 *
 * @category models
 * @since 0.1.0
 */
export class RoomProperties extends Schema.Opaque<RoomProperties>()(Schema.Struct({
  /** The name. */
  name: text,
  /** What it is for. */
  description: text,
  /** The user who created it. */
  creatorUser: user,
  /** When it was created. */
  createdDate: instant,
  /** Whether members of other companies can be in it. */
  external: flag,
  /** Whether members of other pods can be in it. */
  crossPod: flag,
  /** Whether everybody can join. */
  public: flag,
  /** Whether its content cannot be copied. */
  copyProtected: flag,
  /** Whether only its owners can write. */
  readOnly: flag,
  /** Whether everybody can find it. */
  discoverable: flag,
  /** Whether members can invite others. */
  membersCanInvite: flag,
  /** Its keywords. */
  keywords: Lenient.list(Schema.Struct({
    /** The name of the keyword. */
    key: Schema.String,
    /** The value of the keyword. */
    value: Schema.String
  })),
  /** Whether new members see what was written before. */
  canViewHistory: flag
})) {}

/**
 * A conversation of two or more users began.
 *
 * @category events
 * @since 0.1.0
 */
export class InstantMessageCreated
  extends Schema.Opaque<InstantMessageCreated>()(taggedStruct("InstantMessageCreated", inStream))
{}

/**
 * A room was created.
 *
 * @category events
 * @since 0.1.0
 */
export class RoomCreated extends Schema.Opaque<RoomCreated>()(taggedStruct("RoomCreated", {
  ...inStream,
  /** The properties of the room. */
  roomProperties: Lenient.optional(RoomProperties)
})) {}

/**
 * The properties of a room changed.
 *
 * @category events
 * @since 0.1.0
 */
export class RoomUpdated extends Schema.Opaque<RoomUpdated>()(taggedStruct("RoomUpdated", {
  ...inStream,
  /** The properties of the room now. */
  newRoomProperties: Lenient.optional(RoomProperties)
})) {}

/**
 * A room was closed.
 *
 * @category events
 * @since 0.1.0
 */
export class RoomDeactivated extends Schema.Opaque<RoomDeactivated>()(taggedStruct("RoomDeactivated", inStream)) {}

/**
 * A closed room was opened again.
 *
 * @category events
 * @since 0.1.0
 */
export class RoomReactivated extends Schema.Opaque<RoomReactivated>()(taggedStruct("RoomReactivated", inStream)) {}

/**
 * A user joined a room.
 *
 * @category events
 * @since 0.1.0
 */
export class UserJoinedRoom extends Schema.Opaque<UserJoinedRoom>()(taggedStruct("UserJoinedRoom", {
  ...inStream,
  /** The user who joined. */
  affectedUser: user
})) {}

/**
 * A user left a room, or was removed.
 *
 * @category events
 * @since 0.1.0
 */
export class UserLeftRoom extends Schema.Opaque<UserLeftRoom>()(taggedStruct("UserLeftRoom", {
  ...inStream,
  /** The user who left. */
  affectedUser: user
})) {}

/**
 * The initiator asks to join a room.
 *
 * @category events
 * @since 0.1.0
 */
export class UserRequestedToJoinRoom
  extends Schema.Opaque<UserRequestedToJoinRoom>()(taggedStruct("UserRequestedToJoinRoom", {
    ...inStream,
    /** The owners of the room, who can let the initiator in. */
    affectedUsers: Lenient.list(User)
  }))
{}

/**
 * A member of a room became one of its owners.
 *
 * @category events
 * @since 0.1.0
 */
export class RoomMemberPromotedToOwner
  extends Schema.Opaque<RoomMemberPromotedToOwner>()(taggedStruct("RoomMemberPromotedToOwner", {
    ...inStream,
    /** The new owner. */
    affectedUser: user
  }))
{}

/**
 * An owner of a room became an ordinary member.
 *
 * @category events
 * @since 0.1.0
 */
export class RoomMemberDemotedFromOwner
  extends Schema.Opaque<RoomMemberDemotedFromOwner>()(taggedStruct("RoomMemberDemotedFromOwner", {
    ...inStream,
    /** The former owner. */
    affectedUser: user
  }))
{}

// --------------------------------------------------------------------------------------------------------------------
// connections
// --------------------------------------------------------------------------------------------------------------------

/**
 * The initiator, of another company, asks for a connection.
 *
 * @category events
 * @since 0.1.0
 */
export class ConnectionRequested extends Schema.Opaque<ConnectionRequested>()(taggedStruct("ConnectionRequested", {
  ...base,
  /** The user who was asked. */
  toUser: user
})) {}

/**
 * The initiator accepted a connection.
 *
 * @category events
 * @since 0.1.0
 */
export class ConnectionAccepted extends Schema.Opaque<ConnectionAccepted>()(taggedStruct("ConnectionAccepted", {
  ...base,
  /** The user who had asked. */
  fromUser: user
})) {}

// --------------------------------------------------------------------------------------------------------------------
// forms and other systems
// --------------------------------------------------------------------------------------------------------------------

/**
 * A form of a message was submitted.
 *
 * **Example** (Reading the values with a schema)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import type * as DatafeedEvent from "effect-herald/symphony/DatafeedEvent"
 *
 * const Order = Schema.Struct({ action: Schema.String, amount: Schema.FiniteFromString })
 *
 * const ordered = (event: DatafeedEvent.ElementsAction) =>
 *   Schema.decodeUnknownEffect(Order)(event.formValues).pipe(
 *     Effect.flatMap(({ amount }) => Effect.log(`${amount} pieces`))
 *   )
 * ```
 *
 * @category events
 * @since 0.1.0
 */
export class ElementsAction extends Schema.Opaque<ElementsAction>()(taggedStruct("ElementsAction", {
  ...inStream,
  /** The message that has the form, URL-safe. */
  formMessageId: id,
  /** The `id` of the form. */
  formId: text,
  /** The values by the names of the inputs. Inputs of one name give an array. `action` is the name of the button. */
  formValues: record
})) {}

/**
 * Another system reports something, in a form of its own.
 *
 * @category events
 * @since 0.1.0
 */
export class GenericSystemEvent extends Schema.Opaque<GenericSystemEvent>()(taggedStruct("GenericSystemEvent", {
  ...inStream,
  /** When it happened in that system. */
  eventTimestamp: instant,
  /** The system. */
  sourceSystem: text,
  /** The kind of event, by the name of that system. */
  eventSubtype: text,
  /** The details, by the names of that system. */
  parameters: record
})) {}

// --------------------------------------------------------------------------------------------------------------------
// unknown and undecodable events
// --------------------------------------------------------------------------------------------------------------------

/**
 * An event of a kind that this library does not know. It is acknowledged like any other.
 *
 * @category events
 * @since 0.1.0
 */
export class UnknownEvent extends Schema.Opaque<UnknownEvent>()(taggedStruct("UnknownEvent", {
  ...base,
  /** The service's name of the kind. */
  kind: Schema.String,
  /** The whole event as it came. */
  raw: Schema.Json
})) {}

/**
 * An event that cannot be read. It is acknowledged like any other: it would be the same the next time.
 *
 * @category events
 * @since 0.1.0
 */
export class UndecodableEvent extends Schema.Opaque<UndecodableEvent>()(taggedStruct("UndecodableEvent", {
  ...base,
  /** What is wrong with it, at most 1,024 characters. */
  issue: Schema.String,
  /** The whole event as it came. */
  raw: Schema.Json
})) {}

// --------------------------------------------------------------------------------------------------------------------
// unions
// --------------------------------------------------------------------------------------------------------------------

/**
 * The schema of an event: the seventeen kinds that this library knows.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Event = Schema.Union([
  MessageSent,
  SharedPost,
  MessageSuppressed,
  InstantMessageCreated,
  RoomCreated,
  RoomUpdated,
  RoomDeactivated,
  RoomReactivated,
  UserJoinedRoom,
  UserLeftRoom,
  UserRequestedToJoinRoom,
  RoomMemberPromotedToOwner,
  RoomMemberDemotedFromOwner,
  ConnectionRequested,
  ConnectionAccepted,
  ElementsAction,
  GenericSystemEvent
])

/**
 * An event: one of the seventeen kinds that this library knows.
 *
 * @category events
 * @since 0.1.0
 */
export type Event = typeof Event.Type

/**
 * The schema of everything that a datafeed gives.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DatafeedEvent = Schema.Union([Event, UnknownEvent, UndecodableEvent, DatafeedStatus.DatafeedStatus])

/**
 * Everything that a datafeed gives: events, known, unknown and undecodable, and the statuses of the feed.
 *
 * @category events
 * @since 0.1.0
 */
export type DatafeedEvent = typeof DatafeedEvent.Type
