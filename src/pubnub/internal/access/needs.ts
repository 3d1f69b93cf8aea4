/**
 * Which right an operation needs, and on what: the one table of the client. The emulator has its own, and a test compares both with
 * the table of the service's documents.
 */
import * as Struct from "effect/Struct"
import * as Url from "../../../internal/url.ts"
import type { AccessExplanation } from "../../AccessExplanation.ts"

type Missing = Extract<AccessExplanation, { readonly _tag: "NoSuchResource" }>

/** One right on one name. */
export type Need = Pick<Missing, "kind" | "name" | "right">

/** The rights that an operation needs on each of its channels, groups and users. */
export interface Needs {
  readonly channel?: Need["right"]
  readonly group?: Need["right"]
  readonly user?: Need["right"]
}

const read: Needs = { channel: "read", group: "read" }
const write: Needs = { channel: "write" }
const manageGroup: Needs = { group: "manage" }

/** By function. `Subscribe.stream` stands for all subscriptions, their heartbeats and leaves. */
export const table = {
  "Publish.publish": write,
  "Publish.fire": write,
  "Publish.signal": write,
  "Publisher.publish": write,
  "Subscribe.stream": read,
  "Presence.hereNow": read,
  "Presence.stream": read,
  "Presence.live": read,
  "Presence.getState": read,
  "Presence.setState": read,
  "Presence.whereNow": {},
  "History.list": read,
  "History.stream": read,
  "History.listByChannel": read,
  "History.count": read,
  "History.remove": { channel: "delete" },
  "MessageActions.list": read,
  "MessageActions.stream": read,
  "MessageActions.live": read,
  "MessageActions.add": write,
  "MessageActions.remove": { channel: "delete" },
  "ChannelGroups.list": {},
  "ChannelGroups.listChannels": manageGroup,
  "ChannelGroups.addChannels": manageGroup,
  "ChannelGroups.removeChannels": manageGroup,
  "ChannelGroups.remove": manageGroup,
  "Users.get": { user: "get" },
  "Users.set": { user: "update" },
  "Users.update": { user: "update" },
  "Users.remove": { user: "delete" },
  "Users.list": {},
  "Users.stream": {},
  "Users.live": { user: "get" },
  "Channels.get": { channel: "get" },
  "Channels.set": { channel: "update" },
  "Channels.update": { channel: "update" },
  "Channels.remove": { channel: "delete" },
  "Channels.list": {},
  "Channels.stream": {},
  "Channels.live": { channel: "get" },
  "Members.list": { channel: "get" },
  "Members.stream": { channel: "get" },
  "Members.live": { channel: "get" },
  "Members.set": { channel: "manage" },
  "Members.update": { channel: "manage" },
  "Members.remove": { channel: "manage" },
  "Members.manage": { channel: "manage" },
  "Memberships.list": { user: "get" },
  "Memberships.stream": { user: "get" },
  "Memberships.live": { user: "get" },
  "Memberships.set": { channel: "join", user: "update" },
  "Memberships.update": { channel: "join", user: "update" },
  "Memberships.remove": { channel: "join", user: "update" },
  "Memberships.manage": { channel: "join", user: "update" },
  "Files.send": write,
  "Files.announce": write,
  "Files.findAnnouncement": { channel: "read" },
  "Files.list": { channel: "read" },
  "Files.stream": { channel: "read" },
  "Files.url": { channel: "read" },
  "Files.download": { channel: "read" },
  "Files.downloadBytes": { channel: "read" },
  "Files.downloadText": { channel: "read" },
  "Files.remove": { channel: "delete" },
  "Push.addChannels": { channel: "read" },
  "Push.removeChannels": { channel: "read" },
  "Push.listChannels": { channel: "read" },
  // What it needs is not known.
  "Push.removeDevice": {},
  "Time.now": {}
} as const satisfies { readonly [operation: string]: Needs }

/** The functions of the table. */
export type Operation = keyof typeof table

export const operations: ReadonlyArray<Operation> = /* @__PURE__ */ Struct.keys(table)

const isOperation = (name: string): name is Operation => Object.hasOwn(table, name)

/** The names of a call. */
export interface Names {
  readonly channels?: ReadonlyArray<string> | undefined
  readonly groups?: ReadonlyArray<string> | undefined
  readonly users?: ReadonlyArray<string> | undefined
}

/** The rights that an operation needs on its names. */
export const ofOperation = (
  operation: Operation,
  { channels = [], groups = [], users = [] }: Names
): ReadonlyArray<Need> => {
  const { channel, group, user }: Needs = isOperation(operation) ? table[operation] : {}
  const each = (kind: Need["kind"], right: Need["right"] | undefined, names: ReadonlyArray<string>) =>
    right === undefined ? [] : names.map((name) => ({ kind, name, right }))
  return [...each("channel", channel, channels), ...each("group", group, groups), ...each("user", user, users)]
}

/** The category that an operation needs to list all of its kind, if the keyset demands one. */
export const listedBy = (operation: string): "channel" | "user" | undefined =>
  /^Users\.(list|stream)$/.test(operation)
    ? "user"
    : /^Channels\.(list|stream)$/.test(operation)
    ? "channel"
    : undefined

/** A request as it is sent. */
export interface Request {
  readonly operation: string
  readonly method: string
  /** Percent-encoded. */
  readonly path: string
  readonly query: string
}

/** The rights that a request needs, on the names that it has, or only on those that the service named. */
export const ofRequest = (request: Request, named: Names): ReadonlyArray<Need> => {
  const operation = operationOf(request)
  if (operation === undefined) return []
  const isNamed = (named.channels?.length ?? 0) + (named.groups?.length ?? 0) > 0
  return ofOperation(operation, isNamed ? named : namesOf(request))
}

// An update reads before it writes, and its error should say which of them was refused.
const operationOf = ({ method, operation }: Request): Operation | undefined => {
  const [module = ""] = operation.split(".")
  const name = module === "Subscribe"
    ? "Subscribe.stream"
    : operation.endsWith(".update") && method === "GET"
    ? `${module}.${module.startsWith("Member") ? "list" : "get"}`
    : operation
  return isOperation(name) ? name : undefined
}

/** The segment of a path before the names, and what they are. */
const places: { readonly [segment: string]: keyof Names } = {
  channel: "channels",
  channels: "channels",
  "message-counts": "channels",
  "channel-group": "groups",
  uuids: "users"
}

const namesOf = ({ path, query }: Request): Names => {
  const segments = path.split("/").slice(1)
  const parameters = new URLSearchParams(query)
  const listed = (name: string) => listOf(parameters.get(name) ?? "")
  const groups = listed("channel-group")
  const [first, second, third] = segments
  if (second === "push") return { channels: [...listed("add"), ...listed("remove")] }
  // The key may be any word.
  const behindKey = third === "sub-key" ? 4 : 3
  const at = first === "publish" || first === "signal"
    ? 4
    : second === "publish"
    ? 5
    : third === "publish-file"
    ? 6
    : second === "subscribe"
    ? 3
    : 1 + segments.findIndex((segment, index) => index >= behindKey && Object.hasOwn(places, segment))
  const kind = places[segments[at - 1] ?? ""] ?? "channels"
  const names = at === 0 ? [] : listOf(segments[at] ?? "").map(Url.decode)
  return { groups, [kind]: names }
}

const listOf = (text: string): ReadonlyArray<string> => text.split(",").filter((name) => name !== "")
