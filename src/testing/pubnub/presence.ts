/**
 * The presence of a keyset: joins, leaves, timeouts and states, and their events. It changes in synchronous steps, as the
 * rest of the keyset, and looks at the time when a step begins.
 */
import * as json from "../server/json.ts"

/** The suffix of presence channels. */
export const presenceSuffix = "-pnpres"

/** The settings of presence. Times are in ticks, 10,000,000 a second. */
export interface Settings {
  /** How long a user is present whose requests name no time. */
  readonly timeout: bigint
  /** Up to how many users each join and leave is an event. */
  readonly announceMax: number
  /** How often interval events come. */
  readonly interval: bigint
}

/** Longer lists are left out of an interval event, which says `here_now_refresh` then. */
const mostListed = 30 * 1024

/** The changes that have events. */
type Movement = "join" | "leave" | "timeout"

interface Occupant {
  readonly due: bigint
  /** How long it is present without a request. A poll that names no time does not change it. */
  readonly timeout: bigint
  readonly region: number
}

/** The content of the next interval event, and when it is due. */
interface Interval extends Readonly<Record<Movement, Set<string>>> {
  readonly due: bigint
  readonly region: number
}

const movements: ReadonlyArray<Movement> = ["join", "leave", "timeout"]

export const make = (keyset: {
  readonly settings: Settings
  readonly deltas: () => boolean
  readonly append: (
    draft: { readonly channel: string; readonly payload: string; readonly meta: string },
    region: number,
    now: bigint
  ) => bigint
  readonly position: (now: bigint) => bigint
  /** Lets polls of a presence channel look again at when something is due. */
  readonly stir: (channel: string) => void
}) => {
  const { append, position, settings, stir } = keyset
  const occupants = new Map<string, Map<string, Occupant>>()
  const states = new Map<string, Map<string, string>>()
  const intervals = new Map<string, Interval>()
  /** Nothing is due before. It may be too early, which costs one look. */
  let earliest: bigint | undefined

  const expect = (due: bigint) => {
    if (earliest === undefined || due < earliest) earliest = due
  }

  const occupancyOf = (channel: string) => occupants.get(channel)?.size ?? 0

  const tell = (
    channel: string,
    event: {
      readonly action: string
      readonly uuid?: string
      readonly data?: unknown
      readonly [key: string]: unknown
    },
    region: number,
    now: bigint
  ) => {
    const millis = Number(position(now) / 10_000n)
    const seconds = Math.floor(millis / 1000)
    const occupancy = occupancyOf(channel)
    const { action, data, uuid, ...more } = event
    append(
      {
        channel: channel + presenceSuffix,
        payload: json.write({
          action,
          uuid,
          timestamp: seconds,
          precise_timestamp: millis,
          data,
          occupancy,
          ...more
        }),
        meta: json.write({
          pn_action: action,
          pn_channel: channel,
          pn_ispresence: 1,
          pn_occupancy: occupancy,
          pn_precise_timestamp: millis,
          pn_timestamp: seconds,
          pn_uuid: uuid,
          ...Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [`pn_state_${key}`, value]))
        })
      },
      region,
      now
    )
  }

  /** Sends an event on a channel with few users; with many, adds to the next interval event. */
  const announce = (
    action: Movement,
    channel: string,
    uuid: string,
    data: unknown,
    region: number,
    now: bigint
  ) => {
    let interval = intervals.get(channel)
    if (interval === undefined && occupancyOf(channel) > settings.announceMax) {
      interval = begin(channel, region, now + settings.interval)
    }
    if (interval === undefined) return tell(channel, { action, uuid, data }, region, now)
    // Only the last change of a user counts.
    for (const other of movements) interval[other].delete(uuid)
    interval[action].add(uuid)
  }

  const begin = (channel: string, region: number, due: bigint): Interval => {
    const interval = { due, region, join: new Set<string>(), leave: new Set<string>(), timeout: new Set<string>() }
    intervals.set(channel, interval)
    expect(due)
    stir(channel)
    return interval
  }

  const end = (channel: string, interval: Interval) => {
    const { due, region } = interval
    intervals.delete(channel)
    if (occupancyOf(channel) > settings.announceMax) begin(channel, region, due + settings.interval)
    const lists = keyset.deltas()
      ? Object.fromEntries(
        movements.flatMap((movement) => interval[movement].size === 0 ? [] : [[movement, [...interval[movement]]]])
      )
      : {}
    const tooLong = JSON.stringify(lists).length > mostListed
    tell(channel, { action: "interval", ...tooLong ? { here_now_refresh: true } : lists }, region, due)
  }

  const remove = (action: "leave" | "timeout", channel: string, uuid: string, region: number, now: bigint) => {
    states.get(channel)?.delete(uuid)
    const present = occupants.get(channel)
    if (present?.delete(uuid) !== true) return
    if (present.size === 0) occupants.delete(channel)
    announce(action, channel, uuid, undefined, region, now)
  }

  /** States are kept as JSON text. */
  const dataOf = (state: string | undefined): unknown => state === undefined ? undefined : JSON.parse(state)

  const stateOf = (channel: string, uuid: string) => states.get(channel)?.get(uuid)

  return {
    stateOf,
    setState: (channel: string, uuid: string, state: string, region: number, now: bigint) => {
      if (stateOf(channel, uuid) === state) return
      states.set(channel, (states.get(channel) ?? new Map<string, string>()).set(uuid, state))
      tell(channel, { action: "state-change", uuid, data: dataOf(state) }, region, now)
    },
    /** Adds a user to channels, for the time that this request or an earlier one named. */
    join: (
      channels: ReadonlyArray<string>,
      uuid: string,
      region: number,
      now: bigint,
      said?: bigint
    ) => {
      for (const channel of channels) {
        const present = occupants.get(channel) ?? new Map<string, Occupant>()
        const before = present.get(uuid)
        const timeout = said ?? before?.timeout ?? settings.timeout
        const due = now + timeout
        expect(due)
        occupants.set(channel, present.set(uuid, { due, timeout, region }))
        if (before !== undefined && due < before.due) stir(channel)
        if (before === undefined) announce("join", channel, uuid, dataOf(stateOf(channel, uuid)), region, now)
      }
    },
    leave: (channels: ReadonlyArray<string>, uuid: string, region: number, now: bigint) => {
      for (const channel of channels) remove("leave", channel, uuid, region, now)
    },
    /** Does what is due, in its order. */
    settle: (now: bigint) => {
      while (earliest !== undefined && earliest <= now) {
        const next = [...intervals].toSorted(([, a], [, b]) => a.due < b.due ? -1 : 1)[0]
        const until = next !== undefined && next[1].due < now ? next[1].due : now
        const all = [...occupants].flatMap(([channel, present]) =>
          [...present].map(([uuid, occupant]) => ({ channel, uuid, ...occupant }))
        )
        const silent = all.filter(({ due }) => due <= until).toSorted((a, b) =>
          a.due < b.due ? -1 : a.due > b.due ? 1 : 0
        )
        for (const { channel, due, region, uuid } of silent) remove("timeout", channel, uuid, region, due)
        if (next !== undefined && next[1].due <= until) end(...next)
        earliest = undefined
        for (const { due } of intervals.values()) expect(due)
        for (const { due } of all) if (due > until) expect(due)
      }
    },
    /** Nothing is due before. */
    nextDue: () => earliest,
    /** The users of a channel, in the order in which they came. */
    occupants: (channel: string): ReadonlyMap<string, unknown> => occupants.get(channel) ?? new Map(),
    occupied: (): ReadonlyArray<string> => [...occupants.keys()]
  }
}
