/** The endpoints of App Context, under `/v2/objects`. */
import * as Base64 from "effect/encoding/Base64"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type { Answer } from "../server/message.ts"
import * as answers from "./answers.ts"
import { type Keyset, parseJson, type Wanted } from "./keyset.ts"
import * as filter from "./objectFilter.ts"
import { type Change, type Custom, iso, type Item, type Kind, type Value } from "./appContext.ts"
import type * as rights from "./rights.ts"
import { type Moment, namesOf, type Request } from "./request.ts"

/** The fields that are always in an answer; the optional ones must be asked for. */
const core = { uuid: ["name", "externalId", "profileUrl", "email"], channel: ["name", "description"] } as const
const optional = ["type", "status", "custom"] as const

/** The most characters of a field. */
const longest: Readonly<Record<string, number>> = { email: 320, status: 50, type: 50 }
const longestOther = 2048
const longestId = 92
const maxPage = 100

/** One entry of a list. A membership has the id and the metadata of its other end. */
interface Row {
  readonly id: string
  readonly item: Item
  readonly other?: { readonly item: Item | undefined }
}

const rowField = ({ id, item, other }: Row) => (path: string): filter.Field => {
  const [name = "", inner] = path.split(".")
  const field = inner ?? name
  const holder = inner === undefined ? item : other?.item
  if (field === "id") return id
  if (field === "updated") return holder?.updated
  const value = holder?.fields.get(field)
  return Predicate.isString(value) ? value : undefined
}

/** The fields by which a list can be filtered and sorted. */
const fieldsOf = (kind: Kind, isRelation: boolean) => {
  const sortable = ["id", "name", "updated", "status", "type"]
  const fields = ["id", ...core[kind], "updated", "status", "type"]
  const own = ["updated", "status", "type"]
  const inner = (names: ReadonlyArray<string>) => [...own, ...names.map((name) => `${kind}.${name}`)]
  return isRelation ? { filter: inner(fields), sort: inner(sortable) } : { filter: fields, sort: sortable }
}

const shown = (item: Item, names: ReadonlyArray<string>) =>
  names.map((name) => [name, item.fields.get(name) ?? null] as const)

const thing = (kind: Kind, id: string, item: Item, isIncluded: (name: string) => boolean) => ({
  id,
  ...Object.fromEntries(shown(item, [...core[kind], ...optional.filter(isIncluded)])),
  updated: iso(item.updated),
  eTag: item.eTag
})

const written = (kind: Kind, { id, item, other }: Row, include: ReadonlyArray<string>): object => {
  if (other === undefined) return thing(kind, id, item, (name) => include.includes(name))
  const isWanted = include.some((token) => token === kind || token.startsWith(`${kind}.`))
  return {
    [kind]: isWanted && other.item !== undefined
      ? thing(kind, id, other.item, (name) => include.includes(`${kind}.${name}`))
      : { id },
    ...Object.fromEntries(shown(item, optional.filter((name) => include.includes(name)))),
    updated: iso(item.updated),
    eTag: item.eTag
  }
}

const wordsOf = (text: string | undefined) => namesOf(text).map((word) => word.trim())

const compare = (left: filter.Field, right: filter.Field): number => {
  if (left === right) return 0
  // Fields that are not set come last.
  if (left === undefined || right === undefined) return left === undefined ? 1 : -1
  return left < right ? -1 : 1
}

type Order = (left: Row, right: Row) => number

/** Compares key by key, and at last by id, so that pages neither overlap nor leave gaps. */
const orderOf = (keys: ReadonlyArray<string>, names: ReadonlyArray<string>): Order | undefined => {
  const parts = keys.map((key) => key.split(":"))
  const areKnown = parts.every(([name = "", direction = "asc", ...rest]) =>
    names.includes(name) && /^(asc|desc)$/i.test(direction) && rest.length === 0
  )
  if (!areKnown) return undefined
  return (left, right) => {
    for (const [name = "", direction = "asc"] of parts) {
      const order = compare(rowField(left)(name), rowField(right)(name))
      if (order !== 0) return direction.toLowerCase() === "desc" ? -order : order
    }
    return compare(left.id, right.id)
  }
}

/** A cursor is an index in the list. */
const cursorOf = (place: number) => Base64.encode(String(place)).replaceAll("=", "")

const placeOf = (cursor: string): number | undefined => {
  const padded = cursor.padEnd(Math.ceil(cursor.length / 4) * 4, "=")
  const text = Result.getOrElse(Base64.decodeString(padded), () => "")
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

const invalid = (location: string, message: string) => answers.badObject([{ message, location, locationType: "query" }])

/** The filter, order and range of a list, or the refusal of a bad one. */
const readSelection = (kind: Kind, isRelation: boolean, query: Request["query"]) => {
  const names = fieldsOf(kind, isRelation)
  const expression = query.get("filter") ?? ""
  const accepts = expression === "" ? () => true : filter.parse(expression, names.filter)
  if (accepts === undefined) return { refusal: invalid("filter", "Malformed filter expression.") }
  const order = orderOf(wordsOf(query.get("sort")), names.sort)
  if (order === undefined) return { refusal: invalid("sort", "Unknown sort key.") }
  const limit = query.get("limit") ?? String(maxPage)
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > maxPage) {
    return { refusal: invalid("limit", `Value should be between 1 and ${maxPage}.`) }
  }
  const [start, end] = [query.get("start"), query.get("end")]
  const [startPlace, endPlace] = [placeOf(start ?? cursorOf(0)), placeOf(end ?? cursorOf(0))]
  if (startPlace === undefined) return { refusal: invalid("start", "Invalid cursor.") }
  if (endPlace === undefined) return { refusal: invalid("end", "Invalid cursor.") }
  const isBackward = start === undefined && end !== undefined
  const from = isBackward ? Math.max(0, endPlace - Number(limit)) : startPlace
  const to = isBackward ? endPlace : startPlace + Number(limit)
  return { accepts, order, from, to }
}

type Selection = Exclude<ReturnType<typeof readSelection>, { readonly refusal: Answer }>

const page = (
  kind: Kind,
  rows: ReadonlyArray<Row>,
  { accepts, from, order, to }: Selection,
  query: Request["query"]
): Answer => {
  const include = wordsOf(query.get("include"))
  const found = rows.filter((row) => accepts(rowField(row))).toSorted(order)
  const data = found.slice(from, to).map((row) => written(kind, row, include))
  return answers.objectPage({
    data,
    totalCount: /^(true|1)$/i.test(query.get("count") ?? "") ? found.length : undefined,
    // There is a next cursor on the last page, too.
    next: data.length === 0 ? undefined : cursorOf(from + data.length),
    prev: from === 0 ? undefined : cursorOf(from)
  })
}

const isScalar = (value: unknown): value is string | number | boolean | null =>
  value === null || Predicate.isString(value) || Predicate.isNumber(value) || Predicate.isBoolean(value)

const isCustom = (value: unknown): value is Custom => Predicate.isObject(value) && Object.values(value).every(isScalar)

/** The fields that a body changes, and its problems. Unknown names are ignored. */
const readChange = (
  body: Readonly<Record<PropertyKey, unknown>>,
  names: ReadonlyArray<string>,
  location = ""
): { readonly change: Change; readonly details: ReadonlyArray<answers.Detail> } => {
  const change = new Map<string, Value | null>()
  const details: Array<answers.Detail> = []
  const complain = (name: string, message: string) =>
    details.push({ message, location: `${location}${name}`, locationType: "body" })
  for (const name of names) {
    const value = body[name]
    const most = longest[name] ?? longestOther
    if (value === undefined) continue
    if (value === null) change.set(name, null)
    else if (name === "custom") {
      if (isCustom(value)) change.set(name, value)
      else complain(name, "Value should be an object of strings, numbers and booleans.")
    } else if (!Predicate.isString(value)) complain(name, "Value should be a string.")
    else if (value.length > most) complain(name, `Value should have at most ${most} characters.`)
    else change.set(name, value)
  }
  return { change, details }
}

const isId = (id: unknown): id is string =>
  Predicate.isString(id) && id !== "" && new TextEncoder().encode(id).length <= longestId

const idDetail = (location: string, locationType: answers.Detail["locationType"]): answers.Detail => ({
  message: `Value should have 1 to ${longestId} bytes.`,
  location,
  locationType
})

const notJson = answers.badObject([], "Request payload must be in JSON format.")

const bodyOf = (body: string) => {
  const content = Option.getOrUndefined(parseJson(body))
  return Predicate.isObject(content) ? content : undefined
}

/** `/uuids/{id}` and `/channels/{id}` */
const one = (keyset: Keyset, kind: Kind, id: string, request: Request, { now, region }: Moment): Answer => {
  const { body, headers, method, query } = request
  const include = wordsOf(query.get("include"))
  const item = keyset.objects.get(kind, id)
  const answer = (item: Item) => answers.object(written(kind, { id, item }, include))
  switch (method) {
    case "GET":
      return item === undefined ? answers.objectNotFound : answer(item)
    case "DELETE":
      keyset.objects.remove(kind, id, region, now)
      return answers.object(null)
    case "PATCH": {
      const content = bodyOf(body)
      if (content === undefined) return notJson
      const { change, details } = readChange(content, [...core[kind], ...optional])
      if (details.length > 0) return answers.badObject(details)
      const expected = headers["if-match"]
      if (expected !== undefined && expected !== item?.eTag) {
        return answers.objectModified(kind === "uuid" ? "User" : "Channel")
      }
      return answer(keyset.objects.set(kind, id, change, region, now))
    }
    default:
      return answers.notFound
  }
}

/** The memberships that a body sets and deletes, each by the id of its other end, and the problems of the body. */
const readMemberships = (kind: Kind, content: Readonly<Record<PropertyKey, unknown>>) => {
  const details: Array<answers.Detail> = []
  const read = (verb: "set" | "delete") => {
    const entries = content[verb] ?? []
    if (!Array.isArray(entries)) {
      details.push({ message: "Value should be a list.", location: verb, locationType: "body" })
      return []
    }
    return entries.flatMap((entry: unknown, index) => {
      const location = `${verb}[${index}].`
      const other = Predicate.isObject(entry) ? entry[kind] : undefined
      const id = Predicate.isObject(other) ? other["id"] : undefined
      if (!Predicate.isObject(entry) || !isId(id)) {
        details.push(idDetail(`${location}${kind}.id`, "body"))
        return []
      }
      const change = readChange(entry, optional, location)
      details.push(...change.details)
      return [{ id, change: change.change }]
    })
  }
  return { set: read("set"), removed: read("delete"), details }
}

/** `/uuids/{id}/channels` and `/channels/{id}/uuids`: the same memberships from either end. */
const relations = (
  keyset: Keyset,
  kind: Kind,
  id: string,
  { body, method, query }: Request,
  { now, region }: Moment
): Answer => {
  if (method !== "GET" && method !== "PATCH") return answers.notFound
  const other = kind === "uuid" ? "channel" : "uuid"
  const selection = readSelection(other, true, query)
  if (selection.refusal !== undefined) return selection.refusal
  if (method === "PATCH") {
    const content = bodyOf(body)
    if (content === undefined) return notJson
    const { details, removed, set } = readMemberships(other, content)
    if (details.length > 0) return answers.badObject(details)
    const ends = (otherId: string) => kind === "uuid" ? [id, otherId] as const : [otherId, id] as const
    for (const { change, id } of set) keyset.objects.join(...ends(id), change, region, now)
    for (const { id } of removed) keyset.objects.leave(...ends(id), region, now)
  }
  const rows = keyset.objects.membershipsOf(kind, id).map(({ item, [other]: otherId }): Row => ({
    id: otherId,
    item,
    other: { item: keyset.objects.get(other, otherId) }
  }))
  return page(other, rows, selection, query)
}

const all = (keyset: Keyset, kind: Kind, { method, query }: Request): Answer => {
  if (method !== "GET") return answers.notFound
  const selection = readSelection(kind, false, query)
  if (selection.refusal !== undefined) return selection.refusal
  return page(kind, [...keyset.objects.all(kind)].map(([id, item]): Row => ({ id, item })), selection, query)
}

const kinds: ReadonlyMap<string, Kind> = new Map([["uuids", "uuid"], ["channels", "channel"]])

/** The operation of a request, and the names that it uses. */
const needsOf = (
  kind: Kind,
  id: string | undefined,
  others: string | undefined,
  { body, method }: Request
): [rights.Operation, Wanted] => {
  // Only a denial of all names refuses the list of all objects.
  if (id === undefined) return ["listObjects", { channels: ["*"] }]
  const own = kind === "uuid" ? { uuids: [id] } : { channels: [id] }
  const isRead = method === "GET"
  if (others === undefined) {
    const verb = isRead ? "get" : method === "DELETE" ? "remove" : "set"
    return [`${verb}${kind === "uuid" ? "User" : "Channel"}`, own]
  }
  if (kind === "channel") return [isRead ? "getMembers" : "changeMembers", own]
  if (isRead) return ["getMemberships", own]
  const { removed, set } = readMemberships("channel", bodyOf(body) ?? {})
  return ["changeMemberships", { ...own, channels: [...set, ...removed].map(({ id }) => id) }]
}

/** Everything under `/v2/objects`. */
export const route = (keyset: Keyset, request: Request, moment: Moment): Answer => {
  const { query, segments } = request
  const [word = "", id, others, ...rest] = segments.slice(3)
  const kind = kinds.get(word)
  if (kind === undefined || rest.length > 0 || id === "") return answers.notFound
  if (others !== undefined && (kinds.get(others) ?? kind) === kind) return answers.notFound
  const refused = keyset.refused(query, ...needsOf(kind, id, others, request))
  const mayList = id !== undefined || keyset.mayList(query, kind === "uuid" ? "uuids" : "channels")
  if (refused.channels.length + refused.uuids.length > 0 || !mayList) return answers.objectsForbidden
  if (!keyset.addOns().appContext) return answers.noObjects
  if (id === undefined) return all(keyset, kind, request)
  if (!isId(id)) return answers.badObject([idDetail(kind, "path")])
  return others === undefined ? one(keyset, kind, id, request, moment) : relations(keyset, kind, id, request, moment)
}
