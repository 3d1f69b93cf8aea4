/** How the settings of a runner differ from those that the database has for its fleet. */

/** What all runners must agree on. */
interface Agreed {
  readonly lanes: number
  readonly shards: number
  readonly shardGroup: string
}

/** What differs, or `undefined` if all runners agree. */
export const differing = (own: Agreed, stored: Agreed | undefined): string | undefined => {
  if (stored === undefined) return "the database no longer knows this fleet"
  const field = (["lanes", "shards", "shardGroup"] as const).find((field) => stored[field] !== own[field])
  return field && `${field} is ${own[field]}, and the database has ${stored[field]}`
}
