/**
 * The emulator on a port, behind its own faults: what `Faults` does to an `HttpClient` in a test, done to real sockets, so
 * that any client meets it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Faults, PubNubEmulator } from "effect-herald/testing"
import * as Http from "node:http"

export interface Server {
  readonly origin: string
  readonly emulator: PubNubEmulator.PubNubEmulator["Service"]
  readonly faults: Faults.Faults["Service"]
  /** How many requests for pages of history came. */
  readonly pages: () => number
  /** Drops every connection and refuses new ones, until `listen`. */
  readonly kill: Effect.Effect<void>
  readonly listen: Effect.Effect<void>
}

/** The code of a network's failure, however deep it is. */
const codeOf = (cause: unknown): unknown =>
  cause instanceof Error ? "code" in cause ? cause.code : codeOf(cause.cause) : undefined

/** The answer as it comes, and the end of the connection where it breaks off. */
const answer = (
  client: HttpClient.HttpClient,
  request: Http.IncomingMessage,
  response: Http.ServerResponse
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const answer = yield* client.get(`http://emulator${request.url}`)
    response.writeHead(answer.status, answer.headers)
    yield* Stream.runForEach(answer.stream, (bytes) =>
      Effect.callback<void>((resume) => {
        response.write(bytes, () => resume(Effect.void))
      }))
    response.end()
  }).pipe(Effect.catch((error) =>
    Effect.sync(() => {
      if (codeOf(error.reason.cause) === "ECONNRESET") request.socket.resetAndDestroy()
      else request.socket.end()
    })
  ))

/** Serves for as long as the scope is open. The service holds a poll a hundredth of the time that it does in life. */
export const make = Effect.gen(function*() {
  const context = yield* Layer.build(
    Faults.layer().pipe(Layer.provideMerge(PubNubEmulator.layer({ hold: "2800 millis" })))
  )
  const client = Context.get(context, HttpClient.HttpClient)
  const run = yield* FiberSet.makeRuntime()
  let pages = 0
  const server = Http.createServer((request, response) => {
    if (request.url?.includes("/history/sub-key/") === true) pages++
    const fiber = run(answer(client, request, response))
    response.on("close", () => fiber.interruptUnsafe())
  })
  let port = 0
  const listen = Effect.callback<void>((resume) => {
    server.listen(port, "127.0.0.1", () => {
      const address = server.address()
      if (address !== null && typeof address === "object") port = address.port
      resume(Effect.void)
    })
  })
  const kill = Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeAllConnections()
  })
  yield* Effect.acquireRelease(listen, () => kill)
  const made: Server = {
    origin: `127.0.0.1:${port}`,
    emulator: Context.get(context, PubNubEmulator.PubNubEmulator),
    faults: Context.get(context, Faults.Faults),
    pages: () => pages,
    kill,
    listen
  }
  return made
})
