/**
 * Messages: {@link send}, {@link update} and {@link blast} them, {@link import} old ones, {@link get}, {@link list} and
 * {@link search} what there is, download its files, and find out what became of it.
 *
 * Every request is made with the `Session` of its context. On behalf of a user is another session, not another request.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as Url from "../internal/url.ts"
import type * as Attachment from "./Attachment.ts"
import * as Ids from "./Ids.ts"
import * as base64 from "./internal/base64.ts"
import * as Draft from "./internal/draft.ts"
import * as Endpoint from "./internal/endpoint.ts"
import * as Lenient from "./internal/lenient.ts"
import * as Request from "./internal/request.ts"
import * as Upload from "./internal/upload.ts"
import type * as MessageML from "./MessageML.ts"
import * as MessageStatus from "./MessageStatus.ts"
import { PostedMessage, StreamAttachment } from "./PostedMessage.ts"
import type { Session } from "./Session.ts"
import type { SymphonyConfig } from "./SymphonyConfig.ts"
import * as SymphonyError from "./SymphonyError.ts"
import { isReadable, type UnreadableEntry } from "./UnreadableEntry.ts"

type Needs = HttpClient.HttpClient | SymphonyConfig | Session

// --------------------------------------------------------------------------------------------------------------------
// messages to send
// --------------------------------------------------------------------------------------------------------------------

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
export type Parts<E = never, R = never> =
  | {
    /** MessageML: text, whose root element may be left out, or markup with the data of its entities. */
    readonly message: string | MessageML.Markup
    /** The data of entities by their ids, beside that of the markup. */
    readonly data?: { readonly [id: string]: unknown } | undefined
    /** Of MessageML, `major.minor`. Default: the newest that the Agent knows. */
    readonly version?: string | undefined
    /** Up to 30 MB together with their previews; more than 25 are not recommended. */
    readonly attachments?: ReadonlyArray<Attachment.Attachment<E, R>> | undefined
  }
  | {
    readonly message: Message<E, R>
    readonly data?: never
    readonly version?: never
    readonly attachments?: never
  }

/**
 * Whether a message may come twice.
 *
 * @category models
 * @since 0.1.0
 */
export interface Resending {
  /**
   * Sends again by the schedule of the configuration although the message may have been posted, so that it comes at least
   * once, and perhaps twice. Default: `false`: sends again only what was certainly not taken.
   */
  readonly resend?: boolean | undefined
}

/**
 * What {@link send} takes.
 *
 * @category models
 * @since 0.1.0
 */
export type SendOptions<E = never, R = never> = { readonly streamId: string } & Resending & Parts<E, R>

/**
 * What {@link update} takes. Attachments are those of a {@link Message}.
 *
 * @category models
 * @since 0.1.0
 */
export type UpdateOptions<E = never, R = never> =
  & {
    readonly streamId: string
    /** The version to replace. */
    readonly messageId: string
  }
  & Resending
  & (
    | {
      readonly message: string | MessageML.Markup
      readonly data?: { readonly [id: string]: unknown } | undefined
      readonly version?: string | undefined
      /** Whether it stays read for who has read it. Default: `true`. */
      readonly silent?: boolean | undefined
    }
    | {
      readonly message: Message<E, R>
      readonly data?: never
      readonly version?: never
      readonly silent?: never
    }
  )

/**
 * What {@link blast} takes.
 *
 * @category models
 * @since 0.1.0
 */
export type BlastOptions<E = never, R = never> =
  & {
    /** 1 to 100. */
    readonly streamIds: ReadonlyArray<string>
  }
  & Resending
  & Parts<E, R>

/**
 * Why a {@link blast} did not reach one of its streams.
 *
 * @category models
 * @since 0.1.0
 */
export interface BlastFailure {
  readonly code?: number
  readonly message?: string
}

/**
 * What came of a {@link blast}. It succeeds although streams were not reached: these are in `errors`. Every stream is in one of
 * the two.
 *
 * @category models
 * @since 0.1.0
 */
export interface Blasted {
  /** One for each stream that was reached, in no certain order. */
  readonly messages: ReadonlyArray<PostedMessage>
  /**
   * By the ids of the streams, as the service writes them. One that the service told nothing of is there too, as it was given:
   * its message may have been posted.
   */
  readonly errors: ReadonlyMap<string, BlastFailure>
}

/**
 * The request went out and no answer of the service came back, or one that says nothing of what was done: the message may
 * have been posted, or not. Sending it again may post it twice; {@link list} can tell.
 *
 * @category errors
 * @since 0.1.0
 */
export class MessageOutcomeUnknown
  extends Schema.TaggedError<MessageOutcomeUnknown>("effect-herald/symphony/MessageOutcomeUnknown")(
    "MessageOutcomeUnknown",
    {
      operation: Schema.String,
      /** As they were given. */
      streamIds: Schema.Array(Schema.String),
      reason: Schema.Union([
        SymphonyError.Unreachable,
        SymphonyError.NoAnswer,
        SymphonyError.ServiceFailure,
        SymphonyError.Unreadable
      ]),
      request: SymphonyError.SymphonyError.fields.request
    }
  )
{
  override get message(): string {
    const streams = this.streamIds.length === 1 ? `stream ${this.streamIds[0]}` : `${this.streamIds.length} streams`
    return `${this.operation}: whether the message for ${streams} was posted is not known. ${this.reason.message} ` +
      "Look for it with Messages.list before sending it again."
  }
  /** Always `false`: a blind retry may post twice. */
  get isRetryable(): false {
    return false
  }
  get retryAfter(): Option.Option<Duration.Duration> {
    return Option.none()
  }
}

/**
 * What sending can fail with, beside the streams of attachments. Reasons of a `SymphonyError` mean that nothing was posted.
 *
 * @category errors
 * @since 0.1.0
 */
export type SendError = SymphonyError.SymphonyError | MessageOutcomeUnknown

/**
 * Posts a message to a stream that exists.
 *
 * **Details**
 *
 * `POST {agent}/agent/v4/stream/{streamId}/message/create`. Wrong input, such as markup that is not well formed, is an
 * `InvalidRequest` before anything is sent. What was certainly not taken (not sent, 401, 429) is sent again by the schedule of
 * the configuration; what may have been taken fails with {@link MessageOutcomeUnknown}, unless `resend` is set.
 *
 * **Example** (A message with what a user typed, and a file)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageML from "effect-herald/symphony/MessageML"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const tell = (streamId: string, name: string, csv: string) =>
 *   Messages.send({
 *     streamId,
 *     message: MessageML.messageML`Orders of <b>${name}</b>`,
 *     attachments: [{ name: "orders.csv", content: csv }]
 *   }).pipe(
 *     Effect.map((posted) => posted.messageId),
 *     Effect.catchTag("MessageOutcomeUnknown", (unknown) => Effect.logWarning(unknown.message))
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export function send<E = never, R = never>(
  options: SendOptions<E, R>
): Effect.Effect<PostedMessage, SendError | Attachment.FailureOf<E>, Needs | R>
export function send<E, R>(
  options: SendOptions<E, R>
): Effect.Effect<PostedMessage, SendError | Attachment.AttachmentFailed<E>, Needs | R> {
  const { streamId } = options
  return post({
    operation: "send",
    path: ["v4", "stream", Ids.toUrlSafe(streamId), "message", "create"],
    streamId,
    streamIds: [streamId],
    issues: Draft.idIssues("streamId", streamId),
    options,
    fields: () => [],
    decode: decodeMessage
  })
}

/**
 * Posts a new version of a message, which must be a message of a person or a bot that was not deleted. What it gives is the
 * new version: `replacing` is the id of the one before, and `initialMessageId` of the first.
 *
 * **Details**
 *
 * `POST {agent}/agent/v4/stream/{streamId}/message/{messageId}/update`. Checks, retries and unknown outcomes are those of
 * {@link send}: an update that is repeated makes another version.
 *
 * **Example** (Progress)
 *
 * ```ts
 * import type { PostedMessage } from "effect-herald/symphony/PostedMessage"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const progress = (streamId: string, { messageId }: PostedMessage, percent: number) =>
 *   Messages.update({ streamId, messageId, message: `${percent} percent`, silent: percent < 100 })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export function update<E = never, R = never>(
  options: UpdateOptions<E, R>
): Effect.Effect<PostedMessage, SendError | Attachment.FailureOf<E>, Needs | R>
export function update<E, R>(
  options: UpdateOptions<E, R>
): Effect.Effect<PostedMessage, SendError | Attachment.AttachmentFailed<E>, Needs | R> {
  const { messageId, streamId } = options
  return post({
    operation: "update",
    path: ["v4", "stream", Ids.toUrlSafe(streamId), "message", Ids.toUrlSafe(messageId), "update"],
    streamId,
    streamIds: [streamId],
    issues: [...Draft.idIssues("streamId", streamId), ...Draft.idIssues("messageId", messageId)],
    options,
    fields: ({ silent = options.silent ?? true }) => [["silent", String(silent)]],
    decode: decodeMessage
  })
}

/**
 * Posts a message to up to 100 streams that exist. It succeeds although some of them were not reached: those are in
 * `errors`, with the reason of each.
 *
 * **Details**
 *
 * `POST {agent}/agent/v4/message/blast`. A stream that is given twice gets it once. Checks, retries and unknown outcomes are
 * those of {@link send}.
 *
 * **Example** (An announcement, and whom it did not reach)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const announce = (streamIds: ReadonlyArray<string>) =>
 *   Messages.blast({ streamIds, message: "The market closes in ten minutes" }).pipe(
 *     Effect.tap(({ errors }) =>
 *       Effect.forEach(errors, ([streamId, { message }]) => Effect.logWarning(`${streamId} was not reached: ${message}`))
 *     )
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export function blast<E = never, R = never>(
  options: BlastOptions<E, R>
): Effect.Effect<Blasted, SendError | Attachment.FailureOf<E>, Needs | R>
export function blast<E, R>(
  options: BlastOptions<E, R>
): Effect.Effect<Blasted, SendError | Attachment.AttachmentFailed<E>, Needs | R> {
  const streamIds = [...new Set(options.streamIds.map(Ids.toUrlSafe))]
  return post({
    operation: "blast",
    path: ["v4", "message", "blast"],
    streamId: undefined,
    streamIds: options.streamIds,
    issues: [
      ...options.streamIds.flatMap((streamId, index) => Draft.idIssues(`streamIds[${index}]`, streamId)),
      ...streamIds.length === 0 || streamIds.length > mostStreams
        ? [{ location: "streamIds", message: `are ${streamIds.length}; a blast has from 1 to ${mostStreams}` }]
        : []
    ],
    options,
    fields: () => [["sids", streamIds.join(",")]],
    decode: (text) => Result.map(decodeBlasted(text), (blasted) => complete(blasted, options.streamIds))
  })
}

const mostStreams = 100

const decodeMessage = Lenient.json(PostedMessage)

const decodeBlast = Lenient.json(Schema.Struct({
  messages: Lenient.list(PostedMessage),
  errors: Lenient.optional(Schema.Record(
    Schema.String,
    // A stream that was not reached is told of, whatever is said of it.
    Schema.Struct({ code: Lenient.optional(Lenient.Integer), message: Lenient.optional(Schema.String) }).pipe(
      Schema.catchDecoding(() => Effect.succeedSome({}))
    )
  ))
}))

const decodeBlasted = (text: string): Result.Result<Blasted, string> =>
  Result.flatMap(
    decodeBlast(text),
    ({ errors = {}, messages }) =>
      messages.length === 0 && Object.keys(errors).length === 0
        ? Result.fail("it names no stream")
        : Result.succeed({ messages, errors: new Map(Object.entries(errors)) })
  )

/** The same with what was told of no stream. A message that does not name its stream is that of one of them. */
const complete = ({ errors, messages }: Blasted, streamIds: ReadonlyArray<string>): Blasted => {
  const told = new Set([
    ...messages.map(({ stream }) => stream?.streamId ?? ""),
    ...errors.keys()
  ].map(Ids.toUrlSafe))
  const given = new Map(streamIds.map((streamId) => [Ids.toUrlSafe(streamId), streamId]))
  const untold = [...given].flatMap(([id, streamId]) => told.has(id) ? [] : [streamId])
  const nameless = messages.filter(({ stream }) => stream?.streamId === undefined).length
  if (untold.length <= nameless) return { errors, messages }
  const message = "The service told nothing of this stream. The message may have been posted"
  const completed = new Map(errors)
  for (const streamId of untold) completed.set(streamId, { message })
  return { messages, errors: completed }
}

// --------------------------------------------------------------------------------------------------------------------
// messages of another system
// --------------------------------------------------------------------------------------------------------------------

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

/**
 * What came of an {@link ImportedMessage}: it has a `messageId`, or a `diagnostic` that says why it was not imported. Where the
 * service's word on a message cannot be read, or there is none, the `diagnostic` says that.
 *
 * @category models
 * @since 0.1.0
 */
export interface Imported {
  readonly messageId?: string
  readonly originatingSystemId?: string
  readonly originalMessageId?: string
  readonly diagnostic?: string
}

/**
 * The codec of an {@link Imported}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Imported: Schema.Codec<Imported, unknown> = Schema.Struct({
  messageId: Lenient.optional(Schema.String),
  originatingSystemId: Lenient.optional(Schema.String),
  originalMessageId: Lenient.optional(Schema.String),
  diagnostic: Lenient.optional(Schema.String)
})

/**
 * What {@link import} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImportOptions extends Resending {
  readonly messages: ReadonlyArray<ImportedMessage>
}

const import_ = (options: ImportOptions): Effect.Effect<ReadonlyArray<Imported>, SendError, Needs> =>
  Effect.gen(function*() {
    const { messages, resend = false } = options
    const endpoint = {
      operation: "import",
      service: "agent",
      method: "POST",
      path: ["v4", "message", "import"]
    } as const
    const read = yield* Effect.forEach(messages, (message, index) => Effect.result(Draft.readImported(message, index)))
    const details = read.flatMap((result) => Result.isFailure(result) ? result.failure : [])
    if (details.length > 0) return yield* Endpoint.errorOf(endpoint)(Endpoint.refused(details))
    return yield* unknownOutcome(endpoint.operation, [...new Set(messages.map(({ streamId }) => streamId))])((
      onDoubt
    ) =>
      Request.run({
        ...endpoint,
        body: Effect.sync(() =>
          HttpBody.jsonUnsafe(read.flatMap((result) => Result.isSuccess(result) ? [result.success] : []))
        ),
        decode: (text) => Result.map(decodeImported(text), (results) => inOrder(messages, results)),
        repeatable: resend,
        onDoubt
      })
    )
  })

const decodeImported = Lenient.entries(Imported)

/** A result for each message in its place: that which names it, or else the next one that names none. */
const inOrder = (
  messages: ReadonlyArray<ImportedMessage>,
  results: ReadonlyArray<Imported | UnreadableEntry>
): ReadonlyArray<Imported> => {
  const told = results.map((result): Imported =>
    isReadable(result) ? result : { diagnostic: `The result cannot be read: ${result.issue}` }
  )
  const isOnce = (id: string | undefined, ids: ReadonlyArray<string | undefined>) =>
    id !== undefined && ids.indexOf(id) === ids.lastIndexOf(id)
  const given = messages.map(({ originalMessageId }) => originalMessageId)
  const named = told.map(({ originalMessageId }) => originalMessageId)
  const placeOf = (id: string | undefined) => isOnce(id, named) && isOnce(id, given) ? given.indexOf(id) : -1
  const places = new Map(told.map((result) => [placeOf(result.originalMessageId), result]))
  const others = told.filter(({ originalMessageId }) => placeOf(originalMessageId) === -1)
  const untold: Imported = {
    diagnostic: `The service gave ${told.length} results for ${messages.length} messages, and none for this one`
  }
  return [...messages.map((_, index) => places.get(index) ?? others.shift() ?? untold), ...others]
}

export {
  /**
   * Imports messages of another system under their own times and authors. The datafeed does not tell of them. Each has its
   * own result, in the order in which they were given, whatever the order of the answer: one without a `messageId` was not imported, and its `diagnostic` says
   * why. The session needs the role Content Management.
   *
   * **Details**
   *
   * `POST {agent}/agent/v4/message/import`. Checks, retries and unknown outcomes are those of {@link send}.
   *
   * **Example** (What could not be imported)
   *
   * ```ts
   * import * as Effect from "effect/Effect"
   * import * as Messages from "effect-herald/symphony/Messages"
   *
   * const importAll = (messages: ReadonlyArray<Messages.ImportedMessage>) =>
   *   Effect.map(Messages.import({ messages }), (results) => results.filter(({ messageId }) => messageId === undefined))
   * ```
   *
   * @category requests
   * @since 0.1.0
   */
  import_ as import
}

// --------------------------------------------------------------------------------------------------------------------
// reading
// --------------------------------------------------------------------------------------------------------------------

/**
 * Which message.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessageOptions {
  readonly messageId: string
}

/**
 * One message, or none where there is no such message. Fails with `Forbidden` where the user of the session may not see it.
 *
 * **Details**
 *
 * `GET {agent}/agent/v1/message/{messageId}`
 *
 * **Example** (What was said)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as MessageML from "effect-herald/symphony/MessageML"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const textOf = (messageId: string) =>
 *   Effect.flatMap(
 *     Messages.get({ messageId }),
 *     Option.match({ onNone: () => Effect.succeed("(gone)"), onSome: (message) => Effect.map(MessageML.read(message), ({ text }) => text) })
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const get = (
  { messageId }: MessageOptions
): Effect.Effect<Option.Option<PostedMessage>, SymphonyError.SymphonyError, Needs> =>
  ask({
    operation: "get",
    service: "agent",
    path: ["v1", "message", Ids.toUrlSafe(messageId)],
    issues: Draft.idIssues("messageId", messageId),
    decode: (text) => Result.map(decodeMessage(text), Option.some),
    empty: { value: Option.none() }
  })

/**
 * Which messages of a stream, by their times.
 *
 * @category models
 * @since 0.1.0
 */
export interface Range {
  readonly streamId: string
  /** The earliest time of a message. A number is milliseconds since 1970. Default: 0. */
  readonly since?: DateTime.DateTime.Input | undefined
  /** The latest time of a message. Default: none. */
  readonly until?: DateTime.DateTime.Input | undefined
}

/**
 * What {@link list} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions extends Range {
  /** How many messages to leave out in front. Default: 0. */
  readonly skip?: number | undefined
  /** 1 to 500. Default: 50. */
  readonly limit?: number | undefined
}

/**
 * What {@link listAll} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListAllOptions extends Range {
  /** How many messages one request asks for: 1 to 500. Default: 500. */
  readonly chunkSize?: number | undefined
}

/**
 * Messages of a stream, newest first as of today: the service promises no order. A stream without any gives none. An entry that
 * cannot be read is an `UnreadableEntry` in its place, here and in all other lists.
 *
 * **Details**
 *
 * `GET {agent}/agent/v4/stream/{streamId}/message`
 *
 * **Example** (The last ten)
 *
 * ```ts
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const last = (streamId: string) => Messages.list({ streamId, limit: 10 })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list = (
  options: ListOptions
): Effect.Effect<ReadonlyArray<PostedMessage | UnreadableEntry>, SymphonyError.SymphonyError, Needs> =>
  listAs("list", options)

const listAs = (
  operation: "list" | "listAll",
  options: ListOptions
): Effect.Effect<ReadonlyArray<PostedMessage | UnreadableEntry>, SymphonyError.SymphonyError, Needs> => {
  const { limit = 50, skip = 0, streamId } = options
  const since = Draft.millisOf("since", options.since ?? 0)
  const until = Draft.millisOf("until", options.until)
  return ask({
    operation,
    service: "agent",
    path: ["v4", "stream", Ids.toUrlSafe(streamId), "message"],
    query: [
      ["since", since.value],
      ...until.value === "" ? [] : [["until", until.value] as const],
      ["skip", String(skip)],
      ["limit", String(limit)]
    ],
    streamId,
    issues: [
      ...Draft.idIssues("streamId", streamId),
      ...since.issues,
      ...until.issues,
      ...Draft.wholeIssues("skip", skip, 0),
      ...Draft.wholeIssues(operation === "list" ? "limit" : "chunkSize", limit, 1, 500)
    ],
    decode: decodeMessages,
    empty: none
  })
}

/**
 * All messages of a range, page after page in the order in which the service gives them: each once, those too that share a
 * millisecond. It stops asking when its reader stops.
 *
 * **Details**
 *
 * As {@link list}, by default 500 a page. The next page goes on at the time of the last message, without those of that time that were
 * there already, so that messages that come meanwhile move nothing.
 *
 * **Example** (The last hundred messages of somebody)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as Messages from "effect-herald/symphony/Messages"
 * import * as UnreadableEntry from "effect-herald/symphony/UnreadableEntry"
 *
 * const of = (streamId: string, userId: number) =>
 *   Messages.listAll({ streamId }).pipe(
 *     Stream.filter(UnreadableEntry.isReadable),
 *     Stream.filter(({ user }) => user?.userId === userId),
 *     Stream.take(100)
 *   )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const listAll = (
  options: ListAllOptions
): Stream.Stream<PostedMessage | UnreadableEntry, SymphonyError.SymphonyError, Needs> => {
  const { chunkSize = 500, since, streamId, until } = options
  const first: Window = { since, until, skip: 0, seen: new Set() }
  return Stream.paginate(
    first,
    (window) =>
      Effect.map(
        listAs("listAll", {
          streamId,
          limit: chunkSize,
          since: window.since,
          until: window.until,
          skip: window.skip
        }),
        (messages) => [
          messages.filter(({ messageId }) => messageId === undefined || !window.seen.has(messageId)),
          messages.length === 0 ? Option.none() : Option.some(nextWindow(window, messages))
        ]
      )
  )
}

/** Where a page begins. */
interface Window extends Pick<ListOptions, "since" | "until"> {
  readonly skip: number
  /** What was given, and may come again: where there is only the number to go on by, or a time is not known. */
  readonly seen: ReadonlySet<string>
}

/** Milliseconds of the times that are known. */
const timesOf = (messages: ReadonlyArray<PostedMessage | UnreadableEntry>): ReadonlyArray<number | undefined> =>
  messages.map((message) =>
    isReadable(message) && message.timestamp !== undefined ? DateTime.toEpochMillis(message.timestamp) : undefined
  )

const nextWindow = (window: Window, messages: ReadonlyArray<PostedMessage | UnreadableEntry>): Window => {
  const places = timesOf(messages)
  const times = places.filter((time) => time !== undefined)
  const last = times.at(-1)
  const falls = (time: number, index: number) => index === 0 || time <= (times[index - 1] ?? Number.NaN)
  const rises = (time: number, index: number) => index === 0 || time >= (times[index - 1] ?? Number.NaN)
  // What has no time stands between its neighbours. A message without one may be anywhere.
  const isOrdered = messages.every((message, index) => !isReadable(message) || places[index] !== undefined)
  // The page goes on at the first of the last time, so that messages that come meanwhile move nothing.
  const skip = messages.length - places.indexOf(last)
  const bound = !isOrdered || last === undefined || times.every((time) => time === last)
    ? undefined
    : times.every(falls)
    ? { until: last }
    : times.every(rises)
    ? { since: last }
    : undefined
  // Without this, a page that begins where it began could come again and again.
  const moves = bound !== undefined && ("until" in bound ? bound.until !== window.until : bound.since !== window.since)
  if (moves) {
    // Entries whose times are not known may be of that time too, and move the others.
    const again = messages.every(isReadable) ? [] : idsOf(messages.slice(-skip))
    return { ...window, ...bound, skip, seen: new Set([...window.seen, ...again]) }
  }
  // All of one time, or in no order: there is only the number of messages to go on by.
  return {
    ...window,
    skip: window.skip + messages.length,
    seen: new Set([...window.seen, ...idsOf(messages)])
  }
}

const idsOf = (messages: ReadonlyArray<PostedMessage | UnreadableEntry>): ReadonlyArray<string> =>
  messages.flatMap(({ messageId }) => messageId ?? [])

const none: { readonly value: ReadonlyArray<never> } = { value: [] }

const decodeMessages = Lenient.entries(PostedMessage)

/**
 * What to search for: messages that are all of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchQuery {
  /** Words of the message. Needs `streamId`. */
  readonly text?: string | undefined
  readonly streamId?: string | undefined
  /** `CHAT` is `IM` and `MIM`. */
  readonly streamType?: "CHAT" | "IM" | "MIM" | "ROOM" | "POST" | undefined
  /** The id of who sent it. */
  readonly author?: number | undefined
  /** Without `#`. */
  readonly hashtag?: string | undefined
  /** Without `$`. */
  readonly cashtag?: string | undefined
  /** The id of a user who is mentioned. */
  readonly mention?: number | undefined
  /** The id of a signal. Dates are all that may stand beside it. */
  readonly signal?: string | undefined
  /** The first time that is searched. A number is milliseconds since 1970. */
  readonly fromDate?: DateTime.DateTime.Input | undefined
  /** The first time that is not searched any more. */
  readonly toDate?: DateTime.DateTime.Input | undefined
}

/**
 * How to search.
 *
 * @category models
 * @since 0.1.0
 */
export interface Searching {
  readonly query: SearchQuery
  /** By time. Default: `"desc"`, newest first. */
  readonly sortDir?: "asc" | "desc" | undefined
  /** The content of one connector, or of Symphony alone. Default: as the service does. */
  readonly scope?: string | undefined
  /** How old content is searched. Default: as the service does. */
  readonly tier?: "hot" | "warm" | "all" | undefined
}

/**
 * What {@link search} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchOptions extends Searching {
  /** How many messages to leave out in front. Default: 0. */
  readonly skip?: number | undefined
  /** 1 to 1,000. Default: 50. */
  readonly limit?: number | undefined
}

/**
 * What {@link searchAll} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchAllOptions extends Searching {
  /** How many messages one request asks for: 1 to 1,000. Default: 50. */
  readonly chunkSize?: number | undefined
  /** How many messages are given at most; 0 or less is none, without a request. Default: all. */
  readonly maxNumber?: number | undefined
}

/**
 * A page of what is found in the streams of the session's user.
 *
 * **Details**
 *
 * `POST {agent}/agent/v1/message/search`
 *
 * **Example** (Who spoke of a share today)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const today = Effect.flatMap(DateTime.now, (now) =>
 *   Messages.search({ query: { cashtag: "ACME", fromDate: DateTime.startOf(now, "day") } }))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const search = (
  options: SearchOptions
): Effect.Effect<ReadonlyArray<PostedMessage | UnreadableEntry>, SymphonyError.SymphonyError, Needs> =>
  searchAs("search", options, [])

/**
 * All that is found, page after page. It stops asking when its reader stops, after a page that is not full, or when
 * `maxNumber` messages were given.
 *
 * **Details**
 *
 * As {@link search}. Pages are counted from the front: with `sortDir: "desc"`, a message that comes meanwhile moves the
 * others, so that one may be seen twice. A `toDate` prevents it.
 *
 * **Example** (All of an author, oldest first)
 *
 * ```ts
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const of = (author: number) => Messages.searchAll({ query: { author }, sortDir: "asc", chunkSize: 200 })
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const searchAll = (
  { chunkSize = 50, maxNumber = Number.POSITIVE_INFINITY, ...options }: SearchAllOptions
): Stream.Stream<PostedMessage | UnreadableEntry, SymphonyError.SymphonyError, Needs> => {
  if (maxNumber <= 0) return Stream.empty
  const issues = Number.isInteger(maxNumber) || maxNumber === Number.POSITIVE_INFINITY
    ? []
    : [{ location: "maxNumber", message: "is not a whole number" }]
  return Stream.paginate(
    0,
    (skip) =>
      Effect.map(searchAs("searchAll", { ...options, skip, limit: chunkSize }, issues), (messages) => {
        const next = skip + messages.length
        return [
          messages.slice(0, maxNumber - skip),
          messages.length < chunkSize || next >= maxNumber ? Option.none() : Option.some(next)
        ]
      })
  )
}

const streamTypes: ReadonlyArray<string | undefined> = [undefined, "CHAT", "IM", "MIM", "ROOM", "POST"]
const tiers: ReadonlyArray<string | undefined> = [undefined, "hot", "warm", "all"]

const searchAs = (
  operation: "search" | "searchAll",
  { limit = 50, query, scope, skip = 0, sortDir = "desc", tier }: SearchOptions,
  issues: ReadonlyArray<SymphonyError.Detail>
): Effect.Effect<ReadonlyArray<PostedMessage | UnreadableEntry>, SymphonyError.SymphonyError, Needs> => {
  const { author, cashtag, hashtag, mention, signal, streamId, streamType, text } = query
  const fromDate = Draft.millisOf("query.fromDate", query.fromDate)
  const toDate = Draft.millisOf("query.toDate", query.toDate)
  const others = [text, streamId, streamType, author, hashtag, cashtag, mention]
  return ask({
    operation,
    service: "agent",
    method: "POST",
    path: ["v1", "message", "search"],
    query: [
      ["skip", String(skip)],
      ["limit", String(limit)],
      ["sortDir", sortDir],
      ...scope === undefined ? [] : [["scope", scope] as const],
      ...tier === undefined ? [] : [["tier", tier] as const]
    ],
    body: {
      text,
      streamId,
      streamType,
      author,
      hashtag,
      cashtag,
      mention,
      signal,
      ...fromDate.value === "" ? {} : { fromDate: Number(fromDate.value) },
      ...toDate.value === "" ? {} : { toDate: Number(toDate.value) }
    },
    streamId,
    issues: [
      ...issues,
      ...streamId === undefined ? [] : Draft.idIssues("query.streamId", streamId),
      ...streamTypes.includes(streamType)
        ? []
        : [{ location: "query.streamType", message: "is none of CHAT, IM, MIM, ROOM and POST" }],
      ...text !== undefined && streamId === undefined
        ? [{ location: "query.text", message: "is searched within a stream only: streamId is needed" }]
        : [],
      ...signal !== undefined && others.some((value) => value !== undefined)
        ? [{ location: "query.signal", message: "can be combined with fromDate and toDate only" }]
        : [],
      ...author === undefined ? [] : Draft.wholeIssues("query.author", author, 0),
      ...mention === undefined ? [] : Draft.wholeIssues("query.mention", mention, 0),
      ...fromDate.issues,
      ...toDate.issues,
      ...Object.entries({ text, hashtag, cashtag, signal }).flatMap(([field, value]) =>
        Draft.textIssues(`query.${field}`, value)
      ),
      ...Draft.textIssues("scope", scope),
      ...sortDir === "asc" || sortDir === "desc" ? [] : [{ location: "sortDir", message: "is neither asc nor desc" }],
      ...tiers.includes(tier) ? [] : [{ location: "tier", message: "is none of hot, warm and all" }],
      ...Draft.wholeIssues("skip", skip, 0),
      ...Draft.wholeIssues(operation === "search" ? "limit" : "chunkSize", limit, 1, 1000)
    ],
    decode: decodeMessages,
    empty: none
  })
}

// --------------------------------------------------------------------------------------------------------------------
// files
// --------------------------------------------------------------------------------------------------------------------

/**
 * What {@link listAllAttachments} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface AttachmentRange {
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
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const newest = (streamId: string) => Messages.listAttachments({ streamId, limit: 1, sortDir: "DESC" })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const listAttachments = (
  options: ListAttachmentsOptions
): Effect.Effect<ReadonlyArray<StreamAttachment | UnreadableEntry>, SymphonyError.SymphonyError, Needs> =>
  listAttachmentsAs("listAttachments", options)

const listAttachmentsAs = (
  operation: ListsAttachments,
  options: ListAttachmentsOptions
): Effect.Effect<ReadonlyArray<StreamAttachment | UnreadableEntry>, SymphonyError.SymphonyError, Needs> => {
  const { limit = 50, sortDir = "ASC", streamId } = options
  const since = Draft.millisOf("since", options.since)
  const to = Draft.millisOf("to", options.to)
  return ask({
    ...attachmentsOf(operation, streamId),
    query: [
      ...since.value === "" ? [] : [["since", since.value] as const],
      ...to.value === "" ? [] : [["to", to.value] as const],
      ["limit", String(limit)],
      ["sortDir", sortDir]
    ],
    issues: [
      ...Draft.idIssues("streamId", streamId),
      ...since.issues,
      ...to.issues,
      ...sortDir === "ASC" || sortDir === "DESC" ? [] : [{ location: "sortDir", message: "is neither ASC nor DESC" }],
      ...Draft.wholeIssues("limit", limit, 0, 100)
    ],
    decode: decodeAttachments,
    empty: none
  })
}

/**
 * All files of a stream, page after page. It stops asking when its reader stops.
 *
 * **Details**
 *
 * As {@link listAttachments}, 100 a page. The service goes on by time alone: where more than 100 files came at one
 * millisecond there is no way to the others, and the stream fails with `Unreadable`.
 *
 * **Example** (The bytes of all files of a stream)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as Messages from "effect-herald/symphony/Messages"
 * import * as UnreadableEntry from "effect-herald/symphony/UnreadableEntry"
 *
 * const bytes = (streamId: string) =>
 *   Messages.listAllAttachments({ streamId }).pipe(
 *     Stream.filter(UnreadableEntry.isReadable),
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
): Stream.Stream<StreamAttachment | UnreadableEntry, SymphonyError.SymphonyError, Needs> => {
  const limit = 100
  const first: AttachmentWindow = { since: options.since, to: options.to, seen: [], unreadable: 0 }
  return Stream.paginate(
    first,
    (window: AttachmentWindow | undefined) =>
      window === undefined
        ? Effect.fail(
          Endpoint.errorOf(attachmentsOf("listAllAttachments", options.streamId))(
            new SymphonyError.Unreadable({
              status: 200,
              description: `${limit} attachments share one time, so that those behind them cannot be asked for`,
              excerpt: ""
            })
          )
        )
        : Effect.map(
          listAttachmentsAs("listAllAttachments", { ...options, since: window.since, to: window.to, limit }),
          (page) => [
            freshOf(page, window),
            page.length < limit ? Option.none() : Option.some(nextAttachments(window, page, options.sortDir))
          ]
        )
  )
}

type Listed = StreamAttachment | UnreadableEntry

interface AttachmentWindow extends Pick<AttachmentRange, "since" | "to"> {
  /** What was given already, and may come again. */
  readonly seen: ReadonlyArray<string>
  /** How many of those in front that cannot be read were told already. */
  readonly unreadable: number
}

const freshOf = (page: ReadonlyArray<Listed>, { seen, unreadable }: AttachmentWindow): ReadonlyArray<Listed> => {
  let told = unreadable
  return page.filter((entry) => isReadable(entry) ? !seen.includes(keyOf(entry)) : told-- <= 0)
}

/** It goes on at the last time of the page, if there is one that the page did not begin with. */
const nextAttachments = (
  window: AttachmentWindow,
  page: ReadonlyArray<Listed>,
  sortDir: AttachmentRange["sortDir"]
): AttachmentWindow | undefined => {
  const dates = page.map((entry) => isReadable(entry) ? entry.ingestionDate : undefined)
  const last = dates.findLast((date) => date !== undefined)
  if (last === undefined || freshOf(page, window).length === 0) return undefined
  const isLast = (date: DateTime.Utc | undefined) => date !== undefined && DateTime.Equivalence(date, last)
  return {
    since: window.since,
    to: window.to,
    ...sortDir === "DESC" ? { to: last } : { since: last },
    seen: page.filter(isReadable).map(keyOf),
    unreadable: page.slice(dates.findIndex(isLast)).filter((entry) => !isReadable(entry)).length
  }
}

const keyOf = ({ fileId, messageId }: StreamAttachment): string => `${messageId} ${fileId}`

type ListsAttachments = "listAttachments" | "listAllAttachments"

const attachmentsOf = (operation: ListsAttachments, streamId: string) => ({
  operation,
  service: "pod",
  method: "GET",
  path: ["v1", "streams", Ids.toUrlSafe(streamId), "attachments"],
  streamId
} as const)

const decodeAttachments = Lenient.entries(StreamAttachment)

/**
 * Which file: `fileId` is the `id` of an attachment of a message, or the `fileId` of a listed one. It is passed on as it is,
 * percent escapes and all.
 *
 * @category models
 * @since 0.1.0
 */
export interface AttachmentOptions {
  readonly streamId: string
  readonly messageId: string
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
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const asJson = (file: Messages.AttachmentOptions) =>
 *   Effect.map(Messages.getAttachment(file), (content) => ({ content }))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const getAttachment = (
  options: AttachmentOptions
): Effect.Effect<string, SymphonyError.SymphonyError, Needs> =>
  ask({
    ...fileOf("getAttachment", options),
    issues: fileIssues(options),
    decode: Result.succeed
  })

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
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const save = (file: Messages.AttachmentOptions, path: string) =>
 *   Effect.flatMap(FileSystem.FileSystem, (fileSystem) =>
 *     Stream.run(Messages.attachmentBytes(file), fileSystem.sink(path)))
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const attachmentBytes = (
  options: AttachmentOptions
): Stream.Stream<Uint8Array, SymphonyError.SymphonyError, Needs> => {
  const endpoint = fileOf("attachmentBytes", options)
  const fail = Endpoint.errorOf(endpoint)
  const issues = fileIssues(options)
  if (issues.length > 0) return Stream.fail(fail(Endpoint.refused(issues)))
  return Stream.unwrap(
    Request.open({ ...endpoint, repeatable: true, decode: () => Result.fail("no file came") })
  ).pipe(
    base64.decode((description) => fail(new SymphonyError.Unreadable({ status: 200, description, excerpt: "" })))
  )
}

const fileOf = (operation: string, { fileId, messageId, streamId }: AttachmentOptions) => ({
  operation,
  service: "agent",
  method: "GET",
  path: ["v1", "stream", Ids.toUrlSafe(streamId), "attachment"],
  query: [["fileId", fileId], ["messageId", messageId]],
  streamId,
  accept: "application/octet-stream"
} as const)

const fileIssues = ({ fileId, messageId, streamId }: AttachmentOptions): ReadonlyArray<SymphonyError.Detail> => [
  ...Draft.idIssues("streamId", streamId),
  ...Draft.idIssues("messageId", messageId),
  ...fileId === "" ? [{ location: "fileId", message: "is empty" }] : Draft.textIssues("fileId", fileId)
]

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
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const isAllowed = (name: string) =>
 *   Effect.map(Messages.attachmentTypes, (types) => types.some((type) => name.toLowerCase().endsWith(type)))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const attachmentTypes: Effect.Effect<ReadonlyArray<string>, SymphonyError.SymphonyError, Needs> = Effect.suspend(
  () =>
    ask({
      operation: "attachmentTypes",
      service: "pod",
      path: ["v1", "files", "allowedTypes"],
      issues: [],
      decode: decodeTypes,
      empty: none
    })
)

const decodeTypes = Lenient.json(Schema.Array(Schema.String))

// --------------------------------------------------------------------------------------------------------------------
// what became of a message
// --------------------------------------------------------------------------------------------------------------------

/**
 * Hides a message from everybody. It may be repeated. The session needs a role that allows it.
 *
 * **Details**
 *
 * `POST {pod}/pod/v1/admin/messagesuppression/{messageId}/suppress`
 *
 * **Example** (Since when it is hidden)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const hide = (messageId: string) =>
 *   Effect.map(Messages.suppress({ messageId }), ({ suppressionDate }) => suppressionDate)
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const suppress = (
  { messageId }: MessageOptions
): Effect.Effect<MessageStatus.Suppression, SymphonyError.SymphonyError, Needs> =>
  ask({
    operation: "suppress",
    service: "pod",
    method: "POST",
    path: ["v1", "admin", "messagesuppression", Ids.toUrlSafe(messageId), "suppress"],
    issues: Draft.idIssues("messageId", messageId),
    decode: decodeSuppression
  })

const decodeSuppression = Lenient.json(MessageStatus.Suppression)

/**
 * How far a message is with each of its readers. Fails with `NotFound` where nothing is known of it.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/message/{messageId}/status`
 *
 * **Example** (Who has not read it)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const unread = (messageId: string) =>
 *   Effect.map(Messages.status({ messageId }), ({ delivered, sent }) => [...delivered, ...sent])
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const status = (
  { messageId }: MessageOptions
): Effect.Effect<MessageStatus.MessageStatus, SymphonyError.SymphonyError, Needs> =>
  ask({
    operation: "status",
    service: "pod",
    path: ["v1", "message", Ids.toUrlSafe(messageId), "status"],
    issues: Draft.idIssues("messageId", messageId),
    decode: decodeStatus
  })

const decodeStatus = Lenient.json(MessageStatus.MessageStatus)

/**
 * What {@link receipts} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReceiptsOptions extends MessageOptions {
  /** The page in front of this cursor. */
  readonly before?: string | undefined
  /** The page behind this cursor. */
  readonly after?: string | undefined
}

/**
 * What each reader did with a message, a page of them, with counts over all. Fails with `NotFound` where nothing is known of
 * it. The session needs a role that allows it.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/admin/messages/{messageId}/receipts`
 *
 * **Example** (How many have read it)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const readers = (messageId: string) =>
 *   Effect.map(Messages.receipts({ messageId }), ({ readReceiptCount = 0 }) => readReceiptCount)
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const receipts = (
  options: ReceiptsOptions
): Effect.Effect<MessageStatus.MessageReceipts, SymphonyError.SymphonyError, Needs> => receiptsAs("receipts", options)

const receiptsAs = (
  operation: "receipts" | "allReceipts",
  { after, before, messageId }: ReceiptsOptions
): Effect.Effect<MessageStatus.MessageReceipts, SymphonyError.SymphonyError, Needs> =>
  ask({
    operation,
    service: "pod",
    path: ["v1", "admin", "messages", Ids.toUrlSafe(messageId), "receipts"],
    query: [
      ...before === undefined ? [] : [["before", before] as const],
      ...after === undefined ? [] : [["after", after] as const]
    ],
    issues: [
      ...Draft.idIssues("messageId", messageId),
      ...Draft.textIssues("before", before),
      ...Draft.textIssues("after", after),
      ...before !== undefined && after !== undefined
        ? [{ location: "after", message: "cannot be combined with before" }]
        : []
    ],
    decode: (text) =>
      Result.map(decodeReceipts(text), (page) => {
        const receipts = receiptsOf(text)
        return receipts.length === 0 ? page : { ...page, receipts }
      })
  })

const decodeReceipts = Lenient.json(MessageStatus.MessageReceipts)
const receiptsOf = Lenient.entriesOf(MessageStatus.Receipt, "MessageReceiptDetail")

/**
 * What each reader did with a message, page after page. It stops asking when its reader stops.
 *
 * **Details**
 *
 * As {@link receipts}.
 *
 * **Example** (Who has read it)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as Messages from "effect-herald/symphony/Messages"
 * import * as UnreadableEntry from "effect-herald/symphony/UnreadableEntry"
 *
 * const readers = (messageId: string) =>
 *   Messages.allReceipts({ messageId }).pipe(
 *     Stream.filter(UnreadableEntry.isReadable),
 *     Stream.filter((receipt) => receipt.readReceiptTimestamp !== undefined)
 *   )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const allReceipts = (
  { messageId }: MessageOptions
): Stream.Stream<MessageStatus.Receipt | UnreadableEntry, SymphonyError.SymphonyError, Needs> => {
  const first: { readonly after: string | undefined } = { after: undefined }
  return Stream.paginate(
    first,
    ({ after }) =>
      Effect.map(receiptsAs("allReceipts", { messageId, after }), ({ pagination, receipts }) => {
        const next = pagination?.cursors?.after
        return [
          receipts,
          receipts.length === 0 || next === undefined || next === after ? Option.none() : Option.some({ after: next })
        ]
      })
  )
}

/**
 * What a message answers or forwards, and what answers or forwards it. The session needs a role that allows it.
 *
 * **Details**
 *
 * `GET {pod}/pod/v1/admin/messages/{messageId}/metadata/relationships`
 *
 * **Example** (Its answers)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const answers = (messageId: string) =>
 *   Effect.flatMap(Messages.relationships({ messageId }), ({ replies }) =>
 *     Effect.forEach(replies, (messageId) => Messages.get({ messageId })))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const relationships = (
  { messageId }: MessageOptions
): Effect.Effect<MessageStatus.Relationships, SymphonyError.SymphonyError, Needs> =>
  ask({
    operation: "relationships",
    service: "pod",
    path: ["v1", "admin", "messages", Ids.toUrlSafe(messageId), "metadata", "relationships"],
    issues: Draft.idIssues("messageId", messageId),
    decode: decodeRelationships
  })

const decodeRelationships = Lenient.json(MessageStatus.Relationships)

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

/** What reads, or may be repeated. */
const ask = <A>(
  request: Omit<Endpoint.Endpoint<A>, "method" | "body"> & {
    readonly method?: "GET" | "POST"
    readonly body?: { readonly [field: string]: unknown }
    readonly issues: ReadonlyArray<SymphonyError.Detail>
  }
): Effect.Effect<A, SymphonyError.SymphonyError, Needs> => {
  const { body, issues, method = "GET", ...rest } = request
  const endpoint = { ...rest, method }
  return issues.length > 0
    ? Effect.fail(Endpoint.errorOf(endpoint)(Endpoint.refused(issues)))
    : Request.run({
      ...endpoint,
      body: body === undefined ? undefined : Effect.sync(() => HttpBody.jsonUnsafe(body)),
      repeatable: true
    })
}

/** What posts a message. */
const post = <A, E, R>(posting: {
  readonly operation: string
  readonly path: ReadonlyArray<string>
  readonly streamId: string | undefined
  readonly streamIds: ReadonlyArray<string>
  readonly issues: ReadonlyArray<SymphonyError.Detail>
  readonly options: Draft.Options<E, R> & Resending
  readonly fields: (draft: Draft.Draft<E, R>) => Url.Query
  readonly decode: (text: string) => Result.Result<A, string>
}): Effect.Effect<A, SendError | Attachment.AttachmentFailed<E>, Needs | R> =>
  Effect.gen(function*() {
    const { decode, issues, operation, options, path, streamId, streamIds } = posting
    const endpoint = { operation, service: "agent", method: "POST", path, streamId } as const
    const errorOf = Endpoint.errorOf(endpoint)
    const refuse = (details: ReadonlyArray<SymphonyError.Detail>) => errorOf(Endpoint.refused([...issues, ...details]))
    const draft = yield* Effect.mapError(Draft.readMessage(options), refuse)
    if (issues.length > 0) return yield* refuse([])
    const { attachments, content, data, version } = draft
    const upload = yield* Upload.make({
      operation,
      fields: [
        ["message", content],
        ...data === undefined ? [] : [["data", data] as const],
        ...version === undefined ? [] : [["version", version] as const],
        ...posting.fields(draft)
      ],
      attachments,
      errorOf
    })
    return yield* unknownOutcome(operation, streamIds)((onDoubt) =>
      Request.run({ ...endpoint, ...upload, decode, repeatable: options.resend ?? false, onDoubt })
    )
  })

/** What may have been done by any of the attempts is told as such; what failed before that is left as it is. */
const unknownOutcome = (operation: string, streamIds: ReadonlyArray<string>) =>
<A, E, R>(
  run: (onDoubt: (error: SymphonyError.SymphonyError) => void) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | MessageOutcomeUnknown, R> =>
  Effect.suspend(() => {
    let unknown: MessageOutcomeUnknown | undefined
    const onDoubt = ({ reason, request }: SymphonyError.SymphonyError) => {
      const doubt = Request.doubtful(reason)
      if (doubt !== undefined) unknown = new MessageOutcomeUnknown({ operation, streamIds, reason: doubt, request })
    }
    return Effect.mapError(run(onDoubt), (error) => unknown ?? error)
  })
