/**
 * Hearing: the datafeed of a bot, by which it is told of everything that happens where it is.
 *
 * The service keeps what a bot was not told of, and what it was told of and has not acknowledged. Only for a while: a feed
 * that nobody reads for 30 minutes is forgotten, with all that is in it.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Handling from "../internal/handling.ts"
import type * as DatafeedEvent from "./DatafeedEvent.ts"
import type * as DatafeedStatus from "./DatafeedStatus.ts"
import * as Feed from "./internal/feed/feed.ts"
import * as Requests from "./internal/feed/feedRequests.ts"
import type { Session } from "./Session.ts"
import type { SymphonyConfig } from "./SymphonyConfig.ts"
import type { SymphonyError } from "./SymphonyError.ts"

type Needs = HttpClient.HttpClient | SymphonyConfig | Session

/**
 * Which feed, and what of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Which of the bot's feeds: the one of this tag, at most 100 characters. A bot can have 20. Default: the one that was made first,
   * with a tag or not; so give tags to all readers of a bot or to none. Two readers of one feed share its events, and are told
   * `FeedShared`.
   */
  readonly tag?: string | undefined
  /** Whether a feed that is made tells of invisible rooms too. Default: `false`. */
  readonly includeInvisible?: boolean | undefined
  /**
   * Whether the bot is told of what it did itself. Default: `false`. An event without an initiator is nobody's, and comes
   * in any case.
   */
  readonly own?: boolean | undefined
  /**
   * Whether the feed is deleted when the stream ends, whoever else reads it. Default: `false`: it is there for 30 minutes, for the
   * next reader. Nothing else deletes a feed.
   */
  readonly deleteOnEnd?: boolean | undefined
  /**
   * How long one read may take; the service holds it for half a minute when there is nothing to tell. One that is not answered by
   * then is given up, and the second one in a row is told as `FeedInterrupted`: with less than half a minute, a feed on which nothing
   * happens looks silent. Anything but a positive duration is a `BadRequest`. Default: 60 seconds. The `requestTimeout` of
   * the configuration is for all other requests.
   */
  readonly readTimeout?: Duration.Input | undefined
}

/**
 * What came with one read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page {
  /** At least one, in the order in which the service told them. */
  readonly events: Arr.NonEmptyReadonlyArray<DatafeedEvent.DatafeedEvent>
  /**
   * Says that this page is handled: one of the next reads acknowledges it, once all pages before it are handled too. Pages may
   * be finished in any order.
   */
  readonly commit: Effect.Effect<void>
}

/**
 * What is no event: statuses, and events that cannot be known or read.
 *
 * @category models
 * @since 0.1.0
 */
export type Notice = DatafeedStatus.DatafeedStatus | DatafeedEvent.UnknownEvent | DatafeedEvent.UndecodableEvent

// --------------------------------------------------------------------------------------------------------------------
// streams
// --------------------------------------------------------------------------------------------------------------------

/**
 * The feed for who composes the pipeline: pages, each with its own commit. What was not committed comes again, to the
 * next reader.
 *
 * **Details**
 *
 * `GET /agent/v5/datafeeds`, `POST /agent/v5/datafeeds` where the bot has none, then
 * `POST /agent/v5/datafeeds/{id}/read` as a long poll, one whenever the reader pulls. `GET /pod/v2/sessioninfo` once, to know
 * the bot's own events.
 *
 * The stream survives cut connections, bad answers and sleeping machines, for ever by default (`datafeedRetry` of the
 * configuration). A session that ends is renewed; a login that fails is told at once, and tried again by the same schedule. A feed
 * that the service has forgotten is replaced by another, and told as `FeedRecreated`. A `SymphonyError` ends it: a login or a
 * permission that the service itself refuses (a bot with 20 feeds can make no more), and the last failure before a schedule ended.
 * When it ends, the read in flight is aborted, and what was committed since is acknowledged, within a second.
 *
 * **Nothing is lost**
 *
 * Each answer has its acknowledgement, which goes out with a read, and only when its page is committed and so are all before
 * it. While a page is being handled the next one can be read. The service tells again what is not acknowledged for
 * half a minute: this stream knows the newest 10,000 events by their ids, and leaves out what it has given before. Another
 * reader knows none of them. Pages that are not committed when the stream ends come again, and so do all behind the first of them.
 *
 * **Gotchas**
 *
 * Pulling commits nothing: `buffer`, `mapEffect` with concurrency and others pull before a handler is done, and that is
 * fine. Committing before a page is handled is what loses it. A page that an operator leaves out (`debounce`, `switchMap`)
 * stays open: nothing behind it is acknowledged. Commit what you leave out on purpose.
 *
 * **Example** (Four pages at a time)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Datafeed from "effect-herald/symphony/Datafeed"
 * import type * as DatafeedEvent from "effect-herald/symphony/DatafeedEvent"
 *
 * declare const handle: (event: DatafeedEvent.DatafeedEvent) => Effect.Effect<void>
 *
 * const bot = Datafeed.pages().pipe(
 *   Stream.mapEffect((page) => Effect.andThen(Effect.forEach(page.events, handle), page.commit), { concurrency: 4 }),
 *   Stream.runDrain
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const pages = (options: Options = {}): Stream.Stream<Page, SymphonyError, Needs> =>
  Stream.unwrap(Requests.reading(() => {
    const { deleteOnEnd = false, includeInvisible, own = false, readTimeout, tag } = options
    return Effect.succeed(Feed.pages({ tag, includeInvisible, own, deleteOnEnd, readTimeout }))
  }))

/**
 * Everything that the bot is told, and everything that happens to its feed, in one stream. A page is acknowledged when what
 * comes behind it is pulled. Otherwise it is as {@link pages}.
 *
 * **Gotchas**
 *
 * Operators that pull ahead acknowledge what nobody has handled yet: `buffer`, `merge`, `broadcast`, `debounce`, `grouped`, `mapEffect`
 * with a concurrency above 1. A process that ends then loses what they hold, and it is the service that has forgotten it: there is no
 * cursor to go back to. `runForEach`, `tap`, `map`, `filter` and `mapEffect` with a concurrency of 1 pull when they are done. Use
 * {@link consume} for all else.
 *
 * **Example** (A bot that answers)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Datafeed from "effect-herald/symphony/Datafeed"
 *
 * const bot = Datafeed.events().pipe(
 *   Stream.runForEach((event) => {
 *     switch (event._tag) {
 *       case "MessageSent":
 *         return Effect.log(`${event.initiator?.displayName} says ${event.message.message}`)
 *       case "FeedRecreated":
 *         return Effect.logWarning("something may be lost")
 *       default:
 *         return Effect.void
 *     }
 *   })
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const events = (
  options: Options = {}
): Stream.Stream<DatafeedEvent.DatafeedEvent, SymphonyError, Needs> =>
  Stream.flatMap(
    pages(options),
    (page) => Stream.concat(Stream.fromArray(page.events), Stream.fromEffectDrain(page.commit))
  )

// --------------------------------------------------------------------------------------------------------------------
// handlers
// --------------------------------------------------------------------------------------------------------------------

/**
 * What {@link consume} takes beside its handler. `Work` is what it handles at once.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConsumeOptions<Work, E, E2 = never, R2 = never, E3 = never, R3 = never> extends Options {
  /**
   * How many events of a page are handled at once, or how many pages with {@link consumePages}. With 1 they are handled in order.
   * A whole number from 1 on; anything else is a `BadRequest` before a request is made. Default: 1.
   */
  readonly concurrency?: number | undefined
  /** How often it is tried again when the handler failed. Default: not at all. */
  readonly retry?: Schedule.Schedule<unknown, E> | undefined
  /** What becomes of what keeps failing. Default: its failure ends the reader, before the page is committed. */
  readonly deadLetter?: ((work: Work, error: E) => Effect.Effect<unknown, E3, R3>) | undefined
  /**
   * Run for each status and for what cannot be known or read, after the events ahead of it in the page were handled. Its
   * failure ends the reader. Default: what may mean loss is logged as a warning, the rest at debug.
   */
  readonly onStatus?: ((notice: Notice) => Effect.Effect<unknown, E2, R2>) | undefined
}

/**
 * Runs a handler for each event, and commits a page after all of it was handled: a process that is killed at any point is
 * told again, when it starts again within 30 minutes, of the page it was at. So an event may be handled again, and none is
 * left out.
 *
 * **Details**
 *
 * It runs until it fails: with what ends the feed (see {@link pages}), or with a handler that keeps failing where there is no
 * `deadLetter`. Nothing of that page is acknowledged then. A handler that dies ends it, too: a defect is neither tried again nor
 * set aside. One that hangs holds its page, and with it the reader; `Effect.timeout` in the handler makes a failure of it.
 * A handler may take longer than half a minute: what is told again meanwhile is left out. But one that takes longer than 30 minutes
 * lets the feed be forgotten.
 *
 * **Example** (A bot that loses nothing)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schedule from "effect/Schedule"
 * import * as Datafeed from "effect-herald/symphony/Datafeed"
 * import type * as DatafeedEvent from "effect-herald/symphony/DatafeedEvent"
 *
 * declare const book: (form: DatafeedEvent.ElementsAction) => Effect.Effect<void, "ledger closed">
 *
 * const bot = Datafeed.consume((event) => event._tag === "ElementsAction" ? book(event) : Effect.void, {
 *   retry: Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(3)]),
 *   deadLetter: (event, error) => Effect.logError(`event ${event.id}: ${error}`)
 * })
 * ```
 *
 * @category handlers
 * @since 0.1.0
 */
export function consume<E, R, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (event: DatafeedEvent.Event) => Effect.Effect<unknown, E, R>,
  options?: ConsumeOptions<DatafeedEvent.Event, E, E2, R2, E3, R3>
): Effect.Effect<void, SymphonyError | E2 | E3, Needs | R | R2 | R3>
export function consume<E, R, E2, R2, E3, R3>(
  handler: (event: DatafeedEvent.Event) => Effect.Effect<unknown, E, R>,
  options: ConsumeOptions<DatafeedEvent.Event, E, E2, R2, E3, R3> = {}
): Effect.Effect<void, SymphonyError | E | E2 | E3, Needs | R | R2 | R3> {
  return checked(handler, options, (concurrency) => {
    const one = Handling.withRetryAndDeadLetter(handler, options)
    return handled((events) => Effect.forEach(events, one, { concurrency, discard: true }), options, 1)
  })
}

/**
 * The same as {@link consume} with a handler for all events of a page at once. A page that something is told in the middle of
 * (an `UndecodableEvent`) is handled in two parts.
 *
 * **Example** (One insert a page)
 *
 * ```ts
 * import type * as Effect from "effect/Effect"
 * import * as Datafeed from "effect-herald/symphony/Datafeed"
 * import type * as DatafeedEvent from "effect-herald/symphony/DatafeedEvent"
 *
 * declare const insert: (rows: ReadonlyArray<DatafeedEvent.Event>) => Effect.Effect<void, "deadlock">
 *
 * const archive = Datafeed.consumePages(insert, { tag: "archive", own: true })
 * ```
 *
 * @category handlers
 * @since 0.1.0
 */
export function consumePages<E, R, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (events: Arr.NonEmptyReadonlyArray<DatafeedEvent.Event>) => Effect.Effect<unknown, E, R>,
  options?: ConsumeOptions<Arr.NonEmptyReadonlyArray<DatafeedEvent.Event>, E, E2, R2, E3, R3>
): Effect.Effect<void, SymphonyError | E2 | E3, Needs | R | R2 | R3>
export function consumePages<E, R, E2, R2, E3, R3>(
  handler: (events: Arr.NonEmptyReadonlyArray<DatafeedEvent.Event>) => Effect.Effect<unknown, E, R>,
  options: ConsumeOptions<Arr.NonEmptyReadonlyArray<DatafeedEvent.Event>, E, E2, R2, E3, R3> = {}
): Effect.Effect<void, SymphonyError | E | E2 | E3, Needs | R | R2 | R3> {
  return checked(handler, options, (concurrency) => {
    const all = Handling.withRetryAndDeadLetter(handler, options)
    return handled(
      (events) => Arr.isReadonlyArrayNonEmpty(events) ? all(events) : Effect.void,
      options,
      concurrency
    )
  })
}

/** Refuses what cannot be worked with before anything is asked for. */
const checked = <E, R>(
  handler: unknown,
  options: Parameters<typeof Handling.issuesOf>[1] & { readonly concurrency?: number | undefined },
  work: (concurrency: number) => Effect.Effect<void, E, R>
): Effect.Effect<void, E | SymphonyError, R> =>
  Requests.reading((): Effect.Effect<void, E | SymphonyError, R> => {
    const issues = Handling.issuesOf(handler, options)
    return issues.length === 0 ? work(options.concurrency ?? 1) : Effect.fail(Requests.refused(issues))
  })

/** Pages are handled and committed; what is told in a page comes after the events ahead of it were handled. */
const handled = <E, R, E2, R2>(
  handle: (events: ReadonlyArray<DatafeedEvent.Event>) => Effect.Effect<unknown, E, R>,
  options: Options & { readonly onStatus?: ((notice: Notice) => Effect.Effect<unknown, E2, R2>) | undefined },
  concurrency: number
): Effect.Effect<void, SymphonyError | E | E2, Needs | R | R2> => {
  const onStatus: (notice: Notice) => Effect.Effect<unknown, E2, R2> = options.onStatus ?? logged
  const page = Effect.fnUntraced(function*(told: ReadonlyArray<DatafeedEvent.DatafeedEvent>) {
    let events: Array<DatafeedEvent.Event> = []
    for (const event of told) {
      if (!isNotice(event)) {
        events.push(event)
        continue
      }
      yield* handle(events)
      events = []
      yield* onStatus(event)
    }
    yield* handle(events)
  })
  return pages(options).pipe(
    Stream.mapEffect(({ commit, events }) => Effect.andThen(page(events), commit), { concurrency }),
    Stream.runDrain
  )
}

const noticeTags: { readonly [K in Notice["_tag"]]: true } = {
  FeedConnected: true,
  FeedInterrupted: true,
  FeedReconnected: true,
  FeedShared: true,
  FeedRecreated: true,
  UnknownEvent: true,
  UndecodableEvent: true
}

const isNotice = (event: DatafeedEvent.DatafeedEvent): event is Notice => event._tag in noticeTags

/** What may mean loss is a warning, the rest is for debugging. */
const logged = (notice: Notice): Effect.Effect<void> => {
  switch (notice._tag) {
    case "FeedRecreated":
      return Effect.logWarning(`datafeed ${notice.previous} is gone, and events may be lost: ${notice.reason.message}`)
    case "FeedShared":
      return Effect.logWarning(`another reader reads the datafeed ${notice.feedId}, and the two share its events`)
    case "FeedInterrupted":
      return Effect.logWarning(`interrupted: ${notice.reason.message}`)
    case "UndecodableEvent":
      return Effect.logWarning(`cannot be read: ${notice.issue}`)
    default:
      return Effect.logDebug(notice._tag)
  }
}
