/**
 * Seeded schedules in virtual time: several writers set and remove what App Context has, requests fail in every way that
 * may pass, the service drops what it keeps for a reader, the machine sleeps, and events of another region come late and out
 * of order. The invariant: when all is well again, a live value is exactly what the service has.
 *
 * `SEEDS=10000 npm run simulate` runs more of them, `SEED=17` only one. A failing seed is printed with the
 * faults that it injected.
 */
import { assert, it } from "@effect/vitest"
import * as CurrentTime from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import { type AppContext, Channels, Members, Memberships, type PubNubConfig, Users } from "effect-herald/pubnub"
import { Faults, PubNubEmulator, VirtualTime } from "effect-herald/testing"
import type { Live } from "effect-herald/Live"
import { emulated } from "../kit/emulated.ts"
import { dice } from "./world.ts"
import { seedsOf } from "./seeds.ts"
import { decoded } from "../kit/decoded.ts"
import * as Possible from "./faults.ts"

// One 403 ends it, as it should.
const faults = Possible.faults.filter(({ fault }) => fault._tag !== "AccessDenied")
const queueLength = 20

// --------------------------------------------------------------------------------------------------------------------
// another region
// --------------------------------------------------------------------------------------------------------------------

/** Holds back events of some pages and puts them into later ones, until it is told to stop. */
class Regions extends Context.Service<Regions, { readonly agree: Effect.Effect<void> }>()("test/Regions") {}

const Page = Schema.Struct({ t: Schema.Struct({ t: Schema.String, r: Schema.Int }), m: Schema.Array(Schema.Json) })
const parse = Schema.decodeUnknownOption(Schema.fromJsonString(Page))

const regions = (seed: number) =>
  Layer.effectContext(Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const { between, one } = dice(seed + 1)
    let held: ReadonlyArray<Schema.Json> = []
    let differ = true
    const late = HttpClient.make((request, url) => {
      const answer = client.execute(request)
      if (!url.pathname.startsWith("/v2/subscribe/") || !url.searchParams.has("tt")) return answer
      return Effect.gen(function*() {
        const response = yield* answer
        const text = yield* response.text
        const page = Option.getOrUndefined(parse(text))
        const now = yield* CurrentTime.currentTimeMillis
        // The reader may drop a page that a fault has touched, and ask for it again.
        if (page === undefined || Math.abs(Number(page.t.t) / 10_000 - now) > 600_000) {
          return HttpClientResponse.fromWeb(request, new Response(text, response))
        }
        const released = differ ? held.filter(() => one(3)) : held
        // A full page says by its length that something is missing.
        const taken = differ && page.m.length < queueLength ? page.m.filter(() => one(4)) : []
        held = [...held.filter((event) => !released.includes(event)), ...taken]
        const messages = page.m.filter((event) => !taken.includes(event))
        for (const event of released) messages.splice(between(0, messages.length), 0, event)
        const body = JSON.stringify({ t: page.t, m: messages })
        return HttpClientResponse.fromWeb(request, new Response(body, response))
      })
    })
    const agree = Effect.sync(() => {
      differ = false
    })
    return Context.make(HttpClient.HttpClient, late).pipe(Context.add(Regions, { agree }))
  }))

const world = (seed: number) =>
  regions(seed).pipe(
    Layer.provideMerge(Faults.layer({ chance: { seed, rate: 0.15, faults } })),
    Layer.provideMerge(emulated({ emulator: { limits: { queueLength } }, config: { queueLength } })),
    Layer.provideMerge(Logger.layer([]))
  )

// --------------------------------------------------------------------------------------------------------------------
// what is kept
// --------------------------------------------------------------------------------------------------------------------

type Needs = HttpClient.HttpClient | PubNubConfig.PubNubConfig
type Emulator = PubNubEmulator.PubNubEmulator["Service"]

/** One kind of live value: how it begins, what others do to it, and what it should be. */
interface Kind {
  readonly start: Effect.Effect<
    Effect.Effect<Live<unknown, { readonly _tag: string }>>,
    unknown,
    Needs | Scope.Scope
  >
  readonly before?: (emulator: Emulator) => Effect.Effect<unknown>
  readonly write: (emulator: Emulator, step: number) => Effect.Effect<unknown>
  readonly stored: Effect.Effect<unknown, unknown, Needs>
}

const parts = ["custom", "status", "type"] as const
const pick = <A>(values: ReadonlyArray<A>) =>
  Effect.map(Random.nextIntBetween(0, values.length - 1), (index) => values[index]!)

/** Some of the fields, set or cleared. */
const some = Effect.fnUntraced(function*(names: ReadonlyArray<string>, step: number) {
  const change: Record<string, unknown> = {}
  for (const name of names) {
    const roll = yield* Random.nextIntBetween(0, 5)
    if (roll < 2) change[name] = name === "custom" ? { step, [`k${roll}`]: true } : `${name} ${step}`
    // Values that come back, so that a membership has a tag again that it had before.
    else if (roll === 2) {
      change[name] = name === "custom"
        ? Option.none()
        : yield* pick<unknown>([Option.none(), "one", "other"])
    }
  }
  return change
})

const ownFields = ["status", "type", "custom"]
const userFields = ["name", "email", ...ownFields]

const user: Kind = {
  start: Effect.map(Users.live(), SubscriptionRef.get),
  write: Effect.fnUntraced(function*({ removeUser, setUser }, step) {
    const id = yield* pick(["ada", "ada", "ada", "bob"])
    if ((yield* Random.nextIntBetween(0, 6)) === 0) return yield* removeUser({ id })
    return yield* setUser({ id, ...yield* some(userFields, step) })
  }),
  stored: Users.get({ include: parts }).pipe(Effect.catchTag("ObjectNotFound", () => Effect.undefined))
}

const channel: Kind = {
  start: Effect.map(Channels.live({ id: "lobby" }), SubscriptionRef.get),
  write: Effect.fnUntraced(function*({ removeChannel, setChannel, setMembership }, step) {
    const roll = yield* Random.nextIntBetween(0, 6)
    if (roll === 0) return yield* removeChannel({ id: "lobby" })
    if (roll === 1) return yield* setMembership({ userId: "ada", channel: "lobby", ...yield* some(ownFields, step) })
    return yield* setChannel({ id: "lobby", ...yield* some(["name", "description", ...ownFields], step) })
  }),
  stored: Channels.get({ id: "lobby", include: parts }).pipe(
    Effect.catchTag("ObjectNotFound", () => Effect.undefined)
  )
}

const memberParts = [...parts, "user", "user.custom", "user.status", "user.type"] as const
const sorted = (members: Iterable<Members.Member<Members.Part>>) =>
  [...members].toSorted((a, b) => a.userId < b.userId ? -1 : 1)

const members = (size: number): Kind => ({
  start: Effect.map(
    Members.live({ channel: "lobby" }),
    (live) =>
      Effect.map(SubscriptionRef.get(live), ({ value, ...rest }) => ({ ...rest, value: sorted(value.values()) }))
  ),
  before: ({ setMembership }) =>
    Effect.forEach(
      Array.from({ length: size }, (_, index) => `u${index}`),
      (id) => setMembership({ userId: id, channel: "lobby" })
    ),
  write: Effect.fnUntraced(function*({ removeMembership, removeUser, setMembership, setUser }, step) {
    const id = `u${yield* Random.nextIntBetween(0, 8)}`
    const roll = yield* Random.nextIntBetween(0, 12)
    if (roll < 4) return yield* setMembership({ userId: id, channel: "lobby", ...yield* some(ownFields, step) })
    if (roll < 6) return yield* removeMembership({ userId: id, channel: "lobby" })
    if (roll < 8 && size > 0) return yield* removeMembership({ userId: `u${8 + step}`, channel: "lobby" })
    if (roll < 11) return yield* setUser({ id, ...yield* some(userFields, step) })
    return yield* removeUser({ id })
  }),
  stored: Effect.map(
    Stream.runCollect(Members.stream({ channel: "lobby", include: memberParts })),
    (members) => sorted(decoded(members))
  )
})

const byChannel = (memberships: Iterable<Memberships.Membership<AppContext.Part>>) =>
  [...memberships].toSorted((a, b) => a.channelId < b.channelId ? -1 : 1)

const memberships = (size: number): Kind => ({
  start: Effect.map(
    Memberships.live(),
    (live) =>
      Effect.map(SubscriptionRef.get(live), ({ value, ...rest }) => ({ ...rest, value: byChannel(value.values()) }))
  ),
  before: ({ setMembership }) =>
    Effect.forEach(
      Array.from({ length: size }, (_, index) => `room-${index}`),
      (channel) => setMembership({ userId: "ada", channel })
    ),
  write: Effect.fnUntraced(function*({ removeMembership, setChannel, setMembership }, step) {
    const channel = `room-${yield* Random.nextIntBetween(0, 8)}`
    const roll = yield* Random.nextIntBetween(0, 10)
    if (roll < 4) return yield* setMembership({ userId: "ada", channel, ...yield* some(ownFields, step) })
    if (roll < 6) return yield* removeMembership({ userId: "ada", channel })
    if (roll < 8 && size > 0) return yield* removeMembership({ userId: "ada", channel: `room-${8 + step}` })
    if (roll < 9) return yield* setMembership({ userId: "bob", channel, ...yield* some(ownFields, step) })
    return yield* setChannel({ id: channel, ...yield* some(["name", ...ownFields], step) })
  }),
  stored: Effect.map(
    Stream.runCollect(Memberships.stream({ include: parts })),
    (memberships) => byChannel(decoded(memberships))
  )
})

// --------------------------------------------------------------------------------------------------------------------
// what happens
// --------------------------------------------------------------------------------------------------------------------

const simulate = Effect.fnUntraced(function*({ before, start, stored, write }: Kind) {
  const emulator = yield* PubNubEmulator.PubNubEmulator
  const injected = yield* Faults.Faults
  if (before !== undefined) yield* before(emulator)
  const starting = yield* Effect.forkScoped(start)
  for (let step = 0; step < 16; step++) {
    yield* write(emulator, step)
    const roll = yield* Random.nextIntBetween(0, 15)
    if (roll === 0) yield* emulator.restart
    if (roll === 1) yield* VirtualTime.jump("8 hours")
    // More than the service keeps for a reader.
    if (roll === 2) { for (let more = 0; more < 2 * queueLength; more++) yield* write(emulator, step) }
    // Bursts, pauses, and now and then minutes.
    const pause = yield* pick([0, 0, 0, 0, 1, 300, 2_000, 70_000])
    yield* VirtualTime.advance(Duration.millis(pause))
  }
  yield* injected.heal
  yield* VirtualTime.advance("2 minutes")
  yield* (yield* Regions).agree
  // What is still held back comes with the next page.
  for (const channel of ["ada", "lobby"]) yield* emulator.emit({ channel, kind: "Message", payload: "hello" })
  yield* VirtualTime.advance("30 seconds")

  const schedule = Faults.format(yield* injected.injected)
  const begun = starting.pollUnsafe()
  if (begun === undefined || begun._tag === "Failure") {
    return assert.fail(`it has not begun: ${String(begun)}\n${schedule}`)
  }
  const live = yield* begun.value
  const expected = { value: yield* stored, state: "current" }
  assert.deepStrictEqual(live, expected, `${JSON.stringify(live)} is not ${JSON.stringify(expected)}\n${schedule}`)
})

const kinds = {
  "a user": { kind: user, part: 0.3 },
  "a channel": { kind: channel, part: 0.2 },
  "the members of a channel": { kind: members(0), part: 0.2 },
  "the members of a large channel": { kind: members(104), part: 0.1 },
  "the memberships of a user": { kind: memberships(0), part: 0.1 },
  "the memberships of a user in many channels": { kind: memberships(104), part: 0.1 }
}

it.effect.each<keyof typeof kinds>([
  "a user",
  "a channel",
  "the members of a channel",
  "the members of a large channel",
  "the memberships of a user",
  "the memberships of a user in many channels"
])(
  "the live value of %s agrees with the service after faults",
  (name) =>
    Effect.forEach(seedsOf(kinds[name].part * 10, kinds[name].part), (seed) =>
      simulate(kinds[name].kind).pipe(
        Effect.scoped,
        Effect.provide(world(seed)),
        Random.withSeed(seed),
        Effect.provide(TestClock.layer()),
        Effect.catchDefect((defect) =>
          Effect.die(new Error(`SEED=${seed}: ${defect instanceof Error ? defect.message : String(defect)}`))
        )
      ), { discard: true }),
  120_000
)
