/**
 * `herald history`
 */
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as History from "../../pubnub/History.ts"
import * as Timetoken from "../../pubnub/Timetoken.ts"
import { BadInput } from "../exit/failure.ts"
import * as Inputs from "../input/flags.ts"
import * as Range from "../input/range.ts"
import * as Progress from "../output/progress.ts"
import { type Format, writeValues } from "../output/write.ts"
import { channel } from "./arguments.ts"
import * as Follow from "./follow.ts"
import { withKeyset } from "./keyset.ts"

const format: Format<History.Stored> = { toText: (entry) => toText(entry), piped: "json" }

export const history = Command.make(
  "history",
  {
    channel,
    ...Range.ofChannel,
    follow: Inputs.boolean("follow", "Print the newest of the range, oldest first, then each message as it comes")
  },
  Effect.fnUntraced(function*({ follow, limit, ...options }) {
    if (!follow) return yield* writeValues(Progress.counting(Stream.take(History.stream(options), limit)), format)
    if (options.before !== undefined) {
      return yield* new BadInput({ description: "--follow has no end: remove --before" })
    }
    if (options.order === "oldestFirst") {
      return yield* new BadInput({ description: "--follow starts with the newest of the range: remove --oldest-first" })
    }
    yield* writeValues(Follow.follow({ channel: options.channel, since: options.since, limit }), format)
  })
).pipe(
  withKeyset,
  Command.withDescription("Print the stored messages of a channel"),
  Command.withExamples([
    { command: "herald history orders --limit 10", description: "The newest ten" },
    { command: "herald history orders --since \"2 hours\"", description: "The last two hours" },
    { command: "herald history orders --since 10m --follow", description: "The last ten minutes, and then live" },
    { command: "herald history orders --oldest-first --limit 100000 > orders.jsonl", description: "A copy" }
  ])
)

const toText = (entry: History.Stored): string => {
  const time = entry.timetoken === undefined ? "?" : DateTime.formatIso(Timetoken.toDateTime(entry.timetoken))
  return `${time}  ${entry.publisher ?? "?"}: ${contentOf(entry)}`
}

const contentOf = (entry: History.Stored): string => {
  switch (entry._tag) {
    case "StoredMessage":
      return Json.text(entry.payload)
    case "StoredFile":
      return `${entry.file.name} (${entry.file.id})`
    default:
      return `${entry.issue}: ${Json.text(entry.raw)}`
  }
}
