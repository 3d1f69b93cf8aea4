/**
 * Patterns of grants: regular expressions in the dialect RE2, which has no look-around and no back-references. A matcher of our
 * own, because a pattern is foreign text: `RegExp` can take for ever with it. This one counts its steps.
 */
import * as Result from "effect/Result"

/** A part of a pattern. */
type Node =
  | { readonly _tag: "Character"; readonly test: (character: string) => boolean }
  | { readonly _tag: "Edge"; readonly test: (text: string, at: number) => boolean }
  | { readonly _tag: "Sequence"; readonly nodes: ReadonlyArray<Node> }
  | { readonly _tag: "Choice"; readonly nodes: ReadonlyArray<Node> }
  | { readonly _tag: "Repeat"; readonly node: Node; readonly min: number; readonly max: number }

/** A pattern that was read. */
export interface Pattern {
  readonly node: Node
  /** Whether it begins with `^` and ends with `$`, in each of its alternatives. */
  readonly isAnchored: boolean
}

const mostLevels = 100
const mostRepeats = 1_000

/** How many steps may still be taken. Several patterns can share it. */
export interface Budget {
  steps: number
}

/** Some milliseconds. */
export const budget = (): Budget => ({ steps: 200_000 })

const start: Node = { _tag: "Edge", test: (_, at) => at === 0 }
const end: Node = { _tag: "Edge", test: (text, at) => at === text.length }

const isWord = (character: string | undefined) => character !== undefined && /\w/.test(character)
const isBoundary = (text: string, at: number) => isWord(text[at - 1]) !== isWord(text[at])

const edges: { readonly [escape: string]: Node } = {
  A: start,
  z: end,
  b: { _tag: "Edge", test: isBoundary },
  B: { _tag: "Edge", test: (text, at) => !isBoundary(text, at) }
}

/** Reads a pattern, or says what is wrong with it. */
export const parse = (source: string): Result.Result<Pattern, string> => {
  let at = 0
  let ignoresCase = false
  let problem: string | undefined
  const fail = (description: string): Node => {
    problem ??= description
    at = source.length
    return { _tag: "Sequence", nodes: [] }
  }

  /** Tests one character with a class, which `RegExp` reads: it takes no time to speak of for one character. */
  const character = (expression: string): Node => {
    try {
      const regExp = new RegExp(`^(?:${expression})$`, ignoresCase ? "sui" : "su")
      return { _tag: "Character", test: (character) => regExp.test(character) }
    } catch {
      return fail(`has ${expression}, which is no character class`)
    }
  }

  const literal = (text: string): Node =>
    ignoresCase
      ? { _tag: "Character", test: (other) => other.toLowerCase() === text.toLowerCase() }
      : { _tag: "Character", test: (other) => other === text }

  const escape = (): Node => {
    const next = source[++at]
    if (next === undefined) return fail("ends with a backslash")
    const edge = edges[next]
    if (edge !== undefined) {
      at++
      return edge
    }
    if (/[1-9k]/.test(next)) return fail("has a back-reference, which the service does not know")
    const known = /^\\(?:[dDwWsSfnrtv]|x[\da-fA-F]{2}|[pP]\{\^?\w+\}|[pP]\w)/.exec(source.slice(at - 1, at + 40))?.[0]
    if (known !== undefined) {
      at += known.length - 1
      return character(known.replace(/^(\\[pP])(\w)$/, "$1{$2}"))
    }
    if (/\w/.test(next)) return fail(`has \\${next}, which is no escape`)
    return one()
  }

  const one = (): Node => {
    const text = String.fromCodePoint(source.codePointAt(at) ?? 0)
    at += text.length
    return literal(text)
  }

  const characterClass = (): Node => {
    const found = /^\[\^?\]?(?:\\[^]|\[:\^?\w+:\]|[^\]\\])*\]/.exec(source.slice(at))?.[0]
    if (found === undefined) return fail("has [ without ]")
    at += found.length
    const inside = found.slice(1, -1).replace(/^(\^?)\]/, "$1\\]")
      .replace(/\[:(\^?)(\w+):\]/g, (whole, not, name) => not === "" ? posix[name] ?? whole : whole)
      .replace(/\\([^])/g, (whole, escaped) => /[\w\\\]^[\-$()*+./?{|}]/.test(escaped) ? whole : escaped)
    return character(`[${inside}]`)
  }

  const group = (level: number): Node => {
    at++
    const head = /^\?(?:P?<([A-Za-z_]\w*)>|([imsU]*)(-[imsU]+)?([:)])|)/.exec(source.slice(at))
    // A flag holds to the end of the group that it is in.
    const before = ignoresCase
    if (head !== null) {
      if (head[0] === "?") return fail("has (? of a form that the service does not know, such as look-around")
      at += head[0].length
      const [, , on = "", off = "", last] = head
      ignoresCase = (ignoresCase || on.includes("i")) && !off.includes("i")
      if (last === ")") return { _tag: "Sequence", nodes: [] }
    }
    const inner = choice(level + 1)
    ignoresCase = before
    if (source[at] !== ")") return fail("has ( without )")
    at++
    return inner
  }

  const atom = (level: number): Node => {
    switch (source[at]) {
      case "(":
        return group(level)
      case "[":
        return characterClass()
      case "\\":
        return escape()
      case ".":
        at++
        return { _tag: "Character", test: (character) => character !== "\n" }
      case "^":
        at++
        return start
      case "$":
        at++
        return end
      case "*":
      case "+":
      case "?":
        return fail(`has ${source[at]} with nothing to repeat`)
      default:
        return one()
    }
  }

  const repeated = (node: Node): Node => {
    const found = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})\??/.exec(source.slice(at, at + 30))
    if (found === null) return node
    at += found[0].length
    const [sign, from, comma, to] = found
    const min = from === undefined ? sign.startsWith("+") ? 1 : 0 : Number(from)
    const max = from === undefined
      ? sign.startsWith("?") ? 1 : Infinity
      : comma === ""
      ? min
      : to === ""
      ? Infinity
      : Number(to)
    if (min > mostRepeats || max !== Infinity && max > mostRepeats || max < min) {
      return fail(`repeats ${sign}, and ${mostRepeats} times are the most`)
    }
    if (/^(?:[*+?]|\{\d+,?\d*\})/.test(source.slice(at, at + 30))) return fail("repeats what is repeated")
    return { _tag: "Repeat", node, min, max }
  }

  const sequence = (level: number): Node => {
    const nodes: Array<Node> = []
    while (at < source.length && source[at] !== "|" && source[at] !== ")") nodes.push(repeated(atom(level)))
    return { _tag: "Sequence", nodes }
  }

  const choice = (level: number): Node => {
    if (level > mostLevels) return fail(`has more than ${mostLevels} levels`)
    const nodes = [sequence(level)]
    while (source[at] === "|") {
      at++
      nodes.push(sequence(level))
    }
    return { _tag: "Choice", nodes }
  }

  const node = choice(0)
  if (problem === undefined && at < source.length) problem = "has ) without ("
  return problem === undefined ? Result.succeed({ node, isAnchored: isAnchored(node) }) : Result.fail(problem)
}

const posix: { readonly [name: string]: string } = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  digit: "0-9",
  lower: "a-z",
  upper: "A-Z",
  word: "\\w",
  space: "\\s",
  xdigit: "0-9A-Fa-f"
}

const isAnchored = (node: Node): boolean => begins(node, start, 0) && begins(node, end, -1)

/** Whether every match touches this edge. */
const begins = (node: Node, edge: Node, side: 0 | -1): boolean => {
  if (node === edge) return true
  switch (node._tag) {
    case "Choice":
      return node.nodes.every((node) => begins(node, edge, side))
    case "Sequence": {
      const outer = node.nodes.at(side)
      return outer !== undefined && begins(outer, edge, side)
    }
    default:
      return false
  }
}

/** Whether a pattern is found in a text. `undefined` if it would take too many steps to say. */
export const isFound = ({ node }: Pattern, text: string, left = budget()): boolean | undefined => {
  /** The places where the node can end if it begins at one of these. */
  const ends = (node: Node, from: ReadonlySet<number>): ReadonlySet<number> => {
    left.steps -= 1 + from.size
    if (left.steps < 0 || from.size === 0) return new Set()
    switch (node._tag) {
      case "Character": {
        const reached = new Set<number>()
        for (const at of from) {
          const point = text.codePointAt(at)
          if (point === undefined) continue
          const character = String.fromCodePoint(point)
          if (node.test(character)) reached.add(at + character.length)
        }
        return reached
      }
      case "Edge":
        return new Set([...from].filter((at) => node.test(text, at)))
      case "Sequence":
        return node.nodes.reduce((reached, node) => ends(node, reached), from)
      case "Choice": {
        const reached = new Set<number>()
        for (const each of node.nodes) for (const at of ends(each, from)) reached.add(at)
        return reached
      }
      case "Repeat": {
        let reached: ReadonlySet<number> = from
        for (let time = 0; time < node.min && reached.size > 0; time++) reached = ends(node.node, reached)
        const all = new Set(reached)
        for (let time = node.min; time < node.max && reached.size > 0; time++) {
          reached = new Set([...ends(node.node, reached)].filter((at) => !all.has(at)))
          for (const at of reached) all.add(at)
        }
        return all
      }
    }
  }

  const found = ends(node, new Set(Array.from({ length: text.length + 1 }, (_, at) => at))).size > 0
  return left.steps < 0 ? undefined : found
}

/** The same for the text of a pattern. `undefined` also if it is no pattern. Reading it takes a step for each character. */
export const isFoundBy = (source: string, text: string, left: Budget): boolean | undefined => {
  left.steps -= source.length
  const pattern = left.steps < 0 ? undefined : Result.getOrUndefined(parse(source))
  return pattern === undefined ? undefined : isFound(pattern, text, left)
}
