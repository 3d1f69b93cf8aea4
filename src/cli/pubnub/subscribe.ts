/**
 * `herald subscribe`
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Config from "effect/Config"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { homedir } from "node:os"
import { join } from "node:path"
import * as Cursor from "../../Cursor.ts"
import * as CursorStore from "../../CursorStore.ts"
import * as SubscribeEvent from "../../pubnub/SubscribeEvent.ts"
import * as Durable from "../../pubnub/internal/reading/durable.ts"
import { PubNubConfig } from "../../pubnub/PubNubConfig.ts"
import * as Subscribe from "../../pubnub/Subscribe.ts"
import { Timetoken } from "../../pubnub/Timetoken.ts"
import * as EventLine from "./eventLine.ts"
import { Root } from "./keyset.ts"
import * as JsonLine from "../output/jsonLine.ts"
import { writeLines } from "../output/lines.ts"

const toJsonLine = JsonLine.of(SubscribeEvent.SubscribeEvent(Schema.Json))

const From = Schema.Union([Timetoken, Schema.fromJsonString(Cursor.Cursor)])

/**
 * Prints from where the reader of this name stopped. A line is committed when the next one is asked for: by then it is
 * written.
 */
const durably = Effect.fnUntraced(function*<E, R>(
  name: string,
  read: (kept: Cursor.Cursor | undefined) => Stream.Stream<SubscribeEvent.SubscribeEvent, E, R>,
  toLine: (event: SubscribeEvent.SubscribeEvent) => Effect.Effect<string>
) {
  // Another keyset has other messages.
  const commits = yield* Durable.begin({ reader: `${(yield* PubNubConfig).subscribeKey}/${name}` })
  const { kept } = commits
  yield* Effect.logInfo(kept === undefined ? `${name} begins` : `${name} goes on at ${Cursor.format(kept)}`)
  const lines = Stream.flatMap(read(kept), (event) => {
    const written = commits.open(event)
    return Stream.concat(
      Stream.fromEffect(toLine(event)),
      Stream.fromEffectDrain(Effect.andThen(written, commits.room))
    )
  })
  yield* commits.during(writeLines(lines))
})

export const subscribe = Command.make(
  "subscribe",
  {
    channels: Argument.String("channels").pipe(
      Argument.variadic(),
      Argument.withDescription("Channels and wildcards (alerts.*)")
    ),
    groups: Flag.String("group").pipe(
      Flag.withAlias("g"),
      Flag.atLeast(0),
      Flag.withDescription("A channel group; may be given several times")
    ),
    presence: Flag.Boolean("presence").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Joins and leaves too")
    ),
    filter: Flag.String("filter").pipe(
      Flag.withDefault(undefined),
      Flag.withMetavar("expression"),
      Flag.withDescription("Only messages that match, as in data.total > 100 && meta.region == 'eu'")
    ),
    from: Flag.String("from").pipe(
      Flag.withSchema(From),
      Flag.withDefault(undefined),
      Flag.withMetavar("position"),
      Flag.withDescription("Start there: a timetoken, or the cursor of an event that --json printed (default: now)")
    ),
    durable: Flag.String("durable").pipe(
      Flag.withSchema(Schema.NonEmptyString),
      Flag.withDefault(undefined),
      Flag.withMetavar("name"),
      Flag.withDescription(
        "Go on where the reader of this name stopped, even if it was killed; --from is for its first start"
      )
    ),
    cursors: Flag.String("cursors").pipe(
      Flag.withFallbackConfig(Config.String("HERALD_CURSORS")),
      Flag.withDefault(undefined),
      Flag.withMetavar("directory"),
      Flag.withDescription("Where durable readers keep their places (HERALD_CURSORS; default: ~/.herald/cursors)")
    ),
    count: Flag.Int("count").pipe(
      Flag.withSchema(Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)))),
      Flag.withDefault(Number.POSITIVE_INFINITY),
      Flag.withMetavar("n"),
      Flag.withDescription("End after so many messages; signals and others are not counted (default: never)")
    )
  },
  Effect.fnUntraced(function*({ count, cursors, durable, from, ...target }) {
    const { json } = yield* Root
    const stdio = yield* Stdio.Stdio
    const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
    const toLine = json ?? !(yield* stdio.stdoutIsTerminal)
      ? toJsonLine
      : (event: SubscribeEvent.SubscribeEvent) =>
        Effect.map(DateTime.now, (now) => EventLine.format(event, { now, color: canColor }))
    let left = count
    const read = (from: Subscribe.From | undefined) =>
      Subscribe.stream({ ...target, from }).pipe(
        Stream.takeUntil((event) => event._tag === "Message" && --left === 0)
      )
    if (durable === undefined) return yield* writeLines(Stream.mapEffect(read(from), toLine))
    yield* durably(durable, (kept) => read(kept ?? from), toLine).pipe(
      Effect.provide(
        CursorStore.layerFileSystem(cursors ?? join(homedir(), ".herald", "cursors"))
      )
    )
  })
).pipe(
  Command.withDescription("Print what happens on channels and groups until Ctrl-C, which leaves them"),
  Command.withExamples([
    { command: "herald subscribe orders 'alerts.*' --presence", description: "Watch" },
    { command: "herald subscribe orders --count 1 | jq .payload", description: "The next message's payload" },
    { command: "herald subscribe orders --durable audit >> audit.jsonl", description: "Miss nothing between two runs" }
  ])
)
