/**
 * From samples to the table: medians over rounds of ratios within a round.
 */
import { type ContenderName, contenders, floor, type Sample } from "./contender.ts"
import { median } from "./statistics.ts"
import type { Demand, Row, Work } from "./works.ts"

/** What one contender did in one round; `null` if it cannot do the work. */
export interface Taken {
  readonly job: Sample
  readonly base: Sample | undefined
}

/** One round: a sample of each contender, one after the other. Those that do not take part are absent. */
export type Round = Readonly<Partial<Record<ContenderName, Taken | null>>>

/** One contender in one row. */
export interface Cell {
  /** In the unit of the row. */
  readonly cost: number
  /** The cost divided by what the row says; the cost itself if the row says nothing. */
  readonly shown: number
}

export interface Report {
  readonly name: string
  readonly unit: string
  readonly by: Row["by"]
  readonly cells: Readonly<Partial<Record<ContenderName, Cell>>>
  readonly gate: Verdict
  readonly goal: Verdict
  readonly limit: number | undefined
  readonly isAboveLimit: boolean
}

interface Verdict {
  readonly demand: Demand
  readonly isMet: boolean
}

const ours = "effect-herald" satisfies ContenderName

const make = (row: Row, cells: Report["cells"]): Report => {
  const shown = cells[ours]?.shown ?? NaN
  const timesOurs = (name: ContenderName) => (cells[name]?.cost ?? NaN) / (cells[ours]?.cost ?? NaN)
  const verdict = (demand: Demand): Verdict => ({
    demand,
    isMet: (demand.most === undefined || shown <= demand.most) &&
      (demand.pubnub === undefined || timesOurs("pubnub") >= demand.pubnub) &&
      (demand.keepAlive === undefined || timesOurs("pubnub keepAlive") >= demand.keepAlive)
  })
  const { by, limit, name, unit } = row
  return {
    name,
    unit,
    by,
    cells,
    gate: verdict(row.gate),
    goal: verdict(row.goal),
    limit,
    isAboveLimit: limit !== undefined && shown > limit
  }
}

const cellsOf = (cell: (name: ContenderName) => Cell | undefined): Report["cells"] =>
  Object.fromEntries(contenders.flatMap((name) => {
    const made = cell(name)
    return made === undefined ? [] : [[name, made]]
  }))

/** A row of costs that do not vary from round to round. */
export const single = (row: Row, costs: Readonly<Partial<Record<ContenderName, number>>>): Report =>
  make(row, cellsOf((name) => costs[name] === undefined ? undefined : { cost: costs[name], shown: costs[name] }))

/** The rows of a work. */
export const ofRounds = (work: Work, rounds: ReadonlyArray<Round>): ReadonlyArray<Report> =>
  work.rows.map((row) => {
    const cost = (sample: Sample | undefined) => sample === undefined ? NaN : row.cost(sample)
    const divisor = (round: Round, { base }: Taken) =>
      row.by === "undici" ? cost(round[floor]?.job) : row.by === "base" ? cost(base) : 1
    return make(
      row,
      cellsOf((name) => {
        const taken = rounds.flatMap((round) => {
          const sample = round[name]
          return sample ? [{ cost: cost(sample.job), shown: cost(sample.job) / divisor(round, sample) }] : []
        })
        return taken.length === 0 ? undefined : {
          cost: median(taken.map(({ cost }) => cost)),
          shown: median(taken.map(({ shown }) => shown))
        }
      })
    )
  })

// --------------------------------------------------------------------------------------------------------------------
// the table
// --------------------------------------------------------------------------------------------------------------------

const digits = (value: number) => value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2)

const cellOf = ({ by, cells, unit }: Report, name: ContenderName): string => {
  const cell = cells[name]
  if (cell === undefined) return "–"
  return by === "nothing" || by === "undici" && name === floor
    ? `${digits(cell.cost)} ${unit}`
    : `${digits(cell.shown)} ×`
}

const verdictOf = ({ demand: { keepAlive, most, pubnub }, isMet }: Verdict): string => {
  const demands = [
    ...most === undefined ? [] : [`≤ ${most}`],
    ...pubnub === undefined ? [] : [`pubnub ≥ ${pubnub} ×`],
    ...keepAlive === undefined ? [] : [`keepAlive ≥ ${keepAlive} ×`]
  ]
  return demands.length === 0 ? "–" : `${demands.join(", ")}: ${isMet ? "met" : "missed"}`
}

const columns = ["work", ...contenders, "gate", "goal"]
const widths = [62, 8, 8, 13, 11, 8, 16, 14, 14]

const line = (cells: ReadonlyArray<string>): string =>
  `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join(" | ")} |`

/** The first two lines of the table, in Markdown. */
export const head: string = [line(columns), line(widths.map((width) => "-".repeat(width)))].join("\n")

/** A line of the table. */
export const render = (report: Report): string =>
  line([
    report.name,
    ...contenders.map((name) => cellOf(report, name)),
    verdictOf(report.gate),
    verdictOf(report.goal)
  ])
