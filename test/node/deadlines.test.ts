import { assert, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Deadlines from "../../src/node/internal/deadlines.ts"
import * as VirtualTime from "../../src/testing/VirtualTime.ts"

const second = Duration.seconds(1)

const started = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const { set } = Deadlines.make(yield* Effect.scope)
  const expired: Array<string> = []
  return {
    expired,
    set: (name: string, duration = second) => set(clock, duration, () => expired.push(name))
  }
})

it.effect("Deadlines calls back at the end of each deadline, in order, and not before", () =>
  Effect.gen(function*() {
    const { expired, set } = yield* started
    set("a")
    yield* TestClock.adjust("400 millis")
    set("b")
    set("long", Duration.seconds(2))
    yield* TestClock.adjust("599 millis")
    assert.deepStrictEqual(expired, [])
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(expired, ["a"])
    yield* TestClock.adjust("400 millis")
    assert.deepStrictEqual(expired, ["a", "b"])
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(expired, ["a", "b", "long"])
  }).pipe(Effect.scoped))

it.effect("Deadlines does not call back a cancelled deadline, and keeps the later ones", () =>
  Effect.gen(function*() {
    const { expired, set } = yield* started
    const takeBack = set("a")
    yield* TestClock.adjust("500 millis")
    takeBack()
    set("b")
    yield* TestClock.adjust("999 millis")
    assert.deepStrictEqual(expired, [])
    yield* TestClock.adjust("1 millis")
    assert.deepStrictEqual(expired, ["b"])
    yield* TestClock.adjust("1 hour")
    set("c")
    yield* TestClock.adjust("1 second")
    assert.deepStrictEqual(expired, ["b", "c"])
  }).pipe(Effect.scoped))

it.effect("Deadlines calls back on time when the wall clock jumps", () =>
  Effect.gen(function*() {
    const { expired, set } = yield* started
    set("a")
    yield* VirtualTime.jump("-1 hours")
    yield* VirtualTime.advance("999 millis")
    assert.deepStrictEqual(expired, [])
    yield* VirtualTime.jump("2 hours")
    assert.deepStrictEqual(expired, [])
    yield* VirtualTime.advance("1 millis")
    assert.deepStrictEqual(expired, ["a"])
  }).pipe(Effect.scoped, Effect.provide(VirtualTime.layer)))

it.effect("Deadlines calls nothing back after its scope is closed", () =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    const { expired, set } = yield* Scope.provide(started, scope)
    set("a")
    yield* Scope.close(scope, Exit.void)
    yield* TestClock.adjust("1 minute")
    assert.deepStrictEqual(expired, [])
  }))
