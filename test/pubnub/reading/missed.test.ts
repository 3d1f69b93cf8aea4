/** What a reader was not given: by which names it came, and what of it is still wanted. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Ledger } from "../../../src/pubnub/internal/reading/ledger.ts"
import { Missed } from "../../../src/pubnub/internal/reading/missed.ts"
import { idOf, placeOf } from "../../../src/pubnub/internal/reading/place.ts"
import { arrival, ticks } from "./arrivals.ts"

const at = { position: ticks(0), region: 1, delivered: [] }

const eventOf = (n: number, channel: string, by: string) =>
  new Ledger(undefined, () => {}).live([arrival(n, { channel, by })], at, undefined).map(({ event }) => event)

describe("missed events", () => {
  it.effect("are not wanted of a name that is not listened to any more, though a group may hold its channel", () =>
    Effect.sync(() => {
      const missed = new Missed(undefined)
      const events = [...eventOf(1, "a", "a"), ...eventOf(2, "b", "b"), ...eventOf(3, "b", "crew")]
      for (const event of events) missed.add(event)
      missed.keepOnly(["g crew"])
      assert.deepStrictEqual([...missed.channels], [["b", new Set(["crew"])]])
      assert.deepStrictEqual(events.map((event) => missed.take(idOf(event), placeOf(event))), [false, true, true])
    }))

  it.effect("are reported of the kinds of each channel that a name left covers", () =>
    Effect.sync(() => {
      const missed = new Missed(undefined)
      for (const channel of ["a", "b", "c.d", "e"]) missed.addKind(channel, "Signal")
      missed.keepOnly(["c a", "c b-pnpres", "c c.*"])
      assert.deepStrictEqual([...missed.kinds.keys()], ["a", "b", "c.d"])
      missed.keepOnly(["c x", "g crew"])
      assert.deepStrictEqual([...missed.kinds.keys()], ["a", "b", "c.d"])
      missed.keepOnly(["c x"])
      assert.deepStrictEqual([...missed.kinds.keys()], [])
    }))
})
