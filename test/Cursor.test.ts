import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Cursor } from "effect-herald/Cursor"

const position = "17900000000000000"
const isCursor = Schema.is(Cursor)
const sum = [position, 50, "AAAAA"] as const
const list = <A>(length: number, item: A) => Array.from({ length }, () => item)

/** As much as readers write. */
const largest: Cursor = {
  position,
  region: 1,
  delivered: list(100, "AAAAA"),
  recent: { since: position, marks: "AAAAA".repeat(530), sums: list(16, sum) },
  hole: position
}

describe("cursor schema", () => {
  it("accepts the largest cursor that readers write, and rejects a larger one", () => {
    assert.isTrue(isCursor(largest))
    const { recent } = largest
    assert.isDefined(recent)
    for (
      const larger of [
        { ...largest, delivered: list(101, "AAAAA") },
        { ...largest, delivered: ["AAAAAA"] },
        { ...largest, recent: { ...recent, marks: "AAAAA".repeat(531) } },
        { ...largest, recent: { ...recent, sums: list(17, sum) } },
        { ...largest, recent: { ...recent, sums: [[position, 50, "A".repeat(100_000)]] } }
      ]
    ) assert.isFalse(isCursor(larger))
  })

  it("names the field that is too large when it rejects a cursor", () => {
    const decode = Schema.decodeUnknownExit(Cursor)
    assert.include(String(decode({ ...largest, delivered: list(101, "AAAAA") })), "delivered")
  })
})
