/** Which right each operation of the service needs: the one table of the emulator. */

/** What a right is on. */
export type Kind = "channels" | "groups" | "uuids"

/** The bits of rights in a token. */
export const bits = { read: 1, write: 2, manage: 4, delete: 8, get: 32, update: 64, join: 128 } as const

export type Right = keyof typeof bits

const channel = (right: Right) => ({ channels: right })
const both = (right: Right) => ({ channels: right, groups: right })

/** By operation, for each kind of name that it has. */
export const table = {
  publish: channel("write"),
  signal: channel("write"),
  subscribe: both("read"),
  leave: both("read"),
  heartbeat: both("read"),
  hereNow: both("read"),
  getState: both("read"),
  setState: both("read"),
  fetchHistory: channel("read"),
  countMessages: channel("read"),
  deleteMessages: channel("delete"),
  getActions: channel("read"),
  addAction: channel("write"),
  removeAction: channel("delete"),
  changeGroup: { groups: "manage" },
  listGroup: { groups: "manage" },
  getUser: { uuids: "get" },
  setUser: { uuids: "update" },
  removeUser: { uuids: "delete" },
  getChannel: channel("get"),
  setChannel: channel("update"),
  removeChannel: channel("delete"),
  getMembers: channel("get"),
  changeMembers: channel("manage"),
  getMemberships: { uuids: "get" },
  changeMemberships: { channels: "join", uuids: "update" },
  changePush: channel("read"),
  sendFile: channel("write"),
  readFiles: channel("read"),
  deleteFile: channel("delete"),
  /** Any token will do. A keyset that disallows them asks for a category. */
  listObjects: {}
} as const satisfies { readonly [operation: string]: { readonly [kind in Kind]?: Right } }

export type Operation = keyof typeof table

/** The bit that an operation needs on names of a kind; 0 for none. */
export const bitOf = (operation: Operation, kind: Kind): number => {
  const { [kind]: right }: { readonly [kind in Kind]?: Right } = table[operation]
  return right === undefined ? 0 : bits[right]
}
