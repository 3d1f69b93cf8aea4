/** Base64 of ciphertexts, also without padding, and nothing but base64: no line breaks, and no letters for addresses. */
import * as Base64 from "effect/encoding/Base64"
import type { Bytes } from "./bytes.ts"

export const encode: (bytes: Bytes) => string = Base64.encode

/** The values of the digits, by their character codes. */
const digits = /* @__PURE__ */ Array.from(
  { length: 128 },
  (_, code) => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".indexOf(String.fromCharCode(code))
)

/**
 * The bytes of a text. Undefined if it is no base64. By hand, as each message that arrives comes here: Effect's takes line breaks,
 * and needs three times as long with a look for them before it.
 */
export const decode = (text: string): Bytes | undefined => {
  const end = text.endsWith("==") ? text.length - 2 : text.endsWith("=") ? text.length - 1 : text.length
  if (end === 0 || end % 4 === 1 || end < text.length && text.length % 4 !== 0) return undefined
  const digitAt = (at: number): number => at < end ? digits[text.charCodeAt(at)] ?? -1 : 0
  const bytes = new Uint8Array(Math.floor(end * 3 / 4))
  for (let at = 0, next = 0; at < end; at += 4) {
    const group = digitAt(at) << 18 | digitAt(at + 1) << 12 | digitAt(at + 2) << 6 | digitAt(at + 3)
    // One wrong digit makes it negative.
    if (group < 0) return undefined
    // What is behind the end of the array is not written.
    bytes[next++] = group >> 16
    bytes[next++] = group >> 8
    bytes[next++] = group
  }
  return bytes
}
