import type { SubscribeEvent } from "effect-herald/pubnub"

/** The payloads of the messages among the events. */
export const payloads = (events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) =>
  events.flatMap((event) => event._tag === "Message" ? [event.payload] : [])

/** The tags of the events, in order. */
export const tags = (events: ReadonlyArray<{ readonly _tag: string }>) => events.map(({ _tag }) => _tag)
