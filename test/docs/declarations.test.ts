/** What users' compilers see: the declaration files hold no `any`, and compile by themselves. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { compile, tsc, withFolder } from "../kit/scratch.ts"

it("no declaration holds any, and all of them compile for users who check libraries", () =>
  withFolder((folder) => {
    // `npm run check` checks the source.
    assert.strictEqual(tsc("-p", "tsconfig.build.json", "--emitDeclarationOnly", "--noCheck", "--outDir", folder), "")
    const files = Fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".d.ts"))
    assert.isAbove(files.length, 20)
    const found = files.flatMap((name) =>
      Fs.readFileSync(Path.join(folder, name), "utf8")
        .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$|"[^"\n]*"/gm, "")
        .split("\n")
        .filter((line) => /\bany\b/.test(line))
        .map((line) => `${name}: ${line}`)
    )
    assert.deepStrictEqual(found, [])
    assert.strictEqual(compile(folder, { skipLibCheck: false, customConditions: [] }, ["**/*.d.ts"]), "")
  }), 60_000)
