/** Readers that wait equally long for a gap: a gap is an entry between pages, at which they wait or which they step over. */
import { assert, describe, it } from "@effect/vitest"
import * as EffectClock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import { Subscription } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import type { Cursor } from "../../../src/Cursor.ts"
import type * as SubscribeEvent from "../../../src/pubnub/SubscribeEvent.ts"
import * as Arrival from "../../../src/pubnub/internal/reading/arrival.ts"
import * as Marks from "../../../src/pubnub/internal/reading/marks.ts"
import type { Settings } from "../../../src/pubnub/internal/reading/core.ts"
import { Lane, type Page } from "../../../src/pubnub/internal/reading/lane.ts"
import { cursorOf, range } from "../../../src/pubnub/internal/reading/place.ts"
import { type Options, Reader } from "../../../src/pubnub/internal/reading/reader.ts"
import type { SubscribeError } from "../../../src/pubnub/SubscribeError.ts"
import { emulated, requestsTo } from "../../kit/emulated.ts"
import { isLong } from "../../simulation/seeds.ts"
import { numbers } from "./arrivals.ts"
import { coreOf } from "./core.ts"
import { payloads } from "../../kit/events.ts"

const emulator = PubNubEmulator.PubNubEmulator
const unavailable = Faults.Fault.ServerError({ status: 503, handled: false })

const here = Effect.map(EffectClock.currentTimeMillis, (now): Cursor => ({
  // The next message is published a tick later.
  position: String(BigInt(now) * 10_000n - 1n),
  region: 1,
  delivered: []
}))

const statuses = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  events.flatMap(({ _tag }) => _tag === "Message" ? [] : [_tag])

const laneOf = (within: number, settings: Partial<Settings> = {}, size = 1) =>
  Effect.gen(function*() {
    const { core, demands, published } = yield* coreOf(settings)
    const failures: Array<SubscribeError> = []
    const missed: Array<string> = []
    const defects: Array<unknown> = []
    let asked = 0
    const lane = new Lane(core, {
      names: () => ({ channels: ["a"], groups: [] }),
      keysOf: ({ keys }) => {
        asked++
        return keys
      },
      size: () => size,
      failed: (_, error) => failures.push(error),
      missed: () => missed.push("missed"),
      broken: (defect) => defects.push(defect)
    }, within)
    const from = yield* here
    const join = (options: Partial<Options> = {}, channel = "a", now = from) =>
      Effect.gen(function*() {
        const reader = new Reader(core, { from: undefined, capacity: 10_000, strategy: "dropping", within, ...options })
        reader.add([Subscription.channel(channel)])
        lane.join(reader)
        lane.begin(undefined, now)
        reader.begin(`c ${channel}`, now)
        const seen: Array<SubscribeEvent.SubscribeEvent> = []
        const fiber = yield* Effect.forkScoped(
          Effect.forever(Effect.map(reader.pull, (part) => seen.push(...part)), { disableYield: true })
        )
        yield* Effect.yieldNow
        return { reader, seen, fiber }
      })
    return { core, demands, keysAsked: () => asked, lane, join, missed, published, failures, defects, from }
  })

/** Publishes, and gives the page of a service that kept the newest 100. */
const pageOf = (count: number, first = 0, channel = "a") =>
  Effect.map(
    emulator.use((service) => service.publishAll(numbers(count, first).map((message) => ({ channel, message })))),
    (tokens): Page => {
      const kept = tokens.slice(-100)
      const position = tokens.at(-1) ?? "0"
      return {
        arrivals: kept.map((t, index) =>
          Arrival.read({
            a: "3",
            c: channel,
            b: channel,
            d: first + tokens.length - kept.length + index,
            p: { t, r: 1 },
            k: "demo-sub"
          })
        ),
        lateBy: 0n,
        next: { position, region: 1, delivered: [] },
        size: 100 * kept.length
      }
    }
  )

describe("a reader that hears a part of a page of more than a hundred events", () => {
  it.effect("names in each cursor all that it had before", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity, {}, 2)
      const { seen } = yield* join()
      yield* join({}, "b")
      const [first, second] = [yield* pageOf(100), yield* pageOf(150, 100, "b")]
      const third = yield* pageOf(50, 250)
      const arrivals = [...first.arrivals, ...second.arrivals, ...third.arrivals]
      assert.isTrue(lane.receive({ ...third, arrivals }, true))
      yield* Effect.yieldNow
      assert.deepStrictEqual(payloads(seen), [...numbers(100), ...numbers(50, 250)])
      const had: Array<string> = []
      for (const event of seen) {
        if (event._tag !== "Message") continue
        had.push(Marks.of(`${event.timetoken}/a/`))
        const { delivered, recent } = event.cursor
        assert.includeMembers([...Marks.split(recent?.marks ?? ""), ...delivered], had)
      }
    }).pipe(Effect.scoped, Effect.provide(emulated({ config: { queueLength: 1_000 } }))))
})

describe("a page that was stepped over", () => {
  it.effect.each([0, 100])(
    "is read again before the next page, also behind a gap of %i",
    (count) =>
      Effect.gen(function*() {
        const { from, join, lane } = yield* laneOf(Infinity)
        const { seen } = yield* join()
        const full = yield* pageOf(count)
        if (count > 0) assert.isTrue(lane.receive(full, true))
        yield* pageOf(3, count)
        yield* VirtualTime.advance("6 seconds")
        const { next } = yield* pageOf(3, count + 3)
        lane.missed(from, next, true)
        yield* VirtualTime.advance("12 seconds")
        // History is late by nine seconds.
        assert.deepStrictEqual(payloads(seen), numbers(count + 3))
        yield* Effect.map(pageOf(1, count + 6), (page) => lane.receive(page, true))
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(seen), numbers(count + 7))
        yield* Effect.map(pageOf(1, count + 7), (page) => lane.receive(page, true))
        assert.isFalse(lane.isOpen)
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(payloads(seen), numbers(count + 8))
      }).pipe(Effect.scoped, Effect.provide(emulated({ emulator: { historyDelay: "9 seconds" } })))
  )
})

describe("a page that was too large", () => {
  it.effect("is suspected once, and the next page comes at once, when history stores nothing", () =>
    Effect.gen(function*() {
      const { core, from, join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      core.history.knowledge.storesNothing = true
      const { next } = yield* pageOf(3)
      lane.missed(from, next, true)
      yield* VirtualTime.advance("20 seconds")
      lane.receive(yield* pageOf(2, 3), true)
      assert.isFalse(lane.isOpen)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen), [3, 4])
      assert.deepStrictEqual(statuses(seen), ["Connected", "GapSuspected"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is no reason to suspect a loss when the gap before it has given its messages", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const { next } = yield* pageOf(3)
      const later = { ...next, position: `${next.position.slice(0, -1)}9` }
      lane.missed(from, next)
      // It has messages of another region, which are older than its position.
      lane.missed(next, later, true)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(3))
      assert.deepStrictEqual(statuses(seen), ["Connected"])
      assert.strictEqual(lane.front?.position, later.position)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is suspected when history shows none of its messages after those of the gap before it", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const { next } = yield* pageOf(3)
      lane.missed(from, next)
      yield* VirtualTime.advance("20 seconds")
      lane.missed(next, { ...next, position: `${next.position.slice(0, -1)}9` }, true)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(statuses(seen), ["Connected", "GapSuspected"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("marks of events that were had before the first page", () => {
  const marksOf = (cursor: Cursor | undefined) => Marks.split(cursor?.recent?.marks ?? "").length

  it.effect("are not kept for longer than ten seconds after the lane began", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      lane.begin({ ...from, recent: { since: from.position, marks: Marks.of("before") } }, from)
      yield* join()
      assert.strictEqual(marksOf(lane.place), 1)
      yield* VirtualTime.advance("12 seconds")
      yield* Effect.map(pageOf(3), (page) => lane.receive(page, true))
      assert.strictEqual(marksOf(lane.place), 3)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("nor after a reader of a part of the names began", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity, {}, 2)
      yield* join()
      yield* Effect.map(pageOf(5), (page) => lane.receive(page, true))
      yield* VirtualTime.advance("2 seconds")
      const { seen } = yield* join({}, "b")
      yield* Effect.map(pageOf(1, 5, "b"), (page) => lane.receive(page, true))
      yield* VirtualTime.advance("13 seconds")
      yield* Effect.map(pageOf(1, 6, "b"), (page) => lane.receive(page, true))
      yield* Effect.yieldNow
      assert.deepStrictEqual(payloads(seen), [5, 6])
      const last = seen.at(-1)
      assert.strictEqual(last?._tag === "Message" ? marksOf(last.cursor) : undefined, 1)
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("a full page", () => {
  it.effect("fills no reader that takes its events at once, however many history has before it", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join({ capacity: 250 })
      assert.isTrue(lane.receive(yield* pageOf(1_000), true))
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(1_000))
      assert.deepStrictEqual(statuses(seen), ["Connected"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is delivered after the messages of history, and before later ones", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      assert.isTrue(lane.receive(yield* pageOf(300), true))
      assert.isTrue(lane.isOpen)
      assert.isTrue(lane.receive(yield* pageOf(5, 300), true))
      assert.deepStrictEqual(payloads(seen), [])
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(305))
      assert.deepStrictEqual(statuses(seen), ["Connected"])
      assert.isFalse(lane.isOpen)
      const place = lane.place
      assert.isAtMost(JSON.stringify(place).length, 4_096)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("makes room again for 32 MiB of text when what waited behind it was delivered", () =>
    Effect.gen(function*() {
      const { demands, join, lane } = yield* laneOf(Infinity)
      yield* join()
      lane.receive(yield* pageOf(300), true)
      const page = yield* pageOf(1, 300)
      lane.receive({ ...page, size: 32 * 1024 * 1024 - 1 }, true)
      assert.isTrue(lane.hasRoom)
      lane.receive({ ...yield* pageOf(1, 301), size: 1 }, true)
      assert.isFalse(lane.hasRoom)
      assert.strictEqual(demands(), 0)
      yield* VirtualTime.advance("5 seconds")
      assert.isTrue(lane.hasRoom)
      assert.isAbove(demands(), 0)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("that the service sends again waits for history like the first one", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const page = yield* pageOf(350)
      // More than ten seconds pass before the end of the page.
      yield* VirtualTime.advance("12 seconds")
      const last = yield* pageOf(1, 350)
      const full = { ...last, arrivals: [...page.arrivals.slice(1), ...last.arrivals] }
      lane.receive(full, true)
      lane.receive({ ...full, lateBy: 9n }, true)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(351))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is delivered at once after GapSuspected when readers do not wait", () =>
    Effect.gen(function*() {
      const { join, lane, published } = yield* laneOf(0)
      const { seen } = yield* join()
      lane.receive(yield* pageOf(300), true)
      assert.isFalse(lane.isOpen)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), numbers(100, 200))
      assert.deepStrictEqual(seen.map(({ _tag }) => _tag).slice(0, 2), ["Connected", "GapSuspected"])
      assert.deepStrictEqual(published.map(({ _tag }) => _tag), ["GapSuspected"])
      assert.deepStrictEqual(yield* requestsTo("/v3/history"), [])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is suspected up to its newest message, and not to one of the future, when readers do not wait", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(0)
      const { seen } = yield* join()
      const { arrivals, ...page } = yield* pageOf(100)
      const t = String(BigInt(from.position) + 36_000_000_000_000n)
      const future = Arrival.read({ c: "a", b: "a", d: "future", p: { t, r: 1 }, k: "demo-sub" })
      lane.receive({ ...page, arrivals: [future, ...arrivals], next: from }, true)
      yield* VirtualTime.advance("1 second")
      const told = seen.find(({ _tag }) => _tag === "GapSuspected")
      assert.deepInclude({ ...told }, range(from.position, page.next.position) as object)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is delivered after GapSuspected when there is a filter", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity, { filter: "data.n > 1" })
      const { seen } = yield* join()
      lane.receive(yield* pageOf(100), true)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(statuses(seen), ["Connected", "GapSuspected"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is read up to its newest message where the position of the service is older", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const { arrivals, ...page } = yield* pageOf(301)
      const position = String(Arrival.timetokenOf(arrivals[0]!))
      // The service has dropped one of its middle.
      const kept = [...arrivals.slice(0, 50), ...arrivals.slice(51), arrivals[0]!]
      lane.receive({ ...page, arrivals: kept, next: { ...page.next, position } }, true)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(301))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("behind a gap is new only if the position moved and it has events", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      yield* join()
      lane.receive(yield* pageOf(300), true)
      const page = yield* pageOf(1, 300)
      assert.deepStrictEqual(
        [lane.receive(page, true), lane.receive(page, false), lane.receive({ ...page, arrivals: [] }, true)],
        [true, false, false]
      )
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is filled after the lane has stopped and starts again", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      lane.receive(yield* pageOf(300), true)
      lane.stop()
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), [])
      lane.start()
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(300))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("of a lane that stops while nobody wants more leaves nothing to wake", () =>
    Effect.gen(function*() {
      const { lane } = yield* laneOf(Infinity, { demand: "pull" })
      lane.begin(undefined, yield* here)
      yield* VirtualTime.advance("1 second")
      lane.receive(yield* pageOf(300), true)
      yield* Effect.yieldNow
      assert.lengthOf(lane["parkedOnes"], 1)
      lane.stop()
      yield* Effect.yieldNow
      assert.lengthOf(lane["parkedOnes"], 0)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("opens a gap with 100 messages, and not with 99", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      lane.receive(yield* pageOf(99), true)
      assert.isFalse(lane.isOpen)
      yield* Effect.yieldNow
      assert.deepStrictEqual(payloads(seen), numbers(99))
      lane.receive(yield* pageOf(100, 99), true)
      assert.isTrue(lane.isOpen)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("joins the gap of the full pages before it", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      lane.receive(yield* pageOf(250), true)
      for (let n = 1; n < 6; n++) lane.receive(yield* pageOf(250, 250 * n), true)
      lane.receive(yield* pageOf(3, 1_500), true)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(1_503))
      // Two gaps, and not six: that of the first page, and that of all the others.
      assert.isAtMost((yield* requestsTo("/v3/history")).length, 16)
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("a break", () => {
  it.effect("is filled up to the position of the service", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const page = yield* pageOf(150)
      yield* VirtualTime.advance("1 second")
      lane.missed(from, yield* here)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(150))
      lane.receive(page, true)
      assert.deepStrictEqual(payloads(seen), numbers(150))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is reported to the connection if messages were missing, and a full page is not", () =>
    Effect.gen(function*() {
      const { from, join, lane, missed } = yield* laneOf(Infinity)
      yield* join()
      yield* VirtualTime.advance("1 second")
      lane.missed(from, yield* here)
      yield* VirtualTime.advance("5 seconds")
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual([lane.isOpen, missed], [false, []])
      const last = yield* here
      yield* pageOf(1, 300)
      yield* VirtualTime.advance("1 second")
      lane.missed(last, yield* here)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual([lane.isOpen, missed], [false, ["missed"]])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("behind a gap is a second gap", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const first = yield* pageOf(200)
      lane.receive(first, true)
      yield* VirtualTime.advance("20 seconds", { step: "1 minute" })
      lane.receive(yield* pageOf(200, 200), true)
      const from = yield* here
      yield* pageOf(30, 400)
      yield* VirtualTime.advance("1 milli")
      lane.missed(from, yield* here)
      lane.receive(yield* pageOf(2, 430), true)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(432))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is delivered in order when the service sends a page of it again", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const page = yield* pageOf(10)
      // The break ends with the last of them.
      lane.missed(from, page.next)
      lane.receive(page, true)
      // Asked for from its end, all but the last look late.
      lane.receive({ ...page, lateBy: 9n }, false)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(10))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  const late = (message: string, store: boolean) =>
    Effect.map(
      emulator.use((service) => service.publishAll([{ channel: "a", message, region: 2, store }])),
      ([t = ""]) => Arrival.read({ c: "a", b: "a", d: message, p: { t, r: 2 }, k: "demo-sub" })
    )

  /** A break in which other regions were late with two messages. Gives their pages. */
  const lateInBreak = (lane: Lane, store: boolean) =>
    Effect.gen(function*() {
      const one = yield* late("one", store)
      const page = yield* pageOf(1)
      lane.receive(page, true)
      yield* VirtualTime.advance("1 second")
      const two = yield* late("two", true)
      yield* VirtualTime.advance("1 milli")
      lane.missed(page.next, yield* here)
      // The first page is older than the break, and the second is asked for from the end of it.
      return [{ ...page, arrivals: [one], lateBy: 9n }, { ...page, arrivals: [two] }] as const
    })

  it.effect.each(
    [
      ["pages bring both", true, 2],
      ["the page of the second is not there yet", true, 1],
      ["history was read before it had the first", false, 2]
    ] as const
  )(
    "is read in order where another region is late with two messages and %s",
    ([, store, pages]) =>
      Effect.gen(function*() {
        const { join, lane } = yield* laneOf(Infinity)
        const { seen } = yield* join()
        for (const page of (yield* lateInBreak(lane, store)).slice(0, pages)) lane.receive(page, true)
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(seen), [0, "one", "two"])
      }).pipe(Effect.scoped, Effect.provide(emulated()))
  )

  it.effect("behind another gap is read in order with the late pages that wait already", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const first = yield* pageOf(200)
      lane.receive(first, true)
      // History never has it.
      const one = yield* late("one", false)
      yield* VirtualTime.advance("1 milli")
      const two = yield* late("two", true)
      yield* VirtualTime.advance("1 milli")
      lane.missed(first.next, yield* here)
      lane.receive({ ...first, arrivals: [one], lateBy: 9n }, true)
      lane.receive({ ...first, arrivals: [two] }, true)
      assert.isTrue(lane.isOpen)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), [...numbers(200), "one", "two"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("leaves its last seconds to a full page behind it, for which history is read again", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      yield* pageOf(10)
      yield* VirtualTime.advance("20 seconds")
      // It comes after history was read for the break, and before that is read again.
      const late = { channel: "a", message: "late", region: 2, delay: 150 }
      yield* emulator.use((service) => service.publishAll([late]))
      const page = yield* pageOf(100, 10)
      lane.missed(from, page.next)
      lane.receive(page, true)
      yield* VirtualTime.advance("200 millis")
      assert.deepStrictEqual(payloads(seen), numbers(10))
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), [...numbers(10), "late", ...numbers(100, 10)])
    }).pipe(Effect.scoped, Effect.provide(emulated({ emulator: { latency: Effect.succeed(100) } }))))

  it.effect("is read in order before a full page where history shows an older message only then", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      yield* pageOf(150)
      yield* VirtualTime.advance("20 seconds")
      const [one, two] = [{ channel: "a", message: "one", region: 2, delay: 1_020 }, { channel: "a", message: "two" }]
      yield* emulator.use((service) => service.publishAll([one, two]))
      yield* VirtualTime.advance("1 second")
      lane.missed(from, yield* here)
      yield* VirtualTime.advance("1 milli")
      lane.receive(yield* pageOf(200, 150), true)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), [...numbers(150), "one", "two", ...numbers(200, 150)])
      // No cursor is past a message that comes later.
      const messages = seen.filter((event) => event._tag === "Message")
      for (const [index, { timetoken }] of messages.slice(1).entries()) {
        assert.isTrue(messages[index]!.cursor.position < timetoken)
      }
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is read in order up to its very end where its last page is late", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const page = yield* pageOf(10)
      lane.missed(from, page.next)
      lane.receive({ ...page, lateBy: 9n }, true)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(10))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("behind another gap is delivered in order when the service sends a page of it again", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const first = yield* pageOf(200)
      lane.receive(first, true)
      yield* VirtualTime.advance("1 milli")
      const page = yield* pageOf(10, 200)
      lane.missed(first.next, page.next)
      lane.receive(page, true)
      for (let turn = 0; turn < 1_000 && seen.length <= 200; turn++) yield* VirtualTime.advance("1 milli")
      assert.deepStrictEqual(payloads(seen), numbers(200))
      assert.isTrue(lane.isOpen)
      lane.receive({ ...page, lateBy: 9n }, false)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(210))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  /** The cursor of a reader whose earlier run was filling a gap. */
  const begunBefore = ({ position, ...from }: Cursor): Cursor & { readonly hole: string } => ({
    ...from,
    position,
    hole: String(BigInt(position) - 36_000_000_000n)
  })

  it.effect("of an earlier run is named by each cursor until it is filled", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      const begun = begunBefore(from)
      lane.begin(begun, from)
      const { seen } = yield* join()
      yield* pageOf(3)
      yield* VirtualTime.advance("1 second")
      lane.missed(from, yield* here)
      assert.strictEqual(lane.place?.hole, begun.hole)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(seen.flatMap((event) => event._tag === "Message" ? [event.cursor.hole] : []), [
        begun.hole,
        begun.hole,
        begun.hole
      ])
      assert.isDefined(lane.place)
      assert.isUndefined(lane.place?.hole)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("of an earlier run is named by no event that comes after it was read", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      lane.begin(begunBefore(from), from)
      const { seen } = yield* join()
      // History has none of them.
      const signals = numbers(100).map((n) =>
        Arrival.read({ c: "a", b: "a", d: n, e: 1, p: { t: String(BigInt(from.position) + BigInt(n + 1)), r: 1 } })
      )
      lane.receive({ ...yield* pageOf(0), arrivals: signals, next: yield* here }, true)
      yield* VirtualTime.advance("20 seconds")
      const cursors = seen.flatMap((event) => event._tag === "Signal" ? [event.cursor] : [])
      assert.lengthOf(cursors, 100)
      for (const { hole } of cursors) assert.isUndefined(hole)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect.each(
    [
      ["history fails for too long", 60_000, 0],
      ["readers do not wait", 0, 0],
      ["the service is of a region that is behind", Infinity, -200_000_000]
    ] as const
  )("of an earlier run is suspected from its beginning when %s", ([_, within, moved]) =>
    Effect.gen(function*() {
      const { from, lane, published } = yield* laneOf(within)
      const begun = begunBefore(from)
      lane.begin(begun, from)
      yield* Faults.Faults.use((faulty) => faulty.add({ on: "history", fault: unavailable, lasting: "10 minutes" }))
      const now = { ...from, position: String(BigInt(from.position) + BigInt(moved)) }
      lane.missed(now, now)
      yield* VirtualTime.advance("2 minutes")
      const told = published.find(({ _tag }) => _tag === "GapSuspected")
      const [since, before] = [begun.hole, from.position].map((at) => String(BigInt(at) + 1n))
      assert.deepInclude({ ...told }, { since, before } as object)
      assert.isUndefined(lane.place?.hole)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("causes GapSuspected when readers do not wait", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(0)
      const { seen } = yield* join()
      yield* VirtualTime.advance("1 hour")
      lane.missed(from, yield* here)
      yield* VirtualTime.advance("1 second")
      const told = seen.find(({ _tag }) => _tag === "GapSuspected")
      assert.deepInclude({ ...told }, { since: String(BigInt(from.position) + 1n), reason: "LongBreak" } as object)
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("history that fails", () => {
  const failing = Faults.Faults.use((faulty) =>
    faulty.add({ on: "history", fault: unavailable, lasting: "10 minutes" })
  )

  it.effect("is waited for, and Reconnected is emitted once when it is back", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      yield* failing
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("9 minutes")
      assert.deepStrictEqual(payloads(seen), [])
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(payloads(seen), numbers(300))
      assert.strictEqual(statuses(seen).filter((tag) => tag === "Reconnected").length, 1)
      assert.isAtLeast(statuses(seen).filter((tag) => tag === "Interrupted").length, 100)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is waited for up to the time given; then comes GapSuspected, and later messages in order", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(60_000)
      const { seen } = yield* join()
      yield* failing
      lane.receive(yield* pageOf(300), true)
      lane.receive(yield* pageOf(4, 300), true)
      yield* VirtualTime.advance("59 seconds")
      assert.deepStrictEqual(payloads(seen), [])
      yield* VirtualTime.advance("3 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(104, 200))
      assert.deepStrictEqual(statuses(seen).slice(-2), ["Reconnected", "GapSuspected"])
      assert.isFalse(lane.isOpen)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("leaves no hole in the cursor when it fails for too long in the middle of a break", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(2_000)
      const { seen } = yield* join()
      yield* pageOf(3)
      yield* VirtualTime.advance("20 seconds")
      // History is read, and then once more for what it may lack.
      yield* Faults.Faults.use((faulty) =>
        faulty.add({ on: "history", fault: unavailable, skip: 1, lasting: "10 minutes" })
      )
      lane.missed(from, yield* here, true)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), numbers(3))
      assert.isDefined(lane.place?.hole)
      yield* VirtualTime.advance("1 minute")
      assert.include(statuses(seen), "GapSuspected")
      assert.isUndefined(lane.place?.hole)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("ends the lane with its cursor when the schedule ends", () =>
    Effect.gen(function*() {
      const twice = Schedule.recurs(2)
      const { failures, from, join, lane } = yield* laneOf(Infinity, { schedule: () => twice })
      yield* join()
      yield* failing
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("1 minute")
      assert.strictEqual(failures.length, 1)
      assert.strictEqual(failures[0]?.cursor?.position, from.position)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("restarts its schedule after history was back", () =>
    Effect.gen(function*() {
      const twice = Schedule.recurs(2)
      const { failures, join, lane } = yield* laneOf(Infinity, { schedule: () => twice })
      const { seen } = yield* join()
      for (let round = 0; round < 4; round++) {
        yield* Faults.Faults.use((faulty) => faulty.add({ on: "history", fault: unavailable, times: 2 }))
        lane.receive(yield* pageOf(150, round * 150), true)
        yield* VirtualTime.advance("20 seconds")
      }
      assert.deepStrictEqual(failures, [])
      assert.deepStrictEqual(payloads(seen), numbers(600))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("restarts its schedule within one gap after a step that succeeded", () =>
    Effect.gen(function*() {
      const twice = Schedule.recurs(2)
      const { failures, join, lane } = yield* laneOf(Infinity, { schedule: () => twice })
      const { seen } = yield* join()
      yield* Faults.Faults.use((faulty) =>
        Effect.all([
          faulty.add({ on: "history", fault: unavailable, times: 2 }),
          faulty.add({ on: "history", fault: unavailable, skip: 1, times: 2 })
        ])
      )
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(failures, [])
      assert.deepStrictEqual(payloads(seen), numbers(300))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("breaks the connection when its schedule throws", () =>
    Effect.gen(function*() {
      const { defects, join, lane } = yield* laneOf(Infinity, {
        schedule: () => {
          throw new Error("boom")
        }
      })
      yield* join()
      yield* failing
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("1 minute")
      assert.strictEqual(defects.length, 1)
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("a lane that begins before its readers", () => {
  it.effect("gives them the events from there on", () =>
    Effect.gen(function*() {
      const { core, from, lane } = yield* laneOf(Infinity)
      const reader = new Reader(core, { from: undefined, capacity: 10, strategy: "dropping", within: Infinity })
      reader.add([Subscription.channel("a")])
      lane.join(reader)
      const ahead = { ...from, position: String(BigInt(from.position) + 36_000_000_000n) }
      lane.begin(undefined, ahead)
      reader.begin("c a", ahead)
      lane.moveTo(from)
      lane.receive(yield* pageOf(3), true)
      assert.deepStrictEqual(payloads(yield* reader.pull), numbers(3))
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("a lane that begins at another position", () => {
  it.effect.each(
    [["the gap before it began", 1n], ["it was last right", -1n]] as const
  )("drops a gap and what waits behind it, and suspects all since %s", ([, moved]) =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      yield* Faults.Faults.use((faulty) => faulty.add({ on: "history", fault: unavailable, lasting: "15 seconds" }))
      lane.receive(yield* pageOf(300), true)
      lane.receive({ ...yield* pageOf(1, 300), size: 32 * 1024 * 1024 }, true)
      yield* VirtualTime.advance("12 seconds")
      assert.deepStrictEqual([lane.isOpen, lane.isDown, lane.hasRoom], [true, true, false])
      const now = yield* here
      const since = { ...from, position: String(BigInt(from.position) + moved) }
      lane.moveTo(now, since)
      assert.deepStrictEqual([lane.isOpen, lane.isDown, lane.hasRoom], [false, false, true])
      assert.strictEqual(lane.place?.position, now.position)
      lane.receive(yield* pageOf(300, 301), true)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(300, 301))
      assert.strictEqual(statuses(seen).find((tag) => tag !== "Connected" && tag !== "Interrupted"), "Reconnected")
      const told = seen.find(({ _tag }) => _tag === "GapSuspected")
      const first = moved > 0n ? from : since
      assert.deepInclude({ ...told }, range(first.position, now.position) as object)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("tells nothing of a request for the gap before, which fails later", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const late = Faults.Fault.ServerError({ status: 503, handled: true })
      yield* Faults.Faults.use((faulty) => faulty.add({ on: "history", fault: late, times: 1 }))
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("500 millis")
      assert.isNotEmpty(yield* requestsTo("/v3/history"))
      lane.moveTo(yield* here)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(statuses(seen), ["Connected"])
    }).pipe(Effect.scoped, Effect.provide(emulated({ emulator: { latency: Effect.succeed("1 second") } }))))

  it.effect("fills its next gap while the answer for the one before is on its way", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("500 millis")
      lane.moveTo(yield* here)
      lane.receive(yield* pageOf(300, 300), true)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen).slice(-300), numbers(300, 300))
      assert.isFalse(lane.isOpen)
    }).pipe(Effect.scoped, Effect.provide(emulated({ emulator: { latency: Effect.succeed("1 second") } }))))

  it.effect("gives no reader a cursor that begins after its position, whatever the one before was", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity, {}, 2)
      const { seen } = yield* join()
      yield* join({}, "b")
      const { next, ...page } = yield* pageOf(1)
      const ahead = { ...next, position: String(BigInt(next.position) + 36_000_000_000n) }
      lane.receive({ ...page, next: ahead }, true)
      lane.moveTo(next)
      yield* VirtualTime.advance("1 milli")
      lane.receive(yield* pageOf(1, 1), true)
      yield* Effect.yieldNow
      const { position, recent } = cursorOf(seen.at(-1)) ?? ahead
      assert.isAtMost(Number(recent?.since), Number(position))
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("the position of a lane", () => {
  it.effect("keeps its region when another one answers", () =>
    Effect.gen(function*() {
      const { from, lane } = yield* laneOf(Infinity)
      lane.begin(undefined, { position: from.position, delivered: [] })
      lane.setRegion(2)
      lane.setRegion(3)
      assert.strictEqual(lane.place?.region, 2)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is of the newest event that it gave, and not of one of the future", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      yield* join()
      const { arrivals, ...page } = yield* pageOf(3)
      const t = String(BigInt(from.position) + 36_000_000_000_000n)
      const future = Arrival.read({ c: "a", b: "a", d: "future", p: { t, r: 1 }, k: "demo-sub" })
      lane.receive({ ...page, arrivals: [...arrivals.toReversed(), future] }, true)
      assert.strictEqual(lane.reached, page.next.position)
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("readers", () => {
  const unreadable = Arrival.read({ d: "unreadable" })

  it.effect("all get an event that has no name, and one without a timetoken is new only if the position moved", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const [a, b] = [yield* join(), yield* join({}, "b")]
      const page = yield* pageOf(1)
      assert.isFalse(lane.receive({ ...page, arrivals: [unreadable] }, false))
      assert.isTrue(lane.receive({ ...page, arrivals: [unreadable] }, true))
      assert.isTrue(lane.receive(page, false))
      yield* VirtualTime.advance(0)
      for (const { seen } of [a, b]) assert.lengthOf(seen.filter(({ _tag }) => _tag === "Undecodable"), 2)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("get events without a timetoken once, in full pages that wait for history together", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const first = yield* pageOf(300)
      const second = yield* pageOf(200, 300)
      lane.receive({ ...first, arrivals: [unreadable, ...first.arrivals] }, true)
      lane.receive({ ...second, arrivals: [first.arrivals[50]!, ...second.arrivals], lateBy: 10_000n }, true)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(500))
      assert.lengthOf(seen.filter(({ _tag }) => _tag === "Undecodable"), 1)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("get the events of their own names, as shared values", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const one = yield* join()
      const other = yield* join()
      const b = yield* join({}, "b")
      lane.receive(yield* pageOf(3), true)
      yield* VirtualTime.advance(0)
      assert.deepStrictEqual(payloads(one.seen), numbers(3))
      assert.deepStrictEqual(payloads(b.seen), [])
      const at = one.seen.findIndex(({ _tag }) => _tag === "Message")
      assert.strictEqual(one.seen[at], other.seen[at])
      lane.leave(other.reader)
      lane.receive(yield* pageOf(1, 3), true)
      yield* VirtualTime.advance(0)
      assert.deepStrictEqual(payloads(one.seen), numbers(4))
      assert.deepStrictEqual(payloads(other.seen), numbers(3))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are grouped once when many of their names change before an event", () =>
    Effect.gen(function*() {
      const { from, join, keysAsked, lane } = yield* laneOf(Infinity)
      const { reader, seen } = yield* join()
      for (const n of numbers(50)) {
        for (const key of reader.add([Subscription.channel(`b-${n}`)])) reader.begin(key, from)
        lane.join(reader)
      }
      lane.receive(yield* pageOf(1, 0, "b-7"), true)
      yield* VirtualTime.advance(0)
      assert.deepStrictEqual(payloads(seen), [0])
      assert.strictEqual(keysAsked(), 1)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("get statuses whose cursors name and sum up the events of their own names alone", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity, {}, 3)
      const [a, b, c] = [yield* join(), yield* join({}, "b"), yield* join({}, "c")]
      lane.receive(yield* pageOf(10), true)
      for (let n = 0; n < 600; n += 50) lane.receive(yield* pageOf(50, 10 + n, "b"), true)
      yield* VirtualTime.advance(0)
      assert.isNotEmpty(lane.place?.recent?.sums)
      lane.tell({ _tag: "Disconnected", ...lane.place === undefined ? {} : { cursor: lane.place } })
      yield* VirtualTime.advance(0)
      const numberOf = (cursor: Cursor | undefined) => {
        const { marks = "", sums = [] } = cursor?.recent ?? {}
        return Marks.split(marks).length + sums.reduce((all, [, count]) => all + count, 0)
      }
      for (const [{ reader, seen }, count] of [[a, 10], [b, 610]] as const) {
        for (const cursor of [cursorOf(seen.at(-1)), lane.placeOf(reader)]) assert.strictEqual(numberOf(cursor), count)
      }
      // Nothing of its name came yet. A reader that has just joined is not grouped for its cursor.
      const d = yield* join({}, "d")
      for (const cursor of [cursorOf(c.seen.at(-1)), lane.placeOf(c.reader), lane.placeOf(d.reader)]) {
        assert.isDefined(cursor?.recent)
        assert.isUndefined(cursor.recent.sums)
      }
      assert.strictEqual(lane["audiences"].size, 3)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("that leave hold nothing back, and nothing of them is kept", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { fiber, reader } = yield* join({ capacity: 1, strategy: "suspend" })
      yield* Fiber.interrupt(fiber)
      lane.receive(yield* pageOf(1), true)
      assert.isTrue(lane.isHeldBack)
      lane.leave(reader)
      assert.isFalse(lane.isHeldBack)
      assert.deepStrictEqual([lane["audiences"].size, lane["byName"].size], [0, 0])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("that have no name any more get no statuses", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      const { reader, seen } = yield* join()
      lane.leave(reader)
      assert.strictEqual(lane.readers.size, 0)
      lane.tell({ _tag: "Disconnected", cursor: from })
      yield* VirtualTime.advance(0)
      assert.deepStrictEqual(statuses(seen), ["Connected"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("that do not suspend hold nothing back when they are full", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { fiber, reader } = yield* join({ capacity: 1 })
      yield* Fiber.interrupt(fiber)
      lane.receive(yield* pageOf(1), true)
      assert.deepStrictEqual([reader.isFull, lane.isHeldBack], [true, false])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("that suspend and are full hold back the lane, and its requests to history", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { fiber, reader } = yield* join({ strategy: "suspend", capacity: 3 })
      yield* Fiber.interrupt(fiber)
      lane.receive(yield* pageOf(5), true)
      assert.isTrue(lane.isHeldBack)
      lane.receive(yield* pageOf(300, 5), true)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(yield* requestsTo("/v3/history"), [])
      const first = yield* reader.pull
      const seen = [...first]
      const going = yield* Effect.forkScoped(Effect.forever(Effect.map(reader.pull, (part) => seen.push(...part))))
      yield* Effect.yieldNow
      lane.wake()
      for (let n = 0; n < 50; n++) {
        yield* VirtualTime.advance("1 second")
        lane.wake()
      }
      yield* Fiber.interrupt(going)
      assert.deepStrictEqual(payloads(seen), numbers(305))
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("many small pages behind a gap", () => {
  it.effect("are delivered, and read a few times each", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join({ capacity: 1_000_000 })
      lane.receive(yield* pageOf(300), true)
      const count = isLong ? 40_000 : 5_000
      const at = BigInt((yield* here).position) + 10_000_000n
      let reads = 0
      for (let n = 0; n < count; n++) {
        const position = String(at + BigInt(n))
        const arrivals = [Arrival.read({ c: "a", b: "a", d: 300 + n, p: { t: position, r: 1 } })]
        lane.receive(
          {
            get arrivals() {
              reads++
              return arrivals
            },
            lateBy: 0n,
            next: { position, delivered: [] },
            size: 100
          },
          true
        )
      }
      for (let turn = 0; turn < 100 && seen.length < 300 + count; turn++) yield* VirtualTime.advance("1 second")
      assert.isBelow(reads, 10 * count)
      assert.deepStrictEqual(payloads(seen), numbers(300 + count))
    }).pipe(Effect.scoped, Effect.provide(emulated())), 60_000)
})

describe("full pages one after the other", () => {
  /** Published in another region, and there after two seconds. No page has it. */
  const publishLate = (message: string) =>
    emulator.use((service) => service.publishAll([{ channel: "a", message, region: 2, delay: 2_000 }]))

  /** A lane that had two full pages. Between them came what another region was late with, and the service dropped it. */
  const overflowing = (late: ReadonlyArray<string>, within = Infinity, settings: Partial<Settings> = {}) =>
    Effect.gen(function*() {
      const made = yield* laneOf(within, settings)
      const { core, join, lane } = made
      const { seen } = yield* join()
      core.waiting += 100
      const timetokens = yield* Effect.forEach(late, publishLate)
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("2100 millis")
      assert.deepStrictEqual(payloads(seen), numbers(300))
      const before = (yield* requestsTo("/v3/history")).length
      lane.receive(yield* pageOf(200, 300), true)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), numbers(500))
      return { ...made, seen, timetokens, requests: (yield* requestsTo("/v3/history")).length - before }
    })

  it.effect("read history once while they come, and the late messages of another region later", () =>
    Effect.gen(function*() {
      const { lane, requests, seen } = yield* overflowing(["late"])
      assert.isAtMost(requests, 4)
      assert.isDefined(lane.place?.hole)
      assert.isUndefined(lane.front?.hole)
      yield* VirtualTime.advance("15 seconds")
      assert.deepStrictEqual(payloads(seen), [...numbers(500), "late"])
      assert.isUndefined(lane.place?.hole)
      assert.strictEqual(lane.place?.position, lane.front?.position)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("cause a Gap for signals of their channel when the second reading shows that messages were dropped", () =>
    Effect.gen(function*() {
      const { core, lane, seen } = yield* overflowing(["late"])
      core.history.knowledge.noteUnstored("a", "Signal")
      const { hole } = lane.place ?? {}
      yield* VirtualTime.advance("15 seconds")
      assert.deepStrictEqual(statuses(seen), ["Connected", "Gap"])
      const told = seen.find(({ _tag }) => _tag === "Gap")
      assert.deepInclude({ ...told }, { since: range(hole ?? "", "1").since, reason: "NotStored" } as object)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are read a second time whenever such pages come", () =>
    Effect.gen(function*() {
      const { lane, seen } = yield* overflowing(["late"])
      yield* VirtualTime.advance("15 seconds")
      yield* publishLate("later")
      lane.receive(yield* pageOf(200, 500), true)
      yield* VirtualTime.advance("2100 millis")
      lane.receive(yield* pageOf(200, 700), true)
      yield* VirtualTime.advance("15 seconds")
      assert.deepStrictEqual(payloads(seen), [...numbers(500), "late", ...numbers(400, 500), "later"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  /** A page with the second of two late messages of another region. The service has dropped the first. */
  const laterPage = (timetokens: ReadonlyArray<ReadonlyArray<string>>, first: number) =>
    Effect.map(pageOf(1, first), (page): Page => {
      const second = Arrival.read({ c: "a", b: "a", d: "second", p: { t: timetokens[1]![0]!, r: 2 }, k: "demo-sub" })
      return { ...page, arrivals: [second, ...page.arrivals], lateBy: 30_000_000n }
    })

  it.effect("are read again when another region is later than expected, before its message", () =>
    Effect.gen(function*() {
      const { lane, seen, timetokens } = yield* overflowing(["first", "second"])
      lane.receive(yield* laterPage(timetokens, 500), true)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [...numbers(500), "first", "second", 500])
      assert.isUndefined(lane.place?.hole)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are read again also when that is found out while a gap is open", () =>
    Effect.gen(function*() {
      const { lane, seen, timetokens } = yield* overflowing(["first", "second"])
      lane.receive(yield* pageOf(200, 500), true)
      lane.receive(yield* laterPage(timetokens, 700), true)
      lane.receive(yield* pageOf(1, 701), true)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [...numbers(500), "first", "second", ...numbers(202, 500)])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("that wait for each other are given one by one when the first is given up", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(2_000)
      const { seen } = yield* join()
      yield* Faults.Faults.use((faulty) => faulty.add({ on: "history", fault: unavailable, lasting: "10 minutes" }))
      const first = yield* pageOf(300)
      lane.receive(first, true)
      const second = yield* pageOf(200, 300)
      lane.receive({ ...second, arrivals: [first.arrivals[50]!, ...second.arrivals.slice(1)], lateBy: 10_000n }, true)
      yield* VirtualTime.advance("3500 millis")
      assert.deepStrictEqual(payloads(seen), numbers(100, 200))
      assert.deepStrictEqual(statuses(seen).filter((tag) => tag === "GapSuspected"), ["GapSuspected"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are read again when the last reading is ten seconds old, with late messages of another region", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      yield* publishLate("first")
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("100 millis")
      yield* publishLate("second")
      yield* VirtualTime.advance("12 seconds")
      // No page has either of them.
      lane.receive(yield* pageOf(200, 300), true)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(seen), [...numbers(300), "first", "second", ...numbers(200, 300)])
      assert.isUndefined(lane.place?.hole)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  /** Two messages of another region. No page has the second. */
  const lateBehind = (lane: Lane, first: { readonly isOfPage: boolean }) =>
    Effect.gen(function*() {
      const one = { channel: "a", message: "one", region: 2, store: !first.isOfPage }
      const tokens = yield* emulator.use((service) =>
        service.publishAll([one, { channel: "a", message: "two", region: 2 }])
      )
      const [early, late] = tokens.map((t, index) =>
        Arrival.read({ c: "a", b: "a", d: index === 0 ? "one" : "two", p: { t, r: 2 }, k: "demo-sub" })
      )
      const full = yield* pageOf(300)
      lane.receive(first.isOfPage ? { ...full, arrivals: [...full.arrivals.slice(1), early!] } : full, true)
      const page = yield* pageOf(1, 300)
      lane.receive(
        { ...page, arrivals: [...page.arrivals, first.isOfPage ? late! : early!], lateBy: 10_000_000n },
        true
      )
    })

  it.effect.each(
    [
      ["history shows the second while the page of the first waits", false],
      ["the first is in the full page, and not in history", true]
    ] as const
  )(
    "are delivered in order where another region is late with two messages and %s",
    ([, isOfPage]) =>
      Effect.gen(function*() {
        const { join, lane } = yield* laneOf(Infinity)
        const { seen } = yield* join()
        yield* lateBehind(lane, { isOfPage })
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(seen), ["one", "two", ...numbers(301)])
      }).pipe(Effect.scoped, Effect.provide(emulated()))
  )

  it.effect("cause a Gap for signals of their channel also when all messages of history wait for a late page", () =>
    Effect.gen(function*() {
      const { core, join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      core.history.knowledge.noteUnstored("a", "Signal")
      yield* lateBehind(lane, { isOfPage: false })
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(statuses(seen), ["Connected", "Gap"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  /** Two full pages. The second has the second of two late messages, which came after history was read for the first page. */
  const lateInSecond = (lane: Lane, isUnstored = false) =>
    Effect.gen(function*() {
      const first = yield* pageOf(250)
      yield* VirtualTime.advance("20 seconds")
      const tokens = yield* emulator.use((service) =>
        service.publishAll(["one", "two"].map((message) => ({ channel: "a", message, region: 2, delay: 500 })))
      )
      const late = Arrival.read({ c: "a", b: "a", d: "two", p: { t: tokens[1]!, r: 2 }, k: "demo-sub" })
      const second = yield* pageOf(50, 250)
      const position = String(BigInt(second.next.position) + 1n)
      const last = Arrival.read({ c: "a", b: "a", d: "signal", e: 1, p: { t: position, r: 1 }, k: "demo-sub" })
      const rest = isUnstored ? [last] : []
      lane.receive({
        ...second,
        arrivals: [...first.arrivals.slice(50), ...second.arrivals, ...rest],
        next: { ...second.next, position }
      }, true)
      // History was read before the late messages came, and has not answered yet.
      yield* VirtualTime.advance("600 millis")
      const { arrivals, ...next } = yield* pageOf(200, 300)
      lane.receive({ ...next, arrivals: [late, ...arrivals.slice(1)], lateBy: 6_000_000n }, true)
      return next.next
    })

  it.effect("are delivered in order where the next full page has a late message, and not the one before it", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      yield* lateInSecond(lane)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen), [...numbers(250), "one", "two", ...numbers(250, 250)])
      // What was given of the first gap is not read again.
      assert.isAtMost((yield* requestsTo("/v3/history")).length, 7)
    }).pipe(Effect.scoped, Effect.provide(emulated({ emulator: { latency: Effect.succeed("1 second") } }))))

  it.effect("are delivered before a break behind them, with what history never has", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const next = yield* lateInSecond(lane, true)
      yield* VirtualTime.advance("1 milli")
      lane.missed(next, yield* here)
      lane.receive(yield* pageOf(1, 500), true)
      yield* VirtualTime.advance("20 seconds")
      const all = seen.flatMap((event) => "payload" in event ? [event.payload] : [])
      const before = all.indexOf("signal")
      assert.isAbove(all.indexOf(500), before)
      assert.isAbove(before, all.indexOf(299))
      assert.deepStrictEqual(payloads(seen), [...numbers(250), "one", "two", ...numbers(251, 250)])
    }).pipe(Effect.scoped, Effect.provide(emulated({ emulator: { latency: Effect.succeed("1 second") } }))))

  it.effect("do not wait for a full page behind a break, also where that page has a late message", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const first = yield* pageOf(300)
      lane.receive(first, true)
      yield* VirtualTime.advance("1 milli")
      const second = yield* pageOf(200, 300)
      lane.missed(first.next, yield* here)
      lane.receive({ ...second, arrivals: [first.arrivals[0]!, ...second.arrivals.slice(1)], lateBy: 10_000n }, true)
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(500))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are given up with all that history showed, in order where another region is late", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(2_000)
      const { seen } = yield* join()
      // History is read, and is then to show what it lacks of the full page.
      yield* Faults.Faults.use((faulty) =>
        faulty.add({
          on: "history",
          fault: unavailable,
          skip: 4,
          lasting: "10 minutes"
        })
      )
      yield* lateBehind(lane, { isOfPage: true })
      yield* VirtualTime.advance("500 millis")
      assert.deepStrictEqual(payloads(seen), [])
      yield* VirtualTime.advance("1 minute")
      assert.include(statuses(seen), "GapSuspected")
      assert.deepStrictEqual(payloads(seen), ["one", "two", ...numbers(301)])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are delivered in order when the service sends one of them again", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const page = yield* pageOf(300)
      lane.receive(page, true)
      // Asked for from its end, it looks late.
      lane.receive({ ...page, lateBy: 99n }, false)
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(300))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are read a second time while a further gap is open", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      yield* publishLate("late")
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("2100 millis")
      const page = yield* pageOf(200, 300)
      // History fails where it is read up to this page.
      const end = String(BigInt(page.next.position) + 1n)
      yield* Faults.Faults.use((faulty) =>
        faulty.add({ on: ({ url }) => url.includes(end), fault: unavailable, lasting: "1 hour" })
      )
      lane.receive(page, true)
      yield* VirtualTime.advance("15 seconds")
      assert.isTrue(lane.isOpen)
      assert.deepStrictEqual(payloads(seen), [...numbers(300), "late"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are read a second time after a break behind them was given up", () =>
    Effect.gen(function*() {
      const { from, lane, seen } = yield* overflowing(["late"], 1_000)
      yield* Faults.Faults.use((faulty) => faulty.add({ on: "history", fault: unavailable, lasting: "3 seconds" }))
      lane.missed(from, yield* here)
      yield* VirtualTime.advance("15 seconds")
      assert.include(statuses(seen), "GapSuspected")
      assert.deepStrictEqual(payloads(seen), [...numbers(500), "late"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are not read a second time when the lane begins at another position", () =>
    Effect.gen(function*() {
      const { lane, seen } = yield* overflowing(["late"])
      yield* Faults.Faults.use((faulty) => faulty.add({ on: "history", fault: unavailable, lasting: "15 seconds" }))
      yield* VirtualTime.advance("14 seconds")
      assert.isTrue(lane.isDown)
      lane.moveTo(yield* here)
      assert.isFalse(lane.isDown)
      yield* VirtualTime.advance("15 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(500))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are delivered before a late signal, which history does not have", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      const t = String(BigInt((yield* here).position) + 1n)
      const signal = Arrival.read({ c: "a", b: "a", d: "signal", e: 1, p: { t, r: 2 }, k: "demo-sub" })
      yield* VirtualTime.advance("1 milli")
      lane.receive(yield* pageOf(300), true)
      const page = yield* pageOf(1, 300)
      lane.receive({ ...page, arrivals: [signal, ...page.arrivals], lateBy: 20_000n }, true)
      yield* VirtualTime.advance("5 seconds")
      const all = seen.flatMap((event) => "payload" in event ? [event.payload] : [])
      assert.deepStrictEqual(all, [...numbers(300), "signal", 300])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are not read a second time without demand, nor by a lane that has stopped", () =>
    Effect.gen(function*() {
      const { core, lane, seen } = yield* overflowing(["late"], Infinity, { demand: "pull" })
      const { waiting } = core
      core.waiting = 0
      const before = (yield* requestsTo("/v3/history")).length
      yield* VirtualTime.advance("30 seconds")
      assert.strictEqual((yield* requestsTo("/v3/history")).length, before)
      core.waiting = waiting
      lane.stop()
      lane.wake()
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(500))
      lane.start()
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [...numbers(500), "late"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("emit Reconnected for failed history when a break begins meanwhile", () =>
    Effect.gen(function*() {
      const { from, lane, published, seen } = yield* overflowing(["late"])
      yield* Faults.Faults.use((faulty) => faulty.add({ on: "history", fault: unavailable, times: 1 }))
      for (let turn = 0; turn < 200 && !statuses(seen).includes("Interrupted"); turn++) {
        yield* VirtualTime.advance("100 millis")
      }
      assert.isTrue(lane.isDown)
      lane.missed(from, yield* here)
      assert.isTrue(lane.isDown)
      yield* VirtualTime.advance("15 seconds")
      assert.isFalse(lane.isDown)
      assert.deepStrictEqual(statuses(seen), ["Connected", "Interrupted", "Reconnected"])
      assert.deepStrictEqual(published.map(({ _tag }) => _tag), ["Interrupted", "Reconnected"])
      assert.deepStrictEqual(payloads(seen), [...numbers(500), "late"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("continue their row of failures when a break begins meanwhile", () =>
    Effect.gen(function*() {
      const thrice = Schedule.upTo(Schedule.spaced("1 second"), { times: 3 })
      const { failures, from, lane, published } = yield* overflowing(["late"], Infinity, { schedule: () => thrice })
      yield* Faults.Faults.use((faulty) => faulty.add({ fault: unavailable, lasting: "5 minutes" }))
      for (let turn = 0; turn < 200 && published.length < 2; turn++) yield* VirtualTime.advance("100 millis")
      lane.missed(from, yield* here)
      yield* VirtualTime.advance("1 minute")
      const attempts = published.flatMap((status) => status._tag === "Interrupted" ? [status.attempt] : [])
      assert.deepStrictEqual(attempts, [1, 2, 3])
      assert.strictEqual(failures.length, 1)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("wait for failing history up to the time given, then cause GapSuspected", () =>
    Effect.gen(function*() {
      const { lane, seen } = yield* overflowing(["late"], 5_000)
      yield* Faults.Faults.use((faulty) => faulty.add({ on: "history", fault: unavailable, lasting: "1 minute" }))
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(
        [...new Set(statuses(seen))],
        ["Connected", "Interrupted", "Reconnected", "GapSuspected"]
      )
      assert.isUndefined(lane.place?.hole)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  /** Published in another region, and there so much later. No page has it. */
  const publishLater = (message: string, delay: number) =>
    emulator.use((service) => service.publishAll([{ channel: "a", message, region: 2, delay }]))

  it.effect("read the time before the lane began for a reader that resumed, also beside one that did not", () =>
    Effect.gen(function*() {
      const { from, join, lane } = yield* laneOf(Infinity)
      yield* publishLater("late", 8_000)
      yield* VirtualTime.advance("5 seconds")
      const now = yield* here
      const [old, young] = [yield* join({ from }, "a", now), yield* join({}, "a", now)]
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(old.seen), [])
      lane.receive(yield* pageOf(300), true)
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(payloads(old.seen), ["late", ...numbers(300)])
      assert.deepStrictEqual(payloads(young.seen), numbers(300))
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect.each(
    [["a full page", true], ["a small page", false]] as const
  )(
    "bring what another region is late with before their own messages, where it was as late in %s before",
    ([, isFull]) =>
      Effect.gen(function*() {
        const { join, lane } = yield* laneOf(Infinity)
        const { seen } = yield* join()
        yield* VirtualTime.advance("20 seconds")
        const lateBy = 30_000_000n
        lane.receive(yield* pageOf(1), true)
        lane.receive({ ...yield* pageOf(300, 1), lateBy: isFull ? lateBy : 0n }, true)
        yield* publishLater("late", 2_000)
        yield* VirtualTime.advance("3 seconds")
        lane.receive({ ...yield* pageOf(1, 301), lateBy: isFull ? 0n : lateBy }, true)
        lane.receive(yield* pageOf(200, 302), true)
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(payloads(seen), [...numbers(302), "late", ...numbers(200, 302)])
      }).pipe(Effect.scoped, Effect.provide(emulated()))
  )

  it.effect("are read a second time also after all of a second reading was read", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      yield* VirtualTime.advance("20 seconds")
      lane.receive(yield* pageOf(1), true)
      lane.receive({ ...yield* pageOf(300, 1), lateBy: 60_000_000n }, true)
      yield* VirtualTime.advance("500 millis")
      yield* publishLater("late", 9_700)
      yield* VirtualTime.advance("3500 millis")
      lane.receive(yield* pageOf(1, 301), true)
      lane.receive(yield* pageOf(200, 302), true)
      assert.isDefined(lane.place?.hole)
      yield* VirtualTime.advance("6 seconds")
      assert.isUndefined(lane.place?.hole)
      lane.receive(yield* pageOf(1, 502), true)
      lane.receive(yield* pageOf(200, 503), true)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), [...numbers(703), "late"])
      assert.isUndefined(lane.place?.hole)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("do not restart the second reading, however soon they follow each other", () =>
    Effect.gen(function*() {
      const { join, lane } = yield* laneOf(Infinity)
      const { seen } = yield* join()
      yield* publishLater("late", 1_000)
      for (let turn = 0; turn < 40; turn++) {
        lane.receive(yield* pageOf(12, 12 * turn), true)
        yield* VirtualTime.advance("500 millis")
      }
      assert.include(payloads(seen), "late")
    }).pipe(
      Effect.scoped,
      Effect.provide(emulated({ config: { queueLength: 10 }, emulator: { latency: Effect.succeed("600 millis") } }))
    ))

  it.effect("are told of a gap of a channel by any name that covers it", () =>
    Effect.gen(function*() {
      const { join, lane, from } = yield* laneOf(0)
      const readers = yield* Effect.forEach(["a.b", "a.b-pnpres", "a.*", "a.*-pnpres", "a.c", "c.*"], (name) =>
        join({}, name))
      const to = String(BigInt(from.position) + 100n)
      lane.tell({ _tag: "Gap", channel: "a.b", ...range(from.position, to), reason: "NoStorage" })
      yield* Effect.yieldNow
      const told = readers.map(({ seen }) =>
        statuses(seen).filter((tag) => tag === "Gap").length
      )
      assert.deepStrictEqual(told, [1, 1, 1, 1, 0, 0])
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})
