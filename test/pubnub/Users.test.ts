import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import {
  AppContext,
  ObjectFilter,
  PubNubConfig,
  type PubNubError,
  Subscribe,
  type SubscribeEvent,
  Users
} from "effect-herald/pubnub"
import type * as Objects from "effect-herald/pubnub/Objects"
import { Faults, PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as UndecodableItem from "effect-herald/UndecodableItem"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"
import { decoded } from "../kit/decoded.ts"

const { some, none } = Option

const objects = requestsTo("/v2/objects")
const queries = Effect.map(objects, (requests) => requests.map(queryOf))
const seed = (count: number) =>
  PubNubEmulator.PubNubEmulator.use(({ setUser }) =>
    Effect.forEach(
      Array.from({ length: count }, (_, index) => String(index).padStart(4, "0")),
      (id) => setUser({ id, name: `user ${id}`, status: Number(id) % 2 === 0 ? "even" : "odd" }),
      { discard: true }
    )
  )

const idsOf = (users: Iterable<{ readonly id: string }>) => Array.from(users, ({ id }) => id)

const config = (options: Partial<PubNubConfig.Options> = {}) =>
  PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host", ...options })

const scripted = (...answers: ReadonlyArray<Transport.Answer>) =>
  Layer.merge(Transport.layerScripted(answers), config())
const sent = Transport.Exchanges.use(({ all }) => all)
const bodies = Effect.map(sent, (exchanges) => exchanges.flatMap(({ body }) => body === "" ? [] : [JSON.parse(body)]))
const recorded = Transport.layerRecording.pipe(Layer.provideMerge(emulated()))

const userAnswer = (fields: object) => ({
  body: JSON.stringify({
    status: 200,
    data: {
      id: "ada",
      name: null,
      externalId: null,
      profileUrl: null,
      email: null,
      updated: "2026-09-21T12:00:00.123456Z",
      eTag: "e1",
      ...fields
    }
  })
})

describe("get", () => {
  it.effect("returns the stored fields, and leaves out those that are not set", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const stored = yield* emulator.setUser({ id: "ada", name: "Ada", email: "ada@example.com", status: "away" })
      const ada = yield* Users.get()
      assert.deepStrictEqual({ ...ada, updated: DateTime.toEpochMillis(ada.updated) } as object, {
        id: "ada",
        name: "Ada",
        email: "ada@example.com",
        status: "away",
        updated: stored.updated.epochMilliseconds,
        etag: stored.etag
      })
      yield* emulator.setUser({ id: "bob", custom: { level: 3 } })
      const bob = yield* Users.get({ id: "bob", include: ["custom"] })
      assert.deepStrictEqual([String(bob.id), bob.custom], ["bob", { level: 3 }])
    }).pipe(Effect.provide(emulated())))

  it.effect("asks for status and type by default, for the parts that are named, or for none", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.setUser({ id: "bob", status: "away", type: "core", custom: { level: 3, vip: true, note: null } })
      const usual = yield* Users.get({ id: "bob" })
      assert.deepStrictEqual([usual.status, usual.type], ["away", "core"])
      const { custom } = yield* Users.get({ id: "bob", include: ["custom"] })
      assert.deepStrictEqual(custom, { level: 3, vip: true, note: null })
      yield* Users.get({ id: "bob", include: [] })
      yield* Users.get({ id: "bob", include: ["type", "custom", "type"] })
      assert.deepStrictEqual((yield* queries).map((query) => query.get("include")), [
        "status,type",
        "custom",
        null,
        "type,custom"
      ])
    }).pipe(Effect.provide(emulated())))

  it.effect("fails with ObjectNotFound when the user has no metadata", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Users.get({ id: "no one" }))
      if (error._tag !== "ObjectNotFound") return assert.fail(error._tag)
      assert.deepInclude({ ...error }, { operation: "Users.get", kind: "user", id: "no one" } as object)
      assert.match(error.message, /no metadata of user "no one"/)
      assert.isFalse(error.isRetryable)
    }).pipe(Effect.provide(emulated())))

  it.effect.each(["channel id", "a/b", "100%", "%2F", "#?&", "😀 ü", "a,b", "...", "../a", "a..b"])(
    "accepts the id %j",
    (id) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* Users.set({ id, name: "x" })).id, id)
        assert.strictEqual((yield* Users.get({ id })).id, id)
        const emulator = yield* PubNubEmulator.PubNubEmulator
        assert.deepStrictEqual(idsOf(yield* emulator.users), [id])
      }).pipe(Effect.provide(emulated()))
  )
})

describe("set", () => {
  it.effect("sends the given fields, clears those that are None, and leaves the others as they are", () =>
    Effect.gen(function*() {
      const first = yield* Users.set({
        name: "Ada",
        externalId: "7",
        profileUrl: "http://example.com/ada",
        email: "ada@example.com",
        status: "away",
        type: undefined,
        custom: { level: 3, vip: true, note: null },
        include: ["custom"]
      })
      assert.deepStrictEqual(first.custom, { level: 3, vip: true, note: null })
      const second = yield* Users.set({ id: "ada", status: none(), email: none(), custom: none() })
      assert.deepStrictEqual([second.name, second.email, second.status], ["Ada", undefined, undefined])
      assert.notStrictEqual(first.etag, second.etag)
      assert.deepStrictEqual(yield* bodies, [
        {
          name: "Ada",
          externalId: "7",
          profileUrl: "http://example.com/ada",
          email: "ada@example.com",
          status: "away",
          custom: { level: 3, vip: true, note: null }
        },
        { status: null, email: null, custom: null }
      ])
      yield* Users.set({ name: "Ada", include: [] })
      const includes = (yield* sent).map(({ url }) => new URL(url).searchParams.get("include"))
      assert.deepStrictEqual(includes, ["custom", "status,type", null])
      yield* Users.set({ id: "bob", type: "core" })
      const [ada, bob] = yield* PubNubEmulator.PubNubEmulator.use(({ users }) => users)
      assert.strictEqual(ada?.custom, undefined)
      assert.deepStrictEqual([bob?.id, bob?.type], ["bob", "core"])
    }).pipe(Effect.provide(recorded)))

  it.effect("replaces custom data as a whole, and keeps the etag when nothing changes", () =>
    Effect.gen(function*() {
      yield* Users.set({ custom: { a: 1, b: 2 } })
      const user = yield* Users.set({ custom: { b: 3 }, include: ["custom"] })
      assert.deepStrictEqual(user.custom, { b: 3 })
      const again = yield* Users.set({ custom: { b: 3 } })
      assert.strictEqual(again.etag, user.etag)
      assert.deepStrictEqual(again.updated, user.updated)
    }).pipe(Effect.provide(emulated())))

  it.effect("fails with ObjectChanged and writes nothing when the etag is no longer current", () =>
    Effect.gen(function*() {
      const { etag } = yield* Users.set({ name: "Ada" })
      const second = yield* Users.set({ status: "away", ifMatchesEtag: etag })
      const error = yield* Effect.flip(Users.set({ name: "Eve", ifMatchesEtag: etag }))
      if (error._tag !== "ObjectChanged") return assert.fail(error._tag)
      assert.deepInclude({ ...error }, { operation: "Users.set", kind: "user", id: "ada", etag } as object)
      assert.match(error.message, /"ada" no longer has the etag/)
      assert.strictEqual((yield* Users.get()).etag, second.etag)
      yield* Users.remove()
      assert.strictEqual(
        (yield* Effect.flip(Users.set({ name: "Eve", ifMatchesEtag: second.etag })))._tag,
        "ObjectChanged"
      )
      const headers = (yield* sent).map(({ headers }) => headers["if-match"])
      assert.deepStrictEqual(headers, [undefined, etag, etag, undefined, undefined, second.etag])
    }).pipe(Effect.provide(recorded)))

  it.effect("with an etag, fails with UpdateOutcomeUnknown when the answer is lost; without one, may be retried", () =>
    Effect.gen(function*() {
      const { etag } = yield* Users.set({ name: "Ada" })
      const faults = yield* Faults.Faults
      yield* faults.add({
        on: ({ method }) => method === "PATCH",
        fault: Faults.Fault.ServerError({ status: 502, handled: true }),
        times: 2
      })
      const unknown = yield* Effect.flip(Users.set({ name: "Eve", ifMatchesEtag: etag }))
      if (unknown._tag !== "UpdateOutcomeUnknown") return assert.fail(unknown._tag)
      assert.deepInclude({ ...unknown }, { operation: "Users.set", kind: "user", id: "ada" } as object)
      assert.isFalse(unknown.isRetryable)
      const plain = yield* Effect.flip(Users.set({ name: "Eve" }))
      assert.deepStrictEqual([plain._tag, plain.isRetryable], ["PubNubError", true])
      assert.deepStrictEqual((yield* Users.get()).name, "Eve")
    }).pipe(Effect.provide(emulated())))

  it.effect("causes events with the changed fields only, and none when nothing changes", () =>
    Effect.gen(function*() {
      const seen: Array<SubscribeEvent.UserEvent> = []
      yield* Effect.forkChild(
        Stream.runForEach(Subscribe.users({ channels: ["ada"] }), (event) => Effect.sync(() => seen.push(event)))
      )
      yield* VirtualTime.advance("1 second")
      yield* Users.set({ name: "Ada", custom: { a: 1 } })
      yield* Users.set({ name: "Ada" })
      yield* Users.set({ name: none() })
      yield* Users.remove()
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(seen.map(({ _tag, userId: user }) => [_tag, user]), [
        ["UserSet", "ada"],
        ["UserSet", "ada"],
        ["UserRemoved", "ada"]
      ] as ReadonlyArray<ReadonlyArray<string>>)
      assert.deepStrictEqual(seen.flatMap((event) => event._tag === "UserSet" ? [event.change] : []), [
        { name: some("Ada"), custom: some({ a: 1 }) },
        { name: none() }
      ])
    }).pipe(Effect.provide(emulated())))
})

describe("remove", () => {
  it.effect("removes all metadata, also when there is none", () =>
    Effect.gen(function*() {
      yield* Users.set({ id: "bob", name: "Bob" })
      yield* Users.set({ name: "Ada" })
      assert.isUndefined(yield* Users.remove({ id: "bob" }))
      yield* Users.remove({ id: "bob" })
      yield* Users.remove()
      assert.deepStrictEqual(yield* PubNubEmulator.PubNubEmulator.use(({ users }) => users), [])
      assert.deepStrictEqual(
        (yield* objects).slice(2).map(({ method, target }) => `${method} ${target.split("?")[0]}`),
        ["bob", "bob", "ada"].map((id) => `DELETE /v2/objects/demo-sub/uuids/${id}`)
      )
    }).pipe(Effect.provide(emulated())))
})

describe("list", () => {
  it.effect("reads pages in both directions, and gives no cursor after the last one", () =>
    Effect.gen(function*() {
      yield* seed(25)
      const first = yield* Users.list({ limit: 10, totalCount: true })
      assert.deepStrictEqual(idsOf(decoded(first.items)).at(-1), "0009")
      assert.strictEqual(first.totalCount, 25)
      assert.isUndefined(first.previous)
      const second = yield* Users.list({ limit: 10, next: first.next })
      assert.deepStrictEqual([decoded(second.items)[0]?.id, second.items.length, second.totalCount], [
        "0010",
        10,
        undefined
      ])
      const third = yield* Users.list({ limit: 10, next: second.next })
      assert.deepStrictEqual(idsOf(decoded(third.items)), ["0020", "0021", "0022", "0023", "0024"])
      assert.isUndefined(third.next)
      const back = yield* Users.list({ limit: 10, previous: second.previous })
      assert.deepStrictEqual(back.items, first.items)
      // The page before may be short: it is the first one then.
      const five = yield* Users.list({ limit: 5 })
      const behind = yield* Users.list({ limit: 10, next: five.next })
      const before = yield* Users.list({ limit: 10, previous: behind.previous })
      assert.deepStrictEqual([before.items.length, before.previous], [5, undefined])
      const again = yield* Users.list({ limit: 10, next: before.next })
      assert.deepStrictEqual(again.items, behind.items)
    }).pipe(Effect.provide(emulated())))

  it.effect("asks for 100 users with status and type by default", () =>
    Effect.gen(function*() {
      yield* seed(1)
      const page = yield* Users.list()
      assert.deepStrictEqual(decoded(page.items).map(({ status, type }) => [status, type]), [["even", undefined]])
      const [query] = yield* queries
      assert.deepStrictEqual([...query!.keys()].filter((name) => !["uuid", "pnsdk"].includes(name)), [
        "limit",
        "include"
      ])
      assert.strictEqual(query!.get("limit"), "100")
    }).pipe(Effect.provide(emulated())))

  it.effect("sorts by several keys, filters, counts, and includes the parts that are named", () =>
    Effect.gen(function*() {
      yield* seed(6)
      const options = {
        sort: ["status:desc", "id:desc", "name"],
        filter: "name LIKE \"user *\"",
        totalCount: true
      } as const
      const { items, totalCount } = yield* Users.list({ ...options, include: ["custom"] })
      assert.deepStrictEqual(idsOf(decoded(items)), ["0005", "0003", "0001", "0004", "0002", "0000"])
      assert.strictEqual(totalCount, 6)
      yield* Users.list({ include: [], sort: [], totalCount: false })
      const [query, bare] = yield* queries
      assert.deepStrictEqual(
        ["sort", "filter", "count", "include"].map((name) => query!.get(name)),
        ["status:desc,id:desc,name", "name LIKE \"user *\"", "true", "custom"]
      )
      assert.deepStrictEqual(["sort", "filter", "count", "include"].filter((name) => bare!.has(name)), [])
    }).pipe(Effect.provide(emulated())))
})

describe("stream", () => {
  it.effect("makes one request for take(10)", () =>
    Effect.gen(function*() {
      yield* seed(250)
      const users = yield* Users.stream().pipe(Stream.take(10), Stream.runCollect)
      assert.lengthOf(users, 10)
      assert.lengthOf(yield* objects, 1)
    }).pipe(Effect.provide(emulated())))

  it.effect("reads page by page until a page that is not full", () =>
    Effect.gen(function*() {
      yield* seed(25)
      const options = {
        pageSize: 10,
        sort: ["id:desc"],
        filter: ObjectFilter.equals("status", "odd"),
        include: []
      } as const
      const users = yield* Stream.runCollect(Users.stream(options))
      assert.deepStrictEqual(idsOf(decoded(users)), [
        "0023",
        "0021",
        "0019",
        "0017",
        "0015",
        "0013",
        "0011",
        "0009",
        "0007",
        "0005",
        "0003",
        "0001"
      ])
      assert.lengthOf(yield* objects, 2)
      for (const query of yield* queries) {
        assert.strictEqual(query.get("filter"), "status == 'odd'")
        assert.strictEqual(query.get("sort"), "id:desc")
        assert.isFalse(query.has("include"))
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("gives no user twice while others add users", () =>
    Effect.gen(function*() {
      yield* seed(30)
      const emulator = yield* PubNubEmulator.PubNubEmulator
      let added = 0
      const users = yield* Users.stream({ pageSize: 10 }).pipe(
        Stream.mapEffect((user) =>
          Effect.as(added < 15 ? emulator.setUser({ id: `!${String(added++).padStart(2, "0")}` }) : Effect.void, user)
        ),
        Stream.runCollect
      )
      const ids = idsOf(decoded(users))
      assert.lengthOf(new Set(ids), ids.length)
      assert.deepStrictEqual(ids.filter((id) => !id.startsWith("!")), idsOf(yield* emulator.users).slice(15))
    }).pipe(Effect.provide(emulated())))

  it.effect("can be run again", () =>
    Effect.gen(function*() {
      yield* seed(3)
      const users = Users.stream()
      assert.lengthOf(yield* Stream.runCollect(users), 3)
      assert.lengthOf(yield* Stream.runCollect(users), 3)
    }).pipe(Effect.provide(emulated())))
})

describe("update", () => {
  const count = (fields: AppContext.Custom | undefined) => Number(fields?.["count"] ?? 0)
  const increment = Users.update({}, ({ custom }) => ({ custom: { count: count(custom) + 1 } }))

  it.effect("writes the fields that the function makes of the stored ones", () =>
    Effect.gen(function*() {
      yield* Users.set({ name: "Ada", status: "away", custom: { count: 1 } })
      const user = yield* Users.update({ id: "ada" }, ({ custom, name, status, type }) => {
        assert.deepStrictEqual([name, status, type], ["Ada", "away", undefined])
        return { custom: { count: count(custom) + 1 }, status: none(), name: `${name}!` }
      })
      assert.deepStrictEqual([user.name, user.status, user.custom], ["Ada!", undefined, { count: 2 }])
      assert.deepStrictEqual((yield* objects).map(({ method }) => method), ["PATCH", "GET", "PATCH"])
    }).pipe(Effect.provide(emulated())))

  it.effect("fails with ObjectNotFound for a missing user, and writes nothing when nothing changes", () =>
    Effect.gen(function*() {
      const missing = yield* Effect.flip(increment)
      assert.deepInclude({ ...missing }, { _tag: "ObjectNotFound", operation: "Users.update", id: "ada" } as object)
      yield* Users.set({ custom: { count: 1 } })
      const before = (yield* objects).length
      assert.deepStrictEqual((yield* Users.update({}, () => ({}))).custom, { count: 1 })
      yield* Users.update({}, () => ({ name: undefined }))
      assert.lengthOf(yield* objects, before + 2)
      assert.deepStrictEqual((yield* Users.update({ custom: "merge" }, () => ({ custom: none() }))).custom, undefined)
    }).pipe(Effect.provide(emulated())))

  it.effect("replaces custom data by default; with merge, keeps keys that are not named", () =>
    Effect.gen(function*() {
      const custom = { count: 1, foreign: "x", note: "n" }
      const Counts = Users.withCustom(Schema.Struct({ count: Schema.Int, note: Schema.optionalKey(Schema.String) }))
      const next = (user: { readonly custom?: { readonly count: number } }) => ({
        custom: { count: (user.custom?.count ?? 0) + 1 }
      })
      const stored = PubNubEmulator.PubNubEmulator.use(({ users }) => Effect.map(users, ([user]) => user?.custom))
      yield* Users.set({ custom })
      yield* Counts.update({ custom: "merge" }, next)
      assert.deepStrictEqual(yield* stored, { ...custom, count: 2 })
      yield* Counts.update({}, next)
      assert.deepStrictEqual(yield* stored, { count: 3 })
      yield* Users.set({ custom: none() })
      yield* Users.update({ custom: "merge" }, () => ({ custom: { a: null } }))
      assert.deepStrictEqual(yield* stored, { a: null })
    }).pipe(Effect.provide(emulated())))

  it.effect("starts again when another client changed the user, as long as retry allows", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const now = Effect.runSyncWith(yield* Effect.context())
      yield* Users.set({ custom: { count: 0 } })
      let others = 3
      // Another client writes between the reading and the writing.
      const disturbed = (retry?: Schedule.Schedule<unknown, AppContext.ObjectChanged>) =>
        Users.update({ retry }, ({ custom }) => {
          if (others-- > 0) now(emulator.setUser({ id: "ada", custom: { count: count(custom) + 10 } }))
          return { custom: { count: count(custom) + 1 } }
        })
      const fiber = yield* Effect.forkChild(disturbed())
      yield* VirtualTime.advance("1 minute")
      assert.strictEqual(count((yield* Fiber.join(fiber)).custom), 31)
      others = 3
      const error = yield* Effect.flip(disturbed(Schedule.recurs(2)))
      if (error._tag !== "ObjectChanged") return assert.fail(error._tag)
      assert.deepInclude({ ...error }, { operation: "Users.update", kind: "user", id: "ada" } as object)
    }).pipe(Effect.provide(emulated())))

  it.effect("fails with ObjectChanged after 101 attempts when others change the user without end", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const now = Effect.runSyncWith(yield* Effect.context())
      yield* Users.set({ custom: { count: 0 } })
      let attempts = 0
      const fiber = yield* Effect.forkChild(Effect.flip(Users.update({}, () => {
        now(emulator.setUser({ id: "ada", custom: { count: ++attempts } }))
        return { status: "mine" }
      })))
      yield* VirtualTime.advance("10 minutes")
      const error = yield* Fiber.join(fiber)
      assert.deepStrictEqual([error._tag, attempts], ["ObjectChanged", 101])
    }).pipe(Effect.provide(emulated())))

  it.effect("fails with ObjectNotFound when the user is removed before the write", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const now = Effect.runSyncWith(yield* Effect.context())
      yield* Users.set({ name: "Ada" })
      const fiber = yield* Effect.forkChild(Users.update({}, () => {
        now(emulator.removeUser({ id: "ada" }))
        return { name: "Eve" }
      }))
      yield* VirtualTime.advance("1 minute")
      assert.strictEqual((yield* Effect.flip(Fiber.join(fiber)))._tag, "ObjectNotFound")
    }).pipe(Effect.provide(emulated())))

  const isWrite: Faults.Rule["on"] = ({ method }) => method === "PATCH"
  const { Fault } = Faults

  const during = (rules: ReadonlyArray<Faults.Rule>, update: typeof increment = increment) =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const faults = yield* Faults.Faults
      yield* emulator.setUser({ id: "ada", custom: { count: 0 } })
      for (const rule of rules) yield* faults.add(rule)
      const fiber = yield* Effect.forkChild(update)
      yield* VirtualTime.advance("5 minutes")
      const error = yield* Effect.flip(Fiber.join(fiber))
      const [user] = yield* emulator.users
      return { error, count: user?.custom?.["count"], methods: (yield* objects).map(({ method }) => method) }
    })

  it.effect.each([
    Fault.ServerError({ status: 500, handled: false }),
    Fault.ServerError({ status: 502, handled: false }),
    Fault.HalfOpen()
  ])(
    "fails with a retryable error when the answer is lost and nothing was written: %j",
    (fault) =>
      Effect.gen(function*() {
        const { count, error, methods } = yield* during([{ on: isWrite, fault }])
        if (error._tag !== "PubNubError") return assert.fail(error._tag)
        assert.isTrue(error.isRetryable)
        assert.strictEqual(error.operation, "Users.update")
        assert.strictEqual(count, 0)
        assert.deepStrictEqual(methods, ["GET", "GET"])
      }).pipe(Effect.provide(emulated()))
  )

  it.effect.each([
    Fault.ResetBeforeAnswer(),
    Fault.ResetInBody(),
    Fault.TruncatedJson(),
    Fault.EmptyBody(),
    Fault.ServerError({ status: 502, handled: true }),
    Fault.ServerError({ status: 504, handled: true }),
    Fault.Slow({ by: "1 minute" })
  ])(
    "fails with UpdateOutcomeUnknown when the answer is lost and the update was written: %j",
    (fault) =>
      Effect.gen(function*() {
        const { count, error, methods } = yield* during([{ on: isWrite, fault }])
        if (error._tag !== "UpdateOutcomeUnknown") return assert.fail(error._tag)
        assert.deepInclude({ ...error }, { operation: "Users.update", kind: "user", id: "ada" } as object)
        assert.isFalse(error.isRetryable)
        assert.match(error.message, /this update may or may not have changed user "ada"/)
        assert.notMatch(error.message, /try again/i)
        assert.strictEqual(count, 1)
        assert.deepStrictEqual(methods, ["GET", "PATCH", "GET"])
      }).pipe(Effect.provide(emulated()))
  )

  it.effect("does not check the outcome when the write or the connection was refused", () =>
    Effect.gen(function*() {
      for (
        const fault of [Fault.ConnectionRefused(), Fault.RateLimited({ retryAfter: "1 second" }), Fault.AccessDenied()]
      ) {
        const before = (yield* objects).length
        const { count, error, methods } = yield* during([{ on: isWrite, fault }])
        assert.strictEqual(error._tag, "PubNubError")
        assert.strictEqual(count, 0)
        assert.deepStrictEqual(methods.slice(before), ["GET"])
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("checks the outcome of a lost write for a while, then fails with UpdateOutcomeUnknown", () =>
    Effect.gen(function*() {
      const lost = { on: isWrite, fault: Fault.HalfOpen() }
      const isRead: Faults.Rule["on"] = ({ method, url }) => method === "GET" && !url.includes("include")
      const some = yield* during([lost, { on: isRead, fault: Fault.ConnectionRefused(), times: 3 }])
      assert.strictEqual(some.error._tag, "PubNubError")
      const all = yield* during([lost, { on: isRead, fault: Fault.ConnectionRefused(), times: 100 }])
      if (all.error._tag !== "UpdateOutcomeUnknown") return assert.fail(all.error._tag)
      assert.strictEqual(all.error.reason._tag, "Timeout")
    }).pipe(Effect.provide(emulated())))

  it.effect("refuses wrong fields before it writes", () =>
    Effect.gen(function*() {
      yield* Users.set({ name: "Ada" })
      const error = yield* Effect.flip(Users.update({}, () => ({ status: "x".repeat(51) })))
      if (error._tag !== "PubNubError" || error.reason._tag !== "BadRequest") return assert.fail(error._tag)
      assert.deepStrictEqual(error.reason.details.map(({ location }) => location), ["status"])
      assert.deepStrictEqual((yield* objects).map(({ method }) => method), ["PATCH", "GET"])
    }).pipe(Effect.provide(emulated())))
})

describe("typed custom data", () => {
  const Person = Schema.Struct({ born: Schema.DateTimeUtc, level: Schema.optionalKey(Schema.Int) })
  const People = Users.withCustom(Person)
  const born = DateTime.makeUnsafe("1815-12-10T00:00:00Z")
  const stored = { born: "1815-12-10T00:00:00.000Z", level: 3 }

  it.effect("is encoded by set, and decoded by every call that reads it", () =>
    Effect.gen(function*() {
      const custom = { born, level: 3 }
      const set = yield* People.set({ custom, include: ["custom"] })
      assert.deepStrictEqual(yield* bodies, [{ custom: stored }])
      const got = yield* People.get({ include: ["custom"] })
      const listed = yield* People.list({ include: ["custom"] })
      const streamed = yield* Stream.runCollect(People.stream({ include: ["custom"] }))
      const updated = yield* People.update(
        {},
        (user) => ({ custom: user.custom && { ...user.custom, level: 4 } })
      )
      for (const user of [set, got, ...decoded([...listed.items, ...streamed])]) {
        assert.deepStrictEqual(user.custom, custom)
      }
      assert.deepStrictEqual(updated.custom, { born, level: 4 })
      yield* People.set({ custom: none() })
      assert.isUndefined((yield* People.get({ include: ["custom"] })).custom)
      yield* People.remove()
    }).pipe(Effect.provide(recorded)))

  it.effect("fails get and update with CustomMismatch when it does not match", () =>
    Effect.gen(function*() {
      const custom = { born: "yesterday" }
      yield* Users.set({ id: "bob", custom })
      const calls: ReadonlyArray<Effect.Effect<unknown, AppContext.CustomMismatch | { readonly _tag: string }, Needs>> =
        [
          People.get({ id: "bob", include: ["custom"] }),
          People.update({ id: "bob" }, () => ({}))
        ]
      for (const call of calls) {
        const error = yield* Effect.flip(call)
        if (!(error instanceof AppContext.CustomMismatch)) return assert.fail(error._tag)
        assert.deepStrictEqual([error.kind, error.id, error.custom], ["user", "bob", custom])
        assert.match(error.message, /custom data of user "bob" does not match its schema: .*born/s)
        assert.isFalse(error.isRetryable)
      }
      // It does not matter where it is not asked for.
      assert.strictEqual((yield* People.get({ id: "bob" })).id, "bob")
    }).pipe(Effect.provide(emulated())))

  it.effect("gives an UndecodableItem in a list for one that does not match, and the other users", () =>
    Effect.gen(function*() {
      yield* People.set({ id: "ann", custom: { born } })
      yield* Users.set({ id: "bob", custom: { born: "yesterday" } })
      yield* People.set({ id: "cid", custom: { born } })
      const streamed = yield* Stream.runCollect(People.stream({ include: ["custom"] }))
      const { items: listed } = yield* People.list({ include: ["custom"] })
      for (const [ann, bob, cid] of [streamed, listed]) {
        assert.deepInclude({ ...ann }, { id: "ann" } as object)
        assert.deepInclude({ ...cid }, { id: "cid" } as object)
        if (!UndecodableItem.isUndecodable(bob)) return assert.fail("bob was read")
        assert.match(bob.issue, /born/)
        assert.deepInclude({ ...Object(bob.raw) }, { id: "bob", custom: { born: "yesterday" } })
      }
    }).pipe(Effect.provide(emulated())))

  it.effect("is refused before a request when it cannot be encoded or is no scalar", () =>
    Effect.gen(function*() {
      const Nested = Users.withCustom(Schema.Struct({ tags: Schema.Array(Schema.String) }))
      const Positive = Users.withCustom(Schema.Struct({ level: Schema.Int.check(Schema.isGreaterThan(0)) }))
      const calls = [Nested.set({ custom: { tags: ["a"] } }), Positive.set({ custom: { level: -1 } })]
      for (const call of calls) {
        const error = yield* Effect.flip(call)
        if (error._tag !== "PubNubError" || error.reason._tag !== "BadRequest") return assert.fail(error._tag)
        assert.deepStrictEqual(error.reason.details.map(({ location }) => location), ["custom"])
      }
    }).pipe(Effect.provide(scripted())))

  it.effect("is decoded in events", () =>
    Effect.gen(function*() {
      const events = yield* Effect.forkChild(
        Subscribe.users({ channels: ["ada"] }).pipe(
          Stream.filter((event) => event._tag === "UserSet"),
          Stream.mapEffect((event) => Effect.result(People.event(event))),
          Stream.take(4),
          Stream.runCollect
        )
      )
      yield* VirtualTime.advance("1 second")
      yield* People.set({ name: "Ada", custom: { born } })
      yield* People.set({ name: "A." })
      yield* People.set({ custom: none() })
      yield* Users.set({ custom: { born: 1 } })
      yield* VirtualTime.advance("1 second")
      const [set, named, cleared, wrong] = yield* Fiber.join(events)
      const changes = [set, named, cleared].map((event) =>
        event?._tag === "Success" && event.success._tag === "UserSet" ? event.success.change : event
      )
      assert.deepStrictEqual(changes as ReadonlyArray<object>, [
        { name: some("Ada"), custom: some({ born }) },
        { name: some("A.") },
        { custom: none() }
      ])
      if (wrong?._tag !== "Failure") return assert.fail("it matched")
      assert.deepStrictEqual([wrong.failure.id, wrong.failure.custom], ["ada", { born: 1 }] as ReadonlyArray<unknown>)
    }).pipe(Effect.provide(emulated())))
})

type Needs = HttpClient.HttpClient | PubNubConfig.PubNubConfig

describe("bad input is refused before a request is made", () => {
  const long = "x".repeat(2_049)
  const cursor = AppContext.PageCursor.make("Mw")
  const part = (name: string) => name as AppContext.Part
  const notScalars = (custom: unknown) => custom as AppContext.Custom

  it.effect.each<
    readonly [
      string,
      Effect.Effect<
        unknown,
        | PubNubError.PubNubError
        | AppContext.ObjectNotFound
        | AppContext.ObjectChanged
        | AppContext.UpdateOutcomeUnknown,
        Needs
      >,
      ReadonlyArray<string>
    ]
  >([
    ["a blank id", Users.get({ id: " " }), ["id"]],
    ["an id of 93 bytes", Users.set({ id: "ü".repeat(46) + "x" }), ["id"]],
    ["the id .", Users.get({ id: "." }), ["id"]],
    ["the id ..", Users.remove({ id: ".." }), ["id"]],
    ["half of a surrogate pair in an id", Users.update({ id: "\ud83d" }, () => ({})), ["id"]],
    ["texts that are too long", Users.set({ name: long, externalId: long, profileUrl: long }), [
      "name",
      "externalId",
      "profileUrl"
    ]],
    ["an email of 321 characters", Users.set({ email: "x".repeat(321) }), ["email"]],
    ["status and type of 51 characters", Users.set({ status: some("x".repeat(51)), type: "x".repeat(51) }), [
      "status",
      "type"
    ]],
    ["a name that is a number", Users.set({ name: 5 as never }), ["name"]],
    ["half of a surrogate pair in a text", Users.set({ name: "\ud83d" }), ["name"]],
    ["a list in custom data", Users.set({ custom: notScalars({ a: [1] }) }), ["custom"]],
    ["an object in custom data", Users.set({ custom: notScalars({ a: {} }) }), ["custom"]],
    ["NaN in custom data", Users.set({ custom: { a: NaN } }), ["custom"]],
    ["custom data that is a list", Users.set({ custom: notScalars([]) }), ["custom"]],
    ["an unknown part", Users.get({ include: [part("totalCount")] }), ["include"]],
    ["an unknown part of a page", Users.list({ include: [part("uuid")] }), ["include"]],
    ["an unknown part in set", Users.set({ include: [part("uuid")] }), ["include"]],
    [
      "an unknown key to sort by",
      Users.list({ sort: ["id", "email" as Objects.SortKey, "name:up" as Objects.SortKey] }),
      [
        "sort",
        "sort"
      ]
    ],
    ["both directions", Users.list({ next: cursor, previous: cursor }), ["previous"]],
    ["a limit of 0", Users.list({ limit: 0 }), ["limit"]],
    ["a limit of 101", Users.list({ limit: 101 }), ["limit"]],
    ["a limit of 1.5", Users.list({ limit: 1.5 }), ["limit"]],
    ["a page size of 101", Stream.runDrain(Users.stream({ pageSize: 101 })), ["pageSize"]],
    ["a blank filter", Users.list({ filter: "" }), ["filter"]],
    ["an etag with a line break", Users.set({ ifMatchesEtag: AppContext.Etag.make("a\nb") }), ["ifMatchesEtag"]]
  ])("%s", ([, call, locations]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(call)
      if (error._tag !== "PubNubError" || error.reason._tag !== "BadRequest") return assert.fail(error._tag)
      assert.isUndefined(error.reason.status)
      assert.deepStrictEqual(error.reason.details.map(({ location }) => location), [...locations])
      assert.deepStrictEqual(yield* sent, [])
    }).pipe(Effect.provide(scripted())))

  it.effect("ids of 92 bytes, texts of 2,048, 320 and 50 characters, and pages of 100 are accepted", () =>
    Effect.gen(function*() {
      const most = "x".repeat(2_048)
      yield* Users.set({
        id: "ü".repeat(46),
        name: most,
        externalId: most,
        profileUrl: most,
        email: "x".repeat(320),
        status: "x".repeat(50),
        type: "x".repeat(50)
      })
      assert.lengthOf((yield* Users.list({ limit: 100 })).items, 1)
    }).pipe(Effect.provide(emulated())))

  it.effect("a missing key, and an address that is too long", () =>
    Effect.gen(function*() {
      const keyless = yield* Effect.flip(Effect.provide(Users.list(), config({ subscribeKey: "" })))
      assert.deepInclude({ ...keyless.reason }, { _tag: "InvalidKey", key: "subscribe" } as object)
      const { reason } = yield* Effect.flip(Users.list({ filter: ObjectFilter.equals("name", "x".repeat(40_000)) }))
      assert.deepInclude({ ...reason }, { _tag: "BadRequest" } as object)
    }).pipe(Effect.provide(scripted())))
})

describe("failures", () => {
  it.effect("a filter that does not parse is BadRequest with the service's details", () =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip(Users.list({ filter: "name LIKE" }))
      if (reason._tag !== "BadRequest") return assert.fail(reason._tag)
      assert.strictEqual(reason.status, 400)
      assert.deepStrictEqual(reason.details, [{ location: "filter", message: "Malformed filter expression." }])
      const custom = yield* Effect.flip(Users.list({ filter: "custom.level == 3" }))
      assert.strictEqual(custom.reason._tag, "BadRequest")
    }).pipe(Effect.provide(emulated())))

  it.effect("a missing add-on is FeatureDisabled, and a missing permission is AccessDenied", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.deny({ channels: ["bob"] })
      const denied = yield* Effect.flip(Users.set({ id: "bob" }))
      assert.strictEqual(denied.reason._tag, "AccessDenied")
      yield* emulator.setAddOns({ appContext: false })
      const disabled = yield* Effect.flip(Users.get())
      if (disabled._tag !== "PubNubError") return assert.fail(disabled._tag)
      assert.deepInclude({ ...disabled.reason }, { _tag: "FeatureDisabled", addOn: "AppContext" } as object)
    }).pipe(Effect.provide(emulated())))

  it.effect.each(
    [
      [{
        status: 429,
        body: "{\"status\":429,\"error\":{\"message\":\"no\",\"source\":\"objects\"}}",
        headers: { "retry-after": "3" }
      }, "RateLimited"],
      [
        { status: 503, body: "{\"status\":503,\"error\":{\"message\":\"no\",\"source\":\"objects\"}}" },
        "ServerFailure"
      ],
      [{ status: 409, body: "{\"status\":409,\"error\":{\"message\":\"no\",\"source\":\"objects\"}}" }, "BadRequest"],
      [{ body: "<html>" }, "Malformed"],
      [{ body: "{\"status\":200,\"data\":null}" }, "Malformed"],
      [{ body: "{\"status\":200,\"data\":{\"id\":\"ada\"}}" }, "Malformed"],
      [{ failure: "ECONNREFUSED" }, "Transport"]
    ] as const
  )("the answer %j is %s", ([answer, tag]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Users.set({ id: "a b", name: "secret" }))
      assert.strictEqual(error.reason._tag, tag)
      assert.strictEqual(error.operation, "Users.set")
      assert.deepStrictEqual(error.request, { method: "PATCH", path: "/v2/objects/{subscribeKey}/uuids/a b" })
      if (tag === "RateLimited") assert.deepStrictEqual(error.retryAfter, Duration.seconds(3))
    }).pipe(Effect.provide(scripted(answer))))

  it.effect("an answer may have null, absent and unknown fields, and times with any fraction", () =>
    Effect.gen(function*() {
      const ada = yield* Users.get({ include: ["custom", "status", "type"] })
      assert.deepStrictEqual([ada.custom, ada.status, ada.type, ada.name], [undefined, undefined, undefined, undefined])
      assert.strictEqual(DateTime.formatIso(ada.updated), "2026-09-21T12:00:00.123Z")
      assert.notProperty(ada, "planet")
      const second = yield* Users.get()
      assert.strictEqual(DateTime.formatIso(second.updated), "2026-09-21T12:00:00.900Z")
    }).pipe(Effect.provide(scripted(
      userAnswer({ custom: null, status: null, planet: "mars" }),
      userAnswer({ updated: "2026-09-21T12:00:00.9Z" })
    ))))
})
