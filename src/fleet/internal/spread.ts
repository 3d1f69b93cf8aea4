/**
 * Names of cluster singletons that fall evenly on the shards. The cluster hashes a name to a shard, and spreads the shards
 * evenly over its runners. With names as they come, some shards have several lanes and others none: of 100 lanes on three
 * runners one then has 44.
 */

/** Which shard a name falls on: from 1 to the number of shards. */
export type ShardOf = (name: string) => number

/** After so many names for each shard that was seen, no shard is left unseen: a chance of one in ten million is left. */
const enough = 24

/** The number of shards, found by trying names. The cluster does not say it. */
export const shardsOf = (shardOf: ShardOf): number => {
  let most = 1
  for (let n = 0; n < enough * most; n++) most = Math.max(most, shardOf(`shards/${n}`))
  return most
}

/** A name for each lane, the same on every runner. Neighbours among the lanes are far from each other among the shards. */
export const names = (lanes: ReadonlyArray<string>, shardOf: ShardOf): ReadonlyArray<string> => {
  const shards = shardsOf(shardOf)
  return lanes.map((lane, index) => {
    const wanted = 1 + Math.floor(index * shards / lanes.length) % shards
    for (let n = 0; n < enough * shards; n++) if (shardOf(`${lane}#${n}`) === wanted) return `${lane}#${n}`
    return lane
  })
}
