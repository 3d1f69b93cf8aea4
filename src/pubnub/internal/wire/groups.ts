/**
 * Checks names of groups, and lists the channels of a group. Readers need the list too: a subscription to a group covers the
 * channels of the group.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Codec from "../../../internal/codec.ts"
import * as Input from "../../../internal/input.ts"
import * as ChannelName from "../../ChannelName.ts"
import type * as PubNubError from "../../PubNubError.ts"
import * as Endpoint from "./endpoint.ts"
import * as Items from "./items.ts"
import { path, subscribeKey } from "./path.ts"

/** Checks the name of a group. */
export const issuesOf = (group: string): ReadonlyArray<PubNubError.Detail> =>
  Input.each("group", [group], ChannelName.issue)

const decode = Codec.decodeResult(Schema.Struct({ payload: Schema.Struct({ channels: Items.Unread }) }))

/** The channels of a group. What is not a name is undecodable in its place. */
export const entries = (read: () => string) =>
  Endpoint.run("ChannelGroups.listChannels", () => {
    const group = read()
    return {
      path: path`/v1/channel-registration/sub-key/${subscribeKey}/channel-group/${group}`,
      issues: issuesOf(group),
      decode: (json) => Result.map(decode(json), ({ payload }) => payload.channels.map(Items.readName))
    }
  })

/** The channels of a group, for a reader. */
export const list = (read: () => string) =>
  Effect.flatMap(entries(read), (channels) => Items.decoded(channels, "the channels of a group"))
