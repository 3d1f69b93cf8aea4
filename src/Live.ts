/**
 * A value that events keep current. What `live` of a module gives is a `SubscriptionRef` of it: `SubscriptionRef.get` reads
 * the value now, `SubscriptionRef.changes` streams it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { UndecodableItem } from "./UndecodableItem.ts"

/**
 * A value that events keep current, and how far that is true now.
 *
 * - `current`: the value is what the service has, as far as its events have arrived.
 * - `stale`: the service may have something else. The connection is interrupted, or the value is being read again. With a
 *   `failure` the service refused that read, or its answer did not match a schema. A refused read is repeated every few
 *   minutes; after a mismatch the next event starts a new read.
 * - `ended`: nothing keeps the value any more. With a `failure` the subscription ended; without one its scope was closed.
 *
 * **Example** (Show a value, and whether it can be trusted)
 *
 * ```ts
 * import type * as Live from "effect-herald/Live"
 *
 * const show = (live: Live.Live<number, Error>) =>
 *   live.state === "current" ? String(live.value) : `${live.value} (${live.failure?.message ?? live.state})`
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Live<out A, out E = never> {
  /** The value. While it is stale, and after it has ended, the last one that was known. */
  readonly value: A
  /** Whether the value is what the service has now. */
  readonly state: "current" | "stale" | "ended"
  /** What keeps the value from being current. Absent while nothing failed. */
  readonly failure?: E
  /** The items that belong to the value and could not be decoded when it was read last. Absent when there are none. */
  readonly undecodable?: ReadonlyArray<UndecodableItem>
}

/**
 * Streams the values that are current, each once: the value now, and every later one. A stale value is left out. The stream
 * ends when the value has ended, and fails with the `failure` that ended it.
 *
 * **Example** (The names of a user)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Live from "effect-herald/Live"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const users = Stream.unwrap(Effect.map(Users.live({ id: "ada" }), Live.values))
 * ```
 *
 * @category streams
 * @since 0.1.0
 */
export const values = <A, E>(ref: SubscriptionRef.SubscriptionRef<Live<A, E>>): Stream.Stream<A, E> =>
  SubscriptionRef.changes(ref).pipe(
    Stream.takeUntil(({ state }) => state === "ended"),
    Stream.mapEffect((live) =>
      live.state === "ended" && live.failure !== undefined ? Effect.fail(live.failure) : Effect.succeed(live)
    ),
    Stream.filter(({ state }) => state === "current"),
    Stream.map(({ value }) => value),
    Stream.changesWith((one, other) => one === other)
  )
