/** App Context and message actions on one emulator's port: what either client writes, both read, and both hear of. */
import { assert, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { MessageAction } from "effect-herald/pubnub"
import {
  AppContext,
  ChannelGroups,
  Channels,
  History,
  Members,
  Memberships,
  MessageActions,
  Publish,
  type PubNubConfig,
  Subscribe,
  type SubscribeEvent,
  Timetoken,
  Users
} from "effect-herald/pubnub"
import type PubNub from "pubnub"
import { both, client, type Heard, next, subscribed, theirs } from "./officialClient.ts"
import { decoded } from "../kit/decoded.ts"

type Needs = HttpClient.HttpClient | PubNubConfig.PubNubConfig

// --------------------------------------------------------------------------------------------------------------------
// the same data, whoever read it
// --------------------------------------------------------------------------------------------------------------------

/** What either client gives, in one form: what is not set is null, empty custom data too, and times have milliseconds. */
const plain = (value: unknown): unknown => {
  if (Option.isOption(value)) return plain(Option.getOrNull(value))
  if (DateTime.isDateTime(value)) return DateTime.formatIso(value)
  if (Array.isArray(value)) return value.map(plain)
  if (!Predicate.isObject(value)) return value
  const { eTag, updated, ...rest } = value
  const isCleared = (name: string, field: unknown) =>
    name === "custom" && Predicate.isObject(field) && Object.keys(field).length === 0
  return {
    ...Object.fromEntries(
      Object.entries(rest).map(([name, field]) => [name, isCleared(name, field) ? null : plain(field)])
    ),
    ...eTag === undefined ? {} : { etag: eTag },
    ...updated === undefined
      ? {}
      : { updated: plain(Predicate.isString(updated) ? DateTime.makeUnsafe(updated) : updated) }
  }
}

/** The fields of objects that are set: ours leave out the others, and theirs have `null`. */
const set = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(set)
  if (!Predicate.isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== null)
      .map(([name, field]) => [name, name === "custom" ? field : set(field)])
  )
}

const stored = (value: unknown) => set(plain(value))

/** How a request was refused: the tag of our error, or the status code of theirs. */
const refusal = <A, E, R>(request: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(request), (error: unknown) => {
    if (!Predicate.isObject(error)) return error
    const { _tag, cause } = error
    const status = Predicate.isObject(cause) ? cause["status"] : undefined
    return Predicate.isObject(status) ? status["statusCode"] : _tag
  })

const asked = <A>(promise: () => Promise<A>) => Effect.tryPromise(promise)

/** Clears a field of theirs. Their types know of none that is cleared, though the service takes it. */
const nothing = null as never

// --------------------------------------------------------------------------------------------------------------------
// users and channels
// --------------------------------------------------------------------------------------------------------------------

const all = ["custom", "status", "type"] as const
const include = { customFields: true, statusField: true, typeField: true, totalCount: true }
const own = { status: "on", type: "admin", custom: { level: 3.5, ok: true, note: "☃", none: null } }
const user = { name: "Ada ☃", externalId: "7", profileUrl: "http://x/y?z", email: "a@b.c", ...own }
const room = { name: "Room", description: "50% of it", ...own }
const changed = { name: "new", custom: { level: 4 } }

interface Side {
  readonly set: (id: string) => Effect.Effect<unknown, unknown, Needs>
  readonly change: (id: string) => Effect.Effect<unknown, unknown, Needs>
  readonly get: (id: string) => Effect.Effect<unknown, unknown, Needs>
  readonly list: Effect.Effect<unknown, unknown, Needs>
  readonly setIf: (id: string, etag: string) => Effect.Effect<unknown, unknown, Needs>
  readonly remove: (id: string) => Effect.Effect<unknown, unknown, Needs>
  /** What an old tag is answered with, and what an object that is not there. */
  readonly refusals: readonly [changed: unknown, notFound: unknown]
}

const ourUsers: Side = {
  set: (id) => Users.set({ id, ...user, include: all }),
  change: (id) => Users.set({ id, ...changed, email: Option.none(), status: Option.none(), include: all }),
  get: (id) => Users.get({ id, include: all }),
  list: Users.list({ include: all, totalCount: true }),
  setIf: (id, etag) => Users.set({ id, name: "late", ifMatchesEtag: AppContext.Etag.make(etag) }),
  remove: (id) => Users.remove({ id }),
  refusals: ["ObjectChanged", "ObjectNotFound"]
}

const theirUsers = ({ objects }: PubNub): Side => ({
  set: (uuid) => Effect.map(asked(() => objects.setUUIDMetadata({ uuid, data: user, include })), dataOf),
  change: (uuid) =>
    Effect.map(
      asked(() => objects.setUUIDMetadata({ uuid, data: { ...changed, email: nothing, status: nothing }, include })),
      dataOf
    ),
  get: (uuid) => Effect.map(asked(() => objects.getUUIDMetadata({ uuid, include })), dataOf),
  list: Effect.map(asked(() => objects.getAllUUIDMetadata({ include })), pageOf),
  setIf: (uuid, etag) => asked(() => objects.setUUIDMetadata({ uuid, data: { name: "late" }, ifMatchesEtag: etag })),
  remove: (uuid) => asked(() => objects.removeUUIDMetadata({ uuid })),
  refusals: [412, 404]
})

const ourChannels: Side = {
  set: (id) => Channels.set({ id, ...room, include: all }),
  change: (id) => Channels.set({ id, ...changed, description: Option.none(), status: Option.none(), include: all }),
  get: (id) => Channels.get({ id, include: all }),
  list: Channels.list({ include: all, totalCount: true }),
  setIf: (id, etag) => Channels.set({ id, name: "late", ifMatchesEtag: AppContext.Etag.make(etag) }),
  remove: (id) => Channels.remove({ id }),
  refusals: ["ObjectChanged", "ObjectNotFound"]
}

const theirChannels = ({ objects }: PubNub): Side => ({
  set: (channel) => Effect.map(asked(() => objects.setChannelMetadata({ channel, data: room, include })), dataOf),
  change: (channel) =>
    Effect.map(
      asked(() =>
        objects.setChannelMetadata({ channel, data: { ...changed, description: nothing, status: nothing }, include })
      ),
      dataOf
    ),
  get: (channel) => Effect.map(asked(() => objects.getChannelMetadata({ channel, include })), dataOf),
  list: Effect.map(asked(() => objects.getAllChannelMetadata({ include })), pageOf),
  setIf: (channel, etag) =>
    asked(() => objects.setChannelMetadata({ channel, data: { name: "late" }, ifMatchesEtag: etag })),
  remove: (channel) => asked(() => objects.removeChannelMetadata({ channel })),
  refusals: [412, 404]
})

const withoutFields = (value: object, ...names: ReadonlyArray<string>) =>
  Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)))

const dataOf = ({ data }: { readonly data: unknown }) => data
const pageOf = ({ data, totalCount }: { readonly data: unknown; readonly totalCount?: number }) => ({
  items: data,
  totalCount
})

for (
  const [name, ours, official, fields, cleared] of [
    ["users", ourUsers, theirUsers, user, withoutFields({ ...user, ...changed }, "email", "status")],
    ["channels", ourChannels, theirChannels, room, withoutFields({ ...room, ...changed }, "description", "status")]
  ] as const
) {
  it.live(`${name}: both clients read every field that the other wrote, and are refused alike`, () =>
    Effect.gen(function*() {
      const theirs = official(yield* client("theirs"))
      const ids = ["a ☃/1", "a ☃/2"] as const
      for (const [id, writer] of [[ids[0], ours], [ids[1], theirs]] as const) {
        for (const [write, expected] of [[writer.set, fields], [writer.change, cleared]] as const) {
          const written = stored(yield* write(id))
          assert.deepStrictEqual(withoutVersions(written), { id, ...expected })
          assert.deepStrictEqual(stored(yield* ours.get(id)), written)
          assert.deepStrictEqual(stored(yield* theirs.get(id)), written)
        }
      }
      const listed = stored(yield* ours.list)
      assert.deepStrictEqual(stored(yield* theirs.list), listed)
      assert.deepNestedInclude(listed, { totalCount: 2, "items[0].id": ids[0], "items[1].id": ids[1] } as object)

      for (const [id, writer, other] of [[ids[0], ours, theirs], [ids[1], theirs, ours]] as const) {
        const [isChanged, notFound] = writer.refusals
        const { etag } = plain(yield* writer.get(id)) as { readonly etag: string }
        yield* other.setIf(id, etag)
        assert.strictEqual(yield* refusal(writer.setIf(id, etag)), isChanged)
        yield* other.remove(id)
        assert.strictEqual(yield* refusal(writer.get(id)), notFound)
      }
    }).pipe(Effect.scoped, Effect.provide(both)))
}

// --------------------------------------------------------------------------------------------------------------------
// memberships and members
// --------------------------------------------------------------------------------------------------------------------

/** The other end of a relation is there whole, or with its id alone. */
const whole = (end: object) => "eTag" in end ? end : null

const relations = ({ objects }: PubNub) => ({
  ourMemberships: (user: string) =>
    Memberships.list({
      userId: user,
      include: [...all, "channel", "channel.custom", "channel.status", "channel.type"],
      totalCount: true
    }),
  theirMemberships: (uuid: string) =>
    Effect.map(
      asked(() =>
        objects.getMemberships({
          uuid,
          include: {
            ...include,
            channelFields: true,
            customChannelFields: true,
            channelStatusField: true,
            channelTypeField: true
          }
        })
      ),
      ({ data, totalCount }) => ({
        items: data.map(({ channel, ...own }) => ({ ...own, channelId: channel.id, channel: whole(channel) })),
        totalCount
      })
    ),
  ourMembers: (channel: string) =>
    Members.list({ channel, include: [...all, "user", "user.custom", "user.status", "user.type"], totalCount: true }),
  theirMembers: (channel: string) =>
    Effect.map(
      asked(() =>
        objects.getChannelMembers({
          channel,
          include: {
            ...include,
            UUIDFields: true,
            customUUIDFields: true,
            UUIDStatusField: true,
            UUIDTypeField: true
          }
        })
      ),
      ({ data, totalCount }) => ({
        items: data.map(({ uuid, ...own }) => ({ ...own, userId: uuid.id, user: whole(uuid) })),
        totalCount
      })
    )
})

it.live("memberships and members: both clients read every field that the other wrote, from either side", () =>
  Effect.gen(function*() {
    const official = yield* client("theirs")
    const { objects } = official
    const { ourMembers, ourMemberships, theirMembers, theirMemberships } = relations(official)
    yield* Users.set({ id: "ada", ...user })
    yield* theirs(() => objects.setChannelMetadata({ channel: "room", data: room }))
    yield* Memberships.set({ userId: "ada", channels: ["lobby", { channelId: "room", ...own }] })
    yield* theirs(() => objects.setMemberships({ uuid: "bob", channels: ["lobby", { id: "room", ...own }] }))
    yield* Members.set({ channel: "room", users: ["cleo", { userId: "dan", ...own }] })
    yield* theirs(() => objects.setChannelMembers({ channel: "lobby", uuids: ["dan", { id: "cleo", ...own }] }))

    const bare = {}
    const both = (channel: object, lobby: object) => [
      { channelId: "lobby", ...lobby },
      { channelId: "room", ...channel, channel: { id: "room", ...room } }
    ]
    for (
      const [id, expected] of [
        ["ada", both(own, bare)],
        ["bob", both(own, bare)],
        ["cleo", both(bare, own)],
        ["dan", both(own, bare)]
      ] as const
    ) {
      const read = stored(yield* ourMemberships(id))
      assert.deepStrictEqual(read, stored(yield* theirMemberships(id)))
      assert.deepStrictEqual(withoutVersions(read), { items: expected, totalCount: 2 }, id)
    }
    const members = (owns: ReadonlyArray<string>) =>
      ["ada", "bob", "cleo", "dan"].map((id) => ({
        userId: id,
        ...owns.includes(id) ? own : bare,
        ...id === "ada" ? { user: { id, ...user } } : {}
      }))
    for (const [channel, owns] of [["room", ["ada", "bob", "dan"]], ["lobby", ["cleo"]]] as const) {
      const read = stored(yield* ourMembers(channel))
      assert.deepStrictEqual(read, stored(yield* theirMembers(channel)))
      assert.deepStrictEqual(withoutVersions(read), { items: members(owns), totalCount: 4 }, channel)
    }

    // What one of them clears or removes is so for the other.
    yield* Members.set({ channel: "room", users: [{ userId: "bob", status: Option.none(), custom: Option.none() }] })
    yield* theirs(() =>
      objects.setMemberships({ uuid: "ada", channels: [{ id: "room", status: nothing, custom: nothing }] })
    )
    for (const id of ["ada", "bob"]) {
      const read = stored(yield* ourMemberships(id))
      assert.deepStrictEqual(read, stored(yield* theirMemberships(id)))
      assert.deepStrictEqual(
        withoutVersions(read),
        { items: both({ ...bare, type: "admin" }, bare), totalCount: 2 },
        id
      )
    }
    yield* Memberships.remove({ userId: "bob", channels: ["room"] })
    yield* theirs(() => objects.removeChannelMembers({ channel: "room", uuids: ["ada"] }))
    yield* Members.manage({ channel: "lobby", set: ["eve"], remove: ["dan"] })
    yield* theirs(() => objects.removeMemberships({ uuid: "cleo", channels: ["lobby"] }))
    for (const [channel, left] of [["room", "cleo dan"], ["lobby", "ada bob eve"]] as const) {
      const { items } = yield* ourMembers(channel)
      assert.strictEqual(decoded(items).map(({ userId }) => userId).join(" "), left)
      assert.strictEqual((yield* theirMembers(channel)).items.map(({ userId }) => userId).join(" "), left)
    }
  }).pipe(Effect.scoped, Effect.provide(both)))

/** The same without the times and tags, which both have to read but nobody can foretell. */
const withoutVersions = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withoutVersions)
  if (!Predicate.isObject(value)) return value
  const { etag: _, updated: __, ...rest } = value
  return Object.fromEntries(Object.entries(rest).map(([name, field]) => [name, withoutVersions(field)]))
}

it.live("pages: each client continues from the cursor of the other", () =>
  Effect.gen(function*() {
    const { objects } = yield* client("theirs")
    yield* Members.set({ channel: "room", users: ["a", "b", "c", "d"] })
    const first = yield* Members.list({ channel: "room", limit: 1 })
    const second = yield* theirs(() =>
      objects.getChannelMembers({ channel: "room", limit: 1, page: { next: first.next ?? "" } })
    )
    const rest = yield* Members.list({ channel: "room", next: AppContext.PageCursor.make(second.next ?? "") })
    const read = [
      ...decoded(first.items).map(({ userId }) => String(userId)),
      ...second.data.map(({ uuid }) => uuid.id),
      ...decoded(rest.items).map(({ userId }) => String(userId))
    ]
    assert.deepStrictEqual(read, ["a", "b", "c", "d"])
  }).pipe(Effect.scoped, Effect.provide(both)))

// --------------------------------------------------------------------------------------------------------------------
// message actions
// --------------------------------------------------------------------------------------------------------------------

const smile = { type: "reaction", value: "☺ smile" }

interface Action {
  readonly uuid: string
  readonly actionTimetoken: string
}

/** Who did it is a `uuid` to them, and a `user` to us. */
const renamed = <A extends Action>({ uuid, ...action }: A) => ({ ...action, userId: uuid })

it.live("message actions: both clients list the actions of both, and remove only their own", () =>
  Effect.gen(function*() {
    const official = yield* client("theirs")
    const channel = "a b/☃"
    const ours = yield* Publish.publish({ channel, message: "by ours" })
    const sent = yield* theirs(() => official.publish({ channel, message: "by theirs" }))
    const expected: Array<object> = []
    for (const messageTimetoken of [ours.timetoken, Timetoken.Timetoken.make(sent.timetoken)]) {
      const message = { channel, messageTimetoken }
      const added = yield* MessageActions.add({ ...message, ...smile })
      const add = asked(() => official.addMessageAction({ ...message, action: smile }))
      expected.push(added, renamed((yield* add).data))
      assert.deepInclude({ ...added }, { ...smile, messageTimetoken, userId: "ours" } as object)
      assert.deepInclude(expected.at(-1), { ...smile, messageTimetoken, userId: "theirs" })
      assert.strictEqual(yield* refusal(MessageActions.add({ ...message, ...smile })), "ActionExists")
      assert.strictEqual(yield* refusal(add), 409)
    }
    const list = Effect.map(MessageActions.list({ channel }), ({ items }) => items)
    const getMessageActions = Effect.map(
      theirs(() => official.getMessageActions({ channel })),
      ({ data }) => data.map(renamed)
    )
    assert.deepStrictEqual<unknown>(yield* list, expected)
    assert.deepStrictEqual<unknown>(yield* getMessageActions, expected)

    const { items: entries } = yield* History.list({ channel, include: ["meta", "actions"] })
    const { channels } = yield* theirs(() =>
      official.fetchMessages({ channels: [channel], includeMessageActions: true })
    )
    const fetched = Object.values(channels)[0] as unknown as ReadonlyArray<{
      readonly timetoken: string
      readonly actions: { readonly [type: string]: { readonly [value: string]: ReadonlyArray<Action> } }
    }>
    const stored = entries.flatMap((entry) =>
      entry._tag === "StoredMessage"
        ? entry.actions.map((action) => ({ ...action, messageTimetoken: entry.timetoken }))
        : []
    )
    assert.deepStrictEqual<unknown>(stored, expected)
    assert.deepStrictEqual<unknown>(
      fetched.flatMap(({ actions, timetoken }) =>
        Object.entries(actions).flatMap(([type, values]) =>
          Object.entries(values).flatMap(([value, added]) =>
            added.map((action) => ({ ...renamed(action), type, value, messageTimetoken: String(timetoken) }))
          )
        )
      ),
      expected
    )

    // Each takes back what is its own, and nothing else.
    const [byOurs, byTheirs] = decoded(yield* list)
    assert(byOurs !== undefined && byTheirs !== undefined)
    const remove = ({ actionTimetoken, messageTimetoken }: MessageAction.MessageAction) =>
      asked(() => official.removeMessageAction({ channel, messageTimetoken, actionTimetoken }))
    assert.strictEqual(yield* refusal(MessageActions.remove({ channel, ...byTheirs })), "ActionOfAnotherUser")
    assert.strictEqual(yield* refusal(remove(byOurs)), 400)
    yield* MessageActions.remove({ channel, ...byOurs })
    yield* remove(byTheirs)
    assert.strictEqual(yield* refusal(MessageActions.remove({ channel, ...byTheirs })), "ActionNotFound")
    assert.strictEqual(yield* refusal(remove(byOurs)), 400)
    assert.deepStrictEqual<unknown>(yield* list, expected.slice(2))
    assert.deepStrictEqual<unknown>(yield* getMessageActions, expected.slice(2))
  }).pipe(Effect.scoped, Effect.provide(both)))

// --------------------------------------------------------------------------------------------------------------------
// events
// --------------------------------------------------------------------------------------------------------------------

/** Ours, subscribed, with its next event of App Context or of actions, less what only ours tells: the region and the cursor. */
const listening = (to: { readonly channels?: ReadonlyArray<string>; readonly groups?: ReadonlyArray<string> }) =>
  Effect.gen(function*() {
    const heard = yield* Queue.unbounded<SubscribeEvent.SubscribeEvent>()
    yield* Subscribe.stream(to).pipe(Stream.runForEach((event) => Queue.offer(heard, event)), Effect.forkScoped)
    yield* Effect.repeat(Queue.take(heard), { until: ({ _tag }) => _tag === "Connected" })
    const take = Effect.repeat(Queue.take(heard), {
      until: ({ _tag }) => /^(User|Channel|Membership|MessageAction)/.test(_tag)
    }).pipe(
      Effect.map((event) => {
        const { cursor: _, region: __, ...rest } = plain(event) as Record<string, unknown>
        return rest
      })
    )
    return { take }
  })

/** An event of theirs, as ours tells it. */
const retold = ({ kind: _, message, ...delivery }: Heard) => {
  const { data: { channel: room, eTag, id, updated, uuid, ...change }, event, type } = message as {
    readonly event: "set" | "delete"
    readonly type: "uuid" | "channel" | "membership"
    readonly data: {
      readonly id?: string
      readonly uuid?: { readonly id: string }
      readonly channel?: { readonly id: string }
      readonly eTag?: string
      readonly updated?: string
    }
  }
  // The service tells of a custom that was cleared as an empty one; ours says that it was cleared.
  const isCleared = "custom" in change && JSON.stringify(change.custom) === "{}"
  const ends = {
    uuid: { userId: id },
    channel: { channelId: id },
    membership: { userId: uuid?.id, channelId: room?.id }
  }
  const name = { uuid: "User", channel: "Channel", membership: "Membership" }[type]
  const where = { ...delivery, ...ends[type] }
  return plain(
    event === "set"
      ? { _tag: `${name}Set`, ...where, change: isCleared ? { ...change, custom: null } : change, eTag, updated }
      : { _tag: `${name}Removed`, ...where, ...change }
  )
}

it.live("App Context events: both clients receive the same events", () =>
  Effect.gen(function*() {
    const official = yield* client("theirs")
    const { objects } = official
    const heard = yield* subscribed(official, { channels: ["ada", "room"] })
    const { take } = yield* listening({ channels: ["ada", "room"] })
    const takeTheirs = Effect.map(next(heard, ({ kind }) => kind === "objects"), retold)

    const channel = "room"
    const uuid = "ada"
    const none = Option.none()
    const ends = { userId: "ada", channelId: "room" }
    const fields = { status: "on", custom: { level: 3.5, none: null } }
    const onBoth = (_tag: string, rest: object) => [{ _tag, channel, ...rest }, { _tag, channel: uuid, ...rest }]
    const ofUser = (_tag: string, rest: object) => onBoth(_tag, { userId: "ada", ...rest }).toReversed()
    const steps: ReadonlyArray<
      readonly [
        ours: Effect.Effect<unknown, unknown, Needs>,
        theirs: () => Promise<unknown>,
        events: ReadonlyArray<{ readonly _tag: string; readonly [field: string]: unknown }>
      ]
    > = [
      [
        Channels.set({ id: channel, ...room }),
        () => objects.setChannelMetadata({ channel, data: room }),
        [{ _tag: "ChannelSet", channel, channelId: channel, change: room }]
      ],
      [
        Users.set({ id: uuid, ...user }),
        () => objects.setUUIDMetadata({ uuid, data: user }),
        [{ _tag: "UserSet", channel: uuid, userId: uuid, change: user }]
      ],
      [
        Memberships.set({ userId: uuid, channels: [{ channelId: channel, ...fields }] }),
        () => objects.setMemberships({ uuid, channels: [{ id: channel, ...fields }] }),
        onBoth("MembershipSet", { ...ends, change: fields })
      ],
      // The same once more is no change, and nobody hears of it.
      [
        Members.set({ channel, users: [{ userId: uuid, ...fields }] }),
        () => objects.setChannelMembers({ channel, uuids: [{ id: uuid, ...fields }] }),
        []
      ],
      [
        Members.set({ channel, users: [{ userId: uuid, status: none, type: "t", custom: none }] }),
        () =>
          objects.setChannelMembers({ channel, uuids: [{ id: uuid, status: nothing, type: "t", custom: nothing }] }),
        onBoth("MembershipSet", { ...ends, change: { status: null, type: "t", custom: null } })
      ],
      [
        Users.set({ id: uuid, ...changed, email: none }),
        () => objects.setUUIDMetadata({ uuid, data: { ...changed, email: nothing } }),
        ofUser("UserSet", { change: { ...changed, email: null } })
      ],
      [
        Users.remove({ id: uuid }),
        () => objects.removeUUIDMetadata({ uuid }),
        ofUser("UserRemoved", {})
      ],
      [
        Memberships.remove({ userId: uuid, channels: [channel] }),
        () => objects.removeMemberships({ uuid, channels: [channel] }),
        onBoth("MembershipRemoved", ends)
      ],
      [
        Channels.remove({ id: channel }),
        () => objects.removeChannelMetadata({ channel }),
        [{ _tag: "ChannelRemoved", channel, channelId: channel }]
      ]
    ]
    const stored = new Map<string, Effect.Effect<unknown, unknown, Needs>>([
      ["ChannelSet", Channels.get({ id: channel })],
      ["UserSet", Users.get({ id: uuid })],
      ["MembershipSet", Effect.map(Memberships.list({ userId: uuid }), ({ items }) => items[0])]
    ])
    for (const writer of ["ours", "theirs"]) {
      for (const [change, promise, expected] of steps) {
        yield* writer === "ours" ? change : theirs(promise)
        for (const event of expected) {
          const told = yield* take
          assert.deepInclude(told, event, writer)
          assert.deepStrictEqual<unknown>(told, yield* takeTheirs, writer)
          const { etag, updated } = plain(yield* stored.get(event._tag) ?? Effect.succeed({})) as Record<
            string,
            unknown
          >
          assert.deepStrictEqual([told["etag"], told["updated"]], [etag, updated], writer)
        }
      }
    }
  }).pipe(Effect.scoped, Effect.provide(both)), 20_000)

it.live("message action events: both clients receive the same ones", () =>
  Effect.gen(function*() {
    yield* ChannelGroups.addChannels({ group: "rooms", channels: ["room"] })
    const official = yield* client("theirs")
    const heard = yield* subscribed(official, { channelGroups: ["rooms"] })
    const { take } = yield* listening({ groups: ["rooms"] })
    const takeTheirs = Effect.map(
      next(heard, ({ kind }) => kind === "messageAction"),
      ({ data, event, kind: _, ...rest }) => {
        const action = renamed(data as Action)
        const _tag = event === "added" ? "MessageActionAdded" : "MessageActionRemoved"
        return { _tag, ...rest, publisher: action.userId, action }
      }
    )
    const { timetoken: messageTimetoken } = yield* Publish.publish({ channel: "room", message: "hi" })
    const message = { channel: "room", messageTimetoken }
    const byOurs = yield* MessageActions.add({ ...message, ...smile })
    const { data } = yield* theirs(() => official.addMessageAction({ ...message, action: smile }))
    yield* MessageActions.remove({ ...message, ...byOurs })
    yield* theirs(() => official.removeMessageAction({ ...message, actionTimetoken: data.actionTimetoken }))
    for (const _tag of ["MessageActionAdded", "MessageActionRemoved"]) {
      for (const [publisher, { actionTimetoken }] of [["ours", byOurs], ["theirs", data]] as const) {
        const told = yield* take
        assert.deepInclude(told, {
          _tag,
          channel: "room",
          subscription: "rooms",
          publisher,
          action: { ...smile, userId: publisher, messageTimetoken, actionTimetoken }
        } as object)
        assert.deepStrictEqual<unknown>(told, yield* takeTheirs)
      }
    }
  }).pipe(Effect.scoped, Effect.provide(both)), 20_000)
