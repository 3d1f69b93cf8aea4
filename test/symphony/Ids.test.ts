import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Ids } from "effect-herald/symphony"
import { sid, sidStandard } from "./kit.ts"

const Binary = Arbitrary.schema(Schema.NonEmptyArray(Schema.Int)).pipe(
  Arbitrary.map((numbers) => Buffer.from(numbers.map((number) => number & 255)))
)
const runs = { arbitrary: { runs: 500 } }

describe("ids", () => {
  it("of the documentation", () => {
    assert.strictEqual(Ids.toUrlSafe(sidStandard), sid)
    assert.strictEqual(Ids.toStandard(sid), sidStandard)
  })

  it.effect.prop("are the same in both alphabets, whichever they come in", [Binary], ([bytes]) =>
    Effect.sync(() => {
      const [standard, urlSafe] = [bytes.toString("base64"), bytes.toString("base64url")]
      for (const id of [standard, urlSafe]) {
        assert.strictEqual(Ids.toUrlSafe(id), urlSafe)
        assert.strictEqual(Ids.toStandard(id), standard)
        assert.isUndefined(Ids.issue(id))
      }
    }), runs)

  it("that are none are told of", () => {
    assert.strictEqual(Ids.issue(""), "is empty")
    for (const id of ["a b", "a,b", "a%2F", "ä", ".", "=", "a=b"]) {
      assert.strictEqual(Ids.issue(id), "is base64 in neither alphabet", id)
    }
  })
})
