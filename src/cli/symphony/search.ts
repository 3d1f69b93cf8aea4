/**
 * `herald symphony search`
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as MessageSearch from "../../symphony/MessageSearch.ts"
import { BadInput } from "../exit/failure.ts"
import { session } from "./flags.ts"
import { writeMessages } from "./messages.ts"
import { limit, range } from "./range.ts"

const text = (name: string, what: string) =>
  Flag.String(name).pipe(Flag.withDefault(undefined), Flag.withDescription(what))

const user = (name: string, what: string) =>
  Flag.Int(name).pipe(Flag.withDefault(undefined), Flag.withMetavar("user id"), Flag.withDescription(what))

export const search = Command.make(
  "search",
  {
    text: text("text", "Words of the message; needs --stream"),
    streamId: text("stream", "In this stream"),
    streamType: Flag.Literals("stream-type", ["CHAT", "IM", "MIM", "ROOM", "POST"]).pipe(
      Flag.withDefault(undefined),
      Flag.withDescription("In streams of this kind; CHAT is IM and MIM")
    ),
    author: user("author", "From this user"),
    mention: user("mention", "That mention this user"),
    hashtag: text("hashtag", "With this tag, without #"),
    cashtag: text("cashtag", "With this tag, without $"),
    ...range,
    oldestFirst: Flag.Boolean("oldest-first").pipe(
      Flag.withDefault(false),
      Flag.withDescription("From the old end on (default: from the new end back)")
    ),
    limit
  },
  Effect.fnUntraced(function*({ limit, oldestFirst, since, until, ...query }) {
    if (query.text !== undefined && query.streamId === undefined) {
      return yield* new BadInput({ description: "--text searches within one stream: name it with --stream" })
    }
    yield* writeMessages(MessageSearch.searchAll({
      query: { ...query, fromDate: since, toDate: until },
      sortDir: oldestFirst ? "asc" : "desc",
      chunkSize: Math.min(limit, 1000),
      maxNumber: limit
    }))
  })
).pipe(
  Command.provide(session),
  Command.withDescription("Print messages that are all of what is asked for, from the streams of the bot"),
  Command.withExamples([
    { command: "herald symphony search --hashtag outage --since 2026-09-21", description: "By a tag" },
    { command: "herald symphony search --text invoice --stream $ROOM", description: "By a word" }
  ])
)
