/**
 * Reads CBOR (RFC 8949) as far as access tokens use it: definite lengths, no tags. The bytes are foreign, so depth and lengths are
 * checked before anything is built.
 */
import * as Result from "effect/Result"

/** A value. Keys of maps are text: byte strings are read as UTF-8, and numbers as their digits. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | ReadonlyArray<Value>
  | ReadonlyMap<string, Value>

/** What is wrong, and at which byte. */
export interface Problem {
  readonly offset: number
  readonly description: string
}

/** A value, and where it ends. */
export interface Item {
  readonly value: Value
  readonly end: number
}

const mostLevels = 32

/** Reads the first value of the bytes. */
export const decode = (bytes: Uint8Array): Result.Result<Item, Problem> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 0
  // After a problem every step gives null and does not move.
  let problem: Problem | undefined

  const fail = (description: string, at = offset): null => {
    problem ??= { offset: at, description }
    return null
  }

  const take = (size: number): number | undefined => {
    if (problem !== undefined) return undefined
    if (size > bytes.length - offset) {
      fail(`${size} bytes are missing`, bytes.length)
      return undefined
    }
    offset += size
    return offset - size
  }

  /** The number in the head of an item: a length, an integer, or the bits of a float. */
  const argument = (info: number): number | bigint => {
    if (info < 24) return info
    if (info > 27) {
      fail(info === 31 ? "a length that is not definite" : "a head of an unknown form", offset - 1)
      return 0
    }
    const at = take(1 << (info - 24))
    if (at === undefined) return 0
    if (info === 24) return view.getUint8(at)
    if (info === 25) return view.getUint16(at)
    if (info === 26) return view.getUint32(at)
    const wide = view.getBigUint64(at)
    return wide <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(wide) : wide
  }

  const negative = (argument: number | bigint) =>
    typeof argument === "number" && Number.isSafeInteger(-1 - argument) ? -1 - argument : -1n - BigInt(argument)

  const chunk = (size: number | bigint): Uint8Array => {
    const at = take(Number(size))
    return at === undefined ? new Uint8Array() : bytes.subarray(at, offset)
  }

  const text = (chunk: Uint8Array): string => {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(chunk)
    } catch {
      fail("text that is not UTF-8", offset - chunk.length)
      return ""
    }
  }

  const list = (size: number | bigint, level: number): ReadonlyArray<Value> => {
    const items: Array<Value> = []
    while (items.length < size && problem === undefined) items.push(item(level))
    return items
  }

  const map = (size: number | bigint, level: number): ReadonlyMap<string, Value> => {
    const entries = new Map<string, Value>()
    for (let read = 0; read < size && problem === undefined; read++) {
      const at = offset
      const key = item(level)
      const name = key instanceof Uint8Array ? text(key) : typeof key === "object" ? undefined : String(key)
      if (name === undefined) fail("a key that is neither text nor bytes", at)
      else entries.set(name, item(level))
    }
    return entries
  }

  const simple = (info: number): Value => {
    if (info === 20 || info === 21) return info === 21
    // "null" and "undefined"
    if (info === 22 || info === 23) return null
    if (info < 25 || info > 27) return fail("a value of an unknown kind", offset - 1)
    const at = take(1 << (info - 24))
    return at === undefined ? null : info === 25 ? half(view.getUint16(at)) : info === 26
      ? view.getFloat32(at)
      : view.getFloat64(at)
  }

  const item = (level: number): Value => {
    if (level === mostLevels) return fail(`more than ${mostLevels} levels`)
    const at = take(1)
    if (at === undefined) return null
    const head = view.getUint8(at)
    const major = head >> 5
    if (major === 7) return simple(head & 31)
    const size = argument(head & 31)
    switch (major) {
      case 0:
        return size
      case 1:
        return negative(size)
      case 2:
        return chunk(size)
      case 3:
        return text(chunk(size))
      case 4:
        return list(size, level + 1)
      case 5:
        return map(size, level + 1)
      default:
        return fail("a tag", at)
    }
  }

  const value = item(0)
  return problem === undefined
    ? Result.succeed({ value, end: offset })
    : Result.fail(problem)
}

/** A float of two bytes. */
const half = (bits: number): number => {
  const sign = bits >> 15 === 0 ? 1 : -1
  const exponent = bits >> 10 & 31
  const fraction = bits & 1023
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
}
