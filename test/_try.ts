import * as Effect from "effect/Effect"
import { planOf, run, show, shrink } from "./simulation/world.ts"
const [from, to, reader, doShrink, kind] = process.argv.slice(2)
const program = Effect.gen(function*() {
  const kinds = new Map<string, number[]>()
  const t = performance.now()
  let pub = 0, gaps = 0, crashes = 0, inj = 0
  for (let seed = Number(from); seed < Number(to); seed++) {
    const o = yield* run(planOf(seed, { reader: (reader ?? "stream") as "stream" }))
    pub += o.published
    gaps += o.gaps.length
    crashes += o.crashes
    inj += o.injected.length
    for (const k of new Set(o.problems.map((p) => p.kind))) kinds.set(k, [...kinds.get(k) ?? [], seed])
  }
  const ms = performance.now() - t
  console.log({ ms: Math.round(ms), pub, gaps, crashes, inj })
  for (const [k, seeds] of kinds) console.log(k, seeds.length, seeds.slice(0, 15).join(","))
  if (doShrink) {
    for (const [k, [seed]] of kinds) {
      if (kind && !k.includes(kind)) continue
      const plan = planOf(seed!, { reader: (reader ?? "stream") as "stream" })
      const o = yield* run(plan)
      const s = yield* shrink(plan, o.problems.find((p) => p.kind === k)!, 400)
      console.log("=====", k, s.problem.details)
      console.log(show(s.plan))
    }
  }
})
Effect.runPromise(program as any)
