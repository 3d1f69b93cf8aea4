/**
 * `herald symphony send`
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import * as MessageML from "../../symphony/MessageML.ts"
import * as Messages from "../../symphony/Messages.ts"
import { BadInput } from "../exit/failure.ts"
import * as Inputs from "../input/flags.ts"
import { stdin } from "../input/stdin.ts"
import { writeValues } from "../output/write.ts"
import { streamId } from "./arguments.ts"
import { session } from "./flags.ts"
import { toJson } from "./messages.ts"

/** Text as markup that shows it. */
const toMarkup = (text: string): string => text.trim().split(/\r?\n/).map(MessageML.escape).join("<br/>")

export const send = Command.make(
  "send",
  {
    streamId,
    message: Argument.String("message").pipe(
      Argument.withDefault("-"),
      Argument.withDescription(
        "Text. Leave it out, or give -, to send all of standard input. Put -- before a text that starts with a dash"
      )
    ),
    isMarkup: Inputs.boolean("message-ml", "Send the message as MessageML (default: as text, which is escaped)"),
    data: Inputs.jsonObject("data", "Data of the markup's entities, by their ids: a JSON object"),
    files: Inputs.texts("attachment", "Attach a file.", "file")
  },
  Effect.fnUntraced(function*({ data, files, isMarkup, message, streamId }) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const content = message === "-" ? yield* Stream.mkString(stdin("One message; Ctrl-D ends it.")) : message
    const posted = Messages.send({
      streamId,
      message: isMarkup ? content : toMarkup(content),
      data,
      attachments: files.map((file) => ({ name: path.basename(file), content: fs.stream(file) }))
    }).pipe(Effect.catchTag("AttachmentFailed", ({ message }) => new BadInput({ description: message })))
    yield* writeValues(Stream.fromEffect(posted), { toText: ({ messageId }) => messageId, toJson })
  })
).pipe(
  Command.provide(session),
  Command.withDescription("Send a message to a stream, and print its id"),
  Command.withExamples([
    { command: "herald symphony send $ROOM 'Is 5 < 6?' --attachment report.pdf", description: "Text and a file" },
    { command: "herald symphony send $ROOM '<b>Sold</b> <cash tag=\"acme\"/>' --message-ml", description: "Markup" },
    { command: "uptime | herald symphony send $ROOM", description: "The output of another command" }
  ])
)
