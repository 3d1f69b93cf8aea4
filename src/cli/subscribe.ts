/**
 * `herald subscribe`
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Event from "../pubnub/Event.ts"
import * as Subscribe from "../pubnub/Subscribe.ts"
import { Timetoken } from "../pubnub/Timetoken.ts"
import * as EventLine from "./eventLine.ts"
import { Root } from "./flags.ts"
import { writeLines } from "./output.ts"

const JsonLine = Schema.fromJsonString(Schema.toCodecJson(Event.SubscribeEvent(Schema.Json)))
const toJsonLine = Schema.encodeEffect(JsonLine)

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
    from: Flag.String("since").pipe(
      Flag.withSchema(Timetoken),
      Flag.withDefault(undefined),
      Flag.withMetavar("timetoken"),
      Flag.withDescription("Start there (default: now)")
    ),
    count: Flag.Int("count").pipe(
      Flag.withSchema(Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)))),
      Flag.withDefault(Number.POSITIVE_INFINITY),
      Flag.withMetavar("n"),
      Flag.withDescription("End after so many messages; signals and others are not counted (default: never)")
    )
  },
  Effect.fnUntraced(function*({ count, ...target }) {
    const { json } = yield* Root
    const stdio = yield* Stdio.Stdio
    const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
    const toLine = json ?? !(yield* stdio.stdoutIsTerminal)
      ? (event: Event.SubscribeEvent) => Effect.orDie(toJsonLine(event))
      : (event: Event.SubscribeEvent) =>
        Effect.map(DateTime.now, (now) => EventLine.format(event, { now, color: canColor }))
    let left = count
    yield* Subscribe.stream(target).pipe(
      Stream.takeUntil((event) => event._tag === "Message" && --left === 0),
      Stream.mapEffect(toLine),
      writeLines
    )
  })
).pipe(
  Command.withDescription("Print what happens on channels and groups until Ctrl-C, which leaves them"),
  Command.withExamples([
    { command: "herald subscribe orders 'alerts.*' --presence", description: "Watch" },
    { command: "herald subscribe orders --count 1 | jq .payload", description: "The next message's payload" }
  ])
)
