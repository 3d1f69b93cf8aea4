/**
 * Percent-encoding as the services read it: RFC 3986 unreserved characters stay, everything else is escaped,
 * `! ~ * ' ( )` too, because signatures are computed over these very bytes.
 */
const reserved = /[!~*'()]/g

const escape = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

/** One name, message or value. The text must be well formed Unicode: a lone surrogate has no UTF-8 form. */
export const encode = (text: string): string => encodeURIComponent(text).replace(reserved, escape)

/** The text that was encoded, or the same where it is not an encoding. */
export const decode = (encoded: string): string => {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

/** A list of names in a path: the comma between them stays literal. No names at all is a single comma. */
export const encodeList = (names: ReadonlyArray<string>): string =>
  names.length === 0 ? "," : names.map(encode).join(",")

/** The parameters of a request, in the order in which they are sent. What is `undefined` is left out. */
export interface Parameters {
  readonly [name: string]: string | undefined
}

/** The same without what is left out. */
export type Query = ReadonlyArray<readonly [name: string, value: string]>

export const queryOf = (parameters: Parameters = {}): Query =>
  Object.entries(parameters).flatMap(([name, value]) => value === undefined ? [] : [[name, value] as const])

/** A query string without its question mark. */
export const encodeQuery = (query: Query): string => query.map(([name, value]) => `${name}=${encode(value)}`).join("&")

/** The query as signatures want it: sorted by name, the given list left as it is. */
export const canonicalQuery = (query: Query): string =>
  encodeQuery(query.toSorted(([a], [b]) => a < b ? -1 : a > b ? 1 : 0))
