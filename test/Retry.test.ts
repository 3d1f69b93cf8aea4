import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Cursor from "effect-herald/Cursor"
import * as Retry from "effect-herald/Retry"

const delays = (
  schedule: Schedule.Schedule<unknown>,
  hints: ReadonlyArray<Duration.Duration | undefined>
) =>
  Effect.gen(function*() {
    const step = yield* Schedule.toStep(schedule)
    return yield* Effect.forEach(hints, (retryAfter) =>
      Effect.map(step(0, { retryAfter }), ([, delay]) => Duration.toMillis(delay)))
  })

const noHints = (count: number) => Array.from({ length: count }, () => undefined)

describe("Retry.reconnect, Retry.contention and Retry.backoff", () => {
  it.effect("reconnect draws delays between 500 ms and a bound that doubles up to 30 seconds", () =>
    Effect.gen(function*() {
      const runs = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, seed) => seed),
        (seed) => Random.withSeed(delays(Retry.reconnect, noHints(12)), seed)
      )
      for (const [attempt, bound] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
        const drawn = runs.map((run) => run[attempt]!)
        assert.isAtLeast(Math.min(...drawn), 500)
        assert.isAtMost(Math.max(...drawn), bound)
        // They are spread over the whole range.
        assert.isBelow(Math.min(...drawn), 500 + (bound - 500) * 0.1)
        assert.isAbove(Math.max(...drawn), 500 + (bound - 500) * 0.9)
      }
    }))

  it.effect("contention begins with 20 to 40 ms, stays below 5 seconds and ends after 100 attempts", () =>
    Effect.gen(function*() {
      const runs = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, seed) => seed),
        (seed) => Random.withSeed(delays(Retry.contention, noHints(100)), seed)
      )
      assert.isAtMost(
        Math.max(...runs.map(([first]) => first!)),
        40
      )
      assert.isAtLeast(Math.min(...runs.flat()), 20)
      assert.isAtMost(Math.max(...runs.flat()), 5_000)
      const ended = yield* Effect.exit(delays(Retry.contention, noHints(101)))
      assert.strictEqual(ended._tag, "Failure")
    }))

  it.effect("reconnect waits at least as long as Retry-After asks, up to 150 seconds", () =>
    Effect.gen(function*() {
      const hints = [Duration.seconds(20), Duration.zero, Duration.hours(1)]
      const [twenty, none, hour] = yield* delays(Retry.reconnect, hints)
      assert.strictEqual(twenty, 20_000)
      assert.isAtLeast(none!, 500)
      assert.strictEqual(hour, 150_000)
    }))

  it.effect("backoff takes another base, cap and maxRetryAfter", () =>
    Effect.gen(function*() {
      const schedule = Retry.backoff({ base: "10 millis", cap: "20 millis", maxRetryAfter: "1 second" })
      const drawn = yield* delays(schedule, [...noHints(20), Duration.minutes(1)])
      assert.isTrue(drawn.slice(0, 20).every((delay) => delay >= 10 && delay <= 20))
      assert.strictEqual(drawn[20], 1_000)
    }))
})

describe("Retry.commit", () => {
  it.effect("waits from 100 ms to 5 seconds, and ends after ten attempts", () =>
    Effect.gen(function*() {
      const step = yield* Schedule.toStep(Retry.commit)
      const waits: Array<number> = []
      const all = Effect.forever(Effect.flatMap(
        Effect.suspend(() => step(0, undefined)),
        ([, wait]) => Effect.sync(() => waits.push(Duration.toMillis(wait)))
      ))
      yield* Effect.exit(all)
      assert.deepStrictEqual(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000, 5_000])
    }))
})

describe("Cursor", () => {
  const Text = Schema.fromJsonString(Cursor.Cursor)

  it.effect.prop("round-trips through JSON text", [Cursor.Cursor], ([cursor]) =>
    Effect.gen(function*() {
      const text = yield* Schema.encodeEffect(Text)(cursor)
      assert.deepStrictEqual(yield* Schema.decodeEffect(Text)(text), cursor)
    }), { arbitrary: { runs: 100 } })

  it.effect("fails to decode text that is no cursor", () =>
    Effect.gen(function*() {
      for (
        const text of ["", "{}", "null", "{\"position\":17,\"delivered\":[]}", "{\"position\":\"\",\"delivered\":[]}"]
      ) {
        assert.strictEqual((yield* Effect.flip(Schema.decodeEffect(Text)(text)))._tag, "SchemaError")
      }
    }))

  it("formats a cursor as its position, region and number of delivered messages", () => {
    assert.strictEqual(Cursor.format({ position: "17905741246383965", delivered: [] }), "17905741246383965")
    assert.strictEqual(Cursor.format({ position: "1", region: 4, delivered: ["a", "b"] }), "1@4+2")
  })
})
