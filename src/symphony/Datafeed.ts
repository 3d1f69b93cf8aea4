/**
 * Reads the datafeed of a bot: everything that happens where the bot is. {@link consume} runs a handler for each event and loses
 * none; {@link messages} and {@link stream} are plain streams; {@link pages} gives each page with its commit.
 *
 * The service keeps events until a reader has acknowledged them, but not for ever: it forgets a feed that nobody reads for 30
 * minutes, with all that is in it.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Stream from "effect/Stream"
import * as Handling from "../internal/handling.ts"
import * as Input from "../internal/input.ts"
import type * as Retry from "../Retry.ts"
import type * as DatafeedEvent from "./DatafeedEvent.ts"
import type * as DatafeedStatus from "./DatafeedStatus.ts"
import * as Feed from "./internal/feed/feed.ts"
import * as Requests from "./internal/feed/feedRequests.ts"
import type { Session } from "./Session.ts"
import type { SymphonyConfig } from "./SymphonyConfig.ts"
import type { SymphonyError } from "./SymphonyError.ts"

/**
 * Which feed to read, and what of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Reads the bot's feed with this tag, at most 100 characters. A bot can have 20 feeds. Default: the feed that was created
   * first, with a tag or without; so give tags to all readers of a bot or to none. Two readers of one feed share its events, and
   * the stream emits `FeedShared`.
   */
  readonly tag?: string | undefined
  /**
   * What the feed gives besides the actions of others. `"own"`: what the bot does itself. `"invisible"`: what happens in
   * invisible rooms, if this reader creates the feed. Default: neither. Events without an initiator always come.
   */
  readonly include?: ReadonlyArray<"own" | "invisible"> | undefined
  /**
   * Deletes the feed when the stream ends, even if others read it. Default: `false`: the service keeps the feed for 30 minutes
   * for the next reader. Nothing else deletes a feed.
   */
  readonly deleteOnEnd?: boolean | undefined
  /**
   * How long one read may take. The service holds a read for half a minute when nothing happens. A read without an answer in
   * this time is given up; the second one in a row emits `FeedInterrupted`. With less than half a minute, a quiet feed looks
   * silent. A value that is no positive, finite duration is a `BadRequest`. Default: 60 seconds. All other requests use the
   * `requestTimeout` of the configuration.
   */
  readonly readTimeout?: Duration.Input | undefined
  /**
   * When the reader tries again: settings of `Retry.backoff`, or a schedule. When it ends, the stream fails. Default: `reconnect` of
   * the configuration.
   */
  readonly reconnect?: Retry.Policy<SymphonyError> | undefined
}

/**
 * The events of one read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page {
  /** At least one event, in the order of the service. */
  readonly items: Arr.NonEmptyReadonlyArray<DatafeedEvent.DatafeedEvent>
  /**
   * Marks this page as handled. One of the next reads acknowledges it, after all pages before it are handled too. Pages may be
   * committed in any order.
   */
  readonly commit: Effect.Effect<void>
}

/**
 * What is not an event of a known kind: statuses, unknown events, and events that cannot be read.
 *
 * @category models
 * @since 0.1.0
 */
export type Notice = DatafeedStatus.DatafeedStatus | DatafeedEvent.UnknownEvent | DatafeedEvent.UndecodableEvent

// --------------------------------------------------------------------------------------------------------------------
// streams
// --------------------------------------------------------------------------------------------------------------------

/**
 * Streams pages, for pipelines that need the commit of each page. The next reader gets again what was not committed.
 *
 * **Details**
 *
 * `GET {agent}/agent/v5/datafeeds`, `POST {agent}/agent/v5/datafeeds` where the bot has no feed, then
 * `POST {agent}/agent/v5/datafeeds/{id}/read` as a long poll, once for each pull. `GET {pod}/pod/v2/sessioninfo` once, to
 * recognise the bot's own events.
 *
 * The stream survives cut connections, bad answers and sleeping machines, by default for ever (`reconnect` of the
 * configuration). It renews a session that ends. It reports a failed login at once, and retries it by the same schedule. It
 * replaces a feed that the service forgot, and emits `FeedRecreated`. It ends with a `SymphonyError` when the service itself
 * refuses a login or a permission (a bot with 20 feeds can create no more), or with the last failure when a schedule ends. At its
 * end it aborts the read in flight and acknowledges what was committed since, within a second.
 *
 * **Nothing is lost**
 *
 * Each answer has its acknowledgement. The reader sends it with a later read, after the page and all pages before it are
 * committed. The next page can be read while a page is being handled. The service repeats what is not acknowledged within half a
 * minute. This stream knows the newest 10,000 events by their ids and leaves out what it gave before; another reader knows none
 * of them. When the stream ends, the next reader gets the pages that are not committed, and all pages behind the first of them.
 *
 * **Gotchas**
 *
 * Pulling commits nothing. `buffer`, `mapEffect` with concurrency and others pull before a handler is done, and that is safe. A
 * commit before the page is handled loses it. A page that an operator drops (`debounce`, `switchMap`) stays open, and nothing
 * behind it is acknowledged: commit what you drop on purpose.
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
 *   Stream.mapEffect(({ items, commit }) => Effect.andThen(Effect.forEach(items, handle), commit), { concurrency: 4 }),
 *   Stream.runDrain
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const pages = (
  options: Options = {}
): Stream.Stream<Page, SymphonyError, HttpClient.HttpClient | SymphonyConfig | Session> =>
  Stream.unwrap(Requests.reading(() => {
    const { deleteOnEnd = false, include = [], readTimeout, reconnect, tag } = options
    return Effect.succeed(Feed.pages({ tag, include, deleteOnEnd, readTimeout, reconnect }))
  }))

/**
 * Streams all events and all statuses of the feed. It commits a page when the reader pulls what comes behind it. Otherwise as
 * {@link pages}.
 *
 * **Gotchas**
 *
 * Operators that pull ahead acknowledge events that nobody has handled: `buffer`, `merge`, `broadcast`, `debounce`, `grouped`,
 * `mapEffect` with a concurrency above 1. A process that ends loses the events that such an operator holds. The service has
 * forgotten them, and no cursor goes back to them. `runForEach`, `tap`, `map`, `filter` and `mapEffect` with a concurrency of 1
 * are safe. Use {@link consume} for everything else.
 *
 * **Example** (Printing what people say)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Datafeed from "effect-herald/symphony/Datafeed"
 *
 * const bot = Datafeed.stream().pipe(
 *   Stream.runForEach((event) => {
 *     switch (event._tag) {
 *       case "MessageSent":
 *         return Effect.log(`${event.initiator?.displayName} says ${event.message.message}`)
 *       case "FeedRecreated":
 *         return Effect.logWarning("events may be lost")
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
export const stream = (
  options: Options = {}
): Stream.Stream<
  DatafeedEvent.DatafeedEvent,
  SymphonyError,
  HttpClient.HttpClient | SymphonyConfig | Session
> =>
  Stream.transformPull(pages(options), (pull) =>
    Effect.sync(() => {
      /** Commits what was given before. */
      let commit: Effect.Effect<void> = Effect.void
      return Effect.suspend(() => commit).pipe(
        Effect.andThen(pull),
        Effect.map((pages) => {
          commit = Effect.forEach(pages, (page) => page.commit, { discard: true })
          return Arr.flatMap(pages, ({ items }) => items)
        })
      )
    }))

/**
 * The options of {@link messages}.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessagesOptions<E = never, R = never> extends Options {
  /**
   * Runs for each status, and for each event that is unknown or cannot be read, at its position in the feed. Its failure ends the
   * stream. Default: logs what may mean loss as a warning, and the rest at debug level.
   */
  readonly onStatus?: ((notice: Notice) => Effect.Effect<unknown, E, R>) | undefined
}

/**
 * Streams messages only: each that was sent, and each new version of one. It commits a page as {@link stream} does, with the
 * same limits on the operators behind it.
 *
 * **Example** (A bot that answers)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Datafeed from "effect-herald/symphony/Datafeed"
 * import * as Messages from "effect-herald/symphony/Messages"
 *
 * const bot = Datafeed.messages().pipe(
 *   Stream.runForEach(({ message: { stream } }) =>
 *     stream?.streamId === undefined ? Effect.void : Messages.send({ streamId: stream.streamId, message: "I heard you" })
 *   )
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const messages = <E = never, R = never>(
  options: MessagesOptions<E, R> = {}
): Stream.Stream<
  DatafeedEvent.MessageSent,
  SymphonyError | E,
  HttpClient.HttpClient | SymphonyConfig | Session | R
> =>
  Stream.unwrap(Requests.reading(() => {
    const onStatus: (notice: Notice) => Effect.Effect<unknown, E, R> = options.onStatus ?? log
    const issues = Input.issues({ onStatus: Input.callback(onStatus) })
    return issues.length > 0 ? Effect.fail(Requests.refused(issues)) : Effect.succeed(
      stream(options).pipe(
        Stream.tap((event) => isNotice(event) ? onStatus(event) : Effect.void),
        Stream.filter((event) => event._tag === "MessageSent")
      )
    )
  }))

// --------------------------------------------------------------------------------------------------------------------
// handlers
// --------------------------------------------------------------------------------------------------------------------

/**
 * The options of {@link consume} and {@link consumePages}. `Work` is what the handler takes.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConsumeOptions<Work, E, E2 = never, R2 = never, E3 = never, R3 = never> extends Options {
  /**
   * How many events of a page are handled at once, or how many pages with {@link consumePages}. With 1 they are handled in order.
   * A whole number from 1; anything else is a `BadRequest` before a request is made. Default: 1.
   */
  readonly concurrency?: number | undefined
  /** When to run the handler again after a failure. Default: never. */
  readonly retry?: Retry.Policy<E> | undefined
  /** Takes what keeps failing. Default: the failure ends the reader, before it commits the page. */
  readonly deadLetter?: ((work: Work, error: E) => Effect.Effect<unknown, E3, R3>) | undefined
  /**
   * Runs for each status, and for each event that is unknown or cannot be read, after the events before it in the page are
   * handled. Its failure ends the reader. Default: logs what may mean loss as a warning, and the rest at debug level.
   */
  readonly onStatus?: ((notice: Notice) => Effect.Effect<unknown, E2, R2>) | undefined
}

/**
 * Runs a handler for each event, and commits a page after all of its events are handled. When a process is killed, the next one
 * gets the same page again if it starts within 30 minutes. So an event may be handled twice, and none is left out.
 *
 * **Details**
 *
 * It runs until it fails: with what ends the feed (see {@link pages}), or with a handler that keeps failing where there is no
 * `deadLetter`. Nothing of that page is acknowledged. A defect of the handler ends it too: a defect is neither retried nor given
 * to `deadLetter`. A handler that hangs holds its page and the reader; `Effect.timeout` in the handler turns this into a failure.
 * A handler may take longer than half a minute: the reader leaves out what the service repeats meanwhile. A handler that takes
 * longer than 30 minutes lets the service forget the feed.
 *
 * **Example** (A bot that loses nothing)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Datafeed from "effect-herald/symphony/Datafeed"
 * import type * as DatafeedEvent from "effect-herald/symphony/DatafeedEvent"
 *
 * declare const book: (form: DatafeedEvent.ElementsAction) => Effect.Effect<void, "ledger closed">
 *
 * const bot = Datafeed.consume((event) => event._tag === "ElementsAction" ? book(event) : Effect.void, {
 *   retry: { base: "1 second", maxAttempts: 4 },
 *   deadLetter: (event, error) => Effect.logError(`event ${event.id}: ${error}`)
 * })
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const consume = <E, R, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (event: DatafeedEvent.Event) => Effect.Effect<unknown, E, R>,
  options: ConsumeOptions<DatafeedEvent.Event, E, E2, R2, E3, R3> = {}
): Effect.Effect<void, SymphonyError | E2 | E3, HttpClient.HttpClient | SymphonyConfig | Session | R | R2 | R3> =>
  checked(handler, options, (concurrency) => {
    const one = Handling.withRetryAndDeadLetter(handler, options)
    return handled((events) => Effect.forEach(events, one, { concurrency, discard: true }), options, 1)
  })

/**
 * As {@link consume}, with a handler that takes all events of a page at once. A status, or an event that cannot be read, splits
 * its page into two calls.
 *
 * **Example** (One insert for each page)
 *
 * ```ts
 * import type * as Effect from "effect/Effect"
 * import * as Datafeed from "effect-herald/symphony/Datafeed"
 * import type * as DatafeedEvent from "effect-herald/symphony/DatafeedEvent"
 *
 * declare const insert: (rows: ReadonlyArray<DatafeedEvent.Event>) => Effect.Effect<void, "deadlock">
 *
 * const archive = Datafeed.consumePages(insert, { tag: "archive", include: ["own"] })
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const consumePages = <E, R, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (events: Arr.NonEmptyReadonlyArray<DatafeedEvent.Event>) => Effect.Effect<unknown, E, R>,
  options: ConsumeOptions<Arr.NonEmptyReadonlyArray<DatafeedEvent.Event>, E, E2, R2, E3, R3> = {}
): Effect.Effect<void, SymphonyError | E2 | E3, HttpClient.HttpClient | SymphonyConfig | Session | R | R2 | R3> =>
  checked(handler, options, (concurrency) => {
    const all = Handling.withRetryAndDeadLetter(handler, options)
    return handled((events) => Arr.isReadonlyArrayNonEmpty(events) ? all(events) : Effect.void, options, concurrency)
  })

/** Refuses bad options before the first request. */
const checked = <E, R>(
  handler: unknown,
  options: Parameters<typeof Handling.issuesOf>[1] & { readonly concurrency?: number | undefined },
  work: (concurrency: number) => Effect.Effect<void, E, R>
): Effect.Effect<void, E | SymphonyError, R> =>
  Requests.reading((): Effect.Effect<void, E | SymphonyError, R> => {
    const issues = Handling.issuesOf(handler, options)
    return issues.length === 0 ? work(options.concurrency ?? 1) : Effect.fail(Requests.refused(issues))
  })

/** Handles pages and commits them. A notice in a page comes after the events before it were handled. */
const handled = <E, R, E2, R2>(
  handle: (events: ReadonlyArray<DatafeedEvent.Event>) => Effect.Effect<unknown, E, R>,
  options: MessagesOptions<E2, R2>,
  concurrency: number
) => {
  const onStatus: (notice: Notice) => Effect.Effect<unknown, E2, R2> = options.onStatus ?? log
  const handlePage = Effect.fnUntraced(function*({ commit, items }: Page) {
    let events: Array<DatafeedEvent.Event> = []
    for (const item of items) {
      if (!isNotice(item)) {
        events.push(item)
        continue
      }
      yield* handle(events)
      events = []
      yield* onStatus(item)
    }
    yield* handle(events)
    yield* commit
  })
  return Stream.runDrain(Stream.mapEffect(pages(options), handlePage, { concurrency }))
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

const log = (notice: Notice): Effect.Effect<void> => {
  switch (notice._tag) {
    case "FeedRecreated":
      return Effect.logWarning(
        `The service forgot the datafeed ${notice.previousFeedId}; events may be lost: ${notice.reason.message}`
      )
    case "FeedShared":
      return Effect.logWarning(`Another reader shares the events of the datafeed ${notice.feedId}`)
    case "FeedInterrupted":
      return Effect.logWarning(`The datafeed was interrupted: ${notice.reason.message}`)
    case "UndecodableEvent":
      return Effect.logWarning(`An event of the datafeed cannot be read: ${notice.issue}`)
    default:
      return Effect.logDebug(notice._tag)
  }
}
