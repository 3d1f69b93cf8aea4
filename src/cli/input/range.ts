/**
 * The flags that choose the part of a list to print, and its order.
 */
import * as Flag from "effect/cli/Flag"
import { limit } from "./flags.ts"
import * as Time from "./time.ts"

/** The order of a list by time. */
export const order = Flag.Boolean("oldest-first").pipe(
  Flag.withDefault(false),
  Flag.withDescription("Start with the oldest (default: with the newest)"),
  Flag.map((oldestFirst) => oldestFirst ? "oldestFirst" as const : "newestFirst" as const)
)

/** A range of a PubNub channel. */
export const ofChannel = {
  since: Time.timetoken("since", "Nothing older than this"),
  before: Time.timetoken("before", "Only what is older than this"),
  order,
  limit: limit(100)
}

/** A range of Symphony messages. */
export const ofStream = {
  since: Time.moment("since", "Nothing older than this"),
  until: Time.moment("until", "Nothing newer than this"),
  limit: limit(50)
}
