/**
 * Messages on standard output.
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as MessageML from "../../symphony/MessageML.ts"
import { type AttachmentInfo, PostedMessage, type User } from "../../symphony/PostedMessage.ts"
import { isDecoded, type UndecodableItem } from "../../UndecodableItem.ts"
import * as JsonLine from "../output/jsonLine.ts"
import { orUndecodable, undecodable, writeValues } from "../output/write.ts"

/** A message as JSON. */
export const toJson: (message: PostedMessage) => Effect.Effect<string> = JsonLine.of(PostedMessage)

/** The text of a message, or its markup if that cannot be read. */
export const textOf = (message: PostedMessage): Effect.Effect<string> =>
  MessageML.read(message).pipe(
    Effect.match({ onFailure: () => message.message ?? "", onSuccess: ({ text }) => text })
  )

/** The name by which people know a user. */
export const nameOf = (user: User | undefined): string =>
  user?.displayName ?? user?.username ?? String(user?.userId ?? "?")

/** Prints each message. Those that cannot be read are printed in their place. */
export const writeMessages = <E, R>(messages: Stream.Stream<PostedMessage | UndecodableItem, E, R>) =>
  writeValues(messages, {
    toText: (message) =>
      isDecoded(message)
        ? Effect.map(textOf(message), (text) => line(message, text))
        : `?  ${undecodable(message)}`,
    toJson: (message) => isDecoded(message) ? toJson(message) : Effect.succeed(Json.text(message)),
    piped: "json"
  })

const toFile = orUndecodable(({ attachmentId, name }: AttachmentInfo) => name ?? attachmentId)

const line = (message: PostedMessage, text: string): string => {
  const time = message.timestamp === undefined ? "?" : DateTime.formatIso(message.timestamp)
  const files = message.attachments.map((file) => `[${toFile(file)}]`)
  return [`${time}  ${nameOf(message.user)}:`, text, ...files, ` ${message.messageId}`].join(" ")
}
