/** The undici transport of both services, made for long polls. It knows no key, so one for all is right: they share its connections. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"

export const transport = NodeHttpClient.layerUndiciOptions({
  // HTTP/2 would put the long polls of all readers and every other call on one connection, to fail together.
  allowH2: false,
  pipelining: 1,
  keepAliveTimeout: 4_000,
  connect: { timeout: 5_000 }
}).pipe(Layer.provide(Layer.succeed(HttpClient.TracerPropagationEnabled, false)))
