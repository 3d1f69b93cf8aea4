/**
 * The Symphony emulator on a port, for clients of any language.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Faults from "../testing/Faults.ts"
import * as SymphonyEmulator from "../testing/SymphonyEmulator.ts"
import * as faultyHandler from "./internal/faultyHandler.ts"
import * as Inspector from "./internal/inspector/symphony.ts"
import * as Listener from "./Listener.ts"

/**
 * The port of the Symphony emulator, and the emulator itself.
 *
 * @category services
 * @since 0.1.0
 */
export class SymphonyEmulatorServer extends Context.Service<
  SymphonyEmulatorServer,
  Listener.Listener & {
    /** The state of the emulated pod. */
    readonly emulator: SymphonyEmulator.SymphonyEmulator["Service"]
  }
>()("effect-herald/node/SymphonyEmulatorServer") {}

/**
 * Options of the emulator and of its port. `storedBytes` is 256 MiB by default, so that the server runs for weeks.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends SymphonyEmulator.Options, Listener.Address {
  /**
   * Whether the port serves the inspector at `/_herald/`: a page that shows the state and the requests, and changes them.
   * Whoever reaches the port can use it. Default: `false`; `herald symphony emulator` turns it on.
   */
  readonly inspector?: boolean | undefined
  /** Faults of requests to the port. Each drops the connection, delays its answer or changes it. Default: none. */
  readonly faults?: Faults.Options | undefined
}

/**
 * Serves a new emulator on a port while the scope is open. Closing the scope drops every connection at once.
 *
 * **Details**
 *
 * One port serves the pod, the Agent and the key manager over plain HTTP. Give clients `scheme: "http"`, the host and the port. The
 * emulator answers as `SymphonyEmulator.layer` does, with the same limits. When a client disconnects, its requests are interrupted.
 * Fails with `ListenFailed` when the port is taken.
 *
 * **Example** (A client of any kind)
 *
 * ```ts
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 * import * as SymphonyEmulatorServer from "effect-herald/node/SymphonyEmulatorServer"
 *
 * const program = Effect.gen(function*() {
 *   const { emulator, url } = yield* SymphonyEmulatorServer.SymphonyEmulatorServer
 *   yield* Console.log(`listening on ${url}`)
 *   const streamId = yield* emulator.createStream({ type: "ROOM", name: "Orders", members: ["ada"] })
 *   yield* emulator.send({ streamId, username: "ada", message: "Hello" })
 * }).pipe(Effect.provide(SymphonyEmulatorServer.layer({ port: 4041, users: [{ username: "ada" }] })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  { faults = {}, host, hosts, inspector = false, maxConnections, origins, port, requestTimeout, ...options }: Options =
    {}
): Layer.Layer<SymphonyEmulatorServer | SymphonyEmulator.SymphonyEmulator, Listener.ListenFailed> =>
  Layer.effectContext(Effect.gen(function*() {
    const emulator = yield* SymphonyEmulator.make({ ...options, storedBytes: options.storedBytes ?? 256 * 1024 * 1024 })
    const address = { host, hosts, maxConnections, origins, port, requestTimeout }
    const handle = inspector
      ? yield* Inspector.handler(emulator, faults)
      : (yield* faultyHandler.make(emulator.handle, faults)).handle
    const listener = yield* Listener.serve(handle, address)
    return Context.make(SymphonyEmulatorServer, SymphonyEmulatorServer.of({ ...listener, emulator })).pipe(
      Context.add(SymphonyEmulator.SymphonyEmulator, emulator)
    )
  }))
