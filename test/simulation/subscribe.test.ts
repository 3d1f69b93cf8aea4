/**
 * Seeded schedules in virtual time: every fault kind, alone and mixed, over a stream of fewer than 100 unread messages.
 * The invariant: what was published is delivered, once each, in order within its region, and the reader polls again.
 *
 * `SEEDS=10000 npx vitest run test/simulation` runs more of them, `SEED=17` only one. A failing seed is printed with the
 * faults that it injected.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock_ from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { type Event, PubNubConfig, Subscribe } from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import { Clock, Faults, PubNubEmulator } from "effect-herald/testing"

interface Sent {
  readonly id: number
  readonly channel: string
  readonly region: number
  readonly timetoken: string
}

const channels = ["orders", "alerts.red", "team"]

const world = (options: { readonly chance?: Faults.Chance; readonly script?: ReadonlyArray<Faults.Rule> }) =>
  Faults.layer(options).pipe(
    Layer.provideMerge(PubNubEmulator.layer()),
    Layer.provideMerge(PubNubConfig.layer({
      subscribeKey: "demo-sub",
      publishKey: "demo-pub",
      userId: "reader",
      origin: "emulator"
    })),
    Layer.provideMerge(Clock.layer)
  )

const simulate = Effect.fnUntraced(function*(messages: number) {
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const faults = yield* Faults.Faults
  const seen: Array<Event.SubscribeEvent> = []
  const reader = yield* Subscribe.stream({
    channels: ["orders", "alerts.*"],
    groups: ["crew"],
    reconnect: { AccessDenied: Retry.reconnect }
  }).pipe(
    Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
    Effect.forkChild
  )
  for (let minutes = 0; !seen.some((event) => event._tag === "Connected"); minutes++) {
    assert.isBelow(minutes, 60, "never connected")
    yield* Clock.advance("1 minute")
  }

  const sent: Array<Sent> = []
  for (let id = 0; id < messages; id++) {
    const channel = channels[yield* Random.nextIntBetween(0, channels.length - 1)]!
    const other = (yield* Random.nextIntBetween(0, 8)) === 0
    const region = other ? 2 : 1
    const timetoken = yield* emulator.publish({
      channel,
      message: id,
      publisher: `p${id % 3}`,
      region,
      // From another region a message can come after younger ones.
      ...(other ? { delay: Duration.millis(yield* Random.nextIntBetween(0, 5_000)) } : {})
    })
    sent.push({ id, channel, region, timetoken })
    switch (yield* Random.nextIntBetween(0, 40)) {
      case 0:
        yield* Clock.jump("8 hours")
        break
      case 1:
        yield* emulator.restart
        break
      case 2:
        yield* emulator.setRegion(yield* Random.nextIntBetween(1, 4))
        break
    }
    // Bursts, pauses, and now and then a quarter of an hour.
    const pause = (yield* Random.nextIntBetween(0, 3)) === 0 ? 20_000 : 500
    yield* Clock.advance(Duration.millis(yield* Random.nextIntBetween(0, pause)))
  }
  yield* faults.heal
  yield* Clock.advance("5 minutes")

  const schedule = Faults.format(yield* faults.injected)
  const ended = reader.pollUnsafe()
  if (ended !== undefined) return assert.fail(`the stream ended: ${String(ended)}\n${schedule}`)
  assert.isAbove(yield* emulator.readers, 0, `stuck: nobody polls\n${schedule}`)
  const delivered = seen.filter((event) => event._tag === "Message")
  const ids = delivered.map((event) => event.payload)
  const lost = sent.filter(({ id }) => !ids.includes(id)).map(({ id }) => id)
  assert.deepStrictEqual(lost, [], `lost\n${schedule}`)
  assert.strictEqual(
    ids.length,
    new Set(ids).size,
    `duplicated ${JSON.stringify(ids.filter((id, at) => ids.indexOf(id) !== at))}\n${schedule}`
  )
  assert.strictEqual(ids.length, sent.length)
  for (const channel of channels) {
    for (const region of [1, 2]) {
      // What comes late from elsewhere has an order of its own only without delay, so only one region is strict.
      if (region === 2) continue
      const expected = sent.filter((message) => message.channel === channel && message.region === region)
      // What comes from history does not say its region.
      const ids = new Set(expected.map(({ id }) => id))
      const got = delivered.filter((event) => ids.has(Number(event.payload)))
      assert.deepStrictEqual(
        got.map((event) => event.payload),
        expected.map(({ id }) => id),
        `out of order\n${schedule}`
      )
      assert.deepStrictEqual<ReadonlyArray<string>>(
        got.map((event) => event.timetoken),
        expected.map(({ timetoken }) => timetoken)
      )
    }
  }
  // Every interruption that was told was followed by more.
  assert.strictEqual(seen.at(-1)?._tag === "Interrupted", false, `an interruption without an end\n${schedule}`)
  yield* Fiber.interrupt(reader)
  return { faults: (yield* faults.injected).length, now: yield* Clock_.currentTimeMillis }
})

const prepared = Effect.andThen(
  TestClock.setTime(1_790_000_000_000),
  Effect.gen(function*() {
    const emulator = yield* PubNubEmulator.PubNubEmulator
    yield* emulator.addToGroup("crew", ["team"])
  })
)

const alone = Faults.everything.map((rule) =>
  [
    `${rule.fault._tag}${"status" in rule.fault ? ` ${rule.fault.status}` : ""}${
      rule.lasting === undefined ? "" : ` for ${Duration.format(Duration.fromInputUnsafe(rule.lasting))}`
    }`,
    rule
  ] as const
)

describe("one fault kind at a time", () => {
  it.effect.each(alone)("%s", ([, rule]) =>
    Effect.gen(function*() {
      yield* prepared
      const { faults } = yield* simulate(60)
      assert.isAbove(faults, 0, "the fault never happened")
    }).pipe(
      // A service that lies every third time cannot be told from one that speaks the truth.
      Effect.provide(
        world({ chance: { seed: 7, rate: rule.fault._tag === "FutureCursor" ? 0.1 : 0.3, faults: [rule] } })
      ),
      Random.withSeed(alone.findIndex((other) => other[1] === rule))
    ))
})

const seeds = process.env.SEED === undefined
  ? Array.from({ length: Number(process.env.SEEDS ?? 1000) }, (_, seed) => seed)
  : [Number(process.env.SEED)]

// A file has one thread: a test for each fifty seeds shows progress, and which seeds to look at.
const batches = Array.from(
  { length: Math.ceil(seeds.length / 50) },
  (_, index) => seeds.slice(index * 50, index * 50 + 50)
)

describe("all fault kinds mixed", () => {
  it.effect.each(batches.map((batch) => [`seeds ${batch[0]} to ${batch.at(-1)}`, batch] as const))(
    "%s",
    ([, batch]) =>
      Effect.forEach(batch, (seed) =>
        prepared.pipe(
          Effect.andThen(simulate(80)),
          Effect.provide(world({ chance: { seed, rate: 0.15 } })),
          Random.withSeed(seed),
          Effect.provide(TestClock.layer()),
          Effect.catchDefect((defect) =>
            Effect.die(new Error(`SEED=${seed}: ${defect instanceof Error ? defect.message : String(defect)}`))
          )
        ), { discard: true }),
    120_000
  )
})
