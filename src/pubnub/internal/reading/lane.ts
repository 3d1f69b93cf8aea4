/**
 * Gives pages to the readers of one connection that wait equally long for a gap. A page is divided once, and readers share the
 * parts. At a gap the readers wait until history has filled it. Meanwhile the connection polls, and its pages wait behind the gap.
 * Readers that do not wait get `GapSuspected` and the next page.
 */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as HttpClient from "effect/http/HttpClient"
import * as Order from "effect/Order"
import * as Result from "effect/Result"
import type { Cursor } from "../../../Cursor.ts"
import { debug } from "../../../internal/operation.ts"
import * as ChannelName from "../../ChannelName.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import type { SubscribeError } from "../../SubscribeError.ts"
import * as Arrival from "./arrival.ts"
import { Audience, idOfKeys } from "./audience.ts"
import { Backfill, type Progress } from "./backfill.ts"
import type { Core } from "./core.ts"
import * as Few from "./few.ts"
import { type Given, Ledger, settled, withoutHole } from "./ledger.ts"
import { isWide, type Key, type Names } from "./names.ts"
import { Outage } from "./outage.ts"
import { newer, older, placeOf, range, textOf } from "./place.ts"
import { overlap } from "./recent.ts"
import type { Reader } from "./reader.ts"

/** A page of the live service. */
export interface Page {
  readonly arrivals: ReadonlyArray<Arrival.Arrival>
  /** How late another region is with an event of the page, in ticks. */
  readonly lateBy: bigint
  readonly next: Cursor
  /** How many characters its text had. */
  readonly size: number
}

/** What arrived behind a gap. */
type Held =
  | { readonly _tag: "Page"; readonly page: Page }
  | Break

/** The connection did not listen between these cursors, or stepped over a page that was too large (`isUnheard`). */
interface Break {
  readonly _tag: "Break"
  readonly from: Cursor
  readonly to: Cursor
  readonly isUnheard: boolean
  /** How many missing events history had shown by then. */
  readonly found: number
}

/** How many characters may wait behind a gap. At the limit the connection stops polling. */
const mostHeld = 32 * 1024 * 1024

interface Gap {
  readonly from: Cursor
  readonly to: string
  readonly reason: SubscribeStatus.GapSuspected["reason"]
  /** The full page. The missing events come before it. */
  readonly page: Page | undefined
  /** The position before a page that was too large, if the connection stepped over one. */
  readonly unheardFrom: string | undefined
  readonly backfill: Backfill
  readonly outage: Outage
  /**
   * Stored events that wait behind it and are not younger than its end, oldest first. They join the events of history by their
   * timetokens. History alone may show one of them before an older one, since it was read before that one arrived. Before a full
   * page they join when history was read: a further look at it may show older ones. What is younger and shown waits with them.
   */
  joining: ReadonlyArray<Arrival.Arrival>
  /**
   * Whether a full page waits behind it; behind a full page, one with late events that join, full or later than expected. History is
   * read again for that page, and may show older ones then: the service may have dropped them.
   */
  isReadAgain: boolean
}

/** What a lane needs from its connection. */
export interface Host {
  readonly names: () => Names
  /** The names of a reader on the connection. */
  readonly keysOf: (reader: Reader) => ReadonlyArray<Key>
  /** How many names the connection has. */
  readonly size: () => number
  /** Ends the readers of a lane with an error. */
  readonly failed: (lane: Lane, error: SubscribeError) => void
  /** Called when history shows messages that were missing at a break. */
  readonly missed: () => void
  readonly broken: (defect: unknown) => void
}

export class Lane {
  readonly within: number
  /** Its readers, each with its audience. A new one has none before the next event. */
  readonly readers = new Map<Reader, Audience | undefined>()
  /** The readers whose names have changed. Thousands of names may be added one by one, so a reader joins its audience later. */
  private readonly changed = new Set<Reader>()
  /** The newest timetoken that was given. */
  reached = ""
  private readonly core: Core
  private readonly host: Host
  private readonly audiences = new Map<string, Audience>()
  /** The audiences of a name. It may be a channel and a group, since an event does not say by which it arrived. */
  private readonly byName = new Map<string, Few.Few<Audience>>()
  /** The audiences with names of several channels. */
  private readonly wide = new Set<Audience>()
  private ledger: Ledger | undefined
  /** The cursor of the last poll whose events were all given. */
  private base: Cursor | undefined
  private gap: Gap | undefined
  private held: Array<Held> = []
  private heldSize = 0
  /** How many missing events history has shown. */
  private found = 0
  private fiber: Fiber.Fiber<void> | undefined
  /** Reads for the second time what was read for full pages, since another region may have been late. No reader waits for it. */
  private second: Fiber.Fiber<void> | undefined
  /** The part that the second fiber reads. A lane that stops and starts again continues with it. */
  private late: Gap | undefined
  private parkedOnes: ReadonlyArray<() => void> = []
  /** Whether history may have been late with a page that was stepped over. It is read again before the next page, which shows this. */
  private isUnproven = false

  constructor(core: Core, host: Host, within: number) {
    this.core = core
    this.host = host
    this.within = within
  }

  /** The cursor of its readers. */
  get place(): Cursor | undefined {
    return this.base === undefined ? undefined : this.ledger?.cursor(this.base)
  }

  /** The cursor of one of its readers. */
  placeOf(reader: Reader): Cursor | undefined {
    const { place } = this
    // Names may be removed one by one, and each time the reader emits a cursor.
    const audience = this.changed.has(reader)
      ? new Audience("", this.host.keysOf(reader).length, this.next)
      : this.readers.get(reader)
    return place === undefined || audience === undefined ? place : audience.cursor(place, this.isWhole(audience))
  }

  /** Whether the readers of an audience have all names of the connection. */
  private isWhole({ size }: Audience): boolean {
    return size === this.host.size()
  }

  /** The start of a reader that joins. It does not get events that are read for the second time. */
  get front(): Cursor | undefined {
    return this.base === undefined ? undefined : this.ledger?.front(this.base)
  }

  get isOpen(): boolean {
    return this.gap !== undefined
  }

  /** Whether history is failing. */
  get isDown(): boolean {
    return this.gap?.outage.isDown === true || this.late?.outage.isDown === true
  }

  get hasRoom(): boolean {
    return this.heldSize < mostHeld
  }

  /** Whether a full reader with the strategy `suspend` holds back all others. */
  get isHeldBack(): boolean {
    const { core: { full } } = this
    const readers: ReadonlyMap<unknown, unknown> = this.readers
    for (const reader of full) {
      if (!reader.isFull) full.delete(reader)
      else if (readers.has(reader)) return true
    }
    return false
  }

  // --- readers

  /** Adds a reader, or notes that its names have changed. */
  join(reader: Reader): void {
    if (!this.readers.has(reader)) this.readers.set(reader, undefined)
    this.changed.add(reader)
  }

  leave(reader: Reader): void {
    this.leaveAudience(reader)
    this.readers.delete(reader)
    this.changed.delete(reader)
  }

  /** Gives readers whose names have changed the audience of their names. */
  private group(): void {
    for (const reader of this.changed) {
      const keys = this.host.keysOf(reader)
      const id = idOfKeys(keys)
      if (this.readers.get(reader)?.id === id) continue
      this.leaveAudience(reader)
      const audience = this.audiences.get(id) ?? this.gather(id, keys)
      audience.readers = Few.add(audience.readers, reader)
      this.readers.set(reader, audience)
    }
    this.changed.clear()
  }

  private leaveAudience(reader: Reader): void {
    const audience = this.readers.get(reader)
    if (audience === undefined) return
    audience.readers = Few.remove(audience.readers, reader)
    if (audience.readers !== undefined) return
    this.audiences.delete(audience.id)
    this.wide.delete(audience)
    for (const name of audience.names) {
      const others = Few.remove(this.byName.get(name), audience)
      if (others === undefined) this.byName.delete(name)
      else this.byName.set(name, others)
    }
  }

  /** The service's time. One function for all audiences, since there may be thousands. */
  private readonly next = (): string => this.core.history.knowledge.next()

  private gather(id: string, keys: ReadonlyArray<Key>): Audience {
    const audience = new Audience(id, keys.length, this.next)
    this.audiences.set(id, audience)
    if (keys.some(isWide)) this.wide.add(audience)
    for (const name of audience.names) this.byName.set(name, Few.add(this.byName.get(name), audience))
    return audience
  }

  /** The readers of a name. */
  *hearing(name: string): Iterable<Reader> {
    this.group()
    for (const audience of Few.all(this.byName.get(name))) yield* Few.all(audience.readers)
  }

  // --- the position

  /** Begins to give events, after the first answer of the service. */
  begin(from: Cursor | undefined, now: Cursor): void {
    if (this.ledger !== undefined) return
    this.ledger = new Ledger(from, (arrival) => this.core.history.knowledge.note(arrival), this.next())
    this.base = from ?? now
    this.ledger.begin(this.base)
  }

  /** Begins at another position, since its own cannot be right. Events after `since` may be missing. */
  moveTo(now: Cursor, since?: Cursor): void {
    const { gap } = this
    this.stop()
    if (gap !== undefined) this.goOn(gap)
    this.dropSecond()
    this.gap = undefined
    this.held = []
    this.heldSize = 0
    this.ledger = undefined
    this.begin(undefined, now)
    for (const audience of this.audiences.values()) audience.forget()
    for (const reader of this.readers.keys()) reader.beginAt(now)
    if (since !== undefined) this.suspect(gap === undefined ? since : older(gap.from, since), now.position, "LongBreak")
  }

  setRegion(region: number): void {
    if (this.base !== undefined && this.base.region === undefined) this.base = { ...this.base, region }
  }

  // --- pages

  /** Emits a status to its readers. Its cursor has the sums of all readers, which fit no reader with fewer names. */
  tell(status: SubscribeStatus.Status): void {
    this.group()
    const toldTo = (audience: Audience): SubscribeStatus.Status => {
      if (!("cursor" in status) || status.cursor === undefined) return status
      const cursor = audience.cursor(status.cursor, this.isWhole(audience))
      return cursor === status.cursor ? status : { ...status, cursor }
    }
    for (const reader of new Set(this.concernedBy(status))) {
      const audience = this.readers.get(reader)
      if (audience !== undefined) reader.tell(toldTo(audience))
    }
  }

  /** The readers that a status may concern. There may be a gap for each of thousands of channels, and a reader for each. */
  private *concernedBy(status: SubscribeStatus.Status): Iterable<Reader> {
    if (status._tag !== "Gap") return yield* this.readers.keys()
    yield* this.hearing(status.channel)
    yield* this.hearing(ChannelName.presenceOf(status.channel))
    for (const audience of this.wide) yield* Few.all(audience.readers)
  }

  /**
   * Takes a page. Says whether it has new events. An event that waits or has no id may have arrived before, so it counts as new only
   * if the position `moved`.
   */
  receive(page: Page, moved: boolean): boolean {
    if (this.gap === undefined) return this.give(page, moved)
    this.hold({ _tag: "Page", page }, page.size)
    this.note(page, this.gap)
    return moved && page.arrivals.length > 0
  }

  /** Handles a break: the connection did not listen between these cursors, or stepped over a page that was too large. */
  missed(from: Cursor, to: Cursor, isUnheard = false): void {
    const missed: Break = { _tag: "Break", from, to, isUnheard, found: this.found }
    if (this.gap === undefined) this.openBreak(missed)
    else this.hold(missed, 0)
  }

  private note(page: Page, gap: Gap): void {
    const isJoining = ({ envelope, id }: Arrival.Arrival) =>
      // History is read up to and including the end.
      id !== undefined && id.slice(0, gap.to.length) <= gap.to && envelope !== undefined && Arrival.isStored(envelope)
    const joining = page.arrivals.filter(isJoining)
    const isNext = gap.page === undefined || joining.length > 0 && this.held.every(({ _tag }) => _tag === "Page")
    if (isNext && (this.isFull(page) || this.isLater(page) && this.ledger?.isWhole === false)) gap.isReadAgain = true
    if (joining.length > 0) gap.joining = [...gap.joining, ...joining].toSorted(byTimetoken)
  }

  private hold(held: Held, size: number): void {
    this.held.push(held)
    this.heldSize += size
  }

  private give(page: Page, moved: boolean): boolean {
    const { arrivals, next } = page
    const asked = this.base ?? next
    if (this.ledger === undefined) return false
    if (this.opensGap(page)) {
      const newest = youngest(arrivals, this.core.history.knowledge.latest())
      const to = next.position > newest ? next.position : newest
      if (this.stepsOver) this.suspect(asked, to, "FullPage")
      else if (this.open({ reason: "FullPage", from: asked, to, page, unheardFrom: undefined })) return moved
    }
    this.ledger.reckon(page.lateBy, asked.position)
    const given = this.ledger.live(arrivals, asked, next, this.core.history.knowledge.latest())
    this.route(given, next)
    return given.some(({ event }) => moved || placeOf(event) !== undefined)
  }

  /** Whether a page is full, the first one after a page that was stepped over, or of a region that is later than expected. */
  private opensGap(page: Page): boolean {
    return this.isFull(page) || this.isUnproven && page.arrivals.length > 0 || this.isLater(page)
  }

  /** Whether a region is later than expected, so that older events of it may be missing: not all of its time was read yet. */
  private isLater({ lateBy }: Page): boolean {
    return this.ledger?.due !== undefined && lateBy > this.ledger.reckoned
  }

  private isFull({ arrivals }: Page): boolean {
    return arrivals.length >= this.core.config.queueLength
  }

  private openBreak({ found, from, isUnheard, to }: Break): void {
    const asked = this.base ?? from
    const unheardFrom = isUnheard ? from.position : undefined
    const isOpen = !this.stepsOver &&
      this.open({ reason: "LongBreak", from: asked, to: to.position, page: undefined, unheardFrom })
    if (isOpen) {
      // The gap before it has shown events since then. They may be those of the page that was too large.
      this.gap?.backfill.missed(this.found - found)
      return
    }
    if (this.stepsOver) {
      this.suspect(asked, to.position, "LongBreak")
      this.ledger?.skip(to.position)
    } else if (asked.hole !== undefined) {
      // Another region is behind this position, so nothing is read. The gap of an earlier run was not reported yet.
      this.suspect(asked, newer(asked, to).position, "LongBreak")
    }
    this.base = withoutHole(asked)
  }

  private get stepsOver(): boolean {
    return this.within === 0 || this.core.settings.filter !== undefined
  }

  private suspect(from: Cursor, to: string, reason: SubscribeStatus.GapSuspected["reason"]): void {
    const since = from.hole ?? from.position
    const suspected: SubscribeStatus.GapSuspected = { _tag: "GapSuspected", ...range(since, to), reason }
    this.core.publish(suspected)
    this.tell(suspected)
  }

  // --- gaps

  /** After which timetoken the first of its readers begins. One that resumed may begin before its connection. */
  private get startsAfter(): string | undefined {
    let first: string | undefined
    for (const { startsAfter } of this.readers.keys()) {
      if (startsAfter !== "" && (first === undefined || startsAfter < first)) first = startsAfter
    }
    return first
  }

  private open(missed: Pick<Gap, "from" | "page" | "reason" | "to" | "unheardFrom">): boolean {
    const { from, page, reason, to, unheardFrom } = missed
    const isLater = page !== undefined && this.ledger !== undefined &&
      (page.lateBy > this.ledger.reckoned || this.now - BigInt(from.position) > settled)
    const { startsAfter } = this
    const hole = this.ledger?.open({ reason, from, to, page: page?.arrivals ?? [], isLater, startsAfter })
    if (hole === undefined) return false
    // A whole gap includes the unsettled part. So it replaces the second reading, and continues its outage.
    const replaced = this.ledger?.isWhole === true ? this.dropSecond() : undefined
    this.gap = {
      ...missed,
      backfill: new Backfill(this.core.history, this.host.names, { ...hole, unheardFrom }),
      outage: new Outage(this.core, this.within, replaced?.outage),
      joining: [],
      isReadAgain: false
    }
    for (const held of this.held) if (held._tag === "Page") this.note(held.page, this.gap)
    this.start()
    return true
  }

  /** Starts to fill the open gap, and the second reading. */
  start(): void {
    this.startSecond()
    if (this.gap === undefined || this.fiber !== undefined) return
    this.fiber = this.run(this.fill)
  }

  /** Yields first, so that the fiber is stored before it can end. */
  private run(effect: Effect.Effect<void, never, HttpClient.HttpClient>): Fiber.Fiber<void> {
    return this.core.fork(Effect.andThen(
      Effect.yieldNow,
      Effect.catchDefect(effect, (defect) => Effect.sync(() => this.host.broken(defect)))
    ))
  }

  stop(): void {
    const { fiber } = this
    this.fiber = undefined
    fiber?.interruptUnsafe()
    this.stopSecond()
  }

  private startSecond(): void {
    if (this.second !== undefined || this.ledger?.due === undefined || this.ledger.isWhole && this.isOpen) return
    this.second = this.run(this.readAgain)
  }

  private stopSecond(): void {
    const { second } = this
    this.second = undefined
    second?.interruptUnsafe()
  }

  private dropSecond(): Gap | undefined {
    const { late } = this
    this.stopSecond()
    this.late = undefined
    return late
  }

  /** Continues when there is demand. */
  wake(): void {
    if (this.parkedOnes.length === 0 || !this.isWanted) return
    const parked = this.parkedOnes
    // A fiber that continues may park again.
    this.parkedOnes = []
    for (const goOn of parked) goOn()
  }

  private get isWanted(): boolean {
    return !this.isHeldBack && (this.core.settings.demand === "ahead" || this.core.waiting > 0)
  }

  private readonly parked = Effect.callback<void>((resume) => {
    const goOn = () => resume(Effect.void)
    this.parkedOnes = [...this.parkedOnes, goOn]
    return Effect.sync(() => {
      this.parkedOnes = this.parkedOnes.filter((other) => other !== goOn)
    })
  })

  private readonly fill: Effect.Effect<void, never, HttpClient.HttpClient> = Effect.gen({ self: this }, function*() {
    let found = 0
    for (let { gap } = this; gap !== undefined; { gap } = this) {
      if (!this.isWanted) {
        yield* this.parked
        continue
      }
      const progress = yield* this.ask(gap)
      if (progress === "GaveUp") return
      if (progress === "TooLong") {
        this.giveUp(gap)
        continue
      }
      if (progress === "Again") continue
      found += this.progress(gap, progress)
      if (progress.filled) {
        yield* debug(() => [`Subscribe.poll found ${found} events in history`])
        found = 0
      }
      this.core.wakes.now()
    }
    this.fiber = undefined
  })

  /** Reads late events of other regions, as soon as no event of that time can arrive any more. Gives them between pages. */
  private readonly readAgain: Effect.Effect<void, never, HttpClient.HttpClient> = Effect.gen(
    { self: this },
    function*() {
      for (;;) {
        const { now } = this
        const due = this.ledger?.due
        if (due === undefined) break
        if (!this.isWanted) {
          yield* this.parked
          continue
        }
        if (this.late === undefined && due > now) {
          yield* Effect.sleep(Number((due - now) / 10_000n) + 1)
          continue
        }
        const gap = this.late ??= this.lateGap(now)
        if (gap === undefined) break
        const progress = yield* this.ask(gap)
        if (progress === "GaveUp") return
        if (progress === "Again") continue
        if (progress === "TooLong") {
          this.goOn(gap)
          this.suspect(gap.from, gap.to, gap.reason)
        } else this.giveLate(gap, progress)
        this.core.wakes.now()
        if (progress !== "TooLong" && !progress.filled) continue
        this.ledger?.settle(BigInt(gap.to))
        this.late = undefined
      }
      this.second = undefined
    }
  )

  /** A time that the service has certainly reached, as a timetoken. */
  private get now(): bigint {
    return BigInt(Math.floor(this.core.history.knowledge.atLeastNow())) * 10_000n
  }

  private lateGap(now: bigint): Gap | undefined {
    const hole = this.ledger?.second(now)
    const place = this.place
    if (hole === undefined || place === undefined) return undefined
    // More events arrived than are remembered.
    if (textOf(hole.since) > hole.from) this.suspect({ ...place, position: hole.from }, textOf(hole.since), "FullPage")
    return {
      from: { ...place, position: hole.from },
      to: hole.to,
      reason: "FullPage",
      page: undefined,
      unheardFrom: undefined,
      backfill: new Backfill(this.core.history, this.host.names, hole),
      outage: new Outage(this.core, this.within),
      joining: [],
      isReadAgain: false
    }
  }

  private giveLate({ backfill }: Gap, { arrivals, notices }: Progress): void {
    if (this.ledger === undefined || this.base === undefined) return
    const events = this.ledger.foundSecond(arrivals, this.base)
    backfill.missed(events.length)
    for (const notice of notices) this.announce(notice)
    this.route(events, undefined)
  }

  /** Makes one step of a gap, and handles its failure. */
  private readonly ask = Effect.fnUntraced(function*(this: Lane, gap: Gap) {
    const { answers } = gap.backfill
    const result = yield* Effect.result(gap.backfill.next)
    if (Result.isSuccess(result)) {
      // A step that made no request does not show that history is back.
      if (gap.backfill.answers > answers || result.success.filled) this.goOn(gap)
      return result.success
    }
    const outcome = yield* gap.outage.failed(result.failure, this.place)
    switch (outcome._tag) {
      case "GaveUp":
        if (gap === this.gap) this.fiber = undefined
        else this.second = undefined
        this.host.failed(this, outcome.error)
        return outcome._tag
      case "TooLong":
        return outcome._tag
      case "Again":
        this.announce(outcome.told)
        yield* Effect.sleep(outcome.millis)
        return outcome._tag
    }
  })

  private goOn(gap: Gap): void {
    const reconnected = gap.outage.over(this.place ?? gap.from)
    if (reconnected !== undefined) this.announce(reconnected)
  }

  private announce(status: SubscribeStatus.Status): void {
    this.core.publish(status)
    this.tell(status)
  }

  /** Gives the events of one step. Returns how many of them were missing. */
  private progress(gap: Gap, progress: Progress): number {
    const { filled, isCurrent, notices } = progress
    const { ledger } = this
    if (ledger === undefined) return 0
    const events = gap.isReadAgain && gap.page === undefined
      ? this.beforeOverlap(gap, progress)
      : this.withJoining(gap, progress)
    this.found += events.length
    gap.backfill.missed(events.length)
    if (gap.reason === "LongBreak" && events.length > 0) this.host.missed()
    for (const notice of notices) this.announce(notice)
    this.route(events, undefined)
    if (filled) {
      if (gap.reason === "FullPage") this.isUnproven = false
      else if (gap.unheardFrom !== undefined) this.isUnproven = !this.core.history.knowledge.storesNothing
      ledger.filled(isCurrent)
      this.close(gap)
    }
    return events.length
  }

  /** Gives the events of history and those that join them, in the order of timetokens. */
  private withJoining(
    gap: Gap,
    { arrivals, filled, upTo }: Pick<Progress, "arrivals" | "filled" | "upTo">
  ): ReadonlyArray<Given> {
    const { ledger } = this
    if (ledger === undefined) return []
    const { backfill, from, joining, page, to } = gap
    const [first] = joining
    if (first === undefined) return ledger.found(arrivals, from, upTo, filled)
    const known = new Set(joining.map(nameOfArrival))
    const shown = arrivals.filter((arrival) => !known.has(nameOfArrival(arrival)))
    // No region is later than by the overlap.
    const certain = page === undefined ? upTo : newest(at(first), BigInt(to) - overlap)
    const end = filled || certain < upTo ? certain : upTo
    const isAll = filled && !gap.isReadAgain
    const isDue = (arrival: Arrival.Arrival) => isAll || at(arrival) < end
    backfill.missed(shown.filter((arrival) => !isDue(arrival)).length)
    const all = [...shown, ...joining, ...filled ? olderOf(page, joining) : []].toSorted(byTimetoken)
    gap.joining = all.filter((arrival) => !isDue(arrival))
    return ledger.found(all.filter(isDue), from, end, isAll)
  }

  /** Gives the events before the last ten seconds of a break. The full page behind it reads those, with late events. */
  private beforeOverlap({ from, to }: Gap, { arrivals, upTo }: Progress): ReadonlyArray<Given> {
    const end = BigInt(to) - overlap
    const own = arrivals.filter((arrival) => arrival.id !== undefined && at(arrival) < end)
    return this.ledger?.found(own, from, upTo < end ? upTo : end, false) ?? []
  }

  /** Ends a gap that history did not fill in time. */
  private giveUp(gap: Gap): void {
    this.goOn(gap)
    gap.isReadAgain = false
    if (gap.page !== undefined) this.route(this.withJoining(gap, { arrivals: [], filled: true, upTo: 0n }), undefined)
    this.suspect(gap.from, gap.to, gap.reason)
    this.ledger?.abandoned()
    this.close(gap)
  }

  /** The full page, and what came behind it. */
  private close(gap: Gap): void {
    const { page, to } = gap
    const from = withoutHole(gap.from)
    this.gap = undefined
    // While the gap was open, each cursor said where it began: a reader that resumes reports what history lacks.
    this.base = this.base === undefined ? undefined : withoutHole(this.base)
    if (page !== undefined) {
      this.ledger?.reckon(page.lateBy, from.position)
      const [first] = gap.joining
      if (gap.isReadAgain && first !== undefined) this.carry({ ...gap, from }, page, at(first) - 1n)
      else {
        const latest = this.core.history.knowledge.latest()
        this.route(this.ledger?.live(page.arrivals, from, page.next, latest) ?? [], page.next)
      }
    } else this.ledger?.skip(to)
    while (this.gap === undefined && this.held.length > 0) this.giveHeld()
    this.startSecond()
    this.heldSize = this.held.reduce((size, held) => held._tag === "Page" ? size + held.page.size : size, 0)
    this.core.demand()
  }

  /** Leaves the full page, and all that is not older than what waits, to the gap of the next full page. */
  private carry({ from, joining }: Gap, page: Page, upTo: bigint): void {
    if (upTo > BigInt(from.position)) {
      const next = { ...from, position: textOf(upTo), delivered: [] }
      this.route(this.ledger?.live([], from, next) ?? [], next)
    }
    const rest = page.arrivals.filter((arrival) => at(arrival) === 0n || at(arrival) > upTo)
    const arrivals = new Map([...joining, ...rest].map((arrival) => [nameOfArrival(arrival) ?? arrival, arrival]))
    this.held.unshift({ _tag: "Page", page: { ...page, arrivals: [...arrivals.values()] } })
  }

  /** All up to the last full page is one gap: what was heard of it is known. */
  private giveHeld(): void {
    const end = this.held.findIndex(({ _tag }) => _tag === "Break")
    const before = end === -1 ? this.held : this.held.slice(0, end)
    const pages = before.flatMap((held) => held._tag === "Page" ? [held.page] : [])
    const last = pages.findLastIndex((page) => this.opensGap(page))
    const [first] = this.held
    if (first?._tag === "Break") {
      this.held = this.held.slice(1)
      return this.openBreak(first)
    }
    // If none is full, none opens a gap.
    this.held = this.held.slice(last === -1 ? pages.length : last + 1)
    const full = pages[last]
    if (full !== undefined) this.give(joined(pages.slice(0, last), full), true)
    else for (const page of pages) this.give(page, true)
  }

  // --- to the readers

  /** Gives new events to the readers of their names. Readers with the same names share a part. */
  private route(given: ReadonlyArray<Given>, next: Cursor | undefined): void {
    if (given.length > 0) this.share(given)
    // This comes last: if a reader throws, the events were not given.
    if (next !== undefined) this.base = next
  }

  private share(given: ReadonlyArray<Given>): void {
    this.group()
    const latest = this.core.history.knowledge.latest()
    const parts = new Map<Audience, Array<Given>>()
    const partOf = (audience: Audience) => {
      const part = parts.get(audience) ?? []
      parts.set(audience, part)
      return part
    }
    let hearing: Array<Array<Given>> | undefined
    let name: string | undefined
    for (const one of given) {
      const { by, event } = one
      // Events in a row mostly have the same name.
      if (hearing === undefined || by !== name) {
        name = by
        // An event without a name goes to all readers.
        hearing = []
        for (const audience of by === undefined ? this.audiences.values() : Few.all(this.byName.get(by))) {
          hearing.push(partOf(audience))
        }
      }
      for (const part of hearing) part.push(one)
      const timetoken = "timetoken" in event ? event.timetoken : undefined
      if (timetoken !== undefined && timetoken > this.reached && timetoken <= latest) this.reached = timetoken
    }
    for (const [audience, part] of parts) audience.give(part, this.isWhole(audience))
  }
}

const at = (arrival: Arrival.Arrival): bigint => Arrival.timetokenOf(arrival) ?? 0n

const byTimetoken = Order.mapInput(Order.BigInt, at)

const nameOfArrival = ({ by = "", id }: Arrival.Arrival): string | undefined => id === undefined ? undefined : id + by

/** The events of a full page that are not newer than the newest of these. Another region may have been late with them. */
const olderOf = (page: Page | undefined, joining: ReadonlyArray<Arrival.Arrival>): ReadonlyArray<Arrival.Arrival> => {
  const last = joining.at(-1)
  if (page === undefined || last === undefined) return []
  return page.arrivals.filter((arrival) => at(arrival) > 0n && at(arrival) <= at(last))
}

const newest = (one: bigint, other: bigint): bigint => one > other ? one : other

/** Several pages as one, the last of them full. */
const joined = (pages: ReadonlyArray<Page>, last: Page): Page => ({
  ...last,
  lateBy: pages.reduce((most, { lateBy }) => lateBy > most ? lateBy : most, last.lateBy),
  arrivals: [...pages, last].flatMap(({ arrivals }) => arrivals),
  size: pages.reduce((sum, { size }) => sum + size, last.size)
})

/** The newest timetoken of a page. Its position may be of another region. Timetokens of the future do not count. */
const youngest = (arrivals: ReadonlyArray<Arrival.Arrival>, latest: string): string => {
  const limit = BigInt(latest)
  return textOf(
    arrivals.map(Arrival.timetokenOf).reduce<bigint>((a, b) => b !== undefined && b > a && b <= limit ? b : a, 0n)
  )
}
