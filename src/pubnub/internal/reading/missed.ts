/**
 * What a reader was not given: messages by name as far as there is room, and what can only be told as lost.
 */
import type { Cursor } from "../../../Cursor.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import * as Losses from "./losses.ts"
import { covers, type Key, nameOf } from "./names.ts"
import { before, idOf, kindOf, placeOf, range, subscriptionOf } from "./place.ts"

/** So many missed messages are noted one by one. */
const mostNoted = 1_000

/** Of so many channels it is noted what was missed. */
const mostChannels = 10_000

/** What a reader was not given. */
export class Missed {
  /** Where it began with a cursor of the past: it wants everything from there on, and not only what came by. */
  readonly from: Cursor | undefined
  /** Messages by id, each with its channel. */
  readonly messages = new Map<string, string>()
  /** Those that are too many to be named: how many of each channel, and since when. */
  readonly more = new Map<string, { readonly since: string; readonly count: number }>()
  /** Of each channel, the names it came by. */
  readonly channels = new Map<string, Set<string>>()
  /** Kinds that history does not have, by channel. */
  readonly kinds = new Map<string, Set<SubscribeStatus.Kind>>()
  readonly losses: Losses.Losses = new Map()
  /** Of all these, the oldest and the newest. */
  oldest = ""
  newest = ""
  private last = ""

  constructor(from: Cursor | undefined) {
    this.from = from
  }

  /** Whether there were too many to be named. */
  get isUncounted(): boolean {
    return this.more.size > 0
  }

  add(event: SubscribeEvent.Received): void {
    const place = placeOf(event)
    const kind = kindOf(event)
    if (place === undefined || kind === undefined) return Losses.lose(this.losses, event)
    const { channel, timetoken } = place
    const isStored = kind === "Message" || kind === "File"
    const noted = isStored ? this.channels : this.kinds
    if (noted.size >= mostChannels && !noted.has(channel)) {
      return Losses.suspect(this.losses, before(timetoken), timetoken)
    }
    if (this.oldest === "" || timetoken < this.oldest) this.oldest = timetoken
    if (timetoken > this.newest) this.newest = timetoken
    if (!isStored) return this.addKind(channel, kind)
    const name = subscriptionOf(event)
    if (name !== undefined) this.channels.set(channel, (this.channels.get(channel) ?? new Set()).add(name))
    const id = idOf(event) ?? ""
    // It came by another name, too.
    if (id === this.last) return
    this.last = id
    if (this.messages.size < mostNoted) {
      this.messages.set(id, channel)
      return
    }
    const { count, since } = this.more.get(channel) ?? { count: 0, since: timetoken }
    this.more.set(channel, { since: timetoken < since ? timetoken : since, count: count + 1 })
  }

  addKind(channel: string, kind: SubscribeStatus.Kind): void {
    this.kinds.set(channel, (this.kinds.get(channel) ?? new Set()).add(kind))
  }

  /** Of what is not listened to any more nothing is missing. A group may hold any channel: the names say by which it came. */
  keepOnly(keys: ReadonlyArray<Key>): void {
    const heard = new Set(keys.map(nameOf))
    for (const [channel, names] of this.channels) {
      for (const name of names) if (!heard.has(name)) names.delete(name)
      if (names.size > 0) continue
      this.channels.delete(channel)
      this.more.delete(channel)
    }
    for (const [id, channel] of this.messages) if (!this.channels.has(channel)) this.messages.delete(id)
    for (const channel of this.kinds.keys()) {
      if (!keys.some((key) => covers(key, channel))) this.kinds.delete(channel)
    }
  }

  /** Takes what history showed off the list, and says whether it was on it. */
  take(event: SubscribeEvent.Received): boolean {
    if (this.messages.delete(idOf(event) ?? "")) return true
    const place = placeOf(event)
    const rest = place === undefined ? undefined : this.more.get(place.channel)
    if (place === undefined || rest === undefined || place.timetoken < rest.since) return false
    this.more.set(place.channel, { ...rest, count: rest.count - 1 })
    return true
  }

  /** What can be told only as lost. */
  gaps(): ReadonlyArray<Losses.Loss> {
    const { newest, oldest } = this
    return [
      ...this.losses.values(),
      ...Array.from(this.kinds, ([channel, kinds]): SubscribeStatus.Gap => ({
        _tag: "Gap",
        channel,
        ...range(before(oldest), newest),
        reason: "NotStored",
        kinds: [...kinds].toSorted()
      }))
    ]
  }
}
