/**
 * What is measured, and what does the measured work: the vocabulary that all files here share.
 */

/** One sample's work. It crosses a process boundary, so it is plain data. */
export type Job =
  | {
    readonly _tag: "Publish"
    readonly method: "GET" | "POST"
    /** Of the payload as JSON text. */
    readonly bytes: number
    readonly concurrency: number
    readonly count: number
  }
  | { readonly _tag: "Receive"; readonly perPage: number; readonly count: number }
  | { readonly _tag: "Latency"; readonly count: number }
  | { readonly _tag: "Import" }

export interface Sample {
  readonly count: number
  /** Of the whole client process, garbage collection and compilation included. */
  readonly cpuMicros: number
  readonly wallMillis: number
  /** Of the latencies of a `Latency` job, in milliseconds. */
  readonly medianMillis: number
  /** Of the used heap, after a full collection before and after the work. */
  readonly heapGrowthMb: number
  /** Right after the work, before any collection. */
  readonly rssMb: number
}

export const contenders = ["undici", "effect-herald", "pubnub", "pubnub keep-alive"] as const

export type ContenderName = typeof contenders[number]

/** Bare undici: every cost is told as a multiple of its cost in the same round. */
export const floor = "undici" satisfies ContenderName

/** One client library, in the way in which its users would write it. */
export interface Contender {
  /** So many workers, each sending its share one after the other. */
  readonly publish: (options: {
    readonly message: unknown
    readonly method: "GET" | "POST"
    readonly concurrency: number
    readonly count: number
  }) => Promise<void>
  /** Resolves when so many messages were handed to a handler, one by one. */
  readonly receive: (channel: string, count: number) => Promise<void>
  /** From each call of publish to the call of the handler, in milliseconds. */
  readonly latencies: (channel: string, message: unknown, count: number) => Promise<ReadonlyArray<number>>
}

/** Between two messages of a latency sample: time for the long poll to be back at the server. */
export const pauseMillis = 1

export const keys = { subscribeKey: "sub-c-bench", publishKey: "pub-c-bench" } as const

/** A value whose JSON text has so many bytes. */
export const payload = (bytes: number): { readonly text: string } => ({
  text: "x".repeat(bytes - JSON.stringify({ text: "" }).length)
})
