/**
 * JSON text of deeply nested values. `JSON.stringify` overflows the stack on them, but the services accept, store and
 * deliver them.
 */

/** More than any request has. A value that creates its parts while it is written may never end. */
const mostPieces = 1_000_000

/** A piece of the text, or a value that is still to be written. */
type Piece = string | { readonly value: unknown }

/** The JSON text; `null` for a value that has none. Throws for a cycle. */
export const write = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? "null"
  } catch (error) {
    if (error instanceof RangeError) return writeDeep(value)
    throw error
  }
}

const writeDeep = (root: unknown): string => {
  const rest: Array<Piece> = [{ value: root }]
  let text = ""
  for (let piece = rest.pop(); piece !== undefined; piece = rest.pop()) {
    if (typeof piece === "string") text += piece
    else for (const next of piecesOf(piece.value).toReversed()) rest.push(next)
    if (rest.length > mostPieces) throw new RangeError("a value has too many parts to be written")
  }
  return text
}

const piecesOf = (value: unknown): ReadonlyArray<Piece> => {
  if (typeof value !== "object" || value === null) return [JSON.stringify(value) ?? "null"]
  if ("toJSON" in value && typeof value.toJSON === "function") return [{ value: value.toJSON() }]
  if (Array.isArray(value)) {
    return [
      "[",
      ...value.flatMap((value: unknown, index): ReadonlyArray<Piece> => [index > 0 ? "," : "", { value }]),
      "]"
    ]
  }
  const entries = Object.entries(value).filter(([, value]) => value !== undefined)
  return [
    "{",
    ...entries.flatMap(([key, value], index) => [`${index > 0 ? "," : ""}${JSON.stringify(key)}:`, { value }]),
    "}"
  ]
}
