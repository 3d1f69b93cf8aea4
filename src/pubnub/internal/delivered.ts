/**
 * What a reader already had: the same message can come twice (a page is sent again, a channel is also in a group, history
 * is read with an overlap) and must be delivered once.
 */
import * as Json from "../../internal/json.ts"

/** So many events have a generation. Those of the newest two are remembered with their content: ten full pages, at least. */
const generation = 1_000

/** So many generations more are remembered by name alone: what a busy reader gets in the overlap of history. */
const byName = 10

export interface Delivered {
  /** The name by which this one is told apart from all others, and whether it is new. */
  readonly admit: (id: string, content: unknown) => { readonly name: string; readonly isNew: boolean }
  /** From this timetoken on, everything that was delivered is remembered. */
  readonly since: () => bigint
}

interface Generation {
  /** Names, and where the content of each is. */
  readonly names: Map<string, number>
  contents: Array<unknown>
}

const empty = (): Generation => ({ names: new Map(), contents: [] })

/**
 * Two are the same when their id is, and their content: where several things share channel, timetoken and publisher
 * (memberships set in one call), they get a number. Content is compared only when ids are equal, and only among the
 * newest; names begin with their timetoken.
 */
export const make = (): Delivered => {
  let current = empty()
  /** The newest last. */
  let older: ReadonlyArray<Generation> = []
  let youngest = ""
  let since = 0n

  const find = (name: string) => current.names.has(name) ? current : older.findLast(({ names }) => names.has(name))

  const turn = () => {
    const [oldest] = older
    const previous = older.at(-1)
    if (previous !== undefined) previous.contents = []
    if (oldest !== undefined && older.length > byName) {
      const last = [...oldest.names.keys()].reduce((one, other) => one > other ? one : other).match(/^\d{17}/)
      if (last !== null) since = BigInt(last[0]) + 1n
      older = older.slice(1)
    }
    older = [...older, current]
    current = empty()
  }

  return {
    admit: (id, content) => {
      let name = id
      if (id > youngest) youngest = id
      // Nothing that is as young was had: most need not be looked for.
      else {
        for (let number = 1;; number++) {
          const had = find(name)
          const at = had?.names.get(name)
          if (had === undefined || at === undefined) break
          if (!(at in had.contents) || Json.equal(had.contents[at], content)) return { name, isNew: false }
          name = `${id}#${number}`
        }
      }
      if (current.names.size === generation) turn()
      current.names.set(name, current.contents.push(content) - 1)
      return { name, isNew: true }
    },
    since: () => since
  }
}
