/**
 * The events that a reader missed, while it had no room or before it resumed: messages that history may have, and losses.
 */
import type { Cursor } from "../../../Cursor.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import * as Losses from "./losses.ts"
import { coveredBy, type Key, nameOf } from "./names.ts"
import { before, idOf, kindOf, placeOf, range, subscriptionOf } from "./place.ts"

/** The most messages that are kept by id. Further ones are counted. */
const mostNoted = 1_000

/** The most channels. */
const mostChannels = 10_000

export class Missed {
  /** The cursor of a reader that resumes. Such a reader reads everything after it, not only the events that passed by. */
  readonly from: Cursor | undefined
  /** Messages by id, each with its channel. */
  readonly messages = new Map<string, string>()
  /** The number of further messages of a channel, and the oldest timetoken of them. */
  readonly more = new Map<string, { readonly since: string; readonly count: number }>()
  /** The names by which messages of a channel arrived. */
  readonly channels = new Map<string, Set<string>>()
  /** Kinds of events that history does not have, by channel. */
  readonly kinds = new Map<string, Set<SubscribeStatus.Kind>>()
  readonly losses: Losses.Losses = new Map()
  /** The oldest and the newest timetoken of all missed events. */
  oldest = ""
  newest = ""
  private last = ""

  constructor(from: Cursor | undefined) {
    this.from = from
  }

  /** Whether some messages are only counted. */
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
    // The same message arrived by another name.
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

  /** Drops events that no name of the reader brings. A group may have any channel, so the names of the messages decide. */
  keepOnly(keys: ReadonlyArray<Key>): void {
    const heard = new Set(keys.map(nameOf))
    for (const [channel, names] of this.channels) {
      for (const name of names) if (!heard.has(name)) names.delete(name)
      if (names.size > 0) continue
      this.channels.delete(channel)
      this.more.delete(channel)
    }
    for (const [id, channel] of this.messages) if (!this.channels.has(channel)) this.messages.delete(id)
    const isCovered = coveredBy(keys)
    for (const channel of this.kinds.keys()) if (!isCovered(channel)) this.kinds.delete(channel)
  }

  /** Removes an event that history showed. Says whether the reader missed it. */
  take(id: string | undefined, place: ReturnType<typeof placeOf>): boolean {
    if (id !== undefined && this.messages.delete(id)) return true
    const rest = place === undefined ? undefined : this.more.get(place.channel)
    if (place === undefined || rest === undefined || place.timetoken < rest.since) return false
    this.more.set(place.channel, { ...rest, count: rest.count - 1 })
    return true
  }

  /** The losses that history cannot fill. */
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
