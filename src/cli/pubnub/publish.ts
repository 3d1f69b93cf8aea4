/**
 * `herald publish`, `herald signal`, `herald fire`: one message from the command line, or many from standard input.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Publish from "../../pubnub/Publish.ts"
import * as ExactJson from "../input/exactJson.ts"
import { BadInput } from "../exit/failure.ts"
import { Root } from "./keyset.ts"
import { writeLines } from "../output/lines.ts"

const message = {
  channel: Argument.String("channel").pipe(Argument.withDescription("The channel")),
  message: Argument.String("message").pipe(
    Argument.withDefault("-"),
    Argument.withDescription(
      "JSON, or else text. - or nothing: lines of JSON from standard input, sent in order. After --, it may begin with a dash"
    )
  ),
  text: Flag.Boolean("text").pipe(
    Flag.withDefault(false),
    Flag.withDescription("Take the message, or each line, as text even if it is JSON")
  )
}

const withMeta = {
  meta: Flag.String("meta").pipe(
    Flag.withSchema(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json))),
    Flag.withDefault(undefined),
    Flag.withDescription("A JSON object that travels beside the message, for filters")
  ),
  method: Flag.Literals("method", ["auto", "GET", "POST"]).pipe(
    Flag.withDefault("auto"),
    Flag.withDescription("The request's method (default: auto, by size)")
  )
}

const withType = {
  customMessageType: Flag.String("type").pipe(
    Flag.withDefault(undefined),
    Flag.withDescription("A custom message type")
  )
}

type Input = Command.Command.Config.Infer<typeof message>

/** Sends what the input holds, and prints the timetoken of each. The first that fails is the last. */
const send = Effect.fnUntraced(function*<I extends Input, E, R>(
  input: I,
  one: (options: Omit<I, "message"> & { readonly message: Schema.Json }) => Effect.Effect<Publish.Published, E, R>
) {
  const { json } = yield* Root
  const { channel } = input
  yield* messages(input).pipe(
    Stream.mapEffect((message) => one({ ...input, message })),
    Stream.map(({ timetoken }) => json === true ? JSON.stringify({ channel, timetoken }) : timetoken),
    writeLines
  )
})

const messages = (
  { message, text }: Input
): Stream.Stream<Schema.Json, BadInput | PlatformError.PlatformError, Stdio.Stdio> => {
  if (message !== "-") return Stream.fromEffect(text ? Effect.succeed(message) : jsonOrText(message))
  return Stream.unwrap(Effect.gen(function*() {
    const stdio = yield* Stdio.Stdio
    if (yield* stdio.stdinIsTerminal) yield* Console.error("One message a line; Ctrl-D ends.")
    return stdio.stdin.pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.filter((line) => line.trim() !== ""),
      Stream.mapEffect((line) => text ? Effect.succeed(line) : jsonLine(line))
    )
  }))
}

const jsonOrText = (text: string): Effect.Effect<Schema.Json, BadInput> =>
  Result.match(ExactJson.parse(text), { onFailure: () => Effect.succeed(text), onSuccess: ExactJson.exact })

// A line that was cut short must not go out as text.
const jsonLine = (line: string): Effect.Effect<Schema.Json, BadInput> =>
  Result.match(ExactJson.parse(line), {
    onFailure: () => Effect.fail(new BadInput({ description: `Not JSON: ${line} (--text sends lines as they are)` })),
    onSuccess: ExactJson.exact
  })

export const publish = Command.make(
  "publish",
  {
    ...message,
    ...withMeta,
    ...withType,
    store: Flag.Boolean("store").pipe(
      Flag.withDefault(undefined),
      Flag.withDescription("Keep it in history, or --no-store (default: as the keyset is set)")
    ),
    ttl: Flag.Int("ttl").pipe(
      Flag.withDefault(undefined),
      Flag.withMetavar("hours"),
      Flag.withDescription("How long history keeps it; 0 is for ever")
    ),
    replicate: Flag.Boolean("replicate").pipe(
      Flag.withDefault(true),
      Flag.withDescription("Let other regions have it (default), or --no-replicate")
    )
  },
  (input) => send(input, Publish.publish)
).pipe(
  Command.withDescription("Publish to a channel, and print each message's timetoken"),
  Command.withExamples([
    { command: "herald publish orders '{\"id\": 1}'", description: "One message" },
    { command: "jq -c '.[]' orders.json | herald publish orders", description: "One message a line" }
  ])
)

export const signal = Command.make(
  "signal",
  { ...message, ...withType },
  (input) => send(input, Publish.signal)
).pipe(Command.withDescription("Send a signal: 64 bytes of JSON at most, never stored"))

export const fire = Command.make(
  "fire",
  { ...message, ...withMeta },
  (input) => send(input, Publish.fire)
).pipe(Command.withDescription("Send to the Functions of a channel, and to no subscriber"))
