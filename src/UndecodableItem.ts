/**
 * An item of a list that cannot be decoded. It stands in its place, so one bad item never takes its list, page or stream
 * with it. The lists of both services use it.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * Stands where the service gave something that does not fit: `null`, an object without its id, custom data that does not
 * match the schema of `withCustom`.
 *
 * @category models
 * @since 0.1.0
 */
export class UndecodableItem extends Schema.Opaque<UndecodableItem>()(
  Schema.TaggedStruct("UndecodableItem", {
    /** What is wrong with it, at most 1,024 characters. */
    issue: Schema.String,
    /** What the service gave. */
    raw: Schema.Json
  })
) {}

/**
 * Whether an item of a list could be decoded.
 *
 * **Example** (Keep the decoded users, and log the others)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as Users from "effect-herald/pubnub/Users"
 * import * as UndecodableItem from "effect-herald/UndecodableItem"
 *
 * const users = Users.stream().pipe(
 *   Stream.tap((user) => UndecodableItem.isDecoded(user) ? Effect.void : Effect.logWarning(user.issue)),
 *   Stream.filter(UndecodableItem.isDecoded)
 * )
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const isDecoded = <A>(item: A | UndecodableItem): item is A => !isUndecodable(item)

/**
 * Whether an item of a list could not be decoded: the opposite of {@link isDecoded}.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isUndecodable = (item: unknown): item is UndecodableItem => Predicate.isTagged(item, "UndecodableItem")
