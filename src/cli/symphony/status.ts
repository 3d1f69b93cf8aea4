/**
 * `herald symphony status`
 */
import * as Command from "effect/cli/Command"
import * as DateTime from "effect/DateTime"
import * as Stream from "effect/Stream"
import * as MessageStatus from "../../symphony/MessageStatus.ts"
import { isDecoded } from "../../UndecodableItem.ts"
import * as JsonLine from "../output/jsonLine.ts"
import { orUndecodable, writeValues } from "../output/write.ts"
import { messageId } from "./arguments.ts"
import { session } from "./flags.ts"
import { nameOf } from "./messages.ts"

const toJson = JsonLine.of(MessageStatus.MessageStatus)

export const status = Command.make(
  "status",
  { messageId },
  (options) => writeValues(Stream.fromEffect(MessageStatus.status(options)), { toText, toJson })
).pipe(
  Command.provide(session),
  Command.withDescription("Print who has read a message, who received it, and who has not received it yet")
)

const toName = orUndecodable(nameOf)

const toText = ({ delivered, read, sent }: MessageStatus.MessageStatus): ReadonlyArray<string> =>
  Object.entries({ read, delivered, sent }).flatMap(([state, users]) =>
    users.map((user) => {
      const time = isDecoded(user) && user.timestamp !== undefined ? DateTime.formatIso(user.timestamp) : "?"
      return `${time.padEnd(24)}  ${state.padEnd(9)}  ${toName(user)}`
    })
  )
