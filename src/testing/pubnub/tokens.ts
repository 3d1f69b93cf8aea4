/** What both filter languages share: the tokenizer and `LIKE`. */

export interface Token {
  readonly kind: "number" | "string" | "name" | "operator"
  readonly text: string
}

/** The tokens of a text. `pattern` is sticky and has a group for each kind; strings have `double` and `single`. */
export const tokenize = (source: string, pattern: RegExp): ReadonlyArray<Token> | undefined => {
  const tokens: Array<Token> = []
  const rest = new RegExp(pattern)
  const end = source.trimEnd().length
  while (rest.lastIndex < end) {
    const groups = rest.exec(source)?.groups
    if (groups === undefined) return undefined
    const { double, name, number, operator, single } = groups
    if (number !== undefined) tokens.push({ kind: "number", text: number })
    else if (name !== undefined) tokens.push({ kind: "name", text: name })
    else if (operator !== undefined) tokens.push({ kind: "operator", text: operator })
    else tokens.push({ kind: "string", text: double ?? single ?? "" })
  }
  return tokens
}

/** For each beginning of a text, the length of its longest part that it both begins and ends with (Knuth, Morris, Pratt). */
const bordersOf = (text: string): ReadonlyArray<number> => {
  const borders = [0]
  let length = 0
  for (let at = 1; at < text.length; at++) {
    while (length > 0 && text[at] !== text[length]) length = borders[length - 1] ?? 0
    if (text[at] === text[length]) length++
    borders.push(length)
  }
  return borders
}

/** Where a part ends in a text, or -1. `indexOf` takes quadratic time for some texts. */
const endOf = (text: string, part: string, from: number): number => {
  const borders = bordersOf(part)
  let length = 0
  for (let at = from; length < part.length; at++) {
    if (at === text.length) return -1
    while (length > 0 && text[at] !== part[length]) length = borders[length - 1] ?? 0
    if (text[at] === part[length]) length++
    if (length === part.length) return at + 1
  }
  return from
}

/** Whether a text matches a pattern, in which `*` is any text. Takes linear time. */
export const like = (text: string, pattern: string): boolean => {
  const [first = "", ...others] = pattern.split("*")
  const last = others.pop()
  if (last === undefined) return text === pattern
  if (!text.startsWith(first)) return false
  let end = first.length
  for (const part of others) {
    end = endOf(text, part, end)
    if (end === -1) return false
  }
  return text.endsWith(last) && text.length - last.length >= end
}

/** Limits how deep an expression is nested. */
export const nesting = (most = 500) => {
  let levels = 0
  return <A>(parse: () => A | undefined): A | undefined => {
    if (levels === most) return undefined
    levels++
    const found = parse()
    levels--
    return found
  }
}
