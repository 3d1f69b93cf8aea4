/**
 * From a range and a set of names to what history has of them: events in order, gaps and statuses. The service keeps a queue
 * of the newest messages for a reader and drops older ones without a word: a page as full as that queue, or a break longer
 * than it is kept, means that something may be missing. Nothing else reads history for a reader.
 *
 * A hole is filled in steps, so that whoever pulls sets the pace, and a step that failed is simply made again. What is found
 * comes oldest first, merged over all channels, with as much memory as some pages take.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import * as Retry from "../../../Retry.ts"
import * as ChannelName from "../../ChannelName.ts"
import { PubNubConfig } from "../../PubNubConfig.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as SubscribeStatus from "../../SubscribeStatus.ts"
import * as Endpoint from "../wire/endpoint.ts"
import * as Groups from "../wire/groups.ts"
import * as Storage from "../wire/storage.ts"
import * as Token from "../wire/token.ts"
import { addressParts } from "./addressParts.ts"
import * as Arrival from "./arrival.ts"
import { isName, type Knowledge } from "./knowledge.ts"
import { covers, isSame, keysOf, type Names } from "./names.ts"
import type { Pace } from "./pace.ts"
import { range } from "./place.ts"
import { overlap } from "./recent.ts"
import { mostOfPage, type Segment, Segments } from "./segments.ts"
import { byTimetoken } from "./storedEntry.ts"

type Config = PubNubConfig["Service"]

export interface Hole {
  /** `Late`: a part of the time of full pages, read for the second time. */
  readonly reason: "FullPage" | "LongBreak" | "Late"
  /** Where the reader stood. */
  readonly from: string
  /** Where the live service stood then. */
  readonly to: string
  /** From here on history is read: before `from`, since messages of other regions come late. */
  readonly since: bigint
  /** The full page. What is missing comes before it. */
  readonly page: ReadonlyArray<Arrival.Arrival>
  /** Whether other requests go first. */
  readonly isPatient?: boolean
}

/** What one step brought. */
export interface Progress {
  /** As the live service sends them, oldest first. What the full page holds is left to it. */
  readonly arrivals: ReadonlyArray<Arrival.Arrival>
  /** All that is older has been found. */
  readonly upTo: bigint
  readonly notices: ReadonlyArray<SubscribeStatus.Status>
  /** Whether the hole is filled, as far as it can be. */
  readonly filled: boolean
  /** Whether history has shown the messages of the full page: it is not behind. */
  readonly isCurrent: boolean
}

/** What all backfills of one keyset share. */
export interface History {
  readonly config: Config
  readonly knowledge: Knowledge
  readonly pace: Pace
}

const aMinute = 600_000_000n

/** So often history is asked again for what the full page has: after one second, two and four. */
const mostLooks = 3

// Counts are kept for a week.
const countable = Duration.days(7)

/** So often in a row a request is refused before history is out of reach. */
const mostRefused = 3

type ScheduleOf = (reason: PubNubError.Reason) => Schedule.Schedule<unknown, PubNubError.Reason>

/** How to come back to history that fails. How often it may refuse is counted here, and not by the schedules of a connection. */
export const scheduleOf = (schedule: ScheduleOf): ScheduleOf => (reason) =>
  reason._tag === "BadRequest" || reason._tag === "InvalidKey" ? Retry.reconnect : schedule(reason)

/** One arrival of the full page. */
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
  private phase: Phase = "channels"
  /** The channels to read, each with the subscribed names that stand for it. */
  private channels: ReadonlyMap<string, ReadonlyArray<string>> = new Map()
  /** Those that seemed to have nothing. */
  private readonly empty = new Map<string, ReadonlyArray<string>>()
  /** Whether channels may have been missed whose names nobody here knows: of wildcards, and of groups that cannot be listed. */
  private isUnsure = false
  /** What is left to read and to give. */
  private segments: Segments | undefined
  /** The names as they were when they were looked at last. */
  private heard: Names
  /** The full page by id and name, and the messages in it by id that history has not shown yet. */
  private readonly page = new Set<string>()
  private readonly unseen = new Map<string, Arrival.Arrival>()
  /** The full page, oldest first: what is left of it until history has passed by. */
  private ahead: ReadonlyArray<Live>
  /** Channels of which history holds something older than the hole. */
  private readonly held = new Set<string>()
  /** The newest entry found of each channel. */
  private readonly newest = new Map<string, bigint>()
  private looks = 0
  /** When channels were counted last, history lacked what the full page has: those without a count may have something. */
  private isDoubtful = false
  /** How many events were really missing. */
  private missing = 0
  private refusals = 0
  /** How many requests were answered. */
  answers = 0
  private isOutOfReach = false

  /**
   * The names may change while the hole is filled. Where it is known which channels are meant, each with the names it came
   * by, nothing is looked up.
   */
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
    const ahead: Array<Live> = []
    for (const arrival of hole.page) {
      const { by = "", envelope, id } = arrival
      if (envelope === undefined || id === undefined) continue
      this.page.add(id + by)
      ahead.push({ timetoken: envelope.p.t, id, arrival })
      history.knowledge.note(arrival)
      if (Arrival.isStored(envelope)) this.unseen.set(id, arrival)
    }
    this.ahead = ahead.toSorted(byTimetoken)
    this.segments = this.rangeFrom(hole.since)
    if (history.knowledge.storesNothing) this.giveUp()
  }

  /** Takes note of how many events of the last step were really missing. */
  missed(count: number): void {
    this.missing += count
  }

  /** One step of filling the hole. */
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
        config: this.history.config,
        request: (endpoint) => this.request(endpoint),
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

  /** How many pages history has, at the least, of what the full page holds. */
  private get pages(): number {
    const live = new Map<string, number>()
    for (const { envelope } of this.unseen.values()) {
      if (envelope !== undefined) live.set(envelope.c, (live.get(envelope.c) ?? 0) + 1)
    }
    return Math.max(1, Math.floor(Math.max(0, ...live.values()) / Storage.most(live.size)))
  }

  /** Nobody waits for what is not listened to any more. */
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

  /** What the waiting full page still holds is left to whoever gives it. */
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
        if (!this.lookAgain()) return Effect.succeed(this.finish())
        return Effect.as(Effect.sleep(1_000 * 2 ** (this.looks - 1)), nothing)
      case "filled":
        return Effect.succeed({ ...nothing, filled: true })
    }
  }

  private request<A>(endpoint: Endpoint.Endpoint<A>): Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient> {
    return this.renewing((config) => Endpoint.send(config, endpoint))
  }

  /** In its turn, and once more where a new token makes up for a refusal. */
  private renewing<A>(
    request: (config: Config) => Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient>
  ): Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient> {
    const { config, pace } = this.history
    return Effect.andThen(this.hole.isPatient === true ? pace.spare : pace.turn, Token.renewing(config, request)).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          this.answers++
        })
      )
    )
  }

  // --- which channels

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
    this.channels = found
    this.phase = "counts"
  })

  /** The channels of the names: their own, those seen of wildcards, and those that groups hold. */
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
      const listed = yield* this.renewing((config) =>
        Effect.mapError(
          Effect.provideService(Groups.list(() => group), PubNubConfig, config),
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

  /** Whether a part of the hole has grown older than history surely keeps, since that was last looked at. */
  private isOld({ entries, probedTo }: Segment): boolean {
    return entries === undefined && this.oldestKept() > probedTo
  }

  /** Whether history reaches back so far: it does if it holds something older. */
  private probe(segment: Segment): Effect.Effect<Progress, PubNubError.Reason, HttpClient.HttpClient> {
    return Effect.gen({ self: this }, function*() {
      const asked = [...this.channels.keys()].filter((name) => !this.held.has(name))
      for (const channels of addressParts(this.history.config, asked, mostOfPage)) {
        const pages = yield* this.request(Storage.pages({
          channels,
          since: undefined,
          before: String(segment.since),
          limit: 1,
          actions: false,
          meta: false
        }))
        for (const [channel, { entries }] of pages) if (entries.length > 0) this.held.add(channel)
      }
      const from = segment.probedTo === this.hole.since ? this.hole.from : String(segment.probedTo - 1n)
      // Some more will be gone when it is read.
      segment.probedTo = this.oldestKept() + aMinute
      const to = segment.probedTo < this.before ? segment.probedTo : this.before
      const notices = [...this.channels.keys()].filter((channel) => !this.held.has(channel)).map((
        channel
      ): SubscribeStatus.Gap => ({
        _tag: "Gap",
        channel,
        ...range(from, String(to)),
        reason: "RetentionExceeded"
      }))
      return { ...nothing, notices }
    })
  }

  /** What is older may have been deleted. */
  private oldestKept(): bigint {
    const { config, knowledge } = this.history
    return BigInt(Math.floor(Math.max(0, knowledge.now() - Duration.toMillis(config.historyRetention)))) * 10_000n
  }

  /** Leaves out the channels that have nothing: one request may spare hundreds. */
  private readonly count = Effect.gen({ self: this }, function*() {
    const { config, knowledge } = this.history
    const empty = new Set<string>()
    const behind = knowledge.now() - Number(this.hole.since / 10_000n)
    if (this.channels.size > 1 && behind < Duration.toMillis(countable)) {
      for (const channel of this.channels.keys()) empty.add(channel)
      // History may be behind: who is heard live has something.
      const live = new Map<string, number>()
      for (const { envelope } of this.unseen.values()) {
        if (envelope === undefined) continue
        empty.delete(envelope.c)
        live.set(envelope.c, (live.get(envelope.c) ?? 0) + 1)
      }
      this.isDoubtful = false
      for (const channels of addressParts(config, this.channels.keys(), mostOfCounts)) {
        const counts = yield* this.request(Storage.counts(channels, String(this.hole.since - 1n)))
        for (const [channel, count] of counts) {
          if (count > 0) empty.delete(channel)
          if (count < (live.get(channel) ?? 0) && this.isWaitedFor(channel)) this.isDoubtful = true
        }
      }
    }
    // What was deleted meanwhile counts no more.
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
    const { entries, upTo } = segments.take()
    const missing: Array<Arrival.Arrival> = []
    for (const { arrivals, channel, id, timetoken } of entries) {
      const at = BigInt(timetoken)
      if (at > (this.newest.get(channel) ?? 0n)) this.newest.set(channel, at)
      if (id !== undefined && this.unseen.delete(id)) missing.push(...this.passed(timetoken))
      missing.push(...id === undefined ? arrivals : arrivals.filter(({ by = "" }) => !this.page.has(id + by)))
    }
    const next = this.ahead[0]
    const left = next === undefined ? upTo : BigInt(next.timetoken)
    return { ...nothing, arrivals: missing, upTo: left < upTo ? left : upTo }
  }

  /** What the full page holds up to where history has come, but for messages that history has not shown yet. */
  private passed(timetoken: string): ReadonlyArray<Arrival.Arrival> {
    const isPassed = (item: Live) => item.timetoken <= timetoken && !this.unseen.has(item.id)
    const items = this.ahead.filter(isPassed)
    this.ahead = this.ahead.filter((item) => !isPassed(item))
    return items.map(({ arrival }) => arrival)
  }

  /**
   * History may be behind the live service: if it lacks what the full page has, or there is nothing to tell by, it is asked
   * again, a little later, and so are the channels that seemed to have nothing. A channel of which something was not stored
   * before is waited for once.
   */
  private lookAgain(): boolean {
    const behind: Array<{ readonly channel: string; readonly published: bigint }> = []
    for (const { envelope } of this.unseen.values()) {
      if (envelope === undefined || !this.channels.has(envelope.c) || !this.isWaitedFor(envelope.c)) continue
      behind.push({ channel: envelope.c, published: BigInt(envelope.p.t) })
    }
    const isDoubtful = this.isDoubtful && this.empty.size > 0
    const isBlind = this.hole.reason === "FullPage" && this.looks === 0 && this.newest.size === 0 &&
      this.channels.size + this.empty.size > 0
    if (this.looks === mostLooks || behind.length === 0 && !isBlind && !isDoubtful) return false
    this.looks++
    // Of channels that seemed to have nothing all may be missing.
    if (isDoubtful) behind.push({ channel: "", published: this.hole.since })
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

  /** Whether history is asked again for what it does not show of a channel. */
  private isWaitedFor(channel: string): boolean {
    return this.looks === 0 || this.history.knowledge.unstored.get(channel)?.has("Message") !== true
  }

  // --- the end

  private finish(): Progress {
    this.phase = "filled"
    const { knowledge } = this.history
    const { from, page, reason, since, to } = this.hole
    const { channels, groups } = this.names()
    const notices: Array<SubscribeStatus.Status> = []
    let suspected = this.isOutOfReach || this.isUnsure
    // Of what is older than was asked for, or than history keeps, nothing follows.
    const kept = this.oldestKept()
    const oldest = kept > since ? kept : since
    const late = new Set<string>()
    for (const { envelope } of this.unseen.values()) {
      if (envelope === undefined || BigInt(envelope.p.t) < oldest || !this.channels.has(envelope.c)) continue
      knowledge.noteUnstored(envelope.c, "Message")
      late.add(envelope.c)
    }
    // Where history shows nothing as young as what it lacks, it may be behind, and then lacks what came by other names too.
    const shown = [...this.newest.values()].reduce((one, other) => one > other ? one : other, 0n)
    const isBehind = Array.from(this.unseen.values()).some(({ envelope }) =>
      envelope !== undefined && late.has(envelope.c) && BigInt(envelope.p.t) > shown
    )
    if (isBehind && this.channels.size + this.empty.size > late.size) suspected = true
    if (reason !== "LongBreak") {
      // Messages of the page that history does not show: not stored, or not yet. The like of them may be missing.
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
      // The service dropped stored events, or may have dropped events that history does not have. They may be of any channel.
      if (this.missing > 0 || kinds.size > 0) {
        for (const [channel, had] of knowledge.unstored) {
          if (!this.hears(channel)) continue
          for (const kind of had) add(channel, kind)
          if (had.has("Message") && !late.has(channel)) suspected = true
        }
      }
      for (const [channel, had] of kinds) {
        notices.push({ _tag: "Gap", channel, ...range(from, to), reason: "NotStored", kinds: [...had].toSorted() })
      }
    } else if (this.known === undefined) {
      suspected ||= [...knowledge.unstored.keys()].some((channel) => this.hears(channel)) ||
        [...channels, ...groups].some(ChannelName.isPresence)
    }
    if (suspected) {
      notices.push({ _tag: "GapSuspected", ...range(from, to), reason: reason === "LongBreak" ? reason : "FullPage" })
    }
    const isCurrent = this.unseen.size === 0 &&
      page.some(({ envelope }) => envelope !== undefined && Arrival.isStored(envelope))
    return { ...nothing, notices, filled: true, isCurrent }
  }

  /** Whether a channel may come by one of the names. */
  private hears(channel: string): boolean {
    return keysOf(this.names()).some((key) => covers(key, channel))
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

  /** Whoever waits judges by its schedule how long failing history is waited for. What the service refuses is out of reach. */
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
        return Effect.fail(reason)
    }
  }

  private leaveOut({ channels }: PubNubError.AccessDenied): Progress {
    const { config, knowledge } = this.history
    const named = channels.filter((channel) => this.channels.has(channel))
    const rest = new Map(this.channels)
    for (const channel of named.length > 0 ? named : this.channels.keys()) {
      // The next token may allow it.
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

/** A step that brought nothing. */
const nothing: Progress = { arrivals: [], upTo: 0n, notices: [], filled: false, isCurrent: false }

const mostOfCounts = 100
