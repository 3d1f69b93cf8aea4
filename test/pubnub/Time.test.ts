import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { PubNubConfig, Time } from "effect-herald/pubnub"
import { Transport } from "effect-herald/testing"

const answered = (answer: Transport.Answer) =>
  Layer.merge(
    Transport.layerScripted([answer]),
    PubNubConfig.layer({ subscribeKey: "", userId: "ada", origin: "host" })
  )

it.effect("returns all seventeen digits, and needs no key", () =>
  Effect.gen(function*() {
    assert.strictEqual(String(yield* Time.now), "14818963707386265")
  }).pipe(Effect.provide(answered({ body: "[14818963707386265]" }))))

it.effect.each(
  [
    ["[]", 200, "Malformed"],
    ["[12]", 200, "Malformed"],
    ["nonsense", 200, "Malformed"],
    ["{\"status\":403,\"message\":\"Forbidden\"}", 403, "BadRequest"],
    ["<html>", 500, "ServerFailure"],
    ["{}", 429, "RateLimited"]
  ] as const
)("the answer %j with %i is %s", ([body, status, tag]) =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Time.now)
    assert.strictEqual(error.reason._tag, tag)
    assert.strictEqual(error.operation, "Time.now")
    assert.deepStrictEqual(error.request, { method: "GET", path: "/time/0" })
  }).pipe(Effect.provide(answered({ body, status }))))

it.effect("fails with Timeout when no answer comes within 15 seconds", () =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Effect.flip(Time.now))
    yield* TestClock.adjust("14999 millis")
    assert.isUndefined(fiber.pollUnsafe())
    yield* TestClock.adjust("1 millis")
    assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "Timeout")
  }).pipe(Effect.provide(answered({ never: true }))))
