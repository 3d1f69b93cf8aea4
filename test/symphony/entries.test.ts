/** Pages count what the service counted: an entry that cannot be read keeps its place, ends no list, and is told. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { Attachments, Messages, MessageSearch, MessageStatus, type PostedMessage } from "effect-herald/symphony"
import type { Transport } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import * as FeedRequests from "../../src/symphony/internal/feed/feedRequests.ts"
import { isLong } from "../simulation/seeds.ts"
import { config, exchanges, mid, scripted, session, sid, sidStandard } from "./kit.ts"

const ok = (body: unknown): Transport.Answer => ({ body: JSON.stringify(body) })

/** What is not a message, an attachment or a receipt. */
const undecodable = [null, 7, "text", [], {}, { messageId: null }, { messageId: "" }, { messageId: {} }, false]

const message = (id: number, timestamp: number = 1_000 - id) => ({ messageId: `m${id}`, timestamp })

/** The ids of what could be read, and what stands for the rest. */
const shown = (entries: ReadonlyArray<PostedMessage.PostedMessage | UndecodableItem.UndecodableItem>) =>
  entries.map((entry) => UndecodableItem.isDecoded(entry) ? entry.messageId : "?")

const urls = Effect.map(exchanges, (all) => all.map(({ url }) => url.split("?")[1] ?? ""))

const places = (count: number) => Array.from({ length: count }, () => "?")

describe("a list with undecodable entries", () => {
  it.effect("returns them in their places, with their raw values", () =>
    Effect.gen(function*() {
      const entries = yield* Messages.list({ streamId: sid })
      assert.deepStrictEqual(shown(entries), ["m1", ...places(9), "m2"])
      for (const [index, raw] of undecodable.entries()) {
        const entry = entries[index + 1]
        assert(entry !== undefined && !UndecodableItem.isDecoded(entry))
        assert.deepStrictEqual(entry.raw, raw)
        assert.isNotEmpty(entry.issue)
      }
      assert.deepStrictEqual(shown(entries.filter(UndecodableItem.isDecoded)), ["m1", "m2"])
    }).pipe(Effect.provide(scripted(ok([message(1), ...undecodable, message(2)])))))

  it.effect("of a search continues after them", () =>
    Effect.gen(function*() {
      const found = yield* Stream.runCollect(MessageSearch.streamSearch({ query: { author: 1 }, pageSize: 10 }))
      assert.deepStrictEqual(shown(found), [...places(9), "m1", "m2"])
      assert.deepStrictEqual(yield* urls, ["skip=0&limit=10&sortDir=desc", "skip=10&limit=10&sortDir=desc"])
    }).pipe(Effect.provide(scripted(ok([...undecodable, message(1)]), ok([message(2)])))))

  it.effect("of a search continues after a page of them only", () =>
    Effect.gen(function*() {
      const found = yield* Stream.runCollect(MessageSearch.streamSearch({ query: { author: 1 }, pageSize: 9 }))
      assert.deepStrictEqual(shown(found), [...places(9), "m1"])
    }).pipe(Effect.provide(scripted(ok(undecodable), ok([message(1)])))))

  it.effect("of a search counts them among the entries taken", () =>
    Effect.gen(function*() {
      const found = yield* Stream.runCollect(
        Stream.take(MessageSearch.streamSearch({ query: { author: 1 }, pageSize: 9 }), 10)
      )
      assert.deepStrictEqual(shown(found), [...places(9), "m1"])
    }).pipe(Effect.provide(scripted(ok(undecodable), ok([message(1), message(2)])))))

  const odd = { _tag: "UndecodableItem", raw: null } as const

  it.effect("of a status returns them beside the others", () =>
    Effect.gen(function*() {
      const { delivered, read, sent } = yield* MessageStatus.status({ messageId: mid })
      assert.deepInclude(read[0], odd)
      assert.deepStrictEqual(read[1], { userId: 1 })
      assert.deepInclude(read[2], { _tag: "UndecodableItem", raw: "ada" })
      assert.deepInclude(delivered[0], { _tag: "UndecodableItem", raw: [7] })
      assert.isEmpty(sent)
    }).pipe(Effect.provide(scripted(ok({ read: [null, { userId: 1 }, "ada"], delivered: [[7]], sent: 7 })))))

  it.effect("of relationships returns them beside the others", () =>
    Effect.gen(function*() {
      const { forwards, replies } = yield* MessageStatus.relationships({ messageId: mid })
      assert.deepInclude(replies[0], odd)
      assert.strictEqual(replies[1], "m1")
      assert.deepInclude(forwards[0], { _tag: "UndecodableItem", raw: { a: null } })
    }).pipe(Effect.provide(scripted(ok({ replies: [null, "m1"], forwards: [{ a: null }] })))))

  it.effect("of file types returns them beside the others", () =>
    Effect.gen(function*() {
      const types = yield* Attachments.attachmentTypes
      assert.strictEqual(types[0], ".png")
      assert.deepInclude(types[1], odd)
      assert.strictEqual(types[2], ".gif")
    }).pipe(Effect.provide(scripted(ok([".png", null, ".gif"])))))

  it.effect("of datafeeds leaves them out", () =>
    Effect.gen(function*() {
      const listed = yield* FeedRequests.list(undefined)
      assert.deepStrictEqual(listed.map(({ id }) => id), ["a_f", "b_f"])
    }).pipe(
      Effect.provide(
        scripted(ok([{ id: "a_f" }, null, 7, {}, { id: 5 }, { id: "\ud800" }, { id: ".." }, { id: "b_f" }]))
      )
    ))

  it.effect("fails with Malformed when it is no list", () =>
    Effect.gen(function*() {
      for (let count = 0; count < 3; count++) {
        const error = yield* Effect.flip(Messages.list({ streamId: sid }))
        assert.strictEqual(error.reason._tag, "Malformed")
      }
    }).pipe(Effect.provide(scripted(...[null, {}, { messages: [] }].flatMap((body) =>
      Array.from({ length: 3 }, () => ok(body))
    )))))
})

it.effect("FeedRequests.create sends its tag and includeInvisible", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* FeedRequests.create({ tag: "t", includeInvisible: true }), "a_f")
    assert.strictEqual((yield* exchanges)[0]?.body, "{\"tag\":\"t\",\"includeInvisible\":true}")
  }).pipe(Effect.provide(scripted(ok({ id: "a_f" })))))

/** A service that answers by the query. */
const serving = (answer: (query: URLSearchParams) => ReadonlyArray<unknown>) =>
  Layer.mergeAll(
    Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request, url) =>
        Effect.succeed(
          HttpClientResponse.fromWeb(request, new Response(JSON.stringify(answer(url.searchParams))))
        )
      )
    ),
    config(),
    session()
  )

/** The entries of a time, the same in each order. */
const within = (query: URLSearchParams, last: "until" | "to", timestamp: number) =>
  timestamp >= Number(query.get("since") ?? 0) && timestamp <= Number(query.get(last) ?? 99)

describe("paging with undecodable entries", () => {
  const times = [9, 9, 8, 8, 8, 6, 5, 5]
  /** Every choice of entries of eight; in `npm test` every seventh. */
  const choices = Array.from({ length: 256 }, (_, bits) => times.map((_, index) => (bits >> index & 1) === 1))
    .filter((_, bits) => isLong || bits % 7 === 0)

  it.effect.each([[2, "falls"], [3, "falls"], [3, "rises"], [4, "rises"]] as const)(
    "Messages.stream returns each readable message once, %i a page, time %s",
    ([pageSize, way]) =>
      Effect.gen(function*() {
        for (const broken of choices) {
          const stored = times.map((timestamp, id) => ({ id, ...message(id, timestamp) }))
          const ordered = way === "falls" ? stored : stored.toReversed()
          const answer = (query: URLSearchParams) => {
            const skip = Number(query.get("skip"))
            return ordered.filter(({ timestamp }) => within(query, "until", timestamp))
              .slice(skip, skip + Number(query.get("limit")))
              .map((entry) => broken[entry.id] === true ? null : entry)
          }
          const found = yield* Messages.stream({ streamId: sid, pageSize }).pipe(
            Stream.take(30),
            Stream.runCollect,
            Effect.provide(serving(answer))
          )
          const readable = ordered.filter(({ id }) => broken[id] !== true)
          assert.deepStrictEqual(
            shown(found.filter(UndecodableItem.isDecoded)),
            readable.map(({ messageId }) => messageId),
            JSON.stringify(broken)
          )
          assert.isAtLeast(found.length, 8, JSON.stringify(broken))
          assert.isBelow(found.length, 30, `${JSON.stringify(broken)} does not end`)
        }
      })
  )

  const attachment = (id: number) => ({ messageId: "m", fileId: `f${id}`, ingestionDate: Math.floor(id / 10) })
  const attachments = (broken: (id: number) => boolean) => (query: URLSearchParams) => {
    const all = Array.from({ length: 250 }, (_, id) => attachment(id))
    const ordered = query.get("sortDir") === "DESC" ? all.toReversed() : all
    return ordered.filter(({ ingestionDate }) => within(query, "to", ingestionDate)).slice(0, 100)
      .map((entry) => broken(all.indexOf(entry)) ? null : entry)
  }

  it.effect.each(["oldestFirst", "newestFirst"] as const)(
    "Attachments.streamAttachments returns each readable file once, %s",
    (order) =>
      Effect.gen(function*() {
        for (let from = 0; from < 110; from += isLong ? 1 : 8) {
          const isBroken = (id: number) => id >= from && id < from + 9
          const found = yield* Stream.runCollect(Attachments.streamAttachments({ streamId: sid, order })).pipe(
            Effect.provide(serving(attachments(isBroken)))
          )
          const files = found.filter(UndecodableItem.isDecoded).map(({ attachmentId }) => attachmentId)
          assert.lengthOf(files, 241)
          assert.lengthOf(new Set(files), 241)
          assert.isAtLeast(found.length, 250)
          assert.isAtMost(found.length, 259)
        }
      })
  )

  it.effect("Attachments.streamAttachments fails after a page that is all undecodable", () =>
    Effect.gen(function*() {
      const told: Array<unknown> = []
      const error = yield* Attachments.streamAttachments({ streamId: sid }).pipe(
        Stream.runForEach((entry) => Effect.sync(() => told.push(entry))),
        Effect.flip,
        Effect.provide(serving(attachments(() => true)))
      )
      assert.lengthOf(told, 100)
      assert.strictEqual(error.reason._tag, "Malformed")
    }))
})

it.effect("MessageStatus.streamReceipts returns undecodable receipts in their places, and continues", () =>
  Effect.gen(function*() {
    const found = yield* Stream.runCollect(MessageStatus.streamReceipts({ messageId: mid }))
    assert.deepStrictEqual(
      found.map((entry) => UndecodableItem.isDecoded(entry) ? entry.user?.userId : entry.raw),
      [null, 5, 1, "x"]
    )
  }).pipe(Effect.provide(scripted(
    ok({ MessageReceiptDetail: [null, 5], pagination: { cursors: { after: "a" } } }),
    ok({ MessageReceiptDetail: [{ user: { id: 1 } }, "x"], pagination: null })
  ))))

describe("results of importMessages", () => {
  const importing = (...originals: ReadonlyArray<string | undefined>) =>
    Messages.importMessages({
      messages: originals.map((originalMessageId) => ({
        streamId: sid,
        message: "old",
        intendedMessageTimestamp: 1,
        intendedMessageFromUserId: 1,
        originatingSystemId: "chat",
        originalMessageId
      }))
    })

  it.effect("say that they cannot be read, in their places", () =>
    Effect.gen(function*() {
      const results = yield* importing(undefined, undefined, undefined)
      assert.deepStrictEqual(results.map(({ messageId }) => messageId), [undefined, "m", undefined])
      assert.include(results[0]?.diagnostic, "The result cannot be read")
      assert.include(results[2]?.diagnostic, "The result cannot be read")
    }).pipe(Effect.provide(scripted(ok([null, { messageId: "m" }, 7])))))

  it.effect("follow the order of the given messages", () =>
    Effect.gen(function*() {
      const results = yield* importing("a", undefined, "b", "c")
      assert.deepStrictEqual(results.map(({ messageId }) => messageId), ["ma", "m", "mb", undefined])
    }).pipe(Effect.provide(scripted(ok([
      { messageId: "mb", originalMessageId: "b" },
      { messageId: "m" },
      null,
      { messageId: "ma", originalMessageId: "a" }
    ])))))

  it.effect("follow the service's order when an original id comes twice", () =>
    Effect.gen(function*() {
      const results = yield* importing("a", "a", "b")
      assert.deepStrictEqual(results.map(({ messageId }) => messageId), ["1", "2", "3"])
    }).pipe(Effect.provide(scripted(ok(
      ["a", "a", "b"].map((originalMessageId, index) => ({ messageId: String(index + 1), originalMessageId }))
    )))))

  it.effect("name missing results in their places", () =>
    Effect.gen(function*() {
      const results = yield* importing("a", "b")
      assert.deepStrictEqual(results.map(({ messageId }) => messageId), [undefined, "mb"])
      assert.include(results[0]?.diagnostic, "The service gave 1 results for 2 messages")
    }).pipe(Effect.provide(scripted(ok([{ messageId: "mb", originalMessageId: "b" }])))))
})

describe("results of blast", () => {
  const blast = (...streamIds: ReadonlyArray<string>) => Messages.blast({ streamIds, message: "a" })
  const inStream = (streamId: string) => ({ messageId: `in ${streamId}`, stream: { streamId } })

  it.effect("name every stream as a message or an error, with ids in either alphabet", () =>
    Effect.gen(function*() {
      const { errors, messages } = yield* blast(sidStandard, "b", "c", "d", "e")
      assert.deepStrictEqual(messages.map(({ stream }) => stream?.streamId), [sid, "b"])
      assert.deepStrictEqual([...errors.keys()], ["c", "d", "e"])
      assert.include(errors.get("d")?.message, "The service told nothing of this stream")
    }).pipe(Effect.provide(scripted(ok({
      messages: [inStream(sid), null, inStream("b"), { messageId: null, stream: { streamId: "d" } }],
      errors: { c: { code: 403, message: "no" } }
    })))))

  it.effect("name no stream as missing when a message lacks its stream", () =>
    Effect.gen(function*() {
      const { errors } = yield* blast("a", "b")
      assert.strictEqual(errors.size, 0)
    }).pipe(Effect.provide(scripted(ok({ messages: [inStream("a"), { messageId: "m" }] })))))
})
