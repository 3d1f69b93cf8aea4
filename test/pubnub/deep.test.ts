/** What others send may be nested thousands of levels deep. No reader ends of it, and none misses anything. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { History, Presence, Subscribe, type SubscribeEvent, Subscriber } from "effect-herald/pubnub"
import { PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as Live from "effect-herald/Live"
import * as Json from "../../src/internal/json.ts"
import { emulated } from "../kit/emulated.ts"
import { hostile, lists, objects } from "../kit/nested.ts"
import { collect } from "../kit/collect.ts"
import { numbers } from "../kit/numbers.ts"

const emulator = PubNubEmulator.PubNubEmulator

const parse = (text: string): unknown => JSON.parse(text)

const payloads = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  events.flatMap((event) => event._tag === "Message" ? [Json.text(event.payload)] : [])

const world = Layer.provideMerge(Subscriber.layer(), emulated())

/** What a publisher sends: the deep one, and 160 small ones. */
const sent = (deep: string, place: number) => numbers(160).map(String).toSpliced(place, 0, deep)

const publishAll = (texts: ReadonlyArray<string>) =>
  emulator.use((service) => service.publishAll(texts.map((text) => ({ channel: "a", message: parse(text) }))))

/**
 * At once, they are more than the service keeps: what is missing is read from history. If the deep one came before, history
 * brings it again.
 */
const publishings = [
  ["a second before 160 others", 0, (texts: ReadonlyArray<string>) =>
    Effect.andThen(
      publishAll(texts.slice(0, 1)),
      Effect.andThen(VirtualTime.advance("1 second"), publishAll(texts.slice(1)))
    )],
  ["at the old end of 161", 0, publishAll],
  ["at the new end of 161", 160, publishAll]
] as const

describe.each(hostile)("a message of %s", (_, deep) => {
  it.effect.each(publishings)("%s reaches a reader once", ([, place, publish]) =>
    Effect.gen(function*() {
      const { fiber, seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 second")
      yield* publish(sent(deep, place))
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(payloads(seen), sent(deep, place))
      assert.deepStrictEqual(seen.flatMap(({ _tag }) => _tag === "Message" ? [] : [_tag]), ["Connected"])
      assert.isUndefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(world)))

  it.effect.each(publishings)(
    "%s reaches each reader of a Subscriber once",
    ([, place, publish]) =>
      Effect.gen(function*() {
        yield* emulator.use((service) => service.addToGroup({ group: "g", channels: ["a"] }))
        const readers = yield* Effect.all([
          collect(Subscribe.stream({ channels: ["a"] })),
          // Three names for one channel: what comes by all of them is compared.
          collect(Subscribe.stream({ channels: ["a", "a.*"], groups: ["g"], strategy: "sliding" })),
          collect(Subscribe.stream({ channels: ["b"] }))
        ])
        yield* VirtualTime.advance("1 second")
        yield* publish(sent(deep, place))
        yield* VirtualTime.advance("30 seconds")
        yield* emulator.use((service) => service.publish({ channel: "b", message: "b" }))
        yield* VirtualTime.advance("5 seconds")
        for (const { seen } of readers.slice(0, 2)) assert.deepStrictEqual(payloads(seen), sent(deep, place))
        assert.deepStrictEqual(payloads(readers[2].seen), ["\"b\""])
        for (const { fiber } of readers) assert.isUndefined(fiber.pollUnsafe())
      }).pipe(Effect.provide(world))
  )

  it.effect("is read from history by page and by stream, and reaches a slow reader", () =>
    Effect.gen(function*() {
      const slow = yield* Effect.forkChild(
        Subscribe.stream({ channels: ["a"], capacity: 5 }).pipe(
          Stream.filter((event) => event._tag === "Message"),
          Stream.mapEffect((event) => Effect.delay(Effect.succeed(Json.text(event.payload)), "50 millis")),
          Stream.take(161),
          Stream.runCollect
        )
      )
      yield* VirtualTime.advance("1 second")
      yield* publishAll(sent(deep, 20))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* Fiber.join(slow), sent(deep, 20))
      const text = (entry: History.Stored) => entry._tag === "StoredMessage" ? Json.text(entry.payload) : entry._tag
      const { items: entries } = yield* History.list({ channel: "a", limit: 100 })
      assert.deepStrictEqual(entries.map(text), sent(deep, 20).slice(-100))
      const all = yield* Stream.runCollect(History.stream({ channel: "a", order: "oldestFirst" }))
      assert.deepStrictEqual(all.map(text), sent(deep, 20))
    }).pipe(Effect.provide(world)))
})

it.effect("deep values in events of every kind reach every reader, as they are or as Undecodable", () =>
  Effect.gen(function*() {
    const deep = parse(lists(8_000))
    const readers = yield* Effect.all([
      collect(Subscribe.stream({ channels: ["a"], presence: true })),
      collect(Subscribe.stream({ channels: ["a", "a.*"], presence: true }))
    ])
    yield* VirtualTime.advance("1 second")
    const service = yield* emulator
    const send = Effect.gen(function*() {
      yield* service.publish({ channel: "a", message: 1, meta: { deep } })
      yield* service.signal({ channel: "a", message: deep })
      yield* service.emit({
        channel: "a",
        kind: "MessageAction",
        payload: { event: "added", data: { type: "t", value: deep } }
      })
      yield* service.emit({
        channel: "a",
        kind: "AppContext",
        payload: { event: "set", type: "uuid", data: { id: "ada", custom: { deep }, eTag: "x" } }
      })
      yield* service.emit({ channel: "a", kind: "File", payload: { file: { id: "f", name: "n" }, message: deep } })
      yield* service.emit({ channel: "a", kind: "File", payload: { file: deep } })
      yield* service.emit({ channel: "a", kind: 99, payload: deep })
      yield* service.emitRaw({ channel: "a", envelope: deep })
      yield* service.emitRaw({ channel: "a", envelope: { c: "a", d: 1, p: { t: deep } } })
      yield* service.emit({
        channel: "a-pnpres",
        kind: "Message",
        payload: { action: "state-change", uuid: "bob", timestamp: 1, occupancy: 1, data: { deep } }
      })
      yield* service.emit({
        channel: "a-pnpres",
        kind: "Message",
        payload: { action: "join", uuid: deep, timestamp: 1, occupancy: 1 }
      })
      yield* service.publish({ channel: "a", message: "last" })
    })
    yield* send
    yield* VirtualTime.advance("10 seconds")
    const tags = [
      "Message",
      "Signal",
      "Undecodable",
      "UserSet",
      "FileShared",
      "Undecodable",
      "Unknown",
      "Undecodable",
      "Undecodable",
      "StateChanged",
      "Undecodable",
      "Message"
    ]
    for (const { fiber, seen } of readers) {
      const events = seen.filter((event) => !["Connected", "Joined"].includes(event._tag))
      assert.deepStrictEqual(events.map(({ _tag }) => _tag), tags)
      const [message, signal, action, user, file, , unknown, raw] = events
      assert.strictEqual(Json.text(message?._tag === "Message" && message.meta), `{"deep":${lists(8_000)}}`)
      assert.strictEqual(Json.text(signal?._tag === "Signal" && signal.payload), lists(8_000))
      assert.include(Json.text(action?._tag === "Undecodable" && action.raw), lists(8_000))
      assert.include(Json.text(user?._tag === "UserSet" && user.change), lists(8_000))
      assert.strictEqual(Json.text(file?._tag === "FileShared" && file.payload), lists(8_000))
      assert.strictEqual(Json.text(unknown?._tag === "Unknown" && unknown.payload), lists(8_000))
      assert.strictEqual(Json.text(raw?._tag === "Undecodable" && raw.raw), lists(8_000))
      assert.isUndefined(fiber.pollUnsafe())
    }
  }).pipe(Effect.provide(world)))

it.effect("delivers a deep message once that comes twice with one id, and one that differs at its end", () =>
  Effect.gen(function*() {
    const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
    yield* VirtualTime.advance("1 second")
    const send = (text: string) =>
      emulator.use((service) =>
        service.emitRaw({ channel: "a", envelope: { c: "a", d: parse(text), p: { t: "17900000009999999" } } })
      )
    yield* Effect.forEach([objects(5_000), objects(5_000), objects(5_000).replace("1", "2")], send)
    yield* VirtualTime.advance("5 seconds")
    assert.deepStrictEqual(payloads(seen), [objects(5_000), objects(5_000).replace("1", "2")])
  }).pipe(Effect.provide(world)))

it.effect("suspects a gap in a channel whose name no address can hold, and reads history of the others", () =>
  Effect.gen(function*() {
    yield* emulator.use((service) => service.addToGroup({ group: "g", channels: ["a", "b\ud800"] }))
    const group = yield* collect(Subscribe.stream({ groups: ["g"] }))
    const readers = yield* Effect.all([
      collect(Subscribe.stream({ channels: ["a", "x.*"] })),
      collect(Subscribe.stream({ channels: ["a", "x.*"], capacity: 10 }))
    ])
    yield* VirtualTime.advance("1 second")
    const odd = { c: "x.\ud800", b: "x.*", d: "odd", p: { t: "17900000015000000" } }
    yield* emulator.use((service) => service.emitRaw({ channel: "x.y", envelope: odd }))
    yield* VirtualTime.advance("1 second")
    yield* publishAll(numbers(160).map(String))
    yield* emulator.use((service) => service.emitRaw({ channel: "x.y", envelope: { ...odd, d: "odd again" } }))
    yield* VirtualTime.advance("30 seconds")
    for (const { fiber, seen } of readers) {
      assert.isUndefined(fiber.pollUnsafe())
      const told = payloads(seen)
      assert.deepStrictEqual(told.filter((text) => !text.includes("odd")), numbers(160).map(String))
      assert.include(told, "\"odd\"")
    }
    assert.deepStrictEqual(payloads(group.seen), numbers(160).map(String))
    assert.isTrue(group.seen.some((event) => event._tag === "GapSuspected"))
  }).pipe(Effect.provide(world)))

it.effect("a presence event with an impossible timestamp is Undecodable, and the reader continues", () =>
  Effect.gen(function*() {
    const { fiber, seen } = yield* collect(Subscribe.stream({ channels: ["a-pnpres"] }))
    yield* VirtualTime.advance("1 second")
    const event = { action: "join", uuid: "bob", occupancy: 1 }
    const emit = (payload: object) =>
      emulator.use((service) => service.emit({ channel: "a-pnpres", kind: "Message", payload }))
    yield* emit({ ...event, timestamp: 1e20 })
    yield* emit({ ...event, timestamp: 1, precise_timestamp: 1e300 })
    yield* emit({ ...event, timestamp: 1_790_000_000 })
    yield* VirtualTime.advance("5 seconds")
    assert.deepStrictEqual(seen.map(({ _tag }) => _tag), ["Connected", "Undecodable", "Undecodable", "Joined"])
    assert.isUndefined(fiber.pollUnsafe())
  }).pipe(Effect.provide(world)))

it.effect("a deep state is set, read, and delivered by the live occupancy and by hereNow", () =>
  Effect.gen(function*() {
    const state = { deep: parse(lists(5_000)) }
    const text = `{"deep":${lists(5_000)}}`
    const changes = yield* collect(
      Stream.unwrap(Effect.map(Presence.live({ channel: "a", include: ["state"] }), Live.values))
    )
    yield* VirtualTime.advance("1 second")
    yield* collect(Subscribe.stream({ channels: ["a"], state: { a: state } }))
    yield* VirtualTime.advance("1 second")
    const stateOf = (users: Iterable<Presence.Occupant>) => [...users].map(({ state }) => Json.text(state))
    assert.deepStrictEqual(stateOf(changes.seen.at(-1)?.users.values() ?? []), [text])
    const before = changes.seen.length
    // The same again is no change.
    assert.strictEqual(Json.text(yield* Presence.setState({ channels: ["a"], state })), text)
    yield* VirtualTime.advance("1 second")
    assert.strictEqual(changes.seen.length, before)
    const other = { deep: parse(lists(5_001)) }
    yield* Presence.setState({ channels: ["a"], state: other })
    yield* VirtualTime.advance("1 second")
    assert.deepStrictEqual(stateOf(changes.seen.at(-1)?.users.values() ?? []), [Json.text(other)])
    assert.isUndefined(changes.fiber.pollUnsafe())
    const read = yield* Presence.getState({ channels: ["a"] })
    assert.strictEqual(Json.text(read.get("a")), Json.text(other))
    const here = yield* Presence.hereNow({ channels: ["a"], include: ["users", "state"] })
    assert.deepStrictEqual(stateOf(here.channels.get("a")?.users.values() ?? []), [Json.text(other)])
  }).pipe(Effect.provide(emulated({ config: { maxUrlSize: 32_768 } }))))
