import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { Clock } from "effect-herald/testing"
import { emulator, feeds, listen, pending, requestsTo, room, say, shown, withBot } from "./feedKit.ts"

describe("which feed", () => {
  it.effect("a bot without one makes one, beside feeds of other kinds", () =>
    Effect.gen(function*() {
      const streamId = yield* room
      const { fiber, told } = yield* listen()
      console.log("A")
      yield* Clock.advance("1 second")
      console.log("B", told)
      yield* say(streamId, "one")
      console.log("C", told)
      yield* Clock.advance("1 second")
      console.log("D", told)
      yield* say(streamId, "two")
      yield* Clock.advance("1 second")
      assert.deepStrictEqual(told, ["FeedConnected", "one", "two"])
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* feeds).length, 1)
    }).pipe(Effect.provide(withBot())))
})
