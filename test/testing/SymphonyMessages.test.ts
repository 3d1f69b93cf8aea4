import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as TestClock from "effect/testing/TestClock"
import type * as SymphonyEmulator from "effect-herald/testing/SymphonyEmulator"
import {
  adaId,
  bobId,
  botId,
  emulated,
  emulator,
  get,
  type Headers,
  login,
  loginFor,
  multipartBody,
  post,
  postBytes,
  postParts,
  refused,
  room,
  send,
  start,
  toStandard,
  update,
  wrap
} from "./symphonyHttp.ts"

const text = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString()

const stored = (streamId: string) => emulator.use(({ messages }) => messages({ streamId }))

const createPath = (streamId: string) => `/agent/v4/stream/${streamId}/message/create`

describe("sending to the emulator", () => {
  it.effect("answers with the message, and with null for most missing fields", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada")
      const { body, status } = yield* send(headers, streamId, "Hi <b>there</b> &amp; you<br/>")
      assert.strictEqual(status, 200)
      assert.match(body.messageId, /^[A-Za-z0-9_-]+$/)
      assert.deepStrictEqual(body, {
        messageId: body.messageId,
        parentMessageId: null,
        timestamp: start,
        message: "<div data-format=\"PresentationML\" data-version=\"2.0\">Hi <b>there</b> &amp; you<br/></div>",
        sharedMessage: null,
        data: null,
        attachments: null,
        user: {
          userId: botId,
          firstName: null,
          lastName: null,
          displayName: "Orders bot",
          email: "bot@example.com",
          username: "bot"
        },
        stream: {
          streamId,
          streamType: "ROOM",
          roomName: "Orders",
          members: null,
          external: false,
          crossPod: null,
          recipientTenantIds: null
        },
        externalRecipients: null,
        diagnostic: null,
        userAgent: "Agent-25.8.1-Linux",
        originalFormat: "com.symphony.messageml.v2",
        disclaimer: null,
        sid: null,
        replacing: null,
        replacedBy: null,
        initialTimestamp: null,
        initialMessageId: null,
        silent: null
      })
      const [message] = yield* stored(streamId)
      assert.deepInclude(message, {
        messageId: body.messageId,
        streamId,
        username: "bot",
        timestamp: DateTime.makeUnsafe(start),
        messageML: wrap("Hi <b>there</b> &amp; you<br/>"),
        text: "Hi there & you",
        imported: false,
        suppressed: false
      })
    }).pipe(emulated()))

  it.effect("keeps the names, types, bytes and order of files and parts", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const binary = Uint8Array.from({ length: 512 }, (_, i) => i % 256)
      const tricky = Buffer.from("\r\n--boundary-\r\n--boundary--\r\n\r\n")
      const { body, status } = yield* send(headers, streamId, [
        ["attachment", binary, { filename: "plän \\\"1\\\" ☃.png", type: "image/png" }],
        ["preview", "small", { filename: "preview-1.png", type: "image/png" }],
        ["message", wrap("files")],
        ["data", ""],
        ["version", ""],
        ["attachment", tricky, { filename: "empty.bin" }],
        ["preview", "", { filename: "preview-2.png", type: "image/png" }]
      ])
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(
        body.attachments.map(({ name, size }: { name: string; size: number }) => [name, size]),
        [["plän \"1\" ☃.png", 512], ["empty.bin", tricky.length]]
      )
      assert.match(body.attachments[0].id, /^internal_7000000000001%2F.*%3D%3D$/)
      assert.match(body.attachments[0].images[0].id, /%2F/)
      assert.strictEqual(body.attachments[0].images[0].dimension, "600")
      const [message] = yield* stored(streamId)
      assert.deepStrictEqual([...message?.attachments[0]?.content ?? []], [...binary])
      assert.strictEqual(message?.attachments[0]?.contentType, "image/png")
      assert.strictEqual(text(message?.attachments[0]?.preview), "small")
      assert.strictEqual(text(message?.attachments[1]?.content), tricky.toString())
      const parts = yield* emulator.use(({ parts }) => parts)
      assert.deepStrictEqual(
        parts.map(({ charset, contentType, filename, name }) => [name, filename, contentType, charset]),
        [
          ["attachment", "plän \"1\" ☃.png", "image/png", undefined],
          ["preview", "preview-1.png", "image/png", undefined],
          ["message", undefined, "text/plain", "utf-8"],
          ["data", undefined, "text/plain", "utf-8"],
          ["version", undefined, "text/plain", "utf-8"],
          ["attachment", "empty.bin", "application/octet-stream", undefined],
          ["preview", "preview-2.png", "image/png", undefined]
        ]
      )
    }).pipe(emulated()))

  it.effect("reads a FormData body of the platform", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const form = new FormData()
      form.append("message", wrap("☃"))
      form.append("attachment", new Blob([new Uint8Array([0, 255, 13, 10])], { type: "image/gif" }), "a \"b\".gif")
      const request = HttpClientRequest.post(`http://any.host${createPath(streamId)}`, { headers })
      const { status } = yield* HttpClient.execute(HttpClientRequest.bodyFormData(request, form))
      assert.strictEqual(status, 200)
      const [message] = yield* stored(streamId)
      assert.strictEqual(message?.text, "☃")
      assert.deepStrictEqual([...message?.attachments[0]?.content ?? []], [0, 255, 13, 10])
      assert.strictEqual(message?.attachments[0]?.name, "a \"b\".gif")
    }).pipe(emulated()))

  it.effect.each<readonly [string, Parameters<typeof multipartBody>[0]]>([
    ["no message", [["data", "{}"]]],
    ["no root", [["message", "Hi"]]],
    ["half a root", [["message", "<messageML>Hi"]]],
    ["an element that does not end", [["message", wrap("<b>Hi")]]],
    ["elements that cross", [["message", wrap("<b><i>Hi</b></i>")]]],
    ["an ampersand alone", [["message", wrap("you & me")]]],
    ["an entity that XML does not know", [["message", wrap("a&nbsp;b")]]],
    ["a template", [["message", wrap("costs ${price}")]]],
    ["a number template", [["message", wrap("costs #{price}")]]],
    ["a directive", [["message", wrap("<#if x>y</#if>")]]],
    ["data that is no JSON", [["message", wrap("x")], ["data", "{"]]],
    ["data that is no object", [["message", wrap("x")], ["data", "[]"]]],
    ["an entity without data", [["message", wrap("<div class=\"entity\" data-entity-id=\"order\">x</div>")]]],
    ["an entity with other data", [
      ["message", wrap("<div class=\"entity\" data-entity-id=\"order\">x</div>")],
      ["data", "{\"other\":{}}"]
    ]],
    ["an unknown user", [["message", wrap("<mention uid=\"1\"/>")]]],
    ["fewer previews than files", [
      ["message", wrap("x")],
      ["attachment", "a", { filename: "a.txt" }],
      ["attachment", "b", { filename: "b.txt" }],
      ["preview", "b", { filename: "b.png" }]
    ]],
    ["a file without a name", [["message", wrap("x")], ["attachment", "a"]]],
    ["brackets behind a name", [["message", wrap("x")], ["attachment[]", "a", { filename: "a.txt" }]]],
    ["the message twice", [["message", wrap("x")], ["message", wrap("y")]]],
    ["a flag that is none", [["message", wrap("x")], ["silent", "yes"]]]
  ])("refuses %s", ([_, parts]) =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada")
      refused(400, yield* send(headers, streamId, parts))
      assert.deepStrictEqual(yield* stored(streamId), [])
    }).pipe(emulated()))

  it.effect("refuses a body of another type, without its boundary, or cut off", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const path = createPath(streamId)
      const whole = multipartBody([["message", wrap("x")]])
      const type = "multipart/form-data; boundary=boundary-1"
      assert.strictEqual((yield* postBytes(path, headers, whole, type)).status, 200)
      assert.strictEqual((yield* postBytes(path, headers, whole, type.replace("=b", "=\"b") + "\"")).status, 200)
      refused(400, yield* postBytes(path, headers, whole, "multipart/form-data"))
      refused(400, yield* postBytes(path, headers, whole, "multipart/form-data; boundary=another"))
      refused(400, yield* postBytes(path, headers, whole.slice(0, -20), type))
      refused(400, yield* postBytes(path, headers, new Uint8Array(), type))
      refused(400, yield* post(path, headers, { message: wrap("x") }))
      refused(400, yield* post(path, headers))
    }).pipe(emulated()))

  it.effect("refuses text that is not UTF-8", () =>
    Effect.gen(function*() {
      const streamId = yield* room()
      refused(400, yield* send(yield* login, streamId, [["message", Uint8Array.from([0x3c, 0xff])]]))
    }).pipe(emulated()))

  it.effect("decodes escaped text", () =>
    Effect.gen(function*() {
      const streamId = yield* room()
      const escaped = "&#36;&#123;price&#125; &#35;&#123; &lt;&#35;if&gt; &apos;&quot;&amp;"
      assert.strictEqual((yield* send(yield* login, streamId, escaped)).status, 200)
      assert.strictEqual((yield* stored(streamId))[0]?.text, "${price} #{ <#if> '\"&")
    }).pipe(emulated()))

  it.effect("turns mentions, tags and emojis into entities, beside the given ones", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada")
      const { body } = yield* send(yield* login, streamId, [
        [
          "message",
          wrap(
            "<mention uid=\"7000000000002\"/> <mention email=\"bot@example.com\"/> <hash tag=\"sale\"/> <cash tag=\"ibm\"/> " +
              "<emoji shortcode=\"smiley\"/> <mention email=\"no@where.com\" strict=\"false\"/>" +
              "<div class=\"entity\" data-entity-id=\"0\">order</div>"
          )
        ],
        ["data", "{\"0\":{\"type\":\"com.example.order\",\"version\":\"1.0\"}}"]
      ])
      const data = JSON.parse(body.data)
      assert.deepStrictEqual(Object.keys(data), ["0", "1", "2", "3", "4", "5"])
      assert.strictEqual(data["0"].type, "com.example.order")
      assert.deepStrictEqual(data["1"], {
        type: "com.symphony.user.mention",
        version: "1.0",
        id: [{ type: "com.symphony.user.userId", value: "7000000000002" }]
      })
      assert.strictEqual(data["2"].id[0].value, "7000000000001")
      assert.deepStrictEqual([data["3"].type, data["3"].id[0].value], ["org.symphonyoss.taxonomy", "sale"])
      assert.deepStrictEqual([data["4"].type, data["4"].id[0].value], ["org.symphonyoss.fin.security", "ibm"])
      assert.deepInclude(data["5"].data, { annotation: "smiley", unicode: "😃" })
      assert.include(body.message, "<span class=\"entity\" data-entity-id=\"1\">@Ada Byron</span>")
      assert.include(body.message, "<div class=\"entity\" data-entity-id=\"0\">order</div>")
      assert.strictEqual(
        (yield* stored(streamId))[0]?.text,
        "@Ada Byron @Orders bot #sale $ibm 😃 no@where.comorder"
      )
      const alone = yield* send(yield* login, streamId, "<hash tag=\"a\"/><hash tag=\"b\"/>")
      assert.deepStrictEqual(Object.keys(JSON.parse(alone.body.data)), ["0", "1"])
    }).pipe(emulated()))

  it.effect("refuses authors that are not in the stream, and streams that do not exist", () =>
    Effect.gen(function*() {
      const ada = yield* loginFor("ada")
      const streamId = yield* room()
      refused(403, yield* send(ada, streamId, "Hi"))
      refused(400, yield* send(ada, "AAAA", "Hi"))
      refused(400, yield* send(ada, encodeURIComponent(toStandard(streamId)), "Hi"))
      yield* emulator.use(({ addMember }) => addMember({ streamId, username: "ada" }))
      assert.strictEqual((yield* send(ada, streamId, "Hi")).status, 200)
      yield* emulator.use(({ removeMember }) => removeMember({ streamId, username: "ada" }))
      refused(403, yield* send(ada, streamId, "Hi"))
    }).pipe(emulated()))

  it.effect("answers 451 to blocked words in messages, updates, blasts and file names", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const first = yield* send(headers, streamId, "fine")
      yield* emulator.use(({ block }) => block(["secret"]))
      refused(451, yield* send(headers, streamId, "a <b>secret</b>"))
      refused(451, yield* update(headers, streamId, first.body.messageId, "a secret"))
      const file = { filename: "secret.txt" }
      refused(451, yield* send(headers, streamId, [["message", wrap("x")], ["attachment", "x", file]]))
      refused(
        451,
        yield* postParts("/agent/v4/message/blast", headers, [["message", wrap("secret")], ["sids", streamId]])
      )
      yield* emulator.use(({ block }) => block([]))
      assert.strictEqual((yield* send(headers, streamId, "a secret")).status, 200)
    }).pipe(emulated()))

  it.effect("accepts 30 MB, and refuses one byte more", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const message = wrap("big")
      const sized = (size: number) =>
        send(headers, streamId, [
          ["message", message],
          ["attachment", new Uint8Array(size - message.length), { filename: "big.bin" }]
        ])
      assert.strictEqual((yield* sized(30 * 1024 * 1024)).status, 200)
      refused(413, yield* sized(30 * 1024 * 1024 + 1))
    }).pipe(emulated()))
})

describe("updating on the emulator", () => {
  it.effect("links each version to the one before, the one after and the first", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada")
      const { body: first } = yield* send(headers, streamId, "one")
      yield* TestClock.adjust("1 second")
      const { body: second, status } = yield* update(headers, streamId, first.messageId, "two")
      assert.strictEqual(status, 200)
      assert.notStrictEqual(second.messageId, first.messageId)
      yield* TestClock.adjust("1 second")
      const { body: third } = yield* update(headers, streamId, second.messageId, [
        ["message", wrap("three")],
        ["silent", "false"]
      ])
      const chain = ({ initialMessageId, initialTimestamp, replacedBy, replacing, silent, timestamp }: Record<
        string,
        unknown
      >) => [timestamp, replacing, replacedBy, initialMessageId, initialTimestamp, silent]
      const again = (id: string) => Effect.map(get(`/agent/v1/message/${id}`, headers), ({ body }) => chain(body))
      assert.deepStrictEqual(yield* again(first.messageId), [start, null, second.messageId, null, null, null])
      assert.deepStrictEqual(
        yield* again(second.messageId),
        [start + 1000, first.messageId, third.messageId, first.messageId, start, true]
      )
      assert.deepStrictEqual(chain(third), [start + 2000, second.messageId, null, first.messageId, start, false])
    }).pipe(emulated()))

  it.effect("refuses messages of others, old or suppressed versions, and other streams", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada")
      const otherId = yield* room()
      const { body: first } = yield* send(headers, streamId, "one")
      refused(403, yield* update(yield* loginFor("ada"), streamId, first.messageId, "hers"))
      refused(400, yield* update(headers, otherId, first.messageId, "elsewhere"))
      refused(400, yield* update(headers, streamId, "AAAA", "nothing"))
      yield* update(headers, streamId, first.messageId, "two")
      refused(400, yield* update(headers, streamId, first.messageId, "two again"))
      const [, newest] = yield* stored(streamId)
      yield* emulator.use(({ suppress }) => suppress({ messageId: newest?.messageId ?? "" }))
      refused(400, yield* update(headers, streamId, newest?.messageId ?? "", "three"))
    }).pipe(emulated()))

  it.effect.each(["True", "False", "true"])(
    "accepts silent as Python writes it: %s",
    (silent) =>
      Effect.gen(function*() {
        const headers = yield* login
        const streamId = yield* room()
        const { body: first } = yield* send(headers, streamId, "one")
        const { body } = yield* update(headers, streamId, first.messageId, [["message", wrap("x")], ["silent", silent]])
        assert.strictEqual(body.silent, silent !== "False")
      }).pipe(emulated())
  )
})

describe("blasting on the emulator", () => {
  const blast = (headers: Headers, sids: string) =>
    postParts("/agent/v4/message/blast", headers, [["message", wrap("to all")], ["sids", sids]])

  it.effect("answers 200 with an error for each stream that failed", () =>
    Effect.gen(function*() {
      const headers = yield* loginFor("ada")
      const [one, two, notHers] = [yield* room("ada"), yield* room("ada"), yield* room()]
      const { body, status } = yield* blast(headers, [one, "AAAA", notHers, two].join(","))
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(
        body.messages.map(({ stream }: { stream: { streamId: string } }) => stream.streamId),
        [one, two]
      )
      assert.deepStrictEqual(Object.keys(body.errors), ["AAAA", notHers])
      assert.strictEqual(body.errors["AAAA"].code, 400)
      assert.strictEqual(body.errors[notHers].code, 403)
      assert.deepStrictEqual((yield* blast(headers, one)).body.errors, {})
      assert.strictEqual((yield* stored(one)).length, 2)
      assert.strictEqual((yield* stored(notHers)).length, 0)
    }).pipe(emulated()))

  it.effect("accepts 1 to 100 streams", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const ids = (count: number) => Array.from({ length: count }, () => streamId).join(",")
      assert.strictEqual((yield* blast(headers, ids(100))).body.messages.length, 100)
      refused(400, yield* blast(headers, ids(101)))
      refused(400, yield* blast(headers, ""))
      refused(400, yield* send(headers, streamId, [["message", wrap("x")], ["sids", streamId]]))
    }).pipe(emulated()))
})

describe("importing to the emulator", () => {
  const item = (streamId: string, changes: object = {}) => ({
    message: wrap("old <b>words</b>"),
    intendedMessageTimestamp: start - 1000,
    intendedMessageFromUserId: adaId,
    originatingSystemId: "legacy",
    originalMessageId: "legacy-1",
    streamId,
    ...changes
  })

  it.effect("answers for each message of the list whether it was imported, in their order", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada")
      const notHis = yield* emulator.use(({ createStream }) => createStream({ type: "IM", members: ["ada", "bob"] }))
      const { body, status } = yield* post("/agent/v4/message/import", headers, [
        item(streamId),
        item(toStandard(streamId), { originalMessageId: undefined }),
        item(streamId, { intendedMessageTimestamp: start }),
        item(streamId, { intendedMessageFromUserId: bobId }),
        item(notHis),
        item("AAAA"),
        item(streamId, { message: "not wrapped" }),
        item(streamId, { attachments: [{ filename: "a.txt", content: "#" }] }),
        item(streamId, { attachments: [{ filename: "a.txt", content: "aGk=" }], previews: [] })
      ])
      assert.strictEqual(status, 200)
      const succeeded = body.map((result: object) => "messageId" in result)
      assert.deepStrictEqual(succeeded, [true, true, false, false, false, false, false, false, true])
      const [first, second] = body
      assert.deepInclude(first, { originatingSystemId: "legacy", originalMessageId: "legacy-1", diagnostic: null })
      assert.strictEqual(second.originalMessageId, null)
      for (const { diagnostic } of body.slice(2, 8)) assert.isString(diagnostic)
      const messages = yield* stored(streamId)
      assert.deepStrictEqual(
        messages.map(({ imported, timestamp, username }) => [username, imported, timestamp.epochMilliseconds]),
        [["ada", true, start - 1000], ["ada", true, start - 1000], ["ada", true, start - 1000]]
      )
      assert.strictEqual(text(messages[2]?.attachments[0]?.content), "hi")
      yield* send(headers, streamId, "now")
      yield* post("/agent/v4/message/import", headers, [item(streamId)])
      const listed = yield* get(`/agent/v4/stream/${streamId}/message?since=0`, headers)
      const times = listed.body.map(({ timestamp }: { timestamp: number }) => timestamp - start)
      assert.deepStrictEqual(times, [0, -1000, -1000, -1000, -1000])
      assert.deepStrictEqual((yield* post("/agent/v4/message/import", headers, [])).body, [])
    }).pipe(emulated()))

  it.effect("refuses a body that is no list of messages", () =>
    Effect.gen(function*() {
      const headers = yield* login
      refused(400, yield* post("/agent/v4/message/import", headers, { value: [] }))
      refused(400, yield* post("/agent/v4/message/import", headers, [{ message: "x" }]))
      refused(400, yield* post("/agent/v4/message/import", headers, [item("AAAA", { stream_id: "x" })]))
    }).pipe(emulated()))
})

describe("reading from the emulator", () => {
  const ids = ({ body }: { readonly body: ReadonlyArray<{ readonly messageId: string }> }) =>
    body.map(({ messageId }) => messageId)

  /** So many messages, one a second. */
  const several = (headers: Headers, streamId: string, count: number) =>
    Effect.forEach(Array.from({ length: count }, (_, i) => i), (i) =>
      Effect.gen(function*() {
        const { body } = yield* send(headers, streamId, `number ${i}`)
        yield* TestClock.adjust("1 second")
        return String(body.messageId)
      }))

  it.effect("returns one message, and 204 when it does not exist or is suppressed", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const { body } = yield* send(headers, streamId, "one")
      assert.deepStrictEqual((yield* get(`/agent/v1/message/${body.messageId}`, headers)).body, body)
      const none = yield* get("/agent/v1/message/AAAA", headers)
      assert.deepStrictEqual([none.status, none.text], [204, ""])
      refused(403, yield* get(`/agent/v1/message/${body.messageId}`, yield* loginFor("ada")))
      refused(400, yield* get("/agent/v1/message/AAA%3D", headers))
      yield* emulator.use(({ suppress }) => suppress({ messageId: body.messageId }))
      assert.strictEqual((yield* get(`/agent/v1/message/${body.messageId}`, headers)).status, 204)
    }).pipe(emulated()))

  it.effect("lists a stream, newest first, by time, skip and limit, and answers 204 when it is empty", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const [a, b, c, d] = yield* several(headers, streamId, 4)
      const list = (query: string) => get(`/agent/v4/stream/${streamId}/message?${query}`, headers)
      assert.deepStrictEqual(ids(yield* list("since=0")), [d, c, b, a])
      assert.deepStrictEqual(ids(yield* list(`since=${start + 2000}`)), [d, c])
      assert.deepStrictEqual(ids(yield* list(`since=0&until=${start + 1000}`)), [b, a])
      assert.deepStrictEqual(ids(yield* list("since=0&skip=1&limit=2")), [c, b])
      const none = yield* list(`since=${start + 9000}`)
      assert.deepStrictEqual([none.status, none.text], [204, ""])
      refused(400, yield* list(""))
      refused(400, yield* list("since=abc"))
      refused(400, yield* list("since=0&limit=501"))
      refused(400, yield* list("since=0&limit=0"))
      refused(400, yield* list("since=0&skip=-1"))
      refused(403, yield* get(`/agent/v4/stream/${streamId}/message?since=0`, yield* loginFor("ada")))
      refused(400, yield* get("/agent/v4/stream/AAAA/message?since=0", headers))
    }).pipe(emulated()))

  it.effect("returns at most 50 messages without a limit", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      for (let i = 0; i < 60; i++) {
        yield* emulator.use(({ send }) => send({ streamId, username: "bot", message: "x" }))
      }
      const path = `/agent/v4/stream/${streamId}/message?since=0`
      assert.strictEqual((yield* get(path, headers)).body.length, 50)
      assert.strictEqual((yield* get(`${path}&limit=500`, headers)).body.length, 60)
      assert.strictEqual((yield* post("/agent/v1/message/search", headers, { streamId })).body.length, 50)
    }).pipe(emulated()))

  it.effect("searches by author, text, stream, tags, mention, type and time", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada")
      const imId = yield* emulator.use(({ createStream }) => createStream({ type: "IM", members: ["ada", "bot"] }))
      const notHis = yield* emulator.use(({ createStream }) => createStream({ type: "IM", members: ["ada", "bob"] }))
      const say = (stream: string, from: string, message: string) =>
        Effect.andThen(
          TestClock.adjust("1 second"),
          emulator.use(({ send }) => send({ streamId: stream, username: from, message }))
        )
      const first = yield* say(streamId, "ada", "Buy <hash tag=\"deal\"/>")
      const second = yield* say(streamId, "bot", "Sell <cash tag=\"ibm\"/> <mention uid=\"7000000000002\"/>")
      const third = yield* say(imId, "ada", "buy too")
      yield* say(notHis, "ada", "buy in secret")
      const search = (query: object, parameters = "") => post(`/agent/v1/message/search${parameters}`, headers, query)
      const found = (query: object, parameters = "") => Effect.map(search(query, parameters), ids)
      assert.deepStrictEqual(yield* found({ author: adaId }), [third, first])
      assert.deepStrictEqual(yield* found({ author: adaId }, "?sortDir=asc"), [first, third])
      assert.deepStrictEqual(yield* found({ author: adaId }, "?skip=1&limit=1&sortDir=desc"), [first])
      assert.deepStrictEqual(yield* found({ text: "buy", streamId }), [first])
      assert.deepStrictEqual(yield* found({ streamId: toStandard(streamId) }), [second, first])
      assert.deepStrictEqual(yield* found({ hashtag: "deal" }), [first])
      assert.deepStrictEqual(yield* found({ cashtag: "ibm" }), [second])
      assert.deepStrictEqual(yield* found({ mention: adaId }), [second])
      assert.deepStrictEqual(yield* found({ streamType: "IM" }), [third])
      assert.deepStrictEqual(yield* found({ streamType: "CHAT" }), [third, second, first])
      assert.deepStrictEqual(yield* found({ fromDate: start + 2000, toDate: start + 3000 }), [second])
      const none = yield* search({ hashtag: "nothing" })
      assert.deepStrictEqual([none.status, none.text], [204, ""])
      assert.strictEqual((yield* search({ signal: "x" })).status, 204)
      refused(400, yield* search({ text: "buy" }))
      refused(400, yield* search({ signal: "x", author: adaId }))
      refused(400, yield* search({ stream_id: streamId }))
      refused(400, yield* search({ streamType: "room" }))
      refused(400, yield* search({ author: "ada" }))
      refused(400, yield* search({}, "?limit=1001"))
      refused(400, yield* search({}, "?sortDir=up"))
      refused(403, yield* search({ streamId: notHis }))
      refused(400, yield* search({ streamId: "AAAA" }))
    }).pipe(emulated()))

  it.effect("returns a file as base64, by the id that is encoded twice", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada")
      const file: SymphonyEmulator.File = {
        name: "a.bin",
        content: new Uint8Array([0, 1, 254, 255]),
        preview: new Uint8Array([7])
      }
      const messageId = yield* emulator.use(({ send }) =>
        send({ streamId, username: "ada", message: "x", attachments: [file] })
      )
      const [message] = yield* stored(streamId)
      const fileId = message?.attachments[0]?.attachmentId ?? ""
      const path = `/agent/v1/stream/${streamId}/attachment`
      const download = (file: string, message = messageId) =>
        get(`${path}?fileId=${file}&messageId=${encodeURIComponent(message)}`, {
          ...headers,
          accept: "application/octet-stream"
        })
      const { body, headers: answered, status } = yield* download(encodeURIComponent(fileId))
      assert.deepStrictEqual([status, body], [200, "AAH+/w=="])
      assert.strictEqual(answered["content-type"], "application/octet-stream")
      assert.strictEqual((yield* download(encodeURIComponent(fileId), toStandard(messageId))).status, 200)
      refused(400, yield* download(fileId))
      refused(400, yield* download("unknown"))
      refused(400, yield* get(`${path}?fileId=x`, headers))
      const listed = yield* get(`/pod/v1/streams/${streamId}/attachments`, headers)
      const preview = yield* download(encodeURIComponent(listed.body[0].previews[0].fileId))
      assert.strictEqual(preview.body, "Bw==")
    }).pipe(emulated()))
})
