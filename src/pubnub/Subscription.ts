/**
 * What a stream of `Subscribe` listens to: a channel, a group, or the metadata of a channel or a user.
 *
 * @since 0.1.0
 */
import type * as SubscribeEvent from "./SubscribeEvent.ts"

/**
 * One entity of the service, as a plain value: for `subscriptions` of a stream, and for the members of a
 * `Subscribe.subscriptionSet`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscription {
  readonly _tag: "Channel" | "Group" | "ChannelMetadata" | "UserMetadata"
  /** Name of a channel (a wildcard, too) or a group; id of a channel or a user. */
  readonly name: string
  /** Whether joins and leaves come too. */
  readonly presence: boolean
}

/**
 * What {@link channel} and {@link group} take beside a name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whether joins and leaves come too. Default: `false`. */
  readonly presence?: boolean | undefined
}

/**
 * Everything that happens on a channel. A wildcard (`a.*`, `a.b.*`) is one channel here.
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
export const channel = (name: string, options: Options = {}): Subscription => ({
  _tag: "Channel",
  name,
  presence: options.presence === true
})

/**
 * Everything that happens on the channels of a group.
 *
 * @category constructors
 * @since 0.1.0
 */
export const group = (name: string, options: Options = {}): Subscription => ({
  _tag: "Group",
  name,
  presence: options.presence === true
})

/**
 * The changes of a channel's metadata and of its memberships, and nothing else that happens on that channel.
 *
 * @category constructors
 * @since 0.1.0
 */
export const channelMetadata = (id: string): Subscription => ({ _tag: "ChannelMetadata", name: id, presence: false })

/**
 * The changes of a user's metadata and of that user's memberships.
 *
 * @category constructors
 * @since 0.1.0
 */
export const userMetadata = (id: string): Subscription => ({ _tag: "UserMetadata", name: id, presence: false })

/**
 * Whether an event that came by the subscription's name is the subscription's: a channel and a group hear everything, a
 * metadata entity its own changes.
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
      switch (event._tag) {
        case "ChannelSet":
        case "ChannelRemoved":
        case "MembershipSet":
        case "MembershipRemoved":
          return event.channelId === subscription.name
        default:
          return false
      }
    case "UserMetadata":
      switch (event._tag) {
        case "UserSet":
        case "UserRemoved":
        case "MembershipSet":
        case "MembershipRemoved":
          return event.userId === subscription.name
        default:
          return false
      }
  }
}

/**
 * Whether two are of the same entity.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSame = (one: Subscription, other: Subscription): boolean =>
  one._tag === other._tag && one.name === other.name
