/**
 * The public surface of the package as text: a line for each export of each public module, from the compiler's
 * declarations.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { root, tsc, withFolder } from "../kit/scratch.ts"

export const path = Path.join(root, "docs/reference/api.md")

/** Writes the declarations of `src`, and returns what the compiler says. `npm run check` checks `src`. */
export const emitDeclarations = (folder: string): string =>
  tsc("-p", "tsconfig.build.json", "--emitDeclarationOnly", "--noCheck", "--outDir", folder)

const isPublic = (module: string) =>
  !/(^|\/)(internal|cli|testing\/(server|pubnub|symphony))\//.test(module) && !module.endsWith("index")

/** A declaration on one line, without what every one of them has. */
const oneLine = (text: string): string =>
  text.replaceAll(/\s+/g, " ").replace(/^(export )?(default )?(declare )?/, "").replace(/;$/, "").replaceAll(
    "; }",
    " }"
  ).trim()

const withoutComments = (source: string): string =>
  source.replaceAll(/("(?:[^"\\\n]|\\.)*")|\/\*[\s\S]*?\*\/|^\/\/#.*$/gm, (_, text: string | undefined) => text ?? "")

/** The top-level statements of a declaration file: each starts at the start of a line. */
const statementsOf = (source: string): ReadonlyArray<string> =>
  withoutComments(source).split(/^(?=(?:export|declare|interface|type|import)\b)/m).map((statement) => statement.trim())

const nameOf = (line: string): string => /^(?:abstract )?(?:\w+) ([\w$]+)/.exec(line)?.[1] ?? ""

/** The lines of a module: its exports, sorted by name. Overloads keep their order. */
const linesOf = (source: string): ReadonlyArray<string> => {
  const statements = statementsOf(source)
  const local = new Map(
    statements.filter((statement) => !/^(export|import)\b/.test(statement)).map((statement) => {
      const line = oneLine(statement)
      return [nameOf(line), line] as const
    })
  )
  /** The type of what a class extends has a name of its own in declarations. */
  const withBase = (line: string) =>
    line.replace(/extends (\w+_base)\b/, (_, base) => `extends ${local.get(base)?.replace(/^const \w+: /, "")}`)
  return statements.filter((statement) => statement.startsWith("export")).flatMap((statement) => {
    const list = /^export (?:type )?\{([^}]*)\}(.*)/s.exec(statement)
    if (list === null) return statement.startsWith("export *") ? [oneLine(statement)] : [withBase(oneLine(statement))]
    const [, names = "", from = ""] = list
    return names.split(",").map((name) => name.trim()).filter((name) => name !== "").map((name) => {
      const [inner = "", outer = inner] = name.split(" as ")
      const declared = from.trim().replace(/;$/, "") || local.get(inner)?.replace(inner, outer)
      return declared?.startsWith("from") ? `export ${name} ${declared}` : declared ?? `export ${name}`
    })
  }).toSorted((one, other) => {
    const [a, b] = [nameOf(one), nameOf(other)]
    return a < b ? -1 : a > b ? 1 : 0
  })
}

/** The report on the declarations in a folder. */
export const report = (folder: string): string => {
  const modules = Fs.readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".d.ts"))
    .map((name) => name.slice(0, -".d.ts".length))
    .filter(isPublic)
    .toSorted((one, other) => one < other ? -1 : 1)
  return [
    "# API report",
    "",
    "Every export of every public module, written by `npm run api`. Review the difference of this file as the difference of",
    "the public API. `npm test` fails while it is out of date.",
    ...modules.flatMap((module) => [
      "",
      `## effect-herald/${module}`,
      "",
      "```txt",
      ...linesOf(Fs.readFileSync(Path.join(folder, `${module}.d.ts`), "utf8")),
      "```"
    ]),
    ""
  ].join("\n")
}

if (import.meta.main) {
  withFolder((folder) => {
    const output = emitDeclarations(folder)
    if (output !== "") throw new Error(output)
    Fs.writeFileSync(path, report(folder))
  })
}
