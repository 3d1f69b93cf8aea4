/** Lists whose pages come again, or never end: no storm, and no silence. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import {
  Attachments,
  Messages,
  MessageSearch,
  MessageStatus,
  type Session,
  type SymphonyConfig,
  type SymphonyError
} from "effect-herald/symphony"
import * as Exchange from "../../src/testing/server/exchange.ts"
import { config, mid, session, sid, tagOf } from "./kit.ts"

/** A service that answers whatever it is asked with the page of that number. */
const service = (page: (number: number) => unknown) => {
  let asked = 0
  const client = HttpClient.make((request) =>
    Effect.sync(() => Exchange.response(request, { status: 200, headers: {}, body: JSON.stringify(page(asked++)) }))
  )
  return {
    asked: () => asked,
    provide: Effect.provide(Layer.mergeAll(Layer.succeed(HttpClient.HttpClient, client), config(), session()))
  }
}

/** Lets the stream go on for some real milliseconds, in which no time passes for it. */
const turn = (millis: number) => Effect.promise(() => new Promise((resolve) => setTimeout(resolve, millis)))

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number)

type Name = "stream" | "streamSearch" | "streamAttachments" | "streamReceipts"
type Needs = HttpClient.HttpClient | Session.Session | SymphonyConfig.SymphonyConfig

const lists: { readonly [N in Name]: Stream.Stream<unknown, SymphonyError.SymphonyError, Needs> } = {
  stream: Messages.stream({ streamId: sid, pageSize: 100 }),
  streamSearch: MessageSearch.streamSearch({ query: { text: "a", streamId: sid }, pageSize: 100 }),
  streamAttachments: Attachments.streamAttachments({ streamId: sid }),
  streamReceipts: MessageStatus.streamReceipts({ messageId: mid })
}

/** A page of messages and attachments at once, from a number on. */
const entries = (from: number) =>
  numbers(100).map((number) => ({
    messageId: `message${from + number}`,
    fileId: "f",
    timestamp: 1_790_000_000_000 + from + number,
    ingestionDate: 1_790_000_000_000 + from + number
  }))

const receipts = (from: number, after: string) => ({
  MessageReceiptDetail: numbers(10).map((number) => ({ user: { id: 1 + from + number } })),
  pagination: { cursors: { after } }
})

const again: ReadonlyArray<readonly [Name, (number: number) => unknown]> = [
  ["stream", () => entries(0)],
  ["streamSearch", () => entries(0)],
  ["streamAttachments", () => entries(0)],
  ["streamReceipts", (number) => receipts(0, `cursor ${number}`)],
  ["streamReceipts", (number) => receipts(number, `cursor ${number % 2}`)]
]

describe("a paged list", () => {
  it.effect.each(again)("%s fails when its pages repeat", ([name, page]) =>
    Effect.gen(function*() {
      const { asked, provide } = service(page)
      const error = yield* Effect.flip(provide(Stream.runDrain(lists[name])))
      assert.strictEqual(tagOf(error), "Malformed")
      assert.isAtMost(asked(), 4)
    }))

  const endless: ReadonlyArray<readonly [Name, (number: number) => unknown]> = [
    ["stream", (number) => entries(100 * number)],
    ["streamSearch", (number) => entries(100 * number)],
    ["streamAttachments", (number) => entries(100 * number)],
    ["streamReceipts", (number) => receipts(10 * number, `cursor ${number}`)]
  ]
  it.effect.each(endless)(
    "%s requests at most 100 pages a second when it never ends",
    ([name, page]) =>
      Effect.gen(function*() {
        const { asked, provide } = service(page)
        const fiber = yield* Effect.forkChild(provide(Stream.runDrain(Stream.take(lists[name], 1_000_000))))
        for (const most of [100, 200]) {
          while (asked() < most) yield* turn(1)
          yield* turn(100)
          assert.strictEqual(asked(), most)
          yield* TestClock.adjust("1 second")
        }
        yield* Fiber.interrupt(fiber)
      })
  )
})
