/** What a fleet counts and measures on one runner. */
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

/** The metrics of one fleet. They are made when it starts, so that programs without a fleet do not carry them. */
export const make = (fleet: string) => {
  const counter = (name: string, description: string) =>
    Metric.withAttributes(Metric.counter(`herald_fleet_${name}`, { description, incremental: true }), { fleet })
  const gauge = (name: string, description: string) =>
    Metric.withAttributes(Metric.gauge(`herald_fleet_${name}`, { description }), { fleet })
  const lanes = gauge("lanes", "Lanes that this runner reads")
  const lag = gauge("lag_millis", "The longest time from publish to handled in a lane, of its last message")
  const oldest = gauge("oldest_commit_millis", "The time since the last commit of the lane that committed longest ago")
  const failing = gauge("failing_lanes", "Lanes whose last attempt failed, or whose handlers do not end")
  const one = (metric: Metric.Metric<number, unknown>) => Metric.update(metric, 1)
  const handled = counter("handled", "Messages that were handled")
  const refused = counter("refused_commits", "Commits that were refused, since another runner owns the lane")
  const takeOvers = counter("take_overs", "Lanes that this runner claimed from another owner")
  const failures = counter("failures", "Failures that ended a reader, which was started again")
  const history = counter("history_requests", "Requests to history, to catch up")
  const catchUps = counter("catch_ups", "Catch-ups from history that lanes began")
  return {
    handled: (count: number) => Metric.update(handled, count),
    refused: one(refused),
    takenOver: one(takeOvers),
    failed: one(failures),
    askedHistory: one(history),
    caughtUp: one(catchUps),
    gauges: (
      now: { readonly lanes: number; readonly lag: number; readonly oldest: number; readonly failing: number }
    ) =>
      Effect.all([
        Metric.update(lanes, now.lanes),
        Metric.update(lag, now.lag),
        Metric.update(oldest, now.oldest),
        Metric.update(failing, now.failing)
      ], { discard: true })
  }
}

export type Metrics = ReturnType<typeof make>
