/**
 * One connection for all that a program listens to: with this layer, every stream and every live value of the same
 * configuration shares its long poll.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Registry from "./internal/reading/registry.ts"
import * as Request from "./internal/reading/request.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as SubscribeStatus from "./SubscribeStatus.ts"
import type * as Subscribe from "./Subscribe.ts"

/**
 * What {@link layer} takes. It has no keys: those of the configuration in use at each stream count.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** How shared connections come back; see `Subscribe.StreamOptions`. A stream with schedules of its own has a connection of its own. */
  readonly reconnect?: Subscribe.Reconnect | undefined
}

/**
 * The names that are subscribed now, presence names included, sorted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscribed {
  /** Channels, wildcards and their presence names. */
  readonly channels: ReadonlyArray<string>
  /** Groups and their presence names. */
  readonly groups: ReadonlyArray<string>
}

/**
 * The shared connections of a program. Use it through the functions of this module, which have the same names.
 *
 * @category services
 * @since 0.1.0
 */
export class Subscriber extends Context.Service<Subscriber, {
  /** See {@link statuses}. */
  readonly statuses: Stream.Stream<SubscribeStatus.Status, never, HttpClient.HttpClient | PubNubConfig>
  /** See {@link subscribed}. */
  readonly subscribed: Effect.Effect<Subscribed, never, HttpClient.HttpClient | PubNubConfig>
  /** See {@link disconnect}. */
  readonly disconnect: Effect.Effect<void, never, HttpClient.HttpClient | PubNubConfig>
  /** See {@link reconnect}. */
  readonly reconnect: Effect.Effect<void, never, HttpClient.HttpClient | PubNubConfig>
  /** See {@link unsubscribeAll}. */
  readonly unsubscribeAll: Effect.Effect<void, never, HttpClient.HttpClient | PubNubConfig>
}>()("effect-herald/pubnub/Subscriber") {}

/**
 * Streams the statuses of all shared connections of the configuration in use. Up to 1,000 wait for a slow reader; then the
 * oldest are dropped.
 *
 * @category streams
 * @since 0.1.0
 */
export const statuses: Stream.Stream<SubscribeStatus.Status, never, Subscriber | HttpClient.HttpClient | PubNubConfig> =
  Stream
    .unwrap(Subscriber.use(({ statuses }) => Effect.succeed(statuses)))

/**
 * Succeeds with the names that the shared connections of the configuration in use are subscribed to now.
 *
 * @category connection
 * @since 0.1.0
 */
export const subscribed: Effect.Effect<Subscribed, never, Subscriber | HttpClient.HttpClient | PubNubConfig> =
  Subscriber
    .use(
      ({ subscribed }) => subscribed
    )

/**
 * Stops polling over the shared connections of the configuration in use, and says that this user left (within a second). All
 * streams wait, and keep their names and positions: {@link reconnect} goes on from there. Streams emit `Disconnected`.
 *
 * @category connection
 * @since 0.1.0
 */
export const disconnect: Effect.Effect<void, never, Subscriber | HttpClient.HttpClient | PubNubConfig> = Subscriber.use(
  ({ disconnect }) => disconnect
)

/**
 * Polls again at once, from where it was: after {@link disconnect}, and in the middle of a pause between two attempts.
 *
 * @category connection
 * @since 0.1.0
 */
export const reconnect: Effect.Effect<void, never, Subscriber | HttpClient.HttpClient | PubNubConfig> = Subscriber.use(
  ({ reconnect }) => reconnect
)

/**
 * Ends all streams of the configuration in use that share a connection, and forgets all names and positions. What is
 * subscribed to next begins anew; to lose nothing, subscribe to the new before leaving the old.
 *
 * @category connection
 * @since 0.1.0
 */
export const unsubscribeAll: Effect.Effect<void, never, Subscriber | HttpClient.HttpClient | PubNubConfig> = Subscriber
  .use(({ unsubscribeAll }) => unsubscribeAll)

/**
 * Lets everything below it share its connections: the streams and sets of `Subscribe`, `Presence.changes`,
 * `MessageActions.fold`, and the live values of users, channels, memberships and members.
 *
 * **Details**
 *
 * A connection is found by the transport, the configuration (by its values, without the publish key) and the filter in use
 * at each stream: several keysets never mix. It begins with the first stream and ends with the last one. Names beyond 32 kB
 * of address go to a further long poll. Changes of names within 25 milliseconds are one, an answer on its way is not thrown
 * away, and the position of the others stays.
 *
 * A shared connection polls ahead of its readers, until a reader with the strategy `suspend` is full. What a reader has not
 * taken waits for it, up to its `capacity`.
 *
 * A stream with a `state` or with `reconnect` schedules of its own has a connection of its own. A layer that is provided again
 * further in has connections of its own. Streams that outlive the layer end without a failure when it is left.
 *
 * **Example** (Two streams, one connection)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Stream from "effect/Stream"
 * import * as NodePubNub from "effect-herald/node/NodePubNub"
 * import * as Subscribe from "effect-herald/pubnub/Subscribe"
 * import * as Subscriber from "effect-herald/pubnub/Subscriber"
 *
 * const orders = Subscribe.stream({ channels: ["orders"] }).pipe(Stream.runForEach((event) => Effect.log(event._tag)))
 * const alerts = Subscribe.stream({ channels: ["alerts.*"], strategy: "sliding" }).pipe(
 *   Stream.runForEach((event) => Effect.log(event._tag))
 * )
 *
 * const program = Effect.all([orders, alerts], { concurrency: "unbounded" }).pipe(
 *   Effect.provide(Layer.merge(Subscriber.layer(), NodePubNub.layer({ subscribeKey: "demo", userId: "ada" })))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<Subscriber> =>
  Layer.effectContext(Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => new Registry.Registry(Request.scheduleOf(options.reconnect))),
      ({ close }) => close
    ),
    (registry) =>
      Context.make(Registry.Current, registry).pipe(Context.add(
        Subscriber,
        Subscriber.of({
          statuses: registry.statuses,
          subscribed: registry.subscribed,
          disconnect: registry.switchOff,
          reconnect: registry.switchOn,
          unsubscribeAll: registry.unsubscribeAll
        })
      ))
  ))
