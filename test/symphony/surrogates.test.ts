/** Half of a surrogate pair, which no address and no UTF-8 can carry, is refused wherever a text may be given. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Attachments, Messages, MessageSearch, MessageStatus, type SymphonyError } from "effect-herald/symphony"
import { detailsOf, exchanges, mid, operationOf, scripted, sid } from "./kit.ts"

const half = "a\ud800"
const ids = { streamId: sid, messageId: mid }
const importing = {
  streamId: sid,
  message: "old",
  intendedMessageTimestamp: 1,
  intendedMessageFromUserId: 1,
  originatingSystemId: "chat"
}

type Call = Effect.Effect<
  unknown,
  SymphonyError.SymphonyError | Messages.MessageOutcomeUnknown,
  Effect.Services<ReturnType<typeof Messages.get>>
>

/** Each place of a text, and the request that has half of a pair there. */
const requests: { readonly [place: string]: () => Call } = {
  "get messageId": () => Messages.get({ messageId: half }),
  "list streamId": () => Messages.list({ streamId: half }),
  "stream streamId": () => Stream.runDrain(Messages.stream({ streamId: half })),
  "status messageId": () => MessageStatus.status({ messageId: half }),
  "suppress messageId": () => MessageStatus.suppress({ messageId: half }),
  "receipts messageId": () => MessageStatus.receipts({ messageId: half }),
  "streamReceipts messageId": () => Stream.runDrain(MessageStatus.streamReceipts({ messageId: half })),
  "relationships messageId": () => MessageStatus.relationships({ messageId: half }),
  "listAttachments streamId": () => Attachments.listAttachments({ streamId: half }),
  "streamAttachments streamId": () => Stream.runDrain(Attachments.streamAttachments({ streamId: half })),
  "getAttachment streamId": () => Attachments.getAttachment({ ...ids, streamId: half, attachmentId: "f" }),
  "getAttachment messageId": () => Attachments.getAttachment({ ...ids, messageId: half, attachmentId: "f" }),
  "streamAttachment streamId": () =>
    Stream.runDrain(Attachments.streamAttachment({ ...ids, streamId: half, attachmentId: "f" })),
  "send streamId": () => Messages.send({ streamId: half, message: "a" }),
  "update streamId": () => Messages.update({ ...ids, streamId: half, message: "a" }),
  "update messageId": () => Messages.update({ ...ids, messageId: half, message: "a" }),
  "blast streamIds[0]": () => Messages.blast({ streamIds: [half], message: "a" }),
  "send attachments[0].name": () =>
    Messages.send({ streamId: sid, message: "a", attachments: [{ name: half, content: "" }] }),
  "importMessages messages[0].streamId": () =>
    Messages.importMessages({ messages: [{ ...importing, streamId: half }] }),
  "importMessages messages[0].originatingSystemId": () =>
    Messages.importMessages({ messages: [{ ...importing, originatingSystemId: half }] }),
  "importMessages messages[0].originalMessageId": () =>
    Messages.importMessages({ messages: [{ ...importing, originalMessageId: half }] }),
  "importMessages messages[0].attachments[0].name": () =>
    Messages.importMessages({ messages: [{ ...importing, attachments: [{ name: half, content: "" }] }] }),
  "search query.streamId": () => MessageSearch.search({ query: { streamId: half } }),
  "search query.text": () => MessageSearch.search({ query: { streamId: sid, text: half } }),
  "search query.hashtag": () => MessageSearch.search({ query: { hashtag: half } }),
  "search query.cashtag": () => MessageSearch.search({ query: { cashtag: half } }),
  "search query.signal": () => MessageSearch.search({ query: { signal: half } }),
  "search scope": () => MessageSearch.search({ query: { author: 1 }, scope: half }),
  "search tier": () => MessageSearch.search({ query: { author: 1 }, tier: half as never }),
  "search order": () => MessageSearch.search({ query: { author: 1 }, order: half as never }),
  "listAttachments order": () => Attachments.listAttachments({ streamId: sid, order: half as never })
}

describe("an unpaired surrogate", () => {
  it.effect.each(Object.entries(requests))(
    "is refused by %s before a request is made",
    ([name, request]) =>
      Effect.gen(function*() {
        const [operation = "", location = ""] = name.split(" ")
        const error = yield* Effect.flip(request())
        assert.propertyVal(error, "operation", operationOf(operation))
        const details = detailsOf(error)
        assert.isTrue(details.length === 1 && details[0]?.startsWith(`${location} `), details.join("\n"))
        assert.lengthOf(yield* exchanges, 0)
      }).pipe(Effect.provide(scripted()))
  )
})
