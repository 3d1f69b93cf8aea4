import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/testing/TestClock"
import { PubNubConfig } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"

/** 2026-09-21T14:13:20Z */
export const start = 1_790_000_000_000

/** The emulator behind faults, a configuration that fits it, and a clock that can jump. */
export const emulated = (options: {
  readonly emulator?: PubNubEmulator.Options
  readonly config?: Partial<PubNubConfig.Options>
  readonly script?: ReadonlyArray<Faults.Rule>
} = {}) =>
  Faults.layer({ script: options.script ?? [] }).pipe(
    Layer.provideMerge(PubNubEmulator.layer(options.emulator)),
    Layer.provideMerge(PubNubConfig.layer({
      subscribeKey: "demo-sub",
      publishKey: "demo-pub",
      userId: "ada",
      origin: "emulator",
      ...options.config
    })),
    Layer.provideMerge(Layer.effectDiscard(TestClock.setTime(start))),
    Layer.provideMerge(VirtualTime.layer)
  )

/** The query of a request that the emulator was given. */
export const queryOf = (request: PubNubEmulator.HandledRequest): URLSearchParams =>
  new URL(request.target, "http://emulator").searchParams

/** The requests so far whose path begins so. */
export const requestsTo = (prefix: string) =>
  Effect.map(
    PubNubEmulator.PubNubEmulator.use((emulator) => emulator.requests),
    (requests) => requests.filter((request) => request.target.startsWith(prefix))
  )
