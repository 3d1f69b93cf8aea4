/** Drafts of messages: the input of the user, checked and encoded for the service. */
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Input from "../../../internal/input.ts"
import * as Json from "../../../internal/json.ts"
import * as Text from "../../../internal/text.ts"
import type * as Attachment from "../../Attachment.ts"
import * as Ids from "../../Ids.ts"
import type * as Message from "../../Message.ts"
import type * as MessageML from "../../MessageML.ts"
import * as Content from "./content.ts"
import * as Times from "./times.ts"
import * as Upload from "./upload.ts"

/** A message, checked and encoded. */
export interface Draft<E, R> {
  readonly content: string
  readonly data: string | undefined
  readonly version: string | undefined
  readonly attachments: ReadonlyArray<Attachment.Attachment<E, R>>
  readonly silent: boolean | undefined
}

/** A whole message, or the parts of one. */
export interface Options<E, R> extends Omit<Message.Message<E, R>, "content" | "silent"> {
  readonly message: string | MessageML.Markup | Message.Message<E, R>
}

type Issues = ReadonlyArray<Input.Detail>

/** A message that throws while it is read is refused like other wrong input. */
const reading = <A>(read: () => Effect.Effect<A, Issues>): Effect.Effect<A, Issues> =>
  Effect.catchDefect(
    Effect.suspend(read),
    (defect) => Effect.fail([{ message: `the message cannot be read: ${Text.ofDefect(defect)}` }])
  )

const isWhole = <E, R>(message: Options<E, R>["message"]): message is Message.Message<E, R> =>
  Predicate.hasProperty(message, "content")

const version = Input.matching(/^(\d+\.\d+)?$/, "is not a version, major.minor")

export const readMessage = <E, R>(options: Options<E, R>): Effect.Effect<Draft<E, R>, Issues> =>
  reading(() => {
    const { message } = options
    const whole: Message.Message<E, R> = isWhole(message) ? message : {
      content: message,
      data: options.data,
      version: options.version,
      attachments: options.attachments
    }
    const at = (field: string) => isWhole(message) ? `message.${field}` : field === "content" ? "message" : field
    const { attachments = [], silent } = whole
    return Effect.map(
      readContent(whole.content, whole.data, at, [
        ...Input.issues({
          [at("version")]: Input.optional(version)(whole.version),
          [at("silent")]: Input.optional(Input.flag)(silent)
        }),
        ...Upload.issuesOf(attachments, at("attachments"))
      ]),
      (content) => ({ ...content, version: whole.version === "" ? undefined : whole.version, attachments, silent })
    )
  })

/** The most levels of data: the default of many JSON parsers. Some readers could not read a message with deeper data at all. */
const mostLevels = 1_000

/** Encodes a message. Fails with all problems of the content and the other parts. */
const readContent = (
  content: string | MessageML.Markup,
  data: { readonly [id: string]: unknown } | undefined,
  at: (field: string) => string,
  others: Issues
): Effect.Effect<Pick<Draft<never, never>, "content" | "data">, Issues> =>
  Effect.flatMap(Effect.result(Content.wrap(content)), (wrapped) => {
    const misfit = Input.optional(Input.record)(data)
    const ofMarkup = typeof content === "string" ? {} : { ...content?.data }
    const entities = Object.keys(ofMarkup).length === 0 ? data : { ...ofMarkup, ...data }
    const text = entities === undefined || misfit !== undefined
      ? undefined
      : Json.stringify(entities, { wellFormed: true, levels: mostLevels })
    const details = [
      ...Input.issues({
        [at("content")]: Result.isFailure(wrapped) ? wrapped.failure : undefined,
        [at("data")]: misfit ??
          (text !== undefined && Result.isFailure(text) ? `cannot be carried by JSON: ${text.failure}` : undefined)
      }),
      ...others
    ]
    return Result.isFailure(wrapped) || details.length > 0
      ? Effect.fail(details)
      : Effect.succeed({
        content: wrapped.success,
        data: text === undefined ? undefined : Result.getOrUndefined(text)
      })
  })

/** The same, as JSON for the body of an import. */
export const readImported = (message: Message.ImportedMessage, index: number): Effect.Effect<object, Issues> =>
  reading(() => {
    const misfit = Input.record(message)
    if (misfit !== undefined) return Effect.fail([{ location: `messages[${index}]`, message: misfit }])
    const at = (field: string) => `messages[${index}].${field === "content" ? "message" : field}`
    const { attachments = [], intendedMessageFromUserId, originalMessageId, originatingSystemId, previews = [] } =
      message
    const details: Array<Input.Detail> = [
      ...Input.issues({
        [at("streamId")]: Ids.issue(message.streamId),
        [at("intendedMessageTimestamp")]: message.intendedMessageTimestamp === undefined
          ? "is missing"
          : Times.check(message.intendedMessageTimestamp),
        [at("intendedMessageFromUserId")]: Input.whole(0)(intendedMessageFromUserId),
        [at("originatingSystemId")]: Input.filled(originatingSystemId),
        [at("originalMessageId")]: Input.optional(Input.text)(originalMessageId),
        [at("previews")]: previews.length === 0 || previews.length === attachments.length
          ? undefined
          : `are ${previews.length} for ${attachments.length} files; all or none`
      }),
      ...Upload.issuesOf(attachments, at("attachments")),
      ...Upload.issuesOf(previews, at("previews"))
    ]
    if (details.length === 0) {
      const contents = [...attachments, ...previews].map(({ content }) => content)
      details.push(...Upload.sizeIssues(at("attachments"), contents))
      if (!contents.every(isCarried)) {
        details.push({ location: at("attachments"), message: "are neither bytes nor text" })
      }
    }
    const files = (files: ReadonlyArray<Message.ImportedFile>) =>
      files.length === 0
        ? undefined
        : files.map(({ content, name }) => ({ filename: name, content: Base64.encode(content) }))
    return Effect.map(readContent(message.message, message.data, at, details), ({ content, data }) => ({
      streamId: message.streamId,
      message: content,
      data,
      intendedMessageTimestamp: Times.millisOf(message.intendedMessageTimestamp),
      originalMessageId,
      attachments: files(attachments),
      previews: files(previews),
      intendedMessageFromUserId,
      originatingSystemId
    }))
  })

/** Whether JSON can hold the content of a file: not that of a stream. */
const isCarried = (content: unknown): boolean => typeof content === "string" || content instanceof Uint8Array
