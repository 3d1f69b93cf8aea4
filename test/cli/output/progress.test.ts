import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as Progress from "../../../src/cli/output/progress.ts"

/** What it shows of six values that come 450 ms apart. */
const shown = Effect.fnUntraced(function*(terminals: { readonly stderr: boolean; readonly stdout: boolean }) {
  const shown: Array<string> = []
  const stdio = Stdio.layerTest({
    stderrIsTerminal: Effect.succeed(terminals.stderr),
    stdoutIsTerminal: Effect.succeed(terminals.stdout),
    stderr: () => Sink.forEach((chunk) => Effect.sync(() => void shown.push(String(chunk))))
  })
  const values = Stream.range(1, 6).pipe(Stream.schedule(Schedule.spaced("450 millis")))
  const fiber = yield* Effect.forkChild(Effect.provide(Stream.runCollect(Progress.counting(values)), stdio))
  yield* TestClock.adjust("10 seconds")
  assert.deepStrictEqual(yield* Fiber.join(fiber), [1, 2, 3, 4, 5, 6])
  return shown
})

describe("counting", () => {
  it.effect("shows how many values came, each second, and clears its line", () =>
    Effect.gen(function*() {
      const lines = yield* shown({ stderr: true, stdout: false })
      assert.deepStrictEqual(lines, ["\r\u001b[K2", "\r\u001b[K4", "\r\u001b[K"])
    }))

  it.effect("shows nothing when standard error is no terminal, or when the values go to one", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* shown({ stderr: false, stdout: false }), [])
      assert.deepStrictEqual(yield* shown({ stderr: true, stdout: true }), [])
    }))
})
