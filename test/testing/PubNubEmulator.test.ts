import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"

const get = (target: string) =>
  HttpClient.get(`http://any.host${target}`).pipe(
    Effect.flatMap((response) =>
      Effect.map(response.text, (text) => ({ status: response.status, text, body: JSON.parse(text) }))
    )
  )

describe("PubNubEmulator", () => {
  it.effect("publishes and delivers", () =>
    Effect.gen(function*() {
      const handshake = yield* get("/v2/subscribe/demo-sub/a/0?uuid=me")
      assert.deepStrictEqual(handshake.body, { t: { t: "17000000000000000", r: 1 }, m: [] })
      const sent = yield* get("/publish/demo-pub/demo-sub/0/a/0/%22hi%22?uuid=you")
      assert.deepStrictEqual(sent.body, [1, "Sent", "17000000000000002"])
      const page = yield* get("/v2/subscribe/demo-sub/a/0?uuid=me&tt=17000000000000000&tr=1")
      console.log(page.text)
    }).pipe(Effect.provide(PubNubEmulator.layer())))
})
