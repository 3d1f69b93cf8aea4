/**
 * Checks the names in a request.
 */
import * as Input from "../../../internal/input.ts"
import * as ChannelName from "../../ChannelName.ts"
import type { Detail } from "../../PubNubError.ts"

/** Each name once. */
export const unique = <A>(names: ReadonlyArray<A>): ReadonlyArray<A> => [...new Set(names)]

/** Checks a list of `fewest` to `most` different names, and complains about each name once. */
export const issuesOf = (
  location: string,
  names: unknown,
  most: number,
  { fewest = 1, issue = ChannelName.issue }: {
    readonly fewest?: number
    readonly issue?: Input.Check
  } = {}
): ReadonlyArray<Detail> => {
  const wrong = Input.list(fewest, most)(Array.isArray(names) ? unique(names) : names)
  return wrong === undefined ? Input.each(location, names, issue) : [{ location, message: wrong }]
}

/** Checks that a name is valid, and not a presence name. */
export const withoutPresence = (instead: string): Input.Check => (name) =>
  typeof name === "string" && ChannelName.isPresence(name) ? `ends in -pnpres${instead}` : ChannelName.issue(name)

/** Checks the id of a user in a path. */
export const user: Input.Check = Input.all(Input.notBlank, Input.segment)
