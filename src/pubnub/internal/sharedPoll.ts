/**
 * One long poll for any number of listeners, and a further one for each 32 kB of names. Who joins and who leaves changes
 * the names of a poll that goes on from where it is. What comes is handed to who listens to its name.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as HttpClient from "effect/http/HttpClient"
import * as Latch from "effect/Latch"
import * as PubSub from "effect/PubSub"
import type * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Cursor } from "../../Cursor.ts"
import * as Url from "../../internal/url.ts"
import * as Channel from "../Channel.ts"
import type * as Event from "../Event.ts"
import type { PubNubConfig } from "../PubNubConfig.ts"
import type * as PubNubError from "../PubNubError.ts"
import type * as Status from "../Status.ts"
import type { SubscribeError } from "../SubscribeError.ts"
import * as Family from "./family.ts"
import * as Heartbeat from "./heartbeat.ts"
import * as Request from "./request.ts"
import * as Subscription from "./subscription.ts"

/** A subscribed name: `c` for channels, wildcards and presence names, `g` for groups. */
export type Key = `c ${string}` | `g ${string}`

/** Who listens to names of a poll. */
export interface Listener {
  /** The service knows of this name: from here on it is heard. */
  readonly begin: (key: Key, now: Cursor) => void
  /** Takes an event, and says whether it could; `place` is where the poll was before its page. */
  readonly offer: (event: Event.SubscribeEvent, place: Cursor, keys: ReadonlyArray<Key>) => boolean
  /** Waits for room for what could not be taken. */
  readonly wait: (event: Event.SubscribeEvent) => Effect.Effect<unknown>
  readonly fail: (error: SubscribeError) => void
  readonly end: () => void
}

export interface SharedPoll {
  /** Whether the service leaves something out: history would not. */
  readonly filtered: boolean
  readonly join: (listener: Listener, keys: Iterable<Key>) => void
  readonly leave: (listener: Listener, keys: Iterable<Key>) => void
  /** Where the polls of a listener are. */
  readonly places: (listener: Listener) => ReadonlyArray<Cursor>
  readonly names: () => { readonly channels: ReadonlyArray<string>; readonly groups: ReadonlyArray<string> }
  readonly statuses: Stream.Stream<Status.Status>
  readonly disconnect: Effect.Effect<void>
  readonly reconnect: Effect.Effect<void>
  readonly unsubscribeAll: Effect.Effect<void>
}

export interface Settings {
  readonly filter: string | undefined
  readonly catchUp: "history" | "none"
  readonly schedule: (reason: PubNubError.Reason) => Schedule.Schedule<unknown, PubNubError.Reason>
}

interface Poll {
  readonly names: Map<Key, Set<Listener>>
  readonly listeners: Map<Listener, number>
  /** The names that the service has answered for. */
  readonly known: Set<Key>
  target: Subscription.Target
  /** Whether the target is another than the one that was asked for. */
  stale: boolean
  readonly changed: Latch.Latch
  /** Whether a change of names is about to be made known. */
  changing: boolean
  place: Cursor | undefined
  fiber: Fiber.Fiber<void> | undefined
  size: number
}

/** Changes within this time are one change. */
const coalesced = "25 millis"

/** What an address holds beside the names. */
const room = Request.longestAddress - 1_000

const mostStatuses = 1_000

export const make = Effect.fnUntraced(function*(
  config: PubNubConfig["Service"],
  settings: Settings
): Effect.fn.Return<SharedPoll, never, Scope.Scope | HttpClient.HttpClient> {
  const scope = yield* Scope.Scope
  const client = yield* HttpClient.HttpClient
  const statuses = yield* PubSub.sliding<Status.Status>(mostStatuses)
  const polls = new Set<Poll>()
  const base = Request.sizeOf(config, { channels: [], groups: [], filter: settings.filter, state: undefined })
  let connected = true
  let closed = false

  const context = Context.make(HttpClient.HttpClient, client)
  const fork = (effect: Effect.Effect<void, never, HttpClient.HttpClient>) =>
    Effect.forkIn(Effect.provideContext(effect, context), scope)
  const run = yield* FiberSet.makeRuntime<HttpClient.HttpClient>()

  // --- names

  const targetOf = (keys: Iterable<Key>): Subscription.Target => {
    const all = [...keys]
    const named = (kind: "c" | "g") => all.filter((key) => key.startsWith(kind)).map((key) => key.slice(2)).toSorted()
    return { channels: named("c"), groups: named("g"), filter: settings.filter, state: undefined }
  }

  const pollWith = (key: Key): Poll | undefined => [...polls].find((poll) => poll.names.has(key))

  const pollFor = (key: Key): Poll => {
    const size = sizeOf(key)
    const known = pollWith(key) ?? [...polls].find((poll) => base + poll.size + size <= room)
    if (known !== undefined) return known
    const poll: Poll = {
      names: new Map(),
      listeners: new Map(),
      known: new Set(),
      target: targetOf([]),
      stale: false,
      changed: Latch.makeUnsafe(),
      changing: false,
      place: undefined,
      fiber: undefined,
      size: 0
    }
    polls.add(poll)
    return poll
  }

  // A channel that wildcard and group readers have as well may be on another poll: each name has one poll.
  const join = (listener: Listener, keys: Iterable<Key>) => {
    for (const key of keys) {
      const poll = pollFor(key)
      const listeners = poll.names.get(key)
      poll.listeners.set(listener, (poll.listeners.get(listener) ?? 0) + 1)
      if (listeners !== undefined) listeners.add(listener)
      else {
        poll.names.set(key, new Set([listener]))
        poll.size += sizeOf(key)
        change(poll)
      }
      if (poll.known.has(key) && poll.place !== undefined) listener.begin(key, poll.place)
    }
  }

  const leave = (listener: Listener, keys: Iterable<Key>) => {
    for (const key of keys) {
      const poll = pollWith(key)
      const listeners = poll?.names.get(key)
      if (poll === undefined || listeners === undefined || !listeners.delete(listener)) continue
      const count = (poll.listeners.get(listener) ?? 1) - 1
      if (count > 0) poll.listeners.set(listener, count)
      else poll.listeners.delete(listener)
      if (listeners.size > 0) continue
      poll.names.delete(key)
      poll.size -= sizeOf(key)
      change(poll)
    }
  }

  const change = (poll: Poll) => {
    if (poll.changing || closed) return
    poll.changing = true
    run(Effect.andThen(Effect.sleep(coalesced), Effect.suspend(() => apply(poll))))
  }

  /** Makes the names of a poll known to the service. */
  const apply = Effect.fnUntraced(function*(poll: Poll) {
    poll.changing = false
    if (closed) return
    const gone = targetOf([...poll.known].filter((key) => !poll.names.has(key)))
    for (const key of poll.known) if (!poll.names.has(key)) poll.known.delete(key)
    if (poll.names.size === 0) {
      polls.delete(poll)
      yield* stop(poll)
    } else {
      const target = targetOf(poll.names.keys())
      if (isSame(target, poll.target)) return
      poll.target = target
      poll.stale = true
      poll.changed.openUnsafe()
      if (connected && poll.fiber === undefined) yield* start(poll)
    }
    if (config.sendLeave) yield* fork(depart(gone))
  })

  const depart = (target: Subscription.Target) =>
    Subscription.leave(config, target).pipe(Effect.timeoutOption("1 second"), Effect.asVoid)

  // --- loops

  const start = Effect.fnUntraced(function*(poll: Poll) {
    poll.target = targetOf(poll.names.keys())
    const events = Subscription.events(config, {
      target: () => {
        poll.stale = false
        poll.changed.closeUnsafe()
        return poll.target
      },
      changes: { pending: () => poll.stale, await: poll.changed.await },
      from: poll.place,
      byName: true,
      catchUp: settings.catchUp,
      schedule: settings.schedule,
      onAnswered: (target, now) => {
        poll.place ??= now
        heard.openUnsafe()
        for (const key of keysOf(target)) {
          const listeners = poll.names.get(key)
          if (listeners === undefined || poll.known.has(key)) continue
          poll.known.add(key)
          for (const listener of listeners) listener.begin(key, now)
        }
      }
    })
    const heard = Latch.makeUnsafe()
    const heartbeat = heard.whenOpen(Heartbeat.run(config, () => targetOf(poll.known)))
    poll.fiber = yield* fork(
      Stream.runForEachArray(events, (events) => Effect.suspend(() => route(poll, events))).pipe(
        Effect.catch((error) => Effect.suspend(() => failed(poll, error))),
        Effect.raceFirst(Effect.andThen(heartbeat, Effect.never))
      )
    )
  })

  const stop = (poll: Poll) => {
    const { fiber } = poll
    poll.fiber = undefined
    return fiber === undefined ? Effect.void : Fiber.interrupt(fiber)
  }

  const failed = (poll: Poll, error: SubscribeError): Effect.Effect<void, never, HttpClient.HttpClient> => {
    poll.fiber = undefined
    poll.place = error.cursor ?? poll.place
    const refused = error.reason._tag === "AccessDenied"
      ? [...poll.listeners.keys()].filter((listener) => wants(poll, listener, error.reason))
      : []
    const ended = refused.length > 0 ? refused : [...poll.listeners.keys()]
    for (const listener of ended) listener.fail(error)
    for (const listener of ended) leave(listener, [...poll.names.keys()])
    if (poll.names.size > 0) return start(poll)
    polls.delete(poll)
    return Effect.void
  }

  const wants = (poll: Poll, listener: Listener, reason: SubscribeError["reason"]): boolean => {
    if (reason._tag !== "AccessDenied") return false
    const has = (key: Key) => poll.names.get(key)?.has(listener) === true
    return reason.channels.some((name) => has(`c ${name}`) || has(`c ${Channel.presenceOf(name)}`)) ||
      reason.groups.some((name) => has(`g ${name}`) || has(`g ${Channel.presenceOf(name)}`))
  }

  // --- events

  const route = (poll: Poll, events: ReadonlyArray<Event.SubscribeEvent>): Effect.Effect<void> => {
    const held: Array<Effect.Effect<unknown>> = []
    const { place } = poll
    let last = place
    for (const event of events) {
      if (Family.isStatus(event)) PubSub.publishUnsafe(statuses, event)
      if ("cursor" in event && event.cursor !== undefined) last = event.cursor
      for (const [listener, keys] of audience(poll, event)) {
        if (place !== undefined && !listener.offer(event, place, keys)) held.push(listener.wait(event))
      }
    }
    poll.place = last
    return held.length === 0 ? Effect.void : Effect.forEach(held, (wait) => wait, { discard: true })
  }

  const everyone = (poll: Poll): Iterable<readonly [Listener, ReadonlyArray<Key>]> =>
    Array.from(poll.listeners.keys(), (listener) => [listener, []] as const)

  const audience = (
    poll: Poll,
    event: Event.SubscribeEvent
  ): Iterable<readonly [Listener, ReadonlyArray<Key>]> => {
    switch (event._tag) {
      // Each listener is told by itself when it is connected, and of its own changes.
      case "Connected":
      case "ChannelsChanged":
      case "Disconnected":
        return []
      case "Interrupted":
      case "Reconnected":
      case "GapSuspected":
      case "CursorDoubted":
        return everyone(poll)
      case "Gap":
        return Array.from(poll.listeners.keys())
          .filter((listener) =>
            Array.from(poll.names).some(([key, listeners]) => listeners.has(listener) && covers(key, event.channel))
          )
          .map((listener) => [listener, []] as const)
      case "Undecodable": {
        const { channel } = event
        const listeners = channel === undefined ? undefined : poll.names.get(`c ${channel}`)
        return listeners === undefined ? everyone(poll) : Array.from(listeners, (listener) => [listener, []] as const)
      }
      case "Joined":
      case "Left":
      case "TimedOut":
      case "StateChanged":
      case "Interval":
        return byName(poll, Channel.presenceOf(event.subscription))
      default:
        return byName(poll, event.subscription)
    }
  }

  const byName = (poll: Poll, name: string): Iterable<readonly [Listener, ReadonlyArray<Key>]> => {
    const keys = [`c ${name}`, `g ${name}`] as const
    const [channel, group] = keys.map((key) => poll.names.get(key))
    if (group === undefined) return Array.from(channel ?? [], (listener) => [listener, [keys[0]]] as const)
    const all = new Set([...channel ?? [], ...group])
    return Array.from(all, (listener) =>
      [
        listener,
        [...channel?.has(listener) === true ? [keys[0]] : [], ...group.has(listener) ? [keys[1]] : []]
      ] as const)
  }

  // --- the whole of it

  const disconnected = (poll: Poll) => {
    const status: Status.Disconnected = {
      _tag: "Disconnected",
      ...(poll.place === undefined ? {} : { cursor: poll.place })
    }
    PubSub.publishUnsafe(statuses, status)
    const { place } = poll
    if (place !== undefined) { for (const listener of poll.listeners.keys()) listener.offer(status, place, []) }
  }

  const disconnect = Effect.suspend(() => {
    if (!connected) return Effect.void
    connected = false
    return Effect.forEach([...polls], (poll) => {
      const target = targetOf(poll.known)
      disconnected(poll)
      return Effect.andThen(stop(poll), config.sendLeave ? fork(depart(target)) : Effect.void)
    }, { discard: true })
  })

  const reconnect = Effect.suspend(() => {
    connected = true
    return Effect.forEach([...polls], (poll) => Effect.andThen(stop(poll), start(poll)), { discard: true })
  }).pipe(Effect.provideContext(context))

  const unsubscribeAll = Effect.suspend(() => {
    const all = [...polls]
    polls.clear()
    const target = targetOf(all.flatMap((poll) => [...poll.known]))
    for (const poll of all) {
      disconnected(poll)
      for (const listener of poll.listeners.keys()) listener.end()
      poll.names.clear()
      poll.listeners.clear()
    }
    return Effect.andThen(
      Effect.forEach(all, stop, { discard: true }),
      config.sendLeave ? fork(depart(target)) : Effect.void
    )
  })

  yield* Effect.addFinalizer(() => {
    closed = true
    const all = [...polls]
    const target = targetOf(all.flatMap((poll) => [...poll.known]))
    for (const poll of all) for (const listener of poll.listeners.keys()) listener.end()
    return Effect.andThen(
      Effect.forEach(all, stop, { discard: true }),
      config.sendLeave
        ? Effect.provideContext(depart(target), context)
        : Effect.void
    )
  })

  return {
    filtered: settings.filter !== undefined,
    join,
    leave,
    places: (listener) =>
      [...polls].flatMap((poll) => poll.listeners.has(listener) && poll.place !== undefined ? [poll.place] : []),
    names: () => {
      const { channels, groups } = targetOf([...polls].flatMap((poll) => [...poll.names.keys()]))
      return { channels, groups }
    },
    statuses: Stream.fromPubSub(statuses),
    disconnect,
    reconnect,
    unsubscribeAll
  }
})

const sizeOf = (key: Key): number => Url.encode(key.slice(2)).length + 3

const keysOf = ({ channels, groups }: Subscription.Target): ReadonlyArray<Key> => [
  ...channels.map((name) => `c ${name}` as const),
  ...groups.map((name) => `g ${name}` as const)
]

const isSame = (one: Subscription.Target, other: Subscription.Target): boolean =>
  one.channels.length === other.channels.length && one.groups.length === other.groups.length &&
  one.channels.every((name, index) => name === other.channels[index]) &&
  one.groups.every((name, index) => name === other.groups[index])

/** Whether a gap of a channel concerns who listens to a name. What a group holds is not known here. */
const covers = (key: Key, channel: string): boolean => {
  const name = Channel.withoutPresence(key.slice(2))
  return key.startsWith("g") || name === channel ||
    Channel.isWildcard(name) && channel.startsWith(name.slice(0, -1))
}
