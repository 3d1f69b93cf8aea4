import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Json from "../../src/internal/json.ts"

describe("parseExact", () => {
  const exact = (text: string) => Result.getOrThrow(Json.parseExact(text))

  it("keeps every digit of a long integer, as text", () => {
    assert.deepStrictEqual(exact("[14818963707386265]"), ["14818963707386265"])
    assert.deepStrictEqual(exact("[[1,2],14820999261239656, -14820999264622346]"), [
      [1, 2],
      "14820999261239656",
      "-14820999264622346"
    ])
    assert.deepStrictEqual(exact("{\"t\":17000000000000001}"), { t: "17000000000000001" })
  })

  it("touches no string, no fraction and no short number", () => {
    const text =
      "{\"a\":\"12345678901234567\",\"b\":\"x \\\" 12345678901234567\",\"c\":1.2345678901234567,\"d\":123456}"
    assert.deepStrictEqual(exact(text), JSON.parse(text))
  })

  it.effect.prop("is parse where there is no long integer", [Schema.Json], ([value]) =>
    Effect.sync(() => {
      const text = JSON.stringify(value)
      if (/\d{16}/.test(text)) return
      assert.deepStrictEqual(Json.parseExact(text), Json.parse(text))
    }), { arbitrary: { runs: 300 } })
})

describe("stringify", () => {
  it.effect.prop("carries every JSON value there and back", [Schema.Json], ([value]) =>
    Effect.sync(() => {
      const text = Result.getOrThrow(Json.stringify(value))
      assert.strictEqual(JSON.stringify(JSON.parse(text)), JSON.stringify(value))
    }), { arbitrary: { runs: 300 } })

  it("carries the falsy ones", () => {
    for (const value of [0, false, "", null]) {
      assert.deepStrictEqual(Json.stringify(value), Result.succeed(JSON.stringify(value)))
    }
  })

  it("names the place of what JSON would lose", () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    const refused: ReadonlyArray<readonly [unknown, string]> = [
      [undefined, "$ is undefined"],
      [1n, "$ is a bigint"],
      [() => 1, "$ is a function"],
      [Symbol("s"), "$ is a symbol"],
      [Number.NaN, "$ is NaN"],
      [{ a: [1, Number.POSITIVE_INFINITY] }, "$.a[1] is Infinity"],
      [[undefined], "$[0] is undefined"],
      [{ a: { b: 1n } }, "$.a.b is a bigint"],
      [{ a: new Map([[1, 2]]) }, "$.a is a Map"],
      [new Set([1]), "$ is a Set"],
      [cycle, "$.self is part of a cycle"]
    ]
    for (const [value, place] of refused) {
      const result = Json.stringify(value)
      if (Result.isSuccess(result)) return assert.fail(`${place} was carried as ${result.success}`)
      assert.include(result.failure, place)
    }
  })

  it("carries the same object twice, dates, and absent keys", () => {
    const shared = { a: 1 }
    assert.deepStrictEqual(
      Json.stringify({ x: shared, y: shared, at: new Date(0), gone: undefined }),
      Result.succeed("{\"x\":{\"a\":1},\"y\":{\"a\":1},\"at\":\"1970-01-01T00:00:00.000Z\"}")
    )
  })

  it("a toJSON that throws is a failure, not an exception", () => {
    const result = Json.stringify({
      toJSON: () => {
        throw new Error("no")
      }
    })
    assert.isTrue(Result.isFailure(result))
  })
})
