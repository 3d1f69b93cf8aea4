/**
 * Which seeds are run: few in `npm test`; in `npm run simulate` so many as `SEEDS` says, of which each simulation takes its
 * share; or the one that `SEED` names. `FROM` is the first seed (0 by default).
 */

/** Whether this is the long run. */
export const isLong = process.env.SEEDS !== undefined

/** Whether this is all of it, as `npm run simulate` is without `SEEDS`: with what takes minutes of real time. */
export const isWhole = Number(process.env.SEEDS ?? 0) >= 1_000

const first = Number(process.env.FROM ?? 0)

/** How many random cases are run: `few` in `npm test`, `many` in all of the long run, and a quarter of them in a part of it. */
export const casesOf = (few: number, many: number): number => isWhole ? many : isLong ? Math.max(few, many / 4) : few

/** `few` seeds, or in the long run this share of them. */
export const seedsOf = (few: number, share = 1): ReadonlyArray<number> =>
  process.env.SEED === undefined
    ? Array.from({ length: isLong ? Math.ceil(Number(process.env.SEEDS) * share) : few }, (_, index) => first + index)
    : [Number(process.env.SEED)]

/** A file has one thread: a test for each fifty seeds shows progress, and which seeds to look at. */
export const batchesOf = (few: number, share = 1) => {
  const seeds = seedsOf(few, share)
  return Array.from(
    { length: Math.ceil(seeds.length / 50) },
    (_, index) => seeds.slice(index * 50, index * 50 + 50)
  ).map((batch) => [`seeds ${batch[0]} to ${batch.at(-1)}`, batch] as const)
}

/**
 * Whether a value is put in this one of so many places: in `npm test` every twentieth value, and others in the next place; in the
 * long run each.
 */
export const isPut = (value: number, place: number, places: number): boolean =>
  isLong || (place + value) % Math.min(places, 20) === 0
