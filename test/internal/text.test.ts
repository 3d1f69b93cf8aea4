import { assert, describe, it } from "@effect/vitest"
import * as Text from "../../src/internal/text.ts"

describe("bounded", () => {
  it("leaves what is short, and cuts what is long", () => {
    assert.strictEqual(Text.bounded("short"), "short")
    assert.strictEqual(Text.bounded("x".repeat(1_024)), "x".repeat(1_024))
    assert.strictEqual(Text.bounded("x".repeat(30_000)), `${"x".repeat(1_023)}…`)
    assert.strictEqual(Text.bounded("abcdef", 4), "abc…")
  })

  it("halves no character", () => {
    assert.isTrue(Text.bounded("😀".repeat(3), 4).isWellFormed())
  })
})

describe("ofDefect", () => {
  it("tells the kind and the text of an error, and what was thrown in place of one", () => {
    assert.strictEqual(Text.ofDefect(new SyntaxError("Cannot convert x")), "SyntaxError: Cannot convert x")
    assert.strictEqual(Text.ofDefect("oops"), "oops")
    assert.strictEqual(Text.ofDefect({ secret: 1 }), "a value of type object was thrown")
    assert.strictEqual(Text.ofDefect(undefined), "a value of type undefined was thrown")
  })

  it("is bounded, and cannot be made to throw", () => {
    assert.isAtMost(Text.ofDefect(new Error("x".repeat(1_000_000))).length, 1_024)
    assert.isAtMost(Text.ofDefect("x".repeat(1_000_000)).length, 1_024)
    const hostile = new Error("a")
    Object.defineProperty(hostile, "message", {
      get: () => {
        throw new Error("b")
      }
    })
    assert.strictEqual(Text.ofDefect(hostile), "it cannot be told what was thrown")
    assert.isString(Text.ofDefect(Object.defineProperty(new Error("a"), "message", { value: Symbol("s") })))
  })

  it("tells no address, no query and no secret that it was given", () => {
    const told = Text.ofDefect(
      new Error(
        "GET https://ps.pndsn.com/publish/p/s/0/a/0/%22private%22?auth=t0k%2Fen failed: t0k/en, t0k%2Fen; /x?signature=v2.abc"
      ),
      ["t0k/en", ""]
    )
    assert.strictEqual(told, "Error: GET {address} failed: {secret}, {secret}; /x?{query}")
    assert.isAtMost(Text.ofDefect(new Error(`${"x".repeat(1_020)}t0k/en`), ["t0k/en"]).indexOf("t0k"), -1)
  })
})
