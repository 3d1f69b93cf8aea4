/** This package, with times as short as those of the official client are made. */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { NodePubNub } from "effect-herald/node"
import { Subscribe } from "effect-herald/pubnub"
import * as Retry from "effect-herald/Retry"
import { channel, type Ears, keys } from "./ears.ts"

// The default goes up to 30 seconds.
const reconnect = Retry.backoff({ base: "500 millis", cap: "2 seconds" })

export const read = (origin: string, ears: Ears): void => {
  const reader = Subscribe.stream({
    channels: [channel],
    reconnect: {
      Transport: reconnect,
      Timeout: reconnect,
      RateLimited: reconnect,
      ServerFailure: reconnect,
      Malformed: reconnect
    }
  }).pipe(
    Stream.runForEach((event) =>
      Effect.sync(() => {
        switch (event._tag) {
          case "Connected":
            return ears.connected()
          case "Message":
            return ears.message(event.payload)
          case "Interrupted":
            return ears.told(`Interrupted: ${event.reason._tag}`)
          case "GapSuspected":
          case "Gap":
            return ears.told(`${event._tag}: ${event.reason}`)
          default:
            return ears.told(event._tag)
        }
      })
    ),
    Effect.catch((error) => Effect.sync(() => ears.told(`failed: ${error.reason._tag}`))),
    Effect.provide(NodePubNub.layer({
      ...keys,
      userId: "reader",
      origin,
      tls: false,
      // The default is 55 seconds, and 15.
      pollTimeout: "550 millis",
      requestTimeout: "1 second"
    }))
  )
  Effect.runFork(reader)
}
