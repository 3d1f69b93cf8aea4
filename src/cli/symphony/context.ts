/**
 * `herald symphony context`
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Path from "effect/Path"
import * as Context from "../context/commands.ts"
import * as ContextFile from "../context/file.ts"
import { BadInput } from "../exit/failure.ts"
import { Symphony } from "./flags.ts"

const add = Command.make(
  "add",
  { name: Context.name },
  Effect.fnUntraced(function*({ name }) {
    const { bot, config, host, privateKey } = yield* Symphony
    const { resolve } = yield* Path.Path
    // The next command may run in another directory.
    const file = (path: string | undefined) => path === undefined ? undefined : resolve(path)
    const settings = { config: file(config), host, bot, privateKey: file(privateKey) }
    if (Object.values(settings).every((value) => value === undefined)) {
      return yield* new BadInput({ description: "A context needs --config, or --host, --bot and --private-key" })
    }
    yield* Context.add(ContextFile.symphony, name, settings)
  })
).pipe(
  Command.withDescription(
    "Store the given flags under a name. It replaces a context of that name. The private key stays in its file"
  ),
  Command.withExamples([
    {
      command: "herald symphony context add desk --host acme.symphony.com --bot desk-bot --private-key desk.pem",
      description: "One bot"
    }
  ])
)

export const context = Command.make("context").pipe(
  Command.withSubcommands([add, ...Context.others(ContextFile.symphony)]),
  Command.withDescription("Named settings of bots, so that they need not be given each time")
)
