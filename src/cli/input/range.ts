/**
 * The flags that say which part of a channel is read, and from which end.
 */
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { Timetoken } from "../../pubnub/Timetoken.ts"

const timetoken = (name: string, what: string) =>
  Flag.String(name).pipe(
    Flag.withSchema(Timetoken),
    Flag.withDefault(undefined),
    Flag.withMetavar("timetoken"),
    Flag.withDescription(what)
  )

/** How many at the most. */
export const limit = Flag.Int("limit").pipe(
  Flag.withSchema(Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)))),
  Flag.withMetavar("n")
)

export const range = {
  since: timetoken("since", "Nothing older"),
  before: timetoken("before", "Only what is older"),
  oldestFirst: Flag.Boolean("oldest-first").pipe(
    Flag.withDefault(false),
    Flag.withDescription("From the old end on (default: from the new end back)")
  ),
  limit: limit.pipe(Flag.withDefault(100), Flag.withDescription("So many at the most (default: 100)"))
}
