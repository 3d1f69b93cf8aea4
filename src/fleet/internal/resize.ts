/**
 * What becomes of the cursors of lanes when their number changes. One of the two numbers divides the other, so a channel moves
 * only between a lane and its multiples.
 */
import type { Cursor } from "../../Cursor.ts"

/** The lanes before the change that the channels of a lane after the change come from. */
export const sourcesOf = (lane: number, from: number, to: number): ReadonlyArray<number> =>
  to >= from ? [lane % from] : Array.from({ length: from / to }, (_, n) => lane + n * to)

/** Where a cursor begins: a gap that it was filling lies before its position. */
const start = ({ hole, position }: Cursor): bigint => BigInt(hole ?? position)

/** The cursor that begins first. What the other readers handled after it comes again: nothing is lost. */
export const oldest = (cursors: ReadonlyArray<Cursor | undefined>): Cursor | undefined =>
  cursors.reduce(
    (one, other) => one === undefined || other !== undefined && start(other) < start(one) ? other : one,
    undefined
  )
