/**
 * Whether a request of ours is the recorded one, by the rules of the kit. What differs is told part by part.
 */
import type { Exchange } from "./kit.ts"

/** A request as it left the client. */
export interface Sent {
  readonly method: string
  readonly url: URL
  readonly body: string | undefined
  readonly contentType: string | undefined
  readonly ifMatch?: string | undefined
}

type Recorded = Exchange["request"]

const leftOut = new Set([
  "pnsdk",
  "requestid",
  "instanceid",
  "seqn",
  "ortt",
  "timestamp",
  "signature",
  // Marks newer clients; ours does not send it.
  "ee"
])

const isLeftOut = (name: string): boolean => leftOut.has(name) || name.startsWith("l_") || name.startsWith("X-Amz-")

const sets = new Set(["channel-group", "add", "remove", "include"])
const flags = new Set([
  "store",
  "norep",
  "count",
  "disable_uuids",
  "include_meta",
  "include_uuid",
  "include_message_type",
  "include_custom_message_type"
])
const documents = new Set(["state", "meta"])

/** What means the same as nothing. */
const unsaid: { readonly [name: string]: string } = { state: "0", disable_uuids: "0", include_meta: "0", count: "0" }

/** The differences; none means that they match. */
export const differences = (
  sent: Sent,
  recorded: Recorded,
  ignored: ReadonlyArray<string> = []
): ReadonlyArray<string> => [
  ...sent.method === recorded.method ? [] : [`method: sent ${sent.method}, recorded ${recorded.method}`],
  ...pathDifferences(sent, recorded),
  ...queryDifferences(sent, recorded, ignored),
  ...bodyDifferences(sent, recorded),
  ...sent.ifMatch === recorded.headers["if-match"]
    ? []
    : [`if-match: sent ${sent.ifMatch ?? "none"}, recorded ${recorded.headers["if-match"] ?? "none"}`]
]

// --- the path

const partsOf = (pathname: string): ReadonlyArray<string> => pathname.split("/").slice(1)

/** The parts of a recorded path, still encoded. The Objective-C recorder decoded a slash in a message too. */
export const recordedParts = (recorded: Pick<Recorded, "rawTarget" | "template">): ReadonlyArray<string> => {
  const parts = partsOf(recorded.rawTarget.split("?", 1)[0] ?? "")
  const names = partsOf(recorded.template)
  return names.at(-1) === "{message}" && parts.length > names.length
    ? [...parts.slice(0, names.length - 1), parts.slice(names.length - 1).join("/")]
    : parts
}

const pathDifferences = (sent: Sent, recorded: Recorded): ReadonlyArray<string> => {
  const ours = partsOf(sent.url.pathname)
  const theirs = recordedParts(recorded)
  const names = partsOf(recorded.template)
  if (ours.length !== theirs.length) return [`path: sent ${sent.url.pathname}, recorded ${recorded.path}`]
  return theirs.flatMap((part, index) => {
    const our = ours[index] ?? ""
    const same = comparable(names[index], decodeURIComponent(our)) ===
      comparable(names[index], decodeURIComponent(part))
    return same ? [] : [`path part ${index + 1} (${names[index]}): sent ${our}, recorded ${part}`]
  })
}

const comparable = (name: string | undefined, value: string): string => {
  switch (name) {
    case "{channels}":
      return asSet(value)
    case "{message}":
      return canonical(JSON.parse(value))
    case "sub_key":
    case "sub-key":
      return value.replace("_", "-")
    default:
      return value
  }
}

const asSet = (list: string): string => [...new Set(list.split(","))].toSorted().join(",")

/** JSON text with sorted keys. */
export const canonical = (value: unknown): string =>
  JSON.stringify(
    value,
    (_key, item: unknown) =>
      typeof item === "object" && item !== null && !Array.isArray(item)
        ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => a < b ? -1 : 1))
        : item
  )

/**
 * Where the same text was encoded otherwise. Only recordings of the Python client keep the bytes of the path; it alone
 * leaves `~` as it is.
 */
export const encodingDifferences = (sent: Sent, recorded: Recorded): ReadonlyArray<string> => {
  const ours = partsOf(sent.url.pathname)
  return recordedParts(recorded).flatMap((part, index) => {
    const our = ours[index] ?? ""
    return decodeURIComponent(our) === decodeURIComponent(part) && our !== part.replaceAll("~", "%7E")
      ? [`path part ${index + 1}: sent as ${our}, recorded as ${part}`]
      : []
  })
}

// --- the query

/**
 * The recorded query, decoded. A recorder that split decoded text cut values with an ampersand in pieces, which are put
 * together again; the cursor of the Ruby client is one parameter, which is taken apart; position zero is none.
 */
export const recordedQuery = (recorded: Pick<Recorded, "query" | "rawTarget">): ReadonlyMap<string, string> => {
  const wellFormed = Object.entries(recorded.query).every(
    ([name, value]) => parameter.test(`${name}=`) && typeof value === "string"
  )
  const query = new Map(
    wellFormed
      ? Object.entries(recorded.query).map(([name, value]) => [name, String(value)] as const)
      : mended(recorded.rawTarget)
  )
  const cursor = query.get("t")
  if (cursor !== undefined) {
    const { r, t }: { readonly r: number; readonly t: number | string } = JSON.parse(cursor)
    query.delete("t")
    query.set("tt", String(t))
    query.set("tr", String(r))
  }
  if (query.get("tt") === "0") {
    query.delete("tt")
    query.delete("tr")
  }
  return query
}

const parameter = /^[A-Za-z][\w-]*=/

const mended = (rawTarget: string): ReadonlyArray<readonly [string, string]> =>
  rawTarget
    .slice(rawTarget.indexOf("?") + 1)
    .split("&")
    .reduce<ReadonlyArray<string>>(
      (all, piece) => parameter.test(piece) ? [...all, piece] : [...all.slice(0, -1), `${all.at(-1)}&${piece}`],
      []
    )
    .map((pair) => {
      const at = pair.indexOf("=")
      return [pair.slice(0, at), decodeURIComponent(pair.slice(at + 1))] as const
    })

/** The query that was sent, decoded. A name that occurs twice is a mistake, and says so. */
export const sentQuery = (sent: Sent): ReadonlyMap<string, string> => {
  const query = new Map<string, string>()
  for (const [name, value] of sent.url.searchParams) query.set(query.has(name) ? `${name} (again)` : name, value)
  return query
}

const queryDifferences = (sent: Sent, recorded: Recorded, ignored: ReadonlyArray<string>): ReadonlyArray<string> => {
  const ours = sentQuery(sent)
  const theirs = recordedQuery(recorded)
  const names = new Set([...ours.keys(), ...theirs.keys()])
  return [...names].flatMap((name) => {
    if (isLeftOut(name) || ignored.includes(name)) return []
    const our = ours.get(name)
    const their = theirs.get(name)
    // Some recordings are without it, and none of ours is.
    if (name === "uuid" && their === undefined) return []
    return meaning(name, our) === meaning(name, their)
      ? []
      : [`query ${name}: sent ${our ?? "nothing"}, recorded ${their ?? "nothing"}`]
  })
}

const meaning = (name: string, text: string | undefined): string | undefined => {
  const meant = text === undefined ? undefined : value(name, text)
  return meant === unsaid[name] ? undefined : meant
}

const value = (name: string, text: string): string =>
  sets.has(name)
    ? asSet(text)
    : flags.has(name)
    ? text.replace(/^true$/i, "1").replace(/^false$/i, "0")
    : documents.has(name)
    ? canonical(JSON.parse(text))
    : text

// --- the body

const bodyDifferences = (sent: Sent, recorded: Recorded): ReadonlyArray<string> => {
  if (typeof recorded.rawBody !== "string" || recorded.rawBody === "") {
    return sent.body === undefined ? [] : [`body: sent ${sent.body}, recorded none`]
  }
  if (sent.body === undefined) return [`body: sent none, recorded ${recorded.rawBody}`]
  return [
    ...canonical(JSON.parse(sent.body)) === canonical(JSON.parse(recorded.rawBody))
      ? []
      : [`body: sent ${sent.body}, recorded ${recorded.rawBody}`],
    ...sent.contentType === "application/json" ? [] : [`content-type: sent ${sent.contentType ?? "none"}`]
  ]
}
