/** What one of the two clients stores on the emulator's port, the other one reads: history, presence and groups. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ChannelGroups, History, Presence, Publish, Timetoken } from "effect-herald/pubnub"
import { both, client, subscribed, theirs } from "./officialClient.ts"

it.live("history: both clients read, count and remove each other's messages", () =>
  Effect.gen(function*() {
    const ada = yield* client("theirs")
    const ours = yield* Publish.publish({
      channel: "a",
      message: { by: "ours ☃" },
      meta: { n: 1 },
      customMessageType: "note"
    })
    const sent = yield* theirs(() =>
      ada.publish({ channel: "a", message: { by: "theirs ☃" }, meta: { n: 2 }, customMessageType: "note" })
    )
    const { items: entries } = yield* History.list({ channel: "a" })
    const { channels } = yield* theirs(() =>
      ada.fetchMessages({ channels: ["a"], includeMeta: true, includeCustomMessageType: true })
    )
    const read = channels["a"] ?? []
    assert.deepStrictEqual<unknown>(
      entries.map((entry) =>
        entry._tag === "StoredMessage"
          ? [entry.payload, entry.meta, entry.customMessageType, entry.publisher, entry.timetoken]
          : []
      ),
      read.map(({ customMessageType, message, meta, timetoken, uuid }) => [
        message,
        meta,
        customMessageType,
        uuid,
        String(timetoken)
      ])
    )
    assert.deepStrictEqual(read.map(({ timetoken }) => timetoken), [ours.timetoken, sent.timetoken])

    const counts = yield* History.count({ channels: ["a"], after: ours.timetoken })
    const counted = yield* theirs(() => ada.messageCounts({ channels: ["a"], channelTimetokens: [ours.timetoken] }))
    assert.deepStrictEqual([counts.get("a"), counted.channels["a"]], [1, 1])

    yield* History.remove({ channel: "a", before: Timetoken.Timetoken.make(sent.timetoken) })
    const left = yield* theirs(() => ada.fetchMessages({ channels: ["a"] }))
    assert.deepStrictEqual(left.channels["a"]?.map(({ timetoken }) => timetoken), [sent.timetoken])
    yield* theirs(() => ada.deleteMessages({ channel: "a" }))
    assert.deepStrictEqual((yield* History.list({ channel: "a" })).items, [])
  }).pipe(Effect.scoped, Effect.provide(both)))

it.live("presence: both clients see the same users and each other's states", () =>
  Effect.gen(function*() {
    const ada = yield* client("theirs")
    yield* subscribed(ada, { channels: ["a", "b"] })
    yield* theirs(() => ada.setState({ channels: ["a"], state: { by: "theirs" } }))
    assert.deepStrictEqual(
      yield* Presence.getState({ channels: ["a"], userId: "theirs" }),
      new Map([["a", { by: "theirs" }]])
    )
    yield* Presence.setState({ channels: ["a", "b"], state: { by: "ours" } })
    const state = yield* theirs(() => ada.getState({ channels: ["a"], uuid: "ours" }))
    assert.deepStrictEqual(state.channels, { a: { by: "ours" } })

    const ours = yield* Presence.hereNow({ channels: ["a", "b"], include: ["users", "state"] })
    const read = yield* theirs(() => ada.hereNow({ channels: ["a", "b"], includeState: true }))
    assert.deepStrictEqual([ours.totalChannels, ours.totalOccupancy], [read.totalChannels, read.totalOccupancy])
    assert.deepStrictEqual<unknown>(
      Array.from(ours.channels.get("a")?.users.values() ?? [], ({ state, userId }) => ({ uuid: userId, state })),
      read.channels["a"]?.occupants.map(({ state, uuid }) => ({ uuid, state: state ?? undefined }))
    )
    assert.deepStrictEqual(yield* Presence.whereNow({ userId: "theirs" }), ["a", "b"])
  }).pipe(Effect.scoped, Effect.provide(both)))

it.live("channel groups: both clients see each other's changes", () =>
  Effect.gen(function*() {
    const { channelGroups } = yield* client("theirs")
    yield* ChannelGroups.addChannels({ group: "g", channels: ["a", "b"] })
    yield* theirs(() => channelGroups.addChannels({ channelGroup: "g", channels: ["c"] }))
    yield* theirs(() => channelGroups.removeChannels({ channelGroup: "g", channels: ["a"] }))
    const listed = yield* theirs(() => channelGroups.listChannels({ channelGroup: "g" }))
    assert.deepStrictEqual([yield* ChannelGroups.listChannels({ group: "g" }), listed.channels], [["b", "c"], [
      "b",
      "c"
    ]])
    yield* ChannelGroups.remove({ group: "g" })
    assert.deepStrictEqual((yield* theirs(() => channelGroups.listGroups())).groups, [])
  }).pipe(Effect.scoped, Effect.provide(both)))
