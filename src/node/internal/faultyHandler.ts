/** `Faults` in front of the handler of a port. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpMethod from "effect/http/HttpMethod"
import * as Layer from "effect/Layer"
import type * as SymphonyEmulator from "../../testing/SymphonyEmulator.ts"
import * as Faults from "../../testing/Faults.ts"
import { ConnectionReset } from "../../testing/server/connection.ts"
import * as cors from "../../testing/server/cors.ts"
import * as exchange from "../../testing/server/exchange.ts"

/** Handles requests as a server would. */
export type Handle = (
  request: SymphonyEmulator.Request
) => Effect.Effect<SymphonyEmulator.Answer, SymphonyEmulator.ConnectionReset>

/** A handler with faults that can change while it runs. */
export interface FaultyHandler {
  readonly handle: Handle
  /** Adds a rule for further requests. A rule that no request can meet is a defect. */
  readonly add: (rule: Faults.Rule) => Effect.Effect<void>
  /** Removes all faults, and begins with these. The same seed and the same requests give the same faults. */
  readonly restart: (options: Faults.Options) => Effect.Effect<void>
  /** The faults by chance, if there are any. */
  readonly chance: () => Faults.Chance | undefined
  /** The faults since the start. */
  readonly injected: Effect.Effect<ReadonlyArray<Faults.Injected>>
}

/** The request as it came over the wire, which a client's request cannot hold. */
const Original = Context.Reference<SymphonyEmulator.Request>("effect-herald/node/faultyHandler/Original", {
  defaultValue: () => ({ method: "GET", target: "/", headers: {}, body: "" })
})

const clientOf = (handle: Handle) =>
  HttpClient.make((request) =>
    Original.pipe(
      Effect.flatMap(handle),
      Effect.map((answer) => exchange.response(request, answer)),
      Effect.mapError(() => exchange.failure(request, "ECONNRESET"))
    )
  )

/** A fault of the network drops the connection. */
const send = (client: HttpClient.HttpClient, method: HttpMethod.HttpMethod, original: SymphonyEmulator.Request) =>
  client.execute(HttpClientRequest.make(method)(`http://localhost${original.target}`)).pipe(
    Effect.flatMap((response) => Effect.map(exchange.answerOf(response), cors.allow)),
    Effect.mapError(() => new ConnectionReset({})),
    Effect.provideService(Original, original)
  )

/** Puts faults in front of a handler. Requests pass them only while there are some. */
export const make = Effect.fnUntraced(function*(handle: Handle, given: Faults.Options) {
  const begin = (options: Faults.Options) =>
    Effect.all({ client: HttpClient.HttpClient, faults: Faults.Faults }).pipe(
      Effect.provide(
        Faults.layer(options).pipe(Layer.provideMerge(Layer.succeed(HttpClient.HttpClient, clientOf(handle))))
      ),
      Effect.map((started) => ({
        ...started,
        chance: options.chance,
        isOn: options.script !== undefined || options.chance !== undefined
      }))
    )
  let current = yield* begin(given)
  return {
    handle: (request) => {
      const { method } = request
      // The question of a browser is no request of its page.
      return current.isOn && HttpMethod.isHttpMethod(method) && method !== "OPTIONS"
        ? send(current.client, method, request)
        : handle(request)
    },
    add: (rule) =>
      Effect.suspend(() => {
        current = { ...current, isOn: true }
        return current.faults.add(rule)
      }),
    restart: (options) =>
      Effect.map(begin(options), (started) => {
        current = started
      }),
    chance: () => current.chance,
    injected: Effect.suspend(() => current.faults.injected)
  } satisfies FaultyHandler
})
