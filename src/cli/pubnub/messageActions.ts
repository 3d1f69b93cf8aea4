/**
 * `herald message-actions`: reactions, receipts, and other data attached to messages.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { MessageAction } from "../../pubnub/MessageAction.ts"
import * as Live from "../../Live.ts"
import * as MessageActions from "../../pubnub/MessageActions.ts"
import * as Timetoken from "../../pubnub/Timetoken.ts"
import { BadInput } from "../exit/failure.ts"
import * as Range from "../input/range.ts"
import * as Progress from "../output/progress.ts"
import { orUndecodable, writeValue, writeValues } from "../output/write.ts"
import { channel } from "./arguments.ts"
import { withKeyset } from "./keyset.ts"

const message = Argument.String("message").pipe(Argument.withDescription("The timetoken of the message"))

const list = Command.make("list", { channel, ...Range.ofChannel }, ({ limit, ...options }) =>
  writeValues(
    Progress.counting(Stream.take(MessageActions.stream({ ...options, pageSize: Math.min(limit, 100) }), limit)),
    { toText: orUndecodable(actionLine), piped: "json" }
  )).pipe(Command.withDescription("Print the message actions of a channel, the newest first"))

const actionLine = ({ actionTimetoken, messageTimetoken, type, userId, value }: MessageAction): string => {
  const time = DateTime.formatIso(Timetoken.toDateTime(actionTimetoken))
  return `${time}  ${userId}: ${type} ${value}  message ${messageTimetoken}  action ${actionTimetoken}`
}

const writeAdded = (action: MessageAction) => writeValue(action, ({ actionTimetoken }) => actionTimetoken)

const add = Command.make(
  "add",
  {
    channel,
    messageTimetoken: message,
    type: Argument.String("type").pipe(Argument.withDescription("The type of the action, such as reaction or receipt")),
    value: Argument.String("value").pipe(Argument.withDescription("The value of the action"))
  },
  (options) =>
    MessageActions.add(options).pipe(
      Effect.tapErrorTag(
        "ActionNotAnnounced",
        ({ action }) => action === undefined ? Effect.void : writeAdded(action)
      ),
      Effect.flatMap(writeAdded)
    )
).pipe(
  Command.withDescription("Add an action to a message, and print the timetoken of the action"),
  Command.withExamples([
    { command: "herald message-actions add chat 17900000000000000 reaction 👍", description: "A reaction" }
  ])
)

const remove = Command.make(
  "remove",
  {
    channel,
    messageTimetoken: message,
    actionTimetoken: Argument.String("action").pipe(
      Argument.withSchema(Timetoken.Timetoken),
      Argument.withDescription("The timetoken of the action")
    )
  },
  (options) => {
    const removed = writeValue(options, ({ actionTimetoken }) => `removed: ${actionTimetoken}`)
    return MessageActions.remove(options).pipe(
      Effect.tapErrorTag("ActionNotAnnounced", () => removed),
      Effect.andThen(removed)
    )
  }
).pipe(Command.withDescription("Remove an action that --user-id added"))

const live = Command.make(
  "live",
  {
    channel,
    messages: Argument.String("messages").pipe(
      Argument.variadic(),
      Argument.withDescription("The timetokens of up to 100 messages")
    ),
    last: Flag.Int("last").pipe(
      Flag.withDefault(undefined),
      Flag.withMetavar("n"),
      Flag.withDescription("Use the newest n messages instead, at most 100")
    )
  },
  Effect.fnUntraced(function*({ channel, last, messages }) {
    if ((last === undefined) === (messages.length === 0)) {
      return yield* new BadInput({ description: "Pass either messages or --last" })
    }
    const reactions = yield* MessageActions.live(last === undefined ? { channel, messages } : { channel, last })
    yield* writeValues(
      Stream.map(Live.values(reactions), (messages) => ({
        messages: Array.from(messages, ([messageTimetoken, reactions]) => ({
          messageTimetoken,
          reactions: reactions.map(({ users, ...reaction }) => ({
            ...reaction,
            users: Array.from(users, ([userId, actionTimetoken]) => ({ userId, actionTimetoken }))
          }))
        }))
      })),
      {
        // An empty line ends each state.
        toText: ({ messages }) =>
          messages.map(({ messageTimetoken, reactions }) =>
            [messageTimetoken, ...reactions.map(reactionText)].join("  ")
          ).concat(""),
        piped: "json"
      }
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription("Print the actions of messages now and after every change, until Ctrl-C"),
  Command.withExamples([
    { command: "herald message-actions live chat --last 20", description: "What a chat window shows" },
    { command: "herald message-actions live chat 17900000000000000", description: "One message" }
  ])
)

const reactionText = (
  { count, mine, type, value }: Pick<MessageActions.Reaction, "count" | "mine" | "type" | "value">
) => `${type} ${value} ${count}${mine === undefined ? "" : " (you)"}`

export const messageActions = Command.make("message-actions").pipe(
  Command.withAlias("actions"),
  Command.withSubcommands([list, add, remove, live]),
  withKeyset,
  Command.withDescription("Reactions, receipts, and other data attached to messages")
)
