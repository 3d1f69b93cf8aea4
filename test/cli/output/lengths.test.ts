import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { SubscribeEvent } from "effect-herald/pubnub"
import { Transport } from "effect-herald/testing"
import * as JsonLine from "../../../src/cli/output/jsonLine.ts"
import { herald } from "../kit.ts"

const cursor = { position: "17900000000000000", delivered: [] }

it.effect("a length of time in the JSON of a status is a number of milliseconds", () =>
  Effect.gen(function*() {
    const event: SubscribeEvent.SubscribeEvent = { _tag: "Reconnected", cursor, downFor: Duration.seconds(1.5) }
    const line = yield* JsonLine.of(SubscribeEvent.SubscribeEvent(Schema.Json))(event)
    assert.deepStrictEqual(JSON.parse(line), { _tag: "Reconnected", cursor, downFor: 1_500 })
  }))

it.effect("a length of time in the JSON of an error is a number of milliseconds", () =>
  Effect.gen(function*() {
    const { stderr } = yield* herald(["history", "a", "--json"])
    assert.deepInclude(JSON.parse(stderr[0] ?? "").error.reason, { _tag: "RateLimited", retryAfter: 7_000 })
  }).pipe(Effect.provide(Transport.layerScripted([{ status: 429, headers: { "retry-after": "7" }, body: "{}" }]))))

it.effect("a payload that looks like a length of time is printed as it is", () =>
  Effect.gen(function*() {
    const payload = { retryIn: { _tag: "Millis", value: 5 }, after: { _tag: "Millis", value: 5 } }
    const event: SubscribeEvent.Undecodable = { _tag: "Undecodable", raw: payload, issue: "no", cursor }
    const line = yield* JsonLine.of(SubscribeEvent.SubscribeEvent(Schema.Json))(event)
    assert.deepStrictEqual(JSON.parse(line).raw, payload)
  }))
