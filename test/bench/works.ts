/**
 * The works, and what is demanded of each. A row without an entry in `limits` is not part of `--quick`.
 */
import type { Job, Sample } from "./contender.ts"

/** What is demanded of effect-herald; all that are given must hold. */
export interface Demand {
  /** The most that the table may show: a ratio, or a cost where the row has no ratio. */
  readonly most?: number
  /** How many times more pubnub must cost. */
  readonly pubnub?: number
  /** How many times more pubnub with `keepAlive` must cost. */
  readonly keepAlive?: number
}

/** One row of the table: a cost of the samples of a work. */
export interface Row {
  readonly name: string
  readonly unit: string
  /**
   * What a cost is divided by. `"undici"`: its cost in the same round. `"base"`: the contender's own cost of the work's `base`.
   * `"nothing"`: the table shows costs.
   */
  readonly by: "undici" | "base" | "nothing"
  readonly gate: Demand
  readonly goal: Demand
  /** The ratio above which `--quick` fails: about 1.4 times what was measured when it was set. */
  readonly limit?: number | undefined
}

export interface Work {
  readonly job: Job
  readonly base?: Job
  /** Done and thrown away before the first sample: V8 compiles, connections open. */
  readonly warmUp?: Job
  readonly rounds: number
  /** Whether each sample has a process of its own. */
  readonly isFresh: boolean
  readonly rows: ReadonlyArray<Row & { readonly cost: (sample: Sample) => number }>
}

interface Demands {
  readonly gate?: Demand
  readonly goal?: Demand
  readonly limit?: number
}

/**
 * How many samples are done before the first that counts. V8 compiles code, drops some of it again and compiles it anew, for about as
 * long: a publish takes 2.5 times as much in the first of them, and 1.2 to 1.5 times in the next two.
 */
const settling = 4

const times = (factor: number, job: Job): Job => job._tag === "Import" ? job : { ...job, count: job.count * factor }

/** Client CPU of each operation. */
const cpu = (
  name: string,
  job: Job,
  { base, gate = {}, goal = {}, limit }: Demands & { readonly base?: Job }
): Work => ({
  job,
  ...base === undefined ? {} : { base },
  warmUp: times(settling, job),
  rounds: 5,
  isFresh: false,
  rows: [{
    name,
    unit: "µs",
    by: base === undefined ? "undici" : "base",
    cost: ({ count, cpuMicros }) => cpuMicros / count,
    gate,
    goal,
    limit
  }]
})

const get = (concurrency: number): Job => ({
  _tag: "Publish",
  method: "GET",
  bytes: 100,
  concurrency,
  count: 2_048
})

/**
 * Pages of 99 are the fullest that raise no doubt. A page of 100 is all that the service keeps for a reader: effect-herald asks
 * history after it, and no other contender does.
 */
const pages = (_tag: "Receive" | "Decode", perPage: number, channels = 1): Job => ({
  _tag,
  perPage,
  channels,
  count: perPage === 1 ? 2_048 : perPage === 100 ? 5_000 : 50_000
})

const share = (channels: number): Job => ({ _tag: "Share", perPage: 99, channels, count: 50_000 })

const manyMessages = 500_000

/** Adds a thousand, after some. */
const subscriptions = (name: string, after: number): Work => ({
  job: { _tag: "Subscribe", count: 1_000, nameLength: 16 },
  warmUp: { _tag: "Subscribe", count: after, nameLength: 16 },
  rounds: 3,
  isFresh: true,
  rows: [
    {
      name: `${name}, to add`,
      unit: "ms",
      by: "nothing",
      cost: ({ cpuMicros }) => cpuMicros / 1_000,
      gate: { most: 40 },
      goal: { most: 15 }
    },
    {
      name: `${name}, heap of each`,
      unit: "kB",
      by: "nothing",
      cost: ({ count, heapGrowth }) => heapGrowth / count / 1_000,
      gate: { most: 4 },
      goal: { most: 2.5 }
    }
  ]
})

const imported = (isBundled: boolean, demands: Demands): Work => ({
  job: { _tag: "Import", isBundled },
  rounds: 7,
  isFresh: true,
  rows: [{
    name: `import, ${isBundled ? "bundled" : "as installed"}`,
    unit: "ms",
    by: "nothing",
    cost: ({ wallMillis }) => wallMillis,
    gate: {},
    goal: {},
    ...demands
  }]
})

const works: ReadonlyArray<Work> = [
  cpu("publish, GET 100 B, 1 at once", get(1), { gate: { most: 1.3 }, goal: { most: 0.9, pubnub: 5, keepAlive: 3 } }),
  cpu("publish, GET 100 B, 16 at once", get(16), {
    limit: 2,
    gate: { most: 1.3 },
    goal: { most: 0.9, pubnub: 5, keepAlive: 3 }
  }),
  cpu("publish, GET 100 B, 128 at once", get(128), {
    gate: { most: 1.3 },
    goal: { most: 0.9, pubnub: 5, keepAlive: 3 }
  }),
  cpu(
    "publish, POST 10 kB, 16 at once",
    { _tag: "Publish", method: "POST", bytes: 10_000, concurrency: 16, count: 2_048 },
    { limit: 2.2, gate: { most: 1.3 }, goal: { most: 0.9 } }
  ),
  cpu("subscribe, pages of 1", pages("Receive", 1), { limit: 2.7, gate: { most: 1.4 }, goal: { most: 1.1 } }),
  cpu("subscribe, pages of 1, schema", pages("Decode", 1), {}),
  cpu("subscribe, pages of 99", pages("Receive", 99), { limit: 4, gate: { most: 1.5 }, goal: { most: 1.2 } }),
  cpu("subscribe, pages of 99, schema", pages("Decode", 99), { limit: 4.5, gate: { most: 1.8 }, goal: { most: 1.4 } }),
  cpu("subscribe, pages of 100", pages("Receive", 100), {}),
  cpu("subscribe, pages of 100, schema", pages("Decode", 100), {}),
  cpu("subscribe, 1,000 channels to 1", pages("Receive", 99, 1_000), {
    base: pages("Receive", 99),
    limit: 2,
    gate: { most: 1.15 },
    goal: { most: 1.15 }
  }),
  cpu("Subscriber, 1 reader", share(1), {}),
  cpu("Subscriber, 100 readers to 1", share(100), {
    base: share(1),
    limit: 2.7,
    gate: { most: 1.5 },
    goal: { most: 1.15 }
  }),
  cpu("Subscriber, 1,000 readers to 1", share(1_000), {
    base: share(1),
    gate: { most: 1.5 },
    goal: { most: 1.15 }
  }),
  cpu("history of 100", { _tag: "History", count: 300 }, { limit: 2.9, gate: { most: 1.5 }, goal: { most: 1.1 } }),
  cpu("users of 100", { _tag: "Users", count: 300 }, { limit: 3.4, gate: { most: 2 }, goal: { most: 1.3 } }),
  // WebCrypto alone, without JSON and without base64, is the measure here.
  cpu("encrypt and decrypt 1 kB", { _tag: "Encrypt", bytes: 1_000, count: 10_000 }, { gate: { most: 1.3 } }),
  cpu("Symphony: send, 16 at once", { _tag: "Send", concurrency: 16, count: 1_024 }, {
    limit: 4.5,
    gate: { most: 1.6 },
    goal: { most: 1.2 }
  }),
  cpu("Symphony: feed, an event", { _tag: "Feed", count: 20_000 }, {
    limit: 3.2,
    gate: { most: 2 },
    goal: { most: 1.4 }
  }),
  {
    job: { _tag: "Latency", count: 1_500 },
    warmUp: { _tag: "Latency", count: 500 },
    rounds: 3,
    isFresh: false,
    rows: [{
      name: "latency, publish to handler",
      unit: "ms",
      by: "undici",
      cost: ({ medianMillis }) => medianMillis,
      gate: { most: 1.3 },
      goal: { most: 1.05 }
    }]
  },
  subscriptions("1,000 subscriptions", 1),
  // The first have paid for compiled code, which the process keeps.
  subscriptions("1,000 more subscriptions", 1_000),
  {
    job: { _tag: "Receive", perPage: 99, channels: 1, count: manyMessages },
    warmUp: { _tag: "Receive", perPage: 99, channels: 1, count: 50_000 },
    rounds: 1,
    isFresh: true,
    rows: [
      {
        name: "RSS after 500,000 messages",
        unit: "MB",
        by: "undici",
        cost: ({ rss }) => rss / 1_000_000,
        gate: { most: 0.8 },
        goal: { most: 0.6 }
      },
      {
        name: "heap growth, a message",
        unit: "B",
        by: "nothing",
        cost: ({ heapGrowth }) => heapGrowth / manyMessages,
        // None, as far as this can be told from noise.
        gate: { most: 1 },
        goal: { most: 0.1 }
      }
    ]
  },
  imported(true, { gate: { most: 50 }, goal: { most: 30 } }),
  imported(false, {})
]

/** The works of a whole run, or of a quick one. */
export const of = (isQuick: boolean): ReadonlyArray<Work> =>
  isQuick ? works.filter(({ rows }) => rows.some(({ limit }) => limit !== undefined)).map(shortened) : works

const shortened = (work: Work): Work => {
  const job = times(1 / 4, work.job)
  return { ...work, job, warmUp: job, ...work.base === undefined ? {} : { base: times(1 / 4, work.base) } }
}
