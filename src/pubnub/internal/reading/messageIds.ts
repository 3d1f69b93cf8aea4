/**
 * Message ids in `meta`. A publisher that may send a message twice writes them, and readers drop the second copy.
 */
import type * as SubscribeEvent from "../../SubscribeEvent.ts"

/** The key of the id in `meta`. */
export const key = "heraldId"

/** The id in metadata. */
export const idOf = (meta: unknown): string | undefined => {
  if (typeof meta !== "object" || meta === null || !(key in meta)) return undefined
  const id = meta[key]
  return typeof id === "string" && id !== "" ? id : undefined
}

/** How many ids are remembered. A copy comes soon after the first message: its publisher retries. */
const remembered = 10_000

/** How many characters are remembered. Ten thousand usual ids need fewer, but anybody may publish ids of 30 kB. */
const mostCharacters = 2_000_000

const nameOf = (event: SubscribeEvent.Message): string | undefined => {
  const id = idOf(event.meta)
  return id === undefined ? undefined : JSON.stringify([event.channel, event.publisher, id])
}

/** The ids of the messages that one reader got. */
export class Copies {
  private readonly seen = new Set<string>()
  private characters = 0

  /** Whether a message is the first one with its id, on its channel and from its publisher. Always true without an id. */
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
