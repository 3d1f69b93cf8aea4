/**
 * What a handler wrote in one transaction with its cursor is there once: workers are killed, frozen and replaced, and PostgreSQL
 * crashes. Only in `npm run simulate`. `KILLS=100` kills more often.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as SqlClient from "effect/sql/SqlClient"
import { PubNubEmulatorServer } from "effect-herald/node"
import { type ChildProcess, spawn } from "node:child_process"
import * as Path from "node:path"
import { inject } from "vitest"
import { writePrograms } from "../kit/bundle.ts"
import * as Postgres from "../kit/postgres.ts"
import { isLong } from "../simulation/seeds.ts"

const kills = Number(process.env.KILLS ?? 10)

/** The file of the worker: a bundle starts faster than several hundred modules. */
const bundled = Effect.runSync(Effect.cached(Effect.promise(async () => {
  const folder = Path.join(inject("run"), "fleet")
  await writePrograms({ worker: "test/fleet/worker.ts" }, folder)
  return Path.join(folder, "worker.mjs")
})))

/** A channel of messages 0, 1, 2, …, the table that workers write to, and workers. */
const world = Effect.fnUntraced(function*(server: Postgres.Server, database: string) {
  const { emulator, port } = yield* PubNubEmulatorServer.PubNubEmulatorServer
  const sql = yield* SqlClient.SqlClient
  const path = yield* bundled
  yield* sql`CREATE TABLE handled (id int, worker int)`
  let id = 0
  const running = new Set<ChildProcess>()
  const end = (worker: ChildProcess, signal: NodeJS.Signals = "SIGKILL") =>
    Effect.callback<void>((resume) => {
      if (worker.exitCode !== null || worker.signalCode !== null) return resume(Effect.void)
      worker.once("exit", () => resume(Effect.void))
      worker.kill(signal)
    })
  yield* Effect.addFinalizer(() => Effect.forEach(running, (worker) => end(worker), { discard: true }))
  const count = (what: string): Effect.Effect<number> =>
    sql.unsafe<{ count: number }>(`SELECT count(*)::int AS count FROM ${what}`).pipe(
      Effect.map((rows) => rows[0]?.count ?? 0),
      // The server may be down.
      Effect.catch(() => Effect.succeed(-1))
    )
  const until = (what: string, least: number): Effect.Effect<void> =>
    Effect.flatMap(
      count(what),
      (count) => count >= least ? Effect.void : Effect.andThen(Effect.sleep("20 millis"), until(what, least))
    )
  return {
    publish: (messages: number) =>
      Effect.suspend(() =>
        emulator.publishAll(Array.from({ length: messages }, () => ({ channel: "orders", message: id++ })))
      ),
    start: Effect.sync(() => {
      const worker = spawn(process.execPath, [
        path,
        `127.0.0.1:${port}`,
        JSON.stringify(server),
        database
      ], { stdio: "inherit" })
      running.add(worker)
      return worker
    }),
    end,
    isEnded: (worker: ChildProcess) =>
      Effect.callback<void>((resume) => {
        if (worker.exitCode !== null) return resume(Effect.void)
        worker.once("exit", () => resume(Effect.void))
      }),
    ready: until("herald_readers WHERE cursor IS NOT NULL", 1),
    claims: (epoch: number) => until(`herald_readers WHERE epoch >= ${epoch}`, 1),
    /** Waits for the last message, and fails if any message is missing or there twice. */
    isComplete: Effect.gen(function*() {
      yield* until(`handled WHERE id = ${id - 1}`, 1)
      const rows = yield* sql<{ id: number }>`SELECT id FROM handled ORDER BY id`
      assert.deepStrictEqual(rows.map(({ id }) => id), Array.from({ length: id }, (_, id) => id))
    })
  }
})

const pause = (most: number) => Effect.flatMap(Random.nextIntBetween(0, most), Effect.sleep)

/** Runs in a database of its own on a server. */
const inDatabase = <A, E>(
  server: Postgres.Server,
  test: (of: Effect.Success<ReturnType<typeof world>>) => Effect.Effect<A, E>
) =>
  Effect.gen(function*() {
    const database = yield* Postgres.databaseOf(server)
    return yield* Effect.provide(Effect.flatMap(world(server, database), test), Postgres.client(server, database))
  }).pipe(Effect.scoped, Effect.provide(PubNubEmulatorServer.layer()))

const { server } = Postgres

describe.skipIf(!isLong || server === undefined)("a handler in one transaction with its cursor", () => {
  it.live(
    "writes each message once when its process is killed at any moment",
    () =>
      inDatabase(server!, ({ claims, end, isComplete, publish, ready, start }) =>
        Effect.gen(function*() {
          let worker = yield* start
          yield* ready
          for (let round = 0; round < kills; round++) {
            yield* publish(yield* Random.nextIntBetween(20, 150))
            yield* pause(150)
            yield* end(worker)
            yield* publish(5)
            worker = yield* start
            yield* claims(round + 2)
            yield* pause(150)
          }
          yield* isComplete
        })),
    60_000 + kills * 10_000
  )

  it.live(
    "writes each message once when another process claims the reader, also from a frozen one",
    () =>
      inDatabase(server!, ({ claims, end, isComplete, isEnded, publish, ready, start }) =>
        Effect.gen(function*() {
          let worker = yield* start
          yield* ready
          for (let round = 0; round < kills / 2; round++) {
            const isFrozen = round % 2 === 0
            yield* publish(yield* Random.nextIntBetween(20, 150))
            yield* pause(150)
            if (isFrozen) worker.kill("SIGSTOP")
            const next = yield* start
            yield* claims(round + 2)
            yield* publish(20)
            yield* pause(150)
            if (isFrozen) worker.kill("SIGCONT")
            // The old one ends by itself, and with success: it was not told to.
            yield* isEnded(worker)
            assert.strictEqual(worker.exitCode, 0)
            worker = next
          }
          yield* isComplete
          yield* end(worker)
        })),
    60_000 + kills * 10_000
  )

  it.live("writes each message once when PostgreSQL crashes", () =>
    Effect.gen(function*() {
      const server = yield* Effect.acquireRelease(
        Effect.promise(() => Postgres.own()),
        (server) => Effect.sync(() => server?.remove())
      )
      // It is not installed where the server is another machine's.
      if (server === undefined) return
      server.start()
      yield* inDatabase(server, ({ isComplete, publish, ready, start }) =>
        Effect.gen(function*() {
          yield* start
          yield* ready
          for (let round = 0; round < 3; round++) {
            yield* publish(yield* Random.nextIntBetween(20, 150))
            yield* pause(150)
            server.stop("immediate")
            yield* publish(20)
            yield* pause(1_000)
            server.start()
          }
          yield* isComplete
        }))
    }).pipe(Effect.scoped), 120_000)
})
