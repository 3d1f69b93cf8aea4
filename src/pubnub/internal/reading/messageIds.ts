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

/** Of long ids fewer are remembered: anybody may publish ids of 30 kB. Ten thousand usual ones need less than so many characters. */
const mostCharacters = 2_000_000

const nameOf = (event: SubscribeEvent.Message): string | undefined => {
  const id = idOf(event.meta)
  return id === undefined ? undefined : JSON.stringify([event.channel, event.publisher, id])
}

/** The ids that one reader had. */
export class Copies {
  private readonly seen = new Set<string>()
  private characters = 0

  /** Whether the id of this message came before, on the same channel from the same publisher. */
  admit(event: SubscribeEvent.Message): boolean {
    const name = nameOf(event)
    if (name === undefined) return true
    if (this.seen.has(name)) return false
    this.seen.add(name)
    this.characters += name.length
    for (const oldest of this.seen) {
      if (this.seen.size <= remembered && this.characters <= mostCharacters) break
      this.seen.delete(oldest)
      this.characters -= oldest.length
    }
    return true
  }
}
