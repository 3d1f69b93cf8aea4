/** Options of a layer: the defaults, and what its user wrote in their place. */

/** Options as a user writes them: all may be left out, or be `undefined`. */
export type Given<A> = { readonly [K in keyof A]?: A[K] | undefined }

/**
 * The defaults with the given options in their place; later ones win. Throws for a name that the defaults do not have: an
 * option that nobody reads would leave a test green that tests nothing.
 */
export const merge = <A extends object>(
  owner: string,
  defaults: A,
  ...given: ReadonlyArray<Given<A> | undefined>
): A => {
  const merged = { ...defaults }
  for (const [name, value] of given.flatMap((options) => Object.entries(options ?? {}))) {
    if (!Object.hasOwn(defaults, name)) {
      throw new Error(`${owner} has no option "${name}": use ${Object.keys(defaults).join(", ")}`)
    }
    if (value !== undefined) Object.assign(merged, { [name]: value })
  }
  return merged
}
