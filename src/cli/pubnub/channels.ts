/**
 * `herald channels`: what App Context keeps of channels.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Channels from "../../pubnub/Channels.ts"
import * as AppContext from "./appContext.ts"

const id = Argument.String("channel").pipe(Argument.withDescription("The channel"))

const list = Command.make(
  "list",
  AppContext.selection({ parts: AppContext.parts, usual: "status and type", keys: AppContext.sortKeys }),
  (selected) => AppContext.writeList(selected, (options) => Channels.stream(options))
).pipe(Command.withDescription("Print the channels that have metadata"))

const get = Command.make(
  "get",
  { id },
  ({ id }) => Effect.flatMap(Channels.get({ id, include: AppContext.parts }), AppContext.writeOne)
).pipe(Command.withDescription("Print a channel"))

const set = Command.make(
  "set",
  {
    id,
    name: AppContext.text("name", "Its name"),
    description: AppContext.text("description", "What it is for"),
    ...AppContext.common,
    clear: AppContext.clear(["name", "description", ...AppContext.parts]),
    ...AppContext.conditions
  },
  Effect.fnUntraced(function*({ clear, id, ...given }) {
    const field = AppContext.settable(clear)
    const fields: Channels.Fields = {
      name: yield* field("name", given.name),
      description: yield* field("description", given.description),
      ...yield* AppContext.commonFields(field, given)
    }
    const channel = (yield* AppContext.merges(given))
      ? yield* Channels.update({ id, custom: "merge" }, () => fields)
      : yield* Channels.set({ id, ...fields, ifMatchesEtag: given.ifMatches, include: AppContext.parts })
    yield* AppContext.writeOne(channel)
  })
).pipe(
  Command.withDescription("Create a channel, or change the fields that are given, and print it as it is then"),
  Command.withExamples([
    { command: "herald channels set 'room #1' --name 'Room 1' --custom '{\"floor\":3}'", description: "Two fields" },
    {
      command: "herald channels set 'room #1' --custom '{\"projector\":true}' --merge",
      description: "One custom field more"
    },
    { command: "herald channels set 'room #1' --clear description", description: "One field less" }
  ])
)

const remove = Command.make("remove", { id }, Channels.remove).pipe(
  Command.withDescription("Remove what is kept of a channel; memberships stay")
)

export const channels = Command.make("channels").pipe(
  Command.withDescription("What App Context keeps of channels"),
  Command.withSubcommands([list, get, set, remove])
)
