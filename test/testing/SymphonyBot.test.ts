import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Messages } from "effect-herald/symphony"
import { SymphonyBot, SymphonyEmulator } from "effect-herald/testing"

it.effect("SymphonyBot.layer lets a bot log in and send", () =>
  Effect.gen(function*() {
    const emulator = yield* SymphonyEmulator.SymphonyEmulator
    const streamId = yield* emulator.createStream({ type: "ROOM", name: "Orders", members: ["ada", "orders-bot"] })
    const { user } = yield* Messages.send({ streamId, message: "Hello" })
    assert.strictEqual(user?.username, "orders-bot")
    assert.deepStrictEqual((yield* emulator.messages({ streamId })).map(({ text }) => text), ["Hello"])
  }).pipe(Effect.provide(SymphonyBot.layer({ username: "orders-bot", users: [{ username: "ada" }] }))))
