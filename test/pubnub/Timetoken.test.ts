import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Timetoken } from "effect-herald/pubnub"

const decode = Schema.decodeUnknownOption(Timetoken.Timetoken)

// Any moment between 2001 and 2286.
const Millis = Arbitrary.schema(Schema.Int.pipe(Schema.check(Schema.isBetween({
  minimum: 1_000_000_000_000,
  maximum: 9_999_999_999_999
}))))

describe("Timetoken", () => {
  it("decodes seventeen digits, and nothing else", () => {
    assert.isTrue(Option.isSome(decode("17905741246383965")))
    for (
      const wrong of [
        "1595634632",
        "179057412463839650",
        "1790574124638396",
        "0",
        "",
        "1790574124638396x",
        Number("17905741246383965"),
        17905741246383965n,
        null
      ]
    ) {
      assert.isTrue(Option.isNone(decode(wrong)), String(wrong))
    }
  })

  it.effect.prop("keeps a moment to the millisecond", [Millis], ([millis]) =>
    Effect.sync(() => {
      const timetoken = Option.getOrThrow(Timetoken.fromDateTime(DateTime.makeUnsafe(millis)))
      assert.strictEqual(DateTime.toEpochMillis(Timetoken.toDateTime(timetoken)), millis)
      assert.deepStrictEqual(Timetoken.fromBigInt(Timetoken.toBigInt(timetoken)), Option.some(timetoken))
    }), { arbitrary: { runs: 200 } })

  it.effect.prop("orders as integers do", [Millis, Millis], ([a, b]) =>
    Effect.sync(() => {
      const [x, y] = [a, b].map((millis) => Option.getOrThrow(Timetoken.fromBigInt(BigInt(millis) * 10_000n + 7n)))
      assert.strictEqual(Timetoken.Order(x!, y!), a < b ? -1 : a > b ? 1 : 0)
    }), { arbitrary: { runs: 200 } })

  it("is None when seventeen digits do not fit", () => {
    assert.isTrue(Option.isNone(Timetoken.fromDateTime(DateTime.makeUnsafe(0))))
    assert.isTrue(Option.isNone(Timetoken.fromBigInt(-17905741246383965n)))
  })
})
