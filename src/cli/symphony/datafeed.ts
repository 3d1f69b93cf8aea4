/**
 * `herald symphony datafeed`
 */
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Datafeed from "../../symphony/Datafeed.ts"
import * as DatafeedEvent from "../../symphony/DatafeedEvent.ts"
import * as Inputs from "../input/flags.ts"
import * as JsonLine from "../output/jsonLine.ts"
import { writeValues } from "../output/write.ts"
import * as EventLine from "./eventLine.ts"
import { session } from "./flags.ts"

const toJson = JsonLine.of(DatafeedEvent.DatafeedEvent)

export const datafeed = Command.make(
  "datafeed",
  {
    tag: Inputs.text("tag", "Read the bot's feed of this name. Two readers with one tag share the events"),
    include: Inputs.choices(
      "include",
      ["own", "invisible"],
      "Also print the bot's own events, or those of invisible rooms."
    )
  },
  // The lines of a page are written before the next page is requested, which acknowledges this one.
  (options) =>
    writeValues(Datafeed.stream(options), {
      toText: (event) => Effect.flatMap(DateTime.now, (now) => EventLine.format(event, now)),
      toJson,
      isDim: EventLine.isStatus,
      piped: "json"
    })
).pipe(
  Command.provide(session),
  Command.withDescription(
    "Print the bot's events until Ctrl-C. A run within the next 30 minutes continues where this one stopped"
  ),
  Command.withExamples([
    {
      command: "herald symphony datafeed --json | jq 'select(._tag == \"MessageSent\") | .message.message'",
      description: "The messages"
    }
  ])
)
