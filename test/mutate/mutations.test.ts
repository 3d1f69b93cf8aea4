/** Each mutation changes one place: a change of the source must take its mutations along. */
import { assert, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { root } from "../kit/scratch.ts"
import { mutations } from "./mutations.ts"

it("each mutation has one place in its file", () => {
  const texts = new Map<string, string>()
  const textOf = (file: string) => {
    const text = texts.get(file) ?? Fs.readFileSync(Path.join(root, file), "utf8")
    texts.set(file, text)
    return text
  }
  const lost = mutations.filter(({ file, search }) => textOf(file).split(search).length !== 2)
  assert.deepStrictEqual(lost.map(({ file, name }) => `${file}: ${name}`), [])
})
