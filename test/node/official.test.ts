/** The official client, unchanged, as a black box: what it does with the service, it does with the emulator. */
import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import { client, type Heard, next, subscribed, theirs } from "./officialClient.ts"

const served = Effect.provide(PubNubEmulatorServer.layer())

const emulator = PubNubEmulatorServer.PubNubEmulatorServer.use(({ emulator }) => Effect.succeed(emulator))

const ofKind = (kind: string) => (event: Heard) => event.kind === kind

it.live("the official client publishes by GET and POST, fires and signals, and receives what it should", () =>
  Effect.gen(function*() {
    const { messages } = yield* emulator
    const writer = yield* client("writer")
    const heard = yield* subscribed(yield* client("reader"), { channels: ["a"] })
    const message = { text: "it's 50% ☃ / \"x\"", list: [1, 2.5] }
    for (const sendByPost of [false, true]) {
      const { timetoken } = yield* theirs(() =>
        writer.publish({ channel: "a", message, meta: { level: 3 }, customMessageType: "note", sendByPost, ttl: 7 })
      )
      const event = yield* next(heard, ofKind("message"))
      assert.deepStrictEqual(
        [
          event["channel"],
          event["message"],
          event["userMetadata"],
          event["customMessageType"],
          event["publisher"],
          event["timetoken"]
        ],
        ["a", message, { level: 3 }, "note", "writer", timetoken]
      )
    }
    yield* theirs(() => writer.fire({ channel: "a", message: "fired" }))
    yield* theirs(() => writer.publish({ channel: "a", message: "unstored", storeInHistory: false }))
    assert.strictEqual((yield* next(heard, ofKind("message")))["message"], "unstored")
    yield* theirs(() => writer.signal({ channel: "a", message: "typing", customMessageType: "cursor" }))
    const signal = yield* next(heard, ofKind("signal"))
    assert.deepStrictEqual([signal["message"], signal["customMessageType"]], ["typing", "cursor"])
    assert.deepStrictEqual(
      (yield* messages({ channel: "a" })).map((
        { meta, payload, ttl }
      ) => [payload, meta, ttl && Duration.toHours(ttl)]),
      [
        [message, { level: 3 }, 7],
        [message, { level: 3 }, 7]
      ]
    )
  }).pipe(Effect.scoped, served))

it.live("the official client's signatures are accepted, and those of a wrong key are refused", () =>
  Effect.gen(function*() {
    const right = yield* client("ada", { secretKey: "sec" })
    const message = { text: "(it's) me! *~" }
    for (const sendByPost of [false, true]) {
      const sent = yield* theirs(() => right.publish({ channel: "a ☃", message, sendByPost }))
      assert.match(String(sent.timetoken), /^\d{17}$/)
    }
    const wrong = yield* client("eve", { secretKey: "other" })
    const refused = yield* Effect.flip(Effect.tryPromise(() => wrong.publish({ channel: "a", message })))
    assert.nestedPropertyVal(refused.cause, "status.statusCode", 403)
  }).pipe(
    Effect.scoped,
    Effect.provide(PubNubEmulatorServer.layer({
      keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "sec" }]
    }))
  ))

it.live("the official client subscribes to a channel, a group and a wildcard, and receives each message", () =>
  Effect.gen(function*() {
    const writer = yield* client("writer")
    yield* theirs(() => writer.channelGroups.addChannels({ channelGroup: "g", channels: ["g1", "g2"] }))
    const listed = yield* theirs(() => writer.channelGroups.listChannels({ channelGroup: "g" }))
    assert.deepStrictEqual(listed.channels, ["g1", "g2"])
    const heard = yield* subscribed(yield* client("reader"), { channels: ["plain", "wild.*"], channelGroups: ["g"] })
    const names: Array<unknown> = []
    for (const channel of ["plain", "wild.one", "g2"]) {
      yield* theirs(() => writer.publish({ channel, message: channel }))
      const event = yield* next(heard, ofKind("message"))
      assert.strictEqual(event["channel"], channel)
      names.push(event["subscription"])
    }
    assert.deepStrictEqual(names.slice(1), ["wild.*", "g"])
    yield* theirs(() => writer.channelGroups.removeChannels({ channelGroup: "g", channels: ["g1"] }))
    assert.deepStrictEqual(yield* (yield* emulator).groupChannels({ group: "g" }), ["g2"])
    yield* theirs(() => writer.channelGroups.deleteGroup({ channelGroup: "g" }))
    assert.deepStrictEqual((yield* theirs(() => writer.channelGroups.listGroups())).groups, [])
  }).pipe(Effect.scoped, served))

it.live("the official client sees joins, state changes and leaves, and reads presence", () =>
  Effect.gen(function*() {
    const watcher = yield* client("watcher")
    const heard = yield* subscribed(watcher, { channels: ["room"], withPresence: true })
    const isOf = (action: string) => ({ action: it, kind, uuid }: Heard) =>
      kind === "presence" && it === action && uuid === "guest"

    const guest = yield* client("guest", { heartbeatInterval: 60 })
    yield* subscribed(guest, { channels: ["room"] })
    const joined = yield* next(heard, isOf("join"))
    assert.deepStrictEqual([joined["channel"], joined["occupancy"]], ["room", 2])
    assert.match(String(joined["timestamp"]), /^\d{10}$/)

    yield* theirs(() => guest.setState({ channels: ["room"], state: { mood: "ok" } }))
    assert.deepStrictEqual((yield* next(heard, isOf("state-change")))["state"], { mood: "ok" })
    const state = yield* theirs(() => watcher.getState({ channels: ["room"], uuid: "guest" }))
    assert.deepStrictEqual(state.channels, { room: { mood: "ok" } })

    const here = yield* theirs(() => watcher.hereNow({ channels: ["room"], includeState: true }))
    assert.strictEqual(here.totalOccupancy, 2)
    assert.deepStrictEqual(here.channels["room"]?.occupants.find(({ uuid }) => uuid === "guest")?.state, { mood: "ok" })
    const where = yield* theirs(() => watcher.whereNow({ uuid: "guest" }))
    assert.deepStrictEqual(where.channels, ["room"])

    guest.unsubscribe({ channels: ["room"] })
    assert.strictEqual((yield* next(heard, isOf("leave")))["occupancy"], 1)
  }).pipe(Effect.scoped, served))

it.live("the official client receives a group's joins, and actions, objects and files", () =>
  Effect.gen(function*() {
    const { addToGroup, emit } = yield* emulator
    yield* addToGroup({ group: "g", channels: ["room"] })
    const heard = yield* subscribed(yield* client("watcher"), { channelGroups: ["g"], withPresence: true })
    yield* subscribed(yield* client("guest"), { channels: ["room"] })
    const joined = yield* next(heard, ({ kind, uuid }) => kind === "presence" && uuid === "guest")
    assert.deepStrictEqual([joined["channel"], joined["action"]], ["room", "join"])

    const data = {
      messageTimetoken: "17000000000000000",
      actionTimetoken: "17000000000000001",
      type: "reaction",
      value: "x"
    }
    yield* emit({
      channel: "room",
      kind: "MessageAction",
      publisher: "guest",
      payload: { source: "actions", version: "1.0", event: "added", data }
    })
    const action = yield* next(heard, ofKind("messageAction"))
    assert.deepStrictEqual([action["event"], action["data"], action["publisher"]], [
      "added",
      { ...data, uuid: "guest" },
      "guest"
    ])
    yield* emit({
      channel: "room",
      kind: "AppContext",
      payload: { source: "objects", version: "2.0", event: "set", type: "channel", data: { id: "room", name: "n" } }
    })
    const object = yield* next(heard, ofKind("objects"))
    assert.nestedPropertyVal(object["message"], "data.name", "n")
    yield* emit({ channel: "room", kind: "File", payload: { message: "m", file: { id: "1", name: "cat.png" } } })
    assert.nestedPropertyVal((yield* next(heard, ofKind("file")))["file"], "name", "cat.png")
  }).pipe(Effect.scoped, served))

it.live("the official client applies a filter, and gets the status of a refusal", () =>
  Effect.gen(function*() {
    const { deny } = yield* emulator
    const reader = yield* client("reader")
    reader.setFilterExpression("level > 2 && uuid != 'nobody'")
    const heard = yield* subscribed(reader, { channels: ["a"] })
    const writer = yield* client("writer")
    yield* theirs(() => writer.publish({ channel: "a", message: "low", meta: { level: 1 } }))
    yield* theirs(() => writer.publish({ channel: "a", message: "high", meta: { level: 3 } }))
    assert.strictEqual((yield* next(heard, ofKind("message")))["message"], "high")

    yield* deny({ channels: ["secret"] })
    const refused = yield* Effect.flip(Effect.tryPromise(() => writer.publish({ channel: "secret", message: 1 })))
    assert.nestedPropertyVal(refused.cause, "status.category", "PNAccessDeniedCategory")
    const long = yield* Effect.flip(Effect.tryPromise(() => writer.signal({ channel: "a", message: "x".repeat(99) })))
    assert.nestedPropertyVal(long.cause, "status.statusCode", 400)
    const time = yield* theirs(() => writer.time())
    assert.isAbove(Number(time.timetoken), 1.7e16)
  }).pipe(Effect.scoped, served))

it.live("the official client receives timeouts, and intervals when there are many users", () =>
  Effect.gen(function*() {
    const { handle } = yield* emulator
    const come = (user: string, heartbeat: number) =>
      handle({
        method: "GET",
        target: `/v2/presence/sub-key/demo-sub/channel/room/heartbeat?uuid=${user}&heartbeat=${heartbeat}`,
        headers: {},
        body: ""
      })
    const heard = yield* subscribed(yield* client("watcher"), { channels: ["room"], withPresence: true })
    yield* come("guest", 1)
    const left = yield* next(heard, ({ action }) => action === "timeout")
    assert.deepStrictEqual([left["uuid"], left["occupancy"]], ["guest", 1])
    yield* Effect.forEach(["b", "c", "d"], (user) => come(user, 60))
    const interval = yield* next(heard, ({ action }) => action === "interval")
    assert.deepStrictEqual([interval["join"], interval["occupancy"]], [["c", "d"], 4])
  }).pipe(
    Effect.scoped,
    Effect.provide(PubNubEmulatorServer.layer({
      addOns: { presenceDeltas: true },
      limits: { announceMax: 2, presenceInterval: "1 second" }
    }))
  ))
