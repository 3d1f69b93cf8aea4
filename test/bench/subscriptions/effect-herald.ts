/** This package: one `Subscriber` for the process, and a stream for each channel. */
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { NodePubNub } from "effect-herald/node"
import { Subscribe, Subscriber } from "effect-herald/pubnub"
import type { Add } from "./contenders.ts"

export const make = (origin: string): Add => {
  const runtime = ManagedRuntime.make(
    Layer.merge(
      Subscriber.layer(),
      NodePubNub.layer({ subscribeKey: "sub-c-bench", userId: "bench", origin, tls: false })
    )
  )
  return (channel) => {
    runtime.runFork(Stream.runDrain(Subscribe.stream({ channels: [channel] })))
  }
}
