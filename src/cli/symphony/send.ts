/**
 * `herald symphony send`
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as MessageML from "../../symphony/MessageML.ts"
import * as Messages from "../../symphony/Messages.ts"
import { BadInput } from "../exit/failure.ts"
import { Root } from "../pubnub/keyset.ts"
import { writeLine } from "../output/lines.ts"
import { session } from "./flags.ts"
import { toJson } from "./messages.ts"

const fromStdin = Effect.gen(function*() {
  const stdio = yield* Stdio.Stdio
  if (yield* stdio.stdinIsTerminal) yield* Console.error("One message; Ctrl-D ends it.")
  return yield* Stream.mkString(Stream.decodeText(stdio.stdin))
})

/** Text as markup that shows it. */
const shown = (text: string): string => text.trim().split(/\r?\n/).map(MessageML.escape).join("<br/>")

export const send = Command.make(
  "send",
  {
    streamId: Argument.String("stream").pipe(Argument.withDescription("The stream, by its id")),
    message: Argument.String("message").pipe(
      Argument.withDefault("-"),
      Argument.withDescription("Text. - or nothing: all of standard input. After --, it may begin with a dash")
    ),
    isMarkup: Flag.Boolean("message-ml").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Take the message as MessageML (default: as text, which is escaped)")
    ),
    data: Flag.String("data").pipe(
      Flag.withSchema(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json))),
      Flag.withDefault(undefined),
      Flag.withDescription("A JSON object: the data of the markup's entities, by their ids")
    ),
    files: Flag.String("attach").pipe(
      Flag.atLeast(0),
      Flag.withMetavar("file"),
      Flag.withDescription("A file; may be given several times")
    )
  },
  Effect.fnUntraced(function*({ data, files, isMarkup, message, streamId }) {
    const { json } = yield* Root
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const content = message === "-" ? yield* fromStdin : message
    const posted = yield* Messages.send({
      streamId,
      message: isMarkup ? content : shown(content),
      data,
      attachments: files.map((file) => ({ name: path.basename(file), content: fs.stream(file) }))
    }).pipe(Effect.catchTag("AttachmentFailed", ({ message }) => new BadInput({ description: message })))
    yield* writeLine(json === true ? yield* toJson(posted) : posted.messageId)
  })
).pipe(
  Command.provide(session),
  Command.withDescription("Send a message to a stream, and print its id"),
  Command.withExamples([
    { command: "herald symphony send $ROOM 'Is 5 < 6?' --attach report.pdf", description: "Text and a file" },
    { command: "herald symphony send $ROOM '<b>Sold</b> <cash tag=\"acme\"/>' --message-ml", description: "Markup" },
    { command: "uptime | herald symphony send $ROOM", description: "What another command wrote" }
  ])
)
