/** What is promised of every fault kind, beside that nothing is lost: docs/guarantees.md names these tests. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Subscribe, type SubscribeEvent } from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { emulated, requestsTo } from "../kit/emulated.ts"
import { isLong } from "./seeds.ts"
import * as Possible from "./faults.ts"

const { Fault } = Faults

const emulator = PubNubEmulator.PubNubEmulator
const faults = Faults.Faults

/** Runs a stream beside the test, and keeps what it gives. */
const collect = Effect.fnUntraced(function*(options: Subscribe.StreamOptions) {
  const seen: Array<SubscribeEvent.SubscribeEvent> = []
  const fiber = yield* Subscribe.stream({ reconnect: { AccessDenied: Retry.reconnect }, ...options }).pipe(
    Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
    Effect.forkChild
  )
  yield* VirtualTime.advance("1 second")
  return { seen, fiber }
})

const payloads = (seen: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  seen.flatMap((event) => event._tag === "Message" ? [event.payload] : [])

/** The faults that a request cannot but notice, at once. */
const failures = [
  Fault.ConnectionRefused(),
  Fault.NameNotFound(),
  Fault.ResetBeforeAnswer(),
  Fault.ResetInBody(),
  Fault.TruncatedBody(),
  Fault.TruncatedJson(),
  Fault.ServerError({ status: 500, handled: false }),
  Fault.ServerError({ status: 502, handled: true }),
  Fault.ServerError({ status: 503, handled: false }),
  Fault.ServerError({ status: 504, handled: false }),
  Fault.RateLimited({ retryAfter: "5 seconds" }),
  Fault.AccessDenied(),
  Fault.MalformedJson(),
  Fault.EmptyBody(),
  Fault.EmptyObject(),
  Fault.NullMessages(),
  Fault.NullCursor(),
  Fault.Restart()
]

describe("an interruption", () => {
  it.effect.each(failures)(
    "by %s emits Interrupted within a second, with its reason and cursor, and then Reconnected",
    (fault) =>
      Effect.gen(function*() {
        const service = yield* emulator
        const { seen } = yield* collect({ channels: ["a"] })
        const { timetoken: sent } = yield* service.publish({ channel: "a", message: 1 })
        yield* VirtualTime.advance("1 second")
        yield* faults.use(({ add }) => add({ on: "poll", fault }))
        // The poll that waits is answered; the next one fails.
        const { timetoken: last } = yield* service.publish({ channel: "a", message: 2 })
        assert.isTrue(sent < last)
        yield* VirtualTime.advance("1 second")
        // What damages a body needs one.
        yield* service.publish({ channel: "a", message: 3 })
        yield* VirtualTime.advance("1 second")
        const told = seen.find((event) => event._tag === "Interrupted")
        if (told?._tag !== "Interrupted") return assert.fail("it was not told")
        assert.strictEqual(told.cursor?.position, last)
        assert.isNotEmpty(told.reason.message)
        yield* VirtualTime.advance("10 seconds")
        assert.strictEqual(seen.filter((event) => event._tag === "Reconnected").length, 1)
        assert.deepStrictEqual(payloads(seen), [1, 2, 3])
      }).pipe(Effect.provide(emulated()))
  )

  it.effect("by one 502 delays messages by at most a second", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collect({ channels: ["a"] })
      yield* faults.use(({ add }) => add({ on: "poll", fault: Fault.ServerError({ status: 502, handled: false }) }))
      yield* service.publish({ channel: "a", message: 1 })
      yield* VirtualTime.advance("1 millis")
      yield* service.publish({ channel: "a", message: 2 })
      assert.deepStrictEqual(payloads(seen), [1])
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1, 2])
    }).pipe(Effect.provide(emulated())))
})

describe("attempts while a fault lasts", () => {
  const lasting = Possible.faults.filter(({ lasting }) => lasting === undefined)
  const most = isLong ? 15 : 3
  it.effect.each(lasting)(
    "are at most two a second during minutes of $fault._tag",
    ({ fault }) =>
      Effect.gen(function*() {
        const service = yield* emulator
        const { fiber } = yield* collect({ channels: ["a"] })
        yield* faults.use(({ add }) => add({ fault, lasting: Duration.minutes(most) }))
        yield* service.restart
        for (let minutes = 0; minutes <= most; minutes++) {
          yield* service.publish({ channel: "a", message: minutes })
          yield* VirtualTime.advance("1 minute")
          // An attempt is a handshake, which is asked three times where its answer cannot be right, and a poll.
          const times = [
            ...(yield* requestsTo("/v2/subscribe")).map(({ time }) => time.epochMilliseconds),
            ...(yield* faults.use(({ injected }) => injected)).filter(({ fault: { _tag } }) =>
              ["ConnectionRefused", "NameNotFound", "Restart", "HalfOpen", "RateLimited", "AccessDenied"].includes(_tag)
            ).map(({ time }) => time.epochMilliseconds)
          ].toSorted((a, b) => a - b)
          assert.isFalse(times.some((time, index) => (times[index + 8] ?? Infinity) < time + 1_000), "a storm")
        }
        yield* faults.use(({ heal }) => heal)
        yield* VirtualTime.advance("3 minutes")
        assert.isUndefined(fiber.pollUnsafe())
        assert.strictEqual(yield* service.readers, 1)
      }).pipe(Effect.provide(emulated()))
  )
})

describe("order of messages", () => {
  it.effect("delivers a late message of another region when it comes", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collect({ channels: ["a"] })
      yield* service.publish({ channel: "a", message: "late", region: 2, delay: "5 seconds" })
      for (const message of [1, 2, 3]) {
        yield* service.publish({ channel: "a", message })
        yield* VirtualTime.advance("1 second")
      }
      assert.deepStrictEqual(payloads(seen), [1, 2, 3])
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(payloads(seen), [1, 2, 3, "late"])
    }).pipe(Effect.provide(emulated())))
})

describe("isolation of readers", () => {
  it.effect("ends the stream of a failing handler, and no other reader loses a message", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const failing = yield* Subscribe.messages({ channels: ["a"] }).pipe(
        Stream.runForEach((message) => message.payload === 2 ? Effect.fail("no") : Effect.void),
        Effect.forkChild
      )
      const other = yield* collect({ channels: ["a"] })
      for (const message of [1, 2, 3]) {
        yield* service.publish({ channel: "a", message })
        yield* VirtualTime.advance("1 second")
      }
      assert.strictEqual(yield* Effect.flip(Fiber.join(failing)), "no")
      assert.deepStrictEqual(payloads(other.seen), [1, 2, 3])
      assert.isUndefined(other.fiber.pollUnsafe())
    }).pipe(Effect.provide(emulated())))
})

describe("access denied for a while", () => {
  it.effect("emits Interrupted with the denied channels, and loses no message", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collect({ channels: ["a", "b"] })
      yield* service.deny({ channels: ["b"] })
      yield* service.restart
      yield* VirtualTime.advance("1 second")
      const told = seen.find((event) => event._tag === "Interrupted" && event.reason._tag === "AccessDenied")
      if (told?._tag !== "Interrupted" || told.reason._tag !== "AccessDenied") return assert.fail("it was not told")
      assert.deepStrictEqual(told.reason.channels, ["b"])
      yield* service.publishAll(Array.from({ length: 150 }, (_, message) => ({ channel: "a", message })))
      yield* VirtualTime.advance(Duration.minutes(1))
      yield* service.allow
      yield* VirtualTime.advance(Duration.minutes(1))
      assert.deepStrictEqual(payloads(seen), Array.from({ length: 150 }, (_, message) => message))
    }).pipe(Effect.provide(emulated())))
})
