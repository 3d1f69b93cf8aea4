/**
 * Seeded plans for a `Subscriber`: readers that join, leave and change their names, slow and fast, with every strategy and
 * every `catchUp`, over faults of every kind, outages, sleep, `disconnect` and `reconnect`. For each reader: from its `Connected` on every
 * message of its names is delivered once and in order, or lies in a gap that it was told of; no gap without need; nobody
 * is stuck; nothing is left of it at the end, and each name was left once.
 */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { hold, planOf } from "./readers.ts"
import { batchesOf, seedsOf } from "./seeds.ts"
import { strains } from "./world.ts"

describe("readers of one subscriber", () => {
  it.effect.each(batchesOf(20, 1 / 2))(
    "%s",
    ([, batch]) => Effect.forEach(batch, (seed) => hold(planOf(seed)), { discard: true }),
    240_000
  )
})

describe("one strain at a time", () => {
  it.effect.each(strains.flatMap((strain) => seedsOf(3, 1 / 25).map((seed) => [strain, seed] as const)))(
    "%s, seed %i",
    ([strain, seed]) => hold(planOf(seed, [strain])),
    240_000
  )
})

describe("all strains at once", () => {
  it.effect.each(batchesOf(8, 1 / 10))(
    "%s",
    ([, batch]) => Effect.forEach(batch, (seed) => hold(planOf(seed, strains)), { discard: true }),
    240_000
  )
})
