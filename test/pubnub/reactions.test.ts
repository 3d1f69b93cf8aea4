import { assert, it } from "@effect/vitest"
import type { SubscribeEvent } from "effect-herald/pubnub"
import { Timetoken } from "effect-herald/pubnub"
import * as Reactions from "../../src/pubnub/internal/live/reactions.ts"
import { numbers } from "../kit/numbers.ts"

const timetoken = (n: number) => Timetoken.Timetoken.make(String(17_900_000_000_000_000n + BigInt(n)))

const added = (message: number, action: number): SubscribeEvent.MessageActionAdded => ({
  _tag: "MessageActionAdded",
  channel: "a",
  subscription: "a",
  timetoken: timetoken(action),
  publisher: "eve",
  cursor: { position: timetoken(action), delivered: [] },
  action: {
    type: "reaction",
    value: "smile",
    userId: "eve",
    actionTimetoken: timetoken(action),
    messageTimetoken: timetoken(message)
  }
})

it("the newest messages keep at most a thousand others with reactions, which may still arrive", () => {
  const watched = { last: 10, me: "ada" }
  const first = Reactions.make(new Map([[timetoken(0), []]]), watched.me)
  const state = numbers(50).reduce(
    (state, n) => Reactions.follow(state, numbers(100, 100 * n).map((m) => added(1 + m, 10_000 + m)), watched),
    first
  )
  assert.strictEqual(state.reactions.size, 1_001)
  assert.isTrue(state.reactions.has(timetoken(0)))
  // The latest reactions are of messages that may arrive.
  assert.isTrue(state.reactions.has(timetoken(5_000)))
})
