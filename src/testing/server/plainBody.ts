/** The body of a request without its compression. */
import * as Effect from "effect/Effect"

/** The compressions by their first byte: clients have been seen that send zlib and call it gzip. */
const formatOf = (bytes: Uint8Array): CompressionFormat => bytes[0] === 0x1f ? "gzip" : "deflate"

const inflate = async (bytes: Uint8Array<ArrayBuffer>, most: number): Promise<Uint8Array> => {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream(formatOf(bytes))).getReader()
  const chunks: Array<Uint8Array> = []
  let size = 0
  try {
    for (let next = await reader.read(); next.value !== undefined; next = await reader.read()) {
      chunks.push(next.value)
      size += next.value.length
      if (size > most) break
    }
  } finally {
    // What is left of a bomb is not inflated. Whether that can be said to the stream makes no difference.
    reader.cancel().catch(() => undefined)
  }
  const plain = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    plain.set(chunk, at)
    at += chunk.length
  }
  return plain
}

/** Why a body cannot be read. */
export type Problem = "Corrupt" | "UnknownEncoding"

/** The plain bytes: of more than `most` only the beginning, which is more than `most`, too. */
export const read = (
  bytes: Uint8Array,
  encoding: string | undefined,
  most: number
): Effect.Effect<Uint8Array, Problem> => {
  const name = (encoding ?? "").trim().toLowerCase()
  if (name === "" || name === "identity" || bytes.length === 0 || bytes.length > most) return Effect.succeed(bytes)
  if (name !== "gzip" && name !== "x-gzip" && name !== "deflate") return Effect.fail("UnknownEncoding")
  return Effect.tryPromise({ try: () => inflate(new Uint8Array(bytes), most), catch: (): Problem => "Corrupt" })
}
