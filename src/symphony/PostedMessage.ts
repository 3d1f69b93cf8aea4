/**
 * A message as the service gives it: what it answers to who sends one, what it lists and finds, and what the datafeed
 * tells of.
 *
 * Only `messageId` is sure to be there. What the service leaves out or gives as `null` is an absent key, and an entry of
 * a list that cannot be read is an `UndecodableItem` in its place: a message that was sent is never a failure because of one of its details.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Lenient from "./internal/wire/lenient.ts"
import * as Sharing from "./internal/feed/sharing.ts"
import type { UndecodableItem } from "../UndecodableItem.ts"

/**
 * Who sent a message, or who is in a stream.
 *
 * @category models
 * @since 0.1.0
 */
export interface User {
  readonly userId?: number
  readonly firstName?: string
  readonly lastName?: string
  readonly displayName?: string
  readonly email?: string
  readonly username?: string
}

const Text = Lenient.optional(Schema.String)
const Integer = Lenient.optional(Lenient.Integer)
const Instant = Lenient.optional(Lenient.Instant)
const Flag = Lenient.optional(Lenient.Flag)

/**
 * The codec of a {@link User}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const User: Schema.Codec<User, unknown> = Schema.Struct({
  userId: Integer,
  firstName: Text,
  lastName: Text,
  displayName: Text,
  email: Text,
  username: Text
})

/**
 * The stream that a message is in. `streamType` is `IM`, `MIM`, `ROOM` or `POST` as of today.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessageStream {
  /** URL-safe. */
  readonly streamId?: string
  /** `IM`, `MIM`, `ROOM` or `POST`. */
  readonly streamType?: string
  /** Of a room. */
  readonly roomName?: string
  /** Who is in it, where the service says so; else empty. */
  readonly members: ReadonlyArray<User | UndecodableItem>
  readonly external?: boolean
  readonly crossPod?: boolean
  /** In events only. */
  readonly recipientTenantIds: ReadonlyArray<number | UndecodableItem>
}

/**
 * The codec of a {@link MessageStream}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MessageStream: Schema.Codec<MessageStream, unknown> = Schema.Struct({
  streamId: Text,
  streamType: Text,
  roomName: Text,
  members: Lenient.list(User),
  external: Flag,
  crossPod: Flag,
  recipientTenantIds: Lenient.list(Lenient.Integer)
})

/**
 * A smaller picture of an attachment. `dimension` is its width, as text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Thumbnail {
  readonly id: string
  readonly dimension?: string
}

/**
 * The codec of a {@link Thumbnail}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Thumbnail: Schema.Codec<Thumbnail, unknown> = Schema.Struct({ id: Schema.String, dimension: Text })

/**
 * A file of a message. Its `id` is the `fileId` by which it is downloaded.
 *
 * @category models
 * @since 0.1.0
 */
export interface AttachmentInfo {
  /** By which `Attachments` gets it: pass it as `fileId`. */
  readonly id: string
  /** The name of the file. */
  readonly name?: string
  /** In bytes. */
  readonly size?: number
  /** Previews of a picture. */
  readonly images: ReadonlyArray<Thumbnail | UndecodableItem>
}

/**
 * The codec of an {@link AttachmentInfo}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AttachmentInfo: Schema.Codec<AttachmentInfo, unknown> = Schema.Struct({
  id: Schema.String,
  name: Text,
  size: Integer,
  images: Lenient.list(Thumbnail)
})

/**
 * A message that was posted. `MessageML.read` reads what was said in it.
 *
 * @category models
 * @since 0.1.0
 */
export interface PostedMessage {
  /** As the service wrote it: URL-safe, or not. Every request takes either. */
  readonly messageId: string
  /** What it answers, or what was forwarded. */
  readonly parentMessageId?: string
  /** When it was posted. */
  readonly timestamp?: DateTime.Utc
  /** PresentationML. */
  readonly message?: string
  /** What was shared; one within 16 others is left out. */
  readonly sharedMessage?: PostedMessage
  /** The data of its entities, as JSON text. */
  readonly data?: string
  /** Its files. */
  readonly attachments: ReadonlyArray<AttachmentInfo | UndecodableItem>
  /** Who sent it. */
  readonly user?: User
  /** Where it was posted. */
  readonly stream?: MessageStream
  /** In events only. */
  readonly externalRecipients?: boolean
  /** What could not be parsed of it. */
  readonly diagnostic?: string
  /** With what it was sent. */
  readonly userAgent?: string
  /** `com.symphony.messageml.v2` or `com.symphony.markdown`. */
  readonly originalFormat?: string
  readonly disclaimer?: string
  /** The id of a session, not of a stream. */
  readonly sid?: string
  /** The version before this one. */
  readonly replacing?: string
  /** The version behind this one. */
  readonly replacedBy?: string
  /** When its first version was posted. */
  readonly initialTimestamp?: DateTime.Utc
  /** The first version. */
  readonly initialMessageId?: string
  /** Whether an update left it read for who had read it. */
  readonly silent?: boolean
}

const Shared: Schema.Codec<PostedMessage, unknown> = Schema.Unknown.pipe(
  Schema.check(Schema.makeFilter(Sharing.isReadable)),
  Schema.decodeTo(Schema.suspend((): Schema.Codec<PostedMessage, unknown> => PostedMessage))
)

/**
 * The codec of a {@link PostedMessage}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PostedMessage: Schema.Codec<PostedMessage, unknown> = Schema.Struct({
  messageId: Schema.NonEmptyString,
  parentMessageId: Text,
  timestamp: Instant,
  message: Text,
  sharedMessage: Lenient.optional(Shared),
  data: Text,
  attachments: Lenient.list(AttachmentInfo),
  user: Lenient.optional(User),
  stream: Lenient.optional(MessageStream),
  externalRecipients: Flag,
  diagnostic: Text,
  userAgent: Text,
  originalFormat: Text,
  disclaimer: Text,
  sid: Text,
  replacing: Text,
  replacedBy: Text,
  initialTimestamp: Instant,
  initialMessageId: Text,
  silent: Flag
})

/**
 * A file as the list of a stream's attachments has it: with its message, and who sent it.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamAttachment {
  readonly messageId: string
  /** By which it is downloaded. */
  readonly fileId: string
  /** When it came. */
  readonly ingestionDate?: DateTime.Utc
  readonly userId?: number
  readonly name?: string
  /** In bytes. */
  readonly size?: number
  readonly contentType?: string
  readonly previews: ReadonlyArray<AttachmentPreview | UndecodableItem>
}

/**
 * A smaller picture of a {@link StreamAttachment}.
 *
 * @category models
 * @since 0.1.0
 */
export interface AttachmentPreview {
  readonly fileId: string
  readonly width?: number
}

/**
 * The codec of an {@link AttachmentPreview}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AttachmentPreview: Schema.Codec<AttachmentPreview, unknown> = Schema.Struct({
  fileId: Schema.String,
  width: Integer
})

const StreamAttachmentFields = Schema.Struct({
  messageId: Schema.NonEmptyString,
  fileId: Schema.NonEmptyString,
  ingestionDate: Instant,
  userId: Integer,
  name: Text,
  size: Integer,
  contentType: Text,
  previews: Lenient.list(AttachmentPreview)
})

/**
 * The codec of a {@link StreamAttachment}. The service writes `content-type`, and its documentation `contentType`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const StreamAttachment: Schema.Codec<StreamAttachment, unknown> = Schema.Struct({
  ...StreamAttachmentFields.fields,
  "content-type": Text
}).pipe(
  Schema.decodeTo(
    Schema.toType(StreamAttachmentFields),
    SchemaTransformation.transform({
      decode: ({ "content-type": hyphened, ...attachment }) =>
        hyphened === undefined ? attachment : { ...attachment, contentType: hyphened },
      encode: (
        { contentType, ...attachment }: StreamAttachment
      ): StreamAttachment & { readonly "content-type"?: string } =>
        contentType === undefined ? attachment : { ...attachment, "content-type": contentType }
    })
  )
)
