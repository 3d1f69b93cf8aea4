/**
 * Which lane reads a channel. The result is stored state: cursors belong to lanes. So this function never changes.
 */

const utf8 = /* @__PURE__ */ new TextEncoder()

/** FNV-1a of 32 bits over the UTF-8 bytes of a text, then the finalizer of MurmurHash3, so that the low bits are good, too. */
export const hash = (text: string): number => {
  let h = 0x811c9dc5
  for (const byte of utf8.encode(text)) h = Math.imul(h ^ byte, 0x01000193)
  h = Math.imul(h ^ h >>> 16, 0x85ebca6b)
  h = Math.imul(h ^ h >>> 13, 0xc2b2ae35)
  return (h ^ h >>> 16) >>> 0
}

/** The lane of a channel, from 0 on. If `lanes` is a multiple of `fewer`, then `laneOf(c, lanes) % fewer` is `laneOf(c, fewer)`. */
export const laneOf = (channel: string, lanes: number): number => hash(channel) % lanes
