/**
 * The losses that a reader reports. Losses of one channel and reason are one event.
 */
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import { before, isStatus, placeOf, range } from "./place.ts"

export type Loss = SubscribeStatus.Gap | SubscribeStatus.GapSuspected

export type Losses = Map<string, Loss>

/** The most losses with a channel of their own. A publisher may use any number of channels of a wildcard. */
const mostLosses = 1_000

export const add = (losses: Losses, loss: Loss): void => {
  const name = loss._tag === "Gap"
    ? `${loss.reason} ${loss.kinds?.join(" ") ?? ""} ${loss.channel}`
    : loss.reason
  const had = losses.get(name)
  if (had === undefined && loss._tag === "Gap" && losses.size >= mostLosses) {
    const { since } = loss
    return add(losses, { _tag: "GapSuspected", since, before: loss.before, reason: "LongBreak" })
  }
  losses.set(
    name,
    had === undefined
      ? loss
      : {
        ...loss,
        since: had.since < loss.since ? had.since : loss.since,
        before: had.before > loss.before ? had.before : loss.before
      }
  )
}

/** Adds a loss of unknown events. */
export const suspect = (losses: Losses, from: string, to: string): void =>
  add(losses, { _tag: "GapSuspected", ...range(from, to), reason: "LongBreak" })

/** Adds an event for which there was no room. */
export const lose = (losses: Losses, event: SubscribeEvent.SubscribeEvent): void => {
  if (isStatus(event)) return
  const place = placeOf(event)
  if (place === undefined) {
    const at = event.cursor?.position
    return at === undefined ? undefined : suspect(losses, before(at), at)
  }
  const { channel, timetoken } = place
  add(losses, { _tag: "Gap", channel, ...range(before(timetoken), timetoken), reason: "InboxOverflow" })
}
