import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { PubNubEmulator } from "effect-herald/testing"
import { start } from "../../kit/emulated.ts"
import { herald, heraldDuring } from "../kit.ts"

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

describe("history --follow", () => {
  const say = (...all: ReadonlyArray<number>) =>
    PubNubEmulator.PubNubEmulator.use((service) =>
      Effect.forEach(all, (n) => service.publish({ channel: "a", message: { n }, publisher: "bob" }))
    )

  it.effect("prints the newest of the range, oldest first, and then each message once", () =>
    Effect.gen(function*() {
      yield* say(0, 1, 2, 3)
      const lines = yield* heraldDuring(["history", "a", "--follow", "--limit", "2"], {}, (line) =>
        Effect.gen(function*() {
          yield* line
          yield* line
          yield* say(4, 5)
          yield* line
          yield* line
        }))
      const entries = lines.map((line) =>
        JSON.parse(line)
      )
      assert.deepStrictEqual(
        entries.map(({ payload }) =>
          payload.n
        ),
        [2, 3, 4, 5]
      )
      // A reader of the lines needs not know which of them came live.
      assert.deepStrictEqual(
        entries.map((entry) => Object.keys(entry).sort()),
        Array(4).fill(Object.keys(entries[0]).sort())
      )
      assert.deepStrictEqual(entries.map(({ _tag }) => _tag), Array(4).fill("StoredMessage"))
    }).pipe(Effect.provide(world)))

  it.effect("leaves out what is older than --since, also of the first live page", () =>
    Effect.gen(function*() {
      const [, one] = yield* say(0, 1)
      const lines = yield* heraldDuring(
        ["history", "a", "--follow", "--since", one?.timetoken ?? ""],
        { terminal: true },
        (line) => Effect.andThen(line, Effect.andThen(say(2), line))
      )
      assert.deepStrictEqual(lines.map((line) => line.slice(26)), ["bob: {\"n\":1}", "bob: {\"n\":2}"])
    }).pipe(Effect.provide(world)))

  it.effect("prints a message that reaches history after the range was read", () =>
    Effect.gen(function*() {
      const service = yield* PubNubEmulator.PubNubEmulator
      yield* service.publish({ channel: "a", message: "late", store: false })
      const lines = yield* heraldDuring(["history", "a", "--follow", "--no-json"], {}, (line) => line)
      assert.include(lines[0], "late")
    }).pipe(Effect.provide(world)))

  it.effect("exits with 2 and sends nothing with --before or --oldest-first", () =>
    Effect.gen(function*() {
      for (const flags of [["--before", "10m"], ["--oldest-first"]]) {
        const { exitCode, stderr } = yield* herald(["history", "a", "--follow", ...flags])
        assert.strictEqual(exitCode, 2)
        assert.match(stderr[0] ?? "", new RegExp(`--follow .* remove ${flags[0]}`))
      }
      assert.deepStrictEqual(yield* PubNubEmulator.PubNubEmulator.use((service) => service.requests), [])
    }).pipe(Effect.provide(world)))
})
