/** A schema that throws ends nobody: what it threw at is told in its place, and what it cannot write is refused. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as CursorStore from "effect-herald/CursorStore"
import {
  AppContext,
  History,
  Members,
  MessageActions,
  Presence,
  Publish,
  Publisher,
  type PubNubError,
  Subscribe,
  type SubscribeEvent,
  Subscriber,
  Timetoken,
  Users
} from "effect-herald/pubnub"
import { PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import * as Live from "effect-herald/Live"
import * as Util from "node:util"
import * as Json from "../../src/internal/json.ts"
import { emulated } from "../kit/emulated.ts"
import { lists, objects } from "../kit/nested.ts"
import { Big, Refusing, Tree } from "../kit/throwing.ts"
import { collect } from "../kit/collect.ts"

const emulator = PubNubEmulator.PubNubEmulator

const world = Layer.mergeAll(
  Subscriber.layer(),
  Publisher.layer({ messageIds: true }),
  CursorStore.layerMemory
).pipe(Layer.provideMerge(emulated()))

const later = VirtualTime.advance("1 second")

const publish = (...messages: ReadonlyArray<unknown>) =>
  emulator.use((service) => service.publishAll(messages.map((message) => ({ channel: "a", message }))))

/** A schema, something good, what it throws at, and what it says then. */
const schemas: ReadonlyArray<readonly [string, Schema.Codec<unknown, unknown>, unknown, unknown, RegExp]> = [
  ["a transformation that throws", Big, "7", "x", /^its schema threw SyntaxError: Cannot convert x to a BigInt$/],
  ["a recursive schema", Tree, [[]], JSON.parse(lists(16_000)), /^its schema threw RangeError: Maximum call stack/],
  ["a check that throws no error", Refusing, "good", "bad", /^its schema threw a value of type object was thrown$/],
  ["a name of 20,000 characters", Schema.Record(Schema.String, Schema.Int), {}, { ["k".repeat(20_000)]: "x" }, /…$/]
]

const brief = (event: SubscribeEvent.SubscribeEvent<unknown>) =>
  event._tag === "Undecodable" ? "bad" : event._tag === "Message" ? "good" : event._tag

const assertIssue = (issue: string | undefined, pattern: RegExp) => {
  assert.match(issue ?? "nothing", pattern)
  assert.isAtMost(issue?.length ?? 0, 1_100)
}

describe.each(schemas)("a payload that fails in its schema by %s", (_, schema, good, bad, issue) => {
  it.effect("is an Undecodable event, and the stream continues", () =>
    Effect.gen(function*() {
      const readers = [
        yield* collect(Subscribe.stream({ channels: ["a"], schema })),
        yield* collect(Subscribe.stream({ channels: ["a"], schema }))
      ]
      yield* later
      yield* publish(good, bad, good)
      yield* later
      for (const { fiber, seen } of readers) {
        assert.deepStrictEqual(seen.map(brief), ["Connected", "good", "bad", "good"])
        const [, , event] = seen
        if (event?._tag !== "Undecodable") return assert.fail("it is there")
        assertIssue(event.issue, issue)
        assert.isTrue(Json.equal(event.raw, bad))
        assert.isUndefined(fiber.pollUnsafe())
      }
    }).pipe(Effect.provide(world)))

  it.effect("is Undecodable for a durable reader, which commits it and continues", () =>
    Effect.gen(function*() {
      const handled: Array<unknown> = []
      const told: Array<string> = []
      const run = (name: string) =>
        Effect.forkChild(Subscribe.consume((message) => Effect.sync(() => handled.push(message.payload)), {
          channels: ["a"],
          reader: name,
          schema,
          onStatus: (notice) => Effect.sync(() => notice._tag === "Undecodable" && told.push(notice.issue))
        }))
      const first = yield* run("r")
      yield* later
      yield* publish(good, bad, good)
      yield* later
      assert.strictEqual(handled.length, 2)
      assert.strictEqual(told.length, 1)
      assertIssue(told[0], issue)
      yield* Fiber.interrupt(first)
      yield* publish(good)
      yield* run("r")
      yield* later
      assert.strictEqual(handled.length, 3)
      assert.strictEqual(told.length, 1)
    }).pipe(Effect.provide(world)))

  it.effect("is a StoredUndecodable entry of history, and the other entries are kept", () =>
    Effect.gen(function*() {
      yield* publish(good, bad, good)
      const tags = ["StoredMessage", "StoredUndecodable", "StoredMessage"]
      const page = yield* History.list({ channel: "a", schema })
      assert.deepStrictEqual(page.items.map(({ _tag }) => _tag), tags)
      const many = yield* History.listByChannel({ channels: ["a", "b"], schema })
      assert.deepStrictEqual(many.get("a")?.items.map(({ _tag }) => _tag), tags)
      const entries = yield* Stream.runCollect(History.stream({ channel: "a", order: "oldestFirst", schema }))
      assert.deepStrictEqual(entries.map(({ _tag }) => _tag), tags)
      const [, entry] = entries
      assertIssue(entry?._tag === "StoredUndecodable" ? entry.issue : undefined, issue)
    }).pipe(Effect.provide(world)))
})

it.effect("a schema that throws gives typed failures for signals, presence states and custom data", () =>
  Effect.gen(function*() {
    const signals: Array<string> = []
    yield* Effect.forkChild(Stream.runDrain(Subscribe.signals({
      channels: ["a"],
      schema: Big,
      onStatus: (notice) => Effect.sync(() => signals.push(notice._tag))
    })))
    yield* later
    yield* emulator.use((service) => service.signal({ channel: "a", message: "x" }))
    yield* later
    assert.deepStrictEqual(signals, ["Connected", "Undecodable"])

    yield* Presence.setState({ channels: ["a"], state: { n: "x" } })
    const mismatch = yield* Effect.flip(
      Presence.getState({ channels: ["a"], schema: Schema.Struct({ n: Big }) })
    )
    assertIssue(mismatch._tag === "StateMismatch" ? mismatch.issue : undefined, /^its schema threw SyntaxError/)

    yield* emulator.use((service) => service.setUser({ id: "ada", custom: { n: "x" } }))
    const Numbered = Users.withCustom(Schema.Struct({ n: Big }))
    const custom = yield* Effect.flip(Numbered.get({ include: ["custom"] }))
    assertIssue(custom._tag === "CustomMismatch" ? custom.issue : undefined, /^its schema threw SyntaxError/)
    const { items: [listed] } = yield* Numbered.list({ include: ["custom"] })
    assertIssue(UndecodableItem.isUndecodable(listed) ? listed.issue : undefined, /^its schema threw SyntaxError/)
  }).pipe(Effect.provide(world)))

it.effect("a live value is stale while its custom data cannot be decoded, and current again after it", () =>
  Effect.gen(function*() {
    const service = yield* emulator
    const Numbered = Users.withCustom(Schema.Struct({ n: Big }))
    yield* service.setUser({ id: "ada", custom: { n: "1" } })
    const live = yield* Numbered.live()
    const look = Effect.andThen(later, SubscriptionRef.get(live))
    yield* service.setUser({ id: "ada", custom: { n: "x" } })
    const stale = yield* look
    assert.deepStrictEqual([stale.state, stale.failure?._tag], ["stale", "CustomMismatch"])
    yield* service.setUser({ id: "ada", custom: { n: "2" } })
    const current = yield* look
    assert.strictEqual(current.state, "current")
    assert.deepStrictEqual(current.value?.custom, { n: 2n })
  }).pipe(Effect.scoped, Effect.provide(world)))

it.effect("a CustomMismatch with deep custom data can be written by every logger", () =>
  Effect.gen(function*() {
    const { seen } = yield* collect(Subscribe.users({ channels: ["ada"] }))
    yield* later
    const change = (custom: object) =>
      emulator.use((service) =>
        service.emit({
          channel: "ada",
          kind: "AppContext",
          payload: { event: "set", type: "uuid", data: { id: "ada", custom, eTag: "x" } }
        })
      )
    const shown: Array<string> = []
    const loggers = [Logger.formatJson, Logger.formatLogFmt, Logger.formatSimple].map((logger) =>
      Logger.map(logger, (line) => {
        shown.push(line)
      })
    )
    for (const text of [lists(16_000), objects(16_000)]) {
      yield* change({ n: JSON.parse(text) as unknown })
      yield* later
      const [event] = seen.slice(-1)
      if (event === undefined) return assert.fail("no event")
      const error = yield* Effect.flip(Users.withCustom(Schema.Struct({ n: Big })).event(event))
      assert.strictEqual(Json.text(error.custom), `{"n":${text}}`)
      shown.push(JSON.stringify(error), String(error), Util.inspect(error, { depth: 100 }))
      yield* Effect.provide(Effect.logError("no", error), Logger.layer(loggers))
      yield* Effect.provide(Effect.exit(Effect.fail(error)), Logger.layer(loggers))
    }
    assert.isAbove(shown.length, 11)
    for (const text of shown) assert.isBelow(text.length, 20_000)
    const small = new AppContext.CustomMismatch({
      operation: "get",
      kind: "user",
      id: "a",
      issue: "no",
      custom: { n: [1, { a: null }] }
    })
    assert.deepInclude(JSON.parse(JSON.stringify(small)), { custom: { n: [1, { a: null }] }, issue: "no" })
  }).pipe(Effect.provide(world)))

describe("a value that is hard to encode", () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const boom = () => {
    throw new Error("boom")
  }
  const messages: ReadonlyArray<readonly [string, unknown, RegExp]> = [
    ["100,000 levels", JSON.parse(lists(100_000)), /is more than 16384 levels deep/],
    ["a cycle", cycle, /\$\.self is part of a cycle/],
    ["a toJSON that throws", { a: { toJSON: boom } }, /\$\.a cannot be read: Error: boom/],
    ["a getter that throws", Object.defineProperty({}, "a", { get: boom, enumerable: true }), /\$\.a cannot be read/],
    ["a proxy that throws", new Proxy({}, { ownKeys: boom }), /\$ cannot be read/],
    ["a symbol", { a: Symbol("s") }, /\$\.a is a symbol/],
    ["a big integer", { a: 1n }, /\$\.a is a bigint/],
    ["half of a surrogate pair", { a: ["\ud800"] }, /\$\.a\[0\] has an unpaired surrogate/],
    ["a key that is half of one", { "\udfff": 1 }, /has an unpaired surrogate/]
  ]

  const refused = Effect.fnUntraced(function*<A, E extends { readonly _tag: string }, R>(
    effect: Effect.Effect<A, E | PubNubError.PubNubError, R>,
    location: string,
    pattern: RegExp
  ) {
    const before = (yield* emulator.use((service) => service.requests)).length
    const result = yield* Effect.result(effect)
    if (Result.isSuccess(result)) return assert.fail("it was taken")
    const error = result.failure
    if (!("reason" in error) || error.reason._tag !== "BadRequest") return assert.fail(error._tag)
    const [detail, ...others] = error.reason.details
    assert.deepStrictEqual(others, [])
    assert.strictEqual(detail?.location, location)
    assertIssue(detail?.message, pattern)
    assert.strictEqual((yield* emulator.use((service) => service.requests)).length, before)
  })

  it.effect.each(messages)(
    "is refused before a request as message, metadata or state: %s",
    ([, value, why]) =>
      Effect.gen(function*() {
        const meta: { readonly [key: string]: unknown } = { value }
        yield* refused(Publish.publish({ channel: "a", message: value }), "message", why)
        yield* refused(Publish.signal({ channel: "a", message: value }), "message", why)
        yield* refused(Publish.fire({ channel: "a", message: value }), "message", why)
        yield* refused(Publish.size({ channel: "a", message: value }), "message", why)
        yield* refused(Publisher.publish({ channel: "a", message: value }), "message", why)
        yield* refused(Publisher.enqueue({ channel: "a", message: value }), "message", why)
        yield* refused(
          Publish.publish({ channel: "a", message: 1, meta }),
          "meta",
          new RegExp(why.source.replace("\\$", ""))
        )
        yield* refused(
          Publisher.publish({ channel: "a", message: 1, meta }),
          "meta",
          new RegExp(why.source.replace("\\$", ""))
        )
        yield* refused(Presence.setState({ channels: ["a"], state: meta }), "state", /\$\.value/)
        const subscribed = yield* Effect.flip(
          Stream.runDrain(Subscribe.stream({ channels: ["a"], state: { a: meta } }))
        )
        assert.strictEqual(subscribed.reason._tag, "BadRequest")
      }).pipe(Effect.provide(world))
  )

  it.effect("is refused in metadata to which a message id is added", () =>
    refused(
      Publisher.publish({
        channel: "a",
        message: 1,
        meta: Object.defineProperty({}, "a", { get: boom, enumerable: true })
      }),
      "meta",
      /cannot be read: Error: boom/
    ).pipe(Effect.provide(world)))

  it.effect("is refused by every call whose schema throws", () =>
    Effect.gen(function*() {
      const typed = { channel: "a", message: 1n, schema: Big }
      const why = /^does not match its schema: its schema threw Error: cannot be written$/
      yield* refused(Publish.publish(typed), "message", why)
      yield* refused(Publish.signal(typed), "message", why)
      yield* refused(Publish.size(typed), "message", why)
      yield* refused(Publisher.publish(typed), "message", why)
      yield* refused(Publisher.enqueue(typed), "message", why)
      const numbered = Schema.Struct({ n: Big })
      yield* refused(Presence.setState({ channels: ["a"], state: { n: 1n }, schema: numbered }), "state", why)
      yield* refused(Users.withCustom(numbered).set({ custom: { n: 1n } }), "custom", why)
      yield* refused(
        Members.withCustom(numbered).set({ channel: "a", users: [{ userId: "ada", custom: { n: 1n } }] }),
        "users[0].custom",
        why
      )
      yield* refused(
        Publish.publish({ channel: "a", message: JSON.parse(lists(16_000)) as Tree, schema: Tree }),
        "message",
        /its schema threw RangeError/
      )
    }).pipe(Effect.provide(world)))

  it.effect("is refused as type or value of a message action", () =>
    Effect.gen(function*() {
      const action = { channel: "a", messageTimetoken: Timetoken.Timetoken.make("17900000000000000") }
      yield* refused(MessageActions.add({ ...action, type: "\ud800", value: "x" }), "type", /unpaired surrogate/)
      yield* refused(MessageActions.add({ ...action, type: "x", value: "\ud800" }), "value", /unpaired surrogate/)
    }).pipe(Effect.provide(world)))

  it.effect("is delivered unchanged when it is as deep as the size limit allows", () =>
    Effect.gen(function*() {
      const { seen } = yield* collect(Subscribe.messages({ channels: ["a"] }))
      yield* later
      for (const send of [Publish.publish, Publisher.publish]) {
        yield* send({ channel: "a", message: JSON.parse(lists(5_440)) as unknown })
        yield* later
      }
      assert.deepStrictEqual(seen.map(({ payload }) => Json.text(payload)), [lists(5_440), lists(5_440)])
      const error = yield* Effect.flip(Publish.publish({ channel: "a", message: JSON.parse(lists(16_000)) as unknown }))
      assert.strictEqual(error._tag, "MessageTooLarge")
    }).pipe(Effect.provide(world)))
})

describe("the text of an error", () => {
  const answering = (answer: Transport.Answer) =>
    Effect.provide(Layer.provideMerge(Transport.layerScripted([answer]), emulated()))

  const reasonOf = <A, R>(
    effect: Effect.Effect<A, { readonly _tag: string; readonly reason?: PubNubError.Reason }, R>
  ) => Effect.map(Effect.flip(effect), ({ reason }) => reason ?? assert.fail("no reason"))

  it.effect.each<readonly [string, string]>([
    ["an answer that is deep", lists(16_000)],
    ["an answer with a long name", `{"data":{"${"k".repeat(30_000)}":1}}`]
  ])("has at most 1,024 characters for %s", ([, body]) =>
    Effect.gen(function*() {
      const reason = yield* reasonOf(MessageActions.list({ channel: "a" }))
      if (reason._tag !== "Malformed") return assert.fail(reason._tag)
      assert.isAtMost(reason.description.length, 1_024)
      assert.isAtMost(reason.excerpt.length, 1_024)
    }).pipe(answering({ body })))

  it.effect.each<readonly [string, string]>([
    ["a deep action", `{"data":[{"type":"t","value":${lists(16_000)}}]}`],
    ["a long name", `{"data":[{"${"k".repeat(30_000)}":1}]}`]
  ])("has at most 1,024 characters for an item with %s", ([, body]) =>
    Effect.gen(function*() {
      const { items: [odd] } = yield* MessageActions.list({ channel: "a" })
      if (!UndecodableItem.isUndecodable(odd)) return assert.fail("it was read")
      assert.isAtMost(odd.issue.length, 1_024)
    }).pipe(answering({ body })))

  it.effect("has at most 4,000 characters for a refusal of a megabyte", () =>
    Effect.gen(function*() {
      const reason = yield* reasonOf(MessageActions.list({ channel: "a" }))
      if (reason._tag !== "BadRequest") return assert.fail(reason._tag)
      assert.isAtMost(reason.message.length, 4_000)
    }).pipe(answering({
      status: 400,
      body: JSON.stringify({
        error: {
          message: "x".repeat(1_000_000),
          details: [{ message: "y".repeat(1_000_000), location: "z".repeat(1_000_000) }]
        }
      })
    })))
})

it.effect("history returns one StoredUndecodable for deep actions, and all other entries", () =>
  Effect.gen(function*() {
    const entry = (timetoken: number, actions: string) =>
      `{"message":1,"timetoken":"1790000000000000${timetoken}","actions":${actions}}`
    const body = `{"channels":{"a":[${entry(1, "{}")},${entry(2, `{"t":${lists(16_000)}}`)},${entry(3, "{}")}]}}`
    const read = History.list({ channel: "a", include: ["meta", "actions"] }).pipe(
      Effect.provide(Layer.provideMerge(Transport.layerScripted([{ body }]), emulated()))
    )
    const { items: entries } = yield* read
    assert.deepStrictEqual(entries.map(({ _tag }) => _tag), ["StoredMessage", "StoredUndecodable", "StoredMessage"])
    assert.include(Json.text(entries[1]), lists(16_000))
  }))

it.effect("live reactions continue when the channel has deep messages and actions", () =>
  Effect.gen(function*() {
    const { fiber, seen } = yield* collect(
      Stream.unwrap(Effect.map(MessageActions.live({ channel: "a", last: 2 }), Live.values))
    )
    yield* later
    const service = yield* emulator
    const timetoken =
      (yield* service.publish({ channel: "a", message: JSON.parse(lists(16_000)) as unknown })).timetoken
    yield* service.emit({
      channel: "a",
      kind: "MessageAction",
      payload: { event: "added", data: { type: "t", value: JSON.parse(lists(16_000)) as unknown } }
    })
    yield* later
    yield* MessageActions.add({ channel: "a", messageTimetoken: timetoken, type: "reaction", value: "+1" })
    yield* later
    assert.isUndefined(fiber.pollUnsafe())
    assert.deepStrictEqual(seen.at(-1)?.get(timetoken)?.map(({ count, value }) => [value, count]), [["+1", 1]])
  }).pipe(Effect.provide(world)))
