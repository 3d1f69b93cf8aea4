/**
 * `herald symphony emulator`
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import { createPublicKey } from "node:crypto"
import * as SymphonyEmulatorServer from "../../node/SymphonyEmulatorServer.ts"
import * as SymphonyEmulator from "../../testing/SymphonyEmulator.ts"
import { callers, writeRequests } from "../pubnub/emulator.ts"
import { BadInput } from "../exit/failure.ts"
import { Root } from "../pubnub/keyset.ts"
import { writeLine } from "../output/lines.ts"
import { keyFile, Symphony } from "./flags.ts"

export const emulator = Command.make(
  "emulator",
  {
    port: Flag.Int("port").pipe(
      Flag.withDefault(4041),
      Flag.withDescription("The port of 127.0.0.1; 0 is any that is free (default: 4041)")
    ),
    ...callers,
    verbose: Flag.Boolean("verbose").pipe(Flag.withDefault(false), Flag.withDescription("Print each request"))
  },
  Effect.fnUntraced(function*({ hosts, origins, port, verbose }) {
    const { json } = yield* Root
    const { bot = "demo-bot" } = yield* Symphony
    const path = yield* Path.Path
    const file = yield* keyFile
    if (file === undefined) {
      return yield* new BadInput({
        description:
          "Say where the bot's private key is, or is to be: --private-key file (SYMPHONY_BOT_PRIVATE_KEY_FILE)"
      })
    }
    const publicKey = yield* publicKeyOf(file)
    yield* Effect.gen(function*() {
      const { emulator, port } = yield* SymphonyEmulatorServer.SymphonyEmulatorServer
      // One key for both, so that one can talk with the other.
      for (const username of [bot, "ada"]) yield* emulator.addUser({ username, publicKey })
      const streamId = yield* emulator.createStream({ type: "ROOM", name: "Demo", members: [bot, "ada"] })
      const made = { host: "127.0.0.1", port, bot, privateKey: path.resolve(file), streamId }
      yield* writeLine(json === true ? JSON.stringify(made) : greeting(made))
      if (!verbose) return yield* Effect.never
      yield* writeRequests(emulator.requests)
    }).pipe(Effect.provide(SymphonyEmulatorServer.layer({ port, hosts, origins })))
  })
).pipe(
  Command.withDescription(
    "Run an emulator of Symphony on a port, for clients of any language, until Ctrl-C: a pod with a bot (--bot, default " +
      "demo-bot), a user, and a room with both. The private key of both is made if there is no such file"
  ),
  Command.withExamples([
    {
      command: "herald symphony emulator --private-key bot.pem",
      description: "With a key that is made, or made before"
    }
  ])
)

/** The public key of the private key in a file, which is made if it is not there: who starts again has the same. */
const publicKeyOf = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* fs.exists(file)) {
    const privateKey = yield* fs.readFileString(file)
    return yield* Effect.try({
      try: () => createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString(),
      catch: () => new BadInput({ description: `${file} is no private key in PEM` })
    })
  }
  const { privateKey, publicKey } = yield* SymphonyEmulator.keyPair
  yield* fs.writeFileString(file, Redacted.value(privateKey), { flag: "wx", mode: 0o600 })
  return publicKey
})

const greeting = (
  made: {
    readonly host: string
    readonly port: number
    readonly bot: string
    readonly privateKey: string
    readonly streamId: string
  }
): string =>
  [
    `Symphony emulator on http://${made.host}:${made.port}. Ctrl-C ends it.`,
    `  bot            ${made.bot}`,
    "  somebody else  ada",
    `  private key    ${made.privateKey}`,
    `  stream         ${made.streamId}`,
    "Elsewhere:",
    `  export SYMPHONY_SCHEME=http SYMPHONY_HOST=${made.host} SYMPHONY_PORT=${made.port} \\`,
    `    SYMPHONY_BOT_USERNAME=${made.bot} SYMPHONY_BOT_PRIVATE_KEY_FILE='${made.privateKey}'`,
    "  herald symphony listen",
    `  herald symphony send ${made.streamId} 'Hello' --bot ada`
  ].join("\n")
