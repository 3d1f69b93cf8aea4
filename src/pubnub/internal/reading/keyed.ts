/**
 * A map that mostly has one entry. A single entry is stored without a `Map`, which would need as much memory as a reader.
 */
interface Entry {
  readonly key: string
}

export type Keyed<A extends Entry> = undefined | A | Map<string, A>

export const get = <A extends Entry>(keyed: Keyed<A>, key: string): A | undefined =>
  isMany(keyed) ? keyed.get(key) : keyed?.key === key ? keyed : undefined

/** Adds an entry, or replaces the one with the same key. */
export const set = <A extends Entry>(keyed: Keyed<A>, one: A): Keyed<A> =>
  keyed === undefined || !isMany(keyed) && keyed.key === one.key
    ? one
    : isMany(keyed)
    ? keyed.set(one.key, one)
    : new Map([[keyed.key, keyed], [one.key, one]])

/** Removes the entry of a key. */
export const remove = <A extends Entry>(keyed: Keyed<A>, key: string): Keyed<A> => {
  if (!isMany(keyed)) return keyed?.key === key ? undefined : keyed
  keyed.delete(key)
  return keyed.size === 0 ? undefined : keyed
}

export const all = <A extends Entry>(keyed: Keyed<A>): Iterable<A> =>
  keyed === undefined ? [] : isMany(keyed) ? keyed.values() : [keyed]

export const isMany = <A extends Entry>(keyed: Keyed<A>): keyed is Map<string, A> => keyed instanceof Map
