/**
 * Lengths of time and moments, as people write them.
 */
import * as CliError from "effect/cli/CliError"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Timetoken from "../../pubnub/Timetoken.ts"

const units: { readonly [letter: string]: string } = {
  s: "seconds",
  m: "minutes",
  h: "hours",
  d: "days",
  w: "weeks"
}

const decodeLength = Schema.decodeOption(Schema.DurationFromString)

/** Reads `10m`, `2 hours` or `Infinity`. */
export const parseLength = (text: string): Option.Option<Duration.Duration> =>
  decodeLength(text.replace(/^([\d.]+) ?([smhdw])$/, (_, amount, letter) => `${amount} ${units[letter]}`))

const iso = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?$/i

/** Reads a date or a time. It is in UTC unless it names another zone, as the times that are printed. */
const parseIso = (text: string): Option.Option<DateTime.Utc> => {
  const match = iso.exec(text)
  if (match === null) return Option.none()
  return Option.map(DateTime.make(match[1] !== undefined && match[2] === undefined ? `${text}Z` : text), DateTime.toUtc)
}

/** Reads an ISO time, or a length of time before `now`. Nothing is older than 1970. */
export const parseMoment = (text: string, now: DateTime.Utc): Option.Option<DateTime.Utc> =>
  parseIso(text).pipe(
    Option.orElse(() => Option.map(parseLength(text), (length) => DateTime.subtractDuration(now, length))),
    Option.filter((moment) => DateTime.toEpochMillis(moment) >= 0)
  )

const decodeTimetoken = Schema.decodeOption(Timetoken.Timetoken)

/** Reads a timetoken, or a moment as `parseMoment` does. */
export const parseTimetoken = (text: string, now: DateTime.Utc): Option.Option<Timetoken.Timetoken> =>
  Option.orElse(decodeTimetoken(text), () => Option.flatMap(parseMoment(text, now), Timetoken.fromDateTime))

const reader = <A>(parse: (text: string, now: DateTime.Utc) => Option.Option<A>, expected: string) =>
(
  option: string,
  kind: "flag" | "argument"
) =>
(value: string): Effect.Effect<A, CliError.CliError> =>
  Effect.flatMap(DateTime.now, (now) =>
    Option.match(parse(value, now), {
      onNone: () => Effect.fail(new CliError.InvalidValue({ option, value, expected, kind })),
      onSome: Effect.succeed
    }))

const relative = <A>(
  read: (option: string, kind: "flag") => (value: string) => Effect.Effect<A, CliError.CliError>,
  expected: string
) =>
(name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.mapEffect(read(name, "flag")),
    Flag.withDefault(undefined),
    Flag.withMetavar("time"),
    Flag.withDescription(`${description}: ${expected}`)
  )

const momentForms = "a time as 2026-09-21T14:00Z, or a length ago as \"10m\""

/** A flag that takes a moment. */
export const moment = relative(reader(parseMoment, momentForms), momentForms)

/** The texts that mean a place in a channel. */
export const timetokenForms = "a timetoken, a time as 2026-09-21T14:00Z, or a length ago as \"10m\""

/** Reads the value of a flag or an argument that takes a place in a channel. */
export const readTimetoken = reader(parseTimetoken, timetokenForms)

/** A flag that takes a place in a channel. */
export const timetoken = relative(readTimetoken, timetokenForms)

/** A flag that takes a length of time. */
export const length = (name: string, description: string) =>
  Flag.String(name).pipe(
    Flag.filterMap(parseLength, () => "a length of time as \"24 hours\""),
    Flag.withDefault(undefined),
    Flag.withMetavar("length"),
    Flag.withDescription(description)
  )
