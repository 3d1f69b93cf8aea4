/**
 * Seeded plans for a `Subscriber`: readers that join, leave and change their names, slow and fast, with every strategy and
 * every `catchUp`, over faults of every kind, outages, sleep, `disconnect` and `reconnect`; and what they do in their handlers. For
 * each reader: from its `Connected` on every message of its names is delivered once and in order, or lies in a gap that it was
 * told of; no gap without need; nobody is stuck; nothing is left of it at the end, and each name was left once.
 */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type Act, crashyOf, hold, type Plan, planOf, type ReaderPlan, strains } from "./readers.ts"
import { batchesOf, isPut, seedsOf } from "./seeds.ts"

describe("readers of one subscriber", () => {
  it.effect.each(batchesOf(1, 1 / 2))(
    "get each message once and in order, or in a Gap: %s",
    ([, batch]) => Effect.forEach(batch, (seed) => hold(planOf(seed)), { discard: true }),
    240_000
  )
})

describe("readers that are killed often", () => {
  it.effect.each(batchesOf(1, 1 / 10))(
    "go on without loss: %s",
    ([, batch]) => Effect.forEach(batch, (seed) => hold(crashyOf(seed)), { discard: true }),
    240_000
  )
})

// `subscribe.test.ts` has the others in `npm test`.
const strained = strains.filter((_, index) => isPut(index, 1, 2))

describe("one strain at a time", () => {
  it.effect.each(strained.flatMap((strain) => seedsOf(1, 1 / 25).map((seed) => [strain, seed] as const)))(
    "loses nothing without a Gap: %s, seed %i",
    ([strain, seed]) => hold(planOf(seed, [strain])),
    240_000
  )
})

describe("all strains at once", () => {
  it.effect.each(batchesOf(1, 1 / 10))(
    "lose nothing without a Gap: %s",
    ([, batch]) => Effect.forEach(batch, (seed) => hold(planOf(seed, strains)), { discard: true }),
    240_000
  )
})

/** A group's reader with little room, which goes on at once from the cursor that its failure carries. */
const failing = (acts: ReadonlyArray<Act>, more: Partial<ReaderPlan> = {}): Plan => ({
  seed: 28,
  further: 0,
  latency: 0,
  skew: 0,
  token: false,
  historyDelay: 0,
  lateBy: 0,
  mishaps: [],
  readers: [
    { names: ["alerts.red"], capacity: 5, strategy: "catchUp", catchUp: "history", every: 51, stall: 0, past: false },
    { names: ["group crew"], capacity: 3, strategy: "fail", catchUp: "none", every: 21, stall: 0, past: false, ...more }
  ],
  acts
})

const join = (reader: number): Act => ({ _tag: "Join", reader })
const wait = (millis: number): Act => ({ _tag: "Wait", millis })
const publish = (count: number, region = 1): Act => ({
  _tag: "Publish",
  count,
  channels: ["orders", "news", "alerts.red", "alerts.blue", "team", "den"],
  kind: "stored",
  region
})

describe("a reader that fails in the middle of a page, and continues from its cursor", () => {
  it.effect.each(
    [
      ["does not count delivered messages against its capacity", failing([join(1), publish(150)])],
      ["skips delivered messages after a silence", failing([join(0), join(1), wait(19_072), publish(12)])],
      [
        "skips delivered messages when its connection's cursor is hours old",
        failing([wait(4), { _tag: "Jump" }, join(1), wait(248), publish(23, 2)])
      ],
      [
        "loses no message, delivered or late",
        failing([join(1), wait(248), publish(29, 2), publish(1), publish(1), publish(12)], { stall: 17_000 })
      ]
    ] as const
  )("%s", ([, plan]) => hold(plan))
})
