/**
 * Three runners of a fleet in processes of their own, with PostgreSQL: killed, ended, frozen, and without their database. Nothing
 * is lost, no cursor goes back, and what comes twice was in hand. How long it takes depends on the machine: `TAKE_OVER` and
 * `SIGTERM_TAKE_OVER` are the limits in seconds. The figures are printed.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { type FleetError, SqlFleetStore } from "effect-herald/fleet"
import { PubNubEmulatorServer } from "effect-herald/node"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as World from "../fleet/world.ts"
import * as Postgres from "../kit/postgres.ts"
import { program } from "../kit/programs.ts"
import { root } from "../kit/scratch.ts"
import { isWhole } from "./seeds.ts"

const limit = Number(process.env.TAKE_OVER ?? 30) * 1_000
const sigtermLimit = Number(process.env.SIGTERM_TAKE_OVER ?? 20) * 1_000
const channels = Number(process.env.CHANNELS ?? 10_000)
const lanes = Number(process.env.LANES ?? 100)
const rate = Number(process.env.RATE ?? 200)

/** A restart needs a server that nobody else uses. */
const server = !isWhole || Postgres.server === undefined ? undefined : await Postgres.own()

const told = (what: string, figures: object) =>
  Effect.sync(() => {
    const load = Os.loadavg().map((load) => load.toFixed(1)).join(" ")
    process.stderr.write(`${what}: ${JSON.stringify(figures)} (load ${load})\n`)
  })

let ports = 36_000

const world = Effect.fnUntraced(function*(url: string, options: Partial<World.Options> = {}) {
  const { emulator, port } = yield* PubNubEmulatorServer.PubNubEmulatorServer
  const folder = Fs.mkdtempSync(Path.join(root, ".scratch/fleet-"))
  yield* Effect.addFinalizer(() => Effect.sync(() => Fs.rmSync(folder, { recursive: true })))
  yield* World.createTables
  const world = yield* World.make({
    emulator,
    url,
    origin: `127.0.0.1:${port}`,
    channels,
    rate,
    lanes,
    shards: lanes,
    work: 5,
    program: yield* program("runner"),
    folder,
    firstPort: ports += 10,
    ...options
  })
  yield* world.addChannels
  for (const runner of [0, 1, 2]) yield* world.start(runner)
  assert.isTrue(yield* world.ready)
  yield* world.calm
  return world
})

describe.skipIf(server === undefined)("three runners", () => {
  if (server === undefined) return
  const url = `postgres://postgres@127.0.0.1:${server.port}/postgres`

  const run = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.acquireRelease(
      Effect.sync(() => server.start()),
      () => Effect.sync(() => server.stop("immediate"))
    ).pipe(
      Effect.andThen(Effect.provide(
        Effect.scoped(Effect.andThen(World.dropTables, effect)),
        Layer.mergeAll(PubNubEmulatorServer.layer(), SqlFleetStore.layer()).pipe(
          Layer.provideMerge(Postgres.client(server, "postgres", { maxConnections: 5 }))
        )
      )),
      Effect.scoped
    )

  it.live(
    "lose nothing when each of them is killed, ended, frozen, and when PostgreSQL restarts",
    () =>
      run(Effect.gen(function*() {
        const fleet = yield* world(url)
        const shares = yield* fleet.shares
        yield* told("lanes of the runners", shares)
        assert.isAtMost(Math.max(...shares), 1.3 * lanes / 3)
        const publishing = yield* Effect.forkChild(fleet.publishing)
        const step = Effect.fnUntraced(function*(
          what: string,
          most: number,
          act: Effect.Effect<{ readonly millis: number }, FleetError>,
          unanswered = 0
        ) {
          const before = yield* fleet.report
          const handed = yield* fleet.inHand
          const moved = yield* act
          yield* fleet.calm
          const { back, twice } = yield* fleet.report
          const { beyond, inHand, within } = yield* fleet.inHand
          yield* told(what, { ...moved, twice: twice - before.twice, inHand: inHand - handed.inHand })
          // Each message that came twice was in hand in a lane that moved, or the answer to its INSERT was lost.
          assert.deepStrictEqual({ back, beyond }, { back: 0, beyond: 0 }, what)
          assert.isAtMost(within - handed.within, unanswered, what)
          assert.isAtMost(twice - before.twice, inHand - handed.inHand + within - handed.within, what)
          assert.isTrue(moved.millis >= 0 && moved.millis <= most, `${what}: ${moved.millis} ms`)
        })
        for (const runner of [0, 1, 2]) {
          yield* step("kill -9", limit, fleet.takeOver(runner, fleet.signal(runner, "SIGKILL")))
          yield* fleet.start(runner)
          yield* fleet.joined(runner)
          yield* fleet.calm
        }
        yield* step("SIGTERM", sigtermLimit, fleet.takeOver(0, fleet.signal(0, "SIGTERM")))
        yield* fleet.start(0)
        yield* fleet.joined(0)
        yield* fleet.calm
        const frozen = Effect.fnUntraced(function*(seconds: number) {
          const takeOver = yield* Effect.forkChild(fleet.takeOver(1, fleet.signal(1, "SIGSTOP")))
          yield* Effect.sleep(seconds * 1_000)
          yield* fleet.signal(1, "SIGCONT")
          if (seconds > 6) return yield* Fiber.join(takeOver)
          yield* Fiber.interrupt(takeOver)
          return { millis: 0 }
        })
        yield* step("SIGSTOP for 2 seconds", limit, frozen(2))
        yield* step("SIGSTOP for 14 seconds", limit, frozen(14))
        yield* step(
          "PostgreSQL restarted",
          limit,
          Effect.as(
            Effect.sync(() => {
              server.stop("fast")
              server.start()
            }),
            { millis: 0 }
          ),
          lanes
        )
        yield* Fiber.interrupt(publishing)
        yield* fleet.settled(120)
        const { back, lost, published, twice } = yield* fleet.report
        const { beyond, inHand, within } = yield* fleet.inHand
        yield* told("in all", { published, lost, twice, inHand, within, back })
        assert.deepStrictEqual({ lost, back, beyond }, { lost: 0, back: 0, beyond: 0 })
        assert.isAtMost(twice, inHand + within)
      })),
    600_000
  )

  it.live.each([500, 5_000])(
    "read %d messages that wait in a lane after a take-over",
    (waiting) =>
      run(Effect.gen(function*() {
        const fleet = yield* world(url, { lanes: 6, shards: 6, channels: 60, work: 0 })
        const [owned] = (yield* fleet.readers).filter(({ owner }) => owner === fleet.ownerOf(0))
        assert.isDefined(owned)
        const names = fleet.namesOf(owned.reader)
        yield* fleet.signal(0, "SIGKILL")
        yield* fleet.publishAll(waiting, (id) => names[id % names.length] ?? "")
        const began = Date.now()
        yield* fleet.settled(120)
        const { back, lost, twice } = yield* fleet.report
        yield* told(`a lane with ${waiting} messages`, { millis: Date.now() - began, lost, twice })
        assert.deepStrictEqual({ lost, back }, { lost: 0, back: 0 })
      })),
    300_000
  )
})

it.effect.skipIf(Postgres.server === undefined)(
  "a pool of one connection is refused at the start",
  () =>
    Effect.gen(function*() {
      const refused = yield* Effect.forkChild(Effect.flip(Layer.build(SqlFleetStore.layer())))
      // As long as it takes with two connections, and more.
      yield* TestClock.withLive(Effect.sleep("500 millis"))
      assert.isUndefined(refused.pollUnsafe())
      yield* TestClock.adjust("10 seconds")
      const error = yield* Fiber.join(refused)
      assert.strictEqual(error.kind, "SmallPool")
      assert.include(error.message, "Set maxConnections")
    }).pipe(Effect.provide(Postgres.layer({ maxConnections: 1 })), Effect.scoped)
)
