/**
 * The Symphony emulator on a port, where clients of any language can use it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SymphonyEmulator from "../testing/SymphonyEmulator.ts"
import * as PubNubEmulatorServer from "./PubNubEmulatorServer.ts"

/**
 * Where the Symphony emulator listens.
 *
 * @category services
 * @since 0.1.0
 */
export class SymphonyEmulatorServer extends Context.Service<
  SymphonyEmulatorServer,
  PubNubEmulatorServer.Listener & {
    /** The state of the emulated pod. */
    readonly emulator: SymphonyEmulator.SymphonyEmulator["Service"]
  }
>()("effect-herald/node/SymphonyEmulatorServer") {}

/**
 * Options of the server, beside those of the emulator.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends SymphonyEmulator.Options, PubNubEmulatorServer.Address {}

/**
 * Serves an emulator of its own on a port, for as long as the scope is open. Closing it drops every connection at once.
 *
 * **Details**
 *
 * Plain HTTP, and one port for the pod, the Agent and the key manager: clients are given `scheme: http`, the host and the
 * port. A port that cannot be listened on is a `ListenFailed`. It answers as the emulator does as a layer, limits
 * included, and can run for weeks: `storedBytes` is 256 MiB here unless the options say otherwise.
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
 *   yield* emulator.send({ streamId, from: "ada", message: "Hello" })
 * }).pipe(Effect.provide(SymphonyEmulatorServer.layer({ port: 4041, users: [{ username: "ada" }] })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<SymphonyEmulatorServer | SymphonyEmulator.SymphonyEmulator, PubNubEmulatorServer.ListenFailed> =>
  Layer.effectContext(Effect.gen(function*() {
    const emulator = yield* SymphonyEmulator.make({ storedBytes: 256 * 1024 * 1024, ...options })
    const listener = yield* PubNubEmulatorServer.serve(emulator.handle, options)
    return Context.make(SymphonyEmulatorServer, SymphonyEmulatorServer.of({ ...listener, emulator })).pipe(
      Context.add(SymphonyEmulator.SymphonyEmulator, emulator)
    )
  }))
