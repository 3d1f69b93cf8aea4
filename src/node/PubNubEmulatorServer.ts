/**
 * The PubNub emulator on a port, for clients of any language.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Faults from "../testing/Faults.ts"
import * as PubNubEmulator from "../testing/PubNubEmulator.ts"
import * as faultyHandler from "./internal/faultyHandler.ts"
import * as Inspector from "./internal/inspector/pubnub.ts"
import * as Listener from "./Listener.ts"

/**
 * The port of the PubNub emulator, and the emulator itself.
 *
 * @category services
 * @since 0.1.0
 */
export class PubNubEmulatorServer extends Context.Service<
  PubNubEmulatorServer,
  Listener.Listener & {
    /** The state of the emulated service. */
    readonly emulator: PubNubEmulator.PubNubEmulator["Service"]
  }
>()("effect-herald/node/PubNubEmulatorServer") {}

/**
 * Options of the emulator and of its port. `limits.storedBytes` is 64 MiB by default, so that the server runs for weeks.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends PubNubEmulator.Options, Listener.Address {
  /**
   * Whether the port serves the inspector at `/_herald/`: a page that shows the state and the requests, and changes them.
   * Whoever reaches the port can use it. Default: `false`; `herald emulator` turns it on.
   */
  readonly inspector?: boolean | undefined
  /** Faults of requests to the port. Each drops the connection, delays its answer or changes it. Default: none. */
  readonly faults?: Faults.Options | undefined
}

/**
 * Serves an emulator of its own on a port while the scope is open. Closing the scope drops every connection at once.
 *
 * **Details**
 *
 * The port speaks plain HTTP: give clients `origin`, and turn TLS off. The emulator answers as it does as a layer, with
 * the same limits. When a client goes away, its requests are interrupted. Fails with `ListenFailed` when the port is taken.
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
  { faults = {}, host, hosts, inspector = false, maxConnections, origins, port, requestTimeout, ...options }: Options =
    {}
): Layer.Layer<PubNubEmulatorServer | PubNubEmulator.PubNubEmulator, Listener.ListenFailed> =>
  Layer.effectContext(Effect.gen(function*() {
    const emulator = yield* PubNubEmulator.make({
      ...options,
      limits: { ...options.limits, storedBytes: options.limits?.storedBytes ?? 64 * 1024 * 1024 }
    })
    const address = { host, hosts, maxConnections, origins, port, requestTimeout }
    const handle = inspector
      ? yield* Inspector.handler(
        emulator,
        options.keysets?.[0] ?? { subscribeKey: "demo-sub", publishKey: "demo-pub" },
        faults
      )
      : (yield* faultyHandler.make(emulator.handle, faults)).handle
    const listener = yield* Listener.serve(handle, address)
    return Context.make(PubNubEmulatorServer, PubNubEmulatorServer.of({ ...listener, emulator })).pipe(
      Context.add(PubNubEmulator.PubNubEmulator, emulator)
    )
  }))
