/** The operations of a pod, its Agent and its key manager, with their methods and paths. */

interface Operation {
  /** What the request is for, as a test names it. */
  readonly kind: string
  readonly method: "GET" | "POST" | "DELETE"
  /** Split at its slashes; a colon is any segment. */
  readonly path: string
}

export const operations = {
  podLogin: { kind: "login", method: "POST", path: "/login/pubkey/authenticate" },
  keyManagerLogin: { kind: "login", method: "POST", path: "/relay/pubkey/authenticate" },
  appLogin: { kind: "login", method: "POST", path: "/login/pubkey/app/authenticate" },
  userIdLogin: { kind: "login", method: "POST", path: "/login/pubkey/app/user/:/authenticate" },
  usernameLogin: { kind: "login", method: "POST", path: "/login/pubkey/app/username/:/authenticate" },
  agentInfo: { kind: "agentInfo", method: "GET", path: "/agent/v1/info" },
  send: { kind: "send", method: "POST", path: "/agent/v4/stream/:/message/create" },
  update: { kind: "update", method: "POST", path: "/agent/v4/stream/:/message/:/update" },
  blast: { kind: "blast", method: "POST", path: "/agent/v4/message/blast" },
  import: { kind: "import", method: "POST", path: "/agent/v4/message/import" },
  get: { kind: "get", method: "GET", path: "/agent/v1/message/:" },
  list: { kind: "list", method: "GET", path: "/agent/v4/stream/:/message" },
  search: { kind: "search", method: "POST", path: "/agent/v1/message/search" },
  attachment: { kind: "attachment", method: "GET", path: "/agent/v1/stream/:/attachment" },
  attachments: { kind: "attachments", method: "GET", path: "/pod/v1/streams/:/attachments" },
  allowedTypes: { kind: "allowedTypes", method: "GET", path: "/pod/v1/files/allowedTypes" },
  suppress: {
    kind: "suppress",
    method: "POST",
    path: "/pod/v1/admin/messagesuppression/:/suppress"
  },
  status: { kind: "status", method: "GET", path: "/pod/v1/message/:/status" },
  receipts: { kind: "receipts", method: "GET", path: "/pod/v1/admin/messages/:/receipts" },
  relationships: {
    kind: "relationships",
    method: "GET",
    path: "/pod/v1/admin/messages/:/metadata/relationships"
  },
  sessionInfo: { kind: "sessionInfo", method: "GET", path: "/pod/v2/sessioninfo" },
  listFeeds: { kind: "datafeed", method: "GET", path: "/agent/v5/datafeeds" },
  createFeed: { kind: "datafeed", method: "POST", path: "/agent/v5/datafeeds" },
  readFeed: { kind: "datafeed", method: "POST", path: "/agent/v5/datafeeds/:/read" },
  deleteFeed: { kind: "datafeed", method: "DELETE", path: "/agent/v5/datafeeds/:" }
} as const satisfies Record<string, Operation>

export type Name = keyof typeof operations

/** What a request is for. */
export type Kind = (typeof operations)[Name]["kind"]

const isName = (name: string): name is Name => Object.hasOwn(operations, name)

const matches = (path: string, segments: ReadonlyArray<string>) => {
  const expected = path.split("/").slice(1)
  return expected.length === segments.length &&
    expected.every((segment, i) => segment === ":" ? segments[i] !== "" : segment === segments[i])
}

/** The operations at a path, whatever the method. */
const at = (segments: ReadonlyArray<string>): ReadonlyArray<Name> =>
  Object.keys(operations).filter(isName).filter((name) => matches(operations[name].path, segments))

/** The operation of a method and a path, still percent-encoded; and whether the path exists for any method. */
export const find = (method: string, path: string): {
  readonly name: Name | undefined
  readonly parameters: ReadonlyArray<string>
  readonly exists: boolean
} => {
  const segments = path.split("/").slice(1)
  const found = at(segments)
  const name = found.find((name) => operations[name].method === method)
  const expected = name === undefined ? [] : operations[name].path.split("/").slice(1)
  return { name, parameters: segments.filter((_, i) => expected[i] === ":"), exists: found.length > 0 }
}

/** What a request is for, if it is for Symphony. */
export const kindOf = (method: string, path: string): Kind | undefined => {
  const { name } = find(method, path)
  return name === undefined ? undefined : operations[name].kind
}

const kinds: ReadonlySet<string> = new Set(Object.values(operations).map(({ kind }) => kind))

export const isKind = (kind: string): kind is Kind => kinds.has(kind)
