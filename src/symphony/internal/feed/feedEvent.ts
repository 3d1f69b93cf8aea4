/**
 * Reads the events of the datafeed one by one: an event that cannot be read does not affect the others.
 */
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Types from "effect/Types"
import * as Codec from "../../../internal/codec.ts"
import * as Usual from "../../../internal/usual.ts"
import * as DatafeedEvent from "../../DatafeedEvent.ts"
import { PostedMessage, User } from "../../PostedMessage.ts"
import * as Lenient from "../wire/lenient.ts"
import * as Sharing from "./sharing.ts"

/** The types of events on the wire, our tags for them, and the properties with their payloads. */
const kinds = new Map<string, readonly [tag: DatafeedEvent.Event["_tag"], property: string]>([
  ["MESSAGESENT", ["MessageSent", "messageSent"]],
  ["SHAREDPOST", ["SharedPost", "sharedPost"]],
  ["INSTANTMESSAGECREATED", ["InstantMessageCreated", "instantMessageCreated"]],
  ["ROOMCREATED", ["RoomCreated", "roomCreated"]],
  ["ROOMUPDATED", ["RoomUpdated", "roomUpdated"]],
  ["ROOMDEACTIVATED", ["RoomDeactivated", "roomDeactivated"]],
  ["ROOMREACTIVATED", ["RoomReactivated", "roomReactivated"]],
  ["USERJOINEDROOM", ["UserJoinedRoom", "userJoinedRoom"]],
  ["USERLEFTROOM", ["UserLeftRoom", "userLeftRoom"]],
  ["USERREQUESTEDTOJOINROOM", ["UserRequestedToJoinRoom", "userRequestedToJoinRoom"]],
  ["ROOMMEMBERPROMOTEDTOOWNER", ["RoomMemberPromotedToOwner", "roomMemberPromotedToOwner"]],
  ["ROOMMEMBERDEMOTEDFROMOWNER", ["RoomMemberDemotedFromOwner", "roomMemberDemotedFromOwner"]],
  ["CONNECTIONREQUESTED", ["ConnectionRequested", "connectionRequested"]],
  ["CONNECTIONACCEPTED", ["ConnectionAccepted", "connectionAccepted"]],
  ["MESSAGESUPPRESSED", ["MessageSuppressed", "messageSuppressed"]],
  ["SYMPHONYELEMENTSACTION", ["ElementsAction", "symphonyElementsAction"]],
  ["GENERICSYSTEMEVENT", ["GenericSystemEvent", "genericSystemEvent"]]
])

const Fields = Schema.Record(Schema.String, Usual.Parsed)

export const Envelope = Schema.Struct({
  id: Lenient.optional(Schema.String),
  type: Schema.NonEmptyString,
  timestamp: Lenient.optional(Lenient.Instant),
  messageId: Lenient.optional(Schema.String),
  diagnostic: Lenient.optional(Schema.String),
  initiator: Lenient.optional(Schema.Struct({ user: Lenient.optional(User) })),
  payload: Lenient.optional(Fields)
})
const decodeEnvelope = Codec.decodeResult(Envelope)
const decodeEvent = Codec.decodeResult(DatafeedEvent.Event)

export type Read = DatafeedEvent.Event | DatafeedEvent.UnknownEvent | DatafeedEvent.UndecodableEvent

/** What an event of any kind says. */
interface Happening extends Omit<typeof Envelope.Type, "type" | "initiator" | "payload"> {
  readonly initiator?: User
}

const happeningOf = ({ diagnostic, id, initiator, messageId, timestamp }: typeof Envelope.Type): Happening => {
  const happening: Types.Mutable<Happening> = {}
  // Assigns what may be absent: to spread it takes three times as long, for each event.
  if (id !== undefined) happening.id = id
  if (timestamp !== undefined) happening.timestamp = timestamp
  if (messageId !== undefined) happening.messageId = messageId
  if (diagnostic !== undefined) happening.diagnostic = diagnostic
  if (initiator?.user !== undefined) happening.initiator = initiator.user
  return happening
}

const decodeMessage = Codec.decodeResult(PostedMessage)
const decodeId = Codec.decodeResult(Lenient.Id)

/** The usual event: a message and nothing else. So no field of the envelope is read twice. Undefined if it is another event. */
const messageSent = (
  happening: Happening,
  content: { readonly [key: string]: Schema.Json }
): DatafeedEvent.MessageSent | undefined => {
  if (Object.keys(content).length > 1) return undefined
  const message = decodeMessage(content.message)
  if (Result.isFailure(message)) return undefined
  const event: Types.Mutable<DatafeedEvent.MessageSent> = {
    ...happening,
    _tag: "MessageSent",
    message: message.success
  }
  if (event.messageId === undefined) return event
  const id = decodeId(event.messageId)
  if (Result.isFailure(id)) return undefined
  event.messageId = id.success
  return event
}

/** Reads an event. Never fails: input that cannot be read becomes an `UndecodableEvent`. */
export const read = (raw: Schema.Json): Read => {
  const envelope = decodeEnvelope(raw)
  if (Result.isFailure(envelope)) return { _tag: "UndecodableEvent", issue: envelope.failure, raw }
  const { payload, type } = envelope.success
  const happening = happeningOf(envelope.success)
  const kind = kinds.get(type)
  if (kind === undefined) return { _tag: "UnknownEvent", ...happening, kind: type, raw }
  const [_tag, property] = kind
  const content = payload?.[property]
  const undecodable = (issue: string): Read => ({ _tag: "UndecodableEvent", ...happening, issue, raw })
  // Leaving a part out of an event would be a silent loss.
  if (isFields(content) && !Object.values(content).every(Sharing.isWhole)) {
    return undecodable("it shares more messages within each other than can be read")
  }
  const usual = _tag === "MessageSent" && isFields(content) ? messageSent(happening, content) : undefined
  return usual ?? Result.getOrElse(
    // The common fields were decoded leniently. They are passed on in the form that the codec reads.
    decodeEvent({
      ...isFields(raw) ? raw : {},
      initiator: happening.initiator,
      // A null in the payload does not hide a field of the event.
      ...isFields(content) ? Record.filter(content, Predicate.isNotNull) : {},
      _tag
    }),
    undecodable
  )
}

const isFields = (json: Schema.Json | undefined): json is { readonly [key: string]: Schema.Json } =>
  Predicate.isObject(json)
