/**
 * `herald symphony listen`
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Datafeed from "../../symphony/Datafeed.ts"
import * as DatafeedEvent from "../../symphony/DatafeedEvent.ts"
import { Root } from "../pubnub/keyset.ts"
import * as JsonLine from "../output/jsonLine.ts"
import { writeLines } from "../output/lines.ts"
import * as EventLine from "./eventLine.ts"
import { session } from "./flags.ts"

const toJsonLine = JsonLine.of(DatafeedEvent.DatafeedEvent)

export const listen = Command.make(
  "listen",
  {
    tag: Flag.String("tag").pipe(
      Flag.withDefault(undefined),
      Flag.withDescription("Which of the bot's feeds. Two that run at the same time need two tags, or share the events")
    ),
    own: Flag.Boolean("own").pipe(
      Flag.withDefault(false),
      Flag.withDescription("What the bot does itself, too")
    )
  },
  Effect.fnUntraced(function*(options) {
    const { json } = yield* Root
    const stdio = yield* Stdio.Stdio
    const { canColor } = yield* TerminalCapabilities.TerminalCapabilities
    const toLine = json ?? !(yield* stdio.stdoutIsTerminal)
      ? toJsonLine
      : (event: DatafeedEvent.DatafeedEvent) =>
        Effect.flatMap(DateTime.now, (now) => EventLine.format(event, { now, color: canColor }))
    // The next page is asked for, and this one acknowledged, when its lines are written.
    yield* writeLines(Stream.mapEffect(Datafeed.events(options), toLine))
  })
).pipe(
  Command.provide(session),
  Command.withDescription(
    "Print what happens where the bot is, until Ctrl-C. The next one goes on there, if it comes within 30 minutes"
  ),
  Command.withExamples([
    {
      command: "herald symphony listen --json | jq 'select(._tag == \"MessageSent\") | .message.message'",
      description: "What is said"
    }
  ])
)
