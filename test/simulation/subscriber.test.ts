/**
 * Seeded plans for a `Subscriber`: readers that join, leave and change their names, slow and fast, with every strategy,
 * over faults of every kind, outages, sleep, `disconnect` and `reconnect`. For each reader: from its `Connected` on every
 * message of its names is delivered once and in order, or lies in a gap that it was told of; no gap without need; nobody
 * is stuck; nothing is left of it at the end, and each name was left once.
 */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { hold, planOf } from "./readers.ts"
import { batchesOf } from "./seeds.ts"

describe("readers of one subscriber", () => {
  it.effect.each(batchesOf(20, 1 / 2))(
    "%s",
    ([, batch]) => Effect.forEach(batch, (seed) => hold(planOf(seed)), { discard: true }),
    240_000
  )
})
