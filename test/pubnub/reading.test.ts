/** What a network, a service or a clock may do to a reader: nothing of it is lost, hidden, or told falsely. */
import { assert, describe, it } from "@effect/vitest"
import * as EffectClock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type * as Cursor from "effect-herald/Cursor"
import * as CursorStore from "effect-herald/CursorStore"
import { Subscribe, type SubscribeEvent, Subscriber, Timetoken, Users } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as Exchange from "../../src/testing/server/exchange.ts"
import { emulated, requestsTo } from "../kit/emulated.ts"
import { isLong, isPut } from "../simulation/seeds.ts"
import { machine } from "../kit/skewed.ts"
import { collectConnected } from "../kit/collect.ts"
import { payloads, tags } from "../kit/events.ts"
import { numbers } from "../kit/numbers.ts"

const emulator = PubNubEmulator.PubNubEmulator
const faults = Faults.Fault

const only = <Tag extends SubscribeEvent.SubscribeEvent["_tag"]>(
  events: ReadonlyArray<SubscribeEvent.SubscribeEvent>,
  tag: Tag
) =>
  events.filter((event): event is Extract<SubscribeEvent.SubscribeEvent, { readonly _tag: Tag }> => event._tag === tag)

const statuses = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  tags(events).filter((tag) => tag !== "Message")

const gaps = (
  events: ReadonlyArray<SubscribeEvent.SubscribeEvent>
) => [...only(events, "Gap"), ...only(events, "GapSuspected")]

const burst = (length: number, options: { readonly channel?: string; readonly first?: number } = {}) =>
  emulator.use((service) =>
    service.publishAll(numbers(length, options.first).map((message) => ({ channel: options.channel ?? "a", message })))
  )

const publish = (message: unknown, channel = "a") =>
  Effect.map(emulator.use((service) => service.publish({ channel, message })), ({ timetoken }) => timetoken)

const add = (rule: Faults.Rule) => Faults.Faults.use((faulty) => faulty.add(rule))
const heal = Faults.Faults.use((faulty) => faulty.heal)

const addressOf = (request: HttpClientRequest.HttpClientRequest) =>
  Option.match(HttpClientRequest.toUrl(request), { onNone: () => "", onSome: ({ href }) => href })

const isHistory = ({ url }: HttpClientRequest.HttpClientRequest) => url.includes("/v3/history")

/** Alone and shared: what holds for one reader holds for the other. */
const both = [["a connection of its own", Layer.empty, 0], ["a shared connection", Subscriber.layer(), 1]] as const

/** In `npm test` every other value is read alone, and the others shared. */
const some = <A>(values: ReadonlyArray<A>, place: number) =>
  values.filter((_, index) => isPut(index, place, both.length))

/** Away while something happens: the network is dead, and comes back. */
const away = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    yield* add({ fault: faults.ConnectionRefused(), lasting: "1 day" })
    yield* emulator.use((service) => service.restart)
    yield* VirtualTime.advance("1 second")
    yield* effect
    yield* heal
    yield* VirtualTime.advance("1 minute")
  })

describe.each(both)("interruptions, with %s", (_, sharing, place) => {
  it.effect.each(some([
    faults.ConnectionRefused(),
    faults.AccessDenied(),
    faults.ServerError({ status: 502, handled: false }),
    faults.RateLimited({ retryAfter: "2 seconds" })
  ], place))("are reported once for one $_tag before ten quiet minutes", (fault) =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* add({ on: "poll", fault })
      yield* VirtualTime.advance("10 minutes")
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(seen), ["Connected", "Interrupted", "Reconnected", "Message"])
    }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated()))))

  it.effect("make a live value read again once, and not again in a quiet hour", () =>
    Effect.gen(function*() {
      yield* emulator.use((service) => service.setUser({ id: "bob", name: "Bob" }))
      yield* Users.live({ id: "bob" })
      yield* add({ on: "poll", fault: faults.ConnectionRefused() })
      yield* emulator.use((service) => service.restart)
      yield* VirtualTime.advance("10 minutes")
      const reads = requestsTo("/v2/objects")
      const before = (yield* reads).length
      yield* VirtualTime.advance("50 minutes")
      assert.strictEqual((yield* reads).length, before)
      assert.isAtMost(before, 4)
    }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(sharing, emulated()))))

  it.effect("do not restart a schedule while handshakes work and polls fail", () =>
    Effect.gen(function*() {
      const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* add({ on: "poll", fault: faults.ServerError({ status: 502, handled: false }), times: 9 })
      yield* emulator.use((service) => service.restart)
      yield* VirtualTime.advance("5 minutes")
      // The restart is the first of them.
      assert.deepStrictEqual(only(seen, "Interrupted").map(({ attempt }) => attempt), numbers(10, 1))
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
      yield* add({ on: "poll", fault: faults.AccessDenied(), times: 4 })
      yield* emulator.use((service) => service.restart)
      yield* VirtualTime.advance("5 minutes")
      assert.isTrue(Exit.isFailure(fiber.pollUnsafe()!))
    }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated()))))

  it.effect.each(some(
    [
      ...isLong ? [["403", "1 hour", faults.AccessDenied()]] as const : [],
      ["403", "2 minutes", faults.AccessDenied()],
      ["502", "30 minutes", faults.ServerError({ status: 502, handled: false })],
      ["429", "10 minutes", faults.RateLimited({ retryAfter: "0 seconds" })],
      ["refused connection", "2 minutes", faults.ConnectionRefused()]
    ] as const,
    place
  ))(
    "by one %s every %s on a quiet channel are the first attempt each time",
    ([, every, fault]) =>
      Effect.gen(function*() {
        const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        // More than the schedules try in a row.
        const rounds = isLong ? 12 : 5
        for (const n of numbers(rounds)) {
          yield* add({ on: "poll", fault })
          yield* VirtualTime.advance(every)
          if (n % 2 === 1) yield* publish(n)
        }
        yield* VirtualTime.advance("1 second")
        const interrupted = only(seen, "Interrupted")
        assert.deepStrictEqual(interrupted.map(({ attempt }) => attempt), numbers(rounds).map(() => 1))
        assert.isAtMost(Math.max(...interrupted.map(({ retryIn }) => Duration.toMillis(retryIn))), 1_000)
        assert.deepStrictEqual(payloads(seen), numbers(rounds).filter((n) => n % 2 === 1))
        assert.isUndefined(fiber.pollUnsafe())
      }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated())))
  )

  it.effect("by polls that are reset again and again are the first attempt each time", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      for (const n of numbers(12)) {
        yield* VirtualTime.advance(`${45 - n} seconds`)
        yield* emulator.use((service) => service.restart)
      }
      assert.deepStrictEqual(new Set(only(seen, "Interrupted").map(({ attempt }) => attempt)), new Set([1]))
    }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated()))))
})

describe.each(both)("clocks, with %s", (_, sharing, place) => {
  const kept = {
    emulator: { limits: { queueRetention: "2 minutes" } },
    config: { queueRetention: "2 minutes" }
  } as const

  it.effect.each(some(["-10 minutes", "-9 minutes", "-1 day", "10 minutes", "0 seconds"] as const, place))(
    "set by %s during ten minutes away lose no message",
    (by) =>
      Effect.gen(function*() {
        const { context, set } = yield* machine()
        const shared = yield* Layer.build(sharing)
        const { seen } = yield* collectConnected(
          Subscribe.stream({ channels: ["a"] }).pipe(Stream.provideContext(shared), Stream.provideContext(context))
        )
        yield* away(Effect.gen(function*() {
          yield* burst(50)
          yield* VirtualTime.advance("5 minutes")
          yield* set(by)
          yield* VirtualTime.advance("5 minutes")
          yield* burst(21, { first: 50 })
        }))
        assert.deepStrictEqual(payloads(seen), numbers(71))
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(Effect.scoped, Effect.provide(emulated(kept)))
  )

  it.effect.each(some(["-1 hour", "1 hour", "1 day", "-1 day", "-30 seconds"] as const, place))(
    "set by %s hide a half-open poll for less than a minute",
    (by) =>
      Effect.gen(function*() {
        const { context, set } = yield* machine()
        const shared = yield* Layer.build(sharing)
        yield* add({ on: "poll", fault: faults.HalfOpen() })
        const { seen } = yield* collectConnected(
          Subscribe.stream({ channels: ["a"] }).pipe(Stream.provideContext(shared), Stream.provideContext(context))
        )
        yield* VirtualTime.advance("10 seconds")
        yield* publish(1)
        yield* set(by)
        yield* VirtualTime.advance("50 seconds")
        assert.deepStrictEqual(payloads(seen), [1])
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(Effect.scoped, Effect.provide(emulated()))
  )

  const off = ["-1 hour", "1 hour", "1 day", "-1 day"] as const

  it.effect.each(some(off, place))(
    "off by %s lose no message, and cause no false Gap",
    (by) =>
      Effect.gen(function*() {
        const { context } = yield* machine(by)
        const shared = yield* Layer.build(sharing)
        const { seen } = yield* collectConnected(
          Subscribe.stream({ channels: ["a"] }).pipe(Stream.provideContext(shared), Stream.provideContext(context))
        )
        yield* burst(250)
        yield* VirtualTime.advance("10 seconds")
        yield* away(Effect.andThen(burst(30, { first: 250 }), VirtualTime.advance("30 minutes")))
        yield* burst(150, { first: 280 })
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(430))
        assert.deepStrictEqual(new Set(statuses(seen)), new Set(["Connected", "Interrupted", "Reconnected"]))
      }).pipe(
        Effect.scoped,
        Effect.provide(emulated({ emulator: { limits: { queueRetention: "20 minutes", historyRetention: "1 day" } } }))
      )
  )

  it.effect.each(some(off, place))(
    "off by %s cause RetentionExceeded for what history lost, and nothing else is missing",
    (by) =>
      Effect.gen(function*() {
        const { context } = yield* machine(by)
        const shared = yield* Layer.build(sharing)
        const from = yield* publish("before")
        yield* burst(10)
        yield* VirtualTime.advance("2 hours")
        yield* burst(10, { first: 10 })
        yield* VirtualTime.advance("23 hours")
        const old = yield* collectConnected(
          Subscribe.stream({ channels: ["a"], from }).pipe(
            Stream.provideContext(shared),
            Stream.provideContext(context)
          )
        )
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(old.seen), numbers(10, 10))
        assert.deepStrictEqual(gaps(old.seen).map(({ reason }) => reason), ["RetentionExceeded"])
      }).pipe(
        Effect.scoped,
        Effect.provide(emulated({ emulator: { limits: { queueRetention: "20 minutes", historyRetention: "1 day" } } }))
      )
  )

  it.effect.each(some(off, place))(
    "off by %s cause no Gap after a break just shorter than the retention",
    (by) =>
      Effect.gen(function*() {
        const { context } = yield* machine(by)
        const shared = yield* Layer.build(sharing)
        const from = yield* publish("before")
        yield* burst(10)
        yield* VirtualTime.advance(Duration.minutes(24 * 60 - 3))
        const { seen } = yield* collectConnected(
          Subscribe.stream({ channels: ["a"], from }).pipe(
            Stream.provideContext(shared),
            Stream.provideContext(context)
          )
        )
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(10))
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(
        Effect.scoped,
        Effect.provide(emulated({ emulator: { limits: { queueRetention: "20 minutes", historyRetention: "1 day" } } }))
      )
  )
})

describe.each(both)("a cursor, with %s", (_, sharing, place) => {
  const ticks = (timetoken: string, by: Duration.Input) =>
    String(BigInt(timetoken) + BigInt(Duration.toMillis(Duration.fromInputUnsafe(by))) * 10_000n)

  const resumed = (cursorAt: (position: string) => Cursor.Cursor, off: Duration.Input = 0) =>
    Effect.gen(function*() {
      const { context } = yield* machine(off)
      const shared = yield* Layer.build(sharing)
      const position = yield* publish("before")
      yield* burst(3)
      yield* VirtualTime.advance("1 second")
      return yield* collectConnected(
        Subscribe.stream({ channels: ["a"], from: cursorAt(position) }).pipe(
          Stream.provideContext(shared),
          Stream.provideContext(context)
        )
      )
    })

  it.effect.each(some(["1 second", "1 minute", "9 minutes"] as const, place))(
    "that says that its reader begins in %s delivers new messages at once",
    (by) =>
      Effect.gen(function*() {
        const { seen } = yield* resumed((position) => ({
          position,
          delivered: [],
          recent: { since: ticks(position, by), marks: "", sums: [[ticks(position, by), 3, "AAAAB"]] }
        }))
        yield* VirtualTime.advance("5 seconds")
        yield* burst(3, { first: 3 })
        yield* VirtualTime.advance("5 seconds")
        assert.deepStrictEqual(payloads(seen).slice(-3), numbers(3, 3))
        yield* burst(150, { first: 6 })
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(seen).slice(-153), numbers(153, 3))
      }).pipe(Effect.scoped, Effect.provide(emulated()))
  )

  it.effect("whose beginning has too few digits counts as old", () =>
    Effect.gen(function*() {
      const { seen } = yield* resumed((position) => ({ position, delivered: [], recent: { since: "5", marks: "" } }))
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen).slice(-3), numbers(3))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect.each(some(
    [
      ["5 minutes", 0],
      ["2 hours", 0],
      ["2 hours", "-5 hours"],
      ["2 hours", "5 hours"],
      ["104 weeks", 0]
    ] as const,
    place
  ))(
    "of %s from now, by a clock that is off by %s, is doubted, and no later message is missed",
    ([by, off]) =>
      Effect.gen(function*() {
        const { seen } = yield* resumed((position) => ({ position: ticks(position, by), delivered: [] }), off)
        yield* VirtualTime.advance("1 minute")
        yield* burst(150, { first: 3 })
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(150, 3))
        assert.deepStrictEqual(statuses(seen), ["Connected", "CursorDoubted"])
        yield* away(burst(120, { first: 153 }))
        assert.deepStrictEqual(payloads(seen), numbers(270, 3))
      }).pipe(Effect.scoped, Effect.provide(emulated()))
  )

  it.effect.each(some([[0, 1], [0, 3], ["-5 hours", 1], ["5 hours", 1], ["5 hours", 3]] as const, place))(
    "stays in place, by a clock that is off by %s, after %i handshakes an hour back",
    ([off, times]) =>
      Effect.gen(function*() {
        yield* add({ on: "handshake", fault: faults.BackwardCursor(), times })
        const { seen } = yield* resumed((position) => ({ position, delivered: [] }), off)
        yield* VirtualTime.advance("10 seconds")
        yield* burst(3, { first: 3 })
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(6))
        assert.deepStrictEqual(statuses(seen), [...times < 3 ? [] : ["Interrupted"], "Connected"])
      }).pipe(Effect.scoped, Effect.provide(emulated()))
  )
})

describe("a handshake an hour back", () => {
  const anHourBack = (catchUp: Subscribe.StreamOptions["catchUp"]) =>
    Effect.gen(function*() {
      const position = yield* publish("before")
      yield* VirtualTime.jump("8 hours")
      yield* burst(3)
      yield* VirtualTime.jump("30 minutes")
      yield* burst(1, { first: 3 })
      yield* add({ on: "handshake", fault: faults.BackwardCursor() })
      const { seen } = yield* collectConnected(
        Subscribe.stream({ channels: ["a"], from: { position, delivered: [] }, catchUp })
      )
      yield* VirtualTime.advance("10 seconds")
      return seen
    })

  it.effect("is suspected by a stream that reads no history, each time up to a later moment", () =>
    Effect.gen(function*() {
      const seen = yield* anHourBack("none")
      const ends = seen.flatMap((event) => event._tag === "GapSuspected" ? [event.before] : [])
      assert.lengthOf(ends, 2)
      assert.deepStrictEqual(ends, [...new Set(ends)].toSorted())
    }).pipe(Effect.scoped, Effect.provide(emulated({ emulator: { limits: { queueRetention: "20 minutes" } } }))))

  it.effect("loses no message that the service dropped from its queue within that hour", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(payloads(yield* anHourBack(undefined)), numbers(4))
    }).pipe(Effect.scoped, Effect.provide(emulated({ emulator: { limits: { queueRetention: "20 minutes" } } }))))
})

describe.each(both)("history that fails, with %s", (_, sharing, place) => {
  const failing = [
    faults.ServerError({ status: 503, handled: false }),
    faults.RateLimited({ retryAfter: "5 seconds" }),
    faults.ConnectionRefused(),
    faults.MalformedJson()
  ]

  /** A hole, ten minutes of failing history with live messages in them, and then good times. */
  const outage = (fault: Faults.Fault) =>
    Effect.gen(function*() {
      yield* add({ on: isHistory, fault, lasting: "10 minutes" })
      yield* burst(500)
      for (const n of numbers(10)) {
        yield* VirtualTime.advance("1 minute")
        yield* publish(500 + n)
      }
      yield* VirtualTime.advance("1 minute")
      yield* burst(11, { first: 510 })
      yield* VirtualTime.advance("1 minute")
    })

  it.effect.each(some(failing, place))(
    "with $_tag for ten minutes is waited for, and all messages come in order",
    (fault) =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* outage(fault)
        assert.deepStrictEqual(payloads(seen), numbers(521))
        assert.deepStrictEqual(gaps(seen), [])
        assert.isAtLeast(only(seen, "Interrupted").length, 1)
        assert.strictEqual(only(seen, "Reconnected").length, 1)
      }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated())))
  )

  it.effect("with a single 400 loses nothing", () =>
    Effect.gen(function*() {
      const inner = yield* HttpClient.HttpClient
      let refusals = 0
      const client = HttpClient.transform(inner, (sent, request) => {
        if (!isHistory(request) || refusals++ > 0) return sent
        return Effect.succeed(Exchange.response(request, {
          status: 400,
          headers: { "content-type": "application/json" },
          body: `{"status":400,"error":true,"error_message":"Invalid Arguments"}`
        }))
      })
      const shared = yield* Layer.build(sharing)
      const { seen } = yield* collectConnected(
        Subscribe.stream({ channels: ["a"] }).pipe(
          Stream.provideContext(shared),
          Stream.provideService(HttpClient.HttpClient, client)
        )
      )
      yield* burst(521)
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(seen), numbers(521))
      assert.deepStrictEqual(gaps(seen), [])
      assert.isAbove(refusals, 1)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect.each(some(failing, place))(
    "with $_tag causes GapSuspected after catchUp.within, and live messages come in order",
    (fault) =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], catchUp: { within: "1 minute" } }))
        yield* add({ on: isHistory, fault, lasting: "10 minutes" })
        yield* burst(500)
        yield* VirtualTime.advance("30 seconds")
        yield* burst(5, { first: 500 })
        yield* VirtualTime.advance("25 seconds")
        assert.deepStrictEqual(payloads(seen), [])
        yield* VirtualTime.advance("65 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(105, 400))
        assert.deepStrictEqual(gaps(seen).map(({ reason }) => reason), ["FullPage"])
        yield* VirtualTime.advance("10 minutes")
        yield* burst(11, { first: 505 })
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(payloads(seen), numbers(116, 400))
      }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated())))
  )

  it.effect("is not asked when catchUp is none", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], catchUp: "none" }))
      yield* outage(faults.ServerError({ status: 503, handled: false }))
      assert.deepStrictEqual(payloads(seen), numbers(121, 400))
      assert.deepStrictEqual(statuses(seen), ["Connected", "GapSuspected"])
      assert.deepStrictEqual(yield* requestsTo("/v3/history"), [])
    }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated()))))

  it.effect.each(some(failing, place))(
    "with $_tag loses no message of a durable reader, and keeps the order",
    (fault) =>
      Effect.gen(function*() {
        const handled: Array<unknown> = []
        yield* Effect.forkChild(Subscribe.consume((message) => Effect.sync(() => handled.push(message.payload)), {
          channels: ["a"],
          reader: "billing"
        }))
        yield* VirtualTime.advance("1 second")
        yield* outage(fault)
        assert.deepStrictEqual(handled, numbers(521))
      }).pipe(Effect.provide(Layer.mergeAll(Layer.provideMerge(sharing, emulated()), CursorStore.layerMemory)))
  )
})

describe("history that fails, for several readers of one connection", () => {
  it.effect("makes each wait as long as its own options say", () =>
    Effect.gen(function*() {
      const patient = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      const bounded = yield* collectConnected(Subscribe.stream({ channels: ["a"], catchUp: { within: "1 minute" } }))
      const live = yield* collectConnected(Subscribe.stream({ channels: ["a"], catchUp: "none" }))
      yield* add({ on: isHistory, fault: faults.ServerError({ status: 503, handled: false }), lasting: "10 minutes" })
      yield* burst(500)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual([patient, bounded, live].map(({ seen }) => payloads(seen).length), [0, 0, 100])
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual([patient, bounded, live].map(({ seen }) => payloads(seen).length), [0, 100, 100])
      yield* burst(5, { first: 500 })
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(payloads(patient.seen), numbers(505))
      assert.deepStrictEqual(payloads(bounded.seen), numbers(105, 400))
      assert.deepStrictEqual(payloads(live.seen), numbers(105, 400))
      assert.deepStrictEqual(gaps(patient.seen), [])
      assert.deepStrictEqual(statuses(live.seen), ["Connected", "GapSuspected"])
      assert.strictEqual(yield* emulator.use((service) => service.readers), 1)
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))

  it.effect("ends only the slow reader whose schedule ends, with its cursor", () =>
    Effect.gen(function*() {
      const slow: Array<SubscribeEvent.SubscribeEvent> = []
      const reading = yield* Subscribe.stream({ channels: ["a"], capacity: 10 }).pipe(
        Stream.runForEach((event) =>
          Effect.suspend(() => {
            slow.push(event)
            return payloads(slow).length === 1 ? Effect.sleep("1 minute") : Effect.void
          })
        ),
        Effect.result,
        Effect.forkChild
      )
      yield* VirtualTime.advance("1 second")
      const other = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* publish(0)
      yield* VirtualTime.advance("1 second")
      for (const n of numbers(60, 1)) {
        yield* publish(n)
        yield* VirtualTime.advance("100 millis")
      }
      yield* add({ on: isHistory, fault: faults.ServerError({ status: 503, handled: false }), lasting: "1 hour" })
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(payloads(slow), numbers(11))
      assert.deepStrictEqual(statuses(slow), ["Connected", "Interrupted", "Interrupted", "Disconnected"])
      const result = yield* Fiber.join(reading)
      assert.strictEqual(result._tag, "Failure")
      const error = result._tag === "Failure" ? result.failure : undefined
      assert.strictEqual(error?.reason._tag, "Exhausted")
      assert.deepStrictEqual(payloads(other.seen), numbers(61))
      assert.deepStrictEqual(statuses(other.seen), ["Connected"])
      yield* heal
      const again = yield* collectConnected(Subscribe.stream({ channels: ["a"], from: error!.cursor! }))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(again.seen), numbers(50, 11))
    }).pipe(
      Effect.provide(
        Layer.provideMerge(Subscriber.layer({ reconnect: { ServerFailure: Schedule.recurs(2) } }), emulated())
      )
    ))
})

describe.each(both)("a gap, with %s", (_, sharing, place) => {
  it.effect("of a wildcard whose channels are known gives all messages, and at most GapSuspected", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["x.*"] }))
      for (const n of numbers(5)) yield* burst(1, { channel: `x.${n}`, first: n })
      yield* VirtualTime.advance("1 second")
      yield* emulator.use((service) =>
        service.publishAll(numbers(500, 5).map((n) => ({ channel: `x.${n % 5}`, message: n })))
      )
      yield* VirtualTime.advance("10 seconds")
      yield* away(Effect.andThen(burst(10, { channel: "x.2", first: 505 }), VirtualTime.advance("30 minutes")))
      assert.deepStrictEqual(payloads(seen), numbers(515))
      assert.deepStrictEqual(only(seen, "Gap"), [])
      assert.deepStrictEqual(
        new Set(only(seen, "GapSuspected").map(({ reason }) => reason)),
        new Set(["FullPage", "LongBreak"])
      )
    }).pipe(
      Effect.provide(Layer.provideMerge(sharing, emulated({ emulator: { limits: { queueRetention: "20 minutes" } } })))
    ))

  it.effect("of a group whose channels can be listed gives all messages, and no Gap", () =>
    Effect.gen(function*() {
      yield* emulator.use((service) => service.addToGroup({ group: "crew", channels: ["b", "c"] }))
      const { seen } = yield* collectConnected(Subscribe.stream({ groups: ["crew"] }))
      yield* emulator.use((service) =>
        service.publishAll(numbers(500).map((n) => ({ channel: n % 2 === 0 ? "b" : "c", message: n })))
      )
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(500))
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated()))))

  it.effect.each(some(["1 second", "3 seconds", "6 seconds"] as const, place))(
    "gives all messages, and no Gap, when history is late by %s",
    (historyDelay) =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* burst(500)
        yield* VirtualTime.advance("30 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(500))
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated({ emulator: { historyDelay } }))))
  )

  it.effect.each(some(["20 seconds", "2 minutes"] as const, place))(
    "is NotInHistory, and not NotStored, when history is late by %s",
    (historyDelay) =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* burst(500)
        yield* VirtualTime.advance("5 minutes")
        assert.deepStrictEqual(payloads(seen).slice(-100), numbers(100, 400))
        assert.deepStrictEqual(gaps(seen).map(({ reason }) => reason), ["NotInHistory"])
        yield* burst(1, { first: 500 })
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(payloads(seen).slice(-1), [500])
      }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated({ emulator: { historyDelay } }))))
  )
})

describe.each(both)("presence of a wildcard, with %s", (_, sharing, place) => {
  const joined = (by: string, uuid: string, n: number) =>
    emulator.use((service) =>
      service.emitRaw({
        channel: by.startsWith("x.*") ? "x.a" : by,
        envelope: {
          a: "3",
          f: 0,
          p: { t: `1790000000${n}0000000`.slice(0, 17), r: 1 },
          k: "demo-sub",
          c: "x.a-pnpres",
          d: { action: "join", occupancy: 1, timestamp: 1_790_000_000, uuid },
          b: by
        }
      })
    )

  it.effect.each(some(["x.*", "x.*-pnpres"], place))(
    "as %s is not delivered to a reader that did not ask for it",
    (by) =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["x.*"] }))
        yield* VirtualTime.advance("10 seconds")
        yield* joined(by, "bob", 5)
        yield* publish("hello", "x.a")
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(tags(seen), ["Connected", "Message"])
      }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated())))
  )

  it.effect.each(some(["x.*", "x.*-pnpres"], place))(
    "as %s is delivered to a reader that asked for it",
    (by) =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["x.*"], presence: true }))
        yield* VirtualTime.advance("10 seconds")
        yield* joined(by, "bob", 5)
        yield* publish("hello", "x.a")
        yield* VirtualTime.advance("1 second")
        assert.includeMembers(tags(seen), ["Joined", "Message"])
      }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated())))
  )
})

describe("readers with and without presence on one connection", () => {
  it.effect("each get what they asked for", () =>
    Effect.gen(function*() {
      const plain = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      const present = yield* collectConnected(Subscribe.stream({ channels: ["a"], presence: true }))
      yield* emulator.use((service) =>
        service.handle({
          method: "GET",
          target: "/v2/subscribe/demo-sub/a/0?uuid=bob",
          headers: {},
          body: ""
        })
      )
      yield* VirtualTime.advance("1 second")
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(plain.seen), ["Connected", "Message"])
      assert.include(tags(present.seen), "Message")
      assert.isNotEmpty(tags(present.seen).filter((tag) => tag === "Joined"))
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))
})

describe.each(both)("a busy channel, with %s", (_, sharing, place) => {
  it.effect.each(some(
    [
      [500, 1_000, 50],
      [500, 500, 100],
      ...isLong ? [[0, 1_000, 50]] as const : []
    ] as const,
    place
  ))(
    "after a gap of %i, with %i messages a second at %i ms a request, is live again within ten seconds",
    ([hole, rate, latency]) =>
      Effect.gen(function*() {
        const late: Array<number> = []
        const { seen } = yield* collectConnected(Stream.tap(Subscribe.stream({ channels: ["a"] }), (event) =>
          event._tag === "Message"
            ? Effect.map(
              EffectClock.currentTimeMillis,
              (now) => late.push(now - Number(Timetoken.toBigInt(event.timetoken) / 10_000n))
            )
            : Effect.void))
        yield* VirtualTime.advance("1 second")
        yield* burst(hole)
        let sent: number = hole
        const second = Effect.gen(function*() {
          for (let n = 0; n < 20; n++) {
            yield* burst(rate / 20, { first: sent })
            sent += rate / 20
            yield* VirtualTime.advance("50 millis")
          }
        })
        for (let n = 0; n < 10; n++) {
          yield* second
        }
        late.length = 0
        for (let n = 0; n < 3; n++) {
          yield* second
        }
        assert.isBelow(Math.max(...late), 1_000)
        yield* VirtualTime.advance("2 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(sent))
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(
        Effect.provide(Layer.provideMerge(
          sharing,
          emulated({ emulator: { latency: Effect.succeed(Duration.millis(latency)) }, config: { sendLeave: false } })
        ))
      )
  )
})

describe.each(both)("a proxy, with %s", (_, sharing, place) => {
  /** Cuts each poll that was idle for so long; the last length is for all that come. */
  const proxied = (lengths: ReadonlyArray<number>, how: "504" | "reset") =>
    Effect.map(HttpClient.HttpClient, (inner) => {
      let cuts = 0
      const client = HttpClient.transform(inner, (sent, request) => {
        const isPoll = request.url.includes("/v2/subscribe") && /[?&]tt=[1-9]/.test(addressOf(request))
        if (!isPoll) return sent
        const cut = Effect.suspend(() => {
          const length = lengths[Math.min(cuts, lengths.length - 1)] ?? 0
          return Effect.sleep(`${length} seconds`)
        }).pipe(
          Effect.tap(() => Effect.sync(() => cuts++)),
          Effect.flatMap(() =>
            how === "504"
              ? Effect.succeed(Exchange.response(request, {
                status: 504,
                headers: { "content-type": "text/html" },
                body: "<html>504</html>"
              }))
              : Effect.fail(Exchange.failure(request, "ECONNRESET"))
          )
        )
        return Effect.raceFirst(sent, cut)
      })
      return { client, cuts: () => cuts }
    })

  it.effect.each(some(
    [
      ["504", [50]],
      ["reset", [50]],
      ["reset", [30]],
      ["504", [20]],
      ["504", [50.4, 50]],
      ["504", [10, 50]],
      ["504", [49, 50, 51, 50, 49.5]]
    ] as const,
    place
  ))("that cuts idle polls with a %s after %o seconds is reported a few times, and then avoided", ([
    how,
    lengths
  ]) =>
    Effect.gen(function*() {
      const { client, cuts } = yield* proxied(lengths, how)
      const shared = yield* Layer.build(sharing)
      const { seen } = yield* collectConnected(
        Subscribe.stream({ channels: ["a"] }).pipe(
          Stream.provideContext(shared),
          Stream.provideService(HttpClient.HttpClient, client)
        )
      )
      yield* VirtualTime.advance("10 minutes")
      const told = only(seen, "Interrupted").length
      assert.isAtMost(told, 2 + lengths.length)
      assert.isAtLeast(told, 2)
      yield* VirtualTime.advance("1 hour")
      assert.strictEqual(only(seen, "Interrupted").length, told)
      assert.strictEqual(cuts(), told)
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
      assert.deepStrictEqual(gaps(seen), [])
      const polls = (yield* requestsTo("/v2/subscribe")).length
      assert.isAtMost(polls, 2 * 3_600 * 1.3 / Math.min(...lengths, 40))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("with irregular cuts does not shorten polls", () =>
    Effect.gen(function*() {
      const lengths = [50, 20, 35, 10, 45, 27, 14, 40]
      const { client } = yield* proxied([...lengths, ...lengths, 10_000], "reset")
      const shared = yield* Layer.build(sharing)
      const { seen } = yield* collectConnected(
        Subscribe.stream({ channels: ["a"] }).pipe(
          Stream.provideContext(shared),
          Stream.provideService(HttpClient.HttpClient, client)
        )
      )
      yield* VirtualTime.advance("20 minutes")
      assert.strictEqual(only(seen, "Interrupted").length, 16)
      const before = (yield* requestsTo("/v2/subscribe")).length
      yield* VirtualTime.advance("55 minutes")
      // A poll and a handshake every 55 seconds.
      assert.isAtMost((yield* requestsTo("/v2/subscribe")).length - before, 2 * 61)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("with irregular and early cuts leads back to polls of full length", () =>
    Effect.gen(function*() {
      const { client } = yield* proxied([20, 20, 15, 11, 8, 13, 10_000], "504")
      const shared = yield* Layer.build(sharing)
      yield* collectConnected(
        Subscribe.stream({ channels: ["a"] }).pipe(
          Stream.provideContext(shared),
          Stream.provideService(HttpClient.HttpClient, client)
        )
      )
      yield* VirtualTime.advance("10 minutes")
      const before = (yield* requestsTo("/v2/subscribe")).length
      yield* VirtualTime.advance("55 minutes")
      assert.isAtMost((yield* requestsTo("/v2/subscribe")).length - before, 2 * 61)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("that begins to cut earlier causes at most four interruptions", () =>
    Effect.gen(function*() {
      const { client } = yield* proxied([50, 50, 25], "504")
      const shared = yield* Layer.build(sharing)
      const { seen } = yield* collectConnected(
        Subscribe.stream({ channels: ["a"] }).pipe(
          Stream.provideContext(shared),
          Stream.provideService(HttpClient.HttpClient, client)
        )
      )
      yield* VirtualTime.advance("1 hour")
      assert.isAtMost(only(seen, "Interrupted").length, 4)
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe.each(both)("cursors, with %s", (_, sharing, place) => {
  const sizes = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
    events.flatMap((event) =>
      "cursor" in event && event.cursor !== undefined ? [JSON.stringify(event.cursor).length] : []
    )

  it.effect.each(some(
    [
      [100, isLong ? 12 : 2],
      [1_000, isLong ? 4 : 2],
      [10, isLong ? 60 : 10],
      ...isLong ? [[3_000, 2]] as const : []
    ] as const,
    place
  ))(
    "at %i messages a second have at most 4 kB at every event and status, and resume exactly",
    ([rate, seconds]) =>
      Effect.gen(function*() {
        const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        for (let n = 0; n < seconds * 10; n++) {
          yield* burst(rate / 10, { first: n * rate / 10 })
          yield* VirtualTime.advance("100 millis")
          if (n === 15) yield* emulator.use((service) => service.restart)
        }
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(payloads(seen), numbers(rate * seconds))
        assert.isAtMost(Math.max(...sizes(seen)), 4_096)
        yield* Fiber.interrupt(fiber)
        const messages = only(seen, "Message")
        for (const at of [messages.length - 1, messages.length - 2, Math.floor(messages.length * 0.9)]) {
          const again = yield* collectConnected(Subscribe.stream({ channels: ["a"], from: messages[at]!.cursor }))
          yield* VirtualTime.advance("10 seconds")
          assert.deepStrictEqual(payloads(again.seen), numbers(rate * seconds).slice(at + 1), `from ${at}`)
          yield* Fiber.interrupt(again.fiber)
        }
      }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated())))
  )

  it.effect("in a burst of 5,000 have at most 4 kB, and resume exactly", () =>
    Effect.gen(function*() {
      const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a", "b"] }))
      yield* emulator.use((service) =>
        service.publishAll(numbers(5_000).map((n) => ({ channel: n % 2 === 0 ? "a" : "b", message: n })))
      )
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(5_000))
      assert.isAtMost(Math.max(...sizes(seen)), 4_096)
      yield* Fiber.interrupt(fiber)
      const messages = only(seen, "Message")
      // The beginning, the ends of pages, and places within them.
      const places = isLong ? [0, 99, 100, 101, 1_234, 2_500, 4_899, 4_900, 4_950, 4_999] : some([99, 4_900], place)
      for (const at of places) {
        const again = yield* collectConnected(Subscribe.stream({ channels: ["a", "b"], from: messages[at]!.cursor }))
        yield* VirtualTime.advance("30 seconds")
        assert.deepStrictEqual(payloads(again.seen), numbers(5_000).slice(at + 1), `from ${at}`)
        yield* Fiber.interrupt(again.fiber)
      }
    }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated()))))

  it.effect("of a chain of readers, each resuming from the last, have at most 4 kB, and lose nothing", () =>
    Effect.gen(function*() {
      let cursor: Cursor.Cursor | undefined
      const all: Array<unknown> = []
      let sent = 0
      for (let round = 0; round < (isLong ? 20 : 4); round++) {
        const { fiber, seen } = yield* collectConnected(
          Subscribe.stream({ channels: ["a"], ...cursor === undefined ? {} : { from: cursor } })
        )
        for (let n = 0; n < 10; n++) {
          yield* burst(60, { first: sent })
          sent += 60
          yield* VirtualTime.advance("100 millis")
        }
        yield* Fiber.interrupt(fiber)
        all.push(...payloads(seen))
        assert.isAtMost(Math.max(0, ...sizes(seen)), 4_096, `round ${round}`)
        const last = seen.findLast((event) => "cursor" in event && event.cursor !== undefined)
        if (last !== undefined && "cursor" in last) ({ cursor } = last)
      }
      yield* collectConnected(Subscribe.stream({ channels: ["a"], from: cursor! })).pipe(
        Effect.tap(() => VirtualTime.advance("10 seconds")),
        Effect.map(({ seen }) => all.push(...payloads(seen)))
      )
      assert.deepStrictEqual(all, numbers(sent))
    }).pipe(Effect.provide(Layer.provideMerge(sharing, emulated()))))
})

describe("a durable reader at 100 messages a second", () => {
  it.effect("saves cursors of at most 4 kB, at most four a second, and the last one at its end", () =>
    Effect.gen(function*() {
      const saved: Array<Cursor.Cursor> = []
      const store = yield* CursorStore.CursorStore
      const fiber = yield* Effect.forkChild(
        Subscribe.consume(() => Effect.void, { channels: ["a"], reader: "busy" }).pipe(
          Effect.provideService(
            CursorStore.CursorStore,
            CursorStore.CursorStore.of({
              ...store,
              save: (name, cursor) => Effect.andThen(Effect.sync(() => saved.push(cursor)), store.save(name, cursor))
            })
          )
        )
      )
      yield* VirtualTime.advance("1 second")
      const seconds = isLong ? 10 : 3
      for (let n = 0; n < seconds * 100; n++) {
        yield* publish(n)
        yield* VirtualTime.advance("10 millis")
      }
      assert.isAtMost(saved.length, seconds * 4 + 5)
      assert.isAtLeast(saved.length, seconds * 2)
      assert.isAtMost(Math.max(...saved.map((cursor) => JSON.stringify(cursor).length)), 4_096)
      yield* Fiber.interrupt(fiber)
      const again: Array<unknown> = []
      yield* Effect.forkChild(
        Subscribe.consume((message) => Effect.sync(() => again.push(message.payload)), {
          channels: ["a"],
          reader: "busy"
        })
      )
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(again, [])
    }).pipe(Effect.provide(Layer.merge(emulated(), CursorStore.layerMemory))))
})
