/**
 * PostgreSQL for tests: the server that `PGHOST`, `PGPORT`, `PGUSER` and `PGPASSWORD` name (127.0.0.1, 5432 and postgres by
 * default). If none answers, a server of this run's own, where PostgreSQL is installed. Else its tests are skipped.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import { createServer } from "node:net"
import * as Os from "node:os"
import * as Path from "node:path"
import { inject } from "vitest"
import { client, type Server } from "./postgresClient.ts"

export { client, type Server }

const named: Server = {
  host: process.env.PGHOST ?? "127.0.0.1",
  port: Number(process.env.PGPORT ?? 5432),
  username: process.env.PGUSER ?? "postgres",
  password: process.env.PGPASSWORD
}

const answers = (server: Server): Promise<boolean> =>
  Effect.runPromise(
    PgClient.PgClient.use((sql) => sql`SELECT 1`).pipe(
      Effect.provide(client(server, "postgres")),
      Effect.isSuccess
    )
  )

// --- a server of one's own

/** The folder of the server's programs, if they are installed. */
const programs = (): string | undefined => {
  const debian = "/usr/lib/postgresql"
  const versions = Fs.existsSync(debian)
    ? Fs.readdirSync(debian).toSorted((one, other) => Number(other) - Number(one))
    : []
  return [...versions.map((version) => Path.join(debian, version, "bin")), ...(process.env.PATH ?? "").split(":")]
    .find((folder) => Fs.existsSync(Path.join(folder, "initdb")))
}

/** PostgreSQL does not run as root: root uses the user that Debian made for it. */
const user = () =>
  process.getuid?.() === 0
    ? { uid: Number(execFileSync("id", ["-u", "postgres"])), gid: Number(execFileSync("id", ["-g", "postgres"])) }
    : {}

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

export interface OwnServer extends Server {
  readonly folder: string
  readonly start: () => void
  /** `immediate` is a crash. */
  readonly stop: (mode?: "fast" | "immediate") => void
  /** Stops it, and removes its folder. */
  readonly remove: () => void
}

/** A new server in a folder of its own, which is not started. Undefined where PostgreSQL is not installed. */
export const own = async (): Promise<OwnServer | undefined> => {
  const bin = programs()
  if (bin === undefined) return undefined
  const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "herald-postgres-"))
  const options = { ...user(), stdio: "ignore", cwd: "/" } as const
  if (options.uid !== undefined && options.gid !== undefined) Fs.chownSync(folder, options.uid, options.gid)
  const data = Path.join(folder, "data")
  execFileSync(Path.join(bin, "initdb"), ["-D", data, "-U", "postgres", "-A", "trust", "--no-sync"], options)
  const port = await freePort()
  const control = (...args: ReadonlyArray<string>) =>
    execFileSync(Path.join(bin, "pg_ctl"), ["-D", data, "-w", ...args], options)
  return {
    folder,
    host: "127.0.0.1",
    port,
    username: "postgres",
    password: undefined,
    start: () => control("-l", Path.join(folder, "log"), "-o", `-p ${port} -k ${folder} -h 127.0.0.1`, "start"),
    stop: (mode = "fast") => control("-m", mode, "stop"),
    remove: () => {
      if (Fs.existsSync(Path.join(data, "postmaster.pid"))) control("-m", "immediate", "stop")
      Fs.rmSync(folder, { recursive: true })
    }
  }
}

/** The workers of a run share one server: the first of them starts it, and `run.ts` stops it. */
const shared = async (): Promise<Server | undefined> => {
  const folder = Path.join(inject("run"), "postgres")
  const told = Path.join(folder, "server.json")
  try {
    Fs.mkdirSync(folder)
  } catch {
    while (!Fs.existsSync(told)) await new Promise((resolve) => setTimeout(resolve, 50))
    return JSON.parse(Fs.readFileSync(told, "utf8")).server
  }
  const server = await own().catch(() => undefined)
  server?.start()
  const pid = server === undefined
    ? undefined
    : Number.parseInt(Fs.readFileSync(Path.join(server.folder, "data/postmaster.pid"), "utf8"))
  Fs.writeFileSync(`${told}.new`, JSON.stringify({ server, pid }))
  Fs.renameSync(`${told}.new`, told)
  return server
}

const find = async (): Promise<Server | undefined> => {
  if (await answers(named)) return named
  const server = await shared()
  if (server === undefined) {
    process.stderr.write(
      `Tests with PostgreSQL are skipped: ${named.host}:${named.port} does not answer, and initdb is not installed.\n`
    )
  }
  return server
}

// --- for tests

/** The server. Undefined: skip the tests that need it. */
export const server: Server | undefined = await find()

let databases = 0

/** A database of its own, which is dropped at the end. */
export const databaseOf = (server: Server): Effect.Effect<string, SqlError, Scope.Scope> =>
  Effect.suspend(() => {
    const name = `herald_${process.pid}_${Date.now().toString(36)}_${databases++}`
    const run = (statement: string) =>
      PgClient.PgClient.use((sql) => sql.unsafe(statement)).pipe(Effect.provide(client(server, "postgres")))
    return Effect.acquireRelease(
      Effect.as(run(`CREATE DATABASE ${name}`), name),
      () => Effect.ignore(run(`DROP DATABASE ${name} WITH (FORCE)`))
    )
  })

/** A client of a database of its own. Only where there is a server. */
export const layer = (
  options?: PgClient.PgPoolConfig
): Layer.Layer<PgClient.PgClient | SqlClient.SqlClient, SqlError> =>
  Layer.unwrap(Effect.map(databaseOf(server ?? named), (name) => client(server ?? named, name, options)))
