import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EffectClock from "effect/Clock"
import * as Fiber from "effect/Fiber"
import * as Ref from "effect/Ref"
import * as TestClock from "effect/testing/TestClock"
import * as VirtualTime from "effect-herald/testing/VirtualTime"

/** Work as it is in life: a promise, some turns of the event loop, and only then to sleep, again and again. */
const worker = (handled: Ref.Ref<number>) =>
  Effect.promise(() => Promise.resolve()).pipe(
    Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 4 })),
    Effect.andThen(Ref.update(handled, (count) => count + 1)),
    Effect.andThen(Effect.sleep("30 seconds")),
    Effect.repeat({ times: 19 })
  )

describe("advance", () => {
  it.live("says that it needs a test clock when there is none", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.provide(VirtualTime.advance("1 second"), VirtualTime.layer))
      assert.include(String(exit), "needs a test clock")
    }))

  it.effect("runs the work of each step to its end, where TestClock.adjust runs ahead of it", () =>
    Effect.gen(function*() {
      const adjusted = yield* Ref.make(0)
      yield* Effect.forkChild(worker(adjusted))
      yield* TestClock.adjust("10 minutes")
      assert.isBelow(yield* Ref.get(adjusted), 20)

      const advanced = yield* Ref.make(0)
      yield* Effect.forkChild(worker(advanced))
      yield* VirtualTime.advance("10 minutes")
      assert.strictEqual(yield* Ref.get(advanced), 20)
    }))

  it.effect("wakes each sleeper at its millisecond when its layer is provided", () =>
    Effect.gen(function*() {
      const woken: Array<number> = []
      const sleeper = (millis: number) =>
        Effect.sleep(millis).pipe(
          Effect.andThen(Effect.promise(() => Promise.resolve())),
          Effect.andThen(EffectClock.currentTimeMillis),
          Effect.tap((now) => Effect.sync(() => woken.push(now)))
        )
      yield* Effect.forkChild(Effect.all([sleeper(1), sleeper(1), sleeper(86_400_000)], { concurrency: "unbounded" }))
      yield* Effect.forkChild(Effect.repeat(sleeper(3_600_000), { times: 1 }))
      yield* VirtualTime.advance("1 day")
      assert.deepStrictEqual(woken, [1, 1, 3_600_000, 7_200_000, 86_400_000])
      assert.strictEqual(yield* EffectClock.currentTimeMillis, 86_400_000)
    }).pipe(Effect.provide(VirtualTime.layer)))

  it.effect("is not held up by a sleep for ever or by an interrupted one", () =>
    Effect.gen(function*() {
      yield* Effect.forkChild(Effect.sleep("Infinity"))
      const fiber = yield* Effect.forkChild(Effect.sleep("1 millis"), { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      yield* VirtualTime.advance("1000 days")
      assert.strictEqual(yield* EffectClock.currentTimeMillis, 1000 * 86_400_000)
    }).pipe(Effect.provide(VirtualTime.layer)))

  it.effect("waits for a long chain of work, and stops waiting for an endless one", () =>
    Effect.gen(function*() {
      const slept = yield* Ref.make(0)
      yield* Effect.forkChild(
        Effect.repeat(Effect.yieldNow, { times: 300 }).pipe(
          Effect.andThen(Effect.sleep("1 second")),
          Effect.andThen(Ref.update(slept, (count) => count + 1))
        )
      )
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* Ref.get(slept), 1)
      yield* Effect.forkChild(Effect.forever(Effect.yieldNow))
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* EffectClock.currentTimeMillis, 2_000)
    }).pipe(Effect.provide(VirtualTime.layer)))

  it.effect("takes steps of the given length, and ends at the given time", () =>
    Effect.gen(function*() {
      const ticks = yield* Ref.make(0)
      yield* Effect.forkChild(Effect.repeat(Effect.andThen(Effect.sleep("1 hour"), Ref.update(ticks, (n) => n + 1)), {
        times: 99
      }))
      yield* VirtualTime.advance("10 hours", { step: "7 minutes" })
      assert.strictEqual(yield* Ref.get(ticks), 10)
      assert.strictEqual(yield* EffectClock.currentTimeMillis, 36_000_000)
      yield* VirtualTime.advance(0)
      assert.strictEqual(yield* EffectClock.currentTimeMillis, 36_000_000)
    }))
})

describe("jump", () => {
  it.effect("moves the wall clock, and neither fires timers nor moves monotonic time", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.sleep("1 hour"), { startImmediately: true })
      yield* VirtualTime.jump("8 hours")
      yield* Effect.repeat(Effect.yieldNow, { times: 20 })
      assert.isUndefined(fiber.pollUnsafe())
      assert.strictEqual(yield* EffectClock.currentTimeMillis, 8 * 3_600_000)
      assert.strictEqual(yield* EffectClock.currentTimeNanos, 8n * 3_600_000_000_000n)
      assert.strictEqual(yield* EffectClock.monotonicTimeNanos, 0n)
      yield* VirtualTime.advance("59 minutes")
      assert.isUndefined(fiber.pollUnsafe())
      yield* VirtualTime.advance("1 minute")
      assert.isDefined(fiber.pollUnsafe())
      assert.strictEqual(yield* EffectClock.currentTimeMillis, 9 * 3_600_000)
      assert.strictEqual(yield* EffectClock.monotonicTimeNanos, 3_600_000_000_000n)
    }).pipe(Effect.provide(VirtualTime.layer)))

  it.effect("moves the wall clock back", () =>
    Effect.gen(function*() {
      yield* VirtualTime.jump("2 hours")
      yield* VirtualTime.jump({ hours: -1 })
      assert.strictEqual(yield* EffectClock.currentTimeMillis, 3_600_000)
    }).pipe(Effect.provide(VirtualTime.layer)))

  it.live("moves the wall clock over the real clock", () =>
    Effect.gen(function*() {
      const before = Date.now()
      yield* VirtualTime.jump("8 hours")
      yield* Effect.sleep("1 millis")
      assert.isAtLeast(yield* EffectClock.currentTimeMillis, before + 8 * 3_600_000)
    }).pipe(Effect.provide(VirtualTime.layer)))
})
