/** Which seeds are run: a thousand, `SEEDS` of them, or the one that `SEED` names. */
export const seeds: ReadonlyArray<number> = process.env.SEED === undefined
  ? Array.from({ length: Number(process.env.SEEDS ?? 1000) }, (_, seed) => seed)
  : [Number(process.env.SEED)]

/** A file has one thread: a test for each fifty seeds shows progress, and which seeds to look at. */
export const batches = Array.from(
  { length: Math.ceil(seeds.length / 50) },
  (_, index) => seeds.slice(index * 50, index * 50 + 50)
).map((batch) => [`seeds ${batch[0]} to ${batch.at(-1)}`, batch] as const)
