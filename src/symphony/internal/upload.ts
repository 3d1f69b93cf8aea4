/**
 * Files on their way into the body of a message: checked before anything is sent, counted while they are read, and read
 * anew for each attempt.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as Attachment from "../Attachment.ts"
import type * as SymphonyError from "../SymphonyError.ts"
import * as Endpoint from "./endpoint.ts"
import * as Multipart from "./multipart.ts"
import type { Request } from "./request.ts"

const most = 30 * 1024 * 1024

/** A file with all that is said of it. */
interface File<E, R> {
  readonly part: "attachment" | "preview"
  readonly location: string
  readonly name: string
  readonly contentType: string
  readonly content: Attachment.Content<E, R>
}

const filesOf = <E, R>(attachments: ReadonlyArray<Attachment.Attachment<E, R>>): ReadonlyArray<File<E, R>> =>
  attachments.flatMap(({ content, contentType, name, preview }, index) => {
    const location = `attachments[${index}]`
    const file: File<E, R> = {
      part: "attachment",
      location,
      name,
      contentType: typeOf(contentType, content, name),
      content
    }
    if (preview === undefined) return [file]
    const previewName = preview.name ?? `preview-${name}`
    return [file, {
      part: "preview",
      location: `${location}.preview`,
      name: previewName,
      contentType: typeOf(preview.contentType, preview.content, previewName),
      content: preview.content
    }]
  })

const typeOf = (given: string | undefined, content: Attachment.Content<unknown, unknown>, name: string): string =>
  given ?? (content instanceof Blob && content.type !== "" ? content.type : Multipart.typeOf(name))

const utf8 = new TextEncoder()

/** The size of what is not a stream. */
const sizeOf = (content: Attachment.Content<unknown, unknown>): number =>
  typeof content === "string"
    ? utf8.encode(content).length
    : content instanceof Uint8Array
    ? content.length
    : content instanceof Blob
    ? content.size
    : 0

const isContent = (content: unknown): boolean =>
  typeof content === "string" || content instanceof Uint8Array || content instanceof Blob || Stream.isStream(content) ||
  isOnce(content)

const isOnce = (content: unknown): content is Attachment.Once<unknown, unknown> =>
  typeof content === "object" && content !== null && "_tag" in content && content._tag === "Once"

/** What a file cannot be called: who reads it from a disk would find another name, or none. */
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/

const nameIssues = (location: string, name: string): ReadonlyArray<Required<SymphonyError.Detail>> => [
  ...name.isWellFormed() ? [] : [{ location, message: "holds half of a surrogate pair" }],
  ...control.test(name) ? [{ location, message: "holds a control character" }] : []
]

/** What is wrong with files, as far as it can be known without reading them. */
export const issuesOf = (
  attachments: ReadonlyArray<Attachment.Attachment<unknown, unknown>>
): ReadonlyArray<Required<SymphonyError.Detail>> => {
  const files = filesOf(attachments)
  const previews = files.filter(({ part }) => part === "preview").length
  const size = files.reduce((total, { content }) => total + sizeOf(content), 0)
  return [
    ...files.flatMap(({ content, contentType, location, name }) => [
      ...name === "" ? [{ location: `${location}.name`, message: "is empty" }] : [],
      ...nameIssues(`${location}.name`, name),
      ...typeof content !== "string" || content.isWellFormed()
        ? []
        : [{ location: `${location}.content`, message: "holds half of a surrogate pair" }],
      ...isContent(content)
        ? []
        : [{ location: `${location}.content`, message: "is neither bytes nor text nor a stream" }],
      ...mediaType.test(contentType) ? [] : [{ location: `${location}.contentType`, message: "is not a media type" }]
    ]),
    ...previews === 0 || previews === attachments.length
      ? []
      : [{
        location: "attachments",
        message: `have ${previews} previews for ${attachments.length} files; all or none`
      }],
    ...size > most ? [tooLarge(size)] : []
  ]
}

const mediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+( *;[\x20-\x7e]*)?$/

const tooLarge = (size: number) => ({
  location: "attachments",
  message: `have ${size} bytes or more; a message may have ${most}`
})

/** The body of a message, and what has to be known of it when an attempt fails. */
export type Upload<E, R> = Required<
  Pick<
    Request<never, SymphonyError.SymphonyError | Attachment.AttachmentFailed<E>, R>,
    "body" | "bodyFailure" | "spent"
  >
>

export const make = <E, R>(
  options: {
    readonly operation: string
    readonly fields: ReadonlyArray<readonly [name: string, value: string]>
    readonly attachments: ReadonlyArray<Attachment.Attachment<E, R>>
    readonly errorOf: (reason: SymphonyError.Reason) => SymphonyError.SymphonyError
  }
): Effect.Effect<Upload<E, R>> =>
  Effect.map(newBoundary, (boundary) => {
    type Failure = SymphonyError.SymphonyError | Attachment.AttachmentFailed<E>
    const files = filesOf(options.attachments)
    const known = files.reduce((total, { content }) => total + sizeOf(content), 0)
    const refused = (detail: SymphonyError.Detail) => options.errorOf(Endpoint.refused([detail]))
    let failure: Cause.Cause<Failure> | undefined
    let opened: string | undefined

    // One attempt: the bytes of all its streams count together.
    const body = Effect.gen(function*() {
      let size = known
      const streamed = (name: string, stream: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, Failure, R> =>
        stream.pipe(
          Stream.mapError((cause): Failure =>
            new Attachment.AttachmentFailed<E>({ operation: options.operation, attachment: name, cause })
          ),
          Stream.mapEffect((bytes) => {
            size += bytes.length
            return size > most ? Effect.fail(refused(tooLarge(size))) : Effect.succeed(bytes)
          })
        )
      const parts = yield* Effect.forEach(files, ({ content, contentType, location, name, part }) => {
        const file = (content: Multipart.Part<Failure, R>["content"]): Multipart.Part<Failure, R> => ({
          name: part,
          fileName: name,
          contentType,
          content
        })
        if (typeof content === "string") return Effect.succeed(file(utf8.encode(content)))
        if (content instanceof Uint8Array) return Effect.succeed(file(content))
        if (content instanceof Blob) {
          return Effect.tryPromise({
            try: () => content.arrayBuffer(),
            catch: () => refused({ location: `${location}.content`, message: "is a Blob that cannot be read" })
          }).pipe(Effect.map((buffer) => file(new Uint8Array(buffer))))
        }
        if (Stream.isStream(content)) return Effect.succeed(file(streamed(name, content)))
        const opening = Stream.suspend(() => {
          opened ??= name
          return content.stream
        })
        return Effect.succeed(file(streamed(name, opening)))
      })
      const encoded = Multipart.encode<Failure, R>(boundary, [
        ...options.fields.map(([name, value]) => Multipart.text(name, value)),
        ...parts
      ])
      const contentType = `multipart/form-data; boundary=${boundary}`
      if (encoded instanceof Uint8Array) return HttpBody.uint8Array(encoded, contentType)
      const context = yield* Effect.context<R>()
      return HttpBody.stream(
        encoded.pipe(
          // The transport would tell of a broken connection.
          Stream.onError((cause) =>
            Effect.sync(() => {
              if (!Cause.hasInterruptsOnly(cause)) failure ??= cause
            })
          ),
          Stream.provideContext(context)
        ),
        contentType
      )
    })
    return {
      body,
      bodyFailure: () => failure,
      spent: (error) =>
        opened === undefined
          ? undefined
          : new Attachment.AttachmentFailed({
            operation: options.operation,
            attachment: opened,
            cause: new Attachment.AttachmentSpent({ error })
          })
    }
  })

const newBoundary = Effect.map(
  Effect.replicateEffect(Random.nextIntBetween(0, 0xffff), 8),
  (numbers) => `effect-herald-${numbers.map((number) => number.toString(16).padStart(4, "0")).join("")}`
)
