/** The emulators take, keep and deliver what is nested thousands of levels deep, as the services do. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
import * as json from "../../src/testing/server/json.ts"
import { lists, objects } from "../kit/nested.ts"
import { enc, get, handshake, history, poll, post, presence, subscribe } from "./http.ts"

const emulated = Effect.provide(PubNubEmulator.layer())

describe("json.write", () => {
  it("writes what JSON.stringify writes, also beside 16,000 levels", () => {
    const values: ReadonlyArray<unknown> = [
      null,
      undefined,
      1.5,
      "a\"\ud800",
      [],
      {},
      [undefined, () => 1, Number.NaN, [1, { a: [2] }]],
      { a: undefined, b: new Date(0), c: [{}], "\"": "\n" }
    ]
    for (const value of values) {
      const deep = (text: string) => json.write({ value, deep: JSON.parse(text) })
      assert.strictEqual(json.write(value), JSON.stringify(value) ?? "null")
      assert.strictEqual(deep(lists(16_000)), deep("[]").replace("\"deep\":[]", `"deep":${lists(16_000)}`))
    }
  })

  it("throws for a cycle and for an endless toJSON", () => {
    const cycle: { self?: unknown } = {}
    cycle.self = cycle
    assert.throws(() => json.write(cycle), TypeError)
    const endless: { readonly toJSON: () => unknown } = { toJSON: () => [endless] }
    assert.throws(() => json.write(endless), RangeError)
  })
})

it.effect("delivers and stores a deep message of an HTTP publish as it was sent", () =>
  Effect.gen(function*() {
    const message = lists(5_200)
    const meta = `{"a":${objects(20)}}`
    const cursor = yield* handshake("a")
    yield* get(`/publish/demo-pub/demo-sub/0/a/0/${enc(message)}?uuid=me&meta=${enc(meta)}`)
    yield* post(`/publish/demo-pub/demo-sub/0/a/0?uuid=me&meta=${enc(meta)}`, message)
    const page = (yield* subscribe("a", { tt: cursor })).text
    assert.strictEqual(page.split(`"u":${meta},"d":${message}`).length, 3)
    const stored = (yield* history("a", { include_meta: "true" })).text
    assert.strictEqual(stored.split(`"message":${message}`).length, 3)
  }).pipe(emulated))

it.effect("delivers, stores and filters a deep message of the emulator's own publish", () =>
  Effect.gen(function*() {
    const service = yield* PubNubEmulator.PubNubEmulator
    const deep = { a: 1, deep: JSON.parse(lists(16_000)) as unknown }
    const cursor = yield* handshake("a", { "filter-expr": "data.a == 1 && meta.a == 1" })
    yield* service.publish({ channel: "a", message: deep, meta: deep })
    yield* service.signal({ channel: "a", message: deep })
    const page = yield* poll("a", cursor, { "filter-expr": "data.a == 1 && meta.a == 1" })
    assert.strictEqual(json.write(page.payloads), `[{"a":1,"deep":${lists(16_000)}}]`)
    assert.strictEqual(json.write((yield* service.messages({ channel: "a" }))[0]?.payload), json.write(deep))
  }).pipe(emulated))

it.effect("stores, answers and delivers a deep presence state", () =>
  Effect.gen(function*() {
    const state = `{"deep":${lists(5_000)}}`
    const cursor = yield* handshake("a-pnpres")
    yield* handshake("a", { uuid: "bob", state: `{"a":${state}}` })
    assert.include((yield* presence("/channel/a/uuid/bob")).text, `"payload":${state}`)
    assert.include((yield* presence("/channel/a", { state: 1 })).text, `"state":${state}`)
    const set = yield* presence("/channel/a/uuid/bob/data", { state: state.replace("deep", "d") })
    assert.include(set.text, `"payload":${state.replace("deep", "d")}`)
    const { text } = yield* subscribe("a-pnpres", { tt: cursor })
    assert.include(text, `"data":${state}`)
    assert.include(text, `"data":${state.replace("deep", "d")}`)
  }).pipe(Effect.provide(PubNubEmulator.layer())))

it.effect("refuses a filter that is nested too deep", () =>
  Effect.gen(function*() {
    const nested = (levels: number) => `${"(".repeat(levels)}meta.x == 1${")".repeat(levels)}`
    assert.strictEqual((yield* subscribe("a", { "filter-expr": nested(500) })).status, 200)
    assert.strictEqual((yield* subscribe("a", { "filter-expr": `${nested(300)} && ${nested(300)}` })).status, 200)
    for (const expression of [nested(501), nested(5_000), `${"!".repeat(10_000)}true`, `${"-".repeat(10_000)}1 == 1`]) {
      assert.strictEqual((yield* subscribe("a", { "filter-expr": expression })).status, 400)
    }
    const users = (filter: string) => get(`/v2/objects/demo-sub/uuids?uuid=me&filter=${enc(filter)}`)
    const id = (levels: number) => `${"(".repeat(levels)}id == 'x'${")".repeat(levels)}`
    assert.strictEqual((yield* users(id(400))).status, 200)
    for (const filter of [id(5_000), `${"!".repeat(10_000)}id == 'x'`]) {
      assert.strictEqual((yield* users(filter)).status, 400)
    }
  }).pipe(emulated))

it.effect("matches LIKE with many stars within the time of a poll", () =>
  Effect.gen(function*() {
    const service = yield* PubNubEmulator.PubNubEmulator
    const cursor = yield* handshake("a")
    yield* service.publish({ channel: "a", message: { text: "a".repeat(3_000) } })
    const matches = (pattern: string) =>
      Effect.map(
        Effect.timeoutOption(poll("a", cursor, { "filter-expr": `data.text LIKE '${pattern}'` }), "1 second"),
        (page) => page._tag === "Some" && page.value.payloads.length > 0
      )
    const check = (pattern: string, expected: boolean) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(matches(pattern))
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(yield* Fiber.join(fiber), expected, pattern.slice(0, 20))
      })
    yield* check(`${"*a".repeat(1_000)}b`, false)
    yield* check(`${"*a".repeat(1_000)}*`, true)
    yield* check("a*a*", true)
    yield* check(`${"a".repeat(1_501)}*${"a".repeat(1_500)}`, false)
    yield* check(`${"a".repeat(1_500)}*${"a".repeat(1_500)}`, true)
  }).pipe(emulated))

it.effect("stores deep entity data in the Symphony emulator", () =>
  Effect.gen(function*() {
    const service = yield* SymphonyEmulator.SymphonyEmulator
    const streamId = yield* service.createStream({ type: "ROOM", name: "r", members: ["ada"] })
    const sent = yield* service.send({
      streamId,
      username: "ada",
      message: "hello",
      data: { deep: { type: "t", value: JSON.parse(lists(16_000)) as unknown } }
    })
    const stored = yield* service.messages({ streamId })
    assert.strictEqual(stored.length, 1)
    assert.include(json.write(stored), json.write(lists(16_000)).slice(1, -1), sent)
  }).pipe(Effect.provide(SymphonyEmulator.layer({ users: [{ username: "ada" }] }))))
