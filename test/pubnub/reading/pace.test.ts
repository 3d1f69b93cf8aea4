/** Requests that keep their distance. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Pace from "../../../src/pubnub/internal/reading/pace.ts"

/** When each of so many got its turn, in milliseconds. */
const turnsOf = (turn: Effect.Effect<void>, count: number) =>
  Effect.forkScoped(
    Effect.forEach(Array.from({ length: count }), () => Effect.andThen(turn, Clock.currentTimeMillis), {
      concurrency: "unbounded"
    })
  )

describe("a pace", () => {
  it.effect("gives turns at its rate, 40 ms apart for 25 a second", () =>
    Effect.gen(function*() {
      const { turn } = Pace.make(25)
      const fiber = yield* turnsOf(turn, 4)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), [0, 40, 80, 120])
    }).pipe(Effect.scoped))

  it.effect("gives spare turns only when no other request waits", () =>
    Effect.gen(function*() {
      const { spare, turn } = Pace.make(25)
      const patient = yield* turnsOf(spare, 3)
      yield* TestClock.adjust("10 millis")
      const first = yield* turnsOf(turn, 3)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(first), [40, 80, 120])
      assert.deepStrictEqual(yield* Fiber.join(patient), [0, 160, 200])
    }).pipe(Effect.scoped))
})
