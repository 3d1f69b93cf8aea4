/**
 * An event as one line of text: time (UTC), kind, channel, content.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Json from "../../internal/json.ts"
import type * as SubscribeEvent from "../../pubnub/SubscribeEvent.ts"
import * as Timetoken from "../../pubnub/Timetoken.ts"

/** The line of an event. A status has no time of its own: it gets `now`. */
export const format = (event: SubscribeEvent.SubscribeEvent, now: DateTime.DateTime): string => {
  const moment = "timetoken" in event && event.timetoken !== undefined ? Timetoken.toDateTime(event.timetoken) : now
  const channel = "channel" in event ? event.channel ?? "" : ""
  return [DateTime.formatIso(moment).slice(11), event._tag.padEnd(12), channel.padEnd(16), detail(event)]
    .join("  ").trimEnd()
}

/** Whether an event reports on the connection. */
export const isStatus = (event: SubscribeEvent.SubscribeEvent): boolean =>
  !("timetoken" in event) || event.timetoken === undefined

const detail = (event: SubscribeEvent.SubscribeEvent): string => {
  switch (event._tag) {
    case "Message":
    case "Signal": {
      const type = event.customMessageType === undefined ? "" : ` [${event.customMessageType}]`
      return `${event.publisher ?? "?"}${type}: ${Json.text(event.payload)}`
    }
    case "FileShared":
      return `${event.publisher ?? "?"}: ${event.file.name} (${event.file.id})`
    case "Joined":
    case "Left":
    case "TimedOut":
      return event.occupancy === undefined ? event.userId : `${event.userId} (${event.occupancy} there)`
    case "StateChanged":
      return `${event.userId}: ${Json.text(event.state)}`
    case "Interval": {
      const there = event.occupancy === undefined ? "" : `${event.occupancy} there; `
      return `${there}${event.joined.length} joined, ${event.left.length} left, ${event.timedOut.length} timed out`
    }
    case "MessageActionAdded":
    case "MessageActionRemoved":
      return `${event.action.userId}: ${event.action.type} ${event.action.value} of ${event.action.messageTimetoken}`
    case "UserSet":
      return `${event.userId}: ${Object.keys(event.change).join(", ")}`
    case "UserRemoved":
      return event.userId
    case "ChannelSet":
      return `${event.channelId}: ${Object.keys(event.change).join(", ")}`
    case "ChannelRemoved":
      return event.channelId
    case "MembershipSet":
    case "MembershipRemoved":
      return `${event.userId} in ${event.channelId}`
    case "Undecodable":
      return `${event.issue}: ${Json.text(event.raw)}`
    case "Unknown":
      return `kind ${event.kind}: ${Json.text(event.payload)}`
    case "Connected":
    case "ChannelsChanged":
      return [...event.channels, ...event.groups.map((group) => `group ${group}`)].join(", ")
    case "Interrupted":
      return `${event.reason.message} Attempt ${event.attempt}; again in ${Duration.format(event.retryIn)}`
    case "Reconnected":
      return `after ${Duration.format(event.downFor)}`
    case "Disconnected":
      return event.reason?.message ?? ""
    case "Gap":
      return `lost since ${event.since}, before ${event.before} (${event.reason})`
    case "GapSuspected":
      return `something may be missing since ${event.since}, before ${event.before} (${event.reason})`
    case "CursorDoubted":
      return `${event.doubted} cannot be right; kept ${event.kept.position}`
  }
}
