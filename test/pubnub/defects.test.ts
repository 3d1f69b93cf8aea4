/** What throws in a loop of ours, or in a function that was given to it, is told to everybody who waits. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as TimeClock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as CursorStore from "effect-herald/CursorStore"
import {
  Members,
  Publisher,
  type PubNubError,
  Subscribe,
  SubscribeError,
  type SubscribeEvent,
  Subscriber,
  type SubscribeStatus,
  Users
} from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import type { Live } from "effect-herald/Live"
import { emulated } from "../kit/emulated.ts"
import { collect } from "../kit/collect.ts"
import { payloads } from "../kit/events.ts"

const emulator = PubNubEmulator.PubNubEmulator

/** Which requests the transport throws at. */
class Sabotage extends Context.Service<Sabotage, { at: (url: string) => boolean }>()("Sabotage") {}

const sabotage = (...parts: ReadonlyArray<string>) =>
  Sabotage.use((sabotage) =>
    Effect.sync(() => {
      sabotage.at = (url) => parts.some((part) => url.includes(part))
    })
  )

const throwing = Layer.effectContext(Effect.gen(function*() {
  const sabotage = Sabotage.of({ at: () => false })
  const client = HttpClient.transform(yield* HttpClient.HttpClient, (sent, request) => {
    if (sabotage.at(request.url)) throw new Error(`the transport broke at ${request.url} with t0k/en`)
    return sent
  })
  return Context.make(Sabotage, sabotage).pipe(Context.add(HttpClient.HttpClient, client))
}))

type Options = Parameters<typeof emulated>[0]

const client = (options: Options = {}) =>
  throwing.pipe(Layer.provideMerge(emulated({
    ...options,
    config: { secretKey: Redacted.make("s3cr3t"), authToken: Redacted.make("t0k/en"), ...options?.config }
  })))

/** Without a secret, since signatures are made by the platform, in its own time. */
const unsigned = (options: Options = {}) => client({ ...options, config: { secretKey: undefined, ...options?.config } })

const plain = (options: Options = {}) => Layer.provideMerge(Subscriber.layer(), unsigned(options))

const later = VirtualTime.advance("1 second")

const publish = (...messages: ReadonlyArray<unknown>) =>
  emulator.use((service) => service.publishAll(messages.map((message) => ({ channel: "a", message }))))

/** The defect that a reader ended with. */
const endOf = <A, E>(fiber: Fiber.Fiber<A, E>) => {
  const exit = fiber.pollUnsafe()
  if (exit === undefined || Exit.isSuccess(exit)) return assert.fail("it goes on")
  const [reason, ...others] = exit.cause.reasons
  assert.deepStrictEqual(others, [])
  const error = reason?._tag === "Fail" ? reason.error : assert.fail(`no failure: ${Cause.pretty(exit.cause)}`)
  if (!(error instanceof SubscribeError.SubscribeError)) return assert.fail(String(error))
  assert.strictEqual(error.reason._tag, "Defect")
  assert.notMatch(`${error.message} ${JSON.stringify(error)}`, /s3cr3t|t0k|emulator\//)
  return error
}

/** A schedule that throws when it is asked. */
const throws = Schedule.forever.pipe(Schedule.modifyDelay(() => {
  throw new RangeError("no delay with t0k/en")
}))

const broken = Faults.Fault.ServerError({ status: 500, handled: false })

/** How a stream is read: with a connection that is shared, or one of its own. */
const connections = [
  ["a shared connection", Subscriber.layer()],
  ["a connection of its own", Layer.empty]
] as const

describe.each(connections)("a stream of %s", (_, sharing) => {
  const plain = (options: Options = {}) => Layer.provideMerge(sharing, unsigned(options))

  it.effect("fails with its cursor when its schedule throws, and loses nothing", () =>
    Effect.gen(function*() {
      const options = { channels: ["a"], reconnect: { ServerFailure: throws } }
      const { fiber, seen } = yield* collect(Subscribe.stream(options))
      yield* later
      yield* publish(1, 2)
      yield* later
      yield* Faults.Faults.use(({ add }) => add({ on: "poll", fault: broken }))
      yield* publish(3)
      yield* later
      const error = endOf(fiber)
      assert.strictEqual(
        error.reason.message,
        "A function threw: RangeError: no delay with {secret}. If it is yours (a schedule, an HttpClient), " +
          "fix it; else report it as a bug of effect-herald. Nothing was skipped: go on from the cursor."
      )
      const told = seen.at(-1)
      assert.deepStrictEqual(told?._tag === "Disconnected" && told.reason?._tag, "Defect")
      const rest = yield* collect(Subscribe.stream({ ...options, from: error.cursor }))
      yield* publish(4)
      yield* later
      assert.deepStrictEqual(payloads([...seen, ...rest.seen]), [1, 2, 3, 4])
    }).pipe(Effect.provide(plain())))

  it.effect("fails without a cursor when its schedule throws before the first position", () =>
    Effect.gen(function*() {
      const { fiber } = yield* collect(Subscribe.stream({ channels: ["a"], reconnect: { ServerFailure: throws } }))
      yield* later
      assert.isUndefined(endOf(fiber).cursor)
    }).pipe(Effect.provide(plain({ script: [{ on: "handshake", fault: broken }] }))))

  it.effect.each(["/demo-sub/a/0", "/v3/history"])(
    "fails with its cursor when the transport throws at %s",
    (where) =>
      Effect.gen(function*() {
        const { fiber, seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
        yield* later
        yield* publish(1)
        yield* later
        yield* sabotage(where)
        yield* publish(...Array.from({ length: 160 }, (_, n) => n + 2))
        yield* later
        yield* VirtualTime.advance("10 seconds")
        const error = endOf(fiber)
        assert.include(error.message, "the transport broke at {address} with {secret}")
        yield* sabotage()
        const rest = yield* collect(Subscribe.stream({ channels: ["a"], from: error.cursor }))
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads([...seen, ...rest.seen]), Array.from({ length: 161 }, (_, n) => n + 1))
      }).pipe(Effect.provide(plain()))
  )

  it.effect("fails with its cursor when the heartbeat throws", () =>
    Effect.gen(function*() {
      const readers = [
        yield* collect(Subscribe.stream({ channels: ["a"] })),
        yield* collect(Subscribe.stream({ channels: ["a"] }))
      ]
      yield* later
      yield* publish(1)
      yield* VirtualTime.advance("8 seconds")
      for (const { fiber } of readers) assert.isUndefined(fiber.pollUnsafe())
      yield* sabotage("/heartbeat")
      yield* VirtualTime.advance("9 seconds")
      for (const { fiber, seen } of readers) {
        const last = seen.findLast((event) => event._tag === "Message")
        assert.strictEqual(endOf(fiber).cursor?.position, last?.cursor.position)
      }
    }).pipe(Effect.provide(plain({ config: { presenceTimeout: "20 seconds" } }))))

  it.effect("ends normally when its leave throws, and logs a warning", () =>
    Effect.gen(function*() {
      const lines: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => lines.push(`${logLevel} ${String(message)}`))
      const { fiber } = yield* collect(
        Subscribe.stream({ channels: ["a"] }).pipe(Stream.takeUntil((event) => event._tag === "Message"))
      ).pipe(Effect.provide(Logger.layer([logger])))
      yield* later
      yield* sabotage("/leave")
      yield* publish(1)
      yield* later
      assert.deepStrictEqual(fiber.pollUnsafe(), Exit.void)
      assert.deepStrictEqual(lines, [
        "Warn Subscribe.leave failed: Error: the transport broke at {address} with {secret}"
      ])
    }).pipe(Effect.provide(plain())))

  it.effect("masks secrets in its failure when a secret key is set", () =>
    Effect.gen(function*() {
      const { fiber } = yield* collect(Subscribe.stream({
        channels: ["a"],
        reconnect: {
          Transport: Schedule.forever.pipe(Schedule.modifyDelay(() => {
            throw new Error("s3cr3t t0k/en t0k%2Fen")
          }))
        }
      }))
      const exit = yield* Effect.exit(Fiber.join(fiber))
      assert.isTrue(Exit.isFailure(exit))
      assert.include(endOf(fiber).message, "{secret} {secret} {secret}")
    }).pipe(
      Effect.provide(
        Layer.provideMerge(
          sharing,
          client({ script: [{ on: "handshake", fault: Faults.Fault.ConnectionRefused(), times: 9 }] })
        )
      )
    ))
})

describe("a Subscriber", () => {
  it.effect("ends each reader with its cursor when the transport throws, and serves later readers", () =>
    Effect.gen(function*() {
      const statuses = yield* collect(Subscriber.statuses)
      const readers = [
        yield* collect(Subscribe.stream({ channels: ["a"] })),
        yield* collect(Subscribe.stream({ channels: ["a", "b"], strategy: "suspend" })),
        yield* collect(Subscribe.stream({ channels: ["c"] }))
      ]
      yield* later
      yield* publish(1, 2)
      yield* later
      yield* sabotage("/v2/subscribe")
      yield* publish(3)
      yield* later
      const errors = readers.map(({ fiber }) => endOf(fiber))
      for (const { seen } of readers) assert.strictEqual(seen.at(-1)?._tag, "Disconnected")
      const told = statuses.seen.findLast((status: SubscribeStatus.Status) => status._tag === "Disconnected")
      assert.strictEqual(told?.reason?._tag, "Defect")
      yield* sabotage()
      const again = yield* Effect.forEach(
        errors,
        (error) => collect(Subscribe.stream({ channels: ["a"], from: error.cursor }))
      )
      yield* later
      yield* publish(4)
      yield* VirtualTime.advance("10 seconds")
      for (const [index, { seen }] of again.entries()) {
        const before = payloads(readers[index]?.seen ?? [])
        assert.deepStrictEqual([...before, ...payloads(seen)], index === 2 ? [4] : [1, 2, 3, 4])
      }
    }).pipe(Effect.provide(plain())))

  it.effect("ends a reader that resumes with its start when the transport throws at its handshake", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["b"] }))
      yield* later
      const [from] = yield* publish(1, 2, 3)
      yield* emulator.use((service) => service.publish({ channel: "b", message: 4 }))
      yield* later
      yield* sabotage("/v2/subscribe")
      const { fiber } = yield* collect(Subscribe.stream({ channels: ["a"], from }))
      yield* later
      const { cursor } = endOf(fiber)
      assert.strictEqual(cursor?.position, from)
      yield* sabotage()
      const rest = yield* collect(Subscribe.stream({ channels: ["a"], from: cursor }))
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(rest.seen), [2, 3])
    }).pipe(Effect.provide(plain())))

  it.effect("ends a reader that was never connected without a cursor, though its connection has one", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["b"] }))
      yield* later
      yield* publish(1)
      yield* VirtualTime.advance("1 hour")
      yield* sabotage("/v2/subscribe")
      const { fiber, seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* later
      assert.isUndefined(endOf(fiber).cursor)
      assert.deepStrictEqual(seen.map(({ _tag, ...rest }) => [_tag, "cursor" in rest]), [["Disconnected", false]])
      yield* sabotage()
      const rest = yield* collect(Subscribe.stream({ channels: ["a"], from: endOf(fiber).cursor }))
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(rest.seen), [])
    }).pipe(Effect.provide(plain())))

  it.effect("ends only the reader whose own reading of history throws, with its cursor", () =>
    Effect.gen(function*() {
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      const slow = yield* Effect.forkChild(
        Subscribe.stream({ channels: ["a"], capacity: 5 }).pipe(
          Stream.runForEach((event) => Effect.delay(Effect.sync(() => seen.push(event)), "1 second"))
        )
      )
      const other = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* later
      yield* sabotage("/v3/history")
      for (let n = 1; n <= 40; n++) {
        yield* publish(n)
        yield* VirtualTime.advance("100 millis")
      }
      yield* VirtualTime.advance("30 seconds")
      const error = endOf(slow)
      yield* sabotage()
      const rest = yield* collect(Subscribe.stream({ channels: ["a"], from: error.cursor }))
      yield* VirtualTime.advance("10 seconds")
      const numbers = Array.from({ length: 40 }, (_, n) => n + 1)
      assert.deepStrictEqual(payloads([...seen, ...rest.seen]), numbers)
      assert.deepStrictEqual(payloads(other.seen), numbers)
      assert.isUndefined(other.fiber.pollUnsafe())
    }).pipe(Effect.provide(plain())))

  it.effect("ends only the reader whose onStatus or handler throws", () =>
    Effect.gen(function*() {
      const boom = () => {
        throw new Error("boom")
      }
      const thrower = yield* collect(Subscribe.messages({ channels: ["a"], onStatus: boom }))
      const dying = yield* collect(
        Subscribe.stream({ channels: ["a"] }).pipe(
          Stream.mapEffect((event) => event._tag === "Message" ? Effect.sync(boom) : Effect.void)
        )
      )
      const other = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* later
      yield* publish(1, 2)
      yield* later
      for (const { fiber } of [thrower, dying]) {
        const exit = fiber.pollUnsafe()
        assert.isTrue(exit !== undefined && Exit.hasDies(exit))
      }
      assert.deepStrictEqual(payloads(other.seen), [1, 2])
      assert.isUndefined(other.fiber.pollUnsafe())
    }).pipe(Effect.provide(plain())))
})

describe("consume", () => {
  it.effect("commits the messages before the one whose handler dies, and repeats only the rest", () =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      const run = (dies: boolean) =>
        Effect.forkChild(Subscribe.consume((message) =>
          Effect.sync(() => {
            if (dies && message.payload === 2) throw new Error("boom")
            handled.push(message.payload)
          }), { channels: ["a"], reader: "r" }))
      const first = yield* run(true)
      yield* later
      yield* publish(1, 2, 3)
      yield* later
      const exit = first.pollUnsafe()
      assert.isTrue(exit !== undefined && Exit.hasDies(exit))
      yield* run(false)
      yield* later
      assert.deepStrictEqual(handled, [1, 2, 3])
    }).pipe(Effect.provide(Layer.merge(plain(), CursorStore.layerMemory))))
})

describe("a live value", () => {
  const keeps = <A, R>(
    live: Effect.Effect<
      SubscriptionRef.SubscriptionRef<Live<A, PubNubError.PubNubError | SubscribeError.SubscribeError>>,
      unknown,
      R
    >
  ) =>
    Effect.gen(function*() {
      yield* sabotage("/v2/subscribe")
      const waiting = yield* Effect.forkChild(live)
      yield* later
      endOf(waiting)
      yield* sabotage()
      const ref = yield* live
      yield* sabotage("/v2/subscribe")
      yield* emulator.use((service) => service.setUser({ id: "ada", name: "Ada" }))
      yield* later
      const { failure, state } = yield* SubscriptionRef.get(ref)
      assert.strictEqual(state, "ended")
      assert.strictEqual(failure?._tag === "SubscribeError" && failure.reason._tag, "Defect")
    }).pipe(Effect.scoped, Effect.provide(plain()))

  it.effect("of a user fails when the transport throws before its first value, and ends when it throws later", () =>
    keeps(Users.live({ id: "ada" })))

  it.effect("of members fails when the transport throws before its first value, and ends when it throws later", () =>
    keeps(Members.live({ channel: "ada" })))

  it.effect("ends when reading its object throws", () =>
    Effect.gen(function*() {
      const ref = yield* Users.live({ id: "ada" })
      yield* sabotage("/v2/objects")
      yield* emulator.use((service) => service.setUser({ id: "ada", name: "Ada" }))
      yield* later
      assert.strictEqual((yield* SubscriptionRef.get(ref)).state, "ended")
    }).pipe(Effect.scoped, Effect.provide(plain())))
})

describe("a Publisher", () => {
  const send = (message: unknown) => Publisher.publish({ channel: "a", message })
  const dies = (exit: Exit.Exit<unknown, unknown> | undefined) =>
    exit !== undefined && Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "it goes on"

  it.effect("fails the waiting caller when its schedule throws, and sends the next message", () =>
    Effect.gen(function*() {
      const first = yield* Effect.forkChild(send(1), { startImmediately: true })
      const queued = yield* Publisher.enqueue({ channel: "a", message: 2 })
      yield* later
      const exit = first.pollUnsafe()
      if (exit === undefined || Exit.isSuccess(exit)) return assert.fail("published")
      assert.deepStrictEqual(exit.cause.reasons.map(({ _tag }) => _tag), ["Fail", "Die"])
      yield* later
      yield* queued
      assert.deepStrictEqual(
        (yield* emulator.use((service) => service.messages({ channel: "a" }))).map(({ payload }) => payload),
        [2]
      )
    }).pipe(
      Effect.provide(
        Publisher.layer({ retry: throws }).pipe(
          Layer.provideMerge(plain({ script: [{ on: "publish", fault: Faults.Fault.ConnectionRefused() }] }))
        )
      )
    ))

  it.effect("fails the waiting callers when its transport throws, and sends later messages", () =>
    Effect.gen(function*() {
      yield* sabotage("/publish")
      const waiting = [yield* Effect.forkChild(send(1)), yield* Effect.forkChild(send(2))]
      yield* later
      for (const fiber of waiting) assert.match(dies(fiber.pollUnsafe()), /the transport broke/)
      yield* sabotage()
      const third = yield* Effect.forkChild(send(3))
      yield* later
      assert.isTrue(Exit.isSuccess(third.pollUnsafe() ?? Exit.die("it waits")))
    }).pipe(Effect.provide(Publisher.layer().pipe(Layer.provideMerge(plain())))))

  it.effect("serves a channel again after the fiber that sent for it died", () =>
    Effect.gen(function*() {
      const clock = yield* TimeClock.Clock
      let breaks = false
      const brittle: TimeClock.Clock = Object.create(clock, {
        sleep: { value: (duration: Duration.Duration) => breaks ? Effect.die("no sleep") : clock.sleep(duration) }
      })
      const publisher = yield* Publisher.make({ rateLimit: "none" }).pipe(
        Effect.provideService(TimeClock.Clock, brittle)
      )
      const one = (message: number) =>
        Effect.timeoutOption(publisher.publish({ channel: "a", message }), "10 seconds").pipe(
          Effect.forkChild({ startImmediately: true })
        )
      breaks = true
      const first = yield* one(1)
      yield* later
      breaks = false
      const second = yield* one(2)
      yield* VirtualTime.advance("20 seconds")
      assert.isTrue(Option.isSome(yield* Fiber.join(first)))
      assert.isTrue(Option.isSome(yield* Fiber.join(second)))
    }).pipe(Effect.scoped, Effect.provide(plain())))
})
