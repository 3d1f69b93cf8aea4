import { assert, describe, it } from "@effect/vitest"
import { currentTimeMillis } from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as CursorStore from "effect-herald/CursorStore"
import { Publish, Subscribe, type SubscribeEvent, Timetoken } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"
import { collectConnected } from "../kit/collect.ts"
import { payloads } from "../kit/events.ts"
import { numbers } from "../kit/numbers.ts"

const emulator = PubNubEmulator.PubNubEmulator
const faults = Faults.Fault

const gaps = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  events.flatMap((event) => event._tag === "Gap" || event._tag === "GapSuspected" ? [event] : [])

const burst = (length: number, options: { readonly channel?: string; readonly first?: number } = {}) =>
  emulator.use((service) =>
    service.publishAll(numbers(length, options.first).map((message) => ({ channel: options.channel ?? "a", message })))
  )

const history = requestsTo("/v3/history")

/** Away while something happens: the network is dead, and comes back. */
const away = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const faulty = yield* Faults.Faults
    const service = yield* emulator
    yield* faulty.add({ fault: faults.ConnectionRefused(), lasting: "1 hour" })
    yield* service.restart
    yield* VirtualTime.advance("1 second")
    yield* effect
    yield* faulty.heal
    yield* VirtualTime.advance("40 seconds")
  })

describe("catching up", () => {
  it.effect.each([100, 101, 500, 1_000, 3_210])(
    "delivers all of %i messages that came within one poll",
    (count) =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* burst(count)
        yield* VirtualTime.advance("10 seconds")
        yield* emulator.use((service) => service.publish({ channel: "a", message: "live" }))
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(payloads(seen), [...numbers(count), "live"])
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(Effect.provide(emulated()))
  )

  it.effect.each([101, 500, 1_000])(
    "delivers all of %i messages that came while the network was down",
    (count) =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* away(burst(count))
        assert.deepStrictEqual(payloads(seen), numbers(count))
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(Effect.provide(emulated()))
  )

  it.effect("delivers all messages after a break longer than the service keeps its queue", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* away(Effect.andThen(burst(30), VirtualTime.advance("30 minutes")))
      assert.deepStrictEqual(payloads(seen), numbers(30))
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(emulated({ emulator: { limits: { queueRetention: "20 minutes" } } }))))

  describe("when answers are larger than maxAnswerSize", () => {
    const small = (options: Parameters<typeof emulated>[0] = {}) =>
      emulated({ ...options, config: { maxAnswerSize: 40_000, ...options.config } })
    const large = (length: number, channel: string) =>
      emulator.use((service) =>
        service.publishAll(numbers(length).map((n) => ({ channel, message: `${n}${"x".repeat(4_000)}` })))
      )
    const numbersOf = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
      payloads(events).map((payload) => typeof payload === "string" ? Number.parseInt(payload, 10) : payload)

    it.effect.each(["0 seconds", "500 millis", "6 seconds"] as const)(
      "steps over a page of the queue, and reads history, late by %s, in smaller pages",
      (historyDelay) =>
        Effect.gen(function*() {
          const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
          yield* large(30, "a")
          yield* VirtualTime.advance("10 seconds")
          assert.deepStrictEqual(numbersOf(seen), numbers(30))
          yield* emulator.use((service) => service.publish({ channel: "a", message: 30 }))
          yield* VirtualTime.advance("10 seconds")
          assert.deepStrictEqual(numbersOf(seen), numbers(31))
          assert.deepStrictEqual(gaps(seen), [])
          const pages = (yield* history).map((request) => queryOf(request).get("max"))
          assert.includeMembers(pages, ["100", "25", "7"])
        }).pipe(Effect.provide(small({ emulator: { historyDelay } })))
    )

    it.effect("divides the channels of a request, and asks again for those of a break", () =>
      Effect.gen(function*() {
        const channels = numbers(12).map((n) => `c${n}`)
        const { seen } = yield* collectConnected(Subscribe.stream({ channels }))
        yield* away(Effect.andThen(
          Effect.forEach(channels, (channel) => large(8, channel)),
          VirtualTime.advance("30 minutes")
        ))
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(
          numbersOf(seen).toSorted((a, b) => Number(a) - Number(b)),
          numbers(8).flatMap((n) => channels.map(() => n))
        )
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(Effect.provide(small({ emulator: { limits: { queueRetention: "20 minutes" } } }))))

    it.effect("suspects no loss when a full page follows", () =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* large(12, "a")
        yield* burst(200, { first: 12 })
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(numbersOf(seen), numbers(212))
        assert.deepStrictEqual(gaps(seen), [])
      }).pipe(Effect.provide(small())))

    it.effect("asks for more again after a few large messages", () =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* away(Effect.andThen(burst(2_000), large(12, "a")))
        yield* VirtualTime.advance("20 seconds")
        assert.deepStrictEqual(numbersOf(seen), [...numbers(2_000), ...numbers(12)])
        assert.deepStrictEqual(gaps(seen), [])
        assert.isBelow((yield* history).length, 100)
      }).pipe(Effect.provide(small())))

    it.effect("says that the messages are missing where nothing is stored", () =>
      Effect.gen(function*() {
        const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* large(30, "a")
        yield* VirtualTime.advance("10 seconds")
        yield* emulator.use((service) => service.publish({ channel: "a", message: 30 }))
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(numbersOf(seen), [30])
        assert.deepStrictEqual(gaps(seen).map(({ reason }) => reason), ["NoStorage"])
      }).pipe(Effect.provide(small({ emulator: { addOns: { persistence: false } } }))))
  })

  it.effect("delivers all messages to a reader that does not pull for an hour", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      yield* Subscribe.stream({ channels: ["a"] }).pipe(
        Stream.tap((event) =>
          event._tag === "Message" && event.payload === "stop" ? Effect.sleep("1 hour") : Effect.void
        ),
        Stream.runForEach((event) => Effect.sync(() => seen.push(event))),
        Effect.forkChild
      )
      yield* VirtualTime.advance("1 second")
      yield* service.publish({ channel: "a", message: "stop" })
      for (const n of numbers(60)) {
        yield* burst(20, { first: n * 20 })
        yield* VirtualTime.advance("55 seconds")
      }
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(payloads(seen), ["stop", ...numbers(1_200)])
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(emulated({ emulator: { limits: { queueRetention: "10 minutes" } } }))))

  it.effect("delivers messages of several channels and groups in the order of their timetokens", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      yield* service.addToGroup({ group: "crew", channels: ["c", "d"] })
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a", "b", "quiet"], groups: ["crew"] }))
      yield* service.publishAll(
        numbers(900).map((n) => ({ channel: ["a", "b", "c", "d"][n % 4]!, message: n }))
      )
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(900))
      assert.deepStrictEqual(gaps(seen), [])
      const found = seen.find((event) => event._tag === "Message" && event.channel === "d")
      assert.deepInclude({ ...found }, { subscription: "crew" } as object)
    }).pipe(Effect.provide(emulated())))

  it.effect("delivers all messages to a durable reader that never gets to the end of a page", () =>
    Effect.gen(function*() {
      const handled = new Set<unknown>()
      yield* burst(1)
      for (const round of numbers(60)) {
        yield* burst(50, { first: round * 50 })
        let left = 70
        const fiber = yield* Effect.forkChild(
          Subscribe.consume((message) => left-- > 0 ? Effect.sync(() => handled.add(message.payload)) : Effect.never, {
            channels: ["a"],
            reader: "slow"
          })
        )
        yield* VirtualTime.advance("5 seconds")
        yield* Fiber.interrupt(fiber)
      }
      yield* Effect.forkChild(
        Subscribe.consume((message) => Effect.sync(() => handled.add(message.payload)), {
          channels: ["a"],
          reader: "slow"
        })
      )
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual([...handled].toSorted((a, b) => Number(a) - Number(b)), numbers(2_950, 50))
    }).pipe(Effect.provide(Layer.merge(emulated(), CursorStore.layerMemory))))

  it.effect("makes a reader live again soon after it fell behind a busy channel", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const late: Array<number> = []
      const { seen } = yield* collectConnected(
        Stream.tap(Subscribe.stream({ channels: ["a"] }), (event) =>
          event._tag === "Message"
            ? Effect.map(
              currentTimeMillis,
              (now) => late.push(now - Number(Timetoken.toBigInt(event.timetoken) / 10_000n))
            )
            : Effect.void)
      )
      let sent = 0
      const publish = (count: number) => Effect.andThen(burst(count, { first: sent }), Effect.sync(() => sent += count))
      for (const second of numbers(20)) {
        if (second === 2) yield* publish(700)
        if (second === 3) yield* service.publish({ channel: "a", message: -1, region: 2, delay: "4 seconds" })
        for (const _ of numbers(20)) {
          yield* publish(15)
          yield* VirtualTime.advance("50 millis")
        }
      }
      const before = (yield* history).length
      assert.isBelow(Math.max(...late.slice(-300)), 200, "behind")
      for (const _ of numbers(60)) {
        yield* publish(15)
        yield* VirtualTime.advance("50 millis")
      }
      assert.strictEqual((yield* history).length, before, "still reads history")
      assert.deepStrictEqual(payloads(seen).filter((payload) => payload !== -1), numbers(sent))
      assert.strictEqual(payloads(seen).filter((payload) => payload === -1).length, 1)
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(
      Effect.provide(emulated({ emulator: { latency: Effect.succeed("10 millis") }, config: { sendLeave: false } }))
    ))

  it.effect("delivers a late message of another region that was dropped from the queue", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* service.publish({ channel: "a", message: "late", region: 2, delay: "5 seconds" })
      yield* service.publish({ channel: "a", message: "first" })
      yield* VirtualTime.advance("3 seconds")
      assert.deepStrictEqual(payloads(seen), ["first"])
      yield* away(Effect.andThen(VirtualTime.advance("3 seconds"), burst(200)))
      assert.deepStrictEqual(payloads(seen), ["first", "late", ...numbers(200)])
    }).pipe(Effect.provide(emulated())))
})

describe("requests to history", () => {
  it.effect("are not made after a page that is not full, or after a short break", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* burst(99)
      yield* VirtualTime.advance("1 second")
      yield* away(burst(99, { first: 99 }))
      assert.deepStrictEqual(payloads(seen), numbers(198))
      assert.deepStrictEqual(yield* history, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("leave out channels without messages, after one request for counts", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(
        Subscribe.stream({ channels: ["a", ...numbers(99).map((n) => `quiet-${n}`)] })
      )
      yield* burst(150)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(150))
      const [counts, ...pages] = yield* history
      assert.include(counts!.target, "/message-counts/a,quiet-0,")
      assert.isAtMost(pages.length, 3)
      assert.isTrue(pages.every(({ target }) => target.includes("/channel/a?")))
    }).pipe(Effect.provide(emulated())))

  it.effect("are not made when catchUp is none; GapSuspected is emitted", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], catchUp: "none" }))
      yield* burst(150)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(100, 50))
      assert.deepStrictEqual(gaps(seen).map(({ _tag }) => _tag), ["GapSuspected"])
      assert.deepStrictEqual(yield* history, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("are at most 25 a second", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* burst(10_000)
      yield* VirtualTime.advance("2 seconds")
      assert.isAtMost((yield* history).length, 51)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(10_000))
      assert.isAtMost((yield* history).length, 180)
    }).pipe(Effect.provide(emulated())))
})

describe("what history cannot give", () => {
  it.effect("is a Gap (NoStorage), once and after one request, for a keyset without storage", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a", "b.*"] }))
      for (const round of numbers(3)) {
        yield* burst(150, { first: round * 150 })
        yield* VirtualTime.advance("5 seconds")
      }
      assert.deepStrictEqual(
        gaps(seen).map((gap) => gap._tag === "Gap" ? [gap.channel, gap.reason] : [gap.reason]),
        [["a", "NoStorage"], ["b.*", "NoStorage"], ["FullPage"], ["FullPage"]]
      )
      assert.strictEqual((yield* history).length, 1)
      assert.strictEqual(payloads(seen).length, 300)
    }).pipe(Effect.provide(emulated({ emulator: { addOns: { persistence: false } } }))))

  it.effect("is a Gap: NotStored for signals, NotInHistory for messages that were not stored", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a", "b"] }))
      yield* away(Effect.forEach(numbers(150), (n) => service.signal({ channel: "a", message: n })))
      assert.deepInclude({ ...gaps(seen)[0] }, {
        _tag: "Gap",
        channel: "a",
        reason: "NotStored",
        kinds: ["Signal"]
      } as object)
      // No message of the page is in history: it may as well be late, and then lacks what came before.
      assert.deepStrictEqual(gaps(seen).slice(1).map(({ _tag }) => _tag), ["GapSuspected"])
      yield* away(Effect.forEach(numbers(150), (n) => service.emit({ channel: "b", payload: n, kind: "Message" })))
      assert.deepStrictEqual(payloads(seen), numbers(100, 50))
      assert.deepInclude({ ...gaps(seen)[2] }, { channel: "b", reason: "NotInHistory" } as object)
      // Nothing younger is in history: it may as well be late, and then lacks what came on the other channel too.
      assert.deepStrictEqual(gaps(seen).slice(3).map(({ _tag }) => _tag), ["GapSuspected"])
    }).pipe(Effect.provide(emulated())))

  it.effect("keeps the order of messages of which every second one is stored", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* away(Effect.forEach(numbers(150), (n) =>
        n % 2 === 0
          ? service.publish({ channel: "a", message: n })
          : service.emit({ channel: "a", payload: n, kind: "Message" })))
      // The service dropped the first fifty, of which history has every second one.
      assert.deepStrictEqual(payloads(seen), [...numbers(25).map((n) => 2 * n), ...numbers(100, 50)])
      assert.deepStrictEqual(gaps(seen).map(({ _tag, reason }) => [_tag, reason]), [["Gap", "NotInHistory"]])
    }).pipe(Effect.provide(emulated())))

  it.effect("is GapSuspected when history is late by longer than the reader waits", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a", "b"] }))
      yield* away(Effect.andThen(burst(1, { channel: "b" }), burst(100)))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(seen), numbers(100))
      assert.include(gaps(seen).map(({ _tag }) => _tag), "GapSuspected")
    }).pipe(Effect.provide(emulated({ emulator: { historyDelay: "9 minutes" } }))))

  it.effect("is GapSuspected for channels of a wildcard that were never seen", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["x.*"] }))
      yield* service.publish({ channel: "x.known", message: "hello" })
      yield* VirtualTime.advance("1 second")
      yield* away(Effect.andThen(burst(10, { channel: "x.unknown" }), burst(150, { channel: "x.known" })))
      assert.deepStrictEqual(payloads(seen), ["hello", ...numbers(150)])
      assert.deepStrictEqual(
        gaps(seen).map((gap) => gap._tag === "Gap" ? [gap.channel, gap.reason] : [gap.reason]),
        [["FullPage"]]
      )
    }).pipe(Effect.provide(emulated())))

  it.effect("is a Gap (RetentionExceeded) when it is older than the retention", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const from = (yield* service.publish({ channel: "a", message: "before" })).timetoken
      yield* burst(10)
      yield* VirtualTime.advance("30 hours")
      yield* burst(10, { first: 10 })
      yield* VirtualTime.advance("10 hours")
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], from }))
      assert.deepStrictEqual(payloads(seen), numbers(10, 10))
      assert.deepInclude({ ...gaps(seen)[0] }, {
        channel: "a",
        since: String(BigInt(from) + 1n),
        reason: "RetentionExceeded"
      } as object)
      assert.strictEqual(gaps(seen).length, 1)
      assert.isBelow(seen.findIndex(({ _tag }) => _tag === "Gap"), seen.findIndex(({ _tag }) => _tag === "Message"))
    }).pipe(
      Effect.provide(emulated({ emulator: { limits: { historyRetention: "1 day", queueRetention: "20 minutes" } } }))
    ))

  it.effect("is nothing when history has something older than the gap", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      yield* service.publish({ channel: "a", message: "older" })
      const from = (yield* service.publish({ channel: "a", message: "before" })).timetoken
      yield* burst(10)
      yield* VirtualTime.advance("40 hours")
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], from }))
      assert.deepStrictEqual(payloads(seen), numbers(10))
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(emulated({ emulator: { limits: { queueRetention: "20 minutes" } } }))))

  it.effect("is GapSuspected after three refused requests, and the reader continues", () =>
    Effect.gen(function*() {
      yield* Faults.Faults.use((faulty) =>
        faulty.add({ on: (request) => request.url.includes("/v3/history"), fault: faults.AccessDenied(), times: 100 })
      )
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* burst(150)
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(seen), numbers(100, 50))
      assert.strictEqual(seen.filter(({ _tag }) => _tag === "Interrupted").length, 2)
      yield* burst(150, { first: 150 })
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(seen), [...numbers(100, 50), ...numbers(100, 200)])
      assert.strictEqual(seen.filter(({ _tag }) => _tag === "Interrupted").length, 2)
      assert.deepStrictEqual(gaps(seen).map(({ _tag }) => _tag), ["GapSuspected", "GapSuspected"])
      assert.strictEqual((yield* Faults.Faults.use((faulty) => faulty.injected)).length, 3)
    }).pipe(Effect.provide(emulated())))

  it.effect("is GapSuspected for a reader with a filter, without a request to history", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], filter: "data.n >= 0" }))
      yield* emulator.use((service) => service.publishAll(numbers(150).map((n) => ({ channel: "a", message: { n } }))))
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(gaps(seen).map(({ reason }) => reason), ["FullPage"])
      assert.deepStrictEqual(yield* history, [])
    }).pipe(Effect.provide(emulated())))
})

describe("groups", () => {
  it.effect("that do not exist cause no failure, and are read when they exist", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["b"], groups: ["crew"] }))
      yield* burst(150, { channel: "b" })
      yield* VirtualTime.advance("5 seconds")
      yield* service.addToGroup({ group: "crew", channels: ["a"] })
      yield* burst(150, { first: 150 })
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(300))
      assert.deepStrictEqual(gaps(seen), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("that cannot be listed are filled for known channels, with GapSuspected for the others", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      yield* service.addToGroup({ group: "crew", channels: ["a", "hidden"] })
      yield* Faults.Faults.use((faulty) =>
        faulty.add({ on: "channelGroups", fault: faults.AccessDenied(), times: 100 })
      )
      const { seen } = yield* collectConnected(Subscribe.stream({ groups: ["crew"] }))
      yield* burst(3)
      yield* VirtualTime.advance("1 second")
      yield* burst(200, { first: 3 })
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(203))
      assert.deepStrictEqual(
        gaps(seen).map((gap) => gap._tag === "Gap" ? [gap.channel, gap.reason] : [gap.reason]),
        [["FullPage"]]
      )
    }).pipe(Effect.provide(emulated())))
})

describe("history that fails", () => {
  it.effect.each(
    [
      faults.ServerError({ status: 500, handled: false }),
      faults.EmptyObject(),
      faults.TruncatedJson(),
      faults.ResetInBody(),
      faults.RateLimited({ retryAfter: "5 seconds" }),
      faults.AccessDenied(),
      faults.Slow({ by: "1 minute" })
    ].map((fault) => [fault._tag, fault] as const)
  )("with %s causes Interrupted, and the gap is filled", ([, fault]) =>
    Effect.gen(function*() {
      yield* Faults.Faults.use((faulty) =>
        faulty.add({ on: (request) => request.url.includes("/v3/history"), fault, skip: 1, times: 2 })
      )
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* burst(450)
      yield* VirtualTime.advance("3 minutes")
      assert.deepStrictEqual(payloads(seen), numbers(450))
      assert.deepStrictEqual(gaps(seen), [])
      assert.isAtLeast(seen.filter(({ _tag }) => _tag === "Interrupted").length, 1)
      assert.isAtLeast(seen.filter(({ _tag }) => _tag === "Reconnected").length, 1)
    }).pipe(Effect.provide(emulated())))
})

/** A transport that answers history so many times with a 400. */
const misunderstood = (times: number) =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.gen(function*() {
      let left = times
      return HttpClient.transform(yield* HttpClient.HttpClient, (sent, request) =>
        Effect.suspend(() => {
          if (left === 0 || !request.url.includes("/v3/history")) return sent
          left--
          return Effect.succeed(HttpClientResponse.fromWeb(
            request,
            new Response("{\"status\":400,\"error\":true,\"error_message\":\"Bad Request\"}", { status: 400 })
          ))
        }))
    })
  )

describe("history that answers 400", () => {
  it.effect.each([["once", 1], ["twice", 2]] as const)(
    "%s causes Interrupted, and the gap is filled",
    ([, times]) =>
      Effect.gen(function*() {
        const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
        yield* burst(450)
        yield* VirtualTime.advance("3 minutes")
        assert.isUndefined(fiber.pollUnsafe())
        assert.deepStrictEqual(payloads(seen), numbers(450))
        assert.deepStrictEqual(gaps(seen), [])
        assert.strictEqual(seen.filter(({ _tag }) => _tag === "Interrupted").length, times)
      }).pipe(Effect.provide(Layer.provideMerge(misunderstood(times), emulated())))
  )

  it.effect("three times causes GapSuspected, and the reader continues", () =>
    Effect.gen(function*() {
      const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* burst(450)
      yield* VirtualTime.advance("3 minutes")
      assert.isUndefined(fiber.pollUnsafe())
      assert.deepStrictEqual(payloads(seen), numbers(100, 350))
      assert.deepStrictEqual(gaps(seen).map(({ _tag }) => _tag), ["GapSuspected"])
    }).pipe(Effect.provide(Layer.provideMerge(misunderstood(3), emulated()))))
})

describe("cursors", () => {
  it.effect("have at most 4 kB within a gap, also while the position does not move", () =>
    Effect.gen(function*() {
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a", "b"] }))
      yield* emulator.use((service) =>
        service.publishAll(numbers(1_500).map((n) => ({ channel: n % 3 === 0 ? "b" : "a", message: n })))
      )
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(1_500))
      const sizes = seen.flatMap((event) => "cursor" in event ? [JSON.stringify(event.cursor).length] : [])
      assert.isAtMost(Math.max(...sizes), 4_096)
    }).pipe(Effect.provide(emulated({ emulator: { historyDelay: "900 millis" } }))))

  it.effect("of any event of a gap resume without repeating or skipping a message", () =>
    Effect.gen(function*() {
      const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a", "b"] }))
      yield* emulator.use((service) =>
        service.publishAll(numbers(330).map((n) => ({ channel: n % 3 === 0 ? "b" : "a", message: n })))
      )
      yield* VirtualTime.advance("5 seconds")
      yield* Fiber.interrupt(fiber)
      const messages = seen.filter((event) => event._tag === "Message")
      assert.strictEqual(messages.length, 330)
      for (const at of [0, 1, 24, 25, 26, 99, 100, 101, 229, 230, 231, 328, 329]) {
        const again = yield* collectConnected(Subscribe.stream({ channels: ["a", "b"], from: messages[at]!.cursor }))
        yield* VirtualTime.advance("5 seconds")
        assert.deepStrictEqual(payloads(again.seen), numbers(330).slice(at + 1), `from event ${at}`)
        assert.deepStrictEqual(gaps(again.seen), [])
        yield* Fiber.interrupt(again.fiber)
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("of a new reader reach no message from before its start", () =>
    Effect.gen(function*() {
      yield* burst(10)
      yield* VirtualTime.advance("1 second")
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* burst(200, { first: 10 })
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(200, 10))
    }).pipe(Effect.provide(emulated())))

  it.effect("of an old timetoken make the reader read history from there", () =>
    Effect.gen(function*() {
      yield* burst(10)
      yield* VirtualTime.advance("1 second")
      const { timetoken } = yield* Publish.publish({ channel: "a", message: "from here" })
      yield* VirtualTime.advance("1 second")
      yield* burst(250, { first: 10 })
      yield* VirtualTime.advance("1 hour")
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], from: timetoken }))
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(250, 10))
      assert.strictEqual(queryOf((yield* history)[0]!).get("end"), String(BigInt(timetoken) + 1n))
    }).pipe(Effect.provide(emulated())))

  it.effect("of another region resume where they were", () =>
    Effect.gen(function*() {
      const { fiber, seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"] }))
      yield* burst(5)
      yield* VirtualTime.advance("1 second")
      yield* Fiber.interrupt(fiber)
      yield* emulator.use((service) => service.setRegion({ region: 7 }))
      yield* burst(150, { first: 5 })
      const third = seen.flatMap((event) => event._tag === "Message" ? [event.cursor] : [])[2]
      const again = yield* collectConnected(Subscribe.stream({ channels: ["a"], from: third }))
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(again.seen), numbers(152, 3))
      assert.deepStrictEqual(gaps(again.seen), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("of the future are doubted, and the reader begins now", () =>
    Effect.gen(function*() {
      const from = Timetoken.Timetoken.make("27900000000000000")
      const { seen } = yield* collectConnected(Subscribe.stream({ channels: ["a"], from }))
      yield* burst(3)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(seen.map(({ _tag }) => _tag), [
        "Connected",
        "CursorDoubted",
        "Message",
        "Message",
        "Message"
      ])
      assert.deepInclude({ ...seen[1] }, { doubted: from } as object)
    }).pipe(Effect.provide(emulated())))
})
