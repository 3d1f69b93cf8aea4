/**
 * People with typed custom data: set, listed by a filter, seated in a room, and changed by ten at once without losing a point.
 *
 * `node --conditions=effect-herald-source docs/examples/app-context.ts` runs it on the emulator.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Channels, Members, Memberships, ObjectFilter, PubNubConfig, Users } from "effect-herald/pubnub"
import { PubNubEmulator } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"

const People = Users.withCustom(Schema.Struct({ born: Schema.DateTimeUtc, points: Schema.Int }))

const program = Effect.gen(function*() {
  yield* People.set({
    id: "ada",
    name: "Ada",
    status: "active",
    custom: { born: DateTime.makeUnsafe("1815-12-10T00:00:00Z"), points: 0 }
  })
  yield* People.set({ id: "bob", name: "Bob", status: "away" })
  yield* Channels.set({ id: "room #1", name: "Room 1", custom: { floor: 3 } })

  // A field that is not set is absent. A part that was not asked for is not in the type.
  const active = yield* People.stream({ filter: ObjectFilter.equals("status", "active"), include: ["custom"] }).pipe(
    Stream.runCollect
  )
  for (const user of active) {
    // One that cannot be read stands in its place, and takes no other with it.
    if (UndecodableItem.isUndecodable(user)) continue
    const { custom, name } = user
    const born = custom === undefined ? "?" : DateTime.formatIsoDateUtc(custom.born)
    yield* Console.log(`${name ?? "somebody"}, born ${born}`)
  }

  // A member of the room is a user with a membership, and the same from the other end.
  yield* Members.set({ channel: "room #1", users: ["bob", { userId: "ada", custom: { seat: 7 } }] })
  const seats = yield* Memberships.list({ userId: "ada", include: ["custom", "channel"] })
  for (const { channel, custom } of seats.items.filter(UndecodableItem.isDecoded)) {
    yield* Console.log(`${channel?.name}, seat ${custom?.seat}`)
  }

  // Ten writers at once: each reads, adds one, and starts again when another was quicker.
  const award = People.update({ id: "ada" }, ({ custom }) => ({
    custom: custom && { ...custom, points: custom.points + 1 }
  }))
  yield* Effect.all(Array.from({ length: 10 }, () => award), { concurrency: "unbounded" })
  const ada = yield* People.get({ id: "ada", include: ["custom"] })
  yield* Console.log(`points: ${ada.custom?.points}`)

  const nobody = yield* Effect.flip(Channels.get({ id: "room #2" }))
  yield* Console.log(nobody.message)
})

NodeRuntime.runMain(program.pipe(Effect.provide(Layer.merge(
  PubNubEmulator.layer({ latency: Effect.succeed("5 millis") }),
  PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "emulator" })
))))
