/** A service, or what stands between, that answers what no service should: readers lose nothing and ask no storm. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { PubNubConfig, Subscribe, Subscriber, Timetoken } from "effect-herald/pubnub"
import { VirtualTime } from "effect-herald/testing"
import { Missed } from "../../src/pubnub/internal/reading/missed.ts"
import * as Exchange from "../../src/testing/server/exchange.ts"
import { start } from "../kit/emulated.ts"
import { isLong } from "../simulation/seeds.ts"
import { collect } from "../kit/collect.ts"
import { payloads, tags } from "../kit/events.ts"
import { numbers } from "../kit/numbers.ts"

/** A timetoken so many milliseconds after the start. */
const at = (millis: number): string => String(BigInt(start + millis) * 10_000n)

const farFuture = "99999999999999999"

const message = (d: unknown, t: string, c = "a") => ({ c, d, p: { t, r: 1 }, i: "bob" })

const page = (t: string, ...m: ReadonlyArray<unknown>) => ({ t: { t, r: 1 }, m })

const entry = (message: unknown, timetoken: unknown) => ({ message, timetoken, uuid: "bob", message_type: null })

interface Asked {
  readonly kind: "handshake" | "poll" | "history" | "counts" | "other"
  readonly query: URLSearchParams
  /** How many of its kind there were before it. */
  readonly number: number
  readonly now: () => number
}

/** What it answers after 20 milliseconds, or that it never does. */
type Answer = object | "never"

/** An answer whose body is a stream. */
class Slow {
  readonly body: Stream.Stream<Uint8Array>
  constructor(body: Stream.Stream<Uint8Array>) {
    this.body = body
  }
}

/** The parts of a body, one every twenty seconds. */
const slowly = (parts: ReadonlyArray<string>): Stream.Stream<Uint8Array> =>
  Stream.mapEffect(
    Stream.fromIterable(parts),
    (part) => Effect.delay(Effect.succeed(new TextEncoder().encode(part)), "20 seconds")
  )

const kindOf = ({ pathname, searchParams }: URL): Asked["kind"] =>
  pathname.startsWith("/v2/subscribe")
    ? searchParams.has("tt") ? "poll" : "handshake"
    : pathname.includes("message-counts")
    ? "counts"
    : pathname.startsWith("/v3/history")
    ? "history"
    : "other"

const service = (answer: (asked: Asked) => Answer, pollTime: Duration.Input = "20 millis") => {
  const counts = new Map<string, number>()
  const layer = Layer.succeed(
    HttpClient.HttpClient,
    HttpClient.make((request, url) =>
      Effect.clockWith((clock) => {
        const kind = kindOf(url)
        const number = counts.get(kind) ?? 0
        counts.set(kind, number + 1)
        const body = answer({
          kind,
          query: url.searchParams,
          number,
          now: () => clock.currentTimeMillisUnsafe() - start
        })
        if (body === "never") return Effect.never
        const response = body instanceof Slow
          ? HttpServerResponse.toClientResponse(HttpServerResponse.stream(body.body), { request })
          : Exchange.response(request, { status: 200, headers: {}, body: JSON.stringify(body) })
        // At the end of a test nobody moves the clock any more.
        return kind === "other"
          ? Effect.succeed(response)
          : Effect.delay(Effect.succeed(response), kind === "poll" ? pollTime : "20 millis")
      })
    )
  )
  return { count: (kind: Asked["kind"]) => counts.get(kind) ?? 0, layer }
}

const world = (layer: Layer.Layer<HttpClient.HttpClient>) =>
  layer.pipe(
    Layer.provideMerge(PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "emulator" })),
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))),
    Layer.provideMerge(VirtualTime.layer)
  )

/** How a stream is read: with a connection of its own, and with one that is shared. */
const ways = [
  ["alone", Layer.empty],
  ["with a shared connection", Subscriber.layer()]
] as const

describe.each(ways)("a reader %s", (_, sharing) => {
  const run = (layer: Layer.Layer<HttpClient.HttpClient>) => sharing.pipe(Layer.provideMerge(world(layer)))

  it.effect("does not poll without pause when one unreadable page comes again and again", () => {
    const { count, layer } = service(({ kind, query }) =>
      kind === "poll" ? page(query.get("tt") ?? "", null) : page(at(0))
    )
    return Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 minute")
      assert.isBelow(count("poll"), 40)
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect("does not poll or read history without pause when one full page comes again and again", () => {
    const full = page(at(1_000), ...numbers(100).map((n) => message(n, at(n + 1))))
    const { count, layer } = service(({ kind }) =>
      kind === "poll" ? full : kind === "handshake" ? page(at(0)) : { channels: { a: [] } }
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(seen), numbers(100))
      assert.isBelow(count("poll"), 60)
      assert.isBelow(count("history"), 60)
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect("does not poll or read history without pause when two full pages alternate", () => {
    const full = (t: number) => page(at(t), ...numbers(100).map((n) => message(n, at(n + 1))))
    const { count, layer } = service(({ kind, number }) =>
      kind === "poll" ? full(1_000 + number % 2) : kind === "handshake" ? page(at(0)) : { channels: { a: [] } }
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(seen), numbers(100))
      assert.isBelow(count("poll"), 60)
      assert.isBelow(count("history"), 60)
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect.each(["zzz", " ", "a-pnpres", "x.*"])(
    "delivers a message once when its envelope names the subscription %j, which nobody has",
    (b) => {
      const live = numbers(105).map((n) => ({ ...message(n, at(1_000 + n)), b }))
      const { layer } = service(({ kind, number }) => {
        switch (kind) {
          case "handshake":
            return page(at(0))
          case "poll":
            // A full page, before which history is read, comes second.
            return number === 0
              ? page(at(1_004), ...live.slice(0, 5))
              : number === 1
              ? page(at(2_000), ...live.slice(5))
              : "never"
          case "history":
            return { channels: { a: live.slice(-100).map(({ d, p }) => entry(d, p.t)) } }
          default:
            return { channels: { a: 105 } }
        }
      })
      return Effect.gen(function*() {
        const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(payloads(seen), numbers(105))
        for (const event of seen) {
          if (event._tag === "Message") assert.deepInclude(event, { channel: "a", subscription: "a" })
        }
      }).pipe(Effect.provide(run(layer)))
    }
  )

  it.effect("delivers a message of a channel that nobody subscribed to when its envelope names a subscription", () => {
    const { layer } = service(({ kind, number }) =>
      kind === "handshake"
        ? page(at(0))
        : number > 0
        ? "never"
        : page(at(2_000), { ...message(1, at(1_000), "other"), b: "a" }, message(2, at(1_001), "other"))
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(tags(seen), ["Connected", "Message"])
      assert.deepInclude(seen[1], { channel: "other", subscription: "a", payload: 1 })
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect.each(
    [
      [{ channels: ["x.*"] }, "Message"],
      [{ channels: ["a"], groups: ["crew"] }, "Message"],
      [{ channels: ["x.*"], groups: ["crew", "team"] }, "Message"],
      [{ groups: ["crew", "team"] }, "Undecodable"],
      [{ channels: ["a"] }, undefined]
    ] as const
  )("gives for %j, when an envelope names no subscription: %s", ([names, tag]) => {
    const { layer } = service(({ kind, number }) =>
      kind === "handshake"
        ? page(at(0))
        : number > 0
        ? "never"
        : page(at(2_000), message(1, at(1_000), "x.1"), { ...message(2, at(1_001), "x.1"), b: null })
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream(names))
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(tags(seen), ["Connected", ...tag === undefined ? [] : [tag, tag]])
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect.each(["7 seconds", "15 seconds", "40 seconds"] as const)(
    "gets messages from history, once each, and is told, when every poll fails after %s for minutes and handshakes work",
    (pollTime) => {
      const all = numbers(60).map((n) => message(n, at(60_000 + n * 1_000)))
      const { layer } = service(({ kind, now, query }) => {
        const after = (from: string) => all.filter(({ p: { t } }) => t > from && t <= at(now()))
        switch (kind) {
          case "handshake":
            return page(at(now()))
          case "poll":
            // The service does not keep messages for so long.
            return now() < 400_000 ? {} : page(at(now()), ...after(at(now() - 120_000)))
          case "history":
            return {
              channels: {
                a: after(query.get("end") ?? "").filter(({ p: { t } }) => t < (query.get("start") ?? "9"))
                  .slice(-100).map(({ d, p }) => entry(d, p.t))
              }
            }
          default:
            return { channels: { a: 60 } }
        }
      }, pollTime)
      return Effect.gen(function*() {
        const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
        yield* VirtualTime.advance("5 minutes")
        assert.deepStrictEqual(payloads(seen), numbers(60))
        // Two polls look as if a proxy cut them. History shows that it did not.
        assert.isAbove(tags(seen).filter((tag) => tag === "Interrupted").length, 2)
        yield* VirtualTime.advance("3 minutes")
        assert.deepStrictEqual(payloads(seen), numbers(60))
      }).pipe(Effect.provide(run(layer)))
    }
  )

  it.effect.each(
    [1, 3, 7].flatMap((times) =>
      [at(120_000), at(3_600_000), at(20 * 3_600_000), farFuture].map((future) => [times, future] as const)
    )
  )("begins at the service's time when the first %i handshakes give the position %s", ([times, future]) => {
    const all = numbers(30).map((n) => message(n, at(20_000 + n * 10_000)))
    const { layer } = service(({ kind, now, number, query }) => {
      if (kind === "handshake") return page(number < times ? future : at(now()))
      // The time, or a leave.
      if (kind === "other") return [at(now())]
      const from = query.get("tt") ?? ""
      return from > at(now() + 1_000)
        ? "never"
        : page(at(now()), ...all.filter(({ p: { t } }) => t > from && t <= at(now())))
    }, "5 seconds")
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("6 minutes")
      assert.deepStrictEqual(payloads(seen), numbers(30))
      const told = tags(seen).filter((tag) => tag !== "Message")
      assert.deepStrictEqual(told, [...numbers(Math.floor(times / 3)).map(() => "Interrupted"), "Connected"])
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect("begins at the position of a handshake that is an hour ahead when the service does not say its time", () => {
    const hour = 3_600_000
    const { layer } = service(({ kind, now, number }) =>
      kind === "other"
        ? {}
        : kind === "handshake"
        ? page(at(hour + now()))
        : number > 0
        ? "never"
        : page(at(hour + 1_000), message(1, at(hour + 500)))
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(tags(seen), ["Connected", "Message"])
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect.each([3, 20])(
    "hears again, and is told, after %i answers of which each leads the one before by nearly a minute",
    (lies) => {
      const timeOf = (n: number) => at(20_000 + n * 10_000)
      const all = numbers(60).map((n) => message(n, timeOf(n)))
      const { layer } = service(({ kind, now, number, query }) => {
        if (kind === "handshake") return page(at(now()))
        if (kind === "other") return [at(now())]
        const from = query.get("tt") ?? ""
        const ahead = (millis: number) => String(BigInt(from) + BigInt(millis * 10_000))
        if (number < lies) return page(ahead(59_000), message("lie", ahead(1)))
        return from > at(now() + 1_000)
          ? "never"
          : page(at(now()), ...all.filter(({ p: { t } }) => t > from && t <= at(now())))
      }, "1 second")
      return Effect.gen(function*() {
        const late = yield* collect(
          Effect.succeed(Subscribe.stream({ channels: ["a"] })).pipe(
            Effect.delay("15 seconds"),
            Stream.unwrap
          )
        )
        const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
        yield* VirtualTime.advance("12 minutes")
        const heard = payloads(seen).filter((payload) => payload !== "lie")
        // The next handshake comes when a poll has been silent for 55 seconds.
        assert.deepStrictEqual(heard, numbers(heard.length, 60 - heard.length))
        assert.isAbove(heard.length, 50)
        const gaps = seen.filter((event) => event._tag === "GapSuspected")
        for (const t of numbers(60 - heard.length).map(timeOf)) {
          assert.isTrue(gaps.some(({ before, since }) => since <= t && t < before))
        }
        const doubted = seen.findLast((event) => event._tag === "CursorDoubted")
        assert.isTrue(doubted !== undefined && doubted.kept.position < doubted.doubted)
        // One that came meanwhile began at a position of the future.
        assert.includeMembers(payloads(late.seen), numbers(50, 10))
      }).pipe(Effect.provide(run(layer)))
    }
  )

  // --- slow answers

  it.effect("gets a page that arrives slowly when its parts take longer than pollTimeout", () => {
    const parts = JSON.stringify(page(at(1_000), message(1, at(500)))).split(/(?<=,)/)
    assert.isAbove(parts.length, 5)
    const { count, layer } = service(({ kind, number }) =>
      kind !== "poll" ? page(at(0)) : number > 0 ? "never" : new Slow(slowly(parts))
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("3 minutes")
      assert.deepStrictEqual(tags(seen), ["Connected", "Message"])
      assert.isAtMost(count("poll"), 3)
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect.each(
    [
      ["stops in its middle", Stream.concat(slowly(["{"]), Stream.never), "2 minutes"],
      ["has no end", Stream.forever(slowly([" "])), "11 minutes"]
    ] as const
  )("is told Interrupted, and goes on, when a page %s", ([_, body, time]) => {
    const { layer } = service(({ kind, number }) =>
      kind !== "poll"
        ? page(at(0))
        : number === 0
        ? new Slow(body)
        : number === 1
        ? page(at(1_000), message(1, at(500)))
        : "never"
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance(time)
      assert.deepStrictEqual(tags(seen), ["Connected", "Interrupted", "Reconnected", "Message"])
      assert.deepInclude(seen[1], { attempt: 1 })
      assert(seen[1]?._tag === "Interrupted")
      assert.strictEqual(seen[1].reason._tag, "Timeout")
    }).pipe(Effect.provide(run(layer)))
  })

  // --- history that lies

  /** A full page live at ten seconds, with 250 messages missing before it, which history gives in pages of its own. */
  const behind = (
    answer: (entries: ReadonlyArray<{ timetoken: unknown }>, before: string) => ReadonlyArray<unknown>,
    bodyOf: (entries: ReadonlyArray<unknown>, number: number) => object = (entries) => ({ channels: { a: entries } }),
    missing = numbers(250).map((n) => entry(n, at(1_000 + n)))
  ) => {
    const stored = [
      ...missing,
      ...numbers(100, 250).map((n) => entry(n, at(2_000 + n)))
    ]
    return service(({ kind, number, query }) => {
      switch (kind) {
        case "handshake":
          return page(at(0))
        case "poll":
          return number > 0 ? "never" : page(at(10_000), ...numbers(100, 250).map((n) => message(n, at(2_000 + n))))
        case "history": {
          const before = query.get("start") ?? ""
          const since = query.get("end") ?? ""
          const range = stored.filter(({ timetoken }) => String(timetoken) >= since && String(timetoken) < before)
          return bodyOf(answer(range, before), number)
        }
        default:
          return { channels: { a: 350 } }
      }
    })
  }

  it.effect.each(
    [
      [
        "that ends with one from beyond the range",
        (range: ReadonlyArray<unknown>, before: string) => [...range.slice(-99), entry("beyond", before)]
      ],
      [
        "that begins with null",
        (range: ReadonlyArray<unknown>) => range.length < 100 ? range : [null, ...range.slice(-99)]
      ],
      [
        "that begins with one without a time",
        (range: ReadonlyArray<unknown>) => range.length < 100 ? range : [entry("x", null), ...range.slice(-99)]
      ],
      ["with the newest first", (range: ReadonlyArray<unknown>) => range.slice(-100).toReversed()],
      [
        "with a null in the middle",
        (range: ReadonlyArray<unknown>) =>
          range.length < 100 ? range : [...range.slice(-99, -50), null, ...range.slice(-50)]
      ],
      ["that holds ten times as many", (range: ReadonlyArray<unknown>) => range.slice(-1_000)]
    ] as const
  )("delivers the whole gap when history gives a page %s", ([_, answer]) => {
    const { count, layer } = behind(answer)
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(payloads(seen), numbers(350))
      assert.isBelow(count("history"), 30)
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect("emits GapSuspected when history gives the same full page again and again", () => {
    const same = numbers(100, 150).map((n) => entry(n, at(1_000 + n)))
    const { count, layer } = behind(() => same)
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(payloads(seen), numbers(200, 150))
      assert.include(tags(seen), "GapSuspected")
      assert.isBelow(count("history"), 30)
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect("emits GapSuspected when history gives pages without timetokens", () => {
    const { count, layer } = behind(() => numbers(100).map(() => null))
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(payloads(seen), numbers(100, 250))
      assert.include(tags(seen), "GapSuspected")
      assert.isBelow(count("history"), 30)
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect("delivers the whole gap when history cuts pages short and says where the next one ends", () => {
    const isTimed = (entry: unknown): entry is { readonly timetoken: unknown } =>
      typeof entry === "object" && entry !== null && "timetoken" in entry
    const { layer } = behind((range) => range, (entries) => {
      const page = entries.filter(isTimed).slice(-40)
      const more = page.length < entries.length ? { more: { start: page[0]?.timetoken, max: 100 } } : {}
      return { channels: { a: page }, ...more }
    })
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(payloads(seen), numbers(350))
      assert.notInclude(tags(seen), "GapSuspected")
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect.each(["99999999999999999", at(86_400_000), at(1_200), at(0), "00000000000000001"])(
    "delivers the whole gap when history says that the next page ends at %s",
    (start) => {
      const { count, layer } = behind((range) => range.slice(-100), (a) => ({ channels: { a }, more: { start } }))
      return Effect.gen(function*() {
        const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
        yield* VirtualTime.advance("2 minutes")
        assert.deepStrictEqual(payloads(seen), numbers(350))
        assert.isBelow(count("history"), 30)
      }).pipe(Effect.provide(run(layer)))
    }
  )

  it.effect("waits while history answers about another channel, and then delivers the whole gap", () => {
    const { layer } = behind(
      (range) => range.slice(-100),
      (entries, number) => ({ channels: number < 3 ? { b: entries } : { a: entries } })
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(payloads(seen), numbers(350))
      assert.deepStrictEqual(
        tags(seen).filter((tag) => tag !== "Message"),
        ["Connected", "Interrupted", "Interrupted", "Interrupted", "Reconnected"]
      )
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect("waits while history answers with more entries than memory holds, and then delivers the whole gap", () => {
    const { layer } = behind(
      (range) => range.slice(-100),
      (entries, number) => ({ channels: { a: number === 0 ? Array.from({ length: 100_001 }, () => 0) : entries } })
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(payloads(seen), numbers(350))
      assert.deepStrictEqual(tags(seen).filter((tag) => tag !== "Message"), ["Connected", "Interrupted", "Reconnected"])
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect("steps over a page that has more events than memory holds, and reads history", () => {
    const { layer } = service(({ kind, now, number, query }) => {
      switch (kind) {
        case "handshake":
          return page(at(now()))
        case "poll":
          return number > 0 ? "never" : page(at(1_000), ...Array.from({ length: 100_001 }, () => 0))
        default: {
          const isAsked = ({ timetoken }: { readonly timetoken: unknown }) =>
            String(timetoken) < (query.get("start") ?? "")
          return { channels: { a: numbers(20).map((n) => entry(n, at(30 + n))).filter(isAsked) } }
        }
      }
    }, "1 second")
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(seen), numbers(20))
      assert.notInclude(tags(seen), "Undecodable")
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect("reads a gap that is shorter than its number of pages", () => {
    const tick = (n: number) => String(BigInt(at(0)) + BigInt(n))
    const burst = numbers(300).map((n) => ({ ...message(n, tick(1 + n % 3), n === 0 ? "b" : "a"), i: `user-${n}` }))
    const { layer } = service(({ kind, number }) => {
      switch (kind) {
        case "handshake":
          return page(at(0))
        case "poll":
          return number > 0 ? "never" : page(tick(3), ...burst)
        case "history":
          return { channels: { a: numbers(25).map((n) => entry(`stored ${n}`, tick(3))) } }
        default:
          return { channels: { a: 300, b: 1 } }
      }
    })
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a", "b"] }))
      yield* VirtualTime.advance("1 minute")
      assert.includeMembers(payloads(seen), numbers(300))
      assert.notInclude(tags(seen), "Disconnected")
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect.each(["00000000000000000", "00000000000000001", "00000000000000012", "09999999999999999"] as const)(
    "delivers all stored messages to a reader that begins at %s",
    (from) => {
      const stored = numbers(150).map((n) => entry(n, at(n - 60_000)))
      const { layer } = service(({ kind, now, query }) => {
        if (kind === "handshake") return page(at(now()))
        if (kind === "poll") return "never"
        const isAsked = ({ timetoken }: { readonly timetoken: unknown }) =>
          String(timetoken) >= (query.get("end") ?? "") && String(timetoken) < (query.get("start") ?? "9")
        return { channels: { a: stored.filter(isAsked).slice(-100) } }
      })
      return Effect.gen(function*() {
        const { seen } = yield* collect(Subscribe.stream({ channels: ["a"], from: Timetoken.Timetoken.make(from) }))
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(payloads(seen), numbers(150))
      }).pipe(Effect.provide(run(layer)))
    }
  )

  it.effect("emits GapSuspected when more messages have one timetoken than history has on a page", () => {
    const { count, layer } = behind(
      (range) => range.slice(-100),
      undefined,
      numbers(250).map((n) => entry(n, at(1_000)))
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(payloads(seen), numbers(200, 150))
      assert.include(tags(seen), "GapSuspected")
      assert.isBelow(count("history"), 30)
    }).pipe(Effect.provide(run(layer)))
  })

  // --- times from the far future

  it.effect.each(["99999999999999999", "99999999999999998", at(86_400_000)])(
    "fills the gap, and resumes at the position of the service, after a full page with a message from %s",
    (future) => {
      const newest = numbers(99).map((n) => [`f${n}`, at(1_000 + n)] as const)
      const stored = [
        ...numbers(50).map((n) => entry(n, at(500 + n))),
        ...newest.map(([d, t]) => entry(d, t)),
        entry("future", future)
      ]
      const { layer } = service(({ kind, number, query }) => {
        switch (kind) {
          case "handshake":
            return page(at(0))
          case "poll":
            return number === 0
              ? page(at(2_000), ...newest.map(([d, t]) => message(d, t)), message("future", future))
              : number === 1
              ? page(at(3_000), message("next", at(2_500)))
              : "never"
          default: {
            const isAsked = ({ timetoken }: { readonly timetoken: unknown }) =>
              BigInt(String(timetoken)) >= BigInt(query.get("end") ?? 0) &&
              BigInt(String(timetoken)) < BigInt(query.get("start") ?? 0)
            return { channels: { a: stored.filter(isAsked).slice(-100) } }
          }
        }
      })
      return Effect.gen(function*() {
        const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
        yield* VirtualTime.advance("2 minutes")
        assert.deepStrictEqual(payloads(seen), [...numbers(50), ...newest.map(([d]) => d), "future", "next"])
        const last = seen.findLast((event) => event._tag === "Message")
        assert.strictEqual(last?.cursor.position, at(3_000))
      }).pipe(Effect.provide(run(layer)))
    }
  )

  it.effect("fills a gap long after a message from the far future", () => {
    // So many that the one from the far future was just forgotten.
    const bulk = 201
    const { layer } = service(({ kind, number, query }) => {
      switch (kind) {
        case "handshake":
          return page(at(0))
        case "poll": {
          if (number === 0) return page(at(1), message("future", farFuture))
          if (number <= bulk) {
            const first = (number - 1) * 60
            return page(
              at(number * 1_000),
              ...numbers(60, first).map((n) => message(n, at((number - 1) * 1_000 + 1 + n - first)))
            )
          }
          if (number > bulk + 1) return "never"
          const first = (bulk + 20) * 1_000
          return page(at(first + 200), ...numbers(100).map((n) => message(`f${n}`, at(first + 100 + n))))
        }
        case "history": {
          const first = (bulk + 20) * 1_000
          const stored = [
            ...numbers(50).map((n) => entry(`m${n}`, at(first + n))),
            ...numbers(100).map((n) => entry(`f${n}`, at(first + 100 + n)))
          ].filter(({ timetoken }) =>
            String(timetoken) >= (query.get("end") ?? "") && String(timetoken) < (query.get("start") ?? "")
          )
          return { channels: { a: stored.slice(-100) } }
        }
        default:
          return { channels: { a: 1 } }
      }
    })
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("2 minutes")
      const found = payloads(seen).filter((payload) => typeof payload === "string" && payload.startsWith("m"))
      assert.lengthOf(found, 50)
    }).pipe(Effect.provide(run(layer)))
  })

  it.effect.each([farFuture, at(120_000), at(3_600_000), at(20 * 3_600_000)])(
    "loses nothing, and says so, when one poll is answered with the position %s",
    (future) => {
      const all = numbers(30).map((n) => message(n, at(1_000 + n * 10_000)))
      const { layer } = service(({ kind, now, number, query }) => {
        if (kind !== "poll") return page(at(now()))
        if (number === 5) return page(future)
        const from = query.get("tt") ?? ""
        return from > at(now() + 1_000)
          ? "never"
          : page(at(now()), ...all.filter(({ p: { t } }) => t > from && t <= at(now())))
      }, "5 seconds")
      return Effect.gen(function*() {
        const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
        yield* VirtualTime.advance("6 minutes")
        assert.deepStrictEqual(payloads(seen), numbers(30))
        assert.deepStrictEqual(tags(seen).filter((tag) => tag !== "Message"), ["Connected", "CursorDoubted"])
      }).pipe(Effect.provide(run(layer)))
    }
  )

  it.effect("gets all in order when the position of a full page is doubted, and the times of its messages, too", () => {
    // The machine slept for two minutes by a clock that was set back meanwhile.
    const now = at(120_000)
    const all = numbers(118).map((n) => ({ n, t: at(119_000 + n) }))
    const { layer } = service(({ kind, number, query }) => {
      switch (kind) {
        case "handshake":
          return page(number === 0 ? at(0) : now)
        case "poll":
          return query.get("tt") === now ? "never" : page(now, ...all.slice(18).map(({ n, t }) => message(n, t)))
        case "history": {
          const [since, before] = [query.get("end") ?? "", query.get("start") ?? ""]
          const stored = all.filter(({ t }) => t >= since && t < before)
          return { channels: { a: stored.slice(-100).map(({ n, t }) => entry(n, t)) } }
        }
        default:
          return {}
      }
    })
    return Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(118))
      assert.deepStrictEqual(tags(seen).filter((tag) => tag !== "Message"), [
        "Connected",
        "CursorDoubted",
        "Interrupted",
        "Reconnected"
      ])
    }).pipe(Effect.provide(run(layer)))
  })

  // --- cursors that nobody wrote

  it.effect.each(
    [
      ["since", { since: farFuture, marks: "" }],
      ["sums", { since: at(-5_000), marks: "", sums: [[farFuture, -7, "\u0000"], ["1", 1e9, "AAAAA"]] as const }]
    ] as const
  )("delivers new messages from a cursor whose %s is in the far future", ([_, recent]) => {
    const { layer } = service(({ kind, number }) =>
      kind === "handshake"
        ? page(at(0))
        : kind === "poll"
        ? number === 0 ? page(at(1_000), message("one", at(500))) : "never"
        : { channels: { a: kind === "counts" ? 0 : [] } }
    )
    return Effect.gen(function*() {
      const { seen } = yield* collect(
        Subscribe.stream({ channels: ["a"], from: { position: at(-1_000), delivered: [], recent } })
      )
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(payloads(seen), ["one"])
    }).pipe(Effect.provide(run(layer)))
  })
})

describe("a reader that never pulls", () => {
  it.effect.each(
    [["Interrupted", isLong ? "2 hours" : "10 minutes"], ["Reconnected", "10 minutes"]] as const
  )("keeps fewer than 200 statuses while the service fails again and again, and ends with a true %s", ([tag, time]) => {
    const { layer } = service(
      ({ kind, number }) => kind === "poll" && number % 2 === 1 ? { status: 503, error: true } : page(at(0)),
      "1500 millis"
    )
    return Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { seen } = yield* collect(Stream.tap(Subscribe.stream({ channels: ["a"] }), () => Deferred.await(gate)))
      const statuses = yield* collect(Subscriber.statuses)
      yield* VirtualTime.advance(time)
      for (let turn = 0; turn < 500 && statuses.seen.at(-1)?._tag !== tag; turn++) {
        yield* VirtualTime.advance("10 millis")
      }
      yield* Deferred.succeed(gate, undefined)
      yield* VirtualTime.advance(1)
      assert.isBelow(seen.length, 200)
      assert.deepStrictEqual([seen.at(-1)?._tag, statuses.seen.at(-1)?._tag], [tag, tag])
    }).pipe(Effect.provide(Subscriber.layer().pipe(Layer.provideMerge(world(layer)))))
  })

  it("notes at most 10,000 channels of missed messages, and suspects a gap in others", () => {
    const missed = new Missed(undefined)
    for (let n = 0; n < 30_000; n++) {
      const channel = `x.${n}`
      const common = {
        channel,
        subscription: "x.*",
        timetoken: Timetoken.Timetoken.make(at(n)),
        cursor: { position: at(n), delivered: [] }
      }
      missed.add({ _tag: "Message", ...common, payload: n })
      missed.add({ _tag: "Signal", ...common, payload: n })
    }
    const held = [missed.channels, missed.more, missed.kinds, missed.messages, missed.losses].map(({ size }) => size)
    assert.isBelow(Math.max(...held), 10_001)
    assert.include(missed.gaps().map(({ _tag }) => _tag), "GapSuspected")
  })

  it.effect("receives GapSuspected for dropped envelopes that cannot be decoded", () => {
    const { layer } = service(({ kind, number }) =>
      kind === "poll"
        ? number > 4
          ? "never"
          : page(at(1_000 * (number + 1)), ...numbers(5).map((n) => message(n, at(number * 1_000 + n + 1))), { c: 7 })
        : page(at(0))
    )
    return Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const { seen } = yield* collect(
        Stream.tap(Subscribe.stream({ channels: ["a"], capacity: 2, strategy: "dropping" }), () => Deferred.await(gate))
      )
      yield* VirtualTime.advance("10 seconds")
      yield* Deferred.succeed(gate, undefined)
      yield* VirtualTime.advance("10 seconds")
      assert.include(tags(seen), "GapSuspected")
    }).pipe(Effect.provide(Subscriber.layer().pipe(Layer.provideMerge(world(layer)))))
  })
})
