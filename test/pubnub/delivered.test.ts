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

it("remembers the newest thousand, and not everything", () => {
  const delivered = Delivered.make()
  for (let n = 0; n < 10_000; n++) assert.isTrue(delivered.admit(String(n), n).isNew)
  for (let n = 9_999; n > 8_999; n--) assert.isFalse(delivered.admit(String(n), n).isNew)
  assert.isTrue(delivered.admit("7000", 7_000).isNew)
})
