/**
 * `herald history`
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as History from "../pubnub/History.ts"
import * as Timetoken from "../pubnub/Timetoken.ts"
import { Root } from "./flags.ts"
import { writeLines } from "./output.ts"

const timetoken = (name: string, what: string) =>
  Flag.String(name).pipe(
    Flag.withSchema(Timetoken.Timetoken),
    Flag.withDefault(undefined),
    Flag.withMetavar("timetoken"),
    Flag.withDescription(what)
  )

export const history = Command.make(
  "history",
  {
    channel: Argument.String("channel").pipe(Argument.withDescription("The channel")),
    since: timetoken("since", "Nothing older"),
    before: timetoken("before", "Only what is older"),
    oldestFirst: Flag.Boolean("oldest-first").pipe(
      Flag.withDefault(false),
      Flag.withDescription("From the old end on (default: from the new end back)")
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withSchema(Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)))),
      Flag.withDefault(100),
      Flag.withMetavar("n"),
      Flag.withDescription("So many at the most (default: 100)")
    )
  },
  Effect.fnUntraced(function*({ limit, oldestFirst, ...range }) {
    const { json } = yield* Root
    const stdio = yield* Stdio.Stdio
    const toLine = json ?? !(yield* stdio.stdoutIsTerminal) ? (entry: History.Stored) => JSON.stringify(entry) : line
    yield* History.stream({ ...range, order: oldestFirst ? "oldestFirst" : "newestFirst" }).pipe(
      Stream.take(limit),
      Stream.map(toLine),
      writeLines
    )
  })
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
    ? JSON.stringify(entry.payload)
    : entry._tag === "StoredFile"
    ? `${entry.file.name} (${entry.file.id})`
    : `${entry.issue}: ${JSON.stringify(entry.raw)}`
  return `${moment}  ${entry.publisher ?? "?"}: ${said}`.replaceAll(/\p{Cc}/gu, "\uFFFD")
}
