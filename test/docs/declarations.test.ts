/** What users' compilers see: the declarations hold no `any`, compile by themselves, and are those of the API report. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Api from "../api/report.ts"
import { compile, withFolder } from "../kit/scratch.ts"

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

it(
  "declarations have no any, document every field, agree with docs/reference/api.md and compile",
  () =>
    withFolder((folder) => {
      assert.strictEqual(Api.emitDeclarations(folder), "")
      const files = Fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
        name.endsWith(".d.ts")
      )
      assert.isAbove(files.length, 20)
      const found = files.flatMap((name) =>
        Fs.readFileSync(Path.join(folder, name), "utf8")
          .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$|"[^"\n]*"/gm, "")
          .split("\n")
          .filter((line) => /\bany\b/.test(line))
          .map((line) => `${name}: ${line}`)
      )
      assert.deepStrictEqual(found, [])
      // A field of a schema class shows its comment in an editor only if the declaration has it.
      const undocumented = files.flatMap((name) =>
        bare(Fs.readFileSync(Path.join(folder, name), "utf8")).map((field) => `${name}: ${field}`)
      )
      // It takes the fields of another class, whose comments are lost.
      assert.deepStrictEqual(undocumented.filter((field) => !field.includes(": StatusUser.")), [])
      assert.isTrue(
        Fs.readFileSync(Api.path, "utf8") === Api.report(folder),
        "the public API is not that of docs/reference/api.md: run npm run api, and review what changed"
      )
      assert.strictEqual(compile(folder, { skipLibCheck: false, customConditions: [] }, ["**/*.d.ts"]), "")
    }),
  60_000
)
