/**
 * Makes the body of a message with files. It checks the files before a request, counts their bytes while it reads them, and reads
 * them again for each attempt. The body of an attempt knows how reading failed.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Stream from "effect/Stream"
import * as Input from "../../../internal/input.ts"
import * as Multipart from "../../../internal/multipart.ts"
import * as Attachment from "../../Attachment.ts"
import type * as SymphonyError from "../../SymphonyError.ts"
import * as Body from "./body.ts"
import * as Endpoint from "./endpoint.ts"

const most = 30 * 1024 * 1024

/** A file with its defaults filled in. */
interface File<E, R> {
  readonly part: "attachment" | "preview"
  readonly location: string
  readonly name: string
  readonly contentType: string
  readonly content: Attachment.Content<E, R>
}

const filesOf = <E, R>(
  attachments: ReadonlyArray<Attachment.Attachment<E, R>>,
  at: string
): ReadonlyArray<File<E, R>> =>
  attachments.flatMap(({ content, contentType, name, preview }, index) => {
    const location = `${at}[${index}]`
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
  given ?? (content instanceof Blob && content.type !== "" ? content.type : Multipart.typeOf(String(name)))

const utf8 = new TextEncoder()

/** The size of a content, if it is not a stream. */
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

/** Control characters are refused in file names: readers would see another name, or no file. */
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/

const name = Input.all(
  Input.filled,
  (value) => typeof value === "string" && control.test(value) ? "holds a control character" : undefined
)

const mediaType = Input.matching(/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+( *;[\x20-\x7e]*)?$/, "is not a media type")

const content: Input.Check = (value) =>
  typeof value === "string"
    ? Input.text(value)
    : isContent(value)
    ? undefined
    : "is neither bytes nor text nor a stream"

/** The problems of the types of a list of files. The other checks need right types. */
const shapeIssues = (
  location: string,
  attachments: ReadonlyArray<Attachment.Attachment<unknown, unknown>>
): ReadonlyArray<Input.Detail> => {
  const misfit = Input.list(0)(attachments)
  return misfit !== undefined ? Input.issues({ [location]: misfit }) : attachments.flatMap((attachment, index) => {
    const at = `${location}[${index}]`
    const problem = Input.record(attachment)
    return Input.issues({
      [at]: problem,
      [`${at}.preview`]: problem === undefined ? Input.optional(Input.record)(attachment.preview) : undefined
    })
  })
}

/** The problems of files that can be found without reading them. */
export const issuesOf = (
  attachments: ReadonlyArray<Attachment.Attachment<unknown, unknown>>,
  location: string
): ReadonlyArray<Input.Detail> => {
  const misfits = shapeIssues(location, attachments)
  if (misfits.length > 0 || attachments.length === 0) return misfits
  const files = filesOf(attachments, location)
  const previews = files.filter(({ part }) => part === "preview").length
  return [
    ...files.flatMap((file) =>
      Input.issues({
        [`${file.location}.name`]: name(file.name),
        [`${file.location}.content`]: content(file.content),
        [`${file.location}.contentType`]: mediaType(file.contentType)
      })
    ),
    ...Input.issues({
      [location]: previews === 0 || previews === attachments.length
        ? undefined
        : `have ${previews} previews for ${attachments.length} files; all or none`
    }),
    ...sizeIssues(location, files.map(({ content }) => content))
  ]
}

/** The problem of the total size of the files of a message. */
export const sizeIssues = (
  location: string,
  contents: ReadonlyArray<Attachment.Content<unknown, unknown>>
): ReadonlyArray<Input.Detail> => {
  const size = contents.reduce<number>((total, content) => total + sizeOf(content), 0)
  return size > most ? [tooLarge(location, size)] : []
}

const tooLarge = (location: string, size: number) => ({
  location,
  message: `have ${size} bytes or more; a message may have ${most}`
})

type Failure<E> = SymphonyError.SymphonyError | Attachment.AttachmentFailed<E>

/** Makes the body of each attempt, with the same boundary. */
export const make = <E, R>(
  options: {
    readonly operation: string
    readonly fields: ReadonlyArray<readonly [name: string, value: string]>
    readonly attachments: ReadonlyArray<Attachment.Attachment<E, R>>
    readonly errorOf: (reason: SymphonyError.Reason) => SymphonyError.SymphonyError
  }
) =>
  Effect.map(Multipart.newBoundary, (boundary): Effect.Effect<Body.Body<Failure<E>>, Failure<E>, R> => {
    const { attachments, errorOf, fields, operation } = options
    const contentType = `multipart/form-data; boundary=${boundary}`
    if (attachments.length === 0) {
      // All attempts can share it.
      return Effect.succeed(Body.of(HttpBody.text(Multipart.ofTexts(boundary, fields), contentType)))
    }
    const texts = fields.map(([name, value]) => Multipart.text(name, value))
    const files = filesOf(attachments, "attachments")
    const known = files.reduce((total, { content }) => total + sizeOf(content), 0)
    const refused = (detail: SymphonyError.Detail) => errorOf(Endpoint.refused([detail]))
    const failed = (attachment: string, cause: unknown) =>
      new Attachment.AttachmentFailed<E>({ operation, attachment, cause })

    return Effect.gen(function*() {
      // Counts the bytes of all streams together.
      let size = known
      /** A file that can be read only once, if reading it has begun. */
      let spent: string | undefined
      /** The failure of reading the content. */
      let broken: Cause.Cause<Failure<E>> | undefined

      const streamed = (
        name: string,
        stream: Stream.Stream<Uint8Array, E, R>
      ): Stream.Stream<Uint8Array, Failure<E>, R> =>
        stream.pipe(
          Stream.mapError((cause): Failure<E> => failed(name, cause)),
          Stream.mapEffect((bytes) => {
            size += bytes.length
            return size > most ? Effect.fail(refused(tooLarge("attachments", size))) : Effect.succeed(bytes)
          })
        )
      const once = (name: string, { stream }: Attachment.Once<E, R>) =>
        Stream.suspend(() => {
          spent ??= name
          return streamed(name, stream)
        })
      const bytesOf = ({ content, location, name }: File<E, R>) =>
        typeof content === "string"
          ? Effect.succeed(utf8.encode(content))
          : content instanceof Blob
          ? Effect.tryPromise({
            try: async () => new Uint8Array(await content.arrayBuffer()),
            catch: () => refused({ location: `${location}.content`, message: "is a Blob that cannot be read" })
          })
          : Effect.succeed(
            content instanceof Uint8Array
              ? content
              : Stream.isStream(content)
              ? streamed(name, content)
              : once(name, content)
          )
      const parts = yield* Effect.forEach(files, (file) =>
        Effect.map(bytesOf(file), (content): Multipart.Part<Failure<E>, R> => ({
          name: file.part,
          fileName: file.name,
          contentType: file.contentType,
          content
        })))
      const encoded = Multipart.encode<Failure<E>, R>(boundary, [...texts, ...parts])
      const context = yield* Effect.context<R>()
      const body: Body.Body<Failure<E>> = {
        content: encoded instanceof Uint8Array ? HttpBody.uint8Array(encoded, contentType) : HttpBody.stream(
          encoded.pipe(
            Stream.onError((cause) =>
              Effect.sync(() => {
                if (!Cause.hasInterruptsOnly(cause)) {
                  broken ??= cause
                }
              })
            ),
            Stream.provideContext(context)
          ),
          contentType
        ),
        failed: (error) =>
          broken !== undefined
            ? Effect.failCause(Cause.map(broken, (error) => ({ error })))
            : Effect.fail({
              error,
              another: spent === undefined ? undefined : failed(spent, new Attachment.AttachmentSpent({ error }))
            })
      }
      return body
    })
  })
