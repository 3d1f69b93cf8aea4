/** The stored messages of a keyset. */
import type { Entry } from "./entry.ts"
import * as recent from "../server/recent.ts"

const hour = 36_000_000_000n

/** A range of a channel's messages, without its last index. */
type Range = readonly [from: number, to: number]

/** The bounds of a query. */
export interface Selection {
  /** Exclusive. */
  readonly after?: bigint | undefined
  /** Inclusive. */
  readonly from?: bigint | undefined
  /** Exclusive. */
  readonly before?: bigint | undefined
  /** Inclusive. */
  readonly until?: bigint | undefined
}

interface Kept {
  readonly entry: Entry
  /** When it expires; `undefined` for never. */
  readonly expiry: bigint | undefined
}

interface Channel {
  /** By timetoken, oldest first. */
  kept: Array<Kept>
  /** No message expires before this, so most reads need not look. */
  nextExpiry: bigint | undefined
  /** At this many messages, expired ones are removed even if nobody reads the channel. */
  clearAt: number
}

/** A channel grows by at least this many messages before expired ones are removed. */
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

/** The messages of one keyset by channel. Beyond `storedBytes` the oldest of all channels go. */
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
    // Only a message of another region can be older than the newest one.
    if (newest === undefined || newest.entry.timetoken < entry.timetoken) kept.push(message)
    else kept.splice(search(kept, entry.timetoken), 0, message)
    for (const { entry } of stored.add(message)) drop(entry)
  }

  /** Removes a message for which there is no room. */
  const drop = ({ channel: name, timetoken }: Entry) => {
    const channel = channels.get(name)
    if (channel === undefined) return
    channel.kept.splice(search(channel.kept, timetoken), 1)
    if (channel.kept.length === 0) channels.delete(name)
  }

  /** The messages of a channel that have not expired. */
  const keptOf = (name: string, now: bigint): ReadonlyArray<Kept> => {
    const channel = channels.get(name)
    if (channel === undefined) return []
    clear(channel, now)
    return channel.kept
  }

  return {
    add,
    /** The newest `max` messages of a selection, or with `oldest` the oldest; always oldest first. */
    page: (name: string, now: bigint, selection: Selection, max: number, oldest = false): ReadonlyArray<Entry> => {
      const kept = keptOf(name, now)
      const [start, end] = rangeOf(kept, selection)
      return (oldest ? kept.slice(start, Math.min(end, start + max)) : kept.slice(Math.max(start, end - max), end))
        .map(({ entry }) => entry)
    },
    channels: (): Iterable<string> => channels.keys(),
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
