import * as Effect from "effect/Effect"
import { node } from "../cli/spawn.ts"

/** Runs an example to its end. */
export const run = Effect.fnUntraced(function*(name: string) {
  const child = yield* node(["--conditions=effect-herald-source", `docs/examples/${name}.ts`])
  const { code, stderr, stdout } = yield* child.exit
  return { code, stderr, lines: stdout.trimEnd().split("\n") }
})
