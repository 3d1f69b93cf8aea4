/**
 * A set that mostly has one member. A single member is stored without a `Set`, which would need as much memory as a reader.
 */
export type Few<A extends object> = undefined | A | Set<A>

/** Adds a member. */
export const add = <A extends object>(few: Few<A>, one: A): Few<A> =>
  few === undefined || few === one ? one : isMany(few) ? few.add(one) : new Set([few, one])

/** Removes a member. */
export const remove = <A extends object>(few: Few<A>, one: A): Few<A> => {
  if (!isMany(few)) return few === one ? undefined : few
  few.delete(one)
  return few.size === 0 ? undefined : few
}

export const all = <A extends object>(few: Few<A>): Iterable<A> => few === undefined ? [] : isMany(few) ? few : [few]

const isMany = <A extends object>(few: Few<A>): few is Set<A> => few instanceof Set
