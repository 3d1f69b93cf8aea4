/**
 * Files to send with a message.
 *
 * A message may be sent more than once before it is taken: when the session had expired, or the service was busy. Each
 * attempt needs the content again, so it is bytes, text, a `Blob`, or a stream that is run anew for each attempt. What
 * can be read only once is marked by {@link once}.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as Failure from "../internal/failure.ts"
import { SymphonyError } from "./SymphonyError.ts"

/**
 * What is in a file. A stream is run anew for each attempt; its bytes are counted while they are read.
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
  readonly stream: Stream.Stream<Uint8Array, E, R>
}

/**
 * A smaller picture that is shown of a file.
 *
 * @category models
 * @since 0.1.0
 */
export interface Preview<out E = never, out R = never> {
  /** The picture. */
  readonly content: Content<E, R>
  /** Default: that of its file, behind `preview-`. */
  readonly name?: string | undefined
  /** Default: by its name. */
  readonly contentType?: string | undefined
}

/**
 * A file. With its errors and needs: those of its stream, if it is one.
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
  /** As it is shown; letters of any script. */
  readonly name: string
  /** The file: bytes, text, a `Blob`, or a `Stream`. */
  readonly content: Content<E, R>
  /** Default: that of a `Blob`, or by the name, or `application/octet-stream`. */
  readonly contentType?: string | undefined
  /** All files of a message have one, or none has. */
  readonly preview?: Preview<E, R> | undefined
}

/**
 * Marks a stream that can be read only once, such as the body of a request. An attempt that has begun to read it is the
 * last: where another one would follow, the message fails with {@link AttachmentFailed} whose cause is
 * {@link AttachmentSpent}.
 *
 * **Example** (Passing on what is coming in)
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
 * A stream that can be read once was read by an attempt that was not taken, so that there was none after it. `error` is
 * what that attempt failed with. With the stream opened anew the same message can be sent again.
 *
 * @category errors
 * @since 0.1.0
 */
export class AttachmentSpent
  extends Failure.TaggedError<AttachmentSpent>("symphony")("AttachmentSpent", { error: SymphonyError }, {
    message: ({ error }) => `it can be read only once, and was when this happened: ${error.message}`
  })
{}

/**
 * The stream of a file failed while the message was sent. It was broken off, and so was not posted.
 *
 * @category errors
 * @since 0.1.0
 */
export class AttachmentFailed<out E = unknown>
  extends Failure.TaggedError<AttachmentFailed>("symphony")("AttachmentFailed", {
    operation: Schema.String,
    /** The name of the file. */
    attachment: Schema.String,
    /** What the stream failed with. */
    cause: Schema.Unknown
  }, {
    message: ({ attachment, cause, operation }) =>
      `${operation}: the attachment ${JSON.stringify(attachment)} cannot be read` +
      `${cause instanceof Error ? `: ${cause.message}` : ""}. Nothing was posted.`
  })
{
  declare readonly cause: E
}

/**
 * What sending files can fail with beside the message: nothing where no file is a stream.
 *
 * @category errors
 * @since 0.1.0
 */
export type FailureOf<E> = [E] extends [never] ? never : AttachmentFailed<E>
