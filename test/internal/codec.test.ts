/** Schemas that throw, recur without end, or have much to say: each gives a sentence. */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Codec from "../../src/internal/codec.ts"

const Big = Schema.String.pipe(Schema.decodeTo(Schema.BigInt, {
  decode: SchemaGetter.transform((text: string) => BigInt(text)),
  encode: SchemaGetter.transform((value: bigint): string => {
    throw new Error(`cannot write ${value}`)
  })
}))

interface Tree extends ReadonlyArray<Tree> {}
const Tree: Schema.Codec<Tree> = Schema.Array(Schema.suspend(() => Tree))

const deep = (levels: number, leaf = ""): unknown => JSON.parse("[".repeat(levels) + leaf + "]".repeat(levels))

const failure = <A>(result: Result.Result<A, string>): string =>
  Result.match(result, { onFailure: (issue) => issue, onSuccess: () => "nothing is wrong" })

const both = Effect.fnUntraced(function*<A>(schema: Schema.ConstraintDecoder<A>, input: unknown) {
  const result = yield* Effect.result(Codec.decode(schema)(input))
  assert.deepStrictEqual(Codec.decodeResult(schema)(input), result)
  return failure(result)
})

describe("decode", () => {
  it.effect("decodes a value that fits, and fails with a sentence for one that does not", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Codec.decode(Big)("12"), 12n)
      assert.deepStrictEqual(Codec.decodeResult(Big)("12"), Result.succeed(12n))
      assert.strictEqual(yield* both(Schema.Int, "x"), "Expected number")
    }))

  it.effect("fails with a sentence when a transformation throws", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* both(Big, "x"), "its schema threw SyntaxError: Cannot convert x to a BigInt")
      assert.isAtMost((yield* both(Big, "x".repeat(30_000))).length, 1_100)
    }))

  it.effect("fails with a sentence when a recursive schema overflows the stack", () =>
    Effect.gen(function*() {
      for (const levels of [16_000, 100_000]) {
        assert.match(yield* both(Tree, deep(levels)), /^its schema threw RangeError: Maximum call stack/)
      }
    }))

  it.effect("limits the length of an issue with a deep path or long names", () =>
    Effect.gen(function*() {
      for (const levels of [10, 100, 300, 1_000]) {
        const issue = yield* both(Tree, deep(levels, "1"))
        assert.isAtMost(issue.length, 1_100)
        assert.notStrictEqual(issue, "nothing is wrong")
      }
      const named = yield* both(Schema.Record(Schema.String, Schema.Int), { ["k".repeat(30_000)]: "x" })
      assert.isAtMost(named.length, 1_024)
    }))

  it.effect("keeps an interruption, and uses the services of the schema", () =>
    Effect.gen(function*() {
      class Zone extends Context.Service<Zone, number>()("Zone") {}
      const Served = Schema.Int.pipe(Schema.decodeTo(Schema.Int, {
        decode: SchemaGetter.transformEffect((value: number) => Effect.map(Zone, (zone) => value + zone)),
        encode: SchemaGetter.passthrough()
      }))
      assert.strictEqual(yield* Effect.provideService(Codec.decode(Served)(1), Zone, 2), 3)
      const Interrupted = Schema.Int.pipe(Schema.decodeTo(Schema.Int, {
        decode: SchemaGetter.transformEffect(() => Effect.interrupt),
        encode: SchemaGetter.passthrough()
      }))
      const exit = yield* Effect.exit(Codec.decode(Interrupted)(1))
      assert.isTrue(exit._tag === "Failure" && exit.cause.reasons.every((reason) => reason._tag === "Interrupt"))
    }))
})

describe("encode", () => {
  it.effect("encodes a value, and fails with a sentence when the schema refuses it or throws", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Codec.encode(Schema.FiniteFromString)(12), "12")
      assert.strictEqual(yield* Effect.flip(Codec.encode(Schema.Int)("x")), "Expected number")
      assert.strictEqual(yield* Effect.flip(Codec.encode(Big)(1n)), "its schema threw Error: cannot write 1")
      assert.match(yield* Effect.flip(Codec.encode(Tree)(deep(16_000))), /^its schema threw RangeError/)
    }))
})
