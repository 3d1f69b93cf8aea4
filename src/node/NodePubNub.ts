/**
 * PubNub on Node: configuration and transport in one layer.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Access from "../pubnub/Access.ts"
import * as PubNubConfig from "../pubnub/PubNubConfig.ts"
import * as NodeTransport from "./NodeTransport.ts"

/**
 * The configuration of the given options, the transport `NodeTransport.layer`, and `Access.layerExplanations`: a refusal says why, as far
 * as the token tells.
 *
 * **Example** (One program, one keyset)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as NodePubNub from "effect-herald/node/NodePubNub"
 * import * as Publish from "effect-herald/pubnub/Publish"
 *
 * const program = Publish.publish({ channel: "orders", message: { id: 1 } }).pipe(
 *   Effect.provide(NodePubNub.layer({ subscribeKey: "sub-c-1", publishKey: "pub-c-1", userId: "shop" }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <R = never>(
  options: PubNubConfig.Options<R>
): Layer.Layer<PubNubConfig.PubNubConfig | HttpClient.HttpClient, never, R> =>
  Layer.mergeAll(PubNubConfig.layer(options), NodeTransport.layer, Access.layerExplanations)

/**
 * {@link layer} with the configuration from `Config`, by default the environment: see `PubNubConfig.layerConfig` for the
 * names. A missing or unreadable value is a `ConfigError` of the layer.
 *
 * **Example** (Keys from the environment, the user from the program)
 *
 * ```ts
 * import * as Config from "effect/Config"
 * import * as Effect from "effect/Effect"
 * import * as NodePubNub from "effect-herald/node/NodePubNub"
 * import * as Time from "effect-herald/pubnub/Time"
 *
 * const program = Time.now.pipe(Effect.provide(NodePubNub.layerConfig({ userId: Config.succeed("shop") })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options?: { readonly [K in keyof PubNubConfig.Options]?: Config.Config<PubNubConfig.Options[K]> }
): Layer.Layer<PubNubConfig.PubNubConfig | HttpClient.HttpClient, Config.ConfigError> =>
  Layer.mergeAll(PubNubConfig.layerConfig(options), NodeTransport.layer, Access.layerExplanations)
