/**
 * Seeded faults on publishing, in virtual time. What was reported is what was stored: a message that was published is
 * there once and in order, one that failed is not there, one whose outcome is unknown is there at most once. With ids and
 * `resendUnknown`, everything is there once after `dedupe`.
 *
 * `SEEDS=10000 npx vitest run test/simulation/publisher.test.ts` runs more seeds, `SEED=17` only one. A failing seed is
 * printed with the faults that it injected.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { type Event, Publisher, PubNubConfig, Timetoken } from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import { Clock, Faults, PubNubEmulator } from "effect-herald/testing"

const { Fault } = Faults

const faults: ReadonlyArray<Pick<Faults.Rule, "fault" | "lasting">> = [
  { fault: Fault.ConnectionRefused() },
  { fault: Fault.ConnectionRefused(), lasting: "90 seconds" },
  { fault: Fault.NameNotFound() },
  { fault: Fault.ResetBeforeAnswer() },
  { fault: Fault.ResetInBody() },
  { fault: Fault.TruncatedBody() },
  { fault: Fault.TruncatedJson() },
  { fault: Fault.MalformedJson() },
  { fault: Fault.EmptyBody() },
  { fault: Fault.EmptyObject() },
  { fault: Fault.ServerError({ status: 500, handled: false }) },
  { fault: Fault.ServerError({ status: 500, handled: true }) },
  { fault: Fault.ServerError({ status: 502, handled: true }) },
  { fault: Fault.ServerError({ status: 503, handled: false }) },
  { fault: Fault.ServerError({ status: 504, handled: true }) },
  { fault: Fault.RateLimited({ retryAfter: 5 }) },
  { fault: Fault.Slow({ by: "1 minute" }) },
  { fault: Fault.Slow({ by: "2 seconds" }) },
  { fault: Fault.HalfOpen() },
  { fault: Fault.HalfOpen(), lasting: "40 seconds" },
  { fault: Fault.Restart() }
]

const channels = ["orders", "alerts.red", "team"]
const keys = { subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ada", origin: "emulator" }

const configured = Effect.provideService(PubNubConfig.PubNubConfig, PubNubConfig.make(keys))

const world = (seed: number) =>
  Faults.layer({ chance: { seed, rate: 0.3, faults } }).pipe(
    Layer.provideMerge(PubNubEmulator.layer({ latency: Effect.succeed("30 millis") })),
    Layer.provideMerge(Clock.layer)
  )

interface Told {
  readonly id: number
  readonly channel: string
  readonly outcome: Exit.Exit<unknown, Publisher.PublisherError>
}

/** Publishes so many messages, in bursts, and gives what was told of each. Some publishers give up early. */
const publishAll = Effect.fnUntraced(function*(
  publisher: Publisher.Publisher["Service"],
  options: { readonly count: number; readonly impatient: boolean; readonly during: Effect.Effect<void> }
) {
  const fibers: Array<Effect.Effect<Told>> = []
  for (let id = 0; id < options.count; id++) {
    const channel = channels[yield* Random.nextIntBetween(0, channels.length - 1)]!
    const fiber = yield* Effect.forkChild(publisher.publish({ channel, message: id }), { startImmediately: true })
    fibers.push(Effect.map(Fiber.await(fiber), (outcome) => ({ id, channel, outcome })))
    if (options.impatient && (yield* Random.nextIntBetween(0, 9)) === 0) {
      const patience = Duration.millis(yield* Random.nextIntBetween(0, 5_000))
      yield* Effect.forkChild(Effect.delay(Fiber.interrupt(fiber), patience))
    }
    if ((yield* Random.nextIntBetween(0, 5)) === 0) {
      yield* Clock.advance(Duration.millis(yield* Random.nextIntBetween(0, 3_000)))
    }
  }
  yield* options.during
  yield* Clock.advance("2 hours")
  return yield* Effect.all(fibers)
})

const storedOn = (channel: string) => PubNubEmulator.PubNubEmulator.use((emulator) => emulator.messages(channel))

/** What a run came to, so that the whole can say that every outcome was seen. */
const counts = { published: 0, unknown: 0, failed: 0, closed: 0, withdrawn: 0, resent: 0 }

const tally = (outcome: Told["outcome"]): keyof typeof counts => {
  if (Exit.isSuccess(outcome)) return "published"
  const error = Exit.findErrorOption(outcome)
  if (Option.isNone(error)) return "withdrawn"
  switch (error.value._tag) {
    case "PublishOutcomeUnknown":
      return "unknown"
    case "PublisherClosed":
      return "closed"
    default:
      return "failed"
  }
}

const truthful = Effect.gen(function*() {
  const scope = yield* Scope.make()
  const closes = (yield* Random.nextIntBetween(0, 3)) === 0
  const publisher = yield* Scope.provide(Publisher.make({ capacity: 8 }), scope).pipe(configured)
  const told = yield* publishAll(publisher, {
    count: 60,
    impatient: true,
    during: closes
      ? Effect.asVoid(Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true }))
      : Effect.void
  })
  for (const channel of channels) {
    const ids = (yield* storedOn(channel)).map(({ message }) => Number(message))
    assert.deepStrictEqual(ids, [...new Set(ids)].sort((a, b) => a - b), `${channel}: twice, or out of order`)
    for (const message of told.filter((message) => message.channel === channel)) {
      const kind = tally(message.outcome)
      counts[kind]++
      if (kind === "published") assert.include(ids, message.id, "published, and not stored")
      if (kind === "failed" || kind === "closed") assert.notInclude(ids, message.id, `${kind}, and stored`)
    }
  }
  yield* Scope.close(scope, Exit.void)
})

const resending = Effect.gen(function*() {
  const settings = { messageIds: true, resendUnknown: true, retry: Retry.reconnect } as const
  const publisher = yield* configured(Publisher.make(settings))
  const told = yield* publishAll(publisher, { count: 60, impatient: false, during: Effect.void })
  for (const channel of channels) {
    const stored = yield* storedOn(channel)
    const read = yield* Stream.fromIterable(stored).pipe(
      Stream.map(({ message, meta, timetoken }): Event.Message => ({
        _tag: "Message",
        channel,
        subscription: channel,
        timetoken: Timetoken.Timetoken.make(timetoken),
        cursor: { position: timetoken, delivered: [] },
        payload: Number(message),
        meta: Schema.decodeUnknownSync(Schema.Json)(meta)
      })),
      Publisher.dedupe(),
      Stream.runCollect
    )
    const own = told.filter((message) => message.channel === channel)
    assert.deepStrictEqual(own.filter(({ outcome }) => Exit.isFailure(outcome)), [], "not published")
    assert.deepStrictEqual(
      read.map(({ payload }) => payload),
      own.map(({ id }) => id),
      `${channel}: not once, in order`
    )
    counts.resent += stored.length - read.length
  }
}).pipe(Effect.scoped)

const seeds = process.env.SEED === undefined
  ? Array.from({ length: Number(process.env.SEEDS ?? 500) }, (_, seed) => seed)
  : [Number(process.env.SEED)]

const batches = Array.from(
  { length: Math.ceil(seeds.length / 50) },
  (_, index) => seeds.slice(index * 50, index * 50 + 50)
).map((batch) => [`seeds ${batch[0]} to ${batch.at(-1)}`, batch] as const)

const inEachSeed = (
  batch: ReadonlyArray<number>,
  run: Effect.Effect<void, never, Faults.Faults | PubNubEmulator.PubNubEmulator | HttpClient.HttpClient>
) =>
  Effect.forEach(batch, (seed) =>
    TestClock.setTime(1_790_000_000_000).pipe(
      Effect.andThen(run),
      Effect.catchDefect((defect) =>
        Effect.flatMap(Faults.Faults.use(({ injected }) => injected), (injected) =>
          Effect.die(
            new Error(
              `SEED=${seed}: ${defect instanceof Error ? defect.message : String(defect)}\n${Faults.format(injected)}`
            )
          ))
      ),
      Effect.provide(world(seed)),
      Random.withSeed(seed),
      Effect.provide(TestClock.layer())
    ), { discard: true })

describe("what is told is what happened", () => {
  it.effect.each(batches)("%s", ([, batch]) => inEachSeed(batch, truthful), 120_000)

  it.runIf(seeds.length >= 100)("and every outcome was among them", () => {
    for (const kind of ["published", "unknown", "failed", "closed", "withdrawn"] as const) {
      assert.isAbove(counts[kind], 20, kind)
    }
  })
})

describe("with ids, and unknown outcomes sent again: everything, once, in order", () => {
  it.effect.each(batches)("%s", ([, batch]) => inEachSeed(batch, resending), 120_000)

  it.runIf(seeds.length >= 100)("and there were second copies", () => assert.isAbove(counts.resent, 100))
})
