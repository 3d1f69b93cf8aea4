/**
 * What every transport owes: no redirect is followed, no answer is read without end, what was not sent is told so, and who is
 * interrupted or late hangs up. Over sockets, by the transport of `NodePubNub`, the stock undici layer, and `fetch`.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { NodePubNub } from "effect-herald/node"
import { Files, History, Publish, PubNubConfig, Time } from "effect-herald/pubnub"
import { Attachments, Session, SymphonyConfig } from "effect-herald/symphony"
import * as Wire from "../../src/pubnub/internal/wire/subscribe.ts"
import * as Http from "node:http"
import * as Https from "node:https"
import type * as Net from "node:net"
import * as Zlib from "node:zlib"
import { keys } from "../testing/symphonyHttp.ts"
import { mid, sid } from "../symphony/kit.ts"

/** A server until the scope ends, and its port. */
const served = (server: Http.Server | Https.Server) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address: string | Net.AddressInfo | null = server.address()
        resume(Effect.succeed(typeof address === "object" ? address?.port ?? 0 : 0))
      })
    }),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const options = (port: number): PubNubConfig.Options => ({
  subscribeKey: "demo-sub",
  publishKey: "demo-pub",
  userId: "ada",
  secretKey: Redacted.make("s3cr3t"),
  authToken: Redacted.make("t0ken"),
  origin: `127.0.0.1:${port}`,
  tls: false,
  requestTimeout: "10 seconds"
})

const transports: ReadonlyArray<
  readonly [
    string,
    (options: PubNubConfig.Options) => Layer.Layer<PubNubConfig.PubNubConfig | HttpClient.HttpClient>
  ]
> = [
  ["NodePubNub", NodePubNub.layer],
  [
    "stock undici",
    (options) => Layer.merge(PubNubConfig.layer(options), NodeHttpClient.layerUndiciOptions({ allowH2: false }))
  ],
  ["fetch", (options) => Layer.merge(PubNubConfig.layer(options), FetchHttpClient.layer)]
]

describe.each(transports)("transport of %s", (_, layer) => {
  it.live.each([301, 302, 303, 307, 308])(
    "does not follow a redirect of %i, and reports a publish as unknown",
    (status) =>
      Effect.gen(function*() {
        const reached: Array<string> = []
        const elsewhere = yield* served(Http.createServer((request, response) => {
          reached.push(request.url ?? "")
          response.end("[1,\"Sent\",\"17334108326343660\"]")
        }))
        const port = yield* served(Http.createServer((request, response) => {
          response.writeHead(status, { location: `http://127.0.0.1:${elsewhere}${request.url}` })
          response.end("[1,\"Sent\",\"17334108326343660\"]")
        }))
        yield* Effect.gen(function*() {
          for (const method of ["GET", "POST"] as const) {
            const error = yield* Effect.flip(Publish.publish({ channel: "a", message: 1, method }))
            assert(error._tag === "PublishOutcomeUnknown")
            assert.include(error.message, "redirects are never followed")
          }
          const error = yield* Effect.flip(Time.now)
          assert.deepInclude(
            { ...error.reason },
            { _tag: "ServerFailure", status, answeredBy: "intermediary" } as object
          )
          const session = Session.layer().pipe(Layer.provideMerge(SymphonyConfig.layer({
            scheme: "http",
            host: "127.0.0.1",
            port,
            bot: { username: "bot", privateKey: Redacted.make(keys.bot.privateKey) },
            retry: { maxAttempts: 1 }
          })))
          const refused = yield* Effect.flip(Effect.provide(Session.Session.use(({ tokens }) => tokens), session))
          assert.deepInclude({ ...refused.reason }, { _tag: "ServerFailure", status } as object)
        }).pipe(Effect.provide(layer(options(port))))
        assert.deepStrictEqual(reached, [])
      }).pipe(Effect.scoped),
    20_000
  )

  const endless: ReadonlyArray<readonly [string, Http.OutgoingHttpHeaders]> = [
    ["that comes without an end", {}],
    ["whose length is a lie", { "content-length": "99999999999" }]
  ]
  it.live.each(endless)("reads no more than maxAnswerSize of an answer %s", ([_, headers]) =>
    Effect.gen(function*() {
      const closed = yield* Queue.unbounded<void>()
      const port = yield* served(Http.createServer((_, response) => {
        response.writeHead(200, headers)
        const piece = "x".repeat(65_536)
        const more = () => {
          while (response.write(piece));
        }
        response.on("drain", more)
        response.on("close", () => Queue.offerUnsafe(closed, undefined))
        response.write("[")
        more()
      }))
      const before = process.memoryUsage().arrayBuffers
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(Publish.publish({ channel: "a", message: 1 }))
        assert(error._tag === "PublishOutcomeUnknown")
        assert.include(error.message, "larger than maxAnswerSize")
        const late = yield* Effect.flip(History.listByChannel({ channels: ["a"] }))
        assert(late.reason._tag === "Malformed")
        assert.deepStrictEqual([late.isRetryable, late.reason.limit], [false, 1_000_000])
        assert.include(late.message, "raise maxAnswerSize")
        assert.isAtMost(late.reason.excerpt.length, 1_024)
        yield* Queue.takeN(closed, 2)
      }).pipe(Effect.provide(layer({ ...options(port), maxAnswerSize: 1_000_000 })))
      assert.isBelow(process.memoryUsage().arrayBuffers - before, 50_000_000)
    }).pipe(Effect.scoped), 20_000)

  it.live("accepts an answer of exactly maxAnswerSize, and refuses one a byte larger", () =>
    Effect.gen(function*() {
      const body = JSON.stringify({
        channels: { a: [{ message: "é".repeat(5_000_000), timetoken: "17334108326343660" }] }
      })
      const size = Buffer.byteLength(body)
      const port = yield* served(Http.createServer((_, response) => response.end(body)))
      const fetched = (maxAnswerSize: number) =>
        Effect.exit(History.listByChannel({ channels: ["a"] })).pipe(
          Effect.map(({ _tag }) => _tag),
          Effect.provide(layer({ ...options(port), maxAnswerSize }))
        )
      assert.deepStrictEqual([yield* fetched(size), yield* fetched(size - 1)], ["Success", "Failure"])
    }).pipe(Effect.scoped), 20_000)

  it.live("reports that nothing was sent over TLS to a port of plain HTTP", () =>
    Effect.gen(function*() {
      const heard: Array<string> = []
      const port = yield* served(Http.createServer((request, response) => {
        heard.push(request.url ?? "")
        response.end()
      }))
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(Publish.publish({ channel: "a", message: 1 }))
        assert(error._tag === "PubNubError" && error.reason._tag === "Transport")
        assert.isFalse(error.reason.sent)
        assert.include(error.message, "tls: false")
      }).pipe(Effect.provide(layer({ ...options(port), tls: true })))
      assert.deepStrictEqual(heard, [])
    }).pipe(Effect.scoped), 20_000)

  it.live("reports that nothing was sent when the certificate is self-signed", () =>
    Effect.gen(function*() {
      const port = yield* served(
        Https.createServer({ key, cert }, (_, response) => response.end("[17334108326343660]"))
      )
      const error = yield* Effect.flip(Publish.publish({ channel: "a", message: 1 })).pipe(
        Effect.provide(layer({ ...options(port), tls: true }))
      )
      assert(error._tag === "PubNubError" && error.reason._tag === "Transport")
      assert.isFalse(error.reason.sent)
      assert.include(error.message, "certificate")
    }).pipe(Effect.scoped), 20_000)

  const times = ["[17334108326343660]", "\uFEFF[17334108326343660]"]
  it.live.each(times)("reads %j that comes in single bytes", (body) =>
    Effect.gen(function*() {
      const bytes = Buffer.from(body)
      const port = yield* served(Http.createServer((_, response) => {
        response.writeProcessing()
        let at = 0
        const next = () => {
          if (at === bytes.length) {
            response.end()
            return
          }
          response.write(bytes.subarray(at, ++at))
          setTimeout(next, 1)
        }
        next()
      }))
      const time = yield* Effect.provide(Time.now, layer(options(port)))
      assert.strictEqual(time, "17334108326343660")
    }).pipe(Effect.scoped), 20_000)

  it.live("tells of each part of an answer to a poll when it arrives", () =>
    Effect.gen(function*() {
      const parts = yield* Queue.make<number>()
      let rest: Http.ServerResponse | undefined
      const port = yield* served(Http.createServer((_, response) => {
        rest = response
        response.write("{\"t\":{\"t\":\"17334108326343660\",\"r\":1},")
      }))
      let number = 0
      yield* Effect.gen(function*() {
        const config = yield* PubNubConfig.PubNubConfig
        const target = { channels: ["a"], groups: [], filter: undefined, state: undefined }
        const poll = Wire.poll(config, target, () => Queue.offerUnsafe(parts, ++number))
        const fiber = yield* Effect.forkChild(poll(config, { position: "17334108326343650", delivered: [] }))
        assert.strictEqual(yield* Queue.take(parts), 1)
        rest?.end("\"m\":[]}")
        assert.strictEqual((yield* Fiber.join(fiber)).position, "17334108326343660")
        assert.strictEqual(yield* Queue.take(parts), 2)
      }).pipe(Effect.provide(layer(options(port))))
    }).pipe(Effect.scoped))

  it.live("closes the connection of a file that is too large, unread", () =>
    Effect.gen(function*() {
      const closed = yield* Queue.unbounded<void>()
      const port = yield* served(Http.createServer((request, response) => {
        if (request.url?.startsWith("/v1/files/") === true) {
          response.writeHead(307, { location: `http://${request.headers.host}/storage` }).end()
          return
        }
        response.on("close", () => Queue.offerUnsafe(closed, undefined))
        response.writeHead(200, { "content-length": "9000000" }).write("x")
      }))
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(Files.downloadBytes({ channel: "c", id: "i", name: "n" }, { maxSize: 8 }))
        assert.strictEqual(error._tag, "FileTooLarge")
        yield* Queue.take(closed)
      }).pipe(Effect.provide(layer(options(port))))
    }).pipe(Effect.scoped))

  it.live("closes the connection after an interruption and a timeout", () =>
    Effect.gen(function*() {
      let opened = 0
      const closed = yield* Queue.unbounded<void>()
      const port = yield* served(Http.createServer((_, response) => {
        opened++
        response.on("close", () => Queue.offerUnsafe(closed, undefined))
        if (opened % 2 === 0) response.write("[")
      }))
      yield* Effect.gen(function*() {
        for (let turn = 0; turn < 2; turn++) {
          const fiber = yield* Effect.forkChild(Time.now)
          while (opened === 2 * turn) yield* Effect.sleep("1 millis")
          yield* Fiber.interrupt(fiber)
          yield* Queue.take(closed)
          const error = yield* Effect.flip(Time.now)
          assert(error.reason._tag === "Timeout")
          yield* Queue.take(closed)
        }
      }).pipe(Effect.provide(layer({ ...options(port), requestTimeout: "100 millis" })))
      assert.strictEqual(opened, 4)
    }).pipe(Effect.scoped), 20_000)

  it.live(
    "reports an unknown outcome when the connection breaks before or within the answer",
    () =>
      Effect.gen(function*() {
        const port = yield* served(Http.createServer((request, response) => {
          if (request.url?.includes("/first/") === true) {
            request.socket.destroy()
            return
          }
          response.writeHead(200, { "content-length": "34" })
          response.write("[1,")
          setTimeout(() => request.socket.destroy(), 20)
        }))
        yield* Effect.gen(function*() {
          for (const channel of ["first", "second"]) {
            const error = yield* Effect.flip(Publish.publish({ channel, message: 1 }))
            assert.strictEqual(error._tag, "PublishOutcomeUnknown")
          }
        }).pipe(Effect.provide(layer(options(port))))
      }).pipe(Effect.scoped),
    20_000
  )

  it.live("matches the answers of 200 concurrent requests", () =>
    Effect.gen(function*() {
      const port = yield* served(Http.createServer((request, response) => {
        const digits = /channel-(\d+)/.exec(request.url ?? "")?.[1] ?? ""
        setTimeout(() => response.end(`[1,"Sent","1${digits.padStart(16, "0")}"]`), Number(digits) % 7)
      }))
      const published = yield* Effect.forEach(
        Arr.range(0, 199),
        (index) => Publish.publish({ channel: `channel-${index}`, message: "é" }),
        { concurrency: 50 }
      ).pipe(Effect.provide(layer(options(port))))
      assert.deepStrictEqual(
        published.map(({ timetoken }): string => timetoken),
        Arr.range(0, 199).map((index) => `1${String(index).padStart(16, "0")}`)
      )
    }).pipe(Effect.scoped), 20_000)

  it.live("reports that nothing was sent when all addresses refuse the connection", () =>
    Effect.gen(function*() {
      const port = yield* Effect.scoped(served(Http.createServer()))
      const error = yield* Effect.flip(Publish.publish({ channel: "a", message: 1 })).pipe(
        Effect.provide(layer({ ...options(port), origin: `localhost:${port}` }))
      )
      assert(error._tag === "PubNubError" && error.reason._tag === "Transport")
      assert.isFalse(error.reason.sent)
    }), 20_000)
})

it.live(
  "fetch stops decompressing an answer of gzip at maxAnswerSize",
  () =>
    Effect.gen(function*() {
      // Members of gzip that follow each other are one text.
      const member = Zlib.gzipSync(Buffer.alloc(10_000_000, "["))
      const bomb = Buffer.concat(Array.from({ length: 30 }, () => member))
      assert.isBelow(bomb.length, 1_000_000)
      const port = yield* served(Http.createServer((_, response) => {
        response.writeHead(200, { "content-encoding": "gzip", "content-length": String(bomb.length) })
        response.end(bomb)
      }))
      const before = process.memoryUsage().arrayBuffers
      const [elapsed, error] = yield* Effect.timed(Effect.flip(Time.now)).pipe(
        Effect.provide(Layer.merge(PubNubConfig.layer(options(port)), FetchHttpClient.layer))
      )
      assert.strictEqual(error.reason._tag, "Malformed")
      assert.isBelow(Duration.toMillis(elapsed), 5_000)
      assert.isBelow(process.memoryUsage().arrayBuffers - before, 100_000_000)
    }).pipe(Effect.scoped),
  20_000
)

it.live(
  "streamAttachment reads more than maxAnswerSize, and getAttachment does not",
  () =>
    Effect.gen(function*() {
      const port = yield* served(Http.createServer((_, response) => response.end("YWJj".repeat(500_000))))
      const tokens = { sessionToken: Redacted.make("t"), keyManagerToken: undefined }
      const file = { streamId: sid, messageId: mid, attachmentId: "f" }
      yield* Effect.gen(function*() {
        const size = yield* Stream.runFold(
          Attachments.streamAttachment(file),
          () => 0,
          (size, bytes) => size + bytes.length
        )
        assert.strictEqual(size, 1_500_000)
        const error = yield* Effect.flip(Attachments.getAttachment(file))
        assert(error.reason._tag === "Malformed")
        assert.include(error.message, "larger than maxAnswerSize")
      }).pipe(
        Effect.provideService(Session.Session, { tokens: Effect.succeed(tokens), renew: Effect.succeed }),
        Effect.provide(Layer.merge(
          SymphonyConfig.layer({ scheme: "http", host: "127.0.0.1", port, maxAnswerSize: 1_000 }),
          FetchHttpClient.layer
        ))
      )
    }).pipe(Effect.scoped),
  20_000
)

// Made for these tests: of nobody, and good for nothing else.
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg6BbylCwdP89BECLq
qZpBt/cZQiz6Ne/Xjn7UA388niahRANCAASndF+9zZ12ecTRc/7GPRZEb8P1PoMO
TCTkF77MXRzXVKjjoxBfigvT52xbdp7SMhSawiEIOLh0GoEX3fm8DOpX
-----END PRIVATE KEY-----`
const cert = `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUQi6v0OrhwU3ihBtAkS9zQC1gdNowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEzMDAyMTQyNVoYDzIxMjYxMTA2
MDIxNDI1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASndF+9zZ12ecTRc/7GPRZEb8P1PoMOTCTkF77MXRzXVKjjoxBfigvT
52xbdp7SMhSawiEIOLh0GoEX3fm8DOpXo28wbTAdBgNVHQ4EFgQUC7kpT2U+6kA1
fvX5+U1Cggi3YXkwHwYDVR0jBBgwFoAUC7kpT2U+6kA1fvX5+U1Cggi3YXkwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDSQAwRgIhALxu6gSHFT6n9PAMlnrcPzy4wtmrYUVKg+GpGzBtdtFeAiEA
/M9Hz9vsWxyj9lXoowRmnPmV2+OFwMDF4rDTpqvfjas=
-----END CERTIFICATE-----`
