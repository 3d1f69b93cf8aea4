/** SQLite in memory as a `SqlClient`, on the driver of Node: for tests that need some database, and not PostgreSQL. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import { DatabaseSync, type SQLInputValue } from "node:sqlite"

const connectionOf = (database: DatabaseSync): Connection => {
  const run = (sql: string, parameters: ReadonlyArray<unknown>) =>
    Effect.try({
      try: () => database.prepare(sql).all(...parameters.map((value) => value as SQLInputValue)),
      catch: (cause) =>
        new SqlError.SqlError({
          reason: SqlError.classifySqliteError(cause, { message: "SQLite", operation: "execute" })
        })
    })
  const values = (sql: string, parameters: ReadonlyArray<unknown>) =>
    Effect.map(run(sql, parameters), (rows) => rows.map((row) => Object.values(row)))
  return {
    execute: run,
    executeUnprepared: run,
    executeRaw: run,
    executeValues: values,
    executeValuesUnprepared: values,
    executeStream: (sql, parameters) => Stream.fromIterableEffect(run(sql, parameters))
  }
}

/** A client of a database of its own. */
export const layer: Layer.Layer<SqlClient.SqlClient> = Layer.effect(
  SqlClient.SqlClient,
  Effect.gen(function*() {
    const database = yield* Effect.acquireRelease(
      Effect.sync(() => new DatabaseSync(":memory:")),
      (database) => Effect.sync(() => database.close())
    )
    return yield* SqlClient.make({
      ...SqlClient.makeSqliteAcquirers({
        connection: Effect.succeed(connectionOf(database)),
        semaphore: Semaphore.makeUnsafe(1)
      }),
      compiler: Statement.makeCompilerSqlite(),
      driver: "node-sqlite",
      spanAttributes: []
    })
  })
).pipe(Layer.provide(Reactivity.layer))
