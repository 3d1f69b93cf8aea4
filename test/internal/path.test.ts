/** Paths as a reader sees them: in clear, and harmless to a log and a terminal. */
import { assert, it } from "@effect/vitest"
import * as Path from "../../src/internal/path.ts"

const user = { setting: "key" } as const

it("Path.encode fills in the settings, and Path.show shows their names", () => {
  const path = Path.path<"key">`/v1/${user}/${["a b", "c"]}/${Path.path`/${"d/e"}`}`
  assert.strictEqual(Path.encode(path, { key: "k" }), "/v1/k/a%20b,c//d%2Fe")
  assert.strictEqual(Path.show(path), "/v1/{key}/a b,c//d/e")
  assert.strictEqual(Path.unsetOf(path, { key: "k" }), undefined)
  assert.strictEqual(Path.unsetOf(path, { key: "" }), "key")
  assert.strictEqual(Path.unsetOf(Path.path<"key">`/${path}`, {}), "key")
})

it("Path.show replaces line breaks and control characters", () => {
  const shown = Path.show(Path.path`/${"a\nb\u001b[2J\u202e"}/${["c\u0007"]}`)
  assert.strictEqual(shown, "/a b\ufffd[2J\ufffd/c\ufffd")
})

it("Path.issuesOf reports each segment that no URL can carry", () => {
  const path = Path.path`/${".."}/${["a", "\ud800"]}/${Path.path`/${""}`}`
  assert.deepStrictEqual(Path.issuesOf(path).map(({ location }) => location), ["path", "path", "path"])
})
