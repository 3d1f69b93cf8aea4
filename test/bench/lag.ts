/** How long a reader is late after a burst of messages: virtual time, against the emulator. */
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { type Load, secondsUntilLive } from "../kit/lag.ts"
import * as Report from "./report.ts"
import type { Row } from "./works.ts"

const loads: ReadonlyArray<Load> = [
  { burst: 5_000, rate: 150, latency: 50, seconds: 24 },
  { burst: 5_000, rate: 1_000, latency: 50, seconds: 24 },
  { burst: 5_000, rate: 1_000, latency: 50, channels: 3, seconds: 24 }
]

const rowOf = ({ burst, channels = 1, latency, rate }: Load): Row => ({
  name: `lag after ${burst} at once, ${rate}/s, ${latency} ms a request, ${channels} ${
    channels === 1 ? "channel" : "channels"
  }`,
  unit: "s",
  by: "nothing",
  gate: {},
  goal: {}
})

export const names = loads.map((load) => rowOf(load).name)

export const measure = Effect.forEach(
  loads,
  (load) => Effect.map(secondsUntilLive(load), (seconds) => Report.single(rowOf(load), { "effect-herald": seconds }))
).pipe(Effect.provide(TestClock.layer()))
