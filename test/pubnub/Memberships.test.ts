import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { AppContext, Channels, Members, Memberships, ObjectFilter, PubNubConfig, Subscribe } from "effect-herald/pubnub"
import { PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"
import { decoded } from "../kit/decoded.ts"

const config = (options: Partial<PubNubConfig.Options> = {}) =>
  PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host", ...options })

type UpdateError = Effect.Error<ReturnType<typeof Memberships.update>>

const answering = (...bodies: ReadonlyArray<object>) =>
  Layer.merge(Transport.layerScripted(bodies.map((body) => ({ body: JSON.stringify(body) }))), config())

const nothing = { status: 200, data: [] }

/** What was sent: method, path, the query without what every request has, and the body. */
const sent = Effect.map(
  Transport.Exchanges.use((exchanges) => exchanges.all),
  (exchanges) =>
    exchanges.map(({ body, method, url }) => {
      const { pathname, searchParams } = new URL(url)
      const query = Object.fromEntries([...searchParams].filter(([name]) => name !== "uuid" && name !== "pnsdk"))
      return { method, path: pathname, query, ...body === "" ? {} : { body: JSON.parse(body) as unknown } }
    })
)

const version = { updated: "2025-01-18T20:31:01.897188Z", eTag: "AZivm9nX0ojfKA" }

const cursor = (text: string) => AppContext.PageCursor.make(text)

describe("requests", () => {
  it.effect("ask for the configured user, and for no parts by default", () =>
    Effect.gen(function*() {
      yield* Memberships.list()
      yield* Memberships.list({ userId: "b/ö #1", include: [] })
      assert.deepStrictEqual(yield* sent, [
        { method: "GET", path: "/v2/objects/demo-sub/uuids/ada/channels", query: { limit: "100" } },
        { method: "GET", path: "/v2/objects/demo-sub/uuids/b%2F%C3%B6%20%231/channels", query: { limit: "100" } }
      ])
    }).pipe(Effect.provide(answering(nothing, nothing))))

  const options = {
    limit: 7,
    totalCount: true,
    include: ["custom", "status", "type", "channel", "channel.custom", "channel.status", "channel.type"],
    filter: "channel.name LIKE \"O*\"",
    sort: ["channel.id:desc", "updated", "channel.name:asc", "status", "type"]
  } as const
  const query = {
    limit: "7",
    count: "true",
    include: "custom,status,type,channel,channel.custom,channel.status,channel.type",
    filter: "channel.name LIKE \"O*\"",
    sort: "channel.id:desc,updated,channel.name:asc,status,type"
  }
  const path = "/v2/objects/demo-sub/uuids/ada/channels"

  it.effect("carry every option, also for the page that a change returns", () =>
    Effect.gen(function*() {
      const at = { ...options, userId: "bob", next: cursor("Mg") }
      const before = { ...options, userId: "bob", previous: cursor("MQ") }
      yield* Memberships.list(at)
      yield* Memberships.list({ previous: cursor("MQ"), filter: ObjectFilter.equals("channel.name", "O'Hara") })
      const { totalCount: _count, limit, ...selection } = options
      yield* Stream.runDrain(Memberships.stream({ ...selection, userId: "bob", pageSize: limit }))
      for (const page of [at, before]) {
        yield* Memberships.set({ ...page, channels: ["a"] })
        yield* Memberships.remove({ ...page, channels: ["a"] })
        yield* Memberships.manage({ ...page, set: ["a"], remove: ["b"] })
      }
      const bobs = "/v2/objects/demo-sub/uuids/bob/channels"
      const patches = [{ start: "Mg" }, { end: "MQ" }].flatMap((page) =>
        Array.from({ length: 3 }, () => ({ method: "PATCH", path: bobs, query: { ...query, ...page } }))
      )
      const { count: _asked, ...streamed } = query
      const requests = yield* sent
      assert.deepStrictEqual(requests.map(({ method, path, query }) => ({ method, path, query })), [
        { method: "GET", path: bobs, query: { ...query, start: "Mg" } },
        { method: "GET", path, query: { limit: "100", end: "MQ", filter: "channel.name == \"O'Hara\"" } },
        { method: "GET", path: bobs, query: streamed },
        ...patches
      ])
    }).pipe(Effect.provide(answering(...Array.from({ length: 9 }, () => nothing)))))

  it.effect("accept ids and objects, send null for None, and leave out absent fields", () =>
    Effect.gen(function*() {
      const custom = { level: 3, vip: true, note: null, late: 1.5 }
      yield* Memberships.set({
        channels: [
          "a",
          { channelId: "b", status: "active", type: Option.some("owner"), custom },
          { channelId: "c", status: Option.none(), type: undefined, custom: Option.none() },
          { channelId: "d", custom: {} }
        ]
      })
      yield* Memberships.remove({ channels: ["a", { channelId: "b" }] })
      yield* Memberships.manage({ set: [{ channelId: "a", type: "x" }], remove: ["b"] })
      yield* Memberships.manage({ set: [], remove: ["b"] })
      yield* Memberships.manage({ set: ["a"] })
      const bodies = (yield* sent).map((request) => request.body)
      const channel = (id: string) => ({ channel: { id } })
      assert.deepStrictEqual(bodies, [
        {
          set: [
            channel("a"),
            { ...channel("b"), status: "active", type: "owner", custom },
            { ...channel("c"), status: null, custom: null },
            { ...channel("d"), custom: {} }
          ]
        },
        { delete: [channel("a"), channel("b")] },
        { set: [{ ...channel("a"), type: "x" }], delete: [channel("b")] },
        { delete: [channel("b")] },
        { set: [channel("a")] }
      ])
    }).pipe(Effect.provide(answering(nothing, nothing, nothing, nothing, nothing))))

  it.effect("ask for the channel with its status or type, but not with its custom data alone", () =>
    Effect.gen(function*() {
      yield* Memberships.list({ include: ["channel.custom", "custom", "custom"] })
      yield* Memberships.list({ include: ["channel.status", "status"] })
      yield* Memberships.list({ include: ["channel.type", "channel"] })
      assert.deepStrictEqual((yield* sent).map(({ query }) => query["include"]), [
        "channel.custom,custom",
        "channel.status,status,channel",
        "channel.type,channel"
      ])
    }).pipe(Effect.provide(answering(nothing, nothing, nothing))))
})

describe("answers", () => {
  const recorded = {
    status: 200,
    data: [
      {
        channel: {
          id: "somechannel",
          name: "some name",
          description: null,
          type: "QAChannel",
          status: null,
          custom: { public: false },
          updated: "2025-01-16T21:59:44.289386Z",
          eTag: "70cf11776aa011efb14fbe8f77d7d040"
        },
        type: "1",
        status: null,
        custom: { isDefaultChannel: true },
        ...version
      },
      { channel: { id: "undescribed" }, type: null, status: null, custom: null, ...version }
    ],
    totalCount: 2,
    next: "Mg"
  }

  it.effect("give all parts, no channel without metadata, and no cursor after the last page", () =>
    Effect.gen(function*() {
      const page = yield* Memberships.list({
        include: ["custom", "status", "type", "channel.custom"],
        totalCount: true
      })
      const updated = DateTime.makeUnsafe(version.updated)
      assert.deepStrictEqual<unknown>(page, {
        totalCount: 2,
        items: [
          {
            channelId: "somechannel",
            channel: {
              id: "somechannel",
              name: "some name",
              type: "QAChannel",
              custom: { public: false },
              updated: DateTime.makeUnsafe("2025-01-16T21:59:44.289Z"),
              etag: "70cf11776aa011efb14fbe8f77d7d040"
            },
            type: "1",
            custom: { isDefaultChannel: true },
            updated,
            etag: version.eTag
          },
          {
            channelId: "undescribed",
            updated,
            etag: version.eTag
          }
        ]
      })
    }).pipe(Effect.provide(answering(recorded))))

  it.effect("give a channel without custom data, and a membership without parts", () =>
    Effect.gen(function*() {
      const [withChannel] = decoded((yield* Memberships.list({ include: ["channel.custom"] })).items)
      const channel = withChannel!.channel
      assert.deepStrictEqual<unknown>([channel?.name, channel?.custom], ["n", undefined])
      const { items, ...rest } = yield* Memberships.list()
      const [bare] = decoded(items)
      assert.strictEqual(bare?.channelId, "a")
      assert.doesNotHaveAnyKeys({ ...bare }, ["channel", "status", "custom"])
      assert.deepStrictEqual(rest, { previous: cursor("MTA") })
    }).pipe(Effect.provide(answering(
      {
        status: 200,
        data: [{
          channel: { id: "a", name: "n", description: null, custom: null, updated: version.updated, eTag: "e" },
          ...version
        }],
        next: "MQ"
      },
      { status: 200, data: [{ channel: { id: "a" }, ...version }], next: "MTU", prev: "MTA" }
    ))))

  it.effect.each(
    [
      ["a channel with half of its metadata", { channel: { id: "a", name: "n", eTag: "e" }, ...version }],
      ["no channel", { uuid: { id: "a" }, ...version }],
      ["no etag", { channel: { id: "a" }, updated: version.updated }],
      ["an invalid time", { channel: { id: "a" }, ...version, updated: "yesterday" }]
    ] as const
  )("give an UndecodableItem for %s, and the other memberships", ([, row]) =>
    Effect.gen(function*() {
      const { items: [odd, even] } = yield* Memberships.list()
      if (!UndecodableItem.isUndecodable(odd)) return assert.fail("it was read")
      assert.deepStrictEqual<unknown>(odd.raw, row)
      assert.deepInclude({ ...even }, { channelId: "b" } as object)
    }).pipe(Effect.provide(answering({ status: 200, data: [row, { channel: { id: "b" }, ...version }] }))))
})

describe("bad input is refused before a request is made", () => {
  const long = "x".repeat(51)
  it.effect.each(
    [
      ["a blank user", Memberships.list({ userId: " " }), ["userId"]],
      ["a user that is too long", Memberships.list({ userId: "ö".repeat(47) }), ["userId"]],
      ["the user ..", Memberships.set({ userId: "..", channels: ["a"] }), ["userId"]],
      ["a limit of 0", Memberships.list({ limit: 0 }), ["limit"]],
      ["a limit of 101", Memberships.set({ channels: ["a"], limit: 101 }), ["limit"]],
      ["both directions", Memberships.list({ next: cursor("a"), previous: cursor("b") }), ["previous"]],
      ["a blank filter", Memberships.remove({ channels: ["a"], filter: " " }), ["filter"]],
      ["a filter with both quotes", Memberships.list({ filter: ObjectFilter.equals("status", "'\"") }), ["filter"]],
      ["an unknown part", Memberships.list({ include: ["user" as never] }), ["include"]],
      ["an unknown key", Memberships.list({ sort: ["name" as never] }), ["sort"]],
      ["no channels to set", Memberships.set({ channels: [] }), ["channels"]],
      ["no channels to remove", Memberships.remove({ channels: [] }), ["channels"]],
      ["no channels to manage", Memberships.manage({}), ["set"]],
      ["two empty lists", Memberships.manage({ set: [], remove: [] }), ["set"]],
      ["the same channel twice", Memberships.set({ channels: ["a", { channelId: "a", status: "x" }] }), ["channels"]],
      ["the same channel twice to remove", Memberships.remove({ channels: ["a", "b", "a"] }), ["channels"]],
      ["a channel both set and removed", Memberships.manage({ set: ["a", "b"], remove: ["c", "b"] }), ["remove"]],
      ["a channel set twice", Memberships.manage({ set: ["a", "a"], remove: ["c"] }), ["set"]],
      ["blank channels", Memberships.manage({ set: ["a", ""], remove: [" "] }), ["set[1]", "remove[0]"]],
      ["half a surrogate pair", Memberships.set({ channels: ["a", "\ud800"] }), ["channels[1]"]],
      [
        "long texts",
        Memberships.set({ channels: ["a", { channelId: "b", status: long, type: long }] }),
        ["channels[1].status", "channels[1].type"]
      ],
      [
        "lists in custom data",
        Memberships.manage({ set: [{ channelId: "b", custom: { a: [1] } as never }] }),
        ["set[0].custom"]
      ],
      ["an update of a blank channel", Memberships.update({ channel: "" }, () => ({})), ["channel"]],
      ["an update of a blank user", Memberships.update({ userId: "", channel: "a" }, () => ({})), ["userId"]]
    ] as const
  )("%s", ([, call, locations]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip<unknown, UpdateError, Transport.Exchanges>(
        call as Effect.Effect<unknown, UpdateError, never>
      )
      if (error._tag !== "PubNubError" || error.reason._tag !== "BadRequest") return assert.fail(error._tag)
      assert.isUndefined(error.reason.status)
      assert.deepStrictEqual<unknown>(error.reason.details.map((detail) => detail.location), locations)
      assert.deepStrictEqual(yield* sent, [])
    }).pipe(Effect.provide(answering())))

  it.effect("a missing key", () =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip(Memberships.list())
      assert.deepInclude({ ...reason }, { _tag: "InvalidKey", key: "subscribe" } as object)
    }).pipe(Effect.provide(Layer.merge(Transport.layerScripted([]), config({ subscribeKey: "" })))))
})

describe("failures", () => {
  const refusal = (status: number, message: string) => ({
    status,
    body: JSON.stringify({ status, error: { message, source: "objects" } })
  })
  it.effect.each(
    [
      [refusal(403, "Supplied authorization key does not have the permissions required."), "AccessDenied"],
      [refusal(403, "Objects is not enabled for this subscribe key."), "FeatureDisabled"],
      [refusal(400, "Request payload contained invalid input."), "BadRequest"],
      [refusal(413, "Request payload too large."), "BadRequest"],
      [refusal(429, "Too many"), "RateLimited"],
      [refusal(500, "no"), "ServerFailure"],
      [{ body: "<html>" }, "Malformed"],
      [{ failure: "ECONNREFUSED" }, "Transport"]
    ] as const
  )("the answer %j is %s", ([answer, tag]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Memberships.set({ channels: ["room"] }))
      assert.strictEqual(error.reason._tag, tag)
      assert.strictEqual(error.operation, "Memberships.set")
      assert.deepStrictEqual(error.request, {
        method: "PATCH",
        path: "/v2/objects/{subscribeKey}/uuids/ada/channels"
      })
    }).pipe(Effect.provide(Layer.merge(Transport.layerScripted([answer]), config()))))

  it.effect("a missing add-on is FeatureDisabled, and a missing permission is AccessDenied", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.deny({ channels: ["ada"] })
      assert.strictEqual((yield* Effect.flip(Memberships.list())).reason._tag, "AccessDenied")
      yield* emulator.setAddOns({ appContext: false })
      const { reason } = yield* Effect.flip(Memberships.set({ userId: "bob", channels: ["a"] }))
      assert.deepInclude({ ...reason }, { _tag: "FeatureDisabled", addOn: "AppContext" } as object)
    }).pipe(Effect.provide(emulated())))
})

describe("memberships", () => {
  it.effect("of a list can be written again as they are", () =>
    Effect.gen(function*() {
      const channels = [{ channelId: "lobby", status: "s", custom: { x: 1 } }, { channelId: "room" }]
      const include = ["custom", "status", "type", "channel"] as const
      const { items } = yield* Memberships.set({ channels, include })
      const copied = yield* Memberships.set({ userId: "bob", channels: decoded(items), include })
      const own = decoded(copied.items).map(({ etag: _e, updated: _u, ...membership }) => membership)
      assert.deepStrictEqual<unknown>(own, channels)
    }).pipe(Effect.provide(emulated())))

  it.effect("are the same for the user and for the channel", () =>
    Effect.gen(function*() {
      yield* Channels.set({ id: "room #1", name: "Room", custom: { floor: 2 } })
      const include = ["custom", "status", "type", "channel.custom"] as const
      const set = yield* Memberships.set({
        channels: ["lobby", { channelId: "room #1", status: "active", type: "owner", custom: { since: 2026 } }],
        include,
        totalCount: true
      })
      assert.deepStrictEqual(decoded(set.items).map(({ channelId }) => channelId), ["lobby", "room #1"])
      assert.strictEqual(set.totalCount, 2)
      const [lobby, room] = decoded(set.items)
      assert.isUndefined(lobby?.channel)
      assert.deepStrictEqual(
        [room?.channel?.name, room?.channel?.custom],
        ["Room", { floor: 2 }]
      )
      const { items } = yield* Members.list({ channel: "room #1", include: ["custom", "status", "type"] })
      const [member] = decoded(items)
      const { channel: _channel, channelId: _channelId, ...ours } = { ...room! }
      const { userId, ...theirs } = { ...member! }
      assert.strictEqual(userId, "ada")
      assert.deepStrictEqual<unknown>({ ...theirs, user: undefined }, { ...ours, user: undefined })

      yield* Members.manage({ channel: "lobby", set: [{ userId: "ada", status: "away" }, "bob"] })
      const back = yield* Memberships.list({ include: ["status"], filter: ObjectFilter.equals("channel.id", "lobby") })
      assert.deepStrictEqual(decoded(back.items).map(({ status }) => status), ["away"])
      const left = yield* Members.remove({ channel: "room #1", users: ["ada", "never there"] })
      assert.deepStrictEqual(left.items, [])
      assert.deepStrictEqual(decoded((yield* Memberships.list()).items).map(({ channelId }) => channelId), ["lobby"])
    }).pipe(Effect.provide(emulated())))

  it.effect("keep absent fields, clear None, and replace custom data as a whole", () =>
    Effect.gen(function*() {
      const include = ["custom", "status", "type"] as const
      const now = Effect.map(Memberships.list({ include }), ({ items }) => decoded(items)[0]!)
      yield* Memberships.set({ channels: [{ channelId: "a", status: "s", type: "t", custom: { x: 1, y: 2 } }] })
      yield* Memberships.set({ channels: ["a"] })
      assert.deepStrictEqual((yield* now).custom, { x: 1, y: 2 })
      yield* Memberships.set({ channels: [{ channelId: "a", status: Option.none(), custom: { x: 3 } }] })
      const { custom, status, type } = yield* now
      assert.deepStrictEqual<unknown>([status, type, custom], [undefined, "t", { x: 3 }])
    }).pipe(Effect.provide(emulated())))

  const many = (count: number) => Array.from({ length: count }, (_, index) => `room-${String(index).padStart(3, "0")}`)

  it.effect("are read in pages forwards and backwards, until the last one", () =>
    Effect.gen(function*() {
      const first = yield* Memberships.set({ channels: many(15), limit: 10, totalCount: true })
      assert.strictEqual(first.totalCount, 15)
      assert.deepStrictEqual(decoded(first.items).map(({ channelId }) => channelId), many(10))
      assert.isUndefined(first.previous)
      const second = yield* Memberships.list({ limit: 10, next: first.next })
      assert.deepStrictEqual(decoded(second.items).map(({ channelId }) => channelId), many(15).slice(10))
      assert.isUndefined(second.next)
      const again = yield* Memberships.list({ limit: 10, previous: second.previous })
      assert.deepStrictEqual(again.items, first.items)
      const sorted = yield* Memberships.list({ limit: 1, sort: ["channel.id:desc"] })
      assert.deepStrictEqual(decoded(sorted.items).map(({ channelId }) => channelId), ["room-014"])
    }).pipe(Effect.provide(emulated())))

  it.effect("are streamed page by page, only as far as the reader pulls", () =>
    Effect.gen(function*() {
      const asked = Effect.map(requestsTo("/v2/objects"), (requests) =>
        requests.filter(({ method }) => method === "GET").map((request) => queryOf(request).get("start")))
      yield* Memberships.set({ channels: many(40) })
      assert.deepStrictEqual(yield* asked, [])
      const ten = yield* Memberships.stream({ pageSize: 20, include: ["status"] }).pipe(
        Stream.take(10),
        Stream.runCollect
      )
      assert.lengthOf(ten, 10)
      assert.deepStrictEqual(yield* asked, [null])
      const all = yield* Stream.runCollect(Memberships.stream({ userId: "ada", pageSize: 20 }))
      assert.deepStrictEqual(
        decoded(all).map(({ channelId }) =>
          channelId
        ),
        many(40)
      )
      // The last page is full, so that only an empty one tells.
      assert.lengthOf(yield* asked, 4)
      const filtered = yield* Stream.runCollect(
        Memberships.stream({ filter: ObjectFilter.like("channel.id", "*-01*") })
      )
      assert.lengthOf(filtered, 10)
    }).pipe(Effect.provide(emulated())))
})

describe("update", () => {
  const joined = (fields: AppContext.Fields = {}) => Memberships.set({ channels: [{ channelId: "a", ...fields }, "b"] })

  it.effect("writes the fields that the function gives, and keeps the others", () =>
    Effect.gen(function*() {
      yield* joined({ status: "s", type: "t", custom: { x: 1, y: 2 } })
      const replaced = yield* Memberships.update({ channel: "a" }, ({ custom, status }) => {
        assert.deepStrictEqual<unknown>([status, custom], ["s", { x: 1, y: 2 }])
        return { custom: { z: 3 }, type: Option.none() }
      })
      const { custom, status, type } = replaced
      assert.deepStrictEqual<unknown>([status, type, custom], ["s", undefined, { z: 3 }])
      const merged = yield* Memberships.update({ channel: "a", custom: "merge" }, () => ({ custom: { y: 4 } }))
      assert.deepStrictEqual(merged.custom, { z: 3, y: 4 })
      const cleared = yield* Memberships.update({ channel: "a", custom: "merge" }, () => ({ custom: Option.none() }))
      assert.isUndefined(cleared.custom)
      const filters = (yield* requestsTo("/v2/objects")).slice(1).map((request) => queryOf(request).get("filter"))
      assert.deepStrictEqual([...new Set(filters)], ["channel.id == 'a'"])
      assert.lengthOf(filters, 6)
    }).pipe(Effect.provide(emulated())))

  it.effect("sends the fields to keep, and leaves out those that were never set", () =>
    Effect.gen(function*() {
      yield* Memberships.update({ channel: "a" }, () => ({ status: "new" }))
      const [, write] = yield* sent
      assert.deepStrictEqual(write, {
        method: "PATCH",
        path: "/v2/objects/demo-sub/uuids/ada/channels",
        query: { limit: "100", include: "custom,status,type", filter: "channel.id == 'a'" },
        body: { set: [{ channel: { id: "a" }, status: "new", custom: { x: 1 } }] }
      })
    }).pipe(Effect.provide(answering(
      { status: 200, data: [{ channel: { id: "a" }, status: "old", type: null, custom: { x: 1 }, ...version }] },
      { status: 200, data: [{ channel: { id: "a" }, status: "new", type: null, custom: { x: 1 }, ...version }] }
    ))))

  it.effect("writes nothing when the function gives nothing", () =>
    Effect.gen(function*() {
      yield* joined()
      const { channelId } = yield* Memberships.update({ channel: "a" }, () => ({ status: undefined }))
      assert.strictEqual(channelId, "a")
      assert.deepStrictEqual((yield* requestsTo("/v2/objects")).map(({ method }) => method), ["PATCH", "GET"])
    }).pipe(Effect.provide(emulated())))

  it.effect("fails with ObjectNotFound when there is no membership, and creates none", () =>
    Effect.gen(function*() {
      yield* joined()
      const error = yield* Effect.flip(Memberships.update({ channel: "A" }, () => ({ status: "x" })))
      if (error._tag !== "ObjectNotFound") return assert.fail(error._tag)
      assert.deepInclude({ ...error }, { operation: "Memberships.update", kind: "membership", id: "A" } as object)
      assert.lengthOf((yield* Memberships.list()).items, 2)
    }).pipe(Effect.provide(emulated())))

  it.effect("searches all pages when no filter can hold the id", () =>
    Effect.gen(function*() {
      const odd = `z'"`
      yield* Memberships.set({ channels: [...Array.from({ length: 100 }, (_, index) => `c${index}`), odd] })
      const after = yield* Memberships.update({ channel: odd }, () => ({ status: "found" }))
      assert.deepStrictEqual<unknown>([after.channelId, after.status], [odd, "found"])
    }).pipe(Effect.provide(emulated())))

  it.effect("runs one after the other in one process, from Memberships and Members alike", () =>
    Effect.gen(function*() {
      const joining = yield* Effect.forkChild(joined({ custom: { count: 0 } }))
      yield* VirtualTime.advance("1 second")
      yield* Fiber.join(joining)
      const counted = ({ custom }: Memberships.Membership<"custom">) => ({
        custom: { count: Number(custom?.["count"]) + 1 }
      })
      const updates = Array.from({ length: 20 }, (_, index) =>
        Effect.delay(
          index % 2 === 0
            ? Effect.asVoid(Memberships.update({ channel: "a" }, counted))
            : Effect.asVoid(
              Members.update({ channel: "a", userId: "ada" }, ({ userId: _, ...member }) =>
                counted({ ...member, channelId: "a" }))
            ),
          index * 7
        ))
      const all = yield* Effect.forkChild(Effect.all(updates, { concurrency: "unbounded" }))
      yield* VirtualTime.advance("10 seconds")
      yield* Fiber.join(all)
      const stored = yield* PubNubEmulator.PubNubEmulator.use((emulator) => emulator.memberships)
      assert.deepStrictEqual(stored.map(({ custom }) => custom), [{ count: 20 }, undefined])
    }).pipe(Effect.provide(emulated({ emulator: { latency: Effect.succeed("10 millis") } }))))

  it.effect("waits only for updates of the same membership, until they end or are interrupted", () =>
    Effect.gen(function*() {
      const stuck = yield* Effect.forkChild(Memberships.update({ channel: "a" }, () => ({ status: "x" })))
      yield* Effect.yieldNow
      const waiting = yield* Effect.forkChild(Memberships.update({ channel: "a" }, () => ({ status: "y" })))
      yield* Effect.yieldNow
      const other = yield* Memberships.update({ channel: "b" }, () => ({}))
      assert.strictEqual(other.channelId, "b")
      assert.lengthOf(yield* sent, 2)
      yield* Fiber.interrupt(stuck)
      const { channelId } = yield* Fiber.join(waiting)
      assert.strictEqual(channelId, "a")
    }).pipe(
      Effect.provide(Layer.merge(
        Transport.layerScripted([
          { never: true },
          ...["b", "a", "a"].map((id) => ({
            body: JSON.stringify({ status: 200, data: [{ channel: { id }, status: "y", ...version }] })
          }))
        ]),
        config()
      ))
    ))

  describe("a write whose answer was lost", () => {
    const row = (status: string, eTag: string) =>
      JSON.stringify({ status: 200, data: [{ channel: { id: "a" }, status, updated: version.updated, eTag }] })
    const update = Effect.exit(Memberships.update({ channel: "a" }, () => ({ status: "new" })))
    const lost = { failure: "ECONNRESET" }
    const outcome = (...answers: ReadonlyArray<Transport.Answer>) =>
      Effect.gen(function*() {
        const exit = yield* update
        return { exit, requests: yield* sent }
      }).pipe(Effect.provide(Layer.merge(Transport.layerScripted(answers), config())))

    it.effect("succeeds when the membership has what it wrote", () =>
      Effect.gen(function*() {
        const { exit, requests } = yield* outcome({ body: row("old", "1") }, lost, { body: row("new", "2") })
        assert.strictEqual(exit._tag, "Success")
        assert.deepStrictEqual(requests.map(({ method }) => method), ["GET", "PATCH", "GET"])
      }))

    const failure = (...answers: ReadonlyArray<Transport.Answer>) =>
      Effect.flatMap(outcome(...answers), ({ exit }) => Effect.flip(exit))

    it.effect("fails with the error of the request when nothing was written", () =>
      Effect.gen(function*() {
        const error = yield* failure({ body: row("old", "1") }, lost, { body: row("old", "1") })
        assert.strictEqual(error._tag, "PubNubError")
      }))

    it.effect("fails with UpdateOutcomeUnknown when the membership is different, gone or unreadable", () =>
      Effect.gen(function*() {
        const before = { body: row("old", "1") }
        for (
          const after of [{ body: row("other", "3") }, { body: JSON.stringify(nothing) }, { failure: "ECONNREFUSED" }]
        ) {
          const error = yield* failure(before, lost, after)
          if (error._tag !== "UpdateOutcomeUnknown") return assert.fail(error._tag)
          assert.deepInclude({ ...error }, { kind: "membership", id: "a", operation: "Memberships.update" } as object)
          assert.strictEqual(error.reason._tag, "Transport")
        }
      }))

    it.effect("is not checked when the connection was refused", () =>
      Effect.gen(function*() {
        const { requests } = yield* outcome({ body: row("old", "1") }, { failure: "ECONNREFUSED" })
        assert.lengthOf(requests, 2)
      }))
  })
})

describe("typed custom data", () => {
  const Seat = Schema.Struct({ since: Schema.DateTimeUtc, row: Schema.optionalKey(Schema.Int) })
  const Seats = Memberships.withCustom(Seat)
  const since = DateTime.makeUnsafe("2026-01-02T03:04:05Z")

  it.effect("is encoded, decoded and merged", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const { items } = yield* Seats.set({
        channels: [{ channelId: "a", custom: { since, row: 3 } }],
        include: ["custom"]
      })
      assert.deepStrictEqual(decoded(items).map(({ custom }) => custom), [{ since, row: 3 }])
      yield* emulator.setMembership({
        userId: "ada",
        channel: "a",
        custom: { since: "2026-01-02T03:04:05.000Z", row: 3, other: "kept" }
      })
      const after = yield* Seats.update({ channel: "a", custom: "merge" }, ({ custom }) => ({
        custom: { since: DateTime.add(custom?.since ?? since, { days: 1 }) }
      }))
      assert.strictEqual(after.custom?.row, 3)
      const [stored] = yield* emulator.memberships
      assert.deepStrictEqual(stored?.custom, { since: "2026-01-03T03:04:05.000Z", row: 3, other: "kept" })
    }).pipe(Effect.provide(emulated())))

  it.effect("is an UndecodableItem in a stream when it does not match", () =>
    Effect.gen(function*() {
      yield* Memberships.set({ channels: [{ channelId: "a", custom: { since: 5 } }] })
      const [odd] = yield* Stream.runCollect(Seats.stream({ include: ["custom"] }))
      if (!UndecodableItem.isUndecodable(odd)) return assert.fail("it was read")
      assert.deepInclude({ ...Object(odd.raw) }, { custom: { since: 5 } })
      assert.lengthOf((yield* Seats.list()).items, 1, "what was not asked for is not decoded")
    }).pipe(Effect.provide(emulated())))

  it.effect("is refused with its place when it cannot be encoded", () =>
    Effect.gen(function*() {
      const Odd = Memberships.withCustom(Schema.Struct({ level: Schema.Int, tags: Schema.Array(Schema.String) }))
      const error = yield* Effect.flip(
        Odd.set({ channels: ["x", { channelId: "a", custom: { level: 1, tags: ["list"] } }] })
      )
      if (error._tag !== "PubNubError" || error.reason._tag !== "BadRequest") return assert.fail(error._tag)
      assert.deepStrictEqual(error.reason.details.map(({ location }) => location), ["channels[1].custom"])
    }).pipe(Effect.provide(answering())))

  it.effect("is decoded in events", () =>
    Effect.gen(function*() {
      const events = yield* Effect.forkChild(
        Subscribe.memberships({ channels: ["a"] }).pipe(
          Stream.mapEffect((event) => Effect.result(Seats.event(event))),
          Stream.take(5),
          Stream.runCollect
        )
      )
      yield* VirtualTime.advance("1 second")
      yield* Seats.set({ channels: [{ channelId: "a", custom: { since } }] })
      yield* Seats.set({ channels: [{ channelId: "a", status: "x" }] })
      yield* Seats.set({ channels: [{ channelId: "a", custom: Option.none() }] })
      yield* Memberships.set({ channels: [{ channelId: "a", custom: { since: 1 } }] })
      yield* Memberships.remove({ channels: ["a"] })
      yield* VirtualTime.advance("1 second")
      const [set, status, cleared, wrong, removed] = yield* Fiber.join(events)
      const changes = [set, status, cleared].map((event) =>
        event?._tag === "Success" && event.success._tag === "MembershipSet" ? event.success.change : event
      )
      assert.deepStrictEqual<unknown>(changes, [
        { custom: Option.some({ since }) },
        { status: Option.some("x") },
        { custom: Option.none() }
      ])
      assert.deepInclude<object>(removed?._tag === "Success" ? removed.success : {}, { _tag: "MembershipRemoved" })
      if (wrong?._tag !== "Failure") return assert.fail("it matched")
      assert.deepInclude({ ...wrong.failure }, {
        operation: "Memberships.event",
        kind: "membership",
        id: "a",
        custom: { since: 1 }
      } as object)
    }).pipe(Effect.provide(emulated())))
})
