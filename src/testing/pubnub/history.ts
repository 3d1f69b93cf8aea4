/** The messages that a keyset keeps. */
import type { Entry } from "./entry.ts"
import * as recent from "../server/recent.ts"

const hour = 36_000_000_000n

/** A part of a channel's messages, from one index up to another, which is not in it. */
type Range = readonly [from: number, to: number]

/** Which messages are asked for: the newest `max` of them, or the oldest. */
export interface Selection {
  /** After this one, which is not among them. */
  readonly after?: bigint | undefined
  /** From this one on. */
  readonly from?: bigint | undefined
  /** Up to this one, which is not among them. */
  readonly before?: bigint | undefined
  /** Up to this one. */
  readonly until?: bigint | undefined
}

interface Kept {
  readonly entry: Entry
  /** When it goes, or `undefined` when it stays for ever. */
  readonly expiry: bigint | undefined
}

interface Channel {
  /** By timetoken, oldest first. */
  kept: Array<Kept>
  /** Before this nothing goes, so that most reads need not look. */
  nextExpiry: bigint | undefined
  /** A channel that nobody reads is cleared of what has expired when it has as many messages as this. */
  clearAt: number
}

/** By how many messages a channel grows, at the least, before it is cleared. */
const leastGrowth = 10_000

/** The index of the first message whose timetoken is not less than this one. */
const search = (kept: ReadonlyArray<Kept>, timetoken: bigint): number => {
  let low = 0
  let high = kept.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const found = kept[middle]
    if (found !== undefined && found.entry.timetoken < timetoken) low = middle + 1
    else high = middle
  }
  return low
}

const rangeOf = (kept: ReadonlyArray<Kept>, { after, before, from, until }: Selection): Range => {
  const start = Math.max(
    after === undefined ? 0 : search(kept, after + 1n),
    from === undefined ? 0 : search(kept, from)
  )
  const end = Math.min(
    before === undefined ? kept.length : search(kept, before),
    until === undefined ? kept.length : search(kept, until + 1n)
  )
  return [start, Math.max(start, end)]
}

/** The messages of one keyset, by channel. Beyond so many bytes the oldest of all go. */
export const make = (retentionMillis: number, storedBytes: number, sizeOf: (entry: Entry) => number) => {
  const retention = Number.isFinite(retentionMillis) ? BigInt(Math.round(retentionMillis)) * 10_000n : undefined
  const channels = new Map<string, Channel>()
  const stored = recent.make<Kept>(storedBytes, ({ entry }) => sizeOf(entry))

  const expiryOf = ({ stored, timetoken }: Entry): bigint | undefined => {
    const ttl = stored?.ttl
    if (ttl === 0) return undefined
    if (ttl !== undefined && ttl > 0 && Number.isFinite(ttl)) return timetoken + BigInt(Math.round(ttl * Number(hour)))
    return retention === undefined ? undefined : timetoken + retention
  }

  const clear = (channel: Channel, now: bigint) => {
    if (channel.nextExpiry !== undefined && channel.nextExpiry <= now) {
      const isGone = ({ expiry }: Kept) => expiry !== undefined && expiry <= now
      for (const kept of channel.kept.filter(isGone)) stored.remove(kept)
      channel.kept = channel.kept.filter((kept) => !isGone(kept))
      channel.nextExpiry = channel.kept.reduce<bigint | undefined>(
        (next, { expiry }) => expiry !== undefined && (next === undefined || expiry < next) ? expiry : next,
        undefined
      )
    }
    channel.clearAt = Math.max(2 * channel.kept.length, channel.kept.length + leastGrowth)
  }

  const add = (entry: Entry, now: bigint) => {
    let channel = channels.get(entry.channel)
    if (channel === undefined) {
      channel = { kept: [], nextExpiry: undefined, clearAt: leastGrowth }
      channels.set(entry.channel, channel)
    }
    if (channel.kept.length >= channel.clearAt) clear(channel, now)
    const { kept, nextExpiry } = channel
    const expiry = expiryOf(entry)
    if (expiry !== undefined && (nextExpiry === undefined || expiry < nextExpiry)) channel.nextExpiry = expiry
    const newest = kept.at(-1)
    const message: Kept = { entry, expiry }
    // Only what comes from far away is older than what is there.
    if (newest === undefined || newest.entry.timetoken < entry.timetoken) kept.push(message)
    else kept.splice(search(kept, entry.timetoken), 0, message)
    for (const { entry } of stored.add(message)) drop(entry)
  }

  /** Makes room. */
  const drop = ({ channel: name, timetoken }: Entry) => {
    const channel = channels.get(name)
    if (channel === undefined) return
    channel.kept.splice(search(channel.kept, timetoken), 1)
    if (channel.kept.length === 0) channels.delete(name)
  }

  /** What is left of a channel: a message that has expired is gone. */
  const keptOf = (name: string, now: bigint): ReadonlyArray<Kept> => {
    const channel = channels.get(name)
    if (channel === undefined) return []
    clear(channel, now)
    return channel.kept
  }

  return {
    add,
    /** Oldest first, whichever end of the selection the page is taken from. */
    page: (name: string, now: bigint, selection: Selection, max: number, oldest = false): ReadonlyArray<Entry> => {
      const kept = keptOf(name, now)
      const [start, end] = rangeOf(kept, selection)
      return (oldest ? kept.slice(start, Math.min(end, start + max)) : kept.slice(Math.max(start, end - max), end))
        .map(({ entry }) => entry)
    },
    count: (name: string, now: bigint, selection: Selection): number => {
      const [start, end] = rangeOf(keptOf(name, now), selection)
      return end - start
    },
    remove: (name: string, selection: Selection) => {
      const channel = channels.get(name)
      if (channel === undefined) return
      const [start, end] = rangeOf(channel.kept, selection)
      for (const kept of channel.kept.splice(start, end - start)) stored.remove(kept)
    }
  }
}
