/**
 * What was delivered: the same thing can come twice (a page is sent again, a channel is also in a group, history is read
 * with an overlap) and must be delivered once.
 */
import * as Json from "../../../internal/json.ts"
import * as Marks from "./marks.ts"

/** So many events have a generation. Those of the newest two are remembered with their content: ten full pages, at least. */
const generation = 1_000

/** So many generations more are remembered by name alone: what a busy reader gets in the overlap of history. */
const byNameAlone = 10

/** So many at most, while a gap is filled or something is to be read for the second time. */
const mostByNameAlone = 250

export interface Delivered {
  /** What came by this subscribed name (`by`) is admitted once. */
  readonly admit: (id: string, by: string, content: unknown) => Admitted
  /** From this timetoken on, everything that was delivered is remembered. */
  readonly since: () => bigint
}

/** The name by which this one is told apart from all others, and whether it came before, by this name or by another. */
export interface Admitted {
  readonly _tag: "New" | "NewByName" | "Known"
  readonly name: string
}

interface Entry {
  content: unknown
  /** Not remembered any more. */
  isForgotten: boolean
  /** The subscribed names it came by: most come by one. */
  by: string | Set<string>
  /** The mark of its content, once there was another one with its id. */
  mark: string | undefined
}

type Generation = Map<string, Entry>

/**
 * `needed` says from which timetoken on events must be known again. Two are the same when their id is, and their content: where several things share channel, timetoken and publisher
 * (memberships set in one call), all but the first are told apart by a mark of their content. Content is compared only
 * when ids are equal, and only among the newest. Ids begin with their timetoken.
 */
export const make = (needed: () => bigint | undefined = () => undefined): Delivered => {
  let current: Generation = new Map()
  /** The newest last. */
  let older: ReadonlyArray<Generation> = []
  let youngest = ""
  let since = 0n

  const find = (name: string): Entry | undefined => {
    const entry = current.get(name)
    if (entry !== undefined) return entry
    for (let index = older.length - 1; index >= 0; index--) {
      const entry = older[index]?.get(name)
      if (entry !== undefined) return entry
    }
    return undefined
  }

  const turn = () => {
    const previous = older.at(-1)
    if (previous !== undefined) {
      for (const entry of previous.values()) {
        entry.content = undefined
        entry.isForgotten = true
      }
    }
    for (let [oldest] = older; oldest !== undefined && older.length > byNameAlone; [oldest] = older) {
      const last = [...oldest.keys()].reduce((one, other) => one > other ? one : other).match(/^\d{17}/)
      const next = last === null ? 0n : BigInt(last[0]) + 1n
      if (older.length <= mostByNameAlone && next > (needed() ?? next)) break
      if (next > since) since = next
      older = older.slice(1)
    }
    older = [...older, current]
    current = new Map()
  }

  return {
    admit: (id, by, content) => {
      let name = id
      // Nothing that is as young was had: most need not be looked for.
      const first = id > youngest ? undefined : find(id)
      if (id > youngest) youngest = id
      if (first !== undefined) {
        if (isSame(first, content)) return known(first, id, by)
        first.mark ??= markOf(first.content)
        name = `${id}#${markOf(content)}`
        const sibling = find(name)
        if (sibling !== undefined) return known(sibling, name, by)
      }
      if (current.size === generation) turn()
      current.set(name, { content, isForgotten: false, by, mark: undefined })
      return { _tag: "New", name }
    },
    since: () => since
  }
}

const markOf = (content: unknown): string => Marks.of(Json.text(content))

/** Of one whose content is forgotten only its mark can be compared, if others had its id. */
const isSame = ({ content, isForgotten, mark }: Entry, other: unknown): boolean =>
  isForgotten ? mark === undefined || mark === markOf(other) : Json.equal(content, other)

const known = (entry: Entry, name: string, by: string): Admitted => ({
  _tag: addName(entry, by) ? "NewByName" : "Known",
  name
})

/** Whether it came by this name for the first time. */
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
