/**
 * Channels that are added and removed while runners join, end, die and freeze, in virtual time: every message of a channel that is
 * read is handled, in the order of its channel, and no cursor goes back. A stand-in for the cluster moves the lanes.
 *
 * `SEEDS=5000 npm run simulate -- test/fleet/moving.test.ts` runs more seeds, `SEED=17` only one. A failing seed is printed with
 * what happened.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Sharding from "effect/cluster/Sharding"
import * as ShardId from "effect/cluster/ShardId"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { Fleet, FleetStore } from "effect-herald/fleet"
import { PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { hash } from "../../src/fleet/internal/laneOf.ts"
import { emulated } from "../kit/emulated.ts"
import { batchesOf } from "../simulation/seeds.ts"

const fleet = "orders"
const lanes = 2
const channels = ["a", "b", "c", "d"]

/** After so many milliseconds without a failure all lanes have noticed a change of the table: `refresh` and `handOver`. */
const noticed = 6_000

interface Runner {
  readonly name: string
  readonly scope: Scope.Closeable
  /** How its lanes are run, and those that run, by shard. */
  readonly lanes: Map<number, Effect.Effect<void>>
  readonly running: Map<number, Fiber.Fiber<void>>
  isDead: boolean
}

const shardOf = (name: string) => hash(name) % lanes + 1

/** Runs the lanes of a runner where the test says that it owns them. */
const sharding = (runner: Runner, owners: ReadonlyMap<number, Runner>) =>
  Layer.mock(Sharding.Sharding)({
    getShardId: (id, group) => ShardId.make(group, shardOf(id)),
    hasShardId: ({ id }) => owners.get(id) === runner,
    registerSingleton: Effect.fnUntraced(function*<E, R>(name: string, run: Effect.Effect<void, E, R>) {
      const context = yield* Effect.context<R>()
      const shard = shardOf(name)
      runner.lanes.set(shard, Effect.ignore(Effect.provide(run, context)))
      yield* Effect.addFinalizer(() => stopLane(runner, shard))
    })
  })

const stopLane = (runner: Runner, shard: number) =>
  Effect.suspend(() => {
    const fiber = runner.running.get(shard)
    runner.running.delete(shard)
    return fiber === undefined ? Effect.void : Fiber.interrupt(fiber)
  })

const startLane = (runner: Runner, shard: number) =>
  Effect.suspend(() => {
    const lane = runner.lanes.get(shard)
    if (lane === undefined || runner.isDead || runner.running.has(shard)) return Effect.void
    return Effect.map(Effect.forkIn(lane, runner.scope), (fiber) => void runner.running.set(shard, fiber))
  })

const simulation = Effect.fnUntraced(function*(seed: number) {
  const happened: Array<string> = []
  const handled = new Map(channels.map((channel) => [channel, new Array<number>()]))
  const positions = new Map<string, bigint>()
  const wentBack: Array<string> = []
  const lost: Array<string> = []
  const unwanted: Array<string> = []
  const store = yield* FleetStore.FleetStore
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const began = yield* Clock.currentTimeMillis
  const log = (what: string) =>
    Effect.map(Clock.currentTimeMillis, (now) => void happened.push(`${(now - began) / 1_000} s: ${what}`))

  /** Nothing that a dead runner does has an effect. */
  const seenFrom = (runner: Runner): FleetStore.FleetStore["Service"] => {
    const alive = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
      Effect.suspend(() => runner.isDead ? Effect.die("dead") : effect)
    return {
      ...store,
      taken: (...args) => alive(store.taken(...args)),
      claim: (options) =>
        alive(Effect.map(store.claim(options), (claim) => ({
          ...claim,
          store: {
            ...claim.store,
            load: (reader) => alive(claim.store.load(reader)),
            save: (reader, cursor) =>
              alive(Effect.map(claim.store.save(reader, cursor), () => {
                const position = BigInt(cursor.position)
                if (position < (positions.get(reader) ?? 0n)) wentBack.push(reader)
                positions.set(reader, position)
              }))
          }
        })))
    }
  }

  const owners = new Map<number, Runner>()
  const runners = new Array<Runner>()
  const shards = Array.from({ length: lanes }, (_, index) => index + 1)
  const oneOf = <A>(all: ReadonlyArray<A>) =>
    Effect.map(Random.nextIntBetween(0, all.length), (index) => all[index % all.length])

  /** Moves a lane in order; or its old runner was frozen, and ends it only later. */
  const move = Effect.fnUntraced(function*(shard: number, to: Runner, isOrderly: boolean) {
    const from = owners.get(shard)
    if (from === to) return
    yield* log(`lane ${shard} moves from ${from?.name ?? "nobody"} to ${to.name}${isOrderly ? "" : ", unnoticed"}`)
    owners.set(shard, to)
    if (from !== undefined && isOrderly) yield* stopLane(from, shard)
    // Meanwhile it may have moved on.
    if (owners.get(shard) === to) yield* startLane(to, shard)
    if (from === undefined || isOrderly) return
    yield* Effect.sleep("4 seconds")
    if (owners.get(shard) !== from) yield* stopLane(from, shard)
  })

  const spread = Effect.forEach(shards, (shard) =>
    Effect.gen(function*() {
      const to = yield* oneOf(runners)
      if (!owners.has(shard) && to !== undefined) yield* move(shard, to, true)
    }))

  const join = Effect.gen(function*() {
    const runner: Runner = {
      name: `runner-${happened.length}`,
      scope: yield* Scope.make(),
      lanes: new Map(),
      running: new Map(),
      isDead: false
    }
    yield* log(`${runner.name} joins`)
    yield* Layer.buildWithScope(
      Fleet.layer(({ channel, payload }) =>
        Effect.andThen(
          Effect.flatMap(Random.nextIntBetween(0, 300), Effect.sleep),
          Effect.suspend(() => {
            if (runner.isDead) return Effect.never
            const all = handled.get(channel)
            if (all !== undefined && !all.includes(payload)) all.push(payload)
            const state = states.get(channel)
            if (state?.unwanted.includes(payload)) unwanted.push(`${channel} ${payload}`)
            return log(`${runner.name} handles ${channel} ${payload}`)
          })
        ), { name: fleet, lanes, owner: runner.name, schema: Schema.Int }).pipe(
          Layer.provide([sharding(runner, owners), Layer.succeed(FleetStore.FleetStore, seenFrom(runner))])
        ),
      runner.scope
    )
    runners.push(runner)
    yield* spread
  })

  /** The lanes are free once the runner has ended; those of a dead one after a while. */
  const leave = Effect.fnUntraced(function*(runner: Runner, isDead: boolean) {
    yield* log(`${runner.name} ${isDead ? "dies" : "ends"}`)
    runner.isDead = isDead
    runners.splice(runners.indexOf(runner), 1)
    const ended = yield* Effect.forkChild(Scope.close(runner.scope, Exit.void))
    if (isDead) yield* Effect.sleep(yield* Random.nextIntBetween(0, 5_000))
    else yield* Fiber.join(ended)
    for (const [shard, owner] of owners) if (owner === runner) owners.delete(shard)
    yield* spread
  })

  interface State {
    reading?: Fiber.Fiber<void, unknown> | undefined
    isRead: boolean
    removedAt?: number | undefined
    /** What must be handled, and what must not while the channel is not added again. */
    wanted: Array<number>
    unwanted: Array<number>
    published: number
  }
  const states = new Map(
    channels.map((channel): [string, State] => [channel, { isRead: false, wanted: [], unwanted: [], published: 0 }])
  )

  const add = Effect.fnUntraced(function*(channel: string, state: State) {
    yield* log(`${channel} is added`)
    yield* Fleet.addChannels({ fleet, channels: [channel] })
    state.removedAt = undefined
    state.unwanted = []
    state.reading = yield* Effect.forkChild(
      Effect.andThen(
        Fleet.untilRead({ fleet, channels: [channel] }),
        Effect.suspend(() => {
          state.isRead = true
          return log(`${channel} is read`)
        })
      )
    )
  })

  const missing = (channel: string, state: State) => state.wanted.filter((n) => !handled.get(channel)?.includes(n))

  const remove = Effect.fnUntraced(function*(channel: string, state: State) {
    yield* log(`${channel} is removed`)
    if (state.reading !== undefined) yield* Fiber.interrupt(state.reading)
    yield* Fleet.removeChannels({ fleet, channels: [channel] })
    // What no lane has received by now need not be handled.
    const open = missing(channel, state)
    state.wanted = state.wanted.filter((n) => !open.includes(n))
    state.reading = undefined
    state.isRead = false
    state.removedAt = yield* Clock.currentTimeMillis
  })

  const publish = Effect.fnUntraced(function*(channel: string, state: State) {
    const n = ++state.published
    if (state.isRead) state.wanted.push(n)
    const now = yield* Clock.currentTimeMillis
    if (state.removedAt !== undefined && now - state.removedAt > noticed) state.unwanted.push(n)
    yield* log(`${channel} ${n} is published${state.isRead ? "" : ", unread"}`)
    yield* emulator.publish({ channel, message: n })
  })

  yield* join
  yield* join
  for (const [channel, state] of states) yield* add(channel, state)
  for (let step = 0; step < 60; step++) {
    const dice = yield* Random.nextIntBetween(0, 100)
    const [channel = "a", state] = (yield* oneOf([...states])) ?? []
    const runner = yield* oneOf(runners)
    if (state === undefined) continue
    if (dice < 45) yield* publish(channel, state)
    else if (dice < 58) yield* state.reading === undefined ? add(channel, state) : remove(channel, state)
    else if (dice < 88 && runner !== undefined) {
      const shard = (yield* oneOf(shards)) ?? 1
      if (owners.has(shard)) yield* Effect.forkChild(move(shard, runner, dice < 80))
    } else if (dice < 93 && runner !== undefined) yield* Effect.forkChild(leave(runner, dice < 91))
    else if (runners.length < 3) yield* join
    const isLong = (yield* Random.nextIntBetween(0, 4)) === 0
    yield* VirtualTime.advance(yield* Random.nextIntBetween(1, isLong ? 4_000 : 300))
  }
  if (runners.length === 0) yield* join
  yield* VirtualTime.advance("1 minute")
  for (const [channel, state] of states) lost.push(...missing(channel, state).map((n) => `${channel} ${n}`))
  const disordered = [...handled].filter(([, all]) => all.some((n, index) => n < (all[index - 1] ?? 0)))
  for (const runner of runners) runner.isDead = true
  assert.deepStrictEqual(
    { lost, unwanted, wentBack, disordered },
    { lost: [], unwanted: [], wentBack: [], disordered: [] },
    `seed ${seed}:\n${happened.join("\n")}\n`
  )
  return [...states.values()].reduce((sum, { wanted }) => sum + wanted.length, 0)
})

describe("channels that are added and removed while lanes move", () => {
  it.effect.each(batchesOf(8, 0.2))(
    "lose no message that is published while they are read: %s",
    ([, seeds]) =>
      Effect.gen(function*() {
        let wanted = 0
        for (const seed of seeds) {
          wanted += yield* Effect.scoped(simulation(seed)).pipe(
            Effect.provide(
              Layer.mergeAll(FleetStore.layerMemory, Logger.layer([])).pipe(Layer.provideMerge(emulated()))
            ),
            Random.withSeed(seed)
          )
        }
        assert.isAbove(wanted, seeds.length)
      }),
    300_000
  )
})
