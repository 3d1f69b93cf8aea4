/**
 * An event as a line that people read: time (UTC), what it is, where, and what it says.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Json from "../../internal/json.ts"
import * as Text from "../../internal/text.ts"
import type * as SubscribeEvent from "../../pubnub/SubscribeEvent.ts"
import * as Timetoken from "../../pubnub/Timetoken.ts"

/** The line of an event. A status has no time of its own and gets `now`; in colour, it is dimmed. */
export const format = (
  event: SubscribeEvent.SubscribeEvent,
  options: { readonly now: DateTime.DateTime; readonly color: boolean }
): string => {
  const timetoken = "timetoken" in event ? event.timetoken : undefined
  const moment = timetoken === undefined ? options.now : Timetoken.toDateTime(timetoken)
  const channel = "channel" in event ? event.channel ?? "" : ""
  const line = Text.harmless([
    DateTime.formatIso(moment).slice(11),
    event._tag.padEnd(12),
    channel.padEnd(16),
    // Others write channels and payloads; they must not write to the terminal.
    detail(event)
  ].join("  ")).trimEnd()
  return timetoken === undefined && options.color ? `\u001b[2m${line}\u001b[22m` : line
}

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
