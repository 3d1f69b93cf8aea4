/**
 * What a reader already had: the same message can come twice (a page is sent again, a channel is also in a group) and
 * must be delivered once.
 */
import type * as Schema from "effect/Schema"

// Ten full pages.
const window = 1000

export interface Delivered {
  /** The name by which this one is told apart from all others, and whether it is new. */
  readonly admit: (id: string, content: Schema.Json) => { readonly name: string; readonly isNew: boolean }
}

/**
 * Two are the same when their id is, and their content: where several things share channel, timetoken and publisher
 * (memberships set in one call), they get a number. At least the newest thousand are remembered, and at most two. Content
 * is compared only when ids are equal.
 */
export const make = (): Delivered => {
  let newer = new Map<string, Schema.Json>()
  let older = new Map<string, Schema.Json>()
  return {
    admit: (id, content) => {
      let name = id
      for (let number = 1;; number++) {
        const had = newer.has(name) ? newer : older.has(name) ? older : undefined
        if (had === undefined) break
        if (same(had.get(name), content)) return { name, isNew: false }
        name = `${id}#${number}`
      }
      // Turning two maps costs nothing a message; taking the oldest out of one does.
      if (newer.size === window) {
        older = newer
        newer = new Map()
      }
      newer.set(name, content)
      return { name, isNew: true }
    }
  }
}

const same = (a: Schema.Json | undefined, b: Schema.Json): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)
