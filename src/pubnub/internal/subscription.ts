/**
 * One subscription: what is asked of the service, and how its pages become events with statuses in position. The order
 * of work: may something be missing (then it is read from history first), then each envelope by itself, without those that
 * were delivered before.
 */
import type * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Codec from "../../internal/codec.ts"
import type { Cursor } from "../../Cursor.ts"
import * as Json from "../../internal/json.ts"
import * as LongPoll from "../../LongPoll.ts"
import { debug } from "../../internal/operation.ts"
import * as Url from "../../internal/url.ts"
import * as Channel from "../Channel.ts"
import type * as Event from "../Event.ts"
import type { PubNubConfig } from "../PubNubConfig.ts"
import * as PubNubError from "../PubNubError.ts"
import type * as Status from "../Status.ts"
import { Exhausted, SubscribeError } from "../SubscribeError.ts"
import * as CatchUp from "./catchUp.ts"
import * as Defects from "./defect.ts"
import * as Endpoint from "./endpoint.ts"
import * as Envelope from "./envelope.ts"
import * as Position from "./position.ts"
import * as Reader from "./reader.ts"

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
  /** The names may be others from one request to the next. */
  readonly target: () => Target
  /**
   * For names that change: whether they have since `target` was asked, and when they do. The poll in flight is then given
   * up, and a handshake tells the service.
   */
  readonly changes?: { readonly pending: () => boolean; readonly await: Effect.Effect<void> } | undefined
  /** Whether what comes by two subscribed names is told twice, once for each. Default: `false`. */
  readonly byName?: boolean | undefined
  readonly from: Cursor | undefined
  readonly catchUp: "history" | "none"
  readonly schedule: (reason: PubNubError.Reason) => Schedule.Schedule<unknown, PubNubError.Reason>
  /** Run whenever the service has answered for these names, with where it is now. */
  readonly onAnswered?: ((target: Target, now: Cursor) => void) | undefined
  /** Dies when something beside the polls did, which ends them. Default: nothing runs beside them. */
  readonly beside?: Effect.Effect<never> | undefined
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
const decodeAnswer = Codec.decodeResult(Answer)

interface Page {
  readonly position: string
  readonly region: number | undefined
  readonly messages: ReadonlyArray<Schema.Json>
}

const decode = (json: Schema.Json): Result.Result<Page, string> =>
  Result.map(decodeAnswer(json), ({ m, t }) => ({ position: t.t, region: t.r ?? undefined, messages: m }))

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
  }, (reason) => reason).pipe(
    Effect.asVoid,
    Effect.ignore,
    Effect.catchDefect((defect) => Effect.logWarning(`pubnub.leave failed: ${Defects.describe(config, defect)}`))
  )
}

// --------------------------------------------------------------------------------------------------------------------
// the loop
// --------------------------------------------------------------------------------------------------------------------

/** One answer of the live service. */
interface Heard {
  readonly page: Page
  readonly believed: boolean
  readonly next: Cursor
  /** It came so soon that another like it must not be asked for at once. */
  readonly soon: boolean
}

/** What one request brought, from the live service or from history. */
interface Read {
  readonly notices: ReadonlyArray<Status.Status>
  readonly envelopes: ReadonlyArray<Schema.Json>
  /** Of a live page: that the reader has all before `next` with it. */
  readonly complete: boolean
  /** Of history: all that is older has been found. */
  readonly upTo?: bigint
  /** Of a live page: that it came so soon that another like it must not be asked for at once. */
  readonly soon?: boolean
}

type Step = LongPoll.Step<Cursor, Read, PubNubError.Reason>

/** Who listens ahead does so for this long at a time, and until there are so many envelopes. */
const silence = "500 millis"
const mostAhead = 1_000

const listening: Read = { notices: [], envelopes: [], complete: false }

/** Events and statuses. */
export const events = (
  config: Config,
  subscription: Subscription
): Stream.Stream<Event.SubscribeEvent, SubscribeError, HttpClient.HttpClient> =>
  Stream.suspend(() => {
    const { changes, onAnswered } = subscription
    const witness = Position.makeWitness()
    const judge = (page: Page, asked?: Cursor) =>
      Effect.map(Clock.currentTimeMillis, (now) => witness.judge(page.position, now, asked?.position))
    let target = subscription.target()
    const catchUp = CatchUp.make(config, () => target)
    const reader = Reader.make(catchUp, subscription.from, subscription.byName)
    /** What the last handshake found out, for the step that follows. */
    let notices: Array<Status.Status> = []
    let connected = false
    /**
     * What the live service brought while a hole was read. Who is behind listens meanwhile: when the hole is filled the
     * service would have dropped some of it, and each hole would end with the next one.
     */
    let ahead: Array<Heard> = []
    let listensAhead = false

    const handshake = Effect.gen(function*() {
      const asked = subscription.target()
      const request = endpoint(config, asked)
      let page = yield* call(config, request)
      for (let times = 1; !(yield* judge(page)).believed; times++) {
        if (times === 3) return yield* doubtful(page.position)
        page = yield* call(config, request)
      }
      const isOther = connected && asked !== target
      if (isOther) {
        // It was asked for by other names.
        ahead = []
        listensAhead = false
      }
      target = asked
      connected = true
      onAnswered?.(asked, cursorAt(page))
      const changed = (cursor: Cursor): ReadonlyArray<Status.Status> =>
        isOther
          ? [{
            _tag: "ChannelsChanged",
            cursor: reader.cursor(cursor),
            channels: asked.channels,
            groups: asked.groups
          }]
          : []
      return { page, changed }
    })

    const stand = Effect.fnUntraced(function*(standing: Cursor | undefined) {
      const known = connected
      const { changed, page } = yield* handshake
      const now = cursorAt(page)
      const cursor = standing === undefined
        ? now
        : standing.region === undefined && page.region !== undefined
        ? { ...standing, region: page.region }
        : standing
      notices = [...changed(cursor)]
      // Nothing would come until then. The service alone is not believed, nor is this machine.
      const clock = cursorAt({ position: String(BigInt(yield* Clock.currentTimeMillis) * 10_000n), region: undefined })
      if (!known && isAhead(cursor, now) && isAhead(cursor, clock)) {
        notices.push({ _tag: "CursorDoubted", kept: now, doubted: cursor.position })
        return now
      }
      return cursor
    })

    /** How many pages in a row came at once and brought nothing: an old one again and again would be a storm. */
    let barren = 0
    let paused = false
    /** The full page that waits until what is missing before it has been found. */
    let waiting: { readonly page: Read; readonly next: Cursor } | undefined

    /** How many polls in a row brought a full page: after the second this reader is behind. */
    let fullPages = 0
    /** When the last poll that was answered was sent. */
    let heardAt = 0

    const ask = Effect.fnUntraced(function*(cursor: Cursor) {
      const sentAt = yield* Clock.currentTimeMillis
      // The service keeps a state for as long as the user is there, so that a poll need not repeat it.
      const request = endpoint(config, { ...target, state: undefined })
      const page = yield* call(config, {
        ...request,
        timeout: "none",
        query: [
          ["tt", cursor.position],
          ...cursor.region === undefined ? [] : [["tr", String(cursor.region)] as const],
          ...request.query
        ]
      })
      const { believed, doubtsBefore } = yield* judge(page, cursor)
      // The first is told with its page; the others are failures, so that the schedule spaces what is asked next.
      if (!believed && doubtsBefore > 0) return yield* doubtful(page.position)
      const soon = (yield* Clock.currentTimeMillis) - sentAt < 1_000
      heardAt = sentAt
      const heard: Heard = { page, believed, next: believed ? cursorAt(page) : cursor, soon }
      return heard
    })

    const isFull = ({ page }: Heard) => page.messages.length >= config.queueLength

    /** Takes an answer to a poll from this cursor. */
    const receive = (cursor: Cursor, heard: Heard) => {
      const { believed, next, page, soon } = heard
      const notices: Array<Status.Status> = believed
        ? []
        : [{ _tag: "CursorDoubted", kept: reader.cursor(cursor), doubted: page.position }]
      const read: Read = { notices, envelopes: page.messages, complete: believed, soon }
      if (!isFull(heard)) return { page: read, next, listened: true }
      const newest = youngest(page)
      const to = believed && page.position > newest ? page.position : newest
      if (subscription.catchUp === "none" || target.filter !== undefined) {
        notices.push({ _tag: "GapSuspected", from: cursor.position, to, reason: "FullPage" })
        return { page: read, next, listened: true }
      }
      if (!reader.open({ reason: "FullPage", from: cursor, to, page: page.messages })) {
        return { page: read, next, listened: true }
      }
      waiting = { page: read, next }
      listensAhead = fullPages > 1
      return { page: listening, next: cursor, listened: true }
    }

    const live = Effect.fnUntraced(function*(cursor: Cursor) {
      const heard = yield* ask(cursor)
      fullPages = isFull(heard) ? fullPages + 1 : 0
      return receive(cursor, heard)
    })

    /** What fails here, or is silent, is told by the poll that comes when the hole is filled. */
    const listenAhead = Effect.gen(function*() {
      const next = ahead.at(-1)?.next ?? waiting?.next
      listensAhead = false
      const unheardFor = Duration.millis((yield* Clock.currentTimeMillis) - heardAt)
      if (next === undefined || Duration.isGreaterThan(unheardFor, config.queueRetention)) return
      const heard = yield* ask(next).pipe(Effect.timeoutOption(silence), Effect.orElseSucceed(Option.none))
      // An answer that took longer came over a sleep of the machine: some may be missing before it.
      if (Option.isNone(heard) || !heard.value.soon || heard.value.page.messages.length === 0) return
      ahead.push(heard.value)
      const size = ahead.reduce((size, { page }) => size + page.messages.length, 0)
      listensAhead = heard.value.believed && !isFull(heard.value) && size < mostAhead
    })

    /** How many events the open hole had. */
    let found = 0

    const fill = Effect.fnUntraced(function*(cursor: Cursor) {
      const { envelopes, filled, notices, upTo } = yield* catchUp.next
      if (!filled) return { page: { envelopes, notices, complete: false, upTo }, next: cursor, listened: false }
      yield* debug(() => [`pubnub.subscribe found ${found} events in history`])
      reader.filled()
      const { next, page } = waiting ?? { page: listening, next: Reader.withoutHole(cursor) }
      const soon = page.soon === true && found === 0
      waiting = undefined
      found = 0
      return { page: { ...page, soon, notices: [...notices, ...page.notices] }, next, listened: false }
    })

    /** Nobody listened for longer than the service keeps a queue: what it let go is in history, up to now. */
    const returned = Effect.fnUntraced(function*(cursor: Cursor) {
      const { changed, page } = yield* handshake
      const hole = { reason: "LongBreak", from: cursor, to: page.position, page: [] } as const
      const suspected: Status.Status = {
        _tag: "GapSuspected",
        from: cursor.position,
        to: page.position,
        reason: "LongBreak"
      }
      const blind = subscription.catchUp === "none" || target.filter !== undefined
      const next = !blind && reader.open(hole) ? cursor : Reader.withoutHole(cursor)
      const notices = [...changed(cursor), ...blind ? [suspected] : []]
      return { page: { ...listening, notices }, next, listened: true }
    })

    const poll = (cursor: Cursor, unheardFor: Duration.Duration) => {
      const proof = { page: listening, next: cursor, listened: false, prove: true }
      if (changes?.pending() === true) return Effect.succeed(proof)
      if (catchUp.hole() !== undefined) {
        return listensAhead
          ? Effect.zipWith(fill(cursor), listenAhead, (step) => step, { concurrent: true })
          : fill(cursor)
      }
      const heard = ahead.shift()
      if (heard !== undefined) return Effect.succeed({ ...receive(cursor, heard), listened: false })
      const isOld = Duration.isGreaterThan(unheardFor, config.queueRetention) || cursor.hole !== undefined
      if (isOld) return returned(cursor)
      // A turn of its own: the machine may sleep meanwhile, and then it was a long break.
      paused = !paused && barren > 1
      if (paused) {
        const pause = Math.min(500 * 2 ** (barren - 2), 30_000)
        return Effect.as(Effect.sleep(pause), { page: listening, next: cursor, listened: false })
      }
      return changes === undefined ? live(cursor) : Effect.raceFirst(live(cursor), Effect.as(changes.await, proof))
    }

    const told = (step: Step): ReadonlyArray<Event.SubscribeEvent> => {
      switch (step._tag) {
        case "Connected": {
          const { channels, groups } = target
          reader.begin(step.cursor)
          return [{ _tag: "Connected", cursor: reader.cursor(step.cursor), channels, groups }, ...notices]
        }
        case "Reconnected":
          return [{ _tag: "Reconnected", cursor: reader.cursor(step.cursor), downFor: step.downFor }, ...notices]
        case "Proven":
          return notices
        case "Interrupted":
          return [{
            _tag: "Interrupted",
            reason: step.failure,
            ...where(step.cursor === undefined ? undefined : reader.cursor(step.cursor)),
            attempt: step.attempt,
            retryIn: step.retryIn
          }]
        case "Page": {
          const { complete, envelopes, notices, soon, upTo } = step.page
          const events = upTo === undefined
            ? reader.live(envelopes, step.asked, complete ? step.next : undefined)
            : reader.found(envelopes, step.asked, upTo)
          if (upTo !== undefined) found += events.length
          if (soon !== undefined) barren = soon && events.length === 0 ? barren + 1 : 0
          return notices.length === 0 ? events : [...notices, ...events]
        }
      }
    }

    const steps = LongPoll.stream<Cursor, Read, PubNubError.Reason, never, HttpClient.HttpClient>({
      name: "pubnub.subscribe",
      from: subscription.from,
      heardAt: subscription.from === undefined ? undefined : Position.millisOf(subscription.from.position),
      handshake: stand,
      poll,
      patience: config.pollTimeout,
      schedule: subscription.schedule
    })
    /** Behind what was given. In the middle of a step that throws, the reader knows events that were not. */
    let given = subscription.from
    // One chunk a page; pages without news are passed over.
    const events = Stream.transformPull(steps, (pull) => {
      const watched = subscription.beside === undefined ? pull : Effect.raceFirst(pull, subscription.beside)
      const more: Effect.Effect<
        Arr.NonEmptyReadonlyArray<Event.SubscribeEvent>,
        Effect.Error<typeof pull>
      > = Effect.flatMap(watched, ([step]) => {
        const events = told(step)
        const polled = step._tag === "Page" ? step.next : step.cursor
        if (polled !== undefined) given = reader.cursor(polled)
        return isNonEmpty(events) ? Effect.succeed(events) : more
      })
      return Effect.succeed(more)
    })
    return events.pipe(
      Stream.catch((ended) => {
        const at = where(ended.cursor === undefined ? undefined : reader.cursor(ended.cursor))
        return disconnected(ended.failure, toError(ended, at))
      }),
      Stream.catchDefect((defect) => {
        const error = Defects.toError(config, defect, given)
        return disconnected(Defects.told(error.reason), error)
      })
    )
  })

/** Tells that it is over, and why, and fails. */
const disconnected = (reason: NonNullable<Status.Disconnected["reason"]>, error: SubscribeError) =>
  Stream.concat(
    Stream.succeed<Status.Disconnected>({ _tag: "Disconnected", reason, ...where(error.cursor) }),
    Stream.fail(error)
  )

const where = (cursor: Cursor | undefined) => cursor === undefined ? {} : { cursor }

const isNonEmpty = <A>(values: ReadonlyArray<A>): values is Arr.NonEmptyReadonlyArray<A> => values.length > 0

const cursorAt = (page: Pick<Page, "position" | "region">): Cursor =>
  page.region === undefined
    ? { position: page.position, delivered: [] }
    : { position: page.position, region: page.region, delivered: [] }

const aMinute = 600_000_000n

/** A position that the service has not reached, and will not within the time by which two of its regions differ. */
const isAhead = (cursor: Cursor, now: Cursor): boolean => BigInt(cursor.position) - BigInt(now.position) > aMinute

/** The newest of a page: its own position may not be believed, or be that of another region. */
const youngest = ({ messages }: Page): string =>
  String(messages.map(Envelope.timetokenOf).reduce<bigint>((a, b) => b !== undefined && b > a ? b : a, 0n))

const toError = (
  ended: LongPoll.GaveUp<Cursor, PubNubError.Reason>,
  at: { readonly cursor?: Cursor }
): SubscribeError => {
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
