import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Clock_ from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { type Publish, Publisher, PubNubConfig, Subscribe, type SubscribeEvent } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as Retry from "effect-herald/Retry"
import { emulated, queryOf, requestsTo, start } from "../kit/emulated.ts"

const keys = { subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ada", origin: "emulator" }

const world = (settings: Publisher.Options = {}, options: Parameters<typeof emulated>[0] = {}) =>
  Publisher.layer(settings).pipe(Layer.provideMerge(emulated(options)))

/** One publisher without a pace, so that a test is about something else. */
const unpaced = (settings: Publisher.Options = {}, options: Parameters<typeof emulated>[0] = {}) =>
  world({ rateLimit: "none", ...settings }, options)

const send = (channel: string, message: number) => Publisher.publish({ channel, message })

const fork = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.forkChild(effect, { startImmediately: true })

const stored = (channel: string, subscribeKey?: string) =>
  Effect.map(
    PubNubEmulator.PubNubEmulator.use((emulator) =>
      (subscribeKey === undefined ? emulator : emulator.keyset(subscribeKey)).messages({ channel })
    ),
    (messages) => messages.map(({ payload }) => payload)
  )

/** When the requests went out, in milliseconds from the start. */
const times = Effect.map(
  requestsTo("/publish"),
  (requests) => requests.map(({ time }) => time.epochMilliseconds - start)
)

const nameOf = (error: Publisher.PublisherError) => error._tag === "PubNubError" ? error.reason._tag : error._tag

const outcomes = (fibers: ReadonlyArray<Fiber.Fiber<unknown, Publisher.PublisherError>>) =>
  Effect.forEach(
    fibers,
    (fiber) => Effect.match(Fiber.join(fiber), { onFailure: nameOf, onSuccess: () => "published" })
  )

const slow: PubNubEmulator.Options = { latency: Effect.succeed("1 second") }
const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1)

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const holds = <T extends true>(value: T): void => assert.isTrue(value)

describe("order", () => {
  it.effect("sends one message at a time per channel, and channels do not wait for each other", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(3), (id) => Effect.forEach(["a", "b"], (on) => fork(send(on, id))))
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(yield* outcomes(fibers.flat()), Array.from({ length: 6 }, () => "published"))
      assert.deepStrictEqual(yield* stored("a"), [1, 2, 3])
      assert.deepStrictEqual(yield* stored("b"), [1, 2, 3])
      assert.deepStrictEqual(yield* times, [0, 0, 1_000, 1_000, 2_000, 2_000])
    }).pipe(Effect.provide(unpaced({}, { emulator: slow }))))

  it.effect("sends to other channels while one channel fails, and keeps the order of that channel", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.Faults
      yield* faults.add({
        on: ({ url }) => url.includes("/dead/"),
        fault: Faults.Fault.ConnectionRefused(),
        lasting: "20 seconds"
      })
      const dead = yield* Effect.forEach(range(3), (id) => fork(send("dead", id)))
      yield* Effect.forEach(range(3), (id) => send("alive", id))
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(yield* stored("dead"), [])
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* outcomes(dead), ["published", "published", "published"])
      assert.deepStrictEqual(yield* stored("dead"), [1, 2, 3])
    }).pipe(Effect.provide(unpaced())))

  it.effect("sends the next message after the client or the service refused one", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const large = yield* Effect.flip(Publisher.publish({ channel: "a", message: "x".repeat(40_000) }))
      assert.strictEqual(nameOf(large), "MessageTooLarge")
      yield* emulator.deny({ channels: ["secret"] })
      assert.strictEqual(nameOf(yield* Effect.flip(send("secret", 1))), "AccessDenied")
      yield* emulator.allow
      yield* send("secret", 2)
      yield* send("a", 1)
      assert.deepStrictEqual([yield* stored("secret"), yield* stored("a")], [[2], [1]])
    }).pipe(Effect.provide(unpaced())))
})

describe("capacity", () => {
  it.effect("enqueue waits while the channel is full, and its outcome can be awaited later", () =>
    Effect.gen(function*() {
      const handles: Array<Effect.Effect<unknown, Publisher.PublisherError>> = []
      const producer = yield* fork(
        Effect.forEach(
          range(6),
          (id) => Effect.map(Publisher.enqueue({ channel: "a", message: id }), (outcome) => handles.push(outcome))
        )
      )
      yield* VirtualTime.advance("500 millis")
      assert.strictEqual(handles.length, 3, "one in flight, and two wait")
      const other = yield* Publisher.enqueue({ channel: "b", message: 1 })
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(handles.length, 4)
      yield* VirtualTime.advance("10 seconds")
      yield* Fiber.join(producer)
      yield* Effect.all([other, ...handles, ...handles])
      assert.deepStrictEqual(yield* stored("a"), [1, 2, 3, 4, 5, 6])
    }).pipe(Effect.provide(unpaced({ capacity: 2 }, { emulator: slow }))))

  it.effect("frees the place of an interrupted message at once, queued or waiting for room", () =>
    Effect.gen(function*() {
      const flying = yield* fork(send("a", 1))
      yield* VirtualTime.advance("100 millis")
      const placed = yield* fork(send("a", 2))
      const outside = yield* fork(send("a", 3))
      const last = yield* fork(Publisher.enqueue({ channel: "a", message: 4 }))
      yield* VirtualTime.advance("100 millis")
      yield* Fiber.interrupt(outside)
      yield* VirtualTime.advance("100 millis")
      assert.isUndefined(last.pollUnsafe())
      yield* Fiber.interrupt(placed)
      yield* VirtualTime.advance("100 millis")
      assert.isDefined(last.pollUnsafe())
      yield* VirtualTime.advance("5 seconds")
      yield* Fiber.join(flying)
      assert.deepStrictEqual(yield* stored("a"), [1, 4])
    }).pipe(Effect.provide(unpaced({ capacity: 1 }, { emulator: slow }))))
})

describe("rate limit", () => {
  it.effect("sends at most five messages per second to a channel", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(12), (id) => fork(send("a", id)))
      const other = yield* fork(send("b", 1))
      yield* VirtualTime.advance("3 seconds")
      yield* outcomes([...fibers, other])
      assert.deepStrictEqual(yield* stored("a"), range(12))
      assert.deepStrictEqual(yield* times, [0, 0, 0, 0, 0, 0, 1_000, 1_000, 1_000, 1_000, 1_000, 2_000, 2_000])
    }).pipe(Effect.provide(world())))

  it.effect("sends at most five messages in any second, wherever the second begins", () =>
    Effect.gen(function*() {
      yield* Effect.forEach(range(4), (id) => send("a", id))
      yield* VirtualTime.advance("990 millis")
      const fibers = yield* Effect.forEach(range(30), (id) => fork(send("a", id)))
      yield* VirtualTime.advance("10 seconds")
      yield* outcomes(fibers)
      const at = yield* times
      assert.deepStrictEqual(at.slice(0, 11), [0, 0, 0, 0, 990, 1_000, 1_000, 1_000, 1_000, 1_990, 2_000])
      assert.strictEqual(at.length, 34)
      for (const time of at) assert.isAtMost(at.filter((other) => other >= time && other < time + 1_000).length, 5)
    }).pipe(Effect.provide(world())))

  const between = (minimum: number, maximum: number) =>
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

  it.effect.prop(
    "sends each message as early as order and limit allow, whatever the arrival times",
    { limit: between(1, 5), pauses: Arbitrary.array(between(0, 1_200), { minLength: 1, maxLength: 30 }) },
    ({ limit, pauses }) =>
      Effect.gen(function*() {
        const began = yield* Clock_.currentTimeMillis
        const arrivals: Array<number> = []
        for (const [id, pause] of pauses.entries()) {
          yield* VirtualTime.advance(Duration.millis(pause))
          arrivals.push((yield* Clock_.currentTimeMillis) - began)
          yield* fork(send("a", id))
        }
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(yield* stored("a"), [...pauses.keys()])
        const at = yield* times
        for (const [index, time] of at.entries()) {
          const free = index < limit ? 0 : at[index - limit]! + 1_000
          assert.strictEqual(time, Math.max(arrivals[index]!, at[index - 1] ?? 0, free))
        }
      }).pipe(Effect.provide(world({ rateLimit: { limit, window: "1 second" } }))),
    { arbitrary: { runs: 60 } }
  )

  it.effect("skips messages that were interrupted while they waited for the limit", () =>
    Effect.gen(function*() {
      yield* Effect.forEach(range(5), (id) => send("a", id))
      yield* VirtualTime.advance("100 millis")
      const impatient = yield* Effect.forEach(range(9), (id) => fork(send("a", 100 + id)))
      yield* VirtualTime.advance("100 millis")
      yield* Effect.forEach(impatient, Fiber.interrupt)
      const patient = yield* Effect.forEach(range(5), (id) => fork(send("a", 5 + id)))
      yield* VirtualTime.advance("800 millis")
      assert.deepStrictEqual(yield* outcomes(patient), range(5).map(() => "published"))
      assert.deepStrictEqual(yield* stored("a"), range(10))
    }).pipe(Effect.provide(world())))

  it.effect("counts a failed attempt against the limit", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(2), (id) => fork(send("a", id)))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* outcomes(fibers), ["published", "published"])
      const injected = yield* (yield* Faults.Faults).injected
      assert.deepStrictEqual(injected.map(({ time }) => time.epochMilliseconds - start), [0, 10_000])
      assert.deepStrictEqual(yield* times, [20_000, 30_000])
    }).pipe(Effect.provide(world({ rateLimit: { limit: 1, window: "10 seconds" }, retry: Schedule.recurs(5) }, {
      script: [{ on: "publish", fault: Faults.Fault.ConnectionRefused(), times: 2 }]
    }))))

  it.effect("keeps any limit and window, also after a pause", () =>
    Effect.gen(function*() {
      const batch = Effect.gen(function*() {
        const fibers = yield* Effect.forEach(range(4), (id) => fork(send("a", id)))
        yield* VirtualTime.advance("30 seconds")
        yield* outcomes(fibers)
      })
      yield* batch
      yield* VirtualTime.advance("1 hour")
      yield* batch
      const at = yield* times
      assert.deepStrictEqual(at.slice(0, 4), [0, 0, 10_000, 10_000])
      assert.deepStrictEqual(at.slice(4).map((time) => time - at[4]!), [0, 0, 10_000, 10_000])
    }).pipe(Effect.provide(world({ rateLimit: { limit: 2, window: "10 seconds" } }))))

  it.effect("sends without delay when rateLimit is none", () =>
    Effect.gen(function*() {
      yield* Effect.forEach(range(100), (id) => send("a", id))
      assert.strictEqual((yield* times).length, 100)
    }).pipe(Effect.provide(unpaced())))

  it.effect("gives the turn of a message that timed out to the next one", () =>
    Effect.gen(function*() {
      yield* send("a", 0)
      // Ten impatient ones each second, for ten seconds.
      const impatient = yield* fork(
        Effect.forEach(range(100), (id) => Effect.timeoutOption(send("a", id), "100 millis"))
      )
      yield* VirtualTime.advance("20 seconds")
      const sent = (yield* Fiber.join(impatient)).filter(Option.isSome)
      assert.isAtLeast(sent.length, 9)
    }).pipe(Effect.provide(world({ rateLimit: { limit: 1, window: "1 second" } }))))

  it.effect("waits at most one window after the wall clock is set back", () =>
    Effect.gen(function*() {
      yield* Effect.forEach(range(5), (id) => send("a", id))
      yield* VirtualTime.jump("-8 hours")
      const late = yield* fork(send("a", 6))
      yield* VirtualTime.advance("2 seconds")
      assert.isTrue(Exit.isSuccess(yield* Fiber.await(late)))
    }).pipe(Effect.provide(world())))
})

describe("retry", () => {
  const refused = Faults.Fault.ConnectionRefused()
  const lost = Faults.Fault.ResetBeforeAnswer()

  it.effect("sends a message again that was not sent, before the messages behind it", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(3), (id) => fork(send("a", id)))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* outcomes(fibers), ["published", "published", "published"])
      assert.deepStrictEqual(yield* stored("a"), [1, 2, 3])
      assert.strictEqual((yield* (yield* Faults.Faults).injected).length, 3)
    }).pipe(Effect.provide(unpaced({}, { script: [{ on: "publish", fault: refused, times: 3 }] }))))

  it.effect("waits as long as Retry-After says when the service answers 429", () =>
    Effect.gen(function*() {
      const fiber = yield* fork(send("a", 1))
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(yield* times, [])
      yield* VirtualTime.advance("10 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(yield* times, [25_000])
    }).pipe(
      Effect.provide(
        unpaced({}, { script: [{ on: "publish", fault: Faults.Fault.RateLimited({ retryAfter: "25 seconds" }) }] })
      )
    ))

  it.effect("retries when the service itself reports a failure", () =>
    Effect.gen(function*() {
      const fiber = yield* fork(send("a", 1))
      yield* VirtualTime.advance("5 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).timetoken, "17334108326343660")
    }).pipe(Effect.provide(
      Publisher.layer().pipe(
        Layer.provideMerge(PubNubConfig.layer(keys)),
        Layer.provideMerge(Transport.layerScripted([
          { status: 503, body: "{\"status\":503,\"service\":\"Publish\",\"error\":true,\"message\":\"Try later\"}" },
          "[1,\"Sent\",\"17334108326343660\"]"
        ].map((answer) => typeof answer === "string" ? { status: 200, body: answer } : answer))),
        Layer.provideMerge(VirtualTime.layer)
      )
    )))

  it.effect.each([
    lost,
    Faults.Fault.ResetInBody(),
    Faults.Fault.HalfOpen(),
    Faults.Fault.EmptyBody(),
    Faults.Fault.ServerError({ status: 502, handled: true }),
    Faults.Fault.ServerError({ status: 503, handled: false })
  ])("fails with PublishOutcomeUnknown and does not send again after $_tag $status", (fault) =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(2), (id) => fork(send("a", id)))
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(yield* outcomes(fibers), ["PublishOutcomeUnknown", "published"])
      const messages = yield* stored("a")
      assert.deepStrictEqual(messages.filter((message) => message !== 1), [2])
      assert.isAtMost(messages.length, 2)
    }).pipe(Effect.provide(unpaced({}, { script: [{ on: "publish", fault }] }))))

  it.effect("ends after a minute with the last error, and the next message is sent", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(2), (id) => fork(send("a", id)))
      yield* VirtualTime.advance("5 minutes")
      assert.deepStrictEqual(yield* outcomes(fibers), ["Transport", "published"])
      const injected = yield* (yield* Faults.Faults).injected
      assert.isAtLeast(injected.at(-1)!.time.epochMilliseconds - start, 60_000)
      assert.deepStrictEqual(yield* stored("a"), [2])
    }).pipe(
      Effect.provide(unpaced({}, { script: [{ on: "publish", fault: refused, lasting: "91 seconds" }] }))
    ))

  it.effect("follows the schedule of the options", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(send("a", 1))
      assert.strictEqual(nameOf(error), "Transport")
      yield* send("a", 2)
      assert.deepStrictEqual(yield* stored("a"), [2])
    }).pipe(
      Effect.provide(unpaced({ retry: Schedule.recurs(0) }, { script: [{ on: "publish", fault: refused }] }))
    ))

  it.effect("sends again after an unknown outcome, with the same id, when resendUnknown is set", () =>
    Effect.gen(function*() {
      const events: Array<SubscribeEvent.Message> = []
      const reader = yield* fork(
        Subscribe.messages({ channels: ["a"] }).pipe(
          Stream.runForEach((event) => Effect.sync(() => events.push(event)))
        )
      )
      yield* VirtualTime.advance("1 second")
      const fibers = yield* Effect.forEach(range(2), (id) => fork(send("a", id)))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* outcomes(fibers), ["published", "published"])
      assert.deepStrictEqual(yield* stored("a"), [1, 1, 2])
      assert.deepStrictEqual(events.map(({ payload }) => payload), [1, 2])
      yield* Fiber.interrupt(reader)
    }).pipe(
      Effect.provide(unpaced({ messageIds: true, resendUnknown: true }, { script: [{ on: "publish", fault: lost }] }))
    ))

  it.effect("fails with PublishOutcomeUnknown when attempts after an unknown outcome are refused", () =>
    Effect.gen(function*() {
      const fiber = yield* fork(send("a", 1))
      yield* VirtualTime.advance("5 minutes")
      assert.deepStrictEqual(yield* outcomes([fiber]), ["PublishOutcomeUnknown"])
      assert.deepStrictEqual(yield* stored("a"), [1])
    }).pipe(Effect.provide(unpaced({ messageIds: true, resendUnknown: true }, {
      script: [{ on: "publish", fault: lost }, { on: "publish", fault: refused, times: 1_000 }]
    }))))
})

describe("an interrupted publish", () => {
  it.effect("is never sent when it was queued", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(3), (id) => fork(send("a", id)))
      yield* VirtualTime.advance("100 millis")
      yield* Fiber.interrupt(fibers[1]!)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(yield* stored("a"), [1, 3])
      assert.deepStrictEqual(yield* times, [0, 1_000])
    }).pipe(Effect.provide(unpaced({}, { emulator: slow }))))

  it.effect("ends at once when it was in flight, and the next one waits for the end of its request", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(2), (id) => fork(send("a", id)))
      yield* VirtualTime.advance("100 millis")
      yield* Fiber.interrupt(fibers[0]!)
      assert.strictEqual((yield* Clock_.currentTimeMillis) - start, 100)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(yield* stored("a"), [1, 2])
      assert.deepStrictEqual(yield* times, [0, 1_000])
    }).pipe(Effect.provide(unpaced({}, { emulator: slow }))))

  it.effect("is not sent again when it waited for a retry, and the next one is sent at once", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(2), (id) => fork(send("a", id)))
      yield* VirtualTime.advance("2 seconds")
      yield* Fiber.interrupt(fibers[0]!)
      yield* VirtualTime.advance("100 millis")
      assert.deepStrictEqual(yield* stored("a"), [2])
    }).pipe(
      Effect.provide(
        unpaced({}, { script: [{ on: "publish", fault: Faults.Fault.RateLimited({ retryAfter: "60 seconds" }) }] })
      )
    ))

  it.effect("is still sent when only the wait for its outcome was interrupted", () =>
    Effect.gen(function*() {
      const outcome = yield* Publisher.enqueue({ channel: "a", message: 1 })
      const waiting = yield* fork(outcome)
      yield* Fiber.interrupt(waiting)
      yield* VirtualTime.advance("2 seconds")
      yield* outcome
      assert.deepStrictEqual(yield* stored("a"), [1])
    }).pipe(Effect.provide(unpaced({}, { emulator: slow }))))
})

describe("the end of a publisher", () => {
  const opened = Effect.fnUntraced(function*(settings: Publisher.Options) {
    const scope = yield* Scope.make()
    const publisher = yield* Layer.buildWithScope(Publisher.layer({ rateLimit: "none", ...settings }), scope)
    return { scope, provide: Effect.provideContext(publisher) }
  })

  it.effect("sends queued messages until flushTimeout; the others fail with PublisherClosed", () =>
    Effect.gen(function*() {
      const { provide, scope } = yield* opened({ flushTimeout: "2500 millis" })
      const fibers = yield* Effect.forEach(range(5), (id) => fork(provide(send("a", id))))
      yield* VirtualTime.advance("500 millis")
      const closing = yield* fork(Scope.close(scope, Exit.void))
      yield* VirtualTime.advance("2 seconds")
      assert.isUndefined(closing.pollUnsafe())
      yield* VirtualTime.advance("1 second")
      yield* Fiber.join(closing)
      const all = yield* outcomes(fibers)
      assert.deepStrictEqual(all, ["published", "published", "published", "PublisherClosed", "PublisherClosed"])
      assert.deepStrictEqual(yield* stored("a"), [1, 2, 3])
    }).pipe(Effect.provide(emulated({ emulator: slow }))))

  it.effect("comes at once when nothing is queued; later messages fail with PublisherClosed", () =>
    Effect.gen(function*() {
      const { provide, scope } = yield* opened({})
      yield* provide(send("a", 1))
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(nameOf(yield* Effect.flip(provide(send("a", 2)))), "PublisherClosed")
      const error = yield* Effect.flip(Effect.flatten(provide(Publisher.enqueue({ channel: "a", message: 3 }))))
      assert.strictEqual(nameOf(error), "PublisherClosed")
      assert.include(error.message, "closed before it sent the message for a")
      assert.deepStrictEqual(yield* stored("a"), [1])
    }).pipe(Effect.provide(emulated())))

  it.effect("fails messages that wait for room at once", () =>
    Effect.gen(function*() {
      const { provide, scope } = yield* opened({ capacity: 1 })
      const fibers = yield* Effect.forEach(range(4), (id) => fork(provide(send("a", id))))
      yield* VirtualTime.advance("100 millis")
      const closing = yield* fork(Scope.close(scope, Exit.void))
      yield* VirtualTime.advance("100 millis")
      assert.isDefined(fibers[3]!.pollUnsafe())
      yield* VirtualTime.advance("5 seconds")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* outcomes(fibers), ["published", "published", "PublisherClosed", "PublisherClosed"])
    }).pipe(Effect.provide(emulated({ emulator: slow }))))

  it.effect("waits for an unanswered request until its timeout, and reports its outcome as unknown", () =>
    Effect.gen(function*() {
      const { provide, scope } = yield* opened({})
      const fibers = yield* Effect.forEach(range(2), (id) => fork(provide(send("a", id))))
      yield* VirtualTime.advance("1 second")
      const closing = yield* fork(Scope.close(scope, Exit.void))
      yield* VirtualTime.advance("15 seconds")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* outcomes(fibers), ["PublishOutcomeUnknown", "PublisherClosed"])
    }).pipe(
      Effect.provide(emulated({ script: [{ on: "publish", fault: Faults.Fault.HalfOpen(), times: 9 }] }))
    ))

  it.effect("fails a message that waits for a retry with the error of its last attempt", () =>
    Effect.gen(function*() {
      const { provide, scope } = yield* opened({ retry: Retry.backoff({ base: "1 hour", cap: "1 hour" }) })
      const fiber = yield* fork(provide(send("a", 1)))
      yield* VirtualTime.advance("1 second")
      const closing = yield* fork(Scope.close(scope, Exit.void))
      yield* VirtualTime.advance("5 seconds")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* outcomes([fiber]), ["Transport"])
    }).pipe(
      Effect.provide(emulated({ script: [{ on: "publish", fault: Faults.Fault.ConnectionRefused(), times: 9 }] }))
    ))
})

describe("message ids", () => {
  it.effect("are added to the metadata of the caller, unless it has an id", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* send("a", 1)
      yield* Publisher.publish({ channel: "a", message: 2, meta: { region: "eu" } })
      yield* Publisher.publish({ channel: "a", message: 3, meta: { [Publisher.messageIdKey]: "order-3" } })
      const metas = (yield* emulator.messages({ channel: "a" })).map(({ meta }) => meta)
      const Id = Schema.Struct({ heraldId: Schema.String.check(Schema.isUUID()) })
      assert.isTrue(Schema.is(Id)(metas[0]))
      assert.isTrue(Schema.is(Id)(metas[1]))
      assert.include(metas[1], { region: "eu" })
      assert.deepStrictEqual(metas[2], { heraldId: "order-3" })
    }).pipe(Effect.provide(unpaced({ messageIds: true }))))

  it.effect("are not sent by default", () =>
    Effect.gen(function*() {
      yield* send("a", 1)
      const [request] = yield* requestsTo("/publish")
      assert.isNull(queryOf(request!).get("meta"))
    }).pipe(Effect.provide(unpaced())))

  it.effect("are refused with metadata that is not an object", () =>
    Effect.gen(function*() {
      const meta: object = ["a"]
      // @ts-expect-error a list is no object of keys, for the compiler either
      const error = yield* Effect.flip(Publisher.publish({ channel: "a", message: 1, meta }))
      assert.strictEqual(nameOf(error), "BadRequest")
      assert.include(error.message, "meta is a list, not an object")
    }).pipe(Effect.provide(unpaced({ messageIds: true }))))

  it.effect("let readers drop copies with the same channel, publisher and id, and nothing else", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const read: Array<unknown> = []
      yield* fork(
        Subscribe.messages({ channels: ["a", "b"] }).pipe(
          Stream.runForEach((event) => Effect.sync(() => read.push(event.payload)))
        )
      )
      yield* VirtualTime.advance("1 second")
      const id = (heraldId: unknown) => ({ heraldId })
      const publish = (channel: string, message: number, meta?: unknown, publisher = "ada") =>
        emulator.publish({ channel, message, publisher, ...meta === undefined ? {} : { meta } })
      yield* publish("a", 1, id("x"))
      yield* publish("a", 2, id("x"))
      yield* publish("b", 3, id("x"))
      yield* publish("a", 4)
      yield* publish("a", 4)
      yield* publish("a", 5, id(7))
      yield* publish("a", 6, id(7))
      yield* publish("a", 7, "x")
      yield* publish("a", 8, id(""))
      yield* publish("a", 9, id(""))
      yield* publish("a", 10, id("y"))
      yield* publish("a", 11, id("y"), "eve")
      yield* VirtualTime.advance("1 second")
      yield* publish("a", 12, id("y"))
      yield* publish("a", 13)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(read, [1, 3, 4, 4, 5, 6, 7, 8, 9, 10, 11, 13])
    }).pipe(Effect.provide(emulated())))

  it.effect("let a reader that stopped before a copy skip it when it resumes", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const from = (yield* emulator.publish({ channel: "a", message: 0 })).timetoken
      for (const id of ["x", "x", "y"]) yield* emulator.publish({ channel: "a", message: id, meta: { heraldId: id } })
      const read = (from: Subscribe.From, count: number) =>
        Subscribe.messages({ channels: ["a"], from }).pipe(Stream.take(count), Stream.runCollect)
      const [first] = yield* read(from, 1)
      assert.strictEqual(first?.payload, "x")
      const [second] = yield* read(first!.cursor, 1)
      assert.strictEqual(second?.payload, "y")
    }).pipe(Effect.provide(emulated())))
})

describe("settleUnknown", () => {
  const lost = Faults.Fault.ResetBeforeAnswer()
  const settling = { messageIds: true, settleUnknown: true } as const
  const persistence = (url: string) => url.includes("/v3/history")

  const meta = { [Publisher.messageIdKey]: "order-1" }
  const order = (options: Partial<Publish.PublishOptions> = {}) =>
    fork(Publisher.publish({ channel: "a", message: 1, meta, ...options }))

  it.effect("reports a message that history has as published, before the next one is sent", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const first = yield* order()
      const second = yield* fork(send("a", 2))
      yield* VirtualTime.advance("1 second")
      const [message, next] = yield* emulator.messages({ channel: "a" })
      assert.strictEqual((yield* Fiber.join(first)).timetoken, message!.timetoken)
      assert.strictEqual((yield* Fiber.join(second)).timetoken, next!.timetoken)
      assert.deepStrictEqual(yield* stored("a"), [1, 2])
      assert.strictEqual((yield* requestsTo("/v3/history")).length, 1)
    }).pipe(Effect.provide(unpaced(settling, { script: [{ on: "publish", fault: lost }] }))))

  it.effect("searches all of history when the clock is too early for a timetoken", () =>
    Effect.gen(function*() {
      yield* VirtualTime.jump(Duration.millis(-start))
      const fiber = yield* order()
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(yield* outcomes([fiber]), ["published"])
    }).pipe(Effect.provide(unpaced(settling, { script: [{ on: "publish", fault: lost }] }))))

  it.effect("searches history twice, then fails with PublishOutcomeUnknown and the message id", () =>
    Effect.gen(function*() {
      const fiber = yield* order()
      yield* VirtualTime.advance("20 seconds")
      const error = yield* Effect.flip(Fiber.join(fiber))
      if (error._tag !== "PublishOutcomeUnknown") return assert.fail(error._tag)
      assert.strictEqual(error.messageId, "order-1")
      assert.include(error.message, "the service may or may not have accepted the message order-1 for a")
      assert.notMatch(error.message, /try again/i)
      const looked = yield* requestsTo("/v3/history")
      assert.deepStrictEqual(looked.map(({ time }) => time.epochMilliseconds - start), [15_000, 18_000])
      assert.deepStrictEqual(yield* stored("a"), [])
    }).pipe(Effect.provide(unpaced(settling, { script: [{ on: "publish", fault: Faults.Fault.HalfOpen() }] }))))

  it.effect("finds a message that history shows late, and does not send it again", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      // The request is lost, and what it brought turns up late.
      yield* emulator.publish({ channel: "a", message: 1, meta, publisher: "ada", delay: "17 seconds" })
      const fiber = yield* order()
      yield* VirtualTime.advance("20 seconds")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(yield* stored("a"), [1])
    }).pipe(
      Effect.provide(
        unpaced({ ...settling, resendUnknown: true }, {
          script: [{ on: "publish", fault: Faults.Fault.HalfOpen() }]
        })
      )
    ))

  it.effect("with resendUnknown, sends again only the message that history does not have", () =>
    Effect.gen(function*() {
      const fibers = [yield* order(), yield* fork(send("a", 2)), yield* fork(send("a", 3))]
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* outcomes(fibers), ["published", "published", "published"])
      assert.deepStrictEqual(yield* stored("a"), [1, 2, 3])
    }).pipe(Effect.provide(unpaced({ ...settling, resendUnknown: true }, {
      script: [{ on: "publish", fault: lost }, { on: "publish", fault: Faults.Fault.HalfOpen() }]
    }))))

  it.effect("ignores the same id of another publisher, and other ids", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.publish({ channel: "a", message: 1, meta, publisher: "eve" })
      yield* emulator.publish({ channel: "a", message: 1, meta: { heraldId: "order-2" }, publisher: "ada" })
      const fiber = yield* order()
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* outcomes([fiber]), ["PublishOutcomeUnknown"])
    }).pipe(Effect.provide(unpaced(settling, { script: [{ on: "publish", fault: Faults.Fault.HalfOpen() }] }))))

  it.effect("searches a busy channel page by page, and at most ten pages", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const crowd = (count: number) => emulator.publishAll(range(count).map((message) => ({ channel: "a", message })))
      yield* emulator.publish({ channel: "a", message: 0, meta, publisher: "ada" })
      yield* crowd(950)
      const found = yield* order()
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(yield* outcomes([found]), ["published"])
      yield* crowd(50)
      const gone = yield* order()
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(yield* outcomes([gone]), ["PublishOutcomeUnknown"])
      assert.isAtMost((yield* requestsTo("/v3/history")).length, 10 + 2 * 10)
    }).pipe(Effect.provide(unpaced(settling, {
      script: [{ on: "publish", fault: Faults.Fault.HalfOpen(), times: 2 }]
    }))))

  it.effect("retries a failing history for a minute before it reports an unknown outcome", () =>
    Effect.gen(function*() {
      const faults = yield* Faults.Faults
      yield* faults.add({
        on: ({ url }) => persistence(url),
        fault: Faults.Fault.ConnectionRefused(),
        lasting: "20 seconds"
      })
      const settled = yield* order()
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* outcomes([settled]), ["published"])
      yield* faults.add({ on: "publish", fault: lost })
      yield* faults.add({ on: ({ url }) => persistence(url), fault: Faults.Fault.ConnectionRefused(), times: 1_000 })
      const unknown = yield* fork(send("a", 2))
      yield* VirtualTime.advance("45 seconds")
      assert.isUndefined(unknown.pollUnsafe())
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(yield* outcomes([unknown]), ["PublishOutcomeUnknown"])
    }).pipe(Effect.provide(unpaced(settling, { script: [{ on: "publish", fault: lost }] }))))

  it.effect.each(["no persistence", "no permission", "store: false"])(
    "reports an unknown outcome without waiting when it cannot search: %s",
    (why) =>
      Effect.gen(function*() {
        const emulator = yield* PubNubEmulator.PubNubEmulator
        const faults = yield* Faults.Faults
        if (why === "no persistence") yield* emulator.setAddOns({ persistence: false })
        if (why === "no permission") {
          yield* faults.add({ on: ({ url }) => persistence(url), fault: Faults.Fault.AccessDenied() })
        }
        const fiber = yield* order({ store: why !== "store: false" })
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(yield* outcomes([fiber]), ["PublishOutcomeUnknown"])
        assert.strictEqual((yield* requestsTo("/v3/history")).length, why === "no persistence" ? 1 : 0)
      }).pipe(Effect.provide(unpaced(settling, { script: [{ on: "publish", fault: lost }] })))
  )

  it.effect("does not delay the end of the publisher while history fails", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const publisher = yield* Scope.provide(Publisher.make({ ...settling, rateLimit: "none" }), scope)
      const fiber = yield* fork(publisher.publish({ channel: "a", message: 1 }))
      yield* VirtualTime.advance("1 second")
      const closing = yield* fork(Scope.close(scope, Exit.void))
      yield* VirtualTime.advance("6 seconds")
      yield* Fiber.join(closing)
      assert.deepStrictEqual(yield* outcomes([fiber]), ["PublishOutcomeUnknown"])
    }).pipe(Effect.provide(emulated({
      script: [{ on: "publish", fault: lost }, {
        on: ({ url }) => persistence(url),
        fault: Faults.Fault.ConnectionRefused(),
        times: 1_000
      }]
    }))))
})

describe("types and input", () => {
  class Clearance extends Context.Service<Clearance, { readonly level: number }>()("test/Clearance") {}

  const Guarded = Schema.Int.pipe(
    Schema.decodeTo(Schema.Int, {
      decode: SchemaGetter.passthrough(),
      encode: SchemaGetter.transformEffect((value: number) => Effect.map(Clearance, ({ level }) => value + level))
    })
  )

  it.effect("have exact errors and requirements, with those of the schema", () =>
    Effect.gen(function*() {
      const plain = send("a", 1)
      holds<Equal<Effect.Services<typeof plain>, Publisher.Publisher | PubNubConfig.PubNubConfig>>(true)
      holds<
        Equal<
          Effect.Error<typeof plain>["_tag"],
          "MessageTooLarge" | "PublishOutcomeUnknown" | "PubNubError" | "PublisherClosed"
        >
      >(true)
      const guarded = Publisher.publish({ channel: "a", message: 1, schema: Guarded })
      holds<Equal<Effect.Services<typeof guarded>, Publisher.Publisher | PubNubConfig.PubNubConfig | Clearance>>(true)
      const queued = Publisher.enqueue({ channel: "a", message: 1 })
      holds<Equal<Effect.Error<typeof queued>, Publisher.EnqueueError>>(true)
      holds<Equal<Effect.Services<Effect.Success<typeof queued>>, never>>(true)
      yield* Effect.provideService(guarded, Clearance, { level: 41 })
      assert.deepStrictEqual(yield* stored("a"), [42])
    }).pipe(Effect.provide(unpaced())))

  it.effect("encodes by the schema, and refuses a mismatch before the message is queued", () =>
    Effect.gen(function*() {
      const Order = Schema.Struct({ id: Schema.Int, placed: Schema.DateTimeUtc })
      const fiber = yield* fork(send("a", 0))
      yield* VirtualTime.advance("100 millis")
      const wrong = { id: 0.5, placed: DateTime.makeUnsafe(0) }
      const error = yield* Effect.flip(Publisher.publish({ channel: "a", message: wrong, schema: Order }))
      assert.strictEqual(nameOf(error), "BadRequest")
      assert.include(error.message, "message does not match its schema")
      assert.isUndefined(fiber.pollUnsafe(), "it did not wait")
      yield* VirtualTime.advance("1 second")
      const typed = yield* fork(
        Publisher.publish({ channel: "a", message: { id: 1, placed: DateTime.makeUnsafe(0) }, schema: Order })
      )
      yield* VirtualTime.advance("2 seconds")
      yield* Fiber.join(typed)
      assert.deepStrictEqual((yield* stored("a"))[1], { id: 1, placed: "1970-01-01T00:00:00.000Z" })
    }).pipe(Effect.provide(unpaced({}, { emulator: slow }))))

  it.effect("sends message and metadata as they were at the call", () =>
    Effect.gen(function*() {
      const message = { id: 1 }
      const meta = { list: [1] }
      const outcome = yield* Publisher.enqueue({ channel: "a", message, meta })
      message.id = 2
      meta.list.push(2)
      yield* outcome
      assert.deepStrictEqual(yield* stored("a"), [{ id: 1 }])
      const [request] = yield* requestsTo("/publish")
      assert.strictEqual(queryOf(request!).get("meta"), "{\"list\":[1]}")
    }).pipe(Effect.provide(unpaced())))

  it.effect.each(
    [
      ["a channel", { channel: "a,b", message: 1 }],
      ["a ttl", { channel: "a", message: 1, ttl: "30 minutes" }],
      ["a label", { channel: "a", message: 1, customMessageType: "x" }],
      ["metadata", { channel: "a", message: 1, meta: { x: NaN } }],
      ["a message that is too large", { channel: "a", message: "x".repeat(40_000) }]
    ] as const
  )("refuses %s that is wrong at the call, without using the rate limit", ([, wrong]) =>
    Effect.gen(function*() {
      const refused = [
        yield* Effect.flip(Effect.timeout(Publisher.publish(wrong), 0)),
        yield* Effect.flip(Effect.timeout(Effect.asVoid(Publisher.enqueue(wrong)), 0))
      ]
      for (const { _tag } of refused) assert.include(["PubNubError", "MessageTooLarge"], _tag)
      yield* send("a", 1)
      assert.deepStrictEqual(yield* times, [0])
    }).pipe(Effect.provide(world({ rateLimit: { limit: 1, window: "1 minute" } }))))

  it.effect.each(
    [
      [{ capacity: 0 }, "capacity is 0, not a whole number of 1 or more"],
      [{ capacity: Number.NaN }, "capacity is NaN, not a whole number of 1 or more"],
      [{ rateLimit: { limit: 0.5, window: "1 second" } }, "rateLimit.limit is 0.5, not a whole number of 1 or more"],
      [{ rateLimit: { limit: 1, window: Number.NaN } }, "rateLimit.window is NaN, not a positive, finite duration"],
      [
        { rateLimit: { limit: 1, window: "Infinity" } },
        "rateLimit.window is \"Infinity\", not a positive, finite duration"
      ],
      [{ flushTimeout: Number.NaN }, "flushTimeout is NaN, not a duration"],
      [{ flushTimeout: -1 }, "flushTimeout is -1, not a duration"]
    ] satisfies ReadonlyArray<readonly [Publisher.Options, string]>
  )("refuses wrong options: %j", ([settings, text]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(send("a", 1))
      assert.strictEqual(nameOf(error), "BadRequest")
      assert.include(error.message, text)
      assert.deepStrictEqual(yield* stored("a"), [])
    }).pipe(Effect.provide(world(settings))))
})

describe("two keysets", () => {
  const one = { ...keys, subscribeKey: "sub-1", publishKey: "pub-1" }
  const two = { ...keys, subscribeKey: "sub-2", publishKey: "pub-2" }
  const keyset = ({ publishKey, subscribeKey }: typeof one) => ({ publishKey, subscribeKey })
  const both = emulated({ emulator: { keysets: [keyset(one), keyset(two)] } })

  const as = (options: PubNubConfig.Options) =>
    Effect.provideService(PubNubConfig.PubNubConfig, PubNubConfig.make(options))

  it.effect("keep their own order and rate in one layer", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(6), (id) =>
        Effect.all([
          fork(send("a", id).pipe(as(one))),
          fork(send("a", 10 * id).pipe(as(two)))
        ]))
      yield* VirtualTime.advance("500 millis")
      assert.deepStrictEqual(yield* stored("a", "sub-1"), [1, 2, 3, 4, 5])
      assert.deepStrictEqual(yield* stored("a", "sub-2"), [10, 20, 30, 40, 50])
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(new Set(yield* outcomes(fibers.flat())), new Set(["published"]))
      assert.deepStrictEqual(yield* stored("a", "sub-1"), range(6))
      assert.deepStrictEqual(yield* stored("a", "sub-2"), range(6).map((id) => 10 * id))
    }).pipe(Effect.provide(Publisher.layer().pipe(Layer.provideMerge(both)))))

  it.effect("share order and rate when their configurations are equal", () =>
    Effect.gen(function*() {
      const fibers = yield* Effect.forEach(range(6), (id) => fork(send("a", id).pipe(as({ ...one }))))
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(new Set(yield* outcomes(fibers)), new Set(["published"]))
      assert.deepStrictEqual(yield* stored("a", "sub-1"), range(6))
      assert.deepStrictEqual(yield* times, [0, 0, 0, 0, 0, 1_000])
    }).pipe(Effect.provide(Publisher.layer().pipe(Layer.provideMerge(both)))))

  it.effect("have separate rates when only the publish key differs", () =>
    Effect.gen(function*() {
      const other = yield* fork(Effect.exit(send("a", 1).pipe(as({ ...one, publishKey: "pub-2" }))))
      yield* Effect.forEach(range(5), (id) => send("a", id).pipe(as(one)))
      yield* Fiber.join(other)
      assert.deepStrictEqual((yield* requestsTo("/publish/pub-1")).length, 5)
      assert.deepStrictEqual((yield* times).at(-1), 0)
    }).pipe(Effect.provide(Publisher.layer().pipe(Layer.provideMerge(both)))))

  it.effect("get their own messages with nested configurations and nested layers", () =>
    Effect.gen(function*() {
      yield* send("a", 1)
      yield* send("a", 2).pipe(as(two))
      yield* send("a", 3).pipe(Effect.provide(Publisher.layer()))
      yield* send("a", 4).pipe(Effect.provide(Publisher.layer()), as(two))
      yield* send("a", 5)
      assert.deepStrictEqual(yield* stored("a", "sub-1"), [1, 3, 5])
      assert.deepStrictEqual(yield* stored("a", "sub-2"), [2, 4])
    }).pipe(as(one), Effect.provide(Publisher.layer().pipe(Layer.provideMerge(both)))))

  it.effect("work with a publisher of Publisher.make", () =>
    Effect.gen(function*() {
      const publisher = yield* Publisher.make({ rateLimit: "none" })
      yield* publisher.publish({ channel: "a", message: 1 }).pipe(as(two))
      assert.deepStrictEqual(yield* stored("a", "sub-2"), [1])
    }).pipe(Effect.provide(both)))
})
