/** Paths are templates: what stands in them stays one segment, and what no address can carry is not sent. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Template from "../../src/internal/path.ts"
import * as Path from "../../src/symphony/internal/wire/path.ts"
import * as Request from "../../src/symphony/internal/wire/request.ts"
import { detailsOf, exchanges, scripted } from "./kit.ts"

describe("Path of Symphony", () => {
  it("encodes each part as one segment", () => {
    assert.strictEqual(Template.encode(Path.agent`/v1/message/${"a/b?c#d"}/x`, {}), "/agent/v1/message/a%2Fb%3Fc%23d/x")
    assert.strictEqual(Template.encode(Path.pod`/v1/files`, {}), "/pod/v1/files")
    assert.strictEqual(Template.encode(Path.login`/${"ä"}${"*"}`, {}), "/login/%C3%A4%2A")
  })

  it("shows a path unencoded, with a bounded length", () => {
    assert.strictEqual(Template.show(Path.relay`/${"a b"}`), "/relay/a b")
    assert.strictEqual(Template.show(Path.agent`/${"\ud800"}`), "/agent/\ufffd")
    assert.strictEqual(Template.show(Path.agent`/${5 as never}`), "/agent/5")
    assert.isAtMost(Template.show(Path.agent`/${"a".repeat(10_000)}`).length, 1_024)
  })

  it.effect.each([".", "..", "", "\ud800", 5 as never])(
    "refuses the part %j before a request is made",
    (part) =>
      Effect.gen(function*() {
        const asked = Request.run("ask", () => ({ path: Path.agent`/v1/${part}/x`, decode: Result.succeed<string> }))
        assert.lengthOf(detailsOf(yield* Effect.flip(asked)), 1)
        assert.deepStrictEqual(yield* exchanges, [])
      }).pipe(Effect.provide(scripted({ body: "" })))
  )
})
