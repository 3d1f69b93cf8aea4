/**
 * A bot in an emulated pod, for tests of programs: the emulator and all that requests need, in one layer.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Session from "../symphony/Session.ts"
import * as SymphonyConfig from "../symphony/SymphonyConfig.ts"
import * as SymphonyEmulator from "./SymphonyEmulator.ts"

/**
 * The options of {@link layer}: those of the emulator, and the name of the bot.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends SymphonyEmulator.Options {
  /** The name of the bot, a user besides `users`. Default: `"bot"`. */
  readonly username?: string | undefined
}

/**
 * Gives the emulator, the configuration and the session of a bot. The bot has a new pair of keys, and is logged in, so that
 * a test can move virtual time at once. Two calls give two pods.
 *
 * **Example** (Testing what a bot sends)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Messages from "effect-herald/symphony/Messages"
 * import * as SymphonyBot from "effect-herald/testing/SymphonyBot"
 * import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
 *
 * const test = Effect.gen(function*() {
 *   const emulator = yield* SymphonyEmulator.SymphonyEmulator
 *   const streamId = yield* emulator.createStream({ type: "ROOM", name: "Orders", members: ["ada", "bot"] })
 *   yield* Messages.send({ streamId, message: "Hello" })
 *   return yield* emulator.messages({ streamId })
 * }).pipe(Effect.provide(SymphonyBot.layer({ users: [{ username: "ada" }] })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<
  SymphonyEmulator.SymphonyEmulator | HttpClient.HttpClient | SymphonyConfig.SymphonyConfig | Session.Session
> =>
  Layer.unwrap(Effect.map(SymphonyEmulator.keyPair, ({ privateKey, publicKey }) => {
    const { username = "bot", users = [], ...others } = options
    return Layer.effectDiscard(Session.Session.use(({ tokens }) => Effect.orDie(tokens))).pipe(
      Layer.provideMerge(Session.layer()),
      Layer.provideMerge(SymphonyConfig.layer({ host: "pod.example.com", bot: { username, privateKey } })),
      Layer.provideMerge(SymphonyEmulator.layer({ ...others, users: [{ username, publicKey }, ...users] }))
    )
  }))
