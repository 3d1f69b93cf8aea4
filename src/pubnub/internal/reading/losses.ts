/**
 * What a reader does not take, told in few words: what is alike is one loss.
 */
import type * as Event from "../../Event.ts"
import type * as Status from "../../Status.ts"
import { before, placeOf } from "./place.ts"

export type Loss = Status.Gap | Status.GapSuspected

export type Losses = Map<string, Loss>

export const add = (losses: Losses, loss: Loss): void => {
  const name = loss._tag === "Gap"
    ? `${loss.reason} ${loss.kinds?.join(" ") ?? ""} ${loss.channel}`
    : loss.reason
  const had = losses.get(name)
  losses.set(
    name,
    had === undefined
      ? loss
      : { ...loss, from: had.from < loss.from ? had.from : loss.from, to: had.to > loss.to ? had.to : loss.to }
  )
}

/** An event for which there was no room. */
export const lose = (losses: Losses, event: Event.SubscribeEvent): void => {
  const place = placeOf(event)
  if (place === undefined) return
  const { channel, timetoken } = place
  add(losses, { _tag: "Gap", channel, from: before(timetoken), to: timetoken, reason: "InboxOverflow" })
}
