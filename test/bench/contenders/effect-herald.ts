/**
 * This package through its public modules, on the transport that it gives to Node. One runtime for all samples, and one
 * run of it for each. Nothing is switched off: duplicates are left out, cursors are made, and holes would be read from history.
 */
import * as NodePubNub from "effect-herald/node/NodePubNub"
import * as Publish from "effect-herald/pubnub/Publish"
import * as Subscribe from "effect-herald/pubnub/Subscribe"
import * as Arr from "effect/Array"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Stream from "effect/Stream"
import { type Contender, keys, pauseMillis } from "../contender.ts"

export const make = (origin: string): Contender => {
  const runtime = ManagedRuntime.make(NodePubNub.layer({
    ...keys,
    userId: "bench",
    origin,
    tls: false,
    // The others take leave after their samples.
    sendLeave: false
  }))

  return {
    publish: ({ concurrency, count, message, method }) => {
      const worker = Effect.forEach(
        Arr.range(1, Math.ceil(count / concurrency)),
        () => Publish.publish({ channel: "bench", message, method }),
        { discard: true }
      )
      return runtime.runPromise(Effect.all(Arr.replicate(worker, concurrency), { concurrency, discard: true }))
    },
    receive: (channel, count) => {
      let received = 0
      return runtime.runPromise(
        Subscribe.messages({ channels: [channel] }).pipe(
          Stream.take(count),
          Stream.runForEach(() =>
            Effect.sync(() => {
              received++
            })
          )
        )
      )
    },
    latencies: (channel, message, count) =>
      runtime.runPromise(
        Effect.gen(function*() {
          const latencies: Array<number> = []
          let arrived: Effect.Effect<unknown> = Effect.void
          yield* Subscribe.messages({ channels: [channel] }).pipe(
            Stream.runForEach(() => arrived),
            Effect.forkScoped
          )
          for (let sent = 0; sent < count; sent++) {
            yield* Effect.sleep(pauseMillis)
            const arrival = Deferred.makeUnsafe<void>()
            const start = performance.now()
            arrived = Effect.suspend(() => {
              latencies.push(performance.now() - start)
              return Deferred.succeed(arrival, undefined)
            })
            yield* Publish.publish({ channel, message })
            yield* Deferred.await(arrival)
          }
          return latencies
        }).pipe(Effect.scoped)
      )
  }
}
