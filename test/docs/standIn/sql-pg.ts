/** Stands for `@effect/sql-pg` in a block: its client is a database in memory. */
import * as Sqlite from "../../kit/sqlite.ts"

export const PgClient = { layer: () => Sqlite.layer, layerConfig: () => Sqlite.layer }
