/**
 * `herald users`: what App Context keeps of users.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Users from "../../pubnub/Users.ts"
import * as AppContext from "./appContext.ts"

const id = Argument.String("user").pipe(Argument.withDescription("The user"))

const list = Command.make(
  "list",
  AppContext.selection({ parts: AppContext.parts, usual: "status and type", keys: AppContext.sortKeys }),
  (selected) => AppContext.writeList(selected, (options) => Users.stream(options))
).pipe(Command.withDescription("Print the users that have metadata"))

const get = Command.make(
  "get",
  { id },
  ({ id }) => Effect.flatMap(Users.get({ id, include: AppContext.parts }), AppContext.writeOne)
).pipe(Command.withDescription("Print a user"))

const set = Command.make(
  "set",
  {
    id,
    name: AppContext.text("name", "Its name"),
    email: AppContext.text("email", "Its e-mail address"),
    externalId: AppContext.text("external-id", "Its id elsewhere"),
    profileUrl: AppContext.text("profile-url", "Where its picture is"),
    ...AppContext.common,
    clear: AppContext.clear(["name", "email", "external-id", "profile-url", ...AppContext.parts]),
    ...AppContext.conditions
  },
  Effect.fnUntraced(function*({ clear, id, ...given }) {
    const field = AppContext.settable(clear)
    const fields: Users.Fields = {
      name: yield* field("name", given.name),
      email: yield* field("email", given.email),
      externalId: yield* field("external-id", given.externalId),
      profileUrl: yield* field("profile-url", given.profileUrl),
      ...yield* AppContext.commonFields(field, given)
    }
    const user = (yield* AppContext.merges(given))
      ? yield* Users.update({ id, custom: "merge" }, () => fields)
      : yield* Users.set({ id, ...fields, ifMatchesEtag: given.ifMatches, include: AppContext.parts })
    yield* AppContext.writeOne(user)
  })
).pipe(
  Command.withDescription("Create a user, or change the fields that are given, and print it as it is then"),
  Command.withExamples([
    { command: "herald users set ada --name Ada --custom '{\"team\":\"core\"}'", description: "Two fields" },
    { command: "herald users set ada --custom '{\"floor\":3}' --merge", description: "One custom field more" },
    { command: "herald users set ada --clear email", description: "One field less" }
  ])
)

const remove = Command.make("remove", { id }, Users.remove).pipe(
  Command.withDescription("Remove what is kept of a user; memberships stay")
)

export const users = Command.make("users").pipe(
  Command.withDescription("What App Context keeps of users"),
  Command.withSubcommands([list, get, set, remove])
)
