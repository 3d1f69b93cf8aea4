import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as Stream from "effect/Stream"
import { Attachment, Messages, SymphonyError } from "effect-herald/symphony"
import { VirtualTime } from "effect-herald/testing"
import * as Http from "node:http"
import { config, detailsOf, partsOf, recorder, session, sid, tagOf } from "./kit.ts"

class Disk extends Context.Service<Disk, { readonly byte: number }>()("test/Disk") {}

const posted = { status: 200, body: JSON.stringify({ messageId: "m" }) }
const busy = { status: 429, body: "{}" }

const bytes = (...numbers: ReadonlyArray<number>) => new Uint8Array(numbers)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

const listening = (server: Http.Server) =>
  Effect.callback<number>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
    })
  }).pipe(
    Effect.map((port) =>
      Layer.mergeAll(FetchHttpClient.layer, session(), config({ scheme: "http", host: "127.0.0.1", port }))
    )
  )

const sending = (attachments: ReadonlyArray<Attachment.Attachment>) =>
  Messages.send({ streamId: sid, message: "Grüße 😀", attachments })

/** Extensions that are properties of every object. */
const unknown = ["report.constructor", "a.__proto__", "b.toString"]

describe("the body of a message with attachments", () => {
  it.effect("has the text in UTF-8, then each file with its preview behind it", () =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([posted])
      yield* Effect.provide(
        sending([
          { name: "größe.PNG", content: bytes(0, 255, 13, 10), preview: { content: "small" } },
          { name: "a.b", content: "text ü", contentType: "text/x-b", preview: { name: "p.gif", content: bytes(7) } },
          ...unknown.map((name) => ({ name, content: "", preview: { content: "" } }))
        ]),
        layer
      )
      assert.deepStrictEqual(yield* partsOf(sent[0]!), [
        ["message", "<messageML>Grüße 😀</messageML>"],
        ["attachment", { name: "größe.PNG", type: "image/png", bytes: [0, 255, 13, 10] }],
        ["preview", { name: "preview-größe.PNG", type: "image/png", bytes: [...Buffer.from("small")] }],
        ["attachment", { name: "a.b", type: "text/x-b", bytes: [...Buffer.from("text ü")] }],
        ["preview", { name: "p.gif", type: "image/gif", bytes: [7] }],
        ...unknown.flatMap((name) => {
          const file = { type: "application/octet-stream", bytes: [] }
          return [
            ["attachment", { name, ...file }] as const,
            ["preview", { name: `preview-${name}`, ...file }] as const
          ]
        })
      ])
      assert.isFalse(sent[0]!.isStreamed)
    }))

  it.effect.each(
    [
      ["with a file", [{ name: "a\"b\r\nc.txt", content: "x" }]],
      ["of texts alone", []]
    ] as const
  )("is encoded as multipart/form-data, byte for byte, %s", ([, attachments]) =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([posted])
      yield* Effect.provide(
        Messages.send({
          streamId: sid,
          message: "é",
          data: { a: 1 },
          version: "2.0",
          attachments
        }),
        layer
      )
      const { bytes, contentType } = sent[0]!
      const [, boundary] = /^multipart\/form-data; boundary=([\w-]+)$/.exec(contentType)!
      const textPart = (name: string, value: string) =>
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${value}\r\n`
      assert.strictEqual(
        text(bytes),
        [
          textPart("message", "<messageML>é</messageML>"),
          textPart("data", "{\"a\":1}"),
          textPart("version", "2.0"),
          ...attachments.map(() =>
            `--${boundary}\r\nContent-Disposition: form-data; name="attachment"; filename="a%22b%0D%0Ac.txt"\r\n` +
            "Content-Type: text/plain\r\n\r\nx\r\n"
          ),
          `--${boundary}--\r\n`
        ].join("")
      )
    }))

  it.effect("has no parts for missing or empty options", () =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([posted])
      yield* Effect.provide(Messages.send({ streamId: sid, message: "a", version: "" }), layer)
      assert.deepStrictEqual((yield* partsOf(sent[0]!)).map(([name]) => name), ["message"])
    }))

  it.effect("takes the type of a Blob or of the file name, and reads the Blob", () =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([posted])
      yield* Effect.provide(
        sending([
          { name: "a", content: new File(["b"], "c.txt", { type: "image/x-one" }) },
          { name: "a.pdf", content: new Blob([bytes(1)]) },
          { name: "noextension", content: "" }
        ]),
        layer
      )
      assert.deepStrictEqual((yield* partsOf(sent[0]!)).slice(1), [
        ["attachment", { name: "a", type: "image/x-one", bytes: [98] }],
        ["attachment", { name: "a.pdf", type: "application/pdf", bytes: [1] }],
        ["attachment", { name: "noextension", type: "application/octet-stream", bytes: [] }]
      ])
    }))

  it.effect("is streamed when a part is a stream, and has the same bytes at each attempt", () =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([busy, { status: 401 }, posted])
      let opened = 0
      const content = Stream.suspend(() => {
        opened++
        return Stream.make(bytes(1, 2), bytes(), bytes(3))
      })
      yield* Effect.provide(sending([{ name: "s.bin", content }, { name: "t.txt", content: "t" }]), layer)
      assert.strictEqual(opened, 3)
      assert.deepStrictEqual(sent.map(({ isStreamed }) => isStreamed), [true, true, true])
      assert.deepStrictEqual(sent.map(({ sessionToken }) => sessionToken), ["session 1", "session 1", "session 2"])
      assert.deepStrictEqual((yield* partsOf(sent[2]!))[1], [
        "attachment",
        { name: "s.bin", type: "application/octet-stream", bytes: [1, 2, 3] }
      ])
      assert.deepStrictEqual(sent[0]!.bytes, sent[2]!.bytes)
      assert.strictEqual(sent[0]!.contentType, sent[2]!.contentType)
    }))

  it.effect("has another boundary for each message", () =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([posted, posted])
      yield* Effect.provide(Effect.andThen(sending([]), sending([])), layer)
      assert.notStrictEqual(sent[0]!.contentType, sent[1]!.contentType)
    }))

  it.effect("provides a file's stream with the services that it needs", () =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([posted])
      const program = Messages.send({
        streamId: sid,
        message: "a",
        attachments: [{ name: "a", content: Stream.fromEffect(Disk.useSync(({ byte }) => bytes(byte))) }]
      })
      yield* program.pipe(Effect.provideService(Disk, { byte: 9 }), Effect.provide(layer))
      assert.deepInclude((yield* partsOf(sent[0]!))[1]![1], { bytes: [9] })
    }))
})

describe("a stream that fails", () => {
  const failing = Stream.concat(Stream.make(bytes(1)), Stream.fail("disk" as const))

  it.effect("fails with AttachmentFailed and its cause, and is not tried again", () =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([])
      const error = yield* Messages.send({
        streamId: sid,
        message: "a",
        attachments: [{ name: "f", content: failing }]
      })
        .pipe(Effect.provide(layer), Effect.flip)
      assert.instanceOf(error, Attachment.AttachmentFailed)
      assert.deepInclude(error, { operation: "Messages.send", attachment: "f", cause: "disk" })
      assert.include(error.message, "Nothing was posted")
      assert.strictEqual(sent.length, 0)
    }))

  it.effect("fails with AttachmentFailed as a preview, and in an update", () =>
    Effect.gen(function*() {
      const { layer } = recorder([])
      const error = yield* Messages.update({
        streamId: sid,
        messageId: "m",
        message: { content: "a", attachments: [{ name: "f", content: "", preview: { content: failing } }] }
      }).pipe(Effect.provide(layer), Effect.flip)
      assert.deepInclude(error, { operation: "Messages.update", attachment: "preview-f", cause: "disk" })
    }))

  it.effect("has an unknown outcome with Timeout when the stream never ends", () =>
    Effect.gen(function*() {
      const { layer } = recorder([])
      const fiber = yield* sending([{ name: "f", content: Stream.concat(Stream.make(bytes(1)), Stream.never) }]).pipe(
        Effect.provide(layer),
        Effect.flip,
        Effect.forkChild
      )
      yield* VirtualTime.advance("61 seconds")
      const error = yield* Fiber.join(fiber)
      assert.instanceOf(error, Messages.MessageOutcomeUnknown)
      assert.strictEqual(error.reason._tag, "Timeout")
    }))

  it.effect("dies when the stream dies", () =>
    Effect.gen(function*() {
      const { layer } = recorder([])
      const exit = yield* sending([{ name: "f", content: Stream.die(new Error("bug")) }]).pipe(
        Effect.provide(layer),
        Effect.exit
      )
      assert.include(String(exit), "bug")
      assert.include(String(exit), "Die")
    }))

  it.live("fails with AttachmentFailed over a real socket", () =>
    Effect.gen(function*() {
      const server = Http.createServer((request, response) => {
        request.on("data", () => {}).on("end", () => response.end("{}")).on("error", () => {})
      })
      const layer = yield* listening(server)
      const error = yield* Messages.send({
        streamId: sid,
        message: "a",
        attachments: [{ name: "f", content: failing }]
      })
        .pipe(Effect.provide(layer), Effect.flip)
      assert.deepInclude(error, { _tag: "AttachmentFailed", cause: "disk" })
      server.closeAllConnections()
      server.close()
    }))
})

describe("a stream over a real socket", () => {
  it.live("arrives unchanged, also at the second attempt", () =>
    Effect.gen(function*() {
      const bodies: Array<{ readonly bytes: Uint8Array; readonly contentType: string }> = []
      const server = Http.createServer((request, response) => {
        const chunks: Array<Uint8Array> = []
        request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
          bodies.push({ bytes: Buffer.concat(chunks), contentType: request.headers["content-type"] ?? "" })
          response.writeHead(bodies.length === 1 ? 429 : 200).end(JSON.stringify({ messageId: "m" }))
        })
      })
      const layer = yield* listening(server)
      const content = Stream.range(1, 300).pipe(Stream.map((number) => new Uint8Array(1000).fill(number)))
      yield* sending([{ name: "a.bin", content }]).pipe(Effect.provide(layer))
      assert.strictEqual(bodies.length, 2)
      assert.deepStrictEqual(bodies[0], bodies[1])
      const expected = Array.from({ length: 300_000 }, (_, index) => Math.floor(index / 1000) + 1 & 255)
      assert.deepStrictEqual((yield* partsOf(bodies[1]!))[1], [
        "attachment",
        { name: "a.bin", type: "application/octet-stream", bytes: expected }
      ])
      server.closeAllConnections()
      server.close()
    }))
})

describe("a stream of Attachment.once", () => {
  it.effect.each([["429", busy], ["401", { status: 401 }]] as const)(
    "fails with AttachmentSpent after %s, and names the first failure",
    ([, answer]) =>
      Effect.gen(function*() {
        const { layer, sent } = recorder([answer, posted])
        const error = yield* Messages.send({
          streamId: sid,
          message: "a",
          attachments: [{ name: "once", content: Attachment.once(Stream.make(bytes(1))) }]
        }).pipe(Effect.provide(layer), Effect.flip)
        assert.instanceOf(error, Attachment.AttachmentFailed)
        assert.instanceOf(error.cause, Attachment.AttachmentSpent)
        assert.strictEqual(error.cause.error.reason._tag, answer === busy ? "RateLimited" : "Unauthorized")
        assert.include(error.message, "it can be read only once")
        assert.strictEqual(sent.length, 1)
      })
  )

  it.effect("is sent when the first attempt succeeds", () =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([posted])
      yield* Messages.send({
        streamId: sid,
        message: "a",
        attachments: [{ name: "once", content: Attachment.once(Stream.make(bytes(1))) }]
      }).pipe(Effect.provide(layer))
      assert.deepInclude((yield* partsOf(sent[0]!))[1]![1], { name: "once", bytes: [1] })
    }))

  it.effect("keeps an unknown outcome unknown", () =>
    Effect.gen(function*() {
      const { layer } = recorder([{ status: 500 }])
      const error = yield* Messages.send({
        streamId: sid,
        message: "a",
        attachments: [{ name: "once", content: Attachment.once(Stream.make(bytes(1))) }]
      }).pipe(Effect.provide(layer), Effect.flip)
      assert.strictEqual(error._tag, "MessageOutcomeUnknown")
    }))
})

describe("attachments are refused before a request is made", () => {
  const megabytes = (count: number) => new Uint8Array(count * 1024 * 1024)
  it.effect.each<readonly [string, ReadonlyArray<Attachment.Attachment>, string]>([
    ["an empty name", [{ name: "", content: "" }], "attachments[0].name is empty"],
    ["half a character", [{ name: "\ud800", content: "" }], "attachments[0].name has an unpaired surrogate"],
    ...["a\u0000.txt", "\u0000", "a\u001b[2J", "a\u007f", "a\u0085"].map((name) =>
      [
        `a name ${JSON.stringify(name)}`,
        [{ name, content: "" }],
        "attachments[0].name holds a control character"
      ] as const
    ),
    [
      "NUL in the name of a preview",
      [{ name: "a", content: "", preview: { content: "", name: "\u0000" } }],
      "attachments[0].preview.name holds a control character"
    ],
    [
      "half a character in text",
      [{ name: "a", content: "\ud800" }],
      "attachments[0].content has an unpaired surrogate"
    ],
    [
      "a type that is none",
      [{ name: "a", content: "", contentType: "a/b\r\nX: y" }],
      "attachments[0].contentType is not a media type"
    ],
    [
      "a type behind which the head would end",
      [{ name: "a", content: "", contentType: "text/plain\r\n\r\nx" }],
      "attachments[0].contentType is not a media type"
    ],
    [
      "a type whose parameters stand behind the end of the head",
      [{ name: "a", content: "", contentType: "text/plain\r\n\r\n; charset=x" }],
      "attachments[0].contentType is not a media type"
    ],
    [
      "previews for some",
      [{ name: "a", content: "", preview: { content: "" } }, { name: "b", content: "" }],
      "attachments have 1 previews for 2 files; all or none"
    ],
    [
      "more than 30 MB",
      [{ name: "a", content: megabytes(20) }, { name: "b", content: new Blob([megabytes(10), "x"]) }],
      "attachments have 31457281 bytes or more; a message may have 31457280"
    ]
  ])("%s", ([, attachments, detail]) =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([posted])
      const error = yield* sending(attachments).pipe(Effect.provide(layer), Effect.flip)
      assert.deepStrictEqual(detailsOf(error), [detail])
      assert.strictEqual(sent.length, 0)
    }))

  it.effect("but 30 MB are accepted", () =>
    Effect.gen(function*() {
      const { layer } = recorder([posted])
      yield* sending([{ name: "a", content: megabytes(30) }]).pipe(Effect.provide(layer))
    }))

  it.effect("and a stream is stopped when it exceeds 30 MB", () =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([posted])
      const content = Stream.fromIterable(Array.from({ length: 40 }, () => megabytes(1)))
      const error = yield* sending([{ name: "a", content }, { name: "b", content: "seven.." }]).pipe(
        Effect.provide(layer),
        Effect.flip
      )
      assert.instanceOf(error, SymphonyError.SymphonyError)
      assert.deepStrictEqual(detailsOf(error), [
        "attachments have 31457287 bytes or more; a message may have 31457280"
      ])
      assert.strictEqual(tagOf(error), "BadRequest")
      assert.strictEqual(sent.length, 0)
    }))
})
