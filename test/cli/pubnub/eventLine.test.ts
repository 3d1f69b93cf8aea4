import { assert, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import { type SubscribeEvent, Timetoken } from "effect-herald/pubnub"
import { format } from "../../../src/cli/pubnub/eventLine.ts"

const timetoken = Timetoken.Timetoken.make("17905741246383965")
const ada = "ada"
const now = DateTime.makeUnsafe(0)
const common = {
  channel: "room",
  subscription: "room",
  timetoken,
  cursor: { position: timetoken, delivered: [] },
  timestamp: now
}
const lists = { joined: [ada], left: [], timedOut: [], hereNowRefresh: false }

const lines: ReadonlyArray<readonly [string, SubscribeEvent.SubscribeEvent]> = [
  ["Joined        room              ada (0 there)", { _tag: "Joined", ...common, userId: ada, occupancy: 0 }],
  ["Left          room              ada", { _tag: "Left", ...common, userId: ada }],
  [
    "Interval      room              12 there; 1 joined, 0 left, 0 timed out",
    { _tag: "Interval", ...common, ...lists, occupancy: 12 }
  ],
  [
    "Interval      room              1 joined, 0 left, 0 timed out",
    { _tag: "Interval", ...common, ...lists }
  ]
]

it.each(lines)("formats %j", (line, event) => {
  assert.strictEqual(format(event, now), `05:42:04.638Z  ${line}`)
})
