/**
 * JSON in and out, without silent loss: 17-digit integers stay exact where a service sends them bare, and what JSON
 * cannot carry is refused instead of being dropped.
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"

const bareLongInteger = /(?:^|[^"\w.])-?\d{16,}/
const stringOrLongInteger = /"(?:[^"\\]|\\.)*"|(?<![\w.+-])-?\d{16,}(?![\w.])/g

/** The value, or a sentence on what is wrong with the text. */
export const parse = (text: string): Result.Result<Schema.Json, string> => {
  try {
    return Result.succeed(JSON.parse(text))
  } catch (error) {
    return Result.fail(text === "" ? "the body is empty" : error instanceof Error ? error.message : "not JSON")
  }
}

/**
 * Like `parse`, but integers of 16 digits and more arrive as strings of their digits. Only for answers that hold no
 * payload of a user: there a number must stay a number.
 */
export const parseExact = (text: string): Result.Result<Schema.Json, string> =>
  parse(
    bareLongInteger.test(text)
      ? text.replace(stringOrLongInteger, (token) => token.startsWith("\"") ? token : `"${token}"`)
      : text
  )

/** The text of a value, or the place of the first thing that JSON would lose or cannot hold. */
export const stringify = (value: unknown): Result.Result<string, string> => {
  const lost = findLost(value, "$", [])
  if (lost !== undefined) return Result.fail(lost)
  try {
    const text: string | undefined = JSON.stringify(value)
    return text === undefined ? Result.fail("$ has no JSON form") : Result.succeed(text)
  } catch (error) {
    return Result.fail(error instanceof Error ? error.message : "a toJSON method failed")
  }
}

// `undefined` as the value of a key is an absent key, as everywhere in TypeScript; in an array it would turn into null.
const findLost = (value: unknown, path: string, above: ReadonlyArray<object>): string | undefined => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined
    case "number":
      return Number.isFinite(value) ? undefined : `${path} is ${value}, which JSON turns into null`
    case "object": {
      if (value === null) return undefined
      if (above.includes(value)) return `${path} is part of a cycle`
      if ("toJSON" in value && typeof value.toJSON === "function") return undefined
      if (value instanceof Map || value instanceof Set) {
        return `${path} is a ${value.constructor.name}, which JSON empties`
      }
      const chain = [...above, value]
      if (Array.isArray(value)) {
        for (let index = 0; index < value.length; index++) {
          const lost = findLost(value[index], `${path}[${index}]`, chain)
          if (lost !== undefined) return lost
        }
        return undefined
      }
      for (const [key, item] of Object.entries(value)) {
        const lost = item === undefined ? undefined : findLost(item, `${path}.${key}`, chain)
        if (lost !== undefined) return lost
      }
      return undefined
    }
    default:
      return `${path} is ${typeof value === "undefined" ? "undefined" : `a ${typeof value}`}`
  }
}
