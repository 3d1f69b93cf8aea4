/** What goes over the wire, and what comes of the answers. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  Attachments,
  Ids,
  type Message,
  MessageML,
  Messages,
  MessageSearch,
  MessageStatus,
  Session,
  SymphonyConfig,
  SymphonyError
} from "effect-herald/symphony"
import { Transport, VirtualTime } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import { decoded } from "../kit/decoded.ts"
import {
  config,
  detailsOf,
  exchanges,
  mid,
  operationOf,
  recorder,
  scripted,
  session,
  sid,
  sidStandard,
  tagOf,
  textParts
} from "./kit.ts"

const Numbered = Schema.Struct({ n: Schema.Int })
const posted = { messageId: mid }
const ok = (body: unknown): Transport.Answer => ({ body: JSON.stringify(body) })
const sent = ok(posted)

const file = { streamId: sid, messageId: mid, attachmentId: "internal_1%2FAb%3D" }
const imported: Message.ImportedMessage = {
  streamId: sidStandard,
  message: "old",
  intendedMessageTimestamp: 1_433_045_622_000,
  intendedMessageFromUserId: 7_215_545_057_281,
  originatingSystemId: "fooChat"
}

type Call = Effect.Effect<
  unknown,
  SymphonyError.SymphonyError | Messages.MessageOutcomeUnknown,
  Effect.Services<ReturnType<typeof Messages.get>>
>

interface Method {
  readonly name: string
  readonly call: Call
  readonly answer: string
  /** Method and address behind the host. */
  readonly wire: readonly [method: string, target: string]
  /** Whether the stream is named by an error. */
  readonly streamId: boolean
  readonly posts: boolean
}

const base = "https://acme.symphony.com"

/** All fifteen, the streams of some of them, and what they send. */
const methods: ReadonlyArray<Method> = [
  {
    name: "send",
    call: Messages.send({ streamId: sidStandard, message: "a" }),
    answer: JSON.stringify(posted),
    wire: ["POST", `/agent/v4/stream/${sid}/message/create`],
    streamId: true,
    posts: true
  },
  {
    name: "update",
    call: Messages.update({ streamId: sidStandard, messageId: "a+b/c=", message: "a" }),
    answer: JSON.stringify(posted),
    wire: ["POST", `/agent/v4/stream/${sid}/message/a-b_c/update`],
    streamId: true,
    posts: true
  },
  {
    name: "blast",
    call: Messages.blast({ streamIds: [sidStandard], message: "a" }),
    answer: JSON.stringify({ messages: [posted], errors: {} }),
    wire: ["POST", "/agent/v4/message/blast"],
    streamId: false,
    posts: true
  },
  {
    name: "importMessages",
    call: Messages.importMessages({ messages: [imported] }),
    answer: "[{}]",
    wire: ["POST", "/agent/v4/message/import"],
    streamId: false,
    posts: true
  },
  {
    name: "get",
    call: Messages.get({ messageId: "a+b/c=" }),
    answer: JSON.stringify(posted),
    wire: ["GET", "/agent/v1/message/a-b_c"],
    streamId: false,
    posts: false
  },
  {
    name: "list",
    call: Messages.list({ streamId: sidStandard }),
    answer: "[]",
    wire: ["GET", `/agent/v4/stream/${sid}/message?since=0&skip=0&limit=50`],
    streamId: true,
    posts: false
  },
  {
    name: "stream",
    call: Stream.runDrain(Messages.stream({ streamId: sidStandard })),
    answer: "[]",
    wire: ["GET", `/agent/v4/stream/${sid}/message?since=0&skip=0&limit=500`],
    streamId: true,
    posts: false
  },
  {
    name: "search",
    call: MessageSearch.search({ query: { hashtag: "a" } }),
    answer: "[]",
    wire: ["POST", "/agent/v1/message/search?skip=0&limit=50&sortDir=desc"],
    streamId: false,
    posts: false
  },
  {
    name: "streamSearch",
    call: Stream.runDrain(MessageSearch.streamSearch({ query: { hashtag: "a" } })),
    answer: "[]",
    wire: ["POST", "/agent/v1/message/search?skip=0&limit=50&sortDir=desc"],
    streamId: false,
    posts: false
  },
  {
    name: "getAttachment",
    call: Attachments.getAttachment({ ...file, streamId: sidStandard, messageId: "a+b/c=" }),
    answer: "12345678",
    wire: [
      "GET",
      `/agent/v1/stream/${sid}/attachment?fileId=internal_1%252FAb%253D&messageId=a%2Bb%2Fc%3D`
    ],
    streamId: true,
    posts: false
  },
  {
    name: "streamAttachment",
    call: Stream.runDrain(Attachments.streamAttachment({ ...file, streamId: sidStandard })),
    answer: "12345678",
    wire: ["GET", `/agent/v1/stream/${sid}/attachment?fileId=internal_1%252FAb%253D&messageId=${mid}`],
    streamId: true,
    posts: false
  },
  {
    name: "listAttachments",
    call: Attachments.listAttachments({ streamId: sidStandard }),
    answer: "[]",
    wire: ["GET", `/pod/v1/streams/${sid}/attachments?limit=50&sortDir=ASC`],
    streamId: true,
    posts: false
  },
  {
    name: "streamAttachments",
    call: Stream.runDrain(Attachments.streamAttachments({ streamId: sidStandard })),
    answer: "[]",
    wire: ["GET", `/pod/v1/streams/${sid}/attachments?limit=100&sortDir=ASC`],
    streamId: true,
    posts: false
  },
  {
    name: "attachmentTypes",
    call: Attachments.attachmentTypes,
    answer: "[\".png\"]",
    wire: ["GET", "/pod/v1/files/allowedTypes"],
    streamId: false,
    posts: false
  },
  {
    name: "suppress",
    call: MessageStatus.suppress({ messageId: "a+b/c=" }),
    answer: "{}",
    wire: ["POST", "/pod/v1/admin/messagesuppression/a-b_c/suppress"],
    streamId: false,
    posts: false
  },
  {
    name: "status",
    call: MessageStatus.status({ messageId: "a+b/c=" }),
    answer: "{}",
    wire: ["GET", "/pod/v1/message/a-b_c/status"],
    streamId: false,
    posts: false
  },
  {
    name: "receipts",
    call: MessageStatus.receipts({ messageId: "a+b/c=" }),
    answer: "{}",
    wire: ["GET", "/pod/v1/admin/messages/a-b_c/receipts"],
    streamId: false,
    posts: false
  },
  {
    name: "streamReceipts",
    call: Stream.runDrain(MessageStatus.streamReceipts({ messageId: "a+b/c=" })),
    answer: "{}",
    wire: ["GET", "/pod/v1/admin/messages/a-b_c/receipts"],
    streamId: false,
    posts: false
  },
  {
    name: "relationships",
    call: MessageStatus.relationships({ messageId: "a+b/c=" }),
    answer: "{}",
    wire: ["GET", "/pod/v1/admin/messages/a-b_c/metadata/relationships"],
    streamId: false,
    posts: false
  }
]

describe("requests of Symphony", () => {
  it.effect.each(methods)(
    "$name sends the right method, address, tokens and headers",
    ({ answer, call, name, wire }) =>
      Effect.gen(function*() {
        yield* call
        const [{ headers, method, url }, ...more] = yield* exchanges as Effect.Effect<
          readonly [Transport.Exchange, ...ReadonlyArray<Transport.Exchange>],
          never,
          Transport.Exchanges
        >
        assert.deepStrictEqual([method, url], [wire[0], base + wire[1]])
        assert.strictEqual(headers["sessiontoken"], "session 1")
        // It is for the Agent, and no business of the pod.
        assert.strictEqual(headers["keymanagertoken"], wire[1].startsWith("/agent") ? "key manager 1" : undefined)
        assert.match(headers["x-trace-id"] ?? "", /^[A-Za-z0-9]{6}$/)
        assert.match(headers["user-agent"] ?? "", /^effect-herald\//)
        assert.strictEqual(
          headers["accept"],
          name === "getAttachment" || name === "streamAttachment" ? "application/octet-stream" : "application/json"
        )
        assert.strictEqual(more.length, 0)
      }).pipe(Effect.provide(scripted({ body: answer })))
  )

  it.effect.each(methods)(
    "$name sends no key manager token when the session has none",
    ({ answer, call }) =>
      Effect.gen(function*() {
        yield* call
        const [{ headers } = { headers: {} }] = yield* exchanges
        assert.notProperty(headers, "keymanagertoken")
      }).pipe(Effect.provide(
        Layer.mergeAll(Transport.layerScripted([{ body: answer }]), config(), session({ onBehalf: true }))
      ))
  )

  it.effect.each(methods.flatMap((method) =>
    ([
      [400, "BadRequest"],
      [403, "AccessDenied"],
      [404, "NotFound"],
      [405, "BadRequest"],
      [413, "BadRequest"],
      [451, "Blocked"]
    ] as const).map(([status, reason]) => ({ ...method, status, reason }))
  ))(
    "$name fails at once with $reason when the service answers $status",
    ({ call, name, reason, status, streamId }) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(call)
        assert.instanceOf(error, SymphonyError.SymphonyError)
        assert.strictEqual(error.operation, operationOf(name))
        assert.strictEqual(tagOf(error), reason)
        assert.strictEqual(error.request.streamId, streamId ? sidStandard : undefined)
        if (streamId) assert.include(error.message, `${operationOf(name)} (stream ${sidStandard}): `)
        assert.include(error.message, "the words of the service")
        assert.strictEqual((yield* exchanges).length, 1)
      }).pipe(
        Effect.provide(scripted({ status, body: "{\"code\":403,\"message\":\"the words of the service\"}" }))
      )
  )

  it.effect.each(methods)(
    "$name renews the session after 401, and is sent again after 429",
    ({ answer, call }) =>
      Effect.gen(function*() {
        yield* call
        assert.deepStrictEqual(
          (yield* exchanges).map(({ headers }) => headers["sessiontoken"]),
          ["session 1", "session 2", "session 2"]
        )
      }).pipe(Effect.provide(scripted({ status: 401 }, { status: 429 }, { body: answer })))
  )

  it.effect.each(methods)(
    "$name is sent again when the connection was refused",
    ({ answer, call }) =>
      Effect.gen(function*() {
        yield* call
        assert.strictEqual((yield* exchanges).length, 2)
      }).pipe(Effect.provide(scripted({ failure: "ECONNREFUSED" }, { body: answer })))
  )

  it.effect.each(methods.flatMap((method) =>
    ([
      ["a lost connection", { failure: "ECONNRESET" }],
      ["500", { status: 500, body: "{\"code\":500,\"message\":\"no\"}" }],
      ["a gateway's 504", { status: 504, body: "<html>" }]
    ] as const).map(([what, first]) => ({ ...method, what, first }))
  ))(
    "$name is sent again after $what, or has an unknown outcome when it posts",
    ({ answer, call, first, posts }) =>
      Effect.gen(function*() {
        const tag = yield* Effect.match(call, { onFailure: tagOf, onSuccess: () => "done" })
        assert.strictEqual(tag, posts ? "MessageOutcomeUnknown" : "done")
        assert.strictEqual((yield* exchanges).length, posts ? 1 : 2)
      }).pipe(Effect.provide(scripted(first, { body: answer })))
  )

  it.effect.each(methods)(
    "$name times out, and has an unknown outcome when it posts",
    ({ call, posts }) =>
      Effect.gen(function*() {
        const fiber = yield* Effect.forkChild(Effect.flip(call))
        yield* VirtualTime.advance(Duration.seconds(200))
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(tagOf(error), posts ? "MessageOutcomeUnknown" : "Timeout")
        assert.strictEqual((yield* exchanges).length, posts ? 1 : 3)
      }).pipe(Effect.provide(scripted({ never: true }, { never: true }, { never: true })))
  )

  const lists = [
    "list",
    "stream",
    "search",
    "streamSearch",
    "listAttachments",
    "streamAttachments",
    "attachmentTypes"
  ]
  it.effect.each(methods)(
    "$name treats 204 as an empty list, NotFound, Malformed or an unknown outcome",
    ({ call, name, posts }) =>
      Effect.gen(function*() {
        const tag = yield* Effect.match(call, { onFailure: tagOf, onSuccess: () => "done" })
        assert.strictEqual(
          tag,
          lists.includes(name) ? "done" : name === "get" ? "NotFound" : posts ? "MessageOutcomeUnknown" : "Malformed"
        )
      }).pipe(Effect.provide(scripted(...Array.from({ length: 3 }, () => ({ status: 204 })))))
  )

  const json = methods.filter(({ name }) => !/ttachment$|streamAttachment/.test(name))
  it.effect.each(json)(
    "$name fails with Malformed, or an unknown outcome, when a proxy answers 200 with HTML",
    ({ call, posts }) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(call)
        assert.strictEqual(tagOf(error), posts ? "MessageOutcomeUnknown" : "Malformed")
        assert.strictEqual((yield* exchanges).length, posts ? 1 : 3)
      }).pipe(Effect.provide(scripted(...Array.from({ length: 3 }, () => ({ body: "<html>login</html>" })))))
  )

  it.effect.each(methods)(
    "$name is refused before a request when the configuration is invalid",
    ({ call }) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(call)
        assert.strictEqual(tagOf(error), "BadRequest")
        assert.strictEqual((yield* exchanges).length, 0)
      }).pipe(Effect.provide(Layer.mergeAll(
        Transport.layerScripted([]),
        SymphonyConfig.layer({ bot: undefined }),
        session()
      )))
  )
})

describe("requests that post", () => {
  const parts = Effect.flatMap(exchanges, (all) => textParts(all.at(-1)!))

  it.effect("send takes text, markup with its data, or a message object", () =>
    Effect.gen(function*() {
      const streamId = sid
      const entity = yield* MessageML.entity({ type: "a.b", version: "1.0", schema: Numbered }).make(
        "x",
        { n: 1 },
        "one"
      )
      const message = MessageML.messageML`<p>${"a < b"}</p>${entity}`
      yield* Messages.send({ streamId, message: " <messageML beta=\"1\">a</messageML> " })
      assert.deepStrictEqual(yield* parts, [["message", "<messageML beta=\"1\">a</messageML>"]])
      yield* Messages.send({ streamId, message, data: { y: { z: "ü" } }, version: "2.0" })
      const expected = [
        ["message", `<messageML>${message.markup}</messageML>`],
        ["data", "{\"x\":{\"n\":1,\"type\":\"a.b\",\"version\":\"1.0\"},\"y\":{\"z\":\"ü\"}}"],
        ["version", "2.0"]
      ]
      assert.deepStrictEqual<unknown>(yield* parts, expected)
      yield* Messages.send({
        streamId,
        message: { content: message, data: { y: { z: "ü" } }, version: "2.0", silent: false, attachments: [] }
      })
      assert.deepStrictEqual<unknown>(yield* parts, expected)
    }).pipe(Effect.provide(scripted(sent, sent, sent))))

  it.effect("update is silent unless told otherwise, and sends the files of a message object", () =>
    Effect.gen(function*() {
      const ids = { streamId: sid, messageId: mid }
      const last = Effect.map(parts, (parts) => parts.at(-1))
      yield* Messages.update({ ...ids, message: "a" })
      assert.deepStrictEqual(yield* last, ["silent", "true"])
      yield* Messages.update({ ...ids, message: "a", silent: false })
      assert.deepStrictEqual(yield* last, ["silent", "false"])
      yield* Messages.update({ ...ids, message: { content: "a", silent: false } })
      assert.deepStrictEqual(yield* last, ["silent", "false"])
      yield* Messages.update({ ...ids, message: { content: "a", attachments: [{ name: "f", content: "c" }] } })
      assert.deepStrictEqual((yield* parts).map(([name]) => name), ["message", "silent", "attachment"])
    }).pipe(Effect.provide(scripted(sent, sent, sent, sent))))

  it.effect("blast names each stream once, in one part", () =>
    Effect.gen(function*() {
      yield* Messages.blast({ streamIds: [sidStandard, "b", sid], message: "a" })
      assert.deepStrictEqual((yield* parts).at(-1), ["sids", `${sid},b`])
    }).pipe(Effect.provide(scripted(ok({ messages: [posted], errors: {} })))))

  it.effect("blast returns an error for each stream that was not reached", () =>
    Effect.gen(function*() {
      const { errors, messages } = yield* Messages.blast({ streamIds: ["a", "b", "c", "d"], message: "a" })
      assert.deepStrictEqual(messages.map(({ messageId }) => messageId), [mid])
      assert.deepStrictEqual([...errors], [["b", { code: 403, message: "no" }], ["c", {}], ["d", {}]])
    }).pipe(Effect.provide(scripted(ok({
      messages: [posted, { messageId: null }],
      errors: { b: { code: 403, message: "no" }, c: { code: null, message: 7 }, d: "what?" }
    })))))

  it.effect("blast returns no errors when the answer has none", () =>
    Effect.gen(function*() {
      for (let count = 0; count < 2; count++) {
        const { errors } = yield* Messages.blast({ streamIds: ["a"], message: "a" })
        assert.strictEqual(errors.size, 0)
      }
    }).pipe(Effect.provide(scripted(ok({ messages: [posted], errors: null }), ok({ messages: [posted] })))))

  it.effect.each([{}, { messages: null, errors: null }, { messages: [], errors: {} }])(
    "blast has an unknown outcome when it is answered with %j",
    (answer) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(Messages.blast({ streamIds: ["a"], message: "a" }))
        assert.instanceOf(error, Messages.MessageOutcomeUnknown)
        assert.strictEqual(error.reason._tag, "Malformed")
      }).pipe(Effect.provide(scripted(ok(answer))))
  )

  it.effect("importMessages encodes messages, times and files", () =>
    Effect.gen(function*() {
      yield* Messages.importMessages({
        messages: [
          imported,
          {
            ...imported,
            message: MessageML.bold("b"),
            data: { a: 1 },
            intendedMessageTimestamp: DateTime.makeUnsafe(5),
            originalMessageId: "o",
            attachments: [{ name: "ä.txt", content: "ü" }],
            previews: [{ name: "p", content: new Uint8Array([1]) }]
          }
        ]
      })
      const { body, headers } = (yield* exchanges)[0]!
      assert.strictEqual(headers["content-type"], "application/json")
      const first = { ...imported, message: "<messageML>old</messageML>" }
      assert.deepStrictEqual(JSON.parse(body), [first, {
        ...first,
        message: "<messageML><b>b</b></messageML>",
        data: "{\"a\":1}",
        intendedMessageTimestamp: 5,
        originalMessageId: "o",
        attachments: [{ filename: "ä.txt", content: "w7w=" }],
        previews: [{ filename: "p", content: "AQ==" }]
      }])
    }).pipe(Effect.provide(scripted(ok([{}, {}])))))

  it.effect("importMessages returns the result of each message", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Messages.importMessages({ messages: [imported, imported] }), [
        { messageId: "m", originatingSystemId: "fooChat" },
        { originatingSystemId: "fooChat", diagnostic: "not in the stream" }
      ])
    }).pipe(Effect.provide(scripted(ok([
      { messageId: "m", originatingSystemId: "fooChat", originalMessageId: null, diagnostic: null },
      { messageId: null, originatingSystemId: "fooChat", originalMessageId: null, diagnostic: "not in the stream" }
    ])))))
})

describe("an unknown outcome", () => {
  it.effect("names the operation, the streams, the reason and the request", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Messages.send({ streamId: sidStandard, message: "a" }))
      assert.instanceOf(error, Messages.MessageOutcomeUnknown)
      assert.deepInclude(error, { operation: "Messages.send", streamIds: [sidStandard], isRetryable: false })
      assert.strictEqual(error.reason._tag, "ServerFailure")
      assert.deepInclude(error.request, { method: "POST", path: `/agent/v4/stream/${sid}/message/create` })
      assert.match(error.request.traceId ?? "", /^\w{6}$/)
      assert.include(error.message, `the message for stream ${sidStandard} may have been posted`)
      assert.notMatch(error.message, /try again/i)
    }).pipe(Effect.provide(scripted({ status: 503 }))))

  it.effect("is not reported when the login failed", () =>
    Effect.gen(function*() {
      const failing = new SymphonyError.SymphonyError({
        operation: "Session.login",
        reason: new SymphonyError.Timeout({ after: Duration.seconds(1) }),
        request: { method: "POST", path: "/login" }
      })
      let logins = 0
      const tokens = Effect.suspend(() => {
        logins++
        return Effect.fail(failing)
      })
      const error = yield* Messages.send({ streamId: sid, message: "a", resendUnknown: true }).pipe(
        Effect.provideService(Session.Session, { tokens, renew: () => tokens }),
        Effect.flip
      )
      assert.strictEqual(error, failing)
      assert.strictEqual(logins, 1)
      assert.strictEqual((yield* exchanges).length, 0)
    }).pipe(Effect.provide(scripted(sent))))

  it.effect("is sent again with resendUnknown, until the schedule ends", () =>
    Effect.gen(function*() {
      yield* Messages.send({ streamId: sid, message: "a", resendUnknown: true })
      assert.strictEqual((yield* exchanges).length, 3)
      const error = yield* Effect.flip(Messages.blast({ streamIds: [sid, "b"], message: "a", resendUnknown: true }))
      assert.deepInclude(error, { _tag: "MessageOutcomeUnknown", streamIds: [sid, "b"] })
      assert.strictEqual((yield* exchanges).length, 6)
    }).pipe(Effect.provide(scripted(
      { status: 500 },
      { failure: "ECONNRESET" },
      sent,
      { status: 500 },
      { status: 500 },
      { status: 502 }
    ))))
})

describe("bad input is refused before a request is made", () => {
  const ids = { streamId: sid, messageId: mid }
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const at = (location: string, issue: string) => `${location} ${issue}`
  const notBase64 = "is base64 in neither alphabet"

  it.effect.each<readonly [string, Call, ReadonlyArray<string>]>([
    ["an empty message", Messages.send({ streamId: sid, message: " " }), ["message is empty"]],
    ["an empty element", Messages.send({ streamId: sid, message: { content: "" } }), ["message.content is empty"]],
    [
      "a half open root",
      Messages.send({ streamId: sid, message: "<messageML>a" }),
      ["message has a messageML tag at its start only"]
    ],
    [
      "half a character",
      Messages.send({ streamId: sid, message: "a\ud800" }),
      ["message has an unpaired surrogate"]
    ],
    [
      "a list as data",
      Messages.send({ streamId: sid, message: "a", data: [] as never }),
      ["data is a list, not an object"]
    ],
    [
      "data that JSON cannot carry",
      Messages.send({ streamId: sid, message: { content: "a", data: { x: 1n } } }),
      ["message.data cannot be carried by JSON: $.x is a bigint"]
    ],
    [
      "data with a cycle",
      Messages.send({ streamId: sid, message: "a", data: cycle as never }),
      ["data cannot be carried by JSON: $.self is part of a cycle"]
    ],
    [
      "a version that is none",
      Messages.send({ streamId: sid, message: "a", version: "2" }),
      ["version is not a version, major.minor"]
    ],
    [
      "several complaints at once",
      Messages.update({ streamId: "a b", messageId: "", message: "", version: "x" }),
      [
        at("streamId", notBase64),
        "messageId is empty",
        "message is empty",
        "version is not a version, major.minor"
      ]
    ],
    ["no streams", Messages.blast({ streamIds: [], message: "a" }), ["streamIds is empty"]],
    [
      "101 streams",
      Messages.blast({ streamIds: Array.from({ length: 101 }, (_, index) => `s${index}`), message: "a" }),
      ["streamIds has 101 items, and 100 are the most"]
    ],
    [
      "a stream that is none",
      Messages.blast({ streamIds: [sid, "a,b"], message: "a" }),
      [at("streamIds[1]", notBase64)]
    ],
    [
      "what cannot be imported",
      Messages.importMessages({
        messages: [imported, {
          streamId: "?",
          message: "<b>",
          data: { f: () => 1 },
          intendedMessageTimestamp: Number.NaN,
          intendedMessageFromUserId: 1.5,
          originatingSystemId: "",
          attachments: [{ name: "", content: "" }, { name: "b", content: "" }],
          previews: [{ name: "p", content: "" }]
        }]
      }),
      [
        "messages[1].message is not well formed",
        "messages[1].data cannot be carried by JSON: $.f is a function",
        at("messages[1].streamId", notBase64),
        "messages[1].intendedMessageTimestamp is not a time since 1970",
        "messages[1].intendedMessageFromUserId is 1.5, not a whole number of 0 or more",
        "messages[1].originatingSystemId is empty",
        "messages[1].previews are 1 for 2 files; all or none",
        "messages[1].attachments[0].name is empty"
      ]
    ],
    ["get", Messages.get({ messageId: "?" }), [at("messageId", notBase64)]],
    [
      "list",
      Messages.list({ streamId: "", since: -1, until: "yesterday", skip: -1, limit: 501 }),
      [
        "streamId is empty",
        "since is not a time since 1970",
        "until is not a time since 1970",
        "skip is -1, not a whole number of 0 or more",
        "limit is 501, not a whole number from 1 to 500"
      ]
    ],
    ["list of none", Messages.list({ streamId: sid, limit: 0 }), ["limit is 0, not a whole number from 1 to 500"]],
    [
      "text without a stream",
      MessageSearch.search({ query: { text: "a" } }),
      ["query.text is searched within a stream only: streamId is needed"]
    ],
    [
      "a type of stream that is none",
      MessageSearch.search({ query: { streamType: "room" as never } }),
      ["query.streamType is \"room\", not one of CHAT, IM, MIM, ROOM, POST"]
    ],
    [
      "a signal with others",
      MessageSearch.search({ query: { signal: "s", author: 1 } }),
      ["query.signal can be combined with fromDate and toDate only"]
    ],
    [
      "search",
      MessageSearch.search({
        query: { streamId: "?", author: -1, mention: 0.5, fromDate: "x", toDate: -5 },
        limit: 1001
      }),
      [
        at("query.streamId", notBase64),
        "query.author is -1, not a whole number of 0 or more",
        "query.mention is 0.5, not a whole number of 0 or more",
        "query.fromDate is not a time since 1970",
        "query.toDate is not a time since 1970",
        "limit is 1001, not a whole number from 1 to 1000"
      ]
    ],
    [
      "streamSearch",
      Stream.runDrain(MessageSearch.streamSearch({ query: { text: "a" }, pageSize: 0 })),
      [
        "query.text is searched within a stream only: streamId is needed",
        "pageSize is 0, not a whole number from 1 to 1000"
      ]
    ],
    [
      "stream",
      Stream.runDrain(Messages.stream({ streamId: "?", pageSize: 501 })),
      [at("streamId", notBase64), "pageSize is 501, not a whole number from 1 to 500"]
    ],
    [
      "streamAttachments",
      Stream.runDrain(Attachments.streamAttachments({ streamId: sid, since: -1 })),
      ["since is not a time since 1970"]
    ],
    [
      "listAttachments",
      Attachments.listAttachments({ streamId: "?", since: -1, until: -1, limit: 101 }),
      [
        at("streamId", notBase64),
        "since is not a time since 1970",
        "until is not a time since 1970",
        "limit is 101, not a whole number from 0 to 100"
      ]
    ],
    [
      "getAttachment",
      Attachments.getAttachment({ streamId: "", messageId: "", attachmentId: "" }),
      ["streamId is empty", "messageId is empty", "attachmentId is empty"]
    ],
    [
      "streamAttachment",
      Stream.runDrain(Attachments.streamAttachment({ ...ids, attachmentId: "\ud800" })),
      ["attachmentId has an unpaired surrogate"]
    ],
    ["suppress", MessageStatus.suppress({ messageId: "" }), ["messageId is empty"]],
    ["status", MessageStatus.status({ messageId: "" }), ["messageId is empty"]],
    [
      "receipts",
      MessageStatus.receipts({ messageId: "?", previous: "a", next: "b" }),
      [at("messageId", notBase64), "next cannot be combined with previous"]
    ],
    [
      "half a character in an address",
      MessageSearch.search({ query: { author: 1 }, scope: "\ud800" }),
      ["scope has an unpaired surrogate"]
    ],
    [
      "half a character in a cursor",
      MessageStatus.receipts({ messageId: mid, previous: "\ud800", next: "a\udc00" }),
      [
        "previous has an unpaired surrogate",
        "next cannot be combined with previous"
      ]
    ],
    ["streamReceipts", Stream.runDrain(MessageStatus.streamReceipts({ messageId: "" })), ["messageId is empty"]],
    ["relationships", MessageStatus.relationships({ messageId: "" }), ["messageId is empty"]]
  ])("%s", ([name, call, details]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(call)
      if (name in Messages) assert.propertyVal(error, "operation", operationOf(name))
      const found = detailsOf(error)
      assert.strictEqual(found.length, details.length, found.join("\n"))
      for (const [index, detail] of details.entries()) assert.include(found[index], detail)
      assert.include(error.message, "Nothing was sent")
      assert.strictEqual((yield* exchanges).length, 0)
    }).pipe(Effect.provide(scripted(sent))))
})

describe("requests that read", () => {
  const urls = Effect.map(exchanges, (all) => all.map(({ url }) => url.slice(url.indexOf("?"))))

  it.effect("get returns a message, or fails with NotFound", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Messages.get({ messageId: mid })).messageId, Ids.toUrlSafe(mid))
      const error = yield* Effect.flip(Messages.get({ messageId: mid }))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.isFalse(error.isRetryable)
    }).pipe(Effect.provide(scripted(sent, { status: 204 }))))

  it.effect("list sends its bounds, also when they are 0", () =>
    Effect.gen(function*() {
      yield* Messages.list({ streamId: sid, since: DateTime.makeUnsafe(7), until: new Date(0), skip: 2, limit: 500 })
      assert.deepStrictEqual(yield* urls, ["?since=7&until=0&skip=2&limit=500"])
    }).pipe(Effect.provide(scripted(...Array.from({ length: 3 }, () => ({ status: 204 }))))))

  const at = (...times: ReadonlyArray<number | undefined>) =>
    ok(times.map((timestamp) => ({ messageId: `m${timestamp}`, timestamp })))
  const all = (streamId: string) => Stream.runCollect(Messages.stream({ streamId, pageSize: 3, since: 1, until: 9 }))

  it.effect("stream continues at the time before the last message's, and skips what it has of older ones", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* all(sid)).length, 10)
      assert.deepStrictEqual(yield* urls, [
        "?since=1&until=9&skip=0&limit=3",
        "?since=1&until=8&skip=2&limit=3",
        "?since=1&until=8&skip=5&limit=3",
        "?since=1&until=6&skip=1&limit=3",
        "?since=1&until=6&skip=2&limit=3"
      ])
    }).pipe(Effect.provide(scripted(
      at(9, 8, 8),
      ok(["a", "b", "c"].map((messageId) => ({ messageId, timestamp: 8 }))),
      ok([8, 7, 6].map((timestamp) => ({ messageId: `n${timestamp}`, timestamp }))),
      at(6),
      { status: 204 }
    ))))

  it.effect("stream continues forwards when the service sorts oldest first", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* all(sid)).length, 5)
      assert.deepStrictEqual(yield* urls, [
        "?since=1&until=9&skip=0&limit=3",
        "?since=3&until=9&skip=2&limit=3",
        "?since=5&until=9&skip=1&limit=3"
      ])
    }).pipe(Effect.provide(scripted(at(1, 3, 3), at(3, 5), { status: 204 }))))

  it.effect("stream pages by skip when times have no order", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* all(sid)).length, 5)
      assert.deepStrictEqual(yield* urls, [
        "?since=1&until=9&skip=0&limit=3",
        "?since=1&until=9&skip=3&limit=3",
        "?since=1&until=9&skip=5&limit=3"
      ])
    }).pipe(Effect.provide(scripted(at(3, 9, 1), at(undefined, 2), { status: 204 }))))

  it.effect("stream requests no more pages when its reader stops", () =>
    Effect.gen(function*() {
      yield* Messages.stream({ streamId: sid }).pipe(Stream.take(2), Stream.runDrain)
      assert.deepStrictEqual(yield* urls, ["?since=0&skip=0&limit=500"])
    }).pipe(Effect.provide(scripted(at(3, 2, 1)))))

  it.effect("search sends the fields that are set, and no others", () =>
    Effect.gen(function*() {
      yield* MessageSearch.search({
        query: {
          text: "t",
          streamId: sidStandard,
          streamType: "CHAT",
          author: 1,
          hashtag: "h",
          cashtag: "c",
          mention: 2,
          fromDate: 0,
          toDate: 5
        },
        order: "oldestFirst",
        skip: 1,
        limit: 1000,
        scope: "a b",
        tier: "all"
      })
      yield* MessageSearch.search({ query: { signal: "s", fromDate: 3 } })
      const [first, second] = yield* exchanges
      assert.deepStrictEqual(JSON.parse(first!.body), {
        text: "t",
        streamId: sidStandard,
        streamType: "CHAT",
        author: 1,
        hashtag: "h",
        cashtag: "c",
        mention: 2,
        fromDate: 0,
        toDate: 5
      })
      assert.deepStrictEqual(JSON.parse(second!.body), { signal: "s", fromDate: 3 })
      assert.strictEqual((yield* urls)[0], "?skip=1&limit=1000&sortDir=asc&scope=a%20b&tier=all")
    }).pipe(Effect.provide(scripted({ status: 204 }, { status: 204 }))))

  const searched = (most: number) =>
    Effect.map(
      Stream.runCollect(Stream.take(MessageSearch.streamSearch({ query: { author: 1 }, pageSize: 2 }), most)),
      (messages) => decoded(messages).map(({ messageId }) => messageId)
    )

  it.effect.each(
    [
      ["a full page costs one more", 9, [at(1, 2), { status: 204 }], ["m1", "m2"], 2],
      ["a short page is the last", 9, [at(1, 2), at(3)], ["m1", "m2", "m3"], 2],
      ["3 taken, within a page", 3, [at(1, 2), at(3, 4)], ["m1", "m2", "m3"], 2],
      ["2 taken, at the end of a page", 2, [at(1, 2)], ["m1", "m2"], 1],
      ["none taken", 0, [], [], 0]
    ] as const
  )("streamSearch pages by skip: %s", ([, most, answers, expected, requests]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual<unknown>(yield* searched(most), expected)
      assert.deepStrictEqual(
        yield* urls,
        Array.from({ length: requests }, (_, page) => `?skip=${page * 2}&limit=2&sortDir=desc`)
      )
    }).pipe(Effect.provide(scripted(...answers))))

  const attachment = (id: number, time: number) => ({ messageId: "m", fileId: `f${id}`, ingestionDate: time })
  const page = (from: number, time: (id: number) => number, count = 100) =>
    ok(Array.from({ length: count }, (_, index) => attachment(from + index, time(from + index))))

  it.effect("listAttachments sends its bounds", () =>
    Effect.gen(function*() {
      const found = yield* Attachments.listAttachments({
        streamId: sid,
        since: 0,
        until: 5,
        limit: 0,
        order: "newestFirst"
      })
      assert.deepStrictEqual(found, [])
      assert.deepStrictEqual(yield* urls, ["?since=0&to=5&limit=0&sortDir=DESC"])
    }).pipe(Effect.provide(scripted(ok([])))))

  it.effect("streamAttachments continues at the time of the last file, and returns each once", () =>
    Effect.gen(function*() {
      const found = yield* Stream.runCollect(Attachments.streamAttachments({ streamId: sid }))
      assert.deepStrictEqual(
        found.filter(UndecodableItem.isDecoded).map(({ attachmentId }) => attachmentId),
        Array.from({ length: 130 }, (_, id) => `f${id}`)
      )
      assert.deepStrictEqual(yield* urls, ["?limit=100&sortDir=ASC", "?since=9&limit=100&sortDir=ASC"])
    }).pipe(Effect.provide(scripted(page(0, (id) => Math.floor(id / 10)), page(90, (id) => Math.floor(id / 10), 40)))))

  it.effect("streamAttachments continues backwards with newestFirst", () =>
    Effect.gen(function*() {
      yield* Stream.runDrain(Attachments.streamAttachments({ streamId: sid, order: "newestFirst" }))
      assert.deepStrictEqual(yield* urls, ["?limit=100&sortDir=DESC", "?to=901&limit=100&sortDir=DESC"])
    }).pipe(Effect.provide(scripted(page(0, (id) => 1000 - id), page(99, (id) => 1000 - id, 1)))))

  it.effect("streamAttachments fails when a whole page shares one time", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Stream.runDrain(Attachments.streamAttachments({ streamId: sid })))
      assert.strictEqual(tagOf(error), "Malformed")
      assert.include(error.message, "share one time")
    }).pipe(Effect.provide(scripted(page(0, () => 1), page(0, () => 1)))))

  it.effect("receipts sends its cursor, and streamReceipts follows the cursors", () =>
    Effect.gen(function*() {
      yield* MessageStatus.receipts({ messageId: mid, previous: "a b" })
      const found = yield* Stream.runCollect(MessageStatus.streamReceipts({ messageId: mid }))
      assert.deepStrictEqual(found.filter(UndecodableItem.isDecoded).map(({ user }) => user?.userId), [1, 2, 3])
      assert.deepStrictEqual((yield* exchanges).map(({ url }) => url.split("?")[1]), [
        "before=a%20b",
        undefined,
        "after=4",
        "after=c"
      ])
    }).pipe(Effect.provide(scripted(
      ok({}),
      ok({ MessageReceiptDetail: [{ user: { id: 1 } }], pagination: { cursors: { before: 1, after: 4 } } }),
      ok({ MessageReceiptDetail: [{ user: { id: 2 } }, { user: { id: 3 } }], pagination: { cursors: { after: "c" } } }),
      ok({ MessageReceiptDetail: null, pagination: { cursors: { after: "d" } } })
    ))))
})

describe("requests for files", () => {
  it.effect("getAttachment returns the base64 text unchanged", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Attachments.getAttachment(file), "1234567890")
    }).pipe(Effect.provide(scripted({ body: "1234567890" }))))

  const text = Buffer.from("Grüße, in bytes that are cut anywhere").toString("base64")
  const utf8 = new TextEncoder()
  const inPieces = (text: string, size: number) =>
    Stream.fromIterable(text.match(new RegExp(`[\\s\\S]{1,${size}}`, "g")) ?? []).pipe(
      Stream.map((piece) => utf8.encode(piece)),
      Stream.rechunk(1)
    )
  const bytesOf = (body: string | Stream.Stream<Uint8Array, Error>) =>
    Effect.map(
      Stream.runCollect(Attachments.streamAttachment(file)),
      (chunks) => Buffer.concat(chunks)
    ).pipe(Effect.provide(recorder([{ status: 200, body }]).layer))

  it.effect.each([1, 2, 3, 4, 5, 7, 1000])(
    "streamAttachment decodes base64 in pieces of %d characters",
    (size) =>
      Effect.gen(function*() {
        const wrapped = text.replace(/(.{9})/g, "$1\r\n")
        assert.strictEqual(
          (yield* bytesOf(inPieces(wrapped, size))).toString(),
          "Grüße, in bytes that are cut anywhere"
        )
      })
  )

  it.effect("streamAttachment decodes an empty file", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* bytesOf("")).length, 0)
    }))

  it.effect.each(
    [
      ["cut short", "QUJDR", "cut short"],
      ["not base64", "QU(C", "not base64"],
      ["padding in the middle", "QQ==QUJD", "not base64"],
      ["padding between pieces", inPieces("QQ==QUJD", 4), "not base64"]
    ] as const
  )("streamAttachment fails with Malformed when the body is %s", ([, body, sentence]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(bytesOf(body))
      assert.strictEqual(tagOf(error), "Malformed")
      assert.include(error.message, sentence)
    }))

  it.effect("streamAttachment fails with Transport when the body breaks, and does not start again", () =>
    Effect.gen(function*() {
      const { layer, sent } = recorder([
        { status: 200, body: Stream.concat(Stream.succeed(utf8.encode("QUJD")), Stream.fail(new Error("gone"))) },
        { status: 200, body: "QUJD" }
      ])
      const got: Array<number> = []
      const error = yield* Attachments.streamAttachment(file).pipe(
        Stream.runForEach((bytes) => Effect.sync(() => void got.push(...bytes))),
        Effect.provide(layer),
        Effect.flip
      )
      assert.strictEqual(tagOf(error), "Transport")
      assert.deepStrictEqual(got, [65, 66, 67])
      assert.strictEqual(sent.length, 1)
    }))

  it.effect("streamAttachment fails with Timeout when the next piece never comes", () =>
    Effect.gen(function*() {
      const body = Stream.concat(Stream.succeed(utf8.encode("QUJD")), Stream.never)
      const fiber = yield* Stream.runDrain(Attachments.streamAttachment(file)).pipe(
        Effect.provide(recorder([{ status: 200, body }]).layer),
        Effect.flip,
        Effect.forkChild
      )
      yield* VirtualTime.advance(Duration.seconds(61))
      assert.strictEqual(tagOf(yield* Fiber.join(fiber)), "Timeout")
    }))

  it.effect("streamAttachment emits a piece before the body has ended", () =>
    Effect.gen(function*() {
      const { layer } = recorder([
        { status: 200, body: Stream.concat(Stream.succeed(utf8.encode("QUJD")), Stream.never) }
      ])
      const first = yield* Attachments.streamAttachment(file).pipe(
        Stream.take(1),
        Stream.runCollect,
        Effect.provide(layer)
      )
      assert.deepStrictEqual(first.map((bytes) => [...bytes]), [[65, 66, 67]])
    }))
})
