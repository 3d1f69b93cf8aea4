/** Readers that survive their process: nothing that was published is left out, whenever they are killed. */
import { assert, describe, it } from "@effect/vitest"
import * as EffectClock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Pull from "effect/Pull"
import * as KeyValueStore from "effect/persistence/KeyValueStore"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Cursor from "effect-herald/Cursor"
import * as CursorStore from "effect-herald/CursorStore"
import {
  type PubNubConfig,
  Subscribe,
  type SubscribeError,
  type SubscribeEvent,
  Subscriber
} from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { emulated } from "../kit/emulated.ts"
import { root } from "../kit/scratch.ts"
import * as TestClock from "effect/testing/TestClock"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { casesOf, isLong } from "../simulation/seeds.ts"

const world = (options?: Parameters<typeof emulated>[0]) => Layer.merge(emulated(options), CursorStore.layerMemory)

const emulator = PubNubEmulator.PubNubEmulator
const target = { channels: ["a"], reader: "billing" }

const publish = (...messages: ReadonlyArray<unknown>) =>
  Effect.flatMap(
    emulator,
    (service) => Effect.forEach(messages, (message) => service.publish({ channel: "a", message }), { discard: true })
  )

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

describe("consume", () => {
  it.effect("resumes from its last commit, and starts from now on when it is new", () =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      const run = Subscribe.consume((message) => Effect.sync(() => handled.push(message.payload)), target)
      yield* publish("before the first time")
      for (let round = 0; round < 3; round++) {
        const fiber = yield* Effect.forkChild(run)
        yield* VirtualTime.advance("1 second")
        yield* publish(round * 10, round * 10 + 1)
        yield* VirtualTime.advance("1 second")
        yield* Fiber.interrupt(fiber)
        yield* publish(round * 10 + 2)
      }
      assert.deepStrictEqual(handled, [0, 1, 2, 10, 11, 12, 20, 21])
      // Killed before anything was published: the start itself is kept.
      const other = Subscribe.consume(() => Effect.void, { ...target, reader: "other" })
      const fiber = yield* Effect.forkChild(other)
      yield* VirtualTime.advance("1 second")
      yield* Fiber.interrupt(fiber)
      const kept = yield* CursorStore.CursorStore.use((store) => store.load("other"))
      assert.isDefined(kept)
    }).pipe(Effect.provide(world())))

  it.effect("loses nothing when it is killed while it cannot join a shared connection that is ahead", () =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      const statuses: Array<string> = []
      const run = Effect.forkChild(
        Subscribe.consume((message) => Effect.sync(() => handled.push(message.payload)), {
          ...target,
          onStatus: ({ _tag }) => Effect.sync(() => statuses.push(_tag))
        })
      )
      yield* Effect.forkChild(Stream.runDrain(Subscribe.stream({ channels: ["b"] })))
      const first = yield* run
      yield* VirtualTime.advance("1 second")
      yield* Fiber.interrupt(first)
      yield* publish(1, 2)
      yield* emulator.use((service) => service.publish({ channel: "b", message: "ahead" }))
      yield* VirtualTime.advance("1 second")
      yield* Faults.Faults.use(({ add }) =>
        add({ on: "handshake", fault: Faults.Fault.ServerError({ status: 500, handled: false }) })
      )
      const second = yield* run
      yield* VirtualTime.advance("40 millis")
      assert.deepStrictEqual(statuses, ["Connected", "Interrupted"])
      yield* Fiber.interrupt(second)
      yield* run
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(handled, [1, 2])
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), world()))))

  it.effect("retries a failing handler by its schedule, then calls deadLetter, and continues", () =>
    Effect.gen(function*() {
      const tries: Array<unknown> = []
      const dead: Array<unknown> = []
      yield* Effect.forkChild(Subscribe.consume(
        (message) =>
          Effect.suspend(() => {
            tries.push(message.payload.id)
            return message.payload.id === 2 ? Effect.fail("declined" as const) : Effect.void
          }),
        {
          ...target,
          schema: Schema.Struct({ id: Schema.Int }),
          retry: Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(2)]),
          deadLetter: (message, error) => Effect.sync(() => dead.push([message.payload.id, error]))
        }
      ))
      yield* VirtualTime.advance("1 second")
      yield* publish({ id: 1 }, { id: 2 }, { id: 3 })
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(tries, [1, 2, 2, 2, 3])
      assert.deepStrictEqual(dead, [[2, "declined"]])
    }).pipe(Effect.provide(world())))

  it.effect("ends with the failure of the handler without deadLetter, and handles the message again after it", () =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      let broken = true
      const run = Subscribe.consume(
        (message) =>
          message.payload === 2 && broken
            ? Effect.fail("broken" as const)
            : Effect.sync(() => handled.push(message.payload)),
        target
      )
      const first = yield* Effect.forkChild(Effect.flip(run))
      yield* VirtualTime.advance("1 second")
      yield* publish(1, 2, 3)
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* Fiber.join(first), "broken")
      broken = false
      const second = yield* Effect.forkChild(run)
      yield* VirtualTime.advance("1 second")
      yield* Fiber.interrupt(second)
      assert.deepStrictEqual(handled.slice(-2), [2, 3])
      assert.isAtMost(handled.filter((payload) => payload === 1).length, 2)
    }).pipe(Effect.provide(world())))

  it.effect("handles as many messages at once as concurrency says", () =>
    Effect.gen(function*() {
      let running = 0
      let most = 0
      yield* Subscribe.consume(
        () =>
          Effect.acquireUseRelease(
            Effect.sync(() => {
              most = Math.max(most, ++running)
            }),
            () => Effect.sleep("1 second"),
            () => Effect.sync(() => running--)
          ),
        { ...target, concurrency: 4 }
      ).pipe(Effect.forkChild)
      yield* VirtualTime.advance("1 second")
      // One that comes alone holds the reader while the others gather.
      yield* publish(...numbers(0, 20))
      yield* VirtualTime.advance("20 seconds")
      assert.strictEqual(most, 4)
    }).pipe(Effect.provide(world())))

  it.effect("page by page retries, dead-letters and commits whole pages, as many at once as concurrency says", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const tries: Array<number> = []
      const dead: Array<number> = []
      let running = 0
      let most = 0
      const run = Subscribe.consumePages(
        (messages) =>
          Effect.gen(function*() {
            most = Math.max(most, ++running)
            tries.push(messages.length)
            yield* Effect.ensuring(Effect.sleep("1 second"), Effect.sync(() => running--))
            if (messages.some(({ payload }) => payload === 250)) return yield* Effect.fail("deadlock" as const)
          }),
        {
          ...target,
          concurrency: 2,
          retry: Schedule.recurs(1),
          deadLetter: (messages, error) => Effect.sync(() => error === "deadlock" && dead.push(messages.length))
        }
      )
      const first = yield* Effect.forkChild(run)
      yield* VirtualTime.advance("1 second")
      yield* service.publishAll(numbers(0, 320).map((message) => ({ channel: "a", message })))
      yield* VirtualTime.advance("10 seconds")
      assert.strictEqual(most, 2)
      assert.strictEqual(dead.length, 1)
      assert.strictEqual(tries.reduce((sum, length) => sum + length, 0), 320 + dead[0]!)
      yield* Fiber.interrupt(first)
      yield* Effect.forkChild(run)
      yield* VirtualTime.advance("5 seconds")
      assert.strictEqual(tries.reduce((sum, length) => sum + length, 0), 320 + dead[0]!, "all was committed")
    }).pipe(Effect.provide(world())))

  it.effect("handles a message once that was sent twice with one id, also after a restart", () =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      const run = Subscribe.consume((message) => Effect.sync(() => handled.push(message.payload)), target)
      const service = yield* emulator
      const copies = (...ids: ReadonlyArray<string>) =>
        service.publishAll(ids.map((id) => ({ channel: "a", message: id, meta: { heraldId: id } })))
      const first = yield* Effect.forkChild(run)
      yield* VirtualTime.advance("1 second")
      yield* copies("x", "x", "y", "x")
      yield* VirtualTime.advance("1 second")
      yield* copies("y")
      yield* VirtualTime.advance("1 second")
      yield* copies("z", "z")
      yield* VirtualTime.advance("1 second")
      yield* Fiber.interrupt(first)
      yield* Effect.forkChild(run)
      yield* VirtualTime.advance("1 second")
      yield* publish("end")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(handled, ["x", "y", "z", "end"])
    }).pipe(Effect.provide(world())))

  it.effect("ends with the defect of a handler that dies, and handles the message again after it", () =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      let broken = true
      const run = Subscribe.consume(
        (message) =>
          Effect.sync(() => {
            if (message.payload === 2 && broken) throw new Error("a bug")
            handled.push(message.payload)
          }),
        // What a handler did not foresee is neither tried again nor set aside.
        { ...target, retry: Schedule.forever, deadLetter: () => Effect.void }
      )
      const first = yield* Effect.forkChild(run)
      yield* VirtualTime.advance("1 second")
      yield* publish(1, 2, 3)
      yield* VirtualTime.advance("1 second")
      const exit = yield* Fiber.await(first)
      assert.isTrue(Exit.hasDies(exit))
      broken = false
      yield* Effect.forkChild(run)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(handled.slice(-2), [2, 3])
    }).pipe(Effect.provide(world())))

  it.effect("waits for a handler that hangs, until Effect.timeout makes it a failure", () =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      const dead: Array<unknown> = []
      const handler = (message: SubscribeEvent.Message) =>
        message.payload === 2 ? Effect.never : Effect.sync(() => handled.push(message.payload))
      const hanging = yield* Effect.forkChild(Subscribe.consume(handler, target))
      yield* VirtualTime.advance("1 second")
      yield* publish(1, 2, 3)
      yield* VirtualTime.advance("1 hour")
      assert.deepStrictEqual(handled, [1])
      yield* Fiber.interrupt(hanging)
      yield* Effect.forkChild(
        Subscribe.consume((message) => Effect.timeout(handler(message), "10 seconds"), {
          ...target,
          deadLetter: (message, error) => Effect.sync(() => dead.push([message.payload, error._tag]))
        })
      )
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(dead, [[2, "TimeoutError"]])
      assert.deepStrictEqual(handled.at(-1), 3)
    }).pipe(Effect.provide(world())))

  const stores: ReadonlyArray<readonly [string, string, Layer.Layer<KeyValueStore.KeyValueStore>]> = [
    [
      "holds rubbish",
      "load",
      Layer.succeed(
        KeyValueStore.KeyValueStore,
        KeyValueStore.makeStringOnly({
          get: () => Effect.succeed("{\"position\":"),
          set: () => Effect.void,
          remove: () => Effect.void,
          clear: Effect.void,
          size: Effect.succeed(1),
          keys: Effect.succeed([])
        })
      )
    ],
    [
      "cannot be read",
      "load",
      Layer.succeed(
        KeyValueStore.KeyValueStore,
        KeyValueStore.makeStringOnly({
          get: (key) =>
            Effect.fail(new KeyValueStore.KeyValueStoreError({ method: "get", key, message: "no such disk" })),
          set: () => Effect.void,
          remove: () => Effect.void,
          clear: Effect.void,
          size: Effect.succeed(0),
          keys: Effect.succeed([])
        })
      )
    ],
    [
      "cannot write",
      "save",
      Layer.succeed(
        KeyValueStore.KeyValueStore,
        KeyValueStore.makeStringOnly({
          get: () => Effect.undefined,
          set: (key) => Effect.fail(new KeyValueStore.KeyValueStoreError({ method: "set", key, message: "disk full" })),
          remove: () => Effect.void,
          clear: Effect.void,
          size: Effect.succeed(0),
          keys: Effect.succeed([])
        })
      )
    ]
  ]
  it.effect.each(stores)(
    "fails with CursorStoreError when the store %s",
    ([, operation, store]) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Effect.flip(Subscribe.consume(() => Effect.void, target)))
        yield* VirtualTime.advance("1 minute")
        const error: SubscribeError.SubscribeError | CursorStore.CursorStoreError = yield* Fiber.join(fiber)
        if (error._tag !== "CursorStoreError") return assert.fail(error._tag)
        assert.strictEqual(error.operation, operation)
        assert.strictEqual(error.reader, "billing")
      }).pipe(Effect.provide(Layer.merge(emulated(), Layer.provide(CursorStore.layerKeyValueStore, store))))
  )
})

it.effect.each<Cursor.Cursor>([
  { position: "yesterday", delivered: [] },
  { position: "0", delivered: [] },
  { position: "17900000000000000", delivered: [], recent: { since: "x", marks: "" } },
  { position: "17900000000000000", delivered: [], hole: "1.5" }
])("store and reader refuse a malformed cursor: %j", (cursor) =>
  Effect.gen(function*() {
    const refused = yield* Effect.flip(CursorStore.CursorStore.use((store) => store.save("billing", cursor)))
    assert.strictEqual(refused.kind, "Invalid")
    const careless = CursorStore.CursorStore.of({ load: () => Effect.succeed(cursor), save: () => Effect.void })
    const error = yield* Subscribe.consume(() => Effect.void, target).pipe(
      Effect.provideService(CursorStore.CursorStore, careless),
      Effect.flip
    )
    if (error._tag !== "SubscribeError") return assert.fail(error._tag)
    assert.include(error.message, "from is not a cursor or a timetoken of 17 digits")
  }).pipe(Effect.provide(world())))

// --------------------------------------------------------------------------------------------------------------------
// how a reader ends, and a store that misbehaves
// --------------------------------------------------------------------------------------------------------------------

/** The store of the world, with what is done to it first. It notes the cursors that it saved. */
const storeThat = (before: () => Effect.Effect<void, CursorStore.CursorStoreError>) =>
  Effect.map(CursorStore.CursorStore, (store) => {
    const saves: Array<Cursor.Cursor> = []
    return {
      saves,
      store: CursorStore.CursorStore.of({
        load: store.load,
        save: (reader, cursor) =>
          Effect.suspend(before).pipe(
            Effect.andThen(store.save(reader, cursor)),
            Effect.tap(() => Effect.sync(() => saves.push(cursor)))
          )
      })
    }
  })

const unavailable = new CursorStore.CursorStoreError({
  operation: "save",
  kind: "Unavailable",
  reader: "billing",
  description: "disk full"
})

const many = (count: number) =>
  Effect.flatMap(
    emulator,
    (service) => service.publishAll(numbers(0, count).map((message) => ({ channel: "a", message })))
  )

describe("a reader that ends in order", () => {
  const ends: ReadonlyArray<readonly [string, (run: Run) => Effect.Effect<Effect.Effect<unknown>, never, Needs>]> = [
    ["is interrupted", (run) => Effect.map(Effect.forkChild(run), Fiber.interrupt)],
    [
      "is in a scope that closes",
      (run) =>
        Effect.flatMap(Scope.make(), (scope) => Effect.as(Effect.forkIn(run, scope), Scope.close(scope, Exit.void)))
    ]
  ]

  it.effect.each(ends)(
    "and %s after 59 of 80 messages repeats only the one in hand",
    ([, begin]) =>
      Effect.gen(function*() {
        const handled: Array<unknown> = []
        const run = Subscribe.consume(
          (message) => Effect.delay(Effect.sync(() => handled.push(message.payload)), "100 millis"),
          target
        )
        const end = yield* begin(run)
        yield* VirtualTime.advance("1 second")
        yield* many(80)
        for (let waited = 0; handled.length < 59 && waited < 100; waited++) yield* VirtualTime.advance("100 millis")
        yield* end
        const before = handled.length
        assert.isAtLeast(before, 59)
        assert.isBelow(before, 80)
        yield* Effect.forkChild(run)
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(handled, numbers(0, 80))
      }).pipe(Effect.provide(world()))
  )

  it.effect("with 4 at once never skips a message that was not handled", () =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      let stuck = true
      const run = Subscribe.consume(
        (message) =>
          message.payload === 30 && stuck
            ? Effect.never
            : Effect.delay(Effect.sync(() => handled.push(message.payload)), "100 millis"),
        { ...target, concurrency: 4 }
      )
      const first = yield* Effect.forkChild(run)
      yield* VirtualTime.advance("1 second")
      yield* many(80)
      yield* VirtualTime.advance("1500 millis")
      yield* Fiber.interrupt(first)
      assert.notInclude(handled, 30)
      assert.isAbove(handled.length, 35)
      stuck = false
      const before = handled.length
      yield* Effect.forkChild(run)
      yield* VirtualTime.advance("10 seconds")
      // What was done behind the one that was in hand comes again, and nothing before it.
      assert.deepStrictEqual(handled.slice(before), numbers(30, 80))
    }).pipe(Effect.provide(world())))

  const failures: ReadonlyArray<readonly [string, Effect.Effect<never, "declined">]> = [
    ["fails", Effect.fail("declined")],
    ["dies", Effect.die("a bug")]
  ]
  it.effect.each(failures)(
    "by a handler that %s has committed the messages before",
    ([, failure]) =>
      Effect.gen(function*() {
        const handled: Array<unknown> = []
        let broken = true
        const run = Subscribe.consume(
          (message) => message.payload === 59 && broken ? failure : Effect.sync(() => handled.push(message.payload)),
          target
        )
        const first = yield* Effect.forkChild(Effect.exit(run))
        yield* VirtualTime.advance("1 second")
        yield* many(80)
        yield* VirtualTime.advance("1 second")
        assert.isTrue(Exit.isFailure(yield* Fiber.join(first)))
        broken = false
        yield* Effect.forkChild(run)
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(handled, numbers(0, 80))
      }).pipe(Effect.provide(world()))
  )

  it.effect("by a failure of the subscription has committed the messages before", () =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      const run = Subscribe.consume((message) => Effect.sync(() => handled.push(message.payload)), {
        ...target,
        reconnect: { ServerFailure: Schedule.recurs(0) }
      })
      const first = yield* Effect.forkChild(Effect.exit(run))
      yield* VirtualTime.advance("1 second")
      for (const id of numbers(0, 4)) {
        yield* publish(id)
        yield* VirtualTime.advance("20 millis")
      }
      const faults = yield* Faults.Faults
      yield* faults.add({ fault: Faults.Fault.ServerError({ status: 503, handled: false }), times: 1 })
      yield* publish(4)
      yield* VirtualTime.advance("1 second")
      yield* faults.heal
      assert.isDefined(first.pollUnsafe(), "ended")
      yield* Effect.forkChild(run)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(handled, numbers(0, 5))
    }).pipe(Effect.provide(Layer.provideMerge(Faults.layer(), world()))))

  it.effect("page by page has committed the pages before", () =>
    Effect.gen(function*() {
      const handled: Array<ReadonlyArray<unknown>> = []
      const run = Subscribe.consumePages(
        (messages) =>
          Effect.delay(Effect.sync(() => handled.push(messages.map(({ payload }) => payload))), "100 millis"),
        target
      )
      const first = yield* Effect.forkChild(run)
      yield* VirtualTime.advance("1 second")
      yield* publish(0)
      yield* VirtualTime.advance("50 millis")
      yield* publish(1, 2)
      yield* VirtualTime.advance("100 millis")
      assert.deepStrictEqual(handled, [[0]])
      yield* Fiber.interrupt(first)
      yield* Effect.forkChild(run)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(handled, [[0], [1, 2]])
    }).pipe(Effect.provide(world())))
})

describe("a cursor store", () => {
  const hung = [
    ["never returns", Effect.never],
    ["cannot be interrupted", Effect.uninterruptible(Effect.never)]
  ] as const
  const readers: ReadonlyArray<readonly [string, (handler: () => Effect.Effect<void>) => Run]> = [
    ["consume", (handler) => Subscribe.consume(handler, target)],
    ["consumePages", (handler) => Subscribe.consumePages(handler, target)],
    ["pages", (handler) => Stream.runForEach(Subscribe.pages(target), (page) => Effect.andThen(handler(), page.commit))]
  ]
  it.effect.each(hung.flatMap(([how, save]) => readers.map(([name, run]) => [how, name, save, run] as const)))(
    "whose save %s does not keep %s from ending for more than six seconds",
    ([, , save, run]) =>
      Effect.gen(function*() {
        const { store } = yield* storeThat(() => save)
        const fiber = yield* Effect.forkChild(
          Effect.provideService(run(() => Effect.void), CursorStore.CursorStore, store)
        )
        yield* VirtualTime.advance("1 second")
        yield* publish(1)
        yield* VirtualTime.advance("1 second")
        const ended = yield* Effect.forkChild(Fiber.interrupt(fiber))
        yield* VirtualTime.advance("4 seconds")
        assert.isUndefined(ended.pollUnsafe())
        yield* VirtualTime.advance("2 seconds")
        assert.isDefined(ended.pollUnsafe())
      }).pipe(Effect.provide(world()))
  )

  it.effect("that does not answer within 30 seconds is called again, and the reader continues", () =>
    Effect.gen(function*() {
      let hanging = true
      const { saves, store } = yield* storeThat(() => hanging ? Effect.never : Effect.void)
      const handled: Array<unknown> = []
      const fiber = yield* Effect.forkChild(Effect.provideService(
        Subscribe.consume((message) => Effect.sync(() => handled.push(message.payload)), target),
        CursorStore.CursorStore,
        store
      ))
      yield* VirtualTime.advance("1 second")
      yield* publish(1)
      yield* VirtualTime.advance("20 seconds")
      hanging = false
      assert.strictEqual(saves.length, 0)
      yield* VirtualTime.advance("11 seconds")
      yield* publish(2)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(handled, [1, 2])
      assert.isAtLeast(saves.length, 2)
      assert.isUndefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(world())))

  it.effect.each(hung.flatMap(([how, load]) => readers.map(([name, run]) => [how, name, load, run] as const)))(
    "whose load %s is called again after 30 seconds by %s, which fails when its schedule ends, or ends at once",
    ([, , load, run]) =>
      Effect.gen(function*() {
        const { store } = yield* storeThat(() => Effect.void)
        const runWith = (load: CursorStore.CursorStore["Service"]["load"]) =>
          Effect.forkChild(
            Effect.flip(Effect.provideService(run(() => Effect.void), CursorStore.CursorStore, { ...store, load }))
          )
        let loads = 0
        const recovers = yield* runWith((reader) => Effect.suspend(() => ++loads === 1 ? load : store.load(reader)))
        const hangs = yield* runWith(() => load)
        yield* VirtualTime.advance("29 seconds")
        assert.strictEqual(loads, 1)
        yield* VirtualTime.advance("2 seconds")
        assert.strictEqual(loads, 2)
        yield* VirtualTime.advance("10 minutes")
        const error = yield* Fiber.join(hangs)
        assert.deepInclude(error, { _tag: "CursorStoreError", operation: "load", kind: "Unavailable" })
        assert.isUndefined(recovers.pollUnsafe())
        const interrupted = yield* runWith(() => load)
        yield* VirtualTime.advance("1 second")
        yield* Effect.forkChild(Fiber.interrupt(interrupted))
        yield* VirtualTime.advance("1 second")
        assert.isDefined(interrupted.pollUnsafe())
      }).pipe(Effect.provide(world()))
  )

  it.effect("that fails is called again by commitRetry, and the reader continues", () =>
    Effect.gen(function*() {
      const tries: Array<number> = []
      let failures = 3
      const { saves, store } = yield* storeThat(() =>
        Effect.flatMap(EffectClock.currentTimeMillis, (now) => {
          tries.push(now)
          return failures-- > 0 ? Effect.fail(unavailable) : Effect.void
        })
      )
      const handled: Array<unknown> = []
      const run = (commitRetry?: Schedule.Schedule<unknown>) =>
        Effect.provideService(
          Subscribe.consume((message) => Effect.sync(() => handled.push(message.payload)), { ...target, commitRetry }),
          CursorStore.CursorStore,
          store
        )
      const fiber = yield* Effect.forkChild(run(Schedule.spaced("2 seconds")))
      yield* VirtualTime.advance("1 second")
      yield* publish(1)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(tries.slice(1, 4).map((at, index) => at - (tries[index] ?? 0)), [2_000, 2_000, 2_000])
      assert.deepStrictEqual(handled, [1])
      assert.isAbove(saves.length, 0)
      yield* Fiber.interrupt(fiber)
      failures = 1
      const other = yield* Effect.forkChild(Effect.flip(run(Schedule.recurs(0))))
      yield* VirtualTime.advance("1 second")
      yield* publish(2)
      yield* VirtualTime.advance("1 second")
      assert.strictEqual((yield* Fiber.join(other))._tag, "CursorStoreError")
      failures = 1
      yield* Effect.forkChild(run())
      yield* VirtualTime.advance("1 second")
      yield* publish(3)
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(handled.at(-1), 3)
      assert.isAbove(saves.length, 1)
    }).pipe(Effect.provide(world())))

  it.effect("that is down stops the reader after one hundred to two hundred messages", () =>
    Effect.gen(function*() {
      const { store } = yield* storeThat(() => Effect.fail(unavailable))
      const handled: Array<unknown> = []
      const fiber = yield* Effect.forkChild(Effect.provideService(
        Subscribe.consume((message) => Effect.sync(() => handled.push(message.payload)), {
          ...target,
          commitRetry: Schedule.spaced("1 second")
        }),
        CursorStore.CursorStore,
        store
      ))
      yield* VirtualTime.advance("1 second")
      for (const id of numbers(0, 300)) {
        yield* publish(id)
        yield* VirtualTime.advance("50 millis")
      }
      assert.isAtLeast(handled.length, 99)
      assert.isBelow(handled.length, 200)
      yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* VirtualTime.advance("6 seconds")
    }).pipe(Effect.provide(world())))

  it.effect("is called four times a second at most, and once more when the channel becomes quiet", () =>
    Effect.gen(function*() {
      const { saves, store } = yield* storeThat(() => Effect.void)
      let last: Cursor.Cursor | undefined
      let count = 0
      yield* Effect.forkChild(Effect.provideService(
        Subscribe.consume((message) =>
          Effect.sync(() => {
            last = message.cursor
            count++
          }), target),
        CursorStore.CursorStore,
        store
      ))
      yield* VirtualTime.advance("1 second")
      const seconds = isLong ? 10 : 4
      for (const id of numbers(0, seconds * 100)) {
        yield* publish(id)
        yield* VirtualTime.advance("10 millis")
      }
      assert.strictEqual(count, seconds * 100)
      assert.isAtMost(saves.length, seconds * 4 + 2)
      assert.isAtLeast(saves.length, seconds * 4 - 2)
      yield* VirtualTime.advance("250 millis")
      assert.deepStrictEqual(saves.at(-1), last)
    }).pipe(Effect.provide(world())))
})

// --------------------------------------------------------------------------------------------------------------------
// killed at random
// --------------------------------------------------------------------------------------------------------------------

type Handle = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) => Effect.Effect<void>
type Failure = SubscribeError.SubscribeError | CursorStore.CursorStoreError
type Needs = HttpClient.HttpClient | PubNubConfig.PubNubConfig | CursorStore.CursorStore
type Pages = Stream.Stream<Subscribe.Page, Failure, Needs>
type Run = Effect.Effect<unknown, Failure, Needs>

const done = (handle: Handle) => (page: Subscribe.Page) => Effect.andThen(handle(page.items), page.commit)

// What people put between pages and their handler. Whatever it pulls ahead, a page is committed by who handled it.
const pipelines: { readonly [name: string]: (pages: Pages, handle: Handle) => Run } = {
  runForEach: (pages, handle) => Stream.runForEach(pages, done(handle)),
  map: (pages, handle) => Stream.runForEach(Stream.map(pages, done(handle)), (handled) => handled),
  mapEffect: (pages, handle) => Stream.runDrain(Stream.mapEffect(pages, done(handle))),
  "mapEffect, 4 at once": (pages, handle) => Stream.runDrain(Stream.mapEffect(pages, done(handle), { concurrency: 4 })),
  "mapEffect, unordered": (pages, handle) =>
    Stream.runDrain(Stream.mapEffect(pages, done(handle), { concurrency: 4, unordered: true })),
  flatMap: (pages, handle) => Stream.runDrain(Stream.flatMap(pages, (page) => Stream.fromEffect(done(handle)(page)))),
  "flatMap, 4 at once": (pages, handle) =>
    Stream.runDrain(Stream.flatMap(pages, (page) => Stream.fromEffect(done(handle)(page)), { concurrency: 4 })),
  tap: (pages, handle) => Stream.runForEach(Stream.tap(pages, () => Effect.sleep("50 millis")), done(handle)),
  mapAccum: (pages, handle) =>
    Stream.runForEach(
      Stream.mapAccum(pages, () => 0, (count, page) => [count + page.items.length, [{ count, page }]]),
      ({ page }) => done(handle)(page)
    ),
  buffer: (pages, handle) => Stream.runForEach(Stream.buffer(pages, { capacity: 16 }), done(handle)),
  bufferArray: (pages, handle) => Stream.runForEach(Stream.bufferArray(pages, { capacity: 16 }), done(handle)),
  rechunk: (pages, handle) => Stream.runForEach(Stream.rechunk(pages, 1), done(handle)),
  groupedWithin: (pages, handle) =>
    Stream.runForEach(Stream.groupedWithin(pages, 3, "1 second"), (group) => Effect.forEach(group, done(handle))),
  groupByKey: (pages, handle) =>
    Stream.runDrain(
      Stream.flatMap(
        Stream.groupByKey(pages, (page) => page.items.length % 2),
        ([, group]) => Stream.mapEffect(group, done(handle)),
        { concurrency: "unbounded" }
      )
    ),
  partition: (pages, handle) =>
    Effect.scoped(
      Effect.flatMap(
        Stream.partition(pages, (page) => page.items.length > 1 ? Result.succeed(page) : Result.fail(page)),
        (both) =>
          Effect.forEach(both, (pages) => Stream.runForEach(pages, done(handle)), { concurrency: 2, discard: true })
      )
    ),
  throttle: (pages, handle) =>
    Stream.runForEach(
      Stream.throttle(pages, { cost: () => 1, units: 5, duration: "1 second", strategy: "shape" }),
      done(handle)
    ),
  merge: (pages, handle) => Stream.runForEach(Stream.merge(pages, Stream.never), done(handle)),
  mergeAll: (pages, handle) =>
    Stream.runForEach(Stream.mergeAll([pages, Stream.never], { concurrency: 2 }), done(handle)),
  zip: (pages, handle) =>
    Stream.runForEach(Stream.zip(pages, Stream.iterate(0, (n) => n + 1)), ([page]) => done(handle)(page)),
  zipWithIndex: (pages, handle) => Stream.runForEach(Stream.zipWithIndex(pages), ([page]) => done(handle)(page)),
  timeout: (pages, handle) => Stream.runForEach(Stream.timeout(pages, "1 hour"), done(handle)),
  interruptWhen: (pages, handle) => Stream.runForEach(Stream.interruptWhen(pages, Effect.never), done(handle)),
  share: (pages, handle) =>
    Effect.scoped(
      Effect.flatMap(Stream.share(pages, { capacity: 16 }), (shared) => Stream.runForEach(shared, done(handle)))
    ),
  toQueue: (pages, handle) =>
    Effect.scoped(
      Effect.flatMap(Stream.toQueue(pages, { capacity: 16 }), (queue) =>
        Stream.runForEach(Stream.fromQueue(queue), done(handle)))
    ),
  toPull: (pages, handle) =>
    Effect.scoped(
      Effect.flatMap(Stream.toPull(pages), (pull) =>
        Effect.flatMap(pull, (pages) =>
          Effect.forEach(pages, done(handle))).pipe(
            Effect.forever,
            Pull.catchDone(() => Effect.void)
          ))
    ),
  retry: (pages, handle) =>
    pages.pipe(
      // Half of the time the page was handled, and its commit never came.
      Stream.mapEffect((page) =>
        Effect.gen(function*() {
          if ((yield* Random.nextIntBetween(0, 4)) === 0) return yield* Effect.fail("flaky" as const)
          yield* handle(page.items)
          if ((yield* Random.nextIntBetween(0, 4)) === 0) return yield* Effect.fail("flaky" as const)
          yield* page.commit
        })
      ),
      Stream.retry(Schedule.spaced("100 millis")),
      Stream.runDrain,
      Effect.catchIf((error) => error === "flaky", () => Effect.void)
    ),
  repeat: (pages, handle) =>
    pages.pipe(Stream.take(2), Stream.mapEffect(done(handle)), Stream.repeat(Schedule.forever), Stream.runDrain)
}

it.effect.each(["debounce", "switchMap"])(
  "pages that %s leaves out are not committed, and come again at the next start",
  (operator) =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      const handle: Handle = (events) =>
        Effect.forEach(events, (event) =>
          Effect.sync(() => {
            if (event._tag === "Message") handled.push(event.payload)
          }).pipe(Effect.delay("100 millis")), { discard: true })
      const pages = Subscribe.pages(target)
      const lossy = operator === "debounce"
        ? Stream.runForEach(Stream.debounce(pages, "1 second"), done(handle))
        : Stream.runDrain(Stream.switchMap(pages, (page) => Stream.fromEffect(done(handle)(page))))
      const fiber = yield* Effect.forkChild(lossy)
      yield* VirtualTime.advance("5 seconds")
      for (const id of numbers(0, 5)) {
        yield* publish(id)
        yield* VirtualTime.advance("50 millis")
      }
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(handled, [4])
      yield* Fiber.interrupt(fiber)
      yield* Effect.forkChild(Stream.runForEach(pages, done(handle)))
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(handled.slice(1), [0, 1, 2, 3, 4])
    }).pipe(Effect.provide(world()))
)

const messages = isLong ? 60 : 30

const survive = Effect.fnUntraced(function*(run: (handle: Handle) => Run) {
  const handled = new Set<unknown>()
  const handle: Handle = Effect.fnUntraced(function*(events) {
    for (const event of events) {
      if (event._tag !== "Message") continue
      yield* Effect.sleep(Duration.millis(yield* Random.nextIntBetween(0, 300)))
      handled.add(event.payload)
    }
  })
  const reader = Effect.forkChild(run(handle))
  let fiber = yield* reader
  yield* VirtualTime.advance("5 minutes")
  for (let id = 0; id < messages; id++) {
    yield* publish(id)
    yield* VirtualTime.advance(Duration.millis(yield* Random.nextIntBetween(0, 700)))
    // A process that is killed leaves nothing behind and says nothing.
    if ((yield* Random.nextIntBetween(0, 6)) === 0) {
      yield* Fiber.interrupt(fiber).pipe(Effect.timeoutOption("2 seconds"), Effect.forkChild)
      yield* VirtualTime.advance(Duration.millis(yield* Random.nextIntBetween(0, 5_000)))
      fiber = yield* reader
    }
  }
  yield* Faults.Faults.use((faults) => faults.heal)
  yield* VirtualTime.advance("5 minutes")
  assert.deepStrictEqual(numbers(0, messages).filter((id) => !handled.has(id)), [], "lost")
  yield* Effect.forkChild(Fiber.interrupt(fiber))
  yield* VirtualTime.advance("2 seconds")
})

const reconnect: Subscribe.Reconnect = { AccessDenied: Retry.reconnect }

describe("a reader that is killed at random, and started again", () => {
  it.effect.each(Object.entries(pipelines))(
    "loses nothing with pages through %s",
    ([, pipeline]) =>
      Effect.forEach(
        numbers(0, isLong ? 10 : 1),
        (seed) =>
          survive((handle) => pipeline(Subscribe.pages({ ...target, reconnect }), handle)).pipe(
            Effect.provide(Layer.provideMerge(world(), TestClock.layer())),
            Random.withSeed(seed)
          ),
        { discard: true }
      ),
    60_000
  )

  it("docs/reference/durable.md names each operator", () => {
    const rows = Fs.readFileSync(Path.join(root, "docs/reference/durable.md"), "utf8").matchAll(
      /^\| `([^`]+)` \| 0 \|/gm
    )
    assert.deepStrictEqual([...rows].map(([, name]) => name), Object.keys(pipelines))
  })

  it.effect(
    "loses nothing with consume and every kind of fault",
    () =>
      Effect.forEach(
        numbers(0, casesOf(3, 100)),
        (seed) =>
          survive((handle) =>
            Subscribe.consume((message) => handle([message]), { ...target, reconnect, concurrency: 1 + seed % 3 })
          ).pipe(
            Effect.provide(
              Faults.layer({ chance: { seed, rate: 0.1 } }).pipe(
                Layer.provideMerge(world()),
                Layer.provideMerge(TestClock.layer())
              )
            ),
            Random.withSeed(seed),
            Effect.catchDefect((defect) => Effect.die(new Error(`seed ${seed}: ${String(defect)}`)))
          ),
        { discard: true }
      ),
    120_000
  )
})
