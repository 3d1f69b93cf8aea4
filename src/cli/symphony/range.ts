/**
 * The flags that say which messages, and how many.
 */
import * as Flag from "effect/cli/Flag"
import * as Range from "../input/range.ts"

const time = (name: string, what: string) =>
  Flag.Date(name).pipe(Flag.withDefault(undefined), Flag.withMetavar("time"), Flag.withDescription(what))

export const range = {
  since: time("since", "Nothing older: a date, or a time as 2026-09-21T14:00Z"),
  until: time("until", "Nothing newer")
}

export const limit = Range.limit.pipe(
  Flag.withDefault(50),
  Flag.withDescription("So many at the most (default: 50)")
)
