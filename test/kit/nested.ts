/** JSON that overflows the stack of whatever walks it by recursion: `JSON.stringify` does from some thousand levels on. */

export const lists = (levels: number): string => "[".repeat(levels) + "]".repeat(levels)

export const objects = (levels: number): string => `${"{\"a\":".repeat(levels)}1${"}".repeat(levels)}`

/** What a foreigner may send: a message has at most 32,768 bytes. */
export const hostile = [
  ["5,440 lists", lists(5_440)],
  ["8,000 lists", lists(8_000)],
  ["16,000 lists", lists(16_000)],
  ["5,440 objects", objects(5_440)]
] as const
