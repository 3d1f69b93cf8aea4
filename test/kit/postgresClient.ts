/** A client of PostgreSQL, in tests and in the processes that they start. */
import * as PgClient from "@effect/sql-pg/PgClient"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

export interface Server {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly password?: string | undefined
}

/** A client of one database. */
export const client = (
  { host, password, port, username }: Server,
  database: string,
  options: PgClient.PgPoolConfig = {}
): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, SqlError> =>
  PgClient.layer({
    host,
    port,
    username,
    database,
    ...password === undefined ? {} : { password: Redacted.make(password) },
    connectTimeout: "5 seconds",
    ...options
  })
