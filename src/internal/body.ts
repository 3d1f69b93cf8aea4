/**
 * The body of an answer as text, up to a limit: a server may send any amount, without end. The limit counts the bytes that are
 * read, after decompression. It ignores `content-length`.
 */
import * as Effect from "effect/Effect"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Stream from "effect/Stream"
import * as Text from "./text.ts"

export interface Body {
  readonly text: string
  /** The limit, if the body is longer. `text` is then its beginning, with an ellipsis: the cut may be in the middle of a secret. */
  readonly limit?: number
}

const utf8 = new TextDecoder()

/** Reads the body. Calls `onPart` for each part that arrives. */
export const text = (
  response: HttpClientResponse.HttpClientResponse,
  maxSize: number,
  onPart?: () => void
): Effect.Effect<Body, HttpClientError.HttpClientError> =>
  Effect.suspend(() => {
    const chunks: Array<Uint8Array> = []
    let size = 0
    return response.stream.pipe(
      Stream.takeUntil((chunk) => {
        chunks.push(chunk)
        size += chunk.length
        onPart?.()
        return size > maxSize
      }),
      Stream.runDrain,
      Effect.catchReason("HttpClientError", "EmptyBodyError", () => Effect.void),
      Effect.catchDefect((defect) => size === 0 ? Effect.void : Effect.die(defect)),
      Effect.flatMap(() => {
        if (size === 0) return readBefore(response)
        return Effect.succeed(
          size > maxSize
            ? { text: `${utf8.decode(joined(chunks, Math.min(size, Text.most)))}…`, limit: maxSize }
            : { text: utf8.decode(joined(chunks, size)) }
        )
      })
    )
  })

/**
 * The text of a body that a client of the application has read already, for example to log it. Such a body looks empty, or cannot
 * be read again.
 */
const readBefore = ({ text }: HttpClientResponse.HttpClientResponse): Effect.Effect<Body> =>
  Effect.map(Effect.orElseSucceed(text, () => ""), (text) => ({ text }))

const joined = (chunks: ReadonlyArray<Uint8Array>, size: number): Uint8Array => {
  const [first] = chunks
  if (chunks.length === 1 && first !== undefined) return first.subarray(0, size)
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    if (at >= size) break
    bytes.set(chunk.subarray(0, size - at), at)
    at += chunk.length
  }
  return bytes
}
