/** Base64 of ciphertexts, also without padding, and nothing but base64: no line breaks, and no letters for addresses. */
import * as Base64 from "effect/encoding/Base64"
import * as Result from "effect/Result"
import type { Bytes } from "./keys.ts"

export const encode: (bytes: Bytes) => string = Base64.encode

const pattern = /^[A-Za-z0-9+/]+={0,2}$/

/** The bytes of a text. Undefined if it is no base64. */
export const decode = (text: string): Bytes | undefined => {
  if (!pattern.test(text)) return undefined
  const padded = text.endsWith("=") ? text : text.padEnd(Math.ceil(text.length / 4) * 4, "=")
  const bytes = Base64.decode(padded)
  return Result.isSuccess(bytes) ? new Uint8Array(bytes.success) : undefined
}
