import { assert, it } from "@effect/vitest"
import { makeMemory, remembered } from "../../src/symphony/internal/feed/feed.ts"

it("a feed remembers its last 10,000 events, and forgets others by the thousands", () => {
  const isNew = makeMemory()
  const given = (first: number, end: number) =>
    Array.from({ length: end - first }, (_, index) => isNew({ id: String(first + index) }))
  let end = 0
  for (const next of [1, remembered - 1, remembered, remembered + 1, 25_000]) {
    assert.isTrue(given(end, next).every((isNew) => isNew))
    end = next
    assert.isFalse(given(Math.max(0, end - remembered), end).some((isNew) => isNew))
  }
  assert.isTrue(isNew({ id: "0" }))
  assert.isTrue(isNew({}))
  assert.isTrue(isNew({}))
})
