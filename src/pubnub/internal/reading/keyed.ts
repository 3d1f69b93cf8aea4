/**
 * A map that mostly has one entry, which stands for it then: a `Map` for each reader would hold as much as its reader does.
 */
interface Entry {
  readonly key: string
}

export type Keyed<A extends Entry> = undefined | A | Map<string, A>

export const get = <A extends Entry>(keyed: Keyed<A>, key: string): A | undefined =>
  isMany(keyed) ? keyed.get(key) : keyed?.key === key ? keyed : undefined

/** The entries with this one, in place of one with the same key. */
export const set = <A extends Entry>(keyed: Keyed<A>, one: A): Keyed<A> =>
  keyed === undefined || !isMany(keyed) && keyed.key === one.key
    ? one
    : isMany(keyed)
    ? keyed.set(one.key, one)
    : new Map([[keyed.key, keyed], [one.key, one]])

/** The entries without the one of this key. */
export const remove = <A extends Entry>(keyed: Keyed<A>, key: string): Keyed<A> => {
  if (!isMany(keyed)) return keyed?.key === key ? undefined : keyed
  keyed.delete(key)
  return keyed.size === 0 ? undefined : keyed
}

export const all = <A extends Entry>(keyed: Keyed<A>): Iterable<A> =>
  keyed === undefined ? [] : isMany(keyed) ? keyed.values() : [keyed]

const isMany = <A extends Entry>(keyed: Keyed<A>): keyed is Map<string, A> => keyed instanceof Map
