/**
 * `herald fleet`: what the database knows of fleets of durable readers.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { FleetError } from "../fleet/FleetError.ts"
import { FleetStore, type LaneRow } from "../fleet/FleetStore.ts"
import * as Text from "../internal/text.ts"
import { BadInput, SystemFailure } from "./exit/failure.ts"
import { writeValues } from "./output/write.ts"

const database = Flag.Redacted("database").pipe(
  Flag.withFallbackConfig(Config.Redacted("DATABASE_URL")),
  Flag.withDescription("Database of the fleet, postgres://user:password@host:5432/name (DATABASE_URL)")
)

const prefix = Flag.String("prefix").pipe(
  Flag.withDefault("herald_"),
  Flag.withDescription("What the names of its tables begin with (default: herald_)")
)

const fleetName = Argument.String("fleet").pipe(Argument.withDescription("The name of the fleet"))

// Only this command needs the client of PostgreSQL, so it is loaded here, and need not be installed.
const clients = Effect.tryPromise({
  try: () => Promise.all([import("@effect/sql-pg/PgClient"), import("../fleet/SqlFleetStore.ts")]),
  catch: () =>
    new SystemFailure({ description: "The client of PostgreSQL is missing. Install it: npm install @effect/sql-pg" })
})

/** A lane as it is printed: times are ISO text, lengths of time are milliseconds. */
const shownOf = ({ claimedAt, committedAt, epoch, owner, position, reader }: LaneRow, now: number) => {
  const iso = (millis: number) => DateTime.formatIso(DateTime.makeUnsafe(millis))
  return {
    lane: reader,
    owner,
    epoch,
    claimedAt: iso(claimedAt),
    ...committedAt !== undefined && { committedAt: iso(committedAt), sinceCommit: Math.max(0, now - committedAt) },
    ...position !== undefined && { handledUntil: iso(Number(BigInt(position) / 10_000n)) }
  }
}

const status = Command.make(
  "status",
  { fleet: fleetName, database, prefix },
  ({ database, fleet, prefix }) =>
    Effect.gen(function*() {
      const [PgClient, SqlFleetStore] = yield* clients
      const rows = yield* FleetStore.use((store) => store.lanes(fleet)).pipe(
        Effect.provide(
          SqlFleetStore.layer({ prefix, createTables: false }).pipe(
            Layer.provide(PgClient.layer({ url: database, maxConnections: 3, connectTimeout: "5 seconds" }))
          )
        ),
        Effect.mapError((error) =>
          error instanceof FleetError
            ? error
            : new SystemFailure({ description: `The database does not answer: ${Text.told(error.message)}` })
        )
      )
      if (rows.length === 0) {
        return yield* new BadInput({ description: `No lane of a fleet "${Text.told(fleet)}" was ever claimed` })
      }
      const now = yield* Clock.currentTimeMillis
      yield* writeValues(Stream.map(Stream.fromIterable(rows), (row) => shownOf(row, now)), {
        toText: ({ epoch, handledUntil = "nothing handled yet", lane, owner, sinceCommit }) =>
          `${lane}  ${owner}  epoch ${epoch}  ${
            sinceCommit === undefined ? "no commit" : `committed ${Duration.format(Duration.millis(sinceCommit))} ago`
          }  ${handledUntil}`
      })
    })
).pipe(Command.withDescription("Print each lane of a fleet, its owner and its last commit, from the database"))

export const fleet = Command.make("fleet").pipe(
  Command.withSubcommands([status]),
  Command.withDescription("Fleets of durable readers")
)
