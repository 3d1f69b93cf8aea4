/**
 * Channel groups: lists of channels that the service keeps under a name, so that a subscription to the name is one to
 * all of them, now and after the list changed. They need the Stream Controller add-on.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../internal/codec.ts"
import * as Endpoint from "./internal/wire/endpoint.ts"
import * as Groups from "./internal/wire/groups.ts"
import * as Items from "./internal/wire/items.ts"
import * as Names from "./internal/wire/names.ts"
import { path, subscribeKey } from "./internal/wire/path.ts"
import type { PubNubConfig } from "./PubNubConfig.ts"
import type * as PubNubError from "./PubNubError.ts"
import type { UnreadableItem } from "./UnreadableItem.ts"

/**
 * What the requests of this module can fail with. Without the add-on it is `FeatureDisabled`; wrong input is
 * `BadRequest` without a `status`, and nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export type ChannelGroupsError = PubNubError.PubNubError

/**
 * Which group.
 *
 * @category models
 * @since 0.1.0
 */
export interface GroupOptions {
  /** The name of one group. */
  readonly group: string
}

/**
 * Which channels of which group.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelsOptions extends GroupOptions {
  /** 1 to 200 channels. A presence name, `a-pnpres`, brings the presence of `a` to the group's subscribers. */
  readonly channels: ReadonlyArray<string>
}

/**
 * Adds channels to a group, which comes to be if it did not exist. Those that it has already do no harm, so that it may
 * be repeated. Fails with {@link ChannelGroupsError}.
 *
 * **Details**
 *
 * `GET /v1/channel-registration/sub-key/{subscribeKey}/channel-group/{group}?add=…`. The service takes 200 channels at
 * once, and keeps up to 2,000 in a group.
 *
 * **Example** (Any number of channels)
 *
 * ```ts
 * import * as Arr from "effect/Array"
 * import * as Effect from "effect/Effect"
 * import * as ChannelGroups from "effect-herald/pubnub/ChannelGroups"
 *
 * const addAll = (group: string, channels: ReadonlyArray<string>) =>
 *   Effect.forEach(Arr.chunksOf(channels, 200), (channels) => ChannelGroups.add({ group, channels }), { discard: true })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const add = (
  options: ChannelsOptions
): Effect.Effect<void, ChannelGroupsError, HttpClient.HttpClient | PubNubConfig> => change("add", options)

/**
 * Takes channels out of a group. Those that it does not have do no harm, and a group without channels is none any more.
 * Fails with {@link ChannelGroupsError}.
 *
 * **Details**
 *
 * `GET /v1/channel-registration/sub-key/{subscribeKey}/channel-group/{group}?remove=…`
 *
 * **Example** (One channel less)
 *
 * ```ts
 * import * as ChannelGroups from "effect-herald/pubnub/ChannelGroups"
 *
 * const program = ChannelGroups.remove({ group: "alerts", channels: ["alerts.test"] })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const remove = (
  options: ChannelsOptions
): Effect.Effect<void, ChannelGroupsError, HttpClient.HttpClient | PubNubConfig> => change("remove", options)

/**
 * The channels of a group, all of them at once. A group that does not exist has none. What is no name is an `UnreadableItem`
 * in its place. Fails with {@link ChannelGroupsError}.
 *
 * **Details**
 *
 * `GET /v1/channel-registration/sub-key/{subscribeKey}/channel-group/{group}`
 *
 * **Example** (Whether a channel is in a group)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as ChannelGroups from "effect-herald/pubnub/ChannelGroups"
 *
 * const isWatched = (channel: string) =>
 *   Effect.map(ChannelGroups.list({ group: "alerts" }), (channels) => channels.includes(channel))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list = (
  options: GroupOptions
): Effect.Effect<ReadonlyArray<string | UnreadableItem>, ChannelGroupsError, HttpClient.HttpClient | PubNubConfig> =>
  Groups.entries(() => options.group)

const delete_ = (
  options: GroupOptions
): Effect.Effect<void, ChannelGroupsError, HttpClient.HttpClient | PubNubConfig> =>
  Effect.asVoid(
    Endpoint.run("deleteChannelGroup", () => {
      const { group } = options
      return {
        path: path`/v1/channel-registration/sub-key/${subscribeKey}/channel-group/${group}/remove`,
        issues: Groups.issuesOf(group),
        decode: decodeDone
      }
    })
  )

export {
  /**
   * Deletes a group; its channels are left as they are. One that does not exist does no harm. Fails with
   * {@link ChannelGroupsError}.
   *
   * **Details**
   *
   * `GET /v1/channel-registration/sub-key/{subscribeKey}/channel-group/{group}/remove`
   *
   * **Example** (No group any more)
   *
   * ```ts
   * import * as ChannelGroups from "effect-herald/pubnub/ChannelGroups"
   *
   * const program = ChannelGroups.delete({ group: "alerts" })
   * ```
   *
   * @category requests
   * @since 0.1.0
   */
  delete_ as delete
}

/**
 * The names of all groups of the keyset. What is no name is an `UnreadableItem` in its place. Fails with {@link ChannelGroupsError}.
 *
 * **Details**
 *
 * `GET /v1/channel-registration/sub-key/{subscribeKey}/channel-group`
 *
 * **Example** (Groups of one prefix)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as ChannelGroups from "effect-herald/pubnub/ChannelGroups"
 * import * as UnreadableItem from "effect-herald/pubnub/UnreadableItem"
 *
 * const teams = Effect.map(ChannelGroups.groups, (names) =>
 *   names.filter(UnreadableItem.isReadable).filter((name) => name.startsWith("team-")))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const groups: Effect.Effect<
  ReadonlyArray<string | UnreadableItem>,
  ChannelGroupsError,
  HttpClient.HttpClient | PubNubConfig
> = Endpoint.run("listChannelGroups", () => ({
  path: path`/v1/channel-registration/sub-key/${subscribeKey}/channel-group`,
  decode: (json) => Result.map(decodeGroups(json), ({ payload }) => payload.groups.map(Items.readName))
}))

const decodeGroups = Codec.decodeResult(Schema.Struct({ payload: Schema.Struct({ groups: Items.Unread }) }))
const decodeDone = Codec.decodeResult(Schema.Struct({ status: Schema.Literal(200) }))

/** The most channels of one request. */
const most = 200

const change = (kind: "add" | "remove", options: ChannelsOptions) =>
  Effect.asVoid(
    Endpoint.run(kind === "add" ? "addToChannelGroup" : "removeFromChannelGroup", () => {
      const { channels, group } = options
      return {
        path: path`/v1/channel-registration/sub-key/${subscribeKey}/channel-group/${group}`,
        query: { [kind]: Names.unique(channels).join(",") },
        issues: [...Groups.issuesOf(group), ...Names.issuesOf("channels", channels, most)],
        longInput: { location: "channels", advice: "send fewer at once" },
        decode: decodeDone
      }
    })
  )
