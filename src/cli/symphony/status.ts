/**
 * `herald symphony status`
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Text from "../../internal/text.ts"
import * as MessageStatus from "../../symphony/MessageStatus.ts"
import { isDecoded } from "../../UndecodableItem.ts"
import { Root } from "../pubnub/keyset.ts"
import * as JsonLine from "../output/jsonLine.ts"
import { undecodable, writeLine, writeLines } from "../output/lines.ts"
import { session } from "./flags.ts"
import { nameOf } from "./messages.ts"

const toJsonLine = JsonLine.of(MessageStatus.MessageStatus)

export const status = Command.make(
  "status",
  { messageId: Argument.String("message").pipe(Argument.withDescription("The message, by its id")) },
  Effect.fnUntraced(function*({ messageId }) {
    const { json } = yield* Root
    const status = yield* MessageStatus.status({ messageId })
    if (json === true) return yield* writeLine(yield* toJsonLine(status))
    yield* writeLines(Stream.fromIterable(lines(status)))
  })
).pipe(
  Command.provide(session),
  Command.withDescription("Print who has read a message, who got it, and who did not yet")
)

const lines = ({ delivered, read, sent }: MessageStatus.MessageStatus): ReadonlyArray<string> =>
  Object.entries({ read, delivered, sent }).flatMap(([what, users]) =>
    users.map((user) =>
      Text.harmless(
        isDecoded(user)
          ? [
            user.timestamp === undefined ? "?".padEnd(24) : DateTime.formatIso(user.timestamp),
            what.padEnd(9),
            nameOf(user)
          ].join("  ")
          : `${"?".padEnd(24)}  ${what.padEnd(9)}  ${undecodable(user)}`
      )
    )
  )
