/**
 * The state of one keyset and all of its changes. Each function is one synchronous step, which is done or not begun.
 * Nothing here waits or knows HTTP.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as actionStore from "./messageActions.ts"
import type { Draft, Entry } from "./entry.ts"
import * as fileStore from "./files.ts"
import type { Filter } from "./filter.ts"
import * as grants from "./grants.ts"
import * as histories from "./history.ts"
import * as objectStore from "./appContext.ts"
import * as presences from "./presence.ts"
import * as pushDevices from "./pushDevices.ts"
import type * as rights from "./rights.ts"
import type * as longPoll from "../server/longPoll.ts"
import type { Answer } from "../server/message.ts"
import { type Given, merge } from "../server/options.ts"

/** The add-ons of a keyset. */
export interface AddOns {
  readonly accessManager: boolean
  readonly appContext: boolean
  readonly disallowGetAllChannels: boolean
  readonly disallowGetAllUsers: boolean
  readonly mobilePush: boolean
  readonly files: boolean
  readonly persistence: boolean
  readonly presence: boolean
  readonly presenceDeltas: boolean
  readonly streamController: boolean
}

/** The limits of a keyset. */
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
  readonly maxFileSize: number
  readonly fileRetentionMillis: number
}

/** The size of a stored event: its text, and 1 KiB for the rest. */
const sizeOf = ({ meta, payload }: Draft): number => 1024 + payload.length + (meta?.length ?? 0)

interface Arrival {
  /** The place in the queues of readers: later than `timetoken` for an event of another region. */
  readonly position: bigint
  readonly entry: Entry
}

interface Late {
  readonly due: bigint
  readonly entry: Entry
}

/** Keeps the queue in the order of `due`, and of arrival where that is equal. */
const insert = (queue: Array<Late>, item: Late) =>
  queue.splice(queue.findLastIndex(({ due }) => due <= item.due) + 1, 0, item)

/** Removes and gives the items that are due. */
const takeDue = (queue: Array<Late>, now: bigint): ReadonlyArray<Late> => {
  const rest = queue.findIndex(({ due }) => due > now)
  return queue.splice(0, rest === -1 ? queue.length : rest)
}

/** The channels, groups and filter of a poll. */
export interface Subscription {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
  readonly filter: Filter | undefined
}

/** A poll that waits. */
export interface Waiter extends longPoll.Waiter {
  readonly subscription: Subscription
}

/** A token that a test or a request made useless, as they wrote it. */
export interface SpoiledToken {
  readonly token: string
  readonly reason: "expired" | "revoked"
}

/** Requests that are refused. Without names: all of them. */
export interface Denial {
  readonly channels?: ReadonlyArray<string> | undefined
  readonly groups?: ReadonlyArray<string> | undefined
  readonly userIds?: ReadonlyArray<string> | undefined
}

const decodeJson = Schema.decodeUnknownOption(Schema.fromJsonString(Schema.Unknown))

/** The names that a request uses. */
export type Wanted = { readonly [kind in rights.Kind]?: ReadonlyArray<string> }

/** The value of a JSON text, if it is one. */
export const parseJson = (text: string): Option.Option<unknown> => decodeJson(text)

/** The channel behind the name of a presence channel. */
export const withoutPresence = (name: string) =>
  name.endsWith(presences.presenceSuffix) ? name.slice(0, -presences.presenceSuffix.length) : name

const isPresence = (name: string) => name.endsWith(presences.presenceSuffix)

/** `a.*` and `a.b.*`. With more segments, or an asterisk elsewhere, it is the name of one channel. */
const isWildcard = (name: string) => /^[^.*]+(\.[^.*]+)?\.\*$/.test(withoutPresence(name))

/** Whether the subscription needs the Stream Controller add-on. */
export const isMultiplexed = (subscription: Subscription) =>
  subscription.groups.length > 0 || subscription.channels.some(isWildcard)

export type Keyset = ReturnType<typeof make>

/** The log is cleared when it has doubled, and has grown by at least this many. */
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
  /** The size of the log. Beyond twice its limit, it is cleared. */
  let logBytes = 0
  const late: Array<Late> = []
  const unstored: Array<Late> = []
  const historyDelay = BigInt(Math.round(limits.historyDelayMillis)) * 10_000n
  const history = histories.make(limits.retentionMillis, limits.storedBytes, sizeOf)
  const groups = new Map<string, Set<string>>()
  const waiters = new Set<Waiter>()
  const spoiled = new Map<string, SpoiledToken>()
  const access = grants.make()
  let denials: Array<Denial> = []

  const members = (group: string): ReadonlySet<string> => groups.get(group) ?? new Set()

  /** How often channels were taken out of each group. */
  const removals = new Map<string, number>()

  let changed = new Set<string>()
  let shrunk = new Set<string>()

  /** Wakes the polls that wait for the changes of a step, after the step: they run at once and must see all of it. */
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

  /** The position of a reader that starts now. Everything that comes later has a greater one. */
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
   * Removes events that no reader can get any more: those that are too old, and those with a whole queue of younger events
   * on their own channel. Beyond `storedBytes` the oldest go.
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

  /** Adds an event for readers and for history. */
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

  /** Adds delayed events that are due. Every step begins with it. */
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
      // A poll that waits must learn when to look again.
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
  const push = pushDevices.make()
  const files = fileStore.make({
    subscribeKey,
    retentionMillis: limits.fileRetentionMillis,
    storedBytes: limits.storedBytes
  })

  const matchers = new WeakMap<Subscription, (channel: string) => ReadonlyArray<string>>()

  /** The subscribed names that match a channel. The event is delivered once for each. */
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

  /** A subscription to one plain channel gets envelopes without `b`. */
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
   * The newest events after a cursor, in order of arrival. Older ones that do not fit in the queue are dropped silently.
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
    // A page ends between positions, because a cursor cannot tell two envelopes of one event apart.
    const full = queue[maxPage - 1]?.position
    const page = full === undefined ? queue : queue.filter(({ position }) => position <= full)
    const end = page.at(-1)?.position
    return end === undefined ? undefined : { cursor: end, envelopes: page.map(({ envelope }) => envelope) }
  }

  /** The newest events of one channel or of all that a reader can still get, oldest first. */
  const newest = (channel: string | undefined, most: number, now: bigint): ReadonlyArray<Entry> => {
    const oldest = oldestOf(now)
    const found: Array<Entry> = []
    for (let index = log.length - 1; index >= 0 && found.length < most; index--) {
      const arrival = log[index]
      if (arrival === undefined || arrival.position <= oldest) break
      if (channel === undefined || arrival.entry.channel === channel) found.push(arrival.entry)
    }
    return found.reverse()
  }

  /** The names of all channels of which something is known. */
  const channelNames = (): ReadonlySet<string> =>
    new Set([
      ...log.map(({ entry }) => withoutPresence(entry.channel)),
      ...history.channels(),
      ...actions.channels(),
      ...presence.occupied(),
      ...objects.all("channel").keys(),
      ...objects.memberships().map(({ channel }) => channel)
    ])

  /** Whether a subscription has only groups, and these have no channels. */
  const isEmpty = ({ channels, groups }: Subscription): boolean =>
    channels.length === 0 && groups.every((group) => members(withoutPresence(group)).size === 0)

  /** The plain channels of a list of channels and groups: those where a user can be present. */
  const places = ({ channels, groups }: Pick<Subscription, "channels" | "groups">): ReadonlyArray<string> => {
    const plain = (name: string) => !isPresence(name) && !isWildcard(name)
    return [...new Set([...channels, ...groups.flatMap((group) => [...members(group)])])].filter(plain)
  }

  const isSigned = (query: ReadonlyMap<string, string>) => secretKey !== undefined && query.has("signature")

  /**
   * The names that a request must not use. With Access Manager, these are the names that its token gives no right on, and all names
   * for a request that has neither a token nor a signature. Signatures are checked earlier.
   */
  const refused = (query: ReadonlyMap<string, string>, operation: rights.Operation, wanted: Wanted) => {
    const { channels = [], groups = [], uuids = [] } = wanted
    const isChecked = addOns.accessManager && !isSigned(query)
    const auth = query.get("auth") ?? ""
    if (isChecked && auth === "") return { channels, groups, uuids }
    const uuid = query.get("uuid") ?? ""
    const mine = denials.filter(({ userIds }) => userIds === undefined || userIds.includes(uuid))
    const isRefused = (kind: rights.Kind) => (name: string) =>
      isChecked && !access.allows(auth, operation, kind, name) ||
      mine.some((denial) =>
        denial.channels === undefined && denial.groups === undefined ||
        denial[kind === "uuids" ? "channels" : kind]?.includes(withoutPresence(name)) === true
      )
    return {
      channels: channels.filter(isRefused("channels")),
      groups: groups.filter(isRefused("groups")),
      uuids: uuids.filter(isRefused("uuids"))
    }
  }

  /** Whether a request may list all channels or users. Where the keyset disallows it, only a category of its token allows it. */
  const mayList = (query: ReadonlyMap<string, string>, kind: "channels" | "uuids"): boolean =>
    !(kind === "channels" ? addOns.disallowGetAllChannels : addOns.disallowGetAllUsers) || isSigned(query) ||
    access.allowsList(query.get("auth") ?? "", kind)

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
    /** When something happens without a request. */
    nextDue: () => {
      const [arrival, sign] = [late[0]?.due, presence.nextDue()]
      return arrival === undefined || sign !== undefined && sign < arrival ? sign : arrival
    },
    append,
    read,
    newest,
    channelNames,
    isEmpty,
    history,
    actions,
    objects,
    push,
    files,
    places,
    presence,
    members,
    groups: (): ReadonlyArray<string> => [...groups.keys()],
    addToGroup: (group: string, channels: ReadonlyArray<string>) => {
      groups.set(group, new Set([...members(group), ...channels]))
      // The group now has the earlier events of these channels.
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
    mayList,
    deny: (denial: Denial) => {
      denials = [...denials, denial]
    },
    allow: () => {
      denials = []
    },
    spoiled,
    access,
    isSigned,
    /** Why the token of a request is refused, if it is. */
    useless: (query: ReadonlyMap<string, string>, now: bigint): "revoked" | grants.Fault | undefined => {
      const token = query.get("auth") ?? ""
      if (token === "") return undefined
      return spoiled.get(grants.normal(token))?.reason ??
        (addOns.accessManager && !isSigned(query) ? access.faultOf(token, query.get("uuid") ?? "", now) : undefined)
    },
    spoil: (token: string, reason: SpoiledToken["reason"]) => {
      spoiled.set(grants.normal(token), { token, reason })
    },
    /** Why a token cannot be revoked, if it cannot. */
    irrevocable: (token: string, now: bigint): Answer | undefined =>
      access.irrevocable(token, now, spoiled.get(grants.normal(token))?.reason === "expired")
  }
}
