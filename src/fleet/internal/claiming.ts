/** Claims of readers, and what their owners may do with the cursor. */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import { Cursor } from "../../Cursor.ts"
import { type CursorStore, CursorStoreError } from "../../CursorStore.ts"
import * as Input from "../../internal/input.ts"
import * as Text from "../../internal/text.ts"
import * as SqlFailure from "./sqlFailure.ts"

/** The usual table. */
export const standard = "herald_readers"

/** The issue of every other database. */
export const unknownDialect = "cursors can be kept in PostgreSQL and SQLite only"

const otherClient =
  "the handler has another SqlClient than the store, and no part in its transactions. Provide one to both"

/** A key of the table. PostgreSQL keeps no NUL in text. */
export const name: Input.Check = Input.all(
  Input.filled,
  Input.characters(255),
  (value) => typeof value === "string" && value.includes("\0") ? "has a NUL character" : undefined
)

const decode = Schema.decodeEffect(Schema.fromJsonString(Cursor))
const encode = Schema.encodeEffect(Schema.fromJsonString(Cursor))

/** Makes errors of one operation on one reader. */
export const failing =
  (operation: CursorStoreError["operation"], reader: string) =>
  (kind: CursorStoreError["kind"]) =>
  ({ message }: { readonly message: string }) =>
    new CursorStoreError({ operation, kind, reader, description: Text.clause(Text.told(message)) })

/** Makes the error of a statement that failed. */
export const refusing = (operation: CursorStoreError["operation"], reader: string) => (error: SqlError) =>
  new CursorStoreError({
    operation,
    kind: SqlFailure.isLasting(error) ? "Invalid" : "Unavailable",
    reader,
    description: SqlFailure.said(error)
  })

interface Wanted {
  readonly reader: string
  readonly owner: string
  readonly fleet?: string | undefined
  readonly table?: string | undefined
}

interface Row {
  readonly epoch: unknown
  readonly owner: string
  readonly cursor: string | null
  readonly commits: unknown
}

/**
 * Claims a reader in one statement. With `allowed`, a query, it does so only if that gives a row. The claim is none if it is not
 * allowed, or if the reader belongs to another fleet.
 */
export const claim = Effect.fnUntraced(function*(
  client: SqlClient.SqlClient,
  options: Wanted,
  allowed?: Fragment
) {
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
    SELECT ${reader}, ${fleet}, 1, ${owner}, 0, CURRENT_TIMESTAMP
    WHERE ${allowed === undefined ? sql.literal("true") : sql`EXISTS (${allowed})`}
    ON CONFLICT (reader) DO UPDATE
      SET epoch = held.epoch + 1, owner = excluded.owner, commits = 0, claimed_at = CURRENT_TIMESTAMP
      WHERE held.fleet = excluded.fleet
    RETURNING epoch`.pipe(Effect.mapError(refusing("claim", reader)))
  if (claimed[0] === undefined) return undefined
  const epoch = Number(claimed[0].epoch)
  return { reader, owner, epoch, store: storeOf(sql, { table, reader, epoch }) }
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
 * transaction itself fails with is another error than the failure of the work.
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

/** Why there is no claim, if nothing else is known. */
export const ofOther = ({ reader, table = standard }: Wanted): CursorStoreError =>
  failing("claim", reader)("Invalid")({
    message: `it belongs to another fleet of the table ${table}. Give each fleet a table or a database of its own`
  })
