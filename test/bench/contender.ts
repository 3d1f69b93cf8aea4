/**
 * What is measured, and what does the measured work: the vocabulary that all files here share.
 */
import { setImmediate, setTimeout } from "node:timers/promises"

interface Jobs {
  readonly Publish: {
    readonly method: "GET" | "POST"
    /** Of the payload as JSON text. */
    readonly bytes: number
    /** How many workers publish, each one message after the other. */
    readonly concurrency: number
    readonly count: number
  }
  /** One subscription reads until it has `count` messages. A handler takes them one by one. */
  readonly Receive: Reading
  /** The same with a schema for payloads. */
  readonly Decode: Reading
  /** Each channel has a subscription of its own, over shared connections. All together read `count` messages. */
  readonly Share: Reading
  /** Publishes one message after the other, and measures how long each takes to its handler. */
  readonly Latency: { readonly count: number }
  /** Asks for a page of 100 messages of history, so many times. */
  readonly History: { readonly count: number }
  /** Asks for a page of 100 users, so many times. */
  readonly Users: { readonly count: number }
  /** Encrypts and decrypts a message of so many bytes, one after the other. Nothing is sent. */
  readonly Encrypt: { readonly bytes: number; readonly count: number }
  /** Sends messages to a stream of Symphony. */
  readonly Send: { readonly concurrency: number; readonly count: number }
  /** Reads events of a datafeed of Symphony, in pages of 100. */
  readonly Feed: { readonly count: number }
  /** Adds so many subscriptions one by one, each to its own channel with a name of so many characters, and keeps them. */
  readonly Subscribe: { readonly count: number; readonly nameLength: number }
  /** Imports what a first publish and a first subscription need: bundled, or as it is installed. */
  readonly Import: { readonly isBundled: boolean }
}

interface Reading {
  readonly channels: number
  /** Messages of a page. They are for all channels in turn. */
  readonly perPage: number
  readonly count: number
}

type JobName = keyof Jobs
type JobOf<Name extends JobName> = { readonly [K in Name]: { readonly _tag: K } & Jobs[K] }[Name]

/** One sample's work. It crosses a process boundary, so it is plain data. */
export type Job = JobOf<JobName>

export interface Sample {
  readonly count: number
  /** Of the whole client process, garbage collection and compilation included. */
  readonly cpuMicros: number
  readonly wallMillis: number
  /** Of the latencies of a `Latency` job, in milliseconds. */
  readonly medianMillis: number
  /** Of the used heap, after a full collection before and after the work. Means nothing in a process that does not collect. */
  readonly heapGrowth: number
  /** In bytes, right after the work, before any collection. */
  readonly rss: number
}

export const contenders = [
  "undici",
  "dispatch",
  "Effect alone",
  "effect-herald",
  "stock layer",
  "pubnub",
  "pubnub keepAlive"
] as const

export type ContenderName = typeof contenders[number]

/** Bare undici: a cost is given as a multiple of its cost in the same round. */
export const floor = "undici" satisfies ContenderName

/**
 * One client library, used as its users would use it: a function for each job that it can do. `id` differs from sample to
 * sample and is part of all names, so no sample reads the messages of another one.
 */
export type Contender = {
  readonly [Name in Exclude<JobName, "Import">]?: (
    job: JobOf<Name>,
    id: string
  ) => Promise<Name extends "Latency" ? ReadonlyArray<number> : unknown>
}

export const keys = { subscribeKey: "sub-c-bench", publishKey: "pub-c-bench" } as const

/** A record whose JSON text has so many bytes. */
export const payload = (bytes: number): { readonly id: number; readonly price: number; readonly text: string } => {
  const empty = { id: 12345, price: 99.5, text: "" }
  return { ...empty, text: "x".repeat(bytes - JSON.stringify(empty).length) }
}

/** The channels of a job that reads. The server learns from a name what it has to send (see server.ts). */
export const channelsOf = ({ channels, count, perPage }: Reading, id: string): ReadonlyArray<string> =>
  Array.from({ length: channels }, (_, index) => ["pages", id, channels, perPage, count, index].join("-"))

/** The names of a `Subscribe` job. */
export const namesOf = ({ count, nameLength }: JobOf<"Subscribe">, id: string): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${id}${index}`.padStart(nameLength, "c"))

/** Adds subscriptions, with a turn of the event loop between two, and waits until a poll for all of them is under way. */
export const subscribeInTurn = async (names: ReadonlyArray<string>, subscribe: (name: string) => void) => {
  for (const name of names) {
    subscribe(name)
    await setImmediate()
  }
  await setTimeout(1_000)
}

/** Does a step `count` times, with so many at once. */
export const times = async (count: number, concurrency: number, step: () => Promise<unknown>): Promise<void> => {
  await Promise.all(Array.from({ length: concurrency }, async () => {
    for (let done = 0; done < count / concurrency; done++) await step()
  }))
}

/** Between two messages of a latency sample: time for the long poll to be back at the server. */
export const pauseMillis = 1

/** From the call of `publish` to the call of `handle`, in milliseconds. */
export const measureLatencies = async (
  count: number,
  subscribe: (handle: () => void) => unknown,
  publish: () => Promise<unknown>
): Promise<ReadonlyArray<number>> => {
  const latencies: Array<number> = []
  let arrived = () => {}
  subscribe(() => arrived())
  for (let sent = 0; sent < count; sent++) {
    await setTimeout(pauseMillis)
    const start = performance.now()
    const arrival = new Promise<void>((resolve) => {
      arrived = () => {
        latencies.push(performance.now() - start)
        resolve()
      }
    })
    await Promise.all([publish(), arrival])
  }
  return latencies
}

/** What an application imports for a first publish and a first subscription. Empty for a contender that can do only one of them. */
export const modulesOf = (name: ContenderName): ReadonlyArray<string> => {
  switch (name) {
    case "undici":
    case "dispatch":
      return ["undici"]
    case "Effect alone":
      return []
    case "effect-herald":
      return [...ours, "effect-herald/node/NodePubNub"]
    case "stock layer":
      return [...ours, "effect-herald/pubnub/PubNubConfig", "@effect/platform-node/NodeHttpClient"]
    case "pubnub":
    case "pubnub keepAlive":
      return ["pubnub"]
  }
}
const ours = ["effect-herald/pubnub/Publish", "effect-herald/pubnub/Subscribe"]
