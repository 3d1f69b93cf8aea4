/**
 * A port that an emulator listens on: what `PubNubEmulatorServer` and `SymphonyEmulatorServer` have in common.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Failure from "../internal/failure.ts"
import type * as SymphonyEmulator from "../testing/SymphonyEmulator.ts"
import * as callers from "./internal/callers.ts"
import * as refusals from "./internal/refusals.ts"
import * as requestBody from "./internal/requestBody.ts"

/**
 * The server could not listen on its port. Most often, another process uses it.
 *
 * @category errors
 * @since 0.1.0
 */
export class ListenFailed extends Failure.TaggedError<ListenFailed>("node")("ListenFailed", {
  /** The host name or address. */
  host: Schema.String,
  /** The port. */
  port: Schema.Int,
  /** The error of the system. */
  cause: Schema.Defect()
}, {
  message: ({ host, port }) => `Cannot listen on ${host}:${port}. Choose another port, or 0 for any free port.`,
  isRetryable: true
}) {}

/**
 * A server that listens on a port. It can be taken down and brought back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listener {
  /** The port. */
  readonly port: number
  /** `http://host:port` */
  readonly url: string
  /** `host:port`, as `PubNubConfig` takes it as `origin`. */
  readonly origin: string
  /** Drops every connection and stops listening, as a killed process does. Keeps the state of the emulator. */
  readonly kill: Effect.Effect<void>
  /** Listens again, on the same port. */
  readonly listen: Effect.Effect<void, ListenFailed>
}

/**
 * Where a server listens, and whose requests it answers.
 *
 * It answers requests that call this machine by a loopback name (`127.0.0.1`, `localhost`, `[::1]`, `*.localhost`), and
 * pages in a browser that come from one. It refuses all others with 403.
 *
 * @category models
 * @since 0.1.0
 */
export interface Address {
  /** The port. Default: 0, any that is free. */
  readonly port?: number | undefined
  /** The address to listen on, which is also a name that requests may use. Default: `127.0.0.1`, this machine only. */
  readonly host?: string | undefined
  /** More names that requests may use, without a port: those of other machines and containers. Default: none. */
  readonly hosts?: ReadonlyArray<string> | undefined
  /**
   * More origins of pages that may send requests, as browsers write them: `https://app.example.com`. `"null"` permits
   * pages from files, and every page that hides its origin. Default: none.
   */
  readonly origins?: ReadonlyArray<string> | undefined
  /** How long a client may take to send a request, and as long again to read its answer. Default: 30 seconds. */
  readonly requestTimeout?: Duration.Input | undefined
  /** How many connections may be open. Those beyond are closed. Default: 4,096. */
  readonly maxConnections?: number | undefined
}

/** The most that address and headers of a request have. The services answer addresses of 100 kB, too. */
const headerBytes = 128 * 1024

/** The most that is read of a body. Messages of Symphony may have 30 MB. */
const bodyBytes = 32 * 1024 * 1024

/** The most that all requests hold together, in bytes. */
const heldBytes = 512 * 1024 * 1024

/** The most requests that a client sends on one connection without waiting for their answers. */
const mostWaiting = 100

/** The memory that a request needs. An address may name thousands of channels, each of which is an object. */
const heldBy = (target: string): number => 4096 + 32 * target.length

/**
 * Serves a handler of requests on a port while the scope is open. Closing the scope drops every connection at once. When a
 * client goes away, its requests are interrupted. When `handle` fails, the connection is dropped.
 *
 * **Details**
 *
 * `handle` gets the body as it came, compressed or not: at most 32 MiB and one byte. The server itself answers a request
 * that is not HTTP (400), takes longer than `requestTimeout` (408) or has more than 128 KiB of address and headers (414),
 * and one for which it has no room beside the others (503).
 *
 * **Example** (A service that is always busy)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Listener from "effect-herald/node/Listener"
 *
 * const busy = Listener.serve(
 *   () => Effect.succeed({ status: 503, headers: { "retry-after": "5" }, body: "" }),
 *   { port: 4040 }
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const serve = Effect.fnUntraced(
  function*<E>(
    handle: (request: SymphonyEmulator.Request) => Effect.Effect<SymphonyEmulator.Answer, E>,
    address: Address
  ): Effect.fn.Return<Listener, ListenFailed, Scope.Scope> {
    const run = yield* FiberSet.makeRuntime()
    const host = address.host ?? "127.0.0.1"
    const shownHost = host.includes(":") ? `[${host}]` : host
    const hosts = [shownHost, ...address.hosts ?? []]
    const patience = Duration.toMillis(Duration.fromInputUnsafe(address.requestTimeout ?? "30 seconds"))
    const room = requestBody.makeRoom(heldBytes)
    /** The number of unanswered requests of each connection. */
    const waiting = new WeakMap<Net.Socket, number>()
    let port = address.port ?? 0

    const answer = (request: Http.IncomingMessage, take: (size: number) => boolean) => {
      const { headers, method = "GET", url = "/" } = request
      const refusal = callers.refusal(headers, hosts, address.origins ?? [])
      if (refusal !== undefined) return Effect.succeed(refusals.refuse(403, refusal))
      if (!take(heldBy(url))) return Effect.succeed(refusals.busy)
      return requestBody.read(request, bodyBytes, take).pipe(
        Effect.flatMap((body) =>
          body === undefined ? Effect.succeed(refusals.busy) : handle({
            method,
            target: url,
            headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
            body
          })
        )
      )
    }

    const server = Http.createServer({
      maxHeaderSize: headerBytes,
      headersTimeout: patience,
      requestTimeout: patience,
      connectionsCheckingInterval: Math.min(patience, 1000)
    }, (request, response) => {
      const { socket } = request
      // Nothing is read from a connection with too many unanswered requests, so its end would not be noticed.
      if ((waiting.get(socket) ?? 0) >= mostWaiting) socket.destroy()
      if (socket.destroyed) return
      let held = 0
      const take = (size: number) => {
        const isThere = room.take(size)
        if (isThere) held += size
        return isThere
      }
      waiting.set(socket, (waiting.get(socket) ?? 0) + 1)
      const fiber = run(answer(request, take))
      let unread: NodeJS.Timeout | undefined
      const end = () => {
        response.off("close", end)
        socket.off("close", end)
        clearTimeout(unread)
        waiting.set(socket, (waiting.get(socket) ?? 1) - 1)
        fiber.interruptUnsafe()
        room.give(held)
      }
      const begin = () => {
        unread = setTimeout(() => socket.destroy(), patience)
      }
      response.on("close", end)
      // A response that waits for others on its connection does not notice that it is closed.
      socket.on("close", end)
      fiber.addObserver((exit) => {
        if (Exit.isFailure(exit)) return socket.destroy()
        const { bytes, headers, status } = exit.value
        const body = bytes ?? exit.value.body
        // Throws away the body of a request that was refused early.
        request.resume()
        if (response.socket === null) response.once("socket", begin)
        else begin()
        // 204 has no body and no length.
        response.writeHead(status, status === 204 ? headers : { ...headers, "content-length": Buffer.byteLength(body) })
        return response.end(body)
      })
    })
    server.maxConnections = address.maxConnections ?? 4096
    server.on("connection", (socket) => socket.setMaxListeners(mostWaiting + 20))
    server.on("clientError", (error, socket) => refusals.hangUp(error, socket, patience))

    const kill = Effect.callback<void>((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    })
    const listen = Effect.suspend(() =>
      server.listening ? Effect.void : Effect.callback<void, ListenFailed>((resume) => {
        const refused = (cause: Error) => resume(Effect.fail(new ListenFailed({ host, port, cause })))
        server.once("error", refused)
        server.listen(port, host, () => {
          server.off("error", refused)
          const address = server.address()
          if (address !== null && typeof address === "object") port = address.port
          resume(Effect.void)
        })
      })
    )
    yield* Effect.acquireRelease(listen, () => kill)

    const origin = `${shownHost}:${port}`
    return { port, url: `http://${origin}`, origin, kill, listen }
  }
)
