/** How places are committed: in any order, each in time, and none that lies behind what is open. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import * as Commits from "../../src/internal/commits.ts"
import * as Front from "../../src/internal/front.ts"
import * as Grace from "../../src/internal/grace.ts"
import * as PacedCommits from "../../src/internal/pacedCommits.ts"

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

describe("Front", () => {
  it.prop(
    "is at the last place before which all are done, in any order of completion",
    { order: Arbitrary.array(Arbitrary.schema(Schema.Finite), { minLength: 1, maxLength: 30 }) },
    ({ order }) => {
      const front = Front.make<number>()
      // Each third has no place of its own.
      const entries = order.map((_, index) => front.open(index % 3 === 2 ? undefined : index))
      const done = new Set<number>()
      for (const index of numbers(0, order.length).toSorted((a, b) => (order[a] ?? 0) - (order[b] ?? 0))) {
        front.done(entries[index]!)
        done.add(index)
        const passed = numbers(0, order.length + 1).find((at) => !done.has(at)) ?? 0
        assert.strictEqual(front.passed(), passed)
        assert.strictEqual(front.place(), numbers(0, passed).findLast((at) => at % 3 !== 2))
      }
    }
  )
})

describe("Commits", () => {
  it.effect("saves the newest place before which all are done", () =>
    Effect.gen(function*() {
      const saved: Array<number> = []
      const commits = Commits.make((place: number) => Effect.sync(() => saved.push(place)))
      const [first, second, third, fourth] = numbers(1, 5).map((place) => commits.next(place))
      yield* third!
      yield* second!
      assert.deepStrictEqual(saved, [])
      yield* first!
      assert.deepStrictEqual(saved, [3])
      yield* first!
      assert.deepStrictEqual(saved, [3])
      yield* fourth!
      assert.deepStrictEqual(saved, [3, 4])
    }))

  it.effect("does not pass an open entry without a place", () =>
    Effect.gen(function*() {
      const saved: Array<number> = []
      const commits = Commits.make((place: number) => Effect.sync(() => saved.push(place)))
      const [first, gap, third] = [1, undefined, 3].map((place) => commits.next(place))
      yield* first!
      yield* third!
      assert.deepStrictEqual(saved, [1])
      yield* gap!
      assert.deepStrictEqual(saved, [1, 3])
    }))

  it.effect("saves a place whose save failed when it is committed again, and then the next", () =>
    Effect.gen(function*() {
      const saved: Array<number> = []
      let broken = true
      const commits = Commits.make((place: number) =>
        broken ? Effect.fail("full") : Effect.sync(() => saved.push(place))
      )
      const [first, second] = [commits.next(1), commits.next(2)]
      assert.strictEqual(yield* Effect.flip(first), "full")
      broken = false
      yield* first
      yield* second
      assert.deepStrictEqual(saved, [1, 2])
    }))

  it.effect("begins no save before the last one has ended, so that a slow one never takes a newer place back", () =>
    Effect.gen(function*() {
      const saved: Array<number> = []
      const commits = Commits.make((place: number) =>
        Effect.delay(Effect.sync(() => saved.push(place)), place === 1 ? "3 seconds" : "1 second")
      )
      for (const place of [1, 2, 3]) {
        yield* Effect.forkChild(commits.next(place))
        yield* TestClock.adjust("1 second")
      }
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(saved, [1, 3])
    }))

  it.effect("finishes a save whose caller is interrupted", () =>
    Effect.gen(function*() {
      const saved: Array<number> = []
      const commits = Commits.make((place: number) => Effect.delay(Effect.sync(() => saved.push(place)), "4 seconds"))
      const fiber = yield* Effect.forkChild(commits.next(1))
      yield* TestClock.adjust("1 second")
      const ended = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("2 seconds")
      assert.isUndefined(ended.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.isDefined(ended.pollUnsafe())
      assert.deepStrictEqual(saved, [1])
    }))
})

const pace: PacedCommits.Pace = { every: "250 millis", atOnce: 100, grace: "5 seconds" }

/** Paced commits that note what they save, and when. */
const noting = (save: (place: number) => Effect.Effect<void, string> = () => Effect.void) => {
  const saved: Array<readonly [at: number, place: number]> = []
  const commits = PacedCommits.make(
    (place: number) =>
      Effect.andThen(
        save(place),
        Effect.clockWith((clock) => Effect.sync(() => saved.push([clock.currentTimeMillisUnsafe(), place])))
      ),
    pace
  )
  return { saved, commits }
}

describe("PacedCommits", () => {
  it.effect("saves the first place at once, and then at most one each 250 ms", () =>
    Effect.gen(function*() {
      const { commits, saved } = noting()
      for (const place of numbers(0, 100)) {
        yield* commits.open(place)
        yield* TestClock.adjust("10 millis")
      }
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(saved, [[0, 0], [250, 24], [500, 49], [750, 74], [1_000, 99]])
      yield* commits.open(100)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(saved.at(-1), [3_601_000, 100])
    }))

  it.effect("saves at once after 100 places, and blocks the reader until they are saved", () =>
    Effect.gen(function*() {
      const held = yield* Deferred.make<void>()
      const { commits, saved } = noting((place) => place === 100 ? Deferred.await(held) : Effect.void)
      yield* commits.open(0)
      yield* TestClock.adjust(0)
      for (const place of numbers(1, 100)) yield* commits.open(place)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(saved.length, 1)
      yield* commits.room
      yield* commits.open(100)
      const room = yield* Effect.forkChild(commits.room)
      yield* TestClock.adjust("1 second")
      assert.isUndefined(room.pollUnsafe())
      yield* Deferred.succeed(held, undefined)
      yield* TestClock.adjust(0)
      assert.isDefined(room.pollUnsafe())
      assert.deepStrictEqual(saved, [[0, 0], [1_001, 100]])
    }))

  it.effect("does not save a place while an earlier one is open", () =>
    Effect.gen(function*() {
      const { commits, saved } = noting()
      const [first, second, third] = numbers(1, 4).map((place) => commits.open(place))
      yield* third!
      yield* second!
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(saved, [])
      yield* first!
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(saved, [[3_600_000, 3]])
    }))

  it.effect("saves the last place at close without waiting for 250 ms", () =>
    Effect.gen(function*() {
      const { commits, saved } = noting()
      yield* commits.open(1)
      yield* TestClock.adjust("10 millis")
      yield* commits.open(2)
      assert.isTrue(yield* commits.close)
      assert.deepStrictEqual(saved, [[0, 1], [10, 2]])
      assert.isTrue(yield* noting().commits.close)
    }))

  it.effect("fails when a save fails, without running work and at close", () =>
    Effect.gen(function*() {
      const { commits } = noting(() => Effect.delay(Effect.fail("full"), "1 second"))
      const failed = yield* Effect.forkChild(Effect.flip(commits.failed))
      yield* commits.open(1)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* Fiber.join(failed), "full")
      assert.strictEqual(yield* Effect.flip(commits.close), "full")
    }))

  it.effect("leaves a save at close that takes longer than five seconds", () =>
    Effect.gen(function*() {
      const { commits } = noting(() => Effect.uninterruptible(Effect.never))
      yield* commits.open(1)
      yield* TestClock.adjust("1 second")
      const closed = yield* Effect.forkChild(Effect.uninterruptible(commits.close))
      yield* TestClock.adjust("4999 millis")
      assert.isUndefined(closed.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.isFalse(yield* Fiber.join(closed))
    }))
})

describe("Grace.lasting", () => {
  it.effect("returns the result or the failure of the work", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Grace.lasting(Effect.succeed(1), "1 second"), 1)
      assert.strictEqual(yield* Effect.flip(Grace.lasting(Effect.fail("no"), "1 second")), "no")
    }))

  it.effect("interrupts the work when its caller was interrupted and the grace is over", () =>
    Effect.gen(function*() {
      let interrupted = false
      const work = Effect.onInterrupt(Effect.never, () =>
        Effect.sync(() => {
          interrupted = true
        }))
      const fiber = yield* Effect.forkChild(Grace.lasting(work, "1 second"))
      yield* TestClock.adjust("1 hour")
      const ended = yield* Effect.forkChild(Fiber.interrupt(fiber))
      yield* TestClock.adjust("999 millis")
      assert.isFalse(interrupted)
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(ended)
      assert.isTrue(interrupted)
    }))
})
