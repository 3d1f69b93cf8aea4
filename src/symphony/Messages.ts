/**
 * Messages: {@link send}, {@link update} and {@link blast} them, {@link importMessages} of another system, {@link get} one, and
 * {@link list} those of a stream. `MessageSearch` finds them, `Attachments` has their files, and `MessageStatus` what became of
 * them.
 *
 * Every request is made with the `Session` of its context. On behalf of a user is another session, not another request.
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
import * as Failure from "../internal/failure.ts"
import * as Input from "../internal/input.ts"
import { whatHappened } from "../internal/whatHappened.ts"
import type * as Attachment from "./Attachment.ts"
import * as Ids from "./Ids.ts"
import * as Body from "./internal/wire/body.ts"
import * as Draft from "./internal/wire/draft.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Lenient from "./internal/wire/lenient.ts"
import { agent } from "./internal/wire/path.ts"
import * as Paging from "./internal/wire/paging.ts"
import * as Request from "./internal/wire/request.ts"
import * as Times from "./internal/wire/times.ts"
import * as Upload from "./internal/wire/upload.ts"
import type * as Message from "./Message.ts"
import { PostedMessage } from "./PostedMessage.ts"
import type { Session } from "./Session.ts"
import type { SymphonyConfig } from "./SymphonyConfig.ts"
import * as SymphonyError from "./SymphonyError.ts"
import { isDecoded, type UndecodableItem } from "../UndecodableItem.ts"

// --------------------------------------------------------------------------------------------------------------------
// sending
// --------------------------------------------------------------------------------------------------------------------

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
  readonly resendUnknown?: boolean | undefined
}

/**
 * What {@link send} takes.
 *
 * @category models
 * @since 0.1.0
 */
export type SendOptions<E = never, R = never> = { readonly streamId: string } & Resending & Message.Parts<E, R>

/**
 * What {@link update} takes. Attachments are those of a `Message`.
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
  & Message.Parts<E, R, "data" | "version" | "silent">

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
  & Message.Parts<E, R>

/**
 * Why a {@link blast} did not reach one of its streams.
 *
 * @category models
 * @since 0.1.0
 */
export interface BlastFailure {
  /** The service's own code. */
  readonly code?: number
  /** What the service said. */
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
  extends Failure.TaggedError<MessageOutcomeUnknown>("symphony")("MessageOutcomeUnknown", {
    operation: Schema.String,
    /** As they were given. */
    streamIds: Schema.Array(Schema.String),
    reason: Schema.Union([
      SymphonyError.Transport,
      SymphonyError.Timeout,
      SymphonyError.ServerFailure,
      SymphonyError.Malformed
    ]),
    request: SymphonyError.SymphonyError.fields.request
  }, {
    message: ({ operation, reason, streamIds }) => {
      const streams = streamIds.length === 1 ? `stream ${streamIds[0]}` : `${streamIds.length} streams`
      return `${operation}: whether the message for ${streams} was posted is not known. ` +
        `${whatHappened(reason)} ` +
        "Look for it with Messages.list before sending it again."
    }
  })
{}

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
 * `BadRequest` before anything is sent. What was certainly not taken (not sent, 401, 429) is sent again by the schedule of
 * the configuration; what may have been taken fails with {@link MessageOutcomeUnknown}, unless `resendUnknown` is set.
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
): Effect.Effect<
  PostedMessage,
  SendError | Attachment.FailureOf<E>,
  HttpClient.HttpClient | SymphonyConfig | Session | R
>
export function send<E, R>(
  options: SendOptions<E, R>
): Effect.Effect<
  PostedMessage,
  SendError | Attachment.AttachmentFailed<E>,
  HttpClient.HttpClient | SymphonyConfig | Session | R
> {
  return post("Messages.send", () => {
    const { streamId } = options
    return {
      path: agent`/v4/stream/${Ids.toUrlSafe(streamId)}/message/create`,
      streamId,
      streamIds: [streamId],
      issues: Input.issues({ streamId: Ids.issue(streamId) }),
      options,
      fields: () => [],
      decode: decodeMessage
    }
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
): Effect.Effect<
  PostedMessage,
  SendError | Attachment.FailureOf<E>,
  HttpClient.HttpClient | SymphonyConfig | Session | R
>
export function update<E, R>(
  options: UpdateOptions<E, R>
): Effect.Effect<
  PostedMessage,
  SendError | Attachment.AttachmentFailed<E>,
  HttpClient.HttpClient | SymphonyConfig | Session | R
> {
  return post("Messages.update", () => {
    const { messageId, streamId } = options
    return {
      path: agent`/v4/stream/${Ids.toUrlSafe(streamId)}/message/${Ids.toUrlSafe(messageId)}/update`,
      streamId,
      streamIds: [streamId],
      issues: Input.issues({
        streamId: Ids.issue(streamId),
        messageId: Ids.issue(messageId),
        silent: Input.optional(Input.flag)(options.silent)
      }),
      options,
      fields: ({ silent = options.silent ?? true }) => [["silent", String(silent)]],
      decode: decodeMessage
    }
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
): Effect.Effect<Blasted, SendError | Attachment.FailureOf<E>, HttpClient.HttpClient | SymphonyConfig | Session | R>
export function blast<E, R>(
  options: BlastOptions<E, R>
): Effect.Effect<
  Blasted,
  SendError | Attachment.AttachmentFailed<E>,
  HttpClient.HttpClient | SymphonyConfig | Session | R
> {
  return post("Messages.blast", () => {
    const { streamIds } = options
    const misfit = Input.list(1)(streamIds)
    const ids = misfit === undefined ? [...new Set(streamIds.map(Ids.toUrlSafe))] : []
    return {
      path: agent`/v4/message/blast`,
      streamIds,
      issues: [
        ...Input.issues({ streamIds: misfit ?? Input.list(1, 100)(ids) }),
        ...misfit !== undefined ?
          [] :
          streamIds.flatMap((streamId, index) => Input.issues({ [`streamIds[${index}]`]: Ids.issue(streamId) }))
      ],
      options,
      fields: () => [["sids", ids.join(",")]],
      decode: (text) => Result.map(decodeBlasted(text), (blasted) => complete(blasted, streamIds))
    }
  })
}

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
    ({ errors = {}, ...answer }) => {
      const messages = answer.messages.filter(isDecoded)
      return messages.length === 0 && Object.keys(errors).length === 0
        ? Result.fail("it names no stream")
        : Result.succeed({ messages, errors: new Map(Object.entries(errors)) })
    }
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
 * The result of an `ImportedMessage`: a `messageId`, or a `diagnostic` that says why it was not imported. When the service gives
 * no result for a message, or one that cannot be read, the `diagnostic` says so.
 *
 * @category models
 * @since 0.1.0
 */
export class Imported extends Schema.Opaque<Imported>()(Schema.Struct({
  /** The new id, URL-safe. Absent when the message was not imported. */
  messageId: Lenient.keys.id,
  /** The system that it comes from, as it was given. */
  originatingSystemId: Lenient.keys.text,
  /** Its id in that system, as it was given. */
  originalMessageId: Lenient.keys.text,
  /** Why it was not imported. */
  diagnostic: Lenient.keys.text
})) {}

/**
 * What {@link importMessages} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImportMessagesOptions extends Resending {
  /** In any order; results come in the same one. */
  readonly messages: ReadonlyArray<Message.ImportedMessage>
}

/**
 * Imports messages of another system under their own times and authors. The datafeed does not tell of them. Each has its
 * own result, in the order in which they were given, whatever the order of the answer: one without a `messageId` was not
 * imported, and its `diagnostic` says why. The session needs the role Content Management.
 *
 * **Details**
 *
 * `POST {agent}/agent/v4/message/import`. Checks, retries and unknown outcomes are those of {@link send}.
 *
 * **Example** (What could not be imported)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import type * as Message from "effect-herald/symphony/Message"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const importAll = (messages: ReadonlyArray<Message.ImportedMessage>) =>
 *   Effect.map(Messages.importMessages({ messages }), (results) => results.filter(({ messageId }) => messageId === undefined))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const importMessages = (
  options: ImportMessagesOptions
): Effect.Effect<ReadonlyArray<Imported>, SendError, HttpClient.HttpClient | SymphonyConfig | Session> =>
  Endpoint.reading(importing.operation, () => {
    const { messages, resendUnknown = false } = options
    const issues = Input.issues({ messages: Input.list(0)(messages), resendUnknown: Input.flag(resendUnknown) })
    return Effect.gen(function*() {
      const read = issues.length > 0
        ? []
        : yield* Effect.forEach(messages, (message, index) => Effect.result(Draft.readImported(message, index)))
      return yield* unknownOutcome(
        Request.attempts({
          ...importing,
          issues: [...issues, ...read.flatMap((result) => Result.isFailure(result) ? result.failure : [])],
          body: Body.json(read.flatMap((result) => Result.isSuccess(result) ? [result.success] : [])),
          decode: (text) => Result.map(decodeImported(text), (results) => inOrder(messages, results)),
          isRepeatable: resendUnknown
        }),
        importing.operation,
        () => [...new Set(messages.map(({ streamId }) => streamId))]
      )
    })
  })

const importing = { operation: "Messages.importMessages", method: "POST", path: agent`/v4/message/import` } as const

const decodeImported = Lenient.entries(Imported)

/** A result for each message in its place: that which names it, or else the next one that names none. */
const inOrder = (
  messages: ReadonlyArray<Message.ImportedMessage>,
  results: ReadonlyArray<Imported | UndecodableItem>
): ReadonlyArray<Imported> => {
  const told = results.map((result): Imported =>
    isDecoded(result) ? result : { diagnostic: `The result cannot be read: ${result.issue}` }
  )
  const given = placesOf(messages)
  const named = placesOf(told)
  /** The place of a result, where one message and one result have its id. */
  const placeOf = (id: string | undefined) =>
    id === undefined || named.get(id) === shared ? shared : given.get(id) ?? shared
  const places = new Map(told.map((result) => [placeOf(result.originalMessageId), result]))
  const others = told.filter(({ originalMessageId }) => placeOf(originalMessageId) === shared)
  const untold: Imported = {
    diagnostic: `The service gave ${told.length} results for ${messages.length} messages, and none for this one`
  }
  return [...messages.map((_, index) => places.get(index) ?? others.shift() ?? untold), ...others]
}

/** The place of an id that several have. */
const shared = -1

const placesOf = (
  entries: ReadonlyArray<{ readonly originalMessageId?: string | undefined }>
): ReadonlyMap<string, number> => {
  const places = new Map<string, number>()
  for (const [place, { originalMessageId }] of entries.entries()) {
    if (originalMessageId !== undefined) places.set(originalMessageId, places.has(originalMessageId) ? shared : place)
  }
  return places
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
  /** The id, URL-safe or not. */
  readonly messageId: string
}

/**
 * Gets one message. Fails with the reason `NotFound` when there is no such message, and with `AccessDenied` when the user of the
 * session may not see it.
 *
 * **Details**
 *
 * `GET {agent}/agent/v1/message/{messageId}`
 *
 * **Example** (The text of a message)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MessageML from "effect-herald/symphony/MessageML"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const textOf = (messageId: string) =>
 *   Messages.get({ messageId }).pipe(
 *     Effect.flatMap(MessageML.read),
 *     Effect.map(({ text }) => text),
 *     Effect.catchReason("SymphonyError", "NotFound", () => Effect.succeed("(gone)"))
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const get = (
  options: MessageOptions
): Effect.Effect<PostedMessage, SymphonyError.SymphonyError, HttpClient.HttpClient | SymphonyConfig | Session> =>
  Request.run("Messages.get", () => {
    const { messageId } = options
    return {
      path: agent`/v1/message/${Ids.toUrlSafe(messageId)}`,
      issues: Input.issues({ messageId: Ids.issue(messageId) }),
      decode: decodeMessage,
      empty: Effect.failSync(() => new SymphonyError.NotFound({ description: "There is no such message" }))
    }
  })

/**
 * Which messages of a stream, by their times.
 *
 * @category models
 * @since 0.1.0
 */
export interface Range {
  /** The id, URL-safe or not. */
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
 * What {@link stream} takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions extends Range {
  /** How many messages one request asks for: 1 to 500. Default: 500. */
  readonly pageSize?: number | undefined
}

/**
 * Messages of a stream, newest first as of today: the service promises no order. A stream without any gives none. An entry that
 * cannot be read is an `UndecodableItem` in its place, here and in all other lists.
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
): Effect.Effect<
  ReadonlyArray<PostedMessage | UndecodableItem>,
  SymphonyError.SymphonyError,
  HttpClient.HttpClient | SymphonyConfig | Session
> => listAs("Messages.list", options)

const listAs = (
  operation: "Messages.list" | "Messages.stream",
  options: ListOptions
): Effect.Effect<
  ReadonlyArray<PostedMessage | UndecodableItem>,
  SymphonyError.SymphonyError,
  HttpClient.HttpClient | SymphonyConfig | Session
> =>
  Request.run(operation, () => {
    const { limit = 50, since = 0, skip = 0, streamId, until } = options
    return {
      path: pathOf(streamId),
      query: {
        since: Times.parameter(since),
        until: Times.parameter(until),
        skip: String(skip),
        limit: String(limit)
      },
      streamId,
      issues: Input.issues({
        streamId: Ids.issue(streamId),
        since: Times.check(since),
        until: Times.check(until),
        skip: Input.whole(0)(skip),
        [operation === "Messages.list" ? "limit" : "pageSize"]: Input.whole(1, 500)(limit)
      }),
      decode: decodeMessages,
      empty: Effect.succeed([])
    }
  })

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
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const of = (streamId: string, userId: number) =>
 *   Messages.stream({ streamId }).pipe(
 *     Stream.filter(UndecodableItem.isDecoded),
 *     Stream.filter(({ user }) => user?.userId === userId),
 *     Stream.take(100)
 *   )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const stream = (
  options: StreamOptions
): Stream.Stream<
  PostedMessage | UndecodableItem,
  SymphonyError.SymphonyError,
  HttpClient.HttpClient | SymphonyConfig | Session
> =>
  Endpoint.readingStream("Messages.stream", () => {
    const { pageSize = 500, since, streamId, until } = options
    const first: Window = { since, until, skip: 0, seen: new Set() }
    return Paging.paginate({ operation: "Messages.stream", path: pathOf(streamId), streamId }, first, (window) =>
      Effect.map(
        listAs("Messages.stream", {
          streamId,
          limit: pageSize,
          since: window.since,
          until: window.until,
          skip: window.skip
        }),
        (messages) => ({
          entries: messages,
          fresh: messages.filter((message) =>
            !isDecoded(message) || !window.seen.has(message.messageId)
          ),
          next: messages.length === 0 ? Option.none() : Option.some(nextWindow(window, messages))
        })
      ))
  })

const pathOf = (streamId: string) => agent`/v4/stream/${Ids.toUrlSafe(streamId)}/message`

/** Where a page begins. */
interface Window extends Pick<ListOptions, "since" | "until"> {
  readonly skip: number
  /** What was given, and may come again: where there is only the number to go on by, or a time is not known. */
  readonly seen: ReadonlySet<string>
}

/** Milliseconds of the times that are known. */
const timesOf = (messages: ReadonlyArray<PostedMessage | UndecodableItem>): ReadonlyArray<number | undefined> =>
  messages.map((message) =>
    isDecoded(message) && message.timestamp !== undefined ? DateTime.toEpochMillis(message.timestamp) : undefined
  )

const nextWindow = (window: Window, messages: ReadonlyArray<PostedMessage | UndecodableItem>): Window => {
  const places = timesOf(messages)
  const times = places.filter((time) => time !== undefined)
  const last = times.at(-1)
  const falls = (time: number, index: number) => index === 0 || time <= (times[index - 1] ?? Number.NaN)
  const rises = (time: number, index: number) => index === 0 || time >= (times[index - 1] ?? Number.NaN)
  // What has no time stands between its neighbours. A message without one may be anywhere.
  const isOrdered = messages.every((message, index) => !isDecoded(message) || places[index] !== undefined)
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
    const again = messages.every(isDecoded) ? [] : idsOf(messages.slice(-skip))
    return { ...window, ...bound, skip, seen: new Set([...window.seen, ...again]) }
  }
  // All of one time, or in no order: there is only the number of messages to go on by.
  return {
    ...window,
    skip: window.skip + messages.length,
    seen: new Set([...window.seen, ...idsOf(messages)])
  }
}

const idsOf = (messages: ReadonlyArray<PostedMessage | UndecodableItem>): ReadonlyArray<string> =>
  messages.filter(isDecoded).map(({ messageId }) => messageId)

const decodeMessages = Lenient.entries(PostedMessage)

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

/** What posts a message. */
interface Posting<A, E, R> extends Pick<Endpoint.Endpoint<A>, "path" | "decode"> {
  readonly streamId?: string
  readonly streamIds: ReadonlyArray<string>
  readonly issues: ReadonlyArray<Input.Detail>
  readonly options: Draft.Options<E, R> & Resending
  /** Beside those that all messages have. */
  readonly fields: (draft: Draft.Draft<E, R>) => ReadonlyArray<readonly [name: string, value: string]>
}

const post = <A, E, R>(
  operation: string,
  describe: () => Posting<A, E, R>
): Effect.Effect<A, SendError | Attachment.AttachmentFailed<E>, HttpClient.HttpClient | SymphonyConfig | Session | R> =>
  Endpoint.reading(operation, () => {
    const { decode, fields, issues, options, path, streamId, streamIds } = describe()
    const { resendUnknown = false } = options
    const endpoint = { operation, method: "POST", path, streamId } as const
    const errorOf = Endpoint.errorOf(endpoint)
    const wrong = [...issues, ...Input.issues({ resendUnknown: Input.flag(resendUnknown) })]
    return Effect.gen(function*() {
      const draft = yield* Effect.mapError(
        Draft.readMessage(options),
        (details) => errorOf(Endpoint.refused([...wrong, ...details]))
      )
      const { attachments, content, data, version } = draft
      const body = yield* Upload.make({
        operation,
        fields: [
          ["message", content],
          ...data === undefined ? [] : [["data", data] as const],
          ...version === undefined ? [] : [["version", version] as const],
          ...fields(draft)
        ],
        attachments,
        errorOf
      })
      return yield* unknownOutcome(
        Request.attempts({ ...endpoint, issues: wrong, body, decode, isRepeatable: resendUnknown }),
        operation,
        () => streamIds
      )
    })
  })

/** What may have been done by any of the attempts is told as such. */
const unknownOutcome = <A, E, R>(
  attempts: Effect.Effect<A, Request.Failed<E>, R>,
  operation: string,
  streamIds: () => ReadonlyArray<string>
): Effect.Effect<A, SymphonyError.SymphonyError | E | MessageOutcomeUnknown, R> =>
  Effect.mapError(attempts, ({ doubt, error }) => {
    const reason = doubt === undefined ? undefined : Request.doubtful(doubt.reason)
    return doubt === undefined || reason === undefined
      ? error
      : new MessageOutcomeUnknown({ operation, streamIds: streamIds(), reason, request: doubt.request })
  })
