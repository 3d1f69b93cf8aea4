/**
 * Cursors of durable readers in a SQL database. Each reader has one owner at a time: a new owner claims it, and the old one can no
 * longer save. Handlers can write to the same database in one transaction with the cursor.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { Cursor } from "../Cursor.ts"
import { CursorStore, CursorStoreError } from "../CursorStore.ts"
import * as Input from "../internal/input.ts"
import * as Text from "../internal/text.ts"
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
    const failed = failing("create", "")
    const wrong = Input.issues({ table: Input.optional(name)(options.table) })
    if (wrong.length > 0) return Effect.fail(failed("Invalid")({ message: Text.complaint("", wrong) }))
    return Effect.flatMap(SqlClient.SqlClient, (client) => {
      const sql = client.withoutTransforms()
      const time = sql.onDialectOrElse({
        pg: () => sql.literal("timestamptz"),
        sqlite: () => sql.literal("text"),
        orElse: () => undefined
      })
      if (time === undefined) return Effect.fail(failed("Invalid")({ message: unknownDialect }))
      return sql`CREATE TABLE IF NOT EXISTS ${sql(options.table ?? standard)} (
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
        Effect.mapError(refusing("create", "")),
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
            ? Effect.fail(failing(operation, reader)("Invalid")({ message: "it was not loaded before" }))
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

const standard = "herald_readers"

const unknownDialect = "cursors can be kept in PostgreSQL and SQLite only"

const otherClient =
  "the handler has another SqlClient than the store, and no part in its transactions. Provide one to both"

/** A key of the table. PostgreSQL keeps no NUL in text. */
const name: Input.Check = Input.all(
  Input.filled,
  Input.characters(255),
  (value) => typeof value === "string" && value.includes("\0") ? "has a NUL character" : undefined
)

const decode = Schema.decodeEffect(Schema.fromJsonString(Cursor))
const encode = Schema.encodeEffect(Schema.fromJsonString(Cursor))

const failing =
  (operation: CursorStoreError["operation"], reader: string) =>
  (kind: CursorStoreError["kind"]) =>
  ({ message }: { readonly message: string }) =>
    new CursorStoreError({ operation, kind, reader, description: Text.clause(Text.told(message)) })

const refusing = (operation: CursorStoreError["operation"], reader: string) => (error: SqlError) =>
  new CursorStoreError({
    operation,
    kind: SqlFailure.isLasting(error) ? "Invalid" : "Unavailable",
    reader,
    description: SqlFailure.said(error)
  })

interface Row {
  readonly epoch: unknown
  readonly owner: string
  readonly cursor: string | null
  readonly commits: unknown
}

const claimWith = Effect.fnUntraced(function*(client: SqlClient.SqlClient, options: ClaimOptions) {
  const { fleet = "", owner, reader, table = standard } = options
  const wrong = Input.issues({
    reader: name(reader),
    owner: name(owner),
    table: name(table),
    fleet: fleet === "" ? undefined : name(fleet)
  })
  const failed = failing("claim", typeof reader === "string" ? reader : "")
  if (wrong.length > 0) return yield* failed("Invalid")({ message: Text.complaint("", wrong) })
  const sql = client.withoutTransforms()
  const isKnown = sql.onDialectOrElse({ pg: () => true, sqlite: () => true, orElse: () => false })
  if (!isKnown) return yield* failed("Invalid")({ message: unknownDialect })
  const readers = sql(table)
  const claimed = yield* sql<{ readonly epoch: unknown }>`
    INSERT INTO ${readers} AS held (reader, fleet, epoch, owner, commits, claimed_at)
    VALUES (${reader}, ${fleet}, 1, ${owner}, 0, CURRENT_TIMESTAMP)
    ON CONFLICT (reader) DO UPDATE
      SET epoch = held.epoch + 1, owner = excluded.owner, commits = 0, claimed_at = CURRENT_TIMESTAMP
      WHERE held.fleet = excluded.fleet
    RETURNING epoch`.pipe(Effect.mapError(refusing("claim", reader)))
  if (claimed[0] === undefined) {
    return yield* failed("Invalid")({
      message: `it belongs to another fleet of the table ${table}. Give each fleet a table or a database of its own`
    })
  }
  const epoch = Number(claimed[0].epoch)
  return { reader, owner, epoch, store: storeOf(sql, { table, reader, epoch }) } satisfies Claim
})

/** The store of one claim. */
const storeOf = (
  sql: SqlClient.SqlClient,
  { epoch, reader, table }: { readonly table: string; readonly reader: string; readonly epoch: number }
): Required<CursorStore["Service"]> => {
  const readers = sql(table)
  // A frozen process holds the row from here to its COMMIT. PostgreSQL ends its session, so that a claim need not wait for it.
  const bound = sql.onDialectOrElse({
    pg: () => sql.literal("set_config('idle_in_transaction_session_timeout', '5s', true) AS bound"),
    orElse: () => sql.literal("1 AS bound")
  })

  const row = (operation: "load" | "save") =>
    sql<Row>`SELECT epoch, owner, cursor, commits FROM ${readers} WHERE reader = ${reader}`.pipe(
      Effect.mapError((error) => failing(operation, reader)("Unavailable")({ message: SqlFailure.said(error) })),
      Effect.flatMap(([row]) => {
        if (row === undefined) {
          return Effect.fail(
            failing(operation, reader)("Invalid")({ message: `its row of the table ${table} is gone` })
          )
        }
        if (Number(row.epoch) === epoch) return Effect.succeed(row)
        const owner = Text.told(row.owner)
        return Effect.fail(
          new CursorStoreError({
            operation,
            kind: "Fenced",
            reader,
            description: `${owner} claimed it (epoch ${Number(row.epoch)}, and this one has ${epoch})`,
            owner
          })
        )
      })
    )

  /** The cursor of the last save, and its number in this epoch: another attempt to save it has the same number. */
  let last: { readonly cursor: Cursor | undefined; readonly number: number } = { cursor: undefined, number: 0 }
  const numberOf = (cursor: Cursor): number => {
    if (cursor !== last.cursor) last = { cursor, number: last.number + 1 }
    return last.number
  }

  /** Writes the cursor, unless it or a newer one was saved. Gives whether it did. */
  const write = (text: string, number: number) =>
    sql`UPDATE ${readers} SET cursor = ${text}, commits = ${number}, committed_at = CURRENT_TIMESTAMP
        WHERE reader = ${reader} AND epoch = ${epoch} AND commits < ${number} RETURNING ${bound}`.pipe(
      Effect.mapError((error) => failing("save", reader)("Unavailable")({ message: SqlFailure.said(error) })),
      Effect.flatMap((rows) => rows.length > 0 ? Effect.succeed(true) : isSaved(number))
    )
  const isSaved = (number: number) =>
    Effect.flatMap(row("save"), ({ commits }) =>
      Number(commits) >= number
        ? Effect.succeed(false)
        : Effect.fail(failing("save", reader)("Unavailable")({ message: "its row changed meanwhile" })))

  const check = (operation: "load" | "save", given: string) =>
    given === reader
      ? Effect.void
      : Effect.fail(failing(operation, given)("Invalid")({ message: `this store was claimed for reader ${reader}` }))
  const textOf = (cursor: Cursor) => Effect.mapError(encode(cursor), failing("save", reader)("Invalid"))

  return {
    load: (given) =>
      check("load", given).pipe(
        Effect.andThen(row("load")),
        Effect.flatMap(({ cursor }) =>
          cursor === null
            ? Effect.succeed(undefined)
            : Effect.mapError(decode(cursor), failing("load", reader)("Invalid"))
        )
      ),
    save: (given, cursor) =>
      check("save", given).pipe(
        Effect.andThen(textOf(cursor)),
        Effect.flatMap((text) => write(text, numberOf(cursor))),
        Effect.asVoid
      ),
    transaction: <E, R>(given: string, cursor: Cursor, work: Effect.Effect<unknown, E, R>) =>
      Effect.gen(function*() {
        yield* check("save", given)
        const others = yield* Effect.serviceOption(SqlClient.SqlClient)
        if (Option.isSome(others) && others.value.transactionService !== sql.transactionService) {
          return yield* failing("save", reader)("Invalid")({ message: otherClient })
        }
        const text = yield* textOf(cursor)
        const isRepeated = cursor === last.cursor
        const number = numberOf(cursor)
        // The answer to a COMMIT may have been lost.
        if (isRepeated && Number((yield* row("save")).commits) >= number) return Result.void
        return yield* transact(sql, work, write(text, number), failing("save", reader)("Unavailable"))
      })
  }
}

/**
 * Runs work and a write in one transaction, and undoes the work if the write finds that there is nothing to write. What the
 * transaction itself fails with is told apart from the failure of the work.
 */
const transact = <E, R>(
  sql: SqlClient.SqlClient,
  work: Effect.Effect<unknown, E, R>,
  write: Effect.Effect<boolean, CursorStoreError>,
  failed: (error: { readonly message: string }) => CursorStoreError
): Effect.Effect<Result.Result<void, E>, CursorStoreError, R> =>
  Effect.suspend(() => {
    let undone: Effect.Effect<Result.Result<void, E>, CursorStoreError> | undefined
    const undo = (why: typeof undone) =>
      Effect.suspend(() => {
        undone = why
        return Effect.fail(undoing)
      })
    const worked = Effect.matchCauseEffect(work, {
      onFailure: (cause) => {
        const failure = Cause.findError(cause)
        return undo(
          Result.isSuccess(failure)
            ? Effect.succeed(Result.fail(failure.success))
            : Effect.failCause(failure.failure)
        )
      },
      onSuccess: () =>
        Effect.matchEffect(write, {
          onFailure: (error) => undo(Effect.fail(error)),
          onSuccess: (isWritten) => isWritten ? Effect.void : undo(Effect.succeed(Result.void))
        })
    })
    return Effect.matchCauseEffect(sql.withTransaction(worked), {
      onSuccess: () => Effect.succeed(Result.void),
      // The connection may fail while it rolls back: the server does so, too.
      onFailure: (cause) =>
        undone ??
          (Cause.hasInterruptsOnly(cause)
            ? Effect.interrupt
            : Effect.fail(failed({ message: Text.ofDefect(Cause.squash(cause)) })))
    })
  })

const undoing = "undo" as const
