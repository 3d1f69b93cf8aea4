/**
 * `herald history`
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as Text from "../../internal/text.ts"
import * as History from "../../pubnub/History.ts"
import * as Timetoken from "../../pubnub/Timetoken.ts"
import { writeValues } from "../output/lines.ts"
import { range } from "../input/range.ts"

export const history = Command.make(
  "history",
  {
    channel: Argument.String("channel").pipe(Argument.withDescription("The channel")),
    ...range
  },
  ({ limit, oldestFirst, ...options }) =>
    writeValues(
      Stream.take(History.stream({ ...options, order: oldestFirst ? "oldestFirst" : "newestFirst" }), limit),
      { toText: line, toJson: (entry) => Json.text(entry) }
    )
).pipe(
  Command.withDescription("Print what a channel's history holds"),
  Command.withExamples([
    { command: "herald history orders --limit 10", description: "The newest ten" },
    { command: "herald history orders --oldest-first --limit 100000 > orders.jsonl", description: "A copy" }
  ])
)

const line = (entry: History.Stored): string => {
  const moment = entry.timetoken === undefined ? "?" : DateTime.formatIso(Timetoken.toDateTime(entry.timetoken))
  const said = entry._tag === "StoredMessage"
    ? Json.text(entry.payload)
    : entry._tag === "StoredFile"
    ? `${entry.file.name} (${entry.file.id})`
    : `${entry.issue}: ${Json.text(entry.raw)}`
  return Text.harmless(`${moment}  ${entry.publisher ?? "?"}: ${said}`)
}
