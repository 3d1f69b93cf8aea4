/** What channels have in common with users is tested in Users.test.ts: one implementation makes both. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type AppContext, Channels, PubNubConfig, type PubNubError, Subscribe } from "effect-herald/pubnub"
import type * as Objects from "effect-herald/pubnub/Objects"
import { PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"
import { decoded } from "../kit/decoded.ts"

const { some, none } = Option

const objects = requestsTo("/v2/objects")
const idsOf = (channels: Iterable<{ readonly id: string }>) => Array.from(channels, ({ id }) => id)

describe("one channel", () => {
  it.effect("is set, read, changed by its etag, and removed", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      const id = "channel id/1"
      const first = yield* Channels.set({ id, name: "One", description: "the first", status: "open", type: "room" })
      const [stored] = yield* emulator.channels
      assert.deepStrictEqual({ ...first, updated: DateTime.toEpochMillis(first.updated) } as object, {
        id,
        name: "One",
        description: "the first",
        status: "open",
        type: "room",
        updated: stored!.updated.epochMilliseconds,
        etag: stored!.etag
      })
      const second = yield* Channels.set({
        id,
        description: none(),
        custom: { floor: 3 },
        ifMatchesEtag: first.etag,
        include: ["custom", "type"]
      })
      assert.deepStrictEqual([second.name, second.description, second.custom, second.type], [
        "One",
        undefined,
        { floor: 3 },
        "room"
      ])
      const changed = yield* Effect.flip(Channels.set({ id, name: "Two", ifMatchesEtag: first.etag }))
      assert.deepInclude(
        { ...changed },
        { _tag: "ObjectChanged", operation: "Channels.set", kind: "channel", id, etag: first.etag } as object
      )
      const { custom } = yield* Channels.get({ id, include: ["custom"] })
      assert.deepStrictEqual(custom, { floor: 3 })
      yield* Channels.remove({ id })
      yield* Channels.remove({ id })
      const missing = yield* Effect.flip(Channels.get({ id }))
      assert.deepInclude(
        { ...missing },
        { _tag: "ObjectNotFound", operation: "Channels.get", kind: "channel", id } as object
      )
      for (const { target } of yield* objects) {
        assert.match(target, /^\/v2\/objects\/demo-sub\/channels\/channel%20id%2F1\?/)
      }
      assert.deepStrictEqual((yield* objects).map((request) => queryOf(request).get("include")), [
        "status,type",
        "custom,type",
        "status,type",
        "custom",
        null,
        null,
        "status,type"
      ])
    }).pipe(Effect.provide(emulated())))

  it.effect("is updated by a function of its fields", () =>
    Effect.gen(function*() {
      yield* Channels.set({ id: "room", name: "Room", custom: { seats: 4, floor: 3 } })
      const room = yield* Channels.update({ id: "room", custom: "merge" }, ({ custom, name }) => ({
        description: `${name} with a view`,
        custom: { seats: Number(custom?.["seats"]) + 1 }
      }))
      assert.deepStrictEqual([room.description, room.custom], ["Room with a view", { floor: 3, seats: 5 }])
      const missing = yield* Effect.flip(Channels.update({ id: "hall" }, () => ({ name: "Hall" })))
      assert.deepInclude({ ...missing }, { _tag: "ObjectNotFound", operation: "Channels.update", id: "hall" } as object)
    }).pipe(Effect.provide(emulated())))
})

describe("channels", () => {
  it.effect("are listed with a limit, a page, a filter, keys to sort by, a count and parts", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      for (let index = 0; index < 25; index++) {
        yield* emulator.setChannel({ id: `room ${String(index).padStart(2, "0")}`, name: "room", custom: { index } })
      }
      yield* emulator.setChannel({ id: "hall", name: "hall" })
      const options = {
        limit: 10,
        filter: "name == 'room'",
        sort: ["id:desc"],
        totalCount: true,
        include: ["custom"]
      } as const
      const first = yield* Channels.list(options)
      const [newest] = decoded(first.items)
      assert.deepStrictEqual([newest?.id, newest?.custom, first.totalCount], [
        "room 24",
        { index: 24 },
        25
      ])
      const second = yield* Channels.list({ ...options, next: first.next })
      const back = yield* Channels.list({ ...options, previous: second.previous })
      assert.deepStrictEqual(back.items, first.items)
      const third = yield* Channels.list({ ...options, next: second.next })
      assert.deepStrictEqual((yield* Channels.list({ ...options, previous: third.previous })).items, second.items)
      assert.deepStrictEqual([third.items.length, third.next], [5, undefined])
      yield* Channels.list()
      const [query, , , , , bare] = (yield* objects).map(queryOf)
      assert.deepStrictEqual(
        ["limit", "filter", "sort", "count", "include"].map((name) => query!.get(name)),
        ["10", "name == 'room'", "id:desc", "true", "custom"]
      )
      assert.deepStrictEqual(
        ["limit", "filter", "sort", "count", "include"].map((name) => bare!.get(name)),
        ["100", null, null, null, "status,type"]
      )
    }).pipe(Effect.provide(emulated())))

  it.effect("are streamed page by page, only as far as the reader pulls", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      for (let index = 0; index < 250; index++) yield* emulator.setChannel({ id: String(index).padStart(3, "0") })
      assert.deepStrictEqual(
        idsOf(decoded(yield* Channels.stream().pipe(Stream.take(3), Stream.runCollect))),
        ["000", "001", "002"]
      )
      assert.lengthOf(yield* objects, 1)
      assert.lengthOf(yield* Stream.runCollect(Channels.stream({ include: [] })), 250)
      assert.lengthOf(yield* objects, 4)
      const chosen = { filter: "id == '001'", sort: ["id:desc"], include: ["custom"] } as const
      yield* Stream.runDrain(Channels.stream({ ...chosen, pageSize: 7 }))
      const query = queryOf((yield* objects).at(-1)!)
      assert.deepStrictEqual(
        ["filter", "sort", "include", "limit"].map((name) => query.get(name)),
        ["id == '001'", "id:desc", "custom", "7"]
      )
    }).pipe(Effect.provide(emulated())))
})

it.effect("typed custom data is encoded in requests, and decoded in answers and events", () =>
  Effect.gen(function*() {
    const Rooms = Channels.withCustom(Schema.Struct({ bookedUntil: Schema.DateTimeUtc }))
    const bookedUntil = DateTime.makeUnsafe("2026-09-21T12:00:00Z")
    const events = yield* Effect.forkChild(
      Subscribe.channels({ channels: ["room"] }).pipe(
        Stream.mapEffect(Rooms.event),
        Stream.take(3),
        Stream.runCollect
      )
    )
    yield* VirtualTime.advance("1 second")
    yield* Rooms.set({ id: "room", custom: { bookedUntil } })
    yield* Rooms.update({ id: "room" }, () => ({ custom: none() }))
    yield* Rooms.remove({ id: "room" })
    yield* VirtualTime.advance("1 second")
    assert.deepStrictEqual(
      (yield* Fiber.join(events)).map((event): object =>
        event._tag === "ChannelSet" ? event.change : { gone: event.channelId }
      ),
      [{ custom: some({ bookedUntil }) }, { custom: none() }, { gone: "room" }]
    )
    yield* Channels.set({ id: "room", custom: { bookedUntil: "never" } })
    const error = yield* Effect.flip(Rooms.get({ id: "room", include: ["custom"] }))
    assert.deepInclude(
      { ...error },
      { _tag: "CustomMismatch", operation: "Channels.get", kind: "channel", id: "room" } as object
    )
  }).pipe(Effect.provide(emulated())))

describe("bad input is refused before a request is made", () => {
  type Needs = Effect.Services<ReturnType<typeof Channels.remove>>
  type Failure = PubNubError.PubNubError | AppContext.ObjectNotFound

  it.effect.each<readonly [string, Effect.Effect<unknown, Failure, Needs>, ReadonlyArray<string>]>([
    ["no id", Channels.get({ id: "" }), ["id"]],
    ["the id ..", Channels.set({ id: ".." }), ["id"]],
    ["an id of 93 bytes", Channels.remove({ id: "x".repeat(93) }), ["id"]],
    [
      "texts that are too long",
      Channels.set({
        id: "a",
        name: "x".repeat(2_049),
        description: "x".repeat(2_049),
        status: "x".repeat(51),
        type: "x".repeat(51)
      }),
      ["name", "description", "status", "type"]
    ],
    ["an unknown key to sort by", Channels.list({ sort: ["description" as Objects.SortKey] }), ["sort"]],
    ["a limit of 101", Channels.list({ limit: 101 }), ["limit"]]
  ])("%s", ([, call, locations]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(call)
      if (error._tag !== "PubNubError" || error.reason._tag !== "BadRequest") return assert.fail(error._tag)
      assert.isUndefined(error.reason.status)
      assert.deepStrictEqual(error.reason.details.map(({ location }) => location), [...locations])
    }).pipe(Effect.provide(Layer.merge(
      Transport.layerScripted([]),
      PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host" })
    ))))
})

it.effect("a missing add-on is FeatureDisabled, and a missing permission is AccessDenied", () =>
  Effect.gen(function*() {
    const emulator = yield* PubNubEmulator.PubNubEmulator
    yield* emulator.deny({ channels: ["vault"] })
    assert.strictEqual((yield* Effect.flip(Channels.remove({ id: "vault" }))).reason._tag, "AccessDenied")
    yield* emulator.setAddOns({ appContext: false })
    const { reason } = yield* Effect.flip(Channels.list())
    assert.deepInclude({ ...reason }, { _tag: "FeatureDisabled", addOn: "AppContext" } as object)
  }).pipe(Effect.provide(emulated())))
