/**
 * Records of App Context as live values. History has no events of App Context, so records are read again if events may be
 * missing.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as SubscriptionRef from "effect/SubscriptionRef"
import * as Input from "../../../internal/input.ts"
import type { Live as LiveValue } from "../../../Live.ts"
import type { UndecodableItem } from "../../../UndecodableItem.ts"
import type * as AppContext from "../../AppContext.ts"
import type * as PubNubError from "../../PubNubError.ts"
import * as Fields from "../objects/fields.ts"
import * as Endpoint from "../wire/endpoint.ts"
import * as Names from "../wire/names.ts"
import * as Live from "./live.ts"
import * as Reread from "./reread.ts"

/** Describes a live value. `A` is the value, `K` names the parts of it that can be read alone. */
export interface Source<A, K, E extends AppContext.CustomMismatch, R> {
  readonly operation: string
  readonly kind: "user" | "channel"
  /** The id of the object, and the channel of its events. */
  readonly id: string
  /** Reads all of the value. */
  readonly read: Effect.Effect<A, PubNubError.PubNubError | E, R>
  /** The items that the latest read could not decode. */
  readonly undecodable?: () => ReadonlyArray<UndecodableItem>
  /** Reads only these parts, and keeps the others. */
  readonly readParts: (held: A, parts: ReadonlySet<K>) => Effect.Effect<A, PubNubError.PubNubError | E, R>
  /** Applies the events that leave no doubt, and names the parts that others leave in doubt. Without a change gives the same object. */
  readonly follow: (held: A, events: Live.Events) => Effect.Effect<Followed<A, K>, never, R>
  /** Whether a value that was read after these events is older than one of them. */
  readonly isBehind: (value: A, events: Live.Events) => boolean
}

export interface Followed<A, K> {
  readonly value: A
  readonly doubted: ReadonlySet<K>
}

export const keep = <A, K, E extends AppContext.CustomMismatch, R>(
  source: Source<A, K, E, R>
): Effect.Effect<
  SubscriptionRef.SubscriptionRef<LiveValue<A, Live.Failure<E>>>,
  Live.Failure<E>,
  Live.Needs | Scope.Scope | R
> =>
  Effect.suspend(() => {
    const issues = [
      ...Fields.idIssues(source.kind, source.id),
      // The id is also a channel to subscribe to. A wildcard or a presence name would bring events of other objects.
      ...Input.each(source.kind, [source.id], Names.withoutPresence(", as only presence events have"))
    ]
    if (issues.length > 0) return Effect.fail(Endpoint.refusal(source.operation, issues))
    /** Whether all of the value must be read before it is current again. Otherwise `doubted` names the parts to read. */
    let isLost = true
    let doubted: ReadonlySet<K> = new Set()
    return Live.keep<A, A, E, R>({
      name: source.id,
      subscription: { channels: [source.id], catchUp: "none" },
      begins: Reread.needsReread,
      /** An answer may be older than the events that made the read necessary. Then it reads once more, a second later. */
      read: Effect.fnUntraced(function*(held, events, untilRead) {
        const read = untilRead(isLost || held === undefined ? source.read : source.readParts(held, doubted))
        const value = yield* read
        const newest = source.isBehind(value, events) ? yield* Effect.delay(read, "1 second") : value
        isLost = false
        doubted = new Set()
        return (yield* source.follow(newest, events)).value
      }),
      follow: Effect.fnUntraced(function*(held, events) {
        const followed = yield* source.follow(held, events)
        const isLoss = events.some(Reread.needsReread)
        isLost ||= isLoss
        doubted = new Set([...doubted, ...followed.doubted])
        // After a read that failed, reads again only if there is news.
        const isNews = isLoss || followed.doubted.size > 0 || followed.value !== held
        return { held: followed.value, isDoubted: isNews && (isLost || doubted.size > 0) }
      }),
      valueOf: (value) => value,
      isSame: (one, other) => one === other,
      undecodableOf: () => source.undecodable?.() ?? []
    })
  })
