/**
 * What a stream of `Subscribe` listens to: a channel, a group, or the metadata of a channel or a user.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type * as PubNubError from "./PubNubError.ts"
import type { SubscribeError } from "./SubscribeError.ts"
import type * as SubscribeEvent from "./SubscribeEvent.ts"

/**
 * One entity of the service, as a plain value: for `subscriptions` of a stream or of a {@link SubscriptionSet}.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscription {
  /** The kind of entity. */
  readonly _tag: "Channel" | "Group" | "ChannelMetadata" | "UserMetadata"
  /** The name of a channel (or a wildcard) or a group, or the id of a channel or a user. */
  readonly name: string
  /** Whether presence events come too. */
  readonly presence: boolean
}

/**
 * A set of subscriptions that can change while a program listens to it. `Subscribe.subscriptionSet` makes one.
 *
 * @category models
 * @since 0.1.0
 */
export interface SubscriptionSet {
  /**
   * Everything that the subscriptions receive, once each. Every run is a reader of its own; it ends when the set is left or
   * everything is unsubscribed.
   */
  readonly stream: Stream.Stream<SubscribeEvent.SubscribeEvent, SubscribeError>
  /**
   * Adds subscriptions, or channels by name. They receive events from now on. Fails with `BadRequest` for a name that cannot be
   * subscribed to.
   */
  readonly add: (
    ...subscriptions: ReadonlyArray<Subscription | string>
  ) => Effect.Effect<void, PubNubError.PubNubErrorOf<PubNubError.BadRequest | PubNubError.InvalidKey>>
  /** Removes subscriptions, or channels by name. A name that another set or stream listens to stays subscribed. */
  readonly remove: (...subscriptions: ReadonlyArray<Subscription | string>) => Effect.Effect<void>
  /** The subscriptions of the set now, in the order in which they were added. */
  readonly subscriptions: Effect.Effect<ReadonlyArray<Subscription>>
}

/**
 * Options of {@link channel} and {@link group}.
 *
 * @category models
 * @since 0.1.0
 */
export interface EntityOptions {
  /** Whether presence events come too. Default: `false`. */
  readonly presence?: boolean | undefined
}

/**
 * Makes a subscription to everything that happens on a channel. A wildcard (`a.*`, `a.b.*`) is one channel here.
 *
 * **Example** (A channel with its presence)
 *
 * ```ts
 * import * as Subscription from "effect-herald/pubnub/Subscription"
 *
 * const orders = Subscription.channel("orders", { presence: true })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const channel = (name: string, options: EntityOptions = {}): Subscription => ({
  _tag: "Channel",
  name,
  presence: options.presence === true
})

/**
 * Makes a subscription to everything that happens on the channels of a group.
 *
 * @category constructors
 * @since 0.1.0
 */
export const group = (name: string, options: EntityOptions = {}): Subscription => ({
  _tag: "Group",
  name,
  presence: options.presence === true
})

/**
 * Makes a subscription to changes of the metadata and the memberships of a channel, and to nothing else on that channel.
 *
 * @category constructors
 * @since 0.1.0
 */
export const channelMetadata = (id: string): Subscription => ({ _tag: "ChannelMetadata", name: id, presence: false })

/**
 * Makes a subscription to changes of the metadata and the memberships of a user.
 *
 * @category constructors
 * @since 0.1.0
 */
export const userMetadata = (id: string): Subscription => ({ _tag: "UserMetadata", name: id, presence: false })

/**
 * Whether a subscription receives an event that came by its name. Channels and groups receive every event, metadata entities
 * their own changes.
 *
 * @category predicates
 * @since 0.1.0
 */
export const hears = (subscription: Subscription, event: SubscribeEvent.Received<unknown>): boolean => {
  switch (subscription._tag) {
    case "Channel":
    case "Group":
      return true
    case "ChannelMetadata":
      return "channelId" in event && event.channelId === subscription.name
    case "UserMetadata":
      return isOfUser(event) && event.userId === subscription.name
  }
}

const isOfUser = (
  event: SubscribeEvent.Received<unknown>
): event is SubscribeEvent.UserEvent | SubscribeEvent.MembershipEvent => {
  switch (event._tag) {
    case "UserSet":
    case "UserRemoved":
    case "MembershipSet":
    case "MembershipRemoved":
      return true
    default:
      return false
  }
}

/**
 * Whether two subscriptions are of the same entity, whatever their options.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSame = (one: Subscription, other: Subscription): boolean =>
  one._tag === other._tag && one.name === other.name
