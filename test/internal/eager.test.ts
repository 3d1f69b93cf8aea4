import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Eager from "../../src/internal/eager.ts"

describe("forEach", () => {
  it("is finished when all effects are", () => {
    assert.deepStrictEqual<unknown>(Eager.forEach([1, 2], (n) => Effect.succeed(n + 1)), Exit.succeed([2, 3]))
  })

  it.effect("runs effects in order when one of them is not finished", () =>
    Effect.gen(function*() {
      const ran: Array<number> = []
      const items = yield* Eager.forEach([1, 2, 3], (n) =>
        n === 1 ? Effect.succeed(n) : Effect.sync(() => {
          ran.push(n)
          return n
        }))
      assert.deepStrictEqual(items, [1, 2, 3])
      assert.deepStrictEqual(ran, [2, 3])
    }))

  it.effect("fails with the first failure", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* Effect.flip(Eager.forEach([1, 2, 3], (n) => n > 1 ? Effect.fail(n) : Effect.succeed(n))),
        2
      )
    }))
})
