/**
 * Fifty writers of one object, in virtual time: no increment is lost, and none counts twice, not even when requests fail
 * and answers are lost.
 *
 * `SEEDS=10000 npm run simulate -- test/simulation/update.test.ts` runs more seeds, `SEED=17` only one. A failing seed is printed
 * with the faults that it injected.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import { type AppContext, Channels, PubNubConfig, Users } from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { isLong, seedsOf } from "./seeds.ts"

const { Fault } = Faults

const faults: ReadonlyArray<Pick<Faults.Rule, "fault">> = [
  { fault: Fault.ConnectionRefused() },
  { fault: Fault.RateLimited({ retryAfter: "1 second" }) },
  { fault: Fault.ServerError({ status: 500, handled: false }) },
  { fault: Fault.ServerError({ status: 500, handled: true }) },
  { fault: Fault.ServerError({ status: 504, handled: true }) },
  { fault: Fault.ResetBeforeAnswer() },
  { fault: Fault.ResetInBody() },
  { fault: Fault.TruncatedJson() },
  // Longer than the client waits: the answer is lost, and what was asked for may be done after it was given up.
  { fault: Fault.Slow({ by: "20 seconds" }) }
]

const world = (chance?: Faults.Chance) =>
  Faults.layer(chance === undefined ? { script: [] } : { chance }).pipe(
    Layer.provideMerge(PubNubEmulator.layer({ latency: Effect.succeed("30 millis") })),
    Layer.provideMerge(VirtualTime.layer),
    Layer.merge(PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "emulator" }))
  )

const writers = 50
const rounds = isLong ? 20 : 2

/** Runs one sequence of updates for each writer, side by side, to their end. */
const sideBySide = <E, R>(update: (writer: number, round: number) => Effect.Effect<unknown, E, R>) =>
  Effect.gen(function*() {
    const fibers = yield* Effect.forEach(
      Array.from({ length: writers }, (_, writer) => writer),
      (writer) =>
        Effect.forkChild(
          Effect.forEach(Array.from({ length: rounds }, (_, round) => round), (round) => update(writer, round), {
            discard: true
          })
        )
    )
    while (fibers.some((fiber) => fiber.pollUnsafe() === undefined)) yield* VirtualTime.advance("1 minute")
    yield* Fiber.joinAll(fibers)
  })

const fieldsOf = (custom: AppContext.Custom = {}): AppContext.Custom => custom

describe("update by fifty concurrent writers", () => {
  it.effect("loses no increment of a user's custom field", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.setUser({ id: "counter", custom: { count: 0, other: "kept" } })
      yield* sideBySide(() =>
        Users.update({ id: "counter", custom: "merge" }, ({ custom }) => ({
          custom: { count: Number(fieldsOf(custom).count) + 1 }
        }))
      )
      const [user] = yield* emulator.users
      assert.deepStrictEqual(user?.custom, { count: writers * rounds, other: "kept" })
    }).pipe(Effect.provide(world())), 60_000)

  it.effect("loses no increment of a channel's description", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.setChannel({ id: "counter", description: "0" })
      yield* sideBySide(() =>
        Channels.update({ id: "counter" }, ({ description }) => ({
          description: String(Number(description ?? 0) + 1)
        }))
      )
      const [channel] = yield* emulator.channels
      assert.strictEqual(channel?.description, String(writers * rounds))
    }).pipe(Effect.provide(world())), 60_000)
})

/** What went wrong in all runs, so that the whole can say that all of it was seen. */
const seen = { retried: 0, unknown: 0, repeated: 0 }

/** An increment that notes itself, and so can be made as often as it takes. */
const increment = (writer: number, round: number) => {
  const note = `writer-${writer}`
  return Users.update({ id: "counter", custom: "merge" }, ({ custom }) => {
    const fields = fieldsOf(custom)
    if (fields[note] === round) {
      seen.repeated++
      return {}
    }
    return { custom: { count: Number(fields.count) + 1, [note]: round } }
  }).pipe(
    Effect.tapError((error) =>
      Effect.sync(() => {
        seen[error._tag === "UpdateOutcomeUnknown" ? "unknown" : "retried"]++
      })
    ),
    Effect.retry({
      schedule: Retry.backoff({ base: "100 millis", cap: "5 seconds" }),
      while: (error) => error._tag === "UpdateOutcomeUnknown" || error._tag === "ObjectChanged" || error.isRetryable
    })
  )
}

const seeds = seedsOf(1, 1 / 100)

describe("update by fifty concurrent writers under faults", () => {
  it.effect.each(seeds)("counts each increment once: seed %i", (seed) =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.setUser({ id: "counter", custom: { count: 0 } })
      yield* sideBySide(increment)
      const [user] = yield* emulator.users
      const injected = yield* Faults.Faults.use(({ injected }) => injected)
      assert.isAbove(injected.length, 100)
      assert.strictEqual(user?.custom?.["count"], writers * rounds, `SEED=${seed}\n${Faults.format(injected)}`)
    }).pipe(
      Effect.provide(world({ seed, rate: 0.1, faults })),
      Random.withSeed(seed),
      Effect.provide(TestClock.layer())
    ), 60_000)

  it.runIf(seeds.length >= 5)("met retries, unknown outcomes and repeated increments", () => {
    assert.isAbove(seen.retried, 100)
    assert.isAbove(seen.unknown, 100)
    assert.isAbove(seen.repeated, 100)
  })
})
