/**
 * The process of one contender: it does the jobs that it is sent, and answers each with what it cost, or with `null` if this
 * contender cannot do it. Each contender has its own process, so none pays for another's garbage, compiled code or connections.
 *
 * The arguments are the contender's name, the service's origin, and the folder of the bundles.
 */
import { setTimeout } from "node:timers/promises"
import { type Contender, type ContenderName, type Job, modulesOf, type Sample } from "./contender.ts"
import { median } from "./statistics.ts"

const [, , name, origin = "", bundles = ""] = process.argv as [string, string, ContenderName, string?, string?]

// Imported when first needed: nothing must be loaded before an `Import` job.
const load: Record<ContenderName, () => Promise<Contender>> = {
  "undici": async () => (await import("./contenders/undici.ts")).make(origin),
  "dispatch": async () => (await import("./contenders/dispatch.ts")).make(origin),
  "Effect alone": async () => (await import("./contenders/effectAlone.ts")).make(origin),
  "effect-herald": async () => (await import("./contenders/effect-herald.ts")).make(origin),
  "stock layer": async () => (await import("./contenders/stock.ts")).make(origin),
  "pubnub": async () => (await import("./contenders/pubnub.ts")).make(origin, false),
  "pubnub keepAlive": async () => (await import("./contenders/pubnub.ts")).make(origin, true)
}
let loaded: Promise<Contender> | undefined

let samples = 0

/** What does the job, if the contender can. */
const performer = async (job: Job): Promise<(() => Promise<unknown>) | undefined> => {
  if (job._tag === "Import") {
    if (modulesOf(name).length === 0) return undefined
    const modules = job.isBundled ? [`${bundles}/${name}.mjs`] : modulesOf(name)
    return () => Promise.all(modules.map((module) => import(module)))
  }
  const contender = await (loaded ??= load[name]())
  const perform = contender[job._tag] as ((job: Job, id: string) => Promise<unknown>) | undefined
  return perform === undefined ? undefined : () => perform(job, `${process.pid.toString(36)}x${samples++}`)
}

// Twice: what the first frees may have held something else. Without the flag there is no collection: see `measuresHeap`.
const collect = async () => {
  await setTimeout(20)
  await globalThis.gc?.({ execution: "async" })
  await globalThis.gc?.({ execution: "async" })
}

const measure = async (job: Job): Promise<Sample | null> => {
  const perform = await performer(job)
  if (perform === undefined) return null
  await collect()
  const heap = process.memoryUsage().heapUsed
  const cpu = process.cpuUsage()
  const start = performance.now()
  const outcome = await perform()
  const wallMillis = performance.now() - start
  const { system, user } = process.cpuUsage(cpu)
  const { rss } = process.memoryUsage()
  await collect()
  return {
    count: job._tag === "Import" ? 1 : job.count,
    cpuMicros: system + user,
    wallMillis,
    medianMillis: job._tag === "Latency" ? median(outcome as ReadonlyArray<number>) : NaN,
    heapGrowth: process.memoryUsage().heapUsed - heap,
    rss
  }
}

process.on("message", (job: Job) => {
  measure(job).then(
    (sample) => process.send?.(sample),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    }
  )
})
process.once("disconnect", () => process.exit())
