/** Percent-encoding as the services count and sign it. */

/** Escapes all but letters, digits and `-_.`. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!~*'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** Decodes percent-encoded text; `undefined` for other text. */
export const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** Names and values of a query, in their order; `undefined` for text that is not percent-encoded. */
export const pairsOf = (
  search: string
): ReadonlyArray<readonly [name: string | undefined, value: string | undefined]> =>
  search.split("&").filter((pair) => pair !== "").map((pair) => {
    const [name = "", value = ""] = pair.split(/=(.*)/s)
    return [decode(name), decode(value)]
  })
