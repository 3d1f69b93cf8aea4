import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as Layer from "effect/Layer"
import { PubNubConfig, type PubNubError, Push, PushDevice } from "effect-herald/pubnub"
import { Transport } from "effect-herald/testing"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"

const fcm = PushDevice.fcm("cQ:APA91b_-é")
const apns = PushDevice.apns({ token: "6652cff7", topic: "com.example.app", environment: "production" })

it.effect.each([["FCM", fcm], ["APNs", apns]] as const)(
  "adds, lists and removes channels of a device of %s",
  ([, device]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Push.listChannels({ device }), [])
      yield* Push.addChannels({ device, channels: ["a b", "c", "c"] })
      yield* Push.addChannels({ device, channels: ["d/ü"] })
      assert.deepStrictEqual(yield* Push.listChannels({ device }), ["a b", "c", "d/ü"])
      yield* Push.removeChannels({ device, channels: ["c", "never there"] })
      assert.deepStrictEqual(yield* Push.listChannels({ device }), ["a b", "d/ü"])
      yield* Push.removeDevice({ device })
      yield* Push.removeDevice({ device })
      assert.deepStrictEqual(yield* Push.listChannels({ device }), [])
    }).pipe(Effect.provide(emulated()))
)

it.effect("keeps a list for each topic, environment and spelling of a token", () =>
  Effect.gen(function*() {
    const others = [
      { ...apns, environment: "development" } as const,
      { ...apns, topic: "com.example.App" },
      { ...apns, token: "6652CFF7" },
      PushDevice.fcm("6652cff7")
    ]
    yield* Push.addChannels({ device: apns, channels: ["a"] })
    for (const device of others) assert.deepStrictEqual(yield* Push.listChannels({ device }), [])
    yield* Push.removeDevice({ device: others[0]! })
    assert.deepStrictEqual(yield* Push.listChannels({ device: apns }), ["a"])
  }).pipe(Effect.provide(emulated())))

it.effect("sends the requests of the service", () =>
  Effect.gen(function*() {
    yield* Push.addChannels({ device: fcm, channels: ["a b", "c"] })
    yield* Push.removeChannels({ device: apns, channels: ["c"] })
    yield* Push.removeDevice({ device: apns })
    const [added] = yield* requestsTo("/v1/push")
    assert.include(added!.target, "/v1/push/sub-key/demo-sub/devices/cQ%3AAPA91b_-%C3%A9?type=fcm&add=a%20b%2Cc&")
    const [removed, gone] = yield* requestsTo("/v2/push")
    assert.include(removed!.target, "/v2/push/sub-key/demo-sub/devices-apns2/6652cff7?")
    assert.deepStrictEqual(
      ["environment", "topic", "remove", "type"].map((name) => queryOf(removed!).get(name)),
      ["production", "com.example.app", "c", null]
    )
    assert.include(gone!.target, "/v2/push/sub-key/demo-sub/devices-apns2/6652cff7/remove?")
  }).pipe(Effect.provide(emulated())))

it.effect("lists more channels than one answer holds", () =>
  Effect.gen(function*() {
    const names = Array.from({ length: 2_000 }, (_, index) => `c${index}`)
    for (let at = 0; at < names.length; at += 100) {
      yield* Push.addChannels({ device: fcm, channels: names.slice(at, at + 100) })
    }
    assert.deepStrictEqual(yield* Push.listChannels({ device: fcm }), names)
    const lists = (yield* requestsTo("/v1/push")).map(queryOf).filter((query) => query.has("count"))
    assert.deepStrictEqual(lists.map((query) => query.get("start")), [null, "c999", "c1999"])
  }).pipe(Effect.provide(emulated())))

const answering = (body: unknown, status = 200) =>
  Layer.merge(
    Transport.layerScripted(Array.from({ length: 3 }, () => ({ status, body: JSON.stringify(body) }))),
    config()
  )

it.effect("ends when the service sends the same full page again, as one that does not know start", () =>
  Effect.gen(function*() {
    const page = Array.from({ length: 1_000 }, (_, index) => `c${index}`)
    assert.deepStrictEqual(yield* Effect.provide(Push.listChannels({ device: fcm }), answering(page)), page)
  }))

it.effect("gives up on a service whose list never ends", () =>
  Effect.gen(function*() {
    let asked = 0
    const client = HttpClient.make((request) =>
      Effect.sync(() => {
        const page = Array.from({ length: 1_000 }, (_, index) => `c${asked}-${index}`)
        asked++
        return HttpClientResponse.fromWeb(request, new Response(JSON.stringify(page)))
      })
    )
    const error = yield* Effect.flip(Push.listChannels({ device: fcm })).pipe(
      Effect.provide(Layer.merge(Layer.succeed(HttpClient.HttpClient, client), config()))
    )
    assert.strictEqual(asked, 101)
    assert.strictEqual(error.reason._tag, "Malformed")
    assert.include(error.message, "it lists more than 100000 channels")
  }))

it.effect("keeps what is not a name in its place", () =>
  Effect.gen(function*() {
    const channels = yield* Effect.provide(Push.listChannels({ device: fcm }), answering(["a", 7, "b"]))
    assert.deepStrictEqual(channels.map((channel) => typeof channel === "string" ? channel : channel.raw), [
      "a",
      7,
      "b"
    ])
  }))

it.effect("fails with the add-on that the keyset lacks", () =>
  Effect.gen(function*() {
    const { reason } = yield* Effect.flip(Push.listChannels({ device: apns }))
    assert.deepInclude(reason, { _tag: "FeatureDisabled", addOn: "MobilePush" })
  }).pipe(Effect.provide(emulated({ emulator: { addOns: { mobilePush: false } } }))))

it.effect("does not show the token of a device in an error", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Push.removeDevice({ device: PushDevice.fcm("a-long-token") }))
    assert.strictEqual(error.request.path, "/v1/push/sub-key/{subscribeKey}/devices/{token}/remove")
    assert.notInclude(JSON.stringify(error), "a-long-token")
  }).pipe(Effect.provide(answering({ error: "Invalid device token" }, 400))))

describe("bad input is refused before a request is made", () => {
  const throwing: Push.ChannelsOptions = {
    channels: ["a"],
    get device(): never {
      throw new Error("no")
    }
  }
  const add = (device: unknown, channels: unknown = ["a"]) =>
    // @ts-expect-error what a caller without the compiler passes
    Push.addChannels({ device, channels })
  it.effect.each(
    [
      ["no device", add(undefined), ["device"]],
      ["an unknown kind", add({ _tag: "Gcm", token: "t" }), ["device._tag"]],
      ["an empty token", add(PushDevice.fcm("")), ["device.token"]],
      ["a blank token", Push.removeDevice({ device: PushDevice.fcm("  ") }), ["device.token"]],
      ["a token that is a dot segment", Push.listChannels({ device: PushDevice.fcm("..") }), ["device.token"]],
      ["a token that is no text", add({ _tag: "Fcm", token: 7 }), ["device.token"]],
      ["a token of FCM at APNs", add({ ...apns, token: "cQ:APA91b" }), ["device.token"]],
      ["an odd number of digits", add({ ...apns, token: "abc" }), ["device.token"]],
      ["an empty topic", Push.listChannels({ device: { ...apns, topic: "" } }), ["device.topic"]],
      ["a blank topic", Push.removeDevice({ device: { ...apns, topic: " " } }), ["device.topic"]],
      ["an unknown environment", add({ ...apns, environment: "test" }), ["device.environment"]],
      ["no channels", add(fcm, []), ["channels"]],
      ["101 channels", add(fcm, Array.from({ length: 101 }, (_, index) => `c${index}`)), ["channels"]],
      ["a wildcard", add(fcm, ["a.*"]), ["channels"]],
      ["a presence name", add(fcm, ["a-pnpres"]), ["channels"]],
      ["a comma", add(fcm, ["a,b"]), ["channels"]],
      ["an unpaired surrogate", add(PushDevice.fcm("\ud800")), ["device.token"]],
      ["options that throw", Push.addChannels(throwing), ["input"]]
    ] as const
  )("%s", ([, call, locations]) =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip<unknown, PubNubError.PubNubError, never>(
        Effect.provide(call, Layer.merge(Transport.layerScripted([]), config()))
      )
      if (reason._tag !== "BadRequest") return assert.fail(reason._tag)
      assert.isUndefined(reason.status)
      assert.deepStrictEqual(reason.details.map(({ location }) => location), [...locations])
    }))
})

function config() {
  return PubNubConfig.layer({ subscribeKey: "demo-sub", publishKey: "demo-pub", userId: "ada" })
}
