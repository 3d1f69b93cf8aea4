/**
 * The state of one keyset, and every way it changes. Each function is one synchronous step: it is done, or it was never
 * begun. Nothing here waits, and nothing here knows of HTTP.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as actionStore from "./actions.ts"
import type { Draft, Entry } from "./entry.ts"
import type { Filter } from "./filter.ts"
import * as histories from "./history.ts"
import * as objectStore from "./objects.ts"
import * as presences from "./presence.ts"
import type * as longPoll from "../server/longPoll.ts"
import { type Given, merge } from "../server/options.ts"

/** What a keyset is allowed to do. */
export interface AddOns {
  readonly accessManager: boolean
  readonly appContext: boolean
  readonly persistence: boolean
  readonly presence: boolean
  readonly presenceDeltas: boolean
  readonly streamController: boolean
}

/** What a keyset refuses, and how much it keeps. */
export interface Limits {
  readonly maxMessageSize: number
  readonly maxSignalSize: number
  readonly maxUrlSize: number
  readonly maxBodySize: number
  readonly storedBytes: number
  readonly queueLength: number
  readonly queueRetentionMillis: number
  readonly retentionMillis: number
  readonly historyDelayMillis: number
  readonly actionsPageSize: number
}

/** What an event takes of what may be stored: its text, and about as much as it takes without any. */
const sizeOf = ({ meta, payload }: Draft): number => 1024 + payload.length + (meta?.length ?? 0)

interface Arrival {
  /** Where the entry stands in the queue of its readers: later than `timetoken` when it comes from far away. */
  readonly position: bigint
  readonly entry: Entry
}

interface Late {
  readonly due: bigint
  readonly entry: Entry
}

/** In the order in which they are due, and those that are due together in the order in which they came. */
const insert = (queue: Array<Late>, item: Late) =>
  queue.splice(queue.findLastIndex(({ due }) => due <= item.due) + 1, 0, item)

/** Takes out what is due. */
const takeDue = (queue: Array<Late>, now: bigint): ReadonlyArray<Late> => {
  const rest = queue.findIndex(({ due }) => due > now)
  return queue.splice(0, rest === -1 ? queue.length : rest)
}

/** What a poll asks for. */
export interface Subscription {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
  readonly filter: Filter | undefined
}

/** A poll that waits. */
export interface Waiter extends longPoll.Waiter {
  readonly subscription: Subscription
}

/** Who is refused what. Without names, everything is refused. */
export interface Denial {
  readonly channels?: ReadonlyArray<string> | undefined
  readonly groups?: ReadonlyArray<string> | undefined
  readonly userIds?: ReadonlyArray<string> | undefined
}

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** The value of a JSON text, if it is one. */
export const parseJson = (text: string): Option.Option<unknown> => decodeJson(text)

/** The channel behind the name of a presence channel. */
export const withoutPresence = (name: string) =>
  name.endsWith(presences.presenceSuffix) ? name.slice(0, -presences.presenceSuffix.length) : name

const isPresence = (name: string) => name.endsWith(presences.presenceSuffix)

/** `a.*` and `a.b.*`: with more segments, or an asterisk elsewhere, a name is that of one channel. */
const isWildcard = (name: string) => /^[^.*]+(\.[^.*]+)?\.\*$/.test(withoutPresence(name))

/** Whether the subscription needs the Stream Controller add-on. */
export const isMultiplexed = (subscription: Subscription) =>
  subscription.groups.length > 0 || subscription.channels.some(isWildcard)

export type Keyset = ReturnType<typeof make>

/** The log is cleared when it has grown by as many as were left the last time, and by so many at least. */
const leastGrowth = 10_000

export const make = (options: {
  readonly subscribeKey: string
  readonly publishKey: string
  readonly secretKey: string | undefined
  readonly addOns: AddOns
  readonly limits: Limits
  readonly presence: presences.Settings
  readonly moreActions: boolean
}) => {
  const { limits, moreActions, publishKey, secretKey, subscribeKey } = options
  let addOns = options.addOns
  let last = 0n
  let log: Array<Arrival> = []
  let clearAt = leastGrowth
  /** How much the log holds: more than twice what it may, and it is cleared. */
  let logBytes = 0
  const late: Array<Late> = []
  const unstored: Array<Late> = []
  const historyDelay = BigInt(Math.round(limits.historyDelayMillis)) * 10_000n
  const history = histories.make(limits.retentionMillis, limits.storedBytes, sizeOf)
  const groups = new Map<string, Set<string>>()
  const waiters = new Set<Waiter>()
  const tokens = new Map<string, "expired" | "revoked">()
  let denials: Array<Denial> = []

  const members = (group: string): ReadonlySet<string> => groups.get(group) ?? new Set()

  /** How often channels were taken out of each group. */
  const removals = new Map<string, number>()

  let changed = new Set<string>()
  let shrunk = new Set<string>()

  /** Wakes the polls that wait for it, after the step: a poll that is woken goes on at once and must find the whole step. */
  const flush = () => {
    if (changed.size + shrunk.size === 0) return
    const channels = [...changed]
    const smaller = shrunk
    changed = new Set()
    shrunk = new Set()
    const waiting = [...waiters].filter(({ subscription }) => {
      const match = matcher(subscription)
      return channels.some((channel) => match(channel).length > 0) ||
        subscription.groups.some((group) => smaller.has(withoutPresence(group)))
    })
    for (const waiter of waiting) waiter.wake()
  }

  const removeFromGroup = (group: string, channels: ReadonlySet<string>) => {
    const before = members(group)
    const rest = new Set([...before].filter((channel) => !channels.has(channel)))
    if (rest.size === before.size) return
    if (rest.size === 0) groups.delete(group)
    else groups.set(group, rest)
    removals.set(group, (removals.get(group) ?? 0) + 1)
    shrunk.add(group)
  }

  /** The position of whoever starts to read now: all that comes later has a greater one. */
  const position = (now: bigint) => {
    if (now > last) last = now
    return last
  }

  const tick = (now: bigint) => {
    last = now > last ? now : last + 1n
    return last
  }

  /** The oldest position that is still in the queues. */
  const oldestOf = (now: bigint): bigint =>
    Number.isFinite(limits.queueRetentionMillis) ? now - BigInt(limits.queueRetentionMillis) * 10_000n : 0n

  /**
   * Takes out of the log what no reader can get any more: what is too old, and what has a queue of younger events of its
   * own channel before it. Beyond what may be stored, the oldest go.
   */
  const clear = (now: bigint) => {
    const oldest = oldestOf(now)
    const younger = new Map<string, number>()
    const kept: Array<Arrival> = []
    let bytes = 0
    for (let index = log.length - 1; index >= 0; index--) {
      const arrival = log[index]
      if (arrival === undefined || arrival.position <= oldest) break
      const count = younger.get(arrival.entry.channel) ?? 0
      younger.set(arrival.entry.channel, count + 1)
      if (count >= limits.queueLength) continue
      if (bytes + sizeOf(arrival.entry) > limits.storedBytes) break
      bytes += sizeOf(arrival.entry)
      kept.push(arrival)
    }
    log = kept.reverse()
    logBytes = bytes
    clearAt = Math.max(2 * log.length, log.length + leastGrowth)
  }

  /** An event is there: readers find it from here on, and so does history, under the timetoken of its publish. */
  const arrive = (entry: Entry, position: bigint, now: bigint) => {
    if (entry.stored !== undefined && addOns.persistence) {
      if (historyDelay === 0n) history.add(entry, now)
      else insert(unstored, { due: now + historyDelay, entry })
    }
    if (entry.live === false) return
    if (log.length >= clearAt || logBytes > 2 * limits.storedBytes) clear(now)
    log.push({ position, entry })
    logBytes += sizeOf(entry)
    changed.add(entry.channel)
  }

  /** Lets arrive what was under way and is due. Every step begins with it. */
  const settle = (now: bigint) => {
    for (const { due, entry } of takeDue(late, now)) arrive(entry, tick(due), due)
    for (const { due, entry } of takeDue(unstored, now)) history.add(entry, due)
    presence.settle(now)
  }

  const append = (draft: Draft, region: number, now: bigint, delay = 0n): bigint => {
    const timetoken = tick(now)
    const entry: Entry = {
      ...draft,
      region: draft.region ?? region,
      timetoken,
      data: Option.getOrUndefined(parseJson(draft.payload)),
      metadata: draft.meta === undefined ? undefined : Option.getOrUndefined(parseJson(draft.meta))
    }
    if (delay === 0n) {
      arrive(entry, timetoken, now)
    } else {
      insert(late, { due: now + delay, entry })
      // Who waits already has to learn when to look again.
      if (entry.live !== false) changed.add(entry.channel)
    }
    return timetoken
  }

  const presence = presences.make({
    settings: options.presence,
    deltas: () => addOns.presenceDeltas,
    append,
    position,
    stir: (channel) => changed.add(channel + presences.presenceSuffix)
  })

  const actions = actionStore.make({ tick, append, storedBytes: limits.storedBytes })
  const objects = objectStore.make(append)

  const matchers = new WeakMap<Subscription, (channel: string) => ReadonlyArray<string>>()

  /** The subscribed names that a channel matches, each of which gets the event once. */
  const matcher = (subscription: Subscription) => {
    const made = matchers.get(subscription) ?? makeMatcher(subscription)
    matchers.set(subscription, made)
    return made
  }

  const makeMatcher = (subscription: Subscription) => {
    const names = new Set(subscription.channels)
    const wildcards = subscription.channels.filter(isWildcard)
    return (channel: string): ReadonlyArray<string> => {
      const base = withoutPresence(channel)
      const matches = names.has(channel) ? [channel] : []
      for (const wildcard of wildcards) {
        const prefix = withoutPresence(wildcard).slice(0, -1)
        if (isPresence(wildcard) === isPresence(channel) && base.startsWith(prefix)) matches.push(wildcard)
      }
      for (const group of subscription.groups) {
        const found = isPresence(group)
          ? isPresence(channel) && members(withoutPresence(group)).has(base)
          : members(group).has(channel)
        if (found) matches.push(group)
      }
      return matches
    }
  }

  /** The `b` of an envelope is left out by a connection that is subscribed to one plain channel and nothing else. */
  const isSingle = ({ channels, groups }: Subscription) =>
    groups.length === 0 && channels.length === 1 && channels.every((name) => !isPresence(name) && !isWildcard(name))

  const envelope = (entry: Entry, match: string, single: boolean): string =>
    entry.raw ?? `{${
      [
        `"a":"3","f":514`,
        entry.type === undefined || entry.type === 0 ? undefined : `"e":${entry.type}`,
        entry.publisher === undefined ? undefined : `"i":${JSON.stringify(entry.publisher)}`,
        `"p":{"t":"${entry.timetoken}","r":${entry.region}}`,
        `"k":${JSON.stringify(subscribeKey)}`,
        `"c":${JSON.stringify(entry.channel)}`,
        entry.meta === undefined ? undefined : `"u":${entry.meta}`,
        `"d":${entry.payload}`,
        entry.customMessageType === undefined ? undefined : `"cmt":${JSON.stringify(entry.customMessageType)}`,
        single ? undefined : `"b":${JSON.stringify(match)}`
      ].filter((part) => part !== undefined).join(",")
    }}`

  /** The index of the first arrival after a position. */
  const after = (cursor: bigint) => {
    let low = 0
    let high = log.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const arrival = log[middle]
      if (arrival !== undefined && arrival.position <= cursor) low = middle + 1
      else high = middle
    }
    return low
  }

  /**
   * What a reader at a cursor gets: the newest of what came after it, in order of arrival. What no longer fits in its
   * queue is dropped without a word.
   */
  const read = (subscription: Subscription, cursor: bigint, now: bigint, maxPage: number) => {
    const match = matcher(subscription)
    const single = isSingle(subscription)
    const oldest = oldestOf(now)
    const start = after(cursor > oldest ? cursor : oldest)
    const queue: Array<{ readonly position: bigint; readonly envelope: string }> = []
    for (let index = log.length - 1; index >= start && queue.length < limits.queueLength; index--) {
      const arrival = log[index]
      if (arrival === undefined) break
      const { entry, position } = arrival
      const matches = match(entry.channel)
      if (matches.length === 0) continue
      const subject = { data: entry.data, meta: entry.metadata, uuid: entry.publisher }
      if (subscription.filter !== undefined && !subscription.filter(subject)) continue
      for (const name of matches.toReversed()) {
        if (queue.length < limits.queueLength) queue.push({ position, envelope: envelope(entry, name, single) })
      }
    }
    queue.reverse()
    // A page ends between positions: the cursor after it could not tell two envelopes of one event apart.
    const full = queue[maxPage - 1]?.position
    const page = full === undefined ? queue : queue.filter(({ position }) => position <= full)
    const end = page.at(-1)?.position
    return end === undefined ? undefined : { cursor: end, envelopes: page.map(({ envelope }) => envelope) }
  }

  /** Whether a subscription stands for no channels at all: only groups, and nothing in them. */
  const isEmpty = ({ channels, groups }: Subscription): boolean =>
    channels.length === 0 && groups.every((group) => members(withoutPresence(group)).size === 0)

  /** The plain channels that a list of channels and groups stands for: where a user can be present. */
  const places = ({ channels, groups }: Pick<Subscription, "channels" | "groups">): ReadonlyArray<string> => {
    const plain = (name: string) => !isPresence(name) && !isWildcard(name)
    return [...new Set([...channels, ...groups.flatMap((group) => [...members(group)])])].filter(plain)
  }

  /**
   * The names that a user may not touch. With Access Manager on, who shows neither a token nor a signature may touch none;
   * a signature was looked at before.
   */
  const refused = (query: ReadonlyMap<string, string>, wanted: Pick<Subscription, "channels" | "groups">) => {
    const isSigned = secretKey !== undefined && query.has("signature")
    if (addOns.accessManager && !isSigned && (query.get("auth") ?? "") === "") return wanted
    const uuid = query.get("uuid") ?? ""
    const mine = denials.filter(({ userIds }) => userIds === undefined || userIds.includes(uuid))
    const isRefused = (kind: "channels" | "groups") => (name: string) =>
      mine.some((denial) =>
        denial.channels === undefined && denial.groups === undefined ||
        denial[kind]?.includes(withoutPresence(name)) === true
      )
    return {
      channels: wanted.channels.filter(isRefused("channels")),
      groups: wanted.groups.filter(isRefused("groups"))
    }
  }

  return {
    subscribeKey,
    publishKey,
    secretKey,
    limits,
    moreActions,
    addOns: () => addOns,
    setAddOns: (changes: Given<AddOns>) => {
      addOns = merge("addOns of PubNubEmulator", addOns, changes)
    },
    position,
    settle,
    flush,
    /** When something happens by itself. */
    nextDue: () => {
      const [arrival, sign] = [late[0]?.due, presence.nextDue()]
      return arrival === undefined || sign !== undefined && sign < arrival ? sign : arrival
    },
    append,
    read,
    isEmpty,
    history,
    actions,
    objects,
    places,
    presence,
    members,
    groups: (): ReadonlyArray<string> => [...groups.keys()],
    addToGroup: (group: string, channels: ReadonlyArray<string>) => {
      groups.set(group, new Set([...members(group), ...channels]))
      // What came to them before is there for the group now.
      for (const channel of channels) {
        changed.add(channel)
        changed.add(channel + presences.presenceSuffix)
      }
    },
    removeFromGroup: (group: string, channels: ReadonlyArray<string>) => removeFromGroup(group, new Set(channels)),
    deleteGroup: (group: string) => removeFromGroup(group, members(group)),
    removals: (subscription: Pick<Subscription, "groups">): number =>
      subscription.groups.reduce((total, group) => total + (removals.get(withoutPresence(group)) ?? 0), 0),
    waiters,
    refused,
    deny: (denial: Denial) => {
      denials = [...denials, denial]
    },
    allow: () => {
      denials = []
    },
    /** Why a token is good for nothing, if it is. */
    useless: (token: string | undefined) => token === undefined ? undefined : tokens.get(token),
    spoil: (token: string, why: "expired" | "revoked") => {
      tokens.set(token, why)
    }
  }
}
