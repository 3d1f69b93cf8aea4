/** What runners share in PostgreSQL is what the store in memory does. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as SqlClient from "effect/sql/SqlClient"
import { Fleet, FleetStore, SqlFleetStore } from "effect-herald/fleet"
import type { Cursor } from "effect-herald/Cursor"
import * as Postgres from "../kit/postgres.ts"

const cursorAt = (position: number): Cursor => ({
  position: String(17_900_000_000_000_000n + BigInt(position)),
  delivered: []
})

const settings = { fleet: "orders", lanes: 2, shards: 300, shardGroup: "default" }

/** What a program sees of a store, without its times. */
const seen = Effect.gen(function*() {
  const store = yield* FleetStore.FleetStore
  const begun = [yield* store.begin(settings), yield* store.begin({ ...settings, lanes: 3 })]
  const named = [yield* store.named("orders")]
  yield* store.noteNamed("orders", { owner: "one", hash: 0 })
  yield* store.noteNamed("orders", { owner: "two", hash: 2 ** 32 - 1 })
  named.push(yield* store.named("orders"), yield* store.named("unknown"))
  yield* Fleet.addChannels({ fleet: "orders", channels: ["b", "a", "größe", "a"] })
  yield* Fleet.removeChannels({ fleet: "orders", channels: ["b", "unknown"] })
  const table = yield* store.channels("orders")
  const same = yield* store.channels("orders", table?.version)
  const waiting = [yield* store.waiting("orders", ["a", "größe", "b"])]
  const one = yield* store.claim({ settings, reader: "orders/0", owner: "one" })
  yield* store.taken("orders", ["a"], one)
  waiting.push(yield* store.waiting("orders", ["a", "größe", "b"]))

  yield* one.store.save("orders/0", cursorAt(5))
  const two = yield* store.claim({ settings, reader: "orders/0", owner: "two" })
  const late = yield* Effect.flip(one.store.save("orders/0", cursorAt(9)))
  yield* store.taken("orders", ["größe"], one)
  waiting.push(yield* store.waiting("orders", ["größe"]))
  const kept = yield* two.store.load("orders/0")
  yield* store.claim({ settings, reader: "orders/1", owner: "one" })
  const turns = yield* Effect.forEach([1, 2, 3], () => store.historyTurn("orders", 1))

  yield* Fleet.resize({ fleet: "orders", lanes: 4, shards: 4 })
  const old = yield* Effect.flip(store.claim({ settings, reader: "orders/0", owner: "one" }))
  const lanes = yield* store.lanes("orders")
  return {
    begun,
    named,
    channels: table?.channels.toSorted(),
    same,
    waiting,
    late: [late.kind, late.owner],
    kept,
    turns: turns.map((turn) => Math.round(Duration.toSeconds(turn))),
    old: [old.kind, old.description],
    settings: yield* store.settings("orders"),
    lanes: lanes.map(({ committedAt, epoch, owner, position, reader }) => [
      reader,
      owner,
      epoch,
      position,
      committedAt !== undefined
    ])
  }
})

describe("a store of fleets", () => {
  it.effect("claims, fences, adds channels, and gives each lane after a split its cursor", () =>
    Effect.gen(function*() {
      const { kept, late, lanes, named, old, settings, turns, waiting } = yield* seen
      assert.deepStrictEqual(named, [undefined, { owner: "two", hash: 4_294_967_295 }, undefined])
      assert.deepStrictEqual(settings, { fleet: "orders", lanes: 4, shards: 4, shardGroup: "default" })
      assert.deepStrictEqual(kept, cursorAt(5))
      assert.deepStrictEqual(late, ["Fenced", "two"])
      assert.deepStrictEqual(old, ["Invalid", "lanes is 2, and the database has 4"])
      assert.deepStrictEqual(turns, [0, 1, 2])
      assert.deepStrictEqual(waiting, [2, 1, 1])
      assert.deepStrictEqual(lanes, [
        ["orders/0", "Fleet.resize", 3, cursorAt(5).position, true],
        ["orders/1", "Fleet.resize", 2, undefined, false],
        ["orders/2", "Fleet.resize", 1, cursorAt(5).position, true],
        ["orders/3", "Fleet.resize", 1, undefined, false]
      ])
    }).pipe(Effect.provide(FleetStore.layerMemory)))

  it.live.skipIf(Postgres.server === undefined)(
    "does the same in PostgreSQL and in memory",
    () =>
      Effect.gen(function*() {
        const inMemory = yield* Effect.provide(seen, FleetStore.layerMemory)
        // Runners start at the same time.
        yield* Effect.all([SqlFleetStore.createTables(), SqlFleetStore.createTables()], { concurrency: 2 })
        assert.deepStrictEqual(yield* Effect.provide(seen, SqlFleetStore.layer()), inMemory)
      }).pipe(Effect.provide(Postgres.layer()), Effect.scoped)
  )

  it.live.skipIf(Postgres.server === undefined)(
    "shows a runner that begins the channels whose transaction is open then",
    () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const store = yield* FleetStore.FleetStore
        const isAdded = yield* Latch.make()
        const mayCommit = yield* Latch.make()
        const adding = yield* Effect.forkChild(sql.withTransaction(
          store.addChannels("orders", ["a"]).pipe(Effect.andThen(isAdded.open), Effect.andThen(mayCommit.await))
        ))
        yield* isAdded.await
        const looking = yield* Effect.forkChild(
          Effect.andThen(store.begin(settings), store.channels("orders"))
        )
        const waits = sql`SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
        yield* Effect.repeat(Effect.andThen(Effect.sleep("5 millis"), waits), {
          until: (rows) => rows.length > 0 || looking.pollUnsafe() !== undefined
        })
        yield* mayCommit.open
        yield* Fiber.join(adding)
        const seen = yield* Fiber.join(looking)
        const later = yield* store.channels("orders", seen?.version)
        assert.deepStrictEqual((later ?? seen)?.channels, ["a"])
      }).pipe(Effect.provide(Layer.provideMerge(SqlFleetStore.layer(), Postgres.layer())), Effect.scoped)
  )

  it.live.skipIf(Postgres.server === undefined)("does not start without its tables", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.build(SqlFleetStore.layer({ createTables: false, prefix: "other_" })))
      assert.strictEqual(error.kind, "NoTable")
      assert.include(error.message, "other_")
      const long = { prefix: `public.${"a".repeat(60)}_` }
      assert.include((yield* Effect.flip(SqlFleetStore.createTables(long))).message, "prefix has 61 bytes")
      assert.include((yield* Effect.flip(Layer.build(SqlFleetStore.layer(long)))).message, "prefix has 61 bytes")
    }).pipe(Effect.provide(Postgres.layer()), Effect.scoped))

  it.live.skipIf(Postgres.server === undefined)("says why it cannot create its tables", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`DROP ROLE IF EXISTS herald_guest`
      yield* sql`CREATE ROLE herald_guest`
      yield* sql`CREATE SCHEMA IF NOT EXISTS herald_closed`
      const error = yield* Effect.flip(sql.withTransaction(
        Effect.andThen(sql`SET LOCAL ROLE herald_guest`, SqlFleetStore.createTables({ prefix: "herald_closed.a_" }))
      ))
      assert.strictEqual(error._tag === "FleetError" ? error.kind : error._tag, "NoTable")
      assert.include(error.message, "permission denied")
    }).pipe(Effect.provide(Postgres.layer()), Effect.scoped))
})
