/** Presence and channel groups through the official client, as it asks the service for them. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import type PubNub from "pubnub"
import { client, type Heard, next, subscribed, theirs } from "./officialClient.ts"

const served = Effect.provide(PubNubEmulatorServer.layer())

const emulator = PubNubEmulatorServer.PubNubEmulatorServer.use(({ emulator }) => Effect.succeed(emulator))

/** A user who is on some channels for a minute, as far as the service knows. */
const come = (user: string, ...channels: ReadonlyArray<string>) =>
  Effect.flatMap(emulator, ({ handle }) =>
    handle({
      method: "GET",
      target: `/v2/presence/sub-key/demo-sub/channel/${channels.join(",")}/heartbeat?uuid=${user}&heartbeat=60`,
      headers: {},
      body: ""
    }))

const users = (response: PubNub.Presence.HereNowResponse, channel: string) =>
  response.channels[channel]?.occupants.map(({ uuid }) => uuid)

const action = (action: string, uuid: string) => (event: Heard) =>
  event.kind === "presence" && event["action"] === action && event["uuid"] === uuid

it.live("the official client reads here-now of one channel, several, groups and all", () =>
  Effect.gen(function*() {
    const { addToGroup } = yield* emulator
    yield* come("ada", "a", "b")
    yield* come("bob", "b", "g1")
    yield* addToGroup({ group: "g", channels: ["g1", "g2"] })
    const watcher = yield* client("watcher")
    const hereNow = (options: PubNub.Presence.HereNowParameters) => theirs(() => watcher.hereNow(options))

    const one = yield* hereNow({ channels: ["a"] })
    assert.deepStrictEqual([one.totalChannels, one.totalOccupancy, users(one, "a")], [1, 1, ["ada"]])
    const empty = yield* hereNow({ channels: ["none"] })
    assert.deepStrictEqual([empty.totalOccupancy, users(empty, "none")], [0, []])
    const several = yield* hereNow({ channels: ["a", "b", "none"] })
    assert.deepStrictEqual([several.totalChannels, several.totalOccupancy], [2, 3])
    assert.deepStrictEqual(users(several, "b"), ["ada", "bob"])
    const group = yield* hereNow({ channelGroups: ["g"] })
    assert.deepStrictEqual([Object.keys(group.channels), users(group, "g1")], [["g1"], ["bob"]])
    const both = yield* hereNow({ channels: ["a"], channelGroups: ["g"] })
    assert.sameMembers(Object.keys(both.channels), ["a", "g1"])
    const everywhere = yield* hereNow({})
    assert.deepStrictEqual([everywhere.totalChannels, everywhere.totalOccupancy], [3, 4])
    assert.sameMembers(Object.keys(everywhere.channels), ["a", "b", "g1"])
  }).pipe(Effect.scoped, served))

it.live("the official client reads here-now with states, with counts only, and by pages", () =>
  Effect.gen(function*() {
    const names = Array.from({ length: 25 }, (_, index) => `user-${index}`)
    yield* Effect.forEach(names, (name) => come(name, "a", "b"), { discard: true })
    const watcher = yield* client("watcher")
    const hereNow = (options: PubNub.Presence.HereNowParameters) => theirs(() => watcher.hereNow(options))

    const ada = yield* client("ada")
    yield* subscribed(ada, { channels: ["c"] })
    yield* theirs(() => ada.setState({ channels: ["c"], state: { mood: "ok" } }))
    const withState = yield* hereNow({ channels: ["c"], includeState: true })
    assert.deepStrictEqual(withState.channels["c"]?.occupants, [{ uuid: "ada", state: { mood: "ok" } }])

    const everywhere = yield* hereNow({ includeState: true })
    assert.deepStrictEqual(everywhere.channels["c"]?.occupants, [{ uuid: "ada", state: { mood: "ok" } }])

    const alone = yield* hereNow({ channels: ["a"], includeUUIDs: false })
    assert.deepStrictEqual([alone.totalOccupancy, users(alone, "a")], [25, []])
    const each = yield* hereNow({ channels: ["a", "b"], includeUUIDs: false })
    assert.deepStrictEqual([each.channels["b"]?.occupancy, users(each, "b")], [25, []])

    const pages: Array<ReadonlyArray<string> | undefined> = []
    for (let offset = 0; offset < 30; offset += 10) {
      const page = yield* hereNow({ channels: ["a"], limit: 10, offset })
      assert.strictEqual(page.channels["a"]?.occupancy, 25)
      pages.push(users(page, "a"))
    }
    assert.deepStrictEqual(pages.map((page) => page?.length), [10, 10, 5])
    assert.deepStrictEqual(pages.flat(), names)
    const several = yield* hereNow({ channels: ["a", "b"], limit: 10, offset: 20 })
    assert.deepStrictEqual([users(several, "a"), users(several, "b")], [names.slice(20), names.slice(20)])
  }).pipe(Effect.scoped, served))

it.live("the official client reads where-now of another user, itself and an absent user", () =>
  Effect.gen(function*() {
    yield* come("ada", "a", "b")
    const bob = yield* client("bob")
    yield* subscribed(bob, { channels: ["c"] })
    assert.deepStrictEqual((yield* theirs(() => bob.whereNow({ uuid: "ada" }))).channels, ["a", "b"])
    assert.deepStrictEqual((yield* theirs(() => bob.whereNow({}))).channels, ["c"])
    assert.deepStrictEqual((yield* theirs(() => bob.whereNow({ uuid: "nobody" }))).channels, [])
  }).pipe(Effect.scoped, served))

it.live("the official client sets and reads states of channels and groups, and they end with a leave", () =>
  Effect.gen(function*() {
    const { addToGroup } = yield* emulator
    yield* addToGroup({ group: "g", channels: ["g1"] })
    const watcher = yield* client("watcher")
    const heard = yield* subscribed(watcher, { channels: ["a", "b"], withPresence: true })
    const ada = yield* client("ada")
    yield* subscribed(ada, { channels: ["a", "b"], channelGroups: ["g"] })

    const set = yield* theirs(() => ada.setState({ channels: ["a", "b"], channelGroups: ["g"], state: { mood: "ok" } }))
    assert.deepStrictEqual(set.state, { mood: "ok" })
    assert.deepStrictEqual((yield* next(heard, action("state-change", "ada")))["state"], { mood: "ok" })
    const get = (options: PubNub.Presence.GetPresenceStateParameters) =>
      Effect.map(theirs(() => watcher.getState({ uuid: "ada", ...options })), ({ channels }) => channels)
    assert.deepStrictEqual(yield* get({ channels: ["a"] }), { a: { mood: "ok" } })
    const several = { a: { mood: "ok" }, b: { mood: "ok" } }
    // The client misreads the answer about several channels: what it gives holds the service's `channels` whole.
    assert.include(
      [JSON.stringify(several), JSON.stringify({ channels: several })],
      JSON.stringify(yield* get({ channels: ["a", "b"] }))
    )
    assert.include(JSON.stringify(yield* get({ channelGroups: ["g"] })), "{\"g1\":{\"mood\":\"ok\"}}")

    // By a heartbeat the client sends what it is given as it is: a state for each channel is what the service wants.
    const moods = { a: { mood: "better" } }
    yield* theirs(() => ada.setState({ channels: ["a", "b"], state: moods, withHeartbeat: true }))
    assert.deepStrictEqual(yield* get({ channels: ["a"] }), { a: { mood: "better" } })

    ada.unsubscribe({ channels: ["a"] })
    yield* next(heard, action("leave", "ada"))
    assert.deepStrictEqual(yield* get({ channels: ["a"] }), { a: {} })
    assert.deepStrictEqual(yield* get({ channels: ["b"] }), { b: { mood: "ok" } })
  }).pipe(Effect.scoped, served))

it.live("the official client stays present by heartbeats, times out without, and comes back with its state", () =>
  Effect.gen(function*() {
    const heard = yield* subscribed(yield* client("watcher"), { channels: ["room"], withPresence: true })
    const emulated = yield* emulator
    const { occupants, requests } = emulated
    // Of a presence timeout of 3 seconds this client makes a heartbeat every half second, whatever interval it is given.
    const guest = yield* client("guest", { presenceTimeout: 3, suppressLeaveEvents: true })
    yield* subscribed(guest, { channels: ["room"] })
    yield* next(heard, action("join", "guest"))
    yield* theirs(() => guest.setState({ channels: ["room"], state: { mood: "ok" } }))
    yield* next(heard, action("state-change", "guest"))
    yield* Effect.sleep("4 seconds")
    assert.include(yield* occupants({ channel: "room" }), "guest")
    const beats = (yield* requests).filter(({ target, userId: uuid }) =>
      uuid === "guest" && target.includes("/heartbeat")
    )
    assert.isAtLeast(beats.length, 4)
    assert.isTrue(beats.every(({ target }) => target.includes("heartbeat=3")))

    // A message makes the client poll again, and its polls say nothing of how long it is to be present.
    const polls = (yield* emulated.requests).length
    yield* emulated.publish({ channel: "room", message: 1 })
    yield* Effect.repeat(emulated.requests, {
      until: (requests) =>
        requests.slice(polls).some(({ target, userId: uuid }) => uuid === "guest" && target.includes("tt=")),
      schedule: Schedule.spaced("5 millis")
    })
    guest.disconnect()
    const gone = yield* next(heard, action("timeout", "guest"))
    assert.deepStrictEqual([gone["channel"], gone["occupancy"]], ["room", 1])
    assert.notInclude(yield* occupants({ channel: "room" }), "guest")

    guest.reconnect()
    yield* next(heard, action("join", "guest"))
    assert.deepStrictEqual((yield* next(heard, action("state-change", "guest")))["state"], { mood: "ok" })
  }).pipe(Effect.scoped, served))

it.live("the official client joins without subscribing, and leaves", () =>
  Effect.gen(function*() {
    const heard = yield* subscribed(yield* client("watcher"), { channels: ["room"], withPresence: true })
    const guest = yield* client("guest", { presenceTimeout: 20, heartbeatInterval: 1, enableEventEngine: false })
    guest.presence({ channels: ["room"], connected: true })
    yield* next(heard, action("join", "guest"))
    guest.presence({ channels: ["room"], connected: false })
    yield* next(heard, action("leave", "guest"))
  }).pipe(Effect.scoped, served))

it.live("the official client adds, lists, removes, subscribes to and deletes channel groups", () =>
  Effect.gen(function*() {
    const ada = yield* client("ada")
    const { channelGroups } = ada
    const inGroup = Effect.map(
      theirs(() => channelGroups.listChannels({ channelGroup: "g" })),
      ({ channels }) => channels
    )
    const groups = Effect.map(theirs(() => channelGroups.listGroups()), ({ groups }) => groups)
    assert.deepStrictEqual([yield* groups, yield* inGroup], [[], []])
    yield* theirs(() => channelGroups.addChannels({ channelGroup: "g", channels: ["a", "b ☃"] }))
    yield* theirs(() => channelGroups.addChannels({ channelGroup: "h", channels: ["a"] }))
    assert.deepStrictEqual([yield* groups, yield* inGroup], [["g", "h"], ["a", "b ☃"]])

    const heard = yield* subscribed(ada, { channelGroups: ["g"] })
    const { publish } = yield* emulator
    const message = (event: Heard) => event.kind === "message"
    yield* publish({ channel: "b ☃", message: 1 })
    const first = yield* next(heard, message)
    assert.deepStrictEqual([first["channel"], first["subscription"], first["message"]], ["b ☃", "g", 1])

    // The subscription is to what the group holds when a message comes, not when it began.
    yield* theirs(() => channelGroups.addChannels({ channelGroup: "g", channels: ["c"] }))
    yield* theirs(() => channelGroups.removeChannels({ channelGroup: "g", channels: ["a"] }))
    yield* publish({ channel: "a", message: "left out" })
    yield* publish({ channel: "c", message: 2 })
    assert.deepStrictEqual((yield* next(heard, message))["message"], 2)
    assert.deepStrictEqual(yield* inGroup, ["b ☃", "c"])

    yield* theirs(() => channelGroups.deleteGroup({ channelGroup: "g" }))
    assert.deepStrictEqual([yield* groups, yield* inGroup], [["h"], []])
  }).pipe(Effect.scoped, served))

it.live("the official client gets the status of a refusal when presence is denied or off", () =>
  Effect.gen(function*() {
    const { deny, setAddOns } = yield* emulator
    const ada = yield* client("ada")
    const refusal = Effect.map(
      Effect.flip(Effect.tryPromise(() => ada.hereNow({ channels: ["a"] }))),
      ({ cause }) => cause
    )
    yield* deny({ channels: ["a"] })
    assert.nestedPropertyVal(yield* refusal, "status.category", "PNAccessDeniedCategory")
    yield* setAddOns({ presence: false })
    assert.nestedPropertyVal(
      yield* Effect.andThen(
        Effect.flatMap(emulator, ({ allow }) => allow),
        refusal
      ),
      "status.statusCode",
      402
    )
  }).pipe(Effect.scoped, served))
