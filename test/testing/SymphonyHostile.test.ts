import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { isLong } from "../simulation/seeds.ts"
import {
  emulated,
  emulator,
  get,
  jwt,
  login,
  post,
  postBytes,
  postParts,
  refused,
  room,
  send,
  update,
  wrap
} from "./symphonyHttp.ts"

const inherited = ["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"]

/** What everybody else waits for while it runs. */
const within = (millis: number) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const start = performance.now()
    const result = yield* effect
    assert.isBelow(performance.now() - start, millis)
    return result
  })

describe("names of Object.prototype", () => {
  it.effect.each(inherited)("renders an unknown emoji: %s", (code) =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const { body, status } = yield* send(headers, streamId, `<emoji shortcode="${code}"/>`)
      assert.strictEqual(status, 200)
      assert.include(body.message, `>:${code}:<`)
      assert.deepStrictEqual(JSON.parse(body.data)["0"].data, { annotation: code, size: "normal" })
    }).pipe(emulated()))

  it.effect.each(inherited)("refuses an entity that is not in the data: %s", (id) =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const message = wrap(`<div class="entity" data-entity-id="${id}">x</div>`)
      refused(400, yield* send(headers, streamId, [["message", message]]))
      const data = `{${JSON.stringify(id)}:{"type":"t","version":"1.0"}}`
      assert.strictEqual((yield* send(headers, streamId, [["message", message], ["data", data]])).status, 200)
    }).pipe(emulated()))

  it.effect.each(inherited)("reports a stream that does not exist: %s", (id) =>
    Effect.gen(function*() {
      const headers = yield* login
      const parts = [["message", wrap("x")], ["sids", id]] as const
      const { text } = yield* postParts("/agent/v4/message/blast", headers, parts)
      assert.include(text, `"errors":{${JSON.stringify(id)}:`)
    }).pipe(emulated()))

  it.effect.each(inherited)("records a header: %s", (name) =>
    Effect.gen(function*() {
      const { handle, requests } = yield* emulator
      const headers = Object.fromEntries([[name, "x"]])
      yield* handle({ method: "GET", target: "/agent/v1/info", headers, body: new Uint8Array() })
      assert.deepStrictEqual(Object.entries((yield* requests)[0]?.headers ?? {}), [[name, "x"]])
    }).pipe(emulated()))
})

const share = isLong ? 1 : 1 / 8

describe("input of the largest size", () => {
  const boundary = "b"
  const form = (...parts: ReadonlyArray<string | Uint8Array>) =>
    new Uint8Array(Buffer.concat(parts.map((part) => Buffer.from(part))))
  const type = `multipart/form-data; boundary=${boundary}`
  const most = 30 * 1024 * 1024 * share

  it.effect.each<readonly [string, () => Uint8Array, string]>([
    ["line ends without a part", () => form("--b\r\n", Buffer.alloc(most, "\r\n")), type],
    ["carriage returns", () => form("--b", Buffer.alloc(most, "\r")), type],
    [
      "parts without content",
      () => form(Buffer.from("--b\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n".repeat(most / 64)), "--b--"),
      type
    ],
    ["a boundary that nearly comes", () => form("--b\r\na: b\r\n\r\n", Buffer.alloc(most, "\r\n--a")), type],
    [
      "a part's header that never ends",
      () => form(`--b\r\nContent-Disposition: form-data${";a=\"\\".repeat(4_000_000 * share)}\r\n\r\n\r\n--b--`),
      type
    ],
    [
      "parameters without end",
      () => form(`--b\r\nContent-Disposition: form-data${"; a".repeat(5_000_000 * share)}\r\n\r\n\r\n--b--`),
      type
    ],
    [
      "spaces behind semicolons",
      () => form(`--b\r\nContent-Disposition: form-data;${" ".repeat(10_000_000 * share)}\r\n\r\n\r\n--b--`),
      type
    ],
    ["a boundary of quotes", () => form("--b"), `multipart/form-data; boundary="${"\\\"".repeat(10_000)}`]
  ])("refuses a multipart body in time: %s", ([_, bytes, type]) =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const path = `/agent/v4/stream/${streamId}/message/create`
      const answer = yield* within(25_000)(postBytes(path, headers, bytes(), type))
      assert.include([400, 413], answer.status)
      assert.strictEqual((yield* get("/agent/v1/info")).status, 200)
    }).pipe(emulated()))

  it.effect.each<readonly [string, string]>([
    ["elements", "<b>".repeat(20_000) + "</b>".repeat(20_000)],
    ["elements, as many as a message has room for", "<b/>".repeat(240_000)],
    ["more than a message has room for", "<b/>".repeat(7_000_000 * share)],
    ["elements that do not end", "<b>".repeat(300_000)],
    ["entities", "&amp;".repeat(300_000)],
    ["an entity that does not end", `&${"a".repeat(2_000_000)}`],
    ["attributes", `<div ${Array.from({ length: 20_000 }, (_, i) => `a${i}="x"`).join(" ")}/>`],
    ["an attribute that does not end", `<div a="${"x".repeat(2_000_000)}`],
    ["open brackets", "<".repeat(300_000)],
    ["a comment that does not end", `<!--${"-".repeat(2_000_000)}`],
    ["a declaration of entities", "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>&b;"]
  ])("reads or refuses markup in time: %s", ([_, markup]) =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      assert.include([200, 400], (yield* within(25_000)(send(headers, streamId, markup))).status)
    }).pipe(emulated()))

  it.effect("refuses part headers above 64 kB", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const named = (length: number) =>
        send(headers, streamId, [["message", wrap("x")], ["attachment", "x", { filename: "x".repeat(length) }]])
      assert.strictEqual((yield* named(1_000)).status, 200)
      const { body, status } = yield* named(70_000)
      assert.strictEqual(status, 400)
      assert.include(body.message, "the headers of a part are too long")
    }).pipe(emulated()))

  it.effect("reads or refuses deeply nested data in time", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const deep = (open: string, close: string, levels: number) =>
        `{"a":${open.repeat(levels)}1${close.repeat(levels)}}`
      for (const data of [deep("[", "]", 200_000 * share), deep("{\"a\":", "}", 200_000 * share)]) {
        const parts = [["message", wrap("x")], ["data", data]] as const
        assert.include([200, 400], (yield* within(25_000)(send(headers, streamId, parts))).status)
      }
      for (const path of ["/agent/v1/message/search", "/agent/v5/datafeeds", "/agent/v4/message/import"]) {
        const body = deep("[", "]", 200_000 * share)
        const answer = yield* postBytes(path, headers, Buffer.from(body), "application/json")
        refused(400, answer)
      }
    }).pipe(emulated()))
})

describe("memory of the emulator", () => {
  it.effect("deletes the oldest messages with their files when storedBytes is reached", () =>
    Effect.gen(function*() {
      const { messages, requests } = yield* emulator
      const headers = yield* login
      const streamId = yield* room()
      const content = new Uint8Array(10_000)
      const ids: Array<string> = []
      for (let index = 0; index < 20; index++) {
        const { body } = yield* send(headers, streamId, [
          ["message", wrap(`m${index}`)],
          ["attachment", content, { filename: "x.bin" }]
        ])
        ids.push(body.messageId)
      }
      const kept = yield* messages({ streamId })
      assert.deepStrictEqual(kept.map(({ messageId }) => messageId), ids.slice(-8))
      assert.strictEqual((yield* get(`/agent/v1/message/${ids[0]}`, headers)).status, 204)
      assert.strictEqual((yield* get(`/agent/v1/message/${ids[19]}`, headers)).status, 200)
      assert.isAbove((yield* requests).length, 20)
    }).pipe(emulated({ storedBytes: 100_000 })))

  it.effect("keeps the initial id and time through 300 updates, also when the first version is deleted", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      const first = yield* send(headers, streamId, "0")
      let latest = first
      for (let index = 1; index <= 300; index++) {
        latest = yield* update(headers, streamId, latest.body.messageId, String(index))
        assert.strictEqual(latest.status, 200)
        assert.strictEqual(latest.body.initialMessageId, first.body.messageId)
        assert.strictEqual(latest.body.initialTimestamp, first.body.timestamp)
      }
      assert.isBelow((yield* emulator.use(({ messages }) => messages({ streamId }))).length, 300)
    }).pipe(emulated({ storedBytes: 100_000 })))

  it.effect("keeps the newest events of a feed that is never acknowledged", () =>
    Effect.gen(function*() {
      const { emit, feeds } = yield* emulator
      const headers = yield* login
      const created = yield* post("/agent/v5/datafeeds", headers, {})
      for (let index = 0; index < 500; index++) yield* emit({ kind: "X", payload: { index } })
      assert.isBelow((yield* feeds)[0]?.pending ?? 0, 100)
      const { body } = yield* post(`/agent/v5/datafeeds/${created.body.id}/read`, headers, { ackId: "" })
      assert.strictEqual(body.events.at(-1).payload.index, 499)
    }).pipe(emulated({ storedBytes: 100_000 })))

  it.effect.runIf(isLong)("remembers the newest ten thousand logins and tokens", () =>
    Effect.gen(function*() {
      const { handle, logins } = yield* emulator
      const body = Buffer.from(JSON.stringify({ token: yield* jwt() }))
      const logIn = Effect.map(
        handle({
          method: "POST",
          target: "/login/pubkey/authenticate",
          headers: { "content-type": "application/json" },
          body
        }),
        (answer): string => JSON.parse(answer.body).token
      )
      const status = (sessionToken: string) =>
        Effect.map(get("/pod/v2/sessioninfo", { sessionToken }), ({ status }) => status)
      const first = yield* logIn
      const second = yield* logIn
      for (let index = 0; index < 9_999; index++) yield* logIn
      assert.strictEqual((yield* logins).length, 10_000)
      assert.deepStrictEqual([yield* status(first), yield* status(second)], [401, 200])
    }).pipe(emulated()), 60_000)

  it.effect("remembers fewer requests when their headers are large", () =>
    Effect.gen(function*() {
      const { handle, requests } = yield* emulator
      for (let index = 0; index < 3_000; index++) {
        const headers = { a: "x".repeat(20_000) }
        yield* handle({ method: "GET", target: `/agent/v1/info?n=${index}`, headers, body: new Uint8Array() })
      }
      const kept = yield* requests
      assert.isBelow(kept.length, 900)
      assert.isAbove(kept.length, 700)
      assert.strictEqual(kept.at(-1)?.target, "/agent/v1/info?n=2999")
    }).pipe(emulated()))
})

describe("long addresses and headers", () => {
  const units = [
    "/",
    "%2F",
    "%",
    "%25",
    "=",
    "&",
    "?",
    "..",
    ";",
    "\"",
    "\\",
    "%00",
    "%F0%9F%98%80",
    "+",
    "-",
    "a",
    "1"
  ]
  const long = (unit: string, length: number) => unit.repeat(Math.floor(length / unit.length))

  it.effect.each(units)(
    "answers addresses, headers and tokens full of %s within three seconds",
    (unit) =>
      Effect.gen(function*() {
        const { handle } = yield* emulator
        const tokens = yield* login
        const headers = {
          sessiontoken: tokens.sessionToken,
          keymanagertoken: tokens.keyManagerToken,
          "content-type": "application/json",
          "user-agent": "test"
        }
        const at = (method: string, target: string, more: Readonly<Record<string, string>> = {}, body = "") =>
          Effect.gen(function*() {
            const start = performance.now()
            const answer = yield* handle({ method, target, headers: { ...headers, ...more }, body: Buffer.from(body) })
            assert.include([200, 201, 204, 400, 401, 403, 404, 405], answer.status, target.slice(0, 80))
            assert.isBelow(performance.now() - start, 3_000, target.slice(0, 80))
          })
        const fill = long(unit, 32_000)
        for (
          const [method, before, after] of [
            ["GET", "/", ""],
            ["GET", "/agent/v1/message/", ""],
            ["POST", "/agent/v4/stream/", "/message/create"],
            ["POST", "/agent/v5/datafeeds/", "/read"],
            ["POST", "/login/pubkey/app/username/", "/authenticate"],
            ["GET", "/pod/v1/admin/messages/", "/receipts?after=x"],
            ["GET", "/pod/v1/streams/", "/attachments"],
            ["GET", "/agent/v1/info?", ""],
            ["POST", "/agent/v1/message/search?sortDir=", ""],
            ["POST", "/agent/v1/message/search?skip=", ""]
          ] as const
        ) {
          yield* at(method, before + fill + after)
        }
        const path = "/agent/v4/stream/AAAA/message/create"
        yield* at("POST", path, { "content-type": `multipart/form-data; boundary=${fill}` }, `--${fill}\r\n`)
        yield* at("POST", path, { "content-type": `multipart/form-data; boundary="${fill}` }, "--")
        yield* at("POST", path, { "content-type": `multipart/form-data${long(`;a=${unit}`, 32_000)}` }, "--")
        yield* at("POST", path, { "content-type": fill }, "--")
        yield* at("POST", "/login/pubkey/authenticate", {}, JSON.stringify({ token: long(unit, 1_000_000) }))
        yield* at("POST", "/login/pubkey/authenticate", {}, JSON.stringify({ token: `a.${long(unit, 1_000_000)}.b` }))
        yield* at("POST", "/login/pubkey/authenticate", {}, `{"token":"${long(unit, 1_000_000)}`)
        yield* at("GET", "/agent/v1/info", { sessiontoken: fill, "content-encoding": fill, "user-agent": fill })
      }).pipe(emulated())
  )
})
