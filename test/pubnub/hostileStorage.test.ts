/** A storage, and a service that answers for files, which send anything. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Files, PubNubConfig } from "effect-herald/pubnub"

const signature = "5f1e".repeat(16)

/** Answers with this, and counts the requests. */
const answering = (answer: (url: URL, request: HttpClientRequest.HttpClientRequest) => Response) => {
  const urls: Array<string> = []
  const client = HttpClient.make((request, url) => {
    urls.push(url.toString())
    return Effect.sync(() => HttpClientResponse.fromWeb(request, answer(url, request)))
  })
  const layer = Layer.merge(
    Layer.succeed(HttpClient.HttpClient, client),
    PubNubConfig.layer({ subscribeKey: "sub", publishKey: "pub", userId: "ada" })
  )
  return { layer, urls }
}

const json = (body: unknown) => new Response(JSON.stringify(body))
const isStorage = (url: URL) => url.hostname === "storage.example"

describe("a download from a hostile storage", () => {
  const file = { channel: "c", id: "i", name: "n" }
  const link = `https://storage.example/f?X-Amz-Expires=3600&X-Amz-Signature=${signature}`
  const retry = { retry: Schedule.recurs(3) }
  /** The service leads to the storage, which gives these answers in a row, the last one for ever. */
  const leading = (...answers: ReadonlyArray<() => Response>) => {
    let next = 0
    return answering((url) =>
      isStorage(url)
        ? (answers[Math.min(next++, answers.length - 1)] ?? (() => Response.error()))()
        : new Response(null, { status: 307, headers: { location: link } })
    )
  }
  /** Sends bytes, and breaks off. */
  const cut = (bytes: ReadonlyArray<number>, headers: Record<string, string>, status = 200) => () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(Uint8Array.from(bytes)),
        pull: (controller) => controller.error(new Error("reset"))
      }),
      { status, headers }
    )
  const rest = (bytes: ReadonlyArray<number>, headers: Record<string, string>) => () =>
    new Response(Uint8Array.from(bytes), { status: 206, headers })

  const cases: ReadonlyArray<readonly [string, ReadonlyArray<() => Response>, RegExp]> = [
    ["another content of the same size", [
      cut([1, 2], { "content-length": "4", etag: "a" }),
      rest([3, 4], { "content-range": "bytes 2-3/4", etag: "b" })
    ], /after 2 of 4 bytes: the file is another one now/],
    ["compressed bytes", [
      cut([1, 2], { "content-encoding": "gzip" }),
      rest([3, 4], { "content-range": "bytes 2-3/*" })
    ], /after 2 bytes: the storage compressed it/],
    ["more bytes than it said", [
      cut([1, 2], { "content-length": "4" }),
      rest([3, 4, 5], { "content-range": "bytes 2-3/4" })
    ], /after 5 of 4 bytes: the storage sent more bytes/],
    ["a part that does not say which one it is", [rest([1, 2], {})], /after 0 bytes: the storage cannot go on/],
    ["no more bytes, in answers that break off", [
      cut([1], { "content-length": "4" }),
      cut([], { "content-range": "bytes 1-3/4" }, 206)
    ], /after 1 of 4 bytes: .*the connection failed/]
  ]
  for (const [what, answers, complaint] of cases) {
    const { layer, urls } = leading(...answers)
    it.live(`ends with DownloadCut when it sends ${what}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Files.downloadBytes(file, { retry: Schedule.recurs(3) }))
        assert.strictEqual(error._tag, "DownloadCut")
        assert.match(error.message, complaint)
        assert.isAtMost(urls.length, 10)
      }).pipe(Effect.provide(layer)))
  }

  it.effect.each(
    [
      ["FileTooLarge", [], { "content-length": "9" }, 200],
      ["DownloadCut", [cut([1], { "content-length": "4", etag: "a" })], {
        "content-range": "bytes 1-3/4",
        etag: "b"
      }, 206]
    ] as const
  )("closes the body that it does not read with %s", ([tag, before, headers, status]) => {
    let closed = 0
    const unread = () => new Response(new ReadableStream({ cancel: () => void closed++ }), { status, headers })
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Files.downloadBytes(file, { maxSize: 8, retry: Schedule.recurs(3) }))
      assert.strictEqual(error._tag, tag)
      assert.strictEqual(closed, 1)
    }).pipe(Effect.provide(leading(...before, unread).layer))
  })

  it.effect.each([202, 203, 204, 205])(
    "takes no file from a success with the status %i",
    (status) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Files.downloadBytes(file, { retry: Schedule.recurs(0) }))
        if (error._tag !== "PubNubError") return assert.fail(error._tag)
        assert.deepInclude(error.reason, { _tag: "Malformed", status })
      }).pipe(Effect.provide(leading(() => new Response(status < 204 ? "a" : null, { status })).layer))
  )

  it.effect("is complete when the connection breaks after the last byte", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Files.downloadBytes(file, retry), Uint8Array.of(1, 2))
    }).pipe(Effect.provide(leading(cut([1, 2], { "content-length": "2" })).layer)))

  it.effect("shows no part of the signed address that the storage repeats", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Files.downloadBytes(file, retry))
      assert.deepInclude(error, { _tag: "StorageRefused", code: "{secret}", description: "not {secret} for 3600" })
      assert.notInclude(error.message, signature)
    }).pipe(
      Effect.provide(
        leading(() =>
          new Response(`<Error><Code>${signature}</Code><Message>not ${signature} for 3600</Message></Error>`, {
            status: 403
          })
        ).layer
      )
    ))
})

describe("an upload to a hostile storage", () => {
  const policy = (text: string) => ({ key: "policy", value: btoa(text) })
  const form = (given: {
    readonly id?: string
    readonly name?: string
    readonly url?: string
    readonly fields?: ReadonlyArray<{ readonly key: string; readonly value: string }>
  }) => ({
    data: { id: given.id ?? "i", name: given.name ?? "n" },
    file_upload_request: { url: given.url ?? "https://storage.example/", form_fields: given.fields ?? [] }
  })
  const offering = (
    given: Parameters<typeof form>[0],
    stored = () => new Response(null, { status: 204 })
  ) =>
    answering((url) =>
      isStorage(url)
        ? stored()
        : json(url.pathname.endsWith("generate-upload-url") ? form(given) : [1, "Sent", "17000000000000000"])
    )
  const send = Files.send({ channel: "c", name: "n", content: "hello", retry: Schedule.recurs(0) })

  const many = Array.from({ length: 101 }, (_, index) => ({ key: `k${index}`, value: "v" }))
  const refused: ReadonlyArray<readonly [string, Parameters<typeof form>[0], RegExp]> = [
    ["a name with a slash", { name: "../x" }, /the name of the file has a slash/],
    ["a name with a control character", { name: "a\r\nb" }, /the name of the file has a control/],
    ["an empty id", { id: "" }, /the id of the file is empty/],
    ["more than 100 fields", { fields: many }, /the form of the upload is too large/],
    [
      "a field of 100 kB",
      { fields: [{ key: "k", value: "v".repeat(100_000) }] },
      /the form of the upload is too large/
    ],
    ["an address with a password", { url: "https://ada:secret@storage.example/" }, /holds a user name or a password/],
    ["an address without TLS", { url: "http://storage.example/" }, /is not one of https/]
  ]
  for (const [what, given, complaint] of refused) {
    const { layer, urls } = offering(given)
    it.effect(`fails with Malformed before it uploads when the form has ${what}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(send)
        assert.strictEqual(error._tag === "PubNubError" && error.reason._tag, "Malformed")
        assert.match(error.message, complaint)
        assert.strictEqual(urls.length, 1)
      }).pipe(Effect.provide(layer)))
  }

  for (
    const text of [
      "no JSON",
      "{\"conditions\":[[\"content-length-range\",0,-5]]}",
      `{"conditions":${"[".repeat(16_000)}${"]".repeat(16_000)}}`
    ]
  ) {
    it.effect(`takes the usual limit for the policy ${text.slice(0, 50)}`, () =>
      Effect.gen(function*() {
        assert.deepInclude(yield* send, { id: "i", name: "n" })
      }).pipe(Effect.provide(offering({ fields: [policy(text)] }).layer)))
  }

  it.effect("says what is uploaded when the name that it got is too long to announce", () =>
    Effect.gen(function*() {
      const name = "n".repeat(40_000)
      assert.deepInclude(yield* Effect.flip(send), { _tag: "FileNotAnnounced", id: "i", name })
    }).pipe(Effect.provide(offering({ name: "n".repeat(40_000) }).layer)))

  it.effect("advises no setting when the storage says more than it should", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(send)
      if (error._tag !== "PubNubError" || error.reason._tag !== "Malformed") return assert.fail(error.message)
      assert.strictEqual(error.reason.description, "it is no answer of the storage")
      assert.isFalse("limit" in error.reason)
      assert.notInclude(error.message, "maxAnswerSize")
    }).pipe(Effect.provide(offering({}, () => new Response("<p>".repeat(40_000))).layer)))

  it.effect("shows no field of the form that the storage repeats as its code", () =>
    Effect.gen(function*() {
      assert.deepInclude(yield* Effect.flip(send), { _tag: "StorageRefused", code: "{secret}" })
    }).pipe(
      Effect.provide(
        offering({ fields: [{ key: "x-amz-signature", value: signature }] }, () =>
          new Response(`<Error><Code>${signature}</Code></Error>`, { status: 403 })).layer
      )
    ))
})
