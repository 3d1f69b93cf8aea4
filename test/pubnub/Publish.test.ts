import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { Publish, PubNubConfig, type PubNubError } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, Transport } from "effect-herald/testing"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"

const sent = "[1,\"Sent\",\"17334108326343660\"]"

const scripted = (...answers: ReadonlyArray<Transport.Answer>) =>
  Layer.merge(
    Transport.layerScripted(answers),
    PubNubConfig.layer({ subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ada", origin: "host", tls: false })
  )

const exchanges = Transport.Exchanges.use(({ all }) => all)

const reasonOf = (error: Publish.PublishError): PubNubError.Reason["_tag"] | Publish.PublishError["_tag"] =>
  error._tag === "PubNubError" ? error.reason._tag : error._tag

describe("publish", () => {
  it.effect("delivers the message with its metadata, type and time to live, and returns its timetoken", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const { timetoken } = yield* Publish.publish({
        channel: "room #1/ü",
        message: { text: "it's 50% (ok)!*~ 😀" },
        meta: { priority: "high" },
        store: true,
        ttl: "12 hours",
        customMessageType: "chat-msg"
      })
      assert.deepStrictEqual(yield* emulator.messages({ channel: "room #1/ü" }), [{
        channel: "room #1/ü",
        timetoken,
        payload: { text: "it's 50% (ok)!*~ 😀" },
        meta: { priority: "high" },
        publisher: "ada",
        customMessageType: "chat-msg",
        ttl: Duration.hours(12)
      }])
    }).pipe(Effect.provide(emulated())))

  it.effect("sends only the options that the caller gave", () =>
    Effect.gen(function*() {
      yield* Publish.publish({ channel: "a", message: 1 })
      yield* Publish.publish({ channel: "a", message: 1, store: false, replicate: false, ttl: "Infinity" })
      const [plain, asked] = (yield* requestsTo("/publish")).map(queryOf)
      assert.deepStrictEqual([...plain!.keys()], ["uuid", "pnsdk"])
      assert.deepStrictEqual([asked!.get("store"), asked!.get("norep"), asked!.get("ttl")], ["0", "true", "0"])
    }).pipe(Effect.provide(emulated())))

  it.effect.each([0, false, "", null, [], {}])(
    "publishes %j, by GET and by POST",
    (message) =>
      Effect.gen(function*() {
        const emulator = yield* PubNubEmulator.PubNubEmulator
        yield* Publish.publish({ channel: "a", message, method: "GET" })
        yield* Publish.publish({ channel: "a", message, method: "POST" })
        assert.deepStrictEqual((yield* emulator.messages({ channel: "a" })).map((stored) => stored.payload), [
          message,
          message
        ])
      }).pipe(Effect.provide(emulated()))
  )

  it.effect("chooses GET for a short address and POST for a long one, unless the caller names a method", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      for (const length of [10, 400, 1_000]) yield* Publish.publish({ channel: "a", message: "x".repeat(length) })
      // Only the escaped text is long.
      yield* Publish.publish({ channel: "a", message: " ".repeat(400) })
      assert.deepStrictEqual((yield* emulator.requests).map(({ method }) => method), ["GET", "GET", "POST", "POST"])
      yield* Publish.publish({ channel: "a", message: "short", method: "POST" })
      assert.strictEqual((yield* emulator.requests).at(-1)?.method, "POST")
      const refused = yield* Effect.flip(Publish.publish({ channel: "a", message: "x".repeat(1_000), method: "GET" }))
      assert.strictEqual(refused._tag, "PubNubError")
      assert.strictEqual((yield* emulator.messages({ channel: "a" })).length, 5)
    }).pipe(Effect.provide(emulated({ config: { maxUrlSize: 600 } }))))

  it.effect.each(
    [
      ["a message", { message: "x".repeat(1_000), method: "GET" }, "message", /maxUrlSize is 600: .*"POST"/],
      ["metadata", { message: 1, meta: { m: "x".repeat(1_000) } }, "meta", /maxUrlSize is 600: send less of it/]
    ] as const
  )(
    "refuses %s that makes the address too long, and says what to change",
    ([, what, location, text]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Publish.publish({ channel: "a", ...what }))
        if (error._tag !== "PubNubError" || error.reason._tag !== "BadRequest") return assert.fail(error._tag)
        assert.deepStrictEqual(error.reason.details.map((detail) => detail.location), [location])
        assert.match(error.message, text)
      }).pipe(Effect.provide(emulated({ config: { maxUrlSize: 600 } })))
  )

  it.effect("sends a prepared message as it was when it was prepared, any number of times", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const [message, meta] = [{ n: 1 }, { m: 1 }]
      const send = yield* Publish.prepare({ channel: "a", message, meta })
      message.n = 2
      meta.m = 2
      yield* send
      yield* send
      const sent = (yield* emulator.messages({ channel: "a" })).map(({ payload: message, meta }) => ({ message, meta }))
      assert.deepStrictEqual<unknown>(sent, [{ message: { n: 1 }, meta: { m: 1 } }, {
        message: { n: 1 },
        meta: { m: 1 }
      }])
    }).pipe(Effect.provide(emulated())))

  it.effect("encodes dates and big integers by the schema of the message", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const Order = Schema.Struct({ id: Schema.BigInt, placed: Schema.DateTimeUtc })
      yield* Publish.publish({
        channel: "orders",
        message: { id: 12345678901234567890n, placed: DateTime.makeUnsafe(0) },
        schema: Order
      })
      const [stored] = yield* emulator.messages({ channel: "orders" })
      assert.deepStrictEqual(stored!.payload, { id: "12345678901234567890", placed: "1970-01-01T00:00:00.000Z" })
    }).pipe(Effect.provide(emulated())))
})

describe("fire and signal", () => {
  it.effect("fire sends store=0 and norep=true, and the message is not stored", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const { timetoken } = yield* Publish.fire({ channel: "a", message: { x: 1 }, meta: { m: 1 } })
      yield* Publish.fire({ channel: "a", message: { x: 2 }, method: "POST" })
      yield* Publish.fire({ channel: "a", message: { x: 3n }, schema: Schema.Struct({ x: Schema.BigInt }) })
      assert.match(timetoken, /^\d{17}$/)
      assert.deepStrictEqual(yield* emulator.messages({ channel: "a" }), [])
      const requests = yield* requestsTo("/publish")
      for (const query of requests.map(queryOf)) {
        assert.deepStrictEqual([query.get("store"), query.get("norep")], ["0", "true"])
      }
      assert.deepStrictEqual(requests.map(({ method }) => method), ["GET", "POST", "GET"])
      assert.strictEqual(queryOf(requests[0]!).get("meta"), "{\"m\":1}")
      assert.include(decodeURIComponent(requests[2]!.target), "{\"x\":\"3\"}")
    }).pipe(Effect.provide(emulated())))

  it.effect("publish, fire and signal return the timetoken of the answer", () =>
    Effect.gen(function*() {
      const sends = [Publish.publish, Publish.fire, Publish.signal]
      for (const [index, send] of sends.entries()) {
        const { timetoken } = yield* send({ channel: "a", message: 1 }).pipe(
          Effect.provide(Transport.layerScripted([{ body: `[1,"Sent","1790574124638396${index}"]` }]))
        )
        assert.strictEqual(String(timetoken), `1790574124638396${index}`)
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("signal sends its type, and counts only the message against the limit of 64 bytes", () =>
    Effect.gen(function*() {
      const channel = "a".repeat(500)
      yield* Publish.signal({ channel, message: "é".repeat(31), customMessageType: "typing" })
      const [request] = yield* requestsTo("/signal")
      assert.strictEqual(queryOf(request!).get("custom_message_type"), "typing")
      const error = yield* Effect.flip(Publish.signal({ channel, message: "é".repeat(32) }))
      if (error._tag !== "MessageTooLarge") return assert.fail(error._tag)
      assert.deepInclude({ ...error }, { size: 66, limit: 64, refusedBy: "client", operation: "Publish.signal" })
      assert.include(error.message, "set maxSignalSize of PubNubConfig")
      assert.strictEqual((yield* requestsTo("/signal")).length, 1)
      yield* Publish.signal({ channel, message: 5n, schema: Schema.BigInt })
      assert.include(decodeURIComponent((yield* requestsTo("/signal")).at(-1)!.target), "/0/\"5\"?")
    }).pipe(Effect.provide(emulated())))

  it.effect("signal refuses a message above maxSignalSize of the configuration", () =>
    Effect.gen(function*() {
      yield* Publish.signal({ channel: "a", message: "x".repeat(66) })
      const error = yield* Effect.flip(Publish.signal({ channel: "a", message: "x".repeat(67) }))
      if (error._tag !== "MessageTooLarge") return assert.fail(error._tag)
      assert.strictEqual(error.limit, 68)
    }).pipe(Effect.provide(emulated({ config: { maxSignalSize: 68 }, emulator: { limits: { maxSignalSize: 100 } } }))))
})

describe("size", () => {
  it.effect("counts the bytes of the escaped message, channel and metadata", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Publish.size({ channel: "a b", message: "é" }), "%22%C3%A9%22".length + "a%20b".length)
      assert.strictEqual(
        yield* Publish.size({ channel: "a", message: 1, meta: { x: 1 } }),
        1 + 1 + "%7B%22x%22%3A1%7D".length
      )
      const error = yield* Effect.flip(Publish.size({ channel: "", message: undefined }))
      assert.deepStrictEqual(error.reason.details.map(({ location }) => location), ["channel", "message"])
    }))

  it.effect("refuses a message above maxMessageSize before it sends a request", () =>
    Effect.gen(function*() {
      const fits = "x".repeat(100 - 1 - "%22%22".length)
      yield* Publish.publish({ channel: "a", message: fits })
      for (const method of ["GET", "POST"] as const) {
        const error = yield* Effect.flip(Publish.publish({ channel: "a", message: `${fits}x`, method }))
        if (error._tag !== "MessageTooLarge") return assert.fail(error._tag)
        assert.deepInclude({ ...error }, { size: 101, limit: 100, refusedBy: "client", channel: "a" })
      }
      assert.strictEqual((yield* requestsTo("/publish")).length, 1)
    }).pipe(Effect.provide(emulated({ config: { maxMessageSize: 100 } }))))

  it.effect("fails with MessageTooLarge of the service when the service has a smaller limit", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Publish.publish({ channel: "a", message: "x".repeat(200) }))
      if (error._tag !== "MessageTooLarge") return assert.fail(error._tag)
      assert.strictEqual(error.refusedBy, "service")
      assert.notInclude(error.message, "maxMessageSize")
    }).pipe(Effect.provide(emulated({ emulator: { limits: { maxMessageSize: 100 } } }))))
})

describe("bad input is refused before a request is made", () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle

  const inputs: ReadonlyArray<readonly [string, string, Publish.PublishOptions]> = [
    ["no channel", "channel", { channel: "", message: 1 }],
    ["a comma", "channel", { channel: "a,b", message: 1 }],
    ["a wildcard", "channel", { channel: "a.*", message: 1 }],
    ["a control character", "channel", { channel: "a\u0007", message: 1 }],
    ["a dot segment", "channel", { channel: "..", message: 1 }],
    ["half a surrogate pair", "channel", { channel: "\ud800", message: 1 }],
    ["a long channel", "channel", { channel: "x".repeat(3_000), message: 1 }],
    ["a presence channel", "channel", { channel: "a-pnpres", message: 1 }],
    ["undefined", "message", { channel: "a", message: undefined }],
    ["a bigint", "message", { channel: "a", message: { deep: [1n] } }],
    ["a function", "message", { channel: "a", message: () => 1 }],
    ["a cycle", "message", { channel: "a", message: cycle }],
    ["NaN", "message", { channel: "a", message: Number.NaN }],
    ["metadata with a big integer", "meta", { channel: "a", message: 1, meta: { x: 1n } }],
    ["metadata that JSON writes as null", "meta", { channel: "a", message: 1, meta: { toJSON: () => null } }],
    ["a ttl of half an hour", "ttl", { channel: "a", message: 1, ttl: "30 minutes" }],
    ["a ttl that is a number of hours", "ttl", { channel: "a", message: 1, ttl: 12 }],
    ["a ttl of 0", "ttl", { channel: "a", message: 1, ttl: 0 }],
    ["a ttl that is no duration", "ttl", { channel: "a", message: 1, ttl: "long" as never }],
    ["a negative ttl", "ttl", { channel: "a", message: 1, ttl: "-1 hours" }],
    ["a short type", "customMessageType", { channel: "a", message: 1, customMessageType: "ab" }],
    ["a type with a space", "customMessageType", { channel: "a", message: 1, customMessageType: "a b c" }]
  ]

  it.effect.each(inputs)("%s", ([, location, options]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Publish.publish(options))
      if (error._tag !== "PubNubError" || error.reason._tag !== "BadRequest") return assert.fail(error.message)
      assert.deepStrictEqual(error.reason.details.map((detail) => detail.location), [location])
      assert.isFalse("status" in error.reason)
      assert.include(error.message, "Nothing was sent")
      assert.deepStrictEqual(yield* exchanges, [])
    }).pipe(Effect.provide(scripted({ body: sent }))))

  it.effect("a message that does not match its schema", () =>
    Effect.gen(function*() {
      const Positive = Schema.Int.pipe(Schema.check(Schema.isGreaterThan(0)))
      const error = yield* Effect.flip(Publish.publish({ channel: "a", message: -1, schema: Positive }))
      assert.strictEqual(reasonOf(error), "BadRequest")
      assert.deepStrictEqual(yield* exchanges, [])
    }).pipe(Effect.provide(scripted({ body: sent }))))

  it.effect.each(
    [
      ["an unset publish key", { publishKey: undefined }, "InvalidKey"],
      ["an unset subscribe key", { subscribeKey: "" }, "InvalidKey"],
      ["a blank user id", { userId: "  " }, "BadRequest"],
      ["an origin with a scheme", { origin: "https://ps.pndsn.com" }, "BadRequest"],
      ["an origin with a path", { origin: "ps.pndsn.com/x" }, "BadRequest"],
      ["no origin", { origin: "" }, "BadRequest"],
      ["a key with a slash", { publishKey: "a/b" }, "BadRequest"],
      ["a timeout of 0", { requestTimeout: 0 }, "BadRequest"]
    ] as const
  )("%s", ([, change, tag]) =>
    Effect.gen(function*() {
      const error = yield* Publish.publish({ channel: "a", message: 1 }).pipe(
        Effect.flip,
        Effect.provide(PubNubConfig.layer({
          subscribeKey: "demo-sub",
          publishKey: "demo-pub",
          userId: "ada",
          origin: "host",
          ...change
        }))
      )
      assert.strictEqual(reasonOf(error), tag)
      assert.deepStrictEqual(yield* exchanges, [])
    }).pipe(Effect.provide(Transport.layerScripted([{ body: sent }]))))
})

describe("publish reports the true outcome", () => {
  const outcomes: ReadonlyArray<readonly [string, Transport.Answer, string]> = [
    ["refused connection", { failure: "ECONNREFUSED" }, "Transport"],
    ["unknown host", { failure: "ENOTFOUND" }, "Transport"],
    ["DNS that does not answer", { failure: "EAI_AGAIN" }, "Transport"],
    ["connect timeout", { failure: "UND_ERR_CONNECT_TIMEOUT" }, "Transport"],
    ["reset", { failure: "ECONNRESET" }, "PublishOutcomeUnknown"],
    ["closed socket", { failure: "UND_ERR_SOCKET" }, "PublishOutcomeUnknown"],
    ["no answer", { never: true }, "PublishOutcomeUnknown"],
    ["502 of a proxy", { status: 502, body: "<html>Bad Gateway</html>" }, "PublishOutcomeUnknown"],
    [
      "504 of the service",
      { status: 504, body: "{\"status\":504,\"error\":true,\"message\":\"took too long\"}" },
      "PublishOutcomeUnknown"
    ],
    ["200 of a proxy", { status: 200, body: "<html>Welcome to the hotel</html>" }, "PublishOutcomeUnknown"],
    ["200 with an empty body", { status: 200, body: "" }, "PublishOutcomeUnknown"],
    ["200 with half of the body", { status: 200, body: "[1,\"Sent\",\"1733410" }, "PublishOutcomeUnknown"],
    ["200 with a short timetoken", { body: "[1,\"Sent\",\"1733410832\"]" }, "PublishOutcomeUnknown"],
    [
      "500 of the service",
      { status: 500, body: "{\"status\":500,\"error\":true,\"message\":\"oops\"}" },
      "ServerFailure"
    ],
    ["[0] in a 200", { body: "[0,\"Account disabled\",\"17334108326343660\"]" }, "BadRequest"],
    ["[0] Invalid Key", { status: 400, body: "[0,\"Invalid Key\",\"17334108326343660\"]" }, "InvalidKey"],
    ["a 403 in a 200", { body: "{\"status\":403,\"error\":true,\"message\":\"Forbidden\"}" }, "AccessDenied"],
    ["[0] Message Too Large", { status: 400, body: "[0,\"Message Too Large\",\"1\"]" }, "MessageTooLarge"],
    ["413 of a proxy", { status: 413, body: "" }, "MessageTooLarge"],
    ["414", {
      status: 414,
      body: "{\"status\":414,\"service\":\"Balancer\",\"error\":true,\"message\":\"Request URI Too Long\"}"
    }, "MessageTooLarge"],
    ["429", { status: 429, headers: { "retry-after": "3" }, body: "{\"status\":429}" }, "RateLimited"],
    ["403 of a proxy", { status: 403, body: "<html>no</html>" }, "PublishOutcomeUnknown"],
    ["404 with an empty body", { status: 404, body: "" }, "PublishOutcomeUnknown"],
    ["403 of a gateway in JSON", { status: 403, body: "{\"message\":\"Forbidden\"}" }, "PublishOutcomeUnknown"],
    ["408 of the service", { status: 408, body: "{\"status\":408,\"error\":true}" }, "PublishOutcomeUnknown"],
    ["a redirect with the body of a success", { status: 302, body: sent }, "PublishOutcomeUnknown"],
    ["402", { status: 402, body: "{\"message\":\"Not available for used key set\"}" }, "FeatureDisabled"]
  ]

  it.effect.each(outcomes)(
    "fails with the right error after one request: %s",
    ([, answer, expected]) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Effect.flip(Publish.publish({ channel: "a", message: 1 })))
        yield* TestClock.adjust("16 seconds")
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(reasonOf(error), expected)
        assert.isNotEmpty(error.message)
        assert.strictEqual((yield* exchanges).length, 1, "sent once")
      }).pipe(Effect.provide(scripted(answer)))
  )

  it.effect("fails with PublishOutcomeUnknown when the message was stored and the answer was lost", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const error = yield* Effect.flip(Publish.publish({ channel: "a", message: 1 }))
      assert.strictEqual(error._tag, "PublishOutcomeUnknown")
      assert.isFalse(error.isRetryable)
      assert.strictEqual((yield* emulator.messages({ channel: "a" })).length, 1)
    }).pipe(Effect.provide(emulated({ script: [{ on: "publish", fault: Faults.Fault.ResetBeforeAnswer() }] }))))

  it.effect("gives the wait of Retry-After, written in seconds or as a date", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.parse("Wed, 21 Oct 2026 07:28:00 GMT"))
      for (let i = 0; i < 2; i++) {
        const error = yield* Effect.flip(Publish.publish({ channel: "a", message: 1 }))
        if (error._tag !== "PubNubError") return assert.fail(error._tag)
        assert.deepStrictEqual(error.retryAfter, Duration.seconds(60))
        assert.isTrue(error.isRetryable)
        assert.include(error.message, "Wait 60 s")
      }
    }).pipe(Effect.provide(scripted(
      { status: 429, headers: { "retry-after": "60" }, body: "{}" },
      { status: 429, headers: { "retry-after": "Wed, 21 Oct 2026 07:29:00 GMT" }, body: "{}" }
    ))))
})

it.effect("publish aborts its request when it is interrupted", () => {
  let aborted = 0
  const client = HttpClient.make(() => Effect.onInterrupt(Effect.never, () => Effect.sync(() => aborted++)))
  return Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(Publish.publish({ channel: "a", message: 1 }))
    yield* TestClock.adjust("1 second")
    assert.strictEqual(aborted, 0)
    yield* Fiber.interrupt(fiber)
    assert.strictEqual(aborted, 1)
  }).pipe(Effect.provide([
    Layer.succeed(HttpClient.HttpClient, client),
    PubNubConfig.layer({ subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ada", origin: "host" })
  ]))
})
