import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SymphonyEmulatorServer from "effect-herald/node/SymphonyEmulatorServer"
import { SymphonyEmulator } from "effect-herald/testing/SymphonyEmulator"
import { jwt, keys } from "../testing/symphonyHttp.ts"

const served = Effect.provide(SymphonyEmulatorServer.layer({
  users: [{ username: "bot", publicKey: keys.bot.publicKey }],
  storedBytes: undefined
}))

const server = SymphonyEmulatorServer.SymphonyEmulatorServer

/** With the platform's own client, which knows nothing of Effect. */
const request = (path: string, init: RequestInit = {}) =>
  server.use(({ url }) => Effect.promise(() => fetch(`${url}${path}`, init)))

const logIn = (path: string) =>
  Effect.gen(function*() {
    const response = yield* request(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: yield* jwt() })
    })
    assert.strictEqual(response.status, 200)
    const { token }: { token: string } = yield* Effect.promise(() => response.json())
    return token
  })

const headersOf = Effect.all({
  sessionToken: logIn("/login/pubkey/authenticate"),
  keyManagerToken: logIn("/relay/pubkey/authenticate")
})

const room = server.use(({ emulator }) => emulator.createStream({ type: "ROOM", name: "Orders", members: ["bot"] }))

describe("SymphonyEmulatorServer", () => {
  it.live("accepts logins and forms with binary files, and has the emulator's state", () =>
    Effect.gen(function*() {
      const { emulator, origin, port, url } = yield* server
      assert.deepStrictEqual([url, origin], [`http://127.0.0.1:${port}`, `127.0.0.1:${port}`])
      assert.strictEqual(yield* SymphonyEmulator, emulator)
      const headers = yield* headersOf
      const streamId = yield* room
      const form = new FormData()
      form.append("message", "<messageML>grüße ☃</messageML>")
      form.append("attachment", new Blob([Uint8Array.from({ length: 256 }, (_, i) => i)]), "ünï code.bin")
      const response = yield* request(`/agent/v4/stream/${streamId}/message/create`, {
        method: "POST",
        headers,
        body: form
      })
      assert.strictEqual(response.status, 200)
      const [message] = yield* emulator.messages({ streamId })
      assert.strictEqual(message?.text, "grüße ☃")
      assert.strictEqual(message?.attachments[0]?.name, "ünï code.bin")
      assert.deepStrictEqual(
        [...message?.attachments[0]?.content ?? []],
        Array.from({ length: 256 }, (_, i) => i)
      )
    }).pipe(served))

  it.live("stores up to 256 MiB", () =>
    Effect.gen(function*() {
      const { emulator } = yield* server
      const streamId = yield* room
      const attachments = [{ name: "x.bin", content: new Uint8Array(10_000_000) }]
      for (let index = 0; index < 40; index++) {
        yield* emulator.send({ streamId, username: "bot", message: String(index), attachments })
      }
      const texts = (yield* emulator.messages({ streamId })).map(({ text }) => Number(text))
      assert.deepStrictEqual([texts.length, texts[0], texts.at(-1)], [26, 14, 39])
    }).pipe(served))

  it.live("answers 204 without a body and a length", () =>
    Effect.gen(function*() {
      const headers = yield* headersOf
      const response = yield* request("/agent/v1/message/AAAA", { headers })
      assert.strictEqual(response.status, 204)
      assert.isNull(response.headers.get("content-length"))
      assert.strictEqual(yield* Effect.promise(() => response.text()), "")
    }).pipe(served))

  it.live("holds a read of the datafeed until an event comes", () =>
    Effect.gen(function*() {
      const headers = { ...(yield* headersOf), "content-type": "application/json" }
      const { emulator } = yield* server
      const streamId = yield* room
      const created = yield* request("/agent/v5/datafeeds", { method: "POST", headers, body: "{}" })
      assert.strictEqual(created.status, 201)
      const { id }: { id: string } = yield* Effect.promise(() => created.json())
      const reading = yield* Effect.forkChild(
        request(`/agent/v5/datafeeds/${id}/read`, { method: "POST", headers, body: "{\"ackId\":\"\"}" })
      )
      yield* Effect.repeat(Effect.andThen(Effect.sleep("1 millis"), emulator.readers), {
        until: (count) => count === 1
      })
      yield* emulator.send({ streamId, username: "bot", message: "Hi" })
      const answer = yield* Effect.flatMap(Fiber.join(reading), (response) => Effect.promise(() => response.json()))
      assert.strictEqual(answer.events.length, 1)
    }).pipe(served))

  it.live("forgets the read of a client that disconnects, and cuts the others at restart", () =>
    Effect.gen(function*() {
      const headers = { ...(yield* headersOf), "content-type": "application/json" }
      const { emulator } = yield* server
      const created = yield* request("/agent/v5/datafeeds", { method: "POST", headers })
      const { id }: { id: string } = yield* Effect.promise(() => created.json())
      const readers = (count: number) =>
        Effect.repeat(Effect.andThen(Effect.sleep("1 millis"), emulator.readers), { until: (now) => now === count })
      const read = Effect.exit(
        server.use(({ url }) =>
          Effect.tryPromise((signal) =>
            fetch(`${url}/agent/v5/datafeeds/${id}/read`, { method: "POST", headers, body: "{\"ackId\":\"\"}", signal })
          )
        )
      )
      const given = yield* Effect.forkChild(read)
      yield* readers(1)
      yield* Fiber.interrupt(given)
      yield* readers(0)
      const cut = yield* Effect.forkChild(read)
      yield* readers(1)
      yield* emulator.restart
      assert.strictEqual((yield* Fiber.join(cut))._tag, "Failure")
    }).pipe(served))
})
