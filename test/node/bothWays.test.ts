/** One suite for an emulator as a layer and on its port: whoever changes from one to the other meets the same service. */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type { HttpMethod } from "effect/http/HttpMethod"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import * as SymphonyEmulatorServer from "effect-herald/node/SymphonyEmulatorServer"
import * as Presence from "effect-herald/pubnub/Presence"
import * as Publish from "effect-herald/pubnub/Publish"
import * as PubNubConfig from "effect-herald/pubnub/PubNubConfig"
import * as Subscribe from "effect-herald/pubnub/Subscribe"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
import * as Zlib from "node:zlib"
import { isLong } from "../simulation/seeds.ts"
import { jwt, keys, multipartBody, wrap } from "../testing/symphonyHttp.ts"

const mebibyte = 1024 * 1024

/** Above what PubNub's emulator accepts, and above what Symphony's does. */
const [much, more] = (isLong ? [40, 64] : [4, 33]).map((size) => Buffer.alloc(size * mebibyte, "a")) as [Buffer, Buffer]

const bomb = Zlib.gzipSync(more)

/** Where the emulator is. */
class Origin extends Context.Service<Origin, string>()("test/bothWays/Origin") {}

const anyHost = Layer.succeed(Origin, "any.host")

const pubnub = {
  layer: (options: PubNubEmulator.Options = {}) => Layer.merge(PubNubEmulator.layer(options), anyHost),
  port: (options: PubNubEmulator.Options = {}) =>
    Layer.effect(Origin, Effect.map(PubNubEmulatorServer.PubNubEmulatorServer, ({ origin }) => origin)).pipe(
      Layer.provideMerge(PubNubEmulatorServer.layer(options)),
      Layer.merge(NodeHttpClient.layerUndici)
    )
}

const symphony = {
  layer: (options: SymphonyEmulator.Options = {}) => Layer.merge(SymphonyEmulator.layer(options), anyHost),
  port: (options: SymphonyEmulator.Options = {}) =>
    Layer.effect(Origin, Effect.map(SymphonyEmulatorServer.SymphonyEmulatorServer, ({ origin }) => origin)).pipe(
      Layer.provideMerge(SymphonyEmulatorServer.layer(options)),
      Layer.merge(NodeHttpClient.layerUndici)
    )
}

interface Sent {
  readonly method?: HttpMethod
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | Stream.Stream<Uint8Array>
  readonly type?: string
}

const ask = (target: string, { body, headers = {}, method = "GET", type = "application/json" }: Sent = {}) =>
  Effect.gen(function*() {
    const request = HttpClientRequest.make(method)(`http://${yield* Origin}${target}`, { headers })
    const response = yield* HttpClient.execute(
      body === undefined
        ? request
        : typeof body === "string"
        ? HttpClientRequest.bodyText(request, body, type)
        : body instanceof Uint8Array
        ? HttpClientRequest.bodyUint8Array(request, body, type)
        : HttpClientRequest.bodyStream(request, body, { contentType: type })
    )
    const text = yield* response.text
    return { status: response.status, headers: response.headers, text }
  })

const json = (text: string): unknown => JSON.parse(text)

const balancer = (status: number, message: string) => ({ status, service: "Balancer", error: true, message })

const publishTo = (channel: string) => `/publish/demo-pub/demo-sub/0/${channel}/0`

const bodies = [
  ["gzip", (text: string) => Zlib.gzipSync(text)],
  ["deflate", (text: string) => Zlib.deflateSync(text)],
  // As a client of the vendor's has been seen to send it.
  ["gzip", (text: string) => Zlib.deflateSync(text)]
] as const

const config = Effect.map(
  Origin,
  (origin) => PubNubConfig.layer({ subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "me", origin, tls: false })
)

const ours = Layer.unwrap(config)

for (const way of ["layer", "port"] as const) {
  describe(`the PubNub emulator, ${way === "layer" ? "as a layer" : "on a port"}`, () => {
    const served = (options?: PubNubEmulator.Options) => Effect.provide(pubnub[way](options))

    it.live("accepts an address of 32 KiB, and answers 414 to a longer one", () =>
      Effect.gen(function*() {
        const path = (length: number) => `/time/0?n=${"x".repeat(length - "/time/0?n=".length)}`
        assert.strictEqual((yield* ask(path(32_768))).status, 200)
        for (const length of [32_769, 40_000, 100_000]) {
          const answer = yield* ask(path(length))
          assert.deepStrictEqual([answer.status, json(answer.text)], [414, balancer(414, "Request URI Too Long")])
        }
        assert.strictEqual((yield* ask("/time/0")).status, 200)
      }).pipe(served()))

    it.live("accepts the largest requests that our client sends", () =>
      Effect.gen(function*() {
        const { messages } = yield* PubNubEmulator.PubNubEmulator
        for (const method of ["GET", "POST", "auto"] as const) {
          yield* Publish.publish({ channel: "a", message: "x".repeat(16_500), method })
        }
        assert.strictEqual((yield* messages({ channel: "a" })).length, 3)
        const many = Array.from({ length: 900 }, (_, index) => `channel-${index}-of-many`)
        const now = yield* Presence.hereNow({ channels: many })
        assert.strictEqual(now.totalOccupancy, 0)
        yield* Subscribe.stream({ channels: many }).pipe(
          Stream.filter(({ _tag }) => _tag === "Connected"),
          Stream.take(1),
          Stream.runDrain
        )
      }).pipe(Effect.provide(ours), served()))

    it.live.each(bodies)("reads a compressed body: %s", ([encoding, compress]) =>
      Effect.gen(function*() {
        const { messages } = yield* PubNubEmulator.PubNubEmulator
        const answer = yield* ask(`${publishTo("a")}?uuid=me`, {
          method: "POST",
          headers: { "content-encoding": encoding },
          body: compress("{\"é\":1}")
        })
        assert.strictEqual(answer.status, 200)
        assert.deepStrictEqual((yield* messages({ channel: "a" })).map(({ payload }) => payload), [{ é: 1 }])
      }).pipe(served()))

    it.live("refuses a body of invalid, truncated, unknown or double compression", () =>
      Effect.gen(function*() {
        const status = (encoding: string, body: Uint8Array) =>
          Effect.map(
            ask(`${publishTo("a")}?uuid=me`, { method: "POST", headers: { "content-encoding": encoding }, body }),
            ({ status }) => status
          )
        const plain = Buffer.from("{\"a\":1}")
        assert.strictEqual(yield* status("gzip", new Uint8Array([1, 2, 3])), 400)
        assert.strictEqual(yield* status("gzip", plain), 400)
        assert.strictEqual(yield* status("gzip", Zlib.gzipSync(plain).subarray(0, 15)), 400)
        assert.strictEqual(yield* status("br", Zlib.brotliCompressSync(plain)), 415)
        assert.strictEqual(yield* status("zstd", plain), 415)
        assert.strictEqual(yield* status("gzip, gzip", Zlib.gzipSync(Zlib.gzipSync(plain))), 415)
        assert.strictEqual(yield* status("identity", plain), 200)
      }).pipe(served()))

    it.live("answers 413 to a body above 2 MiB, however it is sent", () =>
      Effect.gen(function*() {
        const { messages } = yield* PubNubEmulator.PubNubEmulator
        const send = (sent: Sent) => ask(`${publishTo("a")}?uuid=me`, { method: "POST", ...sent })
        const most = 2 * mebibyte
        // As large as a body may be; as a message it is too large.
        const largest = yield* send({ body: `"${"x".repeat(most - 2)}"` })
        assert.strictEqual(largest.status, 400)
        assert.include(largest.text, "Message Too Large")
        const piece = new Uint8Array(65_536)
        for (
          const sent of [
            { body: `"${"x".repeat(most - 1)}"` },
            { body: much },
            { body: Stream.fromIterable(Array.from({ length: 60 }, () => piece)) },
            ...isLong ? [{ body: Stream.fromIterable(Array.from({ length: 2_000 }, () => piece)) }] : [],
            { body: Stream.forever(Stream.succeed(piece)) },
            { body: Zlib.gzipSync(much), headers: { "content-encoding": "gzip" } },
            { body: Zlib.deflateSync(much), headers: { "content-encoding": "deflate" } }
          ]
        ) {
          const answer = yield* send(sent)
          assert.deepStrictEqual([answer.status, json(answer.text)], [413, balancer(413, "Request Entity Too Large")])
        }
        assert.deepStrictEqual(yield* messages({ channel: "a" }), [])
        assert.strictEqual((yield* send({ body: "1" })).status, 200)
      }).pipe(served()), 30_000)

    it.live("counts the size of a message as our client does", () =>
      Effect.gen(function*() {
        // Nine bytes each, as they are sent; six bytes of quotes; and one of the channel.
        const text = (count: number) => "(!~".repeat(count)
        for (const method of ["GET", "POST"] as const) {
          for (
            const [count, size, status] of [[3_639, 32_758, 200], [3_640, 32_767, 200], [3_641, 32_776, 400]] as const
          ) {
            assert.strictEqual(yield* Publish.size({ channel: "a", message: text(count) }), size)
            const sent = method === "POST"
              ? yield* ask(`${publishTo("a")}?uuid=me`, { method, body: JSON.stringify(text(count)) })
              : yield* ask(`${publishTo("a")}/${encodeURIComponent(JSON.stringify(text(count)))}?uuid=me`)
            assert.strictEqual(sent.status, status)
          }
        }
      }).pipe(served()))

    it.live("answers malformed addresses, other methods and deep JSON with 400 or 404", () =>
      Effect.gen(function*() {
        const status = (target: string, sent?: Sent) => Effect.map(ask(target, sent), ({ status }) => status)
        assert.strictEqual(yield* status(`${publishTo("a")}/%ff?uuid=me`), 400)
        assert.strictEqual(yield* status(`${publishTo("a")}/1?uuid=%`), 400)
        assert.strictEqual(yield* status(`${publishTo("a%00b")}/1?uuid=me`), 200)
        assert.strictEqual(yield* status(`${publishTo("a")}/1?uuid=me`, { method: "PUT", body: "1" }), 404)
        assert.strictEqual(yield* status(`${publishTo("a")}/1?uuid=me`, { method: "TRACE" }), 404)
        assert.strictEqual(yield* status(`${publishTo("a")}/1?uuid=me`, { method: "HEAD" }), 404)
        const deep = `${"[".repeat(500_000)}1${"]".repeat(500_000)}`
        assert.strictEqual(yield* status(`${publishTo("a")}?uuid=me`, { method: "POST", body: deep }), 400)
        assert.strictEqual(yield* status("/v2/objects/demo-sub/uuids/a?uuid=me", { method: "PATCH", body: deep }), 400)
        assert.strictEqual(yield* status("/v2/objects/demo-sub/uuids/a?uuid=me", { method: "PATCH", body: "\0" }), 400)
        assert.strictEqual(yield* status("/time/0"), 200)
      }).pipe(served()))

    it.live("sends CORS headers with answers and refusals, and answers preflight requests", () =>
      Effect.gen(function*() {
        const headers = { origin: "http://localhost:3000" }
        for (
          const target of [
            "/time/0",
            "/nothing",
            `${publishTo("a")}/1?uuid=me`,
            `${publishTo("a")}/no?uuid=me`,
            "/v2/objects/demo-sub/uuids?uuid=me",
            "/v3/history/sub-key/demo-sub/channel/a?uuid=me",
            `/time/0?${"x".repeat(40_000)}`
          ]
        ) {
          const answer = yield* ask(target, { headers })
          assert.strictEqual(answer.headers["access-control-allow-origin"], "*", target)
          assert.strictEqual(answer.headers["access-control-expose-headers"], "*", target)
        }
        for (const target of ["/time/0", "/v2/objects/demo-sub/uuids/a?uuid=me", "/nothing"]) {
          const answer = yield* ask(target, {
            method: "OPTIONS",
            headers: {
              ...headers,
              "access-control-request-method": "PATCH",
              "access-control-request-headers": "content-type,if-match"
            }
          })
          assert.deepStrictEqual([answer.status, answer.text], [204, ""])
          assert.strictEqual(answer.headers["access-control-allow-origin"], "*")
          assert.strictEqual(answer.headers["access-control-allow-methods"], "GET, POST, PATCH, DELETE, OPTIONS")
          assert.strictEqual(answer.headers["access-control-allow-headers"], "*, authorization")
        }
      }).pipe(served()))

    it.live("refuses a wrong or empty signature, and a wrong or missing timestamp", () =>
      Effect.gen(function*() {
        const send = (query: string) => ask(`${publishTo("a")}/1?uuid=me&${query}`)
        const refused = (message: string, status: number) => ({
          message,
          error: true,
          service: "Access Manager",
          status
        })
        const seconds = Math.floor(Date.now() / 1000)
        for (const signature of ["v2.wrong", "", "v2.", "%00"]) {
          const answer = yield* send(`timestamp=${seconds}&signature=${signature}`)
          assert.deepStrictEqual([answer.status, json(answer.text)], [403, refused("Signature Does Not Match", 403)])
        }
        for (const timestamp of [`timestamp=${seconds - 90}`, `timestamp=${seconds + 90}`, "timestamp=now", "a=1"]) {
          const answer = yield* send(`${timestamp}&signature=v2.x`)
          assert.deepStrictEqual([answer.status, json(answer.text)], [400, refused("Invalid Timestamp", 400)])
        }
        // Without Access Manager nobody has to sign, and with it a token is as good.
        assert.strictEqual((yield* send("")).status, 200)
        const { setAddOns } = yield* PubNubEmulator.PubNubEmulator
        yield* setAddOns({ accessManager: true })
        const unsigned = yield* send("")
        assert.deepStrictEqual([unsigned.status, json(unsigned.text)], [403, {
          ...refused("Forbidden", 403),
          payload: { channels: ["a"] }
        }])
        assert.strictEqual((yield* send("auth=token")).status, 200)
        yield* Publish.publish({ channel: "a", message: 1 }).pipe(
          Effect.provide(Layer.unwrap(Effect.map(Origin, (origin) =>
            PubNubConfig.layer({
              subscribeKey: "demo-sub",
              publishKey: "demo-pub",
              secretKey: Redacted.make("sec"),
              userId: "me",
              origin,
              tls: false
            }))))
        )
      }).pipe(served({ keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "sec" }] })))

    it.live("treats an asterisk in a name of four segments as part of the channel's name", () =>
      Effect.gen(function*() {
        const { publish } = yield* PubNubEmulator.PubNubEmulator
        const poll = (name: string, tt: string) =>
          Effect.map(ask(`/v2/subscribe/demo-sub/${name}/0?uuid=me&tt=${tt}`), ({ text }) => text)
        const tt = /\d{17}/.exec(yield* poll("x", "0"))?.[0] ?? ""
        for (const channel of ["a.b.c", "a.b.c.d", "a.b.c.*"]) yield* publish({ channel, message: channel })
        const heard = (text: string) => [...text.matchAll(/"d":"([^"]*)"/g)].map(([, name]) => name)
        assert.deepStrictEqual(heard(yield* poll("a.*", tt)), ["a.b.c", "a.b.c.d", "a.b.c.*"])
        assert.deepStrictEqual(heard(yield* poll("a.b.*", tt)), ["a.b.c", "a.b.c.d", "a.b.c.*"])
        for (const name of ["a.b.c.*", "*", "a*", "a.*.c"]) {
          yield* publish({ channel: name, message: name })
          const only = heard(yield* poll(name, tt))
          assert.deepStrictEqual(new Set(only), new Set([name]), name)
        }
      }).pipe(served()))

    it.live("holds a poll until a message comes", () =>
      Effect.gen(function*() {
        const { publish, readers } = yield* PubNubEmulator.PubNubEmulator
        const { text } = yield* ask("/v2/subscribe/demo-sub/a/0?uuid=me")
        const tt = /\d{17}/.exec(text)?.[0] ?? ""
        const fiber = yield* Effect.forkChild(ask(`/v2/subscribe/demo-sub/a/0?uuid=me&tt=${tt}`))
        yield* Effect.repeat(readers, { until: (count) => count === 1, schedule: Schedule.spaced("1 millis") })
        yield* publish({ channel: "a", message: "hello" })
        assert.include((yield* Fiber.join(fiber)).text, "\"d\":\"hello\"")
      }).pipe(served()))
  })

  describe(`the Symphony emulator, ${way === "layer" ? "as a layer" : "on a port"}`, () => {
    const served = (options: SymphonyEmulator.Options = {}) =>
      Effect.provide(symphony[way]({ users: [{ username: "bot", publicKey: keys.bot.publicKey }], ...options }))

    const logIn = Effect.gen(function*() {
      const token = (path: string) =>
        Effect.gen(function*() {
          const body = JSON.stringify({ token: yield* jwt() })
          const { text } = yield* ask(path, { method: "POST", body })
          const { token }: { token: string } = JSON.parse(text)
          return token
        })
      return {
        sessiontoken: yield* token("/login/pubkey/authenticate"),
        keymanagertoken: yield* token("/relay/pubkey/authenticate")
      }
    })

    it.live("accepts an address of 32 KiB, and answers 414 to a longer one", () =>
      Effect.gen(function*() {
        const path = (length: number) => `/agent/v1/info?n=${"x".repeat(length - "/agent/v1/info?n=".length)}`
        assert.strictEqual((yield* ask(path(32_768))).status, 200)
        for (const length of [32_769, 100_000]) {
          const answer = yield* ask(path(length))
          assert.deepStrictEqual([answer.status, json(answer.text)], [414, {
            code: 414,
            message: "The address is too long"
          }])
        }
      }).pipe(served()))

    it.live("reads a compressed form, and refuses a decompression bomb and invalid compression", () =>
      Effect.gen(function*() {
        const { createStream, messages } = yield* SymphonyEmulator.SymphonyEmulator
        const streamId = yield* createStream({ type: "ROOM", name: "Orders", members: ["bot"] })
        const headers = yield* logIn
        const send = (encoding: string, body: Uint8Array) =>
          ask(`/agent/v4/stream/${streamId}/message/create`, {
            method: "POST",
            headers: { ...headers, "content-encoding": encoding },
            body,
            type: "multipart/form-data; boundary=boundary-1"
          })
        const form = multipartBody([["message", wrap("hello")]])
        assert.strictEqual((yield* send("gzip", Zlib.gzipSync(form))).status, 200)
        assert.strictEqual((yield* send("gzip", bomb)).status, 413)
        assert.strictEqual((yield* send("gzip", form)).status, 400)
        assert.strictEqual((yield* send("br", Zlib.brotliCompressSync(form))).status, 415)
        assert.strictEqual((yield* messages({ streamId })).length, 1)
      }).pipe(served()))

    it.live("accepts 30 MB of files, and answers 413 to more", () =>
      Effect.gen(function*() {
        const { createStream } = yield* SymphonyEmulator.SymphonyEmulator
        const streamId = yield* createStream({ type: "ROOM", name: "Orders", members: ["bot"] })
        const headers = yield* logIn
        const send = (size: number) =>
          ask(`/agent/v4/stream/${streamId}/message/create`, {
            method: "POST",
            headers,
            body: multipartBody([
              ["message", wrap("x")],
              ["attachment", new Uint8Array(size), { filename: "x.bin" }]
            ]),
            type: "multipart/form-data; boundary=boundary-1"
          })
        assert.strictEqual((yield* send(30 * mebibyte - 100)).status, 200)
        for (const size of isLong ? [30, 33, 60] : [30]) {
          assert.strictEqual((yield* send(size * mebibyte)).status, 413)
        }
      }).pipe(served()), 30_000)

    it.live("sends CORS headers with answers and refusals, and answers preflight requests", () =>
      Effect.gen(function*() {
        for (const target of ["/agent/v1/info", "/nothing", "/pod/v2/sessioninfo"]) {
          const answer = yield* ask(target, { headers: { origin: "http://localhost:3000" } })
          assert.strictEqual(answer.headers["access-control-allow-origin"], "*", target)
        }
        const answer = yield* ask("/agent/v5/datafeeds", {
          method: "OPTIONS",
          headers: {
            origin: "http://localhost:3000",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,sessiontoken,keymanagertoken"
          }
        })
        assert.strictEqual(answer.status, 204)
        assert.strictEqual(answer.headers["access-control-allow-headers"], "*, authorization")
      }).pipe(served()))

    it.live("answers malformed addresses, other methods and deep JSON with 400 or 405", () =>
      Effect.gen(function*() {
        const headers = yield* logIn
        const status = (target: string, sent?: Sent) => Effect.map(ask(target, sent), ({ status }) => status)
        assert.strictEqual(yield* status("/agent/v1/message/%ff", { headers }), 400)
        assert.strictEqual(yield* status("/agent/v1/info?a=%", { headers }), 400)
        assert.strictEqual(yield* status("/agent/v1/info", { method: "PUT", body: "x" }), 405)
        assert.strictEqual(yield* status("/agent/v1/info", { method: "TRACE" }), 405)
        assert.strictEqual(
          yield* status("/agent/v5/datafeeds", { method: "POST", headers, body: "[".repeat(1_000_000) }),
          400
        )
        assert.strictEqual(yield* status("/agent/v1/info"), 200)
      }).pipe(served()))
  })
}
