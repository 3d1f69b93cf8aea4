/** Cursors in SQL: one owner at a time, and nothing that an old owner does after the next claim is kept. */
import { assert, describe, layer } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SqlClient from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Cursor } from "effect-herald/Cursor"
import { CursorStore } from "effect-herald/CursorStore"
import { SqlCursorStore } from "effect-herald/fleet"
import * as Postgres from "../kit/postgres.ts"
import * as Sqlite from "../kit/sqlite.ts"
import { numbers } from "../kit/numbers.ts"
import { casesOf, isLong } from "../simulation/seeds.ts"

const cursorAt = (end: number): Cursor => ({
  position: String(17_900_000_000_000_000n + BigInt(end)),
  region: 1,
  delivered: ["é"]
})

/** What an owner does, and the number of its claim. */
const step = Schema.Struct({
  by: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 })),
  what: Schema.Literals(["claim", "save", "save", "load", "transaction"])
})

const claim = (reader: string, owner = "host-1") => SqlCursorStore.claim({ reader, owner })

/** A store as a process that starts builds it. */
const process = (owner: string, options: Partial<SqlCursorStore.Options> = {}) =>
  Effect.map(
    Layer.build(Layer.fresh(SqlCursorStore.layer({ owner, ...options }))),
    (context) => Context.get(context, CursorStore)
  )

/** Runs outside of the transaction of the caller, as another process does. */
const elsewhere = Effect.fnUntraced(function*<A, E>(effect: Effect.Effect<A, E, SqlClient.SqlClient>) {
  const sql = yield* SqlClient.SqlClient
  return yield* Effect.promise(() => Effect.runPromise(Effect.provideService(effect, SqlClient.SqlClient, sql)))
})

/** A table of what handlers wrote, and the cursor of the reader, as somebody else sees them. */
const written = Effect.fnUntraced(function*(table: string) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE ${sql(table)} (id int)`
  return {
    insert: (id: number) => sql`INSERT INTO ${sql(table)} VALUES (${id})`,
    rows: Effect.map(
      elsewhere(sql<{ id: number }>`SELECT id FROM ${sql(table)} ORDER BY id`),
      (rows) => rows.map(({ id }) => id)
    )
  }
})

const behaves = (client: Layer.Layer<SqlClient.SqlClient, SqlError>) => {
  layer(Layer.provideMerge(Layer.effectDiscard(SqlCursorStore.createTable()), client), {
    excludeTestServices: true
  })((it) => {
    it.effect("loads the cursor saved last, and undefined when nothing was saved", () =>
      Effect.gen(function*() {
        const { epoch, store } = yield* claim("first")
        assert.strictEqual(epoch, 1)
        assert.isUndefined(yield* store.load("first"))
        yield* store.save("first", cursorAt(1))
        yield* store.save("first", cursorAt(2))
        assert.deepStrictEqual(yield* store.load("first"), cursorAt(2))
        const next = yield* claim("first", "host-2")
        assert.strictEqual(next.epoch, 2)
        assert.deepStrictEqual(yield* next.store.load("first"), cursorAt(2))
      }))

    it.effect("lets an owner neither save nor load after the next claim, and says who owns the reader", () =>
      Effect.gen(function*() {
        const old = yield* claim("fenced")
        yield* old.store.save("fenced", cursorAt(1))
        const next = yield* claim("fenced", "host-2")
        for (const late of [old.store.save("fenced", cursorAt(9)), old.store.load("fenced")]) {
          const error = yield* Effect.flip(Effect.asVoid(late))
          assert.strictEqual(error.kind, "Fenced")
          assert.strictEqual(error.owner, "host-2")
          assert.isFalse(error.isRetryable)
          assert.strictEqual(
            error.message,
            "Reader \"fenced\" has another owner: host-2 claimed it (epoch 2, and this one has 1). End this one. The other one goes on from the last commit."
          )
        }
        assert.deepStrictEqual(yield* next.store.load("fenced"), cursorAt(1))
      }))

    it.effect("as a layer claims at the first load, and never takes a reader back that another process claimed", () =>
      Effect.gen(function*() {
        const [one, other] = [yield* process("host-1"), yield* process("host-2")]
        assert.isUndefined(yield* one.load("worker"))
        yield* one.save("worker", cursorAt(1))
        assert.deepStrictEqual(yield* one.load("worker"), cursorAt(1))
        assert.deepStrictEqual(yield* other.load("worker"), cursorAt(1))
        yield* other.save("worker", cursorAt(2))
        for (const late of [one.save("worker", cursorAt(3)), one.load("worker"), one.save("worker", cursorAt(4))]) {
          assert.strictEqual((yield* Effect.flip(Effect.asVoid(late))).kind, "Fenced")
        }
        assert.deepStrictEqual(yield* other.load("worker"), cursorAt(2))
        assert.strictEqual((yield* Effect.flip(one.save("never loaded", cursorAt(1)))).kind, "Invalid")
      }).pipe(Effect.scoped))

    it.effect("keeps the newer cursor when an older save comes late", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const { store } = yield* claim("late")
        yield* store.save("late", cursorAt(1))
        // The first of two saves waits in the database until the second has its number.
        yield* sql`UPDATE herald_readers SET commits = 3 WHERE reader = 'late'`
        yield* store.save("late", cursorAt(2))
        assert.deepStrictEqual(yield* store.load("late"), cursorAt(1))
      }))

    it.effect("saves a cursor that lies before the last one: the service may have been reset", () =>
      Effect.gen(function*() {
        const { store } = yield* claim("reset")
        yield* store.save("reset", cursorAt(2))
        yield* store.save("reset", cursorAt(1))
        assert.deepStrictEqual(yield* store.load("reset"), cursorAt(1))
      }))

    it.effect("keeps what a handler wrote and the cursor, or neither", () =>
      Effect.gen(function*() {
        const { insert, rows } = yield* written("both")
        const { store } = yield* claim("both")
        const [one, two] = [cursorAt(1), cursorAt(2)]
        assert.deepStrictEqual(yield* store.transaction("both", one, insert(1)), Result.void)
        const failing = Effect.andThen(insert(2), Effect.fail("declined" as const))
        assert.deepStrictEqual(yield* store.transaction("both", two, failing), Result.fail("declined" as const))
        assert.deepStrictEqual(yield* store.load("both"), one)
        const dying = Effect.andThen(insert(3), Effect.die("a defect"))
        const exit = yield* Effect.exit(store.transaction("both", two, dying))
        assert.deepStrictEqual(exit, Exit.die("a defect"))
        assert.deepStrictEqual(yield* rows, [1])
        assert.deepStrictEqual(yield* store.load("both"), one)
      }))

    it.effect("runs no handler that has another client, whose writes would not be undone", () =>
      Effect.gen(function*() {
        const { store } = yield* claim("clients")
        const ran = yield* Ref.make(false)
        const error = yield* Effect.flip(
          store.transaction("clients", cursorAt(1), Ref.set(ran, true)).pipe(Effect.provide(Layer.fresh(Sqlite.layer)))
        )
        assert.strictEqual(error.kind, "Invalid")
        assert.include(error.message, "another SqlClient")
        assert.isFalse(yield* Ref.get(ran))
      }))

    it.effect("writes once when a transaction is tried again whose COMMIT was not answered", () =>
      Effect.gen(function*() {
        const { insert, rows } = yield* written("unanswered")
        const { store } = yield* claim("unanswered")
        const cursor = cursorAt(1)
        for (let attempt = 0; attempt < 2; attempt++) {
          assert.deepStrictEqual(yield* store.transaction("unanswered", cursor, insert(1)), Result.void)
        }
        assert.deepStrictEqual(yield* rows, [1])
      }))

    it.effect("does not create a reader's row anew when it was deleted", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const { store } = yield* claim("deleted")
        yield* sql`DELETE FROM herald_readers WHERE reader = 'deleted'`
        const error = yield* Effect.flip(store.save("deleted", cursorAt(1)))
        assert.strictEqual(error.kind, "Invalid")
        assert.include(error.message, "its row of the table herald_readers is gone")
      }))

    it.effect("refuses a damaged cursor, and never starts from now instead", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const { store } = yield* claim("damaged")
        for (const text of ["", "{", "{\"position\":\"0\",\"delivered\":[]}", "null"]) {
          yield* sql`UPDATE herald_readers SET cursor = ${text} WHERE reader = 'damaged'`
          const error = yield* Effect.flip(store.load("damaged"))
          assert.strictEqual(error.kind, "Invalid")
          assert.include(error.message, "delete it")
        }
      }))

    it.effect("tells two fleets apart that share a table by mistake", () =>
      Effect.gen(function*() {
        yield* SqlCursorStore.claim({ reader: "lane-1", owner: "a-1", fleet: "production" })
        for (const fleet of ["staging", undefined]) {
          const error = yield* Effect.flip(SqlCursorStore.claim({ reader: "lane-1", owner: "b-1", fleet }))
          assert.strictEqual(error.kind, "Invalid")
          assert.include(error.message, "it belongs to another fleet of the table herald_readers")
        }
        const again = yield* SqlCursorStore.claim({ reader: "lane-1", owner: "a-2", fleet: "production" })
        assert.strictEqual(again.epoch, 2)
      }))

    it.effect.prop(
      "keeps what the newest claim saved last, whatever owners do in any order",
      { steps: Arbitrary.array(Arbitrary.schema(step), { minLength: 1, maxLength: 20 }) },
      ({ steps }) =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* sql`DELETE FROM herald_readers`
          const claims: Array<SqlCursorStore.Claim> = []
          let kept: Cursor | undefined
          for (const [index, { by, what }] of steps.entries()) {
            const claimed = claims[by % (claims.length + 1)]
            const cursor = cursorAt(index)
            const isNewest = claimed === claims.at(-1)
            if (claimed === undefined || what === "claim") {
              const next = yield* claim("any", `host-${index}`)
              claims.push(next)
              assert.strictEqual(next.epoch, claims.length)
            } else {
              const attempt = what === "load"
                ? Effect.asVoid(claimed.store.load("any"))
                : what === "save"
                ? claimed.store.save("any", cursor)
                : Effect.asVoid(claimed.store.transaction("any", cursor, Effect.void))
              const result = yield* Effect.result(attempt)
              assert.strictEqual(Result.isFailure(result) ? result.failure.kind : "done", isNewest ? "done" : "Fenced")
              if (isNewest && what !== "load") kept = cursor
            }
            assert.deepStrictEqual(yield* claims.at(-1)!.store.load("any"), kept)
          }
        }),
      { arbitrary: { runs: casesOf(10, 100) } }
    )

    it.effect("refuses names that the database would change", () =>
      Effect.gen(function*() {
        for (const reader of ["", "a\0b", "\ud800", "x".repeat(256)]) {
          const refused = yield* Effect.flip(claim(reader))
          assert.strictEqual(refused.kind, "Invalid", JSON.stringify(reader))
          assert.match(refused.message, /could not be claimed: reader .*[^.]\.$/)
          assert.strictEqual((yield* Effect.flip(claim("r", reader))).kind, "Invalid", JSON.stringify(reader))
        }
        for (const reader of ["a", "A", "a ", "é", "e\u0301", "'; DROP TABLE herald_readers; --", "x".repeat(255)]) {
          assert.strictEqual((yield* claim(reader)).epoch, 1, reader)
        }
        const { store } = yield* claim("mine")
        assert.strictEqual((yield* Effect.flip(store.load("another"))).kind, "Invalid")
      }))

    it.effect("says which table is missing", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(SqlCursorStore.claim({ reader: "r", owner: "o", table: "no_such" }))
        assert.include(error.message, "no_such")
      }))

    // Creations collide for one table of fifteen.
    it.effect.each(numbers(40))("is created by many processes at once: table %i", (index) =>
      Effect.forEach(
        numbers(8),
        () => elsewhere(SqlCursorStore.createTable({ table: `at_once_${index}` })),
        { concurrency: "unbounded", discard: true }
      ))
  })
}

describe("SqlCursorStore in SQLite", () => behaves(Sqlite.layer))

describe.skipIf(Postgres.server === undefined)("SqlCursorStore in PostgreSQL", () => {
  behaves(Postgres.layer())

  layer(Layer.provideMerge(Layer.effectDiscard(SqlCursorStore.createTable()), Postgres.layer()), {
    excludeTestServices: true
  })((it) => {
    it.effect("undoes what a handler wrote when another process claimed the reader meanwhile", () =>
      Effect.gen(function*() {
        const { insert, rows } = yield* written("lost")
        const { store } = yield* claim("lost")
        const losing = Effect.andThen(insert(1), elsewhere(claim("lost", "host-2")))
        const error = yield* Effect.flip(store.transaction("lost", cursorAt(1), losing))
        assert.strictEqual(error.kind, "Fenced")
        assert.strictEqual(error.owner, "host-2")
        assert.deepStrictEqual(yield* rows, [])
      }))

    it.effect.skipIf(!isLong)(
      "lets a claim wait at most 5 seconds for an owner that is frozen before its COMMIT",
      () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const { store } = yield* claim("frozen")
          const saved = yield* Deferred.make<void>()
          const frozen = store.save("frozen", cursorAt(1)).pipe(
            Effect.andThen(Deferred.succeed(saved, undefined)),
            Effect.andThen(Effect.never),
            sql.withTransaction
          )
          const fiber = yield* Effect.forkChild(frozen)
          yield* Deferred.await(saved)
          const [took, next] = yield* Effect.timed(elsewhere(claim("frozen", "host-2")))
          assert.isTrue(
            Duration.between(took, { minimum: Duration.seconds(4), maximum: Duration.seconds(8) }),
            String(took)
          )
          assert.isUndefined(yield* next.store.load("frozen"))
          yield* Fiber.interrupt(fiber).pipe(Effect.exit)
        })
    )

    it.effect("does not try again where its table is missing", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(SqlCursorStore.claim({ reader: "r", owner: "o", table: "no_such" }))
        assert.isFalse(error.isRetryable)
      }))

    it.effect("keeps each table by its name, with its schema", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        yield* sql`CREATE SCHEMA messaging`
        const table = "messaging.\"Odd\" name"
        const [one, other] = [yield* process("host-1", { table }), yield* process("host-1")]
        yield* one.load("r1")
        yield* one.save("r1", cursorAt(1))
        assert.isUndefined(yield* other.load("r1"))
        assert.deepStrictEqual(yield* (yield* process("host-2", { table })).load("r1"), cursorAt(1))
      }).pipe(Effect.scoped))
  })
})
