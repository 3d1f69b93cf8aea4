/** What the service usually writes is read without the interpreter of schemas, and gives the same. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as DatafeedEvent from "../../src/symphony/DatafeedEvent.ts"
import * as FeedEvent from "../../src/symphony/internal/feed/feedEvent.ts"
import * as FeedRequests from "../../src/symphony/internal/feed/feedRequests.ts"
import { PostedMessage } from "../../src/symphony/PostedMessage.ts"
import { changes, itReadsUsual } from "../kit/usual.ts"
import { mid, scripted, sid } from "./kit.ts"

const user = {
  userId: 7_215_545_057_281,
  displayName: "Ada",
  email: "ada@example.com",
  username: "ada",
  firstName: null
}

const stream = {
  streamId: sid,
  streamType: "ROOM",
  members: [{ userId: 1 }],
  external: false,
  recipientTenantIds: [14_901],
  roomName: null
}

const message = {
  messageId: mid,
  timestamp: 1_790_000_000_000,
  message: "<div>a</div>",
  data: "{}",
  sharedMessage: null,
  attachments: [{ id: "f", name: "a.png", size: 3, images: [{ id: "i", dimension: "600" }] }],
  user,
  stream,
  silent: true
}

itReadsUsual("a message", PostedMessage, [message, { messageId: mid }])

const event = { id: "1", timestamp: 1_790_000_000_000, messageId: mid, initiator: user, diagnostic: null }

itReadsUsual("an event", DatafeedEvent.Event, [
  { ...event, _tag: "MessageSent", message: { messageId: mid, user, stream } },
  {
    ...event,
    _tag: "RoomCreated",
    stream,
    roomProperties: { name: "a", keywords: [{ key: "k", value: "v" }], public: true }
  },
  { ...event, _tag: "ElementsAction", formId: "f", formMessageId: mid, formValues: { a: ["x"], action: "go" } }
])

itReadsUsual("the fields of all events", FeedEvent.Envelope, [
  { ...event, type: "MESSAGESENT", initiator: { user }, payload: { messageSent: { message: { messageId: mid } } } }
])

it("a message and nothing else is the same event as one with an unknown field beside it", () => {
  const sent = (content: Schema.Json): Schema.Json => ({ messageSent: content })
  const raw = { ...event, type: "MESSAGESENT", initiator: { user }, message: { messageId: "other" } }
  const read = (raw: Schema.Json) => {
    const event = FeedEvent.read(raw)
    return "raw" in event ? { ...event, raw: undefined } : event
  }
  const content = { message: { messageId: mid, user, stream, timestamp: 1 } }
  const replaced = FeedEvent.read({ ...raw, payload: sent({ ...content, id: "2" }) })
  assert.strictEqual(replaced._tag === "MessageSent" ? replaced.id : undefined, "2")
  for (const change of changes(content)) {
    const changed = change()
    if (typeof changed !== "object" || changed === null || Array.isArray(changed)) continue
    assert.deepStrictEqual(
      read({ ...raw, payload: sent(changed) }),
      read({ ...raw, payload: sent({ ...changed, unknown: 1 }) }),
      JSON.stringify(changed)
    )
  }
  for (const change of changes(raw)) {
    const changed = change()
    if (typeof changed !== "object" || changed === null || Array.isArray(changed)) continue
    assert.deepStrictEqual(
      read({ ...changed, payload: sent(content) }),
      read({ ...changed, payload: sent({ ...content, unknown: 1 }) }),
      JSON.stringify(changed)
    )
  }
})

it.effect("an event with a number that no other language reads is an event, and its page a page", () =>
  Effect.gen(function*() {
    const { events } = yield* FeedRequests.read("f", "")
    assert.deepStrictEqual(events.map((raw) => FeedEvent.read(raw)._tag), ["MessageSent", "MessageSent"])
  }).pipe(Effect.provide(scripted({
    body: `{"ackId":"a","events":[${
      ["1", "1e999"].map((odd) =>
        `{"type":"MESSAGESENT","payload":{"messageSent":{"message":{"messageId":"${mid}"},"odd":${odd}}}}`
      ).join()
    }]}`
  }))))
