import { assert, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as SlidingWindow from "../../src/internal/slidingWindow.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Takes a turn for each arrival as soon as it is free, in order, and gives when. */
const take = (pace: SlidingWindow.Pace, arrivals: ReadonlyArray<bigint>) => {
  let turns = SlidingWindow.none
  let now = 0n
  return arrivals.map((arrival) => {
    if (arrival > now) now = arrival
    now += SlidingWindow.wait(pace, turns, now)
    assert.strictEqual(SlidingWindow.wait(pace, turns, now), 0n)
    turns = SlidingWindow.take(pace, turns, now)
    assert.isAtMost(turns.length, pace.limit)
    return now
  })
}

it.prop(
  "SlidingWindow keeps every window within the limit, and makes no one wait longer than needed",
  {
    limit: Arbitrary.schema(between(1, 6)),
    window: Arbitrary.schema(between(1, 40)),
    pauses: Arbitrary.array(Arbitrary.schema(between(0, 30)), { maxLength: 60 })
  },
  ({ limit, pauses, window }) => {
    let last = 0n
    const arrivals = pauses.map((pause) => last += BigInt(pause))
    const length = BigInt(window)
    const taken = take({ limit, window: length }, arrivals)
    for (const [index, at] of taken.entries()) {
      const within = taken.filter((other) => other >= at && other < at + length)
      assert.isAtMost(within.length, limit)
      // As early as order and the limit allow.
      const arrival = arrivals[index]!
      const before = taken[index - 1] ?? 0n
      const full = taken[index - limit]
      const free = full === undefined ? 0n : full + length
      assert.strictEqual(at, [arrival, before, free].reduce((one, other) => one > other ? one : other))
    }
  },
  { arbitrary: { runs: 500 } }
)

it("SlidingWindow frees a turn exactly one window after it was taken", () => {
  const pace = { limit: 2, window: 10n }
  const turns = SlidingWindow.take(pace, SlidingWindow.take(pace, SlidingWindow.none, 0n), 4n)
  assert.deepStrictEqual([0n, 4n, 9n, 10n, 11n].map((now) => SlidingWindow.wait(pace, turns, now)), [
    10n,
    6n,
    1n,
    0n,
    0n
  ])
  const next = SlidingWindow.take(pace, turns, 10n)
  assert.deepStrictEqual(next, [4n, 10n])
  assert.strictEqual(SlidingWindow.wait(pace, next, 10n), 4n)
  assert.deepStrictEqual(SlidingWindow.take({ limit: 1, window: 10n }, [1n], 11n), [11n])
})
