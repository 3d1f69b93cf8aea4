/**
 * Seeded schedules in virtual time: messages are published, users add actions and take them back, while requests fail in
 * every way that may pass. The invariant: when all is well again, `MessageActions.live` tells what the service knows.
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
import * as TestClock from "effect/testing/TestClock"
import { MessageActions } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as Live from "effect-herald/Live"
import { emulated } from "../kit/emulated.ts"
import { seedsOf } from "./seeds.ts"
import * as Possible from "./faults.ts"

// One 403 ends it, as it should.
const faults = Possible.faults.filter(({ fault }) => fault._tag !== "AccessDenied")

const world = (seed: number) =>
  Faults.layer({ chance: { seed, rate: 0.15, faults } }).pipe(
    Layer.provideMerge(emulated({
      // Small, so that there is often more than fits.
      emulator: {
        historyDelay: seed % 2 === 0 ? 0 : 900,
        limits: { queueLength: 20, actionsPageSize: 10, queueRetention: "2 minutes" }
      },
      config: { queueLength: 20 }
    })),
    Layer.provideMerge(Logger.layer([]))
  )

const pick = <A>(values: ReadonlyArray<A>): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, values.length - 1), (index) => values[index]!)

type Watch = "some messages" | "the newest messages"

const simulate = Effect.fnUntraced(function*(watch: Watch) {
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const injected = yield* Faults.Faults
  const sent: Array<string> = []
  const publish = (store: boolean) =>
    Effect.map(emulator.publish({ channel: "a", message: sent.length, store }), ({ timetoken }) => {
      sent.push(timetoken)
    })
  for (let index = 0; index < 30; index++) yield* publish(index % 7 > 0 || watch === "the newest messages")
  const old = ["1595634332", ...sent.slice(0, 8), sent[25]!]

  const act = Effect.gen(function*() {
    const dice = yield* Random.nextIntBetween(0, 10)
    if (dice === 0 && watch === "the newest messages") return yield* publish(true)
    const uuid = yield* pick(["ada", "bob", "eve"])
    const about = watch === "some messages" ? old : sent.slice(-8)
    const messageTimetoken = yield* pick(about)
    const all = yield* emulator.actions({ channel: "a" })
    if (dice < 4 && all.length > 0) {
      return yield* emulator.removeAction({ channel: "a", ...yield* pick(all) })
    }
    const value = yield* pick(["👍", "👎", "😻"])
    yield* emulator.addAction({ channel: "a", messageTimetoken, type: "reaction", value, userId: uuid })
  })
  yield* Effect.replicateEffect(act, 20)

  const last = yield* Random.nextIntBetween(1, 40)
  const values: Array<ReadonlyMap<string, MessageActions.Reactions>> = []
  const watcher = yield* Stream.unwrap(Effect.map(
    MessageActions.live(
      watch === "some messages" ? { channel: "a", messages: old } : { channel: "a", last }
    ),
    Live.values
  )).pipe(
    Stream.runForEach((value) => Effect.sync(() => values.push(value))),
    Effect.forkChild
  )
  for (let step = 0; step < 80; step++) {
    yield* act
    if ((yield* Random.nextIntBetween(0, 40)) === 0) yield* emulator.restart
    // More than the service keeps for a reader.
    if ((yield* Random.nextIntBetween(0, 40)) === 0) yield* Effect.replicateEffect(act, 30)
    // Bursts, pauses, and now and then a minute.
    yield* VirtualTime.advance(Duration.millis((yield* Random.nextIntBetween(0, 3)) === 0 ? step * 800 : 0))
  }
  yield* injected.heal
  yield* VirtualTime.advance("5 minutes")

  const schedule = Faults.format(yield* injected.injected)
  const ended = watcher.pollUnsafe()
  if (ended !== undefined) return assert.fail(`the stream ended: ${String(ended)}\n${schedule}`)
  const actions = yield* emulator.actions({ channel: "a" })
  const expected = (watch === "some messages" ? old : sent.slice(-last)).map((message) => [
    message,
    actions.filter(({ messageTimetoken }) => messageTimetoken === message)
      .map(({ actionTimetoken, userId: uuid, value }) => [actionTimetoken, value, uuid])
  ])
  const seen = Array.from(values.at(-1) ?? [], ([message, reactions]) => [
    message,
    reactions.flatMap(({ count, mine, users, value }) => {
      assert.strictEqual(count, users.size)
      assert.strictEqual(mine, [...users].find(([user]) => user === "ada")?.[1])
      return Array.from(users, ([user, action]) => [action, value, user])
    }).toSorted(([a], [b]) => a! < b! ? -1 : 1)
  ])
  assert.deepStrictEqual(seen, expected, schedule)
  yield* Fiber.interrupt(watcher)
})

const seeds = seedsOf(2, 1 / 6)

it.effect.each<Watch>(["some messages", "the newest messages"])(
  "MessageActions.live agrees with the service after faults, for %s",
  (watch) =>
    Effect.forEach(seeds, (seed) =>
      simulate(watch).pipe(
        Effect.provide(world(seed)),
        Random.withSeed(seed),
        Effect.provide(TestClock.layer()),
        Effect.catchDefect((defect) =>
          Effect.die(new Error(`SEED=${seed}: ${defect instanceof Error ? defect.message : String(defect)}`))
        )
      ), { discard: true }),
  120_000
)
