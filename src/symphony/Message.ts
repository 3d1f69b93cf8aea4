/**
 * Messages on their way to Symphony: new ones, and those of another system.
 *
 * @since 0.1.0
 */
import type * as DateTime from "effect/DateTime"
import type * as Attachment from "./Attachment.ts"
import type * as MessageML from "./MessageML.ts"

/**
 * A message as a value, to be sent more than once or to be made elsewhere.
 *
 * @category models
 * @since 0.1.0
 */
export interface Message<out E = never, out R = never> {
  /** MessageML: text, whose root element may be left out, or markup with the data of its entities. */
  readonly content: string | MessageML.Markup
  /** The data of entities by their ids, beside that of the markup. */
  readonly data?: { readonly [id: string]: unknown } | undefined
  /** Of MessageML, `major.minor`. Default: the newest that the Agent knows. */
  readonly version?: string | undefined
  /** Up to 30 MB together with their previews; more than 25 are not recommended. */
  readonly attachments?: ReadonlyArray<Attachment.Attachment<E, R>> | undefined
  /** Whether an update leaves the message read for who has read it. It is for updates only. Default: `true`. */
  readonly silent?: boolean | undefined
}

/**
 * A message in parts, or as one value: then there are no parts beside it.
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
    /** MessageML: text, whose root element may be left out, or markup with the data of its entities. */
    readonly message: string | MessageML.Markup
  } & Pick<Message<E, R>, Part>
  | { readonly message: Message<E, R> } & { readonly [part in Part]?: never }

/**
 * A file of an {@link ImportedMessage}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImportedFile {
  readonly name: string
  readonly content: string | Uint8Array
}

/**
 * A message that was written elsewhere, at an earlier time.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImportedMessage {
  readonly streamId: string
  /** MessageML, as of {@link Message}. */
  readonly message: string | MessageML.Markup
  readonly data?: { readonly [id: string]: unknown } | undefined
  /** When it was written: in the past. A number is milliseconds since 1970. */
  readonly intendedMessageTimestamp: DateTime.DateTime.Input
  /** Who wrote it. That user and the one who imports must be in the stream. */
  readonly intendedMessageFromUserId: number
  /** The system that it comes from. */
  readonly originatingSystemId: string
  /** Its id in that system. */
  readonly originalMessageId?: string | undefined
  readonly attachments?: ReadonlyArray<ImportedFile> | undefined
  /** As many as attachments, in their order, or none. */
  readonly previews?: ReadonlyArray<ImportedFile> | undefined
}
