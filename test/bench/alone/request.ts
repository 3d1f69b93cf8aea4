/** Effect alone: a service in a layer, and a request with a timeout whose body is read as a stream. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"

export class Config extends Context.Service<Config, { readonly origin: string }>()("alone/Config") {}

export const layer = (origin: string) => Layer.succeed(Config, { origin })

export const bodyOf = (path: string) =>
  Effect.gen(function*() {
    const { origin } = yield* Config
    const { stream } = yield* HttpClient.execute(HttpClientRequest.get(origin + path))
    const decoder = new TextDecoder()
    return yield* Stream.runFold(stream, () => "", (text, bytes) => text + decoder.decode(bytes, { stream: true }))
  }).pipe(Effect.timeout("10 seconds"))
