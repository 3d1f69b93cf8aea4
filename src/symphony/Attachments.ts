/**
 * Files of messages that were posted: {@link listAttachments} of a stream, and {@link getAttachment} or {@link attachmentBytes}
 * for what is in one. A file to send is an `Attachment`.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import * as Input from "../internal/input.ts"
import * as Ids from "./Ids.ts"
import * as base64 from "./internal/wire/base64.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Lenient from "./internal/wire/lenient.ts"
import { agent, pod } from "./internal/wire/path.ts"
import * as Paging from "./internal/wire/paging.ts"
import * as Request from "./internal/wire/request.ts"
import * as Times from "./internal/wire/times.ts"
import { StreamAttachment } from "./PostedMessage.ts"
import type { Session } from "./Session.ts"
import type { SymphonyConfig } from "./SymphonyConfig.ts"
import * as SymphonyError from "./SymphonyError.ts"
import { isDecoded, type UndecodableItem } from "../UndecodableItem.ts"

type Needs = HttpClient.HttpClient | SymphonyConfig | Session

/**
 * What {@link listAllAttachments} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface AttachmentRange {
  /** The stream that the files were posted to. */
  readonly streamId: string
  /** The time of the first. A number is milliseconds since 1970. Default: all. */
  readonly since?: DateTime.DateTime.Input | undefined
  /** The time of the last. Default: all. */
  readonly to?: DateTime.DateTime.Input | undefined
  /** By time. Default: `"ASC"`, oldest first. */
  readonly sortDir?: "ASC" | "DESC" | undefined
}

/**
 * What {@link listAttachments} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListAttachmentsOptions extends AttachmentRange {
  /** 0 to 100. Default: 50. */
  readonly limit?: number | undefined
}

/**
 * Files of a stream, each with the message that it came in.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/streams/{streamId}/attachments`
 *
 * **Example** (The newest file)
 *
 * ```ts
 * import * as Attachments from "effect-herald/symphony/Attachments"
 *
 * const newest = (streamId: string) => Attachments.listAttachments({ streamId, limit: 1, sortDir: "DESC" })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const listAttachments = (
  options: ListAttachmentsOptions
): Effect.Effect<ReadonlyArray<StreamAttachment | UndecodableItem>, SymphonyError.SymphonyError, Needs> =>
  listAttachmentsAs("listAttachments", options)

const listAttachmentsAs = (
  operation: "listAttachments" | "listAllAttachments",
  options: ListAttachmentsOptions
): Effect.Effect<ReadonlyArray<Listed>, SymphonyError.SymphonyError, Needs> =>
  Request.run(operation, () => {
    const { limit = 50, since, sortDir = "ASC", streamId, to } = options
    return {
      path: pathOf(streamId),
      query: { since: Times.parameter(since), to: Times.parameter(to), limit: String(limit), sortDir },
      streamId,
      issues: Input.issues({
        streamId: Ids.issue(streamId),
        since: Times.check(since),
        to: Times.check(to),
        sortDir: Input.oneOf(["ASC", "DESC"])(sortDir),
        limit: Input.whole(0, 100)(limit)
      }),
      decode: decodeAttachments,
      empty: { value: [] }
    }
  })

const pathOf = (streamId: string) => pod`/v1/streams/${Ids.toUrlSafe(streamId)}/attachments`

/**
 * All files of a stream, page after page. It stops asking when its reader stops.
 *
 * **Details**
 *
 * As {@link listAttachments}, 100 a page. The service goes on by time alone: where more than 100 files came at one
 * millisecond there is no way to the others, and the stream fails with `Malformed`.
 *
 * **Example** (The bytes of all files of a stream)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as Attachments from "effect-herald/symphony/Attachments"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const bytes = (streamId: string) =>
 *   Attachments.listAllAttachments({ streamId }).pipe(
 *     Stream.filter(UndecodableItem.isDecoded),
 *     Stream.map(({ size = 0 }) => size),
 *     Stream.runSum
 *   )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const listAllAttachments = (
  options: AttachmentRange
): Stream.Stream<StreamAttachment | UndecodableItem, SymphonyError.SymphonyError, Needs> =>
  Endpoint.readingStream("listAllAttachments", () => {
    const { since, sortDir, streamId, to } = options
    const limit = 100
    const first: AttachmentWindow = { since, to, seen: [], undecodable: 0 }
    const full = `${limit} attachments share one time, so that those behind them cannot be asked for`
    return Paging.paginate(
      { operation: "listAllAttachments", path: pathOf(streamId), streamId },
      first,
      (window) =>
        Effect.map(
          listAttachmentsAs("listAllAttachments", { streamId, sortDir, since: window.since, to: window.to, limit }),
          (entries) => {
            const next = nextAttachments(window, entries, sortDir)
            return {
              entries,
              fresh: freshOf(entries, window),
              next: entries.length < limit ? Option.none() : next === undefined ? full : Option.some(next)
            }
          }
        )
    )
  })

type Listed = StreamAttachment | UndecodableItem

interface AttachmentWindow extends Pick<AttachmentRange, "since" | "to"> {
  /** What was given already, and may come again. */
  readonly seen: ReadonlyArray<string>
  /** How many of those in front that cannot be read were told already. */
  readonly undecodable: number
}

const freshOf = (
  page: ReadonlyArray<Listed>,
  { seen, undecodable: unreadable }: AttachmentWindow
): ReadonlyArray<Listed> => {
  let told = unreadable
  return page.filter((entry) => isDecoded(entry) ? !seen.includes(keyOf(entry)) : told-- <= 0)
}

/** It goes on at the last time of the page, if there is one that the page did not begin with. */
const nextAttachments = (
  window: AttachmentWindow,
  page: ReadonlyArray<Listed>,
  sortDir: AttachmentRange["sortDir"]
): AttachmentWindow | undefined => {
  const dates = page.map((entry) => isDecoded(entry) ? entry.ingestionDate : undefined)
  const last = dates.findLast((date) => date !== undefined)
  if (last === undefined || freshOf(page, window).length === 0) return undefined
  const isLast = (date: DateTime.Utc | undefined) => date !== undefined && DateTime.Equivalence(date, last)
  return {
    since: window.since,
    to: window.to,
    ...sortDir === "DESC" ? { to: last } : { since: last },
    seen: page.filter(isDecoded).map(keyOf),
    undecodable: page.slice(dates.findIndex(isLast)).filter((entry) => !isDecoded(entry)).length
  }
}

const keyOf = ({ fileId, messageId }: StreamAttachment): string => `${messageId} ${fileId}`

const decodeAttachments = Lenient.entries(StreamAttachment)

/**
 * Which file: `fileId` is the `id` of an attachment of a message, or the `fileId` of a listed one. It is passed on as it is,
 * percent escapes and all.
 *
 * @category models
 * @since 0.1.0
 */
export interface AttachmentOptions {
  /** The stream of the message. */
  readonly streamId: string
  /** The message that has the file. */
  readonly messageId: string
  /** The file: `id` of an attachment of a message, `fileId` of a list. */
  readonly fileId: string
}

/**
 * A file of a message, as the base64 text that the service gives. {@link attachmentBytes} gives what is in it.
 *
 * **Details**
 *
 * `GET {agent}/agent/v1/stream/{streamId}/attachment?fileId=…&messageId=…`
 *
 * **Example** (To pass it on in JSON)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Attachments from "effect-herald/symphony/Attachments"
 *
 * const asJson = (file: Attachments.AttachmentOptions) =>
 *   Effect.map(Attachments.getAttachment(file), (content) => ({ content }))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const getAttachment = (
  options: AttachmentOptions
): Effect.Effect<string, SymphonyError.SymphonyError, Needs> =>
  Request.run("getAttachment", () => ({ ...fileOf(options), decode: Result.succeed }))

/**
 * The bytes of a file of a message, as they come: it is never in memory as a whole.
 *
 * **Details**
 *
 * As {@link getAttachment}, decoded. It is tried again until the answer begins, and not after that. `requestTimeout` is how
 * long its beginning may take, and then each piece.
 *
 * **Example** (A file of a message, to be saved)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * import * as Stream from "effect/Stream"
 * import * as Attachments from "effect-herald/symphony/Attachments"
 *
 * const save = (file: Attachments.AttachmentOptions, path: string) =>
 *   Effect.flatMap(FileSystem.FileSystem, (fileSystem) =>
 *     Stream.run(Attachments.attachmentBytes(file), fileSystem.sink(path)))
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const attachmentBytes = (
  options: AttachmentOptions
): Stream.Stream<Uint8Array, SymphonyError.SymphonyError, Needs> =>
  Endpoint.readingStream("attachmentBytes", () => {
    const endpoint = fileOf(options)
    const fail = Endpoint.errorOf({ operation: "attachmentBytes", ...endpoint })
    return Request.open("attachmentBytes", () => endpoint).pipe(
      base64.decode((description) => fail(new SymphonyError.Malformed({ status: 200, description, excerpt: "" })))
    )
  })

const fileOf = ({ fileId, messageId, streamId }: AttachmentOptions) => ({
  path: agent`/v1/stream/${Ids.toUrlSafe(streamId)}/attachment`,
  query: { fileId, messageId },
  streamId,
  accept: "application/octet-stream",
  issues: Input.issues({
    streamId: Ids.issue(streamId),
    messageId: Ids.issue(messageId),
    fileId: Input.filled(fileId)
  })
})

/**
 * The extensions of the files that may be sent, with their dots: `.png`.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/files/allowedTypes`
 *
 * **Example** (Whether a file may be sent)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Attachments from "effect-herald/symphony/Attachments"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const isAllowed = (name: string) =>
 *   Effect.map(Attachments.attachmentTypes, (types) => types.filter(UndecodableItem.isDecoded).some((type) => name.toLowerCase().endsWith(type)))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const attachmentTypes: Effect.Effect<
  ReadonlyArray<string | UndecodableItem>,
  SymphonyError.SymphonyError,
  Needs
> = Request
  .run("attachmentTypes", () => ({ path: pod`/v1/files/allowedTypes`, decode: decodeTypes, empty: { value: [] } }))

const decodeTypes = Lenient.entries(Schema.String)
