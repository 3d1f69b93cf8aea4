/**
 * Files to send with a message.
 *
 * A message may take several attempts: when the session has expired, or the service is busy. Each attempt reads the content
 * again, and runs a stream again. Mark a stream that can be read only once with {@link once}.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as Failure from "../internal/failure.ts"
import * as Text from "../internal/text.ts"
import { SymphonyError } from "./SymphonyError.ts"

/**
 * The content of a file: text, bytes, a `Blob`, or a stream of bytes that runs again for each attempt. The bytes of a stream are
 * counted while they are read.
 *
 * @category models
 * @since 0.1.0
 */
export type Content<E = never, R = never> =
  | string
  | Uint8Array
  | Blob
  | Stream.Stream<Uint8Array, E, R>
  | Once<E, R>

/**
 * A stream that can be read once.
 *
 * @category models
 * @since 0.1.0
 */
export interface Once<out E = never, out R = never> {
  readonly _tag: "Once"
  /** The stream. */
  readonly stream: Stream.Stream<Uint8Array, E, R>
}

/**
 * A smaller picture of a file.
 *
 * @category models
 * @since 0.1.0
 */
export interface Preview<out E = never, out R = never> {
  /** The picture. */
  readonly content: Content<E, R>
  /** The name of the picture. Default: the name of its file after `preview-`. */
  readonly name?: string | undefined
  /** The media type. Default: that of a `Blob`, else by the name, else `application/octet-stream`. */
  readonly contentType?: string | undefined
}

/**
 * A file to send. `E` and `R` are the errors and requirements of its stream.
 *
 * **Example** (A report, and a picture with a preview)
 *
 * ```ts
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const report = (streamId: string, csv: string) =>
 *   Messages.send({ streamId, message: "The report", attachments: [{ name: "report.csv", content: csv }] })
 *
 * const picture = (streamId: string, large: Uint8Array, small: Uint8Array) =>
 *   Messages.send({
 *     streamId,
 *     message: "The picture",
 *     attachments: [{ name: "cat.png", content: large, preview: { content: small } }]
 *   })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Attachment<out E = never, out R = never> {
  /** The name of the file, in letters of any script. */
  readonly name: string
  /** The content: text, bytes, a `Blob`, or a stream. */
  readonly content: Content<E, R>
  /** The media type. Default: that of a `Blob`, else by the name, else `application/octet-stream`. */
  readonly contentType?: string | undefined
  /** A smaller picture. All files of a message have one, or none. */
  readonly preview?: Preview<E, R> | undefined
}

/**
 * Marks a stream that can be read only once, such as the body of a request. An attempt that has started to read it is the last
 * one. Where another attempt would follow, the message fails with {@link AttachmentFailed}, whose cause is
 * {@link AttachmentSpent}.
 *
 * **Example** (Passing on an upload)
 *
 * ```ts
 * import type * as Stream from "effect/Stream"
 * import * as Attachment from "effect-herald/symphony/Attachment"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const passOn = <E>(streamId: string, upload: Stream.Stream<Uint8Array, E>) =>
 *   Messages.send({
 *     streamId,
 *     message: "A file",
 *     attachments: [{ name: "upload.bin", content: Attachment.once(upload) }]
 *   })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const once = <E, R>(stream: Stream.Stream<Uint8Array, E, R>): Once<E | AttachmentSpent, R> => ({
  _tag: "Once",
  stream
})

/**
 * An attempt that failed has read a stream that can be read only once, so no other attempt could follow. `error` is the failure
 * of that attempt. To send the message again, open the stream again.
 *
 * @category errors
 * @since 0.1.0
 */
export class AttachmentSpent extends Failure.TaggedError<AttachmentSpent>("symphony")("AttachmentSpent", {
  /** The failure of the attempt that read the stream. */
  error: SymphonyError
}, {
  message: ({ error }) => `it can be read only once, and an attempt that read it failed: ${error.message}`
}) {}

/**
 * The stream of a file failed while the message was being sent. The request was aborted, and nothing was posted.
 *
 * @category errors
 * @since 0.1.0
 */
export class AttachmentFailed<out E = unknown>
  extends Failure.TaggedError<AttachmentFailed>("symphony")("AttachmentFailed", {
    /** The function that was called, as `Messages.send`. */
    operation: Schema.String,
    /** The name of the file. */
    attachment: Schema.String,
    /** What the stream failed with. */
    cause: Schema.Unknown
  }, {
    message: ({ attachment, cause, operation }) =>
      `${operation}: the attachment ${Text.quoted(attachment)} cannot be read` +
      `${cause instanceof Error ? `: ${Text.clause(Text.told(cause.message))}` : ""}. Nothing was posted.`
  })
{
  declare readonly cause: E
}

/**
 * What the files of a message can fail with: nothing when no file is a stream that can fail.
 *
 * @category errors
 * @since 0.1.0
 */
export type FailureOf<E> = [E] extends [never] ? never : AttachmentFailed<E>
