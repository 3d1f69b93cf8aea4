/** What the user gave, checked: ids, numbers and times, and messages on their way into a body. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Json from "../../internal/json.ts"
import type * as Attachment from "../Attachment.ts"
import * as Ids from "../Ids.ts"
import type * as MessageML from "../MessageML.ts"
import type * as SymphonyError from "../SymphonyError.ts"
import * as Content from "./content.ts"
import * as Upload from "./upload.ts"

export const idIssues = (location: string, id: string): ReadonlyArray<SymphonyError.Detail> => {
  const message = Ids.issue(id)
  return message === undefined ? [] : [{ location, message }]
}

/** Of text that is sent, if there is any: half a character has no UTF-8 form. */
export const textIssues = (location: string, text: string | undefined): ReadonlyArray<SymphonyError.Detail> =>
  text === undefined || text.isWellFormed() ? [] : [{ location, message: "holds half of a surrogate pair" }]

export const wholeIssues = (
  location: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER
): ReadonlyArray<SymphonyError.Detail> =>
  Number.isSafeInteger(value) && value >= least && value <= most ? [] : [{
    location,
    message: most === Number.MAX_SAFE_INTEGER
      ? `is not a whole number from ${least} on`
      : `is not a whole number from ${least} to ${most}`
  }]

/** The milliseconds of a time as the service wants them; empty where there is none. */
export const millisOf = (
  location: string,
  input: DateTime.DateTime.Input | undefined
): { readonly value: string; readonly issues: ReadonlyArray<SymphonyError.Detail> } => {
  if (input === undefined) return { value: "", issues: [] }
  const millis = Option.match(DateTime.make(input), { onNone: () => -1, onSome: DateTime.toEpochMillis })
  return millis >= 0
    ? { value: String(Math.floor(millis)), issues: [] }
    : { value: "", issues: [{ location, message: "is not a time since 1970" }] }
}

/** A message on its way into a body. */
export interface Draft<E, R> {
  readonly content: string
  readonly data: string | undefined
  readonly version: string | undefined
  readonly attachments: ReadonlyArray<Attachment.Attachment<E, R>>
  readonly silent: boolean | undefined
}

/** A message as it is given. */
interface Message<E, R> {
  readonly content: string | MessageML.Markup
  readonly data?: { readonly [id: string]: unknown } | undefined
  readonly version?: string | undefined
  readonly attachments?: ReadonlyArray<Attachment.Attachment<E, R>> | undefined
  readonly silent?: boolean | undefined
}

/** A whole message, or the parts of one. */
export interface Options<E, R> extends Omit<Message<E, R>, "content" | "silent"> {
  readonly message: string | MessageML.Markup | Message<E, R>
}

const isWhole = <E, R>(message: Options<E, R>["message"]): message is Message<E, R> =>
  typeof message === "object" && "content" in message

export const readMessage = <E, R>(
  options: Options<E, R>
): Effect.Effect<Draft<E, R>, ReadonlyArray<SymphonyError.Detail>> =>
  Effect.gen(function*() {
    const { message } = options
    const whole: Message<E, R> = isWhole(message) ? message : {
      content: message,
      data: options.data,
      version: options.version,
      attachments: options.attachments
    }
    const at = (field: string) => isWhole(message) ? `message.${field}` : field === "content" ? "message" : field
    const { attachments = [], silent, version = "" } = whole
    const read = yield* Effect.result(readContent(whole.content, whole.data, at))
    const details = [
      ...Result.isFailure(read) ? read.failure : [],
      ...version === "" || /^\d+\.\d+$/.test(version)
        ? []
        : [{ location: at("version"), message: "is not a version, major.minor" }],
      ...Upload.issuesOf(attachments).map((detail) => ({ ...detail, location: at(detail.location) }))
    ]
    if (Result.isFailure(read) || details.length > 0) return yield* Effect.fail(details)
    return { ...read.success, version: version === "" ? undefined : version, attachments, silent }
  })

/** As deep as JSON parsers read by default. Who gets data that is deeper may not be able to read the message at all. */
const mostLevels = 1_000

const readContent = (
  content: string | MessageML.Markup,
  data: { readonly [id: string]: unknown } | undefined,
  at: (field: string) => string
): Effect.Effect<Pick<Draft<never, never>, "content" | "data">, ReadonlyArray<SymphonyError.Detail>> =>
  Effect.gen(function*() {
    const isText = typeof content === "string"
    const wrapped = yield* Effect.result(Content.wrap(content))
    const entities = isText || Object.keys(content.data).length === 0 ? data : { ...content.data, ...data }
    const text = entities === undefined ? undefined : Json.stringify(entities, { wellFormed: true, levels: mostLevels })
    const details = [
      ...Result.isFailure(wrapped) ? [{ location: at("content"), message: wrapped.failure }] : [],
      ...Array.isArray(data) ? [{ location: at("data"), message: "is a list; it must be an object" }] : [],
      ...text !== undefined && Result.isFailure(text)
        ? [{ location: at("data"), message: `cannot be carried by JSON: ${text.failure}` }]
        : []
    ]
    if (Result.isFailure(wrapped) || details.length > 0) return yield* Effect.fail(details)
    return { content: wrapped.success, data: text === undefined ? undefined : Result.getOrUndefined(text) }
  })

interface ImportedFile {
  readonly name: string
  readonly content: string | Uint8Array
}

/** A message of another system. */
interface ImportedMessage {
  readonly streamId: string
  readonly message: string | MessageML.Markup
  readonly data?: { readonly [id: string]: unknown } | undefined
  readonly intendedMessageTimestamp: DateTime.DateTime.Input
  readonly intendedMessageFromUserId: number
  readonly originatingSystemId: string
  readonly originalMessageId?: string | undefined
  readonly attachments?: ReadonlyArray<ImportedFile> | undefined
  readonly previews?: ReadonlyArray<ImportedFile> | undefined
}

export const readImported = (
  message: ImportedMessage,
  index: number
): Effect.Effect<Schema.Json, ReadonlyArray<SymphonyError.Detail>> =>
  Effect.gen(function*() {
    const at = (field: string) => `messages[${index}].${field === "content" ? "message" : field}`
    const { attachments = [], previews = [] } = message
    const timestamp = millisOf(at("intendedMessageTimestamp"), message.intendedMessageTimestamp)
    const read = yield* Effect.result(readContent(message.message, message.data, at))
    const details = [
      ...idIssues(at("streamId"), message.streamId),
      ...Result.isFailure(read) ? read.failure : [],
      ...timestamp.issues,
      ...wholeIssues(at("intendedMessageFromUserId"), message.intendedMessageFromUserId, 0),
      ...message.originatingSystemId === "" ? [{ location: at("originatingSystemId"), message: "is empty" }] : [],
      ...textIssues(at("originatingSystemId"), message.originatingSystemId),
      ...textIssues(at("originalMessageId"), message.originalMessageId),
      ...previews.length === 0 || previews.length === attachments.length
        ? []
        : [{
          location: at("previews"),
          message: `are ${previews.length} for ${attachments.length} files; all or none`
        }],
      ...Upload.issuesOf([...attachments, ...previews]).map((detail) => ({ ...detail, location: at(detail.location) }))
    ]
    if (Result.isFailure(read) || details.length > 0) return yield* Effect.fail(details)
    const files = (files: ReadonlyArray<ImportedFile>) =>
      files.map(({ content, name }) => ({ filename: name, content: Base64.encode(content) }))
    const { content, data } = read.success
    return {
      streamId: message.streamId,
      message: content,
      ...data === undefined ? {} : { data },
      intendedMessageTimestamp: Number(timestamp.value),
      intendedMessageFromUserId: message.intendedMessageFromUserId,
      originatingSystemId: message.originatingSystemId,
      ...message.originalMessageId === undefined ? {} : { originalMessageId: message.originalMessageId },
      ...attachments.length === 0 ? {} : { attachments: files(attachments) },
      ...previews.length === 0 ? {} : { previews: files(previews) }
    }
  })
