/**
 * Ids in `meta`, by which a second copy of a message is known: a publisher that sends again writes them, readers look.
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import type * as Event from "../Event.ts"

/** Where in `meta` the id is. */
export const key = "heraldId"

/** The id that metadata holds. */
export const idOf = (meta: unknown): string | undefined => {
  if (typeof meta !== "object" || meta === null || !(key in meta)) return undefined
  const id = meta[key]
  return typeof id === "string" && id !== "" ? id : undefined
}

/** A copy comes soon after the first one: while its publisher sends it again. */
const remembered = 10_000

const nameOf = (event: Event.SubscribeEvent): string | undefined => {
  const id = event._tag === "Message" ? idOf(event.meta) : undefined
  return event._tag !== "Message" || id === undefined ? undefined : JSON.stringify([event.channel, event.publisher, id])
}

/** Leaves out messages whose id came before, on the same channel from the same publisher. */
export const withoutCopies = <E, R>(
  stream: Stream.Stream<Event.SubscribeEvent, E, R>
): Stream.Stream<Event.SubscribeEvent, E, R> =>
  Stream.transformPull(stream, (pull) => {
    const seen = new Set<string>()
    const isCopy = (event: Event.SubscribeEvent): boolean => {
      const name = nameOf(event)
      if (name === undefined) return false
      if (seen.has(name)) return true
      seen.add(name)
      const [oldest] = seen
      if (seen.size > remembered && oldest !== undefined) seen.delete(oldest)
      return false
    }
    const next: Pull.Pull<Arr.NonEmptyReadonlyArray<Event.SubscribeEvent>, E, void> = Effect.flatMap(pull, (events) => {
      const kept: Array<Event.SubscribeEvent> = []
      for (const event of events) {
        const last = kept.at(-1)
        if (!isCopy(event)) kept.push(event)
        // Who stops here goes on behind the copy: another reader would not know it for one.
        else if (last !== undefined && "cursor" in last && "cursor" in event && event.cursor !== undefined) {
          kept[kept.length - 1] = { ...last, cursor: event.cursor }
        }
      }
      return Arr.isReadonlyArrayNonEmpty(kept) ? Effect.succeed(kept) : next
    })
    return Effect.succeed(next)
  })
