import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Ids } from "effect-herald/symphony"

const standard = "FH6C+spkoCH0rxgMKsvqqP///susIzthuw=="
const urlSafe = "FH6C-spkoCH0rxgMKsvqqP___susIzthuw"

describe("Ids", () => {
  it("converts an id to the other alphabet and back", () => {
    assert.strictEqual(Ids.toUrlSafe(standard), urlSafe)
    assert.strictEqual(Ids.toStandard(urlSafe), standard)
  })

  it("leaves an id in the wanted alphabet unchanged", () => {
    assert.strictEqual(Ids.toUrlSafe(urlSafe), urlSafe)
    assert.strictEqual(Ids.toStandard(standard), standard)
  })

  it.effect.prop(
    "agrees with Node's base64 and base64url for any bytes",
    [Schema.Uint8Array],
    ([bytes]) =>
      Effect.sync(() => {
        const id = Buffer.from(bytes)
        assert.strictEqual(Ids.toUrlSafe(id.toString("base64")), id.toString("base64url"))
        assert.strictEqual(Ids.toStandard(id.toString("base64url")), id.toString("base64"))
        assert.strictEqual(Ids.toUrlSafe(Ids.toStandard(id.toString("base64url"))), id.toString("base64url"))
        if (bytes.length > 0) {
          assert.isUndefined(Ids.issue(id.toString("base64")))
          assert.isUndefined(Ids.issue(id.toString("base64url")))
        }
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect.prop(
    "accepts only ids whose URL-safe form needs no percent-encoding",
    [Schema.String],
    ([text]) =>
      Effect.sync(() => {
        const accepted = Ids.issue(text) === undefined
        assert.strictEqual(accepted, /^[A-Za-z0-9+/_-]+=*$/.test(text))
        if (accepted) assert.strictEqual(encodeURIComponent(Ids.toUrlSafe(text)), Ids.toUrlSafe(text))
      }),
    { arbitrary: { runs: 500 } }
  )

  it.each<readonly [string, string | undefined]>([
    [standard, undefined],
    [urlSafe, undefined],
    ["", "is empty"],
    ["==", "is base64 in neither alphabet"],
    ["a b", "is base64 in neither alphabet"],
    ["a%2Fb", "is base64 in neither alphabet"],
    ["a=b", "is base64 in neither alphabet"],
    ["..", "is base64 in neither alphabet"],
    ["a\n", "is base64 in neither alphabet"]
  ])("issue of %j is %j", (id, issue) => assert.strictEqual(Ids.issue(id), issue))
})
