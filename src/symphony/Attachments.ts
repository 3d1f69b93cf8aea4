/**
 * Reads files of posted messages. {@link listAttachments} lists the files of a stream; {@link getAttachment} and
 * {@link streamAttachment} give the content of one. To send a file, see `Attachment`.
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
import type { Range } from "./Messages.ts"
import { StreamAttachment } from "./PostedMessage.ts"
import type { Session } from "./Session.ts"
import type { SymphonyConfig } from "./SymphonyConfig.ts"
import * as SymphonyError from "./SymphonyError.ts"
import { isDecoded, type UndecodableItem } from "../UndecodableItem.ts"

/**
 * Which files of a stream, and in which order.
 *
 * @category models
 * @since 0.1.0
 */
export interface AttachmentRange extends Range {
  /** Order by time. Default: `"oldestFirst"`. */
  readonly order?: "newestFirst" | "oldestFirst" | undefined
}

/**
 * The options of {@link listAttachments}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListAttachmentsOptions extends AttachmentRange {
  /** The size of the page, 0 to 100. Default: 50. */
  readonly limit?: number | undefined
}

/**
 * The options of {@link streamAttachments}.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamAttachmentsOptions extends AttachmentRange {
  /** How many files one request asks for, 1 to 100. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * Lists files of a stream, each with the message that has it.
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
 * const newest = (streamId: string) => Attachments.listAttachments({ streamId, limit: 1, order: "newestFirst" })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const listAttachments = (
  options: ListAttachmentsOptions
): Effect.Effect<
  ReadonlyArray<StreamAttachment | UndecodableItem>,
  SymphonyError.SymphonyError,
  HttpClient.HttpClient | SymphonyConfig | Session
> => request("Attachments.listAttachments", options)

/**
 * Gives all files of a stream, page after page. It asks for the next page when the reader pulls.
 *
 * **Details**
 *
 * As {@link listAttachments}. The service pages by time alone. When one millisecond has as many files as a page, the stream
 * cannot ask for the files behind them, and fails with `Malformed`.
 *
 * **Example** (The size of all files of a stream)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as Attachments from "effect-herald/symphony/Attachments"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const bytes = (streamId: string) =>
 *   Attachments.streamAttachments({ streamId }).pipe(
 *     Stream.filter(UndecodableItem.isDecoded),
 *     Stream.map(({ size = 0 }) => size),
 *     Stream.runSum
 *   )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const streamAttachments = (
  options: StreamAttachmentsOptions
): Stream.Stream<
  StreamAttachment | UndecodableItem,
  SymphonyError.SymphonyError,
  HttpClient.HttpClient | SymphonyConfig | Session
> =>
  Endpoint.readingStream("Attachments.streamAttachments", () => {
    const { order, pageSize = 100, since, streamId, until } = options
    const first: Window = { since, until, seen: [], undecodable: 0 }
    const full = `${pageSize} attachments share one time, so that those behind them cannot be asked for`
    return Paging.paginate(
      { operation: "Attachments.streamAttachments", path: pathOf(streamId), streamId },
      first,
      ({ since, until, ...window }) =>
        Effect.map(
          request("Attachments.streamAttachments", { streamId, order, since, until, limit: pageSize }),
          (entries) => {
            const next = nextWindow({ since, until, ...window }, entries, order)
            return {
              entries,
              fresh: freshOf(entries, window),
              next: entries.length < pageSize ? Option.none() : next === undefined ? full : Option.some(next)
            }
          }
        )
    )
  })

const request = (
  operation: "Attachments.listAttachments" | "Attachments.streamAttachments",
  options: ListAttachmentsOptions
) =>
  Request.run(operation, () => {
    const { limit = 50, order = "oldestFirst", since, streamId, until } = options
    return {
      path: pathOf(streamId),
      query: {
        since: Times.parameter(since),
        to: Times.parameter(until),
        limit: String(limit),
        sortDir: order === "oldestFirst" ? "ASC" : "DESC"
      },
      streamId,
      issues: Input.issues({
        streamId: Ids.issue(streamId),
        since: Times.check(since),
        until: Times.check(until),
        order: Times.order(order),
        ...operation === "Attachments.listAttachments"
          ? { limit: Input.whole(0, 100)(limit) }
          : { pageSize: Input.whole(1, 100)(limit) }
      }),
      decode: decodeAttachments(streamId),
      empty: Effect.succeed([])
    }
  })

const pathOf = (streamId: string) => pod`/v1/streams/${Ids.toUrlSafe(streamId)}/attachments`

/** Entries name the stream that was asked for, so that each is what `getAttachment` takes. */
const decodeAttachments = (streamId: string) => Lenient.entries(StreamAttachment, { streamId: Ids.toUrlSafe(streamId) })

/** Where a page begins. */
interface Window extends Pick<Range, "since" | "until"> {
  /** Entries of the page before, which may come again. */
  readonly seen: ReadonlyArray<string>
  /** How many entries at the front of the page cannot be read and were given before. */
  readonly undecodable: number
}

const freshOf = (
  page: ReadonlyArray<StreamAttachment | UndecodableItem>,
  { seen, undecodable }: Pick<Window, "seen" | "undecodable">
): ReadonlyArray<StreamAttachment | UndecodableItem> => {
  let known = undecodable
  return page.filter((entry) => isDecoded(entry) ? !seen.includes(keyOf(entry)) : known-- <= 0)
}

/** The window that starts at the last time of the page, unless the page gave nothing new. */
const nextWindow = (
  window: Window,
  page: ReadonlyArray<StreamAttachment | UndecodableItem>,
  order: AttachmentRange["order"]
): Window | undefined => {
  const dates = page.map((entry) => isDecoded(entry) ? entry.ingestionDate : undefined)
  const last = dates.findLast((date) => date !== undefined)
  if (last === undefined || freshOf(page, window).length === 0) return undefined
  const isLast = (date: DateTime.Utc | undefined) => date !== undefined && DateTime.Equivalence(date, last)
  return {
    since: window.since,
    until: window.until,
    ...order === "newestFirst" ? { until: last } : { since: last },
    seen: page.filter(isDecoded).map(keyOf),
    undecodable: page.slice(dates.findIndex(isLast)).filter((entry) => !isDecoded(entry)).length
  }
}

const keyOf = ({ attachmentId, messageId }: StreamAttachment): string => `${messageId} ${attachmentId}`

/**
 * The options of {@link getAttachment} and {@link streamAttachment}. A `StreamAttachment` of a list has all of them; an
 * attachment of a message has the `attachmentId`.
 *
 * @category models
 * @since 0.1.0
 */
export interface GetAttachmentOptions {
  /** The stream of the message. */
  readonly streamId: string
  /** The message that has the file. */
  readonly messageId: string
  /** The file. The service gets the id as it is, with its percent escapes. */
  readonly attachmentId: string
}

/**
 * Gives a file of a message as base64 text, as the service does. {@link streamAttachment} gives its bytes.
 *
 * **Details**
 *
 * `GET {agent}/agent/v1/stream/{streamId}/attachment?fileId=…&messageId=…`
 *
 * **Example** (The newest file of a stream)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Attachments from "effect-herald/symphony/Attachments"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const newest = Effect.fnUntraced(function*(streamId: string) {
 *   const files = yield* Attachments.listAttachments({ streamId, limit: 1, order: "newestFirst" })
 *   return yield* Effect.forEach(files.filter(UndecodableItem.isDecoded), Attachments.getAttachment)
 * })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const getAttachment = (
  options: GetAttachmentOptions
): Effect.Effect<string, SymphonyError.SymphonyError, HttpClient.HttpClient | SymphonyConfig | Session> =>
  Request.run("Attachments.getAttachment", () => ({ ...fileOf(options), decode: Result.succeed }))

/**
 * Gives the bytes of a file of a message as they arrive. The file is never in memory as a whole.
 *
 * **Details**
 *
 * As {@link getAttachment}, decoded. A request is retried until its answer begins, and not after that. `requestTimeout` limits
 * the wait for the start of the answer, and for each piece after it.
 *
 * **Example** (Saving a file of a message)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * import * as Stream from "effect/Stream"
 * import * as Attachments from "effect-herald/symphony/Attachments"
 *
 * const save = (file: Attachments.GetAttachmentOptions, path: string) =>
 *   Effect.flatMap(FileSystem.FileSystem, (fileSystem) =>
 *     Stream.run(Attachments.streamAttachment(file), fileSystem.sink(path)))
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const streamAttachment = (
  options: GetAttachmentOptions
): Stream.Stream<Uint8Array, SymphonyError.SymphonyError, HttpClient.HttpClient | SymphonyConfig | Session> =>
  Endpoint.readingStream("Attachments.streamAttachment", () => {
    const endpoint = fileOf(options)
    const fail = Endpoint.errorOf({ operation: "Attachments.streamAttachment", ...endpoint })
    return Request.open("Attachments.streamAttachment", () => endpoint).pipe(
      base64.decode((description) => fail(new SymphonyError.Malformed({ status: 200, description, excerpt: "" })))
    )
  })

const fileOf = ({ attachmentId, messageId, streamId }: GetAttachmentOptions) => ({
  path: agent`/v1/stream/${Ids.toUrlSafe(streamId)}/attachment`,
  query: { fileId: attachmentId, messageId },
  streamId,
  accept: "application/octet-stream",
  issues: Input.issues({
    streamId: Ids.issue(streamId),
    messageId: Ids.issue(messageId),
    attachmentId: Input.filled(attachmentId)
  })
})

/**
 * Lists the extensions of files that may be sent, each with its dot: `.png`.
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
 *   Effect.map(Attachments.attachmentTypes, (types) =>
 *     types.filter(UndecodableItem.isDecoded).some((type) => name.toLowerCase().endsWith(type)))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const attachmentTypes: Effect.Effect<
  ReadonlyArray<string | UndecodableItem>,
  SymphonyError.SymphonyError,
  HttpClient.HttpClient | SymphonyConfig | Session
> = Request.run("Attachments.attachmentTypes", () => ({
  path: pod`/v1/files/allowedTypes`,
  decode: decodeTypes,
  empty: Effect.succeed([])
}))

const decodeTypes = Lenient.entries(Schema.String)
