/**
 * Receiving: a long poll as a `Stream` of events, with the statuses of its connection in position. With `Subscriber.layer`
 * all streams share one.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import type * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Cursor from "../Cursor.ts"
import type { CursorStore, CursorStoreError } from "../CursorStore.ts"
import * as Guarded from "../internal/guarded.ts"
import * as Handling from "../internal/handling.ts"
import type * as SubscribeEvent from "./SubscribeEvent.ts"
import * as DurableReader from "./internal/reading/durable.ts"
import * as Input from "../internal/input.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Family from "./internal/reading/eventStreams.ts"
import { isStatus } from "./internal/reading/place.ts"
import * as Streams from "./internal/reading/streams.ts"
import type * as Payload from "./internal/wire/payload.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type * as SubscribeStatus from "./SubscribeStatus.ts"
import { SubscribeError } from "./SubscribeError.ts"
import type * as Subscription from "./Subscription.ts"
import type { Timetoken } from "./Timetoken.ts"

/**
 * Where to start: a cursor of an earlier event, or a timetoken with or without the region that gave it.
 *
 * @category models
 * @since 0.1.0
 */
export type From =
  | Cursor.Cursor
  | Timetoken
  | { readonly timetoken: Timetoken; readonly region?: number | undefined }

/**
 * Retry schedules of a reader, one for each kind of failure. They hold for requests of the connection and for requests of history.
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
      | "Transport"
  ]?: Schedule.Schedule<unknown, PubNubError.Reason> | undefined
}

/**
 * What happens to a reader of a shared connection when more events wait for it than its `capacity`.
 *
 * - `catchUp`: the reader takes the events that wait, reads from history what it missed, and goes on live. Other readers do
 *   not notice. Nothing is lost that history keeps; the rest is a `Gap`. It works like `dropping` with `catchUp: "none"`, and with
 *   a `filter`, which history does not know.
 * - `sliding`: the oldest events that wait are dropped, and reported as a `Gap`.
 * - `dropping`: the newest events are dropped, and reported as a `Gap`.
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
export type CatchUp = "history" | "none" | { readonly within: Duration.Input }

/**
 * What to subscribe to. At least one channel or group is needed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Names, wildcards (`a.*`, `a.b.*`) and presence names (`a-pnpres`). A name given twice is sent once. */
  readonly channels?: ReadonlyArray<string> | undefined
  /** Names of channel groups. */
  readonly groups?: ReadonlyArray<string> | undefined
  /** Whether joins and leaves of all these come too. Default: `false`. */
  readonly presence?: boolean | undefined
  /** Single entities, each with its own options. */
  readonly subscriptions?: ReadonlyArray<Subscription.Subscription> | undefined
  /** An expression over the message (`data.…`) and its metadata (`meta.…`): only what matches is sent. */
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
 * What {@link stream} takes with a schema.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions<A, RD = never> extends Options {
  /** What a message must be. One that is not, or that the schema throws at, is an `Undecodable` event in its place. */
  readonly schema: Payload.Reader<A, RD>
}

/**
 * What the streams of one family pass to `onStatus`: statuses, and events that cannot be read or are of an unknown kind.
 *
 * @category models
 * @since 0.1.0
 */
export type Notice = SubscribeStatus.Status | SubscribeEvent.Undecodable | SubscribeEvent.Unknown

/**
 * What the streams of one family take, such as {@link presence} and {@link files}.
 *
 * @category models
 * @since 0.1.0
 */
export interface FamilyOptions<E = never, R = never> extends Options {
  /**
   * Runs for each status and for each event that cannot be read, in position: after the data before it was handled, and before
   * the data after it. If it fails, the stream fails with its error. Default: logs what may mean loss as a warning, and the rest
   * at debug level.
   */
  readonly onStatus?: ((notice: Notice) => Effect.Effect<unknown, E, R>) | undefined
}

/**
 * What {@link messages} and {@link signals} take with a schema.
 *
 * @category models
 * @since 0.1.0
 */
export interface PayloadOptions<A, RD = never, E = never, R = never> extends FamilyOptions<E, R> {
  /** What a payload must be. One that is not, or that the schema throws at, goes to `onStatus` as `Undecodable`. */
  readonly schema: Payload.Reader<A, RD>
}

/**
 * Streams everything that happens on channels and groups, with the statuses of the connection in position.
 *
 * **Details**
 *
 * `GET /v2/subscribe/{subscribeKey}/{channels}/0`, without a position first, then as a long poll from each position that
 * the service gives. With a connection of its own, the next poll is made when the reader pulls: that is backpressure. With
 * `Subscriber.layer` the stream shares a connection, which polls ahead, and `capacity` and `strategy` bound what waits. Each
 * event carries the cursor to go on from after it, at most 4 kB as JSON.
 *
 * The stream survives cut connections, bad answers and envelopes, and sleeping machines; what it cannot survive is a
 * {@link SubscribeError} that holds the cursor. When it ends, or its fiber is interrupted, the request in flight is
 * aborted and the service is told (within a second).
 *
 * A message that its publisher sent twice with one id (`messageIds` of `Publisher`) comes once. The newest 10,000 ids are
 * known, for as long as the stream runs: one that starts again knows none.
 *
 * **Nothing is lost**
 *
 * The service keeps the newest 100 messages for a reader, over all its channels, and those for minutes only. After a page as
 * full as that, or a longer break, what is missing is read from history (`GET /v3/history/…`, and one request for counts
 * where there are several channels), oldest first, and live messages wait until then. At most 25 requests a second are made
 * for that. The connection goes on listening meanwhile, so a busy channel does not overflow again. A page that is not full,
 * after a short break, asks nothing.
 *
 * What history cannot give is a `Gap` or `GapSuspected` in its place: kinds that are not stored, a keyset without storage,
 * channels of a wildcard that were never seen, a filter. History that fails is an interruption like any other: `Interrupted`
 * and `Reconnected`, by the schedules of `reconnect`, with no bound unless `catchUp` sets one.
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
export function stream(
  options: Options & { readonly schema?: undefined }
): Stream.Stream<SubscribeEvent.SubscribeEvent, SubscribeError, HttpClient.HttpClient | PubNubConfig>
export function stream<A, RD = never>(
  options: StreamOptions<A, RD>
): Stream.Stream<SubscribeEvent.SubscribeEvent<A>, SubscribeError, HttpClient.HttpClient | PubNubConfig | RD>
export function stream<A, RD>(
  options: Options & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Stream.Stream<
  SubscribeEvent.SubscribeEvent<A | Schema.Json>,
  SubscribeError,
  HttpClient.HttpClient | PubNubConfig | RD
> {
  return reading(options, (options): Read<SubscribeEvent.SubscribeEvent<A | Schema.Json>, RD> => eventsOf(options))
}

/**
 * Streams messages only. Statuses, and events that cannot be read or are of an unknown kind, go to `onStatus`. All other events
 * are left out.
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
export function messages<E = never, R = never>(
  options: FamilyOptions<E, R> & { readonly schema?: undefined }
): Stream.Stream<SubscribeEvent.Message, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R>
export function messages<A, RD = never, E = never, R = never>(
  options: PayloadOptions<A, RD, E, R>
): Stream.Stream<SubscribeEvent.Message<A>, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | RD | R>
export function messages<A, RD, E, R>(
  options: FamilyOptions<E, R> & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Stream.Stream<
  SubscribeEvent.Message<A | Schema.Json>,
  SubscribeError | E,
  HttpClient.HttpClient | PubNubConfig | RD | R
> {
  return reading(
    options,
    (options) => Family.only(eventsOf(options), options, (event) => event._tag === "Message" ? event : undefined)
  )
}

/**
 * Streams signals only.
 *
 * @category streams
 * @since 0.1.0
 */
export function signals<E = never, R = never>(
  options: FamilyOptions<E, R> & { readonly schema?: undefined }
): Stream.Stream<SubscribeEvent.Signal, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R>
export function signals<A, RD = never, E = never, R = never>(
  options: PayloadOptions<A, RD, E, R>
): Stream.Stream<SubscribeEvent.Signal<A>, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | RD | R>
export function signals<A, RD, E, R>(
  options: FamilyOptions<E, R> & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Stream.Stream<
  SubscribeEvent.Signal<A | Schema.Json>,
  SubscribeError | E,
  HttpClient.HttpClient | PubNubConfig | RD | R
> {
  return reading(options, (options) => {
    const { schema } = options
    const all = Streams.events(options)
    const events: Read<
      Exclude<SubscribeEvent.SubscribeEvent, SubscribeEvent.Signal> | SubscribeEvent.Signal<A | Schema.Json>,
      RD
    > = schema === undefined ? all : Family.typedSignals(all, schema)
    return Family.only(events, options, (event) => event._tag === "Signal" ? event : undefined)
  })
}

/**
 * Streams joins, leaves, timeouts, changes of state and intervals of all the names. It sets `presence` itself.
 *
 * @category streams
 * @since 0.1.0
 */
export const presence = <E = never, R = never>(
  options: FamilyOptions<E, R>
): Stream.Stream<SubscribeEvent.Presence, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, (event) => {
    switch (event._tag) {
      case "Joined":
      case "Left":
      case "TimedOut":
      case "StateChanged":
      case "Interval":
        return event
      default:
        return undefined
    }
  }, { presence: true })

/**
 * Streams message actions (reactions, receipts) that are added and removed.
 *
 * @category streams
 * @since 0.1.0
 */
export const messageActions = <E = never, R = never>(
  options: FamilyOptions<E, R>
): Stream.Stream<SubscribeEvent.MessageActionEvent, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(
    options,
    (event) => event._tag === "MessageActionAdded" || event._tag === "MessageActionRemoved" ? event : undefined
  )

/**
 * Streams changes of users' metadata.
 *
 * @category streams
 * @since 0.1.0
 */
export const users = <E = never, R = never>(
  options: FamilyOptions<E, R>
): Stream.Stream<SubscribeEvent.UserEvent, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, (event) => event._tag === "UserSet" || event._tag === "UserRemoved" ? event : undefined)

/**
 * Streams changes of channels' metadata.
 *
 * @category streams
 * @since 0.1.0
 */
export const channels = <E = never, R = never>(
  options: FamilyOptions<E, R>
): Stream.Stream<SubscribeEvent.ChannelEvent, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, (event) => event._tag === "ChannelSet" || event._tag === "ChannelRemoved" ? event : undefined)

/**
 * Streams changes of memberships.
 *
 * @category streams
 * @since 0.1.0
 */
export const memberships = <E = never, R = never>(
  options: FamilyOptions<E, R>
): Stream.Stream<SubscribeEvent.MembershipEvent, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, (event) => event._tag === "MembershipSet" || event._tag === "MembershipRemoved" ? event : undefined)

/**
 * Streams files that are shared.
 *
 * @category streams
 * @since 0.1.0
 */
export const files = <E = never, R = never>(
  options: FamilyOptions<E, R>
): Stream.Stream<SubscribeEvent.FileShared, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  only(options, (event) => event._tag === "FileShared" ? event : undefined)

/**
 * Streams the statuses of the connection, without the events.
 *
 * @category streams
 * @since 0.1.0
 */
export const statuses = (
  options: Options
): Stream.Stream<SubscribeStatus.Status, SubscribeError, HttpClient.HttpClient | PubNubConfig> =>
  reading(options, (options) => Stream.filter(Streams.events(options), (event) => isStatus(event)))

// --------------------------------------------------------------------------------------------------------------------
// sets
// --------------------------------------------------------------------------------------------------------------------

/**
 * What {@link subscriptionSet} takes. A set may begin without names: add them later.
 *
 * @category models
 * @since 0.1.0
 */
export type SetOptions = Omit<Options, "reconnect" | "state">

/**
 * A set of subscriptions that can change while it is listened to.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubscriptionSet {
  /**
   * Everything that its subscriptions hear, once each. Every run is a reader of its own; it ends when the set is left or
   * everything is unsubscribed.
   */
  readonly stream: Stream.Stream<SubscribeEvent.SubscribeEvent, SubscribeError>
  /**
   * Adds subscriptions, or channels by name. Messages that were published before are not delivered for them. Fails with
   * `BadRequest` for a name that cannot be subscribed to.
   */
  readonly add: (
    ...members: ReadonlyArray<Subscription.Subscription | string>
  ) => Effect.Effect<void, PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>>
  /** Removes subscriptions, or channels by name. A name that another set or stream listens to stays subscribed. */
  readonly remove: (...members: ReadonlyArray<Subscription.Subscription | string>) => Effect.Effect<void>
  /** The members of the set now, in the order in which they were added. */
  readonly subscriptions: Effect.Effect<ReadonlyArray<Subscription.Subscription>>
}

/**
 * A set of channels, groups and metadata entities that can change while it is listened to. It is left when its scope
 * closes; another set, or a stream, that has the same names goes on. With `Subscriber.layer` it shares its connection, else it
 * has one of its own.
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
 * @category sets
 * @since 0.1.0
 */
export const subscriptionSet = (
  options: SetOptions
): Effect.Effect<
  SubscriptionSet,
  PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>,
  HttpClient.HttpClient | PubNubConfig | Scope.Scope
> => Streams.subscriptionSet(options)

// --------------------------------------------------------------------------------------------------------------------
// durable readers
// --------------------------------------------------------------------------------------------------------------------

/**
 * The name under which a durable reader's cursor is kept in the `CursorStore`. Two readers that run at the same time need
 * two names.
 *
 * @category models
 * @since 0.1.0
 */
export interface Durable {
  /** The name of the reader. */
  readonly reader: string
  /**
   * When to save a cursor again that was not saved (and to load one again when the reader starts). Only errors with
   * `isRetryable` get here. A schedule that ends fails the reader with the last error. Default: `Retry.commit`, ten more attempts
   * within about half a minute.
   */
  readonly commitRetry?: Schedule.Schedule<unknown, CursorStoreError> | undefined
}

/**
 * The events that a durable reader got at once, with their commit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Page<A = Schema.Json> {
  /** At least one, in the order in which they happened. */
  readonly items: Arr.NonEmptyReadonlyArray<SubscribeEvent.SubscribeEvent<A>>
  /**
   * Says that this page is handled, and saves the cursor at once. Pages may be finished in any order: the cursor that is saved
   * is that of the last page before which none is open. When its caller is interrupted, a save goes on for at most 5 seconds.
   * Fails with `CursorStoreError` when `commitRetry` gave up.
   */
  readonly commit: Effect.Effect<void, CursorStoreError>
}

/**
 * A durable reader for pipelines that need the commit of each page. It starts where the reader of that name
 * committed last, and with `from` the first time. What was not committed when the process ended comes again.
 *
 * **Gotchas**
 *
 * Each commit is a save: group pages where many small ones come ({@link consume} saves at most each 250 milliseconds).
 *
 * Pulling commits nothing: `buffer`, `mapEffect` with concurrency and others pull before a handler is done, and that is
 * fine. Committing before a page is handled is what loses it. A page that an operator leaves out (`debounce`, `switchMap`)
 * stays open: no commit passes it, and it comes again at the next start. Commit what you leave out on purpose.
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
export function pages(
  options: Options & Durable & { readonly schema?: undefined }
): Stream.Stream<Page, SubscribeError | CursorStoreError, HttpClient.HttpClient | PubNubConfig | CursorStore>
export function pages<A, RD = never>(
  options: StreamOptions<A, RD> & Durable
): Stream.Stream<Page<A>, SubscribeError | CursorStoreError, HttpClient.HttpClient | PubNubConfig | CursorStore | RD>
export function pages<A, RD>(
  options: Options & Durable & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Stream.Stream<
  Page<A | Schema.Json>,
  SubscribeError | CursorStoreError,
  HttpClient.HttpClient | PubNubConfig | CursorStore | RD
> {
  return reading(options, (options) => DurableReader.pages(options, durably(options)), durableIssues)
}

/**
 * What {@link consume} takes in addition to its handler.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConsumeOptions<A, E, E2 = never, R2 = never, E3 = never, R3 = never>
  extends FamilyOptions<E2, R2>, Durable
{
  /** How many messages of a page are handled at once. With 1 they are handled in order. Default: 1. */
  readonly concurrency?: number | undefined
  /** How often a message is tried again whose handler failed. Default: not at all. */
  readonly retry?: Schedule.Schedule<unknown, E> | undefined
  /** What becomes of a message that keeps failing. Default: its failure ends the reader, and the message is not committed. */
  readonly deadLetter?: ((message: SubscribeEvent.Message<A>, error: E) => Effect.Effect<unknown, E3, R3>) | undefined
}

/**
 * Runs a handler for each message, and commits messages after they were handled. A message may be handled again, and none is
 * left out: the cursor never passes a message that is still being handled, whatever the concurrency.
 *
 * **Details**
 *
 * It runs until it fails: with what ends a subscription, with a store that fails, or with a handler that keeps failing
 * where there is no `deadLetter`. A handler that dies ends it, too: a defect is neither tried again nor set aside. One that
 * hangs holds its page, and with it the reader; `Effect.timeout` in the handler makes a failure of it.
 *
 * The cursor is saved in the background, at most each 250 milliseconds, or at once when a hundred messages or more wait for it. It
 * is saved once more however the reader ends: by interruption, by a handler that fails, by an error. So after a deploy only the
 * messages that were in hand are handled again (with a concurrency above 1 also what was handled behind the first of them).
 * After `kill -9` or a power failure, what was handled since the last save comes again as well.
 *
 * A save that fails is tried again by `commitRetry`, and so is one that takes longer than 30 seconds. Meanwhile the reader
 * handles a hundred messages more at most, to the end of their page, and waits. The last save takes at most 5 seconds, after
 * which a reader that was interrupted ends without it.
 *
 * **Example** (A worker)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Schedule from "effect/Schedule"
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
 *   retry: Schedule.max([Schedule.spaced("1 second"), Schedule.recurs(3)]),
 *   deadLetter: (message, error) => Effect.logError(`order ${message.payload.id}: ${error}`)
 * })
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export function consume<E, R, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (message: SubscribeEvent.Message) => Effect.Effect<unknown, E, R>,
  options: ConsumeOptions<Schema.Json, E, E2, R2, E3, R3> & { readonly schema?: undefined }
): Effect.Effect<
  void,
  SubscribeError | CursorStoreError | E2 | E3,
  HttpClient.HttpClient | PubNubConfig | CursorStore | R | R2 | R3
>
export function consume<A, E, R, RD = never, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (message: SubscribeEvent.Message<A>) => Effect.Effect<unknown, E, R>,
  options: ConsumeOptions<A, E, E2, R2, E3, R3> & { readonly schema: Payload.Reader<A, RD> }
): Effect.Effect<
  void,
  SubscribeError | CursorStoreError | E2 | E3,
  HttpClient.HttpClient | PubNubConfig | CursorStore | RD | R | R2 | R3
>
export function consume<A, E, R, RD, E2, R2, E3, R3>(
  handler: (message: SubscribeEvent.Message<A | Schema.Json>) => Effect.Effect<unknown, E, R>,
  options: ConsumeOptions<A | Schema.Json, E, E2, R2, E3, R3> & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Effect.Effect<
  void,
  SubscribeError | CursorStoreError | E | E2 | E3,
  HttpClient.HttpClient | PubNubConfig | CursorStore | RD | R | R2 | R3
> {
  return Effect.flatMap(
    read(options, (options) => [...durableIssues(options), ...Handling.issuesOf(handler, options, atOnce)]),
    (options) => {
      const { concurrency = 1 } = options
      const one = Handling.withRetryAndDeadLetter(handler, options)
      return DurableReader.consume({
        name: options,
        read: durably<A, RD>(options),
        handle: (messages) =>
          Effect.forEach(messages, (message) => DurableReader.handling(one(message.event), [message]), {
            concurrency,
            discard: true
          }),
        onStatus: options.onStatus ?? Family.logged,
        concurrency: 1
      })
    }
  )
}

/**
 * What {@link consumePages} takes in addition to its handler.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConsumePagesOptions<A, E, E2 = never, R2 = never, E3 = never, R3 = never>
  extends FamilyOptions<E2, R2>, Durable
{
  /** How many pages are handled at once. With 1 they are handled in order. Default: 1. */
  readonly concurrency?: number | undefined
  /** How often a page is tried again whose handler failed. Default: not at all. */
  readonly retry?: Schedule.Schedule<unknown, E> | undefined
  /** What becomes of a page that keeps failing. Default: its failure ends the reader, and the page is not committed. */
  readonly deadLetter?:
    | ((messages: Arr.NonEmptyReadonlyArray<SubscribeEvent.Message<A>>, error: E) => Effect.Effect<unknown, E3, R3>)
    | undefined
}

/**
 * The same as {@link consume} with a handler for all messages of a page at once: for one insert instead of a hundred. A page
 * that something is told in the middle of (a `Gap`, an `Undecodable`) is handled in two parts.
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
export function consumePages<E, R, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (messages: Arr.NonEmptyReadonlyArray<SubscribeEvent.Message>) => Effect.Effect<unknown, E, R>,
  options: ConsumePagesOptions<Schema.Json, E, E2, R2, E3, R3> & { readonly schema?: undefined }
): Effect.Effect<
  void,
  SubscribeError | CursorStoreError | E2 | E3,
  HttpClient.HttpClient | PubNubConfig | CursorStore | R | R2 | R3
>
export function consumePages<A, E, R, RD = never, E2 = never, R2 = never, E3 = E, R3 = never>(
  handler: (messages: Arr.NonEmptyReadonlyArray<SubscribeEvent.Message<A>>) => Effect.Effect<unknown, E, R>,
  options: ConsumePagesOptions<A, E, E2, R2, E3, R3> & { readonly schema: Payload.Reader<A, RD> }
): Effect.Effect<
  void,
  SubscribeError | CursorStoreError | E2 | E3,
  HttpClient.HttpClient | PubNubConfig | CursorStore | RD | R | R2 | R3
>
export function consumePages<A, E, R, RD, E2, R2, E3, R3>(
  handler: (
    messages: Arr.NonEmptyReadonlyArray<SubscribeEvent.Message<A | Schema.Json>>
  ) => Effect.Effect<unknown, E, R>,
  options: ConsumePagesOptions<A | Schema.Json, E, E2, R2, E3, R3> & {
    readonly schema?: Payload.Reader<A, RD> | undefined
  }
): Effect.Effect<
  void,
  SubscribeError | CursorStoreError | E | E2 | E3,
  HttpClient.HttpClient | PubNubConfig | CursorStore | RD | R | R2 | R3
> {
  return Effect.flatMap(
    read(options, (options) => [...durableIssues(options), ...Handling.issuesOf(handler, options, atOnce)]),
    (options) => {
      const all = Handling.withRetryAndDeadLetter(handler, options)
      return DurableReader.consume({
        name: options,
        read: durably<A, RD>(options),
        handle: (messages) => {
          const events = messages.map(({ event }) => event)
          return Arr.isReadonlyArrayNonEmpty(events) ? DurableReader.handling(all(events), messages) : Effect.void
        },
        onStatus: options.onStatus ?? Family.logged,
        concurrency: options.concurrency ?? 1
      })
    }
  )
}

// --------------------------------------------------------------------------------------------------------------------
// internal
// --------------------------------------------------------------------------------------------------------------------

/** What is wrong with what one function takes, beside what all of them take. */
type Issues<O> = (options: O) => ReadonlyArray<PubNubError.Detail>

const durableIssues: Issues<Durable> = ({ commitRetry, reader }) =>
  Input.issues({ reader: Input.filled(reader), commitRetry: Input.optional(Input.schedule)(commitRetry) })

/** All of a page may be handled at once, too. */
const atOnce: Input.Check = (value) => value === Infinity ? undefined : Input.whole(1)(value)

/** What a caller gives, read once; or why it is refused. */
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

const reading = <O extends object, A, E, R>(
  options: O,
  then: (options: O) => Stream.Stream<A, E, R>,
  issues?: Issues<O>
): Stream.Stream<A, E | SubscribeError, R> => Stream.unwrap(Effect.map(read(options, issues), then))

/** One family of events. */
const only = <A, E, R>(
  options: FamilyOptions<E, R>,
  select: (event: SubscribeEvent.SubscribeEvent) => A | undefined,
  more: Pick<Options, "presence"> = {}
): Stream.Stream<A, SubscribeError | E, HttpClient.HttpClient | PubNubConfig | R> =>
  reading(options, (options) => Family.only(Streams.events({ ...options, ...more }), options, select))

const eventsOf = <A, RD>(
  options: Options & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Read<SubscribeEvent.SubscribeEvent<A | Schema.Json>, RD> =>
  options.schema === undefined
    ? Streams.events(options)
    : Family.typedMessages(Streams.events(options), options.schema)

/** The events of a durable reader, from its kept cursor on; from `from` the first time. */
const durably = <A, RD>(
  options: Options & { readonly schema?: Payload.Reader<A, RD> | undefined }
): DurableReader.Read<A | Schema.Json, SubscribeError, HttpClient.HttpClient | PubNubConfig | RD> =>
(kept) => eventsOf({ ...options, from: kept ?? options.from })

type Read<A, R> = Stream.Stream<A, SubscribeError, HttpClient.HttpClient | PubNubConfig | R>
