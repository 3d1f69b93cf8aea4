/**
 * The works, and what is demanded of each: a gate against regressions, and a goal.
 */
import type { Job, Sample } from "./contender.ts"

/** What is demanded of effect-herald's cost; all that are given must hold. */
export interface Demand {
  /** At most so many times the floor's. */
  readonly floor?: number
  /** So many times less than pubnub's. */
  readonly pubnub?: number
  /** So many times less than pubnub's with `keepAlive`. */
  readonly keepAlive?: number
  /** At most so much. */
  readonly absolute?: number
}

/** One row of the report: a cost of the samples of a work. */
export interface Measure {
  readonly name: string
  readonly unit: string
  readonly cost: (sample: Sample) => number
  /** Whether a cost is told as a multiple of the floor's. */
  readonly relative: boolean
  /** Whether the samples are taken at full speed, so that operations per second say something. */
  readonly rate: boolean
  readonly gate: Demand
  readonly goal: Demand
}

export interface Work {
  readonly job: Job
  /** Done and thrown away before the first sample: V8 compiles, connections open. */
  readonly warmUp: Job | undefined
  readonly rounds: number
  /** Whether each sample has a process of its own. */
  readonly fresh: boolean
  readonly measures: ReadonlyArray<Measure>
}

const cpu = (name: string, gate: Demand, goal: Demand): Measure => ({
  name,
  unit: "CPU µs per operation",
  cost: ({ count, cpuMicros }) => cpuMicros / count,
  relative: true,
  rate: true,
  gate,
  goal
})

const measured = (job: Job, rounds: number, measure: Measure): Work => ({
  job,
  warmUp: job,
  rounds,
  fresh: false,
  measures: [measure]
})

const publish = (quick: boolean, concurrency: number): Work =>
  measured(
    { _tag: "Publish", method: "GET", bytes: 100, concurrency, count: quick ? 512 : 2_048 },
    quick ? 3 : 7,
    concurrency === 1
      ? cpu("publish GET 100 B, 1 at once", { floor: 1.2 }, { floor: 0.85 })
      : cpu(
        `publish GET 100 B, ${concurrency} at once`,
        { floor: 1.2, pubnub: 5, keepAlive: 3 },
        { floor: 0.85, pubnub: 8, keepAlive: 5 }
      )
  )

/**
 * The fullest page that raises no doubt. One of 100 is all that the service keeps for a reader: ours reads history after
 * it, which no other contender does and the server of this bench does not have.
 */
const fullest = 99

export const works = (quick: boolean): ReadonlyArray<Work> => [
  publish(quick, 1),
  publish(quick, 16),
  publish(quick, 128),
  measured(
    { _tag: "Publish", method: "POST", bytes: 10_000, concurrency: 16, count: quick ? 512 : 2_048 },
    quick ? 3 : 7,
    cpu("publish POST 10 kB, 16 at once", { floor: 1.3, keepAlive: 4 }, { floor: 0.9, keepAlive: 6 })
  ),
  measured(
    { _tag: "Receive", perPage: fullest, count: quick ? 10_000 : 50_000 },
    quick ? 3 : 7,
    cpu(
      `subscribe, pages of ${fullest}, per message`,
      { floor: 1.4, pubnub: 4, keepAlive: 2.5 },
      { floor: 0.95, pubnub: 6, keepAlive: 4 }
    )
  ),
  measured(
    { _tag: "Receive", perPage: 1, count: quick ? 512 : 2_048 },
    quick ? 3 : 7,
    cpu("subscribe, pages of 1", { floor: 1.1, pubnub: 5 }, { floor: 0.8, pubnub: 9 })
  ),
  measured({ _tag: "Latency", count: quick ? 200 : 1_500 }, quick ? 1 : 3, {
    name: "latency, publish to handler",
    unit: "median ms",
    cost: ({ medianMillis }) => medianMillis,
    relative: true,
    rate: false,
    gate: { floor: 1.3, pubnub: 3 },
    goal: { floor: 0.9, pubnub: 5 }
  }),
  {
    job: { _tag: "Import" },
    warmUp: undefined,
    rounds: quick ? 3 : 7,
    fresh: true,
    measures: [{
      name: "import, unbundled",
      unit: "ms",
      cost: ({ wallMillis }) => wallMillis,
      relative: true,
      rate: false,
      gate: { pubnub: 1 / 1.4 },
      goal: { pubnub: 1 }
    }]
  },
  ...quick ? [] : [memory]
]

const memory: Work = {
  job: { _tag: "Receive", perPage: fullest, count: 500_000 },
  warmUp: { _tag: "Receive", perPage: fullest, count: 50_000 },
  rounds: 1,
  fresh: true,
  measures: [
    {
      name: "heap growth, 500,000 messages",
      unit: "MB",
      cost: ({ heapGrowthMb }) => heapGrowthMb,
      relative: false,
      rate: false,
      gate: { absolute: 0.5 },
      // None, as far as this can be told from noise.
      goal: { absolute: 0.05 }
    },
    {
      name: "RSS after 500,000 messages",
      unit: "MB",
      cost: ({ rssMb }) => rssMb,
      relative: true,
      rate: false,
      gate: { floor: 0.7 },
      goal: { floor: 0.5 }
    }
  ]
}
