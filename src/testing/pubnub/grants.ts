/** Access Manager: tokens are granted and checked, as under `/v3/pam`. */
import * as Predicate from "effect/Predicate"
import type { Answer } from "../server/message.ts"
import * as tokens from "./accessToken.ts"
import * as answers from "./answers.ts"
import * as rights from "./rights.ts"

/** The most tokens to remember. The oldest go first. */
const mostTokens = 100_000

const secondsOf = (now: bigint) => Number(now / 10_000_000n)

const mostMinutes = 43_200

const masksOf = (names: unknown): tokens.Masks =>
  new Map(
    Predicate.isObject(names)
      ? Object.entries(names).flatMap(([name, mask]) =>
        Number.isSafeInteger(mask) ? [[name, Number(mask)] as const] : []
      )
      : []
  )

const permissionsOf = (kinds: unknown): tokens.Permissions => {
  const { channels, groups, uuids } = Predicate.isObject(kinds) ? kinds : {}
  return { channels: masksOf(channels), groups: masksOf(groups), uuids: masksOf(uuids) }
}

const isEmpty = ({ channels, groups, uuids }: tokens.Permissions) => channels.size + groups.size + uuids.size === 0

/** The most quantifiers in a pattern of a request. */
const mostQuantifiers = 4

/**
 * Whether a pattern may take very long: it is tried on each name, and whoever sends it is not trusted. Without quantifiers inside
 * quantified groups, and with few of them, the time is a small power of the length of a name.
 */
const isSlow = (pattern: string): boolean => {
  const plain = pattern
    .replace(/\\(?:[pPu]\{[^}]*\}|[^])/g, (escape) => /^\\[\dk]/.test(escape) ? "\\1" : "x")
    .replace(/\[[^\]]*\]/g, "x")
  const quantifiers = plain.match(/(?<!\()[*+?{]\??/g) ?? []
  return pattern.length > 1_000 || quantifiers.length > mostQuantifiers || /\)[*+{]/.test(plain) ||
    plain.includes("\\1")
}

const expressionOf = (pattern: string): RegExp | undefined => {
  try {
    return new RegExp(pattern, "u")
  } catch {
    return undefined
  }
}

/** Whether JavaScript does not know a pattern, or reads a class such as `[[:alpha:]]` as other characters. */
const isForeign = (pattern: string): boolean => /\[:\^?\w+:\]/.test(pattern) || expressionOf(pattern) === undefined

/** The rights on a name: those by name, by pattern and by category together. */
const maskOf = ({ categories, patterns, resources }: tokens.Content, kind: rights.Kind, name: string): number => {
  let mask = (resources[kind].get(name) ?? 0) | (categories.get(kind) ?? 0)
  for (const [pattern, more] of patterns[kind]) if (expressionOf(pattern)?.test(name) === true) mask |= more
  return mask
}

/** A token as maps have it, whatever its alphabet and padding. Any other text stays as it is. */
export const normal = (token: string) =>
  tokens.isLike(token) ? token.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "") : token

/** What is wrong with a token, besides that it was revoked. */
export type Fault = "expired" | "unknown" | "of another user"

export const make = () => {
  const granted = new Map<string, tokens.Content>()

  const contentOf = (token: string) => granted.get(normal(token))

  const hasExpired = ({ timestamp, ttl }: tokens.Content, now: bigint) => secondsOf(now) >= timestamp + ttl * 60

  const grant = (content: Omit<tokens.Content, "timestamp">, now: bigint): string => {
    const whole = { ...content, timestamp: secondsOf(now) }
    const token = tokens.write(whole)
    granted.set(normal(token), whole)
    for (const oldest of granted.keys()) {
      if (granted.size <= mostTokens) break
      granted.delete(oldest)
    }
    return token
  }

  return {
    grant,
    /** Text that is nothing like a token has no fault: it permits everything. */
    faultOf: (token: string, uuid: string, now: bigint): Fault | undefined => {
      const content = contentOf(token)
      if (content === undefined) return tokens.isLike(token) ? "unknown" : undefined
      if (hasExpired(content, now)) return "expired"
      return content.uuid === undefined || content.uuid === uuid ? undefined : "of another user"
    },
    /** Whether a token allows an operation on a name. */
    allows: (token: string, operation: rights.Operation, kind: rights.Kind, name: string): boolean => {
      const content = contentOf(token)
      if (content === undefined) return true
      const bit = rights.bitOf(operation, kind)
      return (maskOf(content, kind, name) & bit) === bit
    },
    /** Whether a token lets a user list all channels or users of a keyset that disallows it. */
    allowsList: (token: string, kind: "channels" | "uuids"): boolean => {
      const content = contentOf(token)
      if (content === undefined) return token !== ""
      return ((content.categories.get(kind) ?? 0) & rights.bits.get) !== 0
    },
    /** `POST …/grant` */
    answer: (request: unknown, now: bigint): Answer => {
      if (!Predicate.isObject(request)) {
        return answers.badGrant("Invalid JSON", "Request payload must be in JSON format.", "body")
      }
      const { permissions, ttl } = request
      if (!Number.isSafeInteger(ttl) || Number(ttl) < 1 || Number(ttl) > mostMinutes) {
        return answers.badGrant("Invalid ttl", `Range should be 1 to ${mostMinutes} minute(s).`, "ttl")
      }
      const asked = Predicate.isObject(permissions) ? permissions : {}
      const [resources, patterns] = [permissionsOf(asked["resources"]), permissionsOf(asked["patterns"])]
      const isRefused = [...patterns.channels.keys(), ...patterns.groups.keys(), ...patterns.uuids.keys()]
        .some((pattern) => isSlow(pattern) || isForeign(pattern))
      if (isRefused) {
        const detail =
          `The emulator takes patterns of 1000 characters with ${mostQuantifiers} quantifiers, at most ? after a ` +
          "group, and nothing that JavaScript does not know."
        return answers.badGrant("Invalid pattern", detail, "permissions.patterns")
      }
      const categories = masksOf(asked["categories"])
      if (isEmpty(resources) && isEmpty(patterns) && categories.size === 0) {
        return answers.badGrant("This grant contains no permissions", "What are you granting?", "permissions")
      }
      const { meta, uuid } = asked
      const content = {
        ttl: Number(ttl),
        uuid: Predicate.isString(uuid) ? uuid : undefined,
        resources,
        patterns,
        categories,
        meta: Predicate.isObject(meta) ? meta : {}
      }
      return answers.granted(grant(content, now))
    },
    /** Why a token cannot be revoked, if it cannot. */
    irrevocable: (token: string, now: bigint, isExpired: boolean): Answer | undefined => {
      const content = contentOf(token)
      return content === undefined
        ? answers.badRevoke("Token is invalid.")
        : isExpired || hasExpired(content, now)
        ? answers.badRevoke("Token is expired.")
        : undefined
    }
  }
}
