/**
 * What an engine learns about its keyset: the channels of wildcards and groups, the kinds of events that history does not have,
 * and the service's time.
 */
import type * as Clock from "effect/Clock"
import * as LongPoll from "../../../internal/longPoll.ts"
import * as PollLoop from "../../../internal/pollLoop.ts"
import * as ChannelName from "../../ChannelName.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import * as Arrival from "./arrival.ts"

/** The most pairs of a channel and a name that are kept, and the most channels with events that history does not have. */
const mostNames = 10_000

const aMinute = 60_000

/** A time of the service, and the moment of its answer. */
interface Served {
  readonly time: number
  readonly at: LongPoll.Moment
}

export class Knowledge {
  private readonly clock: Clock.Clock
  /** Channels whose events arrived by a wildcard or a group, each with these names. */
  private readonly seen = new Map<string, Set<string>>()
  private pairs = 0
  /** The kinds of events of a channel that history does not have. */
  readonly unstored = new Map<string, Set<SubscribeStatus.Kind>>()
  /** Channels whose history the user may not read. */
  readonly denied = new Set<string>()
  /** Whether the keyset stores nothing. */
  storesNothing = false
  private served: Served | undefined
  /** The same after the latest page, even if a clock that was set forward makes `served` later. */
  private certain: Served | undefined

  constructor(clock: Clock.Clock) {
    this.clock = clock
  }

  /** Sets the service's time, in milliseconds, after a handshake. */
  setTime(time: number): void {
    this.certain = { time, at: PollLoop.moment(this.clock) }
    this.served = this.certain
  }

  /** Sets the service's time after a page, if the page shows that it is later. Regions differ, so a handshake may give an earlier time. */
  atLeast(time: number): void {
    if (time > this.now()) this.setTime(time)
    // The monotonic clock stands still while the machine sleeps.
    else if (time > this.atLeastNow()) this.certain = { time, at: PollLoop.moment(this.clock) }
  }

  /** The service's time, in milliseconds. This machine's clock may be wrong, so it measures only the time since the last answer. */
  now(): number {
    return this.served === undefined
      ? this.clock.currentTimeMillisUnsafe()
      : this.served.time + LongPoll.elapsed(this.served.at, PollLoop.moment(this.clock))
  }

  /** The timetoken that no event has until now. An answer gives the service's time in whole milliseconds. */
  next(): string {
    return `${Math.floor(this.now()) + 1}0000`
  }

  /** A time that the service has certainly reached. It does not use the wall clock, which may have been set forward. */
  atLeastNow(): number {
    return this.certain === undefined
      ? this.clock.currentTimeMillisUnsafe()
      : this.certain.time + PollLoop.moment(this.clock).steady - this.certain.at.steady
  }

  /** The latest timetoken that is plausible now. Two regions of the service differ by less than a minute. */
  latest(): string {
    return `${Math.floor(this.now()) + aMinute}0000`
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

  /** The known channels of these wildcards and groups, each with the name that it arrived by. */
  *channelsOf(names: ReadonlySet<string>): Iterable<readonly [channel: string, name: string]> {
    for (const [channel, by] of this.seen) for (const name of by) if (names.has(name)) yield [channel, name]
  }
}

/** Whether a name from an answer can be in the address of a request. */
export const isName = (channel: string): boolean => ChannelName.issue(channel) === undefined
