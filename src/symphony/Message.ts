/**
 * Messages to send, and messages of another system to import.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Attachment from "./Attachment.ts"
import type * as MessageML from "./MessageML.ts"

/**
 * A message as one value, to send it more than once or to make it elsewhere.
 *
 * @category models
 * @since 0.1.0
 */
export interface Message<out E = never, out R = never> {
  /** MessageML: text, with or without its root element, or markup with the data of its entities. */
  readonly content: string | MessageML.Markup
  /** The data of entities by their ids, besides the data of the markup. */
  readonly data?: { readonly [id: string]: unknown } | undefined
  /** The version of MessageML, `major.minor`. Default: the newest that the Agent knows. */
  readonly version?: string | undefined
  /** Files, up to 30 MB together with their previews. The vendor recommends at most 25. */
  readonly attachments?: ReadonlyArray<Attachment.Attachment<E, R>> | undefined
  /** Whether an update leaves the message read for those who have read it. For updates only. Default: `true`. */
  readonly silent?: boolean | undefined
}

/**
 * A message in parts, or as one {@link Message}. Beside a `Message`, other parts do not compile.
 *
 * @category models
 * @since 0.1.0
 */
export type Parts<
  E = never,
  R = never,
  Part extends "data" | "version" | "attachments" | "silent" = "data" | "version" | "attachments"
> =
  | {
    /** MessageML: text, with or without its root element, or markup with the data of its entities. */
    readonly message: string | MessageML.Markup
  } & Pick<Message<E, R>, Part>
  | {
    /** The message with all its parts. */
    readonly message: Message<E, R>
  } & { readonly [part in Part]?: never }

/**
 * A file of an {@link ImportedMessage}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImportedFile {
  /** The name of the file. */
  readonly name: string
  /** The content: text or bytes. */
  readonly content: string | Uint8Array
}

/**
 * A message that was written in another system, at an earlier time.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImportedMessage extends Pick<Message, "data"> {
  /** The stream, by its id: URL-safe or not. */
  readonly streamId: string
  /** MessageML, as the `content` of a {@link Message}. */
  readonly message: string | MessageML.Markup
  /** When it was written, in the past. A number is milliseconds since 1970. */
  readonly intendedMessageTimestamp: DateTime.DateTime.Input
  /** The id of its author. The author and the importing user must be in the stream. */
  readonly intendedMessageFromUserId: number
  /** The system that it comes from. */
  readonly originatingSystemId: string
  /** Its id in that system. */
  readonly originalMessageId?: string | undefined
  /** Its files. */
  readonly attachments?: ReadonlyArray<ImportedFile> | undefined
  /** A preview for each attachment, in the same order, or none. */
  readonly previews?: ReadonlyArray<ImportedFile> | undefined
}
