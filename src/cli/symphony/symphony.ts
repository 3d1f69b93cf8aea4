/**
 * `herald symphony`: all of its commands.
 */
import * as Command from "effect/cli/Command"
import { context } from "./context.ts"
import { datafeed } from "./datafeed.ts"
import { emulator } from "./emulator.ts"
import { Symphony } from "./flags.ts"
import { list } from "./list.ts"
import { search } from "./search.ts"
import { send } from "./send.ts"
import { status } from "./status.ts"

export const symphony = Symphony.pipe(
  Command.withSubcommands([send, list, search, status, datafeed, context, emulator])
)
