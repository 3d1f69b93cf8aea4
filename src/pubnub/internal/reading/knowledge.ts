/**
 * What is known of a keyset besides what its connections bring: what wildcards and groups stand for, what is not stored, and
 * what time it is there.
 */
import type * as Clock from "effect/Clock"
import * as LongPoll from "../../../internal/longPoll.ts"
import * as PollLoop from "../../../internal/pollLoop.ts"
import * as ChannelName from "../../ChannelName.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import * as Arrival from "./arrival.ts"

/** So many pairs of a channel and a name it came by are remembered, and of so many channels what is not stored. */
const mostNames = 10_000

const aMinute = 60_000

export class Knowledge {
  private readonly clock: Clock.Clock
  /** Channels that came by a wildcard or a group, each with its names. */
  private readonly seen = new Map<string, Set<string>>()
  private pairs = 0
  /** Of channels, the kinds of events that history does not have. */
  readonly unstored = new Map<string, Set<SubscribeStatus.Kind>>()
  /** Channels whose history is not for this user. */
  readonly denied = new Set<string>()
  /** Whether the keyset stores nothing. */
  storesNothing = false
  private served: { readonly time: number; readonly at: LongPoll.Moment } | undefined

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  /** A handshake told the service's time, in milliseconds. */
  setTime(time: number): void {
    this.served = { time, at: PollLoop.moment(this.clock) }
  }

  /** A page told that the service's time is later than this, in milliseconds. A handshake may have said too little. */
  atLeast(time: number): void {
    if (time > this.now()) this.setTime(time)
  }

  /** The service's time, in milliseconds: this machine's clock may be wrong, but it tells how long ago that was. */
  now(): number {
    return this.served === undefined
      ? this.clock.currentTimeMillisUnsafe()
      : this.served.time + LongPoll.elapsed(this.served.at, PollLoop.moment(this.clock))
  }

  /** The service's time at the least: this machine's clock may have been set forward. */
  atLeastNow(): number {
    return this.served === undefined
      ? this.clock.currentTimeMillisUnsafe()
      : this.served.time + PollLoop.moment(this.clock).steady - this.served.at.steady
  }

  /** What says that it is younger is not believed: two regions of the service differ by less. */
  latest(): string {
    return String(BigInt(Math.floor(this.now()) + aMinute) * 10_000n)
  }

  note({ envelope }: Arrival.Arrival): void {
    if (envelope === undefined) return
    const { b, c } = envelope
    const kind = Arrival.kindOf(envelope)
    if (kind !== "Message" && kind !== "File" && kind !== undefined) {
      this.noteUnstored(ChannelName.withoutPresence(c), kind)
    } else if (b !== undefined && b !== null && b !== "" && b !== c) this.noteName(c, b)
  }

  private noteName(channel: string, name: string): void {
    const by = this.seen.get(channel)
    if (this.pairs >= mostNames || by?.has(name) === true || !isName(channel)) return
    this.pairs++
    if (by === undefined) this.seen.set(channel, new Set([name]))
    else by.add(name)
  }

  noteUnstored(channel: string, kind: SubscribeStatus.Kind): void {
    const kinds = this.unstored.get(channel)
    if (kinds !== undefined) kinds.add(kind)
    else if (this.unstored.size < mostNames) this.unstored.set(channel, new Set([kind]))
  }

  /** Channels that came by these wildcards and groups, each with those it came by. */
  *channelsOf(names: ReadonlySet<string>): Iterable<readonly [channel: string, name: string]> {
    for (const [channel, by] of this.seen) for (const name of by) if (names.has(name)) yield [channel, name]
  }
}

/** Names come from answers, too. Of one that no address can carry nothing can be asked. */
export const isName = (channel: string): boolean => ChannelName.issue(channel) === undefined
