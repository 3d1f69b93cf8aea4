/**
 * Flags of a kind that several commands have.
 */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/** A flag that may be left out. */
export const text = (name: string, description: string, metavar = "text") =>
  Flag.String(name).pipe(Flag.withDefault(undefined), Flag.withMetavar(metavar), Flag.withDescription(description))

/** A flag that may be given several times. */
export const texts = (name: string, description: string, metavar = "name") =>
  Flag.String(name).pipe(
    Flag.atLeast(0),
    Flag.withMetavar(metavar),
    Flag.withDescription(`${description} May be repeated`)
  )

/** A flag that is on or off. */
export const boolean = (name: string, description: string, fallback = false) =>
  Flag.Boolean(name).pipe(Flag.withDefault(fallback), Flag.withDescription(description))

const decodeObject = Schema.decodeOption(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)))

/** A flag that takes a JSON object. */
export const jsonObject = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.filterMap(decodeObject, () => "a JSON object"),
    Flag.withDefault(undefined),
    Flag.withMetavar("json"),
    Flag.withDescription(description)
  )

/** A flag that takes words of a fixed set: in one value, with commas, or in several values. */
export const choices = <const Choice extends string>(
  name: string,
  allowed: ReadonlyArray<Choice>,
  description: string
) => {
  const isAllowed = Schema.is(Schema.Array(Schema.Literals(allowed)))
  return Flag.String(name).pipe(
    Flag.filterMap((words) => {
      const chosen = words.split(",").map((word) => word.trim())
      return isAllowed(chosen) ? Option.some(chosen) : Option.none()
    }, () => allowed.join(", ")),
    Flag.atLeast(0),
    Flag.map((chosen) => chosen.flat()),
    Flag.withMetavar("a,b"),
    Flag.withDescription(`${description} May be repeated. Choices: ${allowed.join(", ")}`)
  )
}

/** The flag for the most results to print. */
export const limit = (fallback: number) =>
  Flag.Int("limit").pipe(
    Flag.withSchema(Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)))),
    Flag.withDefault(fallback),
    Flag.withMetavar("n"),
    Flag.withDescription(`Print at most n (default: ${Number.isFinite(fallback) ? fallback : "all"})`)
  )
