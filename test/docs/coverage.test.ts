/** The tests that the coverage tables name exist. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { root } from "../kit/scratch.ts"

const tables = Fs.readdirSync(Path.join(root, "docs"), { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".md")
)

const references = tables.flatMap((table) =>
  [
    ...Fs.readFileSync(Path.join(root, "docs", table), "utf8").matchAll(
      /\| `([\w./-]+\.test\.ts)`(?: › ([^|]+))? \|$/gm
    )
  ]
    .map(([, file, title]) => ({ table, file: file!, title: title?.trim() }))
)

it("the tables name more than 60 tests", () => assert.isAbove(references.length, 60))

/** Tests that are skipped where the recordings, or the vendor's descriptions, do not lie beside the checkout. */
const elsewhere = ["conformance/kit.ts", "symphony/contract/vendor.ts"]

const isForHouse = (file: string) =>
  [...Fs.readFileSync(Path.join(root, "test", file), "utf8").matchAll(/from "(\..+)"/g)]
    .some(([, module]) => elsewhere.includes(Path.join(Path.dirname(file), module!)))

it("the named tests run in any checkout", () =>
  assert.deepStrictEqual(references.filter(({ file }) => isForHouse(file)), []))

it.each(references)("$table names a test that exists: $file › $title", ({ file, title }) => {
  const path = Path.join(root, "test", file)
  assert.isTrue(Fs.existsSync(path), `${file} does not exist`)
  if (title !== undefined) {
    const source = Fs.readFileSync(path, "utf8").replaceAll("\\\"", "\"")
    assert.isTrue(
      [...source.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].some(([, text]) => text!.startsWith(title)) ||
        source.includes(`"${title}`),
      `no test "${title}…" in ${file}`
    )
  }
})
