/**
 * What users' compilers see. The compiler runs once for the declarations that users get, for the examples of docstrings, README
 * and guides, and for programs that must not compile. They import the declarations by the names of the package.
 */
import { assert, beforeAll, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Api from "../api/report.ts"
import { compile, root, withFolder } from "../kit/scratch.ts"
import * as PubNub from "../pubnub/programs.ts"
import { isLong } from "../simulation/seeds.ts"
import * as Symphony from "../symphony/programs.ts"
import { filesIn, modules } from "./files.ts"

/** The fields of a schema class that have no comment. */
const bare = (declaration: string): ReadonlyArray<string> =>
  [...declaration.matchAll(
    /^declare const (\w+)_base: Schema\.Opaque<\w+, Schema\.(?:Tagged)?Struct<[^{]*\{\n([\s\S]*?)^\}>/gm
  )].flatMap(
    ([, name, fields = ""]) =>
      fields.split("\n").flatMap((line, index, lines) => {
        const field = /^ {4}(?:readonly )?(\w+):/.exec(line)?.[1]
        return field === undefined || lines[index - 1]?.trimEnd().endsWith("*/") ? [] : [`${name}.${field}`]
      })
  )

const fences = (text: string, strip: RegExp): ReadonlyArray<string> =>
  [...text.replaceAll(strip, "").matchAll(/^```ts\n([\s\S]*?)^```/gm)].map(([, code]) => code!)

const examples = [
  ...modules.map((file) => [file, fences(Fs.readFileSync(Path.join(root, file), "utf8"), /^ *\* ?/gm)] as const),
  ...["README.md", "docs/llms.txt", ...filesIn("docs", ".md")].map(
    (file) => [file, fences(Fs.readFileSync(Path.join(root, file), "utf8"), /^$never/gm)] as const
  )
].flatMap(([file, codes]) =>
  codes.map((code, index) => ({ name: `${file.replaceAll(/[/.]/g, "-")}-${index}.ts`, code }))
)

/** Programs with errors, by the names of their files. */
const failing = {
  "pubnub.ts": `${PubNub.prelude}${PubNub.wrong.join("\n")}\n`,
  "shown.ts": PubNub.shows,
  "symphony.ts": `${Symphony.prelude}${Symphony.wrong.join("\n")}\n`
}

const write = (folder: string, files: ReadonlyArray<readonly [name: string, text: string]>) => {
  Fs.mkdirSync(folder)
  for (const [name, text] of files) Fs.writeFileSync(Path.join(folder, name), text)
}

/** The declarations, what the API report says of them, and the messages of the compiler. */
const see = () =>
  withFolder((folder) => {
    const emitted = Api.emitDeclarations(folder)
    const declarations = filesIn(Path.relative(root, folder), ".d.ts").map(
      (name) => ({ name: Path.basename(name), text: Fs.readFileSync(Path.join(root, name), "utf8") })
    )
    const report = Api.report(folder)
    // The package as it is shipped, with its declarations in place of `dist`.
    const shipped = Fs.readFileSync(Path.join(root, "package.json"), "utf8").replaceAll("./dist/", "./")
    Fs.writeFileSync(Path.join(folder, "package.json"), shipped)
    write(Path.join(folder, "examples"), examples.map(({ code, name }) => [name, `${code}\nexport {}\n`]))
    write(Path.join(folder, "failing"), Object.entries(failing))
    // The compiler checks declarations that are written as source, without those of Effect, Node and the browser.
    if (!isLong) {
      for (const name of filesIn(Path.relative(root, folder), ".d.ts")) {
        Fs.renameSync(Path.join(root, name), Path.join(root, name.replace(/\.d\.ts$/, ".ts")))
      }
    }
    const output = compile(folder, {
      skipLibCheck: !isLong,
      customConditions: [],
      noUnusedLocals: false,
      noUnusedParameters: false,
      noErrorTruncation: true
    }, ["**/*.ts"])
    return { emitted, declarations, report, messages: output.split(/^(?=\S)/m) }
  })

let seen: ReturnType<typeof see> | undefined
beforeAll(() => {
  seen = see()
}, 60_000)

/** The errors in one of the failing programs, each with the number of its line. */
const errorsIn = (name: keyof typeof failing) =>
  seen!.messages.flatMap((text) => {
    const [, file, line, message = ""] = /^.*\bfailing\/(.*)\((\d+),\d+\): error (TS\d+: .*)$/m.exec(text) ?? []
    return file === name ? [{ line: Number(line), message }] : []
  })

const assertWrong = (name: keyof typeof failing, prelude: string, wrong: ReadonlyArray<string>) => {
  const lines = errorsIn(name).map(({ line }) => line)
  for (const [index, program] of wrong.entries()) {
    assert.include(lines, prelude.split("\n").length + index, `this compiled: ${program}`)
  }
}

it("declarations have no any, document every field, and agree with docs/reference/api.md", () => {
  const { declarations, emitted, report } = seen!
  assert.strictEqual(emitted, "")
  assert.isAbove(declarations.length, 20)
  const found = declarations.flatMap(({ name, text }) =>
    text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$|"[^"\n]*"/gm, "")
      .split("\n")
      .filter((line) => /\bany\b/.test(line))
      .map((line) => `${name}: ${line}`)
  )
  assert.deepStrictEqual(found, [])
  // A field of a schema class shows its comment in an editor only if the declaration has it.
  const undocumented = declarations.flatMap(({ name, text }) => bare(text).map((field) => `${name}: ${field}`))
  // It takes the fields of another class, whose comments are lost.
  assert.deepStrictEqual(undocumented.filter((field) => !field.includes(": StatusUser.")), [])
  assert.isTrue(
    Fs.readFileSync(Api.path, "utf8") === report,
    "the public API is not that of docs/reference/api.md: run npm run api, and review what changed"
  )
})

it("declarations compile", () => {
  const others = seen!.messages.filter((text) => !/^\S*\/(examples|failing)\//.test(text))
  assert.deepStrictEqual(others, [])
})

it("every example of docstrings, README and guides compiles", () => {
  assert.isAbove(examples.length, 20)
  assert.deepStrictEqual(seen!.messages.filter((text) => /^\S*\/examples\//.test(text)), [])
})

it("programs with wrong types do not compile", () => assertWrong("pubnub.ts", PubNub.prelude, PubNub.wrong))

it("wrong calls of Symphony do not compile", () => assertWrong("symphony.ts", Symphony.prelude, Symphony.wrong))

it("types are short in an editor", () => {
  const errors = errorsIn("shown.ts")
  const types = errors.flatMap(({ message }) =>
    /^TS2322: Type '(.*)' is not assignable to type 'undefined'\.$/.exec(message)?.[1] ?? []
  )
  assert.strictEqual(types.length, PubNub.shown.length, JSON.stringify(errors, undefined, 1))
  for (const [index, [expression, expected]] of PubNub.shown.entries()) {
    const type = types[index]!.replaceAll(/\b(Event|MessageActions|Stream|Publish)\.(?=[A-Z])/g, "")
    if (typeof expected === "string") assert.strictEqual(type, expected, expression)
    else assert.match(type, expected, `${expression}: ${type}`)
  }
})
