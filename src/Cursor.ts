/**
 * Where a reader stands: enough to resume after a crash without losing or repeating anything.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A reader's place in a service's stream of events. As JSON it has at most 4 kB, at any rate of messages.
 *
 * - `position` is a timetoken of 17 digits, `region` the data centre that gave it.
 * - `delivered` marks the events after that position which the reader already had. Events that share a page, or even a
 *   timetoken, are told apart by it, so that resuming repeats none and skips none. It is empty between pages.
 * - `recent` says what the reader had since shortly before the position. History is read from there on, since messages of other
 *   regions come late. `marks` are those of the newest events, one after the other. `sums` are of older ones: the timetoken that
 *   each goes to, how many they are, and the sum of their marks.
 * - `hole` is where a gap began that was being filled from history. What cannot be had of it is still to be told.
 *
 * A mark is five characters that are made of channel, timetoken and publisher.
 *
 * A cursor is a plain value; {@link Cursor} is its codec for whatever keeps it.
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
  readonly position: string
  readonly region?: number
  readonly delivered: ReadonlyArray<string>
  readonly recent?: {
    readonly since: string
    readonly marks: string
    readonly sums?: ReadonlyArray<readonly [to: string, count: number, sum: string]>
  }
  readonly hole?: string
}

const Timetoken = Schema.String.check(Schema.isPattern(/^\d{17}$/, { expected: "a timetoken of 17 digits" }))
// Shortly before the first timetoken of 17 digits there are shorter ones.
const Moment = Schema.String.check(Schema.isPattern(/^\d{1,17}$/, { expected: "a timetoken" }))

// What no reader ever writes is no cursor: whatever is in it, each event would pay for it.
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
 * @category formatting
 * @since 0.1.0
 */
export const format = (cursor: Cursor): string =>
  cursor.position + (cursor.region === undefined ? "" : `@${cursor.region}`) +
  (cursor.delivered.length === 0 ? "" : `+${cursor.delivered.length}`)
