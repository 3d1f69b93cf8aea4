import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as Scope from "effect/Scope"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { ChannelGroups, Presence, PubNubConfig, type PubNubError } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, Transport, VirtualTime } from "effect-herald/testing"
import * as Live from "effect-herald/Live"
import { emulated, queryOf, requestsTo, start } from "../kit/emulated.ts"

/** The user is there from now on, with a state if there is one. */
const come = (user: string, channel: string, state?: object) =>
  PubNubEmulator.PubNubEmulator.use((emulator) =>
    emulator.handle({
      method: "GET",
      target: `/v2/presence/sub-key/demo-sub/channel/${channel}/heartbeat?uuid=${user}` +
        (state === undefined ? "" : `&state=${encodeURIComponent(JSON.stringify({ [channel]: state }))}`),
      headers: {},
      body: ""
    })
  )

const go = (user: string, channel: string) =>
  PubNubEmulator.PubNubEmulator.use((emulator) =>
    emulator.handle({
      method: "GET",
      target: `/v2/presence/sub-key/demo-sub/channel/${channel}/leave?uuid=${user}`,
      headers: {},
      body: ""
    })
  )

const plain = (here: Presence.HereNow<"users">): object => ({
  ...here,
  channels: Object.fromEntries(
    Array.from(here.channels, ([channel, one]) => [channel, { ...one, users: [...one.users.values()] }])
  )
})

describe("hereNow", () => {
  const people = Effect.gen(function*() {
    yield* come("ada", "a", { mood: "ok" })
    yield* come("bob", "a")
    yield* come("ada", "b")
  })

  it.effect("gives the users of a channel, their states, only the count, or a range", () =>
    Effect.gen(function*() {
      yield* people
      const of = (users: ReadonlyArray<object>) => ({
        totalOccupancy: 2,
        totalChannels: 1,
        channels: { a: { occupancy: 2, users } }
      })
      const channels = ["a"]
      assert.deepStrictEqual(plain(yield* Presence.hereNow({ channels })), of([{ userId: "ada" }, { userId: "bob" }]))
      assert.deepStrictEqual(
        plain(yield* Presence.hereNow({ channels, include: ["users", "state"] })),
        of([{ userId: "ada", state: { mood: "ok" } }, { userId: "bob" }])
      )
      const counted = yield* Presence.hereNow({ channels, include: [] })
      assert.deepStrictEqual([counted.totalOccupancy, counted.channels.get("a")?.occupancy], [2, 2])
      assert.deepStrictEqual(
        plain(yield* Presence.hereNow({ channels, limit: 1, offset: 1 })),
        of([{ userId: "bob" }])
      )
    }).pipe(Effect.provide(emulated())))

  it.effect("gives no state for an empty state", () =>
    Effect.gen(function*() {
      yield* come("ada", "a", {})
      assert.deepStrictEqual(yield* Stream.runCollect(Presence.stream({ channel: "a", include: ["state"] })), [
        { userId: "ada" }
      ])
    }).pipe(Effect.provide(emulated())))

  it.effect("gives the users of several channels and groups, and an empty entry for an empty channel", () =>
    Effect.gen(function*() {
      yield* people
      yield* ChannelGroups.addChannels({ group: "g", channels: ["b", "empty"] })
      const a = { occupancy: 2, users: [{ userId: "ada" }, { userId: "bob" }] }
      const b = { occupancy: 1, users: [{ userId: "ada" }] }
      const nobody = { occupancy: 0, users: [] }
      const here = (options: Presence.HereNowOptions<"users">) => Effect.map(Presence.hereNow(options), plain)
      assert.deepStrictEqual(yield* here({ channels: ["a", "b", "c", "a"] }), {
        totalOccupancy: 3,
        totalChannels: 2,
        channels: { a, b, c: nobody }
      })
      assert.deepStrictEqual(yield* here({ channels: ["a"], groups: ["g"] }), {
        totalOccupancy: 3,
        totalChannels: 2,
        channels: { a, b }
      })
      assert.deepStrictEqual(yield* here({ groups: ["g"] }), { totalOccupancy: 1, totalChannels: 1, channels: { b } })
      assert.deepStrictEqual(yield* here({ channels: ["c"] }), {
        totalOccupancy: 0,
        totalChannels: 0,
        channels: { c: nobody }
      })
    }).pipe(Effect.provide(emulated())))

  it.effect("gives the whole keyset when nothing is named, and refuses empty lists", () =>
    Effect.gen(function*() {
      yield* people
      const { channels, totalOccupancy } = yield* Presence.hereNow()
      assert.deepStrictEqual([[...channels.keys()], totalOccupancy], [["a", "b"], 3])
      const request = (yield* requestsTo("/v2/presence/sub-key/demo-sub?")).at(-1)
      assert.deepStrictEqual([...queryOf(request!).keys()], ["uuid", "pnsdk"])
      const refused = yield* Effect.flip(Presence.hereNow({ channels: [], groups: [] }))
      assert.strictEqual(refused.reason._tag, "BadRequest")
    }).pipe(Effect.provide(emulated())))
})

describe("stream", () => {
  const crowd = Effect.forEach(Array.from({ length: 25 }, (_, index) => `u${index}`), (user) => come(user, "a"))
  const asked = Effect.map(requestsTo("/v2/presence/sub-key/demo-sub/channel/a?"), (requests) => requests.length)

  it.effect("reads users page by page, only as far as the reader pulls", () =>
    Effect.gen(function*() {
      yield* crowd
      const users = Presence.stream({ channel: "a", pageSize: 10 })
      assert.lengthOf(yield* Stream.runCollect(users), 25)
      assert.strictEqual(yield* asked, 3)
      const first = yield* Stream.runCollect(Stream.take(users, 10))
      assert.deepStrictEqual([first[0], first.length], [{ userId: "u0" }, 10])
      assert.strictEqual(yield* asked, 4)
      assert.lengthOf(yield* Stream.runCollect(Presence.stream({ channel: "a", pageSize: 25 })), 25)
      assert.strictEqual(yield* asked, 5)
      yield* come("zoe", "b", { mood: "ok" })
      assert.deepStrictEqual(yield* Stream.runCollect(Presence.stream({ channel: "b", include: ["state"] })), [
        { userId: "zoe", state: { mood: "ok" } }
      ])
    }).pipe(Effect.provide(emulated())))

  it.effect("gives nothing for a channel without users, and refuses a page size of 0", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Stream.runCollect(Presence.stream({ channel: "nowhere" })), [])
      const { reason } = yield* Effect.flip(Stream.runDrain(Presence.stream({ channel: "a", pageSize: 0 })))
      assert.include(reason.message, "pageSize is 0")
    }).pipe(Effect.provide(emulated())))
})

describe("live", () => {
  const emulator = PubNubEmulator.PubNubEmulator
  const isHereNow = ({ url }: { readonly url: string }) => url.includes("/presence/sub-key/demo-sub/channel/a?")
  const asked = Effect.map(requestsTo("/v2/presence/sub-key/demo-sub/channel/a?"), (requests) => requests.length)
  const names = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => `u${from + index}`)
  const all = (users: ReadonlyArray<string>) => Effect.forEach(users, (user) => come(user, "a"), { discard: true })
  const inject = (rule: Faults.Rule) => Faults.Faults.use(({ add }) => add(rule))

  /** Watches channel `a` in the background: the values so far, and how many users the last has. */
  const watch = (options: Partial<Presence.LiveOptions> = {}) =>
    Effect.gen(function*() {
      const values: Array<Presence.Occupancy> = []
      const fiber = yield* Stream.unwrap(Effect.map(Presence.live({ channel: "a", ...options }), Live.values)).pipe(
        Stream.runForEach((value) => Effect.sync(() => values.push(value))),
        Effect.forkChild
      )
      yield* VirtualTime.advance("1 second")
      const seen = () => values.map(({ users }) => [...users.keys()].join())
      return { values, seen, fiber, last: () => values.at(-1)! }
    })

  /** The last value is what the service knows, and counts it. */
  const agrees = (value: Presence.Occupancy) =>
    Effect.map(emulator.use(({ occupants }) => occupants({ channel: "a" })), (occupants) => {
      assert.sameMembers([...value.users.keys()], [...occupants])
      assert.strictEqual(value.occupancy, occupants.length)
    })

  const world = (options: Parameters<typeof emulated>[0] & { readonly limits?: Partial<PubNubEmulator.Limits> } = {}) =>
    emulated({
      ...options,
      emulator: { ...options.emulator, limits: { presenceTimeout: "1 day", ...options.limits } }
    })

  it.effect("follows joins, leaves and timeouts, and does not join the channel", () =>
    Effect.gen(function*() {
      yield* come("ada", "a")
      const { fiber, seen, values } = yield* watch()
      for (
        const step of [come("bob", "a"), come("bob", "a"), come("eve", "elsewhere"), go("ada", "a"), come("ada", "a")]
      ) {
        yield* step
        yield* VirtualTime.advance("1 second")
      }
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(seen(), ["ada", "ada,bob", "bob", "bob,ada", "ada", ""])
      assert.deepStrictEqual(values[1], {
        occupancy: 2,
        users: new Map(["ada", "bob"].map((name) => [name, { userId: name }]))
      })
      assert.strictEqual(yield* asked, 1)
      const told = requestsTo("/v2/presence/sub-key/demo-sub/channel/")
      const before = yield* told
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* told, before)
      const [handshake] = yield* requestsTo("/v2/subscribe")
      assert.include(handshake!.target, "/demo-sub/a-pnpres/0?")
    }).pipe(Effect.provide(world({ limits: { presenceTimeout: "5 minutes" } }))))

  it.effect("follows states when they are included, and forgets them with their users", () =>
    Effect.gen(function*() {
      yield* come("ada", "a", { mood: "ok" })
      const { last } = yield* watch({ include: ["state"] })
      const without = yield* watch()
      const states = Effect.as(VirtualTime.advance("1 second"), 0).pipe(
        Effect.map(() => [...last().users.values()].map(({ state, userId: user }) => [user, state?.mood]))
      )
      assert.deepStrictEqual(yield* states, [["ada", "ok"]])
      yield* come("bob", "a", { mood: "new" })
      assert.deepStrictEqual(yield* states, [["ada", "ok"], ["bob", "new"]])
      yield* Presence.setState({ channels: ["a"], state: {} })
      yield* Presence.setState({ channels: ["a"], userId: "absent", state: { mood: "away" } })
      assert.deepStrictEqual(yield* states, [["ada", undefined], ["bob", "new"]])
      assert.isFalse("state" in last().users.get("ada")!)
      yield* go("bob", "a")
      yield* come("bob", "a")
      assert.deepStrictEqual(yield* states, [["ada", undefined], ["bob", undefined]])
      assert.deepStrictEqual(without.seen(), ["ada", "ada,bob", "ada", "ada,bob"])
      assert.isFalse(without.values.some(({ users }) => [...users.values()].some((user) => "state" in user)))
    }).pipe(Effect.provide(world())))

  it.effect("loses no event that happens while it reads who is there", () =>
    Effect.gen(function*() {
      yield* come("ada", "a")
      const { last, seen } = yield* watch()
      // The service has answered; the answer is under way.
      yield* come("bob", "a")
      yield* go("ada", "a")
      assert.deepStrictEqual(seen(), [])
      yield* VirtualTime.advance("10 seconds")
      assert.deepStrictEqual(seen(), ["ada", "bob"])
      yield* agrees(last())
    }).pipe(Effect.provide(world({
      script: [{ on: isHereNow, fault: Faults.Fault.Slow({ by: "5 seconds" }) }]
    }))))

  it.effect("takes a second join of a user as no change, and reads intervals in both spellings", () =>
    Effect.gen(function*() {
      yield* come("ada", "a", { mood: "ok" })
      const { last, values } = yield* watch({ include: ["state"] })
      const emit = (payload: object) =>
        emulator.use(({ emit }) =>
          emit({ channel: "a-pnpres", kind: "Message", payload: { timestamp: start / 1000, ...payload } })
        ).pipe(Effect.andThen(VirtualTime.advance("1 second")))
      yield* emit({ action: "join", uuid: "ada", occupancy: 1, data: { mood: "ok" } })
      assert.lengthOf(values, 1)
      yield* emit({ action: "interval", occupancy: 2, join: ["bob", "eve"], leave: ["ada"] })
      yield* emit({ action: "interval", occupancy: 1, joined: ["dan"], left: ["bob"], timedout: ["eve"] })
      // The service knows nothing of them, and is asked for the states of who is new.
      assert.strictEqual(yield* asked, 3)
      assert.sameMembers([...last().users.keys()], ["ada", "dan"])
    }).pipe(Effect.provide(world())))

  it.effect("reads 2,500 users with three requests", () =>
    Effect.gen(function*() {
      yield* all(names(0, 2500))
      const { last, values } = yield* watch()
      assert.lengthOf(values, 1)
      assert.strictEqual(last().users.size, 2500)
      assert.strictEqual(yield* asked, 3)
    }).pipe(Effect.provide(world())))

  describe("reads again after", () => {
    it.effect("more events than the service keeps for a reader", () =>
      Effect.gen(function*() {
        yield* come("ada", "a")
        const { last, seen } = yield* watch()
        // One in place of another, so that no count gives it away.
        yield* go("ada", "a")
        yield* come("bob", "a")
        yield* Effect.forEach(names(0, 50), (user) => Effect.andThen(come(user, "a"), go(user, "a")))
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(seen(), ["ada", "bob"])
        yield* agrees(last())
        assert.strictEqual(yield* asked, 2)
      }).pipe(Effect.provide(world({
        limits: { announceMax: 1000 },
        script: [{ on: isHereNow, fault: Faults.Fault.Slow({ by: "5 seconds" }) }]
      }))))

    it.effect("an outage longer than the service keeps events", () =>
      Effect.gen(function*() {
        yield* all(names(0, 5))
        const { last } = yield* watch()
        yield* inject({ fault: Faults.Fault.ConnectionRefused(), lasting: "10 minutes" })
        yield* emulator.use(({ restart }) => restart)
        yield* VirtualTime.advance("1 minute")
        yield* all(names(5, 8))
        yield* go("u0", "a")
        yield* VirtualTime.advance("10 minutes")
        yield* agrees(last())
        assert.strictEqual(last().occupancy, 7)
      }).pipe(Effect.provide(world({ limits: { queueRetention: "2 minutes" } }))))

    it.effect("a doubtful cursor, and an event that cannot be read", () =>
      Effect.gen(function*() {
        yield* inject({ on: "poll", fault: Faults.Fault.ZeroCursor() })
        const { last, seen } = yield* watch()
        yield* come("ada", "a")
        yield* VirtualTime.advance("5 seconds")
        assert.strictEqual(yield* asked, 2)
        yield* emulator.use(({ emit }) => emit({ channel: "a-pnpres", kind: "Message", payload: { action: "join" } }))
        yield* VirtualTime.advance("5 seconds")
        assert.strictEqual(yield* asked, 3)
        assert.deepStrictEqual(seen(), ["", "ada"])
        yield* agrees(last())
      }).pipe(Effect.provide(world())))

    it.effect("an event with a count that does not fit the known users", () =>
      Effect.gen(function*() {
        yield* come("bob", "a")
        const { seen } = yield* watch()
        const payload = { action: "leave", uuid: "eve", timestamp: start / 1000, occupancy: 5 }
        yield* emulator.use(({ emit }) => emit({ channel: "a-pnpres", kind: "Message", payload }))
        yield* VirtualTime.advance("1 second")
        assert.strictEqual(yield* asked, 2)
        assert.deepStrictEqual(seen(), ["bob"])
      }).pipe(Effect.provide(world())))
  })

  describe("on a channel with many users", () => {
    it.effect("follows the lists of intervals without further requests", () =>
      Effect.gen(function*() {
        yield* all(names(0, 5))
        const { last, values } = yield* watch()
        yield* all(names(5, 9))
        yield* go("u0", "a")
        // It counts them, and they are still to be told of.
        yield* Presence.setState({ channels: ["a"], userId: "u1", state: { mood: "ok" } })
        yield* VirtualTime.advance("30 seconds")
        yield* agrees(last())
        assert.lengthOf(values, 2)
        assert.strictEqual(yield* asked, 1)
      }).pipe(Effect.provide(world({ emulator: { addOns: { presenceDeltas: true } }, limits: { announceMax: 2 } }))))

    it.effect("reads again when the count of an interval without lists differs", () =>
      Effect.gen(function*() {
        yield* all(names(0, 5))
        const { last } = yield* watch()
        yield* VirtualTime.advance("1 minute")
        assert.strictEqual(yield* asked, 1)
        yield* all(names(5, 9))
        yield* VirtualTime.advance("15 seconds")
        yield* agrees(last())
        assert.strictEqual(yield* asked, 2)
      }).pipe(Effect.provide(world({ limits: { announceMax: 2 } }))))

    it.effect("reads again when the lists of an interval would be too long", () =>
      Effect.gen(function*() {
        const { last } = yield* watch()
        yield* all(names(0, 40).map((name) => name.padEnd(1_000, "x")))
        yield* VirtualTime.advance("15 seconds")
        assert.strictEqual(last().users.size, 40)
        yield* agrees(last())
        assert.isAbove(yield* asked, 1)
      }).pipe(Effect.provide(world({ emulator: { addOns: { presenceDeltas: true } }, limits: { announceMax: 2 } }))))

    it.effect("reads again when the service asks for it with here_now_refresh", () =>
      Effect.gen(function*() {
        yield* watch()
        const payload = { action: "interval", timestamp: start / 1000, occupancy: 0, here_now_refresh: true }
        yield* emulator.use(({ emit }) => emit({ channel: "a-pnpres", kind: "Message", payload }))
        yield* VirtualTime.advance("1 second")
        assert.strictEqual(yield* asked, 2)
      }).pipe(Effect.provide(world())))

    it.effect("reads again after an interval without lists and count, not after an event without a count", () =>
      Effect.gen(function*() {
        yield* come("bob", "a")
        const { last } = yield* watch()
        const tell = (payload: object) =>
          emulator.use(({ emit }) =>
            emit({ channel: "a-pnpres", kind: "Message", payload: { timestamp: start / 1000, ...payload } })
          ).pipe(Effect.andThen(VirtualTime.advance("1 second")))
        yield* tell({ action: "join", uuid: "eve" })
        yield* tell({ action: "interval", join: ["dan"] })
        assert.deepStrictEqual([...last().users.keys()], ["bob", "eve", "dan"])
        assert.strictEqual(last().occupancy, 3)
        assert.strictEqual(yield* asked, 1)
        yield* tell({ action: "interval" })
        assert.strictEqual(yield* asked, 2)
        yield* agrees(last())
      }).pipe(Effect.provide(world())))

    it.effect("takes the state of the service's answer over that of earlier events", () =>
      Effect.gen(function*() {
        yield* come("bob", "a")
        const { values } = yield* watch({ include: ["state"] })
        for (
          const payload of [
            { action: "state-change", uuid: "bob", data: { mood: "old" } },
            { action: "interval", join: ["bob"] }
          ]
        ) {
          yield* emulator.use(({ emit }) =>
            emit({
              channel: "a-pnpres",
              kind: "Message",
              payload: { timestamp: start / 1000, occupancy: 1, ...payload }
            })
          )
        }
        yield* VirtualTime.advance("10 seconds")
        assert.deepStrictEqual(values.flatMap(({ users }) => [...users.values()]), [{
          userId: "bob"
        }])
      }).pipe(Effect.provide(world({ script: [{ on: isHereNow, fault: Faults.Fault.Slow({ by: "5 seconds" }) }] }))))

    it.effect("reads again for states when an interval only lists users", () =>
      Effect.gen(function*() {
        yield* all(names(0, 5))
        yield* come("bob", "a", { mood: "old" })
        const { last } = yield* watch({ include: ["state"] })
        yield* come("ada", "a", { mood: "ok" })
        // The lists say no more than that he came, and his state is gone.
        yield* go("bob", "a")
        yield* come("bob", "a")
        yield* VirtualTime.advance("15 seconds")
        const stateOf = (user: string) => last().users.get(user)?.state
        assert.deepStrictEqual([stateOf("ada"), stateOf("bob")], [{ mood: "ok" }, undefined])
      }).pipe(Effect.provide(world({ emulator: { addOns: { presenceDeltas: true } }, limits: { announceMax: 2 } }))))
  })

  it.effect("retries when the service fails to say who is there", () =>
    Effect.gen(function*() {
      yield* come("ada", "a")
      const { seen } = yield* watch()
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(seen(), ["ada"])
      assert.lengthOf(yield* Faults.Faults.use(({ injected }) => injected), 5)
    }).pipe(Effect.provide(world({
      script: [{ on: isHereNow, fault: Faults.Fault.ServerError({ status: 503, handled: false }), times: 5 }]
    }))))

  it.effect("is stale while it is interrupted or refused, has the refusal as failure, and ends with its scope", () =>
    Effect.gen(function*() {
      yield* come("ada", "a")
      const scope = yield* Scope.make()
      const ref = yield* Scope.provide(Presence.live({ channel: "a" }), scope)
      const now = Effect.map(SubscriptionRef.get(ref), ({ failure, state }) => [state, failure?._tag])
      assert.deepStrictEqual(yield* now, ["current", undefined])
      yield* inject({ fault: Faults.Fault.ConnectionRefused(), lasting: "1 minute" })
      yield* inject({ on: isHereNow, fault: Faults.Fault.AccessDenied(), times: 3 })
      yield* emulator.use(({ restart }) => restart)
      yield* VirtualTime.advance("30 seconds")
      assert.deepStrictEqual(yield* now, ["stale", undefined])
      yield* VirtualTime.advance("1 minute")
      assert.deepStrictEqual(yield* now, ["stale", "PubNubError"])
      yield* VirtualTime.advance("10 minutes")
      assert.deepStrictEqual(yield* now, ["current", undefined])
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* now, ["ended", undefined])
    }).pipe(Effect.provide(world())))

  it.effect("retries a later read that is refused, every 10 seconds to 2 minutes, until it succeeds", () =>
    Effect.gen(function*() {
      yield* come("ada", "a")
      const { fiber, seen } = yield* watch()
      yield* VirtualTime.advance("1 second")
      assert.deepStrictEqual(seen(), ["ada"])
      yield* inject({ on: isHereNow, fault: Faults.Fault.AccessDenied(), times: 3 })
      yield* emulator.use(({ restart }) => restart)
      yield* come("bob", "a")
      yield* VirtualTime.advance("10 minutes")
      assert.strictEqual(seen().at(-1), "ada,bob")
      const refused = (yield* Faults.Faults.use(({ injected }) => injected)).map(({ time }) => time.epochMilliseconds)
      assert.lengthOf(refused, 3)
      const pauses = refused.slice(1).map((time, index) => time - refused[index]!)
      assert.isAtLeast(Math.min(...pauses), 10_000)
      assert.isAtMost(Math.max(...pauses), 120_000)
      assert.isUndefined(fiber.pollUnsafe())
    }).pipe(Effect.provide(world())))

  it.effect("fails at once for refused access, a missing add-on, a wrong name or an unknown key", () =>
    Effect.gen(function*() {
      const end = (channel: string) =>
        Effect.flip(Stream.runDrain(Stream.unwrap(Effect.map(Presence.live({ channel }), Live.values))))
      yield* inject({ on: isHereNow, fault: Faults.Fault.AccessDenied() })
      const denied = yield* end("a")
      assert.deepStrictEqual([denied._tag, denied.reason._tag], ["PubNubError", "AccessDenied"])
      yield* emulator.use(({ setAddOns }) => setAddOns({ presence: false }))
      assert.strictEqual((yield* end("a")).reason._tag, "FeatureDisabled")
      const before = yield* emulator.use(({ requests }) => requests)
      for (const name of ["a.*", "a-pnpres", "a,b", ""]) {
        const { _tag, reason } = yield* end(name)
        assert.deepStrictEqual([_tag, reason._tag], ["PubNubError", "BadRequest"])
        assert.include(reason.message, "Nothing was sent")
      }
      assert.lengthOf(yield* emulator.use(({ requests }) => requests), before.length)
      const unknown = yield* end("a").pipe(Effect.provide(config({ subscribeKey: "nobody" })))
      assert.deepStrictEqual([unknown._tag, unknown.reason._tag], ["SubscribeError", "InvalidKey"])
    }).pipe(Effect.provide(world())))
})

it.effect("whereNow gives the channels of the configured user, or of another", () =>
  Effect.gen(function*() {
    yield* come("ada", "a")
    yield* come("b%2Fob", "b")
    assert.deepStrictEqual(yield* Presence.whereNow(), ["a"])
    assert.deepStrictEqual(yield* Presence.whereNow({ userId: "b/ob" }), ["b"])
    assert.deepStrictEqual(yield* Presence.whereNow({ userId: "nobody" }), [])
  }).pipe(Effect.provide(emulated())))

describe("state", () => {
  it.effect("is set and read on channels and groups", () =>
    Effect.gen(function*() {
      yield* ChannelGroups.addChannels({ group: "g", channels: ["b", "c"] })
      const state = { mood: "it's ok ☃", channels: { deep: [1, null] }, big: 1234567890.5 }
      assert.deepStrictEqual(yield* Presence.setState({ channels: ["a"], groups: ["g"], state }), state)
      assert.deepStrictEqual([...yield* Presence.getState({ channels: ["a"] })], [["a", state]])
      assert.deepStrictEqual([...(yield* Presence.getState({ channels: ["a", "d"], groups: ["g"] })).keys()], [
        "a",
        "b",
        "c"
      ])
      yield* Presence.setState({ channels: ["a"], state: {} })
      assert.strictEqual((yield* Presence.getState({ channels: ["a"] })).size, 0)
      yield* Presence.setState({ channels: ["a"], userId: "bob", state })
      assert.deepStrictEqual((yield* Presence.getState({ channels: ["a"], userId: "bob" })).get("a"), state)
      assert.strictEqual((yield* Presence.getState({ channels: ["a"] })).size, 0)
    }).pipe(Effect.provide(emulated())))

  it.effect("is typed by a schema; one that does not match is a StateMismatch", () =>
    Effect.gen(function*() {
      const schema = Schema.Struct({ since: Schema.DateTimeUtc, points: Schema.BigInt })
      const state = { since: DateTime.makeUnsafe(0), points: 5n }
      yield* Presence.setState({ channels: ["a"], state, schema })
      const states = yield* Presence.getState({ channels: ["a", "b"], schema })
      assert.deepStrictEqual([...states], [["a", state]])
      yield* Presence.setState({ channels: ["a"], state: { since: 5 } })
      const error = yield* Effect.flip(Presence.getState({ channels: ["a"], schema }))
      if (error._tag !== "StateMismatch") return assert.fail(error._tag)
      assert.deepInclude({ ...error }, { channel: "a", userId: "ada" })
      assert.include(error.message, "since")
      assert.isFalse(error.isRetryable)
    }).pipe(Effect.provide(emulated())))
})

const config = (options: Partial<PubNubConfig.Options> = {}) =>
  PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host", ...options })

type Call = Effect.Effect<unknown, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig.PubNubConfig>

describe("bad input is refused before a request is made", () => {
  const state: { readonly [key: string]: unknown } = { ok: true }
  const list: object = []
  const cases: ReadonlyArray<readonly [string, Call, ReadonlyArray<string | undefined>]> = [
    ["empty lists", Presence.hereNow({ channels: [], groups: [] }), ["channels"]],
    ["a comma", Presence.hereNow({ channels: ["a,b"] }), ["channels"]],
    ["a wildcard", Presence.hereNow({ channels: ["a.*"] }), ["channels"]],
    ["a presence name", Presence.hereNow({ groups: ["g-pnpres"] }), ["groups"]],
    ["a limit of 0", Presence.hereNow({ limit: 0 }), ["limit"]],
    ["a limit of 1001", Presence.hereNow({ limit: 1001 }), ["limit"]],
    ["an offset of 0.5 and a limit of NaN", Presence.hereNow({ offset: 0.5, limit: NaN }), ["limit", "offset"]],
    ["states without users", Presence.hereNow({ include: ["state"] }), ["include"]],
    ["a blank user", Presence.whereNow({ userId: " " }), ["userId"]],
    ["a dot segment", Presence.whereNow({ userId: ".." }), ["userId"]],
    ["getState without channels", Presence.getState({}), ["channels"]],
    ["setState without channels", Presence.setState({ state }), ["channels"]],
    ["a state that is a list", Presence.setState({ channels: ["a"], state: { ...state, toJSON: () => list } }), [
      "state"
    ]],
    ["a state with NaN", Presence.setState({ channels: ["a"], state: { at: NaN } }), ["state"]],
    [
      "a state that does not match its schema",
      Presence.setState({ channels: ["a"], state: { n: 0.5 }, schema: Schema.Struct({ n: Schema.Int }) }),
      ["state"]
    ],
    [
      "1,000 channels of 60 characters",
      Presence.hereNow({ channels: Array.from({ length: 1000 }, (_, index) => String(index).padStart(60, "x")) }),
      ["channels"]
    ]
  ]
  it.effect.each(cases)("%s", ([, call, locations]) =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip(
        Effect.provide(call, Layer.merge(Transport.layerScripted([]), config()))
      )
      if (reason._tag !== "BadRequest") return assert.fail(reason._tag)
      assert.isUndefined(reason.status)
      assert.deepStrictEqual(reason.details.map((detail) => detail.location), locations)
    }))

  it.effect("a missing key", () =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip(Presence.hereNow())
      assert.deepInclude({ ...reason }, { _tag: "InvalidKey", key: "subscribe" } as object)
    }).pipe(Effect.provide(Layer.merge(Transport.layerScripted([]), config({ subscribeKey: "" })))))
})

describe("failures", () => {
  it.effect("a missing add-on is FeatureDisabled, and a missing permission is AccessDenied", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.deny({ channels: ["a"] })
      const denied = yield* Effect.flip(Presence.hereNow({ channels: ["a", "b"] }))
      assert.deepInclude({ ...denied.reason }, { _tag: "AccessDenied", channels: ["a"] } as object)
      yield* emulator.setAddOns({ presence: false })
      const disabled = yield* Effect.flip(Presence.whereNow())
      assert.strictEqual(disabled.reason._tag, "FeatureDisabled")
    }).pipe(Effect.provide(emulated())))

  it.effect.each(
    [
      [{ body: "{\"status\":400,\"error\":1,\"message\":\"No\",\"service\":\"Presence\"}", status: 400 }, "BadRequest"],
      [{ body: "{\"status\":429,\"error\":1,\"message\":\"no\"}", status: 429 }, "RateLimited"],
      [{ body: "{\"status\":503,\"error\":1,\"message\":\"no\"}", status: 503 }, "ServerFailure"],
      [{ body: "<html>" }, "Malformed"],
      [{ body: "{\"status\":200,\"uuids\":[\"u\"]}" }, "Malformed"],
      [{ failure: "ECONNRESET" }, "Transport"]
    ] as const
  )("the answer %j is %s", ([answer, tag]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Presence.hereNow({ channels: ["a"] }))
      assert.strictEqual(error.reason._tag, tag)
      assert.strictEqual(error.operation, "Presence.hereNow")
      assert.deepStrictEqual(error.request, {
        method: "GET",
        path: "/v2/presence/sub-key/{subscribeKey}/channel/a"
      })
    }).pipe(Effect.provide(Layer.merge(Transport.layerScripted([answer]), config()))))

  it.effect("no answer is a Timeout", () =>
    Effect.gen(function*() {
      const fiber = yield* Effect.forkChild(Effect.flip(Presence.hereNow()))
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "Timeout")
    }).pipe(Effect.provide(Layer.merge(Transport.layerScripted([{ never: true }]), config()))))
})
