import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import * as Faults from "effect-herald/testing/Faults"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as Transport from "effect-herald/testing/Transport"

const exchanges = Transport.Exchanges.use(({ all }) => all)

it.effect("layerScripted answers in the order of the script, records each exchange, and refuses more", () =>
  Effect.gen(function*() {
    const first = yield* HttpClient.post("http://h/a?k=1", {
      body: HttpClientRequest.bodyText(HttpClientRequest.empty, "sent").body
    })
    assert.deepStrictEqual([first.status, yield* first.text, first.headers["x-a"]], [201, "got", "1"])
    const second = yield* HttpClient.get("http://h/b")
    assert.deepStrictEqual([second.status, yield* second.text], [200, ""])
    const refused = yield* Effect.flip(HttpClient.get("http://h/c"))
    assert.strictEqual(refused.reason._tag, "TransportError")
    assert.nestedPropertyVal(refused.reason.cause, "cause.code", "ENOTFOUND")
    const exhausted = yield* Effect.flip(HttpClient.get("http://h/d"))
    assert.nestedPropertyVal(exhausted.reason.cause, "cause.code", "ECONNREFUSED")
    const all = yield* exchanges
    assert.deepStrictEqual(all.map(({ body, method, url }) => [method, url, body]), [
      ["POST", "http://h/a?k=1", "sent"],
      ["GET", "http://h/b", ""],
      ["GET", "http://h/c", ""],
      ["GET", "http://h/d", ""]
    ])
    assert.deepStrictEqual(all[0]?.outcome, { _tag: "Answered", status: 201, body: "got" })
    assert.strictEqual(all[2]?.outcome._tag, "Failed")
  }).pipe(Effect.provide(Transport.layerScripted([
    { status: 201, headers: { "x-a": "1" }, body: "got" },
    {},
    { failure: "ENOTFOUND" }
  ]))))

it.effect("layerScripted delays an answer, or never answers", () =>
  Effect.gen(function*() {
    const slow = yield* Effect.forkChild(HttpClient.get("http://h/"), { startImmediately: true })
    const failing = yield* Effect.forkChild(Effect.flip(HttpClient.get("http://h/")), { startImmediately: true })
    const never = yield* Effect.forkChild(HttpClient.get("http://h/"), { startImmediately: true })
    yield* TestClock.adjust("9 seconds")
    assert.isUndefined(slow.pollUnsafe())
    assert.deepStrictEqual((yield* exchanges).map(({ outcome }) => outcome._tag), ["Pending", "Pending", "Pending"])
    yield* TestClock.adjust("1 second")
    assert.strictEqual((yield* Fiber.join(slow)).status, 200)
    yield* Fiber.join(failing)
    yield* TestClock.adjust("1 day")
    assert.isUndefined(never.pollUnsafe())
    yield* Fiber.interrupt(never)
    assert.deepStrictEqual((yield* exchanges).map(({ outcome }) => outcome._tag), ["Answered", "Failed", "Pending"])
  }).pipe(Effect.provide(Transport.layerScripted([
    { delay: "10 seconds" },
    { failure: "ETIMEDOUT", delay: "10 seconds" },
    { never: true }
  ]))))

it.effect("layerRecording records each exchange, and passes the answer on unchanged", () =>
  Effect.gen(function*() {
    const response = yield* HttpClient.get("http://h/time/0")
    assert.deepStrictEqual([response.status, yield* response.text], [200, "[17000000000000000]"])
    const notFound = yield* HttpClient.get("http://h/none")
    assert.strictEqual(notFound.status, 404)
    assert.match(notFound.headers["content-type"] ?? "", /javascript/)
    yield* Effect.flip(HttpClient.get("http://h/time/0"))
    const all = yield* exchanges
    assert.deepStrictEqual(all.map(({ outcome }) => outcome._tag), ["Answered", "Answered", "Failed"])
    assert.deepStrictEqual(all[0], {
      method: "GET",
      url: "http://h/time/0",
      headers: all[0]?.headers ?? {},
      body: "",
      outcome: { _tag: "Answered", status: 200, body: "[17000000000000000]" }
    })
  }).pipe(Effect.provide(Transport.layerRecording.pipe(
    Layer.provide(Faults.layer({ script: [{ fault: Faults.Fault.ConnectionRefused(), skip: 2 }] })),
    Layer.provide(PubNubEmulator.layer())
  ))))
