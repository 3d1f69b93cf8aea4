/**
 * Reads one datafeed: turns its answers into pages of new events with statuses in position, tracks acknowledgements, and repairs the
 * feed. The long poll decides when to read and when to retry.
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Front from "../../../internal/front.ts"
import * as Input from "../../../internal/input.ts"
import * as LongPoll from "../../../internal/longPoll.ts"
import { debug } from "../../../internal/operation.ts"
import * as PollLoop from "../../../internal/pollLoop.ts"
import type * as DatafeedEvent from "../../DatafeedEvent.ts"
import type * as DatafeedStatus from "../../DatafeedStatus.ts"
import * as Retry from "../../../Retry.ts"
import { SymphonyConfig } from "../../SymphonyConfig.ts"
import type * as SymphonyError from "../../SymphonyError.ts"
import * as FeedChoice from "./feedChoice.ts"
import * as FeedEvent from "./feedEvent.ts"
import * as Requests from "./feedRequests.ts"
import type { Needs } from "../wire/request.ts"

export interface Settings extends FeedChoice.Wanted {
  readonly deleteOnEnd: boolean
  readonly readTimeout: Duration.Input | undefined
  readonly reconnect: Retry.Policy<SymphonyError.SymphonyError> | undefined
}

export interface Page {
  readonly items: Arr.NonEmptyReadonlyArray<DatafeedEvent.DatafeedEvent>
  readonly commit: Effect.Effect<void>
}

/** The least number of event ids to remember. The service repeats events soon, if they are not acknowledged for half a minute. */
export const remembered = 10_000

/** The default timeout of a read. The service holds a read for half a minute. */
const defaultTimeout = "60 seconds"

/** The least time between two `FeedShared` statuses, in milliseconds. */
const sharedEvery = 30 * 60_000

/** After this many refusals in a row, a feed counts as deleted even if it is listed. */
const mostRefusals = 4

/** How long the end of a stream may take, in milliseconds. */
const grace = 1_000

export const pages = (settings: Settings): Stream.Stream<Page, SymphonyError.SymphonyError, Needs> =>
  Stream.unwrap(Effect.gen(function*() {
    const issues = yield* Requests.reading(() => Effect.succeed(issuesOf(settings)))
    if (issues.length > 0) return Stream.fail(Requests.refused(issues))
    // Uninterruptible, so that the scope ends the fibers that `open` starts.
    const { pull } = yield* Effect.uninterruptible(open(settings))
    return Stream.fromPull(Effect.succeed(pull))
  }))

const issuesOf = ({ deleteOnEnd, include, readTimeout, reconnect, tag }: Settings): ReadonlyArray<Input.Detail> => [
  ...Input.issues({
    tag: Input.optional(Input.all(Input.notBlank, Input.characters(100)))(tag),
    include: Input.list(0)(include) ??
      include.map(Input.oneOf(["own", "invisible"])).find((problem) => problem !== undefined),
    deleteOnEnd: Input.flag(deleteOnEnd),
    readTimeout: Input.duration(readTimeout ?? defaultTimeout)
  }),
  ...Input.retry("reconnect", reconnect)
]

const open = Effect.fnUntraced(function*(settings: Settings) {
  const config = yield* SymphonyConfig
  const context = yield* Effect.context<Needs>()
  const clock = yield* Clock.Clock
  const timeout = Duration.fromInputUnsafe(settings.readTimeout ?? defaultTimeout)
  const patience = Duration.toMillis(timeout)
  const reconnect = Retry.toSchedule(settings.reconnect ?? config.reconnect)
  const outbox = makeOutbox()
  const choice = FeedChoice.make(settings)
  const isNew = makeMemory()

  let bot: number | undefined
  let feed: string | undefined
  let created = false
  let acknowledgements = makeAcknowledgements()
  /** The acknowledgement of the last answer. */
  let lastAckId: string | undefined
  /** When the service last answered about the feed. `isDown`: it was interrupted since. */
  let heard = PollLoop.moment(clock)
  let lastReadAt: DateTime.Utc | undefined
  let isDown = false
  /** The time of the last `FeedShared`. */
  let sharedAt: LongPoll.Moment | undefined
  /** The start and the acknowledgement of the read in flight. `silences`: how many reads in a row timed out. */
  let sentAt = heard
  let sent = ""
  let silences = 0
  /** The last refusal of the feed. `refusals`: how many there were in a row. */
  let refusal: SymphonyError.SymphonyError | undefined
  let refusals = 0

  const emit = (status: DatafeedStatus.DatafeedStatus) => outbox.put({ items: [status], commit: Effect.void })

  const up = (feedId: string, now: LongPoll.Moment): DatafeedStatus.FeedReconnected => {
    isDown = false
    return { _tag: "FeedReconnected", feedId, downFor: Duration.millis(LongPoll.elapsed(heard, now)) }
  }

  const adopt = (chosen: FeedChoice.Chosen) => {
    feed = chosen.feedId
    created = chosen.created
    acknowledgements = makeAcknowledgements()
    sharedAt = undefined
    return resumeAt(chosen.feedId)
  }

  const replace = Effect.fnUntraced(function*(previous: string, { reason }: SymphonyError.SymphonyError) {
    choice.forget(previous)
    const chosen = yield* choice.choose
    refusal = undefined
    emit({
      _tag: "FeedRecreated",
      feedId: chosen.feedId,
      previousFeedId: previous,
      reason,
      ...lastReadAt === undefined ? {} : { lastReadAt }
    })
    lastReadAt = undefined
    return adopt(chosen)
  })

  const handshake = Effect.fnUntraced(function*(standing: string | undefined, why: LongPoll.Proof) {
    // Before a proxy would cut the read, the long poll gives it up.
    const isRenewal = why === "silence" && LongPoll.elapsed(sentAt, PollLoop.moment(clock)) < patience
    if (why === "silence" && !isRenewal) {
      silences++
      // A listed feed does not prove that its reads will be answered.
      if (silences > 1) return yield* Requests.unanswered(standing ?? "", timeout)
    }
    if (!settings.include.includes("own") && bot === undefined) bot = yield* Requests.sessionUser
    if (standing === undefined) return adopt(yield* choice.choose)
    const isListed = yield* choice.isListed(standing)
    if (isRenewal && isDown) emit(up(standing, PollLoop.moment(clock)))
    return refusal !== undefined && (!isListed || refusals >= mostRefusals)
      ? yield* replace(standing, refusal)
      : resumeAt(standing)
  })

  const read = (feedId: string, ackId: string) => {
    sent = ackId
    // The long poll ends a read that takes too long. This timeout is for a machine that slept meanwhile.
    return Effect.provideService(Requests.read(feedId, ackId), SymphonyConfig, {
      ...config,
      requestTimeout: Duration.millis(2 * Duration.toMillis(timeout))
    })
  }

  /** Another reader acknowledged later pages, so the service no longer knows our acknowledgement. */
  const readAgain = Effect.fnUntraced(function*(feedId: string, ackId: string) {
    acknowledgements.refuse(ackId)
    const answer = yield* read(feedId, "")
    return { answer, isShared: true }
  })

  const poll = Effect.fnUntraced(function*(feedId: string) {
    sentAt = PollLoop.moment(clock)
    const ackId = acknowledgements.due()
    const { answer, isShared } = yield* Effect.map(read(feedId, ackId), (answer) => ({ answer, isShared: false }))
      .pipe(
        Effect.catchIf((error) => isRefused(error) && ackId !== "", () => readAgain(feedId, ackId)),
        Effect.tapError((error) =>
          Effect.sync(() => {
            if (!isRefused(error)) return
            refusal = error
            refusals++
          })
        )
      )
    acknowledgements.known(ackId)
    const now = PollLoop.moment(clock)
    const news = answer.events.map(FeedEvent.read).filter(isNew)
    const soon = LongPoll.elapsed(sentAt, now) < 1_000
    const statuses: Array<DatafeedStatus.DatafeedStatus> = []
    // An empty answer that comes at once may be a proxy's.
    if (news.length > 0 || !soon) {
      if (isDown) statuses.push(up(feedId, now))
      heard = now
    }
    if (isShared && (sharedAt === undefined || LongPoll.elapsed(sharedAt, now) > sharedEvery)) {
      sharedAt = now
      statuses.push({ _tag: "FeedShared", feedId })
    }
    silences = 0
    refusals = 0
    refusal = undefined
    lastReadAt = yield* DateTime.now
    const events = [...statuses, ...news.filter(({ initiator }) => bot === undefined || initiator?.userId !== bot)]
    const commit = acknowledgements.next(answer.ackId)
    // A page without events is committed at once.
    if (events.length === statuses.length) yield* commit
    if (Arr.isReadonlyArrayNonEmpty(events)) outbox.put({ items: events, commit })
    // Events without an id cannot be recognized. With the same acknowledgement, this may be the same page again.
    const moved = answer.ackId !== lastAckId
    lastAckId = answer.ackId
    return { next: feedId, servedAt: undefined, soon, fresh: news.some(({ id }) => moved || id !== undefined) }
  })

  const tell = (status: PollLoop.Told<string, SymphonyError.SymphonyError>) => {
    switch (status._tag) {
      case "TellConnected":
        heard = PollLoop.moment(clock)
        return emit({ _tag: "FeedConnected", feedId: status.cursor, created })
      case "TellInterrupted": {
        const { attempt, cursor, failure, retryIn } = status
        isDown = cursor !== undefined
        return emit({
          _tag: "FeedInterrupted",
          reason: failure.reason,
          ...cursor === undefined ? {} : { feedId: cursor },
          attempt,
          retryIn: Duration.millis(retryIn)
        })
      }
      case "End":
        return outbox.end(Effect.fail(status.failure))
      // An answered list says nothing about reads, and the service keeps events that nobody reads.
      case "TellReconnected":
      case "TellBreak":
        return
    }
  }

  let fiber: Fiber.Fiber<void> | undefined
  const fork = Effect.runForkWith(context)
  const loop = new PollLoop.PollLoop<string, SymphonyError.SymphonyError, Needs>(
    {
      rules: { retention: Number.POSITIVE_INFINITY, patience },
      handshake: (standing, why) => Effect.tapError(handshake(standing, why), interrupted),
      poll: (feedId) => Effect.tapError(poll(feedId), interrupted),
      // While a feed is repaired, a refused step is not final, as the refused read before it was not.
      schedule: (failure) => isPassing(failure) || feed !== undefined && isOfMending(failure) ? reconnect : never,
      isDenied: (failure) => failure === refusal,
      // The first refusal is handled without a pause, and the next one counts as a failure.
      renewed: () => Effect.sync(() => refusals === 1),
      next: () => outbox.isWanted() ? "Wanted" : undefined,
      tell,
      broken: (defect) => outbox.end(Effect.die(defect))
    },
    clock,
    (effect) => fiber = fork(effect),
    LongPoll.start<string, SymphonyError.SymphonyError>(undefined, heard)
  )
  outbox.onWanted(() => loop.wake())
  loop.start()
  const watch = fork(PollLoop.watch(clock, () => [loop], patience))

  const end = Effect.gen(function*() {
    yield* Fiber.interrupt(watch)
    const now = PollLoop.moment(clock)
    // The service has received a read that it holds, with its acknowledgement.
    const isHeld = loop.state._tag === "Polling" && LongPoll.elapsed(sentAt, now) >= grace
    if (isHeld) acknowledgements.known(sent)
    loop.stop()
    if (fiber !== undefined) yield* Fiber.interrupt(fiber)
    if (feed === undefined) return
    if (settings.deleteOnEnd) {
      // The timeout runs it in another fiber: this one is being interrupted.
      yield* Requests.remove(feed).pipe(Effect.timeoutOption(grace), Effect.ignore)
      return
    }
    // Acknowledges the pages since the last read. The service holds this read if there are no events, after it received it.
    const ackId = acknowledgements.due()
    if (acknowledgements.isKnown(ackId)) return
    yield* Effect.raceFirst(
      Effect.ignore(read(feed, ackId)),
      Effect.raceFirst(Effect.sleep(grace), standstill(clock))
    )
  })
  yield* Effect.addFinalizer(() => Effect.provideContext(end, context))

  return outbox
})

const resumeAt = (feedId: string): PollLoop.Answered<string> => ({ cursor: feedId, now: feedId, servedAt: undefined })

const interrupted = (failure: SymphonyError.SymphonyError): Effect.Effect<void> =>
  debug(() => ["The datafeed was interrupted", failure])

/**
 * With a virtual clock, waits for a moment of real time: that clock may stand still, and its service answers at once. With the
 * machine's clock, never ends.
 */
const standstill = (clock: Clock.Clock) =>
  Effect.callback<void>((resume) => {
    if (Math.abs(clock.currentTimeMillisUnsafe() - Date.now()) < grace) return
    const timer = setTimeout(() => resume(Effect.void), 20)
    return Effect.sync(() => clearTimeout(timer))
  })

/** A queue of pages for the stream. It wants more while a pull waits. */
const makeOutbox = () => {
  type Pulled = Effect.Effect<Arr.NonEmptyReadonlyArray<Page>, SymphonyError.SymphonyError>
  const pages: Array<Page> = []
  let ended: Pulled | undefined
  let waiting: ((pulled: Pulled) => void) | undefined
  let wanted = () => {}

  const next = (): Pulled | undefined => {
    const page = pages.shift()
    return page === undefined ? ended : Effect.succeed([page])
  }
  const deliver = () => {
    const pulled = waiting === undefined ? undefined : next()
    if (pulled === undefined) return
    const resume = waiting
    waiting = undefined
    resume?.(pulled)
  }
  return {
    pull: Effect.callback<Arr.NonEmptyReadonlyArray<Page>, SymphonyError.SymphonyError>((resume) => {
      waiting = resume
      deliver()
      if (waiting !== undefined) wanted()
      return Effect.sync(() => {
        waiting = undefined
      })
    }),
    isWanted: () => waiting !== undefined,
    onWanted: (listener: () => void) => {
      wanted = listener
    },
    put: (page: Page) => {
      const last = pages.at(-1)
      // Keeps only the newest of several interruptions that nobody has pulled: an outage may last.
      if (last !== undefined && isInterruption(last) && isInterruption(page)) pages.pop()
      pages.push(page)
      deliver()
    },
    end: (pulled: Pulled) => {
      ended ??= pulled
      deliver()
    }
  }
}

const isInterruption = ({ items: [first, ...others] }: Page): boolean =>
  first._tag === "FeedInterrupted" && others.length === 0

/**
 * Makes a function that says whether an event is new. It remembers at least the last `remembered` ids, and forgets them by the
 * thousands: finding the oldest entry of a set takes time for each entry that was deleted before it.
 */
export const makeMemory = () => {
  let recent = new Set<string>()
  let older = new Set<string>()
  return ({ id }: Pick<FeedEvent.Read, "id">): boolean => {
    if (id === undefined) return true
    if (recent.has(id) || older.has(id)) return false
    recent.add(id)
    if (recent.size === remembered) {
      older = recent
      recent = new Set()
    }
    return true
  }
}

/**
 * Tracks which page to acknowledge with the next read: the last one before which all pages are committed. If several were
 * committed since the last read, only the newest is acknowledged. The service sends the others again with a later page, whose
 * acknowledgement covers them.
 */
const makeAcknowledgements = () => {
  const front = Front.make<string>()
  let known = ""
  let refused: string | undefined
  return {
    /** The acknowledgement for the next read. Empty if there is none, or the service refused it. */
    due: () => {
      const ackId = front.place() ?? ""
      return ackId === refused ? "" : ackId
    },
    /** Adds a page, in order. The effect commits it. */
    next: (ackId: string): Effect.Effect<void> => {
      const entry = front.open(ackId === "" ? undefined : ackId)
      return Effect.sync(() => front.done(entry))
    },
    /** The service received this acknowledgement. */
    known: (ackId: string) => {
      known = ackId
    },
    isKnown: (ackId: string) => ackId === "" || ackId === known,
    /** The service refused this acknowledgement. */
    refuse: (ackId: string) => {
      refused = ackId
    }
  }
}

const never = Schedule.recurs(0)

/** The feed does not exist any more, or the service does not know the acknowledgement. */
const isRefused = (error: SymphonyError.SymphonyError): boolean =>
  error.operation === "Datafeed.read" && isOfRequest(error)

/** The service refused to list feeds or to create one. */
const isOfMending = (error: SymphonyError.SymphonyError): boolean =>
  (error.operation === "Datafeed.list" || error.operation === "Datafeed.create") && isOfRequest(error)

const isOfRequest = ({ reason }: SymphonyError.SymphonyError): boolean =>
  reason._tag === "NotFound" || reason._tag === "BadRequest" && reason.status === 400

/** Whether the failure may be temporary. A refused login or a missing permission is not. */
const isPassing = (error: SymphonyError.SymphonyError): boolean =>
  error.isRetryable ||
  error.reason._tag === "Unauthorized" && error.operation !== "Session.login" ||
  isRefused(error)
