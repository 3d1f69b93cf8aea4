import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { runBundled } from "./run.ts"

it.live("the example of a test passes", () =>
  Effect.gen(function*() {
    const { code, lines, stderr } = yield* runBundled("testing")
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.strictEqual(lines.at(-1), "nothing was lost, and nothing was waited for")
  }))
