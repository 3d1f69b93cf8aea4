/** This package: one `Subscriber` for the process, and a stream for each channel. */
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { NodePubNub } from "effect-herald/node"
import { Subscriber } from "effect-herald/pubnub"
import type { Add } from "./contenders.ts"

export const make = (origin: string): Add => {
  const runtime = ManagedRuntime.make(
    Layer.provide(
      Layer.effect(Subscriber.Subscriber, Subscriber.make()),
      NodePubNub.layer({ subscribeKey: "sub-c-bench", userId: "bench", origin, tls: false })
    )
  )
  return (channel) => {
    runtime.runFork(Stream.runDrain(Subscriber.stream({ channels: [channel] })))
  }
}
