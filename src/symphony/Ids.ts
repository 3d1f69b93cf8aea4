/**
 * Ids of streams and messages: base64 of binary, in one of two alphabets. Clients and some answers show the standard one
 * (`+`, `/`, `=`), addresses want the other (`-`, `_`, no padding). Every request takes either.
 *
 * @since 0.1.0
 */
import * as Input from "../internal/input.ts"

/**
 * The id as addresses want it. One that is already so is left as it is.
 *
 * **Example** (An id copied from the client)
 *
 * ```ts
 * import * as Ids from "effect-herald/symphony/Ids"
 *
 * Ids.toUrlSafe("FH6C+spkoCH0rxgMKsvqqP///susIzthuw==") // "FH6C-spkoCH0rxgMKsvqqP___susIzthuw"
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const toUrlSafe = (id: string): string => withoutPadding(id).replaceAll("+", "-").replaceAll("/", "_")

// A pattern would begin anew at each `=`, and a caller without the compiler may pass anything.
const withoutPadding = (id: unknown): string => {
  if (typeof id !== "string") return ""
  let end = id.length
  while (id[end - 1] === "=") end--
  return id.slice(0, end)
}

/**
 * The id as clients and some answers show it: the standard alphabet, padded.
 *
 * **Example** (An id to compare with one of an answer)
 *
 * ```ts
 * import * as Ids from "effect-herald/symphony/Ids"
 *
 * Ids.toStandard("FH6C-spkoCH0rxgMKsvqqP___susIzthuw") // "FH6C+spkoCH0rxgMKsvqqP///susIzthuw=="
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const toStandard = (id: string): string => {
  const text = toUrlSafe(id).replaceAll("-", "+").replaceAll("_", "/")
  return text + "=".repeat((4 - text.length % 4) % 4)
}

/**
 * What is wrong with the id of a stream or a message, or `undefined` if it may be used.
 *
 * **Example** (An id that somebody typed)
 *
 * ```ts
 * import * as Ids from "effect-herald/symphony/Ids"
 *
 * Ids.issue("room 7") // "is base64 in neither alphabet"
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const issue = (id: string): string | undefined =>
  Input.filled(id) ?? (/^[A-Za-z0-9_-]+$/.test(toUrlSafe(id)) ? undefined : "is base64 in neither alphabet")
