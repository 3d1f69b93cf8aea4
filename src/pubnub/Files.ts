/**
 * Files: {@link send} uploads one and announces it on its channel, {@link download} gives its bytes, {@link list} and
 * {@link stream} show what a channel has, {@link remove} deletes one. `Subscribe.files` emits a `FileShared` for each file, and
 * `History` has it as a `StoredFile`; {@link download}, {@link remove} and {@link url} take them as they are. The keyset needs the
 * add-on Files, which also says how large a file may be and how long it is kept.
 *
 * Each request fails with a `PubNubError`: `FeatureDisabled` without the add-on, and `BadRequest` without a `status` when the input
 * is wrong and nothing was sent.
 *
 * @since 0.1.0
 */
import * as Brand from "effect/Brand"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Codec from "../internal/codec.ts"
import * as Failure from "../internal/failure.ts"
import * as Input from "../internal/input.ts"
import * as Paging from "../internal/paging.ts"
import * as Retries from "../internal/retries.ts"
import * as Text from "../internal/text.ts"
import type { Page } from "../Page.ts"
import * as Retry from "../Retry.ts"
import { isDecoded, type UndecodableItem } from "../UndecodableItem.ts"
import * as History from "./History.ts"
import * as Announcement from "./internal/files/announcement.ts"
import * as Content from "./internal/files/content.ts"
import type { Undecryptable } from "./Encryption.ts"
import * as File from "./internal/files/file.ts"
import * as Form from "./internal/files/form.ts"
import * as Storage from "./internal/files/storage.ts"
import * as Answer from "./internal/wire/answer.ts"
import * as Encryption from "./internal/wire/encryption.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Items from "./internal/wire/items.ts"
import * as Outcome from "./internal/wire/outcome.ts"
import { path, subscribeKey } from "./internal/wire/path.ts"
import * as Publication from "./internal/wire/publication.ts"
import { PubNubConfig } from "./PubNubConfig.ts"
import * as PubNubError from "./PubNubError.ts"
import * as Timetoken from "./Timetoken.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * A file by its names. The answers of {@link send} and {@link list} have them.
 *
 * @category models
 * @since 0.1.0
 */
export interface FileNames {
  /** The channel of the file. */
  readonly channel: string
  /** The id that the service gave the file. */
  readonly id: string
  /** The name of the file: not empty, without slashes and control characters, neither `.` nor `..`. */
  readonly name: string
}

/**
 * Which file is meant: its names, or an event or an entry of history that has them.
 *
 * @category models
 * @since 0.1.0
 */
export type FileRef = FileNames | {
  /** The channel of the file. */
  readonly channel: string
  /** The id and the name, as `FileShared` and `StoredFile` have them. */
  readonly file: {
    /** The id that the service gave the file. */
    readonly id: string
    /** The name of the file. */
    readonly name: string
  }
}

/**
 * A file that was uploaded and announced.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sent extends FileNames {
  /** The position of the announcement: of the `FileShared` of subscribers, and of the `StoredFile` in history. */
  readonly timetoken: Timetoken.Timetoken
}

/**
 * A file of a channel, as {@link list} gives it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListedFile extends FileNames {
  /** The size in bytes as it is stored: encrypted content is larger than what was sent. */
  readonly size: number
  /** When it was uploaded, to the second. */
  readonly created: DateTime.Utc
}

// --------------------------------------------------------------------------------------------------------------------
// errors
// --------------------------------------------------------------------------------------------------------------------

const Names = {
  /** The channel of the file. */
  channel: Schema.String,
  /** The id that the service gave the file. */
  id: Schema.String,
  /** The name of the file. */
  name: Schema.String
}

const Request = Schema.Struct({
  /** The HTTP method, in upper case. */
  method: Schema.String,
  /** The path of the URL, with `{…}` for what is left out. */
  path: Schema.String
})

/**
 * The file is larger than the keyset allows, or than the `maxSize` of a download.
 *
 * @category errors
 * @since 0.1.0
 */
export class FileTooLarge extends Failure.TaggedError<FileTooLarge>("pubnub")("FileTooLarge", {
  /** The function that was called: `"Files.send"`. */
  operation: Schema.String,
  /** The channel of the file. */
  channel: Schema.String,
  /** The name of the file. */
  name: Schema.String,
  /** The size in bytes. Of a download whose size the storage does not say: what came so far. */
  size: Schema.Int,
  /** The most bytes: of the keyset, or `maxSize`. */
  limit: Schema.Int,
  /** `"client"`: nothing was uploaded, or the download was given up. */
  refusedBy: Schema.Literals(["client", "service"])
}, {
  message: ({ limit, name, operation, refusedBy, size }) =>
    `${operation}: ${Text.quoted(name)} has ${size} bytes; the limit is ${limit}. ` +
    (operation === "Files.send"
      ? `${refusedBy === "client" ? "Nothing was uploaded." : "The storage refused it."} ` +
        "Send less, or ask for a higher limit of the keyset."
      : "Raise maxSize, or read Files.download as a stream.")
}) {}

/**
 * The file was uploaded, but its channel does not know of it: the announcement was refused, or could not be sent.
 * {@link announce} tries only that again, and {@link remove} removes the file. Otherwise it stays until the keyset's retention
 * of files ends.
 *
 * @category errors
 * @since 0.1.0
 */
export class FileNotAnnounced extends Failure.TaggedError<FileNotAnnounced>("pubnub")("FileNotAnnounced", {
  /** The function that was called. */
  operation: Schema.Literals(["Files.send", "Files.announce"]),
  ...Names,
  /** Why it was not announced. */
  reason: PubNubError.Reason,
  /** The request that failed. */
  request: Request
}, {
  message: ({ id, name, operation, reason }) =>
    `${operation}: ${Text.quoted(name)} (${id}) is uploaded, but not announced: ${reason.message} ` +
    "Files.announce announces it, Files.remove removes it.",
  isRetryable: ({ reason }) => reason.isRetryable,
  retryAfter: ({ reason }) => reason.retryAfter
}) {}

/**
 * The file was uploaded, and the answer to its announcement is missing: subscribers may have a `FileShared` of it, or not.
 * {@link findAnnouncement} looks for it in history. After a second announcement, subscribers may get a second event with the same id.
 *
 * @category errors
 * @since 0.1.0
 */
export class AnnouncementOutcomeUnknown
  extends Failure.TaggedError<AnnouncementOutcomeUnknown>("pubnub")("AnnouncementOutcomeUnknown", {
    /** The function that was called. */
    operation: Schema.Literals(["Files.send", "Files.announce"]),
    ...Names,
    /** Why the outcome is not known. */
    reason: Schema.Union(Outcome.Unknown),
    /** The request that was sent. */
    request: Request
  }, {
    message: ({ id, name, operation, reason }) =>
      `${operation}: ${
        Text.quoted(name)
      } (${id}) is uploaded, and may or may not have been announced: ${reason.message} ` +
      "Look for it with Files.findAnnouncement before you announce it again."
  })
{}

/**
 * The storage refused an upload or a download.
 *
 * @category errors
 * @since 0.1.0
 */
export class StorageRefused extends Failure.TaggedError<StorageRefused>("pubnub")("StorageRefused", {
  /** The function that was called: `"Files.send"`. */
  operation: Schema.String,
  /** The channel of the file. */
  channel: Schema.String,
  /** The name of the file. */
  name: Schema.String,
  /**
   * `"expired"`: the form of the upload or the link of the download is too old. `"busy"`: the storage has no room for the request
   * now. `"other"`: see `code`.
   */
  kind: Schema.Literals(["expired", "busy", "other"]),
  /** The storage's own word: `"SlowDown"`. */
  code: Schema.String,
  /** The HTTP status. */
  status: Schema.Int,
  /** What the storage said. */
  description: Schema.String
}, {
  message: ({ code, description, kind, name, operation, status }) =>
    `${operation}: the storage refused ${Text.quoted(name)} with ${status} ${code}: ${Text.sentence(description)} ` +
    (kind === "expired"
      ? "Check the clock of this machine, and try again."
      : kind === "busy"
      ? "Try again later."
      : code === "MissingContentLength"
      ? "This transport sends streams without their length: use NodeTransport, or send bytes or a Blob."
      : "A retry cannot help."),
  isRetryable: ({ kind }) => kind !== "other"
}) {}

/**
 * The stream of a file's content failed. Nothing was stored and nobody was told.
 *
 * @category errors
 * @since 0.1.0
 */
export class ContentFailed<out E = unknown> extends Failure.TaggedError<ContentFailed>("pubnub")("ContentFailed", {
  /** The function that was called. */
  operation: Schema.String,
  /** The name of the file. */
  name: Schema.String,
  /** What the stream failed with. */
  cause: Schema.Unknown
}, {
  message: ({ cause, name, operation }) =>
    `${operation}: the content of ${Text.quoted(name)} cannot be read` +
    `${cause instanceof Error ? `: ${Text.clause(Text.told(cause.message))}` : ""}. Nothing was sent.`
}) {
  declare readonly cause: E
}

/**
 * What the content of a file can fail with: nothing unless it is a stream that can fail.
 *
 * @category errors
 * @since 0.1.0
 */
export type FailureOf<E> = [E] extends [never] ? never : ContentFailed<E>

/**
 * The channel has no such file: it was removed, its time is over, or one of its names is wrong.
 *
 * @category errors
 * @since 0.1.0
 */
export class FileNotFound extends Failure.TaggedError<FileNotFound>("pubnub")("FileNotFound", {
  /** The function that was called. */
  operation: Schema.String,
  ...Names
}, {
  message: ({ channel, id, name, operation }) =>
    `${operation}: ${channel} has no file ${
      Text.quoted(name)
    } (${id}). It may have been removed, or its time is over; ` +
    "Files.list gives the files that exist."
}) {}

/**
 * A download ended half-way, and could not go on from there. What came is the beginning of the file.
 *
 * @category errors
 * @since 0.1.0
 */
export class DownloadCut extends Failure.TaggedError<DownloadCut>("pubnub")("DownloadCut", {
  /** The function that was called. */
  operation: Schema.String,
  ...Names,
  /** How many bytes came. */
  received: Schema.Int,
  /** The size of the file in bytes. Absent where the storage does not say it. */
  size: Schema.optionalKey(Schema.Int),
  /** Why it could not go on. */
  description: Schema.String
}, {
  message: ({ description, name, operation, received, size }) =>
    `${operation}: the download of ${Text.quoted(name)} ended after ${received}${
      size === undefined ? "" : ` of ${size}`
    } bytes: ${Text.sentence(description)} Begin again.`,
  isRetryable: true
}) {}

/**
 * The errors of {@link announce}.
 *
 * @category errors
 * @since 0.1.0
 */
export type AnnounceError =
  | FileNotAnnounced
  | AnnouncementOutcomeUnknown
  | PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>

/**
 * The errors of {@link send}. `PubNubError`, `FileTooLarge`, `StorageRefused` and `ContentFailed` mean that nobody was told of a file.
 *
 * @category errors
 * @since 0.1.0
 */
export type SendError =
  | PubNubError.PubNubError
  | FileTooLarge
  | StorageRefused
  | FileNotAnnounced
  | AnnouncementOutcomeUnknown

/**
 * The errors of {@link download}.
 *
 * @category errors
 * @since 0.1.0
 */
export type DownloadError =
  | PubNubError.PubNubError
  | FileNotFound
  | FileTooLarge
  | StorageRefused
  | DownloadCut
  | Undecryptable

// --------------------------------------------------------------------------------------------------------------------
// sending
// --------------------------------------------------------------------------------------------------------------------

/**
 * What goes with a file when it is announced.
 *
 * @category models
 * @since 0.1.0
 */
export interface AnnouncementOptions<A = unknown, RE = never> {
  /** One channel, neither a wildcard nor a presence name. */
  readonly channel: string
  /** A message beside the file: any value that JSON can hold. It travels in the address of a GET. Default: none. */
  readonly message?: NoInfer<A> | undefined
  /** The schema that checks and encodes the message. With it, dates and big integers keep their values. */
  readonly schema?: Schema.ConstraintCodec<A, unknown, unknown, RE> | undefined
  /** An object beside the message, for filters of subscriptions. Default: none. */
  readonly meta?: { readonly [key: string]: unknown } | undefined
  /** Whether history keeps the announcement. Default: the setting of the keyset. */
  readonly store?: boolean | undefined
  /**
   * How long history keeps the announcement, in whole hours. `"Infinity"`: for ever. The file itself has the retention of the
   * keyset. Default: the setting of the keyset.
   */
  readonly ttl?: Duration.Input | undefined
  /** A label of the announcement: 3 to 50 letters, digits, `_` and `-`, first a letter or a digit. Default: none. */
  readonly customMessageType?: string | undefined
  /**
   * Whether to look in history for an announcement whose outcome is unknown. One that is found was sent. It needs Message
   * Persistence and, with access control, the permission to read. Default: `false`.
   */
  readonly settleUnknown?: boolean | undefined
  /**
   * When to try again what the service certainly did not do. An upload is tried again whatever became of it, since a file has one
   * place. Default: for one minute, with pauses of half a second to 30 seconds. `Schedule.recurs(0)` tries nothing again.
   */
  readonly retry?: Retry.Policy<SendError> | undefined
}

/**
 * The options of {@link send}, without the content.
 *
 * @category models
 * @since 0.1.0
 */
export interface FileOptions<A = unknown, RE = never> extends AnnouncementOptions<A, RE> {
  /**
   * The name of the file: not empty, without slashes, backslashes and control characters, neither `.` nor `..`. The service may
   * change it; the answer has the name that it has then.
   */
  readonly name: string
  /** The media type that a download gets. Default: that of a `Blob` if it has one, else the service guesses it from the name. */
  readonly contentType?: string | undefined
  /**
   * How long one attempt to upload may take. Default: `requestTimeout` of the configuration, and a second for each 64 KiB.
   */
  readonly uploadTimeout?: Duration.Input | undefined
}

/**
 * The options of {@link send}.
 *
 * @category models
 * @since 0.1.0
 */
export type SendOptions<A = unknown, RE = never, E = never, R = never> =
  & FileOptions<A, RE>
  & (
    | {
      /** The content: text in UTF-8, bytes or a `Blob`. */
      readonly content: string | Uint8Array | Blob
      /** Only a stream needs it. */
      readonly size?: undefined
    }
    | {
      /**
       * The content as a stream, which is never in memory as a whole and runs again for each attempt. It needs a transport that sends
       * lengths, as `NodeTransport` does; `fetch` does not, so pass a `Blob` in a browser.
       */
      readonly content: Stream.Stream<Uint8Array, E, R>
      /** How many bytes the stream gives. With fewer or more, the call fails with `BadRequest`. */
      readonly size: number
    }
  )

/**
 * Uploads a file and announces it: subscribers of the channel get a `FileShared`, and history a `StoredFile`.
 *
 * **Details**
 *
 * Three requests: `POST /v1/files/{subscribeKey}/channels/{channel}/generate-upload-url` gives a form, which is good for 60
 * seconds; the form and the content go to the storage; `GET
 * /v1/files/publish-file/{publishKey}/{subscribeKey}/0/{channel}/0/{message}` announces the file. An upload is tried again with the
 * same form, and with a new one when that is too old. The form says how large a file may be: a larger one fails with
 * {@link FileTooLarge} before it is uploaded. Wrong input, also a message that is too long, fails before anything is sent.
 *
 * A file that is uploaded stays when the announcement fails or the call is interrupted. The errors {@link FileNotAnnounced} and
 * {@link AnnouncementOutcomeUnknown} have its names. After an interruption, {@link list} shows it until it is removed or its time is
 * over: an announcement that is on its way may still arrive, and must not lead nowhere.
 *
 * With an `Encryption` in the context, the content and the announcement are encrypted. Only a stream is encrypted while it is sent:
 * bytes, text and a `Blob` are in memory as a whole. The name, the channel, `meta` and the size stay readable.
 *
 * **Example** (A picture, and what to do when its channel does not know of it)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Files from "effect-herald/pubnub/Files"
 *
 * const share = (picture: Uint8Array) =>
 *   Files.send({ channel: "chat", name: "cat.png", content: picture, message: "look!" }).pipe(
 *     Effect.catchTag("FileNotAnnounced", (file) => Files.remove(file))
 *   )
 * ```
 *
 * **Example** (A large file from disk)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * import * as Files from "effect-herald/pubnub/Files"
 *
 * const share = Effect.fnUntraced(function*(path: string) {
 *   const fileSystem = yield* FileSystem.FileSystem
 *   const { size } = yield* fileSystem.stat(path)
 *   return yield* Files.send({
 *     channel: "reports",
 *     name: "report.pdf",
 *     content: fileSystem.stream(path),
 *     size: Number(size)
 *   })
 * })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const send = <A, RE = never, E = never, R = never>(
  options: SendOptions<A, RE, E, R>
): Effect.Effect<Sent, SendError | FailureOf<E>, HttpClient.HttpClient | PubNubConfig | RE | R> => sendAll(options)

// Without a stream there is no `ContentFailed`.
function sendAll<A, RE, E, R>(
  options: SendOptions<A, RE, E, R>
): Effect.Effect<Sent, SendError | FailureOf<E>, HttpClient.HttpClient | PubNubConfig | RE | R>
function sendAll<A, RE, E, R>(options: SendOptions<A, RE, E, R>) {
  return Effect.flatMap(
    Effect.all([PubNubConfig, Encryption.Current]),
    ([config, encryption]) =>
      Endpoint.reading(operation, () => {
        const given = { ...options }
        const { channel, content, contentType, name, retry, size, uploadTimeout } = given
        const issues = sendIssues(given)
        return Effect.flatMap(Announcement.encode<A, RE>(given), (encoded) => {
          const unusable = [...issues, ...Result.isFailure(encoded) ? encoded.failure : []]
          if (Result.isFailure(encoded) || unusable.length > 0) {
            return Effect.fail(Endpoint.refusal(operation, unusable))
          }
          const announcement = encoded.success
          return Effect.gen(function*() {
            // The id is not known yet. It is a UUID.
            const likely = yield* Announcement.endpoint(
              operation,
              announcement,
              { id: "0".repeat(36), name },
              encryption
            )
            const unsendable = unsendableOf(config, likely)
            if (unsendable !== undefined) return yield* unsendable
            const type = contentType ?? (content instanceof Blob && content.type !== "" ? content.type : undefined)
            const sealed = yield* Effect.mapError(
              Content.sealed(Content.of<E, R>(content, size), encryption),
              (message) => Endpoint.refusal(operation, [{ location: "content", message }])
            )
            const uploaded = yield* upload(config, {
              channel,
              name,
              content: sealed,
              contentType: type,
              uploadTimeout,
              schedule: scheduleOf(retry)
            })
            const file = yield* Effect.fromResult(uploaded)
            return yield* tell(config, encryption, operation, announcement, { ...file, channel }, given)
          })
        })
      })
  )
}

const operation = "Files.send"

const untilDone = () => Schedule.upTo(Retry.reconnect, { duration: "1 minute" })

const scheduleOf = (retry: Retry.Policy<SendError> | undefined): Schedule.Schedule<unknown, SendError> =>
  Retry.toSchedule(retry ?? untilDone())

const mediaType = Input.matching(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+( *;[\x20-\x7e]*)?$/, "is not a media type")

const isContent = (content: unknown): boolean =>
  typeof content === "string" || content instanceof Uint8Array || content instanceof Blob || Stream.isStream(content)

const sendIssues = <A, RE>(
  { content, contentType, name, size, uploadTimeout, ...given }: SendOptions<A, RE, unknown, unknown>
): ReadonlyArray<PubNubError.Detail> => [
  ...Input.issues({
    name: File.newName(name),
    content: typeof content === "string"
      ? Input.text(content)
      : isContent(content)
      ? undefined
      : `is ${Input.shown(content)}, neither bytes nor text nor a stream`,
    size: Stream.isStream(content)
      ? Input.whole(0)(size)
      : size === undefined
      ? undefined
      : "is given, and only a stream needs it",
    contentType: Input.optional(mediaType)(contentType),
    uploadTimeout: uploadTimeout === undefined ? undefined : Input.duration(uploadTimeout)
  }),
  ...tellIssues(given)
]

const tellIssues = (
  { retry, settleUnknown }: Pick<AnnouncementOptions, "retry" | "settleUnknown">
): ReadonlyArray<PubNubError.Detail> => [
  ...Input.issues({ settleUnknown: Input.optional(Input.flag)(settleUnknown) }),
  ...Input.retry("retry", retry)
]

/** Why an announcement cannot be sent, whatever the service says. */
const unsendableOf = (
  config: PubNubConfig["Service"],
  endpoint: Endpoint.Endpoint<unknown>
): PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey> | undefined => {
  const unusable = Endpoint.refusalOf(config, endpoint) ??
    Endpoint.tooLongOf(config, endpoint, Endpoint.addressOf(config, endpoint))
  return unusable === undefined ? undefined : Endpoint.errorOf(endpoint)(unusable)
}

/** What is uploaded. */
interface Upload<E, R> {
  readonly channel: string
  readonly name: string
  readonly content: Content.Content<E, R>
  readonly contentType: string | undefined
  readonly uploadTimeout: Duration.Input | undefined
  readonly schedule: Schedule.Schedule<unknown, SendError>
}

type UploadError = PubNubError.PubNubError | FileTooLarge | StorageRefused

/** Uploads until the storage has the content, and gives the names of the file, or says that the content failed. */
const upload = <E, R>(
  config: PubNubConfig["Service"],
  { channel, content, contentType, name, schedule, uploadTimeout }: Upload<E, R>
): Effect.Effect<
  Result.Result<Pick<FileNames, "id" | "name">, ContentFailed<E>>,
  UploadError,
  HttpClient.HttpClient | R
> =>
  Effect.suspend(() => {
    const ask = Form.endpoint(operation, config.tls, { channel, name })
    const errorOf = Endpoint.errorOf(ask)
    const size = Content.sizeOf(content)
    const timeout = uploadTimeout === undefined
      ? Duration.sum(config.requestTimeout, Duration.seconds(Math.ceil(size / 65_536)))
      : Duration.fromInputUnsafe(uploadTimeout)
    const tooLarge = (limit: number, refusedBy: FileTooLarge["refusedBy"]) =>
      new FileTooLarge({ operation, channel, name, size, limit, refusedBy })
    let open: { readonly form: Form.Form; readonly until: number } | undefined
    let expirations = 0

    const formOf = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      if (open !== undefined && now < open.until) return open.form
      const form = yield* Effect.mapError(Endpoint.send(config, ask), (reason) => errorOf(reason))
      open = { form, until: now + Form.lifetimeMillis }
      return form
    })
    const refused = (failure: Storage.Failure, { limit }: Form.Form): UploadError => {
      if (failure._tag !== "Refused") return storageError(operation, "POST", failure)
      if (failure.code === "EntityTooLarge") return tooLarge(failure.limit ?? limit, "service")
      const refusal = refusedBy(failure, { operation, channel, name })
      if (refusal.kind === "expired") {
        open = undefined
        expirations++
      }
      return refusal
    }
    const unread = (
      cause: Cause.Cause<E | Content.WrongSize>
    ): Effect.Effect<Result.Result<never, ContentFailed<E>>, UploadError> =>
      Result.match(Cause.findError(cause), {
        onFailure: (cause) => Effect.failCause(cause),
        onSuccess: (problem) =>
          problem instanceof Content.WrongSize
            ? Effect.fail(errorOf(Endpoint.refused([wrongSize(problem)])))
            : Effect.succeed(Result.fail(new ContentFailed<E>({ operation, name, cause: problem })))
      })

    const attempt = Effect.gen(function*() {
      const form = yield* formOf
      if (size > form.limit) return yield* tooLarge(form.limit, "client")
      const body = yield* Content.body(content, form, contentType)
      return yield* Storage.put({ operation, config }, form, body.content, timeout).pipe(
        Effect.as(Result.succeed({ id: form.id, name: form.name })),
        Effect.catch((failure) => {
          const broken = body.broken()
          return broken === undefined ? Effect.fail(refused(failure, form)) : unread(broken)
        })
      )
    })
    return Effect.retry(attempt, {
      schedule,
      // A second form that is too old says that the clock of one side is wrong.
      while: (error) => error.isRetryable && expirations < 2
    })
  })

const wrongSize = ({ came, said }: Content.WrongSize): PubNubError.Detail => ({
  location: "size",
  message: came > said ? `is ${said}, and the stream has more bytes` : `is ${said}, and the stream has ${came} bytes`
})

/** The error of a request to the storage that was not answered by it. */
const storageError = (operation: string, method: string, reason: PubNubError.Reason): PubNubError.PubNubError =>
  PubNubError.make({ operation, reason, request: { method, path: "{storage}" } })

/** What the storage says of its own load. */
const busy = ["SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout"]

const refusedBy = (
  { code, description, status }: Storage.Refused,
  file: { readonly operation: string; readonly channel: string; readonly name: string }
): StorageRefused =>
  new StorageRefused({
    ...file,
    kind: busy.includes(code) || status >= 500
      ? "busy"
      : /\bexpired\b/i.test(description) || code === "ExpiredToken"
      ? "expired"
      : "other",
    code,
    status,
    description
  })

/**
 * Announces a file that is uploaded already. {@link send} does it by itself; this is for its errors {@link FileNotAnnounced} and
 * {@link AnnouncementOutcomeUnknown}, which have the names of the file.
 *
 * **Details**
 *
 * `GET /v1/files/publish-file/{publishKey}/{subscribeKey}/0/{channel}/0/{message}`. Announced twice, a file has two events with one
 * id.
 *
 * **Example** (Only the announcement again)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Files from "effect-herald/pubnub/Files"
 *
 * const share = (content: string) =>
 *   Files.send({ channel: "logs", name: "today.txt", content }).pipe(
 *     Effect.catchTag("FileNotAnnounced", ({ channel, id, name }) =>
 *       Effect.delay(Files.announce({ channel, id, name }), "5 minutes"))
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const announce = <A, RE = never>(
  options: AnnounceOptions<A, RE>
): Effect.Effect<Sent, AnnounceError, HttpClient.HttpClient | PubNubConfig | RE> =>
  Effect.flatMap(
    Effect.all([PubNubConfig, Encryption.Current]),
    ([config, encryption]) =>
      Endpoint.reading("Files.announce", () => {
        const given = { ...options }
        const { channel, id, name } = given
        const file = { channel, id, name }
        const issues = [...File.issuesOf(file), ...tellIssues(given)]
        return Effect.flatMap(Announcement.encode<A, RE>(given), (encoded) => {
          const unusable = [...issues, ...Result.isFailure(encoded) ? encoded.failure : []]
          if (Result.isFailure(encoded) || unusable.length > 0) {
            return Effect.fail(Endpoint.refusal("Files.announce", unusable))
          }
          return tell(config, encryption, "Files.announce", encoded.success, file, given)
        })
      })
  )

/**
 * The options of {@link announce}.
 *
 * @category models
 * @since 0.1.0
 */
export interface AnnounceOptions<A = unknown, RE = never> extends AnnouncementOptions<A, RE>, FileNames {
  /** The channel of the file. */
  readonly channel: string
}

/** Announces a file: again while the service certainly did not do it, and then looks whether it did. */
const tell = (
  config: PubNubConfig["Service"],
  encryption: Encryption.Encryption | undefined,
  operation: FileNotAnnounced["operation"],
  announcement: Announcement.Announcement,
  file: FileNames,
  { retry, settleUnknown = false, store }: Pick<AnnouncementOptions, "retry" | "settleUnknown" | "store">
): Effect.Effect<Sent, AnnounceError, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const endpoint = yield* Announcement.endpoint(operation, announcement, file, encryption)
    const unusable = unsendableOf(config, endpoint)
    const facts = { operation, ...file, request: Endpoint.facts(endpoint) }
    if (unusable !== undefined) {
      // The name that the service gave the file may be longer than the one that was asked for.
      return yield* operation === "Files.send" ? new FileNotAnnounced({ ...facts, reason: unusable.reason }) : unusable
    }
    const began = yield* DateTime.now
    return yield* Endpoint.send(config, endpoint).pipe(
      Effect.map(({ timetoken }): Sent => ({ ...file, timetoken })),
      Effect.mapError((reason) =>
        Result.match(Outcome.judge(reason), {
          onFailure: (reason) => new AnnouncementOutcomeUnknown({ ...facts, reason }),
          onSuccess: (reason) => new FileNotAnnounced({ ...facts, reason })
        })
      ),
      Effect.retry({
        schedule: scheduleOf(retry),
        while: (error) => error._tag === "FileNotAnnounced" && error.isRetryable
      }),
      Effect.catchTag("AnnouncementOutcomeUnknown", (unknown) =>
        settleUnknown && store !== false
          ? Effect.flatMap(
            Effect.provideService(settle(file, DateTime.subtract(began, { minutes: 1 })), PubNubConfig, config),
            (found) => Option.isSome(found) ? Effect.succeed(found.value) : Effect.fail(unknown)
          )
          : Effect.fail(unknown))
    )
  })

/** Looks twice, because history may be a second or two behind. Logs why it cannot look. */
const settle = (file: FileNames, since: DateTime.DateTime) => {
  const look = findAnnouncement({ ...file, since: Option.getOrUndefined(Timetoken.fromDateTime(since)) }).pipe(
    Effect.retry({ schedule: untilDone(), while: (error) => error.isRetryable })
  )
  return look.pipe(
    Effect.flatMap((found) => Option.isSome(found) ? Effect.succeed(found) : Effect.delay(look, "3 seconds")),
    Effect.catch((error) =>
      Effect.as(
        Effect.logWarning(`Whether a file of ${file.channel} was announced cannot be looked up: ${error.message}`),
        Option.none<Sent>()
      )
    )
  )
}

/**
 * The options of {@link findAnnouncement}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FindAnnouncementOptions extends FileNames {
  /** The oldest position to look at. Default: all of history. */
  readonly since?: Timetoken.Input | undefined
}

/**
 * Looks in history whether a file was announced: the newest announcement of its id. History may be a second or two behind, and
 * does not have what was announced with `store: false`.
 *
 * **Details**
 *
 * The requests of `History.stream`, from the new end on.
 *
 * **Example** (After an unknown outcome)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Files from "effect-herald/pubnub/Files"
 *
 * const settled = (unknown: Files.AnnouncementOutcomeUnknown) =>
 *   Files.findAnnouncement(unknown).pipe(
 *     Effect.flatMap((found) => Option.isSome(found) ? Effect.succeed(found.value) : Files.announce(unknown))
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const findAnnouncement = (
  options: FindAnnouncementOptions
): Effect.Effect<Option.Option<Sent>, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.reading("Files.findAnnouncement", () => {
    const { channel, id, name, since } = options
    const issues = File.issuesOf({ channel, id, name })
    return issues.length > 0
      ? Effect.fail(Endpoint.refusal("Files.findAnnouncement", issues))
      : History.stream({ channel, since, include: [] }).pipe(
        Stream.filter((entry) => entry._tag === "StoredFile" && entry.file.id === id),
        Stream.runHead,
        Effect.map(
          Option.flatMap(({ timetoken }) =>
            timetoken === undefined ? Option.none() : Option.some({ channel, id, name, timetoken })
          )
        ),
        Effect.mapError(({ reason, request }) =>
          PubNubError.make({ operation: "Files.findAnnouncement", reason, request })
        )
      )
  })

// --------------------------------------------------------------------------------------------------------------------
// listing
// --------------------------------------------------------------------------------------------------------------------

/**
 * Where a page of {@link list} begins.
 *
 * @category models
 * @since 0.1.0
 */
export type PageCursor = string & Brand.Brand<"FilesPageCursor">

/**
 * The options of {@link list}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListOptions {
  /** One channel, neither a wildcard nor a presence name. */
  readonly channel: string
  /** `next` of the page before this one. Default: the first page. */
  readonly next?: PageCursor | undefined
  /** The most files of the page: 1 to 100. Default: 100. */
  readonly limit?: number | undefined
}

/**
 * Lists one page of the files of a channel, by id. Ids are random, so a page is of no time: to show the newest files, read all
 * with {@link stream} and sort them by `created`.
 *
 * **Details**
 *
 * `GET /v1/files/{subscribeKey}/channels/{channel}/files`
 *
 * **Example** (The first ten)
 *
 * ```ts
 * import * as Files from "effect-herald/pubnub/Files"
 *
 * const ten = Files.list({ channel: "reports", limit: 10 })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list = (
  options: ListOptions
): Effect.Effect<
  Page<ListedFile | UndecodableItem, PageCursor>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> => Endpoint.reading("Files.list", () => page("Files.list", { ...options }))

/**
 * The options of {@link stream}.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions {
  /** One channel, neither a wildcard nor a presence name. */
  readonly channel: string
  /** The files of each request: 1 to 100. Default: 100. */
  readonly pageSize?: number | undefined
}

/**
 * Streams all files of a channel, by id, page by page. A file that is sent meanwhile may be among them or not.
 *
 * **Details**
 *
 * `GET /v1/files/{subscribeKey}/channels/{channel}/files`
 *
 * **Example** (The newest file)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Files from "effect-herald/pubnub/Files"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const newest = Files.stream({ channel: "reports" }).pipe(
 *   Stream.filter(UndecodableItem.isDecoded),
 *   Stream.runCollect,
 *   Effect.map((files) => files.toSorted((one, other) => DateTime.Order(other.created, one.created))[0])
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const stream = (
  options: StreamOptions
): Stream.Stream<ListedFile | UndecodableItem, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.readingStream("Files.stream", () => {
    const { channel, pageSize } = options
    const passed = new Set<PageCursor>()
    return Paging.paginate(
      Option.none<PageCursor>(),
      (next) =>
        Effect.map(page("Files.stream", { channel, pageSize, next: Option.getOrUndefined(next), passed }), (page) => {
          if (page.next !== undefined) passed.add(page.next)
          return [page.items, Option.map(Option.fromUndefinedOr(page.next), Option.some)]
        })
    )
  })

interface Asked extends ListOptions {
  readonly pageSize?: number | undefined
  /** The cursors of earlier pages. A list that returns one of them again has no end. */
  readonly passed?: ReadonlySet<PageCursor> | undefined
}

const cursorOf = Brand.nominal<PageCursor>()

const page = (
  operation: "Files.list" | "Files.stream",
  { channel, limit, next, pageSize, passed }: Asked
): Effect.Effect<
  Page<ListedFile | UndecodableItem, PageCursor>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> =>
  Endpoint.run(operation, () => ({
    path: path`/v1/files/${subscribeKey}/channels/${channel}/files`,
    query: { limit: String(limit ?? pageSize ?? 100), next },
    issues: Input.issues({
      channel: Publication.channel(channel),
      limit: Input.optional(Input.whole(1, 100))(limit),
      pageSize: Input.optional(Input.whole(1, 100))(pageSize),
      next: Input.optional(Input.filled)(next)
    }),
    longInput: { location: "next", advice: "pass one that a page gave" },
    attributes: { "messaging.destination.name": channel },
    decode: (json) =>
      Result.flatMap(decodePage(json), ({ data, next: following }) => {
        const after = following === undefined || following === null || following === ""
          ? undefined
          : cursorOf(following)
        return after !== undefined && (after === next || passed?.has(after) === true)
          ? Result.fail("the cursor of the next page came before")
          : Result.succeed({
            items: data.map((raw) => {
              const file = readFile(raw)
              return isDecoded(file) ? { channel, ...file } : file
            }),
            ...after === undefined ? {} : { next: after }
          })
      })
  }))

const decodePage = Codec.decodeResult(
  Schema.Struct({ data: Items.Unread, next: Schema.optionalKey(Schema.NullOr(Schema.String)) })
)

const readFile = Items.reader(
  Schema.Struct({ id: Schema.String, name: Schema.String, size: Schema.Int, created: Schema.DateTimeUtcFromString })
)

// --------------------------------------------------------------------------------------------------------------------
// downloading
// --------------------------------------------------------------------------------------------------------------------

/**
 * The options of {@link download}.
 *
 * @category models
 * @since 0.1.0
 */
export interface DownloadOptions {
  /** The most bytes, as they are stored. A larger file fails with {@link FileTooLarge}. Default: no limit for {@link download}, else 32 MiB. */
  readonly maxSize?: number | undefined
  /**
   * When to ask again, from where the download was. A row of attempts ends when bytes come. Default: for one minute, with pauses of
   * half a second to 30 seconds. `Schedule.recurs(0)` asks once.
   */
  readonly retry?: Retry.Policy<DownloadError> | undefined
}

/**
 * Gives the bytes of a file as they arrive. The file is never in memory as a whole.
 *
 * **Details**
 *
 * `GET /v1/files/{subscribeKey}/channels/{channel}/files/{id}/{name}` leads to another host, which gets no token. A download that
 * breaks off goes on from where it was. If the storage cannot do that, it fails with {@link DownloadCut}. `requestTimeout` limits
 * the wait for the first bytes, and for each piece after them. The storage says how long a file is; behind a proxy that takes this
 * away, an answer of HTTP/1.1 that ends early can look whole.
 *
 * With an `Encryption` in the context, the bytes are decrypted as they arrive: only a stream that ends without a failure was
 * complete. A file that was not encrypted fails with `Undecryptable`: provide `undefined` as the encryption for it.
 *
 * **Example** (Every file that is shared, onto disk)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as FileSystem from "effect/FileSystem"
 * import * as Stream from "effect/Stream"
 * import * as Files from "effect-herald/pubnub/Files"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * const program = Subscribe.files({ channels: ["reports"] }).pipe(
 *   Stream.runForEach((shared) =>
 *     Effect.flatMap(FileSystem.FileSystem, (fileSystem) =>
 *       // The name is what somebody wrote; the id is the service's own.
 *       Stream.run(Files.download(shared), fileSystem.sink(`inbox/${encodeURIComponent(shared.file.id)}`))))
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const download = (
  file: FileRef,
  options: DownloadOptions = {}
): Stream.Stream<Uint8Array, DownloadError, HttpClient.HttpClient | PubNubConfig> =>
  downloading("Files.download", file, options)

/**
 * Downloads a file as bytes, all at once.
 *
 * **Details**
 *
 * As {@link download}. A file of more than `maxSize` bytes (32 MiB) fails with {@link FileTooLarge}.
 *
 * **Example** (A picture)
 *
 * ```ts
 * import * as Files from "effect-herald/pubnub/Files"
 *
 * const picture = (file: Files.FileRef) => Files.downloadBytes(file, { maxSize: 5_000_000 })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const downloadBytes = (
  file: FileRef,
  options: DownloadOptions = {}
): Effect.Effect<Uint8Array<ArrayBuffer>, DownloadError, HttpClient.HttpClient | PubNubConfig> =>
  Stream.mkUint8Array(downloading("Files.downloadBytes", file, options))

/**
 * Downloads a file as text in UTF-8. Bytes that are no UTF-8 become replacement characters.
 *
 * **Details**
 *
 * As {@link downloadBytes}.
 *
 * **Example** (A report of our own)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Files from "effect-herald/pubnub/Files"
 *
 * const lines = (file: Files.FileRef) => Effect.map(Files.downloadText(file), (text) => text.split("\n"))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const downloadText = (
  file: FileRef,
  options: DownloadOptions = {}
): Effect.Effect<string, DownloadError, HttpClient.HttpClient | PubNubConfig> =>
  Effect.map(
    Stream.mkUint8Array(downloading("Files.downloadText", file, options)),
    (bytes) => new TextDecoder().decode(bytes)
  )

type Download = "Files.download" | "Files.downloadBytes" | "Files.downloadText"

const usualMaxSize = 32 * 1024 * 1024

const downloading = (
  operation: Download,
  ref: FileRef,
  options: DownloadOptions
): Stream.Stream<Uint8Array, DownloadError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.readingStream(operation, () => {
    const file = File.namesOf(ref)
    const { maxSize = operation === "Files.download" ? Infinity : usualMaxSize, retry } = options
    const issues = [
      ...File.issuesOf(file),
      ...Input.issues({ maxSize: maxSize === Infinity ? undefined : Input.whole(0)(maxSize) }),
      ...Input.retry("retry", retry)
    ]
    if (issues.length > 0) return Stream.fail(Endpoint.refusal(operation, issues))
    const schedule = Retry.toSchedule<DownloadError>(retry ?? untilDone())
    return Stream.unwrap(
      Effect.map(Effect.all([PubNubConfig, Encryption.Current]), ([config, encryption]) => {
        const bytes = goingOn(operation, config, file, maxSize, schedule)
        return encryption === undefined ? bytes : encryption.decryptBytes(bytes)
      })
    )
  })

/** A download that goes on after a break. */
const goingOn = (
  operation: Download,
  config: PubNubConfig["Service"],
  file: FileNames,
  maxSize: number,
  schedule: Schedule.Schedule<unknown, DownloadError>
): Stream.Stream<Uint8Array, DownloadError, HttpClient.HttpClient> =>
  Stream.suspend(() => {
    const retries = Retries.make<DownloadError, never>(() => schedule)
    let received = 0
    let size: number | undefined
    let version: string | undefined

    const cut = (description: string) =>
      new DownloadCut({ operation, ...file, received, ...size === undefined ? {} : { size }, description })
    const checked = (known: number | undefined): Effect.Effect<void, FileTooLarge | DownloadCut> =>
      Math.max(received, known ?? 0) > maxSize
        ? Effect.fail(
          new FileTooLarge({
            operation,
            channel: file.channel,
            name: file.name,
            size: known ?? received,
            limit: maxSize,
            refusedBy: "client"
          })
        )
        : known !== undefined && received > known
        ? Effect.fail(cut("the storage sent more bytes than the file has"))
        : Effect.void

    /** Notes the extent of the file, unless the part does not fit to those before. */
    const fitting = Effect.fnUntraced(function*(part: Storage.Part) {
      if (part.start !== received) return yield* cut("the storage cannot go on from there, and began again")
      if (received > 0 && version === undefined) {
        return yield* cut("the storage compressed it, and cannot go on from there")
      }
      if (received > 0 && (part.size !== size || part.version !== version)) {
        return yield* cut("the file is another one now")
      }
      size = part.size
      version = part.version
      yield* checked(size)
    })

    const part = Effect.gen(function*() {
      const part = yield* open(operation, config, file, received)
      yield* Effect.onError(fitting(part), () => unread(part.bytes))
      return part.bytes.pipe(
        Stream.mapError((reason) => storageError(operation, "GET", reason)),
        Stream.mapEffect((bytes) => {
          received += bytes.length
          if (bytes.length > 0) retries.forget()
          return Effect.as(checked(size), bytes)
        }),
        Stream.concat(Stream.suspend(() =>
          size === undefined || received >= size
            ? Stream.empty
            : Stream.fail(storageError(operation, "GET", endedEarly()))
        ))
      )
    })

    const rest: Stream.Stream<Uint8Array, DownloadError, HttpClient.HttpClient> = Stream.unwrap(part).pipe(
      Stream.catch((error: DownloadError) =>
        Stream.unwrap(Effect.gen(function*() {
          if (error._tag !== "PubNubError" && error._tag !== "StorageRefused") return Stream.fail(error)
          if (received > 0 && received === size) return Stream.empty
          const decision = error.isRetryable ? yield* retries.ask(error) : { _tag: "GaveUp" as const }
          if (decision._tag === "GaveUp") return Stream.fail(received === 0 ? error : cut(error.message))
          yield* Effect.sleep(decision.millis)
          return rest
        }))
      )
    )
    return rest
  })

/** Closes a body that nobody reads: it begins to read, and ends at once. */
const unread = (bytes: Storage.Part["bytes"]): Effect.Effect<void> => Effect.scoped(Effect.asVoid(Stream.toPull(bytes)))

const endedEarly = () =>
  new PubNubError.Transport({ description: "the connection ended before the file did", sent: true })

/** Opens a file at a position. Asks for a new link each time: one from before may be too old. */
const open = (
  operation: Download,
  config: PubNubConfig["Service"],
  file: FileNames,
  start: number
): Effect.Effect<Storage.Part, DownloadError, HttpClient.HttpClient> =>
  Effect.gen(function*() {
    const endpoint = linkTo(operation, file, config.tls)
    const fail = Endpoint.errorOf(endpoint)
    const link = yield* Effect.mapError(Endpoint.send(config, endpoint), (reason) =>
      isNotFound(reason) ? new FileNotFound({ operation, ...file }) : fail(reason))
    const url = link ?? (yield* Effect.mapError(Endpoint.urlOf(config, endpoint), (reason) =>
      fail(reason)))
    return yield* Effect.mapError(
      Storage.get({ operation, config }, url, { start, follows: link === undefined }),
      (failure) =>
        failure._tag !== "Refused"
          ? isNotFound(failure)
            ? new FileNotFound({ operation, ...file })
            : storageError(operation, "GET", failure)
          : failure.status === 404
          ? new FileNotFound({ operation, ...file })
          : refusedBy(failure, { operation, channel: file.channel, name: file.name })
    )
  })

const isNotFound = (reason: PubNubError.Reason) => reason._tag === "BadRequest" && reason.status === 404

/** Asks where a file is. A browser does not tell: then the answer is undefined, and the transport has to follow it. */
const linkTo = (operation: string, file: FileNames, tls: boolean): Endpoint.Endpoint<string | undefined> => ({
  operation,
  path: File.pathOf(file),
  issues: File.issuesOf(file),
  longInput: { location: "name", advice: "pass the name that the service gave" },
  attributes: { "messaging.destination.name": file.channel },
  decode: () => Result.fail("it leads to no file"),
  readOther: (answer) => {
    const { headers, status } = answer
    if (status === 0) return Effect.undefined
    if (status < 300 || status >= 400) return undefined
    const location = Option.getOrElse(Headers.get(headers, "location"), () => "")
    const wrong = Form.addressIssue(location, tls)
    return wrong === undefined
      ? Effect.succeed(location)
      : Effect.fail(Answer.malformed(answer, `the address of the file ${wrong}`))
  }
})

/**
 * Gives the address of a file on the service, which leads whoever asks for it to the file. Nothing is sent. **It holds the access
 * token of this user**, if there is one, and with a secret key a signature that is good for a minute: give it to nobody, and put it
 * into no page that others see.
 *
 * **Details**
 *
 * `/v1/files/{subscribeKey}/channels/{channel}/files/{id}/{name}` with the parameters of a request.
 *
 * **Example** (An image for this user's own browser)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import * as Files from "effect-herald/pubnub/Files"
 *
 * const source = (file: Files.FileRef) => Effect.map(Files.url(file), Redacted.value)
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const url = (
  file: FileRef
): Effect.Effect<
  Redacted.Redacted,
  PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey | PubNubError.TokenUnavailable>,
  PubNubConfig
> =>
  Effect.flatMap(PubNubConfig, (config) =>
    Endpoint.reading("Files.url", () => {
      const endpoint = linkTo("Files.url", File.namesOf(file), config.tls)
      return Endpoint.urlOf(config, endpoint).pipe(
        Effect.map((url) => Redacted.make(url)),
        Effect.mapError((reason) => Endpoint.errorOf(endpoint)(reason))
      )
    }))

/**
 * Removes a file. Its announcements stay, and lead nowhere: subscribers get no event. Fails with {@link FileNotFound} if the service
 * says that there is none.
 *
 * **Details**
 *
 * `DELETE /v1/files/{subscribeKey}/channels/{channel}/files/{id}/{name}`. It is safe to repeat the request.
 *
 * **Example** (Everything older than a week)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Files from "effect-herald/pubnub/Files"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const cleanUp = Effect.gen(function*() {
 *   const weekAgo = DateTime.subtract(yield* DateTime.now, { days: 7 })
 *   yield* Files.stream({ channel: "reports" }).pipe(
 *     Stream.filter(UndecodableItem.isDecoded),
 *     Stream.filter(({ created }) => DateTime.isLessThan(created, weekAgo)),
 *     Stream.runForEach((file) => Files.remove(file))
 *   )
 * })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const remove = (
  file: FileRef
): Effect.Effect<void, PubNubError.PubNubError | FileNotFound, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.reading("Files.remove", () => {
    const names = File.namesOf(file)
    return Effect.mapError(
      Endpoint.run("Files.remove", () => ({
        method: "DELETE",
        path: File.pathOf(names),
        issues: File.issuesOf(names),
        attributes: { "messaging.destination.name": names.channel },
        decode: () => Result.void
      })),
      (error) => isNotFound(error.reason) ? new FileNotFound({ operation: "Files.remove", ...names }) : error
    )
  })
