/** Things in the order in which they came, as many of the newest as there is room for. */

export interface Recent<A> {
  /** Adds one, and gives those that there is no room for any more, oldest first. */
  readonly add: (item: A) => ReadonlyArray<A>
  readonly remove: (item: A) => void
  /** Oldest first. Without a limit nothing is kept here. */
  readonly all: () => ReadonlyArray<A>
}

/** Room of this size, which may be without end. */
export const make = <A>(room: number, sizeOf: (item: A) => number): Recent<A> => {
  const sizes = new Map<A, number>()
  // One iterator for all: each new one would begin at the places of those that are gone.
  const oldest = sizes.keys()
  let total = 0

  const remove = (item: A) => {
    total -= sizes.get(item) ?? 0
    sizes.delete(item)
  }

  return {
    add: (item) => {
      if (room === Number.POSITIVE_INFINITY) return []
      const size = sizeOf(item)
      sizes.set(item, size)
      total += size
      const gone: Array<A> = []
      while (total > room) {
        const next = oldest.next()
        if (next.done === true) break
        remove(next.value)
        gone.push(next.value)
      }
      return gone
    },
    remove,
    all: () => [...sizes.keys()]
  }
}
