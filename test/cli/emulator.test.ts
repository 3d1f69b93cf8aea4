import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import { NodeTransport } from "effect-herald/node"
import { SymphonyEmulator, Transport } from "effect-herald/testing"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Dump from "../../src/cli/dump.ts"
import { root } from "../kit/scratch.ts"
import { herald, heraldDuring } from "./kit.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => {
    Fs.mkdirSync(Path.join(root, ".scratch"), { recursive: true })
    return Fs.mkdtempSync(Path.join(root, ".scratch/"))
  }),
  (folder) => Effect.sync(() => Fs.rmSync(folder, { recursive: true }))
)

describe("emulator", () => {
  it.live("breaks the requests of --fault, and writes its state to --dump at the end", () =>
    Effect.gen(function*() {
      const dump = Path.join(yield* folder, "state.json")
      const fault = ["--fault", "other:Answer(503):1", "--fault", "publish:Answer(429):1", "--latency", "1 millis"]
      yield* heraldDuring(["emulator", "--port", "0", "--json", "--dump", dump, ...fault], {}, (line) =>
        Effect.gen(function*() {
          const { origin } = JSON.parse(yield* line)
          const ask = (path: string) =>
            Effect.map(HttpClient.get(`http://${origin}${path}?uuid=ada`), ({ status }) =>
              status)
          const publish = "/publish/demo-pub/demo-sub/0/a/0/%7B%22n%22%3A1%7D"
          const statuses = [yield* ask("/time/0"), yield* ask("/time/0"), yield* ask(publish), yield* ask(publish)]
          assert.deepStrictEqual(statuses, [503, 200, 429, 200])
        }))
      const { channels: [channel] } = JSON.parse(Fs.readFileSync(dump, "utf8"))
      assert.deepInclude(channel, { channel: "a", occupants: [] })
      assert.deepStrictEqual(
        channel.messages.map(({ payload, publisher }: { readonly payload: unknown; readonly publisher: unknown }) => [
          payload,
          publisher
        ]),
        [[{ n: 1 }, "ada"]]
      )
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))

  it.effect.each(["poll:Nothing", "send:HalfOpen"])("exits with 2 for the fault %s", (fault) =>
    Effect.gen(function*() {
      const { exitCode, stderr } = yield* herald(["emulator", "--fault", fault])
      assert.strictEqual(exitCode, 2)
      assert.include(stderr[0], "as poll:ConnectionRefused:10s")
    }).pipe(Effect.provide(Transport.layerScripted([]))))
})

describe("symphony emulator", () => {
  it.effect("writes files as base64", () =>
    Effect.gen(function*() {
      const emulator = yield* SymphonyEmulator.SymphonyEmulator
      yield* emulator.addUser({ username: "ada" })
      const streamId = yield* emulator.createStream({ type: "ROOM", members: ["ada"] })
      const attachments = [{ name: "a.txt", content: new TextEncoder().encode("hello") }]
      yield* emulator.send({ streamId, username: "ada", message: "see", attachments })
      const { streams } = yield* Dump.ofSymphony(emulator)
      assert.deepInclude(streams[0]?.messages[0]?.attachments[0], { name: "a.txt", content: "aGVsbG8=" })
    }).pipe(Effect.provide(SymphonyEmulator.layer())))

  it.live("knows faults of its own requests, and writes its state to --dump at the end", () =>
    Effect.gen(function*() {
      const directory = yield* folder
      const dump = Path.join(directory, "state.json")
      const key = ["--private-key", Path.join(directory, "bot.pem")]
      const args = ["symphony", "emulator", "--port", "0", "--json", ...key, "--dump", dump, "--fault", "send:HalfOpen"]
      yield* heraldDuring(args, {}, (line) => line)
      const { streams, users } = JSON.parse(Fs.readFileSync(dump, "utf8"))
      assert.deepStrictEqual(streams.map(({ name }: { readonly name: string }) => name), ["Demo"])
      assert.lengthOf(users, 2)
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))
})
