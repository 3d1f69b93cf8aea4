/**
 * The members of a channel, kept current. The channel brings the events of its memberships, and of the users who are its
 * members. Of many members only those are read again of whom an event leaves doubt.
 *
 * A list is read by place: who is removed while it is read moves all behind to an earlier place, and one of them may be
 * passed over, of whom no event tells. The event of that removal comes soon after the list, and then who is there is counted.
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as AppContext from "../../AppContext.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import * as ObjectFilter from "../../ObjectFilter.ts"
import type * as PubNubError from "../../PubNubError.ts"
import { UserId } from "../wire/userId.ts"
import type { CustomCodec } from "../objects/custom.ts"
import type * as Live from "./live.ts"
import * as LiveRecords from "./liveRecords.ts"
import * as Items from "../wire/items.ts"
import { isUndecodable, type UndecodableItem } from "../../../UndecodableItem.ts"
import * as ObjectEvents from "./objectEvents.ts"

/** All parts. */
export const include = ["custom", "status", "type", "user", "user.custom", "user.status", "user.type"] as const

const pageSize = 100

/** So many ids fit into one address. */
const idsAtOnce = 20

/** A member with all parts; `U` is its user. */
export interface Member<C, U> extends ObjectEvents.Item<C> {
  readonly userId: string
  readonly user: Option.Option<U>
}

/** What can be read of the members of the channel. `M` is a member. */
export interface Requests<M, R> {
  readonly all: Stream.Stream<M | UndecodableItem, PubNubError.PubNubError, R>
  readonly page: (
    filter: ObjectFilter.Filter<"user.id">
  ) => Effect.Effect<AppContext.Page<M>, PubNubError.PubNubError, R>
  /** How many there are. */
  readonly total: Effect.Effect<number | undefined, PubNubError.PubNubError, R>
}

export const keep = <C, U extends ObjectEvents.Item<AppContext.Custom>, E extends AppContext.CustomMismatch, RD, RE>(
  { all, page, total }: Requests<Member<C, U>, RD | Live.Needs>,
  codec: CustomCodec<C, E, RD, RE>,
  channel: string
) =>
  Effect.suspend(() => {
    type Held = ReadonlyMap<string, Member<C, U>>
    const operation = "liveMembers"
    const mapOf = (members: Iterable<Member<C, U>>): Held =>
      new Map(Array.from(members, (member) => [member.userId, member]))

    /** Until when a removal may have happened while several pages were read. */
    let shaken = 0
    /** The members that could not be read. */
    let unreadable: ReadonlyArray<UndecodableItem> = []

    const read = Effect.gen(function*() {
      const listed = yield* Stream.runCollect(all)
      const members = mapOf(yield* Items.decoded(listed, `the members of ${channel}`))
      unreadable = listed.filter(isUndecodable)
      if (members.size >= pageSize) shaken = (yield* Clock.currentTimeMillis) + ObjectEvents.aMinute
      return members
    })

    const readParts = Effect.fnUntraced(function*(held: Held, users: ReadonlySet<string>) {
      const filters = Arr.chunksOf(users, idsAtOnce).map(anyOf)
      const isWritable = filters.every((filter) => Result.isSuccess(ObjectFilter.print(filter)))
      if (!isWritable || held.size + users.size <= pageSize) return yield* read
      const found = yield* Effect.forEach(filters, page)
      const items = found.flatMap(({ items }) => items)
      const listed = yield* Items.decoded(items, `the members of ${channel}`)
      unreadable = [...unreadable.filter(({ raw }) => !isAmong(userOf(raw), users)), ...items.filter(isUndecodable)]
      const members = mapOf([
        ...[...held.values()].filter(({ userId }) => !users.has(userId)),
        ...listed
      ])
      if ((yield* Clock.currentTimeMillis) > shaken) return members
      return (yield* total) === members.size + unreadable.length ? members : yield* read
    })

    const isOf = (
      event: SubscribeEvent.SubscribeEvent
    ): event is SubscribeEvent.MembershipEvent | SubscribeEvent.UserEvent => {
      switch (event._tag) {
        case "MembershipSet":
        case "MembershipRemoved":
          return event.channelId === channel
        case "UserSet":
        case "UserRemoved":
          return true
        default:
          return false
      }
    }

    /** The member after an event. `undefined` where that is in doubt. */
    const after = (
      held: Option.Option<Member<C, U>>,
      event: SubscribeEvent.MembershipEvent | SubscribeEvent.UserEvent
    ) => {
      if (event._tag === "MembershipSet" || event._tag === "MembershipRemoved") {
        return ObjectEvents.after(held, event, (custom) =>
          codec.decode(custom, { operation, kind: "membership", id: event.userId }))
      }
      // Of a user who is about to become a member, or was one.
      if (Option.isNone(held)) {
        return Effect.succeed(held)
      }
      const member = held.value
      return Effect.map(ObjectEvents.after(member.user, event, Effect.succeed), (user) =>
        user === member.user ? held : user && Option.some({ ...member, user }))
    }

    return LiveRecords.keep<Held, string, E, RD | Live.Needs>({
      operation,
      kind: "channel",
      id: channel,
      read,
      readParts,
      undecodable: () =>
        unreadable,
      follow: Effect.fnUntraced(function*(held: Held, events: ReadonlyArray<SubscribeEvent.SubscribeEvent>) {
        const doubted = new Set<string>()
        const now = yield* Clock.currentTimeMillis
        let members: Map<string, Member<C, U>> | undefined
        for (const event of events.filter(isOf)) {
          const before = Option.fromUndefinedOr((members ?? held).get(event.userId))
          const next = yield* after(before, event)
          if (next === undefined || event._tag === "MembershipRemoved" && now <= shaken) {
            doubted.add(event.userId)
          }
          if (next === undefined || next === before) {
            continue
          }
          members ??= new Map(held)
          if (Option.isSome(next)) {
            members.set(event.userId, next.value)
          } else members.delete(event.userId)
        }
        return { value: members ?? held, doubted }
      }),
      isBehind: (members, events) => {
        // The last event of each membership and of each user.
        const last = new Map(
          events.filter(isOf).map((event) => [`${"channelId" in event ? "member" : "user"} ${event.userId}`, event])
        )
        return [...last.values()].some((event) => {
          const member = Option.fromUndefinedOr(members.get(event.userId))
          return "channelId" in event
            ? ObjectEvents.isBehind(member, event)
            : Option.isSome(member) && ObjectEvents.isBehind(member.value.user, event)
        })
      }
    })
  })

const isOfUser = Schema.is(Schema.Struct({ uuid: Schema.Struct({ id: UserId }) }))

const isAmong = (user: string | undefined, users: ReadonlySet<string>): boolean => user !== undefined && users.has(user)

/** The user of a member that cannot be read, as far as that can be told. */
const userOf = (raw: unknown): string | undefined => isOfUser(raw) ? raw.uuid.id : undefined

const anyOf = ([first, ...others]: Arr.NonEmptyReadonlyArray<string>) =>
  ObjectFilter.or(ObjectFilter.equals("user.id", first), ...others.map((id) => ObjectFilter.equals("user.id", id)))
