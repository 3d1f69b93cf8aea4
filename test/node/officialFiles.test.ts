/** The official client sends, lists, downloads and removes files in the emulator, and reads ours, as with the service. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as NodeTransport from "effect-herald/node/NodeTransport"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import { Encryption, Files, History, PubNubConfig } from "effect-herald/pubnub"
import PubNub from "pubnub"
import { client, next, subscribed, theirs } from "./officialClient.ts"

const served = Effect.provide(PubNubEmulatorServer.layer())
const text = "Knights who say Ni! ☃"

const ours = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  PubNubEmulatorServer.PubNubEmulatorServer.use(({ origin }) =>
    Effect.provideService(
      effect,
      PubNubConfig.PubNubConfig,
      PubNubConfig.make({ subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ada", origin, tls: false })
    )
  )

it.live("the official client sends a file that we read, and reads, lists and removes ours", () =>
  Effect.gen(function*() {
    const bob = yield* client("bob")
    const channel = "pictures #1"
    const heard = yield* subscribed(yield* client("eve"), { channels: [channel] })
    const sent = yield* theirs(() =>
      bob.sendFile({
        channel,
        message: { look: 1 },
        file: { data: Buffer.from(text), name: "theirs ü.txt", mimeType: "text/plain" }
      })
    )
    assert.strictEqual(yield* ours(Files.downloadText({ channel, id: sent.id, name: sent.name })), text)

    const bytes = new TextEncoder().encode(text)
    const mine = yield* ours(
      Files.send({ channel, name: "ours.txt", content: Stream.make(bytes), size: bytes.length, message: "hi" })
    )
    for (const [name, message, publisher] of [["theirs ü.txt", { look: 1 }, "bob"], ["ours.txt", "hi", "ada"]]) {
      const event = yield* next(heard, ({ kind }) => kind === "file")
      assert.deepInclude(event, { channel, message, publisher } as object)
      assert.nestedPropertyVal(event, "file.name", name)
    }
    const listed = yield* theirs(() => bob.listFiles({ channel }))
    assert.deepStrictEqual(listed.data.map(({ name }) => name).toSorted(), ["ours.txt", "theirs ü.txt"])
    const downloaded = yield* theirs(() => bob.downloadFile({ channel, id: mine.id, name: mine.name }))
    assert.strictEqual(
      yield* theirs(async () =>
        Buffer.from(await (downloaded as { toBuffer: () => Promise<Buffer> }).toBuffer()).toString()
      ),
      text
    )
    yield* theirs(() => bob.deleteFile({ channel, id: mine.id, name: mine.name }))
    const left = yield* ours(Files.list({ channel }))
    assert.deepStrictEqual(left.items.map((item) => "name" in item && item.name), ["theirs ü.txt"])
  }).pipe(Effect.provide(NodeTransport.layer), Effect.scoped, served))

it.live("either client decrypts the files and announcements of the other", () =>
  Effect.gen(function*() {
    const cipherKey = "enigma"
    const cryptoModule = PubNub.CryptoModule.aesCbcCryptoModule({ cipherKey })
    const encrypted = Effect.provide(Encryption.layer({ key: Redacted.make(cipherKey) }))
    const bob = yield* client("bob", { cryptoModule })
    const heard = yield* subscribed(bob, { channels: ["a"] })
    const read = (file: Files.FileNames) =>
      theirs(async () => {
        const downloaded = await bob.downloadFile({ channel: "a", id: file.id, name: file.name })
        return Buffer.from(await (downloaded as { toBuffer: () => Promise<Buffer> }).toBuffer()).toString()
      })

    const mine = yield* encrypted(ours(Files.send({ channel: "a", name: "ours.txt", content: text, message: "hush" })))
    const event = yield* next(heard, ({ kind }) => kind === "file")
    assert.deepInclude(event, { message: "hush" } as object)
    assert.nestedPropertyVal(event, "file.id", mine.id)
    assert.strictEqual(yield* read(mine), text)

    yield* theirs(() =>
      bob.sendFile({ channel: "a", message: { look: 1 }, file: { data: Buffer.from(text), name: "theirs.txt" } })
    )
    const [, stored] = (yield* encrypted(ours(History.list({ channel: "a" })))).items
    if (stored?._tag !== "StoredFile") return assert.fail(stored?._tag)
    assert.deepInclude(stored, { payload: { look: 1 } } as object)
    assert.strictEqual(yield* encrypted(ours(Files.downloadText(stored))), text)

    // What the storage has is readable to nobody else.
    for (const { id, name } of [mine, stored.file]) {
      assert.notInclude(yield* ours(Files.downloadText({ channel: "a", id, name })), "Knights")
    }
  }).pipe(Effect.provide(NodeTransport.layer), Effect.scoped, served))

/** All kinds of content over real sockets. */
const overSockets = Effect.gen(function*() {
  const channel = "a"
  const binary = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251)
  const sent = [
    yield* ours(Files.send({ channel, name: "bytes", content: binary })),
    yield* ours(Files.send({ channel, name: "blob", content: new Blob([binary]) }))
  ]
  for (const file of sent) assert.deepStrictEqual(yield* ours(Files.downloadBytes(file)), binary)
})

const transports: ReadonlyArray<readonly [string, typeof FetchHttpClient.layer]> = [
  ["NodeTransport", NodeTransport.layer],
  ["fetch", FetchHttpClient.layer]
]
for (const [name, transport] of transports) {
  it.live(`bytes and Blobs go up and down over ${name}`, () => overSockets.pipe(Effect.provide(transport), served))
}

it.live("a stream over fetch, which sends no length, says what to do", () =>
  Effect.gen(function*() {
    const content = Stream.make(new Uint8Array(3))
    const error = yield* Effect.flip(ours(Files.send({ channel: "a", name: "a", content, size: 3 })))
    assert.match(error.message, /MissingContentLength.*use NodeTransport, or send bytes or a Blob/)
  }).pipe(Effect.provide(FetchHttpClient.layer), served))
