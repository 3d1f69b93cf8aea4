/**
 * `herald symphony list`
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Stream from "effect/Stream"
import * as Messages from "../../symphony/Messages.ts"
import { session } from "./flags.ts"
import { writeMessages } from "./messages.ts"
import { limit, range } from "./range.ts"

export const list = Command.make(
  "list",
  {
    streamId: Argument.String("stream").pipe(Argument.withDescription("The stream, by its id")),
    ...range,
    limit
  },
  ({ limit, ...range }) =>
    writeMessages(Stream.take(Messages.listAll({ ...range, chunkSize: Math.min(limit, 500) }), limit))
).pipe(
  Command.provide(session),
  Command.withDescription("Print the messages of a stream, newest first"),
  Command.withExamples([
    { command: "herald symphony list $ROOM --since 2026-09-01 --limit 10000 > room.jsonl", description: "A copy" }
  ])
)
