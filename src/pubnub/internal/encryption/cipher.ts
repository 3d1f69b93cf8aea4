/**
 * Encrypts and decrypts whole messages. All that can be wrong with a ciphertext has one result, so that nobody learns from it
 * what was wrong: the padding, the text or the key.
 */
import type * as Schema from "effect/Schema"
import * as Result from "effect/Result"
import * as Json from "../../../internal/json.ts"
import { block, randomIv } from "./aes.ts"
import { type Bytes, concat } from "./bytes.ts"
import * as Format from "./format.ts"
import type { Keys } from "./keys.ts"

/** Which data without a header is read. `"static"`: with the vector that is always the same, or else with a random one. */
export type Legacy = "random" | "static" | "none"

const utf8 = new TextEncoder()

const strictUtf8 = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

const staticIv: Bytes = /* @__PURE__ */ utf8.encode("0123456789012345")

/** Encrypts a text. */
export const seal = async (
  { headed, legacy }: Keys,
  text: string,
  written: "headed" | Exclude<Legacy, "none">,
  iv = randomIv()
): Promise<Bytes> => {
  const bytes = utf8.encode(text)
  if (written === "static") return legacy.encrypt(staticIv, bytes)
  return written === "random"
    ? concat([iv, await legacy.encrypt(iv, bytes)])
    : Format.headed(iv, await headed.encrypt(iv, bytes))
}

type Attempt = (keys: Keys) => Promise<Bytes | undefined>

/** Data that may be a ciphertext: the ways to decrypt it, and what is wrong with it if none does. */
export interface Sealed {
  readonly attempts: ReadonlyArray<Attempt>
  readonly issue: string
}

/** The issue of every ciphertext whose shape is right. */
const undecryptable = "it is encrypted, and none of the keys decrypts it"

/** Undefined if the bytes can be no ciphertext. */
export const read = (bytes: Bytes, legacy: Legacy): Sealed | undefined => {
  const format = Format.read(bytes)
  if (format._tag === "Headed") {
    const data = bytes.subarray(format.start)
    return isWhole(data)
      ? { attempts: [({ headed }) => headed.decrypt(format.iv, data)], issue: undecryptable }
      : { attempts: [], issue: "it is encrypted, and cut" }
  }
  const attempts = attemptsOf(bytes, legacy)
  // Legacy data begins like a header once in 2^32.
  if (format._tag === "Unknown") return { attempts, issue: `it is encrypted, and ${format.issue}` }
  return attempts.length === 0 ? undefined : { attempts, issue: undecryptable }
}

const attemptsOf = (bytes: Bytes, legacy: Legacy): ReadonlyArray<Attempt> => {
  if (legacy === "none" || !isWhole(bytes)) return []
  const random: ReadonlyArray<Attempt> = bytes.length < 2 * block
    ? []
    : [({ legacy }) => legacy.decrypt(bytes.subarray(0, block), bytes.subarray(block))]
  // With the wrong vector, random data begins with 16 random bytes, which are no JSON. Static data loses its first 16 bytes and
  // may still be JSON, so it comes first.
  return legacy === "random" ? random : [({ legacy }) => legacy.decrypt(staticIv, bytes), ...random]
}

const isWhole = ({ length }: Bytes): boolean => length >= block && length % block === 0

/** Decrypts JSON with the first key that can. Undefined if none can: `null` is JSON. */
export const open = async (
  keys: ReadonlyArray<Keys>,
  { attempts }: Sealed
): Promise<Schema.Json | undefined> => {
  for (const one of keys) {
    for (const attempt of attempts) {
      const bytes = await attempt(one)
      const json = bytes === undefined ? undefined : jsonOf(bytes)
      if (json !== undefined) return json
    }
  }
  return undefined
}

const jsonOf = (bytes: Bytes): Schema.Json | undefined => {
  try {
    return Result.getOrUndefined(Json.parse(strictUtf8.decode(bytes)))
  } catch {
    return undefined
  }
}
