/** What is nested thousands of levels deep, and schemas that throw, take no message, no event and no reader with them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Datafeed, type DatafeedEvent, MessageML, Messages, MessageStatus } from "effect-herald/symphony"
import { VirtualTime } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import { decoded } from "../kit/decoded.ts"
import * as Json from "../../src/internal/json.ts"
import * as FeedEvent from "../../src/symphony/internal/feed/feedEvent.ts"
import * as Lenient from "../../src/symphony/internal/wire/lenient.ts"
import { hostile, lists, objects } from "../kit/nested.ts"
import { Big, Tree } from "../kit/throwing.ts"
import { emulator, room, say, withBot } from "./feedKit.ts"
import { detailsOf, exchanges, mid, scripted, sid, tagOf } from "./kit.ts"

const parse = (text: string): Schema.Json => JSON.parse(text)

/** A message that shares one that shares one, and so on. */
const shared = (levels: number): string =>
  `${`{"messageId":"${mid}","sharedMessage":`.repeat(levels)}{"messageId":"${mid}"}${"}".repeat(levels)}`

describe.each(hostile)("Symphony with %s", (_, deep) => {
  it.effect("reads all messages of a list when one of them holds it", () =>
    Effect.gen(function*() {
      const messages = yield* Messages.list({ streamId: sid, since: 0 })
      assert.deepStrictEqual(decoded(messages).map(({ messageId }) => messageId), [mid, mid, mid])
      assert.deepStrictEqual(messages.filter(UndecodableItem.isDecoded).map(({ silent }) => silent), [
        true,
        undefined,
        false
      ])
    }).pipe(Effect.provide(scripted({
      body:
        `[{"messageId":"${mid}","silent":true},{"messageId":"${mid}","silent":null,"message":${deep},"user":${deep},` +
        `"attachments":[${deep}],"sharedMessage":${deep},"unknown":${deep}},{"messageId":"${mid}","silent":false}]`
    }))))

  it.effect("reports it in place of an answer or an entry, with a bounded text", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(MessageStatus.status({ messageId: mid }))
      assert.strictEqual(tagOf(error), "Malformed")
      assert.isAtMost(error.message.length, 3_000)
      const [entry, ...others] = yield* Messages.list({ streamId: sid, since: 0 })
      assert(entry !== undefined && !UndecodableItem.isDecoded(entry))
      assert.isAtMost(entry.issue.length, 1_024)
      assert.strictEqual(Json.text(entry.raw), deep)
      assert.isEmpty(others)
    }).pipe(Effect.provide(scripted(...Array.from({ length: 4 }, () => ({ body: `[${deep}]` }))))))

  it.effect("reads the data of a message that holds it", () =>
    Effect.gen(function*() {
      const data = `{"0":{"type":"com.symphony.user.mention","id":[{"value":"7"},${deep}]},"deep":${deep}}`
      assert.deepStrictEqual((yield* MessageML.read({ message: "<div>a</div>", data })).mentions, [7])
    }))

  it("reads an event that holds it, and keeps it in an undecodable one", () => {
    const user = { user: { userId: 1 } }
    const read = (type: string, payload: string) =>
      FeedEvent.read({ id: "1", type, initiator: user, payload: parse(payload) })
    const action = read(
      "SYMPHONYELEMENTSACTION",
      `{"symphonyElementsAction":{"formId":"f","formValues":{"a":${deep}}}}`
    )
    assert.strictEqual(Json.text(action._tag === "ElementsAction" && action.formValues), `{"a":${deep}}`)
    const system = read("GENERICSYSTEMEVENT", `{"genericSystemEvent":{"parameters":{"a":${deep}}}}`)
    assert.strictEqual(Json.text(system._tag === "GenericSystemEvent" && system.parameters), `{"a":${deep}}`)
    const unknown = read("NEWEVENT", `{"a":${deep}}`)
    assert.include(Json.text(unknown._tag === "UnknownEvent" && unknown.raw), deep)
    const message = read("MESSAGESENT", `{"messageSent":{"message":${deep}}}`)
    assert.include(Json.text(message._tag === "UndecodableEvent" && message.raw), deep)
    const rubbish = FeedEvent.read(parse(deep))
    assert.strictEqual(Json.text(rubbish._tag === "UndecodableEvent" && rubbish.raw), deep)
  })

  it.effect("refuses it as data of a message, before a request is made", () =>
    Effect.gen(function*() {
      const data = { deep: parse(deep) }
      const [sent = ""] = detailsOf(yield* Effect.flip(Messages.send({ streamId: sid, message: "a", data })))
      assert.match(sent, /^data cannot be carried by JSON: .*is more than 1000 levels deep$/)
      const [imported = ""] = detailsOf(
        yield* Effect.flip(Messages.importMessages({
          messages: [{
            streamId: sid,
            message: "a",
            data,
            intendedMessageTimestamp: 1,
            intendedMessageFromUserId: 1,
            originatingSystemId: "chat"
          }]
        }))
      )
      assert.match(imported, /^messages\[0\]\.data cannot be carried by JSON: .*is more than 1000 levels deep$/)
      assert.deepStrictEqual(yield* exchanges, [])
    }).pipe(Effect.provide(scripted())))

  it.effect("reads the message that was posted when the answer holds it", () =>
    Effect.gen(function*() {
      const ids = { streamId: sid, messageId: mid, message: "a" }
      assert.strictEqual((yield* Messages.send(ids)).messageId, mid)
      assert.strictEqual((yield* Messages.update(ids)).messageId, mid)
      const { errors, messages } = yield* Messages.blast({ streamIds: [sid], message: "a" })
      assert.deepStrictEqual([messages.length, errors.size], [1, 0])
    }).pipe(Effect.provide(scripted(
      ...["", "", "[]"].map((list) => {
        const message =
          `{"messageId":"${mid}","data":${deep},"user":${deep},"sharedMessage":${deep},"attachments":[${deep}]}`
        return { body: list === "" ? message : `{"messages":[${message}],"errors":null}` }
      })
    ))))
})

describe("shared messages", () => {
  const levels = (body: string) =>
    Effect.gen(function*() {
      const message = yield* Messages.get({ messageId: mid })
      let levels = 0
      for (let inner = message.sharedMessage; inner !== undefined; inner = inner.sharedMessage) levels++
      return levels
    }).pipe(Effect.provide(scripted({ body })))

  it.effect("are decoded up to 16 levels, and omitted when they are deeper", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* levels(shared(1)), 1)
      assert.strictEqual(yield* levels(shared(16)), 16)
      for (const deep of [17, 5_000]) assert.strictEqual(yield* levels(shared(deep)), 0)
    }))
})

it.effect("Datafeed emits an event with deeper shared messages as UndecodableEvent, and goes on", () =>
  Effect.gen(function*() {
    const streamId = yield* room
    const events: Array<DatafeedEvent.DatafeedEvent> = []
    const fiber = yield* Datafeed.stream().pipe(
      Stream.runForEach((event) => Effect.sync(() => events.push(event))),
      Effect.forkChild({ startImmediately: true })
    )
    yield* VirtualTime.advance("1 second")
    for (const levels of [16, 17, 3_000]) {
      const message = parse(shared(levels))
      yield* emulator.use(({ emit }) => emit({ kind: "MESSAGESENT", payload: { messageSent: { message } }, streamId }))
      yield* emulator.use(({ emit }) =>
        emit({
          kind: "SHAREDPOST",
          payload: { sharedPost: { message: { messageId: mid }, sharedMessage: message } },
          streamId
        })
      )
    }
    yield* say(streamId, "hello")
    yield* VirtualTime.advance("1 second")
    const bad = "UndecodableEvent"
    assert.deepStrictEqual(
      events.map(({ _tag }) => _tag),
      ["FeedConnected", "MessageSent", bad, bad, bad, bad, "MessageSent"].toSpliced(2, 0, "SharedPost")
    )
    const last = events.findLast((event) => event._tag === "UndecodableEvent")
    assert.include(Json.text(last?.raw), shared(3_000))
    assert.isUndefined(fiber.pollUnsafe())
  }).pipe(Effect.provide(withBot())))

it.effect("Datafeed delivers deep events, and goes on", () =>
  Effect.gen(function*() {
    const streamId = yield* room
    const events: Array<DatafeedEvent.DatafeedEvent> = []
    const fiber = yield* Datafeed.stream().pipe(
      Stream.runForEach((event) => Effect.sync(() => events.push(event))),
      Effect.forkChild({ startImmediately: true })
    )
    yield* VirtualTime.advance("1 second")
    const deep = parse(lists(16_000))
    const emit = (type: string, payload: { readonly [name: string]: unknown }) =>
      emulator.use((emulator) => emulator.emit({ kind: type, payload, initiator: "ada", streamId }))
    yield* emit("SYMPHONYELEMENTSACTION", { symphonyElementsAction: { formId: "f", formValues: { deep } } })
    yield* emit("NEWEVENT", { deep })
    yield* emit("MESSAGESENT", { messageSent: { message: { messageId: deep } } })
    yield* say(streamId, "hello")
    yield* VirtualTime.advance("1 second")
    assert.deepStrictEqual(
      events.map(({ _tag }) => _tag),
      ["FeedConnected", "ElementsAction", "UnknownEvent", "UndecodableEvent", "MessageSent"]
    )
    assert.isUndefined(fiber.pollUnsafe())
  }).pipe(Effect.provide(withBot())))

describe("entity data", () => {
  const Numbered = MessageML.entity({ type: "n", version: "1.0", schema: Schema.Struct({ n: Big }) })
  const Nested = MessageML.entity({ type: "t", version: "1.0", schema: Schema.Struct({ tree: Tree }) })
  const Raw = MessageML.entity({ type: "r", version: "1.0", schema: Schema.Struct({ raw: Schema.Json }) })

  it.effect("fails with EntityMismatch when its schema throws, in read and in make", () =>
    Effect.gen(function*() {
      const data = (fields: string) => ({ data: `{"e":{"version":"1.0",${fields}}}` })
      assert.deepStrictEqual(yield* Numbered.read(data(`"type":"n","n":"7"`)), [{ n: 7n }])
      const read = yield* Effect.flip(Numbered.read(data(`"type":"n","n":"x"`)))
      assert.match(read._tag === "EntityMismatch" ? read.issue : "", /^its schema threw SyntaxError: Cannot convert x/)
      const deep = yield* Effect.flip(Nested.read(data(`"type":"t","tree":${lists(16_000)}`)))
      assert.match(deep._tag === "EntityMismatch" ? deep.issue : "", /^its schema threw RangeError/)
      const written = yield* Effect.flip(Numbered.make("e", { n: 1n }))
      assert.strictEqual(written.issue, "its schema threw Error: cannot be written")
    }))

  it.effect("is compared when deep, and sent up to 1,000 levels", () =>
    Effect.gen(function*() {
      const made = (text: string) => Raw.make("e", { raw: parse(text) })
      const one = yield* made(objects(16_000))
      assert.deepStrictEqual(MessageML.group(one, yield* made(objects(16_000))).issues, [])
      assert.deepStrictEqual(MessageML.group(one, yield* made(objects(16_000).replace("1", "2"))).issues, [
        "has different entities with the id e"
      ])
      yield* Messages.send({ streamId: sid, message: yield* made(objects(900)) })
      assert.include((yield* exchanges)[0]?.body, objects(900))
    }).pipe(Effect.provide(scripted({ body: `{"messageId":"${mid}"}` }))))

  it.effect("is refused before a request when JSON cannot carry it", () =>
    Effect.gen(function*() {
      const refused = (value: unknown) =>
        Effect.map(Effect.flip(Messages.send({ streamId: sid, message: "a", data: { value } })), detailsOf)
      const boom = () => {
        throw new Error("boom")
      }
      const at = "data cannot be carried by JSON: $.value"
      assert.deepStrictEqual(yield* refused({ toJSON: boom }), [`${at} cannot be read: Error: boom`])
      assert.deepStrictEqual(yield* refused("\ud800"), [`${at} has an unpaired surrogate`])
      const [levels = ""] = yield* refused(parse(lists(100_000)))
      assert.match(levels, /is more than 1000 levels deep$/)
      assert.deepStrictEqual(yield* exchanges, [])
    }).pipe(Effect.provide(scripted())))
})

it.effect("Datafeed ignores a feed whose id no URL can carry, and fails to create one", () =>
  Effect.gen(function*() {
    const [status] = yield* Stream.runCollect(Stream.take(Datafeed.stream({ include: ["own"] }), 1))
    assert.strictEqual(status?._tag === "FeedInterrupted" && status.reason._tag, "Malformed")
    assert.deepStrictEqual((yield* exchanges).map(({ method }) => method), ["GET", "POST"])
  }).pipe(Effect.provide(scripted({ body: "[{\"id\":\"a\\ud800_f\"}]" }, { body: "{\"id\":\"a\\ud800_f\"}" }))))

it.effect("SymphonyError limits the length of the service's text", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Messages.get({ messageId: mid }))
    assert.isAtMost(error.message.length, 2_000)
  }).pipe(Effect.provide(scripted({ status: 400, body: `{"code":400,"message":"${"x".repeat(1_000_000)}"}` }))))

it("Lenient.json fails with a bounded sentence for an answer of any shape", () => {
  const decode = Lenient.json(Schema.Struct({ a: Schema.String }))
  for (const text of [lists(100_000), `{"a":${lists(100_000)}}`, `{"${"k".repeat(100_000)}":1}`]) {
    const issue = Result.match(decode(text), { onFailure: (issue) => issue, onSuccess: () => "nothing is wrong" })
    assert.match(issue, /^(Expected|Missing)/)
    assert.isAtMost(issue.length, 1_024)
  }
})
