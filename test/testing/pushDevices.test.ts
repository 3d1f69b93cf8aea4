/** The devices of mobile push of the emulator. */
import { assert, describe, it } from "@effect/vitest"
import * as pushDevices from "../../src/testing/pubnub/pushDevices.ts"

describe("the devices of mobile push", () => {
  it("keep the newest 10,000 pushes", () => {
    const devices = pushDevices.make()
    devices.add({ platform: "gcm", token: "phone" }, ["a"])
    for (let at = 1n; at <= 10_002n; at++) devices.publish("a", { pn_gcm: { notification: {} } }, at)
    const pushes = devices.pushes()
    assert.strictEqual(pushes.length, 10_000)
    assert.deepStrictEqual([pushes[0]?.timetoken, pushes.at(-1)?.timetoken], [3n, 10_002n])
  })
})
