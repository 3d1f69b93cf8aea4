/**
 * Cursors of durable readers in a SQL database. Each reader has one owner at a time: a new owner claims it, and the old one can no
 * longer save. Handlers can write to the same database in one transaction with the cursor.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { CursorStore, type CursorStoreError } from "../CursorStore.ts"
import * as Input from "../internal/input.ts"
import * as Text from "../internal/text.ts"
import * as Claiming from "./internal/claiming.ts"
import * as SqlFailure from "./internal/sqlFailure.ts"

/**
 * Where cursors are kept.
 *
 * @category models
 * @since 0.1.0
 */
export interface TableOptions {
  /** The table, with its schema if it has one (`messaging.readers`). Default: `herald_readers`. */
  readonly table?: string | undefined
}

/**
 * Options of {@link layer}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends TableOptions {
  /** The name of this process, which errors of the process before it show: a host, a pod. At most 255 characters. */
  readonly owner: string
  /**
   * What the readers of this table belong to, such as an environment or a keyset. A reader of another fleet cannot be claimed, so
   * two deployments that share a table by mistake find out. At most 255 characters. Default: empty.
   */
  readonly fleet?: string | undefined
}

/**
 * Options of {@link claim}.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClaimOptions extends Options {
  /** The name of the reader. At most 255 characters. */
  readonly reader: string
}

/**
 * The right to save the cursor of one reader, until the next claim.
 *
 * @category models
 * @since 0.1.0
 */
export interface Claim {
  /** The name of the reader. */
  readonly reader: string
  /** Who claimed it. */
  readonly owner: string
  /** How often the reader was claimed, this claim included. */
  readonly epoch: number
  /** The cursor of this reader. After the next claim it fails with `CursorStoreError` of the kind `Fenced`. */
  readonly store: Required<CursorStore["Service"]>
}

/**
 * Creates the table of cursors if it is missing. {@link layer} does it, too.
 *
 * **Details**
 *
 * A row for each reader: `reader`, `fleet`, `epoch`, `owner`, `cursor`, `commits` (in this epoch), `claimed_at` and `committed_at`.
 * The user of the database needs the right to create tables. It knows PostgreSQL and SQLite. Fails with `CursorStoreError`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const createTable = (options: TableOptions = {}): Effect.Effect<void, CursorStoreError, SqlClient.SqlClient> =>
  Effect.suspend(() => {
    const failed = Claiming.failing("create", "")
    const wrong = Input.issues({ table: Input.optional(Claiming.name)(options.table) })
    if (wrong.length > 0) return Effect.fail(failed("Invalid")({ message: Text.complaint("", wrong) }))
    return Effect.flatMap(SqlClient.SqlClient, (client) => {
      const sql = client.withoutTransforms()
      const time = sql.onDialectOrElse({
        pg: () => sql.literal("timestamptz"),
        sqlite: () => sql.literal("text"),
        orElse: () => undefined
      })
      if (time === undefined) return Effect.fail(failed("Invalid")({ message: Claiming.unknownDialect }))
      return sql`CREATE TABLE IF NOT EXISTS ${sql(options.table ?? Claiming.standard)} (
        reader text PRIMARY KEY,
        fleet text NOT NULL,
        epoch bigint NOT NULL,
        owner text NOT NULL,
        cursor text,
        commits bigint NOT NULL,
        claimed_at ${time} NOT NULL,
        committed_at ${time}
      )`.pipe(
        // Two processes that create it at once can fail in PostgreSQL.
        Effect.retry({ times: 2, while: (error) => !SqlFailure.isLasting(error) }),
        Effect.mapError(Claiming.refusing("create", "")),
        Effect.asVoid
      )
    })
  })

/**
 * Claims a reader: its epoch rises by one, and every owner before can no longer save. So it does not matter whether the old owner
 * still runs, hangs, or wakes up later.
 *
 * **Details**
 *
 * Its table must exist: {@link createTable}. A claim waits while the old owner commits, at most 5 seconds if the old owner hangs at
 * that very moment. Fails with `CursorStoreError`: of the kind `Invalid` if the table is missing, or if the reader belongs to another `fleet`.
 *
 * **Gotchas**
 *
 * A reader that ended with `Fenced` must not simply claim again: it would take the reader back from its rightful owner.
 *
 * **Example** (A reader with a claim of its own)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import { CursorStore } from "effect-herald/CursorStore"
 * import * as SqlCursorStore from "effect-herald/fleet/SqlCursorStore"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * const worker = Effect.gen(function*() {
 *   const { epoch, store } = yield* SqlCursorStore.claim({ reader: "billing", owner: "host-1" })
 *   yield* Effect.log(`claim number ${epoch}`)
 *   yield* Subscribe.consume((message) => Effect.log(message.payload), { channels: ["orders"], reader: "billing" }).pipe(
 *     Effect.provideService(CursorStore, store)
 *   )
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const claim = (options: ClaimOptions): Effect.Effect<Claim, CursorStoreError, SqlClient.SqlClient> =>
  Effect.flatMap(SqlClient.SqlClient, (client) => claimWith(client, options))

/**
 * Keeps cursors in a SQL database. It creates its table if it is missing, and claims each reader when it is loaded first.
 *
 * **Details**
 *
 * Of two processes with one reader, the one that starts later owns it. The other one ends at its next save with
 * `CursorStoreError` of the kind `Fenced`, and cannot load the reader again with this layer: it never takes it back.
 *
 * A save that is late never replaces a newer one. Fails with `CursorStoreError` if the table cannot be created.
 *
 * **Example** (In PostgreSQL)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import type * as SqlClient from "effect/sql/SqlClient"
 * import * as SqlCursorStore from "effect-herald/fleet/SqlCursorStore"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * declare const Postgres: Layer.Layer<SqlClient.SqlClient>
 *
 * const worker = Subscribe.consume((message) => Effect.log(message.payload), { channels: ["orders"], reader: "billing" }).pipe(
 *   Effect.provide(SqlCursorStore.layer({ owner: "host-1" }).pipe(Layer.provide(Postgres)))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<CursorStore, CursorStoreError, SqlClient.SqlClient> =>
  Layer.effect(
    CursorStore,
    Effect.gen(function*() {
      const client = yield* SqlClient.SqlClient
      yield* createTable(options)
      const claims = new Map<string, Claim>()
      const storeOf = (operation: CursorStoreError["operation"], reader: string) =>
        Effect.suspend(() => {
          const claimed = claims.get(reader)
          return claimed === undefined
            ? Effect.fail(Claiming.failing(operation, reader)("Invalid")({ message: "it was not loaded before" }))
            : Effect.succeed(claimed.store)
        })
      return CursorStore.of({
        load: (reader) =>
          Effect.suspend(() => {
            const claimed = claims.get(reader)
            if (claimed !== undefined) return claimed.store.load(reader)
            return Effect.flatMap(claimWith(client, { ...options, reader }), (claim) => {
              claims.set(reader, claim)
              return claim.store.load(reader)
            })
          }),
        save: (reader, cursor) => Effect.flatMap(storeOf("save", reader), (store) => store.save(reader, cursor)),
        transaction: (reader, cursor, work) =>
          Effect.flatMap(storeOf("save", reader), (store) => store.transaction(reader, cursor, work))
      })
    })
  )

// --------------------------------------------------------------------------------------------------------------------
// internal
// --------------------------------------------------------------------------------------------------------------------

const claimWith = (client: SqlClient.SqlClient, options: ClaimOptions): Effect.Effect<Claim, CursorStoreError> =>
  Effect.flatMap(
    Claiming.claim(client, options),
    (claimed) => claimed === undefined ? Effect.fail(Claiming.ofOther(options)) : Effect.succeed(claimed)
  )
