/**
 * The AES keys of a cipher key, made once. The headed format has all 256 bits of a SHA-256. The legacy formats have the text of
 * the first half of it, in hexadecimal: 128 bits.
 */
import * as Hex from "effect/encoding/Hex"

export interface Keys {
  readonly headed: CryptoKey
  readonly legacy: CryptoKey
}

export type Bytes = Uint8Array<ArrayBuffer>

const utf8 = new TextEncoder()

const algorithm = "AES-CBC"

/** The bytes of a block of AES, of an initialization vector, and of the key of the legacy formats in hexadecimal digits by two. */
export const block = 16

// Not with effect/crypto: one of its ciphers would bring all of them, with formats of keys.
export const derive = async (text: string): Promise<Keys> => {
  const { subtle } = globalThis.crypto
  const digest = new Uint8Array(await subtle.digest("SHA-256", utf8.encode(text)))
  const imported = (bytes: Bytes) => subtle.importKey("raw", bytes, algorithm, false, ["encrypt", "decrypt"])
  return {
    headed: await imported(digest),
    legacy: await imported(utf8.encode(Hex.encode(digest.subarray(0, block))))
  }
}

/** Encrypts, and adds the padding: 1 to 16 bytes. */
export const encrypt = async (key: CryptoKey, iv: Bytes, bytes: Bytes): Promise<Bytes> =>
  new Uint8Array(await globalThis.crypto.subtle.encrypt({ name: algorithm, iv }, key, bytes))

/** Decrypts, and removes the padding. Undefined if the padding is wrong. */
export const decrypt = async (key: CryptoKey, iv: Bytes, bytes: Bytes): Promise<Bytes | undefined> => {
  try {
    return new Uint8Array(await globalThis.crypto.subtle.decrypt({ name: algorithm, iv }, key, bytes))
  } catch {
    return undefined
  }
}

export const randomIv = (): Bytes => globalThis.crypto.getRandomValues(new Uint8Array(block))
