/** What one of the two clients encrypts, the other one reads: live and from history, in each format. */
import { assert, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Encryption, History, Publish, PushPayload, Subscribe } from "effect-herald/pubnub"
import PubNub from "pubnub"
import { both, client, next, subscribed, theirs } from "./officialClient.ts"

const cipherKey = "myCipherKey"
const key = Redacted.make(cipherKey)

const decodePushed = Schema.decodeUnknownSync(Schema.Struct({ pn_fcm: Schema.Json, pn_other: Schema.String }))

const formats: ReadonlyArray<
  readonly [string, Encryption.Options, ConstructorParameters<typeof PubNub>[0]["cryptoModule"]]
> = [
  ["the headed format", { key }, PubNub.CryptoModule.aesCbcCryptoModule({ cipherKey })],
  [
    "the legacy format with a random vector",
    { key, writeLegacy: true },
    PubNub.CryptoModule.legacyCryptoModule({ cipherKey, useRandomIVs: true })
  ],
  [
    "the legacy format with one vector",
    { key, legacy: "static", writeLegacy: true },
    PubNub.CryptoModule.legacyCryptoModule({ cipherKey, useRandomIVs: false })
  ]
]

it.live.each(formats)(
  "both clients read each other's messages in %s, live and from history",
  ([, options, cryptoModule]) =>
    Effect.gen(function*() {
      const messages = [{ by: "☃", n: 1.5 }, "text", 7, [true]]
      const ada = yield* client("theirs", cryptoModule === undefined ? {} : { cryptoModule })
      const heard = yield* subscribed(ada, { channels: ["a"] })
      const connected = yield* Deferred.make<void>()
      const hearing = yield* Subscribe.messages({
        channels: ["a"],
        onStatus: ({ _tag }) => _tag === "Connected" ? Deferred.succeed(connected, undefined) : Effect.void
      }).pipe(
        Stream.take(2 * messages.length),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* Deferred.await(connected)
      for (const message of messages) {
        yield* Publish.publish({ channel: "a", message })
        assert.deepStrictEqual((yield* next(heard, ({ kind }) => kind === "message"))["message"], message)
      }
      for (const message of messages) yield* theirs(() => ada.publish({ channel: "a", message }))
      const all = [...messages, ...messages]
      const live = yield* Fiber.join(hearing)
      assert.deepStrictEqual(live.map(({ encrypted, payload }) => [payload, encrypted]), all.map((one) => [one, true]))
      const { items } = yield* History.list({ channel: "a" })
      assert.deepStrictEqual(items.map((item) => item._tag === "StoredMessage" && item.payload), all)
      const { channels } = yield* theirs(() => ada.fetchMessages({ channels: ["a"] }))
      assert.deepStrictEqual<unknown>(channels["a"]?.map(({ message }) => message), all)
    }).pipe(Effect.scoped, Effect.provide(Layer.merge(Encryption.layer(options), both)))
)

it.live("the official client gets a message beside a push as it is, and can decrypt its pn_other", () =>
  Effect.gen(function*() {
    const ada = yield* client("theirs", { cryptoModule: PubNub.CryptoModule.aesCbcCryptoModule({ cipherKey }) })
    const heard = yield* subscribed(ada, { channels: ["a"] })
    const push = yield* PushPayload.make({ title: "Ada wrote", fcm: {} })
    yield* Publish.publish({ channel: "a", message: { n: 1 }, push })
    const { message } = yield* next(heard, ({ kind }) => kind === "message")
    const { pn_fcm, pn_other } = decodePushed(message)
    assert.deepStrictEqual(pn_fcm, { notification: { title: "Ada wrote" } })
    assert.deepStrictEqual(ada.decrypt(JSON.parse(pn_other)), { n: 1 })
  }).pipe(Effect.scoped, Effect.provide(Layer.merge(Encryption.layer({ key }), both))))
