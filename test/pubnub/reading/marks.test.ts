import { assert, describe, it } from "@effect/vitest"
import * as Marks from "../../../src/pubnub/internal/reading/marks.ts"
import { numbers } from "./arrivals.ts"

const many = numbers(2_000).map((n) => Marks.of(`17900000000000000/a/${n}`))

describe("marks", () => {
  it("are five letters that are safe everywhere, and always the same", () => {
    for (const id of ["", "a", "17900000000000000/a/ada", "\u{1F600}", "x".repeat(10_000)]) {
      assert.match(Marks.of(id), /^[A-Za-z0-9_-]{5}$/)
      assert.strictEqual(Marks.of(id), Marks.of(id))
    }
    // Cursors that were saved long ago name these.
    assert.deepStrictEqual(["a", "b"].map(Marks.of), [Marks.of("a"), Marks.of("b")])
  })

  it("are different for ids that differ little: none of 200,000 are the same more often than chance has it", () => {
    const seen = new Set(numbers(200_000).map((n) => Marks.of(`${17_900_000_000_000_000n + BigInt(n)}/a/ada`)))
    // Two of 200,000 have the same one of 2^30 about 19 times.
    assert.isAtLeast(seen.size, 200_000 - 60)
    assert.notStrictEqual(Marks.of("17900000000000000/a/ada"), Marks.of("17900000000000000/b/ada"))
  })

  it("as one text are split into the same ones", () => {
    assert.deepStrictEqual(Marks.split(Marks.join(many)), many)
    assert.deepStrictEqual(Marks.split(""), [])
    assert.deepStrictEqual(Marks.split("ABCDEFG"), ["ABCDE"])
  })

  it("a sum takes a mark up and gives it off again, in any order", () => {
    const [a = "", b = "", c = ""] = many
    assert.strictEqual(Marks.sum([Marks.zero, a]), a)
    assert.strictEqual(Marks.sum([a, a]), Marks.zero)
    assert.strictEqual(Marks.sum([Marks.sum([a, b]), c]), Marks.sum([c, Marks.sum([b, a])]))
    assert.strictEqual(Marks.sum([a, b, c]), Marks.sum([c, Marks.sum([b, a])]))
    assert.strictEqual(Marks.sum([Marks.sum([a, b]), a]), b)
  })
})

describe("what is missing from a sum", () => {
  const total = (marks: ReadonlyArray<string>) => ({ count: marks.length, sum: Marks.sum(marks) })

  it.each([1, 2, 50, 2_000])("of %i: nothing, one or two can be told", (count) => {
    const had = many.slice(0, count)
    const [one = "", two = ""] = ["late one", "late two"].map(Marks.of)
    assert.deepStrictEqual(Marks.missingFrom(total(had), had), new Set())
    assert.deepStrictEqual(Marks.missingFrom(total(had), [one, ...had].toReversed()), new Set([one]))
    assert.deepStrictEqual(Marks.missingFrom(total(had), [...had, one, two]), new Set([one, two]))
  })

  it("three cannot, nor what is not there any more, nor what was replaced", () => {
    const had = many.slice(0, 50)
    const late = ["x", "y", "z"].map(Marks.of)
    assert.isUndefined(Marks.missingFrom(total(had), [...had, ...late]))
    assert.isUndefined(Marks.missingFrom(total(had), had.slice(1)))
    assert.isUndefined(Marks.missingFrom(total(had), [...had.slice(1), late[0]!]))
    assert.isUndefined(Marks.missingFrom(total(had), [...had.slice(1), late[0]!, late[1]!]))
    assert.isUndefined(Marks.missingFrom(total(had), []))
  })
})
