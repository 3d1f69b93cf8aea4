/**
 * One reader: its names, the parts of pages that wait for it, and its position. A part is one array, which all readers of the same
 * names share. A reader that waits holds no part. An event counts as delivered when the reader takes it, not when it is offered.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import type { Cursor } from "../../../Cursor.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import { InboxOverflow, SubscribeError } from "../../SubscribeError.ts"
import * as ChannelName from "../../ChannelName.ts"
import * as Subscription from "../../Subscription.ts"
import * as Defects from "../wire/defect.ts"
import * as MessageIds from "./messageIds.ts"
import { CatchUp } from "./catchUp.ts"
import type { Core } from "./core.ts"
import * as Delivered from "./delivered.ts"
import * as Few from "./few.ts"
import { markOf } from "./generation.ts"
import * as Had from "./had.ts"
import * as Keyed from "./keyed.ts"
import * as Losses from "./losses.ts"
import * as Marks from "./marks.ts"
import { Missed } from "./missed.ts"
import { covers, isWide, type Key, keysFor, namesOf } from "./names.ts"
import {
  after,
  before,
  contentOf,
  cursorOf,
  idOf,
  isStatus,
  newer,
  notAfter,
  older,
  placeOf,
  subscriptionOf
} from "./place.ts"
import { latestOf, marksOf, overlapBefore, type Recent } from "./recent.ts"

type Item = SubscribeEvent.SubscribeEvent

/** How many statuses may wait for a reader that does not pull. Beyond that it gets only the latest status of the connection. */
const mostStatuses = 100

export type Part = Arr.NonEmptyReadonlyArray<Item>

/** A part that waits, and how many of its events count for the capacity. */
interface Waiting {
  readonly part: Part
  readonly weight: number
}

/** What happens to events for a reader that is full. */
export type Strategy = "catchUp" | "sliding" | "dropping" | "fail" | "suspend"

export interface Options {
  readonly from: Cursor | undefined
  /** How many events may wait. */
  readonly capacity: number
  readonly strategy: Strategy
  /** How many milliseconds the reader waits for a gap to be filled. 0: not at all. */
  readonly within: number
}

/** A name of a reader: its subscriptions, and the timetoken after which the reader gets its events. */
interface Heard {
  readonly key: Key
  members: Few.Few<Subscription.Subscription>
  start: string | undefined
}

/** Knows the positions of a reader's connections. */
export interface Home {
  readonly placesOf: (reader: Reader) => ReadonlyArray<Cursor>
  /** The timetoken of the newest event that they have given. */
  readonly reachedBy: (reader: Reader) => string
  /** False after the connections were switched off. */
  readonly isOn: boolean
}

export class Reader {
  readonly options: Options
  private heard: Keyed.Keyed<Heard>
  /** Those with events of several channels. */
  private wide: Few.Few<Heard>
  /** Whether the reader got `Connected`. It gets events only after that. */
  isConnected = false
  /** Knows the positions of its connections. Undefined before it has one. */
  home: Home | undefined
  private readonly core: Core
  private parts: Array<Waiting> | undefined
  /** How many new events wait. */
  private waiting = 0
  /** How many statuses wait. */
  private waitingStatuses = 0
  private resume: ((pull: Pull.Pull<Part, SubscribeError>) => void) | undefined
  /** Whether each of its subscriptions takes all events of its name. */
  private isPlain = true
  /** The events that the reader misses, while it has no room. */
  private missed: Missed | undefined
  /** Reads the missed events from history. */
  private catchingUp: CatchUp | undefined
  /** Gaps to emit when there is room. */
  private losses: Losses.Losses | undefined
  private end: Exit.Exit<never, SubscribeError | Cause.Done> | undefined
  /** The position of the names that began before the others. */
  private begun: Cursor | undefined
  /** How many names have not begun. `latest` is the timetoken of the last one to begin. */
  private unbegun = 0
  private latest = ""
  /** The cursor of the last event that was taken. */
  private taken: Cursor | undefined
  /** Drops events that arrive by two names, or from history and live. */
  private delivered: Delivered.Delivered | undefined
  /** Marks of the events that an earlier run of this reader had. They may come again, from history or in an old page. */
  private had = ""
  /** The mark of the content of each such event that came again, by id. */
  private hadContents: Map<string, string> | undefined
  /** None of those events is later. A later event may have the same mark. */
  private hadUntil = ""
  private from: Cursor | undefined
  /** The requested start, if it lies in the future. */
  private doubted: string | undefined
  /** Its own events within the overlap, if they differ from those of its connection. */
  private recent: Recent | undefined
  /** The end of what it read from history alone. Its connection may be further back. */
  private ahead: Cursor | undefined
  /** `recent` is needed until the connection's overlap begins after this timetoken. */
  private recentUntil = ""
  /** The reader begins after this timetoken. Empty before it has begun. */
  startsAfter = ""
  private copies: MessageIds.Copies | undefined
  /** Whether it got `Interrupted` or `Disconnected`, and nothing that ends this. */
  wasDown = false
  /** The latest status of the connection, if there was no room to emit it. */
  private pendingStatus: SubscribeStatus.Status | undefined
  private areNamesPending = false
  /** The position at which the strategy `fail` ended the reader. */
  private overflowed: { readonly at: Cursor | undefined; readonly isTold: boolean } | undefined

  constructor(core: Core, options: Options) {
    this.core = core
    this.options = options
    const { from } = options
    this.from = from
    // Its own connection drops these events by itself.
    this.had = marksOf(core.settings.from === undefined ? from : undefined)
  }

  /** Its names. */
  get keys(): ReadonlyArray<Key> {
    return [...Keyed.all(this.heard)].map(({ key }) => key)
  }

  get places(): ReadonlyArray<Cursor> {
    return this.home?.placesOf(this) ?? []
  }

  get isFull(): boolean {
    return this.waiting >= this.options.capacity
  }

  /** Whether there is no room for a status. */
  private get isCrowded(): boolean {
    return this.waitingStatuses >= mostStatuses || this.isFull && this.options.strategy !== "suspend"
  }

  get hasEnded(): boolean {
    return this.end !== undefined
  }

  // --- names

  /** Adds subscriptions. Gives the new names. */
  add(members: Iterable<Subscription.Subscription>): ReadonlyArray<Key> {
    const fresh: Array<Key> = []
    for (const member of members) {
      if (member._tag === "ChannelMetadata" || member._tag === "UserMetadata") this.isPlain = false
      for (const key of keysFor(member)) {
        const heard = Keyed.get(this.heard, key)
        if (heard === undefined) {
          const one: Heard = { key, members: member, start: undefined }
          this.heard = Keyed.set(this.heard, one)
          if (isWide(key)) this.wide = Few.add(this.wide, one)
          this.unbegun++
          fresh.push(key)
        } else if (!Array.from(Few.all(heard.members)).some((other) => Subscription.isSame(other, member))) {
          heard.members = Few.add(heard.members, member)
        }
      }
    }
    // One event may arrive by a wide name and by another one.
    if (this.wide !== undefined && Keyed.isMany(this.heard)) this.delivered ??= Delivered.make()
    return fresh
  }

  /** Removes subscriptions. Gives the names that nothing needs any more. */
  remove(members: Iterable<Subscription.Subscription>): ReadonlyArray<Key> {
    const gone: Array<Key> = []
    for (const member of members) {
      for (const key of keysFor({ ...member, presence: true })) {
        const heard = Keyed.get(this.heard, key)
        if (heard === undefined) continue
        for (const other of Few.all(heard.members)) {
          if (Subscription.isSame(other, member)) heard.members = Few.remove(heard.members, other)
        }
        if (heard.members !== undefined) continue
        this.heard = Keyed.remove(this.heard, key)
        this.wide = Few.remove(this.wide, heard)
        if (heard.start === undefined) this.unbegun--
        gone.push(key)
      }
    }
    if (gone.length === 0) return gone
    const wasFull = this.isFull
    this.dropRemoved()
    this.missed?.keepOnly(this.keys)
    this.catchingUp?.leave(gone)
    this.announce()
    // The connection may wait for this reader, which has nothing to take any more.
    if (wasFull && !this.isFull) this.core.demand()
    return gone
  }

  /** What it has by this name: it may be a channel and a group. */
  private named(name: string): ReadonlyArray<Heard> {
    return [Keyed.get(this.heard, `c ${name}`), Keyed.get(this.heard, `g ${name}`)].filter((one) => one !== undefined)
  }

  /** Drops waiting events of removed names. */
  private dropRemoved(): void {
    const isKept = (event: Item) => {
      const name = isStatus(event) ? undefined : subscriptionOf(event)
      return name === undefined || this.named(name).length > 0
    }
    const parts = this.parts?.flatMap(({ part, weight }): ReadonlyArray<Waiting> => {
      const kept = part.filter(isKept)
      return Arr.isReadonlyArrayNonEmpty(kept) ? [{ part: kept, weight: Math.min(weight, kept.length) }] : []
    }) ?? []
    this.parts = parts.length === 0 ? undefined : parts
    this.waiting = parts.reduce((sum, { weight }) => sum + weight, 0)
  }

  /** The service knows a name now: the reader gets its later events. */
  begin(key: Key, now: Cursor): void {
    const heard = Keyed.get(this.heard, key)
    if (heard === undefined || heard.start !== undefined) return
    if (this.begun === undefined && this.from !== undefined) {
      const { position } = this.from
      // A shared connection may be hours behind, while it fills a gap.
      const served = `${Math.floor(this.core.history.knowledge.now())}0000`
      this.from = notAfter(this.from, newer(now, { ...now, position: served }))
      if (this.from.position !== position) this.doubted = position
      this.hadUntil = latestOf(this.from, served)
    }
    const { from } = this
    const requested = from?.recent === undefined ? from?.position : before(from.recent.since)
    heard.start = requested === undefined || this.isConnected ? now.position : requested
    this.unbegun--
    if (heard.start > this.latest) this.latest = heard.start
    if (this.begun === undefined || now.position > this.begun.position) this.begun = now
    this.announce()
  }

  /** Ignores positions that cannot be right: the requested start, and those after `now`. */
  beginAt(now: Cursor): void {
    this.from = undefined
    for (const heard of Keyed.all(this.heard)) {
      if (heard.start !== undefined && heard.start > now.position) heard.start = now.position
    }
    if (this.latest > now.position) this.latest = now.position
    if (this.startsAfter > now.position) this.startsAfter = now.position
    if (this.begun !== undefined) this.begun = older(this.begun, now)
    if (this.taken !== undefined) this.taken = older(this.taken, now)
  }

  /** Emits the names after all of them have begun. */
  private announce(): void {
    if (this.begun === undefined || this.heard === undefined || this.unbegun > 0) return
    const { from } = this
    if (this.isConnected) {
      this.areNamesPending = this.isFull || this.waitingStatuses >= mostStatuses
      if (this.areNamesPending) return
      const last = this.parts?.findLast(({ part: [first] }) => !isStatus(first))?.part.at(-1)
      const cursor = cursorOf(last) ?? this.places.reduce(older, this.taken ?? this.begun)
      this.put({ _tag: "ChannelsChanged", cursor, ...namesOf(this.keys) })
      return
    }
    this.isConnected = true
    this.wasDown = false
    this.startsAfter = from === undefined
      ? this.begun.position
      : from.recent === undefined
      ? from.position
      : before(from.recent.since)
    if (from !== undefined && this.core.settings.from === undefined) this.missed = new Missed(from)
    const { region } = this.begun
    const at = from === undefined ? this.begun : region === undefined ? from : { region, ...from }
    const cursor = at.recent === undefined ? { ...at, recent: { since: after(at.position), marks: "" } } : at
    this.put({ _tag: "Connected", cursor, ...namesOf(this.keys) })
    if (this.doubted !== undefined) this.put({ _tag: "CursorDoubted", kept: cursor, doubted: this.doubted })
  }

  // --- incoming events

  /** Whether it takes all events of its names from this timetoken on. */
  hearsAll(oldest: string | undefined): boolean {
    return this.isPlain && this.unbegun === 0 && (oldest === undefined || oldest > this.latest)
  }

  /** Whether it takes an event of this name by one of `keys`, or by any. The name is undefined if the event cannot be decoded. */
  hears(name: string | undefined, event: SubscribeEvent.Received, keys?: ReadonlySet<Key>): boolean {
    const place = placeOf(event)
    for (const { key, members, start } of name === undefined ? Keyed.all(this.heard) : this.named(name)) {
      if (keys?.has(key) === false) continue
      if (start === undefined || place !== undefined && place.timetoken <= start) continue
      for (const member of Few.all(members)) if (Subscription.hears(member, event)) return true
    }
    return false
  }

  /** Offers the events of a page, in their order. */
  offer(events: ReadonlyArray<SubscribeEvent.Received>): void {
    // An ended reader takes no events, so the order holds after an overflow.
    if (this.hasEnded) return
    if (!this.isConnected) {
      // Events before `Connected` were published before the reader began.
      const latest = this.core.history.knowledge.latest()
      for (const event of events) {
        const timetoken = placeOf(event)?.timetoken ?? ""
        if (this.begun !== undefined && timetoken > this.begun.position && timetoken <= latest) {
          this.begun = { ...this.begun, position: timetoken }
        }
      }
      return
    }
    if (this.missed !== undefined) return this.miss(this.missed, events)
    const { capacity, strategy } = this.options
    const fitting = strategy === "suspend" ? events.length : this.fitting(events, capacity - this.waiting)
    if (fitting === events.length) return this.take(events)
    switch (strategy) {
      case "catchUp":
        this.take(events.slice(0, fitting))
        this.missed = new Missed(undefined)
        return this.miss(this.missed, events.slice(fitting))
      case "dropping":
        this.take(events.slice(0, fitting))
        return this.lose(events.slice(fitting))
      case "sliding":
        this.take(events)
        return this.slide()
      case "fail":
        this.take(events.slice(0, fitting))
        this.overflowed ??= { at: this.places.reduce<Cursor | undefined>(older, undefined), isTold: false }
        return this.finish(Exit.fail(Cause.Done()))
    }
  }

  /** Offers a status of the connection, or a gap. */
  tell(status: SubscribeStatus.Status): void {
    if (this.hasEnded) return
    switch (status._tag) {
      case "Interrupted":
      case "Disconnected":
      case "Reconnected":
        // `Connected` ends an interruption, too. Before it another connection of the reader may still be interrupted.
        if (status._tag === "Reconnected" && !(this.wasDown && this.isConnected)) return
        this.wasDown = status._tag !== "Reconnected"
        this.pendingStatus = status
        return this.tellRest()
      case "Gap":
      case "GapSuspected": {
        if (!this.isConnected) return
        if (!this.isConcerned(status)) return
        if (this.missed !== undefined) return Losses.add(this.missed.losses, status)
        if (this.isCrowded) {
          return Losses.add(this.losses ??= new Map(), status)
        }
        return this.put(status)
      }
      default:
        if (this.isConnected && this.waitingStatuses < mostStatuses) this.put(status)
    }
  }

  /** There may be a gap for each of thousands of names. So it is compared with the wide names alone. */
  private isConcerned(loss: Losses.Loss): boolean {
    const names = loss._tag === "GapSuspected" ? Keyed.all(this.heard) : this.covering(loss.channel)
    for (const { start } of names) if (start !== undefined && start < before(loss.before)) return true
    return false
  }

  private *covering(channel: string): Iterable<Heard> {
    yield* this.named(channel)
    yield* this.named(ChannelName.presenceOf(channel))
    for (const one of Few.all(this.wide)) if (covers(one.key, channel)) yield one
  }

  /** Takes no more events. The reader ends after the waiting ones were pulled. */
  finish(exit: Exit.Exit<never, SubscribeError | Cause.Done>): void {
    this.end ??= exit
    this.wake()
  }

  /** Emits `Disconnected`, then ends the reader with the failure. */
  fail({ cursor, reason }: SubscribeError): void {
    if (this.hasEnded) return
    // The connection may be anywhere before the reader begins.
    const own = this.isConnected && cursor !== undefined ? this.ownCursor(cursor) : this.place
    const at = own === undefined ? {} : { cursor: own }
    this.put({ _tag: "Disconnected", reason: Defects.told(reason), ...at })
    this.finish(Exit.fail(new SubscribeError({ reason, ...at })))
  }

  private miss(missed: Missed, events: ReadonlyArray<SubscribeEvent.Received>): void {
    for (const event of events) if (!this.isHad(event)) missed.add(event)
    this.wake()
  }

  private take(events: ReadonlyArray<Item>): void {
    if (!Arr.isReadonlyArrayNonEmpty(events)) return
    this.tellRest()
    const weight = this.had === "" ? events.length : events.filter((event) => !this.isHad(event)).length
    ;(this.parts ??= []).push({ part: events, weight })
    this.waiting += weight
    if (this.options.strategy === "suspend" && this.isFull) this.core.full.add(this)
    this.wake()
  }

  /** How many of the first events there is room for. Events of an earlier run need no room: they are dropped. */
  private fitting(events: ReadonlyArray<Item>, room: number): number {
    if (this.had === "") return Math.min(events.length, Math.max(0, room))
    let left = room
    const end = events.findIndex((event) => !this.isHad(event) && left-- <= 0)
    return end === -1 ? events.length : end
  }

  private put(status: SubscribeStatus.Status): void {
    ;(this.parts ??= []).push({ part: [this.isConnected ? status : this.withOwnPlace(status)], weight: 0 })
    this.waitingStatuses++
    this.wake()
  }

  /** Emits delayed statuses before any later event. */
  private tellRest(): void {
    if (this.isCrowded) return
    if (this.losses !== undefined && this.options.strategy !== "sliding") {
      const losses = this.losses.values()
      this.losses = undefined
      for (const loss of losses) this.put(loss)
    }
    if (this.areNamesPending) {
      this.areNamesPending = false
      this.announce()
    }
    if (this.pendingStatus !== undefined) {
      const { pendingStatus } = this
      this.pendingStatus = undefined
      this.put(pendingStatus)
    }
  }

  /** Drops the oldest waiting events until there is room. */
  private slide(): void {
    const { parts } = this
    if (parts === undefined) return
    for (let index = 0; this.waiting > this.options.capacity; index++) {
      const waiting = parts[index]
      if (waiting === undefined) return
      const { part, weight } = waiting
      // Events of an earlier run are no loss, and take no room.
      if (weight === 0) continue
      const count = Math.min(weight, this.waiting - this.options.capacity)
      const first = weight === part.length ? count : this.fitting(part, count)
      this.lose(part.slice(0, first))
      this.waiting -= count
      const rest = part.slice(first)
      if (Arr.isReadonlyArrayNonEmpty(rest)) parts[index] = { part: rest, weight: weight - count }
      else parts.splice(index--, 1)
    }
  }

  private lose(events: ReadonlyArray<Item>): void {
    for (const event of events) if (!this.isHad(event)) Losses.lose(this.losses ??= new Map(), event)
    this.wake()
  }

  private wake(): void {
    const { resume } = this
    if (resume === undefined) return
    this.resume = undefined
    if (this.core.settings.demand === "pull") this.core.waiting--
    this.core.wakes.later(() => resume(this.pull))
  }

  // --- pulled events

  /** Gives the next events, and waits for them if there are none. */
  readonly pull: Pull.Pull<Part, SubscribeError> = Effect.suspend(() => {
    try {
      return this.step()
    } catch (defect) {
      return this.broken(defect)
    }
  })

  private step(): Pull.Pull<Part, SubscribeError> {
    const { catchingUp } = this
    // Missed events come before waiting ones.
    if (catchingUp !== undefined) {
      return Effect.flatMap(
        Effect.catchDefect(this.caughtUp(catchingUp), (defect) => this.broken(defect)),
        (part) => part === undefined ? this.pull : Effect.succeed(part)
      )
    }
    const part = this.next()
    if (part === "again") return this.pull
    if (part !== undefined) return Effect.succeed(part)
    if (this.missed !== undefined && this.isConnected) {
      const { missed } = this
      this.missed = undefined
      this.attach(missed)
      return this.pull
    }
    return this.end === undefined ? this.parked() : this.ended(this.end)
  }

  private broken(defect: unknown): Effect.Effect<never, SubscribeError> {
    return Effect.fail(Defects.toError(this.core.config, defect, this.place))
  }

  /** The cursor of the last event that was taken, or of the start. Without a start it has none before all names have begun. */
  private get place(): Cursor | undefined {
    return this.taken ?? this.from ?? (this.isConnected ? this.begun : undefined)
  }

  /** Waits until it is woken, and then pulls again. It keeps no continuation, so that a waiting reader stays small. */
  private parked(): Pull.Pull<Part, SubscribeError> {
    return Effect.callback((resume) => {
      this.resume = resume
      // A shared connection polls whether or not this reader waits. So an interrupted wait takes nothing back.
      if (this.core.settings.demand === "ahead") return undefined
      this.core.waiting++
      this.core.demand()
      return Effect.sync(() => {
        if (this.resume !== resume) return
        this.resume = undefined
        this.core.waiting--
      })
    })
  }

  private next(): Part | "again" | undefined {
    if (this.parts === undefined) this.tellRest()
    const { losses } = this
    const { part: first, weight = 0 } = this.parts?.[0] ?? {}
    const status = first !== undefined && isStatus(first[0]) ? first[0] : undefined
    const isData = first !== undefined && status === undefined
    if (losses !== undefined && (first === undefined || isData && this.options.strategy === "sliding")) {
      this.losses = undefined
      const gaps = [...losses.values()]
      if (Arr.isReadonlyArrayNonEmpty(gaps)) return gaps
    }
    if (first === undefined) return undefined
    this.parts?.shift()
    if (this.parts?.length === 0) this.parts = undefined
    if (status !== undefined) {
      this.waitingStatuses--
      const cursor = cursorOf(status)
      // The connection is ahead of missed events.
      const own = this.missed !== undefined
        ? this.withOwnPlace(status)
        : cursor === undefined
        ? status
        : this.withOwnPlace(status, this.isBehind(cursor) ? this.place : this.ownCursor(cursor))
      // A status comes with the events after it.
      const rest = this.next()
      return rest === undefined || rest === "again" ? [own] : [own, ...rest]
    }
    const wasFull = this.isFull
    this.waiting -= weight
    this.tellRest()
    if (wasFull) this.core.demand()
    const cursor = cursorOf(first.at(-1))
    const events = this.withoutCopies(this.withOwnCursors(this.once(first)))
    if (cursor !== undefined) this.taken = events.length > 0 ? cursorOf(events.at(-1)) : this.ownCursor(cursor)
    return Arr.isReadonlyArrayNonEmpty(events) ? events : "again"
  }

  /** Whether the cursor of a status is no newer than the last event: it waited for room, or while the reader read history alone. */
  private isBehind({ position }: Cursor): boolean {
    // Another connection may be further back than the last event.
    return this.taken !== undefined && position <= this.taken.position && this.places.length < 2
  }

  /** Gives a status of the connection the position of this reader. */
  private withOwnPlace(status: SubscribeStatus.Status, place = this.place): SubscribeStatus.Status {
    switch (status._tag) {
      case "ChannelsChanged":
      case "Reconnected":
        return { ...status, cursor: place ?? status.cursor }
      case "Disconnected":
      case "Interrupted": {
        const { cursor: _, ...rest } = status
        return place === undefined ? rest : { ...rest, cursor: place }
      }
      default:
        return status
    }
  }

  /** Whether an earlier run of this reader had the event. */
  private isHad(event: Item): boolean {
    if (this.had === "" || "timetoken" in event && (event.timetoken ?? "") > this.hadUntil) return false
    const id = idOf(event)
    if (id === undefined || isStatus(event) || !Marks.has(this.had, Marks.of(id))) return false
    // Memberships set in one call share an id. It names the first of them: a second delivery of the others is better than a loss.
    const content = markOf(contentOf(event))
    const first = this.hadContents?.get(id)
    if (first === undefined) (this.hadContents ??= new Map()).set(id, content)
    return first === undefined || first === content
  }

  /** Drops events that the reader had already: by two names, from history and live, or in an earlier run. */
  private once(events: ReadonlyArray<Item>): ReadonlyArray<Item> {
    const { delivered, had } = this
    if (delivered === undefined && had === "") return events
    return events.filter((event) => {
      if (isStatus(event)) return true
      if (this.isHad(event)) return false
      const id = delivered === undefined ? undefined : idOf(event)
      return id === undefined || delivered?.admit(id, "", contentOf(event))._tag === "New"
    })
  }

  /** Drops second copies with one message id. The event before a copy takes over its cursor, so that no restart delivers the copy. */
  private withoutCopies(events: ReadonlyArray<Item>): ReadonlyArray<Item> {
    if (!events.some(isMarked)) return events
    const copies = this.copies ??= new MessageIds.Copies()
    const kept: Array<Item> = []
    for (const event of events) {
      const last = kept.at(-1)
      if (event._tag !== "Message" || copies.admit(event)) kept.push(event)
      else if (last !== undefined && !isStatus(last)) kept[kept.length - 1] = { ...last, cursor: event.cursor }
    }
    return kept
  }

  /**
   * Gives the events cursors of this reader: they name no event before its start, and the events that it alone read from history.
   * Each event may come here only once: a cursor that names an event twice is wrong once both are in a sum.
   */
  private withOwnCursors(events: ReadonlyArray<Item>): ReadonlyArray<Item> {
    const first = cursorOf(events[0])
    if (first === undefined || this.isOwn(first)) return events
    let shared: Cursor["recent"]
    let own: Cursor | undefined
    return events.map((event): Item => {
      const cursor = cursorOf(event)
      if (isStatus(event) || cursor?.recent === undefined) return event
      this.name(event)
      if (own === undefined || cursor.recent !== shared || this.recent !== undefined) {
        shared = cursor.recent
        own = this.ownCursor(cursor)
      }
      return { ...event, cursor: this.recent === undefined ? { ...own, delivered: cursor.delivered } : own }
    })
  }

  /** Names an event in the reader's own cursors. */
  private name(event: Item): void {
    const id = this.recent === undefined || isStatus(event) ? undefined : idOf(event)
    if (id !== undefined) this.recent?.add(Had.of(id), Had.unsure)
  }

  /** The position after all events that the reader had, alone or by its connection. */
  private furthest(cursor: Cursor): Cursor {
    const { ahead } = this
    if (this.recent === undefined || ahead === undefined || ahead.position <= cursor.position) return cursor
    const { hole } = cursor
    return { ...ahead, ...hole === undefined ? {} : { hole } }
  }

  /** Whether a cursor that readers share is right for this reader, too. */
  private isOwn({ position, recent }: Cursor): boolean {
    if (recent === undefined) return true
    // A connection that began later reaches back no further than its own beginning, whatever its position is.
    const reached = this.recentUntil
    if (this.recent !== undefined && recent.since > reached && overlapBefore(position) > reached) {
      this.recent = undefined
    }
    return this.recent === undefined && recent.since > this.startsAfter
  }

  /** The cursor of this reader for one of its connection. */
  private ownCursor(cursor: Cursor): Cursor {
    if (cursor.recent === undefined || this.isOwn(cursor)) return cursor
    if (this.recent !== undefined) {
      const place = this.furthest(cursor)
      this.recent.trim(place.position)
      // All of its events are in `recent`. Named twice, those of a sum would be missed in it.
      return { ...place, delivered: [], recent: this.recent.at(place.position) }
    }
    const { marks, sums = [] } = cursor.recent
    // A sum that also covers earlier events cannot be used.
    const [broken, ...rest] = sums.filter(([to]) => to > this.startsAfter)
    const since = after(broken === undefined ? this.startsAfter : broken[0])
    // The connection's position may be before the start of this reader.
    const position = cursor.position < this.startsAfter ? this.startsAfter : cursor.position
    return { ...cursor, position, recent: { since, marks, ...rest.length === 0 ? {} : { sums: rest } } }
  }

  private ended(
    end: Exit.Exit<never, SubscribeError | Cause.Done>
  ): Effect.Effect<Part, SubscribeError | Cause.Done> {
    if (this.overflowed === undefined) return end
    const { at, isTold } = this.overflowed
    // The last cursor names the events that were taken. Another connection may be further back, but not before the reader's start.
    const isBehind = at !== undefined && this.taken !== undefined && this.places.length > 1
    const cursor = isBehind ? older(this.place, this.ownCursor(at)) : this.place
    const reason = new InboxOverflow({ capacity: this.options.capacity })
    const where = cursor === undefined ? {} : { cursor }
    if (isTold) return Effect.fail(new SubscribeError({ reason, ...where }))
    this.overflowed = { at, isTold: true }
    return Effect.succeed([{ _tag: "Disconnected", reason, ...where }])
  }

  // --- missed events

  /** Begins to read the missed events, after the reader took all waiting ones. New events wait again, behind the missed ones. */
  private attach(missed: Missed): void {
    // The same event may arrive from history and live.
    if (missed.from !== undefined || missed.isUncounted) this.delivered ??= Delivered.make()
    const begun = Array.from(Keyed.all(this.heard)).flatMap(({ key, start }) => start === undefined ? [] : [key])
    this.catchingUp = new CatchUp(this.core, missed, begun, {
      within: this.options.within,
      reached: () =>
        [this.begun, ...this.places].reduce(
          (to, place) => place !== undefined && place.position > to ? place.position : to,
          this.home?.reachedBy(this) ?? ""
        ),
      hears: (by, event, keys) => this.hears(by, event, keys),
      // A connection that is behind brings them, too.
      leftOut: (mark) => {
        this.had += mark
      },
      place: () => this.place,
      // After an overflow the reader keeps its names until it fails. Its cursor says that it had all events before.
      mayAsk: () =>
        this.hasEnded && this.overflowed === undefined ? "never" : this.home?.isOn === false ? "later" : "now"
    })
  }

  private caughtUp(catchUp: CatchUp): Effect.Effect<Part | undefined, SubscribeError> {
    return Effect.map(this.core.provide(catchUp.step), ({ events, isOver }) => {
      if (isOver) {
        this.catchingUp = undefined
        // Cursors of the connection name events that passed by. Only a reader that resumed has events of its own.
        if (catchUp.missed.from !== undefined) {
          this.recent = catchUp.had
          this.recentUntil = catchUp.to
          this.ahead = catchUp.place
        }
      }
      const fresh = this.once(events)
      if (catchUp.missed.from === undefined) fresh.forEach((event) => this.name(event))
      const once = this.withoutCopies(fresh)
      const last = once.findLast((event) => !isStatus(event))
      this.taken = cursorOf(last) ?? this.taken
      return Arr.isReadonlyArrayNonEmpty(once) ? once : undefined
    })
  }
}

const isMarked = (event: Item): boolean => event._tag === "Message" && MessageIds.idOf(event.meta) !== undefined
