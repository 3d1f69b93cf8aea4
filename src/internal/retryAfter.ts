/** The wait that a service asks for with `Retry-After`: seconds, or a date. */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Headers from "effect/http/Headers"
import * as Option from "effect/Option"
import type { Answer } from "./operation.ts"

export const of = ({ headers }: Answer): Effect.Effect<Option.Option<Duration.Duration>> =>
  Option.match(Headers.get(headers, "retry-after"), {
    onNone: () => Effect.succeedNone,
    onSome: (value) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const millis = /^\d+$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value) - now
        return Number.isNaN(millis) ? Option.none() : Option.some(Duration.millis(Math.max(0, millis)))
      })
  })
