/** Handlers that commit with their cursor: what they wrote is there once, wherever they end. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import type { Cursor } from "effect-herald/Cursor"
import { CursorStore, CursorStoreError, layerMemory } from "effect-herald/CursorStore"
import { Subscribe } from "effect-herald/pubnub"
import { PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { emulated } from "../kit/emulated.ts"
import { seedsOf } from "../simulation/seeds.ts"

const emulator = PubNubEmulator.PubNubEmulator
const target = { channels: ["a"], reader: "billing", commit: "transaction" } as const

const publish = (...messages: ReadonlyArray<unknown>) =>
  emulator.use((service) =>
    Effect.forEach(messages, (message) => service.publish({ channel: "a", message }), { discard: true })
  )

const failed = (kind: CursorStoreError["kind"]) =>
  new CursorStoreError({ operation: "save", kind, reader: "billing", description: kind })

/** A database in memory: what is written in a transaction is there when it is committed. */
const database = () => {
  const rows: Array<unknown> = []
  let pending: Array<unknown> = []
  let kept: Cursor | undefined
  let saves = 0
  /** What the next commits end with: `lost` is done, and not answered. */
  const faults: Array<"lost" | CursorStoreError["kind"]> = []
  const store = CursorStore.of({
    load: () => Effect.sync(() => kept),
    save: (_, cursor) =>
      Effect.sync(() => {
        saves++
        kept = cursor
      }),
    transaction: (_, cursor, work) =>
      Effect.suspend(() => {
        if (cursor === kept) return Effect.succeed(Result.void)
        pending = []
        return Effect.matchEffect(work, {
          onFailure: (error) => Effect.succeed(Result.fail(error)),
          onSuccess: () =>
            Effect.suspend(() => {
              const fault = faults.shift()
              if (fault !== undefined && fault !== "lost") return Effect.fail(failed(fault))
              rows.push(...pending)
              kept = cursor
              return fault === "lost" ? Effect.fail(failed("Unavailable")) : Effect.succeed(Result.void)
            })
        })
      })
  })
  return {
    rows,
    faults,
    kept: () => kept,
    saves: () => saves,
    write: (...written: ReadonlyArray<unknown>) => Effect.sync(() => pending.push(...written)),
    layer: Layer.succeed(CursorStore, store)
  }
}

describe("a handler with commit: \"transaction\"", () => {
  it.effect("has its rows and its cursor kept together, message by message and page by page", () =>
    Effect.gen(function*() {
      for (const byPage of [false, true]) {
        const { layer, rows, saves, write } = database()
        const run = byPage
          ? Subscribe.consumePages((page) => write(page.map(({ payload }) => payload)), target)
          : Subscribe.consume(({ payload }) => write(payload), target)
        for (const from of [0, 3]) {
          const reader = yield* Effect.forkChild(Effect.provide(run, layer))
          yield* VirtualTime.advance("1 second")
          const page = [from, from + 1, from + 2].map((message) => ({ channel: "a", message }))
          yield* emulator.use((service) => service.publishAll(page))
          yield* VirtualTime.advance("1 second")
          yield* Fiber.interrupt(reader)
        }
        assert.deepStrictEqual(rows, byPage ? [[0, 1, 2], [3, 4, 5]] : [0, 1, 2, 3, 4, 5])
        // The places of the two connections, and none of a page that a transaction saved.
        assert.strictEqual(saves(), 2)
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("runs in a new transaction when it is retried, and so does deadLetter", () =>
    Effect.gen(function*() {
      const { layer, rows, write } = database()
      const tries: Array<unknown> = []
      yield* Effect.forkChild(
        Subscribe.consume(
          ({ payload }) =>
            Effect.andThen(
              write(payload),
              Effect.suspend(() => {
                tries.push(payload)
                return payload === 2 ? Effect.fail("declined" as const) : Effect.void
              })
            ),
          {
            ...target,
            retry: { base: "1 second", maxAttempts: 3 },
            deadLetter: ({ payload }, error) => write([error, payload])
          }
        ).pipe(Effect.provide(layer))
      )
      yield* VirtualTime.advance("1 second")
      yield* publish(1, 2, 3)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(tries, [1, 2, 2, 2, 3])
      assert.deepStrictEqual(rows, [1, ["declined", 2], 3])
    }).pipe(Effect.provide(emulated())))

  it.effect("is tried again by commitRetry when the transaction fails, and is no failure of the handler", () =>
    Effect.gen(function*() {
      const { faults, layer, rows, write } = database()
      const dead: Array<unknown> = []
      const reader = yield* Effect.forkChild(Effect.flip(
        Subscribe.consume(({ payload }) => write(payload), {
          ...target,
          commitRetry: { base: "1 second", maxAttempts: 3 },
          retry: { base: "1 hour" },
          deadLetter: ({ payload }) => Effect.sync(() => dead.push(payload))
        }).pipe(Effect.provide(layer))
      ))
      yield* VirtualTime.advance("1 second")
      // Not begun, done without an answer, then done.
      faults.push("Unavailable", "lost")
      yield* publish(1)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(rows, [1])
      faults.push("Unavailable", "Unavailable", "Unavailable")
      yield* publish(2)
      yield* VirtualTime.advance("10 seconds")
      const error = yield* Fiber.join(reader)
      assert.strictEqual(error._tag === "CursorStoreError" ? error.kind : error._tag, "Unavailable")
      assert.deepStrictEqual([rows, dead], [[1], []])
    }).pipe(Effect.provide(emulated())))

  it.effect("ends with Fenced at once, without a word in the log, when another process owns the reader", () =>
    Effect.gen(function*() {
      const { faults, layer, rows, write } = database()
      const logged: Array<unknown> = []
      const reader = yield* Effect.forkChild(Effect.flip(
        Subscribe.consume(({ payload }) => write(payload), target).pipe(
          Effect.provide([layer, Logger.layer([Logger.make(({ message }) => logged.push(message))])])
        )
      ))
      yield* VirtualTime.advance("1 second")
      faults.push("Fenced")
      yield* publish(1)
      yield* VirtualTime.advance("10 millis")
      const error = yield* Fiber.join(reader)
      assert.strictEqual(error._tag === "CursorStoreError" ? error.kind : error._tag, "Fenced")
      assert.deepStrictEqual([rows, logged], [[], []])
    }).pipe(Effect.provide(emulated())))

  it.effect("ends without a word in the log, too, when it commits in the background", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const lost = CursorStore.of({ load: () => Effect.succeed(undefined), save: () => Effect.fail(failed("Fenced")) })
      const error = yield* Effect.flip(
        Subscribe.consume(() => Effect.void, { channels: ["a"], reader: "billing" }).pipe(
          Effect.provideService(CursorStore, lost),
          Effect.provide(Logger.layer([Logger.make(({ message }) => logged.push(message))]))
        )
      ).pipe(Effect.forkChild)
      yield* VirtualTime.advance("1 second")
      assert.deepInclude(yield* Fiber.join(error), { _tag: "CursorStoreError", kind: "Fenced" })
      assert.deepStrictEqual(logged, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("has the place saved of events that have no handler", () =>
    Effect.gen(function*() {
      const { kept, layer, saves } = database()
      yield* Effect.forkChild(Effect.provide(Subscribe.consume(() => Effect.void, target), layer))
      yield* VirtualTime.advance("1 second")
      const start = kept()
      yield* emulator.use((service) => service.signal({ channel: "a", message: "ping" }))
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(saves(), 2)
      assert.isTrue((kept()?.position ?? "") > (start?.position ?? ""))
    }).pipe(Effect.provide(emulated())))

  it.effect("is refused without a store that has transactions, and with a concurrency", () =>
    Effect.gen(function*() {
      for (
        const [options, detail] of [
          [target, "commit is \"transaction\", and this CursorStore has none"],
          [{ ...target, concurrency: 2 }, "concurrency must be 1"]
        ] as const
      ) {
        for (
          const run of [
            Subscribe.consume(() => Effect.void, options),
            Subscribe.consumePages(() => Effect.void, options)
          ]
        ) {
          const error = yield* Effect.flip(run)
          assert.strictEqual(error._tag, "SubscribeError")
          assert.include(error.message, detail)
        }
      }
    }).pipe(Effect.provide(Layer.merge(emulated(), layerMemory))))

  it.effect.each(seedsOf(3))(
    "writes each message once, wherever it is killed and commits are not answered: seed %i",
    (seed) =>
      Effect.gen(function*() {
        const { faults, layer, rows, write } = database()
        let id = 0
        const run = Subscribe.consumePages(
          (page) =>
            Effect.andThen(
              Effect.forEach(page, ({ payload }) => Effect.delay(write(payload), "7 millis"), { discard: true }),
              Random.nextIntBetween(0, 100)
            ),
          { ...target, commitRetry: { base: "20 millis", cap: "100 millis" } }
        ).pipe(Effect.provide(layer))
        const first = yield* Effect.forkChild(run)
        yield* VirtualTime.advance("1 second")
        yield* Fiber.interrupt(first)
        for (let round = 0; round < 12; round++) {
          if (yield* Random.nextBoolean) faults.push((yield* Random.nextBoolean) ? "lost" : "Unavailable")
          const reader = yield* Effect.forkChild(run)
          yield* publish(...Array.from({ length: yield* Random.nextIntBetween(1, 9) }, () => id++))
          yield* VirtualTime.advance(`${yield* Random.nextIntBetween(1, 200)} millis`)
          yield* Fiber.interrupt(reader)
        }
        yield* Effect.forkChild(run)
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(rows, Array.from({ length: id }, (_, id) => id))
      }).pipe(Random.withSeed(seed), Effect.provide(emulated()))
  )
})
