/**
 * Channel groups: named lists of channels that the service keeps. A subscription to a group covers the channels that it
 * has now and those that it gets later. Channel groups need the Stream Controller add-on.
 *
 * Each request fails with a `PubNubError`: `FeatureDisabled` without the add-on, and `BadRequest` without a `status` when
 * the input is wrong and nothing was sent.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
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
import type { UndecodableItem } from "../UndecodableItem.ts"

/**
 * A channel group.
 *
 * @category models
 * @since 0.1.0
 */
export interface GroupOptions {
  /** The name of the group: text of 1 to 2,048 characters, not a wildcard. */
  readonly group: string
}

/**
 * Channels of a channel group.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelsOptions extends GroupOptions {
  /** 1 to 200 channels. A presence name, `a-pnpres`, gives subscribers of the group the presence of `a`. */
  readonly channels: ReadonlyArray<string>
}

/**
 * Lists the names of all groups of the keyset. What is not a name becomes an `UndecodableItem` in its place.
 *
 * **Details**
 *
 * `GET /v1/channel-registration/sub-key/{subscribeKey}/channel-group`
 *
 * **Example** (Groups with a common prefix)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as ChannelGroups from "effect-herald/pubnub/ChannelGroups"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const teams = Effect.map(ChannelGroups.list, (groups) =>
 *   groups.filter(UndecodableItem.isDecoded).filter((group) => group.startsWith("team-")))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const list: Effect.Effect<
  ReadonlyArray<string | UndecodableItem>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> = Endpoint.run("ChannelGroups.list", () => ({
  path: path`/v1/channel-registration/sub-key/${subscribeKey}/channel-group`,
  decode: (json) => Result.map(decodeGroups(json), ({ payload }) => payload.groups.map(Items.readName))
}))

/**
 * Removes a group. Its channels stay as they are. A group that does not exist is no error.
 *
 * **Details**
 *
 * `GET /v1/channel-registration/sub-key/{subscribeKey}/channel-group/{group}/remove`
 *
 * **Example** (Remove the group of alerts)
 *
 * ```ts
 * import * as ChannelGroups from "effect-herald/pubnub/ChannelGroups"
 *
 * const program = ChannelGroups.remove({ group: "alerts" })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const remove = (
  options: GroupOptions
): Effect.Effect<void, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> =>
  Endpoint.run("ChannelGroups.remove", () => {
    const { group } = options
    return {
      path: path`/v1/channel-registration/sub-key/${subscribeKey}/channel-group/${group}/remove`,
      issues: Groups.issuesOf(group),
      decode: decodeDone
    }
  })

/**
 * Adds channels to a group, and creates the group if it does not exist. Channels that the group has already are no error,
 * so a program may repeat the request.
 *
 * **Details**
 *
 * `GET /v1/channel-registration/sub-key/{subscribeKey}/channel-group/{group}?add=…`. The service takes 200 channels in a
 * request, and keeps up to 2,000 in a group.
 *
 * **Example** (Add any number of channels)
 *
 * ```ts
 * import * as Arr from "effect/Array"
 * import * as Effect from "effect/Effect"
 * import * as ChannelGroups from "effect-herald/pubnub/ChannelGroups"
 *
 * const addAll = (group: string, channels: ReadonlyArray<string>) =>
 *   Effect.forEach(
 *     Arr.chunksOf(channels, 200),
 *     (channels) => ChannelGroups.addChannels({ group, channels }),
 *     { discard: true }
 *   )
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const addChannels = (
  options: ChannelsOptions
): Effect.Effect<void, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> => change("add", options)

/**
 * Removes channels from a group. Channels that the group does not have are no error. The service removes a group that has
 * no channels left.
 *
 * **Details**
 *
 * `GET /v1/channel-registration/sub-key/{subscribeKey}/channel-group/{group}?remove=…`
 *
 * **Example** (Remove one channel)
 *
 * ```ts
 * import * as ChannelGroups from "effect-herald/pubnub/ChannelGroups"
 *
 * const program = ChannelGroups.removeChannels({ group: "alerts", channels: ["alerts.test"] })
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const removeChannels = (
  options: ChannelsOptions
): Effect.Effect<void, PubNubError.PubNubError, HttpClient.HttpClient | PubNubConfig> => change("remove", options)

/**
 * Lists the channels of a group, all of them at once. A group that does not exist has none. What is not a name becomes an
 * `UndecodableItem` in its place.
 *
 * **Details**
 *
 * `GET /v1/channel-registration/sub-key/{subscribeKey}/channel-group/{group}`
 *
 * **Example** (Whether a group has a channel)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as ChannelGroups from "effect-herald/pubnub/ChannelGroups"
 *
 * const isWatched = (channel: string) =>
 *   Effect.map(ChannelGroups.listChannels({ group: "alerts" }), (channels) => channels.includes(channel))
 * ```
 *
 * @category requests
 * @since 0.1.0
 */
export const listChannels = (
  options: GroupOptions
): Effect.Effect<
  ReadonlyArray<string | UndecodableItem>,
  PubNubError.PubNubError,
  HttpClient.HttpClient | PubNubConfig
> => Groups.entries(() => options.group)

const decodeGroups = Codec.decodeResult(Schema.Struct({ payload: Schema.Struct({ groups: Items.Unread }) }))

const done = Codec.decodeResult(Schema.Struct({ status: Schema.Literal(200) }))
const decodeDone = (json: Schema.Json): Result.Result<void, string> => Result.map(done(json), () => undefined)

/** The service takes this many channels in one request. */
const mostChannels = 200

const change = (kind: "add" | "remove", options: ChannelsOptions) =>
  Endpoint.run(`ChannelGroups.${kind}Channels`, () => {
    const { channels, group } = options
    return {
      path: path`/v1/channel-registration/sub-key/${subscribeKey}/channel-group/${group}`,
      query: { [kind]: Names.unique(channels).join(",") },
      issues: [...Groups.issuesOf(group), ...Names.issuesOf("channels", channels, mostChannels)],
      longInput: { location: "channels", advice: "send fewer at once" },
      decode: decodeDone
    }
  })
