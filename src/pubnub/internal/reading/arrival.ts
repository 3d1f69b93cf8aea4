/**
 * One thing that came, from the live service or from history: its envelope is read once, whoever hears it.
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as ChannelName from "../../ChannelName.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import * as Envelope from "../wire/envelope.ts"

export interface Arrival {
  readonly raw: Schema.Json
  /** What is wrong with it is told, where it cannot be read. */
  readonly envelope: Envelope.Envelope | undefined
  readonly issue: string
  /** By what it is known to be the same, where it says that much. */
  readonly id: string | undefined
  /** The subscribed name it came by; none if it does not say. */
  readonly by: string | undefined
}

export const read = (raw: Schema.Json): Arrival => {
  const decoded = Envelope.decode(raw)
  if (Result.isFailure(decoded)) {
    return { raw, envelope: undefined, issue: decoded.failure, id: Envelope.idOfRaw(raw), by: undefined }
  }
  const envelope = decoded.success
  const name = Envelope.nameOf(envelope)
  // A presence event may come with the plain name of the wildcard: it is heard by the presence name.
  const by = ChannelName.isPresence(envelope.c) ? ChannelName.presenceOf(ChannelName.withoutPresence(name)) : name
  return { raw, envelope, issue: "", id: Envelope.idOf(envelope), by }
}

/** When it was published; history knows it by that. */
export const timetokenOf = ({ id }: Arrival): bigint | undefined => {
  const timetoken = id?.match(/^\d{17}(?=\/)/)?.[0]
  return timetoken === undefined ? undefined : BigInt(timetoken)
}

/** What kind of thing an envelope holds. Unknown kinds have none. */
export const kindOf = ({ c, e }: Envelope.Envelope): SubscribeStatus.Kind | undefined => {
  switch (e ?? 0) {
    case 0:
      return ChannelName.isPresence(c) ? "Presence" : "Message"
    case 1:
      return "Signal"
    case 2:
      return "AppContext"
    case 3:
      return "MessageAction"
    case 4:
      return "File"
    default:
      return undefined
  }
}

/** Whether history may have it. */
export const isStored = (envelope: Envelope.Envelope): boolean => {
  const kind = kindOf(envelope)
  return kind === "Message" || kind === "File"
}
