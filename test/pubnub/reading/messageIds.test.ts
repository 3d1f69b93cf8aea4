import { assert, describe, it } from "@effect/vitest"
import type { SubscribeEvent } from "effect-herald/pubnub"
import { Timetoken } from "effect-herald/pubnub"
import * as MessageIds from "../../../src/pubnub/internal/reading/messageIds.ts"
import { numbers } from "./arrivals.ts"

const timetoken = Timetoken.Timetoken.make("17900000000000000")

const message = (id: string, channel = "a", publisher = "bob"): SubscribeEvent.Message => ({
  _tag: "Message",
  channel,
  subscription: channel,
  timetoken,
  publisher,
  payload: 1,
  meta: { [MessageIds.key]: id },
  cursor: { position: timetoken, delivered: [] }
})

describe("Copies", () => {
  it("admits an id once for each channel and publisher", () => {
    const copies = new MessageIds.Copies()
    const all = [message("x"), message("x", "b"), message("x", "a", "eve"), message("y")]
    assert.deepStrictEqual(all.map((one) => copies.admit(one)), [true, true, true, true])
    assert.deepStrictEqual(all.map((one) => copies.admit(one)), [false, false, false, false])
  })

  it("remembers ten thousand ids, also where all names are long", () => {
    const copies = new MessageIds.Copies()
    const of = (n: number) => message(`${n}`.padEnd(36, "-"), "c".repeat(92), "p".repeat(50))
    for (const n of numbers(10_001)) assert.isTrue(copies.admit(of(n)))
    assert.isFalse(copies.admit(of(1)))
    assert.isTrue(copies.admit(of(0)))
  })

  it("remembers fewer ids of 30 kB, of which anybody may publish many", () => {
    const copies = new MessageIds.Copies()
    const of = (n: number) => message(`${n}`.padEnd(30_000, "-"))
    for (const n of numbers(100)) assert.isTrue(copies.admit(of(n)))
    assert.isFalse(copies.admit(of(99)))
    assert.isFalse(copies.admit(of(40)))
    assert.isTrue(copies.admit(of(20)))
  })
})
