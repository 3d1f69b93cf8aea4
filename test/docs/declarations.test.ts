/** What users' compilers see: the declaration files hold no `any`, and nothing internal is named in them. */
import { assert, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"

const root = Path.resolve(import.meta.dirname, "../..")

it("no declaration holds any", () => {
  const folder = Fs.mkdtempSync(Path.join(root, "test/docs/declared-"))
  try {
    const tsc = Path.join(root, "node_modules/typescript/bin/tsc")
    execFileSync(process.execPath, [tsc, "-p", "tsconfig.build.json", "--emitDeclarationOnly", "--outDir", folder], {
      cwd: root
    })
    const files = Fs.readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".d.ts"))
    assert.isAbove(files.length, 20)
    const found = files.flatMap((name) => {
      const text = Fs.readFileSync(Path.join(folder, name), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "")
      return text.split("\n").filter((line) => /\bany\b/.test(line.replaceAll(/"[^"]*"/g, ""))).map((line) =>
        `${name}: ${line}`
      )
    })
    assert.deepStrictEqual(found, [])
    // And they compile by themselves, for users who check libraries.
    Fs.writeFileSync(
      Path.join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: "../../../tsconfig.json",
        compilerOptions: { skipLibCheck: false, customConditions: [] },
        include: ["**/*.d.ts"]
      })
    )
    execFileSync(process.execPath, [tsc, "-p", folder], { cwd: root, encoding: "utf8" })
  } finally {
    Fs.rmSync(folder, { recursive: true })
  }
}, 60_000)
