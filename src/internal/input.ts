/**
 * Checks of input. A check returns what is wrong with a value, in words that follow its name ("limit is 0, not a whole number
 * from 1 to 100"), or `undefined`. Values are `unknown`: JavaScript callers can pass anything.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type { Detail } from "../Reason.ts"
import type { Policy } from "../Retry.ts"
import * as Text from "./text.ts"

/** What is wrong, and with which input. */
export type { Detail }

/** What is wrong with one value. */
export type Problem = string | undefined

export type Check = (value: unknown) => Problem

/** A value as an error shows it: short, and quoted if it is text. */
export const shown = (value: unknown): string => {
  try {
    return named(value)
  } catch {
    // A proxy may throw even here.
    return "what cannot be read"
  }
}

const named = (value: unknown): string => {
  switch (typeof value) {
    case "string":
      return Text.quoted(value, 100)
    case "number":
      return Object.is(value, -0) ? "-0" : String(value)
    case "boolean":
    case "undefined":
      return String(value)
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "a list" : "an object"
    default:
      return `a ${typeof value}`
  }
}

/** Text in well-formed Unicode. */
export const text: Check = (value) =>
  typeof value !== "string"
    ? `is ${shown(value)}, not text`
    : value.isWellFormed()
    ? undefined
    : "has an unpaired surrogate"

/** Text that is not empty. */
export const filled: Check = (value) => value === "" ? "is empty" : text(value)

/** Text that is not only white space. */
export const notBlank: Check = (value) => typeof value === "string" && value.trim() === "" ? "is blank" : text(value)

/** Text that can be one segment of a URL's path. Every parser removes the segments `.` and `..`, even escaped ones. */
export const segment: Check = (value) =>
  value === "." || value === ".." ? "is a dot segment, which no URL can carry" : filled(value)

const utf8 = new TextEncoder()

/** Text of at most this many bytes. */
export const bytes = (most: number): Check => (value) => {
  const wrong = text(value)
  if (wrong !== undefined || typeof value !== "string") return wrong
  const size = utf8.encode(value).length
  return size > most ? `has ${size} bytes, and ${most} are the most` : undefined
}

/** Text of at most this many characters. */
export const characters = (most: number): Check => (value) =>
  typeof value === "string" && value.length > most
    ? `has ${value.length} characters, and ${most} are the most`
    : text(value)

/** A whole number in a range. */
export const whole = (from: number, to = Number.POSITIVE_INFINITY): Check => (value) =>
  Number.isSafeInteger(value) && Number(value) >= from && Number(value) <= to
    ? undefined
    : `is ${shown(value)}, not a whole number ${Number.isFinite(to) ? `from ${from} to ${to}` : `of ${from} or more`}`

export const oneOf = (known: ReadonlyArray<unknown>): Check => (value) =>
  known.includes(value) ? undefined : `is ${shown(value)}, not one of ${known.join(", ")}`

/** Text without control characters. PostgreSQL keeps no NUL, and the others would break lines of logs. */
export const printable: Check = (value) =>
  // oxlint-disable-next-line no-control-regex
  typeof value === "string" && /[\u0000-\u001f\u007f]/.test(value) ? "holds a control character" : text(value)

/** The value of a header: ASCII without control characters. */
export const header: Check = (value) =>
  typeof value === "string" && /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)
    ? undefined
    : "holds what no header can carry"

/** Undefined, or a value that passes the check. */
export const optional = (check: Check): Check => (value) => value === undefined ? undefined : check(value)

/** Passes values that pass all checks. Returns the first problem otherwise. */
export const all = (...checks: ReadonlyArray<Check>): Check => (value) => {
  for (const check of checks) {
    const wrong = check(value)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** The problems, each with its location. */
export const issues = (problems: { readonly [location: string]: Problem }): ReadonlyArray<Detail> => {
  const issues: Array<Detail> = []
  for (const location of Object.keys(problems)) {
    const message = problems[location]
    if (message !== undefined) issues.push({ location, message })
  }
  return issues
}

/** The problems of the items of a list. Each is reported once, and names its item. */
export const each = (location: string, items: unknown, check: Check): ReadonlyArray<Detail> =>
  Array.isArray(items)
    ? [...new Set<unknown>(items)].flatMap((item) => {
      const message = check(item)
      // The problem itself need not show the item again.
      return message === undefined
        ? []
        : [{ location, message: `${shown(item)} ${message.replace(`is ${shown(item)}, `, "is ")}` }]
    })
    : [{ location, message: `is ${shown(items)}, not a list` }]

export const flag: Check = (value) =>
  typeof value === "boolean" ? undefined : `is ${shown(value)}, neither true nor false`

/** A list with a number of items in a range. */
export const list = (from: number, to = Number.POSITIVE_INFINITY): Check => (value) =>
  !Array.isArray(value)
    ? `is ${shown(value)}, not a list`
    : value.length < from
    ? value.length === 0 ? "is empty" : `has ${value.length} items, and ${from} are the fewest`
    : value.length > to
    ? `has ${value.length} items, and ${to} are the most`
    : undefined

/** An object that is not a list. */
export const record: Check = (value) =>
  typeof value === "object" && value !== null && !Array.isArray(value)
    ? undefined
    : `is ${shown(value)}, not an object`

export const callback: Check = (value) => typeof value === "function" ? undefined : `is ${shown(value)}, not a function`

/** What is wrong with a retry policy: a schedule, or the settings of a backoff. */
export const retry = (
  location: string,
  policy: Policy<never> | undefined,
  attempts = Infinity
): ReadonlyArray<Detail> => {
  if (policy === undefined || Schedule.isSchedule(policy)) return []
  const misfit = record(policy)
  if (misfit !== undefined) return [{ location, message: `${misfit} and not a schedule` }]
  const { base = 1, cap = 1, factor = 1, maxAttempts = attempts, maxRetryAfter = 1 } = policy
  return issues({
    // Without a pause, attempts must end.
    [`${location}.base`]: maxAttempts !== Infinity && isZero(base) ? undefined : duration(base),
    [`${location}.factor`]: factor >= 1 ? undefined : `is ${shown(factor)}, not a number of 1 or more`,
    [`${location}.cap`]: patience(cap),
    [`${location}.maxAttempts`]: maxAttempts === Infinity ? undefined : whole(1)(maxAttempts),
    [`${location}.maxRetryAfter`]: patience(maxRetryAfter)
  })
}

/** A positive, finite duration. */
export const duration = (value: Duration.Input): Problem => {
  const duration = durationOf(value)
  return duration !== undefined && Duration.isFinite(duration) && Duration.isPositive(duration)
    ? undefined
    : `is ${shown(value)}, not a positive, finite duration`
}

/** A longest wait. Zero and infinity are allowed. */
export const patience = (value: Duration.Input): Problem => {
  const duration = durationOf(value)
  return duration !== undefined && !Duration.isNegative(duration) ? undefined : `is ${shown(value)}, not a duration`
}

const isZero = (value: Duration.Input): boolean => {
  const duration = durationOf(value)
  return duration !== undefined && Duration.isZero(duration)
}

// Effect reads NaN as zero.
const durationOf = (value: Duration.Input): Duration.Duration | undefined =>
  Number.isNaN(value) ? undefined : Option.getOrUndefined(Duration.fromInput(value))

/** Text that matches a pattern. The problem follows the name of the input: "is not a version". */
export const matching = (pattern: RegExp, complaint: string): Check => (value) =>
  typeof value !== "string" ? `is ${shown(value)}, not text` : pattern.test(value) ? undefined : complaint
