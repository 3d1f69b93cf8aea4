/**
 * Symphony on Node: configuration and transport in one layer.
 *
 * @since 0.1.0
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import type * as Config from "effect/Config"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as PlatformError from "effect/PlatformError"
import * as SymphonyConfig from "../symphony/SymphonyConfig.ts"
import * as NodeTransport from "./NodeTransport.ts"

/**
 * The configuration of the given options, and the undici transport of `NodePubNub`: connections are kept alive for 4 seconds,
 * carry one request at a time, and are given up after 5 seconds when they cannot be made. Trace headers are not sent.
 *
 * **Example** (A bot)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import type * as Redacted from "effect/Redacted"
 * import * as NodeSymphony from "effect-herald/node/NodeSymphony"
 * import * as Session from "effect-herald/symphony/Session"
 *
 * const bot = (privateKey: Redacted.Redacted) =>
 *   Session.layer().pipe(
 *     Layer.provideMerge(NodeSymphony.layer({ host: "acme.symphony.com", bot: { username: "orders-bot", privateKey } }))
 *   )
 *
 * const program = (privateKey: Redacted.Redacted) =>
 *   Session.Session.use(({ tokens }) => tokens).pipe(Effect.provide(bot(privateKey)))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: SymphonyConfig.Options
): Layer.Layer<SymphonyConfig.SymphonyConfig | HttpClient.HttpClient> =>
  Layer.merge(SymphonyConfig.layer(options), NodeTransport.layer)

/**
 * {@link layer} with the configuration from `Config`, by default the environment: see `SymphonyConfig.layerConfig` for the
 * names. A missing or unreadable value is a `ConfigError` of the layer.
 *
 * **Example** (All from the environment)
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as NodeSymphony from "effect-herald/node/NodeSymphony"
 * import * as Session from "effect-herald/symphony/Session"
 *
 * const Live = Session.layer().pipe(Layer.provideMerge(NodeSymphony.layerConfig()))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options?: { readonly [K in keyof SymphonyConfig.Options]?: Config.Config<SymphonyConfig.Options[K]> }
): Layer.Layer<SymphonyConfig.SymphonyConfig | HttpClient.HttpClient, Config.ConfigError> =>
  Layer.merge(SymphonyConfig.layerConfig(options), NodeTransport.layer)

/**
 * {@link layer} with the configuration of a file of the vendor's kits, JSON or YAML: see `SymphonyConfig.layerFile`.
 *
 * **Example** (The file of a bot)
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as NodeSymphony from "effect-herald/node/NodeSymphony"
 * import * as Session from "effect-herald/symphony/Session"
 *
 * const Live = Session.layer().pipe(Layer.provideMerge(NodeSymphony.layerFile("config.yaml")))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFile = (
  file: string
): Layer.Layer<
  SymphonyConfig.SymphonyConfig | HttpClient.HttpClient,
  SymphonyConfig.SymphonyConfigError | PlatformError.PlatformError
> => Layer.merge(Layer.provide(SymphonyConfig.layerFile(file), NodeServices.layer), NodeTransport.layer)
