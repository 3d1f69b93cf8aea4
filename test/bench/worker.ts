/**
 * The process of one contender: it does the jobs that it is sent, and answers each with what it cost. A process for each
 * contender, so that none pays for another's garbage, compiled code or open connections; rounds alternate between them.
 */
import { setTimeout } from "node:timers/promises"
import { type Contender, type ContenderName, type Job, payload, type Sample } from "./contender.ts"
import { median } from "./statistics.ts"

const name = process.argv[2] as ContenderName
const origin = process.argv[3] ?? ""

// Imported when first needed: nothing must be loaded before an `Import` job.
const load: Record<ContenderName, () => Promise<Contender>> = {
  "undici": async () => (await import("./contenders/undici.ts")).make(origin),
  "effect-herald": async () => (await import("./contenders/effect-herald.ts")).make(origin),
  "pubnub": async () => (await import("./contenders/pubnub.ts")).make(origin, false),
  "pubnub keep-alive": async () => (await import("./contenders/pubnub.ts")).make(origin, true)
}
let loaded: Promise<Contender> | undefined
const contender = () => loaded ??= load[name]()

// What a first publish and a first subscription need.
const modules: Record<ContenderName, ReadonlyArray<string>> = {
  "undici": ["undici"],
  "effect-herald": [
    "effect-herald/pubnub/PubNubConfig",
    "effect-herald/pubnub/Publish",
    "effect-herald/pubnub/Subscribe",
    "@effect/platform-node/NodeHttpClient",
    "undici"
  ],
  "pubnub": ["pubnub"],
  "pubnub keep-alive": ["pubnub"]
}

let channels = 0

/** The latencies, where the job has any. */
const perform = async (job: Job): Promise<ReadonlyArray<number>> => {
  const id = `${name.replaceAll(" ", "")}${process.pid}n${channels++}`
  switch (job._tag) {
    case "Publish":
      await (await contender()).publish({ ...job, message: payload(job.bytes) })
      return []
    case "Receive":
      await (await contender()).receive(`pages-${job.perPage}-${job.count}-${id}`, job.count)
      return []
    case "Latency":
      return (await contender()).latencies(`echo-${id}`, payload(100), job.count)
    case "Import":
      await Promise.all(modules[name].map((module) => import(module)))
      return []
  }
}

// Twice: what the first frees may have held something else.
const collect = async () => {
  await setTimeout(20)
  await globalThis.gc?.({ execution: "async" })
  await globalThis.gc?.({ execution: "async" })
}

const megabytes = (bytes: number) => bytes / 1_048_576

const measure = async (job: Job): Promise<Sample> => {
  if (job._tag !== "Import") await contender()
  await collect()
  const heap = process.memoryUsage().heapUsed
  const cpu = process.cpuUsage()
  const start = performance.now()
  const latencies = await perform(job)
  const wallMillis = performance.now() - start
  const { system, user } = process.cpuUsage(cpu)
  const { rss } = process.memoryUsage()
  await collect()
  return {
    count: job._tag === "Import" ? 1 : job.count,
    cpuMicros: system + user,
    wallMillis,
    medianMillis: median(latencies),
    heapGrowthMb: megabytes(process.memoryUsage().heapUsed - heap),
    rssMb: megabytes(rss)
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
