/** Half of a surrogate pair, which no address and no UTF-8 can carry, is refused wherever a text may be given. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { Messages, type SymphonyError } from "effect-herald/symphony"
import { detailsOf, exchanges, mid, scripted, sid } from "./kit.ts"

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
  "listAll streamId": () => Stream.runDrain(Messages.listAll({ streamId: half })),
  "status messageId": () => Messages.status({ messageId: half }),
  "suppress messageId": () => Messages.suppress({ messageId: half }),
  "receipts messageId": () => Messages.receipts({ messageId: half }),
  "allReceipts messageId": () => Stream.runDrain(Messages.allReceipts({ messageId: half })),
  "relationships messageId": () => Messages.relationships({ messageId: half }),
  "listAttachments streamId": () => Messages.listAttachments({ streamId: half }),
  "listAllAttachments streamId": () => Stream.runDrain(Messages.listAllAttachments({ streamId: half })),
  "getAttachment streamId": () => Messages.getAttachment({ ...ids, streamId: half, fileId: "f" }),
  "getAttachment messageId": () => Messages.getAttachment({ ...ids, messageId: half, fileId: "f" }),
  "attachmentBytes streamId": () => Stream.runDrain(Messages.attachmentBytes({ ...ids, streamId: half, fileId: "f" })),
  "send streamId": () => Messages.send({ streamId: half, message: "a" }),
  "update streamId": () => Messages.update({ ...ids, streamId: half, message: "a" }),
  "update messageId": () => Messages.update({ ...ids, messageId: half, message: "a" }),
  "blast streamIds[0]": () => Messages.blast({ streamIds: [half], message: "a" }),
  "send attachments[0].name": () =>
    Messages.send({ streamId: sid, message: "a", attachments: [{ name: half, content: "" }] }),
  "import messages[0].streamId": () => Messages.import({ messages: [{ ...importing, streamId: half }] }),
  "import messages[0].originatingSystemId": () =>
    Messages.import({ messages: [{ ...importing, originatingSystemId: half }] }),
  "import messages[0].originalMessageId": () =>
    Messages.import({ messages: [{ ...importing, originalMessageId: half }] }),
  "import messages[0].attachments[0].name": () =>
    Messages.import({ messages: [{ ...importing, attachments: [{ name: half, content: "" }] }] }),
  "search query.streamId": () => Messages.search({ query: { streamId: half } }),
  "search query.text": () => Messages.search({ query: { streamId: sid, text: half } }),
  "search query.hashtag": () => Messages.search({ query: { hashtag: half } }),
  "search query.cashtag": () => Messages.search({ query: { cashtag: half } }),
  "search query.signal": () => Messages.search({ query: { signal: half } }),
  "search scope": () => Messages.search({ query: { author: 1 }, scope: half }),
  "search tier": () => Messages.search({ query: { author: 1 }, tier: half as never }),
  "search sortDir": () => Messages.search({ query: { author: 1 }, sortDir: half as never }),
  "listAttachments sortDir": () => Messages.listAttachments({ streamId: sid, sortDir: half as never })
}

describe("half of a surrogate pair", () => {
  it.effect.each(Object.entries(requests))(
    "%s refuses it before a request is made",
    ([name, request]) =>
      Effect.gen(function*() {
        const [operation = "", location = ""] = name.split(" ")
        const error = yield* Effect.flip(request())
        assert.propertyVal(error, "operation", operation)
        const details = detailsOf(error)
        assert.isTrue(details.length === 1 && details[0]?.startsWith(`${location} `), details.join("\n"))
        assert.lengthOf(yield* exchanges, 0)
      }).pipe(Effect.provide(scripted()))
  )
})
