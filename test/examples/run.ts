import * as Effect from "effect/Effect"
import { node } from "../cli/spawn.ts"
import { program } from "../kit/programs.ts"

const run = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const child = yield* node(args)
  const { code, stderr, stdout } = yield* child.exit
  return { code, stderr, lines: stdout.trimEnd().split("\n") }
})

/** Runs the quickstart to its end, as `npm start` does. */
export const runSource = run(["--conditions=effect-herald-source", "docs/examples/quickstart.ts"])

/** Runs an example to its end, bundled. */
export const runBundled = (name: "app-context" | "bridge" | "testing") =>
  Effect.flatMap(program(name), (file) => run([file]))
