import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { NodeSymphony, SymphonyEmulatorServer } from "effect-herald/node"
import { keys } from "../testing/symphonyHttp.ts"
import { bot, logins, whoAmI } from "../symphony/bots.ts"

it.live("NodeSymphony.layer logs a bot in once, and sends its requests over a socket", () =>
  Effect.gen(function*() {
    const { port } = yield* SymphonyEmulatorServer.SymphonyEmulatorServer
    const names = Effect.all([whoAmI, whoAmI, whoAmI], { concurrency: 3 })
    const mine = NodeSymphony.layer({ scheme: "http", host: "127.0.0.1", port, bot })
    assert.deepStrictEqual(yield* Effect.provide(names, mine), ["bot", "bot", "bot"])
    assert.deepStrictEqual(yield* logins, { "session bot": 1, "keyManager bot": 1 })
  }).pipe(Effect.provide(SymphonyEmulatorServer.layer({
    users: [{ username: "bot", publicKey: keys.bot.publicKey }]
  }))))
