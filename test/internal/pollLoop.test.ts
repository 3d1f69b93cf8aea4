/** One long poll as it runs: what happens beside what is in flight, how it stops, and what throws. */
import { assert, describe, it } from "@effect/vitest"
import * as EffectClock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import { VirtualTime } from "effect-herald/testing"
import * as LongPoll from "../../src/internal/longPoll.ts"
import * as PollLoop from "../../src/internal/pollLoop.ts"

type Loop = PollLoop.PollLoop<number, string, never>
type Service = PollLoop.Service<number, string, never>

const world = Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(1_790_000_000_000)), VirtualTime.layer)

const once = Schedule.recurs(1)
const eachSecond = Schedule.spaced("1 second")

const answered = (cursor: number | undefined): PollLoop.Answered<number> => ({
  cursor: cursor ?? 1,
  now: 1,
  servedAt: undefined
})
const page = (next: number, changes: Partial<PollLoop.Polled<number>> = {}): PollLoop.Polled<number> => ({
  next,
  servedAt: undefined,
  soon: false,
  fresh: true,
  ...changes
})

/** A loop over a service that is scripted, and what it did. */
const loopOf = (changes: Partial<Service> = {}) =>
  Effect.gen(function*() {
    const clock = yield* EffectClock.Clock
    const context = yield* Effect.context()
    const log: Array<string> = []
    let open = 0
    let most = 0
    /** Counts what is in flight. */
    const flying = <A>(effect: Effect.Effect<A, string>): Effect.Effect<A, string> =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          most = Math.max(most, ++open)
        }),
        () => effect,
        () => Effect.sync(() => open--)
      )
    const service: Service = {
      rules: { retention: 600_000, patience: 55_000 },
      handshake: (cursor) => Effect.succeed(answered(cursor)),
      poll: () => Effect.never,
      schedule: () => eachSecond,
      isDenied: (failure) => failure === "denied",
      renewed: () => Effect.succeed(false),
      next: () => "Wanted",
      tell: (told) => log.push(told._tag),
      broken: (defect) => log.push(`broken: ${defect instanceof Error ? defect.message : String(defect)}`),
      ...changes
    }
    const loop: Loop = new PollLoop.PollLoop(
      {
        ...service,
        handshake: (cursor, why) => {
          log.push(`handshake ${why}`)
          return flying(service.handshake(cursor, why))
        },
        poll: (from) => {
          log.push(`poll ${from}`)
          return flying(service.poll(from))
        }
      },
      clock,
      Effect.runForkWith(context),
      LongPoll.start<number, string>(undefined, PollLoop.moment(clock))
    )
    yield* Effect.addFinalizer(() => Effect.sync(() => loop.stop()))
    return {
      loop,
      log,
      /** What was done since this was asked the last time. */
      done: VirtualTime.advance(0).pipe(Effect.as(log), Effect.map((log) => log.splice(0))),
      inFlight: () => open,
      mostInFlight: () => most
    }
  })

const now = Effect.map(EffectClock.Clock, PollLoop.moment)

const renamed = Effect.map(now, (at) => ({ _tag: "Renamed", at }) as const)

describe("PollLoop", () => {
  it.effect("starts with a handshake, and polls from its cursor", () =>
    Effect.gen(function*() {
      let pages = 0
      const { done, loop } = yield* loopOf({
        poll: (from) => pages++ < 2 ? Effect.delay(Effect.succeed(page(from + 1)), "10 seconds") : Effect.never
      })
      loop.start()
      assert.isTrue(loop.isRunning)
      assert.deepStrictEqual(yield* done, ["handshake start", "TellConnected", "poll 1"])
      yield* VirtualTime.advance("25 seconds")
      assert.deepStrictEqual(yield* done, ["poll 2", "poll 3"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("waits until it is woken and something is wanted", () =>
    Effect.gen(function*() {
      let wanted: "Wanted" | "Renamed" | undefined
      const { done, loop } = yield* loopOf({ next: () => wanted })
      loop.start()
      loop.wake()
      assert.deepStrictEqual(yield* done, [])
      wanted = "Wanted"
      assert.deepStrictEqual(yield* done, [])
      loop.wake()
      // Woken twice, it goes on once.
      loop.wake()
      assert.deepStrictEqual(yield* done, ["handshake start", "TellConnected", "poll 1"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("follows one schedule per failure through a row, and starts afresh after a page", () =>
    Effect.gen(function*() {
      const delays: Array<number> = []
      const results: Array<Effect.Effect<PollLoop.Polled<number>, string>> = [
        Effect.fail("a"),
        Effect.fail("a"),
        Effect.fail("b"),
        Effect.fail("a"),
        Effect.succeed(page(2)),
        Effect.fail("a")
      ]
      const schedules = new Map(["a", "b"].map((name) => [name, Schedule.exponential("1 second")] as const))
      const { loop } = yield* loopOf({
        poll: () => results.shift() ?? Effect.never,
        schedule: (failure) => schedules.get(failure)!,
        tell: (told) => {
          if (told._tag === "TellInterrupted") delays.push(told.retryIn)
        }
      })
      loop.start()
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(delays, [1_000, 2_000, 1_000, 4_000, 1_000])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("ends when its schedule ends", () =>
    Effect.gen(function*() {
      const { done, loop } = yield* loopOf({
        handshake: () => Effect.fail("boom"),
        schedule: () => once
      })
      loop.start()
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* done, ["handshake start", "TellInterrupted", "handshake failure", "End"])
      loop.wake()
      loop.signal(yield* renamed)
      assert.deepStrictEqual(yield* done, [])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("asks whether the credential was replaced only after a denial", () =>
    Effect.gen(function*() {
      let asked = 0
      const results = [Effect.fail("boom"), Effect.fail("denied"), Effect.fail("denied")]
      const { done, loop } = yield* loopOf({
        poll: () => results.shift() ?? Effect.never,
        renewed: () => Effect.sync(() => ++asked === 1)
      })
      loop.start()
      yield* VirtualTime.advance("10 seconds")
      assert.strictEqual(asked, 2)
      assert.deepStrictEqual(yield* done, [
        "handshake start",
        "TellConnected",
        "poll 1",
        "TellInterrupted",
        "handshake failure",
        "TellReconnected",
        "poll 1",
        // Denied, and replaced: at once, without a word.
        "handshake failure",
        "poll 1",
        "TellInterrupted",
        "handshake failure",
        "TellReconnected",
        "poll 1"
      ])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("reads 20,000 pages at once without growing the stack", () =>
    Effect.gen(function*() {
      let pages = 0
      const { loop } = yield* loopOf({
        poll: (from) => pages++ < 20_000 ? Effect.succeed(page(from + 1)) : Effect.never
      })
      loop.start()
      for (let n = 0; n < 100 && pages < 20_000; n++) yield* VirtualTime.advance("1 milli")
      assert.isAtLeast(pages, 20_000)
    }).pipe(Effect.scoped, Effect.provide(world)))
})

describe("PollLoop.signal", () => {
  it.effect("does not interrupt a handshake", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<PollLoop.Answered<number>>()
      const { done, inFlight, loop } = yield* loopOf({ handshake: () => Deferred.await(gate) })
      loop.start()
      assert.deepStrictEqual(yield* done, ["handshake start"])
      loop.signal(yield* renamed)
      loop.signal({ _tag: "Silent", at: yield* now })
      loop.signal({ _tag: "Renewed" })
      loop.signal({ _tag: "SwitchedOn" })
      assert.deepStrictEqual(yield* done, [])
      assert.strictEqual(inFlight(), 1)
      yield* Deferred.succeed(gate, answered(undefined))
      assert.deepStrictEqual(yield* done, ["TellConnected", "poll 1"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("with new names ends a poll, and ignores its late answer", () =>
    Effect.gen(function*() {
      const gates: Array<Deferred.Deferred<PollLoop.Polled<number>>> = []
      const { done, inFlight, loop, mostInFlight } = yield* loopOf({
        poll: () =>
          Effect.suspend(() => {
            const gate = Deferred.makeUnsafe<PollLoop.Polled<number>>()
            gates.push(gate)
            return Effect.uninterruptible(Deferred.await(gate))
          })
      })
      loop.start()
      yield* done
      loop.signal(yield* renamed)
      assert.deepStrictEqual(yield* done, ["handshake names", "poll 1"])
      // The first cannot be interrupted, and answers late.
      yield* Deferred.succeed(gates[0]!, page(99))
      assert.deepStrictEqual(yield* done, [])
      yield* Deferred.succeed(gates[1]!, page(2))
      assert.deepStrictEqual(yield* done, ["poll 2"])
      yield* Deferred.succeed(gates[2]!, page(3))
      assert.isAtMost(mostInFlight(), 2)
      assert.isAtMost(inFlight(), 1)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("with new names ends a poll, and ignores its late failure", () =>
    Effect.gen(function*() {
      const gate = Deferred.makeUnsafe<PollLoop.Polled<number>, string>()
      let polls = 0
      const { done, loop } = yield* loopOf({
        poll: () => polls++ === 0 ? Effect.uninterruptible(Deferred.await(gate)) : Effect.never
      })
      loop.start()
      yield* done
      loop.signal(yield* renamed)
      yield* done
      yield* Deferred.fail(gate, "boom")
      assert.deepStrictEqual(yield* done, [])
      assert.strictEqual(loop.state._tag, "Polling")
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("ends a pause after a denial for a new credential, and not one after a failure for new names", () =>
    Effect.gen(function*() {
      const results = [Effect.fail("boom"), Effect.fail("denied")]
      const { done, loop } = yield* loopOf({
        poll: () => results.shift() ?? Effect.never,
        schedule: () => Schedule.spaced("10 seconds")
      })
      loop.start()
      assert.deepStrictEqual(yield* done, ["handshake start", "TellConnected", "poll 1", "TellInterrupted"])
      loop.signal(yield* renamed)
      loop.signal({ _tag: "Renewed" })
      yield* VirtualTime.advance("9 seconds")
      assert.deepStrictEqual(yield* done, [])
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(yield* done, ["handshake failure", "TellReconnected", "poll 1", "TellInterrupted"])
      loop.signal({ _tag: "Renewed" })
      assert.deepStrictEqual(yield* done, ["handshake failure", "TellReconnected", "poll 1"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("handles a signal that comes from within tell after that event", () =>
    Effect.gen(function*() {
      let other: Loop | undefined
      const order: Array<string> = []
      const { loop } = yield* loopOf({
        next: () => "Wanted",
        tell: (told) => {
          order.push(told._tag)
          if (told._tag === "TellConnected") {
            other?.signal({ _tag: "SwitchedOff" })
            other?.signal({ _tag: "SwitchedOn" })
            order.push(other?.state._tag ?? "")
          }
        }
      })
      other = loop
      loop.start()
      yield* VirtualTime.advance(0)
      assert.deepStrictEqual(order, ["TellConnected", "Ready", "TellReconnected"])
      assert.strictEqual(loop.state._tag, "Polling")
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("handles a signal that comes from within tell, also after one that changes nothing", () =>
    Effect.gen(function*() {
      let other: Loop | undefined
      let isConnected = false
      const { loop } = yield* loopOf({
        next: () => isConnected ? undefined : "Wanted",
        tell: () => {
          isConnected = true
          other?.signal({ _tag: "SwitchedOn" })
          other?.signal({ _tag: "SwitchedOff" })
        }
      })
      other = loop
      loop.start()
      yield* VirtualTime.advance("1 minute")
      assert.strictEqual(loop.state._tag, "Off")
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("with SwitchedOff and SwitchedOn continues from the same cursor", () =>
    Effect.gen(function*() {
      const { done, inFlight, loop } = yield* loopOf({})
      loop.start()
      yield* done
      loop.signal({ _tag: "SwitchedOff" })
      assert.deepStrictEqual(yield* done, [])
      assert.strictEqual(inFlight(), 0)
      yield* VirtualTime.advance("1 hour")
      loop.signal({ _tag: "SwitchedOff" })
      loop.signal({ _tag: "SwitchedOn" })
      assert.deepStrictEqual(yield* done, ["handshake start", "TellReconnected", "TellBreak", "poll 1"])
    }).pipe(Effect.scoped, Effect.provide(world)))
})

describe("PollLoop.stop", () => {
  it.effect("ends what is in flight, and a later start continues from the state", () =>
    Effect.gen(function*() {
      const { done, inFlight, loop } = yield* loopOf({})
      loop.start()
      yield* done
      assert.strictEqual(inFlight(), 1)
      loop.stop()
      loop.stop()
      assert.isFalse(loop.isRunning)
      assert.deepStrictEqual(yield* done, [])
      assert.strictEqual(inFlight(), 0)
      loop.wake()
      loop.signal(yield* renamed)
      assert.deepStrictEqual(yield* done, [])
      loop.start()
      assert.deepStrictEqual(yield* done, ["handshake names", "poll 1"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect.each(["TellConnected", "TellInterrupted", "TellReconnected", "End"] as const)(
    "called from within tell of %s ends the loop",
    (tag) =>
      Effect.gen(function*() {
        let loop: Loop | undefined
        const results = [Effect.fail("boom"), Effect.fail("boom")]
        const made = yield* loopOf({
          poll: () => results.shift() ?? Effect.never,
          schedule: () => once,
          tell: (told) => {
            if (told._tag === tag) loop?.stop()
          }
        })
        ;({ loop } = made)
        loop.start()
        yield* VirtualTime.advance("1 minute")
        yield* made.done
        assert.isFalse(loop.isRunning)
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(yield* made.done, [])
        assert.strictEqual(made.inFlight(), 0)
      }).pipe(Effect.scoped, Effect.provide(world))
  )

  it.effect.each<readonly [string, Partial<Service>]>([
    ["answers", { handshake: () => Effect.succeed(answered(undefined)) }],
    ["throws", {
      handshake: () => {
        throw new Error("boom")
      }
    }]
  ])(
    "called from within the handshake ignores that it %s",
    ([, changes]) =>
      Effect.gen(function*() {
        let loop: Loop | undefined
        const made = yield* loopOf({
          handshake: (...asked) => {
            loop?.stop()
            return changes.handshake?.(...asked) ?? Effect.never
          }
        })
        ;({ loop } = made)
        loop.start()
        assert.deepStrictEqual(yield* made.done, ["handshake start"])
        assert.strictEqual(loop.state._tag, "Proving")
      }).pipe(Effect.scoped, Effect.provide(world))
  )

  it.effect("called from within next ends the loop", () =>
    Effect.gen(function*() {
      let loop: Loop | undefined
      const made = yield* loopOf({
        next: () => {
          loop?.stop()
          return "Wanted"
        }
      })
      ;({ loop } = made)
      loop.start()
      yield* VirtualTime.advance("1 minute")
      assert.strictEqual(made.inFlight(), 0)
      assert.isFalse(loop.isRunning)
    }).pipe(Effect.scoped, Effect.provide(world)))
})

describe("an exception in PollLoop", () => {
  const boom = (): never => {
    throw new Error("boom")
  }
  const denied = { handshake: () => Effect.fail("denied") }
  const failing = { handshake: () => Effect.fail("failed") }

  it.effect.each<readonly [string, Partial<Service>]>([
    ["handshake", { handshake: boom }],
    ["a handshake that dies", { handshake: () => Effect.die(new Error("boom")) }],
    ["poll", { poll: boom }],
    ["a poll that dies", { poll: () => Effect.die(new Error("boom")) }],
    ["schedule", { ...failing, schedule: boom }],
    ["a step of the schedule", {
      ...failing,
      schedule: () => Schedule.forever.pipe(Schedule.modifyDelay(boom))
    }],
    ["isDenied", { ...denied, isDenied: boom }],
    ["renewed", { ...denied, renewed: () => Effect.sync(boom) }],
    ["next", { next: boom }],
    ["tell", { tell: boom }]
  ])("in %s is reported once, and ends the loop", ([, changes]) =>
    Effect.gen(function*() {
      const { done, inFlight, loop } = yield* loopOf(changes)
      loop.start()
      yield* VirtualTime.advance("10 minutes")
      const log = yield* done
      assert.deepStrictEqual(log.filter((line) => line.startsWith("broken")), ["broken: boom"])
      assert.strictEqual(log.at(-1), "broken: boom")
      assert.strictEqual(inFlight(), 0)
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(yield* done, [])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("in a poll that was cut is ignored", () =>
    Effect.gen(function*() {
      const gate = Deferred.makeUnsafe<void>()
      let polls = 0
      const { done, loop } = yield* loopOf({
        poll: () =>
          polls++ === 0
            ? Effect.uninterruptible(Effect.andThen(Deferred.await(gate), Effect.die(new Error("boom"))))
            : Effect.never
      })
      loop.start()
      yield* done
      loop.signal(yield* renamed)
      yield* done
      yield* Deferred.succeed(gate, undefined)
      assert.deepStrictEqual(yield* done, [])
    }).pipe(Effect.scoped, Effect.provide(world)))
})

describe("PollLoop.watch", () => {
  const watched = (patience: number, loops: () => Iterable<Loop>) =>
    Effect.flatMap(EffectClock.Clock, (clock) => Effect.forkScoped(PollLoop.watch(clock, loops, patience)))

  it.effect("cuts a poll after its patience, and not before", () =>
    Effect.gen(function*() {
      const { done, loop } = yield* loopOf({})
      yield* watched(55_000, () => [loop])
      loop.start()
      yield* done
      yield* VirtualTime.advance("54 seconds")
      assert.deepStrictEqual(yield* done, [])
      assert.strictEqual(loop.patience(yield* now), 1_000)
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(yield* done, ["handshake silence", "poll 1"])
      yield* VirtualTime.advance("54 seconds")
      assert.deepStrictEqual(yield* done, [])
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(yield* done, ["handshake silence", "poll 1"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("watches each loop by its own time, and loops that are added later", () =>
    Effect.gen(function*() {
      const loops: Array<Loop> = []
      yield* watched(55_000, () => loops)
      yield* VirtualTime.advance("3 seconds")
      const one = yield* loopOf({})
      one.loop.start()
      loops.push(one.loop)
      yield* VirtualTime.advance("20 seconds")
      const other = yield* loopOf({})
      other.loop.start()
      loops.push(other.loop)
      yield* VirtualTime.advance("35 seconds")
      assert.deepStrictEqual((yield* one.done).filter((line) => line.includes("silence")), ["handshake silence"])
      assert.deepStrictEqual((yield* other.done).filter((line) => line.includes("silence")), [])
      yield* VirtualTime.advance("20 seconds")
      assert.deepStrictEqual((yield* other.done).filter((line) => line.includes("silence")), ["handshake silence"])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("skips a loop that does not poll, and cuts the others", () =>
    Effect.gen(function*() {
      const idle = yield* loopOf({ handshake: () => Effect.never })
      const polled = yield* loopOf({})
      yield* watched(55_000, () => [idle.loop, polled.loop])
      idle.loop.start()
      polled.loop.start()
      yield* VirtualTime.advance("1 minute")
      assert.include(yield* polled.done, "handshake silence")
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("finds a sleep of the machine within seconds, and a clock that is set back", () =>
    Effect.gen(function*() {
      const { done, loop } = yield* loopOf({})
      yield* watched(55_000, () => [loop])
      loop.start()
      yield* done
      yield* VirtualTime.advance("10 seconds")
      yield* VirtualTime.jump("8 hours")
      yield* VirtualTime.advance("5 seconds")
      const log = yield* done
      assert.strictEqual(log[0], "handshake silence")
      yield* VirtualTime.jump("-1 day")
      yield* VirtualTime.advance("54 seconds")
      assert.deepStrictEqual(yield* done, [])
      yield* VirtualTime.advance("1 second")
      assert.strictEqual((yield* done)[0], "handshake silence")
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("does not cut a handshake", () =>
    Effect.gen(function*() {
      const { done, loop } = yield* loopOf({ handshake: () => Effect.never })
      yield* watched(55_000, () => [loop])
      loop.start()
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(yield* done, ["handshake start"])
      assert.isUndefined(loop.patience(yield* now))
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("looks often enough for a patience of a second", () =>
    Effect.gen(function*() {
      const { done, loop } = yield* loopOf({ rules: { retention: 600_000, patience: 1_000 } })
      const fiber = yield* watched(1_000, () => [loop])
      loop.start()
      yield* VirtualTime.advance("2500 millis")
      assert.deepStrictEqual((yield* done).filter((line) => line.includes("silence")).length, 2)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("looks at most 15 times when less than a millisecond is left", () =>
    Effect.gen(function*() {
      const { done, loop } = yield* loopOf({ rules: { retention: 600_000, patience: 40_784.64 } })
      let looks = 0
      yield* watched(55_000, () => {
        looks++
        return [loop]
      })
      loop.start()
      yield* VirtualTime.advance("41 seconds")
      assert.include(yield* done, "handshake silence")
      assert.isAtMost(looks, 15)
    }).pipe(Effect.scoped, Effect.provide(world)))
})
