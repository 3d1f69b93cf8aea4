/**
 * From samples to what is printed: medians over rounds of ratios within a round.
 */
import { type ContenderName, contenders, floor, type Sample } from "./contender.ts"
import { median } from "./statistics.ts"
import type { Demand, Measure } from "./works.ts"

/** One sample of each contender, taken one after the other. */
export type Round = Readonly<Record<ContenderName, Sample>>

export interface Row {
  readonly contender: ContenderName
  readonly cost: number
  readonly timesFloor: number
  readonly perSecond: number
}

export interface Report {
  readonly work: string
  readonly unit: string
  readonly relative: boolean
  readonly rate: boolean
  readonly rows: ReadonlyArray<Row>
  /** How many times less effect-herald costs than the others. */
  readonly timesLess: { readonly pubnub: number; readonly keepAlive: number }
  readonly gate: boolean
  readonly goal: boolean
}

export const report = (measure: Measure, rounds: ReadonlyArray<Round>): Report => {
  const over = (value: (round: Round) => number) => median(rounds.map(value))
  const ratio = (of: ContenderName, to: ContenderName) =>
    over((round) => measure.cost(round[of]) / measure.cost(round[to]))
  const ours = over((round) => measure.cost(round["effect-herald"]))
  const timesFloor = ratio("effect-herald", floor)
  const timesLess = {
    pubnub: ratio("pubnub", "effect-herald"),
    keepAlive: ratio("pubnub keep-alive", "effect-herald")
  }
  const meets = (demand: Demand) =>
    timesFloor <= (demand.floor ?? Infinity) &&
    timesLess.pubnub >= (demand.pubnub ?? -Infinity) &&
    timesLess.keepAlive >= (demand.keepAlive ?? -Infinity) &&
    ours <= (demand.absolute ?? Infinity)
  return {
    work: measure.name,
    unit: measure.unit,
    relative: measure.relative,
    rate: measure.rate,
    rows: contenders.map((contender) => ({
      contender,
      cost: over((round) => measure.cost(round[contender])),
      timesFloor: ratio(contender, floor),
      perSecond: over((round) => round[contender].count / round[contender].wallMillis * 1000)
    })),
    timesLess,
    gate: meets(measure.gate),
    goal: meets(measure.goal)
  }
}

const cell = (value: number, digits: number) => value.toFixed(digits)

const column = (text: string, width: number, isShown = true) => (isShown ? text : "").padStart(width)

const verdict = (met: boolean) => met ? "met" : "missed"

/** Lines of text for people. */
export const render = (reports: ReadonlyArray<Report>): string =>
  reports.map(({ gate, goal, rate, relative, rows, timesLess, unit, work }) =>
    [
      "",
      `${work} (${unit})`,
      `${" ".repeat(20)}${column("× floor", 10, relative)}${column("cost", 10)}${column("per second", 12, rate)}`,
      ...rows.map(({ contender, cost, perSecond, timesFloor }) =>
        `  ${contender.padEnd(18)}${column(cell(timesFloor, 2), 10, relative)}${column(cell(cost, 2), 10)}` +
        column(cell(perSecond, 0), 12, rate)
      ),
      `  gate ${verdict(gate)}, goal ${verdict(goal)}` +
      (relative
        ? `; ${cell(timesLess.pubnub, 1)} × less than pubnub, ${cell(timesLess.keepAlive, 1)} × less than keep-alive`
        : "")
    ].join("\n")
  ).join("\n")
