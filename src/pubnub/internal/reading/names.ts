/**
 * The names of subscriptions. There are two kinds: channels (with wildcards and presence names), and groups.
 */
import * as ChannelName from "../../ChannelName.ts"
import type { AccessDenied } from "../../PubNubError.ts"
import type { Subscription } from "../../Subscription.ts"

/** A subscribed name: `c` for channels, wildcards and presence names, `g` for groups. */
export type Key = `c ${string}` | `g ${string}`

export interface Names {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
}

export const nameOf = (key: string): string => key.slice(2)

/** Whether these keys have a name, of either kind. */
export const haveName = (keys: Pick<ReadonlySet<Key>, "has">, name: string): boolean =>
  keys.has(`c ${name}`) || keys.has(`g ${name}`)

/** The names of these keys, sorted. */
export const namesOf = (keys: Iterable<Key>): Names => {
  const channels: Array<string> = []
  const groups: Array<string> = []
  // Keys are sorted, since names cut from them compare slower.
  for (const key of [...keys].toSorted()) (key.startsWith("c") ? channels : groups).push(nameOf(key))
  return { channels, groups }
}

export const keysOf = ({ channels, groups }: Names): ReadonlyArray<Key> => [
  ...channels.map((name) => `c ${name}` as const),
  ...groups.map((name) => `g ${name}` as const)
]

/** The names that a subscription sends to the service. */
export const keysFor = ({ _tag, name, presence }: Subscription): ReadonlyArray<Key> => {
  const kind = _tag === "Group" ? "g" : "c"
  return presence ? [`${kind} ${name}`, `${kind} ${ChannelName.presenceOf(name)}`] : [`${kind} ${name}`]
}

export const isSame = (one: Names, other: Names): boolean =>
  one === other ||
  one.channels.length === other.channels.length && one.groups.length === other.groups.length &&
    one.channels.every((name, index) => name === other.channels[index]) &&
    one.groups.every((name, index) => name === other.groups[index])

/** Whether a gap of a channel concerns the readers of a name. A gap concerns every group, as its channels are unknown here. */
export const covers = (key: Key, channel: string): boolean => {
  const name = ChannelName.withoutPresence(nameOf(key))
  return key.startsWith("g") || name === channel ||
    ChannelName.isWildcard(name) && channel.startsWith(name.slice(0, -1))
}

/** Whether a name brings events of several channels. */
export const isWide = (key: Key): boolean =>
  key.startsWith("g") || ChannelName.isWildcard(ChannelName.withoutPresence(nameOf(key)))

/** Whether one of these keys covers a channel. There may be thousands of both, so it compares only with the wide ones. */
export const coveredBy = (keys: ReadonlyArray<Key>): (channel: string) => boolean => {
  const names = new Set(keys.map((key) => ChannelName.withoutPresence(nameOf(key))))
  const wide = keys.filter(isWide)
  return (channel) => names.has(channel) || wide.some((key) => covers(key, channel))
}

/** The names that the service refused, and their presence names: the refusal does not say which of the two it was. */
export const refusedBy = ({ channels, groups }: AccessDenied): ReadonlySet<Key> => {
  const both = (name: string) => [name, ChannelName.presenceOf(name)]
  return new Set(keysOf({ channels: channels.flatMap(both), groups: groups.flatMap(both) }))
}
