/**
 * Text that others wrote, on its way into an error, a log, a span or a terminal: short, on one line, without secrets, and
 * without what would speak to the terminal.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Url from "./url.ts"

/** As much of a text as an error holds of what others wrote. */
export const most = 1_024

/** The text, cut where it is longer than this. Half of a surrogate pair becomes a replacement character. */
export const bounded = (text: string, length = most): string =>
  (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed()

// --------------------------------------------------------------------------------------------------------------------
// terminals
// --------------------------------------------------------------------------------------------------------------------

/** C0, DEL and C1, the separators of lines and paragraphs, and what changes the direction of the text after it. */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu

const breaks = /[\t-\r\u0085\u2028\u2029]+/g

/** The text on one line, without what would speak to a terminal or turn the text around. */
export const harmless = (text: string): string => text.replaceAll(breaks, " ").replaceAll(unprintable, "\uFFFD")

/** The same for a text in JSON, which still means the same: what stands in its strings is escaped. */
export const harmlessJson = (json: string): string =>
  json.replaceAll(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

// --------------------------------------------------------------------------------------------------------------------
// secrets
// --------------------------------------------------------------------------------------------------------------------

/** Looked through for secrets. Little of it is left in the end, and a text of megabytes costs no more than this. */
const window = 16 * most

/** What is shorter is no secret, and no part of one. */
const shortest = 4

const special = /[\\^$.*+?()[\]{}|/-]/g

// Each pattern is linear: none begins at a place that another of its beginnings has passed over for long.
const address = /\b[a-z]+:\/\/\S*/gi
const query = /\?[^\s=?]+=\S*/g
const jwt = /eyJ[\w.%=+/-]*/g
/** What a parameter, a header or a field of JSON gives to such a name. After a colon, a word is no secret ("Invalid token: expired"). */
const assigned = new RegExp(
  "(token|auth|authorization|signature|secretkey|cookie)" +
    "(\\\\?[\"']?\\s{0,9}=\\s{0,9}\\\\?[\"']?|\\\\?[\"']\\s{0,9}:\\s{0,9}\\[?\\s{0,9}\\\\?[\"']?|\\s{0,9}:\\s{0,9}(?=(?:bearer |basic )?\\S{0,99}\\d)(?=(?:bearer |basic )?\\S{8}))" +
    "(?:(?:bearer|basic)\\s+)?(?:\\{secret\\}|[^\\s\"'&,;<>\\\\\\]}])+",
  "gi"
)

/**
 * A function that tells texts of others: short, on one line, and without addresses, tokens, signatures and any of the given
 * secrets, however they are encoded.
 */
export const teller = (secrets: Iterable<string>): (text: string) => string => {
  const forms = formsOf(secrets)
  const known = forms.length === 0
    ? undefined
    : new RegExp(forms.map((form) => form.replaceAll(special, "\\$&")).join("|"), "gi")
  return (text) => {
    const seen = text.slice(0, window)
    const cleared = withoutPatterns(known === undefined ? seen : seen.replaceAll(known, "{secret}"))
    const isCut = seen !== text || text.endsWith("…")
    return bounded(harmless(isCut ? withoutPartAtEnd(cleared, forms) : cleared))
  }
}

/** The text for an error or a log, without the given secrets: see {@link teller}. */
export const told = (text: string, secrets: Iterable<string> = []): string => teller(secrets)(text)

/**
 * What threw: its kind and its text. An address may hold a token and a payload, so none is told; nor is any of the given
 * secrets.
 */
export const ofDefect = (defect: unknown, secrets: Iterable<string> = []): string => {
  try {
    const text = defect instanceof Error
      ? `${defect.name}: ${defect.message}`
      : typeof defect === "string"
      ? defect
      : `a value of type ${typeof defect} was thrown`
    return told(text, secrets)
  } catch {
    // A getter of it threw, or it has no string as a message.
    return "it cannot be told what was thrown"
  }
}

const withoutPatterns = (text: string): string =>
  text.replaceAll(address, "{address}").replaceAll(query, "?{query}").replaceAll(jwt, "{secret}")
    .replaceAll(assigned, "$1$2{secret}")

/** Whoever cut the text may have cut a secret with it. */
const withoutPartAtEnd = (text: string, forms: ReadonlyArray<string>): string => {
  const [, begun = text, mark = ""] = /^(.*?)(…?)$/s.exec(text) ?? []
  const lower = begun.toLowerCase()
  let cut = 0
  for (const form of forms) {
    const start = form.toLowerCase()
    for (let size = Math.min(start.length - 1, lower.length); size >= Math.max(shortest, cut + 1); size--) {
      if (lower.endsWith(start.slice(0, size))) {
        cut = size
        break
      }
    }
  }
  return cut === 0 ? text : `${begun.slice(0, begun.length - cut)}{secret}${mark}`
}

/** All that others make of the secrets, the longest first. A key of many lines is a secret in each of them. */
const formsOf = (secrets: Iterable<string>): ReadonlyArray<string> => {
  const forms = [...secrets].filter(({ length }) => length >= shortest).flatMap((secret) => {
    const lines = secret.split(/\r?\n/).filter(({ length }) => length > 16)
    return [...lines, ...encodingsOf(secret.toWellFormed())]
  })
  return [...new Set(forms)].toSorted((one, other) => other.length - one.length)
}

const encodingsOf = (text: string): ReadonlyArray<string> => {
  const escaped = encodeURIComponent(text)
  const base64 = Base64.encode(text).replace(/=+$/, "")
  return [
    text,
    escaped,
    encodeURIComponent(escaped),
    Url.encode(text),
    escaped.replaceAll("%20", "+"),
    JSON.stringify(text).slice(1, -1),
    text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\"", "&quot;"),
    base64,
    base64.replaceAll("+", "-").replaceAll("/", "_"),
    encodeURIComponent(base64)
  ]
}
