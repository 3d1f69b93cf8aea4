/**
 * `herald symphony search`
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as MessageSearch from "../../symphony/MessageSearch.ts"
import { BadInput } from "../exit/failure.ts"
import * as Inputs from "../input/flags.ts"
import * as Range from "../input/range.ts"
import * as Progress from "../output/progress.ts"
import { session } from "./flags.ts"
import { writeMessages } from "./messages.ts"

const user = (name: string, description: string) =>
  Flag.Int(name).pipe(
    Flag.withDefault(undefined),
    Flag.withMetavar("user-id"),
    Flag.withDescription(description)
  )

export const search = Command.make(
  "search",
  {
    text: Inputs.text("text", "Words in the message; needs --stream-id"),
    streamId: Inputs.text("stream-id", "Messages in this stream", "id"),
    streamType: Flag.Literals("stream-type", ["CHAT", "IM", "MIM", "ROOM", "POST"]).pipe(
      Flag.withDefault(undefined),
      Flag.withDescription("Messages in streams of this type; CHAT means IM and MIM")
    ),
    author: user("author", "Messages of this user"),
    mention: user("mention", "Messages that mention this user"),
    hashtag: Inputs.text("hashtag", "Messages with this hashtag; leave out the #", "tag"),
    cashtag: Inputs.text("cashtag", "Messages with this cashtag; leave out the $", "tag"),
    ...Range.ofStream,
    order: Range.order
  },
  Effect.fnUntraced(function*({ limit, order, since, until, ...query }) {
    if (query.text !== undefined && query.streamId === undefined) {
      return yield* new BadInput({ description: "--text searches in one stream: add --stream-id" })
    }
    const found = MessageSearch.streamSearch({
      query: { ...query, fromDate: since, toDate: until },
      order,
      pageSize: Math.min(limit, 1000)
    })
    yield* writeMessages(Progress.counting(Stream.take(found, limit)))
  })
).pipe(
  Command.provide(session),
  Command.withDescription("Print the messages that match every condition, from the bot's streams"),
  Command.withExamples([
    { command: "herald symphony search --hashtag outage --since 2026-09-21", description: "By a tag" },
    { command: "herald symphony search --text invoice --stream-id $ROOM", description: "By a word" }
  ])
)
