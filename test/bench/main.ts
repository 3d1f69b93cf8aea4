/**
 * `npm run bench`: this package, as it is built, against bare undici and against `pubnub`, all in one run on one machine. Only
 * ratios mean anything elsewhere.
 *
 * - `--quick`: a few rows with small samples, only effect-herald and undici. Fails if a ratio is above its limit.
 * - `--floor`: only effect-herald and undici, with whole samples: a third of the time.
 * - `--only <part of a name>`: the rows with such a name. `--only faults` and `--only subscriptions` run two comparisons with
 *   `pubnub` that have tables of their own, `--only parts` shows what parts of a bundle weigh.
 * - `--rounds <number>`: instead of each row's own number of rounds, for a first look.
 * - `--json`: one document instead of the table.
 * - `--chart <file>`: also draws the ratios as an SVG.
 */
import * as Effect from "effect/Effect"
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import * as Bundles from "./bundles.ts"
import * as Chart from "./chart.ts"
import { type ContenderName, contenders } from "./contender.ts"
import * as Faults from "./faults/run.ts"
import * as Lag from "./lag.ts"
import * as Process from "./process.ts"
import * as Report from "./report.ts"
import * as Subscriptions from "./subscriptions.ts"
import * as Works from "./works.ts"

const { values: flags } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    floor: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    rounds: { type: "string" },
    chart: { type: "string" }
  }
})

const isWanted = (name: string) => name.includes(flags.only)

const participantsOf = ({ base }: Works.Work): ReadonlyArray<ContenderName> => {
  if (flags.floor) return ["undici", "Effect alone", "effect-herald"]
  return !flags.quick ? contenders : base === undefined ? ["undici", "effect-herald"] : ["effect-herald"]
}

interface Place {
  readonly origin: string
  readonly bundles: string
}

const warmed = Effect.fnUntraced(
  function*(name: ContenderName, { bundles, origin }: Place, { isFresh, warmUp }: Works.Work) {
    const worker = yield* Process.startWorker(name, origin, { bundles, measuresHeap: isFresh })
    if (warmUp !== undefined) yield* worker.sample(warmUp)
    return worker
  }
)

const taken = Effect.fnUntraced(function*(worker: Process.Worker, { base, job }: Works.Work) {
  const [before, sample] = [base === undefined ? undefined : yield* worker.sample(base), yield* worker.sample(job)]
  return sample === null ? null : { job: sample, base: before ?? undefined }
})

const rowsOf = Effect.fnUntraced(function*(place: Place, work: Works.Work) {
  const participants = participantsOf(work)
  const workers = new Map<ContenderName, Process.Worker>()
  if (!work.isFresh) { for (const name of participants) workers.set(name, yield* warmed(name, place, work)) }
  const rounds: Array<Report.Round> = []
  for (let round = 0; round < Number(flags.rounds ?? work.rounds); round++) {
    const samples: { [K in ContenderName]?: Report.Taken | null } = {}
    // Who begins changes from round to round.
    for (let turn = 0; turn < participants.length; turn++) {
      const name = participants[(round + turn) % participants.length] ?? "undici"
      const worker = workers.get(name)
      samples[name] = worker === undefined
        ? yield* Effect.scoped(Effect.flatMap(warmed(name, place, work), (worker) => taken(worker, work)))
        : yield* taken(worker, work)
    }
    rounds.push(samples)
  }
  return Report.ofRounds(work, rounds)
}, Effect.scoped)

/** A ratio above its limit may be bad luck on a busy machine: only one that is above it twice counts. */
const again = Effect.fnUntraced(function*(place: Place, work: Works.Work) {
  const reports = yield* rowsOf(place, work)
  return flags.quick && reports.some(({ isAboveLimit }) => isAboveLimit) ? yield* rowsOf(place, work) : reports
})

const reports: Array<Report.Report> = []

const add = (made: ReadonlyArray<Report.Report>) =>
  Effect.sync(() => {
    if (!flags.json && reports.length === 0) console.log(Report.head)
    reports.push(...made)
    if (!flags.json) made.forEach((report) => console.log(Report.render(report)))
  })

const sampled = Effect.gen(function*() {
  const works = Works.of(flags.quick).filter(({ rows }) => rows.some(({ name }) => isWanted(name)))
  if (works.length === 0) return
  const server = yield* Process.start("server.ts", [], [])
  const place = {
    origin: yield* Process.receive<string>(server),
    bundles: works.some(({ job }) => job._tag === "Import") ? yield* Bundles.files : ""
  }
  for (const work of works) yield* Effect.flatMap(again(place, work), add)
}).pipe(Effect.scoped)

const main = Effect.gen(function*() {
  if (flags.only === "faults") return console.log(Faults.render(yield* Faults.run))
  if (flags.only === "subscriptions") return console.log(Subscriptions.render(yield* Subscriptions.run))
  if (flags.only === "parts") return console.log((yield* Bundles.measureParts).join("\n"))
  yield* sampled
  if (!flags.quick && Bundles.names.some(isWanted)) yield* Effect.flatMap(Bundles.measure, add)
  if (!flags.quick && Lag.names.some(isWanted)) yield* Effect.flatMap(Lag.measure, add)
  if (flags.json) console.log(JSON.stringify({ node: process.version, reports }, undefined, 2))
  if (flags.chart !== undefined) writeFileSync(flags.chart, Chart.draw(reports))
  const slow = reports.filter(({ isAboveLimit }) => isAboveLimit)
  for (const { limit, name } of slow) console.error(`${name}: above its limit of ${limit} ×`)
  if (slow.length > 0) process.exitCode = 1
})

await Effect.runPromise(main)
