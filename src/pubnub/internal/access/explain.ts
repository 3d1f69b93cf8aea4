/** Says what a token allows, without the service. */
import * as DateTime from "effect/DateTime"
import * as Text from "../../../internal/text.ts"
import type { AccessExplanation } from "../../AccessExplanation.ts"
import type { AccessToken, Right } from "../../AccessToken.ts"
import type { Need } from "./needs.ts"
import * as Pattern from "./pattern.ts"

/** The first reason why a token does not allow all of these rights. */
export const explain = (
  token: AccessToken,
  { needs, now, user }: { readonly needs: ReadonlyArray<Need>; readonly now: number; readonly user: string | undefined }
): AccessExplanation => {
  const at = DateTime.toEpochMillis(token.expires)
  if (now >= at) {
    const message = `The token expired at ${DateTime.formatIso(token.expires)}. Get a new one.`
    return { _tag: "Expired", at, message }
  }
  if (token.user !== undefined && user !== undefined && token.user !== user) {
    return {
      _tag: "WrongUser",
      user: told(token.user),
      caller: told(user),
      message: `Only the user ${Text.quoted(token.user)} may use the token, and this is ${Text.quoted(user)}. ` +
        "Set userId of PubNubConfig, or grant a token to this user."
    }
  }
  const budget = Pattern.budget()
  for (const need of needs) {
    const refusal = explainOne(token, need, budget)
    if (refusal !== undefined) return refusal
  }
  return {
    _tag: "Allowed",
    message: "The token allows it. If the service does not, the token was revoked, or belongs to another keyset."
  }
}

/** The right that a token needs to list all channels or users of a keyset that disallows it. */
export const explainList = (
  { categories }: AccessToken,
  kind: "channel" | "user"
): Extract<AccessExplanation, { readonly _tag: "MissingCategory" }> | undefined =>
  categories[plurals[kind]].includes("get") ? undefined : {
    _tag: "MissingCategory",
    kind,
    right: "get",
    message: `The keyset disallows to list all ${plurals[kind]}, and the token has no get on all of them. ` +
      `Grant get to ${plurals[kind]} under categories.`
  }

// Names of a token are foreign text, of any length.
const told = (name: string) => Text.harmless(Text.bounded(name))

const plurals = { channel: "channels", group: "groups", user: "users" } as const

const explainOne = (
  { categories, patterns, resources }: AccessToken,
  need: Need,
  budget: Pattern.Budget
): AccessExplanation | undefined => {
  const { kind, name, right } = need
  const missing = { ...need, name: told(name) }
  const names = resources[plurals[kind]]
  const all = kind === "group" ? [] : categories[plurals[kind]]
  const rights = new Set<Right>([...names.get(name) ?? [], ...all])
  const thing = `the ${kind} ${Text.quoted(name)}`
  let isKnown = names.has(name)
  let doubtful: string | undefined
  for (const [pattern, given] of patterns[plurals[kind]]) {
    if (rights.has(right)) break
    const found = Pattern.isFoundBy(pattern, name, budget)
    if (found === undefined) {
      if (given.includes(right)) doubtful = pattern
    } else if (found) {
      isKnown = true
      for (const each of given) rights.add(each)
    }
  }
  if (rights.has(right)) return undefined
  if (doubtful !== undefined) {
    const message = `Whether the pattern ${
      Text.quoted(doubtful)
    } of the token matches ${thing} only the service can say.`
    return { _tag: "Undetermined", ...missing, pattern: told(doubtful), message }
  }
  if (isKnown) {
    const message = `The token has ${list([...rights])} on ${thing}, but not ${right}. Grant ${right}, too.`
    return { _tag: "MissingRight", ...missing, rights: [...rights], message }
  }
  const resource = [...names].find(([wildcard, rights]) => rights.includes(right) && isMeant(wildcard, name))?.[0]
  if (resource !== undefined) {
    const message = `The token has the ${kind} ${Text.quoted(resource)}, whose * means nothing in a name. ` +
      `Grant ${right} to the pattern ${Text.quoted(patternOf(resource))} instead.`
    return { _tag: "WildcardAsResource", ...missing, resource: told(resource), message }
  }
  const message = `The token says nothing about ${thing}. Grant ${right} on it.`
  return { _tag: "NoSuchResource", ...missing, message }
}

const list = (rights: ReadonlyArray<Right>) => rights.length === 0 ? "no right" : rights.join(", ")

/** Whether the author of a name with an asterisk can have meant this name. */
const isMeant = (wildcard: string, name: string): boolean => {
  const [start = "", ...rest] = wildcard.split("*")
  return rest.length > 0 && name.startsWith(start) && name.endsWith(rest.at(-1) ?? "")
}

/** The pattern that a name with an asterisk was meant to be. */
export const patternOf = (wildcard: string): string =>
  `^${wildcard.replaceAll(/[\\^$.+?()[\]{}|]/g, "\\$&").replaceAll("*", ".*")}$`
