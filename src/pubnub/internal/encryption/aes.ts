/**
 * AES with a key of 256 bits, in CBC mode. Node's own functions do it where the runtime has them: they take 15 to 20 µs to encrypt and
 * decrypt a message of 1 kB, and Web Crypto 100, since it changes the thread twice for each.
 */
import { type Bytes, concat } from "./bytes.ts"

/** The bytes of a block, and of an initialization vector. */
export const block = 16

export interface Key {
  /** Encrypts, and adds the padding: 1 to 16 bytes. */
  readonly encrypt: (iv: Bytes, bytes: Bytes) => Promise<Bytes>
  /** Decrypts, and removes the padding. Undefined if the padding is wrong. */
  readonly decrypt: (iv: Bytes, bytes: Bytes) => Promise<Bytes | undefined>
}

const undefinedIfItFails = async (decrypted: () => Bytes | Promise<Bytes>): Promise<Bytes | undefined> => {
  try {
    return await decrypted()
  } catch {
    return undefined
  }
}

// Not with effect/crypto: one of its ciphers would bring all of them, with formats of keys.
export const webKey = async (bytes: Bytes): Promise<Key> => {
  const name = "AES-CBC"
  const { subtle } = globalThis.crypto
  const key = await subtle.importKey("raw", bytes, name, false, ["encrypt", "decrypt"])
  return {
    encrypt: async (iv, bytes) => new Uint8Array(await subtle.encrypt({ name, iv }, key, bytes)),
    decrypt: (iv, bytes) =>
      undefinedIfItFails(async () => new Uint8Array(await subtle.decrypt({ name, iv }, key, bytes)))
  }
}

/** Undefined where the runtime has no AES of Node: in browsers. */
export const nodeKey = (bytes: Bytes): Key | undefined => {
  // No import: a bundle for browsers has none of it.
  const crypto = globalThis.process?.getBuiltinModule?.("node:crypto")
  if (crypto === undefined) return undefined
  const name = "aes-256-cbc"
  try {
    const key = crypto.createSecretKey(bytes)
    // Some runtimes have the module, and throw when a cipher is used.
    crypto.createCipheriv(name, key, new Uint8Array(block)).final()
    return {
      encrypt: async (iv, bytes) => {
        const cipher = crypto.createCipheriv(name, key, iv)
        return concat([cipher.update(bytes), cipher.final()])
      },
      decrypt: (iv, bytes) =>
        undefinedIfItFails(() => {
          const decipher = crypto.createDecipheriv(name, key, iv)
          return concat([decipher.update(bytes), decipher.final()])
        })
    }
  } catch {
    return undefined
  }
}

export const randomIv = (): Bytes => globalThis.crypto.getRandomValues(new Uint8Array(block))
