/**
 * The AES keys of a cipher key, made once. The headed format has all 256 bits of a SHA-256. The legacy formats have the text of
 * the first half of it, in hexadecimal: 128 bits.
 */
import * as Hex from "effect/encoding/Hex"
import * as Aes from "./aes.ts"

export interface Keys {
  readonly headed: Aes.Key
  readonly legacy: Aes.Key
}

const utf8 = new TextEncoder()

export const derive = async (text: string): Promise<Keys> => {
  const digest = new Uint8Array(await globalThis.crypto.subtle.digest("SHA-256", utf8.encode(text)))
  const legacy = utf8.encode(Hex.encode(digest.subarray(0, 16)))
  return {
    headed: Aes.nodeKey(digest) ?? await Aes.webKey(digest),
    legacy: Aes.nodeKey(legacy) ?? await Aes.webKey(legacy)
  }
}
