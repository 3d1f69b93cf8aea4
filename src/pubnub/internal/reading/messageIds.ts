/**
 * Ids in `meta`, by which a second copy of a message is known: a publisher that sends again writes them, readers look.
 */
import type * as SubscribeEvent from "../../SubscribeEvent.ts"

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

const nameOf = (event: SubscribeEvent.Message): string | undefined => {
  const id = idOf(event.meta)
  return id === undefined ? undefined : JSON.stringify([event.channel, event.publisher, id])
}

/** The ids that one reader had. */
export class Copies {
  private readonly seen = new Set<string>()

  /** Whether the id of this message came before, on the same channel from the same publisher. */
  admit(event: SubscribeEvent.Message): boolean {
    const name = nameOf(event)
    if (name === undefined) return true
    if (this.seen.has(name)) return false
    this.seen.add(name)
    const [oldest] = this.seen
    if (this.seen.size > remembered && oldest !== undefined) this.seen.delete(oldest)
    return true
  }
}
