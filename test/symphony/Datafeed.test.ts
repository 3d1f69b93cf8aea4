import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Datafeed, DatafeedEvent, type SymphonyError } from "effect-herald/symphony"
import { Faults, type SymphonyEmulator, VirtualTime } from "effect-herald/testing"
import { failNext } from "../kit/failNext.ts"
import { adaId } from "../testing/symphonyHttp.ts"
import { emulator, feeds, listen, pending, requestsTo, room, say, shown, until, withBot } from "./feedKit.ts"

const { Fault } = Faults

const add = (rule: Faults.Rule) => Faults.Faults.use((faults) => faults.add(rule))

const emit = (options: SymphonyEmulator.EmitOptions) => emulator.use((emulator) => emulator.emit(options))

/** Reads only: lists and changes of feeds are requests of the same kind. */
const reads: Faults.Rule["on"] = ({ url }) => url.endsWith("/read")

/** The failure that a fiber ended with. */
const failureOf = <E>(fiber: Fiber.Fiber<unknown, E>) => Effect.map(Effect.flip(Fiber.join(fiber)), (error) => error)

const reasonOf = (fiber: Fiber.Fiber<unknown, SymphonyError.SymphonyError>) =>
  Effect.map(failureOf(fiber), ({ operation, reason }) => [operation, reason._tag])

/** Everything that a reader is told, whole. */
const heard = (options?: Datafeed.Options) =>
  Effect.gen(function*() {
    const events: Array<DatafeedEvent.DatafeedEvent> = []
    const fiber = yield* Datafeed.stream(options).pipe(
      Stream.runForEach((event) => Effect.sync(() => events.push(event))),
      Effect.forkChild({ startImmediately: true })
    )
    yield* VirtualTime.advance("1 second")
    return { events, fiber }
  })

describe("the feed of a bot", () => {
  it.effect("is created when there is none, and delivers events", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { events } = yield* heard()
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "two")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(events.map(shown), ["FeedConnected", "one", "two"])
      const [connected, one] = events
      assert.deepInclude(connected, { created: true, feedId: (yield* feeds)[0]!.feedId })
      assert(one?._tag === "MessageSent")
      assert.strictEqual(one.message.stream?.streamId, streamId)
      assert.strictEqual(one.initiator?.displayName, "Ada Byron")
      assert.strictEqual(one.message.messageId, one.messageId)
    }).pipe(Effect.provide(withBot())))

  it.effect("is reused when there is one, and delivers what came meanwhile", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const first = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* Fiber.interrupt(first.fiber)
      yield* say(streamId, "meanwhile")
      const { events } = yield* heard()
      assert.deepStrictEqual(events.map(shown), ["FeedConnected", "meanwhile"])
      assert.deepInclude(events[0], { created: false })
      assert.strictEqual((yield* feeds).length, 1)
      assert.strictEqual((yield* requestsTo("DELETE")).length, 0)
    }).pipe(Effect.provide(withBot())))

  it.effect("is found, and not created again, when the answer to its creation was lost", () =>
    Effect.gen(function*() {
      yield* add({
        on: ({ method, url }) => method === "POST" && url.endsWith("/datafeeds"),
        fault: Fault.ResetBeforeAnswer()
      })
      const { events } = yield* heard()
      assert.deepStrictEqual(events.map(shown), ["FeedInterrupted", "FeedConnected"])
      assert.deepInclude(events[1], { created: true })
      assert.strictEqual((yield* feeds).length, 1)
    }).pipe(Effect.provide(withBot())))

  it.effect("is another for each tag", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const [one, two] = [yield* listen({ tag: "my one" }), yield* listen({ tag: "two", include: ["invisible"] })]
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "Hi")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual([one.told, two.told], [["FeedConnected", "Hi"], ["FeedConnected", "Hi"]])
      assert.deepStrictEqual((yield* feeds).map(({ tag }) => tag), ["my one", "two"])
      yield* Fiber.interrupt(one.fiber)
      const again = yield* listen({ tag: "my one" })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(again.told, ["FeedConnected"])
      assert.strictEqual((yield* feeds).length, 2)
    }).pipe(Effect.provide(withBot())))

  it.effect.each([
    { id: "abc_f", type: "fanout" },
    { id: "abc_f", type: "FANOUT" },
    { id: "abc_f" },
    { id: "abc_f", type: null },
    { id: "abc_f", type: "" },
    { id: "abc_f_my_tag" },
    { id: "abc_f_my tag" },
    { id: "abc_f_ " },
    { id: "abc_f_\u00e4\n" },
    { id: "no pattern at all", type: "Fanout" }
  ])("is recognised as %j, and no other is created", (feed) =>
    Effect.gen(function*() {
      yield* failNext({ on: "datafeed", status: 200, body: [{ id: "def_p_1" }, { id: "x", type: "datahose" }, feed] })
      const { events } = yield* heard({ include: ["own"] })
      assert.deepInclude(events[0], { _tag: "FeedConnected", feedId: feed.id, created: false })
    }).pipe(Effect.provide(withBot())))

  it.effect("is found among invalid entries, and created when the list is empty", () =>
    Effect.gen(function*() {
      yield* failNext({ on: "datafeed", status: 200, body: [null, {}, { id: null, type: "fanout" }, { id: "abc_f" }] })
      const found = yield* heard({ include: ["own"] })
      assert.deepInclude(found.events[0], { _tag: "FeedConnected", feedId: "abc_f", created: false })
      yield* Fiber.interrupt(found.fiber)
      yield* failNext({ on: "datafeed", status: 204, body: "" })
      const made = yield* heard({ include: ["own"] })
      assert.deepInclude(made.events[0], { _tag: "FeedConnected", created: true })
    }).pipe(Effect.provide(withBot())))

  it.effect.each(["my_tag", "my tag", " a", "a_f_b", "ä/ö?%"])(
    "of the tag %j is found at the next start",
    (tag) =>
      Effect.gen(function*() {
        for (let start = 0; start < 3; start++) {
          const { fiber } = yield* listen({ tag })
          yield* VirtualTime.advance("1 second")
          yield* Fiber.interrupt(fiber)
        }
        assert.strictEqual((yield* feeds).length, 1)
      }).pipe(Effect.provide(withBot()))
  )

  it.effect("is refused before a request when its tag is invalid", () =>
    Effect.gen(function*() {
      for (const tag of [" ", "x".repeat(101), "a\ud800"]) {
        const error = yield* Effect.flip(Stream.runDrain(Datafeed.stream({ tag })))
        assert(error.reason._tag === "BadRequest")
        assert.strictEqual(error.reason.details[0]?.location, "tag")
      }
      assert.strictEqual((yield* requestsTo("datafeeds")).length, 0)
    }).pipe(Effect.provide(withBot())))

  it.effect("ends the stream with AccessDenied when the bot has 20 feeds already", () =>
    Effect.gen(function*() {
      for (let index = 0; index < 20; index++) {
        const { fiber } = yield* listen({ tag: `t${index}` })
        yield* VirtualTime.advance("1 second")
        yield* Fiber.interrupt(fiber)
      }
      const { fiber } = yield* listen({ tag: "one more" })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(yield* reasonOf(fiber), ["Datafeed.create", "AccessDenied"])
    }).pipe(Effect.provide(withBot())))

  it.effect("is kept at the end, or deleted with deleteOnEnd, and its read is aborted", () =>
    Effect.gen(function*() {
      const kept = yield* listen()
      yield* VirtualTime.advance("1 second")
      const { readers } = yield* emulator
      assert.strictEqual(yield* readers, 1)
      yield* Fiber.interrupt(kept.fiber)
      assert.strictEqual(yield* readers, 0)
      assert.strictEqual((yield* feeds).length, 1)
      const deleted = yield* listen({ deleteOnEnd: true })
      yield* VirtualTime.advance("1 second")
      const end = yield* Effect.forkChild(Fiber.interrupt(deleted.fiber), { startImmediately: true })
      yield* VirtualTime.advance("1 second")
      yield* Fiber.join(end)
      assert.strictEqual((yield* feeds).length, 0)
    }).pipe(Effect.provide(withBot())))

  it.effect("does not delay the end with deleteOnEnd when the network is dead", () =>
    Effect.gen(function*() {
      const { fiber } = yield* listen({ deleteOnEnd: true })
      yield* VirtualTime.advance("1 second")
      yield* add({ fault: Fault.HalfOpen(), lasting: "1 hour" })
      const end = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* VirtualTime.advance("1 second")
      assert.isDefined(end.pollUnsafe())
    }).pipe(Effect.provide(withBot())))
})

describe("acknowledgements", () => {
  it.effect("are sent when the next page is pulled", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const fiber = yield* Datafeed.stream().pipe(
        Stream.runForEach((event) => event._tag === "MessageSent" ? Effect.sleep("10 seconds") : Effect.void),
        Effect.forkChild({ startImmediately: true })
      )
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "one")
      yield* VirtualTime.advance("9 seconds")
      assert.deepStrictEqual(yield* pending, [1])
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(yield* pending, [0])
      assert.isUndefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(withBot())))

  it.effect("are sent only after the handler, so that a crash loses nothing", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const handled: Array<string> = []
      const consume = Datafeed.consume((event) => {
        handled.push(shown(event))
        return shown(event) === "two" ? Effect.fail("crash" as const) : Effect.void
      }).pipe(Effect.forkChild({ startImmediately: true }))
      const first = yield* consume
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "two")
      yield* say(streamId, "three")
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* failureOf(first), "crash")
      assert.deepStrictEqual(handled, ["one", "two"])
      const { told } = yield* listen()
      yield* VirtualTime.advance("31 seconds")
      assert.deepStrictEqual(told.toSorted(), ["FeedConnected", "three", "two"])
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(told.length, 3)
      assert.deepStrictEqual(yield* pending, [0])
    }).pipe(Effect.provide(withBot())))

  it.effect("do not let the service repeat events to a handler that takes 100 seconds", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const handled: Array<string> = []
      const fiber = yield* Datafeed.consume((event) =>
        Effect.andThen(Effect.sleep("100 seconds"), Effect.sync(() => handled.push(shown(event))))
      ).pipe(Effect.forkChild({ startImmediately: true }))
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "slow")
      yield* VirtualTime.advance("5 minutes")
      assert.deepStrictEqual(handled, ["slow"])
      assert.deepStrictEqual(yield* pending, [0])
      assert.isUndefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(withBot())))

  it.effect("follow the order of pages, and open pages are not delivered again", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const pages: Array<Datafeed.Page> = []
      const fiber = yield* Datafeed.pages().pipe(
        Stream.runForEach((page) => Effect.sync(() => pages.push(page))),
        Effect.forkChild({ startImmediately: true })
      )
      yield* VirtualTime.advance("1 second")
      for (const text of ["one", "two", "three"]) {
        yield* say(streamId, text)
        yield* VirtualTime.advance("1 second")
      }
      // All three come again to the same reader, who has them.
      yield* VirtualTime.advance("100 seconds")
      assert.deepStrictEqual(pages.map(({ items: events }) => events.map(shown)), [
        ["FeedConnected"],
        ["one"],
        ["two"],
        [
          "three"
        ]
      ])
      assert.deepStrictEqual(yield* pending, [3])
      const [, one, two, three] = pages
      assert(one !== undefined && two !== undefined && three !== undefined)
      yield* three.commit
      yield* two.commit
      yield* VirtualTime.advance("100 seconds")
      assert.deepStrictEqual(yield* pending, [3], "nothing passes the first page, which is open")
      yield* one.commit
      yield* one.commit
      yield* VirtualTime.advance("3 minutes")
      assert.deepStrictEqual(yield* pending, [0])
      assert.strictEqual(pages.length, 4)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(withBot())))

  it.effect("leave nothing pending when a reader with concurrency 4 catches up", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const handled: Array<string> = []
      const fiber = yield* Datafeed.consumePages(
        (events) => Effect.andThen(Effect.sleep("3 seconds"), Effect.sync(() => handled.push(...events.map(shown)))),
        { concurrency: 4 }
      ).pipe(Effect.forkChild({ startImmediately: true }))
      yield* VirtualTime.advance("1 second")
      const said = Array.from({ length: 20 }, (_, index) => String(index))
      for (const text of said) {
        yield* say(streamId, text)
        yield* VirtualTime.advance("1 second")
      }
      assert.isAtMost((yield* pending)[0]!, 5)
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(yield* pending, [0])
      assert.deepStrictEqual(handled, said)
      assert.isUndefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(withBot())))

  it.effect("are repeated after a lost answer, and its events come half a minute later", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { told } = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* add({ on: reads, fault: Fault.ResetBeforeAnswer() })
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "two")
      yield* VirtualTime.advance("40 seconds")
      assert.deepStrictEqual(told, ["FeedConnected", "one", "FeedInterrupted", "FeedReconnected", "two"])
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* pending, [0])
    }).pipe(Effect.provide(withBot())))
})

describe("failures of the datafeed", () => {
  it.effect("create a new feed, and emit FeedRecreated, when the feed is gone", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { events } = yield* heard()
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      const [old] = yield* feeds
      yield* emulator.use(({ dropFeed }) => dropFeed({ feedId: old?.feedId ?? "" }))
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "two")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(events.map(shown), ["FeedConnected", "one", "FeedRecreated", "two"])
      const [recreated] = events.filter((event) => event._tag === "FeedRecreated")
      assert.deepInclude(recreated, { previousFeedId: old!.feedId, feedId: (yield* feeds)[0]!.feedId })
      assert.isDefined(recreated?.lastReadAt)
      assert.strictEqual(recreated?.reason._tag, "BadRequest")
      assert.strictEqual((yield* requestsTo("DELETE")).length, 0)
      assert.deepStrictEqual(yield* pending, [0])
    }).pipe(Effect.provide(withBot())))

  it.effect("let pages of the old feed be handled, and ignore their commits", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const pages: Array<Datafeed.Page> = []
      yield* Datafeed.pages().pipe(
        Stream.runForEach((page) => Effect.sync(() => pages.push(page))),
        Effect.forkChild({ startImmediately: true })
      )
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "old")
      yield* VirtualTime.advance("1 second")
      yield* emulator.use(({ dropFeed }) => Effect.flatMap(feeds, ([old]) => dropFeed({ feedId: old?.feedId ?? "" })))
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "new")
      yield* VirtualTime.advance("1 second")
      const [, old, recreated, fresh] = pages
      assert(old !== undefined && fresh !== undefined)
      assert.deepStrictEqual(recreated?.items.map(shown), ["FeedRecreated"])
      yield* fresh.commit
      yield* old.commit
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* pending, [0])
      assert.strictEqual(pages.length, 4)
    }).pipe(Effect.provide(withBot())))

  it.effect("follow the reconnect schedule when feeds are gone repeatedly", () =>
    Effect.gen(function*() {
      const { fiber, told } = yield* listen()
      yield* VirtualTime.advance("1 second")
      const { dropFeed } = yield* emulator
      yield* Effect.flatMap(feeds, Effect.forEach(({ feedId }) => dropFeed({ feedId }))).pipe(
        Effect.delay("10 millis"),
        Effect.forever,
        Effect.forkChild
      )
      yield* VirtualTime.advance("20 seconds")
      // At once the first time, and then after half a second and more.
      assert.deepStrictEqual(told.slice(0, 3), ["FeedConnected", "FeedRecreated", "FeedInterrupted"])
      const recreated = told.filter((tag) => tag === "FeedRecreated").length
      assert.isTrue(recreated >= 4 && recreated < 40, String(recreated))
      assert.isUndefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(withBot())))

  it.effect("follow the reconnect schedule when the creation of a feed fails", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { told } = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* add({
        on: ({ method, url }) => method === "POST" && url.endsWith("/datafeeds"),
        fault: Fault.ServerError({ status: 503, handled: false }),
        times: 2
      })
      yield* emulator.use(({ dropFeed }) => Effect.flatMap(feeds, ([old]) => dropFeed({ feedId: old?.feedId ?? "" })))
      yield* VirtualTime.advance("10 seconds")
      yield* say(streamId, "again")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(told, [
        "FeedConnected",
        "FeedInterrupted",
        "FeedInterrupted",
        "FeedRecreated",
        "FeedReconnected",
        "again"
      ])
    }).pipe(Effect.provide(withBot())))

  it.effect("renew an expired session once, and emit nothing", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { told } = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* emulator.use(({ expireSessions }) => expireSessions())
      yield* say(streamId, "one")
      yield* until(Effect.sync(() => told.includes("one")))
      yield* say(streamId, "two")
      yield* until(Effect.sync(() => told.includes("two")))
      assert.deepStrictEqual(told, ["FeedConnected", "one", "two"])
      const { logins } = yield* emulator
      assert.deepStrictEqual((yield* logins).map(({ kind }) => kind).toSorted(), [
        "keyManager",
        "keyManager",
        "session",
        "session"
      ])
    }).pipe(Effect.provide(withBot())))

  it.effect("end the stream when the login is refused", () =>
    Effect.gen(function*() {
      const { fiber } = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* failNext({ on: "login", status: 401, times: 2 })
      yield* emulator.use(({ expireSessions }) => expireSessions())
      yield* emulator.use(({ restart }) => restart)
      yield* until(Effect.sync(() => fiber.pollUnsafe() !== undefined))
      assert.deepStrictEqual(yield* reasonOf(fiber), ["Session.login", "Unauthorized"])
    }).pipe(Effect.provide(withBot())))

  it.effect.each(
    [
      ["429", Fault.RateLimited({ retryAfter: "20 seconds" })],
      ["500", Fault.ServerError({ status: 500, handled: false })],
      ["502 after it was handled", Fault.ServerError({ status: 502, handled: true })],
      ["a refused connection", Fault.ConnectionRefused()],
      ["a reset connection", Fault.ResetBeforeAnswer()],
      ["no JSON", Fault.MalformedJson()],
      ["half of the JSON", Fault.TruncatedJson()],
      ["an empty body", Fault.EmptyBody()],
      ["an empty object", Fault.EmptyObject()]
    ] as const
  )("emit FeedInterrupted for %s, and deliver missed events afterwards", ([, fault]) =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { events } = yield* heard()
      yield* add({ on: reads, fault, times: 3 })
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "two")
      yield* VirtualTime.advance("3 minutes")
      const told = events.map(shown)
      assert.deepStrictEqual(told.filter((text) => !text.startsWith("Feed")), ["one", "two"])
      const interruptions = events.filter((event) => event._tag === "FeedInterrupted")
      assert.deepStrictEqual(interruptions.map(({ attempt }) => attempt), [1, 2, 3])
      assert.strictEqual(told.filter((text) => text === "FeedReconnected").length, 1)
      if (fault._tag === "RateLimited") assert.isAtLeast(Duration.toMillis(interruptions[0]!.retryIn), 20_000)
    }).pipe(Effect.provide(withBot())))

  it.effect("end a read on a dead connection after a minute, without FeedInterrupted", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { told } = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* add({ on: reads, fault: Fault.HalfOpen() })
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "two")
      yield* VirtualTime.advance("50 seconds")
      assert.deepStrictEqual(told, ["FeedConnected", "one"])
      yield* VirtualTime.advance("15 seconds")
      assert.deepStrictEqual(told, ["FeedConnected", "one", "two"])
    }).pipe(Effect.provide(withBot())))

  it.effect("do not come from a short requestTimeout", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { told } = yield* listen()
      yield* VirtualTime.advance("5 minutes")
      yield* say(streamId, "late")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(told, ["FeedConnected", "late"])
    }).pipe(Effect.provide(withBot({ config: { requestTimeout: "5 seconds" } }))))

  it.effect("are retried through an outage of ten minutes", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { told } = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* add({ fault: Fault.ConnectionRefused(), lasting: "10 minutes" })
      yield* emulator.use(({ restart }) => restart)
      yield* VirtualTime.advance("1 minute")
      yield* say(streamId, "in the dark")
      yield* VirtualTime.advance("20 minutes")
      assert.deepStrictEqual(told.slice(-2), ["FeedReconnected", "in the dark"])
    }).pipe(Effect.provide(withBot())))

  it.effect("end the stream with the last failure when the schedule ends", () =>
    Effect.gen(function*() {
      const { fiber, told } = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* add({ fault: Fault.ServerError({ status: 500, handled: false }), lasting: "10 minutes" })
      yield* emulator.use(({ restart }) => restart)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(yield* reasonOf(fiber), ["Datafeed.list", "ServerFailure"])
      assert.deepStrictEqual(told, ["FeedConnected", "FeedInterrupted", "FeedInterrupted"])
    }).pipe(Effect.provide(withBot({ config: { reconnect: Schedule.recurs(2) } }))))

  it.effect("end the stream when a read is refused", () =>
    Effect.gen(function*() {
      const { fiber } = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* add({ on: reads, fault: Fault.AccessDenied() })
      yield* VirtualTime.advance("31 seconds")
      assert.deepStrictEqual(yield* reasonOf(fiber), ["Datafeed.read", "AccessDenied"])
    }).pipe(Effect.provide(withBot())))

  it.effect("do not come from empty answers, which are paced", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { told } = yield* listen()
      yield* VirtualTime.advance("1 second")
      yield* failNext({ on: "datafeed", status: 200, body: { events: null, ackId: "" }, times: 20 })
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 minute")
      assert.isBelow((yield* requestsTo("/read")).length, 12)
      yield* say(streamId, "two")
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(told, ["FeedConnected", "one", "two"])
    }).pipe(Effect.provide(withBot())))
})

describe("events of the datafeed", () => {
  it.effect("leave out those of the bot, unless include has own, and keep those without an initiator", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const others = yield* listen({ tag: "others" })
      const all = yield* listen({ tag: "all", include: ["own"] })
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "mine", "bot")
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "hers")
      yield* VirtualTime.advance("1 second")
      yield* emit({ kind: "GENERICSYSTEMEVENT", payload: {} })
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(others.told, ["FeedConnected", "hers", "GenericSystemEvent"])
      assert.deepStrictEqual(all.told, ["FeedConnected", "mine", "hers", "GenericSystemEvent"])
      assert.deepStrictEqual(yield* pending, [0, 0])
      assert.strictEqual((yield* requestsTo("sessioninfo")).length, 1)
    }).pipe(Effect.provide(withBot())))

  const stream = { streamId: "room", streamType: "ROOM", members: null }
  const affectedUser = { userId: 7, displayName: "Bob", email: null }
  const shownStream = { streamId: "room", streamType: "ROOM", members: [], recipientTenantIds: [] }
  const shownUser = { userId: 7, displayName: "Bob" }
  const kinds: ReadonlyArray<readonly [type: string, property: string, payload: object, event: object]> = [
    ["MESSAGESENT", "messageSent", { message: { messageId: "m", attachments: null } }, {
      _tag: "MessageSent",
      message: { messageId: "m", attachments: [] }
    }],
    ["SHAREDPOST", "sharedPost", { message: { messageId: "m" }, sharedMessage: { messageId: "s" } }, {
      _tag: "SharedPost",
      message: { messageId: "m", attachments: [] },
      sharedMessage: { messageId: "s", attachments: [] }
    }],
    ["INSTANTMESSAGECREATED", "instantMessageCreated", { stream }, {
      _tag: "InstantMessageCreated",
      stream: shownStream
    }],
    ["ROOMCREATED", "roomCreated", { stream, roomProperties: { name: "Orders", keywords: null, public: true } }, {
      _tag: "RoomCreated",
      stream: shownStream,
      roomProperties: { name: "Orders", keywords: [], public: true }
    }],
    ["ROOMUPDATED", "roomUpdated", { stream, newRoomProperties: { keywords: [{ key: "k", value: "v" }] } }, {
      _tag: "RoomUpdated",
      stream: shownStream,
      newRoomProperties: { keywords: [{ key: "k", value: "v" }] }
    }],
    ["ROOMDEACTIVATED", "roomDeactivated", { stream }, { _tag: "RoomDeactivated", stream: shownStream }],
    ["ROOMREACTIVATED", "roomReactivated", { stream: null }, { _tag: "RoomReactivated" }],
    ["USERJOINEDROOM", "userJoinedRoom", { stream, affectedUser }, {
      _tag: "UserJoinedRoom",
      stream: shownStream,
      affectedUser: shownUser
    }],
    ["USERLEFTROOM", "userLeftRoom", { affectedUser }, { _tag: "UserLeftRoom", affectedUser: shownUser }],
    ["USERREQUESTEDTOJOINROOM", "userRequestedToJoinRoom", { affectedUsers: [affectedUser] }, {
      _tag: "UserRequestedToJoinRoom",
      affectedUsers: [shownUser]
    }],
    ["ROOMMEMBERPROMOTEDTOOWNER", "roomMemberPromotedToOwner", { affectedUser }, {
      _tag: "RoomMemberPromotedToOwner",
      affectedUser: shownUser
    }],
    ["ROOMMEMBERDEMOTEDFROMOWNER", "roomMemberDemotedFromOwner", { affectedUser }, {
      _tag: "RoomMemberDemotedFromOwner",
      affectedUser: shownUser
    }],
    ["CONNECTIONREQUESTED", "connectionRequested", { toUser: affectedUser }, {
      _tag: "ConnectionRequested",
      toUser: shownUser
    }],
    ["CONNECTIONACCEPTED", "connectionAccepted", { fromUser: affectedUser }, {
      _tag: "ConnectionAccepted",
      fromUser: shownUser
    }],
    ["MESSAGESUPPRESSED", "messageSuppressed", { messageId: "gone", stream }, {
      _tag: "MessageSuppressed",
      messageId: "gone",
      stream: shownStream
    }],
    ["SYMPHONYELEMENTSACTION", "symphonyElementsAction", {
      stream,
      formId: "order",
      formMessageId: "f",
      formValues: { action: "ok", list: ["a", null] }
    }, {
      _tag: "ElementsAction",
      stream: shownStream,
      formId: "order",
      formMessageId: "f",
      formValues: { action: "ok", list: ["a", null] }
    }],
    ["GENERICSYSTEMEVENT", "genericSystemEvent", { eventSubtype: "x", parameters: null, sourceSystem: "s" }, {
      _tag: "GenericSystemEvent",
      eventSubtype: "x",
      sourceSystem: "s",
      parameters: {}
    }]
  ]

  it.effect.each(kinds)("decode and encode %s", ([type, property, payload, event]) =>
    Effect.gen(function*() {
      const { events } = yield* heard()
      const id = yield* emit({ kind: type, payload: { [property]: payload }, initiator: "ada" })
      yield* VirtualTime.advance("1 second")
      const [, told] = events
      assert.deepInclude(told, { id, ...event })
      assert(told !== undefined && "initiator" in told)
      assert.strictEqual(told.initiator?.userId, adaId)
      assert.isDefined(told.timestamp)
      // What was read can be kept as JSON.
      const kept = yield* Schema.encodeUnknownEffect(DatafeedEvent.DatafeedEvent)(told)
      assert.deepStrictEqual(
        yield* Schema.decodeUnknownEffect(DatafeedEvent.DatafeedEvent)(JSON.parse(JSON.stringify(kept))),
        told
      )
    }).pipe(Effect.provide(withBot())))

  it.effect("of an unknown kind or undecodable are emitted, acknowledged, and lose no others", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { events } = yield* heard()
      yield* emit({ kind: "ROBOTBUILT", payload: { robotBuilt: { name: "R2" } }, streamId, initiator: "ada" })
      yield* emit({ kind: "MESSAGESENT", payload: { messageSent: { message: null } }, streamId })
      yield* say(streamId, "and a message")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(events.map(shown), ["FeedConnected", "UnknownEvent", "UndecodableEvent", "and a message"])
      const [, unknown, undecodable] = events
      assert(unknown?._tag === "UnknownEvent" && undecodable?._tag === "UndecodableEvent")
      assert.strictEqual(unknown.kind, "ROBOTBUILT")
      assert.deepInclude(unknown.raw, { payload: { robotBuilt: { name: "R2" } } })
      assert.include(undecodable.issue, "message")
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* pending, [0])
      assert.strictEqual(events.length, 4)
    }).pipe(Effect.provide(withBot())))

  it.effect("that are not objects are emitted as UndecodableEvent in their place", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { events } = yield* heard()
      const raw = [null, "text", { type: 5 }, { type: "ROOMCREATED", payload: null, initiator: {}, timestamp: "x" }]
      yield* failNext({ on: "datafeed", status: 200, body: { events: raw, ackId: "" } })
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(events.slice(1).map(shown), [
        "one",
        "UndecodableEvent",
        "UndecodableEvent",
        "UndecodableEvent",
        "RoomCreated"
      ])
      assert.deepStrictEqual(events[5], { _tag: "RoomCreated" })
    }).pipe(Effect.provide(withBot())))
})

describe("consume", () => {
  const options = { retry: Schedule.recurs(2) }

  it.effect("retries a failing event, passes it to deadLetter, and goes on", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const tried: Array<string> = []
      const dead: Array<string> = []
      const fiber = yield* Datafeed.consume((event) => {
        tried.push(shown(event))
        return shown(event) === "bad" ? Effect.fail("no" as const) : Effect.void
      }, {
        ...options,
        deadLetter: (event, error) => Effect.sync(() => dead.push(`${shown(event)}: ${error}`))
      }).pipe(Effect.forkChild({ startImmediately: true }))
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "bad")
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "good")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tried, ["bad", "bad", "bad", "good"])
      assert.deepStrictEqual(dead, ["bad: no"])
      assert.deepStrictEqual(yield* pending, [0])
      assert.isUndefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(withBot())))

  it.effect("ends when onStatus fails, after the events before it were handled", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const handled: Array<string> = []
      const fiber = yield* Datafeed.consume((event) => Effect.sync(() => handled.push(shown(event))), {
        onStatus: (notice) => notice._tag === "UndecodableEvent" ? Effect.fail(notice.issue) : Effect.void
      }).pipe(Effect.forkChild({ startImmediately: true }))
      yield* VirtualTime.advance("1 second")
      yield* failNext({
        on: "datafeed",
        status: 200,
        body: { events: [{ type: "ROOMCREATED" }, null, { type: "ROOMUPDATED" }], ackId: "" }
      })
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      assert.isString(yield* failureOf(fiber))
      assert.deepStrictEqual(handled, ["one", "RoomCreated"])
    }).pipe(Effect.provide(withBot())))

  it.effect("consumePages handles four pages at a time", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const handled: Array<ReadonlyArray<string>> = []
      let most = 0
      let now = 0
      yield* Datafeed.consumePages((events) =>
        Effect.gen(function*() {
          most = Math.max(most, ++now)
          yield* Effect.sleep("10 seconds")
          now--
          handled.push(events.map(shown))
        }), { concurrency: 4 }).pipe(Effect.forkChild({ startImmediately: true }))
      yield* VirtualTime.advance("1 second")
      for (const text of ["a", "b", "c", "d", "e"]) {
        yield* say(streamId, text)
        yield* VirtualTime.advance("1 second")
      }
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(handled, [["a"], ["b"], ["c"], ["d"], ["e"]])
      assert.strictEqual(most, 4)
      assert.deepStrictEqual(yield* pending, [0])
    }).pipe(Effect.provide(withBot())))

  it.effect("ends when the handler dies, and does not acknowledge the page", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const fiber = yield* Datafeed.consume(() => Effect.die("bug"), options).pipe(
        Effect.forkChild({ startImmediately: true })
      )
      yield* VirtualTime.advance("1 second")
      yield* say(streamId, "one")
      yield* VirtualTime.advance("1 second")
      assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
      assert.deepStrictEqual(yield* pending, [1])
    }).pipe(Effect.provide(withBot())))

  it.effect.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    "refuses the concurrency %d before a request is made",
    (concurrency) =>
      Effect.gen(function*() {
        const errors = [
          yield* Effect.flip(Datafeed.consume(() => Effect.void, { concurrency })),
          yield* Effect.flip(Datafeed.consumePages(() => Effect.void, { concurrency }))
        ]
        for (const { reason } of errors) {
          assert(reason._tag === "BadRequest")
          assert.deepStrictEqual(reason.details, [
            { location: "concurrency", message: `is ${concurrency}, not a whole number of 1 or more` }
          ])
        }
        assert.lengthOf(yield* requestsTo("datafeeds"), 0)
      }).pipe(Effect.provide(withBot()))
  )
})
