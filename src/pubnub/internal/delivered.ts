/**
 * What a reader already had: the same message can come twice (a page is sent again, a channel is also in a group, history
 * is read with an overlap) and must be delivered once.
 */
/** So many events are remembered with their content, at least: ten full pages. */
const withContent = 1_000

/** So many more by their names alone: what a busy reader gets in the overlap with which history is read. */
const byName = 10_000

export interface Delivered {
  /** The name by which this one is told apart from all others, and whether it is new. */
  readonly admit: (id: string, content: unknown) => { readonly name: string; readonly isNew: boolean }
  /** From this timetoken on, everything that was delivered is remembered. */
  readonly since: () => bigint
}

/**
 * Two are the same when their id is, and their content: where several things share channel, timetoken and publisher
 * (memberships set in one call), they get a number. Content is compared only when ids are equal, and only among the
 * newest; names begin with their timetoken.
 */
export const make = (): Delivered => {
  let newer = new Map<string, unknown>()
  let older = new Map<string, unknown>()
  let names = new Set<string>()
  let olderNames = new Set<string>()
  let since = 0n

  const forget = (forgotten: ReadonlySet<string>) => {
    const youngest = [...forgotten].reduce((one, other) => one > other ? one : other, "").match(/^\d{17}/)
    if (youngest !== null) since = BigInt(youngest[0]) + 1n
  }

  return {
    admit: (id, content) => {
      let name = id
      for (let number = 1;; number++) {
        const had = newer.has(name) ? newer : older.has(name) ? older : undefined
        if (had === undefined) break
        if (same(had.get(name), content)) return { name, isNew: false }
        name = `${id}#${number}`
      }
      if (names.has(name) || olderNames.has(name)) return { name, isNew: false }
      // Turning two maps costs nothing a message; taking the oldest out of one does.
      if (newer.size === withContent) {
        for (const forgotten of older.keys()) names.add(forgotten)
        if (names.size >= byName) {
          forget(olderNames)
          olderNames = names
          names = new Set()
        }
        older = newer
        newer = new Map()
      }
      newer.set(name, content)
      return { name, isNew: true }
    },
    since: () => since
  }
}

const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)
