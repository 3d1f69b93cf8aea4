/**
 * The formats of encrypted bytes. Headed: "PNED", a version, who encrypted, the length of the initialization vector, the vector,
 * the ciphertext. Legacy: the vector and the ciphertext, or only the ciphertext where the vector is always the same.
 */
import { block } from "./aes.ts"
import { type Bytes, concat } from "./bytes.ts"

/** What the bytes are. */
export type Format =
  | { readonly _tag: "Headed"; readonly iv: Bytes; readonly start: number }
  /** No header. */
  | { readonly _tag: "Legacy" }
  /** A header that nobody here can read. */
  | { readonly _tag: "Unknown"; readonly issue: string }

const magic = [0x50, 0x4e, 0x45, 0x44]
const acrh = [0x41, 0x43, 0x52, 0x48]
const version = 1

/** The bytes of a header as it is written. */
export const headerSize = 10 + block

/** The longest header that is read: its length takes three bytes. No legacy data is as short. */
export const longestHeader = headerSize + 2

/** Where the bytes of the length begin. */
const lengthAt = 9

const hasAt = (bytes: Bytes, at: number, wanted: ReadonlyArray<number>): boolean =>
  wanted.every((byte, index) => bytes[at + index] === byte)

/** Reads the format from the first bytes. */
export const read = (bytes: Bytes): Format => {
  if (!hasAt(bytes, 0, magic)) return { _tag: "Legacy" }
  const unknown = (issue: string): Format => ({ _tag: "Unknown", issue })
  const short = unknown("its header is cut")
  if (bytes.length <= lengthAt) return short
  if (bytes[4] !== version) return unknown(`its header has version ${bytes[4]}, and only ${version} is known`)
  if (!hasAt(bytes, 5, acrh)) return unknown("its header names a cipher that is not known")
  const isLong = bytes[lengthAt] === 255
  const start = isLong ? lengthAt + 3 : lengthAt + 1
  if (bytes.length < start) return short
  const length = isLong ? (bytes[lengthAt + 1] ?? 0) * 256 + (bytes[lengthAt + 2] ?? 0) : bytes[lengthAt]
  if (length !== block) return unknown(`its initialization vector has ${length} bytes, not ${block}`)
  return bytes.length < start + block
    ? short
    : { _tag: "Headed", iv: bytes.subarray(start, start + block), start: start + block }
}

/** What a header has before the vector. */
const beforeIv = /* @__PURE__ */ new Uint8Array([...magic, version, ...acrh, block])

/** The beginning of a ciphertext with its header. */
export const headed = (iv: Bytes, ciphertext: Bytes): Bytes => concat([beforeIv, iv, ciphertext])
