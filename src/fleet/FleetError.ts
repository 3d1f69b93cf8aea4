/**
 * Why a fleet cannot start, or cannot be changed.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Failure from "../internal/failure.ts"
import * as Text from "../internal/text.ts"

const advice = {
  BadOptions: "Correct the options.",
  Mismatch: "Give all runners the same settings. To change lanes or shards, stop all of them and use Fleet.resize.",
  Duplicate: "Give each fleet of a program a name of its own.",
  NoTable: "Create the tables with SqlFleetStore.createTables, and let the user of the database read and write them.",
  SmallPool: "Set maxConnections of the SqlClient to 10: the locks of shards keep one connection for themselves.",
  Unavailable: "Check the database, then try again."
} as const

/**
 * A fleet cannot start, or its table cannot be read or changed.
 *
 * - `BadOptions`: an option is wrong; nothing was started.
 * - `Mismatch`: the database has this fleet with other settings: another number of lanes or shards, or another shard group.
 * - `Duplicate`: this program runs the fleet already.
 * - `NoTable`: a table is missing, or its user has no right to it.
 * - `SmallPool`: the pool of connections is too small for a runner.
 * - `Unavailable`: the database failed; another attempt may succeed.
 *
 * @category errors
 * @since 0.1.0
 */
export class FleetError extends Failure.TaggedError<FleetError>("FleetError")("FleetError", {
  /** What the program did, such as `Fleet.layer`. */
  operation: Schema.String,
  /** The name of the fleet. Empty if it concerns all fleets of a table. */
  fleet: Schema.String,
  /** The kind of failure. */
  kind: Schema.Literals(["BadOptions", "Mismatch", "Duplicate", "NoTable", "SmallPool", "Unavailable"]),
  /** What is wrong. */
  description: Schema.String
}, {
  message: ({ description, fleet, kind, operation }) =>
    `${operation}${fleet === "" ? "" : ` of fleet "${fleet}"`} failed: ${Text.sentence(description)} ${advice[kind]}`,
  isRetryable: ({ kind }) => kind === "Unavailable"
}) {}
