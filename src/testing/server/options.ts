/** Options of a layer: the defaults, and what its user wrote in their place. */

/** Options as a user writes them: all may be left out, or be `undefined`. */
export type Given<A> = { readonly [K in keyof A]?: A[K] | undefined }

/**
 * Throws for an unknown field: with an option that has no effect, a test would pass without testing anything.
 */
export const refuseUnknown = (owner: string, known: object, given: object) => {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(known, name)) {
      throw new Error(`${owner} has no option "${name}": use ${Object.keys(known).join(", ")}`)
    }
  }
}

/** The defaults with the given options in their place; later ones win. Throws for a name that the defaults do not have. */
export const merge = <A extends object>(
  owner: string,
  defaults: A,
  ...given: ReadonlyArray<Given<A> | undefined>
): A => {
  const merged = { ...defaults }
  for (const options of given) {
    if (options === undefined) continue
    refuseUnknown(owner, defaults, options)
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined) Object.assign(merged, { [name]: value })
    }
  }
  return merged
}
