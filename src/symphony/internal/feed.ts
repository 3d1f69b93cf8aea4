/**
 * One datafeed: which feed it is, how its answers become pages of events that nobody had before, with statuses in
 * position, and what of it was acknowledged.
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Commits from "../../internal/commits.ts"
import * as LongPoll from "../../LongPoll.ts"
import type * as DatafeedEvent from "../DatafeedEvent.ts"
import type * as DatafeedStatus from "../DatafeedStatus.ts"
import { SymphonyConfig } from "../SymphonyConfig.ts"
import type * as SymphonyError from "../SymphonyError.ts"
import * as Endpoint from "./endpoint.ts"
import * as FeedEvent from "./feedEvent.ts"
import * as Requests from "./feedRequests.ts"
import type { Needs } from "./request.ts"

export interface Settings {
  readonly tag: string | undefined
  readonly includeInvisible: boolean | undefined
  readonly own: boolean
  readonly deleteOnEnd: boolean
}

export interface Page {
  readonly events: Arr.NonEmptyReadonlyArray<DatafeedEvent.DatafeedEvent>
  readonly commit: Effect.Effect<void>
}

type Step = LongPoll.Step<string, Requests.Answer | undefined, SymphonyError.SymphonyError>

/**
 * Whether it is a feed for a reader like this one: lists show others, too, and do not always say which is which. A tag, which
 * stands at the end of an id, may have any characters.
 */
const isFanout = ({ id, type = "" }: Requests.Feed): boolean =>
  type === "" ? /^[^\s_]+_f(_|$)/.test(id) : type.toLowerCase() === "fanout"

/** What comes again comes soon: when its page was not acknowledged for half a minute. */
const remembered = 10_000

/** A read is held for half a minute. One that is silent for longer than this is cut. */
const leastPatience = Duration.seconds(60)

export const pages = (
  settings: Settings
): Stream.Stream<Page, SymphonyError.SymphonyError, Needs> =>
  Stream.unwrap(Effect.gen(function*() {
    const issue = settings.tag === undefined ? undefined : issueOf(settings.tag)
    if (issue !== undefined) {
      return Stream.fail(Requests.refused(Endpoint.refused([{ location: "tag", message: issue }])))
    }
    const config = yield* SymphonyConfig
    const context = yield* Effect.context<Needs>()
    const patience = Duration.max(config.requestTimeout, leastPatience)

    let feed: string | undefined
    let bot: number | undefined
    let acknowledgements = makeAcknowledgements()
    /** What the service said of the feed when it had forgotten it. */
    let gone: SymphonyError.Reason | undefined
    /** How many feeds in a row were gone when they were read for the first time. */
    let stillborn = 0
    let heardAt: DateTime.Utc | undefined
    /** What the last handshake found out, for the step that follows. */
    let status: DatafeedStatus.DatafeedStatus | undefined

    /** A feed was asked for: one that is found later may be that one, whose answer was lost. */
    let making = false
    const find = Effect.gen(function*() {
      const known = yield* Requests.list(settings.tag)
      const found = known.find((known) => isFanout(known) && known.id !== feed)
      if (found !== undefined) return { feedId: found.id, created: making }
      making = true
      return { feedId: yield* Requests.create(settings), created: true }
    })

    const handshake = Effect.fnUntraced(function*(standing: string | undefined) {
      if (!settings.own && bot === undefined) bot = yield* Requests.sessionUser
      // It is answered at once. Whether the feed is still there is for a read to say.
      if (standing !== undefined && gone === undefined) {
        yield* Requests.list(settings.tag)
        return standing
      }
      if (standing !== undefined) yield* Effect.ignore(Requests.remove(standing))
      const { created, feedId } = yield* find
      status = standing === undefined || gone === undefined
        ? { _tag: "FeedConnected", feedId, created }
        : {
          _tag: "FeedRecreated",
          feedId,
          previous: standing,
          reason: gone,
          ...heardAt === undefined ? {} : { heardAt }
        }
      gone = undefined
      making = false
      heardAt = undefined
      feed = feedId
      acknowledgements = makeAcknowledgements()
      return feedId
    })

    /** How many answers in a row came at once and had nothing: a service that goes on so is not asked without a pause. */
    let barren = 0
    let paused = false

    const poll = Effect.fnUntraced(function*(feedId: string) {
      paused = !paused && barren > 1
      if (paused) {
        yield* Effect.sleep(Math.min(500 * 2 ** (barren - 2), 30_000))
        return { page: undefined, next: feedId, listened: false }
      }
      const sentAt = yield* Clock.currentTimeMillis
      const answer = yield* Requests.read(feedId, acknowledgements.due()).pipe(
        // Nobody waits that long: the long poll does not.
        Effect.provideService(SymphonyConfig, { ...config, requestTimeout: Duration.times(patience, 2) }),
        Effect.catchIf(isGone, (error) => {
          gone = error.reason
          // One that was just made and is gone is a failure, so that the schedule spaces what is asked next.
          return stillborn++ === 0 ? Effect.undefined : Effect.fail(error)
        })
      )
      if (answer === undefined) return { page: undefined, next: feedId, listened: true, prove: true }
      stillborn = 0
      heardAt = yield* DateTime.now
      barren = DateTime.toEpochMillis(heardAt) - sentAt < 1_000 ? barren + 1 : 0
      return { page: answer, next: feedId, listened: true }
    })

    const seen = new Set<string>()
    const isNew = ({ id }: FeedEvent.Read): boolean => {
      if (id === undefined) return true
      if (seen.has(id)) return false
      seen.add(id)
      const [oldest] = seen
      if (seen.size > remembered && oldest !== undefined) seen.delete(oldest)
      return true
    }
    const isOwn = ({ initiator }: FeedEvent.Read): boolean => bot !== undefined && initiator?.userId === bot

    const pageOf = ({ ackId, events }: Requests.Answer) => {
      const news = events.map(FeedEvent.read).filter(isNew)
      if (news.length > 0) barren = 0
      return { events: news.filter((event) => !isOwn(event)), commit: acknowledgements.commits.next(ackId) }
    }

    const told = (
      step: Step
    ): { readonly events: ReadonlyArray<DatafeedEvent.DatafeedEvent>; readonly commit: Effect.Effect<void> } => {
      if (step._tag === "Page" && step.page !== undefined) return pageOf(step.page)
      const statuses: Array<DatafeedStatus.DatafeedStatus> = []
      if (step._tag === "Reconnected") {
        statuses.push({ _tag: "FeedReconnected", feedId: step.cursor, downFor: step.downFor })
      }
      if (step._tag === "Interrupted") {
        statuses.push({
          _tag: "FeedInterrupted",
          reason: step.failure.reason,
          ...step.cursor === undefined ? {} : { feedId: step.cursor },
          attempt: step.attempt,
          retryIn: step.retryIn
        })
      }
      if (status !== undefined) {
        statuses.push(status)
      }
      status = undefined
      return { events: statuses, commit: Effect.void }
    }

    if (settings.deleteOnEnd) {
      yield* Effect.addFinalizer(() =>
        feed === undefined ? Effect.void : Requests.remove(feed).pipe(
          Effect.provideContext(context),
          // Not on this fiber: it is being interrupted, and would not wait for an answer, or would wait for ever.
          Effect.timeoutOption("1 second"),
          Effect.ignore
        )
      )
    }

    const steps = LongPoll.stream<string, Requests.Answer | undefined, SymphonyError.SymphonyError, never, Needs>({
      name: "symphony.datafeed",
      from: undefined,
      handshake,
      poll,
      patience,
      schedule: (error) => isPassing(error) ? config.datafeedRetry : never
    })
    return Stream.transformPull(steps, (pull) => {
      const next: Effect.Effect<Arr.NonEmptyReadonlyArray<Page>, Effect.Error<typeof pull>, Needs> = Effect.flatMap(
        pull,
        ([step]) => {
          const { commit, events } = told(step)
          // Without news it is done with as it is, when all before it are.
          return Arr.isReadonlyArrayNonEmpty(events)
            ? Effect.succeed([{ events, commit }])
            : Effect.andThen(commit, next)
        }
      )
      return Effect.succeed(next)
    }).pipe(Stream.mapError((ended) => ended.failure))
  }))

/**
 * What a read acknowledges: the last page before which none is open. When several were committed since the last read, it is the
 * newest of them: the service tells again of the others, and is told with that page that they are known.
 */
const makeAcknowledgements = () => {
  let due = ""
  const commits = Commits.make((ackId: string) =>
    Effect.sync(() => {
      due = ackId
    })
  )
  return { due: () => due, commits }
}

const issueOf = (tag: string): string | undefined =>
  tag.trim() === ""
    ? "is blank"
    : tag.length > 100
    ? "has more than 100 characters"
    : tag.isWellFormed()
    ? undefined
    : "holds half of a surrogate pair"

const never = Schedule.recurs(0)

/** The feed is not there any more, or the service does not know what it acknowledges: both are mended by another feed. */
const isGone = ({ operation, reason }: SymphonyError.SymphonyError): boolean =>
  operation === "readDatafeed" && reason._tag === "InvalidRequest" && reason.status === 400

/** Whether it may be better later. What a login or a role does not allow is for somebody to mend. */
const isPassing = (error: SymphonyError.SymphonyError): boolean =>
  error.isRetryable ||
  error.reason._tag === "Unreadable" ||
  error.reason._tag === "Unauthorized" && error.operation !== "login" ||
  isGone(error)
