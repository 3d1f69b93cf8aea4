import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Publish, Push, PushDevice, PushPayload } from "effect-herald/pubnub"
import { PubNubEmulator } from "effect-herald/testing"
import { emulated } from "../kit/emulated.ts"

const topic = { topic: "com.example.app", environment: "production" } as const
const apns = PushDevice.apns({ token: "aa", ...topic })
const mine = PushDevice.apns({ token: "bb", ...topic })
const fcm = PushDevice.fcm("f1")
const myFcm = PushDevice.fcm("f2")

it.effect("makes the payload that the official builder makes", () =>
  Effect.gen(function*() {
    const payload = yield* PushPayload.make({
      title: "Title",
      body: "Body",
      badge: 3,
      sound: "default",
      fcm: {},
      apns: {
        topics: [topic],
        subtitle: "Sub",
        collapseId: "c1",
        expiration: DateTime.makeUnsafe("2027-01-15T08:00:00Z")
      },
      exclude: [mine]
    })
    assert.deepStrictEqual(payload, {
      pn_apns: {
        aps: { alert: { title: "Title", subtitle: "Sub", body: "Body" }, badge: 3, sound: "default" },
        pn_push: [{
          version: "v2",
          auth_method: "token",
          collapse_id: "c1",
          expiration: "2027-01-15T08:00:00.000Z",
          push_type: "alert",
          targets: [{ ...topic, excluded_devices: ["bb"] }]
        }]
      },
      pn_fcm: {
        notification: { title: "Title", body: "Body" },
        android: { notification: { sound: "default", notification_count: 3 } }
      }
    })
  }))

it.effect("excludes a device at its own topic and environment only", () =>
  Effect.gen(function*() {
    const topics = [topic, { ...topic, topic: "com.example.other" }, { ...topic, environment: "development" }] as const
    const { pn_apns } = yield* PushPayload.make({ title: "t", apns: { topics }, exclude: [mine] })
    assert.deepStrictEqual(pn_apns?.pn_push, [{
      version: "v2",
      auth_method: "token",
      push_type: "alert",
      targets: [{ ...topic, excluded_devices: ["bb"] }, topics[1], topics[2]]
    }])
  }))

it.effect("wakes the app and shows nothing when it has neither a title nor a body", () =>
  Effect.gen(function*() {
    const payload = yield* PushPayload.make({
      data: { sync: "now" },
      badge: 0,
      fcm: { ttl: "30 seconds" },
      apns: { topics: [topic] }
    })
    assert.deepStrictEqual(payload.pn_apns, {
      sync: "now",
      aps: { badge: 0, "content-available": 1 },
      pn_push: [{ version: "v2", auth_method: "token", push_type: "background", targets: [topic] }]
    })
    assert.deepStrictEqual(payload.pn_fcm, { data: { sync: "now" }, android: { ttl: "30s" } })
  }))

it.effect("pushes a publish to the devices of its channel, but not to those that are excluded", () =>
  Effect.gen(function*() {
    const emulator = yield* PubNubEmulator.PubNubEmulator
    for (const device of [apns, mine, fcm, myFcm]) yield* Push.addChannels({ device, channels: ["chat"] })
    yield* Push.addChannels({ device: { ...apns, environment: "development" }, channels: ["chat"] })
    const push = yield* PushPayload.make({
      title: "Ada",
      data: { id: "7" },
      fcm: {},
      apns: { topics: [topic] },
      exclude: [mine, myFcm]
    })
    const { timetoken } = yield* Publish.publish({ channel: "chat", message: { text: "hi" }, push })
    yield* Publish.publish({ channel: "other", message: { text: "hi" }, push })
    yield* Publish.publish({ channel: "chat", message: { text: "quiet" } })
    assert.deepStrictEqual(yield* emulator.pushes, [
      {
        channel: "chat",
        timetoken,
        platform: "apns2",
        token: "aa",
        topic: "com.example.app",
        environment: "production",
        payload: { id: "7", aps: { alert: { title: "Ada" } } }
      },
      {
        channel: "chat",
        timetoken,
        platform: "fcm",
        token: "f1",
        payload: { notification: { title: "Ada" }, data: { id: "7" } }
      }
    ])
  }).pipe(Effect.provide(emulated())))

describe("the message beside a push", () => {
  const sent = (message: unknown) =>
    Effect.gen(function*() {
      const push = yield* PushPayload.make({ title: "t", fcm: {} })
      yield* Publish.publish({ channel: "c", message, push })
      const [stored] = yield* (yield* PubNubEmulator.PubNubEmulator).messages({ channel: "c" })
      return stored?.payload
    }).pipe(Effect.provide(emulated()))
  const part = { pn_fcm: { notification: { title: "t" } } }
  it.effect.each(
    [
      ["keeps the fields of an object", { a: 1, b: [2] }, { ...part, a: 1, b: [2] }],
      ["is nothing more for an empty object", {}, part],
      ["has a text as pn_other", "hi", { ...part, pn_other: "hi" }],
      ["has a list as pn_other", [1], { ...part, pn_other: [1] }],
      ["has null as pn_other", null, { ...part, pn_other: null }]
    ] as const
  )("%s", ([, message, expected]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* sent(message), expected)
    }))

  it.effect("is refused when it has a push of its own", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(sent({ pn_fcm: {} }))
      assert.include(String(error), "message has pn_fcm of its own, and push is given")
    }))

  it.effect("is refused with a push that PushPayload did not make", () =>
    Effect.gen(function*() {
      for (const push of [{}, { aps: {} }, "x", null]) {
        // @ts-expect-error what a caller without the compiler passes
        const error = yield* Effect.flip(Publish.publish({ channel: "c", message: {}, push }))
        assert.include(String(error), "push was not made by PushPayload.make")
      }
    }).pipe(Effect.provide(emulated())))
})

describe("bad input is refused", () => {
  it.effect.each(
    [
      ["neither of the two services", { title: "t" }, "options"],
      ["no topics", { title: "t", apns: { topics: [] } }, "apns.topics"],
      ["an empty topic", { apns: { topics: [{ ...topic, topic: "" }] } }, "apns.topics.0.topic"],
      ["an unknown environment", { apns: { topics: [{ ...topic, environment: "x" }] } }, "apns.topics.0.environment"],
      ["a topic that is no object", { apns: { topics: ["x"] } }, "apns.topics.0"],
      ["a collapse id of 65 bytes", { apns: { topics: [topic], collapseId: "x".repeat(65) } }, "apns.collapseId"],
      ["an expiration that is no time", { apns: { topics: [topic], expiration: "soon" } }, "apns.expiration"],
      ["an unknown kind of push", { apns: { topics: [topic], pushType: "loud" } }, "apns.pushType"],
      ["a fraction of a second", { fcm: { ttl: "1500 millis" } }, "fcm.ttl"],
      ["a time to live for ever", { fcm: { ttl: "Infinity" } }, "fcm.ttl"],
      ["a negative badge", { title: "t", badge: -1, fcm: {} }, "badge"],
      ["a sound that nobody can hear", { sound: "default", fcm: {} }, "sound"],
      ["an image that nobody can see", { data: {}, fcm: { image: "https://a.com/b.png" } }, "fcm.image"],
      ["a subtitle that nobody can see", { apns: { topics: [topic], subtitle: "s" } }, "apns.subtitle"],
      ["an image without https", { title: "t", fcm: { image: "a.png" } }, "fcm.image"],
      ["a time to live above four weeks", { fcm: { ttl: "2419201 seconds" } }, "fcm.ttl"],
      ["a badge that FCM cannot read", { title: "t", badge: 2 ** 31, fcm: {} }, "badge"],
      ["data in a name of FCM", { data: { from: "x" }, fcm: {} }, "data.\"from\""],
      ["data with a prefix of FCM", { data: { "google.x": "x" }, fcm: {} }, "data.\"google.x\""],
      ["data in a name with half a surrogate pair", { data: { "\ud800": "x" }, fcm: {} }, "data.\"\ufffd\""],
      ["data that is no text", { data: { a: 1 }, fcm: {} }, "data.\"a\""],
      ["data in a name of the services", { data: { aps: "x" }, apns: { topics: [topic] } }, "data.\"aps\""],
      ["data with a prefix of the services", { data: { pn_push: "x" }, fcm: {} }, "data.\"pn_push\""],
      ["an excluded device without a token", { title: "t", fcm: {}, exclude: [PushDevice.fcm("")] }, "exclude.0.token"],
      ["a title that is no text", { title: 7, fcm: {} }, "title"],
      ["options that are no object", 7, "options"]
    ] as const
  )("%s", ([, options, location]) =>
    Effect.gen(function*() {
      // @ts-expect-error what a caller without the compiler passes
      const error = yield* Effect.flip(PushPayload.make(options))
      if (error._tag !== "PubNubError") return assert.fail(error._tag)
      assert.deepStrictEqual(error.reason.details.map((detail) => detail.location), [location])
    }))

  it.effect.each(
    [
      ["APNs", { apns: { topics: [topic] } }, 4_096],
      ["APNs", { apns: { topics: [topic], pushType: "voip" } }, 5_120],
      ["FCM", { fcm: {} }, 4_096]
    ] as const
  )("a payload for %s that is one byte too large", ([platform, part, limit]) =>
    Effect.gen(function*() {
      const size = platform === "FCM"
        ? "{\"notification\":{\"body\":\"\"}}".length
        : "{\"aps\":{\"alert\":{\"body\":\"\"}}}".length
      const full = "x".repeat(limit - size - 2) + "ü"
      const exclude = [apns, fcm]
      yield* PushPayload.make({ ...part, body: full, exclude })
      const error = yield* Effect.flip(PushPayload.make({ ...part, body: `${full}x`, exclude }))
      assert.deepInclude(error, { _tag: "PushTooLarge", platform, size: limit + 1, limit })
    }))
})

it.effect.prop(
  "merges with any object, whose fields all arrive",
  [Schema.Record(Schema.String, Schema.Json)],
  ([any]) =>
    Effect.gen(function*() {
      // JSON has no form for an unpaired surrogate.
      const message: unknown = JSON.parse(JSON.stringify(any).replaceAll(/\\ud[89a-f][0-9a-f]{2}/g, "-"))
      if (typeof message !== "object") return assert.fail("no object")
      const push = yield* PushPayload.make({ title: "t", fcm: {} })
      yield* Publish.publish({ channel: "c", message, push, method: "POST" })
      const [stored] = yield* (yield* PubNubEmulator.PubNubEmulator).messages({ channel: "c" })
      assert.deepStrictEqual(stored?.payload, JSON.parse(JSON.stringify({ ...push, ...message })))
    }).pipe(Effect.provide(emulated())),
  { arbitrary: { runs: 30 } }
)
