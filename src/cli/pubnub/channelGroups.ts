/**
 * `herald channel-groups`: channel groups, and the channels in them.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as ChannelGroups from "../../pubnub/ChannelGroups.ts"
import type { UndecodableItem } from "../../UndecodableItem.ts"
import { orUndecodable, writeValue, writeValues } from "../output/write.ts"
import { channels as someChannels } from "./arguments.ts"
import { withKeyset } from "./keyset.ts"

const group = Argument.String("group").pipe(Argument.withDescription("The group"))

const channels = someChannels(1, "1 to 200 channels")

const toText = orUndecodable((name: string) => name)

const writeNames = (kind: "channel" | "group") => (names: ReadonlyArray<string | UndecodableItem>) =>
  writeValues(Stream.map(Stream.fromIterable(names), (name) => ({ [kind]: name })), {
    toText: ({ [kind]: name = "" }) => toText(name)
  })

const list = Command.make("list", {}, () => Effect.flatMap(ChannelGroups.list, writeNames("group"))).pipe(
  Command.withDescription("Print the channel groups of the keyset")
)

const listChannels = Command.make(
  "list-channels",
  { group },
  (options) => Effect.flatMap(ChannelGroups.listChannels(options), writeNames("channel"))
).pipe(
  Command.withDescription("Print the channels of a group")
)

const addChannels = Command.make(
  "add-channels",
  { group, channels },
  (options) =>
    Effect.andThen(
      ChannelGroups.addChannels(options),
      writeValue(
        { group: options.group, added: options.channels },
        ({ added, group }) => `added to ${group}: ${added.join(", ")}`
      )
    )
).pipe(Command.withDescription("Add channels to a group"))

const removeChannels = Command.make(
  "remove-channels",
  { group, channels },
  (options) =>
    Effect.andThen(
      ChannelGroups.removeChannels(options),
      writeValue(
        { group: options.group, removed: options.channels },
        ({ group, removed }) => `removed from ${group}: ${removed.join(", ")}`
      )
    )
).pipe(Command.withDescription("Remove channels from a group"))

const remove = Command.make(
  "remove",
  { group },
  (options) =>
    Effect.andThen(
      ChannelGroups.remove(options),
      writeValue({ removed: options.group }, ({ removed }) => `removed: ${removed}`)
    )
).pipe(Command.withDescription("Remove a group"))

export const channelGroups = Command.make("channel-groups").pipe(
  Command.withAlias("groups"),
  Command.withSubcommands([addChannels, removeChannels, listChannels, list, remove]),
  withKeyset,
  Command.withDescription("Channel groups, and the channels in them")
)
