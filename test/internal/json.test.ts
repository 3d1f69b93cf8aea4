import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Json from "../../src/internal/json.ts"

/** JSON text that is so many levels deep. */
const lists = (levels: number) => "[".repeat(levels) + "]".repeat(levels)
const objects = (levels: number) => `${"{\"a\":".repeat(levels)}1${"}".repeat(levels)}`

const parsed = (text: string) => Result.getOrThrow(Json.parse(text))

describe("parse", () => {
  const broken = [
    "t0ken",
    "{\"a\":t0ken}",
    "{\"t0ken",
    "[\"t0ken\",]",
    "\"t0ken\n\"",
    "{\"a\":\"t0ken\\x\"}",
    "t0ken".repeat(99)
  ]

  it("says what is wrong without quoting the text", () => {
    for (const text of broken) {
      const issue = Result.match(Json.parse(text), { onFailure: (issue) => issue, onSuccess: () => "nothing" })
      assert.match(issue, /^it is not JSON(: it ends too early| at position \d+)?$/, text)
    }
    assert.deepStrictEqual(Json.parse(""), Result.fail("the body is empty"))
  })

  it("reads texts of 4 MB in time, valid or not", () => {
    for (const part of ["a", "\\\"", "\\\\", "\\u0041", "1234567890123456", "{", "é"]) {
      const text = part.repeat(4_000_000 / part.length)
      const began = performance.now()
      assert.isTrue(Result.isSuccess(Json.parseExact(`["${text}",12345678901234567]`)), part)
      assert.isTrue(Result.isFailure(Json.parseExact(`["${text}`)), part)
      assert.isBelow(performance.now() - began, 2_000, part)
    }
  })
})

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

  it("leaves strings, fractions and short numbers unchanged", () => {
    const text =
      "{\"a\":\"12345678901234567\",\"b\":\"x \\\" 12345678901234567\",\"c\":1.2345678901234567,\"d\":123456}"
    assert.deepStrictEqual(exact(text), JSON.parse(text))
  })

  it("reads a string of 40 million characters, and 100,000 quotes", () => {
    const long = `["${"\\n".repeat(20_000_000)}",17000000000000001]`
    assert.deepStrictEqual(exact(long), ["\n".repeat(20_000_000), "17000000000000001"])
    assert.deepStrictEqual(exact("[\"\\\\\",17000000000000001,\"\\\"\"]"), ["\\", "17000000000000001", "\""])
    const open = `${"\"\\".repeat(100_000)} 17000000000000001`
    assert.isTrue(Result.isFailure(Json.parseExact(open)))
    const many = `[${"\"\\\\\\\"\",".repeat(100_000)}17000000000000001]`
    assert.deepStrictEqual((exact(many) as ReadonlyArray<unknown>).at(-1), "17000000000000001")
  })

  it("keeps every digit below 16,000 levels", () => {
    const text = lists(16_000).replace("[]", "[17000000000000001]")
    assert.strictEqual(Json.text(exact(text)), text.replace("17000000000000001", "\"17000000000000001\""))
  })

  it.effect.prop("agrees with parse when there is no long integer", [Schema.Json], ([value]) =>
    Effect.sync(() => {
      const text = JSON.stringify(value)
      if (/\d{16}/.test(text)) return
      assert.deepStrictEqual(Json.parseExact(text), Json.parse(text))
    }), { arbitrary: { runs: 300 } })
})

describe("stringify", () => {
  it.effect.prop("round-trips every JSON value", [Schema.Json], ([value]) =>
    Effect.sync(() => {
      const text = Result.getOrThrow(Json.stringify(value))
      assert.strictEqual(JSON.stringify(JSON.parse(text)), JSON.stringify(value))
    }), { arbitrary: { runs: 300 } })

  it("writes 0, false, the empty string and null", () => {
    for (const value of [0, false, "", null]) {
      assert.deepStrictEqual(Json.stringify(value), Result.succeed(JSON.stringify(value)))
    }
  })

  it("names the path of a value that JSON would lose", () => {
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

  it("writes a shared object twice and a date as text, and omits undefined fields", () => {
    const shared = { a: 1 }
    assert.deepStrictEqual(
      Json.stringify({ x: shared, y: shared, at: new Date(0), gone: undefined }),
      Result.succeed("{\"x\":{\"a\":1},\"y\":{\"a\":1},\"at\":\"1970-01-01T00:00:00.000Z\"}")
    )
  })

  it("fails when reading the value throws", () => {
    const no = () => {
      throw new Error("no")
    }
    const refused: ReadonlyArray<unknown> = [
      { toJSON: no },
      { a: { toJSON: no } },
      Object.defineProperty({}, "a", { get: no, enumerable: true }),
      new Proxy({}, { ownKeys: no })
    ]
    for (const value of refused) {
      const result = Json.stringify(value)
      if (Result.isSuccess(result)) return assert.fail(`carried as ${result.success}`)
      assert.match(result.failure, /^\$(\.a)? cannot be read: Error: no$/)
    }
  })

  it("writes what toJSON returns, and refuses what JSON would lose of it", () => {
    const made = (value: unknown) => ({ at: { toJSON: () => value } })
    assert.deepStrictEqual(Json.stringify(made([1, { b: 2 }])), Result.succeed("{\"at\":[1,{\"b\":2}]}"))
    assert.deepStrictEqual(Json.stringify(made(undefined)), Result.succeed("{}"))
    assert.deepStrictEqual(
      Json.stringify(made([Number.NaN])),
      Result.fail("$.at[0] is NaN, which JSON turns into null")
    )
    const endless: { readonly toJSON: () => unknown } = { toJSON: () => ({ a: endless }) }
    assert.match(String(Result.getFailure(Json.stringify(endless))), /is more than 16384 levels deep/)
  })

  it("writes the value in a boxed value", () => {
    const boxed = [Object(1), Object("a"), Object(true)]
    assert.deepStrictEqual(Json.stringify(boxed), Result.succeed("[1,\"a\",true]"))
    assert.deepStrictEqual(Json.stringify([Object(1n)]), Result.fail("$[0] is a bigint"))
  })

  it("escapes an unpaired surrogate, or refuses it with wellFormed", () => {
    assert.deepStrictEqual(Json.stringify(["a\ud800"]), Result.succeed("[\"a\\ud800\"]"))
    const wellFormed = (value: unknown) => Json.stringify(value, { wellFormed: true })
    assert.deepStrictEqual(wellFormed(["a\ud800"]), Result.fail("$[0] has an unpaired surrogate"))
    assert.deepStrictEqual(wellFormed({ "\udc00": 1 }), Result.fail("$.\ufffd has an unpaired surrogate"))
    assert.deepStrictEqual(wellFormed("😀"), Result.succeed("\"😀\""))
  })

  it.each([lists, objects])("writes 16,384 levels, and refuses more", (nested) => {
    for (const levels of [5_440, 8_000, 16_000, 16_384]) {
      assert.strictEqual(Result.getOrThrow(Json.stringify(parsed(nested(levels)))), nested(levels))
    }
    for (const levels of [16_385, 100_000]) {
      const result = Json.stringify(parsed(nested(levels)))
      if (Result.isSuccess(result)) return assert.fail("carried")
      assert.match(result.failure, /levels deep$/)
      assert.isBelow(result.failure.length, 300)
    }
  })
})

describe("Json.text", () => {
  it.effect.prop(
    "writes what JSON.stringify writes",
    [Schema.Json],
    ([value]) => Effect.sync(() => assert.strictEqual(Json.text(value), JSON.stringify(value))),
    { arbitrary: { runs: 300 } }
  )

  it("writes 100,000 levels and unpaired surrogates", () => {
    const half = `{"\\ud800":["\\ud800",null,{"__proto__":-1.5e-7}],"a":true}`
    for (const levels of [5_440, 16_385, 100_000]) {
      assert.strictEqual(Json.text(parsed(lists(levels))), lists(levels))
      const within = objects(levels).replace("1", half)
      assert.strictEqual(Json.text(parsed(within)), within)
    }
  })
})

describe("Json.equal", () => {
  it.effect.prop(
    "finds a value equal to its copy",
    [Schema.Json],
    ([value]) => Effect.sync(() => assert.isTrue(Json.equal(value, JSON.parse(JSON.stringify(value))))),
    { arbitrary: { runs: 300 } }
  )

  it.effect.prop(
    "finds two values equal only if their JSON texts are",
    [Schema.Json, Schema.Json],
    ([one, other]) =>
      Effect.sync(() => {
        const same = JSON.stringify(one) === JSON.stringify(other)
        assert.strictEqual(Json.equal([one], [other]), same)
      }),
    { arbitrary: { runs: 300 } }
  )

  it("ignores the order of keys and keys without a value", () => {
    const alike: ReadonlyArray<readonly [unknown, unknown]> = [
      [{ a: 1, b: 2 }, { b: 2, a: 1 }],
      [{ a: 1, b: undefined }, { a: 1 }],
      [Option.some({ a: [1] }), Option.some({ a: [1] })],
      [DateTime.makeUnsafe(0), DateTime.makeUnsafe(0)]
    ]
    for (const [one, other] of alike) {
      assert.isTrue(Json.equal(one, other))
      assert.isTrue(Json.equal(other, one))
    }
    const different: ReadonlyArray<readonly [unknown, unknown]> = [
      [{}, []],
      [{}, null],
      [[], null],
      [0, false],
      ["1", 1],
      [[1, 2], [2, 1]],
      [[1], [1, 2]],
      [{ a: 1 }, { b: 1 }],
      [{ a: 1 }, { a: 1, b: 1 }],
      [{ toString: 1 }, {}],
      [parsed("{\"__proto__\":1}"), parsed("{\"__proto__\":2}")],
      [parsed("{\"__proto__\":{}}"), {}],
      [Option.some(1), Option.none()],
      [DateTime.makeUnsafe(0), DateTime.makeUnsafe(1)]
    ]
    for (const [one, other] of different) {
      assert.isFalse(Json.equal(one, other))
      assert.isFalse(Json.equal(other, one))
    }
  })

  it.each([lists, objects])("compares 100,000 levels", (nested) => {
    const text = nested(100_000)
    assert.isTrue(Json.equal(parsed(text), parsed(text)))
    assert.isFalse(Json.equal(parsed(text), parsed(nested(99_999))))
  })
})
