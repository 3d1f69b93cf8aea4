/** What a program shares: by transport, configuration and filter, for as long as somebody uses it. */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { PubNubConfig, Subscribe, type SubscribeEvent, Subscriber, Subscription } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import { Registry } from "../../../src/pubnub/internal/reading/registry.ts"
import { Explainer } from "../../../src/pubnub/internal/wire/explainer.ts"
import { emulated, requestsTo } from "../../kit/emulated.ts"
import { payloads } from "../../kit/events.ts"
import { numbers } from "./arrivals.ts"

const emulator = PubNubEmulator.PubNubEmulator
const faults = Faults.Fault

const again = Schedule.spaced("1 second")
const registryOf = () => new Registry({ ServerFailure: again, Transport: again, AccessDenied: again })

const options: PubNubConfig.Options = {
  subscribeKey: "demo-sub",
  publishKey: "demo-pub",
  userId: "ada",
  origin: "emulator"
}
const withConfig = (changes: Partial<PubNubConfig.Options>) =>
  Effect.provide(PubNubConfig.layer({ ...options, ...changes }))

const collect = <A, E, R>(stream: Stream.Stream<A, E, R>, within: Duration.Input = "1 second") =>
  Effect.gen(function*() {
    const seen: Array<A> = []
    const fiber = yield* Effect.forkChild(
      Effect.exit(Stream.runForEach(stream, (event) => Effect.sync(() => seen.push(event))))
    )
    yield* VirtualTime.advance(within)
    return { seen, fiber }
  })

const publish = (message: unknown, channel = "a") => emulator.use((service) => service.publish({ channel, message }))

const polls = emulator.use((service) => service.readers)

/** Longer than what one address holds. */
const names = Array.from({ length: 400 }, (_, n) => `name-${n}-`.padEnd(80, "x"))

const engineOf = (registry: ReturnType<typeof registryOf>, filter: string | undefined) =>
  Effect.map(registry.lease(filter), ({ engine }) => engine)

describe("a lease", () => {
  it.effect("gives one engine per transport, configuration by value, filter, and what explains refusals", () =>
    Effect.gen(function*() {
      const registry = registryOf()
      const secret = () => ({ secretKey: Redacted.make("secret"), authToken: Redacted.make("token") })
      const first = yield* withConfig(secret())(engineOf(registry, undefined))
      assert.strictEqual(yield* withConfig(secret())(engineOf(registry, undefined)), first)
      assert.strictEqual(yield* withConfig({ ...secret(), publishKey: "other" })(engineOf(registry, undefined)), first)
      const others = [
        yield* withConfig({ ...secret(), subscribeKey: "other" })(engineOf(registry, undefined)),
        yield* withConfig({ ...secret(), userId: "bob" })(engineOf(registry, undefined)),
        yield* withConfig({ ...secret(), authToken: Redacted.make("other") })(engineOf(registry, undefined)),
        yield* withConfig({ ...secret(), queueLength: 50 })(engineOf(registry, undefined)),
        yield* withConfig(secret())(engineOf(registry, "data.n > 1")),
        yield* withConfig(secret())(
          Effect.flatMap(HttpClient.HttpClient, (client) =>
            Effect.provideService(
              engineOf(registry, undefined),
              HttpClient.HttpClient,
              HttpClient.mapRequest(client, (request) => request)
            ))
        ),
        yield* withConfig(secret())(
          Effect.provideService(engineOf(registry, undefined), Explainer, () => Effect.undefined)
        )
      ]
      assert.strictEqual(new Set([first, ...others]).size, 8)
      assert.strictEqual(yield* withConfig(secret())(engineOf(registry, "data.n > 1")), others[4])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("gives one engine to fibers that ask at the same time", () =>
    Effect.gen(function*() {
      for (let most = 4; most < 24; most++) {
        const registry = registryOf()
        const engines = yield* Effect.all([engineOf(registry, undefined), engineOf(registry, undefined)], {
          concurrency: "unbounded"
        }).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, most))
        assert.strictEqual(engines[0], engines[1], `after ${most} operations`)
      }
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("of another filter keeps a group that is forgotten while its engine is made", () =>
    Effect.gen(function*() {
      for (let most = 4; most < 24; most++) {
        const registry = registryOf()
        const { giveBack } = yield* registry.lease("data.n > 1")
        const [engine] = yield* Effect.all([engineOf(registry, undefined), giveBack()], {
          concurrency: "unbounded"
        }).pipe(Effect.provideService(Scheduler.MaxOpsBeforeYield, most))
        assert.strictEqual(yield* engineOf(registry, undefined), engine, `after ${most} operations`)
      }
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("leaves its channels before the registry is closed, and is forgotten then", () =>
    Effect.gen(function*() {
      const registry = registryOf()
      const closing = () => registry["closing"].size
      const { engine, giveBack } = yield* registry.lease(undefined)
      const channel = Subscription.channel("a")
      const reader = engine.join([channel], { from: undefined, capacity: 1, strategy: "dropping", within: 0 })
      yield* VirtualTime.advance("1 second")
      yield* giveBack(reader)
      assert.strictEqual(closing(), 1)
      const closed = yield* Effect.forkChild(registry.close)
      yield* VirtualTime.advance("50 millis")
      assert.isUndefined(closed.pollUnsafe())
      yield* VirtualTime.advance("1 second")
      assert.isDefined(closed.pollUnsafe())
      assert.strictEqual(closing(), 0)
    }).pipe(Effect.provide(emulated({ emulator: { latency: Effect.succeed("100 millis") } }))))

  it.effect("ends its engine with the last user, and gives the next one another", () =>
    Effect.gen(function*() {
      const registry = registryOf()
      const brief = Effect.flatMap(registry.lease(undefined), ({ engine, giveBack }) => Effect.as(giveBack(), engine))
      const one = yield* registry.lease(undefined)
      const other = yield* registry.lease(undefined)
      yield* one.giveBack()
      assert.strictEqual(yield* brief, one.engine)
      yield* other.giveBack()
      yield* VirtualTime.advance("2 seconds")
      const late = one.engine.join([], { from: undefined, capacity: 1, strategy: "dropping", within: 0 })
      assert.isTrue(late.hasEnded)
      assert.notStrictEqual(yield* brief, one.engine)
    }).pipe(Effect.provide(emulated())))

  it.effect("that is given back with its reader takes the reader's names from the engine", () =>
    Effect.gen(function*() {
      const registry = registryOf()
      const { engine, giveBack } = yield* registry.lease(undefined)
      yield* registry.lease(undefined)
      const join = () =>
        engine.join([Subscription.channel("a")], { from: undefined, capacity: 1, strategy: "dropping", within: 0 })
      const reader = join()
      assert.deepStrictEqual([...engine.keys], ["c a"])
      yield* giveBack(reader)
      assert.deepStrictEqual([...engine.keys], [])
      const other = join()
      yield* registry.unsubscribeAll
      assert.isTrue(other.hasEnded)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("of a closed registry gives an engine that ends its readers at once", () =>
    Effect.gen(function*() {
      const registry = registryOf()
      yield* registry.close
      const { engine } = yield* registry.lease(undefined)
      const reader = engine.join([], { from: undefined, capacity: 1, strategy: "dropping", within: 0 })
      assert.isTrue(reader.hasEnded)
      assert.deepStrictEqual(yield* Stream.runCollect(registry.statuses), [])
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("statuses of a configuration", () => {
  /** Reads one channel for a second. */
  const readOnce = (registry: Registry) =>
    Effect.gen(function*() {
      const { engine, giveBack } = yield* registry.lease(undefined)
      const channel = Subscription.channel("a")
      const reader = engine.join([channel], { from: undefined, capacity: 1, strategy: "dropping", within: 0 })
      yield* VirtualTime.advance("1 second")
      yield* giveBack(reader)
      yield* VirtualTime.advance("2 seconds")
    })

  it.effect("go to everyone who listens, and go on when another engine takes over", () =>
    Effect.gen(function*() {
      const registry = registryOf()
      const listeners = [yield* collect(registry.statuses), yield* collect(registry.statuses)]
      yield* readOnce(registry)
      yield* readOnce(registry)
      for (const { seen } of listeners) {
        assert.deepStrictEqual(seen.map(({ _tag }) => _tag), ["Connected", "Connected"])
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("end when the registry closes", () =>
    Effect.gen(function*() {
      const registry = registryOf()
      const { fiber } = yield* collect(registry.statuses)
      yield* registry.close
      yield* VirtualTime.advance("1 second")
      assert.isDefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(emulated())))

  it.effect("wait for a slow listener, up to the newest 1,000", () =>
    Effect.gen(function*() {
      const registry = registryOf()
      const seen: Array<string> = []
      yield* Effect.forkScoped(Stream.runForEach(registry.statuses, ({ _tag }) => {
        seen.push(_tag)
        return Effect.sleep(seen.length === 1 ? "1 minute" : 0)
      }))
      yield* Effect.yieldNow
      yield* readOnce(registry)
      assert.deepStrictEqual(seen, ["Connected"])
      const { engine } = yield* registry.lease(undefined)
      engine.join([Subscription.channel("a")], { from: undefined, capacity: 1, strategy: "dropping", within: 0 })
      for (let n = 0; n < 550; n++) yield* Effect.andThen(registry.switchOff, registry.switchOn)
      yield* VirtualTime.advance("2 minutes")
      assert.lengthOf(seen, 1_001)
      yield* registry.close
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("are forgotten with it when nobody listens, reads or has switched it off", () =>
    Effect.gen(function*() {
      const registry = registryOf()
      const known = () => registry["groups"].size
      const { fiber } = yield* collect(registry.statuses)
      yield* readOnce(registry)
      assert.strictEqual(known(), 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(known(), 0)
      const { giveBack } = yield* registry.lease(undefined)
      yield* registry.subscribed
      assert.strictEqual(known(), 1)
      yield* giveBack()
      assert.strictEqual(known(), 0)
      yield* registry.switchOff
      yield* registry.subscribed
      assert.strictEqual(known(), 1)
      yield* registry.switchOn
      assert.strictEqual(known(), 0)
      yield* registry.unsubscribeAll
      assert.strictEqual(known(), 0)
      yield* registry.subscribed
      assert.strictEqual(known(), 0)
    }).pipe(Effect.provide(emulated())))
})

describe("a reader that left while its stream still holds it", () => {
  const a = Subscription.channel("a")

  it.effect("changes no names of others when its set changes", () =>
    Effect.gen(function*() {
      const { engine } = yield* registryOf().lease(undefined)
      const join = () => engine.join([a], { from: undefined, capacity: 1, strategy: "dropping", within: 0 })
      const out = join()
      join()
      engine.leave(out)
      engine.remove(out, [a])
      engine.add(out, [Subscription.channel("b")])
      assert.deepStrictEqual([...engine.keys], ["c a"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("gets nothing more of a name that another reader still has", () =>
    Effect.gen(function*() {
      const { engine } = yield* registryOf().lease(undefined)
      const join = () => engine.join([a], { from: undefined, capacity: 1, strategy: "dropping", within: 0 })
      const [out, stays] = [join(), join()]
      yield* VirtualTime.advance("1 second")
      engine.leave(out)
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual([out.isFull, stays.isFull], [false, true])
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("a reader that holds back all others", () => {
  it.effect("lets the gap be filled for them when it leaves", () =>
    Effect.gen(function*() {
      const { engine } = yield* registryOf().lease(undefined)
      const a = Subscription.channel("a")
      const full = engine.join([a], { from: undefined, capacity: 1, strategy: "suspend", within: Infinity })
      const other = engine.join([a], { from: undefined, capacity: 1_000, strategy: "dropping", within: Infinity })
      yield* VirtualTime.advance("1 second")
      yield* emulator.use((service) => service.publishAll(numbers(150).map((message) => ({ channel: "a", message }))))
      yield* VirtualTime.advance("10 seconds")
      assert.isTrue(full.isFull)
      engine.leave(full)
      const { seen } = yield* collect(Stream.fromPull(Effect.succeed(other.pull)), "10 seconds")
      assert.deepStrictEqual(payloads(seen), numbers(150))
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("an engine", () => {
  it.effect("is held back by a full reader with suspend, and not after it has left", () =>
    Effect.gen(function*() {
      const engine = yield* engineOf(registryOf(), undefined)
      const full = () => engine["core"].full.size
      const join = (strategy: "dropping" | "suspend") =>
        engine.join([Subscription.channel("a")], { from: undefined, capacity: 1, strategy, within: Infinity })
      const [reader] = [join("suspend"), join("dropping")]
      yield* VirtualTime.advance("1 second")
      yield* publish(0)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual([full(), yield* polls], [1, 0])
      engine.leave(reader)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual([full(), yield* polls], [0, 1])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("keeps nothing of the work that has ended, and ends all of it when it is closed", () =>
    Effect.gen(function*() {
      const { engine } = yield* registryOf().lease(undefined)
      const join = (channel: string) =>
        engine.join([Subscription.channel(channel)], { from: undefined, capacity: 1, strategy: "dropping", within: 0 })
      join("a")
      yield* VirtualTime.advance("1 second")
      const before = engine["running"].size
      for (let n = 0; n < 10; n++) {
        const reader = join(`b-${n}`)
        yield* VirtualTime.advance("1 second")
        engine.leave(reader)
        yield* VirtualTime.advance("1 second")
      }
      assert.strictEqual(engine["running"].size, before)
      yield* engine.close
      yield* Effect.yieldNow
      assert.strictEqual(engine["running"].size, 0)
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("a reader of thousands of names", () => {
  it.effect("leaves all of them", () =>
    Effect.gen(function*() {
      const { engine } = yield* registryOf().lease(undefined)
      const names = Array.from({ length: 4_000 }, (_, n) => Subscription.channel(`channel-${n}`))
      const reader = engine.join(names, { from: undefined, capacity: 1, strategy: "dropping", within: 0 })
      assert.lengthOf([...engine.keys], 4_000)
      engine.leave(reader)
      assert.deepStrictEqual([...engine.keys], [])
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("a shared connection", () => {
  /** A clock that throws once when it is asked for the time. */
  const breakable = Effect.map(Clock.Clock, (clock) => {
    let isBroken = false
    const broken: Clock.Clock = Object.assign({}, clock, {
      monotonicTimeNanosUnsafe: () => {
        if (!isBroken) return clock.monotonicTimeNanosUnsafe()
        isBroken = false
        throw new Error("boom")
      }
    })
    return {
      broken,
      breakOnce: () => {
        isBroken = true
      },
      isBroken: () => isBroken
    }
  })

  const twoKeysets = emulated({
    emulator: {
      keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub" }, { subscribeKey: "other", publishKey: "other" }]
    }
  })

  it.effect("is one per keyset and filter, and equal ones share it", () =>
    Effect.gen(function*() {
      const one = yield* collect(Subscribe.stream({ channels: ["a"] }))
      const same = yield* collect(
        Subscribe.stream({ channels: ["b"] }).pipe(Stream.provide(PubNubConfig.layer({ ...options, publishKey: "x" })))
      )
      const other = yield* collect(
        Subscribe.stream({ channels: ["a"] }).pipe(
          Stream.provide(PubNubConfig.layer({ ...options, subscribeKey: "other" }))
        )
      )
      const filtered = yield* collect(Subscribe.stream({ channels: ["a"], filter: "data.n > 1" }))
      assert.strictEqual(yield* polls, 3)
      yield* publish({ n: 1 })
      yield* publish({ n: 2 })
      yield* publish("b", "b")
      yield* emulator.use((service) => service.keyset("other").publish({ channel: "a", message: "theirs" }))
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(one.seen), [{ n: 1 }, { n: 2 }])
      assert.deepStrictEqual(payloads(same.seen), ["b"])
      assert.deepStrictEqual(payloads(other.seen), ["theirs"])
      assert.deepStrictEqual(payloads(filtered.seen), [{ n: 2 }])
      assert.deepStrictEqual(yield* Subscriber.subscribed, { channels: ["a", "b"], groups: [] })
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), twoKeysets))))

  it.effect("of a nested layer is separate from the outer one", () =>
    Effect.gen(function*() {
      const outer = yield* collect(Subscribe.stream({ channels: ["a"] }))
      const inner = yield* Layer.build(Subscriber.layer())
      const nested = yield* collect(Stream.provideContext(Subscribe.stream({ channels: ["a"] }), inner))
      const second = yield* collect(Stream.provideContext(Subscribe.stream({ channels: ["b"] }), inner))
      assert.strictEqual(yield* polls, 2)
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual([outer, nested, second].map(({ seen }) => payloads(seen)), [[1], [1], []])
    }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))

  it.effect("ends with its last stream, and leaves once", () =>
    Effect.gen(function*() {
      const one = yield* collect(Subscribe.stream({ channels: ["a"] }))
      const other = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* Fiber.interrupt(one.fiber)
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* polls, 1)
      yield* Fiber.interrupt(other.fiber)
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(yield* polls, 0)
      const leaves = yield* requestsTo("/v2/presence/sub-key/demo-sub/channel/a/leave")
      assert.strictEqual(leaves.length, 1)
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))

  it.effect("leaves the names of its first handshake when it ends before the answer", () =>
    Effect.gen(function*() {
      const { fiber } = yield* collect(Subscribe.stream({ channels: ["a"] }), "20 millis")
      yield* Fiber.interrupt(fiber)
      yield* VirtualTime.advance("1 second")
      assert.lengthOf(yield* requestsTo("/v2/subscribe"), 1)
      assert.lengthOf(yield* requestsTo("/v2/presence/sub-key/demo-sub/channel/a/leave"), 1)
    }).pipe(
      Effect.provide(
        Layer.provideMerge(Subscriber.layer(), emulated({ emulator: { latency: Effect.succeed("100 millis") } }))
      )
    ))

  it.effect("ends its streams with the layer, and begins no other", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(Subscriber.layer(), scope)
      const stream = Stream.provideContext(Subscribe.stream({ channels: ["a"] }), context)
      const { fiber, seen } = yield* collect(stream)
      yield* Scope.close(scope, Exit.void)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(fiber.pollUnsafe(), Exit.succeed(Exit.void))
      assert.deepStrictEqual(seen.map(({ _tag }) => _tag), ["Connected"])
      const after = yield* collect(stream)
      assert.deepStrictEqual(after.seen, [])
      assert.isDefined(after.fiber.pollUnsafe())
      assert.strictEqual(yield* polls, 0)
    }).pipe(Effect.provide(emulated())))

  it.effect("serves a reader that joins right after the last one left, while it pauses and is renewed", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["a"] }))
      const first = yield* collect(Subscribe.stream({ channels: names }))
      yield* emulator.use((service) => service.restart)
      yield* Fiber.interrupt(first.fiber)
      yield* Subscriber.reconnect
      const { seen } = yield* collect(Subscribe.stream({ channels: names }))
      yield* publish(1, names.at(-1))
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))

  it.effect("serves a reader that joins right after it gave up on its last one", () =>
    Effect.gen(function*() {
      // It keeps the engine.
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
      const { seen } = yield* collect(Stream.catch(set.stream, () => Subscribe.stream({ channels: ["b"] })))
      yield* emulator.use((service) => service.deny({ channels: ["a"] }))
      yield* emulator.use((service) => service.restart)
      yield* VirtualTime.advance("5 minutes")
      yield* publish(1, "b")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))

  it.effect("stays off for a reader that joins right after its last one ended by a defect", () =>
    Effect.gen(function*() {
      const { breakOnce, broken, isBroken } = yield* breakable
      yield* Effect.gen(function*() {
        const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
        const { seen } = yield* collect(Stream.catch(set.stream, () => Subscribe.stream({ channels: ["b"] })))
        yield* Subscriber.disconnect
        breakOnce()
        yield* VirtualTime.advance("1 minute")
        assert.isFalse(isBroken())
        assert.strictEqual(yield* polls, 0)
        yield* Subscriber.reconnect
        yield* VirtualTime.advance("1 second")
        yield* publish(1, "b")
        yield* VirtualTime.advance("1 second")
        assert.deepStrictEqual(payloads(seen), [1])
      }).pipe(Effect.provideService(Clock.Clock, broken))
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))

  it.effect("still notices a poll that no one answers after its readers ended by a defect", () =>
    Effect.gen(function*() {
      const { breakOnce, broken, isBroken } = yield* breakable
      yield* Effect.gen(function*() {
        // It keeps the engine.
        const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
        yield* collect(set.stream)
        // Nothing but the watch looks at the clock while a poll waits.
        breakOnce()
        yield* VirtualTime.advance("10 seconds")
        assert.isFalse(isBroken())
        yield* Faults.Faults.use((faulty) => faulty.add({ on: "poll", fault: faults.HalfOpen(), times: 1 }))
        const { seen } = yield* collect(Subscribe.stream({ channels: ["b"] }))
        yield* publish(1, "b")
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(payloads(seen), [1])
      }).pipe(Effect.provideService(Clock.Clock, broken))
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))

  it.effect("serves streams that begin again when unsubscribeAll has ended them", () =>
    Effect.gen(function*() {
      const readers = yield* Effect.forEach(["a", "b"], (channel) => {
        const stream = Subscribe.stream({ channels: [channel] })
        return collect(Stream.concat(stream, stream))
      })
      yield* Subscriber.unsubscribeAll
      yield* VirtualTime.advance("1 second")
      for (const channel of ["a", "b"]) yield* publish(channel, channel)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(readers.map(({ seen }) => payloads(seen)), [["a"], ["b"]])
      yield* Fiber.interrupt(readers[0]!.fiber)
      assert.deepStrictEqual((yield* Subscriber.subscribed).channels, ["b"])
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))

  it.effect("that begins while switched off stays off until reconnect", () =>
    Effect.gen(function*() {
      yield* Subscriber.disconnect
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(seen, [])
      assert.strictEqual(yield* polls, 0)
      yield* Subscriber.reconnect
      yield* VirtualTime.advance("1 second")
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))
})

describe("a connection with several readers", () => {
  const failureOf = (exit: Exit.Exit<unknown, unknown> | undefined) =>
    exit !== undefined && Exit.isSuccess(exit) ? exit.value : undefined

  const shared = Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))
  const b = Subscription.channel("b")
  const onMessage = <A, E>(then: Effect.Effect<A, E>) => (event: SubscribeEvent.SubscribeEvent) =>
    event._tag === "Message" ? Effect.asVoid(then) : Effect.void

  it.effect("loses nothing of a page in the middle of which one reader changes the names of another", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
      yield* collect(Stream.tap(Subscribe.stream({ channels: ["control"] }), onMessage(set.add(b))))
      yield* collect(Subscribe.stream({ channels: ["a"] }))
      const { seen } = yield* collect(set.stream)
      yield* emulator.use((service) => service.publishAll(["control", "a"].map((channel) => ({ channel, message: 1 }))))
      yield* publish(2, "a")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1, 2])
    }).pipe(shared))

  it.effect("gives a page once to a reader that takes over the names of another in the middle of it", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
      const { seen } = yield* collect(Stream.tap(set.stream, onMessage(set.add(b))))
      yield* collect(Subscribe.stream({ channels: ["a", "b"] }))
      yield* publish(1, "a")
      yield* VirtualTime.advance("1 second")
      yield* publish(2, "b")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1, 2])
    }).pipe(shared))

  it.effect("tells once that it is switched off, however often that is asked for", () =>
    Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* Effect.andThen(Subscriber.disconnect, Subscriber.disconnect)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(seen.map(({ _tag }) => _tag), ["Connected", "Disconnected"])
    }).pipe(shared))

  it.effect("tells each status once to a reader that changes its names for it", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
      const { seen } = yield* collect(
        Stream.tap(set.stream, ({ _tag }) => _tag === "Disconnected" ? set.add(b) : Effect.void)
      )
      yield* Subscriber.disconnect
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(seen.map(({ _tag }) => _tag), ["Connected", "Disconnected"])
    }).pipe(shared))

  it.effect("connects a reader whose names another one changes when it is connected", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
      const first = Stream.tap(Subscribe.stream({ channels: ["a"] }), () => set.add(b))
      yield* Effect.forkChild(Effect.exit(Stream.runDrain(first)))
      const { seen } = yield* collect(set.stream)
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
    }).pipe(shared))

  it.effect("does not connect a reader that joins as others are told that it is switched off", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["b"] }))
      const first = Stream.takeUntil(Subscribe.stream({ channels: ["a"] }), ({ _tag }) => _tag === "Disconnected")
      const { seen } = yield* collect(Stream.concat(first, Subscribe.stream({ channels: ["b"] })))
      yield* Subscriber.disconnect
      yield* VirtualTime.advance("1 second")
      const tags = () => seen.map(({ _tag }) => _tag).filter((tag) => tag !== "Disconnected")
      assert.deepStrictEqual(tags(), ["Connected"])
      yield* Subscriber.reconnect
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(tags(), ["Connected", "Connected"])
    }).pipe(shared))

  it.effect.each(
    [
      [
        "GapSuspected",
        emulator.use((service) => service.publishAll(numbers(150).map((message) => ({ channel: "a", message }))))
      ],
      ["Interrupted", emulator.use((service) => service.restart)],
      ["Disconnected", Subscriber.disconnect]
    ] as const
  )("tells %s once to a stream that starts again each time", ([tag, cause]) =>
    Effect.gen(function*() {
      const stream = Subscribe.stream({ channels: ["a"], catchUp: "none" })
      yield* collect(stream)
      let count = 0
      const one = Stream.takeUntil(stream, (event) => event._tag === tag && ++count > 0)
      yield* collect(Stream.flatMap(Stream.range(1, 50), () => one))
      yield* cause
      yield* VirtualTime.advance("1 second")
      assert.strictEqual(count, 1)
    }).pipe(shared))

  it.effect("goes on with a stream that starts again, and reconnects, when its connection has failed", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
      const { seen } = yield* collect(
        Stream.catchTag(set.stream, "SubscribeError", () => Stream.unwrap(Effect.as(Subscriber.reconnect, set.stream)))
      )
      yield* emulator.use((service) => service.restart)
      yield* VirtualTime.advance("1 second")
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
    }).pipe(
      Effect.provide(Layer.provideMerge(
        Subscriber.layer({ reconnect: { Transport: Schedule.recurs(0) } }),
        emulated()
      ))
    ))

  it.effect("ends the interruption of a set whose last name is removed", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({ channels: ["a"] })
      const { seen } = yield* collect(set.stream)
      yield* emulator.use((service) => service.restart)
      yield* set.remove("a")
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(seen.map(({ _tag }) => _tag), ["Connected", "Interrupted", "Reconnected"])
    }).pipe(shared))

  it.effect("connects a stream that waits for gaps in another way to a name that it knows", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["a"] }))
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"], catchUp: "none" }))
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(payloads(seen), [1])
      assert.lengthOf(seen.filter(({ _tag }) => _tag === "Connected"), 1)
    }).pipe(shared))

  it.effect("connects a stream that begins in an outage only when the service answers again", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["a"] }))
      const failing = { fault: faults.ServerError({ status: 503, handled: false }), lasting: "10 seconds" } as const
      yield* Faults.Faults.use((faulty) => faulty.add(failing))
      yield* emulator.use((service) => service.restart)
      yield* VirtualTime.advance("1 second")
      const { seen } = yield* collect(Subscribe.stream({ channels: ["a"] }))
      const tags = () => seen.map(({ _tag }) => _tag).filter((tag) => tag !== "Interrupted")
      assert.deepStrictEqual(tags(), [])
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(tags(), ["Connected"])
    }).pipe(shared))

  it.effect("begins a stream without history behind a page that was too large", () =>
    Effect.gen(function*() {
      const stream = Subscribe.stream({ channels: ["a"], catchUp: "none" })
      const first = yield* collect(stream)
      yield* emulator.use((service) => service.publishAll(numbers(60).map((message) => ({ channel: "a", message }))))
      yield* VirtualTime.advance("1 second")
      const second = yield* collect(stream)
      const [gap] = first.seen.filter((event) => event._tag === "GapSuspected")
      const [connected] = second.seen
      assert.strictEqual(
        connected?._tag === "Connected" ? String(BigInt(connected.cursor.position) + 1n) : undefined,
        gap?.before
      )
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated({ config: { maxAnswerSize: 4_000 } })))))

  it.effect("ends only the readers of a refused name, with their cursor", () =>
    Effect.gen(function*() {
      const a = yield* collect(Subscribe.stream({ channels: ["a"] }))
      const b = yield* collect(Subscribe.stream({ channels: ["b"] }))
      const both = yield* collect(Subscribe.stream({ channels: ["a", "b"] }))
      yield* publish(1, "a")
      yield* publish(2, "b")
      yield* VirtualTime.advance("1 second")
      yield* emulator.use((service) => service.deny({ channels: ["b"] }))
      yield* emulator.use((service) => service.restart)
      yield* VirtualTime.advance("5 minutes")
      assert.isUndefined(a.fiber.pollUnsafe())
      for (const reader of [b, both]) {
        const exit = failureOf(reader.fiber.pollUnsafe())
        const error = Exit.isExit(exit) && Exit.isFailure(exit) ? exit.cause.reasons[0] : undefined
        assert.deepInclude(JSON.parse(JSON.stringify(error)), { _tag: "Fail" })
        const text = JSON.stringify(error)
        assert.include(text, "AccessDenied")
        const last = reader.seen.findLast((event) => event._tag === "Message")
        assert.include(text, last?._tag === "Message" ? last.cursor.position : "none")
      }
      yield* publish(3, "a")
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(a.seen), [1, 3])
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))

  it.effect("ends each reader with its own cursor when it gives up, and nothing is lost", () =>
    Effect.gen(function*() {
      const early = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* publish(1)
      yield* VirtualTime.advance("1 second")
      const late = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* publish(2)
      yield* VirtualTime.advance("1 second")
      yield* Faults.Faults.use((faulty) =>
        faulty.add({ fault: faults.ServerError({ status: 503, handled: false }), lasting: "1 hour" })
      )
      yield* emulator.use((service) => service.restart)
      yield* publish(3)
      yield* VirtualTime.advance("10 minutes")
      yield* Faults.Faults.use((faulty) => faulty.heal)
      for (const { fiber, seen } of [early, late]) {
        assert.isDefined(fiber.pollUnsafe())
        const told = seen.at(-1)
        assert.strictEqual(told?._tag, "Disconnected")
        assert.isDefined(told?._tag === "Disconnected" ? told.cursor : undefined)
        const again = yield* collect(
          Subscribe.stream({ channels: ["a"], from: told?._tag === "Disconnected" ? told.cursor : undefined })
        )
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(payloads(again.seen), [3])
        yield* Fiber.interrupt(again.fiber)
      }
    }).pipe(Effect.provide(
      Layer.provideMerge(
        Subscriber.layer({ reconnect: { ServerFailure: Schedule.recurs(2), Transport: Schedule.recurs(2) } }),
        emulated()
      )
    )))

  it.effect("gives a reader that returns within a gap what came by its wildcard meanwhile", () =>
    Effect.gen(function*() {
      yield* collect(Subscribe.stream({ channels: ["x.a", "b"] }))
      const { fiber } = yield* collect(Subscribe.stream({ channels: ["x.*"] }))
      yield* emulator.use((service) =>
        service.publishAll(names.slice(0, 100).map((message) => ({ channel: "b", message })))
      )
      yield* VirtualTime.advance("10 millis")
      yield* Fiber.interrupt(fiber)
      yield* publish("meanwhile", "x.a")
      yield* VirtualTime.advance("5 millis")
      const { seen } = yield* collect(Subscribe.stream({ channels: ["x.*"] }), "1 minute")
      assert.deepStrictEqual(payloads(seen), ["meanwhile"])
    }).pipe(Effect.provide(
      Layer.provideMerge(Subscriber.layer(), emulated({ emulator: { historyDelay: "500 millis" } }))
    )))

  it.effect("gives a new reader the events from where the poll is, to the tick", () =>
    Effect.gen(function*() {
      const first = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* publish("before")
      yield* VirtualTime.advance("1 second")
      const second = yield* collect(Subscribe.stream({ channels: ["a"] }))
      const third = yield* collect(Subscribe.stream({ channels: ["a", "b"] }))
      yield* publish("after")
      yield* publish("b", "b")
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual([first, second, third].map(({ seen }) => payloads(seen)), [
        ["before", "after"],
        ["after"],
        ["after", "b"]
      ])
    }).pipe(Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))

  it.effect("gives a reader that fell behind all messages of history that is 1.2 seconds late", () =>
    Effect.gen(function*() {
      const seen: Array<SubscribeEvent.SubscribeEvent> = []
      yield* Subscribe.stream({ channels: ["a"], capacity: 5 }).pipe(
        Stream.runForEach((event) =>
          Effect.suspend(() => {
            seen.push(event)
            return payloads(seen).length === 1 && event._tag === "Message" ? Effect.sleep("10 seconds") : Effect.void
          })
        ),
        Effect.forkChild
      )
      const other = yield* collect(Subscribe.stream({ channels: ["a"] }))
      yield* publish(0)
      yield* VirtualTime.advance("9500 millis")
      for (let n = 1; n < 20; n++) yield* publish(n)
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(payloads(other.seen), Array.from({ length: 20 }, (_, n) => n))
      assert.deepStrictEqual(payloads(seen), Array.from({ length: 20 }, (_, n) => n))
      assert.deepStrictEqual(seen.filter(({ _tag }) => _tag === "Gap"), [])
    }).pipe(Effect.provide(
      Layer.provideMerge(Subscriber.layer(), emulated({ emulator: { historyDelay: "1200 millis" } }))
    )))
})

describe("names of two long polls", () => {
  it.effect("that are left while their poll is interrupted end the interruption", () =>
    Effect.gen(function*() {
      const set = yield* Subscribe.subscriptionSet({
        subscriptions: [...names, "last"].map((name) => Subscription.channel(name))
      })
      const { seen } = yield* collect(set.stream)
      assert.strictEqual(yield* polls, 2)
      yield* Faults.Faults.use((faulty) =>
        faulty.add({
          // All requests of the second poll.
          on: ({ url }) => !url.includes("name-0-"),
          fault: faults.ServerError({ status: 503, handled: false }),
          lasting: "1 hour"
        })
      )
      yield* publish(1, "last")
      yield* VirtualTime.advance("1 minute")
      const status = () => seen.findLast(({ _tag }) => _tag === "Interrupted" || _tag === "Reconnected")?._tag
      assert.strictEqual(status(), "Interrupted")
      yield* set.remove(Subscription.channel(names[1]!))
      yield* VirtualTime.advance(0)
      assert.strictEqual(status(), "Interrupted")
      yield* Effect.forEach([...names.slice(350), "last"], (name) => set.remove(Subscription.channel(name)))
      yield* VirtualTime.advance("1 minute")
      assert.strictEqual(status(), "Reconnected")
    }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(Subscriber.layer(), emulated()))))
})
