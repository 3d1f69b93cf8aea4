/** What an answer says, to be found again in what the client makes of it. */
import * as Predicate from "effect/Predicate"

/**
 * The values of an answer, as JSON, that must not be lost: not those of fields that nobody described, of what lacks an id (or half of
 * a keyword), and times and ids that cannot be.
 */
const valuesOf = (known: ReadonlySet<string>, value: unknown, name = ""): ReadonlyArray<string> => {
  if (Predicate.isNullish(value)) return []
  if (Array.isArray(value)) return value.flatMap((entry) => valuesOf(known, entry, name))
  if (Predicate.isObject(value)) {
    const fields = Object.entries(value)
    if (fields.some(([name, id]) => /^(id|fileId|messageId|key|value)$/.test(name) && id === null)) return []
    return fields.flatMap(([field, value]) =>
      known.has(field) || name === "errors" ? valuesOf(known, value, field) : []
    )
  }
  if (/timestamp|date$/i.test(name) && !(Math.abs(Number(value)) <= 8.64e15)) return []
  // Addresses of pages: the client takes their cursors.
  if (name === "next" || name === "previous") return []
  if (name === "userId" && !Number.isSafeInteger(value)) return []
  return [JSON.stringify(value)]
}

const leaves = (value: unknown): ReadonlyArray<string> => {
  if (Predicate.isNullish(value)) return []
  return typeof value === "object" ? Object.values(value).flatMap(leaves) : [JSON.stringify(value)]
}

/** What is in an answer and, or so many times, not in what was read of it. `known` are the names of all fields. */
export const lostOf = (known: ReadonlySet<string>, answer: unknown, read: unknown): ReadonlyArray<string> => {
  const left = [...leaves(read)]
  return valuesOf(known, answer).filter((value) => {
    const index = left.indexOf(value)
    if (index >= 0) left.splice(index, 1)
    return index < 0
  })
}
