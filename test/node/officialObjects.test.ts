/** The official client keeps users, channels and memberships in the emulator, and hears of them, as with the service. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as PubNubEmulatorServer from "effect-herald/node/PubNubEmulatorServer"
import { client, type Heard, next, subscribed, theirs } from "./officialClient.ts"

const served = Effect.provide(PubNubEmulatorServer.layer())

const emulator = PubNubEmulatorServer.PubNubEmulatorServer.use(({ emulator }) => Effect.succeed(emulator))

/** The ids of a list, whatever it is a list of. */
const idsOf = (
  data: ReadonlyArray<{
    readonly id?: unknown
    readonly channel?: { readonly id: string }
    readonly uuid?: { readonly id: string }
  }>
) => data.map(({ channel, id, uuid }) => id ?? channel?.id ?? uuid?.id)

interface ListOptions {
  readonly limit?: number
  readonly page?: { readonly next: string } | { readonly prev: string }
  readonly sort?: { readonly name: "desc"; readonly updated: "desc" }
  readonly filter?: string
  readonly include?: { readonly totalCount?: boolean; readonly customFields?: boolean }
}

interface Listed {
  readonly data: ReadonlyArray<{ readonly id: string; readonly custom?: object | null }>
  readonly totalCount?: number
  readonly next?: string
  readonly prev?: string
}

/** The status code of a refusal, and the text of the service. */
const refusalOf = <A>(promise: () => Promise<A>) =>
  Effect.map(Effect.flip(Effect.tryPromise(promise)), ({ cause }) => {
    const status = Predicate.isObject(cause) ? cause["status"] : undefined
    return Predicate.isObject(status) ? status["statusCode"] : cause
  })

it.live("the official client sets, merges, reads and removes a user, and gets 412 for an old etag", () =>
  Effect.gen(function*() {
    const { objects } = yield* client("ada")
    const set = yield* theirs(() =>
      objects.setUUIDMetadata({
        data: {
          name: "Ada ☃",
          email: "a@b.c",
          externalId: "7",
          profileUrl: "http://x/y",
          custom: { level: 3, ok: true }
        },
        include: { customFields: true }
      })
    )
    assert.deepInclude(set.data, {
      id: "ada",
      name: "Ada ☃",
      email: "a@b.c",
      externalId: "7",
      profileUrl: "http://x/y",
      custom: { level: 3, ok: true },
      status: null,
      type: null
    } as object)
    const merged = yield* theirs(() => objects.setUUIDMetadata({ data: { status: "here", type: "admin" } }))
    assert.deepInclude(merged.data, { name: "Ada ☃", email: "a@b.c", status: "here", type: "admin" } as object)
    assert.deepStrictEqual((yield* theirs(() => objects.getUUIDMetadata())).data, merged.data)

    const tag = merged.data.eTag
    const change = (name: string) => () => objects.setUUIDMetadata({ uuid: "ada", data: { name }, ifMatchesEtag: tag })
    assert.strictEqual((yield* theirs(change("one"))).data.name, "one")
    assert.strictEqual(yield* refusalOf(change("two")), 412)

    yield* theirs(() => objects.removeUUIDMetadata())
    yield* theirs(() => objects.removeUUIDMetadata({ uuid: "ada" }))
    assert.strictEqual(yield* refusalOf(() => objects.getUUIDMetadata()), 404)
  }).pipe(Effect.scoped, served))

it.live("the official client sets, merges, reads and removes a channel, and gets 412 for an old etag", () =>
  Effect.gen(function*() {
    const { objects } = yield* client("ada")
    const channel = "a room/☃"
    const set = yield* theirs(() =>
      objects.setChannelMetadata({
        channel,
        data: { name: "Room", custom: { k: "v" } },
        include: { customFields: true }
      })
    )
    assert.deepInclude(set.data, { id: channel, name: "Room", description: null, custom: { k: "v" } } as object)
    const merged = yield* theirs(() => objects.setChannelMetadata({ channel, data: { description: "d", status: "s" } }))
    assert.deepInclude(merged.data, { name: "Room", description: "d", status: "s", custom: { k: "v" } } as object)
    assert.deepStrictEqual((yield* theirs(() => objects.getChannelMetadata({ channel }))).data, merged.data)

    const tag = merged.data.eTag
    const change = (name: string) => () => objects.setChannelMetadata({ channel, data: { name }, ifMatchesEtag: tag })
    assert.strictEqual((yield* theirs(change("one"))).data.name, "one")
    assert.strictEqual(yield* refusalOf(change("two")), 412)

    yield* theirs(() => objects.removeChannelMetadata({ channel }))
    assert.strictEqual(yield* refusalOf(() => objects.getChannelMetadata({ channel })), 404)
  }).pipe(Effect.scoped, served))

it.live("the official client lists users and channels with pages, total, sorting, filter and custom fields", () =>
  Effect.gen(function*() {
    const { setChannel, setUser } = yield* emulator
    for (let index = 0; index < 5; index++) {
      const change = { name: `n${index % 2}`, type: index < 3 ? "low" : "high", custom: { index } }
      yield* setUser({ id: `u${index}`, ...change })
      yield* setChannel({ id: `c${index}`, ...change })
    }
    const { objects } = yield* client("ada")
    const users = (options: ListOptions) => objects.getAllUUIDMetadata(options)
    const channels = (options: ListOptions) => objects.getAllChannelMetadata(options)
    for (const [letter, list] of [["u", users], ["c", channels]] as const) {
      const read = (options: ListOptions): Effect.Effect<Listed> => theirs(() => list(options))
      const named = (...indices: ReadonlyArray<number>) => indices.map((index) => `${letter}${index}`)
      const all = yield* read({ include: { customFields: true, totalCount: true } })
      assert.deepStrictEqual(idsOf(all.data), named(0, 1, 2, 3, 4))
      assert.deepStrictEqual(all.data.map(({ custom }) => custom), [0, 1, 2, 3, 4].map((index) => ({ index })))
      assert.strictEqual(all.totalCount, 5)

      const first = yield* read({ limit: 2 })
      assert.deepStrictEqual(idsOf(first.data), named(0, 1))
      const second = yield* read({ limit: 2, page: { next: first.next ?? "" } })
      assert.deepStrictEqual(idsOf(second.data), named(2, 3))
      const back = yield* read({ limit: 2, page: { prev: second.prev ?? "" } })
      assert.deepStrictEqual(idsOf(back.data), named(0, 1))

      const sorted = yield* read({ sort: { name: "desc", updated: "desc" } })
      assert.deepStrictEqual(idsOf(sorted.data), named(3, 1, 4, 2, 0))
      const filtered = yield* read({ filter: "type == \"low\" && name LIKE 'n0*'", include: { totalCount: true } })
      assert.deepStrictEqual([idsOf(filtered.data), filtered.totalCount], [named(0, 2), 2])
      assert.strictEqual(yield* refusalOf(() => list({ filter: "custom.index == 1" })), 400)
    }
  }).pipe(Effect.scoped, served))

it.live("the official client sets, lists, sorts, filters and removes the memberships of a user", () =>
  Effect.gen(function*() {
    const { setChannel } = yield* emulator
    yield* setChannel({ id: "a", name: "A", status: "open", custom: { k: 1 } })
    const { objects } = yield* client("ada")
    const set = yield* theirs(() =>
      objects.setMemberships({
        channels: ["b", { id: "a", custom: { role: "admin" }, status: "on", type: "t" }],
        include: { customFields: true, channelFields: true, customChannelFields: true, totalCount: true }
      })
    )
    assert.strictEqual(set.totalCount, 2)
    assert.deepStrictEqual(idsOf(set.data), ["a", "b"])
    assert.deepNestedInclude(set.data[0], {
      "channel.name": "A",
      "channel.status": "open",
      "channel.custom": { k: 1 },
      "custom": { role: "admin" },
      "status": "on"
    })
    assert.deepStrictEqual(set.data[1]?.channel, { id: "b" })

    const list = (options: Parameters<typeof objects.getMemberships>[0]) =>
      theirs(() => objects.getMemberships(options))
    assert.deepStrictEqual(idsOf((yield* list({})).data), ["a", "b"])
    assert.deepStrictEqual(idsOf((yield* list({ sort: { "channel.id": "desc" } })).data), ["b", "a"])
    assert.deepStrictEqual(idsOf((yield* list({ filter: "channel.name == 'A'" })).data), ["a"])
    const first = yield* list({ limit: 1 })
    const page = { next: first.next ?? "" }
    assert.deepStrictEqual(idsOf((yield* list({ uuid: "ada", limit: 1, page })).data), ["b"])

    const left = yield* theirs(() => objects.removeMemberships({ channels: ["a"] }))
    assert.deepStrictEqual(idsOf(left.data), ["b"])
    assert.lengthOf((yield* list({ uuid: "bob" })).data, 0)
  }).pipe(Effect.scoped, served))

it.live("the official client sets, lists, sorts, filters and removes the members of a channel", () =>
  Effect.gen(function*() {
    const { memberships, setUser } = yield* emulator
    yield* setUser({ id: "ada", name: "Ada", type: "admin", custom: { k: 1 } })
    const { objects } = yield* client("ada")
    const channel = "room"
    const set = yield* theirs(() =>
      objects.setChannelMembers({
        channel,
        uuids: ["bob", { id: "ada", custom: { role: "owner" }, status: "on", type: "t" }],
        include: { customFields: true, UUIDFields: true, customUUIDFields: true, totalCount: true }
      })
    )
    assert.strictEqual(set.totalCount, 2)
    assert.deepStrictEqual(idsOf(set.data), ["ada", "bob"])
    assert.deepNestedInclude(set.data[0], {
      "uuid.name": "Ada",
      "uuid.type": "admin",
      "uuid.custom": { k: 1 },
      "custom": { role: "owner" },
      "type": "t"
    })
    assert.deepInclude((yield* memberships)[0], { userId: "ada", channel, status: "on", custom: { role: "owner" } })

    const list = (options: object) => theirs(() => objects.getChannelMembers({ channel, ...options }))
    assert.deepStrictEqual(idsOf((yield* list({})).data), ["ada", "bob"])
    assert.deepStrictEqual(idsOf((yield* list({ sort: { status: "desc", "uuid.id": "desc" } })).data), ["bob", "ada"])
    assert.deepStrictEqual(idsOf((yield* list({ filter: "uuid.name LIKE 'A*'" })).data), ["ada"])
    const first = yield* list({ limit: 1 })
    assert.deepStrictEqual(idsOf((yield* list({ limit: 1, page: { next: first.next } })).data), ["bob"])

    const left = yield* theirs(() => objects.removeChannelMembers({ channel, uuids: ["ada"] }))
    assert.deepStrictEqual(idsOf(left.data), ["bob"])
    const none = yield* theirs(() => objects.removeChannelMembers({ channel, uuids: ["bob"] }))
    assert.deepStrictEqual(none.data, [])
  }).pipe(Effect.scoped, served))

it.live("the official client's listeners receive App Context events", () =>
  Effect.gen(function*() {
    const ada = yield* client("ada")
    const heard = yield* subscribed(yield* client("bob"), { channels: ["ada", "room"] })
    const event = Effect.map(
      next(heard, ({ kind }) => kind === "objects"),
      ({ channel, message }: Heard) => {
        const { data, event, type } = message as { data: object; event: string; type: string }
        const { eTag: _, updated: __, ...fields } = data as { eTag?: string; updated?: string }
        return [channel, `${event} ${type}`, fields]
      }
    )
    yield* theirs(() => ada.objects.setChannelMetadata({ channel: "room", data: { name: "Room" } }))
    yield* theirs(() => ada.objects.setMemberships({ channels: [{ id: "room", status: "on" }] }))
    yield* theirs(() => ada.objects.setUUIDMetadata({ data: { name: "Ada", custom: { a: 1 } } }))
    yield* theirs(() => ada.objects.setUUIDMetadata({ data: { name: "Ada" } }))
    yield* theirs(() => ada.objects.removeUUIDMetadata())
    yield* theirs(() => ada.objects.removeChannelMembers({ channel: "room", uuids: ["ada"] }))
    yield* theirs(() => ada.objects.removeChannelMetadata({ channel: "room" }))
    const ends = { channel: { id: "room" }, uuid: { id: "ada" } }
    for (
      const expected of [
        ["room", "set channel", { id: "room", name: "Room" }],
        ["room", "set membership", { ...ends, status: "on" }],
        ["ada", "set membership", { ...ends, status: "on" }],
        ["ada", "set uuid", { id: "ada", name: "Ada", custom: { a: 1 } }],
        ["room", "set uuid", { id: "ada", name: "Ada", custom: { a: 1 } }],
        ["ada", "delete uuid", { id: "ada" }],
        ["room", "delete uuid", { id: "ada" }],
        ["room", "delete membership", ends],
        ["ada", "delete membership", ends],
        ["room", "delete channel", { id: "room" }]
      ]
    ) {
      assert.deepStrictEqual(yield* event, expected)
    }
  }).pipe(Effect.scoped, served))

it.live("the official client's signatures of App Context requests are accepted", () =>
  Effect.gen(function*() {
    const ada = yield* client("ada", { secretKey: "sec" })
    yield* theirs(() => ada.objects.setUUIDMetadata({ data: { name: "Ada" } }))
    const { data } = yield* theirs(() => ada.objects.getAllUUIDMetadata({ sort: { updated: "asc", name: "desc" } }))
    assert.deepStrictEqual(idsOf(data), ["ada"])
  }).pipe(
    Effect.scoped,
    Effect.provide(
      PubNubEmulatorServer.layer({ keysets: [{ subscribeKey: "demo-sub", publishKey: "demo-pub", secretKey: "sec" }] })
    )
  ))

it.live("the official client gets the status of a refusal when App Context is denied or off", () =>
  Effect.gen(function*() {
    const { deny, setAddOns } = yield* emulator
    const { objects } = yield* client("ada")
    yield* deny({ channels: ["ada"] })
    assert.strictEqual(yield* refusalOf(() => objects.getUUIDMetadata()), 403)
    assert.strictEqual(yield* refusalOf(() => objects.getUUIDMetadata({ uuid: "bob" })), 404)
    yield* setAddOns({ appContext: false })
    assert.strictEqual(yield* refusalOf(() => objects.getUUIDMetadata({ uuid: "bob" })), 403)
  }).pipe(Effect.scoped, served))
