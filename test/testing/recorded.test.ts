/**
 * What other clients said to the service is said to the emulator: it answers as the service did, key for key, but for
 * the times and tags of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as PubNubEmulator from "effect-herald/testing/PubNubEmulator"
import * as Kit from "../conformance/kit.ts"

/** Times, tags and timetokens, which every service gives its own. */
const isOwn = (key: string) => /^(updated|eTag|actionTimetoken|messageTimetoken)$/.test(key)

/** Notes what the emulator says for each of the recorded values of its own, so that later requests can name them. */
const translate = (words: Map<string, string>, recorded: unknown, emulated: unknown): void => {
  if (!Predicate.isObject(recorded) && !Array.isArray(recorded)) return
  if (!Predicate.isObject(emulated) && !Array.isArray(emulated)) return
  const others = new Map<string, unknown>(Object.entries(emulated))
  for (const [key, value] of Object.entries(recorded)) {
    const other = others.get(key)
    if (isOwn(key) && Predicate.isString(value) && Predicate.isString(other)) words.set(value, other)
    else translate(words, value, other)
  }
}

/** What an entry shows, whichever it is. */
const shape = (entry: unknown) => Predicate.isObject(entry) ? Object.keys(entry).toSorted().join() : ""

/**
 * An answer without what is its own. Without a sort key the order of a list is nobody's business, nor is what comes on a
 * page of a part of it.
 */
const comparable = (text: string, query: Kit.Exchange["request"]["query"]): unknown => {
  const value: unknown = JSON.parse(text, (key, value: unknown) => isOwn(key) ? key : value)
  if (query["sort"] !== undefined || !Predicate.isObject(value) || !Array.isArray(value["data"])) return value
  const isPart = query["start"] !== undefined || (query["limit"] ?? "100") !== "100"
  const data = isPart ? value["data"].map(shape) : value["data"]
  return { ...value, data: data.toSorted((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1) }
}

const reword = (text: string, words: ReadonlyMap<string, string>) =>
  [...words].reduce((changed, [from, to]) => changed.replaceAll(from, to), text)

const withUser = (target: string) =>
  /[?&]uuid=/.test(target) ? target : `${target}${target.includes("?") ? "&" : "?"}uuid=someone`

/** Says to an emulator what was said to the service, and gives both answers to each request. */
const replay = (cassette: Kit.Cassette) =>
  Effect.gen(function*() {
    const subscribeKey = [cassette.keys.subscribe ?? ""].flat()[0] ?? ""
    const publishKey = [cassette.keys.publish ?? ""].flat()[0] ?? ""
    const emulator = yield* PubNubEmulator.make({ keysets: [{ subscribeKey, publishKey }] })
    const words = new Map<string, string>()
    const answers = []
    let isBegun = false
    for (const { request, response } of cassette.interactions) {
      if (!/objects|message-actions|publish|with-actions/.test(request.path)) continue
      const recorded = response.rawBody ?? ""
      const answer = yield* emulator.handle({
        method: request.method,
        target: withUser(reword(request.rawTarget, words)),
        headers: Object.fromEntries(
          Object.entries(request.headers).map(([name, value]) => [name, reword(value, words)])
        ),
        body: reword(request.rawBody ?? "", words)
      })
      translate(words, JSON.parse(recorded), JSON.parse(answer.body))
      if (request.path.startsWith("/publish")) {
        const timetoken = (text: string) => /"(\d{17})"/.exec(text)?.[1] ?? ""
        words.set(timetoken(recorded), timetoken(answer.body))
        continue
      }
      // What was there before the recording is not known.
      isBegun ||= request.method === "PATCH" || request.method === "POST"
      if (!isBegun) continue
      answers.push({
        request: `${request.method} ${request.path}`,
        recorded: { status: response.status, body: comparable(recorded, request.query) },
        emulated: { status: answer.status, body: comparable(answer.body, request.query) }
      })
    }
    return answers
  })

/** They change what was there before the recording, and show it. */
const leftOut: ReadonlySet<string> = new Set([
  "asyncio.objects_v2.channel.get_all_channel",
  "asyncio.objects_v2.uuid.set_uuid",
  "native_sync.metadata.get_all_uuid_metadata",
  "native_sync.objects_v2.channel.get_all_channel",
  "native_sync.objects_v2.channel_members.get_channel_members",
  "native_sync.objects_v2.channel_members.manage_channel_members",
  "native_sync.objects_v2.channel_members.remove_channel_members",
  "native_sync.objects_v2.memberships.manage_memberships",
  "native_sync.objects_v2.memberships.set_memberships",
  "native_sync.objects_v2.uuid.if_matches_etag",
  "objc.ChannelMember.FetchFilteredMembersWhenFilterIsSet"
])

// --- channel groups: what `PubNubEmulator.test.ts` and `Subscribe.test.ts` claim of them is in these recordings

const isSubscribe = ({ request }: Kit.Exchange) => request.template.startsWith("/v2/subscribe/")
const groupsOf = ({ request }: Kit.Exchange) => [request.query["channel-group"] ?? ""].flat().join().split(",")

const decodePosition = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ t: Schema.Struct({ t: Schema.String }), m: Schema.Array(Schema.Unknown) }))
)

/** An exchange in which a poll of groups got nothing, and the very position that it came with. */
const isUnmoved = (exchange: Kit.Exchange) =>
  isSubscribe(exchange) && exchange.request.query["channel-group"] !== undefined &&
  Option.exists(
    decodePosition(exchange.response.rawBody),
    ({ m, t }) => m.length === 0 && t.t === exchange.request.query["tt"]
  )

/** The removal of a group that came while a poll was open. */
const removalDuring = ({ interactions }: Kit.Cassette, poll: Kit.Exchange) =>
  Option.getOrThrow(Arr.findFirst(
    interactions.slice(interactions.indexOf(poll)),
    ({ request }) => /\/channel-group\/[^/]+\/remove$/.test(request.path)
  ))

const ask = (emulator: PubNubEmulator.PubNubEmulator["Service"], { request }: Kit.Exchange) =>
  emulator.handle({ method: request.method, target: withUser(request.rawTarget), headers: {}, body: "" })

const beginning = Effect.fnUntraced(function*({ interactions, keys }: Kit.Cassette) {
  const emulator = yield* PubNubEmulator.make({
    keysets: [{ subscribeKey: [keys.subscribe ?? ""].flat()[0] ?? "", publishKey: "" }]
  })
  for (const exchange of interactions.filter(({ request }) => request.query["add"] !== undefined)) {
    yield* ask(emulator, exchange)
  }
  return emulator
})

describe("emulator against recordings", () => {
  if (!Kit.isPresent) {
    it.skip("skipped: ../shared/conformance is not beside this checkout, so there are no recordings to replay")
    return
  }
  for (const name of ["app-context", "message-actions"]) {
    for (const cassette of Kit.cassettes(name).filter(({ name }) => !leftOut.has(name))) {
      it.effect(`answers ${name} as the service did: ${cassette.name}`, () =>
        Effect.gen(function*() {
          for (const { emulated, recorded, request } of yield* replay(cassette)) {
            assert.deepStrictEqual(emulated, recorded, request)
          }
        }))
    }
  }

  const unmoved = Kit.cassettes("subscribe").flatMap((cassette) =>
    cassette.interactions.filter(isUnmoved).map((poll) => ({ cassette, poll }))
  )

  it("shows that a poll of groups keeps its position only when one of the groups was removed", () => {
    assert.isAtLeast(unmoved.length, 4)
    for (const { cassette, poll } of unmoved) {
      const [group] = removalDuring(cassette, poll).request.path.split("/").slice(-2)
      assert.include(groupsOf(poll), group, cassette.name)
    }
  })

  for (const { cassette, poll } of unmoved) {
    it.effect(`answers a poll when its group is removed, with its own position: ${cassette.name}`, () =>
      Effect.gen(function*() {
        const emulator = yield* beginning(cassette)
        const target = (tt: string) => withUser(poll.request.rawTarget.replace(/([?&]tt=)\d+/, `$1${tt}`))
        const subscribe = (tt: string) => emulator.handle({ method: "GET", target: target(tt), headers: {}, body: "" })
        // Twice, so that the poll does not hear its own user come.
        const [, handshake] = yield* Effect.all([subscribe("0"), subscribe("0")])
        const position = Option.getOrThrow(decodePosition(handshake.body)).t.t
        const waiting = yield* Effect.forkChild(subscribe(position), { startImmediately: true })
        assert.isUndefined(waiting.pollUnsafe())
        const removal = removalDuring(cassette, poll)
        const removed = yield* ask(emulator, removal)
        assert.deepStrictEqual(JSON.parse(removed.body), JSON.parse(removal.response.rawBody ?? ""))
        const answer = yield* Fiber.join(waiting)
        assert.strictEqual(answer.status, poll.response.status)
        assert.deepStrictEqual(JSON.parse(answer.body), { t: { t: position, r: 1 }, m: [] })
      }))
  }

  it.effect("sets a state that is keyed by a group on the channels of the group", () =>
    Effect.gen(function*() {
      const name = "objc.Subscribe.SubscribeToMultipleChannelGroupsAndSetState"
      const cassette = Option.getOrThrow(
        Arr.findFirst(Kit.cassettes("subscribe"), (cassette) => cassette.name === name)
      )
      const handshake = Option.getOrThrow(Arr.findFirst(cassette.interactions, isSubscribe))
      const read = Option.getOrThrow(
        Arr.findFirst(cassette.interactions, ({ request }) => request.path.endsWith("/uuid/Serhii"))
      )
      const emulator = yield* beginning(cassette)
      // The recorder left the state out of the subscribe, which alone can have brought it.
      const state = {
        "test-channel-group1": { "channel-group-1-state": ["channel-group-1-random-value"] },
        "test-channel-group2": { "channel-group-2-state": ["channel-group-2-random-value"] }
      }
      yield* emulator.handle({
        method: "GET",
        target: `${handshake.request.rawTarget}&state=${encodeURIComponent(JSON.stringify(state))}`,
        headers: {},
        body: ""
      })
      const answer = yield* ask(emulator, read)
      assert.deepStrictEqual(JSON.parse(answer.body), JSON.parse(read.response.rawBody ?? ""))
    }))

  it.effect("answers 200 to a subscription of groups as long as one of them has a channel", () =>
    Effect.gen(function*() {
      const cassettes = Kit.cassettes("subscribe").filter(({ interactions }) =>
        interactions.some(({ request }) => request.query["add"] !== undefined)
      )
      assert.isAtLeast(cassettes.length, 10)
      for (const cassette of cassettes) {
        const emulator = yield* beginning(cassette)
        for (const exchange of cassette.interactions.filter(isSubscribe)) {
          if (!["0", undefined].includes([exchange.request.query["tt"]].flat()[0])) continue
          assert.strictEqual((yield* ask(emulator, exchange)).status, exchange.response.status, cassette.name)
        }
      }
    }))
})
