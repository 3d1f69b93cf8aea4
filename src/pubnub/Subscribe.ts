/**
 * Streams of what happens on channels and groups, with the statuses of the connection in position. Each stream has a long
 * poll of its own, or shares one with `Subscriber.layer`.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Channel from "effect/Channel"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Cursor from "../Cursor.ts"
import { CursorStore, type CursorStoreError } from "../CursorStore.ts"
import * as Guarded from "../internal/guarded.ts"
import * as Handling from "../internal/handling.ts"
import * as Input from "../internal/input.ts"
import type * as Retry from "../Retry.ts"
import * as DurableReader from "./internal/reading/durable.ts"
import * as EventStreams from "./internal/reading/eventStreams.ts"
import { isStatus } from "./internal/reading/place.ts"
import * as Streams from "./internal/reading/streams.ts"
import type { WithSchema } from "./History.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import { SubscribeError } from "./SubscribeError.ts"
import type * as SubscribeEvent from "./SubscribeEvent.ts"
import type * as SubscribeStatus from "./SubscribeStatus.ts"
import type * as Subscription from "./Subscription.ts"
import type { Timetoken } from "./Timetoken.ts"

/**
 * Where a stream starts: the cursor of an earlier event, or a timetoken with or without its region.
 *
 * @category models
 * @since 0.1.0
 */
export type From =
  | Cursor.Cursor
  | Timetoken
  | {
    /** The stream starts after this timetoken. */
    readonly timetoken: Timetoken
    /** The region that the timetoken comes from. Default: the region that the first answer names. */
    readonly region?: number | undefined
  }

/**
 * Retry schedules of a reader, one for each kind of failure. They hold for requests of the connection and for requests of
 * history.
 *
 * Kinds that share a schedule share its progress. All schedules start afresh when a poll was answered, or was held for 30
 * seconds; a handshake alone does not do that. When a schedule ends, the stream fails. Defaults: `Retry.reconnect` without an
 * end, for `AccessDenied` three times, and every 1 to 5 seconds for `EmptySubscription`.
 *
 * @category models
 * @since 0.1.0
 */
export type Reconnect = {
  readonly [
    K in
      | "AccessDenied"
      | "EmptySubscription"
      | "Malformed"
      | "RateLimited"
      | "ServerFailure"
      | "Timeout"
      | "TokenUnavailable"
      | "Transport"
  ]?: Retry.Policy<PubNubError.Reason> | undefined
}

/**
 * What happens to a reader of a shared connection when more events wait for it than its `capacity`.
 *
 * - `catchUp`: the reader takes the events that wait, reads from history what it missed, and goes on live. Other readers do
 *   not notice. Nothing is lost that history keeps; the rest is a `Gap`. It works like `dropping` with `catchUp: "none"`, and
 *   with a `filter`, which history does not know.
 * - `sliding`: the reader drops the oldest events that wait, and reports them as a `Gap`.
 * - `dropping`: the reader drops the newest events, and reports them as a `Gap`.
 * - `fail`: the reader takes the events that wait. Then the stream fails with `InboxOverflow` as its reason.
 * - `suspend`: the connection stops polling until this reader has room. All its other readers wait, too.
 *
 * @category models
 * @since 0.1.0
 */
export type Strategy = "catchUp" | "sliding" | "dropping" | "fail" | "suspend"

/**
 * How a reader recovers messages that it may have missed.
 *
 * - `"history"`: it reads them from history. While history fails, its schedules decide how long it retries.
 * - `{ within }`: the same, but it gives up when history still fails after this time.
 * - `"none"`: it does not read history.
 *
 * Each reader of a shared connection has its own.
 *
 * @category models
 * @since 0.1.0
 */
export type CatchUp = "history" | "none" | {
  /** How long to retry while history fails. */
  readonly within: Duration.Input
}

/**
 * Options of {@link stream} and of every other stream of this module. At least one channel or group is needed.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions {
  /** Names, wildcards (`a.*`, `a.b.*`) and presence names (`a-pnpres`). A name given twice is sent once. */
  readonly channels?: ReadonlyArray<string> | undefined
  /** Names of channel groups. */
  readonly groups?: ReadonlyArray<string> | undefined
  /** Whether presence events of all these come too. Default: `false`. */
  readonly presence?: boolean | undefined
  /** Single entities, each with its own options. */
  readonly subscriptions?: ReadonlyArray<Subscription.Subscription> | undefined
  /** An expression over the message (`data.…`) and its metadata (`meta.…`). The service sends only events that match it. */
  readonly filter?: string | undefined
  /**
   * The presence state of this user, a JSON object for each name. A name is one of `channels`, one of `groups`, or a channel in
   * one of the groups. The state of a group is that of each of its channels. The service forgets a state when the user leaves or
   * times out. So the reader sends it with each handshake, after an interruption too, and with heartbeats. It replaces any state
   * set with `Presence.setState`. A stream with a state has a connection of its own. Default: none.
   */
  readonly state?: { readonly [channelOrGroup: string]: { readonly [key: string]: unknown } } | undefined
  /** Where to start. Default: now, at the position that the service answers with. */
  readonly from?: From | undefined
  /**
   * Whether the reader recovers missed messages from history before live messages go on. While history fails, `reconnect`
   * decides. With `"none"`, and with a `filter`, which history does not know, it emits a `GapSuspected` instead. With `within`,
   * it emits one when history still fails after that time, and live messages go on. Default: `"history"`.
   */
  readonly catchUp?: CatchUp | undefined
  /**
   * How many events may wait for this reader of a shared connection: a whole number from 1 on, or `Infinity`. A connection of
   * its own polls when the reader pulls, so it does not need this. Default: 1,000.
   */
  readonly capacity?: number | undefined
  /** What happens when more than `capacity` events wait. Default: `"catchUp"`. */
  readonly strategy?: Strategy | undefined
  /**
   * Retry schedules. A stream that is given any has a connection of its own. Default: it retries without an end, half a second
   * to 30 seconds apart; while the groups hold no channels, 1 to 5 seconds apart. After three retries of a 403 the stream fails.
   */
  readonly reconnect?: Reconnect | undefined
}

/**
 * Options of the streams of one kind of event, such as {@link messages} and {@link presence}.
 *
 * @category models
 * @since 0.1.0
 */
export interface EventOptions<E = never, R = never> extends StreamOptions {
  /**
   * Runs for each notice (a status, or an event that cannot be read), in position: after the data before it was handled, and
   * before the data after it. If it fails, the stream fails with its error. Default: logs notices that may mean loss as warnings,
   * and the rest at debug level.
   */
  readonly onStatus?: ((notice: SubscribeEvent.Notice) => Effect.Effect<unknown, E, R>) | undefined
}

/**
 * Streams everything that happens on channels and groups, with the statuses of the connection in position.
 *
 * **Details**
 *
 * `GET /v2/subscribe/{subscribeKey}/{channels}/0`: first without a position, then as a long poll from each position that the
 * service sends. A connection of its own polls when the reader pulls: that is backpressure. With `Subscriber.layer` the stream
 * shares a connection, which polls ahead; `capacity` and `strategy` bound the events that wait. Each event carries the cursor to
 * go on from, at most 4 kB as JSON.
 *
 * The stream survives cut connections, malformed answers and events, and machines that sleep. Any other failure is a
 * {@link SubscribeError} that holds the cursor. When the stream ends, or its fiber is interrupted, it aborts the request in
 * flight and sends a leave, within a second.
 *
 * A message that its publisher sent twice with one id (`messageIds` of `Publisher`) comes once. The stream knows the newest
 * 10,000 ids for as long as it runs; a new stream knows none.
 *
 * **Nothing is lost**
 *
 * The service keeps the newest 100 messages for a reader, over all its channels, and keeps them only for minutes. After a page
 * with as many messages, or a longer break, the reader reads missing messages from history, oldest first, and live messages wait
 * (`GET /v3/history/…`, and one request for counts where there are several channels). It makes at most 25 of these requests a
 * second. The connection goes on polling, so a busy channel does not overflow again. After a page that is not full, and a short
 * break, the reader asks nothing.
 *
 * What history does not have is a `Gap` or `GapSuspected` in its place: kinds that are not stored, a keyset without storage,
 * channels of a wildcard that the reader never saw, a filter. When history fails, the reader emits `Interrupted` and
 * `Reconnected` as for any other request, and retries by the schedules of `reconnect`, without an end unless `catchUp` sets one.
 *
 * **Example** (Typed orders with what the connection does)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Stream from "effect/Stream"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * const Order = Schema.Struct({ id: Schema.Int })
 *
 * const program = Subscribe.stream({ channels: ["orders", "alerts.*"], groups: ["ops"], schema: Order }).pipe(
 *   Stream.runForEach((event) => {
 *     switch (event._tag) {
 *       case "Message":
 *         return Effect.log(`order ${event.payload.id}`)
 *       case "Interrupted":
 *         return Effect.logWarning(event.reason.message)
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
export const stream = <A = Schema.Json, RD = never>(
  options: StreamOptions & WithSchema<A, RD>
): Stream.Stream<SubscribeEvent.SubscribeEvent<A>, SubscribeError, HttpClient.HttpClient | PubNubConfig | RD> =>
  reading(options, eventsOf<A, RD>)

/**
 * Streams messages only. Notices go to `onStatus`, and other events are left out.
 *
 * **Example** (Ending at the first sign of loss)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * const payloads = Subscribe.messages({
 *   channels: ["orders"],
 *   onStatus: (notice) => notice._tag === "Gap" || notice._tag === "GapSuspected" ? Effect.fail(notice) : Effect.void
 * }).pipe(Stream.map((message) => message.payload))
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const messages = <A = Schema.Json, RD = never, E = never, R = never>(
  options: EventOptions<E, R> & WithSchema<A, RD>
): Stream.Stream<SubscribeEvent.Message<A>, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | RD | R> =>
  reading(options, (options) => EventStreams.only(eventsOf<A, RD>(options), ["Message"], options.onStatus))

/**
 * Streams signals only. Notices go to `onStatus`, and other events are left out.
 *
 * @category streams
 * @since 0.1.0
 */
export const signals = <A = Schema.Json, RD = never, E = never, R = never>(
  options: EventOptions<E, R> & WithSchema<A, RD>
): Stream.Stream<SubscribeEvent.Signal<A>, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | RD | R> =>
  reading(options, (options) => {
    const events = EventStreams.typed(Streams.events(options), "Signal", options.schema)
    return EventStreams.only(events, ["Signal"], options.onStatus)
  })

/**
 * Streams presence events only: joins, leaves, timeouts, changes of state, and intervals. It sets `presence` itself.
 *
 * @category streams
 * @since 0.1.0
 */
export const presence = <E = never, R = never>(
  options: EventOptions<E, R>
): Stream.Stream<SubscribeEvent.Presence, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, ["Joined", "Left", "TimedOut", "StateChanged", "Interval"], { presence: true })

/**
 * Streams message actions (reactions, receipts) that are added and removed.
 *
 * @category streams
 * @since 0.1.0
 */
export const messageActions = <E = never, R = never>(
  options: EventOptions<E, R>
): Stream.Stream<SubscribeEvent.MessageActionEvent, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, ["MessageActionAdded", "MessageActionRemoved"])

/**
 * Streams changes of the metadata of users.
 *
 * @category streams
 * @since 0.1.0
 */
export const users = <E = never, R = never>(
  options: EventOptions<E, R>
): Stream.Stream<SubscribeEvent.UserEvent, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, ["UserSet", "UserRemoved"])

/**
 * Streams changes of the metadata of channels.
 *
 * @category streams
 * @since 0.1.0
 */
export const channels = <E = never, R = never>(
  options: EventOptions<E, R>
): Stream.Stream<SubscribeEvent.ChannelEvent, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, ["ChannelSet", "ChannelRemoved"])

/**
 * Streams changes of memberships.
 *
 * @category streams
 * @since 0.1.0
 */
export const memberships = <E = never, R = never>(
  options: EventOptions<E, R>
): Stream.Stream<SubscribeEvent.MembershipEvent, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, ["MembershipSet", "MembershipRemoved"])

/**
 * Streams files that are shared.
 *
 * @category streams
 * @since 0.1.0
 */
export const files = <E = never, R = never>(
  options: EventOptions<E, R>
): Stream.Stream<SubscribeEvent.FileShared, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, ["FileShared"])

/**
 * Streams the statuses of the connection, without the events.
 *
 * @category streams
 * @since 0.1.0
 */
export const statuses = (
  options: StreamOptions
): Stream.Stream<SubscribeStatus.Status, SubscribeError, HttpClient.HttpClient | PubNubConfig> =>
  reading(options, (options) => Stream.filter(Streams.events(options), (event) => isStatus(event)))

// --------------------------------------------------------------------------------------------------------------------
// sets
// --------------------------------------------------------------------------------------------------------------------

/**
 * Options of {@link subscriptionSet}. A set may begin without names: add them later.
 *
 * @category models
 * @since 0.1.0
 */
export type SubscriptionSetOptions = Omit<StreamOptions, "reconnect" | "state">

/**
 * Makes a set of channels, groups and metadata entities that can change while a program listens to it. The set is left when
 * its scope closes; another set, or a stream, that has the same names goes on. With `Subscriber.layer` it shares its connection,
 * else it has one of its own.
 *
 * Fails with `BadRequest` for a name that cannot be subscribed to, before anything is sent.
 *
 * **Example** (Adding while it runs)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 * import * as Subscription from "effect-herald/pubnub/Subscription"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const set = yield* Subscribe.subscriptionSet({
 *     channels: ["orders"],
 *     subscriptions: [Subscription.group("ops", { presence: true })]
 *   })
 *   yield* Effect.forkScoped(Stream.runForEach(set.stream, (event) => Effect.log(event._tag)))
 *   yield* set.add("returns", Subscription.userMetadata("ada"))
 *   yield* Effect.sleep("1 hour")
 * }))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const subscriptionSet = (
  options: SubscriptionSetOptions
): Effect.Effect<
  Subscription.SubscriptionSet,
  PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>,
  HttpClient.HttpClient | PubNubConfig | Scope.Scope
> => Streams.subscriptionSet(options)

// --------------------------------------------------------------------------------------------------------------------
// durable readers
// --------------------------------------------------------------------------------------------------------------------

/**
 * Options of {@link pages}.
 *
 * @category models
 * @since 0.1.0
 */
export interface PagesOptions extends StreamOptions {
  /** The name under which the `CursorStore` keeps the cursor. Two readers that run at the same time need two names. */
  readonly reader: string
  /**
   * When to save a cursor again that was not saved (and to load one again when the reader starts). Only errors with
   * `isRetryable` are retried. When the schedule ends, the reader fails with the last error. Default: `Retry.commit`, ten more
   * attempts within about half a minute.
   */
  readonly commitRetry?: Retry.Policy<CursorStoreError> | undefined
}

/**
 * The events that a durable reader received at once, with their commit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page<A = Schema.Json> {
  /** At least one, in the order in which they happened. */
  readonly items: Arr.NonEmptyReadonlyArray<SubscribeEvent.SubscribeEvent<A>>
  /**
   * Marks this page as handled, and saves the cursor at once. Pages may be committed in any order: the saved cursor is that of
   * the last page before which every page is committed. When its fiber is interrupted, a save goes on for at most 5 seconds.
   * Fails with `CursorStoreError` when `commitRetry` ended.
   */
  readonly commit: Effect.Effect<void, CursorStoreError>
}

/**
 * Streams pages of events from a durable reader, for pipelines that need the commit of each page. The reader starts at its
 * committed cursor, and the first time at `from`. Pages that were not committed when the process ended come again.
 *
 * **Gotchas**
 *
 * Each commit is a save. Group pages where many small ones come ({@link consume} saves at most each 250 milliseconds). A commit
 * in a transaction of your own is not made again after the transaction was rolled back: use `commit: "transaction"` of
 * {@link consumePages}.
 *
 * Pulling commits nothing, so operators may pull ahead (`buffer`, `mapEffect` with concurrency). A page that is committed before
 * it is handled can be lost. A page that an operator leaves out (`debounce`, `switchMap`) stays open: no commit passes it, and it
 * comes again at the next start. Commit the pages that you leave out on purpose.
 *
 * **Example** (Four pages at a time)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import type * as SubscribeEvent from "effect-herald/pubnub/SubscribeEvent"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * declare const handle: (event: SubscribeEvent.SubscribeEvent) => Effect.Effect<void>
 *
 * const worker = Subscribe.pages({ channels: ["orders"], reader: "billing" }).pipe(
 *   Stream.mapEffect((page) => Effect.andThen(Effect.forEach(page.items, handle), page.commit), { concurrency: 4 }),
 *   Stream.runDrain
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const pages = <A = Schema.Json, RD = never>(
  options: PagesOptions & WithSchema<A, RD>
): Stream.Stream<Page<A>, SubscribeError | CursorStoreError, HttpClient.HttpClient | PubNubConfig | CursorStore | RD> =>
  reading(options, (options) => DurableReader.pages(options, fromKept<A, RD>(options)), durableIssues)

/**
 * Options of {@link consume} and {@link consumePages}. `Work` is what the handler takes: a message, or the messages of a page.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConsumeOptions<Work, E, E2 = never, R2 = never, E3 = never, R3 = never>
  extends EventOptions<E2, R2>, PagesOptions
{
  /**
   * How many messages of a page are handled at once; with {@link consumePages}, how many pages. A whole number from 1 on, or
   * `Infinity`. With 1 they are handled in order. Default: 1.
   */
  readonly concurrency?: number | undefined
  /**
   * How the cursor is saved.
   *
   * - `"background"`: at most each 250 milliseconds. Messages that were handled since then come again after a crash.
   * - `"transaction"`: the handler runs in a transaction of the store's database, which saves the cursor, too. What the handler
   *   writes to this database is there exactly once, whatever happens. The store must have transactions, as `SqlCursorStore` of
   *   `effect-herald/fleet` has, and `concurrency` must be 1: otherwise the reader fails with `BadRequest`.
   *
   * Default: `"background"`.
   */
  readonly commit?: "background" | "transaction" | undefined
  /** When to run a handler again that failed. Default: never. */
  readonly retry?: Retry.Policy<E> | undefined
  /**
   * Takes messages whose handler keeps failing. When it succeeds, they count as handled. Default: the failure of the handler ends
   * the reader, and the messages are not committed.
   */
  readonly deadLetter?: ((work: Work, error: E) => Effect.Effect<unknown, E3, R3>) | undefined
}

/**
 * Runs a handler for each message, and commits messages after they were handled. Each message is handled at least once: the
 * cursor never passes a message that is still being handled, whatever the concurrency.
 *
 * **Details**
 *
 * It runs until it fails: with a failure that ends a subscription, with a store that fails, or with a handler that keeps failing
 * where there is no `deadLetter`. A handler that dies ends it, too: defects are neither retried nor sent to `deadLetter`. A handler
 * that hangs holds its page, and with it the reader; use `Effect.timeout` in the handler.
 *
 * The reader saves the cursor in the background, at most each 250 milliseconds, or at once when a hundred messages or more wait
 * for it. It saves once more however it ends: by interruption, by a handler that fails, by an error. So after a deploy only the
 * messages that were being handled come again (with a concurrency above 1 also those handled after the first of them). After
 * `kill -9` or a power failure, messages handled since the last save come again as well.
 *
 * A save that fails, or takes longer than 30 seconds, is retried by `commitRetry`. Meanwhile the reader handles at most a hundred
 * messages more, to the end of their page, and waits. The last save takes at most 5 seconds; after that a reader that was
 * interrupted ends without it.
 *
 * **Example** (A worker)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * const Order = Schema.Struct({ id: Schema.Int })
 * declare const bill: (order: typeof Order.Type) => Effect.Effect<void, "declined">
 *
 * const worker = Subscribe.consume((message) => bill(message.payload), {
 *   channels: ["orders"],
 *   schema: Order,
 *   reader: "billing",
 *   retry: { base: "1 second", maxAttempts: 4 },
 *   deadLetter: (message, error) => Effect.logError(`order ${message.payload.id}: ${error}`)
 * })
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const consume = <E, R, A = Schema.Json, RD = never, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (message: SubscribeEvent.Message<A>) => Effect.Effect<unknown, E, R>,
  options: ConsumeOptions<SubscribeEvent.Message<A>, E, E2, R2, E3, R3> & WithSchema<A, RD>
): Effect.Effect<
  void,
  SubscribeError | CursorStoreError | E2 | E3,
  HttpClient.HttpClient | PubNubConfig | CursorStore | RD | R | R2 | R3
> =>
  consuming<A, RD, E3, R | R3, E2, R2>(handler, options, ({ concurrency = 1 }, commits) => {
    const one = Handling.withRetryAndDeadLetter(handler, options, commits.with)
    return {
      handle: (messages) =>
        Effect.forEach(messages, (message) => DurableReader.handling(one(message.event), [message]), {
          concurrency,
          discard: true
        }),
      concurrency: 1
    }
  })

/**
 * Runs a handler for all messages of a page at once: for one insert instead of a hundred. Otherwise it is like
 * {@link consume}. A page with a notice in the middle (a `Gap`, an `Undecodable`) is handled in two parts.
 *
 * **Example** (One insert a page)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import type * as Schema from "effect/Schema"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 *
 * declare const insert: (rows: ReadonlyArray<Schema.Json>) => Effect.Effect<void, "deadlock">
 *
 * const worker = Subscribe.consumePages((messages) => insert(messages.map(({ payload }) => payload)), {
 *   channels: ["orders"],
 *   reader: "warehouse"
 * })
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const consumePages = <E, R, A = Schema.Json, RD = never, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (messages: Arr.NonEmptyReadonlyArray<SubscribeEvent.Message<A>>) => Effect.Effect<unknown, E, R>,
  options:
    & ConsumeOptions<Arr.NonEmptyReadonlyArray<SubscribeEvent.Message<A>>, E, E2, R2, E3, R3>
    & WithSchema<A, RD>
): Effect.Effect<
  void,
  SubscribeError | CursorStoreError | E2 | E3,
  HttpClient.HttpClient | PubNubConfig | CursorStore | RD | R | R2 | R3
> =>
  consuming<A, RD, E3, R | R3, E2, R2>(handler, options, ({ concurrency = 1 }, commits) => {
    const all = Handling.withRetryAndDeadLetter(
      handler,
      options,
      (work, messages) => commits.with(work, Arr.lastNonEmpty(messages))
    )
    return {
      handle: (messages) => {
        const events = messages.map(({ event }) => event)
        return Arr.isReadonlyArrayNonEmpty(events) ? DurableReader.handling(all(events), messages) : Effect.void
      },
      concurrency
    }
  })

// --------------------------------------------------------------------------------------------------------------------
// internal
// --------------------------------------------------------------------------------------------------------------------

type MaybeSchema<A, RD> = { readonly schema?: Schema.ConstraintDecoder<A, RD> | undefined }

/** What is wrong with the options of one function, beside what all of them check. */
type Issues<O> = (options: O) => ReadonlyArray<PubNubError.Detail>

const durableIssues: Issues<PagesOptions> = (
  { commitRetry, reader }
) => [...Input.issues({ reader: Input.filled(reader) }), ...Input.retry("commitRetry", commitRetry)]

const wholeOrInfinity: Input.Check = (value) => value === Infinity ? undefined : Input.whole(1)(value)

/** Reads the options of a caller once, or fails with what is wrong with them. */
const read = <O extends object>(options: O, issues: Issues<O> = () => []): Effect.Effect<O, SubscribeError> =>
  Effect.suspend(() => {
    const read = Guarded.attempt(() => {
      const given: O & { readonly onStatus?: unknown; readonly schema?: unknown } = { ...options }
      const wrong = Input.record(options)
      const details = wrong !== undefined ? [{ location: "options", message: wrong }] : [
        ...Input.issues({
          onStatus: Input.optional(Input.callback)(given.onStatus),
          schema: given.schema === undefined || Schema.isSchema(given.schema) ? undefined : "is not a schema"
        }),
        ...issues(given)
      ]
      return details.length > 0 ? Result.fail(details) : Result.succeed(given)
    })
    return Effect.fromResult(
      Result.mapError(
        Result.flatMap(read, (read) => read),
        (details) => new SubscribeError({ reason: Endpoint.refused(details) })
      )
    )
  })

/** A stream of the options that were read. A running stream keeps the effect with which it began, so that is a small one. */
const reading = <O extends object, A, E, R>(
  options: O,
  then: (options: O) => Stream.Stream<A, E, R>,
  issues?: Issues<O>
): Stream.Stream<A, E | SubscribeError, R> =>
  Stream.fromChannel(
    Channel.fromTransform((upstream, scope) =>
      Effect.suspend(() =>
        Effect.flatMap(read(options, issues), (read) => Channel.toTransform(then(read).channel)(upstream, scope))
      )
    )
  )

const only = <T extends SubscribeEvent.Event["_tag"], E, R>(
  options: EventOptions<E, R>,
  tags: ReadonlyArray<T>,
  more: Pick<StreamOptions, "presence"> = {}
) => reading(options, (options) => EventStreams.only(Streams.events({ ...options, ...more }), tags, options.onStatus))

const eventsOf = <A, RD>(options: StreamOptions & MaybeSchema<A, RD>) =>
  EventStreams.typed(Streams.events(options), "Message", options.schema)

/** The events of a durable reader from its kept cursor on; from `from` the first time. */
const fromKept = <A, RD>(options: StreamOptions & MaybeSchema<A, RD>) => (kept: Cursor.Cursor | undefined) =>
  eventsOf<A, RD>({ ...options, from: kept ?? options.from })

/** Transactions follow one another: each saves the cursor behind its own messages. */
const commitIssues: Issues<{ readonly commit?: unknown; readonly concurrency?: unknown }> = (
  { commit, concurrency = 1 }
) =>
  Input.issues({
    commit: Input.optional(Input.oneOf(["background", "transaction"]))(commit),
    concurrency: commit === "transaction" && concurrency !== 1 ? "must be 1 with commit: \"transaction\"" : undefined
  })

/** Runs a durable reader with a handler. */
const consuming = <A, RD, E, R, E2, R2>(
  handler: unknown,
  options:
    & Omit<ConsumeOptions<never, never, E2, R2>, "deadLetter" | "retry">
    & MaybeSchema<A, RD>
    & { readonly deadLetter?: unknown; readonly retry?: Retry.Policy<never> | undefined },
  handling: (options: { readonly concurrency?: number | undefined }, commits: DurableReader.Committing) => {
    readonly handle: (
      messages: ReadonlyArray<DurableReader.Open<SubscribeEvent.Message<A>>>
    ) => Effect.Effect<void, E, R>
    readonly concurrency: number
  }
) =>
  Effect.gen(function*() {
    const given = yield* read(options, (options) => [
      ...durableIssues(options),
      ...commitIssues(options),
      ...Handling.issuesOf(handler, options, wholeOrInfinity)
    ])
    const isTransaction = given.commit === "transaction"
    if (isTransaction && (yield* CursorStore).transaction === undefined) {
      const message = "is \"transaction\", and this CursorStore has none: use SqlCursorStore of effect-herald/fleet"
      return yield* new SubscribeError({ reason: Endpoint.refused([{ location: "commit", message }]) })
    }
    const commits = yield* (isTransaction ? DurableReader.beginTransactions(given) : DurableReader.begin(given))
    yield* DurableReader.consume({
      commits,
      read: fromKept<A, RD>(given),
      onStatus: given.onStatus ?? EventStreams.logged,
      ...handling(given, commits)
    })
  })
