/**
 * `herald presence`: who is on a channel, and their state.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as Live from "../../Live.ts"
import * as Presence from "../../pubnub/Presence.ts"
import * as Inputs from "../input/flags.ts"
import { orUndecodable, writeValue, writeValues } from "../output/write.ts"
import { channel, channels, groups, user } from "./arguments.ts"
import { withKeyset } from "./keyset.ts"

const names = { channels: channels(0), groups }

const hereNow = Command.make(
  "here-now",
  {
    ...names,
    include: Inputs.choices(
      "include",
      ["users", "state", "none"],
      "What to print: the users, and the state of each. " +
        "none prints only how many there are (default: users)."
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withDefault(undefined),
      Flag.withMetavar("n"),
      Flag.withDescription("Print at most n users of each channel, 1 to 1000")
    ),
    offset: Flag.Int("offset").pipe(
      Flag.withDefault(undefined),
      Flag.withMetavar("n"),
      Flag.withDescription("Skip the first n users")
    )
  },
  Effect.fnUntraced(function*({ channels, groups, include, ...page }) {
    const parts: ReadonlyArray<Presence.Part> = include.includes("none")
      ? []
      : include.includes("state")
      ? ["users", "state"]
      : ["users"]
    const options = { ...page, include: parts }
    const all = channels.length + groups.length === 0
    const here = yield* Presence.hereNow(all ? options : { ...options, channels, groups })
    yield* writeValues(
      Stream.fromIterable([
        ...Array.from(
          here.channels,
          ([channel, { users, ...one }]) => ({ channel, ...one, users: [...users.values()] })
        ),
        ...Array.from(here.undecodable ?? [], ([channel, one]) => ({ channel, ...one }))
      ]),
      { toText: ({ channel, ...one }) => `${channel}  ${toOccupants(one)}` }
    )
  })
).pipe(Command.withDescription("Print who is on channels. Without channels and groups: on all channels of the keyset"))

const toName = orUndecodable((name: string) => name)

const toState = orUndecodable((state: unknown) => Json.text(state))

const toOccupants = orUndecodable(
  ({ occupancy, undecodable = [], users }: Occupants) =>
    [String(occupancy), ...users.map(toOccupant), ...undecodable.map(toOccupant)].join("  ")
)

type Occupants = Omit<Presence.Occupancy, "users"> & { readonly users: ReadonlyArray<Presence.Occupant> }

const toOccupant = orUndecodable(({ state, userId }: Presence.Occupant) =>
  state === undefined ? userId : `${userId} ${Json.text(state)}`
)

const whereNow = Command.make(
  "where-now",
  {
    userId: Argument.String("user").pipe(
      Argument.withDefault(undefined),
      Argument.withDescription("The user (default: --user-id)")
    )
  },
  Effect.fnUntraced(function*(options) {
    const channels = yield* Presence.whereNow(options)
    yield* writeValues(Stream.map(Stream.fromIterable(channels), (channel) => ({ channel })), {
      toText: ({ channel }) => toName(channel)
    })
  })
).pipe(Command.withDescription("Print the channels that a user is on"))

const state = Command.make(
  "state",
  {
    ...names,
    userId: user,
    set: Inputs.jsonObject("set", "Set this state, a JSON object; {} clears it (default: print the state)")
  },
  Effect.fnUntraced(function*({ set, ...where }) {
    if (set !== undefined) {
      yield* Presence.setState({ ...where, state: set })
      const names = [...where.channels, ...where.groups.map((group) => `group ${group}`)].join(", ")
      return yield* writeValue({ ...where, state: set }, ({ state }) => `${names}  ${Json.text(state)}`)
    }
    const states = yield* Presence.getState(where)
    yield* writeValues(Stream.map(Stream.fromIterable(states), ([channel, state]) => ({ channel, state })), {
      toText: ({ channel, state }) => `${channel}  ${toState(state)}`
    })
  })
).pipe(Command.withDescription("Print or set the state of a user on channels"))

const watch = Command.make(
  "watch",
  { channel, state: Inputs.choices("include", ["state"], "Also print the state of each user.") },
  Effect.fnUntraced(function*({ channel, state }) {
    const users = yield* Presence.live({ channel, include: state })
    yield* writeValues(
      Live.values(users).pipe(
        Stream.mapAccum((): ReadonlySet<string> => new Set(), (known, { occupancy, users }) => {
          const now = new Set(users.keys())
          return [now, [{
            occupancy,
            joined: [...now].filter((user) => !known.has(user)),
            left: [...known].filter((user) => !now.has(user)),
            users: [...users.values()]
          }]]
        }),
        Stream.mapEffect((value) =>
          Effect.map(DateTime.now, (now) => ({ time: DateTime.formatIso(now), channel, ...value }))
        )
      ),
      { toText: toWatched, piped: "json" }
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription(
    "Print the users of a channel now and after every change, until Ctrl-C. Watching does not join the channel"
  ),
  Command.withExamples([
    { command: "herald presence watch lobby", description: "Who joins and who leaves" },
    { command: "herald presence watch lobby --json | jq .occupancy", description: "How many there are" }
  ])
)

const toWatched = ({ joined, left, occupancy, time, users }: Occupants & {
  readonly time: string
  readonly joined: ReadonlyArray<string>
  readonly left: ReadonlyArray<string>
}): string => {
  const states = users.flatMap(({ state, userId }) => state === undefined ? [] : [`${userId} ${Json.text(state)}`])
  return [
    time.slice(11),
    `${occupancy} there`,
    ...joined.map((user) => `+${user}`),
    ...left.map((user) => `-${user}`),
    ...states
  ].join("  ")
}

export const presence = Command.make("presence").pipe(
  Command.withSubcommands([hereNow, whereNow, state, watch]),
  withKeyset,
  Command.withDescription("Who is on which channel, and the state of each user")
)
