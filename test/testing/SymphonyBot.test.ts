import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Datafeed, Messages } from "effect-herald/symphony"
import { SymphonyBot, SymphonyEmulator, VirtualTime } from "effect-herald/testing"

const bot = Datafeed.consume((event) =>
  event._tag === "MessageSent" && event.message.stream?.streamId !== undefined
    ? Messages.send({ streamId: event.message.stream.streamId, message: "Tea for Ada" })
    : Effect.void
)

it.effect("SymphonyBot.layer gives a bot that answers when a test moves virtual time at once", () =>
  Effect.gen(function*() {
    const emulator = yield* SymphonyEmulator.SymphonyEmulator
    const streamId = yield* emulator.createStream({ type: "ROOM", name: "Orders", members: ["ada", "bot"] })
    yield* Effect.forkChild(bot)
    yield* VirtualTime.advance("1 second")
    yield* emulator.send({ streamId, username: "ada", message: "Tea" })
    yield* VirtualTime.advance("1 second")
    assert.deepStrictEqual((yield* emulator.messages({ streamId })).map(({ text }) => text), ["Tea", "Tea for Ada"])
  }).pipe(Effect.provide(Layer.provideMerge(SymphonyBot.layer({ users: [{ username: "ada" }] }), VirtualTime.layer))))

it.effect("SymphonyBot.layer lets a bot log in and send", () =>
  Effect.gen(function*() {
    const emulator = yield* SymphonyEmulator.SymphonyEmulator
    const streamId = yield* emulator.createStream({ type: "ROOM", name: "Orders", members: ["ada", "orders-bot"] })
    const { user } = yield* Messages.send({ streamId, message: "Hello" })
    assert.strictEqual(user?.username, "orders-bot")
    assert.deepStrictEqual((yield* emulator.messages({ streamId })).map(({ text }) => text), ["Hello"])
  }).pipe(Effect.provide(SymphonyBot.layer({ username: "orders-bot", users: [{ username: "ada" }] }))))
