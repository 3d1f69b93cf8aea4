import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { ChannelGroups, Presence, PubNubConfig, UserId } from "effect-herald/pubnub"
import { PubNubEmulator, Transport } from "effect-herald/testing"
import { emulated, queryOf, requestsTo } from "../emulated.ts"

/** The user is there from now on, with a state if there is one. */
const come = (user: string, channel: string, state?: object) =>
  PubNubEmulator.PubNubEmulator.use((emulator) =>
    emulator.handle({
      method: "GET",
      target: `/v2/presence/sub-key/demo-sub/channel/${channel}/heartbeat?uuid=${user}` +
        (state === undefined ? "" : `&state=${encodeURIComponent(JSON.stringify({ [channel]: state }))}`),
      headers: {},
      body: ""
    })
  )

const plain = (here: Presence.HereNow): object => ({ ...here, channels: Object.fromEntries(here.channels) })

describe("hereNow", () => {
  const people = Effect.gen(function*() {
    yield* come("ada", "a", { mood: "ok" })
    yield* come("bob", "a")
    yield* come("ada", "b")
  })

  it.effect("of one channel, with and without users and states", () =>
    Effect.gen(function*() {
      yield* people
      const of = (users: ReadonlyArray<object>) => ({
        totalOccupancy: 2,
        totalChannels: 1,
        channels: { a: { occupancy: 2, users } }
      })
      const channels = ["a"]
      assert.deepStrictEqual(plain(yield* Presence.hereNow({ channels })), of([{ user: "ada" }, { user: "bob" }]))
      assert.deepStrictEqual(
        plain(yield* Presence.hereNow({ channels, includeState: true })),
        of([{ user: "ada", state: { mood: "ok" } }, { user: "bob" }])
      )
      assert.deepStrictEqual(plain(yield* Presence.hereNow({ channels, includeUsers: false })), of([]))
      assert.deepStrictEqual(
        plain(yield* Presence.hereNow({ channels, limit: 1, offset: 1 })),
        of([{ user: "bob" }])
      )
    }).pipe(Effect.provide(emulated())))

  it.effect("of many channels and of groups, with those where nobody is", () =>
    Effect.gen(function*() {
      yield* people
      yield* ChannelGroups.add({ group: "g", channels: ["b", "empty"] })
      const a = { occupancy: 2, users: [{ user: "ada" }, { user: "bob" }] }
      const b = { occupancy: 1, users: [{ user: "ada" }] }
      const nobody = { occupancy: 0, users: [] }
      const here = (options: Presence.HereNowOptions) => Effect.map(Presence.hereNow(options), plain)
      assert.deepStrictEqual(yield* here({ channels: ["a", "b", "c", "a"] }), {
        totalOccupancy: 3,
        totalChannels: 2,
        channels: { a, b, c: nobody }
      })
      assert.deepStrictEqual(yield* here({ channels: ["a"], groups: ["g"] }), {
        totalOccupancy: 3,
        totalChannels: 2,
        channels: { a, b }
      })
      assert.deepStrictEqual(yield* here({ groups: ["g"] }), { totalOccupancy: 1, totalChannels: 1, channels: { b } })
      assert.deepStrictEqual(yield* here({ channels: ["c"] }), {
        totalOccupancy: 0,
        totalChannels: 0,
        channels: { c: nobody }
      })
    }).pipe(Effect.provide(emulated())))

  it.effect("of the whole keyset; nothing is sent that was not asked for", () =>
    Effect.gen(function*() {
      yield* people
      const { channels, totalOccupancy } = yield* Presence.hereNow()
      assert.deepStrictEqual([[...channels.keys()], totalOccupancy], [["a", "b"], 3])
      const request = (yield* requestsTo("/v2/presence/sub-key/demo-sub?")).at(-1)
      assert.deepStrictEqual([...queryOf(request!).keys()], ["uuid", "pnsdk"])
    }).pipe(Effect.provide(emulated())))
})

describe("users", () => {
  const crowd = Effect.forEach(Array.from({ length: 25 }, (_, index) => `u${index}`), (user) => come(user, "a"))
  const asked = Effect.map(requestsTo("/v2/presence/sub-key/demo-sub/channel/a?"), (requests) => requests.length)

  it.effect("are read page by page, and no further than their reader wants", () =>
    Effect.gen(function*() {
      yield* crowd
      const users = Presence.users({ channel: "a", pageSize: 10 })
      assert.lengthOf(yield* Stream.runCollect(users), 25)
      assert.strictEqual(yield* asked, 3)
      const first = yield* Stream.runCollect(Stream.take(users, 10))
      assert.deepStrictEqual([first[0], first.length], [{ user: UserId.UserId.make("u0") }, 10])
      assert.strictEqual(yield* asked, 4)
      assert.lengthOf(yield* Stream.runCollect(Presence.users({ channel: "a", pageSize: 25 })), 25)
      assert.strictEqual(yield* asked, 5)
    }).pipe(Effect.provide(emulated())))

  it.effect("of a channel where nobody is are none, and a page of 0 is refused", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Stream.runCollect(Presence.users({ channel: "nowhere" })), [])
      const { reason } = yield* Effect.flip(Stream.runDrain(Presence.users({ channel: "a", pageSize: 0 })))
      assert.include(reason.message, "pageSize is 0")
    }).pipe(Effect.provide(emulated())))
})

it.effect("whereNow is of the configured user, or of another", () =>
  Effect.gen(function*() {
    yield* come("ada", "a")
    yield* come("b%2Fob", "b")
    assert.deepStrictEqual(yield* Presence.whereNow(), ["a"])
    assert.deepStrictEqual(yield* Presence.whereNow({ user: "b/ob" }), ["b"])
    assert.deepStrictEqual(yield* Presence.whereNow({ user: "nobody" }), [])
  }).pipe(Effect.provide(emulated())))

describe("state", () => {
  it.effect("is set and read on channels and groups", () =>
    Effect.gen(function*() {
      yield* ChannelGroups.add({ group: "g", channels: ["b", "c"] })
      const state = { mood: "it's ok ☃", channels: { deep: [1, null] }, big: 1234567890.5 }
      assert.deepStrictEqual(yield* Presence.setState({ channels: ["a"], groups: ["g"], state }), state)
      assert.deepStrictEqual([...yield* Presence.getState({ channels: ["a"] })], [["a", state]])
      assert.deepStrictEqual([...(yield* Presence.getState({ channels: ["a", "d"], groups: ["g"] })).keys()], [
        "a",
        "b",
        "c"
      ])
      yield* Presence.setState({ channels: ["a"], state: {} })
      assert.strictEqual((yield* Presence.getState({ channels: ["a"] })).size, 0)
      yield* Presence.setState({ channels: ["a"], user: "bob", state })
      assert.deepStrictEqual((yield* Presence.getState({ channels: ["a"], user: "bob" })).get("a"), state)
    }).pipe(Effect.provide(emulated())))

  it.effect("is typed by a schema, and one that does not match is told", () =>
    Effect.gen(function*() {
      const schema = Schema.Struct({ since: Schema.DateTimeUtc })
      const state = { since: DateTime.makeUnsafe(0) }
      yield* Presence.setState({ channels: ["a"], state, schema })
      const states = yield* Presence.getState({ channels: ["a", "b"], schema })
      assert.deepStrictEqual([...states], [["a", state]])
      yield* Presence.setState({ channels: ["a"], state: { since: 5 } })
      const error = yield* Effect.flip(Presence.getState({ channels: ["a"], schema }))
      if (error._tag !== "StateMismatch") return assert.fail(error._tag)
      assert.deepInclude({ ...error }, { channel: "a", user: "ada" })
      assert.include(error.message, "since")
      assert.isFalse(error.isRetryable)
    }).pipe(Effect.provide(emulated())))
})

const config = (options: Partial<PubNubConfig.Options> = {}) =>
  PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host", ...options })

type Call = Effect.Effect<unknown, Presence.PresenceError, HttpClient.HttpClient | PubNubConfig.PubNubConfig>

describe("bad input is refused before a request is made", () => {
  const state: { readonly [key: string]: unknown } = { ok: true }
  const list: object = []
  const cases: ReadonlyArray<readonly [string, Call, ReadonlyArray<string | undefined>]> = [
    ["lists without names", Presence.hereNow({ channels: [], groups: [] }), ["channels"]],
    ["a comma", Presence.hereNow({ channels: ["a,b"] }), ["channels"]],
    ["a wildcard", Presence.hereNow({ channels: ["a.*"] }), ["channels"]],
    ["a presence name", Presence.hereNow({ groups: ["g-pnpres"] }), ["groups"]],
    ["a limit of 0", Presence.hereNow({ limit: 0 }), ["limit"]],
    ["a limit of 1001", Presence.hereNow({ limit: 1001 }), ["limit"]],
    ["half an offset, and no number", Presence.hereNow({ offset: 0.5, limit: NaN }), ["limit", "offset"]],
    ["states of nobody", Presence.hereNow({ includeState: true, includeUsers: false }), ["includeState"]],
    ["a blank user", Presence.whereNow({ user: " " }), ["user"]],
    ["a dot segment", Presence.whereNow({ user: ".." }), ["user"]],
    ["state of nowhere", Presence.getState({}), ["channels"]],
    ["state to nowhere", Presence.setState({ state }), ["channels"]],
    ["a state that is a list", Presence.setState({ channels: ["a"], state: { ...state, toJSON: () => list } }), [
      "state"
    ]],
    ["a state that JSON loses", Presence.setState({ channels: ["a"], state: { at: NaN } }), ["state"]],
    [
      "a state that its schema refuses",
      Presence.setState({ channels: ["a"], state: { n: 0.5 }, schema: Schema.Struct({ n: Schema.Int }) }),
      ["state"]
    ],
    [
      "1,000 channels of 60 characters",
      Presence.hereNow({ channels: Array.from({ length: 1000 }, (_, index) => String(index).padStart(60, "x")) }),
      [undefined]
    ]
  ]
  it.effect.each(cases)("%s", ([, call, locations]) =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip(
        Effect.provide(call, Layer.merge(Transport.scripted([]), config()))
      )
      if (reason._tag !== "BadRequest") return assert.fail(reason._tag)
      assert.isUndefined(reason.status)
      assert.deepStrictEqual(reason.details.map((detail) => detail.location), locations)
    }))

  it.effect("a missing key", () =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip(Presence.hereNow())
      assert.deepInclude({ ...reason }, { _tag: "InvalidKey", key: "subscribe" } as object)
    }).pipe(Effect.provide(Layer.merge(Transport.scripted([]), config({ subscribeKey: "" })))))
})

describe("failures", () => {
  it.effect("no add-on, and no permission, are named", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.deny({ channels: ["a"] })
      const denied = yield* Effect.flip(Presence.hereNow({ channels: ["a", "b"] }))
      assert.deepInclude({ ...denied.reason }, { _tag: "AccessDenied", channels: ["a"] } as object)
      yield* emulator.setAddOns({ presence: false })
      const disabled = yield* Effect.flip(Presence.whereNow())
      assert.strictEqual(disabled.reason._tag, "FeatureDisabled")
    }).pipe(Effect.provide(emulated())))

  it.effect.each(
    [
      [{ body: "{\"status\":400,\"error\":1,\"message\":\"No\",\"service\":\"Presence\"}", status: 400 }, "BadRequest"],
      [{ body: "{\"status\":429,\"error\":1,\"message\":\"no\"}", status: 429 }, "RateLimited"],
      [{ body: "{\"status\":503,\"error\":1,\"message\":\"no\"}", status: 503 }, "ServerFailure"],
      [{ body: "<html>" }, "Malformed"],
      [{ body: "{\"status\":200,\"uuids\":[\"u\"]}" }, "Malformed"],
      [{ body: "{\"status\":200,\"occupancy\":1,\"uuids\":[\" \"]}" }, "Malformed"],
      [{ failure: "ECONNRESET" }, "Transport"]
    ] as const
  )("%j is %s", ([answer, tag]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Presence.hereNow({ channels: ["a"] }))
      assert.strictEqual(error.reason._tag, tag)
      assert.strictEqual(error.operation, "hereNow")
      assert.deepStrictEqual(error.request, {
        method: "GET",
        path: "/v2/presence/sub-key/{subscribeKey}/channel/a"
      })
    }).pipe(Effect.provide(Layer.merge(Transport.scripted([answer]), config()))))

  it.effect("no answer is a Timeout", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.flip(Presence.hereNow()))
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "Timeout")
    }).pipe(Effect.provide(Layer.merge(Transport.scripted([{ never: true }]), config()))))
})
