/**
 * `herald symphony list`
 */
import * as Command from "effect/cli/Command"
import * as Stream from "effect/Stream"
import * as Messages from "../../symphony/Messages.ts"
import * as Range from "../input/range.ts"
import * as Progress from "../output/progress.ts"
import { streamId } from "./arguments.ts"
import { session } from "./flags.ts"
import { writeMessages } from "./messages.ts"

export const list = Command.make(
  "list",
  { streamId, ...Range.ofStream },
  ({ limit, ...range }) =>
    writeMessages(Progress.counting(Stream.take(Messages.stream({ ...range, pageSize: Math.min(limit, 500) }), limit)))
).pipe(
  Command.provide(session),
  Command.withDescription("Print the messages of a stream, newest first"),
  Command.withExamples([
    { command: "herald symphony list $ROOM --since \"2 hours\"", description: "The last two hours" },
    { command: "herald symphony list $ROOM --since 2026-09-01 --limit 10000 > room.jsonl", description: "A copy" }
  ])
)
