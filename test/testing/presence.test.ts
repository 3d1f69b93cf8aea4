/** Presence as time passes: who is silent times out, and channels with many users tell of them at intervals. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as TestClock from "effect/testing/TestClock"
import { PubNubEmulator } from "effect-herald/testing"
import { handshake, poll, presence } from "./http.ts"

const emulated = (options?: PubNubEmulator.Options) => Effect.provide(PubNubEmulator.layer(options))
const occupants = PubNubEmulator.PubNubEmulator.use((emulator) => emulator.occupants({ channel: "a" }))
const come = (uuid: string, parameters: Readonly<Record<string, string | number>> = {}) =>
  presence("/channel/a/heartbeat", { uuid, ...parameters })

/** What a watcher of the channel is told from a cursor on. */
const told = (cursor: string) =>
  Effect.map(poll("a-pnpres", cursor, { uuid: "watcher" }), ({ payloads }) => payloads.filter(Predicate.isObject))

it.effect("times out a user after its heartbeat interval, and removes its state", () =>
  Effect.gen(function*() {
    yield* come("ada", { heartbeat: 20, state: JSON.stringify({ a: { mood: "ok" } }) })
    yield* come("bob", { heartbeat: "none" })
    const cursor = yield* handshake("a-pnpres", { uuid: "watcher" })
    yield* TestClock.adjust("19 seconds")
    yield* come("ada", { heartbeat: 20 })
    yield* TestClock.adjust("19 seconds")
    assert.deepStrictEqual(yield* occupants, ["ada", "bob"])
    yield* TestClock.adjust("2 seconds")
    assert.deepStrictEqual(yield* occupants, ["bob"])
    assert.deepInclude((yield* presence("/channel/a/uuid/ada")).body, { payload: {} })
    const [event] = yield* told(cursor)
    // At its own moment, whenever somebody asks.
    assert.deepStrictEqual(event, {
      action: "timeout",
      uuid: "ada",
      timestamp: 1_700_000_039,
      precise_timestamp: 1_700_000_039_000,
      occupancy: 1
    })
    yield* TestClock.adjust("260 seconds")
    assert.deepStrictEqual(yield* occupants, [])
  }).pipe(emulated()))

it.effect("applies the heartbeat that a user announced to its later polls", () =>
  Effect.gen(function*() {
    yield* come("ada", { heartbeat: 20 })
    yield* handshake("a", { uuid: "ada" })
    yield* TestClock.adjust("19 seconds")
    assert.deepStrictEqual(yield* occupants, ["ada"])
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(yield* occupants, [])
  }).pipe(emulated()))

it.effect("answers a waiting poll when a timeout happens", () =>
  Effect.gen(function*() {
    const cursor = yield* handshake("a-pnpres", { uuid: "watcher" })
    yield* come("ada")
    const [joined] = (yield* poll("a-pnpres", cursor, { uuid: "watcher" })).payloads
    assert.propertyVal(joined, "action", "join")
    const next = (yield* poll("a-pnpres", cursor, { uuid: "watcher" })).cursor
    const fiber = yield* Effect.forkChild(told(next))
    yield* TestClock.adjust("4 seconds")
    assert.isUndefined(fiber.pollUnsafe())
    yield* TestClock.adjust("1 second")
    assert.propertyVal((yield* Fiber.join(fiber))[0], "action", "timeout")
  }).pipe(emulated({ limits: { presenceTimeout: "5 seconds" } })))

const names = ["u1", "u2", "u3", "u4"]

it.effect(
  "answers a waiting poll in time for a timeout and an interval that begin while it waits",
  () =>
    Effect.gen(function*() {
      yield* come("ada")
      const cursor = yield* handshake("a-pnpres", { uuid: "watcher" })
      const sooner = yield* Effect.forkChild(told(cursor))
      yield* TestClock.adjust("1 second")
      yield* come("ada", { heartbeat: 5 })
      yield* TestClock.adjust("5 seconds")
      assert.propertyVal((yield* Fiber.join(sooner))[0], "action", "timeout")
      for (const name of names.slice(0, 2)) yield* come(name)
      const { cursor: next } = yield* poll("a-pnpres", cursor, { uuid: "watcher" })
      const interval = yield* Effect.forkChild(told(next))
      yield* TestClock.adjust("1 second")
      yield* come("u3")
      yield* TestClock.adjust("10 seconds")
      assert.propertyVal((yield* Fiber.join(interval))[0], "action", "interval")
    }).pipe(emulated({ limits: { announceMax: 2 } })),
  5_000
)

it.effect("sends intervals above announceMax, with the changed users when deltas are on", () =>
  Effect.gen(function*() {
    const cursor = yield* handshake("a-pnpres", { uuid: "watcher" })
    for (const name of names) yield* come(name, name === "u4" ? { heartbeat: 5 } : {})
    yield* presence("/channel/a/leave", { uuid: "u1" })
    yield* TestClock.adjust("12 seconds")
    const moment = (seconds: number) => ({ timestamp: seconds, precise_timestamp: seconds * 1000 })
    assert.deepStrictEqual(yield* told(cursor), [
      { action: "join", uuid: "u1", ...moment(1_700_000_000), occupancy: 1 },
      { action: "join", uuid: "u2", ...moment(1_700_000_000), occupancy: 2 },
      {
        action: "interval",
        ...moment(1_700_000_010),
        occupancy: 2,
        join: ["u3"],
        leave: ["u1"],
        timeout: ["u4"]
      }
    ])
    // Few are left: each is told of again.
    yield* presence("/channel/a/leave", { uuid: "u2" })
    assert.propertyVal((yield* told(cursor)).at(-1), "action", "leave")
  }).pipe(emulated({ addOns: { presenceDeltas: true }, limits: { announceMax: 2 } })))

it.effect("sends intervals that only count, every 10 seconds, when deltas are off", () =>
  Effect.gen(function*() {
    for (const name of names) yield* come(name)
    const cursor = yield* handshake("a-pnpres", { uuid: "watcher" })
    yield* TestClock.adjust("25 seconds")
    assert.deepStrictEqual(
      (yield* told(cursor)).map(({ precise_timestamp: _, ...event }) => event),
      [1_700_000_010, 1_700_000_020].map((timestamp) => ({ action: "interval", timestamp, occupancy: 4 }))
    )
  }).pipe(emulated({ limits: { announceMax: 2 } })))

it.effect("replaces a list of users above 30 KB with here_now_refresh", () =>
  Effect.gen(function*() {
    const cursor = yield* handshake("a-pnpres", { uuid: "watcher" })
    for (let index = 0; index < 40; index++) yield* come(`${index}`.padStart(1_000, "u"))
    yield* TestClock.adjust("11 seconds")
    const last = (yield* told(cursor)).at(-1)
    assert.deepInclude(last, { action: "interval", occupancy: 40, here_now_refresh: true })
    assert.notProperty(last, "join")
  }).pipe(emulated({ addOns: { presenceDeltas: true }, limits: { announceMax: 2 } })))
