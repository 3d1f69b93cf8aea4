/**
 * The flags that every PubNub command has, and the configuration that they make.
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Access from "../../pubnub/Access.ts"
import * as Encryption from "../../pubnub/Encryption.ts"
import * as PubNubConfig from "../../pubnub/PubNubConfig.ts"
import * as ContextFile from "../context/file.ts"
import { BadInput } from "../exit/failure.ts"
import * as Inputs from "../input/flags.ts"
import { loopback } from "../input/loopback.ts"

/** A flag whose value may be in the environment. */
const setting = <const Name extends string, A>(
  name: Name,
  make: (name: Name) => Flag.Flag<A>,
  fromEnvironment: (variable: string) => Config.Config<A>,
  description: string
) => {
  const variable = `PUBNUB_${name.toUpperCase().replaceAll("-", "_")}`
  return GlobalFlag.Setting(name)({
    flag: make(name).pipe(
      Flag.withFallbackConfig(fromEnvironment(variable)),
      Flag.withDefault(undefined),
      Flag.withDescription(`${description} (${variable})`)
    )
  })
}

const flags = {
  subscribeKey: setting("subscribe-key", Flag.String, Config.String, "Subscribe key of the keyset"),
  publishKey: setting("publish-key", Flag.String, Config.String, "Publish key of the keyset; needed to publish"),
  secretKey: setting("secret-key", Flag.Redacted, Config.Redacted, "Secret key of the keyset; signs every request"),
  authToken: setting("auth-token", Flag.Redacted, Config.Redacted, "Access token"),
  userId: setting("user-id", Flag.String, Config.String, "User that publishes and subscribes; default: herald"),
  origin: setting("origin", Flag.String, Config.String, "Host or host:port of the service"),
  tls: setting("tls", Flag.Boolean, Config.Boolean, "Use HTTPS; default: yes, except for an origin on this machine")
}

/** The flags without `--context`. */
export const settings = Object.values(flags)

/** The values of the flags and of the environment. */
export const given = Effect.all(flags)

const contextFlag = GlobalFlag.Setting("context")({
  flag: Inputs.text("context", "Use the settings of this context; see herald context --help", "name")
})

/** The values of the flags and of the environment, and for the rest those of the context. */
export const keyset = Effect.gen(function*() {
  const values = yield* given
  const name = yield* contextFlag
  const context = yield* ContextFile.chosen(ContextFile.pubnub, name)
  if (context === undefined) return values
  if (values.subscribeKey !== undefined && values.subscribeKey !== context.subscribeKey) {
    // The keys of a keyset belong together.
    return name === undefined ? values : yield* new BadInput({
      description: `The subscribe key of --context ${name} is not that of --subscribe-key or PUBNUB_SUBSCRIBE_KEY: ` +
        "pass only one of them"
    })
  }
  return { ...context, ...Record.filter(values, (value) => value !== undefined) }
})

// A missing key is reported by the first request that needs it.
const config = Effect.map(
  keyset,
  ({ origin, subscribeKey = "", tls = !loopback.test(origin ?? ""), userId = "herald", ...secrets }) =>
    PubNubConfig.layer({ ...secrets, origin, subscribeKey, tls, userId })
)

/** Whether a variable is set to nothing. `Config` takes that for not set, and a message would go out in clear. */
const isSetToNothing = Effect.gen(function*() {
  const { load } = yield* ConfigProvider.ConfigProvider
  // The environment is a tree of the parts of its names.
  for (const [path, key] of [[[], "PUBNUB_ENCRYPT_KEY"], [["PUBNUB", "ENCRYPT"], "KEY"]] as const) {
    const node = yield* load([...path])
    if (node?._tag === "Record" && node.keys.has(key)) return true
  }
  return false
})

// No flag: other users of the machine can see flags.
const encryptKey = Effect.gen(function*() {
  const key = yield* Config.withDefault(Config.Redacted("PUBNUB_ENCRYPT_KEY"), undefined)
  return key === undefined && (yield* isSetToNothing) ? Redacted.make("") : key
})

const unusable = (why: string) =>
  new BadInput({ description: `PUBNUB_ENCRYPT_KEY ${why}: set it to text, or do not set it` })

/** The encryption with the key of the environment. Without one, nothing is encrypted. */
const encryption = Layer.effect(
  Encryption.Encryption,
  Effect.flatMap(
    Effect.mapError(encryptKey, () => unusable("cannot be read")),
    (key) =>
      key === undefined
        ? Effect.succeed(undefined)
        : Effect.mapError(
          Encryption.make({ key }),
          ({ reason }) => unusable(reason.details.map(({ message }) => message).join(", "))
        )
  )
)

/** A command of PubNub: its flags are the flags above, and it runs with their configuration, and with the encryption. */
export const withKeyset = <Name extends string, Input, Inherited, E, R>(
  command: Command.Command<Name, Input, Inherited, E, R>
) =>
  command.pipe(
    Command.provide(Layer.mergeAll(Layer.unwrap(config), encryption, Access.layerExplanations)),
    Command.withGlobalFlags([...settings, contextFlag])
  )
