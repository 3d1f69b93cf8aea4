/**
 * Names of channels and channel groups: which are valid, which are patterns, which carry presence.
 *
 * @since 0.1.0
 */
import * as Input from "../internal/input.ts"

const longest = 2048
const suffix = "-pnpres"

/**
 * What is wrong with the name of one channel or one group, or `undefined` if it may be used. Spaces, `#`, `/`, `%`
 * and any script are fine; commas, control characters, wildcards, dot segments and more than 2,048 characters are not.
 *
 * **Example** (Checking a name that a user typed)
 *
 * ```ts
 * import * as ChannelName from "effect-herald/pubnub/ChannelName"
 *
 * ChannelName.issue("room #1") // undefined
 * ChannelName.issue("a,b") // "holds a comma"
 * ```
 *
 * @category predicates
 * @since 0.1.0
 */
export const issue = (name: unknown): string | undefined =>
  typeof name !== "string"
    ? Input.text(name)
    : name.length > longest
    ? `is longer than ${longest} characters`
    : name.includes(",")
    ? "holds a comma"
    // oxlint-disable-next-line no-control-regex
    : /[\u0000-\u001f\u007f]/.test(name)
    ? "holds a control character"
    : name.includes("*")
    ? "holds an asterisk, which only a subscription may have, as its last segment"
    : Input.segment(name)

/**
 * What is wrong with a name to subscribe to, or `undefined`. Beside plain names it may be a wildcard, `a.*` or
 * `a.b.*`, and either may have the presence suffix.
 *
 * @category predicates
 * @since 0.1.0
 */
export const subscriptionIssue = (name: unknown): string | undefined => {
  if (typeof name !== "string") return Input.text(name)
  const base = withoutPresence(name)
  if (base === "") return "is empty"
  if (!base.includes("*")) return issue(base)
  return isWildcard(base)
    ? issue(base.slice(0, -1))
    : "holds an asterisk that is not the last of two or three segments (a.* and a.b.* are valid)"
}

/**
 * Whether a name is a pattern for many channels: `a.*` or `a.b.*`.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWildcard = (name: string): boolean => typeof name === "string" && /^[^.*]+(\.[^.*]+)?\.\*$/.test(name)

/**
 * Whether a name carries joins and leaves rather than messages.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPresence = (name: string): boolean => typeof name === "string" && name.endsWith(suffix)

/**
 * The name on which the joins and leaves of a channel, a group or a wildcard travel.
 *
 * @category conversions
 * @since 0.1.0
 */
export const presenceOf = (name: string): string => typeof name !== "string" || isPresence(name) ? name : name + suffix

/**
 * The channel, group or wildcard of a presence name; other names as they are.
 *
 * @category conversions
 * @since 0.1.0
 */
export const withoutPresence = (name: string): string => isPresence(name) ? name.slice(0, -suffix.length) : name
