/**
 * Recorded publishes and subscriptions, replayed. A cassette is first read as a plan: which calls it makes and which
 * subscriptions it holds, one after the other for each of its users. What belongs to other operations is passed over and
 * counted: it is replayed with its own kind, if the client has it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { Publish, PubNubConfig, Subscribe, type SubscribeEvent, Time, Timetoken } from "effect-herald/pubnub"
import * as Answers from "./answers.ts"
import * as Kit from "./kit.ts"
import { canonical, recordedParts, recordedQuery } from "./matching.ts"
import * as Replay from "./replay.ts"
import * as Wire from "./wire.ts"

/** The classes of which every cassette is replayed or left out by name. */
export const classes = ["publish", "signal", "time", "subscribe", "error-cases"] as const

const notOurs = "no exchange of an operation that the client has; its error answers are read"

const ofAppContext = "of App Context, and replayed with it"

/** Cassettes of these classes in which nothing can be replayed. */
export const leftOut: { readonly [name: string]: string } = {
  "native_sync.publish.publish_with_ptto_and_replicate": "publishes with ptto, which the client does not offer",
  "native_sync.add_channels_to_push.invalid_push_type_error": notOurs,
  "native_sync.list_push_channels.invalid_push_type_error": notOurs,
  "native_sync.remove_channels_from_push.invalid_push_type_error": notOurs,
  "objc.ChannelMetadata.NotFetchChannelMetadataWhenTargetChannelDoesNotHaveMetadata": ofAppContext,
  "ruby.add_channels_to_push.004": notOurs,
  "ruby.channel-registration-error": "of channel groups, and replayed with them",
  "ruby.grant-token-error": notOurs
}

// --------------------------------------------------------------------------------------------------------------------
// plan
// --------------------------------------------------------------------------------------------------------------------

/** One subscription: asked again by its user from where it stood. */
interface Subscribed {
  readonly _tag: "Stream"
  readonly user: string | undefined
  readonly names: string
  readonly handshakes: Array<Kit.Exchange>
  readonly polls: Array<Kit.Exchange>
  leave: Kit.Exchange | undefined
}

type Act = { readonly _tag: "Call"; readonly exchange: Kit.Exchange } | Subscribed

/** What a cassette makes the client do, and what is passed over, each with its reason. */
export interface Plan {
  readonly acts: ReadonlyArray<Act>
  readonly skipped: ReadonlyArray<readonly [exchange: Kit.Exchange, reason: string]>
}

const templates = {
  publish: "/publish/{pubKey}/{subKey}/0/{channel}/0/{message}",
  signal: "/signal/{pubKey}/{subKey}/0/{channel}/0/{message}",
  time: "/time/0",
  subscribe: "/v2/subscribe/{subKey}/{channels}/0",
  leave: "/v2/presence/sub-key/{subKey}/channel/{channels}/leave"
} as const

/** The requests that are replayed here. */
export const ours: ReadonlySet<string> = new Set(Object.values(templates))

const listOf = (text: string | undefined): ReadonlyArray<string> =>
  text === undefined ? [] : text.split(",").filter((name) => name !== "")

/** The channels and groups of a subscribe or leave request. */
const namesOf = (exchange: Kit.Exchange) => {
  const { request } = exchange
  const at = request.template === templates.leave ? 5 : 3
  return {
    channels: listOf(decodeURIComponent(recordedParts(request)[at] ?? "")),
    groups: listOf(recordedQuery(request).get("channel-group"))
  }
}

const keyOf = ({ channels, groups }: ReturnType<typeof namesOf>): string =>
  JSON.stringify([[...new Set(channels)].toSorted(), [...new Set(groups)].toSorted()])

const withoutPresence = ({ channels, groups }: ReturnType<typeof namesOf>) => ({
  channels: channels.filter((name) => !name.endsWith("-pnpres")),
  groups: groups.filter((name) => !name.endsWith("-pnpres"))
})

const Page = Schema.Struct({
  t: Schema.Struct({ t: Schema.String, r: Schema.Int }),
  m: Schema.Array(Schema.Json)
})
const decodePage = Schema.decodeUnknownSync(Schema.fromJsonString(Page))
const pageOf = ({ response }: Kit.Exchange) => decodePage(response.rawBody)

export const planOf = (cassette: Kit.Cassette): Plan => {
  const acts: Array<Act> = []
  const skipped: Array<readonly [Kit.Exchange, string]> = []
  const ofUser = (user: string | undefined) =>
    acts.filter((act): act is Subscribed => act._tag === "Stream" && act.user === user)
  for (const exchange of cassette.interactions) {
    const query = recordedQuery(exchange.request)
    const user = query.get("uuid")
    const failed = exchange.response.status >= 400
    switch (exchange.request.template) {
      case templates.publish:
      case templates.signal:
      case templates.time:
        if (query.has("ptto")) skipped.push([exchange, "a publish at a chosen time"])
        else acts.push({ _tag: "Call", exchange })
        break
      case templates.subscribe: {
        const names = keyOf(namesOf(exchange))
        const current = ofUser(user).at(-1)
        const same = current !== undefined && current.names === names && current.leave === undefined
        if (same && (query.has("tt") || (!failed && pageOf(exchange).m.length > 0))) current.polls.push(exchange)
        // One that is refused is tried again.
        else if (same && failed) current.handshakes.push(exchange)
        else {
          assert.isFalse(query.has("tt"), `${cassette.name}: a poll without its handshake`)
          acts.push({ _tag: "Stream", user, names, handshakes: [exchange], polls: [], leave: undefined })
        }
        break
      }
      case templates.leave: {
        const names = keyOf(namesOf(exchange))
        const left = ofUser(user).findLast((act) =>
          act.leave === undefined && keyOf(withoutPresence(namesOf(firstOf(act)))) === names
        )
        if (left === undefined) skipped.push([exchange, "a leave of some of the names: a subscription is left whole"])
        else if (firstOf(left).response.status >= 400) {
          skipped.push([exchange, "a leave of what was refused: ours was never there"])
        } else left.leave = exchange
        break
      }
      default:
        skipped.push([exchange, `of another kind: ${exchange.request.method} ${exchange.request.template}`])
    }
  }
  return { acts, skipped }
}

const firstOf = (act: Subscribed): Kit.Exchange => {
  const [first] = act.handshakes
  return first ?? assert.fail("a subscription has a handshake")
}

// --------------------------------------------------------------------------------------------------------------------
// replay
// --------------------------------------------------------------------------------------------------------------------

const configOf = (exchange: Kit.Exchange, more: Partial<PubNubConfig.Options> = {}) => {
  const parts = recordedParts(exchange.request)
  const query = recordedQuery(exchange.request)
  const heartbeat = query.get("heartbeat")
  const auth = query.get("auth")
  const sends = exchange.request.template === templates.publish || exchange.request.template === templates.signal
  return PubNubConfig.make({
    // Taken from the path: a cassette may use several.
    ...sends
      ? { publishKey: parts[1] ?? "", subscribeKey: parts[2] ?? "" }
      : { subscribeKey: exchange.request.template === templates.subscribe ? parts[2] ?? "" : "demo" },
    userId: query.get("uuid") ?? "a user that was not recorded",
    // Longer signals than any keyset allows are to be refused by the service, not by us.
    maxSignalSize: 32_768,
    ...heartbeat === undefined ? {} : { presenceTimeout: Duration.seconds(Number(heartbeat)) },
    ...auth === undefined ? {} : { authToken: Redacted.make(auth) },
    ...more
  })
}

const optionsOf = (cassette: Kit.Cassette): Replay.Options => ({
  exactPath: !/^(objc|ruby)\./.test(cassette.name),
  ignored: ({ request }) =>
    request.template === templates.time
      // Ours takes no token.
      ? ["auth"]
      // Others repeat the state with each poll.
      : request.template === templates.subscribe && recordedQuery(request).has("tt")
      ? ["state"]
      : [],
  objections: ({ url }) =>
    url.pathname === "/time/0" && url.searchParams.has("auth") ? ["a token in a request for the time"] : []
})

/** The moment of a recording: its first timetoken. */
const momentOf = (cassette: Kit.Cassette): number => {
  const [timetoken] = /\b\d{17}\b/.exec(cassette.interactions.map(({ response }) => response.rawBody).join("\n")) ?? []
  return timetoken === undefined ? 0 : Number(BigInt(timetoken) / 10_000n)
}

const replayCall = Effect.fnUntraced(function*(cassette: Kit.Cassette, exchange: Kit.Exchange) {
  const replay = Replay.make([exchange], new Set(), optionsOf(cassette))
  const result = yield* callOf(exchange).pipe(
    Effect.map((timetoken) => ({ timetoken })),
    Effect.provideService(HttpClient.HttpClient, replay.client),
    Effect.provideService(PubNubConfig.PubNubConfig, configOf(exchange)),
    Effect.result
  )
  assert.deepStrictEqual(replay.problems(), [])
  if (exchange.response.status >= 400) {
    assert.strictEqual(result._tag, "Failure")
    if (result._tag === "Failure") Answers.assertFailure(result.failure, Answers.expectedOf(cassette, exchange))
  } else {
    // Digits from the text: as numbers they would be rounded.
    const [, timetoken = "none"] = /(\d{17})"?\]$/.exec(exchange.response.rawBody ?? "") ?? []
    assert.deepStrictEqual(result._tag === "Success" ? result.success : result.failure, { timetoken })
  }
})

const sendParameters = new Set(["store", "norep", "ttl", "meta", "custom_message_type", "uuid", "auth", "pnsdk"])

const recordedMeta = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Json)))

const callOf = (
  exchange: Kit.Exchange
): Effect.Effect<string, Publish.PublishError | Time.TimeError, HttpClient.HttpClient | PubNubConfig.PubNubConfig> =>
  exchange.request.template === templates.time ? Time.now : sendOf(exchange)

/** The call that makes a recorded request: publish, fire or signal. */
export const sendOf = (
  { request }: Pick<Kit.Exchange, "request">
): Effect.Effect<string, Publish.PublishError, HttpClient.HttpClient | PubNubConfig.PubNubConfig> => {
  const query = recordedQuery(request)
  for (const name of query.keys()) {
    if (!sendParameters.has(name) && !/^(l_.*|seqn|ortt|timestamp|signature)$/.test(name)) {
      assert.fail(`${name} is not a parameter of publish`)
    }
  }
  const parts = recordedParts(request)
  const message: unknown = JSON.parse(
    request.method === "POST" ? request.rawBody ?? "" : decodeURIComponent(parts[6] ?? "")
  )
  const flag = (name: string) => query.has(name) ? /^(1|true)$/.test(query.get(name) ?? "") : undefined
  const [meta, ttl, customMessageType] = [query.get("meta"), query.get("ttl"), query.get("custom_message_type")]
  const common = { channel: decodeURIComponent(parts[4] ?? ""), message, customMessageType }
  // Without a method ours chooses, and must choose what was recorded.
  const method = request.method === "POST" ? "POST" as const : undefined
  const fireable = { ...common, method, meta: meta === undefined ? undefined : recordedMeta(meta) }
  const sent = request.template === templates.signal
    ? Publish.signal(common)
    : flag("store") === false && flag("norep") === true && ttl === undefined && customMessageType === undefined
    ? Publish.fire(fireable)
    : Publish.publish({
      ...fireable,
      store: flag("store"),
      replicate: flag("norep") === true ? false : undefined,
      ttl: ttl === undefined ? undefined : ttl === "0" ? "Infinity" : `${Number(ttl)} hours`
    })
  return Effect.map(sent, ({ timetoken }) => timetoken)
}

const recordedState = Schema.decodeUnknownSync(Schema.fromJsonString(
  Schema.Record(Schema.String, Schema.Record(Schema.String, Schema.Json))
))

/** The recorded names as a target: with `presence` where every name has its presence name beside it. */
const targetOf = (exchange: Kit.Exchange): Subscribe.StreamOptions => {
  const names = namesOf(exchange)
  const plain = withoutPresence(names)
  const all = [...names.channels, ...names.groups]
  const both = all.every((name) => all.includes(name.endsWith("-pnpres") ? name.slice(0, -7) : `${name}-pnpres`))
  const query = recordedQuery(exchange.request)
  const state = query.get("state")
  return {
    ...both ? { ...plain, presence: true } : names,
    filter: query.get("filter-expr"),
    state: state === undefined ? undefined : recordedState(state)
  }
}

const once = Schedule.recurs(0)

const replayStream = Effect.fnUntraced(function*(cassette: Kit.Cassette, act: Subscribed) {
  const { handshakes, leave, polls } = act
  const first = firstOf(act)
  const replay = Replay.make(
    [...handshakes, ...polls, ...leave === undefined ? [] : [leave]],
    new Set(polls),
    optionsOf(cassette)
  )
  const events: Array<SubscribeEvent.SubscribeEvent> = []
  const from = fromOf(act)
  const retries = Schedule.recurs(handshakes.length - 1)
  const fiber = yield* Subscribe.stream({
    ...targetOf(first),
    from,
    reconnect: { AccessDenied: retries, Malformed: once, RateLimited: once, ServerFailure: once, Transport: once }
  }).pipe(
    Stream.runForEach((event) => Effect.sync(() => events.push(event))),
    Effect.provideService(HttpClient.HttpClient, replay.client),
    Effect.provideService(PubNubConfig.PubNubConfig, configOf(first, { sendLeave: leave !== undefined })),
    Effect.forkChild
  )
  if (first.response.status >= 400) {
    const failure = yield* Effect.flip(Fiber.join(fiber))
    assert.deepStrictEqual(replay.problems(), [])
    assert.deepStrictEqual(
      events.map((event) => event._tag),
      [...handshakes.slice(1).map(() => "Interrupted"), "Disconnected"]
    )
    Answers.assertRefused(failure, events.at(-1), Answers.expectedOf(cassette, first))
    return
  }
  // The last poll stays open, as it did until the recorded client gave it up.
  const open = yield* Effect.raceFirst(
    Deferred.await(replay.open),
    Effect.flatMap(
      Effect.exit(Fiber.join(fiber)),
      (exit) =>
        Effect.sync(() =>
          assert.fail(`ended: ${String(exit)}\n${JSON.stringify(events)}\n${replay.problems().join("\n")}`)
        )
    )
  )
  yield* Fiber.interrupt(fiber)
  assert.deepStrictEqual(replay.problems(), [])
  const standing = pageOf(polls.at(-1) ?? first).t
  assert.deepStrictEqual(Replay.positionOf(open), { tt: standing.t, tr: String(standing.r) })
  assertEvents(events, act, from)
})

/** A user's own start: the first poll asks for another position than the handshake gave. */
const fromOf = (act: Subscribed): { readonly timetoken: Timetoken.Timetoken; readonly region?: number } | undefined => {
  const [poll] = act.polls
  if (poll === undefined) return undefined
  const query = recordedQuery(poll.request)
  const tt = query.get("tt")
  const { t } = pageOf(firstOf(act))
  if (tt === undefined || tt === t.t) return undefined
  const timetoken = Timetoken.Timetoken.make(tt)
  // Without a region it is to be that of the handshake.
  return query.get("tr") === String(t.r) ? { timetoken } : { timetoken, region: Number(query.get("tr")) }
}

const assertEvents = (
  events: ReadonlyArray<SubscribeEvent.SubscribeEvent>,
  act: Subscribed,
  from: ReturnType<typeof fromOf>
) => {
  const handshake = pageOf(firstOf(act)).t
  const names = namesOf(firstOf(act))
  const start = { position: from?.timetoken ?? handshake.t, region: from?.region ?? handshake.r }
  let asked = start
  const pages = act.polls.flatMap((poll) => {
    const page = pageOf(poll)
    const next = { position: page.t.t, region: page.t.r }
    const cursors = page.m
      .map((envelope, index) => [envelope, index === page.m.length - 1 ? next : asked] as const)
      // The service has sent one envelope twice in a page; a reader gets it once.
      .filter(([envelope], index) => page.m.findIndex((other) => canonical(other) === canonical(envelope)) === index)
    asked = next
    return cursors
  })
  const [connected, ...delivered] = events
  assert.deepStrictEqual(connected, {
    _tag: "Connected",
    cursor: { ...start, delivered: [], recent: { since: String(BigInt(start.position) + 1n), marks: "" } },
    channels: names.channels.toSorted(),
    groups: names.groups.toSorted()
  })
  assert.deepStrictEqual(delivered.map(Wire.plain), pages.map(([envelope]) => Wire.expectedEvent(envelope)))
  assert.deepStrictEqual(
    delivered.map((event) =>
      "cursor" in event ? { position: event.cursor?.position, region: event.cursor?.region } : {}
    ),
    pages.map(([, cursor]) => cursor)
  )
}

// --------------------------------------------------------------------------------------------------------------------
// tests
// --------------------------------------------------------------------------------------------------------------------

const counts = new Map<string, number>()
const count = (what: string, by = 1) => counts.set(what, (counts.get(what) ?? 0) + by)

/** What was done, for the line at the end. */
export const summary = (): ReadonlyArray<string> => [
  ...[...classes, "others"].map((name) => `${name} ${counts.get(name) ?? 0}`),
  `exchanges ${counts.get("exchanges") ?? 0} (${counts.get("skipped") ?? 0} passed over)`,
  `left out ${Object.keys(leftOut).length}`
]

export const suite = () => {
  const all = classes.flatMap((name) => Kit.cassettes(name))

  describe("recorded publishes and subscriptions", () => {
    it("are all replayed, or left out by name", () => {
      for (const cassette of all) {
        assert.strictEqual(planOf(cassette).acts.length === 0, cassette.name in leftOut, cassette.name)
      }
      const names = new Set(all.map(({ name }) => name))
      assert.deepStrictEqual(Object.keys(leftOut).filter((name) => !names.has(name)), [])
    })

    const replayable = Kit.classes()
      .flatMap((name) => Kit.cassettes(name))
      .filter((cassette) => planOf(cassette).acts.length > 0)

    // Many cassettes of other classes publish and subscribe too.
    describe.each([...new Set(replayable.map((cassette) => cassette.class))])("%s", (name) => {
      for (const cassette of replayable) {
        if (cassette.class !== name) continue
        it.effect(cassette.name, () =>
          Effect.gen(function*() {
            const { acts, skipped } = planOf(cassette)
            yield* TestClock.setTime(momentOf(cassette))
            for (const act of acts) {
              yield* act._tag === "Call" ? replayCall(cassette, act.exchange) : replayStream(cassette, act)
            }
            count(classes.find((own) => own === name) ?? "others")
            count("exchanges", cassette.interactions.length - skipped.length)
            count("skipped", skipped.length)
          }))
      }
    })
  })
}
