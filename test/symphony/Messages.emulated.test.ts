/** The service as a whole, against the emulated pod. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Messages } from "effect-herald/symphony"
import { emulated, emulator, room } from "./kit.ts"

describe("send", () => {
  it.effect("posts a message", () =>
    Effect.gen(function*() {
      const streamId = yield* room("ada")
      const posted = yield* Messages.send({ streamId, message: "Hello <b>you</b>" })
      const [stored] = yield* emulator.use(({ messages }) => messages(streamId))
      assert.strictEqual(posted.messageId, stored?.messageId)
      assert.strictEqual(stored?.text, "Hello you")
      assert.strictEqual(posted.user?.username, "bot")
    }).pipe(Effect.provide(emulated())))
})
