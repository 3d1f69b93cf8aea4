/**
 * An item of a list that cannot be read, in its place: a list is as long as what the service gave, and one bad entry ends
 * no list.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * Stands where the service gave something else than what is listed: an object without an id, custom data that is no flat
 * object, a message action without a timetoken, or custom data that does not match the schema of `withCustom`.
 *
 * @category models
 * @since 0.1.0
 */
export interface UnreadableItem {
  readonly _tag: "UnreadableItem"
  /** What is wrong with it, at most 1,024 characters. */
  readonly issue: string
  /** What the service gave. */
  readonly raw: Schema.Json
}

/**
 * The schema of {@link UnreadableItem}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UnreadableItem: Schema.Codec<UnreadableItem, unknown> = Schema.TaggedStruct("UnreadableItem", {
  issue: Schema.String,
  raw: Schema.Json
})

/**
 * Whether an item of a list could be read: to leave out those that could not.
 *
 * **Example** (The users that can be read, and a log line for each other)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as UnreadableItem from "effect-herald/pubnub/UnreadableItem"
 * import * as Users from "effect-herald/pubnub/Users"
 *
 * const readable = Users.stream().pipe(
 *   Stream.tap((user) => UnreadableItem.isReadable(user) ? Effect.void : Effect.logWarning(user.issue)),
 *   Stream.filter(UnreadableItem.isReadable)
 * )
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isReadable = <A>(entry: A | UnreadableItem): entry is A => !isUnreadable(entry)

/**
 * The other way round: to see only those that could not be read.
 *
 * @category guards
 * @since 0.1.0
 */
export const isUnreadable = (entry: unknown): entry is UnreadableItem =>
  typeof entry === "object" && entry !== null && "_tag" in entry && entry._tag === "UnreadableItem"
