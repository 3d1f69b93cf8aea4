import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Input from "../../src/internal/input.ts"
import * as Url from "../../src/internal/url.ts"

const WellFormed = Arbitrary.schema(Schema.String).pipe(Arbitrary.filter((text) => text.isWellFormed()))

describe("Url.encode", () => {
  it("encodes the worked example of the protocol", () => {
    assert.strictEqual(
      Url.encode("a b,c/d~!*'()+é😀:@$&=?#[]%"),
      "a%20b%2Cc%2Fd%7E%21%2A%27%28%29%2B%C3%A9%F0%9F%98%80%3A%40%24%26%3D%3F%23%5B%5D%25"
    )
  })

  it.effect.prop(
    "keeps only unreserved characters, and decodes back to the text",
    [WellFormed],
    ([text]) =>
      Effect.sync(() => {
        const encoded = Url.encode(text)
        assert.match(encoded, /^([A-Za-z0-9._-]|%[0-9A-F]{2})*$/)
        assert.strictEqual(decodeURIComponent(encoded), text)
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "keeps any valid segment in its place of a URL",
    [Arbitrary.schema(Schema.NonEmptyString).pipe(Arbitrary.filter((text) => Input.segment(text) === undefined))],
    ([text]) =>
      Effect.sync(() => {
        const url = new URL(`http://host/a/${Url.encode(text)}/b?q=1`)
        const parts = url.pathname.split("/")
        assert.strictEqual(parts.length, 4)
        assert.strictEqual(decodeURIComponent(parts[2]!), text)
        assert.strictEqual(url.search, "?q=1")
      }),
    { arbitrary: { runs: 500 } }
  )
})

it("Input.segment refuses the segments that no URL can carry", () => {
  for (const text of [".", "..", "\ud800", "a\udc00b"]) assert.isString(Input.segment(text))
  for (const text of ["...", ".a", "a..", "%2E%2E", "../x", "a/b", "😀"]) assert.isUndefined(Input.segment(text))
})

it("Url.encodeList keeps its commas, and writes an empty list as one comma", () => {
  assert.strictEqual(Url.encodeList(["a", "b c"]), "a,b%20c")
  assert.strictEqual(Url.encodeList([]), ",")
})

it("Url.canonicalQuery sorts an encoded query by name", () => {
  const query = Url.encodeQuery({ uuid: "u 1", a: "=", auth: "t", none: undefined, "a-b": "", pnsdk: "X/1" })
  assert.strictEqual(query, "uuid=u%201&a=%3D&auth=t&a-b=&pnsdk=X%2F1")
  assert.strictEqual(Url.canonicalQuery(query), "a=%3D&a-b=&auth=t&pnsdk=X%2F1&uuid=u%201")
  assert.strictEqual(Url.encodeQuery(), "")
})
