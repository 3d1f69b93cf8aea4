/** Whether two runners name the same channels and groups. */
import * as LaneOf from "./laneOf.ts"

/** A number for what a runner names, of 32 bits. Neither the order nor a name that is there twice changes it. */
export const hash = (channels: Iterable<string> = [], groups: Iterable<string> = []): number =>
  LaneOf.hash(JSON.stringify([[...new Set(channels)].toSorted(), [...new Set(groups)].toSorted()]))
