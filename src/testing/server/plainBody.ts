/** The body of a request without its compression. */
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import type { Request } from "./message.ts"

/** The compression by its first byte: some clients send zlib and call it gzip. */
const formatOf = (body: Uint8Array): CompressionFormat => body[0] === 0x1f ? "gzip" : "deflate"

const inflate = async (body: Uint8Array<ArrayBuffer>, max: number): Promise<Uint8Array> => {
  const reader = new Blob([body]).stream().pipeThrough(new DecompressionStream(formatOf(body))).getReader()
  const chunks: Array<Uint8Array> = []
  let size = 0
  try {
    for (let next = await reader.read(); next.value !== undefined; next = await reader.read()) {
      chunks.push(next.value)
      size += next.value.length
      if (size > max) break
    }
  } finally {
    // The rest of a zip bomb is not inflated. It does not matter whether the stream can be told.
    reader.cancel().catch(() => undefined)
  }
  return Bytes.concat(chunks)
}

/** Why a body cannot be read. */
export type Problem = "TooLarge" | "Corrupt" | "UnknownEncoding"

/** The plain bytes, at most `max` of them. */
export const read = ({ body, headers }: Request, max: number): Effect.Effect<Uint8Array, Problem> => {
  const sent = typeof body === "string" ? new TextEncoder().encode(body) : body
  const name = (headers["content-encoding"] ?? "").trim().toLowerCase()
  if (sent.length > max) return Effect.fail("TooLarge")
  if (name === "" || name === "identity" || sent.length === 0) return Effect.succeed(sent)
  if (name !== "gzip" && name !== "x-gzip" && name !== "deflate") return Effect.fail("UnknownEncoding")
  return Effect.tryPromise({ try: () => inflate(new Uint8Array(sent), max), catch: (): Problem => "Corrupt" }).pipe(
    Effect.filterOrFail((plain) => plain.length <= max, (): Problem => "TooLarge")
  )
}
