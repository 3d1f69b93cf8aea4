/**
 * Sends messages ({@link send}, {@link update}, {@link blast}), imports those of another system ({@link importMessages}), and reads
 * them ({@link get}, {@link list}, {@link stream}). `MessageSearch` searches them, `Attachments` reads their files, and
 * `MessageStatus` tells what became of them.
 *
 * Requests use the `Session` of the context. To act on behalf of a user, provide another session.
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
 * What all functions that send have in common.
 *
 * @category models
 * @since 0.1.0
 */
export interface SendBase {
  /**
   * Retries by the schedule of the configuration even when the message may have been posted: it then comes at least once, and
   * perhaps twice. Default: `false`: retries only what was certainly not posted.
   */
  readonly resendUnknown?: boolean | undefined
}

/**
 * The options of {@link send}: a stream and a message, as one value or in parts.
 *
 * @category models
 * @since 0.1.0
 */
export type SendOptions<E = never, R = never> =
  & {
    /** The stream, by its id: URL-safe or not. */
    readonly streamId: string
  }
  & SendBase
  & Message.Parts<E, R>

/**
 * The options of {@link update}. For attachments, give the message as one `Message`.
 *
 * @category models
 * @since 0.1.0
 */
export type UpdateOptions<E = never, R = never> =
  & {
    /** The stream of the message. */
    readonly streamId: string
    /** The version to replace. */
    readonly messageId: string
  }
  & SendBase
  & Message.Parts<E, R, "data" | "version" | "silent">

/**
 * The options of {@link blast}.
 *
 * @category models
 * @since 0.1.0
 */
export type BlastOptions<E = never, R = never> =
  & {
    /** The streams, 1 to 100. */
    readonly streamIds: ReadonlyArray<string>
  }
  & SendBase
  & Message.Parts<E, R>

/**
 * Why a {@link blast} did not reach a stream.
 *
 * @category models
 * @since 0.1.0
 */
export class BlastFailure extends Schema.Opaque<BlastFailure>()(Schema.Struct({
  /** The service's own code. */
  code: Lenient.keys.integer,
  /** What the service said. */
  message: Lenient.keys.text
})) {}

/**
 * The result of a {@link blast}. Every stream is in `messages` or in `errors`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Blasted {
  /** One message for each stream that was reached, in no fixed order. */
  readonly messages: ReadonlyArray<PostedMessage>
  /**
   * The failures, by the URL-safe ids of the streams. A stream that the answer does not mention is here too: its message may have
   * been posted.
   */
  readonly errors: ReadonlyMap<string, BlastFailure>
}

/**
 * The request was sent, and no answer says whether the message was posted. Sending it again may post it twice; {@link list} shows
 * whether it is there.
 *
 * @category errors
 * @since 0.1.0
 */
export class MessageOutcomeUnknown
  extends Failure.TaggedError<MessageOutcomeUnknown>("symphony")("MessageOutcomeUnknown", {
    /** The function that was called: `"Messages.send"`. */
    operation: Schema.String,
    /** The streams, as they were given. */
    streamIds: Schema.Array(Schema.String),
    /** Why the outcome is not known. */
    reason: Schema.Union([
      SymphonyError.Transport,
      SymphonyError.Timeout,
      SymphonyError.ServerFailure,
      SymphonyError.Malformed
    ]),
    /** The request that was sent. */
    request: SymphonyError.SymphonyError.fields.request
  }, {
    message: ({ operation, reason, streamIds }) => {
      const streams = streamIds.length === 1 ? `stream ${streamIds[0]}` : `${streamIds.length} streams`
      return `${operation}: the message for ${streams} may have been posted: the outcome is unknown. ` +
        `${whatHappened(reason)} ` +
        "Look for it with Messages.list before you send it again."
    }
  })
{}

/**
 * What sending can fail with, apart from the streams of attachments. A `SymphonyError` means that nothing was posted.
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
 * `POST {agent}/agent/v4/stream/{streamId}/message/create`. Wrong input, such as markup that is not well formed, fails
 * with `BadRequest` before anything is sent. A message that was certainly not posted (not sent, 401, 429) is retried by the
 * schedule of the configuration. One that may have been posted fails with {@link MessageOutcomeUnknown}, unless
 * `resendUnknown` is set.
 *
 * **Example** (Text of a user, and a file)
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
export const send = <E = never, R = never>(
  options: SendOptions<E, R>
): Effect.Effect<
  PostedMessage,
  SendError | Attachment.FailureOf<E>,
  HttpClient.HttpClient | SymphonyConfig | Session | R
> =>
  post("Messages.send", () => {
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

/**
 * Posts a new version of a message. The message must come from a user or a bot, and must not be deleted. Gives the new version:
 * its `replacing` is the version before, its `initialMessageId` the first one.
 *
 * **Details**
 *
 * `POST {agent}/agent/v4/stream/{streamId}/message/{messageId}/update`. Checks, retries and unknown outcomes as in
 * {@link send}: a repeated update makes another version.
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
export const update = <E = never, R = never>(
  options: UpdateOptions<E, R>
): Effect.Effect<
  PostedMessage,
  SendError | Attachment.FailureOf<E>,
  HttpClient.HttpClient | SymphonyConfig | Session | R
> =>
  post("Messages.update", () => {
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

/**
 * Posts a message to up to 100 streams that exist. It succeeds even when some of them are not reached: `errors` names these.
 *
 * **Details**
 *
 * `POST {agent}/agent/v4/message/blast`. A stream that is given twice gets the message once. Checks, retries and unknown outcomes
 * as in {@link send}.
 *
 * **Example** (An announcement, and the streams that it did not reach)
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
export const blast = <E = never, R = never>(
  options: BlastOptions<E, R>
): Effect.Effect<
  Blasted,
  SendError | Attachment.FailureOf<E>,
  HttpClient.HttpClient | SymphonyConfig | Session | R
> =>
  post("Messages.blast", () => {
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
      decode: (text) => Result.map(decodeBlasted(text), (blasted) => complete(blasted, ids))
    }
  })

const decodeMessage = Lenient.json(PostedMessage)

const decodeBlast = Lenient.json(Schema.Struct({
  messages: Lenient.list(PostedMessage),
  // A stream that was not reached counts, whatever its failure says.
  errors: Lenient.optional(
    Schema.Record(Schema.String, BlastFailure.pipe(Schema.catchDecoding(() => Effect.succeedSome({}))))
  )
}))

const decodeBlasted = (text: string): Result.Result<Blasted, string> =>
  Result.flatMap(decodeBlast(text), ({ errors = {}, messages }) => {
    const decoded = messages.filter(isDecoded)
    const failures = Object.entries(errors).map(([id, failure]) => [Ids.toUrlSafe(id), failure] as const)
    return decoded.length === 0 && failures.length === 0
      ? Result.fail("it names no stream")
      : Result.succeed({ messages: decoded, errors: new Map(failures) })
  })

/** Adds the streams that the answer does not mention. A message that does not name its stream is that of one of them. */
const complete = ({ errors, messages }: Blasted, streamIds: ReadonlyArray<string>): Blasted => {
  const named = messages.flatMap(({ stream }) => stream?.streamId ?? [])
  const missing = streamIds.filter((streamId) => !named.includes(streamId) && !errors.has(streamId))
  if (missing.length <= messages.length - named.length) return { errors, messages }
  const unknown: BlastFailure = { message: "The service told nothing of this stream. The message may have been posted" }
  return { messages, errors: new Map([...errors, ...missing.map((streamId) => [streamId, unknown] as const)]) }
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
 * The options of {@link importMessages}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImportMessagesOptions extends SendBase {
  /** The messages. The results have their order. */
  readonly messages: ReadonlyArray<Message.ImportedMessage>
}

/**
 * Imports messages of another system with their own times and authors. Gives one result for each message, in the order of the
 * messages: a result without a `messageId` has a `diagnostic` that says why the message was not imported. The datafeed has no
 * events for imported messages. The session needs the role Content Management.
 *
 * **Details**
 *
 * `POST {agent}/agent/v4/message/import`. Checks, retries and unknown outcomes as in {@link send}.
 *
 * **Example** (The messages that were not imported)
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

/** Puts the results in the order of the messages: the result that names a message, or else the next one that names none. */
const inOrder = (
  messages: ReadonlyArray<Message.ImportedMessage>,
  results: ReadonlyArray<Imported | UndecodableItem>
): ReadonlyArray<Imported> => {
  const told = results.map((result): Imported =>
    isDecoded(result) ? result : { diagnostic: `The result cannot be read: ${result.issue}` }
  )
  const given = placesOf(messages)
  const named = placesOf(told)
  /** The place of a result, if just one message and one result have its id. */
  const placeOf = (id: string | undefined) =>
    id === undefined || named.get(id) === shared ? shared : given.get(id) ?? shared
  const places = new Map(told.map((result) => [placeOf(result.originalMessageId), result]))
  const others = told.filter(({ originalMessageId }) => placeOf(originalMessageId) === shared)
  const untold: Imported = {
    diagnostic: `The service gave ${told.length} results for ${messages.length} messages, and none for this one`
  }
  return [...messages.map((_, index) => places.get(index) ?? others.shift() ?? untold), ...others]
}

/** The place of an id that several entries have. */
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
 * The options of {@link get}, and of all functions that take one message.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessageOptions {
  /** The message, by its id: URL-safe or not. */
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
 * A stream and a range of time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Range {
  /** The stream, by its id: URL-safe or not. */
  readonly streamId: string
  /** The earliest time (inclusive). A number is milliseconds since 1970. Default: no limit. */
  readonly since?: DateTime.DateTime.Input | undefined
  /** The latest time (inclusive). Default: no limit. */
  readonly until?: DateTime.DateTime.Input | undefined
}

/**
 * The options of {@link list}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions extends Range {
  /** How many messages to skip. Default: 0. */
  readonly skip?: number | undefined
  /** The size of the page, 1 to 500. Default: 50. */
  readonly limit?: number | undefined
}

/**
 * The options of {@link stream}.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions extends Range {
  /** How many messages one request asks for, 1 to 500. Default: 500. */
  readonly pageSize?: number | undefined
}

/**
 * Lists messages of a stream. The service gives the newest first as of today, and promises no order. A message that cannot be read
 * is an `UndecodableItem` in its place, here and in all other lists.
 *
 * **Details**
 *
 * `GET {agent}/agent/v4/stream/{streamId}/message`
 *
 * **Example** (The last ten messages)
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
 * Streams the messages of a stream, each once, in the order of the service. It asks for the next page when the reader pulls.
 *
 * **Details**
 *
 * As {@link list}. The next page starts at the time of the last message and leaves out what the page before had, so messages that
 * arrive between two requests move nothing.
 *
 * **Example** (The last 100 messages of a user)
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
  /** The messages that may come again: when the next page is known by its number only, or a message has no time. */
  readonly seen: ReadonlySet<string>
}

/** The times in milliseconds. */
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
  // An item that cannot be decoded stands between its neighbours. A message without a time may be anywhere.
  const isOrdered = messages.every((message, index) => !isDecoded(message) || places[index] !== undefined)
  // The next page starts at the first message of the last time, so that new messages move nothing.
  const skip = messages.length - places.indexOf(last)
  const bound = !isOrdered || last === undefined || times.every((time) => time === last)
    ? undefined
    : times.every(falls)
    ? { until: last }
    : times.every(rises)
    ? { since: last }
    : undefined
  // Otherwise a page that starts where it started before would come for ever.
  const moves = bound !== undefined && ("until" in bound ? bound.until !== window.until : bound.since !== window.since)
  if (moves) {
    // Items without a time may be of that time too, and move the others.
    const again = messages.every(isDecoded) ? [] : idsOf(messages.slice(-skip))
    return { ...window, ...bound, skip, seen: new Set([...window.seen, ...again]) }
  }
  // All of one time, or in no order: only the number of messages says where the next page starts.
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

/** A request that posts a message. */
interface Posting<A, E, R> extends Pick<Endpoint.Endpoint<A>, "path" | "decode"> {
  readonly streamId?: string
  readonly streamIds: ReadonlyArray<string>
  readonly issues: ReadonlyArray<Input.Detail>
  readonly options: Draft.Options<E, R> & SendBase
  /** Form fields besides those of all messages. */
  readonly fields: (draft: Draft.Draft<E, R>) => ReadonlyArray<readonly [name: string, value: string]>
}

function post<A, E, R>(
  operation: string,
  describe: () => Posting<A, E, R>
): Effect.Effect<A, SendError | Attachment.FailureOf<E>, HttpClient.HttpClient | SymphonyConfig | Session | R>
function post<A, E, R>(operation: string, describe: () => Posting<A, E, R>) {
  return Endpoint.reading(operation, () => {
    const { decode, fields, issues, options, path, streamId, streamIds } = describe()
    const { resendUnknown = false } = options
    const endpoint = { operation, method: "POST", path, streamId } as const
    const errorOf = Endpoint.errorOf(endpoint)
    const wrong = [...issues, ...Input.issues({ resendUnknown: Input.flag(resendUnknown) })]
    return Effect.matchEffect(Draft.readMessage(options), {
      onFailure: (details) => Effect.fail(errorOf(Endpoint.refused([...wrong, ...details]))),
      onSuccess: (draft) => {
        const { attachments, content, data, version } = draft
        const body = Upload.make({
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
        return Effect.flatMap(body, (body) =>
          unknownOutcome(
            Request.attempts({ ...endpoint, issues: wrong, body, decode, isRepeatable: resendUnknown }),
            operation,
            () => streamIds
          ))
      }
    })
  })
}

/** Fails with `MessageOutcomeUnknown` when any of the attempts may have posted the message. */
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
