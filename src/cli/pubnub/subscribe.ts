/**
 * `herald subscribe`
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { homedir } from "node:os"
import { join } from "node:path"
import * as Cursor from "../../Cursor.ts"
import * as CursorStore from "../../CursorStore.ts"
import * as Durable from "../../pubnub/internal/reading/durable.ts"
import { PubNubConfig } from "../../pubnub/PubNubConfig.ts"
import * as Subscribe from "../../pubnub/Subscribe.ts"
import * as SubscribeEvent from "../../pubnub/SubscribeEvent.ts"
import { Timetoken } from "../../pubnub/Timetoken.ts"
import * as Inputs from "../input/flags.ts"
import * as JsonLine from "../output/jsonLine.ts"
import { type Format, writeValues } from "../output/write.ts"
import { channels, groups } from "./arguments.ts"
import * as EventLine from "./eventLine.ts"
import { withKeyset } from "./keyset.ts"

const format: Format<SubscribeEvent.SubscribeEvent> = {
  toText: (event) => Effect.map(DateTime.now, (now) => EventLine.format(event, now)),
  toJson: JsonLine.of(SubscribeEvent.SubscribeEvent(Schema.Json)),
  isDim: EventLine.isStatus,
  piped: "json"
}

/** Continues where the reader of this name stopped. An event is committed when the next one is pulled: then it is printed. */
const durably = Effect.fnUntraced(function*<E, R>(
  name: string,
  read: (kept: Cursor.Cursor | undefined) => Stream.Stream<SubscribeEvent.SubscribeEvent, E, R>
) {
  // Another keyset has other messages.
  const commits = yield* Durable.begin({ reader: `${(yield* PubNubConfig).subscribeKey}/${name}` })
  const { kept } = commits
  yield* Effect.logInfo(kept === undefined ? `${name} starts` : `${name} continues at ${Cursor.format(kept)}`)
  const events = Stream.flatMap(read(kept), (event) => {
    const printed = commits.open(event)
    return Stream.concat(Stream.succeed(event), Stream.fromEffectDrain(Effect.andThen(printed, commits.room)))
  })
  yield* commits.during(writeValues(events, format))
})

const Position = Schema.Union([Timetoken, Schema.fromJsonString(Cursor.Cursor)])

export const subscribe = Command.make(
  "subscribe",
  {
    channels: channels(0, "Channels and wildcards (alerts.*)"),
    groups,
    presence: Inputs.boolean("presence", "Include presence events, such as joins and leaves"),
    filter: Inputs.text(
      "filter",
      "Only messages that match, for example: data.total > 100 && meta.region == 'eu'",
      "expression"
    ),
    from: Flag.String("from").pipe(
      Flag.filterMap(Schema.decodeOption(Position), () => "a timetoken of 17 digits, or a cursor as JSON"),
      Flag.withDefault(undefined),
      Flag.withMetavar("position"),
      Flag.withDescription(
        "Start after this timetoken, or after the cursor of an event that --json printed (default: now)"
      )
    ),
    reader: Flag.String("reader").pipe(
      Flag.withSchema(Schema.NonEmptyString),
      Flag.withDefault(undefined),
      Flag.withMetavar("name"),
      Flag.withDescription(
        "Continue where the reader of this name stopped, even by a crash; --from is for its first start"
      )
    ),
    cursors: Flag.String("cursors").pipe(
      Flag.withFallbackConfig(Config.String("HERALD_CURSORS")),
      Flag.withDefault(join(homedir(), ".herald", "cursors")),
      Flag.withMetavar("directory"),
      Flag.withDescription("Where readers store their cursors (HERALD_CURSORS; default: ~/.herald/cursors)")
    ),
    limit: Inputs.limit(Number.POSITIVE_INFINITY).pipe(
      Flag.withDescription("End after n messages; signals and other events do not count (default: never)")
    )
  },
  Effect.fnUntraced(function*({ cursors, from, limit, reader, ...target }) {
    let left = limit
    const read = (from: Subscribe.From | undefined) =>
      Subscribe.stream({ ...target, from }).pipe(
        Stream.takeUntil((event) => event._tag === "Message" && --left === 0)
      )
    if (reader === undefined) return yield* writeValues(read(from), format)
    yield* durably(reader, (kept) => read(kept ?? from)).pipe(Effect.provide(CursorStore.layerFileSystem(cursors)))
  })
).pipe(
  withKeyset,
  Command.withDescription("Print the events of channels and groups until Ctrl-C, which leaves them"),
  Command.withExamples([
    { command: "herald subscribe orders 'alerts.*' --presence", description: "Watch" },
    { command: "herald subscribe orders --limit 1 | jq .payload", description: "The payload of the next message" },
    { command: "herald subscribe orders --reader audit >> audit.jsonl", description: "Miss nothing between two runs" }
  ])
)
