/**
 * The content of a file as the body of a form. Each attempt reads it again, and knows how reading failed.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as Stream from "effect/Stream"
import * as Multipart from "../../../internal/multipart.ts"
import type { Encryption } from "../wire/encryption.ts"
import type { Form } from "./form.ts"

const utf8 = new TextEncoder()

/** What can be sent without a stream. */
export type Whole = Uint8Array | Blob

/** Bytes that are read again for each attempt. */
export interface Streamed<E, R> {
  readonly stream: Stream.Stream<Uint8Array, E, R>
  readonly size: number
}

export type Content<E, R> = Whole | Streamed<E, R>

/** Text as bytes, and a stream with its size. */
export const of = <E, R>(
  content: string | Whole | Stream.Stream<Uint8Array, E, R>,
  size: number | undefined
): Content<E, R> =>
  typeof content === "string"
    ? utf8.encode(content)
    : Stream.isStream(content)
    ? { stream: content, size: size ?? 0 }
    : content

export const sizeOf = (content: Content<unknown, unknown>): number =>
  content instanceof Uint8Array ? content.length : content.size

/** A stream does not have the size that was given. */
export class WrongSize {
  /** The size that was given. */
  readonly said: number
  /** The bytes that came until it was clear. */
  readonly came: number

  constructor(said: number, came: number) {
    this.said = said
    this.came = came
  }
}

/**
 * The content as it is stored. What is in memory anyhow is encrypted once; a stream is encrypted while it is sent. Fails with what
 * is wrong with a `Blob`: the file behind it may have changed.
 */
export const sealed = <E, R>(
  content: Content<E, R>,
  encryption: Encryption | undefined
): Effect.Effect<Content<E | WrongSize, R>, string> => {
  if (encryption === undefined) return Effect.succeed(content)
  if (!(content instanceof Uint8Array || content instanceof Blob)) {
    return Effect.succeed({
      stream: encryption.encryptBytes(exactly(content)),
      size: encryption.encryptedSize(content.size)
    })
  }
  const bytes = content instanceof Blob
    ? Effect.tryPromise({
      try: async () => new Uint8Array(await content.arrayBuffer()),
      catch: () => "cannot be read: if it is a file, it may be gone or have changed"
    })
    : Effect.succeed(content)
  return Stream.mkUint8Array(encryption.encryptBytes(Stream.fromEffect(bytes)))
}

/** The body of one attempt. */
export interface Body<E> {
  readonly content: HttpBody.HttpBody
  /** How reading failed. The transport only reports a closed connection then. */
  readonly broken: () => Cause.Cause<E | WrongSize> | undefined
}

/** Makes the body of an attempt. */
export const body = <E, R>(
  content: Content<E, R>,
  { fields, name }: Pick<Form, "fields" | "name">,
  contentType: string | undefined
): Effect.Effect<Body<E>, never, R> =>
  Effect.gen(function*() {
    const boundary = yield* Multipart.newBoundary
    const { after, before } = Multipart.around(
      boundary,
      // The policy permits any type, and no further field.
      contentType === undefined
        ? fields
        : fields.map(([name, value]) => name.toLowerCase() === "content-type" ? [name, contentType] : [name, value]),
      { name: "file", fileName: name, contentType: "application/octet-stream" }
    )
    const type = `multipart/form-data; boundary=${boundary}`
    const contentLength = before.length + sizeOf(content) + after.length
    if (content instanceof Blob) {
      const form = new Blob([before, content, after], { type })
      return { content: HttpBody.raw(form, { contentType: type, contentLength }), broken: () => undefined }
    }
    if (content instanceof Uint8Array) {
      const form = new Uint8Array(contentLength)
      form.set(before)
      form.set(content, before.length)
      form.set(after, before.length + content.length)
      return { content: HttpBody.uint8Array(form, type), broken: () => undefined }
    }
    let broken: Cause.Cause<E | WrongSize> | undefined
    const context = yield* Effect.context<R>()
    const whole = Stream.make(before).pipe(
      Stream.concat(exactly(content)),
      Stream.concat(Stream.make(after)),
      Stream.onError((cause) =>
        Effect.sync(() => {
          if (!Cause.hasInterruptsOnly(cause)) broken ??= cause
        })
      ),
      Stream.provideContext(context)
    )
    return { content: HttpBody.stream(whole, type, contentLength), broken: () => broken }
  })

/** The bytes of a stream, which fails unless they are as many as was said. */
const exactly = <E, R>({ size, stream }: Streamed<E, R>): Stream.Stream<Uint8Array, E | WrongSize, R> =>
  Stream.suspend(() => {
    let came = 0
    const wrong = Effect.suspend(() => Effect.fail(new WrongSize(size, came)))
    return stream.pipe(
      Stream.mapEffect((bytes) => {
        came += bytes.length
        return came > size ? wrong : Effect.succeed(bytes)
      }),
      Stream.concat(Stream.suspend(() => came === size ? Stream.empty : Stream.fromEffect(wrong)))
    )
  })
