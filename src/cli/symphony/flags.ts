/**
 * The flags that the commands of Symphony share, and the session that they make.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Session from "../../symphony/Session.ts"
import * as SymphonyConfig from "../../symphony/SymphonyConfig.ts"
import * as ContextFile from "../context/file.ts"
import { BadInput } from "../exit/failure.ts"
import * as Inputs from "../input/flags.ts"
import { loopback } from "../input/loopback.ts"

const flags = {
  config: Flag.String("config").pipe(
    Flag.withFallbackConfig(Config.String("SYMPHONY_CONFIG")),
    Flag.withDefault(undefined),
    Flag.withMetavar("file"),
    Flag.withDescription("Read all settings from a file of the vendor's kits, JSON or YAML (SYMPHONY_CONFIG)")
  ),
  host: Inputs.text(
    "host",
    "Host of the pod and its Agent: host, host:port, or http://host:port (SYMPHONY_HOST)",
    "host"
  ),
  bot: Inputs.text("bot", "Bot that sends and reads (SYMPHONY_BOT_USERNAME)", "username"),
  privateKey: Inputs.text(
    "private-key",
    "File with the bot's private key in PEM (SYMPHONY_BOT_PRIVATE_KEY_FILE)",
    "file"
  ),
  context: Inputs.text("context", "Use the settings of this context; see herald symphony context --help", "name")
}

/** The parent of all Symphony commands. They read its flags. */
export const Symphony = Command.make("symphony").pipe(
  Command.withSharedFlags(flags),
  Command.withDescription(
    "Symphony from the command line, as a bot. Settings come from flags, from a file, or from the environment: " +
      "SYMPHONY_HOST, SYMPHONY_SCHEME, SYMPHONY_PORT, SYMPHONY_BOT_USERNAME, SYMPHONY_BOT_PRIVATE_KEY_FILE, …"
  )
)

/** Rewrites Effect's `SchemaError(Expected string at ["SYMPHONY_HOST"])` as `SYMPHONY_HOST: Expected string`. */
const settingOf = (message: string): string =>
  message.replaceAll(/\s+/g, " ").replace(/^SchemaError\((.*)\)$/, "$1").replace(/^(.*) at \["(\w+)"\]$/, "$2: $1")

const badInput = (error: { readonly _tag: string; readonly message: string }) =>
  new BadInput({
    description: error._tag === "ConfigError"
      ? `A setting is missing from the environment or cannot be read: ${settingOf(error.message)}. ` +
        "Set it, or pass its flag: see herald symphony --help"
      : error.message
  })

const orBadInput = <E extends { readonly _tag: string; readonly message: string }, R>(
  config: Layer.Layer<SymphonyConfig.SymphonyConfig, E, R>
): Layer.Layer<SymphonyConfig.SymphonyConfig, BadInput, R> =>
  Layer.catch(config, (error) => Layer.effect(SymphonyConfig.SymphonyConfig, Effect.fail(badInput(error))))

const variable = (name: string) => Effect.mapError(Config.withDefault(Config.String(name), undefined), badInput)

/** The file of the private key, if a flag or the environment names one. */
export const keyFile = Effect.gen(function*() {
  const { privateKey } = yield* Symphony
  return privateKey ?? (yield* variable("SYMPHONY_BOT_PRIVATE_KEY_FILE"))
})

/** The flags, and for the rest the context. The environment wins over the context in use, not over that of `--context`. */
const withContext = Effect.gen(function*() {
  const flags = yield* Symphony
  const { bot, config, context: name, host, privateKey } = flags
  if (config !== undefined) {
    const others = { "--host": host, "--bot": bot, "--private-key": privateKey, "--context": name }
    const given = Object.entries(others).flatMap(([flag, value]) => value === undefined ? [] : [flag])
    return given.length === 0 ? { config } : yield* new BadInput({
      description: `--config (or SYMPHONY_CONFIG) replaces all settings: remove ${given.join(" and ")}`
    })
  }
  const context = yield* ContextFile.chosen(ContextFile.symphony, name)
  if (context === undefined) return flags
  const unlessSet = Effect.fnUntraced(function*(value: string | undefined, ...variables: ReadonlyArray<string>) {
    if (name !== undefined) return value
    const values = yield* Effect.forEach(variables, variable)
    return values.every((other) => other === undefined) ? value : undefined
  })
  const file = yield* unlessSet(context.config, "SYMPHONY_HOST", "SYMPHONY_BOT_USERNAME")
  if (file !== undefined && host === undefined && bot === undefined && privateKey === undefined) return { config: file }
  return {
    host: host ?? (yield* unlessSet(context.host, "SYMPHONY_HOST")),
    bot: bot ?? (yield* unlessSet(context.bot, "SYMPHONY_BOT_USERNAME")),
    privateKey: privateKey ??
      (yield* unlessSet(context.privateKey, "SYMPHONY_BOT_PRIVATE_KEY_FILE", "SYMPHONY_BOT_PRIVATE_KEY"))
  }
})

// The environment may describe another host: its settings do not apply to this one.
const placeOf = (host: string) => {
  const [, scheme, name = "", port] = /^(?:(https?):\/\/)?(.*?)(?::(\d+))?$/.exec(host) ?? []
  const isPlain = scheme === "http" || scheme === undefined && loopback.test(name)
  return {
    host: Config.succeed(name),
    scheme: Config.succeed(isPlain ? "http" : "https"),
    port: Config.succeed(port === undefined ? undefined : Number(port)),
    context: Config.succeed(undefined),
    agent: Config.succeed(undefined),
    keyManager: Config.succeed(undefined)
  } satisfies Parameters<typeof SymphonyConfig.layerConfig>[0]
}

const settings = Effect.gen(function*() {
  const { bot, config, host, privateKey }: ContextFile.Symphony = yield* withContext
  if (config !== undefined) return orBadInput(SymphonyConfig.layerFile(config))
  const file = privateKey ?? (yield* variable("SYMPHONY_BOT_PRIVATE_KEY_FILE"))
  const key = file === undefined
    ? Config.Redacted("SYMPHONY_BOT_PRIVATE_KEY")
    : Config.succeed(
      Redacted.make(
        yield* Effect.mapError(
          FileSystem.FileSystem.use((fs) => fs.readFileString(file)),
          ({ message }) => new BadInput({ description: `The private key cannot be read from ${file}: ${message}` })
        )
      )
    )
  return orBadInput(SymphonyConfig.layerConfig({
    // A person waits for the answer.
    retry: Config.succeed({ maxAttempts: 3 }),
    ...host !== undefined && placeOf(host),
    ...(bot !== undefined || file !== undefined) && {
      bot: Config.all({
        username: bot === undefined ? Config.String("SYMPHONY_BOT_USERNAME") : Config.succeed(bot),
        privateKey: key
      })
    }
  }))
})

/** The bot's session. It logs in with the first request. */
export const session = Session.layer().pipe(Layer.provideMerge(Layer.unwrap(settings)))
