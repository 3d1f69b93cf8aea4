/**
 * One subscription: what is asked of the service, and how its pages become events with statuses in position. The order
 * of work in a page: is it full, may something be missing before it (told as `GapSuspected`; history will be read here),
 * then each envelope by itself, without those that were delivered before.
 */
import type * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Cursor } from "../../Cursor.ts"
import * as Json from "../../internal/json.ts"
import * as LongPoll from "../../internal/longPoll.ts"
import * as Url from "../../internal/url.ts"
import * as Channel from "../Channel.ts"
import type * as Event from "../Event.ts"
import type { PubNubConfig } from "../PubNubConfig.ts"
import * as PubNubError from "../PubNubError.ts"
import type * as Status from "../Status.ts"
import { Exhausted, SubscribeError } from "../SubscribeError.ts"
import * as Delivered from "./delivered.ts"
import * as Endpoint from "./endpoint.ts"
import * as Envelope from "./envelope.ts"
import * as Position from "./position.ts"

type Config = PubNubConfig["Service"]

/** Names as they are sent: each once, in order, presence names included. */
export interface Target {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
  readonly filter: string | undefined
  /** The JSON text of the user's state on each of its channels. */
  readonly state: string | undefined
}

/** Everything that a stream of events is made from. */
export interface Subscription {
  readonly target: Target
  readonly from: Cursor | undefined
  readonly schedule: (reason: PubNubError.Reason) => Schedule.Schedule<unknown, PubNubError.Reason>
}

// --------------------------------------------------------------------------------------------------------------------
// requests
// --------------------------------------------------------------------------------------------------------------------

const Answer = Schema.Struct({
  t: Schema.Struct({
    t: Schema.String.pipe(Schema.check(Schema.isPattern(/^(\d{17}|0)$/))),
    r: Schema.optionalKey(Schema.NullOr(Schema.Int))
  }),
  m: Schema.Array(Envelope.Parsed)
})
const decodeAnswer = Schema.decodeUnknownResult(Answer)

interface Page {
  readonly position: string
  readonly region: number | undefined
  readonly messages: ReadonlyArray<Schema.Json>
}

const decode = (json: Schema.Json): Result.Result<Page, string> =>
  Result.mapBoth(decodeAnswer(json), {
    onFailure: (issue) => issue.message,
    onSuccess: ({ m, t }) => ({ position: t.t, region: t.r ?? undefined, messages: m })
  })

const operation = "subscribe"

/** The request without a position: the handshake. */
export const endpoint = (config: Config, target: Target): Endpoint.Endpoint<Page> => ({
  operation,
  method: "GET",
  path: `/v2/subscribe/${config.subscribeKey}/${Url.encodeList(target.channels)}/0`,
  shownPath: `/v2/subscribe/{subscribeKey}/${target.channels.join(",") || ","}/0`,
  query: [
    ...target.groups.length === 0 ? [] : [["channel-group", target.groups.join(",")] as const],
    ...target.filter === undefined ? [] : [["filter-expr", target.filter] as const],
    ...config.presenceTimeout === undefined
      ? []
      : [["heartbeat", String(Math.ceil(Duration.toSeconds(config.presenceTimeout)))] as const],
    ...target.state === undefined ? [] : [["state", target.state] as const]
  ],
  attributes: { "messaging.destination.name": [...target.channels, ...target.groups].join(",") },
  // Payloads keep their numbers.
  parse: Json.parse,
  decode
})

const call = (config: Config, endpoint: Endpoint.Endpoint<Page>) =>
  Endpoint.call(config, endpoint, (reason): PubNubError.Reason => reason)

const doubtful = (position: string): PubNubError.Malformed =>
  new PubNubError.Malformed({
    status: 200,
    description: `the position ${position} cannot be right`,
    excerpt: position
  })

/** Tells the service that this reader is gone. What goes wrong with it is of no use to a reader that has ended. */
export const leave = (config: Config, target: Target): Effect.Effect<void, never, HttpClient.HttpClient> => {
  const channels = target.channels.filter((name) => !Channel.isPresence(name))
  const groups = target.groups.filter((name) => !Channel.isPresence(name))
  if (channels.length + groups.length === 0) return Effect.void
  return Endpoint.call(config, {
    operation: "leave",
    method: "GET",
    path: `/v2/presence/sub-key/${config.subscribeKey}/channel/${Url.encodeList(channels)}/leave`,
    shownPath: `/v2/presence/sub-key/{subscribeKey}/channel/${channels.join(",") || ","}/leave`,
    query: groups.length === 0 ? [] : [["channel-group", groups.join(",")]],
    decode: Result.succeed
  }, (reason) => reason).pipe(Effect.asVoid, Effect.ignore)
}

// --------------------------------------------------------------------------------------------------------------------
// the loop
// --------------------------------------------------------------------------------------------------------------------

interface Read extends Page {
  /** The service's position, where it was not believed. */
  readonly doubted: boolean
}

/** Events and statuses. `onConnected` is told once the service knows of this reader. */
export const events = (
  config: Config,
  subscription: Subscription,
  onConnected: () => void
): Stream.Stream<Event.SubscribeEvent, SubscribeError, HttpClient.HttpClient> =>
  Stream.suspend(() => {
    const { target } = subscription
    const handshake = endpoint(config, target)
    // The service keeps a state for as long as the user is there, so that a poll need not repeat it.
    const { query } = endpoint(config, { ...target, state: undefined })
    const delivered = Delivered.make()
    // For the whole stream: the service may cut the same events into other pages the second time.
    const before = new Set(subscription.from?.delivered)
    const witness = Position.makeWitness()
    const judge = (page: Page, asked?: Cursor) =>
      Effect.map(Clock.currentTimeMillis, (now) => witness.judge(page.position, now, asked?.position))

    const stand = Effect.fnUntraced(function*(standing: Cursor | undefined) {
      let page = yield* call(config, handshake)
      for (let asked = 1; !(yield* judge(page)).believed; asked++) {
        if (asked === 3) return yield* doubtful(page.position)
        page = yield* call(config, handshake)
      }
      onConnected()
      return standing === undefined
        ? cursorAt(page)
        : standing.region === undefined && page.region !== undefined
        ? { ...standing, region: page.region }
        : standing
    })

    const poll = Effect.fnUntraced(function*(cursor: Cursor) {
      const page = yield* call(config, {
        ...handshake,
        timeout: "none",
        query: [
          ["tt", cursor.position],
          ...cursor.region === undefined ? [] : [["tr", String(cursor.region)] as const],
          ...query
        ]
      })
      const { believed, doubtsBefore } = yield* judge(page, cursor)
      // The first is told with its page; the others are failures, so that the schedule spaces what is asked next.
      if (!believed && doubtsBefore > 0) return yield* doubtful(page.position)
      return { page: { ...page, doubted: !believed }, next: believed ? cursorAt(page) : cursor }
    })

    const steps = LongPoll.stream<Cursor, Read, PubNubError.Reason, never, HttpClient.HttpClient>({
      name: "pubnub.subscribe",
      from: subscription.from,
      heardAt: subscription.from === undefined ? undefined : Position.millisOf(subscription.from.position),
      handshake: stand,
      poll,
      patience: config.pollTimeout,
      schedule: subscription.schedule
    })
    // One chunk a page; pages without news are passed over.
    const events = Stream.transformPull(steps, (pull) => {
      const more: Effect.Effect<
        Arr.NonEmptyReadonlyArray<Event.SubscribeEvent>,
        Effect.Error<typeof pull>
      > = Effect.flatMap(pull, ([step]) => {
        const events = told(config, target, delivered, before, step)
        return isNonEmpty(events) ? Effect.succeed(events) : more
      })
      return Effect.succeed(more)
    })
    return Stream.catch(events, (ended) =>
      Stream.concat(
        Stream.succeed<Status.Disconnected>({ _tag: "Disconnected", reason: ended.failure, ...where(ended.cursor) }),
        Stream.fail(toError(ended))
      ))
  })

const where = (cursor: Cursor | undefined) => cursor === undefined ? {} : { cursor }

const isNonEmpty = <A>(values: ReadonlyArray<A>): values is Arr.NonEmptyReadonlyArray<A> => values.length > 0

const cursorAt = (page: Pick<Page, "position" | "region">): Cursor =>
  page.region === undefined
    ? { position: page.position, delivered: [] }
    : { position: page.position, region: page.region, delivered: [] }

const toError = (ended: LongPoll.GaveUp<Cursor, PubNubError.Reason>): SubscribeError => {
  const at = where(ended.cursor)
  switch (ended.failure._tag) {
    case "AccessDenied":
    case "BadRequest":
    case "FeatureDisabled":
    case "InvalidKey":
      return new SubscribeError({ reason: ended.failure, ...at })
    default:
      return new SubscribeError({ reason: new Exhausted({ attempts: ended.attempts, last: ended.failure }), ...at })
  }
}

// --------------------------------------------------------------------------------------------------------------------
// from steps to events
// --------------------------------------------------------------------------------------------------------------------

const told = (
  config: Config,
  target: Target,
  delivered: Delivered.Delivered,
  before: ReadonlySet<string>,
  step: LongPoll.Step<Cursor, Read, PubNubError.Reason>
): ReadonlyArray<Event.SubscribeEvent> => {
  switch (step._tag) {
    case "Connected":
      return [{ _tag: "Connected", cursor: step.cursor, channels: target.channels, groups: target.groups }]
    case "Reconnected":
      return [{ _tag: "Reconnected", cursor: step.cursor, downFor: step.downFor }]
    case "Interrupted":
      return [{
        _tag: "Interrupted",
        reason: step.failure,
        ...where(step.cursor),
        attempt: step.attempt,
        retryIn: step.retryIn
      }]
    case "Page":
      return [...suspicions(config, step), ...eventsOf(step, delivered, before)]
  }
}

type PageStep = Extract<LongPoll.Step<Cursor, Read, PubNubError.Reason>, { readonly _tag: "Page" }>

const suspicions = (config: Config, { asked, page, unheardFor }: PageStep): ReadonlyArray<Status.Status> => {
  const hole = { _tag: "GapSuspected", from: asked.position, to: page.position } as const
  return [
    ...page.doubted ? [{ _tag: "CursorDoubted", kept: asked, doubted: page.position } as const] : [],
    ...page.messages.length >= config.queueLength
      ? [{ ...hole, reason: "FullPage" } as const]
      : Duration.isGreaterThan(unheardFor, config.queueRetention)
      ? [{ ...hole, reason: "LongBreak" } as const]
      : []
  ]
}

const eventsOf = (
  { asked, next, page }: PageStep,
  delivered: Delivered.Delivered,
  before: ReadonlySet<string>
): ReadonlyArray<Event.Event> => {
  const events: Array<Event.Event> = []
  const had = [...asked.delivered]
  page.messages.forEach((raw, index) => {
    const envelope = Envelope.decode(raw)
    const [id, content] = Result.isSuccess(envelope)
      ? [Envelope.idOf(envelope.success), envelope.success.d]
      : [Envelope.idOfRaw(raw), raw]
    // What says nothing of itself cannot be known again: better twice than not at all.
    if (id !== undefined) {
      const { isNew, name } = delivered.admit(id, content)
      had.push(name)
      if (!isNew || before.has(name)) return
    }
    // The last of a page stands where the next page is asked for.
    const cursor = index === page.messages.length - 1 && !page.doubted ? next : { ...asked, delivered: had.slice() }
    events.push(
      Result.isSuccess(envelope)
        ? Envelope.toEvent(envelope.success, cursor)
        : Envelope.undecodable(raw, envelope.failure.message, cursor)
    )
  })
  return events
}
