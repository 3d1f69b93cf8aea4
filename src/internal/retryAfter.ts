/** Reads `Retry-After`: seconds, or a date. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import type { Answer } from "./operation.ts"

/** A wait of more than a day is taken for a mistake, and ignored. */
const longest = 24 * 60 * 60

export const of = ({ headers }: Pick<Answer, "headers">): Effect.Effect<Duration.Duration | undefined> =>
  Option.match(Headers.get(headers, "retry-after"), {
    onNone: () => Effect.undefined,
    onSome: (value) => Effect.map(Clock.currentTimeMillis, (now) => durationOf(value.trim(), now))
  })

/** The wait in whole seconds, rounded up. A date in the past is no wait. Other text is ignored. */
const durationOf = (value: string, now: number): Duration.Duration | undefined => {
  const seconds = number.test(value) ? Number(value) : date.test(value) ? (Date.parse(value) - now) / 1000 : NaN
  return Number.isNaN(seconds) ? undefined : Duration.seconds(Math.min(longest, Math.max(0, Math.ceil(seconds))))
}

const number = /^\d+(\.\d*)?$/

/** Dates in the forms of HTTP and ISO. `Date.parse` alone reads almost anything as a date: `-5`, `1.5`, `soon 7`. */
const date = /^(\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT|\d{4}-\d\d-\d\dT[\d:.]+Z)$/
