/** What a bundler makes of the transport of Node. */
import { assert, it } from "@effect/vitest"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { write } from "../kit/bundle.ts"

const program = `
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { layer } from "effect-herald/node/NodeTransport"
export const open = () => Effect.runPromise(Effect.as(Effect.scoped(Layer.build(layer)), "open"))
`

it("The transport opens in a bundle that is split into files", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bundled-"))
  try {
    await write(program, folder, "program")
    const { open } = await import(pathToFileURL(join(folder, "program.mjs")).href)
    assert.strictEqual(await open(), "open")
  } finally {
    rmSync(folder, { recursive: true })
  }
})
