/**
 * The HTTP transport of Node, made for the long polls of both services.
 *
 * @since 0.1.0
 */
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Dispatch from "./internal/dispatch.ts"

/**
 * An `HttpClient` on undici. It holds no key, so all services of a program can share it and its connections.
 *
 * **Details**
 *
 * Each connection carries one request at a time, and there are as many as needed: a publish never waits behind a long poll.
 * A connection that is not made within 5 seconds fails; the request was not sent then. An idle connection is closed after 4
 * seconds (or as the service's `Keep-Alive` header says), before anything on the way drops it silently: the outcome of a
 * message written to such a connection would be unknown. Closing the scope closes all connections.
 *
 * Bun has no undici: there the layer is `FetchHttpClient.layer`.
 *
 * **Example** (A configuration of your own)
 *
 * ```ts
 * import * as Layer from "effect/Layer"
 * import * as NodeTransport from "effect-herald/node/NodeTransport"
 * import * as PubNubConfig from "effect-herald/pubnub/PubNubConfig"
 *
 * const Live = Layer.merge(PubNubConfig.layer({ subscribeKey: "sub-c-1", userId: "shop" }), NodeTransport.layer)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = Layer.effect(
  HttpClient.HttpClient,
  Dispatch.make({
    // HTTP/2 would put the long polls of all readers and every other call on one connection, to fail together.
    allowH2: false,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    connect: { timeout: 5_000 }
  })
)
