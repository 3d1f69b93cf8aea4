/**
 * What the datafeed tells of: one tagged union of the seventeen kinds of events that there are, of what cannot be known or
 * read, and of what the feed says of itself. Each member is an interface with its codec beside it.
 *
 * Only tags are sure to be there, and the message of what is about one. What the service leaves out or gives as `null` is an
 * absent key.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as DatafeedStatus from "./DatafeedStatus.ts"
import * as Lenient from "./internal/wire/lenient.ts"
import { MessageStream, PostedMessage, User } from "./PostedMessage.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"

/**
 * What every event carries.
 *
 * @category models
 * @since 0.1.0
 */
export interface Happening {
  /** By which the same event is known when it comes again. */
  readonly id?: string
  /** When it happened. Absent where the service does not say. */
  readonly timestamp?: DateTime.Utc
  /** The message that it is about, where it is about one. */
  readonly messageId?: string
  /** Who did it. Absent where nobody did. */
  readonly initiator?: User
  /** What could not be parsed of it, by the service's own account. */
  readonly diagnostic?: string
}

const Text = Lenient.optional(Schema.String)
const Flag = Lenient.optional(Lenient.Flag)
const Instant = Lenient.optional(Lenient.Instant)
const Member = Lenient.optional(User)
const Where = Lenient.optional(MessageStream)

const Happening = { id: Text, timestamp: Instant, messageId: Text, initiator: Member, diagnostic: Text }

// --------------------------------------------------------------------------------------------------------------------
// messages
// --------------------------------------------------------------------------------------------------------------------

/**
 * A message was sent, or a new version of one: then `message.replacing` is the version before.
 *
 * @category messages
 * @since 0.1.0
 */
export interface MessageSent extends Happening {
  readonly _tag: "MessageSent"
  /** The message. `MessageML.read` gives its text. */
  readonly message: PostedMessage
}

/**
 * The codec of a {@link MessageSent}.
 *
 * @category messages
 * @since 0.1.0
 */
export const MessageSent: Schema.Codec<MessageSent, unknown> = Schema.TaggedStruct("MessageSent", {
  ...Happening,
  message: PostedMessage
})

/**
 * A message was shared with another stream.
 *
 * @category messages
 * @since 0.1.0
 */
export interface SharedPost extends Happening {
  readonly _tag: "SharedPost"
  readonly message: PostedMessage
  readonly sharedMessage?: PostedMessage
}

/**
 * The codec of a {@link SharedPost}.
 *
 * @category messages
 * @since 0.1.0
 */
export const SharedPost: Schema.Codec<SharedPost, unknown> = Schema.TaggedStruct("SharedPost", {
  ...Happening,
  message: PostedMessage,
  sharedMessage: Lenient.optional(PostedMessage)
})

/**
 * A message was suppressed: nobody can read it any more. It is `messageId`.
 *
 * @category messages
 * @since 0.1.0
 */
export interface MessageSuppressed extends Happening {
  readonly _tag: "MessageSuppressed"
  /** Where it happened. */
  readonly stream?: MessageStream
}

/**
 * The codec of a {@link MessageSuppressed}.
 *
 * @category messages
 * @since 0.1.0
 */
export const MessageSuppressed: Schema.Codec<MessageSuppressed, unknown> = Schema.TaggedStruct("MessageSuppressed", {
  ...Happening,
  stream: Where
})

// --------------------------------------------------------------------------------------------------------------------
// streams
// --------------------------------------------------------------------------------------------------------------------

/**
 * What a room is like.
 *
 * @category models
 * @since 0.1.0
 */
export interface RoomProperties {
  readonly name?: string
  readonly description?: string
  readonly creatorUser?: User
  readonly createdDate?: DateTime.Utc
  readonly external?: boolean
  readonly crossPod?: boolean
  readonly public?: boolean
  readonly copyProtected?: boolean
  readonly readOnly?: boolean
  readonly discoverable?: boolean
  readonly membersCanInvite?: boolean
  readonly keywords: ReadonlyArray<{ readonly key: string; readonly value: string } | UndecodableItem>
  readonly canViewHistory?: boolean
}

/**
 * The codec of {@link RoomProperties}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RoomProperties: Schema.Codec<RoomProperties, unknown> = Schema.Struct({
  name: Text,
  description: Text,
  creatorUser: Member,
  createdDate: Instant,
  external: Flag,
  crossPod: Flag,
  public: Flag,
  copyProtected: Flag,
  readOnly: Flag,
  discoverable: Flag,
  membersCanInvite: Flag,
  keywords: Lenient.list(Schema.Struct({ key: Schema.String, value: Schema.String })),
  canViewHistory: Flag
})

/**
 * A conversation of two or of some began.
 *
 * @category streams
 * @since 0.1.0
 */
export interface InstantMessageCreated extends Happening {
  readonly _tag: "InstantMessageCreated"
  /** Where it happened. */
  readonly stream?: MessageStream
}

/**
 * The codec of an {@link InstantMessageCreated}.
 *
 * @category streams
 * @since 0.1.0
 */
export const InstantMessageCreated: Schema.Codec<InstantMessageCreated, unknown> = Schema.TaggedStruct(
  "InstantMessageCreated",
  {
    ...Happening,
    stream: Where
  }
)

/**
 * A room was made.
 *
 * @category streams
 * @since 0.1.0
 */
export interface RoomCreated extends Happening {
  readonly _tag: "RoomCreated"
  /** Where it happened. */
  readonly stream?: MessageStream
  /** What the room is like. */
  readonly roomProperties?: RoomProperties
}

/**
 * The codec of a {@link RoomCreated}.
 *
 * @category streams
 * @since 0.1.0
 */
export const RoomCreated: Schema.Codec<RoomCreated, unknown> = Schema.TaggedStruct("RoomCreated", {
  ...Happening,
  stream: Where,
  roomProperties: Lenient.optional(RoomProperties)
})

/**
 * A room is another now.
 *
 * @category streams
 * @since 0.1.0
 */
export interface RoomUpdated extends Happening {
  readonly _tag: "RoomUpdated"
  /** Where it happened. */
  readonly stream?: MessageStream
  /** What the room is like now. */
  readonly newRoomProperties?: RoomProperties
}

/**
 * The codec of a {@link RoomUpdated}.
 *
 * @category streams
 * @since 0.1.0
 */
export const RoomUpdated: Schema.Codec<RoomUpdated, unknown> = Schema.TaggedStruct("RoomUpdated", {
  ...Happening,
  stream: Where,
  newRoomProperties: Lenient.optional(RoomProperties)
})

/**
 * A room was closed.
 *
 * @category streams
 * @since 0.1.0
 */
export interface RoomDeactivated extends Happening {
  readonly _tag: "RoomDeactivated"
  /** Where it happened. */
  readonly stream?: MessageStream
}

/**
 * The codec of a {@link RoomDeactivated}.
 *
 * @category streams
 * @since 0.1.0
 */
export const RoomDeactivated: Schema.Codec<RoomDeactivated, unknown> = Schema.TaggedStruct("RoomDeactivated", {
  ...Happening,
  stream: Where
})

/**
 * A room that was closed is open again.
 *
 * @category streams
 * @since 0.1.0
 */
export interface RoomReactivated extends Happening {
  readonly _tag: "RoomReactivated"
  /** Where it happened. */
  readonly stream?: MessageStream
}

/**
 * The codec of a {@link RoomReactivated}.
 *
 * @category streams
 * @since 0.1.0
 */
export const RoomReactivated: Schema.Codec<RoomReactivated, unknown> = Schema.TaggedStruct("RoomReactivated", {
  ...Happening,
  stream: Where
})

/**
 * Somebody came into a room.
 *
 * @category streams
 * @since 0.1.0
 */
export interface UserJoinedRoom extends Happening {
  readonly _tag: "UserJoinedRoom"
  /** Where it happened. */
  readonly stream?: MessageStream
  /** Who joined. */
  readonly affectedUser?: User
}

/**
 * The codec of an {@link UserJoinedRoom}.
 *
 * @category streams
 * @since 0.1.0
 */
export const UserJoinedRoom: Schema.Codec<UserJoinedRoom, unknown> = Schema.TaggedStruct("UserJoinedRoom", {
  ...Happening,
  stream: Where,
  affectedUser: Member
})

/**
 * Somebody left a room, or was put out.
 *
 * @category streams
 * @since 0.1.0
 */
export interface UserLeftRoom extends Happening {
  readonly _tag: "UserLeftRoom"
  /** Where it happened. */
  readonly stream?: MessageStream
  /** Who left. */
  readonly affectedUser?: User
}

/**
 * The codec of an {@link UserLeftRoom}.
 *
 * @category streams
 * @since 0.1.0
 */
export const UserLeftRoom: Schema.Codec<UserLeftRoom, unknown> = Schema.TaggedStruct("UserLeftRoom", {
  ...Happening,
  stream: Where,
  affectedUser: Member
})

/**
 * The initiator asks to be let into a room.
 *
 * @category streams
 * @since 0.1.0
 */
export interface UserRequestedToJoinRoom extends Happening {
  readonly _tag: "UserRequestedToJoinRoom"
  /** Where it happened. */
  readonly stream?: MessageStream
  /** The owners of the room, who can let them in. */
  readonly affectedUsers: ReadonlyArray<User | UndecodableItem>
}

/**
 * The codec of an {@link UserRequestedToJoinRoom}.
 *
 * @category streams
 * @since 0.1.0
 */
export const UserRequestedToJoinRoom: Schema.Codec<UserRequestedToJoinRoom, unknown> = Schema.TaggedStruct(
  "UserRequestedToJoinRoom",
  {
    ...Happening,
    stream: Where,
    affectedUsers: Lenient.list(User)
  }
)

/**
 * A member of a room is one of its owners now.
 *
 * @category streams
 * @since 0.1.0
 */
export interface RoomMemberPromotedToOwner extends Happening {
  readonly _tag: "RoomMemberPromotedToOwner"
  /** Where it happened. */
  readonly stream?: MessageStream
  /** Who became an owner. */
  readonly affectedUser?: User
}

/**
 * The codec of a {@link RoomMemberPromotedToOwner}.
 *
 * @category streams
 * @since 0.1.0
 */
export const RoomMemberPromotedToOwner: Schema.Codec<RoomMemberPromotedToOwner, unknown> = Schema.TaggedStruct(
  "RoomMemberPromotedToOwner",
  {
    ...Happening,
    stream: Where,
    affectedUser: Member
  }
)

/**
 * An owner of a room is a member like others now.
 *
 * @category streams
 * @since 0.1.0
 */
export interface RoomMemberDemotedFromOwner extends Happening {
  readonly _tag: "RoomMemberDemotedFromOwner"
  /** Where it happened. */
  readonly stream?: MessageStream
  /** Who is no owner any more. */
  readonly affectedUser?: User
}

/**
 * The codec of a {@link RoomMemberDemotedFromOwner}.
 *
 * @category streams
 * @since 0.1.0
 */
export const RoomMemberDemotedFromOwner: Schema.Codec<RoomMemberDemotedFromOwner, unknown> = Schema.TaggedStruct(
  "RoomMemberDemotedFromOwner",
  {
    ...Happening,
    stream: Where,
    affectedUser: Member
  }
)

// --------------------------------------------------------------------------------------------------------------------
// connections
// --------------------------------------------------------------------------------------------------------------------

/**
 * The initiator, of another company, asks for a connection.
 *
 * @category connections
 * @since 0.1.0
 */
export interface ConnectionRequested extends Happening {
  readonly _tag: "ConnectionRequested"
  /** Who was asked to connect. */
  readonly toUser?: User
}

/**
 * The codec of a {@link ConnectionRequested}.
 *
 * @category connections
 * @since 0.1.0
 */
export const ConnectionRequested: Schema.Codec<ConnectionRequested, unknown> = Schema.TaggedStruct(
  "ConnectionRequested",
  {
    ...Happening,
    toUser: Member
  }
)

/**
 * The initiator accepted a connection.
 *
 * @category connections
 * @since 0.1.0
 */
export interface ConnectionAccepted extends Happening {
  readonly _tag: "ConnectionAccepted"
  /** Who had asked to connect. */
  readonly fromUser?: User
}

/**
 * The codec of a {@link ConnectionAccepted}.
 *
 * @category connections
 * @since 0.1.0
 */
export const ConnectionAccepted: Schema.Codec<ConnectionAccepted, unknown> = Schema.TaggedStruct("ConnectionAccepted", {
  ...Happening,
  fromUser: Member
})

// --------------------------------------------------------------------------------------------------------------------
// forms and other systems
// --------------------------------------------------------------------------------------------------------------------

const Fields = Schema.Record(Schema.String, Schema.Json).pipe(
  Schema.catchDecoding(() => Effect.succeedSome({})),
  Schema.withDecodingDefaultKey(Effect.succeed({}))
)

/**
 * A form of a message was submitted.
 *
 * **Example** (Values of a form as the form has them)
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
 * @category forms
 * @since 0.1.0
 */
export interface ElementsAction extends Happening {
  readonly _tag: "ElementsAction"
  /** Where it happened. */
  readonly stream?: MessageStream
  /** The message that the form is in. */
  readonly formMessageId?: string
  /** The `id` of the form that was sent. */
  readonly formId?: string
  /** By the names of the inputs; several of one name are an array. `action` is the name of the button. */
  readonly formValues: { readonly [name: string]: Schema.Json }
}

/**
 * The codec of an {@link ElementsAction}.
 *
 * @category forms
 * @since 0.1.0
 */
export const ElementsAction: Schema.Codec<ElementsAction, unknown> = Schema.TaggedStruct("ElementsAction", {
  ...Happening,
  stream: Where,
  formMessageId: Text,
  formId: Text,
  formValues: Fields
})

/**
 * Another system told of something, in a form of its own.
 *
 * @category forms
 * @since 0.1.0
 */
export interface GenericSystemEvent extends Happening {
  readonly _tag: "GenericSystemEvent"
  /** Where it happened. */
  readonly stream?: MessageStream
  readonly eventTimestamp?: DateTime.Utc
  readonly sourceSystem?: string
  readonly eventSubtype?: string
  readonly parameters: { readonly [name: string]: Schema.Json }
}

/**
 * The codec of a {@link GenericSystemEvent}.
 *
 * @category forms
 * @since 0.1.0
 */
export const GenericSystemEvent: Schema.Codec<GenericSystemEvent, unknown> = Schema.TaggedStruct("GenericSystemEvent", {
  ...Happening,
  stream: Where,
  eventTimestamp: Instant,
  sourceSystem: Text,
  eventSubtype: Text,
  parameters: Fields
})

// --------------------------------------------------------------------------------------------------------------------
// what is not known
// --------------------------------------------------------------------------------------------------------------------

/**
 * An event of a kind that this library does not know. It is acknowledged as any other.
 *
 * @category unknown
 * @since 0.1.0
 */
export interface UnknownEvent extends Happening {
  readonly _tag: "UnknownEvent"
  /** As the service names it. */
  readonly type: string
  /** All of it, as it came. */
  readonly raw: Schema.Json
}

/**
 * The codec of an {@link UnknownEvent}.
 *
 * @category unknown
 * @since 0.1.0
 */
export const UnknownEvent: Schema.Codec<UnknownEvent, unknown> = Schema.TaggedStruct("UnknownEvent", {
  ...Happening,
  type: Schema.String,
  raw: Schema.Json
})

/**
 * An event that cannot be read. It is acknowledged as any other: it would be the same the next time.
 *
 * @category unknown
 * @since 0.1.0
 */
export interface UndecodableEvent extends Happening {
  readonly _tag: "UndecodableEvent"
  /** What is wrong with it. */
  readonly issue: string
  /** All of it, as it came. */
  readonly raw: Schema.Json
}

/**
 * The codec of an {@link UndecodableEvent}.
 *
 * @category unknown
 * @since 0.1.0
 */
export const UndecodableEvent: Schema.Codec<UndecodableEvent, unknown> = Schema.TaggedStruct("UndecodableEvent", {
  ...Happening,
  issue: Schema.String,
  raw: Schema.Json
})

// --------------------------------------------------------------------------------------------------------------------
// unions
// --------------------------------------------------------------------------------------------------------------------

/**
 * Something that happened: the seventeen kinds of it.
 *
 * @category unions
 * @since 0.1.0
 */
export type Event =
  | MessageSent
  | SharedPost
  | MessageSuppressed
  | InstantMessageCreated
  | RoomCreated
  | RoomUpdated
  | RoomDeactivated
  | RoomReactivated
  | UserJoinedRoom
  | UserLeftRoom
  | UserRequestedToJoinRoom
  | RoomMemberPromotedToOwner
  | RoomMemberDemotedFromOwner
  | ConnectionRequested
  | ConnectionAccepted
  | ElementsAction
  | GenericSystemEvent

/**
 * The codec of an {@link Event}.
 *
 * @category unions
 * @since 0.1.0
 */
export const Event: Schema.Codec<Event, unknown> = Schema.Union([
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
 * Everything that comes with a datafeed: what happened, what cannot be known or read of it, and what becomes of the feed.
 *
 * @category unions
 * @since 0.1.0
 */
export type DatafeedEvent = Event | UnknownEvent | UndecodableEvent | DatafeedStatus.DatafeedStatus

/**
 * The codec of a {@link DatafeedEvent}.
 *
 * @category unions
 * @since 0.1.0
 */
export const DatafeedEvent: Schema.Codec<DatafeedEvent, unknown> = Schema.Union([
  Event,
  UnknownEvent,
  UndecodableEvent,
  DatafeedStatus.DatafeedStatus
])
