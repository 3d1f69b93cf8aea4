/**
 * Makes foreign text safe for errors, logs, spans and terminals: short, on one line, without secrets and control characters.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Url from "./url.ts"

/** The most characters of foreign text in an error. */
export const most = 1_024

/** The text, cut to the limit. Half of a surrogate pair becomes a replacement character. */
export const bounded = (text: string, length = most): string =>
  (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed()

/** Foreign text as a part of our sentence. It may end with punctuation of its own. */
export const clause = (text: string): string => {
  let end = text.length
  while (end > 0 && " \n.,:;".includes(text.charAt(end - 1))) end--
  return text.slice(0, end)
}

/** Foreign text as a sentence. */
export const sentence = (text: string): string => {
  const said = clause(text)
  return said.endsWith("?") || said.endsWith("!") ? said : `${said}.`
}

/** The problems of an input, with their locations, as a sentence. The description before them may be empty. */
export const complaint = (
  description: string,
  details: ReadonlyArray<{ readonly message: string; readonly location?: string }>
): string => {
  const parts = details.map(({ location, message }) =>
    clause(location === undefined ? message : `${location} ${message}`)
  )
  const problems = parts.join("; ")
  return sentence(
    parts.length === 0 ? description : description === "" ? problems : `${clause(description)}: ${problems}`
  )
}

// --------------------------------------------------------------------------------------------------------------------
// terminals
// --------------------------------------------------------------------------------------------------------------------

/** C0, DEL and C1, the separators of lines and paragraphs, and characters that change the direction of text. */
const unprintable = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu

const breaks = /[\t-\r\u0085\u2028\u2029]+/g

/** The text on one line, without control characters and changes of direction. */
export const harmless = (text: string): string => text.replaceAll(breaks, " ").replaceAll(unprintable, "\uFFFD")

/** The same for JSON text: escapes the characters in its strings, so that it means the same. */
export const harmlessJson = (json: string): string =>
  json.replaceAll(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)

/** A name that somebody else chose, as a part of our sentence. */
export const quoted = (name: string, length = 200): string => harmlessJson(JSON.stringify(bounded(name, length)))

// --------------------------------------------------------------------------------------------------------------------
// secrets
// --------------------------------------------------------------------------------------------------------------------

/** How much of a text is searched for secrets. Errors show far less of it. */
const window = 16 * most

/** Shorter text does not count as a secret, or as a part of one. */
const shortest = 4

/** A secret is recognized by its first characters, even if it is cut after them. */
const telling = 16

// Each pattern takes linear time.
const address = /\b[a-z]+:\/\/\S*/gi
const query = /\?[^\s=?]+=\S*/g
const jwt = /eyJ[\w.%=+/-]*/g
/** The value of a parameter, a header or a JSON field with such a name. A word after a colon is not a secret ("Invalid token: expired"). */
const assigned = new RegExp(
  "(token|auth|authorization|signature|secretkey|cookie)" +
    "(\\\\?[\"']?\\s{0,9}=\\s{0,9}\\\\?[\"']?|\\\\?[\"']\\s{0,9}:\\s{0,9}\\[?\\s{0,9}\\\\?[\"']?|\\s{0,9}:\\s{0,9}(?=(?:bearer |basic )?\\S{0,99}\\d)(?=(?:bearer |basic )?\\S{8}))" +
    "(?:(?:bearer|basic)\\s+)?(?:\\{secret\\}|[^\\s\"'&,;<>\\\\\\]}])+",
  "gi"
)

/**
 * Makes a function that cleans foreign text: it returns short text on one line, without addresses, tokens, signatures and the
 * given secrets, however they are encoded.
 */
export const teller = (secrets: Iterable<string>): (text: string) => string => {
  const forms = formsOf(secrets)
  return (text) => {
    const seen = text.slice(0, window)
    const isCut = seen !== text || text.endsWith("…")
    return bounded(harmless(withoutPatterns(withoutSecrets(seen, forms, isCut))))
  }
}

/** The text for an error or a log, without the given secrets: see {@link teller}. */
export const told = (text: string, secrets: Iterable<string> = []): string => teller(secrets)(text)

/**
 * The kind and the text of a thrown value, without the given secrets and without addresses, which may hold tokens and payloads.
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
    // A getter threw, or the message is not a string.
    return "it cannot be told what was thrown"
  }
}

const withoutPatterns = (text: string): string =>
  text.replaceAll(address, "{address}").replaceAll(query, "?{query}").replaceAll(jwt, "{secret}")
    .replaceAll(assigned, "$1$2{secret}")

/** Finds each secret from its beginning, as far as the text follows it: a cut text may end with the beginning of a secret. */
const withoutSecrets = (text: string, forms: ReadonlyArray<string>, isCut: boolean): string => {
  if (forms.length === 0) return text
  const begun = text.endsWith("…") ? text.slice(0, -1) : text
  const ranges = readingsOf(begun).flatMap(({ at, text }) =>
    forms.flatMap((form) => [
      ...occurrences(text, form),
      ...isCut ? partAtEnd(text, form) : []
    ]).map(([from, to]): Range => [at[from] ?? 0, at[to] ?? 0])
  ).toSorted(([one], [other]) => one - other)
  let told = ""
  let end = 0
  for (const [from, to] of ranges) {
    if (to <= end) continue
    if (from >= end) told += `${text.slice(end, from)}{secret}`
    end = to
  }
  return told + text.slice(end)
}

type Range = readonly [from: number, to: number]

const occurrences = (text: string, form: string): ReadonlyArray<Range> => {
  const beginning = form.slice(0, telling)
  const found: Array<Range> = []
  for (let from = text.indexOf(beginning), to = 0; from !== -1; from = text.indexOf(beginning, to)) {
    to = from + beginning.length
    while (to - from < form.length && text[to] === form[to - from]) to++
    found.push([from, to])
  }
  return found
}

/** An incomplete escape at the end of a text. */
const halfEscape =
  /(?:%[c-f][\da-f](?:%[89ab][\da-f]){0,2}(?:%[\da-f]?)?|%[\da-f]?|\\(?:u[\da-f]{0,3}|x[\da-f]?)?|&#?\w{0,7})$/

/** An incomplete secret at the end of a text. */
const partAtEnd = (text: string, form: string): ReadonlyArray<Range> => {
  const ends = [text, text.replace(halfEscape, "")]
  for (let size = Math.min(telling, form.length) - 1; size >= shortest; size--) {
    const end = ends.find((end) => end.endsWith(form.slice(0, size)))
    if (end !== undefined) return [[end.length - size, text.length]]
  }
  return []
}

/** All forms of the secrets, apart from escapes. Each line of a key is a secret. */
const formsOf = (secrets: Iterable<string>): ReadonlyArray<string> => {
  const forms = [...secrets].filter(({ length }) => length >= shortest).flatMap((secret) => [
    ...secret.split(/\r?\n/).filter(({ length }) => length > 16),
    // A secret that is longer than the searched text is recognized by its beginning.
    ...readingsOf(secret.slice(0, window)).map(({ text }) => text),
    ...base64Of(secret.slice(0, window).toWellFormed())
  ])
  return [...new Set(forms.map(folded))].filter(({ length }) => length >= shortest)
}

/** The text in base64, at each of the three offsets: only the characters that do not depend on neighbouring text. */
const base64Of = (text: string): ReadonlyArray<string> => [
  Base64.encode(text).replace(/=+$/, ""),
  ...["", "-", "--"].map((before) => {
    const base64 = Base64.encode(before + text)
    const bytes = base64.length / 4 * 3 - (/=*$/.exec(base64)?.[0].length ?? 0)
    return base64.slice(Math.ceil(before.length * 8 / 6), Math.floor(bytes * 8 / 6))
  })
]

/** A text with its escapes decoded, and the position of each of its characters in the original text. */
interface Reading {
  readonly text: string
  readonly at: ReadonlyArray<number>
}

/** The most layers of escapes: JSON in HTML in an address. */
const mostReadings = 6

/** The text as it is, and after decoding one layer of escapes after another. */
const readingsOf = (text: string): ReadonlyArray<Reading> => {
  let reading: Reading = { text: folded(text), at: Array.from({ length: text.length + 1 }, (_, index) => index) }
  const readings = [reading]
  while (readings.length < mostReadings) {
    const next = unescaped(reading)
    if (next.text === reading.text) break
    readings.push(reading = next)
  }
  return readings
}

const escapes =
  /%[0-7][\da-f]|%[c-f][\da-f](?:%[89ab][\da-f]){1,3}|\\u[\da-f]{4}|\\x[\da-f]{2}|\\[^ux]|&#\d{1,7};|&#x[\da-f]{1,6};|&(?:amp|lt|gt|quot|apos);/g

const unescaped = ({ at, text }: Reading): Reading => {
  const pieces: Array<string> = []
  const places: Array<number> = []
  let end = 0
  const keep = (to: number) => {
    pieces.push(text.slice(end, to))
    for (let index = end; index < to; index++) places.push(at[index] ?? 0)
  }
  for (const { 0: escape, index } of text.matchAll(escapes)) {
    keep(index)
    const meaning = folded(meaningOf(escape))
    pieces.push(meaning)
    for (let unit = 0; unit < meaning.length; unit++) places.push(at[index] ?? 0)
    end = index + escape.length
  }
  keep(text.length)
  return { text: pieces.join(""), at: [...places, at.at(-1) ?? 0] }
}

const named: ReadonlyMap<string, string> = new Map([
  ["&amp;", "&"],
  ["&lt;", "<"],
  ["&gt;", ">"],
  ["&quot;", "\""],
  ["&apos;", "'"],
  ["\\b", "\b"],
  ["\\f", "\f"],
  ["\\n", "\n"],
  ["\\r", "\r"],
  ["\\t", "\t"]
])

const meaningOf = (escape: string): string => {
  if (escape.startsWith("%")) return Url.decode(escape)
  const code = /^(?:\\[ux]|&#x)([\da-f]+)/.exec(escape)?.[1]
  const point = code === undefined ? Number(/^&#(\d+)/.exec(escape)?.[1]) : Number.parseInt(code, 16)
  return point <= 0x10ffff ? String.fromCodePoint(point) : named.get(escape) ?? escape.slice(1)
}

/** The text with case, spaces and the alphabets of base64 made equal. Its length stays the same. */
const folded = (text: string): string => lowered(text).replace(/[ -]/g, "+").replaceAll("_", "/")

// Outside of ASCII, the lower case of a letter may have two characters.
const lowered = (text: string): string =>
  isAscii.test(text) ? text.toLowerCase() : text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())

const isAscii = /^\p{ASCII}*$/u
