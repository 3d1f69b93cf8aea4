import { assert, describe, it } from "@effect/vitest"
import * as Marks from "../../../src/pubnub/internal/reading/marks.ts"
import { numbers } from "./arrivals.ts"

const many = numbers(2_000).map((n) => Marks.of(`17900000000000000/a/${n}`))

describe("marks", () => {
  it("are five URL-safe letters, the same as in cursors that were saved before", () => {
    for (const id of ["", "a", "17900000000000000/a/ada", "\u{1F600}", "x".repeat(10_000)]) {
      assert.match(Marks.of(id), /^[A-Za-z0-9_-]{5}$/)
      assert.strictEqual(Marks.of(id), Marks.of(id))
    }
    // Cursors that were saved long ago name these.
    assert.deepStrictEqual(["a", "b", "17900000000000000/a/ada"].map(Marks.of), ["EYwMc", "lH8dW", "6t0BB"])
  })

  it("differ for ids that differ little: at most 60 of 200,000 collide", () => {
    const seen = new Set(numbers(200_000).map((n) => Marks.of(`${17_900_000_000_000_000n + BigInt(n)}/a/ada`)))
    // Two of 200,000 have the same one of 2^30 about 19 times.
    assert.isAtLeast(seen.size, 200_000 - 60)
    assert.notStrictEqual(Marks.of("17900000000000000/a/ada"), Marks.of("17900000000000000/b/ada"))
  })

  it("are split from one text as they were joined", () => {
    assert.deepStrictEqual(Marks.split(Marks.join(many)), many)
    assert.deepStrictEqual(Marks.split(""), [])
    assert.deepStrictEqual(Marks.split("ABCDEFG"), ["ABCDE"])
  })

  it("are found in their text, and not across two of them", () => {
    const text = Marks.join(["AAAAB", "BAAAA", "BBBBB"])
    assert.deepStrictEqual(["AAAAB", "BAAAA", "BBBBB"].map((mark) => Marks.has(text, mark)), [true, true, true])
    assert.deepStrictEqual(["AAABB", "AAAAA", "ABBBB"].map((mark) => Marks.has(text, mark)), [false, false, false])
    // It is across two of them first.
    assert.isTrue(Marks.has(Marks.join(["AAAAB", "AAAAA", "AAABA"]), "AAABA"))
    assert.isFalse(Marks.has("", "AAAAA"))
  })

  it("are added to a sum and taken from it in any order", () => {
    const [a = "", b = "", c = ""] = many
    assert.strictEqual(Marks.sum([Marks.zero, a]), a)
    assert.strictEqual(Marks.sum([a, a]), Marks.zero)
    assert.strictEqual(Marks.sum([Marks.sum([a, b]), c]), Marks.sum([c, Marks.sum([b, a])]))
    assert.strictEqual(Marks.sum([a, b, c]), Marks.sum([c, Marks.sum([b, a])]))
    assert.strictEqual(Marks.sum([Marks.sum([a, b]), a]), b)
  })
})

describe("missingFrom", () => {
  const total = (marks: ReadonlyArray<string>) => ({ count: marks.length, sum: Marks.sum(marks) })

  it.each([1, 2, 50, 2_000])("finds none, one or two marks that a sum of %i does not have", (count) => {
    const had = many.slice(0, count)
    const [one = "", two = ""] = ["late one", "late two"].map(Marks.of)
    assert.deepStrictEqual(Marks.missingFrom(total(had), had), new Set())
    assert.deepStrictEqual(Marks.missingFrom(total(had), [one, ...had].toReversed()), new Set([one]))
    assert.deepStrictEqual(Marks.missingFrom(total(had), [...had, one, two]), new Set([one, two]))
  })

  it("is undefined for three late marks, and when marks are gone or replaced", () => {
    const had = many.slice(0, 50)
    const late = ["x", "y", "z"].map(Marks.of)
    assert.isUndefined(Marks.missingFrom(total(had), [...had, ...late]))
    assert.isUndefined(Marks.missingFrom(total(had), had.slice(1)))
    assert.isUndefined(Marks.missingFrom(total(had), [...had.slice(1), late[0]!]))
    assert.isUndefined(Marks.missingFrom(total(had), [...had.slice(1), late[0]!, late[1]!]))
    assert.isUndefined(Marks.missingFrom(total(had), []))
  })
})
