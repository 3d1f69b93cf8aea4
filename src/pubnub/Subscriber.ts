/**
 * Many streams over one poll: for a process whose parts listen to many things, each by itself, and come and go.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Cursor } from "../Cursor.ts"
import type * as Event from "./Event.ts"
import * as Endpoint from "./internal/endpoint.ts"
import * as Family from "./internal/family.ts"
import * as MessageIds from "./internal/messageIds.ts"
import type * as Payload from "./internal/payload.ts"
import * as Engine from "./internal/reading/engine.ts"
import type { Reader } from "./internal/reading/reader.ts"
import * as Request from "./internal/request.ts"
import * as PubNubConfig from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type * as Status from "./Status.ts"
import type * as Subscribe from "./Subscribe.ts"
import { SubscribeError } from "./SubscribeError.ts"
import * as Subscription from "./Subscription.ts"

// --------------------------------------------------------------------------------------------------------------------
// models
// --------------------------------------------------------------------------------------------------------------------

/**
 * How all readers of one subscriber are served.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settings {
  /** An expression over messages (`data.…`) and their metadata (`meta.…`), for all readers. Default: none. */
  readonly filter?: string | undefined
  /** Whether what may have been missed is read from history. Default: `"history"`; see `Subscribe.Options`. */
  readonly catchUp?: Subscribe.CatchUp | undefined
  /** How to come back; see `Subscribe.Options`. */
  readonly reconnect?: Subscribe.Reconnect | undefined
}

/**
 * What {@link layer} takes: keys and settings.
 *
 * @category models
 * @since 0.1.0
 */
export type Options = PubNubConfig.Options & Settings

/**
 * What becomes of a reader whose inbox is full.
 *
 * - `catchUp`: it is on its own until it has taken what waits, reads from history what came meanwhile, and is live again.
 *   Nothing is lost within what history keeps; the rest is a `Gap`. With a `filter`, which history does not know, it is
 *   `drop`.
 * - `slide`: the oldest event makes room. What was left out is a `Gap`.
 * - `drop`: the newest is left out. What was left out is a `Gap`.
 * - `fail`: the stream fails with an `InboxOverflow` as its reason, after what waits was taken.
 * - `suspend`: the poll waits for this reader, and all others with it.
 *
 * @category models
 * @since 0.1.0
 */
export type Strategy = "catchUp" | "slide" | "drop" | "fail" | "suspend"

/**
 * How one reader is served.
 *
 * @category models
 * @since 0.1.0
 */
export interface ReaderOptions {
  /** Where to start. Default: at what is published from now on. */
  readonly from?: Subscribe.From | undefined
  /** How many events may wait for this reader, a whole number from 1 on. Default: 1,000. */
  readonly capacity?: number | undefined
  /** What happens when there is no room. Default: `"catchUp"`. */
  readonly strategy?: Strategy | undefined
}

/**
 * What to listen to. At least one name or member is needed.
 *
 * @category models
 * @since 0.1.0
 */
export interface StreamOptions extends ReaderOptions {
  /** Names, wildcards (`a.*`, `a.b.*`) and presence names (`a-pnpres`). */
  readonly channels?: ReadonlyArray<string> | undefined
  /** Names of channel groups. */
  readonly groups?: ReadonlyArray<string> | undefined
  /** Whether joins and leaves of all these come too. Default: `false`. */
  readonly presence?: boolean | undefined
  /** Single entities, each with its own options. */
  readonly members?: ReadonlyArray<Subscription.Subscription> | undefined
}

/**
 * What {@link messages} takes beside a {@link StreamOptions}.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessagesOptions<E = never, R = never> extends StreamOptions {
  /**
   * Run for each status and for what cannot be read, in position. Its failure is the stream's. Default: what may mean loss
   * is logged as a warning, the rest at debug.
   */
  readonly onStatus?: ((notice: Subscribe.Notice) => Effect.Effect<unknown, E, R>) | undefined
}

/**
 * Beside the options of a stream: what a message must be.
 *
 * @category models
 * @since 0.1.0
 */
export interface Typed<A, RD = never> {
  readonly schema: Payload.Reader<A, RD>
}

/**
 * What names there are now, presence names included.
 *
 * @category models
 * @since 0.1.0
 */
export interface Names {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
}

/**
 * A set of subscriptions that can change while it is listened to.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubscriptionSet {
  /**
   * Everything that its members hear, once each. Every run is a reader of its own; it ends when the set is left or
   * everything is unsubscribed.
   */
  readonly events: Stream.Stream<Event.SubscribeEvent, SubscribeError>
  /** Adds members, or channels by name. What was published before is not theirs. */
  readonly add: (
    ...members: ReadonlyArray<Subscription.Subscription | string>
  ) => Effect.Effect<void, PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>>
  /** Removes members, or channels by name. A name that another set or stream listens to stays subscribed. */
  readonly remove: (...members: ReadonlyArray<Subscription.Subscription | string>) => Effect.Effect<void>
  /** What it is made of now. */
  readonly members: Effect.Effect<ReadonlyArray<Subscription.Subscription>>
}

// --------------------------------------------------------------------------------------------------------------------
// the service
// --------------------------------------------------------------------------------------------------------------------

/**
 * One shared connection. Its functions of the same names are how it is used.
 *
 * @category services
 * @since 0.1.0
 */
export class Subscriber extends Context.Service<Subscriber, {
  /** See {@link stream}. */
  readonly stream: (options: StreamOptions) => Stream.Stream<Event.SubscribeEvent, SubscribeError>
  /** See {@link set}. */
  readonly set: (
    members: ReadonlyArray<Subscription.Subscription | string>,
    options?: ReaderOptions
  ) => Effect.Effect<
    SubscriptionSet,
    PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>,
    Scope.Scope
  >
  /** See {@link statuses}. */
  readonly statuses: Stream.Stream<Status.Status>
  /** See {@link names}. */
  readonly names: Effect.Effect<Names>
  /** See {@link disconnect}. */
  readonly disconnect: Effect.Effect<void>
  /** See {@link reconnect}. */
  readonly reconnect: Effect.Effect<void>
  /** See {@link unsubscribeAll}. */
  readonly unsubscribeAll: Effect.Effect<void>
}>()("effect-herald/pubnub/Subscriber") {}

/**
 * Everything that happens on the given names, for as long as the stream runs.
 *
 * **Details**
 *
 * The poll is shared with all other streams of the subscriber. It begins with `Connected`: what is published from there on
 * is delivered. The names are subscribed when the first stream asks for them and left when the last one ends; changes
 * within 25 milliseconds are one, an answer on its way is not thrown away, and the position of the others stays.
 * Names beyond 32 kB of address go to a further poll.
 *
 * Each stream has an inbox of its own: one that is slow does not hold up another (but see {@link Strategy}).
 *
 * **Example** (Two streams, one connection)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Subscriber from "effect-herald/pubnub/Subscriber"
 *
 * const orders = Subscriber.stream({ channels: ["orders"] }).pipe(Stream.runForEach((event) => Effect.log(event._tag)))
 * const alerts = Subscriber.stream({ channels: ["alerts.*"], strategy: "slide" }).pipe(
 *   Stream.runForEach((event) => Effect.log(event._tag))
 * )
 *
 * const program = Effect.all([orders, alerts], { concurrency: "unbounded" }).pipe(
 *   Effect.provide(Subscriber.layer({ subscribeKey: "demo", userId: "ada" }))
 * )
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export function stream(
  options: StreamOptions & { readonly schema?: undefined }
): Stream.Stream<Event.SubscribeEvent, SubscribeError, Subscriber>
export function stream<A, RD = never>(
  options: StreamOptions & Typed<A, RD>
): Stream.Stream<Event.SubscribeEvent<A>, SubscribeError, Subscriber | RD>
export function stream<A, RD>(
  options: StreamOptions & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Stream.Stream<Event.SubscribeEvent<A | Schema.Json>, SubscribeError, Subscriber | RD> {
  return options.schema === undefined ? raw(options) : Family.typedMessages(raw(options), options.schema)
}

/**
 * The messages, and nothing else in the type; what is not data goes to `onStatus`.
 *
 * **Example** (Payloads)
 *
 * ```ts
 * import * as Stream from "effect/Stream"
 * import * as Subscriber from "effect-herald/pubnub/Subscriber"
 *
 * const payloads = Subscriber.messages({ channels: ["orders"] }).pipe(Stream.map((message) => message.payload))
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export function messages<E = never, R = never>(
  options: MessagesOptions<E, R> & { readonly schema?: undefined }
): Stream.Stream<Event.Message, SubscribeError | E, Subscriber | R>
export function messages<A, RD = never, E = never, R = never>(
  options: MessagesOptions<E, R> & Typed<A, RD>
): Stream.Stream<Event.Message<A>, SubscribeError | E, Subscriber | RD | R>
export function messages<A, RD, E, R>(
  options: MessagesOptions<E, R> & { readonly schema?: Payload.Reader<A, RD> | undefined }
): Stream.Stream<Event.Message<A | Schema.Json>, SubscribeError | E, Subscriber | RD | R> {
  const events: Stream.Stream<Event.SubscribeEvent<A | Schema.Json>, SubscribeError, Subscriber | RD> =
    options.schema === undefined ? raw(options) : Family.typedMessages(raw(options), options.schema)
  return Family.only(events, options, (event) => event._tag === "Message" ? event : undefined)
}

const raw = (options: StreamOptions): Stream.Stream<Event.SubscribeEvent, SubscribeError, Subscriber> =>
  Stream.unwrap(Subscriber.use((subscriber) => Effect.succeed(subscriber.stream(options))))

/**
 * A set of channels, groups and metadata entities that can change while it is listened to. It is left when its scope
 * closes; another set, or a stream, that has the same names goes on.
 *
 * Fails with `BadRequest` for a name that cannot be subscribed to, before anything is sent.
 *
 * **Example** (Adding while it runs)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Subscriber from "effect-herald/pubnub/Subscriber"
 * import * as Subscription from "effect-herald/pubnub/Subscription"
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const set = yield* Subscriber.set(["orders", Subscription.group("ops", { presence: true })])
 *   yield* Effect.forkScoped(Stream.runForEach(set.events, (event) => Effect.log(event._tag)))
 *   yield* set.add("returns", Subscription.userMetadata("ada"))
 *   yield* Effect.sleep("1 hour")
 * }))
 * ```
 *
 * @category sets
 * @since 0.1.0
 */
export const set = (
  members: ReadonlyArray<Subscription.Subscription | string>,
  options: ReaderOptions = {}
): Effect.Effect<
  SubscriptionSet,
  PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>,
  Subscriber | Scope.Scope
> => Subscriber.use((subscriber) => subscriber.set(members, options))

/**
 * What all connections of the subscriber do, as it happens. Up to a thousand wait for a slow reader; then the oldest go.
 *
 * @category streams
 * @since 0.1.0
 */
export const statuses: Stream.Stream<Status.Status, never, Subscriber> = Stream.unwrap(
  Subscriber.use((subscriber) => Effect.succeed(subscriber.statuses))
)

/**
 * What is subscribed to now.
 *
 * @category connection
 * @since 0.1.0
 */
export const names: Effect.Effect<Names, never, Subscriber> = Subscriber.use((subscriber) => subscriber.names)

/**
 * Stops polling and says that this user left (within a second). All streams go on waiting, and names and positions are
 * kept: {@link reconnect} goes on from there. Streams are told `Disconnected`.
 *
 * @category connection
 * @since 0.1.0
 */
export const disconnect: Effect.Effect<void, never, Subscriber> = Subscriber.use((subscriber) => subscriber.disconnect)

/**
 * Polls again at once, from where it was: after {@link disconnect}, and in the middle of a pause between two attempts.
 *
 * @category connection
 * @since 0.1.0
 */
export const reconnect: Effect.Effect<void, never, Subscriber> = Subscriber.use((subscriber) => subscriber.reconnect)

/**
 * Ends all streams and forgets all names and positions. What is subscribed to next begins anew; to lose nothing, subscribe
 * to the new before leaving the old.
 *
 * @category connection
 * @since 0.1.0
 */
export const unsubscribeAll: Effect.Effect<void, never, Subscriber> = Subscriber.use((subscriber) =>
  subscriber.unsubscribeAll
)

/**
 * A subscriber for the given keys. It connects when the first stream runs; closing its scope ends all streams, aborts the
 * polls and sends one leave, within a second.
 *
 * **Example** (A process with one connection)
 *
 * ```ts
 * import * as Subscriber from "effect-herald/pubnub/Subscriber"
 *
 * const SubscriberLive = Subscriber.layer({ subscribeKey: "demo", userId: "ada" })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Subscriber, never, HttpClient.HttpClient> =>
  Layer.effect(Subscriber, Effect.provideService(make(options), PubNubConfig.PubNubConfig, PubNubConfig.make(options)))

/**
 * A subscriber for the configuration in context, in the scope in context.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  settings: Settings = {}
): Effect.fn.Return<Subscriber["Service"], never, Scope.Scope | HttpClient.HttpClient | PubNubConfig.PubNubConfig> {
  const config = yield* PubNubConfig.PubNubConfig
  const client = yield* HttpClient.HttpClient
  const filter = settings.filter === "" ? undefined : settings.filter
  const engine = yield* Effect.acquireRelease(
    Engine.make(config, {
      filter,
      state: undefined,
      schedule: Request.scheduleOf(settings.reconnect),
      demand: "ahead",
      from: undefined,
      gathered
    }),
    ({ close }) => close
  )
  const within = Request.patienceOf(settings.catchUp)
  const blind = within === 0 || filter !== undefined

  const check = (members: ReadonlyArray<Subscription.Subscription>, options: ReaderOptions) => {
    const isGroup = (member: Subscription.Subscription) => member._tag === "Group"
    const checked = Request.check(config, {
      channels: members.filter((member) => !isGroup(member)).map(({ name }) => name),
      groups: members.filter(isGroup).map(({ name }) => name),
      filter: settings.filter,
      from: options.from
    })
    const { capacity = usualCapacity } = options
    const details: ReadonlyArray<PubNubError.Detail> = Number.isSafeInteger(capacity) && capacity > 0
      ? []
      : [{ location: "capacity", message: "is not a positive integer" }]
    return details.length > 0 && Result.isSuccess(checked) ? Result.fail(Endpoint.refused(details)) : checked
  }

  /** A reader of its own, until its scope closes. */
  const open = (
    members: ReadonlyArray<Subscription.Subscription>,
    options: ReaderOptions,
    from: Cursor | undefined,
    onOpen: (reader: Reader) => () => void = () => () => {}
  ) =>
    Stream.unwrap(Effect.gen(function*() {
      const { capacity = usualCapacity, strategy = "catchUp" } = options
      const reader = yield* Effect.acquireRelease(
        Effect.sync(() =>
          engine.join(members, {
            from,
            capacity,
            strategy: strategy === "catchUp" && blind ? "drop" : strategy,
            within
          })
        ),
        (reader) => Effect.sync(() => engine.leave(reader))
      )
      const closed = onOpen(reader)
      yield* Effect.addFinalizer(() => Effect.sync(closed))
      return MessageIds.withoutCopies(Stream.fromPull(Effect.succeed(reader.pull)))
    }))

  const place = {
    operation: "subscribe",
    method: "GET",
    shownPath: "/v2/subscribe/{subscribeKey}/{channels}/0"
  } as const
  const fail = Endpoint.errorOf(place)

  return Subscriber.of({
    stream: (options) => {
      const members = membersOf(options)
      return Stream.suspend(() =>
        Result.match(check(members, options), {
          onFailure: (reason) => Stream.fail(new SubscribeError({ reason })),
          onSuccess: ({ from }) => open(members, options, from)
        })
      )
    },
    set: Effect.fnUntraced(function*(initial, options = {}) {
      let members = initial.map(memberOf)
      const { from } = yield* Effect.fromResult(check(members, options)).pipe(Effect.mapError(fail))
      const readers = new Set<Reader>()
      let left = false
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          left = true
          for (const reader of readers) reader.finish(Exit.fail(Cause.Done()))
        })
      )
      return {
        events: Stream.suspend(() =>
          left ? Stream.empty : open(members, options, from, (reader) => {
            readers.add(reader)
            return () => readers.delete(reader)
          })
        ),
        add: Effect.fnUntraced(function*(...added) {
          const more = added.map(memberOf)
          yield* Effect.fromResult(check(more, {})).pipe(Effect.mapError(fail))
          members = [...members, ...more.filter((member) => !members.some((other) => isEqual(member, other)))]
          for (const reader of readers) engine.add(reader, more)
        }),
        remove: (...removed) =>
          Effect.sync(() => {
            const gone = removed.map(memberOf)
            members = members.filter((member) => !gone.some((other) => Subscription.isSame(member, other)))
            for (const reader of readers) engine.remove(reader, gone)
          }),
        members: Effect.sync(() => members)
      }
    }),
    statuses: engine.statuses,
    names: Effect.sync(() => engine.names),
    disconnect: Effect.sync(() => engine.switchOff()),
    reconnect: Effect.sync(() => engine.switchOn()),
    unsubscribeAll: Effect.provideService(engine.unsubscribeAll, HttpClient.HttpClient, client)
  })
})

const usualCapacity = 1_000

/** Changes of names within so many milliseconds are one. */
const gathered = 25

const isEqual = (one: Subscription.Subscription, other: Subscription.Subscription): boolean =>
  Subscription.isSame(one, other) && one.presence === other.presence

const memberOf = (member: Subscription.Subscription | string): Subscription.Subscription =>
  typeof member === "string" ? Subscription.channel(member) : member

const membersOf = (options: StreamOptions): ReadonlyArray<Subscription.Subscription> => {
  const { channels = [], groups = [], members = [], presence } = options
  return [
    ...channels.map((name) => Subscription.channel(name, { presence })),
    ...groups.map((name) => Subscription.group(name, { presence })),
    ...members
  ]
}
