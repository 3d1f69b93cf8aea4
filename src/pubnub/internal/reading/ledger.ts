/**
 * The one place that knows what was had: from arrivals to events, each once, with the cursor to go on from after it; where a
 * cursor stands; and what was delivered within the overlap of history.
 */
import type { Cursor } from "../../../Cursor.ts"
import * as ChannelName from "../../ChannelName.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as Envelope from "../wire/envelope.ts"
import * as Arrival from "./arrival.ts"
import type * as Backfill from "./backfill.ts"
import * as Delivered from "./delivered.ts"
import * as Marks from "./marks.ts"
import { type Had, hadOf, overlap, Recent } from "./recent.ts"

const nothing: ReadonlySet<string> = new Set()

type Arrivals = ReadonlyArray<Arrival.Arrival>

/** So many events after its position are named in a cursor: as many as the service sends at once. */
const mostDelivered = 100

/** The same place after the hole before it was filled. */
export const withoutHole = ({ hole: _, ...cursor }: Cursor): Cursor => cursor

/** An event, and the subscribed name it came by, where that is known. */
export interface Given {
  readonly event: SubscribeEvent.Received
  readonly by: string | undefined
  /** How a cursor names it, if it can be known again. */
  readonly had: Had | undefined
}

/** Of a hole: what was missed, and from where on history is read for it. */
export interface Missed {
  readonly reason: "FullPage" | "LongBreak"
  readonly from: Cursor
  readonly to: string
  readonly page: Arrivals
  /** Whether another region is later than was reckoned with, or may be: it had time to be late with several messages. */
  readonly isLater?: boolean
}

/** After so long, in ticks, history is read for the second time: nothing that is as old comes any more. */
export const settled = overlap + 10_000_000n

/** So much of it at once, at the least. */
const portion = 20_000_000n

const aMinute = 600_000_000n

export class Ledger {
  private readonly delivered = Delivered.make(() => this.neededFrom)
  /** What an earlier life had. The service may cut the same events into other pages the second time. */
  private before: ReadonlySet<string>
  /** Behind this place nothing of that can come any more. */
  private beforeUntil: bigint | undefined
  private readonly recent: Recent
  /** Sums of an earlier life. */
  private sumsBefore: NonNullable<NonNullable<Cursor["recent"]>["sums"]>
  /** Those of the hole that is being filled, until all has been read that they may be of. */
  private sums: NonNullable<NonNullable<Cursor["recent"]>["sums"]> = []
  /** Those of which history has shown everything. */
  private readonly shown = new Set<unknown>()
  /** From where on they are. */
  private summedFrom: bigint
  /** What history showed that is of the first of these sums. */
  private summed: Array<Arrival.Arrival> = []
  /** Nothing older is this reader's. */
  private birth: bigint
  /** Up to here everything was had. */
  private complete = 0n
  /** How far history was read, while the live service is still to be asked from further back. */
  private ahead: Cursor | undefined
  /** What is not older may still be missing from what history gave. */
  private limit = 0n
  /** Where the hole begins that is being filled. */
  private hole = ""
  /** From where it is read, and up to where. */
  private holeSince: bigint | undefined
  private holeEnd = 0n
  /** Whether it is read with the overlap, and with what is unsettled. */
  isWhole = false
  /** History was read up to here, and was not behind. */
  private readTo = 0n
  /** How late other regions are reckoned to be, and where the reader was when they were seen to be nearly so late. */
  private late = { by: 0n, at: 0n }
  /** What is to be read for the second time: other regions may have been late with something that the service dropped. */
  private unsettled: { readonly since: bigint; readonly to: bigint } | undefined
  /** Takes note of what came. */
  private readonly note: (arrival: Arrival.Arrival) => void

  constructor(from: Cursor | undefined, note: (arrival: Arrival.Arrival) => void) {
    this.recent = new Recent(from)
    this.before = this.recent.names()
    this.sumsBefore = from?.recent?.sums ?? []
    this.birth = from?.recent === undefined ? 0n : BigInt(from.recent.since)
    this.summedFrom = this.birth
    this.note = note
  }

  /** The service answered for the first time: from here on everything is delivered. */
  begin({ position }: Cursor): void {
    if (this.birth === 0n) this.birth = BigInt(position) + 1n
    this.recent.begin(String(this.birth))
    this.complete = BigInt(position)
  }

  /** What was had within the overlap, for who goes on alone. */
  get had(): Recent {
    return this.recent
  }

  /** Where the reader stands when it polls from this cursor. */
  cursor(polled: Cursor): Cursor {
    return this.named(this.held(this.furthest(polled)))
  }

  /** Up to where it had everything, but for what other regions are late with. */
  front(polled: Cursor): Cursor {
    return this.named(this.furthest(polled))
  }

  /** The events of a live page. With `next`, nothing before that is missing any more. */
  live(arrivals: Arrivals, asked: Cursor, next: Cursor | undefined): ReadonlyArray<Given> {
    const upTo = next === undefined || this.isBehind(next) ? undefined : next
    const events = this.read(arrivals, this.furthest(asked), upTo, false)
    if (next === undefined) return events
    const position = BigInt(next.position)
    if (position > this.complete) {
      this.beforeUntil ??= position + overlap
      this.complete = position
      // What is unsettled may begin where an earlier life had something.
      if (
        oldest(position, this.unsettled === undefined ? position : this.unsettled.since + overlap) > this.beforeUntil
      ) {
        this.before = nothing
      }
    }
    if (!this.isBehind(next)) this.ahead = undefined
    return events
  }

  /** The events that history had, where all before `upTo` has been found, or all there is. */
  found(arrivals: Arrivals, asked: Cursor, upTo: bigint, isAll: boolean): ReadonlyArray<Given> {
    const base = this.furthest(asked)
    const reached = (this.limit < upTo ? this.limit : upTo) - 1n
    const next = reached > BigInt(base.position)
      ? { ...base, position: String(reached), delivered: [], hole: this.hole }
      : undefined
    const events = this.read(this.notSummed(arrivals, isAll ? undefined : upTo), base, next, true)
    this.ahead = next ?? this.ahead
    return events
  }

  /** What to read from history for something that was missed; nothing where nothing of this reader's can be in it. */
  open({ from, isLater = false, page, reason, to }: Missed): Backfill.Hole | undefined {
    const position = BigInt(from.position)
    const start = position > this.complete ? position : this.complete
    const overlapped = newest(start - overlap, this.birth)
    const end = BigInt(to)
    const remembered = this.delivered.since()
    // Full pages one after the other: what was read for the last one is read for the second time when all of it has come. Where
    // another region is later than was reckoned with, something older of it may be missing, and comes first. After a break a
    // cursor does not know any more what was had before. What the second reading finds is not compared with sums.
    const isSummed = this.sumsBefore.some((sum) => BigInt(sum[0]) >= overlapped && !this.shown.has(sum))
    const follows = reason === "FullPage" && this.ahead === undefined && !isLater && this.late.by < overlap &&
      this.readTo > overlapped && !isSummed
    const unsettledFrom = this.unsettled?.since ?? overlapped
    const wanted = follows ? newest(start - this.late.by, overlapped) : oldest(overlapped, unsettledFrom)
    // What was from the far future says nothing of now: better twice than not at all.
    const since = newest(wanted, remembered > end ? 0n : remembered)
    if (end < since) return undefined
    if (follows && wanted > unsettledFrom) this.unsettled = { since: unsettledFrom, to: wanted }
    this.isWhole = !follows
    this.holeSince = since
    this.holeEnd = end
    // After a break nobody looks again: history may be some seconds behind, and messages of other regions are.
    this.limit = reason === "LongBreak" ? end - overlap : end
    this.hole = from.hole ?? from.position
    // What a sum is of is known only where all of it is read.
    for (
      let [oldest] = this.sumsBefore;
      oldest !== undefined && BigInt(oldest[0]) < since;
      [oldest] = this.sumsBefore
    ) {
      this.sumsBefore = this.sumsBefore.slice(1)
      this.summedFrom = BigInt(oldest[0]) + 1n
    }
    // History may not have shown the last time what they are of.
    this.sums = this.sumsBefore
    const first = this.sums.length > 0 && this.summedFrom < since ? this.summedFrom : since
    return { reason, from: this.hole, to, since: first, page }
  }

  /** The hole is filled, and what is missing of it was told. `isCurrent`: history showed what the live service sent. */
  filled(isCurrent: boolean): void {
    if (this.isWhole) this.unsettled = undefined
    if (isCurrent) this.readTo = this.holeEnd
    this.abandoned()
  }

  /** The hole is not waited for any longer. */
  abandoned(): void {
    this.holeSince = undefined
    if (this.ahead !== undefined) this.ahead = withoutHole(this.ahead)
  }

  // --- what is read for the second time

  /** How late other regions are reckoned to be. */
  get reckoned(): bigint {
    return this.late.by
  }

  /** Another region was so late when the reader was there. */
  reckon(lateBy: bigint, at: bigint): void {
    const { by } = this.late
    if (lateBy > by || at - this.late.at > aMinute) this.late = { by: oldest(lateBy * 3n / 2n, overlap), at }
    else if (lateBy * 3n > by) this.late = { by, at }
  }

  /** From when on, by the service's time, there is something to read for the second time. */
  get due(): bigint | undefined {
    return this.unsettled === undefined ? undefined : this.unsettled.since + settled + portion
  }

  /** From where on everything that comes again must be recognised. */
  private get neededFrom(): bigint | undefined {
    const { holeSince, unsettled } = this
    return unsettled === undefined ? holeSince : oldest(unsettled.since, holeSince ?? unsettled.since)
  }

  /** What to read for the second time now. */
  second(now: bigint): Backfill.Hole | undefined {
    if (this.unsettled === undefined) return undefined
    const { since, to } = this.unsettled
    const end = oldest(to, now - settled)
    const from = newest(since, this.delivered.since())
    // Nobody waits for it, as long as it does not fall behind.
    const isPatient = now - since < 2n * settled + portion
    return { reason: "Late", from: String(since), to: String(end), since: from, page: [], isPatient }
  }

  /** The events that history had of it. */
  foundSecond(arrivals: Arrivals, asked: Cursor): ReadonlyArray<Given> {
    return this.read(arrivals, this.furthest(asked), undefined, true)
  }

  /** All up to there was read for the second time. */
  settle(to: bigint): void {
    if (this.unsettled === undefined) return
    this.unsettled = to < this.unsettled.to ? { ...this.unsettled, since: to } : undefined
  }

  /** Who goes on from a cursor reads from the overlap before it: what is unsettled is in that. */
  private held(cursor: Cursor): Cursor {
    if (this.unsettled === undefined) return cursor
    const hole = String(this.unsettled.since)
    const position = String(this.unsettled.since + overlap)
    return { ...cursor, hole, position: position < cursor.position ? position : cursor.position }
  }

  private isBehind({ position }: Cursor): boolean {
    return this.ahead !== undefined && BigInt(this.ahead.position) > BigInt(position)
  }

  private furthest(cursor: Cursor): Cursor {
    return this.ahead !== undefined && this.isBehind(cursor) ? this.ahead : cursor
  }

  private named(cursor: Cursor): Cursor {
    return { ...cursor, recent: this.recent.at(cursor.position) }
  }

  /** The events that are new. The last of them stands at `next`, where that is known. */
  private read(
    arrivals: Arrivals,
    base: Cursor,
    next: Cursor | undefined,
    isStored: boolean
  ): ReadonlyArray<Given> {
    const held = this.held(base)
    const reached = next === undefined ? held : this.held(next)
    // What the place itself names is among what was had recently.
    let place = this.named(held)
    let delivered: Array<string> = []
    const events: Array<Given> = []
    const namedFrom = BigInt(held.position) - overlap
    for (const arrival of arrivals) {
      const { by, envelope, id, issue, raw } = arrival
      this.note(arrival)
      let one: Had | undefined
      // What says nothing of itself cannot be known again: better twice than not at all.
      if (id !== undefined) {
        const admitted = this.delivered.admit(id, by ?? "", envelope === undefined ? raw : envelope.d)
        one = hadOf(id, admitted.name)
        const { mark } = one
        // Much comes again that the place names already, from history and in pages that overlap: there is no room for it twice.
        const isNamed = (admitted._tag === "Known" || this.before.has(mark)) &&
          (Arrival.timetokenOf(arrival) ?? 0n) > namedFrom
        const isNew = admitted._tag === "New"
        if (!isNamed && (isNew || !delivered.includes(mark))) {
          if (delivered.length === mostDelivered) {
            // From here on the place itself names what was read so far.
            this.recent.trim(held.position)
            place = this.named(held)
            delivered = []
          }
          delivered.push(mark)
        }
        if (admitted._tag === "Known") continue
        // By two names it is two events, but takes one place.
        if (isNew) {
          const mayBeStored = isStored || envelope !== undefined && Arrival.isStored(envelope)
          // What a wildcard stands for nobody knows after a crash: history is not asked for it then.
          this.recent.add(one, mayBeStored && by !== undefined && !ChannelName.isWildcard(by), isStored)
        }
        // Not told again, but named from now on by when it was.
        if (this.before.has(mark)) continue
      }
      const cursor = { ...place, delivered: delivered.slice() }
      const event = envelope === undefined
        ? Envelope.undecodable(raw, issue, cursor)
        : Envelope.toEvent(envelope, cursor)
      events.push({ event, by, had: one })
    }
    this.recent.trim(reached.position)
    const last = events.at(-1)
    if (next !== undefined && last !== undefined) {
      events[events.length - 1] = { ...last, event: { ...last.event, cursor: this.named(reached) } }
    }
    return events
  }

  /**
   * Leaves out what an earlier life had by its sums. What is of a sum waits until all of it has been read. Where that is not
   * all there any more, or too much is new, it is given again: better twice than not at all.
   */
  private notSummed(arrivals: Arrivals, upTo: bigint | undefined): Arrivals {
    if (this.sums.length === 0) return arrivals
    const rest: Array<Arrival.Arrival> = []
    for (const arrival of arrivals) {
      const timetoken = Arrival.timetokenOf(arrival)
      const last = this.sums.at(-1)
      const isOfSum = timetoken !== undefined && last !== undefined && timetoken <= BigInt(last[0])
      if (isOfSum) this.summed.push(arrival)
      else rest.push(arrival)
    }
    const given: Array<Arrival.Arrival> = []
    const isRead = (to: string) => upTo === undefined || BigInt(to) < upTo
    for (let [oldest] = this.sums; oldest !== undefined && isRead(oldest[0]); [oldest] = this.sums) {
      const [to, count, sum] = oldest
      const isOf = (arrival: Arrival.Arrival) => (Arrival.timetokenOf(arrival) ?? 0n) <= BigInt(to)
      const part = this.summed.filter(isOf)
      this.summed = this.summed.filter((arrival) => !isOf(arrival))
      this.sums = this.sums.slice(1)
      const marks = new Set(part.map(({ id = "" }) => Marks.of(id)))
      if (marks.size >= count) this.shown.add(oldest)
      const unnamed = new Set([...marks].filter((mark) => !this.before.has(mark)))
      // A reader that read them alone and then got them of its connection names events that are in the sum, too.
      const missing = Marks.missingFrom({ count, sum }, [...unnamed]) ?? Marks.missingFrom({ count, sum }, [...marks])
      for (const arrival of part) {
        const mark = Marks.of(arrival.id ?? "")
        if (unnamed.has(mark) && missing?.has(mark) !== false) given.push(arrival)
        // History may be read from there once more, and the sum is gone by then.
        else this.remember(arrival)
      }
    }
    return given.length === 0 ? rest : [...given, ...rest]
  }

  private remember({ by, envelope, id, raw }: Arrival.Arrival): void {
    if (id !== undefined) this.delivered.admit(id, by ?? "", envelope === undefined ? raw : envelope.d)
  }
}

const newest = (...moments: ReadonlyArray<bigint>): bigint => moments.reduce((one, other) => one > other ? one : other)

const oldest = (one: bigint, other: bigint): bigint => one < other ? one : other
