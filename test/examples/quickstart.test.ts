import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { runSource } from "./run.ts"

it.live("the quickstart delivers all messages, and reports its faults", () =>
  Effect.gen(function*() {
    const { code, lines, stderr } = yield* runSource
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.strictEqual(lines.at(-1), "published 10, delivered 10, lost 0, duplicated 0")
    assert.isBelow(lines.length, 60)
    const transcript = lines.join("\n")
    for (const part of ["** Connected", "quickstart joined", "<- signal", "** Interrupted", "** Reconnected"]) {
      assert.include(transcript, part)
    }
  }))
