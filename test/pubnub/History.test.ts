import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { PubNubError } from "effect-herald/pubnub"
import { History, Publish, PubNubConfig, Timetoken } from "effect-herald/pubnub"
import { PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as Exchange from "../../src/testing/server/exchange.ts"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"

const emulator = PubNubEmulator.PubNubEmulator

type Call = Effect.Effect<unknown, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig.PubNubConfig>

/** Publishes 0 to n - 1, and gives their timetokens. */
const publish = (channel: string, n: number) =>
  Effect.flatMap(emulator, (service) =>
    Effect.forEach(
      Array.from({ length: n }, (_, id) => id),
      (id) => Effect.map(service.publish({ channel, message: id, publisher: "bob" }), ({ timetoken }) => timetoken)
    ))

const payloads = (entries: ReadonlyArray<History.Stored<unknown>>) =>
  entries.map((entry) => entry._tag === "StoredMessage" ? entry.payload : entry._tag)

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

describe("list", () => {
  it.effect("gives what was published with all its fields, and neither signals nor unstored messages", () =>
    Effect.gen(function*() {
      const channel = "room #1/ü"
      const { timetoken } = yield* Publish.publish({
        channel,
        message: { n: 0.1 },
        meta: { m: 1 },
        customMessageType: "note"
      })
      yield* Publish.publish({ channel, message: null })
      yield* Publish.publish({ channel, message: "gone", store: false })
      yield* Publish.signal({ channel, message: "hi" })
      const page = yield* History.list({ channel })
      assert.deepStrictEqual<unknown>(page.items[0], {
        _tag: "StoredMessage",
        channel,
        timetoken,
        publisher: "ada",
        payload: { n: 0.1 },
        meta: { m: 1 },
        customMessageType: "note"
      })
      assert.deepStrictEqual(payloads(page.items), [{ n: 0.1 }, null])
      assert.isFalse("next" in page)
      const bare = yield* History.list({ channel, include: [] })
      assert.isFalse("meta" in bare.items[0]!)
      for (const query of (yield* requestsTo("/v3/history")).map(queryOf)) {
        for (const name of ["include_uuid", "include_message_type", "include_custom_message_type"]) {
          assert.strictEqual(query.get(name), "true", name)
        }
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("reads pages from the newest, without overlap and without a gap", () =>
    Effect.gen(function*() {
      const sent = yield* publish("a", 250)
      const first = yield* History.list({ channel: "a" })
      assert.deepStrictEqual(payloads(first.items), numbers(150, 250))
      const second = yield* History.list({ channel: "a", next: first.next })
      assert.deepStrictEqual(payloads(second.items), numbers(50, 150))
      const third = yield* History.list({ channel: "a", next: second.next })
      assert.deepStrictEqual(payloads(third.items), numbers(0, 50))
      assert.isUndefined(third.next)
      const range = yield* History.list({ channel: "a", since: sent[10], before: sent[20] })
      assert.deepStrictEqual(payloads(range.items), numbers(10, 20))
      const few = yield* History.list({ channel: "a", limit: 3 })
      assert.deepStrictEqual(payloads(few.items), [247, 248, 249])
    }).pipe(Effect.provide(emulated())))

  it.effect("reads several channels at once, each with its own page", () =>
    Effect.gen(function*() {
      yield* publish("a", 30)
      yield* publish("b c", 2)
      const pages = yield* History.listByChannel({ channels: ["a", "b c", "nothing", "a"] })
      assert.deepStrictEqual([...pages.keys()], ["a", "b c", "nothing"])
      assert.deepStrictEqual(payloads(pages.get("a")!.items), numbers(5, 30))
      assert.isDefined(pages.get("a")!.next)
      assert.deepStrictEqual(payloads(pages.get("b c")!.items), [0, 1])
      assert.deepStrictEqual(pages.get("nothing"), { items: [] })
    }).pipe(Effect.provide(emulated())))

  it.effect("decodes payloads by the schema, and gives a StoredUndecodable for one that does not match", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      for (const message of [{ id: "12345678901234567890" }, "other", { id: "7" }]) {
        yield* service.publish({ channel: "a", message, publisher: "bob" })
      }
      const Order = Schema.Struct({ id: Schema.BigInt })
      const { items: entries } = yield* History.list({ channel: "a", schema: Order })
      const streamed = yield* Stream.runCollect(
        History.stream({ channel: "a", order: "oldestFirst", schema: Order })
      )
      assert.deepStrictEqual(streamed, entries)
      assert.deepStrictEqual(
        entries.map((entry) => entry._tag === "StoredMessage" ? entry.payload.id : entry._tag),
        [12345678901234567890n, "StoredUndecodable", 7n]
      )
      assert.deepInclude({ ...entries[1] }, { raw: "other", channel: "a", publisher: "bob" } as object)
    }).pipe(Effect.provide(emulated())))

  it.effect("fails with FeatureDisabled when persistence is off", () =>
    Effect.gen(function*() {
      const after = Timetoken.Timetoken.make("17900000000000000")
      const calls: ReadonlyArray<Call> = [
        History.list({ channel: "a" }),
        History.count({ channels: ["a"], after })
      ]
      for (const call of calls) {
        const error = yield* Effect.flip(call)
        assert.deepInclude({ ...error.reason }, { _tag: "FeatureDisabled", addOn: "MessagePersistence" } as object)
      }
    }).pipe(Effect.provide(emulated({ emulator: { addOns: { persistence: false } } }))))

  const ok = Timetoken.Timetoken.make("17900000000000000")
  const wrong: ReadonlyArray<readonly [string, Call]> = [
    ["a wildcard", History.list({ channel: "a.*" })],
    ["no channels", History.listByChannel({ channels: [] })],
    ["501 channels", History.listByChannel({ channels: numbers(0, 501).map(String) })],
    ["a limit of 0", History.list({ channel: "a", limit: 0 })],
    ["a limit of 101", History.list({ channel: "a", limit: 101 })],
    ["a limit of 26 with actions", History.list({ channel: "a", limit: 26, include: ["meta", "actions"] })],
    ["a limit of 26 for several channels", History.listByChannel({ channels: ["a", "b"], limit: 26 })],
    ["a pageSize of 101", Stream.runDrain(History.stream({ channel: "a", pageSize: 101 }))],
    ["actions of several channels", History.listByChannel({ channels: ["a"], include: ["actions" as never] })],
    ["a bound in seconds", History.list({ channel: "a", since: "1790574124" as never })],
    ["a bound that is a number", History.list({ channel: "a", since: 17_905_741_246_383 as never })],
    ["a bound before 2001", History.list({ channel: "a", since: new Date(0) })],
    ["a bound that is no date", Stream.runDrain(History.stream({ channel: "a", before: new Date(Number.NaN) }))],
    ["a next that is a date", History.list({ channel: "a", next: new Date() as never })],
    ["a moment before 2001 to count from", History.count({ channels: ["a"], after: new Date(0) })],
    ["a range that ends where it starts", History.list({ channel: "a", since: ok, before: ok })],
    ["101 channels to count", History.count({ channels: numbers(0, 101).map(String), after: ok })],
    ["a channel without its timetoken", History.count({ channels: ["a", "b"], after: { a: ok } })],
    ["a comma to remove from", History.remove({ channel: "a,b" })]
  ]
  it.effect.each(wrong)("refuses %s before it sends a request", ([, call]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(call)
      assert.strictEqual(error.reason._tag, "BadRequest")
      assert.include(error.message, "Nothing was sent")
      assert.deepStrictEqual(yield* emulator.use((service) => service.requests), [])
    }).pipe(Effect.provide(emulated())))
})

describe("stream", () => {
  it.effect("gives the whole range once, in both orders", () =>
    Effect.gen(function*() {
      const sent = yield* publish("a", 357)
      const newest = yield* Stream.runCollect(History.stream({ channel: "a" }))
      assert.deepStrictEqual(payloads(newest), numbers(0, 357).toReversed())
      const oldest = yield* Stream.runCollect(History.stream({ channel: "a", order: "oldestFirst" }))
      assert.deepStrictEqual(payloads(oldest), numbers(0, 357))
      const range = { channel: "a", since: sent[40], before: sent[340] }
      assert.deepStrictEqual(
        payloads(yield* Stream.runCollect(History.stream({ ...range, order: "oldestFirst" }))),
        numbers(40, 340)
      )
      assert.deepStrictEqual(
        payloads(yield* Stream.runCollect(History.stream(range))),
        numbers(40, 340).toReversed()
      )
    }).pipe(Effect.provide(emulated())))

  it.effect("makes one request per page, one for take(10), and none after an exact end", () =>
    Effect.gen(function*() {
      const sent = yield* publish("a", 1_000)
      const ask = Effect.map(requestsTo("/v3/history"), (requests) => requests.length)
      yield* Stream.runDrain(Stream.take(History.stream({ channel: "a" }), 10))
      assert.strictEqual(yield* ask, 1)
      yield* Stream.runDrain(History.stream({ channel: "a", order: "oldestFirst", since: sent[0] }))
      assert.strictEqual(yield* ask, 11)
    }).pipe(Effect.provide(emulated())))

  it.effect("reads pages again that it could not keep on the way to the oldest, and gives all in order", () =>
    Effect.gen(function*() {
      yield* publish("a", 2_345)
      const seen = yield* Stream.runCollect(History.stream({ channel: "a", order: "oldestFirst" }))
      assert.deepStrictEqual(payloads(seen), numbers(0, 2_345))
      const pages = 24
      assert.strictEqual((yield* requestsTo("/v3/history")).length, pages + (pages - 10))
    }).pipe(Effect.provide(emulated())))

  it.effect("gives each message once while others publish", () =>
    Effect.gen(function*() {
      yield* publish("a", 450)
      const service = yield* emulator
      for (const order of ["newestFirst", "oldestFirst"] as const) {
        const seen = yield* History.stream({ channel: "a", order }).pipe(
          Stream.tap(() =>
            Effect.flatMap(Random.nextIntBetween(0, 9), (dice) =>
              dice === 0 ? service.publish({ channel: "a", message: "late" }) : Effect.void)
          ),
          Stream.runCollect
        )
        const ids = payloads(seen).filter((id) =>
          id !== "late"
        )
        assert.deepStrictEqual(
          order === "newestFirst" ? ids.toReversed() : ids,
          numbers(0, 450)
        )
        assert.strictEqual(new Set(seen.map(({ timetoken }) => timetoken)).size, seen.length)
      }
    }).pipe(Effect.provide(emulated()), Random.withSeed(1)))
})

it.effect("accepts timetokens, dates and DateTimes as bounds", () =>
  Effect.gen(function*() {
    const [first, second] = yield* Effect.forEach(["1 minute", "1 minute"] as const, (pause) =>
      Effect.flatMap(VirtualTime.advance(pause), () =>
        Effect.map(publish("a", 1), ([timetoken]) => timetoken!)))
    const [before, moment] = [Timetoken.toDateTime(first!), Timetoken.toDateTime(second!)]
    for (const since of [second, moment, DateTime.toDateUtc(moment)]) {
      const { items } = yield* History.list({ channel: "a", since })
      assert.deepStrictEqual(
        items.map(({ timetoken }) =>
          timetoken
        ),
        [second]
      )
      const older = yield* Stream.runCollect(History.stream({ channel: "a", before: since }))
      assert.deepStrictEqual(older.map(({ timetoken }) => timetoken), [first])
      const counts = yield* History.count({ channels: ["a"], after: since === second ? first! : before })
      assert.deepStrictEqual([...counts], [["a", 1]])
    }
    yield* History.remove({ channel: "a", before: moment })
    assert.lengthOf((yield* History.list({ channel: "a" })).items, 1)
  }).pipe(Effect.provide(emulated())))

it.effect("list in a loop over next reads the whole range, and requests no page after it", () =>
  Effect.gen(function*() {
    const sent = yield* publish("a", 12)
    const seen: Array<unknown> = []
    let next, page
    do {
      page = yield* History.list({ channel: "a", since: sent[2], limit: 5, next })
      seen.unshift(...payloads(page.items))
      next = page.next
    } while (next !== undefined)
    assert.deepStrictEqual(seen, numbers(2, 12))
    assert.lengthOf(yield* requestsTo("/v3/history"), 2)
  }).pipe(Effect.provide(emulated())))

describe("count", () => {
  it.effect("counts messages after a timetoken, one for all channels or one for each", () =>
    Effect.gen(function*() {
      const a = yield* publish("a", 5)
      const b = yield* publish("b", 3)
      assert.deepStrictEqual(
        yield* History.count({ channels: ["a", "b", "c"], after: a[2]! }),
        new Map([["a", 2], ["b", 3], ["c", 0]])
      )
      assert.deepStrictEqual(
        yield* History.count({ channels: ["a", "b"], after: { a: a[4]!, b: b[0]! } }),
        new Map([["a", 0], ["b", 2]])
      )
      const [all, each] = (yield* requestsTo("/v3/history")).map(queryOf)
      assert.deepStrictEqual([all!.has("timetoken"), all!.has("channelsTimetoken")], [true, false])
      assert.deepStrictEqual([each!.has("timetoken"), each!.has("channelsTimetoken")], [false, true])
    }).pipe(Effect.provide(emulated())))
})

describe("remove", () => {
  const left = Effect.map(History.list({ channel: "a" }), ({ items }) => payloads(items))

  it.effect("removes a range with the same bounds as reading", () =>
    Effect.gen(function*() {
      const sent = yield* publish("a", 10)
      yield* History.remove({ channel: "a", since: sent[4], before: sent[6] })
      assert.deepStrictEqual(yield* left, [0, 1, 2, 3, 6, 7, 8, 9])
      yield* History.remove({ channel: "a", before: sent[2] })
      assert.deepStrictEqual(yield* left, [2, 3, 6, 7, 8, 9])
      yield* History.remove({ channel: "a", since: sent[8] })
      assert.deepStrictEqual(yield* left, [2, 3, 6, 7])
      yield* History.remove({ channel: "a", all: true })
      assert.deepStrictEqual(yield* left, [])
    }).pipe(Effect.provide(emulated())))
})

it.effect.each(
  [
    ["no bound", {}],
    ["two bounds that are undefined", { since: undefined, before: undefined }],
    ["all: false and no bound", { all: false }],
    ["all with a bound", { all: true, since: Timetoken.Timetoken.make("17900000000000000") } as never],
    ["an all that is no boolean", { all: "yes" as never }]
  ] as const
)("remove with %s is refused before a request", ([, range]) =>
  Effect.gen(function*() {
    const { reason } = yield* Effect.flip(History.remove({ channel: "a", ...range }))
    if (reason._tag !== "BadRequest") return assert.fail(reason._tag)
    assert.deepStrictEqual(reason.details.map(({ location }) => location), ["all"])
  }).pipe(Effect.provide(Layer.merge(
    Transport.layerScripted([]),
    PubNubConfig.layer({ subscribeKey: "s", userId: "u", origin: "host" })
  ))))

it.effect("listByChannel refuses more names than one address can hold", () =>
  Effect.gen(function*() {
    const channels = Array.from({ length: 500 }, (_, index) => String(index).padStart(80, "x"))
    const { reason } = yield* Effect.flip(History.listByChannel({ channels }))
    if (reason._tag !== "BadRequest") return assert.fail(reason._tag)
    assert.deepStrictEqual(reason.details.map(({ location }) => location), ["channels"])
    assert.match(reason.message, /maxUrlSize is 30720: ask for fewer at once/)
  }).pipe(Effect.provide(Layer.merge(
    Transport.layerScripted([]),
    PubNubConfig.layer({ subscribeKey: "s", userId: "u", origin: "host" })
  ))))

it.effect("listByChannel gives names that the service escapes as they were requested", () =>
  Effect.gen(function*() {
    const names = ["room #1/ü", "100%", "plain"]
    assert.deepStrictEqual([...(yield* History.listByChannel({ channels: names })).keys()], names)
    const pages = yield* History.listByChannel({ channels: names })
    assert.deepStrictEqual([...pages.values()].map(({ items }) => payloads(items)), [[1], [2], [3]])
  }).pipe(Effect.provide(Layer.merge(
    Transport.layerScripted(Array.from({ length: 2 }, () => ({
      body: JSON.stringify({
        status: 200,
        error: false,
        error_message: "",
        channels: {
          "room%20%231%2F%C3%BC": [{ message: 1, timetoken: "17900000000000001" }],
          "100%25": [{ message: 2, timetoken: "17900000000000002" }],
          plain: [{ message: 3, timetoken: "17900000000000003" }]
        }
      })
    }))),
    PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "emulator" })
  ))))

it.effect("list reads unusual entries and actions, and gives a StoredUndecodable for each bad one", () =>
  Effect.gen(function*() {
    const { items: entries, next } = yield* History.list({ channel: "a", include: ["meta", "actions"] })
    assert.deepStrictEqual(
      entries.map((entry) => entry._tag),
      ["StoredMessage", "StoredUndecodable", "StoredFile", "StoredUndecodable"]
    )
    assert.deepInclude({ ...entries[0] }, {
      payload: 1,
      actions: [{
        type: "reaction",
        value: "smile",
        userId: "eve",
        actionTimetoken: "17900000000000009",
        messageTimetoken: "17900000000000001"
      }]
    } as object)
    assert.isFalse("meta" in entries[0]!)
    assert.deepInclude({ ...entries[2] }, { file: { id: "f", name: "n" }, payload: "" } as object)
    // Not what `more` says, which would leave out what lies between.
    assert.strictEqual(String(next), "17900000000000001")
  }).pipe(Effect.provide(Layer.merge(
    Transport.layerScripted([{
      body: JSON.stringify({
        status: 200,
        error: false,
        error_message: "",
        channels: {
          a: [
            {
              message: 1,
              timetoken: "17900000000000001",
              uuid: "",
              meta: "",
              message_type: "",
              actions: { reaction: { smile: [{ uuid: "eve", actionTimetoken: "17900000000000009" }] } }
            },
            { message: 2, timetoken: "later" },
            {
              message: { message: "", file: { id: "f", name: "n" } },
              timetoken: "17900000000000002",
              message_type: "4"
            },
            { message: { file: 1 }, timetoken: "17900000000000003", message_type: 4 }
          ]
        },
        more: { url: "…", start: "17800000000000000", max: 21 }
      })
    }]),
    PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host" })
  ))))

describe("stream", () => {
  const stored = Array.from({ length: 450 }, (_, n) => ({
    message: n,
    timetoken: String(17_900_000_000_000_000n + BigInt(n * 10))
  }))
  type Stored = (typeof stored)[number]

  /** A history that answers what `answer` makes of the range. */
  const answering = (answer: (range: ReadonlyArray<Stored>, before: string) => object) =>
    Layer.merge(
      Layer.succeed(
        HttpClient.HttpClient,
        HttpClient.make((request, { searchParams }) => {
          const before = searchParams.get("start") ?? "9"
          const range = stored.filter(({ timetoken }) =>
            timetoken < before && timetoken >= (searchParams.get("end") ?? "")
          )
          const body = JSON.stringify(answer(range, before))
          return Effect.succeed(Exchange.response(request, { status: 200, headers: {}, body }))
        })
      ),
      PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host" })
    )

  const page = (entries: ReadonlyArray<unknown>, start?: string) => ({
    channels: { a: entries },
    ...start === undefined ? {} : { more: { start } }
  })

  const odd: ReadonlyArray<readonly [string, (range: ReadonlyArray<Stored>) => object]> = [
    ["has the newest first", (range) => page(range.slice(-100).toReversed())],
    ["is in no order", (range) => page(range.slice(-100).toSorted((a, b) => a.message % 7 - b.message % 7))],
    ["repeats half of the page before", (range) => page(stored.slice(0, range.length + 50).slice(-100))],
    ["is cut short", (range) => page(range.slice(-40), range.slice(-41)[0]?.timetoken)],
    [
      "says that the next one ends earlier",
      (range) => page(range.slice(-100), range.length > 100 ? "10000000000000000" : undefined)
    ],
    [
      "says that the next one ends later",
      (range) => page(range.slice(-100), range.length > 100 ? range.at(-1)?.timetoken : undefined)
    ]
  ]
  it.effect.each(odd)("gives each message once, in order, when a page %s", ([, answer]) =>
    Effect.gen(function*() {
      const range = { channel: "a", since: Timetoken.Timetoken.make("17900000000000000") }
      const payloads = stored.map(({ message }) => message)
      const given = Stream.map(
        History.stream({ ...range, order: "oldestFirst" }),
        (entry) => entry._tag === "StoredMessage" ? entry.payload : entry._tag
      )
      assert.deepStrictEqual(yield* Stream.runCollect(given), payloads)
      const newest = Stream.map(
        History.stream(range),
        (entry) => entry._tag === "StoredMessage" ? entry.payload : entry._tag
      )
      assert.deepStrictEqual(yield* Stream.runCollect(newest), payloads.toReversed())
    }).pipe(Effect.provide(answering(answer))))

  it.effect.each(
    [
      ["has the same page for all ranges", () => page(stored.slice(-100))],
      [
        "has empty pages, and says that there is more",
        (_: unknown, before: string) => page([], String(BigInt(before) - 1n))
      ]
    ] as const
  )("fails when history %s", ([, answer]) =>
    Effect.gen(function*() {
      const range = { channel: "a", before: Timetoken.Timetoken.make("17900000000004500") }
      const { reason } = yield* Effect.flip(Stream.runDrain(History.stream(range)))
      assert.strictEqual(reason._tag, "Malformed")
    }).pipe(Effect.provide(answering(answer))))
})
