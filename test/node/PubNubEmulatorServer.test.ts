import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as Net from "node:net"
import * as Zlib from "node:zlib"

const served = (options?: PubNubEmulatorServer.Options) =>
  Effect.provide(Layer.merge(PubNubEmulatorServer.layer(options), NodeHttpClient.layerUndici))

const get = (path: string) =>
  PubNubEmulatorServer.PubNubEmulatorServer.use(({ url }) =>
    Effect.flatMap(
      HttpClient.get(`${url}${path}`),
      (response) => Effect.map(response.text, (text) => ({ status: response.status, text }))
    )
  )

const pollPath = (tt: string) => `/v2/subscribe/demo-sub/a/0?uuid=me&tt=${tt}`

const cursor = Effect.map(get("/v2/subscribe/demo-sub/a/0?uuid=me"), ({ text }) => /\d{17}/.exec(text)?.[0] ?? "")

/** Waits for so many polls to wait, by looking, for as long as the test may take. */
const readers = (count: number) =>
  PubNubEmulatorServer.PubNubEmulatorServer.use(({ emulator }) =>
    Effect.repeat(emulator.readers, { until: (waiting) => waiting === count, schedule: Schedule.spaced("1 millis") })
  )

describe("PubNubEmulatorServer", () => {
  it.live("answers over HTTP with the state of the emulator", () =>
    Effect.gen(function*() {
      const { emulator, origin, port, url } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      assert.strictEqual(url, `http://127.0.0.1:${port}`)
      assert.strictEqual(origin, `127.0.0.1:${port}`)
      const sent = yield* get("/publish/demo-pub/demo-sub/0/a%2Fb/0/%22%E2%98%83%22?uuid=me")
      assert.match(sent.text, /^\[1,"Sent","\d{17}"\]$/)
      assert.deepStrictEqual((yield* emulator.messages({ channel: "a/b" })).map(({ payload }) => payload), ["☃"])
      const same = yield* PubNubEmulator.PubNubEmulator
      assert.strictEqual(same, emulator)
      assert.strictEqual((yield* get("/nothing")).status, 404)
    }).pipe(served()))

  it.live.each(
    [["gzip", Zlib.gzipSync], ["deflate", Zlib.deflateSync]] as const
  )("reads a body compressed with %s", ([encoding, compress]) =>
    Effect.gen(function*() {
      const { emulator, url } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const send = (bytes: Uint8Array) =>
        HttpClient.execute(
          HttpClientRequest.post(`${url}/publish/demo-pub/demo-sub/0/a/0?uuid=me`).pipe(
            HttpClientRequest.bodyUint8Array(bytes, "application/json"),
            HttpClientRequest.setHeader("content-encoding", encoding)
          )
        )
      assert.strictEqual((yield* send(compress("{\"é\":1}"))).status, 200)
      assert.deepStrictEqual((yield* emulator.messages({ channel: "a" })).map(({ payload }) => payload), [{ é: 1 }])
      assert.strictEqual((yield* send(new Uint8Array([1, 2, 3]))).status, 400)
    }).pipe(served()))

  it.live("forgets the poll of a client that disconnects", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(get(pollPath(yield* cursor)))
      yield* readers(1)
      yield* Fiber.interrupt(fiber)
      yield* readers(0)
    }).pipe(served()))

  it.live("answers a waiting poll when a message comes", () =>
    Effect.gen(function*() {
      const { emulator } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const fiber = yield* Effect.forkChild(get(pollPath(yield* cursor)))
      yield* readers(1)
      yield* emulator.publish({ channel: "a", message: "hello" })
      assert.include((yield* Fiber.join(fiber)).text, "\"d\":\"hello\"")
    }).pipe(served()))

  it.live("cuts the connections of polls at restart, and answers later requests", () =>
    Effect.gen(function*() {
      const { emulator } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const fiber = yield* Effect.forkChild(Effect.flip(get(pollPath(yield* cursor))))
      yield* readers(1)
      yield* emulator.restart
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "TransportError")
      assert.strictEqual((yield* get("/time/0")).status, 200)
    }).pipe(served()))

  it.live("refuses connections after kill, and has its port and state again after listen", () =>
    Effect.gen(function*() {
      const { emulator, kill, listen } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      yield* emulator.publish({ channel: "a", message: "kept" })
      const fiber = yield* Effect.forkChild(Effect.flip(get(pollPath(yield* cursor))))
      yield* readers(1)
      yield* kill
      yield* kill
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "TransportError")
      const refused = yield* Effect.flip(get("/time/0"))
      assert.nestedPropertyVal(refused.reason, "cause.code", "ECONNREFUSED")
      yield* listen
      yield* listen
      assert.strictEqual((yield* get("/time/0")).status, 200)
      assert.strictEqual((yield* emulator.messages({ channel: "a" })).length, 1)
    }).pipe(served()))

  it.live("closes all connections when its scope ends", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { emulator, port } = yield* Effect.provide(
        PubNubEmulatorServer.PubNubEmulatorServer,
        yield* Layer.buildWithScope(PubNubEmulatorServer.layer(), scope)
      )
      const socket = Net.connect(port, "127.0.0.1")
      const closed = yield* Effect.forkChild(
        Effect.callback<void>((resume) => {
          socket.on("error", () => {})
          socket.on("close", () => resume(Effect.void))
        }),
        { startImmediately: true }
      )
      socket.write("GET /v2/subscribe/demo-sub/a/0?uuid=me&tt=17900000000000000 HTTP/1.1\r\nhost: localhost\r\n\r\n")
      yield* Effect.repeat(emulator.readers, { until: (count) => count === 1, schedule: Schedule.spaced("1 millis") })
      yield* Scope.close(scope, Exit.void)
      yield* Fiber.join(closed)
      assert.strictEqual(yield* emulator.readers, 0)
    }))

  it.live.each<readonly [string, PubNubEmulatorServer.Options, number]>([
    ["stores up to 64 MiB by default", {}, 67],
    ["stores up to the default when the limit is undefined", { limits: { storedBytes: undefined } }, 67],
    ["stores up to the limit of the options", { limits: { storedBytes: 10_500_000 } }, 10],
    ["stores up to the limit of the keyset", {
      keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub", limits: { storedBytes: 5_500_000 } }]
    }, 5]
  ])("%s", ([_, options, count]) =>
    Effect.gen(function*() {
      const { emulator } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const message = "x".repeat(1_000_000)
      yield* emulator.publishAll(Array.from({ length: 80 }, () => ({ channel: "a", message })))
      assert.strictEqual((yield* emulator.messages({ channel: "a" })).length, count)
    }).pipe(served(options)))

  it.live("fails with ListenFailed when its port is in use", () =>
    Effect.gen(function*() {
      const { port } = yield* PubNubEmulatorServer.PubNubEmulatorServer
      const error = yield* Effect.flip(Effect.scoped(Layer.build(PubNubEmulatorServer.layer({ port }))))
      assert.strictEqual(error._tag, "ListenFailed")
      assert.strictEqual(error.port, port)
      assert.include(error.message, `127.0.0.1:${port}`)
    }).pipe(served()))
})
