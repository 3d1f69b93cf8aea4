/** A bot that always hears: two readers, gateways, slow lines, logins that fail, and feeds that are gone. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { Datafeed, type DatafeedEvent } from "effect-herald/symphony"
import { Faults, VirtualTime } from "effect-herald/testing"
import { failNext, type Failure } from "../kit/failNext.ts"
import { emulator, feeds, listen, pending, requestsTo, room, say, shown, until, withBot } from "./feedKit.ts"

const { Fault } = Faults

const add = (rule: Faults.Rule) => Faults.Faults.use((faults) => faults.add(rule))

const isRead = ({ url }: HttpClientRequest.HttpClientRequest) => url.endsWith("/read")
const reads: Faults.Rule["on"] = isRead
const isFeeds = ({ url }: HttpClientRequest.HttpClientRequest) => url.endsWith("/datafeeds")
const lists: Faults.Rule["on"] = ({ method, url }) => method === "GET" && url.includes("/datafeeds")
const creations: Faults.Rule["on"] = ({ method, url }) => method === "POST" && url.endsWith("/datafeeds")

const html = "<html><body><h1>400 Bad Request</h1><hr>nginx</body></html>"
const forever = Number.POSITIVE_INFINITY

/** Everything that a reader is told, whole, and when. */
const heard = (options?: Datafeed.Options) =>
  Effect.gen(function*() {
    const told: Array<{ readonly at: number; readonly event: DatafeedEvent.DatafeedEvent }> = []
    const start = yield* Effect.clockWith(({ currentTimeMillis }) => currentTimeMillis)
    const fiber = yield* Datafeed.stream(options).pipe(
      Stream.runForEach((event) =>
        Effect.clockWith(({ currentTimeMillis }) =>
          Effect.map(currentTimeMillis, (now) => told.push({ at: now - start, event }))
        )
      ),
      Effect.forkChild({ startImmediately: true })
    )
    return {
      fiber,
      tags: () => told.map(({ event }) => shown(event)),
      at: (tag: string) => told.filter(({ event }) => event._tag === tag).map(({ at }) => at),
      told: () => told.map(({ event }) => event)
    }
  })

/** A bot that counts what it handles. */
const worker = (handled: Array<string>, seconds: number, notices: Array<string> = []) =>
  Datafeed.consume((event) => Effect.delay(Effect.sync(() => handled.push(shown(event))), `${seconds} seconds`), {
    tag: "t",
    onStatus: ({ _tag }) => Effect.sync(() => notices.push(_tag))
  }).pipe(Effect.forkChild({ startImmediately: true }))

const noFeedIsDeleted = Effect.gen(function*() {
  assert.lengthOf(yield* requestsTo("DELETE"), 0)
})

const range = (count: number) => Array.from({ length: count }, (_, index) => String(index))

describe("two readers of one feed", () => {
  it.effect("lose nothing, and emit FeedShared", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const handled: Array<string> = []
      const notices: Array<string> = []
      yield* worker(handled, 5, notices)
      yield* VirtualTime.advance("1 second")
      yield* worker(handled, 4, notices)
      yield* VirtualTime.advance("1 second")
      for (const text of range(200)) {
        yield* say(streamId, text)
        yield* VirtualTime.advance("1 second")
      }
      yield* VirtualTime.advance("30 minutes")
      assert.sameMembers([...new Set(handled)], range(200))
      assert.deepStrictEqual(yield* pending, [0])
      assert.include(notices, "FeedShared")
      assert.notInclude(notices, "FeedRecreated")
      yield* noFeedIsDeleted
    }).pipe(Effect.provide(withBot())), 60_000)

  it.effect("lose nothing and emit FeedShared when deploys overlap for a minute", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const handled: Array<string> = []
      const notices: Array<string> = []
      let old = yield* worker(handled, 3, notices)
      yield* VirtualTime.advance("1 second")
      let number = 0
      for (let deploy = 0; deploy < 4; deploy++) {
        const next = yield* worker(handled, deploy % 2 === 0 ? 1 : 3, notices)
        for (let second = 0; second < 60; second++) {
          yield* say(streamId, String(number++))
          yield* VirtualTime.advance("1 second")
        }
        yield* Effect.forkChild(Fiber.interrupt(old), { startImmediately: true })
        yield* VirtualTime.advance("10 seconds")
        old = next
      }
      yield* VirtualTime.advance("3 minutes")
      assert.sameMembers([...new Set(handled)], range(number))
      // What was in hand at each change may come twice.
      assert.isAtMost(handled.length - number, number / 4)
      assert.lengthOf(yield* feeds, 1)
      assert.include(notices, "FeedShared")
      assert.notInclude(notices, "FeedRecreated")
      assert.deepStrictEqual(yield* pending, [0])
      yield* noFeedIsDeleted
    }).pipe(Effect.provide(withBot())))

  it.effect("emit no FeedShared when there is only one", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { tags } = yield* heard()
      yield* VirtualTime.advance("1 second")
      for (const text of range(20)) {
        yield* say(streamId, text)
        yield* VirtualTime.advance("3 seconds")
      }
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(tags(), ["FeedConnected", ...range(20)])
    }).pipe(Effect.provide(withBot())))

  it.effect("read the same feed when they start at the same moment", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      // Each sees that there is none, before the other has made one.
      yield* add({ on: lists, fault: Fault.Slow({ by: "100 millis" }), times: 2 })
      const one = yield* heard({ tag: "t" })
      const other = yield* heard({ tag: "t" })
      yield* VirtualTime.advance("2 seconds")
      assert.lengthOf(yield* feeds, 2)
      for (const text of range(20)) {
        yield* say(streamId, text)
        yield* VirtualTime.advance("3 seconds")
      }
      yield* VirtualTime.advance("3 minutes")
      const texts = [...one.tags(), ...other.tags()].filter((tag) => !tag.startsWith("Feed"))
      assert.sameMembers([...new Set(texts)], range(20))
      assert.isAtMost(texts.length, 25)
      // The other feed holds what nobody reads, and the service forgets it.
      assert.strictEqual((yield* pending)[1], 20)
      yield* VirtualTime.advance("40 minutes")
      assert.lengthOf(yield* feeds, 1)
      yield* noFeedIsDeleted
    }).pipe(Effect.provide(withBot())))
})

describe("a read that is refused", () => {
  it.effect.each<readonly [string, Omit<Failure, "on">]>([
    ["a gateway's 400", { status: 400, body: html }],
    ["a gateway's 400 for a while", { status: 400, body: html, times: 5 }],
    ["a balancer's page with 404", { status: 404, body: html }],
    ["nothing with 400", { status: 400, body: "" }],
    ["a balancer's 404", { status: 404, body: html }],
    ["a balancer's 404 for a while", { status: 404, body: html, times: 5 }],
    ["another gateway's 404", { status: 404, body: "{\"message\":\"no Route matched\"}" }],
    ["the service's own 400", { status: 400 }],
    ["the service's own 400, twice", { status: 400, times: 2 }],
    ["the service's own 404", { status: 404 }]
  ])("does not lose events or delete the feed: %s", ([, failure]) =>
    Effect.gen(function*() {
      const streamId = yield* room
      const first = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* Effect.forkChild(Fiber.interrupt(first.fiber), { startImmediately: true })
      yield* VirtualTime.advance("1 second")
      for (const text of range(40)) yield* say(streamId, text)
      yield* failNext({ on: isRead, ...failure })
      const { tags } = yield* heard()
      yield* VirtualTime.advance("2 minutes")
      assert.sameMembers(tags().filter((tag) => !tag.startsWith("Feed")), range(40))
      assert.notInclude(tags(), "FeedRecreated")
      assert.lengthOf(yield* feeds, 1)
      assert.deepStrictEqual(yield* pending, [0])
      yield* noFeedIsDeleted
    }).pipe(Effect.provide(withBot())))
})

describe("a feed that cannot be read any more", () => {
  const drop = Effect.flatMap(
    feeds,
    ([feed]) => emulator.use(({ dropFeed }) => dropFeed({ feedId: feed?.feedId ?? "" }))
  )

  it.effect("is replaced by one that another reader created meanwhile", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const one = yield* heard({ tag: "t" })
      yield* VirtualTime.advance("1 second")
      const other = yield* heard({ tag: "t" })
      yield* VirtualTime.advance("1 second")
      yield* drop
      yield* VirtualTime.advance("5 seconds")
      for (const text of range(10)) {
        yield* say(streamId, text)
        yield* VirtualTime.advance("2 seconds")
      }
      yield* VirtualTime.advance("2 minutes")
      for (const { tags } of [one, other]) assert.include(tags(), "FeedRecreated")
      const texts = [...one.tags(), ...other.tags()].filter((tag) => !tag.startsWith("Feed"))
      assert.sameMembers([...new Set(texts)], range(10))
      yield* noFeedIsDeleted
    }).pipe(Effect.provide(withBot())))

  it.effect("is replaced on schedule, with FeedInterrupted, while lists and creations fail", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { at, tags, told } = yield* heard()
      yield* VirtualTime.advance("1 second")
      yield* add({ on: lists, fault: Fault.ServerError({ status: 503, handled: false }), times: 3 })
      yield* add({ on: creations, fault: Fault.ConnectionRefused(), times: 3 })
      yield* drop
      yield* VirtualTime.advance("5 minutes")
      yield* say(streamId, "again")
      yield* VirtualTime.advance("1 second")
      assert.lengthOf(at("FeedInterrupted"), 6)
      assert.deepStrictEqual(
        told().flatMap((event) => event._tag === "FeedInterrupted" ? [event.attempt] : []),
        [1, 2, 3, 4, 5, 6]
      )
      assert.deepStrictEqual(tags().slice(-3), ["FeedRecreated", "FeedReconnected", "again"])
    }).pipe(Effect.provide(withBot())))

  it.effect.each(["listed", "created"])(
    "is replaced although the service refuses for a while that another is %s",
    (step) =>
      Effect.gen(function*() {
        const streamId = yield* room
        const { at, fiber, tags } = yield* heard()
        yield* VirtualTime.advance("1 second")
        const method = step === "listed" ? "GET" : "POST"
        yield* failNext({ on: (request) => request.method === method && isFeeds(request), status: 400, times: 3 })
        yield* drop
        yield* VirtualTime.advance("5 minutes")
        yield* say(streamId, "again")
        yield* VirtualTime.advance("1 second")
        assert.isUndefined(fiber.pollUnsafe())
        assert.lengthOf(at("FeedInterrupted"), 3)
        assert.deepStrictEqual(tags().slice(-3), ["FeedRecreated", "FeedReconnected", "again"])
      }).pipe(Effect.provide(withBot()))
  )

  it.effect("is left for a new one after some refusals, although it is still listed", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { tags } = yield* heard()
      yield* VirtualTime.advance("1 second")
      const [old] = yield* feeds
      yield* failNext({
        on: (request) => isRead(request) && request.url.includes(old?.feedId ?? ""),
        status: 400,
        times: forever
      })
      yield* emulator.use(({ restart }) => restart)
      yield* VirtualTime.advance("10 minutes")
      yield* say(streamId, "again")
      yield* VirtualTime.advance("1 second")
      assert.include(tags(), "FeedInterrupted")
      assert.deepStrictEqual(tags().slice(-3), ["FeedRecreated", "FeedReconnected", "again"])
      assert.lengthOf(yield* feeds, 2)
      yield* noFeedIsDeleted
    }).pipe(Effect.provide(withBot())))

  it.effect("ends the reader when the schedule ends", () =>
    Effect.gen(function*() {
      const { at, fiber } = yield* heard()
      yield* VirtualTime.advance("1 second")
      yield* failNext({ on: isRead, status: 400, times: forever })
      yield* add({ on: creations, fault: Fault.ConnectionRefused(), times: forever })
      yield* emulator.use(({ restart }) => restart)
      yield* VirtualTime.advance("1 hour")
      assert.lengthOf(at("FeedInterrupted"), 3)
      assert.isDefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(withBot({ config: { reconnect: Schedule.recurs(3) } }))))
})

describe("reads without an answer", () => {
  it.effect("emit FeedInterrupted after two of them, and repeatedly, when the list answers", () =>
    Effect.gen(function*() {
      yield* add({ on: reads, fault: Fault.HalfOpen(), times: forever })
      const { at, tags } = yield* heard()
      yield* VirtualTime.advance("125 seconds")
      assert.deepStrictEqual(tags(), ["FeedConnected", "FeedInterrupted"])
      yield* VirtualTime.advance("3 hours")
      assert.isAbove(at("FeedInterrupted").length, 100)
      assert.notInclude(tags(), "FeedReconnected")
    }).pipe(Effect.provide(withBot())))

  it.effect("of 65 seconds emit FeedInterrupted, and their events come when reads are faster", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* add({ on: reads, fault: Fault.Slow({ by: "65 seconds" }), lasting: "10 minutes" })
      const { tags } = yield* heard()
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "one")
      yield* VirtualTime.advance("135 seconds")
      assert.include(tags(), "FeedInterrupted")
      yield* VirtualTime.advance("15 minutes")
      assert.deepStrictEqual(tags().filter((tag) => tag !== "FeedInterrupted"), [
        "FeedConnected",
        "FeedReconnected",
        "one"
      ])
    }).pipe(Effect.provide(withBot())))

  it.effect("are those above readTimeout, whatever requestTimeout is", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      yield* add({ on: reads, fault: Fault.Slow({ by: "65 seconds" }), times: forever })
      const patient = yield* heard({ tag: "patient", readTimeout: "100 seconds" })
      const other = yield* heard({ tag: "other" })
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "one")
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(patient.tags(), ["FeedConnected", "one"])
      assert.include(other.tags(), "FeedInterrupted")
    }).pipe(Effect.provide(withBot({ config: { requestTimeout: "10 minutes" } }))))

  it.effect.each<readonly [Duration.Input]>([[0], ["-1 seconds"], [Number.NaN]])(
    "cannot be allowed for %s",
    ([readTimeout]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Stream.runDrain(Datafeed.stream({ readTimeout })))
        assert(error.reason._tag === "BadRequest")
        assert.deepStrictEqual(error.reason.details.map(({ location }) => location), ["readTimeout"])
      }).pipe(Effect.provide(withBot()))
  )
})

describe("consecutive failures of a feed", () => {
  const empty: Omit<Failure, "on"> = { status: 200, body: { events: [], ackId: "" } }

  it.effect("are not ended by empty answers, and end the reader after ten", () =>
    Effect.gen(function*() {
      let count = 0
      yield* failNext({ on: (request) => isRead(request) && count++ % 3 < 2, times: forever, ...empty })
      yield* failNext({ on: isRead, status: 503, times: forever })
      const { at, fiber, told } = yield* heard()
      yield* VirtualTime.advance("2 hours")
      assert.isDefined(fiber.pollUnsafe())
      assert.isBelow(at("FeedInterrupted").length, 12)
      const attempts = told().flatMap((event) => event._tag === "FeedInterrupted" ? [event.attempt] : [])
      assert.strictEqual(attempts.at(-1), 9)
      assert.isBelow((yield* requestsTo("/read")).length, 60)
    }).pipe(Effect.provide(withBot({ config: { reconnect: { maxAttempts: 10 } } }))))

  it.effect("are over within 30 seconds after an outage of five minutes", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { at, tags } = yield* heard()
      yield* VirtualTime.advance("1 second")
      yield* add({ fault: Fault.ConnectionRefused(), lasting: "5 minutes" })
      yield* emulator.use(({ restart }) => restart)
      yield* VirtualTime.advance("1 minute")
      yield* say(streamId, "in the dark")
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(tags().slice(-2), ["FeedReconnected", "in the dark"])
      assert.isAtMost(at("FeedReconnected")[0] ?? forever, 301_000 + 30_000)
    }).pipe(Effect.provide(withBot())))

  it.effect("of an hour of 503 emit FeedReconnected once", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { at, tags, told } = yield* heard()
      yield* VirtualTime.advance("1 second")
      yield* add({ on: reads, fault: Fault.ServerError({ status: 503, handled: false }), lasting: "1 hour" })
      yield* emulator.use(({ restart }) => restart)
      yield* VirtualTime.advance("65 minutes")
      yield* say(streamId, "heard")
      yield* VirtualTime.advance("1 second")
      assert.lengthOf(at("FeedReconnected"), 1)
      assert.isAbove(at("FeedInterrupted").length, 100)
      assert.strictEqual(tags().at(-1), "heard")
      const downFor = told().flatMap((event) =>
        event._tag === "FeedReconnected" ? [Duration.toMinutes(event.downFor)] : []
      )
      assert.isTrue((downFor[0] ?? 0) > 59 && (downFor[0] ?? 0) < 62)
    }).pipe(Effect.provide(withBot())))
})

describe("the first feed", () => {
  it.effect("ends the reader when the service refuses to create it", () =>
    Effect.gen(function*() {
      yield* failNext({ on: (request) => request.method === "POST" && isFeeds(request), status: 400 })
      const { fiber } = yield* heard()
      yield* VirtualTime.advance("1 second")
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.deepStrictEqual([error.operation, error.reason._tag], ["Datafeed.create", "BadRequest"])
    }).pipe(Effect.provide(withBot())))
})

describe("a login that fails while a feed is read", () => {
  const startsOver = emulator.use(({ expireSessions }) => expireSessions())

  it.effect.each<readonly [string, Omit<Failure, "on">]>([
    ["503", { status: 503 }],
    ["a gateway's 302", { status: 302, body: html }],
    ["a gateway's 401", { status: 401, body: html }],
    ["a gateway's 403", { status: 403, body: html }],
    ["a gateway's 404", { status: 404, body: html }],
    ["a gateway's 200", { status: 200, body: html }],
    ["429", { status: 429 }],
    ["nothing with 401", { status: 401, body: "" }]
  ])(
    "with %s emits FeedInterrupted within a second, and the reader recovers",
    ([, failure]) =>
      Effect.gen(function*() {
        const streamId = yield* room
        const { at, fiber, tags } = yield* heard()
        yield* VirtualTime.advance("1 second")
        yield* failNext({ on: "login", times: 6, ...failure })
        yield* startsOver
        yield* say(streamId, "one")
        yield* until(Effect.sync(() => at("FeedInterrupted").length > 0))
        assert.isAtMost(at("FeedInterrupted")[0] ?? forever, 2_000)
        yield* until(Effect.as(VirtualTime.advance("200 millis"), at("FeedInterrupted").length > 2))
        yield* say(streamId, "two")
        yield* until(Effect.as(VirtualTime.advance("200 millis"), tags().includes("two")))
        assert.deepStrictEqual(tags().filter((tag) => !tag.startsWith("Feed")), ["one", "two"])
        assert.isUndefined(fiber.pollUnsafe())
        assert.lengthOf(at("FeedReconnected"), 1)
      }).pipe(Effect.provide(withBot()))
  )

  it.effect("emits FeedInterrupted within a second at the start, also when another reader waits for it", () =>
    Effect.gen(function*() {
      yield* startsOver
      yield* failNext({ on: "login", status: 503, times: 10 })
      const waiting = yield* Effect.forkChild(Stream.runHead(Datafeed.stream({ tag: "waits" })))
      const { at, tags } = yield* heard()
      yield* until(Effect.sync(() => at("FeedInterrupted").length > 0))
      assert.isAtMost(at("FeedInterrupted")[0] ?? forever, 1_000)
      // With the longest waits that jitter gives, ten attempts take more than 200 seconds.
      yield* until(Effect.as(VirtualTime.advance("1 second"), tags().includes("FeedConnected")))
      assert.deepStrictEqual(tags().filter((tag) => tag !== "FeedInterrupted"), ["FeedConnected"])
      yield* Fiber.interrupt(waiting)
    }).pipe(Effect.provide(withBot())))

  it.effect("with the service's own 401 ends the reader", () =>
    Effect.gen(function*() {
      const { fiber } = yield* heard()
      yield* VirtualTime.advance("1 second")
      yield* failNext({ on: "login", status: 401, times: forever })
      yield* startsOver
      yield* emulator.use(({ restart }) => restart)
      yield* until(Effect.as(VirtualTime.advance("1 second"), fiber.pollUnsafe() !== undefined))
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.deepStrictEqual([error.operation, error.reason._tag], ["Session.login", "Unauthorized"])
    }).pipe(Effect.provide(withBot())))
})

describe("the orderly stop of a feed", () => {
  it.effect("acknowledges pages that were committed since the last read", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      for (const text of range(3)) yield* say(streamId, text)
      const first = yield* heard()
      yield* VirtualTime.advance("1 second")
      for (const text of range(3)) yield* say(streamId, text)
      const pages = yield* Datafeed.pages({ tag: "t" }).pipe(
        Stream.mapEffect((page) => Effect.andThen(Effect.sleep("10 seconds"), page.commit), { concurrency: 4 }),
        Stream.take(2),
        Stream.runDrain,
        Effect.forkChild({ startImmediately: true })
      )
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 minute")
      yield* Fiber.join(pages)
      assert.deepStrictEqual((yield* feeds).map(({ pending, tag }) => [tag, pending]), [[undefined, 0], ["t", 0]])
      yield* Fiber.interrupt(first.fiber)
    }).pipe(Effect.provide(withBot())))

  it.effect("takes at most a second when the network is dead", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const fiber = yield* Datafeed.pages().pipe(
        Stream.tap(({ commit }) => commit),
        Stream.filter(({ items: events }) => events.some(({ _tag }) => _tag === "MessageSent")),
        Stream.runForEach(() => Effect.never),
        Effect.forkChild({ startImmediately: true })
      )
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      yield* add({ fault: Fault.HalfOpen(), times: forever })
      const end = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* VirtualTime.advance("1 second")
      assert.isDefined(end.pollUnsafe())
    }).pipe(Effect.provide(withBot())))

  it.effect("needs no time to pass", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const fiber = yield* Datafeed.pages().pipe(
        Stream.tap(({ commit }) => commit),
        Stream.filter(({ items: events }) => events.some(({ _tag }) => _tag === "MessageSent")),
        Stream.runForEach(() => Effect.never),
        Effect.forkChild({ startImmediately: true })
      )
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* pending, [0])
    }).pipe(Effect.provide(withBot())))
})
