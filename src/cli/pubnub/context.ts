/**
 * `herald context`
 */
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Context from "../context/commands.ts"
import * as ContextFile from "../context/file.ts"
import { BadInput } from "../exit/failure.ts"
import { given, settings } from "./keyset.ts"

const add = Command.make(
  "add",
  { name: Context.name },
  Effect.fnUntraced(function*({ name }) {
    const { subscribeKey, ...others } = yield* given
    if (subscribeKey === undefined) {
      return yield* new BadInput({ description: "A context needs --subscribe-key or PUBNUB_SUBSCRIBE_KEY" })
    }
    yield* Context.add(ContextFile.pubnub, name, { subscribeKey, ...others })
  })
).pipe(
  Command.withGlobalFlags(settings),
  Command.withDescription(
    "Store the given flags, and what the environment says, under a name. It replaces a context of that name"
  ),
  Command.withExamples([
    { command: "herald context add dev --subscribe-key sub-c-1 --publish-key pub-c-1", description: "Without secrets" },
    {
      command: "PUBNUB_SECRET_KEY=$(pass pubnub) herald context add prod --subscribe-key sub-c-2",
      description: "A secret that other users of this machine cannot see in the list of processes"
    }
  ])
)

export const context = Command.make("context").pipe(
  Command.withSubcommands([add, ...Context.others(ContextFile.pubnub)]),
  Command.withDescription("Named settings, so that keys need not be given each time. Secrets are never printed")
)
