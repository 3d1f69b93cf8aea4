/**
 * Turns arrivals into events, each once, with the cursor after it. Only this module knows which events the readers had, and what
 * their cursor says.
 */
import type { Cursor } from "../../../Cursor.ts"
import * as ChannelName from "../../ChannelName.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as Envelope from "../wire/envelope.ts"
import * as Arrival from "./arrival.ts"
import type * as Backfill from "./backfill.ts"
import * as Delivered from "./delivered.ts"
import * as Had from "./had.ts"
import * as Marks from "./marks.ts"
import { before, textOf } from "./place.ts"
import { latestOf, marksOf, never, overlap, overlapBefore, Recent } from "./recent.ts"

type Arrivals = ReadonlyArray<Arrival.Arrival>

/** How many events after its position a cursor names. The service sends as many at once. */
const mostDelivered = 100

/** The cursor after its hole was filled. */
export const withoutHole = (cursor: Cursor): Cursor => {
  const { hole: _, ...rest } = cursor
  return rest
}

/** An event, and the subscribed name by which it arrived, if it says. */
export interface Given {
  readonly event: SubscribeEvent.Received
  readonly by: string | undefined
  /** Its name in a cursor, if it has an id. */
  readonly had: Had.Had | undefined
}

/** A gap: why, and between which positions. */
export interface Missed {
  readonly reason: "FullPage" | "LongBreak"
  readonly from: Cursor
  readonly to: string
  readonly page: Arrivals
  /** Whether another region is later than expected, or had time to be late with several messages. */
  readonly isLater?: boolean
  /** The first reader begins after this timetoken. That may be before the connection began. */
  readonly startsAfter?: string | undefined
}

/** How old, in ticks, events must be before history is read for the second time. No region is later. */
export const settled = overlap + 10_000_000n

/** How much time one second reading covers at least, in ticks. */
const portion = 20_000_000n

const aMinute = 600_000_000n

export class Ledger {
  private readonly delivered = Delivered.make(() => this.neededFrom)
  /** Marks of an earlier run. The same events may come in other pages, and in an old page at any time. */
  private readonly before: string
  /** None of those events is later. A later event may have the same mark. */
  private readonly beforeUntil: string
  private readonly recent: Recent
  /** Sums of an earlier run. */
  private sumsBefore: NonNullable<NonNullable<Cursor["recent"]>["sums"]>
  /** The sums whose time the open hole has not read completely. */
  private sums: NonNullable<NonNullable<Cursor["recent"]>["sums"]> = []
  /** The sums whose events history has all shown. */
  private readonly shown = new Set<unknown>()
  /** The first timetoken of the sums. */
  private summedFrom: bigint
  /** Events of history that wait until the time of their sum was read. */
  private summed: Array<Arrival.Arrival> = []
  /** The first timetoken of this reader. */
  private birth: bigint
  /** The furthest position of the live service. */
  private complete = 0n
  /** The end of the last break. A reader that joins later is not told of it, and begins after it. */
  private skipped = 0n
  /** The position in history, if it is ahead of the live position. */
  private ahead: Cursor | undefined
  /** History may still lack events from here on. */
  private limit = 0n
  /** The position before the open hole. */
  private hole = ""
  /** The range in which it is read. */
  private holeSince: bigint | undefined
  private holeEnd = 0n
  /** Whether it is read with the overlap and the unsettled part. */
  isWhole = false
  /** The end of the last reading in which history was not behind. */
  private readTo = 0n
  /** How late other regions are expected to be, and the last position at which one was nearly so late. */
  private late = { by: 0n, at: 0n }
  /** The part to read for the second time: the service may have dropped late events of other regions. */
  private unsettled: { readonly since: bigint; readonly to: bigint } | undefined
  /** Called for each arrival. */
  private readonly note: (arrival: Arrival.Arrival) => void
  /** Called with the mark of each event that an earlier run had by its sums. */
  private readonly leftOut: (mark: string) => void

  /** `now`: the service's time. `had`: a cursor with the events that its cursors name at first. */
  constructor(
    from: Cursor | undefined,
    note: (arrival: Arrival.Arrival) => void,
    now?: string,
    had = from,
    leftOut: (mark: string) => void = () => {}
  ) {
    this.recent = new Recent(had, now)
    this.before = marksOf(from)
    this.beforeUntil = from === undefined ? "" : now === undefined ? never : latestOf(from, now)
    this.sumsBefore = from?.recent?.sums ?? []
    this.birth = from?.recent === undefined ? 0n : BigInt(from.recent.since)
    this.summedFrom = this.birth
    this.note = note
    this.leftOut = leftOut
  }

  /** Whether it has got an event, from history or from the live service. */
  has({ id }: Arrival.Arrival): boolean {
    return id !== undefined && this.delivered.has(id)
  }

  /** Sets the start, after the first answer of the service. */
  begin({ position }: Cursor): void {
    if (this.birth === 0n) this.birth = BigInt(position) + 1n
    this.recent.begin(textOf(this.birth))
    this.complete = BigInt(position)
  }

  /** The events within the overlap, for a reader that continues alone. */
  get had(): Recent {
    return this.recent
  }

  /** The cursor of the reader while it polls from `polled`. */
  cursor(polled: Cursor): Cursor {
    return this.named(this.held(this.furthest(polled)))
  }

  /** Notes the end of a break of which the readers know. */
  skip(to: string): void {
    this.skipped = newest(this.skipped, BigInt(to))
  }

  /** The start of a reader that joins: after all that was given, even if the service went back, and without the unsettled part. */
  front(polled: Cursor): Cursor {
    const place = this.furthest(polled)
    const complete = textOf(newest(this.complete, this.skipped))
    return this.named(place.position < complete ? { ...place, position: complete, delivered: [] } : place)
  }

  /**
   * Gives the events of a live page. With `next`, no event before it is missing any more. `latest`: the latest timetoken that is
   * plausible. It does not follow from `next`, which may be wrong by an hour.
   */
  live(arrivals: Arrivals, asked: Cursor, next: Cursor | undefined, latest = never): ReadonlyArray<Given> {
    const upTo = next === undefined || this.isBehind(next) ? undefined : next
    const events = this.read(arrivals, this.furthest(asked), upTo, false, latest)
    if (next === undefined) return events
    const position = BigInt(next.position)
    if (position > this.complete) this.complete = position
    if (!this.isBehind(next)) this.ahead = undefined
    return events
  }

  /** Gives events of history. All before `upTo` have been found. `isAll`: history has no more. */
  found(arrivals: Arrivals, asked: Cursor, upTo: bigint, isAll: boolean): ReadonlyArray<Given> {
    const base = this.furthest(asked)
    const reached = (this.limit < upTo ? this.limit : upTo) - 1n
    const next = reached > BigInt(base.position)
      ? { ...base, position: textOf(reached), delivered: [], hole: this.hole }
      : undefined
    const events = this.read(this.notSummed(arrivals, isAll ? undefined : upTo), base, next, true)
    this.ahead = next ?? this.ahead
    return events
  }

  /** Opens a gap. Gives the range to read from history, or nothing if it cannot contain events of this reader. */
  open(
    { from, isLater = false, page, reason, startsAfter = before(textOf(this.birth)), to }: Missed
  ): Backfill.Hole | undefined {
    const position = BigInt(from.position)
    const start = position > this.complete ? position : this.complete
    const overlapped = newest(start - overlap, oldest(this.birth, BigInt(startsAfter) + 1n))
    const end = BigInt(to)
    const remembered = this.delivered.since()
    // A full page may follow one that was read. Then the overlap is not read now, but a second time when all of it has arrived. It
    // is read now if a region is later than expected, since older events of that region come first; after a break, since a cursor
    // does not know the events before it any more; and while sums are left, since the second reading does not compare them.
    const isSummed = this.sumsBefore.some((sum) => BigInt(sum[0]) >= overlapped && !this.shown.has(sum))
    const follows = reason === "FullPage" && this.ahead === undefined && !isLater && this.late.by < overlap &&
      this.readTo > overlapped && !isSummed
    const unsettledFrom = this.unsettled?.since ?? overlapped
    const wanted = follows ? newest(start - this.late.by, overlapped) : oldest(overlapped, unsettledFrom)
    // A timetoken of the far future is no bound. A second delivery is better than a loss.
    const since = newest(wanted, remembered > end ? 0n : remembered)
    if (end < since) return undefined
    if (follows && wanted > unsettledFrom) this.unsettled = { since: unsettledFrom, to: wanted }
    this.isWhole = !follows
    this.holeSince = since
    this.holeEnd = end
    // A break is read once. History and other regions may be some seconds behind, so its last seconds are not certain.
    this.limit = reason === "LongBreak" ? end - overlap : end
    this.hole = from.hole ?? from.position
    // A sum can be compared only if its whole time is read.
    for (
      let [oldest] = this.sumsBefore;
      oldest !== undefined && BigInt(oldest[0]) < since;
      [oldest] = this.sumsBefore
    ) {
      this.sumsBefore = this.sumsBefore.slice(1)
      this.summedFrom = BigInt(oldest[0]) + 1n
    }
    // History may not have shown all events of these sums at the last reading.
    this.sums = this.sumsBefore
    const first = this.sums.length > 0 && this.summedFrom < since ? this.summedFrom : since
    return { reason, from: this.hole, to, since: first, page }
  }

  /** Closes the hole after it was filled. `isCurrent`: history showed all stored events of the full page. */
  filled(isCurrent: boolean): void {
    if (this.isWhole) this.unsettled = undefined
    if (isCurrent) this.readTo = this.holeEnd
    this.abandoned()
  }

  /** Closes the hole, filled or not. */
  abandoned(): void {
    this.holeSince = undefined
    if (this.ahead !== undefined) this.ahead = withoutHole(this.ahead)
  }

  // --- the second reading

  /** How late other regions are expected to be. */
  get reckoned(): bigint {
    return this.late.by
  }

  /** Notes how late another region was at a position. */
  reckon(lateBy: bigint, position: string): void {
    const { by } = this.late
    if (lateBy === 0n && by === 0n) return
    const at = BigInt(position)
    if (lateBy > by || at - this.late.at > aMinute) this.late = { by: oldest(lateBy * 3n / 2n, overlap), at }
    else if (lateBy * 3n > by) this.late = { by, at }
  }

  /** The service's time at which the second reading may begin. Undefined if there is nothing to read. */
  get due(): bigint | undefined {
    return this.unsettled === undefined ? undefined : this.unsettled.since + settled + portion
  }

  /** Events from here on may arrive again, and must be recognised. */
  private get neededFrom(): bigint | undefined {
    const { holeSince, unsettled } = this
    return unsettled === undefined ? holeSince : oldest(unsettled.since, holeSince ?? unsettled.since)
  }

  /** Gives the range of the next second reading. */
  second(now: bigint): Backfill.Hole | undefined {
    if (this.unsettled === undefined) return undefined
    const { since, to } = this.unsettled
    const end = oldest(to, now - settled)
    const from = newest(since, this.delivered.since())
    // Other requests go first while it is not far behind.
    const isPatient = now - since < 2n * settled + portion
    return { reason: "Late", from: textOf(since), to: textOf(end), since: from, page: [], isPatient }
  }

  /** Gives the events of a second reading. */
  foundSecond(arrivals: Arrivals, asked: Cursor): ReadonlyArray<Given> {
    return this.read(arrivals, this.furthest(asked), undefined, true)
  }

  /** Ends a second reading that has read all before `to`. */
  settle(to: bigint): void {
    if (this.unsettled === undefined) return
    this.unsettled = to < this.unsettled.to ? { ...this.unsettled, since: to } : undefined
  }

  /** Moves a cursor back so that a reader that resumes reads the unsettled part with the overlap. */
  private held(cursor: Cursor): Cursor {
    if (this.unsettled === undefined) return cursor
    const hole = textOf(this.unsettled.since)
    const position = textOf(this.unsettled.since + overlap)
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

  /** Gives the new events. The last one has the cursor `next`, if that is known. */
  private read(
    arrivals: Arrivals,
    base: Cursor,
    next: Cursor | undefined,
    isStored: boolean,
    latest = never
  ): ReadonlyArray<Given> {
    const held = this.held(base)
    const reached = next === undefined ? held : this.held(next)
    // Events that the position itself names are in `recent`.
    let place = this.named(held)
    let delivered: Array<string> = []
    const events: Array<Given> = []
    const namedFrom = overlapBefore(held.position)
    for (const arrival of arrivals) {
      const { by, envelope, id, issue, opened, raw, timetoken } = arrival
      this.note(arrival)
      let one: Had.Had | undefined
      // An event without an id cannot be recognised. A second delivery is better than a loss.
      if (id !== undefined) {
        const admitted = this.delivered.admit(id, by ?? "", envelope === undefined ? raw : envelope.d)
        one = Had.of(id, admitted.name, timetoken)
        const { mark } = one
        // History and overlapping pages repeat many events that `place` already names. They take no second place.
        const wasBefore = timetoken !== undefined && timetoken <= this.beforeUntil && Marks.has(this.before, mark)
        const isNamed = (admitted._tag === "Known" || wasBefore) &&
          timetoken !== undefined && timetoken > namedFrom
        const isNew = admitted._tag === "New"
        if (!isNamed && (isNew || !delivered.includes(mark))) {
          if (delivered.length === mostDelivered) {
            // From here on `place` names the events so far.
            this.recent.trim(held.position, isStored)
            place = this.named(held)
            delivered = []
          }
          delivered.push(mark)
        }
        if (admitted._tag === "Known") continue
        // An event that arrives by two names is given twice, but takes one place. One from the far future would stay for ever.
        if (isNew && one.at <= latest) {
          const mayBeStored = isStored || envelope !== undefined && Arrival.isStored(envelope)
          // After a crash the channels of a wildcard are unknown, so history is not read for its events.
          const isRead = mayBeStored && by !== undefined && !ChannelName.isWildcard(by)
          this.recent.add(one, !isRead ? Had.unsure : isStored ? Had.shown : Had.stored)
        }
        // An earlier run had it. It is not given again, and its time is known now.
        if (wasBefore) continue
      }
      const cursor = { ...place, delivered: delivered.slice() }
      const event = envelope === undefined
        ? Envelope.undecodable(raw, issue, cursor)
        : Envelope.toEvent(envelope, cursor, opened)
      events.push({ event, by, had: one })
    }
    this.recent.trim(reached.position, isStored)
    const last = events.at(-1)
    if (next !== undefined && last !== undefined) {
      events[events.length - 1] = { ...last, event: { ...last.event, cursor: this.named(reached) } }
    }
    return events
  }

  /**
   * Leaves out events that an earlier run had by its sums. Events wait until the whole time of their sum was read. If some are
   * gone, or too many are new, all of them are given again: a second delivery is better than a loss.
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
      const unnamed = new Set([...marks].filter((mark) => !Marks.has(this.before, mark)))
      // The marks may name events of the sum, too: a reader read them alone before it got them from its connection.
      const missing = Marks.missingFrom({ count, sum }, [...unnamed]) ?? Marks.missingFrom({ count, sum }, [...marks])
      for (const arrival of part) {
        const mark = Marks.of(arrival.id ?? "")
        if (unnamed.has(mark) && missing?.has(mark) !== false) given.push(arrival)
        // History may be read from there once more, without the sum.
        else {
          this.remember(arrival)
          this.leftOut(mark)
        }
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
