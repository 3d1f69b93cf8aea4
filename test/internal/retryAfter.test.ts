/** `Retry-After` as anybody may write it. */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as TestClock from "effect/testing/TestClock"
import * as RetryAfter from "../../src/internal/retryAfter.ts"

const now = Date.UTC(2026, 0, 1)
const day = 24 * 60 * 60

const rows: ReadonlyArray<readonly [value: string, seconds: number | undefined]> = [
  ["0", 0],
  ["7", 7],
  [" 7 ", 7],
  ["1.5", 2],
  ["0.001", 1],
  ["2.", 2],
  ["-1", undefined],
  ["-5", undefined],
  ["+5", undefined],
  ["1e3", undefined],
  ["0x10", undefined],
  ["5 seconds", undefined],
  ["soon 7", undefined],
  ["NaN", undefined],
  ["Infinity", undefined],
  ["", undefined],
  ["1, 2", undefined],
  ["2000", 2_000],
  ["99999", day],
  ["9".repeat(400), day],
  ["Thu, 01 Jan 2026 00:00:30 GMT", 30],
  ["Wed, 31 Dec 2025 23:00:00 GMT", 0],
  ["Sun, 06 Nov 1994 08:49:37 GMT", 0],
  ["Fri, 31 Dec 9999 23:59:59 GMT", day],
  ["Thu, 99 Foo 2026 00:00:30 GMT", undefined],
  ["2026-01-01T00:01:00Z", 60],
  ["2026", 2_026],
  ["January 2, 2026", undefined]
]

describe("RetryAfter.of", () => {
  it.effect.each(rows)("reads %j as %s seconds", ([value, seconds]) =>
    Effect.gen(function*() {
      yield* TestClock.setTime(now)
      const wait = yield* RetryAfter.of({ headers: Headers.fromInput({ "retry-after": value }) })
      assert.deepStrictEqual(wait && Duration.toSeconds(wait), seconds)
    }))
})
