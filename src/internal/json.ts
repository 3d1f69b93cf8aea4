/**
 * Reads and writes JSON without silent loss: bare integers of 17 digits stay exact, and values that JSON cannot hold are refused
 * instead of dropped.
 *
 * Foreign values may be nested thousands of levels deep: a message of 32 kB has room for 16,384. `JSON.parse` reads them, but
 * `JSON.stringify` overflows the stack. So nothing here is recursive.
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Text from "./text.ts"

/** The value, or a sentence on what is wrong with the text. */
export const parse = (text: string): Result.Result<Schema.Json, string> => {
  try {
    return Result.succeed(JSON.parse(text))
  } catch (error) {
    return Result.fail(text === "" ? "the body is empty" : complaintOf(error))
  }
}

/** Whether a value is an object, neither a list nor null. */
export const isRecord = (value: unknown): value is { readonly [key: string]: unknown } =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The problem that a parser found, without its own words: they quote the text, which may hold a secret. */
const complaintOf = (error: unknown): string => {
  const said = error instanceof Error ? error.message : ""
  const place = /\b(?:position|line) \d{1,15}(?: column \d{1,15})?/.exec(said)?.[0]
  return /\bend of\b|unterminated/i.test(said)
    ? "it is not JSON: it ends too early"
    : place === undefined
    ? "it is not JSON"
    : `it is not JSON at ${place}`
}

// --------------------------------------------------------------------------------------------------------------------
// long integers
// --------------------------------------------------------------------------------------------------------------------

const bareLongInteger = /(?:^|[^"\w.])-?\d{16,}/

/** The position of an integer of 16 or more digits in a JSON text. */
export interface LongInteger {
  readonly start: number
  readonly digits: string
}

/** All integers of 16 or more digits outside of strings, in order. The text must be valid JSON. */
export const longIntegers = (text: string): ReadonlyArray<LongInteger> => {
  const found: Array<LongInteger> = []
  if (!bareLongInteger.test(text)) return found
  // Strings are skipped by hand: a pattern for a whole string overflows the stack on a long one.
  const quoteOrInteger = /"|(?<![\w.+-])-?\d{16,}(?![\w.])/g
  for (let match = quoteOrInteger.exec(text); match !== null; match = quoteOrInteger.exec(text)) {
    const { 0: token, index: start } = match
    if (token === "\"") quoteOrInteger.lastIndex = endOfString(text, start)
    else found.push({ start, digits: token })
  }
  return found
}

const endOfString = (text: string, start: number): number => {
  let end = text.indexOf("\"", start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf("\"", end + 1)
  return end === -1 ? text.length : end + 1
}

const isEscaped = (text: string, at: number): boolean => {
  let backslashes = 0
  while (text[at - 1 - backslashes] === "\\") backslashes++
  return backslashes % 2 === 1
}

/**
 * Like `parse`, but integers of 16 or more digits become strings of their digits. Not for answers with payloads of users, where
 * numbers must stay numbers.
 */
export const parseExact = (text: string): Result.Result<Schema.Json, string> =>
  Result.flatMap(parse(text), (json) => {
    const integers = longIntegers(text)
    if (integers.length === 0) return Result.succeed(json)
    const pieces: Array<string> = []
    let end = 0
    for (const { digits, start } of integers) {
      pieces.push(text.slice(end, start), `"${digits}"`)
      end = start + digits.length
    }
    return parse(pieces.join("") + text.slice(end))
  })

// --------------------------------------------------------------------------------------------------------------------
// writing
// --------------------------------------------------------------------------------------------------------------------

/** The most levels: as many as a message of 32 kB can have. A value that creates its parts while it is written may have no end. */
const mostLevels = 16_384

interface Strictness {
  /** Whether values that JSON would lose are refused. Otherwise they are written as `JSON.stringify` does. */
  readonly complete: boolean
  /** Whether half of a surrogate pair is refused. Otherwise it is written as an escape, which some parsers refuse. */
  readonly wellFormed: boolean
  /** The most levels. Deeper values are refused. */
  readonly levels?: number | undefined
}

/**
 * The text of a value, or the place of the first part that JSON would lose or cannot hold. Fails too when a `toJSON` or a getter
 * throws.
 */
export const stringify = (
  value: unknown,
  { levels, wellFormed = false }: Partial<Pick<Strictness, "levels" | "wellFormed">> = {}
): Result.Result<string, string> => write(value, { complete: true, wellFormed, levels })

/** The text of a value from `parse`, whatever its depth. */
export const text = (json: unknown): string => {
  try {
    return JSON.stringify(json) ?? "null"
  } catch {
    return Result.getOrElse(write(json, { complete: false, wellFormed: false }), JSON.stringify)
  }
}

/** A copy of a value for an error or a log, which other code may walk by recursion: deeper levels are text. */
export const shallow = (json: Schema.Json, levels = 32): Schema.Json => {
  if (typeof json !== "object" || json === null) return json
  if (levels === 0) return Text.bounded(text(json))
  if (isList(json)) return json.map((item) => shallow(item, levels - 1))
  return Object.fromEntries(Object.entries(json).map(([key, item]) => [key, shallow(item, levels - 1)]))
}

const isList = (json: object): json is ReadonlyArray<Schema.Json> => Array.isArray(json)

/** A list or an object that is being written. */
interface Open {
  readonly value: object
  /** The keys of an object. Undefined for a list. */
  readonly keys: ReadonlyArray<string> | undefined
  readonly size: number
  /** The index of the next part, and the text before it. */
  next: number
  separator: "" | ","
}

const write = (
  root: unknown,
  { complete, levels = mostLevels, wellFormed }: Strictness
): Result.Result<string, string> => {
  const open: Array<Open> = []
  const above = new Set<object>()
  let lost: string | undefined

  /** Notes that a value is lost here, and returns the text in its place. */
  const lose = (what: string, instead: string): string => {
    if (complete) lost ??= `${placeOf(open)} ${what}`
    return instead
  }

  const quoted = (text: string): string => {
    const written = JSON.stringify(text)
    return wellFormed && !text.isWellFormed() ? lose("has an unpaired surrogate", written) : written
  }

  const begin = (value: object): string => {
    if (value instanceof Map || value instanceof Set) {
      return lose(`is a ${value.constructor.name}, which JSON empties`, "{}")
    }
    if (above.has(value)) return lose("is part of a cycle", "null")
    if (complete && open.length === levels) return lose(`is more than ${levels} levels deep`, "null")
    const keys = Array.isArray(value) ? undefined : Object.keys(value)
    above.add(value)
    open.push({ value, keys, size: Array.isArray(value) ? value.length : keys?.length ?? 0, next: 0, separator: "" })
    return keys === undefined ? "[" : "{"
  }

  const end = ({ keys, value }: Open): string => {
    open.pop()
    above.delete(value)
    return keys === undefined ? "]" : "}"
  }

  /** The whole text of a scalar, or the first character of a list or an object. */
  const form = (value: unknown): string => {
    switch (typeof value) {
      case "string":
        return quoted(value)
      case "number":
        return Number.isFinite(value) ? String(value) : lose(`is ${value}, which JSON turns into null`, "null")
      case "boolean":
        return String(value)
      case "object":
        return value === null ? "null" : begin(value)
      default:
        return lose(`is ${value === undefined ? "undefined" : `a ${typeof value}`}`, "null")
    }
  }

  const nextPart = (within: Open): string => {
    const { keys, separator } = within
    const key = keys?.[within.next] ?? String(within.next)
    within.next++
    const value = plain(Reflect.get(within.value, key), key)
    // `undefined` as the value of a key means an absent key. In an array it would become null.
    if (keys !== undefined && value === undefined) return ""
    within.separator = ","
    return separator + (keys === undefined ? "" : `${quoted(key)}:`) + form(value)
  }

  let text = ""
  try {
    text = form(plain(root, ""))
    for (let within = open.at(-1); within !== undefined && lost === undefined; within = open.at(-1)) {
      text += within.next < within.size ? nextPart(within) : end(within)
    }
  } catch (error) {
    lost = `${placeOf(open)} cannot be read: ${Text.ofDefect(error)}`
  }
  return lost === undefined ? Result.succeed(text) : Result.fail(lost)
}

/** The value that `JSON.stringify` would write. */
const plain = (value: unknown, key: string): unknown => {
  const given: unknown = hasToJson(value) ? value.toJSON(key) : value
  return given instanceof String || given instanceof Number || given instanceof Boolean || given instanceof BigInt
    ? given.valueOf()
    : given
}

const hasToJson = (value: unknown): value is { readonly toJSON: (key: string) => unknown } =>
  typeof value === "object" && value !== null && "toJSON" in value && typeof value.toJSON === "function"

/** The path of the part that was begun last: `$.orders[3].total`. */
const placeOf = (open: ReadonlyArray<Open>): string =>
  Text.bounded(
    open.reduce((place, { keys, next }) => place + (keys === undefined ? `[${next - 1}]` : `.${keys[next - 1]}`), "$"),
    200
  )

// --------------------------------------------------------------------------------------------------------------------
// comparing
// --------------------------------------------------------------------------------------------------------------------

/** Whether two values have the same JSON, apart from the order of their keys. */
export const equal = (one: unknown, other: unknown): boolean => {
  const pairs: Array<readonly [unknown, unknown]> = [[one, other]]
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [a, b] = pair
    if (a !== b && !areAlike(plain(a, ""), plain(b, ""), pairs)) return false
  }
  return true
}

/** Whether two values are equal as far as they can be compared here. Adds the pairs of their parts to `rest`, to be compared later. */
const areAlike = (a: unknown, b: unknown, rest: Array<readonly [unknown, unknown]>): boolean => {
  if (a === b) return true
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    for (let index = 0; index < a.length; index++) rest.push([a[index], b[index]])
    return true
  }
  for (const key of Object.keys(a)) {
    rest.push([Reflect.get(a, key), Object.hasOwn(b, key) ? Reflect.get(b, key) : undefined])
  }
  return Object.keys(b).every((key) => Object.hasOwn(a, key) || Reflect.get(b, key) === undefined)
}
