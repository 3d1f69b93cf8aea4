/** What is known of a keyset: what time it is there, and which channels came by which names, within bounds. */
import { assert, describe, it } from "@effect/vitest"
import * as EffectClock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { VirtualTime } from "effect-herald/testing"
import { Knowledge } from "../../../src/pubnub/internal/reading/knowledge.ts"
import { arrival, numbers } from "./arrivals.ts"

const knowledge = Effect.map(EffectClock.Clock, (clock) => new Knowledge(clock))

const hour = 3_600_000

describe("the service's time", () => {
  it.effect("is that of the last handshake, and the time since then", () =>
    Effect.gen(function*() {
      const known = yield* knowledge
      known.setTime(1_790_000_000_000)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(known.now(), 1_790_000_060_000)
      known.setTime(1_780_000_000_000)
      assert.strictEqual(known.now(), 1_780_000_000_000)
    }))

  it.effect("is at least that of the latest page after a handshake that was behind", () =>
    Effect.gen(function*() {
      const known = yield* knowledge
      const time = 1_790_000_000_000
      known.setTime(time - hour)
      known.atLeast(time)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(known.now(), time + 1_000)
      // An older page says nothing.
      known.atLeast(time - hour)
      assert.strictEqual(known.now(), time + 1_000)
      assert.strictEqual(known.latest(), String(BigInt(time + 61_000) * 10_000n))
    }))
})

describe("a time that the service has certainly reached", () => {
  const time = 1_790_000_000_000

  it.effect("does not follow the wall clock", () =>
    Effect.gen(function*() {
      const known = yield* knowledge
      known.setTime(time)
      yield* VirtualTime.jump("8 hours")
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(known.now(), time + 8 * hour + 60_000)
      assert.strictEqual(known.atLeastNow(), time + 60_000)
    }).pipe(Effect.provide(VirtualTime.layer)))

  it.effect("is that of a page after a sleep, and the time since then", () =>
    Effect.gen(function*() {
      const known = yield* knowledge
      known.setTime(time)
      yield* VirtualTime.jump("8 hours")
      known.atLeast(time + 8 * hour - 1_000)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(known.atLeastNow(), time + 8 * hour + 59_000)
      // An older page says nothing, and the service's time stays what both clocks say.
      known.atLeast(time + hour)
      assert.strictEqual(known.atLeastNow(), time + 8 * hour + 59_000)
      assert.strictEqual(known.now(), time + 8 * hour + 60_000)
    }).pipe(Effect.provide(VirtualTime.layer)))
})

describe("the channels of wildcards and groups", () => {
  const pairsOf = (known: Knowledge, names: ReadonlyArray<string>) => [...known.channelsOf(new Set(names))]

  it.effect("are those whose messages came by them", () =>
    Effect.gen(function*() {
      const known = yield* knowledge
      known.note(arrival(1, { channel: "x.a", by: "x.*" }))
      known.note(arrival(2, { channel: "x.a", by: "crew" }))
      known.note(arrival(3, { channel: "x.a", by: "crew" }))
      known.note(arrival(4, { channel: "x.b", by: "x.*" }))
      assert.deepStrictEqual(pairsOf(known, ["x.*"]), [["x.a", "x.*"], ["x.b", "x.*"]])
      assert.deepStrictEqual(pairsOf(known, ["crew"]), [["x.a", "crew"]])
    }))

  it.effect.each(
    [
      ["channels of one name", (n: number) => ({ channel: `x.${n}`, by: "x.*" }), ["x.*"]],
      [
        "names of one channel",
        (n: number) => ({ channel: "x.a", by: `crew-${n}` }),
        numbers(30_000).map((n) => `crew-${n}`)
      ]
    ] as const
  )("are limited to 10,000 %s", ([, of, names]) =>
    Effect.gen(function*() {
      const known = yield* knowledge
      for (const n of numbers(30_000)) known.note(arrival(n, of(n)))
      assert.strictEqual(pairsOf(known, names).length, 10_000)
    }))
})
