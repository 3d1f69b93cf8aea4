/**
 * `herald presence`: who is where, and what they say of themselves.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as Text from "../../internal/text.ts"
import * as Presence from "../../pubnub/Presence.ts"
import * as UndecodableItem from "../../UndecodableItem.ts"
import { Root } from "./keyset.ts"
import { undecodable, writeLines } from "../output/lines.ts"

const names = {
  channels: Argument.String("channels").pipe(Argument.variadic(), Argument.withDescription("Channels")),
  groups: Flag.String("group").pipe(
    Flag.withAlias("g"),
    Flag.atLeast(0),
    Flag.withDescription("A channel group; again for more")
  )
}

const user = Argument.String("user").pipe(
  Argument.withDefault(undefined),
  Argument.withDescription("Whose (default: --user-id)")
)

/** One value a line, as JSON or as text without control characters: others chose the names in it. */
const write = Effect.fnUntraced(function*<A extends object>(values: ReadonlyArray<A>, toText: (value: A) => string) {
  const { json } = yield* Root
  yield* writeLines(
    Stream.map(
      Stream.fromIterable(values),
      (value) => json === true ? Json.text(value) : Text.harmless(toText(value))
    )
  )
})

const hereNow = Command.make(
  "here-now",
  {
    ...names,
    includeState: Flag.Boolean("state").pipe(Flag.withDefault(false), Flag.withDescription("Tell their states")),
    includeUsers: Flag.Boolean("users").pipe(
      Flag.withDefault(true),
      Flag.withDescription("Tell who they are (default), or --no-users: only how many")
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withDefault(undefined),
      Flag.withDescription("The most users of each channel, 1 to 1000")
    ),
    offset: Flag.Int("offset").pipe(Flag.withDefault(undefined), Flag.withDescription("How many to pass over"))
  },
  Effect.fnUntraced(function*({ channels, groups, ...options }) {
    const all = channels.length + groups.length === 0
    const here = yield* Presence.hereNow(all ? options : { ...options, channels, groups })
    yield* write(
      [...here.channels, ...here.undecodable ?? []].map(([channel, one]) => ({ channel, ...one })),
      ({ channel, ...one }) =>
        "_tag" in one ? `${channel}  ${undecodable(one)}` : [
          channel,
          String(one.occupancy),
          ...one.users.map((entry) =>
            UndecodableItem.isUndecodable(entry)
              ? undecodable(entry)
              : entry.state === undefined
              ? entry.userId
              : `${entry.userId} ${Json.text(entry.state)}`
          )
        ].join("  ")
    )
  })
).pipe(Command.withDescription("Print who is on channels, or without any, on all channels of the keyset"))

const whereNow = Command.make(
  "where-now",
  { user },
  ({ user }) =>
    Effect.flatMap(
      Presence.whereNow({ userId: user }),
      (channels) =>
        write(
          channels.map((channel) => ({ channel })),
          ({ channel }) => UndecodableItem.isUndecodable(channel) ? undecodable(channel) : channel
        )
    )
).pipe(Command.withDescription("Print the channels that a user is on"))

const state = Command.make(
  "state",
  {
    ...names,
    user: Flag.String("of").pipe(Flag.withDefault(undefined), Flag.withDescription("Whose (default: --user-id)")),
    set: Flag.String("set").pipe(
      Flag.withSchema(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json))),
      Flag.withDefault(undefined),
      Flag.withDescription("A JSON object to set; {} clears the state (default: print the state)")
    )
  },
  Effect.fnUntraced(function*({ set, ...where }) {
    if (set !== undefined) return yield* Effect.asVoid(Presence.setState({ ...where, state: set }))
    const states = yield* Presence.getState(where)
    yield* write(
      [...states].map(([channel, state]) => ({ channel, state })),
      ({ channel, state }) =>
        `${channel}  ${UndecodableItem.isUndecodable(state) ? undecodable(state) : Json.text(state)}`
    )
  })
).pipe(Command.withDescription("Print, or set, what a user tells about itself on channels"))

export const presence = Command.make("presence").pipe(
  Command.withDescription("Who is where, and what they tell about themselves"),
  Command.withSubcommands([hereNow, whereNow, state])
)
