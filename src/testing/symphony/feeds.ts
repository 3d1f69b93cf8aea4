/** Datafeeds with the events that are not acknowledged. Every function is one synchronous step. */
import * as json from "../server/json.ts"
import type * as longPoll from "../server/longPoll.ts"
import * as recent from "../server/recent.ts"
import type { User } from "./pod.ts"

/** An event. */
export interface Event {
  readonly id: string
  readonly messageId?: string | undefined
  readonly timestamp: number
  readonly type: string
  readonly initiator: User | undefined
  readonly payload: Readonly<Record<string, unknown>>
}

interface Entry {
  readonly size: number
  readonly event: Event
  /** When it is delivered next. It comes again until it is acknowledged. */
  visible: number
}

export interface Feed {
  readonly id: string
  readonly user: User
  readonly tag: string | undefined
  readonly created: number
  lastRead: number
  readonly entries: Set<Entry>
  /** Bounds the events: the oldest go, delivered or not. */
  readonly stored: recent.Recent<Entry>
  /** The events of each acknowledgement that may still come. */
  readonly told: Map<string, ReadonlyArray<Entry>>
  readonly waiters: Set<longPoll.Waiter>
}

export interface Feeds {
  /** Removes feeds that nobody has read for too long. */
  readonly settle: (now: number) => void
  readonly of: (user: User) => ReadonlyArray<Feed>
  readonly all: () => ReadonlyArray<Feed>
  readonly find: (user: User, id: string) => Feed | undefined
  readonly create: (user: User, tag: string | undefined, now: number) => Feed
  readonly remove: (feed: Feed) => void
  /** Adds an event to all feeds of these users, and gives its id. */
  readonly offer: (event: Omit<Event, "id">, users: ReadonlyMap<number, User>) => string
  /** Removes the events of an acknowledgement. `false` if the feed never gave it. */
  readonly acknowledge: (feed: Feed, ackId: string) => boolean
  /** The events that are due, with their acknowledgement. */
  readonly read: (feed: Feed, now: number) => { readonly events: ReadonlyArray<Event>; readonly ackId: string }
  /** Whether events are due. */
  readonly hasNews: (feed: Feed, now: number) => boolean
  /** When the next event is due. */
  readonly nextDue: (feed: Feed) => number | undefined
}

/** Wakes the reads that wait now. One that waits again at once must not be woken twice. */
const wakeAll = ({ waiters }: Feed) => {
  const waiting = [...waiters]
  for (const { wake } of waiting) wake()
}

/** The most events of one answer. */
const pageSize = 100

/** The most acknowledgements that may still come. */
const mostTold = 1_000

export const make = (options: {
  readonly visibilityMillis: number
  readonly lifetimeMillis: number
  readonly storedBytes: number
}): Feeds => {
  const feeds = new Map<string, Feed>()
  let nextFeed = 1
  let nextAck = 1
  let nextEvent = 1

  const isDue = (entry: Entry, now: number) => entry.visible <= now

  const remove = (feed: Feed) => {
    feeds.delete(feed.id)
    wakeAll(feed)
  }

  return {
    settle: (now) => {
      for (const feed of feeds.values()) {
        if (feed.waiters.size === 0 && now - feed.lastRead > options.lifetimeMillis) remove(feed)
      }
    },
    of: (user) => [...feeds.values()].filter((feed) => feed.user === user),
    all: () => [...feeds.values()],
    find: (user, id) => {
      const feed = feeds.get(id)
      return feed?.user === user ? feed : undefined
    },
    create: (user, tag, now) => {
      const id = `${(nextFeed++).toString(16).padStart(32, "0")}_f${tag === undefined ? "" : `_${tag}`}`
      const feed: Feed = {
        id,
        user,
        tag,
        created: now,
        lastRead: now,
        entries: new Set(),
        stored: recent.make(options.storedBytes, ({ size }) => size),
        told: new Map(),
        waiters: new Set()
      }
      feeds.set(id, feed)
      return feed
    },
    remove,
    offer: (told, users) => {
      const event: Event = { ...told, id: `event-${nextEvent++}` }
      const size = 1024 + (Number.isFinite(options.storedBytes) ? json.write(event.payload).length : 0)
      for (const feed of feeds.values()) {
        if (!users.has(feed.user.id)) continue
        const entry: Entry = { event, size, visible: event.timestamp }
        feed.entries.add(entry)
        for (const gone of feed.stored.add(entry)) feed.entries.delete(gone)
        wakeAll(feed)
      }
      return event.id
    },
    acknowledge: (feed, ackId) => {
      const told = feed.told.get(ackId)
      if (told === undefined) return false
      for (const entry of told) {
        feed.entries.delete(entry)
        feed.stored.remove(entry)
      }
      // A read whose answer was lost comes again with the same acknowledgement, never with an older one.
      for (const older of feed.told.keys()) {
        if (older === ackId) break
        feed.told.delete(older)
      }
      return true
    },
    read: (feed, now) => {
      const entries = [...feed.entries].filter((entry) => isDue(entry, now)).slice(0, pageSize)
      for (const entry of entries) entry.visible = now + options.visibilityMillis
      const ackId = `ack-${feed.id.slice(24, 32)}-${nextAck++}`
      feed.told.set(ackId, entries)
      const [oldest] = feed.told.keys()
      if (feed.told.size > mostTold && oldest !== undefined) feed.told.delete(oldest)
      return { events: entries.map(({ event }) => event), ackId }
    },
    hasNews: (feed, now) => [...feed.entries].some((entry) => isDue(entry, now)),
    nextDue: (feed) => {
      let first: number | undefined
      for (const { visible } of feed.entries) if (first === undefined || visible < first) first = visible
      return first
    }
  }
}
