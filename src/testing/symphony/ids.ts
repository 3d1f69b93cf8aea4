/** Ids as the service makes them: base64 of bytes, URL-safe or standard. */
import * as Base64Url from "effect/encoding/Base64Url"

/** A hash of 32 bits (mulberry32): ids look random, and are the same in each run. */
const scrambled = (seed: number) => {
  const state = (seed * 0x6D2B79F5 + 0x6D2B79F5) >>> 0
  const bits = Math.imul(state ^ (state >>> 15), state | 1)
  return (bits ^ (bits >>> 14)) >>> 0
}

/**
 * The id with that number, URL-safe. It has every character that the two alphabets do not share, and padding in the
 * standard one.
 */
export const make = (number: number): string => {
  const bytes = new Uint8Array(25)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, scrambled(3 * number))
  view.setUint32(4, scrambled(3 * number + 1))
  view.setUint32(8, scrambled(3 * number + 2))
  bytes.set([0xfb, 0xef, 0xbe, 0xff, 0xff, 0xff], 12)
  view.setUint32(20, number)
  return Base64Url.encode(bytes)
}

export const isUrlSafe = (id: string): boolean => /^[A-Za-z0-9_-]+$/.test(id)

export const toUrlSafe = (id: string): string => id.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")

export const toStandard = (id: string): string => {
  const text = id.replaceAll("-", "+").replaceAll("_", "/")
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=")
}
