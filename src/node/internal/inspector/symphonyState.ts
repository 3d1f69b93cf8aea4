/** What the page of the Symphony emulator shows. */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as SymphonyEmulator from "../../../testing/SymphonyEmulator.ts"
import type { Network } from "./inspector.ts"

/** The most rows of a table. */
const most = 200

/** The longest text that the page shows. */
const longest = 2_000

/** What the page gets. */
export type State = Effect.Success<ReturnType<ReturnType<typeof stateOf>>> & { readonly network: Network }

const messageRow = (
  { attachments, messageId, replacedBy, streamId, suppressed, text, timestamp, username }:
    SymphonyEmulator.StoredMessage
) => ({
  messageId,
  streamId,
  time: DateTime.toEpochMillis(timestamp),
  username,
  text: text.slice(0, longest),
  attachments: attachments.map(({ name }) => name),
  note: suppressed ? "suppressed" : replacedBy === undefined ? "" : "replaced"
})

/** What the page shows. `selected` is a stream; without it, the page shows all of them. */
export const stateOf = (emulator: SymphonyEmulator.SymphonyEmulator["Service"]) => (selected: string | undefined) =>
  Effect.gen(function*() {
    const streams = yield* emulator.streams
    const wanted = streams.filter(({ streamId }) => selected === undefined || streamId === selected)
    const messages = yield* Effect.forEach(
      wanted,
      ({ streamId }) => Effect.map(emulator.messages({ streamId }), (messages) => messages.slice(-most).map(messageRow))
    )
    return {
      selected: selected ?? "",
      streams: streams.slice(0, most).map(({ members, name, streamId, type }) => ({
        streamId,
        type,
        name: name ?? "",
        members
      })),
      messages: messages.flat().toSorted((a, b) => a.time - b.time).slice(-most),
      users: (yield* emulator.users).slice(0, most),
      feeds: (yield* emulator.feeds).slice(0, most).map((feed) => ({
        ...feed,
        lastReadAt: DateTime.toEpochMillis(feed.lastReadAt)
      })),
      logins: (yield* emulator.logins).slice(-most).map((login) => ({
        ...login,
        time: DateTime.toEpochMillis(login.time)
      })),
      blocked: yield* emulator.blocked,
      readers: yield* emulator.readers
    }
  })
