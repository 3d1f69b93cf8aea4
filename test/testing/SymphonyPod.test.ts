import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as TestClock from "effect/testing/TestClock"
import * as VirtualTime from "effect-herald/testing/VirtualTime"
import {
  adaId,
  bobId,
  botId,
  emulated,
  emulator,
  get,
  login,
  loginFor,
  post,
  postParts,
  refused,
  room,
  send,
  start,
  toStandard,
  wrap
} from "./symphonyHttp.ts"
import * as Faults from "effect-herald/testing/Faults"
import { failNext } from "../kit/failNext.ts"

describe("suppressing on the emulator", () => {
  it.effect("hides a message from lists and searches, and answers the same when repeated", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada")
      const { body: sent } = yield* send(headers, streamId, "oops")
      yield* TestClock.adjust("5 seconds")
      const path = `/pod/v1/admin/messagesuppression/${sent.messageId}/suppress`
      const first = yield* post(path, headers)
      assert.strictEqual(first.status, 200)
      assert.deepStrictEqual(first.body, {
        messageId: sent.messageId,
        suppressed: true,
        suppressionDate: start + 5000
      })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual((yield* post(path, headers)).body, first.body)
      assert.strictEqual((yield* get(`/agent/v4/stream/${streamId}/message?since=0`, headers)).status, 204)
      assert.strictEqual((yield* post("/agent/v1/message/search", headers, { streamId })).status, 204)
      assert.strictEqual((yield* emulator.use(({ messages }) => messages({ streamId })))[0]?.suppressed, true)
    }).pipe(emulated()))

  it.effect("refuses an id in the standard alphabet", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const { body } = yield* send(headers, yield* room(), "x")
      const standard = encodeURIComponent(toStandard(body.messageId))
      refused(400, yield* post(`/pod/v1/admin/messagesuppression/${standard}/suppress`, headers))
    }).pipe(emulated()))
})

describe("message status of the emulator", () => {
  it.effect("shows numbers as text, and each reader as sent, delivered or read", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada", "bob")
      const { body: sent } = yield* send(headers, streamId, "x")
      const status = Effect.map(get(`/pod/v1/message/${sent.messageId}/status`, headers), ({ body }) => body)
      const receive = (by: string, what: "delivered" | "read") =>
        emulator.use(({ receive }) => receive({ messageId: sent.messageId, username: by, kind: what }))
      const lists = Effect.map(status, ({ delivered, read, sent }) =>
        [read, delivered, sent].map((users: ReadonlyArray<{ userName: string; timestamp: string }>) =>
          users.map(({ timestamp, userName }) => [userName, timestamp])
        ))
      const { author, sent: waiting } = yield* status
      assert.deepStrictEqual(author, {
        userId: String(botId),
        firstName: null,
        lastName: null,
        displayName: "Orders bot",
        email: "bot@example.com",
        userName: "bot",
        timestamp: String(start)
      })
      assert.strictEqual(waiting[0].userId, String(adaId))
      assert.deepStrictEqual(yield* lists, [[], [], [["ada", String(start)], ["bob", String(start)]]])
      yield* TestClock.adjust("1 second")
      yield* receive("ada", "delivered")
      assert.deepStrictEqual(yield* lists, [[], [["ada", String(start + 1000)]], [["bob", String(start)]]])
      yield* TestClock.adjust("1 second")
      yield* receive("ada", "read")
      yield* receive("bob", "read")
      const second = String(start + 2000)
      assert.deepStrictEqual(yield* lists, [[["ada", second], ["bob", second]], [], []])
    }).pipe(emulated()))

  it.effect("answers 404 for an unknown message, and 403 to users outside the stream", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const none = yield* get("/pod/v1/message/AAAA/status", headers)
      assert.deepStrictEqual([none.status, none.body.code], [404, 403])
      const { body } = yield* send(headers, yield* room(), "x")
      refused(403, yield* get(`/pod/v1/message/${body.messageId}/status`, yield* loginFor("ada")))
    }).pipe(emulated()))
})

describe("message receipts of the emulator", () => {
  it.effect("lists deliveries, reads, emails and downloads of each reader", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada", "bob")
      const { body: sent } = yield* send(headers, streamId, [
        ["message", wrap("x")],
        ["attachment", "abc", { filename: "plan.txt" }]
      ])
      yield* TestClock.adjust("1 second")
      const receive = (what: "read" | "emailed") =>
        emulator.use(({ receive }) => receive({ messageId: sent.messageId, username: "ada", kind: what }))
      yield* receive("read")
      yield* receive("emailed")
      const file = `fileId=${encodeURIComponent(sent.attachments[0].id)}&messageId=${sent.messageId}`
      const ada = yield* loginFor("ada")
      yield* get(`/agent/v1/stream/${streamId}/attachment?${file}`, ada)
      yield* get(`/agent/v1/stream/${streamId}/attachment?${file}`, ada)
      yield* get(`/agent/v1/stream/${streamId}/attachment?${file}`, headers)
      const { body, status } = yield* get(`/pod/v1/admin/messages/${sent.messageId}/receipts`, headers)
      assert.strictEqual(status, 200)
      const downloaded = { fileName: "plan.txt", timestamp: start + 1000 }
      assert.deepStrictEqual(body, {
        creator: { id: botId, name: "Orders bot" },
        onBehalfOfUser: { id: null, name: null },
        stream: { id: toStandard(streamId), name: "Orders", streamType: "ROOM" },
        creationDate: start,
        deliveryReceiptCount: 1,
        readReceiptCount: 1,
        emailNotificationCount: 1,
        downloadReceiptCounts: [{ fileName: "plan.txt", count: 2 }],
        MessageReceiptDetail: [
          {
            user: {
              id: adaId,
              username: "ada",
              firstName: "Ada",
              lastName: "Byron",
              emailAddress: "ada@example.com"
            },
            deliveryReceiptTimestamp: start + 1000,
            readReceiptTimestamp: start + 1000,
            emailNotificationTimestamp: start + 1000,
            downloadReceiptCounts: [downloaded, downloaded]
          },
          {
            user: { id: bobId, username: "bob", firstName: null, lastName: null, emailAddress: null },
            deliveryReceiptTimestamp: null,
            readReceiptTimestamp: null,
            emailNotificationTimestamp: null,
            downloadReceiptCounts: []
          }
        ],
        pagination: null
      })
    }).pipe(emulated()))

  it.effect("pages with cursors, forward and back", () =>
    Effect.gen(function*() {
      const { addUser } = yield* emulator
      const names = Array.from({ length: 5 }, (_, i) => `reader-${i}`)
      for (const username of names) yield* addUser({ username })
      const headers = yield* login
      const { body: sent } = yield* send(headers, yield* room(...names), "x")
      const page = (query: string) =>
        Effect.map(get(`/pod/v1/admin/messages/${sent.messageId}/receipts${query}`, headers), ({ body }) => ({
          names: body.MessageReceiptDetail.map(({ user }: { user: { username: string } }) => user.username),
          pagination: body.pagination
        }))
      const first = yield* page("")
      assert.deepStrictEqual(first.names, ["reader-0", "reader-1"])
      assert.isNull(first.pagination.previous)
      assert.isString(first.pagination.next)
      const second = yield* page(`?after=${first.pagination.cursors.after}`)
      assert.deepStrictEqual(second.names, ["reader-2", "reader-3"])
      const third = yield* page(`?after=${second.pagination.cursors.after}`)
      assert.deepStrictEqual(third.names, ["reader-4"])
      assert.isNull(third.pagination.next)
      assert.deepStrictEqual((yield* page(`?before=${third.pagination.cursors.before}`)).names, second.names)
      assert.deepStrictEqual((yield* page(`?before=${second.pagination.cursors.before}`)).names, first.names)
      refused(400, yield* get(`/pod/v1/admin/messages/${sent.messageId}/receipts?after=x`, headers))
      assert.strictEqual((yield* get("/pod/v1/admin/messages/AAAA/receipts", headers)).status, 404)
    }).pipe(emulated({ receiptsPageSize: 2 })))
})

describe("message relationships of the emulator", () => {
  it.effect("lists parent, replies, forwards and forms, with ids in the standard alphabet", () =>
    Effect.gen(function*() {
      const headers = { ...(yield* login), "user-agent": "test" }
      const streamId = yield* room("ada")
      const { body: sent } = yield* send(headers, streamId, "x")
      const answer = (type: "REPLY" | "FORWARD" | "REPLY_FORM") =>
        emulator.use(({ send }) =>
          send({ streamId, username: "ada", message: "y", parent: { messageId: sent.messageId, type } })
        )
      const relationships = (id: string) => get(`/pod/v1/admin/messages/${id}/metadata/relationships`, headers)
      assert.deepStrictEqual((yield* relationships(sent.messageId)).body, {
        messageId: toStandard(sent.messageId),
        parent: null,
        replies: [],
        forwards: [],
        formReplies: []
      })
      const [reply, forward, form] = [yield* answer("REPLY"), yield* answer("FORWARD"), yield* answer("REPLY_FORM")]
      const { body, status } = yield* relationships(sent.messageId)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body, {
        messageId: toStandard(sent.messageId),
        parent: null,
        replies: [toStandard(reply)],
        forwards: [toStandard(forward)],
        formReplies: [toStandard(form)]
      })
      assert.include(body.messageId, "+")
      assert.include(body.messageId, "/")
      assert.deepStrictEqual((yield* relationships(reply)).body.parent, {
        messageId: toStandard(sent.messageId),
        relationshipType: "REPLY"
      })
      assert.strictEqual((yield* get(`/agent/v1/message/${reply}`, headers)).body.parentMessageId, sent.messageId)
    }).pipe(emulated()))

  it.effect("requires a User-Agent", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const { body } = yield* send(headers, yield* room(), "x")
      const path = `/pod/v1/admin/messages/${body.messageId}/metadata/relationships`
      refused(400, yield* get(path, headers))
      refused(400, yield* get(path, { ...headers, "user-agent": "" }))
    }).pipe(emulated()))
})

describe("files of the emulator", () => {
  it.effect("lists the files of a stream by time and order, with ids in the standard alphabet", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room("ada")
      const sendFile = (name: string) =>
        Effect.tap(
          send(headers, streamId, [
            ["message", wrap("x")],
            ["attachment", "abc", { filename: name, type: "text/plain" }],
            ["preview", "p", { filename: "p.png" }]
          ]),
          () => TestClock.adjust("1 second")
        )
      const first = yield* sendFile("1.txt")
      yield* sendFile("2.txt")
      yield* sendFile("3.txt")
      const list = (query: string) => get(`/pod/v1/streams/${streamId}/attachments${query}`, headers)
      const names = (query: string) =>
        Effect.map(list(query), ({ body }) => body.map(({ name }: { name: string }) => name))
      const { body, status } = yield* list("")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body[0], {
        messageId: toStandard(first.body.messageId),
        ingestionDate: start,
        userId: botId,
        fileId: first.body.attachments[0].id,
        name: "1.txt",
        size: 3,
        "content-type": "text/plain",
        previews: [{ fileId: first.body.attachments[0].images[0].id, width: 600 }]
      })
      assert.deepStrictEqual(yield* names("?sortDir=ASC"), ["1.txt", "2.txt", "3.txt"])
      assert.deepStrictEqual(yield* names("?sortDir=DESC&limit=2"), ["3.txt", "2.txt"])
      assert.deepStrictEqual(yield* names(`?since=${start + 1000}&to=${start + 1000}`), ["2.txt"])
      assert.deepStrictEqual(yield* names(`?since=${start + 9000}`), [])
      refused(400, yield* list("?limit=101"))
      refused(400, yield* list("?sortDir=asc"))
      refused(403, yield* get(`/pod/v1/streams/${streamId}/attachments`, yield* loginFor("bob")))
    }).pipe(emulated()))

  it.effect("lists the allowed file types with their dots", () =>
    Effect.gen(function*() {
      const { body, status } = yield* get("/pod/v1/files/allowedTypes", yield* login)
      assert.strictEqual(status, 200)
      assert.include(body, ".png")
    }).pipe(emulated()))
})

describe("session info of the emulator", () => {
  it.effect("shows the user of the session", () =>
    Effect.gen(function*() {
      const bot = yield* get("/pod/v2/sessioninfo", yield* login)
      assert.deepInclude(bot.body, { id: botId, username: "bot", accountType: "SYSTEM", title: null })
      const ada = yield* get("/pod/v2/sessioninfo", yield* loginFor("ada"))
      assert.deepInclude(ada.body, { id: adaId, displayName: "Ada Byron", accountType: "NORMAL" })
    }).pipe(emulated()))
})

describe("addresses of the emulator", () => {
  it.effect("answers 404 to unknown paths, 405 to other methods, and 400 to bad percent-encoding", () =>
    Effect.gen(function*() {
      const headers = yield* login
      refused(404, yield* get("/", headers))
      refused(404, yield* get("/agent/v4/nothing", headers))
      refused(404, yield* get("//agent/v1/info", headers))
      refused(405, yield* get("/agent/v4/message/blast", headers))
      refused(405, yield* post("/pod/v2/sessioninfo", headers))
      refused(400, yield* get("/agent/v1/message/%E0%A4%A", headers))
      const raw = yield* emulator.use(({ handle }) =>
        handle({ method: "GET", target: "/agent/v1/info?a=%E0%A4%A", headers: {}, body: new Uint8Array() })
      )
      assert.strictEqual(raw.status, 400)
      refused(400, yield* get("/agent/v1/message/a%2Fb", headers))
    }).pipe(emulated()))
})

describe("scripted failures", () => {
  it.effect("replaces answers of one kind or of the next requests, as often as told", () =>
    Effect.gen(function*() {
      const { messages } = yield* emulator
      const headers = yield* login
      const streamId = yield* room()
      yield* failNext({ on: "send", status: 503, times: 2 })
      yield* failNext({ on: "sessionInfo", status: 429, body: "slow down", headers: { "retry-after": "7" } })
      refused(503, yield* send(headers, streamId, "x"))
      const limited = yield* get("/pod/v2/sessioninfo", headers)
      assert.deepStrictEqual([limited.status, limited.text, limited.headers["retry-after"]], [429, "slow down", "7"])
      assert.strictEqual((yield* get("/pod/v2/sessioninfo", headers)).status, 200)
      refused(503, yield* send(headers, streamId, "x"))
      assert.deepStrictEqual(yield* messages({ streamId }), [])
      assert.strictEqual((yield* send(headers, streamId, "x")).status, 200)
      yield* failNext({ status: 500, body: { code: 42 } })
      assert.deepStrictEqual((yield* get("/agent/v1/info")).body, { code: 42 })
      assert.strictEqual((yield* get("/agent/v1/info")).status, 200)
    }).pipe(Effect.provide(Faults.layer()), emulated()))
})

describe("state of the emulator", () => {
  it.effect("shows the members of streams, and dies for unknown users and streams", () =>
    Effect.gen(function*() {
      const { addMember, createStream, messages, removeMember, streams } = yield* emulator
      const streamId = yield* room("ada")
      yield* addMember({ streamId, username: "bob" })
      yield* removeMember({ streamId, username: "ada" })
      assert.deepStrictEqual(yield* streams, [
        { streamId, type: "ROOM", name: "Orders", members: ["bot", "bob"] }
      ])
      for (
        const mistake of [
          createStream({ type: "IM", members: ["nobody"] }),
          addMember({ streamId: "AAAA", username: "bob" }),
          messages({ streamId: "AAAA" }),
          emulator.use(({ send }) => send({ streamId, username: "bot", message: "<b>" }))
        ]
      ) assert.isTrue((yield* Effect.exit(mistake)).toString().includes("Die"))
    }).pipe(emulated()))

  it.effect("starts with the streams of the options", () =>
    Effect.gen(function*() {
      const [first] = yield* emulator.use(({ streams }) => streams)
      assert.strictEqual(first?.name, "Lobby")
    }).pipe(emulated({ streams: [{ type: "ROOM", name: "Lobby", members: ["ada", "bot"] }] })))

  it.effect("handles a request whose caller is interrupted", () => {
    let latency: Duration.Input = 0
    return Effect.gen(function*() {
      const headers = yield* login
      const streamId = yield* room()
      latency = "1 minute"
      const fiber = yield* Effect.forkChild(send(headers, streamId, "slow"), { startImmediately: true })
      yield* VirtualTime.advance("10 seconds")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* emulator.use(({ messages }) => messages({ streamId }))).length, 1)
    }).pipe(emulated({ latency: Effect.sync(() => latency) }))
  })

  it.effect("runs handlers with the caller's clock and random, and with no other service of the caller", () => {
    const Setting = Context.Reference<string>("test/SymphonySetting", { defaultValue: () => "nobody's" })
    const seen: Array<unknown> = []
    const latency = Effect.gen(function*() {
      seen.push(yield* Setting, yield* Random.next)
      return 0
    })
    return get("/agent/v1/info").pipe(
      Effect.provideService(Setting, "the caller's"),
      Effect.provideService(Random.Random, { nextDoubleUnsafe: () => 0.25, nextIntUnsafe: () => 1 }),
      Effect.tap(() => Effect.sync(() => assert.deepStrictEqual(seen, ["the emulator's", 0.25]))),
      emulated({ latency }),
      Effect.provideService(Setting, "the emulator's")
    )
  })

  it.effect("remembers the newest ten thousand requests", () =>
    Effect.gen(function*() {
      const { handle, requests } = yield* emulator
      for (let i = 0; i < 20_000; i++) {
        yield* handle({ method: "GET", target: `/agent/v1/info?i=${i}`, headers: {}, body: new Uint8Array() })
      }
      const kept = yield* requests
      assert.deepStrictEqual([kept.length, kept[0]?.target], [10_000, "/agent/v1/info?i=10000"])
    }).pipe(emulated()))

  it.effect("stores a blast as a message of each stream", () =>
    Effect.gen(function*() {
      const headers = yield* login
      const [one, two] = [yield* room(), yield* room()]
      yield* postParts("/agent/v4/message/blast", headers, [["message", wrap("x")], ["sids", `${one},${two}`]])
      for (const id of [one, two]) {
        assert.strictEqual((yield* emulator.use(({ messages }) => messages({ streamId: id }))).length, 1)
      }
    }).pipe(emulated()))
})

describe("the state of the emulator", () => {
  it.effect("has the users and the blocked words", () =>
    Effect.gen(function*() {
      const { addUser, block, blocked, users } = yield* emulator
      yield* addUser({ username: "eve", email: "eve@example.com" })
      const all = yield* users
      assert.deepInclude(all.at(-1), { username: "eve", displayName: "eve", email: "eve@example.com", canLogIn: false })
      assert.isTrue(all.some(({ canLogIn }) => canLogIn))
      assert.deepStrictEqual(yield* blocked, [])
      yield* block(["secret"])
      assert.deepStrictEqual(yield* blocked, ["secret"])
    }).pipe(emulated()))
})
