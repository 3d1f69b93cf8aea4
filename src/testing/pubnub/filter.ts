/**
 * The language of `filter-expr`: one expression over the payload (`data.`), the metadata (`meta.`, or a bare name) and
 * the publisher (`uuid`) of a message.
 */
import * as Predicate from "effect/Predicate"
import { like, nesting, tokenize } from "./tokens.ts"

/** The parts of a message that a filter can see. */
export interface Subject {
  readonly data: unknown
  readonly meta: unknown
  readonly uuid: string | undefined
}

/** Whether a message passes. */
export type Filter = (subject: Subject) => boolean

type Expression = (subject: Subject) => unknown

const tokenPattern =
  /\s*(?:(?<number>\d+(?:\.\d+)?)|"(?<double>[^"]*)"|'(?<single>[^']*)'|(?<name>[A-Za-z_]\w*)|(?<operator>==|!=|<=|>=|&&|\|\||[<>!+\-*/%().[\]]))/y

const numbers = (f: (left: number, right: number) => unknown) => (left: unknown, right: unknown) =>
  Predicate.isNumber(left) && Predicate.isNumber(right) ? f(left, right) : undefined

const contains = (value: unknown, part: unknown) =>
  Array.isArray(value)
    ? value.includes(part)
    : Predicate.isString(value) && Predicate.isString(part) && value.includes(part)

/** The binary operators: precedence and function. */
const operators: ReadonlyMap<string, readonly [power: number, (left: unknown, right: unknown) => unknown]> = new Map([
  ["||", [1, (left, right) => left === true || right === true]],
  ["&&", [2, (left, right) => left === true && right === true]],
  ["==", [3, (left, right) => left !== undefined && left === right]],
  ["!=", [3, (left, right) => left !== right]],
  ["<", [3, numbers((left, right) => left < right)]],
  ["<=", [3, numbers((left, right) => left <= right)]],
  [">", [3, numbers((left, right) => left > right)]],
  [">=", [3, numbers((left, right) => left >= right)]],
  ["LIKE", [3, (left, right) => Predicate.isString(left) && Predicate.isString(right) && like(left, right)]],
  ["CONTAINS", [3, contains]],
  ["+", [4, numbers((left, right) => left + right)]],
  ["-", [4, numbers((left, right) => left - right)]],
  ["*", [5, numbers((left, right) => left * right)]],
  ["/", [5, numbers((left, right) => left / right)]],
  ["%", [5, numbers((left, right) => left % right)]]
])

const field = (value: unknown, path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (inner, key) => Predicate.isObject(inner) && Object.hasOwn(inner, key) ? inner[key] : undefined,
    value
  )

/**
 * Parses an expression; `undefined` if it is malformed. The service answers 400 then.
 */
export const parse = (source: string): Filter | undefined => {
  const tokens = tokenize(source, tokenPattern)
  if (tokens === undefined) return undefined
  let position = 0
  const nested = nesting()
  const peek = () => tokens[position]
  const accept = (text: string) => {
    const token = peek()
    if (token?.kind !== "operator" || token.text !== text) return false
    position++
    return true
  }

  const path = (first: string): Expression | undefined => {
    const keys = [first]
    while (true) {
      const bracket = accept("[")
      if (!bracket && !accept(".")) break
      const key = tokens[position++]
      if (key?.kind !== (bracket ? "string" : "name") || (bracket && !accept("]"))) return undefined
      keys.push(key.text)
    }
    const [root, ...rest] = keys
    if (root === "data" || root === "meta") {
      return rest.length === 0 ? undefined : (subject) => field(subject[root], rest)
    }
    return root === "uuid" && rest.length === 0 ? (subject) => subject.uuid : (subject) => field(subject.meta, keys)
  }

  const operand = (): Expression | undefined => {
    if (accept("(")) {
      const inner = nested(() => expression(0))
      return accept(")") ? inner : undefined
    }
    if (accept("!")) {
      const inner = nested(operand)
      return inner && ((subject) => inner(subject) !== true)
    }
    if (accept("-")) {
      const inner = nested(operand)
      return inner && ((subject) => numbers((zero, value) => zero - value)(0, inner(subject)))
    }
    const token = tokens[position++]
    if (token === undefined || token.kind === "operator") return undefined
    if (token.kind === "name" && token.text !== "true" && token.text !== "false") return path(token.text)
    const literal = token.kind === "number"
      ? Number(token.text)
      : token.kind === "string"
      ? token.text
      : token.text === "true"
    return () => literal
  }

  /** A chain of operands and operators of any length, without recursion on its left side. */
  const expression = (floor: number): Expression | undefined => {
    const first = operand()
    if (first === undefined) return undefined
    const steps: Array<(left: unknown, subject: Subject) => unknown> = []
    while (true) {
      const token = peek()
      const operator = token === undefined || token.kind === "string" ? undefined : operators.get(token.text)
      if (operator === undefined || operator[0] <= floor) break
      position++
      const [power, apply] = operator
      const right = expression(power)
      if (right === undefined) return undefined
      steps.push((left, subject) => apply(left, right(subject)))
    }
    return (subject) => steps.reduce((left, step) => step(left, subject), first(subject))
  }

  const root = expression(0)
  return root === undefined || position < tokens.length ? undefined : (subject) => root(subject) === true
}
