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
import { kinds } from "../../node/internal/inspector/symphony.ts"
import * as SymphonyEmulatorServer from "../../node/SymphonyEmulatorServer.ts"
import * as SymphonyEmulator from "../../testing/SymphonyEmulator.ts"
import * as Dump from "../dump.ts"
import * as Emulator from "../emulator.ts"
import { BadInput } from "../exit/failure.ts"
import { writeValue } from "../output/write.ts"
import { keyFile, Symphony } from "./flags.ts"

export const emulator = Command.make(
  "emulator",
  {
    port: Flag.Int("port").pipe(
      Flag.withDefault(4041),
      Flag.withDescription("Port of 127.0.0.1; 0 picks a free one (default: 4041)")
    ),
    ...Emulator.flagsOf(kinds)
  },
  Effect.fnUntraced(function*({ dump, faults, hosts, inspector: flag, latency, origins, port, seed, verbose }) {
    const { bot = "demo-bot" } = yield* Symphony
    const path = yield* Path.Path
    const file = yield* keyFile
    if (file === undefined) {
      return yield* new BadInput({
        description: "Pass --private-key file (or SYMPHONY_BOT_PRIVATE_KEY_FILE): the file is created if it is missing"
      })
    }
    const publicKey = yield* publicKeyOf(file)
    const hasInspector = Emulator.hasInspector(flag, "127.0.0.1")
    yield* Effect.gen(function*() {
      const { emulator, port, url } = yield* SymphonyEmulatorServer.SymphonyEmulatorServer
      // Both have the same key, so that one can talk to the other.
      for (const username of [bot, "ada"]) yield* emulator.addUser({ username, publicKey })
      const streamId = yield* emulator.createStream({ type: "ROOM", name: "Demo", members: [bot, "ada"] })
      const inspector = Emulator.inspectorUrl(url, hasInspector)
      yield* writeValue(
        { host: "127.0.0.1", port, bot, privateKey: path.resolve(file), streamId, inspector },
        greeting
      )
      yield* Emulator.serve(emulator.requests, verbose).pipe(Dump.whenEnded(dump, Dump.ofSymphony(emulator)))
    }).pipe(
      Effect.provide(
        SymphonyEmulatorServer.layer({
          port,
          hosts,
          origins,
          inspector: hasInspector,
          ...Emulator.networkOf({ faults, latency, seed })
        })
      )
    )
  })
).pipe(
  Command.withDescription(
    "Run a Symphony emulator on a port, for clients in any language, until Ctrl-C. It has a bot (--bot, default " +
      "demo-bot), a user ada, and a room with both. The file of --private-key is created if it is missing"
  ),
  Command.withExamples([
    {
      command: "herald symphony emulator --private-key bot.pem",
      description: "With a new key, or that of the last run"
    }
  ])
)

/** The public key of the private key in a file, which is created if it is missing: the next run uses it again. */
const publicKeyOf = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  if (yield* fs.exists(file)) {
    const privateKey = yield* fs.readFileString(file)
    return yield* Effect.try({
      try: () => createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString(),
      catch: () => new BadInput({ description: `${file} is not a private key in PEM` })
    })
  }
  const { privateKey, publicKey } = yield* SymphonyEmulator.keyPair
  yield* fs.writeFileString(file, Redacted.value(privateKey), { flag: "wx", mode: 0o600 })
  return publicKey
})

const greeting = ({ bot, host, inspector, port, privateKey, streamId }: {
  readonly host: string
  readonly port: number
  readonly bot: string
  readonly privateKey: string
  readonly streamId: string
  readonly inspector: string | undefined
}) => [
  `Symphony emulator on http://${host}:${port}. Press Ctrl-C to end it.`,
  ...Emulator.inspectorLine(inspector),
  `  bot          ${bot}`,
  "  user         ada",
  `  private key  ${privateKey}`,
  `  stream       ${streamId}`,
  "In another terminal:",
  `  export SYMPHONY_SCHEME=http SYMPHONY_HOST=${host} SYMPHONY_PORT=${port} \\`,
  `    SYMPHONY_BOT_USERNAME=${bot} SYMPHONY_BOT_PRIVATE_KEY="$(cat '${privateKey}')"`,
  "  herald symphony datafeed",
  `  herald symphony send ${streamId} 'Hello' --bot ada`
]
