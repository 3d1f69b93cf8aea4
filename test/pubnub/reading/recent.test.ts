import { assert, describe, it } from "@effect/vitest"
import type { Cursor } from "../../../src/Cursor.ts"
import * as Had from "../../../src/pubnub/internal/reading/had.ts"
import * as Marks from "../../../src/pubnub/internal/reading/marks.ts"
import { marksOf, overlap, Recent, withoutSums } from "../../../src/pubnub/internal/reading/recent.ts"
import { numbers, second, ticks } from "./arrivals.ts"

const countOf = (recent: NonNullable<Cursor["recent"]>) =>
  Marks.split(recent.marks).length + (recent.sums ?? []).reduce((sum, [, count]) => sum + count, 0)

/** What was had at these moments, of which all is stored unless it is said. */
const having = (
  moments: ReadonlyArray<number>,
  options: { readonly from?: Cursor; readonly certainty?: Had.Certainty } = {}
) => {
  const recent = new Recent(options.from)
  recent.begin(ticks(0))
  for (const n of moments) {
    recent.add(Had.of(`${ticks(n)}/a/ada`), options.certainty ?? Had.stored)
    recent.trim(ticks(n))
  }
  return recent
}

describe("recent events", () => {
  it("keeps the newest marks of a cursor that names more events than fit, before the first event", () => {
    const names = Array.from({ length: 630 }, (_, n) => `${n}`.padStart(5, "0"))
    const position = "17900000000000000"
    const recent = new Recent({
      position,
      delivered: names.slice(530),
      recent: { since: "17899999900000000", marks: names.slice(0, 530).join("") }
    })
    recent.trim(position)
    const { marks, sums } = recent.at(position)
    assert.strictEqual(marks, names.slice(100).join(""))
    assert.deepStrictEqual(sums, [[position, 100, Marks.sum(names.slice(0, 100))]])
  })

  it("have the oldest events of an earlier run in one sum with those of its time, until history shows them", () => {
    const had = numbers(540, 11).map((n) => Had.of(`${ticks(n)}/a/ada`))
    const sums = [[ticks(600), 60, Marks.of("sum")]] as const
    const from = { position: ticks(560), delivered: [], recent: { since: ticks(1), marks: "", sums } }
    const resumed = (position: number) => {
      const marks = Marks.join(had.map(({ mark }) => mark))
      const recent = new Recent({ ...from, position: ticks(position), recent: { ...from.recent, marks } })
      recent.begin(ticks(1))
      return recent
    }
    const oldest = had.slice(0, 10).map(({ mark }) => mark)
    const one = (end: number) => [[ticks(end), 70, Marks.sum([Marks.of("sum"), ...oldest])]] as const
    assert.deepStrictEqual(resumed(560).at(ticks(560)).sums, one(600))
    assert.deepStrictEqual(resumed(700).at(ticks(700)).sums, one(700))
    const recent = resumed(700)
    const later = numbers(60, 701).map((n) => Had.of(`${ticks(n)}/a/ada`))
    for (const one of later) recent.add(one, Had.shown)
    recent.trim(ticks(760))
    const position = ticks(10 * second + 650)
    assert.deepStrictEqual(recent.at(position), {
      since: ticks(1),
      marks: Marks.join(had.slice(10).map(({ mark }) => mark)),
      sums: [...one(700), [ticks(750), 50, Marks.sum(later.slice(0, 50).map(({ mark }) => mark))], [
        ticks(760),
        10,
        Marks.sum(later.slice(50).map(({ mark }) => mark))
      ]]
    })
    const straddling = resumed(700)
    for (const n of numbers(60, 691)) straddling.add(Had.of(`${ticks(n)}/a/ada`), Had.shown)
    straddling.trim(ticks(760))
    assert.deepStrictEqual(straddling.at(position).sums?.map(([to, count]) => [to, count]), [[ticks(740), 120], [
      ticks(750),
      10
    ]])
    for (const one of had.slice(0, 10)) recent.add(one, Had.unsure)
    assert.strictEqual(recent.at(ticks(760)).sums?.[0], sums[0])
  })

  it("do not have events of an old page, which would be missing in a sum", () => {
    const recent = having([5])
    recent.add(Had.of(`${ticks(-1)}/a/ada`), Had.stored)
    assert.strictEqual(recent.at(ticks(5)).marks, Marks.of(`${ticks(5)}/a/ada`))
    recent.trim(ticks(20 * second))
    for (const n of [10 * second - 1, 10 * second]) recent.add(Had.of(`${ticks(n)}/a/ada`), Had.stored)
    assert.strictEqual(recent.at(ticks(20 * second)).marks, Marks.of(`${ticks(10 * second)}/a/ada`))
    const resumed = new Recent({ position: ticks(9), delivered: [], recent: { since: ticks(3), marks: "" } })
    for (const n of [2, 3]) resumed.add(Had.of(`${ticks(n)}/a/ada`), Had.stored)
    assert.strictEqual(resumed.at(ticks(9)).marks, Marks.of(`${ticks(3)}/a/ada`))
  })

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
    const twice = having(all.flatMap((n) => [n, n]), { certainty: Had.unsure }).at(ticks(1_000))
    assert.isNotEmpty(twice.sums)
    assert.deepStrictEqual(twice, having(all, { certainty: Had.unsure }).at(ticks(1_000)))
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const channel of ["a", "b", "a"]) recent.add(Had.of(`${ticks(1)}/${channel}/ada`), Had.stored)
    assert.strictEqual(countOf(recent.at(ticks(1))), 2)
  })

  it("are named oldest first, however they came", () => {
    assert.deepStrictEqual(having([1, 4, 3, 2]).at(ticks(4)).marks, having([1, 2, 3, 4]).at(ticks(4)).marks)
  })

  it("that come before the position moves are summed up at once", () => {
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const n of numbers(1_000, 1)) recent.add(Had.of(`${ticks(n)}/a/ada`), Had.stored)
    recent.trim(ticks(1_000))
    const at = recent.at(ticks(1_000))
    assert.strictEqual(countOf(at), 1_000)
    assert.isAtMost(Marks.split(at.marks).length, 530)
  })

  it("of one id are alike in a sum: history does not tell them apart", () => {
    const { mark, summed } = Had.of("id", "id#content")
    assert.deepStrictEqual([mark, summed], [Marks.of("id#content"), Marks.of("id")])
  })

  it.each([480, 530, 531, 1_000, 10_000, 50_000])("of a burst of %i are all counted, in at most 4 kB", (count) => {
    const recent = having(numbers(count, 1))
    const at = recent.at(ticks(count))
    assert.strictEqual(countOf(at), count)
    const all = numbers(count, 1).map((n) => Marks.of(`${ticks(n)}/a/ada`))
    assert.strictEqual(Marks.sum([...Marks.split(at.marks), ...at.sums?.map(([, , sum]) => sum) ?? []]), Marks.sum(all))
    assert.isAtMost(JSON.stringify({ position: ticks(count), region: 1, delivered: [], recent: at }).length, 4_096)
    assert.isAtMost(at.sums?.length ?? 0, 16)
    assert.strictEqual(at.sums === undefined, count <= 530)
  })

  it("fit into 4 kB at any time, with a hole and a full page of delivered events", () => {
    const recent = having([])
    const place = {
      position: ticks(0),
      region: 12,
      delivered: Array.from({ length: 100 }, () => Marks.zero),
      hole: ticks(0)
    }
    const sizes = numbers(400, 1).map((page) => {
      for (const n of numbers(25, 25 * page)) recent.add(Had.of(`${ticks(n)}/a/ada`), Had.stored)
      recent.trim(ticks(25 * page + 24))
      return JSON.stringify({ ...place, recent: recent.at(ticks(25 * page + 24)) }).length
    })
    assert.isAtMost(Math.max(...sizes), 4_096)
  })

  it("without their sums begin after the last sum", () => {
    const cursor: Cursor = { position: ticks(1_000), delivered: [], recent: having(numbers(1_000, 1)).at(ticks(1_000)) }
    const last = cursor.recent?.sums?.at(-1)?.[0]
    const since = String(BigInt(last ?? 0) + 1n)
    assert.deepStrictEqual(withoutSums(cursor).recent, { since, marks: cursor.recent!.marks })
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
    const at = having(numbers(5_000, 1), { certainty: Had.unsure }).at(ticks(5_000))
    assert.isAtMost(JSON.stringify(at).length, 4_000)
  })

  it.each(
    [
      ["are not stored, between stored ones,", (n: number) => n % 10 !== 0 ? Had.stored : Had.unsure],
      ["history did not show, between others,", (n: number) => n % 10 !== 0 ? Had.shown : Had.stored]
    ] as const
  )("that %s are in no sum", (_, certaintyOf) => {
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const n of numbers(1_000, 1)) {
      recent.add(Had.of(`${ticks(n)}/a/ada`), certaintyOf(n))
      recent.trim(ticks(n))
    }
    const { marks, sums = [] } = recent.at(ticks(1_000))
    for (const [index, [to, count, sum]] of sums.entries()) {
      const before = sums[index - 1]?.[0] ?? ticks(0)
      const summed = numbers(1_000, 1).filter((n) => n % 10 !== 0 && ticks(n) > before && ticks(n) <= to)
      assert.strictEqual(count, summed.length)
      assert.strictEqual(sum, Marks.sum(summed.map((n) => Marks.of(`${ticks(n)}/a/ada`))))
    }
    assert.isNotEmpty(sums)
    assert.include(Marks.split(marks), Marks.of(`${ticks(10)}/a/ada`))
  })

  const shown = (moments: ReadonlyArray<number>, unshown: ReadonlyArray<number>) => {
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const n of moments) {
      recent.add(Had.of(`${ticks(n)}/a/ada`), unshown.includes(n) ? Had.stored : Had.shown)
      recent.trim(ticks(n))
    }
    return recent
  }

  it("between those of a sum are named as long as there is the sum", () => {
    const unshown = numbers(100, 1).map((n) => 10 * n)
    const recent = shown(numbers(1_000, 1), unshown)
    assert.strictEqual(recent.at(ticks(1_000)).sums?.[0]?.[0], ticks(55))
    const position = ticks(10 * second + 75)
    recent.trim(position)
    const at = recent.at(position)
    assert.strictEqual(at.since, ticks(56))
    assert.deepStrictEqual(
      Marks.split(at.marks).slice(0, 2),
      [60, 70].map((n) => Marks.of(`${ticks(n)}/a/ada`))
    )
  })

  it("before the first event of the oldest sum are forgotten with the sum before", () => {
    const recent = shown([...numbers(50, 1), 60, ...numbers(801, 200)], [60])
    assert.deepStrictEqual(recent.at(ticks(1_000)).sums?.slice(0, 2).map(([to]) => to), [50, 249].map(ticks))
    const position = ticks(10 * second + 100)
    recent.trim(position)
    assert.strictEqual(recent.at(position).since, ticks(100))
    assert.strictEqual(countOf(recent.at(position)), 801)
  })

  /** Of events from the first tick on, each tenth is of one kind, until there are so many of it. */
  const firstSum = (count: number, kind: "shown" | "stored") => {
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const n of numbers(531, 1)) {
      const isOf = n % 10 === 0 && n <= 10 * count
      recent.add(
        Had.of(`${ticks(n)}/a/ada`),
        kind === "shown" ? (isOf ? Had.shown : Had.stored) : isOf ? Had.stored : Had.unsure
      )
    }
    recent.trim(ticks(531))
    return recent.at(ticks(531)).sums?.map(([to]) => to)
  }

  it("are summed up by kind only if there are more of it than a sum has", () => {
    assert.deepStrictEqual(firstSum(50, "shown"), [ticks(50)])
    assert.deepStrictEqual(firstSum(51, "shown"), [ticks(500)])
    assert.deepStrictEqual(firstSum(50, "stored"), [ticks(55)])
    assert.deepStrictEqual(firstSum(51, "stored"), [ticks(500)])
  })

  it.each([[50, numbers(1, 1)], [51, numbers(50, 2)]] as const)(
    "are summed up by kind beside many of an earlier run, of one stored and %i others",
    (unstored, first) => {
      const marks = numbers(480).map((n) => Marks.of(String(n))).join("")
      const recent = new Recent({ position: ticks(0), delivered: [], recent: { since: ticks(0), marks } })
      recent.begin(ticks(0))
      for (const n of numbers(unstored + 1, 1)) {
        recent.add(Had.of(`${ticks(n)}/a/ada`), n === 1 ? Had.stored : Had.unsure)
      }
      recent.trim(ticks(60))
      const summed = first.map((n) => Marks.of(`${ticks(n)}/a/ada`))
      assert.deepStrictEqual(recent.at(ticks(60)).sums, [[ticks(first.at(-1) ?? 0), first.length, Marks.sum(summed)]])
    }
  )

  it("begin with the first event of a sum of two sums, and after the sum before one of an earlier run", () => {
    const merged = having(numbers(1_300, 1))
    assert.strictEqual(merged.at(ticks(1_300)).sums?.[0]?.[0], ticks(100))
    const position = ticks(10 * second + 75)
    merged.trim(position)
    assert.strictEqual(merged.at(position).since, ticks(1))
    const sums = [[ticks(60), 3, Marks.of("first")], [ticks(80), 3, Marks.of("second")]] as const
    const resumed = new Recent({ position: ticks(80), delivered: [], recent: { since: ticks(50), marks: "", sums } })
    assert.strictEqual(resumed.at(ticks(10 * second + 55)).since, ticks(50))
    resumed.trim(position)
    assert.strictEqual(resumed.at(position).since, ticks(61))
  })

  it("that history did not show are added to the sums of their time once they are too many", () => {
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const n of numbers(2_000, 1)) {
      recent.add(Had.of(`${ticks(n)}/a/ada`), n <= 1_000 && n % 10 !== 0 ? Had.shown : Had.stored)
      recent.trim(ticks(n))
      const { sums = [] } = recent.at(ticks(n))
      if (sums.some(([, count]) => count === 0)) assert.fail(`a sum of nothing at ${n}`)
      if (sums.some(([to], index) => to < (sums[index - 1]?.[0] ?? ""))) assert.fail(`a sum after a later one at ${n}`)
    }
    const at = recent.at(ticks(2_000))
    assert.strictEqual(countOf(at), 2_000)
    assert.isEmpty(at.sums?.filter(([, count]) => count < 50))
  })

  it("that are stored, among many that are not, are named one by one", () => {
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const n of numbers(1_000, 1)) {
      recent.add(Had.of(`${ticks(n)}/a/ada`), n === 1 ? Had.stored : Had.unsure)
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
    const before = recent.at(ticks(2_000))
    recent.add(Had.of(id), Had.stored)
    assert.deepStrictEqual(before.sums?.[0], first)
    const [after] = recent.at(ticks(2_000)).sums ?? []
    assert.deepStrictEqual(after, [first![0], first![1] + 1, Marks.sum([first![2], Marks.of(id)])])
    // Where the range of the sums begins, history is read from.
    const sinceOf = () => recent.at(ticks(10 * second + 50)).since
    assert.strictEqual(sinceOf(), ticks(2))
    recent.add(Had.of(`${ticks(1)}/a/ada`), Had.stored)
    assert.strictEqual(sinceOf(), ticks(1))
    recent.add(Had.of(`${first![0]}/late`), Had.stored)
    assert.strictEqual(recent.at(ticks(2_000)).sums?.[0]?.[1], first![1] + 3)
  })

  it.each([[0, 1], [1, 51]])(
    "%i ticks after the overlap of their first sum begin %i ticks after the start",
    (late, since) => {
      const recent = having(numbers(1_000, 1))
      assert.strictEqual(recent.at(ticks(1_000)).since, ticks(0))
      assert.strictEqual(recent.at(ticks(1_000)).sums?.[0]?.[0], ticks(50))
      const position = ticks(10 * second + 50 + late)
      recent.trim(position)
      assert.strictEqual(recent.at(position).since, ticks(since))
    }
  )

  it("begin after a sum that is older than the overlap, also before it is forgotten", () => {
    const at = having(numbers(1_000, 1)).at(ticks(10 * second + 51))
    assert.strictEqual(at.since, ticks(51))
    assert.strictEqual(at.sums?.[0]?.[0], ticks(100))
  })

  it("that come late and are not stored are added to no sum", () => {
    const recent = having(numbers(1_000, 1).map((n) => 2 * n))
    const [after] = recent.at(ticks(2_000)).sums ?? []
    recent.add(Had.of(`${ticks(5)}/unstored`), Had.unsure)
    assert.deepStrictEqual(recent.at(ticks(2_000)).sums?.[0], after)
    assert.include(Marks.split(recent.at(ticks(2_000)).marks), Marks.of(`${ticks(5)}/unstored`))
  })

  it("of one timetoken are in one sum", () => {
    const recent = new Recent(undefined)
    recent.begin(ticks(0))
    for (const n of numbers(1_000)) {
      const at = ticks(Math.floor(n / 70) + 1)
      recent.add(Had.of(`${at}/a/${n}`), Had.stored)
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
    assert.strictEqual(marksOf(from), Marks.join(["before", "after"].map(Marks.of)))
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
    recent.trim(ticks(20 * second + 61))
    assert.strictEqual(Marks.split(recent.at(ticks(20 * second + 61)).marks).length, 2)
    recent.trim(ticks(22 * second))
    assert.strictEqual(recent.at(ticks(22 * second)).marks, "")
  })

  it.each([
    ["when it began", 20, 30],
    ["at its first new position, where the service's time is behind", 0, 40]
  ])("of an earlier run are as old as this run was %s", (_, now, last) => {
    const from = { position: ticks(100), delivered: [], recent: { since: ticks(50), marks: Marks.of("before") } }
    const recent = new Recent(from, ticks(now * second))
    recent.begin(ticks(50))
    recent.trim(ticks(30 * second))
    recent.trim(ticks(last * second))
    assert.strictEqual(recent.at(ticks(last * second)).marks, Marks.of("before"))
    recent.trim(ticks((last + 1) * second + 1))
    assert.strictEqual(recent.at(ticks((last + 1) * second + 1)).marks, "")
  })

  it("of an earlier run and of this one are named up to a limit, the oldest of the earlier run in a sum", () => {
    const named = numbers(600).map((n) => Marks.of(String(n)))
    const recent = new Recent({ position: ticks(0), delivered: [], recent: { since: ticks(0), marks: named.join("") } })
    recent.begin(ticks(0))
    assert.deepStrictEqual(Marks.split(recent.at(ticks(0)).marks), named.slice(70))
    for (const n of numbers(100, 1)) {
      recent.add(Had.of(`${ticks(n)}/a/ada`), Had.stored)
      recent.trim(ticks(n))
      assert.deepStrictEqual(Marks.split(recent.at(ticks(n)).marks), named.slice(70))
    }
    assert.strictEqual(countOf(recent.at(ticks(100))), 700)
    assert.deepStrictEqual(recent.at(ticks(100)).sums?.[0], [ticks(0), 70, Marks.sum(named.slice(0, 70))])
  })

  it("are neither restored nor forgotten when the position goes back", () => {
    const recent = having([1, 2, 3])
    recent.trim(ticks(1))
    assert.strictEqual(Marks.split(recent.at(ticks(3)).marks).length, 3)
  })

  it("begin no earlier when the position goes back behind events that were forgotten", () => {
    const recent = having([1, 20 * second])
    assert.strictEqual(recent.at(ticks(20 * second)).since, ticks(10 * second))
    for (const back of [19, 5]) assert.strictEqual(recent.at(ticks(back * second)).since, ticks(10 * second))
  })
})
