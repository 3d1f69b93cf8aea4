/** The newest items that fit in a limited room, in the order of their arrival. */

export interface Recent<A> {
  /** Adds an item, and gives those that no longer fit, oldest first. */
  readonly add: (item: A) => ReadonlyArray<A>
  /** Removes an item. */
  readonly remove: (item: A) => void
  /** All items, oldest first. Without a limit, none is kept here. */
  readonly all: () => ReadonlyArray<A>
}

/** A room of this size, which may be infinite. */
export const make = <A>(room: number, sizeOf: (item: A) => number): Recent<A> => {
  const sizes = new Map<A, number>()
  // One iterator for all: a new one would begin at the places of removed items.
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

/** The newest 10,000 requests; fewer when they have more than 1,600 characters each. */
export const requests = <A>(sizeOf: (request: A) => number): Recent<A> =>
  make(10_000 * 1_600, (request) => Math.max(1_600, sizeOf(request)))
