/**
 * `herald groups`: channel groups, and the channels in them.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as ChannelGroups from "../../pubnub/ChannelGroups.ts"
import * as UndecodableItem from "../../UndecodableItem.ts"
import { Root } from "./keyset.ts"
import { undecodable, writeLines } from "../output/lines.ts"

const group = Argument.String("group").pipe(Argument.withDescription("The group"))

const channels = Argument.String("channels").pipe(
  Argument.variadic({ min: 1 }),
  Argument.withDescription("1 to 200 channels")
)

/** A name a line. */
const writeNames = Effect.fnUntraced(
  function*(kind: "channel" | "group", names: ReadonlyArray<string | UndecodableItem.UndecodableItem>) {
    const { json } = yield* Root
    yield* writeLines(
      Stream.map(
        Stream.fromIterable(names),
        (name) =>
          json === true ? Json.text({ [kind]: name }) : UndecodableItem.isUndecodable(name) ? undecodable(name) : name
      )
    )
  }
)

const list = Command.make(
  "list",
  { group: group.pipe(Argument.withDefault(undefined)) },
  ({ group }) =>
    group === undefined
      ? Effect.flatMap(ChannelGroups.list, (names) => writeNames("group", names))
      : Effect.flatMap(ChannelGroups.listChannels({ group }), (names) => writeNames("channel", names))
).pipe(Command.withDescription("Print the channels of a group, or the groups of the keyset"))

const add = Command.make("add", { group, channels }, ChannelGroups.addChannels).pipe(
  Command.withDescription("Add channels to a group")
)

const remove = Command.make("remove", { group, channels }, ChannelGroups.removeChannels).pipe(
  Command.withDescription("Take channels out of a group")
)

const delete_ = Command.make("delete", { group }, ChannelGroups.remove).pipe(
  Command.withDescription("Delete a group")
)

export const groups = Command.make("groups").pipe(
  Command.withDescription("Channel groups, and the channels in them"),
  Command.withSubcommands([list, add, remove, delete_])
)
