/**
 * Percent-encoding for the services: everything but letters, digits and `- _ .` is escaped, `! ~ * ' ( )` too, because
 * signatures are computed over these bytes.
 */
const reserved = /[!~*'()]/g
const hasReserved = /[!~*'()]/

const escape = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`

/** Most names need no escape. A subscription to a thousand of them is encoded for each handshake. */
const plain = /^[\w.-]*$/

/** One name, message or value. The text must be well formed Unicode: a lone surrogate has no UTF-8 form. */
export const encode = (text: string): string => {
  if (plain.test(text)) return text
  const encoded = encodeURIComponent(text)
  return hasReserved.test(encoded) ? encoded.replace(reserved, escape) : encoded
}

/** The decoded text, or the same text if it is not encoded. */
export const decode = (encoded: string): string => {
  try {
    return decodeURIComponent(encoded)
  } catch {
    return encoded
  }
}

/** A list of names in a path, with literal commas between them. An empty list is a single comma. */
export const encodeList = (names: ReadonlyArray<string>): string =>
  names.length === 0 ? "," : names.map(encode).join(",")

/** The parameters of a request, in the order in which they are sent. `undefined` is left out. */
export interface Parameters {
  readonly [name: string]: string | undefined
}

/** A query string without its question mark. */
export const encodeQuery = (parameters: Parameters = {}): string => {
  let query = ""
  for (const name of Object.keys(parameters)) {
    const value = parameters[name]
    if (value !== undefined) query += `${query === "" ? "" : "&"}${name}=${encode(value)}`
  }
  return query
}

/** The encoded query that is signed: sorted by name. */
export const canonicalQuery = (query: string): string => query.split("&").toSorted(byName).join("&")

const byName = (one: string, other: string): number => {
  const [a, b] = [nameOf(one), nameOf(other)]
  return a < b ? -1 : a > b ? 1 : 0
}

const nameOf = (parameter: string): string => parameter.slice(0, parameter.indexOf("="))
