/**
 * The key of a reader's cursor. Two names never have the same key, even in a file system that ignores case, changes Unicode,
 * gives a meaning to dots and slashes, or limits a file name to 255 bytes.
 */
import * as Effect from "effect/Effect"
import * as Hex from "effect/encoding/Hex"

/** Longer names become a digest. */
const longest = 180

// By code units, so that half of a surrogate pair is different from any other name.
const escape = (name: string): string =>
  name.replaceAll(/[^a-z0-9-]/g, (unit) => `_${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

const ascii = new TextEncoder()

/** At most 200 characters of `a-z`, `0-9`, `-` and `_`. */
export const of = (name: string): Effect.Effect<string> => {
  const escaped = escape(name)
  return escaped.length <= longest
    ? Effect.succeed(`herald-${escaped}`)
    : Effect.promise(() => globalThis.crypto.subtle.digest("SHA-256", ascii.encode(escaped))).pipe(
      // No escaped name has two underscores in a row.
      Effect.map((digest) => `herald-${escaped.slice(0, 100)}__${Hex.encode(new Uint8Array(digest))}`)
    )
}
