/**
 * Symphony on Node: configuration, transport and session in one layer.
 *
 * @since 0.1.0
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import type * as Config from "effect/Config"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import type * as PlatformError from "effect/PlatformError"
import * as Session from "../symphony/Session.ts"
import * as SymphonyConfig from "../symphony/SymphonyConfig.ts"
import * as NodeTransport from "./NodeTransport.ts"

/**
 * All that requests to Symphony need: the configuration of the given options, the session of its bot, and the transport
 * `NodeTransport.layer`. The session logs in with the first request.
 *
 * **Example** (A bot)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import type * as Redacted from "effect/Redacted"
 * import * as NodeSymphony from "effect-herald/node/NodeSymphony"
 * import * as Datafeed from "effect-herald/symphony/Datafeed"
 *
 * const bot = (privateKey: Redacted.Redacted) =>
 *   Datafeed.consume((event) => Effect.log(event._tag)).pipe(
 *     Effect.provide(NodeSymphony.layer({ host: "acme.symphony.com", bot: { username: "orders-bot", privateKey } }))
 *   )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: SymphonyConfig.Options
): Layer.Layer<SymphonyConfig.SymphonyConfig | HttpClient.HttpClient | Session.Session> =>
  withSession(SymphonyConfig.layer(options))

/**
 * As {@link layer}, with the configuration from `Config`, by default the environment: see `SymphonyConfig.layerConfig` for the
 * names. A missing or unreadable value is a `ConfigError` of the layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options?: { readonly [K in keyof SymphonyConfig.Options]?: Config.Config<SymphonyConfig.Options[K]> }
): Layer.Layer<SymphonyConfig.SymphonyConfig | HttpClient.HttpClient | Session.Session, Config.ConfigError> =>
  withSession(SymphonyConfig.layerConfig(options))

/**
 * As {@link layer}, with the configuration of a JSON or YAML file of the vendor's kits: see `SymphonyConfig.layerFile`.
 *
 * **Example** (The file of a bot)
 *
 * ```ts
 * import * as NodeSymphony from "effect-herald/node/NodeSymphony"
 *
 * const Live = NodeSymphony.layerFile("config.yaml")
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFile = (
  file: string
): Layer.Layer<
  SymphonyConfig.SymphonyConfig | HttpClient.HttpClient | Session.Session,
  SymphonyConfig.SymphonyConfigError | PlatformError.PlatformError
> => withSession(Layer.provide(SymphonyConfig.layerFile(file), NodeServices.layer))

const withSession = <E>(config: Layer.Layer<SymphonyConfig.SymphonyConfig, E>) =>
  Session.layer().pipe(Layer.provideMerge(Layer.merge(config, NodeTransport.layer)))
