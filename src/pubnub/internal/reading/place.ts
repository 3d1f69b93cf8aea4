/**
 * The timetoken, the channel and the id of an event, and comparisons of cursors. They are the same as those of its envelope.
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

/** The subscribed name by which an event arrived. Undefined if it cannot be decoded and does not say. */
export const subscriptionOf = (event: SubscribeEvent.Received): string | undefined => {
  if (!("subscription" in event) || event.subscription === undefined) return undefined
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

/** The content of an event: all of it that does not depend on how it arrived. */
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
      // Of what is encrypted, history has each message.
      return event.reason === undefined ? undefined : "Message"
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

/** The text of a timetoken. It has 17 digits always: timetokens are compared as text, and a cursor may begin at the first one. */
export const textOf = (ticks: bigint): string => String(ticks < 0n ? 0n : ticks).padStart(17, "0")

export const after = (timetoken: string): string => textOf(BigInt(timetoken) + 1n)

export const before = (timetoken: string): string => textOf(BigInt(timetoken) - 1n)

/** The bounds of a gap that begins after `from` and ends with `to`. */
export const range = (from: string, to: string): Pick<SubscribeStatus.Gap, "since" | "before"> => ({
  since: behind(from),
  before: behind(to)
})

const behind = (timetoken: string): Timetoken => {
  const next = BigInt(timetoken) + 1n
  // A timetoken has 17 digits. One tick after an extreme position of the service would have others.
  return Timetoken.make(String(next < first ? first : next > last ? last : next))
}

const first = 10n ** 16n
const last = 10n ** 17n - 1n

export const older = <A extends Cursor | undefined>(one: A, other: Cursor): A | Cursor =>
  one !== undefined && one.position <= other.position ? one : other

export const newer = (one: Cursor, other: Cursor): Cursor => one.position >= other.position ? one : other

const aMinute = 600_000_000n

/** One tick after the first timetoken of 17 digits. */
const earliest = "10000000000000001"

/** Whether a position is ahead of the service's time by more than two regions differ. */
export const isAhead = ({ position }: Cursor, now: string): boolean => BigInt(position) - BigInt(now) > aMinute

/** Limits a cursor to the present. From a later position or start a reader would get no events until then. */
export const notAfter = (cursor: Cursor, now: Cursor): Cursor => {
  const { recent, ...place } = isAhead(cursor, now.position) ? { ...cursor, position: now.position } : cursor
  if (recent === undefined) return place
  // Timetokens are compared as text, so all must have 17 digits.
  const begun = recent.since.length < earliest.length ? earliest : recent.since
  const latest = after(now.position)
  const sums = recent.sums?.filter(([to]) => to <= latest)
  const since = begun < latest ? begun : latest
  return { ...place, recent: { ...recent, since, ...sums === undefined ? {} : { sums } } }
}
