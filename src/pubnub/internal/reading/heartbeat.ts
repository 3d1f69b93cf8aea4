/**
 * Announces the user on its channels while a reader is connected. Otherwise the service would report a timeout if the next poll
 * is late.
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

/** The names that the user is subscribed to. Heartbeats leave out wildcards and presence names. */
export interface Presence {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
  /** The JSON text of the user's state on each of its channels. */
  readonly state: string | undefined
}

/** Whether a configuration asks for heartbeats. */
export const isOn = ({ heartbeatInterval, presenceTimeout }: PubNubConfig["Service"]): boolean =>
  heartbeatInterval !== undefined && presenceTimeout !== undefined

/**
 * Sends heartbeats until it is interrupted. The first one comes after one interval, since the handshake has announced the user.
 * Returns at once if heartbeats are off. A failure is logged at debug and does not change the time of the next heartbeat.
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
      // A heartbeat without an answer must not delay the next one.
      timeout: Duration.min(config.requestTimeout, Duration.millis(Duration.toMillis(heartbeatInterval) / 2)),
      decode: Result.succeed
    }).pipe(
      Effect.catch((reason) => debug(() => [`Subscribe.heartbeat failed: ${reason.message}`]))
    )
  })
  return Effect.asVoid(Effect.schedule(beat, Schedule.fixed(heartbeatInterval)))
}

const isPlace = (name: string): boolean => !ChannelName.isPresence(name) && !ChannelName.isWildcard(name)
