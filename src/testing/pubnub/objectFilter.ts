/** The language of `filter` in App Context: comparisons of fields with values, and, or, not, parentheses. */
import { like, nesting, type Token, tokenize } from "./tokens.ts"

/** The value of a field: text, a time in microseconds since 1970, or nothing. */
export type Field = string | bigint | undefined

/** Whether a row passes. The row is a function from names to values. */
export type Filter = (field: (name: string) => Field) => boolean

const tokenPattern =
  /\s*(?:(?<number>-?\d+(?:\.\d+)?)|"(?<double>[^"]*)"|'(?<single>[^']*)'|(?<name>[A-Za-z_][\w.]*)|(?<operator>==|!=|<=|>=|&&|\|\||[<>!()]))/y

const words: ReadonlyMap<string, string> = new Map([["and", "&&"], ["or", "||"], ["like", "like"]])

/** The operators that are words are operators too. */
const tokensOf = (source: string): ReadonlyArray<Token> | undefined =>
  tokenize(source, tokenPattern)?.map((token) => {
    const word = token.kind === "name" ? words.get(token.text.toLowerCase()) : undefined
    return word === undefined ? token : { kind: "operator", text: word }
  })

/** Microseconds since 1970 of a time in ISO 8601, with any number of digits after the second. */
export const microsOf = (text: string): bigint | undefined => {
  const fraction = /\.(\d{1,9})(?=Z|[+-])/.exec(text)?.[1] ?? ""
  const millis = Date.parse(text.replace(`.${fraction}`, ""))
  return Number.isNaN(millis) ? undefined : BigInt(millis) * 1_000n + BigInt(fraction.padEnd(6, "0").slice(0, 6))
}

const comparisons: ReadonlyMap<string, (left: string | bigint, right: string | bigint) => boolean> = new Map([
  ["==", (left, right) => left === right],
  ["<", (left, right) => left < right],
  ["<=", (left, right) => left <= right],
  [">", (left, right) => left > right],
  [">=", (left, right) => left >= right]
])

/** Nothing is different from every value; all other comparisons with it are false. */
const compare = (operator: string, left: Field, value: string): boolean => {
  if (operator === "!=") return !compare("==", left, value)
  const right = typeof left === "bigint" ? microsOf(value) : value
  if (left === undefined || right === undefined) return false
  return operator === "like"
    ? typeof left === "string" && like(left, value)
    : comparisons.get(operator)?.(left, right) === true
}

/** Parses an expression over these fields; `undefined` if it is malformed. The service answers 400 then. */
export const parse = (source: string, fields: ReadonlyArray<string>): Filter | undefined => {
  const tokens = tokensOf(source)
  if (tokens === undefined) return undefined
  let position = 0
  const nested = nesting()
  const accept = (text: string) => {
    const token = tokens[position]
    if (token?.kind !== "operator" || token.text !== text) return false
    position++
    return true
  }

  const comparison = (): Filter | undefined => {
    const [name, operator, value] = tokens.slice(position, position + 3)
    position += 3
    if (name?.kind !== "name" || !fields.includes(name.text)) return undefined
    if (operator?.kind !== "operator" || value?.kind !== "string" && value?.kind !== "number") return undefined
    if (operator.text !== "like" && operator.text !== "!=" && !comparisons.has(operator.text)) return undefined
    return (field) => compare(operator.text, field(name.text), value.text)
  }

  const term = (): Filter | undefined => {
    if (accept("!")) {
      const inner = nested(term)
      return inner && ((field) => !inner(field))
    }
    if (!accept("(")) return comparison()
    const inner = nested(any)
    return accept(")") ? inner : undefined
  }

  /** One or more operands with the same operator between them. */
  const several = (one: () => Filter | undefined, operator: string): ReadonlyArray<Filter> | undefined => {
    const filters: Array<Filter> = []
    do {
      const filter = one()
      if (filter === undefined) return undefined
      filters.push(filter)
    } while (accept(operator))
    return filters
  }

  const all = (): Filter | undefined => {
    const filters = several(term, "&&")
    return filters && ((field) => filters.every((filter) => filter(field)))
  }

  const any = (): Filter | undefined => {
    const filters = several(all, "||")
    return filters && ((field) => filters.some((filter) => filter(field)))
  }

  const root = any()
  return position < tokens.length ? undefined : root
}
