/**
 * `npm run bench`: publish and subscribe against `pubnub` and against bare undici, all in one run on one machine. Only
 * ratios mean anything elsewhere. Timing never makes it fail. effect-herald runs with its defaults, all guarantees on; the
 * largest pages hold 99 messages, as 100 would be a hole to it (see works.ts).
 *
 * Beside those works there are two that have no floor: `faults`, which has both clients read while things go wrong, and
 * `subscriptions`, which adds a thousand one by one.
 *
 * Flags: `--quick` (small samples, no memory, none of these two), `--json` (one document instead of the table),
 * `--only <part of a name>`.
 */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { parseArgs } from "node:util"
import { type ContenderName, contenders, type Job, type Sample } from "./contender.ts"
import * as Faults from "./faults/run.ts"
import * as Process from "./process.ts"
import * as Report from "./report.ts"
import * as Subscriptions from "./subscriptions/run.ts"
import { type Work, works } from "./works.ts"

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" }
  }
})

const source = "--conditions=effect-herald-source"

// Users import the build: types are stripped from the source at each import, which costs a third more.
const isBuilt = existsSync(new URL("../../dist/pubnub/Subscribe.js", import.meta.url))

const startWorker = (name: ContenderName, origin: string, job: Job) =>
  Process.start("worker.ts", [name, origin], ["--expose-gc", ...job._tag === "Import" && isBuilt ? [] : [source]])

const sample = (worker: Effect.Success<ReturnType<typeof startWorker>>, job: Job) =>
  Effect.suspend(() => {
    worker.send(job)
    return Process.receive<Sample>(worker)
  })

/** Each contender once; who begins changes from round to round. */
const inTurn = <A, E, R>(round: number, take: (name: ContenderName) => Effect.Effect<A, E, R>) => {
  const first = round % contenders.length
  const order = [...contenders.slice(first), ...contenders.slice(0, first)]
  return Effect.map(
    Effect.forEach(order, (name) => Effect.map(take(name), (taken) => [name, taken] as const)),
    (taken) => Object.fromEntries(taken) as Record<ContenderName, A>
  )
}

const warmed = (name: ContenderName, origin: string, { job, warmUp }: Work) =>
  Effect.gen(function*() {
    const worker = yield* startWorker(name, origin, job)
    if (warmUp !== undefined) yield* sample(worker, warmUp)
    return worker
  })

const run = Effect.fnUntraced(function*(origin: string, work: Work) {
  const rounds: Array<Report.Round> = []
  const workers = work.fresh ? undefined : yield* inTurn(0, (name) => warmed(name, origin, work))
  for (let round = 0; round < work.rounds; round++) {
    rounds.push(
      yield* inTurn(round, (name) =>
        workers === undefined
          ? Effect.scoped(Effect.flatMap(warmed(name, origin, work), (worker) => sample(worker, work.job)))
          : sample(workers[name], work.job))
    )
  }
  return work.measures.map((measure) => Report.report(measure, rounds))
}, Effect.scoped)

/** Whether a work is to be done; one that takes long only when it is asked for, or everything is. */
const isWanted = (name: string) => flags.only === "" ? !flags.quick : name.includes(flags.only)

const timed = Effect.fnUntraced(function*() {
  const selected = works(flags.quick).filter(({ measures }) => measures.some(({ name }) => name.includes(flags.only)))
  const reports: Array<Report.Report> = []
  if (selected.length === 0) return reports
  const server = yield* Process.start("server.ts", [], [source])
  const origin = yield* Process.receive<string>(server)
  for (const work of selected) {
    const made = yield* run(origin, work)
    if (!flags.json) console.log(Report.render(made))
    reports.push(...made)
  }
  if (!flags.json && !isBuilt) {
    console.log("\nThe package is not built: its import is that of the source, types stripped on the way.")
  }
  return reports
}, Effect.scoped)

const main = Effect.gen(function*() {
  const reports = yield* timed()
  const subscriptions = isWanted("subscriptions") ? yield* Subscriptions.run : []
  if (!flags.json && subscriptions.length > 0) console.log(`\n${Subscriptions.render(subscriptions)}`)
  const faults = isWanted("faults") ? yield* Faults.run : []
  if (!flags.json && faults.length > 0) console.log(`\n${Faults.render(faults)}`)
  if (flags.json) {
    const { quick } = flags
    console.log(JSON.stringify({ node: process.version, quick, isBuilt, reports, subscriptions, faults }, undefined, 2))
  }
})

await Effect.runPromise(main)
