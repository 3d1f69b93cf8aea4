/**
 * Filters for lists of users, channels, memberships and members, as data. The type of a filter has the fields that it can name,
 * and its text has the right quotes. A list also takes a filter as text in the service's own language.
 *
 * **Example** (Active users by the start of their names)
 *
 * ```ts
 * import * as ObjectFilter from "effect-herald/pubnub/ObjectFilter"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const active = (prefix: string) =>
 *   Users.stream({
 *     filter: ObjectFilter.and(
 *       ObjectFilter.like("name", `${prefix}*`),
 *       ObjectFilter.or(ObjectFilter.equals("status", "active"), ObjectFilter.equals("status", "away"))
 *     )
 *   })
 * ```
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import * as Guarded from "../internal/guarded.ts"
import * as Input from "../internal/input.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import type * as PubNubError from "./PubNubError.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * How a field is compared.
 *
 * @category models
 * @since 0.1.0
 */
export type Operator = "==" | "!=" | "<" | "<=" | ">" | ">=" | "LIKE"

/**
 * The value that a field is compared with: a time for `updated`, text for all others. The service stores microseconds, and a time
 * has milliseconds: compare with less than or greater than, not with equals.
 *
 * @category models
 * @since 0.1.0
 */
export type Value<F extends string> = F extends "updated" | `${string}.updated` ? DateTime.Utc : string

/**
 * A filter of objects with the fields `F`. The service does not filter by custom data.
 *
 * @category models
 * @since 0.1.0
 */
export type Filter<F extends string> = Comparison<F> | Both<F> | Either<F> | Negation<F>

/**
 * Compares one field with one value.
 *
 * @category models
 * @since 0.1.0
 */
export interface Comparison<F extends string> {
  readonly _tag: "Comparison"
  /** The field that is compared. */
  readonly field: F
  /** How it is compared. */
  readonly operator: Operator
  /** What it is compared with. */
  readonly value: string | DateTime.Utc
}

/**
 * Matches when both filters match.
 *
 * @category models
 * @since 0.1.0
 */
export interface Both<F extends string> {
  readonly _tag: "Both"
  /** The first of the two. */
  readonly left: Filter<F>
  /** The second of the two. */
  readonly right: Filter<F>
}

/**
 * Matches when one of the two filters matches.
 *
 * @category models
 * @since 0.1.0
 */
export interface Either<F extends string> {
  readonly _tag: "Either"
  /** The first of the two. */
  readonly left: Filter<F>
  /** The second of the two. */
  readonly right: Filter<F>
}

/**
 * Matches when the other filter does not.
 *
 * @category models
 * @since 0.1.0
 */
export interface Negation<F extends string> {
  readonly _tag: "Negation"
  /** The filter that must not match. */
  readonly filter: Filter<F>
}

// --------------------------------------------------------------------------------------------------------------------
// comparisons
// --------------------------------------------------------------------------------------------------------------------

const comparison = (operator: Operator) => <const F extends string>(field: F, value: Value<F>): Comparison<F> => ({
  _tag: "Comparison",
  field,
  operator,
  value
})

/**
 * Matches when the field equals the text, or `updated` equals the time.
 *
 * @category combinators
 * @since 0.1.0
 */
export const equals = comparison("==")

/**
 * Matches when the field differs from the text, or `updated` from the time.
 *
 * @category combinators
 * @since 0.1.0
 */
export const notEquals = comparison("!=")

/**
 * Matches when the field is less than the value.
 *
 * @category combinators
 * @since 0.1.0
 */
export const lessThan = comparison("<")

/**
 * Matches when the field is less than the value or equal to it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const lessThanOrEqualTo = comparison("<=")

/**
 * Matches when the field is greater than the value.
 *
 * **Example** (What has changed since)
 *
 * ```ts
 * import * as DateTime from "effect/DateTime"
 * import * as Effect from "effect/Effect"
 * import * as ObjectFilter from "effect-herald/pubnub/ObjectFilter"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const program = Effect.gen(function*() {
 *   const yesterday = DateTime.subtract(yield* DateTime.now, { days: 1 })
 *   return yield* Users.list({ filter: ObjectFilter.greaterThan("updated", yesterday) })
 * })
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const greaterThan = comparison(">")

/**
 * Matches when the field is greater than the value or equal to it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const greaterThanOrEqualTo = comparison(">=")

/**
 * Matches when the field has this form: `*` stands for any text, also empty. An asterisk itself cannot be asked for.
 *
 * @category combinators
 * @since 0.1.0
 */
export const like = <const F extends string>(
  field: Value<F> extends string ? F : never,
  pattern: string
): Comparison<F> => ({ _tag: "Comparison", field, operator: "LIKE", value: pattern })

// --------------------------------------------------------------------------------------------------------------------
// combinations
// --------------------------------------------------------------------------------------------------------------------

/**
 * Matches when all filters match.
 *
 * @category combinators
 * @since 0.1.0
 */
export const and = <F extends string>(first: Filter<F>, ...others: ReadonlyArray<Filter<F>>): Filter<F> =>
  others.reduce((left, right) => ({ _tag: "Both", left, right }), first)

/**
 * Matches when at least one filter matches.
 *
 * @category combinators
 * @since 0.1.0
 */
export const or = <F extends string>(first: Filter<F>, ...others: ReadonlyArray<Filter<F>>): Filter<F> =>
  others.reduce((left, right) => ({ _tag: "Either", left, right }), first)

/**
 * Matches when the filter does not.
 *
 * @category combinators
 * @since 0.1.0
 */
export const not = <F extends string>(filter: Filter<F>): Filter<F> => ({ _tag: "Negation", filter })

// --------------------------------------------------------------------------------------------------------------------
// text
// --------------------------------------------------------------------------------------------------------------------

/**
 * The filter in the service's language, as a request sends it. Fails with `BadRequest` for a text that holds both kinds of
 * quotes, since the language has no known way to write one, and for half of a surrogate pair. A list does the same with
 * such a filter, before a request is made.
 *
 * **Example** (What is sent)
 *
 * ```ts
 * import * as ObjectFilter from "effect-herald/pubnub/ObjectFilter"
 *
 * const filter = ObjectFilter.and(ObjectFilter.equals("name", "O'Hara"), ObjectFilter.not(ObjectFilter.like("email", "*@example.com")))
 *
 * ObjectFilter.print(filter) // success: name == "O'Hara" && !(email LIKE '*@example.com')
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const print = (filter: Filter<string>): Result.Result<string, PubNubError.BadRequest> =>
  // What a caller without the compiler passes may be anything, and may be nested too deeply to be walked.
  Guarded.attempt(() => expression(filter), "filter").pipe(
    Result.flatMap(Result.mapError((message) => [{ location: "filter", message }])),
    Result.mapError(Endpoint.refused)
  )

const expression = (filter: Filter<string>): Result.Result<string, string> => {
  switch (filter._tag) {
    case "Comparison":
      return Result.map(
        literal(filter.value),
        // The service calls users by the name that they once had.
        (value) => `${filter.field.replace(/^user\./, "uuid.")} ${filter.operator} ${value}`
      )
    case "Both":
      return between(filter.left, "&&", filter.right)
    case "Either":
      return between(filter.left, "||", filter.right)
    case "Negation":
      return Result.map(expression(filter.filter), (text) => `!(${text})`)
    default:
      return Result.fail(`is ${Input.shown(filter)}, not a filter`)
  }
}

const between = (left: Filter<string>, operator: string, right: Filter<string>): Result.Result<string, string> =>
  Result.flatMap(operand(left), (left) => Result.map(operand(right), (right) => `${left} ${operator} ${right}`))

// Which of the two binds tighter is not written down.
const operand = (filter: Filter<string>): Result.Result<string, string> =>
  filter._tag === "Both" || filter._tag === "Either"
    ? Result.map(expression(filter), (text) => `(${text})`)
    : expression(filter)

// How a quote is written between quotes of its kind is not known: the other kind is taken.
const literal = (value: string | DateTime.Utc): Result.Result<string, string> => {
  const text = typeof value === "string" ? value : DateTime.formatIso(value)
  if (!text.isWellFormed()) return Result.fail("has an unpaired surrogate")
  if (!text.includes("'")) return Result.succeed(`'${text}'`)
  return text.includes("\"")
    ? Result.fail(`has a text with both kinds of quotes, and there is no way to write it: ${text.slice(0, 100)}`)
    : Result.succeed(`"${text}"`)
}
