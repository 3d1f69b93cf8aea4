/** History of a range and some names: what it gives, in which order, with which requests, and what it says of the rest. */
import { assert, describe, it } from "@effect/vitest"
import * as EffectClock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import * as Exchange from "../../../src/testing/server/exchange.ts"
import * as Arrival from "../../../src/pubnub/internal/reading/arrival.ts"
import * as Backfills from "../../../src/pubnub/internal/reading/backfill.ts"
import type { Names } from "../../../src/pubnub/internal/reading/names.ts"
import type * as PubNubError from "../../../src/pubnub/PubNubError.ts"
import type * as SubscribeStatus from "../../../src/pubnub/SubscribeStatus.ts"
import { emulated, queryOf, requestsTo } from "../../kit/emulated.ts"
import { isLong } from "../../simulation/seeds.ts"
import { numbers } from "./arrivals.ts"
import { coreOf } from "./core.ts"

const emulator = PubNubEmulator.PubNubEmulator
const faults = Faults.Fault

const here = Effect.map(EffectClock.currentTimeMillis, (now) => String(BigInt(now) * 10_000n))

const names: Names = { channels: ["a"], groups: [] }

/** Fills a hole to its end, and keeps what it said on the way. */
const fill = (
  hole: Partial<Backfills.Hole> & { readonly since: bigint },
  of: Names = names,
  known?: ReadonlyMap<string, ReadonlyArray<string>>,
  before: ReadonlyArray<Arrival.Arrival> = []
) =>
  Effect.gen(function*() {
    const { core } = yield* coreOf()
    for (const arrival of before) core.history.knowledge.note(arrival)
    const to = String(BigInt(yield* here) + 10_000_000n)
    const backfill = new Backfills.Backfill(
      core.history,
      () => of,
      { reason: "LongBreak", from: String(hole.since - 1n), to, page: [], ...hole },
      known
    )
    const arrivals: Array<Arrival.Arrival> = []
    const notices: Array<SubscribeStatus.Status> = []
    const failures: Array<PubNubError.Reason> = []
    const bounds: Array<bigint> = []
    for (let steps = 0;; steps++) {
      assert.isBelow(steps, 5_000, "it comes to an end")
      const fiber = yield* Effect.forkChild(Effect.result(backfill.next))
      while (fiber.pollUnsafe() === undefined) yield* VirtualTime.advance("40 millis")
      const exit = fiber.pollUnsafe()!
      const result = yield* exit
      if (Result.isFailure(result)) {
        failures.push(result.failure)
        if (failures.length > 20) break
        yield* VirtualTime.advance("1 second")
        continue
      }
      const { arrivals: found, filled, notices: told, upTo } = result.success
      arrivals.push(...found)
      notices.push(...told)
      bounds.push(upTo)
      backfill.missed(found.length)
      if (filled) break
    }
    return { arrivals, notices, failures, bounds, knowledge: core.history.knowledge }
  })

const payloads = (arrivals: ReadonlyArray<Arrival.Arrival>) => arrivals.map(({ envelope }) => envelope?.d)

const publishAll = (count: number, channel: (n: number) => string = () => "a", first = 0) =>
  emulator.use((service) => service.publishAll(numbers(count, first).map((n) => ({ channel: channel(n), message: n }))))

const history = requestsTo("/v3/history")

describe("a backfill", () => {
  it.effect.each([0, 1, 99, 100, 101, 199, 200, 201, 1_000, 4_321])(
    "finds all of a burst of %i, in order",
    (count) =>
      Effect.gen(function*() {
        const since = BigInt(yield* here)
        yield* publishAll(count)
        yield* VirtualTime.advance("1 second")
        const { arrivals, notices } = yield* fill({ since })
        assert.deepStrictEqual(payloads(arrivals), numbers(count))
        assert.deepStrictEqual(notices, [])
      }).pipe(Effect.provide(emulated()))
  )

  it.effect.each(
    [
      ["dense", 20, 60, "100 millis"],
      ["sparse", 1, 60, "10 minutes"],
      ["bursty", 170, 12, "1 minute"]
    ] as const
  )("finds all of a %s range, in order", ([, count, times, pause]) =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      for (let n = 0; n < times; n++) {
        yield* publishAll(count, (m) => m % 3 === 0 ? "b" : "a", n * count)
        yield* VirtualTime.advance(pause, { step: "1 hour" })
      }
      const { arrivals } = yield* fill({ since }, { channels: ["a", "b", "quiet"], groups: [] })
      assert.deepStrictEqual(payloads(arrivals), numbers(count * times))
      assert.isAtMost((yield* history).length, 10 + 4 * count * times / 100)
    }).pipe(Effect.provide(emulated())))

  it.effect("finds nothing older than its beginning or younger than its end", () =>
    Effect.gen(function*() {
      yield* publishAll(5)
      yield* VirtualTime.advance("1 second")
      const since = BigInt(yield* here)
      const tokens = yield* publishAll(5, () => "a", 5)
      yield* publishAll(5, () => "a", 10)
      const { arrivals } = yield* fill({ since, to: tokens.at(-1)! })
      assert.deepStrictEqual(payloads(arrivals), numbers(5, 5))
    }).pipe(Effect.provide(emulated())))

  it.effect("reports up to where it has found all, and finds nothing older after that", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      yield* publishAll(950)
      const { core } = yield* coreOf()
      const backfill = new Backfills.Backfill(core.history, () => names, {
        reason: "LongBreak",
        from: String(since - 1n),
        to: String(since + 1_000n),
        since,
        page: []
      })
      let upTo = 0n
      for (let filled = false; !filled;) {
        const fiber = yield* Effect.forkChild(backfill.next)
        while (fiber.pollUnsafe() === undefined) yield* VirtualTime.advance("40 millis")
        const progress = yield* fiber.pollUnsafe()!
        assert.isAtMost(progress.arrivals.length, 100)
        for (const { id = "" } of progress.arrivals) assert.isAtLeast(Number(BigInt(id.slice(0, 17)) - upTo), 0)
        if (progress.upTo > upTo) ({ upTo } = progress)
        ;({ filled } = progress)
      }
      assert.isAbove(Number(upTo - since), 940)
    }).pipe(Effect.provide(emulated())))

  it.effect("finds all messages that share a timetoken at the border of a page", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      // 300 messages, of which those around the border of the newest page share one timetoken.
      const stored = numbers(300).map((n) => entry(since + BigInt(n >= 195 && n <= 205 ? 200 : n) + 1n, n))
      const patched = yield* historyOf(() => stored)
      const { arrivals } = yield* Effect.provideService(fill({ since }), HttpClient.HttpClient, patched)
      assert.deepStrictEqual(payloads(arrivals), numbers(300))
    }).pipe(Effect.provide(emulated())))
})

const entry = (timetoken: bigint, message: number) => ({
  timetoken: String(timetoken),
  message,
  message_type: null,
  meta: ""
})

/** A client whose history has what `entries` gives for the so manieth request. */
const historyOf = (entries: (requests: number) => ReadonlyArray<ReturnType<typeof entry>>) =>
  Effect.map(HttpClient.HttpClient, (inner) => {
    let requests = 0
    return HttpClient.transform(inner, (sent, request) => {
      if (!request.url.includes("/v3/history")) return sent
      const query = new URL(Option.getOrThrow(HttpClientRequest.toUrl(request))).searchParams
      const [before = "", from = "", most = ""] = ["start", "end", "max"].map((name) => query.get(name) ?? "")
      const found = entries(requests++).filter(({ timetoken }) => timetoken < before && timetoken >= from)
      return Effect.succeed(Exchange.response(request, {
        status: 200,
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          status: 200,
          error: false,
          error_message: "",
          channels: { a: found.slice(-Number(most)) }
        })
      }))
    })
  })

describe("requests", () => {
  it.effect("are made several at once, at least 39 ms apart", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      for (let n = 0; n < 80; n++) {
        yield* publishAll(50, () => "a", 50 * n)
        yield* VirtualTime.advance("1 second", { step: "1 second" })
      }
      const inner = yield* HttpClient.HttpClient
      let open = 0
      let most = 0
      const client = HttpClient.transform(inner, (sent) =>
        Effect.acquireUseRelease(
          Effect.sync(() => most = Math.max(most, ++open)),
          () => Effect.delay(sent, "500 millis"),
          () => Effect.sync(() => open--)
        ))
      const { arrivals } = yield* Effect.provideService(fill({ since }), HttpClient.HttpClient, client)
      assert.deepStrictEqual(payloads(arrivals), numbers(4_000))
      assert.isAtLeast(most, 4)
      assert.isAtMost(most, 16)
      const times = (yield* history).map(({ time }) => time.epochMilliseconds)
      for (const [index, time] of times.entries()) if (index > 0) assert.isAtLeast(time - times[index - 1]!, 39)
    }).pipe(Effect.provide(emulated())))

  it.effect("bring at least 80 messages each when there are many", () =>
    Effect.gen(function*() {
      const many = isLong ? 100_000 : 10_000
      const since = BigInt(yield* here)
      for (let first = 0; first < many; first += 100) {
        yield* publishAll(100, () => "a", first)
        yield* TestClock.adjust("100 millis")
      }
      const { arrivals } = yield* fill({ since })
      assert.deepStrictEqual(payloads(arrivals), numbers(many))
      assert.isAtMost((yield* history).length, many / 80)
    }).pipe(Effect.provide(emulated())), 60_000)

  it.effect("that fail are made again, and the answers of the others are kept", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      for (let n = 0; n < 20; n++) {
        yield* publishAll(50, () => "a", 50 * n)
        yield* VirtualTime.advance("1 second", { step: "1 second" })
      }
      yield* Faults.Faults.use((faulty) =>
        faulty.add({ on: "history", fault: faults.ServerError({ status: 503, handled: false }), skip: 3, times: 2 })
      )
      const { arrivals, failures } = yield* fill({ since })
      assert.deepStrictEqual(payloads(arrivals), numbers(1_000))
      assert.isAtLeast(failures.length, 1)
      assert.isAtMost((yield* history).length, 26)
    }).pipe(Effect.provide(emulated())))

  it.effect("for counts have room for a timetoken of each channel", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      const channels = numbers(120).map((n) => `quiet-${n}`.padEnd(20, "-"))
      const [first = ""] = channels
      yield* publishAll(2, () => first)
      yield* VirtualTime.advance("1 second")
      const { arrivals, failures } = yield* fill({ since }, { channels, groups: [] })
      assert.deepStrictEqual(payloads(arrivals), numbers(2))
      assert.deepStrictEqual(failures, [])
    }).pipe(Effect.provide(emulated({ config: { maxUrlSize: 4_096 } }))))

  it.effect("for channels without messages are made once, together, for their counts", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      yield* publishAll(3)
      const channels = ["a", ...numbers(150).map((n) => `quiet-${n}`)]
      yield* fill({ since }, { channels, groups: [] })
      const asked = (yield* history).map(({ target }) => target.includes("message-counts"))
      assert.deepStrictEqual(asked.filter((isCount) => isCount).length, 2)
      assert.isAtMost(asked.length, 4)
      const read = (yield* history).filter(({ target }) => !target.includes("message-counts"))
      for (const { target } of read) assert.notInclude(target, "quiet")
    }).pipe(Effect.provide(emulated())))

  it.effect.each([0, 1, 2, 5])(
    "after %i steps are not made for channels that nobody reads any more",
    (after) =>
      Effect.gen(function*() {
        const since = BigInt(yield* here)
        yield* publishAll(1_200, (n) => n % 2 === 0 ? "a" : "b")
        yield* VirtualTime.advance("1 second")
        const { core } = yield* coreOf()
        let heard: Names = { channels: ["a", "b"], groups: [] }
        const backfill = new Backfills.Backfill(core.history, () => heard, {
          reason: "LongBreak",
          from: String(since - 1n),
          to: yield* here,
          since,
          page: []
        })
        const arrivals: Array<Arrival.Arrival> = []
        let asked = 0
        for (let steps = 0, filled = false; !filled; steps++) {
          if (steps === after) {
            heard = { channels: ["a"], groups: [] }
            asked = (yield* history).length
          }
          const fiber = yield* Effect.forkChild(backfill.next)
          while (fiber.pollUnsafe() === undefined) yield* VirtualTime.advance("40 millis")
          const progress = yield* fiber.pollUnsafe()!
          arrivals.push(...progress.arrivals)
          ;({ filled } = progress)
        }
        const own = arrivals.filter(({ envelope }) => envelope?.c === "a")
        assert.deepStrictEqual(payloads(own), numbers(600).map((n) => 2 * n))
        for (const { target } of (yield* history).slice(asked)) assert.notInclude(target, "b?")
      }).pipe(Effect.provide(emulated()))
  )

  it.effect("for a single channel do not ask for its count first", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      yield* publishAll(3)
      yield* fill({ since })
      assert.deepStrictEqual((yield* history).map(({ target }) => target.includes("message-counts")), [false])
      assert.strictEqual(queryOf((yield* history)[0]!).get("end"), String(since))
    }).pipe(Effect.provide(emulated())))
})

describe("a full page", () => {
  /** The newest of what was published, as the live service has it. */
  const pageOf = (tokens: ReadonlyArray<string>, first: number) =>
    tokens.map((t, index) => Arrival.read({ a: "3", c: "a", b: "a", d: first + index, p: { t, r: 1 }, k: "demo-sub" }))

  const full = (historyDelay: "0 seconds" | "1500 millis" | "6 seconds" | "20 seconds") =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      const tokens = yield* publishAll(300)
      const page = pageOf(tokens.slice(200), 200)
      return yield* fill({ reason: "FullPage", since, page, to: tokens.at(-1)! })
    }).pipe(Effect.provide(emulated({ emulator: { historyDelay } })))

  it.effect("comes after the messages that are missing before it", () =>
    Effect.gen(function*() {
      const { arrivals, notices } = yield* full("0 seconds")
      assert.deepStrictEqual(payloads(arrivals), numbers(300))
      assert.deepStrictEqual(notices, [])
    }))

  it.effect.each(["1500 millis", "6 seconds"] as const)(
    "is complete when history is late by %s",
    (delay) =>
      Effect.gen(function*() {
        const { arrivals, notices } = yield* full(delay)
        assert.sameMembers(payloads(arrivals), numbers(300))
        assert.deepStrictEqual(notices, [])
      })
  )

  it.effect.each([[150, 0, 60], [2, 100, 60], [2, 0, 1_500]] as const)(
    "is complete when history is late for the counts of %i channels, after %i older messages, by %i ms",
    ([count, older, historyDelay]) =>
      Effect.gen(function*() {
        const since = BigInt(yield* here)
        yield* publishAll(older)
        yield* VirtualTime.advance("1 second")
        yield* publishAll(1, () => "b", older)
        const tokens = yield* publishAll(100, () => "a", older + 1)
        const { arrivals, notices } = yield* fill(
          { reason: "FullPage", since, page: pageOf(tokens, older + 1), to: tokens.at(-1)! },
          { channels: ["b", ...numbers(count - 2).map((n) => `quiet-${n}`), "a"], groups: [] }
        )
        assert.sameMembers(payloads(arrivals), numbers(older + 101))
        assert.deepStrictEqual(notices, [])
      }).pipe(Effect.provide(emulated({ emulator: { historyDelay } })))
  )

  it.effect.each([["200 millis", 6, []], ["6 seconds", 6, []], ["20 seconds", 0, ["GapSuspected"]]] as const)(
    "that was stepped over is waited for when history is late by %s",
    ([historyDelay, count, told]) =>
      Effect.gen(function*() {
        const since = BigInt(yield* here)
        yield* publishAll(3)
        yield* VirtualTime.advance("300 millis")
        yield* publishAll(3, () => "a", 3)
        const { arrivals, notices } = yield* fill({ since, unheardFrom: String(since) })
        assert.deepStrictEqual([...new Set(payloads(arrivals))], numbers(count))
        assert.deepStrictEqual(notices.map(({ _tag }) => _tag), [...told])
      }).pipe(Effect.provide(emulated({ emulator: { historyDelay } })))
  )

  it.effect("gives messages that are not stored in their place, by each of their names", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      const stored = [0, 1, 4, 5].map((n) => entry(since + BigInt(n), n))
      const arrived = (name: string, n: number) =>
        Arrival.read({ c: "a", b: name, d: n, p: { t: String(since + BigInt(n)), r: 1 } })
      const page = [
        arrived("a", 1),
        arrived("a", 2),
        arrived("crew", 2),
        arrived("a", 3),
        arrived("a", 4),
        arrived("a", 6)
      ]
      const patched = yield* historyOf(() => stored)
      const { arrivals, notices } = yield* Effect.provideService(
        fill({ reason: "FullPage", since, page, to: String(since + 6n) }),
        HttpClient.HttpClient,
        patched
      )
      // Further looks show the stored ones again, and the last one is left to the live service.
      assert.deepStrictEqual(payloads(arrivals).slice(0, 7), [0, 1, 2, 2, 3, 4, 5])
      assert.notInclude(payloads(arrivals), 6)
      assert.deepStrictEqual(notices.map(({ _tag }) => _tag), ["Gap"])
    }).pipe(Effect.provide(emulated())))

  it.effect("waits for a message of another region that history passes at first, and gives it by each of its names", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      const stored = numbers(5).map((n) => entry(since + BigInt(n), n))
      const arrived = (name: string, n: number) =>
        Arrival.read({
          a: "3",
          c: "a",
          b: name,
          d: n,
          p: { t: String(since + BigInt(n)), r: n === 2 ? 2 : 1 },
          k: "demo-sub"
        })
      const page = [arrived("a", 1), arrived("a", 2), arrived("crew", 2), arrived("a", 3), arrived("a", 4)]
      const patched = yield* historyOf((requests) => requests === 0 ? stored.toSpliced(2, 1) : stored)
      const { arrivals, bounds, notices } = yield* Effect.provideService(
        fill({ reason: "FullPage", since, page, to: String(since + 4n) }),
        HttpClient.HttpClient,
        patched
      )
      // The second look shows all once more: a ledger leaves out what was given.
      assert.deepStrictEqual(payloads(arrivals), [0, 1, 3, 4, 0, 2, 2])
      assert.deepStrictEqual(arrivals.slice(-2).map(({ by }) => by), ["a", "crew"])
      // Each step says before which moment all was found.
      assert.deepStrictEqual(bounds.filter((bound) => bound > 0n).map((bound) => Number(bound - since)), [2, 5])
      assert.deepStrictEqual(notices, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("causes NotInHistory when history does not show its messages at three attempts", () =>
    Effect.gen(function*() {
      const { knowledge, notices } = yield* full("20 seconds")
      assert.deepStrictEqual(notices.map((notice) => notice._tag === "Gap" ? notice.reason : notice._tag), [
        "NotInHistory"
      ])
      assert.isTrue(knowledge.unstored.get("a")?.has("Message"))
    }))

  it.effect("with a signal causes a Gap (NotStored) of signals", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      const tokens = yield* publishAll(100)
      const [token = ""] = tokens
      const page = [
        ...pageOf(tokens, 0),
        Arrival.read({ a: "3", c: "a", b: "a", d: 1, e: 1, p: { t: token, r: 1 }, k: "demo-sub" })
      ]
      const { notices } = yield* fill({ reason: "FullPage", since, page, to: tokens.at(-1)! })
      assert.deepInclude({ ...notices[0] }, { _tag: "Gap", reason: "NotStored", kinds: ["Signal"] } as object)
    }).pipe(Effect.provide(emulated())))

  it.effect("kinds that are never stored are told of each channel that had them, where the page has some", () =>
    Effect.gen(function*() {
      const now = BigInt(yield* here)
      const signal = (c: string, at: bigint) =>
        Arrival.read({ a: "3", c, b: c, d: 1, e: 1, p: { t: String(at), r: 1 }, k: "demo-sub" })
      const hole = {
        reason: "FullPage",
        since: now,
        page: numbers(100).map((n) => signal("a", now + BigInt(n))),
        to: String(now + 100n)
      } as const
      const both = { channels: ["a", "b"], groups: [] }
      const told = (before: ReadonlyArray<Arrival.Arrival>) =>
        Effect.map(
          fill(hole, both, undefined, before),
          ({ notices }) => notices.map((notice) => notice._tag === "Gap" ? notice.channel : notice._tag)
        )
      assert.deepStrictEqual(yield* told([]), ["a", "GapSuspected"])
      assert.deepStrictEqual(yield* told([signal("b", now - 1n)]), ["a", "b", "GapSuspected"])
    }).pipe(Effect.provide(emulated())))

  it.effect.each([["a", ["Gap", "GapSuspected"]], ["a-pnpres", ["Gap"]]] as const)(
    "without stored messages says that messages of %s may be missing, since history may be late",
    ([name, told]) =>
      Effect.gen(function*() {
        const since = BigInt(yield* here)
        yield* publishAll(1)
        const tokens = yield* emulator.use((service) =>
          Effect.forEach(numbers(100), (message) => service.signal({ channel: "a", message }))
        )
        const page = tokens.map(({ timetoken: t }, d) =>
          Arrival.read({ a: "3", c: "a", b: "a", d, e: 1, p: { t, r: 1 }, k: "demo-sub" })
        )
        const { arrivals, notices } = yield* fill(
          { reason: "FullPage", since, page, to: tokens.at(-1)!.timetoken },
          { channels: [name], groups: [] }
        )
        assert.deepStrictEqual(payloads(arrivals), [])
        assert.deepStrictEqual(notices.map(({ _tag }) => _tag), [...told])
      }).pipe(Effect.provide(emulated({ emulator: { historyDelay: "6 seconds" } })))
  )
})

describe("history that refuses", () => {
  it.effect("is asked three times; then that channel is left out, and the others are read", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      yield* publishAll(10, (n) => n % 2 === 0 ? "a" : "b")
      yield* emulator.use((service) => service.deny({ channels: ["b"] }))
      const { arrivals, failures, knowledge, notices } = yield* fill({ since }, { channels: ["a", "b"], groups: [] })
      assert.deepStrictEqual(payloads(arrivals), [0, 2, 4, 6, 8])
      assert.deepStrictEqual(failures.map(({ _tag }) => _tag), ["AccessDenied", "AccessDenied"])
      assert.deepStrictEqual(notices.map(({ _tag }) => _tag), ["GapSuspected"])
      assert.deepStrictEqual(knowledge.denied, new Set(["b"]))
    }).pipe(Effect.provide(emulated())))

  it.effect("is read when it answers after two refusals", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      yield* publishAll(450)
      yield* Faults.Faults.use((faulty) =>
        Effect.all([
          faulty.add({ on: "history", fault: faults.AccessDenied(), times: 2 }),
          faulty.add({ on: "history", fault: faults.AccessDenied(), skip: 1, times: 2 })
        ])
      )
      const { arrivals, notices } = yield* fill({ since })
      assert.deepStrictEqual(payloads(arrivals), numbers(450))
      assert.deepStrictEqual(notices, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("is read when it refuses more often, and fails otherwise between its refusals", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      yield* publishAll(10)
      yield* Faults.Faults.use((faulty) =>
        Effect.forEach(numbers(8), (n) =>
          faulty.add({
            on: "history",
            fault: n % 2 === 0 ? faults.AccessDenied() : faults.ServerError({ status: 503, handled: false }),
            times: 1
          }))
      )
      const { arrivals, failures, notices } = yield* fill({ since })
      assert.deepStrictEqual(payloads(arrivals), numbers(10))
      assert.strictEqual(failures.filter(({ _tag }) => _tag === "AccessDenied").length, 4)
      assert.deepStrictEqual(notices, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("because it stores nothing causes one Gap (NoStorage) for each name", () =>
    Effect.gen(function*() {
      const since = BigInt(yield* here)
      const { knowledge, notices } = yield* fill({ since }, { channels: ["a", "x.*", "a-pnpres"], groups: ["crew"] })
      assert.deepStrictEqual(
        notices.map((notice) => notice._tag === "Gap" ? [notice.channel, notice.reason] : []),
        [["a", "NoStorage"], ["x.*", "NoStorage"], ["crew", "NoStorage"]]
      )
      assert.isTrue(knowledge.storesNothing)
    }).pipe(Effect.provide(emulated({ emulator: { addOns: { persistence: false } } }))))

  it.effect("is retried by a schedule of its own, and failures by that of the connection", () =>
    Effect.gen(function*() {
      const { core } = yield* coreOf()
      const schedule = Backfills.scheduleOf(core.settings.schedule)
      const refusal = { _tag: "BadRequest" } as PubNubError.BadRequest
      assert.notStrictEqual(schedule(refusal), core.settings.schedule(refusal))
      const failure = { _tag: "Transport" } as PubNubError.Transport
      assert.strictEqual(schedule(failure), core.settings.schedule(failure))
    }).pipe(Effect.provide(emulated())))
})

describe("names", () => {
  it.effect("of groups are listed, of wildcards are those seen, and others cause GapSuspected", () =>
    Effect.gen(function*() {
      yield* emulator.use((service) => service.addToGroup({ group: "crew", channels: ["b"] }))
      const since = BigInt(yield* here)
      yield* publishAll(4, (n) => n % 2 === 0 ? "b" : "x.y")
      const { arrivals, notices } = yield* fill({ since }, { channels: ["x.*"], groups: ["crew"] })
      assert.deepStrictEqual(payloads(arrivals), [0, 2])
      assert.deepStrictEqual(arrivals.map(({ by }) => by), ["crew", "crew"])
      assert.deepStrictEqual(notices.map(({ _tag }) => _tag), ["GapSuspected"])
      const known = yield* fill({ since }, { channels: ["x.*"], groups: [] }, new Map([["x.y", ["x.*"]]]))
      assert.deepStrictEqual(payloads(known.arrivals), [1, 3])
      assert.deepStrictEqual(known.arrivals.map(({ by }) => by), ["x.*", "x.*"])
      assert.deepStrictEqual(known.notices, [])
    }).pipe(Effect.provide(emulated())))
})
