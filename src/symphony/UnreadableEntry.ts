/**
 * An entry of a list that cannot be read, in its place: what is listed is as long as what the service gave, and one bad entry
 * ends no list.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * Stands where the service gave `null`, or something without the ids of what is listed. All other details of an entry may be
 * missing or wrong without making it unreadable.
 *
 * @category models
 * @since 0.1.0
 */
export interface UnreadableEntry {
  readonly _tag: "UnreadableEntry"
  /** Never there: an entry whose `messageId` can be read is no unreadable one. */
  readonly messageId?: undefined
  /** What is wrong with it, at most 1,024 characters. */
  readonly issue: string
  /** What the service gave. */
  readonly raw: Schema.Json
}

/**
 * The schema of {@link UnreadableEntry}.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UnreadableEntry: Schema.Codec<UnreadableEntry, unknown> = Schema.TaggedStruct("UnreadableEntry", {
  issue: Schema.String,
  raw: Schema.Json
})

/**
 * Whether an entry of a list could be read: to leave out those that could not.
 *
 * **Example** (The messages that can be read)
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Messages from "effect-herald/symphony/Messages"
 * import * as UnreadableEntry from "effect-herald/symphony/UnreadableEntry"
 *
 * const readable = (streamId: string) =>
 *   Effect.map(Messages.list({ streamId }), (entries) => entries.filter(UnreadableEntry.isReadable))
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isReadable = <A>(entry: A | UnreadableEntry): entry is A => !Predicate.isTagged(entry, "UnreadableEntry")
