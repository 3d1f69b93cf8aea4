/** The official client reads, counts and deletes what the emulator stored, as it does with the service. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import { client, theirs } from "./officialClient.ts"

const served = Effect.provide(PubNubEmulatorServer.layer())

const emulator = PubNubEmulatorServer.PubNubEmulatorServer.use(({ emulator }) => Effect.succeed(emulator))

/** The numbers from 0 on, published in one step, and their timetokens. */
const stored = (channel: string, count: number) =>
  Effect.flatMap(
    emulator,
    ({ publishAll }) =>
      publishAll(Array.from({ length: count }, (_, message) => ({ channel, message, publisher: "ada" })))
  )

const numbers = (messages: ReadonlyArray<{ readonly message: unknown }> | undefined) =>
  messages?.map(({ message }) => message)

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

it.live("the official client reads a message with its metadata, types and publisher", () =>
  Effect.gen(function*() {
    const ada = yield* client("ada")
    const { timetoken } = yield* theirs(() =>
      ada.publish({ channel: "a", message: { text: "☃" }, meta: { level: 3 }, customMessageType: "note" })
    )
    yield* theirs(() => ada.publish({ channel: "a", message: "plain" }))
    const { emit } = yield* emulator
    const file = { message: "look", file: { id: "f1", name: "cat.png" } }
    yield* emit({ channel: "a", kind: "File", payload: file, publisher: "ada", store: true })
    const fetched = yield* theirs(() =>
      ada.fetchMessages({
        channels: ["a"],
        includeMeta: true,
        includeUUID: true,
        includeMessageType: true,
        includeCustomMessageType: true
      })
    )
    const [first, second, third, ...others] = fetched.channels["a"] ?? []
    assert.deepInclude(first, {
      channel: "a",
      message: { text: "☃" },
      timetoken,
      meta: { level: 3 },
      uuid: "ada",
      messageType: -1,
      customMessageType: "note"
    } as object)
    // The service says "" of a message without metadata, which the client leaves out.
    assert.deepInclude(second, { message: "plain", messageType: -1 } as object)
    assert.notProperty(second, "meta")
    assert.strictEqual(third?.messageType, 4)
    assert.deepNestedInclude(third, {
      "message.message": "look",
      "message.file.id": "f1",
      "message.file.name": "cat.png"
    })
    assert.deepStrictEqual(others, [])

    const bare = yield* theirs(() =>
      ada.fetchMessages({ channels: ["a"], includeUUID: false, includeMessageType: false })
    )
    const [only] = bare.channels["a"] ?? []
    assert.deepStrictEqual(only?.message, { text: "☃" })
    assert.isTrue(
      [only?.uuid, only?.meta, only?.messageType, only?.customMessageType].every((value) => value === undefined)
    )
  }).pipe(Effect.scoped, served))

it.live("the official client pages through 250 messages, and applies start, end and count", () =>
  Effect.gen(function*() {
    const timetokens = yield* stored("a", 250)
    const ada = yield* client("ada")
    const fetch = (options: { start?: string; end?: string; count?: number }) =>
      Effect.map(
        theirs(() => ada.fetchMessages({ channels: ["a"], ...options })),
        ({ channels }) => channels["a"] ?? []
      )

    const pages: Array<ReadonlyArray<unknown>> = []
    let start: string | undefined
    while (true) {
      const page = yield* fetch(start === undefined ? {} : { start })
      if (page.length === 0) break
      pages.unshift(numbers(page) ?? [])
      start = String(page[0]?.timetoken)
    }
    assert.deepStrictEqual(pages.map(({ length }) => length), [50, 100, 100])
    assert.deepStrictEqual(pages.flat(), range(0, 250))

    const [at240 = "", at245 = ""] = [timetokens[240], timetokens[245]]
    assert.deepStrictEqual(numbers(yield* fetch({ end: at240 })), range(240, 250))
    assert.deepStrictEqual(numbers(yield* fetch({ start: at245, end: at240 })), range(240, 245))
    assert.deepStrictEqual(numbers(yield* fetch({ start: at245, count: 3 })), range(242, 245))
    // More than the service gives is cut down, by the client or by the service.
    assert.lengthOf(yield* fetch({ count: 1_000 }), 100)
  }).pipe(Effect.scoped, served))

it.live("the official client reads 25 messages of each of several channels, with any names", () =>
  Effect.gen(function*() {
    yield* stored("a", 30)
    yield* stored("b ☃|(x)!~", 2)
    const ada = yield* client("ada")
    const { channels } = yield* theirs(() => ada.fetchMessages({ channels: ["a", "b ☃|(x)!~", "none"] }))
    assert.deepStrictEqual(numbers(channels["a"]), range(5, 30))
    // The service escapes the names in its answer unless it is told not to, and the client hands them on like that.
    const [other = "", ...others] = Object.keys(channels).filter((name) => name !== "a")
    assert.deepStrictEqual([decodeURIComponent(other), others], ["b ☃|(x)!~", []])
    assert.deepStrictEqual(numbers(channels[other]), [0, 1])
    assert.deepStrictEqual((yield* theirs(() => ada.fetchMessages({ channels: ["none"] }))).channels, {})
  }).pipe(Effect.scoped, served))

it.live("the official client reads 25 messages of one channel with actions", () =>
  Effect.gen(function*() {
    yield* stored("a", 30)
    const ada = yield* client("ada")
    const { channels } = yield* theirs(() => ada.fetchMessages({ channels: ["a"], includeMessageActions: true }))
    assert.deepStrictEqual(numbers(channels["a"]), range(5, 30))
  }).pipe(Effect.scoped, served))

it.live("the official client reads the legacy history from either end", () =>
  Effect.gen(function*() {
    const timetokens = yield* stored("a", 5)
    const ada = yield* client("ada")
    const entries = (options: { start?: string; end?: string; count?: number; reverse?: boolean }) =>
      Effect.map(
        theirs(() => ada.history({ channel: "a", stringifiedTimeToken: true, ...options })),
        ({ endTimeToken, messages, startTimeToken }) => ({
          entries: messages.map(({ entry }) => entry),
          ends: [startTimeToken, endTimeToken]
        })
      )
    const [at0 = "", at1 = "", , at3 = "", at4 = ""] = timetokens
    assert.deepStrictEqual(yield* entries({}), { entries: range(0, 5), ends: [at0, at4] })
    assert.deepStrictEqual(yield* entries({ count: 2 }), { entries: [3, 4], ends: [at3, at4] })
    assert.deepStrictEqual(yield* entries({ count: 2, reverse: true }), { entries: [0, 1], ends: [at0, at1] })
    assert.deepStrictEqual((yield* entries({ start: at1, end: at3 })).entries, [2, 3])
    assert.deepStrictEqual((yield* entries({ start: at3, end: at1 })).entries, [1, 2])

    yield* theirs(() => ada.publish({ channel: "m", message: "x", meta: { k: 1 } }))
    const { messages } = yield* theirs(() =>
      ada.history({ channel: "m", includeMeta: true, stringifiedTimeToken: true })
    )
    assert.deepStrictEqual(messages.map(({ entry, meta }) => [entry, meta]), [["x", { k: 1 }]])
  }).pipe(Effect.scoped, served))

it.live("the official client counts messages after one timetoken, or one for each channel", () =>
  Effect.gen(function*() {
    const [, , third = ""] = yield* stored("a", 5)
    const [, fromB = ""] = yield* stored("b", 4)
    const ada = yield* client("ada")
    const one = yield* theirs(() => ada.messageCounts({ channels: ["a"], channelTimetokens: [third] }))
    assert.deepStrictEqual(one.channels, { a: 2 })
    const all = yield* theirs(() => ada.messageCounts({ channels: ["a", "b", "none"], channelTimetokens: [third] }))
    assert.deepStrictEqual(all.channels, { a: 2, b: 4, none: 0 })
    const each = yield* theirs(() => ada.messageCounts({ channels: ["a", "b"], channelTimetokens: [third, fromB] }))
    assert.deepStrictEqual(each.channels, { a: 2, b: 2 })
  }).pipe(Effect.scoped, served))

it.live("the official client deletes one message, a range, older messages and everything", () =>
  Effect.gen(function*() {
    const timetokens = yield* stored("a", 10)
    const { messages } = yield* emulator
    const left = Effect.map(messages({ channel: "a" }), (left) => left.map(({ payload }) => payload))
    const ada = yield* client("ada", { secretKey: "sec" })
    const remove = (bounds: { start?: string; end?: string }) =>
      theirs(() => ada.deleteMessages({ channel: "a", ...bounds }))
    const at = (index: number) => timetokens[index] ?? ""

    yield* remove({ start: String(BigInt(at(5)) - 1n), end: at(5) })
    assert.deepStrictEqual(yield* left, [0, 1, 2, 3, 4, 6, 7, 8, 9])
    yield* remove({ start: at(6), end: at(8) })
    assert.deepStrictEqual(yield* left, [0, 1, 2, 3, 4, 6, 9])
    yield* remove({ start: at(2) })
    assert.deepStrictEqual(yield* left, [2, 3, 4, 6, 9])
    yield* remove({ end: at(6) })
    assert.deepStrictEqual(yield* left, [2, 3, 4])
    yield* remove({})
    assert.deepStrictEqual(yield* left, [])
  }).pipe(
    Effect.scoped,
    Effect.provide(
      PubNubEmulatorServer.layer({ keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "sec" }] })
    )
  ))

it.live("the official client gets the status of a refusal when history is denied or off", () =>
  Effect.gen(function*() {
    const { deny, setAddOns } = yield* emulator
    const ada = yield* client("ada")
    const refusal = Effect.map(
      Effect.flip(Effect.tryPromise(() => ada.fetchMessages({ channels: ["a"] }))),
      ({ cause }) => cause
    )
    yield* deny({ channels: ["a"] })
    assert.nestedPropertyVal(yield* refusal, "status.category", "PNAccessDeniedCategory")
    yield* setAddOns({ persistence: false })
    assert.nestedPropertyVal(yield* refusal, "status.statusCode", 403)
  }).pipe(Effect.scoped, served))
