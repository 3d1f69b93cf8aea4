import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as VirtualTime from "effect-herald/testing/VirtualTime"
import {
  adaId,
  botId,
  emulated,
  emulator,
  get,
  type Headers,
  login,
  loginFor,
  post,
  remove,
  room,
  send,
  start,
  update
} from "./symphonyHttp.ts"

const feeds = "/agent/v5/datafeeds"

const create = (headers: Headers, body: object = {}) => post(feeds, headers, body)

const feedOf = (headers: Headers) => Effect.map(create(headers), ({ body }) => String(body.id))

const read = (headers: Headers, id: string, ackId = "") => post(`${feeds}/${id}/read`, headers, { ackId })

const forked = Effect.forkChild({ startImmediately: true })

const say = (streamId: string, message = "Hi", from = "ada") =>
  emulator.use(({ send }) => send({ streamId, username: from, message }))

const types = ({ body }: { readonly body: { readonly events: ReadonlyArray<{ readonly type: string }> } }) =>
  body.events.map(({ type }) => type)

/** The bot, a room with it and ada in it, and a feed that was made after that. */
const reader = Effect.gen(function*() {
  const headers = yield* login
  const streamId = yield* room("ada")
  return { headers, streamId, id: yield* feedOf(headers) }
})

describe("feeds of the emulator", () => {
  it.effect("creates, lists and deletes feeds, and lists a datahose feed beside them", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const made = yield* create(headers)
      assert.strictEqual(made.status, 201)
      assert.match(made.body.id, /^[^\s_]+_f(_[^\s_]+)?$/)
      assert.strictEqual(made.body.type, "fanout")
      const tagged = yield* create(headers, { tag: "orders", includeInvisible: false })
      assert.match(tagged.body.id, /^[^\s_]+_f_orders$/)
      const listed = yield* get(feeds, headers)
      assert.deepStrictEqual(
        listed.body.map(({ type }: { type: string }) => type),
        ["datahose", "fanout", "fanout"]
      )
      assert.match(listed.body[0].id, /_p_/)
      assert.deepStrictEqual(listed.body[1], { id: made.body.id, createdAt: start, type: "fanout" })
      assert.deepStrictEqual((yield* get(`${feeds}?tag=orders`, headers)).body, [tagged.body])
      const gone = yield* remove(`${feeds}/${made.body.id}`, headers)
      assert.deepStrictEqual([gone.status, gone.text], [204, ""])
      assert.strictEqual((yield* remove(`${feeds}/${made.body.id}`, headers)).status, 400)
      assert.strictEqual((yield* read(headers, made.body.id)).status, 400)
      assert.strictEqual((yield* get(feeds, headers)).body.length, 2)
      assert.strictEqual((yield* create(headers, { tag: "x".repeat(101) })).status, 400)
      assert.strictEqual((yield* post(feeds, headers)).status, 201)
    }).pipe(emulated()))

  it.effect("keeps the feeds of users apart", () =>
    Effect.gen(function*() {
      const id = yield* feedOf(yield* login)
      const ada = yield* loginFor("ada")
      assert.strictEqual((yield* get(feeds, ada)).body.length, 1)
      assert.strictEqual((yield* read(ada, id)).status, 400)
      assert.strictEqual((yield* remove(`${feeds}/${id}`, ada)).status, 400)
    }).pipe(emulated()))

  it.effect("refuses a 21st feed of a user", () =>
    Effect.gen(function*() {
      const headers = yield* login
      for (let i = 0; i < 20; i++) assert.strictEqual((yield* create(headers)).status, 201)
      const { body, status } = yield* create(headers)
      assert.deepStrictEqual([status, body.code], [403, 403])
      assert.strictEqual((yield* create(yield* loginFor("ada"))).status, 201)
    }).pipe(emulated()))

  it.effect("deletes a feed that nobody read for 30 minutes, and one that the test drops", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      yield* say(streamId)
      yield* TestClock.adjust("30 minutes")
      const { body, status } = yield* read(headers, id)
      assert.strictEqual(status, 200)
      assert.strictEqual(body.events.length, 1)
      yield* TestClock.adjust("1801 seconds")
      assert.deepStrictEqual(yield* emulator.use(({ feeds }) => feeds), [])
      assert.strictEqual((yield* read(headers, id, body.ackId)).status, 400)
      const second = yield* feedOf(headers)
      yield* emulator.use(({ dropFeed }) => dropFeed({ feedId: second }))
      assert.strictEqual((yield* read(headers, second)).status, 400)
    }).pipe(emulated()))
})

describe("reading a feed of the emulator", () => {
  it.effect("keeps a feed alive by each read, also while the read waits", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      for (let i = 0; i < 3; i++) {
        const fiber = yield* forked(read(headers, id))
        yield* VirtualTime.advance("30 seconds")
        assert.strictEqual((yield* Fiber.join(fiber)).status, 200)
      }
      yield* say(streamId)
      yield* TestClock.adjust("19 seconds")
      assert.strictEqual((yield* read(headers, id)).status, 200)
      yield* TestClock.adjust("19 seconds")
      assert.deepInclude((yield* emulator.use(({ feeds }) => feeds))[0], {
        lastReadAt: DateTime.makeUnsafe(start + 109_000)
      })
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(yield* emulator.use(({ feeds }) => feeds), [])
    }).pipe(emulated({ feedLifetime: "20 seconds" })))

  it.effect("returns the events and an ackId for the next read", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      const messageId = yield* say(streamId)
      const { body, status } = yield* read(headers, id)
      assert.strictEqual(status, 200)
      const [event] = body.events
      assert.deepInclude(event, { messageId, timestamp: start, type: "MESSAGESENT", diagnostic: null })
      assert.isString(event.id)
      assert.deepInclude(event.initiator.user, { userId: adaId, username: "ada" })
      assert.deepStrictEqual(Object.keys(event.payload), ["messageSent"])
      const { message } = event.payload.messageSent
      assert.deepInclude(message, { messageId, externalRecipients: false })
      assert.strictEqual(message.stream.streamId, streamId)
      const second = yield* say(streamId, "more")
      const next = yield* read(headers, id, body.ackId)
      assert.deepStrictEqual(next.body.events.map(({ messageId }: { messageId: string }) => messageId), [second])
      assert.notStrictEqual(next.body.ackId, body.ackId)
    }).pipe(emulated()))

  it.effect("answers a waiting read when an event comes", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      const fiber = yield* forked(read(headers, id))
      yield* VirtualTime.advance("10 seconds")
      assert.strictEqual(yield* emulator.use(({ readers }) => readers), 1)
      yield* say(streamId)
      const { body } = yield* Fiber.join(fiber)
      assert.strictEqual(body.events.length, 1)
      assert.strictEqual(yield* emulator.use(({ readers }) => readers), 0)
    }).pipe(emulated()))

  it.effect("answers a read with no events after 30 seconds", () =>
    Effect.gen(function*() {
      const { headers, id } = yield* reader
      const fiber = yield* forked(read(headers, id))
      yield* VirtualTime.advance("29 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* VirtualTime.advance("1 second")
      const { body, status } = yield* Fiber.join(fiber)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body.events, [])
      assert.isString(body.ackId)
    }).pipe(emulated()))

  it.effect("repeats events that were not acknowledged after 30 seconds", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      const messageId = yield* say(streamId)
      const first = yield* read(headers, id)
      const fiber = yield* forked(read(headers, id))
      yield* VirtualTime.advance("29 seconds")
      assert.isUndefined(fiber.pollUnsafe())
      yield* VirtualTime.advance("1 second")
      const again = yield* Fiber.join(fiber)
      assert.deepStrictEqual(again.body.events, first.body.events)
      assert.strictEqual(again.body.events[0].messageId, messageId)
      assert.deepInclude((yield* emulator.use(({ feeds }) => feeds))[0], { feedId: id, username: "bot", pending: 1 })
      const last = yield* forked(read(headers, id, again.body.ackId))
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual((yield* Fiber.join(last)).body.events, [])
      assert.strictEqual((yield* emulator.use(({ feeds }) => feeds))[0]?.pending, 0)
    }).pipe(emulated()))

  it.effect("accepts the same ackId again when an answer was lost, and repeats the events", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      yield* say(streamId, "one")
      const first = yield* read(headers, id)
      yield* say(streamId, "two")
      const lost = yield* read(headers, id, first.body.ackId)
      yield* TestClock.adjust("30 seconds")
      const again = yield* read(headers, id, first.body.ackId)
      assert.deepStrictEqual(again.body.events, lost.body.events)
    }).pipe(emulated()))

  it.effect("forgets a read that is interrupted, and keeps its events", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      const fiber = yield* forked(read(headers, id))
      yield* VirtualTime.advance("1 second")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* emulator.use(({ readers }) => readers), 0)
      yield* say(streamId)
      assert.strictEqual((yield* read(headers, id)).body.events.length, 1)
    }).pipe(emulated()))

  it.effect("refuses an ackId that the feed never gave, or one older than the last", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      yield* say(streamId)
      const { body } = yield* read(headers, id)
      const refused = yield* read(headers, id, "ack-of-nobody")
      assert.deepStrictEqual([refused.status, refused.body.code], [400, 400])
      assert.strictEqual((yield* read(headers, yield* feedOf(headers), body.ackId)).status, 400)
      yield* say(streamId)
      const second = yield* read(headers, id, body.ackId)
      yield* say(streamId)
      yield* read(headers, id, second.body.ackId)
      assert.strictEqual((yield* read(headers, id, body.ackId)).status, 400)
    }).pipe(emulated()))

  it.effect("returns at most 100 events", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      for (let i = 0; i < 150; i++) yield* say(streamId, String(i))
      const first = yield* read(headers, id)
      assert.strictEqual(first.body.events.length, 100)
      assert.strictEqual((yield* read(headers, id, first.body.ackId)).body.events.length, 50)
    }).pipe(emulated()))

  it.effect("answers 400 to a waiting read when its feed is deleted", () =>
    Effect.gen(function*() {
      const { headers, id } = yield* reader
      const fiber = yield* forked(read(headers, id))
      yield* VirtualTime.advance("1 second")
      yield* remove(`${feeds}/${id}`, headers)
      assert.strictEqual((yield* Fiber.join(fiber)).status, 400)
    }).pipe(emulated()))

  it.effect("resets a waiting read at restart, and keeps the feed", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      const fiber = yield* forked(read(headers, id))
      yield* VirtualTime.advance("1 second")
      yield* emulator.use(({ restart }) => restart)
      const exit = yield* Fiber.await(fiber)
      assert.isTrue(Exit.isFailure(exit))
      assert.include(String(exit), "ECONNRESET")
      yield* say(streamId)
      assert.strictEqual((yield* read(headers, id)).body.events.length, 1)
    }).pipe(emulated()))
})

describe("events of the emulator", () => {
  it.effect("sends a message to the members of its stream, and to its author", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      const ada = yield* loginFor("ada")
      const bob = yield* loginFor("bob")
      const [ofAda, ofBob] = [yield* feedOf(ada), yield* feedOf(bob)]
      yield* send(headers, streamId, "Hi")
      assert.deepStrictEqual(types(yield* read(headers, id)), ["MESSAGESENT"])
      assert.deepStrictEqual(types(yield* read(ada, ofAda)), ["MESSAGESENT"])
      const fiber = yield* forked(read(bob, ofBob))
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(types(yield* Fiber.join(fiber)), [])
    }).pipe(emulated()))

  it.effect("sends the event of each kind of change with its payload", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const id = yield* feedOf(headers)
      const { addMember, createStream, removeMember } = yield* emulator
      const streamId = yield* room("ada")
      yield* createStream({ type: "MIM", members: ["ada", "bot", "bob"] })
      yield* addMember({ streamId, username: "bob" })
      yield* addMember({ streamId, username: "bob" })
      yield* removeMember({ streamId, username: "bob" })
      const { body: sent } = yield* send(headers, streamId, "one")
      const { body: updated } = yield* update(headers, streamId, sent.messageId, "two")
      const suppress = post(`/pod/v1/admin/messagesuppression/${updated.messageId}/suppress`, headers)
      yield* Effect.andThen(suppress, suppress)
      const answer = yield* read(headers, id)
      assert.deepStrictEqual(types(answer), [
        "ROOMCREATED",
        "INSTANTMESSAGECREATED",
        "USERJOINEDROOM",
        "USERLEFTROOM",
        "MESSAGESENT",
        "MESSAGESENT",
        "MESSAGESUPPRESSED"
      ])
      const [created, started, joined, left, , replaced, suppressed] = answer.body.events
      assert.strictEqual(created.initiator.user.userId, botId)
      assert.strictEqual(created.messageId, null)
      assert.strictEqual(created.payload.roomCreated.stream.streamId, streamId)
      assert.deepInclude(created.payload.roomCreated.roomProperties, { name: "Orders", createdDate: start })
      const { stream } = started.payload.instantMessageCreated
      assert.strictEqual(stream.streamType, "MIM")
      assert.strictEqual(stream.members.length, 3)
      assert.strictEqual(joined.payload.userJoinedRoom.affectedUser.username, "bob")
      assert.strictEqual(left.payload.userLeftRoom.affectedUser.username, "bob")
      assert.strictEqual(replaced.payload.messageSent.message.replacing, sent.messageId)
      assert.strictEqual(suppressed.payload.messageSuppressed.messageId, updated.messageId)
    }).pipe(emulated()))

  it.effect("sends no event for an import", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      const { body } = yield* post("/agent/v4/message/import", headers, [{
        message: "<messageML>old</messageML>",
        intendedMessageTimestamp: start - 1,
        intendedMessageFromUserId: adaId,
        originatingSystemId: "legacy",
        streamId
      }])
      assert.isString(body[0].messageId)
      assert.strictEqual((yield* emulator.use(({ feeds }) => feeds))[0]?.pending, 0)
      assert.strictEqual((yield* read(headers, id).pipe(Effect.timeoutOption(0)))._tag, "None")
    }).pipe(emulated()))

  it.effect("sends an emitted event to the members of a stream, or to all feeds", () =>
    Effect.gen(function*() {
      const { headers, id, streamId } = yield* reader
      const { emit } = yield* emulator
      const formValues = { action: "submit", amount: "3" }
      const payload = { symphonyElementsAction: { formId: "order", formMessageId: "m", formValues } }
      const eventId = yield* emit({ kind: "SYMPHONYELEMENTSACTION", payload, initiator: "ada", streamId })
      yield* emit({ kind: "GENERICSYSTEMEVENT", payload: {}, messageId: "m1" })
      const { body } = yield* read(headers, id)
      assert.deepInclude(body.events[0], { id: eventId, type: "SYMPHONYELEMENTSACTION", payload })
      assert.strictEqual(body.events[0].initiator.user.username, "ada")
      assert.deepInclude(body.events[1], { type: "GENERICSYSTEMEVENT", initiator: null, messageId: "m1" })
    }).pipe(emulated()))
})
