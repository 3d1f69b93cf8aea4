/**
 * `herald files`: files of channels.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import { randomUUID } from "node:crypto"
import * as Text from "../../internal/text.ts"
import * as Files from "../../pubnub/Files.ts"
import { BadInput } from "../exit/failure.ts"
import * as Inputs from "../input/flags.ts"
import { parseJson } from "../input/json.ts"
import * as Time from "../input/time.ts"
import * as Progress from "../output/progress.ts"
import { orUndecodable, writeValue, writeValues } from "../output/write.ts"
import { channel } from "./arguments.ts"
import { withKeyset } from "./keyset.ts"

const file = {
  channel,
  id: Argument.String("id").pipe(Argument.withDescription("The id of the file, as list prints it")),
  name: Argument.String("name").pipe(Argument.withDescription("The name of the file"))
}

const send = Command.make(
  "send",
  {
    channel,
    path: Argument.String("path").pipe(Argument.withDescription("The file to send")),
    name: Inputs.text("name", "The name of the file on the channel (default: the last part of the path)", "name"),
    contentType: Inputs.text("content-type", "The media type (default: by the name)", "type"),
    message: Inputs.text("message", "A message beside the file: JSON; anything else is sent as text", "json"),
    meta: Inputs.jsonObject("meta", "Metadata of the announcement, for filters: a JSON object"),
    customMessageType: Inputs.text("custom-message-type", "Custom message type, such as picture"),
    store: Flag.Boolean("store").pipe(
      Flag.withDefault(undefined),
      Flag.withDescription("Store the announcement in history, or --no-store (default: the keyset's setting)")
    ),
    ttl: Time.length("ttl", "How long history keeps the announcement, in whole hours: \"24 hours\", or Infinity")
  },
  Effect.fnUntraced(function*({ message: text, name, path, ...options }) {
    const fileSystem = yield* FileSystem.FileSystem
    const { basename } = yield* Path.Path
    const { size, type } = yield* fileSystem.stat(path)
    if (type !== "File") {
      return yield* new BadInput({
        description: `${path} is no regular file: only that has a size that is known before`
      })
    }
    const message = text === undefined ? undefined : (yield* parseJson(text)) ?? text
    const sent = yield* Files.send({
      ...options,
      name: name ?? basename(path),
      message,
      content: fileSystem.stream(path),
      size: Number(size)
    })
    yield* writeValue(sent, ({ id, name }) => `${id}  ${name}`)
  })
).pipe(
  Command.withDescription("Upload a file, announce it on a channel, and print its id and name"),
  Command.withExamples([
    { command: "herald files send reports report.pdf --message '\"ready\"'", description: "With a message" }
  ])
)

const list = Command.make("list", { channel, limit: Inputs.limit(Infinity) }, ({ channel, limit }) =>
  writeValues(
    Progress.counting(Stream.take(Files.stream({ channel, pageSize: Math.min(limit, 100) }), limit)),
    {
      toText: orUndecodable(({ created, id, name, size }) =>
        `${DateTime.formatIso(created)}  ${id}  ${name}  ${size} bytes`
      ),
      piped: "json"
    }
  )).pipe(Command.withDescription("Print the files of a channel, by id"))

/** The parts of a text as they are, as long as a terminal obeys nothing in them. */
const shown = <E, R>(parts: Stream.Stream<string, E, R>): Stream.Stream<string, E | BadInput, R> =>
  parts.pipe(
    // A return alone overwrites its line. One at the end of a part waits for what follows: the service chooses the parts.
    Stream.mapAccum(() => "", (before, part) => {
      const text = before + part
      const end = text.endsWith("\r") ? text.length - 1 : text.length
      return [text.slice(end), [text.slice(0, end)]]
    }, { onHalt: (rest) => rest === "" ? [] : [rest] }),
    Stream.mapEffect((text) => {
      const line = text.replaceAll(/\r?\n|\t/g, " ")
      return Text.harmless(line) === line && !line.includes("\uFFFD")
        ? Effect.succeed(text)
        : Effect.fail(
          new BadInput({
            description: "The file is no plain text, and a terminal may obey its bytes: use -o path, or --force"
          })
        )
    })
  )

/** Writes a file. A download that fails leaves nothing that looks whole. */
const save = Effect.fnUntraced(function*<E, R>(bytes: Stream.Stream<Uint8Array, E, R>, output: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const found = Option.getOrUndefined(yield* Effect.option(fileSystem.stat(output)))
  if (found?.type === "Directory") return yield* new BadInput({ description: "-o names a directory: name a file" })
  // A pipe or a device must not become a file. Appending needs no position, which a pipe does not have.
  if (found !== undefined && found.type !== "File") {
    return yield* Stream.run(bytes, fileSystem.sink(output, { flag: "a" }))
  }
  const part = `${output}.${randomUUID()}.part`
  // A file that only its owner may read stays so.
  yield* Stream.run(bytes, fileSystem.sink(part, { flag: "wx", mode: found && found.mode & 0o777 })).pipe(
    Effect.andThen(fileSystem.rename(part, output)),
    Effect.onError(() => Effect.ignore(fileSystem.remove(part)))
  )
})

const get = Command.make(
  "get",
  {
    ...file,
    output: Inputs.text("output", "The file to write (default: standard output)", "path").pipe(Flag.withAlias("o")),
    force: Flag.Boolean("force").pipe(
      Flag.withDefault(false),
      Flag.withDescription("Write bytes that are no text to a terminal, too, which may obey them")
    )
  },
  Effect.fnUntraced(function*({ force, output, ...names }) {
    const bytes = Files.download(names)
    if (output === undefined) {
      const stdio = yield* Stdio.Stdio
      return force || !(yield* stdio.stdoutIsTerminal)
        ? yield* Stream.run(bytes, stdio.stdout())
        : yield* Stream.run(shown(Stream.decodeText(bytes)), stdio.stdout())
    }
    yield* save(bytes, output)
  })
).pipe(
  Command.withDescription("Download a file"),
  Command.withExamples([
    {
      command: "herald files get reports 5a3e…-f74 report.pdf -o report.pdf",
      description: "The id and the name are those that list prints"
    }
  ])
)

const remove = Command.make("remove", file, (names) =>
  Effect.andThen(
    Files.remove(names),
    writeValue({ removed: names.id }, ({ removed }) => `removed: ${removed}`)
  )).pipe(Command.withAlias("delete"), Command.withDescription("Remove a file. Its announcements stay"))

export const files = Command.make("files").pipe(
  Command.withSubcommands([send, list, get, remove]),
  withKeyset,
  Command.withDescription("Files of channels")
)
