/**
 * `herald actions`: reactions, receipts, and whatever else is attached to messages.
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Json from "../../internal/json.ts"
import * as Text from "../../internal/text.ts"
import type { MessageAction } from "../../pubnub/MessageAction.ts"
import * as MessageActions from "../../pubnub/MessageActions.ts"
import * as Timetoken from "../../pubnub/Timetoken.ts"
import * as UndecodableItem from "../../UndecodableItem.ts"
import { BadInput } from "../exit/failure.ts"
import { Root } from "./keyset.ts"
import { undecodable, writeLine, writeValues } from "../output/lines.ts"
import { range } from "../input/range.ts"

const channel = Argument.String("channel").pipe(Argument.withDescription("The channel"))

const timetoken = (name: string, what: string) =>
  Argument.String(name).pipe(Argument.withSchema(Timetoken.Timetoken), Argument.withDescription(what))

const list = Command.make(
  "list",
  { channel, ...range },
  ({ limit, oldestFirst, ...options }) =>
    MessageActions.stream({
      ...options,
      order: oldestFirst ? "oldestFirst" : "newestFirst",
      pageSize: Math.min(limit, 100)
    }).pipe(
      Stream.take(limit),
      (actions) => writeValues(actions, { toText: actionLine, toJson: Json.text })
    )
).pipe(Command.withDescription("Print the actions of a channel, by when they were added"))

const actionLine = (action: MessageAction | UndecodableItem.UndecodableItem) => {
  if (UndecodableItem.isUndecodable(action)) {
    return undecodable(action)
  }
  const { actionTimetoken, messageTimetoken, type, userId, value } = action
  return Text.harmless(
    `${DateTime.formatIso(Timetoken.toDateTime(actionTimetoken))}  ${userId}: ${type} ${value}` +
      `  message ${messageTimetoken}  action ${actionTimetoken}`
  )
}

/** The timetoken, by which it can be removed. */
const writeAdded = Effect.fnUntraced(function*(action: MessageAction) {
  const { json } = yield* Root
  yield* writeLine(json === true ? JSON.stringify(action) : action.actionTimetoken)
})

const add = Command.make(
  "add",
  {
    channel,
    messageTimetoken: timetoken("message", "The message, by its timetoken"),
    type: Argument.String("type").pipe(Argument.withDescription("What kind of action: reaction, receipt")),
    value: Argument.String("value").pipe(Argument.withDescription("What it says"))
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
  Command.withDescription("Add an action to a message, and print its timetoken"),
  Command.withExamples([
    { command: "herald actions add chat 17900000000000000 reaction 👍", description: "A reaction" }
  ])
)

const remove = Command.make(
  "remove",
  {
    channel,
    messageTimetoken: Argument.String("message").pipe(Argument.withDescription("The message, by its timetoken")),
    actionTimetoken: timetoken("action", "The action, by its timetoken")
  },
  MessageActions.remove
).pipe(Command.withDescription("Remove an action of --user-id from a message"))

const fold = Command.make(
  "fold",
  {
    channel,
    messages: Argument.String("messages").pipe(
      Argument.variadic(),
      Argument.withDescription("Messages, by their timetokens: 100 at the most")
    ),
    last: Flag.Int("last").pipe(
      Flag.withDefault(undefined),
      Flag.withMetavar("n"),
      Flag.withDescription("The newest messages instead, so many: 100 at the most")
    )
  },
  Effect.fnUntraced(function*({ channel, last, messages }) {
    if ((last === undefined) === (messages.length === 0)) {
      return yield* new BadInput({ description: "Give messages, or --last, and not both" })
    }
    yield* writeValues(
      MessageActions.fold(last === undefined ? { channel, messages } : { channel, last }),
      { toText: foldedLines, toJson: foldedJson }
    )
  })
).pipe(
  Command.withDescription("Print what messages have got, now and whenever it changes, until Ctrl-C"),
  Command.withExamples([
    { command: "herald actions fold chat --last 20", description: "What a chat window shows" },
    { command: "herald actions fold chat 17900000000000000", description: "One message" }
  ])
)

type Folded = ReadonlyMap<string, MessageActions.Reactions>

/** A line for each message, and one that is empty. */
const foldedLines = (messages: Folded): string =>
  [...messages].map(([messageTimetoken, reactions]) =>
    Text.harmless([
      messageTimetoken,
      ...reactions.map(({ count, mine, type, value }) =>
        `${type} ${value} ${count}${mine === undefined ? "" : " (you)"}`
      )
    ].join("  "))
  ).concat("").join("\n")

const foldedJson = (messages: Folded): string =>
  JSON.stringify({
    messages: Array.from(messages, ([messageTimetoken, reactions]) => ({
      messageTimetoken,
      reactions: reactions.map(({ users, ...reaction }) => ({
        ...reaction,
        users: Array.from(users, ([userId, actionTimetoken]) => ({ userId, actionTimetoken }))
      }))
    }))
  })

export const actions = Command.make("actions").pipe(
  Command.withDescription("Reactions, receipts, and whatever else is attached to messages"),
  Command.withSubcommands([list, add, remove, fold])
)
