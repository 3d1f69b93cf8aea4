/** Lists, read item by item, and asked for at a bounded rate by a service whose cursor does not move. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  AppContext,
  ChannelGroups,
  History,
  Members,
  Memberships,
  MessageActions,
  Presence,
  PubNubConfig,
  PubNubError,
  Users
} from "effect-herald/pubnub"
import { VirtualTime } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import * as Exchange from "../../src/testing/server/exchange.ts"

/** A service that answers every request with what is made of its address. */
const answering = (answer: (url: URL, number: number) => unknown) => {
  const asked: Array<URL> = []
  const layer = Layer.mergeAll(
    Layer.succeed(
      HttpClient.HttpClient,
      HttpClient.make((request, url) => {
        asked.push(url)
        const body = JSON.stringify(answer(url, asked.length))
        return Effect.succeed(Exchange.response(request, { status: 200, headers: {}, body }))
      })
    ),
    PubNubConfig.layer({ subscribeKey: "s", publishKey: "p", userId: "ada", origin: "host" })
  )
  return { asked, layer }
}

const version = { updated: "2024-03-07T08:47:38.835Z", eTag: "e" }
const user = (id: string, custom: unknown = null) => ({ id, name: id, custom, ...version })
const timetoken = (number: number) => `179000000000${String(number).padStart(5, "0")}`

describe("a list with items that cannot be decoded", () => {
  const hundred = Array.from(
    { length: 100 },
    (_, index) => user(`u${index}`, index === 50 ? { tags: ["a"] } : { a: 1 })
  )

  it.effect("gives 99 users, and an UndecodableItem with its raw value in its place", () => {
    const { layer } = answering(() => ({ status: 200, data: hundred }))
    return Effect.gen(function*() {
      const { items } = yield* Users.list({ include: ["custom"] })
      const streamed = yield* Stream.runCollect(Users.stream({ include: ["custom"] }))
      for (const list of [items, streamed]) {
        assert.lengthOf(list.filter(UndecodableItem.isDecoded), 99)
        const odd = list[50]
        if (!UndecodableItem.isUndecodable(odd)) return assert.fail("it was read")
        assert.deepStrictEqual<unknown>(odd.raw, hundred[50])
        assert.match(odd.issue, /tags/)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect.each([null, 5, "x", [], {}, { id: "" }, { id: " ", ...version }, user("a", "text"), user("a", [1])])(
    "gives an UndecodableItem for %j among users, members and memberships",
    (odd) => {
      const { layer } = answering(({ pathname }) => ({
        status: 200,
        data: [
          odd,
          ...pathname.endsWith("/uuids") && pathname.includes("channels")
            ? [{ uuid: { id: "b" }, ...version }]
            : pathname.endsWith("/channels")
            ? [{ channel: { id: "b" }, ...version }]
            : [user("b")]
        ]
      }))
      return Effect.gen(function*() {
        const lists = [
          (yield* Users.list()).items,
          (yield* Members.list({ channel: "a" })).items,
          (yield* Memberships.set({ channels: ["b"] })).items
        ]
        for (const list of lists) assert.deepStrictEqual(list.map(UndecodableItem.isUndecodable), [true, false])
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("gives an UndecodableItem among message actions, and continues after the page", () => {
    const action = (number: number) => ({
      type: "t",
      value: "v",
      uuid: "u",
      messageTimetoken: timetoken(1),
      actionTimetoken: timetoken(number)
    })
    const { layer } = answering((_, number) => ({ status: 200, data: number === 1 ? [{ type: 5 }, action(9)] : [] }))
    return Effect.gen(function*() {
      const { items: actions, next } = yield* MessageActions.list({ channel: "a", limit: 2 })
      assert.deepStrictEqual(actions.map(UndecodableItem.isUndecodable), [true, false])
      assert.strictEqual(next as string | undefined, timetoken(9))
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives UndecodableItems among occupants, channels of the keyset and channels of a user", () => {
    const { layer } = answering(({ pathname }) =>
      pathname.includes("/uuid/")
        ? { status: 200, payload: { channels: ["a", 5, "b"] } }
        : {
          status: 200,
          payload: {
            channels: {
              a: { occupancy: 3, uuids: ["ada", null, { uuid: "bob", state: 5 }] },
              b: { occupancy: "many" }
            },
            total_channels: 2,
            total_occupancy: 4
          }
        }
    )
    return Effect.gen(function*() {
      const { channels, undecodable: unreadable } = yield* Presence.hereNow({ channels: ["a", "b"] })
      assert.deepStrictEqual([...channels.get("a")?.users.keys() ?? []], ["ada"])
      assert.lengthOf(channels.get("a")?.undecodable ?? [], 2)
      assert.deepStrictEqual([[...channels.keys()], [...unreadable?.keys() ?? []]], [["a"], ["b"]])
      const where = yield* Presence.whereNow()
      assert.deepStrictEqual(where.filter(UndecodableItem.isDecoded), ["a", "b"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives UndecodableItems among channels of a group, groups and presence states", () => {
    const { layer } = answering(({ pathname }) =>
      pathname.includes("/uuid/")
        ? { status: 200, payload: { channels: { a: { mood: "good" }, b: 5 } } }
        : { status: 200, payload: { channels: ["a", 5], groups: [null, "g"] } }
    )
    return Effect.gen(function*() {
      const channels = yield* ChannelGroups.listChannels({ group: "g" })
      const groups = yield* ChannelGroups.list
      const states = yield* Presence.getState({ channels: ["a", "b"] })
      assert.deepStrictEqual(channels.map(UndecodableItem.isUndecodable), [false, true])
      assert.deepStrictEqual(groups.map(UndecodableItem.isUndecodable), [true, false])
      assert.deepStrictEqual<unknown>(states.get("a"), { mood: "good" })
      assert.deepInclude(states.get("b"), { _tag: "UndecodableItem", raw: 5 })
      const mismatch = yield* Effect.flip(
        Presence.getState({ channels: ["a", "b"], schema: Schema.Struct({ mood: Schema.String }) })
      )
      assert.strictEqual(mismatch._tag, "StateMismatch")
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives one UndecodableItem for the users of a malformed channel", () => {
    const { layer } = answering(() => ({
      status: 200,
      payload: { channels: { a: { occupancy: "many" } }, total_channels: 1, total_occupancy: 1 }
    }))
    return Effect.gen(function*() {
      const users = yield* Stream.runCollect(Presence.stream({ channel: "a" }))
      assert.deepStrictEqual(users.map(UndecodableItem.isUndecodable), [true])
    }).pipe(Effect.provide(layer))
  })

  it.effect("makes update of a member fail with Malformed, not with ObjectNotFound", () => {
    const { layer } = answering(() => ({ status: 200, data: [{ uuid: { id: "bob" }, ...version, custom: [1] }] }))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Members.update({ channel: "a", userId: "bob" }, () => ({ status: "x" })))
      if (error._tag !== "PubNubError") return assert.fail(error._tag)
      assert.strictEqual(error.reason._tag, "Malformed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives all items of the answer, also when they are more than the limit", () => {
    const { layer } = answering(() => ({ status: 200, data: hundred }))
    return Effect.gen(function*() {
      assert.lengthOf((yield* Users.list({ limit: 5 })).items, 100)
    }).pipe(Effect.provide(layer))
  })
})

describe("a wrong cursor", () => {
  const full = Array.from({ length: 100 }, (_, index) => user(`u${index}`))
  const members = full.map((user) => ({ uuid: user, ...version }))
  const entries = Array.from({ length: 100 }, (_, index) => ({ message: index, timetoken: timetoken(index) }))
  const actions = entries.map(({ timetoken }) => ({
    type: "t",
    value: "v",
    uuid: "u",
    messageTimetoken: timetoken,
    actionTimetoken: timetoken
  }))
  const occupants = Array.from({ length: 1_000 }, (_, index) => `u${index}`)
  const same = ({ pathname }: URL): unknown =>
    pathname.startsWith("/v3/history")
      ? { channels: { a: entries } }
      : pathname.startsWith("/v1/message-actions")
      ? { status: 200, data: actions }
      : pathname.startsWith("/v2/presence")
      ? { status: 200, occupancy: 1_000_000, uuids: occupants }
      : { status: 200, data: pathname.includes("/channels/") ? members : full, next: "MQ" }
  const drain = <A, E, R>(stream: Stream.Stream<A, E, R>) => Stream.runDrain(stream)
  it.effect.each(
    [
      ["users", drain(Users.stream())],
      ["members", drain(Members.stream({ channel: "a" }))],
      ["the lookup of a member", Members.update({ channel: "a", userId: "'\"" }, () => ({ status: "x" }))],
      ["history", drain(History.stream({ channel: "a" }))],
      ["history, oldest first", drain(History.stream({ channel: "a", order: "oldestFirst" }))],
      ["message actions", drain(MessageActions.stream({ channel: "a" }))],
      ["occupants", drain(Presence.stream({ channel: "a" }))]
    ] as const
  )("that does not move fails %s with Malformed after two requests", ([, reading]) => {
    const { asked, layer } = answering(same)
    return Effect.gen(function*() {
      const error: { readonly _tag: string } = yield* Effect.flip<
        unknown,
        { readonly _tag: string },
        HttpClient.HttpClient | PubNubConfig.PubNubConfig
      >(reading)
      if (!(error instanceof PubNubError.PubNubError)) return assert.fail(error._tag)
      assert.strictEqual(error.reason._tag, "Malformed", error.message)
      assert.lengthOf(asked, 2)
    }).pipe(Effect.provide(layer))
  })

  it.effect("that comes again later fails the stream with Malformed", () => {
    const { asked, layer } = answering((_, number) => ({
      status: 200,
      data: full.map((one) => ({ ...one, id: `${one.id} ${number}` })),
      next: number % 2 === 0 ? "MQ" : "Mg"
    }))
    return Effect.gen(function*() {
      const { reason } = yield* Effect.flip(Stream.runDrain(Users.stream()))
      assert.strictEqual(reason._tag, "Malformed")
      assert.lengthOf(asked, 3)
    }).pipe(Effect.provide(layer))
  })

  it.effect("that is new for each page is followed at most 100 times a second", () => {
    const { asked, layer } = answering((_, number) => ({ status: 200, data: full, next: `M${number}` }))
    return Effect.gen(function*() {
      yield* Effect.forkChild(Stream.runDrain(Users.stream()))
      yield* VirtualTime.advance("1 millis")
      assert.lengthOf(asked, 100)
      yield* VirtualTime.advance("3 seconds")
      assert.lengthOf(asked, 400)
    }).pipe(Effect.provide(Layer.merge(layer, VirtualTime.layer)))
  })
})

describe("an answer about another object", () => {
  it.effect("is Malformed for get, and UpdateOutcomeUnknown for a conditional set", () => {
    const { layer } = answering(() => ({ status: 200, data: user("bob") }))
    return Effect.gen(function*() {
      const error = yield* Effect.flip(Users.get({ id: "ada" }))
      if (error._tag !== "PubNubError") return assert.fail(error._tag)
      assert.strictEqual(error.reason._tag, "Malformed")
      assert.include(error.message, "it is about \"bob\"")
      // With a condition, nobody knows whether it was written.
      const ifMatchesEtag = AppContext.Etag.make("e")
      const set = yield* Effect.flip(Users.set({ id: "ada", name: "Ada", ifMatchesEtag }))
      assert.strictEqual(set._tag, "UpdateOutcomeUnknown")
    }).pipe(Effect.provide(layer))
  })
})
