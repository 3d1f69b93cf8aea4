/** Percent-encoding as the service counts and signs it. */

/** Everything but letters, digits and `-_.` is escaped. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!~*'()]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** Undoes percent-encoding, if the text is any. */
export const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
