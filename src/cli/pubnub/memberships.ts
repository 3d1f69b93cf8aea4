/**
 * `herald memberships`: the channels that a user is a member of.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Memberships from "../../pubnub/Memberships.ts"
import * as AppContext from "./appContext.ts"

const user = Flag.String("user").pipe(
  Flag.withDefault(undefined),
  Flag.withDescription("Whose (default: --user-id)")
)

const channels = Argument.String("channels").pipe(Argument.variadic({ min: 1 }), Argument.withDescription("Channels"))

const list = Command.make(
  "list",
  {
    user,
    ...AppContext.selection({
      parts: [...AppContext.parts, "channel", "channel.custom", "channel.status", "channel.type"],
      usual: "none",
      keys: [
        ...AppContext.relationSortKeys,
        "channel.id",
        "channel.name",
        "channel.updated",
        "channel.status",
        "channel.type"
      ]
    })
  },
  ({ user, ...selected }) => AppContext.writeList(selected, (options) => Memberships.stream({ ...options, user }))
).pipe(
  Command.withDescription("Print the memberships of a user"),
  Command.withExamples([
    { command: "herald memberships list --user ada --include channel --sort channel.name", description: "By name" },
    { command: "herald memberships list --user ada | jq -r .channelId", description: "Only the channels" }
  ])
)

const set = Command.make(
  "set",
  { user, channels, ...AppContext.common, clear: AppContext.clear(AppContext.parts) },
  Effect.fnUntraced(function*({ channels, clear, user, ...given }) {
    const fields = yield* AppContext.commonFields(AppContext.settable(clear), given)
    // The answer is a page of memberships, which nobody asked for.
    yield* Memberships.set({ user, channels: channels.map((id) => ({ id, ...fields })), limit: 1 })
  })
).pipe(Command.withDescription("Make a user a member of channels, or change the fields of the memberships"))

const remove = Command.make(
  "remove",
  { user, channels },
  (options) => Effect.asVoid(Memberships.remove({ ...options, limit: 1 }))
).pipe(Command.withDescription("Take a user out of channels"))

export const memberships = Command.make("memberships").pipe(
  Command.withDescription("The channels that a user is a member of"),
  Command.withSubcommands([list, set, remove])
)
