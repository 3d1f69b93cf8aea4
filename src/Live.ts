/**
 * A value that events keep current. What `live` of a module gives is a `SubscriptionRef` of it: `SubscriptionRef.get` reads
 * the value now, `SubscriptionRef.changes` streams it.
 *
 * @since 0.1.0
 */
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
