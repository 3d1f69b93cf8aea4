import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Channels, Members, Memberships, Users } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import type { Live } from "effect-herald/Live"
import { emulated, requestsTo } from "../kit/emulated.ts"
import { decoded } from "../kit/decoded.ts"

const emulator = PubNubEmulator.PubNubEmulator
const inject = (rule: Faults.Rule) => Faults.Faults.use(({ add }) => add(rule))
const count = (prefix: string) => Effect.map(requestsTo(prefix), (requests) => requests.length)
const reads = count("/v2/objects/demo-sub/uuids/ada")
const polls = count("/v2/subscribe/")
const histories = count("/v3/history")
const isRead = ({ url }: { readonly url: string }) => url.includes("/v2/objects/")
const isPoll = ({ url }: { readonly url: string }) => url.includes("/v2/subscribe/")

type Ref<A, E> = SubscriptionRef.SubscriptionRef<Live<A, E>>

const look = <A, E>(ref: Ref<A, E>) => SubscriptionRef.get(ref)
const valueOf = <A, E>(ref: Ref<A, E>) => Effect.map(look(ref), ({ value }) => value)
const stateOf = <A, E>(ref: Ref<A, E>) => Effect.map(look(ref), ({ state }) => state)
const failureOf = <A, E extends { readonly _tag: string }>(ref: Ref<A, E>) =>
  Effect.map(look(ref), ({ failure }) => failure?._tag)

/** All that a live value was, beginning with what it is now. */
const watch = <A, E>(ref: Ref<A, E>) =>
  Effect.gen(function*() {
    const states: Array<string> = []
    yield* Effect.forkScoped(
      Stream.runForEach(SubscriptionRef.changes(ref), ({ state }) => Effect.sync(() => states.push(state)))
    )
    yield* VirtualTime.advance("1 milli")
    return states
  })

/** An event of a user, as the service would write it. */
const tell = (
  event: "set" | "delete",
  data: object,
  options: { readonly channel?: string; readonly type?: string } = {}
) =>
  emulator.use(({ emit }) =>
    emit({
      channel: options.channel ?? "ada",
      kind: "AppContext",
      payload: { source: "objects", version: "2.0", event, type: options.type ?? "uuid", data: { id: "ada", ...data } }
    })
  )

const later = VirtualTime.advance("1 second")
const ada = Users.get({ include: ["custom", "status", "type"] })

describe("a live user", () => {
  it.effect("is read once, and follows the changes of events without another read", () =>
    Effect.gen(function*() {
      const { setUser } = yield* emulator
      yield* setUser({ id: "ada", name: "Ada", email: "a@b", status: "here", custom: { team: "core", level: 1 } })
      const live = yield* Users.live()
      assert.deepStrictEqual(yield* look(live), { value: yield* ada, state: "current" })
      assert.deepStrictEqual(yield* reads, 2)
      const states = yield* watch(live)
      yield* setUser({ id: "ada", name: "Countess", email: Option.none(), custom: { team: "docs" } })
      yield* later
      yield* setUser({ id: "ada", custom: Option.none(), type: "person" })
      yield* later
      assert.deepStrictEqual(yield* reads, 2)
      const value = (yield* valueOf(live))!
      assert.deepStrictEqual(value, yield* ada)
      assert.deepStrictEqual(
        [value.name, value.email, value.status, value.type, value.custom],
        ["Countess", undefined, "here", "person", undefined]
      )
      assert.deepStrictEqual(states, ["current", "current", "current"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is undefined while there is no metadata, and follows creation and removal", () =>
    Effect.gen(function*() {
      const { removeUser, setUser } = yield* emulator
      const live = yield* Users.live({ id: "bob" })
      const name = Effect.map(valueOf(live), (user) => user?.name)
      assert.deepStrictEqual(yield* look(live), { value: undefined, state: "current" })
      yield* later
      yield* setUser({ id: "bob", name: "Bob" })
      yield* later
      assert.deepStrictEqual(yield* name, "Bob")
      yield* removeUser({ id: "bob" })
      yield* later
      assert.deepStrictEqual(yield* name, undefined)
      yield* setUser({ id: "bob", email: "b@b" })
      yield* later
      assert.deepStrictEqual(yield* name, undefined)
      const asked = yield* count("/v2/objects/demo-sub/uuids/bob")
      // A removal that is certainly later is believed.
      yield* VirtualTime.advance("2 minutes")
      yield* removeUser({ id: "bob" })
      yield* later
      assert.deepStrictEqual(yield* look(live), { value: undefined, state: "current" })
      assert.strictEqual(yield* count("/v2/objects/demo-sub/uuids/bob"), asked)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is read again for uncertain events, once a page, and is stale meanwhile", () =>
    Effect.gen(function*() {
      const { setUser } = yield* emulator
      yield* setUser({ id: "ada", name: "Ada" })
      yield* later
      yield* setUser({ id: "ada", name: "Ada L" })
      yield* later
      const live = yield* Users.live()
      const value = yield* valueOf(live)
      const states = yield* watch(live)
      const { etag, updated } = value!
      const at = (seconds: number) => new Date(updated.epochMilliseconds + seconds * 1000).toISOString()
      const before = yield* reads
      const told = Effect.fnUntraced(function*(tell: Effect.Effect<unknown, never, PubNubEmulator.PubNubEmulator>) {
        const before = yield* reads
        yield* tell
        yield* VirtualTime.advance("5 seconds")
        assert.deepStrictEqual(yield* look(live), { value, state: "current" })
        return (yield* reads) - before
      })
      // What is held already, told late.
      assert.strictEqual(yield* told(tell("set", { name: "Ada L", updated: at(0), eTag: etag })), 0)
      // Older, of the same millisecond, without a version, and a removal that may be older.
      assert.strictEqual(yield* told(tell("set", { name: "X", updated: at(-9), eTag: "x" })), 1)
      assert.strictEqual(yield* told(tell("set", { name: "X", updated: at(0), eTag: "x" })), 1)
      assert.strictEqual(yield* told(tell("set", { name: "X" })), 1)
      assert.strictEqual(yield* told(tell("set", { name: "X", updated: at(1) })), 2)
      assert.strictEqual(yield* told(tell("set", { custom: { list: [1] }, updated: at(0), eTag: "x" })), 1)
      // A removal that the answer does not have: it is asked for once more.
      assert.strictEqual(yield* told(tell("delete", {})), 2)
      // A user of another name, and what somebody says on the channel.
      assert.strictEqual(yield* told(tell("set", { id: "bob", name: "X", updated: at(1), eTag: "x" })), 0)
      const { emit } = yield* emulator
      assert.strictEqual(yield* told(emit({ channel: "ada", kind: "Message", payload: "hello", publisher: "bob" })), 0)
      assert.deepStrictEqual((yield* reads) - before, 8)
      assert.deepStrictEqual(states, ["current", ...Array.from({ length: 6 }, () => ["stale", "current"]).flat()])
      // All of a page is one question, and what comes while it is asked is the next page.
      yield* inject({ on: isRead, fault: Faults.Fault.Slow({ by: "10 seconds" }) })
      const asked = yield* reads
      yield* tell("set", { name: "X", updated: at(-1), eTag: "x" })
      yield* later
      assert.deepStrictEqual(yield* look(live), { value, state: "stale" })
      yield* Effect.forEach([2, 3, 4], (second) => tell("set", { name: "X", updated: at(-second), eTag: "x" }))
      yield* VirtualTime.advance("1 minute")
      assert.strictEqual((yield* reads) - asked, 2)
      assert.deepStrictEqual(yield* look(live), { value, state: "current" })
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is read once more when the answer is older than the event, and then takes the event", () =>
    Effect.gen(function*() {
      const { setUser } = yield* emulator
      yield* setUser({ id: "ada", name: "Ada" })
      const live = yield* Users.live()
      const { updated } = (yield* valueOf(live))!
      const asked = yield* reads
      const at = new Date(updated.epochMilliseconds + 1000).toISOString()
      // Two in one page, the first of which is in doubt: the service does not have the second.
      yield* inject({ on: isRead, fault: Faults.Fault.Slow({ by: "10 seconds" }) })
      yield* tell("set", { name: "X", updated: "2020-01-01T00:00:00Z", eTag: "x" })
      yield* later
      yield* tell("set", { name: "Y", updated: "2020-01-01T00:00:00Z", eTag: "y" })
      yield* tell("set", { name: "Ada L", updated: at, eTag: "z" })
      yield* VirtualTime.advance("30 seconds")
      assert.strictEqual((yield* reads) - asked, 3)
      const after = (yield* valueOf(live))!
      assert.deepStrictEqual([after.name, after.etag], ["Ada L", "z"])
      assert.strictEqual(yield* stateOf(live), "current")
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is stale while it is interrupted, and is read again afterwards", () =>
    Effect.gen(function*() {
      const { removeUser, restart, setUser } = yield* emulator
      yield* setUser({ id: "ada", name: "Ada" })
      const live = yield* Users.live()
      const value = yield* valueOf(live)
      yield* later
      yield* inject({
        on: isPoll,
        fault: Faults.Fault.ServerError({ status: 503, handled: false }),
        lasting: "1 minute"
      })
      yield* restart
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(yield* look(live), { value, state: "stale" })
      yield* removeUser({ id: "ada" })
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(yield* look(live), { value: undefined, state: "current" })
      // Where nothing happened it is current again, too.
      yield* restart
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* look(live), { value: undefined, state: "current" })
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("is read again after a full queue, a long sleep, and an undecodable event", () =>
    Effect.gen(function*() {
      const { emitRaw, setUser } = yield* emulator
      yield* setUser({ id: "ada", name: "Ada" })
      const live = yield* Users.live()
      const name = Effect.map(valueOf(live), (user) => user?.name)
      const asked = yield* reads
      // While it is read, more comes than the queue holds: the first is lost, which names the user.
      yield* inject({ on: isRead, fault: Faults.Fault.Slow({ by: "10 seconds" }) })
      yield* tell("set", { name: "X" })
      yield* later
      yield* setUser({ id: "ada", email: "e" })
      yield* setUser({ id: "ada", name: "Ada L" })
      yield* Effect.forEach(
        Array.from({ length: 20 }, (_, index) => index),
        (index) => setUser({ id: "ada", status: `s${index}` })
      )
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(yield* name, "Ada L")
      assert.strictEqual((yield* reads) - asked, 2)
      const sleeping = yield* reads
      yield* VirtualTime.jump("8 hours")
      yield* VirtualTime.advance("10 minutes")
      assert.strictEqual((yield* reads) - sleeping, 1)
      yield* emitRaw({ channel: "ada", envelope: { c: "ada", d: "?", p: { t: "x" } } })
      yield* later
      assert.strictEqual((yield* reads) - sleeping, 2)
      assert.strictEqual(yield* stateOf(live), "current")
      assert.strictEqual(yield* histories, 0)
    }).pipe(
      Effect.scoped,
      Effect.provide(emulated({ emulator: { limits: { queueLength: 20 } }, config: { queueLength: 20 } }))
    ))

  it.effect("retries a failing read; has the failure of a refused one, and retries it slowly", () =>
    Effect.gen(function*() {
      const { setUser } = yield* emulator
      yield* setUser({ id: "ada", name: "Ada" })
      const live = yield* Users.live()
      const doubt = Effect.andThen(tell("set", { name: "X" }), later)
      yield* inject({
        on: isRead,
        fault: Faults.Fault.ServerError({ status: 500, handled: false }),
        lasting: "1 minute"
      })
      yield* doubt
      assert.deepStrictEqual([yield* stateOf(live), yield* failureOf(live)], ["stale", undefined])
      yield* VirtualTime.advance("2 minutes")
      assert.deepStrictEqual(yield* stateOf(live), "current")
      yield* inject({ on: isRead, fault: Faults.Fault.AccessDenied(), lasting: "10 minutes", times: 1_000 })
      yield* doubt
      assert.deepStrictEqual([yield* stateOf(live), yield* failureOf(live)], ["stale", "PubNubError"])
      const refused = Effect.map(Faults.Faults.use(({ injected }) => injected), (all) => all.length)
      const asked = yield* refused
      yield* VirtualTime.advance("9 minutes")
      assert.deepStrictEqual([yield* stateOf(live), yield* failureOf(live)], ["stale", "PubNubError"])
      const again = (yield* refused) - asked
      assert.isTrue(again > 3 && again < 30, String(again))
      yield* VirtualTime.advance("5 minutes")
      assert.deepStrictEqual([yield* stateOf(live), yield* failureOf(live)], ["current", undefined])
      yield* setUser({ id: "ada", name: "Ada L" })
      yield* later
      assert.deepStrictEqual(yield* look(live), { value: yield* ada, state: "current" })
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("ends when its subscription ends or its scope closes", () =>
    Effect.gen(function*() {
      const { readers, restart, setUser } = yield* emulator
      yield* setUser({ id: "ada", name: "Ada" })
      const live = yield* Users.live()
      const value = yield* valueOf(live)
      yield* later
      yield* inject({ on: isPoll, fault: Faults.Fault.AccessDenied(), times: 10 })
      yield* restart
      yield* VirtualTime.advance("5 minutes")
      assert.deepStrictEqual([yield* stateOf(live), yield* failureOf(live)], ["ended", "SubscribeError"])
      assert.deepStrictEqual(yield* valueOf(live), value)
      yield* Faults.Faults.use(({ heal }) => heal)

      const scope = yield* Scope.make()
      const scoped = yield* Scope.provide(Users.live(), scope)
      yield* later
      assert.strictEqual(yield* readers, 1)
      const left = yield* count("/v2/presence/sub-key/demo-sub/channel/ada/leave")
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* look(scoped), { value, state: "ended" })
      assert.strictEqual(yield* readers, 0)
      assert.strictEqual(yield* count("/v2/presence/sub-key/demo-sub/channel/ada/leave"), left + 1)
      const asked = yield* polls
      yield* VirtualTime.advance("10 minutes")
      assert.strictEqual(yield* polls, asked)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("fails and leaves nothing behind when it cannot be read or subscribed to", () =>
    Effect.gen(function*() {
      const { deny, readers } = yield* emulator
      yield* inject({ on: isRead, fault: Faults.Fault.AccessDenied() })
      const denied = yield* Effect.flip(Users.live())
      assert.strictEqual(denied._tag === "PubNubError" ? denied.reason._tag : denied._tag, "AccessDenied")
      assert.deepStrictEqual([yield* readers, yield* count("/v2/presence/sub-key/demo-sub/channel/ada/leave")], [0, 1])
      yield* deny({ channels: ["ada"] })
      const ended = yield* Effect.forkChild(Effect.flip(Users.live()))
      yield* VirtualTime.advance("5 minutes")
      assert.strictEqual((yield* Fiber.join(ended))._tag, "SubscribeError")
      // Who stops waiting for it stops it.
      yield* inject({ on: isPoll, fault: Faults.Fault.ServerError({ status: 503, handled: false }), times: 1000 })
      const hit = Faults.Faults.use(({ injected }) => Effect.map(injected, (injected) => injected.length))
      const before = yield* hit
      const waiting = yield* Effect.forkChild(Users.live({ id: "bob" }))
      yield* later
      yield* Fiber.interrupt(waiting)
      const tried = yield* hit
      assert.isAbove(tried, before)
      yield* VirtualTime.advance("10 minutes")
      assert.strictEqual(yield* hit, tried)
      // What no channel can be called is refused before anything is sent.
      const sent = yield* requestsTo("/")
      for (const id of ["", " ", "a.*", "a,b", "a-pnpres", "x".repeat(93)]) {
        const refused = yield* Effect.flip(Users.live({ id }))
        assert.strictEqual(refused._tag === "PubNubError" ? refused.reason._tag : refused._tag, "BadRequest", id)
      }
      assert.lengthOf(yield* requestsTo("/"), sent.length)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("with typed custom data, fails the first read on a mismatch, and is stale on a later one", () =>
    Effect.gen(function*() {
      const People = Users.withCustom(Schema.Struct({ team: Schema.String }))
      const { setUser } = yield* emulator
      yield* setUser({ id: "ada", custom: { team: 1 } })
      assert.strictEqual((yield* Effect.flip(People.live()))._tag, "CustomMismatch")
      yield* setUser({ id: "ada", custom: { team: "core" } })
      const live = yield* People.live()
      const team = Effect.map(valueOf(live), (user) => user?.custom?.team)
      assert.deepStrictEqual(yield* team, "core")
      yield* later
      yield* setUser({ id: "ada", custom: { team: 2 }, name: "Ada" })
      yield* later
      assert.deepStrictEqual(
        [yield* team, yield* stateOf(live), yield* failureOf(live)],
        ["core", "stale", "CustomMismatch"]
      )
      const asked = yield* reads
      yield* setUser({ id: "ada", custom: { team: "docs" } })
      yield* later
      assert.deepStrictEqual([yield* team, yield* stateOf(live), (yield* reads) - asked], ["docs", "current", 1])
      assert.deepStrictEqual((yield* valueOf(live))?.name, "Ada")
      yield* setUser({ id: "ada", custom: { team: "core" } })
      yield* later
      assert.deepStrictEqual([yield* team, (yield* reads) - asked], ["core", 1])
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("a live channel", () => {
  it.effect("follows its metadata, and nothing else that happens on the channel", () =>
    Effect.gen(function*() {
      const { emit, removeChannel, setChannel, setMembership, setUser } = yield* emulator
      yield* setUser({ id: "lobby", name: "A user of that name" })
      const live = yield* Channels.live({ id: "lobby" })
      assert.deepStrictEqual(yield* valueOf(live), undefined)
      yield* setChannel({ id: "lobby", name: "Lobby", description: "Come in" })
      yield* later
      yield* setChannel({ id: "lobby", description: Option.none(), custom: { floor: 1 } })
      yield* setMembership({ userId: "ada", channel: "lobby" })
      yield* setUser({ id: "lobby", name: "X" })
      yield* emit({ channel: "lobby", kind: "Message", payload: "hello", publisher: "bob" })
      yield* later
      const stored = yield* Channels.get({ id: "lobby", include: ["custom", "status", "type"] })
      assert.deepStrictEqual(yield* look(live), { value: stored, state: "current" })
      assert.deepStrictEqual([stored.description, stored.custom], [undefined, { floor: 1 }])
      assert.strictEqual(yield* count("/v2/objects/demo-sub/channels/lobby"), 3)
      yield* removeChannel({ id: "lobby" })
      yield* later
      assert.deepStrictEqual(yield* look(live), { value: undefined, state: "current" })
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("live memberships", () => {
  const lists = count("/v2/objects/demo-sub/uuids/ada/channels")
  const stored = Effect.map(
    Stream.runCollect(Memberships.stream({ include: ["custom", "status", "type"] })),
    (memberships) => new Map(decoded(memberships).map((membership) => [membership.channelId, membership]))
  )
  const crowd = (size: number) =>
    emulator.use(({ setMembership }) =>
      Effect.forEach(
        Array.from({ length: size }, (_, index) => index),
        (index) => setMembership({ userId: "ada", channel: `room-${String(index).padStart(3, "0")}` }),
        { discard: true }
      )
    )

  it.effect("follow the memberships of the user, and are read again for a new one", () =>
    Effect.gen(function*() {
      const { removeMembership, setChannel, setMembership } = yield* emulator
      yield* setMembership({ userId: "ada", channel: "lobby", status: "owner", custom: { since: 1 } })
      yield* setMembership({ userId: "ada", channel: "room" })
      const live = yield* Memberships.live()
      assert.deepStrictEqual(yield* look(live), { value: yield* stored, state: "current" })
      yield* later
      const asked = yield* lists
      yield* setMembership({
        userId: "ada",
        channel: "lobby",
        status: Option.none(),
        type: "guest",
        custom: Option.none()
      })
      // Neither is a membership of this user.
      yield* setMembership({ userId: "eve", channel: "lobby" })
      yield* setChannel({ id: "lobby", name: "Lobby" })
      yield* later
      assert.strictEqual(yield* lists, asked)
      assert.deepStrictEqual(yield* look(live), { value: yield* stored, state: "current" })
      const same = Effect.fnUntraced(function*(what: Effect.Effect<unknown>, requests: number) {
        const before = yield* lists
        yield* what
        yield* later
        assert.strictEqual((yield* lists) - before, requests)
        assert.deepStrictEqual(yield* look(live), { value: yield* stored, state: "current" })
      })
      yield* same(setMembership({ userId: "ada", channel: "new" }), 1)
      yield* same(removeMembership({ userId: "ada", channel: "new" }), 1)
      yield* VirtualTime.advance("2 minutes")
      yield* same(removeMembership({ userId: "ada", channel: "lobby" }), 0)
      assert.deepStrictEqual([...(yield* valueOf(live)).keys()], ["room"])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("read again only the doubtful ones when there are many", () =>
    Effect.gen(function*() {
      const { removeMembership, setMembership } = yield* emulator
      yield* crowd(250)
      const live = yield* Memberships.live({ userId: "ada" })
      assert.strictEqual((yield* valueOf(live)).size, 250)
      assert.strictEqual(yield* lists, 3)
      yield* VirtualTime.advance("2 minutes")
      const change = Effect.fnUntraced(function*(what: Effect.Effect<unknown>, requests: number) {
        const before = yield* lists
        yield* what
        yield* later
        assert.strictEqual((yield* lists) - before, requests)
        assert.deepStrictEqual(
          [...(yield* valueOf(live)).keys()].toSorted(),
          [...(yield* stored).keys()].toSorted()
        )
      })
      yield* change(setMembership({ userId: "ada", channel: "lobby" }), 1)
      yield* change(setMembership({ userId: "ada", channel: "o'hara" }), 1)
      yield* change(removeMembership({ userId: "ada", channel: "lobby" }), 1)
      yield* change(removeMembership({ userId: "ada", channel: "room-005" }), 0)
      // An id that no filter can name.
      yield* change(setMembership({ userId: "ada", channel: "'\"" }), 3)
      // Soon after all were read, they are counted.
      yield* change(removeMembership({ userId: "ada", channel: "room-006" }), 2)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("find one that was skipped because another was removed during the read", () =>
    Effect.gen(function*() {
      const { removeMembership } = yield* emulator
      yield* crowd(250)
      yield* VirtualTime.advance("2 minutes")
      const starting = yield* Effect.forkScoped(Memberships.live())
      yield* inject({ on: isRead, fault: Faults.Fault.Slow({ by: "10 seconds" }) })
      yield* later
      yield* removeMembership({ userId: "ada", channel: "room-005" })
      yield* VirtualTime.advance("10 seconds")
      const live = yield* Fiber.join(starting)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual([...(yield* valueOf(live)).keys()], [...(yield* stored).keys()])
      assert.strictEqual(yield* stateOf(live), "current")
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("with typed custom data, report one that does not match until it matches, and keep the others", () =>
    Effect.gen(function*() {
      const Typed = Memberships.withCustom(Schema.Struct({ since: Schema.Finite }))
      const { setMembership } = yield* emulator
      yield* setMembership({ userId: "ada", channel: "lobby", custom: { since: 1 } })
      yield* setMembership({ userId: "ada", channel: "room", custom: { since: 7 } })
      const live = yield* Typed.live()
      const since = Effect.map(
        valueOf(live),
        (all) => Array.from(all, ([channel, { custom }]) => [channel, custom?.since])
      )
      yield* later
      yield* setMembership({ userId: "ada", channel: "lobby", custom: { since: "yesterday" } })
      yield* later
      const { state, undecodable = [] } = yield* look(live)
      assert.deepStrictEqual([state, yield* since], ["current", [["room", 7]]])
      assert.deepStrictEqual(undecodable.map(({ issue }) => /since/.test(issue)), [true])
      yield* setMembership({ userId: "ada", channel: "lobby", custom: { since: 2 } })
      yield* later
      assert.deepStrictEqual([yield* stateOf(live), yield* since], ["current", [["lobby", 2], ["room", 7]]])
      assert.notProperty(yield* look(live), "undecodable")
      assert.strictEqual((yield* Effect.flip(Typed.live({ userId: "a.*" })))._tag, "PubNubError")
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})

describe("live members", () => {
  const all = ["custom", "status", "type", "user", "user.custom", "user.status", "user.type"] as const
  const lists = count("/v2/objects/demo-sub/channels/lobby/uuids")
  const stored = Effect.map(
    Stream.runCollect(Members.stream({ channel: "lobby", include: all })),
    (members) => new Map(decoded(members).map((member) => [member.userId, member]))
  )
  const crowd = (size: number) =>
    emulator.use(({ setMembership }) =>
      Effect.forEach(
        Array.from({ length: size }, (_, index) => index),
        (index) => setMembership({ userId: `u${String(index).padStart(3, "0")}`, channel: "lobby" }),
        { discard: true }
      )
    )

  it.effect("follow memberships and users, and are read again for a new member", () =>
    Effect.gen(function*() {
      const { removeMembership, removeUser, setMembership, setUser } = yield* emulator
      yield* setUser({ id: "ada", name: "Ada", custom: { level: 1 } })
      yield* setMembership({ userId: "ada", channel: "lobby", status: "owner", custom: { since: 1 } })
      yield* setMembership({ userId: "bob", channel: "lobby" })
      const live = yield* Members.live({ channel: "lobby" })
      assert.deepStrictEqual(yield* look(live), { value: yield* stored, state: "current" })
      yield* later
      const asked = yield* lists
      yield* setMembership({
        userId: "ada",
        channel: "lobby",
        status: Option.none(),
        type: "guest",
        custom: Option.none()
      })
      yield* setUser({ id: "ada", name: "Countess", custom: { level: 2 } })
      // Neither a member here.
      yield* setMembership({ userId: "eve", channel: "elsewhere" })
      yield* setUser({ id: "eve", name: "Eve" })
      yield* later
      assert.strictEqual(yield* lists, asked)
      assert.deepStrictEqual(yield* look(live), { value: yield* stored, state: "current" })
      const same = Effect.fnUntraced(function*(what: Effect.Effect<unknown>, requests: number) {
        const before = yield* lists
        yield* what
        yield* later
        assert.strictEqual((yield* lists) - before, requests)
        assert.deepStrictEqual(yield* look(live), { value: yield* stored, state: "current" })
      })
      yield* same(setMembership({ userId: "eve", channel: "lobby" }), 1)
      yield* same(setUser({ id: "bob", name: "Bob" }), 1)
      yield* same(removeUser({ id: "bob" }), 1)
      yield* same(removeUser({ id: "bob" }), 0)
      yield* same(removeMembership({ userId: "eve", channel: "lobby" }), 1)
      yield* VirtualTime.advance("2 minutes")
      yield* same(removeMembership({ userId: "ada", channel: "lobby" }), 0)
      assert.deepStrictEqual([...(yield* valueOf(live)).keys()], [...(yield* stored).keys()])
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("read again only the doubtful ones when there are many", () =>
    Effect.gen(function*() {
      const { removeMembership, setMembership } = yield* emulator
      yield* crowd(250)
      const live = yield* Members.live({ channel: "lobby" })
      assert.strictEqual((yield* valueOf(live)).size, 250)
      assert.strictEqual(yield* lists, 3)
      yield* VirtualTime.advance("2 minutes")
      const change = Effect.fnUntraced(function*(what: Effect.Effect<unknown>, requests: number) {
        const before = yield* lists
        yield* what
        yield* later
        assert.strictEqual((yield* lists) - before, requests)
        assert.deepStrictEqual(
          [...(yield* valueOf(live)).keys()].toSorted(),
          [...(yield* stored).keys()].toSorted()
        )
      })
      yield* change(setMembership({ userId: "ada", channel: "lobby" }), 1)
      yield* change(setMembership({ userId: "o'hara", channel: "lobby" }), 1)
      yield* change(removeMembership({ userId: "ada", channel: "lobby" }), 1)
      yield* change(removeMembership({ userId: "u005", channel: "lobby" }), 0)
      // An id that no filter can name.
      yield* change(setMembership({ userId: "'\"", channel: "lobby" }), 3)
      // Soon after all were read, who is there is counted.
      yield* change(removeMembership({ userId: "u006", channel: "lobby" }), 2)
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("find one that was skipped because another left during the read", () =>
    Effect.gen(function*() {
      const { removeMembership } = yield* emulator
      yield* crowd(250)
      yield* VirtualTime.advance("2 minutes")
      const starting = yield* Effect.forkScoped(Members.live({ channel: "lobby" }))
      yield* inject({ on: isRead, fault: Faults.Fault.Slow({ by: "10 seconds" }) })
      yield* later
      yield* removeMembership({ userId: "u005", channel: "lobby" })
      yield* VirtualTime.advance("10 seconds")
      const live = yield* Fiber.join(starting)
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual([...(yield* valueOf(live)).keys()], [...(yield* stored).keys()])
      assert.strictEqual(yield* stateOf(live), "current")
    }).pipe(Effect.scoped, Effect.provide(emulated())))

  it.effect("with typed custom data, report one that does not match until it matches, and keep the others", () =>
    Effect.gen(function*() {
      const Typed = Members.withCustom(Schema.Struct({ since: Schema.Finite }))
      const { setMembership } = yield* emulator
      yield* setMembership({ userId: "ada", channel: "lobby", custom: { since: 1 } })
      yield* setMembership({ userId: "bob", channel: "lobby", custom: { since: 7 } })
      const live = yield* Typed.live({ channel: "lobby" })
      const since = Effect.map(
        valueOf(live),
        (members) => Array.from(members, ([user, { custom }]) => [user, custom?.since])
      )
      yield* later
      yield* setMembership({ userId: "ada", channel: "lobby", custom: { since: "yesterday" } })
      yield* later
      const { state, undecodable = [] } = yield* look(live)
      assert.deepStrictEqual([state, yield* since], ["current", [["bob", 7]]])
      assert.deepStrictEqual(undecodable.map(({ issue }) => /since/.test(issue)), [true])
      yield* setMembership({ userId: "ada", channel: "lobby", custom: { since: 2 } })
      yield* later
      assert.deepStrictEqual([yield* stateOf(live), yield* since], ["current", [["ada", 2], ["bob", 7]]])
      assert.notProperty(yield* look(live), "undecodable")
      assert.strictEqual((yield* Effect.flip(Typed.live({ channel: "a.*" })))._tag, "PubNubError")
    }).pipe(Effect.scoped, Effect.provide(emulated())))
})
