import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { AppContext, Members, Memberships, ObjectFilter, PubNubConfig, Subscribe, Users } from "effect-herald/pubnub"
import { PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"
import { decoded } from "../kit/decoded.ts"

const channel = "room #1"
const path = "/v2/objects/demo-sub/channels/room%20%231/uuids"

type UpdateError = Effect.Error<ReturnType<typeof Members.update>>

const answering = (...bodies: ReadonlyArray<object>) =>
  Layer.merge(
    Transport.layerScripted(bodies.map((body) => ({ body: JSON.stringify(body) }))),
    PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host" })
  )

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

describe("requests", () => {
  const options = {
    channel,
    limit: 3,
    totalCount: true,
    include: ["custom", "status", "type", "user", "user.custom", "user.status", "user.type"],
    filter: ObjectFilter.and(ObjectFilter.equals("user.name", "Ann"), ObjectFilter.equals("status", "active")),
    sort: ["user.id:desc", "updated", "user.name:asc", "user.updated", "user.status", "user.type", "status", "type"]
  } as const
  const query = {
    limit: "3",
    count: "true",
    include: "custom,status,type,uuid,uuid.custom,uuid.status,uuid.type",
    filter: "uuid.name == 'Ann' && status == 'active'",
    sort: "uuid.id:desc,updated,uuid.name:asc,uuid.updated,uuid.status,uuid.type,status,type"
  }

  it.effect("use the service's name for users in paths, queries and bodies", () =>
    Effect.gen(function*() {
      yield* Members.list({ channel })
      yield* Members.list({ ...options, next: AppContext.PageCursor.make("Mg") })
      yield* Members.list({ channel, filter: "uuid.name LIKE 'K*'", include: ["user.custom"], sort: ["user.name"] })
      yield* Members.list({ channel, include: ["user.type"] })
      yield* Members.set({
        ...options,
        users: ["bob", { userId: "eve", status: "s", type: Option.none(), custom: { r: 1 } }]
      })
      yield* Members.remove({ ...options, users: ["bob", { userId: "eve" }] })
      yield* Members.manage({ ...options, set: [{ userId: "bob", custom: Option.none() }], remove: ["eve"] })
      const { totalCount: _count, limit, ...selection } = options
      yield* Stream.runDrain(Members.stream({ ...selection, pageSize: limit }))
      const pages = [{ next: AppContext.PageCursor.make("Mg") }, { previous: AppContext.PageCursor.make("MQ") }]
      for (const page of pages) {
        yield* Members.list({ channel, ...page })
        yield* Members.set({ channel, users: ["bob"], ...page })
        yield* Members.remove({ channel, users: ["bob"], ...page })
        yield* Members.manage({ channel, set: ["bob"], ...page })
      }
      const { count: _asked, ...streamed } = query
      const uuid = (id: string) => ({ uuid: { id } })
      assert.deepStrictEqual<unknown>(yield* sent, [
        { method: "GET", path, query: { limit: "100" } },
        { method: "GET", path, query: { ...query, start: "Mg" } },
        {
          method: "GET",
          path,
          query: { limit: "100", filter: "uuid.name LIKE 'K*'", include: "uuid.custom", sort: "uuid.name" }
        },
        { method: "GET", path, query: { limit: "100", include: "uuid.type,uuid" } },
        {
          method: "PATCH",
          path,
          query,
          body: { set: [uuid("bob"), { ...uuid("eve"), status: "s", type: null, custom: { r: 1 } }] }
        },
        { method: "PATCH", path, query, body: { delete: [uuid("bob"), uuid("eve")] } },
        { method: "PATCH", path, query, body: { set: [{ ...uuid("bob"), custom: null }], delete: [uuid("eve")] } },
        { method: "GET", path, query: streamed },
        ...[{ start: "Mg" }, { end: "MQ" }].flatMap((page) => {
          const query = { limit: "100", ...page }
          return [
            { method: "GET", path, query },
            { method: "PATCH", path, query, body: { set: [uuid("bob")] } },
            { method: "PATCH", path, query, body: { delete: [uuid("bob")] } },
            { method: "PATCH", path, query, body: { set: [uuid("bob")] } }
          ]
        })
      ])
    }).pipe(Effect.provide(answering(...Array.from({ length: 16 }, () => nothing)))))
})

describe("answers", () => {
  // As recorded.
  const version = { updated: "2024-03-07T08:49:03.56587Z", eTag: "AaDS+bDXjNqKUA" }
  const recorded = {
    status: 200,
    data: [
      {
        uuid: {
          id: "someuuid_with_custom",
          name: "some name with custom",
          externalId: null,
          profileUrl: null,
          email: null,
          custom: { key3: "val1" },
          updated: "2024-03-07T08:47:38.835107Z",
          eTag: "0f3067e0988bc7ded57f36d075b98eaf"
        },
        custom: { key5: "val1", key6: 6 },
        ...version
      },
      { uuid: { id: "test-fix-118-0" }, custom: null, ...version }
    ],
    next: "Mg"
  }

  it.effect("give members with and without metadata, and no cursor after the last page", () =>
    Effect.gen(function*() {
      const { items, ...rest } = yield* Members.list({ channel, include: ["custom", "user.custom"] })
      const [known, unknown] = decoded(items)
      assert.deepStrictEqual(rest, {})
      const user = known!.user
      assert.strictEqual(known!.userId as string, "someuuid_with_custom")
      assert.deepStrictEqual<unknown>(known!.custom, { key5: "val1", key6: 6 })
      assert.deepStrictEqual<unknown>({ ...user }, {
        id: "someuuid_with_custom",
        name: "some name with custom",
        custom: { key3: "val1" },
        updated: DateTime.makeUnsafe("2024-03-07T08:47:38.835Z"),
        etag: "0f3067e0988bc7ded57f36d075b98eaf"
      })
      assert.deepStrictEqual<unknown>({ ...unknown }, {
        userId: "test-fix-118-0",
        updated: DateTime.makeUnsafe("2024-03-07T08:49:03.565Z"),
        etag: version.eTag
      })
    }).pipe(Effect.provide(answering(recorded))))

  it.effect("give an UndecodableItem for a user with half of its metadata", () =>
    Effect.gen(function*() {
      const { items } = yield* Members.list({ channel })
      assert.deepStrictEqual(items.map(UndecodableItem.isUndecodable), [true])
    }).pipe(Effect.provide(answering({ status: 200, data: [{ uuid: { id: "a", eTag: "e" }, ...version }] }))))
})

describe("bad input is refused before a request is made", () => {
  it.effect.each(
    [
      ["no channel", Members.list({ channel: "" }), ["channel"]],
      ["a channel that is too long", Members.list({ channel: "x".repeat(93) }), ["channel"]],
      ["a part of memberships", Members.list({ channel, include: ["channel" as never] }), ["include"]],
      ["a key of memberships", Members.list({ channel, sort: ["channel.id" as never] }), ["sort"]],
      ["no users to set", Members.set({ channel, users: [] }), ["users"]],
      ["no users to remove", Members.remove({ channel, users: [] }), ["users"]],
      ["no users to manage", Members.manage({ channel, remove: [] }), ["set"]],
      ["the same user twice", Members.set({ channel, users: ["a", "b", { userId: "a" }] }), ["users"]],
      ["a user both set and removed", Members.manage({ channel, set: ["a"], remove: ["a"] }), ["remove"]],
      ["a blank user", Members.remove({ channel, users: ["a", "\t"] }), ["users[1]"]],
      ["a long status", Members.set({ channel, users: [{ userId: "a", status: "x".repeat(51) }] }), [
        "users[0].status"
      ]],
      ["an update of a blank user", Members.update({ channel, userId: "" }, () => ({})), ["userId"]]
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
})

describe("members", () => {
  it.effect("are set, listed and removed, sorted and filtered by their users", () =>
    Effect.gen(function*() {
      yield* Users.set({ id: "ada", name: "Ada", status: "online" })
      yield* Users.set({ id: "bob", name: "Bob" })
      const names = (page: AppContext.Page<Members.Member<"user"> | UndecodableItem.UndecodableItem>) =>
        decoded(page.items).map(({ user, userId }) => user?.name ?? userId)
      const set = yield* Members.set({
        channel,
        users: ["ada", "bob", "x"],
        include: ["user"],
        sort: ["user.name:desc"],
        totalCount: true
      })
      assert.strictEqual(set.totalCount, 3)
      assert.sameMembers(names(set), ["x", "Bob", "Ada"])
      const found = yield* Members.list({
        channel,
        include: ["user.status"],
        filter: ObjectFilter.like("user.name", "A*")
      })
      assert.deepStrictEqual(decoded(found.items).map(({ user }) => user?.status), [
        "online"
      ])
      const left = yield* Members.manage({ channel, set: ["y"], remove: ["ada", "x"], include: ["user"] })
      assert.deepStrictEqual(names(left), ["Bob", "y"])
      assert.deepStrictEqual((yield* Memberships.list({ userId: "ada" })).items, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("of a list can be written again as they are", () =>
    Effect.gen(function*() {
      const users = [{ userId: "ada", status: "s", type: "t", custom: { x: 1 } }, { userId: "bob" }]
      const include = ["custom", "status", "type", "user"] as const
      const { items } = yield* Members.set({ channel, users, include })
      const copied = yield* Members.set({ channel: "copy", users: decoded(items), include })
      const own = (page: typeof copied) => decoded(page.items).map(({ etag: _e, updated: _u, ...member }) => member)
      assert.deepStrictEqual<unknown>(own(copied), users)
      const { items: left } = yield* Members.remove({ channel, users: decoded(items) })
      assert.deepStrictEqual(left, [])
    }).pipe(Effect.provide(emulated())))

  it.effect("are streamed with one request for take(10)", () =>
    Effect.gen(function*() {
      const users = Array.from({ length: 30 }, (_, index) => `user-${index + 10}`)
      yield* Members.set({ channel, users, limit: 1 })
      const before = (yield* requestsTo("/v2/objects")).length
      const ten = yield* Members.stream({ channel, pageSize: 15 }).pipe(Stream.take(10), Stream.runCollect)
      assert.deepStrictEqual<unknown>(decoded(ten).map(({ userId }) => userId), users.slice(0, 10))
      assert.lengthOf(yield* requestsTo("/v2/objects"), before + 1)
      const all = yield* Stream.runCollect(Members.stream({ channel, pageSize: 20 }))
      assert.deepStrictEqual<unknown>(decoded(all).map(({ userId }) => userId), users)
      assert.lengthOf(yield* requestsTo("/v2/objects"), before + 3)
    }).pipe(Effect.provide(emulated())))

  it.effect("are streamed once each while others join", () =>
    Effect.gen(function*() {
      const users = Array.from({ length: 30 }, (_, index) => `user-${index + 10}`)
      yield* Members.set({ channel, users, limit: 1 })
      const emulator = yield* PubNubEmulator.PubNubEmulator
      let joined = 0
      const seen = yield* Members.stream({ channel, pageSize: 10 }).pipe(
        Stream.filter(UndecodableItem.isDecoded),
        Stream.mapEffect(({ userId }) =>
          Effect.as(
            joined < 15 ? emulator.setMembership({ userId: `!${joined++ + 10}`, channel }) : Effect.void,
            userId as string
          )
        ),
        Stream.runCollect
      )
      assert.strictEqual(joined, 15)
      assert.deepStrictEqual(seen, users)
    }).pipe(Effect.provide(emulated())))

  it.effect("are updated one at a time; a user that is no member is ObjectNotFound", () =>
    Effect.gen(function*() {
      yield* Members.set({ channel, users: ["ada", { userId: "o'hara", status: "s", custom: { x: 1 } }] })
      const { custom, status, userId } = yield* Members.update(
        { channel, userId: "o'hara", custom: "merge" },
        ({ custom }) => ({ custom: { y: Number(custom?.["x"]) + 1 } })
      )
      assert.deepStrictEqual<unknown>([userId, status, custom], [
        "o'hara",
        "s",
        { x: 1, y: 2 }
      ])
      const last = (yield* requestsTo("/v2/objects")).at(-1)
      assert.strictEqual(queryOf(last!).get("filter"), "uuid.id == \"o'hara\"")
      const missing = yield* Effect.flip(Members.update({ channel, userId: "eve" }, () => ({ status: "x" })))
      if (missing._tag !== "ObjectNotFound") return assert.fail(missing._tag)
      assert.deepInclude({ ...missing }, { operation: "Members.update", kind: "membership", id: "eve" } as object)
    }).pipe(Effect.provide(emulated())))

  it.effect("have typed custom data in requests and events", () =>
    Effect.gen(function*() {
      const Guests = Members.withCustom(Schema.Struct({ since: Schema.DateTimeUtc }))
      const since = DateTime.makeUnsafe("2026-01-02T03:04:05Z")
      const events = yield* Effect.forkChild(
        Subscribe.memberships({ channels: [channel] }).pipe(
          Stream.mapEffect((event) => Effect.result(Guests.event(event))),
          Stream.take(3),
          Stream.runCollect
        )
      )
      yield* VirtualTime.advance("1 second")
      const { items } = yield* Guests.set({
        channel,
        users: [{ userId: "bob", custom: { since } }],
        include: ["custom"]
      })
      assert.deepStrictEqual<unknown>(decoded(items).map(({ custom }) => custom), [{ since }])
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.setMembership({ userId: "bob", channel, custom: { since: 5 } })
      yield* VirtualTime.advance("1 second")
      yield* emulator.removeMembership({ userId: "bob", channel })
      yield* VirtualTime.advance("1 second")
      const [set, wrong, removed] = yield* Fiber.join(events)
      if (set?._tag !== "Success" || wrong?._tag !== "Failure") return assert.fail("not as it was set")
      assert.deepInclude<object>(set.success, { userId: "bob", change: { custom: Option.some({ since }) } })
      assert.deepInclude<object>(removed?._tag === "Success" ? removed.success : {}, {
        _tag: "MembershipRemoved",
        userId: "bob"
      })
      assert.deepInclude({ ...wrong.failure }, { kind: "membership", id: "bob" } as object)
      yield* emulator.setMembership({ userId: "bob", channel, custom: { since: 5 } })
      const mismatch = yield* Effect.flip(Guests.update({ channel, userId: "bob" }, () => ({})))
      if (mismatch._tag !== "CustomMismatch") return assert.fail(mismatch._tag)
      assert.deepInclude({ ...mismatch }, { operation: "Members.update", id: "bob", custom: { since: 5 } } as object)
    }).pipe(Effect.provide(emulated())))
})
