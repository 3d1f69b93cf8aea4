/** One reader: from where it hears a name, what waits for it, what becomes of the rest, and where it stands. */
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { Subscription } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import type { Cursor } from "../../../src/Cursor.ts"
import type * as SubscribeEvent from "../../../src/pubnub/SubscribeEvent.ts"
import { Ledger } from "../../../src/pubnub/internal/reading/ledger.ts"
import type { Key } from "../../../src/pubnub/internal/reading/names.ts"
import * as Marks from "../../../src/pubnub/internal/reading/marks.ts"
import { cursorOf } from "../../../src/pubnub/internal/reading/place.ts"
import { type Options, Reader, type Strategy } from "../../../src/pubnub/internal/reading/reader.ts"
import * as PubNubError from "../../../src/pubnub/PubNubError.ts"
import { SubscribeError } from "../../../src/pubnub/SubscribeError.ts"
import { marksOf } from "../../../src/pubnub/internal/reading/recent.ts"
import { emulated, requestsTo } from "../../kit/emulated.ts"
import { arrival, numbers, second, tick, ticks } from "./arrivals.ts"
import type { Settings } from "../../../src/pubnub/internal/reading/core.ts"
import { coreOf } from "./core.ts"
import { tags } from "../../kit/events.ts"

const emulator = PubNubEmulator.PubNubEmulator

const at = (n: number): Cursor => ({ position: ticks(n), region: 1, delivered: [] })

const eventsOf = (
  moments: ReadonlyArray<number>,
  options: Parameters<typeof arrival>[1] = {}
): ReadonlyArray<SubscribeEvent.Received> => {
  const ledger = new Ledger(undefined, () => {})
  ledger.begin(at(0))
  return ledger.live(moments.map((n) => arrival(n, options)), at(0), at(moments.at(-1) ?? 0)).map(({ event }) => event)
}

const payloads = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  events.flatMap((event) => event._tag === "Message" || event._tag === "Signal" ? [event.payload] : [])

const positions = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  events.map((event) => [event._tag, cursorOf(event)?.position])

const readerOf = (
  options: Partial<Options> = {},
  names: ReadonlyArray<string> = ["a"],
  begun = 0,
  settings: Partial<Settings> = {}
) =>
  Effect.gen(function*() {
    const { core } = yield* coreOf(settings)
    const reader = new Reader(core, {
      from: undefined,
      capacity: 10,
      strategy: "dropping",
      within: Infinity,
      ...options
    })
    const keys = reader.add(names.map((name) => Subscription.channel(name)))
    for (const key of keys) reader.begin(key, at(begun))
    return { core, reader, keys }
  })

/** All that can be taken now. */
const taken = (reader: Reader) =>
  Effect.gen(function*() {
    const all: Array<SubscribeEvent.SubscribeEvent> = []
    for (;;) {
      const fiber = yield* Effect.forkChild(Effect.exit(reader.pull))
      for (let n = 0; n < 20 && fiber.pollUnsafe() === undefined; n++) yield* Effect.yieldNow
      const exit = fiber.pollUnsafe()
      if (exit === undefined) {
        yield* Fiber.interrupt(fiber)
        return { all, end: undefined }
      }
      const pulled = yield* exit
      if (Exit.isFailure(pulled)) return { all, end: pulled.cause }
      all.push(...pulled.value)
    }
  })

const a: Key = "c a"

const heard = (reader: Reader, name: string, events: ReadonlyArray<SubscribeEvent.Received>) =>
  events.filter((event) => reader.hears(name, event))

describe("a name", () => {
  it.effect("receives events from the position where the service knew it, to the tick", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, ["a"], 5)
      const events = eventsOf([4, 5, 6, 7])
      assert.deepStrictEqual(payloads(heard(reader, "a", events)), [6, 7])
      assert.deepStrictEqual(payloads(heard(reader, "a", events)), [6, 7])
      const later = eventsOf([6, 7])
      assert.deepStrictEqual(heard(reader, "a", later), later)
      // For who hears all of it nothing need be copied.
      assert.deepStrictEqual([5, 6].map((n) => reader.hearsAll(ticks(n))), [false, true])
      assert.deepStrictEqual(heard(reader, "b", events), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("begins at the reader's cursor while its connection is hours behind, in a gap", () =>
    Effect.gen(function*() {
      const { core, reader } = yield* readerOf({ from: at(3_600 * second) }, [])
      core.history.knowledge.setTime(Number(ticks(3_600 * second).slice(0, -4)))
      for (const key of reader.add([Subscription.channel("a")])) reader.begin(key, at(0))
      assert.deepStrictEqual(positions(yield* reader.pull), [["Connected", ticks(3_600 * second)]])
    }).pipe(Effect.provide(emulated())))

  it.effect("begins once, and Connected waits for the last name", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, [])
      reader.add([Subscription.channel("a"), Subscription.channel("b")])
      reader.begin(a, at(5))
      assert.deepStrictEqual((yield* taken(reader)).all, [])
      reader.begin("c b", at(9))
      reader.begin(a, at(50))
      const { all } = yield* taken(reader)
      assert.deepStrictEqual(tags(all), ["Connected"])
      // Nothing of any of its names is missing from here on.
      const [connected] = all
      assert.strictEqual(connected?._tag === "Connected" && connected.cursor.position, ticks(9))
      assert.deepStrictEqual(payloads(heard(reader, "a", eventsOf([5, 6]))), [6])
    }).pipe(Effect.provide(emulated())))

  it.effect("gives cursors that begin where Connected says, also when it began before that", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, [])
      reader.add([Subscription.channel("a"), Subscription.channel("b")])
      reader.begin(a, at(5))
      // One of the future does not count.
      reader.offer(eventsOf([7, 12, 3_600 * second]))
      reader.begin("c b", at(9))
      reader.offer(eventsOf([13, 14]))
      const { all } = yield* taken(reader)
      const cursors = all.flatMap((event) => "cursor" in event && event.cursor !== undefined ? [event.cursor] : [])
      assert.deepStrictEqual(tags(all), ["Connected", "Message", "Message"])
      assert.deepStrictEqual(cursors.map(({ recent }) => recent?.since), [ticks(13), ticks(13), ticks(13)])
      assert.deepStrictEqual(cursors.map(({ position }) => position), [ticks(12), ticks(12), ticks(14)])
    }).pipe(Effect.provide(emulated())))

  it.effect("gives each event a cursor that names just the events of its page until then", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, [])
      reader.add([Subscription.channel("a")])
      // Its connection began before that.
      reader.begin(a, at(9))
      reader.offer(eventsOf([13, 14, 15, 16]))
      const { all } = yield* taken(reader)
      const marks = [13, 14, 15].map((moment) => Marks.of(`${ticks(moment)}/a/ada`))
      assert.deepStrictEqual(
        all.map((event) => cursorOf(event)?.delivered).slice(1),
        [marks.slice(0, 1), marks.slice(0, 2), marks, []]
      )
    }).pipe(Effect.provide(emulated())))

  it.effect("causes ChannelsChanged when it is added and begins, and when it is removed", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf()
      yield* taken(reader)
      assert.deepStrictEqual(reader.add([Subscription.channel("b"), Subscription.channel("a")]), ["c b"])
      reader.begin("c b", at(20))
      assert.deepStrictEqual(tags((yield* taken(reader)).all), ["ChannelsChanged"])
      assert.deepStrictEqual(reader.remove([Subscription.channel("a")]), [a])
      assert.deepStrictEqual(heard(reader, "a", eventsOf([30])), [])
      assert.deepStrictEqual(tags((yield* taken(reader)).all), ["ChannelsChanged"])
    }).pipe(Effect.provide(emulated())))

  it.effect("is waited for no more when it is removed before it began", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, [])
      reader.add([Subscription.channel("a"), Subscription.channel("b")])
      reader.begin(a, at(5))
      assert.isFalse(reader.hearsAll(ticks(6)))
      reader.remove([Subscription.channel("b")])
      assert.isTrue(reader.hearsAll(ticks(6)))
      assert.deepStrictEqual(tags((yield* taken(reader)).all), ["Connected"])
    }).pipe(Effect.provide(emulated())))

  it.effect("of metadata receives only its own events", () =>
    Effect.gen(function*() {
      const { core } = yield* coreOf()
      const reader = new Reader(core, { from: undefined, capacity: 10, strategy: "dropping", within: 0 })
      for (const key of reader.add([Subscription.userMetadata("a")])) reader.begin(key, at(0))
      assert.deepStrictEqual(heard(reader, "a", eventsOf([1, 2])), [])
    }).pipe(Effect.provide(emulated())))
})

describe("the inbox", () => {
  it.effect.each([1, 2, 10])(
    "holds at most %i events, and emits a Gap for the others",
    (capacity) =>
      Effect.gen(function*() {
        const { reader } = yield* readerOf({ capacity })
        assert.isFalse(reader.isFull)
        for (const n of numbers(capacity, 1)) {
          assert.isFalse(reader.isFull)
          reader.offer(eventsOf([n]))
        }
        assert.isTrue(reader.isFull)
        reader.offer(eventsOf([99]))
        const { all } = yield* taken(reader)
        assert.deepStrictEqual(payloads(all), numbers(capacity, 1))
        assert.isFalse(reader.isFull)
        assert.deepStrictEqual(tags(all).filter((tag) => tag === "Gap"), ["Gap"])
      }).pipe(Effect.provide(emulated()))
  )

  it.effect("shares its events, and does not copy them", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf()
      yield* taken(reader)
      const events = eventsOf([1, 2])
      reader.offer(events)
      const part = yield* reader.pull
      assert.strictEqual(part[0], events[0])
    }).pipe(Effect.provide(emulated())))

  const offered = (strategy: Strategy, capacity = 5) =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({ strategy, capacity })
      yield* taken(reader)
      reader.offer(eventsOf(numbers(3, 1)))
      reader.offer(eventsOf(numbers(5, 4)))
      return { reader, isFull: reader.isFull }
    })

  it.effect("with dropping drops the newest, and emits a Gap", () =>
    Effect.gen(function*() {
      const { reader } = yield* offered("dropping")
      const { all } = yield* taken(reader)
      assert.deepStrictEqual(payloads(all), numbers(5, 1))
      const gap = all.find(({ _tag }) => _tag === "Gap")
      assert.deepInclude(
        { ...gap },
        { channel: "a", since: ticks(6), before: ticks(9), reason: "InboxOverflow" } as object
      )
      reader.offer(eventsOf([20]))
      assert.deepStrictEqual(payloads((yield* taken(reader)).all), [20])
    }).pipe(Effect.provide(emulated())))

  it.effect("with sliding drops the oldest, and emits a Gap before the rest", () =>
    Effect.gen(function*() {
      const { reader } = yield* offered("sliding")
      const { all } = yield* taken(reader)
      assert.deepStrictEqual(tags(all)[0], "Gap")
      assert.deepStrictEqual(payloads(all), numbers(5, 4))
      assert.deepInclude({ ...all[0] }, { since: ticks(1), before: ticks(4) } as object)
    }).pipe(Effect.provide(emulated())))

  it.effect("with suspend asks for events again when all that waited is of a removed name", () =>
    Effect.gen(function*() {
      const { core, reader } = yield* readerOf({ capacity: 2, strategy: "suspend" }, ["a", "b"])
      let asked = 0
      Object.assign(core, { demand: () => asked++ })
      yield* taken(reader)
      reader.offer(eventsOf([1, 2, 3]))
      assert.isTrue(reader.isFull)
      reader.remove([Subscription.channel("a")])
      assert.isFalse(reader.isFull)
      assert.strictEqual(asked, 1)
    }).pipe(Effect.provide(emulated())))

  it.effect("with suspend asks for events again when it was full and took what waited", () =>
    Effect.gen(function*() {
      const { core, reader } = yield* readerOf({ capacity: 2, strategy: "suspend" })
      let asked = 0
      Object.assign(core, { demand: () => asked++ })
      yield* taken(reader)
      for (const [count, times] of [[1, 0], [2, 1]] as const) {
        reader.offer(eventsOf(numbers(count, 1 + times)))
        assert.lengthOf((yield* taken(reader)).all, count)
        assert.strictEqual(asked, times)
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("with suspend drops nothing, and is full", () =>
    Effect.gen(function*() {
      const { isFull, reader } = yield* offered("suspend")
      assert.isTrue(isFull)
      assert.deepStrictEqual(payloads((yield* taken(reader)).all), numbers(8, 1))
      assert.isFalse(reader.isFull)
    }).pipe(Effect.provide(emulated())))

  it.effect("with fail gives the queued events, then Disconnected, and fails with the last cursor", () =>
    Effect.gen(function*() {
      const { reader } = yield* offered("fail")
      reader.offer(eventsOf([50]))
      const { all, end } = yield* taken(reader)
      assert.deepStrictEqual(payloads(all), numbers(5, 1))
      assert.deepStrictEqual(tags(all).at(-1), "Disconnected")
      const failure = end === undefined ? undefined : end.reasons.find(Cause.isFailReason)?.error
      assert.instanceOf(failure, SubscribeError)
      assert.strictEqual(failure instanceof SubscribeError && failure.reason._tag, "InboxOverflow")
      const last = all.findLast((event) => event._tag === "Message")
      assert.deepStrictEqual(failure instanceof SubscribeError && failure.cursor, last?.cursor)
    }).pipe(Effect.provide(emulated())))

  it.effect("with catchUp lets events pass by until the queued ones are taken", () =>
    Effect.gen(function*() {
      const { reader } = yield* offered("catchUp")
      // More comes, and still passes by.
      reader.offer(eventsOf([9]))
      assert.isTrue(reader.isFull)
      const first = yield* reader.pull
      assert.deepStrictEqual(payloads(first), numbers(3, 1))
      reader.offer(eventsOf([10]))
      assert.deepStrictEqual(payloads(yield* reader.pull), numbers(2, 4))
      assert.isFalse(reader.isFull)
    }).pipe(Effect.provide(emulated())))
})

describe("a reader whose connection begins at another position", () => {
  const [now, future] = [at(50 * second), 90 * second]

  it.effect("hears all from there on, and no cursor is later", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, ["a"], future)
      yield* reader.pull
      reader.beginAt(now)
      const [b = a] = reader.add([Subscription.channel("b")])
      reader.begin(b, at(51 * second))
      assert.deepStrictEqual(positions(yield* reader.pull), [["ChannelsChanged", ticks(51 * second)]])
      assert.isTrue(reader.hearsAll(ticks(52 * second)))
      const ledger = new Ledger(undefined, () => {})
      ledger.begin(now)
      const given = ledger.live([arrival(55 * second)], now, at(56 * second), ticks(56 * second))
      reader.offer(given.map(({ event }) => event))
      assert.deepStrictEqual(positions(yield* reader.pull), [["Message", ticks(56 * second)]])
    }).pipe(Effect.provide(emulated())))

  it.effect("does not stand at an event that it took from the future", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf()
      reader.offer(eventsOf([1, future]))
      assert.deepStrictEqual(payloads((yield* taken(reader)).all), [1, future])
      reader.beginAt(now)
      reader.tell({ _tag: "Disconnected", cursor: at(1) })
      assert.deepStrictEqual(positions(yield* reader.pull), [["Disconnected", now.position]])
    }).pipe(Effect.provide(emulated())))

  it.effect("forgets its own start, which the connection has doubted", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({ from: at(future) }, [])
      const [key = a] = reader.add([Subscription.channel("a")])
      reader.beginAt(now)
      reader.begin(key, now)
      assert.deepStrictEqual(positions((yield* taken(reader)).all), [["Connected", now.position]])
    }).pipe(Effect.provide(emulated())))
})

describe("the end of a reader", () => {
  const error = new SubscribeError({
    reason: new PubNubError.BadRequest({ status: 400, description: "no", details: [] }),
    cursor: at(7)
  })

  it.effect("comes after the queued events, with Disconnected and the cursor", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf()
      reader.offer(eventsOf([1, 2]))
      reader.fail(error)
      assert.isTrue(reader.hasEnded)
      const { all, end } = yield* taken(reader)
      assert.deepStrictEqual(tags(all), ["Connected", "Message", "Message", "Disconnected"])
      const disconnected = all.at(-1)
      assert.strictEqual(disconnected?._tag === "Disconnected" && disconnected.cursor?.position, ticks(7))
      const failure = end?.reasons.find(Cause.isFailReason)?.error
      assert.strictEqual(failure instanceof SubscribeError && failure.cursor?.position, ticks(7))
    }).pipe(Effect.provide(emulated())))

  it.effect("has the reader's own start when the reader has not begun", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({ from: at(3) }, [])
      reader.add([Subscription.channel("a")])
      reader.fail(error)
      const { all, end } = yield* taken(reader)
      assert.deepStrictEqual(positions(all), [["Disconnected", ticks(3)]])
      const failure = end?.reasons.find(Cause.isFailReason)?.error
      assert.strictEqual(failure instanceof SubscribeError && failure.cursor?.position, ticks(3))
    }).pipe(Effect.provide(emulated())))

  it.effect("has no cursor when the reader has no start, and only one of its connections is known", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, [])
      reader.add([Subscription.channel("a"), Subscription.channel("b")])
      // A quiet connection is hours behind.
      reader.begin(a, at(-3_600 * second))
      reader.fail(error)
      const { all, end } = yield* taken(reader)
      assert.deepStrictEqual(positions(all), [["Disconnected", undefined]])
      const failure = end?.reasons.find(Cause.isFailReason)?.error
      assert.isTrue(failure instanceof SubscribeError && failure.cursor === undefined)
    }).pipe(Effect.provide(emulated())))

  it.effect("comes once: what follows it is dropped", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf()
      reader.finish(Exit.fail(Cause.Done()))
      reader.fail(error)
      reader.tell({ _tag: "GapSuspected", since: tick(2), before: tick(3), reason: "FullPage" })
      const { all, end } = yield* taken(reader)
      assert.deepStrictEqual(tags(all), ["Connected"])
      assert.isFalse(
        end?.reasons.some((reason) => Cause.isFailReason(reason) && reason.error instanceof SubscribeError)
      )
    }).pipe(Effect.provide(emulated())))

  it.effect("keeps the failure that came first", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf()
      reader.fail(error)
      reader.finish(Exit.fail(Cause.Done()))
      const { end } = yield* taken(reader)
      assert.isTrue(end?.reasons.some((reason) => Cause.isFailReason(reason) && reason.error instanceof SubscribeError))
    }).pipe(Effect.provide(emulated())))

  it.effect("wakes a pull that waits", () =>
    Effect.gen(function*() {
      const { core, reader } = yield* readerOf({}, ["a"], 0, { demand: "pull" })
      yield* taken(reader)
      const fiber = yield* Effect.forkChild(Effect.exit(reader.pull))
      yield* Effect.yieldNow
      assert.strictEqual(core.waiting, 1)
      reader.fail(error)
      yield* Effect.yieldNow
      yield* Effect.yieldNow
      assert.strictEqual(core.waiting, 0)
      assert.isDefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(emulated())))

  for (const demand of ["pull", "ahead"] as const) {
    it.effect(`is not caused by a pull that is interrupted, with the demand "${demand}"`, () =>
      Effect.gen(function*() {
        const { core, reader } = yield* readerOf({}, ["a"], 0, { demand })
        yield* taken(reader)
        const fiber = yield* Effect.forkChild(reader.pull)
        yield* Effect.yieldNow
        yield* Fiber.interrupt(fiber)
        assert.strictEqual(core.waiting, 0)
        reader.offer(eventsOf([1]))
        assert.deepStrictEqual(payloads(yield* reader.pull), [1])
        const next = yield* Effect.forkChild(reader.pull)
        yield* Effect.yieldNow
        reader.offer(eventsOf([2]))
        assert.deepStrictEqual(payloads(yield* Fiber.join(next)), [2])
      }).pipe(Effect.provide(emulated())))
  }
})

describe("statuses", () => {
  const interrupted = {
    _tag: "Interrupted",
    reason: new PubNubError.Timeout({ after: Duration.seconds(15) }),
    attempt: 1,
    retryIn: Duration.seconds(1)
  } as const

  it.effect("have Reconnected only after Interrupted", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf()
      yield* taken(reader)
      const back = { _tag: "Reconnected", cursor: at(1), downFor: Duration.zero } as const
      reader.tell(back)
      assert.deepStrictEqual((yield* taken(reader)).all, [])
      reader.tell(interrupted)
      reader.tell(back)
      reader.tell(back)
      assert.deepStrictEqual(tags((yield* taken(reader)).all), ["Interrupted", "Reconnected"])
    }).pipe(Effect.provide(emulated())))

  it.effect("have the reader's own start when the reader has not begun", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({ from: at(3) }, [])
      reader.add([Subscription.channel("a")])
      reader.tell({ ...interrupted, cursor: at(7) })
      reader.tell(interrupted)
      assert.deepStrictEqual(positions((yield* taken(reader)).all), [
        ["Interrupted", ticks(3)],
        ["Interrupted", ticks(3)]
      ])
    }).pipe(Effect.provide(emulated())))

  it.effect("have no cursor when the reader has no start and has not begun, also if they are taken later", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, [])
      reader.add([Subscription.channel("a"), Subscription.channel("b")])
      reader.begin(a, at(1))
      reader.tell({ ...interrupted, cursor: at(1) })
      reader.tell({ _tag: "Disconnected", cursor: at(1) })
      // The other connection of the reader may still be interrupted.
      reader.tell({ _tag: "Reconnected", cursor: at(1), downFor: Duration.zero })
      reader.begin("c b", at(7))
      reader.tell({ ...interrupted, cursor: at(8) })
      reader.tell({ _tag: "Reconnected", cursor: at(8), downFor: Duration.zero })
      assert.deepStrictEqual(positions((yield* taken(reader)).all), [
        ["Interrupted", undefined],
        ["Disconnected", undefined],
        ["Connected", ticks(7)],
        ["Interrupted", ticks(8)],
        ["Reconnected", ticks(8)]
      ])
    }).pipe(Effect.provide(emulated())))

  it.effect("have the position before the missed events when these come after them", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({ from: at(3) }, ["a"], 7)
      reader.tell({ ...interrupted, cursor: at(8) })
      reader.tell({ _tag: "Reconnected", cursor: at(8), downFor: Duration.zero })
      for (const key of reader.add([Subscription.channel("b")])) reader.begin(key, at(9))
      reader.tell({ _tag: "Disconnected", cursor: at(9) })
      assert.deepStrictEqual(positions(yield* reader.pull), [
        ["Connected", ticks(3)],
        ["Interrupted", ticks(3)],
        ["Reconnected", ticks(3)],
        ["ChannelsChanged", ticks(3)],
        ["Disconnected", ticks(3)]
      ])
      const full = (yield* readerOf({ capacity: 1, strategy: "catchUp" })).reader
      const events = eventsOf([1, 2])
      full.offer(events)
      full.tell({ ...interrupted, cursor: at(2) })
      const pulled = [...yield* full.pull, ...yield* full.pull]
      assert.deepStrictEqual(tags(pulled), ["Connected", "Message", "Interrupted"])
      assert.deepStrictEqual(cursorOf(pulled[2]), cursorOf(pulled[1]))
    }).pipe(Effect.provide(emulated())))

  it.effect("name the events that the reader has read from history meanwhile", () =>
    Effect.gen(function*() {
      const timetokens = yield* emulator.use((service) =>
        service.publishAll(numbers(3).map((message) => ({ channel: "a", message, publisher: "ada" })))
      )
      const recent = { since: ticks(0), marks: "" }
      const { reader } = yield* readerOf({ from: { ...at(-1), recent } }, ["a"], second)
      const all: Array<SubscribeEvent.SubscribeEvent> = []
      yield* Effect.forkChild(Effect.forever(Effect.map(reader.pull, (part) => all.push(...part))))
      yield* VirtualTime.advance("50 millis")
      // The connection is still behind, and then ahead of what the reader reads.
      reader.tell({ ...interrupted, cursor: { ...at(-1), recent } })
      reader.tell({ _tag: "Reconnected", cursor: { ...at(second), recent }, downFor: Duration.zero })
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(tags(all), ["Connected", "Message", "Message", "Message", "Interrupted", "Reconnected"])
      for (const status of all.slice(4)) {
        const { delivered = [], recent: { marks = "" } = {} } = cursorOf(status) ?? {}
        const named = [...delivered, ...Marks.split(marks)]
        assert.includeMembers(named, timetokens.map((timetoken) => Marks.of(`${timetoken}/a/ada`)))
      }
    }).pipe(Effect.provide(emulated({ emulator: { latency: Effect.succeed("100 millis") } }))))

  it.effect("that waited for room have the position of the last event, unless another connection is further back", () =>
    Effect.gen(function*() {
      for (const [places, expected] of [[[at(2)], 2], [[at(1), at(2)], 1]] as const) {
        const { reader } = yield* readerOf({ capacity: 1, strategy: "sliding" })
        reader.home = { placesOf: () => places, reachedBy: () => "", isOn: true }
        yield* taken(reader)
        reader.offer(eventsOf([1]))
        reader.tell({ ...interrupted, cursor: at(1) })
        reader.offer(eventsOf([2]))
        const last = positions((yield* taken(reader)).all).at(-1)
        assert.deepStrictEqual(last, ["Interrupted", ticks(expected)])
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("of a full reader have only the latest of the connection", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({ capacity: 1, strategy: "dropping" })
      yield* taken(reader)
      reader.offer(eventsOf([1]))
      for (let n = 0; n < 5; n++) {
        reader.tell(interrupted)
        reader.tell({ _tag: "Reconnected", cursor: at(1), downFor: Duration.zero })
      }
      assert.deepStrictEqual(tags((yield* taken(reader)).all), ["Message", "Reconnected"])
    }).pipe(Effect.provide(emulated())))

  it.effect("have no Gap of another channel, or from before the reader began", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, ["a"], 5)
      yield* taken(reader)
      const gap = { _tag: "Gap", since: tick(2), before: tick(10), reason: "NotInHistory" } as const
      reader.tell({ ...gap, channel: "b" })
      reader.tell({ ...gap, channel: "a", before: tick(6) })
      assert.deepStrictEqual((yield* taken(reader)).all, [])
      reader.tell({ ...gap, channel: "a", before: tick(7) })
      assert.deepStrictEqual(tags((yield* taken(reader)).all), ["Gap"])
    }).pipe(Effect.provide(emulated())))

  it.effect("have Gaps of channels that a wildcard, a presence name or any group brings, until it is removed", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, ["a", "x.*", "y-pnpres"])
      yield* taken(reader)
      const channels = () =>
        Effect.gen(function*() {
          for (const channel of ["a", "b", "x.y", "y"]) {
            reader.tell({ _tag: "Gap", channel, since: tick(2), before: tick(10), reason: "NotInHistory" })
          }
          return (yield* taken(reader)).all.flatMap((event) => event._tag === "Gap" ? [event.channel] : [])
        })
      assert.deepStrictEqual(yield* channels(), ["a", "x.y", "y"])
      reader.remove([Subscription.channel("x.*")])
      assert.deepStrictEqual(yield* channels(), ["a", "y"])
      for (const key of reader.add([Subscription.group("g")])) reader.begin(key, at(0))
      assert.deepStrictEqual(yield* channels(), ["a", "b", "x.y", "y"])
    }).pipe(Effect.provide(emulated())))
})

describe("an event that comes by two names", () => {
  it.effect("is delivered once, and twice with two contents", () =>
    Effect.gen(function*() {
      const { core } = yield* coreOf()
      const reader = new Reader(core, { from: undefined, capacity: 100, strategy: "dropping", within: 0 })
      for (const key of reader.add([Subscription.channel("x.*"), Subscription.channel("x.y")])) reader.begin(key, at(0))
      yield* taken(reader)
      reader.offer(eventsOf([1, 2], { channel: "x.y", by: "x.*" }))
      reader.offer(eventsOf([1, 2, 3], { channel: "x.y", by: "x.y" }))
      reader.offer(eventsOf([2], { channel: "x.y", by: "x.y", payload: "other" }))
      assert.deepStrictEqual(payloads((yield* taken(reader)).all), [1, 2, 3, "other"])
    }).pipe(Effect.provide(emulated())))
})

describe("a full reader that reads what passed by", () => {
  const published = (count: number, first = 0) =>
    Effect.map(
      emulator.use((service) =>
        service.publishAll(numbers(count, first).map((message) => ({ channel: "a", message, publisher: "ada" })))
      ),
      (timetokens) => timetokens.map((timetoken) => Number(BigInt(timetoken) - BigInt(ticks(0))))
    )

  /** Which of these moments a cursor names. */
  const named = (event: SubscribeEvent.SubscribeEvent | undefined, moments: ReadonlyArray<number>) => {
    const names = marksOf(cursorOf(event))
    return moments.flatMap((n, index) => Marks.has(names, Marks.of(`${ticks(n)}/a/ada`)) ? [index] : [])
  }

  const reading = (reader: Reader, lasting: Duration.Input) =>
    Effect.gen(function*() {
      const all: Array<SubscribeEvent.SubscribeEvent> = []
      yield* Effect.forkChild(Effect.forever(Effect.map(reader.pull, (part) => all.push(...part))))
      yield* VirtualTime.advance(lasting)
      return all
    })

  it.effect("has cursors that name all that it got, also if it is later, and nothing else", () =>
    Effect.gen(function*() {
      const moments = yield* published(6)
      const { reader } = yield* readerOf({ capacity: 2, strategy: "catchUp" })
      // History has the first and the fifth one, too, but they come to this reader later.
      reader.offer(eventsOf([2, 3, 1, 5].map((index) => moments[index]!)))
      const all = yield* reading(reader, "1 minute")
      const events = all.filter(({ _tag }) => _tag === "Message")
      assert.deepStrictEqual(events.length, 4)
      assert.deepStrictEqual(named(events[2], moments), [1, 2, 3])
      assert.deepStrictEqual(named(events[3], moments), [1, 2, 3, 5])
      for (const event of events) assert.strictEqual(cursorOf(event)?.recent?.since, ticks(1))
    }).pipe(Effect.provide(emulated())))

  it.effect("has cursors from which nothing comes again, when it had more than a cursor names", () =>
    Effect.gen(function*() {
      const moments = (yield* published(571)).slice(1)
      const { reader } = yield* readerOf({ capacity: 540, strategy: "catchUp" })
      const events = eventsOf(moments)
      // The connection is ahead of what this reader takes.
      reader.offer(events.map((event) => ({ ...event, cursor: { ...event.cursor!, position: ticks(moments[569]!) } })))
      const all = yield* reading(reader, "1 minute")
      assert.deepStrictEqual(payloads(all).length, 570)
      const from = cursorOf(all.at(-1))!
      assert.deepStrictEqual(from.recent?.sums?.[0]?.[0], ticks(moments[540]! - 1))
      const ledger = new Ledger(from, () => {})
      ledger.begin(from)
      ledger.open({ reason: "LongBreak", from, to: ticks(moments[569]!), page: [] })
      const again = ledger.found(moments.map((n) => arrival(n)), from, BigInt(ticks(moments[569]!)) + 1n, true)
      assert.deepStrictEqual(payloads(again.map(({ event }) => event)), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("names them later, too, where it has cursors of its own", () =>
    Effect.gen(function*() {
      const earlier = yield* published(2)
      const from = { ...at(-1), recent: { since: ticks(0), marks: "" } }
      const { reader } = yield* readerOf({ from, capacity: 1, strategy: "catchUp" }, ["a"], second)
      const all = yield* reading(reader, "3 seconds")
      const later = yield* published(3, 2)
      reader.offer(eventsOf(later))
      yield* VirtualTime.advance("1 second")
      reader.offer(eventsOf([later[2]! + 1]))
      yield* VirtualTime.advance("1 second")
      const moments = [...earlier, ...later, later[2]! + 1]
      assert.deepStrictEqual(payloads(all), [...numbers(2), later[0]!, 3, 4, later[2]! + 1])
      assert.deepStrictEqual(named(all.at(-1), moments), numbers(6))
    }).pipe(Effect.provide(emulated())))
})

describe("a reader that resumes in the middle of a page", () => {
  const late = 20 * second

  /** It had the first of the page that its connection stands before, which others had whole. */
  const resumed = (moments: ReadonlyArray<number>) =>
    Effect.tap(
      readerOf(
        {
          from: { ...at(0), delivered: [Marks.of(`${ticks(late + 1)}/a/ada`)], recent: { since: ticks(1), marks: "" } },
          capacity: 2,
          strategy: "catchUp"
        },
        ["a"],
        late
      ),
      ({ reader }) => Effect.sync(() => reader.offer(eventsOf(moments)))
    )

  /** The events that the cursor of an event names. */
  const namedBy = (event: SubscribeEvent.SubscribeEvent | undefined) => {
    const cursor = cursorOf(event)
    return [...Marks.split(cursor?.recent?.marks ?? ""), ...cursor?.delivered ?? []]
  }

  /** What it takes within a minute, in which it reads history. */
  const within = (
    reader: Reader,
    during: Effect.Effect<void, never, PubNubEmulator.PubNubEmulator> = Effect.void
  ) =>
    Effect.gen(function*() {
      const all: Array<SubscribeEvent.SubscribeEvent> = []
      const fiber = yield* Effect.forkChild(
        Effect.forever(Effect.map(reader.pull, (part) => all.push(...part)))
      )
      yield* VirtualTime.advance("1 minute")
      yield* during
      yield* VirtualTime.advance("1 minute")
      yield* Fiber.interrupt(fiber)
      return all
    })

  it.effect("gets no Gap for an event that it had before", () =>
    Effect.gen(function*() {
      const { reader } = yield* resumed([late + 1])
      assert.deepStrictEqual(tags(yield* within(reader)), ["Connected"])
    }).pipe(Effect.provide(emulated())))

  it.effect("gets it no second time in an old page, and takes no later event for it", () =>
    Effect.gen(function*() {
      const end = late + 60 * second
      const delivered = [late + 1, end, end + 1].map((n) => Marks.of(`${ticks(n)}/a/ada`))
      const from = { ...at(late), delivered, recent: { since: ticks(1), marks: "" } }
      const { reader } = yield* readerOf({ from, strategy: "catchUp" }, ["a"], late)
      const all = yield* within(
        reader,
        Effect.sync(() => reader.offer(eventsOf([3_600 * second, late + 1, end, end + 1])))
      )
      assert.deepStrictEqual(payloads(all), [3_600 * second, end + 1])
    }).pipe(Effect.provide(emulated())))

  it.effect("gets an event that shares its id with one that it had", () =>
    Effect.gen(function*() {
      const { reader } = yield* resumed([])
      const both = [late + 1, late + 1].map((moment, payload) => arrival(moment, { payload }))
      const ledger = new Ledger(undefined, () => {})
      ledger.begin(at(0))
      const events = ledger.live(both, at(0), at(late + 1)).map(({ event }) => event)
      assert.deepStrictEqual(payloads(yield* within(reader, Effect.sync(() => reader.offer(events)))), [1])
    }).pipe(Effect.provide(emulated())))

  it.effect("has room for as many new events as its capacity says", () =>
    Effect.gen(function*() {
      const { reader } = yield* resumed([])
      const all = yield* within(reader, Effect.sync(() => reader.offer(eventsOf([1, 2, 3].map((n) => late + n)))))
      assert.deepStrictEqual(tags(all), ["Connected", "Message", "Message"])
    }).pipe(Effect.provide(emulated())))

  it.effect("has cursors that name the events it got of the page, also after it has read history", () =>
    Effect.gen(function*() {
      const { reader } = yield* resumed([])
      const all = yield* within(
        reader,
        Effect.sync(() => reader.offer(eventsOf([1, 2, 3, 4].map((n) => late + n)).slice(0, 3)))
      )
      assert.deepStrictEqual(payloads(all), [late + 2, late + 3])
      assert.deepStrictEqual(namedBy(all.at(-1)), [1, 2, 3].map((n) => Marks.of(`${ticks(late + n)}/a/ada`)))
    }).pipe(Effect.provide(emulated())))

  /** Publishes so many messages, and gives their moments. */
  const published = (count: number) =>
    Effect.map(
      emulator.use((service) =>
        service.publishAll(numbers(count).map((message) => ({ channel: "a", message, publisher: "ada" })))
      ),
      (timetokens) => timetokens.map((timetoken) => Number(BigInt(timetoken) - BigInt(ticks(0))))
    )

  it.effect("names an event once that came from history and from its connection", () =>
    Effect.gen(function*() {
      const moments = yield* published(3)
      const newest = moments[2]! + 1
      const { reader } = yield* readerOf(
        { from: { ...at(-1), recent: { since: ticks(0), marks: "" } } },
        ["a"],
        second
      )
      const page = eventsOf([...moments, newest, newest + 1])
      const all = yield* within(reader, Effect.sync(() => reader.offer(page.slice(0, 4))))
      assert.deepStrictEqual(payloads(all), [...numbers(3), newest])
      const marks = namedBy(all.at(-1))
      assert.deepStrictEqual(marks, [...new Set(marks)])
      assert.lengthOf(marks, 4)
    }).pipe(Effect.provide(emulated())))

  it.effect("gets no event of a sum from a connection that is behind", () =>
    Effect.gen(function*() {
      const moments = yield* published(3)
      const end = ticks(moments[2]!)
      const sum = Marks.sum(moments.map((moment) => Marks.of(`${ticks(moment)}/a/ada`)))
      const recent = { since: ticks(0), marks: "", sums: [[end, 3, sum]] as const }
      const { reader } = yield* readerOf({ from: { ...at(0), position: end, recent } }, ["a"], second)
      const all = yield* within(reader, Effect.sync(() => reader.offer(eventsOf(moments))))
      assert.deepStrictEqual(tags(all), ["Connected"])
    }).pipe(Effect.provide(emulated())))

  it.effect("gets events of a name that begins while it reads history from its connection alone", () =>
    Effect.gen(function*() {
      const timetokens = yield* emulator.use((service) =>
        service.publishAll(["a", "b", "b"].map((channel) => ({ channel, message: "history", publisher: "ada" })))
      )
      const [first, ...later] = timetokens.map((timetoken) => Number(BigInt(timetoken) - BigInt(ticks(0))))
      yield* Faults.Faults.use((faulty) =>
        faulty.add({ on: "history", fault: Faults.Fault.ServerError({ status: 503, handled: false }) })
      )
      const { reader } = yield* readerOf({ from: at(-1) }, ["a"], second)
      const [b] = reader.add([Subscription.channel("b")])
      const all: Array<SubscribeEvent.SubscribeEvent> = []
      yield* Effect.forkChild(Effect.forever(Effect.map(reader.pull, (part) => all.push(...part))))
      yield* VirtualTime.advance("10 millis")
      assert.deepStrictEqual(tags(all), ["Connected", "Interrupted"])
      reader.begin(b!, at(first!))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(tags(all).slice(2), ["Reconnected", "Message", "ChannelsChanged"])
      reader.offer(eventsOf(later, { channel: "b" }))
      yield* VirtualTime.advance(0)
      assert.deepStrictEqual(payloads(all), ["history", ...later])
    }).pipe(Effect.provide(emulated())))

  it.effect("gets no more of history of a name that was removed, though it is added again", () =>
    Effect.gen(function*() {
      yield* emulator.use((service) =>
        service.publishAll(
          numbers(150).map((message) => ({ channel: message < 149 ? "a" : "b", message, publisher: "ada" }))
        )
      )
      const { reader } = yield* readerOf({ from: at(-1) }, ["a", "b"], second)
      const pulled = yield* Effect.forkChild(Effect.andThen(reader.pull, reader.pull))
      yield* VirtualTime.advance("1 second")
      const first = payloads(yield* Fiber.join(pulled))
      assert.isNotEmpty(first)
      assert.isBelow(first.length, 149)
      const members = [Subscription.channel("a")]
      reader.remove(members)
      for (const key of reader.add(members)) reader.begin(key, at(-1))
      assert.deepStrictEqual(payloads(yield* within(reader)), [149])
    }).pipe(Effect.provide(emulated())))

  it.effect("asks history for no name that was removed meanwhile", () =>
    Effect.gen(function*() {
      yield* emulator.use((service) =>
        service.publishAll([
          { channel: "b", message: 0 },
          ...numbers(1_000).map((message) => ({ channel: "a", message }))
        ])
      )
      const { reader } = yield* readerOf({ from: at(-1) }, ["a", "b"], second)
      const asked = Effect.map(requestsTo("/v3/history"), (requests) =>
        requests.map(({ target }) => /channel\/([^?]*)/.exec(target)?.[1]))
      yield* Effect.forkChild(Effect.andThen(reader.pull, reader.pull))
      yield* VirtualTime.advance("1 second")
      assert.strictEqual((yield* asked).at(-1), "a,b")
      reader.remove([Subscription.channel("a")])
      yield* within(reader)
      assert.strictEqual((yield* asked).at(-1), "b")
    }).pipe(Effect.provide(emulated())))

  it.effect("gets one of two copies of a message from history", () =>
    Effect.gen(function*() {
      const copy = { channel: "a", message: "once", meta: { heraldId: "1" }, publisher: "ada" }
      yield* emulator.use((service) => service.publishAll([copy, copy]))
      const { reader } = yield* readerOf(
        { from: { ...at(-1), recent: { since: ticks(0), marks: "" } } },
        ["a"],
        second
      )
      assert.deepStrictEqual(payloads(yield* within(reader)), ["once"])
    }).pipe(Effect.provide(emulated())))

  it.effect("keeps the position of its beginning while its connection is before it", () =>
    Effect.gen(function*() {
      const { reader } = yield* readerOf({}, ["a"], 5)
      yield* taken(reader)
      reader.offer(eventsOf([6, 7, 8]).slice(0, 2))
      const cursors = (yield* taken(reader)).all.map((event) => "cursor" in event ? event.cursor?.position : undefined)
      assert.deepStrictEqual(cursors, [ticks(5), ticks(5)])
    }).pipe(Effect.provide(emulated())))
})
