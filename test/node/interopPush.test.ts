/** Mobile push on one emulator's port: what either client registers, both list; what ours pushes, devices of theirs get. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Publish, Push, PushDevice, PushPayload } from "effect-herald/pubnub"
import { PubNubEmulator } from "effect-herald/testing"
import { both, client, theirs } from "./officialClient.ts"

it.live("either client lists, changes and removes what the other registered", () =>
  Effect.gen(function*() {
    const official = yield* client("theirs")
    const fcm = PushDevice.fcm("cQ:APA91b")
    const apns = PushDevice.apns({ token: "ab".repeat(32), topic: "com.example.app", environment: "production" })
    const asTheirs = [
      { device: fcm.token, pushGateway: "fcm" } as const,
      { device: apns.token, pushGateway: "apns2", topic: apns.topic, environment: "production" } as const
    ]
    for (const [index, device] of [fcm, apns].entries()) {
      const options = asTheirs[index] ?? assert.fail()
      yield* Push.addChannels({ device, channels: ["a", "b c"] })
      const listed = yield* theirs(() => official.push.listChannels(options))
      assert.deepStrictEqual(listed.channels, ["a", "b c"])
      yield* theirs(() => official.push.addChannels({ ...options, channels: ["d"] }))
      yield* theirs(() => official.push.removeChannels({ ...options, channels: ["a"] }))
      assert.deepStrictEqual(yield* Push.listChannels({ device }), ["b c", "d"])
    }
    yield* theirs(() => official.push.deleteDevice(asTheirs[0] ?? assert.fail()))
    assert.deepStrictEqual(yield* Push.listChannels({ device: fcm }), [])
    assert.deepStrictEqual(yield* Push.listChannels({ device: apns }), ["b c", "d"])
    // And what ours publishes goes to the device that theirs registered.
    const push = yield* PushPayload.make({ title: "t", apns: { topics: [apns] } })
    yield* Publish.publish({ channel: "d", message: {}, push })
    const pushes = yield* PubNubEmulator.PubNubEmulator.use((emulator) => emulator.pushes)
    assert.deepStrictEqual(pushes.map(({ payload }) => payload), [{ aps: { alert: { title: "t" } } }])
  }).pipe(Effect.scoped, Effect.provide(both)))
