/** What surrounds both emulators: CORS, latency, the context of their fibers, and the layer with an `HttpClient`. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import type { ConnectionReset } from "./connection.ts"
import * as cors from "./cors.ts"
import * as exchange from "./exchange.ts"
import type { Answer, Request } from "./message.ts"

/** Handles requests as a server would. */
export type Handle = (request: Request) => Effect.Effect<Answer, ConnectionReset>

/** Puts the surroundings around a handler. */
export const make = Effect.fnUntraced(function*(latency: Effect.Effect<Duration.Input> | undefined) {
  const context = yield* Effect.context<never>()
  if (latency !== undefined && !Effect.isEffect(latency)) {
    throw new Error("latency of an emulator is not an Effect: use Effect.succeed(\"100 millis\")")
  }

  // A server knows nothing of its callers' services. It takes only time, chance and scheduling from their context.
  const isolate = (caller: Context.Context<never>) =>
    context.pipe(
      Context.add(Clock.Clock, Context.get(caller, Clock.Clock)),
      Context.add(Random.Random, Context.get(caller, Random.Random)),
      Context.add(Scheduler.Scheduler, Context.get(caller, Scheduler.Scheduler))
    )

  const wait = latency === undefined ? Effect.void : Effect.flatMap(latency, (duration) => Effect.sleep(duration))

  return (handle: Handle): Handle => (request) =>
    handle(request).pipe(Effect.map(cors.allow), Effect.tap(wait), Effect.updateContext(isolate))
})

/** Sends requests to a handler, whatever their host. */
const client = (handle: Handle): HttpClient.HttpClient =>
  HttpClient.make((request, url) =>
    Effect.flatMap(exchange.body(request), ({ bytes, contentType }) =>
      handle({
        method: request.method,
        target: url.pathname + url.search,
        headers: {
          ...request.headers,
          "content-type": contentType,
          host: url.host,
          "x-forwarded-proto": url.protocol.slice(0, -1)
        },
        body: bytes
      })).pipe(
        Effect.map((answer) => exchange.response(request, answer)),
        Effect.catchTag("ConnectionReset", () => Effect.fail(exchange.failure(request, "ECONNRESET")))
      )
  )

/** An emulator, and an `HttpClient` that reaches it. */
export const layer = <Self, Shape extends { readonly handle: Handle }>(
  service: Context.Key<Self, Shape>,
  emulator: Effect.Effect<Shape>
): Layer.Layer<Self | HttpClient.HttpClient> =>
  Layer.effectContext(
    Effect.map(emulator, (emulator) =>
      Context.make(service, emulator).pipe(Context.add(HttpClient.HttpClient, client(emulator.handle))))
  )
