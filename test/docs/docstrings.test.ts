/** Every public symbol is documented. `compiler.test.ts` compiles the examples. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { modules } from "./files.ts"
import { root } from "../kit/scratch.ts"

const categories = [
  "combinators",
  "constants",
  "constructors",
  "conversions",
  "elements",
  "errors",
  "events",
  "layers",
  "models",
  "predicates",
  "requests",
  "schemas",
  "services",
  "streams"
]

describe("every exported symbol", () => {
  it.each(modules)("of %s has a docstring with a category", (file) => {
    const lines = Fs.readFileSync(Path.join(root, file), "utf8").split("\n")
    const missing = lines.flatMap((line, index) => {
      if (!/^export (declare )?(const|function|class|interface|type|namespace)\b/.test(line)) return []
      // Overloads share the docstring of the first; @internal symbols are not shipped.
      const name = /^export (?:declare )?\w+ (\w+)/.exec(line)?.[1]
      if (
        line.startsWith("export function") &&
        lines.slice(0, index).some((other) => other.startsWith(`export function ${name}`))
      ) {
        return []
      }
      const before = lines[index - 1] ?? ""
      if (/@internal/.test(before)) return []
      if (before.trim() !== "*/") return [`${index + 1}: ${line}`]
      const start = lines.slice(0, index).findLastIndex((other) => other.trim() === "/**")
      const doc = lines.slice(start, index).join("\n")
      const category = /@category (.+)/.exec(doc)?.[1] ?? "none"
      return categories.includes(category) ? [] : [`${index + 1}: @category ${category}: ${line}`]
    })
    assert.deepStrictEqual(missing, [])
  })
})

/** A source with its comments and the text of its literals blanked out. A docstring becomes `@`. All positions stay. */
const blanked = (source: string): string =>
  source.replaceAll(
    /\/\*[\s\S]*?\*\/|\/\/.*|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g,
    (text) => (text.startsWith("/**") ? "@" : " ") + text.slice(1).replaceAll(/./g, " ")
  )

/** The exported types of a source, blanked, each up to the next statement. Of a class, its options and body are left out. */
const typesOf = (source: string) =>
  [...source.matchAll(/^export (?:declare |abstract )*(?:interface|type|class)\b[\s\S]*?(?=^[a-z/]|(?![\s\S]))/gm)].map(
    ({ 0: statement, index }) => {
      const [type = ""] = blanked(statement).split(/\{\s+message: (?:\(|\w+ =>)|\) \{\n/)
      return { index, type }
    }
  )

/**
 * The members of exported types that have no docstring, except `_tag`. A member starts on its line, or after `{`, `;` or `,`,
 * directly in the `{` of a type or of the fields of a schema. In a schema, one whose value is text is an annotation or a rename.
 */
const undocumented = (text: string): ReadonlyArray<string> =>
  typesOf(text).flatMap(({ index: start, type: source }) => {
    const open: Array<string> = []
    return [...source].flatMap((letter, index) => {
      if ("{([".includes(letter)) open.push(letter)
      if ("})]".includes(letter)) open.pop()
      const before = source.slice(0, index)
      if (open.at(-1) !== "{" || !/[{;,\n@] *$/.test(before) || before.trimEnd().endsWith("@")) return []
      const name = /^(?:readonly (?=\w+\??:)|(?=\w+\??(?:\(|:(?! +[,}\n]))))(\w+)/.exec(
        source.slice(index, index + 100)
      )?.[1]
      return name === undefined || name === "_tag"
        ? []
        : [`${text.slice(0, start + index).split("\n").length}: ${name}`]
    })
  })

describe("every member of an exported type", () => {
  it.each(modules)("of %s has a docstring", (file) => {
    assert.deepStrictEqual(undocumented(Fs.readFileSync(Path.join(root, file), "utf8")), [])
  })

  it.each([
    ["interface A {\n  readonly a: string\n}", ["2: a"]],
    ["interface A {\n  /** A. */\n  readonly a: string\n  b(c: string): void\n}", ["4: b"]],
    ["interface A {\n  /** A { readonly b: string }. */\n  readonly a: (b: string, c?: { readonly d: 1 }) => void\n}", [
      "3: d"
    ]],
    ["interface A {\n  // A.\n  readonly a?: string\n}", ["3: a"]],
    ["type A =\n  | { readonly _tag: \"A\"; readonly a: 1; /** B. */ readonly b: 2 }\n  | {}", ["2: a"]],
    ["class A extends B<A, {\n  readonly a: string\n}>()(\"A\") {}", ["2: a"]],
    ["class A extends B<A>(\"A\", {\n  a: String\n}, {\n  message: ({ c }) => c\n}) {\n  d = 1\n}", ["2: a"]]
  ])("without a docstring is found: %s", (source, missing) => {
    assert.deepStrictEqual(undocumented(`export ${source}\n`), missing)
  })
})

it("Publish.size names the ideal size of a message", () => {
  const source = Fs.readFileSync(Path.join(root, "src/pubnub/Publish.ts"), "utf8")
  const doc = source.slice(0, source.indexOf("export const size ")).split("/**").at(-1) ?? ""
  assert.match(doc, /\b1,800\b/)
})
