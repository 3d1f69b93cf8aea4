/**
 * One long poll for any number of listeners, and a further one for each 32 kB of names. Who joins and who leaves changes
 * the names of a poll that goes on from where it is. What comes is handed to who listens to its name.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import type * as HttpClient from "effect/http/HttpClient"
import * as Iterable from "effect/Iterable"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Cursor } from "../../Cursor.ts"
import * as Url from "../../internal/url.ts"
import * as Channel from "../Channel.ts"
import type * as Event from "../Event.ts"
import type { PubNubConfig } from "../PubNubConfig.ts"
import type * as PubNubError from "../PubNubError.ts"
import type * as Status from "../Status.ts"
import type { SubscribeError } from "../SubscribeError.ts"
import * as Defects from "./defect.ts"
import * as Family from "./family.ts"
import * as Heartbeat from "./heartbeat.ts"
import * as Request from "./request.ts"
import * as Subscription from "./subscription.ts"

/** A subscribed name: `c` for channels, wildcards and presence names, `g` for groups. */
export type Key = `c ${string}` | `g ${string}`

/** Who listens to names of a poll. */
export interface Listener {
  /** The service knows of this name: from here on it is heard. Said again after an interruption. */
  readonly begin: (key: Key, now: Cursor) => void
  /**
   * Takes an event that came by these names (none: it is for everyone), and says whether there is room for more; `place`
   * is where the poll was before its page.
   */
  readonly offer: (event: Event.SubscribeEvent, place: Cursor | undefined, keys: ReadonlyArray<Key>) => boolean
  /** Waits until there is room. */
  readonly room: Effect.Effect<void>
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
  /** How many of the names each one listens to. */
  readonly listeners: Map<Listener, number>
  /** The names that the service was asked for: they are to be left. */
  told: Set<Key>
  /** The names that it has answered for since the last interruption. */
  readonly known: Set<Key>
  target: Subscription.Target
  /** Whether the target is another than the one that was asked for. */
  stale: boolean
  readonly changed: Latch.Latch
  /** Whether a change of names is about to be made known. */
  changing: boolean
  askedAt: number
  /** Until then names stay as they are, so that a poll gets its turn between two handshakes. */
  calmUntil: number
  place: Cursor | undefined
  /** Since when listeners wait to be told that it goes on. */
  downSince: number | undefined
  fiber: Fiber.Fiber<void> | undefined
  size: number
}

/** Changes within this time are one change. */
const coalesced = "25 millis"

/** For so many milliseconds at most names stay as they are. */
const longestCalm = 2_000

/** What an address holds beside the names. */
const room = Request.longestAddress - 1_000

const mostStatuses = 1_000

export const make = Effect.fnUntraced(function*(
  config: PubNubConfig["Service"],
  settings: Settings
): Effect.fn.Return<SharedPoll, never, Scope.Scope | HttpClient.HttpClient> {
  const clock = yield* Clock.Clock
  const statuses = yield* PubSub.sliding<Status.Status>(mostStatuses)
  // Not of a reader: a poll outlives the one that began it.
  const fork = yield* FiberSet.makeRuntime<HttpClient.HttpClient, void>()
  const polls = new Set<Poll>()
  /** The poll of each name. A channel that is also in a group may come by another poll. */
  const homes = new Map<Key, Poll>()
  const base = Request.sizeOf(config, { channels: [], groups: [], filter: settings.filter, state: undefined })
  let connected = true
  let closed = false

  /** Runs what a poll needs. No fiber of it dies unseen: its listeners are told. */
  const run = (poll: Poll, effect: Effect.Effect<void, never, HttpClient.HttpClient>) =>
    fork(Effect.catchDefect(effect, (defect) => broken(poll, defect)))

  // --- names

  const targetOf = (keys: Iterable<Key>): Subscription.Target => {
    const all = [...keys]
    const named = (kind: "c" | "g") => all.filter((key) => key.startsWith(kind)).map((key) => key.slice(2)).toSorted()
    return { channels: named("c"), groups: named("g"), filter: settings.filter, state: undefined }
  }

  const pollFor = (key: Key): Poll => {
    const known = homes.get(key)
    if (known !== undefined) return known
    const size = sizeOf(key)
    const poll = Iterable.findFirst(polls, (poll) => base + poll.size + size <= room).pipe(Option.getOrElse(newPoll))
    poll.names.set(key, new Set())
    poll.size += size
    homes.set(key, poll)
    change(poll)
    return poll
  }

  const newPoll = (): Poll => {
    const poll: Poll = {
      names: new Map(),
      listeners: new Map(),
      told: new Set(),
      known: new Set(),
      target: targetOf([]),
      stale: false,
      changed: Latch.makeUnsafe(),
      changing: false,
      askedAt: 0,
      calmUntil: 0,
      place: undefined,
      downSince: undefined,
      fiber: undefined,
      size: 0
    }
    polls.add(poll)
    return poll
  }

  const join = (listener: Listener, keys: Iterable<Key>) => {
    if (closed) return listener.end()
    for (const key of keys) {
      const poll = pollFor(key)
      poll.names.get(key)?.add(listener)
      poll.listeners.set(listener, (poll.listeners.get(listener) ?? 0) + 1)
      if (poll.known.has(key) && poll.place !== undefined) listener.begin(key, poll.place)
    }
  }

  const leave = (listener: Listener, keys: Iterable<Key>) => {
    for (const key of keys) {
      const poll = homes.get(key)
      const listeners = poll?.names.get(key)
      if (poll === undefined || listeners === undefined || !listeners.delete(listener)) continue
      const count = (poll.listeners.get(listener) ?? 1) - 1
      if (count > 0) poll.listeners.set(listener, count)
      else poll.listeners.delete(listener)
      if (listeners.size > 0) continue
      poll.names.delete(key)
      poll.size -= sizeOf(key)
      homes.delete(key)
      change(poll)
    }
  }

  const change = (poll: Poll) => {
    if (poll.changing || closed) return
    poll.changing = true
    run(poll, Effect.andThen(Effect.sleep(coalesced), Effect.suspend(() => apply(poll))))
  }

  /** Makes the names of a poll known to the service. */
  const apply = (poll: Poll): Effect.Effect<void, never, HttpClient.HttpClient> => {
    poll.changing = false
    if (closed || !polls.has(poll)) return Effect.void
    if (poll.names.size > 0) {
      aim(poll)
      start(poll)
      return Effect.void
    }
    polls.delete(poll)
    return Effect.andThen(stop(poll), depart(poll))
  }

  const aim = (poll: Poll) => {
    const target = targetOf(poll.names.keys())
    if (isSame(target, poll.target)) return
    poll.target = target
    poll.stale = true
    poll.changed.openUnsafe()
  }

  /** Says that the user has left what is not listened to any more. */
  const depart = (
    poll: Poll,
    names: ReadonlySet<Key> = new Set()
  ): Effect.Effect<void, never, HttpClient.HttpClient> => {
    const gone = [...poll.told].filter((key) => !names.has(key))
    for (const key of gone) poll.known.delete(key)
    poll.told = new Set(names)
    return config.sendLeave
      ? Subscription.leave(config, targetOf(gone)).pipe(Effect.timeoutOption("1 second"), Effect.asVoid)
      : Effect.void
  }

  // --- loops

  const start = (poll: Poll) => {
    if (closed || !connected || poll.fiber !== undefined || poll.names.size === 0 || !polls.has(poll)) return
    aim(poll)
    const heard = Latch.makeUnsafe()
    const calm = () => {
      const rest = poll.calmUntil - clock.currentTimeMillisUnsafe()
      // The wall clock may have been set back.
      return rest > 0 && rest <= longestCalm ? rest : 0
    }
    const events = Subscription.events(config, {
      target: () => {
        poll.stale = false
        poll.changed.closeUnsafe()
        poll.askedAt = clock.currentTimeMillisUnsafe()
        run(poll, depart(poll, new Set(keysOf(poll.target))))
        return poll.target
      },
      changes: {
        pending: () => poll.stale && calm() === 0,
        await: Effect.andThen(poll.changed.await, Effect.suspend(() => Effect.sleep(calm())))
      },
      from: poll.place,
      byName: true,
      catchUp: settings.catchUp,
      schedule: settings.schedule,
      onAnswered: (target, now) => {
        const answeredAt = clock.currentTimeMillisUnsafe()
        poll.calmUntil = answeredAt + Math.min(longestCalm, 2 * (answeredAt - poll.askedAt))
        poll.place ??= now
        // An answer from before where the poll is cannot be right, or is that of a region that is behind.
        const from = poll.place.position > now.position ? poll.place : now
        heard.openUnsafe()
        for (const key of keysOf(target)) {
          const listeners = poll.names.get(key)
          if (listeners === undefined || poll.known.has(key)) continue
          poll.known.add(key)
          for (const listener of listeners) listener.begin(key, from)
        }
      }
    })
    const heartbeat = heard.whenOpen(Heartbeat.run(config, () => targetOf(poll.told)))
    const loop = Stream.runForEachArray(events, (events) => Effect.suspend(() => route(poll, events))).pipe(
      Effect.catch((error) => Effect.suspend(() => failed(poll, error))),
      Effect.raceFirst(Effect.andThen(heartbeat, Effect.never))
    )
    // Once the fiber is known.
    poll.fiber = run(poll, Effect.andThen(Effect.yieldNow, loop))
  }

  const stop = (poll: Poll): Effect.Effect<void> => {
    const { fiber } = poll
    poll.fiber = undefined
    poll.known.clear()
    return fiber === undefined ? Effect.void : Fiber.interrupt(fiber)
  }

  const failed = (poll: Poll, error: SubscribeError): Effect.Effect<void, never, HttpClient.HttpClient> => {
    poll.fiber = undefined
    poll.known.clear()
    poll.place = error.cursor ?? poll.place
    const refused = refusedBy(error)
    const concerned = new Set(refused.flatMap((key) => [...poll.names.get(key) ?? []]))
    // Who asked for what is refused may have left meanwhile.
    const isOver = concerned.size === 0 && refused.some((key) => poll.told.has(key) && !poll.names.has(key))
    const ended = isOver ? [] : concerned.size > 0 ? [...concerned] : [...poll.listeners.keys()]
    const names = [...poll.names.keys()]
    for (const listener of ended) {
      listener.fail(error)
      leave(listener, names)
    }
    if (poll.names.size > 0) {
      start(poll)
      return Effect.void
    }
    polls.delete(poll)
    return depart(poll)
  }

  /** Ends all listeners of a poll in which something threw. It may be another fiber than the one that polls. */
  const broken = (poll: Poll, defect: unknown) =>
    Effect.withFiber<void, never, HttpClient.HttpClient>((current) => {
      const { fiber } = poll
      const error = Defects.toError(config, defect, poll.place)
      PubSub.publishUnsafe(statuses, disconnection(poll, error.reason))
      const told = failed(poll, error)
      return fiber === undefined || fiber === current ? told : Effect.andThen(Fiber.interrupt(fiber), told)
    })

  // --- events

  const route = (poll: Poll, events: ReadonlyArray<Event.SubscribeEvent>): Effect.Effect<void> => {
    const full = new Set<Listener>()
    const { place } = poll
    const tell = (event: Event.SubscribeEvent) => {
      const give = (listener: Listener, keys: ReadonlyArray<Key>) => {
        if (!listener.offer(event, place, keys)) full.add(listener)
      }
      giveTo(poll, event, give)
    }
    for (const event of events) {
      if (Family.isStatus(event)) PubSub.publishUnsafe(statuses, event)
      switch (event._tag) {
        // Each listener is told by itself when it is connected, of its own changes, and of its end.
        case "ChannelsChanged":
        case "Disconnected":
          break
        case "Connected":
          if (poll.downSince === undefined) break
          tell({
            _tag: "Reconnected",
            cursor: event.cursor,
            downFor: Duration.millis(Math.max(0, clock.currentTimeMillisUnsafe() - poll.downSince))
          })
          poll.downSince = undefined
          break
        case "Interrupted":
          poll.downSince ??= clock.currentTimeMillisUnsafe()
          // Who joins now begins when it is over.
          poll.known.clear()
          tell(event)
          break
        case "Reconnected":
          poll.downSince = undefined
          tell(event)
          break
        default:
          tell(event)
      }
      // Not before it was told: where that throws, it was not given.
      if ("cursor" in event && event.cursor !== undefined) poll.place = event.cursor
    }
    return Effect.forEach(full, (listener) => listener.room, { discard: true })
  }

  // --- the whole of it

  const disconnected = (poll: Poll) => {
    poll.downSince ??= clock.currentTimeMillisUnsafe()
    const status = disconnection(poll)
    PubSub.publishUnsafe(statuses, status)
    for (const listener of poll.listeners.keys()) listener.offer(status, poll.place, [])
  }

  const disconnect = Effect.suspend(() => {
    if (!connected) return Effect.void
    connected = false
    return Effect.forEach([...polls], (poll) => {
      disconnected(poll)
      const stopped = stop(poll)
      run(poll, depart(poll))
      return stopped
    }, { discard: true })
  })

  const reconnect = Effect.suspend(() => {
    connected = true
    return Effect.forEach(
      [...polls],
      (poll) => Effect.andThen(stop(poll), Effect.sync(() => start(poll))),
      { discard: true }
    )
  })

  const unsubscribeAll = Effect.suspend(() => {
    const all = [...polls]
    polls.clear()
    homes.clear()
    return Effect.forEach(all, (poll) => {
      disconnected(poll)
      for (const listener of poll.listeners.keys()) listener.end()
      poll.names.clear()
      poll.listeners.clear()
      const stopped = stop(poll)
      run(poll, depart(poll))
      return stopped
    }, { discard: true })
  })

  const context = yield* Effect.context<HttpClient.HttpClient>()
  yield* Effect.addFinalizer(() => {
    closed = true
    const all = [...polls]
    for (const poll of all) for (const listener of poll.listeners.keys()) listener.end()
    return Effect.forEach(all, (poll) => Effect.andThen(stop(poll), Effect.suspend(() => depart(poll))), {
      concurrency: "unbounded",
      discard: true
    }).pipe(
      Effect.andThen(PubSub.shutdown(statuses)),
      Effect.provideContext(context)
    )
  })

  return {
    filtered: settings.filter !== undefined,
    join,
    leave,
    places: (listener) =>
      [...polls].flatMap((poll) => poll.listeners.has(listener) && poll.place !== undefined ? [poll.place] : []),
    names: () => {
      const { channels, groups } = targetOf(homes.keys())
      return { channels, groups }
    },
    statuses: Stream.fromPubSub(statuses),
    disconnect,
    reconnect,
    unsubscribeAll
  }
})

const disconnection = ({ place }: Poll, reason?: SubscribeError["reason"]): Status.Disconnected => ({
  _tag: "Disconnected",
  ...place === undefined ? {} : { cursor: place },
  ...reason === undefined ? {} : { reason: Defects.told(reason) }
})

type Give = (listener: Listener, keys: ReadonlyArray<Key>) => void

/** Gives an event to all whom it concerns. */
const giveTo = (poll: Poll, event: Event.SubscribeEvent, give: Give): void => {
  switch (event._tag) {
    case "Gap": {
      const concerned = new Map<Listener, Array<Key>>()
      for (const [key, listeners] of poll.names) {
        if (!covers(key, event.channel)) continue
        for (const listener of listeners) concerned.set(listener, [...concerned.get(listener) ?? [], key])
      }
      for (const [listener, keys] of concerned) give(listener, keys)
      return
    }
    case "Joined":
    case "Left":
    case "TimedOut":
    case "StateChanged":
    case "Interval":
      return giveByName(poll, Channel.presenceOf(event.subscription), give)
    default:
      if ("subscription" in event) return giveByName(poll, event.subscription, give)
      for (const listener of poll.listeners.keys()) give(listener, [])
  }
}

const giveByName = (poll: Poll, name: string, give: Give): void => {
  const channel: Key = `c ${name}`
  const group: Key = `g ${name}`
  const byChannel = poll.names.get(channel)
  const byGroup = poll.names.get(group)
  if (byChannel !== undefined) {
    const both = [channel, group]
    const one = [channel]
    for (const listener of byChannel) give(listener, byGroup?.has(listener) === true ? both : one)
  }
  if (byGroup !== undefined) {
    const one = [group]
    for (const listener of byGroup) if (byChannel?.has(listener) !== true) give(listener, one)
  }
}

/** The names that the service says are refused, as they may have been asked for. */
const refusedBy = ({ reason }: SubscribeError): ReadonlyArray<Key> => {
  if (reason._tag !== "AccessDenied") return []
  const both = (name: string) => [name, Channel.presenceOf(name)]
  return [
    ...reason.channels.flatMap(both).map((name) => `c ${name}` as const),
    ...reason.groups.flatMap(both).map((name) => `g ${name}` as const)
  ]
}

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
export const covers = (key: Key, channel: string): boolean => {
  const name = Channel.withoutPresence(key.slice(2))
  return key.startsWith("g") || name === channel ||
    Channel.isWildcard(name) && channel.startsWith(name.slice(0, -1))
}
