/**
 * The members of a channel, or the memberships of a user, as a live value. If there are many, only those are read again that an
 * event leaves in doubt.
 *
 * A page of a list begins at an offset. A removal between two pages shifts all later memberships, so one of them may be missed,
 * and no event names it. The event of the removal arrives soon after the list. Then the memberships are counted.
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { isUndecodable, type UndecodableItem } from "../../../UndecodableItem.ts"
import type * as AppContext from "../../AppContext.ts"
import * as ObjectFilter from "../../ObjectFilter.ts"
import type * as PubNubError from "../../PubNubError.ts"
import type * as SubscribeEvent from "../../SubscribeEvent.ts"
import type { CustomCodec } from "../objects/custom.ts"
import type { Needs } from "../objects/options.ts"
import * as Items from "../wire/items.ts"
import type { Events } from "./live.ts"
import * as LiveRecords from "./liveRecords.ts"
import * as ObjectEvents from "./objectEvents.ts"

const pageSize = 100

/** How many ids fit into one address. */
const idsAtOnce = 20

/** An event of a membership, or of its other end. */
export type News =
  & { readonly id: string }
  & (
    | { readonly isAboutEnd: false; readonly event: SubscribeEvent.MembershipEvent }
    | { readonly isAboutEnd: true; readonly event: SubscribeEvent.UserEvent }
  )

/** The differences between members and memberships. `M` is a membership with all its parts, `U` its other end. */
export interface Kind<M, U, F extends string> {
  readonly module: "Members" | "Memberships"
  readonly owner: "channel" | "user"
  /** The service's name of the other end. */
  readonly wire: string
  /** The id of the other end. */
  readonly inputId: (membership: M) => string
  /** The filter of a list that finds one membership. */
  readonly filterOf: (id: string) => ObjectFilter.Filter<F>
  readonly newsOf: (event: SubscribeEvent.SubscribeEvent, owner: string) => News | undefined
  /** The other end, if its events arrive. */
  readonly endOf: (membership: M) => U | undefined
  readonly withEnd: (membership: M, end: U | undefined) => M
}

/** The requests for the memberships of one owner. */
export interface Requests<M, F extends string, R> {
  readonly all: Stream.Stream<M | UndecodableItem, PubNubError.PubNubError, R>
  readonly page: (filter: ObjectFilter.Filter<F>) => Effect.Effect<AppContext.Page<M>, PubNubError.PubNubError, R>
  /** How many memberships there are. */
  readonly total: Effect.Effect<number | undefined, PubNubError.PubNubError, R>
}

export const keep = <
  M extends ObjectEvents.Item<C>,
  U extends ObjectEvents.Item<AppContext.Custom>,
  F extends string,
  C,
  E extends AppContext.CustomMismatch,
  RD,
  RE
>(
  kind: Kind<M, U, F>,
  { all, page, total }: Requests<M, F, RD | Needs>,
  codec: CustomCodec<C, E, RD, RE>,
  owner: string
) =>
  Effect.suspend(() => {
    type Held = ReadonlyMap<string, M>
    const operation = `${kind.module}.live`
    // Called after the owner was checked: it may not be a string.
    const name = () => `the ${kind.owner === "channel" ? "members" : "memberships"} of ${owner}`
    const mapOf = (memberships: Iterable<M>): Held =>
      new Map(Array.from(memberships, (membership) => [kind.inputId(membership), membership]))
    const newsIn = (events: Events): ReadonlyArray<News> => events.flatMap((event) => kind.newsOf(event, owner) ?? [])

    /** Until then, an event may be of a removal that happened while several pages were read. */
    let mayLackUntil = 0
    let undecodable: ReadonlyArray<UndecodableItem> = []

    const read = Effect.gen(function*() {
      const listed = yield* Stream.runCollect(all)
      const memberships = mapOf(yield* Items.decoded(listed, name()))
      undecodable = listed.filter(isUndecodable)
      if (memberships.size >= pageSize) mayLackUntil = (yield* Clock.currentTimeMillis) + ObjectEvents.aMinute
      return memberships
    })

    const readParts = Effect.fnUntraced(function*(held: Held, ids: ReadonlySet<string>) {
      const filters = Arr.chunksOf(ids, idsAtOnce).map(([first, ...others]) =>
        ObjectFilter.or(kind.filterOf(first), ...others.map(kind.filterOf))
      )
      const isWritable = filters.every((filter) => Result.isSuccess(ObjectFilter.print(filter)))
      if (!isWritable || held.size + ids.size <= pageSize) return yield* read
      const found = yield* Effect.forEach(filters, page)
      const items = found.flatMap(({ items }) => items)
      const listed = yield* Items.decoded(items, name())
      const wasRead = (raw: unknown) => {
        const end = Predicate.hasProperty(raw, kind.wire) ? raw[kind.wire] : undefined
        return Predicate.hasProperty(end, "id") && Predicate.isString(end.id) && ids.has(end.id)
      }
      undecodable = [...undecodable.filter(({ raw }) => !wasRead(raw)), ...items.filter(isUndecodable)]
      const memberships = mapOf([...[...held.values()].filter((one) => !ids.has(kind.inputId(one))), ...listed])
      if ((yield* Clock.currentTimeMillis) > mayLackUntil) return memberships
      return (yield* total) === memberships.size + undecodable.length ? memberships : yield* read
    })

    const after = (held: M | undefined, { event, id, isAboutEnd }: News) => {
      if (!isAboutEnd) {
        return ObjectEvents.after(held, event, (custom) => codec.decode(custom, { operation, kind: "membership", id }))
      }
      // The user is not a member yet, or not any more.
      if (held === undefined) {
        return Effect.succeed(held)
      }
      const end = kind.endOf(held)
      return Effect.map(
        ObjectEvents.after(end, event, Effect.succeed),
        (next) => next === ObjectEvents.inDoubt ? next : next === end ? held : kind.withEnd(held, next)
      )
    }

    return LiveRecords.keep<Held, string, E, RD | Needs>({
      operation,
      kind: kind.owner,
      id: owner,
      read,
      readParts,
      undecodable: () => undecodable,
      follow: Effect.fnUntraced(function*(held: Held, events: Events) {
        const doubted = new Set<string>()
        const now = yield* Clock.currentTimeMillis
        let memberships: Map<string, M> | undefined
        for (const news of newsIn(events)) {
          const { event, id } = news
          const before = (memberships ?? held).get(id)
          const next = yield* after(before, news)
          if (next === ObjectEvents.inDoubt || event._tag === "MembershipRemoved" && now <= mayLackUntil) {
            doubted.add(id)
          }
          if (next === ObjectEvents.inDoubt || next === before) continue
          memberships ??= new Map(held)
          if (next === undefined) memberships.delete(id)
          else memberships.set(id, next)
        }
        return { value: memberships ?? held, doubted }
      }),
      isBehind: (memberships, events) => {
        // Only the last event of each membership and of each other end counts.
        const last = new Map(newsIn(events).map((news) => [`${news.isAboutEnd} ${news.id}`, news]))
        return [...last.values()].some(({ event, id, isAboutEnd }) => {
          const membership = memberships.get(id)
          return isAboutEnd
            ? membership !== undefined && ObjectEvents.isBehind(kind.endOf(membership), event)
            : ObjectEvents.isBehind(membership, event)
        })
      }
    })
  })
