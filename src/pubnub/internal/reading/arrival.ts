/**
 * One envelope, from a poll or from history. It is decoded once for all readers.
 */
import type * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type * as Encryption from "../../Encryption.ts"
import * as ChannelName from "../../ChannelName.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import { opening } from "../wire/encryption.ts"
import * as Envelope from "../wire/envelope.ts"
import { covers, type Names } from "./names.ts"

export interface Arrival {
  readonly raw: Schema.Json
  /** Undefined if the envelope cannot be decoded; `issue` says why. */
  readonly envelope: Envelope.Envelope | undefined
  readonly issue: string
  /** Recognises duplicates. Undefined if the envelope lacks a timetoken. */
  readonly id: string | undefined
  /** When it was published. History has it under the same timetoken. */
  readonly timetoken: string | undefined
  /** The subscribed name by which it arrived. Undefined if the envelope does not say. */
  readonly by: string | undefined
  /** What the payload was. Absent without encryption. The envelope stays as it came, so that copies of it are equal. */
  readonly opened?: Encryption.Opened
}

export const read = (raw: Schema.Json): Arrival => {
  const decoded = Envelope.decode(raw)
  if (Result.isFailure(decoded)) {
    const id = Envelope.idOfRaw(raw)
    return { raw, envelope: undefined, issue: decoded.failure, id, timetoken: id?.slice(0, 17), by: undefined }
  }
  const envelope = decoded.success
  const name = Envelope.nameOf(envelope)
  // A presence event may name the wildcard itself. It goes to readers of the wildcard's presence name.
  const by = ChannelName.isPresence(envelope.c) ? ChannelName.presenceOf(ChannelName.withoutPresence(name)) : name
  return { raw, envelope, issue: "", id: Envelope.idOf(envelope), timetoken: envelope.p.t, by }
}

/**
 * The same by a name that somebody subscribed to: by its channel if nobody has the name that its envelope says, and by a wildcard or
 * the only group if the envelope says none. If it may have come by one of several groups, no reader can be chosen: it is undecodable.
 */
export const byKnownName = (arrival: Arrival, isKnown: (name: string) => boolean, names: () => Names): Arrival => {
  const { by, envelope } = arrival
  if (envelope === undefined || by === undefined || isKnown(by)) return arrival
  const { b, c } = envelope
  if (isKnown(c)) return by === c ? arrival : named(arrival, envelope, c)
  if (Envelope.given(b)) return arrival
  const isAlike = (name: string) => ChannelName.isPresence(name) === ChannelName.isPresence(c)
  const { channels, groups } = names()
  const wildcard = channels.find((name) => isAlike(name) && covers(`c ${name}`, c))
  const [group, ...others] = groups.filter(isAlike)
  const only = wildcard ?? (others.length === 0 ? group : undefined)
  if (only !== undefined) return named(arrival, envelope, only)
  return group === undefined ? arrival : { ...arrival, envelope: undefined, issue: unnamed, by: undefined }
}

const named = (arrival: Arrival, envelope: Envelope.Envelope, name: string): Arrival => ({
  ...arrival,
  envelope: { ...envelope, b: name },
  by: name
})

const unnamed = "it does not say by which subscription it came"

/** Decrypts the messages of a page. */
export const openAll = (
  encryption: Encryption.Encryption | undefined,
  arrivals: ReadonlyArray<Arrival>
): Effect.Effect<ReadonlyArray<Arrival>> =>
  opening(encryption, arrivals, sealedOf, (arrival, opened) => ({ ...arrival, opened }))

/** The payload of a message or a file: no other event is encrypted. */
export const sealedOf = ({ envelope }: Arrival): Schema.Json | undefined =>
  envelope !== undefined && isStored(envelope) ? envelope.d : undefined

/** Its timetoken as a number. */
export const timetokenOf = ({ timetoken }: Arrival): bigint | undefined =>
  timetoken === undefined ? undefined : BigInt(timetoken)

/** The kind of an envelope. Undefined for an unknown kind. */
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

/** Whether history may hold it. */
export const isStored = (envelope: Envelope.Envelope): boolean => {
  const kind = kindOf(envelope)
  return kind === "Message" || kind === "File"
}
