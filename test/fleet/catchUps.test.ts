/** What is one catch-up of a lane, and what are two. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { counted } from "../../src/fleet/internal/catchUps.ts"

it.effect("requests to history less than a minute apart are one catch-up of a lane, however long they wait", () =>
  Effect.gen(function*() {
    let began = 0
    let wait = 0
    const turn = counted(Effect.suspend(() => Effect.sleep(wait)), Effect.sync(() => void began++))
    yield* turn
    yield* TestClock.adjust("1 minute")
    yield* turn
    assert.strictEqual(began, 1)
    yield* TestClock.adjust("61 seconds")
    wait = 100_000
    const two = yield* Effect.forkChild(Effect.all([turn, turn], { concurrency: 2 }))
    yield* TestClock.adjust("70 seconds")
    const three = yield* Effect.forkChild(turn)
    yield* TestClock.adjust("30 seconds")
    yield* Fiber.join(two)
    yield* Fiber.interrupt(three)
    wait = 0
    yield* TestClock.adjust("1 minute")
    yield* turn
    assert.strictEqual(began, 2)
    yield* TestClock.adjust("61 seconds")
    yield* turn
    assert.strictEqual(began, 3)
  }))
