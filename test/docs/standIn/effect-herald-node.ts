/** Stands for `effect-herald/node` in a block: its layers reach the emulators of the page, whatever the keys. */
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import { PubNubConfig } from "effect-herald/pubnub"
import { Session, SymphonyConfig } from "effect-herald/symphony"

export { Listener, NodeTransport, PubNubEmulatorServer, SymphonyEmulatorServer } from "effect-herald/node"

const pubnub = (options: Partial<PubNubConfig.Options>) =>
  Layer.merge(
    PubNubConfig.layer({ userId: "ada", ...options, subscribeKey: "demo-sub", publishKey: "demo-pub" }),
    Layer.effect(HttpClient.HttpClient, Effect.service(HttpClient.HttpClient))
  )

const symphony = Layer.mergeAll(
  Layer.effect(SymphonyConfig.SymphonyConfig, Effect.service(SymphonyConfig.SymphonyConfig)),
  Layer.effect(Session.Session, Effect.service(Session.Session)),
  Layer.effect(HttpClient.HttpClient, Effect.service(HttpClient.HttpClient))
)

export const NodePubNub = { layer: pubnub, layerConfig: () => pubnub({}) }

export const NodeSymphony = { layer: () => symphony, layerConfig: () => symphony, layerFile: () => symphony }
