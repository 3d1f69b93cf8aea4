/**
 * Access tokens as the service writes them: URL-safe base64 of CBOR, with byte strings for the names of its own fields and text for
 * those of users.
 */
import * as Predicate from "effect/Predicate"

/** The names of one kind, each with the bits of its rights. */
export type Masks = ReadonlyMap<string, number>

/** Rights by name or by pattern. */
export interface Permissions {
  readonly channels: Masks
  readonly groups: Masks
  readonly uuids: Masks
}

/** What a token says. */
export interface Content {
  /** Whole seconds. */
  readonly timestamp: number
  /** Whole minutes. */
  readonly ttl: number
  readonly uuid: string | undefined
  readonly resources: Permissions
  readonly patterns: Permissions
  readonly categories: Masks
  readonly meta: object
}

// --------------------------------------------------------------------------------------------------------------------
// CBOR
// --------------------------------------------------------------------------------------------------------------------

type Bytes = ReadonlyArray<number>

const utf8 = new TextEncoder()

/** The kind of an item and its length or value, in the shortest form. */
const head = (kind: number, value: number): Bytes => {
  if (value < 24) return [kind << 5 | value]
  const size = value < 2 ** 8 ? 1 : value < 2 ** 16 ? 2 : value < 2 ** 32 ? 4 : 8
  const bytes = Array.from({ length: size }, (_, index) => Math.floor(value / 256 ** (size - 1 - index)) % 256)
  return [kind << 5 | 24 + Math.log2(size), ...bytes]
}

const sized = (kind: number, content: Iterable<number>): Bytes => {
  const bytes = [...content]
  return [...head(kind, bytes.length), ...bytes]
}

const bytes = (text: string) => sized(2, utf8.encode(text))
const text = (text: string) => sized(3, utf8.encode(text))

const map = (pairs: ReadonlyArray<readonly [Bytes, Bytes]>): Bytes => [...head(5, pairs.length), ...pairs.flat(2)]

const number = (value: number): Bytes =>
  Number.isSafeInteger(value)
    ? value < 0 ? head(1, -1 - value) : head(0, value)
    : [0xfb, ...new Uint8Array(new Float64Array([value]).buffer).reverse()]

const json = (value: unknown): Bytes =>
  Predicate.isString(value)
    ? text(value)
    : Predicate.isNumber(value)
    ? number(value)
    : Predicate.isBoolean(value)
    ? [value ? 0xf5 : 0xf4]
    : Array.isArray(value)
    ? [...head(4, value.length), ...value.flatMap(json)]
    : Predicate.isObject(value)
    ? map(Object.entries(value).map(([key, inner]) => [text(key), json(inner)]))
    : [0xf6]

// --------------------------------------------------------------------------------------------------------------------
// tokens
// --------------------------------------------------------------------------------------------------------------------

const masks = (names: Masks): Bytes => map([...names].map(([name, mask]) => [text(name), number(mask)]))

/** The service has two kinds more, which nobody uses. */
const permissions = ({ channels, groups, uuids }: Permissions): Bytes =>
  map([
    [bytes("chan"), masks(channels)],
    [bytes("grp"), masks(groups)],
    [bytes("spc"), masks(new Map())],
    [bytes("usr"), masks(new Map())],
    [bytes("uuid"), masks(uuids)]
  ])

const categoryNames: ReadonlyMap<string, string> = new Map([["channels", "chan"], ["uuids", "uuid"]])

/** The token of a content. Its signature is no cryptography: the emulator knows the tokens that it made. */
export const write = (content: Content): string => {
  const { categories, meta, patterns, resources, timestamp, ttl, uuid } = content
  const fields: ReadonlyArray<readonly [Bytes, Bytes]> = [
    [bytes("v"), number(2)],
    [bytes("t"), number(timestamp)],
    [bytes("ttl"), number(ttl)],
    [bytes("res"), permissions(resources)],
    [bytes("pat"), permissions(patterns)],
    ...categories.size === 0
      ? []
      : [[
        bytes("cat"),
        map([...categories].map(([kind, mask]) => [bytes(categoryNames.get(kind) ?? kind), number(mask)]))
      ]] as const,
    [bytes("meta"), json(meta)],
    ...uuid === undefined ? [] : [[bytes("uuid"), text(uuid)]] as const
  ]
  const signature = sized(2, checksum(fields.flat(2)))
  const token = map([...fields, [bytes("sig"), signature]])
  const binary = Array.from(token, (byte) => String.fromCharCode(byte)).join("")
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_")
}

/** 32 bytes that depend on all of the content (FNV-1a, with a seed for each four bytes). */
const checksum = (content: Bytes): Bytes =>
  Array.from({ length: 8 }, (_, seed) => {
    let hash = 0x811c9dc5 ^ seed
    for (const byte of content) hash = Math.imul(hash ^ byte, 0x01000193)
    return [hash >>> 24, hash >>> 16 & 255, hash >>> 8 & 255, hash & 255]
  }).flat()

/** Whether a text begins as every token of the service does: a map of seven to nine fields, `v` with 2, and `t`. */
export const isLike = (text: string): boolean => /^(p0|qE|qU)F2AkF0/.test(text)
