/**
 * The PubNub emulator on a port, where clients of any language can use it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Failure from "../internal/failure.ts"
import * as PubNubEmulator from "../testing/PubNubEmulator.ts"
import type * as SymphonyEmulator from "../testing/SymphonyEmulator.ts"
import * as callers from "./internal/callers.ts"
import * as refusals from "./internal/refusals.ts"
import * as requestBody from "./internal/requestBody.ts"

/**
 * The port could not be listened on: most often, another process does.
 *
 * @category errors
 * @since 0.1.0
 */
export class ListenFailed extends Failure.TaggedError<ListenFailed>("node")("ListenFailed", {
  host: Schema.String,
  port: Schema.Int,
  cause: Schema.Defect()
}, {
  message: ({ host, port }) => `cannot listen on ${host}:${port}: choose another port, or 0 for any that is free`,
  isRetryable: true
}) {}

/**
 * Where a server listens, and the switch to take it down and bring it back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listener {
  /** The port that it listens on. */
  readonly port: number
  /** `http://host:port` */
  readonly url: string
  /** `host:port`, as the `origin` of a client wants it. */
  readonly origin: string
  /** Drops every connection and stops listening, as a process that is killed does. The state is kept. */
  readonly kill: Effect.Effect<void>
  /** Listens again, on the same port. */
  readonly listen: Effect.Effect<void, ListenFailed>
}

/**
 * Where the PubNub emulator listens.
 *
 * @category services
 * @since 0.1.0
 */
export class PubNubEmulatorServer extends Context.Service<
  PubNubEmulatorServer,
  Listener & {
    /** The state of the emulated service. */
    readonly emulator: PubNubEmulator.PubNubEmulator["Service"]
  }
>()("effect-herald/node/PubNubEmulatorServer") {}

/**
 * Where to listen, and who may ask.
 *
 * Requests are answered that call this machine by a loopback name (`127.0.0.1`, `localhost`, `[::1]`, `*.localhost`), and
 * pages of a browser that come from one. All others are refused with 403.
 *
 * @category models
 * @since 0.1.0
 */
export interface Address {
  /** Default 0: one that is free. */
  readonly port?: number
  /** Default `127.0.0.1`: this machine only. What is given here is a name to be called by, too. */
  readonly host?: string
  /** More names to be called by, without a port: what other machines and containers write. Default: none. */
  readonly hosts?: ReadonlyArray<string>
  /**
   * More origins of pages that may ask, as browsers write them: `https://app.example.com`. `"null"` is a page from a file,
   * and every page that hides where it is from. Default: none.
   */
  readonly origins?: ReadonlyArray<string>
  /** How long a client may take to send a request, and as long again to read its answer. Default 30 seconds. */
  readonly patience?: Duration.Input
  /** The most connections at a time: those beyond are closed. Default 4,096. */
  readonly maxConnections?: number
}

/**
 * Options of the server, beside those of the emulator. Some limits of the emulator have another default here, so that it
 * runs for weeks: see `layer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends PubNubEmulator.Options, Address {}

/** Room for the address and the headers of a request: the services answer addresses of 100 kB, too. */
const headerBytes = 128 * 1024

/** The most that is read of a body. Messages of Symphony may have 30 MB. */
const bodyBytes = 32 * 1024 * 1024

/** The most that all requests hold together, in bytes. */
const heldBytes = 512 * 1024 * 1024

/** The most requests that a client sends on one connection without waiting for their answers. */
const mostWaiting = 100

/** What a request holds while it is handled. An address may name thousands of channels, each of which is an object. */
const heldBy = (target: string): number => 4096 + 32 * target.length

/**
 * Serves whatever handles requests on a port, for as long as the scope is open. Closing it drops every connection at
 * once. A client that goes away interrupts what was waiting for its sake, and a failure drops its connection.
 *
 * **Details**
 *
 * `handle` gets bodies as they came, compressed or not, and the first 32 MiB and a byte of one that is longer. A request
 * that is not HTTP is answered with 400, one that takes longer than `patience` with 408, one whose address and headers have
 * more than 128 KiB with 414, and one for which there is no room among those that are handled with 503.
 *
 * **Example** (A service that is always busy)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
 *
 * const busy = PubNubEmulatorServer.serve(
 *   () => Effect.succeed({ status: 503, headers: { "retry-after": "5" }, body: "" }),
 *   { port: 4040 }
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const serve = <E>(
  handle: (request: SymphonyEmulator.Request) => Effect.Effect<SymphonyEmulator.Answer, E>,
  address: Address
): Effect.Effect<Listener, ListenFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const run = yield* FiberSet.makeRuntime()
    const host = address.host ?? "127.0.0.1"
    const shownHost = host.includes(":") ? `[${host}]` : host
    const hosts = [shownHost, ...address.hosts ?? []]
    const patience = Duration.toMillis(Duration.fromInputUnsafe(address.patience ?? "30 seconds"))
    const room = requestBody.makeRoom(heldBytes)
    /** How many requests of each connection wait for their answers. */
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
      // Nothing more is read from a connection whose answers pile up, and so nobody would learn that it is closed.
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
      // A response that waits for others on its connection is not told when that is closed.
      socket.on("close", end)
      fiber.addObserver((exit) => {
        if (Exit.isFailure(exit)) return socket.destroy()
        const { body, headers, status } = exit.value
        // What was refused without a look at its body is thrown away.
        request.resume()
        if (response.socket === null) response.once("socket", begin)
        else begin()
        // 204 has no body, and so no length of one.
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
  })

/**
 * Serves an emulator of its own on a port, for as long as the scope is open. Closing it drops every connection at once.
 *
 * **Details**
 *
 * Plain HTTP: clients are given `origin` and told to leave TLS out. A client that goes away interrupts what was waiting
 * for its sake, and nothing else. It answers as the emulator does as a layer, limits included, and can run for weeks:
 * `limits.storedBytes` is 64 MiB here unless the options say otherwise.
 *
 * **Example** (A client of any kind)
 *
 * ```ts
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 * import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
 *
 * const program = Effect.gen(function*() {
 *   const { emulator, origin } = yield* PubNubEmulatorServer.PubNubEmulatorServer
 *   yield* Console.log(`listening on ${origin}`)
 *   yield* emulator.publish({ channel: "orders", message: { id: 1 } })
 * }).pipe(Effect.provide(PubNubEmulatorServer.layer({ port: 4040 })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<PubNubEmulatorServer | PubNubEmulator.PubNubEmulator, ListenFailed> =>
  Layer.effectContext(Effect.gen(function*() {
    const emulator = yield* PubNubEmulator.make({
      ...options,
      limits: { storedBytes: 64 * 1024 * 1024, ...options.limits }
    })
    const listener = yield* serve(emulator.handle, options)
    return Context.make(PubNubEmulatorServer, PubNubEmulatorServer.of({ ...listener, emulator })).pipe(
      Context.add(PubNubEmulator.PubNubEmulator, emulator)
    )
  }))
