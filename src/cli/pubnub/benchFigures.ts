/**
 * The figures of `herald bench`.
 */
import * as Record from "effect/Record"
import type { Sample } from "./benchChart.ts"

/** What one direction did. Latencies are in milliseconds since a message was sent. */
export interface Figures {
  readonly messages: number
  readonly missing: number
  readonly perSecond: number
  readonly latencyMillis: { readonly [rank: string]: number | null }
}

/** The share of messages that were at least as fast. */
export const ranks = { median: 0.5, p95: 0.95, p99: 0.99, max: 1 }

/** The figures of all messages that were accepted, or that arrived. */
export const of = (samples: ReadonlyArray<Sample>, end: "accepted" | "arrived"): Figures => {
  const ended = samples.flatMap(({ [end]: at, sent }) => at === undefined ? [] : [{ at, latency: at - sent }])
  const latencies = ended.map(({ latency }) => latency).toSorted((one, other) => one - other)
  const ofShare = (share: number) => rounded(latencies[Math.ceil(share * latencies.length) - 1])
  const first = samples.reduce((least, { sent }) => Math.min(least, sent), Number.POSITIVE_INFINITY)
  const last = ended.reduce((most, { at }) => Math.max(most, at), Number.NEGATIVE_INFINITY)
  return {
    messages: ended.length,
    missing: samples.length - ended.length,
    perSecond: rounded(ended.length / (last - first) * 1_000) ?? 0,
    latencyMillis: Record.map(ranks, ofShare)
  }
}

const rounded = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : Math.round(value * 100) / 100
