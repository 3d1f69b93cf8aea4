/**
 * Ids of streams and messages, in two alphabets of base64. Clients show ids in the standard alphabet (`+`, `/`, `=`). This
 * library gives them in the URL-safe one (`-`, `_`, no padding), and takes either.
 *
 * @since 0.1.0
 */
import * as Input from "../internal/input.ts"

/**
 * Converts an id to the URL-safe alphabet, in which this library gives ids. It keeps a URL-safe id as it is.
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
 * Converts an id to the standard alphabet with padding, as clients show it.
 *
 * **Example** (An id to show to a user)
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
 * Says what is wrong with the id of a stream or a message. Gives `undefined` for a valid id.
 *
 * **Example** (An id that a user typed)
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
