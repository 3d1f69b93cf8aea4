/**
 * Shared connections: with this layer, all streams, sets and live values of the same configuration share one long poll.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Registry from "./internal/reading/registry.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as Subscribe from "./Subscribe.ts"
import type * as SubscribeStatus from "./SubscribeStatus.ts"

/**
 * Options of {@link layer}. They have no keys: each stream uses the `PubNubConfig` in its context.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Retry schedules of shared connections, as in `Subscribe.StreamOptions`. A stream with schedules of its own has a connection of
   * its own. With wrong schedules, each stream that would share a connection fails with `BadRequest`.
   */
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
 * The shared connections of a program. Use the functions of this module, which have the same names.
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
 * Streams the statuses of all shared connections of the configuration in the context. Up to 1,000 wait for a slow reader; then
 * the oldest are dropped.
 *
 * @category streams
 * @since 0.1.0
 */
export const statuses: Stream.Stream<SubscribeStatus.Status, never, Subscriber | HttpClient.HttpClient | PubNubConfig> =
  Stream.unwrap(Effect.map(Subscriber, ({ statuses }) => statuses))

/**
 * Succeeds with the names to which the shared connections of the configuration in the context are subscribed now.
 *
 * @category requests
 * @since 0.1.0
 */
export const subscribed: Effect.Effect<Subscribed, never, Subscriber | HttpClient.HttpClient | PubNubConfig> = Effect
  .flatMap(Subscriber, ({ subscribed }) => subscribed)

/**
 * Stops polling over the shared connections of the configuration in the context, and sends a leave (within a second). Streams
 * emit `Disconnected`, keep their names and positions, and wait: {@link reconnect} goes on from there.
 *
 * @category requests
 * @since 0.1.0
 */
export const disconnect: Effect.Effect<void, never, Subscriber | HttpClient.HttpClient | PubNubConfig> = Effect.flatMap(
  Subscriber,
  ({ disconnect }) => disconnect
)

/**
 * Polls again at once, from the same position: after {@link disconnect}, and in the middle of a pause between two attempts.
 *
 * @category requests
 * @since 0.1.0
 */
export const reconnect: Effect.Effect<void, never, Subscriber | HttpClient.HttpClient | PubNubConfig> = Effect.flatMap(
  Subscriber,
  ({ reconnect }) => reconnect
)

/**
 * Ends all streams of the configuration in the context that share a connection, and forgets all names and positions. The next
 * subscription begins now. To lose nothing, subscribe to the new names before you leave the old ones.
 *
 * @category requests
 * @since 0.1.0
 */
export const unsubscribeAll: Effect.Effect<void, never, Subscriber | HttpClient.HttpClient | PubNubConfig> = Effect
  .flatMap(Subscriber, ({ unsubscribeAll }) => unsubscribeAll)

/**
 * Shares connections among all programs to which the layer is provided: the streams and sets of `Subscribe`, and the live
 * values of `Presence`, `MessageActions`, `Users`, `Channels`, `Memberships` and `Members`.
 *
 * **Details**
 *
 * Streams share a connection when they have the same transport, configuration (by its values, without the publish key), encryption,
 * `Access.layerExplanations` and filter: several keysets never mix, and neither do two tokens. A connection begins with the first stream and ends with the last one. Names beyond 32 kB of
 * address go to a further long poll. Changes of names within 25 milliseconds cause one new poll. They lose no answer on its way,
 * and the positions of other streams stay.
 *
 * A shared connection polls ahead of its readers, until a reader with the strategy `suspend` is full. Events that a reader has
 * not taken wait for it, up to its `capacity`.
 *
 * A stream with a `state` or with `reconnect` schedules of its own has a connection of its own. A layer that is provided again
 * further in has connections of its own. When the layer's scope closes, the streams that still run end without a failure.
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
      Effect.sync(() => new Registry.Registry(options.reconnect)),
      ({ close }) => close
    ),
    (registry) =>
      Context.make(Registry.Current, registry).pipe(Context.add(Subscriber, {
        statuses: registry.statuses,
        subscribed: registry.subscribed,
        disconnect: registry.switchOff,
        reconnect: registry.switchOn,
        unsubscribeAll: registry.unsubscribeAll
      }))
  ))
