import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { PubNubEmulator } from "effect-herald/testing"
import { start } from "../../kit/emulated.ts"
import { herald } from "../kit.ts"

const world = PubNubEmulator.layer().pipe(Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))))

it.effect("history prints messages from either end, as JSON or as text", () =>
  Effect.gen(function*() {
    const service = yield* PubNubEmulator.PubNubEmulator
    for (let n = 0; n < 250; n++) yield* service.publish({ channel: "a", message: { n }, publisher: "bob" })
    const newest = yield* herald(["history", "a", "--limit", "2"])
    assert.deepStrictEqual(newest.stdout.map((line) => JSON.parse(line).payload), [{ n: 249 }, { n: 248 }])
    assert.notInclude(newest.stdout.join(), "actions")
    const oldest = yield* herald(["history", "a", "--oldest-first", "--limit", "120"])
    assert.deepStrictEqual(oldest.stdout.map((line) => JSON.parse(line).payload.n), [...Array(120).keys()])
    const [line] =
      (yield* herald(["history", "a", "--limit", "1", "--since", "17900000000000000"], { terminal: true })).stdout
    assert.strictEqual(line, "2026-09-21T14:13:20.000Z  bob: {\"n\":249}")
  }).pipe(Effect.provide(world)))

it.effect("history exits with 3 without persistence, and with 2 for an invalid --since", () =>
  Effect.gen(function*() {
    yield* PubNubEmulator.PubNubEmulator.use((service) => service.setAddOns({ persistence: false }))
    assert.strictEqual((yield* herald(["history", "a"])).exitCode, 3)
    const seconds = yield* herald(["history", "a", "--since", "1595634632"])
    assert.strictEqual(seconds.exitCode, 2)
    assert.include(seconds.stderr[0], "Expected: a timetoken, a time as 2026-09-21T14:00Z, or a length ago as \"10m\"")
  }).pipe(Effect.provide(world)))
