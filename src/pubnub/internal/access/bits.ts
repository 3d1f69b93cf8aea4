/** Rights on the wire: the bits of a number. */

const bits = [
  ["read", 1],
  ["write", 2],
  ["manage", 4],
  ["delete", 8],
  ["create", 16],
  ["get", 32],
  ["update", 64],
  ["join", 128]
] as const

type Right = typeof bits[number][0]

/** The rights that mean something on each kind. */
export const channelRights = ["read", "write", "manage", "delete", "get", "update", "join"] as const
export const groupRights = ["read", "manage"] as const
export const userRights = ["get", "update", "delete"] as const

/** The rights of a number. Bits that have no name are left out. */
export const rightsOf = (mask: number): ReadonlyArray<Right> =>
  bits.flatMap(([right, bit]) => (mask & bit) === 0 ? [] : [right])

/** The number of some rights. */
export const maskOf = (rights: ReadonlyArray<Right>): number =>
  bits.reduce((mask, [right, bit]) => rights.includes(right) ? mask | bit : mask, 0)
