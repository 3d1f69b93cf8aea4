/**
 * A message as the service gives it: after it was sent, in lists, in searches, and in events of the datafeed.
 *
 * Only `messageId` is always there. What the service leaves out or gives as `null` is an absent key. An entry of a list that
 * cannot be read is an `UndecodableItem` in its place. So a detail that does not fit never makes a failure of a message that
 * was sent.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Usual from "../internal/usual.ts"
import * as Sharing from "./internal/feed/sharing.ts"
import * as Lenient from "./internal/wire/lenient.ts"

const { flag, id, instant, integer, text } = Lenient.keys

/**
 * A user: the sender of a message, a member of a stream, a reader.
 *
 * @category models
 * @since 0.1.0
 */
export class User extends Schema.Opaque<User>()(Schema.Struct({
  /** The id of the user. */
  userId: integer,
  /** The name for logins. */
  username: text,
  /** The name that clients show. */
  displayName: text,
  /** The first name. */
  firstName: text,
  /** The last name. */
  lastName: text,
  /** The email address. */
  email: text
})) {}

/**
 * The stream of a message.
 *
 * @category models
 * @since 0.1.0
 */
export class MessageStream extends Schema.Opaque<MessageStream>()(Schema.Struct({
  /** The id, URL-safe. */
  streamId: id,
  /** `IM`, `MIM`, `ROOM` or `POST` as of today. */
  streamType: text,
  /** The name of a room. */
  roomName: text,
  /** The members, where the service names them; else empty. */
  members: Lenient.list(User),
  /** Whether members of other companies can be in it. */
  external: flag,
  /** Whether members of other pods are in it. */
  crossPod: flag,
  /** The ids of the companies that receive its messages. In events only; else empty. */
  recipientTenantIds: Lenient.list(Lenient.Integer)
})) {}

/**
 * A smaller picture of a file.
 *
 * @category models
 * @since 0.1.0
 */
export class Preview extends Schema.Opaque<Preview>()(Lenient.renamed(
  Schema.Struct({
    /** The id with which `Attachments.getAttachment` gets the picture. */
    attachmentId: Schema.String,
    /** The width in pixels. */
    width: integer,
    /** The size as the service writes it in messages: the width as of today. */
    dimension: text
  }),
  { id: "attachmentId", fileId: "attachmentId", dimension: "width" }
)) {}

/**
 * A file of a message.
 *
 * @category models
 * @since 0.1.0
 */
export class AttachmentInfo extends Schema.Opaque<AttachmentInfo>()(Lenient.renamed(
  Schema.Struct({
    /** The id with which `Attachments.getAttachment` gets the file. */
    attachmentId: Schema.String,
    /** The name of the file. */
    name: text,
    /** The size in bytes. */
    size: integer,
    /** Smaller pictures of the file. */
    previews: Lenient.list(Preview)
  }),
  { id: "attachmentId", images: "previews" }
)) {}

/**
 * A message that was posted. `MessageML.read` gives its text.
 *
 * @category models
 * @since 0.1.0
 */
export class PostedMessage extends Schema.Opaque<PostedMessage>()(Schema.Struct({
  /** The id, URL-safe. */
  messageId: Lenient.Id,
  /** The message that this one answers or forwards. */
  parentMessageId: id,
  /** When it was posted. */
  timestamp: instant,
  /** The markup, PresentationML. */
  message: text,
  /** The message that was shared. It is left out where more than 16 messages share each other. */
  sharedMessage: Lenient.optional(
    // A message seldom shares another.
    Usual.define(
      Schema.Unknown.pipe(
        Schema.check(Schema.makeFilter(Sharing.isReadable)),
        Schema.decodeTo(Schema.suspend((): Schema.Codec<PostedMessage, unknown> => PostedMessage))
      ),
      () => Usual.unusual
    )
  ),
  /** The data of its entities, as JSON text. */
  data: text,
  /** Its files. */
  attachments: Lenient.list(AttachmentInfo),
  /** The sender. */
  user: Lenient.optional(User),
  /** The stream that it was posted to. */
  stream: Lenient.optional(MessageStream),
  /** Whether users of other companies receive it. In events only. */
  externalRecipients: flag,
  /** What the service could not parse in it. */
  diagnostic: text,
  /** The client that sent it. */
  userAgent: text,
  /** `com.symphony.messageml.v2` or `com.symphony.markdown`. */
  originalFormat: text,
  /** The disclaimer of the sender's company. */
  disclaimer: text,
  /** The id of the session that sent it, not of its stream. */
  sid: text,
  /** The version before this one. */
  replacing: id,
  /** The version after this one. */
  replacedBy: id,
  /** When the first version was posted. */
  initialTimestamp: instant,
  /** The first version. */
  initialMessageId: id,
  /** Whether this update leaves the message read for those who had read it. */
  silent: flag
})) {}

/**
 * A file in the list of a stream's attachments. `Attachments.getAttachment` takes it as it is.
 *
 * @category models
 * @since 0.1.0
 */
export class StreamAttachment extends Schema.Opaque<StreamAttachment>()(Lenient.renamed(
  Schema.Struct({
    /** The stream that was listed. */
    streamId: Lenient.Id,
    /** The message that has the file. */
    messageId: Lenient.Id,
    /** The id of the file. */
    attachmentId: Schema.NonEmptyString,
    /** When it was posted. */
    ingestionDate: instant,
    /** The user who posted it. */
    userId: integer,
    /** The name of the file. */
    name: text,
    /** The size in bytes. */
    size: integer,
    /** The media type. */
    contentType: text,
    /** Smaller pictures of the file. */
    previews: Lenient.list(Preview)
  }),
  { fileId: "attachmentId", "content-type": "contentType" }
)) {}
