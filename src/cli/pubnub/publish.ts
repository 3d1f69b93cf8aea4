/**
 * `herald publish`, `herald signal`, `herald fire`: one message from the command line, or many from standard input.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type * as PlatformError from "effect/PlatformError"
import type * as Schema from "effect/Schema"
import type * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Text from "../../internal/text.ts"
import * as Publish from "../../pubnub/Publish.ts"
import { BadInput } from "../exit/failure.ts"
import * as Inputs from "../input/flags.ts"
import { parseJson } from "../input/json.ts"
import { stdin } from "../input/stdin.ts"
import * as Time from "../input/time.ts"
import { writeValues } from "../output/write.ts"
import { channel } from "./arguments.ts"
import { withKeyset } from "./keyset.ts"

const message = {
  channel,
  message: Argument.String("message").pipe(
    Argument.withDefault("-"),
    Argument.withDescription(
      "JSON; anything else is sent as text. Leave it out, or give -, to send each line of standard input in order: " +
        "lines must be JSON. Put -- before a message that starts with a dash"
    )
  ),
  text: Inputs.boolean("text", "Send text, even if it looks like JSON")
}

const withMeta = {
  meta: Inputs.jsonObject("meta", "Metadata of the message, for filters: a JSON object"),
  method: Flag.Literals("method", ["auto", "GET", "POST"]).pipe(
    Flag.withDefault("auto"),
    Flag.withDescription("HTTP method (default: auto, by size)")
  )
}

const withType = {
  customMessageType: Inputs.text("custom-message-type", "Custom message type, such as order-placed")
}

type Input = Command.Command.Config.Infer<typeof message>

/** Sends each message after the one before it, and prints its timetoken. The first failure ends it. */
const send = <I extends Input, E, R>(
  input: I,
  one: (options: Omit<I, "message"> & { readonly message: Schema.Json }) => Effect.Effect<Publish.Published, E, R>
) =>
  messages(input).pipe(
    Stream.mapEffect((message) => one({ ...input, message })),
    Stream.map(({ timetoken }) => ({ channel: input.channel, timetoken })),
    (sent) => writeValues(sent, { toText: ({ timetoken }) => timetoken })
  )

const messages = (
  { message, text }: Input
): Stream.Stream<Schema.Json, BadInput | PlatformError.PlatformError, Stdio.Stdio> => {
  const read = (text: string, orElse: Effect.Effect<Schema.Json, BadInput>) =>
    Effect.flatMap(parseJson(text), (value) => value === undefined ? orElse : Effect.succeed(value))
  if (message !== "-") return Stream.fromEffect(text ? Effect.succeed(message) : read(message, Effect.succeed(message)))
  return stdin("One message per line; Ctrl-D ends.").pipe(
    Stream.splitLines,
    Stream.filter((line) => line.trim() !== ""),
    // A line that was cut short must not go out as text.
    Stream.mapEffect((line) => text ? Effect.succeed(line) : read(line, Effect.fail(notJson(line))))
  )
}

const notJson = (line: string) =>
  new BadInput({ description: `Not JSON: ${Text.bounded(line, 100)} (use --text to send lines as text)` })

export const publish = Command.make(
  "publish",
  {
    ...message,
    ...withMeta,
    ...withType,
    store: Flag.Boolean("store").pipe(
      Flag.withDefault(undefined),
      Flag.withDescription("Store it in history, or --no-store (default: the keyset's setting)")
    ),
    ttl: Time.length("ttl", "How long history keeps it, in whole hours: \"24 hours\", or Infinity"),
    replicate: Inputs.boolean("replicate", "Send it to all regions (default), or --no-replicate", true)
  },
  (input) => send(input, Publish.publish)
).pipe(
  withKeyset,
  Command.withDescription("Publish messages to a channel, and print the timetoken of each"),
  Command.withExamples([
    { command: "herald publish orders '{\"id\": 1}'", description: "One message" },
    { command: "jq -c '.[]' orders.json | herald publish orders", description: "One message per line" }
  ])
)

export const signal = Command.make(
  "signal",
  { ...message, ...withType },
  (input) => send(input, Publish.signal)
).pipe(withKeyset, Command.withDescription("Send a signal: at most 64 bytes of JSON, never stored"))

export const fire = Command.make(
  "fire",
  { ...message, ...withMeta },
  (input) => send(input, Publish.fire)
).pipe(withKeyset, Command.withDescription("Send a message to the Functions of a channel, not to its subscribers"))
