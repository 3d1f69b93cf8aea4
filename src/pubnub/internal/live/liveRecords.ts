/**
 * What App Context has, kept current. History has no events of App Context: what may be missing is read again.
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

/** What is kept, and how. `A` is the value, `K` names the parts of it that can be read by themselves. */
export interface Source<A, K, E extends AppContext.CustomMismatch, R> {
  readonly operation: string
  readonly kind: "user" | "channel"
  /** Of the object, and the channel where its events arrive. */
  readonly id: string
  /** What the service has. */
  readonly read: Effect.Effect<A, PubNubError.PubNubError | E, R>
  /** What the latest read could not decode. */
  readonly undecodable?: () => ReadonlyArray<UndecodableItem>
  /** The same with only these parts read, the others as they are held. */
  readonly readParts: (held: A, parts: ReadonlySet<K>) => Effect.Effect<A, PubNubError.PubNubError | E, R>
  /** What the events did for certain, and which parts they leave in doubt. The same value if that is nothing. */
  readonly follow: (held: A, events: Live.Events) => Effect.Effect<Followed<A, K>, never, R>
  /** Whether these events say something that a value read after them does not have. */
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
      // Its id is the name of a channel too: what only a subscription may be called would bring other events.
      ...Input.each(source.kind, [source.id], Names.withoutPresence(", as only presence events have"))
    ]
    if (issues.length > 0) return Effect.fail(Endpoint.refusal(source.operation, issues))
    /** What is to be read before the value is current again: all of it, or these parts. */
    let isLost = true
    let doubted: ReadonlySet<K> = new Set()
    return Live.keep<A, A, E, R>({
      name: source.id,
      subscription: { channels: [source.id], catchUp: "none" },
      begins: Reread.needsReread,
      /** An answer may be older than the events that made it necessary: then it is asked for once more, a second later. */
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
        // What could not be read is not asked for again before something happens.
        const isNews = isLoss || followed.doubted.size > 0 || followed.value !== held
        return { held: followed.value, isDoubted: isNews && (isLost || doubted.size > 0) }
      }),
      valueOf: (value) => value,
      isSame: (one, other) => one === other,
      undecodableOf: () => source.undecodable?.() ?? []
    })
  })
