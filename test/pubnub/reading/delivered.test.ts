import { assert, describe, it } from "@effect/vitest"
import * as Delivered from "../../../src/pubnub/internal/reading/delivered.ts"
import * as Marks from "../../../src/pubnub/internal/reading/marks.ts"
import { numbers, ticks } from "./arrivals.ts"

const idOf = (n: number) => `${ticks(n)}/a/ada`

describe("admit", () => {
  it("gives New, NewByName or Known by id, name and content", () => {
    const { admit } = Delivered.make()
    const siblingOf = (content: unknown) => `${idOf(1)}#${Marks.of(JSON.stringify(content))}`
    assert.deepStrictEqual(admit(idOf(1), "a", 1), { _tag: "New", name: idOf(1) })
    assert.deepStrictEqual(admit(idOf(1), "a", 1), { _tag: "Known", name: idOf(1) })
    assert.deepStrictEqual(admit(idOf(1), "crew", 1), { _tag: "NewByName", name: idOf(1) })
    assert.deepStrictEqual(admit(idOf(1), "crew", 1), { _tag: "Known", name: idOf(1) })
    assert.deepStrictEqual(admit(idOf(1), "x.*", 1), { _tag: "NewByName", name: idOf(1) })
    assert.deepStrictEqual(admit(idOf(1), "a", 1), { _tag: "Known", name: idOf(1) })
    assert.deepStrictEqual(admit(idOf(1), "a", 2), { _tag: "New", name: siblingOf(2) })
    assert.deepStrictEqual(admit(idOf(1), "a", 3), { _tag: "New", name: siblingOf(3) })
    assert.deepStrictEqual(admit(idOf(1), "a", 2), { _tag: "Known", name: siblingOf(2) })
    assert.deepStrictEqual(admit(idOf(1), "crew", 3), { _tag: "NewByName", name: siblingOf(3) })
  })

  it("knows events that are older than the newest", () => {
    const { admit } = Delivered.make()
    admit(idOf(5), "a", 5)
    assert.strictEqual(admit(idOf(3), "a", 3)._tag, "New")
    assert.strictEqual(admit(idOf(3), "a", 3)._tag, "Known")
    assert.strictEqual(admit(idOf(5), "a", 5)._tag, "Known")
  })

  it("keeps the newest 1,000 by content and 10,000 by id, and says since when", () => {
    const delivered = Delivered.make()
    for (const n of numbers(10_000)) assert.strictEqual(delivered.admit(idOf(n), "a", n)._tag, "New")
    assert.strictEqual(delivered.since(), 0n)
    for (const n of numbers(10_000)) assert.strictEqual(delivered.admit(idOf(n), "a", n)._tag, "Known", `${n}`)
    // By name alone: other content is the same.
    assert.strictEqual(delivered.admit(idOf(10), "a", "other")._tag, "Known")
    assert.strictEqual(delivered.admit(idOf(9_990), "a", "other")._tag, "New")
    for (const n of numbers(10_000, 10_000)) delivered.admit(idOf(n), "a", n)
    const since = delivered.since()
    assert.isAbove(Number(since - BigInt(ticks(0))), 0)
    const first = Number(since - BigInt(ticks(0)))
    assert.isAtMost(first, 9_000)
    for (const n of numbers(20_000 - first, first)) {
      assert.strictEqual(delivered.admit(idOf(n), "a", n)._tag, "Known", `${n} since ${first}`)
    }
  })

  it("keeps more ids while they are needed, up to a limit", () => {
    let needed: bigint | undefined = BigInt(ticks(5_000))
    const delivered = Delivered.make(() => needed)
    for (const n of numbers(40_000)) delivered.admit(idOf(n), "a", n)
    assert.isAtMost(Number(delivered.since() - BigInt(ticks(0))), 5_000)
    assert.strictEqual(delivered.admit(idOf(5_000), "a", 5_000)._tag, "Known")
    for (const n of numbers(260_000, 40_000)) delivered.admit(idOf(n), "a", n)
    assert.isAbove(Number(delivered.since() - BigInt(ticks(0))), 40_000)
    needed = undefined
    for (const n of numbers(1_001, 300_000)) delivered.admit(idOf(n), "a", n)
    assert.isAbove(Number(delivered.since() - BigInt(ticks(0))), 285_000)
  })

  it.each([
    ["alike", () => "x"],
    ["unlike", (n: number) => "x".repeat(n % 100)]
  ])("admits 9,000 contents of one id, %s, once each, and reads none of them again and again", (_, textOf) => {
    const { admit } = Delivered.make()
    let reads = 0
    const contentOf = (n: number) => ({
      text: textOf(n),
      get n() {
        reads++
        return n
      }
    })
    for (const n of numbers(9_000)) assert.strictEqual(admit(idOf(1), "a", contentOf(n))._tag, "New", `${n}`)
    for (const n of numbers(9_000)) assert.strictEqual(admit(idOf(1), "a", contentOf(n))._tag, "Known", `${n}`)
    assert.isBelow(reads, 5 * 18_000)
  })
})
