/** The first program of the README runs when pasted, and the README says the two commands. */
import { assert, it } from "@effect/vitest"
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"

const root = Path.resolve(import.meta.dirname, "../..")
const readme = Fs.readFileSync(Path.join(root, "README.md"), "utf8")
const program = /^```ts\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? ""

it("the first program is of 20 lines, and prints the message that it sent", () => {
  assert.isAtMost(program.trim().split("\n").length, 20)
  const folder = Fs.mkdtempSync(Path.join(root, "test/docs/pasted-"))
  try {
    Fs.writeFileSync(Path.join(folder, "program.ts"), program)
    const output = execFileSync(
      process.execPath,
      ["--conditions=effect-herald-source", Path.join(folder, "program.ts")],
      { cwd: folder, encoding: "utf8", timeout: 20_000 }
    )
    assert.match(output, /Connected/)
    assert.match(output, /Message[\s\S]*id: 1/)
  } finally {
    Fs.rmSync(folder, { recursive: true })
  }
}, 30_000)

it("the two commands are there", () => {
  assert.include(readme, "npm ci && npm start")
  assert.include(readme, "npm ci && npm test")
})
