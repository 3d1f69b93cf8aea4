/**
 * Names of channels and channel groups: valid names, wildcards, and presence names.
 *
 * @since 0.1.0
 */
import * as Input from "../internal/input.ts"

const longest = 2048
const suffix = "-pnpres"

/**
 * Checks the name of one channel or group. Gives what is wrong with it, or `undefined` for a valid name. A name may have
 * spaces, `#`, `/`, `%` and letters of any script. It may not have commas, control characters, wildcards or more than 2,048
 * characters, and it may not be `.` or `..`.
 *
 * **Example** (Check a name that a user typed)
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
    ? "holds an asterisk: only a subscription may have one, as its last segment"
    : Input.segment(name)

/**
 * Checks a name to subscribe to. Gives what is wrong with it, or `undefined` for a valid name. It may be a plain name or a
 * wildcard, `a.*` or `a.b.*`, with or without the presence suffix `-pnpres`.
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
 * Whether a name is a wildcard, which stands for many channels: `a.*` or `a.b.*`.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWildcard = (name: string): boolean =>
  typeof name === "string" && name.endsWith(".*") && /^[^.*]+(\.[^.*]+)?\.\*$/.test(name)

/**
 * Whether a name is a presence name: it ends in `-pnpres`, and has joins and leaves in place of messages.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPresence = (name: string): boolean => typeof name === "string" && name.endsWith(suffix)

/**
 * Gives the presence name of a channel, group or wildcard. A presence name stays as it is.
 *
 * @category conversions
 * @since 0.1.0
 */
export const presenceOf = (name: string): string => typeof name !== "string" || isPresence(name) ? name : name + suffix

/**
 * Gives the channel, group or wildcard of a presence name. Other names stay as they are.
 *
 * @category conversions
 * @since 0.1.0
 */
export const withoutPresence = (name: string): string => isPresence(name) ? name.slice(0, -suffix.length) : name
