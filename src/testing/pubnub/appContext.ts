/**
 * App Context: the users, channels and memberships of a keyset. A write sends an event only if it changes something.
 */
import * as Base64 from "effect/encoding/Base64"
import type { Draft } from "./entry.ts"

/** Users are `uuid` here, as in the paths. */
export type Kind = "uuid" | "channel"

/** The value of `custom`: scalars by name. */
export type Custom = Readonly<Record<string, string | number | boolean | null>>
export type Value = string | Custom

/** The fields to change. `null` clears a field; a field that is not in the map stays. */
export type Change = ReadonlyMap<string, Value | null>

/** The metadata of a user or channel, or the data of a membership. `fields` has only those that are set. */
export interface Item {
  readonly fields: ReadonlyMap<string, Value>
  /** Microseconds since 1970. */
  readonly updated: bigint
  readonly eTag: string
}

/** A user in a channel. */
export interface Membership {
  readonly uuid: string
  readonly channel: string
  readonly item: Item
}

/** A time as the service writes it, in UTC. Without `digits`, zeros at the end of its fraction are left out. */
export const iso = (micros: bigint, digits?: number): string => {
  const seconds = new Date(Number(micros / 1_000n)).toISOString().slice(0, 19)
  const fraction = String(micros % 1_000_000n).padStart(6, "0")
  const written = digits === undefined ? fraction.replace(/0+$/, "") : fraction.padEnd(digits, "0")
  return `${seconds}${written === "" ? "" : `.${written}`}Z`
}

/** A different tag for every change, because no two changes have the same time. */
const objectTag = (updated: bigint): string =>
  BigInt.asUintN(128, updated * 0x9E3779B97F4A7C15F39CC0605CEDC835n).toString(16).padStart(32, "0")

const encoder = new TextEncoder()

/** The same tag for the same content (64 bits of FNV-1a). */
const contentTag = (fields: ReadonlyMap<string, Value>): string => {
  const content = JSON.stringify(["custom", "status", "type"].map((name) => fields.get(name)))
  let hash = 0xCBF29CE484222325n
  for (const byte of encoder.encode(content)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001B3n)
  const bytes = Uint8Array.from({ length: 8 }, (_, index) => Number((hash >> BigInt(8 * index)) & 0xFFn))
  return Base64.encode(bytes).replaceAll("=", "")
}

/** Sorts custom data by key, so that the same content is the same text. Empty custom data is not set. */
const ordered = (value: Value | null): Value | undefined => {
  if (typeof value !== "object" || value === null) return value ?? undefined
  const entries = Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** The fields of a change that differ from before. */
const difference = (before: Item | undefined, change: Change): ReadonlyArray<readonly [string, Value | undefined]> =>
  [...change]
    .map(([name, value]) => [name, ordered(value)] as const)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(before?.fields.get(name)))

const payload = (
  event: "set" | "delete",
  type: Kind | "membership",
  data: Readonly<Record<string, unknown>>
): string => {
  const entries = Object.entries(data).sort(([a], [b]) => a < b ? -1 : 1)
  return JSON.stringify({ source: "objects", version: "2.0", event, type, data: Object.fromEntries(entries) })
}

/** An event shows a cleared field as `null`, and a cleared `custom` as empty. */
const told = (changed: ReadonlyArray<readonly [string, Value | undefined]>) =>
  Object.fromEntries(changed.map(([name, value]) => [name, value ?? (name === "custom" ? {} : null)]))

/** The users, channels and memberships of one keyset. */
export const make = (append: (draft: Draft, region: number, now: bigint) => bigint) => {
  const things = { uuid: new Map<string, Item>(), channel: new Map<string, Item>() }
  /** By channel, then by user. */
  const members = new Map<string, Map<string, Item>>()
  let last = 0n

  /** The time of a change, later than that of each change before. */
  const stamp = (now: bigint) => {
    const micros = now / 10n
    last = micros > last ? micros : last + 1n
    return last
  }

  const change = (
    before: Item | undefined,
    changed: ReadonlyArray<readonly [string, Value | undefined]>,
    tag: (updated: bigint, fields: ReadonlyMap<string, Value>) => string,
    now: bigint
  ): Item => {
    const fields = new Map(before?.fields)
    for (const [name, value] of changed) {
      if (value === undefined) fields.delete(name)
      else fields.set(name, value)
    }
    const updated = stamp(now)
    return { fields, updated, eTag: tag(updated, fields) }
  }

  const tell = (channels: Iterable<string>, text: string, region: number, now: bigint) => {
    for (const channel of new Set(channels)) append({ channel, payload: text, type: 2 }, region, now)
  }

  const membershipsOf = (kind: Kind, id: string): ReadonlyArray<Membership> =>
    kind === "channel"
      ? [...members.get(id) ?? []].map(([uuid, item]) => ({ uuid, channel: id, item }))
      : [...members].flatMap(([channel, items]) => {
        const item = items.get(id)
        return item === undefined ? [] : [{ uuid: id, channel, item }]
      })

  /** Events about a user go to the user's own channel and to all channels that have the user as a member. */
  const audience = (kind: Kind, id: string) =>
    kind === "channel" ? [id] : [id, ...membershipsOf(kind, id).map(({ channel }) => channel)]

  return {
    get: (kind: Kind, id: string): Item | undefined => things[kind].get(id),
    all: (kind: Kind): ReadonlyMap<string, Item> => things[kind],
    set: (kind: Kind, id: string, wanted: Change, region: number, now: bigint): Item => {
      const before = things[kind].get(id)
      const changed = difference(before, wanted)
      if (before !== undefined && changed.length === 0) return before
      const item = change(before, changed, objectTag, now)
      things[kind].set(id, item)
      const data = { ...told(changed), id, updated: iso(item.updated), eTag: item.eTag }
      tell(audience(kind, id), payload("set", kind, data), region, now)
      return item
    },
    /** Memberships stay: they need no metadata on either side. */
    remove: (kind: Kind, id: string, region: number, now: bigint) => {
      if (things[kind].delete(id)) tell(audience(kind, id), payload("delete", kind, { id }), region, now)
    },
    memberships: (): ReadonlyArray<Membership> => [...members.keys()].flatMap((id) => membershipsOf("channel", id)),
    membershipsOf,
    join: (uuid: string, channel: string, wanted: Change, region: number, now: bigint): Item => {
      const items = members.get(channel) ?? new Map<string, Item>()
      const before = items.get(uuid)
      const changed = difference(before, wanted)
      if (before !== undefined && changed.length === 0) return before
      const item = change(before, changed, (_, fields) => contentTag(fields), now)
      members.set(channel, items.set(uuid, item))
      // The events of memberships have nanoseconds, and their lists microseconds.
      const data = {
        ...told(changed),
        channel: { id: channel },
        uuid: { id: uuid },
        updated: iso(item.updated, 9),
        eTag: item.eTag
      }
      tell([channel, uuid], payload("set", "membership", data), region, now)
      return item
    },
    leave: (uuid: string, channel: string, region: number, now: bigint) => {
      const items = members.get(channel)
      if (items?.delete(uuid) !== true) return
      if (items.size === 0) members.delete(channel)
      const data = { channel: { id: channel }, uuid: { id: uuid } }
      tell([channel, uuid], payload("delete", "membership", data), region, now)
    }
  }
}
