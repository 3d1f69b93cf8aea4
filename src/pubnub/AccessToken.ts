/**
 * What an access token says: what its bearer may do, until when, and as which user. {@link parse} reads it without the network.
 * Nothing in it proves that the service made it: only the service can check its signature.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Failure from "../internal/failure.ts"
import * as Secret from "../internal/secret.ts"
import * as Text from "../internal/text.ts"
import * as Bits from "./internal/access/bits.ts"
import * as Cbor from "./internal/access/cbor.ts"

/**
 * A right. `"create"` is only for DataSync, and `Access.grant` does not give it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Right = Schema.Literals(["read", "write", "manage", "delete", "create", "get", "update", "join"])

/**
 * @category models
 * @since 0.1.0
 */
export type Right = typeof Right.Type

const Names = Schema.ReadonlyMap(Schema.String, Schema.Array(Right))

/**
 * The rights by name, or by pattern, for each kind of thing that a right is on.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Permissions = Schema.Struct({
  /** Rights on channels. The presence of a channel has a name of its own, `room-pnpres`. */
  channels: Names,
  /** Rights on channel groups. */
  groups: Names,
  /** Rights on the metadata of users. */
  users: Names,
  /** Rights on kinds that this version does not know, by their names in the token: `datasync:entities`. */
  others: Schema.ReadonlyMap(Schema.String, Names)
})

/**
 * @category models
 * @since 0.1.0
 */
export type Permissions = typeof Permissions.Type

/**
 * The content of an access token.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AccessToken = Schema.Struct({
  /** The version of the format: 2. */
  version: Schema.Int,
  /** When it was granted, by the service's clock, to the second. */
  granted: Schema.DateTimeUtc,
  /** How long it lasts, in whole minutes. */
  ttl: Schema.Duration,
  /** When it expires: `granted` and `ttl`. */
  expires: Schema.DateTimeUtc,
  /** The only user that may use it. Absent: any user may. */
  user: Schema.optionalKey(Schema.String),
  /** Rights by name. */
  resources: Permissions,
  /** Rights by pattern: a regular expression that is found anywhere in the name. */
  patterns: Permissions,
  /** Rights over all things of a kind. */
  categories: Schema.Struct({
    /** Rights over all channels. */
    channels: Schema.Array(Right),
    /** Rights over all users. */
    users: Schema.Array(Right)
  }),
  /** What the application put into it. Integers of more than 2^53 are text here. */
  meta: Schema.Record(Schema.String, Schema.Json)
})

/**
 * @category models
 * @since 0.1.0
 */
export type AccessToken = typeof AccessToken.Type

/**
 * The text is no access token.
 *
 * - `NotText`: it is no redacted text.
 * - `TooLarge`: it has more than 65,536 characters.
 * - `NotBase64`, `NotCbor`: it is damaged, or something else, such as a JSON Web Token.
 * - `BytesLeftOver`: it is a token, and something behind it.
 * - `NoVersion`, `UnknownVersion`: it is of another format. Known is version 2.
 * - `WrongField`: a field is missing, or is not what it should be.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidToken extends Failure.TaggedError<InvalidToken>("pubnub")("InvalidToken", {
  /** What is wrong with it. */
  problem: Schema.Literals([
    "NotText",
    "TooLarge",
    "NotBase64",
    "NotCbor",
    "BytesLeftOver",
    "NoVersion",
    "UnknownVersion",
    "WrongField"
  ]),
  /** The same in words. They hold no part of the token. */
  description: Schema.String,
  /** The byte where reading ended, if there is one. */
  offset: Schema.optionalKey(Schema.Int)
}, {
  message: ({ description, offset }) =>
    `This is not an access token: ${Text.clause(description)}${offset === undefined ? "" : ` (byte ${offset})`}. ` +
    "Pass the whole text that Access.grant gave."
}) {}

/** More characters than an address has room for. */
const mostCharacters = 65_536

/**
 * Reads an access token. It takes both alphabets of base64, with or without padding. Sections that are missing are empty, and
 * sections that this version does not know are left out.
 *
 * **Example** (When a token expires)
 *
 * ```ts
 * import * as Result from "effect/Result"
 * import type * as Redacted from "effect/Redacted"
 * import * as AccessToken from "effect-herald/pubnub/AccessToken"
 *
 * const expires = (token: Redacted.Redacted) => Result.map(AccessToken.parse(token), ({ expires }) => expires)
 * ```
 *
 * @category conversions
 * @since 0.1.0
 */
export const parse = (token: Redacted.Redacted): Result.Result<AccessToken, InvalidToken> => {
  const text = Secret.textOf(token)
  if (text === undefined) return invalid("NotText", "it is not a Redacted string")
  if (text.length > mostCharacters) {
    return invalid("TooLarge", `it has ${text.length} characters, and ${mostCharacters} are the most`)
  }
  const bytes = bytesOf(text)
  if (bytes === undefined) return invalid("NotBase64", "it is not base64")
  const item = Cbor.decode(bytes)
  if (Result.isFailure(item)) return invalid("NotCbor", `it has ${item.failure.description}`, item.failure.offset)
  const { end, value } = item.success
  if (end < bytes.length) return invalid("BytesLeftOver", `there are ${bytes.length - end} bytes behind its end`, end)
  return value instanceof Map ? content(value) : invalid("WrongField", "it is no map")
}

const invalid = (
  problem: InvalidToken["problem"],
  description: string,
  offset?: number
): Result.Result<never, InvalidToken> =>
  Result.fail(new InvalidToken({ problem, description, ...offset === undefined ? {} : { offset } }))

const base64 = /^[\w+/-]+={0,2}$/

const bytesOf = (text: string): Uint8Array | undefined => {
  const unpadded = text.replace(/={1,2}$/, "")
  if (!base64.test(text) || unpadded.length % 4 === 1) return undefined
  const binary = globalThis.atob(unpadded.replaceAll("-", "+").replaceAll("_", "/"))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}

type Section = ReadonlyMap<string, Cbor.Value>

const isSection = (value: Cbor.Value | undefined): value is Section => value instanceof Map

const none: Section = new Map()

const content = (fields: Section): Result.Result<AccessToken, InvalidToken> => {
  const version = fields.get("v")
  if (version === undefined) return invalid("NoVersion", "it has no version")
  if (version !== 2) {
    return invalid(
      "UnknownVersion",
      typeof version === "number" ? `its version is ${version}, not 2` : "its version is no number"
    )
  }
  const [seconds, minutes, user] = [fields.get("t"), fields.get("ttl"), fields.get("uuid")]
  if (!isCount(seconds) || seconds > latest) return wrong("t", "a time in seconds")
  if (!isCount(minutes) || minutes > latest / 60) return wrong("ttl", "a number of minutes")
  const name = user instanceof Uint8Array ? new TextDecoder().decode(user) : user
  if (name !== undefined && typeof name !== "string") return wrong("uuid", "text")
  const sections = ["res", "pat", "cat", "meta"].map((name) => fields.get(name) ?? none)
  if (!sections.every(isSection)) return wrong("a section", "a map")
  const [resources = none, patterns = none, categories = none, meta = none] = sections
  const permissions = [resources, patterns].map(permissionsOf)
  const [byName, byPattern] = permissions
  const [channels, users] = [categories.get("chan") ?? 0, categories.get("uuid") ?? 0]
  if (byName === undefined) return wrong("res", "names with numbers")
  if (byPattern === undefined) return wrong("pat", "names with numbers")
  if (!isCount(channels) || !isCount(users)) return wrong("cat", "numbers")
  const granted = DateTime.makeUnsafe(seconds * 1_000)
  return Result.succeed({
    version,
    granted,
    ttl: Duration.minutes(minutes),
    expires: DateTime.add(granted, { minutes }),
    ...name === undefined ? {} : { user: name },
    resources: byName,
    patterns: byPattern,
    categories: { channels: Bits.rightsOf(channels), users: Bits.rightsOf(users) },
    meta: jsonObject(meta)
  })
}

/** The year 9999. */
const latest = 253_402_300_799

const isCount = (value: Cbor.Value | undefined): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0

const wrong = (field: string, what: string) => invalid("WrongField", `${field} is not ${what}`)

const kinds: ReadonlyArray<readonly ["channels" | "groups" | "users", string]> = [
  ["channels", "chan"],
  ["groups", "grp"],
  ["users", "uuid"]
]

const permissionsOf = (section: Section): Permissions | undefined => {
  const known = { channels: new Map(), groups: new Map(), users: new Map() }
  const others = new Map<string, ReadonlyMap<string, ReadonlyArray<Right>>>()
  for (const [wire, names] of section) {
    const kind = kinds.find(([, name]) => name === wire)?.[0]
    const rights = namesOf(names)
    if (kind !== undefined) {
      if (rights === undefined) return undefined
      known[kind] = rights
    } else if (rights !== undefined && rights.size > 0) others.set(wire, rights)
  }
  return { ...known, others }
}

const namesOf = (names: Cbor.Value): Map<string, ReadonlyArray<Right>> | undefined => {
  if (!isSection(names)) return undefined
  const rights = new Map<string, ReadonlyArray<Right>>()
  for (const [name, bits] of names) {
    if (!isCount(bits)) return undefined
    rights.set(name, Bits.rightsOf(bits))
  }
  return rights
}

const jsonObject = (section: Section): { readonly [key: string]: Schema.Json } =>
  Object.fromEntries(Array.from(section, ([key, value]) => [key, json(value)]))

const json = (value: Cbor.Value): Schema.Json => {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (isSection(value)) return jsonObject(value)
  if (isList(value)) return value.map(json)
  switch (typeof value) {
    case "bigint":
      return String(value)
    case "number":
      return Number.isFinite(value) ? value : null
    default:
      return value
  }
}

const isList = (value: Cbor.Value): value is ReadonlyArray<Cbor.Value> => Array.isArray(value)
