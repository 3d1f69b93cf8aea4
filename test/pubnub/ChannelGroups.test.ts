import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ChannelGroups, PubNubConfig, type PubNubError } from "effect-herald/pubnub"
import { PubNubEmulator, Transport } from "effect-herald/testing"
import { emulated, queryOf, requestsTo } from "../kit/emulated.ts"

const many = (count: number) => Array.from({ length: count }, (_, index) => `channel-${index}`)

it.effect("adds, lists and removes channels, and removes the group", () =>
  Effect.gen(function*() {
    const group = "ops #1/ü"
    assert.deepStrictEqual(yield* ChannelGroups.listChannels({ group }), [])
    yield* ChannelGroups.addChannels({ group, channels: ["a b", "c", "c", "c-pnpres"] })
    assert.deepStrictEqual(yield* ChannelGroups.listChannels({ group }), ["a b", "c", "c-pnpres"])
    assert.deepStrictEqual(yield* ChannelGroups.list, [group])
    yield* ChannelGroups.removeChannels({ group, channels: ["c", "never there"] })
    assert.deepStrictEqual(yield* ChannelGroups.listChannels({ group }), ["a b", "c-pnpres"])
    yield* ChannelGroups.remove({ group })
    yield* ChannelGroups.remove({ group })
    assert.deepStrictEqual(yield* ChannelGroups.list, [])
    const [, added] = yield* requestsTo("/v1/channel-registration")
    assert.strictEqual(queryOf(added!).get("add"), "a b,c,c-pnpres")
    assert.include(added!.target, "/channel-group/ops%20%231%2F%C3%BC?add=a%20b%2Cc%2Cc-pnpres")
  }).pipe(Effect.provide(emulated())))

it.effect("adds and removes 200 channels at once", () =>
  Effect.gen(function*() {
    yield* ChannelGroups.addChannels({ group: "g", channels: many(200) })
    assert.lengthOf(yield* ChannelGroups.listChannels({ group: "g" }), 200)
    yield* ChannelGroups.removeChannels({ group: "g", channels: many(200) })
    assert.lengthOf(yield* ChannelGroups.listChannels({ group: "g" }), 0)
  }).pipe(Effect.provide(emulated())))

describe("bad input is refused before a request is made", () => {
  const group = "g"
  it.effect.each(
    [
      ["no channels", ChannelGroups.addChannels({ group, channels: [] }), "channels"],
      [
        "too many channels",
        ChannelGroups.removeChannels({ group, channels: Array.from({ length: 201 }, (_, index) => String(index)) }),
        "channels"
      ],
      ["a comma in a channel", ChannelGroups.addChannels({ group, channels: ["a", "b,c"] }), "channels"],
      ["a wildcard", ChannelGroups.addChannels({ group, channels: ["a.*"] }), "channels"],
      ["no group", ChannelGroups.listChannels({ group: "" }), "group"],
      ["a comma in a group", ChannelGroups.remove({ group: "a,b" }), "group"],
      ["a dot segment", ChannelGroups.remove({ group: ".." }), "group"],
      ["more than an address holds", ChannelGroups.addChannels({ group, channels: ["x".repeat(2_000)] }), "channels"]
    ] as const
  )("%s", ([, call, location]) =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip<unknown, PubNubError.PubNubError, never>(
        Effect.provide(call, Layer.merge(Transport.layerScripted([]), config({ maxUrlSize: 2_000 })))
      )
      if (reason._tag !== "BadRequest") return assert.fail(reason._tag)
      assert.isUndefined(reason.status)
      assert.deepStrictEqual(reason.details.map((detail) => detail.location), [location])
    }))

  it.effect("a missing key", () =>
    Effect.gen(function*() {
      const { reason } = yield* Effect.flip(ChannelGroups.list)
      assert.deepInclude({ ...reason }, { _tag: "InvalidKey", key: "subscribe" } as object)
    }).pipe(Effect.provide(Layer.merge(Transport.layerScripted([]), config({ subscribeKey: "" })))))
})

const config = (options: Partial<PubNubConfig.Options> = {}) =>
  PubNubConfig.layer({ subscribeKey: "demo-sub", userId: "ada", origin: "host", ...options })

describe("failures", () => {
  it.effect("a missing add-on is FeatureDisabled, and a missing permission is AccessDenied", () =>
    Effect.gen(function*() {
      const emulator = yield* PubNubEmulator.PubNubEmulator
      yield* emulator.deny({ groups: ["g"] })
      const denied = yield* Effect.flip(ChannelGroups.listChannels({ group: "g" }))
      assert.deepInclude({ ...denied.reason }, { _tag: "AccessDenied", groups: ["g"] } as object)
      yield* emulator.setAddOns({ streamController: false })
      const disabled = yield* Effect.flip(ChannelGroups.list)
      assert.deepInclude({ ...disabled.reason }, { _tag: "FeatureDisabled", addOn: "StreamController" } as object)
    }).pipe(Effect.provide(emulated())))

  it.effect.each(
    [
      [{ body: "{\"status\":400,\"message\":\"Reserved character\",\"error\":true}", status: 400 }, "BadRequest"],
      [{ body: "{\"message\":\"Invalid Subscribe Key\",\"error\":true,\"status\":400}", status: 400 }, "InvalidKey"],
      [{ body: "{\"status\":429,\"error\":true,\"message\":\"no\"}", status: 429 }, "RateLimited"],
      [{ body: "{\"status\":500,\"error\":true,\"message\":\"no\"}", status: 500 }, "ServerFailure"],
      [{ body: "<html>" }, "Malformed"],
      [{ body: "{\"status\":200,\"payload\":{\"channels\":\"a\"}}" }, "Malformed"],
      [{ failure: "ECONNREFUSED" }, "Transport"]
    ] as const
  )("the answer %j is %s", ([answer, tag]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(ChannelGroups.listChannels({ group: "g" }))
      assert.strictEqual(error.reason._tag, tag)
      assert.deepStrictEqual(error.request, {
        method: "GET",
        path: "/v1/channel-registration/sub-key/{subscribeKey}/channel-group/g"
      })
    }).pipe(Effect.provide(Layer.merge(Transport.layerScripted([answer]), config()))))
})
