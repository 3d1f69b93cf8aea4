/**
 * Recognises events that were delivered. The same event may arrive twice: the service sends a page again, a channel is also in a
 * group, or history is read with an overlap.
 */
import * as Json from "../../../internal/json.ts"
import * as Marks from "./marks.ts"

/** How many events a generation has. The newest two are remembered with their content: at least ten full pages. */
const generation = 1_000

/** How many older generations are remembered by name alone. A busy reader gets as many events in the overlap of history. */
const byNameAlone = 10

/** The most such generations, while a gap is filled or a second reading is to come. */
const mostByNameAlone = 250

export interface Delivered {
  /** Admits an event once for each subscribed name (`by`). */
  readonly admit: (id: string, by: string, content: unknown) => Admitted
  /** All delivered events from this timetoken on are remembered. */
  readonly since: () => bigint
}

/** A unique name of the event, and whether it arrived before, by this subscribed name or by another. */
export interface Admitted {
  readonly _tag: "New" | "NewByName" | "Known"
  readonly name: string
}

interface Entry {
  readonly name: string
  content: unknown
  /** Whether the content was forgotten. */
  isForgotten: boolean
  /** The subscribed names by which it arrived: mostly one. */
  by: string | Set<string>
  /** The mark of its content, after another event with its id arrived. */
  mark: string | undefined
}

/** Sorted by their names. Nearly all come in this order, so a map would cost more. */
type Generation = Array<Entry>

/**
 * `needed` gives the timetoken from which on events must be recognised. Two events are the same if their ids and contents are
 * equal. Several events may share channel, timetoken and publisher (memberships set in one call). All but the first have a mark of
 * their content in their name. Contents are compared only if ids are equal, and only among the newest events. An id begins with
 * its timetoken.
 */
export const make = (needed: () => bigint | undefined = () => undefined): Delivered => {
  let current: Generation = []
  /** The newest last. */
  let older: ReadonlyArray<Generation> = []
  let youngest = ""
  let since = 0n

  const find = (name: string): Entry | undefined => {
    const entry = entryOf(current, name)
    if (entry !== undefined) return entry
    for (let index = older.length - 1; index >= 0; index--) {
      const entry = entryOf(older[index], name)
      if (entry !== undefined) return entry
    }
    return undefined
  }

  const turn = () => {
    older.at(-1)?.forEach(forget)
    for (let [oldest] = older; oldest !== undefined && older.length > byNameAlone; [oldest] = older) {
      const last = oldest.at(-1)?.name.match(/^\d{17}/)
      const next = last === null || last === undefined ? 0n : BigInt(last[0]) + 1n
      if (older.length <= mostByNameAlone && next > (needed() ?? next)) break
      if (next > since) since = next
      older = older.slice(1)
    }
    older = [...older, current]
    current = []
  }

  return {
    admit: (id, by, content) => {
      let name = id
      // No older event has a later id, so most events need no search.
      const first = id > youngest ? undefined : find(id)
      if (id > youngest) youngest = id
      if (first !== undefined) {
        if (isSame(first, content)) return known(first, id, by)
        first.mark ??= markOf(first.content)
        name = `${id}#${markOf(content)}`
        const sibling = find(name)
        if (sibling !== undefined) return known(sibling, name, by)
      }
      if (current.length === generation) turn()
      insert(current, { name, content, isForgotten: false, by, mark: undefined })
      return { _tag: "New", name }
    },
    since: () => since
  }
}

/** The first index whose entry has no smaller name. */
const indexOf = (entries: Generation, name: string): number => {
  let from = 0
  let to = entries.length
  while (from < to) {
    const middle = (from + to) >>> 1
    const entry = entries[middle]
    if (entry !== undefined && entry.name < name) from = middle + 1
    else to = middle
  }
  return from
}

const entryOf = (entries: Generation = [], name: string): Entry | undefined => {
  const entry = entries[indexOf(entries, name)]
  return entry?.name === name ? entry : undefined
}

const insert = (entries: Generation, entry: Entry): void => {
  const last = entries.at(-1)
  if (last === undefined || last.name < entry.name) entries.push(entry)
  else entries.splice(indexOf(entries, entry.name), 0, entry)
}

const forget = (entry: Entry): void => {
  entry.content = undefined
  entry.isForgotten = true
}

const markOf = (content: unknown): string => Marks.of(Json.text(content))

/** Whether the content is the same. If it was forgotten, only the mark can differ, and only if other events had its id. */
const isSame = ({ content, isForgotten, mark }: Entry, other: unknown): boolean =>
  isForgotten ? mark === undefined || mark === markOf(other) : Json.equal(content, other)

const known = (entry: Entry, name: string, by: string): Admitted => ({
  _tag: addName(entry, by) ? "NewByName" : "Known",
  name
})

/** Adds a subscribed name. Says whether it is new. */
const addName = (entry: Entry, by: string): boolean => {
  if (entry.by === by) return false
  if (typeof entry.by === "string") {
    entry.by = new Set([entry.by, by])
    return true
  }
  if (entry.by.has(by)) return false
  entry.by.add(by)
  return true
}
