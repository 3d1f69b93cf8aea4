/** How the settings of a runner differ from those that the database has for its fleet. */

/** The settings that all runners of a fleet share. */
interface Agreed {
  readonly lanes: number
  readonly shards: number
  readonly shardGroup: string
}

/** The setting that differs, in words. Undefined if there is none. */
export const differing = (own: Agreed, stored: Agreed | undefined): string | undefined => {
  if (stored === undefined) return "the database no longer knows this fleet"
  const field = (["lanes", "shards", "shardGroup"] as const).find((field) => stored[field] !== own[field])
  return field && `${field} is ${own[field]}, and the database has ${stored[field]}`
}
