/** Programs that tests start, bundled: a process loads a few files in half the time of several hundred. */
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { setTimeout } from "node:timers/promises"
import { inject } from "vitest"
import { writePrograms } from "./bundle.ts"
import { root } from "./scratch.ts"

const sources = {
  "herald": "src/cli/main.ts",
  "worker": "test/node/worker.ts",
  "runner": "test/fleet/runner.ts",
  "bridge": "docs/examples/bridge.ts",
  "app-context": "docs/examples/app-context.ts",
  "testing": "docs/examples/testing.ts"
}

const folder = Path.join(root, ".scratch/programs")

/** Whether this is the first to create the folder. */
const isFirst = (folder: string): boolean => {
  try {
    Fs.mkdirSync(folder)
    return true
  } catch {
    return false
  }
}

/** The first worker that needs a program writes all of them; others wait for it. */
const written = Effect.runSync(Effect.cached(Effect.promise(async () => {
  const done = Path.join(inject("run"), "programs")
  if (isFirst(`${done}-begun`)) {
    await writePrograms(sources, folder)
    Fs.mkdirSync(done)
  }
  while (!Fs.existsSync(done)) await setTimeout(10)
})))

/** The file of a program. */
export const program = (name: keyof typeof sources): Effect.Effect<string> =>
  Effect.as(written, Path.join(folder, `${name}.mjs`))
