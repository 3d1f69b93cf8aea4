/** What was published is the same value live, read again from history by a reader, and in `History`. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { History, PubNubConfig, Subscribe, type SubscribeEvent, Timetoken } from "effect-herald/pubnub"
import { PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as Storage from "../../src/pubnub/internal/wire/storage.ts"
import { emulated, requestsTo } from "../kit/emulated.ts"
import { casesOf } from "../simulation/seeds.ts"

const emulator = PubNubEmulator.PubNubEmulator

const collect = <A, E, R>(stream: Stream.Stream<A, E, R>) =>
  Effect.gen(function*() {
    const seen: Array<A> = []
    yield* Effect.forkChild(Stream.runForEach(stream, (event) => Effect.sync(() => seen.push(event))))
    yield* VirtualTime.advance("1 second")
    return seen
  })

const isEvent = (event: SubscribeEvent.SubscribeEvent): event is SubscribeEvent.Received =>
  "channel" in event && "timetoken" in event

/** Neither the region nor the place of a reader is stored. */
const said = (event: SubscribeEvent.Received): object => ({ ...event, cursor: undefined, region: undefined })

// --- any envelope

const oddText = ["", " ", "x", "ünï☃", "__proto__"] as const
const Odd = Schema.NullOr(Schema.Literals([...oddText, 0, -1, 1e21, true, false]))
const Value = Schema.Union([
  Odd,
  Schema.Array(Odd),
  Schema.Record(Schema.Literals(["a", "__proto__"]), Odd),
  Schema.Json
])
const FilePayload = Schema.Struct({
  file: Schema.Union([
    Schema.Struct({ id: Schema.Literals(oddText), name: Schema.Literals(oddText), url: Schema.optionalKey(Value) }),
    Value
  ]),
  message: Schema.optionalKey(Value)
})
const Draft = Schema.Struct({
  kind: Schema.Literals([0, 1, 2, 3, 4, 5]),
  payload: Schema.Union([FilePayload, Value]),
  publisher: Schema.optionalKey(Schema.Literals(oddText)),
  meta: Schema.optionalKey(Value),
  customMessageType: Schema.optionalKey(Schema.Literals(oddText))
})

/** The fields that a live event and its stored entry both have. */
const shared: { readonly [tag: string]: ReadonlyArray<string> } = {
  Message: ["payload", "meta", "customMessageType"],
  Signal: ["payload", "customMessageType"],
  FileShared: ["file", "payload", "meta", "customMessageType"],
  Unknown: ["payload", "meta", "customMessageType"]
}

const part = (value: object, fields: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => fields.includes(name)))

describe("what is stored", () => {
  it.effect.prop(
    "is the same event live and from history, and the same entry in History",
    [Arbitrary.array(Arbitrary.schema(Draft), { minLength: 1, maxLength: 20 })],
    ([drafts]) =>
      Effect.gen(function*() {
        const service = yield* emulator
        const { timetoken: began } = yield* service.publish({ channel: "a", message: "first" })
        const live = yield* collect(Subscribe.stream({ channels: ["a"] }))
        yield* Effect.forEach(drafts, (draft) => service.emit({ channel: "a", store: true, ...draft }))
        yield* VirtualTime.advance("10 minutes")
        const again = yield* collect(
          Subscribe.stream({ channels: ["a"], from: Timetoken.Timetoken.make(began) })
        )
        yield* VirtualTime.advance("10 seconds")
        assert.isNotEmpty(yield* requestsTo("/v3/history"))
        const events = live.filter(isEvent)
        assert.lengthOf(events, drafts.length)
        assert.deepStrictEqual(again.filter(isEvent).map(said), events.map(said))

        const [, ...entries] = (yield* History.list({ channel: "a" })).items
        assert.lengthOf(entries, drafts.length)
        for (const [index, event] of events.entries()) {
          const entry = entries[index] ?? assert.fail("no entry")
          const always = ["channel", "timetoken", "publisher"]
          assert.deepStrictEqual(part(entry, always), part(event, always))
          const isUndecodable = event._tag === "Undecodable" && drafts[index]?.kind === 4
          const fields = isUndecodable ? ["raw", "issue"] : shared[event._tag] ?? []
          assert.deepStrictEqual(part(entry, fields), part(event, fields))
          assert.strictEqual(
            entry._tag,
            isUndecodable ? "StoredUndecodable" : event._tag === "FileShared" ? "StoredFile" : "StoredMessage"
          )
        }
      }).pipe(Effect.provide(emulated({ emulator: { limits: { queueRetention: "2 minutes" } } }))),
    { arbitrary: { runs: casesOf(10, 200) } }
  )

  it.effect("a shared file has its metadata, live and stored", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      const seen = yield* collect(Subscribe.files({ channels: ["a"] }))
      const meta = { heraldId: "1", tags: [null] }
      const payload = { file: { id: "id", name: "cat.png" }, message: null }
      yield* service.emit({
        channel: "a",
        kind: "File",
        payload,
        meta,
        customMessageType: "note",
        publisher: "bob",
        store: true
      })
      yield* VirtualTime.advance("1 second")
      const common = {
        channel: "a",
        publisher: "bob",
        file: payload.file,
        payload: null,
        meta,
        customMessageType: "note"
      }
      assert.deepInclude({ ...seen[0] }, common as object)
      const { items: entries } = yield* History.list({ channel: "a" })
      assert.deepInclude({ ...entries[0] }, { _tag: "StoredFile", ...common } as object)
    }).pipe(Effect.provide(emulated())))
})

// --- entries as no emulator writes them

const kinds: ReadonlyArray<readonly [string, object, number]> = [
  ["none", {}, 0],
  ["null", { message_type: null }, 0],
  ["0", { message_type: 0 }, 0],
  ["4", { message_type: 4 }, 4],
  ["99", { message_type: 99 }, 99],
  ["empty text", { message_type: "" }, 0],
  ["\"1\", as recorded of a published message", { message_type: "1" }, 0],
  ["\"4\"", { message_type: "4" }, 4],
  ["a word", { message_type: "text" }, 0],
  ["\"0x4\"", { message_type: "0x4" }, 0],
  ["\"4.5\"", { message_type: "4.5" }, 0]
]
it.each(kinds)("reads the kind of a stored entry: %s", (_, fields, kind) => {
  const read = Storage.read({ message: 1, timetoken: "17900000000000001", ...fields })
  assert.strictEqual(Result.isSuccess(read) ? read.success.kind : read.failure, kind)
})

it.effect("History.list gives a StoredMessage for an entry whose message_type is a word or the text 1", () =>
  Effect.gen(function*() {
    const { items: entries } = yield* History.list({ channel: "a" })
    assert.deepStrictEqual(
      entries.map((entry) => entry._tag === "StoredMessage" && entry.payload),
      ["hey-word", "hey-one"]
    )
  }).pipe(Effect.provide(Layer.merge(
    Transport.layerScripted([{
      body: JSON.stringify({
        status: 200,
        channels: {
          a: [
            { message: "hey-word", timetoken: "17900000000000001", message_type: "text" },
            { message: "hey-one", timetoken: "17900000000000002", message_type: "1" }
          ]
        }
      })
    }]),
    PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host" })
  ))))
