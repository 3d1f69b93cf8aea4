/**
 * Short marks of events. A cursor has no room for all ids. It names the newest events by 30 bits of a hash each. Older ones are in
 * sums, which tell whether history shows the same events again.
 */

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** How many characters a mark has. */
export const length = 5

/** The mark of an id. Two different ids have the same one in one of 1,000,000,000 cases. */
export const of = (id: string): string => {
  let one = 0x811c9dc5
  let other = 0x9e3779b9
  for (let index = 0; index < id.length; index++) {
    const code = id.charCodeAt(index)
    one = Math.imul(one ^ code, 0x01000193)
    other = Math.imul(other ^ code, 0x85ebca6b)
    other ^= other >>> 13
  }
  one = Math.imul(one ^ (one >>> 16), 0x7feb352d) ^ other
  other = Math.imul(other ^ (other >>> 15), 0x846ca68b) ^ (one >>> 7)
  return textOf(one >>> 26, one >>> 20, one >>> 14, other >>> 26, other >>> 20)
}

/** The text of five numbers, of which the last six bits count. In one piece, since many pieces would be joined when it is read. */
const textOf = (a: number, b: number, c: number, d: number, e: number): string =>
  String.fromCharCode(codeOf(a), codeOf(b), codeOf(c), codeOf(d), codeOf(e))

const codeOf = (digit: number): number => alphabet.charCodeAt(digit & 63)

/** The sum of no marks. */
export const zero = "AAAAA"

/** The XOR of marks and sums. A mark that is added twice cancels itself out. */
export const sum = (marks: Iterable<string>): string => {
  let bits = 0
  for (const mark of marks) bits ^= bitsOf(mark)
  return textOf(bits >>> 24, bits >>> 18, bits >>> 12, bits >>> 6, bits)
}

const bitsOf = (mark: string): number => {
  let bits = 0
  for (let index = 0; index < length; index++) bits = (bits << 6) | (digits[mark.charCodeAt(index)] ?? 0)
  return bits
}

/** The digit of each character of the alphabet, by its code. */
const digits: ReadonlyArray<number> = Array.from(
  { length: 128 },
  (_, code) => alphabet.indexOf(String.fromCharCode(code))
)

/** Joins marks to one text. `split` does the reverse. */
export const join = (marks: ReadonlyArray<string>): string => marks.join("")

export const split = (marks: string): ReadonlyArray<string> =>
  Array.from(
    { length: Math.floor(marks.length / length) },
    (_, index) => marks.slice(index * length, (index + 1) * length)
  )

/** Whether a text of joined marks has a mark. A reader keeps hundreds of them as long as it runs: a set takes ten times the memory. */
export const has = (marks: string, mark: string): boolean => {
  let at = marks.indexOf(mark)
  while (at % length > 0) at = marks.indexOf(mark, at + 1)
  return at >= 0
}

/**
 * Finds the marks that are not in a sum: none, one or two. Gives `undefined` if it cannot tell, because events of the sum are gone
 * or more than two are new.
 */
export const missingFrom = (
  total: { readonly count: number; readonly sum: string },
  marks: ReadonlyArray<string>
): ReadonlySet<string> | undefined => {
  const rest = sum([total.sum, ...marks])
  switch (marks.length - total.count) {
    case 0:
      return rest === zero ? new Set() : undefined
    case 1:
      return marks.includes(rest) ? new Set([rest]) : undefined
    case 2: {
      const all = new Set(marks)
      const one = marks.find((mark) => {
        const other = sum([mark, rest])
        return other !== mark && all.has(other)
      })
      return one === undefined ? undefined : new Set([one, sum([one, rest])])
    }
    default:
      return undefined
  }
}
