/** Fleets on one runner, in virtual time: what lanes read, and what happens when they fail, move, split and merge. */
import { assert, describe, it } from "@effect/vitest"
import * as TestRunner from "effect/cluster/TestRunner"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Fleet, FleetStore } from "effect-herald/fleet"
import { PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { emulated } from "../kit/emulated.ts"

const world = Layer.mergeAll(TestRunner.layer, FleetStore.layerMemory).pipe(Layer.provideMerge(emulated()))

const publish = (channel: string, ...messages: ReadonlyArray<unknown>) =>
  PubNubEmulator.PubNubEmulator.use((service) =>
    Effect.forEach(messages, (message) => service.publish({ channel, message }), { discard: true })
  )

/** Starts a fleet, and gives the effect that stops it. */
const start = Effect.fnUntraced(function*<R, E>(fleet: Layer.Layer<Fleet.Fleet, E, R>) {
  const scope = yield* Scope.make()
  const context = yield* Layer.buildWithScope(fleet, scope)
  return { stop: Scope.close(scope, Exit.void), health: Effect.provide(Fleet.health, context) }
})

const channels = Array.from({ length: 20 }, (_, n) => `room-${n}`)

describe("a fleet", () => {
  it.effect("reads each channel in one lane, and goes on where it was after a restart", () =>
    Effect.gen(function*() {
      const handled: Array<string> = []
      const fleet = Fleet.layer((message) => Effect.sync(() => handled.push(message.payload)), {
        schema: Schema.String,
        name: "orders",
        lanes: 4,
        channels,
        owner: "one"
      })
      const first = yield* start(fleet)
      yield* VirtualTime.advance("5 seconds")
      for (const channel of channels) yield* publish(channel, `${channel} 1`)
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(handled.toSorted(), channels.map((channel) => `${channel} 1`).toSorted())
      const health = yield* first.health
      assert.isTrue(health.isHealthy)
      assert.deepStrictEqual(health.lanes.map(({ reader, state }) => [reader, state]), [
        ["orders/0", "Reading"],
        ["orders/1", "Reading"],
        ["orders/2", "Reading"],
        ["orders/3", "Reading"]
      ])
      assert.strictEqual(health.lanes.reduce((sum, { channels }) => sum + channels, 0), 20)
      yield* first.stop
      for (const channel of channels) yield* publish(channel, `${channel} 2`)
      yield* start(fleet)
      yield* VirtualTime.advance("5 seconds")
      assert.strictEqual(handled.length, 40)
      assert.strictEqual(new Set(handled).size, 40)
      const rows = yield* FleetStore.FleetStore.use((store) => store.lanes("orders"))
      assert.deepStrictEqual(
        rows.map(({ epoch, owner }) => [owner, epoch]),
        Array.from({ length: 4 }, () => ["one", 2])
      )
    }).pipe(Effect.scoped, Effect.provide(world)))
})
