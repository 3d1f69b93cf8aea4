/**
 * The position of a reader: enough to resume after a crash without losing or repeating events.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The position of a reader in the events of a service: a plain value that is also its codec's JSON form, of at most 4 kB.
 *
 * A mark is five characters, computed from channel, timetoken and publisher of an event.
 *
 * **Example** (To text and back)
 *
 * ```ts
 * import * as Schema from "effect/Schema"
 * import { Cursor } from "effect-herald/Cursor"
 *
 * const CursorText = Schema.fromJsonString(Cursor)
 * const text = Schema.encodeSync(CursorText)({ position: "17905741246383965", region: 31, delivered: [] })
 * const cursor: Cursor = Schema.decodeSync(CursorText)(text)
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Cursor {
  /** A timetoken of 17 digits. */
  readonly position: string
  /** The data centre that gave the position. */
  readonly region?: number
  /**
   * Marks of events after the position that the reader already received. They separate events that share a page, or even a
   * timetoken. Empty between pages.
   */
  readonly delivered: ReadonlyArray<string>
  /** What the reader received shortly before the position. Messages of other regions arrive late, so it reads history from there. */
  readonly recent?: {
    /** A timetoken: from here on history is read. */
    readonly since: string
    /** Marks of the newest events, joined. */
    readonly marks: string
    /** Older events in groups: the timetoken up to which each goes, their number, and the sum of their marks. */
    readonly sums?: ReadonlyArray<readonly [to: string, count: number, sum: string]>
  }
  /** Where a gap began that the reader was filling from history: a timetoken. It reports what history lacks after a restart. */
  readonly hole?: string
}

const Timetoken = Schema.String.check(Schema.isPattern(/^\d{17}$/, { expected: "a timetoken of 17 digits" }))
// Shortly before the first timetoken of 17 digits there are shorter ones.
const Moment = Schema.String.check(Schema.isPattern(/^\d{1,17}$/, { expected: "a timetoken" }))

// Larger than any reader writes: reading such a cursor would slow down each event.
const Mark = Schema.String.check(Schema.isMaxLength(5))
const marks = Schema.isMaxLength(2_650)
const delivered = Schema.isMaxLength(100)
const sums = Schema.isMaxLength(16)

/**
 * The codec of a cursor. It refuses a position that is not a timetoken of 17 digits, and a cursor that is larger than readers
 * write: more than 100 events after the position, 530 marks or 16 sums.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Cursor: Schema.Codec<Cursor> = Schema.Struct({
  position: Timetoken,
  region: Schema.optionalKey(Schema.Int),
  delivered: Schema.Array(Mark).check(delivered),
  recent: Schema.optionalKey(Schema.Struct({
    since: Moment,
    marks: Schema.String.check(marks),
    sums: Schema.optionalKey(Schema.Array(Schema.Tuple([Moment, Schema.Int, Mark])).check(sums))
  })),
  hole: Schema.optionalKey(Moment)
})

/**
 * Formats a cursor for a log: position, region, and how many events after it were already delivered, as in
 * `17905741246383965@31+2`.
 *
 * @category conversions
 * @since 0.1.0
 */
export const format = (cursor: Cursor): string =>
  cursor.position + (cursor.region === undefined ? "" : `@${cursor.region}`) +
  (cursor.delivered.length === 0 ? "" : `+${cursor.delivered.length}`)
