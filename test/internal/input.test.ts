import { assert, describe, it } from "@effect/vitest"
import * as Input from "../../src/internal/input.ts"

const anything = ["", "a", "\ud800", 0, -0, Number.NaN, 1.5, true, null, undefined, {}, [], Symbol("s"), 1n, () => 1]

describe("Input", () => {
  it("says what is wrong in words that follow the name of the input", () => {
    assert.strictEqual(Input.whole(1, 100)(0), "is 0, not a whole number from 1 to 100")
    assert.strictEqual(Input.whole(0)(Number.NaN), "is NaN, not a whole number of 0 or more")
    assert.strictEqual(Input.text(5), "is 5, not text")
    assert.strictEqual(Input.text("\ud800"), "has an unpaired surrogate")
    assert.strictEqual(Input.notBlank(" \n"), "is blank")
    assert.strictEqual(Input.filled(""), "is empty")
    assert.strictEqual(Input.segment(".."), "is a dot segment, which no URL can carry")
    assert.strictEqual(Input.bytes(3)("ää"), "has 4 bytes, and 3 are the most")
    assert.strictEqual(Input.oneOf(["asc", "desc"])("up"), "is \"up\", not one of asc, desc")
    assert.strictEqual(Input.header("a\r\nb"), "holds what no header can carry")
  })

  it("finds no issue in valid input", () => {
    assert.deepStrictEqual(
      Input.issues({
        limit: Input.whole(1, 100)(100),
        name: Input.notBlank("é"),
        id: Input.all(Input.segment, Input.bytes(92))("a/b"),
        tag: Input.optional(Input.header)(undefined),
        tier: Input.oneOf(["hot", "warm"])("hot")
      }),
      []
    )
  })

  it("reports each bad item of a list once, and a value that is no list", () => {
    assert.deepStrictEqual(Input.each("channels", ["", "a", "", 7], Input.filled), [
      { location: "channels", message: "\"\" is empty" },
      { location: "channels", message: "7 is not text" }
    ])
    assert.deepStrictEqual(Input.each("channels", "a", Input.filled), [
      { location: "channels", message: "is \"a\", not a list" }
    ])
  })

  it("refuses values of any type without throwing", () => {
    for (const check of [Input.text, Input.filled, Input.notBlank, Input.segment, Input.bytes(5), Input.header]) {
      for (const value of anything) {
        if (typeof value !== "string") assert.isString(check(value))
      }
    }
    for (const value of anything) assert.isString(Input.whole(1)(value))
    for (const value of anything) assert.isString(Input.oneOf(["x"])(value))
  })
})
