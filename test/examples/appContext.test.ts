import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { runBundled } from "./run.ts"

it.live("the example of App Context prints its user, member, points and error", () =>
  Effect.gen(function*() {
    const { code, lines, stderr } = yield* runBundled("app-context")
    assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" })
    assert.deepStrictEqual(lines, [
      "Ada, born 1815-12-10",
      "Room 1, seat 7",
      "points: 10",
      "Channels.get: there is no metadata of channel \"room #2\". Set it first."
    ])
  }))
