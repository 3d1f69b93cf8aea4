/**
 * Filling a hole from history. The service keeps a queue of the newest messages for a reader and drops older ones without
 * a word: a page as full as that queue, or a break longer than it is kept, means that something may be missing.
 *
 * A hole is filled in steps of one request each, so that whoever pulls sets the pace, and a step that failed is simply
 * made again. What is found comes oldest first, merged over all channels, with as much memory as a few pages take.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as HttpClient from "effect/http/HttpClient"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Url from "../../internal/url.ts"
import * as Channel from "../Channel.ts"
import * as ChannelGroups from "../ChannelGroups.ts"
import { PubNubConfig } from "../PubNubConfig.ts"
import type * as PubNubError from "../PubNubError.ts"
import type * as Status from "../Status.ts"
import { Timetoken } from "../Timetoken.ts"
import * as Endpoint from "./endpoint.ts"
import * as Envelope from "./envelope.ts"
import * as Storage from "./storage.ts"

/** The names of a subscription, presence names included. */
export interface Names {
  readonly channels: ReadonlyArray<string>
  readonly groups: ReadonlyArray<string>
}

export interface Hole {
  readonly reason: "FullPage" | "LongBreak"
  /** Where the reader stood. */
  readonly from: string
  /** Where the live service stood then. */
  readonly to: string
  /** From here on history is read: before `from`, since messages of other regions come late. */
  readonly since: bigint
  /** The full page. What is missing comes before it. */
  readonly page: ReadonlyArray<Schema.Json>
}

/** What one step brought. */
export interface Progress {
  /** Envelopes as the live service sends them, oldest first. What the full page holds is left to it. */
  readonly envelopes: ReadonlyArray<Schema.Json>
  /** All that is older has been found. */
  readonly upTo: bigint
  readonly notices: ReadonlyArray<Status.Status>
  /** Whether the hole is filled, as far as it can be. */
  readonly filled: boolean
}

export interface CatchUp {
  /** Takes note of a channel that a wildcard or a group stands for, and of kinds that are not stored. */
  readonly note: (envelope: Envelope.Envelope) => void
  /** Takes note of how many events the last step brought that were really missing. */
  readonly missed: (count: number) => void
  readonly open: (hole: Hole) => void
  readonly hole: () => Hole | undefined
  /** One step of filling the open hole. */
  readonly next: Effect.Effect<Progress, PubNubError.Reason, HttpClient.HttpClient>
}

/** How far before the last position history is read: messages of other regions come late by seconds. */
export const overlap = 100_000_000n

// The service throttles small accounts at 25 requests a second.
const spacing = 50

const aMinute = 600_000_000n

/** So many names are remembered of what wildcards and groups stand for. */
const mostNames = 10_000

/** So many entries are kept that were read on the way to older ones; others are read again. */
const mostKept = 1_000

/** So many entries go on at once. */
const chunk = 100

/** So often history is asked again for what the full page has: after one second, two and four. */
const mostLooks = 3

// Counts are kept for a week.
const countable = Duration.days(7)

/** So often a request is tried that is refused, or that fails otherwise: then history is out of reach. */
const mostRefused = 3
const mostFailed = 20

interface Entry {
  readonly timetoken: string
  readonly channel: string
  readonly id: string | undefined
  /** One for each subscribed name. */
  readonly envelopes: ReadonlyArray<{ readonly b: string } & { readonly [key: string]: Schema.Json }>
}

/** Names come from answers, too. Of one that no address can carry nothing can be asked. */
const isName = (channel: string): boolean => Channel.issue(channel) === undefined

/** A part of the hole, with what is in it where that is known. */
interface Segment {
  readonly since: bigint
  readonly before: bigint
  entries: ReadonlyArray<Entry> | undefined
  /** What was published until then may have been deleted: history was asked whether it was, and the answer told. */
  kept: bigint
}

/** One envelope of the full page. */
interface Live {
  readonly timetoken: string
  readonly id: string
  readonly raw: Schema.Json
}

interface Work {
  readonly hole: Hole
  readonly before: bigint
  phase: "channels" | "counts" | "pages"
  /** The channels to read, each with the subscribed names that stand for it. */
  channels: Map<string, ReadonlyArray<string>>
  /** Those that seemed to have nothing. */
  readonly empty: Map<string, ReadonlyArray<string>>
  /** Wildcards, and groups that could not be looked up. */
  unknown: Array<string>
  /** The oldest part last. */
  readonly segments: Array<Segment>
  /** The full page by id and name, and the messages in it by id that history has not shown yet. */
  readonly page: ReadonlySet<string>
  readonly unseen: Map<string, Envelope.Envelope>
  /** The full page, oldest first: what is left of it until history has passed by. */
  ahead: ReadonlyArray<Live>
  /** Channels of which history holds something older than the hole. */
  readonly held: Set<string>
  /** The newest entry found of each channel. */
  readonly newest: Map<string, bigint>
  looks: number
  missed: number
  failures: number
  outOfReach: boolean
}

export const make = (config: PubNubConfig["Service"], names: () => Names): CatchUp => {
  let work: Work | undefined
  let storage: "unknown" | "none" = "unknown"
  let lastRequest = -Infinity
  /** Channels that came by a wildcard or a group, with its name. */
  const seen = new Map<string, Set<string>>()
  const unstored = new Map<string, Set<Status.Kind>>()
  /** Channels whose history is not for this user. */
  const denied = new Set<string>()

  const noteUnstored = (channel: string, kind: Status.Kind) => {
    const kinds = unstored.get(channel)
    if (kinds !== undefined) kinds.add(kind)
    else if (unstored.size < mostNames) unstored.set(channel, new Set([kind]))
  }

  const note = (envelope: Envelope.Envelope) => {
    const { b, c } = envelope
    const kind = kindOf(envelope)
    if (kind !== "Message" && kind !== "File" && kind !== undefined) noteUnstored(Channel.withoutPresence(c), kind)
    else if (b !== undefined && b !== null && b !== c) {
      const by = seen.get(c)
      if (by !== undefined) by.add(b)
      else if (seen.size < mostNames && isName(c)) seen.set(c, new Set([b]))
    }
  }

  const request = <A>(endpoint: Endpoint.Endpoint<A>): Effect.Effect<A, PubNubError.Reason, HttpClient.HttpClient> =>
    Effect.gen(function*() {
      const wait = lastRequest + spacing - (yield* Clock.currentTimeMillis)
      if (wait > 0 && wait <= spacing) yield* Effect.sleep(wait)
      lastRequest = yield* Clock.currentTimeMillis
      return yield* Endpoint.call(config, endpoint, (reason): PubNubError.Reason => reason)
    })

  // --- which channels

  const lookUp = Effect.fnUntraced(function*(work: Work) {
    const { channels, groups } = names()
    const found = new Map<string, Array<string>>()
    const add = (channel: string, name: string) => {
      const names = found.get(channel)
      if (names === undefined) found.set(channel, [name])
      else if (!names.includes(name)) names.push(name)
    }
    const unknown = channels.filter(Channel.isWildcard).filter((name) => !Channel.isPresence(name))
    for (const channel of channels) {
      if (Channel.isPresence(channel) || Channel.isWildcard(channel)) continue
      if (isName(channel)) add(channel, channel)
      else unknown.push(channel)
    }
    for (const [channel, by] of seen) {
      for (const name of by) if (channels.includes(name) || groups.includes(name)) add(channel, name)
    }
    for (const group of groups) {
      if (Channel.isPresence(group)) continue
      const listed = yield* ChannelGroups.list({ group }).pipe(
        Effect.provideService(PubNubConfig, config),
        Effect.mapError((error) => error.reason),
        Effect.asSome,
        Effect.catchTags({
          AccessDenied: () => Effect.succeedNone,
          BadRequest: () => Effect.succeedNone,
          FeatureDisabled: () => Effect.succeedNone
        })
      )
      if (Option.isNone(listed)) unknown.push(group)
      for (const channel of Option.getOrElse(listed, () => [])) {
        if (Channel.isPresence(channel)) continue
        if (isName(channel)) add(channel, group)
        else unknown.push(group)
      }
    }
    for (const channel of denied) if (found.delete(channel)) work.outOfReach = true
    work.channels = found
    work.unknown = unknown
  })

  /** Whether a part of the hole has grown older than history surely keeps, since that was last looked at. */
  const isOld = (segment: Segment | undefined) =>
    Effect.map(
      Clock.currentTimeMillis,
      (now) => segment?.entries === undefined && oldestKept(now) > (segment?.kept ?? 0n)
    )

  /** Whether history reaches back so far: it does if it holds something older. */
  const probe = Effect.fnUntraced(function*(work: Work, segment: Segment) {
    for (
      const channels of parts(config, [...work.channels.keys()].filter((name) => !work.held.has(name)), mostOfPage)
    ) {
      const pages = yield* request(Storage.pages(config, {
        channels,
        since: undefined,
        before: String(segment.since),
        limit: 1,
        actions: false,
        meta: false
      }))
      for (const [channel, { entries }] of pages) if (entries.length > 0) work.held.add(channel)
    }
    const from = segment.kept === work.hole.since ? work.hole.from : String(segment.kept - 1n)
    // Some more will be gone when it is read.
    segment.kept = oldestKept(yield* Clock.currentTimeMillis) + aMinute
    const to = segment.kept < work.before ? segment.kept : work.before
    return [...work.channels.keys()].filter((channel) => !work.held.has(channel)).map((channel): Status.Gap => ({
      _tag: "Gap",
      channel,
      from,
      to: String(to),
      reason: "RetentionExceeded"
    }))
  })

  /** What is older may have been deleted. */
  const oldestKept = (now: number): bigint =>
    BigInt(Math.floor(Math.max(0, now - Duration.toMillis(config.historyRetention)))) * 10_000n

  /** Leaves out the channels that have nothing: one request may spare hundreds. */
  const count = Effect.fnUntraced(function*(work: Work) {
    // History may be behind: who is heard live has something.
    const empty = new Set(work.channels.keys())
    for (const { c } of work.unseen.values()) empty.delete(c)
    for (const channels of parts(config, [...work.channels.keys()], mostOfCounts)) {
      const counts = yield* request(Storage.counts(config, channels, String(work.hole.since - 1n)))
      for (const [channel, count] of counts) if (count > 0) empty.delete(channel)
    }
    return empty
  })

  // --- pages

  const read = Effect.fnUntraced(function*(work: Work, segment: Segment) {
    const channels = [...work.channels.keys()]
    const limit = Storage.most(channels.length)
    const entries: Array<Entry> = []
    // Of a channel whose page is full only what is younger than its oldest entry is surely all there is.
    let from = segment.since
    for (const part of parts(config, channels, mostOfPage)) {
      const pages = yield* request(Storage.pages(config, {
        channels: part,
        since: String(segment.since),
        before: String(segment.before),
        limit,
        actions: false,
        meta: true
      }))
      for (const [channel, page] of pages) {
        const read = entriesOf(channel, work.channels.get(channel) ?? [channel], page.entries, segment.since)
          // A proxy may answer with what was not asked for: no end would be found.
          .filter(({ timetoken }) => timetoken < String(segment.before))
        entries.push(...read)
        const [oldest] = read
        if (read.length < limit || oldest === undefined) continue
        const after = BigInt(oldest.timetoken) + 1n
        const complete = after < segment.before ? after : after - 1n
        if (complete > from) from = complete
      }
    }
    const bound = String(from)
    return { from, entries: entries.filter(({ timetoken }) => timetoken >= bound).toSorted(byTimetoken) }
  })

  /** Goes on with the oldest part: reads it, and gives it out or divides it. */
  const page = Effect.fnUntraced(function*(work: Work, segment: Segment) {
    const { segments } = work
    if (segment.entries === undefined) {
      const { entries, from } = yield* read(work, segment)
      if (yield* isOld(segment)) return nothing
      segments.pop()
      segments.push({ ...segment, since: from, kept: segment.kept > from ? segment.kept : from, entries })
      if (from > segment.since) segments.push(...divided({ ...segment, before: from }, segment.before - from))
      else return give(work)
      let kept = 0
      for (const segment of segments.toReversed()) {
        kept += segment.entries?.length ?? 0
        // Needed last, so read again.
        if (kept > mostKept && segment.entries !== entries) segment.entries = undefined
      }
      return nothing
    }
    return give(work)
  })

  const give = (work: Work): Progress => {
    const segment = work.segments.pop()
    const entries = segment?.entries ?? []
    const rest = entries.slice(chunk)
    if (segment !== undefined && rest.length > 0) work.segments.push({ ...segment, entries: rest })
    const given = entries.slice(0, chunk)
    const missing: Array<Schema.Json> = []
    for (const { channel, envelopes, id, timetoken } of given) {
      const at = BigInt(timetoken)
      if (at > (work.newest.get(channel) ?? 0n)) work.newest.set(channel, at)
      if (id !== undefined && work.unseen.delete(id)) missing.push(...passed(work, timetoken))
      missing.push(...id === undefined ? envelopes : envelopes.filter(({ b }) => !work.page.has(id + b)))
    }
    const end = rest.length > 0 ? BigInt(given.at(-1)?.timetoken ?? 0) : segment?.before ?? 0n
    const next = work.ahead[0]
    const left = next === undefined ? end : BigInt(next.timetoken)
    return { envelopes: missing, upTo: left < end ? left : end, notices: [], filled: false }
  }

  /** What the full page holds up to where history has come, but for messages that history has not shown yet. */
  const passed = (work: Work, timetoken: string): ReadonlyArray<Schema.Json> => {
    const isPassed = (item: Live) => item.timetoken <= timetoken && !work.unseen.has(item.id)
    const items = work.ahead.filter(isPassed)
    work.ahead = work.ahead.filter((item) => !isPassed(item))
    return items.map(({ raw }) => raw)
  }

  /**
   * History may be behind the live service: if it lacks what the full page has, or there is nothing to tell by, it is asked
   * again, a little later, and so are the channels that seemed to have nothing.
   */
  const lookAgain = (work: Work): boolean => {
    const { hole } = work
    const behind = Array.from(work.unseen.values()).filter(({ c }) =>
      work.channels.has(c) && unstored.get(c)?.has("Message") !== true
    )
    const isBlind = hole.reason === "FullPage" && work.looks === 0 && work.newest.size === 0 &&
      work.channels.size + work.empty.size > 0
    if (work.looks === mostLooks || behind.length === 0 && !isBlind) return false
    work.looks++
    const oldest = behind.reduce((oldest, { c, p }) => {
      const newest = work.newest.get(c) ?? hole.since
      const published = BigInt(p.t)
      return [newest, published].reduce((one, other) => one < other ? one : other, oldest)
    }, BigInt(hole.to))
    for (const [channel, names] of work.empty) work.channels.set(channel, names)
    work.phase = "counts"
    work.segments.push(whole(oldest - overlap > hole.since ? oldest - overlap : hole.since, work.before))
    return true
  }

  // --- the end

  const finish = (work: Work, now: number): Progress => {
    const { from, page, reason, to } = work.hole
    const { channels, groups } = names()
    const notices: Array<Status.Status> = []
    let suspected = work.outOfReach
    const gap = (channel: string, reason: Status.Gap["reason"], kinds?: ReadonlyArray<Status.Kind>) => {
      notices.push({ _tag: "Gap", channel, from, to, reason, ...(kinds === undefined ? {} : { kinds }) })
    }
    // Of what is older than was asked for, or than history keeps, nothing follows.
    const kept = oldestKept(now)
    const oldest = kept > work.hole.since ? kept : work.hole.since
    const isUnstored = (envelope: Envelope.Envelope) =>
      BigInt(envelope.p.t) >= oldest &&
      work.unseen.has(Envelope.idOf(envelope)) && work.channels.has(envelope.c)
    for (const envelope of work.unseen.values()) if (isUnstored(envelope)) noteUnstored(envelope.c, "Message")
    // Something was dropped: then so was, perhaps, what cannot be asked for.
    const dropped = work.missed > 0
    if (reason === "FullPage") {
      const kinds = new Map<string, Set<Status.Kind>>()
      for (const raw of page) {
        const envelope = Option.getOrUndefined(Result.getSuccess(Envelope.decode(raw)))
        const kind = envelope === undefined ? undefined : kindOf(envelope)
        if (envelope === undefined || kind === undefined) continue
        if ((kind === "Message" || kind === "File") && !isUnstored(envelope)) continue
        const channel = Channel.withoutPresence(envelope.c)
        kinds.set(channel, (kinds.get(channel) ?? new Set()).add(kind))
      }
      if (dropped) {
        for (const [channel, had] of unstored) kinds.set(channel, new Set([...kinds.get(channel) ?? [], ...had]))
      }
      for (const [channel, had] of kinds) gap(channel, "NotStored", [...had].toSorted())
    } else {
      suspected ||= unstored.size > 0 || [...channels, ...groups].some(Channel.isPresence)
    }
    for (const name of work.unknown) {
      if (dropped) gap(name, "UnknownChannels")
      else suspected = true
    }
    if (suspected) notices.push({ _tag: "GapSuspected", from, to, reason })
    return { ...nothing, notices, filled: true }
  }

  const giveUp = (work: Work): Progress => {
    work.outOfReach = true
    work.channels = new Map()
    work.empty.clear()
    work.segments.length = 0
    work.phase = "pages"
    return nothing
  }

  const leaveOut = (work: Work, { channels }: PubNubError.AccessDenied): Progress => {
    const named = channels.filter((channel) => work.channels.has(channel))
    for (const channel of named.length > 0 ? named : work.channels.keys()) {
      denied.add(channel)
      work.channels.delete(channel)
    }
    if (work.channels.size === 0) return giveUp(work)
    work.outOfReach = true
    work.failures = 0
    return nothing
  }

  const notStored = ({ hole: { from, to } }: Work): Progress => {
    storage = "none"
    const { channels, groups } = names()
    return {
      ...nothing,
      notices: [...channels, ...groups].filter((name) => !Channel.isPresence(name)).map((channel) => ({
        _tag: "Gap",
        channel,
        from,
        to,
        reason: "NoStorage"
      })),
      filled: true
    }
  }

  const step = Effect.fnUntraced(function*(work: Work) {
    const oldest = work.segments.at(-1)
    if (work.phase !== "channels" && oldest !== undefined && (yield* isOld(oldest))) {
      return { ...nothing, notices: yield* probe(work, oldest) }
    }
    switch (work.phase) {
      case "channels": {
        yield* lookUp(work)
        work.phase = "counts"
        return nothing
      }
      case "counts": {
        const behind = (yield* Clock.currentTimeMillis) - Number(work.hole.since / 10_000n)
        const empty = work.channels.size > 1 && behind < Duration.toMillis(countable) ? yield* count(work) : []
        // What was deleted meanwhile counts no more.
        if (yield* isOld(oldest)) return nothing
        for (const channel of empty) {
          work.empty.set(channel, work.channels.get(channel) ?? [channel])
          work.channels.delete(channel)
        }
        work.phase = "pages"
        if (work.channels.size === 0) work.segments.length = 0
        return nothing
      }
      case "pages": {
        if (oldest !== undefined) return yield* page(work, oldest)
        if (!lookAgain(work)) return finish(work, yield* Clock.currentTimeMillis)
        yield* Effect.sleep(1_000 * 2 ** (work.looks - 1))
        return nothing
      }
    }
  })

  const failed = (work: Work, reason: PubNubError.Reason): Effect.Effect<Progress, PubNubError.Reason> => {
    work.failures++
    switch (reason._tag) {
      case "FeatureDisabled":
        return Effect.succeed(notStored(work))
      case "BadRequest":
      case "InvalidKey":
        return Effect.succeed(giveUp(work))
      case "AccessDenied": {
        return work.failures < mostRefused ? Effect.fail(reason) : Effect.succeed(leaveOut(work, reason))
      }
      case "Transport":
        // The network's failure, and not that of history: it is waited for.
        work.failures--
        return Effect.fail(reason)
      default:
        return work.failures < mostFailed ? Effect.fail(reason) : Effect.succeed(giveUp(work))
    }
  }

  return {
    note,
    missed: (count) => {
      if (work !== undefined) work.missed += count
    },
    hole: () => work?.hole,
    open: (hole) => {
      const before = BigInt(hole.to) + 1n
      const unseen = new Map<string, Envelope.Envelope>()
      const page = new Set<string>()
      const ahead: Array<Live> = []
      for (const raw of hole.page) {
        const envelope = Option.getOrUndefined(Result.getSuccess(Envelope.decode(raw)))
        if (envelope === undefined) continue
        const id = Envelope.idOf(envelope)
        page.add(id + Envelope.nameOf(envelope))
        ahead.push({ timetoken: envelope.p.t, id, raw })
        note(envelope)
        const kind = kindOf(envelope)
        if (kind === "Message" || kind === "File") unseen.set(id, envelope)
      }
      work = {
        hole,
        before,
        phase: "channels",
        channels: new Map(),
        empty: new Map(),
        unknown: [],
        segments: [whole(hole.since, before)],
        ahead: ahead.toSorted(byTimetoken),
        held: new Set(),
        page,
        unseen,
        newest: new Map(),
        looks: 0,
        missed: 0,
        failures: 0,
        outOfReach: storage === "none"
      }
      if (storage === "none") giveUp(work)
    },
    next: Effect.suspend(() => {
      if (work === undefined) return Effect.succeed({ ...nothing, filled: true })
      const current = work
      return step(current).pipe(
        Effect.tap(() =>
          Effect.sync(() => {
            current.failures = 0
          })
        ),
        Effect.catch((reason) => failed(current, reason)),
        Effect.tap(({ filled }) =>
          Effect.sync(() => {
            if (filled) work = undefined
          })
        )
      )
    })
  }
}

/** A step that brought nothing. */
export const nothing: Progress = { envelopes: [], upTo: 0n, notices: [], filled: false }

const mostOfPage = 500
const mostOfCounts = 100

const whole = (since: bigint, before: bigint): Segment => ({ since, before, entries: undefined, kept: since })

/** Channels in parts that one address can hold. */
const parts = (
  config: PubNubConfig["Service"],
  channels: ReadonlyArray<string>,
  most: number
): ReadonlyArray<ReadonlyArray<string>> => {
  const parts: Array<Array<string>> = []
  let size = Infinity
  for (const channel of channels) {
    const length = Url.encode(channel).length + 1
    const last = parts.at(-1)
    // Room for what else an address holds.
    if (last === undefined || last.length === most || size + length > config.maxUrlSize - 2_000) {
      parts.push([channel])
      size = length
    } else {
      last.push(channel)
      size += length
    }
  }
  return parts
}

/**
 * How the rest of a hole is read, its oldest part last, when so much time held a page. The service gives pages from the new
 * end: a short rest is walked back page by page, and a long one is halved, so that its old end is soon reached.
 */
const divided = (rest: Segment, page: bigint): ReadonlyArray<Segment> => {
  const length = rest.before - rest.since
  if (length <= 8n * page) return [rest]
  const middle = rest.since + length / 2n
  return [{ ...rest, since: middle, kept: rest.kept > middle ? rest.kept : middle }, { ...rest, before: middle }]
}

const byTimetoken = (a: Pick<Live, "timetoken">, b: Pick<Live, "timetoken">): number =>
  a.timetoken < b.timetoken ? -1 : a.timetoken > b.timetoken ? 1 : 0

const decodeTimetoken = Schema.decodeUnknownOption(Schema.Struct({ timetoken: Timetoken }))

/** Stored entries as the live service sends them. One that says no time stands where the one before it does. */
const entriesOf = (
  channel: string,
  subscriptions: ReadonlyArray<string>,
  raws: ReadonlyArray<Schema.Json>,
  since: bigint
): ReadonlyArray<Entry> => {
  let last = String(since)
  return raws.map((raw) => {
    const read = Storage.read(raw)
    last = Option.match(decodeTimetoken(raw), { onNone: () => last, onSome: ({ timetoken }) => timetoken })
    // Without a payload it is no envelope, and so told as what cannot be read.
    if (Result.isFailure(read)) {
      const envelopes = subscriptions.map((b) => ({ c: channel, b, stored: raw }))
      return { timetoken: last, channel, id: undefined, envelopes }
    }
    const { customMessageType, kind, message, meta, publisher, timetoken } = read.success
    const envelope = {
      c: channel,
      d: message,
      p: { t: timetoken },
      ...(kind === 0 ? {} : { e: kind }),
      ...(publisher === undefined ? {} : { i: publisher }),
      ...(meta === undefined ? {} : { u: meta }),
      ...(customMessageType === undefined ? {} : { cmt: customMessageType })
    }
    const envelopes = subscriptions.map((b) => ({ ...envelope, b }))
    return { timetoken, channel, id: Envelope.idOf(envelope), envelopes }
  })
}

const kindOf = ({ c, e }: Envelope.Envelope): Status.Kind | undefined => {
  switch (e ?? 0) {
    case 0:
      return Channel.isPresence(c) ? "Presence" : "Message"
    case 1:
      return "Signal"
    case 2:
      return "AppContext"
    case 3:
      return "MessageAction"
    case 4:
      return "File"
    default:
      return undefined
  }
}
