/**
 * Seeded schedules in virtual time: users come, go and change their states while requests fail in every way that may pass.
 * The invariant: when all is well again, `Presence.live` tells what the service knows.
 *
 * `SEEDS=10000 npm run simulate` runs more of them, `SEED=17` only one. A failing seed is printed with the
 * faults that it injected.
 */
import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import { Presence } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as Live from "effect-herald/Live"
import { emulated } from "../kit/emulated.ts"
import * as TestClock from "effect/testing/TestClock"
import { seedsOf } from "./seeds.ts"
import * as Possible from "./faults.ts"

// One 403 ends it, as it should.
const faults = Possible.faults.filter(({ fault }) => fault._tag !== "AccessDenied")

const modes = {
  "each coming and going": { announceMax: 1000, deltas: false },
  "intervals with lists": { announceMax: 5, deltas: true },
  "intervals without lists": { announceMax: 5, deltas: false }
}
type Mode = keyof typeof modes

const world = (mode: Mode, seed: number) => {
  const { announceMax, deltas } = modes[mode]
  const limits = { announceMax, presenceTimeout: "1 day", queueLength: 20 } as const
  return Faults.layer({ chance: { seed, rate: 0.15, faults } }).pipe(
    Layer.provideMerge(
      emulated({ emulator: { limits, addOns: { presenceDeltas: deltas } }, config: { queueLength: 20 } })
    ),
    Layer.provideMerge(Logger.layer([]))
  )
}

const simulate = Effect.fnUntraced(function*(mode: Mode, includeState: boolean) {
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const injected = yield* Faults.Faults
  const ask = (target: string) =>
    emulator.handle({
      method: "GET",
      target: `/v2/presence/sub-key/demo-sub/channel/a${target}`,
      headers: {},
      body: ""
    })
  const values: Array<Presence.Occupancy> = []
  const watcher = yield* Stream.unwrap(
    Effect.map(Presence.live({ channel: "a", include: includeState ? ["state"] : [] }), Live.values)
  ).pipe(
    Stream.runForEach((value) => Effect.sync(() => values.push(value))),
    Effect.forkChild
  )
  for (let step = 0; step < 80; step++) {
    const user = `u${yield* Random.nextIntBetween(0, 15)}`
    const dice = yield* Random.nextIntBetween(0, 10)
    if (dice < 4) yield* ask(`/heartbeat?uuid=${user}`)
    else if (dice < 7) yield* ask(`/leave?uuid=${user}`)
    else if (dice < 9) yield* ask(`/uuid/${user}/data?uuid=${user}&state=${encodeURIComponent(`{"n":${step}}`)}`)
    else if (step % 4 === 0) yield* emulator.restart
    // Bursts, pauses, and now and then a minute.
    yield* VirtualTime.advance(Duration.millis((yield* Random.nextIntBetween(0, 3)) === 0 ? step * 800 : 0))
  }
  yield* injected.heal
  yield* VirtualTime.advance("5 minutes")

  const schedule = Faults.format(yield* injected.injected)
  const ended = watcher.pollUnsafe()
  if (ended !== undefined) return assert.fail(`the stream ended: ${String(ended)}\n${schedule}`)
  const here = (yield* Presence.hereNow({ channels: ["a"], include: includeState ? ["users", "state"] : ["users"] }))
    .channels.get("a")
  const last = values.at(-1)
  assert.strictEqual(last?.occupancy, here?.occupancy, schedule)
  // Who came in place of whom is not told without lists.
  if (mode !== "intervals without lists") {
    const sorted = (users: Iterable<Presence.Occupant>) => [...users].toSorted((a, b) => a.userId < b.userId ? -1 : 1)
    assert.deepStrictEqual(sorted(last?.users.values() ?? []), sorted(here?.users.values() ?? []), schedule)
  }
  yield* Fiber.interrupt(watcher)
})

const seeds = seedsOf(2, 1 / 10)

it.effect.each<Mode>(["each coming and going", "intervals with lists", "intervals without lists"])(
  "Presence.live agrees with the service after faults, for a channel with %s",
  (mode) =>
    Effect.forEach(seeds, (seed) =>
      simulate(mode, seed % 2 === 0).pipe(
        Effect.provide(world(mode, seed)),
        Random.withSeed(seed),
        Effect.provide(TestClock.layer()),
        Effect.catchDefect((defect) =>
          Effect.die(new Error(`SEED=${seed}: ${defect instanceof Error ? defect.message : String(defect)}`))
        )
      ), { discard: true }),
  120_000
)
