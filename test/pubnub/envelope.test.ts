/** From an envelope to an event, by itself: what is said is told, and nothing else. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import { type Event, Timetoken, UserId } from "effect-herald/pubnub"
import * as Envelope from "../../src/pubnub/internal/envelope.ts"

const cursor = { position: "17905741246383965", delivered: [] }
const timetoken = Timetoken.Timetoken.make("17905741246383965")

const ada = UserId.UserId.make("ada")

/** The event of an envelope, `p` and `c` given. */
const eventOf = (fields: { readonly [field: string]: Schema.Json }): Event.Event => {
  const raw = { c: "a", p: { t: timetoken, r: 7 }, ...fields }
  const decoded = Envelope.decode(raw)
  return Result.isSuccess(decoded)
    ? Envelope.toEvent(decoded.success, cursor)
    : Envelope.undecodable(raw, decoded.failure.message, cursor)
}

const delivery = { channel: "a", subscription: "a", timetoken, region: 7, cursor }

describe("presence", () => {
  const presence = (d: { readonly [field: string]: Schema.Json }) => eventOf({ c: "a-pnpres", d })
  const common = { ...delivery, at: DateTime.makeUnsafe(1_790_574_122_000) }
  const timestamp = 1_790_574_122

  it("tells how many are there only where the service does", () => {
    for (const action of ["join", "leave", "timeout"]) {
      for (const nothing of [{}, { occupancy: null, data: null, precise_timestamp: null }]) {
        const { _tag, ...rest } = presence({ action, timestamp, uuid: "ada", ...nothing })
        assert.deepStrictEqual(rest, { ...common, user: ada } as object, action)
      }
      assert.deepInclude(presence({ action, timestamp, uuid: "ada", occupancy: 0 }), { occupancy: 0 })
    }
    assert.deepStrictEqual(presence({ action: "state-change", timestamp, uuid: "ada", data: {} }), {
      _tag: "StateChanged",
      ...common,
      user: ada,
      state: {}
    })
    const nobody = { joined: [], left: [], timedOut: [] }
    assert.deepStrictEqual(presence({ action: "interval", timestamp }), {
      _tag: "Interval",
      ...common,
      ...nobody,
      hereNowRefresh: false
    })
    assert.deepStrictEqual(presence({ action: "interval", timestamp, occupancy: 3, here_now_refresh: true }), {
      _tag: "Interval",
      ...common,
      ...nobody,
      occupancy: 3,
      hereNowRefresh: true
    })
  })

  const unreadable: ReadonlyArray<readonly [string, { readonly [field: string]: Schema.Json }, RegExp]> = [
    ["no user", { action: "join", timestamp }, /join without a uuid/],
    ["no time", { action: "join", uuid: "ada" }, /timestamp/],
    ["a time that no calendar has", { action: "join", uuid: "ada", timestamp: 1e300 }, /no calendar/],
    ["the same as text", { action: "interval", timestamp: "99999999999999999999" }, /no calendar/],
    ["a state that is not said", { action: "state-change", uuid: "ada", timestamp }, /without a state/],
    ["a state that is null", { action: "state-change", uuid: "ada", timestamp, data: null }, /without a state/],
    ["half a user", { action: "join", uuid: "ada", timestamp, occupancy: 1.5 }, /occupancy/]
  ]
  it.each(unreadable)("with %s is Undecodable, whole", (_, payload, issue) => {
    const event = presence(payload)
    if (event._tag !== "Undecodable") return assert.fail(event._tag)
    assert.match(event.issue, issue)
    assert.deepStrictEqual([event.raw, event.channel, event.timetoken], [payload, "a", timetoken])
  })
})
