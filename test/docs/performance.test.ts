/** The table of docs/performance.md has rows of the benchmark, in its order. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Bundles from "../bench/bundles.ts"
import { contenders } from "../bench/contender.ts"
import * as Lag from "../bench/lag.ts"
import * as Works from "../bench/works.ts"
import { root } from "../kit/scratch.ts"

it("the rows of docs/performance.md are rows of the benchmark", () => {
  const lines = Fs.readFileSync(Path.join(root, "docs/performance.md"), "utf8").split("\n")
  const head = lines.findIndex((line) => line.startsWith("| work "))
  const cells = (line: string) => line.split("|").slice(1, -1).map((cell) => cell.trim())
  assert.deepStrictEqual(cells(lines[head]!).slice(1, 1 + contenders.length), [...contenders])
  const documented = lines.slice(head + 2, lines.indexOf("", head)).map((line) => cells(line)[0])
  assert.isAtLeast(documented.length, 20)
  const names = [...Works.of(false).flatMap(({ rows }) => rows.map(({ name }) => name)), ...Bundles.names, ...Lag.names]
  assert.deepStrictEqual(documented, names.filter((name) => documented.includes(name)))
})
