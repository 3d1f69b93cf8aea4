/** How late other regions are, by what one page shows. */
import { assert, describe, it } from "@effect/vitest"
import type { Cursor } from "../../../src/Cursor.ts"
import { lateBy } from "../../../src/pubnub/internal/reading/lateness.ts"
import { arrival, ticks } from "./arrivals.ts"

const at = (n: number, region: number | undefined): Cursor => ({
  position: ticks(n),
  delivered: [],
  ...region === undefined ? {} : { region }
})

describe("a page", () => {
  it.each(
    [
      ["is not late with events after the position of its request", [11, 15, 20], 1, 0n],
      ["is as late as its oldest event before that position", [9, 8, 20], 1, 12n],
      ["is as late as its oldest event of another region", [11, 20], 2, 9n],
      ["without a region is not late with events after that position", [11, 20], undefined, 0n]
    ] as const
  )("%s", (_, moments, region, late) => {
    assert.strictEqual(lateBy(moments.map((n) => arrival(n)), at(10, region), at(20, region)), late)
  })
})
