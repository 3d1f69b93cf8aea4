import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Scope from "effect/Scope"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import {
  History,
  MessageAction,
  MessageActions,
  Publish,
  PubNubConfig,
  PubNubError,
  Subscribe,
  Timetoken
} from "effect-herald/pubnub"
import { Faults, PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as Live from "effect-herald/Live"
import type * as UndecodableItem from "effect-herald/UndecodableItem"
import { emulated, queryOf, requestsTo, start } from "../kit/emulated.ts"
import { decoded } from "../kit/decoded.ts"

const emulator = PubNubEmulator.PubNubEmulator

const tt = (text: string) => Timetoken.Timetoken.make(text)
const message = tt("17900000000000000")
const action = tt("17900000001234567")
const ada = "ada"
const channel = "chat #1/ü"

/** Another user adds it. */
const react = (messageTimetoken: string, value: string, uuid = "bob", type = "reaction", channel = "a") =>
  emulator.use((service) => service.addAction({ channel, messageTimetoken, type, value, userId: uuid }))

const unreact = (action: PubNubEmulator.StoredAction, channel = "a") =>
  emulator.use((service) => service.removeAction({ channel, ...action }))

/** So many messages of other users. */
const publish = (count: number, channel = "a") =>
  emulator.use(({ publishAll }) =>
    publishAll(Array.from({ length: count }, (_, index) => ({ channel, message: index })))
  )

const as = (userId: string) =>
  Effect.provideService(
    PubNubConfig.PubNubConfig,
    PubNubConfig.make({ subscribeKey: "demo-sub", publishKey: "demo-pub", origin: "emulator", userId })
  )

const config = (options: Partial<PubNubConfig.Options> = {}) =>
  PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host", ...options })

const scripted = (...answers: ReadonlyArray<Transport.Answer>) =>
  Layer.merge(Transport.layerScripted(answers), config())

const answer = (status: number, body: object): Transport.Answer => ({
  status,
  body: JSON.stringify({ status, ...body })
})

const wire = {
  type: "reaction",
  value: "👍",
  uuid: "ada",
  actionTimetoken: action,
  messageTimetoken: message
}

const asked = Effect.map(requestsTo("/v1/message-actions"), (requests) => requests.length)
const historyAsked = Effect.map(requestsTo("/v3/history-with-actions"), (requests) => requests.length)

const add = MessageActions.add({ channel: "a", messageTimetoken: message, type: "reaction", value: "👍" })
const remove = MessageActions.remove({ channel: "a", messageTimetoken: message, actionTimetoken: action })

describe("add and remove", () => {
  it.effect("store an action for list, history and events, and take it away", () =>
    Effect.gen(function*() {
      const told = yield* Subscribe.messageActions({ channels: [channel] }).pipe(
        Stream.take(2),
        Stream.runCollect,
        Effect.forkChild
      )
      yield* VirtualTime.advance("1 second")
      const { timetoken } = yield* Publish.publish({ channel, message: "hi" })
      const added = yield* MessageActions.add({ channel, messageTimetoken: timetoken, type: "receipt", value: "read" })
      const { actionTimetoken } = added
      assert.deepStrictEqual(added, {
        type: "receipt",
        value: "read",
        userId: ada,
        actionTimetoken,
        messageTimetoken: timetoken
      })
      assert.deepStrictEqual(yield* MessageActions.list({ channel }), { items: [added] })
      const { items: entries } = yield* History.list({ channel, include: ["meta", "actions"] })
      const [entry] = entries
      assert.deepStrictEqual(entry?._tag === "StoredMessage" && entry.actions, [
        added
      ])
      // As it is: what remove does not need does not matter.
      yield* MessageActions.remove({ channel, ...added })
      assert.deepStrictEqual(yield* MessageActions.list({ channel }), { items: [] })
      const events = yield* Fiber.join(told)
      assert.deepStrictEqual(events.map((event) => [event._tag, event.publisher, event.action]), [
        ["MessageActionAdded", ada, added],
        ["MessageActionRemoved", ada, added]
      ])
    }).pipe(Effect.provide(emulated())))

  it.effect("go as a POST with JSON and as a DELETE, signed when there is a secret key", () =>
    Effect.gen(function*() {
      const added = yield* MessageActions.add({ channel, messageTimetoken: message, type: "reaction", value: "\"👍\"" })
      yield* MessageActions.remove({ channel, ...added })
      const [post, remove] = yield* Transport.Exchanges.use(({ all }) => all)
      assert.deepStrictEqual([post!.method, post!.body], ["POST", "{\"type\":\"reaction\",\"value\":\"\\\"👍\\\"\"}"])
      assert.match(post!.headers["content-type"] ?? "", /^application\/json/)
      const path = `/v1/message-actions/demo-sub/channel/chat%20%231%2F%C3%BC/message/${message}`
      assert.strictEqual(new URL(post!.url).pathname, path)
      assert.deepStrictEqual([remove!.method, remove!.body], ["DELETE", ""])
      assert.strictEqual(new URL(remove!.url).pathname, `${path}/action/${added.actionTimetoken}`)
      assert.match(new URL(remove!.url).searchParams.get("signature") ?? "", /^v2\./)
    }).pipe(Effect.provide(Transport.layerRecording.pipe(Layer.provideMerge(emulated({
      emulator: { keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "demo-sec" }] },
      config: { secretKey: Redacted.make("demo-sec") }
    }))))))

  it.effect("add fails with ActionExists for the same action of the same user only", () =>
    Effect.gen(function*() {
      const thumb = { channel, messageTimetoken: message, type: "reaction", value: "👍" }
      yield* MessageActions.add(thumb)
      const error = yield* Effect.flip(MessageActions.add(thumb))
      assert.deepInclude({ ...error }, { _tag: "ActionExists", ...thumb } as object)
      assert.deepStrictEqual([error.isRetryable, error.retryAfter], [false, undefined])
      assert.include(error.message, `the reaction "👍" on message ${message} of ${channel}. There is nothing to do`)
      yield* MessageActions.add({ ...thumb, value: "👎" })
      yield* MessageActions.add(thumb).pipe(as("bob"))
      assert.lengthOf((yield* MessageActions.list({ channel })).items, 3)
    }).pipe(Effect.provide(emulated())))

  it.effect("remove fails with ActionNotFound, or with ActionOfAnotherUser for the action of another user", () =>
    Effect.gen(function*() {
      const of = yield* MessageActions.add({ channel, messageTimetoken: message, type: "reaction", value: "👍" }).pipe(
        as("bob")
      )
      const another = yield* Effect.flip(MessageActions.remove({ channel, ...of }))
      const expected = { channel, messageTimetoken: message, actionTimetoken: of.actionTimetoken }
      assert.deepInclude({ ...another }, { _tag: "ActionOfAnotherUser", ...expected } as object)
      assert.include(another.message, "another user added the action")
      yield* MessageActions.remove({ channel, ...of }).pipe(as("bob"))
      const missing = yield* Effect.flip(MessageActions.remove({ channel, ...of }))
      assert.deepInclude({ ...missing }, { _tag: "ActionNotFound", ...expected } as object)
      assert.include(missing.message, "has no action")
      for (const error of [another, missing]) {
        assert.deepStrictEqual([error.isRetryable, error.retryAfter], [false, undefined])
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("remove takes the action of a message whose timetoken has ten digits", () =>
    Effect.gen(function*() {
      yield* react("1595634332", "👍", "ada")
      const [old] = decoded((yield* MessageActions.list({ channel: "a" })).items)
      assert.strictEqual(old!.messageTimetoken, "1595634332")
      yield* MessageActions.remove({ channel: "a", ...old! })
      assert.deepStrictEqual(yield* MessageActions.list({ channel: "a" }), { items: [] })
    }).pipe(Effect.provide(emulated())))

  it.effect("fail with ActionNotAnnounced when the change was stored and not announced", () =>
    Effect.gen(function*() {
      yield* emulator.use(({ withholdActions }) => withholdActions(2))
      const added = yield* Effect.flip(
        MessageActions.add({ channel, messageTimetoken: message, type: "reaction", value: "👍" })
      )
      if (added._tag !== "ActionNotAnnounced") return assert.fail(added._tag)
      const actions = decoded((yield* MessageActions.list({ channel })).items)
      assert.deepStrictEqual([added.operation, added.messageTimetoken], ["MessageActions.add", message])
      assert.deepStrictEqual<unknown>([added.action], actions)
      assert.include(added.message, "was stored, but not announced to subscribers: Stored but failed to publish")
      assert.include(added.message, "Do not repeat the request")
      const removed = yield* Effect.flip(MessageActions.remove({ channel, ...actions[0]! }))
      if (removed._tag !== "ActionNotAnnounced") return assert.fail(removed._tag)
      assert.include(removed.message, "was removed, but")
      assert.isFalse("action" in removed)
      assert.deepStrictEqual([removed.isRetryable, removed.retryAfter], [false, undefined])
      assert.deepStrictEqual(yield* MessageActions.list({ channel }), { items: [] })
    }).pipe(Effect.provide(emulated())))

  it.effect.each([["add", add], ["remove", remove]] as const)(
    "fail with ActionNotAnnounced when a 207 to %s has no data",
    ([, call]) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip<
          unknown,
          { readonly _tag: string },
          HttpClient.HttpClient | PubNubConfig.PubNubConfig
        >(
          call
        )
        assert.strictEqual(error._tag, "ActionNotAnnounced")
      }).pipe(Effect.provide(scripted(answer(207, { error: { message: "not published", source: "actions" } }))))
  )
})

describe("failures", () => {
  it.effect("a missing permission is AccessDenied, and missing persistence is FeatureDisabled", () =>
    Effect.gen(function*() {
      const service = yield* emulator
      yield* service.deny({ channels: ["a"] })
      const denied = yield* Effect.flip(MessageActions.list({ channel: "a" }))
      assert.strictEqual(denied.reason._tag, "AccessDenied")
      yield* service.setAddOns({ persistence: false })
      yield* service.allow
      const errors = [
        yield* Effect.flip(add),
        yield* Effect.flip(remove),
        yield* Effect.flip(MessageActions.list({ channel: "a" }))
      ]
      for (const disabled of errors) {
        if (disabled._tag !== "PubNubError") return assert.fail(disabled._tag)
        assert.deepInclude({ ...disabled.reason }, { _tag: "FeatureDisabled", addOn: "MessagePersistence" } as object)
      }
    }).pipe(Effect.provide(emulated())))

  it.effect.each(
    [
      [answer(400, { error: { message: "Request payload contained invalid input.", details: [] } }), "BadRequest"],
      [answer(400, { error: { source: "actions", message: "Invalid Subkey" } }), "InvalidKey"],
      [answer(403, { error: { message: "not permitted" } }), "AccessDenied"],
      [answer(402, { error: { message: "Not available for used key set" } }), "FeatureDisabled"],
      [answer(429, { error: { message: "no" } }), "RateLimited"],
      [answer(500, { error: { message: "no" } }), "ServerFailure"],
      [{ body: "<html>" }, "Malformed"],
      [answer(200, {}), "Malformed"],
      [answer(200, { data: { ...wire, messageTimetoken: "soon" } }), "Malformed"],
      [{ failure: "ECONNREFUSED" }, "Transport"]
    ] as const
  )("the answer %j is %s", ([answer, tag]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(add)
      if (error._tag !== "PubNubError") return assert.fail(error._tag)
      assert.strictEqual(error.reason._tag, tag)
      assert.strictEqual(error.operation, "MessageActions.add")
      assert.deepStrictEqual(error.request, {
        method: "POST",
        path: `/v1/message-actions/{subscribeKey}/channel/a/message/${message}`
      })
    }).pipe(Effect.provide(scripted(answer))))

  it.effect("AccessDenied has the channels and groups that the service names", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(MessageActions.list({ channel: "a" }))
      if (error.reason._tag !== "AccessDenied") return assert.fail(error.reason._tag)
      assert.deepStrictEqual([error.reason.channels, error.reason.groups], [["a"], ["g"]])
      assert.strictEqual(error.request.path, "/v1/message-actions/{subscribeKey}/channel/a")
    }).pipe(Effect.provide(scripted(answer(403, {
      message: "Forbidden",
      payload: { channels: ["a"], "channel-groups": [":g"] },
      error: true,
      service: "Access Manager",
      status: 403
    })))))

  it.effect("errors name the function that was called", () =>
    Effect.gen(function*() {
      yield* emulator.use(({ deny }) => deny({ channels: ["a"] }))
      const errors = yield* Effect.all([
        Effect.flip(add),
        Effect.flip(remove),
        Effect.flip(MessageActions.list({ channel: "a" })),
        Effect.flip(Stream.runDrain(MessageActions.stream({ channel: "a" }))),
        Effect.flip(
          Stream.runDrain(Stream.unwrap(Effect.map(MessageActions.live({ channel: "a", last: 0 }), Live.values)))
        )
      ])
      assert.deepStrictEqual(errors.map((error) => error._tag === "PubNubError" && error.operation), [
        "MessageActions.add",
        "MessageActions.remove",
        "MessageActions.list",
        "MessageActions.stream",
        "MessageActions.live"
      ])
    }).pipe(Effect.provide(emulated())))

  it.effect("add after a lost answer fails with ActionExists, and the action is stored once", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(add))._tag, "PubNubError")
      assert.strictEqual((yield* Effect.flip(add))._tag, "ActionExists")
      const { items: actions } = yield* MessageActions.list({ channel: "a" })
      assert.lengthOf(actions, 1)
    }).pipe(Effect.provide(emulated({ script: [{ on: "messageActions", fault: Faults.Fault.ResetBeforeAnswer() }] }))))
})

describe("bad input is refused before a request is made", () => {
  const wrong = (text: string): Timetoken.Timetoken => text as Timetoken.Timetoken
  const to = { channel: "a", messageTimetoken: message, type: "reaction", value: "👍" }
  const from = { channel: "a", messageTimetoken: message, actionTimetoken: action }
  const drain = <A, E, R>(stream: Stream.Stream<A, E, R>) => Stream.runDrain(stream)
  const { list, live, stream } = MessageActions

  it.effect.each(
    [
      ["a message of nine digits", MessageActions.add({ ...to, messageTimetoken: "159563433" }), "messageTimetoken"],
      [
        "a message of eighteen digits",
        MessageActions.add({ ...to, messageTimetoken: `${message}0` }),
        "messageTimetoken"
      ],
      ["an empty type", MessageActions.add({ ...to, type: "" }), "type"],
      ["an empty value", MessageActions.add({ ...to, value: "" }), "value"],
      ["a body that is too large", MessageActions.add({ ...to, value: "ü".repeat(20_000) }), "value"],
      ["an address that is too long", MessageActions.add({ ...to, channel: "ü".repeat(2_000) }), "channel", 8_000],
      ["a comma", MessageActions.add({ ...to, channel: "a,b" }), "channel"],
      ["a presence channel", MessageActions.add({ ...to, channel: "a-pnpres" }), "channel"],
      ["a message that is no number", MessageActions.remove({ ...from, messageTimetoken: "../x" }), "messageTimetoken"],
      ["an action of ten digits", MessageActions.remove({ ...from, actionTimetoken: wrong("1") }), "actionTimetoken"],
      ["no channel", list({ channel: "" }), "channel"],
      ["a limit of 0", list({ channel: "a", limit: 0 }), "limit"],
      ["a limit above 100", list({ channel: "a", limit: 101 }), "limit"],
      ["a limit of 1.5", list({ channel: "a", limit: 1.5 }), "limit"],
      ["a range that ends before it starts", list({ channel: "a", since: action, before: message }), "before"],
      ["a bound of ten digits", list({ channel: "a", since: wrong("1595634332") }), "since"],
      ["a pageSize of 0", drain(stream({ channel: "a", pageSize: 0 })), "pageSize"],
      ["a stream of a wildcard", drain(stream({ channel: "a.*" })), "channel"],
      ["no messages", Effect.scoped(live({ channel: "a", messages: [] })), "messages"],
      [
        "too many messages",
        Effect.scoped(live({ channel: "a", messages: Array.from({ length: 101 }, (_, index) => String(index)) })),
        "messages"
      ],
      ["a message that is not a timetoken", Effect.scoped(live({ channel: "a", messages: ["x"] })), "messages"],
      ["a last of 0", Effect.scoped(live({ channel: "a", last: 0 })), "last"],
      ["a last of 101", Effect.scoped(live({ channel: "a", last: 101 })), "last"],
      ["a live value of a wildcard", Effect.scoped(live({ channel: "a.*", last: 1 })), "channel"]
    ] as const
  )("%s", ([, call, location, maxUrlSize = 30_720]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip<
        unknown,
        { readonly _tag: string },
        HttpClient.HttpClient | PubNubConfig.PubNubConfig
      >(call).pipe(Effect.provide(Layer.merge(Transport.layerScripted([]), config({ maxUrlSize }))))
      if (!Schema.is(PubNubError.PubNubError)(error) || error.reason._tag !== "BadRequest") {
        return assert.fail(error._tag)
      }
      assert.isUndefined(error.reason.status)
      assert.deepStrictEqual(error.reason.details.map((detail) => detail.location), [location])
    }))

  it.effect("a missing key", () =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip(MessageActions.list({ channel: "a" }))
      assert.deepInclude({ ...reason }, { _tag: "InvalidKey", key: "subscribe" } as object)
    }).pipe(Effect.provide(Layer.merge(Transport.layerScripted([]), config({ subscribeKey: "" })))))

  it.effect("a body above maxMessageSize of the configuration", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(add)
      assert.include(error.message, "value makes a body of 34 bytes, and maxMessageSize is 30")
    }).pipe(Effect.provide(Layer.merge(Transport.layerScripted([]), config({ maxMessageSize: 30 })))))
})

type Items = ReadonlyArray<MessageAction.MessageAction | UndecodableItem.UndecodableItem>

describe("list", () => {
  const many = (count: number) =>
    Effect.forEach(Array.from({ length: count }, (_, index) => index), (index) => react(message, `${index}`))
  const values = ({ items }: { readonly items: Items }) => decoded(items).map(({ value }) => Number(value))

  it.effect("reads pages from the newest, each in ascending order, until one is not full", () =>
    Effect.gen(function*() {
      const sent = yield* many(12)
      const first = yield* MessageActions.list({ channel: "a", limit: 5 })
      assert.deepStrictEqual(values(first), [7, 8, 9, 10, 11])
      assert.strictEqual(first.next, sent[7]!.actionTimetoken)
      const second = yield* MessageActions.list({ channel: "a", limit: 5, next: first.next })
      assert.deepStrictEqual(values(second), [2, 3, 4, 5, 6])
      const third = yield* MessageActions.list({ channel: "a", limit: 5, next: second.next })
      assert.deepStrictEqual(values(third), [0, 1])
      assert.isFalse("next" in third)
      const range = { channel: "a", since: tt(sent[3]!.actionTimetoken), before: tt(sent[6]!.actionTimetoken) }
      assert.deepStrictEqual(yield* MessageActions.list({ ...range, before: range.since }), { items: [] })
      const { items: actions } = yield* MessageActions.list({ channel: "a" })
      yield* Stream.runDrain(MessageActions.stream({ channel: "a", pageSize: 20 }))
      const limits = (yield* requestsTo("/v1/message-actions")).map((request) => queryOf(request).get("limit"))
      assert.deepStrictEqual(limits.slice(-2), ["100", "20"])
      // Full, and nothing older belongs to the range.
      assert.deepStrictEqual(yield* MessageActions.list({ ...range, limit: 3 }), { items: actions.slice(3, 6) })
      const request = (yield* requestsTo("/v1/message-actions")).at(-1)
      const { end, limit, start } = Object.fromEntries(queryOf(request!))
      assert.deepStrictEqual([start, end, limit], [range.before, range.since, "3"])
    }).pipe(Effect.provide(emulated())))

  it.effect.each([
    [{ url: "v1/x?start=2", start: wire.actionTimetoken, limit: 100 }, wire.actionTimetoken],
    // It would leave out what lies between, or repeat what was listed.
    [{ start: "17900000000000042", end: null }, wire.actionTimetoken],
    [{ start: "17999999999999999", end: null }, wire.actionTimetoken],
    [{ url: "v1/x" }, undefined],
    [null, undefined]
  ])(
    "has a next page when the service reports more, before the oldest action: %j",
    ([more, next]) =>
      Effect.gen(function*() {
        const page = yield* MessageActions.list({ channel: "a" })
        assert.strictEqual(page.next, next)
        assert.lengthOf(page.items, 1)
      }).pipe(Effect.provide(scripted(answer(200, { data: [wire], more }))))
  )

  it.effect("keeps all digits of a numeric cursor", () =>
    Effect.gen(function*() {
      const { next } = yield* MessageActions.list({ channel: "a" })
      assert.strictEqual(next, "17900000000000043")
    }).pipe(
      Effect.provide(scripted({ body: "{\"status\":200,\"data\":[null],\"more\":{\"start\":17900000000000043}}" }))
    ))

  it.effect("follows the cursor of a service that reports more", () =>
    Effect.gen(function*() {
      yield* many(25)
      const seen = yield* Stream.runCollect(MessageActions.stream({ channel: "a", pageSize: 10 }))
      assert.deepStrictEqual(values({ items: seen.toReversed() }), Array.from({ length: 25 }, (_, index) => index))
      assert.strictEqual(yield* asked, 3)
    }).pipe(Effect.provide(emulated({ emulator: { moreActions: true } }))))

  const Old = Schema.String.pipe(Schema.check(Schema.isPattern(/^\d{10}$/)))
  const Action = Schema.Struct({
    ...MessageAction.MessageAction.fields,
    messageTimetoken: Schema.Union([Timetoken.Timetoken, Old])
  })
  it.effect.prop(
    "decodes any action, with its fields in any order",
    [Schema.Array(Action).pipe(Schema.check(Schema.isMaxLength(99))), Schema.Boolean],
    ([actions, reversed]) =>
      Effect.gen(function*() {
        const data = actions.map(({ userId, ...rest }) => {
          const fields = Object.entries({ ...rest, uuid: userId, extra: null })
          return Object.fromEntries(reversed ? fields.toReversed() : fields)
        })
        const page = yield* Effect.provide(MessageActions.list({ channel: "a" }), scripted(answer(200, { data })))
        assert.deepStrictEqual(page, { items: actions })
      }),
    { arbitrary: { runs: 100 } }
  )
})

describe("stream", () => {
  const many = (count: number) =>
    Effect.forEach(Array.from({ length: count }, (_, index) => index), (index) => react(message, `${index}`))
  const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)
  const values = (items: Items) => decoded(items).map(({ value }) => Number(value))

  it.effect("makes one request for take(10)", () =>
    Effect.gen(function*() {
      yield* many(250)
      const ten = yield* MessageActions.stream({ channel: "a" }).pipe(Stream.take(10), Stream.runCollect)
      assert.deepStrictEqual(values(ten), numbers(240, 250).toReversed())
      assert.strictEqual(yield* asked, 1)
    }).pipe(Effect.provide(emulated())))

  it.effect("gives the whole range in both orders, and requests no page after it", () =>
    Effect.gen(function*() {
      const sent = yield* many(400)
      const range = { channel: "a", since: tt(sent[100]!.actionTimetoken), before: tt(sent[300]!.actionTimetoken) }
      const newest = yield* Stream.runCollect(MessageActions.stream({ ...range, order: "newestFirst" }))
      assert.deepStrictEqual(values(newest), numbers(100, 300).toReversed())
      assert.strictEqual(yield* asked, 2)
      const oldest = yield* Stream.runCollect(MessageActions.stream({ ...range, order: "oldestFirst" }))
      assert.deepStrictEqual(values(oldest), numbers(100, 300))
      assert.strictEqual(yield* asked, 4)
    }).pipe(Effect.provide(emulated())))

  it.effect.each(["newestFirst", "oldestFirst"] as const)(
    "gives each action once while others add and remove: %s",
    (order) =>
      Effect.gen(function*() {
        const sent = yield* many(300)
        let late = 0
        const seen = yield* MessageActions.stream({ channel: "a", order, pageSize: 7 }).pipe(
          Stream.tap(() =>
            Effect.flatMap(Random.nextIntBetween(0, 9), (dice) => {
              if (dice === 0) return react(message, `${1000 + late++}`)
              // What is removed may come or not; what is not removed comes.
              return dice === 1
                ? Effect.flatMap(Random.nextIntBetween(0, 29), (at) => unreact(sent[at * 10]!))
                : Effect.void
            })
          ),
          Stream.runCollect
        )
        const all = values(order === "newestFirst" ? seen.toReversed() : seen)
        assert.deepStrictEqual(all, all.toSorted((a, b) => a - b))
        assert.strictEqual(new Set(all).size, all.length)
        assert.isAbove(late, 10)
        assert.deepStrictEqual(
          all.filter((value) => value < 300 && value % 10 !== 0),
          numbers(0, 300).filter((value) => value % 10 !== 0)
        )
      }).pipe(Effect.provide(emulated()), Random.withSeed(1))
  )
})

describe("live", () => {
  type Value = ReadonlyMap<string, MessageActions.Reactions>

  /** "👍 3 (you)" for each message. */
  const shown = (value: Value) =>
    Array.from(
      value,
      ([, reactions]) =>
        reactions.map(({ count, mine, value }) => `${value} ${count}${mine === undefined ? "" : " (you)"}`).join()
    )

  /** Watches channel `a` in the background. */
  const watch = (options: Parameters<typeof MessageActions.live>[0]) =>
    Effect.gen(function*() {
      const values: Array<Value> = []
      const fiber = yield* Stream.unwrap(Effect.map(MessageActions.live(options), Live.values)).pipe(
        Stream.runForEach((value) => Effect.sync(() => values.push(value))),
        Effect.forkChild
      )
      yield* VirtualTime.advance("1 second")
      return { values, fiber, last: () => shown(values.at(-1)!) }
    })

  const inject = (rule: Faults.Rule) => Faults.Faults.use(({ add }) => add(rule))
  const soon = VirtualTime.advance("1 second")

  it.effect("counts actions by type and value, with their users and the caller's own", () =>
    Effect.gen(function*() {
      const [first, second] = yield* publish(2)
      const thumb = yield* react(first!, "👍", "bob")
      const { values } = yield* watch({ channel: "a", messages: [first!, second!, first!] })
      const mine = yield* MessageActions.add({
        channel: "a",
        messageTimetoken: tt(first!),
        type: "reaction",
        value: "👍"
      })
      yield* soon
      yield* react(first!, "👍", "bob", "receipt")
      yield* soon
      yield* MessageActions.remove({ channel: "a", ...mine })
      yield* soon
      yield* unreact(thumb)
      yield* soon
      const users = (...entries: ReadonlyArray<readonly [string, string]>) =>
        new Map(entries.map(([user, action]) => [user, tt(action)]))
      assert.deepStrictEqual(values.map((value) => [...value.keys()]), Array(5).fill([first, second]))
      assert.deepStrictEqual(
        values[1],
        new Map<string, MessageActions.Reactions>([
          [first!, [{
            type: "reaction",
            value: "👍",
            count: 2,
            users: users(["bob", thumb.actionTimetoken], ["ada", mine.actionTimetoken]),
            mine: mine.actionTimetoken
          }]],
          [second!, []]
        ])
      )
      assert.deepStrictEqual(values.map(shown), [
        ["👍 1", ""],
        ["👍 2 (you)", ""],
        ["👍 2 (you),👍 1", ""],
        ["👍 1,👍 1", ""],
        ["👍 1", ""]
      ])
      assert.deepStrictEqual(values[4]!.get(first!)!.map(({ type }) => type), ["receipt"])
    }).pipe(Effect.provide(emulated())))

  it.effect("is stale while it is interrupted, and ends with its scope", () =>
    Effect.gen(function*() {
      yield* publish(1)
      const scope = yield* Scope.make()
      const ref = yield* Scope.provide(MessageActions.live({ channel: "a", last: 1 }), scope)
      const state = Effect.map(SubscriptionRef.get(ref), ({ state }) => state)
      assert.strictEqual(yield* state, "current")
      yield* inject({ fault: Faults.Fault.ConnectionRefused(), lasting: "1 minute" })
      yield* emulator.use(({ restart }) => restart)
      yield* VirtualTime.advance("30 seconds")
      assert.strictEqual(yield* state, "stale")
      yield* VirtualTime.advance("5 minutes")
      assert.strictEqual(yield* state, "current")
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* state, "ended")
    }).pipe(Effect.provide(emulated())))

  it.effect("with last, adds new messages and files, and drops the oldest", () =>
    Effect.gen(function*() {
      const sent = yield* publish(60)
      yield* react(sent[30]!, "old")
      yield* react(sent[31]!, "oldest")
      const { last, values } = yield* watch({ channel: "a", last: 29 })
      assert.strictEqual(yield* historyAsked, 2)
      assert.deepStrictEqual([...values[0]!.keys()], sent.slice(31))
      assert.strictEqual(last()[0], "oldest 1")
      const [next] = yield* publish(1)
      const { timetoken: file } = yield* emulator.use(({ emit }) =>
        emit({
          channel: "a",
          kind: "File",
          payload: { file: { id: "1", name: "cat.png" } },
          publisher: "bob",
          store: true
        })
      )
      yield* react(file, "😻")
      yield* react(sent[31]!, "gone")
      yield* soon
      assert.deepStrictEqual([...values.at(-1)!.keys()], [...sent.slice(33), next, file])
      assert.deepStrictEqual([last().at(-1), last()[0]], ["😻 1", ""])
      assert.strictEqual(yield* historyAsked, 2)
    }).pipe(Effect.provide(emulated())))

  it.effect("is an empty map for an empty channel, and adds what is published", () =>
    Effect.gen(function*() {
      const { values } = yield* watch({ channel: "a", last: 2 })
      const [one] = yield* publish(1)
      yield* soon
      assert.deepStrictEqual(values, [new Map(), new Map([[one!, []]])])
    }).pipe(Effect.provide(emulated())))

  it.effect("does not change for signals, other channels and repeated events", () =>
    Effect.gen(function*() {
      const [one] = yield* publish(1)
      const thumb = yield* react(one!, "👍")
      const { values } = yield* watch({ channel: "a", last: 2 })
      yield* Publish.signal({ channel: "a", message: 1 })
      yield* react(one!, "👎", "bob", "reaction", "b")
      yield* emulator.use(({ emit }) =>
        emit({
          channel: "a",
          kind: "MessageAction",
          publisher: "bob",
          payload: {
            source: "actions",
            version: "1.0",
            event: "added",
            data: { ...thumb, uuid: undefined }
          }
        })
      )
      yield* soon
      assert.lengthOf(values, 1)
      assert.strictEqual(yield* historyAsked, 1)
    }).pipe(Effect.provide(emulated())))

  it.effect("keeps an action that comes before its message until the message comes", () =>
    Effect.gen(function*() {
      yield* publish(1)
      const { last, values } = yield* watch({ channel: "a", last: 1 })
      const { timetoken: late } = yield* emulator.use(({ publish }) =>
        publish({ channel: "a", message: "late", region: 2, delay: "5 seconds" })
      )
      yield* react(late, "👍")
      yield* VirtualTime.advance("2 seconds")
      assert.deepStrictEqual(last(), [""])
      yield* VirtualTime.advance("5 seconds")
      assert.deepStrictEqual(last(), ["👍 1"])
      assert.deepStrictEqual([values.length, [...values.at(-1)!.keys()]], [2, [late]])
    }).pipe(Effect.provide(emulated())))

  it.effect("puts a late message of another region in its place by timetoken", () =>
    Effect.gen(function*() {
      const { values } = yield* watch({ channel: "a", last: 2 })
      const { timetoken: late } = yield* emulator.use(({ publish }) =>
        publish({ channel: "a", message: "late", region: 2, delay: "5 seconds" })
      )
      const [one] = yield* publish(1)
      yield* VirtualTime.advance("6 seconds")
      assert.deepStrictEqual([...values.at(-1)!.keys()], [late, one])
      const [two] = yield* publish(1)
      yield* soon
      assert.deepStrictEqual([...values.at(-1)!.keys()], [one, two])
    }).pipe(Effect.provide(emulated())))

  it.effect("finds actions of messages that history does not have in the list of actions", () =>
    Effect.gen(function*() {
      const [stored] = yield* publish(1)
      yield* react("1595634332", "ten", "ada")
      const { timetoken: unstored } = yield* emulator.use(({ publish }) =>
        publish({ channel: "a", message: 1, store: false })
      )
      yield* react(stored!, "stored")
      yield* react(unstored, "unstored")
      const one = yield* watch({ channel: "a", messages: [unstored] })
      assert.deepStrictEqual(one.last(), ["unstored 1"])
      const [request] = (yield* requestsTo("/v1/message-actions")).slice(-1)
      assert.strictEqual(queryOf(request!).get("end"), unstored)
      const all = yield* watch({ channel: "a", messages: ["1595634332", unstored, stored!] })
      assert.deepStrictEqual(all.last(), ["ten 1 (you)", "unstored 1", "stored 1"])
      yield* react("1595634332", "ten", "bob")
      yield* soon
      assert.deepStrictEqual(all.last(), ["ten 2 (you)", "unstored 1", "stored 1"])
    }).pipe(Effect.provide(emulated())))

  it.effect("reads messages that are far apart with few pages of history", () =>
    Effect.gen(function*() {
      const sent = yield* publish(200)
      const messages = [sent[199]!, sent[198]!, sent[180]!, sent[100]!, sent[3]!, sent[2]!]
      yield* Effect.forEach(messages, (message) => react(message, "👍"))
      const { last } = yield* watch({ channel: "a", messages })
      assert.deepStrictEqual(last(), messages.map(() => "👍 1"))
      assert.strictEqual(yield* historyAsked, 3)
      assert.strictEqual(yield* asked, 0)
    }).pipe(Effect.provide(emulated())))

  it.effect("loses no event that happens while it reads", () =>
    Effect.gen(function*() {
      const [one] = yield* publish(1)
      const thumb = yield* react(one!, "👍")
      const { last, values } = yield* watch({ channel: "a", last: 5 })
      assert.lengthOf(values, 0)
      yield* unreact(thumb)
      yield* react(one!, "👎")
      yield* publish(1)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(values.map(shown), [["👍 1"], ["👎 1", ""]])
      assert.deepStrictEqual(last(), ["👎 1", ""])
    }).pipe(Effect.provide(emulated({ script: [{ on: "history", fault: Faults.Fault.Slow({ by: "5 seconds" }) }] }))))

  describe("reads again after", () => {
    it.effect("more events than the service keeps for a reader", () =>
      Effect.gen(function*() {
        const [one] = yield* publish(1)
        const thumb = yield* react(one!, "👍")
        const { last, values } = yield* watch({ channel: "a", last: 100 })
        // It is still reading: it has heard nothing of this.
        yield* unreact(thumb)
        yield* react(one!, "👎")
        yield* publish(98)
        yield* publish(1)
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(values.map(({ size }) => size), [1, 100])
        assert.strictEqual(last().join(""), "👎 1")
        assert.strictEqual(yield* historyAsked, 1 + 4)
      }).pipe(Effect.provide(emulated({ script: [{ on: "history", fault: Faults.Fault.Slow({ by: "5 seconds" }) }] }))))

    it.effect("an outage longer than the service keeps events, and keeps its last value until then", () =>
      Effect.gen(function*() {
        const [one] = yield* publish(1)
        const thumb = yield* react(one!, "👍")
        const { last, values } = yield* watch({ channel: "a", messages: [one!] })
        yield* inject({ fault: Faults.Fault.ConnectionRefused(), lasting: "10 minutes" })
        yield* emulator.use(({ restart }) => restart)
        yield* VirtualTime.advance("1 minute")
        yield* unreact(thumb)
        yield* react(one!, "👎")
        yield* VirtualTime.advance("1 minute")
        assert.deepStrictEqual(last(), ["👍 1"])
        yield* VirtualTime.advance("10 minutes")
        assert.deepStrictEqual(values.map(shown), [["👍 1"], ["👎 1"]])
      }).pipe(Effect.provide(emulated({ emulator: { limits: { queueRetention: "2 minutes" } } }))))

    it.effect("an event that cannot be read, or that names no user", () =>
      Effect.gen(function*() {
        const [one] = yield* publish(1)
        yield* watch({ channel: "a", last: 1 })
        const event = { source: "actions", version: "1.0", event: "added" }
        const emit = (payload: object) =>
          emulator.use(({ emit }) => emit({ channel: "a", kind: "MessageAction", payload }))
        yield* emit(event)
        yield* soon
        assert.strictEqual(yield* historyAsked, 2)
        yield* emit({
          ...event,
          data: { type: "reaction", value: "?", actionTimetoken: action, messageTimetoken: one }
        })
        yield* soon
        assert.strictEqual(yield* historyAsked, 3)
      }).pipe(Effect.provide(emulated())))
  })

  describe("with an answer of history that is older than the events", () => {
    const envelope = (type: string, actionTimetoken: string) => ({
      c: "a",
      e: 3,
      i: "bob",
      p: { t: actionTimetoken, r: 1 },
      d: {
        source: "actions",
        version: "1.0",
        event: "added",
        data: { type, value: type, actionTimetoken, messageTimetoken: message }
      }
    })
    const page = (t: string, m: ReadonlyArray<object>) => ({ body: JSON.stringify({ t: { t, r: 1 }, m }) })
    const read = answer(200, { channels: { a: [{ message: "hi", timetoken: message, uuid: "ada" }] } })

    it.effect("keeps actions that came after an unreadable event, and not those before it", () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(start)
        const { last } = yield* watch({ channel: "a", last: 1 })
        assert.deepStrictEqual(last(), ["after 1"])
      }).pipe(Effect.provide(Layer.merge(
        scripted(
          page("17900000000000100", []),
          read,
          page("17900000000000300", [
            envelope("before", "17900000000000200"),
            { c: "a" },
            envelope("after", "17900000000000300")
          ]),
          read,
          { never: true }
        ),
        VirtualTime.layer
      ))))
  })

  it.effect("keeps a message that history does not show yet when it reads again", () =>
    Effect.gen(function*() {
      yield* publish(1)
      const { last, values } = yield* watch({ channel: "a", last: 2 })
      yield* VirtualTime.advance("10 seconds")
      const [fresh] = yield* publish(1)
      yield* react(fresh!, "👍")
      yield* soon
      yield* emulator.use(({ emitRaw }) => emitRaw({ channel: "a", envelope: { c: "a" } }))
      yield* soon
      assert.strictEqual(yield* historyAsked, 2)
      assert.deepStrictEqual(last(), ["", "👍 1"])
      assert.isTrue(values.at(-1)!.has(fresh!))
    }).pipe(Effect.provide(emulated({ emulator: { historyDelay: "5 seconds" } }))))

  it.effect("retries a failing read and logs a warning, slowly when no retry can help", () => {
    const warnings: Array<unknown> = []
    return Effect.gen(function*() {
      yield* publish(1)
      yield* inject({ on: "history", fault: Faults.Fault.ServerError({ status: 503, handled: false }), times: 2 })
      const { last, values } = yield* watch({ channel: "a", last: 1 })
      assert.lengthOf(values, 0)
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(last(), [""])
      assert.lengthOf(warnings, 2)
      assert.include(String(warnings[0]), "the reactions on a: not current. MessageActions.live: A proxy or gateway")
      yield* emulator.use(({ setAddOns }) => setAddOns({ persistence: false }))
      yield* emulator.use(({ emitRaw }) => emitRaw({ channel: "a", envelope: { c: "a" } }))
      yield* VirtualTime.advance("1 minute")
      assert.include(String(warnings.at(-1)), "Enable MessagePersistence")
      const refused = warnings.length
      assert.isAtMost(refused, 10)
      yield* emulator.use(({ setAddOns }) => setAddOns({ persistence: true }))
      const [fresh] = yield* publish(1)
      yield* react(fresh!, "👍")
      yield* VirtualTime.advance("3 minutes")
      assert.deepStrictEqual(last(), ["👍 1"])
    }).pipe(Effect.provide(
      emulated().pipe(
        Layer.provideMerge(Logger.layer([Logger.make(({ logLevel, message }) => {
          if (logLevel === "Warn") warnings.push(message)
        })]))
      )
    ))
  })

  it.effect("leaves the channel when its fiber is interrupted", () =>
    Effect.gen(function*() {
      const { fiber } = yield* watch({ channel: "a", last: 1 })
      yield* Fiber.interrupt(fiber)
      assert.lengthOf(yield* requestsTo("/v2/presence/sub-key/demo-sub/channel/a/leave"), 1)
    }).pipe(Effect.provide(emulated())))
})
