/**
 * Where an event stands, and by what it is known: the same as its envelope says, for events that are on their way to a reader.
 */
import type { Cursor } from "../../../Cursor.ts"
import * as ChannelName from "../../ChannelName.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import { Timetoken } from "../../Timetoken.ts"

const statusTags: { readonly [K in SubscribeStatus.Status["_tag"]]: true } = {
  Connected: true,
  ChannelsChanged: true,
  Interrupted: true,
  Reconnected: true,
  Disconnected: true,
  Gap: true,
  GapSuspected: true,
  CursorDoubted: true
}

export const isStatus = (event: { readonly _tag: string }): event is SubscribeStatus.Status =>
  Object.hasOwn(statusTags, event._tag)

export const cursorOf = (event: SubscribeEvent.SubscribeEvent<unknown> | undefined): Cursor | undefined =>
  event !== undefined && "cursor" in event ? event.cursor : undefined

export const placeOf = (
  event: SubscribeEvent.SubscribeEvent
): { readonly channel: string; readonly timetoken: string } | undefined =>
  "timetoken" in event && event.timetoken !== undefined && event.channel !== undefined
    ? { channel: event.channel, timetoken: event.timetoken }
    : undefined

/** The subscribed name that an event came by. One that cannot be read may not say. */
export const subscriptionOf = (event: SubscribeEvent.Received): string | undefined => {
  if (!("subscription" in event)) return undefined
  return isPresence(event) ? ChannelName.presenceOf(event.subscription) : event.subscription
}

/** The same as the id of its envelope. */
export const idOf = (event: SubscribeEvent.SubscribeEvent): string | undefined => {
  const place = placeOf(event)
  if (place === undefined) return undefined
  const channel = isPresence(event) ? ChannelName.presenceOf(place.channel) : place.channel
  const publisher = "publisher" in event ? event.publisher ?? "" : ""
  return `${place.timetoken}/${channel}/${publisher}`
}

/** What an event says, however it came. */
export const contentOf = (event: SubscribeEvent.Received): unknown => ({
  ...event,
  cursor: undefined,
  subscription: undefined,
  region: undefined
})

export const kindOf = (event: SubscribeEvent.Received): SubscribeStatus.Kind | undefined => {
  switch (event._tag) {
    case "Message":
    case "Signal":
      return event._tag
    case "FileShared":
      return "File"
    case "MessageActionAdded":
    case "MessageActionRemoved":
      return "MessageAction"
    case "Undecodable":
    case "Unknown":
      return undefined
    default:
      return isPresence(event) ? "Presence" : "AppContext"
  }
}

const isPresence = (event: SubscribeEvent.SubscribeEvent): boolean => {
  switch (event._tag) {
    case "Joined":
    case "Left":
    case "TimedOut":
    case "StateChanged":
    case "Interval":
      return true
    default:
      return false
  }
}

export const after = (timetoken: string): string => String(BigInt(timetoken) + 1n)

export const before = (timetoken: string): string => String(BigInt(timetoken) - 1n)

/** The bounds of a gap: of events that are newer than `from`, and not newer than `to`. */
export const range = (from: string, to: string): Pick<SubscribeStatus.Gap, "since" | "before"> => ({
  since: behind(from),
  before: behind(to)
})

const behind = (timetoken: string): Timetoken => {
  const next = BigInt(timetoken) + 1n
  // What the service sends may be so old or so new that one more has not 17 digits.
  return Timetoken.make(String(next < first ? first : next > last ? last : next))
}

const first = 10n ** 16n
const last = 10n ** 17n - 1n

export const older = <A extends Cursor | undefined>(one: A, other: Cursor): A | Cursor =>
  one !== undefined && one.position <= other.position ? one : other

export const newer = (one: Cursor, other: Cursor): Cursor => one.position >= other.position ? one : other

const aMinute = 600_000_000n

/** Behind the first timetoken of 17 digits. */
const earliest = "10000000000000001"

/** A position that the service has not reached, and will not within the time by which two of its regions differ. */
export const isAhead = ({ position }: Cursor, now: string): boolean => BigInt(position) - BigInt(now) > aMinute

/** A cursor that says nothing of what is later than now: its reader would be deaf until then. */
export const notAfter = (cursor: Cursor, now: Cursor): Cursor => {
  const { recent, ...place } = isAhead(cursor, now.position) ? { ...cursor, position: now.position } : cursor
  if (recent === undefined) return place
  // Timetokens are compared as text.
  const begun = recent.since.length < earliest.length ? earliest : recent.since
  const latest = after(now.position)
  const sums = recent.sums?.filter(([to]) => to <= latest)
  const since = begun < latest ? begun : latest
  return { ...place, recent: { ...recent, since, ...sums === undefined ? {} : { sums } } }
}
