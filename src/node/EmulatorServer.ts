/**
 * The PubNub emulator on a port, where clients of any language can use it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Http from "node:http"
import * as Zlib from "node:zlib"
import * as PubNubEmulator from "../testing/PubNubEmulator.ts"
import type * as SymphonyEmulator from "../testing/SymphonyEmulator.ts"

/**
 * The port could not be listened on: most often, another process does.
 *
 * @category errors
 * @since 0.1.0
 */
export class ListenFailed extends Schema.TaggedError<ListenFailed>("effect-herald/node/ListenFailed")("ListenFailed", {
  host: Schema.String,
  port: Schema.Int,
  cause: Schema.Defect()
}) {
  override get message() {
    return `cannot listen on ${this.host}:${this.port}: choose another port, or 0 for any that is free`
  }
}

/**
 * Where a server listens, and the switch to take it down and bring it back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listener {
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
export class EmulatorServer extends Context.Service<
  EmulatorServer,
  Listener & {
    /** The state of the emulated service. */
    readonly emulator: PubNubEmulator.PubNubEmulator["Service"]
  }
>()("effect-herald/node/EmulatorServer") {}

/**
 * Where to listen.
 *
 * @category models
 * @since 0.1.0
 */
export interface Address {
  /** Default 0: one that is free. */
  readonly port?: number
  /** Default `127.0.0.1`: this machine only. */
  readonly host?: string
}

/**
 * Options of the server, beside those of the emulator.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends PubNubEmulator.Options, Address {}

/** The body of a request, with any compression undone. One that cannot be undone is empty, which is no JSON either. */
const readBody = (request: Http.IncomingMessage): Effect.Effect<Uint8Array> =>
  Effect.callback((resume) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => {
      const bytes = Buffer.concat(chunks)
      if (request.headers["content-encoding"] === undefined) return resume(Effect.succeed(bytes))
      Zlib.unzip(bytes, (_, plain) => resume(Effect.succeed(plain ?? new Uint8Array())))
    })
  })

/**
 * Serves whatever handles requests on a port, for as long as the scope is open. Closing it drops every connection at
 * once. A client that goes away interrupts what was waiting for its sake, and a failure drops its connection.
 *
 * **Example** (A service that is always busy)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as EmulatorServer from "effect-herald/node/EmulatorServer"
 *
 * const busy = EmulatorServer.serve(
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
    let port = address.port ?? 0

    const server = Http.createServer((request, response) => {
      const fiber = run(Effect.flatMap(readBody(request), (body) =>
        handle({
          method: request.method ?? "GET",
          target: request.url ?? "/",
          headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)])),
          body
        })))
      response.on("close", () => fiber.interruptUnsafe())
      fiber.addObserver((exit) => {
        if (Exit.isFailure(exit)) return request.socket.destroy()
        const { body, headers, status } = exit.value
        // 204 has no body, and so no length of one.
        response.writeHead(status, status === 204 ? headers : { ...headers, "content-length": Buffer.byteLength(body) })
        return response.end(body)
      })
    })

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

    const origin = `${host}:${port}`
    return { port, url: `http://${origin}`, origin, kill, listen }
  })

/**
 * Serves an emulator of its own on a port, for as long as the scope is open. Closing it drops every connection at once.
 *
 * **Details**
 *
 * Plain HTTP: clients are given `origin` and told to leave TLS out. A client that goes away interrupts what was waiting
 * for its sake, and nothing else. Request bodies may be compressed with gzip or deflate.
 *
 * **Example** (A client of any kind)
 *
 * ```ts
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 * import * as EmulatorServer from "effect-herald/node/EmulatorServer"
 *
 * const program = Effect.gen(function*() {
 *   const { emulator, origin } = yield* EmulatorServer.EmulatorServer
 *   yield* Console.log(`listening on ${origin}`)
 *   yield* emulator.publish({ channel: "orders", message: { id: 1 } })
 * }).pipe(Effect.provide(EmulatorServer.layer({ port: 4040 })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<EmulatorServer | PubNubEmulator.PubNubEmulator, ListenFailed> =>
  Layer.effectContext(Effect.gen(function*() {
    const emulator = yield* PubNubEmulator.make(options)
    const listener = yield* serve(
      (request) => emulator.handle({ ...request, body: new TextDecoder().decode(request.body) }),
      options
    )
    return Context.make(EmulatorServer, EmulatorServer.of({ ...listener, emulator })).pipe(
      Context.add(PubNubEmulator.PubNubEmulator, emulator)
    )
  }))
