/** The official client and ours, on the same emulator's port: each reads what the other wrote, and sees it come and go. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { Publish, Subscribe, type SubscribeEvent } from "effect-herald/pubnub"
import { both, client, next, subscribed } from "./officialClient.ts"

/** The official client, subscribed, with what it hears in a queue. */
const official = Effect.gen(function*() {
  const theirs = yield* client("theirs")
  return { client: theirs, heard: yield* subscribed(theirs, { channels: ["room"], withPresence: true }) }
})

it.live("both clients read messages, signals and presence of each other", () =>
  Effect.gen(function*() {
    const ours = yield* Queue.unbounded<SubscribeEvent.SubscribeEvent>()
    const reader = yield* Subscribe.stream({ channels: ["room"], presence: true }).pipe(
      Stream.runForEach((event) => Queue.offer(ours, event)),
      Effect.forkChild
    )
    yield* next(ours, (event) => event._tag === "Connected")

    yield* Effect.scoped(Effect.gen(function*() {
      const { client, heard } = yield* official
      const joined = yield* next(ours, (event) => event._tag === "Joined" && String(event.userId) === "theirs")
      assert.deepInclude({ ...joined }, { channel: "room", occupancy: 2 } as object)

      // From ours to theirs.
      const sent = yield* Publish.publish({
        channel: "room",
        message: { text: "it's 50% ünïcode 😀" },
        meta: { level: 3 },
        customMessageType: "note"
      })
      const message = yield* next(heard, ({ kind }) => kind === "message")
      assert.deepInclude(message, {
        channel: "room",
        message: { text: "it's 50% ünïcode 😀" },
        userMetadata: { level: 3 },
        customMessageType: "note",
        publisher: "ours",
        timetoken: String(sent.timetoken)
      })
      yield* Publish.signal({ channel: "room", message: "typing" })
      assert.deepInclude(yield* next(heard, ({ kind }) => kind === "signal"), { message: "typing", publisher: "ours" })

      // From theirs to ours.
      const theirs = yield* Effect.promise(() =>
        client.publish({
          channel: "room",
          message: { n: [1, 2], s: "x" },
          meta: { level: 4 },
          customMessageType: "note"
        })
      )
      const got = yield* next(
        ours,
        (event) => event._tag === "Message" && event.publisher !== undefined && String(event.publisher) === "theirs"
      )
      assert.deepInclude({ ...got }, {
        payload: { n: [1, 2], s: "x" },
        meta: { level: 4 },
        customMessageType: "note",
        channel: "room"
      } as object)
      assert.strictEqual(got._tag === "Message" ? String(got.timetoken) : "", theirs.timetoken)
      yield* Effect.promise(() => client.signal({ channel: "room", message: "waves" }))
      const signal = yield* next(ours, (event) => event._tag === "Signal" && event.payload === "waves")
      assert.strictEqual(signal._tag, "Signal")

      // Ours leaves, and theirs is told.
      yield* Fiber.interrupt(reader)
      const left = yield* next(heard, (event) => event.kind === "presence" && event.action === "leave")
      assert.deepInclude(left, { uuid: "ours", channel: "room", occupancy: 1 })
    }))
  }).pipe(Effect.provide(both)), 20_000)

it.live("our client sees the official one leave", () =>
  Effect.gen(function*() {
    const ours = yield* Queue.unbounded<SubscribeEvent.Presence>()
    yield* Effect.forkChild(
      Stream.runForEach(Subscribe.presence({ channels: ["room"] }), (event) => Queue.offer(ours, event))
    )
    yield* next(ours, (event) => event._tag === "Joined")
    yield* Effect.scoped(official)
    const left = yield* next(ours, (event) => event._tag === "Left")
    assert.strictEqual(left._tag === "Left" ? String(left.userId) : "", "theirs")
    assert.strictEqual(left.occupancy, 1)
  }).pipe(Effect.provide(both)), 20_000)
