/** The endpoints that read, count and delete stored messages, under `/v3/history` and others. */
import type { Answer } from "../server/message.ts"
import * as Predicate from "effect/Predicate"
import * as actions from "./messageActions.ts"
import * as answers from "./answers.ts"
import type { Entry } from "./entry.ts"
import type { Selection } from "./history.ts"
import type { Keyset } from "./keyset.ts"
import { encode } from "../server/percent.ts"
import { namesOf, type Request, timetokenOf } from "./request.ts"

const maxSingle = 100
const maxSeveral = 25
const maxChannels = 500
const maxCounted = 10_000
const maxCountedChannels = 100

const isSet = (query: ReadonlyMap<string, string>, name: string) => {
  const value = query.get(name)
  return value === "true" || value === "1"
}

/** The bounds of a request; `undefined` if one is not a timetoken. */
const boundsOf = (query: ReadonlyMap<string, string>) => {
  const [start, end] = [timetokenOf(query.get("start")), timetokenOf(query.get("end"))]
  const isNone = (name: string, bound: bigint | undefined) => query.has(name) && bound === undefined
  return isNone("start", start) || isNone("end", end) ? undefined : { start, end }
}

/** The number of messages on a page, at most `most`; `undefined` if the text is not a number. */
const pageSize = (text: string | undefined, most: number): number | undefined =>
  text === undefined ? most : /^[1-9]\d*$/.test(text) ? Math.min(most, Number(text)) : undefined

/** One message as JSON text. Payload and metadata are the text that was sent, so no number is rounded. */
const item = (
  entry: Entry,
  query: ReadonlyMap<string, string>,
  added: ReadonlyArray<actions.Action> = []
): string =>
  `{${
    [
      `"message":${entry.payload}`,
      `"timetoken":"${entry.timetoken}"`,
      isSet(query, "include_meta") ? `"meta":${entry.meta ?? "\"\""}` : undefined,
      isSet(query, "include_message_type")
        ? `"message_type":${entry.type === undefined || entry.type === 0 ? "null" : entry.type}`
        : undefined,
      isSet(query, "include_uuid") && entry.publisher !== undefined
        ? `"uuid":${JSON.stringify(entry.publisher)}`
        : undefined,
      isSet(query, "include_custom_message_type") && entry.customMessageType !== undefined
        ? `"custom_message_type":${JSON.stringify(entry.customMessageType)}`
        : undefined,
      added.length > 0 ? `"actions":${JSON.stringify(actions.grouped(added))}` : undefined
    ].filter((part) => part !== undefined).join(",")
  }}`

const keyOf = (channel: string, query: ReadonlyMap<string, string>) =>
  JSON.stringify(query.get("encode_channels") === "false" ? channel : encode(channel))

const fetch = (
  keyset: Keyset,
  channels: ReadonlyArray<string>,
  query: ReadonlyMap<string, string>,
  now: bigint
): Answer => {
  if (channels.length > maxChannels) return answers.badStorage("Too many channels")
  const max = pageSize(query.get("max"), channels.length > 1 ? maxSeveral : maxSingle)
  if (max === undefined) return answers.badStorage("Invalid max")
  const bounds = boundsOf(query)
  if (bounds === undefined) return answers.badStorage("Invalid timetoken")
  const pages = channels.flatMap((channel) => {
    const page = keyset.history.page(channel, now, { before: bounds.start, from: bounds.end }, max)
    return page.length === 0
      ? []
      : [`${keyOf(channel, query)}:[${page.map((entry) => item(entry, query)).join(",")}]`]
  })
  return answers.json(200, `{"status":200,"error":false,"error_message":"","channels":{${pages.join(",")}}}`)
}

/** Messages with their actions. If a page would have too many actions, it has fewer messages, and `more`. */
const fetchWithActions = (
  keyset: Keyset,
  channels: ReadonlyArray<string>,
  query: ReadonlyMap<string, string>,
  now: bigint
): Answer => {
  const [channel = ""] = channels
  if (channels.length > 1) return answers.badStorage("Actions are of a single channel only")
  const max = pageSize(query.get("max"), maxSeveral)
  if (max === undefined) return answers.badStorage("Invalid max")
  const bounds = boundsOf(query)
  if (bounds === undefined) return answers.badStorage("Invalid timetoken")
  const page = keyset.history.page(channel, now, { before: bounds.start, from: bounds.end }, max)
    .map((entry) => ({ entry, added: keyset.actions.ofMessage(channel, entry.timetoken) }))
  let total = 0
  const tooMuch = page.findLastIndex(({ added }) => (total += added.length) > keyset.limits.actionsPageSize)
  // A message always has all of its actions, and a page at least one message.
  const whole = page.slice(Math.min(tooMuch + 1, page.length - 1))
  const [first] = whole
  const rest = max - whole.length
  const path = `/v3/history-with-actions/sub-key/${keyset.subscribeKey}/channel/${encode(channel)}`
  const more = first === undefined || whole.length === page.length
    ? ""
    : `,"more":{"url":"${path}?start=${first.entry.timetoken}&max=${rest}",` +
      `"start":"${first.entry.timetoken}","max":${rest}}`
  const found = first === undefined
    ? ""
    : `${keyOf(channel, query)}:[${whole.map(({ added, entry }) => item(entry, query, added)).join(",")}]`
  return answers.json(200, `{"status":200,"channels":{${found}},"error_message":"","error":false${more}}`)
}

/** `start` is exclusive and `end` inclusive, whichever is the older. */
const selectionOf = (
  { end, start }: { readonly start: bigint | undefined; readonly end: bigint | undefined }
): Selection =>
  start !== undefined && end !== undefined && start < end
    ? { after: start, until: end }
    : { before: start, from: end }

/** The older endpoint: raw messages, and timetokens as bare numbers. */
const fetchLegacy = (
  keyset: Keyset,
  channel: string,
  query: ReadonlyMap<string, string>,
  now: bigint
): Answer => {
  const max = pageSize(query.get("count"), maxSingle)
  if (max === undefined) return answers.badStorage("Invalid count")
  const bounds = boundsOf(query)
  if (bounds === undefined) return answers.badStorage("Invalid timetoken")
  const { end, start } = bounds
  const both = start !== undefined && end !== undefined
  const forward = both ? start < end : isSet(query, "reverse")
  const selection = !both && forward ? { after: start, until: end } : selectionOf(bounds)
  const page = keyset.history.page(channel, now, selection, max, forward)
  const timetoken = (entry: Entry | undefined) => {
    const value = String(entry?.timetoken ?? 0)
    return isSet(query, "string_message_token") ? `"${value}"` : value
  }
  const withToken = isSet(query, "include_token")
  const withMeta = isSet(query, "include_meta")
  const items = page.map((entry) =>
    withToken || withMeta
      ? `{"message":${entry.payload}${withToken ? `,"timetoken":${timetoken(entry)}` : ""}${
        withMeta ? `,"meta":${entry.meta ?? "\"\""}` : ""
      }}`
      : entry.payload
  )
  return answers.json(200, `[[${items.join(",")}],${timetoken(page[0])},${timetoken(page.at(-1))}]`)
}

const counts = (
  keyset: Keyset,
  channels: ReadonlyArray<string>,
  query: ReadonlyMap<string, string>,
  now: bigint
): Answer => {
  const [one, several] = [query.get("timetoken"), query.get("channelsTimetoken")]
  if (channels.length > maxCountedChannels) return answers.badStorage("Too many channels")
  if ((one === undefined) === (several === undefined)) return answers.badStorage("Invalid timetoken")
  const timetokens = several === undefined ? channels.map(() => one ?? "") : several.split(",")
  if (timetokens.length !== channels.length) {
    return answers.badStorage("The numbers of channels and timetokens differ")
  }
  const after = timetokens.map(timetokenOf)
  if (!after.every(Predicate.isNotUndefined)) return answers.badStorage("Invalid timetoken")
  return answers.storage({
    channels: Object.fromEntries(channels.map((channel, index) => {
      const count = keyset.history.count(channel, now, { after: after[index] })
      return [channel, Math.min(maxCounted, count)]
    }))
  })
}

/** The subscribe key of a request for history, if it is one. */
export const subscribeKeyOf = ([version, kind, word, key]: ReadonlyArray<string>): string | undefined =>
  word === "sub-key" &&
    (version === "v3" && (kind === "history" || kind === "history-with-actions") ||
      version === "v2" && kind === "history")
    ? key
    : undefined

/** Everything under `/v3/history`, `/v3/history-with-actions` and `/v2/history`. */
export const route = (keyset: Keyset, { method, query, segments }: Request, now: bigint): Answer => {
  const [version, kind, , , verb, names, ...rest] = segments
  if (rest.length > 0 || verb !== "channel" && verb !== "message-counts") return answers.notFound
  const isPlain = version === "v3" && kind === "history"
  if (
    verb === "message-counts"
      ? !isPlain || method !== "GET"
      : method !== "GET" && !(isPlain && method === "DELETE")
  ) {
    return answers.notFound
  }
  const channels = namesOf(names)
  const distinct = [...new Set(channels)]
  const [first] = channels
  const refused = keyset.refused(
    query,
    verb === "message-counts" ? "countMessages" : method === "DELETE" ? "deleteMessages" : "fetchHistory",
    { channels: distinct }
  )
  if (refused.channels.length > 0) return answers.forbidden(refused.channels)
  if (!keyset.addOns().persistence) return answers.noPersistence
  if (first === undefined) return answers.badStorage("Missing channels")
  if (verb === "message-counts") return counts(keyset, channels, query, now)
  // These take one channel, so a comma is part of its name.
  if (version === "v2") return fetchLegacy(keyset, names ?? "", query, now)
  if (kind === "history-with-actions") return fetchWithActions(keyset, distinct, query, now)
  if (method === "GET") return fetch(keyset, distinct, query, now)
  const bounds = boundsOf(query)
  if (bounds === undefined) return answers.badStorage("Invalid timetoken")
  keyset.history.remove(names ?? "", selectionOf(bounds))
  return answers.storage({})
}
