import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { Transport } from "effect-herald/testing"
import { start } from "../../kit/emulated.ts"
import { herald } from "../kit.ts"

const world = Transport.layerScripted([]).pipe(Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))))

describe("timetoken", () => {
  it.effect.each(
    [
      ["17899999800000009", "17899999800000009  2026-09-21T14:13:00.000Z  20s ago"],
      ["2026-09-21T14:14:20Z", "17900000600000000  2026-09-21T14:14:20.000Z  in 1m"],
      ["2 hours", "17899928000000000  2026-09-21T12:13:20.000Z  2h ago"]
    ] as const
  )("prints %s in all forms", ([value, line]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* herald(["timetoken", value]), { stdout: [line], stderr: [], exitCode: 0 })
    }).pipe(Effect.provide(world)))

  it.effect("prints one JSON object with --json", () =>
    Effect.gen(function*() {
      const { stdout } = yield* herald(["timetoken", "17899999800000009", "--json"])
      assert.deepStrictEqual(stdout.map((line) => JSON.parse(line)), [
        { timetoken: "17899999800000009", time: "2026-09-21T14:13:00.000Z", agoMillis: 20_000 }
      ])
    }).pipe(Effect.provide(world)))

  it.effect("exits with 2 for another value", () =>
    Effect.gen(function*() {
      const { exitCode, stderr } = yield* herald(["timetoken", "1595634632"])
      assert.strictEqual(exitCode, 2)
      assert.include(stderr[0], "Expected: a timetoken, a time as 2026-09-21T14:00Z, or a length ago as \"10m\"")
    }).pipe(Effect.provide(world)))
})
