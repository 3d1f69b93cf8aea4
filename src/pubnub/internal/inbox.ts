/**
 * What waits for one reader of a shared poll, and what becomes of it when there is no room: the poll goes on for all
 * others.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as HttpClient from "effect/http/HttpClient"
import type * as Pull from "effect/Pull"
import * as Queue from "effect/Queue"
import * as Retry from "../../Retry.ts"
import type { Cursor } from "../../Cursor.ts"
import * as Channel from "../Channel.ts"
import type * as Event from "../Event.ts"
import type { PubNubConfig } from "../PubNubConfig.ts"
import type * as Status from "../Status.ts"
import type { SubscribeError } from "../SubscribeError.ts"
import * as Subscription from "../Subscription.ts"
import * as CatchUp from "./catchUp.ts"
import * as Delivered from "./delivered.ts"
import * as Family from "./family.ts"
import * as Reader from "./reader.ts"
import type { Key, Listener, SharedPoll } from "./sharedPoll.ts"

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
  readonly members: () => ReadonlyArray<Subscription.Subscription>
  /** Takes nothing more in; what waits can still be taken. */
  readonly end: () => void
  /** Listens to nothing any more. */
  readonly close: () => void
  readonly pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Item>, SubscribeError | E, void, HttpClient.HttpClient>
}

/** Since when a reader without room is on its own, and what it was not given. */
interface Detached {
  readonly from: Cursor
  /** Messages by id, to see whether history has them all. */
  readonly messages: Map<string, string>
  /** Kinds that history does not have, by channel. */
  readonly kinds: Map<string, Set<Status.Kind>>
}

interface Fill extends Detached {
  readonly catchUp: CatchUp.CatchUp
  readonly reader: Reader.Reader
  again: boolean
}

const mostNoted = 10_000

export const make = Effect.fnUntraced(function*<E>(
  config: PubNubConfig["Service"],
  shared: SharedPoll,
  options: Options<E>
): Effect.fn.Return<Inbox<E>> {
  const { capacity, from, strategy } = options
  const queue = yield* Queue.make<Item, SubscribeError | E | Cause.Done>({
    capacity,
    strategy: strategy === "suspend" ? "suspend" : "dropping"
  })
  /** Each name with the members that stand for it. */
  const keys = new Map<Key, Array<Subscription.Subscription>>()
  /** From which timetoken on a name is heard; without one the service does not know of it yet. */
  const starts = new Map<Key, string>()
  const lost = new Map<string, { readonly from: string; to: string }>()
  let delivered: Delivered.Delivered | undefined
  let detached: Detached | undefined
  let fill: Fill | undefined
  let last: Cursor | undefined
  let connected = false

  // --- names

  const members = () => [...new Set([...keys.values()].flat())]

  const names = (): CatchUp.Names => ({
    channels: [...keys.keys()].filter((key) => key.startsWith("c")).map((key) => key.slice(2)),
    groups: [...keys.keys()].filter((key) => key.startsWith("g")).map((key) => key.slice(2))
  })

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
    if (keys.size > 1) delivered ??= Delivered.make()
    shared.join(listener, fresh)
  }

  const remove = (removed: Iterable<Subscription.Subscription>) => {
    const gone: Array<Key> = []
    for (const member of removed) {
      for (const key of keysOf(member)) {
        const rest = (keys.get(key) ?? []).filter((other) => !Subscription.isSame(other, member))
        if (rest.length > 0) keys.set(key, rest)
        else if (keys.delete(key)) gone.push(key)
      }
    }
    for (const key of gone) starts.delete(key)
    shared.leave(listener, gone)
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

  // --- what the poll brings

  const lose = (event: Item) => {
    const place = placeOf(event)
    if (place === undefined) return
    const had = lost.get(place.channel)
    if (had === undefined) lost.set(place.channel, { from: String(BigInt(place.timetoken) - 1n), to: place.timetoken })
    else had.to = place.timetoken
  }

  const miss = ({ kinds, messages }: Detached, event: Item) => {
    const place = placeOf(event)
    if (place === undefined || Family.isStatus(event)) return
    const kind = kindOf(event)
    const id = idOf(event)
    if ((kind === "Message" || kind === "File") && id !== undefined) {
      if (messages.size < mostNoted) messages.set(id, place.channel)
    } else if (kind !== undefined) kinds.set(place.channel, (kinds.get(place.channel) ?? new Set()).add(kind))
  }

  const detach = (place: Cursor): Detached => {
    const places = [...shared.places(listener), place]
    const oldest = places.reduce((one, other) => one.position < other.position ? one : other)
    // What was taken of this very page is named by its last cursor.
    const at = last !== undefined && last.position === oldest.position ? last : oldest
    return { from: at, messages: new Map(), kinds: new Map() }
  }

  const listener: Listener = {
    begin: (key, now) => {
      if (!keys.has(key)) return
      starts.set(key, from === undefined ? now.position : from.position)
      if (starts.size < keys.size) return
      const { channels, groups } = names()
      const status: Item = {
        _tag: connected ? "ChannelsChanged" : "Connected",
        cursor: from !== undefined && !connected ? from : now,
        channels: channels.toSorted(),
        groups: groups.toSorted()
      }
      if (!connected && from !== undefined) detached = { from, messages: new Map(), kinds: new Map() }
      connected = true
      Queue.offerUnsafe(queue, status)
    },
    offer: (event, place, heard) => {
      if (heard.length > 0 && !Family.isStatus(event) && !hears(event, heard)) return true
      if (!connected && !Family.isStatus(event)) return true
      if (detached !== undefined) {
        miss(detached, event)
        return true
      }
      if (Queue.offerUnsafe(queue, event)) {
        if ("cursor" in event && event.cursor !== undefined) last = event.cursor
        return true
      }
      switch (strategy) {
        case "suspend":
          return false
        case "catchUp":
          detached = detach(place)
          miss(detached, event)
          return true
        case "slide": {
          const oldest = Queue.takeUnsafe(queue)
          if (oldest !== undefined && Exit.isSuccess(oldest)) lose(oldest.value)
          Queue.offerUnsafe(queue, event)
          return true
        }
        case "drop":
          lose(event)
          return true
        case "fail":
          Queue.failCauseUnsafe(queue, Cause.fail(options.overflow(last)))
          return true
      }
    },
    wait: (event) => Queue.offer(queue, event),
    fail: (error) => {
      Queue.failCauseUnsafe(queue, Cause.fail(error))
    },
    end: () => {
      Queue.endUnsafe(queue)
    }
  }

  // --- what the reader takes

  /** What comes by two names, or from history and live, is told once. */
  const once = (events: ReadonlyArray<Item>): ReadonlyArray<Item> => {
    const known = delivered
    return known === undefined ? events : events.filter((event) => {
      const id = Family.isStatus(event) ? undefined : idOf(event)
      return id === undefined || known.admit(id, contentOf(event)).isNew
    })
  }

  const attach = ({ from, kinds, messages }: Detached) => {
    detached = undefined
    delivered ??= Delivered.make()
    const to = shared.places(listener).reduce((one, other) => one.position > other.position ? one : other, from)
    const catchUp = CatchUp.make(config, names)
    const reader = Reader.make(catchUp, from)
    reader.begin(from)
    if (reader.open({ reason: "LongBreak", from, to: to.position, page: [] })) {
      fill = { from, messages, kinds, catchUp, reader, again: false }
    }
  }

  const filled = (current: Fill, notices: ReadonlyArray<Status.Status>): ReadonlyArray<Item> => {
    const { from, kinds, messages } = current
    const to = shared.places(listener).reduce(
      (one, other) => one > other.position ? one : other.position,
      from.position
    )
    // A channel whose history could not be read is told of already.
    const told = notices.some(({ _tag }) => _tag === "GapSuspected" || _tag === "Gap")
    if (!told) {
      for (const channel of messages.values()) kinds.set(channel, (kinds.get(channel) ?? new Set()).add("Message"))
    }
    return [
      ...notices,
      ...Array.from(kinds, ([channel, kinds]): Status.Gap => ({
        _tag: "Gap",
        channel,
        from: from.position,
        to,
        reason: "NotStored",
        kinds: [...kinds].toSorted()
      }))
    ]
  }

  const fillStep = Effect.fnUntraced(function*(current: Fill) {
    const { catchUp, from, messages, reader } = current
    const { envelopes, filled: done, notices, upTo } = yield* Effect.retry(catchUp.next, Retry.reconnect).pipe(
      // The schedule has no end.
      Effect.orElseSucceed(() => CatchUp.nothing)
    )
    const events = reader.found(envelopes, from, upTo).filter((event) => hears(event, keysFor(event)))
    for (const event of events) messages.delete(idOf(event) ?? "")
    if (!done) return once([...notices, ...events])
    if (messages.size > 0 && !current.again && notices.length === 0) {
      // History may be some seconds behind.
      current.again = true
      yield* Effect.sleep("1 second")
      const to = shared.places(listener).reduce(
        (one, other) => one > other.position ? one : other.position,
        from.position
      )
      if (reader.open({ reason: "LongBreak", from, to, page: [] })) return []
    }
    fill = undefined
    return filled(current, notices)
  })

  /** The names by which an event of history is heard. */
  const keysFor = (event: Event.Event): ReadonlyArray<Key> => {
    if (!("subscription" in event)) return [...keys.keys()]
    return [`c ${event.subscription}`, `g ${event.subscription}`]
  }

  const gaps = (): ReadonlyArray<Item> => {
    const gaps = Array.from(lost, ([channel, range]): Status.Gap => ({
      _tag: "Gap",
      channel,
      ...range,
      reason: "InboxOverflow"
    }))
    lost.clear()
    return gaps
  }

  const take: Effect.Effect<ReadonlyArray<Item>, SubscribeError | E | Cause.Done, HttpClient.HttpClient> = Effect
    .suspend(
      () => {
        if (fill !== undefined) return fillStep(fill)
        const empty = Queue.sizeUnsafe(queue) === 0
        if (lost.size > 0 && (empty || strategy === "slide")) return Effect.succeed(gaps())
        if (detached !== undefined && empty && connected) {
          attach(detached)
          return Effect.succeed([])
        }
        return Effect.map(Queue.takeBetween(queue, 1, 100), once)
      }
    )

  const pull: Inbox<E>["pull"] = Effect.flatMap(
    take,
    (events) => Arr.isReadonlyArrayNonEmpty(events) ? Effect.succeed(events) : pull
  )

  add(options.members)
  return {
    add,
    remove,
    members,
    end: listener.end,
    close: () => {
      shared.leave(listener, keys.keys())
      Queue.shutdownUnsafe(queue)
    },
    pull
  }
})

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
