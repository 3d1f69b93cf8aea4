/**
 * Divides channels into parts that fit into one address each. `further` is what the address has of each channel beside its name.
 */
import * as Url from "../../../internal/url.ts"
import type { PubNubConfig } from "../../PubNubConfig.ts"

export const addressParts = (
  config: PubNubConfig["Service"],
  channels: Iterable<string>,
  most: number,
  further = 0
): ReadonlyArray<ReadonlyArray<string>> => {
  const parts: Array<Array<string>> = []
  let size = Infinity
  for (const channel of channels) {
    const length = Url.encode(channel).length + 1 + further
    const last = parts.at(-1)
    // Reserves room for the other parts of an address.
    if (last === undefined || last.length === most || size + length > config.maxUrlSize - 2_000) {
      parts.push([channel])
      size = length
    } else {
      last.push(channel)
      size += length
    }
  }
  return parts
}
