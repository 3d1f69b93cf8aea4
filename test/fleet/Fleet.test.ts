/** Fleets on one runner, in virtual time: what lanes read, and what happens when they fail, move, split and merge. */
import { assert, describe, it } from "@effect/vitest"
import * as ShardingConfig from "effect/cluster/ShardingConfig"
import * as TestRunner from "effect/cluster/TestRunner"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Fleet, FleetError, FleetStore } from "effect-herald/fleet"
import { ChannelGroups } from "effect-herald/pubnub"
import { PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { emulated } from "../kit/emulated.ts"

const worldWith = (options: Parameters<typeof emulated>[0]) =>
  Layer.mergeAll(TestRunner.layer, FleetStore.layerMemory).pipe(Layer.provideMerge(emulated(options)))

const world = worldWith({})

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

/** A world whose transactions take half a second to commit, and how many were open at once. */
const withTransactions = () => {
  let open = 0
  const seen = { most: 0 }
  const store = Layer.effect(
    FleetStore.FleetStore,
    Effect.map(FleetStore.FleetStore, (memory) =>
      FleetStore.FleetStore.of({
        ...memory,
        claim: (options) =>
          Effect.map(memory.claim(options), (claim) => ({
            ...claim,
            store: {
              ...claim.store,
              transaction: (reader, cursor, work) =>
                Effect.suspend(() => {
                  seen.most = Math.max(seen.most, ++open)
                  return Effect.result(work)
                }).pipe(
                  Effect.tap(() => Effect.sleep("500 millis")),
                  Effect.flatMap((worked) => claim.store.transaction(reader, cursor, Effect.fromResult(worked))),
                  Effect.ensuring(Effect.sync(() => open--))
                )
            }
          }))
      }))
  ).pipe(Layer.provide(FleetStore.layerMemory))
  return { seen, world: Layer.merge(TestRunner.layer, store).pipe(Layer.provideMerge(emulated({}))) }
}

const channels = Array.from({ length: 20 }, (_, n) => `room-${n}`)

const publishTo = (channels: ReadonlyArray<string>, text: string) =>
  Effect.forEach(channels, (channel) => publish(channel, `${channel} ${text}`), { discard: true })

const allOf = (texts: ReadonlyArray<string>) => texts.flatMap((text) => channels.map((channel) => `${channel} ${text}`))

const sorted = (texts: Iterable<string>) => [...texts].toSorted((one, other) => one < other ? -1 : 1)

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
      assert.deepStrictEqual(sorted(handled), sorted(allOf(["1"])))
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

  it.effect("reads channels that are added while it runs, and leaves those that are removed", () =>
    Effect.gen(function*() {
      const handled: Array<string> = []
      yield* start(Fleet.layer((message) => Effect.sync(() => handled.push(message.payload)), {
        name: "orders",
        lanes: 2,
        schema: Schema.String
      }))
      yield* VirtualTime.advance("5 seconds")
      yield* Fleet.addChannels({ fleet: "orders", channels: ["a", "b", "c"] })
      const read = yield* Effect.forkChild(Fleet.untilRead({ fleet: "orders", channels: ["a", "b", "c"] }))
      yield* VirtualTime.advance("600 millis")
      assert.isUndefined(read.pollUnsafe())
      yield* VirtualTime.advance("5 seconds")
      assert.isDefined(read.pollUnsafe())
      for (const channel of ["a", "b", "c"]) yield* publish(channel, `${channel} 1`)
      yield* VirtualTime.advance("1 second")
      // It does not disturb the readers of other channels.
      yield* Fleet.addChannels({ fleet: "orders", channels: ["d"] })
      yield* Fleet.removeChannels({ fleet: "orders", channels: ["b"] })
      yield* VirtualTime.advance("5 seconds")
      for (const channel of ["a", "b", "c", "d"]) yield* publish(channel, `${channel} 2`)
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(sorted(handled), ["a 1", "a 2", "b 1", "c 1", "c 2", "d 2"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("reads a channel that the runner before noted as read, when its own look at the table is older", () =>
    Effect.gen(function*() {
      const handled: Array<string> = []
      const fleetOf = (refresh: Duration.Input) =>
        Fleet.layer((message) => Effect.sync(() => handled.push(message.payload)), {
          name: "orders",
          lanes: 1,
          channels: ["a"],
          schema: Schema.String,
          refresh
        })
      yield* start(fleetOf("1 minute"))
      yield* VirtualTime.advance("5 seconds")
      const other = yield* start(Layer.provide(fleetOf("1 second"), Layer.fresh(TestRunner.layer)))
      yield* VirtualTime.advance("5 seconds")
      // The first runner is refused, and takes the lane back in 12 seconds.
      yield* publish("a", "a 1")
      yield* Fleet.addChannels({ fleet: "orders", channels: ["b"] })
      const isRead = yield* Effect.forkChild(Fleet.untilRead({ fleet: "orders", channels: ["b"] }))
      yield* VirtualTime.advance("3 seconds")
      assert.isDefined(isRead.pollUnsafe())
      yield* other.stop
      yield* VirtualTime.advance("11 seconds")
      yield* publish("b", "b 1")
      // Further than what a reader reads again.
      yield* VirtualTime.advance("15 seconds")
      yield* publish("a", "a 2")
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(sorted(new Set(handled)), ["a 1", "a 2", "b 1"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("looks at the table after each claim before it reads, once for all lanes that it claims together", () =>
    Effect.gen(function*() {
      const handled: Array<string> = []
      let looks = 0
      const store = yield* FleetStore.FleetStore
      yield* store.addChannels("orders", channels)
      const { health } = yield* start(
        Fleet.layer((message) => Effect.sync(() => handled.push(message.payload)), {
          name: "orders",
          lanes: 8,
          channels: ["another"],
          schema: Schema.String,
          refresh: "1 hour"
        }).pipe(Layer.provide(Layer.succeed(FleetStore.FleetStore, {
          ...store,
          // The first look is the start of the fleet, the second one follows the first claim.
          channels: (fleet, version) =>
            Effect.suspend(() => {
              if (++looks === 1) return store.channels(fleet, version)
              const down = new FleetError({ operation: "Fleet.layer", fleet, kind: "Unavailable", description: "down" })
              return Effect.delay(looks === 2 ? Effect.fail(down) : store.channels(fleet, version), "10 millis")
            })
        })))
      )
      yield* VirtualTime.advance("100 millis")
      const states = (yield* health).lanes.map(({ state }) => state)
      assert.deepStrictEqual(states.toSorted(), ["Failing", ...Array.from({ length: 7 }, () => "Reading")])
      assert.strictEqual(looks, 3)
      yield* VirtualTime.advance("5 seconds")
      assert.isTrue((yield* health).lanes.every(({ state }) => state === "Reading"))
      yield* publishTo(channels, "1")
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(sorted(handled), sorted(allOf(["1"])))
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("tells that it reads channels that were removed and added again at once, or that runners name, too", () =>
    Effect.gen(function*() {
      const fleet = "orders"
      yield* Fleet.addChannels({ fleet, channels: ["a"] })
      yield* start(Fleet.layer(() => Effect.void, { name: fleet, lanes: 2, channels: ["b"] }))
      yield* VirtualTime.advance("5 seconds")
      yield* Fleet.removeChannels({ fleet, channels: ["a"] })
      yield* Fleet.addChannels({ fleet, channels: ["a", "b"] })
      const isRead = yield* Effect.forkChild(Fleet.untilRead({ fleet, channels: ["a", "b"] }))
      yield* VirtualTime.advance("5 seconds")
      assert.isDefined(isRead.pollUnsafe())
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("tells that a quiet lane reads a channel that is added, also where commits are transactions", () =>
    Effect.gen(function*() {
      yield* start(
        Fleet.layer(() => Effect.void, { name: "orders", lanes: 1, channels: ["a"], commit: "transaction" })
      )
      yield* VirtualTime.advance("5 seconds")
      yield* publish("a", "gives the lane a cursor")
      yield* VirtualTime.advance("1 second")
      yield* Fleet.addChannels({ fleet: "orders", channels: ["b"] })
      const isRead = yield* Effect.forkChild(Fleet.untilRead({ fleet: "orders", channels: ["b"] }))
      yield* VirtualTime.advance("5 seconds")
      assert.isDefined(isRead.pollUnsafe())
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("leaves out a wrong name in its table, says so once, and reads the others", () =>
    Effect.gen(function*() {
      const said: Array<string> = []
      const handled: Array<string> = []
      const store = yield* FleetStore.FleetStore
      // As somebody may write them into the table of the database.
      const wrong = ["a,b", `\u001b[2J${"x".repeat(2_000)}`, "news.*"]
      yield* store.addChannels("orders", ["good", ...wrong])
      const { health } = yield* start(
        Fleet.layer((message) => Effect.sync(() => handled.push(message.payload)), {
          name: "orders",
          lanes: 1,
          schema: Schema.String
        }).pipe(Layer.provide(Logger.layer([Logger.make(({ message }) => said.push(String(message)))])))
      )
      yield* VirtualTime.advance("5 seconds")
      yield* Fleet.addChannels({ fleet: "orders", channels: ["later"] })
      yield* VirtualTime.advance("5 seconds")
      for (const channel of ["good", "later"]) yield* publish(channel, channel)
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(handled, ["good", "later"])
      const warnings = said.filter((text) => text.includes("is left out"))
      assert.strictEqual(warnings.length, 3)
      assert.strictEqual(warnings[0], "The channel \"a,b\" in the table is left out: its name holds a comma.")
      assert.isTrue(warnings.every((text) => text.length < 250 && !text.includes("\u001b")))
      const { isHealthy, lanes, leftOut } = yield* health
      assert.deepStrictEqual([isHealthy, lanes.map(({ state }) => state)], [true, ["Reading"]])
      assert.strictEqual(leftOut, 3)
      yield* store.removeChannels("orders", wrong)
      yield* VirtualTime.advance("5 seconds")
      assert.isUndefined((yield* health).leftOut)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("notes when a transaction with its handler was committed", () =>
    Effect.gen(function*() {
      const { health } = yield* start(
        Fleet.layer(() => Effect.void, { name: "orders", lanes: 1, channels: ["a"], commit: "transaction" })
      )
      yield* VirtualTime.advance("5 seconds")
      const before = (yield* health).lanes[0]?.committedAt ?? 0
      yield* publish("a", 1)
      yield* VirtualTime.advance("1 second")
      assert.isAbove((yield* health).lanes[0]?.committedAt ?? 0, before)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("starts a lane again whose handler fails or dies, and reads the others meanwhile", () =>
    Effect.gen(function*() {
      const handled: Array<string> = []
      let attempts = 0
      const { health } = yield* start(Fleet.layer((message) =>
        Effect.suspend((): Effect.Effect<unknown, string> => {
          if (message.payload === "bad" && ++attempts < 4) {
            return attempts === 1 ? Effect.fail("declined") : attempts === 2 ? Effect.die("bug") : Effect.interrupt
          }
          return Effect.sync(() => handled.push(message.payload))
        }), { name: "orders", lanes: 4, channels, schema: Schema.String }))
      yield* VirtualTime.advance("5 seconds")
      const own = channels.find((channel) => Fleet.laneOf(channel, 4) === 0) ?? ""
      const other = channels.find((channel) => Fleet.laneOf(channel, 4) === 1) ?? ""
      yield* publish(own, "first", "bad", "last")
      yield* VirtualTime.advance("500 millis")
      const state = yield* health
      assert.isFalse(state.isHealthy)
      assert.deepStrictEqual(state.lanes.map(({ state }) => state), ["Failing", "Reading", "Reading", "Reading"])
      assert.include(state.lanes[0]?.failure, "declined")
      yield* publish(other, "meanwhile")
      yield* VirtualTime.advance("200 millis")
      assert.deepStrictEqual(handled, ["first", "meanwhile"])
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(handled, ["first", "meanwhile", "bad", "last"])
      assert.strictEqual(attempts, 4)
      assert.isTrue((yield* health).isHealthy)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("ends a lane that another runner claimed, and never steals it back", () =>
    Effect.gen(function*() {
      const handled: Array<string> = []
      const { health } = yield* start(Fleet.layer((message) => Effect.sync(() => handled.push(message.payload)), {
        name: "orders",
        lanes: 1,
        channels,
        schema: Schema.String,
        pause: "12 seconds"
      }))
      yield* VirtualTime.advance("5 seconds")
      const store = yield* FleetStore.FleetStore
      const settings = (yield* store.settings("orders"))!
      const other = yield* store.claim({ settings, reader: "orders/0", owner: "other" })
      const before = yield* other.store.load("orders/0")
      yield* publish("room-1", "late")
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual((yield* health).lanes.map(({ state }) => state), ["Refused"])
      assert.include((yield* health).lanes[0]?.failure, "other")
      assert.deepStrictEqual(yield* other.store.load("orders/0"), before)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual((yield* store.lanes("orders")).map(({ epoch, owner }) => [owner, epoch]), [["other", 2]])
      // The cluster still says that the lane is this runner's.
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual((yield* store.lanes("orders")).map(({ epoch }) => epoch), [3])
      assert.isTrue((yield* health).isHealthy)
      assert.deepStrictEqual(handled, ["late", "late"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect.each([["1 second", 1], ["10 seconds", 2]] as const)(
    "lets a handler of %s finish for two seconds when its lane moves, so its message is handled %d times",
    ([takes, times]) =>
      Effect.gen(function*() {
        let begun = 0
        const handled: Array<string> = []
        const fleet = Fleet.layer((message) =>
          Effect.andThen(
            Effect.suspend(() => Effect.sleep(++begun === 1 ? takes : "1 second")),
            Effect.sync(() => handled.push(message.payload))
          ), { name: "orders", lanes: 1, channels, schema: Schema.String })
        const first = yield* start(fleet)
        yield* VirtualTime.advance("5 seconds")
        yield* publish("room-1", "one", "two")
        yield* VirtualTime.advance("100 millis")
        const stopping = yield* Effect.forkChild(first.stop)
        yield* VirtualTime.advance("4 seconds")
        assert.isDefined(stopping.pollUnsafe())
        assert.deepStrictEqual(handled, times === 1 ? ["one"] : [])
        yield* start(fleet)
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(handled, ["one", "two"])
        assert.strictEqual(begun, times + 1)
      }).pipe(Effect.scoped, Effect.provide(world))
  )

  it.effect("moves a lane whose handler never ends and cannot be interrupted", () =>
    Effect.gen(function*() {
      let begun = 0
      const handled: Array<string> = []
      const fleet = Fleet.layer(
        (message) =>
          Effect.suspend(() =>
            ++begun === 1 ? Effect.uninterruptible(Effect.never) : Effect.sync(() => handled.push(message.payload))
          ),
        { name: "orders", lanes: 1, schema: Schema.String, channels: ["a"], refresh: "1 second" }
      )
      const first = yield* start(fleet)
      yield* VirtualTime.advance("5 seconds")
      yield* publish("a", "one", "two")
      yield* VirtualTime.advance("100 millis")
      // Other channels are another reader, which begins when the one before has ended, or is left behind.
      yield* Fleet.addChannels({ fleet: "orders", channels: ["b"] })
      yield* VirtualTime.advance("9 seconds")
      assert.deepStrictEqual(handled, [])
      yield* VirtualTime.advance("3 seconds")
      assert.deepStrictEqual(handled, ["one", "two"])
      const epochs = Effect.map(FleetStore.FleetStore.use((store) => store.lanes("orders")), (rows) =>
        rows.map(({ epoch }) => epoch))
      assert.deepStrictEqual(yield* epochs, [2])
      begun = 0
      yield* publish("b", "three")
      yield* VirtualTime.advance("100 millis")
      const stopping = yield* Effect.forkChild(first.stop)
      yield* VirtualTime.advance("10 seconds")
      assert.isDefined(stopping.pollUnsafe())
      yield* start(fleet)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(handled, ["one", "two", "three"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("is not healthy while handlers of a lane run for too long", () =>
    Effect.gen(function*() {
      const { health } = yield* start(
        Fleet.layer((message) => Effect.sleep(Number(message.payload)), {
          name: "orders",
          lanes: 1,
          channels: ["a"],
          stuckAfter: "1 second",
          concurrency: 2
        })
      )
      const state = Effect.map(health, ({ isHealthy, lanes }) => [isHealthy, ...lanes.map(({ state }) => state)])
      yield* VirtualTime.advance("5 seconds")
      // One of them ends after 900 ms, and the other one 900 ms later.
      yield* publish("a", 900, 1_800)
      yield* VirtualTime.advance("1700 millis")
      assert.deepStrictEqual(yield* state, [true, "Reading"])
      yield* VirtualTime.advance("1 second")
      yield* publish("a", 2_000)
      yield* VirtualTime.advance("1500 millis")
      assert.deepStrictEqual(yield* state, [false, "Stuck"])
      const [lane] = (yield* health).lanes
      assert.strictEqual((lane?.since ?? 0) - (lane?.handlingSince ?? 0), 1_000)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(yield* state, [true, "Reading"])
      assert.isUndefined((yield* health).lanes[0]?.handlingSince)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("lets a transaction commit when its lane moves, so its message is handled once", () =>
    Effect.gen(function*() {
      const handled: Array<string> = []
      const fleet = Fleet.layer(
        (message) => Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => handled.push(message.payload))),
        { name: "orders", lanes: 1, channels, schema: Schema.String, commit: "transaction" }
      )
      const { stop } = yield* start(fleet)
      yield* VirtualTime.advance("5 seconds")
      yield* publish("room-1", "one", "two")
      yield* VirtualTime.advance("100 millis")
      yield* Effect.forkChild(stop)
      yield* VirtualTime.advance("4 seconds")
      assert.deepStrictEqual(handled, ["one"])
      yield* start(fleet)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(handled, ["one", "two"])
    }).pipe(Effect.scoped, Effect.provide(withTransactions().world)))

  it.effect("opens no more transactions at once than handlersPerRunner says", () => {
    const { seen, world } = withTransactions()
    return Effect.gen(function*() {
      let handled = 0
      yield* start(Fleet.layer(() => Effect.sync(() => handled++), {
        name: "orders",
        lanes: 4,
        channels,
        handlersPerRunner: 2,
        commit: "transaction"
      }))
      yield* VirtualTime.advance("5 seconds")
      yield* publishTo(channels, "one")
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual([seen.most, handled], [2, 20])
    }).pipe(Effect.scoped, Effect.provide(world))
  })

  it.effect("stops all its lanes at the same time", () =>
    Effect.gen(function*() {
      let handled = 0
      const { stop } = yield* start(
        Fleet.layer(() => Effect.andThen(Effect.sleep("1 second"), Effect.sync(() => handled++)), {
          name: "orders",
          lanes: 8,
          channels
        })
      )
      yield* VirtualTime.advance("5 seconds")
      yield* publishTo(channels, "one")
      yield* VirtualTime.advance("100 millis")
      const stopping = yield* Effect.forkChild(stop)
      yield* VirtualTime.advance("2 seconds")
      assert.isDefined(stopping.pollUnsafe())
      assert.strictEqual(handled, 8)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("handles nothing twice when lanes split, and loses nothing when they merge", () =>
    Effect.gen(function*() {
      const handled: Array<string> = []
      const run = Effect.fnUntraced(function*(lanes: number, round: number) {
        yield* publishTo(channels, `stopped ${round}`)
        const { stop } = yield* start(Fleet.layer((message) => Effect.sync(() => handled.push(message.payload)), {
          name: "orders",
          lanes,
          channels,
          schema: Schema.String
        }))
        yield* VirtualTime.advance("5 seconds")
        yield* publishTo(channels, `running ${round}`)
        yield* VirtualTime.advance("2 seconds")
        yield* stop
      })
      yield* run(4, 0)
      yield* Fleet.resize({ fleet: "orders", lanes: 8 })
      yield* run(8, 1)
      const split = sorted(handled)
      assert.deepStrictEqual(split, sorted(allOf(["running 0", "stopped 1", "running 1"])))
      yield* Fleet.resize({ fleet: "orders", lanes: 2 })
      yield* run(2, 2)
      assert.deepStrictEqual(
        sorted(new Set(handled)),
        sorted(allOf(["running 0", "stopped 1", "running 1", "stopped 2", "running 2"]))
      )
      const refused = yield* Effect.flip(Fleet.resize({ fleet: "orders", lanes: 3 }))
      assert.include(refused.message, "neither of 2 and 3 is a multiple of the other")
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("runs as many handlers at once as handlersPerRunner says, over all lanes", () =>
    Effect.gen(function*() {
      let running = 0
      let most = 0
      let handled = 0
      yield* start(Fleet.layer(() =>
        Effect.gen(function*() {
          most = Math.max(most, ++running)
          yield* Effect.sleep("100 millis")
          running--
          handled++
        }), { name: "orders", lanes: 4, channels, handlersPerRunner: 2, concurrency: 4 }))
      yield* VirtualTime.advance("5 seconds")
      yield* publishTo(channels, "one")
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual([most, handled], [2, 20])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("reads a wildcard and a group each in a lane of its own", () =>
    Effect.gen(function*() {
      const handled: Array<string> = []
      const { health } = yield* start(Fleet.layer((message) => Effect.sync(() => handled.push(message.payload)), {
        name: "orders",
        lanes: 2,
        channels: ["a", "news.*"],
        groups: ["ops"],
        schema: Schema.String
      }))
      yield* ChannelGroups.addChannels({ group: "ops", channels: ["pager"] })
      yield* VirtualTime.advance("10 seconds")
      for (const channel of ["a", "news.x", "pager"]) yield* publish(channel, channel)
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(sorted(handled), ["a", "news.x", "pager"])
      assert.deepStrictEqual(
        (yield* health).lanes.map(({ channels, reader }) => [reader, channels]).filter(([, channels]) =>
          channels === 1
        ),
        [[`orders/${Fleet.laneOf("a", 2)}`, 1], ["orders/group ops", 1], ["orders/news.*", 1]]
      )
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("asks history at most historyRate times a second over all lanes", () =>
    Effect.gen(function*() {
      let handled = 0
      const fleet = Fleet.layer(() => Effect.sync(() => handled++), {
        name: "orders",
        lanes: 4,
        channels: ["a", "b", "c", "d"]
      })
      const { stop } = yield* start(fleet)
      yield* VirtualTime.advance("5 seconds")
      yield* stop
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.publishAll(
        Array.from({ length: 1_200 }, (_, n) => ({ channel: "abcd"[n % 4] ?? "", message: n }))
      )
      yield* start(fleet)
      yield* VirtualTime.advance("1 minute")
      assert.strictEqual(handled, 1_200)
      const times = (yield* emulator.requests).filter(({ target }) => target.startsWith("/v3/history")).map((
        { time }
      ) => time.epochMilliseconds)
      assert.isAbove(times.length, 4)
      // Each lane with channels caught up once.
      const count = new Set(["a", "b", "c", "d"].map((channel) => Fleet.laneOf(channel, 4))).size
      const metrics = (yield* Metric.snapshot).filter(({ id }) => id === "herald_fleet_catch_ups")
      assert.deepStrictEqual(metrics.map(({ state }) => state), [{ count, incremental: true }])
      for (const [index, time] of times.slice(1).entries()) assert.isAtLeast(time - (times[index] ?? 0), 499)
    }).pipe(
      Effect.scoped,
      Effect.provide(worldWith({ config: { historyRate: 2 } })),
      Effect.provideService(Metric.MetricRegistry, new Map())
    ))
})

describe("runners that name other channels", () => {
  const named = (owner: string, channels: ReadonlyArray<string>, groups: ReadonlyArray<string> = []) =>
    Fleet.layer(() => Effect.void, { name: "orders", lanes: 2, channels, groups, owner })
  /** A runner of another program, with a cluster of its own, which claims all lanes. */
  const other = (owner: string, channels: ReadonlyArray<string>, groups?: ReadonlyArray<string>) =>
    start(Layer.provide(named(owner, channels, groups), Layer.fresh(TestRunner.layer)))

  it.effect("are told by the older one, in its health and its log, while the newer one has lanes", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ message }) => {
        if (String(message).includes("names other channels")) logged.push(String(message))
      })
      const one = yield* Effect.provide(start(named("one", ["a", "b"])), Logger.layer([logger]))
      yield* VirtualTime.advance("5 seconds")
      assert.isUndefined((yield* one.health).differs)
      const two = yield* other("two", ["a", "c"])
      yield* VirtualTime.advance("9 seconds")
      const differs = "runner two, which started later, names other channels or groups"
      assert.strictEqual((yield* one.health).differs, differs)
      assert.isUndefined((yield* two.health).differs)
      assert.deepStrictEqual(logged, [`${differs}: messages are lost when lanes move between the two`])
      // Its lanes come back, as after a deploy that was taken back.
      yield* two.stop
      for (const channel of ["a", "b"]) yield* publish(channel, 1)
      yield* VirtualTime.advance("30 seconds")
      assert.isUndefined((yield* one.health).differs)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("are told if only their groups differ, and not if only the order does", () =>
    Effect.gen(function*() {
      const one = yield* start(named("one", ["a", "b"]))
      yield* VirtualTime.advance("5 seconds")
      const two = yield* other("two", ["b", "a", "b"])
      yield* VirtualTime.advance("9 seconds")
      assert.isUndefined((yield* one.health).differs)
      yield* two.stop
      yield* other("three", ["a", "b"], ["g"])
      yield* VirtualTime.advance("9 seconds")
      assert.include((yield* one.health).differs, "runner three")
    }).pipe(Effect.scoped, Effect.provide(world)))
})

describe("a fleet does not start", () => {
  const fleet = (options: Partial<Omit<Fleet.Options<never, never>, "deadLetter">>) =>
    Fleet.layer(() => Effect.void, { name: "orders", lanes: 4, channels, ...options })

  it.effect.each(
    [
      ["lanes", { lanes: 0 }, "lanes is 0"],
      ["lanes", { lanes: 1.5 }, "lanes is 1.5"],
      ["name", { name: " " }, "name is blank"],
      ["name that no database keeps", { name: "a\0" }, "name holds a control character"],
      ["owner", { owner: "a\0" }, "owner holds a control character"],
      ["wildcard", { channels: [`${"a".repeat(150)}.*`] }, "has 152 characters, and 140 are the most"],
      ["group", { groups: ["a".repeat(150)] }, "has 150 characters, and 140 are the most"],
      ["channels", { channels: ["a,b"] }, "holds a comma"],
      ["groups", { groups: ["a*"] }, "holds an asterisk"],
      ["refresh", { refresh: 0 }, "refresh"],
      ["handlersPerRunner", { handlersPerRunner: 0 }, "handlersPerRunner"],
      ["concurrency", { concurrency: 0 }, "concurrency"],
      ["restart", { restart: { base: -1 } }, "restart.base"]
    ] as const
  )("with a wrong option: %s", ([, options, message]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(start(fleet(options)))
      assert.deepStrictEqual([error._tag, error.kind], ["FleetError", "BadOptions"])
      assert.strictEqual(error.fleet, "name" in options ? "" : "orders")
      assert.include(error.message, message)
      assert.match(error.message, /^Fleet\.layer (of fleet "orders" )?failed: \w.*[^.]\. Correct the options\.$/)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("with other settings than the runners before, or twice in a program", () =>
    Effect.gen(function*() {
      yield* start(fleet({}))
      const mismatch = yield* Effect.flip(start(fleet({ lanes: 8 })))
      assert.deepStrictEqual([mismatch.kind, mismatch.description], [
        "Mismatch",
        "lanes is 8, and the database has 4"
      ])
      const group = yield* Effect.flip(start(fleet({ shardGroup: "readers" })))
      assert.include(group.message, "shardGroup is readers, and the database has default")
      assert.strictEqual((yield* Effect.flip(start(fleet({})))).kind, "Duplicate")
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("in a shard group that the cluster does not run", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(start(fleet({ shardGroup: "readers" })))
      assert.include(error.message, "shard group readers is not in assignedShardGroups")
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(world, ShardingConfig.layer()))))
})

describe("channels of a fleet", () => {
  it.effect("are refused if they are not plain names", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Fleet.addChannels({ fleet: "orders", channels: ["a.*"] }))
      assert.strictEqual(error.fleet, "orders")
      assert.include(error.message, "holds an asterisk")
      const long = yield* Effect.flip(Fleet.addChannels({ fleet: "orders", channels: ["ä".repeat(1_001)] }))
      assert.include(long.message, "has 2002 bytes, and 2000 are the most")
      assert.include(
        (yield* Effect.flip(Fleet.removeChannels({ fleet: "", channels: ["a"] }))).message,
        "fleet is blank"
      )
    }).pipe(Effect.provide(FleetStore.layerMemory)))
})
