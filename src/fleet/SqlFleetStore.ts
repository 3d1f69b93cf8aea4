/**
 * The state of fleets in PostgreSQL.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import { CursorStoreError } from "../CursorStore.ts"
import * as Input from "../internal/input.ts"
import * as Text from "../internal/text.ts"
import { FleetError } from "./FleetError.ts"
import { FleetStore, type LaneRow, type Settings } from "./FleetStore.ts"
import * as Claiming from "./internal/claiming.ts"
import { differing } from "./internal/differing.ts"
import * as SqlFailure from "./internal/sqlFailure.ts"
import * as SqlCursorStore from "./SqlCursorStore.ts"

/**
 * Options of {@link layer} and {@link createTables}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * What the names of the tables begin with, after a schema if there is one (`messaging.herald_`). The tables are `readers`,
   * `fleets` and `channels`, the view is `fleet_status`. At most 50 bytes after the schema. Default: `herald_`.
   */
  readonly prefix?: string | undefined
}

/**
 * Creates the tables and the view of fleets in PostgreSQL, where they are missing: `herald_readers` (lanes: owner, epoch, cursor),
 * `herald_fleets` (settings), `herald_channels`, and the view `herald_fleet_status`. Fails with `FleetError`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const createTables = (options?: Options): Effect.Effect<void, FleetError, SqlClient.SqlClient> =>
  create(options?.prefix)

/**
 * Shares the state of fleets in PostgreSQL. It creates the tables that are missing: see {@link createTables}.
 *
 * **Details**
 *
 * Fails with `FleetError`: `NoTable` if a table is missing and cannot be created, `SmallPool` if the pool of the `SqlClient` has
 * fewer than three connections that are free. A runner needs about ten.
 *
 * **Example** (In PostgreSQL)
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import type * as SqlClient from "effect/sql/SqlClient"
 * import * as SqlFleetStore from "effect-herald/fleet/SqlFleetStore"
 *
 * declare const Postgres: Layer.Layer<SqlClient.SqlClient>
 *
 * const Store = SqlFleetStore.layer().pipe(Layer.provide(Postgres))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options?: Options & {
    /** Whether to create missing tables. Default: `true`. */
    readonly createTables?: boolean | undefined
  }
): Layer.Layer<FleetStore, FleetError, SqlClient.SqlClient> => Layer.effect(FleetStore, make(options))

// --------------------------------------------------------------------------------------------------------------------
// internal
// --------------------------------------------------------------------------------------------------------------------

const usualPrefix = "herald_"

/** Requests with more values than this are split. */
const mostValues = 1_000

/** PostgreSQL cuts names after 63 bytes: the tables would be one. */
const prefixed: Input.Check = (prefix) =>
  Input.printable(prefix) ??
    String(prefix).split(".").map(Input.bytes(50)).find((problem) => problem !== undefined)

/** How long a runner waits at its start for connections. */
const patience = "10 seconds"

const failing = (operation: string, fleet = "") => (error: SqlError) => {
  const kind = SqlFailure.isLasting(error) ? "NoTable" : "Unavailable"
  return new FleetError({ operation, fleet, kind, description: SqlFailure.said(error) })
}

interface FleetRow {
  readonly lanes: unknown
  readonly shards: unknown
  readonly shard_group: string
}

const settingsOf = (fleet: string, { lanes, shard_group, shards }: FleetRow): Settings => ({
  fleet,
  lanes: Number(lanes),
  shards: Number(shards),
  shardGroup: shard_group
})

/** The client, if it is one of PostgreSQL, and the prefix can be kept. */
const checked = Effect.fnUntraced(function*(operation: string, prefix: string) {
  const client = yield* SqlClient.SqlClient
  const wrong = Input.issues({ prefix: prefixed(prefix) })
  const description = client.onDialectOrElse({ pg: () => false, orElse: () => true })
    ? "fleets need PostgreSQL"
    : wrong.length > 0
    ? Text.complaint("", wrong)
    : undefined
  if (description === undefined) return client
  return yield* new FleetError({ operation, fleet: "", kind: "BadOptions", description })
})

/** Creates what is missing. Runners that start together wait for each other. */
const create = Effect.fnUntraced(function*(prefix = usualPrefix) {
  const client = yield* checked("SqlFleetStore.createTables", prefix)
  const sql = client.withoutTransforms()
  const failed = failing("SqlFleetStore.createTables")
  const readers = `${prefix}readers`
  yield* client.withTransaction(Effect.gen(function*() {
    yield* sql`SELECT pg_advisory_xact_lock(hashtext(${prefix}))`
    yield* Effect.mapError(
      SqlCursorStore.createTable({ table: readers }),
      (error) =>
        new FleetError({
          operation: "SqlFleetStore.createTables",
          fleet: "",
          kind: "NoTable",
          description: Text.clause(error.message)
        })
    )
    yield* sql`CREATE TABLE IF NOT EXISTS ${sql(`${prefix}fleets`)} (
      fleet text PRIMARY KEY,
      lanes integer NOT NULL,
      shards integer NOT NULL,
      shard_group text NOT NULL,
      version bigint NOT NULL DEFAULT 1,
      history_turn double precision NOT NULL DEFAULT 0,
      named_by text,
      named_hash bigint
    )`
    yield* sql`CREATE TABLE IF NOT EXISTS ${sql(`${prefix}channels`)} (
      fleet text NOT NULL,
      channel text NOT NULL,
      added_at timestamptz NOT NULL DEFAULT now(),
      taken_at timestamptz,
      PRIMARY KEY (fleet, channel)
    )`
    yield* sql`CREATE OR REPLACE VIEW ${sql(`${prefix}fleet_status`)} AS
      SELECT fleet, reader, owner, epoch, claimed_at, committed_at, now() - committed_at AS since_commit,
        cursor::jsonb ->> 'position' AS position,
        to_timestamp((cursor::jsonb ->> 'position')::numeric / 10000000) AS handled_until
      FROM ${sql(readers)} WHERE fleet <> ''`
  })).pipe(Effect.mapError((error) => error._tag === "SqlError" ? failed(error) : error))
})

const make = Effect.fnUntraced(function*(
  { createTables: mayCreate = true, prefix = usualPrefix }: {
    readonly prefix?: string | undefined
    readonly createTables?: boolean | undefined
  } = {}
) {
  const operation = "SqlFleetStore.layer"
  const client = yield* checked(operation, prefix)
  const sql = client.withoutTransforms()

  // The cluster keeps a connection for its locks. Two further ones must be free at the same time.
  yield* Effect.scoped(Effect.andThen(client.reserve, sql`SELECT 1`)).pipe(
    Effect.mapError((error) =>
      new FleetError({ operation, fleet: "", kind: "Unavailable", description: SqlFailure.said(error) })
    ),
    Effect.timeoutOrElse({
      duration: patience,
      orElse: () => {
        const description = `the pool had no two free connections within ${patience}`
        return Effect.fail(new FleetError({ operation, fleet: "", kind: "SmallPool", description }))
      }
    })
  )
  if (mayCreate) yield* Effect.provideService(create(prefix), SqlClient.SqlClient, client)

  const readers = `${prefix}readers`
  const fleets = sql(`${prefix}fleets`)
  const table = sql(`${prefix}channels`)
  yield* sql`SELECT r.reader, f.named_hash, c.channel FROM ${sql(readers)} r, ${fleets} f, ${table} c LIMIT 0`.pipe(
    Effect.mapError(failing(operation))
  )

  const settings = (fleet: string) =>
    Effect.map(
      sql<FleetRow>`SELECT lanes, shards, shard_group FROM ${fleets} WHERE fleet = ${fleet}`,
      ([row]) => row === undefined ? undefined : settingsOf(fleet, row)
    )
  const forChunks = <E>(
    channels: ReadonlyArray<string>,
    work: (some: Arr.NonEmptyArray<string>) => Effect.Effect<unknown, E>
  ) => Effect.forEach(Arr.chunksOf(channels, mostValues), work, { discard: true })
  const transaction = <A, E, E2, R>(failed: (error: SqlError) => E2, work: Effect.Effect<A, E | SqlError, R>) =>
    Effect.mapError(
      client.withTransaction(work),
      (error) => error instanceof SqlError ? failed(error) : error
    )
  /**
   * A change of channels raises the version that tells runners of it. The row of the version may not be there yet: a runner that
   * begins meanwhile waits for the COMMIT, or it would never see the change.
   */
  const alone = (fleet: string) => sql`SELECT pg_advisory_xact_lock(hashtext(${prefix}), hashtext(${fleet}))`
  const change = (operation: string, fleet: string, work: Effect.Effect<unknown, SqlError>) =>
    Effect.mapError(
      client.withTransaction(
        alone(fleet).pipe(
          Effect.andThen(work),
          Effect.andThen(sql`UPDATE ${fleets} SET version = version + 1 WHERE fleet = ${fleet}`),
          Effect.asVoid
        )
      ),
      failing(operation, fleet)
    )

  return {
    claim: ({ owner, reader, settings: own }) =>
      Effect.gen(function*() {
        const { fleet, lanes, shardGroup, shards } = own
        const options = { table: readers, fleet, reader, owner }
        // A change of the settings waits for this statement, and this statement for it.
        const claimed = yield* Claiming.claim(
          client,
          options,
          sql`SELECT 1 FROM ${fleets} WHERE fleet = ${fleet} AND lanes = ${lanes} AND shards = ${shards}
            AND shard_group = ${shardGroup} FOR SHARE`
        )
        if (claimed !== undefined) return claimed
        const stored = yield* Effect.mapError(settings(fleet), Claiming.refusing("claim", reader))
        const description = differing(own, stored)
        return yield* description === undefined
          ? Claiming.ofOther(options)
          : new CursorStoreError({ operation: "claim", kind: "Invalid", reader, description })
      }),
    begin: (given) =>
      Effect.mapError(
        client.withTransaction(
          alone(given.fleet).pipe(
            Effect.andThen(
              sql`INSERT INTO ${fleets} ${
                sql.insert({
                  fleet: given.fleet,
                  lanes: given.lanes,
                  shards: given.shards,
                  shard_group: given.shardGroup
                })
              } ON CONFLICT DO NOTHING`
            ),
            Effect.andThen(settings(given.fleet)),
            Effect.map((stored) => stored ?? given)
          )
        ),
        failing("Fleet.layer", given.fleet)
      ),
    noteNamed: (fleet, { hash, owner }) =>
      Effect.mapError(
        Effect.asVoid(
          sql`UPDATE ${fleets} SET named_by = ${owner}, named_hash = ${hash} WHERE fleet = ${fleet}`
        ),
        failing("Fleet.layer", fleet)
      ),
    named: (fleet) =>
      Effect.mapError(
        Effect.map(
          sql<{ readonly named_by: string | null; readonly named_hash: unknown }>`
            SELECT named_by, named_hash FROM ${fleets} WHERE fleet = ${fleet}`,
          ([row]) =>
            row === undefined || row.named_by === null
              ? undefined
              : { owner: row.named_by, hash: Number(row.named_hash) }
        ),
        failing("Fleet.layer", fleet)
      ),
    settings: (fleet) => Effect.mapError(settings(fleet), failing("Fleet.resize", fleet)),
    channels: (fleet, known) =>
      Effect.gen(function*() {
        const [row] = yield* sql<{ readonly version: unknown }>`SELECT version FROM ${fleets} WHERE fleet = ${fleet}`
        const version = Number(row?.version ?? 0)
        if (version === known) return undefined
        const rows = yield* sql<{ readonly channel: string; readonly waits: boolean }>`
          SELECT channel, taken_at IS NULL AS waits FROM ${table} WHERE fleet = ${fleet}`
        return {
          version,
          channels: rows.map(({ channel }) => channel),
          waiting: rows.filter(({ waits }) => waits).map(({ channel }) => channel)
        }
      }).pipe(Effect.mapError(failing("Fleet.layer", fleet))),
    addChannels: (fleet, channels) =>
      change(
        "Fleet.addChannels",
        fleet,
        forChunks(channels, (some) => {
          const rows = Arr.map(some, (channel) => ({ fleet, channel }))
          return sql`INSERT INTO ${table} ${sql.insert(rows)} ON CONFLICT DO NOTHING`
        })
      ),
    removeChannels: (fleet, channels) =>
      change(
        "Fleet.removeChannels",
        fleet,
        forChunks(
          channels,
          (some) => sql`DELETE FROM ${table} WHERE fleet = ${fleet} AND ${sql.in("channel", some)}`
        )
      ),
    taken: (fleet, channels, { epoch, reader }) =>
      Effect.mapError(
        forChunks(
          channels,
          (some) =>
            sql`UPDATE ${table} SET taken_at = now()
              WHERE fleet = ${fleet} AND taken_at IS NULL AND ${sql.in("channel", some)}
                AND EXISTS (SELECT 1 FROM ${sql(readers)} WHERE reader = ${reader} AND epoch = ${epoch})`
        ),
        failing("Fleet.layer", fleet)
      ),
    waiting: (fleet, channels) =>
      Effect.mapError(
        Effect.map(
          Effect.forEach(
            Arr.chunksOf(channels, mostValues),
            (some) =>
              sql<{ readonly count: unknown }>`SELECT count(*) AS count FROM ${table}
                WHERE fleet = ${fleet} AND taken_at IS NULL AND ${sql.in("channel", some)}`
          ),
          (counts) => counts.flat().reduce((sum, { count }) => sum + Number(count), 0)
        ),
        failing("Fleet.untilRead", fleet)
      ),
    lanes: (fleet) =>
      Effect.mapError(
        Effect.map(
          sql<{
            readonly reader: string
            readonly owner: string
            readonly epoch: unknown
            readonly claimed: unknown
            readonly committed: unknown
            readonly position: string | null
          }>`SELECT reader, owner, epoch, position, extract(epoch FROM claimed_at) * 1000 AS claimed,
            extract(epoch FROM committed_at) * 1000 AS committed
            FROM ${sql(`${prefix}fleet_status`)} WHERE fleet = ${fleet} ORDER BY reader`,
          (rows) =>
            rows.map(({ claimed, committed, epoch, owner, position, reader }): LaneRow => ({
              reader,
              owner,
              epoch: Number(epoch),
              claimedAt: Math.round(Number(claimed)),
              ...committed === null ? {} : { committedAt: Math.round(Number(committed)) },
              ...position === null ? {} : { position }
            }))
        ),
        failing("FleetStore.lanes", fleet)
      ),
    historyTurn: (fleet, perSecond) =>
      Effect.mapError(
        Effect.map(
          sql<{ readonly wait: unknown }>`UPDATE ${fleets}
            SET history_turn = greatest(history_turn, extract(epoch FROM clock_timestamp()) * 1000) + ${
            1_000 / perSecond
          }
            WHERE fleet = ${fleet}
            RETURNING history_turn - ${1_000 / perSecond} - extract(epoch FROM clock_timestamp()) * 1000 AS wait`,
          ([row]) => Duration.millis(Math.max(0, Number(row?.wait ?? 0)))
        ),
        failing("Fleet.layer", fleet)
      ),
    resize: ({ fleet, lanes, shardGroup, shards }, work) =>
      transaction(
        failing("Fleet.resize", fleet),
        Effect.andThen(
          sql`UPDATE ${fleets}
            SET lanes = ${lanes}, shards = ${shards}, shard_group = ${shardGroup}, version = version + 1
            WHERE fleet = ${fleet}`,
          work
        )
      )
  } satisfies FleetStore["Service"]
})
