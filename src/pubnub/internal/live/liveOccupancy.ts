/** The users of a channel as a live value. Presence events update it, and it is read again if they leave a doubt. */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Schema from "effect/Schema"
import * as Json from "../../../internal/json.ts"
import { isUndecodable, type UndecodableItem } from "../../../UndecodableItem.ts"
import * as ChannelName from "../../ChannelName.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as Items from "../wire/items.ts"
import * as Live from "./live.ts"
import * as Reread from "./reread.ts"

interface Occupant {
  readonly userId: string
  readonly state?: { readonly [key: string]: Schema.Json }
}

/** One page of an answer. */
interface Page {
  readonly occupancy: number
  readonly users: ReadonlyArray<Occupant | UndecodableItem>
}

interface Occupancy {
  readonly occupancy: number
  readonly users: ReadonlyMap<string, Occupant>
}

/** The users that are known to be on the channel. */
interface Room {
  readonly users: ReadonlyMap<string, Occupant>
  /** How many users the service counted but did not list. */
  readonly unlisted: number
  readonly undecodable: ReadonlyArray<UndecodableItem>
}

export const keep = (
  channel: string,
  includeState: boolean,
  ask: Effect.Effect<ReadonlyArray<Page>, PubNubError.PubNubError, Live.Needs>
) =>
  Live.keep<Room, Occupancy, never, Live.Needs>({
    name: `the occupancy of ${channel}`,
    subscription: { channels: [ChannelName.presenceOf(channel)] },
    begins: needsReread,
    // The answer may be older than these events, so they are applied to it. If it is newer, later events of the same users
    // still arrive. Events before one that hides others are not applied.
    read: (_held, events, untilRead) =>
      Effect.map(untilRead(Effect.flatMap(ask, (pages) => roomOf(channel, pages))), (room) =>
        follow(room, events.slice(events.findLastIndex(hidesOthers) + 1), includeState)),
    follow: (held, events) => {
      const followed = follow(held, events, includeState)
      return Effect.succeed({
        held: followed,
        isDoubted: events.some(needsReread) || isDoubtful(followed, events, includeState)
      })
    },
    valueOf: (room) => ({ occupancy: count(room), users: room.users }),
    isSame,
    undecodableOf: ({ undecodable }) =>
      undecodable
  })

/** Does not compare states by recursion: they are foreign data. */
const isSame = (one: Occupancy, other: Occupancy): boolean =>
  one.occupancy === other.occupancy && one.users.size === other.users.size &&
  [...one.users].every(([user, { state }]) => {
    const known = other.users.get(user)
    return known !== undefined && Json.equal(known.state, state)
  })

const count = ({ unlisted, users }: Room): number => users.size + unlisted

const roomOf = Effect.fnUntraced(function*(channel: string, pages: ReadonlyArray<Page>) {
  const listed = pages.flatMap((page) => page.users)
  const occupants = yield* Items.decoded(listed, `the users on ${channel}`)
  const users = new Map(occupants.map(({ state, userId }) => [userId, occupant(userId, state)]))
  const unlisted = Math.max(0, (pages.at(-1)?.occupancy ?? 0) - users.size)
  return { users, unlisted, undecodable: listed.filter(isUndecodable) }
})

const isState = (state: Schema.Json | undefined): state is { readonly [key: string]: Schema.Json } =>
  Predicate.isObject(state) && !Array.isArray(state)

/** An empty state counts as no state. */
const occupant = (userId: string, state: Schema.Json | undefined): Occupant =>
  isState(state) && Object.keys(state).length > 0 ? { userId, state } : { userId }

const follow = (room: Room, events: Live.Events, includeState: boolean): Room => {
  const users = new Map(room.users)
  const put = (user: string, state: Schema.Json | undefined) =>
    users.set(user, occupant(user, includeState ? state : undefined))
  for (const event of events) {
    switch (event._tag) {
      case "Joined":
        // A user with two devices may join twice, each time with its state.
        put(event.userId, event.state)
        break
      case "Left":
      case "TimedOut":
        users.delete(event.userId)
        break
      case "StateChanged":
        // A user that is not on the channel can set its state, too.
        if (users.has(event.userId)) put(event.userId, event.state)
        break
      case "Interval":
        // The event has no states, so a user that was here before keeps its state until the next read.
        for (const user of event.joined) put(user, room.users.get(user)?.state)
        for (const user of [...event.left, ...event.timedOut]) users.delete(user)
        break
      default:
    }
  }
  return { ...room, users }
}

/** Whether the users must be read again: events may have been lost, or the service left out a long list. */
const needsReread = (event: SubscribeEvent.SubscribeEvent): boolean =>
  Reread.needsReread(event) || event._tag === "Interval" && event.hereNowRefresh

/** Whether users may have joined or left before this event without an event of their own. */
const hidesOthers = (event: SubscribeEvent.SubscribeEvent): boolean =>
  needsReread(event) ||
  event._tag === "Interval" && event.joined.length + event.left.length + event.timedOut.length === 0

/**
 * Whether the service knows more than its events say: it counts other users, an interval neither lists nor counts users, or an
 * interval lists users without their states.
 */
const isDoubtful = (room: Room, events: Live.Events, includeState: boolean): boolean =>
  (events.findLast(isCount)?.occupancy ?? count(room)) !== count(room) ||
  events.some((event) => event._tag === "Interval" && event.occupancy === undefined && hidesOthers(event)) ||
  includeState && events.some((event) => event._tag === "Interval" && event.joined.length > 0)

/** `StateChanged` is left out: its count includes users that only the next interval lists. */
const isCount = (
  event: SubscribeEvent.SubscribeEvent
): event is Exclude<SubscribeEvent.Presence, SubscribeEvent.StateChanged> =>
  "occupancy" in event && event._tag !== "StateChanged"
