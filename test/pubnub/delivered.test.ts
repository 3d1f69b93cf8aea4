import { assert, it } from "@effect/vitest"
import * as Delivered from "../../src/pubnub/internal/delivered.ts"

it("knows what was had by id and content, and numbers what shares an id", () => {
  const delivered = Delivered.make()
  assert.deepStrictEqual(delivered.admit("a", { n: 1 }), { name: "a", isNew: true })
  assert.deepStrictEqual(delivered.admit("a", { n: 1 }), { name: "a", isNew: false })
  assert.deepStrictEqual(delivered.admit("a", { n: 2 }), { name: "a#1", isNew: true })
  assert.deepStrictEqual(delivered.admit("a", { n: 2 }), { name: "a#1", isNew: false })
  assert.deepStrictEqual(delivered.admit("b", null), { name: "b", isNew: true })
  assert.deepStrictEqual(delivered.admit("b", null), { name: "b", isNew: false })
})

it("remembers the newest ten thousand and more, says from when on, and forgets the rest", () => {
  const delivered = Delivered.make()
  const name = (n: number) => `${17_900_000_000_000_000n + BigInt(n)}/a/`
  for (let n = 0; n < 100_000; n++) assert.isTrue(delivered.admit(name(n), n).isNew)
  for (let n = 99_999; n >= 89_999; n--) assert.isFalse(delivered.admit(name(n), n).isNew)
  const since = Number(delivered.since() - 17_900_000_000_000_000n)
  assert.isAbove(since, 70_000)
  assert.isAtMost(since, 90_000)
  assert.isFalse(delivered.admit(name(since), since).isNew)
  assert.isTrue(delivered.admit(name(since - 1), since - 1).isNew)
})
