/**
 * Signs of life beside the long poll: while a reader is connected, its user is announced on its channels again and again,
 * so that others do not see it time out when the poll is not asked for in time.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Result from "effect/Result"
import * as Schedule from "effect/Schedule"
import { debug } from "../../../internal/operation.ts"
import * as ChannelName from "../../ChannelName.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"
import * as Endpoint from "../wire/endpoint.ts"
import { path, subscribeKey } from "../wire/path.ts"

/** Where the user is at the moment. Wildcards and presence names may be among them: nobody is present on those. */
export interface Presence {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
  /** The JSON text of the user's state on each of its channels. */
  readonly state: string | undefined
}

/** Whether a configuration has its user announced. */
export const isOn = ({ heartbeatInterval, presenceTimeout }: PubNubConfig["Service"]): boolean =>
  heartbeatInterval !== undefined && presenceTimeout !== undefined

/**
 * Announces the user until it is interrupted, from one interval after its start on: the handshake before it was a sign of
 * life too. Returns at once when presence is not on. A heartbeat that fails is told at debug, and the next one comes when
 * it would have come anyway.
 */
export const run = (
  config: PubNubConfig["Service"],
  current: () => Presence
): Effect.Effect<void, never, HttpClient.HttpClient> => {
  const { heartbeatInterval, presenceTimeout } = config
  if (heartbeatInterval === undefined || presenceTimeout === undefined) return Effect.void
  const seconds = String(Math.ceil(Duration.toSeconds(presenceTimeout)))
  const beat = Effect.suspend(() => {
    const { groups, state, ...all } = current()
    const channels = all.channels.filter(isPlace)
    const plainGroups = groups.filter(isPlace)
    if (channels.length + plainGroups.length === 0) return Effect.void
    return Endpoint.send(config, {
      operation: "Subscribe.heartbeat",
      path: path`/v2/presence/sub-key/${subscribeKey}/channel/${channels}/heartbeat`,
      query: { heartbeat: seconds, "channel-group": plainGroups.join(",") || undefined, state },
      longestAddress: Infinity,
      // One without an answer must not hold up the next one.
      timeout: Duration.min(config.requestTimeout, Duration.divideUnsafe(heartbeatInterval, 2)),
      decode: Result.succeed
    }).pipe(
      Effect.catch((reason) => debug(() => [`Subscribe.heartbeat failed: ${reason.message}`]))
    )
  })
  return Effect.asVoid(Effect.schedule(beat, Schedule.fixed(heartbeatInterval)))
}

const isPlace = (name: string): boolean => !ChannelName.isPresence(name) && !ChannelName.isWildcard(name)
