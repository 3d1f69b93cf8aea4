/**
 * Recognises events that were delivered. The same event may arrive twice: the service sends a page again, a channel is also in a
 * group, or history is read with an overlap.
 */
import { Generation, markOf } from "./generation.ts"

/** How many events a generation has. The newest two are remembered with their content: at least ten full pages. */
const perGeneration = 1_000

/** How many older generations are remembered by name alone. A busy reader gets as many events in the overlap of history. */
const byNameAlone = 10

/** The most such generations, while a gap is filled or a second reading is to come. */
const mostByNameAlone = 250

export interface Delivered {
  /** Admits an event once for each subscribed name (`by`). */
  readonly admit: (id: string, by: string, content: unknown) => Admitted
  /** Whether an event with this id is remembered. */
  readonly has: (id: string) => boolean
  /** All delivered events from this timetoken on are remembered. */
  readonly since: () => bigint
}

/** A unique name of the event, and whether it arrived before, by this subscribed name or by another. */
export interface Admitted {
  readonly _tag: "New" | "NewByName" | "Known"
  readonly name: string
}

/** The place of an event. */
interface Found {
  readonly among: Generation
  readonly index: number
}

/**
 * `needed` gives the timetoken from which on events must be recognised. Two events are the same if their ids and contents are
 * equal. Several events may share channel, timetoken and publisher (memberships set in one call). All but the first have a mark of
 * their content in their name. Contents are compared only if ids are equal, and only among the newest events. An id begins with
 * its timetoken.
 */
export const make = (needed: () => bigint | undefined = () => undefined): Delivered => {
  let current = new Generation()
  /** The newest last. */
  let older: ReadonlyArray<Generation> = []
  let youngest = ""
  let latestBy = ""
  let since = 0n

  const find = (name: string): Found | undefined => {
    const index = current.find(name)
    if (index !== undefined) return { among: current, index }
    for (const among of older.toReversed()) {
      const index = among.find(name)
      if (index !== undefined) return { among, index }
    }
    return undefined
  }

  const turn = () => {
    older.at(-1)?.forget()
    for (let [oldest] = older; oldest !== undefined && older.length > byNameAlone; [oldest] = older) {
      const last = oldest.nameAt(oldest.size - 1).match(/^\d{17}/)
      const next = last === null ? 0n : BigInt(last[0]) + 1n
      if (older.length <= mostByNameAlone && next > (needed() ?? next)) break
      if (next > since) since = next
      older = older.slice(1)
    }
    current.pack()
    older = [...older, current]
    current = new Generation()
  }

  return {
    admit: (id, by, content) => {
      let name = id
      // No older event has a later id, so most events need no search.
      const first = id > youngest ? undefined : find(id)
      if (id > youngest) youngest = id
      if (first !== undefined) {
        if (first.among.isSame(first.index, content)) return known(first, id, by)
        first.among.note(first.index)
        name = `${id}#${markOf(content)}`
        const sibling = find(name)
        if (sibling !== undefined) return known(sibling, name, by)
      }
      if (current.size === perGeneration) turn()
      // Each envelope has its own copy of the same text. One of them is enough.
      if (by !== latestBy) latestBy = by
      current.add(name, latestBy, content)
      return { _tag: "New", name }
    },
    has: (id) => find(id) !== undefined,
    since: () => since
  }
}

const known = ({ among, index }: Found, name: string, by: string): Admitted => ({
  _tag: among.addName(index, by) ? "NewByName" : "Known",
  name
})
