/**
 * Reads a range of history for a set of names, and gives the events in order, gaps and statuses. The service keeps a queue of
 * the newest messages for a reader and drops older ones without notice. So messages may be missing before a page as full as that
 * queue, and after a break longer than the service keeps it. No other module reads history for a reader.
 *
 * A hole is filled in steps: the reader that pulls sets the pace, and a step that failed is repeated. Events come oldest first,
 * merged over all channels. Memory is bounded.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import * as Retry from "../../../Retry.ts"
import * as ChannelName from "../../ChannelName.ts"
import type { Encryption } from "../../Encryption.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import * as Endpoint from "../wire/endpoint.ts"
import type { Envelope } from "../wire/envelope.ts"
import * as Groups from "../wire/groups.ts"
import * as Storage from "../wire/storage.ts"
import * as Token from "../wire/token.ts"
import { addressParts } from "./addressParts.ts"
import * as Arrival from "./arrival.ts"
import { isName, type Knowledge } from "./knowledge.ts"
import { coveredBy, isSame, keysOf, type Names } from "./names.ts"
import type { Pace } from "./pace.ts"
import { before, range, textOf } from "./place.ts"
import { overlap } from "./recent.ts"
import { Room } from "./room.ts"
import { type Segment, Segments } from "./segments.ts"
import { byTimetoken } from "./storedEntry.ts"

type Config = PubNubConfig["Service"]

export interface Hole {
  /** `Late`: a part that was read when full pages arrived, and is read for the second time. */
  readonly reason: "FullPage" | "LongBreak" | "Late"
  /** The position of the reader. */
  readonly from: string
  /** The last timetoken of the hole. */
  readonly to: string
  /** History is read from here. This is before `from`, since messages of other regions arrive late. */
  readonly since: bigint
  /** The full page. The missing messages come before it. */
  readonly page: ReadonlyArray<Arrival.Arrival>
  /** Whether other requests go first. */
  readonly isPatient?: boolean
  /** The position before a page that the reader did not get. History that shows no message after it is late. */
  readonly unheardFrom?: string | undefined
}

/** The result of one step. */
export interface Progress {
  /** Oldest first, in the form of the live service. Without the events of the full page. */
  readonly arrivals: ReadonlyArray<Arrival.Arrival>
  /** All older events of history have been given. */
  readonly upTo: bigint
  readonly notices: ReadonlyArray<SubscribeStatus.Status>
  /** Whether this was the last step. */
  readonly filled: boolean
  /** Whether history has all messages of the full page, so that it is not behind. */
  readonly isCurrent: boolean
}

/** What all backfills of an engine share. */
export interface History {
  readonly config: Config
  readonly encryption: Encryption | undefined
  readonly knowledge: Knowledge
  readonly pace: Pace
}

const aMinute = 600_000_000n

/** How often history is read again for messages that it lacks: after one, two and four seconds. */
const mostLooks = 3

/** The service counts messages of the last week. */
const countable = Duration.days(7)

/** After so many refusals in a row, the backfill gives up on channels. */
const mostRefused = 3

type ScheduleOf = (reason: PubNubError.Reason) => Schedule.Schedule<unknown, PubNubError.Reason>

/** The schedule for history that fails. This module counts refusals itself, so the schedules of a connection do not apply to them. */
export const scheduleOf = (schedule: ScheduleOf): ScheduleOf => (reason) =>
  reason._tag === "BadRequest" || reason._tag === "InvalidKey" ? Retry.reconnect : schedule(reason)

/** An event of the full page. */
interface Live {
  readonly timetoken: string
  readonly id: string
  readonly arrival: Arrival.Arrival
}

type Phase = "channels" | "counts" | "pages" | "filled"

export class Backfill {
  private readonly history: History
  private readonly names: () => Names
  private readonly known: ReadonlyMap<string, ReadonlyArray<string>> | undefined
  private readonly hole: Hole
  private readonly before: bigint
  private readonly room: Room
  private phase: Phase = "channels"
  /** The channels to read, each with the subscribed names that it arrives by. */
  private channels: ReadonlyMap<string, ReadonlyArray<string>> = new Map()
  /** Channels without messages, by their counts. */
  private readonly empty = new Map<string, ReadonlyArray<string>>()
  /** Whether there may be unknown channels: of a wildcard, or of a group that cannot be listed. */
  private isUnsure = false
  /** The rest of the range. Undefined if nothing is left. */
  private segments: Segments | undefined
  /** The names at the last step. */
  private heard: Names
  /** The events of the full page, by id and name. */
  private readonly page = new Set<string>()
  /** The stored events of the full page that history has not shown yet, by id. */
  private readonly unseen = new Map<string, Arrival.Arrival>()
  /** The events of the full page, oldest first. */
  private readonly live: ReadonlyArray<Live>
  /** How many of them history has passed. */
  private passed = 0
  /** Those that it has passed and not shown, by channel and region, oldest first. */
  private readonly skipped = new Map<string, Array<Live>>()
  /** Channels of which history has an entry older than the hole. */
  private readonly held = new Set<string>()
  /** The timetoken of the newest entry of each channel. */
  private readonly newest = new Map<string, bigint>()
  private looks = 0
  /** Whether history did not show the full page when it counted: channels with a count of zero may have messages. */
  private isDoubtful = false
  /** How many events were missing, and not only read again. */
  private missing = 0
  /** The same before the last look. */
  private missingBefore = 0
  /** Whether history has shown an event after `unheardFrom`. The reader may have it already, or get it with a full page. */
  private hasUnheard = false
  private refusals = 0
  /** How many requests were answered. */
  answers = 0
  /** Whether some channels cannot be read. */
  private isOutOfReach = false

  /** `names` may change between steps. `known` gives the channels with their names, so that nothing is looked up. */
  constructor(
    history: History,
    names: () => Names,
    hole: Hole,
    known?: ReadonlyMap<string, ReadonlyArray<string>>
  ) {
    this.history = history
    this.names = names
    this.heard = names()
    this.known = known
    this.hole = hole
    this.before = BigInt(hole.to) + 1n
    this.room = new Room(history.config, (endpoint) => this.request(endpoint))
    const live: Array<Live> = []
    for (const arrival of hole.page) {
      const { by = "", envelope, id } = arrival
      if (envelope === undefined || id === undefined) continue
      this.page.add(id + by)
      live.push({ timetoken: envelope.p.t, id, arrival })
      history.knowledge.note(arrival)
      if (Arrival.isStored(envelope)) this.unseen.set(id, arrival)
    }
    this.live = live.toSorted(byTimetoken)
    this.segments = this.rangeFrom(hole.since)
    if (history.knowledge.storesNothing) this.giveUp()
  }

  /** Call it after a step with the number of its events that the reader did not have. */
  missed(count: number): void {
    this.missing += count
  }

  /** Makes the next step. */
  get next(): Effect.Effect<Progress, PubNubError.Reason, HttpClient.HttpClient> {
    return Effect.suspend(() => this.step()).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          this.refusals = 0
        })
      ),
      Effect.catch((reason) => this.failed(reason))
    )
  }

  private rangeFrom(since: bigint): Segments {
    return new Segments(
      {
        encryption: this.history.encryption,
        room: this.room,
        channels: () => this.channels,
        isOld: (segment) => this.isOld(segment),
        unsure: () => {
          this.isUnsure = true
        }
      },
      since,
      this.before,
      this.pages
    )
  }

  /** How many pages of history the full page fills at least. */
  private get pages(): number {
    const live = new Map<string, number>()
    for (const { envelope } of this.unseen.values()) {
      if (envelope !== undefined) live.set(envelope.c, (live.get(envelope.c) ?? 0) + 1)
    }
    const most = [...live.values()].reduce((one, other) => Math.max(one, other), 0)
    return Math.max(1, Math.floor(most / Storage.most(live.size)))
  }

  /** Leaves out channels that no reader hears any more. */
  private leaveUnheard(): void {
    const heard = this.names()
    if (this.phase === "channels" || isSame(heard, this.heard)) return
    this.heard = heard
    const names = new Set([...heard.channels, ...heard.groups])
    const isHeard = ([, by]: readonly [string, ReadonlyArray<string>]) => by.some((name) => names.has(name))
    this.channels = new Map([...this.channels].filter(isHeard))
    for (const one of this.empty) if (!isHeard(one)) this.empty.delete(one[0])
    if (this.phase === "pages" && this.channels.size === 0) this.segments = undefined
  }

  private step(): Effect.Effect<Progress, PubNubError.Reason, HttpClient.HttpClient> {
    this.leaveUnheard()
    const { segments } = this
    const oldest = segments?.oldest
    switch (this.phase) {
      case "channels":
        return Effect.as(this.lookUp, nothing)
      case "counts":
        if (oldest !== undefined && this.isOld(oldest)) return this.probe(oldest)
        return this.count
      case "pages":
        if (segments !== undefined && oldest !== undefined) {
          if (oldest.entries !== undefined) return Effect.succeed(this.give(segments))
          return this.isOld(oldest) ? this.probe(oldest) : Effect.as(segments.read, nothing)
        }
        if (this.countAgain()) return Effect.succeed(nothing)
        if (!this.lookAgain()) return Effect.succeed(this.finish())
        return Effect.as(Effect.sleep(1_000 * 2 ** (this.looks - 1)), nothing)
      case "filled":
        return Effect.succeed({ ...nothing, filled: true })
    }
  }

  private request<A>(endpoint: Endpoint.Endpoint<A>): Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient> {
    return this.inTurn(Endpoint.send(this.history.config, endpoint))
  }

  private inTurn<A>(
    request: Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient>
  ): Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient> {
    const { pace } = this.history
    return Effect.andThen(this.hole.isPatient === true ? pace.spare : pace.turn, request).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          this.answers++
        })
      )
    )
  }

  // --- channels

  private readonly lookUp = Effect.gen({ self: this }, function*() {
    const { knowledge } = this.history
    const found = new Map<string, ReadonlyArray<string>>(this.known ?? [])
    const add = (channel: string, name: string) => {
      const names = found.get(channel) ?? []
      if (!names.includes(name)) found.set(channel, [...names, name])
    }
    this.isUnsure = false
    if (this.known === undefined) yield* this.list(add)
    else for (const channel of this.known.keys()) if (!isName(channel) && found.delete(channel)) this.isUnsure = true
    for (const channel of knowledge.denied) if (found.delete(channel)) this.isOutOfReach = true
    // The channels of the full page come first: if history shows the page, its later answers have all that came before.
    const live = new Set(Array.from(this.unseen.values(), ({ envelope }) => envelope?.c))
    this.channels = new Map([...found].toSorted(([one], [other]) => Number(live.has(other)) - Number(live.has(one))))
    this.phase = "counts"
  })

  /** Adds the channels of the names: plain channels, known channels of wildcards, and channels of groups. */
  private readonly list = Effect.fnUntraced(function*(this: Backfill, add: (channel: string, name: string) => void) {
    const { knowledge } = this.history
    const { channels, groups } = this.names()
    for (const channel of channels) {
      if (ChannelName.isPresence(channel)) continue
      if (isName(channel) && !ChannelName.isWildcard(channel)) add(channel, channel)
      else this.isUnsure = true
    }
    for (const [channel, name] of knowledge.channelsOf(new Set([...channels, ...groups]))) add(channel, name)
    for (const group of groups) {
      if (ChannelName.isPresence(group)) continue
      const listed = yield* this.inTurn(
        Effect.mapError(
          Effect.provideService(Groups.list(() => group), PubNubConfig, this.history.config),
          (error) => error.reason
        )
      ).pipe(
        Effect.asSome,
        Effect.catchTags({
          AccessDenied: () => Effect.succeedNone,
          BadRequest: () => Effect.succeedNone,
          FeatureDisabled: () => Effect.succeedNone
        })
      )
      if (Option.isNone(listed)) this.isUnsure = true
      for (const channel of Option.getOrElse(listed, () => [])) {
        if (ChannelName.isPresence(channel)) continue
        if (isName(channel)) add(channel, group)
        else this.isUnsure = true
      }
    }
  })

  /** Whether retention may have deleted entries of a segment since the last check. */
  private isOld({ entries, probedTo }: Segment): boolean {
    return entries === undefined && this.oldestKept() > probedTo
  }

  /** Checks retention: a channel with an entry older than the hole has lost nothing. Gives a `Gap` for each of the others. */
  private probe(segment: Segment): Effect.Effect<Progress, PubNubError.Reason, HttpClient.HttpClient> {
    return Effect.gen({ self: this }, function*() {
      const asked = [...this.channels.keys()].filter((name) => !this.held.has(name))
      const pages = yield* this.room.pages(asked, {
        since: undefined,
        before: textOf(segment.since),
        limit: 1,
        meta: false
      })
      for (const { channel, page } of pages) if (page.entries.length > 0) this.held.add(channel)
      const from = segment.probedTo === this.hole.since ? this.hole.from : textOf(segment.probedTo - 1n)
      // More entries may be deleted before they are read.
      segment.probedTo = this.oldestKept() + aMinute
      const to = segment.probedTo < this.before ? segment.probedTo : this.before
      const notices = [...this.channels.keys()].filter((channel) => !this.held.has(channel)).map((
        channel
      ): SubscribeStatus.Gap => ({
        _tag: "Gap",
        channel,
        ...range(from, textOf(to)),
        reason: "RetentionExceeded"
      }))
      return { ...nothing, notices }
    })
  }

  /** Retention may have deleted entries before this timetoken. */
  private oldestKept(): bigint {
    const { config, knowledge } = this.history
    return BigInt(Math.floor(Math.max(0, knowledge.now() - Duration.toMillis(config.historyRetention)))) * 10_000n
  }

  /** Leaves out channels without messages. One request may save hundreds. */
  private readonly count = Effect.gen({ self: this }, function*() {
    const { config, knowledge } = this.history
    const empty = new Set<string>()
    this.isDoubtful = false
    const behind = knowledge.now() - Number(this.hole.since / 10_000n)
    if (this.channels.size > 1 && behind < Duration.toMillis(countable)) {
      const since = textOf(this.hole.since)
      // The newest event of each channel of the full page.
      const live = new Map<string, string>()
      for (const { envelope } of this.unseen.values()) {
        if (envelope !== undefined && envelope.p.t > (live.get(envelope.c) ?? since)) live.set(envelope.c, envelope.p.t)
      }
      for (const channels of addressParts(config, this.channels.keys(), mostOfCounts, lengthOfTimetoken)) {
        const after = channels.map((channel) => before(live.get(channel) ?? since))
        const counts = yield* this.request(Storage.counts(channels, after))
        for (const [channel, count] of counts) {
          if (count > 0) continue
          if (live.has(channel)) this.isDoubtful = true
          else empty.add(channel)
        }
      }
    }
    // Messages that were deleted meanwhile are not counted.
    const oldest = this.segments?.oldest
    if (oldest !== undefined && this.isOld(oldest)) return nothing
    const rest = new Map(this.channels)
    for (const [channel, names] of this.channels) {
      if (!empty.has(channel)) continue
      this.empty.set(channel, names)
      rest.delete(channel)
    }
    this.channels = rest
    this.phase = "pages"
    if (rest.size === 0) this.segments = undefined
    return nothing
  })

  // --- pages

  private give(segments: Segments): Progress {
    const { unheardFrom } = this.hole
    const { entries, upTo } = segments.take()
    const missing: Array<Arrival.Arrival> = []
    for (const { arrivals, channel, id, timetoken } of entries) {
      const at = BigInt(timetoken)
      if (at > (this.newest.get(channel) ?? 0n)) this.newest.set(channel, at)
      if (unheardFrom !== undefined && timetoken > unheardFrom) this.hasUnheard = true
      const shown = id === undefined ? undefined : this.unseen.get(id)
      if (id !== undefined && shown !== undefined) {
        this.unseen.delete(id)
        this.pass(shown, timetoken, missing)
      }
      missing.push(...id === undefined ? arrivals : arrivals.filter(({ by = "" }) => !this.page.has(id + by)))
    }
    const rest = [this.live[this.passed], ...Array.from(this.skipped.values(), ([oldest]) => oldest)]
    const left = rest.flatMap((next) => next === undefined ? [] : [BigInt(next.timetoken)])
    return { ...nothing, arrivals: missing, upTo: left.reduce((one, other) => one < other ? one : other, upTo) }
  }

  /**
   * Gives the events of the full page up to one that history shows. Messages of other channels and regions that it has not shown yet
   * stay behind: it may be late with older ones, too. Those of the same channel and region were likely not stored.
   */
  private pass(shown: Arrival.Arrival, timetoken: string, given: Array<Arrival.Arrival>): void {
    const source = sourceOf(shown)
    const isPassed = (item: Live | undefined) => item !== undefined && item.timetoken <= timetoken
    const skipped = this.skipped.get(source) ?? []
    const count = skipped.findIndex((item) => !isPassed(item))
    for (const { arrival } of skipped.splice(0, count === -1 ? skipped.length : count)) given.push(arrival)
    if (skipped.length === 0) this.skipped.delete(source)
    for (let next = this.live[this.passed]; next !== undefined && isPassed(next); next = this.live[++this.passed]) {
      const other = sourceOf(next.arrival)
      if (other === source || !this.unseen.has(next.id)) given.push(next.arrival)
      else {
        const behind = this.skipped.get(other)
        if (behind === undefined) this.skipped.set(other, [next])
        else behind.push(next)
      }
    }
  }

  /** The stored events of the full page that history has not shown, of channels that are read. */
  private get lacking(): ReadonlyArray<Envelope> {
    return Array.from(this.unseen.values()).flatMap(({ envelope }) =>
      envelope !== undefined && this.channels.has(envelope.c) ? [envelope] : []
    )
  }

  /** Decides whether to count the channels without messages once more: now history has shown all of the full page. */
  private countAgain(): boolean {
    if (!this.isDoubtful || this.lacking.length > 0 || this.empty.size === 0) return false
    this.channels = new Map(this.empty)
    this.empty.clear()
    this.phase = "counts"
    this.segments = this.rangeFrom(this.hole.since)
    return true
  }

  /**
   * Decides whether to read history once more, a little later. History may be behind: it lacks messages of the full page, or it
   * has shown nothing at all. Channels with a count of zero are read again, too. A channel with a message that was not stored is
   * waited for only once. Messages that the reader did not get are waited for until a look shows no more of them.
   */
  private lookAgain(): boolean {
    const behind: Array<{ readonly channel: string; readonly published: bigint }> = []
    for (const { c: channel, p } of this.lacking) {
      if (this.isWaitedFor(channel)) behind.push({ channel, published: BigInt(p.t) })
    }
    const isBlind = this.hole.reason === "FullPage" && this.looks === 0 && this.newest.size === 0 &&
      this.channels.size + this.empty.size > 0
    const isGrowing = this.hole.unheardFrom !== undefined && this.missing > this.missingBefore
    if (this.looks === mostLooks || behind.length === 0 && !isBlind && !this.isUnheard && !isGrowing) return false
    this.looks++
    this.missingBefore = this.missing
    // A channel with a count of zero may lack all of its messages.
    if (this.isDoubtful && this.empty.size > 0) behind.push({ channel: "", published: this.hole.since })
    const oldest = behind.reduce((oldest, { channel, published }) => {
      const newest = this.newest.get(channel) ?? this.hole.since
      return [newest, published].reduce((one, other) => one < other ? one : other, oldest)
    }, BigInt(this.hole.to))
    this.channels = new Map([...this.channels, ...this.empty])
    this.empty.clear()
    this.phase = "counts"
    const since = oldest - overlap
    this.segments = this.rangeFrom(since > this.hole.since ? since : this.hole.since)
    return true
  }

  /** Whether history has shown nothing of a page that the reader did not get. */
  private get isUnheard(): boolean {
    return this.hole.unheardFrom !== undefined && this.missing === 0 && !this.hasUnheard
  }

  /** Whether history is read again for messages that it lacks of a channel. */
  private isWaitedFor(channel: string): boolean {
    return this.looks === 0 || this.history.knowledge.unstored.get(channel)?.has("Message") !== true
  }

  // --- the end

  private finish(): Progress {
    this.phase = "filled"
    const { knowledge } = this.history
    const { from, page, reason, since, to } = this.hole
    const { channels, groups } = this.names()
    /** Whether events of a channel may arrive by one of the names. */
    const hears = coveredBy(keysOf({ channels, groups }))
    const notices: Array<SubscribeStatus.Status> = []
    let suspected = this.isOutOfReach || this.isUnsure || this.isUnheard
    // Older messages say nothing: they were not read, or retention has deleted them.
    const kept = this.oldestKept()
    const oldest = kept > since ? kept : since
    const late = new Set<string>()
    for (const { c: channel, p } of this.lacking) {
      if (BigInt(p.t) < oldest) continue
      knowledge.noteUnstored(channel, "Message")
      late.add(channel)
    }
    // History may be behind if it shows nothing as new as the messages that it lacks. Then other channels may lack messages, too.
    const shown = [...this.newest.values()].reduce((one, other) => one > other ? one : other, 0n)
    const isBehind = Array.from(this.unseen.values()).some(({ envelope }) =>
      envelope !== undefined && late.has(envelope.c) && BigInt(envelope.p.t) > shown
    )
    // Of a page without stored messages it shows nothing: it may lack messages before it, too.
    const isStored = page.some(({ envelope }) => envelope !== undefined && Arrival.isStored(envelope))
    const isUnproven = isBehind || reason === "FullPage" && !isStored
    if (isUnproven && this.channels.size + this.empty.size > late.size) suspected = true
    if (reason !== "LongBreak") {
      // History lacks these messages of the page: they are not stored, or not yet. Others like them may be missing.
      for (const channel of late) notices.push({ _tag: "Gap", channel, ...range(from, to), reason: "NotInHistory" })
      const kinds = new Map<string, Set<SubscribeStatus.Kind>>()
      const add = (channel: string, kind: SubscribeStatus.Kind) => {
        if (kind === "Message" || kind === "File") return
        kinds.set(channel, (kinds.get(channel) ?? new Set()).add(kind))
      }
      for (const { envelope } of page) {
        const kind = envelope === undefined ? undefined : Arrival.kindOf(envelope)
        if (envelope !== undefined && kind !== undefined) add(ChannelName.withoutPresence(envelope.c), kind)
      }
      // The service dropped stored events, so it may have dropped others, of any channel, that history never has.
      if (this.missing > 0 || kinds.size > 0) {
        for (const [channel, had] of knowledge.unstored) {
          if (!hears(channel)) continue
          for (const kind of had) add(channel, kind)
          if (had.has("Message") && !late.has(channel)) suspected = true
        }
      }
      for (const [channel, had] of kinds) {
        notices.push({ _tag: "Gap", channel, ...range(from, to), reason: "NotStored", kinds: [...had].toSorted() })
      }
    } else if (this.known === undefined) {
      suspected ||= [...knowledge.unstored.keys()].some(hears) ||
        [...channels, ...groups].some(ChannelName.isPresence)
    }
    if (suspected) {
      notices.push({ _tag: "GapSuspected", ...range(from, to), reason: reason === "LongBreak" ? reason : "FullPage" })
    }
    return { ...nothing, notices, filled: true, isCurrent: isStored && this.unseen.size === 0 }
  }

  private giveUp(): Progress {
    this.isOutOfReach = true
    this.channels = new Map()
    this.empty.clear()
    this.segments = undefined
    this.phase = "pages"
    return nothing
  }

  // --- failures

  /** Passes a failure on, whose schedule decides how long to wait. After too many refusals leaves out channels. */
  private failed(reason: PubNubError.Reason): Effect.Effect<Progress, PubNubError.Reason> {
    switch (reason._tag) {
      case "FeatureDisabled":
        return Effect.sync(() => this.notStored())
      case "BadRequest":
      case "InvalidKey":
      case "AccessDenied":
        if (++this.refusals < mostRefused) return Effect.fail(reason)
        return Effect.sync(() => reason._tag === "AccessDenied" ? this.leaveOut(reason) : this.giveUp())
      default:
        // A service in trouble may refuse now and then.
        this.refusals = 0
        return Effect.fail(reason)
    }
  }

  private leaveOut({ channels }: PubNubError.AccessDenied): Progress {
    const { config, knowledge } = this.history
    const named = channels.filter((channel) => this.channels.has(channel))
    const rest = new Map(this.channels)
    for (const channel of named.length > 0 ? named : this.channels.keys()) {
      // A new token may allow it.
      if (Token.isFixed(config)) knowledge.denied.add(channel)
      rest.delete(channel)
    }
    this.refusals = 0
    if (rest.size === 0) return this.giveUp()
    this.channels = rest
    this.isOutOfReach = true
    return nothing
  }

  private notStored(): Progress {
    this.phase = "filled"
    this.history.knowledge.storesNothing = true
    const { from, to } = this.hole
    const { channels, groups } = this.names()
    return {
      ...nothing,
      notices: [...channels, ...groups].filter((name) => !ChannelName.isPresence(name)).map((channel) => ({
        _tag: "Gap",
        channel,
        ...range(from, to),
        reason: "NoStorage"
      })),
      filled: true
    }
  }
}

/** The channel and the region of an event. Only these have an order. */
const sourceOf = ({ envelope }: Arrival.Arrival): string => `${envelope?.p.r ?? ""}/${envelope?.c ?? ""}`

/** A step without a result. */
const nothing: Progress = { arrivals: [], upTo: 0n, notices: [], filled: false, isCurrent: false }

const mostOfCounts = 100

/** How many characters a timetoken and its comma take in an address. */
const lengthOfTimetoken = 20
