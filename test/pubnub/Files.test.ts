import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Access, Encryption, Files, History, PubNubConfig, RenewingToken, Subscribe } from "effect-herald/pubnub"
import { Faults, PubNubEmulator } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import { emulated, queryOf, requestsTo, start } from "../kit/emulated.ts"
import { failNext } from "../kit/failNext.ts"

const { Fault } = Faults
const emulator = PubNubEmulator.PubNubEmulator
const channel = "chat #1/ü"
const text = "Knights who say Ni!"
const once = { retry: Schedule.recurs(0) }

const stored = emulator.use((service) => service.files({ channel }))
const storedText = Effect.map(stored, (files) => files.map(({ content }) => new TextDecoder().decode(content)))
const put = (name: string, content: string | Uint8Array = text) =>
  emulator.use((service) => service.putFile({ channel, name, content })).pipe(
    Effect.map(({ id, name }) => ({ channel, id, name }))
  )
const targets = Effect.map(
  requestsTo("/"),
  (requests) => requests.map(({ method, target }) => `${method} ${target.split("?")[0]?.split("/")[1]}`).join(", ")
)
const injected = Faults.Faults.use((faults) => faults.injected)
const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>, duration: "2 minutes" | "10 minutes" = "10 minutes") =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(effect)
    yield* TestClock.adjust(duration)
    return yield* Fiber.join(fiber)
  })
const details = (error: { readonly _tag: string; readonly reason?: { readonly _tag: string } }) =>
  error.reason !== undefined && "details" in error.reason && Array.isArray(error.reason.details)
    ? error.reason.details.map(({ location, message }: { location?: string; message: string }) =>
      `${location} ${message}`
    )
    : assert.fail(`${error._tag} is no refusal of input`)

describe("Files.send", () => {
  const parts = Stream.make("Knights ", "who say Ni!").pipe(Stream.map((part) => new TextEncoder().encode(part)))
  type Send = (
    options: Files.FileOptions
  ) => Effect.Effect<Files.Sent, Files.SendError, HttpClient.HttpClient | PubNubConfig.PubNubConfig>
  const contents: ReadonlyArray<readonly [string, Send]> = [
    ["text", (options) => Files.send({ ...options, content: text })],
    ["bytes", (options) => Files.send({ ...options, content: new TextEncoder().encode(text) })],
    ["a Blob", (options) => Files.send({ ...options, content: new Blob([text], { type: "text/x-knight" }) })],
    ["a stream", (options) => Files.send({ ...options, content: parts, size: text.length })]
  ]
  for (const [what, send] of contents) {
    it.effect(`uploads and announces ${what}`, () =>
      Effect.gen(function*() {
        const { id, name, timetoken } = yield* send({ channel, name: "a b ☃.txt", message: { hi: 1 }, meta: { m: 1 } })
        const [file] = yield* stored
        assert.deepStrictEqual({ ...file, content: new TextDecoder().decode(file?.content) }, {
          id,
          name,
          content: text,
          contentType: what === "a Blob" ? "text/x-knight" : "text/plain; charset=utf-8",
          created: DateTime.makeUnsafe(start)
        })
        assert.strictEqual(name, "a b ☃.txt")
        const { items: [entry] } = yield* History.list({ channel })
        assert.deepStrictEqual(entry, {
          _tag: "StoredFile",
          channel,
          timetoken,
          publisher: "ada",
          file: { id, name },
          payload: { hi: 1 },
          meta: { m: 1 }
        })
      }).pipe(Effect.provide(emulated())))
  }

  it.effect("gives a subscriber an event that a download takes as it is", () =>
    Effect.gen(function*() {
      const heard = yield* Effect.forkChild(
        Subscribe.files({ channels: [channel] }).pipe(
          Stream.take(1),
          Stream.flatMap((event) => Files.download(event)),
          Stream.decodeText,
          Stream.mkString
        )
      )
      yield* TestClock.adjust("1 second")
      yield* Files.send({ channel, name: "a.txt", content: text, customMessageType: "cat-pic", store: false })
      assert.strictEqual(yield* Fiber.join(heard), text)
      assert.deepStrictEqual((yield* History.list({ channel })).items, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("encodes the message with its schema", () =>
    Effect.gen(function*() {
      const schema = Schema.Struct({ at: Schema.DateTimeUtc })
      yield* Files.send({ channel, name: "a", content: "", message: { at: DateTime.makeUnsafe(0) }, schema })
      const { items: [entry] } = yield* History.list({ channel })
      assert.deepInclude(entry as object, { payload: { at: "1970-01-01T00:00:00.000Z" } })
      const bad = yield* Effect.flip(Files.send({ channel, name: "a", content: "", message: 1 as never, schema }))
      assert.match(details(bad as never).join(), /^message does not match its schema/)
    }).pipe(Effect.provide(emulated())))

  it.effect("sends the content type in place of the guess of the service", () =>
    Effect.gen(function*() {
      yield* Files.send({ channel, name: "a.txt", content: text, contentType: "text/x-log" })
      assert.deepStrictEqual((yield* stored).map(({ contentType }) => contentType), ["text/x-log"])
    }).pipe(Effect.provide(emulated())))

  const odd: { readonly [input: string]: readonly [options: object, complaint: RegExp] } = {
    "an empty name": [{ name: "" }, /^name is empty$/],
    "a name with a slash": [{ name: "a/b" }, /^name has a slash/],
    "a name with a backslash": [{ name: "a\\b" }, /^name has a backslash/],
    "the name .": [{ name: "." }, /^name is a dot segment/],
    "the name ..": [{ name: ".." }, /^name is a dot segment/],
    "a way out": [{ name: "../../a" }, /^name has a slash/],
    "a name with a line feed": [{ name: "a\nb" }, /^name has a control character$/],
    "a name with a null": [{ name: "a\0" }, /^name has a control character$/],
    "a name with DEL": [{ name: "a\x7f" }, /^name has a control character$/],
    "a name with a C1 character": [{ name: "a\x85" }, /^name has a control character$/],
    "half of a surrogate pair": [{ name: "a\ud800" }, /^name has an unpaired surrogate$/],
    "a name that is a number": [{ name: 1 }, /^name is 1, not text$/],
    "no name": [{ name: undefined }, /^name is undefined, not text$/],
    "no content": [{ content: undefined }, /^content is undefined, neither bytes nor text nor a stream$/],
    "content with half of a surrogate pair": [{ content: "\ud800" }, /^content has an unpaired surrogate$/],
    "a stream without a size": [{ content: Stream.empty }, /^size is undefined, not a whole number/],
    "a stream with a size below zero": [{ content: Stream.empty, size: -1 }, /^size is -1/],
    "a size beside text": [{ size: 1 }, /^size is given, and only a stream needs it$/],
    "a wildcard": [{ channel: "a.*" }, /^channel /],
    "a presence channel": [{ channel: "a-pnpres" }, /^channel ends in -pnpres/],
    "an empty channel": [{ channel: "" }, /^channel is empty/],
    "a type that is none": [{ contentType: "text" }, /^contentType is not a media type$/],
    "a type with a line feed": [{ contentType: "a/b\r\nx: y" }, /^contentType is not a media type$/],
    "a ttl of half an hour": [{ ttl: "30 minutes" }, /^ttl is not a whole number of hours$/],
    "meta that is a list": [{ meta: [] }, /^meta is a list, not an object$/],
    "a message with NaN": [{ message: Number.NaN }, /^message cannot be carried by JSON/],
    "a label that is too short": [{ customMessageType: "a" }, /^customMessageType must be 3/],
    "store that is no flag": [{ store: 1 }, /^store is 1/],
    "settleUnknown that is no flag": [{ settleUnknown: 1 }, /^settleUnknown is 1/],
    "an upload timeout of zero": [{ uploadTimeout: 0 }, /^uploadTimeout is 0/],
    "a retry without pauses": [{ retry: { base: 0 } }, /^retry.base is 0/],
    "a message that is too long": [{ message: "x".repeat(40_000) }, /^message makes a URL of 40\d{3} bytes/],
    "metadata that is too long": [{ meta: { x: "x".repeat(40_000) } }, /^meta makes a URL of 40\d{3} bytes/]
  }
  it.effect("refuses wrong input of every kind before anything is sent", () =>
    Effect.gen(function*() {
      for (const [input, [options, complaint]] of Object.entries(odd)) {
        const given = { channel, name: "a", content: "x", ...options } as Files.SendOptions
        assert.match(details(yield* Effect.flip(Files.send(given))).join(), complaint, input)
      }
      assert.deepStrictEqual(yield* requestsTo("/"), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("refuses input that throws, and a missing publish key", () =>
    Effect.gen(function*() {
      const thrower = new Proxy({} as Files.SendOptions, {
        ownKeys: () => {
          throw new Error("no")
        }
      })
      assert.match(details(yield* Effect.flip(Files.send(thrower))).join(), /cannot be read: Error: no/)
      const config = PubNubConfig.make({ subscribeKey: "demo-sub", userId: "ada" })
      const error = yield* Files.send({ channel, name: "a", content: "" }).pipe(
        Effect.provideService(PubNubConfig.PubNubConfig, config),
        Effect.flip
      )
      assert.deepInclude(error._tag === "PubNubError" ? error.reason : error, { _tag: "InvalidKey", key: "publish" })
      assert.deepStrictEqual(yield* requestsTo("/"), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("does not upload what is larger than the policy allows", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Files.send({ channel, name: "a", content: "12345" }))
      assert.deepInclude(error, { _tag: "FileTooLarge", size: 5, limit: 4, refusedBy: "client" })
      assert.match(error.message, /"a" has 5 bytes; the limit is 4. Nothing was uploaded/)
      assert.strictEqual(yield* targets, "POST v1")
      assert.strictEqual((yield* Files.send({ channel, name: "a", content: "1234" })).name, "a")
    }).pipe(Effect.provide(emulated({ emulator: { limits: { maxFileSize: 4 } } }))))

  it.effect("fails when the stream has more or fewer bytes, or fails, and tells nobody", () =>
    Effect.gen(function*() {
      const three = Stream.make(new Uint8Array(2), new Uint8Array(1))
      for (const [size, complaint] of [[2, /the stream has more/], [4, /the stream has 3 bytes/]] as const) {
        const error = yield* Effect.flip(Files.send({ channel, name: "a", content: three, size }))
        assert.match(details(error as never).join(), complaint)
      }
      const broken = Stream.concat(three, Stream.fail("disk" as const))
      const error = yield* Effect.flip(Files.send({ channel, name: "a", content: broken, size: 4 }))
      assert.deepInclude(error, { _tag: "ContentFailed", cause: "disk" })
      const lengthy = Stream.fail(new Error("disk ".repeat(10_000)))
      assert.isBelow(
        (yield* Effect.flip(Files.send({ channel, name: "a", content: lengthy, size: 4 }))).message.length,
        1_200
      )
      assert.deepStrictEqual(yield* stored, [])
      assert.deepStrictEqual((yield* History.list({ channel })).items, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("reads a stream again for another attempt", () =>
    Effect.gen(function*() {
      let runs = 0
      const content = Stream.suspend(() => {
        runs++
        return Stream.make(new TextEncoder().encode(text))
      })
      yield* inTime(Files.send({ channel, name: "a", content, size: text.length }))
      assert.strictEqual(runs, 2)
      assert.deepStrictEqual(yield* storedText, [text])
      assert.strictEqual(yield* targets, "POST v1, POST _storage, POST _storage, GET v1")
    }).pipe(Effect.provide(emulated({ script: [{ on: "fileUpload", fault: Fault.ResetBeforeAnswer() }] }))))

  it.effect("uploads again with a new form when the old one is too old", () =>
    Effect.gen(function*() {
      const script = {
        on: "fileUpload",
        fault: Fault.Answer({ status: 502, headers: { "retry-after": "70" } })
      } as const
      yield* Faults.Faults.use((faults) => faults.add(script))
      const { id } = yield* inTime(Files.send({ channel, name: "a", content: text, retry: { maxAttempts: 2 } }))
      assert.deepStrictEqual((yield* stored).map((file) => file.id), [id])
      assert.strictEqual(yield* targets, "POST v1, POST v1, POST _storage, GET v1")
    }).pipe(Effect.provide(emulated())))

  it.effect("asks for one new form when the storage says that the form expired", () =>
    Effect.gen(function*() {
      yield* inTime(Files.send({ channel, name: "a", content: text }))
      assert.strictEqual(yield* targets, "POST v1, POST v1, POST _storage, GET v1")
      yield* Faults.Faults.use((faults) =>
        faults.add({ on: "fileUpload", fault: Fault.StorageRefused({ refusal: "PolicyExpired" }), times: 9 })
      )
      const error = yield* inTime(Effect.flip(Files.send({ channel, name: "a", content: text })))
      assert.deepInclude(error, { _tag: "StorageRefused", kind: "expired", code: "AccessDenied", status: 403 })
      assert.strictEqual((yield* injected).length, 3)
    }).pipe(
      Effect.provide(
        emulated({ script: [{ on: "fileUpload", fault: Fault.StorageRefused({ refusal: "PolicyExpired" }) }] })
      )
    ))

  const refusals: ReadonlyArray<readonly [Faults.StorageRefusal, object, attempts: number]> = [
    ["EntityTooLarge", { _tag: "FileTooLarge", size: 19, limit: 5_242_880, refusedBy: "service" }, 1],
    ["EntityTooSmall", { _tag: "StorageRefused", kind: "other", code: "EntityTooSmall", status: 400 }, 1],
    ["PolicyMismatch", { _tag: "StorageRefused", kind: "other", code: "AccessDenied", status: 403 }, 1],
    ["SignatureDoesNotMatch", { _tag: "StorageRefused", kind: "other", code: "SignatureDoesNotMatch" }, 1],
    ["MalformedPOSTRequest", { _tag: "StorageRefused", kind: "other", code: "MalformedPOSTRequest" }, 1],
    ["InvalidArgument", { _tag: "StorageRefused", kind: "other", code: "InvalidArgument" }, 1],
    ["AuthorizationQueryParametersError", { _tag: "StorageRefused", kind: "other" }, 1],
    ["MissingContentLength", { _tag: "StorageRefused", kind: "other", status: 411 }, 1],
    ["SlowDown", { _tag: "StorageRefused", kind: "busy", code: "SlowDown", status: 503 }, 3],
    ["InternalError", { _tag: "StorageRefused", kind: "busy", code: "InternalError", status: 500 }, 3]
  ]
  for (const [refusal, expected, attempts] of refusals) {
    it.effect(`fails with its own error when the storage says ${refusal}`, () =>
      Effect.gen(function*() {
        const error = yield* inTime(
          Effect.flip(Files.send({ channel, name: "a", content: text, retry: { maxAttempts: 3 } }))
        )
        assert.deepInclude(error, expected)
        assert.strictEqual((yield* injected).length, attempts)
      }).pipe(
        Effect.provide(
          emulated({ script: [{ on: "fileUpload", fault: Fault.StorageRefused({ refusal }), times: 9 }] })
        )
      ))
  }

  it.effect("takes the page of a proxy neither for a stored file nor for a refusal of the storage", () =>
    Effect.gen(function*() {
      for (const [status, reason] of [[200, "Malformed"], [403, "ServerFailure"]] as const) {
        yield* failNext({ on: "fileUpload", status, body: "<html>log in</html>" })
        const error = yield* Effect.flip(Files.send({ channel, name: "a", content: text, ...once }))
        assert.strictEqual(error._tag === "PubNubError" && error.reason._tag, reason)
        if (error._tag === "PubNubError") {
          assert.deepStrictEqual(error.request, { method: "POST", path: "{storage}" })
        }
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("says what is uploaded when it cannot be announced, so that only that is tried again", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Files.send({ channel, name: "a.txt", content: text }))
      if (error._tag !== "FileNotAnnounced") return assert.fail(error._tag)
      assert.strictEqual(error.reason._tag, "AccessDenied")
      assert.match(error.message, /"a.txt" \([0-9a-f-]{36}\) is uploaded, but not announced: Access denied/)
      assert.deepStrictEqual((yield* stored).map(({ id, name }) => ({ id, name })), [{
        id: error.id,
        name: error.name
      }])
      const { timetoken } = yield* Files.announce({ channel, id: error.id, name: error.name, message: 1 })
      const { items } = yield* History.list({ channel })
      assert.deepStrictEqual(items.map((entry) => entry.timetoken), [timetoken])
      assert.strictEqual((yield* stored).length, 1)
    }).pipe(Effect.provide(emulated({ script: [{ on: "fileAnnouncement", fault: Fault.AccessDenied() }] }))))

  it.effect("announces again what the service certainly did not take", () =>
    Effect.gen(function*() {
      yield* inTime(Files.send({ channel, name: "a", content: text }))
      assert.strictEqual((yield* History.list({ channel })).items.length, 1)
      assert.strictEqual((yield* injected).length, 2)
    }).pipe(Effect.provide(emulated({
      script: [
        { on: "fileAnnouncement", fault: Fault.ConnectionRefused() },
        { on: "fileAnnouncement", fault: Fault.RateLimited({ retryAfter: "3 seconds" }) }
      ]
    }))))

  const lost = [{ on: "fileAnnouncement", fault: Fault.ResetBeforeAnswer() }] as const

  it.effect("does not announce twice when the answer is lost, and history can tell", () =>
    Effect.gen(function*() {
      const error = yield* inTime(Effect.flip(Files.send({ channel, name: "a", content: text })))
      if (error._tag !== "AnnouncementOutcomeUnknown") return assert.fail(error._tag)
      const found = yield* Files.findAnnouncement(error)
      const { items: [entry] } = yield* History.list({ channel })
      assert.deepStrictEqual(Option.getOrUndefined(found)?.timetoken, entry?.timetoken)
      assert.isTrue(Option.isNone(yield* Files.findAnnouncement({ channel, id: "other", name: "a" })))
    }).pipe(Effect.provide(emulated({ script: lost }))))

  it.effect("finds a lost announcement by itself where it is asked to, also when history is behind", () =>
    Effect.gen(function*() {
      const { timetoken } = yield* inTime(Files.send({ channel, name: "a", content: text, settleUnknown: true }))
      const { items } = yield* History.list({ channel })
      assert.deepStrictEqual(items.map((entry) => entry.timetoken), [timetoken])
    }).pipe(Effect.provide(emulated({ script: lost, emulator: { historyDelay: "2 seconds" } }))))

  it.effect("says that it does not know when history does not have it", () =>
    Effect.gen(function*() {
      const fault = Fault.Answer({ status: 502, body: "<html>" })
      yield* Faults.Faults.use((faults) => faults.add({ on: "fileAnnouncement", fault }))
      const error = yield* inTime(
        Effect.flip(Files.send({ channel, name: "a", content: text, settleUnknown: true }))
      )
      assert.strictEqual(error._tag, "AnnouncementOutcomeUnknown")
    }).pipe(Effect.provide(emulated())))

  it.effect("leaves the file when it is interrupted after the upload", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Files.send({ channel, name: "a", content: text }))
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* stored).length, 1)
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* stored).length, 1)
      assert.deepStrictEqual((yield* History.list({ channel })).items, [])
    }).pipe(Effect.provide(emulated({ script: [{ on: "fileAnnouncement", fault: Fault.HalfOpen() }] }))))

  it.effect("gives up an upload after its timeout", () =>
    Effect.gen(function*() {
      const error = yield* inTime(
        Effect.flip(Files.send({ channel, name: "a", content: text, uploadTimeout: "3 seconds", ...once }))
      )
      assert.strictEqual(error._tag === "PubNubError" && error.reason._tag, "Timeout")
      assert.match(error.message, /within 3 s/)
    }).pipe(Effect.provide(emulated({ script: [{ on: "fileUpload", fault: Fault.HalfOpen() }] }))))

  it.effect("fails with FeatureDisabled where the keyset has no files", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Files.send({ channel, name: "a", content: text }))
      assert.deepInclude(error._tag === "PubNubError" ? error.reason : error, {
        _tag: "FeatureDisabled",
        addOn: "Files"
      })
    }).pipe(Effect.provide(emulated({ emulator: { addOns: { files: false } } }))))

  const forms: { readonly [what: string]: unknown } = {
    "an address that is none": { url: "storage", form_fields: [] },
    "an address without TLS": { url: "http://storage/", form_fields: [] },
    "a field without a name": { url: "https://storage/", form_fields: [{ value: "" }] },
    "no fields": { url: "https://storage/" }
  }
  for (const [what, request] of Object.entries(forms)) {
    it.effect(`fails with Malformed when the form has ${what}`, () =>
      Effect.gen(function*() {
        const body = { status: 200, data: { id: "1", name: "a" }, file_upload_request: request }
        yield* failNext({ on: "files", status: 200, body })
        const error = yield* Effect.flip(Files.send({ channel, name: "a", content: text, ...once }))
        assert.strictEqual(error._tag === "PubNubError" && error.reason._tag, "Malformed")
        assert.deepStrictEqual(yield* requestsTo("/_storage"), [])
      }).pipe(Effect.provide(emulated())))
  }
})

describe("a token that expires between the steps of Files.send", () => {
  /** Answers take so many seconds, each in turn. Tokens last a minute, and a form too. */
  const slow = (...seconds: ReadonlyArray<number>) => {
    const rest = [...seconds]
    return emulated({
      emulator: {
        addOns: { accessManager: true },
        latency: Effect.sync(() => Duration.seconds(rest.shift() ?? 0))
      },
      config: { requestTimeout: "5 minutes" }
    })
  }
  const granted = emulator.use((service) =>
    Effect.map(service.grant({ ttl: "1 minute", channels: { [channel]: ["write", "read"] } }), Redacted.make)
  )
  const renewing = Effect.map(
    Effect.context<PubNubEmulator.PubNubEmulator>(),
    (context) => RenewingToken.make(Effect.provideContext(granted, context))
  )
  const withToken = (authToken: PubNubConfig.AuthToken) =>
    Effect.updateService(PubNubConfig.PubNubConfig, (config) => ({ ...config, authToken }))
  const sent = Files.send({ channel, name: "a", content: text })
  const explained = Effect.provide(Access.layerExplanations)
  const tokensOf = Effect.map(
    requestsTo("/v1/files"),
    (requests) => new Set(requests.map((request) => queryOf(request).get("auth")))
  )

  it.effect("uploads with a form that outlives its token, and says that only the announcement is missing", () =>
    Effect.gen(function*() {
      const error = yield* inTime(Effect.flip(sent.pipe(withToken(yield* granted), explained)))
      if (error._tag !== "FileNotAnnounced" || error.reason._tag !== "AccessDenied") return assert.fail(error.message)
      assert.strictEqual(error.reason.explanation?._tag, "Expired")
      assert.deepStrictEqual(yield* storedText, [text])
      const { id } = yield* Files.announce(error).pipe(withToken(yield* granted))
      assert.strictEqual(id, error.id)
      assert.strictEqual(yield* targets, "POST v1, POST _storage, GET v1, GET v1")
    }).pipe(Effect.provide(slow(50, 20))))

  it.effect("announces with the next token where it renews itself", () =>
    Effect.gen(function*() {
      yield* inTime(sent.pipe(withToken(yield* renewing)))
      assert.strictEqual(yield* targets, "POST v1, POST _storage, GET v1")
      assert.strictEqual((yield* tokensOf).size, 2)
    }).pipe(Effect.provide(slow(50, 20))))

  it.effect("asks for a form once more when the first came too late, with the token that is valid then", () =>
    Effect.gen(function*() {
      yield* inTime(sent.pipe(withToken(yield* renewing)))
      assert.strictEqual(yield* targets, "POST v1, POST _storage, POST v1, POST _storage, GET v1")
      assert.strictEqual((yield* tokensOf).size, 2)
      assert.deepStrictEqual(yield* storedText, [text])
    }).pipe(Effect.provide(slow(70))))

  it.effect("stores nothing when the form came too late and the token has expired", () =>
    Effect.gen(function*() {
      const error = yield* inTime(Effect.flip(sent.pipe(withToken(yield* granted), explained)))
      if (error._tag !== "PubNubError" || error.reason._tag !== "AccessDenied") return assert.fail(error.message)
      assert.strictEqual(error.reason.explanation?._tag, "Expired")
      assert.deepStrictEqual(yield* storedText, [])
      assert.strictEqual(yield* targets, "POST v1, POST _storage, POST v1")
    }).pipe(Effect.provide(slow(70))))
})

describe("Files.list", () => {
  it.effect("gives pages by id, and a stream of all", () =>
    Effect.gen(function*() {
      const names = ["a", "b", "c", "d", "e"]
      for (const name of names) yield* put(name)
      const first = yield* Files.list({ channel, limit: 2 })
      const second = yield* Files.list({ channel, limit: 2, next: first.next })
      const third = yield* Files.list({ channel, limit: 2, next: second.next })
      assert.isUndefined(third.next)
      const all = [first, second, third].flatMap(({ items }) => items).filter(UndecodableItem.isDecoded)
      assert.deepStrictEqual(all.map(({ name }) => name).toSorted(), names)
      assert.deepStrictEqual(all.map(({ id }) => id), all.map(({ id }) => id).toSorted())
      assert.deepInclude(all[0], { channel, size: 19, created: DateTime.makeUnsafe(start) })
      assert.deepStrictEqual(yield* Stream.runCollect(Files.stream({ channel, pageSize: 2 })), all)
      assert.deepStrictEqual((yield* Files.list({ channel: "other" })).items, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("keeps an odd entry in its place, and the others", () =>
    Effect.gen(function*() {
      const good = { id: "1", name: "a", size: 1, created: "2025-05-05T17:29:24Z" }
      const odd = [null, { ...good, size: "1" }, { ...good, created: "soon" }, { ...good, id: undefined }, "x"]
      yield* failNext({ on: "files", status: 200, body: { status: 200, data: [...odd, good], next: null, count: 6 } })
      const { items } = yield* Files.list({ channel })
      assert.deepStrictEqual(items.map(UndecodableItem.isDecoded), [false, false, false, false, false, true])
      assert.deepStrictEqual(items.at(-1), { channel, ...good, created: DateTime.makeUnsafe(good.created) })
    }).pipe(Effect.provide(emulated())))

  it.effect("ends when the service gives a cursor again", () =>
    Effect.gen(function*() {
      const body = { status: 200, data: [], next: "x", count: 0 }
      yield* failNext({ on: "files", times: 9, status: 200, body })
      const error = yield* Effect.flip(Stream.runDrain(Files.stream({ channel })))
      assert.strictEqual(error.reason._tag, "Malformed")
    }).pipe(Effect.provide(emulated())))

  it.effect("refuses wrong options before anything is sent", () =>
    Effect.gen(function*() {
      for (const options of [{ limit: 0 }, { limit: 101 }, { limit: 1.5 }, { next: "" }, { channel: "a.*" }]) {
        const error = yield* Effect.flip(Files.list({ channel, ...options } as Files.ListOptions))
        assert.match(details(error).join(), new RegExp(`^${Object.keys(options).join()} `))
      }
      const error = yield* Effect.flip(Stream.runDrain(Files.stream({ channel, pageSize: 0 })))
      assert.match(details(error).join(), /^pageSize is 0/)
      assert.deepStrictEqual(yield* requestsTo("/"), [])
    }).pipe(Effect.provide(emulated())))
})

describe("Files.download", () => {
  const binary = Uint8Array.from({ length: 1_000 }, (_, index) => index % 256)

  it.effect("gives bytes and text, and sends no token to the storage", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Files.downloadBytes(yield* put("a", binary)), binary)
      assert.strictEqual(yield* Files.downloadText(yield* put("ü %2F?")), text)
      const storage = yield* requestsTo("/_storage")
      assert.strictEqual(storage.length, 2)
      for (const { target } of storage) assert.notMatch(target, /auth|s3cret|uuid|pnsdk/)
      assert.match((yield* requestsTo("/v1"))[0]?.target ?? "", /auth=s3cret/)
    }).pipe(Effect.provide(emulated({ config: { authToken: Redacted.make("s3cret-token") } }))))

  it.effect("fails with FileNotFound for a file that is not there any more", () =>
    Effect.gen(function*() {
      const file = yield* put("a")
      yield* TestClock.adjust("2 hours")
      const error = yield* Effect.flip(Files.downloadText(file))
      assert.deepInclude(error, { _tag: "FileNotFound", ...file })
    }).pipe(Effect.provide(emulated({ emulator: { limits: { fileRetention: "1 hour" } } }))))

  for (const fault of [Fault.ResetInBody(), Fault.TruncatedBody()]) {
    it.effect(`goes on where it was after ${fault._tag}`, () =>
      Effect.gen(function*() {
        const file = yield* put("a", binary)
        assert.deepStrictEqual(yield* inTime(Files.downloadBytes(file)), binary)
        assert.strictEqual((yield* injected).length, 2)
      }).pipe(Effect.provide(emulated({ script: [{ on: "fileDownload", fault, times: 2 }] }))))
  }

  it.effect("says how much came when it cannot go on", () =>
    Effect.gen(function*() {
      const file = yield* put("a", binary)
      const error = yield* Effect.flip(Files.downloadBytes(file, once))
      assert.deepInclude(error, { _tag: "DownloadCut", received: 500, ...file })
      // This storage answers every request with the whole file.
      const whole = { status: 200, headers: { "accept-ranges": "bytes" }, body: "xx" }
      yield* Faults.Faults.use((faults) => faults.add({ on: "fileDownload", fault: Fault.ResetInBody() }))
      yield* failNext({ on: "fileDownload", ...whole })
      const other = yield* inTime(Effect.flip(Files.downloadBytes(file)))
      assert.match(other.message, /ended after 500.* bytes: the storage cannot go on from there/)
    }).pipe(Effect.provide(emulated({ script: [{ on: "fileDownload", fault: Fault.ResetInBody() }] }))))

  it.effect("asks for a new link when the old one is too old", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* inTime(Files.downloadText(yield* put("a"))), text)
      assert.strictEqual(yield* targets, "GET v1, GET v1, GET _storage")
    }).pipe(
      Effect.provide(
        emulated({ script: [{ on: "fileDownload", fault: Fault.StorageRefused({ refusal: "LinkExpired" }) }] })
      )
    ))

  it.effect("stops at maxSize", () =>
    Effect.gen(function*() {
      const file = yield* put("a", binary)
      const error = yield* Effect.flip(Files.downloadBytes(file, { maxSize: 999 }))
      assert.deepInclude(error, { _tag: "FileTooLarge", size: 1_000, limit: 999, refusedBy: "client" })
      assert.strictEqual((yield* Files.downloadBytes(file, { maxSize: 1_000 })).length, 1_000)
      assert.strictEqual((yield* Files.downloadBytes(yield* put("b", ""), { maxSize: 0 })).length, 0)
    }).pipe(Effect.provide(emulated())))

  it.effect("fails when no piece comes in time", () =>
    Effect.gen(function*() {
      const error = yield* inTime(Effect.flip(Files.downloadText(yield* put("a"), once)))
      assert.strictEqual(error._tag === "PubNubError" && error.reason._tag, "Timeout")
    }).pipe(Effect.provide(emulated({ script: [{ on: "fileDownload", fault: Fault.HalfOpen() }] }))))

  it.effect("fails with Malformed when the service leads nowhere, or to plain HTTP", () =>
    Effect.gen(function*() {
      const file = yield* put("a")
      for (const [status, location] of [[307, "/here"], [307, "http://elsewhere/"], [307, ""], [200, ""]] as const) {
        yield* failNext({ on: "files", status, headers: { location }, body: {} })
        const error = yield* Effect.flip(Files.downloadText(file, once))
        assert.strictEqual(error._tag === "PubNubError" && error.reason._tag, "Malformed", location)
      }
      assert.deepStrictEqual(yield* requestsTo("/_storage"), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("refuses names that would lead elsewhere, also of events, before anything is sent", () =>
    Effect.gen(function*() {
      const wrong: ReadonlyArray<readonly [Partial<Files.FileNames>, RegExp]> = [
        [{ id: "../x" }, /^id has a slash/],
        [{ id: ".." }, /^id is a dot segment/],
        [{ id: "" }, /^id is empty/],
        [{ name: "a/../b" }, /^name has a slash/],
        [{ name: "." }, /^name is a dot segment/],
        [{ name: "a\r\n" }, /^name has a control/],
        [{ channel: "a.*" }, /^channel /]
      ]
      for (const [names, complaint] of wrong) {
        const { channel, id, name } = { channel: "a", id: "i", name: "n", ...names }
        const event = { channel, file: { id, name } }
        const calls = [
          Stream.runDrain(Files.download({ channel, id, name })),
          Files.downloadBytes(event),
          Files.remove(event),
          Files.url(event),
          Files.findAnnouncement({ channel, id, name }),
          Files.announce({ channel, id, name })
        ]
        for (const call of calls) {
          const result = yield* Effect.result<
            unknown,
            { readonly _tag: string },
            Effect.Services<typeof calls[number]>
          >(
            call
          )
          assert.match(details(Result.isFailure(result) ? result.failure : assert.fail("sent")).join(), complaint)
        }
      }
      assert.match(
        details(yield* Effect.flip(Files.downloadText({ channel, id: "i", name: "n" }, { maxSize: -1 }))).join(),
        /^maxSize is -1/
      )
      assert.deepStrictEqual(yield* requestsTo("/"), [])
    }).pipe(Effect.provide(emulated())))
})

describe("with an Encryption", () => {
  it.effect("encrypts the content and the announcement, and decrypts what is downloaded", () =>
    Effect.gen(function*() {
      const plain = yield* put("plain")
      const secret = yield* Encryption.make({ key: Redacted.make("enigma") })
      const encrypted = Effect.provideService(Encryption.Encryption, secret)
      const bytes = new TextEncoder().encode(text)
      for (
        const given of [
          { content: text },
          { content: new Blob([text]) },
          { content: Stream.make(bytes), size: bytes.length }
        ]
      ) {
        const options = { channel, name: "a", message: "hush", ...given }
        const sent = yield* encrypted("size" in options ? Files.send(options) : Files.send(options))
        assert.strictEqual(yield* encrypted(Files.downloadText(sent)), text)
        assert.notInclude(yield* Files.downloadText(sent), "Knights")
      }
      const events = yield* emulator.use((service) => service.events({ channel }))
      for (const { payload } of events) assert.match(String(payload), /^UE5FRA/)
      assert.strictEqual((yield* encrypted(Effect.flip(Files.downloadText(plain))))._tag, "Undecryptable")
    }).pipe(Effect.provide(emulated())))

  it.effect("refuses a Blob that cannot be read any more, and sends nothing", () =>
    Effect.gen(function*() {
      const secret = yield* Encryption.make({ key: Redacted.make("enigma") })
      class Gone extends Blob {
        override arrayBuffer(): Promise<ArrayBuffer> {
          return Promise.reject(new Error("NotReadableError"))
        }
      }
      const error = yield* Effect.flip(
        Effect.provideService(
          Files.send({ channel, name: "a", content: new Gone([text]) }),
          Encryption.Encryption,
          secret
        )
      )
      assert.match(details(error).join(), /^content cannot be read/)
      assert.deepStrictEqual(yield* requestsTo("/"), [])
    }).pipe(Effect.provide(emulated())))

  it.effect("fails when a stream that is encrypted has another size", () =>
    Effect.gen(function*() {
      const secret = yield* Encryption.make({ key: Redacted.make("enigma") })
      const content = Stream.make(new Uint8Array(3))
      const error = yield* Effect.flip(Files.send({ channel, name: "a", content, size: 4 })).pipe(
        Effect.provideService(Encryption.Encryption, secret)
      )
      assert.match(details(error as never).join(), /^size is 4, and the stream has 3 bytes$/)
    }).pipe(Effect.provide(emulated())))
})

describe("names", () => {
  /** Text of any kind, and what a path, a query or a form would read as something else. */
  const Part = Schema.Union([
    Schema.String,
    Schema.Literals(["%2F", "?", "#", "&=+", "\"", "..", " ", "é", "e\u0301", "☃", "😀"])
  ])
  const Name = Arbitrary.map(
    Arbitrary.array(Arbitrary.schema(Part), { minLength: 1, maxLength: 4 }),
    (parts) => `n${parts.join("").replaceAll(/[/\\]|\p{Cc}|\p{Surrogate}/gu, "_")}`
  )

  it.effect.prop(
    "arrive unchanged with the announcement, and stay in their segment",
    { name: Name, any: Schema.Json },
    ({ any, name }) =>
      Effect.gen(function*() {
        // JSON has no form for an unpaired surrogate.
        const message: unknown = JSON.parse(JSON.stringify(any).replaceAll(/\\ud[89a-f][0-9a-f]{2}/g, "-"))
        const sent = yield* Files.send({ channel, name, content: name, message })
        assert.deepStrictEqual((yield* stored).map((file) => file.name), [name])
        const { items: [entry] } = yield* History.list({ channel })
        if (entry?._tag !== "StoredFile") return assert.fail(entry?._tag)
        assert.deepStrictEqual([entry.file, entry.payload], [{ id: sent.id, name }, message])
        assert.strictEqual(yield* Files.downloadText(entry), name)
        const [file] = (yield* Files.list({ channel })).items
        assert.deepInclude(file, { id: sent.id, name })
        const { pathname } = new URL(Redacted.value(yield* Files.url(sent)))
        assert.deepStrictEqual(pathname.split("/").slice(6).map(decodeURIComponent), ["files", sent.id, name])
        yield* Files.remove(entry)
        assert.deepStrictEqual(yield* stored, [])
      }).pipe(Effect.provide(emulated())),
    { arbitrary: { runs: 20 } }
  )
})

describe("Files.url and Files.remove", () => {
  it.effect("gives the address with the token, redacted", () =>
    Effect.gen(function*() {
      const url = yield* Files.url({ channel, id: "1-2", name: "a b!.txt" })
      assert.isTrue(Redacted.isRedacted(url))
      assert.match(
        Redacted.value(url),
        /^https:\/\/emulator\/v1\/files\/demo-sub\/channels\/chat%20%231%2F%C3%BC\/files\/1-2\/a%20b%21.txt\?uuid=ada&pnsdk=[^&]+&auth=t0ken$/
      )
      assert.deepStrictEqual(yield* requestsTo("/"), [])
    }).pipe(Effect.provide(emulated({ config: { authToken: Redacted.make("t0ken") } }))))

  it.effect("removes a file, and takes what the service says of one that is not there", () =>
    Effect.gen(function*() {
      const file = yield* put("a")
      yield* Files.remove({ channel, file })
      assert.deepStrictEqual(yield* stored, [])
      const body = { status: 404, error: { message: "no such file", source: "Files", code: 1 } }
      yield* failNext({ on: "files", status: 404, body })
      assert.deepInclude(yield* Effect.flip(Files.remove(file)), { _tag: "FileNotFound", ...file })
    }).pipe(Effect.provide(emulated())))
})
