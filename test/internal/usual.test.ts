import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../../src/internal/codec.ts"
import * as Usual from "../../src/internal/usual.ts"
import { itReadsUsual } from "../kit/usual.ts"

const Part = Schema.Struct({ id: Schema.NonEmptyString, eTag: Schema.optionalKey(Schema.Never) })

itReadsUsual(
  "a schema of every kind",
  Schema.Struct({
    _tag: Schema.tag("x"),
    text: Schema.String,
    number: Schema.Number,
    integer: Schema.Int,
    finite: Schema.NullOr(Schema.Finite),
    flag: Schema.optionalKey(Schema.NullOr(Schema.Boolean)),
    list: Schema.Array(Schema.Union([Schema.String, Schema.Int])),
    record: Schema.Record(Schema.String, Schema.Array(Part)),
    part: Schema.optionalKey(Part)
  }),
  [{
    _tag: "x",
    text: "a",
    number: 1,
    integer: 1,
    finite: null,
    flag: true,
    list: ["a", 1],
    record: { a: [], b: [{ id: "b" }] },
    part: { id: "a" }
  }]
)

it("the check of a struct leaves a list, and a missing key of any value, to the schema", () => {
  const Flags = Schema.Struct({ flag: Schema.optionalKey(Schema.Boolean) })
  assert.strictEqual(Usual.of(Flags)?.([]), Usual.unusual)
  assert.strictEqual(Usual.of(Schema.Struct({ json: Usual.Parsed }))?.({}), Usual.unusual)
})

describe("Usual.of has no check for", () => {
  it.each(Object.entries({
    "a schema that transforms": Schema.FiniteFromString,
    "a struct with a check of its own": Schema.Struct({}).check(Schema.makeFilter(() => false)),
    "a schema with two checks": Schema.NonEmptyString.check(Schema.isMaxLength(3)),
    "a struct with a part without a check": Schema.Struct({
      id: Schema.String,
      at: Schema.optionalKey(Schema.FiniteFromString)
    }),
    "a list of entries without a check": Schema.Array(Schema.FiniteFromString),
    "a union with a member without a check": Schema.NullOr(Schema.FiniteFromString),
    "a tuple": Schema.Tuple([Schema.String]),
    "an array that must have an entry": Schema.NonEmptyArray(Schema.String),
    "a record with restricted keys": Schema.Record(Schema.NonEmptyString, Schema.String)
  }))("%s", (_, schema) => assert.isUndefined(Usual.of(schema)))
})

describe("decodeResult", () => {
  const Text = Usual.define(
    Schema.String.annotate({ title: "text of this test" }),
    (json) => json === "usual" ? "by the check" : Usual.unusual
  )

  it("uses the check for usual values, and the schema for all others", () => {
    const decode = Codec.decodeResult(Text)
    assert.deepStrictEqual<unknown>(decode("usual"), Result.succeed("by the check"))
    assert.deepStrictEqual<unknown>(decode("odd"), Result.succeed("odd"))
    assert.deepStrictEqual(decode(7), Result.fail("Expected string"))
  })
})
