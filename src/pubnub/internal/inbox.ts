/**
 * What waits for one reader of a shared poll, and what becomes of it when there is no room: the poll goes on for all
 * others.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import * as Iterable from "effect/Iterable"
import * as Latch from "effect/Latch"
import type * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Retry from "../../Retry.ts"
import type { Cursor } from "../../Cursor.ts"
import * as Channel from "../Channel.ts"
import type * as Event from "../Event.ts"
import type { PubNubConfig } from "../PubNubConfig.ts"
import type * as Status from "../Status.ts"
import { SubscribeError } from "../SubscribeError.ts"
import * as Subscription from "../Subscription.ts"
import * as CatchUp from "./catchUp.ts"
import * as Defects from "./defect.ts"
import * as Delivered from "./delivered.ts"
import * as Family from "./family.ts"
import * as Reader from "./reader.ts"
import { covers, type Key, type Listener, type SharedPoll } from "./sharedPoll.ts"

type Item = Event.SubscribeEvent

export type Strategy = "catchUp" | "slide" | "drop" | "fail" | "suspend"

export interface Options<E> {
  readonly members: Iterable<Subscription.Subscription>
  readonly from: Cursor | undefined
  readonly capacity: number
  readonly strategy: Strategy
  /** What ends a reader whose strategy is to fail. */
  readonly overflow: (cursor: Cursor | undefined) => E
}

export interface Inbox<E> {
  /** Changes what is listened to. */
  readonly add: (members: Iterable<Subscription.Subscription>) => void
  readonly remove: (members: Iterable<Subscription.Subscription>) => void
  /** Takes nothing more in; what waits can still be taken. */
  readonly end: () => void
  /** Listens to nothing any more. */
  readonly close: () => void
  readonly pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Item>, SubscribeError | E, void, HttpClient.HttpClient>
}

type Loss = Status.Gap | Status.GapSuspected

/** What a reader on its own was not given. */
interface Detached {
  /** Where the reader began with a cursor of the past: it wants everything from there on, and not only what came by. */
  readonly from: Cursor | undefined
  /** Messages by id, each with its channel. */
  readonly messages: Map<string, string>
  /** Those that are too many to be named: how many of each channel, and since when. */
  readonly more: Map<string, { readonly since: string; readonly count: number }>
  /** Kinds that history does not have, by channel. */
  readonly kinds: Map<string, Set<Status.Kind>>
  readonly losses: Map<string, Loss>
  /** Of all these, the oldest and the newest. */
  oldest: string
  newest: string
  /** The id of the last message. */
  last: string
}

type Named = NonNullable<Cursor["recent"]>

interface Fill extends Detached {
  readonly catchUp: CatchUp.CatchUp
  readonly reader: Reader.Reader
  readonly begin: Cursor
  /** Channels that were told as a gap, or `undefined` for all of them. */
  readonly told: Set<string | undefined>
  again: boolean
}

/** So many missed messages are noted one by one. */
const mostNoted = 1_000

const mostTaken = 100

export const make = Effect.fnUntraced(function*<E>(
  config: PubNubConfig["Service"],
  shared: SharedPoll,
  options: Options<E>
): Effect.fn.Return<Inbox<E>> {
  const { capacity, from, strategy } = options
  // The room is kept here: what tells of a loss is always taken in.
  const queue = yield* Queue.unbounded<Item, SubscribeError | E | Cause.Done>()
  const room = Latch.makeUnsafe(true)
  /** Each name with the members that stand for it. */
  const keys = new Map<Key, Array<Subscription.Subscription>>()
  /** From which timetoken on a name is heard; without one the service does not know of it yet. */
  const starts = new Map<Key, string>()
  /** What is told as soon as there is room. */
  const losses = new Map<string, Loss>()
  /** Statuses that made room: they are told before all that waits. */
  let ahead: Array<Item> = []
  let delivered: Delivered.Delivered | undefined
  let detached: Detached | undefined
  let fill: Fill | undefined
  /** Behind the last event that waits, and behind the last that was taken. */
  let last: Cursor | undefined
  let taken: Cursor | undefined
  let connected = false
  let since = ""
  let wasDown = false
  /** What there was no room to tell: of the connection only what is true now. */
  let untold: Item | undefined
  let areNamesUntold = false
  /** What a cursor of the past names was had before, also where history or another region brings it late. */
  const had = new Set([...from?.delivered ?? [], ...from?.recent?.names ?? []])
  /** What it had before, or from history, near to where it goes on with the poll. */
  let own: ReadonlyArray<string> = [...had]
  /** What the events of one page name, and with it what this reader had. */
  let page: { readonly polls: Named; readonly mine: Named } | undefined
  const birth = from?.recent === undefined ? from?.position : before(from.recent.since)
  /** Where the poll was when the inbox overflowed. */
  let overflowed: { readonly at: Cursor | undefined; readonly polls: number } | undefined
  /** How far the names are heard that began before the others did. */
  let begun: Cursor | undefined

  // --- names

  const named = (kind: "c" | "g") =>
    [...keys.keys()].filter((key) => key.startsWith(kind)).map((key) => key.slice(2)).toSorted()
  const names = (): CatchUp.Names => ({ channels: named("c"), groups: named("g") })

  const add = (added: Iterable<Subscription.Subscription>) => {
    const fresh: Array<Key> = []
    for (const member of added) {
      for (const key of keysOf(member)) {
        const known = keys.get(key)
        if (known === undefined) {
          keys.set(key, [member])
          fresh.push(key)
        } else if (!known.some((other) => Subscription.isSame(other, member))) known.push(member)
      }
    }
    if (canOverlap(keys)) delivered ??= Delivered.make()
    shared.join(listener, fresh)
  }

  const remove = (removed: Iterable<Subscription.Subscription>) => {
    const gone: Array<Key> = []
    for (const member of removed) {
      for (const key of keysOf({ ...member, presence: true })) {
        const had = keys.get(key) ?? []
        const rest = had.filter((other) => !Subscription.isSame(other, member))
        if (rest.length > 0) keys.set(key, rest)
        else if (keys.delete(key)) gone.push(key)
      }
    }
    if (gone.length === 0) return
    for (const key of gone) starts.delete(key)
    for (const missed of [detached, fill]) if (missed !== undefined) forget(missed)
    shared.leave(listener, gone)
    changed()
  }

  /** Of what is not listened to any more nothing is missing. */
  const forget = ({ kinds, messages, more }: Detached) => {
    const all = [...keys.keys()]
    const isHeard = (channel: string) => all.some((key) => covers(key, channel))
    for (const [id, channel] of messages) if (!isHeard(channel)) messages.delete(id)
    for (const channels of [kinds, more]) {
      for (const channel of channels.keys()) if (!isHeard(channel)) channels.delete(channel)
    }
  }

  const hears = (event: Event.Event, heard: Iterable<Key>): boolean => {
    for (const key of heard) {
      const start = starts.get(key)
      if (start === undefined || "timetoken" in event && event.timetoken !== undefined && event.timetoken <= start) {
        continue
      }
      if (keys.get(key)?.some((member) => Subscription.hears(member, event)) === true) return true
    }
    return false
  }

  /** Tells of the names, once all of them have begun. */
  const changed = () => {
    if (begun === undefined || starts.size < keys.size || keys.size === 0) return
    const place = shared.places(listener).reduce(older, begun)
    const status: Item = connected
      ? { _tag: "ChannelsChanged", cursor: last ?? place, ...names() }
      : { _tag: "Connected", cursor: from ?? begun, ...names() }
    areNamesUntold = connected && isFull()
    if (areNamesUntold) return
    if (!connected && from !== undefined) detached = missed(from)
    if (!connected) {
      since = after(birth ?? [...starts.values()].reduce((one, other) => one < other ? one : other))
      wasDown = false
      connected = true
    }
    Queue.offerUnsafe(queue, status)
  }

  // --- what the poll brings

  const isFull = () => Queue.sizeUnsafe(queue) >= capacity

  const lose = (event: Item, all = losses) => {
    if (event._tag === "Gap" || event._tag === "GapSuspected") return merge(all, event)
    const place = placeOf(event)
    if (place === undefined) return
    merge(all, {
      _tag: "Gap",
      channel: place.channel,
      from: before(place.timetoken),
      to: place.timetoken,
      reason: "InboxOverflow"
    })
  }

  const miss = (detached: Detached, event: Item) => {
    if (event._tag === "Gap" || event._tag === "GapSuspected") return merge(detached.losses, event)
    const place = placeOf(event)
    if (place === undefined || Family.isStatus(event)) return
    const { channel, timetoken } = place
    const kind = kindOf(event)
    if (kind === undefined) return lose(event, detached.losses)
    if (detached.oldest === "" || timetoken < detached.oldest) detached.oldest = timetoken
    if (timetoken > detached.newest) detached.newest = timetoken
    if (kind !== "Message" && kind !== "File") return noteKind(detached, channel, kind)
    const id = idOf(event) ?? ""
    // It came by another name, too.
    if (id === detached.last) return
    detached.last = id
    if (detached.messages.size < mostNoted) {
      detached.messages.set(id, channel)
      return
    }
    const { count, since } = detached.more.get(channel) ?? { count: 0, since: timetoken }
    detached.more.set(channel, { since: timetoken < since ? timetoken : since, count: count + 1 })
  }

  /** Tells what there was no room for, before what comes after it. */
  const catchUpOnStatuses = () => {
    if (isFull()) return
    for (const loss of losses.values()) Queue.offerUnsafe(queue, loss)
    losses.clear()
    if (areNamesUntold) changed()
    if (untold !== undefined) Queue.offerUnsafe(queue, untold)
    untold = undefined
  }

  const put = (event: Item) => {
    if (!Family.isStatus(event)) last = event.cursor
    return Queue.offerUnsafe(queue, event)
  }

  const listener: Listener = {
    begin: (key, now) => {
      if (!keys.has(key) || starts.has(key)) return
      starts.set(key, birth === undefined || connected ? now.position : birth)
      begun = begun === undefined ? now : older(now, begun) === now ? begun : now
      changed()
    },
    offer: (event, place, heard) => {
      switch (event._tag) {
        case "Interrupted":
        case "Disconnected":
        case "Reconnected":
          wasDown ||= event._tag !== "Reconnected"
          if (wasDown) untold = event
          catchUpOnStatuses()
          return true
        case "Gap":
        case "GapSuspected": {
          const concerned = event._tag === "Gap" ? heard : starts.keys()
          if (!connected || !Iterable.some(concerned, (key) => (starts.get(key) ?? event.to) < event.to)) return true
          break
        }
        case "Connected":
        case "ChannelsChanged":
        case "CursorDoubted":
          break
        default:
          if (heard.length > 0 && !hears(event, heard)) return true
      }
      if (!connected) {
        // What is not heard yet was published before the reader began.
        const timetoken = "timetoken" in event ? event.timetoken : undefined
        if (timetoken !== undefined && begun !== undefined && timetoken > begun.position) {
          begun = { ...begun, position: timetoken }
        }
        return true
      }
      if (detached !== undefined) {
        miss(detached, event)
        return true
      }
      if (!isFull()) {
        catchUpOnStatuses()
        put(event)
        if (strategy !== "suspend" || !isFull()) return true
        room.closeUnsafe()
        return false
      }
      switch (strategy) {
        case "suspend":
          // The rest of a page: the next one is waited with.
          put(event)
          return false
        case "catchUp":
          detached = missed(undefined)
          miss(detached, event)
          return true
        case "slide": {
          const oldest = Queue.takeUnsafe(queue)
          if (oldest !== undefined && Exit.isSuccess(oldest)) {
            if (Family.isStatus(oldest.value)) ahead.push(oldest.value)
            else lose(oldest.value)
          }
          put(event)
          return true
        }
        case "drop":
          lose(event)
          return true
        case "fail":
          overflowed = {
            at: place === undefined ? undefined : shared.places(listener).reduce(older, place),
            polls: shared.places(listener).length
          }
          Queue.endUnsafe(queue)
          return true
      }
    },
    room: room.await,
    fail: ({ cursor, reason }) => {
      // Another poll of this reader may be further back.
      const at = cursor === undefined ? {} : { cursor: shared.places(listener).reduce(older, cursor) }
      Queue.offerUnsafe(queue, { _tag: "Disconnected", reason: Defects.told(reason), ...at })
      Queue.failCauseUnsafe(queue, Cause.fail(new SubscribeError({ reason, ...at })))
      room.openUnsafe()
    },
    end: () => {
      Queue.endUnsafe(queue)
      room.openUnsafe()
    }
  }

  // --- what the reader takes

  /** What comes by two names, or from history and live, is told once. */
  const once = (events: ReadonlyArray<Item>): ReadonlyArray<Item> => {
    const known = delivered
    return known === undefined ? events : events.filter((event) => {
      const id = Family.isStatus(event) ? undefined : idOf(event)
      return id === undefined || !had.has(id) && known.admit(id, contentOf(event)).isNew
    })
  }

  /**
   * A cursor of the poll as one of this reader: before its own beginning nothing is its own, and what history gave to it
   * alone the poll does not name.
   */
  const mine = (cursor: Cursor): Cursor => {
    const { recent } = cursor
    if (recent === undefined) return cursor
    if (recent !== page?.polls) {
      const bound = recent.since > since ? recent.since : since
      const more = own.filter((name) => name >= bound)
      const all = more.length === 0 ? recent.names : [...new Set([...recent.names, ...more])].toSorted()
      page = { polls: recent, mine: { since: bound, names: all.slice(-Reader.mostNamed) } }
    }
    return { ...cursor, recent: page.mine }
  }

  const asMine = (error: SubscribeError | E): SubscribeError | E =>
    error instanceof SubscribeError && error.cursor !== undefined
      ? new SubscribeError({ reason: error.reason, cursor: mine(error.cursor) })
      : error

  /** The reader has taken all that waited: from now on events wait for it again, behind what it missed. */
  const attach = (missed: Detached): ReadonlyArray<Item> => {
    detached = undefined
    const { from, kinds, losses, messages, more, newest, oldest } = missed
    const channels = [...new Set([...messages.values(), ...more.keys()])]
    const isKnown = from === undefined
    if (isKnown && channels.length === 0) return [...losses.values(), ...unstored(kinds, oldest, newest)]
    // History and what is live may bring the same.
    if (!isKnown || more.size > 0) delivered ??= Delivered.make()
    const begin = from ?? { position: before(oldest), delivered: [] }
    const to = isKnown
      ? newest
      : [newest, begun?.position ?? "", ...shared.places(listener).map(reach)].reduce(
        (to, other) => other > to ? other : to,
        begin.position
      )
    // Only channels that missed something are read.
    const catchUp = CatchUp.make(config, isKnown ? () => ({ channels, groups: [] }) : names)
    // By each of its names: one of them may be removed meanwhile.
    const reader = Reader.make(catchUp, begin, true)
    reader.begin(begin)
    const isOpen = reader.open({ reason: "LongBreak", from: begin, to, page: [] })
    if (isOpen) fill = { ...missed, newest: to, catchUp, reader, begin, told: new Set(), again: false }
    return []
  }

  const wants = ({ from, messages, more }: Fill, event: Event.Event): boolean => {
    const place = placeOf(event)
    if (messages.delete(idOf(event) ?? "")) return true
    const rest = place === undefined ? undefined : more.get(place.channel)
    if (place !== undefined && rest !== undefined && place.timetoken >= rest.since) {
      more.set(place.channel, { ...rest, count: rest.count - 1 })
      return true
    }
    return from !== undefined && hears(event, "subscription" in event ? keysFor(event.subscription) : keys.keys())
  }

  const fillStep = Effect.fnUntraced(function*(current: Fill) {
    const { begin, catchUp, kinds, losses, messages, more, newest, oldest, reader, told } = current
    const { envelopes, filled, notices, upTo } = yield* Effect.retry(catchUp.next, Retry.reconnect).pipe(
      // The schedule has no end.
      Effect.orElseSucceed(() => CatchUp.nothing)
    )
    for (const notice of notices) told.add(notice._tag === "Gap" ? notice.channel : undefined)
    const events = reader.found(envelopes, begin, upTo).filter((event) => wants(current, event))
    if (!filled) return [...notices, ...once(events)]
    const missing = () => told.has(undefined) ? [] : [...messages].filter(([, channel]) => !told.has(channel))
    if (!current.again && (current.from !== undefined || missing().length > 0)) {
      // History may be some seconds behind.
      current.again = true
      yield* Effect.sleep("1 second")
      const since = missing().reduce((oldest, [id]) => id < oldest ? id.slice(0, oldest.length) : oldest, newest)
      const from = { position: before(since), delivered: [] }
      if (reader.open({ reason: "LongBreak", from, to: newest, page: [] })) return [...notices, ...once(events)]
    }
    fill = undefined
    if (current.from !== undefined) own = reader.cursor(begin).recent?.names ?? []
    for (const [, channel] of missing()) noteKind(current, channel, "Message")
    for (const [channel, { count }] of more) {
      if (count > 0 && !told.has(undefined) && !told.has(channel)) noteKind(current, channel, "Message")
    }
    return [...notices, ...once(events), ...losses.values(), ...unstored(kinds, oldest, newest)]
  })

  const take: Effect.Effect<ReadonlyArray<Item>, SubscribeError | E | Cause.Done, HttpClient.HttpClient> = Effect
    .suspend(() => {
      if (fill !== undefined) return fillStep(fill)
      const isEmpty = Queue.sizeUnsafe(queue) === 0
      if (ahead.length > 0 || losses.size > 0 && (isEmpty || strategy === "slide")) {
        const told = [...ahead, ...losses.values()]
        ahead = []
        losses.clear()
        return Effect.succeed(told)
      }
      if (detached !== undefined && isEmpty) return Effect.succeed(attach(detached))
      return Effect.map(Queue.takeBetween(queue, 1, mostTaken), (events) => {
        if (!isFull()) room.openUnsafe()
        catchUpOnStatuses()
        return once(events).map((event) => Family.isStatus(event) ? event : { ...event, cursor: mine(event.cursor) })
      })
    })

  const ended: Inbox<E>["pull"] = Effect.suspend((): Inbox<E>["pull"] => {
    if (overflowed === undefined) return Cause.done()
    const { at, polls } = overflowed
    // What was taken is named by its last cursor. Another poll may be further back.
    const isBehind = at !== undefined && (taken === undefined || polls > 1)
    return Effect.fail(options.overflow(isBehind ? older(taken ?? from, mine(at)) : taken))
  })

  const pull: Inbox<E>["pull"] = Effect.matchEffect(take, {
    onSuccess: (events) => {
      // The cursor of a status is the poll's.
      for (const event of events) if (!Family.isStatus(event)) taken = event.cursor
      return Arr.isReadonlyArrayNonEmpty(events) ? Effect.succeed(events) : pull
    },
    onFailure: (error) => Cause.isDone(error) ? ended : Effect.fail(asMine(error))
  })

  add(options.members)
  return {
    add,
    remove,
    end: listener.end,
    close: () => {
      shared.leave(listener, keys.keys())
      Queue.shutdownUnsafe(queue)
      room.openUnsafe()
    },
    pull: Effect.catchDefect(pull, (defect) => Effect.fail(Defects.toError(config, defect, taken ?? from ?? begun)))
  }
})

const missed = (from: Cursor | undefined): Detached => ({
  from,
  messages: new Map(),
  more: new Map(),
  kinds: new Map(),
  losses: new Map(),
  oldest: "",
  newest: "",
  last: ""
})

const noteKind = ({ kinds }: Detached, channel: string, kind: Status.Kind): void => {
  kinds.set(channel, (kinds.get(channel) ?? new Set()).add(kind))
}

const unstored = (
  kinds: ReadonlyMap<string, ReadonlySet<Status.Kind>>,
  oldest: string,
  newest: string
): ReadonlyArray<Status.Gap> =>
  Array.from(kinds, ([channel, kinds]) => ({
    _tag: "Gap",
    channel,
    from: before(oldest),
    to: newest,
    reason: "NotStored",
    kinds: [...kinds].toSorted()
  }))

/** What a reader does not take is told in few words. */
const merge = (losses: Map<string, Loss>, loss: Loss): void => {
  const name = loss._tag === "Gap"
    ? `${loss.reason} ${loss.kinds?.join(" ") ?? ""} ${loss.channel}`
    : loss.reason
  const had = losses.get(name)
  losses.set(
    name,
    had === undefined
      ? loss
      : { ...loss, from: had.from < loss.from ? had.from : loss.from, to: had.to > loss.to ? had.to : loss.to }
  )
}

/** How far somebody who stands here has been given something. */
const reach = ({ delivered, position, recent }: Cursor): string =>
  [...delivered, ...recent?.names ?? []].reduce((to, name) => name > to ? name.slice(0, to.length) : to, position)

const after = (timetoken: string): string => String(BigInt(timetoken) + 1n)

const before = (timetoken: string): string => String(BigInt(timetoken) - 1n)

const older = <A extends Cursor | undefined>(one: A, other: Cursor): A | Cursor =>
  one !== undefined && one.position <= other.position ? one : other

/** Whether one event may come by two names. */
const canOverlap = (keys: ReadonlyMap<Key, unknown>): boolean =>
  keys.size > 1 && Iterable.some(keys.keys(), (key) => key.startsWith("g") || Channel.isWildcard(key.slice(2)))

/** The names by which an event of history is heard. */
const keysFor = (subscription: string): ReadonlyArray<Key> => [`c ${subscription}`, `g ${subscription}`]

const keysOf = ({ _tag, name, presence }: Subscription.Subscription): ReadonlyArray<Key> => {
  const kind = _tag === "Group" ? "g" : "c"
  return presence ? [`${kind} ${name}`, `${kind} ${Channel.presenceOf(name)}`] : [`${kind} ${name}`]
}

const placeOf = (event: Item): { readonly channel: string; readonly timetoken: string } | undefined =>
  "timetoken" in event && event.timetoken !== undefined && event.channel !== undefined
    ? { channel: event.channel, timetoken: event.timetoken }
    : undefined

const isPresence = (event: Event.Event): boolean => "occupancy" in event

/** The same as the id of an envelope. */
const idOf = (event: Event.Event): string | undefined => {
  const place = placeOf(event)
  if (place === undefined) return undefined
  const channel = isPresence(event) ? Channel.presenceOf(place.channel) : place.channel
  const publisher = "publisher" in event ? event.publisher ?? "" : ""
  return `${place.timetoken}/${channel}/${publisher}`
}

/** What an event says, however it came. */
const contentOf = (event: Item): unknown => ({
  ...event,
  cursor: undefined,
  subscription: undefined,
  region: undefined
})

const kindOf = (event: Event.Event): Status.Kind | undefined => {
  switch (event._tag) {
    case "Message":
    case "Signal":
      return event._tag
    case "FileShared":
      return "File"
    case "MessageActionAdded":
    case "MessageActionRemoved":
      return "MessageAction"
    case "Undecodable":
    case "Unknown":
      return undefined
    default:
      return isPresence(event) ? "Presence" : "AppContext"
  }
}
