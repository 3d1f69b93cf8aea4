/** Which lane reads a channel, which shard a lane falls on, and what becomes of cursors when lanes split and merge. */
import { assert, describe, it } from "@effect/vitest"
import * as RunnerAddress from "effect/cluster/RunnerAddress"
import * as HashRing from "effect/HashRing"
import * as Schema from "effect/Schema"
import type { Cursor } from "effect-herald/Cursor"
import { hash, laneOf } from "../../src/fleet/internal/laneOf.ts"
import { oldest, sourcesOf } from "../../src/fleet/internal/resize.ts"
import * as Spread from "../../src/fleet/internal/spread.ts"

describe("the lane of a channel", () => {
  // Cursors are stored by lane. If these values change, every fleet that runs loses its place.
  it.each(
    [
      ["", 0xab3e7c0b, 3],
      ["orders", 0x7b54f948, 0],
      ["room #1", 0x16f1377e, 6],
      ["größe/日本", 0x8f2f3745, 5]
    ] as const
  )("of %j never changes", (channel, hashed, lane) => {
    assert.strictEqual(hash(channel), hashed)
    assert.strictEqual(laneOf(channel, 8), lane)
  })

  it("spreads 10,000 channels over 100 lanes evenly", () => {
    const counts = Array.from({ length: 100 }, () => 0)
    for (let n = 0; n < 10_000; n++) counts[laneOf(`room-${n}`, 100)]!++
    assert.isAtMost(Math.max(...counts), 140)
    assert.isAtLeast(Math.min(...counts), 60)
  })

  it.prop(
    "stays a multiple away when lanes double",
    [Schema.String, Schema.Literals([1, 2, 8, 12, 100])],
    ([channel, lanes]) => {
      const after = laneOf(channel, lanes * 2)
      assert.strictEqual(after % lanes, laneOf(channel, lanes))
      assert.deepStrictEqual(sourcesOf(after, lanes, lanes * 2), [laneOf(channel, lanes)])
      assert.include(sourcesOf(laneOf(channel, lanes), lanes * 2, lanes), after)
    }
  )
})

/** As the cluster hashes names to shards. */
const shardOf = (shards: number) => (name: string): number => {
  let h = 5381
  for (let i = name.length; i > 0; i--) h = h * 33 ^ name.charCodeAt(i - 1)
  return Math.abs((h & 0xbfffffff | h >>> 1 & 0x40000000) % shards) + 1
}

/** How many lanes each of some runners has, as the cluster assigns shards. */
const sharesOf = (
  names: ReadonlyArray<string>,
  shards: number,
  runners: ReadonlyArray<RunnerAddress.RunnerAddress>
) => {
  const ring = HashRing.make<RunnerAddress.RunnerAddress>()
  for (const runner of runners) HashRing.add(ring, runner, { weight: 1 })
  const assigned = HashRing.getShards(ring, shards)!
  const shares = new Map(runners.map((runner) => [String(runner), 0]))
  for (const name of names) {
    const runner = String(assigned[shardOf(shards)(name) - 1])
    shares.set(runner, shares.get(runner)! + 1)
  }
  return [...shares.values()]
}

const lanes = (count: number) => Array.from({ length: count }, (_, lane) => `orders/${lane}`)

const runnersOf = (count: number, seed: number) =>
  Array.from({ length: count }, (_, n) => RunnerAddress.make(`10.0.${seed}.${n * 37 % 250}`, 34431))

describe("the shards of lanes", () => {
  it.each([1, 2, 12, 100, 300, 1_024])("finds the number of shards: %d", (shards) => {
    assert.strictEqual(Spread.shardsOf(shardOf(shards)), shards)
  })

  it("gives each lane a shard of its own where there are enough", () => {
    const names = Spread.names(lanes(100), shardOf(300))
    assert.strictEqual(new Set(names.map(shardOf(300))).size, 100)
    assert.deepStrictEqual(names, Spread.names(lanes(100), shardOf(300)))
  })

  it("gives no runner of three more than 1.3 times its share of 100 lanes", () => {
    for (const shards of [100, 300]) {
      const names = Spread.names(lanes(100), shardOf(shards))
      for (let seed = 0; seed < 40; seed++) {
        assert.isAtMost(Math.max(...sharesOf(names, shards, runnersOf(3, seed))), shards === 100 ? 35 : 43)
      }
    }
  })

  it("gives each runner the same number of lanes, but one, with as many shards as lanes", () => {
    for (const count of [2, 3, 4, 8]) {
      const names = Spread.names(lanes(128), shardOf(128))
      const shares = sharesOf(names, 128, runnersOf(count, 1))
      assert.isAtMost(Math.max(...shares) - Math.min(...shares), 3)
    }
  })
})

const cursor = (position: number, hole?: number): Cursor => ({
  position: String(17_900_000_000_000_000n + BigInt(position)),
  delivered: [],
  ...hole === undefined ? {} : { hole: String(17_900_000_000_000_000n + BigInt(hole)) }
})

describe("cursors of lanes that split and merge", () => {
  it.prop(
    "loses no message: the new lane of a channel begins at or before the cursor of its old lane",
    [
      Schema.Literals(["8 to 16", "16 to 8", "2 to 8", "8 to 2", "3 to 3"]),
      Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000 }))).check(Schema.isMinLength(16)),
      Schema.Array(Schema.String)
    ],
    ([change, positions, channels]) => {
      const [from = 0, to = 0] = change.split(" to ").map(Number)
      const before = positions.slice(0, from).map((position) => cursor(position))
      const after = Array.from(
        { length: to },
        (_, lane) => oldest(sourcesOf(lane, from, to).map((source) => before[source]))
      )
      for (const channel of channels) {
        const old = before[laneOf(channel, from)]!
        const now = after[laneOf(channel, to)]!
        assert.isTrue(BigInt(now.position) <= BigInt(old.position))
        if (to >= from) assert.deepStrictEqual(now, old)
      }
    }
  )

  it("takes the cursor whose gap begins first", () => {
    assert.deepStrictEqual(oldest([cursor(5), undefined, cursor(9, 3), cursor(7)]), cursor(9, 3))
    assert.isUndefined(oldest([undefined, undefined]))
  })
})
