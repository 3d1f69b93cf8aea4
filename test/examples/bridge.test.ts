import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { runBundled } from "./run.ts"

it.live("the bridge loses, repeats and returns nothing when it is killed twice", () =>
  Effect.gen(function*() {
    const { code, lines, stderr } = yield* runBundled("bridge")
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.strictEqual(lines.at(-1), "orders 4, each posted once; replies 3, published 4 times, each read once")
    assert.lengthOf(lines.filter((line) => line.startsWith("!! killed")), 2)
    const transcript = lines.join("\n")
    for (
      const part of [
        "order 2 is in the room already",
        "order 4: no answer",
        "!! Symphony ended the bridge: Messages.stream"
      ]
    ) {
      assert.include(transcript, part)
    }
  }), 60_000)
