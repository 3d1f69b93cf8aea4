import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as CatchUp from "../../src/pubnub/internal/catchUp.ts"
import * as Delivered from "../../src/pubnub/internal/delivered.ts"
import * as Reader from "../../src/pubnub/internal/reader.ts"

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

it("takes one place in a cursor for what comes by two names, also when the second comes later", () => {
  const catchUp: CatchUp.CatchUp = {
    note: () => {},
    missed: () => {},
    open: () => {},
    hole: () => undefined,
    next: Effect.succeed(CatchUp.nothing)
  }
  const reader = Reader.make(catchUp, undefined, true)
  const at = (n: number) => ({ position: `1790000000000000${n}`, delivered: [] })
  const by = (b: string) => [1, 2].map((n) => ({ b, c: "a", d: n, p: { t: at(n).position } }))
  reader.begin(at(0))
  assert.strictEqual(reader.live([...by("a"), ...by("all")], at(0), at(2)).length, 4)
  assert.strictEqual(reader.live(by("x.*"), at(2), at(3)).length, 2)
  assert.deepStrictEqual(reader.cursor(at(3)).recent?.names, by("a").map(({ p }) => `${p.t}/a/`))
})
