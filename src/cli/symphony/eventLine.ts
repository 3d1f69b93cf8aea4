/**
 * An event of the datafeed as one line of text: time (UTC), kind, stream, content.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Json from "../../internal/json.ts"
import type * as DatafeedEvent from "../../symphony/DatafeedEvent.ts"
import { nameOf, textOf } from "./messages.ts"

/** The line of an event. A status has no time of its own: it gets `now`. */
export const format = (event: DatafeedEvent.DatafeedEvent, now: DateTime.DateTime): Effect.Effect<string> =>
  Effect.map(detail(event), (detail) => {
    const moment = "timestamp" in event ? event.timestamp ?? now : now
    return [DateTime.formatIso(moment).slice(11), event._tag.padEnd(16), where(event), detail]
      .filter((part) => part !== "").join("  ").trimEnd()
  })

/** Whether an event reports on the datafeed itself. */
export const isStatus = ({ _tag }: DatafeedEvent.DatafeedEvent): boolean => _tag.startsWith("Feed")

const where = (event: DatafeedEvent.DatafeedEvent): string => {
  const stream = "message" in event ? event.message.stream : "stream" in event ? event.stream : undefined
  return stream?.roomName ?? stream?.streamId ?? ""
}

const detail = (event: DatafeedEvent.DatafeedEvent): Effect.Effect<string> => {
  switch (event._tag) {
    case "MessageSent":
    case "SharedPost":
      return Effect.map(
        textOf(event.message),
        (text) => `${nameOf(event.message.user ?? event.initiator)}: ${text}  ${event.message.messageId}`
      )
    default:
      return Effect.succeed(brief(event))
  }
}

const brief = (event: Exclude<DatafeedEvent.DatafeedEvent, { readonly message: unknown }>): string => {
  switch (event._tag) {
    case "MessageSuppressed":
      return event.messageId ?? "?"
    case "UserJoinedRoom":
    case "UserLeftRoom":
    case "RoomMemberPromotedToOwner":
    case "RoomMemberDemotedFromOwner":
      return nameOf(event.affectedUser)
    case "ElementsAction":
      return `${nameOf(event.initiator)}: ${event.formId ?? "?"} ${Json.text(event.formValues)}`
    case "GenericSystemEvent":
      return `${event.sourceSystem ?? "?"}: ${event.eventSubtype ?? "?"} ${Json.text(event.parameters)}`
    case "UnknownEvent":
      return `${event.kind}: ${Json.text(event.raw)}`
    case "UndecodableEvent":
      return `${event.issue}: ${Json.text(event.raw)}`
    case "FeedConnected":
      return event.created ? `${event.feedId}, new` : event.feedId
    case "FeedInterrupted":
      return `${event.reason.message} Attempt ${event.attempt}; again in ${Duration.format(event.retryIn)}`
    case "FeedReconnected":
      return `after ${Duration.format(event.downFor)}`
    case "FeedShared":
      return `${event.feedId} has another reader: the two share its events`
    case "FeedRecreated":
      return `events may be lost: ${event.reason.message}`
    default:
      return nameOf(event.initiator)
  }
}
