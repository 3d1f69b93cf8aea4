/**
 * `herald members`: who is a member of a channel.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Members from "../../pubnub/Members.ts"
import * as AppContext from "./appContext.ts"

const channel = Argument.String("channel").pipe(Argument.withDescription("The channel"))

const users = Argument.String("users").pipe(Argument.variadic({ min: 1 }), Argument.withDescription("Users"))

const list = Command.make(
  "list",
  {
    channel,
    ...AppContext.selection({
      parts: [...AppContext.parts, "user", "user.custom", "user.status", "user.type"],
      usual: "none",
      keys: [...AppContext.relationSortKeys, "user.id", "user.name", "user.updated", "user.status", "user.type"]
    })
  },
  ({ channel, ...selected }) => AppContext.writeList(selected, (options) => Members.stream({ ...options, channel }))
).pipe(
  Command.withDescription("Print the members of a channel"),
  Command.withExamples([
    { command: "herald members list 'room #1' --include user --sort user.name", description: "With their names" },
    { command: "herald members list 'room #1' --filter \"uuid.name LIKE 'A*'\"", description: "Some of them" }
  ])
)

const set = Command.make(
  "set",
  { channel, users, ...AppContext.common, clear: AppContext.clear(AppContext.parts) },
  Effect.fnUntraced(function*({ channel, clear, users, ...given }) {
    const fields = yield* AppContext.commonFields(AppContext.settable(clear), given)
    // The answer is a page of members, which nobody asked for.
    yield* Members.set({ channel, users: users.map((id) => ({ id, ...fields })), limit: 1 })
  })
).pipe(Command.withDescription("Make users members of a channel, or change the fields of their memberships"))

const remove = Command.make(
  "remove",
  { channel, users },
  (options) => Effect.asVoid(Members.remove({ ...options, limit: 1 }))
).pipe(Command.withDescription("Take members out of a channel"))

export const members = Command.make("members").pipe(
  Command.withDescription("Who is a member of a channel"),
  Command.withSubcommands([list, set, remove])
)
