import { assert, describe, it } from "@effect/vitest"
import type { Cursor } from "../../../src/Cursor.ts"
import * as Marks from "../../../src/pubnub/internal/reading/marks.ts"
import { hadOf, overlap, Recent } from "../../../src/pubnub/internal/reading/recent.ts"
import { numbers, second, ticks } from "./arrivals.ts"

const countOf = (recent: NonNullable<Cursor["recent"]>) =>
  Marks.split(recent.marks).length + (recent.sums ?? []).reduce((sum, [, count]) => sum + count, 0)

/** What was had at these moments, of which all is stored unless it is said. */
const having = (
  moments: ReadonlyArray<number>,
  options: { readonly from?: Cursor; readonly stored?: boolean } = {}
) => {
  const recent = new Recent(options.from)
  recent.begin(ticks(0))
  for (const n of moments) {
    recent.add(hadOf(`${ticks(n)}/a/ada`), options.stored ?? true)
    recent.trim(ticks(n))
  }
  return recent
}

describe("recent events", () => {
  it("are those of the last ten seconds, to the tick", () => {
    assert.strictEqual(overlap, BigInt(10 * second))
    const recent = having([1, 2, 3])
    const { marks } = recent.at(ticks(3))
    assert.deepStrictEqual(Marks.split(marks).length, 3)
    recent.trim(ticks(10 * second + 2))
    const kept = recent.at(ticks(10 * second + 2))
    assert.deepStrictEqual(Marks.split(kept.marks), [2, 3].map((n) => Marks.of(`${ticks(n)}/a/ada`)))
    assert.strictEqual(kept.since, ticks(2))
    recent.trim(ticks(20 * second))
    assert.strictEqual(recent.at(ticks(20 * second)).marks, "")
  })

  it("start where the reader first began", () => {
    const recent = having([5])
    assert.strictEqual(recent.at(ticks(5)).since, ticks(0))
    recent.begin(ticks(9))
    assert.strictEqual(recent.at(ticks(5)).since, ticks(0))
  })

  it("are counted once when they come by two names", () => {
    const all = numbers(1_000, 1)
    const twice = having(all.flatMap((n) => [n, n]), { stored: false }).at(ticks(1_000))
    assert.isNotEmpty(twice.sums)
    assert.deepStrictEqual(twice, having(all, { stored: false }).at(ticks(1_000)))
  })

  it.each([480, 530, 531, 1_000, 10_000, 50_000])("of a burst of %i are all counted, in at most 4 kB", (count) => {
    const recent = having(numbers(count, 1))
    const at = recent.at(ticks(count))
    assert.strictEqual(countOf(at), count)
    assert.isAtMost(JSON.stringify({ position: ticks(count), region: 1, delivered: [], recent: at }).length, 4_096)
    assert.isAtMost(at.sums?.length ?? 0, 16)
    assert.strictEqual(at.sums === undefined, count <= 530)
  })

  it("of a steady stream are counted for the overlap only", () => {
    const recent = having(numbers(3_000, 1).map((n) => n * second / 100))
    const at = recent.at(ticks(3_000 * second / 100))
    assert.isAtLeast(countOf(at), 1_000)
    assert.isAtMost(countOf(at), 1_250)
    // The sums begin where the first of them does.
    assert.isAtMost(Number(BigInt(at.since) - BigInt(ticks(0))), 20 * second)
  })

  it("that are not stored are summed up, too, in at most 4,000 characters", () => {
    const at = having(numbers(5_000, 1), { stored: false }).at(ticks(5_000))
    assert.isAtMost(JSON.stringify(at).length, 4_000)
  })

  it("that are not stored, between stored ones, are in no sum", () => {
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const n of numbers(1_000, 1)) {
      recent.add(hadOf(`${ticks(n)}/a/ada`), n % 10 !== 0)
      recent.trim(ticks(n))
    }
    const { marks, sums = [] } = recent.at(ticks(1_000))
    for (const [index, [to, count, sum]] of sums.entries()) {
      const before = sums[index - 1]?.[0] ?? ticks(0)
      const stored = numbers(1_000, 1).filter((n) => n % 10 !== 0 && ticks(n) > before && ticks(n) <= to)
      assert.strictEqual(count, stored.length)
      assert.strictEqual(sum, Marks.sum(stored.map((n) => Marks.of(`${ticks(n)}/a/ada`))))
    }
    assert.isNotEmpty(sums)
    assert.include(Marks.split(marks), Marks.of(`${ticks(10)}/a/ada`))
  })

  it("that are stored, among many that are not, are named one by one", () => {
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const n of numbers(1_000, 1)) {
      recent.add(hadOf(`${ticks(n)}/a/ada`), n === 1)
      recent.trim(ticks(n))
    }
    const { marks, sums = [] } = recent.at(ticks(1_000))
    assert.isNotEmpty(sums)
    assert.include(Marks.split(marks), Marks.of(`${ticks(1)}/a/ada`))
  })

  it("that come late are added to the sum of their range", () => {
    const recent = having(numbers(1_000, 1).map((n) => 2 * n))
    const [first] = recent.at(ticks(2_000)).sums ?? []
    const id = `${ticks(3)}/a/ada`
    recent.add(hadOf(id), true)
    const [after] = recent.at(ticks(2_000)).sums ?? []
    assert.deepStrictEqual(after, [first![0], first![1] + 1, Marks.sum([first![2], Marks.of(id)])])
    recent.add(hadOf(`${ticks(5)}/unstored`), false)
    assert.deepStrictEqual(recent.at(ticks(2_000)).sums?.[0], after)
    assert.include(Marks.split(recent.at(ticks(2_000)).marks), Marks.of(`${ticks(5)}/unstored`))
  })

  it("of one timetoken are in one sum", () => {
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const n of numbers(1_000)) {
      const at = ticks(Math.floor(n / 70) + 1)
      recent.add(hadOf(`${at}/a/${n}`), true)
      recent.trim(at)
    }
    for (const [, count] of recent.at(ticks(15)).sums ?? []) assert.strictEqual(count % 70, 0)
  })

  it("of an earlier run are named as long as they are recent", () => {
    const from: Cursor = {
      position: ticks(100),
      delivered: [Marks.of("after")],
      recent: { since: ticks(50), marks: Marks.of("before"), sums: [[ticks(60), 3, Marks.of("sum")]] }
    }
    const recent = new Recent(from)
    recent.begin(ticks(90))
    assert.deepStrictEqual(recent.names(), new Set(["before", "after"].map(Marks.of)))
    recent.trim(ticks(100))
    assert.deepStrictEqual(recent.at(ticks(100)), {
      since: ticks(50),
      marks: Marks.of("before") + Marks.of("after"),
      sums: [[ticks(60), 3, Marks.of("sum")]]
    })
    recent.trim(ticks(10 * second + 61))
    assert.isUndefined(recent.at(ticks(10 * second + 61)).sums)
    assert.strictEqual(Marks.split(recent.at(ticks(10 * second + 61)).marks).length, 2)
    // They are as old as the first position behind the earlier life's, since some were of the page behind that.
    recent.trim(ticks(20 * second))
    assert.strictEqual(Marks.split(recent.at(ticks(20 * second)).marks).length, 2)
    recent.trim(ticks(22 * second))
    assert.strictEqual(recent.at(ticks(22 * second)).marks, "")
  })

  it("are neither restored nor forgotten when the position goes back", () => {
    const recent = having([1, 2, 3])
    recent.trim(ticks(1))
    assert.strictEqual(Marks.split(recent.at(ticks(3)).marks).length, 3)
  })
})
