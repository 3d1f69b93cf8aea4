/**
 * Messages on standard output.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as Text from "../../internal/text.ts"
import * as MessageML from "../../symphony/MessageML.ts"
import { PostedMessage, type User } from "../../symphony/PostedMessage.ts"
import { isDecoded, type UndecodableItem } from "../../UndecodableItem.ts"
import * as JsonLine from "../output/jsonLine.ts"
import { undecodable, writeValues } from "../output/lines.ts"

/** A message as JSON. */
export const toJson: (message: PostedMessage) => Effect.Effect<string> = JsonLine.of(PostedMessage)

/** What was said, or the markup where it cannot be read. */
export const textOf = (message: PostedMessage): Effect.Effect<string> =>
  MessageML.read(message).pipe(
    Effect.match({ onFailure: () => message.message ?? "", onSuccess: ({ text }) => text })
  )

/** How people know a user. */
export const nameOf = (user: User | undefined): string =>
  user?.displayName ?? user?.username ?? String(user?.userId ?? "?")

/** A line for each message, and for what stands in the place of one. */
export const writeMessages = <E, R>(messages: Stream.Stream<PostedMessage | UndecodableItem, E, R>) =>
  messages.pipe(
    Stream.mapEffect((message) =>
      isDecoded(message)
        ? Effect.all({ text: Effect.map(textOf(message), (text) => line(message, text)), json: toJson(message) })
        : Effect.succeed({
          text: Text.harmless(`?  ${undecodable(message)}`),
          json: Json.text(message)
        })
    ),
    (lines) => writeValues(lines, { toText: ({ text }) => text, toJson: ({ json }) => json })
  )

const line = (message: PostedMessage, text: string): string => {
  const moment = message.timestamp === undefined ? "?" : DateTime.formatIso(message.timestamp)
  const files = message.attachments.map((file) =>
    isDecoded(file) ? `[${file.name ?? file.id}]` : `[${undecodable(file)}]`
  )
  return Text.harmless([`${moment}  ${nameOf(message.user)}:`, text, ...files, ` ${message.messageId}`].join(" "))
}
