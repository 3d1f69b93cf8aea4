/**
 * How late other regions are. The service sends a message to readers in another region after a while, and a reader may have
 * younger messages by then.
 */
import type { Cursor } from "../../../Cursor.ts"
import type * as Arrival from "./arrival.ts"

/**
 * How late the latest event of a page is, in ticks. An event is of a late region if it is older than the position `from` of the
 * request, or of another region than the answer. It came before the position `next` of the answer.
 */
export const lateBy = (arrivals: ReadonlyArray<Arrival.Arrival>, from: Cursor, next: Cursor): bigint => {
  let most = 0n
  for (const { envelope, timetoken } of arrivals) {
    const isOfOther = next.region !== undefined && (envelope?.p.r ?? next.region) !== next.region
    // Few events are late. This comparison of text skips the others quickly.
    if (timetoken === undefined || timetoken >= from.position && !isOfOther) continue
    const by = BigInt(next.position) - BigInt(timetoken)
    if (by > most) most = by
  }
  return most
}
