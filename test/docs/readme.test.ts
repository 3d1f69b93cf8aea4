/** The first program of the README runs when pasted, and the README says the two commands. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { node, root, withFolder } from "../kit/scratch.ts"

const readme = Fs.readFileSync(Path.join(root, "README.md"), "utf8")
const program = /^```ts\n([\s\S]*?)^```/m.exec(readme)?.[1] ?? ""

it("the first program of the README has at most 20 lines, and prints its message", () => {
  assert.isAtMost(program.trim().split("\n").length, 20)
  const { status, stderr, stdout } = withFolder((folder) => {
    Fs.writeFileSync(Path.join(folder, "program.ts"), program)
    return node(Path.join(folder, "program.ts"))
  })
  assert.strictEqual(status, 0, stderr)
  assert.match(stdout, /Connected/)
  assert.match(stdout, /Message[\s\S]*id: 1/)
}, 30_000)

it("the README names npm start and npm test", () => {
  assert.include(readme, "npm ci && npm start")
  assert.include(readme, "npm ci && npm test")
})
